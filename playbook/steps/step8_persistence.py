"""Step 8: does the data outlive its pod? Count, delete the pod, wait for the new one, count again.

The deletes are the only commands of the guide that can lose data, so each stands behind an interlock: what is counted before
must have been read, the data must lie on a Bound PVC, something must be there to create the pod again, and the operator must
have allowed it. A restart that was started is never started again: its count from before is taken up.
"""

from __future__ import annotations

from ..errors import UnreadableText
from ..guide import ids, remedies
from ..kubectl.counts import files, is_starting, is_unconnected
from ..kubectl.failures import FailureKind, failure
from ..kubectl.pods import deleted_pods, deletion_cancelled, nodes_of, ready_pods
from ..kubectl.startup import Obstacle, Stuck
from ..model import Ended, Finding, Remedy, Run, Runs, Verdict
from ..refusals import Refusal, Refused, refused
from ..text import Message, msg
from .admission import Admission, admission
from .base import Execution, Step
from .question import Question, refused_because
from .restart import (
    OBSERVER,
    POSTGRES,
    RESTARTS,
    Restart,
    counted,
    is_sampled,
    kept_from_starting,
    last_restart,
    pods_listed,
    replaced,
    started,
    until_delete,
    was_counted,
    was_deleted,
)

LISTED = 10
"""How many names the guide's lists of files hold: they end in `head -10`."""

COUNT_WITHIN_S = 60.0
"""So long a count that could not be read is tried again, where that may pass."""


# carrying it out


def perform(step: Step, execution: Execution) -> None:
    """Both restarts, in the guide's order; the second one only when the first was seen to end well."""
    _carry_out(OBSERVER, execution)
    _carry_out(POSTGRES, execution, _barrier(execution))


def _barrier(execution: Execution) -> Refused | None:
    """Why PostgreSQL may not be restarted after what came of Observer's restart.

    New pods, Ready, and the data still there must have been seen: it is not enough that no loss was.
    """
    last = execution.runs.last(OBSERVER.delete)
    if (why := refused(last)) and why.why is Refusal.NOT_CONFIRMED:
        return why
    if _lost_data(OBSERVER, _unfinished(OBSERVER, execution)):
        return Refused(Refusal.DATA_LOST)
    _, restarted, kept = _judge(OBSERVER, execution.runs)
    both = {restarted.verdict, kept.verdict}
    return None if both == {Verdict.PASS} or execution.is_recorded else Refused(Refusal.RESTART_UNSEEN)


def _unfinished(restart: Restart, execution: Execution) -> Runs:
    return last_restart(restart, execution.unfinished(*restart.commands, ids.POD_SAMPLE))


def _lost_data(restart: Restart, runs: Runs) -> bool:
    return _judge(restart, runs)[2].verdict is Verdict.FAIL


def _carry_out(restart: Restart, execution: Execution, barred: Refused | None = None) -> None:
    earlier = _unfinished(restart, execution)
    if earlier and was_counted(restart, earlier):
        if not _lost_data(restart, earlier):
            execution.adopt(*earlier)
            if _judge(restart, earlier)[1].verdict is not Verdict.PASS:
                _wait_and_count(restart, execution)
            return
    elif earlier and not _untouched(restart, earlier, execution):
        execution.adopt(*earlier)
        wait_until_gone(restart, execution)
        _wait_and_count(restart, execution)
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
        wait_until_gone(restart, execution)
    _wait_and_count(restart, execution)


def _untouched(restart: Restart, earlier: Runs, execution: Execution) -> bool:
    """Whether every pod from before the delete still runs as it did: the program died before kubectl had asked for anything."""
    if was_deleted(earlier.last(restart.delete)):
        return False
    now, listed = execution.side_by_side((ids.POD_SAMPLE, ids.PODS))
    before, after = started(restart, until_delete(restart, earlier).last(ids.POD_SAMPLE)), started(restart, now)
    return bool(before) and before <= after and {name for name, _ in before} <= set(pods_listed(listed, restart))


def wait_until_gone(restart: Restart, execution: Execution) -> None:
    """After a delete that was cut short: until none of its pods is Terminating, at most 90 s.

    It has not waited for them to be gone, and `kubectl wait` would wait for those, too, until its 300 s are over.
    """

    def gone(seen: tuple[Run, ...]) -> bool:
        return not pods_listed(seen[1], restart, leaving=True)

    execution.watch((ids.POD_SAMPLE, ids.PODS), gone, times=45, every_s=2)


def _wait_and_count(restart: Restart, execution: Execution) -> None:
    """Wait for the new pods, list them with STARTED, and count; where they cannot come up there is nothing to count in."""
    if not execution.wait_for_new_pods(restart):
        return
    execution.watch((ids.POD_SAMPLE,), lambda _: True, times=1, every_s=0)
    _count(restart, execution, restart.after, restart.listing[1] if restart.listing else None)


