"""The two restarts of Step 8 as data, and what their commands' runs say: what was counted, deleted, and is new."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ..errors import UnreadableText
from ..guide import ids
from ..guide.codes import Code
from ..guide.expected import DATA_DIRECTORY, OBSERVER_DEPLOYMENT, POSTGRES_POD
from ..kubectl.counts import Count, count, psql_count
from ..kubectl.failures import FailureKind, failure
from ..kubectl.pods import deleted_pods, deployment_pods, pod_samples, pods
from ..kubectl.startup import Stuck, not_created, stuck
from ..kubectl.storage import claims
from ..model import Ended, Run, Runs


@dataclass(frozen=True, slots=True)
class Restart:
    """One of the step's two restarts: which commands, which pods, and where their data lies."""

    name: str  # what its findings are called
    steps: tuple[str, str, str]  # the guide's numbers of count, restart and count again
    listing: tuple[str, str] | None  # the lists before and after, where the guide has them
    before: str
    delete: str
    wait: str
    after: str
    read: Callable[[str], Count]
    pods: re.Pattern[str]
    directory: str  # where the data is mounted in the pod
    claim: str
    codes: tuple[Code, Code, Code]
    owner: str  # how the events name what makes its pods
    controller: str  # what makes its pods, as kubectl takes it
    admission: str  # the program's own question whether a new pod would be admitted

    @property
    def commands(self) -> tuple[str, ...]:
        """Its commands, in the guide's order."""
        lists = self.listing or ()
        return (*lists[:1], self.before, self.delete, self.wait, *lists[1:], self.after)


OBSERVER = Restart(
    "Observer", ("8-1", "8-2", "8-3"), (ids.LIST_FILES_BEFORE, ids.LIST_FILES_AFTER),
    ids.COUNT_FILES_BEFORE, ids.DELETE_OBSERVER, ids.WAIT_OBSERVER, ids.COUNT_FILES_AFTER, count,
    re.compile(deployment_pods(OBSERVER_DEPLOYMENT)), DATA_DIRECTORY, "observer-data-pvc",
    (Code.FILES_BEFORE, Code.RESTART_OBSERVER, Code.FILES_KEPT), "replicaset/observer-",
    "replicaset -l app=observer", ids.ADMIT_OBSERVER,
)  # fmt: skip
POSTGRES = Restart(
    "PostgreSQL", ("8-4", "8-4", "8-4"), None,
    ids.COUNT_TABLES_BEFORE, ids.DELETE_POSTGRES, ids.WAIT_POSTGRES, ids.COUNT_TABLES_AFTER, psql_count,
    re.compile(re.escape(POSTGRES_POD)), "/var/lib/postgresql/data", "observer-db-pvc",
    (Code.TABLES_BEFORE, Code.RESTART_POSTGRES, Code.TABLES_KEPT), "statefulset/postgres",
    "statefulset postgres", ids.ADMIT_POSTGRES,
)  # fmt: skip
RESTARTS = (OBSERVER, POSTGRES)


def last_restart(restart: Restart, runs: Runs) -> Runs:
    """The runs of the last restart that was started, from its first count on; empty when there is none.

    What counts is that the delete was started, not that it is known to have ended: a program that died in between cannot know.
    """
    deletes = [place for place, run in enumerate(runs) if run.command == restart.delete and run.happened]
    if not deletes or not may_have_deleted(runs[deletes[-1]]):
        return Runs()
    first = restart.commands[0]
    return Runs(runs[max((place for place in range(deletes[-1]) if runs[place].command == first), default=0) :])


def was_counted(restart: Restart, runs: Runs) -> bool:
    """Whether the count after the restart was read."""
    return any(run.command == restart.after and counted(restart, run) is not None for run in runs)


def until_delete(restart: Restart, runs: Runs) -> Runs:
    """The runs before the last delete."""
    return Runs(runs[: max((place for place, run in enumerate(runs) if run.command == restart.delete), default=0)])


def started(restart: Restart, run: Run) -> set[tuple[str, str]]:
    """Name and STARTED of the pods that this restart is about; empty when they cannot be read.

    By these a pod that was replaced is known, also when its name stays. Pods that have ended are none of the service's.
    """
    try:
        samples = () if failure(run) else pod_samples(run.out)
    except UnreadableText:
        return set()
    mine = (pod for pod in samples if restart.pods.fullmatch(pod.name) and not pod.is_over)
    return {(pod.name, pod.started) for pod in mine}


