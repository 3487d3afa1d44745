"""The sign-off pack: one archive with a session, the commands it ran and its report, which a machine can check later.

    ID/MANIFEST            the SHA-256 of every other member, and the versions of program and guide
    ID/report.md, .ko.md   the report in both languages
    ID/journal.jsonl, …    the session's folder as `replay` reads it: journal, runs.json, streams
    ID/commands/…          the text of every command, and SHA256SUMS

The same session gives the same bytes, on every machine. That is why the gzip layer stores instead of compressing: what
a compressor makes of the same bytes differs between versions of zlib, and a changed bit in a compressed stream can
decode to the same text. So the check can pack the members again and ask for the very bytes of the file.

Two digests stand for a pack. The report cannot hold the digest of an archive that it is part of: its sign-off shows the
evidence digest, the SHA-256 of the manifest's lines but for its last one and those of the reports. The pack digest is
the SHA-256 of MANIFEST.
"""

from __future__ import annotations

import re
import struct
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadSession, Exit, PlaybookError, UsageError
from ..model import GUIDE_VERSION, Session
from ..resources import folder as data_folder
from ..runtime.staleness import stale
from ..session.journal import Event, Journal, check, whole_lines
from ..session.recording import index_bytes, read_streams, stream_file
from ..session.session import OpenSession, command_digest
from ..text import Message, msg
from ..version import __version__
from .render import render

if TYPE_CHECKING:
    from importlib.abc import Traversable

MANIFEST = "MANIFEST"
JOURNAL = "journal.jsonl"
REPORTS = {"report.md": "en", "report.ko.md": "ko"}
"""The reports, and the language of each."""

LARGEST = 200_000_000
"""How many bytes a pack may have."""

_NAME = re.compile(
    r"MANIFEST|journal\.jsonl|runs\.json|report(?:\.ko)?\.md|commands/SHA256SUMS|commands/(?:diagnose/)?[a-z0-9-]+\.sh|"
    r"(?:diagnose/)?[a-z0-9][A-Za-z0-9.-]*\.(?:out|err)"
)
_SESSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")
_GZIP = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_BLOCK = 65535
_TAR_END = 10240


