"""What may never reach disk, terminal or report: this module alone decides, and all that leaves passes it.

Two kinds of things are masked: values learned from Step 6-4's output, wherever and in whatever form they come back, and
text that says of itself that it is a secret (`password: …`, `Bearer …`, private keys). Outside 6-4 a mask has one `*`
for each character and line ends stay, so that columns keep their places. What is learned lives in memory only.

How 6-4 is masked: names stay, values become `********`, except the settings of `OPEN_SETTINGS` and the variables that
Kubernetes makes of Services. A line that is not `NAME=value` is a piece of a value that had line ends, which `sort`
scattered: it is masked whole.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace

from ...guide import ids
from ...guide.expected import CONFIG_KEYS, SECRET_KEYS
from ...model import Run
from .forms import Form, forms_of
from .patterns import self_declared

MASK = b"********"
SHORTEST = 6
"""Values with fewer characters are masked in 6-4 only: elsewhere they would blot out ordinary words."""

CONFIG_SETTINGS = frozenset(key.encode() for key in CONFIG_KEYS)
OPEN_SETTINGS = CONFIG_SETTINGS | frozenset(
    b"POD_NAME TZ PATH HOME HOSTNAME POSTGRES_USER POSTGRES_DB DB_USER PGHOST PGPORT PGDATABASE PGUSER".split()
)
"""Variables of 6-4 whose values are shown: the ConfigMap's keys, what Step 6-4 asks for, and names without secrecy."""

ORDINARY = (
    frozenset(
        b"observer postgres observer-prod observer-secrets observer-config postgres-0 postgres-headless localhost "
        b"127.0.0.1 Asia/Seoul /opt/platform/runtime/observer /opt/platform/runtime/observer/data "
        b"/opt/platform/runtime/observer/logs /opt/platform/runtime/observer/config "
        b"/opt/platform/runtime/observer/universe Running Pending Active Opaque ClusterIP local-path "
        b"STATUS RESTARTS CAPACITY STORAGECLASS PORT(S) Warning Normal Events status".split()
    )
    | OPEN_SETTINGS
    | frozenset(key.encode() for key in SECRET_KEYS)
)
"""Words that parsers and readers need. A secret that is one of them is masked in 6-4 only."""

_VARIABLE = re.compile(rb"(?P<name>[A-Z_][A-Z0-9_]*|[a-z_][a-z0-9_.-]*)=(?P<value>.*)", re.DOTALL)
_SECRET_NAME = re.compile(rb"PASSW|PASSPHRASE|SECRET|KEY|TOKEN|CREDENTIAL|KIS_HTS_ID", re.IGNORECASE)
_SERVICE_NAME = re.compile(
    rb"KUBERNETES_.+|.+_SERVICE_(?:HOST|PORT(?:_.+)?)|.+_PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:ADDR|PORT|PROTO))?)?"
)
_SERVICE_VALUE = re.compile(
    rb"(?:(?:tcp|udp|sctp)://)?(?:\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9a-f]*:[0-9a-f]*:[0-9a-f:]*\]?)(?::\d{1,5})?"
    rb"|\d{1,5}|tcp|udp|sctp"
)
_URL_PASSWORD = re.compile(rb"://[^\s:/@]*:([^\s/]+)@")


WINDOW = 1 << 22
OVERLAP = 1 << 16


