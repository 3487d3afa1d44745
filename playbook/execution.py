"""Carrying out one step: the only place where a command of the catalog meets a runner and the record."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Protocol

from .ahead import ReadAhead
from .catalog import Catalog
from .errors import Interrupted
from .model import Cluster, Command, Ended, Refusal, Run, StepResult
from .own_commands import OWN_COMMANDS, REMOVE_TMP_CURL
from .runner import Runner
from .session import Record
from .steps.base import Runs, Step
from .text import Message, msg
from .tools import has_tool

_POSTGRES = re.compile(r"^(POSTGRES_USER|POSTGRES_DB)=([A-Za-z0-9_.-]+)\r?$", re.M)


def may_have_left_tmp_curl(run: Run) -> bool:
    """Whether a run of Step 7-2 may have left its pod behind: it was started, and says neither "deleted" nor "not mine"."""
    return run.happened and 'pod "tmp-curl" deleted' not in run.out and "AlreadyExists" not in run.err


class Listener(Protocol):
    """Who is told what goes on, and asked what only a person may allow."""

    def step_begins(self, step: Step) -> None:
        """A step is about to be carried out."""

    def command_begins(self, command: Command) -> None:
        """A command is about to start."""

    def command_ends(self, run: Run) -> None:
        """A command has ended."""

    def step_ends(self, result: StepResult) -> None:
        """A step was judged."""

    def step_kept(self, result: StepResult, why: Message) -> None:
        """A step was not run again, because what was seen of it still counts."""

    def notice(self, message: Message) -> None:
        """Something a person should know, that is no result."""

    def confirm_restart(self, cluster: Cluster | None) -> bool:
        """Whether Step 8 may delete the pods on this cluster."""

    def prompting(self) -> AbstractContextManager[None]:
        """Around a question to a person: nothing else may write to the terminal."""


class Silent:
    """A listener that says nothing and allows nothing."""

    def step_begins(self, step: Step) -> None:
        """Nothing."""

    def command_begins(self, command: Command) -> None:
        """Nothing."""

    def command_ends(self, run: Run) -> None:
        """Nothing."""

    def step_ends(self, result: StepResult) -> None:
        """Nothing."""

    def step_kept(self, result: StepResult, why: Message) -> None:
        """Nothing."""

    def notice(self, message: Message) -> None:
        """Nothing."""

    def confirm_restart(self, cluster: Cluster | None) -> bool:
        """Never without a person."""
        return False

    def prompting(self) -> AbstractContextManager[None]:
        """Nothing to keep quiet."""
        return nullcontext()


class Interruption:
    """A flag that a signal handler sets and the engine heeds between two commands."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self.raising = False  # while a person is asked something: the handler may raise to end the question
        self._then: list[Callable[[], None]] = []

    def set(self, signal: int) -> None:
        """A signal came; the first one counts. What `then` was given is done each time, so that nothing stays alive."""
        if self.signal is None:
            self.signal = signal
        for act in self._then:
            act()

    def then(self, act: Callable[[], None]) -> None:
        """Have `act` done when a signal comes; it must be safe to call from a signal handler, and more than once."""
        self._then.append(act)

    def check(self) -> None:
        """Raises Interrupted when a signal came."""
        if self.signal is not None:
            raise Interrupted(msg("interrupted by signal {signal}", signal=self.signal), self.signal)


