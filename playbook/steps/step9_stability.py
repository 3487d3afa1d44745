"""Step 9: do the pods stay as they are for 24 hours? A baseline, samples, and a verdict from the first one at 24 h on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from ..errors import UnreadableText
from ..kubectl.failures import failure
from ..kubectl.tables import count, table
from ..model import Finding, Remedy, Run, Runs, Verdict
from ..text import Message, msg, verbatim
from .base import Execution, Step
from .findings import advise, do, finding, seen_at, unseen

PODS, FILES = "step9-1-pod-restarts", "step9-3-recent-files"
PERIOD = timedelta(hours=24)
LIMIT = 3
"""Criterion 5: this many more restarts within the period end the verification."""


@dataclass(frozen=True, slots=True)
class PodSample:
    """One pod of one sample."""

    name: str
    status: str
    restarts: int | None  # None where the container has no status yet
    started: str  # as printed: an RFC 3339 time, or `<none>`
    line: int


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
    execution.side_by_side((PODS, FILES))
    while execution.has_more(PODS):
        execution.side_by_side((PODS, FILES))


def pods_of(run: Run) -> tuple[PodSample, ...]:
    """The rows of Step 9-1; raises UnreadableText."""
    pods = []
    for row in table(run.out, ("NAME", "STATUS", "RESTARTS", "STARTED")):
        cell = row["RESTARTS"]
        if not cell.isdigit() and cell != "<none>":
            raise UnreadableText(msg("RESTARTS is not a number: {cell}", cell=cell), row.line)
        pods.append(
            PodSample(row["NAME"], row["STATUS"], int(cell) if cell.isdigit() else None, row["STARTED"], row.line)
        )
    return tuple(pods)


def ledger(runs: Runs) -> tuple[Sample, ...]:
    """Every sample that can be read, oldest first; the first is the baseline. 9-3 belongs to the 9-1 before it."""
    samples: list[Sample] = []
    for run in runs:
        if run.command == FILES and samples:
            samples[-1] = replace(samples[-1], recent_files=_files(run))
        elif run.command == PODS and run.exit_code in (0, None) and run.happened and not failure(run):
            try:
                samples.append(Sample(run.started_at, pods_of(run), None, run))
            except UnreadableText:
                continue
    return tuple(samples)


def _files(run: Run) -> int | None:
    if failure(run) or run.exit_code != 0:
        return None
    try:
        return count(run.out)[1]
    except UnreadableText:
        return None


def judged_from(runs: Runs) -> datetime | None:
    """The moment from which Step 9 can be judged; None without a baseline."""
    samples = _since_baseline(ledger(runs))
    return samples[0].at + PERIOD if samples else None


def newest_unread(runs: Runs) -> bool:
    """Whether the newest sample could not be read: the next one may be."""
    samples = ledger(runs)
    return not samples or samples[-1].run is not runs.last(PODS)


def _since_baseline(samples: tuple[Sample, ...]) -> tuple[Sample, ...]:
    """The samples from the baseline on: the first one of a healthy service, else all. Pods that still start are none."""
    good = next((place for place, sample in enumerate(samples) if _healthy(sample)), 0)
    return samples[good:]


def _healthy(sample: Sample) -> bool:
    pods = [pod for pod in sample.pods if watched(pod.name)]
    observers = sum(pod.name.startswith("observer-") for pod in pods)
    return observers >= 2 and len(pods) > observers and all(pod.status == "Running" for pod in pods)


def watched(name: str) -> bool:
    """Whether the guide's 24 hours are about this pod."""
    return name.startswith("observer-") or name == "postgres-0"


_BASELINE = msg("two observer pods and postgres-0, Running, with their RESTARTS")
_STABLE = msg("the same pod, Running, RESTARTS as in the baseline, for 24 hours")
_RECENT = msg("more than 0 JSONL files written within 24 hours")


def judge(runs: Runs) -> tuple[Finding, ...]:
    """By the baseline and all samples since: per pod stable, restarted, replaced or changed; and the new files."""
    samples = _since_baseline(ledger(runs))
    if not samples:
        return (_no_baseline(runs.last(PODS)),)
    base, last = samples[0], samples[-1]
    findings = [_baseline(base)]
    newest = runs.last(PODS)
    pods = [found for pod in base.pods if watched(pod.name) for found in _compare(pod, samples)]
    if newest is not last.run:
        findings.extend(found for found in pods if found.verdict is Verdict.FAIL)  # what was met stays met
        findings.append(unseen("STABLE", "9-2", newest, _STABLE, _why(newest)))
    elif any(later.at < earlier.at for earlier, later in pairwise(samples)):
        findings.append(
            unseen(
                "STABLE",
                "9-2",
                newest,
                _STABLE,
                msg("the clock of this machine moved backwards between samples"),
                (do("python -m playbook all --from 9", msg("takes a new baseline")),),
            )
        )
    else:
        findings.extend(pods)
    findings.append(_recent(runs.last(FILES), last, last.at - base.at))
    return tuple(findings)


def _why(run: Run) -> UnreadableText | None:
    try:
        pods_of(run)
    except UnreadableText as error:
        return None if failure(run) else error
    return None


