"""One attempt at the guide, told at the terminal: what `all`, `step`, `fix` and `watch` have in common."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Any

from .. import api
from ..errors import EXIT_OF
from ..model import NAMESPACE, Verdict
from ..output.columns import at_words
from ..output.markdown import warm_up
from ..output.status import next_line
from ..runtime.environment import has_tool
from ..session.store import operator
from ..text import msg
from .console import Console, Form


def carry_out(
    allow_restart: bool, form: Form, state_dir: str | None, *, verbose: bool = False, quiet: bool = False, **how: Any
) -> int:
    """Run the guide as `api.run` does with `how`, write the report, print in the given form; returns the exit status."""
    told = {"verbose": verbose, "quiet": quiet}
    with Console(form, allow_restart=allow_restart, meanwhile=warm_up, **told) as console:
        if not has_tool("jq"):
            console.notice(msg("jq is not installed: Step 3-4 takes the guide's python3 variant"))
        if form == "text":
            about = msg(
                "namespace {namespace}, kubectl {kubectl}, run by {operator}",
                namespace=NAMESPACE,
                kubectl=shutil.which("kubectl") or "-",
                operator=operator(),
            )
            console.notice(at_words(about))
        session = api.run(state_dir=state_dir, listener=console, cancel=console.cancel, **how)
        path = api.session_folder(state_dir, session.id) / "report.md"
        api.save(api.render(replace(session, scope=())), path)  # the report is of the session, not of one step
        console.outcome(session)
        if not quiet and any(
            result.step == "0" and result.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE) for result in session.results
        ):
            from .doctor import tell_what_is_wrong  # noqa: PLC0415 - only for a cluster that was not reached

            tell_what_is_wrong(state_dir)
        report = msg("report: {path}", path=str(path))
        if form == "text" and not quiet:
            console.result(at_words(report))
            if onwards := next_line(session):
                console.notice(onwards)
        else:
            console.notice(report)
    return int(EXIT_OF[session.overall])
