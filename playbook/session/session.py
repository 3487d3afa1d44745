"""One verification while it goes on, from the first command to the last signature: its journal and its recording."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import RLock
from typing import Any

from ..clock import Clock, stamp, utc_now
from ..errors import BadSession
from ..files import read_own
from ..guide import ids
from ..kubectl.failures import failure
from ..model import GUIDE_VERSION, Command, Ended, Finding, Run, Session, StepResult, missing
from ..text import msg
from .as_json import finding_to_json
from .fold import Fold, RunKey, evidence_digest, fold_of, known_digests, unfinished_mutations
from .journal import START_FRESH, Event, Journal, Kind, check, whole_lines
from .recording import RecordingWriter, read_streams
from .redact.freetext import is_free
from .redact.redactor import Redactor, summed
from .redact.withheld import about, without_odd, without_text
from .remask import masked_events
from .runs import digests_of, run_from_json, run_to_json
from .shape import UNREADABLE, Shapes, strange


class OpenSession:
    """What happened, as it happens: the journal, the runs, and, for a live session, their files.

    Safe from several threads. Nothing else appends to the journal or numbers a run, and everything that is kept passes
    the redactor first. Without a folder it lives in memory only, as for a replay. `state` is the session as of now.
    """

    def __init__(
        self, journal: Journal, folder: Path | None = None, redactor: Redactor | None = None, clock: Clock = utc_now
    ) -> None:
        self.folder = folder
        self.redactor = redactor or Redactor()
        self.now = clock
        self.has_learned = False
        """Whether this program has run Step 6-4, and so knows what to mask."""
        self.learning: Callable[[], Run] | None = None
        """Gives the run of `ids.SECRET_VALUES`: waited for before anything is kept. Without it, it is no live session."""
        self.fallback: Callable[[], Run] | None = None
        """Gives the run of Step 6-4 where the Secrets cannot be read and nothing else will ask for it."""
        self.live = False
        self._knows = False  # whether the Secrets' values or those of 6-4 were read by this program
        self._masked_by = (-1, False)  # the redactor's version and `_knows`, when all that is kept was last masked
        self._lock = RLock()
        self._journal = journal
        self._writer = RecordingWriter(folder) if folder else None
        self._runs: dict[RunKey, Run] = {}
        self._seen: dict[RunKey, Run] = {}  # as printed, where the mask changed it: never leaves this program's memory
        self._last: dict[str, int] = {}  # the highest ordinal given to each command
        self._reserved: dict[str, list[int]] = {}  # of commands that were begun and have not been kept
        self._fold = Fold(self.load)
        self._state: Session | None = None  # as of the journal's digest that it names
        shapes = Shapes()
        for event in journal.events:
            shapes.take(event)
            try:
                self._fold.apply(event)
            except UNREADABLE as error:
                raise strange(event) from error
        if folder:
            self.read_runs(partial(read_streams, folder))

    # reading

    @property
    def state(self) -> Session:
        """The session as of now."""
        with self._lock:
            digest = self._journal.digest
            if self._state is None or self._state.digest != digest:
                self._state = self._fold.state(digest)
            return self._state

    @property
    def events(self) -> tuple[Event, ...]:
        """Every event of the journal, oldest first."""
        with self._lock:
            return self._journal.events

    @property
    def digest(self) -> str:
        """The last line of the journal's hash chain."""
        return self._journal.digest

    def runs(self) -> tuple[Run, ...]:
        """Every run that the journal tells of, in its order, as it was last masked."""
        with self._lock:
            return tuple(self._runs.values())

    def load(self, command: str, ordinal: int) -> Run:
        """A run by its key; one that says it is not recorded when there is none."""
        with self._lock:
            return self._runs.get((command, ordinal)) or missing(command, ordinal)

    def as_seen(self, run: Run) -> Run:
        """A kept run as it was printed: for judges. The run itself where no mask changed it, or another program made it."""
        with self._lock:
            return self._seen.get((run.command, run.ordinal), run)

    def as_kept(self, run: Run) -> Run:
        """The reverse of `as_seen`: for all that leaves the program. A run that is not kept is masked."""
        with self._lock:
            return self._runs.get((run.command, run.ordinal)) or self.redactor.mask(run)

    def latest(self, command: str) -> Run | None:
        """The newest run of a command, or None."""
        answers = self.answers(command)
        return max(answers, key=lambda run: run.ordinal, default=None)

    def answers(self, command: str) -> tuple[Run, ...]:
        """Every run of a command, oldest first."""
        return tuple(run for run in self.runs() if run.command == command)

    def in_order(self, runs: Iterable[Run]) -> tuple[Run, ...]:
        """`runs`, each once, in the order in which they were recorded."""
        wanted = {(run.command, run.ordinal) for run in runs}
        return tuple(run for run in self.runs() if (run.command, run.ordinal) in wanted)

    def attempts(self, step: str) -> int:
        """How often a step was judged."""
        return sum(event.kind is Kind.JUDGED and event.data["step"] == step for event in self.events)

    def runs_since_forced(self, step: str, commands: Iterable[str], *, unpassed: bool = False) -> tuple[Run, ...]:
        """Runs of `commands` in the order they were made, since `--from` last set results of `step` aside.

        With `unpassed`, since that step last passed, too: what a later attempt may take up.
        """
        keys: list[RunKey] = []
        wanted = set(commands)
        for event in self.events:
            data = event.data
            passed = event.kind is Kind.JUDGED and data["step"] == step and data["verdict"] in ("pass", "warn")
            if (event.kind is Kind.FORCE and data["from"] <= step) or (unpassed and passed):
                keys.clear()
            elif event.kind is Kind.RUN and data["command"] in wanted:
                keys.append((data["command"], data["ordinal"]))
        return tuple(self.load(*key) for key in keys)

    # writing

    def note(self, kind: Kind, **data: Any) -> Event:
        """Add an event."""
        with self._lock:
            event = self._journal.append(kind, self.now(), data)
            self._fold.apply(event)
            return event

    def begin(self, command: Command) -> None:
        """A command that changes the cluster is about to start: everything before it must be safe on the disk."""
        with self._lock:
            if self._writer:
                self._writer.sync()
            ordinal = self._next(command.key)
            self.note(Kind.BEGIN, command=command.key, ordinal=ordinal)
            self._reserved.setdefault(command.key, []).append(ordinal)

    def keep(self, raw: Iterable[Run]) -> tuple[Run, ...]:
        """Number, mask and record runs, in the order given; returns them as kept. What one teaches is masked in all.

        A run that has a number keeps it: one of a replay, or one that was begun by a program that died.
        """
        with self._lock:
            batch = tuple(raw)
            self._learn_first(batch)
            batch = tuple(self._numbered(run) for run in batch)
            for run in batch:
                if run.command == ids.ENV and run.happened:
                    self.redactor.learn_from_env(run.stdout)
                    self.has_learned = True
                    self._knows = self._knows or bool(run.stdout)
            masked = tuple(self._masked(run) for run in batch)
            kept = tuple(run for run, _ in masked)
            for printed, (run, more) in zip(batch, masked, strict=True):
                self._runs[run.command, run.ordinal] = run
                if printed is not run and run.command != ids.SECRET_VALUES:
                    self._seen[run.command, run.ordinal] = printed
                if self._writer:
                    self._writer.add(run)
                self.note(Kind.RUN, **run_to_json(run), **more)
            if any(run.command == ids.ENV for run in batch):
                self._mask_again()
            return kept

    def end_unfinished(self) -> tuple[Run, ...]:
        """Give an end to commands that were begun and never ended: each may have done its work. Returns those runs."""
        with self._lock:
            return self.keep(
                Run(item.command, item.ordinal, b"", b"", None, Ended.INTERRUPTED, item.at, 0.0, "lost")
                for item in unfinished_mutations(self.events)
            )

    def judged(self, result: StepResult, at: datetime) -> None:
        """A step was judged, at the moment `at`."""
        self.note(
            Kind.JUDGED,
            step=result.step,
            attempt=result.attempt,
            judged_at=stamp(at),
            verdict=result.verdict.value,
            runs=[[run.command, run.ordinal] for run in result.runs],
            findings=[finding_to_json(finding) for finding in result.findings],
            **({"due_from": stamp(result.due_from)} if result.due_from else {}),
        )

    def waive(self, finding: Finding, by: str, reason: str) -> None:
        """Somebody accepts a finding as it is."""
        self.note(
            Kind.WAIVE,
            code=finding.code,
            step=finding.step.split("-")[0],
            by=by,
            reason=self.redactor.mask_text(reason),
            evidence=evidence_digest(finding),
        )

    def close(self) -> None:
        """Let go of the files."""
        self._journal.close()

    def read_runs(self, streams: Callable[[str, int], tuple[bytes, bytes]]) -> None:
        """Take up the runs that the journal tells of; `streams` gives the two outputs of each. Raises BadSession."""
        recorded = known_digests(self.events)
        for event in self.events:
            if event.kind is not Kind.RUN:
                continue
            key = (event.data["command"], event.data["ordinal"])
            out, err = streams(*key)
            run = run_from_json(event.data, out, err)
            if any(digest not in known for digest, known in zip(digests_of(run), recorded[key], strict=True)):
                raise BadSession(
                    msg("{file} is not what the journal says was recorded", file=f"{key[0]} ({key[1]})"), START_FRESH
                )
            self._runs[key] = run
            self._state = None
            self._last[run.command] = max(self._last.get(run.command, 0), run.ordinal)

    def _rewrite(self) -> None:
        """Findings, causes and reasons that an attempt noted which knew less: the journal is chained anew without them."""
        events = masked_events(self._journal.events, partial(self.redactor.mask_text, free=False))
        if events != self._journal.events:
            self._journal.rewrite(events)
            self._fold = fold_of(events, self.load)

    def mask_again(self) -> None:
        """Mask with all that is known by now what was kept before, once it is known to be the same cluster."""
        with self._lock:
            if self._knows:
                self._mask_again()

    def _learn_first(self, batch: tuple[Run, ...]) -> None:
        """Before anything else is kept: the values of the Secrets, into memory only."""
        if not batch or self.learning is None:
            return
        learning, self.learning, self.live = self.learning, None, True
        run = learning()
        self._knows = run.exit_code == 0 and self.redactor.learn_from_secrets(run.stdout)
        why = failure(run)
        note = run.note or ("" if self._knows else why.kind.value if why else "unread")
        self.keep([replace(run, stdout=b"", stderr=b"", note=note)])
        if not self._knows and self.fallback:
            self.keep([self.fallback()])

    def _masked(self, run: Run) -> tuple[Run, dict[str, Any]]:
        """A run as it may be kept, and what the journal tells of that."""
        masked, counts = self.redactor.masked(run)
        more: dict[str, Any] = {"masked": summed(counts)} if summed(counts) else {}
        if self._knows or not self.live or run.command in (ids.SECRET_VALUES, ids.ENV):
            return masked, more
        stdout, stderr, kept = masked.stdout, without_text(run.stderr, (), self.mask_text, errors=True), {}
        if is_free(run.command) and run.stdout:
            stdout, kept["out"] = without_text(run.stdout, (), self.mask_text), about(run.stdout)
        if stderr != masked.stderr and run.stderr:
            kept["err"] = about(run.stderr)
        return (replace(masked, stdout=stdout, stderr=stderr) if kept else masked), more | (
            {"withheld": kept} if kept else {}
        )

    @property
    def knows_secrets(self) -> bool:
        """Whether what is to be masked was read; a replay need not."""
        return self._knows or not self.live

    def mask_text(self, text: str, free: bool = True) -> str:
        """`text` as it may be kept: also without what looks odd, as long as nothing was learned."""
        masked = self.redactor.mask_text(text, free=free)
        return without_odd(masked) if self.live and not self._knows and free else masked

    def mask_own(self, text: str) -> str:
        """What the program or the guide says, as it may be kept: a name in it that looks odd stays, a learned value does not."""
        return self.redactor.mask_text(text, free=False)

    def _next(self, command: str) -> int:
        self._last[command] = self._last.get(command, 0) + 1
        return self._last[command]

    def _numbered(self, run: Run) -> Run:
        reserved = self._reserved.get(run.command, [])
        if run.ordinal:
            self._last[run.command] = max(self._last.get(run.command, 0), run.ordinal)
            if run.ordinal in reserved:
                reserved.remove(run.ordinal)
            return run
        return replace(run, ordinal=reserved.pop(0) if reserved else self._next(run.command))

    def _mask_again(self) -> None:
        """What was learned is masked in what was kept before, too; nothing to do when no more is known than then."""
        known = (self.redactor.version, self._knows)
        if known == self._masked_by:
            return
        for key, run in list(self._runs.items()):
            masked, more = self._masked(self._seen.get(key, run))
            if (masked.stdout, masked.stderr) == (run.stdout, run.stderr):
                continue
            self._runs[key] = masked
            self._seen.setdefault(key, run)
            out, err = digests_of(masked)
            self.note(Kind.REMASK, command=run.command, ordinal=run.ordinal, out=out, err=err, **more)
            if self._writer:
                self._writer.replace(masked)
        if self.live:
            self._rewrite()
        self._masked_by = known


def in_memory(session_id: str, clock: Clock = utc_now) -> OpenSession:
    """A session that leaves nothing behind, for replays and for a look at one sub-step."""
    session = OpenSession(Journal(), clock=clock)
    session.note(Kind.OPEN, session=session_id, guide=GUIDE_VERSION, digests="", operator="")
    return session


def read_session(folder: Path, clock: Clock = utc_now) -> OpenSession:
    """The session in `folder` as its journal tells it now; nothing is written and nothing is locked. Raises BadSession."""
    path = folder / "journal.jsonl"
    try:
        data = read_own(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadSession(msg("cannot read {file}: {reason}", file=str(path), reason=reason)) from error
    events, digest = check(whole_lines(data), str(path))
    session = OpenSession(Journal(None, events, digest), clock=clock)
    session.read_runs(partial(read_streams, folder))
    return session


def command_digest(session: OpenSession) -> str:
    """The digest of the command files that the session was begun with."""
    return str(session.events[0].data.get("digests", ""))
