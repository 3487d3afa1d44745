"""click's help in the program's language: texts are translated when they are shown, not when a module is imported."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from itertools import pairwise
from typing import TYPE_CHECKING

import click

from ..text import LANGUAGES, Message, language, msg, translate, use_language
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
        words = {"OPTIONS": translate("OPTIONS"), "COMMAND": translate("COMMAND"), "ARGS": translate("ARGS")}
        pieces = re.sub("OPTIONS|COMMAND|ARGS", lambda found: words[found[0]], " ".join(self.collect_usage_pieces(ctx)))
        formatter.write_usage(ctx.command_path, _widened(pieces), prefix)

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
    """Tell a mistake on the command line: in English as click does, else in the words of the catalog; and what was meant."""
    if language() == LANGUAGES[0] or not isinstance(error, click.UsageError):
        whole = StringIO()
        error.show(whole)
        notify(*(line for text in whole.getvalue().rstrip("\n").split("\n") for line in _at_words(text)))
    else:
        if error.ctx is not None:
            notify(error.ctx.get_usage(), f"{msg('Try `{command} --help`.', command=error.ctx.command_path)}\n")
        notify(*_at_words(str(msg("Error: {message}", message=_mistake(error)))))
    _guess(error)


def _at_words(text: str) -> list[str]:
    """`text` in lines that fit a terminal; a line that click has laid out stays as it is."""
    from ..output.columns import COLUMNS, wrapped  # noqa: PLC0415 - only after a mistake

    return [text] if not text or text.startswith(" ") else wrapped(text, COLUMNS, "  ")


def _guess(error: click.ClickException) -> None:
    from .guesses import of_mistake  # noqa: PLC0415 - only after a mistake

    if isinstance(error, click.UsageError) and (question := of_mistake(error)):
        notify(question)


def _mistake(error: click.UsageError) -> str:
    english = error.format_message()
    context = error.ctx or click.get_current_context(silent=True)
    match error:
        case click.NoSuchOption():
            unknown = msg("there is no option {name}", name=error.option_name)
            near = ", ".join(error.possibilities or ())
            return f"{unknown}. {msg('did you mean {name}?', name=near)}" if near else str(unknown)
        case click.MissingParameter(param=click.Parameter() as missing) if context:
            return str(msg("{name} is missing", name=missing.get_error_hint(context).replace("'", "")))
        case click.BadParameter(param=click.Parameter() as wrong) if context:
            hint = wrong.get_error_hint(context)
            return str(msg("{name} cannot be that: {reason}", name=hint, reason=_in_our_words(error.message)))
    return _in_our_words(english)


def _in_our_words(english: str) -> str:
    """What click says in English, in the language in use; as it is where click says something that is not known."""
    for pattern, said in _CLICKS_WORDS:
        found = re.match(pattern, english)
        if found:
            return str(said(*found.groups()))
    return english


_CLICKS_WORDS: tuple[tuple[str, Callable[..., Message]], ...] = (
    (r"Missing command", lambda: msg("the verb is missing")),
    (r"No such command '([^']*)'", lambda name: msg("there is no verb {name}", name=name)),
    (r"Got unexpected extra arguments? \((.*)\)", lambda more: msg("too many words: {more}", more=more)),
    (r"Option '?([^' ]+)'? requires an argument", lambda name: msg("{name} needs a value", name=name)),
    (r"Option '?([^' ]+)'? requires \d+ arguments", lambda name: msg("{name} needs more values", name=name)),
    (r"Option '?([^' ]+)'? does not take a value", lambda name: msg("{name} takes no value", name=name)),
    (r"('.*') is not a valid integer", lambda value: msg("{value} is not a whole number", value=value)),
    (
        r"(\S+) is not in the range (.*?)\.?$",
        lambda value, within: msg("{value} is not in {range}", value=value, range=within),
    ),
    (
        r"('.*?') is not (?:one of )?('.*?')\.?$",
        lambda value, choices: msg("{value} is none of {choices}", value=value, choices=choices),
    ),
    (r"\w+ ('.*') does not exist", lambda name: msg("{name} does not exist", name=name)),
    (r"\w+ ('.*') is a file", lambda name: msg("{name} is a file, not a folder", name=name)),
    (r"\w+ ('.*') is a directory", lambda name: msg("{name} is a folder, not a file", name=name)),
    (r"\w+ ('.*') is not readable", lambda name: msg("{name} cannot be read", name=name)),
)
"""What click says of a command line, as a pattern, and the same in words that the catalogs translate."""
