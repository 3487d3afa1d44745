"""One attempt at the guide, told at the terminal: what `all`, `step` and `watch` have in common."""

from __future__ import annotations

from typing import Any

from .. import api
from ..errors import EXIT_OF
from ..output.status import next_command
from ..runtime.cancel import CancelToken
from ..runtime.environment import has_tool
from ..session.store import SessionStore, state_directory
from ..text import msg
from .console import Console


def carry_out(allow_restart: bool, form: str, state_dir: str | None, **how: Any) -> int:
    """Run the guide as `api.run` does with `how`, write the report, print in the given form; returns the exit status."""
    cancel = CancelToken()
    console = Console(cancel, results=form == "text", allow_restart=allow_restart, meanwhile=_make_templates_ready)
    with console.handle_signals():
        if not has_tool("jq"):
            console.tell(msg("jq is not installed: Step 3-4 takes the guide's python3 variant"))
        session = api.run(state_dir=state_dir, listener=console, cancel=cancel, **how)
        path = SessionStore(state_directory(state_dir)).folder(session.id) / "report.md"
        api.save(api.render(session), path)
        if form == "text":
            console.summary(session)
            console.result(str(msg("report: {path}", path=str(path))))
            console.tell(msg("next: {command}", command=next_command(session)))
        else:
            console.result(api.render(session, "json" if form == "json" else "junit").rstrip("\n"))
            console.tell(msg("report: {path}", path=str(path)))
    return int(EXIT_OF[session.overall])


def _make_templates_ready() -> None:
    from ..output.markdown import warm_up

    warm_up()
