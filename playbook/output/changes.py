"""What a session changed on the cluster, by the runs of its mutating commands."""

from __future__ import annotations

from ..guide import ids
from ..guide.catalog import changes_cluster
from ..guide.expected import TMP_CURL
from ..guide.own_commands import OWN_COMMANDS
from ..kubectl.failures import FailureKind, failure
from ..kubectl.pods import deleted_pods
from ..model import Run, Session
from ..text import Message, msg
from .labels import moment


def changing_runs(session: Session) -> tuple[Run, ...]:
    """The runs that were started and may have changed something, in the order in which they were made."""
    of_steps = (run for result in (*session.history, *session.results) for run in result.runs if _changes(run))
    runs = {(run.command, run.ordinal): run for run in (*of_steps, *session.changes) if run.happened}
    return tuple(sorted(runs.values(), key=lambda run: run.started_at))


def change(run: Run) -> Message:
    """What one of them did, with its objects and its moment (UTC)."""
    at = moment(run.started_at)
    match run.command:
        case ids.WRITE_DATA:
            return msg("file {file} written to the data volume and removed, {at}", file=".write_test", at=at)
        case ids.WRITE_LOGS:
            return msg("file {file} written to the logs volume and removed, {at}", file=".write_test", at=at)
        case ids.HEALTH_VIA_SERVICE:
            return msg("pod {pod} created, {at}", pod=TMP_CURL, at=at)
        case ids.REMOVE_TMP_CURL:
            return msg("pod {pod} removed, {at}", pod=TMP_CURL, at=at)
        case ids.DELETE_OBSERVER | ids.DELETE_POSTGRES:
            pods = ", ".join(deleted_pods(run.out))
            return msg("pods deleted: {pods}, {at}", pods=pods or "?", at=at)
        case _:
            return msg("{command} was run, {at}", command=run.command, at=at)


def is_confirmed(run: Run) -> bool:
    """Whether the run shows that it was done. One that was forbidden, cut off or never reached the cluster does not."""
    match run.command:
        case ids.HEALTH_VIA_SERVICE:  # kubectl waits and attaches after the pod was created: only an early end is none
            why = failure(run)
            return why is None or why.kind is FailureKind.OTHER
        case ids.REMOVE_TMP_CURL | ids.DELETE_OBSERVER | ids.DELETE_POSTGRES:
            return bool(deleted_pods(run.out))
        case _:
            return run.exit_code == 0


def _changes(run: Run) -> bool:
    own = OWN_COMMANDS.get(run.command)
    return own.mutates if own else changes_cluster(run.command.partition(".")[0])
