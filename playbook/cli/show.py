"""The verbs that show what there is: list, show, completion. They start at once: they need the catalog and nothing else."""

from __future__ import annotations

import re
import sys

import click

from ..guide.catalog import EMERGENCY, changes_cluster, load, step_of
from ..text import as_typed, msg
from . import complete
from .options import lang_option, verb

_READS_INPUT = re.compile(r"\bkubectl (?:exec|run|attach)\b[^|;&\n]*\s(?:-[it]*i[it]*|--stdin)\s")
"""A command that reads standard input: of a script that is piped into bash it takes the rest."""


@verb("list")
@lang_option
def list_verb() -> int:
    """List every step and command id, in the guide's order. Those that change the cluster are marked."""
    catalog = load()
    step = None
    for name in catalog.ids:
        if step_of(name) != step:
            step = step_of(name)
            click.echo(msg("Step {step}", step=step) if step else msg("Summary"))
        mark = f"  ({msg('changes the cluster')})" if changes_cluster(name) else ""
        click.echo(f"  {name}{mark}")
    click.echo(msg("Diagnosis and remedies"))
    for name in catalog.diagnose_ids:
        click.echo(f"  {name}")
    return 0


@verb(
    "show",
    """\b
    Examples:
      playbook show 3-4                      what the guide says at Step 3-4
      playbook show 3-4 | bash               the guide, carried out by bash
      playbook show step6-1-pods             one command by its id
      playbook show describe-pod postgres-0  a command with its name filled in
    """,
)
@click.argument("what", metavar="STEP|ID", shell_complete=complete.shown)
@click.argument("name", required=False)
@lang_option
def show_verb(what: str, name: str | None) -> int:
    """Print the exact text of a step's commands, or of one command, and nothing else.

    The bytes are the guide's, checked against their digest. Notes go to standard error.
    """
    catalog = load()
    if name:
        commands = [catalog.fill(what, name)]
    elif what[:1].isdigit():
        whole = catalog.of_step(what)
        commands = [command for command in whole if command.id != EMERGENCY]
        if len(commands) < len(whole):
            click.echo(msg("note: {command} is left out: a remedy, shown by its id", command=EMERGENCY), err=True)
    else:
        commands = [catalog.command(what)]
    for command in commands:
        if command.mutates:
            click.echo(msg("note: {command} changes the cluster", command=command.id), err=True)
    if not sys.stdout.isatty() and any(_READS_INPUT.search(command.text) for command in commands):
        shown = as_typed(f"playbook show {' '.join(filter(None, (what, name)))}")
        click.echo(
            msg(
                "note: piped into bash, a command of these would read the rest: type {form}",
                form=f'bash -c "$({shown})"',
            ),
            err=True,
        )
    sys.stdout.buffer.write("".join(command.text for command in commands).encode())
    sys.stdout.buffer.flush()
    return 0


@verb(
    "completion",
    """\b
    Examples:
      eval "$(playbook completion bash)"     in ~/.bashrc
      eval "$(playbook completion zsh)"      in ~/.zshrc
      playbook completion fish > ~/.config/fish/completions/playbook.fish
    """,
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion_verb(ctx: click.Context, shell: str) -> int:
    """Print the completion script for a shell."""
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - 0.4 ms that `show` does without

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(ctx.find_root().command, {}, "playbook", "_PLAYBOOK_COMPLETE").source())
    return 0
