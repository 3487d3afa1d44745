"""The state directory: which sessions there are, which one is current, and who is at work.

STATE/lock                      held while a program is at work
STATE/current                   the id of the session that `all` goes on with
STATE/sessions/ID/journal.jsonl every event, hash-chained
STATE/sessions/ID/…             the recording: runs.json and each command's streams, as replay reads them
"""

from __future__ import annotations

import fcntl
import getpass
import os
import pwd
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ..clock import Clock, stamp, utc_now
from ..errors import BadSession, SessionLocked, UsageError
from ..files import disk_errors, read_own, write_atomically
from ..model import GUIDE_VERSION
from ..text import msg
from .journal import START_FRESH, Journal, Kind, read

if TYPE_CHECKING:
    from .session import OpenSession

OTHER_FOLDER = msg("name another folder with --state-dir")


def state_directory(chosen: str | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the sessions lie: `chosen`, else PLAYBOOK_STATE_DIR, else playbook/ under XDG_STATE_HOME or ~/.local/state."""
    named = chosen or environ.get("PLAYBOOK_STATE_DIR")
    if named:
        return Path(named).expanduser()
    base = environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "playbook"


class SessionStore:
    """The sessions under one state directory. As a context manager it holds the lock."""

    def __init__(self, directory: Path, clock: Clock = utc_now) -> None:
        self.directory = directory
        self._clock = clock
        self._lock: int | None = None

    def __enter__(self) -> SessionStore:
        self._make(self.directory)
        require_own(self.directory)
        path = self.directory / "lock"
        with disk_errors(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 200).decode("utf-8", "replace").split()
            os.close(descriptor)
            pid, since = [*holder, "?", "?"][:2]
            raise SessionLocked(
                msg("another playbook is at work on this session: process {pid}, since {since}", pid=pid, since=since),
                msg("wait for it, look at it with `ps {pid}`, or use another --state-dir", pid=pid),
            ) from None
        except OSError as error:
            os.close(descriptor)
            raise UsageError(
                msg(
                    "the file system of {folder} cannot lock a file: {reason}",
                    folder=str(self.directory),
                    reason=error.strerror or str(error),
                ),
                msg("name a folder on a local disk with --state-dir"),
            ) from error
        try:
            with disk_errors(path):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"{os.getpid()} {stamp(self._clock())}\n".encode())
        except BaseException:
            os.close(descriptor)
            raise
        self._lock = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def ids(self) -> tuple[str, ...]:
        """Every session, oldest first."""
        root = self.directory / "sessions"
        return tuple(sorted(entry.name for entry in root.iterdir() if entry.is_dir())) if root.is_dir() else ()

    def current(self) -> str | None:
        """The id of the session that `all` goes on with; None when there is none."""
        path = self.directory / "current"
        with disk_errors(path):
            try:
                name = read_own(path).decode("utf-8", "replace").strip()
            except FileNotFoundError:
                return None
        known = name not in ("", ".", "..") and "/" not in name and "\0" not in name
        return name if known and (self.directory / "sessions" / name).is_dir() else None

    def require_current(self) -> str:
        """As `current`; raises UsageError when nothing was verified yet."""
        name = self.current()
        if name is None:
            raise UsageError(msg("nothing was verified yet"), msg("type {program} all"))
        return name

    def folder(self, session: str) -> Path:
        """Where a session lies; raises BadSession when there is none of that id."""
        path = self.directory / "sessions" / session
        if session in ("", ".", "..") or "/" in session or not path.is_dir():
            raise BadSession(
                msg("there is no session {session} in {folder}", session=session, folder=str(self.directory)),
                msg("`{program} status` shows the current one; `{program} all` begins one"),
            )
        return path

    def create(self, digests: str) -> OpenSession:
        """A new session, current from now on; the old ones are kept. `digests` stands for the command files."""
        from .session import OpenSession  # noqa: PLC0415 - 4 ms: kubectl is at work before it is needed

        name = f"{self._clock().strftime('%Y%m%dT%H%M%SZ')}-{secrets.token_hex(2)}"
        path = self.directory / "sessions" / name
        self._make(path)
        session = OpenSession(Journal(path / "journal.jsonl"), path, clock=self._clock)
        session.note(Kind.OPEN, session=name, guide=GUIDE_VERSION, digests=digests, operator=operator())
        write_atomically(self.directory / "current", f"{name}\n".encode())
        return session

    def open(self, session: str) -> tuple[OpenSession, int]:
        """An earlier session, and the bytes of a torn last line that were dropped; raises BadSession when it is damaged."""
        from .session import OpenSession  # noqa: PLC0415 - as in `create`

        path = self.folder(session)
        file = path / "journal.jsonl"
        with disk_errors(path):
            try:
                journal, torn = read(file)
            except FileNotFoundError:
                raise BadSession(msg("{file} is missing", file=str(file)), START_FRESH) from None
        if not journal.events:
            raise BadSession(msg("{file} is empty", file=str(file)), START_FRESH)
        return OpenSession(journal, path, clock=self._clock), torn

    def _make(self, path: Path) -> None:
        with disk_errors(path):
            for folder in (self.directory, self.directory / "sessions", path):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def require_own(directory: Path) -> None:
    """Return when the state folder and its sessions are of the user who started the program, and no other may write there.

    Who may write there could choose what is judged, and, where the program is root, what is overwritten. Root is no
    exception: with `sudo` the folder of the user would fill with files that the user cannot go on with. Raises UsageError.
    """
    for folder in (directory, directory / "sessions"):
        with disk_errors(folder):
            try:
                there = folder.stat() if folder == directory else folder.lstat()
            except FileNotFoundError:
                continue
        if there.st_uid != os.geteuid():
            owner = _name_of(there.st_uid)
            raise UsageError(
                msg(
                    "the state folder {folder} belongs to {owner}, and you are {user}",
                    folder=str(folder),
                    owner=owner,
                    user=_name_of(os.geteuid()),
                ),
                msg("type the same as {owner}, or name a folder of your own with --state-dir", owner=owner),
            )
        if not stat.S_ISDIR(there.st_mode):
            raise UsageError(msg("{folder} is no folder", folder=str(folder)), OTHER_FOLDER)
        if there.st_mode & 0o022:
            raise UsageError(
                msg("others may write to the state folder {folder}", folder=str(folder)),
                msg("type `chmod go-w {folder}`, or name another folder with --state-dir", folder=str(folder)),
            )


def _name_of(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"


def person(environ: Mapping[str, str] = os.environ) -> str:
    """The login name of who is at work: behind sudo, of who typed it.

    >>> person({"SUDO_USER": "kim", "USER": "root"})
    'kim'
    """
    return _behind_sudo(environ) or _user()


def operator(environ: Mapping[str, str] = os.environ) -> str:
    """Who runs this program and where, and who is behind sudo: `root@host (sudo: kim)`."""
    host, behind = os.uname().nodename, _behind_sudo(environ)
    return f"{_user()}@{host}" + (f" (sudo: {behind})" if behind else "")


def _behind_sudo(environ: Mapping[str, str]) -> str:
    return environ.get("SUDO_USER") or environ.get("DOAS_USER") or ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
