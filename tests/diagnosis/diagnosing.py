"""Clusters with something wrong, as the diagnosis meets them: a recorded state, or the healthy one with outputs put in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support import FIXTURES, made, runs_of

from playbook.diagnosis.diagnose import diagnose
from playbook.model import Cause, Run, Runs, StepResult, missing
from playbook.runtime.replay import ReplayRunner
from playbook.steps import STEPS

HANDWRITTEN = Path(__file__).resolve().parents[1] / "fixtures_handwritten"
READ_ONLY = (
    "k3s-status", "describe-node", "describe-pvc", "get-sc", "get-provisioner", "logs-previous", "describe-pod",
    "describe-pod-failed",
)  # fmt: skip
OBSERVERS = ("observer-7cd9cf784-88mzn", "observer-7cd9cf784-msnmp")
NODE = "oracle-obs-arm"


@dataclass(frozen=True)
class Case:
    """A state, what is put in its place (by command), and what the diagnosis commands say (by command or key)."""

    name: str
    roots: tuple[str, ...]
    state: str = "1.20/healthy"
    instead: Mapping[str, Run] = field(default_factory=dict)
    says: Mapping[str, str | Run] = field(
        default_factory=dict
    )  # command or key -> case in fixtures_handwritten, or its output
    unmatched: bool = False
    follows: tuple[str, ...] = ()  # codes that the first root must explain


@dataclass(frozen=True)
class Diagnosed:
    """What came of it."""

    results: tuple[StepResult, ...]
    causes: tuple[Cause, ...]
    asked: tuple[str, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(cause.code for cause in self.causes)


def written(case: str, command: str) -> Run:
    """The hand-written output of `command` in `case`."""
    streams = [HANDWRITTEN / f"{case}.{command}.{ending}" for ending in ("out", "err")]
    assert any(path.is_file() for path in streams), f"{case}.{command} is not in {HANDWRITTEN}"
    out, err = (path.read_bytes() if path.is_file() else b"" for path in streams)
    return made(command, out, err, 0 if out or b"No resources" in err else 1)


def judged(runs: Sequence[Run]) -> tuple[StepResult, ...]:
    """Every step judged by those of `runs` that are its own, the summary with Step 3."""
    results = []
    for step in STEPS:
        mine = Runs(r for r in runs if r.command in step.commands or (r.command == "summary" and step.id == "3"))
        results.append(StepResult(step.id, step.judge(mine), tuple(mine)))
    return tuple(results)


def examine(case: Case) -> Diagnosed:
    """Judge and diagnose `case`, once; fails when the diagnosis asks for a command that is not read-only."""
    if id(case) not in _examined:
        _examined[id(case)] = case, _examine(case)
    return _examined[id(case)][1]


_examined: dict[int, tuple[Case, Diagnosed]] = {}  # the case is kept with it, so that no other gets its id


def _examine(case: Case) -> Diagnosed:
    runs = [r for r in runs_of(case.state) if r.command not in case.instead]
    runs += [r for run in case.instead.values() for r in (run if isinstance(run, tuple) else (run,))]
    return diagnosed(judged(runs), case.state, case.says)


def diagnosed(
    results: tuple[StepResult, ...], state: str = "", says: Mapping[str, str | Run] | None = None
) -> Diagnosed:
    """Diagnose `results` with what the recording `state` and the hand-written outputs have."""
    asked: list[str] = []
    recorded: Callable[[str], Run] = missing
    if state:
        runner = ReplayRunner(FIXTURES / state)
        recorded = lambda key: runner.read(key, 1)  # noqa: E731

    def run(command: str, target: str) -> Run:
        assert command in READ_ONLY, f"{command} is not a read-only diagnosis"
        key = f"{command}.{target}" if target else command
        assert key not in asked, f"{key} was asked for twice"
        asked.append(key)
        for name in (key, command):
            if says and name in says:
                said = says[name]
                found = said if isinstance(said, Run) else written(said, command)
                return made(key, found.stdout, found.stderr, found.exit_code)
        return recorded(key)

    causes = diagnose(results, run)
    return Diagnosed(results, causes, tuple(asked))


def pods(
    observer: str = "1/1 Running 0", postgres: str | None = "1/1 Running 0", names: Sequence[str] = OBSERVERS
) -> Run:
    """Step 6-1's list: READY, STATUS and RESTARTS (`3 (20s ago)` may hold spaces) of the observer pods and of postgres-0."""
    listed = [(name, observer) for name in names] + ([("postgres-0", postgres)] if postgres else [])
    lines = [
        f"{'NAME':<27}{'READY':<8}{'STATUS':<29}{'RESTARTS':<14}{'AGE':<6}{'IP':<13}NODE             NOMINATED NODE   READINESS GATES"
    ]
    for name, state in listed:
        ready, status, restarts = state.split(" ", 2)
        lines.append(
            f"{name:<27}{ready:<8}{status:<29}{restarts:<14}{'58m':<6}{'10.42.0.52':<13}{NODE:<17}{'<none>':<17}<none>"
        )
    return made("step6-1-pods", "\n".join(lines) + "\n")


def cut_off(text: str = 'error: unable to upgrade connection: container not found ("observer")') -> dict[str, Run]:
    """What everything that is run in the observer's container says when there is none."""
    commands = ("step6-4-env", "step6-5-mounts", "step6-6-write-data", "step6-6-write-logs", "step7-1-health-in-pod",
                "step7-4-db-connection")  # fmt: skip
    return {command: made(command, stderr=f"{text}\n", exit_code=1) for command in commands}
