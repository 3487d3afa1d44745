"""Carry out a written kubectl verification guide, judge what it printed, and render a report that can be signed.

    import playbook

    session = playbook.replay(playbook.scenario("healthy"))
    print(session.overall, playbook.render(session))

The names below are the library; everything else is how it is made.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

if sys.argv[:1] == ["-m"]:  # `python -m playbook`
    if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
        del sys.path[0]  # the working folder, which it looks into first, also for what is Python's own
    _named = os.environ.get("PYTHONPATH")
    try:
        _given = {os.path.abspath(place) for place in _named.split(os.pathsep)} if _named else set()  # noqa: PTH100
    except OSError:  # the working folder is gone
        _given = set()
    sys.path.sort(key=_given.__contains__)  # PYTHONPATH comes last, after Python's own and the libraries

from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .api import (
        commands,
        current_session,
        judge,
        recorded_run,
        recorded_runs,
        recorded_session,
        render,
        render_finding,
        replay,
        rows,
        run,
        run_command,
        scenario,
    )
    from .errors import PlaybookError, UnreadableText
    from .kubectl.cells import Port
    from .kubectl.cluster import ControlPlane, Namespace, Node
    from .kubectl.events import Event
    from .kubectl.health import Answer
    from .kubectl.logs import Record
    from .kubectl.pods import Pod, PodSample
    from .kubectl.secrets import SealedSecret, SecretRow
    from .kubectl.services import Service
    from .kubectl.settings import Key, Variable
    from .kubectl.storage import Claim, Mount
    from .model import Cause, Command, Finding, Overall, Run, Session, StepResult, Verdict
    from .steps.parsing import FailedRun

_WHERE = {
    "api": "commands current_session judge recorded_run recorded_runs recorded_session render render_finding replay"
    " rows run run_command scenario",
    "errors": "PlaybookError UnreadableText",
    "kubectl.cells": "Port",
    "kubectl.cluster": "ControlPlane Namespace Node",
    "kubectl.events": "Event",
    "kubectl.health": "Answer",
    "kubectl.logs": "Record",
    "kubectl.pods": "Pod PodSample",
    "kubectl.secrets": "SealedSecret SecretRow",
    "kubectl.services": "Service",
    "kubectl.settings": "Key Variable",
    "kubectl.storage": "Claim Mount",
    "model": "Cause Command Finding Overall Run Session StepResult Verdict",
    "steps.parsing": "FailedRun",
}
_MODULE_OF = {name: module for module, names in _WHERE.items() for name in names.split()}

__all__ = [
    "Answer",
    "Cause",
    "Claim",
    "Command",
    "ControlPlane",
    "Event",
    "FailedRun",
    "Finding",
    "Key",
    "Mount",
    "Namespace",
    "Node",
    "Overall",
    "PlaybookError",
    "Pod",
    "PodSample",
    "Port",
    "Record",
    "Run",
    "SealedSecret",
    "SecretRow",
    "Service",
    "Session",
    "StepResult",
    "UnreadableText",
    "Variable",
    "Verdict",
    "__version__",
    "commands",
    "current_session",
    "judge",
    "recorded_run",
    "recorded_runs",
    "recorded_session",
    "render",
    "render_finding",
    "replay",
    "rows",
    "run",
    "run_command",
    "scenario",
]


def __getattr__(name: str) -> Any:
    """Import a name of the library when it is first asked for: `show` and `list` start without the rest."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
