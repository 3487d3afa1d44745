"""A signal, noted: what a signal handler sets, and what the engine looks at between two commands."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import Interrupted
from ..text import msg


class CancelToken:
    """Set once by a signal handler. What was registered with `on_cancel` is done each time a signal comes."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self.may_raise = False  # while a person is asked something: the handler may raise to end the question
        self._callbacks: list[Callable[[], None]] = []

    def cancel(self, signal: int) -> None:
        """A signal came; the first one counts. The callbacks are called every time, so that nothing stays alive."""
        if self.signal is None:
            self.signal = signal
        for callback in self._callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], None]) -> None:
        """Have `callback` called when a signal comes; it must be safe in a signal handler, and more than once."""
        self._callbacks.append(callback)

    def check(self) -> None:
        """Raises Interrupted when a signal came."""
        if self.signal is not None:
            raise Interrupted(msg("interrupted by signal {signal}", signal=self.signal), self.signal)
