"""Where moments come from, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timezone

Clock = Callable[[], datetime]
"""Gives the moment, in UTC. Whoever needs one is given one, so that a test can move it."""

NEVER = datetime.fromtimestamp(0, timezone.utc)
"""The start of a run that never was."""

_ZONE = re.compile(r"([+-]\d\d)(\d\d)$")


def utc_now() -> datetime:
    """The moment, in UTC: the clock of the machine."""
    return datetime.now(timezone.utc)


def stamp(moment: datetime) -> str:
    """`moment` as the journal and recordings write it: UTC with microseconds, ending in Z."""
    return moment.astimezone(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_moment(text: str) -> datetime:
    """A written moment, in UTC; raises ValueError, also for one without a zone, and TypeError for what is no text.

    >>> parse_moment("2026-11-22T22:56:34+0000") == parse_moment("2026-11-22T22:56:34.000000Z")
    True
    """
    if not isinstance(text, str):
        raise TypeError(f"no moment: {text!r}")
    value = datetime.fromisoformat(_ZONE.sub(r"\1:\2", text.replace("Z", "+00:00")))
    if value.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return value.astimezone(timezone.utc)


def utc_text(moment: datetime) -> str:
    """`moment` for a reader: UTC without fractions.

    >>> utc_text(NEVER)
    '1970-01-01T00:00:00Z'
    """
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
