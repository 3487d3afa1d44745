"""Guide Step 6: the pods and their events; what is seen inside them (6-3 to 6-6) is judged in `step6_inside`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..errors import UnreadableText
from ..guide.expected import OBSERVER_REPLICAS, POSTGRES_POD
from ..kubectl.failures import Failure, FailureKind, failure
from ..kubectl.tables import Event, Row, age_seconds, events, ready, restarts, table, unreadable
from ..model import SEVERITY, Finding, Remedy, Run, Runs, Verdict
from ..text import Message, msg, verbatim
from .base import Execution, Step
from .findings import advise, do, finding, seen_at, unseen
from .step6_inside import environment, mounts, observer_log, postgres_log, write

PODS = "step6-1-pods"
DESCRIBE_POD = "describe-pod"
DESCRIBE = {"observer": "step6-2-describe-observer", "postgres": "step6-2-describe-postgres"}
LOG_OBSERVER, LOG_POSTGRES = "step6-3-logs-observer", "step6-3-logs-postgres"
ENV = "step6-4-env"
MOUNT = "step6-5-mounts"
WRITE = {"data": "step6-6-write-data", "logs": "step6-6-write-logs"}

STUCK_AFTER_S = 60
"""A pod in ContainerCreating for less than this is still starting, not stuck."""

BACK_OFF_S = 600
"""The kubelet forgets its back-off once a container has run this long: an older BackOff event is over."""


@dataclass(frozen=True, slots=True)
class Pod:
    """One row of 6-1 that the guide asks about."""

    name: str
    status: str
    row: Row

    @property
    def app(self) -> str:
        """The label that 6-2 and 6-3 select it by."""
        return "postgres" if self.name == POSTGRES_POD else "observer"

    @property
    def restarts(self) -> int:
        """How often its containers were started again; raises UnreadableText."""
        return restarts(self.row["RESTARTS"], self.row.line)

    @property
    def previous_log(self) -> Remedy:
        """The guide's command for a container that crashed."""
        return do(
            f"kubectl logs {self.name} -n observer-prod --previous", msg("find the cause of the crash in the log")
        )

    def described(self, advice: Message) -> Remedy:
        """The guide's command for a pod that does not start."""
        return do(f"kubectl describe pod {self.name} -n observer-prod", advice)


def perform(step: Step, execution: Execution) -> None:
    """All commands side by side; where kubectl leaves out the events, the guide's own command for one pod has them."""
    runs = Runs(execution.side_by_side(step.commands))
    blind = [app for app, command in DESCRIBE.items() if _without_events(runs.last(command))]
    try:
        pods = pods_of(runs.last(PODS)) if blind else ()
    except UnreadableText:
        return
    for pod in pods:
        if pod.app in blind:
            execution.run(DESCRIBE_POD, pod.name)


def judge(runs: Runs) -> tuple[Finding, ...]:
    """The findings of Step 6 from the runs of its nine commands; what is missing or unreadable is inconclusive."""
    return (
        *_pods(runs),
        *crash_loops(runs),
        _events("EVENTS-OBSERVER", runs, "observer"),
        _events("EVENTS-POSTGRES", runs, "postgres"),
        observer_log(runs.last(LOG_OBSERVER)),
        postgres_log(runs.last(LOG_POSTGRES)),
        *environment(runs.last(ENV)),
        *mounts(runs.last(MOUNT)),
        *(write(name, runs.last(command)) for name, command in WRITE.items()),
    )


def pods_of(run: Run) -> tuple[Pod, ...]:
    """The observer pods and postgres-0 that 6-1 lists; other pods of the namespace are none of the guide's business.

    Terminating pods are left out: they are on their way out beside those that replace them. Raises UnreadableText.
    """
    found = []
    for row in table(run.out, ("NAME", "READY", "STATUS", "RESTARTS", "AGE")):
        if not (row["NAME"].startswith("observer-") or row["NAME"] == POSTGRES_POD):
            continue
        if not (row["READY"] and row["STATUS"] and row["RESTARTS"]):
            raise unreadable(row.line, row["NAME"])
        if row["STATUS"] != "Terminating":
            found.append(Pod(row["NAME"], row["STATUS"], row))
    return tuple(found)


