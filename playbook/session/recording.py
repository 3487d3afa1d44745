"""A recording: the form in which runs are kept and read back (`runs.json`, `<id>.out`, `<id>.err`, `diagnose/`).

Runs come here already masked.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..clock import parse_moment
from ..errors import BadRecording
from ..files import disk_errors, read_own, write_atomically
from ..model import Ended, Run
from ..text import Message, msg, verbatim

if TYPE_CHECKING:
    from importlib.abc import Traversable

INDEX = "runs.json"

_KEY = re.compile(r"[a-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_STEMS = ("step", "summary")
"""How the ids begin whose files lie in the folder itself; those of all others lie in `diagnose/`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One run as `runs.json` lists it, without its streams."""

    key: str
    exit_code: int | None
    seconds: float
    started_at: datetime
    ended: Ended = Ended.EXITED
    note: str = ""


# reading


def is_key(text: str) -> bool:
    """Whether `text` can be the name under which a command's runs are recorded: never a path."""
    return _KEY.fullmatch(text) is not None and ".." not in text


def stream_name(key: str, ordinal: int) -> str:
    """The name of a run's files without `.out` and `.err`.

    >>> stream_name("step2-pvc", 1), stream_name("step2-pvc", 2)
    ('step2-pvc', 'step2-pvc.2')
    """
    return key if ordinal == 1 else f"{key}.{ordinal}"


def stream_file(key: str, ordinal: int, ending: str) -> str:
    """Where in a recording the `out` or `err` of a run lies.

    >>> stream_file("step2-pvc", 2, "out"), stream_file("get-sc", 1, "err")
    ('step2-pvc.2.out', 'diagnose/get-sc.err')
    """
    return f"{'' if key.startswith(_STEMS) else 'diagnose/'}{stream_name(key, ordinal)}.{ending}"


def read_streams(folder: Path, key: str, ordinal: int) -> tuple[bytes, bytes]:
    """Standard output and error of one run as `RecordingWriter` wrote them; raises BadRecording without them."""
    names = [stream_file(key, ordinal, ending) for ending in ("out", "err")]
    try:
        return read_own(folder / names[0]), read_own(folder / names[1])
    except OSError as error:
        file, reason = str(error.filename or names[0]), error.strerror or str(error)
        raise BadRecording(msg("{file} in the recording cannot be read: {reason}", file=file, reason=reason)) from error


def read_index(folder: Traversable | Path) -> tuple[Entry, ...]:
    """What a recording's `runs.json` lists, in its order; raises BadRecording."""
    index = folder / INDEX
    form = msg("a recording is a folder with {index} and the outputs it lists", index=INDEX)
    if not folder.is_dir():
        raise BadRecording(msg("there is no recording folder {folder}", folder=str(folder)), form)
    if not index.is_file():
        raise BadRecording(msg("{folder} is not a recording: it has no {index}", folder=str(folder), index=INDEX), form)
    try:
        data = json.loads(index.read_bytes())
    except OSError as error:
        raise _damaged(folder, verbatim(error.strerror or str(error))) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(folder, msg("not JSON: {reason}", reason=str(error))) from error
    if not isinstance(data, list):
        raise _damaged(folder, msg("not a list of runs"))
    entries = []
    for number, item in enumerate(data, 1):
        try:
            entries.append(_from_json(item))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise _damaged(
                folder, msg("run {number} cannot be read: {reason}", number=number, reason=reason)
            ) from error
    return tuple(entries)


def _damaged(folder: Traversable | Path, reason: Message) -> BadRecording:
    return BadRecording(
        msg(
            "the recording {folder} is damaged, {index}: {reason}", folder=str(folder), index=INDEX, reason=str(reason)
        ),
        msg("restore {index} from where the recording was made", index=INDEX),
    )


def _from_json(item: Any) -> Entry:
    if not isinstance(item, dict):
        raise TypeError("not an object")
    key = item["id"] + (f".{item['name']}" if item.get("name") else "")
    if not is_key(key):
        raise ValueError(f"id {key!r}")
    code, seconds, note = item["exit_code"], item["seconds"], item.get("note", "")
    if code is not None and type(code) is not int:
        raise TypeError(f"exit_code {code!r}")
    if type(seconds) not in (int, float) or not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"seconds {seconds!r}")
    if not isinstance(note, str):
        raise TypeError(f"note {note!r}")
    ended = Ended(item.get("ended", Ended.EXITED.value))
    return Entry(key, code, seconds, parse_moment(item["started_at"]), ended, note)


# writing


class RecordingWriter:
    """Adds runs to a recording folder, a new one or one begun earlier (BadRecording when that is damaged).

    Files 0600, folders 0700. Each file is replaced as a whole, streams before the index, so a recording is readable
    after an interruption at any point. Raises DiskTrouble when the disk does not take it. Its session sees to it that
    one thread at a time writes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unsynced: set[Path] = set()
        if not (folder / INDEX).is_file():
            with disk_errors(folder):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(folder / INDEX, b"[]\n")
        self._entries = list(read_index(folder))

    def count(self, key: str) -> int:
        """How many runs of a command the recording has."""
        return sum(entry.key == key for entry in self._entries)

    def add(self, run: Run) -> None:
        """Write a run whose ordinal is the next one of its command.

        Or the last one: a program that died before it had noted the run elsewhere makes it again, and that one counts.
        """
        count = self.count(run.command)
        if run.ordinal not in (count, count + 1) or run.ordinal < 1:
            raise ValueError(f"{run.command}: run {run.ordinal} after {count}")
        self._write_streams(run)
        entries = list(self._entries)
        if run.ordinal == count:
            del entries[max(place for place, old in enumerate(entries) if old.key == run.command)]
        entries.append(_entry(run))
        self._write(self._folder / INDEX, _index(entries))
        self._entries = entries

    def replace(self, run: Run) -> None:
        """Write a run's streams again, after more was learned about what to mask; KeyError for an unknown run."""
        if not 1 <= run.ordinal <= self.count(run.command):
            raise KeyError(f"{run.command}: run {run.ordinal}")
        self._write_streams(run)

    def sync(self) -> None:
        """Return when the disk itself has all that was written: before a command that changes the cluster."""
        with disk_errors(self._folder):
            for path in sorted(self._unsynced | {path.parent for path in self._unsynced}):
                fd = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(fd)
                finally:
                    os.close(fd)
        self._unsynced.clear()

    def _write_streams(self, run: Run) -> None:
        for ending, data in (("out", run.stdout), ("err", run.stderr)):
            path = self._folder / stream_file(run.command, run.ordinal, ending)
            with disk_errors(path.parent):
                path.parent.mkdir(exist_ok=True, mode=0o700)
            self._write(path, data)

    def _write(self, path: Path, data: bytes) -> None:
        write_atomically(path, data)
        self._unsynced.add(path)


def index_bytes(runs: Iterable[Run]) -> bytes:
    """The `runs.json` of these runs."""
    return _index([_entry(run) for run in runs])


def _entry(run: Run) -> Entry:
    return Entry(run.command, run.exit_code, run.duration_s, run.started_at, run.ended, run.note)


def _index(entries: Iterable[Entry]) -> bytes:
    lines = ",\n".join(f" {json.dumps(_to_json(entry), ensure_ascii=False)}" for entry in entries)
    return f"[\n{lines}\n]\n".encode()


def _to_json(entry: Entry) -> dict[str, Any]:
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
