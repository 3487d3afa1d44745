"""Guide Step 7: does Observer answer by three roads, and does the database port?"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial

from ..errors import UnreadableText
from ..expected import TMP_CURL
from ..failures import Failure, failure
from ..logs import free_lines
from ..model import Ended, Finding, Refusal, Remedy, Run, Verdict
from ..tables import Event, events
from ..text import Message, msg, verbatim
from .base import Execution, Runs, Step
from .findings import advise, do, finding, seen_at, unseen
from .step6_pods import PODS

IN_POD = "step7-1-health-in-pod"
VIA_SERVICE = "step7-2-health-via-service"
FORWARD, CURL, STOP = "step7-3-port-forward", "step7-3-curl", "step7-3-stop-port-forward"
DATABASE = "step7-4-db-connection"
LOG = "logs"
LOG_CURL = f"{LOG}.{TMP_CURL}"
PREVIOUS_CURL = f"logs-previous.{TMP_CURL}"
"""What sessions recorded before the plain log was asked for."""
DESCRIBE = "describe-pod"
DESCRIBE_CURL = f"{DESCRIBE}.{TMP_CURL}"

HEALTHY = 'HTTP 200, {"status": "ok"}'

FRESH_S = 60.0
"""A list of pods no older than this still tells whether somebody's tmp-curl is there."""

RETRY_EVERY_S, RETRY_FOR_S = 3.0, 45.0
"""While an earlier tmp-curl is being deleted (30 s of grace at most), 7-2 is tried again."""

STUCK_AFTER_S = 20.0
"""So long may the pod of 7-2 wait for a node or for its image; then that is a finding."""

_SCAN = 100_000
"""How many characters of an output are searched for the health answer."""


# Carrying it out


def perform(_step: Step, execution: Execution) -> None:
    """Carry out the four checks side by side; 7-2 only if no tmp-curl of somebody else is in the way.

    Step 7 takes as long as its slowest command.
    """
    tasks: list[Callable[[], object]] = [partial(execution.run, IN_POD)]
    if _leftover(execution):
        execution.refuse(VIA_SERVICE, Refusal.LEFTOVER_POD)
    else:
        tasks.append(partial(_replay_via_service if execution.replaying else _via_service, execution))
    tasks += [partial(execution.port_forward, FORWARD, CURL, STOP), partial(execution.run, DATABASE)]
    execution.together(tasks)


def _leftover(execution: Execution) -> bool:
    """Whether a pod tmp-curl is there before 7-2 makes one.

    One that is Terminating does not count: it goes away while 7-2 is tried again.
    """
    pods = execution.earlier(PODS)
    if execution.replaying:
        if pods is None or execution.recorded(VIA_SERVICE):
            return False  # it was run, or refused, when the recording was made
    elif pods is None or not 0 <= (datetime.now(timezone.utc) - pods.started_at).total_seconds() <= FRESH_S:
        pods = execution.run(PODS)
    rows = (line.split() for _, line in free_lines(pods.out))
    return any(row[:1] == [TMP_CURL] and "Terminating" not in row for row in rows)


def _via_service(execution: Execution) -> None:
    """7-2, live: ended early once the pod's log has shown the answer, and never leaving its pod behind.

    kubectl often waits out its 60 s although curl was done in milliseconds; the pod's own log then has the answer. It is
    ended early, too, when the pod cannot come up: the guide's description of the pod says why.
    """
    watch = _Watch(execution)
    give_up = time.monotonic() + RETRY_FOR_S
    run = execution.run(VIA_SERVICE, until=watch.is_over)
    while _being_deleted(run) and time.monotonic() < give_up:
        time.sleep(RETRY_EVERY_S)
        watch = _Watch(execution)
        run = execution.run(VIA_SERVICE, until=watch.is_over)
    if not run.happened or _already_there(run) or _refusal(run):
        return
    if not (watch.answered or watch.stuck or answers(run.out)) and run.ended is not Ended.INTERRUPTED:
        execution.run(LOG, TMP_CURL)
        execution.run(DESCRIBE, TMP_CURL)
    execution.remove_tmp_curl()