def crash_loops(runs: Runs) -> tuple[Finding, ...]:
    """CRASH-LOOP for each pod that crash-loops, also between two back-offs (abort criterion 3); nothing for the others.

    CrashLoopBackOff is one phase of a cycle that a list of pods seldom catches. A pod is in that cycle when
    - its STATUS is CrashLoopBackOff (of an init container too), or
    - its container has ended and was started again before (RESTARTS of 1 or more): from the second end on the kubelet
      backs off, or
    - it runs, was restarted, and a BackOff event of a failed container is younger than the ten minutes after which the
      kubelet forgets. Kubelets that name the pod in the event speak of that pod only.
    A BackOff from pulling an image is none of these. RESTARTS without any of it is only a warn (POD-RESTARTS).
    """
    run = runs.last(PODS)
    try:
        pods = () if failure(run) else pods_of(run)
    except UnreadableText:
        return ()
    found = []
    for pod in pods:
        try:
            count = pod.restarts
        except UnreadableText:
            count = 0
        where, line, seen = run, pod.row.line, f"STATUS {pod.status}, RESTARTS {count}"
        state = pod.status.removeprefix("Init:")
        if state != "CrashLoopBackOff" and not (_ended(state) and count):
            event = _back_off(runs.last(DESCRIBE[pod.app]), pod.name) if count else None
            if event is None:
                continue
            where, line = runs.last(DESCRIBE[pod.app]), event.line
            seen = f"{seen}, {event.reason}: {event.message}"
        found.append(
            finding(
                f"CRASH-LOOP/{pod.name}",
                "6-1",
                Verdict.FAIL,
                msg("the pod crashes again and again"),
                "no CrashLoopBackOff",
                verbatim(seen),
                where,
                line,
                (pod.previous_log,),
            )
        )
    return tuple(found)


_ENDED = re.compile(
    r"Error|Completed|OOMKilled|ExitCode:-?\d+|Signal:\d+|StartError|RunContainerError|ContainerCannotRun|"
    r"ContainerStatusUnknown|DeadlineExceeded"
)


def _ended(state: str) -> bool:
    return bool(_ENDED.fullmatch(state))


def _back_off(run: Run, pod: str) -> Event | None:
    """The young BackOff event of a failed container that speaks of `pod`, or may."""
    try:
        seen = events(run.out) if run.out.strip() else ()
    except UnreadableText:
        return None
    about = " ".join(event.message for event in seen)
    named = {
        m[1] or m[2] for m in re.finditer(r" in pod ([a-z0-9.-]+)_|assigned observer-prod/([a-z0-9.-]+) to ", about)
    }
    if named and pod not in named:
        return None
    for event in seen:
        failed = event.reason == "BackOff" and event.message.startswith("Back-off restarting failed container")
        own = re.search(r" in pod ([a-z0-9.-]+)_", event.message)
        if failed and event.age_s is not None and event.age_s < BACK_OFF_S and (own is None or own[1] == pod):
            return event
    return None


# 6-1


def _pods(runs: Runs) -> Iterator[Finding]:
    run = runs.last(PODS)
    wanted = msg("{count} observer pods and {postgres}", count=OBSERVER_REPLICAS, postgres=POSTGRES_POD)
    why = failure(run)
    try:
        if why and why.kind is FailureKind.NO_RESOURCES:
            yield finding(
                "PODS-PRESENT",
                "6-1",
                Verdict.FAIL,
                msg("pods are missing"),
                wanted,
                msg("none"),
                run,
                remedy=(_apply(),),
            )
            return
        if why or run.exit_code not in (0, None):
            yield unseen("PODS-PRESENT", "6-1", run, wanted, why)
            yield unseen("POD-STATUS", "6-1", run, "Running, READY n/n", why)
            return
        pods = pods_of(run)
    except UnreadableText as error:
        yield unseen("PODS-PRESENT", "6-1", run, wanted, error)
        yield unseen("POD-STATUS", "6-1", run, "Running, READY n/n", error)
        return
    yield _present(pods, run, wanted)
    for pod in pods:
        yield _status(pod, run)
        try:
            if pod.restarts:
                yield finding(
                    f"POD-RESTARTS/{pod.name}",
                    "6-1",
                    Verdict.WARN,
                    msg("its containers were restarted"),
                    "RESTARTS 0",
                    verbatim(f"RESTARTS {pod.row['RESTARTS']}"),
                    run,
                    pod.row.line,
                    (pod.previous_log,),
                )
        except UnreadableText as error:
            yield unseen(f"POD-RESTARTS/{pod.name}", "6-1", run, "RESTARTS 0", error)


def _present(pods: Sequence[Pod], run: Run, wanted: Message) -> Finding:
    observers = sum(pod.app == "observer" for pod in pods)
    postgres = sum(pod.app == "postgres" for pod in pods)
    actual = verbatim(f"observer: {observers}, {POSTGRES_POD}: {postgres}")
    if observers < OBSERVER_REPLICAS or not postgres:
        return finding(
            "PODS-PRESENT", "6-1", Verdict.FAIL, msg("pods are missing"), wanted, actual, run, remedy=(_apply(),)
        )
    if observers > OBSERVER_REPLICAS:
        return finding(
            "PODS-PRESENT",
            "6-1",
            Verdict.WARN,
            msg("more observer pods than replicas: a rollout may be under way"),
            wanted,
            actual,
            run,
        )
    return finding("PODS-PRESENT", "6-1", Verdict.PASS, msg("all pods are there"), wanted, actual, run)


