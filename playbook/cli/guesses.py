"""What somebody meant who typed a word that does not exist: a verb, a step, a scenario."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import UsageError
from ..text import Message, msg

if TYPE_CHECKING:
    from importlib.abc import Traversable


def closest(word: str, known: Collection[str]) -> str:
    """The word of `known` that is nearest to `word`; empty where none is near.

    >>> closest("repot", ("all", "report", "replay")), closest("step3-4", ("3", "3-4")), closest("xyz", ("all",))
    ('report', '3-4', '')
    """
    from difflib import get_close_matches  # noqa: PLC0415 - 3 ms that a word that exists does without

    plain = re.sub(r"^step[- ]?(?=\d)", "", word.lower())
    return plain if plain in known else next(iter(get_close_matches(plain, list(known), 1)), "")


def meant(word: str, known: Collection[str]) -> Message | None:
    """The question that a mistake ends with, or None."""
    near = closest(word, known)
    return msg("did you mean {name}?", name=near) if near else None


def of_mistake(error: click.UsageError) -> Message | None:
    """The question for a mistake on the command line: an unknown verb, or a value that is none of a choice."""
    typed = re.search(r"'([^']*)' is not|No such command '([^']*)'", error.message)
    if typed is None or "Did you mean" in error.message:
        return None
    word = typed[1] or typed[2] or ""
    if typed[2] is not None:
        command = error.ctx.command if error.ctx else None
        return meant(word, command.list_commands(error.ctx)) if isinstance(command, click.Group) and error.ctx else None
    kind = error.param.type if isinstance(error, click.BadParameter) and error.param else None
    return meant(word, [str(each) for each in kind.choices]) if isinstance(kind, click.Choice) else None


def recording(name: str) -> Path | Traversable:
    """The folder `name`, or the scenario of that name that ships with the program; raises UsageError with a guess."""
    from .. import api  # noqa: PLC0415 - mistakes are told without it

    if Path(name).exists():
        return Path(name)
    if name in api.SCENARIOS:
        return api.scenario(name)
    if "/" not in name and (question := meant(name, api.SCENARIOS)):
        raise UsageError(msg("there is no recording {name}", name=name), question)
    return Path(name)
