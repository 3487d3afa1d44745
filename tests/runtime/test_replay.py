"""Recordings read back: whole, partial and damaged ones."""

from __future__ import annotations

import json
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from playbook.clock import parse_moment
from playbook.errors import BadRecording
from playbook.model import Command, Ended
from playbook.runtime.replay import ReplayRunner
from playbook.session.recording import read_index

AT = "2026-11-22T22:56:34+0000"


def item(key: str = "step2-pvc", **more: Any) -> dict[str, Any]:
    return {"id": key, "exit_code": 0, "seconds": 0.07, "started_at": AT, **more}


def recording(folder: Path, items: list[dict[str, Any]], **streams: bytes) -> Path:
    """A recording on disk; `streams` are the outputs by file name, `_` for `-` and `__` for `/`."""
    folder.mkdir(exist_ok=True)
    (folder / "diagnose").mkdir(exist_ok=True)
    (folder / "runs.json").write_text(json.dumps(items))
    for name, data in streams.items():
        path = folder / name.replace("__", "/").replace("_", "-")
        path.with_name(f"{path.name}.out").write_bytes(data)
        path.with_name(f"{path.name}.err").write_bytes(b"err " + data)
    return folder


def command(key: str, target: str = "") -> Command:
    return Command(key, "2", "exit 99", "", target=target)


def test_runs_come_in_the_order_of_the_recording(tmp_path: Path) -> None:
    items = [item(), item("step5-services", exit_code=1), item(exit_code=None, seconds=2, ended="timeout", note="late")]
    recording(tmp_path / "r", items, step2_pvc=b"one\r\n\xff", step5_services=b"s")
    (tmp_path / "r" / "step2-pvc.2.out").write_bytes(b"two")
    (tmp_path / "r" / "step2-pvc.2.err").write_bytes(b"")
    replay = ReplayRunner(tmp_path / "r")
    first = replay.read(command("step2-pvc").key, 1)
    assert (first.stdout, first.stderr, first.exit_code, first.ended) == (
        b"one\r\n\xff",
        b"err one\r\n\xff",
        0,
        Ended.EXITED,
    )
    assert first.started_at == datetime(2026, 11, 22, 22, 56, 34, tzinfo=timezone.utc) and first.duration_s == 0.07
    second = replay.read(command("step2-pvc").key, 2)
    assert (second.stdout, second.exit_code, second.ended, second.note) == (b"two", None, Ended.TIMEOUT, "late")
    assert replay.read(command("step5-services").key, 1).exit_code == 1
    assert [replay.read("step2-pvc", n).ended is Ended.NOT_RECORDED for n in (0, 1, 2, 3)] == [True, False, False, True]
    assert [replay.has_more("step2-pvc")] + [
        (replay.run(command("step2-pvc")), replay.has_more("step2-pvc"))[1] for _ in (1, 2)
    ] == [True, True, False]


def test_what_is_not_recorded_is_said_and_never_run(tmp_path: Path) -> None:
    replay = ReplayRunner(recording(tmp_path / "r", [item()], step2_pvc=b"x"))
    run = replay.read(command("step1-namespace").key, 1)
    assert (run.ended, run.exit_code, run.stdout, run.command, run.ordinal) == (
        Ended.NOT_RECORDED,
        None,
        b"",
        "step1-namespace",
        1,
    )
    assert replay.read(command("step2-pvc").key, 2).ended is Ended.NOT_RECORDED
    trio = replay.port_forward(command("a"), command("step2-pvc"), command("c"))
    assert [run.ended for run in trio] == [Ended.NOT_RECORDED, Ended.EXITED, Ended.NOT_RECORDED]


@pytest.mark.parametrize("name", ["step2-pvc.out", "step2-pvc.err"])
def test_a_listed_run_without_its_files_is_not_recorded(tmp_path: Path, name: str) -> None:
    folder = recording(tmp_path / "r", [item(), item("step5-services")], step2_pvc=b"x", step5_services=b"y")
    (folder / name).unlink()
    replay = ReplayRunner(folder)
    assert replay.read(command("step2-pvc").key, 1).ended is Ended.NOT_RECORDED
    assert replay.read(command("step5-services").key, 1).stdout == b"y"


