"""`--dry-run`: the commands of steps as they would be run; no cluster is asked, nothing is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..errors import UsageError
from ..guide.catalog import EMERGENCY, load
from ..model import Command
from ..output.labels import TITLES
from ..runtime.environment import has_tool
from ..steps import STEPS
from ..steps.step3_secrets import not_needed
from ..text import msg
from .console import Form
from .streams import notify, say


def show_commands(steps: Iterable[str], form: Form) -> int:
    """Print the commands of `steps` (3) or of sub-steps (3-4), in the guide's order; the exit status is 0.

    Raises UsageError where the guide has none under that number or another form than text is wanted, TamperedCommand as
    the catalog does.
    """
    if form != "text":
        raise UsageError(msg("a dry run is for people: it has no other form than text"), msg("leave out --output"))
    catalog, other = load(), not_needed(has_tool("jq"))
    for step in steps:
        if "-" in step:
            commands = [command for command in catalog.of_step(step) if command.id != EMERGENCY]
        else:
            commands = [catalog.command(id) for id in STEPS[int(step)].commands if id != other]
        say("\n".join(_lines(step, commands)))
    notify(msg("Nothing was run. Beside these run a few of the program's own, which docs/guide-notes.md lists."))
    return 0


def _lines(step: str, commands: Iterable[Command]) -> Iterator[str]:
    yield f"{msg('Step {step}', step=step)}  {TITLES[step.partition('-')[0]]}"
    for command in commands:
        yield f"  {command.id}{_mark(command)}"
        yield from (f"      $ {line}" for line in command.text.rstrip("\n").split("\n"))


def _mark(command: Command) -> str:
    if not command.mutates:
        return ""
    marks = [
        msg("changes the cluster"),
        *([msg("is run with permission only")] if command.step.startswith("8") else []),
    ]
    return f"  ({', '.join(map(str, marks))})"
