"""What the program is called: as it was typed for the person who typed it, `playbook` in all that is kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from stubbed import Stubbed
from support import ROOT

TYPED = f"{sys.executable} -m playbook"
ENTRY = (
    "import sys; sys.path.insert(0, sys.argv[1]); sys.argv[:3] = [sys.argv[2]]; from playbook.cli import main; main()"
)


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Stubbed:
    stub = Stubbed(tmp_path_factory.mktemp("program"), "1.20/secret-missing")
    assert stub.playbook("all").returncode == 4
    return stub


def test_what_is_said_names_it_as_it_was_typed(failed: Stubbed, tmp_path: Path) -> None:
    assert f"then `{TYPED} all` goes on from Step 3" in failed.playbook("all").stdout
    empty = Stubbed(tmp_path)
    assert empty.playbook("status").stderr == f"next: {TYPED} all\n"
    assert empty.playbook("report").stderr == f"playbook: nothing was verified yet\n  type {TYPED} all\n"
    assert f"the whole report: {TYPED} report --recording healthy" in empty.playbook("demo").stderr


def test_what_is_kept_does_not_depend_on_how_it_was_started(failed: Stubbed) -> None:
    assert failed.playbook("report", "--pack", "p.tar.gz", "-o", "report.md").returncode == 0
    kept = [
        path
        for path in failed.folder.rglob("*")
        if path.is_file() and not path.is_relative_to(failed.folder / "cluster")
    ]
    assert {"journal.jsonl", "report.md", "p.tar.gz"} <= {path.name for path in kept}
    for path in kept:
        assert sys.executable.encode() not in path.read_bytes(), path
    for arguments in (["report"], ["report", "--output", "json"], ["report", "--output", "junit"]):
        said = failed.playbook(*arguments).stdout
        assert "playbook show step3-3-create-observer-secrets" in said
        assert TYPED not in said


@pytest.mark.parametrize(
    ("script", "name"),
    [
        ("/usr/bin/playbook", "playbook"),
        ("./playbook.pyz", f"{sys.executable} ./playbook.pyz"),
        ("x/__main__.py", TYPED),
    ],
)
def test_each_way_to_start_it(script: str, name: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ENTRY, str(ROOT), script, "status", "--state-dir", "none", "--lang", "en"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.stderr == f"next: {name} all\n"
