"""Guide Step 6: the pods and their events; what is seen inside them (6-3 to 6-6) is judged in `step6_inside`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress

from ..errors import UnreadableText
from ..guide import ids, remedies
from ..guide.codes import Code
from ..guide.expected import OBSERVER_DEPLOYMENT, OBSERVER_REPLICAS, POSTGRES_POD
from ..guide.remedies import describe_pod, previous_log
from ..guide.remedy import do
from ..kubectl.events import Event, events
from ..kubectl.failures import FailureKind, failure
from ..kubectl.logs import free_lines
from ..kubectl.pods import Pod, left_over, of_deployment, pods
from ..kubectl.tables import unreadable
from ..model import SEVERITY, Finding, Remedy, Run, Runs
from ..text import msg
from .base import Execution, Step
from .question import Question
from .reading import NotSeen, read
from .step6_inside import environment, mounts, observer_log, postgres_log, write

DESCRIBE = {"observer": ids.DESCRIBE_OBSERVER, "postgres": ids.DESCRIBE_POSTGRES}

GRACE_S = 90
"""A pod that is younger than this may still be on its way: it is not called stuck."""

_STARTING = re.compile(r"Pending|ContainerCreating|PodInitializing|Init:\d+/\d+")
"""STATUS of a pod on its way to Running."""

BACK_OFF_S = 600
"""The kubelet forgets its back-off once a container has run this long: an older BackOff event is over."""


def perform(step: Step, execution: Execution) -> None:
    """All commands side by side; where kubectl leaves out the events, the guide's own command for one pod has them."""
    runs = Runs(execution.side_by_side(step.commands))
    blind = [app for app, command in DESCRIBE.items() if _without_events(runs.last(command))]
    try:
        listed = guide_pods(runs.last(ids.PODS).out) if blind else ()
    except UnreadableText:
        return
    for pod in in_service(listed):
        if app_of(pod) in blind:
            execution.run(ids.DESCRIBE_POD, pod.name)


def judge(runs: Runs) -> tuple[Finding, ...]:
    """The findings of Step 6 from the runs of its nine commands; what is missing or unreadable is inconclusive."""
    return (
        *_pods(runs),
        *crash_loops(runs),
        _events(Code.EVENTS_OBSERVER, runs, "observer"),
        _events(Code.EVENTS_POSTGRES, runs, "postgres"),
        observer_log(runs.last(ids.LOGS_OBSERVER), _left_over_in(runs.last(ids.PODS))),
        postgres_log(runs.last(ids.LOGS_POSTGRES)),
        *environment(runs.last(ids.ENV)),
        *mounts(runs.last(ids.MOUNTS)),
        write("data", runs.last(ids.WRITE_DATA)),
        write("logs", runs.last(ids.WRITE_LOGS)),
    )


def guide_pods(text: str) -> tuple[Pod, ...]:
    """The Deployment's pods and postgres-0 that 6-1 lists; other pods of the namespace are none of the guide's business.

    Terminating pods are left out: they are on their way out beside those that replace them. Raises UnreadableText.
    """
    mine = [pod for pod in pods(text) if of_deployment(pod.name, OBSERVER_DEPLOYMENT) or pod.name == POSTGRES_POD]
    for pod in mine:
        if not (pod.ready_text and pod.status and pod.restarts_text):
            raise unreadable(pod.line, pod.name)
    return tuple(pod for pod in mine if pod.status != "Terminating")


def in_service(listed: Sequence[Pod]) -> tuple[Pod, ...]:
    """The pods of `guide_pods` without what was left of pods that were replaced: those are no replicas, and no alarms."""
    observers = [pod for pod in listed if app_of(pod) == "observer"]
    return tuple(pod for pod in listed if pod.name == POSTGRES_POD or not left_over(pod, observers, OBSERVER_REPLICAS))


def _left_over_in(run: Run) -> int:
    """How many pods of the list are left over; 0 where it cannot be read."""
    try:
        listed = () if failure(run) else guide_pods(run.out)
    except UnreadableText:
        return 0
    return len(listed) - len(in_service(listed))


def app_of(pod: Pod) -> str:
    """The label that 6-2 and 6-3 select the pod by."""
    return "postgres" if pod.name == POSTGRES_POD else "observer"


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
    run = runs.last(ids.PODS)
    try:
        listed = () if failure(run) else in_service(guide_pods(run.out))
    except UnreadableText:
        return ()
    return tuple(found for pod in listed if (found := _crash_loop(pod, run, _descriptions(pod, runs))))


def _descriptions(pod: Pod, runs: Runs) -> tuple[Run, ...]:
    """The runs that describe `pod`, or may: 6-2's, and the guide's command for one pod, where it was used."""
    found = runs.last(DESCRIBE[app_of(pod)]), runs.last(f"{ids.DESCRIBE_POD}.{pod.name}")
    return tuple(run for run in found if run.happened)


