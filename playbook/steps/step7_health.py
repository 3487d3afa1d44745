"""Guide Step 7: does Observer answer on three paths, and does the database port?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..guide import ids, remedies
from ..guide.codes import Code
from ..guide.expected import TMP_CURL
from ..guide.remedy import advise
from ..kubectl.failures import Failure, failure
from ..kubectl.health import Answer, answers, http_line, raised
from ..kubectl.logs import free_lines
from ..kubectl.startup import STARTED, described_events, not_admitted, startup_problem
from ..model import Ended, Finding, Run, Runs, Verdict
from ..refusals import Refusal
from ..text import Message, msg, verbatim
from .admission import quota_just_full
from .base import Execution, Step
from .question import Question

HEALTHY = 'HTTP 200, {"status": "ok"}'


def perform(_step: Step, execution: Execution) -> None:
    """Carry out the four checks side by side: Step 7 takes as long as its slowest command."""
    execution.together(
        (
            lambda own: own.run(ids.HEALTH_IN_POD),
            lambda own: own.health_via_service(),
            lambda own: own.port_forward(ids.PORT_FORWARD, ids.CURL, ids.STOP_PORT_FORWARD),
            lambda own: own.run(ids.DB_CONNECTION),
        )
    )


def judge(runs: Runs) -> tuple[Finding, ...]:
    """HEALTH-POD, HEALTH-SERVICE, NEW-POD, HEALTH-FORWARD, DB-CONNECTION; an answer that was not seen is never a pass."""
    via_service = runs.last(ids.HEALTH_VIA_SERVICE)
    # Sessions recorded `logs --previous` before the plain log was asked for.
    logs = [runs.last(f"{command}.{TMP_CURL}") for command in (ids.LOGS, ids.LOGS_PREVIOUS)]
    return (
        _in_pod(runs.last(ids.HEALTH_IN_POD)),
        _service(via_service, logs),
        *_new_pod(via_service, logs, runs.last(f"{ids.DESCRIBE_POD}.{TMP_CURL}")),
        _forwarded(runs.last(ids.PORT_FORWARD), runs.last(ids.CURL)),
        _database(runs.last(ids.DB_CONNECTION)),
    )


# 7-1


_OWN_ERRORS = r"urllib\.error\.\w+|http\.client\.\w+|(?:socket\.)?timeout|\w*Timeout\w*|Connection\w*Error|OSError"
"""Python's errors that speak of HTTP or the connection: they are about Observer itself."""


def _in_pod(run: Run) -> Finding:
    """HEALTH-POD: `200 {"status": "ok", …}`."""
    asked = Question(Code.HEALTH_POD, "7-1", HEALTHY, run)
    if http := http_line(run.out):
        body = answers("\n".join((http.body, *run.out.split("\n")[http.line :])))
        if http.status == 200 and not body and http.body.startswith("{"):
            return asked.unseen(msg("an answer that is not whole JSON"))
        if http.status == 200 and body and all(answer.is_ok for answer in body):
            return _well(asked, body, msg("healthy"), http.text.strip(), http.line)
        return _ill(asked, http.text, http.line)
    if error := raised(run.out, run.err, _OWN_ERRORS):
        return _ill(asked, error.text, error.line, error.stream)
    return asked.unseen(failure(run))


# 7-2


def is_in_the_way(run: Run) -> bool:
    """Whether 7-2 found a pod of the name that it makes."""
    return "AlreadyExists" in run.err


