"""What the next attempt would do: which steps it keeps and why, which it runs again and why, and what to type for it."""

from __future__ import annotations

from datetime import datetime

from ..guide.remedies import harmless_next
from ..model import PASSING, Overall, Refusal, Session, StepResult, Verdict
from ..runtime.staleness import kept_because, rule
from ..text import Message, msg
from .labels import VERDICTS


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


def next_command(session: Session) -> str:
    """What to type next: the first root cause's remedy, where it has a command that changes nothing."""
    first = harmless_next(remedy for cause in session.causes[:1] for remedy in cause.remedy)
    if first:
        return first
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
