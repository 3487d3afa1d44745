"""Where the guide as written does not do what it says: the deviations that a verification met, for its report.

`docs/guide-notes.md` tells of each at more length.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..kubectl.counts import is_unconnected
from ..kubectl.failures import FailureKind, failure
from ..model import Ended, Finding, Run, Session, Verdict
from ..text import Message, msg
from . import ids
from .codes import Code, family

Runs = tuple[Run, ...]
Findings = tuple[Finding, ...]
Shows = Callable[[Runs, Findings], bool]


@dataclass(frozen=True, slots=True)
class Deviation:
    """One place where the guide and a real cluster part, and what the program does about it."""

    id: str  # stable
    step: str  # the guide's number
    title: Message
    handled: Message
    met: Shows | None = None  # whether a verification met it


_AGE_BESIDE_COUNT = re.compile(r"\d+ \(\S+ ago\)")
_PIPED = (
    ids.DESCRIBE_OBSERVER, ids.DESCRIBE_POSTGRES, ids.ENV, ids.MOUNTS, ids.LIST_FILES_BEFORE,
    ids.COUNT_FILES_BEFORE, ids.LIST_FILES_AFTER, ids.COUNT_FILES_AFTER, ids.RECENT_FILES,
)  # fmt: skip


def _ran(*commands: str) -> Shows:
    return lambda runs, _: any(run.command in commands for run in runs)


def _printed(text: str, *commands: str) -> Shows:
    """Whether a run of `commands` (of any, without them) holds `text`."""
    return lambda runs, _: any(
        text in run.out or text in run.err for run in runs if not commands or run.command in commands
    )


def _warned(code: Code) -> Shows:
    return lambda _, findings: any(
        finding.verdict is Verdict.WARN and family(finding.code) == code for finding in findings
    )


def _forbidden(runs: Runs, _: Findings) -> bool:
    return any((why := failure(run)) is not None and why.kind is FailureKind.FORBIDDEN for run in runs)


def _between_back_offs(runs: Runs, findings: Findings) -> bool:
    looping = {
        finding.code.partition("/")[2]
        for finding in findings
        if family(finding.code) == Code.CRASH_LOOP and finding.verdict is Verdict.FAIL
    }
    lines = [line for run in runs if run.command == ids.PODS for line in run.out.splitlines()]
    return any(line.split(" ")[0] in looping and "CrashLoopBackOff" not in line for line in lines)


def _age_beside_count(runs: Runs, _: Findings) -> bool:
    return any(_AGE_BESIDE_COUNT.search(run.out) for run in runs if run.command == ids.PODS)


def _pipe_failed(runs: Runs, _: Findings) -> bool:
    """Only what kubectl says counts: by itself a status of 1 or 141 is ordinary for `grep` and `head`."""
    return any(run.command in _PIPED and run.ended is Ended.EXITED and failure(run) is not None for run in runs)


def _attach_missed(runs: Runs, _: Findings) -> bool:
    signs = ("timed out waiting for the condition", "couldn't attach to pod")
    tries = [run for run in runs if run.command == ids.HEALTH_VIA_SERVICE]
    return any(run.ended is Ended.STOPPED_EARLY or any(sign in run.err + run.out for sign in signs) for run in tries)


def _ten_files(runs: Runs, _: Findings) -> bool:
    return any(run.command == ids.LIST_FILES_BEFORE and len(run.out.splitlines()) >= 10 for run in runs)


def _asked_again(runs: Runs, _: Findings) -> bool:
    tries = [run for run in runs if run.command == ids.COUNT_TABLES_AFTER]
    return any(run.ended is Ended.TIMEOUT or is_unconnected(run.err) for run in tries[:-1])


_COUNTS = (ids.COUNT_TABLES_BEFORE, ids.COUNT_TABLES_AFTER)

DEVIATIONS = (
    Deviation("CLUSTER-RIGHTS", "0",
              msg("a namespace-admin, who is enough by the guide, may not do everything that it asks for"),
              msg("what is Forbidden is inconclusive and names the missing right"), _forbidden),
    Deviation("DIRECTORY-ON-SERVER", "2", msg("the directories of the volumes can only be listed on the server"),
              msg("away from the server the check is a warning that says so"), _warned(Code.PVC_DIRECTORY)),
    Deviation("LABEL-OF-SEALING-KEYS", "3-2",
              msg("the label selects sealing keys, not the generated Secrets: nothing is found on a healthy cluster"),
              msg("the SealedSecrets' SYNCED column and the Secret list of the summary decide"),
              _printed("No resources found", ids.GENERATED_SECRETS)),
    Deviation("FIFTEEN-KEYS", "4", msg("the guide says 14 keys and lists 15"),
              msg("the list decides"), _ran(ids.CONFIG_KEYS)),
    Deviation("CRASH-LOOP-BETWEEN", "6-1", msg("a crash-looping pod shows another STATUS between two back-offs"),
              msg("RESTARTS and the BackOff event are read as well"), _between_back_offs),
    Deviation("RESTARTS-WITH-AGE", "6-1", msg("newer versions of kubectl write more than a number under RESTARTS"),
              msg("the count is read, the age beside it is not counted as a column"), _age_beside_count),
    Deviation("EVENTS-OF-THE-LAST-POD", "6-2", msg("the last 30 lines show the events of the last pod only"),
              msg("a pod whose events are cut off is judged by its STATUS and its RESTARTS"),
              _ran(ids.DESCRIBE_OBSERVER)),
    Deviation("READY-LINE-GONE", "6-3",
              msg("on a server that has been up for long the last 30 lines no longer hold the ready line"),
              msg("that is a warning, not a failure"), _warned(Code.LOG_POSTGRES)),
    Deviation("SECRETS-SHOWN", "6-4", msg("the command prints the value of every secret"),
              msg("values are masked before anything is written or shown; names stay"), _ran(ids.ENV)),
    Deviation("ONE-POD-OF-TWO", "6-4", msg("kubectl exec deploy/observer goes into one of the two pods"),
              msg("environment, volumes and writing were seen in that one; of the other one STATUS, RESTARTS, events and log"),
              _ran(ids.ENV)),
    Deviation("NO-TERMINAL", "6-4", msg("kubectl exec -it without a terminal says so on standard error"),
              msg("the line is not an error and is ignored"), _printed("Unable to use a TTY")),
    Deviation("PIPE-HIDES-FAILURE", "6-4",
              msg("the exit status of kubectl is lost in a pipe: an empty output or a 0 looks like an answer"),
              msg("the pipe's own status and standard error are read, and no answer is never a pass"), _pipe_failed),
    Deviation("CURL-TOO-QUICK", "7-2",
              msg("curl can end before kubectl has attached: kubectl then waits in vain or falls back to the log"),
              msg("the body decides; it is taken from the pod's log when kubectl did not show it"), _attach_missed),
    Deviation("FORWARD-NOT-READY", "7-3",
              msg("the three lines as a script call curl before the forward listens, and kill hides the failure"),
              msg("the lines go to one bash, the second not before the forward says that it listens; without that no pass"),
              _ran(ids.PORT_FORWARD)),
    Deviation("FIRST-TEN-FILES", "8-1", msg("the list holds ten names at most, in no order"),
              msg("beyond ten files the count decides"), _ten_files),
    Deviation("DELETE-UNCOUNTED", "8-2", msg("the guide deletes pods also when the count before could not be read"),
              msg("nothing is deleted unless the count was read and the restart was allowed"),
              _ran(ids.DELETE_OBSERVER, ids.DELETE_POSTGRES)),
    Deviation("WAIT-TOO-EARLY", "8-2", msg("kubectl wait right after a delete can find no pod, and then ends at once"),
              msg("the same command is tried again within its time limit"),
              _printed("no matching resources found", ids.WAIT_OBSERVER, ids.WAIT_POSTGRES)),
    Deviation("UNSET-VARIABLES", "8-4",
              msg("POSTGRES_USER and POSTGRES_DB are taken from the operator's shell, where they may not be set"),
              msg("both are supplied by environment: the operator's own, else what Step 6-4 showed, else observer"),
              _ran(*_COUNTS)),
    Deviation("READY-TOO-EARLY", "8-4", msg("PostgreSQL may not be reached yet just after it was called Ready"),
              msg("the same command is tried again, a few times, before the count is called unreadable"),
              _asked_again),
)  # fmt: skip
"""Every deviation that a verification can meet, in the guide's order."""


def deviations_met(session: Session) -> tuple[Deviation, ...]:
    """The deviations that the runs and findings of `session` show, in the guide's order."""
    results = (*session.history, *session.results)
    runs = tuple(dict.fromkeys(run for result in results for run in result.runs if run.happened)) + session.diagnosis
    findings = tuple(finding for result in results for finding in result.findings)
    return tuple(each for each in DEVIATIONS if each.met and each.met(runs, findings))
