"""click's help in the program's language: texts are translated when they are shown, not when a module is imported."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from itertools import pairwise
from typing import TYPE_CHECKING

import click

from ..text import LANGUAGES, language, msg, translate, use_language
from .streams import notify

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_SECOND_HALF = "\ue000"
"""Stands behind each wide character while click breaks lines: click counts characters, a terminal columns."""


@contextmanager
def _changed(thing: click.Command | click.Option, name: str, shown: str | None) -> Iterator[None]:
    """An attribute of click's, in the language in use inside the block."""
    english = getattr(thing, name)
    setattr(thing, name, shown)
    try:
        yield
    finally:
        setattr(thing, name, english)


class HelpfulOption(click.Option):
    """An option whose help is translated when it is shown."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """As click does, in the language in use."""
        with _changed(self, "help", self.help and translate(self.help)):
            record = super().get_help_record(ctx)
        if record is None or language() == LANGUAGES[0]:
            return record
        about = record[1].replace("[required]", f"[{translate('required')}]")
        return record[0], about.replace("[default: ", f"[{translate('default')}: ")


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
            formatter.write_dl([(names, _widened(translate(about))) for names, about in records])

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The description, in the language in use."""
        with _changed(self, "help", _translated(self.help)):
            super().format_help_text(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, in the language in use."""
        with _changed(self, "epilog", _translated(self.epilog)):
            super().format_epilog(ctx, formatter)


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

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options, then the verbs, one line each."""
        Helpful.format_options(self, ctx, formatter)
        with formatter.section(translate("Commands")):
            formatter.write_dl([(verb, _widened(translate(self.line_of(verb)))) for verb in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The verbs that begin so, and the options; costs no import either."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only where a shell asks

        verbs = [verb for verb in self.list_commands(ctx) if verb.startswith(incomplete)]
        items = [CompletionItem(verb, help=translate(self.line_of(verb))) for verb in verbs]
        return [*items, *click.Command.shell_complete(self, ctx, incomplete)]


def _translated(text: str | None) -> str | None:
    """Paragraph by paragraph, so that a catalog need not hold a whole page as one entry."""
    return text and "\n\n".join(_widened(translate(paragraph)) for paragraph in paragraphs(text))


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a help page as the catalogs know them: without line breaks, but for those that keep theirs."""
    whole = inspect.cleandoc(text).split("\n\n")
    return [each if each.startswith("\b") else " ".join(each.split()) for each in whole]


def _widened(text: str) -> str:
    """`text`, counted by its columns where click counts characters."""
    if text.isascii():
        return text
    from ..output.columns import width  # noqa: PLC0415 - 1.4 ms of `--help` that English does without

    return "".join(char + _SECOND_HALF if width(char) == 2 else char for char in text)


def show_mistake(error: click.ClickException) -> None:
    """Tell a mistake on the command line: in English as click does, else what can be said without click's words."""
    if language() == LANGUAGES[0] or not isinstance(error, click.UsageError):
        whole = StringIO()
        error.show(whole)
        notify(whole.getvalue().rstrip("\n"))
        return
    if error.ctx is not None:
        notify(error.ctx.get_usage(), f"{msg('Try `{command} --help`.', command=error.ctx.command_path)}\n")
    notify(msg("Error: {message}", message=_mistake(error)))


def _mistake(error: click.UsageError) -> str:
    english = error.format_message()
    context = error.ctx or click.get_current_context(silent=True)
    match error:
        case click.NoSuchOption():
            return str(msg("there is no option {name}", name=error.option_name))
        case click.MissingParameter(param=click.Parameter() as missing) if context:
            return str(msg("{name} is missing", name=missing.get_error_hint(context)))
        case click.BadParameter(param=click.Parameter() as wrong) if context:
            hint = wrong.get_error_hint(context)
            return str(msg("{name} cannot be that: {reason}", name=hint, reason=error.message))
    found = re.match(r"No such command '([^']*)'", english)
    return str(msg("there is no verb {name}", name=found[1])) if found else english