class _Watch:
    """Looks at the pod of 7-2 while kubectl waits for it: until its log has the answer, or it is clear that it cannot come up."""

    def __init__(self, execution: Execution) -> None:
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
        self.answered = bool(answers(self._execution.run(LOG, TMP_CURL).out))
        if not self.answered and time.monotonic() - self._began >= STUCK_AFTER_S:
            self.stuck = _trouble(self._execution.run(DESCRIBE, TMP_CURL)) is not None
        return self.answered or self.stuck


def _replay_via_service(execution: Execution) -> None:
    """7-2 from a recording: its tries, then the logs that were read beside them, up to the answer."""
    run = execution.run(VIA_SERVICE)
    while _being_deleted(run) and execution.recorded(VIA_SERVICE):
        run = execution.run(VIA_SERVICE)
    for log, key in ((LOG, LOG_CURL), ("logs-previous", PREVIOUS_CURL)):
        while execution.recorded(key):
            if answers(execution.run(log, TMP_CURL).out):
                return
    if execution.recorded(DESCRIBE_CURL):
        execution.run(DESCRIBE, TMP_CURL)


def _already_there(run: Run) -> bool:
    return "AlreadyExists" in run.err


def _being_deleted(run: Run) -> bool:
    return _already_there(run) and "being deleted" in run.err


# Judging it


def judge(runs: Runs) -> tuple[Finding, ...]:
    """HEALTH-POD, HEALTH-SERVICE, NEW-POD, HEALTH-FORWARD, DB-CONNECTION; an answer that was not seen is never a pass."""
    via_service, logs = runs.last(VIA_SERVICE), (runs.last(LOG_CURL), runs.last(PREVIOUS_CURL))
    return (
        _in_pod(runs.last(IN_POD)),
        _service(via_service, logs),
        *_new_pod(via_service, logs, runs.last(DESCRIBE_CURL)),
        _forwarded(runs.last(FORWARD), runs.last(CURL)),
        _database(runs.last(DATABASE)),
    )


def answers(text: str) -> tuple[tuple[int, dict[str, object]], ...]:
    """The JSON objects in an output, each with its line: what /health answered, whatever kubectl says around it.

    Objects without "status" count only if none has it.

    >>> answers('{"status": "ok", "uptime": 7142}pod "tmp-curl" deleted')
    ((1, {'status': 'ok', 'uptime': 7142}),)
    >>> answers('pod "tmp-curl" deleted'), answers('{"status": "o')
    ((), ())
    """
    found = tuple(_objects(text[:_SCAN]))
    return tuple(one for one in found if "status" in one[1]) or found


def _objects(text: str) -> Iterator[tuple[int, dict[str, object]]]:
    decoder = json.JSONDecoder()
    at, tries = text.find("{"), 0
    while at >= 0 and tries < 100:
        tries += 1
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            if isinstance(value, dict):
                yield text.count("\n", 0, at) + 1, value
        at = text.find("{", end)


def _shown(answer: dict[str, object]) -> str:
    return json.dumps(answer, ensure_ascii=False)[:200]


def _is_ok(answer: dict[str, object]) -> bool:
    return answer.get("status") == "ok"


