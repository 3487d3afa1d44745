"""The verbs that only look: list, show, audit, status, completion. They start fast: what they need is imported late."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..errors import UsageError
from ..text import msg
from . import complete
from .i18n import lang_option, option, state_option, verb


@verb("list")
@lang_option
def list_verb() -> int:
    """List every step and command id, in the guide's order. Those that change the cluster are marked."""
    from ..guide.catalog import changes_cluster, load, step_of

    catalog = load()
    step = None
    for name in catalog.ids:
        if step_of(name) != step:
            step = step_of(name)
            click.echo(str(msg("Step {step}", step=step) if step else msg("Summary")))
        mark = f"  ({msg('changes the cluster')})" if changes_cluster(name) else ""
        click.echo(f"  {name}{mark}")
    click.echo(str(msg("Diagnosis and remedies")))
    for name in catalog.diagnose_ids:
        click.echo(f"  {name}")
    return 0


@verb(
    "show",
    """\b
    Examples:
      playbook show 3-4                       what the guide says at Step 3-4
      playbook show 3-4 | bash                the guide, carried out by bash
      playbook show step6-1-pods              one command by its id
      playbook show describe-pod postgres-0   a command with its placeholder filled
    """,
)
@click.argument("what", metavar="STEP|ID", shell_complete=complete.shown)
@click.argument("name", required=False)
@lang_option
def show_verb(what: str, name: str | None) -> int:
    """Print the exact text of a step's commands, or of one command, and nothing else.

    The bytes are the guide's, checked against their digest. Notes go to standard error.
    """
    from ..guide.catalog import EMERGENCY, load

    catalog = load()
    if name:
        commands = [catalog.fill(what, name)]
    elif what[:1].isdigit():
        commands = [command for command in catalog.of_step(what) if command.id != EMERGENCY]
        if any(command.id == EMERGENCY for command in catalog.of_step(what)):
            click.echo(str(msg("note: {command} is left out: a remedy, shown by its id", command=EMERGENCY)), err=True)
    else:
        commands = [catalog.command(what)]
    for command in commands:
        if command.mutates:
            click.echo(str(msg("note: {command} changes the cluster", command=command.id)), err=True)
    sys.stdout.buffer.write("".join(command.text for command in commands).encode())
    sys.stdout.buffer.flush()
    return 0


_STATES = {
    "identical": msg("identical"),
    "different": msg("different"),
    "absent": msg("absent"),
    "shortened": msg("shortened"),
}
"""How a command of the guide stands in commands/, for a reader."""


@verb("audit")
@click.argument("guide", type=click.Path(dir_okay=False, path_type=Path))
@lang_option
def audit_verb(guide: Path) -> int:
    """Hold commands/ against the guide document GUIDE.

    Each command of the guide with its line, and whether commands/ has it identical, differently (with the difference) or
    not at all; then what commands/ has that the guide has not. Exit status 1 on any difference.
    """
    from ..guide.audit import audit
    from ..guide.catalog import load
    from ..output.columns import pad

    try:
        text = guide.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            msg("cannot read {file}: {reason}", file=str(guide), reason=str(error)),
            msg("name the guide's Markdown file"),
        ) from error
    found = audit(text, load())
    for entry in (*found.fenced, *found.mentioned):
        passage = entry.passage
        state = pad(str(_STATES[entry.state.value]), 10)
        click.echo(f"{passage.line:>5}  {state}  {entry.id or passage.text.splitlines()[0]}")
        if entry.diff:
            click.echo(entry.diff.rstrip("\n"))
    for name in found.extra:
        click.echo(f"    -  {msg('not in the guide')}  {name}")
    for name, wrong in found.tampered:
        click.echo(f"    -  {name}: {wrong}")
    identical = sum(entry.state.value == "identical" for entry in found.fenced)
    click.echo(str(msg("{n} of {all} fenced commands identical", n=identical, all=len(found.fenced))), err=True)
    return 0 if found.clean else 1


@verb("status")
@option("--session", metavar="ID", help="Another session than the current one.")
@state_option
@lang_option
def status_verb(session: str | None, state_dir: str | None) -> int:
    """Show where the verification stands: each step, its verdict, when, kept or stale and why, and what to type next."""
    from .. import api
    from ..clock import utc_now
    from ..output import terminal
    from ..output.status import next_attempt, next_command
    from .console import colourful

    at = utc_now()
    found = api.current_session(state_dir, session, at)
    if found is None:
        click.echo(str(msg("nothing was verified yet")))
        click.echo(str(msg("next: {command}", command="python -m playbook all")), err=True)
        return 3
    click.echo(terminal.status(found, colour=colourful(sys.stdout)))
    click.echo(f"\n{next_attempt(found, at)}")
    click.echo(str(msg("next: {command}", command=next_command(found))), err=True)
    return 0


@verb(
    "completion",
    """\b
    Examples:
      eval "$(playbook completion bash)"                                        in ~/.bashrc
      eval "$(playbook completion zsh)"                                         in ~/.zshrc
      playbook completion fish > ~/.config/fish/completions/playbook.fish
    """,
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_verb(shell: str) -> int:
    """Print the completion script for a shell."""
    from click.shell_completion import get_completion_class

    from . import root

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(root, {}, "playbook", "_PLAYBOOK_COMPLETE").source())
    return 0