def _crash_loop(pod: Pod, run: Run, described: Sequence[Run]) -> Finding | None:
    try:
        count = pod.restarts
    except UnreadableText:
        count = 0
    asked = Question(Code.CRASH_LOOP, "6-1", msg("no CrashLoopBackOff"), run, pod.name)
    seen, line, state = f"STATUS {pod.status}, RESTARTS {count}", pod.line, _state(pod)
    if state != "CrashLoopBackOff" and not (count and _ENDED.fullmatch(state)):
        found = next((each for one in described if (each := _told_of_loop(one, pod, count))), None)
        if found is None:
            return None
        source, line, words = found
        asked, seen = asked.by(source), f"{seen}, {words}"
    return asked.failed(msg("the pod crashes again and again"), seen, line, _crash_log(pod))


def _crash_log(pod: Pod) -> Remedy:
    return do(previous_log(pod.name), msg("find the cause of the crash in the log"))


def _state(pod: Pod) -> str:
    """Its STATUS, of an init container too."""
    return pod.status.removeprefix("Init:")


_ENDED = re.compile(
    r"Error|Completed|OOMKilled|ExitCode:-?\d+|Signal:\d+|StartError|RunContainerError|ContainerCannotRun|"
    r"ContainerStatusUnknown|DeadlineExceeded"
)
_BACKS_OFF = re.compile(r"(?:spec\.\w+\{[^}]*\}: )?Back-off restarting failed container")
_OF_POD = re.compile(r" in pod ([a-z0-9.-]+)_")


def _told_of_loop(run: Run, pod: Pod, count: int) -> tuple[Run, int, str] | None:
    """The run, its line and the words by which a description tells that `pod` crash-loops."""
    event = _back_off(run, pod.name) if count else None
    if event:
        return run, event.line, f"{event.reason}: {event.message}"
    if run.command.startswith(ids.DESCRIBE_POD):  # of one pod: its state is not another's
        for number, line in free_lines(run.out):
            if _WAITS.match(line):
                return run, number, line.strip()
    return None


_WAITS = re.compile(r"\s+Reason:\s+CrashLoopBackOff\s*$")


def _back_off(run: Run, pod: str) -> Event | None:
    """The young BackOff event of a failed container that speaks of `pod`, or may."""
    try:
        found = events(run.out) if run.out.strip() else ()
    except UnreadableText:
        return None
    about = " ".join(event.message for event in found)
    named = {*_OF_POD.findall(about), *re.findall(r"assigned observer-prod/([a-z0-9.-]+) to ", about)}
    if named and pod not in named:
        return None
    for event in found:
        failed = event.reason == "BackOff" and _BACKS_OFF.match(event.message)
        own = _OF_POD.search(event.message)
        if failed and event.age_s is not None and event.age_s < BACK_OFF_S and (own is None or own[1] == pod):
            return event
    return None


# 6-1


def _pods(runs: Runs) -> Iterator[Finding]:
    run = runs.last(ids.PODS)
    wanted = msg("{count} observer pods and {postgres}", count=OBSERVER_REPLICAS, postgres=POSTGRES_POD)
    present = Question(Code.PODS_PRESENT, "6-1", wanted, run)
    status = Question(Code.POD_STATUS, "6-1", "Running, READY n/n", run)
    restarts = Question(Code.POD_RESTARTS, "6-1", "RESTARTS 0", run)
    try:
        listed = read(run, guide_pods)
    except NotSeen as why:
        if why.failure_of(FailureKind.NO_RESOURCES):
            yield present.failed(msg("pods are missing"), msg("none"), None, remedies.APPLY_REPLICAS)
        else:
            yield from (present.unseen(why), status.unseen(why))
        return
    kept = in_service(listed)
    yield _present(kept, present)
    for pod in listed:
        if pod not in kept:
            yield _leftover(pod, run)
            continue
        yield _status(pod, status.of(pod.name), _descriptions(pod, runs))
        yield from _restarts(pod, restarts.of(pod.name))


def _present(listed: Sequence[Pod], asked: Question) -> Finding:
    postgres = sum(app_of(pod) == "postgres" for pod in listed)
    observers = len(listed) - postgres
    seen = f"observer: {observers}, {POSTGRES_POD}: {postgres}"
    if observers < OBSERVER_REPLICAS or not postgres:
        return asked.failed(msg("pods are missing"), seen, None, remedies.APPLY_REPLICAS)
    if observers > OBSERVER_REPLICAS:
        return asked.warned(msg("more observer pods than replicas: a rollout may be under way"), seen)
    return asked.passed(msg("all pods are there"), seen)


def _leftover(pod: Pod, run: Run) -> Finding:
    asked = Question(Code.POD_LEFTOVER, "6-1", msg("no pod that is over"), run, pod.name)
    summary = msg("left over from a pod that is over: it is no replica, and does no harm")
    seen = f"{pod.status}, READY {pod.ready_text}, AGE {pod.age_text}"
    return asked.warned(summary, seen, pod.line, remedies.remove_leftover(pod.name))


