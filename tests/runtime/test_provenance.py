"""When it is asked by what the commands are run: beside a step that waits, and before the report in any case."""

from __future__ import annotations

import pytest
from verifying import Verification, verification  # noqa: F401  # a fixture

from playbook.runtime.engine import Engine


@pytest.fixture
def asked(verification: Verification, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps that this attempt had carried out whenever it was asked."""
    seen: list[str] = []
    original = Engine._ask_for_provenance

    def ask(engine: Engine) -> None:
        seen.append(verification.steps_run())
        original(engine)

    monkeypatch.setattr(Engine, "_ask_for_provenance", ask)
    return seen


@pytest.mark.parametrize(
    ("until", "before"), [("9", "0123456"), ("7", "0123456"), ("6", "012345"), ("3", "012"), ("0", "0")]
)
def test_it_is_asked_beside_the_step_that_waits_or_the_last_one(
    verification: Verification, until: str, before: str, asked: list[str]
) -> None:
    session = verification.all(until=until)
    assert asked[0] == before
    assert session.provenance is not None


def test_an_attempt_that_keeps_the_step_that_waits_asks_beside_the_last_one(
    verification: Verification, asked: list[str]
) -> None:
    verification.all()
    asked.clear()
    assert verification.all().provenance is not None
    assert asked[0] == "0", "Steps 1 to 8 are kept, and Step 9 is still to come"
