"""The journal: only ever added to, each line chained to the one before, a torn end cut off, any other damage named."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path

import pytest

from playbook.clock import parse_moment, stamp, utc_now
from playbook.errors import BadSession, DiskTrouble
from playbook.session.journal import GENESIS, Journal, Kind, check, read


def written(path: Path, lines: int = 5) -> Journal:
    """A journal of some lines."""
    journal = Journal(path)
    journal.append(Kind.OPEN, utc_now(), {"session": "s", "guide": "1.0"})
    for number in range(1, lines):
        journal.append(
            Kind.BEGIN,
            utc_now(),
            {"command": f"command-{number}", "ordinal": number, "text": "로그 \ud83d\ude00 \u2028"},
        )
    journal.close()
    return journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal of five lines lies."""
    written(tmp_path / "journal.jsonl")
    return tmp_path / "journal.jsonl"


def test_what_was_written_is_read(tmp_path: Path) -> None:
    journal = written(tmp_path / "journal.jsonl")
    again, torn = read(tmp_path / "journal.jsonl")
    assert torn == 0
    assert again.events == journal.events
    assert again.digest == journal.digest
    assert [event.seq for event in again.events] == [1, 2, 3, 4, 5]


def test_each_line_carries_the_digest_of_the_one_before(path: Path) -> None:
    lines = path.read_bytes().splitlines()
    assert json.loads(lines[0])["prev"] == GENESIS
    for before, line in pairwise(lines):
        assert json.loads(line)["prev"] == hashlib.sha256(before).hexdigest()


def test_what_is_read_can_be_gone_on_with(path: Path) -> None:
    before = path.read_bytes()
    journal, _ = read(path)
    journal.append(Kind.END, utc_now(), {"verdict": "pending"})
    journal.close()
    assert path.read_bytes().startswith(before), "lines are only added"
    assert [event.kind for event in read(path)[0].events][-1] is Kind.END


def test_a_last_line_torn_at_any_byte_is_cut_off(path: Path) -> None:
    whole = path.read_bytes()
    start = whole.rstrip(b"\n").rindex(b"\n") + 1
    for end in range(start, len(whole)):
        path.write_bytes(whole[:end])
        journal, torn = read(path)
        assert (len(journal.events), torn) == (4, end - start)
        assert path.read_bytes() == whole[:start]
    journal.append(Kind.END, utc_now(), {})
    journal.close()
    assert len(read(path)[0].events) == 5


@pytest.mark.parametrize("line", [1, 2, 3, 4])
def test_any_changed_byte_is_found_and_its_line_named(line: int, path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    for place in range(0, len(lines[line - 1]) - 1, 7):
        changed = bytearray(lines[line - 1])
        changed[place] ^= 0x01
        if changed[place] in b"\r\n":
            continue
        path.write_bytes(b"".join([*lines[: line - 1], bytes(changed), *lines[line:]]))
        with pytest.raises(BadSession) as refused:
            read(path)
        # when what it says of the line before was changed, the line before may be meant
        assert f"line {line} " in str(refused.value) or (line > 1 and f"line {line - 1} " in str(refused.value))
        assert "--fresh" in str(refused.value)


def test_a_changed_last_line_is_found_or_gives_another_digest(path: Path) -> None:
    """No line after it knows it; the digest that the report prints does."""
    whole, digest = path.read_bytes(), read(path)[0].digest
    for place in range(whole.rstrip(b"\n").rindex(b"\n") + 1, len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x01]) + whole[place + 1 :])
        try:
            assert read(path)[0].digest != digest
        except BadSession as refused:
            assert re.search(r"line [45] ", str(refused))


@pytest.mark.parametrize("how", ["removed", "twice", "swapped", "empty", "none of ours"])
def test_lines_removed_repeated_or_swapped_are_found(how: str, path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    match how:
        case "removed":
            del lines[2]
        case "twice":
            lines.insert(2, lines[2])
        case "swapped":
            lines[1], lines[2] = lines[2], lines[1]
        case "empty":
            lines.insert(2, b"\n")
        case _:
            lines.insert(2, b'{"seq": 3, "event": "party"}\n')
    path.write_bytes(b"".join(lines))
    with pytest.raises(BadSession, match=r"line [234] "):
        read(path)


def test_an_end_that_was_cut_between_lines_is_a_shorter_history(path: Path) -> None:
    data = b"".join(path.read_bytes().splitlines(keepends=True)[:3])
    assert len(check(data, "x")[0]) == 3


def test_a_file_is_for_its_owner_only_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        written(tmp_path / "journal.jsonl")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "journal.jsonl").stat().st_mode) == 0o600


@pytest.mark.parametrize("when", ["open", "write", "short", "fsync"])
def test_a_line_that_is_not_on_the_disk_is_not_written_and_can_be_written_later(
    when: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, _ = read(path)
    before, events = path.read_bytes(), journal.events
    real = os.write

    def full(*arguments: object) -> int:
        raise OSError(28, "No space left on device")

    def short(fd: int, data: bytes) -> int:
        return real(fd, data[: len(data) // 2]) if len(data) > 20 else full()

    with monkeypatch.context() as broken:
        broken.setattr(f"os.{'write' if when == 'short' else when}", short if when == "short" else full)
        with pytest.raises(DiskTrouble, match="No space left on device") as trouble:
            journal.append(Kind.BEGIN, utc_now(), {"command": "x", "ordinal": 1})
    assert str(path) in str(trouble.value)
    assert int(trouble.value.exit_code) == 3
    assert path.read_bytes() == before
    assert journal.events == events
    journal.append(Kind.END, utc_now(), {"verdict": "failed"})
    journal.close()
    assert [event.kind for event in read(path)[0].events][-1] is Kind.END


def test_each_line_is_flushed_to_the_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    real = os.fsync
    monkeypatch.setattr("os.fsync", lambda fd: (flushed.append(os.fstat(fd).st_size), real(fd))[1])
    journal, _ = read(path)
    sizes = []
    for number in range(3):
        journal.append(Kind.BEGIN, utc_now(), {"command": "x", "ordinal": number})
        sizes.append(path.stat().st_size)
    journal.close()
    assert flushed == sizes


def test_a_moment_is_written_in_utc_and_read_back() -> None:
    then = datetime(2026, 11, 23, 4, 5, 6, 789, tzinfo=timezone.utc)
    assert stamp(then) == "2026-11-23T04:05:06.000789Z"
    assert parse_moment(stamp(then)) == then
    with pytest.raises(ValueError, match="Invalid isoformat"):
        parse_moment("yesterday")
