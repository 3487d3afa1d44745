"""Step 8: does the data outlive its pod? Count, delete the pod, wait for the new one, count again.

The deletes are the only commands of the guide that can lose data, so each stands behind an interlock: what is counted before
must have been read, the data must lie on a Bound PVC, something must be there to create the pod again, and the operator must
have allowed it. A restart that was begun is never begun again: its count from before is taken up.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import UnreadableText
from ..expected import DATA_DIRECTORY
from ..failures import Trouble, failure
from ..model import Ended, Finding, Refusal, Remedy, Run, Verdict
from ..tables import count, lines, psql_count, table
from ..text import Message, msg, verbatim
from .base import Execution, Runs, Step
from .findings import advise, do, finding, refused_because, unseen

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

LISTED = 10
"""How many names the guide's lists of files hold: they end in `head -10`."""

RECOVER = "python -m playbook all"
_LOSS = (
    advise(msg("suspect a PVC that is not mounted, or an emptyDir: check the volumes of the pod")),
    do("kubectl describe pod <pod> -n observer-prod"),
)


# carrying it out


def perform(step: Step, execution: Execution) -> None:
    """Both restarts, in the guide's order; no second one when the first lost data."""
    _carry_out(OBSERVER, execution)
    begun = begun_restart(OBSERVER, execution.unfinished(*_commands(OBSERVER), STARTED))
    lost = _judge(OBSERVER, begun)[2].verdict is Verdict.FAIL
    _carry_out(POSTGRES, execution, Refusal.DATA_LOST if lost else None)


def _carry_out(restart: Restart, execution: Execution, barred: Refusal | None = None) -> None:
    earlier = begun_restart(restart, execution.unfinished(*_commands(restart), STARTED))
    if earlier and _was_counted(restart, earlier):
        if _judge(restart, earlier)[2].verdict is not Verdict.FAIL:
            execution.adopt(*earlier)
            return
    elif earlier and not _untouched(restart, earlier, execution):
        execution.adopt(*earlier)
        _let_go(restart, execution)
        _wait(restart, execution)
        _count(restart, execution, restart.after, restart.listing[1] if restart.listing else None)
        return
    before = _count(restart, execution, restart.before, restart.listing[0] if restart.listing else None)
    why = barred or (None if execution.replaying else _interlock(restart, before, execution))
    if why:
        execution.refuse(restart.delete, why)
        execution.adopt(*earlier)  # a loss is still one when the next restart is refused
        return
    deleted = execution.run(restart.delete)
    if not was_deleted(deleted) and deleted.ended is not Ended.TIMEOUT:
        return
    if deleted.ended is not Ended.EXITED:
        _let_go(restart, execution)
    _wait(restart, execution)
    _count(restart, execution, restart.after, restart.listing[1] if restart.listing else None)


def _commands(restart: Restart) -> tuple[str, ...]:
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


def _was_counted(restart: Restart, runs: Runs) -> bool:
    return any(run.command == restart.after and _number(restart, run) is not None for run in runs)


def _untouched(restart: Restart, begun: Runs, execution: Execution) -> bool:
    """Whether every pod from before the delete still runs as it did: the program died before kubectl had asked for anything."""
    if was_deleted(begun.last(restart.delete)):
        return False
    now, listed = execution.side_by_side((STARTED, PODS))
    before, after = _started(restart, _until_delete(restart, begun).last(STARTED)), _started(restart, now)
    return bool(before) and before <= after and {name for name, _ in before} <= set(_names(listed, restart))


def _until_delete(restart: Restart, runs: Runs) -> Runs:
    return Runs(runs[: max((place for place, run in enumerate(runs) if run.command == restart.delete), default=0)])


def _started(restart: Restart, run: Run) -> set[tuple[str, str]]:
    """Name and STARTED of the pods that this restart is about; empty when they cannot be read."""
    if failure(run):
        return set()
    try:
        rows = table(run.out, ("NAME", "STARTED"))
    except UnreadableText:
        return set()
    return {(row["NAME"], row["STARTED"]) for row in rows if restart.pods.fullmatch(row["NAME"])}


def _replaced(restart: Restart, runs: Runs) -> bool:
    """Whether looks before and after the delete show that no pod from before is there any more, and new ones are."""
    earlier = _until_delete(restart, runs)
    before = _started(restart, earlier.last(STARTED))
    after = _started(restart, Runs(runs[len(earlier) :]).last(STARTED))
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


