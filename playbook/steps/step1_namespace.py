"""Step 1: is the namespace there and Active?"""

from __future__ import annotations

from ..kubectl.failures import FailureKind
from ..kubectl.tables import Row, table, unreadable
from ..model import NAMESPACE, Finding, Runs, Verdict
from ..text import msg, verbatim
from .base import Step
from .findings import do, finding
from .reading import NotSeen, all_unseen, kubectl_failure, not_there, read

COMMAND = "step1-namespace"
_EXPECTED = "STATUS = Active"
_CREATE = do(f"kubectl create namespace {NAMESPACE}")


def judge(runs: Runs) -> tuple[Finding, ...]:
    """NAMESPACE-ACTIVE."""
    run = runs.last(COMMAND)
    why = kubectl_failure(run)
    if why and why.kind is FailureKind.NOT_FOUND:
        summary = msg("namespace {name} does not exist", name=NAMESPACE)
        return (not_there("NAMESPACE-ACTIVE", "1", run, why, summary, _EXPECTED, (_CREATE,)),)
    try:
        row = read(run, _row)
    except NotSeen as not_seen:
        return all_unseen(("NAMESPACE-ACTIVE",), "1", run, _EXPECTED, not_seen)
    said = verbatim(f"STATUS = {row['STATUS']}")
    if row["STATUS"] == "Active":
        summary = msg("namespace {name} is Active", name=NAMESPACE)
        return (finding("NAMESPACE-ACTIVE", "1", Verdict.PASS, summary, _EXPECTED, said, run, row.line),)
    summary = msg("namespace {name} is not Active", name=NAMESPACE)
    return (finding("NAMESPACE-ACTIVE", "1", Verdict.FAIL, summary, _EXPECTED, said, run, row.line),)


def _row(text: str) -> Row:
    """The one row of the namespace that was asked for."""
    rows = table(text, ("NAME", "STATUS"))
    if len(rows) != 1 or rows[0]["NAME"] != NAMESPACE:
        raise unreadable(rows[0].line if rows else 2, rows[0]["NAME"] if rows else "")
    return rows[0]


STEP = Step("1", msg("Namespace"), (COMMAND,), judge, prefetchable=True)
