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

from .model import Command, Ended, Refusal, Run
from .processes import NOT_STARTED, Child, Sink, now, outcome

LISTENING = b"Forwarding from"
"""What kubectl prints once its port is open. Without it another program may own the port, whatever curl says."""

STOP_S = 2.0
"""How long the forward may take to end after `kill %1`."""


@dataclass(slots=True)
class _Part:
    """One of the three lines: where its output goes, and when it was fed."""

    name: str
    command: Command
    ordinal: int
    out: Sink = field(default_factory=Sink)
    err: Sink = field(default_factory=Sink)
    fed_at: datetime | None = None
    begin: float = 0.0
    end: float = 0.0

    def feed(self) -> None:
        self.fed_at, self.begin = now(), time.monotonic()


class Conversation:
    """What is said to one bash, and what it answers on a pipe of its own."""

    def __init__(self, forward: Command, curl: Command, stop: Command, ordinals: tuple[int, int, int]) -> None:
        self._forward = _Part("forward", forward, ordinals[0])
        self._curl = _Part("curl", curl, ordinals[1])
        self._stop = _Part("stop", stop, ordinals[2])
        self.script, self._script_in = os.pipe()
        self._told_out, self._told = os.pipe()
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
        return (self._told, *(sink.fd for part in (self._curl, self._stop) for sink in (part.out, part.err)))

    def hold(self, child: Child, listen_s: float) -> None:
        """Feed the lines to `child`; returns when bash has said all, has died, or is to be ended (`child.why`)."""
        child.started.wait()
        limit = time.monotonic() + self._forward.command.timeout_s
        self._forward.feed()
        self._say(f'{_line(self._forward)}echo "pid $!" >&{self._told}\n')
        if self._hear("pid", child, limit):
            self._listening = self._listens(child, min(time.monotonic() + listen_s, limit))
        if self._listening:
            self._next(self._curl)
            if not self._hear("curl", child, limit):
                child.why = child.why or Ended.TIMEOUT
                return
            self._curl.end = time.monotonic()
        if child.done.is_set() or child.why:
            return
        self._next(self._stop)
        self._say(f'wait "$!" 2>/dev/null\necho "forward $?" >&{self._told}\nexit\n')
        limit = time.monotonic() + STOP_S
        heard = self._hear("stop", child, limit)
        self._stop.end = time.monotonic()
        if heard and self._hear("forward", child, limit):
            child.done.wait(STOP_S)
        else:
            child.why = child.why or (Ended.SETTLED if self._listening else Ended.TIMEOUT)

    def close(self) -> None:
        """Let go of the pipes."""
        for fd in (self.script, self._script_in, self._told_out, self._told):
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
        seconds = round((part.end or time.monotonic()) - part.begin, 3) if part.fed_at else 0.0
        return Run(
            part.command.key,
            part.ordinal,
            part.out.take(),
            part.err.take(),
            code,
            ended,
            part.fed_at or now(),
            seconds,
            note,
        )

    def _next(self, part: _Part) -> None:
        part.feed()
        self._say(f'exec >&{part.out.fd} 2>&{part.err.fd}\n{_line(part)}echo "{part.name} $?" >&{self._told}\n')

    def _say(self, script: str) -> None:
        os.write(self._script_in, script.encode())  # never EPIPE: we hold the reading end too

    def _hear(self, name: str, child: Child, limit: float) -> bool:
        """Wait for bash's `name NUMBER`; False when it ended first, was ended, or the time is over."""
        poll = select.poll()
        poll.register(self._told_out, select.POLLIN)
        while name not in self._statuses:
            if poll.poll(50):
                self._rest += os.read(self._told_out, 4096)
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
