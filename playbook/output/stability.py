"""Step 9's ledger in the report: a row for each pod of each sample, and the restarts as a plot."""

from __future__ import annotations

from collections.abc import Sequence

from ..guide import ids
from ..model import Runs, Session
from ..steps.step9_stability import Sample, ledger
from .columns import one_line, pad, width
from .escaping import code, text
from .labels import moment

_BARS = "▁▂▃▄▅▆▇█"


def samples_of(session: Session) -> tuple[tuple[Sample, ...], int]:
    """The samples, oldest first, and how many more were taken that could not be read."""
    runs = Runs(session.result("9").runs)
    samples = ledger(runs)
    return samples, sum(run.happened for run in runs.all(ids.POD_SAMPLE)) - len(samples)


def ledger_rows(samples: Sequence[Sample]) -> list[tuple[str, ...]]:
    """Moment, pod, status, restarts, start, and JSONL files of the last 24 hours."""
    return [
        (
            moment(sample.at),
            code(pod.name, cell=True),
            text(pod.status),
            "?" if pod.restarts is None else str(pod.restarts),
            text(pod.started),
            "-" if sample.recent_files is None else str(sample.recent_files),
        )
        for sample in samples
        for pod in sample.pods
    ]


def plot(samples: Sequence[Sample]) -> str:
    """Restarts over the samples, a line for each pod; `·` where a sample does not have it."""
    counts: dict[str, list[int | None]] = {}
    for place, sample in enumerate(samples):
        for pod in sample.pods:
            counts.setdefault(pod.name, [None] * len(samples))[place] = pod.restarts
    if len(samples) < 2 or not counts:
        return ""
    top = max((n for values in counts.values() for n in values if n is not None), default=0)
    widest = max(map(width, counts))
    return "\n".join(
        f"{pad(one_line(name), widest)}  {sparkline(values, top)}  {_ends(values)}" for name, values in counts.items()
    )


def _ends(values: Sequence[int | None]) -> str:
    known = [str(n) for n in values if n is not None]
    return f"{known[0]} → {known[-1]}" if len(known) > 1 else "".join(known) or "?"


def sparkline(values: Sequence[int | None], top: int) -> str:
    """Numbers as bars, `top` being the highest.

    >>> sparkline([0, 1, None, 3], 3)
    '▁▃·█'
    """
    return "".join("·" if n is None else _BARS[round(n / top * (len(_BARS) - 1)) if top else 0] for n in values)
