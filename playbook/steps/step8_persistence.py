"""Step 8: does the data outlive its pod? Count, delete the pod, wait for the new one, count again.

The deletes are the only commands of the guide that can lose data, so each stands behind an interlock: what is counted before
must have been read, the data must lie on a Bound PVC, something must be there to create the pod again, and the operator must
have allowed it. A restart that was begun is never begun again: its count from before is taken up.
"""

from __future__ import annotations

import re

from ..errors import UnreadableText
from ..kubectl.failures import FailureKind, failure
from ..kubectl.tables import lines
from ..model import Ended, Finding, Refusal, Remedy, Run, Runs, Verdict
from ..text import Message, msg, verbatim
from .base import Execution, Step
from .findings import advise, do, finding, refused_because, unseen
from .restart import (
    OBSERVER,
    PODS,
    POSTGRES,
    RESTARTS,
    STARTED,
    Restart,
    begun_restart,
    commands_of,
    counted,
    deleted_pods,
    pods_listed,
    ready_pods,
    replaced,
    started,
    until_delete,
    was_counted,
    was_deleted,
)

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
    begun = begun_restart(OBSERVER, execution.unfinished(*commands_of(OBSERVER), STARTED))
    lost = _judge(OBSERVER, begun)[2].verdict is Verdict.FAIL
    _carry_out(POSTGRES, execution, Refusal.DATA_LOST if lost else None)


def _carry_out(restart: Restart, execution: Execution, barred: Refusal | None = None) -> None:
    earlier = begun_restart(restart, execution.unfinished(*commands_of(restart), STARTED))
    if earlier and was_counted(restart, earlier):
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
    why = barred or execution.refusal(restart, before)
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


def _untouched(restart: Restart, begun: Runs, execution: Execution) -> bool:
    """Whether every pod from before the delete still runs as it did: the program died before kubectl had asked for anything."""
    if was_deleted(begun.last(restart.delete)):
        return False
    now, listed = execution.side_by_side((STARTED, PODS))
    before, after = started(restart, until_delete(restart, begun).last(STARTED)), started(restart, now)
    return bool(before) and before <= after and {name for name, _ in before} <= set(pods_listed(listed, restart))


def _let_go(restart: Restart, execution: Execution) -> None:
    """After a delete that was cut short: until none of its pods is Terminating, at most 90 s.

    It has not waited for them to be gone, and `kubectl wait` would wait for those, too, until its 300 s are over.
    """
    execution.watch((STARTED, PODS), lambda seen: not pods_listed(seen[1], restart, leaving=True), times=45, every_s=2)


def _wait(restart: Restart, execution: Execution) -> None:
    """Wait for the new pod. Right after a delete there may be none yet to wait for: then the same command is tried again."""
    execution.retry(restart.wait, _nothing_to_wait_for, times=15, every_s=2)


def _nothing_to_wait_for(run: Run) -> bool:
    why = failure(run)
    return "no matching resources found" in run.err or (why is not None and why.kind is FailureKind.NOT_FOUND)


def _count(restart: Restart, execution: Execution, command: str, listing: str | None) -> Run:
    """Count, and list first where the guide does. A server that was Ready a moment ago may still refuse: tried again, bounded."""
    if listing:
        execution.side_by_side((listing,))

    def may_pass(run: Run) -> bool:
        why = failure(run)
        passing = why is not None and (why.kind is FailureKind.NO_CONTAINER or _not_up_yet(run))
        return counted(restart, run) is None and passing

    return execution.retry(command, may_pass, times=10, every_s=3)


def _not_up_yet(run: Run) -> bool:
    return bool(re.search(r"Connection refused|the database system is (?:starting up|shutting down)", run.err))


