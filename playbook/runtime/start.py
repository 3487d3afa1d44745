"""What every attempt needs before its first command: the lock, the tools, the verified catalog, the runner.

Imports little, so that kubectl can be at work while the rest of the program is still being imported.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ..guide import ids
from ..guide.catalog import PREFETCHED_STEPS, STEP_0, Catalog, load, read_only
from ..guide.own_commands import named
from ..session.store import SessionStore, state_directory
from .environment import require_tools
from .live import LiveRunner
from .prefetch import Prefetcher
from .provenance import Kubectl, find_kubectl


@dataclass(frozen=True, slots=True)
class Start:
    """Ready to run commands; `prefetched` holds those that were begun already, `kubectl` by what they are run."""

    store: SessionStore
    catalog: Catalog
    runner: LiveRunner
    prefetched: Prefetcher
    kubectl: Kubectl | None


@contextmanager
def open_runner() -> Iterator[tuple[Catalog, LiveRunner]]:
    """The catalog, and a runner whose children do not outlive the block.

    Every file of the catalog is compared with its digest: a changed command is found before anything is run. Raises
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
def open_store(
    state_dir: str | None, *, fresh: bool = False, until: str = "", jobs: int | None = None
) -> Iterator[Start]:
    """The state directory locked, and what is sure to be asked by an attempt up to Step `until` begun, `jobs` at a time.

    That is the digest of kubectl, Step 0, and for a new session also the read-only commands of the later steps. Nothing
    without `until`, and no command with one job, which carries out one step after the other. Raises SessionLocked and
    DiskTrouble, and what `open_runner` raises.
    """
    jobs = jobs or os.cpu_count() or 1
    kubectl = find_kubectl() if until else None
    with SessionStore(state_directory(state_dir)) as store, open_runner() as (catalog, runner):
        commands: Sequence[str] = ()
        if until and jobs > 1:
            new = fresh or store.current() is None
            commands = (ids.SECRET_VALUES, *STEP_0) + (
                read_only([step for step in PREFETCHED_STEPS if step <= until]) if new else ()
            )
        prefetched = Prefetcher(jobs, lambda id: runner.run(named(catalog, id)), commands, first=STEP_0)
        yield Start(store, catalog, runner, prefetched, kubectl)