def is_sampled(restart: Restart, runs: Runs) -> bool:
    """Whether the pods were listed with STARTED both before the last delete and after the wait; older recordings did not."""
    waited = max((place for place, run in enumerate(runs) if run.command == restart.wait), default=len(runs))
    parts = (until_delete(restart, runs), Runs(runs[waited:]))
    return all(part.last(ids.POD_SAMPLE).happened for part in parts)


def replaced(restart: Restart, runs: Runs) -> bool:
    """Whether samples before and after the delete show that no pod from before is there any more, and new ones are."""
    earlier = until_delete(restart, runs)
    before = started(restart, earlier.last(ids.POD_SAMPLE))
    after = started(restart, Runs(runs[len(earlier) :]).last(ids.POD_SAMPLE))
    unknown = any(moment == "<none>" for _, moment in (*before, *after))
    return bool(before and after) and not unknown and not before & after


def after_delete(restart: Restart, runs: Runs) -> Runs:
    """The runs after the last delete; empty without one."""
    places = [place for place, run in enumerate(runs) if run.command == restart.delete]
    return Runs(runs[places[-1] + 1 :] if places else ())


def nothing_to_wait_for(run: Run) -> bool:
    """Whether the wait found no pod: right after a delete there may be none yet."""
    why = failure(run)
    return "no matching resources found" in run.err or (why is not None and why.kind is FailureKind.NOT_FOUND)


def kept_from_starting(restart: Restart, runs: Runs) -> tuple[Run, Stuck] | None:
    """What keeps a new pod from starting, and the run that says so, as of the last look after the delete."""
    later = after_delete(restart, runs)
    listed = max((place for place, run in enumerate(later) if run.command == ids.PODS), default=len(later))
    for run in later[listed + 1 :]:
        command, _, pod = run.command.partition(".")
        if command == ids.DESCRIBE_POD and restart.pods.fullmatch(pod) and (found := stuck(run)):
            return run, found
        if command == ids.NOT_CREATED and (found := not_created(run, restart.owner)):
            return run, found
    return None


def down_since(runs: Runs) -> tuple[Restart, datetime] | None:
    """The restart after which no pod of it came up, and when it was begun; None where that was not seen."""
    for restart in RESTARTS:
        delete, later = runs.last(restart.delete), after_delete(restart, runs)
        listed = later.last(ids.PODS)
        if not may_have_deleted(delete) or not later.last(restart.wait).happened or listed.exit_code != 0:
            continue
        try:
            up = any(restart.pods.fullmatch(pod.name) and pod.is_up for pod in pods(listed.out))
        except UnreadableText:
            continue
        if later.last(restart.wait).exit_code != 0 and not up:
            return restart, delete.started_at
    return None


def was_deleted(run: Run) -> bool:
    """Whether the delete says that it deleted a pod."""
    return bool(deleted_pods(run.out))


def may_have_deleted(run: Run) -> bool:
    """Whether a delete did its work, or cannot be known not to have: it was started, and did not say that it deleted nothing."""
    return run.happened and (run.ended is not Ended.EXITED or was_deleted(run))


def is_bound(run: Run, claim: str) -> bool:
    """Whether the list of PVCs shows that `claim` is Bound."""
    try:
        return any(row.name == claim and row.status == "Bound" for row in claims(run.out, required=("NAME", "STATUS")))
    except UnreadableText:
        return False


def pods_listed(run: Run, restart: Restart, *, leaving: bool = False) -> tuple[str, ...]:
    """The pods of this restart in 6-1's list: those that stay, or those that are Terminating."""
    try:
        mine = (pod for pod in pods(run.out, required=("NAME", "STATUS")) if restart.pods.fullmatch(pod.name))
        return tuple(pod.name for pod in mine if (pod.status == "Terminating") is leaving)
    except UnreadableText:
        return ()


def counted(restart: Restart, run: Run) -> int | None:
    """What was counted; None unless the command ended well and printed exactly one number."""
    if run.exit_code != 0 or failure(run):
        return None
    try:
        return restart.read(run.out).number
    except UnreadableText:
        return None
