"""Events as `kubectl describe` prints them (Steps 6-2 and 7-2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .cells import AGE, age_seconds
from .tables import cells_at, lines, unreadable

_EVENT_AGE = re.compile(r"(\S+)(?: \(x\d+ over \S+\))?$")
_NEXT_OBJECT = re.compile(r"Name: {2,}\S")


@dataclass(frozen=True, slots=True)
class Event:
    """One event as `kubectl describe` prints it; `age_s` is None where kubectl does not know it."""

    line: int
    type: str
    reason: str
    age_s: int | None
    source: str
    message: str


def events(text: str) -> tuple[Event, ...]:
    """The events at the end of `kubectl describe pod … | tail -30` (Step 6-2).

    Thirty lines may begin below the section's header: rows are then known by their shape. A line inside the section
    that is no row continues the message above it. Raises UnreadableText when nothing proves that the lines are events,
    for a section without a row (an empty one reads `<none>`: the rest was cut) and for a row of another shape.

    >>> events("Events:          <none>\\n")
    ()
    >>> [(e.line, e.type, e.reason, e.age_s) for e in events('''Events:
    ...   Type     Reason     Age              From               Message
    ...   ----     ------     ----             ----               -------
    ...   Normal   Scheduled  13s              default-scheduler  Successfully assigned
    ...   Warning  Failed     7s (x2 over 9s)  kubelet            Error: secret "observer-secrets" not found
    ... ''')]
    [(4, 'Normal', 'Scheduled', 13), (5, 'Warning', 'Failed', 7)]
    """
    found: list[Event] = []
    offsets: list[int] = []
    proven = inside = False
    awaited = 0  # the line of a header below which no row has come yet
    number, line = 1, ""
    for number, line in lines(text):
        if line.startswith("Events:"):
            rest = line.removeprefix("Events:").strip()
            if rest not in ("", "<none>"):
                raise unreadable(number, line)
            if awaited:
                break
            proven, inside, offsets = True, not rest, []
            awaited = 0 if rest else number
        elif _NEXT_OBJECT.match(line):
            inside = False
        elif inside and not offsets:
            if line.split() != ["Type", "Reason", "Age", "From", "Message"]:
                raise unreadable(number, line)
            offsets = [column.start() for column in re.finditer(r"\S+", line)]
        elif event := _event(number, line, offsets if inside else []):
            found.append(event)
            proven, inside, awaited = True, True, 0
            offsets = offsets or [0]
        elif _is_row(line, inside) or (awaited and line.strip(" -")):
            raise unreadable(number, line)
        elif inside and line.strip(" -"):
            found[-1] = replace(found[-1], message=f"{found[-1].message}\n{line}")
    if awaited:
        raise unreadable(awaited, "Events:")
    if not proven:
        raise unreadable(number, line)
    return tuple(found)


def _event(number: int, line: str, offsets: Sequence[int]) -> Event | None:
    """The event on this line, or None when it has not the shape of one."""
    if not re.match(r"  \S", line):
        return None
    cells = cells_at(line, offsets) if len(offsets) > 1 else None
    if cells is None:
        cells = re.split(r" {2,}", line.strip(), maxsplit=4)
        if len(cells) == 4:
            cells.insert(3, "")
    age = _EVENT_AGE.match(cells[2]) if len(cells) == 5 else None
    if not age or not (AGE.match(age.group(1)) or age.group(1).startswith("<")):
        return None
    return Event(number, cells[0], cells[1], age_seconds(age.group(1), number), cells[3], cells[4])


def _is_row(line: str, inside: bool) -> bool:
    """Whether a line that is no event stands like one: then it is none of the message above it."""
    if re.match(r"  (?:Normal|Warning) {2,}\S", line):
        return True
    return inside and bool(re.match(r"  [^\s-]", line)) and len(re.split(r" {2,}", line.strip())) >= 4