# judging it


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
    number = counted(restart, run)
    if number is None:
        return unseen(code, step, run, _BEFORE, _why_unread(restart, run))
    line = restart.read(run.out)[0]
    if number == 0:
        return finding(
            code,
            step,
            Verdict.INCONCLUSIVE,
            msg("nothing to lose, so nothing can be shown to be kept"),
            _BEFORE,
            _what(restart, 0),
            run,
            line,
            (do(RECOVER, msg("once the service has written its first data")),),
        )
    return finding(
        code, step, Verdict.PASS, msg("counted before the restart"), _BEFORE, _what(restart, number), run, line
    )


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
        return finding(
            code,
            step,
            verdict,
            refused_because(delete),
            _RESTARTED,
            msg("not restarted"),
            None,
            None,
            _permission(delete),
        )
    if delete.ended is Ended.EXITED and not was_deleted(delete):
        said = msg("nothing was deleted") if delete.exit_code == 0 and not failure(delete) else None
        return unseen(code, step, delete, _RESTARTED, said)
    if not delete.happened:
        return unseen(code, step, delete, _RESTARTED)
    old, new = deleted_pods(delete), ready_pods(wait)
    if wait.exit_code != 0 or not new:
        return unseen(code, step, wait, _RESTARTED, remedy=again)
    there = set(old) | set(pods_listed(until_delete(restart, runs).last(PODS), restart))
    same = sorted(there & set(new)) if restart is OBSERVER else []
    if same or (len(old) < len(new) and not replaced(restart, runs)):
        return unseen(
            code,
            step,
            wait,
            _RESTARTED,
            msg("it could not be seen that every pod is a new one: {pods}", pods=", ".join(same or new)),
            (do("python -m playbook all --from 8", msg("begins Step 8 anew, with new counts")),),
        )
    return finding(
        code,
        step,
        Verdict.PASS,
        msg("{name} was restarted", name=restart.name),
        _RESTARTED,
        verbatim(f"{', '.join(old) or '?'} → {', '.join(new)}"),
        wait,
        1,
    )


def _permission(delete: Run) -> tuple[Remedy, ...]:
    if delete.note == Refusal.NOT_CONFIRMED.value:
        return (do("python -m playbook all --allow-restart", msg("in a moment when the service may restart")),)
    if delete.note in (Refusal.DATA_NOT_MOUNTED.value, Refusal.PVC_NOT_BOUND.value):
        return _LOSS
    return (do(RECOVER, msg("once what is missing can be read")),)


def _judge_after(restart: Restart, runs: Runs, restarted: Finding) -> Finding:
    code, step = restart.codes[2], restart.steps[2]
    run = runs.last(restart.after)
    before, after = counted(restart, runs.last(restart.before)), counted(restart, run)
    if restarted.verdict is Verdict.SKIPPED:
        return finding(
            code,
            step,
            Verdict.SKIPPED,
            msg("not compared: there was no restart"),
            _KEPT,
            msg("not counted again"),
            remedy=restarted.remedy,
        )
    again = (do(RECOVER, msg("counts again by the count from before; nothing is deleted a second time")),)
    if before is None or after is None:
        why = None if before is not None else msg("the count before the restart is not known")
        return unseen(code, step, run, _KEPT, why or _why_unread(restart, run), again if run.happened else ())
    line = restart.read(run.out)[0]
    lists = _lists(restart, runs, before, after)
    lost = _lost(*lists) if lists else ()
    if after < before or lost:
        names = msg(
            "{before} before, {after} after; missing: {names}", before=before, after=after, names=", ".join(lost) or "?"
        )
        return finding(code, step, Verdict.FAIL, msg("data was lost over the restart"), _KEPT, names, run, line, _LOSS)
    if restarted.verdict is not Verdict.PASS:
        return unseen(
            code, step, run, _KEPT, msg("the count is the same, but a restart was not seen"), restarted.remedy
        )
    if lists is None:
        return unseen(
            code, step, run, _KEPT, msg("the count is kept, but a list of files does not hold what was counted"), again
        )
    text = msg("kept over the restart") if after == before else msg("kept over the restart; more was written meanwhile")
    return finding(
        code,
        step,
        Verdict.PASS,
        text,
        _KEPT,
        msg("{before} before, {after} after", before=before, after=after),
        run,
        line,
    )


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
    tuple(command for restart in RESTARTS for command in commands_of(restart)),
    judge,
    perform,
)
