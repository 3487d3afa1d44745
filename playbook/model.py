"""The types that every other module speaks: commands, runs, findings, verdicts and one verification as a whole.

Plain immutable values. Nothing here reads, prints or runs anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from .clock import NEVER
from .command import Command as Command  # noqa: PLC0414 - one of the types of this module
from .masking import Masked, Withheld
from .text import Message

GUIDE_VERSION = "1.0"
NAMESPACE = "observer-prod"


class Verdict(str, Enum):
    """The outcome of a finding or of a step."""

    PASS = "pass"
    WARN = "warn"  # odd, but the guide does not call it abnormal
    FAIL = "fail"  # the guide calls it abnormal
    INCONCLUSIVE = "inconclusive"  # could not be seen
    SKIPPED = "skipped"  # not done on purpose, with its reason
    PENDING = "pending"  # to be judged later (Step 9 before its 24 hours are over)
    NOT_RUN = "not-run"  # the run ended before it


SEVERITY = (
    Verdict.FAIL,
    Verdict.INCONCLUSIVE,
    Verdict.SKIPPED,
    Verdict.NOT_RUN,
    Verdict.PENDING,
    Verdict.WARN,
    Verdict.PASS,
)
"""Worst first: a step is as bad as its worst finding."""


PASSING = (Verdict.PASS, Verdict.WARN)
"""The verdicts of a step that need not be carried out again."""


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of `verdicts`; none at all is inconclusive, because nothing was seen.

    >>> worst([Verdict.PASS, Verdict.WARN]).value, worst([]).value
    ('warn', 'inconclusive')
    """
    return min(verdicts, key=SEVERITY.index, default=Verdict.INCONCLUSIVE)


class Overall(str, Enum):
    """The outcome of a whole verification: the first of these, in this order, that holds."""

    ABORTED = "aborted"
    FAILED = "failed"
    INCOMPLETE = "incomplete"
    PENDING = "pending"
    COMPLETE = "complete"


class Ended(str, Enum):
    """How a command came to its end."""

    EXITED = "exited"
    TIMEOUT = "timeout"  # our time limit; the whole process group was ended
    INTERRUPTED = "interrupted"  # a signal to the program, or a lost terminal
    CUT = "cut"  # it printed more than is kept (32 MiB of one stream); it was ended, and nothing is concluded from it
    STOPPED_EARLY = "settled"  # ended by the program because its answer had been seen elsewhere (Step 7-2)
    NOT_FOUND = "not-found"  # bash itself is not there
    NOT_RECORDED = "not-recorded"  # a recording does not have it
    REFUSED = "refused"  # the program would not run it; `Run.note` says why


NOT_STARTED = "not-started"
"""`Run.note` of a command that was cancelled before it started."""


@dataclass(frozen=True, slots=True)
class Run:
    """One carrying out of one command: what it printed and how it ended. Streams are masked, otherwise untouched."""

    command: str  # Command.key
    ordinal: int  # 1 for the first time in this session or recording
    stdout: bytes
    stderr: bytes
    exit_code: int | None  # None when there is none: ended by us, never run, or not known to the recording
    ended: Ended
    started_at: datetime  # UTC
    duration_s: float
    note: str = ""  # why it was refused or ended early

    @property
    def out(self) -> str:
        """Standard output as text; bytes that are not UTF-8 stay visible as escapes."""
        return self.stdout.decode("utf-8", "backslashreplace")

    @property
    def err(self) -> str:
        """Standard error as text."""
        return self.stderr.decode("utf-8", "backslashreplace")

    @property
    def happened(self) -> bool:
        """Whether the command was started at all."""
        return self.ended not in (Ended.NOT_RECORDED, Ended.REFUSED, Ended.NOT_FOUND) and self.note != NOT_STARTED


class Runs(tuple[Run, ...]):
    """The runs that one step is judged by, in the order in which they were made."""

    __slots__ = ()

    def all(self, command: str) -> tuple[Run, ...]:
        """Every run of `command` (a `Command.key`), oldest first."""
        return tuple(run for run in self if run.command == command)

    def last(self, command: str) -> Run:
        """The newest run of `command`; one that says so when there is none, never an exception."""
        found = self.all(command)
        return found[-1] if found else missing(command)


