"""Whether the clock of this machine was set between two attempts: its uptime tells, which nobody sets."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ..session.journal import Event, Kind

MOST = timedelta(minutes=10)
"""A clock that is corrected by less does not matter to 24 hours."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Uptime:
    """How long the machine has been up, time asleep included, and which start that is counted from."""

    boot: str
    up_s: float


def uptime() -> Uptime | None:
    """As of now; None where the kernel does not say which start it is."""
    try:
        return Uptime(_BOOT_ID.read_text("ascii").strip(), time.clock_gettime(time.CLOCK_BOOTTIME))
    except (OSError, ValueError):
        return None


def clock_was_set(events: Iterable[Event], now: datetime, up: Uptime | None) -> timedelta | None:
    """By how much the clock was set since the last attempt in `events`; None when by less than `MOST`.

    None as well where nothing tells: after another start of the machine, on another machine, after an attempt of a
    version that did not note the uptime.
    """
    last = next((event for event in reversed(tuple(events)) if event.kind is Kind.ATTEMPT), None)
    if up is None or last is None or last.data.get("boot") != up.boot:
        return None
    moved = (now - last.at) - timedelta(seconds=up.up_s - last.data["up_s"])
    return moved if abs(moved) > MOST else None
