"""Levels of log records: what a line of an application's or of PostgreSQL's log says about itself.

A level is read from where a record states it (a JSON key, `level=`, the head of a plain line), never from the words
of its message: an INFO record may tell of an ERROR.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

TRACEBACK = "TRACEBACK"
"""The level given to a line of a Python traceback, which states none."""

CRASH = "CRASH"
"""The level given to what a kernel, a shell or an interpreter says of a program that did not start or was ended."""

BAD_LEVELS = frozenset({"ERROR", "CRITICAL", "FATAL", "PANIC", TRACEBACK, CRASH})
"""The levels that Step 6-3 does not want to see in Observer's log."""


def free_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines of text that has no format, with their numbers: a log, an error stream, what curl printed.

    Unlike `tables.lines` it takes a last line without its end for what it is: nobody promised to end it.

    >>> list(free_lines("one\\r\\ntwo"))
    [(1, 'one'), (2, 'two')]
    """
    pieces = text.split("\n")
    if not pieces[-1]:
        pieces.pop()
    for number, piece in enumerate(pieces, 1):
        yield number, piece.rstrip("\r")


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a log: its number, its level ("" where it states none) and its text without colour codes."""

    line: int
    level: str
    text: str


_ALIASES = {
    "E": "ERROR", "ERR": "ERROR", "ERRO": "ERROR", "SEVERE": "ERROR",
    "C": "CRITICAL", "CRIT": "CRITICAL", "ALERT": "CRITICAL", "EMERG": "CRITICAL", "EMERGENCY": "CRITICAL",
    "오류": "ERROR", "에러": "ERROR", "심각": "CRITICAL", "치명적": "CRITICAL", "치명": "CRITICAL",
    "경고": "WARNING", "정보": "INFO",
    "F": "FATAL", "FATA": "FATAL", "PANI": "PANIC",
    "W": "WARNING", "WARN": "WARNING", "I": "INFO", "INFORMATION": "INFO", "D": "DEBUG",
}  # fmt: skip
_WORDS = "TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERR|ERRO|ERROR|SEVERE|CRIT|CRITICAL|FATA|FATAL|PANI|PANIC|ALERT|EMERG|EMERGENCY"
_KOREAN = "오류|에러|심각|치명적|치명|경고|정보"
_KEYS = "level|lvl|severity|levelname|level_name|severity_text|loglevel|log_level|log\\.level"
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_PLAIN = re.compile(rf"(?<!\w)({_WORDS})(?!\w)")
_BRACKETED = re.compile(rf"\[\s*({_WORDS}|{_KOREAN})\s*\]", re.IGNORECASE)
_BARRED = re.compile(rf"(?<=[|\-])\s*({_WORDS}|{_KOREAN})\s*(?=[|\-]\s)", re.IGNORECASE)
_NAMED = re.compile(rf"(?<!\S)({_KOREAN})(?=\s*:)")
_LEADING = re.compile(rf"\s*({_WORDS}|{_KOREAN})\s*:", re.IGNORECASE)
_KLOG = re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+\s")
_PAIR = re.compile(r'(?:^|(?<=\s))([\w.]+)=("(?:[^"\\]|\\.)*"?|[^\s"]*)')
_JSON_KEY = re.compile(rf'"(?:{_KEYS})"\s*:\s*"([^\W\d_]+)"', re.IGNORECASE)
_BRACKETS = re.compile(r"\[[^\][]*\]|\([^()]*\)|<[^<>]*>")
_WITH_DIGIT = re.compile(r"[^\s\d]*\d\S*")
_DATE_WORD = re.compile(
    r"\b(?:[A-Z]{3,4}|Z|T|AM|PM|Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b"
)
_NAME = re.compile(r"[^\W\d][\w.]*")
_NEGATIONS = frozenset({"no", "not", "any", "an", "without", "zero"})
_TRACE_LINE = re.compile(r'Traceback \(most recent call last\)|^\s+File "[^"]+", line \d+,? in ')
_SIGNALLED = (
    r"(?:Illegal instruction|Segmentation fault|Bus error|Floating point exception|Aborted|Killed|Trace/breakpoint trap)"
    r"(?: *\(core dumped\))?"
)
"""What a shell says of a child that a signal ended: alone, or behind the script's line and before the command."""
_CRASH_LINE = re.compile(
    r"^(?:standard_init_linux\.go:\d+: )?exec (?:user process caused|container process|"
    r"/?\S+: (?:exec format error|no such file|permission))|"
    r"^\S*python[\d.]*: (?:can't open file|No module named)|^(?:Fatal Python error|panic|fatal error): |^terminate called |"
    rf"^{_SIGNALLED}\s*$|^.*: line \d+: +\d+ +{_SIGNALLED}|: error while loading shared libraries: |"
    r"^(?:/bin/)?(?:ba|da|a)?sh: (?:\d+: |line \d+: )?\S+: (?:not found|command not found|[Pp]ermission denied|No such file)|"
    r"^Exception in thread |^thread '[^']*' (?:\(\d+\) )?panicked at |^goroutine \d+ \["
)
_ACCESS = re.compile(r'"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \S* HTTP/\d')
_STARTS = re.compile(
    r"\b(?:start(?:ed|ing|s)|listening|serving|running on|booting|ready)\b|시작|기동|준비", re.IGNORECASE
)
_MENTION = re.compile(r"(?<!\w)(?:ERROR|CRITICAL|FATAL)(?!\w)|오류|치명적")
_HEAD = 240
"""How far into a line a plain record may state its level."""