def test_diagnoses_need_not_be_listed(tmp_path: Path) -> None:
    folder = recording(
        tmp_path / "r", [item()], diagnose__describe_pod=b"none", diagnose__get_sc=b"sc", step3_4=b"stray"
    )
    for name in ("describe-pod.observer-7cd9-x", "describe-pod.observer-7cd9-x.2"):
        for end in ("out", "err"):
            (folder / "diagnose" / f"{name}.{end}").write_bytes(name.encode())
    replay = ReplayRunner(folder)
    named = replay.read(command("describe-pod", "observer-7cd9-x").key, 1)
    assert (named.out, named.exit_code, named.ended) == ("describe-pod.observer-7cd9-x", None, Ended.EXITED)
    assert named.command == "describe-pod.observer-7cd9-x"
    assert named.started_at == parse_moment(AT) + timedelta(seconds=0.07)
    assert replay.read(command("describe-pod", "observer-7cd9-x").key, 2).out == "describe-pod.observer-7cd9-x.2"
    assert replay.read(command("describe-pod", "postgres-0").key, 1).out == "none"  # recorded without a name
    assert replay.read(command("get-sc").key, 1).out == "sc"
    assert not replay.has_more("logs-previous.postgres-0")
    assert not replay.has_more("step3-4")  # a file that the index does not know is no run


def test_listed_diagnoses_have_their_status(tmp_path: Path) -> None:
    items = [item("logs-previous.tmp-curl", exit_code=1), item("describe-pod", name="postgres-0", exit_code=2)]
    folder = recording(tmp_path / "r", items)
    for name in ("logs-previous.tmp-curl", "describe-pod.postgres-0"):
        for end in ("out", "err"):
            (folder / "diagnose" / f"{name}.{end}").write_bytes(b"")
    replay = ReplayRunner(folder)
    assert replay.read(command("logs-previous", "tmp-curl").key, 1).exit_code == 1
    assert replay.read(command("describe-pod", "postgres-0").key, 1).exit_code == 2


@pytest.mark.parametrize("key", ["../r/step2-pvc", "/etc/passwd", "", ".", "a..b", "diagnose/get-sc"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, key: str) -> None:
    replay = ReplayRunner(recording(tmp_path / "r", [item()], step2_pvc=b"x", diagnose__get_sc=b"y"))
    assert replay.read(command(key).key, 1).ended is Ended.NOT_RECORDED


def test_from_a_zip_file(tmp_path: Path) -> None:
    recording(tmp_path / "r", [item()], step2_pvc=b"zipped", diagnose__get_sc=b"sc")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in sorted((tmp_path / "r").rglob("*")):
            archive.write(
                path, f"inside/{path.relative_to(tmp_path / 'r').as_posix()}" + ("/" if path.is_dir() else "")
            )
    replay = ReplayRunner(zipfile.Path(tmp_path / "a.zip", "inside/"))
    assert replay.read(command("step2-pvc").key, 1).stdout == b"zipped"
    assert replay.read(command("get-sc").key, 1).stdout == b"sc"
    with pytest.raises(BadRecording):
        ReplayRunner(zipfile.Path(tmp_path / "a.zip", "elsewhere/"))


def test_missing_folder_and_missing_index(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match="there is no recording folder"):
        ReplayRunner(tmp_path / "none")
    with pytest.raises(BadRecording, match=r"has no runs\.json") as error:
        ReplayRunner(tmp_path)
    assert error.value.hint is not None
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadRecording):
        ReplayRunner(tmp_path / "file")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        "null",
        "[1]",
        '[{"id": "a"}]',
        "\xff",
        "[" * 100_000,
        *(
            json.dumps([item(), bad])
            for bad in (
                item("../x"),
                item("a/b"),
                item(""),
                item(5),
                item(exit_code="0"),
                item(exit_code=True),
                item(seconds=-1),
                item(seconds="1"),
                item(seconds=float("nan")),
                item(started_at="yesterday"),
                item(started_at=5),
                item(started_at="2026-11-22T22:56:34"),
                item(started_at="9999-12-31T23:59:59-2300"),
                item(ended="dead"),
                item(note=7),
            )
        ),
    ],
)
def test_a_damaged_index_is_named(tmp_path: Path, text: str) -> None:
    recording(tmp_path, [])
    (tmp_path / "runs.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(BadRecording, match=r"is damaged, runs\.json: ") as error:
        ReplayRunner(tmp_path)
    if "step2-pvc" in text:
        assert "run 2 cannot be read" in str(error.value)


def test_moments() -> None:
    at = datetime(2026, 11, 22, 22, 56, 34, tzinfo=timezone.utc)
    for text in (
        "2026-11-22T22:56:34+0000",
        "2026-11-22T22:56:34Z",
        "2026-11-23T07:56:34+09:00",
        "2026-11-23T07:56:34+0900",
    ):
        assert parse_moment(text) == at
    assert parse_moment("2026-11-22T22:56:34.123456Z") == at + timedelta(microseconds=123456)


def test_the_index_keeps_its_order(tmp_path: Path) -> None:
    recording(tmp_path, [item("step5-services"), item(), item("step5-services", exit_code=3)])
    assert [(entry.key, entry.exit_code) for entry in read_index(tmp_path)] == [
        ("step5-services", 0),
        ("step2-pvc", 0),
        ("step5-services", 3),
    ]
