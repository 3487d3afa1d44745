"""The verbs that judge what was recorded, without a cluster: demo, replay, diff."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import api
from ..errors import EXIT_OF
from ..output.compare import compare
from ..text import msg
from .console import Console, Form
from .guesses import recording
from .options import lang_option, output_option, state_option, verb, verbose_option
from .streams import say

if TYPE_CHECKING:
    from importlib.abc import Traversable


@verb("demo")
@click.argument("scenario", type=click.Choice(api.SCENARIOS), default="healthy", metavar="[SCENARIO]")
@verbose_option
@output_option
@lang_option
def demo_verb(scenario: str, verbose: bool, form: Form) -> int:
    """Replay a recording that ships with the program: a whole run, without a cluster.

    SCENARIO is healthy (the default: pending, because its 24 hours are not over), healthy-24h (complete), or a
    fault: secret-missing, secret-key-missing, pvc-pending.
    """
    return _judge(api.scenario(scenario), form, scenario, verbose)


@verb("replay")
@click.argument("folder", metavar="FOLDER|SCENARIO")
@verbose_option
@output_option
@lang_option
def replay_verb(folder: str, verbose: bool, form: Form) -> int:
    """Judge the recording in FOLDER, offline. Nothing is ever run: what it does not have could not be seen.

    FOLDER is a session of this program, or any folder with a runs.json; SCENARIO is one that `demo` has.
    """
    return _judge(recording(folder), form, folder, verbose)


def _judge(folder: Path | Traversable, form: Form, name: str, verbose: bool) -> int:
    console = Console(form, verbose=verbose)
    session = api.replay(folder, listener=console)
    console.outcome(session)
    if form == "text":
        console.notice(msg("the whole report: {program} report --recording {name}", name=name))
    return int(EXIT_OF[session.overall])


@verb("diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@state_option
@lang_option
def diff_verb(before: str, after: str, state_dir: str | None) -> int:
    """Show what changed from A to B: verdicts, findings, pods, counts.

    A and B are folders of sessions or recordings, ids of sessions, or scenarios that `demo` has. Exit
    status 1 when anything changed.
    """
    changes = compare(api.session_named(before, state_dir), api.session_named(after, state_dir)).text()
    say(changes or msg("nothing changed"))
    return 1 if changes else 0
