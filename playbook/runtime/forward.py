"""Step 7-3 of the guide: three lines that only make sense in one shell, and how they are fed to it.

Run as a script they end in 0 and show nothing: curl is there before the forward listens. So bash gets them over its
standard input, unchanged, and each only when the one before it has done its part.
"""

from __future__ import annotations

import os
import select
import time
from dataclasses import dataclass, field
from datetime import datetime

from ..clock import Clock
from ..model import NOT_STARTED, Command, Ended, Run
from ..refusals import Refusal
from .processes import Child, Sink, outcome

LISTENING = b"Forwarding from"
"""What kubectl prints once its port is open. Without it another program may own the port, whatever curl says."""

STOP_S = 2.0
"""How long the forward may take to end after `kill %1`."""


@dataclass(slots=True)
class _Part:
    """One of the three lines: where its output goes, and when it was fed."""

    name: str
    command: Command
    out: Sink = field(default_factory=Sink)
    err: Sink = field(default_factory=Sink)
    fed_at: datetime | None = None
    begin: float = 0.0
    end: float = 0.0


class PortForwardSession:
    """One bash that is fed the three lines, and answers on a pipe of its own how each of them ended."""

    def __init__(self, forward: Command, curl: Command, stop: Command, clock: Clock) -> None:
        self._clock = clock
        self._forward = _Part("forward", forward)
        self._curl = _Part("curl", curl)
        self._stop = _Part("stop", stop)
        self.script, self._script_in = os.pipe()
        self._status_out, self._status_in = os.pipe()
        self._statuses: dict[str, int] = {}
        self._rest = b""
        self._listening = False

    @property
    def out(self) -> int:
        """The descriptor for bash's standard output: the forward's."""
        return self._forward.out.fd

    @property
    def err(self) -> int:
        """The same for standard error."""
        return self._forward.err.fd

    @property
    def given(self) -> tuple[int, ...]:
        """The descriptors that bash must inherit besides."""
        return (self._status_in, *(sink.fd for part in (self._curl, self._stop) for sink in (part.out, part.err)))

    def run(self, child: Child, listen_s: float) -> None:
        """Feed the lines to `child`; returns when all have ended, bash has died, or it is to be ended (`child.why`)."""
        child.started.wait()
        limit = time.monotonic() + self._forward.command.timeout_s
        self._begin(self._forward)
        self._send(f'{_line(self._forward)}echo "pid $!" >&{self._status_in}\n')
        if self._await("pid", child, limit):
            self._listening = self._listens(child, min(time.monotonic() + listen_s, limit))
        if self._listening:
            self._send_line(self._curl)
            if not self._await("curl", child, limit):
                child.why = child.why or Ended.TIMEOUT
                return
            self._curl.end = time.monotonic()
        if child.done.is_set() or child.why:
            return
        self._send_line(self._stop)
        self._send(f'wait "$!" 2>/dev/null\necho "forward $?" >&{self._status_in}\nexit\n')
        limit = time.monotonic() + STOP_S
        stopped = self._await("stop", child, limit)
        self._stop.end = time.monotonic()
        if stopped and self._await("forward", child, limit):
            child.done.wait(STOP_S)
        else:
            child.why = child.why or (Ended.STOPPED_EARLY if self._listening else Ended.TIMEOUT)

    def close(self) -> None:
        """Let go of the pipes."""
        for fd in (self.script, self._script_in, self._status_out, self._status_in):
            os.close(fd)

    def runs(self, child: Child) -> tuple[Run, Run, Run]:
        """What became of the three, once everybody has ended."""
        return self._run(self._forward, child), self._run(self._curl, child), self._run(self._stop, child)

    def _run(self, part: _Part, child: Child) -> Run:
        ended, note = outcome(child)
        code = self._statuses.get(part.name)
        if part.fed_at is None and ended is not Ended.NOT_FOUND:
            note = NOT_STARTED
            if ended is not Ended.INTERRUPTED:
                ended, note = Ended.REFUSED, Refusal.NO_FORWARD.value
        elif code is not None:
            code = 128 - code if code > 128 else code
            ended = Ended.EXITED
            if part is self._forward and not self._listening and code < 0:
                code, ended = None, Ended.TIMEOUT  # it was alive, but never listened
        if part.out.is_full or part.err.is_full:
            code, ended = None, Ended.CUT
        seconds = round((part.end or time.monotonic()) - part.begin, 3) if part.fed_at else 0.0
        began = part.fed_at or self._clock()
        return Run(part.command.key, 0, part.out.take(), part.err.take(), code, ended, began, seconds, note)

    def _begin(self, part: _Part) -> None:
        part.fed_at, part.begin = self._clock(), time.monotonic()

    def _send_line(self, part: _Part) -> None:
        self._begin(part)
        streams = f"exec >&{part.out.fd} 2>&{part.err.fd}"
        self._send(f'{streams}\n{_line(part)}echo "{part.name} $?" >&{self._status_in}\n')

    def _send(self, script: str) -> None:
        os.write(self._script_in, script.encode())  # never EPIPE: we hold the reading end too

    def _await(self, name: str, child: Child, limit: float) -> bool:
        """Wait for bash's `name NUMBER`; False when it ended first, was ended, or the time is over."""
        poll = select.poll()
        poll.register(self._status_out, select.POLLIN)
        while name not in self._statuses:
            if poll.poll(50):
                self._rest += os.read(self._status_out, 4096)
                *lines, self._rest = self._rest.split(b"\n")
                for line in lines:
                    word, _, number = line.decode().partition(" ")
                    self._statuses[word] = int(number)
            elif child.done.is_set() or child.why or time.monotonic() > limit:
                return False
        return True

    def _listens(self, child: Child, limit: float) -> bool:
        """Wait until the forward says that it listens; False when it died, was ended, or did not say so in time."""
        while _alive(self._statuses["pid"]) and not child.done.is_set() and not child.why and time.monotonic() < limit:
            if LISTENING in self._forward.out.peek():
                return True
            time.sleep(0.02)
        return False


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _line(part: _Part) -> str:
    return part.command.text if part.command.text.endswith("\n") else f"{part.command.text}\n"
