"""Reading ahead changes when a command is run, never what is recorded or judged."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
from fake_cluster import FakeCluster
from test_resume import Allowing

from playbook.ahead import ReadAhead
from playbook.catalog import load
from playbook.engine import Engine
from playbook.journal import Kind
from playbook.model import Ended, Overall, Run, Session
from playbook.session import Record, Sessions

CATALOG = load()


def verified(state: Path, jobs: int, cluster: FakeCluster) -> tuple[Session, Record]:
    with Sessions(state) as sessions:
        record = sessions.create(CATALOG.digest)
        session = Engine(CATALOG, cluster, record, Allowing(), jobs=jobs).run()
        record.close()
        return session, record


def recorded(record: Record) -> list[tuple[str, int]]:
    return [(e.data["command"], e.data["ordinal"]) for e in record.journal.events if e.kind is Kind.RUN]


@pytest.mark.parametrize("jobs", [2, 4])
def test_the_recording_is_the_same_as_with_one_job(jobs: int, tmp_path: Path) -> None:
    one, by_one = verified(tmp_path / "1", 1, FakeCluster())
    many, by_many = verified(tmp_path / "n", jobs, FakeCluster())
    assert recorded(by_many) == recorded(by_one)
    assert [r.findings for r in many.results[:8]] == [r.findings for r in one.results[:8]]
    assert many.overall is one.overall is Overall.PENDING


def test_what_was_read_for_a_step_that_is_not_reached_is_recorded_and_judges_nothing(tmp_path: Path) -> None:
    session, record = verified(tmp_path, 2, FakeCluster("pvc-pending"))
    assert session.abort is not None and session.abort.criterion == 2
    assert [r.step for r in session.results if r.judged_at is not None] == ["0", "1", "2"]
    judged = {run.command for result in session.results for run in result.runs}
    kept = {command for command, _ in recorded(record)}
    assert {"step1-namespace", "step2-pvc"} <= judged
    assert all(not CATALOG.command(c).mutates for c in kept - judged if c.startswith("step"))


def run_of(command: str, seconds: float = 0.0) -> Run:
    time.sleep(seconds)
    return Run(command, 1, b"", b"", 0, Ended.EXITED, datetime.now(timezone.utc), seconds)


def test_nothing_is_begun_after_the_rest_was_taken() -> None:
    begun: list[str] = []

    def carry_out(command: str) -> Run:
        begun.append(command)
        return run_of(command, 0.05)

    ahead = ReadAhead(1, carry_out, ["a", "b", "c", "d"])
    assert ahead.take("a").command == "a"
    assert not ahead.has("a")
    left = ahead.rest()
    assert [run.command for run in left] == begun[1:]
    assert len(begun) < 4
    assert not ahead.has("d")


def test_what_carrying_out_raised_is_raised_where_it_is_taken() -> None:
    def carry_out(command: str) -> Run:
        raise OSError(command)

    ahead = ReadAhead(1, carry_out, ["a"])
    with pytest.raises(OSError, match="a"):
        ahead.take("a")
    assert ahead.rest() == ()
