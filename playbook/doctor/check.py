"""One line of `doctor`: what was looked at, what was seen, and what to type where that is not enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..guide.remedies import RUN_ALL
from ..model import Remedy
from ..text import Message, as_typed, msg

TITLES = {
    "tools": msg("tools"),
    "kubeconfig": msg("kubeconfig"),
    "context": msg("context"),
    "api": msg("API server"),
    "rights": msg("rights"),
    "port": msg("port 8000"),
    "state": msg("state folder"),
    "disk": msg("disk space"),
    "k3s": msg("K3s"),
    "kuberc": msg("kuberc"),
    "clock": msg("clock"),
}
"""What is looked at, in the order in which it is told; one check may have several lines."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line. `ok` is None where it could not be seen, because something before it is not ok."""

    id: str  # a key of TITLES
    ok: bool | None
    seen: Message
    remedy: tuple[Remedy, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The form for machines, in the language in use; `ok` is null where it could not be seen."""
        typed = [{"command": command_of(one), "advice": str(one.advice or "")} for one in self.remedy]
        return {"id": self.id, "ok": self.ok, "seen": str(self.seen), "remedies": typed}


def command_of(remedy: Remedy) -> str:
    """The command of a remedy as the person who started the program types it; empty where it is advice in words."""
    return remedy.command.replace(RUN_ALL, as_typed("playbook all"))
