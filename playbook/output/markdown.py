"""The report that a second person signs: a session as Markdown, by the templates in `templates/`.

It reads well raw and on a Git host. The same session gives the same bytes: nothing here asks for the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ..guide import deviations
from ..model import Command, Finding, Overall, Session
from ..resources import folder
from ..session.recording import stream_name
from ..text import Message, translate
from . import views
from .escaping import code, excerpt, fenced, markdown_table, remedy, text
from .head import head_rows, more_rows
from .labels import TITLES, duration, ended, moment, outage_sentence, overall_sentence, where
from .stability import ledger_rows, plot, samples_of

if TYPE_CHECKING:
    import jinja2

_SYMBOLS = {
    Overall.COMPLETE: "✅",
    Overall.PENDING: "⏳",
    Overall.INCOMPLETE: "❔",
    Overall.FAILED: "❌",
    Overall.ABORTED: "❌",
}


def markdown_text(
    session: Session, commands: Mapping[str, Command], *, pack_digest: str = "", titles: Mapping[str, Message] = TITLES
) -> str:
    """`session` as Markdown.

    `commands` gives the exact text of what was run, by `Command.key` (or by id, for a filled command); `pack_digest`
    is printed in the sign-off block. A run whose command is not in `commands` is shown without its text.
    """
    samples, unread = samples_of(session)
    return template("report.md.j2").render(
        session=session,
        commands=commands,
        sentence=overall_sentence(session),
        outage=outage_sentence(session),
        symbol=_SYMBOLS[session.overall],
        flow=tuple(views.flow(session, titles)),
        steps_rows=views.steps_rows(session, titles),
        states=views.criteria_rows(session),
        ledger_rows=ledger_rows(samples),
        plot=plot(samples),
        unread=unread,
        waived=views.waiver_rows(session),
        history=views.history_rows(session),
        steps=tuple(views.step_view(session, result, titles[result.step], commands) for result in session.results),
        head=head_rows(session),
        more=more_rows(session),
        masked_rows=views.masked_rows(session),
        withheld_rows=views.withheld_rows(session),
        deviations=deviations.deviations_met(session),
        pack_digest=pack_digest,
    )


def finding_text(finding: Finding) -> str:
    """One finding as Markdown: verdict, expected, actual, evidence and remedy."""
    return template("finding.md.j2").render(finding=finding, session=None)


def template(name: str) -> jinja2.Template:
    """A template of `templates/`, with the filters of the report."""
    return _environment().get_template(name)


def warm_up() -> None:
    """Import and compile what `render` needs: to be done while the commands are waited for."""
    for file in folder("templates").iterdir():
        if file.name.endswith(".md.j2"):
            template(file.name)


@cache
def _environment() -> jinja2.Environment:
    import jinja2  # noqa: PLC0415 - 16 ms, imported while commands are waited for

    from .compiled import compiled  # noqa: PLC0415 - imports Jinja

    templates = folder("templates")

    def load(name: str) -> str | None:
        file = templates / name
        return file.read_text(encoding="utf-8") if file.is_file() else None

    options: dict[str, Any] = {
        "undefined": jinja2.StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
        "keep_trailing_newline": True,
        "optimized": False,  # what is compiled once is rendered in every language: nothing is worked out beforehand
        "autoescape": False,  # Markdown, not HTML: `text`, `code`, `fenced` and `table` escape
    }
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(load), bytecode_cache=compiled(templates, options), **options
    )
    # The tables of templates and the words in them are literals, so that the tool that collects messages finds them.
    environment.globals.update(_=translate, table=markdown_table, fenced=fenced, where=where, stream_name=stream_name)
    filters: dict[str, Callable[..., str]] = {
        "text": text,
        "code": code,
        "excerpt": excerpt,
        "ended": ended,
        "moment": moment,
        "duration": duration,
        "mark": views.mark,
        "remedy": remedy,
    }
    environment.filters.update(filters)
    return environment
