"""A mistake on the command line is told in the language in use, and the verb that was meant is named."""

from __future__ import annotations

import re

import click
import pytest

from playbook.cli import root
from playbook.cli.i18n import show_mistake
from playbook.text import use_language


def told(capsys: pytest.CaptureFixture[str], lang: str, *words: str) -> str:
    """What standard error says of a wrong command line."""
    use_language(lang)
    try:
        with pytest.raises(click.UsageError) as mistake:
            root.main(["--lang", lang, *words], prog_name="playbook", standalone_mode=False)
        show_mistake(mistake.value)
    finally:
        use_language("en")
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "meant"), [("al", "all"), ("repot", "report"), ("Staus", "status"), ("wach", "watch")]
)
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_verb_that_was_meant_is_named(
    capsys: pytest.CaptureFixture[str], lang: str, typed: str, meant: str
) -> None:
    assert re.search(rf"\b{meant}\b", told(capsys, lang, typed).splitlines()[-1])


def test_nothing_is_guessed_where_nothing_is_alike(capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean" not in told(capsys, "en", "zzzzzz")


@pytest.mark.parametrize(
    "words",
    [
        ["al"],
        ["step", "3", "4"],
        ["step", "3", "--jobs", "x"],
        ["step", "3", "--jobs", "99"],
        ["fix", "x"],
        ["all", "--output", "x"],
        ["all", "--until"],
        ["all", "--fresh=1"],
        ["audit", "/"],
    ],
)
def test_no_english_sentence_stands_in_a_korean_mistake(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    last = told(capsys, "ko", *words).splitlines()
    error = next(line for line in last if line.startswith("오류"))
    assert not re.search(r"\b(is|not|valid|one of|unexpected|argument|requires|take|such|missing|range)\b", error, re.I)


def test_a_missing_verb_is_told_in_korean(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Missing" not in told(capsys, "ko")
