"""What the guide's commands are given of the operator's environment, so that the same bytes mean the same everywhere.

A variable, an exported function or a file of the working folder can change what bash, python3, kubectl, curl or ls do with
the very same text. What can is taken out, and named.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NEUTRAL_FOLDER = "/"
"""Where commands run: the guide's `python3 -c` imports from its working folder, and nobody but root can put a file there."""

_REMOVED = re.compile(
    r"BASH_ENV|ENV|SHELLOPTS|BASHOPTS|BASH_FUNC_.*|BASH_COMPAT|BASH_XTRACEFD|POSIXLY_CORRECT|CDPATH|GLOBIGNORE|PS4"  # bash
    r"|PYTHON.*"  # python3: other modules, other text encodings, code at its start
    r"|KUBECTL_.*|KUBERC"  # kubectl: other output, other ways to the container
    r"|GREP_OPTIONS|GREP_COLORS?|LS_COLORS|TIME_STYLE|QUOTING_STYLE|BLOCK_SIZE|LS_BLOCK_SIZE|COLUMNS|TABSIZE|_POSIX2_VERSION"
    r"|JQ_COLORS|JQ_LIBRARY_PATH|CLICOLOR_FORCE|FORCE_COLOR|CURL_HOME",
    re.DOTALL,
)

_ADDED = {
    "KUBERC": "off",  # kubectl from 1.34 on: no default options, such as `delete --interactive=true`, and no aliases
    "PYTHONSAFEPATH": "1",  # python3 from 3.11 on: nothing from the working folder
    "PYTHONNOUSERSITE": "1",  # no code of the operator's at python3's start
}

_UNLESS_SET = {"GOGC": "400"}
"""kubectl collects its garbage less often: a seventh less of the processor, which is the cluster's too, for 5 MB of memory."""

LOCAL_HOSTS = "localhost,127.0.0.1,::1"
"""7-3 asks localhost: a proxy of the operator's must not be asked instead."""


@dataclass(frozen=True, slots=True)
class ChildEnvironment:
    """The variables for a command, and the names of those that were taken out."""

    variables: Mapping[str, str]
    removed: tuple[str, ...]


def child_environment(environ: Mapping[str, str], folder: Path) -> ChildEnvironment:
    """What commands get of `environ`, the operator's; `folder` is where the operator is, for paths that are relative to it.

    >>> made = child_environment({"BASH_ENV": "/tmp/x", "KUBECONFIG": "k3s.yaml", "PATH": ".:/bin"}, Path("/home/kim"))
    >>> made.removed, made.variables["KUBECONFIG"], made.variables["PATH"]
    (('BASH_ENV', 'PATH: .'), '/home/kim/k3s.yaml', '/bin')
    """
    kept = {name: value for name, value in environ.items() if not _REMOVED.fullmatch(name)}
    removed = sorted(set(environ) - set(kept))
    if "KUBECONFIG" in kept:
        kept["KUBECONFIG"] = ":".join(str(folder / part) if part else "" for part in kept["KUBECONFIG"].split(":"))
    if "PATH" in kept:
        parts = kept["PATH"].split(":")
        kept["PATH"] = ":".join(part for part in parts if os.path.isabs(part))  # noqa: PTH117 - no path is made of it
        removed += [f"PATH: {part or '.'}" for part in parts if not os.path.isabs(part)]  # noqa: PTH117
    if any(name.lower() in ("http_proxy", "https_proxy", "all_proxy") for name in kept):
        for name in ("no_proxy", "NO_PROXY"):
            kept[name] = ",".join(filter(None, (kept.get(name), LOCAL_HOSTS)))
    return ChildEnvironment({**_UNLESS_SET, **kept, **_ADDED}, tuple(removed))


def working_folder() -> Path:
    """Where the operator is; the neutral folder when that is gone."""
    try:
        return Path.cwd()
    except OSError:
        return Path(NEUTRAL_FOLDER)
