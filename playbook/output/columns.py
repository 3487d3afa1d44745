"""Text for columns: cleaned of what a terminal would obey, measured in terminal columns, padded, put into tables."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

COLUMNS = 80
"""How wide a terminal is taken to be: text is broken at words there. Commands stay whole, so that they can be copied."""

# A sequence without its end is not taken out: that would hide the text behind it.
_ESCAPES = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]")
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ue000\ufeff\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
"""Characters that a terminal obeys, does not show, or by which it turns text round; line ends and tabs aside."""
_STAND_IN = "\ue000"  # one column wide, and `clean` lets none of it through


def clean(text: str) -> str:
    r"""`text` without terminal escapes; other characters that cannot be seen (or that turn text round) become visible.

    >>> clean("\x1b[31mNotReady\x1b[0m\x00\r\n")
    'NotReady␀\n'
    """
    return UNSEEN.sub(_visible, _ESCAPES.sub("", text.replace("\r\n", "\n")))


def _visible(found: re.Match[str]) -> str:
    number = ord(found[0])
    if number < 0x20:
        return chr(0x2400 + number)
    return "\u2421" if number == 0x7F else f"\\u{number:04x}"


def one_line(text: object, limit: int = 0) -> str:
    """`text` cleaned and on one line; at most `limit` characters when one is given."""
    words = " ".join(clean(str(text)).split())
    return words if not limit or len(words) <= limit else words[: limit - 1] + "…"


def width(text: str) -> int:
    """How many columns of a terminal `text` takes; colour codes take none, East Asian wide characters two.

    >>> width("Pod 상태"), width("\x1b[32mpass\x1b[0m"), width("⚠️")
    (8, 4, 2)
    """
    if text.isascii() and text.isprintable():
        return len(text)
    columns = last = 0
    for char in _ESCAPES.sub("", text):
        if char == "\ufe0f":  # asks for the emoji form of the character before it
            columns, last = columns + (last == 1), 2
        elif unicodedata.category(char) in ("Mn", "Me", "Cf") or "\u1160" <= char <= "\u11ff":
            continue
        else:
            last = 2 if unicodedata.east_asian_width(char) in "WF" else 1
            columns += last
    return columns


def shortened(text: str, columns: int) -> str:
    """`text` cut so that it takes at most `columns` columns.

    >>> shortened("Pod 상태", 6)
    'Pod …'
    """
    if width(text) <= columns:
        return text
    kept = text
    while kept and width(kept) >= columns:
        kept = kept[:-1]
    return kept + "…"


def wrapped(text: str, columns: int, indent: str = "") -> list[str]:
    """`text` in lines of at most `columns` columns, broken at spaces; later lines begin with `indent`.

    What fits stays as it is. A word that is longer than a line, as a path can be, stays whole.

    >>> wrapped("Pod 상태 확인", 9, "  ")
    ['Pod 상태', '  확인']
    """
    if width(text) <= columns:
        return [text]
    lines: list[str] = []
    line = ""
    lead = text[: len(text) - len(text.lstrip(" "))]
    for word in re.split(r"[ \t\n]", text.strip()):  # two spaces between columns stay two, a no-break space holds
        longer = f"{line} {word}" if line.strip() else f"{lead if not lines else indent}{word}"
        if line.strip() and width(longer) > columns:
            lines.append(line.rstrip())
            longer = f"{indent}{word}"
        line = longer
    return [*lines, line]


def at_words(text: object, indent: str = "  ") -> str:
    """`text` broken at words where a terminal ends; the lines after the first begin with `indent`."""
    return "\n".join(wrapped(str(text), COLUMNS, indent))


def pad(text: str, columns: int) -> str:
    """`text` with spaces up to `columns` terminal columns; longer text stays whole."""
    return text + " " * max(0, columns - width(text))


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], style: str = "simple") -> str:
    """A table by tabulate whose columns line up also with wide characters and with colour."""
    from tabulate import tabulate  # noqa: PLC0415 - 18 ms that only tables are worth

    cells = [list(headers), *(list(row) for row in rows)]
    drawn = tabulate(
        [[_STAND_IN * width(cell) for cell in row] for row in cells[1:]],
        [_STAND_IN * width(cell) for cell in cells[0]],
        tablefmt=style,
        disable_numparse=True,
    )
    # tabulate counts wide characters only where wcwidth is installed: it lays out stand-ins of the right width instead.
    texts = iter([cell for row in cells for cell in row if width(cell)])
    filled = re.sub(f"{_STAND_IN}+", lambda _: next(texts), drawn)
    return "\n".join(line.rstrip() for line in filled.split("\n"))
