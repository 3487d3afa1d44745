"""A recording read back, behind the same interfaces as a live run. Nothing is run, and nothing is made up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ..clock import NEVER
from ..errors import BadRecording
from ..guide import ids
from ..guide.catalog import Catalog
from ..guide.expected import TMP_CURL
from ..guide.own_commands import named
from ..kubectl.health import answers
from ..model import Command, Ended, Run, Runs, Session, missing
from ..refusals import Refusal, Refused
from ..session.journal import Kind
from ..session.recording import Entry, is_key, read_index, stream_name
from ..session.session import OpenSession
from ..steps import STEPS
from ..steps.base import Execution
from ..steps.restart import Restart, nothing_to_wait_for
from ..steps.step7_health import is_in_the_way
from ..text import msg
from .judging import judge, meets_criterion, note_causes
from .listener import Listener

if TYPE_CHECKING:
    from importlib.abc import Traversable


class ReplayRunner:
    """Answers from a recording folder: `runs.json`, `<id>.out`, `<id>.err`, and the same below `diagnose/`.

    Each time a command is asked for, its next run is given. Raises BadRecording when the folder is missing, is not one
    or its `runs.json` is damaged. A run that it does not have is answered with one that says so.
    """

    def __init__(self, folder: Traversable | Path) -> None:
        self._folder = folder
        self._entries: dict[str, list[Entry]] = {}
        self._given: Counter[str] = Counter()
        entries = read_index(folder)
        for entry in entries:
            self._entries.setdefault(entry.key, []).append(entry)
        last = max(entries, key=lambda entry: entry.started_at, default=None)
        # Diagnoses need not be listed; they were taken after the rest.
        self._after = last.started_at + timedelta(seconds=last.seconds) if last else NEVER

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What `runs.json` lists, grouped by command."""
        return tuple(entry for group in self._entries.values() for entry in group)

    def run(self, command: Command, env: Mapping[str, str] = {}, until: Callable[[], bool] | None = None) -> Run:
        """The next run of `command` in the recording; `env` and `until` change nothing."""
        self._given[command.key] += 1
        return self.read(command.key, self._given[command.key])

    def port_forward(self, forward: Command, curl: Command, stop: Command) -> tuple[Run, Run, Run]:
        """The three runs of Step 7-3."""
        return self.run(forward), self.run(curl), self.run(stop)

    def has_more(self, key: str) -> bool:
        """Whether the recording has one more run of this command than was asked for."""
        return self.read(key, self._given[key] + 1).ended is not Ended.NOT_RECORDED

    def read(self, key: str, ordinal: int) -> Run:
        """The `ordinal`-th run of a command, from 1."""
        if not is_key(key) or ordinal < 1:
            return missing(key, ordinal)
        listed = self._entries.get(key, [])
        if listed and ordinal > len(listed):
            return missing(key, ordinal)
        entry = listed[ordinal - 1] if listed else None
        names = [f"{place}{stream_name(key, ordinal)}" for place in ("", "diagnose/")]
        if not listed:
            names = names[1:]
            if "." in key:  # recorded without the name of its object
                names.append(f"diagnose/{stream_name(key.partition('.')[0], ordinal)}")
        for name in names:
            out, err = self._bytes(f"{name}.out"), self._bytes(f"{name}.err")
            if out is None or err is None:
                continue
            if entry is None:
                return Run(key, ordinal, out, err, None, Ended.EXITED, self._after, 0.0)
            began = entry.started_at
            return Run(key, ordinal, out, err, entry.exit_code, entry.ended, began, entry.seconds, entry.note)
        return missing(key, ordinal)

    def _bytes(self, name: str) -> bytes | None:
        place = self._folder
        for part in name.split("/"):
            place = place / part
        try:
            return place.read_bytes() if place.is_file() else None
        except OSError as error:
            raise BadRecording(
                msg("{file} in the recording cannot be read: {reason}", file=name, reason=error.strerror or str(error))
            ) from error


