"""What a shell offers after `playbook`: verbs, options, steps, command ids, scenarios."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT

from playbook.api import SCENARIOS

ENTRY = "import sys; sys.argv[0] = 'playbook'; from playbook.cli import main; main()"
"""What the installed command does."""


def completed(line: str, shell: str = "bash") -> list[str]:
    """What is offered for the last word of `line` (a blank at its end: for the next one)."""
    typed = line.split(" ")
    environment = {
        **os.environ, "LC_ALL": "C", "_PLAYBOOK_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(typed) - 1),
    }  # fmt: skip
    ended = subprocess.run([sys.executable, "-c", ENTRY], cwd=ROOT, env=environment, capture_output=True, check=True)
    assert ended.stderr == b""
    return ended.stdout.decode().splitlines()


def words(line: str) -> list[str]:
    return [offer.partition(",")[2] for offer in completed(line) if offer]


def test_verbs() -> None:
    assert words("playbook sh") == ["show"]
    assert words("playbook su") == ["summary"]
    assert {"step", "summary", "status", "show", "sign"} <= set(words("playbook s"))


@pytest.mark.parametrize("line, offered", [
    ("playbook show 3-", ["3-1", "3-2", "3-3", "3-4", "3-5"]),
    ("playbook show step7-3", ["step7-3-port-forward", "step7-3-curl", "step7-3-stop-port-forward"]),
    ("playbook show describe-pod", ["describe-pod", "describe-pod-failed"]),
    ("playbook step 8", ["8", "8-1", "8-2", "8-3", "8-4"]),
    ("playbook all --from ", list("0123456789")),
    ("playbook all --until 6", ["6"]),
    ("playbook demo ", list(SCENARIOS)),
    ("playbook all --output j", ["json", "junit"]),
    ("playbook completion ", ["bash", "zsh", "fish"]),
    ("playbook show nothing", []),
])  # fmt: skip
def test_arguments(line: str, offered: list[str]) -> None:
    assert words(line) == offered


def test_options() -> None:
    assert "--allow-restart" in words("playbook all --a")
    assert {"--lang", "--state-dir"} <= set(words("playbook --"))


def test_zsh_gets_the_sentence_of_a_verb_too() -> None:
    assert completed("playbook sho", "zsh") == ["plain", "show", "Print the exact text of a command or step."]


def test_verbs_are_completed_without_importing_them() -> None:
    code = f"import atexit, sys\natexit.register(lambda: print(*sys.modules, file=sys.stderr))\n{ENTRY}"
    environment = {**os.environ, "_PLAYBOOK_COMPLETE": "bash_complete", "COMP_WORDS": "playbook ", "COMP_CWORD": "1"}
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True)
    there = set(ended.stderr.decode().split())
    assert "playbook.cli" in there and not there & {"playbook.api", "playbook.cli.partial", "sh", "jinja2"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell(shell: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "playbook", "completion", shell], cwd=ROOT, capture_output=True, check=True
    )
    assert f"_PLAYBOOK_COMPLETE={shell}_complete".encode() in ended.stdout
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not on this machine: the syntax of its script was not checked")
    script = tmp_path / "script"
    script.write_bytes(ended.stdout)
    assert subprocess.run([shell, "-n", script], capture_output=True, check=False).returncode == 0


def test_bash_completes_with_the_script(tmp_path: Path) -> None:
    """A bash with the script loaded, asked as it is when Tab is pressed."""
    command = tmp_path / "playbook"
    command.write_text(f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n{ENTRY}\n")
    command.chmod(0o755)
    script = """
    eval "$(playbook completion bash)"
    COMP_WORDS=(playbook show 3-) COMP_CWORD=2
    _playbook_completion playbook
    echo "${COMPREPLY[*]}"
    """
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(["bash", "-c", script], env={**os.environ, "PATH": path}, capture_output=True, check=False)
    assert ended.stdout.decode().strip() == "3-1 3-2 3-3 3-4 3-5", ended.stderr.decode()
