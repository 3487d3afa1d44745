"""The verbs that look at what was done and what is built in: status, audit."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .. import api, clock
from ..errors import UsageError
from ..guide.audit import audit
from ..guide.catalog import load
from ..output import terminal
from ..output.columns import at_words, pad
from ..output.ending import ending
from ..output.status import next_attempt, next_line
from ..text import as_typed, msg
from .options import lang_option, session_option, state_option, verb, verbose_option
from .streams import is_colourful, notify, say

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
    """Compare commands/ with the guide document GUIDE.

    Each command of the guide with its line, and whether commands/ has it identical, differently (with the difference) or
    not at all; then what commands/ has that the guide has not. Exit status 1 on any difference.
    """
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
        say(f"{passage.line:>5}  {state}  {entry.id or passage.text.splitlines()[0]}")
        if entry.diff:
            say(entry.diff.rstrip("\n"))
    for name in found.extra:
        say(f"    -  {msg('not in the guide')}  {name}")
    for name, wrong in found.tampered:
        say(f"    -  {name}: {wrong}")
    identical = sum(entry.state.value == "identical" for entry in found.fenced)
    notify(msg("{n} of {all} fenced commands identical", n=identical, all=len(found.fenced)))
    return 0 if found.clean else 1


@verb("status")
@verbose_option
@session_option
@state_option
@lang_option
def status_verb(verbose: bool, session: str | None, state_dir: str | None) -> int:
    """Show where the verification stands: each step, its verdict, when, kept or stale and why, and what to type next."""
    at = clock.utc_now()
    found = api.current_session(state_dir, session, at)
    if found is None:
        say(msg("nothing was verified yet"))
        notify(msg("next: {command}", command=as_typed("playbook all")))
        return 3
    colour = is_colourful(sys.stdout)
    details = terminal.details(found, colour=colour) if verbose else ""
    parts = (terminal.status(found, colour=colour), details, next_attempt(found, at), ending(found, colour=colour))
    say("\n\n".join(filter(None, parts)), colours=colour)
    report = api.session_folder(state_dir, found.id) / "report.md"
    if report.is_file():
        say(at_words(msg("report: {path}", path=str(report))))
    if onwards := next_line(found):
        notify(onwards)
    return 0