class ReplayExecution:
    """`steps.base.Execution` for one step of a recording: what was done then is not asked for again."""

    def __init__(self, catalog: Catalog, runner: ReplayRunner, session: OpenSession) -> None:
        self._catalog = catalog
        self._runner = runner
        self._session = session
        self._runs: list[Run] = []

    @property
    def runs(self) -> Runs:
        """The runs of this step so far."""
        return Runs(self._runs)

    @property
    def is_recorded(self) -> bool:
        """It is."""
        return True

    def run(self, command: str, target: str = "") -> Run:
        """The next recorded run of a command."""
        return self._keep([self._runner.run(self._command(command, target))])[0]

    def retry(self, command: str, again: Callable[[Run], bool], *, within_s: float, every_s: float) -> Run:
        """As often as it was tried, up to the first run that ended it."""
        run = self.run(command)
        while again(run) and self.has_more(command):
            run = self.run(command)
        return run

    def side_by_side(self, commands: Sequence[str]) -> tuple[Run, ...]:
        """The next run of each."""
        return self._keep([self._runner.run(self._command(command)) for command in commands])

    def together(self, tasks: Sequence[Callable[[Execution], object]]) -> None:
        """One after the other."""
        for task in tasks:
            task(self)

    def watch(
        self, commands: Sequence[str], done: Callable[[tuple[Run, ...]], bool], *, times: int, every_s: float
    ) -> None:
        """It was over when the recording was made."""

    def port_forward(self, forward: str, curl: str, stop: str) -> None:
        """The three runs of 7-3."""
        self._keep(self._runner.port_forward(self._command(forward), self._command(curl), self._command(stop)))

    def health_via_service(self) -> None:
        """7-2: its tries, then what was read beside them, up to the answer."""
        if not self.has_more(ids.HEALTH_VIA_SERVICE) and self._somebodys_pod():
            self.refuse(ids.HEALTH_VIA_SERVICE, Refused(Refusal.LEFTOVER_POD))
            return
        run = self.run(ids.HEALTH_VIA_SERVICE)
        while is_in_the_way(run) and "being deleted" in run.err and self.has_more(ids.HEALTH_VIA_SERVICE):
            run = self.run(ids.HEALTH_VIA_SERVICE)
        for log in (ids.LOGS, ids.LOGS_PREVIOUS):
            while self.has_more(f"{log}.{TMP_CURL}"):
                if answers(self.run(log, TMP_CURL).out):
                    return
        if self.has_more(f"{ids.DESCRIBE_POD}.{TMP_CURL}"):
            self.run(ids.DESCRIBE_POD, TMP_CURL)

    def wait_for_new_pods(self, restart: Restart) -> bool:
        """The waits that were recorded, and what was looked at beside them."""
        self.retry(restart.wait, nothing_to_wait_for, within_s=0, every_s=0)
        if self.has_more(ids.NOT_CREATED):
            self.run(ids.NOT_CREATED)
        return True

    def refuse(self, command: str, why: Refused) -> Run:
        """Say that a command was not run."""
        return self._keep([Run(command, 0, b"", b"", None, Ended.REFUSED, self._session.now(), 0.0, why.note)])[0]

    def refusal(self, restart: Restart, before: Run) -> Refused | None:
        """Whether it was allowed the recording shows."""
        return None

    def unfinished(self, *commands: str) -> Runs:
        """A recording has one attempt."""
        return Runs()

    def adopt(self, *runs: Run) -> None:
        """There is no earlier attempt."""

    def has_tool(self, name: str) -> bool:
        """Whether the guide's variant that needs it was recorded."""
        return name != "jq" or self.has_more(ids.SECRET_KEYS_JQ)

    def has_more(self, command: str) -> bool:
        """Whether the recording has one more run of a command."""
        return self._runner.has_more(command)

    def _somebodys_pod(self) -> bool:
        pods = self._session.latest(ids.PODS)
        rows = [line.split() for line in pods.out.splitlines()] if pods else []
        return any(row[:1] == [TMP_CURL] and "Terminating" not in row for row in rows)

    def _command(self, command: str, target: str = "") -> Command:
        return named(self._catalog, command, target)

    def _keep(self, raw: Sequence[Run]) -> tuple[Run, ...]:
        seen = tuple(map(self._session.as_seen, self._session.keep(raw)))
        self._runs.extend(seen)
        return seen


def replay_session(
    catalog: Catalog, runner: ReplayRunner, session: OpenSession, listener: Listener, *, diagnosing: bool = True
) -> Session:
    """Judge a recording step by step, as a live run would have, and return the session with the times of its runs."""
    session.redactor.learn_from_env(runner.read(ids.ENV, 1).stdout)  # before the first finding quotes what it printed
    session.note(Kind.ATTEMPT, start="", until="9", only="")
    for step in STEPS:
        listener.step_begins(step)
        execution = ReplayExecution(catalog, runner, session)
        step.carry_out(execution)
        cluster = step.cluster_of(execution.runs) if step.cluster_of else None
        if cluster:
            session.note(Kind.IDENTITY, server=cluster.server, nodes=list(cluster.nodes), namespace=cluster.namespace)
        result = judge(step, execution.runs, session, last_end(execution.runs))
        listener.step_ends(result)
        dead_end = step.is_dead_end is not None and step.is_dead_end(execution.runs)
        if dead_end or meets_criterion(result, session):
            break
    if diagnosing:
        note_causes(session, ReplayExecution(catalog, runner, session))
    return with_times_of_its_runs(session.state)


def last_end(runs: Runs) -> datetime:
    """When the last of `runs` had ended: the moment of a judgement that is to come out the same each time."""
    ends = [run.started_at + timedelta(seconds=run.duration_s) for run in runs if run.happened]
    return max(ends, default=NEVER)


def with_times_of_its_runs(session: Session) -> Session:
    """A session that nobody kept a journal of, with the times of its runs instead of those of the replay."""
    ran = Runs(run for result in session.results for run in result.runs if run.happened)
    if not ran:
        return session
    return replace(session, digest="", started_at=min(run.started_at for run in ran), ended_at=last_end(ran))
