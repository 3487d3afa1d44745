"""What is kept of free text while nothing was learned: no text, but its size, its digest, and the lines that were judged.

The lines keep their numbers, so that evidence keeps its place. Of an error stream, the lines in which kubectl says why it
failed stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from hashlib import sha256
from typing import Any

from .forms import is_odd

_KUBECTL = re.compile(
    rb"(?:Error from server|[Ee]rror: |Error in |[Uu]nable to |invalid configuration|The connection to the server |no such host"
    rb"|No resources found|Defaulted container |command terminated with exit code |[EWIF]\d{4} |Warning: |pod \"|Please enter "
    rb"|timed out waiting |Handling connection |(?:FATA|WARN|INFO|ERRO)\[\d+\] |time=\"|couldn't get |bash: |sudo: |ls: "
    rb"|invalid character|unexpected |json: |yaml: |converting |the server |context |no matches |unknown )"
)
_TOKEN = re.compile(r"[^\s\"'=,;:()\[\]{}<>|&?]{6,}")
_NAME = re.compile(r"(?:observer|postgres|tmp-curl|step\d|kube|local-path|sealed-secrets|coredns)[a-z0-9./-]*")
_NUMBER = re.compile(r"[\d.:TZ+,/-]+|v?\d[\w.+-]*")

Mask = Callable[[str], str]


def without_text(data: bytes, lines: Collection[int], mask: Mask, *, errors: bool = False) -> bytes:
    """`data` with nothing but its line ends, the `lines` (from 1) that were judged and, of `errors`, kubectl's own."""

    def kept(number: int, line: bytes) -> bytes:
        if number in lines or (errors and _KUBECTL.match(line)):
            return mask(line.decode("utf-8", "backslashreplace")).encode("utf-8", "surrogatepass")
        return b""

    return b"\n".join(kept(number, line) for number, line in enumerate(data.split(b"\n"), 1))


def about(data: bytes) -> list[Any]:
    """Size in bytes and SHA-256 of what is not kept."""
    return [len(data), sha256(data).hexdigest()]


def without_odd(text: str) -> str:
    """`text` with what looks like no word, name, number or moment masked: it may be a value that nobody has learned.

    >>> without_odd("2026-11-22 22:57:01 ERROR login of observer with hUnt3r2+x9 failed")
    '2026-11-22 22:57:01 ERROR login of observer with ********** failed'
    """

    def one(found: re.Match[str]) -> str:
        token = found[0]
        if _NAME.fullmatch(token) or _NUMBER.fullmatch(token):
            return token
        strange = re.search(r"[^\w./-]|\d[A-Za-z]|[A-Za-z]\d", token) or is_odd(token.encode("utf-8", "surrogatepass"))
        return "*" * len(token) if strange else token

    return _TOKEN.sub(one, text)
