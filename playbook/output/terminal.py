"""What the terminal shows, as text: step lines, problems, tables. Nothing here prints.

Everything that came from outside passes `clean`, so no output of a command can move the cursor or colour a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..guide.criteria import Criterion, criterion
from ..guide.remedy import harmless_next
from ..model import Cause, Finding, Remedy, Session, StepResult, Verdict
from ..text import PROGRAM, Message, as_typed, msg
from .columns import COLUMNS, clean, one_line, pad, table, width, wrapped
from .labels import (
    STEP_COLUMNS,
    TITLES,
    VERDICTS,
    duration,
    moment,
    outage_sentence,
    step_names,
    step_row,
    where,
    with_waiver,
)

_COLOURS = {
    Verdict.PASS: "32",
    Verdict.WARN: "33",
    Verdict.FAIL: "1;31",
    Verdict.INCONCLUSIVE: "35",
    Verdict.SKIPPED: "36",
    Verdict.PENDING: "34",
    Verdict.NOT_RUN: "2",
}


SETTLED = (Verdict.PASS, Verdict.NOT_RUN, Verdict.PENDING)
"""Verdicts of findings about which there is nothing to do."""


def paint(text: str, verdict: Verdict, colour: bool) -> str:
    """`text` in the colour of `verdict`, or as it is."""
    return f"\x1b[{_COLOURS[verdict]}m{text}\x1b[0m" if colour and text else text


def label(verdict: Verdict, colour: bool = False) -> str:
    """The name of a verdict in the language in use."""
    return paint(str(VERDICTS[verdict]), verdict, colour)


def step_head(step: str, title: Message, columns: int = 0) -> str:
    """The beginning of a step's line, as announced before it runs; `columns` is the width of the widest title."""
    return f"{msg('Step {step}', step=step)}  {pad(str(title), columns)}"


def step_tail(verdict: Verdict, seconds: float, *, colour: bool = False) -> str:
    """The rest of a step's line, once it is judged: verdict and time."""
    widest = max(width(str(each)) for each in VERDICTS.values())
    return f"{paint(pad(str(VERDICTS[verdict]), widest), verdict, colour)}  {duration(seconds)}"


def status(session: Session, titles: Mapping[str, Message] = TITLES, *, colour: bool = False) -> str:
    """What a verification is about, and how its steps stand."""
    facts = [
        (msg("Session"), session.id),
        (msg("Cluster"), str(session.cluster) if session.cluster else str(msg("not seen"))),
        (msg("Guide version"), session.guide_version),
        (msg("Run by"), session.operator or "-"),
        (msg("Started"), moment(session.started_at)),
        (msg("Ended"), moment(session.ended_at)),
        (msg("Attempts"), str(session.attempts)),
    ]
    outage = outage_sentence(session)
    down = f"{paint(outage, Verdict.FAIL, colour)}\n\n" if outage else ""
    about = "\n".join(_named([(name, one_line(value)) for name, value in facts]))
    return f"{down}{about}\n\n{steps_table(session, titles, colour=colour)}"


def details(session: Session, *, colour: bool = False) -> str:
    """Everything that is to be said: causes, problems one by one, the criterion that stopped the run."""
    parts = [
        paint(outage_sentence(session), Verdict.FAIL, colour),
        problems(session, colour=colour),
        causes(session, colour=colour),
        abort_text(session),
    ]
    return "\n\n".join(part for part in parts if part)


def steps_table(session: Session, titles: Mapping[str, Message] = TITLES, *, colour: bool = False) -> str:
    """All ten steps with verdict, findings and time; findings that do not fit go on in the next line."""

    def verdict(result: StepResult) -> str:
        shown = with_waiver(label(result.verdict, colour), session.standing(result) is not result.verdict)
        return f"{shown} ({msg('stale')})" if result.step in dict(session.stale) else shown

    headers = [str(header) for header in STEP_COLUMNS[:-1]]
    rows = [step_row(session, each, str(titles[each.step]), verdict(each))[:-1] for each in session.results]
    columns = list(zip(headers, *rows, strict=True))
    others = [max(width(header) + 2, *map(width, cells)) for header, *cells in (*columns[:3], *columns[4:])]
    room = COLUMNS - sum(others) - 2 * len(others)  # tabulate gives each header two columns more
    cells: list[tuple[str, ...]] = []
    for step, title, shown, findings, seconds in rows:
        whole = findings.replace(" ", "\u00a0").replace(",\u00a0", ", ")  # a number stays with its verdict
        first, *rest = (line.replace("\u00a0", " ") for line in wrapped(whole, max(20, room)))
        cells += [(step, title, shown, first, seconds), *(("", "", "", line, "") for line in rest)]
    return table(headers, cells)


