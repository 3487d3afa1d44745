"""The forms in which one and the same secret value comes back: as it is, encoded, escaped, cut."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from shlex import quote as shell_quote
from urllib.parse import quote, quote_plus

_SHORTEST_ANCHOR = 6
CUT = 8
"""So many characters of a value's beginning or end give it away, where a line or a terminal cut the rest off."""

LONG = 4096
"""Longer values are looked for by pieces."""

PIECE = 768
"""The length of a piece: a multiple of 3 and 5, so that base64 and base32 of the pieces are pieces of theirs."""


@dataclass(frozen=True, slots=True, repr=False)
class Form:
    """Bytes that give a secret away. `anchor` is looked for; where it stands, as much as fits of `whole` is masked."""

    anchor: bytes
    whole: bytes = b""  # begins with the anchor, or ends with it (`backwards`)
    wholes: tuple[bytes, ...] = ()  # longest first: what may stand there besides `whole`
    before: int = 0  # characters at the side of the anchor that hold bits of the secret
    after: int = 0
    backwards: bool = False
    encoded: bool = False  # made of letters, digits and + / - _ = only
    bytes_needed: frozenset[int] = field(init=False)  # a text that lacks one of them cannot hold the form

    def __post_init__(self) -> None:
        object.__setattr__(self, "bytes_needed", frozenset(self.anchor))

    def extent(self, text: bytes, at: int) -> tuple[int, int]:
        """Where the secret begins and ends when its anchor stands at `at`."""
        for whole in self.wholes:
            if text.startswith(whole, at):
                return at, at + len(whole)
        end = at + len(self.anchor)
        if self.backwards:
            most = min(at, len(self.whole) - len(self.anchor))
            return at - _common(self.whole[-len(self.anchor) - 1 :: -1], text[at - most : at][::-1]), end
        if self.whole:
            rest = self.whole[len(self.anchor) :]
            end += _common(rest, text[end : end + len(rest)])
        return max(0, at - self.before), min(len(text), end + self.after)


def _common(one: bytes, other: bytes) -> int:
    """How many bytes at the beginning are the same."""
    if other.startswith(one):
        return len(one)
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def forms_of(value: bytes) -> Iterator[Form]:
    """Every form of `value` that is looked for; line ends are left out, because they are when a text is searched.

    The value as it is, URL-encoded, as a JSON, Python, XML or shell string (JSON also inside JSON, and as Go writes it),
    in UTF-16, in hex, base32 and base64 (also twice): as a whole value with or without a line end, as a part of a longer
    one (`user:password`), and its beginning or end where the rest was cut off.
    """
    spelled = {value, *_url(value), *_escaped(value)}
    for text in sorted(_one_line(text) for text in spelled):
        if len(text) >= _SHORTEST_ANCHOR:
            yield Form(text)
    plain = _one_line(value)
    if len(plain) >= CUT + 2 and len(value) <= LONG:
        yield from _cut(plain, plain)
    for text in sorted(_all_escaped(value)):
        yield Form(text)
    yield from encodings_of(value)


def encodings_of(value: bytes) -> Iterator[Form]:
    """The forms that no ordinary word can look like."""
    for text in sorted(_utf_16(value)):
        yield Form(text)
    for digits in (value.hex().encode(), value.hex().upper().encode()):
        if len(digits) >= _SHORTEST_ANCHOR:
            yield Form(digits[: 2 * CUT], digits, encoded=True)
            if len(digits) > 2 * CUT:
                yield Form(digits[-2 * CUT :], digits, backwards=True, encoded=True)
    yield from _grouped(value, _base64, 3, 6)
    yield from _grouped(value, _base64_url, 3, 6)
    yield from _grouped(value, _base32, 5, 5)
    for end in (b"", b"\n"):
        once = base64.b64encode(value + end)
        yield from _grouped(once, _base64, 3, 6, whole_only=True)


