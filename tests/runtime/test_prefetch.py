"""Prefetching changes when a command is run, never what is recorded or judged."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path
from threading import Event

import pytest
from fake_cluster import FakeCluster
from starts import Allowing
from stubbed import Stubbed

from playbook.guide.catalog import STEP_0, load, read_only
from playbook.model import Ended, Overall, Run, Session
from playbook.runtime.engine import Engine
from playbook.runtime.execution import Workplace
from playbook.runtime.prefetch import Prefetcher
from playbook.runtime.start import open_store
from playbook.session.journal import Kind
from playbook.session.session import OpenSession
from playbook.session.store import SessionStore
from playbook.steps import STEPS

CATALOG = load()


def verified(
    state: Path, jobs: int, cluster: FakeCluster, ahead: Prefetcher | None = None
) -> tuple[Session, OpenSession]:
    with SessionStore(state) as sessions:
        record = sessions.create(CATALOG.digest)
        session = Engine(Workplace(CATALOG, cluster, record, Allowing(), jobs=jobs, prefetched=ahead)).run()
        record.close()
        return session, record


def recorded(record: OpenSession) -> list[tuple[str, int]]:
    return [(e.data["command"], e.data["ordinal"]) for e in record.events if e.kind is Kind.RUN]


@pytest.mark.parametrize(("state", "jobs"), [("1.20/healthy", 2), ("1.20/healthy", 4), ("1.34/healthy", 4)])
def test_the_recording_is_the_same_as_with_one_job(state: str, jobs: int, tmp_path: Path) -> None:
    one, by_one = verified(tmp_path / "1", 1, FakeCluster(state))
    many, by_many = verified(tmp_path / "n", jobs, FakeCluster(state))
    assert recorded(by_many) == recorded(by_one)
    assert [r.findings for r in many.results[:8]] == [r.findings for r in one.results[:8]]
    assert many.overall is one.overall is Overall.PENDING


@pytest.mark.parametrize("state", ["1.20/pvc-pending", "1.34/pvc-pending"])
def test_what_was_read_for_a_step_that_is_not_reached_is_recorded_and_judges_nothing(
    state: str, tmp_path: Path
) -> None:
    session, record = verified(tmp_path, 2, FakeCluster(state))
    assert session.abort is not None and session.abort.criterion == 2
    assert [r.step for r in session.results if r.judged_at is not None] == ["0", "1", "2"]
    judged = {run.command for result in session.results for run in result.runs}
    kept = {command for command, _ in recorded(record)}
    assert {"step1-namespace", "step2-pvc"} <= judged
    assert all(not CATALOG.command(c).mutates for c in kept - judged if c.startswith("step"))


def begun_early(jobs: int, cluster: FakeCluster) -> Prefetcher:
    """What `open_store` does for a new session."""
    names = STEP_0 + read_only("123456")
    return Prefetcher(jobs, lambda name: cluster.run(CATALOG.command(name)), names, first=STEP_0)


def test_what_was_begun_before_there_was_a_record_is_recorded_and_judged_the_same(tmp_path: Path) -> None:
    one, by_one = verified(tmp_path / "1", 1, FakeCluster())
    cluster = FakeCluster()
    early, by_early = verified(tmp_path / "n", 4, cluster, begun_early(4, cluster))
    assert recorded(by_early) == recorded(by_one)
    assert [r.findings for r in early.results[:8]] == [r.findings for r in one.results[:8]]
    assert early.overall is Overall.PENDING


def test_what_is_sure_to_be_looked_at_is_what_the_steps_look_at() -> None:
    of_steps = [name for step in STEPS[1:7] for name in step.commands]
    sure = [name for name in of_steps if not CATALOG.command(name).mutates and not name.startswith("step3-4")]
    assert sorted(read_only("123456")) == sorted(sure)
    assert read_only("123456")[0] == "summary"


@pytest.mark.parametrize(
    ("new", "jobs", "until", "expected"),
    [
        (True, 2, "9", STEP_0 + read_only("123456")),
        (True, 2, "2", STEP_0 + read_only("12")),
        (True, 2, "0", STEP_0),
        (False, 2, "9", STEP_0),
        (True, 1, "9", ()),
    ],
)
def test_what_is_begun_before_the_rest_of_the_program_is_there(
    new: bool, jobs: int, until: str, expected: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = Stubbed(tmp_path)
    monkeypatch.setattr("os.environ", stub.environ)
    if not new:
        with SessionStore(stub.state) as sessions:
            sessions.create(CATALOG.digest).close()
    with open_store(str(stub.state), until=until, jobs=jobs) as start:
        assert [name for name in CATALOG.ids if start.prefetched.has(name)] == sorted(expected, key=CATALOG.ids.index)
        for name in expected[:2]:
            assert start.prefetched.take(name).exit_code == 0


def run_of(command: str, seconds: float = 0.0, status: int = 0) -> Run:
    time.sleep(seconds)
    return Run(command, 1, b"", b"", status, Ended.EXITED, datetime.now(timezone.utc), seconds)


def test_nothing_is_begun_after_the_rest_was_taken() -> None:
    begun: list[str] = []

    def carry_out(command: str) -> Run:
        begun.append(command)
        return run_of(command, 0.05)

    ahead = Prefetcher(1, carry_out, ["a", "b", "c", "d"])
    assert ahead.take("a").command == "a"
    assert not ahead.has("a")
    left = ahead.drain()
    assert [run.command for run in left] == begun[1:]
    assert len(begun) < 4
    assert not ahead.has("d")


@pytest.mark.parametrize("status", [0, 1])
def test_nothing_is_begun_after_one_of_the_first_failed(status: int) -> None:
    ahead = Prefetcher(1, lambda name: run_of(name, status=status), ["first", "a", "b"], first=["first"])
    assert ahead.take("first").exit_code == status
    ahead._pool.shutdown()
    assert [ahead.has(name) for name in ("a", "b")] == [status == 0] * 2
    assert len(ahead.drain()) == (2 if status == 0 else 0)


def test_what_was_promised_is_carried_out_although_one_of_the_first_failed_meanwhile() -> None:
    answer = Event()

    def carry_out(name: str) -> Run:
        answer.wait(10)
        return run_of(name, status=1)

    ahead = Prefetcher(1, carry_out, ["first", "a"], first=["first"])
    assert ahead.has("a")
    answer.set()
    assert (ahead.take("first").command, ahead.take("a").command) == ("first", "a")


@pytest.mark.parametrize("state", ["1.20/api-down", "1.34/api-down"])
def test_a_cluster_that_does_not_answer_is_asked_by_step_0_only(state: str, tmp_path: Path) -> None:
    cluster = FakeCluster(state)
    session, record = verified(tmp_path, 2, cluster, begun_early(1, cluster))
    assert session.overall is Overall.FAILED
    assert {command for command, _ in recorded(record)} <= {*STEP_0, "secret-values", "describe-node", "k3s-status"}


def test_what_was_not_started_any_more_is_no_run() -> None:
    cluster = FakeCluster()
    cluster.down = True
    ahead = Prefetcher(1, lambda name: cluster.run(CATALOG.command(name)), ["step1-namespace", "step2-pvc"])
    ahead._pool.shutdown()
    assert ahead.drain() == ()


def test_what_carrying_out_raised_is_raised_where_it_is_taken() -> None:
    def carry_out(command: str) -> Run:
        raise OSError(command)

    ahead = Prefetcher(1, carry_out, ["a"])
    with pytest.raises(OSError, match="a"):
        ahead.take("a")
    assert ahead.drain() == ()
