"""The verb `all`. It has kubectl at work before the rest of the program is imported, so this module imports little."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..guide.catalog import require_step
from ..runtime.start import open_store
from . import complete
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

if TYPE_CHECKING:
    from .console import Form


@verb(
    "all",
    """\b
    Examples:
      playbook all                   everything but the restarts of Step 8
      playbook all --allow-restart   everything; Step 9 then waits for 24 hours
      playbook all                   a day later: judges Step 9, same session
      playbook all --from 6          runs Steps 6 to 9 again in any case
      playbook all --plan            what it would change; changes nothing
      playbook all --fresh           begins a new session; the old one is kept
    """,
)
@restart_option
@option("--fresh", is_flag=True, help="Begin a new session; the old one is kept.")
@option(
    "--from",
    "start",
    metavar="STEP",
    shell_complete=complete.steps,
    help="Run this step and the later ones in any case.",
)
@option(
    "--until",
    metavar="STEP",
    default="9",
    show_default=True,
    shell_complete=complete.steps,
    help="End after this step.",
)
@jobs_option
@option(
    "--plan",
    "only_plan",
    is_flag=True,
    help="Change nothing: show each command that would change the cluster, what it touches, and what is in its way.",
)
@dry_run_option
@option("--no-diagnose", is_flag=True, help="Do not walk the guide's decision trees after a failure.")
@verbose_option
@quiet_option
@output_option
@state_option
@lang_option
def all_verb(
    allow_restart: bool,
    fresh: bool,
    start: str | None,
    until: str,
    jobs: int | None,
    only_plan: bool,
    dry_run: bool,
    no_diagnose: bool,
    verbose: bool,
    quiet: bool,
    form: Form,
    state_dir: str | None,
) -> int:
    """Carry out the guide, Steps 0 to 9, and write the report.

    Continues the open session: what failed, was not reached or no longer counts is run again, the rest is kept. Stops
    where the guide says stop. Ctrl-C at any time: nothing is left running, and the same command goes on from there.
    """
    for step in filter(None, (start, until)):
        require_step(step)
    if dry_run:
        from .dry_run import show_commands  # noqa: PLC0415 - as below

        return show_commands((step for step in "0123456789" if (start or "0") <= step <= until), form)
    if only_plan:
        from .plan import show_plan  # noqa: PLC0415 - as below

        return show_plan(form, state_dir, fresh=fresh, start=start, until=until)
    with open_store(state_dir, fresh=fresh, until=until, jobs=jobs) as under_way:
        from .run import carry_out  # noqa: PLC0415 - kubectl is at work from here on, while the rest is imported

        how = {"fresh": fresh, "start": start, "until": until, "jobs": jobs, "diagnose": not no_diagnose}
        return carry_out(allow_restart, form, state_dir, verbose=verbose, quiet=quiet, started=under_way, **how)
