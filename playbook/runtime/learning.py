"""Learn first: the values that are to be masked are read beside the first commands, before anything is kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ..guide.own_commands import SECRET_VALUES
from ..model import Run
from .background import in_background

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
    return in_background(partial(workplace.runner.run, SECRET_VALUES)).result
