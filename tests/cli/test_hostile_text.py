"""No verb lets anything through that a terminal obeys, does not show or turns round, wherever a cluster or a person put it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from stubbed import Stubbed
from support import FIXTURES
from verbs import LIVE, OF_A_RECORDING, OF_A_SESSION, Said, said

from playbook.output.columns import UNSEEN

HOSTILE = (
    "\x1b[31mred\x1b[0m\x1b[32mpass\x1b]0;title\x07\x9b2J\x9d0;t\x9c\x08\x08\x7f\u202egnp\u2066\x0b\x0c\u200b"
    "\x1bP1$q\x1b\\\x1b(0\ufeff\x1b[1A\x1b]8;;http://x\x1b\\"
)
"""OSC, CSI, C1, DCS, backspace, delete, bidi, invisible characters, and the program's own colours."""

NAMES = re.compile(
    r"\b(?:observer-[0-9a-f]{6,10}-[a-z0-9]{5}|postgres-0|oracle-obs-arm|observer-data-pvc|local-path-provisioner)\b"
)

Change = Callable[[str, str], str]
PLACES: dict[str, Change] = {
    "behind the names of pods, nodes and claims": lambda file, text: NAMES.sub(lambda name: name[0] + HOSTILE, text),
    "in the names": lambda file, text: NAMES.sub(lambda name: name[0][:4] + HOSTILE + name[0][4:], text),
    "at the end of each line": lambda file, text: re.sub(r"(?m)(?<=.)$", lambda _: f" {HOSTILE}", text),
    "behind each word": lambda file, text: re.sub(r"(?m)(?<=\S)(?= +\S)", lambda _: HOSTILE, text),
    "in lines of their own": lambda file, text: f"{HOSTILE}\n{text}{HOSTILE}\n" if text else "",
    "in errors": lambda file, text: (
        f'Error from server (Forbidden): {HOSTILE} is forbidden: User "{HOSTILE}" cannot list\n'
        if file == ".err"
        else ""
    ),
    "beside the answer": lambda file, text: f"{text}error: {HOSTILE}\n" if file == ".err" else text,
}
STATES = ("1.34/healthy", "1.34/secret-missing", "1.34/pvc-pending", "1.34/image-forbidden", "1.34/oom")


def recording(folder: Path, state: str, place: str) -> str:
    """The recording of `state` with hostile text in one kind of place."""
    made = folder / "recording"
    shutil.copytree(FIXTURES / state, made)
    for path in made.rglob("*.*"):
        if path.suffix != ".json" and path.stem != "step6-4-env":  # whose values would be masked wherever they stand
            text = path.read_bytes().decode("utf-8", "surrogateescape")
            path.write_bytes(PLACES[place](path.suffix, text).encode("utf-8", "surrogateescape"))
    if place == "in errors":
        runs = json.loads((made / "runs.json").read_text("utf-8"))
        (made / "runs.json").write_text(json.dumps([{**run, "exit_code": 1} for run in runs]), "utf-8")
    return str(made)


def require_harmless(printed: Said) -> None:
    found = UNSEEN.search(printed.text)
    assert found is None, (printed.name, printed.text[max(0, found.start() - 80) : found.end() + 20])
    assert printed.status != 70, (printed.name, printed.text)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("state", STATES)
def test_what_is_judged_offline(
    state: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = list(said(OF_A_RECORDING, Stubbed(tmp_path, recording(tmp_path, state, place)), monkeypatch, capsys))
    for printed in shown:
        require_harmless(printed)
    assert any("red" in printed.text for printed in shown), "the hostile text is in no output"


@pytest.mark.parametrize(
    ("state", "place"),
    [
        ("1.34/healthy", "behind the names of pods, nodes and claims"),
        ("1.34/healthy", "beside the answer"),
        ("1.34/pvc-pending", "at the end of each line"),
        ("1.34/secret-missing", "in errors"),
    ],
)
def test_what_is_carried_out(
    state: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stubbed = Stubbed(tmp_path, recording(tmp_path, state, place))
    shown = list(said((*LIVE, *OF_A_SESSION), stubbed, monkeypatch, capsys))
    shown.append(Said("r.html", 0, (tmp_path / "r.html").read_text("utf-8")))
    for printed in shown:
        require_harmless(printed)
    assert any("red" in printed.text for printed in shown), "the hostile text is in no output"


TYPED = HOSTILE.replace("/", "")


@pytest.mark.parametrize(
    "verb",
    [
        (TYPED,), ("step", TYPED), ("show", TYPED), ("show", "describe-pod", TYPED), ("replay", TYPED), ("demo", TYPED),
        ("diff", TYPED, "healthy"), ("status", "--session", TYPED), ("report", "--recording", TYPED), ("audit", TYPED),
        ("status", f"--{TYPED}"), ("verify-pack", TYPED), ("report", "--recording", "healthy", "-o", f"no/{TYPED}"),
        ("report", "--recording", "healthy", "-o", TYPED), ("sessions", "--state-dir", TYPED),
        ("waive", TYPED, "--by", TYPED, "--reason", TYPED), ("watch", "--every", TYPED), ("fix", TYPED),
        ("sign", TYPED, "--as", "operator", "--accept", "--key", TYPED), ("completion", TYPED),
    ],
)  # fmt: skip
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_what_is_typed(
    verb: tuple[str, ...],
    lang: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for printed in said([("--lang", lang, *verb)], Stubbed(tmp_path), monkeypatch, capsys):
        require_harmless(printed)


@pytest.mark.parametrize("place", ["folder", "current", "journal"])
def test_what_lies_in_the_state_folder(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stubbed = Stubbed(tmp_path)
    list(said([("step", "1")], stubbed, monkeypatch, capsys))
    if place == "folder":
        (stubbed.state / "sessions" / TYPED).mkdir()
    elif place == "current":
        (stubbed.state / "current").write_text(TYPED, "utf-8")
    else:
        journal = stubbed.session / "journal.jsonl"
        journal.write_text(journal.read_text("utf-8").replace('"kind"', f'"{TYPED}"'), "utf-8")
    for printed in said([("sessions",), ("status",), ("report",), ("all", "--plan")], stubbed, monkeypatch, capsys):
        require_harmless(printed)
