"""The first commands in a checkout: `playbook.sh` finds a Python or says what to type; so does `python -m playbook` without libraries."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT

SCRIPT = ROOT / "playbook.sh"
TOOLS = ("sh", "dirname", "readlink", "cat", "find", "id")


def stub(folder: Path, name: str, text: str) -> None:
    """A program that stands where PATH would find the real one."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(0o755)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A checkout with nothing but what the script itself looks at, and a PATH with only the tools of any server."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "bin").mkdir()
    for name in ("playbook.sh", "setup.cfg", "tools/environment.py"):
        shutil.copy2(ROOT / name, tmp_path / name)
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or tool)
    return tmp_path


def started(place: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {"PATH": f"{place}/bin", "HOME": str(place), **environment}
    return subprocess.run(
        ["./playbook.sh", *arguments], cwd=place, env=variables, capture_output=True, text=True, check=False, timeout=60
    )


def sudo() -> str:
    return "" if os.getuid() == 0 else "sudo "


def test_without_python_it_says_the_line_for_dnf_and_for_apt(place: Path) -> None:
    stub(place / "bin", "python3", "exit 1")  # python3 of Oracle Linux 9 is 3.9: too old
    ended = started(place, "all")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"  {sudo()}dnf install -y python3.12\n" in ended.stderr
    assert f"  {sudo()}apt-get install -y python3 python3-venv\n" in ended.stderr


def test_without_ensurepip_it_says_the_package(place: Path) -> None:
    stub(place / "bin", "python3", 'case "$*" in *ensurepip*) exit 1 ;; esac')
    ended = started(place, "all")
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[1] == f"  {sudo()}apt-get install -y python3-venv"


def test_it_speaks_korean(place: Path) -> None:
    ended = started(place, "all", LANG="ko_KR.UTF-8")
    assert "Python 3.10 이상이 없습니다" in ended.stderr


@pytest.mark.parametrize(
    ("there", "taken"), [(("python3", "python3.12", "python3.14"), "python3.14"), (("python3", "python3.9"), "python3")]
)
def test_the_newest_python_is_taken(place: Path, there: tuple[str, ...], taken: str) -> None:
    for name in there:
        stub(place / "bin", name, f'case "$*" in *environment.py*) echo "{name} makes it"; exit 1 ;; esac')
    ended = started(place, "all")
    assert (ended.returncode, ended.stdout) == (2, f"{taken} makes it\n")


def test_an_environment_that_is_there_is_used_and_told_how_it_was_started(place: Path) -> None:
    python = place / ".venv" / "bin"
    python.mkdir(parents=True)
    stub(python, "python", 'echo "$PLAYBOOK_STARTED_AS $*"')
    (place / ".venv" / ".made-by-playbook-sh").write_text(f"{place}\n", "utf-8")
    ended = started(place, "step", "3")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "./playbook.sh -I -m playbook step 3\n", "")


def test_a_moved_checkout_makes_it_again(place: Path) -> None:
    python = place / ".venv" / "bin"
    python.mkdir(parents=True)
    stub(python, "python", "exit 0")
    (place / ".venv" / ".made-by-playbook-sh").write_text("/elsewhere\n", "utf-8")
    assert "no Python 3.10 or newer here" in started(place, "all").stderr


def test_wheels_that_do_not_fit_end_in_the_line_that_fetches_those_that_do(place: Path) -> None:
    (place / "wheels").mkdir()
    (place / "wheels" / "nothing-1-py3-none-any.whl").write_bytes(b"")
    (place / "bin" / "python3").symlink_to(sys.executable)
    ended = started(place, "all")
    assert ended.returncode == 2
    assert "making the environment" in ended.stderr
    assert "  python3 -m pip download --only-binary :all: -d wheels 'sh>=2.0.6' 'click>=8.1'" in ended.stderr


def test_messages_name_the_script() -> None:
    variables = {**os.environ, "PLAYBOOK_STARTED_AS": "./playbook.sh"}
    ended = subprocess.run(
        [sys.executable, "-m", "playbook", "step"], env=variables, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "Usage: ./playbook.sh step" in ended.stderr


def test_a_missing_library_is_named_with_how_to_get_it() -> None:
    ended = subprocess.run(
        [sys.executable, "-S", "-m", "playbook", "all"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines() == [
        "playbook: missing in this Python: sh click jinja2 tabulate",
        "  in a checkout: ./playbook.sh all",
    ]
