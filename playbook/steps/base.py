"""What a step is: an ordered list of the guide's commands, a way to carry them out, and a judge of what they printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Protocol

from ..model import Ended, Finding, Refusal, Run
from ..text import Message

NEVER = datetime.fromtimestamp(0, timezone.utc)


class Runs(tuple[Run, ...]):
    """The runs that one step is judged by, in the order in which they were made."""

    __slots__ = ()

    def all(self, command: str) -> tuple[Run, ...]:
        """Every run of `command` (a `Command.key`), oldest first."""
        return tuple(run for run in self if run.command == command)

    def last(self, command: str) -> Run:
        """The newest run of `command`; one that says so when there is none, never an exception."""
        found = self.all(command)
        return found[-1] if found else missing(command)


def missing(command: str, ordinal: int = 1) -> Run:
    """The run of a command that nobody has a record of."""
    return Run(command, ordinal, b"", b"", None, Ended.NOT_RECORDED, NEVER, 0.0)


class Execution(Protocol):
    """What a step may do to the world while it is carried out; the engine provides it, live or from a recording."""

    @property
    def replaying(self) -> bool:
        """True when the runs come from a recording: what was done then is not asked for again."""

    def run(self, command: str, target: str = "", *, until: Callable[[], bool] | None = None) -> Run:
        """Carry out one command and record it. `until`, asked about once a second, may settle it before its end."""

    def side_by_side(self, commands: Sequence[str]) -> tuple[Run, ...]:
        """Carry out commands that do not depend on each other; recorded in the order given."""

    def together(self, tasks: Sequence[Callable[[], object]]) -> None:
        """Carry out tasks (closures over this execution) that do not depend on each other."""

    def port_forward(self, forward: str, curl: str, stop: str) -> None:
        """Step 7-3: the three commands as one bash session, recorded as three runs."""

    def refuse(self, command: str, why: Refusal) -> Run:
        """Record that `command` was not run, and why."""

    def confirm_restart(self) -> bool:
        """Whether the operator allows Step 8's deletes on this cluster (asked at most once)."""

    def earlier(self, command: str) -> Run | None:
        """The newest run of `command` in this session, from any step or attempt; None when there is none."""

    def unfinished(self, *commands: str) -> Runs:
        """Runs of `commands` from earlier attempts at this step that still count; empty after `--from` this step or before."""

    def adopt(self, *runs: Run) -> None:
        """Count runs of an earlier attempt as evidence of this one."""

    def pause(self, seconds: float) -> None:
        """Wait before the same command is tried again; nothing to wait for in a recording."""

    def has_tool(self, name: str) -> bool:
        """Whether a program is on PATH (in a recording: whether it was)."""

    def recorded(self, command: str) -> bool:
        """Whether a recording has one more run of `command`; False when live."""

    def remove_tmp_curl(self) -> None:
        """Delete the pod that Step 7-2 of this session made, if it is still there."""


def all_side_by_side(step: Step, execution: Execution) -> None:
    """How most steps are carried out: their commands do not depend on each other."""
    execution.side_by_side(step.commands)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the guide."""

    id: str  # `0` … `9`
    title: Message
    commands: tuple[str, ...]  # ids in the guide's order
    judge: Callable[[Runs], tuple[Finding, ...]]
    perform: Callable[[Step, Execution], None] = all_side_by_side
