"""Judging again what was recorded: pure, the same every time."""

from __future__ import annotations

from dataclasses import replace

from ..guide.catalog import require_step
from ..model import Runs, Session, StepResult
from . import STEPS, Step
from .masked import same_findings


def step_by_number(number: str) -> Step:
    """Step `0` … `9`; raises UsageError for another."""
    require_step(number)
    for step in STEPS:
        if step.id == number:
            return step
    raise AssertionError(f"no module for Step {number}")


def rejudge(session: Session) -> Session:
    """`session` with every step judged again from its recorded runs.

    Findings that were judged live, because the mask would change them, stay as they were recorded.
    """

    def again(result: StepResult) -> StepResult:
        if result.judged_at is None:
            return result
        found = step_by_number(result.step).judge(Runs(result.runs))
        marked = any(finding.masked for finding in result.findings) and not same_findings(result.findings, found)
        return result if marked else replace(result, findings=found)

    return replace(
        session,
        results=tuple(again(result) for result in session.results),
        history=tuple(again(result) for result in session.history),
    )
