"""What the health checks print: /health's answer among kubectl's own words, and Python's errors (Step 7)."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from .logs import free_lines

_AROUND = re.compile(
    r"^(?:All commands and output from this session|If you don't see a command prompt|warning: couldn't attach|"
    r"Unable to use a TTY|Defaulted container|Session ended, resume using|WARN\[\d+\] |time=\"[^\"\n]*\" level=)[^\n]*|"
    r"(?:^|(?<=\}))[ \t]*pod (?:\"[^\"\n]+\" )?deleted(?: from \S+ namespace)?[ \t\r]*$",
    re.MULTILINE,
)
"""What kubectl says before and after what the container printed; where it deletes the pod, on the line of the body."""


class Answer(NamedTuple):
    """A JSON object that was printed, and the line in which it begins."""

    line: int
    body: dict[str, Any]

    @property
    def is_ok(self) -> bool:
        """Whether the service says that it is well."""
        return self.body.get("status") == "ok"

    @property
    def unwell(self) -> str:
        """The first of its parts that it says is not well, as `database: down`; "" without one. A list tells of the past.

        >>> Answer(1, {"status": "ok", "checks": {"db": {"connected": False}}, "last": [{"status": "failed"}]}).unwell
        'checks.db.connected: false'
        """
        left: list[tuple[str, object]] = list(self.body.items())
        for name, value in left:  # which grows by the parts of parts
            if isinstance(value, dict):
                left += [(f"{name}.{part}", each) for part, each in value.items()]
            elif (isinstance(value, str) and _UNWELL.fullmatch(value) and not _SETTING.search(name)) or (
                value is False and _WELL_IF_TRUE.search(name)
            ):
                return f"{name}: {'false' if value is False else value}"
        return ""

    def __str__(self) -> str:
        return json.dumps(self.body, ensure_ascii=False)[:200]


_UNWELL = re.compile(
    r"(?i:down|error|fail(?:ed|ing|ure)?|unhealthy|not[ _-]?(?:ok|ready|connected|healthy)|disconnected|unavailable|"
    r"unreachable|degraded|critical|dead|time[ _-]?out|warn(?:ing)?)"
)
_SETTING = re.compile(r"(?:level|mode|policy|name)$", re.I)
"""Names of settings, whose values can be such words."""

_WELL_IF_TRUE = re.compile(r"(?:^|[._])(?:ok|up|healthy|ready|connected|alive|reachable|available)$", re.I)


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
    """What /health answered: one whole JSON object, whatever kubectl says around it; twice where kubectl printed it twice.

    An object within something else (a page, a list, a sentence, a piece of a body) is no answer, and none that says one
    thing twice: which of the two counts, each reader decides otherwise.

    >>> answers('{"status": "ok", "uptime": 7142}pod "tmp-curl" deleted')
    (Answer(line=1, body={'status': 'ok', 'uptime': 7142}),)
    >>> answers('pod "tmp-curl" deleted'), answers('{"status": "o'), answers('<p>{"status": "ok"}</p>')
    ((), (), ())
    """
    bare = _AROUND.sub(lambda found: " " * len(found[0]), text)
    found: list[Answer] = []
    decoder, at = json.JSONDecoder(object_pairs_hook=_said_once), _next(bare, 0)
    while at < len(bare):
        try:
            value, end = decoder.raw_decode(bare, at)
        except (ValueError, RecursionError):
            return ()
        if not isinstance(value, dict) or len(found) > 1:
            return ()
        found.append(Answer(bare.count("\n", 0, at) + 1, value))
        at = _next(bare, end)
    return tuple(found) if all(answer.body == found[0].body for answer in found) else ()


def _said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; raises ValueError where a key stands twice in it."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _next(text: str, at: int) -> int:
    """Where the next character stands that is no blank."""
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at


_BLANK = re.compile(r"\s*")


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
