"""The fixtures as the program's own types.

A fixture is a recording of one state of a cluster, its secrets masked. A state is named by the Kubernetes that it was taken
from and by what was wrong: `1.34/cordoned` is the folder `tests/fixtures/1.34/cordoned`.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import datetime, timezone
from functools import cache
from pathlib import Path

import pytest

from playbook.api import replay
from playbook.guide.catalog import DIAGNOSE_ORDER, GUIDE_ORDER
from playbook.guide.own_commands import OWN_COMMANDS
from playbook.model import Ended, Run, Runs, Session

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "fixtures"
EXPECTED = ROOT / "tests" / "expected"
NEVER = datetime.fromtimestamp(0, timezone.utc)


def states(kubernetes: str = "*") -> tuple[str, ...]:
    """The names of all fixtures, or of those from one version of Kubernetes (`1.34`)."""
    return tuple(
        sorted(runs.parent.relative_to(FIXTURES).as_posix() for runs in FIXTURES.glob(f"{kubernetes}/*/runs.json"))
    )


def long_walk() -> list[object]:
    """All states, for a test that takes long with each: those of 1.34 that 1.20 has too are left to the slow part."""
    known = {state.partition("/")[2] for state in states("1.20")}
    return [
        pytest.param(
            state, marks=pytest.mark.slow if state.startswith("1.34/") and state.partition("/")[2] in known else ()
        )
        for state in states()
    ]


def expected(state: str) -> str:
    """The verdict that is right for `state`, finding by finding (`tests/expected/`); told by `test_recordings.told`."""
    return (EXPECTED / f"{state}.txt").read_text("utf-8")


def runs_of(state: str, *commands: str) -> Runs:
    """The recorded runs of `commands` (keys: `describe-pod.postgres-0` too) in `state`; every run of the guide's without any.

    They are in the order of the recording, diagnosis commands after the guide's. A command that the state does not have
    is left out; one that nobody knows raises KeyError.
    """
    for command in commands:
        if command not in (*GUIDE_ORDER, *OWN_COMMANDS) and command.split(".")[0] not in DIAGNOSE_ORDER:
            raise KeyError(command)
    recorded = _recorded(state)
    runs = [run for run in recorded if not commands or run.command in commands]
    met = {run.command for run in recorded}
    folder = FIXTURES / state / "diagnose"
    for command in commands:
        if command not in met and (folder / f"{command}.out").is_file():
            runs.append(_run(folder, command, 1, None, NEVER, 0.0))
    return Runs(runs)


@cache
def _recorded(state: str) -> tuple[Run, ...]:
    folder = FIXTURES / state
    met: Counter[str] = Counter()
    runs: list[Run] = []
    for entry in json.loads((folder / "runs.json").read_bytes()):
        command = entry["id"]
        met[command] += 1
        began = datetime.strptime(entry["started_at"], "%Y-%m-%dT%H:%M:%S%z").astimezone(timezone.utc)
        runs.append(_run(folder, command, met[command], entry["exit_code"], began, entry["seconds"]))
    return tuple(runs)


@cache
def replayed(state: str) -> Session:
    """The whole recording `state`, judged and diagnosed once for all tests that look at it."""
    return replay(FIXTURES / state)


def diagnosed(state: str) -> tuple[str, ...]:
    """The keys of the diagnosis commands that `state` has."""
    return tuple(sorted(path.name[: -len(".out")] for path in (FIXTURES / state / "diagnose").glob("*.out")))


def made(
    command: str, stdout: str | bytes = b"", stderr: str | bytes = b"", exit_code: int | None = 0, ordinal: int = 1,
    ended: Ended = Ended.EXITED,
) -> Run:  # fmt: skip
    """A run that nobody recorded."""
    return Run(command, ordinal, _bytes(stdout), _bytes(stderr), exit_code, ended, NEVER, 0.1)


def guide() -> Path | None:
    """The guide's document where there is one: PLAYBOOK_GUIDE, else ../shared/guide.md beside the checkout."""
    named = os.environ.get("PLAYBOOK_GUIDE")
    path = Path(named) if named else ROOT.parent / "shared" / "guide.md"
    return path if path.is_file() else None


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _run(folder: Path, command: str, ordinal: int, exit_code: int | None, began: datetime, seconds: float) -> Run:
    name = command if ordinal == 1 else f"{command}.{ordinal}"
    streams = [_read(folder / f"{name}.{ending}") for ending in ("out", "err")]
    return Run(command, ordinal, streams[0], streams[1], exit_code, Ended.EXITED, began, seconds)


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
