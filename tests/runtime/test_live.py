"""The live runner, on real processes and without a cluster."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from playbook.errors import MissingTool
from playbook.model import Command, Ended, Run
from playbook.refusals import Refusal
from playbook.runtime import live, processes
from playbook.runtime.live import LiveRunner
from playbook.runtime.provenance import provenance

ROOT = Path(__file__).resolve().parents[2]
STUB = ROOT / "tests" / "stub"

needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def command(text: str, timeout_s: float = 10.0, key: str = "step0-test") -> Command:
    return Command(key, "0", text, "", timeout_s=timeout_s)


@pytest.fixture
def runner() -> Iterator[LiveRunner]:
    live = LiveRunner(grace_s=0.4, settle_after_s=0.2, settle_every_s=0.1, listen_s=3.0)
    yield live
    live.close()


@pytest.fixture
def mark() -> dict[str, str]:
    """An environment by which every descendant of a run is found again."""
    return {"PLAYBOOK_TEST_MARK": uuid.uuid4().hex}


def marked(mark: dict[str, str]) -> list[int]:
    """The living processes that carry `mark` (a zombie has no environment any more)."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark["PLAYBOOK_TEST_MARK"].encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def soon(condition: Callable[[], object], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def in_background(work: Callable[[], Run]) -> tuple[threading.Thread, list[Run]]:
    made: list[Run] = []
    thread = threading.Thread(target=lambda: made.append(work()))
    thread.start()
    return thread, made


# what a command says


def test_streams_and_status_apart(runner: LiveRunner) -> None:
    run = runner.run(command("echo out; echo err >&2; exit 3"))
    assert (run.stdout, run.stderr, run.exit_code, run.ended) == (b"out\n", b"err\n", 3, Ended.EXITED)
    assert (run.command, run.ordinal, run.note) == ("step0-test", 0, "")
    assert 0 < run.duration_s < 5 and run.started_at.utcoffset() is not None


def test_bytes_are_kept_as_they_came(runner: LiveRunner) -> None:
    assert runner.run(command(r"printf 'a\r\nb\xff\xfe\0c'")).stdout == b"a\r\nb\xff\xfe\0c"


def test_text_reaches_bash_unchanged(runner: LiveRunner) -> None:
    text = "printf '%s|' \"$0\" 'a  b' \"\n\" \\\n  'é$x`' # end"
    assert runner.run(command(text)).stdout.split(b"|", 1)[1] == "a  b|\n|é$x`|".encode()


@pytest.mark.parametrize(
    ("text", "status"),
    [("false | cat", 1), ("cat /nonexistent 2>/dev/null | wc -l", 1), ("yes | head -1", 141), ("kill -9 $$", -9)],
)
def test_a_pipe_does_not_mask_a_status(runner: LiveRunner, text: str, status: int) -> None:
    run = runner.run(command(text))
    assert (run.exit_code, run.ended) == (status, Ended.EXITED)


def test_no_terminal_and_empty_standard_input(runner: LiveRunner) -> None:
    run = runner.run(
        command("cat; test -t 0 || test -t 1 || test -t 2 || echo none; (: </dev/tty) 2>/dev/null || echo detached")
    )
    assert run.stdout == b"none\ndetached\n"


