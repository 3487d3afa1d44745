"""How the judges get from a run to what it says, or to the reason why it says nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from ..errors import UnreadableText
from ..kubectl.failures import Failure, FailureKind, failure
from ..kubectl.tables import Row, table, unreadable
from ..model import Finding, Remedy, Run, Verdict
from ..text import Message, verbatim
from .findings import finding, seen_at, unseen

T = TypeVar("T")


class NotSeen(Exception):
    """A run from which nothing can be read; `why` is what `unseen` takes."""

    def __init__(self, why: Failure | UnreadableText | None) -> None:
        super().__init__(why)
        self.why = why


def read_rows(run: Run, *columns: str) -> tuple[Row, ...]:
    """The rows of a list, none for `No resources found`; raises NotSeen as `read` does, and for a column not there."""
    why = kubectl_failure(run)
    if why and why.kind is FailureKind.NO_RESOURCES and not run.out.strip():
        return ()
    rows = read(run, lambda text: table(text, columns))
    if not rows:  # kubectl does not print a header over nothing: the rest was lost
        raise NotSeen(unreadable(2, ""))
    return rows


def read(run: Run, parse: Callable[[str], T]) -> T:
    """What `parse` makes of the standard output; raises NotSeen when the run failed or its text is not understood."""
    why = kubectl_failure(run)
    if why or run.exit_code not in (0, None):
        raise NotSeen(why)
    try:
        return parse(run.out)
    except UnreadableText as unreadable:
        raise NotSeen(unreadable) from unreadable


def kubectl_failure(run: Run) -> Failure | None:
    """`failure(run)`, but kubectl's own line where a traceback behind the pipe came after it (Steps 3-4 and 4)."""
    said, traceback, _ = run.stderr.partition(b"Traceback (most recent call last):")
    if traceback and said.strip():
        return failure(replace(run, stderr=said)) or failure(run)
    return failure(run)


def has_no_data(run: Run) -> bool:
    """Whether jq or python3 said that the object has no `data`, which is how an empty one reads (Steps 3-4 and 4)."""
    last = run.err.strip().rpartition("\n")[2]
    return last == "KeyError: 'data'" or (last.startswith("jq: error") and last.endswith("null (null) has no keys"))


def all_unseen(
    codes: tuple[str, ...], step: str, run: Run, expected: Message | str, why: NotSeen, remedy: tuple[Remedy, ...] = ()
) -> tuple[Finding, ...]:
    """One inconclusive finding for each question that only this run could have answered."""
    return tuple(unseen(code, step, run, expected, why.why, remedy) for code in codes)


def not_there(
    code: str, step: str, run: Run, why: Failure, summary: Message, expected: Message | str, remedy: tuple[Remedy, ...]
) -> Finding:
    """The failed finding for an error line that the guide calls abnormal; the line itself is what was seen."""
    failed = finding(code, step, Verdict.FAIL, summary, expected, verbatim(why.text), run, remedy=remedy)
    return replace(failed, evidence=seen_at(run, why.line or None, "stderr"))
