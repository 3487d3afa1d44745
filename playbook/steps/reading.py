"""How the judges get from a run to typed rows, or to the reason why it shows none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from ..errors import UnreadableText
from ..kubectl.failures import Failure, FailureKind, failure
from ..kubectl.settings import Key, keys
from ..kubectl.tables import unreadable
from ..model import Run

T = TypeVar("T")


class NotSeen(Exception):
    """A run from which nothing can be read; `why` is None where it ended badly and said nothing."""

    def __init__(self, why: Failure | UnreadableText | None) -> None:
        super().__init__(why)
        self.why = why

    def failure_of(self, kind: FailureKind) -> Failure | None:
        """The failure, if it is of this kind."""
        return self.why if isinstance(self.why, Failure) and self.why.kind is kind else None


def read(run: Run, parse: Callable[[str], T]) -> T:
    """What `parse` makes of the standard output; raises NotSeen when the run failed or its text is not understood."""
    why = kubectl_failure(run)
    if why or run.exit_code not in (0, None):
        raise NotSeen(why)
    try:
        return parse(run.out)
    except UnreadableText as error:
        raise NotSeen(error) from error


def read_rows(run: Run, parse: Callable[[str], Sequence[T]]) -> Sequence[T]:
    """The rows of a list, none for `No resources found`; raises NotSeen as `read` does."""
    why = kubectl_failure(run)
    if why and why.kind is FailureKind.NO_RESOURCES and not run.out.strip():
        return ()
    rows = read(run, parse)
    if not rows:  # kubectl does not print a header over nothing: the rest was lost
        raise NotSeen(unreadable(2, ""))
    return rows


def read_keys(run: Run) -> tuple[Key, ...]:
    """The keys of a Secret or ConfigMap, none where it has no `data` (Steps 3-4 and 4); raises NotSeen as `read` does."""
    why = kubectl_failure(run)
    if _has_no_data(run) and not (why and why.kind is FailureKind.NOT_FOUND):
        return ()
    return read(run, keys)


def kubectl_failure(run: Run) -> Failure | None:
    """`failure(run)`, but kubectl's own line where a traceback behind the pipe came after it (Steps 3-4 and 4)."""
    before, traceback, _ = run.stderr.partition(b"Traceback (most recent call last):")
    if traceback and before.strip():
        return failure(replace(run, stderr=before)) or failure(run)
    return failure(run)


def _has_no_data(run: Run) -> bool:
    """Whether jq or python3 said that the object has no `data`, which is how an empty one reads."""
    last = run.err.strip().rpartition("\n")[2]
    return last == "KeyError: 'data'" or (last.startswith("jq: error") and last.endswith("null (null) has no keys"))
