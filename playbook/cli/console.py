"""The terminal: what goes to standard output and what to standard error, colour, the running clock, and signals.

Results go to standard output, talk to standard error. Colour and the clock are for terminals only.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from types import FrameType
from typing import TextIO

from ..model import NAMESPACE, Cluster, Command, Run, Session, StepResult
from ..output import columns, terminal
from ..runtime.cancel import CancelToken
from ..steps import STEPS, Step
from ..text import Message, msg

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def colourful(stream: TextIO) -> bool:
    """Whether to colour what goes to `stream`: a terminal that is not dumb, and no NO_COLOR."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Console:
    """Tells a person what goes on while the engine works (an `execution.Listener`)."""

    def __init__(
        self,
        cancel: CancelToken,
        *,
        results: bool = True,
        allow_restart: bool = False,
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        """`meanwhile` is done once, in the background, while the commands after Step 0 are waited for."""
        self._cancel = cancel
        self._meanwhile = meanwhile
        self._results = results  # False: standard output belongs to a machine
        self._allow_restart = allow_restart
        self._clock = _Clock(sys.stderr)
        self._titles = {step.id: step.title for step in STEPS}
        self._widest = max(columns.width(str(title)) for title in self._titles.values())
        self.colour = colourful(sys.stdout)

    # what the engine tells

    def step_begins(self, step: Step) -> None:
        """Announce it."""
        if step.id != "0" and self._meanwhile:
            threading.Thread(target=self._meanwhile, daemon=True).start()
            self._meanwhile = None
        head = terminal.step_head(step.id, step.title, self._widest)
        self._clock.announce(head)

    def command_begins(self, command: Command) -> None:
        """Start the clock."""
        self._clock.begin(command.key)

    def command_ends(self, run: Run) -> None:
        """Stop the clock."""
        self._clock.end(run.command)

    def step_ends(self, result: StepResult) -> None:
        """Say the verdict."""
        self._clock.rest()
        self._line(result, terminal.step_tail(result.verdict, result.seconds, colour=self.colour))

    def step_kept(self, result: StepResult, why: Message) -> None:
        """Say why it was not run again."""
        self._clock.rest()
        self._line(result, f"{terminal.step_tail(result.verdict, 0.0, colour=self.colour)}  {msg('kept')}: {why}")

    def notice(self, message: Message) -> None:
        """Talk."""
        self.tell(message)

    def prompting(self) -> AbstractContextManager[None]:
        """Nothing else writes while a person is asked."""
        return self._clock.paused()

    def confirm_restart(self, cluster: Cluster | None) -> bool:
        """--allow-restart, or the namespace typed at a terminal."""
        if self._allow_restart:
            return True
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return False
        self.tell(
            msg("Step 8 deletes the pods of Observer and postgres-0, one after the other, and waits for new ones.")
        )
        self.tell(msg("cluster: {cluster}", cluster=str(cluster) if cluster else "?"))
        self.tell(
            msg("Type the namespace to allow it, anything else to go on without: {namespace}", namespace=NAMESPACE)
        )
        self._cancel.may_raise = True
        try:
            return input("> ").strip() == NAMESPACE
        except (EOFError, OSError, KeyboardInterrupt):
            return False
        finally:
            self._cancel.may_raise = False

    # what a verb says

    def tell(self, message: Message | str = "") -> None:
        """Talk: to standard error. Without a reader nothing is said any more; the exit status stays the verdict's."""
        self._clock.rest()
        try:
            print(str(message), file=sys.stderr, flush=True)
        except OSError:
            sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115  # the old one's buffer would fail again at exit

    def result(self, text: str) -> None:
        """A result: to standard output. A reader that has gone away is an interruption."""
        self._clock.rest()
        try:
            print(text, flush=True)
        except OSError:
            sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115  # kept open till the end of the program
            self._cancel.cancel(signal.SIGPIPE)

    def summary(self, session: Session) -> None:
        """What a person needs at the end: problems, causes, the criterion that stopped the run, the verdict."""
        parts = [
            terminal.causes(session, colour=self.colour),
            terminal.problems(session, colour=self.colour),
            terminal.abort_text(session),
            terminal.overall_sentence(session),
        ]
        self.result("\n" + "\n\n".join(part for part in parts if part))

    def _line(self, result: StepResult, tail: str) -> None:
        line = f"{terminal.step_head(result.step, self._titles[result.step], self._widest)}  {tail}"
        if self._results:
            self.result(line)
        else:
            self.tell(line)

    @contextmanager
    def handle_signals(self) -> Iterator[None]:
        """Inside the block SIGINT, SIGTERM and SIGHUP cancel the run; however often they come, the cleanup goes on."""

        def on_signal(number: int, frame: FrameType | None) -> None:
            first = self._cancel.signal is None
            self._cancel.cancel(number)
            if first and self._cancel.may_raise:
                raise KeyboardInterrupt

        before = {number: signal.signal(number, on_signal) for number in SIGNALS}
        try:
            yield
        finally:
            self._clock.stop()
            for number, handler in before.items():
                signal.signal(number, handler)


class _Clock:
    """The announcement of a step and, on a terminal, what runs and for how long once it takes more than a second."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._running: dict[str, float] = {}
        self._head = ""
        self._shown = False
        self._quiet = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._over = threading.Event()

    def announce(self, head: str) -> None:
        """A step begins."""
        with self._lock:
            self._head = head
            if self._live:
                self._show(f"{head}  …")
            else:
                self._write(f"{head.rstrip()} …\n")

    def begin(self, name: str) -> None:
        """A command begins."""
        with self._lock:
            self._running[name] = time.monotonic()
        if self._live and self._thread is None:
            self._thread = threading.Thread(target=self._tick, daemon=True)
            self._thread.start()

    def end(self, name: str) -> None:
        """A command has ended."""
        with self._lock:
            self._running.pop(name, None)

    def rest(self) -> None:
        """Clear the line: something else is about to be written."""
        with self._lock:
            if self._shown:
                self._write("\r\x1b[K")
                self._shown = False

    @contextmanager
    def paused(self) -> Iterator[None]:
        """No clock inside the block."""
        self.rest()
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    def stop(self) -> None:
        """No clock any more."""
        self._over.set()
        self.rest()

    def _tick(self) -> None:
        while not self._over.wait(1.0):
            with self._lock:
                waiting = [(name, time.monotonic() - since) for name, since in self._running.items()]
                slow = [f"{name} {seconds:.0f} s" for name, seconds in waiting if seconds >= 1]
                if slow and not self._quiet:
                    self._show(f"{self._head}  {', '.join(slow)}")

    def _show(self, text: str) -> None:
        self._write("\r\x1b[K" + columns.shortened(text, _columns(self._stream) - 1))
        self._shown = True

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
