"""What a pod needs to come up again, as a table: each need, and the findings that show that it is met.

A pod may be deleted only when all of it was seen. That no fault was seen is not enough: a need is not met when one of its
findings is fail, inconclusive or skipped, or is not there at all. Only a waiver of that finding by its name sets it aside.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ..errors import UnreadableText
from ..guide import ids
from ..guide.codes import Code, family
from ..guide.expected import OBSERVER_DEPLOYMENT, POSTGRES_POD, PVCS
from ..kubectl.pods import deployment_pods, nodes_of
from ..model import PASSING, Finding, Run, Runs, Session, Verdict
from ..text import Message, msg
from .step6_pods import guide_pods, in_service


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that a new pod needs."""

    what: Message
    step: str  # of the guide, which shows it
    codes: tuple[str, ...]  # findings that must be there: a code, or a family of which there must be one or more
    also: tuple[str, ...] = ()  # families that are there only when something is wrong


@dataclass(frozen=True, slots=True)
class Unmet:
    """A need that was not seen to be met, and by which finding."""

    need: Need
    code: str
    verdict: Verdict

    def __str__(self) -> str:
        return f"{self.code}={self.verdict.value}"


NEEDS = (
    Need(msg("every node that runs the pods is Ready and takes new ones"), "0", (Code.NODE_READY,)),
    Need(msg("the namespace is Active"), "1", (Code.NAMESPACE_ACTIVE,)),
    Need(msg("the four PVCs are Bound"), "2", tuple(f"{Code.PVC_BOUND}/{name}" for name in PVCS)),
    Need(msg("observer-secrets has all its keys"), "3", (Code.OBSERVER_SECRETS, Code.SECRET_KEYS)),
    Need(msg("ghcr-secret is there, of its type"), "3", (Code.GHCR_SECRET,)),
    Need(msg("the ConfigMap has its keys and paths"), "4", (Code.CONFIG_KEYS, Code.CONFIG_PATH)),
    Need(msg("the Service postgres is there"), "5", (f"{Code.SERVICE}/postgres",)),
    Need(
        msg("every pod is Ready, none in a crash loop or waiting for its image"),
        "6",
        (Code.PODS_PRESENT, Code.POD_STATUS),
        (Code.CRASH_LOOP,),
    ),
    Need(msg("the volumes are mounted"), "6", (Code.MOUNT,)),
    Need(msg("data and logs can be written"), "6", (Code.WRITE,)),
    Need(msg("Observer is healthy in its pod"), "7", (Code.HEALTH_POD,)),
    Need(msg("the database answers"), "7", (Code.DB_CONNECTION,)),
    Need(msg("a new pod was admitted, scheduled and started (by 7-2's pod)"), "7", (Code.NEW_POD,)),
)
"""The whole table, in the guide's order."""

STEPS_NEEDED = tuple(sorted({need.step for need in NEEDS}))


def unmet(session: Session, steps: Sequence[str] = STEPS_NEEDED) -> tuple[Unmet, ...]:
    """The needs that `steps` of this session do not show to be met; none: pods may be deleted as far as the table goes."""
    nodes, left_over = _nodes_of_pods(session), left_over_pods(Runs(session.result("6").runs).last(ids.PODS))
    ignored: dict[str, Callable[[str], bool]] = {
        Code.NODE_READY.value: lambda node: bool(nodes) and node not in nodes,
        Code.POD_STATUS.value: left_over.__contains__,
        Code.CRASH_LOOP.value: left_over.__contains__,
    }

    def counts(finding: Finding) -> bool:
        about = finding.code.partition("/")[2]
        ignore = ignored.get(family(finding.code))
        return not (ignore and about and ignore(about)) and not session.waiver_for(finding)

    return tuple(found for need in NEEDS if need.step in steps for found in _unmet(session, need, counts))


def _unmet(session: Session, need: Need, counts: Callable[[Finding], bool]) -> Iterator[Unmet]:
    findings = session.result(need.step).findings
    for code in (*need.codes, *need.also):
        mine = [finding for finding in findings if code in (finding.code, family(finding.code))]
        if not mine and code in need.codes:
            # A judge that could not read a list gives one finding for the family.
            whole = next((finding for finding in findings if finding.code == family(code)), None)
            if whole is None or counts(whole):
                yield Unmet(need, str(code), whole.verdict if whole else Verdict.NOT_RUN)
        for finding in mine:
            if finding.verdict not in PASSING and counts(finding):
                yield Unmet(need, finding.code, finding.verdict)


def left_over_pods(run: Run) -> frozenset[str]:
    """The observer pods in 6-1's list that are over and were replaced: somebody has yet to delete them."""
    try:
        mine = guide_pods(run.out)
    except UnreadableText:
        return frozenset()
    kept = in_service(mine)
    return frozenset(pod.name for pod in mine if pod not in kept)


_SERVICE_PODS = re.compile(rf"{deployment_pods(OBSERVER_DEPLOYMENT)}|{re.escape(POSTGRES_POD)}")


def _nodes_of_pods(session: Session) -> frozenset[str]:
    """The nodes that the pods run on, by 6-1's NODE; empty, which means any, where one of them is not known."""
    return frozenset(nodes_of(Runs(session.result("6").runs).last(ids.PODS), _SERVICE_PODS))
