"""A text in which secrets are looked for: without its line ends, and its long runs of letters and digits apart."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property

from .forms import Form

WINDOW = 1 << 22
OVERLAP = 1 << 16

_ENDS = re.compile(rb"[\r\n]+")
_INDENTS = re.compile(rb"[\r\n]+[ \t]*")


def windows(data: bytes) -> Iterator[tuple[int, bytes]]:
    """`data` in parts that overlap by more than any form is long, so that a large output is never in memory twice."""
    if len(data) <= 2 * WINDOW:
        yield 0, data
        return
    for start in range(0, len(data), WINDOW):
        yield start, data[start : start + WINDOW + OVERLAP]


class Text:
    """One window. `find` gives places in the text as it came."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._joined = data.translate(None, b"\r\n")
        self._there = frozenset(byte for byte in range(256) if byte in self._joined)

    def find(self, form: Form) -> Iterator[tuple[int, int]]:
        """Where `form` stands, also where line ends split it, and, for an encoded one, line ends with an indent."""
        if not form.bytes_needed <= self._there:  # far cheaper than to look for it, and mostly enough to rule it out
            return
        yield from self._in(self._joined, form, _ENDS)
        if form.encoded and self._unindented is not None:
            yield from self._in(self._unindented, form, _INDENTS)

    def _in(self, text: bytes, form: Form, removed: re.Pattern[bytes]) -> Iterator[tuple[int, int]]:
        at = text.find(form.anchor)
        while at >= 0:
            start, end = form.extent(text, at)
            places = self._places(removed, len(text))
            yield places.original(start), places.original(end - 1) + 1
            at = text.find(form.anchor, max(at + 1, end))

    @cached_property
    def _unindented(self) -> bytes | None:
        """The text without line ends and what indents the lines; None when nothing does."""
        if b"\n " not in self._data and b"\n\t" not in self._data:
            return None
        return _INDENTS.sub(b"", self._data)

    @cached_property
    def _known(self) -> dict[re.Pattern[bytes], _Places]:
        return {}

    def _places(self, removed: re.Pattern[bytes], length: int) -> _Places:
        if removed not in self._known:
            self._known[removed] = _Places(self._data, length, removed)
        return self._known[removed]


class _Places:
    """Where a byte of the text without line ends stands in the text with them."""

    __slots__ = ("_at", "_removed")

    def __init__(self, data: bytes, joined: int, pattern: re.Pattern[bytes]) -> None:
        self._at: list[int] = []
        self._removed: list[int] = []
        removed = 0
        if joined != len(data):
            for found in pattern.finditer(data):
                self._at.append(found.start() - removed)
                removed += found.end() - found.start()
                self._removed.append(removed)

    def original(self, place: int) -> int:
        """The place in the text as it came."""
        before = bisect_right(self._at, place)
        return place + self._removed[before - 1] if before else place
