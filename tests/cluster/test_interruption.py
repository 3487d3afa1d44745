"""A live run, interrupted at five points of Steps 7 and 8: nothing is left, and the next run ends as an undisturbed one.

A point is found by the journal, which tells of a command that changes the cluster before it starts and of every other
when it has ended, or by the processes of the run.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from .lab import Cluster, Faults, journal, processes, swept, until, verdicts

DELETES = ("step8-2-delete-observer", "step8-4-delete-postgres")
SHORT = "while observer is deleted"
"""The point of the short form: the program is killed in the middle of Step 8."""


@dataclass(frozen=True)
class Moment:
    """What a point can be found by."""

    state: Path
    mark: str
    cluster: Cluster

    def has(self, event: str, command: str) -> bool:
        """Whether the journal has an event of a command."""
        return any(e["event"] == event and e.get("command") == command for e in journal(self.state))

    def runs(self, words: str) -> bool:
        """Whether a process of the run has these words in its command line."""
        return any(words in line for line in processes(self.mark))


POINTS: tuple[tuple[str, signal.Signals, Callable[[Moment], bool], float, tuple[str, ...]], ...] = (
    (
        "while 7-2 waits",
        signal.SIGINT,
        lambda at: at.has("begin", "step7-2-health-via-service") and "tmp-curl" in at.cluster.pods(),
        0.3,
        (),
    ),
    ("while 7-3 forwards", signal.SIGTERM, lambda at: at.runs("port-forward svc/observer"), 0.0, ()),
    (
        "between 8-1 and the delete",
        signal.SIGHUP,
        lambda at: at.has("run", "step8-1-count-files"),
        0.0,
        (),
    ),
    ("while observer is deleted", signal.SIGKILL, lambda at: at.has("begin", DELETES[0]), 0.5, DELETES[:1]),
    (
        "while postgres-0 is waited for",
        signal.SIGHUP,
        lambda at: at.has("run", DELETES[1]),
        0.1,
        DELETES,
    ),
)
"""Name, signal, how the point is found, how long after it the signal comes, and which deletes were begun by then."""


@pytest.mark.parametrize(
    ("number", "reached", "after_s", "begun_before"),
    [pytest.param(*point[1:], id=point[0], marks=pytest.mark.short if point[0] == SHORT else ()) for point in POINTS],
)
def test_interrupted_and_taken_up_again(
    number: signal.Signals,
    reached: Callable[[Moment], bool],
    after_s: float,
    begun_before: tuple[str, ...],
    may_restart: None,
    cluster: Cluster,
    _faults: Faults | None,
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    if _faults:
        cluster.forget_events()
    with swept(cluster):
        process, mark = cluster.start(state, "all", "--allow-restart")
        try:
            at = Moment(state, mark, cluster)
            assert until(lambda: reached(at) or process.poll() is not None, 300), "the point was not reached"
            assert process.poll() is None, "the run ended before the point"
            time.sleep(after_s)
            process.send_signal(number)
            sent = time.monotonic()
            out, err = process.communicate(timeout=90)
            took = time.monotonic() - sent
        finally:
            process.kill()
        killed = number is signal.SIGKILL
        assert process.returncode == (-number if killed else 128 + number), err
        assert until(lambda: processes(mark) == [], 8), processes(mark)
        before = [(e["event"], e.get("command")) for e in journal(state)]
        assert tuple(command for event, command in before if event == "begin" and command in DELETES) == begun_before
        if not killed:
            assert "interrupted" in {event for event, _ in before}
            assert until(lambda: "tmp-curl" not in cluster.pods(), 35, 1)
        again = cluster.play(state, "all", "--allow-restart")
    assert again.code == 5, out + err + again.text
    document = cluster.document(state)
    assert verdicts(document) == {**dict.fromkeys("012345678", "pass"), "9": "pending"}, again.text
    assert processes(again.mark) == []
    assert until(lambda: "tmp-curl" not in cluster.pods(), 35, 1)
    begun = [e["command"] for e in journal(state) if e["event"] == "begin"]
    assert {command: begun.count(command) for command in DELETES} == dict.fromkeys(DELETES, 1)
    print(f"{signal.Signals(number).name}: ended in {took:.1f} s, last events {before[-3:]}")


def test_a_pod_that_a_killed_run_left_is_removed_by_the_next(
    cluster: Cluster, _faults: Faults | None, tmp_path: Path
) -> None:
    """SIGKILL leaves no time to remove tmp-curl; its commands are ended nevertheless, and the next run takes the pod back."""
    state = tmp_path / "state"
    if _faults:
        cluster.forget_events()
    with swept(cluster):
        process, mark = cluster.start(state, "all", "--until", "7")
        at = Moment(state, mark, cluster)
        try:
            assert until(lambda: POINTS[0][2](at) or process.poll() is not None, 60), "the point was not reached"
            assert process.poll() is None, "the run ended before the point"
        finally:
            process.kill()
            process.communicate(timeout=30)
        assert until(lambda: processes(mark) == [], 8), processes(mark)
        assert "tmp-curl" in cluster.pods()
        again = cluster.play(state, "all", "--until", "7")
    assert verdicts(cluster.document(state))["7"] == "pass", again.text
    assert until(lambda: "tmp-curl" not in cluster.pods(), 35, 1)
