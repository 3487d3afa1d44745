"""One verification as one record, from the first command to the last signature: the journal, and the recording beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from . import fold as folding
from .errors import BadSession
from .journal import Event, Journal, Kind, stamp
from .model import GUIDE_VERSION, Command, Ended, Finding, Run, Session, StepResult
from .recording import RecordingWriter, read_streams
from .redact import Redactor
from .steps.base import missing
from .text import msg

ENV = "step6-4-env"
"""The command that shows the values of the Secret, and so teaches what to mask."""


class Record:
    """What happened, as it happens: the journal, the runs, and, for a live session, their files.

    Everything that is kept passes the redactor first. Without a folder it lives in memory only, as for a replay.
    """

    def __init__(self, journal: Journal, folder: Path | None = None, redactor: Redactor | None = None) -> None:
        self.journal = journal
        self.folder = folder
        self.redactor = redactor or Redactor()
        self._writer = RecordingWriter(folder) if folder else None
        self._runs: dict[folding.RunKey, Run] = {}
        self._folded: Session | None = None
        self.has_learned = False
        """Whether this program has run Step 6-4, and so knows what to mask."""
        if folder:
            self.read_runs(partial(read_streams, folder))

    # reading

    def session(self) -> Session:
        """The session as of now; folded once for each state of the journal."""
        if self._folded is None or self._folded.digest != self.journal.digest:
            self._folded = folding.fold(self.journal.events, self.load, self.journal.digest)
        return self._folded

    def runs(self) -> tuple[Run, ...]:
        """Every run that the journal tells of, in its order, as it was last masked."""
        return tuple(self._runs.values())

    def load(self, command: str, ordinal: int) -> Run:
        """A run by its key; one that says it is not recorded when there is none."""
        return self._runs.get((command, ordinal)) or missing(command, ordinal)

    def latest(self, command: str) -> Run | None:
        """The newest run of a command, or None."""
        found = [run for (key, _), run in self._runs.items() if key == command]
        return max(found, key=lambda run: run.ordinal, default=None)

    def next_ordinal(self, command: str) -> int:
        """The number of the next run of a command, from 1."""
        latest = self.latest(command)
        return latest.ordinal + 1 if latest else 1

    def in_order(self, runs: Iterable[Run]) -> tuple[Run, ...]:
        """`runs`, each once, in the order in which they were recorded."""
        wanted = {(run.command, run.ordinal) for run in runs}
        return tuple(run for key, run in self._runs.items() if key in wanted)

    def answers(self, command: str) -> tuple[Run, ...]:
        """Every run of a command, oldest first."""
        return tuple(run for (key, _), run in self._runs.items() if key == command)

    def attempts(self, step: str) -> int:
        """How often a step was judged."""
        return sum(event.kind is Kind.JUDGED and event.data["step"] == step for event in self.journal.events)

    def runs_since_forced(self, step: str, commands: Iterable[str], *, unsettled: bool = False) -> tuple[Run, ...]:
        """Runs of `commands` in the order they were made, since `--from` last set results of `step` aside.

        With `unsettled`, since that step last passed, too: what a later attempt may take up.
        """
        keys: list[folding.RunKey] = []
        wanted = set(commands)
        for event in self.journal.events:
            data = event.data
            passed = event.kind is Kind.JUDGED and data["step"] == step and data["verdict"] in ("pass", "warn")
            if (event.kind is Kind.FORCE and data["from"] <= step) or (unsettled and passed):
                keys.clear()
            elif event.kind is Kind.RUN and data["command"] in wanted:
                keys.append((data["command"], data["ordinal"]))
        return tuple(self._runs[key] for key in keys)

    # writing

    def begin(self, command: Command, ordinal: int) -> None:
        """A command that changes the cluster is about to start: everything before it must be safe on the disk."""
        if self._writer:
            self._writer.sync()
        self.journal.append(Kind.BEGIN, command=command.key, ordinal=ordinal)

    def keep(self, raw: Iterable[Run]) -> tuple[Run, ...]:
        """Mask and record runs, in the order given; returns them as kept. What one of them teaches is masked in all."""
        batch = tuple(raw)
        for run in batch:
            if run.command == ENV and run.happened:
                self.redactor.learn_from_env(run.stdout)
                self.has_learned = True
        kept = tuple(self.redactor.mask(run) for run in batch)
        for run in kept:
            self._runs[run.command, run.ordinal] = run
            if self._writer:
                self._writer.add(run)
            self.journal.append(Kind.RUN, **_run_to_json(run))
        if any(run.command == ENV for run in batch):
            self._mask_again({(run.command, run.ordinal) for run in kept})
        return kept

    def close_begun(self) -> tuple[Run, ...]:
        """Give an end to commands whose program died: each may have done its work. Returns those runs."""
        lost = (
            Run(item.command, item.ordinal, b"", b"", None, Ended.INTERRUPTED, item.at, 0.0, "lost")
            for item in folding.begun(self.journal.events)
        )
        return self.keep(lost)

    def judged(self, result: StepResult) -> None:
        """A step was judged."""
        assert result.judged_at is not None
        self.journal.append(
            Kind.JUDGED,
            step=result.step,
            attempt=result.attempt,
            judged_at=stamp(result.judged_at),
            verdict=result.verdict.value,
            runs=[[run.command, run.ordinal] for run in result.runs],
            findings=[folding.finding_to_json(finding) for finding in result.findings],
        )

    def note(self, kind: Kind, **data: Any) -> Event:
        """Any other event."""
        return self.journal.append(kind, **data)

    def waive(self, finding: Finding, by: str, reason: str) -> None:
        """Somebody accepts a finding as it is."""
        self.journal.append(
            Kind.WAIVE,
            code=finding.code,
            step=finding.step.split("-")[0],
            by=by,
            reason=self.redactor.mask_text(reason),
            evidence=folding.evidence_digest(finding),
        )

    def close(self) -> None:
        """Let go of the files."""
        self.journal.close()

    def _mask_again(self, fresh: set[folding.RunKey]) -> None:
        """What Step 6-4 taught is masked in what was recorded before it, too."""
        for key, run in list(self._runs.items()):
            masked = run if key in fresh else self.redactor.mask(run)
            if (masked.stdout, masked.stderr) == (run.stdout, run.stderr):
                continue
            self._runs[key] = masked
            if self._writer:
                self._writer.replace(masked)
            out, err = _digests(masked)
            self.journal.append(Kind.REMASK, command=run.command, ordinal=run.ordinal, out=out, err=err)

    def read_runs(self, streams: Callable[[str, int], tuple[bytes, bytes]]) -> None:
        """Take up the runs that the journal tells of; `streams` gives the two outputs of each. Raises BadSession."""
        recorded = folding.digests(self.journal.events)
        for event in self.journal.events:
            if event.kind is not Kind.RUN:
                continue
            key = (event.data["command"], event.data["ordinal"])
            out, err = streams(*key)
            run = _run_from_json(event.data, out, err)
            if _digests(run) != recorded[key]:
                raise BadSession(
                    msg("{file} is not what the journal says was recorded", file=f"{key[0]} ({key[1]})"),
                    msg("start a new record with --fresh; the damaged one is kept as it is"),
                )
            self._runs[key] = run


def _digests(run: Run) -> tuple[str, str]:
    return hashlib.sha256(run.stdout).hexdigest(), hashlib.sha256(run.stderr).hexdigest()


def _run_to_json(run: Run) -> dict[str, Any]:
    out, err = _digests(run)
    return {
        "command": run.command,
        "ordinal": run.ordinal,
        "exit_code": run.exit_code,
        "ended": run.ended.value,
        "started_at": stamp(run.started_at),
        "seconds": round(run.duration_s, 6),
        "note": run.note,
        "out": out,
        "err": err,
    }


def _run_from_json(data: Mapping[str, Any], out: bytes, err: bytes) -> Run:
    from .journal import moment

    return Run(
        data["command"],
        data["ordinal"],
        out,
        err,
        data["exit_code"],
        Ended(data["ended"]),
        moment(data["started_at"]),
        data["seconds"],
        data["note"],
    )


def in_memory(session_id: str) -> Record:
    """A record that leaves nothing behind, for replays."""
    record = Record(Journal())
    record.note(Kind.OPEN, session=session_id, guide=GUIDE_VERSION, digests="", operator="")
    return record


def opened_digests(record: Record) -> str:
    """The digest of the command files that the session was begun with."""
    return str(record.journal.events[0].data.get("digests", ""))
