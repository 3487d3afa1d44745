"""The types that tell what was masked, and what was not kept."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Masked:
    """That the value of a variable stood in what was printed."""

    name: str  # of the variable; `(by its form)` for text that says of itself that it is a secret
    times: int
    runs: tuple[str, ...]  # the outputs: names as in the recording, without `.out` and `.err`


@dataclass(frozen=True, slots=True)
class Withheld:
    """A stream that was not kept, because what is to be masked in it could not be read."""

    run: str  # name as in the recording
    stream: str  # `out` or `err`
    size: int  # bytes
    sha256: str