def _count(restart: Restart, execution: Execution, command: str, listing: str | None) -> Run:
    """Count, and list first where the guide does. What may pass is tried again, bounded.

    Before the restart that is a server that is starting. After it, it is also a container that is not up again, and a way to
    the server that is not there yet or leads nowhere: the same command found both before.
    """
    if listing:
        execution.side_by_side((listing,))

    def may_pass(run: Run) -> bool:
        why = failure(run)
        if why is None or counted(restart, run) is not None:
            return False
        if command == restart.before:
            return is_starting(run.err)
        return why.kind in (FailureKind.NO_CONTAINER, FailureKind.TIMEOUT) or is_unconnected(run.err)

    return execution.retry(command, may_pass, within_s=COUNT_WITHIN_S, every_s=3)


# judging it


def judge(runs: Runs) -> tuple[Finding, ...]:
    """Counts before and after, for the files and for the tables."""
    return tuple(found for restart in RESTARTS for found in _judge(restart, runs))


def _judge(restart: Restart, runs: Runs) -> tuple[Finding, ...]:
    runs = _tried(restart, runs)
    restarted = _judge_restart(restart, runs)
    return _judge_before(restart, runs), restarted, _judge_after(restart, runs, restarted)


def _tried(restart: Restart, runs: Runs) -> Runs:
    """`runs` up to the count after the restart, when another restart was refused after it."""
    counts = [place for place, run in enumerate(runs) if run.command == restart.after]
    refused = runs.last(restart.delete).ended is Ended.REFUSED
    return Runs(runs[: counts[-1] + 1]) if refused and counts else runs


def _what(restart: Restart, number: int) -> Message:
    return msg("{n} JSONL files", n=number) if restart is OBSERVER else msg("{n} tables", n=number)


def _judge_before(restart: Restart, runs: Runs) -> Finding:
    run = runs.last(restart.before)
    asked = Question(restart.codes[0], restart.steps[0], msg("the count before the restart, read"), run)
    number = counted(restart, run)
    if number is None:
        return asked.unseen(_why_unread(restart, run))
    line = restart.read(run.out).line
    if number == 0:
        summary = msg("nothing to lose, so nothing can be shown to be kept")
        return asked.answered(Verdict.INCONCLUSIVE, summary, _what(restart, 0), line, remedies.AFTER_FIRST_DATA)
    return asked.passed(msg("counted before the restart"), _what(restart, number), line)


def _why_unread(restart: Restart, run: Run) -> UnreadableText | None:
    try:
        if run.exit_code == 0 and not failure(run):
            restart.read(run.out)
    except UnreadableText as error:
        return error
    return None


def _judge_restart(restart: Restart, runs: Runs) -> Finding:
    delete, wait = runs.last(restart.delete), runs.last(restart.wait)
    asked = Question(restart.codes[1], restart.steps[1], msg("every pod replaced by a new one, Ready"), delete)
    if delete.ended is Ended.REFUSED:
        reason, said = refused(delete), admission(runs.last(restart.admission)).text
        seen = said if reason and reason.why is Refusal.NOT_ADMITTED and said else msg("not restarted")
        return asked.skipped(refused_because(delete), seen, *_permission(delete))
    if deletion_cancelled(delete) and not was_deleted(delete):
        cancelled = msg("kubectl itself refused, nothing was deleted: deletion is cancelled")
        return asked.unseen(cancelled, remedies.CHECK_KUBERC)
    if delete.ended is Ended.EXITED and not was_deleted(delete):
        silent = delete.exit_code == 0 and not failure(delete)
        return asked.unseen(msg("nothing was deleted") if silent else None)
    if not delete.happened:
        return asked.unseen()
    asked, old, new = asked.by(wait), deleted_pods(delete.out), ready_pods(wait.out)
    if wait.exit_code != 0 or not new:
        if found := kept_from_starting(restart, runs):
            return _not_coming_up(asked.by(found[0]), found[1], restart, runs)
        return asked.unseen(None, remedies.WAIT_AGAIN)
    there = set(old) | set(pods_listed(until_delete(restart, runs).last(ids.PODS), restart))
    same = sorted(there & set(new)) if restart is OBSERVER else []
    in_doubt = is_sampled(restart, runs) or len(old) < len(new)  # older recordings have no samples
    unsure = in_doubt and not replaced(restart, runs)
    if same or unsure:
        why = msg("it could not be seen that every pod is a new one: {pods}", pods=", ".join(same or new))
        return asked.unseen(why, remedies.RESTART_ANEW)
    summary = msg("{name} was restarted", name=restart.name)
    if admission(until_delete(restart, runs).last(restart.admission)).admission is Admission.UNASKED:
        summary = msg(
            "{name} was restarted; whether a new pod is admitted could not be asked before", name=restart.name
        )
    return asked.passed(summary, f"{', '.join(old) or '?'} → {', '.join(new)}", 1)