class PackRefused(PlaybookError):  # named like its siblings
    """A pack that is not what it was: `message` names the member, or says that it is the archive itself."""

    exit_code = Exit.FAILED


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack as it is written or was read."""

    session: str
    members: Mapping[str, bytes]  # without the folder that they lie in
    mtime: int  # of the session's last event

    @property
    def digest(self) -> str:
        """SHA-256 of MANIFEST."""
        return sha256(self.members[MANIFEST]).hexdigest()

    @property
    def made_by(self) -> str:
        """The version of the program that made it."""
        return self.members[MANIFEST].decode().split("\n")[1].removeprefix("# playbook ")

    @property
    def evidence(self) -> str:
        """What the reports inside show: the SHA-256 of the manifest without their own lines."""
        return _evidence(self.members[MANIFEST])

    def to_bytes(self) -> bytes:
        """The archive; the same for the same members, wherever it is made."""
        return _stored(_tar(self.session, self.members, self.mtime))


def pack(folder: Path) -> Pack:
    """The pack of the session in `folder`, which may still be at work: what is there is taken.

    Raises BadSession when it is damaged, was begun with other commands than this program's, or is a bare recording.
    """
    if not (folder / JOURNAL).is_file():
        raise UsageError(
            msg("{folder} is not a session: only what has a journal can be packed", folder=str(folder)),
            msg("`python -m playbook all` makes a session; then `python -m playbook report --pack FILE.tar.gz`"),
        )
    data = (folder / JOURNAL).read_bytes()
    data = whole_lines(data)
    opened = recorded(data, partial(read_streams, folder))
    session = as_of_its_end(opened)
    members = {JOURNAL: data, **recording(opened), **_commands(data_folder("commands"))}
    begun_with, found = command_digest(opened), sha256(members["commands/SHA256SUMS"]).hexdigest()
    if begun_with != found:
        raise BadSession(
            msg(
                "this session was begun with the commands {known}; they are now {seen}",
                known=begun_with[:12],
                seen=found[:12],
            ),
            msg("make the pack with the version that it was begun with"),
        )
    evidence = _evidence(_manifest(session, members))
    members |= reports(session, evidence)
    members[MANIFEST] = _manifest(session, members)
    return Pack(session.id, members, _mtime(opened.events))


def read(data: bytes) -> Pack:
    """The pack in `data`, every byte of it held against its manifest.

    Raises PackRefused naming the member that is not what it was, or the archive itself.
    """
    tar, whole = _unstored(data)
    folder, members = _members(tar)
    if MANIFEST not in members:
        raise _refused(msg("{name} is missing", name=MANIFEST))
    listed = _listed(members[MANIFEST], folder)
    for name, digest in sorted(listed.items()):
        if name not in members:
            raise _refused(msg("{name} is missing", name=name))
        if sha256(members[name]).hexdigest() != digest:
            raise _refused(msg("{name} was changed: it is not what MANIFEST says", name=name))
    for name in sorted(members):
        if name not in listed and name != MANIFEST:
            raise _refused(msg("{name} is not in MANIFEST", name=name))
    result = Pack(folder, members, _mtime(_events(members)))
    if not whole or result.to_bytes() != data:
        raise _archive()
    return result


# what goes in


def recorded(journal: bytes, streams: Callable[[str, int], tuple[bytes, bytes]]) -> OpenSession:
    """The session that a journal and its streams tell; nothing is written. Raises BadSession."""
    events, digest = check(journal, JOURNAL)
    session = OpenSession(Journal(None, events, digest))
    session.read_runs(streams)
    return session


def as_of_its_end(opened: OpenSession) -> Session:
    """The session, with what was stale when its last event was written: a pack does not ask what time it is."""
    session = opened.state
    found = stale(session, opened.answers, opened.events[-1].at)
    return replace(session, stale=tuple((step, rule.code) for step, rule in found))


def recording(opened: OpenSession) -> dict[str, bytes]:
    """runs.json and the streams, both as the journal tells of them: what it does not name is not evidence."""
    runs = opened.runs()
    members = {"runs.json": index_bytes(runs)}
    for run in runs:
        members[stream_file(run.command, run.ordinal, "out")] = run.stdout
        members[stream_file(run.command, run.ordinal, "err")] = run.stderr
    return members


def _commands(folder: Traversable, place: str = "commands/") -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name == "diagnose":
            members |= _commands(entry, f"{place}{entry.name}/")
        elif entry.is_file() and _NAME.fullmatch(place + entry.name):
            members[place + entry.name] = entry.read_bytes()
    return members


def reports(session: Session, evidence: str) -> dict[str, bytes]:
    """The report in each language, with the evidence digest in its sign-off."""
    return {
        name: render(session, "markdown", lang=lang, pack_digest=evidence).encode() for name, lang in REPORTS.items()
    }


def _manifest(session: Session, members: Mapping[str, bytes]) -> bytes:
    """Lines that `sha256sum -c` reads; those that begin with # it looks past."""
    lines = [f"# session {session.id}", f"# playbook {__version__}", f"# guide {GUIDE_VERSION}"]
    lines += [f"{sha256(members[name]).hexdigest()}  {name}" for name in sorted(members) if name != MANIFEST]
    text = "".join(f"{line}\n" for line in lines).encode()
    return text + f"# sha256 of the lines above: {sha256(text).hexdigest()}\n".encode()


def _evidence(manifest: bytes) -> str:
    lines = manifest.splitlines(keepends=True)[:-1]
    return sha256(b"".join(line for line in lines if line.split()[-1].decode() not in REPORTS)).hexdigest()


def _mtime(events: tuple[Event, ...]) -> int:
    return int(events[-1].at.timestamp())


# the archive


def _tar(folder: str, members: Mapping[str, bytes], mtime: int) -> bytes:
    pieces = []
    for name in sorted(members):
        info = tarfile.TarInfo(f"{folder}/{name}")
        info.size, info.mtime, info.mode = len(members[name]), mtime, 0o644
        pieces += [info.tobuf(tarfile.PAX_FORMAT), members[name], bytes(-len(members[name]) % 512)]
    tar = b"".join(pieces) + bytes(1024)
    return tar + bytes(-len(tar) % _TAR_END)