def forms_of_piece(piece: bytes) -> Iterator[Form]:
    """The forms of a piece of a long value: as it is, in a URL, in JSON, in UTF-16, hex, base32 and base64."""
    for text in sorted({piece, *_url(piece), json.dumps(piece.decode("utf-8", "backslashreplace"))[1:-1].encode()}):
        yield Form(_one_line(text))
    for text in sorted(_utf_16(piece)):
        yield Form(text)
    for digits in (piece.hex(), piece.hex().upper()):
        yield Form(digits.encode(), encoded=True)
    for encode, group, bits in ((_base64, 3, 6), (_base64_url, 3, 6), (_base32, 5, 5)):
        for form in _grouped(piece, encode, group, bits):
            if not form.backwards:
                yield form
    yield from _grouped(base64.b64encode(piece), _base64, 3, 6)


def pieces_of(value: bytes) -> Iterator[bytes]:
    """A long value in pieces, the last of which overlaps the one before."""
    for start in range(0, len(value) - PIECE + 1, PIECE):
        yield value[start : start + PIECE]
    yield value[-PIECE:]


def _one_line(text: bytes) -> bytes:
    return text.translate(None, b"\r\n")


def _cut(anchored: bytes, whole: bytes) -> Iterator[Form]:
    """The beginning and the end of a value, each long enough to be nothing else."""
    for backwards in (False, True):
        for length in (CUT, 2 * CUT):
            anchor = anchored[-length:] if backwards else anchored[:length]
            if len(anchor) < len(anchored) and is_odd(anchor):
                yield Form(anchor, whole, backwards=backwards)
                break


def is_odd(text: bytes) -> bool:
    """Whether `text` is no word, name, date or address: digits among letters of both cases, signs, or more of both.

    >>> [is_odd(text) for text in (b"postgres", b"2026-11-", b"observer-db-pvc1", b"aB3+xY9z", b"s3cr3t-v", b"pl4n/ed+")]
    [False, False, False, True, True, True]
    """
    digits = sum(48 <= byte <= 57 for byte in text)
    lower, upper = sum(97 <= byte <= 122 for byte in text), sum(65 <= byte <= 90 for byte in text)
    signs = sum(byte in b"/+=!@#$%^&*~?" for byte in text)
    if sum(byte >= 128 for byte in text) >= 6:
        return True
    return bool(digits and lower + upper >= 2 and (digits >= 2 or signs or (lower and upper)))


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


def _utf_16(value: bytes) -> set[bytes]:
    """Both byte orders, without the zero before or after that a neighbour's byte may stand in for."""
    try:
        text = value.decode("utf-8").replace("\r", "").replace("\n", "")
    except UnicodeDecodeError:
        return set()
    return {_one_line(text.encode(order)) for order in ("utf-16-le", "utf-16-be")} - {b""}


def _base64(data: bytes) -> bytes:
    return base64.b64encode(data)


def _base64_url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data)


def _base32(data: bytes) -> bytes:
    return base64.b32encode(data)


def _grouped(
    value: bytes, encode: Callable[[bytes], bytes], group: int, bits: int, *, whole_only: bool = False
) -> Iterator[Form]:
    """`value` in an encoding of `bits` for each character, in each way in which it can lie in a group of bytes."""
    wholes = {encode(value + end) for end in ((b"",) if whole_only else (b"", b"\n", b"\r\n"))}
    wholes |= {whole.rstrip(b"=") for whole in wholes}
    longest_first = tuple(sorted(wholes, key=len, reverse=True))
    for offset in range(1 if whole_only else group):
        first, last = -(-8 * offset // bits), 8 * (offset + len(value)) // bits
        text = encode(b"\0" * offset + value)[first:last]
        if len(text) < _SHORTEST_ANCHOR:
            continue
        partial = int(8 * (offset + len(value)) % bits != 0)
        at_begin = int(offset > 0)
        cut = min(len(text), 2 * CUT)
        yield Form(text[:cut], text, longest_first if not offset else (), at_begin, partial, encoded=True)
        if len(text) > cut:
            yield Form(text[-cut:], text, before=at_begin, after=partial, backwards=True, encoded=True)
