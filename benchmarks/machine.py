"""The machine that the figures come from: what it is, and what else it did meanwhile. Linux, from /proc."""

from __future__ import annotations

import os
import platform
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """One process: its name, its parent, and the processor time of it and of the children that it has waited for."""

    pid: int
    started: int  # ticks since the machine's start; tells two processes of one number apart
    parent: int
    name: str
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The machine at one moment."""

    at: float  # seconds, monotonic
    load: tuple[float, float, float]  # of 1, 5 and 15 minutes
    processes: Mapping[int, Process]


@dataclass(frozen=True, slots=True)
class Busy:
    """A process that was at work between two snapshots."""

    pid: int
    name: str
    share: float  # of one core


def snapshot() -> Snapshot:
    """The machine now."""
    found = (_process(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return Snapshot(time.monotonic(), os.getloadavg(), {process.pid: process for process in found if process})


def _process(entry: Path) -> Process | None:
    try:
        return parse_stat((entry / "stat").read_text("utf-8", "replace"))
    except OSError:
        return None  # it has ended meanwhile


def parse_stat(text: str) -> Process:
    """A process from its /proc/PID/stat (proc(5)); the name stands in brackets and may hold anything.

    >>> parse_stat("7 (a) b) S 1 7 7 0 -1 0 0 0 0 0 100 50 30 20 20 0 1 0 12345 0 0")
    Process(pid=7, started=12345, parent=1, name='a) b', cpu_s=2.0)
    """
    pid, _, rest = text.partition(" (")
    name, _, rest = rest.rpartition(") ")
    fields = rest.split()  # from the third on: state, ppid, …
    return Process(int(pid), int(fields[19]), int(fields[1]), name, sum(map(int, fields[11:15])) / _TICKS)


def others_at_work(before: Snapshot, after: Snapshot, own: int, above: float = 0.1) -> tuple[Busy, ...]:
    """The processes of `after` that used more than `above` of a core since `before`, busiest first.

    Left out are the process `own` and all that descend from it. A process that has ended is seen only when its parent
    waited for it and lives.
    """
    alive = {(process.pid, process.started) for process in after.processes.values()}
    spent_before: defaultdict[int, float] = defaultdict(float)
    for process in before.processes.values():
        heir: Process | None = process  # its parent is given its time when it ends, also that from before
        while heir and (heir.pid, heir.started) not in alive:
            heir = before.processes.get(heir.parent)
        if heir:
            spent_before[heir.pid] += process.cpu_s
    found = []
    for process in after.processes.values():
        share = (process.cpu_s - spent_before[process.pid]) / (after.at - before.at)
        if share > above and not _descends(process, own, after.processes):
            found.append(Busy(process.pid, process.name, share))
    return tuple(sorted(found, key=lambda busy: -busy.share))


def _descends(process: Process | None, own: int, processes: Mapping[int, Process]) -> bool:
    while process and process.pid != own:
        process = processes.get(process.parent)
    return process is not None


def busy_s() -> float:
    """Seconds that the machine's cores have been at work since its start, all cores and all processes together."""
    user, nice, system, _idle, _iowait, irq, softirq = map(
        int, Path("/proc/stat").read_text().partition("\n")[0].split()[1:8]
    )
    return (user + nice + system + irq + softirq) / _TICKS


def description() -> str:
    """Processor, cores, memory, kernel and Python, in one line."""
    cpu = next(
        (line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        "model not told",
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{platform.machine()}, {os.cpu_count()} cores ({cpu}), {memory:.1f} GiB, "
        f"Linux {platform.release()}, Python {platform.python_version()}"
    )
