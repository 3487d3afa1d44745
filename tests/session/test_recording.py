"""A recording written and read back is the same; a disk that fails is said."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from playbook.errors import BadRecording, DiskTrouble
from playbook.model import Ended, Run
from playbook.refusals import Refusal
from playbook.runtime.replay import ReplayRunner
from playbook.session.recording import RecordingWriter, read_index, read_streams

AT = datetime(2026, 11, 22, 22, 56, 34, 123456, tzinfo=timezone.utc)
RUNS = (
    Run("step2-pvc", 1, b"out\r\n\xff\0", b"err", 0, Ended.EXITED, AT, 0.07),
    Run("describe-pod.observer-7cd9-x", 1, b"Events:", b"", 0, Ended.EXITED, AT.replace(microsecond=0), 0.1),
    Run("get-sc", 1, b"", b"Forbidden", 1, Ended.EXITED, AT, 0.123),
    Run("step2-pvc", 2, b"", b"", None, Ended.TIMEOUT, AT, 30.001),
    Run("step8-2-delete-observer", 1, b"", b"", None, Ended.REFUSED, AT, 0.0, Refusal.COUNT_UNREAD.value),
    Run("step7-2-health-via-service", 1, b"{}", b"", -15, Ended.STOPPED_EARLY, AT, 3, "é"),
    Run("summary", 1, b"=== PODS ===", b"", 141, Ended.EXITED, AT, 1.0),
)


def read(folder: Path, run: Run) -> Run:
    return ReplayRunner(folder).read(run.command, run.ordinal)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "sessions" / "one"


def test_what_was_written_is_read(folder: Path) -> None:
    writer = RecordingWriter(folder)
    for run in RUNS:
        writer.add(run)
    assert tuple(read(folder, run) for run in RUNS) == RUNS
    assert [entry.key for entry in read_index(folder)] == [run.command for run in RUNS]
    assert read_streams(folder, "step2-pvc", 1) == (b"out\r\n\xff\0", b"err")
    assert read_streams(folder, "get-sc", 1) == (b"", b"Forbidden")


def test_form_on_disk(folder: Path) -> None:
    writer = RecordingWriter(folder)
    for run in RUNS[:4]:
        writer.add(run)
    assert json.loads((folder / "runs.json").read_text())[0] == {
        "id": "step2-pvc",
        "exit_code": 0,
        "seconds": 0.07,
        "started_at": "2026-11-22T22:56:34.123456Z",
    }
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")) == [
        "diagnose",
        "diagnose/describe-pod.observer-7cd9-x.err",
        "diagnose/describe-pod.observer-7cd9-x.out",
        "diagnose/get-sc.err",
        "diagnose/get-sc.out",
        "runs.json",
        "step2-pvc.2.err",
        "step2-pvc.2.out",
        "step2-pvc.err",
        "step2-pvc.out",
    ]
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_permissions_do_not_hang_on_the_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        RecordingWriter(folder).add(RUNS[1])
    finally:
        os.umask(before)
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_an_earlier_recording_is_gone_on_with(folder: Path) -> None:
    RecordingWriter(folder).add(RUNS[0])
    writer = RecordingWriter(folder)
    assert (writer.count("step2-pvc"), writer.count("get-sc")) == (1, 0)
    writer.add(RUNS[3])
    assert (read(folder, RUNS[0]), read(folder, RUNS[3])) == (RUNS[0], RUNS[3])


def test_the_last_run_may_be_made_again(folder: Path) -> None:
    writer = RecordingWriter(folder)
    for run in RUNS[:3]:
        writer.add(run)
    again = replace(RUNS[0], stdout=b"again", exit_code=1)
    RecordingWriter(folder).add(again)
    assert read(folder, RUNS[0]) == again
    assert [entry.key for entry in read_index(folder)] == [RUNS[1].command, RUNS[2].command, "step2-pvc"]


@pytest.mark.parametrize("ordinal", [0, 3, 4])
def test_no_ordinal_is_left_out(folder: Path, ordinal: int) -> None:
    writer = RecordingWriter(folder)
    writer.add(RUNS[0])
    with pytest.raises(ValueError, match="step2-pvc"):
        writer.add(replace(RUNS[0], ordinal=ordinal))
    assert len(read_index(folder)) == 1


def test_streams_are_masked_again(folder: Path) -> None:
    writer = RecordingWriter(folder)
    for run in RUNS[:4]:
        writer.add(run)
    for run in RUNS[:4]:
        writer.replace(replace(run, stdout=b"masked"))
    assert tuple(read(folder, run) for run in RUNS[:4]) == tuple(replace(run, stdout=b"masked") for run in RUNS[:4])
    with pytest.raises(KeyError):
        writer.replace(replace(RUNS[0], ordinal=3))
    assert not [path for path in folder.rglob("*") if path.is_file() and b"out\r" in path.read_bytes()]


def test_an_interrupted_write_leaves_the_last_whole_state(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = RecordingWriter(folder)
    writer.add(RUNS[0])
    real = Path.replace

    def failing(source: Path, target: Path) -> Path:
        if target.name == "runs.json":
            raise OSError(28, "No space left on device", str(target))
        return real(source, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(DiskTrouble, match=r"cannot write .*runs\.json: No space left on device"):
        writer.add(RUNS[3])
    monkeypatch.undo()
    assert ReplayRunner(folder).read("step2-pvc", 1).ended is not Ended.NOT_RECORDED
    assert ReplayRunner(folder).read("step2-pvc", 2).ended is Ended.NOT_RECORDED
    writer.add(RUNS[3])
    assert read(folder, RUNS[3]) == RUNS[3]


def test_a_full_disk_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = RecordingWriter(folder)

    def full(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(DiskTrouble, match=r"cannot write .*step2-pvc\.out"):
        writer.add(RUNS[0])


def test_a_place_that_is_no_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskTrouble, match="cannot write"):
        RecordingWriter(tmp_path / "file" / "session")


def test_sync_reaches_every_file_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = RecordingWriter(folder)
    writer.add(RUNS[0])
    writer.add(RUNS[1])
    synced: list[str] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(str(Path(f"/dev/fd/{fd}").readlink())), real(fd))[1])
    writer.sync()
    assert sorted(synced) == sorted(
        str(path)
        for path in (
            folder,
            folder / "diagnose",
            folder / "runs.json",
            folder / "step2-pvc.out",
            folder / "step2-pvc.err",
            folder / "diagnose" / f"{RUNS[1].command}.out",
            folder / "diagnose" / f"{RUNS[1].command}.err",
        )
    )
    writer.sync()
    assert len(synced) == 7


def test_damaged_and_missing(folder: Path) -> None:
    writer = RecordingWriter(folder)
    writer.add(RUNS[0])
    (folder / "step2-pvc.err").unlink()
    with pytest.raises(BadRecording, match=r"step2-pvc\.err in the recording cannot be read"):
        read_streams(folder, "step2-pvc", 1)
    (folder / "runs.json").write_text("[")
    with pytest.raises(BadRecording):
        RecordingWriter(folder)
