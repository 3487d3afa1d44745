"""The verbs of those who sign: report, sign, verify-pack, waive."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import api
from ..clock import utc_now
from ..errors import UsageError
from ..model import Session
from ..output import verifier, verify_pack
from ..output.archive import PackRefused
from ..output.columns import one_line
from ..output.labels import VERDICTS, overall_sentence
from ..output.pack import Pack, pack
from ..output.sign import Statement, require_sensible, signed
from ..output.verifier import JOURNAL
from ..output.verify_pack import Check, Part
from ..session.store import person
from ..text import Message, msg
from ..version import __version__
from . import guesses
from .options import lang_option, option, session_option, state_option, verb
from .streams import notify, say

if TYPE_CHECKING:
    from importlib.abc import Traversable


@verb(
    "report",
    """\b
    Examples:
      playbook report                         the current session as Markdown
      playbook report -o report.md            the same into a file
      playbook report -o report.html          for a browser; prints to PDF
      playbook report --pack signoff.tar.gz   one archive to be signed
      playbook report --output junit          for a CI server
    """,
)
@option("-o", "file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write to FILE.")
@session_option
@option("--recording", metavar="DIR|SCENARIO", help="Judge this recording, or one of those that `demo` has.")
@option(
    "--output",
    "form",
    type=click.Choice(["markdown", "html", "json", "junit"]),
    help="markdown (the default) or html for people; json or junit for machines. FILE.html is html by itself.",
)
@option(
    "--pack",
    "pack_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.tar.gz",
    help="Make one archive that `verify-pack` can check.",
)
@state_option
@lang_option
def report_verb(
    file: Path | None,
    session: str | None,
    recording: str | None,
    form: api.Format | None,
    pack_file: Path | None,
    state_dir: str | None,
) -> int:
    """Render the report of a session or a recording.

    Markdown that reads well raw and on a Git host. With --pack also one archive with report, recording, journal and
    commands, which `sign` signs and `verify-pack` checks without a cluster; its digests are printed.
    """
    if session and recording:
        raise UsageError(msg("--session and --recording exclude each other"))
    form = form or ("html" if file and file.suffix in (".html", ".htm") else "markdown")
    folder = guesses.recording(recording) if recording else api.session_folder(state_dir, session)
    made = _packed(folder, pack_file) if pack_file else None
    if pack_file and made:
        lines = _digests(made, made.to_bytes())
        if file or form == "markdown":
            say("\n".join(map(str, lines)))
        else:
            notify(*lines)
        if file is None:
            return 0
    text = api.render(_session(folder), form, pack_digest=made.evidence if made else "")
    if file:
        api.save(text, file)
        notify(msg("report: {path}", path=str(file)))
    else:
        say(text.removesuffix("\n"))
    return 0


def _packed(folder: Path | Traversable, file: Path) -> Pack:
    if not isinstance(folder, Path):
        raise UsageError(msg("a pack is made of a session's folder"))
    made = pack(folder)
    api.save(made.to_bytes(), file)
    notify(msg("pack: {file}", file=str(file)))
    return made


def _digests(made: Pack, archive: bytes) -> tuple[Message, Message]:
    """The two numbers that a pack is known by, each with what it is of."""
    return (
        msg("evidence digest (signed, and in the report): {digest}", digest=made.evidence),
        msg("archive digest (`sha256sum FILE`; signing changes it): {digest}", digest=sha256(archive).hexdigest()),
    )


def _session(folder: Path | Traversable) -> Session:
    if isinstance(folder, Path) and (folder / JOURNAL).is_file():
        return api.recorded_session(folder)
    return api.replay(folder)


@verb(
    "sign",
    """\b
    Examples:
      playbook sign signoff.tar.gz --as operator --accept --key ~/.ssh/id_ed25519
      playbook sign signoff.tar.gz --as reviewer --reject \\
        --reason "Step 7 was not seen" --key ~/.ssh/id_ed25519
    """,
)
@click.argument("file", type=click.Path(path_type=Path))
@option("--as", "role", type=click.Choice(verifier.ROLES), required=True, help="In which role.")
@option("--accept", is_flag=True, help="The verification is accepted.")
@option("--reject", is_flag=True, help="The verification is rejected.")
@option(
    "--key", required=True, type=click.Path(path_type=Path), metavar="KEYFILE", help="An SSH key; *.pub: by ssh-agent."
)
@option("--name", metavar="NAME", help="Who signs. [default: the user, the one behind sudo]")
@option("--reason", default="", metavar="TEXT", help="Why; needed unless a complete verification is accepted.")
@lang_option
def sign_verb(file: Path, role: str, accept: bool, reject: bool, key: Path, name: str | None, reason: str) -> int:
    """Sign a pack made by `report --pack`, as the operator or as the reviewer.

    An SSH signature (`ssh-keygen -Y sign`, no network) over the evidence digest, the reports, the waivers, role, decision,
    name, reason and time is added to the pack. The evidence in it keeps its bytes. Two roles need two keys.
    """
    if accept == reject:
        raise UsageError(msg("give one of --accept and --reject"))
    checked = verify_pack.verify(file)
    if checked.pack is None or checked.session is None:
        raise PackRefused(checked.first)
    differs = next((check.wrong for check in checked.checks if check.wrong), None)
    if accept and differs:
        raise UsageError(
            msg("this version does not come to what the pack says: {reason}", reason=str(differs)),
            msg("sign with the version that made the pack, or reject it"),
        )
    words = (name or person(), reason)
    name, reason = (text.encode("utf-8", "backslashreplace").decode().strip() for text in words)
    decision = "accept" if accept else "reject"
    statement = Statement(role, decision, name, reason, utc_now())
    require_sensible(statement, checked.session, checked.pack)
    notify(overall_sentence(checked.session), _digests(checked.pack, b"")[0])
    both = signed(checked.pack, checked.session, statement, key.expanduser())
    data = both.to_bytes()
    api.save(data, file)
    say(msg("signed as {role}, {decision}: {file}", role=role, decision=decision, file=str(file)))
    say(_digests(both, data)[1])
    return 0


@verb(
    "verify-pack",
    """\b
    Examples:
      playbook verify-pack signoff.tar.gz
      playbook verify-pack signoff.tar.gz --signers allowed_signers

    Exit status: 0 it holds, and this version judges it the same (with --signers: and two persons accepted it); 1 refused,
    it is not what was made; 3 it holds, but this version judges or renders it otherwise, or --signers does not prove that
    two persons signed it; 4 it holds, and a signer rejected it.
    """,
)
@click.argument("file", type=click.Path(path_type=Path))
@option(
    "--signers",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Whose signatures count: OpenSSH's allowed_signers, times in UTC.",
)
@lang_option
def verify_pack_verb(file: Path, signers: Path | None) -> int:
    """Check a pack made by `report --pack`, offline.

    The first line says whether the pack is consistent and who signed it. Then its bytes: manifest, the journal's hash
    chain, the streams' digests, the signatures. Then the judgement: the recording is judged again and the reports are
    rendered again. Another version of the program may judge otherwise; it says so, and that is no fault of the pack.
    """
    found = verify_pack.verify(file, signers)
    say(one_line(found.first))
    for line in found.signatures:
        say(f"  {one_line(line)}")
    for check in found.checks:
        say(_line(check))
        if check.wrong or check.note:
            say(f"  {one_line(check.wrong or check.note)}")
    if found.pack is None or found.session is None:
        return int(found.status)
    say(overall_sentence(found.session))
    for digest in _digests(found.pack, file.read_bytes()):
        say(digest)
    if any(check.wrong for check in found.checks):
        say(_judged_otherwise(found.pack.made_by))
    return int(found.status)


def _judged_otherwise(made_by: str) -> Message:
    """A session may have been begun by an earlier version than the one that packed it."""
    if made_by == __version__:
        return msg("the bytes hold; this version judges otherwise what an earlier version judged in this session")
    return msg(
        "the bytes hold; version {ours} judges or renders them otherwise than version {theirs}, which made the pack",
        ours=__version__,
        theirs=made_by,
    )


def _line(check: Check) -> Message:
    if not check.wrong:
        return msg("holds: {check}", check=str(check.what))
    if check.part is Part.BYTES:
        return msg("does not hold: {check}", check=str(check.what))
    return msg("differs: {check}", check=str(check.what))


@verb(
    "waive",
    """\b
    Examples:
      playbook waive SERVICE-PORT/observer --by "Kim" \\
        --reason "moved to 8080 on purpose, ticket 4711"
    """,
)
@click.argument("code")
@option("--by", required=True, metavar="NAME", help="Who accepts it.")
@option("--reason", required=True, metavar="TEXT", help="Why.")
@session_option
@state_option
@lang_option
def waive_verb(code: str, by: str, reason: str, session: str | None, state_dir: str | None) -> int:
    """Accept one finding as it is, by name and reason.

    It stays visible as waived in every output. Abort criteria cannot be waived. A waiver ends when
    the step is judged again and the finding is no longer the same; the finding then counts again.
    """
    finding = api.waive(code, by, reason, state_dir=state_dir, session=session)
    say(
        msg(
            "waived: {code}, Step {step}, {verdict}: {summary}",
            code=finding.code,
            step=finding.step,
            verdict=str(VERDICTS[finding.verdict]),
            summary=one_line(finding.summary),
        )
    )
    notify(msg("the waiver ends when this finding changes or its step is forced to run again"))
    return 0