def _no_baseline(run: Run) -> Finding:
    return unseen("BASELINE", "9-1", run, _BASELINE, _why(run))


def _baseline(base: Sample) -> Finding:
    pods = [pod for pod in base.pods if watched(pod.name)]
    text = "; ".join(f"{pod.name} {pod.status} {'<none>' if pod.restarts is None else pod.restarts}" for pod in pods)
    good = _healthy(base)
    return finding(
        "BASELINE",
        "9-1",
        Verdict.PASS if good else Verdict.FAIL,
        msg("the baseline is recorded") if good else msg("the baseline is not one of a healthy service"),
        _BASELINE,
        msg("{at}: {pods}", at=base.at.strftime("%Y-%m-%dT%H:%M:%SZ"), pods=text or "-"),
        base.run,
        pods[0].line if pods else 1,
        () if good else (do("python -m playbook all", msg("once the pods are Running")),),
    )


def _compare(before: PodSample, samples: tuple[Sample, ...]) -> list[Finding]:
    """What became of one pod of the baseline."""
    elapsed = samples[-1].at - samples[0].at
    found: list[Finding] = []
    for sample in samples[1:]:
        now = sample.pod(before.name)
        if now is None or now.started != before.started or (now.restarts or 0) < (before.restarts or 0):
            if found:
                return found  # it failed before it was replaced
            # a pod that was replaced starts again at 0: what it did before is out of sight
            return [
                _stable(
                    before,
                    sample,
                    now,
                    Verdict.INCONCLUSIVE,
                    msg("the pod was replaced"),
                    (do("python -m playbook all --from 9", msg("takes a new baseline, once the reason is known")),),
                )
            ]
        rise = (now.restarts or 0) - (before.restarts or 0)
        if rise:
            logs = (do(f"kubectl logs {before.name} -n observer-prod --previous"),)
            found = [_stable(before, sample, now, Verdict.FAIL, msg("RESTARTS rose by {n}", n=rise), logs)]
            if rise >= LIMIT:
                return [*found, _limit(before, now, sample, rise, logs)]
        elif now.status != "Running":
            found = [
                _stable(
                    before,
                    sample,
                    now,
                    Verdict.FAIL,
                    msg("STATUS changed"),
                    (do(f"kubectl describe pod {before.name} -n observer-prod"),),
                )
            ]
    if found:
        return found
    if before.status != "Running":
        return []  # the baseline itself says so
    last = samples[-1]
    if elapsed >= PERIOD:
        return [_stable(before, last, last.pod(before.name), Verdict.PASS, msg("stable"))]
    due = (samples[0].at + PERIOD).strftime("%Y-%m-%dT%H:%M:%SZ")
    return [
        _stable(
            before,
            last,
            last.pod(before.name),
            Verdict.PENDING,
            msg("stable so far; can be judged from {due}", due=due),
            (do("python -m playbook all", msg("at {due} or later", due=due)),),
        )
    ]


def _stable(
    before: PodSample,
    sample: Sample,
    now: PodSample | None,
    verdict: Verdict,
    summary: Message,
    remedy: tuple[Remedy, ...] = (),
) -> Finding:
    actual = verbatim(_words(now)) if now else msg("no such pod any more")
    return Finding(
        f"STABLE/{before.name}",
        "9-2",
        verdict,
        summary,
        verbatim(_words(before)),
        actual,
        seen_at(sample.run, now.line if now else None),
        remedy,
    )


def _words(pod: PodSample) -> str:
    return f"{pod.status}, RESTARTS {'<none>' if pod.restarts is None else pod.restarts}, STARTED {pod.started}"


def _limit(before: PodSample, now: PodSample, sample: Sample, rise: int, remedy: tuple[Remedy, ...]) -> Finding:
    return finding(
        f"RESTART-LIMIT/{before.name}",
        "9-2",
        Verdict.FAIL,
        msg("RESTARTS rose by {n} within {hours} h", n=rise, hours=24),
        msg("fewer than {n} more restarts", n=LIMIT),
        verbatim(f"{before.restarts or 0} → {now.restarts or 0}"),
        sample.run,
        now.line,
        remedy,
    )


def _recent(run: Run, last: Sample, elapsed: timedelta) -> Finding:
    number = _files(run)
    if number is None:
        return unseen("RECENT-FILES", "9-3", run, _RECENT)
    line, actual = count(run.out)[0], msg("{n} JSONL files", n=number)
    if number > 0 and elapsed >= PERIOD:
        return finding("RECENT-FILES", "9-3", Verdict.PASS, msg("new files were written"), _RECENT, actual, run, line)
    if elapsed >= PERIOD:
        return finding(
            "RECENT-FILES",
            "9-3",
            Verdict.FAIL,
            msg("no new file was written"),
            _RECENT,
            actual,
            run,
            line,
            (
                do("kubectl logs -l app=observer -n observer-prod --tail=50"),
                advise(msg("find out why Observer writes nothing")),
            ),
        )
    return finding(
        "RECENT-FILES", "9-3", Verdict.PENDING, msg("can be judged after 24 hours"), _RECENT, actual, run, line
    )


STEP = Step("9", msg("24-hour stability"), (PODS, FILES), judge, perform, always=True, by_all_samples=True)
