"""What is said where a tool is missing: the line for this machine and this user."""

from __future__ import annotations

from pathlib import Path

import pytest

from playbook.errors import MissingTool
from playbook.runtime import environment


@pytest.mark.parametrize(
    ("there", "user", "line"),
    [
        ({"apt-get"}, 1000, "sudo apt-get install curl"),
        ({"apt-get"}, 0, "apt-get install curl"),
        ({"dnf"}, 1000, "sudo dnf install curl"),
        ({"dnf"}, 0, "dnf install curl"),
        ({"apt-get", "dnf"}, 0, "apt-get install curl"),
    ],
)
def test_the_remedy_is_for_this_machine_and_user(
    there: set[str], user: int, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "has_tool", there.__contains__)
    monkeypatch.setattr("os.geteuid", lambda: user)
    assert str(environment._remedy_for(("curl",))) == f"install it: {line}"


def test_missing_tools_are_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environment.missing_tools() == ("bash", "kubectl", "python3", "curl")
    assert environment.missing_tools("0") == ("bash", "kubectl")
    with pytest.raises(MissingTool) as error:
        environment.require_tools()
    assert "kubectl" in str(error.value) and "https://kubernetes.io" in str(error.value)
    for name in ("bash", "python3", "kubectl", "k3s"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(MissingTool, match="apt-get install curl"):
        environment.require_tools("67")
    environment.require_tools("0123")
    (tmp_path / "kubectl").unlink()
    with pytest.raises(MissingTool, match="ln -s"):
        environment.require_tools("0")


@pytest.mark.parametrize(
    ("uid", "there", "command"),
    [
        (0, "apt-get", "apt-get install openssh-client"),
        (1000, "apt-get", "sudo apt-get install openssh-client"),
        (1000, "dnf", "sudo dnf install openssh-clients"),
    ],
)
def test_root_types_no_sudo_and_dnf_has_names_of_its_own(
    uid: int, there: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: uid)
    monkeypatch.setattr(environment, "has_tool", lambda name: name == there)
    assert environment.install("openssh-client", dnf="openssh-clients") == command
