"""The program against the plain script on a real cluster, in pairs A B A B …: the same commands, the same waits.

Before each run the pods are Ready and no pod tmp-curl is there; before a run of the whole guide the namespace's events are
deleted, because a restart leaves Warnings that Step 6-2 of the next run rightly shows. None of that is timed.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from playbook.guide.catalog import load
from playbook.runtime.environment import has_tool
from tests.cluster.lab import Cluster, until, verdicts

from .machine import busy_s, others_at_work, snapshot
from .pairs import comparison, spread
from .script import Scope, script

_PROGRAM = {
    Scope.STEPS: ("all", "--until", "6", "--fresh"),
    Scope.STEP7: ("step", "7"),
    Scope.WHOLE: ("all", "--allow-restart", "--fresh"),
}
"""What an operator types. `step 7` looks at Step 0, 6-1 and 6-4 first: which cluster, whose tmp-curl, what to mask."""

_READY_S = 180.0
"""How long the pods may take to be Ready before a run; an old kubelet keeps a deleted pod for up to 90 s."""

_RUN_S = 900.0
_IDLE_S = 5.0

_QUIET_CORES = 0.5
"""With more cores at work before anything is asked, what a run takes cannot be told from what others do."""


class NotReady(Exception):
    """The cluster is not in the state in which a run may begin."""


@dataclass(frozen=True, slots=True)
class Timed:
    """One run of one side."""

    seconds: float
    work_s: float  # seconds that all cores of this machine worked meanwhile, whoever for
    seven_two_s: float  # what 7-2 took of it; 0 where it is not part of the scope
    ready_before: int  # pods
    ready_after: int
    wrong: str  # why this was not the same work; empty when it was


def plan(scopes: Sequence[Scope]) -> str:
    """What the runs do to the cluster, to be said before they do it."""
    lines = [
        "In the namespace observer-prod these runs",
        "  create   for a moment a file .write_test on the data and logs volumes (Step 6-6)",
    ]
    if {Scope.STEP7, Scope.WHOLE} & {*scopes}:
        lines.append("  create   the pod tmp-curl (Step 7-2), and delete it")
    if Scope.WHOLE in scopes:
        lines.append(
            "  delete   the observer pods and postgres-0 (Step 8), twice for each pair; the namespace's events"
        )
    return "\n".join(lines)


def versions(cluster: Cluster) -> str:
    """The versions of kubectl and of the server."""
    seen = json.loads(cluster.kubectl("version", "-o", "json").stdout)
    return f"kubectl {seen['clientVersion']['gitVersion']}, server {seen['serverVersion']['gitVersion']}"


def compare(cluster: Cluster, scope: Scope, count: int, jobs: int | None) -> bool:
    """Take `count` pairs and print them; returns whether every run did the same work.

    Raises NotReady when the pods do not become Ready, TamperedCommand when a command is not the guide's.
    """
    with tempfile.TemporaryDirectory() as scratch:
        _pair(cluster, Scope.STEPS, Path(scratch) / "0", jobs)  # not counted: fills the caches of files
        _settle(cluster, scope)
        idle = _idle()
        before = snapshot()
        one, other = [], []
        for number in range(1, count + 1):
            a, b = _pair(cluster, scope, Path(scratch) / str(number), jobs)
            one.append(a)
            other.append(b)
            print(f"  pair {number}: a {_line(a)}; b {_line(b)}", flush=True)
        after = snapshot()
    print(f"{scope.title}: {comparison([a.seconds for a in one], [b.seconds for b in other])}")
    if any(a.seven_two_s for a in one):
        print(
            f"  7-2 alone: a {spread([a.seven_two_s for a in one])}, b {spread([b.seven_two_s for b in other])}; "
            f"a without it {spread([a.seconds - a.seven_two_s for a in one])}"
        )
    if idle < _QUIET_CORES:
        print(
            f"  core-seconds: a {_work(one, idle)}, b {_work(other, idle)}; "
            f"left out are {idle:.2f} cores that were at work when nothing was asked"
        )
    else:
        print(f"  core-seconds: cannot be told, {idle:.2f} cores were at work when nothing was asked")
    print(f"  load average {_load(before.load)} before, {_load(after.load)} after")
    busy = [f"{each.name} ({each.pid}) {each.share:.0%}" for each in others_at_work(before, after, os.getpid())]
    print(f"  above 10 % of a core and not of this comparison: {', '.join(busy) or 'nothing'}")
    wrong = [timed.wrong for timed in (*one, *other) if timed.wrong]
    if wrong:
        print(f"  NOT THE SAME WORK in {len(wrong)} of {2 * count} runs: {'; '.join(sorted({*wrong}))}")
    return not wrong


def _pair(cluster: Cluster, scope: Scope, scratch: Path, jobs: int | None) -> tuple[Timed, Timed]:
    scratch.mkdir()
    a = _timed(cluster, scope, lambda: by_script(cluster, scope, scratch))
    return a, _timed(cluster, scope, lambda: by_program(cluster, scope, scratch / "state", jobs))


def _timed(cluster: Cluster, scope: Scope, run: Callable[[], Timed]) -> Timed:
    """One run, from and to a state of the cluster that is looked at outside of its time."""
    before = _settle(cluster, scope)
    timed = run()
    return replace(timed, ready_before=before, ready_after=_ready(cluster))


def _settle(cluster: Cluster, scope: Scope) -> int:
    """Wait until the pods are Ready and tmp-curl is gone; returns how many pods are Ready."""
    cluster.clear_tmp_curl()
    if not until(cluster.is_up, _READY_S, 0.5):
        raise NotReady(f"two observer pods and postgres-0, Ready and alone, are wanted; there is {cluster.ready()}")
    if scope is Scope.WHOLE:
        cluster.forget_events()
    return _ready(cluster)


def _ready(cluster: Cluster) -> int:
    """How many pods of the service are Ready."""
    return sum(ready for name, ready in cluster.ready().items() if name != "tmp-curl")


def by_script(cluster: Cluster, scope: Scope, scratch: Path) -> Timed:
    """(a): the script under bash, without a terminal, as the program runs its commands."""
    pasted = scratch / "guide.sh"
    pasted.write_text(script(load(), scope, has_tool("jq")), "utf-8")
    work, begin = busy_s(), time.monotonic()
    done = subprocess.run(
        cluster.command("bash", str(pasted), str(scratch), env={"LC_ALL": "C.UTF-8"}),
        check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_RUN_S,
    )  # fmt: skip
    seconds, work = time.monotonic() - begin, busy_s() - work
    wrong = f"the script: {_stopped(done.stderr)}" if done.returncode else ""
    moments = scratch / "seven-two"
    began, ended = map(float, moments.read_text().split()) if moments.is_file() else (0.0, 0.0)
    return Timed(seconds, work, ended - began, 0, 0, wrong)


def _stopped(err: str) -> str:
    lines = [line for line in err.splitlines() if line.startswith("stopped: ")]
    return lines[-1] if lines else "ended without saying why"


def by_program(cluster: Cluster, scope: Scope, state: Path, jobs: int | None) -> Timed:
    """(b): the program with a new state folder, journal, verdicts and report included."""
    chosen = ("--jobs", str(jobs)) if jobs else ()
    work, begin = busy_s(), time.monotonic()
    cluster.play(state, *_PROGRAM[scope], *chosen, limit_s=_RUN_S)
    seconds, work = time.monotonic() - begin, busy_s() - work
    document = cluster.document(state)
    return Timed(seconds, work, _seven_two(document), 0, 0, _shortfall(scope, document))


def _seven_two(document: dict[str, Any]) -> float:
    runs = (run for step in document["steps"] if step["id"] == "7" for run in step["runs"])
    return float(sum(run["seconds"] for run in runs if run["id"] == "step7-2-health-via-service"))


def _shortfall(scope: Scope, document: dict[str, Any]) -> str:
    """The steps of the scope that did not pass (Step 9: are not pending); empty when all did."""
    seen = verdicts(document)
    odd = [f"Step {id} {seen[id]}" for id in scope.steps if seen[id] != ("pending" if id == "9" else "pass")]
    return f"the program: {', '.join(odd)}" if odd else ""


def _idle() -> float:
    """How many cores are at work when nothing is asked of the cluster."""
    work, begin = busy_s(), time.monotonic()
    time.sleep(_IDLE_S)
    return (busy_s() - work) / (time.monotonic() - begin)


def _work(side: Sequence[Timed], idle: float) -> str:
    """How long all cores together worked for a run, less what they do when nothing is asked."""
    return spread([timed.work_s - idle * timed.seconds for timed in side])


def _line(timed: Timed) -> str:
    text = f"{timed.seconds:.2f} s" + (f" (7-2 {timed.seven_two_s:.2f} s)" if timed.seven_two_s else "")
    if timed.ready_before != timed.ready_after:
        text += f", ready pods {timed.ready_before} before, {timed.ready_after} after"
    return text + (f", {timed.wrong}" if timed.wrong else "")


def _load(load: tuple[float, float, float]) -> str:
    return " ".join(f"{each:.2f}" for each in load)
