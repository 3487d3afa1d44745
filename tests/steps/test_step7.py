"""Step 7: the health answer by three paths and the database port; how 7-2 is carried out without its wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from handmade import REFUSED, bad, of, said, typed, verdicts
from support import runs_of

from playbook.kubectl.health import answers
from playbook.model import Ended, Finding, Run, Runs, missing
from playbook.refusals import Refusal
from playbook.steps.step7_health import STEP, judge

TTY = "Unable to use a TTY - input is not a terminal or the right kind of file\n"
IN_POD, SERVICE, DB = "step7-1-health-in-pod", "step7-2-health-via-service", "step7-4-db-connection"
FORWARD, CURL, STOP = "step7-3-port-forward", "step7-3-curl", "step7-3-stop-port-forward"
LOGS, PREVIOUS, DESCRIBED = "logs.tmp-curl", "logs-previous.tmp-curl", "describe-pod.tmp-curl"
OK = '{"status": "ok", "uptime": 7142}'
GONE = 'Error from server (NotFound): pods "tmp-curl" not found\n'
BEING_DELETED = 'Error from server (AlreadyExists): object is being deleted: pods "tmp-curl" already exists\n'
EXISTS = 'Error from server (AlreadyExists): pods "tmp-curl" already exists\n'


def recorded(state: str) -> tuple[Finding, ...]:
    return judge(runs_of(state, *STEP.commands, LOGS, PREVIOUS))


def healthy(*instead: Run) -> tuple[Finding, ...]:
    keys = {run.command for run in instead}
    return judge(Runs([*(run for run in runs_of("1.20/healthy", *STEP.commands) if run.command not in keys), *instead]))


def traceback(last: str) -> str:
    return f'{TTY}Traceback (most recent call last):\n  File "<string>", line 1, in <module>\n{last}\ncommand terminated with exit code 1\n'


# Recordings


@pytest.mark.parametrize(
    "state", ["1.20/healthy", "1.20/healthy-24h", "1.20/attach-race", "1.34/healthy", "1.34/healthy-24h"]
)
def test_healthy(state: str) -> None:
    assert verdicts(recorded(state)) == dict.fromkeys(
        ("HEALTH-POD", "HEALTH-SERVICE", "NEW-POD", "HEALTH-FORWARD", "DB-CONNECTION"), "pass"
    )


def test_the_answer_in_the_log_settles_7_2() -> None:
    found = of(recorded("1.20/attach-race"), "HEALTH-SERVICE")
    assert found.evidence is not None and found.evidence.command == PREVIOUS
    assert "log of tmp-curl" in str(found.summary)
    without = judge(runs_of("1.20/attach-race", *STEP.commands))
    assert verdicts(without)["HEALTH-SERVICE"] == "inconclusive"
    assert "timed out waiting for the condition" in str(of(without, "HEALTH-SERVICE").actual)


@pytest.mark.parametrize(
    ("state", "code", "words"),
    [
        ("1.20/db-down", "DB-CONNECTION", "ConnectionRefusedError"),
        ("1.20/service-missing", "DB-CONNECTION", "gaierror"),
        ("1.20/service-port", "HEALTH-FORWARD", "does not have a service port 8000"),
        ("1.34/disk-pressure", "HEALTH-FORWARD", "Current status=Failed"),
        ("1.20/secret-key-missing", "HEALTH-FORWARD", "lost connection to pod"),
    ],
)
def test_recorded_failures(state: str, code: str, words: str) -> None:
    found = of(recorded(state), code)
    assert found.verdict.value == "fail" and words in str(found.actual) and found.remedy
    assert found.evidence is not None and found.evidence.stream == "stderr" and found.evidence.line


@pytest.mark.parametrize("state", ["1.20/secret-missing", "1.20/pvc-pending", "1.34/init-waiting"])
def test_a_pod_that_is_pending_may_be_on_its_way(state: str) -> None:
    found = of(recorded(state), "HEALTH-FORWARD")
    assert found.verdict.value == "inconclusive" and "Current status=Pending" in str(found.actual)


@pytest.mark.parametrize("state", ["1.20/api-down", "1.20/node-not-ready"])
def test_what_cannot_be_reached_is_not_called_ill(state: str) -> None:
    assert set(verdicts(recorded(state)).values()) == {"inconclusive"}


@pytest.mark.parametrize("command", [IN_POD, SERVICE, FORWARD, CURL, DB])
@pytest.mark.parametrize("how", ["missing", "empty", "refused", "timeout"])
def test_an_output_that_is_not_there_never_passes(command: str, how: str) -> None:
    run = {
        "missing": missing(command),
        "empty": said(command),
        "refused": said(command, err=REFUSED, code=0),
        "timeout": said(command, ended=Ended.TIMEOUT),
    }[how]
    assert set(bad(healthy(run)).values()) == {"inconclusive"}  # 7-2 answers two questions: the service, and a new pod


# Answers


def test_answers() -> None:
    assert answers(f'{OK}pod "tmp-curl" deleted from observer-prod namespace\n')[0][1]["status"] == "ok"
    assert len(answers(f"All commands and output from this session will be recorded\n{OK}{OK}pod deleted")) == 2
    assert answers('{"a": 1}\n{"status": "degraded"}') == ()
    assert answers('{"a": 1}') == ((1, {"a": 1}),)
    assert answers('{"status": "ok", "upt') == () == answers("") == answers("[1]")
    assert answers("{" * 1_000_000) == () == answers('{"a":' * 100_000)


NO_BODY = [
    f"<html><pre>{OK}</pre></html>",
    f"<!DOCTYPE html>\n<script>window.state = {OK}</script>",
    f"[{OK}]",
    f"the last answer was {OK}",
    f'{{"upstream": {OK}',
    f'{{"detail": {OK}}}',
    f"{OK[:-1]}",
    f"{OK}, and more",
    f"{OK}<br>",
    '"' + OK.replace('"', '\\"') + '"',
    f'{{"a": 1}}\n{OK}',
    '{"status": "error", "status": "ok"}',
    '{"status": "ok", "status": "ok", "checks": {"db": "down", "db": "up"}}',
    "x" * 200_000 + OK,
    f'{{"blob": "{"x" * 150_000}", "inner": {OK}, "cut',
]
"""Bodies that hold a healthy answer and are none."""


@pytest.mark.parametrize("body", NO_BODY)
def test_an_object_within_something_else_is_no_answer(body: str) -> None:
    in_pod = verdicts(healthy(said(IN_POD, f"200 {body}\n")))["HEALTH-POD"]
    service = verdicts(healthy(said(SERVICE, f'{body}pod "tmp-curl" deleted\n')))["HEALTH-SERVICE"]
    by_log = verdicts(healthy(said(SERVICE, ended=Ended.STOPPED_EARLY), said(LOGS, body)))["HEALTH-SERVICE"]
    forwarded = verdicts(healthy(said(FORWARD, HANDLED, code=-15), said(CURL, body)))["HEALTH-FORWARD"]
    assert "pass" not in (in_pod, service, by_log, forwarded)


@pytest.mark.parametrize(
    "body",
    [OK, '{\n  "status": "ok",\n  "uptime": 7142\n}', f"{OK}\n", f'{{"status": "ok", "files": "{"x" * 200_000}"}}',
     '{"status": "ok", "checks": {"db": {"status": "ok"}}, "last": [{"status": "degraded"}]}'],
    ids=["short", "over several lines", "with a line end", "long", "with more in it"],
)  # fmt: skip
def test_one_whole_object_is_the_answer_whatever_kubectl_says_around_it(body: str) -> None:
    assert verdicts(healthy(said(IN_POD, f"200 {body}\n")))["HEALTH-POD"] == "pass"
    assert verdicts(healthy(said(FORWARD, HANDLED, code=-15), said(CURL, body)))["HEALTH-FORWARD"] == "pass"
    for out in (
        f'{body}pod "tmp-curl" deleted\n',
        f'{body}pod "tmp-curl" deleted from observer-prod namespace\n',
        f'If you don\'t see a command prompt, try pressing enter.\n{body}\npod "tmp-curl" deleted\r\n',
        f"All commands and output from this session will be recorded in container logs, including credentials.\n{body}{body}",
    ):
        assert verdicts(healthy(said(SERVICE, out)))["HEALTH-SERVICE"] == "pass"


UNWELL = {
    '{"status": "ok", "database": "disconnected"}': "database: disconnected",
    '{"status": "ok", "checks": {"db": {"status": "DOWN", "latency_ms": 4}, "disk": {"status": "UP"}}}': "checks.db.status: DOWN",
    '{"status": "ok", "components": {"kis": {"healthy": false}}}': "components.kis.healthy: false",
    '{"status": "ok", "db_connected": false, "debug": false}': "db_connected: false",
    '{"status": "ok", "disk": "warn"}': "disk: warn",
}
"""Handmade, after the answers of FastAPI services and of Spring's actuator, which list their parts."""