_POSTGRES = re.compile(
    r"(?<!\w)(DEBUG[1-5]?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|DETAIL|HINT|STATEMENT|CONTEXT|QUERY|LOCATION):\s"
)


def records(text: str) -> Iterator[Record]:
    """Every line of an application's log that is not blank, with its level (Step 6-3, Observer).

    >>> [(r.line, r.level) for r in records('INFO started\\n\\n{"level": "error", "msg": "x"}\\n  a detail\\n')]
    [(1, 'INFO'), (3, 'ERROR'), (4, '')]
    """
    for number, line in free_lines(text):
        plain = _COLOUR.sub("", line)
        if plain.strip():
            yield Record(number, level(plain), plain)


def level(line: str) -> str:
    """The level that one line states, in capitals; "" where it states none.

    >>> level("2026-11-22 10:00:00,123 - observer.db - ERROR - no connection"), level("INFO  0 ERROR lines so far")
    ('ERROR', 'INFO')
    >>> level('{"levelname": "CRITICAL", "errors": 0}'), level('{"errors": 0}'), level('time=10:00 level=error msg="x"')
    ('CRITICAL', '', 'ERROR')
    >>> level("exec /app/observer: exec format error"), level("Killed"), level("Killed 3 idle workers")
    ('CRASH', 'CRASH', '')
    >>> level("[2026-11-22 10:00:00 +0900] [1] [ERROR] Worker failed"), level("retries after ERROR: 0")
    ('ERROR', '')
    """
    line = _COLOUR.sub("", line)
    if _TRACE_LINE.search(line):
        return TRACEBACK
    if _CRASH_LINE.search(line[:_HEAD]):
        return CRASH
    brace = line.find("{", 0, _HEAD)
    if brace >= 0 and not _NAME.search(_DATE_WORD.sub("", _WITH_DIGIT.sub("", line[:brace]))):
        found = _json_level(line[brace:])
        if found:
            return found
    if klog := _KLOG.match(line):
        return _ALIASES[klog[1]]
    if found := _head_level(line[:_HEAD]):
        return found
    for key, value in _PAIR.findall(line):
        if re.fullmatch(_KEYS, key, re.IGNORECASE) and value.strip('"').isalpha():
            return _named(value.strip('"'))
    if key := _JSON_KEY.search(line):  # a JSON record that was printed over several lines, or cut
        return _named(key[1])
    return ""


def is_familiar(line: str) -> bool:
    """Whether a line that states no level is one of a service at work: an HTTP access line, or that it starts or listens.

    >>> is_familiar('127.0.0.1 - - [22/Nov/2026 12:00:00] "GET /health HTTP/1.1" 200'), is_familiar("lost a connection")
    (True, False)
    """
    return bool(_ACCESS.search(line) or _STARTS.search(line[:_HEAD]))