def _in_pod(run: Run) -> Finding:
    """HEALTH-POD: `200 {"status": "ok", …}`. A Python error that speaks of HTTP or the connection is Observer's own."""
    code, step = "HEALTH-POD", "7-1"
    for number, line in free_lines(run.out):
        status = re.match(r"(\d{3}) (.*)", line)
        if not status:
            continue
        body = answers(run.out)
        if status[1] == "200" and not body and status[2].startswith("{"):
            return unseen(code, step, run, HEALTHY, msg("an answer that is not whole JSON"))
        if status[1] == "200" and body and all(_is_ok(answer) for _, answer in body):
            return finding(code, step, Verdict.PASS, msg("healthy"), HEALTHY, verbatim(line.strip()), run, number)
        return _ill(code, step, run, number, line)
    if raised := _raised(
        run, r"urllib\.error\.\w+|http\.client\.\w+|(?:socket\.)?timeout|\w*Timeout\w*|Connection\w*Error|OSError"
    ):
        stream, number, line = raised
        return replace(_ill(code, step, run, number, line), evidence=seen_at(run, number, stream))
    return unseen(code, step, run, HEALTHY, failure(run))


def _service(run: Run, logs: tuple[Run, ...]) -> Finding:
    """HEALTH-SERVICE: the answer on 7-2's standard output, else in the log of tmp-curl.

    kubectl's own end says nothing: it fails while the service is healthy, and succeeds when curl failed. Without an
    answer from either the service was not seen.
    """
    code, step = "HEALTH-SERVICE", "7-2"
    why: Failure | Message | None = failure(run)
    in_the_way = _already_there(run) or (run.ended is Ended.REFUSED and run.note == Refusal.LEFTOVER_POD.value)
    if in_the_way:
        remove = do(
            f"kubectl delete pod {TMP_CURL} -n observer-prod",
            msg("a pod {pod} is in the way: delete it if nobody needs it, then run Step 7 again", pod=TMP_CURL),
        )
        return unseen(code, step, run, HEALTHY, why, (remove,))
    for source in (run, *logs):
        body = answers(source.out)
        if not body:
            continue
        line, answer = next((one for one in body if not _is_ok(one[1])), body[0])
        said = _shown(answer)
        if _is_ok(answer):
            summary = msg("healthy") if source is run else msg("healthy, by the log of {pod}", pod=TMP_CURL)
            return finding(code, step, Verdict.PASS, summary, HEALTHY, said, source, line)
        return _ill(code, step, source, line, said)
    if why is None and run.ended in (Ended.EXITED, Ended.SETTLED):
        why = msg("no answer was printed, neither by the command nor in the log of {pod}", pod=TMP_CURL)
    return unseen(code, step, run, HEALTHY, why)


_NOT_ADMITTED = re.compile(
    r"^Error from server \((?!AlreadyExists|NotFound|Unauthorized)\w+\): .*(?:pods \"tmp-curl\"|webhook)|denied the request"
)
_STARTED = re.compile(r"(?:Started|Created) container|Container (?:started|created)")


def _new_pod(run: Run, logs: tuple[Run, ...], description: Run) -> tuple[Finding, ...]:
    """NEW-POD: whether the pod that 7-2 makes came up; before Step 8 nothing else shows whether a new pod can.

    A pod that no node takes stays Pending, which the guide calls abnormal (Step 6-1). One that the API server does not
    admit is inconclusive, and one that only lacks curl's own image is a warning: both say nothing of Observer's pods.
    """
    code, step, wanted = "NEW-POD", "7-2", msg("the pod {pod} is admitted, scheduled and started", pod=TMP_CURL)
    if not run.happened or _already_there(run):
        return ()
    if refusal := _refusal(run):
        number, line = refusal
        refused = unseen(code, step, run, wanted, verbatim(line.strip()))
        return (replace(refused, summary=msg("a new pod is not admitted"), evidence=seen_at(run, number, "stderr")),)
    came_up, ran = msg("a new pod came up"), msg("it ran")
    answered = next((source for source in (run, *logs) if answers(source.out)), None)
    if answered:
        return (finding(code, step, Verdict.PASS, came_up, wanted, ran, answered),)
    if trouble := _trouble(description):
        said = verbatim(f"{trouble.reason}: {trouble.message}")
        if trouble.reason == "FailedScheduling":
            look = do("kubectl get nodes -o wide", msg("is the node cordoned, tainted or full?"))
            summary = msg("a new pod cannot be scheduled")
            return (finding(code, step, Verdict.FAIL, summary, wanted, said, description, trouble.line, (look,)),)
        summary = msg("a new pod is scheduled, but the image of curl does not come")
        return (finding(code, step, Verdict.WARN, summary, wanted, said, description, trouble.line),)
    started = next((event for event in _events(description) if _STARTED.match(event.message)), None)
    if started:
        return (finding(code, step, Verdict.PASS, came_up, wanted, ran, description, started.line),)
    if 'pod "tmp-curl" deleted' in run.out and "timed out waiting for the condition" not in run.err:
        return (finding(code, step, Verdict.PASS, came_up, wanted, ran, run),)
    return (unseen(code, step, run, wanted, failure(run)),)


