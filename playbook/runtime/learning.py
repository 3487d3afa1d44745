"""Learn first: the values that are to be masked are read beside the first commands, before anything is kept."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ..guide.own_commands import SECRET_VALUES
from ..model import Run

if TYPE_CHECKING:
    from .execution import Workplace


def learning(workplace: Workplace) -> Callable[[], Run]:
    """Begin `kubectl get secrets`, unless it was begun; the result gives its run, waited for. For memory only.

    With one job it is carried out when it is asked for.
    """
    ahead = workplace.prefetched
    if ahead is not None and ahead.has(SECRET_VALUES.key):
        return lambda: ahead.take(SECRET_VALUES.key)
    if workplace.jobs <= 1:
        return lambda: workplace.runner.run(SECRET_VALUES)
    pool = ThreadPoolExecutor(1)
    future = pool.submit(workplace.runner.run, SECRET_VALUES)
    pool.shutdown(wait=False)
    return future.result
