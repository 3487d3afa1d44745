"""The measurements of docs/speed.md.

    python benchmarks/speed.py --live            the program against a plain script, on the cluster that KUBECONFIG names or
                                                 that PLAYBOOK_FAULTS reaches; see docs/cluster.md for both
    python benchmarks/speed.py --stub 0.07       the same for Steps 0 to 6 with a kubectl that sleeps 70 ms and answers from
                                                 a recording; no cluster
    python benchmarks/speed.py --start           how long `show`, `list` and `--help` take to start, against `import click`
    python benchmarks/speed.py --overhead        the program's own cost per command, against `bash -c` alone
    python benchmarks/speed.py --memory          peak memory with one output of 50 MB

(a) is a plain bash script: the guide's commands in the guide's order, each waiting for what it must. (b) is the program with
the same commands, journal, verdicts and report included. Both run in pairs, A B A B ….
"""

from __future__ import annotations

import argparse
import os
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks.machine import description
from benchmarks.pairs import comparison, pairs, seconds
from benchmarks.script import Scope, script
from playbook.guide.catalog import load
from playbook.runtime.environment import has_tool

STUB = ROOT / "tests" / "stub" / "cluster"
STORAGE = "/var/lib/rancher/k3s/storage/"
PLAYBOOK = [sys.executable, "-m", "playbook"]


def stubbed(delay: float, jobs: int, count: int) -> None:
    """(b) against (a) for Steps 0 to 6, without a cluster."""
    with tempfile.TemporaryDirectory() as folder:
        env = quick_stub(Path(folder), delay)
        pasted = Path(folder) / "guide.sh"
        pasted.write_text(script(load(), Scope.STEPS, has_tool("jq")), "utf-8")
        program = [*PLAYBOOK, "all", "--until", "6", "--fresh", "--state-dir", f"{folder}/state", "--jobs", str(jobs)]
        one, other = pairs(lambda: seconds(["bash", str(pasted), folder], env), lambda: seconds(program, env), count)
    print(f"{Scope.STEPS.title}, kubectl that sleeps {delay} s, {jobs} jobs: {comparison(one, other)}")


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
            partial(seconds, [sys.executable, "-c", "import click"], env), partial(seconds, [*PLAYBOOK, *verb], env), 20
        )
        print(f"start of {' '.join(verb)} against import click: {comparison(one, other, digits=3)}")


def overhead() -> None:
    """Spawn, capture, mask, record and journal of one command, beyond what bash itself takes."""
    from playbook.model import Command
    from playbook.runtime.live import LiveRunner
    from playbook.session.journal import Journal, Kind
    from playbook.session.session import OpenSession

    command = Command("step0-nodes", "0", "true", "")
    with tempfile.TemporaryDirectory() as folder:
        session = OpenSession(Journal(Path(folder) / "journal.jsonl"), Path(folder))
        session.note(Kind.OPEN, session="-", guide="1.0", digests="", operator="")
        runner = LiveRunner()

        def ours() -> float:
            begin = time.perf_counter()
            session.keep([runner.run(command)])
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
    session = OpenSession(Journal(Path(folder) / "journal.jsonl"), Path(folder))
    session.note(Kind.OPEN, session="-", guide="1.0", digests="", operator="")
    runner = LiveRunner()
    text = "yes 'INFO a line of a log that goes on and on, as they do' | head -c {size}"
    run = session.keep([runner.run(Command("step6-3-logs-observer", "6-3", text, ""))])[0]
    assert len(run.stdout) == {size}
    runner.close()
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory with an output of 50 MB: {peak:.0f} MB (allowed: {40 + 1.5 * size / 1e6:.0f} MB)")


def live(scopes: list[Scope], count: int, jobs: int | None) -> int:
    """(b) against (a) on a cluster; 0 when all was compared, 1 when a run did other work, 2 when none could begin."""
    from benchmarks.live import NotReady, compare, plan, versions
    from tests.cluster.lab import reached, restart_allowed

    chosen = scopes or [scope for scope in Scope if scope is not Scope.WHOLE or restart_allowed()]
    if Scope.WHOLE in chosen and not restart_allowed():
        print("PLAYBOOK_CLUSTER_RESTART=1 is not set: the whole guide deletes pods", file=sys.stderr)
        return 2
    if Scope.WHOLE not in chosen and not scopes:
        print(f"left out: {Scope.WHOLE.title}; PLAYBOOK_CLUSTER_RESTART=1 lets Step 8 delete the pods")
    cluster = reached()
    try:
        print(versions(cluster))
        print(plan(chosen), flush=True)
        return max([0 if compare(cluster, scope, count, jobs) else 1 for scope in chosen])
    except (NotReady, AssertionError) as error:
        print(error, file=sys.stderr)
        return 2


def main() -> int:
    """Take what is asked for."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--live", action="store_true")
    options.add_argument(
        "--scope", action="append", type=Scope, default=[], metavar="steps|step7|whole",
        help="with --live; may be given more than once [default: all that is allowed]",
    )  # fmt: skip
    options.add_argument("--stub", type=float, metavar="SECONDS")
    options.add_argument("--jobs", type=int, help="of the program [default: the cores; 4 with --stub]")
    options.add_argument("--start", action="store_true")
    options.add_argument("--overhead", action="store_true")
    options.add_argument("--memory", action="store_true")
    options.add_argument("-n", type=int, default=15, help="pairs [default: 15]")
    chosen = options.parse_args()
    print(description())
    if chosen.stub is not None:
        stubbed(chosen.stub, chosen.jobs or 4, chosen.n)
    if chosen.start:
        start()
    if chosen.overhead:
        overhead()
    if chosen.memory:
        memory()
    return live(chosen.scope, chosen.n, chosen.jobs) if chosen.live else 0


if __name__ == "__main__":
    sys.exit(main())
