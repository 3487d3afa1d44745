"""The library: run, replay, judge and render. The command line is made of these; `import playbook` offers them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .catalog import Catalog, load, require_step
from .data import folder
from .engine import Engine, judged_at, with_times_of
from .errors import BadRecording, BadSession, DiskTrouble, UsageError
from .execution import Interruption, Listener, Silent, StepExecution
from .journal import check, now
from .model import Command, Finding, Overall, Run, Session, StepResult
from .own_commands import OWN_COMMANDS
from .session import Record, in_memory, opened_digests
from .sessions import Sessions, state_directory
from .staleness import stale
from .steps import STEPS, Runs, Step
from .text import LANGUAGES, language, msg, speaking

if TYPE_CHECKING:
    from importlib.abc import Traversable

    from .start import Start

SCENARIOS = ("healthy", "healthy-24h", "secret-missing", "secret-key-missing", "pvc-pending")
"""The recordings that ship in the wheel: a healthy cluster, the same 24 hours later, and three faults."""

Format = Literal["markdown", "json", "junit"]


def step(number: str) -> Step:
    """Step `0` … `9`; raises UsageError for another."""
    require_step(number)
    return next(step for step in STEPS if step.id == number)


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
    interruption: Interruption | None = None,
    secrets: Iterable[bytes] = (),
    start_with: Start | None = None,
) -> Session:
    """Carry out the guide on the cluster that kubectl speaks to, as one more attempt of the open session.

    `start` runs that step and the later ones in any case, `until` ends after that step, `only` runs just that one. The
    pods of Step 8 are deleted only when `listener.confirm_restart` says so. `secrets` are masked from the start.
    `start_with` is what is under way already (`playbook.start`). Raises MissingTool, TamperedCommand, SessionLocked,
    BadSession, DiskTrouble, Interrupted.
    """
    for number in filter(None, (start, until, only)):
        step(number)
    done = current_session(state_dir) if only == "9" and not fresh else None
    if done and done.overall is Overall.COMPLETE:  # a timer that nobody stopped begins no new record
        (listener or Silent()).notice(msg("{session} is complete; no more samples are needed", session=done.id))
        return replace(done, scope=("9",))
    with at_work(state_dir, fresh, jobs, diagnose, listener, interruption, start_with) as engine:
        engine.record.redactor.learn(*secrets)
        session = engine.run(start=start, until=until, only=only)
        return replace(session, scope=(only,)) if only else session


@contextmanager
def at_work(
    state_dir: str | None = None,
    fresh: bool = False,
    jobs: int | None = None,
    diagnose: bool = True,
    listener: Listener | None = None,
    interruption: Interruption | None = None,
    start_with: Start | None = None,
) -> Iterator[Engine]:
    """The open session, locked, with an engine on it; nothing of it runs any more after the block."""
    from .start import begun

    interruption = interruption or Interruption()
    with ExitStack() as stack:
        start = start_with or stack.enter_context(begun(state_dir))
        interruption.then(start.runner.end_all)
        record = _open(start.sessions, start.catalog, fresh, listener or Silent())
        stack.callback(record.close)
        stack.callback(start.runner.end_all)
        yield Engine(
            start.catalog,
            start.runner,
            record,
            listener or Silent(),
            interruption,
            jobs=jobs or os.cpu_count() or 1,
            diagnosing=diagnose,
            ahead=start.ahead,
        )


def look_at(sub_step: str, *, listener: Listener | None = None, interruption: Interruption | None = None) -> Session:
    """Run the commands of one sub-step (`3-4`) and judge them, without a record. Raises UsageError for what does not exist.

    Step 8 cannot be looked at in parts: its deletes belong to its counts.
    """
    number = sub_step.partition("-")[0]
    whole = step(number)
    if number == "8":
        raise UsageError(
            msg("Step 8 is run as a whole: its deletes belong to its counts"),
            msg("type {command}", command="python -m playbook step 8"),
        )
    with _bench(listener, interruption) as execution:
        commands = [command.id for command in execution.catalog.of_step(sub_step) if command.id in whole.commands]
        if number == "7":
            whole.perform(whole, execution)
        else:
            execution.side_by_side(commands)
        found = tuple(finding for finding in whole.judge(execution.runs) if finding.step == sub_step)
        session = execution.record.session()
        result = StepResult(number, found, execution.runs, judged_at=judged_at(execution.runs, True))
        results = tuple(result if each.step == number else each for each in session.results)
        return with_times_of(replace(session, results=results, scope=(number,)))


def run_one(command: str, *, listener: Listener | None = None, interruption: Interruption | None = None) -> Run:
    """Run one command of the guide that changes nothing, and return it masked. Raises UsageError for one that does."""
    with _bench(listener, interruption) as execution:
        if execution.catalog.command(command).mutates:
            raise UsageError(msg("{command} changes the cluster: it is run by its step only", command=command))
        return execution.run(command)


@contextmanager
def _bench(listener: Listener | None, interruption: Interruption | None) -> Iterator[StepExecution]:
    """Somewhere to run commands without a record of it."""
    from .start import ready

    interruption = interruption or Interruption()
    with ready() as (catalog, runner):
        interruption.then(runner.end_all)
        yield StepExecution(
            "",
            catalog,
            runner,
            in_memory("-"),
            listener or Silent(),
            interruption,
            replaying=False,
            jobs=os.cpu_count() or 1,
        )


def _open(sessions: Sessions, catalog: Catalog, fresh: bool, listener: Listener) -> Record:
    """The open session, or a new one where there is none, it is complete, or a new one was asked for."""
    current = None if fresh else sessions.current()
    if current is None:
        return sessions.create(catalog.digest)
    record, torn = sessions.open(current)
    if torn:
        listener.notice(msg("the journal ended in a torn line, as after a crash: {n} bytes were dropped", n=torn))
    if opened_digests(record) != catalog.digest:
        raise BadSession(
            msg(
                "this record was begun with the commands {known}; they are now {seen}",
                known=opened_digests(record)[:12],
                seen=catalog.digest[:12],
            ),
            msg("go on with the version it was begun with, or start a new record with --fresh"),
        )
    if record.session().overall is Overall.COMPLETE:
        listener.notice(msg("{session} is complete; a new record is begun", session=current))
        return sessions.create(catalog.digest)
    listener.notice(msg("goes on with {session}", session=current))
    return record


def replay(recording: Path | Traversable, *, diagnose: bool = True, listener: Listener | None = None) -> Session:
    """Judge a recording, offline. A session's own folder is judged attempt by attempt, as its journal tells it.

    Raises BadRecording when the folder is not a recording, BadSession when its journal is damaged.
    """
    from .replayer import ReplayRunner

    journal = recording / "journal.jsonl"
    if journal.is_file():
        if not isinstance(recording, Path):
            raise BadRecording(msg("a session is replayed from a folder of the file system"))
        return rejudge(_record_of(recording).session())
    record = in_memory(recording.name)
    engine = Engine(load(), ReplayRunner(recording), record, listener or Silent(), replaying=True, diagnosing=diagnose)
    return with_times_of(engine.run())


def _record_of(path: Path) -> Record:
    from .journal import Journal

    data = (path / "journal.jsonl").read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    events, digest = check(whole, str(path / "journal.jsonl"))
    return Record(Journal(None, events, digest), path)


def recorded_session(path: Path) -> Session:
    """The session that a folder's journal tells, with its recorded verdicts and what is stale now; nothing is written.

    Raises BadSession.
    """
    record = _record_of(path)
    session = record.session()
    return replace(session, stale=tuple((step, rule.code) for step, rule in stale(session, record.answers, now())))


def current_session(state_dir: str | None = None, session: str | None = None) -> Session | None:
    """The session that `all` would go on with, or the one named, read without a lock; None when there is none."""
    sessions = Sessions(state_directory(state_dir))
    name = session or sessions.current()
    return recorded_session(sessions.folder(name)) if name else None


def named(text: str, state_dir: str | None = None) -> Session:
    """The session of a folder, the judgement of a recording's folder, or the session with that id.

    Raises UsageError when there is neither, BadSession and BadRecording when it is damaged.
    """
    folder = Path(text)
    if (folder / "journal.jsonl").is_file():
        return recorded_session(folder)
    if (folder / "runs.json").is_file():
        return replay(folder, diagnose=False)
    sessions = Sessions(state_directory(state_dir))
    if text not in sessions.ids():
        raise UsageError(
            msg("{name} is neither a session or recording folder nor the id of a session", name=text),
            msg("the sessions are in {folder}", folder=str(sessions.directory / "sessions")),
        )
    return recorded_session(sessions.folder(text))


def waive(code: str, by: str, reason: str, *, state_dir: str | None = None, session: str | None = None) -> Finding:
    """Accept the finding `code` of the current session, or of the one named, as it is; returns the finding.

    Raises UsageError when there is no such finding, when it may not be waived, and without a name or a reason.
    """
    from .fold import waivable

    by, reason = (text.encode("utf-8", "backslashreplace").decode().strip() for text in (by, reason))
    if not by or not reason:
        raise UsageError(msg("a waiver needs a name and a reason"), msg('give both: --by NAME --reason "TEXT"'))
    with Sessions(state_directory(state_dir)) as sessions:
        name = session or sessions.current()
        if name is None:
            raise UsageError(msg("nothing was verified yet"), msg("type {command}", command="python -m playbook all"))
        record, _ = sessions.open(name)
        try:
            known = record.session()
            allowed = {each.code: each for each in waivable(known)}
            if code not in allowed:
                there = any(each.code == code for result in known.results for each in result.findings)
                raise UsageError(
                    msg("{code} cannot be waived", code=code)
                    if there
                    else msg("there is no finding {code}", code=code),
                    msg("these can be waived: {codes}", codes=", ".join(allowed) or "-"),
                )
            record.waive(allowed[code], by, reason)
            return allowed[code]
        finally:
            record.close()


def judge(number: str, runs: Iterable[Run]) -> StepResult:
    """What the judge of a step says of `runs`: pure, the same every time. Raises UsageError for an unknown step."""
    evidence = Runs(runs)
    return StepResult(number, step(number).judge(evidence), evidence, judged_at=judged_at(evidence, True))


def scenario(name: str = "healthy") -> Traversable:
    """The folder of a recording that ships with the program; raises UsageError naming those there are."""
    if name not in SCENARIOS:
        raise UsageError(
            msg("there is no scenario {name}", name=name), msg("there are: {names}", names=", ".join(SCENARIOS))
        )
    return folder("scenarios") / name


def rejudge(session: Session) -> Session:
    """`session` with every step judged again from its recorded runs."""

    def again(result: StepResult) -> StepResult:
        if result.judged_at is None:
            return result
        return replace(result, findings=step(result.step).judge(Runs(result.runs)))

    return replace(
        session,
        results=tuple(again(result) for result in session.results),
        history=tuple(again(result) for result in session.history),
    )


def render(session: Session, form: Format = "markdown", *, lang: str | None = None, pack_digest: str = "") -> str:
    """The report of a session as text, in one of the program's languages. Raises UsageError for another form or language."""
    if (lang or language()) not in LANGUAGES:
        raise UsageError(msg("there is no language {lang}", lang=str(lang)))
    with speaking(lang or language()):
        match form:
            case "markdown":
                from . import report

                return report.render(session, commands_of(session), pack_digest=pack_digest)
            case "json":
                from . import machine

                return machine.json_text(session)
            case "junit":
                from . import machine

                return machine.to_junit(session)
    raise UsageError(msg("there is no output form {form}", form=str(form)))


def save(text: str | bytes, path: Path) -> None:
    """Write a report or a pack to `path`: wholly or not at all, readable by its owner only. Raises DiskTrouble."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise DiskTrouble(
            msg("cannot write {file}: {reason}", file=str(path), reason=error.strerror or str(error)),
            msg("choose another place with -o, or free the disk; the record itself is kept"),
        ) from error


def commands_of(session: Session) -> dict[str, Command]:
    """Every command that the session ran, by its key, with its text."""
    catalog = load()
    keys = {run.command for result in (*session.results, *session.history) for run in result.runs}
    keys |= {run.command for run in session.diagnosis}
    found: dict[str, Command] = {}
    for key in sorted(keys):
        name, _, target = key.partition(".")
        if key in OWN_COMMANDS:
            found[key] = OWN_COMMANDS[key]
            continue
        try:
            found[key] = catalog.fill(name, target) if target else catalog.command(name)
        except UsageError:
            continue  # not one of the guide's: the report says so by its id
    return found
