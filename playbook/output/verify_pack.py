"""Checks a sign-off pack, offline: is every byte as it was, who signed it, and does this program judge and render it the same?

These are told apart. A pack whose bytes hold was not changed, also where another version of the program comes to another
judgement.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ..diagnosis.diagnose import diagnose
from ..errors import Exit, PlaybookError, UsageError
from ..guide.criteria import met
from ..model import Run, Session, missing
from ..resources import folder as data_folder
from ..runtime import ssh_keygen
from ..session.as_json import cause_to_json, finding_to_json
from ..session.fold import fold
from ..session.journal import Kind
from ..session.recording import stream_file
from ..session.session import OpenSession
from ..steps.judging import rejudge
from ..text import Message, msg
from ..version import __version__
from . import verifier
from .archive import PackRefused, refusing, translatable
from .pack import REPORTS, Pack, as_of_its_end, read, recorded, reports
from .verifier import JOURNAL, LARGEST, SUMS


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


@dataclass(frozen=True, slots=True)
class Result:
    """What was found out about a pack."""

    first: Message  # whether it holds, and who signed it
    origin: Exit  # what the signatures alone mean
    checks: tuple[Check, ...]  # those of the bytes up to the first that does not hold, then all those of the judgement
    signatures: tuple[Message, ...] = ()
    pack: Pack | None = None  # None: refused
    session: Session | None = None

    @property
    def status(self) -> Exit:
        """The exit status of the check: refused before rejected before judged otherwise before not proven."""
        if self.pack is None:
            return Exit.FAILED
        differs = any(check.wrong for check in self.checks)
        return Exit.INCOMPLETE if differs and self.origin is not Exit.ABORTED else self.origin


def verify(file: Path, signers: Path | None = None) -> Result:
    """Check a pack; `signers` is a file as OpenSSH's allowed_signers, which says whose signatures count.

    Raises UsageError when one of the files cannot be read at all.
    """
    known = _readable(signers) if signers else ""
    checks: list[Check] = []
    what, pack = msg("every byte against MANIFEST"), None
    try:
        data = _bytes(file)
        pack = read(data)
        same = pack.to_bytes() == data
        checks.append(
            Check(Part.BYTES, what, note=None if same else msg("the contents are unchanged, the archive is another"))
        )
        members = dict(pack.members)
        with refusing():
            what = msg("journal: hash chain, the streams and the commands that it names")
            events = verifier.check_journal(members)
            verifier.check_recording(pack.session, members, events)
            opened = _recorded(pack)
            checks.append(Check(Part.BYTES, what))
            what = msg("signatures: over this pack, by different keys")
            found = verifier.check_signatures(pack.session, members, events, ssh_keygen.check, known)
            checks.append(Check(Part.BYTES, what, note=None if found else msg("nobody has signed")))
    except PackRefused as error:
        checks.append(Check(Part.BYTES, what, _with_version(error.message, pack)))
        return Result(msg("refused: {reason}", reason=str(error.message)), Exit.FAILED, tuple(checks))
    checks += [
        Check(Part.JUDGEMENT, each, _difference(differs, pack, opened), _judged_live(differs, opened))
        for each, differs in _JUDGEMENTS
    ]
    first, status = verifier.origin(found, known)
    signatures = tuple(translatable(verifier.told(each)) for each in found)
    return Result(translatable(first), Exit(status), tuple(checks), signatures, pack, as_of_its_end(opened))


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
    return data


def _readable(signers: Path) -> str:
    try:
        signers.open("rb").close()
    except OSError as error:
        raise UsageError(
            msg("cannot read {file}: {reason}", file=str(signers), reason=error.strerror or str(error)),
            msg("a line of it: {line}", line="kim@example.com ssh-ed25519 AAAA…"),
        ) from error
    return str(signers)


def _recorded(pack: Pack) -> OpenSession:
    """The session in a pack whose bytes hold; raises PackRefused where its journal is none that this program knows."""

    def streams(key: str, ordinal: int) -> tuple[bytes, bytes]:
        out, err = (pack.members[stream_file(key, ordinal, ending)] for ending in ("out", "err"))
        return out, err

    try:
        opened = recorded(pack.members[JOURNAL], streams)
        as_of_its_end(opened)
    except PlaybookError as error:
        raise PackRefused(error.message) from error
    except (LookupError, TypeError, ValueError, AttributeError) as error:  # a chain that holds, around no session
        raise PackRefused(msg("{name} is not the journal of a session", name=JOURNAL)) from error
    return opened


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
