"""A recording read back: the other side of the seam. Nothing is run, and nothing is made up."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import BadRecording
from .model import Command, Ended, Run
from .steps.base import NEVER, missing
from .text import Message, msg, verbatim

if TYPE_CHECKING:
    from importlib.abc import Traversable

INDEX = "runs.json"
_KEY = re.compile(r"[a-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_ZONE = re.compile(r"([+-]\d\d)(\d\d)$")


@dataclass(frozen=True, slots=True)
class Entry:
    """One run as `runs.json` lists it, without its streams."""

    key: str
    exit_code: int | None
    seconds: float
    started_at: datetime
    ended: Ended = Ended.EXITED
    note: str = ""


class ReplayRunner:
    """Answers from a recording folder: `runs.json`, `<id>.out`, `<id>.err`, and the same below `diagnose/`.

    Raises BadRecording when the folder is missing, is not one or its `runs.json` is damaged. A run that it does not
    have is answered with one that says so.
    """

    def __init__(self, folder: Traversable | Path) -> None:
        self._folder = folder
        self._entries: dict[str, list[Entry]] = {}
        entries = read_index(folder)
        for entry in entries:
            self._entries.setdefault(entry.key, []).append(entry)
        last = max(entries, key=lambda entry: entry.started_at, default=None)
        # Diagnoses need not be listed; they were taken after the rest.
        self._after = last.started_at + timedelta(seconds=last.seconds) if last else NEVER

    def run(
        self,
        command: Command,
        ordinal: int,
        env: Mapping[str, str] = {},
        until: Callable[[], bool] | None = None,
    ) -> Run:
        """The `ordinal`-th run of `command` in the recording; `env` and `until` change nothing."""
        return self._read(command.key, ordinal)

    def port_forward(
        self, forward: Command, curl: Command, stop: Command, ordinals: tuple[int, int, int]
    ) -> tuple[Run, Run, Run]:
        """The three runs of Step 7-3."""
        first, second, third = ordinals
        return self._read(forward.key, first), self._read(curl.key, second), self._read(stop.key, third)

    def cleanup(self, command: Command, ordinal: int = 1) -> Run:
        """The recorded run."""
        return self._read(command.key, ordinal)

    def recorded(self, command_key: str, ordinal: int) -> bool:
        """Whether the recording has the `ordinal`-th run of this command."""
        return self._read(command_key, ordinal).ended is not Ended.NOT_RECORDED

    def end_all(self) -> None:
        """Nothing runs."""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What `runs.json` lists, grouped by command."""
        return tuple(entry for group in self._entries.values() for entry in group)

    def _read(self, key: str, ordinal: int) -> Run:
        if not _KEY.fullmatch(key) or ".." in key or ordinal < 1:
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
            stdout, stderr = self._bytes(f"{name}.out"), self._bytes(f"{name}.err")
            if stdout is not None and stderr is not None:
                if entry is None:
                    return Run(key, ordinal, stdout, stderr, None, Ended.EXITED, self._after, 0.0)
                return Run(
                    key,
                    ordinal,
                    stdout,
                    stderr,
                    entry.exit_code,
                    entry.ended,
                    entry.started_at,
                    entry.seconds,
                    entry.note,
                )
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


def stream_name(key: str, ordinal: int) -> str:
    """The name of a run's files without `.out` and `.err`.

    >>> stream_name("step2-pvc", 1), stream_name("step2-pvc", 2)
    ('step2-pvc', 'step2-pvc.2')
    """
    return key if ordinal == 1 else f"{key}.{ordinal}"


def read_index(folder: Traversable | Path) -> tuple[Entry, ...]:
    """What a recording's `runs.json` lists, in its order; raises BadRecording."""
    index = folder / INDEX
    if not folder.is_dir():
        raise BadRecording(
            msg("there is no recording folder {folder}", folder=str(folder)),
            msg("a recording is a folder with {index} and the outputs it lists", index=INDEX),
        )
    if not index.is_file():
        raise BadRecording(
            msg("{folder} is not a recording: it has no {index}", folder=str(folder), index=INDEX),
            msg("a recording is a folder with {index} and the outputs it lists", index=INDEX),
        )
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
            entries.append(_entry(item))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise _damaged(
                folder,
                msg("run {number} cannot be read: {reason}", number=number, reason=f"{type(error).__name__}: {error}"),
            ) from error
    return tuple(entries)


def _damaged(folder: Traversable | Path, reason: Message) -> BadRecording:
    return BadRecording(
        msg(
            "the recording {folder} is damaged, {index}: {reason}", folder=str(folder), index=INDEX, reason=str(reason)
        ),
        msg("restore {index} from where the recording was made", index=INDEX),
    )


def _entry(item: Any) -> Entry:
    if not isinstance(item, dict):
        raise TypeError("not an object")
    key = item["id"] + (f".{item['name']}" if item.get("name") else "")
    if not _KEY.fullmatch(key) or ".." in key:
        raise ValueError(f"id {key!r}")
    code, seconds, note = item["exit_code"], item["seconds"], item.get("note", "")
    if code is not None and type(code) is not int:
        raise TypeError(f"exit_code {code!r}")
    if type(seconds) not in (int, float) or not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"seconds {seconds!r}")
    if not isinstance(note, str):
        raise TypeError(f"note {note!r}")
    return Entry(key, code, seconds, moment(item["started_at"]), Ended(item.get("ended", Ended.EXITED.value)), note)


def moment(text: str) -> datetime:
    """A moment of a recording, in UTC; raises ValueError, also for one without a zone.

    >>> moment("2026-11-22T22:56:34+0000") == moment("2026-11-22T22:56:34Z")
    True
    """
    if not isinstance(text, str):
        raise TypeError(f"started_at {text!r}")
    value = datetime.fromisoformat(_ZONE.sub(r"\1:\2", text.replace("Z", "+00:00")))
    if value.tzinfo is None:
        raise ValueError(f"started_at {text!r} has no time zone")
    return value.astimezone(timezone.utc)
