"""Which kubectl it is: the wording of `kubectl version --client` differs between versions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from clients import Place

from playbook.clock import NEVER
from playbook.model import Command, Ended, Run
from playbook.runtime.live import LiveRunner
from playbook.runtime.provenance import provenance

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


SERVER_TO_1_27 = (
    'Server Version: version.Info{Major:"1", Minor:"20+", GitVersion:"v1.20.2+k3s1", GitCommit:"1d4adb0301b9"}\n'
)
SERVER_FROM_1_28 = "Server Version: v1.34.4+k3s1\n"


@pytest.mark.parametrize(
    ("text", "kubectl", "server"),
    [
        (TO_1_27 + SERVER_TO_1_27, "v1.27.16", "v1.20.2+k3s1"),
        (FROM_1_28 + SERVER_FROM_1_28, "v1.33.1", "v1.34.4+k3s1"),
        (FROM_1_28, "v1.33.1", ""),
        ("no idea\n", "?", ""),
    ],
)
def test_both_wordings(text: str, kubectl: str, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playbook.runtime.provenance.has_tool", lambda name: name == "kubectl")
    found = provenance(Says(text), "", ask_server=True)
    assert (found.tools, found.server) == ((("kubectl", kubectl),), server)


def test_the_version_of_this_one(place: Place) -> None:
    runner = LiveRunner()
    try:
        found = provenance(runner, "digest", ask_server=False)
    finally:
        runner.close()
    assert re.fullmatch(r"v1\.\d+\.\d+\S*", dict(found.tools)["kubectl"]), found
    assert Path(found.kubectl).is_file() and len(found.kubectl_sha256) == 64
