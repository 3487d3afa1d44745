"""Where the program talks, in which letters, and whether in colour. Results go to standard output, talk to standard error."""

from __future__ import annotations

import codecs
import io
import os
import re
import sys
from typing import TextIO

_COLOUR = re.compile(r"(\x1b\[(?:0|2|3[2-6]|1;31)m)")
"""The sequences by which the program colours verdicts: the only ones that it sends besides its progress."""

_PLAIN = {"…": "...", "—": "-", "–": "-", "·": "-", "→": "->", "←": "<-", "≥": ">=", "≤": "<=", "×": "x", "✓": "v"}
"""What is written for a sign that the locale does not have."""


def fit_locale() -> None:
    """See to it that whatever the locale, no text fails to be written or read: what it cannot show becomes plain or an escape."""
    codecs.register_error("playbook", _in_plain_letters)
    for stream, errors in ((sys.stdin, "surrogateescape"), (sys.stdout, "playbook"), (sys.stderr, "playbook")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


def shows_korean() -> bool:
    """Whether standard output and error can take Korean letters."""
    try:
        for stream in (sys.stdout, sys.stderr):
            "가".encode(stream.encoding or "utf-8")
    except (UnicodeError, LookupError):
        return False
    return True


def _in_plain_letters(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        return codecs.backslashreplace_errors(error)
    letters = error.object[error.start : error.end]
    return "".join(_PLAIN.get(each) or each.encode("ascii", "backslashreplace").decode() for each in letters), error.end


def harmless(text: object, *, colours: bool = False) -> str:
    r"""`text` without what a terminal would obey, but for the program's own `colours`.

    >>> harmless("\x1b[32mpass\x1b[0m \x1b]0;title\x07 \x9b2J", colours=True)
    '\x1b[32mpass\x1b[0m  '
    """
    words = str(text)
    if words.isprintable():
        return words
    from ..output.columns import clean  # noqa: PLC0415 - 1.4 ms that most messages do without

    if not colours:
        return clean(words)
    return "".join(part if at % 2 else clean(part) for at, part in enumerate(_COLOUR.split(words)))


def say(text: object, *, colours: bool = False) -> None:
    """A result: to standard output, without what a terminal would obey; with the program's own `colours` where it painted."""
    print(harmless(text, colours=colours), flush=True)


def notify(*lines: object) -> None:
    """Talk: to standard error. Without a reader nothing is said any more; the exit status stays the verdict's."""
    try:
        print(*map(harmless, lines), sep="\n", file=sys.stderr, flush=True)
    except OSError:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - the old one's buffer would fail again at exit


def is_lively(stream: TextIO) -> bool:
    """Whether `stream` is a terminal that obeys escape sequences."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def is_colourful(stream: TextIO) -> bool:
    """Whether to colour what goes to `stream`."""
    return is_lively(stream) and not os.environ.get("NO_COLOR")
