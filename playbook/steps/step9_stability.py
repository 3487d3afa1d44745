"""Step 9: do the pods stay as they are for 24 hours? A baseline, samples, and a verdict from the first one at 24 h on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from ..errors import UnreadableText
from ..guide import ids, remedies
from ..guide.codes import Code
from ..guide.expected import OBSERVER_REPLICAS, POSTGRES_POD
from ..guide.remedies import describe_pod, do, previous_log
from ..kubectl.counts import count
from ..kubectl.failures import failure
from ..kubectl.pods import PodSample, pod_samples
from ..model import Finding, Remedy, Run, Runs, Verdict
from ..text import Message, msg
from .base import Execution, Step
from .question import Question

PERIOD = timedelta(hours=24)
LIMIT = 3
"""Criterion 5: this many more restarts within the period end the verification."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Step 9-1 and 9-3 at one moment."""

    at: datetime
    pods: tuple[PodSample, ...]
    recent_files: int | None
    run: Run

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
            samples[-1] = replace(samples[-1], recent_files=_files(run))
        elif run.command == ids.POD_SAMPLE and run.exit_code in (0, None) and run.happened and not failure(run):
            try:
                samples.append(Sample(run.started_at, pod_samples(run.out), None, run))
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


def _healthy(sample: Sample) -> bool:
    pods = [pod for pod in sample.pods if watched(pod.name)]
    observers = sum(pod.name.startswith("observer-") for pod in pods)
    return observers >= OBSERVER_REPLICAS and len(pods) > observers and all(pod.status == "Running" for pod in pods)


def watched(name: str) -> bool:
    """Whether the guide's 24 hours are about this pod."""
    return name.startswith("observer-") or name == POSTGRES_POD


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
    pods = [found for pod in samples[0].pods if watched(pod.name) for found in _compare(pod, samples, stable)]
    if newest is not samples[-1].run:
        pods = [found for found in pods if found.verdict is Verdict.FAIL]  # what was met stays met
        pods.append(stable.unseen(_why_unread(newest)))
    elif any(later.at < earlier.at for earlier, later in pairwise(samples)):
        why = msg("the clock of this machine moved backwards between samples")
        pods = [stable.unseen(why, remedies.NEW_BASELINE)]
    elapsed = samples[-1].at - samples[0].at
    return (_baseline(samples[0], baseline), *pods, _recent(runs.last(ids.RECENT_FILES), elapsed))


def _why_unread(run: Run) -> UnreadableText | None:
    try:
        pod_samples(run.out)
    except UnreadableText as error:
        return None if failure(run) else error
    return None


def _baseline(base: Sample, question: Question) -> Finding:
    asked, pods = question.by(base.run), [pod for pod in base.pods if watched(pod.name)]
    text = "; ".join(f"{pod.name} {pod.status} {pod.restarts_text}" for pod in pods)
    seen = msg("{at}: {pods}", at=_moment(base.at), pods=text or "-")
    line = pods[0].line if pods else 1
    if _healthy(base):
        return asked.passed(msg("the baseline is recorded"), seen, line)
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
            log = do(previous_log(before.name))
            found = [_became(stable, sample, now, Verdict.FAIL, msg("RESTARTS rose by {n}", n=rise), log)]
            if rise >= LIMIT:
                return [*found, _limit(before, now, sample, log)]
        elif now.status != "Running":
            described = do(describe_pod(before.name))
            found = [_became(stable, sample, now, Verdict.FAIL, msg("STATUS changed"), described)]
    if found or before.status != "Running":  # of which the baseline itself says so
        return found
    last, now = samples[-1], samples[-1].pod(before.name)
    if last.at - samples[0].at >= PERIOD:
        return [_became(stable, last, now, Verdict.PASS, msg("stable"))]
    due = _moment(samples[0].at + PERIOD)
    again = do(remedies.RUN_ALL, msg("at {due} or later", due=due))
    return [_became(stable, last, now, Verdict.PENDING, msg("stable so far; can be judged from {due}", due=due), again)]


def _became(
    asked: Question, sample: Sample, now: PodSample | None, verdict: Verdict, summary: Message, *remedy: Remedy
) -> Finding:
    seen = str(now) if now else msg("no such pod any more")
    return asked.by(sample.run).answered(verdict, summary, seen, now.line if now else None, *remedy)


def _limit(before: PodSample, now: PodSample, sample: Sample, remedy: Remedy) -> Finding:
    wanted = msg("fewer than {n} more restarts", n=LIMIT)
    asked = Question(Code.RESTART_LIMIT, "9-2", wanted, sample.run, before.name)
    earlier, later = before.restarts or 0, now.restarts or 0
    summary = msg("RESTARTS rose by {n} within {hours} h", n=later - earlier, hours=24)
    return asked.failed(summary, f"{earlier} → {later}", now.line, remedy)


def _recent(run: Run, elapsed: timedelta) -> Finding:
    wanted = msg("more than 0 JSONL files written within 24 hours")
    asked, number = Question(Code.RECENT_FILES, "9-3", wanted, run), _files(run)
    if number is None:
        return asked.unseen()
    seen, line = msg("{n} JSONL files", n=number), count(run.out).line
    if elapsed < PERIOD:
        return asked.answered(Verdict.PENDING, msg("can be judged after 24 hours"), seen, line)
    if number:
        return asked.passed(msg("new files were written"), seen, line)
    return asked.failed(msg("no new file was written"), seen, line, *remedies.WHY_NOTHING_WRITTEN)


COMMANDS = (ids.POD_SAMPLE, ids.RECENT_FILES)
STEP = Step("9", msg("24-hour stability"), COMMANDS, judge, perform, always=True, by_all_samples=True)
