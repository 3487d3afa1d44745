"""How a finding comes about: a question of the guide, and the few ways in which a run can answer it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..errors import UnreadableText
from ..guide.codes import Code
from ..guide.remedies import (
    CHECK_CREDENTIALS,
    CHECK_KUBECONFIG,
    FOR_A_CERTIFICATE,
    FOR_AN_UNREADABLE_KUBECONFIG,
    K3S_STATUS,
    WITHOUT_A_KUBECONFIG,
    WITHOUT_CREDENTIALS,
)
from ..guide.remedy import do
from ..kubectl.failures import Failure, FailureKind, failure
from ..model import NAMESPACE, Ended, Evidence, Finding, Remedy, Run, Verdict
from ..refusals import Refusal, refused
from ..text import Message, msg, verbatim
from .reading import NotSeen

Text = Message | str
OUT, ERR = "stdout", "stderr"
Why = NotSeen | Failure | UnreadableText | Message | None
"""Why a run answers nothing; None: what standard error says of it, or that it says nothing."""

NOT_SEEN = msg("could not be seen")
"""The summary of a finding that the run does not show."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing the guide asks, what it expects, and the run that answers. Texts may be plain: the same in every language."""

    code: Code
    step: str  # the guide's own number: `3-4`, or `2` where it has no sub-step
    expected: Text
    run: Run
    about: str = ""  # the object that it is about, where there are several

    def of(self, name: str) -> Question:
        """The same question about one object."""
        return replace(self, about=name)

    def by(self, run: Run) -> Question:
        """The same question, answered by another run."""
        return replace(self, run=run)

    def passed(self, summary: Message, seen: Text, line: int | None = None) -> Finding:
        """As the guide expects it; `line` is where `seen` stood."""
        return self.answered(Verdict.PASS, summary, seen, line)

    def warned(
        self, summary: Message, seen: Text, line: int | None = None, *remedy: Remedy, stream: str = OUT
    ) -> Finding:
        """Odd, but not abnormal by the guide."""
        return self.answered(Verdict.WARN, summary, seen, line, *remedy, stream=stream)

    def failed(
        self, summary: Message, seen: Text, line: int | None = None, *remedy: Remedy, stream: str = OUT
    ) -> Finding:
        """Abnormal by the guide, with its remedy."""
        return self.answered(Verdict.FAIL, summary, seen, line, *remedy, stream=stream)

    def answered(
        self, verdict: Verdict, summary: Message, seen: Text, line: int | None, *remedy: Remedy, stream: str = OUT
    ) -> Finding:
        """The finding with this verdict, seen at a line of the run."""
        return self._finding(verdict, summary, seen, Evidence(self.run.command, line, self.run.ordinal, stream), remedy)

    def skipped(self, summary: Message, seen: Text, *remedy: Remedy) -> Finding:
        """Not done on purpose: there is nothing to see it by."""
        return self._finding(Verdict.SKIPPED, summary, seen, None, remedy)

    def unseen(self, why: Why = None, *remedy: Remedy, line: int | None = None, stream: str = OUT) -> Finding:
        """Inconclusive: the run does not show it. `line` is where `why` was seen, if it does not say so itself."""
        why = why.why if isinstance(why, NotSeen) else why
        why = failure(self.run) if why is None else why
        if isinstance(why, Failure):
            seen, line, stream = _reason(why, self.run), why.line or None, ERR
        elif isinstance(why, UnreadableText):
            seen, line = why.message, why.line
        elif isinstance(why, Message):
            seen = why
        else:
            seen, stream = _silence(self.run), ERR
        at = Evidence(self.run.command, line, self.run.ordinal, stream) if self.run.happened else None
        return self._finding(Verdict.INCONCLUSIVE, NOT_SEEN, seen, at, remedy or _remedy_for(why))

    def failed_by(self, why: Failure, summary: Message, *remedy: Remedy) -> Finding:
        """Abnormal by the guide, and standard error says so."""
        return self.failed(summary, why.text, why.line or None, *remedy, stream=ERR)

    def absent_or_unseen(self, why: NotSeen, summary: Message, *remedy: Remedy) -> Finding:
        """Failed where standard error says that the object does not exist; else inconclusive."""
        absent = why.failure_of(FailureKind.NOT_FOUND)
        return self.failed_by(absent, summary, *remedy) if absent else self.unseen(why)

    def _finding(
        self, verdict: Verdict, summary: Message, seen: Text, at: Evidence | None, remedy: tuple[Remedy, ...]
    ) -> Finding:
        code = f"{self.code}/{self.about}" if self.about else str(self.code)
        expected, actual = (text if isinstance(text, Message) else verbatim(text) for text in (self.expected, seen))
        return Finding(code, self.step, verdict, summary, expected, actual, at, remedy)


