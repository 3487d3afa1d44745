"""The guide's one-line summary: five lists below their titles."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from .pods import Pod, pods
from .secrets import SecretRow, secret_words
from .services import Service, services
from .storage import Claim, claims
from .tables import sections

T = TypeVar("T")


class Summary(NamedTuple):
    """Its parts; one that was not printed is empty. The last events have no header, and are kept as lines."""

    pods: tuple[Pod, ...]
    claims: tuple[Claim, ...]
    secrets: tuple[SecretRow, ...]
    services: tuple[Service, ...]
    events: tuple[str, ...]


def summary(text: str) -> Summary:
    """The parts of the summary.

    >>> summary("=== PODS ===\\n\\n=== SECRETS ===\\nobs-db-secret Opaque 1\\n").secrets[0].line
    4
    """
    parts = {title: part for title, part in sections(text).items() if part[1].strip()}

    def rows(title: str, parse: Callable[[str, int], tuple[T, ...]]) -> tuple[T, ...]:
        first, below = parts.get(title, (0, ""))
        return parse(below, first) if below else ()

    return Summary(
        rows("PODS", pods),
        rows("PVC", claims),
        rows("SECRETS", secret_words),
        rows("SERVICES", services),
        tuple(parts.get("EVENTS (latest 5)", (0, ""))[1].splitlines()),
    )
