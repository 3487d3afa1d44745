"""What the terminal shows, as text: step lines, problems, tables. Nothing here prints.

Everything that came from outside passes `clean`, so no output of a command can move the cursor or colour a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone

from ..model import Cause, Ended, Evidence, Finding, Overall, Remedy, Run, Session, Verdict
from ..text import Message, msg
from .columns import clean, one_line, pad, table, width

WORDS = {
    Verdict.PASS: msg("pass"),
    Verdict.WARN: msg("warn"),
    Verdict.FAIL: msg("fail"),
    Verdict.INCONCLUSIVE: msg("inconclusive"),
    Verdict.SKIPPED: msg("skipped"),
    Verdict.PENDING: msg("pending"),
    Verdict.NOT_RUN: msg("not-run"),
}
"""The word for each verdict; JSON and JUnit keep the English value."""

_COLOURS = {
    Verdict.PASS: "32",
    Verdict.WARN: "33",
    Verdict.FAIL: "1;31",
    Verdict.INCONCLUSIVE: "35",
    Verdict.SKIPPED: "36",
    Verdict.PENDING: "34",
    Verdict.NOT_RUN: "2",
}

OVERALL_WORDS = {
    Overall.COMPLETE: msg("Complete"),
    Overall.PENDING: msg("Pending"),
    Overall.INCOMPLETE: msg("Incomplete"),
    Overall.FAILED: msg("Failed"),
    Overall.ABORTED: msg("Aborted"),
}


def moment(at: datetime | None) -> str:
    """A moment in UTC without fractions: `2026-11-22T14:03:05Z`; `-` where there is none."""
    if at is None or at.timestamp() == 0:  # the start of a run that never was
        return "-"
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def duration(seconds: float) -> str:
    """A length of time for a reader.

    >>> duration(0.08), duration(1.24), duration(95), duration(86520)
    ('0.08 s', '1.2 s', '1 min 35 s', '24 h 2 min')
    """
    if seconds < 1:
        return str(msg("{seconds} s", seconds=f"{seconds:.2f}"))
    if seconds < 59.95:
        return str(msg("{seconds} s", seconds=f"{seconds:.1f}"))
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return str(msg("{minutes} min {seconds} s", minutes=minutes, seconds=rest))
    return str(msg("{hours} h {minutes} min", hours=minutes // 60, minutes=minutes % 60))


def paint(text: str, verdict: Verdict, colour: bool) -> str:
    """`text` in the colour of `verdict`, or as it is."""
    return f"\x1b[{_COLOURS[verdict]}m{text}\x1b[0m" if colour else text


def word(verdict: Verdict, colour: bool = False) -> str:
    """The word for a verdict in the language in use."""
    return paint(str(WORDS[verdict]), verdict, colour)


def step_titles() -> dict[str, Message]:
    """The title of each step of the guide, by its number."""
    from ..steps import STEPS

    return {step.id: step.title for step in STEPS}


def where(evidence: Evidence | None) -> str:
    """Evidence as its place in the recording: `step3-4-secret-keys:7`, `step1-namespace.err:1`; `-` for none."""
    if evidence is None:
        return "-"
    ordinal = f".{evidence.ordinal}" if evidence.ordinal > 1 else ""
    stream = ".err" if evidence.stream == "stderr" else ""
    line = f":{evidence.line}" if evidence.line else ""
    return one_line(f"{evidence.command}{ordinal}{stream}{line}")


def ended(run: Run) -> str:
    """How a run came to its end, in words."""
    match run.ended:
        case Ended.EXITED:
            return str(msg("exit status {status}", status="?" if run.exit_code is None else run.exit_code))
        case Ended.TIMEOUT:
            return str(msg("ended by the time limit"))
        case Ended.INTERRUPTED:
            return str(msg("interrupted"))
        case Ended.STOPPED_EARLY:
            return str(msg("ended by the program: the answer had been seen"))
        case Ended.NOT_FOUND:
            return str(msg("bash was not found"))
        case Ended.NOT_RECORDED:
            return str(msg("not in the recording"))
        case Ended.REFUSED:
            from ..steps.question import refused_because

            return str(refused_because(run))


def due(session: Session) -> datetime | None:
    """When Step 9 can be judged: 24 hours after its baseline; None without one."""
    from ..model import Runs
    from ..steps.step9_stability import judged_from

    return judged_from(Runs(session.result("9").runs))


def overall_sentence(session: Session) -> str:
    """What is said of the whole verification, in one sentence; a second one names what was waived."""
    standings = {result.step: session.standing(result) for result in session.results}
    match session.overall:
        case Overall.ABORTED if session.abort:
            said = msg(
                "Aborted: abort criterion {criterion} is met at Step {step}, the verification stopped there.",
                criterion=session.abort.criterion,
                step=session.abort.step,
            )
        case Overall.FAILED:
            said = msg(
                "Failed: by the guide, what was seen is abnormal at {steps}.",
                steps=_steps(s for s, verdict in standings.items() if verdict is Verdict.FAIL),
            )
        case Overall.INCOMPLETE:
            unknown = (Verdict.INCONCLUSIVE, Verdict.SKIPPED, Verdict.NOT_RUN)
            said = msg(
                "Incomplete: nothing abnormal was seen, but not everything was seen: {steps}.",
                steps=_steps(s for s, verdict in standings.items() if verdict in unknown),
            )
        case Overall.PENDING:
            at = due(session)
            said = (
                msg("Pending: all is well so far; Step 9 can be judged from {moment} on.", moment=moment(at))
                if at
                else msg("Pending: all is well so far; Step 9 is judged when its 24 hours are over.")
            )
        case _:
            said = msg("Complete: all ten steps are as the guide wants them.")
    waived = [finding.code for finding in waived_findings(session)]
    return f"{said} {msg('Waived: {codes}.', codes=one_line(', '.join(waived)))}" if waived else str(said)


def _steps(numbers: Iterable[str]) -> str:
    return ", ".join(str(msg("Step {step}", step=number)) for number in numbers)


def waived_findings(session: Session) -> tuple[Finding, ...]:
    """The findings that somebody accepted as they are."""
    return tuple(
        finding
        for result in session.results
        for finding in result.findings
        if finding.verdict is not Verdict.PASS and session.waiver_for(finding)
    )


def step_head(step: str, title: Message, columns: int = 0) -> str:
    """The beginning of a step's line, as announced before it runs; `columns` is the width of the widest title."""
    return f"{msg('Step {step}', step=step)}  {pad(str(title), columns)}"


