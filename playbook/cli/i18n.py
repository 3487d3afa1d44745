"""click's help in the program's language: texts are translated when they are shown, not when a module is imported."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..text import LANGUAGES, language, msg, translate, use_language

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_Function = TypeVar("_Function", bound=Callable[..., Any])


Function = TypeVar("Function", bound=Callable[..., Any])


_SECOND_HALF = "\ue000"
"""Stands behind each wide character while click breaks lines: click counts characters, a terminal columns."""


class HelpfulOption(click.Option):
    """An option whose help is translated when it is shown."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """As click does, in the language in use."""
        english = self.help
        self.help = translate(english) if english else english
        try:
            record = super().get_help_record(ctx)
        finally:
            self.help = english
        if record is None or language() == LANGUAGES[0]:
            return record
        return record[0], record[1].replace("[required]", f"[{translate('required')}]").replace(
            "[default: ", f"[{translate('default')}: "
        )


class Helpful(click.Command):
    """A verb whose help is translated when it is shown."""

    def get_help(self, ctx: click.Context) -> str:
        """The whole page."""
        return super().get_help(ctx).replace(_SECOND_HALF, "")

    def get_usage(self, ctx: click.Context) -> str:
        """The line that shows how to write it."""
        return super().get_usage(ctx).replace(_SECOND_HALF, "")

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does, in the language in use."""
        prefix = _widened(f"{translate('Usage:')} ")
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), prefix)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does, in the language in use."""
        records = [record for param in self.get_params(ctx) if (record := param.get_help_record(ctx)) and record[1]]
        with formatter.section(translate("Options")):
            # --help and --version are click's own options: they are not translated yet.
            formatter.write_dl([(names, _widened(translate(said))) for names, said in records])

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

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Hears --lang wherever it stands, so that a `--help` or a mistake before it is told in that language too."""
        asked = [arg.removeprefix("--lang=") for arg in args if arg.startswith("--lang=")]
        asked += [value for name, value in pairwise(args) if name == "--lang"]
        if asked and asked[-1] in LANGUAGES:
            use_language(asked[-1])
        return super().parse_args(ctx, args)

    def line_of(self, verb: str) -> str:
        """What the list says of a verb."""
        raise NotImplementedError

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs, one line each."""
        with formatter.section(translate("Commands")):
            formatter.write_dl([(verb, _widened(translate(self.line_of(verb)))) for verb in self.list_commands(ctx)])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options, then the verbs."""
        Helpful.format_options(self, ctx, formatter)
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
    return "\n\n".join(_widened(translate(paragraph)) for paragraph in paragraphs(text))


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a help page as the catalogs know them: without line breaks, but for those that keep theirs."""
    whole = inspect.cleandoc(text).split("\n\n")
    return [each if each.startswith("\b") else " ".join(each.split()) for each in whole]


def _widened(text: str) -> str:
    """`text`, counted by its columns where click counts characters."""
    if text.isascii():
        return text
    from ..output.columns import width

    return "".join(char + _SECOND_HALF if width(char) == 2 else char for char in text)


def wrong_usage(error: click.ClickException) -> None:
    """Tell a mistake on the command line: in English as click does, else what can be said without click's words."""
    if language() == LANGUAGES[0] or not isinstance(error, click.UsageError):
        error.show()
        return
    if error.ctx is not None:
        click.echo(error.ctx.get_usage(), err=True)
        click.echo(str(msg("Try `{command} --help`.", command=error.ctx.command_path)) + "\n", err=True)
    click.echo(str(msg("Error: {message}", message=_mistake(error))), err=True)


def _mistake(error: click.UsageError) -> str:
    said = error.format_message()
    context = error.ctx or click.get_current_context(silent=True)
    match error:
        case click.NoSuchOption():
            return str(msg("there is no option {name}", name=error.option_name))
        case click.MissingParameter(param=click.Parameter() as missing) if context:
            return str(msg("{name} is missing", name=missing.get_error_hint(context)))
        case click.BadParameter(param=click.Parameter() as wrong) if context:
            hint = wrong.get_error_hint(context)
            return str(msg("{name} cannot be that: {reason}", name=hint, reason=error.message))
    if found := re.match(r"No such command '([^']*)'", said):
        return str(msg("there is no verb {name}", name=found[1]))
    return said


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

    def chosen(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
        if value:
            use_language(value)

    return option(
        "--lang",
        type=click.Choice(LANGUAGES),
        callback=chosen,
        expose_value=False,
        is_eager=True,
        help="Language of the output.",
    )(function)


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
