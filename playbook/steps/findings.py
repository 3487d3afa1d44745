"""How the judges of all steps say what they saw: the few ways in which a finding comes about."""

from __future__ import annotations

from ..errors import UnreadableText
from ..kubectl.failures import Failure, FailureKind, failure
from ..model import Evidence, Finding, Refusal, Remedy, Run, Verdict
from ..text import Message, msg, verbatim


def do(command: str, advice: Message | None = None) -> Remedy:
    """A remedy that is a command to type."""
    return Remedy(command, advice)


def advise(advice: Message) -> Remedy:
    """A remedy in words."""
    return Remedy("", advice)


def seen_at(run: Run, line: int | None = None, stream: str = "stdout") -> Evidence:
    """Where in the recording a finding was seen."""
    return Evidence(run.command, line, run.ordinal, stream)


def finding(
    code: str,
    step: str,
    verdict: Verdict,
    summary: Message,
    expected: Message | str,
    actual: Message | str,
    run: Run | None = None,
    line: int | None = None,
    remedy: tuple[Remedy, ...] = (),
) -> Finding:
    """A finding; `expected` and `actual` may be plain text that is the same in every language."""
    return Finding(
        code,
        step,
        verdict,
        summary,
        expected if isinstance(expected, Message) else verbatim(expected),
        actual if isinstance(actual, Message) else verbatim(actual),
        seen_at(run, line) if run else None,
        remedy,
    )


def unseen(
    code: str,
    step: str,
    run: Run,
    expected: Message | str,
    why: Failure | UnreadableText | Message | None = None,
    remedy: tuple[Remedy, ...] = (),
) -> Finding:
    """The inconclusive finding for `run`: what could not be seen, and what was missing."""
    if why is None:
        why = failure(run)
    stream, line = "stderr", None
    if isinstance(why, Failure):
        said, line = _said(why, run), why.line or None
    elif isinstance(why, UnreadableText):
        said, stream, line = why.message, "stdout", why.line
    elif isinstance(why, Message):
        said, stream = why, "stdout"
    elif run.exit_code not in (0, None):
        said = msg("{command} ended with status {status} and said nothing", command=run.command, status=run.exit_code)
    else:
        said = msg("{command} printed nothing", command=run.command)
    return Finding(
        code,
        step,
        Verdict.INCONCLUSIVE,
        msg("could not be seen"),
        expected if isinstance(expected, Message) else verbatim(expected),
        said,
        Evidence(run.command, line, run.ordinal, stream) if run.happened else None,
        remedy or _remedy_for(why, run),
    )


_REFUSED = {
    Refusal.NOT_CONFIRMED: msg("not run: a restart of the pods needs --allow-restart or a typed confirmation"),
    Refusal.COUNT_UNREAD: msg("not run: the count before the restart could not be read"),
    Refusal.COUNT_ZERO: msg("not run: nothing was counted before the restart, so a loss could not be seen"),
    Refusal.PVC_NOT_BOUND: msg("not run: the PVC behind the data is not Bound"),
    Refusal.DATA_NOT_MOUNTED: msg("not run: the data directory is not mounted from its PVC, a restart would lose it"),
    Refusal.OWNER_ABSENT: msg("not run: nothing was seen that would create the pod again"),
    Refusal.DATA_LOST: msg("not run: the restart before it lost data"),
    Refusal.LEFTOVER_POD: msg("not run: a pod tmp-curl is there that this session did not make"),
    Refusal.NO_FORWARD: msg("not run: there was no port-forward to go through"),
}


def refused_because(run: Run) -> Message:
    """Why the program would not run it, in words."""
    return _REFUSED[Refusal(run.note)] if run.note in {r.value for r in Refusal} else msg("not run")


def _said(why: Failure, run: Run) -> Message:
    match why.kind:
        case FailureKind.FORBIDDEN if why.verb:
            return msg("Forbidden: may not {verb} {resource}", verb=why.verb, resource=why.resource)
        case FailureKind.TIMEOUT:
            return msg("no answer within {seconds} s", seconds=round(run.duration_s))
        case FailureKind.INTERRUPTED:
            return msg("interrupted")
        case FailureKind.NOT_RECORDED:
            return msg("the recording does not have {command}", command=run.command)
        case FailureKind.REFUSED:
            return refused_because(run)
        case FailureKind.TOOL_MISSING:
            return msg("{tool} is not installed or not on PATH", tool=why.resource or "bash")
        case _:
            return verbatim(why.text)


def _remedy_for(why: Failure | UnreadableText | Message | None, run: Run) -> tuple[Remedy, ...]:
    """What to do about an answer that never came, where the guide or kubectl knows."""
    if not isinstance(why, Failure):
        return ()
    match why.kind:
        case FailureKind.CONNECTION_REFUSED | FailureKind.KUBECONFIG:
            return (advise(msg("check the kubeconfig path: {path}", path="/etc/rancher/k3s/k3s.yaml")),)
        case FailureKind.UNREACHABLE | FailureKind.TIMEOUT:
            return (do("systemctl status k3s", msg("on the server, over SSH")),)
        case FailureKind.FORBIDDEN if why.verb:
            return (
                do(
                    f"kubectl auth can-i {why.verb} {why.resource} -n observer-prod",
                    msg("ask for this right, or have it run by a cluster-admin"),
                ),
            )
        case FailureKind.UNAUTHORIZED:
            return (
                advise(
                    msg(
                        "the credentials in the kubeconfig are not accepted: check them, or take {path}",
                        path="/etc/rancher/k3s/k3s.yaml",
                    )
                ),
            )
        case _:
            return ()
