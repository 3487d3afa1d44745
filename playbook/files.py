"""Writing files: wholly or not at all, readable by their owner only, and with one sentence when the disk does not take it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import DiskTrouble
from .text import Message, msg

OTHER_STATE_DIR = msg("free or mount the disk, or name another folder with --state-dir; then the same command goes on")
"""What to do when the state folder cannot be written."""


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


def write_atomically(path: Path, data: bytes, hint: Message = OTHER_STATE_DIR) -> None:
    """Put `data` into `path` (0600): a draft beside it is written, then renamed. Raises DiskTrouble; then nothing changed."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with disk_errors(path, hint):
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            try:
                left = memoryview(data)
                while left:
                    left = left[os.write(descriptor, left) :]
            finally:
                os.close(descriptor)
            draft.replace(path)
    except DiskTrouble:
        with suppress(OSError):
            draft.unlink()
        raise