def _service(run: Run, logs: Sequence[Run]) -> Finding:
    """HEALTH-SERVICE: the answer on 7-2's standard output, else in the log of tmp-curl.

    kubectl's own end says nothing: it fails while the service is healthy, and succeeds when curl failed. Without an
    answer from either the service was not seen.
    """
    asked = Question(Code.HEALTH_SERVICE, "7-2", HEALTHY, run)
    why: Failure | Message | None = failure(run)
    if is_in_the_way(run) or (run.ended is Ended.REFUSED and run.note == Refusal.LEFTOVER_POD.value):
        return asked.unseen(why, remedies.REMOVE_TMP_CURL)
    for source in (run, *logs):
        if body := answers(source.out):
            answer = next((one for one in body if not one.is_ok), body[0])
            if not answer.is_ok:
                return _ill(asked.by(source), str(answer), answer.line)
            summary = msg("healthy") if source is run else msg("healthy, by the log of {pod}", pod=TMP_CURL)
            return _well(asked.by(source), body, summary, str(answer), answer.line)
    if why is None and run.ended in (Ended.EXITED, Ended.STOPPED_EARLY):
        why = msg("no answer was printed, neither by the command nor in the log of {pod}", pod=TMP_CURL)
    return asked.unseen(why)


def _new_pod(run: Run, logs: Sequence[Run], description: Run) -> tuple[Finding, ...]:
    """NEW-POD: whether the pod that 7-2 makes came up; before Step 8 nothing else shows whether a new pod can."""
    if not run.happened or is_in_the_way(run):
        return ()
    wanted = msg("the pod {pod} is admitted, scheduled and started", pod=TMP_CURL)
    return (_came_up(Question(Code.NEW_POD, "7-2", wanted, run), logs, description),)


def _came_up(asked: Question, logs: Sequence[Run], description: Run) -> Finding:
    """A pod that no node takes stays Pending, which the guide calls abnormal (Step 6-1). One that the API server does not
    admit is inconclusive, and one that only lacks curl's own image is a warning: both say nothing of Observer's pods.
    """
    run, came_up, ran = asked.run, msg("a new pod came up"), msg("it ran")
    if refusal := not_admitted(run):
        number, line = refusal
        summary, remedy = msg("a new pod is not admitted"), remedies.way_back("not-admitted", "", ())
        if quota_just_full(line):
            summary = msg("no place for another pod, a quota is just full: whether a node takes a new one was not seen")
            remedy = (*remedy, remedies.WAIVE_NEW_POD)
        return asked.answered(Verdict.INCONCLUSIVE, summary, line.strip(), number, *remedy, stream="stderr")
    if answered := next((source for source in (run, *logs) if answers(source.out)), None):
        return asked.by(answered).passed(came_up, ran)
    if problem := startup_problem(description):
        seen, at = f"{problem.reason}: {problem.message}", problem.line
        if problem.reason == "FailedScheduling":
            summary = msg("a new pod cannot be scheduled")
            return asked.by(description).failed(summary, seen, at, remedies.CHECK_SCHEDULING)
        return asked.by(description).warned(
            msg("a new pod is scheduled, but the image of curl does not come"), seen, at
        )
    if started := next((event for event in described_events(description) if STARTED.match(event.message)), None):
        return asked.by(description).passed(came_up, ran, started.line)
    if 'pod "tmp-curl" deleted' in run.out and "timed out waiting for the condition" not in run.err:
        return asked.passed(came_up, ran)
    return asked.unseen(failure(run))


# 7-3


_TAKEN = re.compile(r"address already in use|[Uu]nable to listen on port|[Uu]nable to create listener")
_GUIDE_ROWS = {
    "does not have a service port": msg("check the ports in the base YAML: observer=8000, postgres=5432 (Step 5)"),
    'services? "observer" not found': msg("the Service observer is missing: apply its manifest again (Step 5)"),
    r"pod is not running\. Current status=(?!Pending)": msg("no observer pod runs: see Step 6"),
}
"""What port-forward says that is a failure of Observer or its Service, not of the way to the cluster. A pod that is Pending
may be on its way: whether it has been so for too long, Step 6 tells."""


