"""The archive of a sign-off pack: one folder of small files as .tar.gz, by `tarfile` and `gzip`.

The same files give the same bytes on the same Python, and nothing of the machine is in the headers. What is read may come
from anybody: `verifier` unpacks it, in memory and bounded, and refuses all that is not a plain file with a name of ours.
"""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO

from ..errors import Exit, PlaybookError
from ..text import Message, msg
from . import verifier


class PackRefused(PlaybookError):
    """A pack that is not what it was: `message` names the member, or says that it is the archive itself."""

    exit_code = Exit.FAILED

    def __init__(self, message: Message) -> None:
        super().__init__(message, msg("ask for the pack again; do not sign by this one"))


def to_bytes(folder: str, members: Mapping[str, bytes], mtime: int) -> bytes:
    """The archive with `members` in `folder`, all of them last changed at `mtime`."""
    tar, packed = BytesIO(), BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(members):
            info = tarfile.TarInfo(f"{folder}/{name}")  # as it comes: mode 0644, owner 0, no names
            info.size, info.mtime = len(members[name]), mtime
            archive.addfile(info, BytesIO(members[name]))
    with gzip.GzipFile("", "wb", fileobj=packed, mtime=mtime) as stream:
        stream.write(tar.getvalue())
    return packed.getvalue()


def from_bytes(data: bytes) -> tuple[str, dict[str, bytes]]:
    """The name of the folder in an archive, and its files. Raises PackRefused for all that is not a pack's archive."""
    with refusing():
        return verifier.unpack(data)


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what the verifier refuses in the block into PackRefused."""
    try:
        yield
    except verifier.Refused as refused:
        raise PackRefused(translatable(refused.text)) from refused


def translatable(text: verifier.Text) -> Message:
    """A sentence of the verifier as one of the program.

    >>> str(translatable(verifier.msg("{name} is missing", name="MANIFEST")))
    'MANIFEST is missing'
    """
    values = {
        name: str(translatable(value)) if isinstance(value, verifier.Text) else value
        for name, value in text.values.items()
    }
    return Message(text.template, tuple(values.items()))
