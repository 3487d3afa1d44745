"""A session as text, in one of the forms that the program has."""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from typing import Literal

from ..errors import UsageError
from ..guide.catalog import load
from ..guide.own_commands import OWN_COMMANDS
from ..model import Command, Finding, Session
from ..text import LANGUAGES, language, msg, speaking
from .json import json_text
from .markdown import finding_text, markdown_text

Format = Literal["markdown", "html", "json", "junit"]


def render(session: Session, form: Format = "markdown", *, lang: str | None = None, pack_digest: str = "") -> str:
    """The report of a session as text, in one of the program's languages. Raises UsageError for another form or language.

    `pack_digest` is printed in the sign-off block of the Markdown report.
    """
    with _speaking(lang):
        match form:
            case "markdown":
                return markdown_text(session, commands_of(session), pack_digest=pack_digest)
            case "html":
                from .html import html_text  # noqa: PLC0415 - a library that no other form needs

                return html_text(session, commands_of(session), pack_digest=pack_digest)
            case "json":
                return json_text(session)
            case "junit":
                from .junit import junit_text  # noqa: PLC0415 - 9 ms that no other form needs: XML, and what it allows

                return junit_text(session)
    raise UsageError(msg("there is no output form {form}", form=str(form)))


def render_finding(finding: Finding, *, lang: str | None = None) -> str:
    """One finding as Markdown, in one of the program's languages. Raises UsageError for another language."""
    with _speaking(lang):
        return finding_text(finding)


def _speaking(lang: str | None) -> AbstractContextManager[None]:
    if (lang or language()) not in LANGUAGES:
        raise UsageError(msg("there is no language {lang}", lang=str(lang)))
    return speaking(lang or language())


def commands_of(session: Session) -> dict[str, Command]:
    """Every command that the session ran, by its key, with its text; not those that are none of the guide's nor our own."""
    catalog = load()
    runs = [run for result in (*session.results, *session.history) for run in result.runs]
    keys = {run.command for run in (*runs, *session.diagnosis)}
    found = {key: command for key, command in OWN_COMMANDS.items() if key in keys}
    for key in sorted(keys - set(found)):
        name, _, target = key.partition(".")
        with suppress(UsageError):
            found[key] = catalog.fill(name, target) if target else catalog.command(name)
    return found
