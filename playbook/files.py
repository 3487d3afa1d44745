"""Writing files: wholly or not at all, readable by their owner only, and with one sentence when the disk does not take it."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import DiskTrouble, UsageError
from .text import Message, msg

OTHER_STATE_DIR = msg("free or mount the disk, or name another folder with --state-dir; then the same command goes on")
"""What to do when the state folder cannot be written."""

_OPEN_ALREADY = re.compile(r"/dev/(?P<name>stdout|stderr)|/(?:dev|proc/self)/fd/(?P<number>\d+)")


@contextmanager
def disk_errors(place: Path, hint: Message = OTHER_STATE_DIR) -> Iterator[None]:
    """Turn an OSError of the block into DiskTrouble, which names the file (`place`, unless the error knows better)."""
    try:
        yield
    except OSError as error:
        raise DiskTrouble(
            msg(
                "cannot write {file}: {reason}", file=str(error.filename or place), reason=error.strerror or str(error)
            ),
            hint,
        ) from error


def read_own(path: Path) -> bytes:
    """The bytes of a file of the state folder: a regular file, never what a link leads to. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return file.read()


def write_atomically(path: Path, data: bytes, hint: Message = OTHER_STATE_DIR, mode: int = 0o600) -> None:
    """Put `data` into `path`: a draft beside it is written, then renamed. Raises DiskTrouble; then nothing changed."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with disk_errors(path, hint):
            with suppress(FileNotFoundError):
                draft.unlink()
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            try:
                _write(descriptor, data)
                if mode != 0o600:
                    os.fchmod(descriptor, mode)
            finally:
                os.close(descriptor)
            draft.replace(path)
    except DiskTrouble:
        with suppress(OSError):
            draft.unlink()
        raise


def save_as_asked(path: Path, data: bytes, hint: Message = OTHER_STATE_DIR) -> None:
    """Put `data` where the operator says. What is not a regular file is written through to; a regular one is replaced whole.

    A file that exists keeps its mode, a new one is its owner's only. A link is refused: who may place one in a folder would
    choose what is overwritten, perhaps as root. Raises UsageError and DiskTrouble.
    """
    opened = _OPEN_ALREADY.fullmatch(str(path))
    with disk_errors(path, hint):
        if opened:
            number = {"stdout": 1, "stderr": 2}.get(opened["name"] or "", int(opened["number"] or 0))
            _write(number, data)
            return
        try:
            there = path.lstat()
        except FileNotFoundError:
            there = None
    if there and stat.S_ISLNK(there.st_mode):
        raise UsageError(
            msg("{file} is a link: what it leads to is not overwritten", file=str(path)),
            msg("name the file itself: {file}", file=os.path.realpath(path)),
        )
    if there and not stat.S_ISREG(there.st_mode):
        with disk_errors(path, hint):
            descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC)
            try:
                _write(descriptor, data)
            finally:
                os.close(descriptor)
        return
    write_atomically(path, data, hint, stat.S_IMODE(there.st_mode) & 0o777 if there else 0o600)


def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
