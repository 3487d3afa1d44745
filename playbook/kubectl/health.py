"""What the health checks print: /health's answer among kubectl's own words, and Python's errors (Step 7)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from .logs import free_lines

_SCAN = 100_000
"""How many characters of an output are searched for the health answer."""


class Answer(NamedTuple):
    """A JSON object that was printed, and the line in which it begins."""

    line: int
    body: dict[str, Any]

    @property
    def is_ok(self) -> bool:
        """Whether the service says that it is well."""
        return self.body.get("status") == "ok"

    def __str__(self) -> str:
        return json.dumps(self.body, ensure_ascii=False)[:200]


class HttpLine(NamedTuple):
    """A line that begins with an HTTP status."""

    line: int
    status: int
    body: str  # what comes after the status
    text: str  # the whole line


class Raised(NamedTuple):
    """The last line of a Python traceback, and the stream that it stood in."""

    stream: str
    line: int
    text: str


def answers(text: str) -> tuple[Answer, ...]:
    """The JSON objects in an output, each with its line: what /health answered, whatever kubectl says around it.

    Objects without "status" count only if none has it.

    >>> answers('{"status": "ok", "uptime": 7142}pod "tmp-curl" deleted')
    (Answer(line=1, body={'status': 'ok', 'uptime': 7142}),)
    >>> answers('pod "tmp-curl" deleted'), answers('{"status": "o')
    ((), ())
    """
    found = tuple(_objects(text[:_SCAN]))
    return tuple(one for one in found if "status" in one.body) or found


def _objects(text: str) -> Iterator[Answer]:
    decoder = json.JSONDecoder()
    at, tries = text.find("{"), 0
    while at >= 0 and tries < 100:
        tries += 1
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            if isinstance(value, dict):
                yield Answer(text.count("\n", 0, at) + 1, value)
        at = text.find("{", end)


def http_line(text: str) -> HttpLine | None:
    """The first line that begins with an HTTP status, as Step 7-1 prints it; None when there is none.

    >>> http_line("200 ok\\n")
    HttpLine(line=1, status=200, body='ok', text='200 ok')
    """
    for number, line in free_lines(text):
        if found := re.match(r"(\d{3}) (.*)", line):
            return HttpLine(number, int(found[1]), found[2], line)
    return None


def raised(out: str, err: str, kinds: str) -> Raised | None:
    """The last line of a Python traceback that names one of `kinds` (a pattern); None when there is none.

    With a terminal, a traceback comes on standard output.

    >>> raised("", "Traceback (most recent call last):\\nTimeoutError: timed out\\n", "OSError|TimeoutError")
    Raised(stream='stderr', line=2, text='TimeoutError: timed out')
    """
    named = re.compile(rf"(?:{kinds})(?::|$)")
    for stream, text in (("stderr", err), ("stdout", out)):
        if "Traceback (most recent call last):" not in text:
            continue
        for number, line in reversed(list(free_lines(text))):
            if named.match(line):
                return Raised(stream, number, line.strip())
    return None
