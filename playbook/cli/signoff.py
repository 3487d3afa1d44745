"""The verbs of those who sign: report, verify-pack, waive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import api
from ..errors import Exit, UsageError
from ..model import Session
from ..output import verify_pack
from ..output.columns import one_line
from ..output.labels import VERDICTS, overall_sentence
from ..output.pack import JOURNAL, Pack, pack
from ..output.verify_pack import Part
from ..text import msg
from ..version import __version__
from .options import lang_option, option, session_option, state_option, verb
from .streams import notify

if TYPE_CHECKING:
    from importlib.abc import Traversable


@verb(
    "report",
    """\b
    Examples:
      playbook report                          the current session as Markdown
      playbook report -o report.md             the same into a file
      playbook report -o report.html           one page for a browser, which prints to PDF
      playbook report --pack signoff.tar.gz    report, recording and journal as one archive to be signed
      playbook report --output junit           for a CI server
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
    commands, which `verify-pack` checks without a cluster; its digest is printed.
    """
    if session and recording:
        raise UsageError(msg("--session and --recording exclude each other"))
    form = form or ("html" if file and file.suffix in (".html", ".htm") else "markdown")
    folder = _recording(recording) if recording else api.session_folder(state_dir, session)
    made = _packed(folder, pack_file) if pack_file else None
    if made:
        digest = msg("pack digest: {digest}", digest=made.digest)
        if file or form == "markdown":
            click.echo(digest)
        else:
            notify(digest)
        if file is None:
            return 0
    text = api.render(_session(folder), form, pack_digest=made.evidence if made else "")
    if file:
        api.save(text, file)
        notify(msg("report: {path}", path=str(file)))
    else:
        click.echo(text, nl=not text.endswith("\n"))
    return 0


def _recording(name: str) -> Path | Traversable:
    return api.scenario(name) if name in api.SCENARIOS and not Path(name).is_dir() else Path(name)


def _packed(folder: Path | Traversable, file: Path) -> Pack:
    if not isinstance(folder, Path):
        raise UsageError(msg("a pack is made of a session's folder"))
    made = pack(folder)
    api.save(made.to_bytes(), file)
    notify(msg("pack: {file}", file=str(file)), msg("evidence digest: {digest}", digest=made.evidence))
    return made


def _session(folder: Path | Traversable) -> Session:
    if isinstance(folder, Path) and (folder / JOURNAL).is_file():
        return api.recorded_session(folder)
    return api.replay(folder)


@verb("verify-pack")
@click.argument("file", type=click.Path(path_type=Path))
@lang_option
def verify_pack_verb(file: Path) -> int:
    """Check a pack made by `report --pack`, offline.

    First its bytes: every member is held against the manifest, the journal's hash chain and the streams' digests are
    checked. Exit status 1 when anything is not as it was: it is named. Then the judgement: the recording is judged again
    and the reports are rendered again. Exit status 3 when this version of the program comes to another result than the
    one that made the pack.
    """
    wrong = set()
    for check in verify_pack.verify(file):
        state = msg("holds")
        if check.wrong:
            wrong.add(check.part)
            state = msg("refused") if check.part is Part.BYTES else msg("differs")
        click.echo(f"{state}  {check.what}")
        if check.wrong or check.note:
            click.echo(f"  {one_line(check.wrong or check.note)}")
    if Part.BYTES in wrong:
        return int(Exit.FAILED)
    made, session = verify_pack.session_of(file)
    click.echo(overall_sentence(session))
    click.echo(msg("evidence digest: {digest}", digest=made.evidence))
    click.echo(msg("pack digest: {digest}", digest=made.digest))
    if not wrong:
        return 0
    click.echo(
        msg(
            "the bytes hold; version {ours} judges or renders them otherwise than version {theirs}, which made the pack",
            ours=__version__,
            theirs=made.made_by,
        )
    )
    return int(Exit.INCOMPLETE)


@verb(
    "waive",
    """\b
    Examples:
      playbook waive SERVICE-PORT/observer --by "Kim" --reason "moved to 8080 on purpose, ticket 4711"
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

    It stays visible as waived in every output. Abort criteria cannot be waived. The waiver dies with what it was given
    for: once the step is judged again and the finding is not the same any more, it counts again.
    """
    finding = api.waive(code, by, reason, state_dir=state_dir, session=session)
    click.echo(
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
