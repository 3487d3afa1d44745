"""Carrying out the guide's commands for real: bash, unchanged text, a process group and a time limit for each.

The only module that uses `sh`. `replay.ReplayRunner` answers the same interface from a recording.
"""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ..clock import Clock, utc_now
from ..errors import MissingTool
from ..model import Command, Ended, Run
from ..text import msg
from .child_environment import NEUTRAL_FOLDER, child_environment, working_folder
from .environment import as_root
from .forward import PortForwardSession
from .processes import Child, Sink, end, limit_files, outcome

FULL_EVERY_S = 1.0
"""How often it is looked whether a command that goes on has printed more than is kept."""

CLEANUP_S = 40.0
"""The longest that a cleanup may take."""

_STATUSES = range(-64, 256)
_DESCRIPTORS = ("/dev/fd", "/proc/self/fd")
"""Where `sh` sees which files a child must not inherit; on Linux both are in /proc."""
_GUARD = """
live=' '
while read -r p; do case $p in +*) live="$live${p#+} ";; -*) live="${live/ ${p#-} / }";; esac; done
[ "$live" = ' ' ] && exit
for p in $live; do kill -TERM -- "-$p"; done
sleep 1
for p in $live; do kill -KILL -- "-$p"; done
"""
"""Told of each group that starts (+) and ends (-); when the program is gone, even by SIGKILL, it ends who is left."""


