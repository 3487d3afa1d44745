"""The checks that only look at this machine. They run nothing and take milliseconds."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from shlex import quote

from ..errors import MissingTool
from ..guide.remedies import COPY_KUBECONFIG, FOR_AN_UNREADABLE_KUBECONFIG, KUBECONFIG, WITHOUT_A_KUBECONFIG
from ..guide.remedy import advise, do
from ..model import Remedy
from ..runtime.environment import require_tools
from ..session.store import state_directory
from ..text import msg, verbatim
from .check import Check

PORT = 8000
"""Step 7-3 forwards it."""

ENOUGH_MB = 200
"""A session with its report takes 2 MB; a day of samples more; a full disk ends a verification."""

_LISTENS = "0A"


def tools() -> Check:
    """Whether the programs that the guide's commands call are there."""
    try:
        require_tools()
    except MissingTool as missing:
        return Check("tools", False, missing.message, (advise(missing.hint),) if missing.hint else ())
    return Check("tools", True, verbatim("bash, kubectl, curl, python3"))


def kubeconfig(environ: Mapping[str, str] = os.environ) -> Check:
    """Whether this user may read what kubectl reads: KUBECONFIG, else ~/.kube/config, else K3s' own file."""
    named = [Path(part) for part in environ.get("KUBECONFIG", "").split(":") if part]
    own = Path(KUBECONFIG)
    # K3s' kubectl takes K3s' own file where there is one, whatever lies in ~/.kube.
    places = named or [own if _is_k3s() and _there(own) else Path("~/.kube/config").expanduser()]
    for path in places:
        if _there(path) and not os.access(path, os.R_OK):
            if path == own:
                return _roots_alone()
            words = msg("{path} is there, but this user may not read it", path=str(path))
            return Check("kubeconfig", False, words, (_own(path),))
    readable = [path for path in places if _there(path)]
    if readable:
        return Check("kubeconfig", True, verbatim(":".join(map(str, readable))))
    if named:
        where = ":".join(map(str, named))
        back = do(
            "unset KUBECONFIG", msg("kubectl then takes ~/.kube/config, and K3s' kubectl {path}", path=KUBECONFIG)
        )
        here = WITHOUT_A_KUBECONFIG if os.access(own, os.R_OK) else (COPY_KUBECONFIG,)
        instead = here if _there(own) else (back,)
        return Check("kubeconfig", False, msg("KUBECONFIG names what is not there: {path}", path=where), instead)
    if _there(own):
        return _none(WITHOUT_A_KUBECONFIG) if os.access(own, os.R_OK) else _roots_alone()
    return _none(
        (
            advise(
                msg("copy {path} of the K3s server to ~/.kube/config, with the server's address in it", path=KUBECONFIG)
            ),
        )
    )


def _roots_alone() -> Check:
    return Check("kubeconfig", False, msg("only root may read {path}", path=KUBECONFIG), FOR_AN_UNREADABLE_KUBECONFIG)


def _none(remedy: tuple[Remedy, ...]) -> Check:
    return Check("kubeconfig", False, msg("there is none"), remedy)


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # in a folder that this user may not enter
        return True


def _own(path: Path) -> Remedy:
    return do(f'sudo chown "$(id -u):$(id -g)" {quote(str(path))}', msg("it becomes this user's own"))


def _is_k3s() -> bool:
    found = shutil.which("kubectl")
    return bool(found) and Path(found or "").resolve().name.startswith("k3s")


def port(number: int = PORT) -> Check:
    """Whether Step 7-3 can have its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError as error:
            return Check(
                "port", False, msg("taken: {reason}", reason=error.strerror or str(error)), _who_listens(number)
            )
    return Check("port", True, msg("free"))


def _who_listens(number: int) -> tuple[Remedy, ...]:
    for pid, name in holders(number):
        return (do(f"kill {pid}", msg("ends {name}, which has the port", name=name)),)
    return (do(f"sudo ss -ltnp 'sport = :{number}'", msg("shows whose it is; end that, or verify when it is over")),)


def holders(number: int, proc: Path = Path("/proc")) -> Iterator[tuple[int, str]]:
    """The processes that listen at a port, as far as this user may see them: id and name."""
    sockets = set()
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (proc / "net" / table).read_text("ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == number:
                    sockets.add(f"socket:[{fields[9]}]")
    for folder in proc.glob("[0-9]*"):
        with suppress(OSError):
            if any(str(entry.readlink()) in sockets for entry in (folder / "fd").iterdir()):
                yield int(folder.name), (folder / "comm").read_text("utf-8", "replace").strip()


def state(chosen: str | None = None) -> Check:
    """Whether sessions can be kept where they are to be kept."""
    folder = state_directory(chosen)
    nearest = _nearest(folder)
    inside = (nearest, *(folder / name for name in ("sessions", "lock", "current")))
    for path in inside:
        if _there(path) and not os.access(path, os.W_OK):
            remedy = do(
                f'sudo chown -R "$(id -u):$(id -g)" {quote(str(nearest))}', msg("as after a first run by `sudo`")
            )
            elsewhere = do("export PLAYBOOK_STATE_DIR=~/playbook-state", msg("or keep sessions elsewhere"))
            return Check("state", False, msg("this user may not write {path}", path=str(path)), (remedy, elsewhere))
    return Check("state", True, verbatim(str(folder)))


def disk(chosen: str | None = None, enough_mb: int = ENOUGH_MB) -> Check:
    """Whether there is room for a session."""
    nearest = _nearest(state_directory(chosen))
    free = shutil.disk_usage(nearest).free // 1_000_000
    seen = msg("{n} MB free in {path}", n=free, path=str(nearest))
    if free >= enough_mb:
        return Check("disk", True, seen)
    return Check("disk", False, seen, (do(f"df -h {quote(str(nearest))}", msg("make room for {n} MB", n=enough_mb)),))


def _nearest(folder: Path) -> Path:
    """The folder itself, or the one above it in which it would be made."""
    return next((place for place in (folder, *folder.parents) if _there(place)), Path("/"))


def all_of_them(chosen: str | None = None) -> tuple[Check, ...]:
    """Every check of this module; `chosen` is the state folder that was asked for."""
    return (tools(), kubeconfig(), port(), state(chosen), disk(chosen))
