"""Carry out a written kubectl verification guide, judge what it printed, and render a report that can be signed.

    import playbook

    session = playbook.replay(playbook.scenario("healthy"))
    print(session.overall, playbook.render(session))

The names below are the library; everything else is how it is made.
"""

from __future__ import annotations

import sys
from importlib import import_module

if sys.argv[:1] == ["-m"] and not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
    del sys.path[0]  # `python -m playbook` looks into the working folder first, also for what is Python's own

from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .api import current_session, judge, recorded_session, render, replay, run, scenario
    from .errors import PlaybookError
    from .model import Cause, Finding, Overall, Run, Session, StepResult, Verdict

_WHERE = {
    **dict.fromkeys(("current_session", "judge", "recorded_session", "render", "replay", "run", "scenario"), "api"),
    **dict.fromkeys(("Cause", "Finding", "Overall", "Run", "Session", "StepResult", "Verdict"), "model"),
    "PlaybookError": "errors",
}

__all__ = [
    "Cause",
    "Finding",
    "Overall",
    "PlaybookError",
    "Run",
    "Session",
    "StepResult",
    "Verdict",
    "__version__",
    "current_session",
    "judge",
    "recorded_session",
    "render",
    "replay",
    "run",
    "scenario",
]


def __getattr__(name: str) -> Any:
    """Import a name of the library when it is first asked for: `show` and `list` start without the rest."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_WHERE[name]}", __name__), name)
