"""What verdicts, steps, moments and places in a recording are called: the same on the terminal and in every report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from ..clock import NEVER, utc_text
from ..guide import ids
from ..guide.criteria import criterion
from ..model import SEVERITY, Ended, Evidence, Finding, Overall, Run, Runs, Session, StepResult, Verdict
from ..session.recording import stream_name
from ..steps import STEPS
from ..steps.question import refused_because
from ..steps.restart import down_since
from ..steps.step9_stability import judged_from
from ..text import Message, msg
from .columns import one_line

TITLES: Mapping[str, Message] = {step.id: step.title for step in STEPS}
"""The title of each step of the guide, by its number."""

VERDICTS = {
    Verdict.PASS: msg("pass"),
    Verdict.WARN: msg("warn"),
    Verdict.FAIL: msg("fail"),
    Verdict.INCONCLUSIVE: msg("inconclusive"),
    Verdict.SKIPPED: msg("skipped"),
    Verdict.PENDING: msg("pending"),
    Verdict.NOT_RUN: msg("not-run"),
}
"""The name of each verdict; JSON and JUnit keep the English value."""

OVERALLS = {
    Overall.COMPLETE: msg("Complete"),
    Overall.PENDING: msg("Pending"),
    Overall.INCOMPLETE: msg("Incomplete"),
    Overall.FAILED: msg("Failed"),
    Overall.ABORTED: msg("Aborted"),
}

_ENDS = {
    Ended.TIMEOUT: msg("ended by the time limit"),
    Ended.INTERRUPTED: msg("interrupted"),
    Ended.CUT: msg("ended by the program: it printed more than {n} MiB", n=32),
    Ended.STOPPED_EARLY: msg("ended by the program: the answer had been seen"),
    Ended.NOT_FOUND: msg("bash could not be started"),
    Ended.NOT_RECORDED: msg("not in the recording"),
}


def moment(at: datetime | None) -> str:
    """A moment in UTC without fractions: `2026-11-22T14:03:05Z`; `-` where there is none."""
    return "-" if at is None or at == NEVER else utc_text(at)


def moment_for_people(at: datetime) -> str:
    """A moment in the time of this machine, with its zone, beside UTC: `2026-11-23 23:03 KST (2026-11-23T14:03:05Z)`."""
    local = at.astimezone()
    return f"{local:%Y-%m-%d %H:%M} {local.tzname()} ({moment(at)})"


def duration(seconds: float) -> str:
    """A length of time for a reader.

    >>> duration(0.08), duration(1.24), duration(95), duration(86520)
    ('0.08 s', '1.2 s', '1 min 35 s', '24 h 2 min')
    """
    if seconds < 59.95:
        return str(msg("{seconds} s", seconds=f"{seconds:.{2 if seconds < 1 else 1}f}"))
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return str(msg("{minutes} min {seconds} s", minutes=minutes, seconds=rest))
    return str(msg("{hours} h {minutes} min", hours=minutes // 60, minutes=minutes % 60))


def where(evidence: Evidence | None) -> str:
    """Evidence as its place in the recording: `step3-4-secret-keys:7`, `step1-namespace.err:1`; `-` for none."""
    if evidence is None:
        return "-"
    stream = ".err" if evidence.stream == "stderr" else ""
    line = f":{evidence.line}" if evidence.line else ""
    return one_line(f"{stream_name(evidence.command, evidence.ordinal)}{stream}{line}")


def ended(run: Run) -> str:
    """How a run came to its end."""
    if run.ended is Ended.EXITED:
        return str(msg("exit status {status}", status="?" if run.exit_code is None else run.exit_code))
    return str(_ENDS.get(run.ended) or refused_because(run))


def with_waiver(label: str, waived: bool) -> str:
    """A verdict's label, and whether it is waived."""
    return f"{label} ({msg('waived')})" if waived else label


