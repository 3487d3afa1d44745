"""Whether the API server would take the pod that is made in place of a deleted one: a server-side dry run of the present one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from ..errors import UnreadableText
from ..kubectl.cells import quantity
from ..kubectl.failures import Failure, FailureKind, failure
from ..kubectl.logs import free_lines
from ..model import Run


class Admission(str, Enum):
    """What came of the question."""

    ADMITTED = "admitted"
    UNASKED = "unasked"  # nobody may ask, or nobody can: it says nothing either way
    REFUSED = "refused"  # by the API server, or no answer that is understood


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer, and the server's words for it."""

    admission: Admission
    text: str = ""


_MADE = re.compile(r"^pod/\S+", re.M)
_QUOTA = re.compile(
    r"exceeded quota: \S+?, requested: (?P<requested>\S+), used: (?P<used>\S+), limited: (?P<limited>\S+)"
)
_NO_DRY_RUN = "does not support dry run"


def admission(run: Run) -> Answer:
    """What a dry run says. A quota that is just full is no refusal: the delete frees what the new pod asks for."""
    why = failure(run)
    if run.exit_code == 0 and _MADE.search(run.out) and not why:
        return Answer(Admission.ADMITTED)
    said = next(
        (line.strip() for _, line in free_lines(run.err) if re.match(r"Error|error", line)), why.text if why else ""
    )
    if _NO_DRY_RUN in said or _may_not(why):
        return Answer(Admission.UNASKED, said)
    if quota_just_full(said):
        return Answer(Admission.ADMITTED, said)
    return Answer(Admission.REFUSED, said)


def quota_just_full(said: str) -> bool:
    """Whether the API server refuses a pod only because quotas are used up, and no more is used than they allow."""
    quotas = list(_QUOTA.finditer(said))
    return bool(quotas) and all(map(_is_just_full, quotas))


def _may_not(why: Failure | None) -> bool:
    return why is not None and why.kind is FailureKind.FORBIDDEN and bool(why.verb)


def _is_just_full(quota: re.Match[str]) -> bool:
    """Whether no more is used than allowed: a pod that goes frees what one of its kind asks for."""
    try:
        used, limited = (_amounts(quota[name]) for name in ("used", "limited"))
    except (UnreadableText, ValueError):
        return False
    return used.keys() == limited.keys() and all(used[name] <= limited[name] for name in used)


def _amounts(text: str) -> dict[str, Decimal]:
    pairs = (each.split("=", 1) for each in text.split(","))
    return {name: _amount(value) for name, value in pairs}


def _amount(text: str) -> Decimal:
    """A quantity; a CPU is also counted in thousandths (`10m`)."""
    return quantity(text[:-1]) / 1000 if text.endswith("m") else quantity(text)