@pytest.mark.parametrize("body", UNWELL)
def test_an_answer_that_calls_a_part_not_well_is_a_warning_that_names_it(body: str) -> None:
    forwarded = said(FORWARD, HANDLED, code=-15), said(CURL, body)
    found = healthy(said(IN_POD, f"200 {body}\n"), said(SERVICE, body), *forwarded)
    told = {finding.code: (finding.verdict.value, finding.summary.english) for finding in found}
    for code in ("HEALTH-POD", "HEALTH-SERVICE", "HEALTH-FORWARD"):
        assert told[code] == ("warn", f"it answers ok, and calls a part not well: {UNWELL[body]}")


@pytest.mark.parametrize(
    "body",
    [
        '{"status": "ok", "error": null, "errors": [], "last_error": "", "failed": 0, "log_level": "warning", "debug": false, "paused": false}',
        '{"status": "ok", "events": [{"status": "failed"}], "on_failure": "restart", "name": "errors"}',
    ],
)
def test_words_that_say_nothing_of_a_part_are_no_warning(body: str) -> None:
    assert verdicts(healthy(said(IN_POD, f"200 {body}\n")))["HEALTH-POD"] == "pass"


@pytest.mark.parametrize(
    ("out", "err", "verdict"),
    [
        (f"200 {OK}\n", "", "pass"),
        (f"200 {OK}\r\n", "", "pass"),
        ('200 {"status": "degraded"}\n', "", "fail"),
        ("200 OK\n", "", "fail"),
        ('200 {"status": "o', "", "inconclusive"),
        (f"203 {OK}\n", "", "fail"),
        (f"{OK}\n", "", "inconclusive"),
        ("", traceback("urllib.error.HTTPError: HTTP Error 503: Service Unavailable"), "fail"),
        ("", traceback("urllib.error.URLError: <urlopen error [Errno 111] Connection refused>"), "fail"),
        ("", traceback("TimeoutError: timed out"), "fail"),
        ("", traceback("socket.timeout: timed out"), "fail"),
        (traceback("TimeoutError: timed out"), "", "fail"),
        ("", traceback("ModuleNotFoundError: No module named 'urllib'"), "inconclusive"),
        ("", TTY + 'error: unable to upgrade connection: container not found ("observer")\n', "inconclusive"),
    ],
)
def test_in_pod(out: str, err: str, verdict: str) -> None:
    assert verdicts(healthy(said(IN_POD, out, err)))["HEALTH-POD"] == verdict


