"""Journals whose hash chain fits and that this program did not write: one sentence each, exit 2, and not a byte changed."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_cluster import FakeCluster
from starts import go_on
from stubbed import Stubbed

from playbook import api
from playbook.errors import Exit, PlaybookError
from playbook.session.journal import GENESIS
from playbook.session.store import SessionStore

Entries = list[dict[str, Any]]
Kept = tuple[Path, Entries]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """The state folder of a whole verification, and its events."""
    state = tmp_path_factory.mktemp("kept") / "state"
    go_on(state, FakeCluster())
    folder = SessionStore(state).folder(SessionStore(state).ids()[0])
    return folder, [json.loads(line) for line in (folder / "journal.jsonl").read_bytes().splitlines()]


def chained(entries: Entries) -> bytes:
    """The lines, each carrying the digest of the one before."""
    lines, digest = [], GENESIS
    for number, entry in enumerate(entries, 1):
        whole = {**entry, "seq": entry.get("seq", number), "prev": digest}
        line = json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(line).hexdigest()
        lines.append(line + b"\n")
    return b"".join(lines)


def first(entries: Entries, kind: str) -> dict[str, Any]:
    return next(entry for entry in entries if entry["event"] == kind)


def setting(kind: str, name: str, value: object) -> Callable[[Entries], object]:
    return lambda entries: first(entries, kind).update({name: value})


def without(kind: str, name: str) -> Callable[[Entries], object]:
    return lambda entries: first(entries, kind).pop(name)


def found(name: str, value: object) -> Callable[[Entries], object]:
    return lambda entries: first(entries, "judged")["findings"][0].update({name: value})


def nested(depth: int) -> object:
    value: object = []
    for _ in range(depth):
        value = [value]
    return value


HOSTILE: dict[str, Callable[[Entries], object]] = {
    "no opening": lambda entries: entries.pop(0),
    "two openings": lambda entries: entries.insert(1, dict(entries[0])),
    "opening without a name": without("open", "session"),
    "name that is a number": setting("open", "session", 7),
    "name that is a path": setting("open", "session", "../../etc"),
    "uptime that is a text": setting("attempt", "up_s", "long"),
    "uptime that is missing": without("attempt", "up_s"),
    "nodes that are a text": setting("identity", "nodes", "node-1"),
    "server that is a list": setting("identity", "server", ["x"]),
    "run without a command": without("run", "command"),
    "command that is a path": setting("run", "command", "../../../../etc/passwd"),
    "command that is a list": setting("run", "command", ["a"]),
    "negative ordinal": setting("run", "ordinal", -1),
    "ordinal that is true": setting("run", "ordinal", True),
    "huge ordinal": setting("run", "ordinal", 10**300),
    "ordinal that is a fraction": setting("run", "ordinal", 1.5),
    "seconds that are no number": setting("run", "seconds", math.nan),
    "endless seconds": setting("run", "seconds", math.inf),
    "negative seconds": setting("run", "seconds", -1.0),
    "ending that nobody knows": setting("run", "ended", "exploded"),
    "ending that is an object": setting("run", "ended", {}),
    "exit code that is a text": setting("run", "exit_code", "0"),
    "start that is no moment": setting("run", "started_at", "yesterday"),
    "start without a zone": setting("run", "started_at", "2026-01-01T00:00:00"),
    "start in the year 9999": setting("run", "started_at", "9999-12-31T23:59:59.999999Z"),
    "event in the year 9999": setting("attempt", "at", "9999-12-31T23:59:59.999999Z"),
    "digest that is no digest": setting("run", "out", "x"),
    "digest of other bytes": setting("run", "out", "0" * 64),
    "the same run twice": lambda entries: entries.append(dict(first(entries, "run"))),
    "masked again before it was": lambda entries: entries.insert(
        1, {"seq": 2, "at": entries[0]["at"], "event": "remask", "command": "x", "ordinal": 1, "out": "", "err": ""}
    ),
    "step that does not exist": setting("judged", "step", "10"),
    "runs that are numbers": setting("judged", "runs", [1, 2]),
    "verdict that nobody knows": found("verdict", "splendid"),
    "code that is a number": found("code", 5),
    "evidence that is short": found("evidence", ["step0-nodes"]),
    "evidence that is an object": found("evidence", {"a": 1}),
    "summary without its place": found("summary", {"template": "{nobody}"}),
    "summary that reaches into the program": found("summary", {"template": "{program.__class__}"}),
    "summary that fills the memory": found("summary", {"template": "{program:>9999999999}"}),
    "summary that is a number": found("summary", 5),
    "values that are lists": found("summary", {"template": "{a}", "values": {"a": [1]}}),
    "remedy that is a text": found("remedy", ["rm -rf /"]),
    "deeply nested": found("actual", nested(900)),
    "kind of a newer version": setting("attempt", "event", "teleported"),
    "kind that is a number": setting("attempt", "event", 3),
    "removed without a list": setting("provenance", "removed", "x"),
    "numbers out of order": setting("attempt", "seq", 77),
}


@pytest.fixture
def hostile(request: pytest.FixtureRequest, kept: Kept, tmp_path: Path) -> Path:
    """A copy of the session with the journal that the test asks for; its streams are links, as nobody writes to them."""
    folder, entries = kept
    changed = json.loads(json.dumps(entries))
    HOSTILE[request.param](changed)
    for number, entry in enumerate(changed, 1):
        if request.param != "numbers out of order":
            entry["seq"] = number
    session = tmp_path / "state" / "sessions" / folder.name
    session.parent.mkdir(parents=True)
    session.mkdir()
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "journal.jsonl":
            (session / path.relative_to(folder)).parent.mkdir(exist_ok=True)
            (session / path.relative_to(folder)).hardlink_to(path)
    (session / "journal.jsonl").write_bytes(chained(changed))
    (tmp_path / "state" / "current").write_text(folder.name)
    return session


def test_one_that_is_not_hostile_is_read(kept: Kept, tmp_path: Path) -> None:
    """That the tests below fail by what they say, and not by how they are made."""
    folder, entries = kept
    assert chained(entries) == (folder / "journal.jsonl").read_bytes()
    assert api.recorded_session(folder).results


@pytest.mark.parametrize("hostile", HOSTILE, indirect=True)
def test_a_hostile_journal_is_refused_in_a_sentence(hostile: Path) -> None:
    before = (hostile / "journal.jsonl").read_bytes()
    with pytest.raises(PlaybookError) as refused:
        api.render(api.recorded_session(hostile))
    assert refused.value.exit_code == Exit.USAGE
    assert str(refused.value.message).count("\n") == 0
    with SessionStore(hostile.parent.parent) as sessions, pytest.raises(PlaybookError) as again:
        sessions.open(hostile.name)
    assert again.value.exit_code == Exit.USAGE
    assert (hostile / "journal.jsonl").read_bytes() == before


@pytest.mark.parametrize("hostile", ["kind of a newer version"], indirect=True)
def test_a_newer_version_is_named_as_the_reason(hostile: Path, tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    for verb in ("status", "report", "all"):
        done = stub.playbook(verb)
        assert done.returncode == 2
        assert "which this version does not know" in done.stderr
        assert "newer version" in done.stderr


@pytest.mark.parametrize("data", [b"\xff\xfe\n", "{}\n".encode("utf-16"), b"\x00\n", b"[" * 100_000 + b"\n"])
def test_what_is_no_text_is_refused_in_a_sentence(data: bytes, kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_bytes(data)
    with pytest.raises(PlaybookError, match="line 1 is damaged"):
        api.recorded_session(tmp_path)
