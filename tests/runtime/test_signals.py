"""CancelToken of the program itself: nothing of it stays alive, its pod is taken back, and the next start goes on."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from stubbed import Stubbed
from support import FIXTURES

SEVEN_TWO, SEVEN_THREE = "step7-2-health-via-service", "step7-3-curl"
DELETES = ("app=observer", "postgres-0")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session with Steps 0 to 6 passed."""
    stub = Stubbed(tmp_path_factory.mktemp("begun"))
    done = stub.playbook("all", "--until", "6", "--jobs", "4")
    assert done.returncode == 3, done.stdout + done.stderr
    return stub.state


@pytest.fixture
def stub(begun: Path, tmp_path: Path) -> Iterator[Stubbed]:
    """A copy of it; afterwards nothing of the test may be alive."""
    shutil.copytree(begun, tmp_path / "state")
    stub = Stubbed(tmp_path)
    stub.log.touch()
    yield stub
    for pid, _ in alive(stub):
        os.kill(pid, signal.SIGKILL)


def alive(stub: Stubbed) -> list[tuple[int, str]]:
    """The processes that have the test's own folder in their environment."""
    mark = f"STUB_STATE={stub.folder / 'cluster'}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (path / "environ").read_bytes().split(b"\0"):
                found.append((int(path.name), (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:100]))
        except OSError:
            continue  # it has just ended, or is not ours
    return found


