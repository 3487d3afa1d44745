"""Events as `kubectl describe` prints them (Steps 6-2 and 7-2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import UnreadableText
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


_OVER_BY = {
    "FailedMount": ("Pulling", "Pulled", "Created", "Started", "SuccessfulMountVolume"),
    "FailedAttachVolume": ("SuccessfulAttachVolume", "Pulling", "Pulled", "Created", "Started"),
    "FailedCreatePodSandBox": ("Pulling", "Pulled", "Created", "Started"),
    "FailedScheduling": ("Scheduled", "Pulling", "Pulled", "Created", "Started"),
    "NetworkNotReady": ("Pulling", "Pulled", "Created", "Started"),
}
"""What a later event proves to be over. kubectl prints events in the order in which they were last seen."""

_PULLED = re.compile(r'image "([^"]+)"')
_ECHO = re.compile(r"(?:spec\.\S+: )?(?:Error: (?:ErrImagePull|ImagePullBackOff|CrashLoopBackOff)\b|Back-off )")
"""Messages that say again what another event or the STATUS says."""


def over(found: Sequence[Event]) -> tuple[Event, ...]:
    """Those Warning events of one pod of which a later event shows that they are over.

    >>> text = '''Events:
    ...   Type     Reason       Age  From     Message
    ...   ----     ------       ---  ----     -------
    ...   Warning  FailedMount  20s  kubelet  MountVolume.SetUp failed for volume "data"
    ...   Normal   Started      5s   kubelet  Started container observer
    ... '''
    >>> [event.line for event in over(events(text))]
    [4]
    """
    return tuple(event for place, event in enumerate(found) if _is_over(event, found[place + 1 :]))


def _is_over(event: Event, later: Sequence[Event]) -> bool:
    if event.type != "Warning":
        return False
    if event.reason == "Failed" and (image := _PULLED.search(event.message)):
        return any(each.reason == "Pulled" and image[1] in each.message for each in later)
    return any(each.reason in _OVER_BY.get(event.reason, ()) for each in later)


def without_over(text: str) -> str:
    """A description with the lines of events that are over left blank; as it is where its events cannot be read."""
    try:
        gone = {event.line for event in over(events(text))}
    except UnreadableText:
        return text
    each = text.splitlines(keepends=True)
    return "".join("\n" if number in gone else line for number, line in enumerate(each, 1)) if gone else text


def telling_event(text: str) -> Event | None:
    """The last Warning event that says why, not what another one says already, and that is not over.

    None where there is none, or where the events cannot be read.
    """
    try:
        found = events(text)
    except UnreadableText:
        return None
    gone = over(found)
    telling = [e for e in found if e.type == "Warning" and e not in gone and not _ECHO.match(e.message)]
    return telling[-1] if telling else None


def only_started_late(text: str) -> bool:
    """Whether all that a description warns of is a mount or a sandbox that failed and was made good later.

    >>> only_started_late("Events:          <none>\\n")
    False
    """
    try:
        found = events(text)
    except UnreadableText:
        return False
    warnings = [event for event in found if event.type == "Warning"]
    made_good = over(found)
    return bool(warnings) and all(each in made_good and each.reason in _MADE_GOOD for each in warnings)


_MADE_GOOD = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "NetworkNotReady")
