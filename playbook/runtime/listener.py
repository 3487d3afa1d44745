"""Who is told what goes on while the guide is carried out, and asked what only a person may allow."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from ..model import Cluster, Command, Run, StepResult
from ..steps.base import Step
from ..text import Message
from .plan import Plan


class Listener(Protocol):
    """What the engine tells and asks; the command line has one, and `Silent` is another."""

    def step_begins(self, step: Step) -> None:
        """A step is about to be carried out."""

    def command_begins(self, command: Command) -> None:
        """A command is about to start."""

    def command_ends(self, run: Run) -> None:
        """A command has ended."""

    def step_ends(self, result: StepResult) -> None:
        """A step was judged."""

    def step_kept(self, result: StepResult, why: Message) -> None:
        """A step was not run again, because what was seen of it still counts."""

    def notice(self, message: Message) -> None:
        """Something a person should know, that is no result."""

    def confirm_restart(self, cluster: Cluster | None, plan: Plan) -> bool:
        """Whether Step 8 may delete the pods on this cluster, as `plan` has it."""

    def prompting(self) -> AbstractContextManager[None]:
        """Around a question to a person: nothing else may write to the terminal."""


class Silent:
    """A listener that says nothing and allows nothing."""

    def step_begins(self, step: Step) -> None:
        """Nothing."""

    def command_begins(self, command: Command) -> None:
        """Nothing."""

    def command_ends(self, run: Run) -> None:
        """Nothing."""

    def step_ends(self, result: StepResult) -> None:
        """Nothing."""

    def step_kept(self, result: StepResult, why: Message) -> None:
        """Nothing."""

    def notice(self, message: Message) -> None:
        """Nothing."""

    def confirm_restart(self, cluster: Cluster | None, plan: Plan) -> bool:
        """Never without a person."""
        return False

    def prompting(self) -> AbstractContextManager[None]:
        """Nothing to keep quiet."""
        return nullcontext()
