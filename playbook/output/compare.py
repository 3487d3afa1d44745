"""What changed between two sessions or recordings: verdicts, findings, pods, counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from ..errors import UnreadableText
from ..guide import ids
from ..kubectl import tables
from ..kubectl.cells import restarts
from ..kubectl.counts import count, psql_count
from ..kubectl.failures import failure
from ..model import Finding, Run, Session, StepResult, Verdict
from ..text import Message, msg, verbatim
from .columns import one_line, table
from .labels import OVERALLS, VERDICTS, with_waiver

_COUNTS: tuple[tuple[str, Message, Callable[[str], tuple[int, int]]], ...] = (
    (ids.COUNT_FILES_BEFORE, msg("JSONL files before the restart"), count),
    (ids.COUNT_FILES_AFTER, msg("JSONL files after the restart"), count),
    (ids.COUNT_TABLES_BEFORE, msg("tables before the restart"), psql_count),
    (ids.COUNT_TABLES_AFTER, msg("tables after the restart"), psql_count),
    (ids.RECENT_FILES, msg("JSONL files of the last 24 hours"), count),
)
_LISTS = (ids.PODS, ids.POD_SAMPLE)
_NONE = verbatim("-")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not what it was."""

    what: Message
    before: Message
    after: Message


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that changed from one session to another."""

    verdicts: tuple[Change, ...]
    findings: tuple[Change, ...]
    pods: tuple[Change, ...]
    counts: tuple[Change, ...]

    def text(self) -> str:
        """Tables for a terminal, one for each kind of change; "" when nothing changed."""
        parts = (
            (msg("Verdicts"), self.verdicts),
            (msg("Findings"), self.findings),
            (msg("Pods"), self.pods),
            (msg("Counts"), self.counts),
        )
        return "\n\n".join(_table(title, changes) for title, changes in parts if changes)


def compare(before: Session, after: Session) -> Comparison:
    """What changed from `before` to `after`.

    A finding changed when its verdict did, or what was seen of one that is not a pass. What only follows from a
    replaced pod or a step that was not reached is told once, by the pods or the verdicts. Counts and pods are compared
    where both are known.
    """
    return Comparison(
        tuple(_verdicts(before, after)),
        tuple(_findings(before, after)),
        tuple(_pods(before, after)),
        tuple(_counts(before, after)),
    )


def _verdicts(before: Session, after: Session) -> Iterator[Change]:
    if before.overall is not after.overall:
        yield Change(msg("overall"), OVERALLS[before.overall], OVERALLS[after.overall])
    for old, new in zip(before.results, after.results, strict=True):
        if (old.verdict, before.standing(old)) != (new.verdict, after.standing(new)):
            yield Change(msg("Step {step}", step=old.step), _verdict(before, old), _verdict(after, new))


def _verdict(session: Session, result: StepResult) -> Message:
    return verbatim(with_waiver(str(VERDICTS[result.verdict]), session.standing(result) is not result.verdict))


def _findings(before: Session, after: Session) -> Iterator[Change]:
    old, new = _by_code(before), _by_code(after)
    pods = _pod_names(before, after)
    for code in dict.fromkeys((*old, *new)):
        was, now = old.get(code), new.get(code)
        if (was and _outcome(was)) == (now and _outcome(now)):
            continue
        only = now if was is None else was if now is None else None
        follows = code.partition("/")[2] in pods or (only and _unreached(only, before, after))
        if not (only and _passed(only) and follows):
            yield Change(verbatim(code), *(_NONE if side is None else _seen(side) for side in (was, now)))


def _by_code(session: Session) -> dict[str, Finding]:
    findings = [finding for result in session.results for finding in result.findings]
    return {finding.code: finding for finding in findings if finding.verdict is not Verdict.NOT_RUN}


def _outcome(finding: Finding) -> tuple[Verdict, str]:
    return finding.verdict, "" if _passed(finding) else str(finding.actual)


def _seen(finding: Finding) -> Message:
    label = VERDICTS[finding.verdict]
    return label if _passed(finding) else verbatim(f"{label}: {finding.actual}")


def _passed(finding: Finding) -> bool:
    return finding.verdict in (Verdict.PASS, Verdict.PENDING)


def _unreached(finding: Finding, *sessions: Session) -> bool:
    """Whether one of the sessions did not come to the finding's step: the verdicts tell that."""
    return any(session.result(finding.step.partition("-")[0]).judged_at is None for session in sessions)


def _pod_names(*sessions: Session) -> set[str]:
    """Every pod that any list of the sessions shows."""
    names: set[str] = set()
    for run in (run for session in sessions for run in _runs(session, *_LISTS)):
        with suppress(UnreadableText):
            names.update(row["NAME"] for row in tables.table(run.out))
    return names


def _pods(before: Session, after: Session) -> Iterator[Change]:
    """Pods that came, went or changed; nothing where one side has no list to compare."""
    old, new = _newest_list(before), _newest_list(after)
    for name in dict.fromkeys((*old, *new)) if old and new else ():
        if old.get(name) != new.get(name):
            yield Change(verbatim(name), old.get(name, _NONE), new.get(name, _NONE))


def _newest_list(session: Session) -> dict[str, Message]:
    """Status and restarts of every pod in the newest list that can be read."""
    for run in sorted(_runs(session, *_LISTS), key=lambda run: run.started_at, reverse=True):
        with suppress(UnreadableText):
            return {
                row["NAME"]: msg("{status}, {n} restarts", status=row["STATUS"], n=restarts(row["RESTARTS"]))
                for row in tables.table(run.out, ("NAME", "STATUS", "RESTARTS"))
            }
    return {}


def _counts(before: Session, after: Session) -> Iterator[Change]:
    for command, what, read in _COUNTS:
        old, new = (_counted(session, command, read) for session in (before, after))
        if old is not None and new is not None and old != new:
            yield Change(what, verbatim(str(old)), verbatim(str(new)))


def _counted(session: Session, command: str, read: Callable[[str], tuple[int, int]]) -> int | None:
    for run in _runs(session, command)[-1:]:
        if run.exit_code == 0 and not failure(run):
            with suppress(UnreadableText):
                return read(run.out)[1]
    return None


def _runs(session: Session, *commands: str) -> list[Run]:
    return [run for result in session.results for run in result.runs if run.command in commands and run.happened]


def _table(title: Message, changes: tuple[Change, ...]) -> str:
    rows = [[one_line(each.what), one_line(each.before, 60), one_line(each.after, 60)] for each in changes]
    return f"{title}\n" + table([str(msg("What")), str(msg("Before")), str(msg("After"))], rows)
