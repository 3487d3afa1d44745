"""The forms in which one and the same secret value comes back: as it is, encoded, escaped."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from shlex import quote as shell_quote
from urllib.parse import quote, quote_plus

_SHORTEST_ANCHOR = 6


@dataclass(frozen=True, slots=True, repr=False)
class Form:
    """Bytes that give a secret away. `anchor` is looked for; where it stands, the longest of `wholes` is masked."""

    anchor: bytes
    wholes: tuple[bytes, ...] = ()  # longest first; each begins with the anchor
    before: int = 0  # characters at the side of the anchor that hold bits of the secret, when no whole fits
    after: int = 0
    bytes_needed: frozenset[int] = field(init=False)  # a text that lacks one of them cannot hold the form

    def __post_init__(self) -> None:
        object.__setattr__(self, "bytes_needed", frozenset(self.anchor))

    def extent(self, text: bytes, at: int) -> tuple[int, int]:
        """Where the secret begins and ends when its anchor stands at `at`."""
        for whole in self.wholes:
            if text.startswith(whole, at):
                return at, at + len(whole)
        return max(0, at - self.before), min(len(text), at + len(self.anchor) + self.after)


def forms_of(value: bytes) -> Iterator[Form]:
    """Every form of `value` that is looked for; line ends are left out, because they are when a text is searched.

    The value as it is, URL-encoded, as a JSON, Python, XML or shell string (JSON also inside JSON, and as Go writes
    it), and in base64: as a whole value with or without a line end, and as a part of a longer one (`user:password`).
    """
    spelled = {value, *_url(value), *_escaped(value)}
    for text in sorted(_one_line(text) for text in spelled):
        if len(text) >= _SHORTEST_ANCHOR:
            yield Form(text)
    for text in sorted(_all_escaped(value)):
        yield Form(text)
    yield from _base64(value)


def _one_line(text: bytes) -> bytes:
    return text.translate(None, b"\r\n")


def _url(value: bytes) -> Iterator[bytes]:
    for text in (quote(value), quote(value, safe=""), quote_plus(value)):
        yield text.encode()
        yield _lower_hex(text).encode()


def _lower_hex(text: str) -> str:
    """`%2F` as `%2f`."""
    parts = text.split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])


def _escaped(value: bytes) -> Iterator[bytes]:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("utf-8", "backslashreplace")  # as `Run.out` shows it
        yield text.encode()
    for plain in (json.dumps(text), json.dumps(text, ensure_ascii=False)):
        once = plain[1:-1]
        go = once.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        for form in {once, once.replace("/", "\\/"), go}:
            yield form.encode()
            yield json.dumps(form, ensure_ascii=False)[1:-1].encode()  # JSON inside JSON, as in an annotation
    yield repr(text)[1:-1].encode()
    xml = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    yield xml.encode()
    yield xml.replace('"', "&quot;").replace("'", "&#x27;").encode()
    yield xml.replace('"', "&#34;").replace("'", "&#39;").encode()
    quoted = shell_quote(text)
    yield (quoted if quoted == text else quoted[1:-1]).encode()


def _all_escaped(value: bytes) -> Iterator[bytes]:
    """Every character as an escape: `\\u0061…`, `\\x61…`, `%61…`."""
    try:
        units = value.decode("utf-8").encode("utf-16-be")
    except UnicodeDecodeError:
        units = b""
    for hexadecimal in ("02x", "02X"):
        if units:
            pairs = (units[i : i + 2] for i in range(0, len(units), 2))
            yield "".join(f"\\u{pair[0]:{hexadecimal}}{pair[1]:{hexadecimal}}" for pair in pairs).encode()
        yield "".join(f"\\x{byte:{hexadecimal}}" for byte in value).encode()
        yield "".join(f"%{byte:{hexadecimal}}" for byte in value).encode()


def _base64(value: bytes) -> Iterator[Form]:
    seen: set[bytes] = set()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        wholes = {encode(value + end) for end in (b"", b"\n", b"\r\n")}
        wholes |= {whole.rstrip(b"=") for whole in wholes}
        for offset in range(3):  # three ways in which a value can lie in the 24-bit groups
            first, last = -(-8 * offset // 6), 8 * (offset + len(value)) // 6
            anchor = encode(b"\0" * offset + value)[first:last]
            if anchor in seen or len(anchor) < _SHORTEST_ANCHOR:
                continue
            seen.add(anchor)
            partial = 8 * (offset + len(value)) % 6 != 0
            longest_first = tuple(sorted(wholes, key=len, reverse=True)) if offset == 0 else ()
            yield Form(anchor, longest_first, before=int(offset > 0), after=int(partial))
