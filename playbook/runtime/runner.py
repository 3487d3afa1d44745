"""The Runner interface: the one place where the program meets the world, live (`live`) or as it was recorded (`replay`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from ..model import Command, Run


class Runner(Protocol):
    """The one interface between the program and the world: answers a command with a Run, live or from a recording."""

    def run(self, command: Command, env: Mapping[str, str] = {}, until: Callable[[], bool] | None = None) -> Run:
        """Carry out `command`; never raises because of what it does. The session numbers the Run when it keeps it.

        `env` is added to the environment. `until`, asked about once a second, may end it early (Step 7-2).
        """

    def port_forward(self, forward: Command, curl: Command, stop: Command) -> tuple[Run, Run, Run]:
        """Step 7-3: its three lines as one bash session."""
