"""The verbs that judge what was recorded, without a cluster: demo, replay, diff."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import api
from ..errors import EXIT_OF
from ..runtime.cancel import CancelToken
from ..text import msg
from .console import Console
from .i18n import lang_option, output_option, state_option, verb

if TYPE_CHECKING:
    from importlib.abc import Traversable


@verb("demo")
@click.argument("scenario", type=click.Choice(api.SCENARIOS), default="healthy")
@output_option
@lang_option
def demo_verb(scenario: str, form: str) -> int:
    """Replay a recording that ships with the program: a whole run, without a cluster.

    healthy ends pending, because its 24 hours are not over; healthy-24h is complete; the others are faults.
    """
    return _judge(api.scenario(scenario), form, scenario)


@verb("replay")
@click.argument("folder", type=click.Path(path_type=Path))
@output_option
@lang_option
def replay_verb(folder: Path, form: str) -> int:
    """Judge the recording in FOLDER, offline. Nothing is ever run: what it does not have could not be seen.

    FOLDER is a session of this program, or any folder with a runs.json.
    """
    return _judge(folder, form, str(folder))


def _judge(folder: Path | Traversable, form: str, name: str) -> int:
    console = Console(CancelToken(), results=form == "text")
    session = api.replay(folder, listener=console)
    if form == "text":
        console.summary(session)
        console.tell(msg("the whole report: {command}", command=f"{_program()} report --recording {name}"))
    else:
        console.result(api.render(session, "json" if form == "json" else "junit").rstrip("\n"))
    return int(EXIT_OF[session.overall])


def _program() -> str:
    return click.get_current_context().find_root().info_name or "playbook"


@verb("diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@state_option
@lang_option
def diff_verb(before: str, after: str, state_dir: str | None) -> int:
    """Show what changed from A to B: verdicts, findings, pods, counts.

    A and B are folders of sessions or recordings, or ids of sessions. Exit status 1 when anything changed.
    """
    from ..output.compare import compare

    changes = compare(api.session_named(before, state_dir), api.session_named(after, state_dir))
    click.echo(changes.text() or str(msg("nothing changed")))
    return 1 if changes.text() else 0
