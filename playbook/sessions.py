"""The state directory: which sessions there are, which one is open, and who is at work.

STATE/lock                      held while a program is at work
STATE/current                   the id of the session that `all` goes on with
STATE/sessions/ID/journal.jsonl every event, hash-chained
STATE/sessions/ID/…             the recording: runs.json and each command's streams, as replay reads them
"""

from __future__ import annotations

import fcntl
import getpass
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from .errors import BadSession, DiskTrouble, SessionLocked
from .journal import Journal, Kind, now, read, stamp
from .model import GUIDE_VERSION
from .text import msg

if TYPE_CHECKING:
    from .session import Record


def state_directory(chosen: str | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the sessions lie: `chosen`, else PLAYBOOK_STATE_DIR, else playbook/ under XDG_STATE_HOME or ~/.local/state."""
    named = chosen or environ.get("PLAYBOOK_STATE_DIR")
    if named:
        return Path(named).expanduser()
    base = environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "playbook"


class Sessions:
    """The sessions under one state directory. As a context manager it holds the lock."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lock: int | None = None

    def __enter__(self) -> Sessions:
        self._make(self.directory)
        path = self.directory / "lock"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _disk(path, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 200).decode("utf-8", "replace").split()
            os.close(descriptor)
            pid, since = [*holder, "?", "?"][:2]
            raise SessionLocked(
                msg("another playbook is at work on this record: process {pid}, since {since}", pid=pid, since=since),
                msg("wait for it, look at it with `ps {pid}`, or use another --state-dir", pid=pid),
            ) from None
        try:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()} {stamp(now())}\n".encode())
        except OSError as error:
            os.close(descriptor)
            raise _disk(path, error) from error
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
        try:
            name = (self.directory / "current").read_text("utf-8").strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _disk(self.directory / "current", error) from error
        return name if name and (self.directory / "sessions" / name).is_dir() else None

    def folder(self, session: str) -> Path:
        """Where a session lies; raises BadSession when there is none of that id."""
        path = self.directory / "sessions" / session
        if session in ("", ".", "..") or "/" in session or not path.is_dir():
            raise BadSession(
                msg("there is no session {session} in {folder}", session=session, folder=str(self.directory)),
                msg("`python -m playbook status` shows the current one; `python -m playbook all` begins one"),
            )
        return path

    def create(self, digests: str) -> Record:
        """A new session, current from now on; the old ones are kept."""
        from .session import Record

        session = f"{now().strftime('%Y%m%dT%H%M%SZ')}-{secrets.token_hex(2)}"
        path = self.directory / "sessions" / session
        self._make(path)
        record = Record(Journal(path / "journal.jsonl"), path)
        record.note(
            Kind.OPEN,
            session=session,
            guide=GUIDE_VERSION,
            digests=digests,
            operator=_operator(),
        )
        self._point_at(session)
        return record

    def open(self, session: str) -> tuple[Record, int]:
        """An earlier session, and the bytes of a torn last line that were dropped; raises BadSession when it is damaged."""
        from .session import Record

        path = self.folder(session)
        try:
            journal, torn = read(path / "journal.jsonl")
        except FileNotFoundError:
            raise BadSession(
                msg("{file} is missing", file=str(path / "journal.jsonl")),
                msg("start a new record with --fresh; the damaged one is kept as it is"),
            ) from None
        except OSError as error:
            raise _disk(path, error) from error
        if not journal.events:
            raise BadSession(
                msg("{file} is empty", file=str(path / "journal.jsonl")),
                msg("start a new record with --fresh; the damaged one is kept as it is"),
            )
        return Record(journal, path), torn

    def _point_at(self, session: str) -> None:
        target, draft = self.directory / "current", self.directory / f"current.{os.getpid()}"
        try:
            draft.write_text(session + "\n", "utf-8")
            draft.chmod(0o600)
            draft.replace(target)
        except OSError as error:
            with suppress(OSError):
                draft.unlink()
            raise _disk(target, error) from error

    def _make(self, path: Path) -> None:
        try:
            for folder in (self.directory, self.directory / "sessions", path):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _disk(path, error) from error


def _operator() -> str:
    try:
        return f"{getpass.getuser()}@{os.uname().nodename}"
    except (KeyError, OSError):
        return f"uid {os.getuid()}@{os.uname().nodename}"


def _disk(path: Path, error: OSError) -> DiskTrouble:
    return DiskTrouble(
        msg("cannot write {file}: {reason}", file=str(path), reason=error.strerror or str(error)),
        msg("free or mount the disk, or name another folder with --state-dir; then the same command goes on"),
    )
