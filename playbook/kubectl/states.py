"""What `kubectl describe pod` says of a pod's containers: their state, why, and with which exit code they ended."""

from __future__ import annotations

import re
from dataclasses import dataclass

_STATE = re.compile(r"^    (State|Last State):\s+(Waiting|Terminated|Running)\s*$")
_DETAIL = re.compile(r"^      (Reason|Message|Exit Code|Signal):\s+(\S.*?)\s*$")
_OF_POD = re.compile(r"^(Reason|Message):\s+(\S.*?)\s*$")
_ECHOES = frozenset(
    {"CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "ContainerCreating", "PodInitializing", "Completed"}
)
"""Reasons that repeat what the list of pods shows."""


@dataclass(frozen=True, slots=True)
class State:
    """One state of a container, or of the pod itself (`of` is then empty), as it was printed."""

    line: int  # where its last detail stands
    of: str  # `State`, `Last State` or ""
    reason: str = ""
    message: str = ""
    exit_code: int | None = None

    @property
    def tells(self) -> int:
        """How much it says: 0 nothing that the list does not show, 1 how it ended, 2 its reason, 3 its words."""
        if self.message and not self.message.startswith("back-off "):
            return 3
        if self.reason and self.reason not in _ECHOES and self.reason != "Error":
            return 2
        return 1 if self.exit_code else 0

    def __str__(self) -> str:
        code = None if self.exit_code is None else str(self.exit_code)
        parts = (("Reason", self.reason), ("Exit Code", code), ("Message", self.message))
        return ", ".join(f"{name}: {value}" for name, value in parts if value)


def states(text: str) -> tuple[State, ...]:
    """The states in a pod's description, in its order; none where it shows none.

    >>> [str(state) for state in states('''Containers:
    ...   observer:
    ...     State:          Waiting
    ...       Reason:       CrashLoopBackOff
    ...     Last State:     Terminated
    ...       Reason:       OOMKilled
    ...       Exit Code:    137
    ...       Started:      Wed, 25 Nov 2026 01:12:36 +0000
    ... ''')]
    ['Reason: CrashLoopBackOff', 'Reason: OOMKilled, Exit Code: 137']
    """
    found: list[State] = []
    own: dict[str, str] = {}
    own_line = 0
    of, details, last = "", {}, 0
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if detail := _DETAIL.match(line):
            if of:
                details[detail[1]], last = detail[2], number
            continue
        if of and (_STATE.match(line) or not line.startswith("      ")):
            found.append(_state(last, of, details))
            of, details = "", {}
        if state := _STATE.match(line):
            of, details, last = state[1], {}, number
        elif words := _OF_POD.match(line):
            own[words[1]], own_line = words[2], number
    return tuple(([_state(own_line, "", own)] if own else []) + found)


def _state(line: int, of: str, details: dict[str, str]) -> State:
    code = details.get("Exit Code", "")
    return State(line, of, details.get("Reason", ""), details.get("Message", ""), int(code) if code.isdigit() else None)


def telling_state(text: str) -> State | None:
    """The state that says most, the later of two that say as much; None when none says more than the list does.

    >>> telling_state("    State:          Waiting\\n      Reason:       CrashLoopBackOff\\n") is None
    True
    """
    best = max(states(text), key=lambda state: (state.tells, state.line), default=None)
    return best if best and best.tells else None
