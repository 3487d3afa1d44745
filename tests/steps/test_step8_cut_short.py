"""A delete that was cut short: its pods are still there, and must be gone before the new ones are waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from support import made

from playbook.guide import ids
from playbook.model import Run
from playbook.steps.base import Execution
from playbook.steps.restart import OBSERVER, POSTGRES, Restart
from playbook.steps.step8_persistence import wait_until_gone

HEADER = "NAME                       READY   STATUS        RESTARTS   AGE\n"
NEW = "observer-7cd9cf784-nxw22   1/1     Running       0          9s\n"
LEAVING = "observer-7cd9cf784-xld22   0/1     Terminating   0          9m\n"


class Leaving:
    """An execution on a cluster whose old observer pod is Terminating for so many looks."""

    def __init__(self, looks: int) -> None:
        self.looks, self.asked, self.paused = looks, 0, 0

    def watch(self, commands: Any, done: Callable[[tuple[Run, ...]], bool], *, times: int, every_s: float) -> None:
        assert tuple(commands) == (ids.POD_SAMPLE, ids.PODS)
        for _ in range(times):
            self.asked += 1
            text = HEADER + NEW + (LEAVING if self.asked <= self.looks else "")
            if done((made(ids.POD_SAMPLE), made(ids.PODS, text))):
                return
            self.paused += 1


def looks(restart: Restart, terminating: int) -> Leaving:
    execution = Leaving(terminating)
    wait_until_gone(restart, cast(Execution, execution))
    return execution


def test_looks_until_no_old_pod_is_terminating() -> None:
    assert looks(OBSERVER, 3).asked == 4


def test_does_not_look_for_ever() -> None:
    assert looks(OBSERVER, 10_000).asked == 45


def test_the_pods_of_the_other_restart_do_not_count() -> None:
    execution = looks(POSTGRES, 3)
    assert (execution.asked, execution.paused) == (1, 0)
