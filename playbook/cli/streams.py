"""Where the program talks, and whether in colour. Results go to standard output, talk to standard error."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def notify(*lines: object) -> None:
    """Talk: to standard error. Without a reader nothing is said any more; the exit status stays the verdict's."""
    try:
        print(*lines, sep="\n", file=sys.stderr, flush=True)
    except OSError:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - the old one's buffer would fail again at exit


def is_lively(stream: TextIO) -> bool:
    """Whether `stream` is a terminal that obeys escape sequences."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def is_colourful(stream: TextIO) -> bool:
    """Whether to colour what goes to `stream`."""
    return is_lively(stream) and not os.environ.get("NO_COLOR")