def _apply() -> Remedy:
    return do(
        "kubectl apply -k infra/k8s/overlays/production",
        msg("brings back what the manifests describe, replicas included"),
    )


def _status(pod: Pod, run: Run) -> Finding:
    code, wanted = f"POD-STATUS/{pod.name}", "Running, READY n/n"
    actual = verbatim(f"{pod.status}, READY {pod.row['READY']}")
    try:
        up, of = ready(pod.row["READY"], pod.row.line)
        if pod.status == "Running" and up == of > 0:
            return finding(code, "6-1", Verdict.PASS, msg("running and ready"), wanted, actual, run, pod.row.line)
        if pod.status == "ContainerCreating":
            age = age_seconds(pod.row["AGE"], pod.row.line)
            if age is None or age < STUCK_AFTER_S:
                still = msg("still starting: ContainerCreating, AGE {age}", age=pod.row["AGE"])
                return replace(unseen(code, "6-1", run, wanted, still), evidence=seen_at(run, pod.row.line))
    except UnreadableText as error:
        return unseen(code, "6-1", run, wanted, error)
    return finding(
        code, "6-1", Verdict.FAIL, msg("not running and ready"), wanted, actual, run, pod.row.line, _remedy_for(pod)
    )


def _remedy_for(pod: Pod) -> tuple[Remedy, ...]:
    """The guide's row for a pod's STATUS."""
    match pod.status.removeprefix("Init:"):
        case "CrashLoopBackOff":
            return (pod.previous_log,)
        case "ImagePullBackOff" | "ErrImagePull":
            return (pod.described(msg("check ghcr-secret (Step 3-5)")),)
        case "Pending":
            return (pod.described(msg("a PVC is Pending (Step 2), or resources are short")),)
        case "ContainerCreating":
            return (pod.described(msg("a volume cannot be mounted")),)
        case "CreateContainerConfigError":
            return (pod.described(msg("a Secret or ConfigMap, or a key of one, is missing (Steps 3-3, 3-4 and 4)")),)
        case "Running":
            return (advise(msg("the readinessProbe fails: check the /health endpoint (Step 7)")),)
        case state if _ended(state):
            return (pod.previous_log, pod.described(msg("its events say why")))
        case _:
            return (pod.described(msg("its events say why")),)


# 6-2


def _without_events(run: Run) -> bool:
    """Whether pods were described, and no Events section at all: kubectl 1.37 leaves it out where it describes several."""
    return not failure(run) and bool(run.out.strip()) and not re.search(r"^Events:", run.out, re.M)


def _events(code: str, runs: Runs, app: str) -> Finding:
    run = runs.last(DESCRIBE[app])
    each = [one for one in runs if one.command.startswith(f"{DESCRIBE_POD}.{app}-")] if _without_events(run) else []
    found = [_events_of(code, one, app) for one in each] or [_events_of(code, run, app)]
    return min(found, key=lambda finding: SEVERITY.index(finding.verdict))


def _events_of(code: str, run: Run, app: str) -> Finding:
    wanted = msg("no Warning event")
    why: Failure | UnreadableText | None = failure(run)
    if why or run.exit_code not in (0, None) or not run.out.strip():
        return unseen(code, "6-2", run, wanted, why)
    try:
        seen = events(run.out)
    except UnreadableText as error:
        return unseen(code, "6-2", run, wanted, error)
    warnings = [event for event in seen if event.type == "Warning"]
    if warnings:
        first = warnings[0]
        return finding(
            code,
            "6-2",
            Verdict.FAIL,
            msg("{n} Warning events", n=len(warnings)),
            wanted,
            verbatim(f"{first.reason}: {first.message}"),
            run,
            first.line,
            (
                do(f"kubectl describe pod -l app={app} -n observer-prod", msg("shows the events of every pod, uncut")),
                advise(msg("an event stays for an hour, also when its cause is gone; it goes with its pod (Step 8-2)")),
            ),
        )
    other = next((event for event in seen if event.type != "Normal"), None)
    if other:  # of a type that Kubernetes does not know, or garbled
        return unseen(code, "6-2", run, wanted, unreadable(other.line, other.type))
    said = msg("{n} events, no Warning; tail -30 shows those of the last pod only", n=len(seen))
    if run.command.startswith(DESCRIBE_POD):
        said = msg("{n} events, no Warning", n=len(seen))
    return finding(code, "6-2", Verdict.PASS, msg("no Warning event"), wanted, said, run)


STEP = Step(
    "6",
    msg("Pods"),
    (PODS, *DESCRIBE.values(), LOG_OBSERVER, LOG_POSTGRES, ENV, MOUNT, *WRITE.values()),
    judge,
    perform,
    prefetchable=True,
)
