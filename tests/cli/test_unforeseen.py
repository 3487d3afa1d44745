"""What nobody foresaw ends with 70, one sentence and a masked file; what the machine lacks ends with a sentence and 2."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from stubbed import Stubbed

from playbook.cli.crash import unforeseen, watch_threads

PASSWORD = "hunter2hunter2"
BROKEN = f"""
import sys
sys.argv[1:] = ["status"]
import playbook.api
def broken(*arguments, secret="never-shown-{PASSWORD}"):
    raise ValueError("POSTGRES_PASSWORD={PASSWORD}")
playbook.api.current_session = broken
from playbook.cli import main
main()
"""


def test_it_ends_with_70_one_sentence_and_a_masked_file(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    done = subprocess.run([sys.executable, "-c", BROKEN], env=stub.environ, cwd=tmp_path, capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 70, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("playbook: something that nobody foresaw: ValueError\n")
    (file,) = stub.state.glob("crash-*.txt")
    assert str(file) in done.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text("utf-8")
    assert "Traceback" in text
    assert "inspect.py" in text
    assert PASSWORD not in text + done.stderr


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (OSError(errno.EMFILE, "Too many open files"), 2, "Too many open files"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), 2, "Cannot allocate memory"),
        (MemoryError(), 2, "MemoryError"),
        (RuntimeError("can't start new thread"), 2, "can't start new thread"),
        (OSError(errno.ENOSPC, "No space left on device"), 3, "No space left on device"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 2, "cannot use /x: Permission denied"),
        (AssertionError(), 70, "AssertionError"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), 70, "UnicodeDecodeError"),
        (KeyError("\x1b]0;x\x07"), 70, "KeyError"),
    ],
)  # fmt: skip
def test_each_kind_is_told_in_a_sentence(
    error: Exception,
    status: int,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PLAYBOOK_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["playbook", "status"])
    assert unforeseen(error) == status
    told = capsys.readouterr().err
    assert words in told
    assert "\x1b" not in told
    assert len(list(tmp_path.glob("crash-*"))) == (status == 70)


def test_where_no_file_can_be_written_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state").write_text("a file")
    monkeypatch.setattr(sys, "argv", ["playbook", f"--state-dir={tmp_path / 'state'}", "status"])
    assert unforeseen(ValueError()) == 70
    assert "no crash file could be written" in capsys.readouterr().err


def test_a_thread_that_fails_is_told_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLAYBOOK_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    watch_threads()
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    told = capsys.readouterr().err
    assert "ZeroDivisionError" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("verb", ["list", "status", "report"])
def test_an_output_that_takes_no_more_is_told(verb: str, tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    arguments = [verb, *(["--recording", "healthy"] if verb == "report" else [])]
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run([sys.executable, "-m", "playbook", *arguments], env=stub.environ, stdout=full,
                              stderr=subprocess.PIPE, cwd=tmp_path, check=False)  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("limit", ["ulimit -n 16", "ulimit -n 10", "ulimit -v 300000", "ulimit -u 1"])
def test_a_machine_without_room_ends_in_a_sentence(limit: str, tmp_path: Path) -> None:
    if limit == "ulimit -u 1" and os.getuid() == 0:
        pytest.skip("root has no limit on processes")
    stub = Stubbed(tmp_path)
    done = subprocess.run(["bash", "-c", f'{limit}; exec "$0" -m playbook all --until 6', sys.executable],
                          env=stub.environ, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 2, 3), done.stdout + done.stderr
    again = stub.playbook("all", "--until", "6")
    assert again.returncode == 3, again.stderr


def test_without_proc_it_is_one_sentence_and_nothing_is_lost(tmp_path: Path) -> None:
    """In a namespace of its own, where `/proc` is empty. What asks no cluster works there."""
    if os.geteuid() or subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip("only root can mount something over /proc")
    stub = Stubbed(tmp_path)
    assert stub.playbook("step", "1").returncode == 0
    before = (stub.session / "journal.jsonl").read_bytes()

    def hidden(words: str) -> subprocess.CompletedProcess[str]:
        script = f"mount -t tmpfs none /proc && exec {sys.executable} -m playbook {words}"
        return subprocess.run(["unshare", "-m", "sh", "-c", script], env=stub.environ, cwd=tmp_path, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, check=False, timeout=60)  # fmt: skip

    for words in ("all", "summary", "doctor"):
        done = hidden(words)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert done.stderr == (
            "playbook: no command can be started here: neither /dev/fd nor /proc/self/fd is there\n"
            "  mount it: mount -t proc proc /proc\n"
        )
        assert (stub.session / "journal.jsonl").read_bytes() == before
    for words, status in (("demo", 5), ("status", 0)):
        assert hidden(words).returncode == status, words
