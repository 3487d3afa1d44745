"""A session as the report's templates are given it: rows of tables, steps with their attempts, the flow.

The cells and texts are Markdown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..guide.criteria import State, criterion_states
from ..model import PASSING, Command, Finding, Run, Session, StepResult, Verdict
from ..session.recording import stream_name
from ..text import Message, msg
from .columns import one_line
from .escaping import code, remedy, text
from .labels import VERDICTS, duration, ended, moment, step_row, tally, waived_findings, where, with_waiver

SYMBOLS = {
    Verdict.PASS: "✅",
    Verdict.WARN: "⚠️",
    Verdict.FAIL: "❌",
    Verdict.INCONCLUSIVE: "❔",
    Verdict.SKIPPED: "⏭️",
    Verdict.PENDING: "⏳",
    Verdict.NOT_RUN: "⬜",
}
_STATES = {
    State.NOT_MET: ("✅", msg("not met")),
    State.MET: ("❌", msg("met")),
    State.UNSEEN: ("❔", msg("could not be seen")),
    State.NOT_RUN: ("⬜", msg("not run")),
}

_CELL, _COMMAND = 300, 100
"""How many characters one cell of a table shows, and the cell of a command."""
Rows = Sequence[tuple[str, ...]]
"""The rows of a table; the cells are Markdown."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a step: its findings as rows, the runs shown in full, and those shown as one row each."""

    result: StepResult
    mark: str
    findings: Rows
    runs: tuple[Run, ...]
    rows: Rows = ()


@dataclass(frozen=True, slots=True)
class StepView:
    """One step: the attempt that counts, its findings that are told one by one or wait, and the attempts before it."""

    title: str
    counts: Attempt
    open: tuple[Finding, ...]
    waiting: Rows  # the findings that are pending
    earlier: tuple[Attempt, ...]


def mark(verdict: Verdict, waived: bool = False) -> str:
    """A verdict as symbol and word, for those who see colours and those who do not."""
    return with_waiver(f"{SYMBOLS[verdict]} {VERDICTS[verdict]}", waived)


def step_view(session: Session, result: StepResult, title: Message, commands: Mapping[str, Command]) -> StepView:
    """A step that counts, with all attempts at it. No run is shown twice.

    What passed is told in rows; the commands of a step that did not pass are shown with what they printed.
    """
    before = [old for old in session.history if old.step == result.step and old != result]
    shown = {(run.command, run.ordinal) for run in result.runs}
    waived = _is_waived(session, result)
    folded = result.verdict in (*PASSING, Verdict.PENDING)  # pending: nothing is wrong, it only is not over
    waiting = tuple(f for f in result.findings if f.verdict is Verdict.PENDING and not f.masked)
    told = tuple(f for f in result.findings if (f.verdict is not Verdict.PASS or f.masked) and f not in waiting)
    counts = Attempt(
        result,
        mark(result.verdict, waived),
        tuple(_finding_row(finding) for finding in result.findings if finding not in (*told, *waiting)),
        () if folded else tuple(result.runs),
        tuple(_run_row(run, commands) for run in result.runs) if folded else (),
    )
    return StepView(
        title=str(title),
        counts=counts,
        open=told,
        waiting=[_finding_row(finding, marked=True) for finding in waiting],
        earlier=tuple(_earlier(old, shown) for old in before),
    )


def _earlier(result: StepResult, shown: set[tuple[str, int]]) -> Attempt:
    fresh = [run for run in result.runs if (run.command, run.ordinal) not in shown]
    shown.update((run.command, run.ordinal) for run in fresh)
    return Attempt(
        result, mark(result.verdict), tuple(_finding_row(f, marked=True) for f in result.findings), tuple(fresh)
    )


def _finding_row(finding: Finding, *, marked: bool = False) -> tuple[str, ...]:
    return (
        f"{mark(finding.verdict)} {code(finding.code, cell=True)}" if marked else code(finding.code, cell=True),
        text(finding.expected, _CELL),
        text(finding.actual, _CELL),
        code(where(finding.evidence), cell=True) if finding.evidence else "-",
    )


def _run_row(run: Run, commands: Mapping[str, Command]) -> tuple[str, ...]:
    command = commands.get(run.command) or commands.get(run.command.partition(".")[0])
    words = command.text.strip() if command else ""
    first, _, more = words.partition("\n")
    shown = one_line(first, _COMMAND) + (" …" if more and not first.endswith("…") else "")
    name = code(stream_name(run.command, run.ordinal), cell=True)
    return name, code(shown, cell=True) or "-", ended(run), duration(run.duration_s) if run.happened else "-"


def _is_waived(session: Session, result: StepResult) -> bool:
    return session.standing(result) is not result.verdict


def steps_rows(session: Session, titles: Mapping[str, Message]) -> Rows:
    """All steps, by `labels.STEP_COLUMNS`."""
    rows = []
    for result in session.results:
        stale = ", ".join(rule for step, rule in session.stale if step == result.step)
        verdict = mark(result.verdict, _is_waived(session, result)) + (
            f" ({msg('stale')}: {text(stale)})" if stale else ""
        )
        rows.append(step_row(session, result, text(titles[result.step]), verdict))
    return rows


def masked_rows(session: Session) -> Rows:
    """What was masked: variable, how often, in which outputs."""
    return [(code(each.name), str(each.times), ", ".join(map(code, each.runs))) for each in session.masked]


def withheld_rows(session: Session) -> Rows:
    """What was not kept: output, bytes, SHA-256."""
    return [(code(f"{each.run}.{each.stream}"), str(each.size), code(each.sha256)) for each in session.withheld]


def criteria_rows(session: Session) -> Rows:
    """The abort criteria: number, step, state, condition, and what to do where one is met."""
    rows = []
    for criterion, state in criterion_states(session):
        symbol, label = _STATES[state]
        remedies = [remedy(each, cell=True) for each in criterion.remedy if state is State.MET]
        condition = text(criterion.condition)
        rows.append((str(criterion.number), criterion.step, f"{symbol} {label}", condition, "; ".join(remedies)))
    return rows


def waiver_rows(session: Session) -> Rows:
    """Every waiver that counts: code, step, verdict, by whom, when and why."""
    return [
        (code(w.code, cell=True), w.step, mark(finding.verdict), text(w.by), moment(w.at), text(w.reason))
        for finding in waived_findings(session)
        if (w := session.waiver_for(finding))
    ]


def history_rows(session: Session) -> Rows:
    """Every attempt at every step; none where each was tried once: the table of steps says it all."""
    if len({result.step for result in session.history}) == len(session.history):
        return []
    return [(moment(r.judged_at), r.step, str(r.attempt), mark(r.verdict), tally(r.findings)) for r in session.history]


def flow(session: Session, titles: Mapping[str, Message]) -> Iterable[tuple[str, str, str, str]]:
    """Per step: node id, its label, its class, and what the arrow to the next step says."""
    stopped = session.abort.step.split("-")[0] if session.abort else ""
    for result in session.results:
        verdict = with_waiver(str(VERDICTS[result.verdict]), _is_waived(session, result))
        name = f"{msg('Step {step}', step=result.step)}: {titles[result.step]}"
        label = one_line(f"{SYMBOLS[result.verdict]} {name} · {verdict}")
        label = label.replace('"', "'").replace("`", "'").replace("<", "#lt;")
        here = session.abort if result.step == stopped else None
        cut = str(msg("stopped by criterion {n}", n=here.criterion)) if here else ""
        yield f"s{result.step}", label, session.standing(result).value.replace("-", ""), cut
