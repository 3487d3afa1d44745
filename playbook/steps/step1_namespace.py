"""Step 1: is the namespace there and Active?"""

from __future__ import annotations

from ..guide import ids
from ..guide.codes import Code
from ..guide.remedies import CREATE_NAMESPACE
from ..kubectl.cluster import namespaces
from ..kubectl.tables import only
from ..model import NAMESPACE, Finding, Runs
from ..text import msg
from .base import Step
from .question import Question
from .reading import NotSeen, read


def judge(runs: Runs) -> tuple[Finding, ...]:
    """NAMESPACE-ACTIVE."""
    asked = Question(Code.NAMESPACE_ACTIVE, "1", "STATUS = Active", runs.last(ids.NAMESPACE))
    try:
        row = read(asked.run, lambda text: only(namespaces(text), NAMESPACE))
    except NotSeen as why:
        return (asked.absent_or_unseen(why, msg("namespace {name} does not exist", name=NAMESPACE), CREATE_NAMESPACE),)
    seen = f"STATUS = {row.status}"
    if row.status == "Active":
        return (asked.passed(msg("namespace {name} is Active", name=NAMESPACE), seen, row.line),)
    return (asked.failed(msg("namespace {name} is not Active", name=NAMESPACE), seen, row.line),)


STEP = Step("1", msg("Namespace"), (ids.NAMESPACE,), judge, prefetchable=True)
