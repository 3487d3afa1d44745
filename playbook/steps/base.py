"""What a step is: an ordered list of the guide's commands, a way to carry them out, and a judge of what they printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..model import Cluster, Finding, Run, Runs
from ..refusals import Refused
from ..text import Message
from .restart import Restart


class Execution(Protocol):
    """What a step may do to the world while it is carried out. The engine provides it, live or from a recording."""

    @property
    def runs(self) -> Runs:
        """What it has carried out or taken up so far."""

    @property
    def is_recorded(self) -> bool:
        """Whether it answers from a recording, so that whatever was done was done."""

    def run(self, command: str, target: str = "") -> Run:
        """Carry out one command and record it."""

    def retry(self, command: str, again: Callable[[Run], bool], *, within_s: float, every_s: float) -> Run:
        """Carry out a command, and once more as long as `again` says so. Returns the last run.

        None is begun once the runs and the pauses between them have taken `within_s`.
        """

    def side_by_side(self, commands: Sequence[str]) -> tuple[Run, ...]:
        """Carry out commands that do not depend on each other; recorded in the order given."""

    def together(self, tasks: Sequence[Callable[[Execution], object]]) -> None:
        """Carry out tasks that do not depend on each other, each with an execution of its own."""

    def watch(
        self, commands: Sequence[str], done: Callable[[tuple[Run, ...]], bool], *, times: int, every_s: float
    ) -> None:
        """Look with `commands` until `done`, at most `times`. A recording is over when it was recorded: no look."""

    def wait_for_new_pods(self, restart: Restart) -> bool:
        """The guide's wait after a delete, tried again while there is no pod yet; False once it is clear that none comes up."""

    def port_forward(self, forward: str, curl: str, stop: str) -> None:
        """Step 7-3: the three commands as one bash session, recorded as three runs."""

    def health_via_service(self) -> None:
        """Step 7-2, from the creation of its pod to its removal."""

    def refuse(self, command: str, why: Refused) -> Run:
        """Record that `command` was not run, and why."""

    def refusal(self, restart: Restart, before: Run) -> Refused | None:
        """Why the pods of `restart` may not be deleted, `before` being the count; None when they may."""

    def unfinished(self, *commands: str) -> Runs:
        """Runs of `commands` from earlier attempts at this step that still count; empty after `--from` this step or before."""

    def adopt(self, *runs: Run) -> None:
        """Count runs of an earlier attempt as evidence of this one."""

    def has_tool(self, name: str) -> bool:
        """Whether a program is on PATH (in a recording: whether it was)."""

    def has_more(self, command: str) -> bool:
        """Whether a recording has one more run of `command`; False when live."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the guide, and what the engine has to know of it."""

    id: str  # `0` … `9`
    title: Message
    commands: tuple[str, ...]  # ids in the guide's order
    judge: Callable[[Runs], tuple[Finding, ...]]
    perform: Callable[[Step, Execution], None] | None = None  # None: its commands do not depend on each other
    always: bool = False  # carried out at every start, whatever was seen before
    prefetchable: bool = False  # its read-only commands may begin before it is its turn
    waits: bool = False  # it takes its time by waiting, not by work: something else can be done beside it
    by_all_samples: bool = False  # judged by every run since the pods were last restarted, not by this attempt's alone
    looks: Callable[[Runs, Runs], tuple[tuple[str, str], ...]] | None = None  # what a sample asks to look into at once
    cluster_of: Callable[[Runs], Cluster | None] | None = None  # which cluster its runs show
    is_dead_end: Callable[[Runs], bool] | None = None  # whether nothing after it can be seen

    def carry_out(self, execution: Execution) -> None:
        """Carry out its commands."""
        if self.perform:
            self.perform(self, execution)
        else:
            execution.side_by_side(self.commands)