def _forwarded(forward: Run, curl: Run) -> Finding:
    """HEALTH-FORWARD: listening, a connection handled, and the answer, all three.

    Without the handled connection the answer may be another program's that owns port 8000 of this machine.
    """
    asked = Question(Code.HEALTH_FORWARD, "7-3", HEALTHY, forward)
    answered = asked.by(curl)
    listening = "Forwarding from" in forward.out
    handled = listening and "Handling connection for 8000" in forward.out
    body = answers(curl.out)
    ill = next((answer for answer in body if not answer.is_ok), None)
    if handled and body and not ill:
        return _well(answered, body, msg("healthy"), str(body[0]), body[0].line)
    for number, line in free_lines(forward.err):
        if _TAKEN.search(line):
            return asked.unseen(verbatim(line.strip()), remedies.FREE_PORT, line=number, stream="stderr")
    if handled and ill:
        return _ill(answered, str(ill), ill.line)
    for number, line in free_lines(forward.err):
        row = next((advice for pattern, advice in _GUIDE_ROWS.items() if re.search(pattern, line)), None)
        if row:
            return asked.failed(msg("cannot be forwarded"), line.strip(), number, advise(row), stream="stderr")
        if listening and not body and "lost connection to pod" in line:
            return _ill(asked, line, number, "stderr")
    if handled and not curl.out.strip() and curl.exit_code == 22:  # curl -f: the server answered 400 or more
        return _ill(answered, msg("HTTP status 400 or more"))
    if handled and curl.out.strip() and not curl.out.lstrip().startswith("{") and curl.exit_code == 0:
        return _ill(answered, curl.out, 1)
    if not listening:
        return asked.unseen(failure(forward))
    if not handled:
        return asked.unseen(msg("the forward handled no connection, so nothing came through it"))
    return answered.unseen(failure(curl))


# 7-4


_DB_ERRORS = r"ConnectionRefusedError|socket\.(?:gaierror|timeout)|TimeoutError|OSError|Connection\w*Error"
_DB_ROWS = {
    "ConnectionRefusedError|Connection refused": msg(
        "the pod postgres-0 does not run (Step 6), or its Service is missing (Step 5)"
    ),
    "gaierror|[Nn]ame resolution": msg("the Service postgres does not exist (Step 5)"),
    "[Tt]ime(?:d ?)?out": msg(
        "the database did not answer within 5 s: check postgres-0 (Step 6) and its Service (Step 5)"
    ),
}
"""The guide's causes, by what Python says."""

_NO_WAY = msg("the database cannot be reached from the pod: check postgres-0 (Step 6) and its Service (Step 5)")


def _database(run: Run) -> Finding:
    """DB-CONNECTION: `DB connection OK`, or the guide's cause for the Python error."""
    good = "DB connection OK"
    asked = Question(Code.DB_CONNECTION, "7-4", good, run)
    for number, line in free_lines(run.out):
        if line.strip() == good:
            return asked.passed(msg("the database port answers"), good, number)
    if error := raised(run.out, run.err, _DB_ERRORS):
        cause = next((cause for pattern, cause in _DB_ROWS.items() if re.search(pattern, error.text)), _NO_WAY)
        summary = msg("no connection to the database")
        return asked.failed(summary, error.text, error.line, advise(cause), stream=error.stream)
    return asked.unseen(failure(run))


def _well(asked: Question, body: Sequence[Answer], summary: Message, seen: str, line: int) -> Finding:
    """A pass; a warning where the answer itself calls a part of the service not well."""
    if part := next(filter(None, (answer.unwell for answer in body)), ""):
        return asked.warned(msg("it answers ok, and calls a part not well: {part}", part=part[:80]), seen, line)
    return asked.passed(summary, seen, line)


def _ill(asked: Question, seen: Message | str, line: int | None = None, stream: str = "stdout") -> Finding:
    shown = seen if isinstance(seen, Message) else seen.strip()[:200]
    return asked.failed(msg("not healthy"), shown, line, remedies.CHECK_HEALTH, stream=stream)


COMMANDS = (
    ids.HEALTH_IN_POD, ids.HEALTH_VIA_SERVICE, ids.PORT_FORWARD, ids.CURL, ids.STOP_PORT_FORWARD, ids.DB_CONNECTION,
)  # fmt: skip
STEP = Step("7", msg("Health check"), COMMANDS, judge, perform, waits=True)
