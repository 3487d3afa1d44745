"""The guide's six abort criteria, as data, and what the findings of a session say of each.

The guide stops at a criterion: the cause comes first, and Phase 0 is not called complete.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from ..model import Finding, Remedy, Session, Verdict
from ..text import Message, msg

SHOW_EMERGENCY = "python -m playbook show step3-3-create-observer-secrets"
"""Prints the guide's emergency creation of observer-secrets."""


class State(str, Enum):
    """What is known of a criterion."""

    NOT_MET = "not met"
    MET = "met"
    UNSEEN = "could not be seen"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One row of the guide's table of abort criteria."""

    number: int
    step: str  # the guide's own number
    condition: Message
    remedy: tuple[Remedy, ...]
    met_by: tuple[str, ...]  # a failed finding with one of these codes (before any `/`) meets it
    seen_by: tuple[str, ...]  # findings that must all be there and be conclusive before it is called "not met"
    resume_from: str  # where the guide goes on once the cause is gone


CRITERIA = (
    Criterion(
        1,
        "3-3",
        msg("the Secret observer-secrets does not exist"),
        (
            Remedy(
                SHOW_EMERGENCY, msg("create it by the guide's emergency procedure; the guide then goes on from Step 6")
            ),
        ),
        ("OBSERVER-SECRETS",),
        ("OBSERVER-SECRETS",),
        "3",
    ),
    Criterion(
        2,
        "2",
        msg("one of the four PVCs has a STATUS other than Bound"),
        (
            Remedy(
                "kubectl describe pvc <name> -n observer-prod",
                msg("find the cause, mend the StorageClass or the provisioner, then verify again"),
            ),
        ),
        ("PVC-BOUND",),
        ("PVC-BOUND",),
        "2",
    ),
    Criterion(
        3,
        "6",
        msg("an Observer or PostgreSQL pod is in CrashLoopBackOff"),
        (
            Remedy(
                "kubectl logs <pod> -n observer-prod --previous",
                msg("follow the decision tree for CrashLoopBackOff; Step 7 and later wait until the cause is gone"),
            ),
        ),
        ("CRASH-LOOP",),
        ("PODS-PRESENT", "POD-STATUS"),
        "6",
    ),
    Criterion(
        4,
        "8",
        msg("files or tables were lost over the restart of Step 8"),
        (Remedy("", msg("check again how the PVCs are mounted, and whether an emptyDir is used")),),
        ("FILES-KEPT", "TABLES-KEPT"),
        ("FILES-KEPT", "TABLES-KEPT"),
        "8",
    ),
    Criterion(
        5,
        "9",
        msg("RESTARTS rose by 3 or more within the 24 hours of Step 9"),
        (
            Remedy(
                "kubectl logs <pod> -n observer-prod --previous",
                msg("find out why the container crashes again and again"),
            ),
        ),
        ("RESTART-LIMIT",),
        ("STABLE",),
        "9",
    ),
    Criterion(
        6,
        "4",
        msg("the path check of the ConfigMap shows a MISMATCH"),
        (
            Remedy(
                "",
                msg(
                    "check the paths of the ConfigMap again, by the path contract table of {file}",
                    file="PHASE_0_VERIFICATION_REPORT.md",
                ),
            ),
        ),
        ("CONFIG-PATH",),
        ("CONFIG-PATH",),
        "4",
    ),
)


def family(code: str) -> str:
    """The code without the object it speaks of.

    >>> family("PVC-BOUND/observer-db-pvc")
    'PVC-BOUND'
    """
    return code.partition("/")[0]


def met(findings: Iterable[Finding]) -> tuple[Criterion, ...]:
    """The criteria that `findings` meet, by number."""
    failed = {family(finding.code) for finding in findings if finding.verdict is Verdict.FAIL}
    return tuple(criterion for criterion in CRITERIA if failed & set(criterion.met_by))


def criterion(number: int) -> Criterion:
    """Criterion 1 to 6; raises KeyError for another number."""
    for candidate in CRITERIA:
        if candidate.number == number:
            return candidate
    raise KeyError(number)


def state(criterion: Criterion, findings: Iterable[Finding]) -> State:
    """What `findings` say of `criterion`: met, not met, or not (yet) seen."""
    known: dict[str, set[Verdict]] = {}
    for finding in findings:
        known.setdefault(family(finding.code), set()).add(finding.verdict)
    if any(Verdict.FAIL in known.get(code, ()) for code in criterion.met_by):
        return State.MET
    blind = {Verdict.INCONCLUSIVE, Verdict.SKIPPED, Verdict.NOT_RUN, Verdict.PENDING}
    if all(known.get(code) and not known[code] & blind for code in criterion.seen_by):
        return State.NOT_MET
    return State.UNSEEN


def criterion_states(session: Session) -> tuple[tuple[Criterion, State], ...]:
    """All six, in the guide's order, with what the results that count say of each."""
    findings = [finding for result in session.results for finding in result.findings]
    return tuple((criterion, state(criterion, findings)) for criterion in CRITERIA)
