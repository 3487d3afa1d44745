"""Prefetch: read-only commands are begun before their step, so that no core waits for a step to be judged.

What they print is recorded and judged with their step, in the guide's order. When the run stops before that step, what was
read is recorded all the same, and judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from ..model import Run


class Prefetcher:
    """A queue of commands, carried out `jobs` at a time in the order given.

    When one of `first` fails, nothing more is begun: what it asked for does not answer.
    """

    def __init__(
        self, jobs: int, carry_out: Callable[[str], Run], commands: Iterable[str], first: Collection[str] = ()
    ) -> None:
        self._carry_out = carry_out
        self._first = first
        self._lock = Lock()
        self._over = False
        self._under_way: set[str] = set()
        self._pool = ThreadPoolExecutor(jobs)
        self._queue: dict[str, Future[Run | None]] = {name: self._pool.submit(self._one, name) for name in commands}

    def has(self, command: str) -> bool:
        """Whether `command` is one of them, is or will be carried out, and was not taken yet."""
        with self._lock:
            return command in self._queue and (not self._over or command in self._under_way)

    def take(self, command: str) -> Run:
        """Its run, waited for; raises KeyError when it is none of them, and what carrying it out raised.

        It is carried out now where it was not begun, because one of `first` failed after `has` was asked.
        """
        run = self._queue.pop(command).result()
        return self._carry_out(command) if run is None else run

    def drain(self) -> tuple[Run, ...]:
        """Begin nothing more; the runs that were started and never taken, waited for."""
        with self._lock:
            self._over = True
        self._pool.shutdown()
        left = [future for future in self._queue.values() if not future.exception()]
        self._queue.clear()
        return tuple(run for run in (future.result() for future in left) if run is not None and run.happened)

    def _one(self, command: str) -> Run | None:
        with self._lock:
            if self._over:
                return None
            self._under_way.add(command)
        run = self._carry_out(command)
        if command in self._first and run.exit_code != 0:
            with self._lock:
                self._over = True
        return run