def tally(findings: Iterable[Finding]) -> str:
    """How many findings have which verdict, worst first: `1 fail, 12 pass`; `-` for none."""
    verdicts = [finding.verdict for finding in findings]
    counts = [msg("{n} {verdict}", n=verdicts.count(v), verdict=str(VERDICTS[v])) for v in SEVERITY if v in verdicts]
    return ", ".join(map(str, counts)) or "-"


def step_names(numbers: Iterable[str]) -> str:
    """`Step 3, Step 4`."""
    return ", ".join(str(msg("Step {step}", step=number)) for number in numbers)


STEP_COLUMNS = (msg("Step"), msg("Title"), msg("Verdict"), msg("Findings"), msg("Time"), msg("Attempts"))


def step_row(session: Session, result: StepResult, title: str, verdict: str) -> tuple[str, ...]:
    """One step in the table of `STEP_COLUMNS`."""
    judged = [each for each in (*session.history, result) if each.step == result.step and each.judged_at is not None]
    seconds = duration(result.seconds) if result.seconds else "-"
    attempts = len({each.attempt for each in judged})
    return result.step, title, verdict, tally(result.findings), seconds, str(attempts or "-")


def waived_findings(session: Session) -> tuple[Finding, ...]:
    """The findings that somebody accepted as they are."""
    return tuple(
        finding
        for result in session.results
        for finding in result.findings
        if finding.verdict is not Verdict.PASS and session.waiver_for(finding)
    )


def outage_sentence(session: Session) -> str:
    """That Step 8 has taken the service down, and since when; "" where that was not seen, or it is up again."""
    result = session.result("8")
    newest = Runs(session.result("6").runs).last(ids.PODS)
    later = newest.happened and all(run.started_at < newest.started_at for run in result.runs)
    found = down_since(Runs((*result.runs, newest) if later else result.runs))
    if not found:
        return ""
    restart, since = found
    down = msg(
        "The service is down since {at}: Step 8 deleted the pods of {name} and no new one has come up",
        at=utc_text(since),
        name=restart.name,
    )
    return str(down)


def overall_sentence(session: Session) -> str:
    """The outcome of the whole verification, in one sentence; a second one names what was waived."""
    waived = one_line(", ".join(finding.code for finding in waived_findings(session)))
    return f"{_overall(session)} {msg('Waived: {codes}.', codes=waived)}" if waived else str(_overall(session))


def _overall(session: Session) -> Message:
    def standing(*verdicts: Verdict) -> str:
        return step_names(result.step for result in session.results if session.standing(result) in verdicts)

    match session.overall:
        case Overall.ABORTED if session.abort:
            return msg(
                "Aborted: abort criterion {criterion} is met at Step {step}: {condition}.",
                criterion=session.abort.criterion,
                step=session.abort.step,
                condition=str(criterion(session.abort.criterion).condition),
            )
        case Overall.FAILED:
            steps = standing(Verdict.FAIL)
            return msg("Failed: by the guide, what was seen is abnormal at {steps}.", steps=steps)
        case Overall.INCOMPLETE:
            steps = standing(Verdict.INCONCLUSIVE, Verdict.SKIPPED, Verdict.NOT_RUN)
            if not steps and session.outdated:
                old = step_names(session.outdated)
                return msg(
                    "Incomplete: the 24 hours of Step 9 are over, but {steps} was seen before that only.", steps=old
                )
            return msg("Incomplete: nothing abnormal was seen, but not everything was seen: {steps}.", steps=steps)
        case Overall.PENDING:
            at = judged_from(Runs(session.result("9").runs))
            if session.scope and at:
                return msg("Pending: Step 9 is well so far and can be judged from {moment} on.", moment=moment(at))
            if at is None:
                return msg("Pending: all is well so far; Step 9 is judged when its 24 hours are over.")
            return msg("Pending: all is well so far; Step 9 can be judged from {moment} on.", moment=moment(at))
        case _ if session.scope:
            return msg("As the guide wants it: {steps}.", steps=step_names(session.scope))
        case _:
            return msg("Complete: all ten steps are as the guide wants them.")
