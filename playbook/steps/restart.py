"""The two restarts of Step 8 as data, and what their commands' runs say: what was counted, deleted, and is new."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import UnreadableText
from ..guide.expected import DATA_DIRECTORY
from ..kubectl.failures import failure
from ..kubectl.tables import count, psql_count, table
from ..model import Ended, Run, Runs

PODS, PVCS, MOUNTS, DESCRIBE = "step6-1-pods", "step2-pvc", "step6-5-mounts", "describe-pod"
STARTED = "step9-1-pod-restarts"
"""Shows when each pod was started: by it a pod that was replaced is known, also when its name stays."""


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
    read: Callable[[str], tuple[int, int]]  # the count's line and number, out of its text
    pods: re.Pattern[str]
    directory: str  # where the data is mounted in the pod
    claim: str
    codes: tuple[str, str, str]


OBSERVER = Restart(
    "Observer",
    ("8-1", "8-2", "8-3"),
    ("step8-1-list-files", "step8-3-list-files"),
    "step8-1-count-files",
    "step8-2-delete-observer",
    "step8-2-wait-observer",
    "step8-3-count-files",
    count,
    re.compile(r"observer-.+"),
    DATA_DIRECTORY,
    "observer-data-pvc",
    ("FILES-BEFORE", "RESTART-OBSERVER", "FILES-KEPT"),
)
POSTGRES = Restart(
    "PostgreSQL",
    ("8-4", "8-4", "8-4"),
    None,
    "step8-4-count-tables-before",
    "step8-4-delete-postgres",
    "step8-4-wait-postgres",
    "step8-4-count-tables-after",
    psql_count,
    re.compile(r"postgres-0"),
    "/var/lib/postgresql/data",
    "observer-db-pvc",
    ("TABLES-BEFORE", "RESTART-POSTGRES", "TABLES-KEPT"),
)
RESTARTS = (OBSERVER, POSTGRES)


def commands_of(restart: Restart) -> tuple[str, ...]:
    lists = restart.listing or ()
    return (*lists[:1], restart.before, restart.delete, restart.wait, *lists[1:], restart.after)


def begun_restart(restart: Restart, runs: Runs) -> Runs:
    """The runs of the last restart that was begun, from its first count on; empty when there is none.

    What counts is that the delete was started, not that it is known to have ended: a program that died in between cannot know.
    """
    begun = [place for place, run in enumerate(runs) if run.command == restart.delete and run.happened]
    if not begun or not may_have_deleted(runs[begun[-1]]):
        return Runs()  # never begun, or it said that it deleted nothing
    first = restart.listing[0] if restart.listing else restart.before
    start = max((place for place, run in enumerate(runs[: begun[-1]]) if run.command == first), default=0)
    return Runs(runs[start:])


def was_counted(restart: Restart, runs: Runs) -> bool:
    return any(run.command == restart.after and counted(restart, run) is not None for run in runs)


def until_delete(restart: Restart, runs: Runs) -> Runs:
    return Runs(runs[: max((place for place, run in enumerate(runs) if run.command == restart.delete), default=0)])


def started(restart: Restart, run: Run) -> set[tuple[str, str]]:
    """Name and STARTED of the pods that this restart is about; empty when they cannot be read."""
    if failure(run):
        return set()
    try:
        rows = table(run.out, ("NAME", "STARTED"))
    except UnreadableText:
        return set()
    return {(row["NAME"], row["STARTED"]) for row in rows if restart.pods.fullmatch(row["NAME"])}


def replaced(restart: Restart, runs: Runs) -> bool:
    """Whether looks before and after the delete show that no pod from before is there any more, and new ones are."""
    earlier = until_delete(restart, runs)
    before = started(restart, earlier.last(STARTED))
    after = started(restart, Runs(runs[len(earlier) :]).last(STARTED))
    return bool(before and after) and not before & after


def was_deleted(run: Run) -> bool:
    """Whether the delete says that it deleted a pod."""
    return bool(deleted_pods(run))


def may_have_deleted(run: Run) -> bool:
    """Whether a delete did its work, or cannot be known not to have: it was started, and did not say that it deleted nothing."""
    return run.happened and (run.ended is not Ended.EXITED or was_deleted(run))


def deleted_pods(run: Run) -> tuple[str, ...]:
    """The names in `pod "NAME" deleted`, with or without the namespace that newer clients add."""
    return tuple(re.findall(r'^pod "([^"]+)" (?:force )?deleted\b', run.out, re.M))


def ready_pods(run: Run) -> tuple[str, ...]:
    """The names in `pod/NAME condition met`."""
    return tuple(re.findall(r"^pod/(\S+) condition met", run.out, re.M))


def is_bound(run: Run, claim: str) -> bool:
    try:
        return any(row["NAME"] == claim and row["STATUS"] == "Bound" for row in table(run.out, ("NAME", "STATUS")))
    except UnreadableText:
        return False


def pods_listed(run: Run, restart: Restart, *, leaving: bool = False) -> tuple[str, ...]:
    """The pods of this restart in 6-1's list: those that stay, or those that are Terminating."""
    try:
        rows = table(run.out, ("NAME", "STATUS"))
    except UnreadableText:
        return ()
    mine = (row for row in rows if restart.pods.fullmatch(row["NAME"]))
    return tuple(row["NAME"] for row in mine if (row["STATUS"] == "Terminating") is leaving)


def mounted_from(description: str, directory: str, claim: str) -> bool:
    """Whether `kubectl describe pod` shows `directory` mounted from a volume that is the PVC `claim`.

    >>> mounted_from('''    Mounts:
    ...       /data from d (rw)
    ... Volumes:
    ...   d:
    ...     Type:       PersistentVolumeClaim (a reference to ...)
    ...     ClaimName:  my-pvc
    ... ''', "/data", "my-pvc")
    True
    """
    mount = re.search(rf"^[ \t]+{re.escape(directory)} from (\S+) \(", description, re.M)
    if not mount:
        return False
    volumes = description.partition("\nVolumes:")[2]
    volume = re.search(rf"^  {re.escape(mount[1])}:\n((?:    .*\n?)+)", volumes, re.M)
    return bool(volume and re.search(rf"^[ \t]+ClaimName:[ \t]+{re.escape(claim)}[ \t\r]*$", volume[1], re.M))


def counted(restart: Restart, run: Run) -> int | None:
    """What was counted; None unless the command ended well and printed exactly one number."""
    if run.exit_code != 0 or failure(run):
        return None
    try:
        return restart.read(run.out)[1]
    except UnreadableText:
        return None
