"""The README says what is so: its example runs, its tables are the program's, its excerpt is from a real report."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from readme import README, blocks, on_the_cluster
from stubbed import Stubbed
from support import ROOT

import playbook
from playbook.cli import _VERBS
from playbook.errors import Exit

FIRST_SCREEN = README.partition("## Install")[0]


def section(title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", README, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def first_cells(title: str) -> list[str]:
    return first_cells_of(section(title))


def first_cells_of(text: str) -> list[str]:
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")]
    return rows[2:]


def test_there_is_an_example() -> None:
    assert len(blocks("python")) >= 3


ANSWERS = ('secret "observer-secrets" not found', "`OBSERVER-SECRETS`, Step 3-3", "SECRET-ABSENT")
"""What each example prints, in the order of the examples."""


@pytest.mark.parametrize("code", blocks("python"))
def test_the_example_runs(code: str, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{code}", "utf-8")
    ended = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, check=False, encoding="utf-8"
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ANSWERS[blocks("python").index(code)] in ended.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["example.py"]


def test_the_example_runs_on_a_cluster(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path, "1.20/secret-missing")
    ended = subprocess.run(
        [sys.executable, "-c", on_the_cluster()],
        cwd=tmp_path,
        env=stub.environ,
        capture_output=True,
        check=False,
        text=True,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ANSWERS[0] in ended.stdout
    assert stub.log.is_file() and not stub.state.exists(), "the cluster was asked, and nothing is kept"


def test_every_verb_is_in_the_table_and_no_other() -> None:
    named = [re.match(r"`([a-z-]+)", cell) for cell in first_cells("Verbs")]
    assert [found[1] for found in named if found] == list(_VERBS)


def test_every_exit_status_is_in_the_table_and_no_other() -> None:
    assert [int(cell) for cell in first_cells_of(FIRST_SCREEN)] == sorted(Exit)


def test_the_first_screen_is_one_screen() -> None:
    assert len(FIRST_SCREEN.splitlines()) < 45


def test_the_excerpt_is_from_the_report() -> None:
    (excerpt,) = blocks("markdown")
    report = playbook.render(playbook.replay(playbook.scenario("secret-missing"))).splitlines()
    lines = [line for line in excerpt.splitlines() if line]
    assert [line for line in lines if line not in report] == []
    assert len(lines) > 6


def test_the_libraries_are_those_of_setup_cfg() -> None:
    named = [cell.strip("`") for cell in first_cells("Libraries")]
    needed = re.findall(
        r"^    (\w+) >=", (ROOT / "setup.cfg").read_text().partition("install_requires")[2].partition("[")[0], re.M
    )
    assert named == needed


def test_every_target_of_make_that_is_named_exists() -> None:
    targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = set(re.findall(r"\bmake ([a-z0-9-]+)", README)) - {"lists"}
    assert named and named - set(targets) == set()


def test_every_file_that_is_named_exists() -> None:
    named = re.findall(r"`((?:docs|playbook|templates|commands|\.ci)/[\w./-]*|LICENSE)`", README)
    assert len(named) > 3
    assert [name for name in named if not (ROOT / name).exists()] == []
