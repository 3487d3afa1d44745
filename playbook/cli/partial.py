"""The verbs that look at a part of the guide: step, summary, watch."""

from __future__ import annotations

import re
import time

import click

from .. import api
from ..errors import EXIT_OF, SessionLocked, UsageError
from ..guide import ids
from ..guide.catalog import require_step
from ..model import Overall, Runs, Session, Verdict
from ..output import terminal
from ..output.columns import clean
from ..session.store import state_directory
from ..steps.step9_stability import newest_unread
from ..text import msg
from . import complete
from .console import Console, Form
from .dry_run import show_commands
from .guesses import meant
from .options import (
    dry_run_option,
    jobs_option,
    lang_option,
    option,
    output_option,
    quiet_option,
    restart_option,
    state_option,
    verb,
    verbose_option,
)
from .run import carry_out
from .streams import notify
from .systemd import script


@verb(
    "step",
    """\b
    Examples:
      playbook step 3        Step 3 as part of the open session
      playbook step 3-4      runs one sub-step; nothing is kept
      playbook step 9 -q     a sample by a cron job: the verdict alone
    """,
)
@click.argument("step", metavar="STEP", shell_complete=complete.sub_steps)
@restart_option
@jobs_option
@dry_run_option
@verbose_option
@quiet_option
@output_option
@state_option
@lang_option
def step_verb(
    step: str,
    allow_restart: bool,
    jobs: int | None,
    dry_run: bool,
    verbose: bool,
    quiet: bool,
    form: Form,
    state_dir: str | None,
) -> int:
    """Carry out one step (3), or check one sub-step (3-4).

    A whole step counts in the open session, as with `all`; Step 0 is run first, to know which cluster it is. A
    sub-step is only looked at.
    """
    number, _, part = step.partition("-")
    if step not in complete.known_steps() and (question := meant(step, complete.known_steps())):
        raise UsageError(msg("there is no Step {step}", step=step), question)
    require_step(number)
    if dry_run:
        return show_commands([step], form)
    if not part:
        return carry_out(allow_restart, form, state_dir, verbose=verbose, quiet=quiet, only=number, jobs=jobs)
    with Console(form, quiet=quiet) as console:

        def findings(session: Session) -> str:
            found = session.result(number).findings
            return "\n\n".join(terminal.problem(session, finding, colour=console.colour) for finding in found)

        session = api.check_substep(step, cancel=console.cancel, listener=console)
        console.outcome(session, findings)
    return int(EXIT_OF[session.overall])


@verb("summary")
@lang_option
def summary_verb() -> int:
    """Run the guide's one-line summary and show it: pods, PVCs, Secrets, Services, the latest events."""
    with Console() as console:
        run = api.run_command(ids.SUMMARY, cancel=console.cancel, listener=console)
        console.result(clean(run.out).rstrip("\n"))
        if run.exit_code == 0 and not run.out.strip():
            console.notice(msg("neither the Secrets nor Step 6-4 could be read: free text is not shown"))
        if run.err:
            console.notice(run.err.rstrip("\n"))
    return 0 if run.exit_code == 0 else 3


@verb(
    "watch",
    """\b
    Examples:
      playbook watch --every 15m                       in tmux
      playbook watch --every 15m --print-unit | bash   by a systemd user timer
    """,
)
@option("--every", default="15m", show_default=True, metavar="TIME", help="Time between samples: 90s, 15m, 1h.")
@option("--print-unit", is_flag=True, help="Print a script instead, which makes a systemd user timer.")
@state_option
@lang_option
def watch_verb(every: str, print_unit: bool, state_dir: str | None) -> int:
    """Add samples to Step 9 until this terminal closes.

    It is optional: Step 9 is judged by the baseline and whatever samples there are. Ends by itself once Step 9 is
    judged, or with Ctrl-C.
    """
    seconds = _seconds(every)
    if print_unit:
        click.echo(script(state_directory(state_dir).resolve(), seconds), nl=False)
        return 0
    while True:
        begun = time.monotonic()
        try:
            code = carry_out(False, "text", state_dir, only="9")
        except SessionLocked as busy:  # by an `all`, which takes a sample, too
            notify(busy.message)
        else:
            if code != int(EXIT_OF[Overall.PENDING]) and not _may_be_read_later(state_dir):
                return code
        notify(msg("the next sample follows in {time}; Ctrl-C ends the watch", time=every))
        time.sleep(max(0.0, seconds - (time.monotonic() - begun)))


def _may_be_read_later(state_dir: str | None) -> bool:
    """Whether all that Step 9 lacks is a sample that can be read: the next one may be."""
    session = api.current_session(state_dir)
    result = session.result("9") if session and not session.abort else None
    return bool(result and result.verdict is Verdict.INCONCLUSIVE and newest_unread(Runs(result.runs)))


def _seconds(text: str) -> int:
    found = re.fullmatch(r"(\d+)([smh])", text)
    if not found or int(found[1]) == 0:
        raise UsageError(msg("{text} is not a time", text=text), msg("write it as 90s, 15m or 1h"))
    return int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]
