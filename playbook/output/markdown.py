"""The report that a second person signs: a session as Markdown, by the templates in `templates/`.

It reads well raw and on a Git host. The same session gives the same bytes: nothing here asks for the time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ..model import Command, Finding, Overall, Remedy, Run, Session, StepResult, Verdict
from ..text import Message, msg, translate
from . import terminal
from .columns import clean, one_line, pad, width
from .terminal import duration, moment, where

if TYPE_CHECKING:
    import jinja2

    from ..guide.criteria import Criterion, State
    from ..steps.step9_stability import Sample

SYMBOLS = {
    Verdict.PASS: "✅",
    Verdict.WARN: "⚠️",
    Verdict.FAIL: "❌",
    Verdict.INCONCLUSIVE: "❔",
    Verdict.SKIPPED: "⏭️",
    Verdict.PENDING: "⏳",
    Verdict.NOT_RUN: "⬜",
}
_OVERALL = {
    Overall.COMPLETE: "✅",
    Overall.PENDING: "⏳",
    Overall.INCOMPLETE: "❔",
    Overall.FAILED: "❌",
    Overall.ABORTED: "❌",
}
_STATES = {"not met": "✅", "met": "❌", "could not be seen": "❔"}

HEAD_LINES, TAIL_LINES, HEAD_BYTES, TAIL_BYTES, LINE_CHARACTERS = 150, 50, 14_000, 6_000, 2_000
"""How much of one output a report shows; the recording has all of it."""
_CELL = 300
"""How many characters one cell of a table shows."""
_ALIGNED = 28
"""Columns are padded up to this width, so that long texts do not stretch every row."""
_BARS = "▁▂▃▄▅▆▇█"
Rows = Sequence[tuple[str, ...]]
"""The rows of a table; the cells are Markdown."""


@dataclass(frozen=True, slots=True)
class RunView:
    """One run as the report shows it; texts are cleaned and bounded, the command is whole."""

    name: str
    ended: str
    took: str
    at: str
    command: str
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a step: its findings, and the runs that were not shown before."""

    result: StepResult
    mark: str
    findings: tuple[tuple[str, ...], ...]
    runs: tuple[RunView, ...]


@dataclass(frozen=True, slots=True)
class StepView:
    """One step: the attempt that counts, and the ones before it."""

    title: str
    counts: Attempt
    earlier: tuple[Attempt, ...]
    remedies: tuple[tuple[str, tuple[Remedy, ...]], ...]  # finding code, what to do
    notes: tuple[tuple[Verdict, str, str], ...]  # verdict, code, what a table cell would have cut


def markdown_text(
    session: Session,
    commands: Mapping[str, Command],
    *,
    pack_digest: str = "",
    titles: Mapping[str, Message] | None = None,
) -> str:
    """`session` as Markdown.

    `commands` gives the exact text of what was run, by `Command.key` (or by id, for a filled command); `pack_digest`
    is printed in the sign-off block. A run whose command is not in `commands` is shown without its text.
    """
    from ..guide.criteria import criterion_states
    from ..guide.deviations import deviations_met

    titles = terminal.step_titles() if titles is None else titles
    samples, unread = _ledger(session)
    diagnosis = tuple(_run_view(run, commands) for run in session.diagnosis)
    return (
        _environment()
        .get_template("report.md.j2")
        .render(
            session=session,
            sentence=terminal.overall_sentence(session),
            symbol=_OVERALL[session.overall],
            tools=", ".join(f"{name} {version}" for name, version in session.provenance.tools)
            if session.provenance
            else "",
            flow=_flow(session, titles),
            steps_rows=_steps_rows(session, titles),
            states=_criteria_rows(criterion_states(session)),
            diagnosis=diagnosis,
            ledger_rows=_ledger_rows(samples),
            plot=_plot(samples),
            unread=unread,
            waived=_waiver_rows(session),
            history=_history_rows(session),
            steps=tuple(_step_view(session, result, titles, commands) for result in session.results),
            deviations=deviations_met(session),
            pack_digest=pack_digest,
        )
    )


