"""A recording written as it is made, in the form that `replay.ReplayRunner` reads. Runs come here already masked."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import BadRecording, DiskTrouble
from .model import Ended, Run
from .replayer import INDEX, Entry, read_index, stream_name
from .text import msg

_STEMS = ("step", "summary")
"""How the ids begin whose files lie in the folder itself; those of all others lie in `diagnose/`."""


class RecordingWriter:
    """Adds runs to a recording folder, a new one or one begun earlier (BadRecording when that is damaged).

    Files 0600, folders 0700. Each file is replaced as a whole, streams before the index, so a recording is readable
    after an interruption at any point. Raises DiskTrouble when the disk does not take it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._unsynced: set[Path] = set()
        if not (folder / INDEX).is_file():
            with _disk(folder):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                _replace(folder / INDEX, b"[]\n")
        self._entries = list(read_index(folder))

    def count(self, key: str) -> int:
        """How many runs of a command the recording has."""
        return sum(entry.key == key for entry in self._entries)

    def add(self, run: Run) -> None:
        """Write a run whose ordinal is the next one of its command.

        Or the last one: a program that died before it had noted the run elsewhere makes it again, and that one counts.
        """
        with self._lock:
            count = self.count(run.command)
            if run.ordinal not in (count, count + 1) or run.ordinal < 1:
                raise ValueError(f"{run.command}: run {run.ordinal} after {count}")
            self._write_streams(run)
            entry = _entry(run)
            entries = list(self._entries)
            if run.ordinal == count:
                del entries[max(place for place, old in enumerate(entries) if old.key == run.command)]
            entries.append(entry)
            self._write(self._folder / INDEX, _index(entries))
            self._entries = entries

    def replace(self, run: Run) -> None:
        """Write a run's streams again, after more was learned about what to mask; KeyError for an unknown run."""
        with self._lock:
            if not 1 <= run.ordinal <= self.count(run.command):
                raise KeyError(f"{run.command}: run {run.ordinal}")
            self._write_streams(run)

    def sync(self) -> None:
        """Return when the disk itself has all that was written: before a command that changes the cluster."""
        with self._lock, _disk(self._folder):
            for path in sorted(self._unsynced | {path.parent for path in self._unsynced}):
                fd = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(fd)
                finally:
                    os.close(fd)
            self._unsynced.clear()

    def _write_streams(self, run: Run) -> None:
        base = _base(self._folder, run.command, run.ordinal)
        with _disk(base.parent):
            base.parent.mkdir(exist_ok=True, mode=0o700)
        self._write(base.with_name(f"{base.name}.out"), run.stdout)
        self._write(base.with_name(f"{base.name}.err"), run.stderr)

    def _write(self, path: Path, data: bytes) -> None:
        with _disk(path):
            _replace(path, data)
        self._unsynced.add(path)


def read_streams(folder: Path, key: str, ordinal: int) -> tuple[bytes, bytes]:
    """Standard output and error of one run as `RecordingWriter` wrote them; raises BadRecording without them."""
    base = _base(folder, key, ordinal)
    try:
        return base.with_name(f"{base.name}.out").read_bytes(), base.with_name(f"{base.name}.err").read_bytes()
    except OSError as error:
        file, reason = str(error.filename or base.name), error.strerror or str(error)
        raise BadRecording(msg("{file} in the recording cannot be read: {reason}", file=file, reason=reason)) from error


def stream_file(key: str, ordinal: int, ending: str) -> str:
    """Where in a recording the `out` or `err` of a run lies.

    >>> stream_file("step2-pvc", 2, "out"), stream_file("get-sc", 1, "err")
    ('step2-pvc.2.out', 'diagnose/get-sc.err')
    """
    return f"{'' if key.startswith(_STEMS) else 'diagnose/'}{stream_name(key, ordinal)}.{ending}"


def index_bytes(runs: Iterable[Run]) -> bytes:
    """The `runs.json` of these runs."""
    return _index([_entry(run) for run in runs])


def _base(folder: Path, key: str, ordinal: int) -> Path:
    return (folder if key.startswith(_STEMS) else folder / "diagnose") / stream_name(key, ordinal)


def _entry(run: Run) -> Entry:
    return Entry(run.command, run.exit_code, run.duration_s, run.started_at, run.ended, run.note)


def _index(entries: Iterable[Entry]) -> bytes:
    lines = ",\n".join(f" {json.dumps(_item(entry), ensure_ascii=False)}" for entry in entries)
    return f"[\n{lines}\n]\n".encode()


def _item(entry: Entry) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": entry.key,
        "exit_code": entry.exit_code,
        "seconds": entry.seconds,
        "started_at": entry.started_at.isoformat().replace("+00:00", "Z"),
    }
    if entry.ended is not Ended.EXITED:
        item["ended"] = entry.ended.value
    if entry.note:
        item["note"] = entry.note
    return item


@contextmanager
def _disk(place: Path) -> Iterator[None]:
    """Turns an OSError of the block into DiskTrouble."""
    try:
        yield
    except OSError as error:
        raise DiskTrouble(
            msg(
                "{file} cannot be written: {reason}",
                file=str(error.filename or place),
                reason=error.strerror or str(error),
            ),
            msg("make room or mend the permissions, or choose another place with --state-dir"),
        ) from error


def _replace(path: Path, data: bytes) -> None:
    """The whole file or nothing: write beside it, then rename."""
    beside = path.with_name(f".{path.name}.new")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(fd, left) :]
    finally:
        os.close(fd)
    beside.replace(path)