def _refusal(run: Run) -> tuple[int, str] | None:
    """The line in which the API server says that it does not take the pod, and its number."""
    return next(((number, line) for number, line in free_lines(run.err) if _NOT_ADMITTED.search(line)), None)


def _events(description: Run) -> tuple[Event, ...]:
    """The events of a described pod; none where they cannot be read."""
    if failure(description) or not description.out.strip():
        return ()
    try:
        return events(description.out)
    except UnreadableText:
        return ()


def _trouble(description: Run) -> Event | None:
    """The event that says why a pod does not come up; None once it has started, or before anything went wrong."""
    seen = _events(description)
    if any(_STARTED.match(event.message) for event in seen):
        return None
    wrong = (
        event
        for event in reversed(seen)
        if event.reason == "FailedScheduling" or event.message.startswith("Failed to pull image")
    )
    scheduled = any(event.reason == "Scheduled" for event in seen)
    return next((event for event in wrong if event.reason != "FailedScheduling" or not scheduled), None)


_TAKEN = re.compile(r"address already in use|[Uu]nable to listen on port|[Uu]nable to create listener")
_GUIDE_ROWS: tuple[tuple[re.Pattern[str], Remedy], ...] = (
    (
        re.compile(r"does not have a service port"),
        advise(msg("check the ports in the base YAML: observer=8000, postgres=5432 (Step 5)")),
    ),
    (
        re.compile(r'services? "observer" not found'),
        advise(msg("the Service observer is missing: apply its manifest again (Step 5)")),
    ),
    (re.compile(r"pod is not running\. Current status="), advise(msg("no observer pod runs: see Step 6"))),
)
"""What port-forward says that is a failure of Observer or its Service, not of the way to the cluster."""


def _forwarded(forward: Run, curl: Run) -> Finding:
    """HEALTH-FORWARD: listening, a connection handled, and the answer, all three.

    Without the handled connection the answer may be another program's that owns port 8000 of this machine.
    """
    code, step = "HEALTH-FORWARD", "7-3"
    listening = "Forwarding from" in forward.out
    handled = listening and "Handling connection for 8000" in forward.out
    body = answers(curl.out)
    if handled and body and all(_is_ok(answer) for _, answer in body):
        return finding(code, step, Verdict.PASS, msg("healthy"), HEALTHY, _shown(body[0][1]), curl, body[0][0])
    taken = next(((number, line) for number, line in free_lines(forward.err) if _TAKEN.search(line)), None)
    if taken:
        free = advise(msg("another program on this machine uses port 8000: stop it, then run Step 7 again"))
        return replace(
            unseen(code, step, forward, HEALTHY, verbatim(taken[1].strip()), (free,)),
            evidence=seen_at(forward, taken[0], "stderr"),
        )
    if handled and body:
        at, answer = next(one for one in body if not _is_ok(one[1]))
        return _ill(code, step, curl, at, _shown(answer))
    for number, line in free_lines(forward.err):
        row = next((remedy for words, remedy in _GUIDE_ROWS if words.search(line)), None)
        if row:
            bad = finding(
                code, step, Verdict.FAIL, msg("cannot be forwarded"), HEALTHY, verbatim(line.strip()), remedy=(row,)
            )
            return replace(bad, evidence=seen_at(forward, number, "stderr"))
        if listening and not body and "lost connection to pod" in line:
            return replace(_ill(code, step, forward, number, line), evidence=seen_at(forward, number, "stderr"))
    if handled and not curl.out.strip() and curl.exit_code == 22:  # curl -f: the server answered 400 or more
        return _ill(code, step, curl, None, msg("HTTP status 400 or more"))
    if handled and curl.out.strip() and not curl.out.lstrip().startswith("{") and curl.exit_code == 0:
        return _ill(code, step, curl, 1, curl.out)
    if not listening:
        return unseen(code, step, forward, HEALTHY, failure(forward))
    if not handled:
        return unseen(
            code, step, forward, HEALTHY, msg("the forward handled no connection, so nothing came through it")
        )
    return unseen(code, step, curl, HEALTHY, failure(curl))


