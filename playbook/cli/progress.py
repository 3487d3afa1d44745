"""The announcement of a step and, on a terminal, what runs and for how long once it takes more than a second."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from ..output.columns import shortened
from .streams import is_lively


class Progress:
    """The line at the end of `stream` that says what goes on; whoever else writes there calls `rest` first."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = is_lively(stream)
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
        """Nothing is shown inside the block."""
        self.rest()
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    def stop(self) -> None:
        """Nothing is shown any more."""
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
        columns = 80
        with suppress(OSError, ValueError):
            columns = os.get_terminal_size(self._stream.fileno()).columns or columns
        self._write("\r\x1b[K" + shortened(text, columns - 1))
        self._shown = True

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()
