"""click's help in the program's language: texts are translated when they are shown, not when a module is imported."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..text import translate

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_Function = TypeVar("_Function", bound=Callable[..., Any])


Function = TypeVar("Function", bound=Callable[..., Any])


class HelpfulOption(click.Option):
    """An option whose help is translated when it is shown."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """As click does, in the language in use."""
        english = self.help
        self.help = translate(english) if english else english
        try:
            return super().get_help_record(ctx)
        finally:
            self.help = english


class Helpful(click.Command):
    """A verb whose help is translated when it is shown."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The description, in the language in use."""
        english = self.help
        self.help = _spoken(english)
        try:
            super().format_help_text(ctx, formatter)
        finally:
            self.help = english

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, in the language in use."""
        english = self.epilog
        self.epilog = _spoken(english)
        try:
            super().format_epilog(ctx, formatter)
        finally:
            self.epilog = english


class HelpfulGroup(Helpful, click.Group):
    """A group whose list of verbs costs no import."""

    def line_of(self, verb: str) -> str:
        """What the list says of a verb."""
        raise NotImplementedError

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs, one line each."""
        with formatter.section(translate("Commands")):
            formatter.write_dl([(verb, translate(self.line_of(verb))) for verb in self.list_commands(ctx)])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options, then the verbs."""
        click.Command.format_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The verbs that begin so, and the options; costs no import either."""
        from click.shell_completion import CompletionItem

        verbs = [
            CompletionItem(verb, help=translate(self.line_of(verb)))
            for verb in self.list_commands(ctx)
            if verb.startswith(incomplete)
        ]
        return [*verbs, *click.Command.shell_complete(self, ctx, incomplete)]


def _spoken(text: str | None) -> str | None:
    """Paragraph by paragraph, so that a catalog need not hold a whole page as one entry."""
    if not text:
        return text
    return "\n\n".join(translate(paragraph) for paragraph in inspect.cleandoc(text).split("\n\n"))


def option(*names: str, **settings: Any) -> Callable[[_Function], _Function]:
    """`click.option` with translated help."""
    return click.option(*names, cls=HelpfulOption, **settings)


def verb(name: str, epilog: str = "") -> Callable[[Callable[..., Any]], click.Command]:
    """`click.command` with translated help."""
    return click.command(name, cls=Helpful, epilog=inspect.cleandoc(epilog) if epilog else None)


def state_option(function: _Function) -> _Function:
    """`--state-dir` after the verb as well as before it."""

    def chosen(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        return value or ctx.find_root().obj

    return option("--state-dir", metavar="DIR", callback=chosen, help="Where sessions are kept.")(function)


def lang_option(function: _Function) -> _Function:
    """`--lang` after the verb as well as before it."""
    from ..text import LANGUAGES, use_language

    def chosen(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
        if value:
            use_language(value)

    return option("--lang", type=click.Choice(LANGUAGES), callback=chosen, expose_value=False, is_eager=True,
                  help="Language of the output.")(function)  # fmt: skip


def output_option(function: _Function) -> _Function:
    """`--output`: for people, or for machines."""
    return option(
        "--output",
        "form",
        type=click.Choice(["text", "json", "junit"]),
        default="text",
        show_default=True,
        help="text for people; json or junit for machines, alone on standard output.",
    )(function)
