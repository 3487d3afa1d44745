"""The sign-off pack: one archive with a session, the commands it ran and its report, which a machine can check later.

    ID/MANIFEST            the SHA-256 of every other member, and the versions of program and guide
    ID/report.md, .ko.md   the report in both languages
    ID/journal.jsonl, …    the session's folder as `replay` reads it: journal, runs.json, streams
    ID/commands/…          the text of every command, and SHA256SUMS

Two digests stand for a pack. The report cannot hold the digest of an archive that it is part of: its sign-off shows the
evidence digest, the SHA-256 of the manifest's lines but for its last one and those of the reports. The pack digest is
the SHA-256 of MANIFEST.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadSession, UsageError
from ..model import GUIDE_VERSION, Session
from ..resources import folder as data_folder
from ..runtime.staleness import stale
from ..session.journal import Journal, check, whole_lines
from ..session.recording import index_bytes, read_streams, stream_file
from ..session.session import OpenSession, command_digest
from ..text import msg
from ..version import __version__
from . import archive
from .archive import PackRefused
from .render import render

if TYPE_CHECKING:
    from importlib.abc import Traversable

MANIFEST = "MANIFEST"
JOURNAL = "journal.jsonl"
SUMS = "commands/SHA256SUMS"
REPORTS = {"report.md": "en", "report.ko.md": "ko"}
"""The reports, and the language of each."""

_SEAL = "# sha256 of the lines above: "


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
        """The archive; the same for the same members."""
        return archive.to_bytes(self.session, self.members, self.mtime)


def pack(folder: Path) -> Pack:
    """The pack of the session in `folder`, which may still be at work: what is there is taken.

    Raises BadSession when it is damaged, was begun with other commands than this program's, or is a bare recording.
    """
    if not (folder / JOURNAL).is_file():
        raise UsageError(
            msg("{folder} is not a session: only what has a journal can be packed", folder=str(folder)),
            msg("`{program} all` makes a session; then `{program} report --pack FILE.tar.gz`"),
        )
    data = whole_lines((folder / JOURNAL).read_bytes())
    opened = recorded(data, partial(read_streams, folder))
    session = as_of_its_end(opened)
    members = {JOURNAL: data, **recording(opened), **_commands(data_folder("commands"))}
    begun_with, found = command_digest(opened), sha256(members[SUMS]).hexdigest()
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
    return Pack(session.id, members, int(opened.events[-1].at.timestamp()))


def read(data: bytes) -> Pack:
    """The pack in `data`, every byte of its members as in its manifest.

    Raises PackRefused naming the member that is not what it was, or the archive itself.
    """
    session, members = archive.from_bytes(data)
    for name in (MANIFEST, JOURNAL):
        if name not in members:
            raise PackRefused(msg("{name} is missing", name=name))
    listed = _listed(members[MANIFEST], session)
    for name, digest in sorted(listed.items()):
        if name not in members:
            raise PackRefused(msg("{name} is missing", name=name))
        if sha256(members[name]).hexdigest() != digest:
            raise PackRefused(msg("{name} was changed: it is not what MANIFEST says", name=name))
    for name in sorted(members):
        if name not in listed and name != MANIFEST:
            raise PackRefused(msg("{name} is not in MANIFEST", name=name))
    try:
        events, _ = check(members[JOURNAL], JOURNAL)
    except BadSession as error:
        raise PackRefused(error.message) from error
    if not events:
        raise PackRefused(msg("{name} is empty", name=JOURNAL))
    return Pack(session, members, int(events[-1].at.timestamp()))


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


def reports(session: Session, evidence: str) -> dict[str, bytes]:
    """The report in each language, with the evidence digest in its sign-off."""
    return {
        name: render(session, "markdown", lang=lang, pack_digest=evidence).encode() for name, lang in REPORTS.items()
    }


def digests(sums: str) -> dict[str, str]:
    """Name and SHA-256 of each line as `sha256sum` writes it; raises ValueError for any other line."""
    found = [re.fullmatch(r"([0-9a-f]{64})  (\S+)", line) for line in sums.splitlines()]
    if not all(found):
        raise ValueError("not a list of SHA-256 sums")
    return {line[2]: line[1] for line in found if line}


def _commands(folder: Traversable, place: str = "commands/") -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name == "diagnose":
            members |= _commands(entry, f"{place}{entry.name}/")
        elif entry.is_file() and archive.NAME.fullmatch(place + entry.name):
            members[place + entry.name] = entry.read_bytes()
    return members


def _manifest(session: Session, members: Mapping[str, bytes]) -> bytes:
    """Lines that `sha256sum -c` reads; those that begin with # it looks past."""
    lines = [f"# session {session.id}", f"# playbook {__version__}", f"# guide {GUIDE_VERSION}"]
    lines += [f"{sha256(members[name]).hexdigest()}  {name}" for name in sorted(members) if name != MANIFEST]
    text = "".join(f"{line}\n" for line in lines).encode()
    return text + f"{_SEAL}{sha256(text).hexdigest()}\n".encode()


def _listed(manifest: bytes, session: str) -> dict[str, str]:
    """What MANIFEST lists: name and digest."""
    text, _, seal = manifest.decode("utf-8", "replace").rpartition(_SEAL)
    *about, listed = text.split("\n", 3)
    if seal == sha256(text.encode()).hexdigest() + "\n" and about[:1] == [f"# session {session}"]:
        with suppress(ValueError):
            return digests(listed)
    raise PackRefused(msg("{name} was changed", name=MANIFEST))


def _evidence(manifest: bytes) -> str:
    lines = manifest.splitlines(keepends=True)[:-1]
    return sha256(b"".join(line for line in lines if line.split()[-1].decode() not in REPORTS)).hexdigest()
