"""What the shell offers after a verb: the guide's steps and the ids of its commands. No file is read for it."""

from __future__ import annotations

import click

from ..guide.catalog import DIAGNOSE_ORDER, GUIDE_ORDER, step_of


def steps(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The steps that begin with what was typed: `3` gives 3."""
    return [number for number in known_steps() if "-" not in number and number.startswith(incomplete)]


def sub_steps(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The steps and sub-steps that begin with what was typed: `3-` gives 3-1 to 3-5."""
    return [number for number in known_steps() if number.startswith(incomplete)]


def shown(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """What `show` takes: a step, a sub-step or the id of a command."""
    ids = [id for id in (*GUIDE_ORDER, *DIAGNOSE_ORDER) if id.startswith(incomplete)]
    return sub_steps(ctx, param, incomplete) + ids


def known_steps() -> list[str]:
    """`0`, `1`, `2`, `3`, `3-1` … in the guide's order."""
    numbers: dict[str, None] = {}
    for id in GUIDE_ORDER:
        number = step_of(id)
        if number:
            numbers[number.partition("-")[0]] = None
            numbers[number] = None
    return list(numbers)
