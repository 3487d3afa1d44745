"""Numbers that are counted inside a container: files by `wc -l`, tables by psql (Steps 8 and 9-3)."""

from __future__ import annotations

import re
from typing import NamedTuple

from .cells import NUMBER
from .tables import lines, unreadable


class Count(NamedTuple):
    """A number, and the line that it stood in."""

    line: int
    number: int


def count(text: str) -> Count:
    """The one number that `wc -l` printed (Steps 8-1, 8-3, 9-3).

    >>> count("12\\r\\n")
    Count(line=1, number=12)
    """
    return _counted(text, (NUMBER,), 0)


def psql_count(text: str) -> Count:
    """The number under psql's `count` (Step 8-4).

    >>> psql_count(''' count
    ... -------
    ...      3
    ... (1 row)
    ...
    ... ''')
    Count(line=3, number=3)
    """
    # psql says "(1 row)" in the language of its container.
    return _counted(text, (r"count", r"-+", NUMBER, r"\(1\D.*\)"), 2)


_STARTING = r"Connection refused|the database system is "
_UNCONNECTED = (
    rf"{_STARTING}|^\tIs the server running |could not translate host name |: timeout expired$|"
    r"server closed the connection unexpectedly"
)


def is_starting(said: str) -> bool:
    """Whether psql found a server that does not take connections yet (Step 8-4; `said`: standard error)."""
    return bool(re.search(_STARTING, said))


def is_unconnected(said: str) -> bool:
    """Whether psql did not get as far as a server that takes connections (Step 8-4; `said`: standard error).

    A closed port, no route (the Service may still lead to the pod of before), a name that is not known yet, a server that is
    starting. A refused user, password or database is none of it: the server has answered.
    """
    return bool(re.search(_UNCONNECTED, said, re.M))


def _counted(text: str, shapes: tuple[str, ...], place: int) -> Count:
    """The number in the line at `place`, once each line that is not blank has its shape."""
    found = [(number, line.strip()) for number, line in lines(text) if line.strip()]
    for index, (number, line) in enumerate(found):
        if index >= len(shapes) or not re.fullmatch(shapes[index], line):
            raise unreadable(number, line)
    if len(found) < len(shapes):
        raise unreadable(len(found) + 1, "")
    return Count(found[place][0], int(found[place][1]))


def files(text: str) -> tuple[str, ...]:
    """The paths that `find` printed, at most the ten that `head -10` leaves (Steps 8-1 and 8-3).

    >>> files("/opt/platform/runtime/observer/data/ticks/20261125.jsonl\\n")
    ('/opt/platform/runtime/observer/data/ticks/20261125.jsonl',)
    """
    return tuple(line for _, line in lines(text))
