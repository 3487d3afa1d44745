"""Where the guide as written does not do what it says: the deviations that a verification met, for its report.

`docs/guide-notes.md` tells of each at more length.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..kubectl.failures import FailureKind, failure
from ..model import Ended, Finding, Run, Session, Verdict
from ..text import Message, msg


@dataclass(frozen=True, slots=True)
class Deviation:
    """One place where the guide and a real cluster part, and what the program does about it."""

    id: str  # stable
    step: str  # the guide's number
    title: Message
    handled: Message


DEVIATIONS = (
    Deviation(
        "CLUSTER-RIGHTS", "0",
        msg("a namespace-admin, who is enough by the guide, may not do everything that it asks for"),
        msg("what is Forbidden is inconclusive and names the missing right"),
    ),
    Deviation(
        "DIRECTORY-ON-SERVER", "2",
        msg("the directories of the volumes can only be listed on the server"),
        msg("away from the server the check is a warning that says so"),
    ),
    Deviation(
        "LABEL-OF-SEALING-KEYS", "3-2",
        msg("the label selects sealing keys, not the generated Secrets: nothing is found on a healthy cluster"),
        msg("the SealedSecrets' SYNCED column and the Secret list of the summary decide"),
    ),
    Deviation(
        "FIFTEEN-KEYS", "4",
        msg("the guide says 14 keys and lists 15"),
        msg("the list decides"),
    ),
    Deviation(
        "CRASH-LOOP-BETWEEN", "6-1",
        msg("a crash-looping pod shows another STATUS between two back-offs"),
        msg("RESTARTS and the BackOff event are read as well"),
    ),
    Deviation(
        "RESTARTS-WITH-AGE", "6-1",
        msg("newer versions of kubectl write more than a number under RESTARTS"),
        msg("the count is read, the age beside it is not counted as a column"),
    ),
    Deviation(
        "EVENTS-OF-THE-LAST-POD", "6-2",
        msg("the last 30 lines show the events of the last pod only"),
        msg("a pod whose events are cut off is judged by its STATUS and its RESTARTS"),
    ),
    Deviation(
        "READY-LINE-GONE", "6-3",
        msg("on a server that has been up for long the last 30 lines no longer hold the ready line"),
        msg("that is a warning, not a failure"),
    ),
    Deviation(
        "SECRETS-SHOWN", "6-4",
        msg("the command prints the value of every secret"),
        msg("values are masked before anything is written or shown; names stay"),
    ),
    Deviation(
        "NO-TERMINAL", "6-4",
        msg("kubectl exec -it without a terminal says so on standard error"),
        msg("that line is no error and is looked past"),
    ),
    Deviation(
        "PIPE-HIDES-FAILURE", "6-4",
        msg("the exit status of kubectl is lost in a pipe: an empty output or a 0 looks like an answer"),
        msg("the pipe's own status and standard error are read, and no answer is never a pass"),
    ),
    Deviation(
        "CURL-TOO-QUICK", "7-2",
        msg("curl can end before kubectl has attached: kubectl then waits in vain or falls back to the log"),
        msg("the body decides; it is taken from the pod's log when kubectl did not show it"),
    ),
    Deviation(
        "FORWARD-NOT-READY", "7-3",
        msg("the three lines as a script call curl before the forward listens, and kill hides the failure"),
        msg("the lines go to one bash, the second not before the forward says that it listens; without that no pass"),
    ),
    Deviation(
        "FIRST-TEN-FILES", "8-1",
        msg("the list holds ten names at most, in no order"),
        msg("beyond ten files the count decides"),
    ),
    Deviation(
        "DELETE-UNCOUNTED", "8-2",
        msg("the guide deletes pods also when the count before could not be read"),
        msg("nothing is deleted unless the count was read and the restart was allowed"),
    ),
    Deviation(
        "WAIT-TOO-EARLY", "8-2",
        msg("kubectl wait right after a delete can find no pod, and then ends at once"),
        msg("the same command is tried again within its time limit"),
    ),
    Deviation(
        "UNSET-VARIABLES", "8-4",
        msg("POSTGRES_USER and POSTGRES_DB are taken from the operator's shell, where they may not be set"),
        msg("both are supplied by environment: the operator's own, else what Step 6-4 showed, else observer"),
    ),
    Deviation(
        "READY-TOO-EARLY", "8-4",
        msg("PostgreSQL can refuse a connection just after it was called Ready"),
        msg("the same command is tried again, a few times, before the count is called unreadable"),
    ),
)  # fmt: skip
"""Every deviation that a verification can meet, in the guide's order."""