def _not_taken(pod: Pod, described: Sequence[Run]) -> bool:
    """Whether the scheduler has said that no node takes the pod, or one of its kind."""
    for run in described:
        with suppress(UnreadableText):
            reasons = [event.reason for event in events(run.out)] if run.out.strip() else []
            if "FailedScheduling" in reasons and "Scheduled" not in reasons:
                return True
    return False


def _status(pod: Pod, asked: Question, described: Sequence[Run]) -> Finding:
    seen = f"{pod.status}, READY {pod.ready_text}"
    try:
        if pod.is_up:
            return asked.passed(msg("running and ready"), seen, pod.line)
        young = pod.age_s is None or pod.age_s < GRACE_S
        if young and _STARTING.fullmatch(pod.status) and not (pod.status == "Pending" and _not_taken(pod, described)):
            still = msg("still starting: {status}, AGE {age}", status=pod.status, age=pod.age_text)
            return asked.unseen(still, remedies.LOOK_AGAIN, line=pod.line)
    except UnreadableText as error:
        return asked.unseen(error)
    return asked.failed(msg("not running and ready"), seen, pod.line, *_remedy_for(pod))


_EVENTS_SAY_WHY = msg("its events say why")
_ADVICE = {
    "ImagePullBackOff": msg("check ghcr-secret (Step 3-5)"),
    "ErrImagePull": msg("check ghcr-secret (Step 3-5)"),
    "Pending": msg("a PVC is Pending (Step 2), or resources are short"),
    "ContainerCreating": msg("a volume cannot be mounted"),
    "CreateContainerConfigError": msg("a Secret or ConfigMap, or a key of one, is missing (Steps 3-3, 3-4 and 4)"),
}
"""The guide's rows for the STATUS of a pod that is described."""


def _remedy_for(pod: Pod) -> tuple[Remedy, ...]:
    state = _state(pod)
    if state == "CrashLoopBackOff":
        return (_crash_log(pod),)
    if state == "Running":
        return (remedies.CHECK_READINESS,)
    described = do(describe_pod(pod.name), _ADVICE.get(state, _EVENTS_SAY_WHY))
    return (_crash_log(pod), described) if _ENDED.fullmatch(state) else (described,)


def _restarts(pod: Pod, asked: Question) -> Iterator[Finding]:
    try:
        if pod.restarts:
            seen, remedy = f"RESTARTS {pod.restarts_text}", _crash_log(pod)
            yield asked.warned(msg("its containers were restarted"), seen, pod.line, remedy)
    except UnreadableText as error:
        yield asked.unseen(error)


# 6-2


def _without_events(run: Run) -> bool:
    """Whether pods were described, and no Events section at all: kubectl 1.37 leaves it out where it describes several."""
    return not failure(run) and bool(run.out.strip()) and not re.search(r"^Events:", run.out, re.M)


def _events(code: Code, runs: Runs, app: str) -> Finding:
    run = runs.last(DESCRIBE[app])
    each = [one for one in runs if one.command.startswith(f"{ids.DESCRIBE_POD}.{app}-")] if _without_events(run) else []
    found = [_events_of(code, one, app) for one in each or [run]]
    return min(found, key=lambda finding: SEVERITY.index(finding.verdict))


def _events_of(code: Code, run: Run, app: str) -> Finding:
    asked, why = Question(code, "6-2", msg("no Warning event"), run), failure(run)
    if why or run.exit_code not in (0, None) or not run.out.strip():
        return asked.unseen(why)
    try:
        found = events(run.out)
    except UnreadableText as error:
        return asked.unseen(error)
    warnings = [event for event in found if event.type == "Warning"]
    if warnings:
        all_events = do(describe_pod(f"-l app={app}"), msg("shows the events of every pod, uncut"))
        first, remedy = warnings[0], (all_events, remedies.OLD_EVENTS)
        summary = msg("{n} Warning events", n=len(warnings))
        return asked.failed(summary, f"{first.reason}: {first.message}", first.line, *remedy)
    other = next((event for event in found if event.type != "Normal"), None)
    if other:  # of a type that Kubernetes does not know, or garbled
        return asked.unseen(unreadable(other.line, other.type))
    seen = msg("{n} events, no Warning; tail -30 shows those of the last pod only", n=len(found))
    if run.command.startswith(ids.DESCRIBE_POD):
        seen = msg("{n} events, no Warning", n=len(found))
    return asked.passed(msg("no Warning event"), seen)


COMMANDS = (
    ids.PODS, ids.DESCRIBE_OBSERVER, ids.DESCRIBE_POSTGRES, ids.LOGS_OBSERVER, ids.LOGS_POSTGRES, ids.ENV, ids.MOUNTS,
    ids.WRITE_DATA, ids.WRITE_LOGS,
)  # fmt: skip
STEP = Step("6", msg("Pods"), COMMANDS, judge, perform, prefetchable=True)
