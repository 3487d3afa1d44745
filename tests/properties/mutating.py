"""Recordings in memory, and what may go wrong with one of their outputs."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from playbook.guide.catalog import load
from playbook.model import Ended, Run, Runs, missing
from playbook.runtime.replay import ReplayExecution, ReplayRunner
from playbook.session.recording import stream_name
from playbook.session.session import in_memory
from playbook.steps import STEPS

CATALOG = load()


class Folder:
    """A recording's folder in memory: as much of a `Traversable` as a replay asks for."""

    def __init__(self, files: dict[str, bytes], path: str = "") -> None:
        self.files = files
        self.path = path

    @classmethod
    def of(cls, folder: Path) -> Folder:
        """What lies in `folder`."""
        return cls(
            {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        )

    @classmethod
    def holding(cls, runs: Iterable[Run]) -> Folder:
        """A recording of just these runs."""
        files, entries = {}, []
        for run in runs:
            if run.happened:
                entries.append({"id": run.command, "exit_code": run.exit_code, "seconds": run.duration_s,
                                "started_at": run.started_at.isoformat(), "ended": run.ended.value})  # fmt: skip
                name = stream_name(run.command, run.ordinal)
                files |= {f"{name}.out": run.stdout, f"{name}.err": run.stderr}
        return cls({**files, "runs.json": json.dumps(entries).encode()})

    @property
    def name(self) -> str:
        return self.path or "mutated"

    def __truediv__(self, name: str) -> Folder:
        return Folder(self.files, f"{self.path}/{name}".lstrip("/"))

    def is_file(self) -> bool:
        return self.path in self.files

    def is_dir(self) -> bool:
        return not self.path or any(name.startswith(f"{self.path}/") for name in self.files)

    def read_bytes(self) -> bytes:
        return self.files[self.path]

    def with_run(self, run: Run) -> Folder:
        """The same recording with `run` in the place of the one of its command and ordinal."""
        files = dict(self.files)
        name = stream_name(run.command, run.ordinal)
        entries = json.loads(files["runs.json"])
        listed = [entry for entry in entries if entry["id"] == run.command]
        place = "" if listed else "diagnose/"
        if run.ended is Ended.NOT_RECORDED:
            files.pop(f"{place}{name}.out", None)
            files.pop(f"{place}{name}.err", None)
            return Folder(files)
        files[f"{place}{name}.out"], files[f"{place}{name}.err"] = run.stdout, run.stderr
        if listed:
            listed[run.ordinal - 1].update(exit_code=run.exit_code, ended=run.ended.value)
            files["runs.json"] = json.dumps(entries).encode()
        return Folder(files)


def carried_out(folder: Folder) -> dict[str, Runs]:
    """The runs that each step is judged by, also of the steps behind an abort."""
    record, runner = in_memory("mutated"), ReplayRunner(folder)  # type: ignore[arg-type]
    found = {}
    for step in STEPS:
        execution = ReplayExecution(CATALOG, runner, record)
        step.carry_out(execution)
        found[step.id] = execution.runs
    return found


@dataclass(frozen=True)
class Mutation:
    """One output of one step, changed."""

    kind: str  # what was done to it: `removed`, `truncated` …
    how: str  # the same, to the byte
    run: Run

    @property
    def lossy(self) -> bool:
        """Whether evidence was only taken away, and none of another kind put in its place."""
        return self.kind in LOSSY


LOSSY = ("removed", "emptied", "silenced", "timeout", "status", "truncated", "half-line")


def mutations(run: Run, others: Sequence[Run], thorough: bool) -> Iterator[Mutation]:
    """Everything that is done to `run`; `others` are the runs whose output may come in its place."""
    yield Mutation("removed", "removed", missing(run.command, run.ordinal))
    if not run.happened:
        return
    dice = random.Random(f"{run.command} {run.ordinal} {len(run.stdout)}")
    out = run.stdout
    yield Mutation("timeout", "timeout", replace(run, exit_code=None, ended=Ended.TIMEOUT))
    for status in (1, 124, None):
        if status != run.exit_code:
            yield Mutation("status" if status else "status-unknown", f"status {status}", replace(run, exit_code=status))
    if run.stderr:
        yield Mutation("no-stderr", "no-stderr", replace(run, stderr=b""))
    if not out:
        if run.stderr:
            yield Mutation("silenced", "silenced", replace(run, stderr=b""))
    else:
        yield Mutation("emptied", "emptied", replace(run, stdout=b""))
        yield Mutation("silenced", "silenced", replace(run, stdout=b"", stderr=b""))
        yield from _truncated(run, dice, thorough)
        yield from _reordered(run, dice, thorough)
        yield from _garbled(run, dice, thorough)
    donors = [other for other in others if other.stdout != out and other.stdout]
    for other in donors if thorough else dice.sample(donors, min(2, len(donors))):
        yield Mutation("swapped", f"stdout of {other.command}", replace(run, stdout=other.stdout))


def _truncated(run: Run, dice: random.Random, thorough: bool) -> Iterator[Mutation]:
    out = run.stdout
    ends = [index + 1 for index, byte in enumerate(out[:-1]) if byte == 0x0A]
    middle = sorted(
        {len(out) - 1, *(dice.randrange(1, len(out)) for _ in range(24 if thorough else 3) if len(out) > 1)}
    )
    if not thorough:
        ends = ends[:1] + ends[-1:]
    for end in sorted({*ends, *middle} - {0}):
        kind = "truncated" if end in ends else "half-line"
        yield Mutation(kind, f"cut at {end} of {len(out)}", replace(run, stdout=out[:end]))


def _reordered(run: Run, dice: random.Random, thorough: bool) -> Iterator[Mutation]:
    lines = run.stdout.splitlines(keepends=True)
    if len(lines) < 2:
        return
    orders = [lines[::-1], lines[1:] + lines[:1]]
    for _ in range(6 if thorough else 1):
        orders.append(dice.sample(lines, len(lines)))
    for number, order in enumerate(orders):
        yield Mutation("reordered", f"order {number}", replace(run, stdout=b"".join(order)))


def _garbled(run: Run, dice: random.Random, thorough: bool) -> Iterator[Mutation]:
    for number in range(24 if thorough else 3):
        out = bytearray(run.stdout)
        for _ in range((1, 3, 1 + len(out) // 20)[number % 3]):
            out[dice.randrange(len(out))] = dice.randrange(256)
        yield Mutation("garbled", f"garbled {number}", replace(run, stdout=bytes(out)))
    at = dice.randrange(len(run.stdout))
    for junk in (b"\x00", b"\xff\xfe", b"\x1b[2J", "한글\n".encode(), b"{" * 2000, b"\r\n\r\n"):
        yield Mutation(
            "garbled", f"{junk[:4]!r} at {at}", replace(run, stdout=run.stdout[:at] + junk + run.stdout[at:])
        )
