"""Every verb that prints, carried out in this process: against the stub cluster, or on what lies in a folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest
from stubbed import Stubbed

from playbook import cli, text

LIVE = (
    ("all", "--allow-restart"), ("all", "--output", "json"), ("all", "--plan"), ("step", "3"), ("step", "3-4"),
    ("step", "6-3", "--output", "json"), ("summary",), ("diagnose",), ("doctor",), ("doctor", "--output", "json"),
)  # fmt: skip
"""What asks the cluster; the first makes the session that `OF_A_SESSION` is about."""

OF_A_SESSION = (
    ("status",), ("status", "-v"), ("sessions",), ("report",), ("report", "--lang", "ko"), ("report", "--output", "html"),
    ("report", "--output", "json"), ("report", "--output", "junit"), ("report", "-o", "r.html"),
    ("report", "--pack", "pack.tar.gz"), ("verify-pack", "pack.tar.gz"), ("replay", "SESSION", "-v"),
    ("replay", "SESSION", "--output", "json"), ("diff", "healthy", "SESSION"),
)  # fmt: skip
"""What reads the session's folder."""

OF_A_RECORDING = (
    ("replay", "RECORDING", "-v"), ("replay", "RECORDING", "--output", "json"), ("report", "--recording", "RECORDING"),
    ("replay", "RECORDING", "--output", "junit"), ("report", "--recording", "RECORDING", "--output", "html"),
    ("diff", "RECORDING", "healthy"), ("diff", "healthy", "RECORDING"),
)  # fmt: skip
"""What judges the recording that the stub answers from."""


@dataclass(frozen=True)
class Said:
    """What came out of a verb on one stream."""

    name: str
    status: int
    text: str


def said(
    verbs: Iterable[tuple[str, ...]], stubbed: Stubbed, patch: pytest.MonkeyPatch, seen: pytest.CaptureFixture[str]
) -> Iterator[Said]:
    """What each of `verbs` prints, as if it were typed; `SESSION` and `RECORDING` stand for the folders."""
    for name in set(os.environ) - set(stubbed.environ):
        patch.delenv(name)
    for name, value in stubbed.environ.items():
        patch.setenv(name, value)
    patch.chdir(stubbed.folder)
    for verb in verbs:
        places = {"SESSION": lambda: str(stubbed.session), "RECORDING": lambda: stubbed.scenario}
        patch.setattr(sys, "argv", ["playbook", *(places[word]() if word in places else word for word in verb)])
        seen.readouterr()
        try:
            status = cli._ended()
        finally:
            text.use_program(text.PROGRAM)
            text.use_language("en")
        for stream, printed in zip(("out", "err"), seen.readouterr(), strict=True):
            yield Said(f"{' '.join(verb)}: {stream}", status, printed)