_NOT_UP = {
    Obstacle.CORDONED: msg("the new pod cannot be scheduled: its node is cordoned"),
    Obstacle.UNSCHEDULABLE: msg("the new pod cannot be scheduled"),
    Obstacle.IMAGE: msg("the image of the new pod does not come"),
    Obstacle.VOLUME: msg("a volume of the new pod cannot be mounted"),
    Obstacle.SETTINGS: msg("the new pod lacks a Secret or ConfigMap, or a key of one"),
    Obstacle.NOT_ADMITTED: msg("no new pod is made: the API server does not admit it"),
}


def _not_coming_up(asked: Question, why: Stuck, restart: Restart, runs: Runs) -> Finding:
    """The new pod is kept from starting: the reason, and the way back."""
    nodes = nodes_of(until_delete(restart, runs).last(ids.PODS), restart.pods)
    back = remedies.way_back(why.obstacle.value, asked.run.command.partition(".")[2], nodes)
    if why.obstacle is Obstacle.NOT_ADMITTED:
        back = (*back, remedies.try_again(restart.controller))
    return asked.failed(_NOT_UP[why.obstacle], why.text, why.line, *back, remedies.WAIT_AGAIN)


def _permission(delete: Run) -> tuple[Remedy, ...]:
    why = refused(delete)
    match why.why if why else None:
        case Refusal.NOT_CONFIRMED:
            return (remedies.ALLOW_RESTART,)
        case Refusal.DATA_NOT_MOUNTED | Refusal.PVC_NOT_BOUND:
            return remedies.CHECK_VOLUMES
        case Refusal.NOT_ADMITTED:
            return (*remedies.way_back("not-admitted", "", ()), remedies.ONCE_SETTLED)
        case Refusal.NEED_UNMET:
            return (remedies.ONCE_SETTLED,)
        case Refusal.RESTART_UNSEEN:
            return (remedies.ONCE_RESTARTED,)
    return (remedies.ONCE_READABLE,)


def _judge_after(restart: Restart, runs: Runs, restarted: Finding) -> Finding:
    run = runs.last(restart.after)
    kept = msg("the same count and list as before the restart")
    asked = Question(restart.codes[2], restart.steps[2], kept, run)
    before, after = counted(restart, runs.last(restart.before)), counted(restart, run)
    if restarted.verdict is Verdict.SKIPPED:
        summary = msg("not compared: there was no restart")
        return asked.skipped(summary, msg("not counted again"), *restarted.remedy)
    if before is None or after is None:
        why = _why_unread(restart, run) if before is not None else msg("the count before the restart is not known")
        if restarted.verdict is Verdict.FAIL and not run.happened:
            why = msg("not counted again: no new pod has come up")
        return asked.unseen(why, *((remedies.COUNT_AGAIN,) if run.happened else ()))
    line = restart.read(run.out).line
    lists = _lists(restart, runs, before, after)
    lost = _lost(*lists, before, after) if lists else ()
    if after < before or lost:
        seen = msg(
            "{before} before, {after} after; missing: {names}", before=before, after=after, names=", ".join(lost) or "?"
        )
        return asked.failed(msg("data was lost over the restart"), seen, line, *remedies.CHECK_VOLUMES)
    if restarted.verdict is not Verdict.PASS:
        return asked.unseen(msg("the count is the same, but a restart was not seen"), *restarted.remedy)
    if lists is None:
        why = msg("the count is kept, but a list of files does not hold what was counted")
        return asked.unseen(why, remedies.COUNT_AGAIN)
    if before <= LISTED and (hidden := sorted(lists[0] - lists[1])):
        why = msg("not seen again, because the list ends at ten names: {names}", names=", ".join(hidden))
        return asked.unseen(why, remedies.COUNT_AGAIN)
    summary = msg("kept over the restart")
    if after > before:
        summary = msg("kept over the restart; more was written meanwhile")
    return asked.passed(summary, msg("{before} before, {after} after", before=before, after=after), line)


def _lists(restart: Restart, runs: Runs, before: int, after: int) -> tuple[set[str], set[str]] | None:
    """The files listed before and after, as far as the guide's lists go; None when one of them cannot be what was counted."""
    if not restart.listing:
        return set(), set()
    try:
        first, second = (set(files(runs.last(command).out)) for command in restart.listing)
    except UnreadableText:
        return None
    return None if len(first) < min(before, LISTED) or len(second) < min(after, LISTED) else (first, second)


def _lost(listed: set[str], again: set[str], before: int, after: int) -> tuple[str, ...]:
    """Files listed before and not after, when the lists prove that files were lost.

    Both lists end at ten names. A name that is no longer listed may stand behind the tenth; but no more of them can than the
    new list leaves out, or, where the first one left names out as well, than files have come. And that none of the names is
    listed any more is no matter of their order.
    """
    missing = tuple(sorted(listed - again))
    could_hide = max(0, after - LISTED) if before <= LISTED else after - before
    return missing if len(missing) > could_hide or (listed and not listed & again) else ()


COMMANDS = (*OBSERVER.commands, *POSTGRES.commands)
STEP = Step("8", msg("Data persistence"), COMMANDS, judge, perform)