def warm_up() -> None:
    """Import and compile what `render` needs: to be done while the commands are waited for."""
    from ..resources import folder

    for file in folder("templates").iterdir():
        _environment().get_template(file.name)


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    from ..resources import folder

    templates = folder("templates")

    def load(name: str) -> str | None:
        file = templates / name
        return file.read_text(encoding="utf-8") if file.is_file() else None

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(load),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        optimized=False,  # folding constants takes longer than it saves in one rendering
        autoescape=False,  # Markdown, not HTML: `text`, `code`, `fenced` and `table` escape
    )
    # The tables of templates and the words in them are literals, so that the tool that collects messages finds them.
    environment.globals.update(_=translate, table=markdown_table, fenced=fenced, where=where)
    filters: dict[str, Callable[..., str]] = {
        "text": text,
        "code": code,
        "moment": moment,
        "duration": duration,
        "mark": mark,
        "remedy": _remedy,
    }
    environment.filters.update(filters)
    return environment


def text(value: object, limit: int = 0) -> str:
    r"""Words on one line that Markdown and HTML show as they are.

    >>> print(text("<none> *a* | b_c & _d_ [x](y)"))
    &lt;none> \*a\* | b_c & \_d\_ [x]\(y)
    """
    words = one_line(value, limit)
    words = re.sub(r"\\(?=[!-/:-@\[-`{-~])", r"\\\\", words)
    words = re.sub(r"&(?=#?\w+;)", "&amp;", words)
    words = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", words)
    words = re.sub(r"[*`]|~(?!/)|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", words)
    return words.replace("](", "]\\(")


def code(value: object, *, cell: bool = False) -> str:
    r"""One line as inline code, also inside a table.

    >>> print(code("a `b` c"), code("x | y", cell=True))
    `` a `b` c `` <code>x &#124; y</code>
    """
    words = one_line(value)
    if cell and "|" in words:  # a table splits at a bar even inside backticks
        return "<code>" + text(words).replace("|", "&#124;") + "</code>"
    if "`" not in words:
        return f"`{words}`" if words else ""
    ticks = "`" * (1 + max(map(len, re.findall("`+", words))))
    return f"{ticks} {words} {ticks}"


def fenced(value: str, language: str = "text", indent: int = 0) -> str:
    """A block of text as it is, behind a fence longer than any inside it."""
    words = clean(value).rstrip("\n")
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", words)), default=0))
    return f"{fence}{language}\n{words}\n{fence}".replace("\n", "\n" + " " * indent)


