"""How long Step 7-2 takes: the guide's command as it is, and as the program runs it. Changes nothing but the pod tmp-curl.

    python -m tests.cluster.seven_two PLAIN OURS [KUBECTL ...]

PLAIN and OURS are numbers of tries with each kubectl (the one on PATH where none is named).
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playbook.guide.catalog import load
from playbook.guide.ids import HEALTH_VIA_SERVICE
from playbook.kubectl.health import answers

from .lab import Cluster, first_in_path, kubectls, reached

LIMIT_S = 120


@dataclass(frozen=True)
class Try:
    """One try."""

    way: str  # how it ended
    seconds: float


def plain(cluster: Cluster, env: dict[str, str]) -> Try:
    """The guide's command under bash, standard input empty."""
    began = time.monotonic()
    done = subprocess.run(
        cluster.command("bash", "-c", load().command(HEALTH_VIA_SERVICE).text, env=env),
        check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=LIMIT_S,
    )  # fmt: skip
    seconds = time.monotonic() - began
    body = "body" if answers(done.stdout) else "no body"
    if "timed out waiting for the condition" in done.stderr:
        return Try(f"waited out its 60 s, {body}", seconds)
    if "falling back to streaming logs" in done.stderr:
        return Try(f"fallback to the log, {body}", seconds)
    return Try(f"attached, {body}", seconds)


def ours(cluster: Cluster, env: dict[str, str]) -> Try:
    """Step 7-2 by the program."""
    with tempfile.TemporaryDirectory() as state:
        seen = cluster.play(Path(state), "step", "7-2", "--output", "json", env=env)
    (step,) = (step for step in json.loads(seen.out)["steps"] if step["id"] == "7")
    run = [run for run in step["runs"] if run["id"] == HEALTH_VIA_SERVICE][-1]
    return Try(f"{run['ended']}, {step['findings'][0]['verdict']}", run["seconds"])


def main() -> None:
    """Print one line per try, then one per way of ending."""
    tries = {"plain": int(sys.argv[1]), "ours": int(sys.argv[2])}
    ways: dict[str, Callable[[Cluster, dict[str, str]], Try]] = {"plain": plain, "ours": ours}
    cluster = reached()
    programs = [Path(name) for name in sys.argv[3:]] or kubectls()[:1]
    for program in programs:
        with tempfile.TemporaryDirectory() as wrappers:
            env = first_in_path(program, Path(wrappers))
            for kind, way in ways.items():
                seen = [_one(cluster, way, env, f"{program.name} {kind} {n + 1}") for n in range(tries[kind])]
                for name in sorted({one.way for one in seen}):
                    took = [one.seconds for one in seen if one.way == name]
                    print(
                        f"{program.name}  {kind}  {len(took)} of {len(seen)}  {name}  median {statistics.median(took):.1f} s"
                    )


def _one(cluster: Cluster, way: Callable[[Cluster, dict[str, str]], Try], env: dict[str, str], name: str) -> Try:
    cluster.clear_tmp_curl()
    seen = way(cluster, env)
    print(f"{name}: {seen.way}, {seen.seconds:.1f} s", flush=True)
    return seen


if __name__ == "__main__":
    main()
