"""Carrying out one step on a cluster: the only place where a command of the catalog meets a runner and the session."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from ..guide.catalog import Catalog
from ..guide.own_commands import named
from ..model import Command, Ended, Run, Runs
from ..refusals import Refused
from ..session.session import OpenSession
from ..steps.base import Execution
from ..steps.restart import Restart
from . import awaiting, interlock, tmp_curl
from .cancel import CancelToken
from .environment import has_tool, variables_for
from .listener import Listener, Silent
from .live import LiveRunner
from .prefetch import Prefetcher
from .provenance import Kubectl
from .uptime import Uptime, uptime

T = TypeVar("T")


@dataclass(slots=True)
class Workplace:
    """What all steps of one attempt share."""

    catalog: Catalog
    runner: LiveRunner
    session: OpenSession
    listener: Listener = field(default_factory=Silent)
    cancel: CancelToken = field(default_factory=CancelToken)
    jobs: int = 1  # commands at a time
    prefetched: Prefetcher | None = None  # read-only commands that were begun already
    kubectl: Kubectl | None = None  # where that was looked for already
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    uptime: Callable[[], Uptime | None] = uptime  # how long the machine has been up
    confirmed: bool | None = None  # whether the operator allows the restarts; None until asked


class LiveExecution:
    """`steps.base.Execution` for one attempt at one step.

    With `unkept`, its runs are collected there for the execution that it is a part of, which records them.
    """

    def __init__(self, step: str, workplace: Workplace, unkept: list[Run] | None = None) -> None:
        self.step = step
        self.workplace = workplace
        self._session = workplace.session
        self._unkept = unkept
        self._runs: list[Run] = []

    @property
    def runs(self) -> Runs:
        """The runs of this attempt, as they were printed: for judges, never to be shown or kept."""
        return Runs(self._runs)

    @property
    def is_recorded(self) -> bool:
        """Live, it is not."""
        return False

    # what a step is given

    def run(self, command: str, target: str = "", until: Callable[[], bool] | None = None) -> Run:
        """Carry out one command and record it. `until`, asked about once a second, may end it early."""
        return self._keep([self._carry_out(self.command(command, target), until)])[0]

    def retry(self, command: str, again: Callable[[Run], bool], *, within_s: float, every_s: float) -> Run:
        """Carry out a command, and once more as long as `again` says so."""
        run = self.run(command)
        took_s = run.duration_s + every_s
        while again(run) and took_s < within_s:
            self.pause(every_s)
            run = self.run(command)
            took_s += run.duration_s + every_s
        return run

    def side_by_side(self, commands: Sequence[str]) -> tuple[Run, ...]:
        """Carry out independent commands, recorded in the order given."""
        loaded = [self.command(command) for command in commands]
        ahead = self.workplace.prefetched
        begun = [command for command in loaded if ahead is not None and ahead.has(command.key)]
        fresh = [command for command in loaded if command not in begun]
        for command in begun:
            self.workplace.listener.command_begins(command)
        made = _in_parallel([partial(self._carry_out, command) for command in fresh], self.workplace.jobs)
        runs = {run.command: run for run in (*made, *map(self._prefetched, begun))}
        return self._keep([runs[command.key] for command in loaded])

    def together(self, tasks: Sequence[Callable[[Execution], object]]) -> None:
        """Carry out independent tasks; what each of them ran is recorded in the order of the tasks."""
        unkept: list[list[Run]] = [[] for _ in tasks]

        def attempt(task: Callable[[Execution], object], runs: list[Run]) -> Exception | None:
            try:
                task(LiveExecution(self.step, self.workplace, runs))
            except Exception as error:  # kept until what the other tasks saw is recorded
                return error
            return None

        errors = _in_parallel([partial(attempt, *each) for each in zip(tasks, unkept, strict=True)], len(tasks))
        self._keep([run for runs in unkept for run in runs], heed=False)
        for error in errors:
            if error:
                raise error

    def watch(
        self, commands: Sequence[str], done: Callable[[tuple[Run, ...]], bool], *, times: int, every_s: float
    ) -> None:
        """Look with `commands` until `done`, at most `times`."""
        for _ in range(times):
            if done(self.side_by_side(commands)):
                return
            self.pause(every_s)

    def port_forward(self, forward: str, curl: str, stop: str) -> None:
        """Step 7-3 as one bash session, recorded as three runs."""
        first, second, third = (self.command(command) for command in (forward, curl, stop))
        self.workplace.cancel.check()
        self.workplace.listener.command_begins(first)
        runs = self.workplace.runner.port_forward(first, second, third)
        self.workplace.listener.command_ends(runs[0])
        self._keep(list(runs))

    def health_via_service(self) -> None:
        """Step 7-2."""
        tmp_curl.ask(self)

    def wait_for_new_pods(self, restart: Restart) -> bool:
        """The wait after a delete, ended early where it is hopeless."""
        return awaiting.wait_for_new_pods(restart, self)

    def refuse(self, command: str, why: Refused) -> Run:
        """Record that a command was not run."""
        key, now = self.command(command).key, self._session.now()
        return self._keep([Run(key, 0, b"", b"", None, Ended.REFUSED, now, 0.0, why.note)])[0]

    def refusal(self, restart: Restart, before: Run) -> Refused | None:
        """Why the pods of `restart` may not be deleted."""
        return interlock.refusal(restart, before, self)

    def unfinished(self, *commands: str) -> Runs:
        """Runs of earlier attempts at this step."""
        return Runs(map(self._session.as_seen, self._session.runs_since_forced(self.step, commands, unpassed=True)))

    def adopt(self, *runs: Run) -> None:
        """Count earlier runs as evidence of this attempt; all stay in the order in which they were made."""
        self._runs = [self._session.as_seen(run) for run in self._session.in_order((*runs, *self._runs))]

    def has_tool(self, name: str) -> bool:
        """Whether a program is on PATH."""
        return has_tool(name)

    def has_more(self, command: str) -> bool:
        """Live, nothing is recorded beforehand."""
        return False

    # what the runtime needs besides

    def of_step(self, step: str) -> LiveExecution:
        """An execution of another step, in the same attempt."""
        return LiveExecution(step, self.workplace)

    def latest(self, command: str) -> Run | None:
        """The newest run of a command in this session, also one that is still to be recorded; None when there is none."""
        mine = [run for run in self._unkept or () if run.command == command]
        if mine:
            return mine[-1]
        kept = self._session.latest(command)
        return self._session.as_seen(kept) if kept else None

    def pause(self, seconds: float) -> None:
        """Wait, and heed a signal meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.workplace.cancel.check()
            time.sleep(min(0.1, left))

    def clean_up(self, command: Command) -> None:
        """Carry out a command that puts things right, and record it."""
        self._keep([self.workplace.runner.cleanup(command)], heed=False)

    def prefetch(self, command: str) -> Run:
        """Carry out a read-only command ahead of its step, which will tell of it and record it."""
        self.workplace.cancel.check()
        return self.workplace.runner.run(self.command(command))

    def command(self, command: str, target: str = "") -> Command:
        """A command of the catalog, filled with `target`, or one of our own. Raises as the catalog does."""
        return named(self.workplace.catalog, command, target)

    def _carry_out(self, command: Command, until: Callable[[], bool] | None = None) -> Run:
        self.workplace.cancel.check()
        if command.mutates:
            self._session.begin(command)
        self.workplace.listener.command_begins(command)
        run = self.workplace.runner.run(command, variables_for(command, self._session, self.workplace.environ), until)
        self.workplace.listener.command_ends(run)
        return run

    def _prefetched(self, command: Command) -> Run:
        assert self.workplace.prefetched is not None
        run = self.workplace.prefetched.take(command.key)
        self.workplace.listener.command_ends(run)
        return run

    def _keep(self, raw: Sequence[Run], *, heed: bool = True) -> tuple[Run, ...]:
        if self._unkept is not None:
            self._unkept.extend(raw)
            return tuple(raw)
        seen = tuple(map(self._session.as_seen, self._session.keep(raw)))
        self._runs.extend(seen)
        if heed and any(run.ended is Ended.INTERRUPTED for run in seen):
            self.workplace.cancel.check()
        return seen


def _in_parallel(work: Sequence[Callable[[], T]], jobs: int) -> list[T]:
    """The results of `work` in its order, at most `jobs` at a time."""
    workers = min(len(work), jobs)
    if workers <= 1:
        return [do() for do in work]
    with ThreadPoolExecutor(workers) as pool:
        return [future.result() for future in [pool.submit(do) for do in work]]
