"""Judging again what was recorded: pure, the same every time."""

from __future__ import annotations

from dataclasses import replace

from ..guide.catalog import require_step
from ..model import Runs, Session, StepResult
from . import STEPS, Step


def step_by_number(number: str) -> Step:
    """Step `0` … `9`; raises UsageError for another."""
    require_step(number)
    for step in STEPS:
        if step.id == number:
            return step
    raise AssertionError(f"no module for Step {number}")


def rejudge(session: Session) -> Session:
    """`session` with every step judged again from its recorded runs."""

    def again(result: StepResult) -> StepResult:
        if result.judged_at is None:
            return result
        return replace(result, findings=step_by_number(result.step).judge(Runs(result.runs)))

    return replace(
        session,
        results=tuple(again(result) for result in session.results),
        history=tuple(again(result) for result in session.history),
    )
