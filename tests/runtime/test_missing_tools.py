"""What is said where a tool is missing: the line for this machine and this user."""

from __future__ import annotations

import pytest

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
