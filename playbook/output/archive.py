"""The archive of a sign-off pack: one folder of small files as .tar.gz, by `tarfile` and `gzip`.

The same files give the same bytes on the same Python, and nothing of the machine is in the headers. What is read may come
from anybody: at most LARGEST bytes are ever unpacked, in memory, and all that is not a plain file with a name of ours
is refused.
"""

from __future__ import annotations

import gzip
import re
import tarfile
import zlib
from collections.abc import Mapping
from io import BytesIO

from ..errors import Exit, PlaybookError
from ..text import Message, msg

LARGEST = 200_000_000
"""How many bytes a pack may have, packed and unpacked."""

NAME = re.compile(
    r"MANIFEST|journal\.jsonl|runs\.json|report(?:\.ko)?\.md|commands/SHA256SUMS|commands/(?:diagnose/)?[a-z0-9-]+\.sh|"
    r"(?:diagnose/)?[a-z0-9][A-Za-z0-9.-]*\.(?:out|err)"
)
"""What a file of a pack may be called, below the folder of its session."""

_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_BLOCK = 512
_HEADER_NAME = 100
_HARMLESS = {"path", "mtime", "atime", "ctime"}
"""The extended headers that leave the content of a file alone."""
_BROKEN = (tarfile.TarError, ValueError, IndexError, OverflowError, EOFError, RecursionError)
"""What tarfile raises on headers that nobody wrote in good faith."""


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
    stream = zlib.decompressobj(wbits=31)  # one gzip member: GzipFile would read on into whatever follows it
    try:
        tar = stream.decompress(data, LARGEST)
        if stream.eof and not stream.unused_data:
            return _files(tar)
    except (zlib.error, *_BROKEN) as error:
        raise damaged() from error
    raise damaged()


def damaged() -> PackRefused:
    """The refusal of an archive that cannot be told by one of its members."""
    return PackRefused(msg("the archive's own headers were changed, or it is not a pack"))


def _files(tar: bytes) -> tuple[str, dict[str, bytes]]:
    members: dict[str, bytes] = {}
    folders: set[str] = set()
    end = 0
    with tarfile.open(fileobj=BytesIO(tar), mode="r:") as archive:
        for info in archive:
            folder, _, name = info.name.partition("/")
            data = _content(tar, info)
            if not NAME.fullmatch(name) or not _FOLDER.fullmatch(folder) or ".." in info.name:
                raise PackRefused(msg("{name} does not belong into a pack", name=info.name[:200]))
            if name in members:
                raise PackRefused(msg("{name} is there twice", name=name))
            folders.add(folder)
            members[name] = data
            end = info.offset_data + info.size
    if len(folders) != 1 or tar[end:].strip(b"\0"):  # tarfile ends at the first header that it cannot read
        raise damaged()
    return folders.pop(), members


def _content(tar: bytes, info: tarfile.TarInfo) -> bytes:
    """The bytes of one plain file, which every program that unpacks the archive finds under the same name."""
    if info.type != tarfile.REGTYPE:
        raise PackRefused(msg("{name} is not a plain file", name=info.name[:200]))
    header = info.offset_data - _BLOCK
    in_header = tar[header : header + _HEADER_NAME].partition(b"\0")[0]
    data = tar[info.offset_data : info.offset_data + info.size]
    renamed = in_header != info.name.encode("utf-8", "surrogateescape")[:_HEADER_NAME]
    if renamed or len(data) != info.size or info.pax_headers.keys() - _HARMLESS:
        raise damaged()
    return data