def markdown_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table that lines up raw as well; cells are Markdown already, bars and line ends in them are escaped here."""
    cells = [[re.sub(r"\s*\n\s*", " ", cell).replace("|", "\\|") for cell in row] for row in (headers, *rows)]
    widths = [max(3, min(_ALIGNED, max(map(width, column)))) for column in zip(*cells, strict=True)]
    lines = ["| " + " | ".join(map(pad, row, widths)) + " |" for row in cells]
    return "\n".join([lines[0], "|" + "|".join("-" * (n + 2) for n in widths) + "|", *lines[1:]])


def mark(verdict: Verdict, waived: bool = False) -> str:
    """A verdict as symbol and word, for those who see colours and those who do not."""
    said = f"{SYMBOLS[verdict]} {terminal.word(verdict)}"
    return f"{said} ({msg('waived')})" if waived else said


def excerpt(value: str) -> str:
    """Output cleaned, and cut in the middle where it is too long to read; the cut says how much it took."""
    whole = clean(value)
    lines = whole.rstrip("\n").split("\n")
    size = len(whole.encode())
    if len(lines) <= HEAD_LINES + TAIL_LINES and size <= HEAD_BYTES + TAIL_BYTES:
        return whole
    short = [line if len(line) <= LINE_CHARACTERS else line[:LINE_CHARACTERS] + " …" for line in lines]
    head = _within(short, HEAD_LINES, HEAD_BYTES)
    tail = _within(short[len(head) :][::-1], TAIL_LINES, TAIL_BYTES)[::-1]
    kept = len("\n".join(head + tail).encode())
    note = msg(
        "[... cut here: {lines} lines, {kilobytes} kB; the recording has all of it ...]",
        lines=len(lines) - len(head) - len(tail),
        kilobytes=f"{(size - kept) / 1000:.1f}",
    )
    return "\n".join([*head, str(note), *tail])


def _within(lines: Sequence[str], most: int, size: int) -> list[str]:
    taken: list[str] = []
    for line in lines[:most]:
        size -= len(line.encode()) + 1
        if size < 0:
            break
        taken.append(line)
    return taken


def _run_view(run: Run, commands: Mapping[str, Command]) -> RunView:
    command = commands.get(run.command) or commands.get(run.command.partition(".")[0])
    ordinal = f".{run.ordinal}" if run.ordinal > 1 else ""
    return RunView(
        name=run.command + ordinal,
        ended=terminal.ended(run),
        took=duration(run.duration_s) if run.happened else "",
        at=moment(run.started_at) if run.happened else "",
        command=command.text if command else "",
        stdout=excerpt(run.out),
        stderr=excerpt(run.err),
    )


def _attempt(
    session: Session, result: StepResult, commands: Mapping[str, Command], shown: set[tuple[str, int]]
) -> Attempt:
    fresh = [run for run in result.runs if (run.command, run.ordinal) not in shown]
    shown.update((run.command, run.ordinal) for run in fresh)
    current = result in session.results  # a waiver is for the evidence that counts, not for what was there before
    rows = tuple(_finding_row(session, finding, current) for finding in result.findings)
    waived = current and session.standing(result) is not result.verdict
    return Attempt(result, mark(result.verdict, waived), rows, tuple(_run_view(run, commands) for run in fresh))


def _step_view(
    session: Session, result: StepResult, titles: Mapping[str, Message], commands: Mapping[str, Command]
) -> StepView:
    shown: set[tuple[str, int]] = set()
    counts = _attempt(session, result, commands, shown)
    before = [old for old in session.history if old.step == result.step and old != result]
    open_findings = [f for f in result.findings if f.verdict is not Verdict.PASS]
    return StepView(
        title=str(titles[result.step]),
        counts=counts,
        earlier=tuple(_attempt(session, old, commands, shown) for old in before),
        remedies=tuple((f.code, f.remedy) for f in open_findings if f.remedy),
        notes=tuple((f.verdict, f.code, words) for f in open_findings if len(words := one_line(f.actual)) > _CELL),
    )


def _finding_row(session: Session, finding: Finding, current: bool) -> tuple[str, ...]:
    waived = current and finding.verdict is not Verdict.PASS and session.waiver_for(finding) is not None
    return (
        mark(finding.verdict, waived),
        finding.step,
        code(finding.code, cell=True),
        text(finding.summary, _CELL),
        text(finding.expected, _CELL),
        text(finding.actual, _CELL),
        code(where(finding.evidence), cell=True) if finding.evidence else "-",
    )


def _steps_rows(session: Session, titles: Mapping[str, Message]) -> Rows:
    rows = []
    for result in session.results:
        stale = [rule for step, rule in session.stale if step == result.step]
        waived = session.standing(result) is not result.verdict
        rows.append(
            (
                result.step,
                text(titles[result.step]),
                mark(result.verdict, waived) + (f" ({msg('stale')}: {text(', '.join(stale))})" if stale else ""),
                terminal.tally(result.findings),
                duration(result.seconds) if result.seconds else "-",
                str(terminal.attempts_at(session, result.step) or "-"),
            )
        )
    return rows


def _criteria_rows(states: Iterable[tuple[Criterion, State]]) -> Rows:
    rows = []
    for criterion, state in states:
        remedy = "; ".join(_remedy(each, cell=True) for each in criterion.remedy) if state.value == "met" else ""
        said = f"{_STATES[state.value]} {terminal.state_word(state.value)}"
        rows.append((str(criterion.number), criterion.step, said, text(criterion.condition), remedy))
    return rows


def _remedy(remedy: Remedy, *, cell: bool = False) -> str:
    """What to do, on one line: advice, then the command to type."""
    words = [text(remedy.advice)] if remedy.advice else []
    return ": ".join([*words, code(remedy.command, cell=cell)] if remedy.command else words)


def _waiver_rows(session: Session) -> Rows:
    return [
        (code(w.code, cell=True), w.step, mark(finding.verdict), text(w.by), moment(w.at), text(w.reason))
        for finding in terminal.waived_findings(session)
        if (w := session.waiver_for(finding))
    ]


def _history_rows(session: Session) -> Rows:
    if len({result.step for result in session.history}) == len(session.history):
        return []  # every step was tried once: the table of steps says it all
    return [
        (moment(r.judged_at), r.step, str(r.attempt), mark(r.verdict), terminal.tally(r.findings))
        for r in session.history
    ]


def _ledger(session: Session) -> tuple[tuple[Sample, ...], int]:
    """Step 9's samples, and how many more were taken that could not be read."""
    from ..guide import ids
    from ..model import Runs
    from ..steps.step9_stability import ledger

    runs = Runs(session.result("9").runs)
    samples = ledger(runs)
    return samples, sum(run.happened for run in runs.all(ids.POD_SAMPLE)) - len(samples)


