"""Why the program would not run a command of Steps 7 and 8, and how a run keeps that."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .model import Ended, Run


class Refusal(str, Enum):
    """Why the program would not run a command of Steps 7 and 8 (`Run.note`)."""

    NOT_CONFIRMED = "not-confirmed"
    COUNT_UNREAD = "count-unread"
    COUNT_ZERO = "count-zero"
    PVC_NOT_BOUND = "pvc-not-bound"
    DATA_NOT_MOUNTED = "data-not-mounted"
    OWNER_ABSENT = "owner-absent"
    DATA_LOST = "data-lost"
    RESTART_UNSEEN = "restart-unseen"  # the restart before it was not seen to end well
    NEED_UNMET = "need-unmet"  # what a new pod needs was not seen; `Refused.detail` names the findings
    NOT_ADMITTED = "not-admitted"  # the API server would not take the new pod
    LEFTOVER_POD = "leftover-pod"
    NO_FORWARD = "no-forward"


@dataclass(frozen=True, slots=True)
class Refused:
    """Why the program would not run a command, and by what; `note` is how a run keeps it (`Run.note`)."""

    why: Refusal
    detail: str = ""

    @property
    def note(self) -> str:
        """`need-unmet: NEW-POD=fail`, or the reason alone."""
        return f"{self.why.value}: {self.detail}" if self.detail else self.why.value


def refused(run: Run) -> Refused | None:
    """Why `run` was refused; None where it was not, or for a reason that this version does not know."""
    why, _, detail = run.note.partition(": ")
    return Refused(Refusal(why), detail) if run.ended is Ended.REFUSED and why in set(Refusal) else None