def _interlock(restart: Restart, before: Run, execution: Execution) -> Refusal | None:
    """Why the delete may not be run, or None. Reads the cluster with commands of the guide only."""
    number = _number(restart, before)
    if number is None:
        return Refusal.COUNT_UNREAD
    if number == 0:
        return Refusal.COUNT_ZERO
    pods, claims, mounts, _ = execution.side_by_side((PODS, PVCS, MOUNTS, STARTED))
    if not _bound(claims, restart.claim):
        return Refusal.PVC_NOT_BOUND
    names = _names(pods, restart)
    if not names:
        return Refusal.OWNER_ABSENT
    if restart is OBSERVER and not re.search(rf"\s{re.escape(DATA_DIRECTORY)}\s*$", mounts.out, re.M):
        return Refusal.DATA_NOT_MOUNTED
    for name in names:
        description = execution.run(DESCRIBE, name).out
        if not re.search(r"^Controlled By:\s+(?:ReplicaSet|StatefulSet)/\S", description, re.M):
            return Refusal.OWNER_ABSENT
        if not mounted_from(description, restart.directory, restart.claim):
            return Refusal.DATA_NOT_MOUNTED
    return None if execution.confirm_restart() else Refusal.NOT_CONFIRMED


def _bound(run: Run, claim: str) -> bool:
    try:
        return any(row["NAME"] == claim and row["STATUS"] == "Bound" for row in table(run.out, ("NAME", "STATUS")))
    except UnreadableText:
        return False


def _names(run: Run, restart: Restart, *, leaving: bool = False) -> tuple[str, ...]:
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


def _let_go(restart: Restart, execution: Execution) -> None:
    """After a delete that was cut short: until none of its pods is Terminating, at most 90 s.

    It has not waited for them to be gone, and `kubectl wait` would wait for those, too, until its 300 s are over.
    """
    for _ in range(0 if execution.replaying else 45):
        _, listed = execution.side_by_side((STARTED, PODS))
        if not _names(listed, restart, leaving=True):
            return
        execution.pause(2)


def _wait(restart: Restart, execution: Execution) -> None:
    """Wait for the new pod. Right after a delete there may be none yet to wait for: then the same command is tried again."""
    run = execution.run(restart.wait)
    for _ in range(15):
        if "no matching resources found" not in run.err and not _absent(run):
            return
        if execution.replaying and not execution.recorded(restart.wait):
            return
        execution.pause(2)
        run = execution.run(restart.wait)


def _absent(run: Run) -> bool:
    why = failure(run)
    return why is not None and why.trouble is Trouble.NOT_FOUND


def _count(restart: Restart, execution: Execution, command: str, listing: str | None) -> Run:
    """Count, and list first where the guide does. A server that was Ready a moment ago may still refuse: tried again, bounded."""
    if listing:
        execution.side_by_side((listing,))
    run = execution.run(command)
    for _ in range(10):
        why = failure(run)
        passing = why is not None and (why.trouble is Trouble.NO_CONTAINER or _not_up_yet(run))
        if _number(restart, run) is not None or not passing:
            break
        if execution.replaying and not execution.recorded(command):
            break
        execution.pause(3)
        run = execution.run(command)
    return run


def _not_up_yet(run: Run) -> bool:
    return bool(re.search(r"Connection refused|the database system is (?:starting up|shutting down)", run.err))


# judging it


def _number(restart: Restart, run: Run) -> int | None:
    """What was counted; None unless the command ended well and printed exactly one number."""
    if run.exit_code != 0 or failure(run):
        return None
    try:
        return restart.read(run.out)[1]
    except UnreadableText:
        return None


def judge(runs: Runs) -> tuple[Finding, ...]:
    """Counts before and after, for the files and for the tables."""
    return tuple(found for restart in RESTARTS for found in _judge(restart, runs))


def _judge(restart: Restart, runs: Runs) -> tuple[Finding, ...]:
    runs = _tried(restart, runs)
    before = _judge_before(restart, runs)
    restarted = _judge_restart(restart, runs)
    return before, restarted, _judge_after(restart, runs, restarted)


def _tried(restart: Restart, runs: Runs) -> Runs:
    """`runs` up to the count after the restart, when another restart was refused after it."""
    counts = [place for place, run in enumerate(runs) if run.command == restart.after]
    refused = runs.last(restart.delete).ended is Ended.REFUSED
    return Runs(runs[: counts[-1] + 1]) if refused and counts else runs


def _what(restart: Restart, number: int) -> Message:
    return msg("{n} JSONL files", n=number) if restart is OBSERVER else msg("{n} tables", n=number)


_BEFORE = msg("the count before the restart, read")
_RESTARTED = msg("every pod replaced by a new one, Ready")
_KEPT = msg("the same count and list as before the restart")


def _judge_before(restart: Restart, runs: Runs) -> Finding:
    run, code, step = runs.last(restart.before), restart.codes[0], restart.steps[0]
    number = _number(restart, run)
    if number is None:
        return unseen(code, step, run, _BEFORE, _why_unread(restart, run))
    line = restart.read(run.out)[0]
    if number == 0:
        return finding(code, step, Verdict.INCONCLUSIVE, msg("nothing to lose, so nothing can be shown to be kept"),
                       _BEFORE, _what(restart, 0), run, line,
                       (do(RECOVER, msg("once the service has written its first data")),))  # fmt: skip
    return finding(code, step, Verdict.PASS, msg("counted before the restart"), _BEFORE, _what(restart, number), run, line)


def _why_unread(restart: Restart, run: Run) -> UnreadableText | None:
    if failure(run) or run.exit_code != 0:
        return None
    try:
        restart.read(run.out)
    except UnreadableText as error:
        return error
    return None


