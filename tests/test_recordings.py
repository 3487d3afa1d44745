"""Every recording is judged as `tests/expected/` says, finding by finding; and every command of the guide is recorded.

The expected files were read against the guide, line by line, when they were made. A change in one is a change of verdict.
They say what is right. Where the program says something else, `WRONG_TODAY` tells what, and the test of that state is an
expected failure until the program is fixed: then its line goes.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest
from make_fixtures import day_later
from support import EXPECTED, ROOT, expected, replayed, runs_of, states

from playbook import api
from playbook.guide.catalog import GUIDE_ORDER
from playbook.kubectl.failures import failure
from playbook.model import Session, Verdict

SHARED = Path(os.environ.get("PLAYBOOK_RECORDINGS", ROOT.parent / "shared"))
RECORDINGS = {"1.20": SHARED / "recordings", "1.34": SHARED / "recordings-1.34"}
HEALTHY = ("healthy", "healthy-24h", "attach-race")

WRONG_TODAY: dict[str, str] = {}
"""What the program says wrongly of a recording, in one sentence each."""

NEVER_RUN = {"step3-3-create-observer-secrets"}  # the emergency creation: only `fix` runs it
NEVER_BROKEN = {
    "step2-storage-dir": "every recording was taken on the server, as root",
    "step3-3-create-observer-secrets": "never run by a step",
    "step7-2-health-via-service": "recorded where it waits out its 60 s; the fault states skip it",
    "step7-3-stop-port-forward": "`kill %1` says nothing either way",
    "step8-1-list-files": "its 2>/dev/null and its pipe hide every failure; the count decides",
    "step8-2-delete-observer": "a delete that fails was not recorded",
    "step8-2-wait-observer": "a wait that fails was not recorded",
    "step8-3-list-files": "as 8-1's",
    "step8-4-delete-postgres": "a delete that fails was not recorded",
    "step8-4-wait-postgres": "a wait that fails was not recorded",
}


def told(session: Session) -> str:
    """A verdict as the expected files have it."""
    lines = [f"overall {session.overall.value}"]
    lines.append(f"abort {session.abort.criterion} {session.abort.step}" if session.abort else "abort none")
    lines += [f"{f.step:<4} {f.verdict.value:<13} {f.code}" for r in session.results for f in r.findings]
    return "\n".join([*lines, *(f"root {cause.code}" for cause in session.causes)]) + "\n"


def wrong_today(state: str) -> list[pytest.MarkDecorator]:
    """The mark of an expected failure, where the program says something wrong of `state`."""
    wrong = WRONG_TODAY.get(state)
    return [pytest.mark.xfail(reason=wrong, raises=AssertionError, strict=True)] if wrong else []


@pytest.mark.parametrize("state", [pytest.param(state, marks=wrong_today(state)) for state in states()])
def test_a_recording_gets_its_verdict(state: str) -> None:
    assert told(replayed(state)) == expected(state)


def test_every_state_has_its_expected_verdict() -> None:
    assert {path.relative_to(EXPECTED).with_suffix("").as_posix() for path in EXPECTED.rglob("*.txt")} == set(states())
    assert set(WRONG_TODAY) <= set(states())


@pytest.mark.parametrize("state", states())
def test_the_unmasked_recording_gets_the_same_verdict(state: str, tmp_path: Path) -> None:
    kubernetes, _, name = state.partition("/")
    recording = RECORDINGS[kubernetes] / name
    if not RECORDINGS[kubernetes].is_dir():
        pytest.skip(f"the original recordings are not at {RECORDINGS[kubernetes]}")
    if not recording.is_dir() and name == "healthy-24h":
        recording = tmp_path / name
        day_later(RECORDINGS[kubernetes] / "healthy", recording)
    assert told(api.replay(recording)) == told(replayed(state))


@cache
def _told_by(state: str) -> frozenset[str]:
    """The commands in which a state shows something that is no pass."""
    return frozenset(
        finding.evidence.command
        for result in replayed(state).results
        for finding in result.findings
        if finding.evidence and finding.verdict is not Verdict.PASS
    )


def _is_broken(state: str, command: str) -> bool:
    """Whether a state shows a command failing, or shows a fault in what it prints."""
    runs = runs_of(state, command)
    return any(failure(run) or run.exit_code not in (0, None) for run in runs) or (
        bool(runs) and command in _told_by(state)
    )


def _of(kubernetes: str, healthy: bool) -> list[str]:
    return [state for state in states(kubernetes) if (state.partition("/")[2] in HEALTHY) is healthy]


@pytest.mark.parametrize("kubernetes", RECORDINGS)
def test_every_command_has_a_healthy_recording(kubernetes: str) -> None:
    healthy = _of(kubernetes, True)
    lacking = {command for command in GUIDE_ORDER if not any(runs_of(state, command) for state in healthy)}
    lacking -= {"step7-3-stop-port-forward"}  # says nothing; a recording keeps what was said
    assert lacking == NEVER_RUN, "these commands lack a healthy recording"


@pytest.mark.parametrize("kubernetes", RECORDINGS)
def test_every_command_has_a_broken_recording_or_a_reason(kubernetes: str) -> None:
    broken = _of(kubernetes, False)
    seen = {c for state in broken for c in GUIDE_ORDER if _is_broken(state, c)}
    lacking = {command for command in GUIDE_ORDER if command not in seen}
    for command in sorted(lacking):
        print(f"no broken recording of {command}: {NEVER_BROKEN.get(command, '?')}")
    assert lacking == set(NEVER_BROKEN)
