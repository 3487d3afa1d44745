"""What the next attempt would do: which steps it keeps and why, which it runs again and why, and what to type for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ..guide.remedy import harmless_next
from ..model import PASSING, Overall, Runs, Session, StepResult, Verdict
from ..refusals import Refusal
from ..runtime.staleness import kept_because, rule
from ..steps.step9_stability import judged_from
from ..text import Message, as_typed, msg
from .labels import VERDICTS, moment_for_people
from .render import commands_of


def next_attempt(session: Session, at: datetime) -> str:
    """One line per step: kept, or run again, and the reason. `at`: the moment of asking."""
    return "\n".join(f"{msg('Step {step}', step=r.step)}  {_prospect(session, r, at)}" for r in session.results)


def _prospect(session: Session, result: StepResult, at: datetime) -> Message:
    codes = dict(session.stale)
    if result.judged_at is None:
        return msg("to be run: not reached yet")
    if result.step == "0":
        return msg("run at every start: it shows which cluster this is")
    if result.step == "9":
        return msg("a sample is added at every start")
    if session.standing(result) not in PASSING:
        return msg("to be run again: {verdict}", verdict=str(VERDICTS[session.standing(result)]))
    if result.step in codes:
        return msg("stale, to be run again: {why}", why=str(rule(codes[result.step]).why))
    return msg("kept: {why}", why=str(kept_because(result, at)))


def next_line(session: Session) -> Message | None:
    """The last line of the output: what to type next, and from when on. None where the one step asked for passes."""
    if session.scope and session.overall is Overall.COMPLETE:
        return None
    whole = replace(session, scope=())
    command = as_typed(next_command(whole if session.overall is Overall.PENDING else session))
    at = judged_from(Runs(session.result("9").runs)) if whole.overall is Overall.PENDING else None
    if at is None:
        return msg("next: {command}", command=command)
    return msg("next: {command}  from {moment} on", command=command, moment=moment_for_people(at))


def next_command(session: Session) -> str:
    """What to type next. Never what changes the cluster: that is the operator's to decide, and stands with the remedies.

    The first root cause gives the first command of its remedies that only looks and was not run already.
    """
    done = {command.text.strip() for command in commands_of(session).values()}
    first = harmless_next(
        r for cause in session.causes[:1] for r in cause.remedy if r.command.strip() not in done or not r.command
    )
    if first:
        return first
    if any(remedy.changes for cause in session.causes[:1] for remedy in cause.remedy):
        return "playbook status -v"
    if session.overall is Overall.COMPLETE:
        return "playbook report -o report.md"
    if session.overall is Overall.INCOMPLETE and _waits_for_permission(session):
        return "playbook all --plan"  # what a restart would delete; it is not proposed blindly
    return "playbook all"


def _waits_for_permission(session: Session) -> bool:
    """Whether the deletes of Step 8, not allowed yet, are all that is missing."""
    blocked = [
        r for r in session.results if session.standing(r) in (Verdict.SKIPPED, Verdict.INCONCLUSIVE, Verdict.NOT_RUN)
    ]
    refused = {run.note for result in blocked for run in result.runs}
    return [result.step for result in blocked] == ["8"] and Refusal.NOT_CONFIRMED.value in refused
