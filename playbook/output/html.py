"""The report as one HTML file: the Markdown report, made by the same templates, as a page that needs no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ..errors import UsageError
from ..model import NAMESPACE, Command, Session
from ..text import language, msg
from . import views
from .columns import one_line
from .labels import TITLES, overall_sentence
from .markdown import markdown_text, template


def html_text(session: Session, commands: Mapping[str, Command], *, pack_digest: str = "") -> str:
    """`session` as a page; `commands` and `pack_digest` as for `markdown_text`.

    Raises UsageError where the library is missing that reads Markdown: only this form needs it.
    """
    try:
        from markdown_it import MarkdownIt  # noqa: PLC0415 - no other form needs it
    except ModuleNotFoundError as error:
        raise UsageError(
            msg("the HTML report needs the library {library}", library="markdown-it-py"),
            msg("install it: {command}", command="python3 -m pip install markdown-it-py"),
        ) from error
    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    flow = _flow(session)

    def fence(renderer: Any, tokens: Sequence[Any], index: int, options: Any, env: Any) -> str:
        return (
            flow
            if tokens[index].info == "mermaid"
            else str(type(renderer).fence(renderer, tokens, index, options, env))
        )

    reader.add_render_rule("fence", fence)
    namespace = session.cluster.namespace if session.cluster else NAMESPACE
    return template("report.html.j2").render(
        lang=language(),
        title=f"{namespace}: {overall_sentence(session)}",
        footer=one_line(f"{namespace} · {session.id}"),
        body=reader.render(markdown_text(session, commands, pack_digest=pack_digest)),
    )


def _flow(session: Session) -> str:
    """The steps in their order; a page without a network cannot draw the chart of the Markdown report."""
    items = [f'<li class="{kind}">{escape(label)}</li>' for _, label, kind, _ in views.flow(session, TITLES)]
    return f'<ol class="flow">{"".join(items)}</ol>\n'
