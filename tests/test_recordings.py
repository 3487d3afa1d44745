"""Every recording is judged as `tests/expected/` says, finding by finding; and every command of the guide is recorded.

The expected files were read against the guide, line by line, when they were made. A change in one is a change of verdict.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest
from support import FIXTURES, ROOT, runs_of, states

from playbook import api
from playbook.guide.catalog import GUIDE_ORDER
from playbook.kubectl.failures import failure
from playbook.model import Session, Verdict

EXPECTED = Path(__file__).parent / "expected"
RECORDINGS = Path(os.environ.get("PLAYBOOK_RECORDINGS", ROOT.parent / "shared" / "recordings"))
HEALTHY = ("healthy", "healthy-24h", "attach-race")

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


@pytest.mark.parametrize("state", states())
def test_a_recording_gets_its_verdict(state: str) -> None:
    assert told(api.replay(FIXTURES / state)) == (EXPECTED / f"{state}.txt").read_text("utf-8")


def test_every_state_has_its_expected_verdict() -> None:
    assert {path.stem for path in EXPECTED.glob("*.txt")} == set(states())


@pytest.mark.parametrize("state", states())
def test_the_unmasked_recording_gets_the_same_verdict(state: str) -> None:
    if not (RECORDINGS / state).is_dir():
        pytest.skip(f"the original recordings are not at {RECORDINGS}")
    found, expected = told(api.replay(RECORDINGS / state)), told(api.replay(FIXTURES / state))
    assert found == expected


@cache
def _told_by(state: str) -> frozenset[str]:
    """The commands in which a state shows something that is no pass."""
    return frozenset(
        finding.evidence.command
        for result in api.replay(FIXTURES / state, diagnose=False).results
        for finding in result.findings
        if finding.evidence and finding.verdict is not Verdict.PASS
    )


def _is_broken(state: str, command: str) -> bool:
    """Whether a state shows a command failing, or shows a fault in what it prints."""
    runs = runs_of(state, command)
    return any(failure(run) or run.exit_code not in (0, None) for run in runs) or (
        bool(runs) and command in _told_by(state)
    )


def test_every_command_has_a_healthy_recording() -> None:
    lacking = {command for command in GUIDE_ORDER if not any(runs_of(state, command) for state in HEALTHY)}
    lacking -= {"step7-3-stop-port-forward"}  # says nothing; a recording keeps what was said
    assert lacking == NEVER_RUN, "these commands lack a healthy recording"


def test_every_command_has_a_broken_recording_or_a_reason() -> None:
    broken = [state for state in states() if state not in HEALTHY]
    seen = {c for state in broken for c in GUIDE_ORDER if _is_broken(state, c)}
    lacking = {command for command in GUIDE_ORDER if command not in seen}
    for command in sorted(lacking):
        print(f"no broken recording of {command}: {NEVER_BROKEN.get(command, '?')}")
    assert lacking == set(NEVER_BROKEN)