@pytest.mark.parametrize(
    ("run", "log", "verdict"),
    [
        (said(SERVICE, f"{OK}{OK}pod deleted", "error: timed out waiting for the condition\n"), None, "pass"),
        (said(SERVICE, '{"status": "starting"}pod "tmp-curl" deleted\n'), None, "fail"),
        (said(SERVICE, ended=Ended.STOPPED_EARLY), said(LOGS, OK), "pass"),
        (said(SERVICE, ended=Ended.STOPPED_EARLY), said(LOGS, '{"status": "down"}'), "fail"),
        (said(SERVICE, ended=Ended.TIMEOUT), said(LOGS, OK), "pass"),
        (said(SERVICE, 'pod "tmp-curl" deleted\n'), said(LOGS, err=GONE), "inconclusive"),
        (
            said(SERVICE, 'pod "tmp-curl" deleted\n'),
            said(LOGS, "unable to retrieve container logs for containerd://0d7a"),
            "inconclusive",
        ),
        (said(SERVICE, err=EXISTS), said(LOGS, OK), "inconclusive"),
        (said(SERVICE, err=BEING_DELETED), None, "inconclusive"),
        (replace(missing(SERVICE), ended=Ended.REFUSED, note=Refusal.LEFTOVER_POD.value), None, "inconclusive"),
    ],
)
def test_via_service(run: Run, log: Run | None, verdict: str) -> None:
    assert verdicts(healthy(run, *([log] if log else [])))["HEALTH-SERVICE"] == verdict