_DB_ROWS: tuple[tuple[re.Pattern[str], Message], ...] = (
    (
        re.compile(r"ConnectionRefusedError|Connection refused"),
        msg("the pod postgres-0 does not run (Step 6), or its Service is missing (Step 5)"),
    ),
    (re.compile(r"gaierror|[Nn]ame resolution"), msg("the Service postgres does not exist (Step 5)")),
    (
        re.compile(r"[Tt]ime(?:d ?)?out"),
        msg("the database did not answer within 5 s: check postgres-0 (Step 6) and its Service (Step 5)"),
    ),
    (
        re.compile(r"OSError|Connection\w*Error"),
        msg("the database cannot be reached from the pod: check postgres-0 (Step 6) and its Service (Step 5)"),
    ),
)


def _database(run: Run) -> Finding:
    """DB-CONNECTION: `DB connection OK`, or the guide's cause for the Python error."""
    code, step, good = "DB-CONNECTION", "7-4", "DB connection OK"
    for number, line in free_lines(run.out):
        if line.strip() == good:
            return finding(code, step, Verdict.PASS, msg("the database port answers"), good, good, run, number)
    if raised := _raised(
        run, r"ConnectionRefusedError|socket\.(?:gaierror|timeout)|TimeoutError|OSError|Connection\w*Error"
    ):
        stream, number, line = raised
        cause = next((cause for words, cause in _DB_ROWS if words.search(line)), _DB_ROWS[-1][1])
        bad = finding(
            code,
            step,
            Verdict.FAIL,
            msg("no connection to the database"),
            good,
            verbatim(line),
            remedy=(advise(cause),),
        )
        return replace(bad, evidence=seen_at(run, number, stream))
    return unseen(code, step, run, good, failure(run))


def _raised(run: Run, kinds: str) -> tuple[str, int, str] | None:
    """The last line of a Python traceback that names one of `kinds`: stream, line, text.

    With a terminal, a traceback comes on standard output.
    """
    named = re.compile(rf"(?:{kinds})(?::|$)")
    for stream, text in (("stderr", run.err), ("stdout", run.out)):
        if "Traceback (most recent call last):" not in text:
            continue
        for number, line in reversed(list(free_lines(text))):
            if named.match(line):
                return stream, number, line.strip()
    return None


def _ill(code: str, step: str, run: Run, line: int | None, actual: Message | str) -> Finding:
    text = actual if isinstance(actual, Message) else verbatim(actual.strip()[:200])
    remedy = do(
        "kubectl logs -l app=observer -n observer-prod --tail=50",
        msg("find out why /health does not answer well (Step 6-3)"),
    )
    return finding(code, step, Verdict.FAIL, msg("not healthy"), HEALTHY, text, run, line, (remedy,))


STEP = Step("7", msg("Health check"), (IN_POD, VIA_SERVICE, FORWARD, CURL, STOP, DATABASE), judge, perform)