def missing(command: str, ordinal: int = 1) -> Run:
    """The run of a command that nobody has a record of."""
    return Run(command, ordinal, b"", b"", None, Ended.NOT_RECORDED, NEVER, 0.0)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a finding was seen: a run and a line of its standard output (counted from 1), or of its standard error."""

    command: str
    line: int | None = None
    ordinal: int = 1
    stream: str = "stdout"


@dataclass(frozen=True, slots=True)
class Remedy:
    """What the guide says to do: a command to type, advice in words, or both."""

    command: str = ""
    advice: Message | None = None
    changes: bool = False  # it changes the cluster or the server; the advice says what that costs

    def __str__(self) -> str:
        return self.command or str(self.advice or "")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the guide asks about, and the answer."""

    code: str  # stable, for machines and waivers: `PVC-BOUND`, or `PVC-BOUND/observer-db-pvc`
    step: str  # the guide's own number: `3-4`, or `2` where it has no sub-step
    verdict: Verdict
    summary: Message
    expected: Message
    actual: Message
    evidence: Evidence | None = None
    remedy: tuple[Remedy, ...] = ()
    masked: bool = False  # judged from what was printed; the text that is kept, masked, would be judged otherwise


@dataclass(frozen=True, slots=True)
class StepResult:
    """One attempt at one step."""

    step: str  # `0` … `9`
    findings: tuple[Finding, ...]
    runs: tuple[Run, ...] = ()
    attempt: int = 1
    judged_at: datetime | None = None
    due_from: datetime | None = None  # of Step 9: the moment from which it can be judged, when it was carried out live
    program: str = ""  # version of playbook that judged it; "" in sessions of versions that did not say

    @property
    def verdict(self) -> Verdict:
        """As bad as the worst finding; without a finding nothing was seen."""
        return worst(finding.verdict for finding in self.findings)

    @property
    def seconds(self) -> float:
        """How long its commands ran, those side by side counted once."""
        total, reached = 0.0, float("-inf")
        for run in sorted((run for run in self.runs if run.happened), key=lambda run: run.started_at):
            begin = max(run.started_at.timestamp(), reached)
            end = run.started_at.timestamp() + run.duration_s
            total += max(0.0, end - begin)
            reached = max(reached, end)
        return total


@dataclass(frozen=True, slots=True)
class Cluster:
    """Which cluster was looked at, as Step 0 showed it."""

    server: str  # https://…:6443
    nodes: tuple[str, ...]
    namespace: str = NAMESPACE

    def __str__(self) -> str:
        return f"{self.server} ({', '.join(self.nodes) or '?'}), namespace {self.namespace}"


@dataclass(frozen=True, slots=True)
class Abort:
    """The abort criterion that was met, and where."""

    criterion: int  # the guide's number, 1 to 6
    step: str


@dataclass(frozen=True, slots=True)
class Waiver:
    """Somebody's word that one finding is accepted as it is."""

    code: str
    step: str  # the step whose evidence it was given for
    by: str
    reason: str
    at: datetime
    evidence: str  # digest of the finding it was given for; it dies with that finding


@dataclass(frozen=True, slots=True)
class Cause:
    """What lies behind one or more findings, by the guide's rows and decision trees."""

    code: str  # stable: `SECRET-ABSENT`, or `CRASH-KEY/observer-7cd9cf784-x`
    step: str  # where the guide treats it: `3-3`
    title: Message
    branch: Message  # the guide's row or branch that was followed; says so where none matches
    line: str  # the deciding line of the output, masked
    evidence: Evidence | None
    remedy: tuple[Remedy, ...]
    explains: tuple[str, ...] = ()  # codes of the findings that follow from it
    matched: bool = True  # False: no branch of the guide matches
    masked: bool = False  # found in what was printed; the text that is kept, masked, would not show it


