"""Which kubectl it is: the wording of `kubectl version --client` differs between versions."""

from __future__ import annotations

import re

import pytest
from clients import Place

from playbook.clock import NEVER
from playbook.model import Command, Ended, Run
from playbook.runtime import environment
from playbook.runtime.live import LiveRunner

TO_1_27 = (
    "WARNING: This version information is deprecated and will be replaced with the output from kubectl version --short.\n"
    'Client Version: version.Info{Major:"1", Minor:"27", GitVersion:"v1.27.16", GitCommit:"cbb86e0d7f4a"}\n'
)
FROM_1_28 = "Client Version: v1.33.1\nKustomize Version: v5.6.0\n"


class Says(LiveRunner):
    """Answers every command with one text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def run(self, command: Command, *_: object, **__: object) -> Run:  # type: ignore[override]
        """The text."""
        return Run(command.key, 0, self.text.encode(), b"", 0, Ended.EXITED, NEVER, 0.0)


@pytest.mark.parametrize(("text", "version"), [(TO_1_27, "v1.27.16"), (FROM_1_28, "v1.33.1"), ("no idea\n", "?")])
def test_both_wordings(text: str, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "has_tool", lambda name: name == "kubectl")
    assert environment.tool_versions(Says(text)) == (("kubectl", version),)


def test_the_version_of_this_one(place: Place) -> None:
    runner = LiveRunner()
    try:
        found = dict(environment.tool_versions(runner))
    finally:
        runner.close()
    assert re.fullmatch(r"v1\.\d+\.\d+\S*", found["kubectl"]), found
