"""Checks a sign-off pack, offline: is every byte as it was, and does this program judge and render it the same?

The two are told apart. A pack whose bytes hold was not changed, also where another version of the program comes to another
judgement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from pathlib import Path

from ..diagnosis.diagnose import diagnose
from ..errors import PlaybookError, UsageError
from ..guide.criteria import met
from ..model import Run, Session, missing
from ..resources import folder as data_folder
from ..session.fold import cause_to_json, finding_to_json, fold
from ..session.journal import Kind
from ..session.recording import stream_file
from ..session.session import OpenSession, command_digest
from ..steps.judging import rejudge
from ..text import Message, msg
from ..version import __version__
from .archive import LARGEST, PackRefused
from .pack import JOURNAL, REPORTS, SUMS, Pack, as_of_its_end, digests, read, recorded, recording, reports


class Part(str, Enum):
    """What a check is about."""

    BYTES = "bytes"  # the pack is what was made
    JUDGEMENT = "judgement"  # this program comes to the same verdicts and reports


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked."""

    part: Part
    what: Message
    wrong: Message | None = None  # None: it holds
    note: Message | None = None  # what is odd, and no reason to refuse


def verify(file: Path) -> Iterator[Check]:
    """The checks of a pack: those of its bytes up to the first that does not hold, then all those of the judgement.

    Raises UsageError when the file cannot be read at all.
    """
    what, pack = msg("every byte as in MANIFEST"), None
    try:
        data = _bytes(file)
        pack = read(data)
        same = pack.to_bytes() == data
        yield Check(Part.BYTES, what, note=None if same else msg("the contents are unchanged, the archive is another"))
        what = msg("journal: hash chain, and the streams it names")
        opened = _recorded(pack)
        yield Check(Part.BYTES, what)
        what = msg("commands: as the session was begun with")
        _commands(pack, opened)
        yield Check(Part.BYTES, what)
    except PackRefused as error:
        yield Check(Part.BYTES, what, _with_version(error.message, pack))
        return
    for judgement, differs in _JUDGEMENTS:
        yield Check(Part.JUDGEMENT, judgement, _difference(differs, pack, opened), _judged_live(differs, opened))


def session_of(file: Path) -> tuple[Pack, Session]:
    """The pack and its session, to be told once its bytes hold."""
    pack = read(_bytes(file))
    return pack, as_of_its_end(_recorded(pack))


def _with_version(message: Message, pack: Pack | None) -> Message:
    if pack is None or pack.made_by == __version__:
        return message
    return msg(
        "{reason}; the pack was made by version {theirs}, this is {ours}",
        reason=str(message),
        theirs=pack.made_by,
        ours=__version__,
    )