class LiveRunner:
    """Runs commands on this machine. Safe from several threads at once.

    The environment is the operator's own without what changes the meaning of a command (`child_environment`), plus what a
    command is given. `grace_s` is what
    lies between SIGTERM and SIGKILL, `settle_after_s` and `settle_every_s` when `until` is asked, `listen_s` how long
    Step 7-3 waits for its port-forward.

    Raises MissingTool where /proc is not mounted: nothing can be started without it.

    A signal handler should call `end_all()` and return, or raise: both leave no child behind. A command is started by a
    thread of its own, because a signal must not fall between its fork and our knowing of it.
    """

    def __init__(
        self,
        *,
        grace_s: float = 2.0,
        settle_after_s: float = 1.5,
        settle_every_s: float = 1.0,
        listen_s: float = 20.0,
        clock: Clock = utc_now,
    ) -> None:
        import logging  # noqa: PLC0415 - for what follows

        import sh  # noqa: PLC0415 - 80 ms that only a cluster is worth

        logging.getLogger("sh").setLevel(logging.CRITICAL + 1)  # it logs command lines
        self._clock = clock
        self._folder = working_folder()
        self._grace_s = grace_s
        self._settle_after_s = settle_after_s
        self._settle_every_s = settle_every_s
        self._listen_s = listen_s
        self._live: set[Child] = set()
        self._closed = False
        # A child's streams are put on 0 to 2: when our own are closed, none of the files opened below may land there.
        while (null := os.open(os.devnull, os.O_RDWR)) < 3:
            os.set_inheritable(null, True)
        self._null = null
        self._bash: Callable[..., Any] | None = None
        self._guard: Any = None
        self._guard_fd = -1
        try:
            self._bash = sh.Command("bash")
        except sh.CommandNotFound:
            return
        if not any(os.path.isdir(folder) for folder in _DESCRIPTORS):  # noqa: PTH112 - no Path is needed for more
            first, second = _DESCRIPTORS
            raise MissingTool(
                msg(
                    "no command can be started here: neither {first} nor {second} is there", first=first, second=second
                ),
                msg("mount it: {command}", command=as_root("mount -t proc proc /proc")),
            )
        self._start_guard()

    def run(self, command: Command, env: Mapping[str, str] = {}, until: Callable[[], bool] | None = None) -> Run:
        """Carry out one command and wait for its end, its time limit, `until` or `end_all()`; see `runner.Runner`."""
        return self._run(command, timeout_s=command.timeout_s, env=env, until=until)

    def feed(self, command: Command, given: bytes) -> Run:
        """Carry out one command with `given`, at most 64 KiB, as its standard input: what no argument may show."""
        reading, writing = os.pipe()
        try:
            with suppress(OSError), os.fdopen(writing, "wb", buffering=0) as end_of_pipe:
                os.set_blocking(writing, False)  # the pipe holds it; more would wait for a reader that is not there yet
                end_of_pipe.write(given)
            return self._run(command, timeout_s=command.timeout_s, stdin=reading)
        finally:
            os.close(reading)

    def cleanup(self, command: Command) -> Run:
        """Carry out one command that puts things right, also after `end_all()`, which does not end it. At most 40 s.

        Not at interpreter exit: Python then starts no thread any more.
        """
        return self._run(command, timeout_s=min(command.timeout_s, CLEANUP_S), protected=True)

    def end_all(self) -> None:
        """End every child process group except a cleanup's; their runs end as interrupted, and no new one starts."""
        self._closed = True
        children = tuple(child for child in tuple(self._live) if not child.protected)
        for child in children:
            child.why = child.why or Ended.INTERRUPTED
        end(children, self._grace_s)

    def close(self) -> None:
        """End what still runs, and the guard. Not needed at exit: the guard ends with the program."""
        self.end_all()
        if self._guard_fd >= 0:
            fd, self._guard_fd = self._guard_fd, -1
            os.close(fd)
            self._guard.wait()

    def _run(
        self,
        command: Command,
        *,
        timeout_s: float,
        env: Mapping[str, str] = {},
        until: Callable[[], bool] | None = None,
        protected: bool = False,
        stdin: int | None = None,
    ) -> Run:
        source = self._null if stdin is None else stdin
        out, err = Sink(), Sink()
        begin, began = time.monotonic(), self._clock()
        child = self._start(
            ("-o", "pipefail", "-c", command.text), (source, out.fd, err.fd), env=env, protected=protected
        )
        try:
            self._attend(child, begin, timeout_s, until, (out, err))
        finally:
            self._settle(child)
        seconds = round(time.monotonic() - begin, 3)
        ended, note = outcome(child)
        if (out.is_full or err.is_full) and ended is not Ended.INTERRUPTED:
            ended = Ended.CUT
        exit_code = child.exit_code if ended is Ended.EXITED else None
        return Run(command.key, 0, out.take(), err.take(), exit_code, ended, began, seconds, note)

    def _attend(
        self, child: Child, begin: float, timeout_s: float, until: Callable[[], bool] | None, sinks: tuple[Sink, Sink]
    ) -> None:
        """Return when bash has ended, or when it is to be ended; `child.why` then says why."""
        deadline = begin + timeout_s
        ask = begin + self._settle_after_s if until else deadline
        while not child.done.wait(max(0.0, min(ask, deadline, time.monotonic() + FULL_EVERY_S) - time.monotonic())):
            if any(sink.is_full for sink in sinks):
                child.why = child.why or Ended.CUT
                return
            if time.monotonic() >= deadline:
                child.why = child.why or Ended.TIMEOUT
                return
            if until and time.monotonic() >= ask:
                if until() and not child.done.is_set():
                    child.why = child.why or Ended.STOPPED_EARLY
                    return
                ask = time.monotonic() + self._settle_every_s

    def _start(
        self,
        arguments: tuple[str, ...],
        streams: tuple[int, int, int],
        *,
        env: Mapping[str, str] = {},
        protected: bool = False,
        pass_fds: tuple[int, ...] = (),
    ) -> Child:
        """Start bash in the background. It is in `_live` before it exists, so `end_all()` cannot miss it."""
        child = Child(protected)
        self._live.add(child)
        if self._closed and not protected:
            child.why = Ended.INTERRUPTED
            child.not_started()
            return child
        variables = child_environment(os.environ, self._folder).variables
        options = {**_on(streams), "_env": {**variables, **env}, "_cwd": NEUTRAL_FOLDER, "_pass_fds": pass_fds}
        try:
            threading.Thread(target=self._carry, args=(child, arguments, options), daemon=True).start()
        except RuntimeError as error:  # the system's limit on threads
            child.not_started(error)
        return child

    def _carry(self, child: Child, arguments: tuple[str, ...], options: Mapping[str, Any]) -> None:
        """The thread of one child: starts it and waits for its end."""
        try:
            if self._bash is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "bash")
            # The child itself tells the guard, before it becomes bash: at no moment does bash run unknown to it.
            process = self._spawn(arguments, {**options, "_preexec_fn": self._begin})
            child.pgid = process.pgid
            child.started.set()
            if child.why:  # ended before it began
                child.signal(signal.SIGKILL)
            child.exit_code = process.wait().exit_code
        except Exception as error:  # sh's own, and the system's: no more processes, memory or descriptors
            child.error = error
        finally:
            child.started.set()
            child.done.set()

    def _spawn(self, arguments: tuple[str, ...], options: Mapping[str, Any]) -> Any:
        assert self._bash
        return self._bash(
            *arguments,
            **options,
            _bg=True,
            _bg_exc=False,
            _new_session=True,
            _tty_out=False,
            _ok_code=_STATUSES,
            _encoding="utf-8",
        )

    def _settle(self, child: Child) -> None:
        """See to it that nobody of the group is left: gently when it was ended by us, at once when bash is gone."""
        if not child.done.is_set() or child.why:
            child.why = child.why or Ended.INTERRUPTED  # an exception in the caller, Ctrl-C for one
            end((child,), self._grace_s)
            child.done.wait(self._grace_s)
        else:
            child.signal(signal.SIGKILL)
        self._live.discard(child)
        if child.pgid:
            self._tell(f"-{child.pgid}")

    def _start_guard(self) -> None:
        reading, self._guard_fd = os.pipe()
        variables = child_environment(os.environ, self._folder).variables
        self._guard = self._spawn(("-c", _GUARD), {**_on((reading, self._null, self._null)), "_env": variables})
        os.close(reading)

    def _begin(self) -> None:
        limit_files()
        self._tell(f"+{os.getpid()}")

    def _tell(self, line: str) -> None:
        with suppress(OSError):  # without its guard only a SIGKILL to the program would leave children
            os.write(self._guard_fd, f"{line}\n".encode())

    def port_forward(self, forward: Command, curl: Command, stop: Command) -> tuple[Run, Run, Run]:
        """Step 7-3: one bash is fed the guide's three lines, unchanged, over its standard input.

        The second goes in when the first has said `Forwarding from`; when it does not say so in `listen_s`, or dies,
        curl is not run. The forward's `timeout_s` is the limit of all three. Between them go lines of ours that tell
        their outputs and statuses apart.
        """
        session = PortForwardSession(forward, curl, stop, self._clock)
        for fd in session.given:
            os.set_inheritable(fd, True)  # other children close what they are not given
        child = self._start(("-o", "pipefail"), (session.script, session.out, session.err), pass_fds=session.given)
        try:
            session.run(child, self._listen_s)
        finally:
            session.close()
            self._settle(child)
        return session.runs(child)


def _on(streams: tuple[int, int, int]) -> dict[str, Any]:
    return dict(zip(("_in", "_out", "_err"), streams, strict=True))
