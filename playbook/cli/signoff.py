"""The verbs of those who sign: report, verify-pack, waive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import api
from ..errors import UsageError
from ..model import Session
from ..session.store import SessionStore, state_directory
from ..text import msg
from .i18n import lang_option, option, state_option, verb

if TYPE_CHECKING:
    from importlib.abc import Traversable


@verb(
    "report",
    """\b
    Examples:
      playbook report                          the current session as Markdown
      playbook report -o report.md             the same into a file
      playbook report --pack signoff.tar.gz    report, recording and journal as one archive to be signed
      playbook report --output junit           for a CI server
    """,
)
@option("-o", "file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write to FILE.")
@option("--session", metavar="ID", help="Another session than the current one.")
@option("--recording", metavar="DIR|SCENARIO", help="Judge this recording, or one of those that `demo` has.")
@option(
    "--output",
    "form",
    type=click.Choice(["markdown", "json", "junit"]),
    default="markdown",
    show_default=True,
    help="markdown for people; json or junit for machines.",
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
def report_verb(  # one for each option
    file: Path | None,
    session: str | None,
    recording: str | None,
    form: api.Format,
    pack_file: Path | None,
    state_dir: str | None,
) -> int:
    """Render the report of a session or a recording.

    Markdown that reads well raw and on a Git host. With --pack also one archive with report, recording, journal and
    commands, which `verify-pack` checks without a cluster; its digest is printed.
    """
    if session and recording:
        raise UsageError(msg("--session and --recording exclude each other"))
    folder = _recording(recording) if recording else _folder(state_dir, session)
    digest = ""
    if pack_file:
        from ..output.pack import pack

        if not isinstance(folder, Path):
            raise UsageError(msg("a pack is made of a session's folder"))
        made = pack(folder)
        api.save(made.to_bytes(), pack_file)
        digest = made.evidence
        click.echo(str(msg("pack: {file}", file=str(pack_file))), err=True)
        click.echo(str(msg("evidence digest: {digest}", digest=digest)), err=True)
        click.echo(str(msg("pack digest: {digest}", digest=made.digest)), err=bool(file is None and form != "markdown"))
        if file is None:
            return 0
    text = api.render(_session(folder), form, pack_digest=digest)
    if file:
        api.save(text, file)
        click.echo(str(msg("report: {path}", path=str(file))), err=True)
    else:
        click.echo(text, nl=not text.endswith("\n"))
    return 0


def _folder(state_dir: str | None, session: str | None) -> Path:
    sessions = SessionStore(state_directory(state_dir))
    name = session or sessions.current()
    if name is None:
        raise UsageError(msg("nothing was verified yet"), msg("type {command}", command="python -m playbook all"))
    return sessions.folder(name)


def _recording(name: str) -> Path | Traversable:
    return api.scenario(name) if name in api.SCENARIOS and not Path(name).is_dir() else Path(name)


def _session(folder: Path | Traversable) -> Session:
    if isinstance(folder, Path) and (folder / "journal.jsonl").is_file():
        return api.recorded_session(folder)
    return api.replay(folder)


@verb("verify-pack")
@click.argument("file", type=click.Path(path_type=Path))
@lang_option
def verify_pack_verb(file: Path) -> int:
    """Check a pack made by `report --pack`, offline.

    Every byte is held against the manifest, the journal's hash chain and the streams' digests are checked, the
    recording is judged again and the reports are rendered again. Exit status 1 when anything is not as it was: it is
    named.
    """
    from ..output import terminal
    from ..output.columns import one_line
    from ..output.verify_pack import session_of, verify

    for check in verify(file):
        state = msg("holds") if check.wrong is None else msg("refused")
        click.echo(f"{state}  {check.what}")
        if check.wrong is not None:
            click.echo(f"  {one_line(check.wrong)}")
            return 1
    pack, session = session_of(file)
    click.echo(terminal.overall_sentence(session))
    click.echo(str(msg("evidence digest: {digest}", digest=pack.evidence)))
    click.echo(str(msg("pack digest: {digest}", digest=pack.digest)))
    return 0


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
@option("--session", metavar="ID", help="Another session than the current one.")
@state_option
@lang_option
def waive_verb(code: str, by: str, reason: str, session: str | None, state_dir: str | None) -> int:
    """Accept one finding as it is, by name and reason.

    It stays visible as waived in every output. Abort criteria cannot be waived. The waiver dies with what it was given
    for: once the step is judged again and the finding is not the same any more, it counts again.
    """
    from ..output import terminal
    from ..output.columns import one_line

    finding = api.waive(code, by, reason, state_dir=state_dir, session=session)
    click.echo(
        str(
            msg(
                "waived: {code}, Step {step}, {verdict}: {summary}",
                code=finding.code,
                step=finding.step,
                verdict=terminal.word(finding.verdict),
                summary=one_line(finding.summary),
            )
        )
    )
    click.echo(str(msg("the waiver ends when this finding changes or its step is forced to run again")), err=True)
    return 0
