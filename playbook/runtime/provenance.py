"""By what the commands are run: which kubectl, under which credentials' names, and what of the environment was kept from it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from ..clock import utc_now
from ..guide.own_commands import CLUSTER_UID, CONTEXT, IMAGES_AND_UID, VERSION
from ..model import Command, Provenance, Run
from ..session.store import operator
from ..version import __version__
from .background import in_background
from .child_environment import child_environment, working_folder
from .environment import has_tool
from .runner import Runner

_TOOLS = Command("tool-versions", "", 'echo "bash $BASH_VERSION"; jq --version; curl --version\n', "", timeout_s=5.0)
_VERSIONS = (
    ("bash", re.compile(r"^bash (\S+)", re.MULTILINE)),
    ("jq", re.compile(r"^jq-(\S+)", re.MULTILINE)),
    ("curl", re.compile(r"^curl (\S+)", re.MULTILINE)),
)
_CLIENT = re.compile(r"(?:Client Version: |GitVersion:\")(v\d[^\s\",]+)")
_SERVER = re.compile(r"Server Version: (?:version\.Info\{.*?GitVersion:\")?(v\d[^\s\",]+)")

_READ_BY_TOOLS = ("~/.curlrc", "~/.jq", "~/.kube/kuberc")
"""Files of the operator's that curl, jq and kubectl read, and that can change what they print."""


@dataclass(frozen=True, slots=True)
class Kubectl:
    """The program that the commands call kubectl: its path, None where there is none, and its digest as soon as it is known."""

    path: Path | None
    sha256: Future[str]


def find_kubectl(environ: Mapping[str, str] = os.environ) -> Kubectl:
    """Where kubectl is; its digest is begun, which keeps a core busy for a twentieth of a second."""
    found = shutil.which("kubectl", path=child_environment(environ, working_folder()).variables.get("PATH"))
    path = Path(found).resolve() if found else None
    return Kubectl(path, in_background(partial(_digest, path)))


def provenance(
    runner: Runner,
    commands: str,
    *,
    ask_server: bool,
    environ: Mapping[str, str] = os.environ,
    kubectl: Kubectl | None = None,
) -> Provenance:
    """What is known of the tools now; `commands` is the digest of the command files. Takes 0.3 s: ask for it beside something.

    The API server is asked for its version only with `ask_server`. Credentials are not read, only their names. `kubectl` is
    what was found of it already.
    """
    children = child_environment(environ, working_folder())
    kubectl = kubectl or find_kubectl(environ)
    path = kubectl.path
    with ThreadPoolExecutor(4) as pool:

        def ask(command: Command) -> Future[Run]:
            return pool.submit(runner.run, command)

        version = ask(VERSION if ask_server else _CLIENT_ONLY)
        names = ask(CONTEXT if ask_server else replace(CONTEXT, timeout_s=_UNANSWERED_S))
        listed = ask(IMAGES_AND_UID) if ask_server else None
        tools = ask(_TOOLS)
        shown = listed.result().out if listed else ""
        uid = _UID.search(shown) or (_UID.search(runner.run(CLUSTER_UID).out) if ask_server else None)
    client, server = (pattern.search(version.result().out) for pattern in (_CLIENT, _SERVER))
    seen = [("kubectl", client)] if path else []
    seen += [(tool, pattern.search(tools.result().out)) for tool, pattern in _VERSIONS if has_tool(tool)]
    context, _, user = names.result().out.strip().partition(" ")
    return Provenance(
        program=__version__,
        commands=commands,
        kubectl=str(path or ""),
        kubectl_sha256=kubectl.sha256.result(),
        k3s=path is not None and path.name.startswith("k3s"),
        tools=tuple((tool, found[1] if found else "?") for tool, found in seen),
        server=server[1] if server else "",
        kubeconfig=children.variables.get("KUBECONFIG", ""),
        context=context,
        user=user,
        removed=children.removed,
        noticed=tuple(name for name in _READ_BY_TOOLS if Path(name).expanduser().is_file()),
        operator=operator(environ),
        zone=zone_of(utc_now()),
        cluster_uid=uid[1] if uid else "",
        images=images_in(shown),
    )


def images_in(text: str) -> tuple[tuple[str, str, str], ...]:
    """Pod, image and digest of each container that `own_commands.IMAGES_AND_UID` shows; lines of another form are left out.

    >>> images_in("observer-5dd97c6749-8bwxr ghcr.io/o/observer:1.4 ghcr.io/o/observer@sha256:ab12\\npostgres-0\\n")
    (('observer-5dd97c6749-8bwxr', 'ghcr.io/o/observer:1.4', 'ghcr.io/o/observer@sha256:ab12'),)
    """
    lines = [line.split(" ") for line in text.splitlines() if _IMAGES.fullmatch(line)]
    return tuple((pod, *pair) for pod, *rest in lines for pair in zip(rest[::2], rest[1::2], strict=True))


def zone_of(moment: datetime) -> str:
    """The machine's time zone at a moment, as `+09:00`."""
    return moment.astimezone().isoformat()[-6:]


_UID = re.compile(r"^kube-system ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$", re.MULTILINE)
_IMAGES = re.compile(r"[a-z0-9][a-z0-9.-]*(?: [\w./:@-]+ [\w./:@-]+)+")

_UNANSWERED_S = 3.0
"""Where no API server answers, some kubectls (Google's dispatcher) still ask it first, whatever they are to do."""

_CLIENT_ONLY = Command(VERSION.id, "", "kubectl version --client\n", "", timeout_s=_UNANSWERED_S)


def _digest(path: Path | None) -> str:
    """SHA-256 of a program; empty where it may be run but not read, and where there is none."""
    if path is None:
        return ""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while part := file.read(8 << 20):  # large, for each part waits until the thread that imports lets go
                digest.update(part)
    except OSError:
        return ""
    return digest.hexdigest()
