"""The disk: for its owner only, and a full or read-only one stops the program before it changes anything more."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_cluster import FakeCluster
from starts import Allowing, go_on
from stubbed import Stubbed
from verifying import CATALOG

from playbook.errors import DiskTrouble
from playbook.model import Overall
from playbook.runtime.engine import Engine
from playbook.runtime.execution import Workplace
from playbook.session.store import SessionStore

DELETES = {"step8-2-delete-observer": 1, "step8-4-delete-postgres": 1}


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_everything_is_for_its_owner_only_whatever_the_umask(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        stub = Stubbed(tmp_path)
        done = subprocess.run([sys.executable, "-m", "playbook", "all", "--until", "0"], env=stub.environ, cwd=tmp_path,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 3, done.stderr
        go_on(stub.state, FakeCluster())  # a whole one, with diagnose/
    finally:
        os.umask(before)
    found = {
        path.relative_to(tmp_path): stat.S_IMODE(path.stat().st_mode) for path in (stub.state, *stub.state.rglob("*"))
    }
    assert {
        str(path): oct(mode) for path, mode in found.items() if mode != (0o700 if (tmp_path / path).is_dir() else 0o600)
    } == {}
    names = {path.name for path in found}
    assert {"state", "lock", "current", "sessions", "journal.jsonl", "runs.json", "report.md", "diagnose"} <= names


# a disk that is full at some moment, and has room again


def full_after(writes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many writes the disk takes no more."""
    real, left = os.write, writes

    def write(fd: int, data: bytes) -> int:
        nonlocal left
        if stat.S_ISREG(os.fstat(fd).st_mode):
            left -= 1
            if left < 0:
                raise OSError(28, "No space left on device")
        return real(fd, data)

    monkeypatch.setattr("os.write", write)


@pytest.mark.parametrize("writes", [0, 1, 7, 60, 110, *range(120, 191, 10)])
def test_a_full_disk_stops_it_and_with_room_again_it_goes_on(
    writes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any write: no delete after it, none twice, and the next start ends as if nothing had been."""
    cluster = FakeCluster()
    with monkeypatch.context() as full, SessionStore(tmp_path) as sessions:
        record = sessions.create(CATALOG.digest)
        full_after(writes, full)
        with pytest.raises(DiskTrouble, match="No space left on device") as trouble:
            Engine(Workplace(CATALOG, cluster, record, Allowing(), jobs=1)).run()
        record.close()
        assert str(tmp_path) in str(trouble.value)
        assert "--state-dir" in str(trouble.value.hint)
        assert int(trouble.value.exit_code) == 3
    lines = (
        [json.loads(line) for line in (record.folder / "journal.jsonl").read_bytes().splitlines()]
        if record.folder
        else []
    )
    begun = [line["command"] for line in lines if line["event"] == "begin" and line["command"] in DELETES]
    assert dict(cluster.deletes) == dict.fromkeys(begun, 1), "nothing is deleted that the journal did not announce"
    assert not cluster.tmp_curl
    session = go_on(tmp_path, cluster)
    assert session.overall is Overall.PENDING
    assert cluster.deletes == DELETES


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB."""
    folder = tmp_path / "small"
    folder.mkdir(mode=0o700)
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root can mount a small file system")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "small", str(folder)], capture_output=True, text=True,
                             check=False)  # fmt: skip
    if mounted.returncode:
        pytest.skip(f"no file system could be mounted: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_file_system_that_fills_up(small: Path, tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    ballast = small / "ballast"
    ballast.write_bytes(b"x" * 200_000)
    full = stub.playbook("all", "--allow-restart", "--jobs", "4", "--state-dir", str(small / "state"))
    assert full.returncode == 3, full.stderr
    assert "cannot" in full.stderr
    assert "No space left on device" in full.stderr
    assert "Traceback" not in full.stderr
    assert "delete" not in stub.log.read_text("utf-8"), "the disk was full long before Step 8"
    assert stub.playbook("status", "--state-dir", str(small / "state")).returncode == 0
    ballast.unlink()
    subprocess.run(["mount", "-o", "remount,size=8m", str(small)], check=True)
    again = stub.playbook("all", "--until", "3", "--jobs", "4", "--state-dir", str(small / "state"))
    assert again.returncode == 3, again.stderr
    assert "goes on with" in again.stderr
    steps = [line.split()[1] for line in again.stdout.splitlines() if line.startswith("Step ")]
    assert steps == ["0", "1", "2", "3"]


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    """For those who are not root: a limit on the size of files, as a quota sets it."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))

    stub = Stubbed(tmp_path)
    done = subprocess.run([sys.executable, "-m", "playbook", "all", "--until", "2"], env=stub.environ, cwd=tmp_path, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False, preexec_fn=limit)  # fmt: skip
    assert done.returncode == 3, done.stdout + done.stderr
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    again = stub.playbook("all", "--until", "1")
    assert again.returncode == 3, again.stderr
    assert "goes on with" in again.stderr


def test_a_read_only_disk_stops_it_before_anything_is_asked(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    stub.state.mkdir(mode=0o700)
    as_root = os.geteuid() == 0
    if as_root:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=64k", "small", str(stub.state)], capture_output=True, text=True,
                                 check=False)  # fmt: skip
        if mounted.returncode:
            pytest.skip(f"no file system could be mounted: {mounted.stderr.strip()}")
    else:
        stub.state.chmod(0o500)
    try:
        done = stub.playbook("all", "--allow-restart")
    finally:
        subprocess.run(["umount", "-l", str(stub.state)], check=True) if as_root else stub.state.chmod(0o700)
    assert done.returncode == 3, done.stderr
    assert "Read-only file system" in done.stderr or "Permission denied" in done.stderr
    assert str(stub.state) in done.stderr
    assert "--state-dir" in done.stderr
    assert done.stdout == ""
    assert not stub.log.exists(), "nothing was asked of the cluster"


def test_a_record_that_becomes_read_only_is_not_gone_on_with(tmp_path: Path) -> None:
    """The lock can be taken, but no line can be added."""
    if os.geteuid() == 0:
        go_on(tmp_path, FakeCluster())
        path = SessionStore(tmp_path).folder(SessionStore(tmp_path).current() or "") / "journal.jsonl"
        bound = subprocess.run(["mount", "--bind", str(path), str(path)], capture_output=True, text=True, check=False)
        if bound.returncode:
            pytest.skip(f"nothing could be mounted: {bound.stderr.strip()}")
        subprocess.run(["mount", "-o", "remount,ro,bind", str(path)], check=True)
    else:
        go_on(tmp_path, FakeCluster())
        path = SessionStore(tmp_path).folder(SessionStore(tmp_path).current() or "") / "journal.jsonl"
        path.chmod(0o400)
    cluster = FakeCluster()
    try:
        with pytest.raises(DiskTrouble, match=r"Read-only|Permission denied"):
            go_on(tmp_path, cluster)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True) if os.geteuid() == 0 else path.chmod(0o600)
    assert cluster.calls == []