@dataclass(frozen=True, slots=True)
class Provenance:
    """By what the commands of a session were run: the programs, the names of the credentials, and what was kept from them."""

    program: str  # version of playbook
    commands: str  # digest of commands/SHA256SUMS
    kubectl: str = ""  # its real path
    kubectl_sha256: str = ""
    k3s: bool = False  # kubectl is a link to the k3s program
    tools: tuple[tuple[str, str], ...] = ()  # name and version of kubectl, bash, jq, curl
    server: str = ""  # version of the API server; "" where it could not be seen
    kubeconfig: str = ""  # its path or paths; "" where kubectl looks for it itself
    context: str = ""
    user: str = ""
    removed: tuple[str, ...] = ()  # variables that were not handed on, because they change what a command means
    noticed: tuple[str, ...] = ()  # files of the operator's that a tool reads and that may do so
    operator: str = ""  # who ran them, and who is behind sudo: `root@host (sudo: kim)`
    zone: str = ""  # the time zone of the machine, as `+09:00`
    cluster_uid: str = (
        ""  # UID of the namespace kube-system: the cluster's own, whatever its address; "" where it could not be seen
    )
    images: tuple[tuple[str, str, str], ...] = ()  # pod, image, and its digest, of the namespace's containers


@dataclass(frozen=True, slots=True)
class Session:
    """One verification as its journal tells it: what every output is rendered from."""

    id: str
    guide_version: str
    cluster: Cluster | None
    started_at: datetime
    ended_at: datetime | None
    results: tuple[StepResult, ...]  # the one that counts of each step, in the guide's order; all ten are there
    history: tuple[StepResult, ...] = ()  # every attempt, in the order of time
    abort: Abort | None = None
    waivers: tuple[Waiver, ...] = ()
    operator: str = ""
    attempts: int = 1
    provenance: Provenance | None = None
    digest: str = ""  # the last line of the journal's hash chain
    stale: tuple[tuple[str, str], ...] = field(default=())  # step and the code of the rule that made it stale
    causes: tuple[Cause, ...] = ()  # roots, in the guide's order
    diagnosis: tuple[Run, ...] = ()  # the runs that led to them
    scope: tuple[str, ...] = ()  # the steps that the verdict is about; none: all ten
    masked: tuple[Masked, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    changes: tuple[Run, ...] = ()  # every run of a command that changes the cluster, in the order of time
    replayed: bool = False  # judged from a recording: nothing was run, and nobody is to sign it

    def result(self, step: str) -> StepResult:
        """The result of step `0` … `9`; raises KeyError for another."""
        for result in self.results:
            if result.step == step:
                return result
        raise KeyError(step)

    def waiver_for(self, finding: Finding) -> Waiver | None:
        """The waiver that accepts `finding` as it is, or None."""
        return next((w for w in self.waivers if w.code == finding.code and w.step == finding.step.split("-")[0]), None)

    def standing(self, result: StepResult) -> Verdict:
        """The verdict of `result` once what is waived no longer counts."""
        return worst(
            Verdict.WARN if self.waiver_for(finding) and finding.verdict is not Verdict.PASS else finding.verdict
            for finding in result.findings
        )

    @property
    def outdated(self) -> tuple[str, ...]:
        """The steps before the restart that were last seen before Step 9's 24 hours were over; none while these run.

        What was good a day ago says nothing of the service that those hours were about.
        """
        last = next((result for result in self.results if result.step == "9"), None)
        due = last.due_from if last else None
        if last is None or due is None or last.judged_at is None or last.judged_at < due:
            return ()
        asked = [
            result for result in self.results if result.step < "8" and (not self.scope or result.step in self.scope)
        ]
        return tuple(result.step for result in asked if result.judged_at is not None and result.judged_at < due)

    @property
    def overall(self) -> Overall:
        """The first that holds of aborted, failed, incomplete, pending, complete."""
        standings = {self.standing(r) for r in self.results if not self.scope or r.step in self.scope}
        if self.abort:
            return Overall.ABORTED
        if Verdict.FAIL in standings:
            return Overall.FAILED
        if standings & {Verdict.INCONCLUSIVE, Verdict.SKIPPED, Verdict.NOT_RUN}:
            return Overall.INCOMPLETE
        if Verdict.PENDING in standings:
            return Overall.PENDING
        return Overall.INCOMPLETE if (not self.scope or "9" in self.scope) and self.outdated else Overall.COMPLETE
