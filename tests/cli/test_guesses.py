"""Words that do not exist are guessed at, in both languages; scenarios are recordings by their name."""

from __future__ import annotations

from pathlib import Path

import pytest
from stubbed import Stubbed


@pytest.mark.parametrize(("typed", "word"), [
    (("al",), "all"), (("repot",), "report"), (("step", "step3-4"), "3-4"), (("demo", "helthy"), "healthy"),
    (("replay", "helthy"), "healthy"), (("diagnose", "--recording", "secret-mising"), "secret-missing"),
])  # fmt: skip
def test_a_word_that_does_not_exist_is_guessed_at(tmp_path: Path, typed: tuple[str, ...], word: str) -> None:
    stub = Stubbed(tmp_path)
    for lang, question in (("en", f"did you mean {word}?"), ("ko", f"혹시 이것인가요? {word}")):
        told = stub.playbook("--lang", lang, *typed)
        assert told.returncode == 2 and question in told.stderr, told.stderr


def test_recordings_by_the_name_of_a_scenario(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    assert stub.playbook("replay", "healthy-24h").returncode == 0
    assert "SECRET-ABSENT" in stub.playbook("diagnose", "--recording", "secret-missing").stdout
    told = stub.playbook("diff", "healthy", "secret-missing")
    assert told.returncode == 1 and "OBSERVER-SECRETS" in told.stdout


def test_sessions(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    assert "there is no session" in stub.playbook("sessions").stderr
    stub.playbook("step", "1")
    told = stub.playbook("sessions")
    line, *verdict = told.stdout.splitlines()
    assert line.startswith(f"* {stub.session.name}  20") and verdict[0].startswith("    ")


def test_show_says_how_to_run_commands_that_read_standard_input(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    told = stub.playbook("show", "8")
    assert 'bash -c "$(' in told.stderr and 'show 8)"' in told.stderr
    assert "bash -c" not in told.stdout.splitlines()[0]
    assert "bash -c" not in stub.playbook("show", "1").stderr
