"""`all --plan`: what an attempt would change on this cluster; nothing is changed, nothing is kept."""

from __future__ import annotations

from .. import api
from ..errors import UsageError
from ..output.plan import plan_text
from ..text import msg
from .console import Console, Form


def show_plan(form: Form, state_dir: str | None, *, fresh: bool, start: str | None, until: str) -> int:
    """Print the plan; the exit status is 0 whatever it says. Raises UsageError for another form than text."""
    if form != "text":
        raise UsageError(msg("a plan is for people: it has no other form than text"), msg("leave out --output"))
    with Console(form, steps_are_results=False) as console:
        plan = api.plan(
            state_dir=state_dir, fresh=fresh, start=start, until=until, listener=console, cancel=console.cancel
        )
        console.result(plan_text(plan))
        console.notice(msg("Only commands that change nothing were run, and nothing was kept."))
    return 0
