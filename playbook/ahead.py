"""Reading ahead: commands that only look are begun before their step, so that no core waits for a step to be judged.

What they print is recorded and judged with their step, in the guide's order. When the run stops before that step, what was
read is recorded all the same, and judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from .model import Run


class ReadAhead:
    """A queue of commands, carried out `jobs` at a time in the order given."""

    def __init__(self, jobs: int, carry_out: Callable[[str], Run], commands: Iterable[str]) -> None:
        self._pool = ThreadPoolExecutor(jobs)
        self._begun: dict[str, Future[Run]] = {name: self._pool.submit(carry_out, name) for name in commands}

    def has(self, command: str) -> bool:
        """Whether `command` is one of them and was not taken yet."""
        return command in self._begun

    def take(self, command: str) -> Run:
        """Its run, waited for; raises KeyError when it is none of them, and what carrying it out raised."""
        return self._begun.pop(command).result()

    def rest(self) -> tuple[Run, ...]:
        """Begin nothing more; the runs that were begun and never taken, waited for."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        left = [future for future in self._begun.values() if not future.cancelled() and not future.exception()]
        self._begun.clear()
        return tuple(future.result() for future in left)
