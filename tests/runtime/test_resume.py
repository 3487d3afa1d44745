"""One session from the first command to the last: the program dies at every event of a full run, and the next one goes on."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_cluster import FakeCluster
from starts import Died, go_on

from playbook.errors import BadSession, Interrupted
from playbook.guide.catalog import load
from playbook.model import Overall, Session, Verdict
from playbook.runtime.cancel import CancelToken
from playbook.session.journal import Journal, Kind
from playbook.session.store import SessionStore

CATALOG = load()
EVERY = os.environ.get("PLAYBOOK_KILLS") == "all"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Session, int]:
    """A run that nothing disturbs, and how many events it writes after the opening."""
    cluster, seen = FakeCluster(), 0

    def count(number: int, journal: Journal, cancel: CancelToken) -> None:
        nonlocal seen
        seen = number

    session = go_on(tmp_path_factory.mktemp("undisturbed"), cluster, count)
    assert cluster.deletes == Counter({"step8-2-delete-observer": 1, "step8-4-delete-postgres": 1})
    return session, seen


def test_an_undisturbed_run_is_pending_with_steps_0_to_8_passed(undisturbed: tuple[Session, int]) -> None:
    session, events = undisturbed
    assert session.overall is Overall.PENDING
    assert [result.verdict for result in session.results] == [Verdict.PASS] * 9 + [Verdict.PENDING]
    assert 60 < events <= 80, "the cases below end at 80"


def kill(number: int) -> Callable[[int, Journal, CancelToken], None]:
    def at(count: int, journal: Journal, cancel: CancelToken) -> None:
        if count == number:
            raise Died

    return at


def tear(number: int) -> Callable[[int, Journal, CancelToken], None]:
    """Die in the middle of writing: the last line is there by half."""

    def at(count: int, journal: Journal, cancel: CancelToken) -> None:
        if count == number:
            assert journal._path
            data = journal._path.read_bytes()
            last = data.rstrip(b"\n").rpartition(b"\n")[2]
            journal._path.write_bytes(data[: len(data) - len(last) // 2 - 1])
            raise Died

    return at


def send(number: int, which: signal.Signals) -> Callable[[int, Journal, CancelToken], None]:
    def at(count: int, journal: Journal, cancel: CancelToken) -> None:
        if count == number:
            cancel.cancel(which)

    return at


def _cases() -> Iterator[object]:
    ways = {
        "SIGKILL": kill,
        "torn": tear,
        "SIGINT": lambda n: send(n, signal.SIGINT),
        "SIGHUP": lambda n: send(n, signal.SIGHUP),
    }
    for name, way in ways.items():
        # without PLAYBOOK_KILLS=all every tenth boundary is met once, by one of the four ways; with it all by all of them
        for number in range(1, 81):
            if EVERY or (number % 10 == 0 and list(ways).index(name) == number // 10 % 4):
                yield pytest.param(number, way, id=f"{name}-{number}")


@pytest.mark.parametrize(("number", "way"), list(_cases()))
def test_dying_at_any_event_loses_nothing(
    number: int,
    way: Callable[[int], Callable[[int, Journal, CancelToken], None]],
    undisturbed: tuple[Session, int],
    tmp_path: Path,
) -> None:
    whole, events = undisturbed
    assert number <= events
    cluster = FakeCluster()
    try:
        go_on(tmp_path, cluster, way(number))
    except (Died, Interrupted) as error:
        assert isinstance(error, Died) or not cluster.tmp_curl, "tmp-curl is left behind"
    resumed = go_on(tmp_path, cluster)
    assert [result.verdict for result in resumed.results] == [result.verdict for result in whole.results]
    assert resumed.overall is whole.overall
    assert not cluster.tmp_curl, "tmp-curl is left behind"
    assert all(times == 1 for times in cluster.deletes.values()), cluster.deletes


def test_a_signal_is_journaled_with_its_number(tmp_path: Path) -> None:
    with pytest.raises(Interrupted) as interrupted:
        go_on(tmp_path, FakeCluster(), send(20, signal.SIGHUP))
    assert interrupted.value.signal == signal.SIGHUP
    record, torn = SessionStore(tmp_path).open(SessionStore(tmp_path).current() or "")
    assert torn == 0
    last = record.events[-1]
    assert (last.kind, last.data["signal"]) == (Kind.INTERRUPTED, signal.SIGHUP)


def test_kept_steps_are_not_run_again(tmp_path: Path) -> None:
    cluster = FakeCluster()
    go_on(tmp_path, cluster)
    before = len(cluster.calls)
    session = go_on(tmp_path, cluster)
    again = cluster.calls[before:]
    assert [call for call in again if call.startswith(("step1", "step3", "step5", "step7", "step8"))] == []
    assert {"step0-nodes", "step2-pvc", "step4-configmap", "step9-1-pod-restarts"} <= set(again)
    assert session.overall is Overall.PENDING
    assert session.attempts == 2


def test_another_cluster_is_refused_in_one_sentence_with_both_sides(tmp_path: Path) -> None:
    cluster = FakeCluster()
    go_on(tmp_path, cluster)
    cluster.answers["step0-cluster-info"] = lambda run: type(run)(
        run.command, run.ordinal, run.stdout.replace(b"127.0.0.1", b"192.0.2.7"), b"", 0, run.ended, run.started_at, 0.1
    )
    with pytest.raises(BadSession) as refused:
        go_on(tmp_path, cluster)
    assert "https://127.0.0.1:6443" in str(refused.value)
    assert "https://192.0.2.7:6443" in str(refused.value)
    assert cluster.deletes.total() == 2


@pytest.mark.parametrize("line", [1, 7, -2])
def test_a_changed_line_is_refused_with_its_number(line: int, tmp_path: Path) -> None:
    go_on(tmp_path, FakeCluster())
    session = SessionStore(tmp_path).current() or ""
    path = SessionStore(tmp_path).folder(session) / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    place = line % len(lines)
    lines[place] = lines[place].replace(b'"at":"20', b'"at":"19', 1)
    path.write_bytes(b"".join(lines))
    with pytest.raises(BadSession, match=f"line {place + 1} ") as refused:
        SessionStore(tmp_path).open(session)
    assert "--fresh" in str(refused.value)


def test_a_changed_stream_is_refused(tmp_path: Path) -> None:
    go_on(tmp_path, FakeCluster())
    session = SessionStore(tmp_path).current() or ""
    path = SessionStore(tmp_path).folder(session) / "step8-1-count-files.out"
    path.write_bytes(b"9\n")
    with pytest.raises(BadSession, match="step8-1-count-files"):
        SessionStore(tmp_path).open(session)