def test_a_leftover_pod_is_named_and_left_to_the_operator() -> None:
    for run in (
        said(SERVICE, err=EXISTS),
        replace(missing(SERVICE), ended=Ended.REFUSED, note=Refusal.LEFTOVER_POD.value),
    ):
        found = of(healthy(run), "HEALTH-SERVICE")
        assert "tmp-curl" in str(found.actual)
        assert typed(found) == ["kubectl delete pod tmp-curl -n observer-prod"]


DESCRIPTION = """Name:             tmp-curl
Namespace:        observer-prod
Status:           Pending
Events:
  Type     Reason     Age                From               Message
  ----     ------     ----               ----               -------
"""
SCHEDULED = "  Normal   Scheduled  24s                default-scheduler  Successfully assigned observer-prod/tmp-curl to oracle-obs-arm\n"
TAINTED = (
    "  Warning  FailedScheduling  21s   default-scheduler  0/1 nodes are available: 1 node(s) had untolerated taint(s). no new "
    "claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.\n"
)
RATE_LIMIT = (
    '  Warning  Failed     11s (x2 over 24s)  kubelet            Failed to pull image "curlimages/curl": failed to pull and '
    "unpack image: failed to resolve image: unexpected status from HEAD request to https://registry-1.docker.io/v2/: 429 Too "
    "Many Requests\n"
)
STARTED = "  Normal   Started    2s                 kubelet            Container started\n"
QUOTA = (
    'Error from server (Forbidden): pods "tmp-curl" is forbidden: exceeded quota: full, requested: pods=1, used: pods=3, '
    "limited: pods=3\n"
)
WEBHOOK = (
    'Error from server (InternalError): Internal error occurred: failed calling webhook "down.example.com": failed to call '
    'webhook: Post "https://nothere.default.svc:443/?timeout=10s": service "nothere" not found\n'
)
WAITED = "error: timed out waiting for the condition\n"


@pytest.mark.parametrize(
    ("run", "description", "verdict", "words"),
    [
        (said(SERVICE, OK), "", "pass", "it ran"),
        (said(SERVICE, ended=Ended.STOPPED_EARLY), DESCRIPTION + TAINTED, "fail", "untolerated taint"),
        (
            said(SERVICE, ended=Ended.STOPPED_EARLY),
            DESCRIPTION + SCHEDULED + RATE_LIMIT,
            "warn",
            "429 Too Many Requests",
        ),
        # it waited for a node first, then came up, and curl said nothing: the service is ill, new pods are not
        (said(SERVICE, err=WAITED), DESCRIPTION + TAINTED + SCHEDULED + STARTED, "pass", "it ran"),
        (said(SERVICE, err=WAITED), DESCRIPTION + SCHEDULED, "inconclusive", "timed out"),
        (said(SERVICE, err=WAITED), "", "inconclusive", "timed out"),
        (said(SERVICE, 'pod "tmp-curl" deleted\n'), "", "pass", "it ran"),
        (said(SERVICE, err=QUOTA), "", "inconclusive", "exceeded quota: full"),
        (said(SERVICE, err=WEBHOOK), "", "inconclusive", "failed calling webhook"),
        (said(SERVICE, err=REFUSED), "", "inconclusive", "was refused"),
        (said(SERVICE, ended=Ended.TIMEOUT), "", "inconclusive", "no answer within"),
    ],
)
def test_whether_a_new_pod_came_up(run: Run, description: str, verdict: str, words: str) -> None:
    """What kubectl 1.34 printed on a cluster that was tainted, full, or had its webhook down; the rate limit is the words
    of the observer's image with the name of curl's."""
    found = of(healthy(run, said(DESCRIBED, description)), "NEW-POD")
    assert found.verdict.value == verdict and words in str(found.actual)


@pytest.mark.parametrize("err", [QUOTA, QUOTA.replace("used: pods=3", "used: pods=4"), WEBHOOK])
def test_a_pod_that_is_not_admitted_has_its_way_back(err: str) -> None:
    """A quota that is just full leaves no place for 7-2's pod: nobody saw whether a node would take the next one."""
    found = of(healthy(said(SERVICE, err=err)), "NEW-POD")
    commands = [remedy.command for remedy in found.remedy]
    assert commands[0] == "kubectl describe namespace observer-prod"
    assert ("a quota is just full" in str(found.summary)) == (err == QUOTA)
    assert any("waive NEW-POD" in str(remedy.advice) for remedy in found.remedy) == (err == QUOTA)