_AGE_BESIDE_COUNT = re.compile(r"\d+ \(\S+ ago\)")
_PIPED = (
    "step6-2-describe-observer", "step6-2-describe-postgres", "step6-4-env", "step6-5-mounts", "step8-1-list-files",
    "step8-1-count-files", "step8-3-list-files", "step8-3-count-files", "step9-3-recent-files",
)  # fmt: skip


def deviations_met(session: Session) -> tuple[Deviation, ...]:
    """The deviations that the runs and findings of `session` show, in the guide's order."""
    results = (*session.history, *session.results)
    runs = tuple(dict.fromkeys(run for result in results for run in result.runs if run.happened)) + session.diagnosis
    findings = tuple(finding for result in results for finding in result.findings)
    return tuple(each for each in DEVIATIONS if _MET[each.id](runs, findings))


Runs = tuple[Run, ...]
Findings = tuple[Finding, ...]


def _ran(*commands: str) -> Callable[[Runs, Findings], bool]:
    return lambda runs, _: any(run.command in commands for run in runs)


def _said(text: str, *commands: str) -> Callable[[Runs, Findings], bool]:
    """Whether a run of `commands` (of any, without them) holds `text`."""
    return lambda runs, _: any(
        text in run.out or text in run.err for run in runs if not commands or run.command in commands
    )


def _warned(code: str) -> Callable[[Runs, Findings], bool]:
    return lambda _, findings: any(
        finding.verdict is Verdict.WARN and finding.code.split("/")[0] == code for finding in findings
    )


def _forbidden(runs: Runs, _: Findings) -> bool:
    return any((why := failure(run)) is not None and why.kind is FailureKind.FORBIDDEN for run in runs)


def _between_back_offs(runs: Runs, findings: Findings) -> bool:
    looping = {
        finding.code.partition("/")[2]
        for finding in findings
        if finding.code.startswith("CRASH-LOOP/") and finding.verdict is Verdict.FAIL
    }
    lines = [line for run in runs if run.command == "step6-1-pods" for line in run.out.splitlines()]
    return any(line.split(" ")[0] in looping and "CrashLoopBackOff" not in line for line in lines)


def _age_beside_count(runs: Runs, _: Findings) -> bool:
    return any(_AGE_BESIDE_COUNT.search(run.out) for run in runs if run.command == "step6-1-pods")


def _pipe_failed(runs: Runs, _: Findings) -> bool:
    """Only what kubectl says counts: by itself a status of 1 or 141 is ordinary for `grep` and `head`."""
    return any(run.command in _PIPED and run.ended is Ended.EXITED and failure(run) is not None for run in runs)


def _attach_missed(runs: Runs, _: Findings) -> bool:
    signs = ("timed out waiting for the condition", "couldn't attach to pod")
    tries = [run for run in runs if run.command == "step7-2-health-via-service"]
    return any(run.ended is Ended.STOPPED_EARLY or any(sign in run.err + run.out for sign in signs) for run in tries)


def _ten_files(runs: Runs, _: Findings) -> bool:
    return any(run.command == "step8-1-list-files" and len(run.out.splitlines()) >= 10 for run in runs)


_COUNTS = ("step8-4-count-tables-before", "step8-4-count-tables-after")
_MET: dict[str, Callable[[Runs, Findings], bool]] = {
    "CLUSTER-RIGHTS": _forbidden,
    "DIRECTORY-ON-SERVER": _warned("PVC-DIRECTORY"),
    "LABEL-OF-SEALING-KEYS": _said("No resources found", "step3-2-generated-secrets"),
    "FIFTEEN-KEYS": _ran("step4-configmap-keys"),
    "CRASH-LOOP-BETWEEN": _between_back_offs,
    "RESTARTS-WITH-AGE": _age_beside_count,
    "EVENTS-OF-THE-LAST-POD": _ran("step6-2-describe-observer"),
    "READY-LINE-GONE": _warned("LOG-POSTGRES"),
    "SECRETS-SHOWN": _ran("step6-4-env"),
    "NO-TERMINAL": _said("Unable to use a TTY"),
    "PIPE-HIDES-FAILURE": _pipe_failed,
    "CURL-TOO-QUICK": _attach_missed,
    "FORWARD-NOT-READY": _ran("step7-3-port-forward"),
    "FIRST-TEN-FILES": _ten_files,
    "DELETE-UNCOUNTED": _ran("step8-2-delete-observer", "step8-4-delete-postgres"),
    "WAIT-TOO-EARLY": _said("no matching resources found", "step8-2-wait-observer", "step8-4-wait-postgres"),
    "UNSET-VARIABLES": _ran(*_COUNTS),
    "READY-TOO-EARLY": _said("Connection refused", *_COUNTS),
}
