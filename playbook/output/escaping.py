"""Text of any origin as Markdown: escaped, as code, behind a fence, in a table, cut where it is too long to read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..model import Remedy
from ..text import msg
from .columns import clean, one_line, pad, width

HEAD_LINES, TAIL_LINES, HEAD_BYTES, TAIL_BYTES, LINE_CHARACTERS = 150, 50, 14_000, 6_000, 2_000
"""How much of one output a report shows; the recording has all of it."""
_ALIGNED = 28
"""Columns are padded up to this width, so that long texts do not stretch every row."""


def text(value: object, limit: int = 0) -> str:
    r"""Words on one line that Markdown and HTML show as they are.

    >>> print(text("<none> *a* | b_c & _d_ [x](y)"))
    &lt;none> \*a\* | b_c & \_d\_ [x]\(y)
    """
    words = one_line(value, limit)
    words = re.sub(r"\\(?=[!-/:-@\[-`{-~])", r"\\\\", words)
    words = re.sub(r"&(?=#?\w+;)", "&amp;", words)
    words = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", words)
    words = re.sub(r"[*`]|~(?!/)|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", words)
    return words.replace("](", "]\\(")


def code(value: object, *, cell: bool = False) -> str:
    r"""One line as inline code, also inside a table.

    >>> print(code("a `b` c"), code("x | y", cell=True))
    `` a `b` c `` <code>x &#124; y</code>
    """
    words = one_line(value)
    if cell and "|" in words:  # a table splits at a bar even inside backticks
        return "<code>" + text(words).replace("|", "&#124;") + "</code>"
    if "`" not in words:
        return f"`{words}`" if words else ""
    ticks = "`" * (1 + _longest_ticks(words))
    return f"{ticks} {words} {ticks}"


def fenced(value: str, language: str = "text", indent: int = 0) -> str:
    """A block of text as it is, behind a fence longer than any inside it."""
    words = clean(value).rstrip("\n")
    fence = "`" * max(3, 1 + _longest_ticks(words))
    return f"{fence}{language}\n{words}\n{fence}".replace("\n", "\n" + " " * indent)


def _longest_ticks(words: str) -> int:
    return max(map(len, re.findall("`+", words)), default=0)


def markdown_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table that lines up raw as well; cells are Markdown already, bars and line ends in them are escaped here."""
    cells = [[re.sub(r"\s*\n\s*", " ", cell).replace("|", "\\|") for cell in row] for row in (headers, *rows)]
    widths = [max(3, min(_ALIGNED, max(map(width, column)))) for column in zip(*cells, strict=True)]
    lines = ["| " + " | ".join(map(pad, row, widths)) + " |" for row in cells]
    return "\n".join([lines[0], "|" + "|".join("-" * (n + 2) for n in widths) + "|", *lines[1:]])


def remedy(value: Remedy, *, cell: bool = False) -> str:
    """What to do, on one line: advice, then the command to type."""
    parts = [f"**{msg('changes the cluster')}**"] if value.changes else []
    parts += [text(value.advice)] if value.advice else []
    return ": ".join([*parts, code(value.command, cell=cell)] if value.command else parts)


def excerpt(value: str) -> str:
    """Output cleaned, and cut in the middle where it is too long to read; the cut says how much it took."""
    whole = clean(value)
    lines = whole.rstrip("\n").split("\n")
    size = len(whole.encode())
    if len(lines) <= HEAD_LINES + TAIL_LINES and size <= HEAD_BYTES + TAIL_BYTES:
        return whole
    short = [line if len(line) <= LINE_CHARACTERS else line[:LINE_CHARACTERS] + " …" for line in lines]
    head = _within(short, HEAD_LINES, HEAD_BYTES)
    tail = _within(short[len(head) :][::-1], TAIL_LINES, TAIL_BYTES)[::-1]
    kept = len("\n".join(head + tail).encode())
    note = msg(
        "[... cut here: {lines} lines, {kilobytes} kB; the recording has all of it ...]",
        lines=len(lines) - len(head) - len(tail),
        kilobytes=f"{(size - kept) / 1000:.1f}",
    )
    return "\n".join([*head, str(note), *tail])


def _within(lines: Sequence[str], most: int, size: int) -> list[str]:
    taken: list[str] = []
    for line in lines[:most]:
        size -= len(line.encode()) + 1
        if size < 0:
            break
        taken.append(line)
    return taken
