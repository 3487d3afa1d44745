"""Figures taken in pairs, A B A B …, so that a drift of the machine meets both sides."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence


def seconds(command: Sequence[str], env: Mapping[str, str]) -> float:
    """Wall time of one run, output thrown away."""
    begin = time.perf_counter()
    subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    return time.perf_counter() - begin


def pairs(one: Callable[[], float], other: Callable[[], float], count: int) -> tuple[list[float], list[float]]:
    """`count` times the one and then the other, after one of each that is not counted."""
    one(), other()
    taken = [(one(), other()) for _ in range(count)]
    return [a for a, _ in taken], [b for _, b in taken]


def spread(values: Sequence[float], unit: str = " s", digits: int = 2) -> str:
    """Median, smallest and largest.

    >>> spread([3, 1, 2])
    '2.00 s (1.00 to 3.00)'
    """
    return f"{statistics.median(values):.{digits}f}{unit} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def comparison(one: Sequence[float], other: Sequence[float], digits: int = 2) -> str:
    """Both sides and their ratio pair by pair; of each the median, the smallest and the largest.

    >>> comparison([2, 4], [1, 3])
    'a 3.00 s (2.00 to 4.00), b 2.00 s (1.00 to 3.00), b/a 0.62 (0.50 to 0.75), 2 pairs'
    """
    ratios = [b / a for a, b in zip(one, other, strict=True)]
    sides = f"a {spread(one, digits=digits)}, b {spread(other, digits=digits)}"
    return f"{sides}, b/a {spread(ratios, '')}, {len(ratios)} pairs"
