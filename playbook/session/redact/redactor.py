"""What may never reach disk, terminal or report: this package alone decides, and all that leaves passes it.

Three kinds of things are masked: values learned from the Secrets and from Step 6-4, wherever and in whatever form they
come back; text that says of itself that it is a secret (`password: …`, `Bearer …`, private keys); and, in free text, short
and ordinary values where they stand as whole words. Outside 6-4 a mask has one `*` for each character and line ends stay,
so that columns keep their places. What is learned lives in memory only.

How 6-4 is masked: names stay, values become `********`, except the settings of `OPEN_SETTINGS` and the variables that
Kubernetes makes of Services. A line that is not `NAME=value` is a piece of a value that had line ends, which `sort`
scattered: it is masked whole.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ...guide import ids
from ...model import Run
from .forms import LONG, Form, encodings_of, forms_of, forms_of_piece, pieces_of
from .freetext import is_free
from .patterns import self_declared
from .text import Text, windows
from .values import ORDINARY, SHORTEST, Named, is_open, is_strong, is_word, of_env, of_secrets, parts, variable

MASK = b"********"
BY_FORM = "(by its form)"
"""Stands for the name of what was masked without having been learned."""

_EVERY = 16
"""Of the pieces of a long value, each 16th is looked for; where one is found, all are."""

Span = tuple[int, int, str]


class Redactor:
    """Masks secrets and remembers those it has met; one for each session. Safe to share between threads."""

    __slots__ = ("_forms", "_lock", "_long", "_open", "_secret", "_words", "version")

    def __init__(self) -> None:
        self.version = 0
        """Rises whenever what is looked for changes: what was masked by the same version need not be masked again."""
        self._secret: dict[bytes, str] = {}
        self._open: frozenset[bytes] = ORDINARY
        self._forms: tuple[tuple[str, Form], ...] = ()
        self._long: tuple[tuple[str, tuple[Form, ...], bytes], ...] = ()
        self._words: re.Pattern[bytes] | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Redactor({len(self._secret)} values)"

    # learning

    def learn_from_secrets(self, listing: bytes) -> bool:
        """Remember the values in what `kubectl get secrets -o json` printed; False when that cannot be read."""
        found = of_secrets(listing)
        if found is not None:
            self._take(found)
        return found is not None

    def learn_from_env(self, stdout: bytes) -> bool:
        """Remember the secret values in the output of Step 6-4; True when one of them was not known before."""
        secret, settings = of_env(stdout)
        return self._take(secret, ordinary=settings)

    def learn(self, *values: bytes) -> bool:
        """Remember `values` as secrets, ordinary words among them too; True when one is new.

        Values that are too short, needed by parsers or already masked are not taken.
        """
        named = [each for value in values for each in parts("", value)]
        return self._take(named, certain=True)

    def _take(self, named: Iterable[Named], *, ordinary: frozenset[bytes] = frozenset(), certain: bool = False) -> bool:
        with self._lock:
            self._open |= ordinary
            known = self._secret
            secret = {value: name for value, name in known.items() if value not in self._open}
            for name, value in named:
                if value not in self._open and is_word(value) and (not certain or _length(value) >= SHORTEST):
                    secret.setdefault(value, name if not certain else f"{name}!")
            new = not secret.keys() <= known.keys()
            if new or len(secret) != len(known):
                self._secret = secret
                self._prepare()
                self.version += 1
            return new

    def _prepare(self) -> None:
        """What is looked for, worked out once for all texts."""
        forms: dict[tuple[bytes, bytes, bool], tuple[str, Form]] = {}
        long, words = [], []
        for value, tagged in sorted(self._secret.items()):
            certain, name = tagged.endswith("!"), tagged.rstrip("!")
            if len(value) > LONG:
                pieces = list(pieces_of(value))
                sentinels = tuple(form for piece in [*pieces[::_EVERY], pieces[-1]] for form in forms_of_piece(piece))
                long.append((name, sentinels, value))
                continue
            strong = is_strong(value) or certain
            if not strong:
                words.append(value)
            for form in forms_of(value) if strong else encodings_of(value):
                forms.setdefault((form.anchor, form.whole, form.backwards), (name, form))
        self._forms, self._long = tuple(forms.values()), tuple(long)
        by_length = sorted(words, key=len, reverse=True)
        self._words = re.compile(
            rb"(?<![\w./-])(?:" + b"|".join(map(re.escape, by_length)) + rb")(?![\w/-]|\.\w)"
        ) if words else None  # fmt: skip

    # masking

    def mask(self, run: Run) -> Run:
        """`run` with every secret masked, in both streams and in its note; the same object when there is none.

        The output of Step 6-4 teaches first, the Secrets' values teach and are never kept. What was recorded before has to
        be masked again: masking what is masked changes nothing, so a run that comes back as the same object needs no second
        writing.
        """
        return self.masked(run)[0]

    def masked(self, run: Run) -> tuple[Run, Counter[str]]:
        """As `mask`, and how often the value of which variable was masked."""
        counts: Counter[str] = Counter()
        if run.command == ids.SECRET_VALUES:
            if run.stdout:
                self.learn_from_secrets(run.stdout)
            return (replace(run, stdout=b"", stderr=b"") if run.stdout or run.stderr else run), counts
        if run.command == ids.ENV:
            self.learn_from_env(run.stdout)
            stdout = self.mask_env(run.stdout, counts)
        else:
            stdout = self.mask_bytes(run.stdout, free=is_free(run.command), counts=counts)
        stderr = self.mask_bytes(run.stderr, counts=counts)
        note = self.mask_text(run.note)
        if stdout is run.stdout and stderr is run.stderr and note is run.note:
            return run, counts
        return replace(run, stdout=stdout, stderr=stderr, note=note), counts

    def mask_env(self, stdout: bytes, counts: Counter[str] | None = None) -> bytes:
        """The output of Step 6-4 with its values masked, never its names; the same object when none is to be masked."""
        names, values = zip(*(_shown(line, counts) for line in stdout.split(b"\n")), strict=True)
        shown = self.mask_bytes(b"\n".join(values), free=False).split(
            b"\n"
        )  # a setting that is shown can hold a secret
        masked = b"\n".join(name + value for name, value in zip(names, shown, strict=True))
        return stdout if masked == stdout else masked

    def mask_text(self, text: str, *, free: bool = True) -> str:
        """As `mask_bytes`, for text."""
        data = text.encode("utf-8", "surrogatepass")
        masked = self.mask_bytes(data, free=free)
        return text if masked is data else masked.decode("utf-8", "surrogatepass")

    def mask_bytes(self, data: bytes, *, free: bool = True, counts: Counter[str] | None = None) -> bytes:
        """`data` with one `*` for each character of a secret, line ends kept; the same object when there is none.

        In `free` text also short and ordinary values, where they stand as whole words. `counts` is added to.
        """
        while True:  # a mask can make the start of another secret stand out; each round leaves fewer bytes to mask
            spans = [
                (offset + start, offset + end, name)
                for offset, part in windows(data)
                for start, end, name in self._spans(part, free)
            ]
            masked = _masked(data, spans, counts) if spans else data
            if masked is data:
                return data
            data = masked

    def _spans(self, data: bytes, free: bool) -> Iterator[Span]:
        if data:
            yield from self._learned_spans(data)
            yield from ((start, end, BY_FORM) for start, end in self_declared(data))
            if free and self._words:
                named = self._secret
                yield from (
                    (*found.span(), named.get(found[0], "").rstrip("!")) for found in self._words.finditer(data)
                )

    def _learned_spans(self, data: bytes) -> Iterator[Span]:
        """Where learned values stand in `data`, in any of their forms, also when a line end splits them."""
        if not self._forms and not self._long:
            return
        text = Text(data)
        for name, form in self._forms:
            yield from ((start, end, name) for start, end in text.find(form))
        for name, sentinels, value in self._long:
            if any(next(text.find(form), None) for form in sentinels):
                pieces = (form for piece in pieces_of(value) for form in forms_of_piece(piece))
                yield from ((start, end, name) for form in pieces for start, end in text.find(form))


def _shown(line: bytes, counts: Counter[str] | None) -> tuple[bytes, bytes]:
    """A line of 6-4 as its name with the `=`, and its value, which is a mask unless it may be shown."""
    body = line.rstrip(b"\r")
    name, value = variable(body)
    if value and not (name and is_open(name, value)):
        if counts is not None:
            counts[name.decode() or "6-4"] += value != MASK
        value = MASK
    return name + b"=" if name else b"", value + line[len(body) :]


def _masked(data: bytes, spans: list[Span], counts: Counter[str] | None) -> bytes:
    """`data` with the `spans` masked; the same object when they are masked already."""
    spans.sort(key=lambda span: (span[0], -span[1]))
    pieces: list[bytes] = []
    done, changed = 0, False
    for begin, end, name in spans:
        start = max(begin, done)
        if end <= start:
            continue
        secret = data[start:end]
        mask = _mask(secret)
        if mask != secret:
            changed = True
            if counts is not None and begin >= done:
                counts[name] += 1
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


def _length(value: bytes) -> int:
    """In characters."""
    return len(value.decode("utf-8", "replace"))


def summed(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts by variable without those of nothing, in the order of the names."""
    return {name: n for name, n in sorted(counts.items()) if n}
