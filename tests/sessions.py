"""Verifications built by hand, one for each way in which a report can come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from playbook.model import (
    Abort,
    Cause,
    Cluster,
    Ended,
    Evidence,
    Finding,
    Provenance,
    Remedy,
    Run,
    Session,
    StepResult,
    Verdict,
    Waiver,
)
from playbook.output import columns, terminal
from playbook.refusals import Refusal
from playbook.text import Message, msg, verbatim

BEGAN = datetime(2026, 11, 22, 14, 3, 5, 123456, tzinfo=timezone.utc)
TITLES = {
    str(n): msg(title)
    for n, title in enumerate(
        (
            "Cluster",
            "Namespace",
            "PVCs",
            "Secrets",
            "ConfigMap",
            "Services",
            "Pods",
            "Health",
            "Persistence",
            "Stability",
        )
    )
}
CODES = {
    "0": ("0", "API-REACHED", "step0-cluster-info"),
    "1": ("1", "NAMESPACE-ACTIVE", "step1-namespace"),
    "2": ("2", "PVC-BOUND/observer-db-pvc", "step2-pvc"),
    "3": ("3-3", "OBSERVER-SECRETS", "step3-3-observer-secrets"),
    "4": ("4", "CONFIG-PATH/OBSERVER_DATA_DIR", "step4-path-contract"),
    "5": ("5", "SERVICE/observer", "step5-services"),
    "6": ("6-1", "POD-STATUS/postgres-0", "step6-1-pods"),
    "7": ("7-1", "HEALTH-POD", "step7-1-health-in-pod"),
    "8": ("8-3", "FILES-KEPT", "step8-3-count-files"),
}
PODS = ("observer-7cd9cf784-2xkqp", "observer-7cd9cf784-w8d7n", "postgres-0")


def run(
    command: str,
    out: str | bytes = "",
    err: str = "",
    status: int | None = 0,
    *,
    ended: Ended = Ended.EXITED,
    at: datetime = BEGAN,
    seconds: float = 0.08,
    ordinal: int = 1,
    note: str = "",
) -> Run:
    """A run that printed `out` and `err`."""
    stdout = out if isinstance(out, bytes) else out.encode()
    return Run(command, ordinal, stdout, err.encode(), status, ended, at, seconds, note)


def finding(
    code: str,
    step: str,
    verdict: Verdict = Verdict.PASS,
    summary: str = "as expected",
    expected: str = "there",
    actual: str = "there",
    evidence: Evidence | None = None,
    remedy: tuple[Remedy, ...] = (),
) -> Finding:
    """A finding in words that are the same in every language."""
    return Finding(code, step, verdict, verbatim(summary), verbatim(expected), verbatim(actual), evidence, remedy)


def passed(step: str) -> StepResult:
    """Step 0 to 8 as it is when all is well."""
    number, code, command = CODES[step]
    at = BEGAN + timedelta(seconds=2 * int(step))
    return StepResult(
        step,
        (finding(code, number, evidence=Evidence(command, 1)),),
        (run(command, "all is well\n", at=at),),
        judged_at=at + timedelta(seconds=1),
    )


def not_run(step: str) -> StepResult:
    """A step that the run did not reach."""
    return StepResult(step, (finding("STEP", step, Verdict.NOT_RUN, "not run", actual="-"),))


def samples(counts: Sequence[tuple[int, int, int]], hours: float) -> StepResult:
    """Step 9 with one sample for each triple of RESTARTS, `hours` apart."""
    runs = []
    for index, triple in enumerate(counts):
        at = BEGAN + timedelta(hours=hours * index)
        rows = "".join(
            f"{name:26}Running   {n:<10}2026-11-22T10:00:00Z\n" for name, n in zip(PODS, triple, strict=True)
        )
        runs.append(
            run("step9-1-pod-restarts", f"{'NAME':26}STATUS    RESTARTS  STARTED\n{rows}", at=at, ordinal=index + 1)
        )
        runs.append(run("step9-3-recent-files", "12\n", at=at, ordinal=index + 1))
    over = hours * (len(counts) - 1) >= 24
    verdict = Verdict.PASS if over else Verdict.PENDING
    found = [finding("BASELINE", "9-1", evidence=Evidence("step9-1-pod-restarts", 2))]
    found += [finding(f"STABLE/{name}", "9-2", verdict) for name in PODS]
    found += [finding("RECENT-FILES", "9-3", verdict)]
    return StepResult("9", tuple(found), tuple(runs), judged_at=runs[-1].started_at)


def _session(results: Sequence[StepResult], **more: object) -> Session:
    return replace(
        Session(
            id="20261122T140305Z-k3s",
            guide_version="1.0",
            cluster=Cluster("https://10.0.0.5:6443", ("oracle-obs-arm",)),
            started_at=BEGAN,
            ended_at=BEGAN + timedelta(hours=25),
            results=tuple(results),
            history=tuple(r for r in results if r.judged_at),
            operator="kim",
            provenance=Provenance(
                "0.1.0", "0" * 64, tools=(("kubectl", "v1.32.4"), ("bash", "5.2.15"), ("playbook", "0.1.0"))
            ),
            digest="c0ffee" * 10 + "beef",
        ),
        **more,  # type: ignore[arg-type]
    )


def complete() -> Session:
    """Everything as the guide wants it."""
    return _session([*map(passed, "012345678"), samples([(0, 0, 0), (0, 0, 0)], 24)], attempts=2)


def pending() -> Session:
    """Steps 0 to 8 pass, Step 9 has a baseline and two samples, one pod restarted once."""
    return _session([*map(passed, "012345678"), samples([(0, 0, 0), (0, 1, 0), (0, 1, 4)], 2)])


def secret_missing() -> StepResult:
    """Step 3 without observer-secrets."""
    why = Evidence("step3-3-observer-secrets", 1, stream="stderr")
    remedy = (Remedy("python -m playbook show step3-3-create-observer-secrets", msg("create it, then verify again")),)
    found = finding(
        "OBSERVER-SECRETS",
        "3-3",
        Verdict.FAIL,
        "observer-secrets does not exist",
        "observer-secrets, Opaque",
        'Error from server (NotFound): secrets "observer-secrets" not found',
        why,
        remedy,
    )
    said = run(
        "step3-3-observer-secrets", "", 'Error from server (NotFound): secrets "observer-secrets" not found\n', 1
    )
    return StepResult("3", (finding("SEALED-CONTROLLER", "3-1"), found), (said,), judged_at=BEGAN)


def aborted() -> Session:
    """Criterion 1 met at Step 3; what it explains is named."""
    cause = Cause(
        "SECRET-ABSENT",
        "3-3",
        msg("observer-secrets does not exist"),
        msg("it is made by hand, not by a SealedSecret"),
        'secrets "observer-secrets" not found',
        Evidence("step3-3-observer-secrets", 1, stream="stderr"),
        (
            Remedy("python -m playbook show step3-3-create-observer-secrets"),
            Remedy("", msg("then verify from Step 6")),
            Remedy("kubectl create secret generic x \\\n  --from-literal=A=b"),
        ),
        ("POD-STATUS/postgres-0", "HEALTH-POD"),
    )
    return _session(
        [*map(passed, "012"), secret_missing(), *map(not_run, "456789")],
        abort=Abort(1, "3-3"),
        causes=(cause,),
        diagnosis=(run("get-sc", "NAME\nlocal-path\n"),),
    )


def failed() -> Session:
    """Step 5 fails, Step 7 cannot be seen, Step 8 was not allowed; Step 5 was tried twice."""
    service = finding(
        "SERVICE/postgres",
        "5",
        Verdict.FAIL,
        "the Service is missing",
        "ClusterIP, 5432/TCP",
        "no such Service",
        Evidence("step5-services", 2, 2),
        (Remedy("kubectl apply -k infra/k8s/overlays/production"),),
    )
    first = StepResult("5", (service,), (run("step5-services", "first time\n"),), 1, BEGAN)
    second = StepResult(
        "5", (service,), (run("step5-services", "second time\n", ordinal=2),), 2, BEGAN + timedelta(hours=1)
    )
    unseen = finding(
        "HEALTH-SERVICE",
        "7-2",
        Verdict.INCONCLUSIVE,
        "could not be seen",
        "HTTP 200",
        "no answer within 90 s",
        Evidence("step7-2-health-via-service"),
    )
    skipped = finding(
        "RESTART-OBSERVER", "8-2", Verdict.SKIPPED, "not run: a restart needs --allow-restart", actual="-"
    )
    warned = finding("K3S-VERSION/oracle-obs-arm", "0", Verdict.WARN, "the version does not say k3s", "+k3s", "v1.30.0")
    results = [
        replace(passed("0"), findings=(warned,)), *map(passed, "1234"), second, passed("6"),
        StepResult("7", (unseen,), (run("step7-2-health-via-service", status=None, ended=Ended.TIMEOUT, seconds=90.0),),
                   judged_at=BEGAN),
        StepResult("8", (skipped,), (run("step8-2-delete-observer", status=None, ended=Ended.REFUSED,
                                         note=Refusal.NOT_CONFIRMED.value),), judged_at=BEGAN),
        not_run("9"),
    ]  # fmt: skip
    return _session(
        results, history=(*map(passed, "01234"), first, *results[5:9]), attempts=2, stale=(("6", "LATER-CHANGE"),)
    )


def waived() -> Session:
    """All well but for one Service, which somebody accepts."""
    odd = finding(
        "SERVICE-PORT/observer",
        "5",
        Verdict.FAIL,
        "another port",
        "8000/TCP",
        "8080/TCP",
        Evidence("step5-services", 2),
        (Remedy("", msg("check the base YAML")),),
    )
    waiver = Waiver("SERVICE-PORT/observer", "5", "lee", "moved on | purpose", BEGAN + timedelta(hours=2), "d1gest")
    results = [
        *map(passed, "01234"),
        replace(passed("5"), findings=(odd,)),
        *map(passed, "678"),
        samples([(0, 0, 0)] * 2, 24),
    ]
    return _session(results, waivers=(waiver,))


HOSTILE = (
    "\x1b[31mNotReady\x1b[0m | pipe\x00 \x1b]0;title\x07\r\n```\n</details><script>alert(1)</script>\n"
    "````text\n파드가 준비되지 않음 \u202egnp.exe\n\x9b2Jwiped \x1b[2J\n"
)


def hostile() -> Session:
    """Every text that comes from outside tries to break out of its place."""
    odd = Finding(
        "POD-STATUS/x|y", "6-1", Verdict.FAIL, verbatim("<img src=x onerror=alert(1)> a|b\nc \x1b[2J"),
        verbatim("*Running* `x` [a](http://evil) &lt; <none>"), verbatim(HOSTILE),
        Evidence("step6-1-pods", 7), (Remedy('kubectl describe pod x -n observer-prod | grep "Failed"'),),
    )  # fmt: skip
    long = "".join(f"line {n} 로그\n" for n in range(5000))
    runs = (
        run("step6-1-pods", HOSTILE, HOSTILE),
        run("step6-3-logs-observer", long),
        run("step6-3-logs-postgres", b"\xff\xfe not UTF-8 " + b"x" * 300_000),
    )
    results = [*map(passed, "012345"), StepResult("6", (odd,), runs, judged_at=BEGAN), *map(not_run, "789")]
    return _session(results, operator="<b>|root|</b>\n## forged", cluster=Cluster("https://x|`y`", ("a\x1b[2Jb",)))


def empty() -> Session:
    """Nothing came of it: Step 0 saw nothing, the rest was not run, no end, no cluster."""
    return _session(
        [StepResult("0", ()), *map(not_run, "123456789")],
        cluster=None,
        ended_at=None,
        operator="",
        provenance=None,
        digest="",
    )


ALL = (complete, pending, aborted, failed, waived, hostile, empty)


def korean(title: str) -> dict[str, Message]:
    """Titles with wide characters."""
    return {number: verbatim(f"{title} {number}" if int(number) % 2 else "PVC 상태 확인") for number in TITLES}


def step_lines(session: Session, titles: Mapping[str, Message]) -> list[str]:
    """The line of each step, as the terminal puts it together."""
    widest = max(columns.width(str(title)) for title in titles.values())
    return [
        f"{terminal.step_head(result.step, titles[result.step], widest)}  {terminal.step_tail(result.verdict, result.seconds)}"
        for result in session.results
    ]