class Redactor:
    """Masks secrets and remembers those it has met; one for each session. Safe to share between threads."""

    __slots__ = ("_forms", "_lock", "_open", "_secret")

    def __init__(self) -> None:
        self._secret: frozenset[bytes] = frozenset()
        self._open: frozenset[bytes] = ORDINARY
        self._forms: tuple[Form, ...] = ()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Redactor({len(self._secret)} values)"

    def mask(self, run: Run) -> Run:
        """`run` with every secret masked, in both streams and in its note; the same object when there is none.

        The output of Step 6-4 teaches first. What was recorded before that has to be masked again: masking what is
        masked changes nothing, so a run that comes back as the same object needs no second writing.
        """
        if run.command == ids.ENV:
            self.learn_from_env(run.stdout)
            stdout = self.mask_env(run.stdout)
        else:
            stdout = self.mask_bytes(run.stdout)
        stderr = self.mask_bytes(run.stderr)
        note = self.mask_text(run.note)
        if stdout is run.stdout and stderr is run.stderr and note is run.note:
            return run
        return replace(run, stdout=stdout, stderr=stderr, note=note)

    def learn_from_env(self, stdout: bytes) -> bool:
        """Remember the secret values in the output of Step 6-4; True when one of them was not known before."""
        secret: set[bytes] = set()
        settings: set[bytes] = set()
        for line in stdout.split(b"\n"):
            name, value = _variable(line.rstrip(b"\r"))
            if name and _is_open(name, value):
                settings.add(value)
                continue
            secret.update(found[1] for found in _URL_PASSWORD.finditer(value))
            if not name or _SECRET_NAME.search(name):
                secret.update((value, value.strip()))
        return self.learn(*secret, ordinary=frozenset(settings))

    def learn(self, *values: bytes, ordinary: frozenset[bytes] = frozenset()) -> bool:
        """Remember `values` as secrets, and `ordinary` as values to be left alone; True when a secret is new.

        Values that are too short, ordinary or already masked are not taken.
        """
        with self._lock:
            self._open |= ordinary
            known = self._secret
            secret = frozenset((known | set(filter(_worth_hiding, values))) - self._open)
            if secret != known:
                self._forms = tuple(form for value in sorted(secret) for form in forms_of(value))
                self._secret = secret
            return not secret <= known

    def mask_env(self, stdout: bytes) -> bytes:
        """The output of Step 6-4 with its values masked, never its names; the same object when none is to be masked."""
        names, values = zip(*map(_shown, stdout.split(b"\n")), strict=True)
        shown = self.mask_bytes(b"\n".join(values)).split(b"\n")  # a setting that is shown can hold a secret
        masked = b"\n".join(name + value for name, value in zip(names, shown, strict=True))
        return stdout if masked == stdout else masked

    def mask_text(self, text: str) -> str:
        """As `mask_bytes`, for text."""
        data = text.encode("utf-8", "surrogatepass")
        masked = self.mask_bytes(data)
        return text if masked is data else masked.decode("utf-8", "surrogatepass")

    def mask_bytes(self, data: bytes) -> bytes:
        """`data` with one `*` for each character of a secret, line ends kept; the same object when there is none."""
        while True:  # a mask can make the start of another secret stand out; each round leaves fewer bytes to mask
            spans = [
                (offset + start, offset + end)
                for offset, part in _windows(data)
                for start, end in (*self._learned_spans(part), *self_declared(part))
            ]
            masked = _masked(data, spans) if spans else data
            if masked is data:
                return data
            data = masked

    def _learned_spans(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Where learned values stand in `data`, in any of their forms, also when a line end splits them."""
        forms = self._forms
        if not forms or not data:
            return
        joined = data.translate(None, b"\r\n") if b"\n" in data or b"\r" in data else data
        there: dict[int, bool] = {}
        places: _Places | None = None
        for form in forms:
            if not all(_there(byte, joined, there) for byte in form.bytes_needed):
                continue
            at = joined.find(form.anchor)
            while at >= 0:
                start, end = form.extent(joined, at)
                if places is None:
                    places = _Places(data, len(joined))
                yield places.original(start), places.original(end - 1) + 1
                at = joined.find(form.anchor, max(at + 1, end))


def _windows(data: bytes) -> Iterator[tuple[int, bytes]]:
    """`data` in parts that overlap by more than any secret is long, so that a large output is never in memory twice."""
    if len(data) <= 2 * WINDOW:
        yield 0, data
        return
    for start in range(0, len(data), WINDOW):
        yield start, data[start : start + WINDOW + OVERLAP]


def _worth_hiding(value: bytes) -> bool:
    return len(value.decode("utf-8", "replace")) >= SHORTEST and value.strip(b"* \t\r\n") != b""


class _Places:
    """Where a byte of the text without line ends stands in the text with them."""

    __slots__ = ("_at", "_removed")

    def __init__(self, data: bytes, joined: int) -> None:
        self._at: list[int] = []
        self._removed: list[int] = []
        removed = 0
        if joined != len(data):
            for found in re.finditer(rb"[\r\n]+", data):
                self._at.append(found.start() - removed)
                removed += found.end() - found.start()
                self._removed.append(removed)

    def original(self, place: int) -> int:
        before = bisect_right(self._at, place)
        return place + self._removed[before - 1] if before else place


def _there(byte: int, text: bytes, known: dict[int, bool]) -> bool:
    """Whether `text` has `byte`: far cheaper than to look for a whole form, and mostly enough to rule it out."""
    if byte not in known:
        known[byte] = byte in text
    return known[byte]


def _variable(line: bytes) -> tuple[bytes, bytes]:
    """Name and value of a line of 6-4; an empty name and the whole line when it is a piece of another value."""
    found = _VARIABLE.fullmatch(line)
    if not found:
        return b"", line
    name, value = found["name"], found["value"]
    padded = not value.strip(b"=") and b"_" not in name and len(line) % 4 == 0
    if padded and name not in OPEN_SETTINGS:
        return b"", line  # the padding at the end of base64, not a variable without a value
    return name, value


def _is_open(name: bytes, value: bytes) -> bool:
    """Whether the variable of 6-4 is one whose value is shown."""
    if name in OPEN_SETTINGS:
        return True
    return bool(_SERVICE_NAME.fullmatch(name) and _SERVICE_VALUE.fullmatch(value))


def _shown(line: bytes) -> tuple[bytes, bytes]:
    """A line of 6-4 as its name with the `=`, and its value, which is a mask unless it may be shown."""
    body = line.rstrip(b"\r")
    name, value = _variable(body)
    if value and not (name and _is_open(name, value)):
        value = MASK
    return name + b"=" if name else b"", value + line[len(body) :]


def _masked(data: bytes, spans: list[tuple[int, int]]) -> bytes:
    """`data` with the `spans` masked; the same object when they are masked already."""
    spans.sort()
    pieces: list[bytes] = []
    done, changed = 0, False
    for begin, end in spans:
        start = max(begin, done)
        if end <= start:
            continue
        secret = data[start:end]
        mask = _mask(secret)
        changed = changed or mask != secret
        pieces += (data[done:start], mask)
        done = end
    if not changed:
        return data
    pieces.append(data[done:])
    return b"".join(pieces)


def _mask(secret: bytes) -> bytes:
    """One `*` for each character of `secret`, line ends kept."""
    if secret.isascii():
        if b"\n" not in secret and b"\r" not in secret:
            return b"*" * len(secret)
        return re.sub(rb"[^\r\n]", b"*", secret)
    try:
        secret.decode("utf-8")
    except UnicodeDecodeError:
        return re.sub(rb"[^\r\n]", b"*", secret)
    return re.sub(rb"[^\r\n]", b"*", re.sub(rb"[\x80-\xbf]", b"", secret))