def step_tail(verdict: Verdict, seconds: float, *, colour: bool = False) -> str:
    """The rest of a step's line, once it is judged: verdict and time."""
    widest = max(width(str(each)) for each in WORDS.values())
    said = paint(pad(str(WORDS[verdict]), widest), verdict, colour)
    return f"{said}  {duration(seconds)}"


def tally(findings: Iterable[Finding]) -> str:
    """How many findings have which verdict, worst first: `1 fail, 12 pass`; `-` for none."""
    from ..model import SEVERITY

    verdicts = [finding.verdict for finding in findings]
    counts = [msg("{n} {verdict}", n=verdicts.count(v), verdict=str(WORDS[v])) for v in SEVERITY if v in verdicts]
    return ", ".join(map(str, counts)) or "-"


def steps_table(session: Session, titles: Mapping[str, Message] | None = None, *, colour: bool = False) -> str:
    """All ten steps with verdict, findings, time and number of attempts."""
    titles = step_titles() if titles is None else titles
    rows = []
    for result in session.results:
        said = word(result.verdict, colour)
        if session.standing(result) is not result.verdict:
            said += f" ({msg('waived')})"
        if any(step == result.step for step, _ in session.stale):
            said += f" ({msg('stale')})"
        attempts = attempts_at(session, result.step)
        rows.append(
            [
                result.step,
                str(titles[result.step]),
                said,
                tally(result.findings),
                duration(result.seconds) if result.seconds else "-",
                str(attempts) if attempts else "-",
            ]
        )
    headers = [msg("Step"), msg("Title"), msg("Verdict"), msg("Findings"), msg("Time"), msg("Attempts")]
    return table([str(header) for header in headers], rows)


def attempts_at(session: Session, step: str) -> int:
    """How many times a step was judged."""
    numbers = {
        result.attempt
        for result in (*session.history, session.result(step))
        if result.step == step and result.judged_at is not None
    }
    return len(numbers)


def status(session: Session, titles: Mapping[str, Message] | None = None, *, colour: bool = False) -> str:
    """Where a verification stands: what it is about, its steps, the verdict."""
    facts = [
        (msg("Session"), session.id),
        (msg("Cluster"), str(session.cluster) if session.cluster else str(msg("not seen"))),
        (msg("Guide version"), session.guide_version),
        (msg("Run by"), session.operator or "-"),
        (msg("Started"), moment(session.started_at)),
        (msg("Ended"), moment(session.ended_at)),
        (msg("Attempts"), str(session.attempts)),
    ]
    widest = max(width(str(name)) for name, _ in facts)
    about = "\n".join(f"{pad(str(name), widest)}  {one_line(value)}" for name, value in facts)
    return f"{about}\n\n{steps_table(session, titles, colour=colour)}\n\n{overall_sentence(session)}"