_REFUSED = {
    Refusal.NOT_CONFIRMED: msg("not run: a restart of the pods needs --allow-restart or a typed confirmation"),
    Refusal.COUNT_UNREAD: msg("not run: the count before the restart could not be read"),
    Refusal.COUNT_ZERO: msg("not run: nothing was counted before the restart, so a loss could not be seen"),
    Refusal.PVC_NOT_BOUND: msg("not run: the PVC behind the data is not Bound"),
    Refusal.DATA_NOT_MOUNTED: msg("not run: the data directory is not mounted from its PVC, a restart would lose it"),
    Refusal.OWNER_ABSENT: msg("not run: nothing was seen that would create the pod again"),
    Refusal.DATA_LOST: msg("not run: the restart before it lost data"),
    Refusal.RESTART_UNSEEN: msg("not run: the restart of Observer was not seen to end well"),
    Refusal.NOT_ADMITTED: msg("not run: the API server would not admit the new pod"),
    Refusal.LEFTOVER_POD: msg("not run: a pod tmp-curl is there that this session did not make"),
    Refusal.NO_FORWARD: msg("not run: there was no port-forward to go through"),
}


def refused_because(run: Run) -> Message:
    """Why the program would not run it, in words."""
    why = refused(run)
    if why and why.why is Refusal.NEED_UNMET:
        return msg("not run: a new pod might not come up, by {findings}", findings=why.detail)
    return _REFUSED[why.why] if why else msg("not run")


def _reason(why: Failure, run: Run) -> Message:
    match why.kind:
        case FailureKind.FORBIDDEN if why.verb:
            return msg("Forbidden: may not {verb} {resource}", verb=why.verb, resource=why.resource)
        case FailureKind.TIMEOUT:
            return msg("no answer within {seconds} s", seconds=round(run.duration_s))
        case FailureKind.CUT:
            return msg("it printed more than {n} MiB and was ended", n=32)
        case FailureKind.INTERRUPTED:
            return msg("interrupted")
        case FailureKind.NOT_RECORDED:
            return msg("the recording does not have {command}", command=run.command)
        case FailureKind.REFUSED:
            return refused_because(run)
        case FailureKind.TOOL_MISSING if why.text not in ("", "bash") and run.ended is Ended.NOT_FOUND:
            return msg("bash could not be started: {reason}", reason=why.text)
        case FailureKind.TOOL_MISSING:
            return msg("{tool} is not installed or not on PATH", tool=why.resource or "bash")
        case _:
            return verbatim(why.text)


def _silence(run: Run) -> Message:
    if run.exit_code in (0, None):
        return msg("{command} printed nothing", command=run.command)
    return msg("{command} ended with status {status} and said nothing", command=run.command, status=run.exit_code)


def _remedy_for(why: Failure | UnreadableText | Message | None) -> tuple[Remedy, ...]:
    """What to do about an answer that never came, where the guide or kubectl knows."""
    if not isinstance(why, Failure):
        return ()
    match why.kind:
        case FailureKind.CONNECTION_REFUSED | FailureKind.KUBECONFIG:
            return (CHECK_KUBECONFIG,)
        case FailureKind.KUBECONFIG_UNREADABLE:
            return FOR_AN_UNREADABLE_KUBECONFIG
        case FailureKind.KUBECONFIG_ABSENT:
            return WITHOUT_A_KUBECONFIG
        case FailureKind.CERTIFICATE:
            return FOR_A_CERTIFICATE
        case FailureKind.UNREACHABLE | FailureKind.TIMEOUT:
            return (K3S_STATUS,)
        case FailureKind.FORBIDDEN if why.verb:
            advice = msg("ask for this right, or have it run by a cluster-admin")
            return (do(f"kubectl auth can-i {why.verb} {why.resource} -n {NAMESPACE}", advice),)
        case FailureKind.UNAUTHORIZED:
            return (CHECK_CREDENTIALS,)
        case FailureKind.CREDENTIALS:
            return WITHOUT_CREDENTIALS
        case _:
            return ()
