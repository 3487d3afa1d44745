"""The guide's six abort criteria, as data, and what the findings of a session say of each.

The guide stops at a criterion: the cause comes first, and Phase 0 is not called complete.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from ..model import Finding, Remedy, Session, Verdict
from ..text import Message, msg
from .codes import Code, family
from .remedies import CHECK_PATHS, SHOW_EMERGENCY, describe_claim, previous_log
from .remedy import advise, do


class State(str, Enum):
    """What is known of a criterion."""

    NOT_MET = "not met"
    MET = "met"
    UNSEEN = "could not be seen"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One row of the guide's table of abort criteria."""

    number: int
    step: str  # the guide's own number
    condition: Message
    remedy: tuple[Remedy, ...]
    met_by: tuple[Code, ...]  # a failed finding with one of these codes meets it
    seen_by: tuple[Code, ...]  # findings that must all be there and be conclusive before it is called "not met"

    @property
    def resume_from(self) -> str:
        """The step with which the guide goes on once the cause is gone."""
        return self.step.partition("-")[0]


CRITERIA = (
    Criterion(1, "3-3", msg("the Secret observer-secrets does not exist"),
              (do(SHOW_EMERGENCY,
                  msg("create it by the guide's emergency procedure; the guide then goes on from Step 6")),),
              (Code.OBSERVER_SECRETS,), (Code.OBSERVER_SECRETS,)),
    Criterion(2, "2", msg("one of the four PVCs has a STATUS other than Bound"),
              (do(describe_claim("<name>"),
                  msg("find the cause, fix the StorageClass or the provisioner, then verify again")),),
              (Code.PVC_BOUND,), (Code.PVC_BOUND,)),
    Criterion(3, "6", msg("an Observer or PostgreSQL pod is in CrashLoopBackOff"),
              (do(previous_log("<pod>"),
                  msg("follow the decision tree for CrashLoopBackOff; Step 7 and later wait until the cause is gone")),),
              (Code.CRASH_LOOP,), (Code.PODS_PRESENT, Code.POD_STATUS)),
    Criterion(4, "8", msg("files or tables were lost over the restart of Step 8"),
              (advise(msg("check again how the PVCs are mounted, and whether an emptyDir is used")),),
              (Code.FILES_KEPT, Code.TABLES_KEPT), (Code.FILES_KEPT, Code.TABLES_KEPT)),
    Criterion(5, "9", msg("RESTARTS rose by 3 or more within the 24 hours of Step 9"),
              (do(previous_log("<pod>"), msg("find out why the container crashes again and again")),),
              (Code.RESTART_LIMIT,), (Code.STABLE,)),
    Criterion(6, "4", msg("the path check of the ConfigMap shows a MISMATCH"),
              (CHECK_PATHS,), (Code.CONFIG_PATH,), (Code.CONFIG_PATH,)),
)  # fmt: skip


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
    """What `findings` say of `criterion`: met, not met, not seen, or not run because its step was not reached."""
    findings = tuple(findings)
    known: dict[str, set[Verdict]] = {}
    for finding in findings:
        known.setdefault(family(finding.code), set()).add(finding.verdict)
    if any(Verdict.FAIL in known.get(code, ()) for code in criterion.met_by):
        return State.MET
    blind = {Verdict.INCONCLUSIVE, Verdict.SKIPPED, Verdict.NOT_RUN, Verdict.PENDING}
    if all(known.get(code) and not known[code] & blind for code in criterion.seen_by):
        return State.NOT_MET
    own = [finding.verdict for finding in findings if finding.step.split("-")[0] == criterion.resume_from]
    return State.NOT_RUN if set(own) == {Verdict.NOT_RUN} else State.UNSEEN


def criterion_states(session: Session) -> tuple[tuple[Criterion, State], ...]:
    """All six, in the guide's order, with what the results that count say of each."""
    findings = [finding for result in session.results for finding in result.findings]
    return tuple((criterion, state(criterion, findings)) for criterion in CRITERIA)
