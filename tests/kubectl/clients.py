"""Every kubectl that this machine has, and where a test runs one of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

NO_KUBECTL = "no kubectl on PATH: real failures of a real kubectl cannot be shown"
LIMIT_S = 1.5
"""The time limit of each command where a server hangs."""


@lru_cache
def clients() -> tuple[Path, ...]:
    """Every kubectl: the default one, `kubectl.1.*` beside it and along PATH, those of PLAYBOOK_KUBECTLS, the PyPI wheel's."""
    default = shutil.which("kubectl")
    folders = [Path(place) for place in os.environ.get("PATH", "").split(os.pathsep) if place]
    found = [Path(default)] if default else []
    if default:
        folders.insert(0, Path(default).resolve().parent)
    for folder in folders:
        found += sorted(folder.glob("kubectl.1.*"))
    found += [Path(place) for place in os.environ.get("PLAYBOOK_KUBECTLS", "").split(os.pathsep) if place]
    found.append(Path(sys.executable).parent / "kubectl")
    once = {path.resolve(): path for path in reversed(found) if os.access(path, os.X_OK) and path.is_file()}
    return tuple(path for path in found if once.get(path.resolve()) is path)


@lru_cache
def version(client: Path) -> str:
    """What a kubectl says that it is: `v1.32.4-dispatcher`."""
    said = subprocess.run([client, "version", "--client"], capture_output=True, text=True, timeout=30, check=False)
    found = re.search(r'(?:Client Version: |GitVersion:")(v\d[^\s",]+)', said.stdout)
    return found[1] if found else "?"


def chosen() -> tuple[Path, ...]:
    """The default kubectl, or all of them where PLAYBOOK_ALL_KUBECTLS is set."""
    return clients() if os.environ.get("PLAYBOOK_ALL_KUBECTLS") else clients()[:1]


@dataclass(frozen=True)
class Place:
    """One kubectl, first on PATH as `kubectl`; its home, its cache and the sessions lie in `folder`."""

    client: Path
    folder: Path
    config: Path  # what KUBECONFIG names; a test puts something there
