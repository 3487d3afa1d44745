"""One command of the guide. Apart from the other types, so that `show` and `list` start without them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the guide, byte for byte, and how it may be run."""

    id: str  # `step3-4-secret-keys`; for a diagnosis command `describe-pod`
    step: str  # the guide's own number: `3-4`; "" for a diagnosis command and the summary
    text: str  # what bash is given
    sha256: str  # of the file's bytes, before any placeholder was filled
    mutates: bool = False  # changes the cluster
    timeout_s: float = 30.0
    target: str = ""  # the object that <pod> or <name> was filled with

    @property
    def key(self) -> str:
        """What its recording is named: the id, and the target for a filled command."""
        return f"{self.id}.{self.target}" if self.target else self.id
