"""How a remedy is made, whether it changes something, and which command of several may be proposed as the next."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..model import Remedy
from ..text import Message

_CHANGING = re.compile(
    r"\bkubectl\b(?:\s+-\S+(?:\s+\S+)??)*?\s+(?:annotate|apply|cordon|create|delete|drain|edit|expose|label|patch|replace|rollout"
    r"|run|scale|set|taint|uncordon)\b"
    r"|\bsystemctl\s+(?:disable|enable|reload|restart|start|stop)\b|\btimedatectl\s+set|\bcrictl\s+rm"
    r"|(?:^|[;&|\n]|\bsudo)\s*(?:rm|kill|reboot)\b|--allow-restart\b|\bplaybook fix\b"
)


def changes_something(command: str) -> bool:
    """Whether `command`, typed as it is, changes the cluster or the server.

    `fix observer-secrets` is not one of them: it looks, asks for values and asks once more before it creates anything.

    >>> changes_something("kubectl -n observer-prod delete pod tmp-curl"), changes_something("kubectl get pods")
    (True, False)
    """
    return bool(_CHANGING.search(command))


def harmless_next(remedies: Iterable[Remedy]) -> str | None:
    """The command of `remedies` that may be proposed as the next to type; None when there is none.

    A command behind one that changes something counts on that change, and one with a placeholder cannot be typed.
    """
    for remedy in remedies:
        if remedy.command and (remedy.changes or changes_something(remedy.command)):
            return None
        if remedy.command and not re.search(r"<\w+>", remedy.command):
            return remedy.command
    return None


def do(command: str, advice: Message | None = None) -> Remedy:
    """A remedy that is a command to type.

    >>> do("kubectl uncordon oracle-obs-arm").changes, do("kubectl get pods -n observer-prod").changes
    (True, False)
    """
    return Remedy(command, advice, changes_something(command))


def advise(advice: Message, changes: bool = False) -> Remedy:
    """A remedy in words; `changes` when following it changes the cluster or the server."""
    return Remedy("", advice, changes)
