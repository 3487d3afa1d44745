"""What the events of a journal hold: names and types. A journal whose chain fits may still have been written by anybody."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..clock import parse_moment
from ..errors import BadSession
from ..model import Ended
from ..text import msg
from .journal import START_FRESH, Event, Kind
from .recording import is_key

MOST = 1_000_000
"""More attempts and runs than any session has."""

_STEP = re.compile(r"[0-9]")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SESSION = re.compile(r"[^/\x00-\x1f\x7f]{1,200}")

Holds = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _step(value: Any) -> bool:
    return isinstance(value, str) and _STEP.fullmatch(value) is not None


def _key(value: Any) -> bool:
    return isinstance(value, str) and is_key(value)


def _digest(value: Any) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _number(value: Any) -> bool:
    return type(value) is int and 1 <= value <= MOST


def _seconds(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and 0 <= value < 1e9


def _status(value: Any) -> bool:
    return value is None or (type(value) is int and -1000 < value < 1000)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _keys(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, list) and len(each) == 2 and _key(each[0]) and _number(each[1]) for each in value
    )


def _moment(value: Any) -> bool:
    return parse_moment(value).year < 2200


def _ended(value: Any) -> bool:
    return Ended(value) is not None


def _evidence(value: Any) -> bool:
    if value is None:
        return True
    command, line, ordinal, stream = value
    return _text(command) and (line is None or type(line) is int) and _number(ordinal) and _text(stream)


def _remedies(value: Any) -> bool:
    return isinstance(value, list) and all(_text(each["command"]) for each in value)


def _findings(value: Any) -> bool:
    return isinstance(value, list) and all(
        _text(each["code"]) and _text(each["step"]) and _evidence(each["evidence"]) and _remedies(each["remedy"])
        for each in value
    )


def _causes(value: Any) -> bool:
    return _findings(value) and all(_text(each["line"]) and _texts(each["explains"]) for each in value)


def _pairs(value: Any) -> bool:
    return isinstance(value, list) and all(_texts(each) and len(each) == 2 for each in value)


_FIELDS: Mapping[Kind, Mapping[str, Holds]] = {
    Kind.OPEN: {"session": lambda value: _text(value) and _SESSION.fullmatch(value) is not None, "guide": _text},
    Kind.IDENTITY: {"server": _text, "nodes": _texts, "namespace": _text},
    Kind.BEGIN: {"command": _key, "ordinal": _number},
    Kind.RUN: {
        "command": _key, "ordinal": _number, "exit_code": _status, "ended": _ended, "started_at": _moment,
        "seconds": _seconds, "note": _text, "out": _digest, "err": _digest,
    },
    Kind.REMASK: {"command": _key, "ordinal": _number, "out": _digest, "err": _digest},
    Kind.JUDGED: {"step": _step, "attempt": _number, "judged_at": _moment, "verdict": _text, "runs": _keys,
                  "findings": _findings},
    Kind.ABORT: {"criterion": lambda value: type(value) is int and 1 <= value <= 6, "step": _text},
    Kind.FORCE: {"from": _step},
    Kind.CAUSES: {"runs": _keys, "causes": _causes},
    Kind.TOOLS: {"tools": _pairs},
    Kind.PROVENANCE: {"tools": _pairs, "removed": _texts, "noticed": _texts, "program": _text, "commands": _text},
    Kind.WAIVE: {"code": _text, "step": _step, "by": _text, "reason": _text, "evidence": _text},
}  # fmt: skip
"""What each kind of event cannot do without; what a fold reads besides is checked where it is read."""

UNREADABLE = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError)
"""What reading something of another shape raises."""


class Shapes:
    """Takes the events of one journal in their order; raises BadSession at the first that cannot be."""

    def __init__(self) -> None:
        self._runs: set[tuple[str, int]] = set()

    def take(self, event: Event) -> None:
        """The next event."""
        for name, holds in _FIELDS.get(event.kind, {}).items():
            try:
                fits = name in event.data and holds(event.data[name])
            except UNREADABLE:
                fits = False
            if not fits:
                raise strange(event, name)
        if event.kind is Kind.ATTEMPT and "boot" in event.data and not _seconds(event.data.get("up_s")):
            raise strange(event, "up_s")
        if event.at.year >= 2200:
            raise strange(event, "at")
        if event.kind is Kind.OPEN and event.seq != 1:
            raise strange(event, "event")
        if event.kind is Kind.RUN:
            key = (event.data["command"], event.data["ordinal"])
            if key in self._runs:
                raise strange(event, "ordinal")
            self._runs.add(key)
        elif event.kind is Kind.REMASK and (event.data["command"], event.data["ordinal"]) not in self._runs:
            raise strange(event, "ordinal")


def strange(event: Event, name: str = "") -> BadSession:
    """An event whose line is unharmed and that this program did not write."""
    return BadSession(
        msg(
            "line {line} of the journal ({kind}{field}) is not what this version writes: it was made by something else",
            line=event.seq,
            kind=event.kind.value,
            field=f", {name}" if name else "",
        ),
        START_FRESH,
    )
