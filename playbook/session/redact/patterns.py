"""Text that says of itself that it is a secret: found without having learned anything.

Each kind is found by a word that `bytes.find` can look for in a lower-case copy; a pattern is tried only where the
word stands. So a large output without such words costs little more than reading it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

Span = tuple[int, int]

_LONGEST_NAME = 32
_NAME_BEFORE_KEY = re.compile(rb"(?:app|api|access|secret|private|auth|encryption|account)[_-]?$")
_NAME_BEFORE_SECRET = re.compile(rb"(?:app|client|api|kis|jwt|shared)[_-]?$")
_AFTER_NAME = frozenset(bytes([char]) for char in b"\"'\\ \t:=")
_NAME_BEFORE_AUTH = re.compile(rb"[\"']$")
_ASSIGNED = re.compile(
    rb"\\{0,4}[\"']?[ \t]*(?:=>|:=|[:=])[ \t]*(?:"
    rb"\\{1,4}\"(?P<in_escaped>(?:(?!\\{1,4}\")[^\r\n])*)"
    rb"|\"(?P<in_double>(?:[^\"\\\r\n]|\\.)*)"
    rb"|'(?P<in_single>[^'\r\n]*)"
    rb"|(?P<bare>(?:(?![,;&][A-Za-z_][\w.-]{0,60}[=:]|[)}\],;]{1,4}(?:\s|$))"
    rb"(?:[^\s\"'\\]|\\(?!\\{0,3}[\"'])|[\"'](?![\s,;:)}\]]|$)))+))"
)
_OPEN_VALUE = re.compile(
    rb"(?:null|true|false|none|nil|\{\}|\[\]|\*+|os\.(?:environ|getenv).*"
    rb"|(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|PANIC)[:,]?"
    rb"|<(?:password|key|secret|id|token|none|unset|redacted|masked)>.*)",
    re.IGNORECASE | re.DOTALL,
)
_REFERENCE = b"<set to the key "
"""Values that stand for a value: placeholders, the code that reads it, what `kubectl describe` says of a reference."""

_BEARER = re.compile(rb"bearer[ \t]+([^\s\"'\\,;]+)", re.IGNORECASE)
_AUTHORIZATION = re.compile(
    rb"authorization\\{0,4}[\"']?[ \t]*[:=][ \t]*\\{0,4}[\"']?(?:(?:basic|bearer|digest|token|negotiate)[ \t]+)?"
    rb"([^\s\"'\\]+)",
    re.IGNORECASE,
)
_KUBECONFIG = re.compile(rb"-data\\{0,4}[\"']?[ \t]*[:=][ \t]*\\{0,4}[\"']?([A-Za-z0-9+/=_-]+)", re.IGNORECASE)
_NAME_BEFORE_DATA = re.compile(rb"(?:client-key|client-certificate|certificate-authority)$")
_CREDENTIALS = re.compile(rb"://[^\s:/@\"'<>]*:([^\s/\"'<>?#]+)@")
_JWT = re.compile(rb"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?)?")
_TYPED = tuple(
    (word, re.compile(pattern))
    for word, pattern in (
        (b"ghp_", rb"(ghp_[A-Za-z0-9]{20,})"), (b"gho_", rb"(gho_[A-Za-z0-9]{20,})"), (b"ghs_", rb"(ghs_[A-Za-z0-9]{20,})"),
        (b"github_pat_", rb"(github_pat_[A-Za-z0-9_]{20,})"),
        (b"akia", rb"(AKIA[0-9A-Z]{12,})"), (b"asia", rb"(ASIA[0-9A-Z]{12,})"),
        (b"xox", rb"(xox[abeoprs]-[A-Za-z0-9-]{10,})"),
        (b"api.telegram.org/bot", rb"api\.telegram\.org/bot([0-9]+:[A-Za-z0-9_-]{20,})"),
        (b"hooks.slack.com/services/", rb"hooks\.slack\.com/services/([A-Za-z0-9/]{20,})"),
    )
)  # fmt: skip
"""Tokens of a known shape (GitHub, AWS, Slack, Telegram): the word they begin at, in lower case, and the secret part."""
_PASSWORD_IN_KOREAN = ("비밀번호".encode(), "암호".encode())

_KEY_BEGIN = b"private key-----"
_BETWEEN = rb"(?:\\{1,4}[rn]|[\s\"'|>+])*"
_KEY_LINES = re.compile(
    rb"(?:" + _BETWEEN + rb"[a-z0-9+/]+=*(?=[\s\\\"']|\Z))?"
    rb"(?:" + _BETWEEN + rb"(?:[a-z0-9+/]{20,}=*|[a-z0-9+/]{2,}={1,2}|(?:proc-type|dek-info):[^\r\n]*))*"
)
"""What follows the first line of a private key whose last line is missing: lines of base64, with their line ends."""


def self_declared(data: bytes) -> Iterator[Span]:
    """Where `data` holds values that are secrets by what stands around them."""
    lower = data.lower()
    yield from _assignments(data, lower, b"pass", None, (b"word", b"wd", b"phrase"))
    for word in (b"token", b"dockerconfigjson", b"kis_hts_id"):
        yield from _assignments(data, lower, word, None)
    yield from _assignments(data, lower, b"key", _NAME_BEFORE_KEY)
    yield from _assignments(data, lower, b"secret", _NAME_BEFORE_SECRET)
    yield from _assignments(data, lower, b"auth", _NAME_BEFORE_AUTH)
    yield from _found(data, lower, b"bearer", _BEARER)
    yield from _found(data, lower, b"authorization", _AUTHORIZATION)
    yield from _found(data, lower, b"://", _CREDENTIALS)
    yield from _found(data, lower, b"-data", _KUBECONFIG, _NAME_BEFORE_DATA)
    for word in _PASSWORD_IN_KOREAN:
        yield from _assignments(data, lower, word, None)
    for word, pattern in _TYPED:
        yield from _found(data, lower, word, pattern)
    yield from _tokens(data)
    yield from _private_keys(lower)


def _assignments(
    data: bytes, lower: bytes, word: bytes, before: re.Pattern[bytes] | None, rests: tuple[bytes, ...] = (b"",)
) -> Iterator[Span]:
    """Values of `…word: value`, `…word=value`, `"…word": "value"`; `rests` complete `word`."""
    at = lower.find(word)
    while at >= 0:
        after = at + len(word)
        rest = next((rest for rest in rests if lower.startswith(rest, after)), None)
        after += len(rest or b"")
        named = rest is not None and lower[after : after + 1] in _AFTER_NAME
        if named and (before is None or _named(lower, at, before)):
            found = _ASSIGNED.match(data, after)
            if found and found.lastgroup:
                start, end = found.span(found.lastgroup)
                known = data.startswith(_REFERENCE, start) or _OPEN_VALUE.fullmatch(data, start, end)
                if end > start and not known:
                    yield start, end
                after = end  # a name inside the value is not looked at again: the time stays linear
        at = lower.find(word, after)


def _found(
    data: bytes, lower: bytes, word: bytes, pattern: re.Pattern[bytes], before: re.Pattern[bytes] | None = None
) -> Iterator[Span]:
    """The first group of `pattern` wherever it matches at `word`."""
    at = lower.find(word)
    while at >= 0:
        after = at + len(word)
        found = pattern.match(data, at) if before is None or _named(lower, at, before) else None
        if found:
            if not _OPEN_VALUE.fullmatch(found[1]):
                yield found.span(1)
            after = found.end()
        at = lower.find(word, after)


def _named(lower: bytes, at: int, pattern: re.Pattern[bytes]) -> bool:
    """Whether what stands before `at` ends as the pattern says."""
    return pattern.search(lower[max(0, at - _LONGEST_NAME) : at]) is not None


def _tokens(data: bytes) -> Iterator[Span]:
    """JSON web tokens, which a service account's token is."""
    at = data.find(b"eyJ")
    while at >= 0:
        after = at + 3
        found = _JWT.match(data, at)
        if found:
            after = found.end()
            if b"." in found[0]:
                yield found.span()
        at = data.find(b"eyJ", after)


def _private_keys(lower: bytes) -> Iterator[Span]:
    """What stands between the two lines of a private key in PEM; its lines of base64 when the last is missing."""
    at, ended = lower.find(_KEY_BEGIN), True
    while at >= 0:
        after = at + len(_KEY_BEGIN)
        if lower.rfind(b"-----begin", max(0, at - 40), at) >= 0:
            end = lower.find(b"-----end", after) if ended else -1
            ended = end >= 0  # without one here there is none further on: the time stays linear
            if not ended:
                end = _KEY_LINES.match(lower, after).end()  # type: ignore[union-attr]  # it matches nothing, too
            yield after, end
            after = end
        at = lower.find(_KEY_BEGIN, after)
