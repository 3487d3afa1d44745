"""The verb `doctor`, and the part of it that `all` tells by itself when Step 0 failed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal

import click

from ..doctor import cluster, machine
from ..doctor.check import TITLES, Check, command_of
from ..errors import Exit
from ..guide.catalog import load
from ..output.columns import COLUMNS, pad, width, wrapped
from ..output.json import visible
from ..runtime.live import LiveRunner
from ..text import msg
from .options import lang_option, option, state_option, verb
from .progress import Progress
from .streams import notify, say


@verb(
    "doctor",
    """
    Exit status: 0 all is ok, 3 something is not ok or could not be seen, 2 wrong usage.
    """,
)
@option(
    "--output",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="json for machines.",
)
@state_option
@lang_option
def doctor_verb(form: Literal["text", "json"], state_dir: str | None) -> int:
    """Show whether this machine and this user have what a verification needs, before anything is run.

    Tools, kubeconfig, API server, rights, port 8000, state folder, disk space and clock. Each line is ok, or what to type.
    It changes nothing and keeps nothing.
    """
    checks = _all(state_dir)
    if form == "json":
        say(visible(json.dumps({"checks": [check.to_json() for check in checks]}, ensure_ascii=False, indent=2)))
    else:
        say("\n".join(lines(checks)))
    return int(Exit.COMPLETE if all(check.ok for check in checks) else Exit.INCOMPLETE)


def _all(state_dir: str | None) -> tuple[Check, ...]:
    here = machine.all_of_them(state_dir)
    if not here[0].ok:  # without kubectl or bash nothing can be asked
        return here
    progress, runner = Progress(sys.stderr), LiveRunner()
    progress.announce(str(msg("asking the API server")))
    try:
        there = cluster.all_of_them(runner, load().digest, progress.begin, progress.end)
    finally:
        runner.end_all()
        runner.close()
        progress.stop()
    if any(check.id == "kubeconfig" and not check.ok for check in here):  # why it does not answer is said there
        there = tuple(
            replace(check, ok=None, remedy=()) if check.id == "api" and not check.ok else check for check in there
        )
    order = list(TITLES)
    return tuple(sorted((*here[1:], *there), key=lambda check: order.index(check.id)))


def lines(checks: Iterable[Check]) -> Iterator[str]:
    """The checks for a person, each with what to type below it."""
    states = {True: str(msg("ok")), False: str(msg("not ok")), None: str(msg("not seen"))}
    first, second = (max(map(width, map(str, texts))) for texts in (states.values(), TITLES.values()))
    for check in checks:
        indent = " " * (first + 2)
        head = f"{pad(states[check.ok], first)}  {pad(str(TITLES[check.id]), second)}  "
        seen = wrapped(str(check.seen), COLUMNS - width(head))
        yield from (f"{head if not place else ' ' * width(head)}{line}" for place, line in enumerate(seen))
        for remedy in check.remedy:
            command = command_of(remedy)
            if remedy.advice and "command" in dict(remedy.advice.values):
                yield f"{indent}{remedy.advice}"  # what is to be typed stands on one line
            elif remedy.advice:
                yield from wrapped(f"{indent}{remedy.advice}", COLUMNS, f"{indent}  ")
            if command:
                yield f"{' ' * (first + 4)}{command}"


def tell_what_is_wrong(state_dir: str | None) -> None:
    """After a Step 0 that failed: what this machine itself lacks, to standard error. Runs nothing."""
    wrong = [check for check in machine.all_of_them(state_dir) if check.ok is False]
    if wrong:
        notify(*lines(wrong))
    notify(msg("what a verification needs, looked at one by one: {program} doctor"))
