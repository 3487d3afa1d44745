"""What makes a verb, and the options that several verbs have; all help is in the program's language."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import click

from ..text import LANGUAGES, use_language
from .i18n import Helpful, HelpfulOption

_Function = TypeVar("_Function", bound=Callable[..., Any])


def verb(name: str, epilog: str = "") -> Callable[[Callable[..., Any]], click.Command]:
    """`click.command` with translated help."""
    return click.command(name, cls=Helpful, epilog=inspect.cleandoc(epilog) if epilog else None)


def option(*names: str, **settings: Any) -> Callable[[_Function], _Function]:
    """`click.option` with translated help."""
    return click.option(*names, cls=HelpfulOption, **settings)


def _speak(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value:
        use_language(value)


def language_option(**settings: Any) -> Callable[[_Function], _Function]:
    """`--lang`, which is obeyed before all other options."""
    choice = click.Choice(LANGUAGES)
    return option("--lang", type=choice, callback=_speak, expose_value=False, is_eager=True, **settings)


lang_option = language_option(help="Language of the output.")
state_option = option(
    "--state-dir",
    metavar="DIR",
    callback=lambda ctx, _, value: value or ctx.find_root().obj,
    help="Where sessions are kept.",
)
"""`--state-dir` after the verb as well as before it."""

output_option = option(
    "--output",
    "form",
    type=click.Choice(["text", "json", "junit"]),
    default="text",
    show_default=True,
    help="text for people; json or junit for machines, alone on standard output.",
)

verbose_option = option("-v", "--verbose", is_flag=True, help="Show every finding with what was expected and seen.")
quiet_option = option("-q", "--quiet", is_flag=True, help="Print the verdict and nothing else: for a cron job.")
dry_run_option = option("--dry-run", is_flag=True, help="Print the commands as they would be run; run none.")
session_option = option("--session", metavar="ID", help="Another session than the current one.")
restart_option = option(
    "--allow-restart", is_flag=True, help="Let Step 8 delete the pods, after its own checks; else asked for."
)
jobs_option = option(
    "--jobs", type=click.IntRange(1, 16), metavar="N", help="Commands at a time, 1 to 16. [default: the cores]"
)