def test_environment_is_the_operators_and_what_is_given(runner: LiveRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_OPERATOR", "yes")
    run = runner.run(command('echo "$OF_THE_OPERATOR $POSTGRES_USER"'), {"POSTGRES_USER": "observer"})
    assert run.stdout == b"yes observer\n"
    assert "POSTGRES_USER" not in os.environ


def test_an_unknown_program_is_bashs_127(runner: LiveRunner) -> None:
    run = runner.run(command("no-such-program-here"))
    assert (run.exit_code, run.ended) == (127, Ended.EXITED)
    assert b"command not found" in run.stderr


def test_without_bash(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    live = LiveRunner()
    run = live.run(command("echo"))
    assert (run.ended, run.exit_code, run.stdout) == (Ended.NOT_FOUND, None, b"")
    assert run.note == "[Errno 2] No such file or directory: 'bash'"
    assert [run.ended for run in live.port_forward(command("a &"), command("b"), command("c"))] == [Ended.NOT_FOUND] * 3
    live.close()


def test_what_the_system_refuses_to_start_says_why(runner: LiveRunner) -> None:
    run = runner.run(command(f"echo {'x' * 3_000_000}"))
    assert (run.ended, run.exit_code) == (Ended.NOT_FOUND, None)
    assert "Argument list too long" in run.note


def test_nothing_of_a_command_line_is_logged(runner: LiveRunner, caplog: pytest.LogCaptureFixture) -> None:
    import logging

    caplog.set_level(logging.DEBUG)
    runner.run(command("echo hidden-word"))
    assert "hidden-word" not in caplog.text


def test_closed_standard_streams_do_not_mix() -> None:
    code = (
        "from playbook.runtime.live import LiveRunner; from playbook.model import Command; import os\n"
        "run = LiveRunner().run(Command('x', '', 'echo out; echo err >&2; cat', ''))\n"
        "os._exit(0 if (run.stdout, run.stderr) == (b'out\\n', b'err\\n') else 9)"
    )
    script = f'exec "{sys.executable}" -c "$CODE" <&- >&- 2>&-'
    done = subprocess.run(["bash", "-c", script], env={**os.environ, "CODE": code}, cwd=ROOT, timeout=20, check=False)
    assert done.returncode == 0


# how a command ends


@needs_proc
def test_time_limit_keeps_the_output_and_ends_grandchildren(runner: LiveRunner, mark: dict[str, str]) -> None:
    run = runner.run(command("echo before; echo e >&2; (sleep 60; echo after) | cat & sleep 60 | cat", 0.3), mark)
    assert (run.stdout, run.stderr, run.exit_code, run.ended) == (b"before\n", b"e\n", None, Ended.TIMEOUT)
    assert 0.3 <= run.duration_s < 2
    assert soon(lambda: not marked(mark), 1)


@needs_proc
@pytest.mark.parametrize(
    "text", ["trap '' TERM; echo x; sleep 60; sleep 60", "echo x; (trap '' TERM; sleep 60; sleep 60) | cat"]
)
def test_who_ignores_sigterm_is_killed(runner: LiveRunner, mark: dict[str, str], text: str) -> None:
    run = runner.run(command(text, 0.3), mark)
    assert (run.stdout, run.ended) == (b"x\n", Ended.TIMEOUT)
    assert run.duration_s < 3
    assert soon(lambda: not marked(mark), 1)


@needs_proc
def test_nobody_stays_behind_a_command_that_ended(runner: LiveRunner, mark: dict[str, str]) -> None:
    run = runner.run(command("sleep 60 & echo done"), mark)
    assert (run.stdout, run.exit_code, run.ended) == (b"done\n", 0, Ended.EXITED)
    assert run.duration_s < 2
    assert soon(lambda: not marked(mark), 1)


def test_until_settles(runner: LiveRunner) -> None:
    asked: list[float] = []
    begin = time.monotonic()

    def seen() -> bool:
        asked.append(time.monotonic() - begin)
        return len(asked) == 3

    run = runner.run(command("echo waiting; sleep 60"), until=seen)
    assert (run.stdout, run.ended, run.exit_code) == (b"waiting\n", Ended.STOPPED_EARLY, None)
    assert len(asked) == 3 and asked[0] >= 0.2 and asked[2] - asked[1] >= 0.1


def test_until_may_run_commands_and_loses_to_the_end(runner: LiveRunner) -> None:
    def seen() -> bool:
        return runner.run(command("sleep 0.5")).exit_code == 0  # by then the command itself has ended

    run = runner.run(command("sleep 0.3; exit 7"), until=seen)
    assert (run.ended, run.exit_code) == (Ended.EXITED, 7)


@needs_proc
def test_an_exception_in_the_caller_ends_the_group(runner: LiveRunner, mark: dict[str, str]) -> None:
    def seen() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.run(command("sleep 60 | cat"), mark, until=seen)
    assert soon(lambda: not marked(mark), 1)


@needs_proc
def test_end_all_ends_every_run_and_no_new_one_starts(runner: LiveRunner, mark: dict[str, str], tmp_path: Path) -> None:
    runs = [in_background(lambda n=n: runner.run(command(f"echo {n}; sleep 60 | cat"), mark)) for n in range(3)]  # type: ignore[misc]
    assert soon(lambda: len(marked(mark)) == 9)
    runner.end_all()
    assert not marked(mark)
    runner.end_all()
    for number, (thread, made) in enumerate(runs):
        thread.join(3)
        assert (made[0].ended, made[0].exit_code, made[0].stdout) == (Ended.INTERRUPTED, None, f"{number}\n".encode())
    late = runner.run(command(f"touch {tmp_path}/started"))
    assert (late.ended, late.note, late.exit_code) == (Ended.INTERRUPTED, processes.NOT_STARTED, None)
    assert not list(tmp_path.iterdir())
    forward = runner.port_forward(command("sleep 9 &"), command("true"), command("kill %1"))
    assert [run.ended for run in forward] == [Ended.INTERRUPTED] * 3


@needs_proc
def test_end_all_races_with_starts(mark: dict[str, str]) -> None:
    for delay in range(8):
        live = LiveRunner(grace_s=0.4)
        started = [in_background(lambda: live.run(command("sleep 60"), mark)) for _ in range(2)]  # noqa: B023
        time.sleep(delay * 0.001)
        live.end_all()
        for thread, made in started:
            thread.join(3)
            assert made[0].ended is Ended.INTERRUPTED
        assert not marked(mark)
        live.close()


def test_cleanup_runs_after_end_all_and_outlives_a_second_one(runner: LiveRunner) -> None:
    runner.end_all()
    thread, made = in_background(lambda: runner.cleanup(command("sleep 0.4; echo clean")))
    time.sleep(0.15)
    runner.end_all()
    thread.join(3)
    assert (made[0].stdout, made[0].ended, made[0].exit_code) == (b"clean\n", Ended.EXITED, 0)


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_child_outlives_the_program(mark: dict[str, str], number: signal.Signals) -> None:
    code = (
        "import signal, sys\n"
        "from playbook.runtime.live import LiveRunner; from playbook.model import Command\n"
        "live = LiveRunner(grace_s=0.4)\n"
        "signal.signal(signal.SIGTERM, lambda *_: live.end_all())\n"
        "run = live.run(Command('x', '', 'sleep 60 | cat', ''), {'PLAYBOOK_TEST_MARK': sys.argv[1]})\n"
        "print(run.ended.value)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, mark["PLAYBOOK_TEST_MARK"]],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as program:
        assert soon(lambda: len(marked(mark)) >= 3)
        program.send_signal(number)
        out = program.communicate(timeout=10)[0]
    assert out == ("interrupted\n" if number is signal.SIGTERM else "")
    # After SIGKILL nobody of ours is left to do it but the guard, which waits a second before its own SIGKILL.
    assert soon(lambda: not marked(mark), 3 if number is signal.SIGKILL else 0.5)


# speed, size, threads


def test_eight_threads_at_once(runner: LiveRunner) -> None:
    def one(number: int) -> tuple[bytes, bytes, int | None]:
        run = runner.run(command(f"echo {number} | cat; echo e{number} >&2; exit {number % 100}"))
        return run.stdout, run.stderr, run.exit_code

    with ThreadPoolExecutor(8) as pool:
        for number, answer in enumerate(pool.map(one, range(120))):
            assert answer == (f"{number}\n".encode(), f"e{number}\n".encode(), number % 100)


def test_no_descriptor_or_thread_is_left(runner: LiveRunner) -> None:
    def used() -> tuple[int, int]:
        return len(list(Path("/dev/fd").iterdir())), threading.active_count()

    runner.run(command("true"))
    before = used()
    for _ in range(5):
        runner.run(command("echo | cat"))
    runner.port_forward(command("sleep 9 &", 0.3), command("true"), command("kill %1"))
    assert soon(lambda: all(now <= then for now, then in zip(used(), before, strict=True)), 3), (before, used())


@pytest.mark.skipif(not Path("/proc/self/status").exists() or not hasattr(os, "memfd_create"), reason="needs Linux")
def test_thirty_megabytes_cost_their_size_once() -> None:
    code = (
        "from pathlib import Path\n"
        "from playbook.runtime.live import LiveRunner; from playbook.model import Command\n"
        "peak = lambda: int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]) * 1024\n"
        "live = LiveRunner(); live.run(Command('x', '', 'true', '')); before = peak()\n"
        "run = live.run(Command('x', '', 'head -c 30000000 /dev/zero', ''))\n"
        "print(len(run.stdout), peak() - before)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    ).stdout
    size, cost = map(int, out.split())
    assert size == 30_000_000
    assert cost < 1.2 * size


# Step 7-3


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch, runner: LiveRunner, mark: dict[str, str]) -> Callable[[str], None]:
    """Puts the stub kubectl on PATH, and the mark on all that is started (the runner's guard is older)."""

    def use(behaviour: str) -> None:
        monkeypatch.setenv("PATH", f"{STUB}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("STUB", behaviour)
        monkeypatch.setenv("PLAYBOOK_TEST_MARK", mark["PLAYBOOK_TEST_MARK"])
        monkeypatch.setenv("NO_PROXY", "*")

    return use


def forward(runner: LiveRunner, port: int, path: str = "health", timeout_s: float = 10.0) -> tuple[Run, Run, Run]:
    return runner.port_forward(
        command(
            f"kubectl port-forward svc/observer {port}:8000 -n observer-prod &\n", timeout_s, "step7-3-port-forward"
        ),
        command(f"curl -sf http://localhost:{port}/{path}\n", key="step7-3-curl"),
        command("kill %1\n", key="step7-3-stop-port-forward"),
    )


@needs_proc
@needs_curl
def test_forward_curl_stop(runner: LiveRunner, stub: Callable[[str], None], port: int, mark: dict[str, str]) -> None:
    stub("listen")
    one, two, three = forward(runner, port)
    assert [run.command for run in (one, two, three)] == [
        "step7-3-port-forward",
        "step7-3-curl",
        "step7-3-stop-port-forward",
    ]
    assert one.out == f"Forwarding from 127.0.0.1:{port} -> 8000\nHandling connection for {port}\n"
    assert (one.stderr, one.exit_code, one.ended) == (b"", -15, Ended.EXITED)
    assert (two.stdout, two.stderr, two.exit_code, two.ended) == (b'{"status": "ok"}', b"", 0, Ended.EXITED)
    assert (three.stdout, three.exit_code, three.ended) == (b"", 0, Ended.EXITED)
    assert one.started_at < two.started_at < three.started_at
    assert one.duration_s >= two.duration_s > 0
    assert not marked(mark)


@needs_proc
@needs_curl
def test_forward_whose_port_is_taken(
    runner: LiveRunner, stub: Callable[[str], None], port: int, mark: dict[str, str]
) -> None:
    stub("listen")
    with socket.socket() as other:  # somebody else owns the port, and would even answer
        other.bind(("127.0.0.1", port))
        other.listen()
        one, two, three = forward(runner, port)
    assert b"Unable to listen on port" in one.stderr and (one.exit_code, one.ended) == (1, Ended.EXITED)
    assert (two.ended, two.note, two.stdout) == (Ended.REFUSED, Refusal.NO_FORWARD.value, b"")
    assert three.ended is Ended.EXITED
    assert not marked(mark)


@needs_proc
def test_forward_that_dies(runner: LiveRunner, stub: Callable[[str], None], port: int, mark: dict[str, str]) -> None:
    stub("dies")
    begin = time.monotonic()
    one, two, _ = forward(runner, port)
    assert time.monotonic() - begin < 2
    assert (one.exit_code, one.ended) == (1, Ended.EXITED) and b"pod is not running" in one.stderr
    assert (two.ended, two.note, two.exit_code) == (Ended.REFUSED, Refusal.NO_FORWARD.value, None)


@needs_proc
def test_forward_that_never_listens(stub: Callable[[str], None], port: int, mark: dict[str, str]) -> None:
    live = LiveRunner(grace_s=0.4, listen_s=0.4)
    stub("silent")
    one, two, three = forward(live, port)
    assert (one.ended, one.exit_code) == (Ended.TIMEOUT, None)
    assert (two.ended, two.note) == (Ended.REFUSED, Refusal.NO_FORWARD.value)
    assert three.ended is Ended.EXITED
    assert soon(lambda: not marked(mark), 1)
    live.close()


@needs_proc
@needs_curl
def test_forward_whose_service_hangs(
    runner: LiveRunner, stub: Callable[[str], None], port: int, mark: dict[str, str]
) -> None:
    stub("listen")
    one, two, three = forward(runner, port, "slow", timeout_s=1.2)
    assert one.out.splitlines()[-1] == f"Handling connection for {port}"
    assert (one.ended, two.ended, two.exit_code) == (Ended.TIMEOUT, Ended.TIMEOUT, None)
    assert (three.ended, three.note) == (Ended.REFUSED, Refusal.NO_FORWARD.value)
    assert soon(lambda: not marked(mark), 1)


@needs_proc
@needs_curl
def test_forward_that_ignores_its_stop(
    runner: LiveRunner, stub: Callable[[str], None], port: int, mark: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playbook.runtime.forward.STOP_S", 0.3)
    stub("deaf")
    one, two, _ = forward(runner, port)
    assert (one.ended, two.exit_code) == (Ended.STOPPED_EARLY, 0)
    assert soon(lambda: not marked(mark), 1)


@needs_proc
def test_forward_interrupted(runner: LiveRunner, stub: Callable[[str], None], port: int, mark: dict[str, str]) -> None:
    stub("silent")
    done: list[tuple[Run, Run, Run]] = []
    thread = threading.Thread(target=lambda: done.append(forward(runner, port)))
    thread.start()
    assert soon(lambda: len(marked(mark)) >= 3)
    runner.end_all()
    thread.join(3)
    assert [run.ended for run in done[0]] == [Ended.INTERRUPTED] * 3
    assert [run.note for run in done[0]] == ["", processes.NOT_STARTED, processes.NOT_STARTED]
    assert not marked(mark)


# the environment


def test_versions_of_the_tools(runner: LiveRunner, stub: Callable[[str], None]) -> None:
    stub("any")
    versions = dict(provenance(runner, "", ask_server=False).tools)
    assert versions["kubectl"] == "v1.32.4"
    assert versions["bash"][0].isdigit()


def test_without_proc_nothing_is_started_and_it_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_DESCRIPTORS", (str(tmp_path / "dev"), str(tmp_path / "proc")))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(MissingTool, match=r"neither .*/dev nor .*/proc is there\nmount it: sudo mount"):
        LiveRunner()
