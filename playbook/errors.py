"""The exception family and the exit codes.

Every error of ours says what is wrong and what to do next; `cli.py` alone turns one into an exit.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from .text import Message


class Exit(IntEnum):
    """What the process ends with."""

    COMPLETE = 0
    FAILED = 1
    USAGE = 2
    INCOMPLETE = 3
    ABORTED = 4
    PENDING = 5
    UNFORESEEN = 70
    INTERRUPTED = 130


EXIT_OF: Mapping[str, Exit] = {
    "complete": Exit.COMPLETE,
    "failed": Exit.FAILED,
    "aborted": Exit.ABORTED,
    "incomplete": Exit.INCOMPLETE,
    "pending": Exit.PENDING,
}
"""The exit code of each `model.Overall`, by its text: errors do without the model, which is slow to import."""


class PlaybookError(Exception):
    """Something the program will not or cannot do: `message` says what, `hint` what to type or fix."""

    exit_code = Exit.USAGE

    def __init__(self, message: Message, hint: Message | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else str(self.message)


class UsageError(PlaybookError):
    """A step, command, scenario or option that does not exist or does not fit."""


class TamperedCommand(PlaybookError):
    """A command file whose bytes do not match its digest. It is never run."""


class MissingTool(PlaybookError):
    """kubectl, bash or another program that the guide's commands need is not on PATH."""


class UnreadableText(PlaybookError):
    """A parser met a line it does not know. The judge turns it into an inconclusive finding."""

    def __init__(self, message: Message, line: int) -> None:
        super().__init__(message)
        self.line = line


class BadRecording(PlaybookError):
    """A recording folder that is missing, damaged or not one."""


class BadSession(PlaybookError):
    """A session that is damaged, belongs to another cluster or to other commands."""


class SessionLocked(PlaybookError):
    """Another program holds the session."""


class DiskTrouble(PlaybookError):
    """The state folder cannot be written; nothing that changes the cluster is run after this."""

    exit_code = Exit.INCOMPLETE


class Interrupted(PlaybookError):
    """A signal, or a closed standard output, ended the run; `signal` is its number."""

    exit_code = Exit.INTERRUPTED

    def __init__(self, message: Message, signal: int) -> None:
        super().__init__(message)
        self.signal = signal
