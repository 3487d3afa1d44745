"""How long the read-only commands of Steps 0 to 6 take: pasted into bash, and carried out by the program. In pairs, A B A B …

    python benchmarks/speed.py --live            on the cluster that KUBECONFIG names
    python benchmarks/speed.py --stub 0.07       with a kubectl that sleeps 70 ms and answers from a recording; no cluster
    python benchmarks/speed.py --start           how long `show`, `list` and `--help` take to start, against `import click`
    python benchmarks/speed.py --overhead        the program's own cost per command, against `bash -c` alone
    python benchmarks/speed.py --memory          peak memory with one output of 50 MB

(a) is a bash script with the guide's lines in the guide's order, all commands of Steps 0 to 6 that change nothing. (b) is
`playbook all --until 6` with a new record: the same commands but one of the two variants of 3-4, and besides them the two
writes of 6-6 and the one-line summary, journal and report included.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from playbook.guide.catalog import Catalog, load

ROOT = Path(__file__).resolve().parent.parent
STUB = ROOT / "tests" / "stub" / "cluster"
STORAGE = "/var/lib/rancher/k3s/storage/"
PLAYBOOK = [sys.executable, "-m", "playbook"]


def read_only(catalog: Catalog) -> str:
    """The script that an operator would paste: Steps 0 to 6 without what changes anything."""
    commands = (catalog.command(name) for name in catalog.ids)
    return "".join(c.text for c in commands if c.step and c.step[0] in "0123456" and not c.mutates)


def seconds(command: Sequence[str], env: dict[str, str]) -> float:
    """Wall time of one run, output thrown away."""
    begin = time.perf_counter()
    subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    return time.perf_counter() - begin


def pairs(one: Callable[[], float], other: Callable[[], float], count: int) -> tuple[list[float], list[float]]:
    """`count` times the one and then the other, after one of each that is not counted."""
    one(), other()
    taken = [(one(), other()) for _ in range(count)]
    return [a for a, _ in taken], [b for _, b in taken]


def told(name: str, one: Sequence[float], other: Sequence[float]) -> float:
    """Print the medians and the ratio pair by pair; returns the median ratio."""
    ratios = [b / a for a, b in zip(one, other, strict=True)]
    middle = statistics.median(ratios)
    print(
        f"{name}: a {statistics.median(one):.3f} s, b {statistics.median(other):.3f} s, "
        f"b/a median {middle:.2f} (min {min(ratios):.2f}, max {max(ratios):.2f}, {len(ratios)} pairs)"
    )
    return middle


def against_bash(env: dict[str, str], jobs: int | None, count: int, name: str) -> float:
    """(b) against (a)."""
    script = read_only(load())
    with tempfile.TemporaryDirectory() as folder:
        pasted = Path(folder) / "guide.sh"
        pasted.write_text(script)
        program = [*PLAYBOOK, "all", "--until", "6", "--fresh", "--state-dir", f"{folder}/state"]
        program += ["--jobs", str(jobs)] if jobs else []
        one, other = pairs(lambda: seconds(["bash", str(pasted)], env), lambda: seconds(program, env), count)
    return told(name, one, other)


def quick_stub(folder: Path, delay: float) -> dict[str, str]:
    """An environment whose kubectl sleeps `delay` seconds and prints what the stub cluster would, with almost no work."""
    stub: dict[str, object] = {"__name__": "stub", "__file__": str(STUB / "kubectl")}
    exec(compile((STUB / "kubectl").read_text(), str(STUB / "kubectl"), "exec"), stub)
    calls = stub["kubectl_calls"]
    env = {**os.environ, "STUB_SCENARIO": "1.20/healthy", "PATH": f"{STUB}:{os.environ['PATH']}"}
    cases = []
    for number, path in enumerate(sorted((ROOT / "commands").glob("*.sh"))):
        if not path.name.startswith((*(f"step{step}-" for step in range(7)), "summary")):
            continue
        for place, call in enumerate(calls(path)):  # type: ignore[operator]
            answer = subprocess.run(
                [str(STUB / "kubectl"), *call], env=env, capture_output=True, check=False, stdin=subprocess.DEVNULL
            )
            kept = folder / f"{number}-{place}"
            kept.write_bytes(answer.stdout)
            cases.append(f"{shlex.quote(' '.join(call))}) cat {kept}; exit {answer.returncode};;")
    tools = folder / "bin"
    tools.mkdir()
    kubectl = tools / "kubectl"
    kubectl.write_text(f'#!/bin/sh\nsleep {delay}\ncase "$*" in\n' + "\n".join(cases) + "\nesac\nexit 1\n")
    kubectl.chmod(0o755)
    listing = subprocess.run([str(STUB / "ls"), "-la", STORAGE], env=env, capture_output=True, check=True)
    (folder / "listing").write_bytes(listing.stdout)
    (tools / "ls").write_text(f"#!/bin/sh\ncat {folder}/listing\n")
    (tools / "ls").chmod(0o755)
    return {**env, "PATH": f"{tools}:{os.environ['PATH']}"}


def start() -> None:
    """Start-up of the verbs that must be quick."""
    env = dict(os.environ)
    for verb in (["show", "3-4"], ["list"], ["--help"]):
        one, other = pairs(
            lambda: seconds([sys.executable, "-c", "import click"], env),
            lambda v=verb: seconds([*PLAYBOOK, *v], env),
            20,
        )  # type: ignore[misc]
        told(f"start of {' '.join(verb)} against import click", one, other)


def overhead() -> None:
    """Spawn, capture, mask, record and journal of one command, beyond what bash itself takes."""
    from playbook.model import Command
    from playbook.runtime.live import LiveRunner
    from playbook.session.journal import Journal, Kind
    from playbook.session.session import OpenSession

    command = Command("step0-nodes", "0", "true", "")
    with tempfile.TemporaryDirectory() as folder:
        record = OpenSession(Journal(Path(folder) / "journal.jsonl"), Path(folder))
        record.note(Kind.OPEN, session="-", guide="1.0", digests="", operator="")
        runner = LiveRunner()
        ordinal = iter(range(1, 10_000))

        def ours() -> float:
            begin = time.perf_counter()
            record.keep([runner.run(command, next(ordinal))])
            return time.perf_counter() - begin

        bash, whole = pairs(lambda: seconds(["bash", "-c", "true"], dict(os.environ)), ours, 100)
        runner.close()
    extra = statistics.median(b - a for a, b in zip(bash, whole, strict=True))
    print(f"own cost per command: {extra * 1000:.1f} ms median beyond bash ({statistics.median(bash) * 1000:.1f} ms)")


def memory() -> None:
    """Peak memory of a process that runs one command with 50 MB of output, records and masks it."""
    size = 50_000_000
    program = f"""
