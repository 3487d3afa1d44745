"""The HTML report: the Markdown report's content as one page that asks nothing of the network and runs nothing."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser

import pytest
import sessions

import playbook
from playbook.output.html import html_text


class Page(HTMLParser):
    """What a browser would make of a page: its tags with their attributes, and whether each was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, tag


def page(text: str) -> Page:
    read = Page()
    read.feed(text)
    assert read.open == []
    return read


@pytest.mark.parametrize("make", sessions.ALL)
def test_a_page_is_well_formed_and_asks_nothing_of_the_network(make) -> None:
    text = html_text(make(), {})
    read = page(text)
    assert {"script", "link", "img", "iframe", "object", "form", "base"} & {tag for tag, _ in read.tags} == set()
    assert all(not name.startswith("on") and name != "src" for _, attributes in read.tags for name in attributes)
    assert all(href.startswith("#") for _, a in read.tags if (href := a.get("href") or "#"))
    assert "@import" not in text and "url(" not in text


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_it_has_the_content_of_the_markdown_report(lang: str) -> None:
    session = playbook.replay(playbook.scenario("secret-missing"))
    text, markdown = playbook.render(session, "html", lang=lang), playbook.render(session, lang=lang)
    assert f'<html lang="{lang}">' in text
    headings = re.findall(r"^#{1,3} (.+)$", markdown, re.M)
    shown = re.findall(r"<h[123]>(.+?)</h[123]>", text)
    assert len(headings) == len(shown) > 15
    assert text.count("<details>") == markdown.count("<details>")
    assert '<li class="fail">' in text and "mermaid" not in text
    live = html_text(sessions.aborted(), {})
    assert 'id="sign-off"' in live and 'href="#sign-off"' in live
    assert "#sign-off" not in text  # a replay is not to be signed


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "markdown_it", None)
    with pytest.raises(playbook.PlaybookError, match="markdown-it-py"):
        playbook.render(playbook.replay(playbook.scenario("healthy")), "html")