def problems(session: Session, *, colour: bool = False) -> str:
    """Every finding that is not a pass, with expected, actual, remedy and what to type next; "" when there is none."""
    findings = [finding for result in session.results for finding in result.findings]
    blocks = [problem(session, finding, colour=colour) for finding in findings if finding.verdict not in SETTLED]
    for verdict in (Verdict.PENDING, Verdict.NOT_RUN):
        steps = [r.step for r in session.results if any(f.verdict is verdict for f in r.findings)]
        if steps:
            blocks.append(f"{label(verdict, colour)}  {step_names(steps)}")
    return "\n\n".join(blocks)


def problem(session: Session, finding: Finding, *, colour: bool = False) -> str:
    """One finding as a block of lines."""
    head = f"{label(finding.verdict, colour)}  {one_line(finding.code)}  {msg('Step {step}', step=finding.step)}"
    lines: list[_Line] = [
        (msg("expected"), one_line(finding.expected)),
        (msg("actual"), one_line(finding.actual)),
        (msg("evidence"), where(finding.evidence)),
    ]
    waiver = session.waiver_for(finding)
    root = next((cause for cause in session.causes if finding.code in cause.explains), None)
    if waiver:
        lines.append((msg("waived"), one_line(msg("by {name}: {reason}", name=waiver.by, reason=waiver.reason))))
    elif root:
        lines.append((msg("follows from"), one_line(root.code)))
    else:
        again = f"{PROGRAM} step {finding.step}"
        first = harmless_next(finding.remedy) or again
        lines += [*_remedies(finding.remedy)]
        lines += [] if finding.verdict is Verdict.PASS else [(msg("next"), _command(first))]
    return "\n".join([*wrapped(f"{head}  {one_line(finding.summary)}", COLUMNS, "  "), *_named(lines, "  ")])


def causes(session: Session, *, colour: bool = False) -> str:
    """What lies behind the findings, roots in the guide's order; "" when nothing is known."""
    return "\n\n".join(_cause(cause, colour) for cause in session.causes)


def _cause(cause: Cause, colour: bool) -> str:
    head = f"{paint(str(msg('root cause')), Verdict.FAIL, colour)}  {one_line(cause.code)}  {one_line(cause.title)}"
    lines: list[_Line] = [(msg("branch"), one_line(cause.branch))]
    if cause.line:
        lines.append((msg("line"), one_line(cause.line)))
    lines.append((msg("evidence"), where(cause.evidence)))
    if cause.explains:
        lines.append((msg("explains"), one_line(", ".join(cause.explains))))
    return "\n".join([*wrapped(head, COLUMNS, "  "), *_named([*lines, *_remedies(cause.remedy)], "  ")])


def abort_text(session: Session) -> str:
    """Which abort criterion stopped the run, what to do, and how to go on; "" when none did."""
    if session.abort is None:
        return ""
    met, step = criterion(session.abort.criterion), session.abort.step
    head = msg(
        "Abort criterion {criterion} met at Step {step}: {condition}",
        criterion=met.number,
        step=step,
        condition=str(met.condition),
    )
    remedies = [f"  {line}" for _, value in _remedies(met.remedy) for line in _lines(value, COLUMNS - 2)]
    return "\n".join([*wrapped(str(head), COLUMNS), *remedies, *goes_on_from(met)])


def goes_on_from(met: Criterion) -> list[str]:
    """Where an aborted verification goes on once the cause is gone."""
    return wrapped(str(msg("then `{program} all` goes on from Step {step}", step=met.resume_from)), COLUMNS)


_Line = tuple[Message, str | list[str]]
"""A name and its value: text, to be broken at words, or the lines of a command, to be kept."""


def _remedies(remedies: Iterable[Remedy]) -> Iterator[_Line]:
    for remedy in remedies:
        mark = f" ({msg('changes the cluster')})" if remedy.changes else ""
        if remedy.advice or mark:
            yield msg("remedy"), f"{one_line(remedy.advice or '')}{mark}".strip()
        if remedy.command:
            yield msg("remedy"), _command(remedy.command)


def _command(command: str) -> list[str]:
    return as_typed(clean(command)).rstrip("\n").split("\n")


def _lines(value: str | list[str], columns: int) -> list[str]:
    return wrapped(value, columns) if isinstance(value, str) else value


def _named(lines: Sequence[_Line], indent: str = "") -> list[str]:
    """`name  value` lines; a name is not said twice in a row, a value of several lines stays a block."""
    widest = max(width(str(name)) for name, _ in lines)
    shown, before = [], ""
    for name, value in lines:
        shown_name = "" if str(name) == before else str(name)
        before = str(name)
        first, *rest = _lines(value, COLUMNS - widest - len(indent) - 2)
        shown.append(f"{indent}{pad(shown_name, widest)}  {first}")
        shown += [" " * (widest + len(indent) + 2) + line for line in rest]
    return shown
