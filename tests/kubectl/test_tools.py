"""Which kubectl it is: the wording of `kubectl version --client` differs between versions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from clients import Place

from playbook.clock import NEVER
from playbook.model import Command, Ended, Run
from playbook.runtime.live import LiveRunner
from playbook.runtime.provenance import find_kubectl, provenance

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


UID = "2a5b2e5c-1111-4222-8333-0123456789ab"
OTHER = "3b5b2e5c-1111-4222-8333-0123456789ab"


@pytest.mark.parametrize(
    ("listed", "asked_alone"),
    [
        (f"postgres-0 postgres:15 postgres@sha256:ab12\ndefault {OTHER}\nkube-system {UID}\nother {OTHER}\n", False),
        ("postgres-0 a b\n", True),
    ],
)
def test_the_uid_is_asked_for_alone_where_namespaces_may_not_be_listed(listed: str, asked_alone: bool) -> None:
    asked: list[str] = []
    shown = {"images-and-cluster-uid": listed, "kube-system-uid": f"kube-system {UID}"}

    class Cluster(Says):
        def run(self, command: Command, *rest: object, **how: object) -> Run:  # type: ignore[override]
            """What such a user is shown."""
            asked.append(command.id)
            return Says(shown.get(command.id, "")).run(command, *rest, **how)

    found = provenance(Cluster(""), "", ask_server=True)
    assert found.cluster_uid == UID
    assert [pod for pod, _, _ in found.images] == ["postgres-0"]
    assert ("kube-system-uid" in asked) is asked_alone


def test_where_there_is_no_kubectl_nothing_has_a_digest() -> None:
    assert (kubectl := find_kubectl({"PATH": "/nonexistent"})).path is None
    assert kubectl.sha256.result() == ""


def test_the_version_of_this_one(place: Place) -> None:
    runner = LiveRunner()
    try:
        found = provenance(runner, "digest", ask_server=False)
    finally:
        runner.close()
    assert re.fullmatch(r"v1\.\d+\.\d+\S*", dict(found.tools)["kubectl"]), found
    assert Path(found.kubectl).is_file() and len(found.kubectl_sha256) == 64
