"""Files that others may have prepared: what is no regular file is written through to, links are refused, no mode is widened."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from stubbed import Stubbed

from playbook.errors import UsageError
from playbook.files import read_own, save_as_asked
from playbook.session.store import SessionStore

REPORT = ("report", "--recording", "healthy", "-o")


@pytest.mark.parametrize("target", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize("kind", ["pipe", "file"])
def test_standard_output_by_its_name_gets_the_report(target: str, kind: str, tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    before = os.lstat("/dev/stdout")
    with (tmp_path / "out").open("w+b") as out:
        done = subprocess.run([sys.executable, "-m", "playbook", *REPORT, target], env=stub.environ, cwd=tmp_path,
                              stdout=subprocess.PIPE if kind == "pipe" else out, stderr=subprocess.PIPE, check=True)  # fmt: skip
        out.seek(0)
        said = done.stdout if kind == "pipe" else out.read()
    assert b"# Cluster verification" in said
    assert os.lstat("/dev/stdout").st_ino == before.st_ino


def test_a_device_stays_a_device() -> None:
    save_as_asked(Path("/dev/null"), b"x")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_pipe_with_a_name_is_written_through_to(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    save_as_asked(pipe, b"report")
    reader.join(10)
    assert read == [b"report"]
    assert stat.S_ISFIFO(pipe.lstat().st_mode)


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_is_refused_and_what_it_leads_to_is_untouched(exists: bool, tmp_path: Path) -> None:
    if exists:
        (tmp_path / "passwd").write_text("root")
    (tmp_path / "report.md").symlink_to(tmp_path / "passwd")
    with pytest.raises(UsageError, match="is a link"):
        save_as_asked(tmp_path / "report.md", b"x")
    assert (tmp_path / "report.md").is_symlink()
    assert (tmp_path / "passwd").exists() == exists
    assert not exists or (tmp_path / "passwd").read_text() == "root"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o400])
def test_a_file_keeps_its_mode(mode: int, tmp_path: Path) -> None:
    (tmp_path / "report.md").touch()
    (tmp_path / "report.md").chmod(mode)
    save_as_asked(tmp_path / "report.md", b"x")
    assert stat.S_IMODE((tmp_path / "report.md").stat().st_mode) == mode
    assert (tmp_path / "report.md").read_bytes() == b"x"


def test_a_draft_that_somebody_prepared_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "prepared").touch()
    (tmp_path / f".report.md.{os.getpid()}").hardlink_to(tmp_path / "prepared")
    save_as_asked(tmp_path / "report.md", b"secret")
    assert (tmp_path / "prepared").read_bytes() == b""
    assert (tmp_path / "report.md").read_bytes() == b"secret"


@pytest.mark.parametrize("name", ["lock", "current"])
def test_links_in_the_state_folder_are_not_followed(name: str, tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    stub.state.mkdir(mode=0o700)
    (tmp_path / "victim").write_text("mine")
    (stub.state / name).symlink_to(tmp_path / "victim")
    done = stub.playbook("all", "--until", "0")
    assert done.returncode == 3
    assert str(stub.state / name) in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "victim").read_text() == "mine"


def test_a_pipe_in_place_of_a_stream_does_not_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.out")
    with pytest.raises(OSError, match="not a regular file"):
        read_own(tmp_path / "x.out")


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_state_folder_that_others_may_write_to_is_refused(mode: int, tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    stub.state.mkdir()
    stub.state.chmod(mode)
    done = stub.playbook("all", "--until", "0")
    assert done.returncode == 2
    assert f"type `chmod go-w {stub.state}`" in done.stderr
    assert list(stub.state.glob("lock")) == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_state_folder_of_somebody_else_is_refused_for_root_too(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    stub.state.mkdir(mode=0o700)
    os.chown(stub.state, 65534, 65534)
    done = stub.playbook("all", "--until", "0")
    assert done.returncode == 2
    assert "belongs to nobody, and you are root" in done.stderr
    assert "--state-dir" in done.stderr


def test_a_file_system_without_locks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(fd: int, how: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(UsageError, match="cannot lock a file: No locks available"):
        SessionStore(tmp_path / "state").__enter__()