def _judge_restart(restart: Restart, runs: Runs) -> Finding:
    code, step = restart.codes[1], restart.steps[1]
    delete, wait = runs.last(restart.delete), runs.last(restart.wait)
    again = (do(RECOVER, msg("waits and counts again by the count from before; nothing is deleted a second time")),)
    if delete.ended is Ended.REFUSED:
        verdict = Verdict.SKIPPED
        return finding(code, step, verdict, refused_because(delete), _RESTARTED, msg("not restarted"), None, None,
                       _permission(delete))  # fmt: skip
    if delete.ended is Ended.EXITED and not was_deleted(delete):
        said = msg("nothing was deleted") if delete.exit_code == 0 and not failure(delete) else None
        return unseen(code, step, delete, _RESTARTED, said)
    if not delete.happened:
        return unseen(code, step, delete, _RESTARTED)
    old, new = deleted_pods(delete), ready_pods(wait)
    if wait.exit_code != 0 or not new:
        return unseen(code, step, wait, _RESTARTED, remedy=again)
    there = set(old) | set(_names(_until_delete(restart, runs).last(PODS), restart))
    same = sorted(there & set(new)) if restart is OBSERVER else []
    if same or (len(old) < len(new) and not _replaced(restart, runs)):
        return unseen(code, step, wait, _RESTARTED,
                      msg("it could not be seen that every pod is a new one: {pods}", pods=", ".join(same or new)),
                      (do("python -m playbook all --from 8", msg("begins Step 8 anew, with new counts")),))  # fmt: skip
    return finding(code, step, Verdict.PASS, msg("{name} was restarted", name=restart.name), _RESTARTED,
                   verbatim(f"{', '.join(old) or '?'} → {', '.join(new)}"), wait, 1)  # fmt: skip


def _permission(delete: Run) -> tuple[Remedy, ...]:
    if delete.note == Refusal.NOT_CONFIRMED.value:
        return (do("python -m playbook all --allow-restart", msg("in a moment when the service may restart")),)
    if delete.note in (Refusal.DATA_NOT_MOUNTED.value, Refusal.PVC_NOT_BOUND.value):
        return _LOSS
    return (do(RECOVER, msg("once what is missing can be read")),)


def _judge_after(restart: Restart, runs: Runs, restarted: Finding) -> Finding:
    code, step = restart.codes[2], restart.steps[2]
    run = runs.last(restart.after)
    before, after = _number(restart, runs.last(restart.before)), _number(restart, run)
    if restarted.verdict is Verdict.SKIPPED:
        return finding(code, step, Verdict.SKIPPED, msg("not compared: there was no restart"), _KEPT, msg("not counted again"),
                       remedy=restarted.remedy)  # fmt: skip
    again = (do(RECOVER, msg("counts again by the count from before; nothing is deleted a second time")),)
    if before is None or after is None:
        why = None if before is not None else msg("the count before the restart is not known")
        return unseen(code, step, run, _KEPT, why or _why_unread(restart, run), again if run.happened else ())
    line = restart.read(run.out)[0]
    lists = _lists(restart, runs, before, after)
    lost = _lost(*lists) if lists else ()
    if after < before or lost:
        names = msg("{before} before, {after} after; missing: {names}", before=before, after=after,
                    names=", ".join(lost) or "?")  # fmt: skip
        return finding(code, step, Verdict.FAIL, msg("data was lost over the restart"), _KEPT, names, run, line, _LOSS)
    if restarted.verdict is not Verdict.PASS:
        return unseen(code, step, run, _KEPT, msg("the count is the same, but a restart was not seen"), restarted.remedy)
    if lists is None:
        return unseen(code, step, run, _KEPT, msg("the count is kept, but a list of files does not hold what was counted"), again)
    text = msg("kept over the restart") if after == before else msg("kept over the restart; more was written meanwhile")
    return finding(code, step, Verdict.PASS, text, _KEPT,
                   msg("{before} before, {after} after", before=before, after=after), run, line)  # fmt: skip


def _lists(restart: Restart, runs: Runs, before: int, after: int) -> tuple[set[str], set[str]] | None:
    """The files listed before and after, as far as the guide's lists go; None when one of them cannot be what was counted."""
    if not restart.listing:
        return set(), set()
    found = []
    for command, number in zip(restart.listing, (before, after), strict=True):
        try:
            names = {line for _, line in lines(runs.last(command).out)}
        except UnreadableText:
            return None
        if len(names) < min(number, LISTED):
            return None
        found.append(names)
    return found[0], found[1]


def _lost(before: set[str], after: set[str]) -> tuple[str, ...]:
    """Files listed before and not after. With as many as the list can hold only the count decides."""
    return () if len(before) >= LISTED or len(after) >= LISTED else tuple(sorted(before - after))


STEP = Step(
    "8",
    msg("Data persistence"),
    tuple(command for restart in RESTARTS for command in _commands(restart)),
    judge,
    perform,
)