# the bytes


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(
            msg("cannot read {file}: {reason}", file=str(file), reason=error.strerror or str(error)),
            msg("name a file made by `{program} report --pack FILE`"),
        ) from error
    if len(data) > LARGEST:
        raise PackRefused(msg("the file has more than {size} MB: it is not a pack", size=LARGEST // 1_000_000))
    return data


def _recorded(pack: Pack) -> OpenSession:
    """The session in a pack; raises PackRefused where journal and recording do not belong together."""

    def streams(key: str, ordinal: int) -> tuple[bytes, bytes]:
        names = [stream_file(key, ordinal, ending) for ending in ("out", "err")]
        for name in names:
            if name not in pack.members:
                raise PackRefused(msg("{name} is missing", name=name))
        return pack.members[names[0]], pack.members[names[1]]

    try:
        opened = recorded(pack.members[JOURNAL], streams)
        session = opened.state.id
    except PackRefused:
        raise
    except PlaybookError as error:
        raise PackRefused(error.message) from error
    except (LookupError, TypeError, ValueError, AttributeError) as error:  # a chain that holds, around no session
        raise PackRefused(msg("{name} is not the journal of a session", name=JOURNAL)) from error
    expected = recording(opened)
    for name, data in expected.items():
        if pack.members.get(name) != data:
            raise PackRefused(msg("{name} is not what the journal tells", name=name))
    for name in pack.members:
        if name.endswith((".out", ".err")) and name not in expected:
            raise PackRefused(msg("{name} is not in the journal", name=name))
    if session != pack.session:
        raise PackRefused(msg("the journal is of another session: {session}", session=session))
    return opened


def _commands(pack: Pack, opened: OpenSession) -> None:
    sums = pack.members.get(SUMS, b"")
    if sha256(sums).hexdigest() != command_digest(opened):
        raise PackRefused(msg("{name} is not what the session was begun with", name=SUMS))
    listed = {f"commands/{name}": digest for name, digest in digests(sums.decode("utf-8", "replace")).items()}
    packed = {name for name in pack.members if name.endswith(".sh")}
    for name in sorted(packed | set(listed)):
        if sha256(pack.members.get(name, b"")).hexdigest() != listed.get(name):
            raise PackRefused(msg("{name} is not what SHA256SUMS says", name=name))


# the judgement


def _difference(
    check: Callable[[Pack, OpenSession], Message | None], pack: Pack, opened: OpenSession
) -> Message | None:
    try:
        found = check(pack, opened)
    except PlaybookError as error:
        found = error.message
    return _with_version(found, pack) if found else None


def _judged_live(check: Callable[[Pack, OpenSession], Message | None], opened: OpenSession) -> Message | None:
    """How many findings or causes cannot be worked out again, because the text that showed them was masked."""
    session = opened.state
    marked = {"f": sum(f.masked for result in session.history for f in result.findings),
              "c": sum(cause.masked for cause in session.causes)}  # fmt: skip
    if check is _findings and marked["f"]:
        return msg("{n} judged live: what showed them is masked", n=marked["f"])
    if check is _causes and marked["c"]:
        return msg("{n} judged live: what showed them is masked", n=marked["c"])
    return None


def _findings(pack: Pack, opened: OpenSession) -> Message | None:
    if (data_folder("commands") / "SHA256SUMS").read_bytes() != pack.members[SUMS]:
        return msg("this program has other commands than the session")
    session = opened.state
    again = rejudge(session)
    for told, found in zip((*session.history, *session.results), (*again.history, *again.results), strict=True):
        recorded_as = [finding_to_json(finding) for finding in told.findings]
        judged = [finding_to_json(finding) for finding in found.findings]
        if recorded_as != judged:
            differing = [each for each in (*recorded_as, *judged) if each not in recorded_as or each not in judged]
            return msg(
                "Step {step}, attempt {attempt}: the runs are judged otherwise: {codes}",
                step=told.step,
                attempt=told.attempt,
                codes=", ".join(dict.fromkeys(each["code"] for each in differing)) or "?",
            )
    return None


def _causes(pack: Pack, opened: OpenSession) -> Message | None:
    """Each diagnosis again, over what was known when it was made; each abort only where its criterion was met before."""
    events = opened.events
    criteria: tuple[int, ...] = ()
    for place, event in enumerate(events):
        if event.kind is Kind.JUDGED:
            result = fold((events[0], event), opened.load).history[-1]
            criteria = tuple(criterion.number for criterion in met(result.findings))
        elif event.kind is Kind.ABORT and event.data["criterion"] not in criteria:
            return msg("line {line} of the journal tells of a criterion that was not met", line=event.seq)
        elif event.kind is Kind.CAUSES:
            runs = [opened.load(command, ordinal) for command, ordinal in event.data["runs"]]
            told = event.data["causes"]
            found = diagnose(fold(events[:place], opened.load).results, _from(runs)) if runs or told else ()
            if [cause_to_json(cause) for cause in found] != told and not (told and all(c.get("masked") for c in told)):
                return msg("line {line} of the journal names other causes than the runs show", line=event.seq)
    return None


def _from(runs: list[Run]) -> Callable[[str, str], Run]:
    def run(command: str, target: str) -> Run:
        key = f"{command}.{target}" if target else command
        return next((run for run in runs if run.command == key), missing(key))

    return run


def _reports(pack: Pack, opened: OpenSession) -> Message | None:
    rendered = reports(as_of_its_end(opened), pack.evidence)
    for name in REPORTS:
        if pack.members.get(name) != rendered[name]:
            return msg("{name} is not what the session renders to", name=name)
    return None


_JUDGEMENTS = (
    (msg("findings: judged again from the recorded runs"), _findings),
    (msg("causes and abort criteria: worked out again"), _causes),
    (msg("reports: rendered again, byte for byte"), _reports),
)