class StepExecution:
    """`steps.base.Execution` for one attempt at one step."""

    def __init__(
        self,
        step: str,
        catalog: Catalog,
        runner: Runner,
        record: Record,
        listener: Listener,
        interruption: Interruption,
        *,
        replaying: bool,
        jobs: int,
        cluster: Cluster | None = None,
        ahead: ReadAhead | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._step = step
        self.catalog = catalog
        self._runner = runner
        self.record = record
        self._listener = listener
        self._interruption = interruption
        self._replaying = replaying
        self._jobs = max(1, jobs)
        self._cluster = cluster
        self._ahead = ahead
        self._environ = environ
        self._lock = threading.RLock()
        self._next: dict[str, int] = {}
        self._buffer = threading.local()
        self._confirmed: bool | None = None
        self._runs: list[Run] = []

    # what a step is given

    @property
    def runs(self) -> Runs:
        """The runs of this attempt, as recorded."""
        return Runs(self._runs)

    @property
    def replaying(self) -> bool:
        """True when the runs come from a recording."""
        return self._replaying

    def run(self, command: str, target: str = "", *, until: Callable[[], bool] | None = None) -> Run:
        """Carry out one command and record it."""
        return self._keep([self._carry_out(self._command(command, target), until)])[0]

    def side_by_side(self, commands: Sequence[str]) -> tuple[Run, ...]:
        """Carry out independent commands, recorded in the order given."""
        loaded = [self._command(command) for command in commands]
        begun = [command for command in loaded if self._ahead is not None and self._ahead.has(command.key)]
        fresh = [command for command in loaded if command not in begun]
        for command in begun:
            self._listener.command_begins(command)
        made = self._in_parallel([lambda c=c: self._carry_out(c) for c in fresh])  # type: ignore[misc]
        runs = {run.command: run for run in (*made, *map(self._take, begun))}
        return self._keep([runs[command.key] for command in loaded])

    def together(self, tasks: Sequence[Callable[[], object]]) -> None:
        """Carry out independent tasks; what each of them ran is recorded in the order of the tasks."""

        def collect(task: Callable[[], object]) -> tuple[list[Run], Exception | None]:
            runs: list[Run] = []
            self._buffer.runs = runs
            try:
                task()
            except Exception as error:  # kept until what the other tasks saw is recorded
                return runs, error
            finally:
                self._buffer.runs = None
            return runs, None

        collected = self._in_parallel([lambda t=t: collect(t) for t in tasks], len(tasks))  # type: ignore[misc]
        self._keep([run for runs, _ in collected for run in runs], heed=False)
        for _, error in collected:
            if error:
                raise error

    def port_forward(self, forward: str, curl: str, stop: str) -> None:
        """Step 7-3 as one bash session, recorded as three runs."""
        first, second, third = (self._command(command) for command in (forward, curl, stop))
        self._interruption.check()
        self._listener.command_begins(first)
        numbers = (self._number(first), self._number(second), self._number(third))
        runs = self._runner.port_forward(first, second, third, numbers)
        self._listener.command_ends(runs[0])
        self._keep(list(runs))

    def refuse(self, command: str, why: Refusal) -> Run:
        """Record that a command was not run."""
        loaded = self._command(command)
        from .journal import now

        return self._keep(
            [Run(loaded.key, self._number(loaded), b"", b"", None, Ended.REFUSED, now(), 0.0, why.value)]
        )[0]

    def confirm_restart(self) -> bool:
        """Ask once; the answer and the cluster it was given for are journaled."""
        if self._confirmed is None:
            from .journal import Kind

            with self._listener.prompting():
                self._confirmed = self._listener.confirm_restart(self._cluster)
            self._interruption.check()
            if self._confirmed:
                self.record.note(Kind.CONFIRM, cluster=str(self._cluster), step=self._step)
        return self._confirmed

    def earlier(self, command: str) -> Run | None:
        """The newest run of a command in this session."""
        return self.record.latest(command)

    def unfinished(self, *commands: str) -> Runs:
        """Runs of earlier attempts at this step."""
        if self._replaying:
            return Runs()
        return Runs(self.record.runs_since_forced(self._step, commands, unsettled=True))

    def adopt(self, *runs: Run) -> None:
        """Count earlier runs as evidence of this attempt; all stay in the order in which they were made."""
        self._runs = list(self.record.in_order((*runs, *self._runs)))

    def pause(self, seconds: float) -> None:
        """Wait, and heed an interruption meanwhile."""
        end = time.monotonic() + (0 if self._replaying else seconds)
        while time.monotonic() < end:
            self._interruption.check()
            time.sleep(min(0.1, max(0.0, end - time.monotonic())))

    def has_tool(self, name: str) -> bool:
        """Whether a program is on PATH; in a recording, whether the guide's variant that needs it was recorded."""
        if self._replaying:
            return name != "jq" or self.recorded("step3-4-secret-keys-jq")
        return has_tool(name)

    def recorded(self, command: str) -> bool:
        """Whether a recording has one more run of a command."""
        return self._runner.recorded(command, self._next.get(command) or self.record.next_ordinal(command))

    def remove_tmp_curl(self) -> None:
        """Delete the pod that Step 7-2 left, unless kubectl said that it had done so itself or that the pod is not ours."""
        left = self._seen("step7-2-health-via-service")
        if not self._replaying and left is not None and may_have_left_tmp_curl(left):
            self._keep([self._runner.cleanup(REMOVE_TMP_CURL, self._number(REMOVE_TMP_CURL))], heed=False)

    def read(self, command: str) -> Run:
        """Carry out one command that only looks, and leave it to its step to number, tell of and record it."""
        self._interruption.check()
        loaded = self._command(command)
        return self._runner.run(loaded, self.record.next_ordinal(command), self._environment(loaded))

    # how

    def _command(self, command: str, target: str = "") -> Command:
        own = OWN_COMMANDS.get(f"{command}.{target}" if target else command)
        if own:
            return own
        return self.catalog.fill(command, target) if target else self.catalog.command(command)

    def _carry_out(self, command: Command, until: Callable[[], bool] | None = None) -> Run:
        self._interruption.check()
        number = self._number(command)
        if command.mutates and not self._replaying:
            with self._lock:
                self.record.begin(command, number)
        self._listener.command_begins(command)
        run = self._runner.run(command, number, self._environment(command), until)
        self._listener.command_ends(run)
        return run

    def _take(self, command: Command) -> Run:
        """What was read ahead of `command`."""
        assert self._ahead is not None
        run = replace(self._ahead.take(command.key), ordinal=self._number(command))
        self._listener.command_ends(run)
        return run

    def _keep(self, raw: Sequence[Run], *, heed: bool = True) -> tuple[Run, ...]:
        buffer = getattr(self._buffer, "runs", None)
        if buffer is not None:
            buffer.extend(raw)
            return tuple(self.record.redactor.mask(run) for run in raw)
        with self._lock:
            kept = self.record.keep(raw)
            self._runs.extend(kept)
        if heed and any(run.ended is Ended.INTERRUPTED for run in kept):
            self._interruption.check()
        return kept

    def _seen(self, command: str) -> Run | None:
        buffered = [run for run in getattr(self._buffer, "runs", None) or () if run.command == command]
        return buffered[-1] if buffered else self.record.latest(command)

    def _in_parallel(self, work: Sequence[Callable[[], object]], jobs: int | None = None) -> list:  # type: ignore[type-arg]
        workers = min(len(work), jobs or self._jobs)
        if workers <= 1 or self._replaying:
            return [do() for do in work]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(workers) as pool:
            return [future.result() for future in [pool.submit(do) for do in work]]

    def _number(self, command: Command) -> int:
        with self._lock:
            number = self._next.get(command.key) or self.record.next_ordinal(command.key)
            self._next[command.key] = number + 1
            return number

    def _environment(self, command: Command) -> Mapping[str, str]:
        """Step 8-4 names POSTGRES_USER and POSTGRES_DB: the operator's own, else what 6-4 showed, else the guide's `observer`."""
        if "$POSTGRES_" not in command.text:
            return {}
        shown = self.earlier("step6-4-env")
        seen = dict(_POSTGRES.findall(shown.out)) if shown else {}
        names = ("POSTGRES_USER", "POSTGRES_DB")
        return {name: self._environ.get(name) or seen.get(name) or "observer" for name in names}
