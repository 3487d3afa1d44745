"""What a live run and a replay do alike once a step was carried out: judge it, see whether the guide says stop, find causes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Protocol

from ..guide.criteria import Criterion, met
from ..model import Finding, Run, Runs, Session, StepResult, Verdict, missing
from ..session.as_json import cause_to_json
from ..session.journal import Kind
from ..session.session import OpenSession
from ..steps import Step
from ..steps.masked import caused_live, judged_live


class Diagnosing(Protocol):
    """What a diagnosis needs of an execution."""

    @property
    def runs(self) -> Runs:
        """What it has carried out so far."""

    def run(self, command: str, target: str = "") -> Run:
        """Carry out one read-only command."""


def judge(step: Step, runs: Runs, session: OpenSession, at: datetime, due_from: datetime | None = None) -> StepResult:
    """What the judge of `step` says of `runs`, as printed, at the moment `at`; the session notes it, masked.

    `due_from` is of a live Step 9: what the other steps saw before that moment does not make a session complete. A
    recording counts as made in one go.
    """
    kept = Runs(map(session.as_kept, runs))
    result = StepResult(step.id, findings(step, runs, session), kept, 1 + session.attempts(step.id), at, due_from)
    session.judged(result, at)
    return result


def findings(step: Step, runs: Runs, session: OpenSession) -> tuple[Finding, ...]:
    """What the judge of `step` says of `runs`, as printed: masked, and marked where the masked runs are judged otherwise."""
    kept = Runs(map(session.as_kept, runs))
    live = step.judge(runs)
    if kept == runs:
        return live
    return judged_live(live, step.judge(kept), session.mask_text, session.mask_own)


def meets_criterion(result: StepResult, session: OpenSession) -> bool:
    """Whether a result meets an abort criterion; the session notes the first one."""
    criteria = met(result.findings)
    if criteria:
        session.note(Kind.ABORT, criterion=criteria[0].number, step=_where(criteria[0], result))
    return bool(criteria)


def _where(criterion: Criterion, result: StepResult) -> str:
    """The guide's number of the finding that met the criterion."""
    return next(
        f.step for f in result.findings if f.verdict is Verdict.FAIL and f.code.partition("/")[0] in criterion.met_by
    )


def asks_for_diagnosis(session: Session) -> bool:
    """Whether anything asks for a cause; pods that were restarted are a warning, and ask why."""
    asking = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.WARN)
    return any(result.verdict in asking for result in session.results)


def note_causes(session: OpenSession, execution: Diagnosing) -> None:
    """Diagnose `session` with what `execution` can look at, and note the causes; nothing when there is nothing to ask."""
    state = session.state
    if not asks_for_diagnosis(state):
        if state.causes:
            session.note(Kind.CAUSES, causes=[], runs=[])
        return
    from ..diagnosis.diagnose import diagnose  # noqa: PLC0415 - 12 ms that only a failure is worth

    seen = [replace(result, runs=tuple(map(session.as_seen, result.runs))) for result in state.results]
    causes = diagnose(seen, execution.run)
    kept = tuple(map(session.as_kept, execution.runs))
    if kept != tuple(execution.runs) or seen != list(state.results):
        again = diagnose(state.results, partial(_recorded, kept))
        causes = caused_live(causes, again, session.mask_text, session.mask_own)
    session.note(
        Kind.CAUSES,
        causes=[cause_to_json(cause) for cause in causes],
        runs=[[run.command, run.ordinal] for run in execution.runs],
    )


def _recorded(runs: Iterable[Run], command: str, target: str) -> Run:
    """The run of a diagnosis command among `runs`; one that says it is not recorded when there is none."""
    key = f"{command}.{target}" if target else command
    return next((run for run in runs if run.command == key), missing(key))
