"""What every attempt needs before its first command: the lock, the tools, the verified catalog, the runner.

Imports little, so that kubectl can be at work while the rest of the program is still being imported.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from .ahead import STEPS_AHEAD, ReadAhead, looking
from .catalog import Catalog, load
from .runner import LiveRunner
from .sessions import Sessions, state_directory
from .tools import require_tools

STEP_0 = looking("0")
"""What every attempt begins with."""


@dataclass(frozen=True, slots=True)
class Start:
    """Ready to run commands; `ahead` holds those that were begun already."""

    sessions: Sessions
    catalog: Catalog
    runner: LiveRunner
    ahead: ReadAhead


@contextmanager
def ready() -> Iterator[tuple[Catalog, LiveRunner]]:
    """The catalog, and a runner whose children do not outlive the block.

    Every file of the catalog is held against its digest: a changed command is found before anything is run. Raises
    MissingTool and TamperedCommand.
    """
    require_tools()
    catalog = load()
    for id in (*catalog.ids, *catalog.diagnose_ids):
        catalog.command(id)
    runner = LiveRunner()
    try:
        yield catalog, runner
    finally:
        runner.end_all()
        runner.close()


@contextmanager
def begun(state_dir: str | None, *, fresh: bool = False, until: str = "", jobs: int | None = None) -> Iterator[Start]:
    """The state directory locked, and what is sure to be asked by an attempt up to Step `until` begun, `jobs` at a time.

    That is Step 0, and for a new record also what only looks of the later steps. Nothing without `until`, or with one
    job, which carries out one step after the other. Raises SessionLocked and DiskTrouble, and what `ready` raises.
    """
    jobs = jobs or os.cpu_count() or 1
    with Sessions(state_directory(state_dir)) as sessions, ready() as (catalog, runner):
        commands: Sequence[str] = ()
        if until and jobs > 1:
            due = [step for step in STEPS_AHEAD if step <= until] if fresh or sessions.current() is None else []
            commands = STEP_0 + looking(due)
        ahead = ReadAhead(jobs, lambda id: runner.run(catalog.command(id), 1), commands, first=STEP_0)
        yield Start(sessions, catalog, runner, ahead)
