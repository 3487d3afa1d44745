"""The verbs that help when something is wrong: diagnose, fix."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from .. import api
from ..diagnosis.diagnose import unanswered
from ..diagnosis.walk import asks_for_a_cause
from ..errors import Exit, PlaybookError, UsageError
from ..model import Session
from ..output import terminal
from ..output.columns import clean, one_line
from ..output.labels import ended
from ..runtime import emergency
from ..text import msg
from .console import Console
from .options import lang_option, option, state_option, verb
from .run import carry_out


@verb(
    "diagnose",
    """\b
    Examples:
      playbook diagnose                      what lies behind the failures of the current session
      playbook diagnose --recording DIR      the same from a recording, offline
    """,
)
@option("--recording", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Diagnose this recording.")
@state_option
@lang_option
def diagnose_verb(recording: Path | None, state_dir: str | None) -> int:
    """Walk the guide's decision trees for what failed.

    Runs only commands that look: Step 0, to see that it is the same cluster, then what the guide's tables and trees
    name.
    Exit status 3 when something that was needed could not be seen.
    """
    console = Console(steps_are_results=False)
    session = api.replay(recording) if recording else api.recorded_session(api.session_folder(state_dir))
    if not recording and _asks_for_a_cause(session):
        with console:
            session = api.run(state_dir=state_dir, only="0", listener=console, cancel=console.cancel)
    if not _asks_for_a_cause(session):
        console.result(msg("nothing failed: there is nothing to diagnose"))
        return 0
    console.result(terminal.causes(session, colour=console.colour) or msg("no cause could be named"))
    silent = unanswered(session)
    for run, why in silent:
        console.notice(msg("could not be seen: {command}: {reason}", command=run.command, reason=one_line(why)))
    return int(Exit.INCOMPLETE) if silent or not session.causes else 0


def _asks_for_a_cause(session: Session) -> bool:
    return any(asks_for_a_cause(finding) for result in session.results for finding in result.findings)


@verb(
    "fix",
    """\b
    Examples:
      playbook fix observer-secrets      create the Secret that the guide creates by hand (Step 3-3)
    """,
)
@click.argument("what", type=click.Choice(["observer-secrets"]), metavar="observer-secrets")
@state_option
@lang_option
def fix_verb(what: str, state_dir: str | None) -> int:  # there is only one
    """Create what the guide creates by hand: observer-secrets, by its emergency procedure.

    Looks whether it is missing, asks for each value without showing it, shows the guide's command with the values
    masked, asks once more, runs it, and goes on from Step 3. No value reaches the disk, the history, the terminal or
    the report.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            msg("fix asks for secret values and needs a terminal"),
            msg(
                "log in with one (ssh -t), or fill in and type what `{program} show step3-3-create-observer-secrets` prints"
            ),
        )
    with (
        Console() as console,
        api.at_work(state_dir, diagnose=False, listener=console, cancel=console.cancel) as engine,
    ):
        emergency.require_missing(engine)
        console.notice(msg("cluster: {cluster}", cluster=str(engine.session.state.cluster)))
        text = engine.workplace.catalog.command(emergency.COMMAND).text
        console.cancel.may_raise = True
        values = _ask_for_values(console, text)
        console.notice(emergency.masked(text).rstrip("\n"))
        allowed = click.confirm(str(msg("Run this now?")), err=True)
        console.cancel.may_raise = False
        if not allowed:
            console.notice(msg("nothing was run"))
            return int(Exit.USAGE)
        run = emergency.create(engine, values)
        console.result(clean(run.out + run.err).rstrip("\n"))
        if run.exit_code != 0:
            console.notice(msg("observer-secrets was not created: {how}", how=ended(run)))
            return int(Exit.FAILED)
    return carry_out(False, "text", state_dir, start="3", secrets=emergency.to_hide(values))


def _ask_for_values(console: Console, text: str) -> Mapping[str, str]:
    """A value for each key that the guide leaves open; asked again until it can be used."""
    values: dict[str, str] = {}
    for key in emergency.prompts(text):
        while key.name not in values:
            question = str(emergency.question(key))
            given = click.prompt(question, default="", show_default=False, hide_input=key.hidden, err=True)
            try:
                values[key.name] = emergency.checked(key, given)
            except PlaybookError as error:
                console.notice(error.message)
    return values
