"""By what the commands are run: which kubectl, under which credentials' names, and what of the environment was kept from it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ..clock import utc_now
from ..guide.own_commands import CLUSTER_UID, CONTEXT, IMAGES, VERSION
from ..model import Command, Provenance, Run
from ..session.store import operator
from ..version import __version__
from .child_environment import child_environment, working_folder
from .environment import has_tool
from .runner import Runner

_VERSIONS = (
    ("bash", re.compile(r"version (\S+)")),
    ("jq", re.compile(r"jq-(\S+)")),
    ("curl", re.compile(r"curl (\S+)")),
)
_CLIENT = re.compile(r"(?:Client Version: |GitVersion:\")(v\d[^\s\",]+)")
_SERVER = re.compile(r"Server Version: (?:version\.Info\{.*?GitVersion:\")?(v\d[^\s\",]+)")

_READ_BY_TOOLS = ("~/.curlrc", "~/.jq", "~/.kube/kuberc")
"""Files of the operator's that curl, jq and kubectl read, and that can change what they print."""


def provenance(
    runner: Runner, commands: str, *, ask_server: bool, environ: Mapping[str, str] = os.environ
) -> Provenance:
    """What is known of the tools now; `commands` is the digest of the command files. Takes 0.3 s: ask for it beside something.

    The API server is asked for its version only with `ask_server`. Credentials are not read, only their names.
    """
    children = child_environment(environ, working_folder())
    path = shutil.which("kubectl", path=children.variables.get("PATH"))
    kubectl = Path(path).resolve() if path else None
    with ThreadPoolExecutor(4) as pool:

        def ask(command: Command) -> Future[Run]:
            return pool.submit(runner.run, command)

        version = ask(VERSION if ask_server else _CLIENT_ONLY)
        names = ask(CONTEXT if ask_server else replace(CONTEXT, timeout_s=_UNANSWERED_S))
        uid, images = (ask(command) if ask_server else None for command in (CLUSTER_UID, IMAGES))
        digest = pool.submit(_digest, kubectl) if kubectl else None
        asked = [(tool, ask(_version_of(tool)), pattern) for tool, pattern in _VERSIONS if has_tool(tool)]
    client, server = (pattern.search(version.result().out) for pattern in (_CLIENT, _SERVER))
    seen = [("kubectl", client)] if kubectl else []
    seen += [(tool, pattern.search(answer.result().out)) for tool, answer, pattern in asked]
    context, _, user = names.result().out.strip().partition(" ")
    shown_uid = uid.result().out.strip() if uid else ""
    return Provenance(
        program=__version__,
        commands=commands,
        kubectl=str(kubectl or ""),
        kubectl_sha256=digest.result() if digest else "",
        k3s=kubectl is not None and kubectl.name.startswith("k3s"),
        tools=tuple((tool, found[1] if found else "?") for tool, found in seen),
        server=server[1] if server else "",
        kubeconfig=children.variables.get("KUBECONFIG", ""),
        context=context,
        user=user,
        removed=children.removed,
        noticed=tuple(name for name in _READ_BY_TOOLS if Path(name).expanduser().is_file()),
        operator=operator(environ),
        zone=zone_of(utc_now()),
        cluster_uid=shown_uid if _UID.fullmatch(shown_uid) else "",
        images=images_in(images.result().out) if images else (),
    )


def images_in(text: str) -> tuple[tuple[str, str, str], ...]:
    """Pod, image and digest of each container that `own_commands.IMAGES` shows; lines of another form are left out.

    >>> images_in("observer-5dd97c6749-8bwxr ghcr.io/o/observer:1.4 ghcr.io/o/observer@sha256:ab12\\npostgres-0\\n")
    (('observer-5dd97c6749-8bwxr', 'ghcr.io/o/observer:1.4', 'ghcr.io/o/observer@sha256:ab12'),)
    """
    lines = [line.split(" ") for line in text.splitlines() if _IMAGES.fullmatch(line)]
    return tuple((pod, *pair) for pod, *rest in lines for pair in zip(rest[::2], rest[1::2], strict=True))


def zone_of(moment: datetime) -> str:
    """The machine's time zone at a moment, as `+09:00`."""
    return moment.astimezone().isoformat()[-6:]


_UID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_IMAGES = re.compile(r"[a-z0-9][a-z0-9.-]*(?: [\w./:@-]+ [\w./:@-]+)+")

_UNANSWERED_S = 3.0
"""Where no API server answers, some kubectls (Google's dispatcher) still ask it first, whatever they are to do."""

_CLIENT_ONLY = Command(VERSION.id, "", "kubectl version --client\n", "", timeout_s=_UNANSWERED_S)


def _version_of(tool: str) -> Command:
    return Command(f"version-{tool}", "", f"{tool} --version", "", timeout_s=5.0)


def _digest(path: Path) -> str:
    """SHA-256 of a program; empty where it may be run but not read."""
    try:
        with path.open("rb") as file:
            digest = hashlib.sha256()
            while part := file.read(1 << 20):
                digest.update(part)
            return digest.hexdigest()
    except OSError:
        return ""
