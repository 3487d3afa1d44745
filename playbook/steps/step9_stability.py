"""Step 9: do the pods stay as they are for 24 hours? A baseline, samples, and a verdict from the first one at 24 h on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from ..clock import parse_moment
from ..errors import UnreadableText
from ..guide import ids, remedies
from ..guide.codes import Code
from ..guide.expected import OBSERVER_DEPLOYMENT, OBSERVER_REPLICAS, POSTGRES_POD
from ..guide.remedies import describe_pod, previous_log
from ..guide.remedy import do
from ..kubectl.counts import count
from ..kubectl.failures import failure
from ..kubectl.pods import PodSample, of_deployment, pod_samples
from ..model import Finding, Remedy, Run, Runs, Verdict, missing
from ..text import Message, msg
from .base import Execution, Step
from .question import Question

PERIOD = timedelta(hours=24)
GRACE = timedelta(seconds=90)
"""A pod that a node has had for less than this may still be on its way."""

MOST_PODS = 3
"""So many pods are looked into at one sample: the guide's service has no more."""

LIMIT = 3
"""Criterion 5: this many more restarts within the period end the verification."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Step 9-1 and 9-3 at one moment."""

    at: datetime
    pods: tuple[PodSample, ...]
    run: Run
    recent: Run | None = None  # of 9-3, taken with it

    @property
    def recent_files(self) -> int | None:
        """How many files 9-3 counted; None where that cannot be read."""
        return _files(self.recent) if self.recent else None

    @property
    def watched(self) -> tuple[PodSample, ...]:
        """The pods that the guide's 24 hours are about, those that are over (evicted, and replaced) among them."""
        return tuple(pod for pod in self.pods if watched(pod.name))

    def pod(self, name: str) -> PodSample | None:
        """The pod of that name, or None."""
        return next((pod for pod in self.pods if pod.name == name), None)


def perform(step: Step, execution: Execution) -> None:
    """One more sample; from a recording all that it has."""
    execution.side_by_side(step.commands)
    while execution.has_more(ids.POD_SAMPLE):
        execution.side_by_side(step.commands)


def ledger(runs: Runs) -> tuple[Sample, ...]:
    """Every sample that can be read, oldest first; the first is the baseline. 9-3 belongs to the 9-1 before it."""
    samples: list[Sample] = []
    for run in runs:
        if run.command == ids.RECENT_FILES and samples:
            samples[-1] = replace(samples[-1], recent=run)
        elif run.command == ids.POD_SAMPLE and run.exit_code == 0 and run.happened and not failure(run):
            try:
                samples.append(Sample(run.started_at, pod_samples(run.out), run))
            except UnreadableText:
                continue
    return tuple(samples)


def _files(run: Run) -> int | None:
    if failure(run) or run.exit_code != 0:
        return None
    try:
        return count(run.out).number
    except UnreadableText:
        return None


def judged_from(runs: Runs) -> datetime | None:
    """The moment from which Step 9 can be judged; None without a baseline."""
    samples = _since_baseline(ledger(runs))
    return samples[0].at + PERIOD if samples else None


def newest_unread(runs: Runs) -> bool:
    """Whether the newest sample could not be read: the next one may be."""
    samples = ledger(runs)
    return not samples or samples[-1].run is not runs.last(ids.POD_SAMPLE)


def _since_baseline(samples: tuple[Sample, ...]) -> tuple[Sample, ...]:
    """The samples from the baseline on: the first one of a healthy service, else all. Pods that still start are none."""
    good = next((place for place, sample in enumerate(samples) if _healthy(sample)), 0)
    return samples[good:]


def _in_service(sample: Sample) -> tuple[PodSample, ...]:
    """Its pods without what was left of a Deployment's: those were replaced, and never run again."""
    return tuple(pod for pod in sample.watched if pod.name == POSTGRES_POD or not pod.is_over)


def _complete(sample: Sample) -> bool:
    pods = _in_service(sample)
    observers = sum(pod.name != POSTGRES_POD for pod in pods)
    return observers >= OBSERVER_REPLICAS and len(pods) > observers


def _healthy(sample: Sample) -> bool:
    return _complete(sample) and all(
        pod.status == "Running" and pod.restarts is not None for pod in _in_service(sample)
    )


def _starting(pod: PodSample, sample: Sample) -> bool:
    """Whether a pod that a node has taken is still on its way, and not for long."""
    try:
        since = sample.at - parse_moment(pod.started)
    except ValueError:
        return False
    return pod.status == "Pending" and since < GRACE


def watched(name: str) -> bool:
    """Whether the guide's 24 hours are about this pod."""
    return of_deployment(name, OBSERVER_DEPLOYMENT) or name == POSTGRES_POD


