"""Checks a sign-off pack, offline: is every byte as it was, are the verdicts and the report what this program makes?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ..diagnosis.diagnose import diagnose
from ..errors import PlaybookError, UsageError
from ..guide.criteria import met
from ..model import Run, Session, missing
from ..resources import folder as data_folder
from ..session.fold import cause_to_json, finding_to_json, fold
from ..session.journal import Kind
from ..session.session import OpenSession, command_digest
from ..steps.judging import rejudge
from ..text import Message, msg
from ..version import __version__
from .pack import JOURNAL, LARGEST, REPORTS, Pack, PackRefused, as_of_its_end, read, recorded, recording, reports

_SUM = re.compile(r"([0-9a-f]{64})  (\S+)")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    what: Message
    wrong: Message | None = None  # None: it holds


def verify(file: Path) -> Iterator[Check]:
    """The checks of a pack, one after the other, the last one being the first that does not hold.

    Raises UsageError when the file cannot be read at all.
    """
    what, pack = msg("every byte as in MANIFEST"), None
    try:
        pack = read(_bytes(file))
        yield Check(what)
        what = msg("journal: hash chain, and the streams it names")
        opened = _recorded(pack)
        yield Check(what)
        what = msg("commands: as the session was begun with, and as this program has them")
        _commands(pack, opened)
        yield Check(what)
        what = msg("findings: judged again from the recorded runs")
        _judgement(opened)
        yield Check(what)
        what = msg("causes and abort criteria: worked out again")
        _causes(opened)
        _aborts(opened)
        yield Check(what)
        what = msg("reports: rendered again, byte for byte")
        _reports(pack, opened)
        yield Check(what)
    except PackRefused as error:
        yield Check(what, error.message if pack is None else _with_version(error.message, pack))
    except PlaybookError as error:
        if pack is None:
            raise
        yield Check(what, _with_version(error.message, pack))


def session_of(file: Path) -> tuple[Pack, Session]:
    """The pack and its session, to be told once every check holds."""
    pack = read(_bytes(file))
    return pack, as_of_its_end(_recorded(pack))


def _with_version(message: Message, pack: Pack) -> Message:
    if pack.made_by == __version__:
        return message
    return msg(
        "{reason}; the pack was made by version {theirs}, this is {ours}",
        reason=str(message),
        theirs=pack.made_by,
        ours=__version__,
    )


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(
            msg("cannot read {file}: {reason}", file=str(file), reason=error.strerror or str(error)),
            msg("name a file made by `python -m playbook report --pack FILE`"),
        ) from error
    if len(data) > LARGEST:
        raise PackRefused(msg("the file has more than {size} MB: it is not a pack", size=LARGEST // 1_000_000))
    return data


def _recorded(pack: Pack) -> OpenSession:
    def streams(key: str, ordinal: int) -> tuple[bytes, bytes]:
        from ..session.recording import stream_file

        names = [stream_file(key, ordinal, ending) for ending in ("out", "err")]
        for name in names:
            if name not in pack.members:
                raise PackRefused(msg("{name} is missing", name=name))
        return pack.members[names[0]], pack.members[names[1]]

    opened = recorded(pack.members[JOURNAL], streams)
    expected = recording(opened)
    for name, data in expected.items():
        if pack.members.get(name) != data:
            raise PackRefused(msg("{name} is not what the journal tells", name=name))
    for name in pack.members:
        if name.endswith((".out", ".err")) and name not in expected:
            raise PackRefused(msg("{name} is not in the journal", name=name))
    if opened.state.id != pack.session:
        raise PackRefused(msg("the journal is of another session: {session}", session=opened.state.id))
    return opened


def _commands(pack: Pack, opened: OpenSession) -> None:
    sums = pack.members.get("commands/SHA256SUMS", b"")
    if sha256(sums).hexdigest() != command_digest(opened):
        raise PackRefused(msg("{name} is not what the session was begun with", name="commands/SHA256SUMS"))
    listed = {f"commands/{name}": digest for digest, name in _SUM.findall(sums.decode("utf-8", "replace"))}
    packed = {name for name in pack.members if name.endswith(".sh")}
    for name in sorted(packed | set(listed)):
        if sha256(pack.members.get(name, b"")).hexdigest() != listed.get(name):
            raise PackRefused(msg("{name} is not what SHA256SUMS says", name=name))
    if (data_folder("commands") / "SHA256SUMS").read_bytes() != sums:
        raise PackRefused(msg("this program has other commands than the session"))


def _judgement(opened: OpenSession) -> None:
    session = opened.state
    again = rejudge(session)
    for told, found in zip((*session.history, *session.results), (*again.history, *again.results), strict=True):
        recorded_as = [finding_to_json(finding) for finding in told.findings]
        judged = [finding_to_json(finding) for finding in found.findings]
        if recorded_as != judged:
            codes = [a["code"] for a, b in zip(recorded_as, judged, strict=False) if a != b]
            raise PackRefused(
                msg(
                    "Step {step}, attempt {attempt}: the runs are judged otherwise: {codes}",
                    step=told.step,
                    attempt=told.attempt,
                    codes=", ".join(codes) or "?",
                )
            )


def _causes(opened: OpenSession) -> None:
    """Each diagnosis again, over what was known when it was made."""
    events = opened.events
    for place, event in enumerate(events):
        if event.kind is not Kind.CAUSES:
            continue
        runs = [opened.load(command, ordinal) for command, ordinal in event.data["runs"]]
        found = diagnose(fold(events[:place], opened.load).results, _from(runs)) if runs or event.data["causes"] else ()
        if [cause_to_json(cause) for cause in found] != event.data["causes"]:
            raise PackRefused(msg("line {line} of the journal names other causes than the runs show", line=event.seq))


def _from(runs: list[Run]) -> Callable[[str, str], Run]:
    def run(command: str, target: str) -> Run:
        key = f"{command}.{target}" if target else command
        return next((run for run in runs if run.command == key), missing(key))

    return run


def _aborts(opened: OpenSession) -> None:
    """An abort is told only where the judgement before it meets that criterion."""
    before: tuple[int, ...] = ()
    for event in opened.events:
        if event.kind is Kind.JUDGED:
            result = fold((opened.events[0], event), opened.load).history[-1]
            before = tuple(criterion.number for criterion in met(result.findings))
        elif event.kind is Kind.ABORT and event.data["criterion"] not in before:
            raise PackRefused(msg("line {line} of the journal tells of a criterion that was not met", line=event.seq))


def _reports(pack: Pack, opened: OpenSession) -> None:
    rendered = reports(as_of_its_end(opened), pack.evidence)
    for name in REPORTS:
        if pack.members.get(name) != rendered.get(name):
            raise PackRefused(msg("{name} is not what the session renders to", name=name))