def calls(stub: Stubbed) -> list[list[str]]:
    """What the cluster was asked; a line that is just being written is left out."""
    return [json.loads(line) for line in stub.log.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n")]


def asked(stub: Stubbed, *words: str) -> int:
    """How often a call had all these words."""
    return sum(set(words) <= set(call) for call in calls(stub))


def removed(stub: Stubbed) -> int:
    """How often the pod of 7-2 was taken back."""
    return asked(stub, "delete", "pod", "tmp-curl")


def deletes(stub: Stubbed) -> Counter[str]:
    """How often the pods of Step 8 were deleted."""
    return Counter(word for call in calls(stub) if "delete" in call for word in DELETES if word in call)


def journal(stub: Stubbed) -> list[dict[str, Any]]:
    """The events of the session."""
    return [json.loads(line) for line in (stub.session / "journal.jsonl").read_bytes().splitlines()]


def until(holds: Callable[[], object], seconds: float = 40) -> bool:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def as_from_a_shell() -> None:
    """Whoever runs the tests may ignore signals; the operator's shell does not."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def start(
    stub: Stubbed, slow: str, *arguments: str, stdout: int = subprocess.PIPE, **more: Any
) -> subprocess.Popen[str]:
    """`playbook all --allow-restart`, with commands that take their time."""
    return subprocess.Popen(
        [sys.executable, "-m", "playbook", "all", "--allow-restart", *arguments], env={**stub.environ, "STUB_SLOW": slow},
        cwd=stub.folder, text=True, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
        preexec_fn=as_from_a_shell, **more,  # noqa: PLW1509
    )  # fmt: skip


def in_seven_two(stub: Stubbed) -> bool:
    """7-2 runs."""
    return bool(asked(stub, "run", "tmp-curl"))


def in_seven_three(stub: Stubbed) -> bool:
    """7-3's curl runs through the forward."""
    return any(call[0] == "curl" for call in calls(stub))


def in_the_wait(stub: Stubbed) -> bool:
    """Observer's pods are deleted, and the new ones are waited for."""
    return deletes(stub)["app=observer"] == 1 and bool(asked(stub, "wait"))


def goes_on(stub: Stubbed, last: str) -> str:
    """The next start ends as a run that nothing disturbed, and deletes nothing twice; what it says."""
    again = stub.playbook("all", "--allow-restart", "--output", "json", "--jobs", "4", "--until", last)
    steps = [step["verdict"] for step in json.loads(again.stdout)["steps"]]
    if last == "9":
        assert again.returncode == 5, again.stderr
        assert steps == ["pass"] * 9 + ["pending"]
        assert deletes(stub) == dict.fromkeys(DELETES, 1)
    else:
        assert steps == ["pass"] * 8 + ["not-run"] * 2, again.stderr
        assert deletes(stub) == {}
    assert alive(stub) == []
    return again.stderr


@pytest.mark.parametrize(
    ("number", "slow", "reached", "removals", "last"),
    [
        pytest.param(signal.SIGINT, f"{SEVEN_TWO}=60", in_seven_two, 1, "7", id="SIGINT in 7-2"),
        pytest.param(signal.SIGQUIT, f"{SEVEN_TWO}=60", in_seven_two, 1, "7", id="SIGQUIT in 7-2"),
        pytest.param(signal.SIGTERM, f"{SEVEN_THREE}=60", in_seven_three, None, "7", id="SIGTERM in 7-3"),
        pytest.param(signal.SIGHUP, "step8-2-wait-observer=60", in_the_wait, None, "9", id="SIGHUP in 8-2"),
        pytest.param(signal.SIGKILL, f"{SEVEN_TWO}=60", in_seven_two, 0, "9", id="SIGKILL in 7-2"),
    ],
)
def test_nothing_stays_alive_and_the_next_start_goes_on(
    number: signal.Signals,
    slow: str,
    reached: Callable[[Stubbed], bool],
    removals: int | None,
    last: str,
    stub: Stubbed,
) -> None:
    process = start(stub, slow)
    assert until(lambda: reached(stub) or process.poll() is not None)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    killed = number is signal.SIGKILL
    assert process.returncode == (-number if killed else 128 + number), out + err
    assert "Traceback" not in err
    assert until(lambda: not alive(stub), 6), alive(stub)
    assert removals is None or removed(stub) == removals
    if not killed:
        told = journal(stub)[-1]
        assert (told["event"], told["signal"]) == ("interrupted", number)
        assert f"interrupted by signal {number}" in err
        assert "goes on from here" in err
    before = removed(stub)
    if killed:
        with (stub.session / "journal.jsonl").open("ab") as torn:
            torn.write(b'{"seq":')
    said = goes_on(stub, last)
    assert ("the journal ended in a torn line, as after a crash: 7 bytes were dropped" in said) is killed
    if killed:
        assert removed(stub) > before, "what the dead program could not take back, the next one does"


def test_a_second_ctrl_c_does_not_skip_the_cleanup(stub: Stubbed) -> None:
    process = start(stub, f"{SEVEN_TWO}=60,remove-tmp-curl=1.5")
    assert until(lambda: in_seven_two(stub) or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    assert until(lambda: removed(stub))
    for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
        time.sleep(0.1)
        process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, out + err
    events = journal(stub)
    cleaned = [event for event in events if event.get("command") == "remove-tmp-curl"]
    assert [(event["ended"], event["exit_code"]) for event in cleaned] == [("exited", 0)], "it was let finish"
    assert (events[-1]["event"], events[-1]["signal"]) == ("interrupted", signal.SIGINT)
    assert until(lambda: not alive(stub), 6), alive(stub)


def test_a_reader_that_goes_away_is_an_interruption(stub: Stubbed) -> None:
    process = start(stub, "step8-2-wait-observer=60")
    assert process.stdout
    assert process.stdout.readline().startswith("Step 0 ")
    process.stdout.close()
    assert process.stderr
    err = process.stderr.read()
    assert process.wait(timeout=30) == 128 + signal.SIGPIPE, err
    assert "Traceback" not in err
    assert "BrokenPipe" not in err
    assert journal(stub)[-1]["signal"] == signal.SIGPIPE
    assert deletes(stub) == {}
    assert until(lambda: not alive(stub), 6), alive(stub)


def test_a_line_that_drops_is_a_hangup(stub: Stubbed) -> None:
    """The terminal is gone: SIGHUP comes, and every word to it fails."""
    pid, terminal = pty.fork()
    if pid == 0:
        as_from_a_shell()
        os.chdir(stub.folder)
        os.execve(sys.executable, [sys.executable, "-m", "playbook", "all", "--allow-restart"],
                  {**stub.environ, "STUB_SLOW": f"{SEVEN_TWO}=60", "TERM": "xterm"})  # fmt: skip
    os.set_blocking(terminal, False)

    def listening() -> bool:
        with suppress(OSError):
            os.read(terminal, 65536)
        return in_seven_two(stub)

    assert until(listening)
    os.close(terminal)
    ended: list[int] = []
    assert until(lambda: ended or _reaped(pid, ended), 30)
    assert os.waitstatus_to_exitcode(ended[0]) == 128 + signal.SIGHUP
    assert (journal(stub)[-1]["event"], journal(stub)[-1]["signal"]) == ("interrupted", signal.SIGHUP)
    assert removed(stub) == 1
    assert until(lambda: not alive(stub), 6), alive(stub)


def _reaped(pid: int, ended: list[int]) -> bool:
    found, status = os.waitpid(pid, os.WNOHANG)
    if found:
        ended.append(status)
    return bool(found)


@pytest.mark.parametrize("redirected", ["2>&-", ">&- 2>&- <&-"])
def test_without_standard_streams_it_runs_all_the_same(redirected: str, tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    done = subprocess.run(["bash", "-c", f'exec "$0" -m playbook all --until 0 {redirected}', sys.executable], env=stub.environ,
                          cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    assert done.returncode == 3, done.stdout
    assert "Traceback" not in done.stdout
    assert journal(stub)[-1]["event"] == "end"


def test_a_terminal_that_takes_no_word_is_no_obstacle(stub: Stubbed) -> None:
    """Standard error is a pipe that nobody reads any more."""
    process = start(stub, "", "--until", "0")
    assert process.stderr
    process.stderr.close()
    assert process.wait(timeout=30) == 3
    assert journal(stub)[-1]["event"] == "end"


def test_a_pod_of_somebody_else_is_named_and_not_deleted(stub: Stubbed, tmp_path: Path) -> None:
    recording = tmp_path / "recording"
    shutil.copytree(FIXTURES / "1.20" / "healthy", recording)
    pods = recording / "step6-1-pods.out"
    text = pods.read_text("utf-8")
    row = next(line for line in text.splitlines() if line.startswith("postgres-0"))
    pods.write_text(f"{text}{row.replace('postgres-0', 'tmp-curl  ')}\n", "utf-8")
    done = Stubbed(tmp_path, str(recording)).playbook("all", "--from", "6", "--until", "7")
    assert done.returncode == 3
    assert asked(stub, "run", "tmp-curl") == 0
    assert removed(stub) == 0
    assert "a pod tmp-curl is there that this session did not make" in done.stdout
    assert "kubectl delete pod tmp-curl -n observer-prod" in done.stdout


# the typed permission


@pytest.mark.parametrize(("typed", "allowed"), [(b"observer-prod\r", True), (b"yes\r", False)])
def test_the_namespace_must_be_typed_and_the_cluster_is_named(typed: bytes, allowed: bool, stub: Stubbed) -> None:
    status, shown = stub.at_terminal(["all", "--until", "8"], [("> ", typed)])
    text = shown.decode()
    assert "cluster: https://127.0.0.1:6443 (oracle-obs-arm), namespace observer-prod" in text
    assert "Type the namespace observer-prod to restart. Enter alone: no restart." in text
    assert status == 3, "Step 9 was not reached"
    assert deletes(stub) == (dict.fromkeys(DELETES, 1) if allowed else {})
    told = [event for event in journal(stub) if event["event"] == "confirm"]
    assert len(told) == (1 if allowed else 0)
    refused = [event["note"] for event in journal(stub) if event["event"] == "run" and event["ended"] == "refused"]
    assert refused == ([] if allowed else ["not-confirmed"] * 2)


def test_ctrl_c_at_the_question_is_an_interruption(stub: Stubbed) -> None:
    status, shown = stub.at_terminal(["all", "--until", "8"], [("> ", b"\x03")])
    assert status == 130, shown.decode()
    assert b"Traceback" not in shown
    assert deletes(stub) == {}
    assert journal(stub)[-1]["event"] == "interrupted"
