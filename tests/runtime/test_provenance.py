"""When it is asked by what the commands are run: beside a step that waits, and before the report in any case."""

from __future__ import annotations

import pytest
from verifying import Verification, verification  # noqa: F401  # a fixture

from playbook.runtime.engine import Engine


@pytest.mark.parametrize(("until", "judged"), [("9", "0123456"), ("7", "0123456"), ("6", "012345"), ("3", "0123")])
def test_it_is_asked_beside_a_step_that_waits(
    verification: Verification, until: str, judged: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    original = Engine._ask_for_provenance

    def ask(engine: Engine) -> None:
        asked.append(verification.steps_run())
        original(engine)

    monkeypatch.setattr(Engine, "_ask_for_provenance", ask)
    session = verification.all(until=until)
    assert asked[0] == judged
    assert session.provenance is not None
