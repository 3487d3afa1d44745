"""The verbs that help when something is wrong: diagnose, fix."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import click

from .. import api
from ..diagnosis.diagnose import unanswered
from ..diagnosis.walk import asks_for_a_cause
from ..errors import Exit, PlaybookError, UsageError
from ..guide import remedies as fix
from ..guide.own_commands import ADD_KEYS
from ..model import Session
from ..output import terminal
from ..output.columns import clean, one_line
from ..output.labels import ended
from ..runtime import emergency, missing_keys
from ..text import msg
from . import guesses
from .console import Console
from .options import lang_option, option, state_option, verb
from .run import carry_out


@verb(
    "diagnose",
    """\b
    Examples:
      playbook diagnose                   what lies behind the failures
      playbook diagnose --recording DIR   the same from a recording, offline
    """,
)
@option("--recording", metavar="DIR|SCENARIO", help="Diagnose this recording, or one of those that `demo` has.")
@state_option
@lang_option
def diagnose_verb(recording: str | None, state_dir: str | None) -> int:
    """Walk the guide's decision trees for what failed.

    Runs read-only commands only: Step 0, to check that it is the same cluster, then those of the guide's tables and
    decision trees. Exit status 3 when something that was needed could not be seen.
    """
    console = Console(steps_are_results=False)
    session = (
        api.replay(guesses.recording(recording)) if recording else api.recorded_session(api.session_folder(state_dir))
    )
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
      playbook fix observer-secrets   create it (Step 3-3), or add missing keys
    """,
)
@click.argument("what", type=click.Choice(["observer-secrets"]), metavar="observer-secrets")
@state_option
@lang_option
def fix_verb(what: str, state_dir: str | None) -> int:  # there is only one
    """Create what the guide creates by hand: observer-secrets, by its emergency procedure.

    Checks whether it is missing, asks for each value twice without showing it, shows the guide's command with the values
    masked, asks once more, runs it, and goes on from Step 3. Where the Secret is there, only the keys that it lacks are
    asked for and added; no key that is there is touched. No value reaches the disk, the history, the terminal or
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
        there = missing_keys.present(engine) if emergency.exists(engine) else None
        text = engine.workplace.catalog.command(emergency.COMMAND).text
        lacking = missing_keys.missing(emergency.keys(text), there) if there else ()
        console.notice(msg("cluster: {cluster}", cluster=str(engine.session.state.cluster)))
        if there:
            names = ", ".join(key.name for key in lacking)
            console.notice(msg("observer-secrets is there and lacks {keys}", keys=names))
            console.notice(f"{fix.KEEP_SECRET.command}\n  {fix.KEEP_SECRET.advice}")
        console.cancel.may_raise = True
        values = _ask_for_values(console, lacking if there else emergency.prompts(text))
        console.notice((ADD_KEYS.text if there else emergency.masked(text)).rstrip("\n"))
        allowed = click.confirm(str(msg("Run this now?")), err=True)
        console.cancel.may_raise = False
        if not allowed:
            console.notice(msg("nothing was run"))
            return int(Exit.USAGE)
        run = missing_keys.add(engine, lacking, values) if there else emergency.create(engine, values)
        console.result(clean(run.out + run.err).rstrip("\n"))
        if run.exit_code != 0 and there:
            console.notice(msg("nothing was added to observer-secrets: {how}", how=ended(run)))
        elif run.exit_code != 0:
            console.notice(msg("observer-secrets was not created: {how}", how=ended(run)))
        if run.exit_code != 0:
            return int(Exit.FAILED)
    return carry_out(False, "text", state_dir, start="3", secrets=emergency.to_hide(values))


def _ask_for_values(console: Console, keys: Sequence[emergency.Key]) -> Mapping[str, str]:
    """A value for each key that the guide leaves open, typed twice; asked again until it can be used."""
    values: dict[str, str] = {}
    for key in keys:
        while key.placeholder and key.name not in values:
            try:
                value = emergency.checked(key, _typed(str(emergency.question(key))))
            except PlaybookError as error:
                console.notice(error.message)
                continue
            if value and _typed(str(msg("once more, {key}", key=key.name))) != value:
                console.notice(msg("the two differ: neither is taken"))
                continue
            values[key.name] = value
    return values


def _typed(question: str) -> str:
    """What is typed to `question`, never shown."""
    return str(click.prompt(question, default="", show_default=False, hide_input=True, err=True))
