"""The wait for the new pods of Step 8, ended early when it is clear that they cannot come up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..errors import UnreadableText
from ..guide import ids
from ..kubectl.pods import pods
from ..kubectl.startup import not_created, stuck
from ..model import Ended
from ..steps.restart import Restart, nothing_to_wait_for, pods_listed

if TYPE_CHECKING:
    from .execution import LiveExecution

STUCK_AFTER_S = 20.0
"""So long a new pod may be without a node, its image or its volumes, or not be there at all."""

LOOK_EVERY = 5
"""Every so many times that it is asked, about once a second, a wait has a look at the pods."""

TRIES, EVERY_S = 15, 2.0
"""Right after a delete there may be no pod yet to wait for: then the same command is tried again."""


def wait_for_new_pods(restart: Restart, execution: LiveExecution) -> bool:
    """Carry out the guide's wait; returns False when it is clear that the new pods do not come up."""
    watch = _Watch(restart, execution)
    run = execution.run(restart.wait, until=watch.is_over)
    for _ in range(TRIES):
        if watch.hopeless or not nothing_to_wait_for(run):
            break
        execution.pause(EVERY_S)
        run = execution.run(restart.wait, until=watch.is_over)
    if run.exit_code != 0 and run.ended is not Ended.INTERRUPTED and not watch.hopeless:
        watch.look()
    return not watch.hopeless


class _Watch:
    """Looks at the pods that are waited for, with the guide's list and description of them."""

    def __init__(self, restart: Restart, execution: LiveExecution) -> None:
        self._restart = restart
        self._execution = execution
        self._began = time.monotonic()
        self._asked = 0
        self.hopeless = False

    def is_over(self) -> bool:
        """Asked about once a second while the guide's command waits."""
        self._asked += 1
        if time.monotonic() - self._began >= STUCK_AFTER_S and self._asked % LOOK_EVERY == 0:
            self.look()
        return self.hopeless

    def look(self) -> None:
        """Whether a pod is kept from starting by what does not pass by itself, or none is made."""
        listed = self._execution.run(ids.PODS)
        names = pods_listed(listed, self._restart)
        if not names and listed.exit_code == 0:
            run = self._execution.run(ids.NOT_CREATED)
            self.hopeless = not_created(run, self._restart.owner) is not None
            return
        try:
            waiting = [pod.name for pod in pods(listed.out) if pod.name in names and not pod.is_up]
        except UnreadableText:
            return
        self.hopeless = any(stuck(self._execution.run(ids.DESCRIBE_POD, name)) for name in waiting)