def looks(judged: Runs, runs: Runs) -> tuple[tuple[str, str], ...]:
    """What the guide asks of pods that differ since Step 9 was last `judged`: description, previous log, events.

    Each is a command and its object. Nothing where the newest sample could not be read, shows what was judged already,
    or shows the pods as in the baseline: a difference is looked into once, while its events are there.
    """
    samples = _since_baseline(ledger(runs))
    if len(samples) < 2 or newest_unread(runs):
        return ()
    known = judged.last(ids.POD_SAMPLE)
    base, newest = samples[0], samples[-1]
    before = next((sample for sample in reversed(samples) if sample.at <= known.started_at), base)
    changed = [pod for pod in newest.watched if _differs(pod, base, before) and not _starting(pod, newest)]
    gone = {pod.name for pod in before.watched} - {pod.name for pod in newest.watched}
    if not changed and not gone:
        return ()
    asked = [
        (command, pod.name)
        for pod in changed[:MOST_PODS]
        for command in (ids.DESCRIBE_POD, *((ids.LOGS_PREVIOUS,) if pod.restarts else ()))
    ]
    return (*asked, (ids.POD_EVENTS, ""))


def _differs(now: PodSample, base: Sample, before: Sample) -> bool:
    """Whether a pod is neither as in the baseline nor as in the sample before."""
    known = (sample.pod(now.name) for sample in (base, before))
    return all(pod is None or str(pod) != str(now) for pod in known)


def judge(runs: Runs) -> tuple[Finding, ...]:
    """By the baseline and all samples since: per pod stable, restarted, replaced or changed; and the new files."""
    newest = runs.last(ids.POD_SAMPLE)
    wanted = msg("two observer pods and postgres-0, Running, with their RESTARTS")
    baseline = Question(Code.BASELINE, "9-1", wanted, newest)
    wanted = msg("the same pod, Running, RESTARTS as in the baseline, for 24 hours")
    stable = Question(Code.STABLE, "9-2", wanted, newest)
    samples = _since_baseline(ledger(runs))
    if not samples:
        return (baseline.unseen(_why_unread(newest)),)
    pods = [found for pod in _in_service(samples[0]) for found in _compare(pod, samples, stable)]
    pods += [found for name in _appeared(samples) for found in _new(name, samples, stable)]
    if newest is not samples[-1].run:
        pods = [found for found in pods if found.verdict is Verdict.FAIL]  # what was met stays met
        pods.append(stable.unseen(_why_unread(newest)))
    elif any(later.at < earlier.at for earlier, later in pairwise(samples)):
        why = msg("the clock of this machine moved backwards between samples")
        pods = [stable.unseen(why, remedies.NEW_BASELINE)]
    recent = samples[-1].recent if newest is samples[-1].run else None
    return (_baseline(samples[0], baseline), *pods, _recent(recent or missing(ids.RECENT_FILES), samples))


def _why_unread(run: Run) -> UnreadableText | None:
    try:
        pod_samples(run.out)
    except UnreadableText as error:
        return None if failure(run) else error
    return None


def _baseline(base: Sample, question: Question) -> Finding:
    asked, pods = question.by(base.run), _in_service(base)
    text = "; ".join(f"{pod.name} {pod.status} {pod.restarts_text}" for pod in pods)
    seen = msg("{at}: {pods}", at=_moment(base.at), pods=text or "-")
    line = pods[0].line if pods else 1
    if _healthy(base):
        return asked.passed(msg("the baseline is recorded"), seen, line)
    waiting = [pod for pod in pods if pod.status != "Running"]
    if _complete(base) and all(_starting(pod, base) for pod in waiting):
        without = next((pod for pod in pods if pod not in waiting and pod.restarts is None), None)
        why = msg("pods are still starting: {pods}", pods=text)
        if without:
            why = msg("RESTARTS of {name} is not known: {cell}", name=without.name, cell=without.restarts_text)
        return asked.unseen(why, remedies.ONCE_RUNNING, line=line)
    return asked.failed(msg("the baseline is not one of a healthy service"), seen, line, remedies.ONCE_RUNNING)


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _compare(before: PodSample, samples: tuple[Sample, ...], question: Question) -> list[Finding]:
    """What became of one pod of the baseline."""
    stable = replace(question, expected=str(before), about=before.name)
    found: list[Finding] = []
    for sample in samples[1:]:
        now = sample.pod(before.name)
        if now is None or now.started != before.started or (now.restarts or 0) < (before.restarts or 0):
            if found:
                return found  # it failed before it was replaced
            # a pod that was replaced starts again at 0: what it did before is out of sight
            summary, remedy = msg("the pod was replaced"), remedies.NEW_BASELINE_LATER
            return [_became(stable, sample, now, Verdict.INCONCLUSIVE, summary, remedy)]
        rise = (now.restarts or 0) - (before.restarts or 0)
        if rise:
            found = _rose(before.restarts or 0, now, sample, stable)
            if rise >= LIMIT:
                return found
        elif now.status != "Running":
            described = do(describe_pod(before.name))
            found = [_became(stable, sample, now, Verdict.FAIL, msg("STATUS changed"), described)]
    if found or before.status != "Running":  # of which the baseline itself says so
        return found
    last, now = samples[-1], samples[-1].pod(before.name)
    if now is None or now.restarts is None or before.restarts is None:
        line = now.line if now else None
        return [stable.by(last.run).unseen(msg("RESTARTS is not known"), remedies.ONCE_RUNNING, line=line)]
    if last.at - samples[0].at >= PERIOD:
        summary = msg("stable; its samples are at most {hours} h apart", hours=_largest_gap(samples))
        return [_became(stable, last, now, Verdict.PASS, summary)]
    due = _moment(samples[0].at + PERIOD)
    again = do(remedies.RUN_ALL, msg("at {due} or later", due=due))
    return [_became(stable, last, now, Verdict.PENDING, msg("stable so far; can be judged from {due}", due=due), again)]


