"""The journal: one line of JSON per event, each carrying the SHA-256 of the line before. Lines are only ever added.

What a line says is on the disk before the next command starts, so a crash can cost at most the line it was writing.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from ..clock import parse_moment, stamp
from ..errors import BadSession
from ..files import disk_errors, read_own, write_atomically
from ..text import msg

GENESIS = "0" * 64
"""What the first line carries in place of a digest."""

START_FRESH = msg("start a new session with --fresh; the damaged one is kept as it is")


class Kind(str, Enum):
    """The events of a verification."""

    OPEN = "open"  # the session begins: id, guide, digests, operator
    ATTEMPT = "attempt"  # the program was started on it: start, until, only
    IDENTITY = "identity"  # which cluster Step 0 saw
    CONFIRM = "confirm"  # the restart of Step 8 was allowed, for which cluster
    BEGIN = "begin"  # a command that changes the cluster is about to start
    RUN = "run"  # a command ended: its streams' digests
    REMASK = "remask"  # a recorded stream was masked again, with what was learned later
    JUDGED = "judged"  # a step was judged: by which runs, with which findings
    ABORT = "abort"  # an abort criterion was met
    FORCE = "force"  # results from a step on no longer count (--from)
    CAUSES = "causes"  # what the diagnosis named
    TOOLS = "tools"  # which kubectl, bash, jq, curl ran the commands (sessions of version 1.0)
    PROVENANCE = "provenance"  # by what the commands of this attempt are run
    WAIVE = "waive"  # a finding was accepted by somebody
    INTERRUPTED = "interrupted"  # a signal or a lost terminal ended the run
    END = "end"  # the program ended by itself: the overall verdict


KINDS = frozenset(kind.value for kind in Kind)


@dataclass(frozen=True, slots=True)
class Event:
    """One line."""

    seq: int
    at: datetime
    kind: Kind
    data: dict[str, Any]


class Journal:
    """The events of one session, in memory and, where `path` is given, on disk. Its session alone appends."""

    def __init__(self, path: Path | None = None, events: tuple[Event, ...] = (), digest: str = GENESIS) -> None:
        self._path = path
        self._events = list(events)
        self._digest = digest
        self._descriptor: int | None = None

    @property
    def events(self) -> tuple[Event, ...]:
        """All events, oldest first."""
        return tuple(self._events)

    @property
    def digest(self) -> str:
        """SHA-256 of the last line: what the whole history can be checked by."""
        return self._digest

    def append(self, kind: Kind, at: datetime, data: dict[str, Any]) -> Event:
        """Add one event and have it on the disk; raises DiskTrouble when that cannot be done."""
        event = Event(len(self._events) + 1, at, kind, data)
        line = _line(event, self._digest)
        if self._path is not None:
            self._write(self._path, line)
        self._digest = hashlib.sha256(line).hexdigest()
        self._events.append(event)
        return event

    def rewrite(self, events: tuple[Event, ...]) -> None:
        """Put `events` in the place of all, chained anew: the old lines held what must not stay. Whole or not at all."""
        lines, digest = [], GENESIS
        for event in events:
            lines.append(_line(event, digest))
            digest = hashlib.sha256(lines[-1]).hexdigest()
        if self._path is not None:
            write_atomically(self._path, b"".join(line + b"\n" for line in lines))
        self.close()
        self._events, self._digest = list(events), digest

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, path: Path, line: bytes) -> None:
        size = None
        with disk_errors(path):
            try:
                if self._descriptor is None:
                    self._descriptor = os.open(
                        path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
                    )
                size = os.fstat(self._descriptor).st_size
                left = line + b"\n"
                while left:
                    left = left[os.write(self._descriptor, left) :]
                os.fsync(self._descriptor)
            except OSError:
                if self._descriptor is not None and size is not None:
                    with suppress(OSError):  # a line that is not surely on the disk must not stand before the next one
                        os.ftruncate(self._descriptor, size)
                raise


def read(path: Path) -> tuple[Journal, int]:
    """The journal at `path`, checked line by line, and the bytes of a torn last line that were cut off (0: none).

    A last line without its line end was being written when the program died: it is cut off the file. Any other damage
    raises BadSession with the line number.
    """
    data = read_own(path)
    whole, _, torn = data.rpartition(b"\n")
    events, digest = check(whole + b"\n" if whole else b"", str(path))
    if torn:
        with path.open("r+b") as file:
            file.truncate(len(data) - len(torn))
            os.fsync(file.fileno())
    return Journal(path, events, digest), len(torn)


def whole_lines(data: bytes) -> bytes:
    """`data` without a torn last line: what a reader takes of a journal that may be written meanwhile."""
    return data[: data.rfind(b"\n") + 1]


def check(data: bytes, name: str) -> tuple[tuple[Event, ...], str]:
    """The events in `data` and the digest of the last line; raises BadSession naming the first line that does not hold."""
    events: list[Event] = []
    digest = GENESIS
    lines = data.split(b"\n")[:-1]
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line, parse_constant=_no_number)
            kind = entry.get("event")
            if isinstance(kind, str) and kind not in KINDS and entry.get("prev") == digest:
                raise _newer(name, number, kind)
            event = Event(entry.pop("seq"), parse_moment(entry.pop("at")), Kind(entry.pop("event")), entry)
            previous = entry.pop("prev")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise _damaged(name, number) from error
        if previous != digest:
            # the next line tells which of the two it was: if it knows this one, the one before was changed
            known = number == len(lines) or _says(lines[number], hashlib.sha256(line).hexdigest())
            raise _damaged(name, max(1, number - 1) if known else number)
        if event.seq != number or _line(event, digest) != line:
            raise _damaged(name, number)
        digest = hashlib.sha256(line).hexdigest()
        events.append(event)
    return tuple(events), digest


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _says(line: bytes, digest: str) -> bool:
    return line.endswith(f'"prev":"{digest}"}}'.encode())


def _line(event: Event, previous: str) -> bytes:
    entry = {"seq": event.seq, "at": stamp(event.at), "event": event.kind.value, **event.data, "prev": previous}
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":"), sort_keys=False).encode(
        "utf-8", "surrogatepass"
    )


def _newer(name: str, line: int, kind: str) -> BadSession:
    return BadSession(
        msg("{file}: line {line} says `{kind}`, which this version does not know", file=name, line=line, kind=kind),
        msg("go on with the newer version that wrote it, or start a new session with --fresh"),
    )


def _damaged(name: str, line: int) -> BadSession:
    return BadSession(
        msg("{file}: line {line} is damaged or was changed afterwards", file=name, line=line), START_FRESH
    )