def _ledger_rows(samples: Sequence[Sample]) -> Rows:
    return [
        (
            moment(sample.at),
            code(pod.name, cell=True),
            text(pod.status),
            "?" if pod.restarts is None else str(pod.restarts),
            text(pod.started),
            "-" if sample.recent_files is None else str(sample.recent_files),
        )
        for sample in samples
        for pod in sample.pods
    ]


def _plot(samples: Sequence[Sample]) -> str:
    """Restarts over the samples, a line for each pod; `·` where a sample does not have it."""
    names = list(dict.fromkeys(pod.name for sample in samples for pod in sample.pods))
    if len(samples) < 2 or not names:
        return ""
    counts = {
        name: [next((pod.restarts for pod in sample.pods if pod.name == name), None) for sample in samples]
        for name in names
    }
    top = max((n for values in counts.values() for n in values if n is not None), default=0)
    widest = max(map(width, names))
    return "\n".join(
        f"{pad(one_line(name), widest)}  {sparkline(values, top)}  {_ends(values)}" for name, values in counts.items()
    )


def _ends(values: Sequence[int | None]) -> str:
    known = [str(n) for n in values if n is not None]
    return f"{known[0]} → {known[-1]}" if len(known) > 1 else "".join(known) or "?"


def sparkline(values: Sequence[int | None], top: int) -> str:
    """Numbers as bars, `top` being the highest.

    >>> sparkline([0, 1, None, 3], 3)
    '▁▃·█'
    """
    return "".join("·" if n is None else _BARS[round(n / top * (len(_BARS) - 1)) if top else 0] for n in values)


def _flow(session: Session, titles: Mapping[str, Message]) -> list[tuple[str, str, str, str]]:
    """Per step: node id, its label, its class, and what the arrow to the next step says."""
    rows = []
    stopped = session.abort.step.split("-")[0] if session.abort else ""
    for result in session.results:
        standing = session.standing(result)
        label = one_line(
            f"{SYMBOLS[result.verdict]} {msg('Step {step}', step=result.step)}: {titles[result.step]} · "
            f"{mark(result.verdict, standing is not result.verdict).split(' ', 1)[1]}"
        )
        label = label.replace('"', "'").replace("`", "'").replace("<", "#lt;")
        cut = (
            str(msg("stopped by criterion {n}", n=session.abort.criterion))
            if session.abort and result.step == stopped
            else ""
        )
        rows.append((f"s{result.step}", label, standing.value.replace("-", ""), cut))
    return rows