def _stored(data: bytes) -> bytes:
    """`data` as gzip without compression: blocks of 65535 bytes, the last one marked."""
    pieces = [_GZIP]
    for at in range(0, len(data), _BLOCK):
        part = data[at : at + _BLOCK]
        pieces += [struct.pack("<BHH", at + _BLOCK >= len(data), len(part), len(part) ^ 0xFFFF), part]
    return b"".join(pieces) + struct.pack("<II", zlib.crc32(data), len(data))


def _unstored(data: bytes) -> tuple[bytes, bool]:
    """The reverse of `_stored`, and whether the checksum holds. Nothing is decompressed, so nothing can swell."""
    if data[: len(_GZIP)] != _GZIP:
        raise _archive()
    pieces, at, last = [], len(_GZIP), 0
    while not last:
        if at + 5 > len(data):
            raise _archive()
        last, size, complement = struct.unpack_from("<BHH", data, at)
        if last > 1 or size ^ complement != 0xFFFF or at + 5 + size > len(data):
            raise _archive()
        pieces.append(data[at + 5 : at + 5 + size])
        at += 5 + size
    tar = b"".join(pieces)
    return tar, data[at:] == struct.pack("<II", zlib.crc32(tar), len(tar))


def _members(tar: bytes) -> tuple[str, dict[str, bytes]]:
    """The name of the folder, and its files. Raises PackRefused for what is not a plain file with a name of ours."""
    members: dict[str, bytes] = {}
    folders: set[str] = set()
    for path, data in _entries(tar):
        folder, _, name = path.partition("/")
        if not _NAME.fullmatch(name) or not _SESSION.fullmatch(folder) or ".." in path:
            raise _refused(msg("{name} does not belong into a pack", name=path[:200]))
        if name in members:
            raise _refused(msg("{name} is there twice", name=name))
        folders.add(folder)
        members[name] = data
    if len(folders) != 1:
        raise _archive()
    return folders.pop(), members


def _entries(tar: bytes) -> Iterator[tuple[str, bytes]]:
    at, long_name = 0, ""
    while at + 512 <= len(tar) and any(tar[at : at + 512]):
        try:
            info = tarfile.TarInfo.frombuf(tar[at : at + 512], "utf-8", "strict")
        except (tarfile.TarError, ValueError) as error:
            raise _archive() from error
        data = tar[at + 512 : at + 512 + max(0, info.size)]
        if not 0 <= info.size == len(data):
            raise _archive()
        at += 512 + info.size + -info.size % 512
        if info.type == tarfile.XHDTYPE:
            found = re.search(rb"^\d+ path=([\x20-\x7e]+)\n", data)
            long_name = found[1].decode() if found else ""
            continue
        if info.type != tarfile.REGTYPE:
            raise _refused(msg("{name} is not a plain file", name=info.name[:200]))
        yield long_name or info.name, data
        long_name = ""


def _listed(manifest: bytes, session: str) -> dict[str, str]:
    """What MANIFEST lists: name and digest."""
    text, _, rest = manifest.rpartition(b"# sha256 of the lines above: ")
    lines = text.decode("utf-8", "replace").split("\n")
    found = [_LINE.fullmatch(line) for line in lines[3:-1]]
    if (
        rest.decode("utf-8", "replace") != sha256(text).hexdigest() + "\n"
        or lines[0] != f"# session {session}"
        or not all(found)
    ):
        raise _refused(msg("{name} was changed", name=MANIFEST))
    return {line[2]: line[1] for line in found if line}


def _events(members: Mapping[str, bytes]) -> tuple[Event, ...]:
    if JOURNAL not in members:
        raise _refused(msg("{name} is missing", name=JOURNAL))
    try:
        events, _ = check(members[JOURNAL], JOURNAL)
    except BadSession as error:
        raise PackRefused(error.message) from error
    if not events:
        raise _refused(msg("{name} is empty", name=JOURNAL))
    return events


def _refused(message: Message) -> PackRefused:
    return PackRefused(message, msg("ask for the pack again; do not sign by this one"))


def _archive() -> PackRefused:
    return _refused(msg("the archive's own headers were changed, or it is not a pack"))
