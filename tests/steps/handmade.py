"""Runs and steps written by hand, for what no recording shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

from playbook.model import Ended, Finding, Run, Runs, Verdict

THEN = datetime(2026, 11, 22, 22, 56, 34, tzinfo=timezone.utc)

REFUSED = "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?\n"
UNREACHABLE = "Unable to connect to the server: dial tcp 10.0.0.5:6443: connect: no route to host\n"
UNAUTHORIZED = "error: You must be logged in to the server (Unauthorized)\n"


def forbidden(
    resource: str, verb: str = "list", where: str = 'in API group "" in the namespace "observer-prod"'
) -> str:
    """What kubectl says to somebody who may not."""
    return f'Error from server (Forbidden): {resource} is forbidden: User "ops" cannot {verb} resource "{resource}" {where}\n'


def not_found(kind: str, name: str) -> str:
    """What kubectl says of an object that is not there."""
    return f'Error from server (NotFound): {kind} "{name}" not found\n'


def said(command: str, out: str = "", err: str = "", code: int | None = None, ended: Ended = Ended.EXITED) -> Run:
    """A run that printed this; its status is 0 unless standard error says otherwise."""
    status = (1 if err else 0) if code is None and ended is Ended.EXITED else code
    return Run(command, 1, out.encode(), err.encode(), status, ended, THEN, 30.0)


def verdicts(findings: tuple[Finding, ...]) -> dict[str, str]:
    """Code to verdict; a code must not come twice."""
    codes = [finding.code for finding in findings]
    assert len(set(codes)) == len(codes), codes
    return {finding.code: finding.verdict.value for finding in findings}


def of(findings: tuple[Finding, ...], code: str) -> Finding:
    """The one finding with this code."""
    (found,) = [finding for finding in findings if finding.code == code]
    return found


def typed(finding: Finding) -> list[str]:
    """The commands that its remedy gives to type."""
    return [remedy.command for remedy in finding.remedy if remedy.command]


def bad(findings: tuple[Finding, ...]) -> dict[str, str]:
    """Code to verdict of everything that did not pass."""
    return {f.code: f.verdict.value for f in findings if f.verdict is not Verdict.PASS}


def never_passes_cut_text(judge: Callable[[Runs], tuple[Finding, ...]], runs: Runs, command: str) -> None:
    """Cut `command`'s output at every byte: what is still read must be what the whole text says, and nothing else may pass."""
    whole = {f.code: f for f in judge(runs)}
    text = runs.last(command).stdout
    for end in range(len(text)):
        cut = Runs(
            r
            if r.command != command
            else Run(r.command, r.ordinal, text[:end], r.stderr, r.exit_code, r.ended, r.started_at, r.duration_s)
            for r in runs
        )
        for found in judge(cut):
            if found.verdict is Verdict.PASS:
                assert whole[found.code] == found, (end, found.code)
