"""Child processes without the library that starts them: where their output goes, and how a group of them is ended."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time

from ..model import NOT_STARTED, Ended

MOST_BYTES = 32 << 20
"""What is kept of one stream: 32 MiB, a thousand times what a command of the guide prints."""

STEP_S = 0.01
"""How long is slept between two looks at a group that was told to end."""

STRAGGLER = 0.15
"""The part of the grace that a group still gets once its bash is gone."""


class Sink:
    """Takes what one stream of a child prints, in memory only: raw output holds secrets and must not reach a disk.

    An anonymous memory file (Linux), so that nothing of ours copies while the child prints.
    """

    def __init__(self) -> None:
        self.fd = os.memfd_create("output")

    def peek(self) -> bytes:
        """What has been printed so far."""
        size = os.fstat(self.fd).st_size
        data = os.pread(self.fd, size, 0)
        while len(data) < size:  # one read takes 2 GiB at most
            more = os.pread(self.fd, size - len(data), len(data))
            if not more:
                break
            data += more
        return data

    def take(self) -> bytes:
        """All that was printed; nothing can be taken a second time. To be called when the child has ended."""
        data = self.peek()
        os.close(self.fd)
        return data[:MOST_BYTES]

    @property
    def is_full(self) -> bool:
        """Whether more was printed than is kept."""
        return os.fstat(self.fd).st_size > MOST_BYTES


def limit_files() -> None:
    """For a child: no file, and so no stream of its, grows far over what is kept; the kernel sees to it, at once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    most = MOST_BYTES + 1
    if soft == resource.RLIM_INFINITY or soft > most:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))


class Child:
    """One bash and all that it starts: a process group of its own."""

    def __init__(self, protected: bool = False) -> None:
        self.protected = protected  # a cleanup: not ended with the others
        self.pgid: int | None = None
        self.exit_code: int | None = None
        self.error: BaseException | None = None  # why it could not be started
        self.why: Ended | None = None  # why it was ended by us
        self.started = threading.Event()  # set when `pgid` is known, or never will be
        self.done = threading.Event()  # set when bash has ended; its children may live on

    def not_started(self, error: BaseException | None = None) -> None:
        """Nothing was started, and nothing will be."""
        self.error = error
        self.started.set()
        self.done.set()

    def signal(self, number: int) -> bool:
        """Send a signal to the group (0: only ask); False when nobody is left in it."""
        if self.pgid is None:
            return not self.done.is_set()
        try:
            os.killpg(self.pgid, number)
        except ProcessLookupError:
            return False
        except PermissionError:  # only members of another user are left: not ours to end
            return False
        return True


def end(children: tuple[Child, ...], grace_s: float) -> None:
    """SIGTERM to each group, SIGKILL to what is left of it after `grace_s`. Takes no lock: fit for a signal handler."""
    for child in children:
        child.signal(signal.SIGTERM)
    deadline, alone = time.monotonic() + grace_s, False
    while any(child.signal(0) for child in children) and time.monotonic() < deadline:
        time.sleep(STEP_S)
        if not alone and all(child.done.is_set() for child in children):
            alone = True
            # Who is left are children of bash's, or only their remains, which an idle init has not collected yet.
            deadline = min(deadline, time.monotonic() + grace_s * STRAGGLER)
    left = [child for child in children if child.signal(signal.SIGKILL)]
    deadline = time.monotonic() + grace_s
    while any(child.signal(0) and not child.done.is_set() for child in left) and time.monotonic() < deadline:
        time.sleep(STEP_S)


def outcome(child: Child) -> tuple[Ended, str]:
    """How a child that is gone came to its end, and the note to it."""
    if child.why and child.pgid is None:
        return child.why, NOT_STARTED
    if child.error:
        lines = str(child.error).strip().splitlines()
        return Ended.NOT_FOUND, lines[-1].strip() if lines else type(child.error).__name__
    return child.why or Ended.EXITED, ""