def mentions_error(line: str) -> bool:
    """Whether a line holds the word ERROR, CRITICAL or FATAL.

    This is for lines that state no level: with such a word they cannot be called clean.

    >>> mentions_error("the last try ended in ERROR"), mentions_error("NO_ERROR"), mentions_error("0 errors")
    (True, False, False)
    """
    return bool(_MENTION.search(line))


def postgres_records(text: str) -> Iterator[Record]:
    """Every line of PostgreSQL's log that is not blank, with its severity (Step 6-3, PostgreSQL).

    The first severity on a line is the record's own; a line that begins with a tab belongs to the record above it.

    >>> text = "2026-11-22 22:56:10.603 UTC [1] LOG:  statement: SELECT 'FATAL: x'\\n\\tFATAL: y\\n"
    >>> [record.level for record in postgres_records(text)]
    ['LOG', '']
    """
    for number, line in free_lines(text):
        if line.strip():
            found = None if line.startswith("\t") else _POSTGRES.search(line)
            yield Record(number, found[1] if found else "", line)


def _head_level(head: str) -> str:
    """The level at the head of a plain line: only time, numbers, brackets and at most two names may stand before it."""
    if own := _LEADING.match(head):
        return _named(own[1])
    found = [m for m in (pattern.search(head) for pattern in (_PLAIN, _BRACKETED, _BARRED, _NAMED)) if m]
    first = min(found, key=re.Match.start, default=None)
    return _named(first[1]) if first and _is_head(head[: first.start()]) else ""


def _is_head(before: str) -> bool:
    bare = _BRACKETS.sub(" ", before)
    if "=" in bare or '"' in bare:
        return False
    timed = bare != before or bool(_WITH_DIGIT.search(bare))
    names = _NAME.findall(_DATE_WORD.sub(" ", _WITH_DIGIT.sub(" ", bare)))
    if not names:
        return True
    if len(names) > 2 or names[-1].lower() in _NEGATIONS:
        return False
    separated = bare.rstrip()[-1] in ":|-[(>/"
    return separated or (timed and len(names) == 1)


def _json_level(text: str, depth: int = 0) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return _level_of(value, depth) if isinstance(value, dict) else ""


def _level_of(record: Mapping[str, Any], depth: int = 0) -> str:
    keys = {str(key).lower(): value for key, value in record.items()}
    for key in ("level", "levelname", "level_name", "severity", "severity_text", "lvl", "loglevel", "log_level", "log.level",
                "levelno"):  # fmt: skip
        if key in keys:
            return _pino(keys[key]) if key == "level" and _is_pino(keys) else _named(keys[key])
    for key in ("record", "log", "message", "msg"):
        inner = keys.get(key)
        found = ""
        if isinstance(inner, dict) and depth < _DEPTH:
            found = _level_of(inner, depth + 1)
        elif isinstance(inner, str) and depth < _DEPTH and inner.lstrip().startswith("{"):
            found = _json_level(inner, depth + 1)
        elif isinstance(inner, str) and key == "log":  # a collector's record of a plain line
            found = CRASH if _CRASH_LINE.search(inner[:_HEAD]) else _head_level(inner[:_HEAD])
        if found:
            return found
    return ""


_DEPTH = 3
"""How many records may stand within each other: an application's, a collector's around it, and another's."""


def _is_pino(keys: Mapping[str, Any]) -> bool:
    """Whether a record is one of Pino or Bunyan: theirs has pid and hostname, or a time in milliseconds."""
    time = keys.get("time")
    return {"pid", "hostname"} <= keys.keys() or (isinstance(time, int) and time > 10**12)


def _pino(value: object) -> str:
    """A level on Pino's scale, where 30 is ordinary and 50 an error."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return _named(value)
    scale = ((60, "FATAL"), (50, "ERROR"), (40, "WARNING"), (30, "INFO"))
    return next((name for least, name in scale if value >= least), "DEBUG")


def _named(value: object) -> str:
    """One spelling for each level; numbers are on the scale of Python's logging."""
    if isinstance(value, Mapping):
        return _named(value.get("name", value.get("no", "")))
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        scale = ((50, "CRITICAL"), (40, "ERROR"), (30, "WARNING"), (20, "INFO"))
        return next((name for least, name in scale if value >= least), "DEBUG")
    name = str(value).strip().upper() if isinstance(value, str) else ""
    return _ALIASES.get(name, name)
