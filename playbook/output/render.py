"""A session as text, in one of the forms that the program has."""

from __future__ import annotations

from typing import Literal

from ..errors import UsageError
from ..guide.catalog import load
from ..guide.own_commands import OWN_COMMANDS
from ..model import Command, Session
from ..text import LANGUAGES, language, msg, speaking

Format = Literal["markdown", "json", "junit"]


def render(session: Session, form: Format = "markdown", *, lang: str | None = None, pack_digest: str = "") -> str:
    """The report of a session as text, in one of the program's languages. Raises UsageError for another form or language.

    `pack_digest` is printed in the sign-off block of the Markdown report.
    """
    if (lang or language()) not in LANGUAGES:
        raise UsageError(msg("there is no language {lang}", lang=str(lang)))
    with speaking(lang or language()):
        match form:
            case "markdown":
                from .markdown import markdown_text  # jinja2 is slow to import

                return markdown_text(session, commands_of(session), pack_digest=pack_digest)
            case "json":
                from .json import json_text

                return json_text(session)
            case "junit":
                from .junit import junit_text

                return junit_text(session)
    raise UsageError(msg("there is no output form {form}", form=str(form)))


def commands_of(session: Session) -> dict[str, Command]:
    """Every command that the session ran, by its key, with its text."""
    catalog = load()
    keys = {run.command for result in (*session.results, *session.history) for run in result.runs}
    keys |= {run.command for run in session.diagnosis}
    found = {key: command for key, command in OWN_COMMANDS.items() if key in keys}
    for key in sorted(keys - set(found)):
        name, _, target = key.partition(".")
        try:
            found[key] = catalog.fill(name, target) if target else catalog.command(name)
        except UsageError:
            continue  # not one of the guide's: the report says so by its id
    return found
