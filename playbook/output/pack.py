"""The sign-off pack: one archive with a session, the commands it ran and its report, which a machine can check later.

    ID/MANIFEST            the SHA-256 of every other member but the signatures, and the versions of program and guide
    ID/EVIDENCE            MANIFEST without the reports: what is signed
    ID/report.md, .ko.md   the report in both languages
    ID/journal.jsonl, …    the session's folder as `replay` reads it: journal, runs.json, streams
    ID/commands/…          the text of every command, and SHA256SUMS
    ID/verify.py           checks all this with python3 alone
    ID/signatures/…        who accepted or rejected it: the statement of each role, and its SSH signature

Two digests stand for a pack. The evidence digest is the SHA-256 of EVIDENCE: the report shows it, and it is what is signed.
The archive digest is what `sha256sum FILE` gives: signing changes it, for the signature is added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from . import archive, verifier
from .archive import PackRefused, refusing
from .render import render
from .verifier import EVIDENCE, JOURNAL, MANIFEST, SUMS

if TYPE_CHECKING:
    from importlib.abc import Traversable

VERIFIER = "verify.py"
REPORTS = {"report.md": "en", "report.ko.md": "ko"}
"""The reports, and the language of each."""


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack as it is written or was read."""

    session: str
    members: Mapping[str, bytes]  # without the folder that they lie in
    mtime: int  # of the session's last event

    @property
    def made_by(self) -> str:
        """The version of the program that made it."""
        return self.members[MANIFEST].decode().split("\n")[1].removeprefix("# playbook ")

    @property
    def evidence(self) -> str:
        """The evidence digest, which the reports inside show: the SHA-256 of EVIDENCE."""
        return verifier.sha256(verifier.evidence_of(self.members[MANIFEST]))

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
    members = {JOURNAL: data, **recording(opened), **_commands(data_folder("commands")), VERIFIER: verifier_source()}
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
    members[EVIDENCE] = verifier.evidence_of(_manifest(session, members))
    members |= reports(session, verifier.sha256(members[EVIDENCE]))
    members[MANIFEST] = _manifest(session, members)
    return Pack(session.id, members, int(opened.events[-1].at.timestamp()))


def read(data: bytes) -> Pack:
    """The pack in `data`, every byte of its members as in its manifest.

    Raises PackRefused naming the member that is not what it was, or the archive itself.
    """
    session, members = archive.from_bytes(data)
    with refusing():
        verifier.check_manifest(session, members)
    try:
        events, _ = check(members[JOURNAL], JOURNAL)
    except BadSession as error:
        raise PackRefused(error.message) from error
    if not events:
        raise PackRefused(msg("{name} is empty", name=JOURNAL))
    return Pack(session, members, int(events[-1].at.timestamp()))


def verifier_source() -> bytes:
    """The verifier as a pack carries it."""
    return (data_folder("output") / "verifier.py").read_bytes()


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


def _commands(folder: Traversable, place: str = "commands/") -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name == "diagnose":
            members |= _commands(entry, f"{place}{entry.name}/")
        elif entry.is_file() and verifier.NAME.fullmatch(place + entry.name):
            members[place + entry.name] = entry.read_bytes()
    return members


def _manifest(session: Session, members: Mapping[str, bytes]) -> bytes:
    """Lines that `sha256sum -c` reads; it ignores those that begin with #."""
    lines = [f"# session {session.id}", f"# playbook {__version__}", f"# guide {GUIDE_VERSION}"]
    lines += [f"{sha256(members[name]).hexdigest()}  {name}" for name in sorted(members) if name != MANIFEST]
    text = "".join(f"{line}\n" for line in lines).encode()
    return text + f"{verifier.SEAL}{sha256(text).hexdigest()}\n".encode()
