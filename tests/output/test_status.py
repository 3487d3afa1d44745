"""`status` and the next attempt: each step, its verdict, when, kept or stale and why, and what to type next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from verifying import CATALOG, Verification, verification  # noqa: F401  # a fixture

from playbook.cli import root
from playbook.model import Overall, Session
from playbook.output.status import next_attempt, next_command
from playbook.session.journal import Kind
from playbook.session.store import SessionStore


def prospects(at: Verification) -> dict[str, str]:
    """Step and what the next attempt would do with it."""
    session = at.record.state
    session = replace(session, stale=tuple(at.stale().items()))
    lines = next_attempt(session, at.now()).splitlines()
    return {line.split()[1]: line.split("  ", 1)[1] for line in lines}


@pytest.fixture
def at(verification: Verification, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Verification:
    """A session on disk, and its clock for the command line too."""
    monkeypatch.setattr("playbook.clock.utc_now", verification.now)
    with SessionStore(tmp_path, verification.now) as sessions:
        verification.record = sessions.create(CATALOG.digest)
    return verification


def status(tmp_path: Path, *more: str) -> Result:
    """`playbook status`."""
    return CliRunner().invoke(root, ["status", "--state-dir", str(tmp_path), *more])


def test_without_a_record_it_says_how_to_begin(tmp_path: Path) -> None:
    shown = status(tmp_path)
    assert shown.stdout == "nothing was verified yet\n"
    assert shown.stderr == "next: playbook all\n"
    assert not list(tmp_path.iterdir()), "looking writes nothing"


def test_before_anything_ran_every_step_is_to_be_run(at: Verification) -> None:
    assert prospects(at) == dict.fromkeys("0123456789", "to be run: not reached yet")


def test_kept_stale_and_failed_steps_each_with_their_reason(at: Verification, tmp_path: Path) -> None:
    at.change("step5-services", "8000", "8001")
    at.all()
    at.cluster.answers.clear()
    at.later(hours=3)
    at.replace_pods()
    at.cluster.calls.clear()
    at.all(only="9")  # a sample that shows the new pods
    told = prospects(at)
    assert told["0"] == "run at every start: it shows which cluster this is"
    assert told["1"].startswith("kept: seen 2026-11-23T01:00:0")
    assert "(3 h ago)" in told["1"]
    assert told["5"] == "to be run again: fail"
    assert told["6"] == told["7"] == "stale, to be run again: there are other pods now than then"
    assert told["8"].startswith("kept: ")
    assert told["9"] == "a sample is added at every start"
    shown = status(tmp_path)
    assert shown.exit_code == 0
    for step, line in told.items():
        assert f"Step {step}  {line}" in shown.stdout
    for word in (
        "https://127.0.0.1:6443 (oracle-obs-arm)",
        "Failed",
        "fail",
        "2026-11-23T01:00:00Z",
        "Cluster connection",
    ):
        assert word in shown.stdout
    assert shown.stderr == "next: playbook all\n"


def test_status_changes_nothing_in_the_record(at: Verification, tmp_path: Path) -> None:
    at.all()

    def everything() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    before = everything()
    assert status(tmp_path).exit_code == 0
    assert everything() == before


def test_a_torn_line_is_no_obstacle_to_looking(at: Verification, tmp_path: Path) -> None:
    at.all()
    path = at.record.folder / "journal.jsonl" if at.record.folder else tmp_path
    data = path.read_bytes()
    path.write_bytes(data + b'{"seq":')
    assert status(tmp_path).exit_code == 0
    assert path.read_bytes() == data + b'{"seq":', "only `all` repairs it"


def test_another_record_by_its_id_and_one_that_is_none(at: Verification, tmp_path: Path) -> None:
    at.all()
    old = at.record.state.id
    with SessionStore(tmp_path) as sessions:
        sessions.create(CATALOG.digest).close()
    assert old not in status(tmp_path).stdout
    assert old in status(tmp_path, "--session", old).stdout
    assert "there is no session" in str(status(tmp_path, "--session", "x").exception)


def test_what_to_type_next(at: Verification) -> None:
    session: Session = at.all(allow=False)
    assert session.overall is Overall.INCOMPLETE
    assert next_command(session) == "playbook all --plan"
    session = at.all()
    assert session.overall is Overall.PENDING
    assert next_command(session) == "playbook all"
    at.later(hours=25)
    session = at.all()
    assert session.overall is Overall.COMPLETE
    assert next_command(session) == "playbook report -o report.md"


def test_no_permission_is_asked_for_when_more_than_the_restart_is_missing(at: Verification) -> None:
    at.answer("step5-services", "", "Unable to connect to the server: EOF\n")
    assert next_command(at.all(allow=False)) == "playbook all"


def test_the_moment_of_step_9_is_named(at: Verification, tmp_path: Path) -> None:
    at.all()
    assert "Step 9 can be judged from 2026-11-24T01:00:0" in status(tmp_path).stdout


def test_an_interrupted_run_says_when_it_ended(at: Verification, tmp_path: Path) -> None:
    at.all(until="3")
    at.record.note(Kind.ATTEMPT)
    at.record.note(Kind.INTERRUPTED, signal=2)
    shown = status(tmp_path)
    assert "Incomplete" in shown.stdout
    assert "to be run: not reached yet" in shown.stdout
