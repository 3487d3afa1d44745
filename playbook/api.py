"""What `import playbook` offers: carry out the guide, replay a recording, judge, and render. The verbs are made of these.

Below them lies the middle: the guide's commands one by one, each carried out or read from a recording, and its output as
typed rows.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import BadRecording, BadSession, UsageError
from .files import save_as_asked
from .guide import ids
from .guide.catalog import Catalog, load
from .model import Command, Ended, Overall, Run, Runs, Session, StepResult
from .output.render import Format, render, render_finding
from .resources import folder
from .runtime.cancel import CancelToken
from .runtime.engine import Engine
from .runtime.execution import LiveExecution, Workplace
from .runtime.interlock import looked_at_again
from .runtime.judging import findings
from .runtime.learning import learning
from .runtime.listener import Listener, Silent
from .runtime.plan import Plan, due_steps, make_plan
from .runtime.preview import look
from .runtime.replay import ReplayRunner, last_end, replay_session, with_times_of_its_runs
from .runtime.staleness import stale
from .runtime.start import Start, open_runner, open_store
from .session.session import OpenSession, command_digest, in_memory, read_session
from .session.store import SessionStore, state_directory
from .session.waiving import waive
from .steps.judging import rejudge, step_by_number
from .steps.parsing import parse
from .text import msg

if TYPE_CHECKING:
    from importlib.abc import Traversable

__all__ = [
    "Format",
    "at_work",
    "check_substep",
    "commands",
    "current_session",
    "judge",
    "plan",
    "recorded_run",
    "recorded_runs",
    "recorded_session",
    "rejudge",
    "render",
    "render_finding",
    "replay",
    "rows",
    "run",
    "run_command",
    "save",
    "scenario",
    "session_folder",
    "session_named",
    "waive",
]

SCENARIOS = ("healthy", "healthy-24h", "secret-missing", "secret-key-missing", "pvc-pending")
"""The recordings that ship in the wheel: a healthy cluster, the same 24 hours later, and three faults."""


# on a cluster


def run(
    *,
    state_dir: str | None = None,
    fresh: bool = False,
    start: str | None = None,
    until: str = "9",
    only: str | None = None,
    jobs: int | None = None,
    diagnose: bool = True,
    listener: Listener | None = None,
    cancel: CancelToken | None = None,
    secrets: Iterable[bytes] = (),
    started: Start | None = None,
) -> Session:
    """Carry out the guide on the cluster that kubectl speaks to, as one more attempt of the current session.

    `start` runs that step and the later ones in any case, `until` ends after that step, `only` runs just that one. The
    pods of Step 8 are deleted only when `listener.confirm_restart` says so. `secrets` are masked from the start.
    `started` is what is under way already (`runtime.start`). Raises MissingTool, TamperedCommand, SessionLocked,
    BadSession, DiskTrouble, Interrupted.
    """
    for number in filter(None, (start, until, only)):
        step_by_number(number)
    done = current_session(state_dir) if only == "9" and not fresh else None
    if done and done.overall is Overall.COMPLETE:  # a timer that nobody stopped begins no new session
        (listener or Silent()).notice(msg("{session} is complete; no more samples are needed", session=done.id))
        return replace(done, scope=("9",))
    with at_work(state_dir, fresh, jobs, diagnose, listener, cancel, started) as engine:
        engine.session.redactor.learn(*secrets)
        session = engine.run(start=start, until=until, only=only)
        return replace(session, scope=(only,)) if only else session


@contextmanager
def at_work(
    state_dir: str | None = None,
    fresh: bool = False,
    jobs: int | None = None,
    diagnose: bool = True,
    listener: Listener | None = None,
    cancel: CancelToken | None = None,
    started: Start | None = None,
) -> Iterator[Engine]:
    """The current session, locked, with an engine on it; nothing of it runs any more after the block."""
    cancel, listener = cancel or CancelToken(), listener or Silent()
    with ExitStack() as stack:
        start = started or stack.enter_context(open_store(state_dir))
        cancel.on_cancel(start.runner.end_all)
        session = _open_session(start.store, start.catalog, fresh, listener)
        stack.callback(session.close)
        stack.callback(start.runner.end_all)
        jobs = jobs or os.cpu_count() or 1
        workplace = Workplace(
            start.catalog, start.runner, session, listener, cancel, jobs, start.prefetched, kubectl=start.kubectl
        )
        yield Engine(workplace, diagnosing=diagnose)


def _open_session(store: SessionStore, catalog: Catalog, fresh: bool, listener: Listener) -> OpenSession:
    """The current session, or a new one where there is none, it is complete, or a new one was asked for."""
    current = None if fresh else store.current()
    if current is None:
        return store.create(catalog.digest)
    session, torn = store.open(current)
    if torn:
        listener.notice(msg("the journal ended in a torn line, as after a crash: {n} bytes were dropped", n=torn))
    if command_digest(session) != catalog.digest:
        raise BadSession(
            msg(
                "this session was begun with the commands {known}; they are now {seen}",
                known=command_digest(session)[:12],
                seen=catalog.digest[:12],
            ),
            msg("go on with the version it was begun with, or start a new session with --fresh"),
        )
    if session.state.overall is Overall.COMPLETE:
        listener.notice(msg("{session} is complete; a new session is begun", session=current))
        return store.create(catalog.digest)
    listener.notice(msg("goes on with {session}", session=current))
    return session


def check_substep(number: str, *, listener: Listener | None = None, cancel: CancelToken | None = None) -> Session:
    """Run the commands of one sub-step (`3-4`) and judge them; nothing is kept. Raises UsageError for what does not exist.

    Step 8 cannot be looked at in parts: its deletes belong to its counts.
    """
    whole = step_by_number(number.partition("-")[0])
    if whole.id == "8":
        raise UsageError(
            msg("Step 8 is run as a whole: its deletes belong to its counts"), msg("type {program} step 8")
        )
    with _ephemeral_execution(listener, cancel) as execution:
        commands = [
            command.id for command in execution.workplace.catalog.of_step(number) if command.id in whole.commands
        ]
        if whole.id == "7":
            whole.carry_out(execution)
        else:
            execution.side_by_side(commands)
        opened = execution.workplace.session
        session, kept = opened.state, tuple(map(opened.as_kept, execution.runs))
        found = tuple(each for each in findings(whole, execution.runs, opened) if each.step == number)
        result = StepResult(whole.id, found, kept, judged_at=last_end(execution.runs))
        results = tuple(result if each.step == whole.id else each for each in session.results)
        cluster = whole.cluster_of(execution.runs) if whole.cluster_of else None
        return with_times_of_its_runs(replace(session, results=results, scope=(whole.id,), cluster=cluster))


def plan(
    *,
    state_dir: str | None = None,
    fresh: bool = False,
    start: str | None = None,
    until: str = "9",
    listener: Listener | None = None,
    cancel: CancelToken | None = None,
) -> Plan:
    """What `run` would change on this cluster; only commands that change nothing are run, and nothing is kept.

    Raises MissingTool, TamperedCommand, BadSession.
    """
    known = None if fresh else current_session(state_dir)
    if known and known.overall is Overall.COMPLETE:
        known = None
    with _ephemeral_execution(listener, cancel) as execution:
        reachable = look(execution.workplace)
        due = due_steps(known, start, until)
        again = looked_at_again(known, execution.workplace.session.now()) if "8" in due else ()
        state, catalog = execution.workplace.session.state, execution.workplace.catalog
        begun = None if start and start <= "8" else known
        return make_plan(state, catalog, due, again=again, known=begun, reachable=reachable)


def run_command(
    command: str, target: str = "", *, listener: Listener | None = None, cancel: CancelToken | None = None
) -> Run:
    """Carry out one command of the guide that changes nothing, and return its run, masked; nothing is kept.

    `command` is an id (`step6-1-pods`), `target` the name for its `<pod>` or `<name>`. Raises UsageError for a command that
    changes the cluster or does not exist, MissingTool and TamperedCommand.
    """
    with _ephemeral_execution(listener, cancel) as execution:
        if execution.command(command, target).mutates:
            raise UsageError(msg("{command} changes the cluster: it is run by its step only", command=command))
        return execution.workplace.session.as_kept(execution.run(command, target))


def commands() -> tuple[Command, ...]:
    """The guide's commands in its order, those of the decision trees last: id, step, text, digest, whether it changes something.

    Raises TamperedCommand for a file that is not what its digest says.
    """
    catalog = load()
    return tuple(catalog.command(id) for id in (*catalog.ids, *catalog.diagnose_ids))


def rows(run: Run) -> object:
    """What a run printed, as the typed rows that the judges use: a tuple of `Node`, `Pod`, `Claim`, …, or one value.

    Raises UsageError for a command that prints no rows, FailedRun for a run that failed, and UnreadableText, which names the
    line, for an output that is not understood.
    """
    return parse(run.command.partition(".")[0], run)


@contextmanager
def _ephemeral_execution(listener: Listener | None, cancel: CancelToken | None) -> Iterator[LiveExecution]:
    """An execution whose session is forgotten after the block."""
    cancel = cancel or CancelToken()
    with open_runner() as (catalog, runner):
        cancel.on_cancel(runner.end_all)
        jobs = os.cpu_count() or 1
        workplace = Workplace(catalog, runner, in_memory("-"), listener or Silent(), cancel, jobs)
        workplace.session.learning = learning(workplace)
        workplace.session.fallback = partial(runner.run, catalog.command(ids.ENV))
        yield LiveExecution("", workplace)


# what was recorded


def replay(recording: Path | Traversable, *, diagnose: bool = True, listener: Listener | None = None) -> Session:
    """Judge a recording, offline. A session's own folder is judged attempt by attempt, as its journal tells it.

    Raises BadRecording when the folder is not a recording, BadSession when its journal is damaged.
    """
    if (recording / "journal.jsonl").is_file():
        if not isinstance(recording, Path):
            raise BadRecording(msg("a session is replayed from a folder of the file system"))
        return replace(rejudge(read_session(recording).state), replayed=True)
    session = in_memory(recording.name)
    judged = replay_session(load(), ReplayRunner(recording), session, listener or Silent(), diagnosing=diagnose)
    return replace(judged, replayed=True)


def recorded_run(recording: Path | Traversable, command: str, ordinal: int = 1) -> Run:
    """One run of a recording or of a session's folder: of `command` (with its target, `describe-pod.NAME`), the `ordinal`-th.

    Raises BadRecording when the folder is not a recording, UsageError when it does not have that run.
    """
    found = ReplayRunner(recording).read(command, ordinal)
    if found.ended is Ended.NOT_RECORDED:
        raise UsageError(
            msg("the recording has no run {n} of {command}", n=ordinal, command=command),
            msg("see the steps and commands with: {program} list"),
        )
    return found


def recorded_runs(recording: Path | Traversable, step: str) -> Runs:
    """The runs of a recording by which Step `step` (`3`) is judged, in the order of its commands; only those that were recorded.

    Raises BadRecording when the folder is not a recording, UsageError for an unknown step.
    """
    runner = ReplayRunner(recording)
    counts = Counter(entry.key for entry in runner.entries)
    wanted = step_by_number(step).commands
    return Runs(runner.read(key, n) for key in wanted for n in range(1, counts[key] + 1))


def recorded_session(path: Path, at: datetime | None = None) -> Session:
    """The session that a folder's journal tells, with its recorded verdicts and what is stale at the moment `at` (now).

    Nothing is written. Raises BadSession.
    """
    session = read_session(path)
    found = stale(session.state, session.answers, at or session.now())
    return replace(session.state, stale=tuple((step, rule.code) for step, rule in found))


def current_session(
    state_dir: str | None = None, session: str | None = None, at: datetime | None = None
) -> Session | None:
    """The session that `all` would go on with, or the one named, read without a lock; None when there is none."""
    store = SessionStore(state_directory(state_dir))
    name = session or store.current()
    return recorded_session(store.folder(name), at) if name else None


def session_folder(state_dir: str | None = None, session: str | None = None) -> Path:
    """Where the current session lies, or the one named; raises UsageError when nothing was verified yet, and BadSession."""
    store = SessionStore(state_directory(state_dir))
    return store.folder(session or store.require_current())


def session_named(text: str, state_dir: str | None = None) -> Session:
    """The session of a folder, the judgement of a recording's folder, or of a scenario that ships, or the session with that id.

    Raises UsageError when there is neither, BadSession and BadRecording when it is damaged.
    """
    path = Path(text)
    if (path / "journal.jsonl").is_file():
        return recorded_session(path)
    if (path / "runs.json").is_file():
        return replay(path, diagnose=False)
    store = SessionStore(state_directory(state_dir))
    if text in SCENARIOS:
        return replay(scenario(text), diagnose=False)
    if text not in store.ids():
        raise UsageError(
            msg("{name} is neither a session or recording folder nor the id of a session", name=text),
            msg("the sessions are in {folder}", folder=str(store.directory / "sessions")),
        )
    return recorded_session(store.folder(text))


def scenario(name: str = "healthy") -> Traversable:
    """The folder of a recording that ships with the program; raises UsageError naming those there are."""
    if name not in SCENARIOS:
        raise UsageError(
            msg("there is no scenario {name}", name=name), msg("there are: {names}", names=", ".join(SCENARIOS))
        )
    return folder("scenarios") / name


def judge(number: str, runs: Iterable[Run]) -> StepResult:
    """What the judge of a step says of `runs`: pure, the same every time. Raises UsageError for an unknown step."""
    evidence = Runs(runs)
    return StepResult(number, step_by_number(number).judge(evidence), evidence, judged_at=last_end(evidence))


# what is written


def save(text: str | bytes, path: Path) -> None:
    """Write a report or a pack to `path`: wholly or not at all, readable by its owner only. Raises DiskTrouble."""
    data = text.encode() if isinstance(text, str) else text
    save_as_asked(path, data, msg("choose another place with -o, or free the disk; the session itself is kept"))
