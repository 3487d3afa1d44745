"""The pod tmp-curl of Step 7-2, from its creation to its removal, at the latest at the next start of the program."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..guide import ids
from ..guide.expected import TMP_CURL
from ..guide.own_commands import REMOVE_TMP_CURL
from ..kubectl.failures import FailureKind, failure
from ..kubectl.health import answers
from ..kubectl.pods import deletion_cancelled, stays
from ..kubectl.startup import not_admitted, startup_problem
from ..model import Ended, Run
from ..refusals import Refusal, Refused
from ..session.session import OpenSession
from ..steps.step7_health import is_in_the_way
from .live import LiveRunner

if TYPE_CHECKING:
    from .execution import LiveExecution

FRESH_S = 60.0
"""A list of pods no older than this still tells whether somebody's tmp-curl is there."""

RETRY_EVERY_S, RETRY_FOR_S = 3.0, 45.0
"""While an earlier tmp-curl is being deleted (30 s of grace at most), 7-2 is tried again."""

STUCK_AFTER_S = 20.0
"""So long may the pod wait for a node or for its image; then that is a finding."""


def ask(execution: LiveExecution) -> None:
    """Step 7-2: refused when somebody's tmp-curl is there, ended early once the pod's log has shown the answer.

    kubectl often waits out its 60 s although curl was done in milliseconds; the pod's own log then has the answer. It is
    ended early, too, when the pod cannot come up: the guide's description of the pod says why. Its pod is removed.
    """
    if _somebodys_pod(execution):
        execution.refuse(ids.HEALTH_VIA_SERVICE, Refused(Refusal.LEFTOVER_POD))
        return
    give_up = time.monotonic() + RETRY_FOR_S
    watch = _Watch(execution)
    run = execution.run(ids.HEALTH_VIA_SERVICE, until=watch.is_over)
    while _is_being_deleted(run) and time.monotonic() < give_up:
        execution.pause(RETRY_EVERY_S)
        watch = _Watch(execution)
        run = execution.run(ids.HEALTH_VIA_SERVICE, until=watch.is_over)
    if not run.happened or is_in_the_way(run) or not_admitted(run):
        return
    if not (watch.answered or watch.stuck or answers(run.out)) and run.ended is not Ended.INTERRUPTED:
        execution.run(ids.LOGS, TMP_CURL)
        execution.run(ids.DESCRIBE_POD, TMP_CURL)
    if may_be_left(run):
        execution.clean_up(REMOVE_TMP_CURL)


class _Watch:
    """Looks at the pod while kubectl waits for it: until its log has the answer, or it is clear that it cannot come up."""

    def __init__(self, execution: LiveExecution) -> None:
        self._execution = execution
        self._began = time.monotonic()
        self._looks = 0
        self.answered = False
        self.stuck = False

    def is_over(self) -> bool:
        """Asked about once a second while the command runs."""
        self._looks += 1
        if self._looks > 10 and self._looks % 5:  # an answer comes within seconds; after that, seldom
            return False
        self.answered = bool(answers(self._execution.run(ids.LOGS, TMP_CURL).out))
        if not self.answered and time.monotonic() - self._began >= STUCK_AFTER_S:
            self.stuck = startup_problem(self._execution.run(ids.DESCRIBE_POD, TMP_CURL)) is not None
        return self.answered or self.stuck


def _somebodys_pod(execution: LiveExecution) -> bool:
    """Whether a pod tmp-curl is there before 7-2 makes one. One that is Terminating goes away while 7-2 is tried again."""
    pods = execution.latest(ids.PODS)
    age_s = (execution.workplace.session.now() - pods.started_at).total_seconds() if pods else -1.0
    if pods is None or not 0 <= age_s <= FRESH_S:
        pods = execution.run(ids.PODS)
    return stays(pods.out, TMP_CURL)


def _is_being_deleted(run: Run) -> bool:
    return is_in_the_way(run) and "being deleted" in run.err


def may_be_left(run: Run) -> bool:
    """Whether a run of 7-2 may have left its pod behind: it was started, and says neither "deleted" nor "not mine"."""
    return run.happened and 'pod "tmp-curl" deleted' not in run.out and not is_in_the_way(run)


def remove_left(session: OpenSession, runner: LiveRunner) -> None:
    """Remove the pod that an attempt of this session may have left, unless a removal after it said that it is gone."""
    made, removed = session.latest(ids.HEALTH_VIA_SERVICE), session.latest(REMOVE_TMP_CURL.key)
    if made is None or not may_be_left(made):
        return
    if not (removed and removed.started_at >= made.started_at and _is_gone(removed)):
        session.keep([runner.cleanup(REMOVE_TMP_CURL)])


def _is_gone(removal: Run) -> bool:
    """Whether the removal says that there is no such pod any more."""
    why = failure(removal)
    if why:
        return why.kind is FailureKind.NOT_FOUND
    return removal.exit_code == 0 and not deletion_cancelled(removal)
