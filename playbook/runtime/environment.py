"""What the guide's commands need of this machine: the programs, which they are, and the variables they name."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..errors import MissingTool
from ..guide import ids
from ..model import Command

if TYPE_CHECKING:
    from ..session.session import OpenSession
from ..text import Message, msg

_NEEDED_BY = {"bash": "", "kubectl": "", "python3": "34", "curl": "7"}
"""Program and the steps whose commands call it here; "" for every step. None needs jq: 3-4 has two ways."""

_POSTGRES = re.compile(r"^(POSTGRES_USER|POSTGRES_DB)=([A-Za-z0-9_.-]+)\r?$", re.M)


def variables_for(command: Command, session: OpenSession, environ: Mapping[str, str] = os.environ) -> Mapping[str, str]:
    """What `command` is given besides the operator's environment.

    Step 8-4 names POSTGRES_USER and POSTGRES_DB: the operator's own, else what 6-4 showed, else the guide's `observer`.
    """
    if "$POSTGRES_" not in command.text:
        return {}
    shown = session.latest(ids.ENV)
    seen = dict(_POSTGRES.findall(shown.out)) if shown else {}
    names = ("POSTGRES_USER", "POSTGRES_DB")
    return {name: environ.get(name) or seen.get(name) or "observer" for name in names}


def has_tool(name: str) -> bool:
    """Whether a program is on PATH."""
    return shutil.which(name) is not None


def missing_tools(steps: Iterable[str] = "0123456789") -> tuple[str, ...]:
    """The programs that these steps need and PATH does not have.

    >>> missing_tools([])
    ()
    """
    wanted = set(steps)
    needed = (tool for tool, by in _NEEDED_BY.items() if wanted and (not by or wanted & set(by)))
    return tuple(tool for tool in needed if not has_tool(tool))


def require_tools(steps: Iterable[str] = "0123456789") -> None:
    """To be called before the first step; raises MissingTool that says how to install what is missing."""
    missing = missing_tools(steps)
    if missing:
        raise MissingTool(msg("not installed, or not on PATH: {tools}", tools=", ".join(missing)), _remedy_for(missing))


def as_root(command: str) -> str:
    """`command` as this user types it: root needs no sudo, and may have none."""
    return f"sudo {command}" if os.geteuid() else command


def install(packages: str, dnf: str = "") -> str:
    """How this user installs packages on this machine; `dnf` are their names for dnf, where they have others there."""
    if has_tool("dnf") and not has_tool("apt-get"):
        return as_root(f"dnf install {dnf or packages}")
    return as_root(f"apt-get install {packages}")


def _remedy_for(missing: tuple[str, ...]) -> Message:
    if "kubectl" not in missing:
        return msg("install it: {command}", command=install(" ".join(missing)))
    if has_tool("k3s"):
        link = as_root('ln -s "$(command -v k3s)" /usr/local/bin/kubectl')
        return msg("K3s has kubectl inside: {command}", command=link)
    return msg(
        "on the K3s server kubectl is {path}: add its folder to PATH; elsewhere: {url}",
        path="/usr/local/bin/kubectl",
        url="https://kubernetes.io/docs/tasks/tools/",
    )