@pytest.mark.parametrize("run", [missing(SERVICE), said(SERVICE, err=EXISTS), said(SERVICE, err=BEING_DELETED)])
def test_nothing_is_said_of_a_new_pod_that_was_not_asked_for(run: Run) -> None:
    assert "NEW-POD" not in verdicts(healthy(run))


LISTENING = "Forwarding from 127.0.0.1:8000 -> 8000\n"
HANDLED = f"{LISTENING}Handling connection for 8000\n"
TAKEN = (
    "Unable to listen on port 8000: Listeners failed to create with the following errors: [unable to create listener: "
    "Error listen tcp4 127.0.0.1:8000: bind: address already in use]\nerror: unable to listen on any of the requested ports: [{8000 8000}]\n"
)


@pytest.mark.parametrize(
    ("forward", "curl", "verdict"),
    [
        (said(FORWARD, HANDLED, code=-15), said(CURL, OK), "pass"),
        (said(FORWARD, LISTENING), said(CURL, OK), "inconclusive"),
        (said(FORWARD, ""), said(CURL, OK), "inconclusive"),
        (said(FORWARD, err=TAKEN), said(CURL, OK), "inconclusive"),
        (said(FORWARD, HANDLED), said(CURL, '{"status": "degraded"}'), "fail"),
        (said(FORWARD, HANDLED), said(CURL, code=22), "fail"),
        (said(FORWARD, HANDLED), said(CURL, "<html>"), "fail"),
        (said(FORWARD, HANDLED), said(CURL, '{"status": "o'), "inconclusive"),
        (said(FORWARD, HANDLED), said(CURL, code=56), "inconclusive"),
        (said(FORWARD, HANDLED, "error: lost connection to pod\n"), said(CURL, code=52), "fail"),
        (
            said(FORWARD, err='Error from server (NotFound): services "observer" not found\n'),
            said(CURL, code=7),
            "fail",
        ),
        (said(FORWARD, err=REFUSED), replace(missing(CURL), ended=Ended.REFUSED, note="no-forward"), "inconclusive"),
    ],
)
def test_forwarded(forward: Run, curl: Run, verdict: str) -> None:
    assert verdicts(healthy(forward, curl))["HEALTH-FORWARD"] == verdict


@pytest.mark.parametrize(
    ("out", "err", "verdict"),
    [
        ("DB connection OK\r\n", "", "pass"),
        ("", traceback("ConnectionRefusedError: [Errno 111] Connection refused"), "fail"),
        ("", traceback("socket.gaierror: [Errno -2] Name or service not known"), "fail"),
        ("", traceback("TimeoutError: timed out"), "fail"),
        ("", traceback("OSError: [Errno 113] No route to host"), "fail"),
        ("", traceback("ValueError: invalid literal for int() with base 10: 'x'"), "inconclusive"),
        ("", "Unable to connect to the server: dial tcp 10.0.0.5:6443: i/o timeout\n", "inconclusive"),
        ("DB connection", "", "inconclusive"),
    ],
)
def test_database(out: str, err: str, verdict: str) -> None:
    found = of(healthy(said(DB, out, err)), "DB-CONNECTION")
    assert found.verdict.value == verdict
    assert bool(found.remedy) == (verdict == "fail" or "Unable to connect" in err)


# Carrying it out


def test_its_checks_stand_side_by_side() -> None:
    """Each task asks the execution of its own; what is recorded is in the guide's order."""
    asked: list[str] = []

    class Own:
        def run(self, command: str, target: str = "") -> None:
            asked.append(command)

        def health_via_service(self) -> None:
            asked.append(SERVICE)

        def port_forward(self, *commands: str) -> None:
            asked.extend(commands)

        def together(self, tasks: Sequence[Callable[[Own], object]]) -> None:
            for task in tasks:
                task(Own())

    STEP.carry_out(Own())  # type: ignore[arg-type]
    assert asked == [IN_POD, SERVICE, FORWARD, CURL, STOP, DB]