import tempfile
from pathlib import Path
from playbook.session.journal import Journal, Kind
from playbook.model import Command
from playbook.runtime.live import LiveRunner
from playbook.session.session import OpenSession
with tempfile.TemporaryDirectory() as folder:
    record = OpenSession(Journal(Path(folder) / "journal.jsonl"), Path(folder))
    record.note(Kind.OPEN, session="-", guide="1.0", digests="", operator="")
    runner = LiveRunner()
    text = "yes 'INFO a line of a log that goes on and on, as they do' | head -c {size}"
    run = record.keep([runner.run(Command("step6-3-logs-observer", "6-3", text, ""), 1)])[0]
    assert len(run.stdout) == {size}
    runner.close()
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory with an output of 50 MB: {peak:.0f} MB (allowed: {40 + 1.5 * size / 1e6:.0f} MB)")


def main() -> None:
    """Take what is asked for."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--live", action="store_true")
    options.add_argument("--stub", type=float, metavar="SECONDS")
    options.add_argument("--jobs", type=int)
    options.add_argument("--start", action="store_true")
    options.add_argument("--overhead", action="store_true")
    options.add_argument("--memory", action="store_true")
    options.add_argument("-n", type=int, default=10, help="pairs")
    chosen = options.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    if chosen.live:
        against_bash(dict(os.environ), chosen.jobs, chosen.n, "Steps 0 to 6, live")
    if chosen.stub is not None:
        with tempfile.TemporaryDirectory() as folder:
            env = quick_stub(Path(folder), chosen.stub)
            against_bash(env, chosen.jobs or 4, chosen.n, f"Steps 0 to 6, kubectl that sleeps {chosen.stub} s")
    if chosen.start:
        start()
    if chosen.overhead:
        overhead()
    if chosen.memory:
        memory()


if __name__ == "__main__":
    main()