def _largest_gap(samples: tuple[Sample, ...]) -> str:
    """The longest time between two samples, in hours: what happened and was over in it was not seen."""
    return f"{max(later.at - earlier.at for earlier, later in pairwise(samples)) / timedelta(hours=1):.1f}"


def _rose(count: int, now: PodSample, sample: Sample, stable: Question) -> list[Finding]:
    """What a rise of RESTARTS from `count` on means: abnormal, and from `LIMIT` on criterion 5."""
    rise, log = (now.restarts or 0) - count, do(previous_log(now.name))
    found = [_became(stable, sample, now, Verdict.FAIL, msg("RESTARTS rose by {n}", n=rise), log)]
    return [*found, _limit(count, now, sample, log)] if rise >= LIMIT else found


def _appeared(samples: tuple[Sample, ...]) -> tuple[str, ...]:
    """The pods that came after the baseline, in the order in which they were seen."""
    known = {pod.name for pod in samples[0].pods}
    return tuple(dict.fromkeys(pod.name for each in samples[1:] for pod in each.watched if pod.name not in known))


def _new(name: str, samples: tuple[Sample, ...], question: Question) -> list[Finding]:
    """What became of a pod that came after the baseline: it began with 0 RESTARTS, and all it has are of these hours."""
    stable = replace(question, expected=msg("Running, RESTARTS 0, for what it has of the 24 hours"), about=name)
    seen = [(sample, pod) for sample in samples[1:] if (pod := sample.pod(name))]
    sample, most = max(seen, key=lambda each: each[1].restarts or 0)
    if most.restarts:
        return _rose(0, most, sample, stable)
    for sample, pod in seen:
        if pod.status != "Running" and not _starting(pod, sample):
            return [_became(stable, sample, pod, Verdict.FAIL, msg("STATUS changed"), do(describe_pod(name)))]
    sample, last = seen[-1]
    if last.status != "Running" or last.restarts is None:
        return [stable.by(sample.run).unseen(msg("the pod is still starting"), remedies.ONCE_RUNNING, line=last.line)]
    return [
        _became(stable, sample, last, Verdict.WARN, msg("the pod came after the baseline"), remedies.NEW_BASELINE_LATER)
    ]


def _became(
    asked: Question, sample: Sample, now: PodSample | None, verdict: Verdict, summary: Message, *remedy: Remedy
) -> Finding:
    seen = str(now) if now else msg("no such pod any more")
    return asked.by(sample.run).answered(verdict, summary, seen, now.line if now else None, *remedy)


def _limit(earlier: int, now: PodSample, sample: Sample, remedy: Remedy) -> Finding:
    wanted = msg("fewer than {n} more restarts", n=LIMIT)
    asked, later = Question(Code.RESTART_LIMIT, "9-2", wanted, sample.run, now.name), now.restarts or 0
    summary = msg("RESTARTS rose by {n} within {hours} h", n=later - earlier, hours=24)
    return asked.failed(summary, f"{earlier} → {later}", now.line, remedy)


def _recent(run: Run, samples: tuple[Sample, ...]) -> Finding:
    """By the count that was taken with the newest sample: an earlier one speaks of other hours."""
    wanted = msg("more than 0 JSONL files written within 24 hours")
    asked, number = Question(Code.RECENT_FILES, "9-3", wanted, run), _files(run)
    if number is None:
        return asked.unseen()
    seen, line = msg("{n} JSONL files", n=number), count(run.out).line
    if samples[-1].at - samples[0].at < PERIOD:
        return asked.answered(Verdict.PENDING, msg("can be judged after 24 hours"), seen, line)
    if number:
        return asked.passed(msg("new files were written"), seen, line)
    return asked.failed(msg("no new file was written"), seen, line, *remedies.WHY_NOTHING_WRITTEN)


COMMANDS = (ids.POD_SAMPLE, ids.RECENT_FILES)
STEP = Step("9", msg("24-hour stability"), COMMANDS, judge, perform, always=True, by_all_samples=True, looks=looks)