def problems(session: Session, *, colour: bool = False) -> str:
    """Every finding that is not a pass, with expected, actual, remedy and what to type next; "" when there is none."""
    quiet = (Verdict.PASS, Verdict.NOT_RUN, Verdict.PENDING)
    blocks = [
        problem(session, finding, colour=colour)
        for result in session.results
        for finding in result.findings
        if finding.verdict not in quiet
    ]
    for verdict in (Verdict.PENDING, Verdict.NOT_RUN):
        steps = [r.step for r in session.results if any(f.verdict is verdict for f in r.findings)]
        if steps:
            blocks.append(f"{word(verdict, colour)}  {_steps(steps)}")
    return "\n\n".join(blocks)


def problem(session: Session, finding: Finding, *, colour: bool = False) -> str:
    """One finding as a block of lines."""
    head = f"{word(finding.verdict, colour)}  {one_line(finding.code)}  {msg('Step {step}', step=finding.step)}"
    lines: list[tuple[Message, str]] = [
        (msg("expected"), one_line(finding.expected)),
        (msg("actual"), one_line(finding.actual)),
        (msg("evidence"), where(finding.evidence)),
    ]
    waiver = session.waiver_for(finding)
    root = next((cause for cause in session.causes if finding.code in cause.explains), None)
    if root and not waiver:
        lines.append((msg("follows from"), one_line(root.code)))
    elif waiver:
        lines.append((msg("waived"), one_line(msg("by {name}: {reason}", name=waiver.by, reason=waiver.reason))))
    else:
        commands = [remedy.command for remedy in finding.remedy if remedy.command]
        lines += _remedies(finding.remedy)
        lines.append((msg("next"), clean(commands[0]) if commands else f"python -m playbook step {finding.step}"))
    return "\n".join([f"{head}  {one_line(finding.summary)}", *_named(lines)])


def _remedies(remedies: Iterable[Remedy]) -> Iterator[tuple[Message, str]]:
    for remedy in remedies:
        if remedy.advice:
            yield msg("remedy"), one_line(remedy.advice)
        if remedy.command:
            yield msg("remedy"), clean(remedy.command)


def _named(lines: Sequence[tuple[Message, str]]) -> list[str]:
    """`name  value` lines, indented; a name is not said twice in a row, a value of several lines stays a block."""
    widest = max(width(str(name)) for name, _ in lines)
    shown, before = [], ""
    for name, value in lines:
        label = "" if str(name) == before else str(name)
        before = str(name)
        shown.append(f"  {pad(label, widest)}  " + value.rstrip("\n").replace("\n", "\n" + " " * (widest + 4)))
    return shown


def causes(session: Session, *, colour: bool = False) -> str:
    """What lies behind the findings, roots in the guide's order; "" when nothing is known."""
    return "\n\n".join(_cause(cause, colour) for cause in session.causes)


def _cause(cause: Cause, colour: bool) -> str:
    head = f"{paint(str(msg('root cause')), Verdict.FAIL, colour)}  {one_line(cause.code)}  {one_line(cause.title)}"
    lines: list[tuple[Message, str]] = [(msg("branch"), one_line(cause.branch))]
    if cause.line:
        lines.append((msg("line"), one_line(cause.line)))
    lines.append((msg("evidence"), where(cause.evidence)))
    if cause.explains:
        lines.append((msg("explains"), one_line(", ".join(cause.explains))))
    return "\n".join([head, *_named([*lines, *_remedies(cause.remedy)])])


def abort_text(session: Session) -> str:
    """Which abort criterion stopped the run, what to do, and how to go on; "" when none did."""
    if session.abort is None:
        return ""
    from ..guide.criteria import criterion

    met = criterion(session.abort.criterion)
    lines = [
        str(
            msg(
                "Abort criterion {criterion} met at Step {step}: {condition}",
                criterion=met.number,
                step=session.abort.step,
                condition=str(met.condition),
            )
        )
    ]
    for remedy in met.remedy:
        lines += [f"  {one_line(remedy.advice)}"] if remedy.advice else []
        lines += ["  " + clean(remedy.command).replace("\n", "\n  ")] if remedy.command else []
    lines.append(
        str(msg("then {command} goes on from Step {step}", command="`python -m playbook all`", step=met.resume_from))
    )
    return "\n".join(lines)


_STATES = {"not met": msg("not met"), "met": msg("met"), "could not be seen": msg("could not be seen")}


def state_word(value: str) -> str:
    """The state of an abort criterion in the language in use."""
    return str(_STATES[value])
