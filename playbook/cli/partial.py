"""The verbs that look at a part of the guide: step, summary, watch."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

import click

from .. import api
from ..errors import EXIT_OF, SessionLocked, UsageError
from ..guide import ids
from ..guide.catalog import require_step
from ..model import Overall
from ..runtime.cancel import CancelToken
from ..session.store import state_directory
from ..text import msg
from . import complete
from .console import Console
from .i18n import lang_option, option, output_option, state_option, verb
from .run import carry_out


@verb(
    "step",
    """\b
    Examples:
      playbook step 3        Step 3 as part of the open record
      playbook step 3-4      a look at one sub-step; nothing is recorded
    """,
)
@click.argument("step", metavar="STEP", shell_complete=complete.sub_steps)
@option("--allow-restart", is_flag=True, help="Let Step 8 delete the pods, after its own checks; else asked for.")
@option("--jobs", type=click.IntRange(1, 16), help="Commands at a time. [default: the cores]")
@output_option
@state_option
@lang_option
def step_verb(step: str, allow_restart: bool, jobs: int | None, form: str, state_dir: str | None) -> int:
    """Carry out one step (3), or look at one sub-step (3-4).

    A whole step counts in the open record, as with `all`; Step 0 is looked at first, to know which cluster it is. A
    sub-step is only looked at.
    """
    number, _, part = step.partition("-")
    require_step(number)
    if not part:
        return carry_out(allow_restart, form, state_dir, only=number, jobs=jobs)
    cancel = CancelToken()
    console = Console(cancel, results=False)
    with console.handle_signals():
        session = api.check_substep(step, cancel=cancel, listener=console)
        if form == "text":
            from ..output import terminal

            blocks = [
                terminal.problem(session, finding, colour=console.colour) for finding in session.result(number).findings
            ]
            console.result("\n\n".join(blocks))
        else:
            console.result(api.render(session, "json" if form == "json" else "junit").rstrip("\n"))
    return int(EXIT_OF[session.overall])


@verb("summary")
@lang_option
def summary_verb() -> int:
    """Run the guide's one-line summary and show it: pods, PVCs, Secrets, Services, the latest events."""
    cancel = CancelToken()
    console = Console(cancel)
    with console.handle_signals():
        run = api.run_one(ids.SUMMARY, cancel=cancel, listener=console)
        console.result(run.out.rstrip("\n"))
        if run.err:
            console.tell(run.err.rstrip("\n"))
    return 0 if run.exit_code == 0 else 3


_UNIT = """# {service}
[Unit]
Description=A sample for Step 9 of the Phase 0 verification

[Service]
Type=oneshot
{environment}
WorkingDirectory={folder}
ExecStart={command}
# 1: failed, 3: incomplete, 4: aborted, 5: pending; all are recorded, and `playbook status` tells
SuccessExitStatus=1 3 4 5

# {timer}
[Unit]
Description=Samples for Step 9 of the Phase 0 verification

[Timer]
OnActiveSec=0
OnUnitActiveSec={seconds}s

[Install]
WantedBy=timers.target
"""


@verb(
    "watch",
    """\b
    Examples:
      playbook watch --every 15m                 in tmux or a terminal that stays
      playbook watch --every 15m --print-unit    a systemd user timer that does the same
    """,
)
@option("--every", default="15m", show_default=True, metavar="TIME", help="Time between samples: 90s, 15m, 1h.")
@option("--print-unit", is_flag=True, help="Print a systemd user service and timer instead.")
@state_option
@lang_option
def watch_verb(every: str, print_unit: bool, state_dir: str | None) -> int:
    """Add samples to Step 9 while this terminal lives.

    Nothing depends on it: Step 9 is judged by the baseline and whatever samples there are. Ends by itself once Step 9 is
    judged, or with Ctrl-C.
    """
    seconds = _seconds(every)
    if print_unit:
        click.echo(_unit(state_directory(state_dir).resolve(), seconds), nl=False)
        return 0
    while True:
        begun = time.monotonic()
        try:
            code = carry_out(False, "text", state_dir, only="9")
        except SessionLocked as busy:  # by an `all`, which takes a sample, too
            Console(CancelToken()).tell(busy.message)
        else:
            if code != int(EXIT_OF[Overall.PENDING]) and not _may_be_read_later(state_dir):
                return code
        Console(CancelToken()).tell(msg("the next sample follows in {time}; Ctrl-C ends the watch", time=every))
        time.sleep(max(0.0, seconds - (time.monotonic() - begun)))


def _may_be_read_later(state_dir: str | None) -> bool:
    """Whether all that Step 9 lacks is a sample that can be read: the next one may be."""
    from ..model import Runs, Verdict
    from ..steps.step9_stability import newest_unread

    session = api.current_session(state_dir)
    result = session.result("9") if session and not session.abort else None
    return bool(result and result.verdict is Verdict.INCONCLUSIVE and newest_unread(Runs(result.runs)))


def _unit(state: Path, seconds: int) -> str:
    """The systemd user service and timer: the same program, kubectl, cluster and record as here and now."""
    packed = sys.argv[0].endswith(".pyz")
    program = [str(Path(sys.argv[0]).resolve())] if packed else ["-m", "playbook"]
    folder = Path.home() if packed else Path(api.__file__).resolve().parents[1]
    words = [sys.executable, *program, "step", "9", "--state-dir", str(state)]
    known = {name: os.environ[name] for name in ("PATH", "KUBECONFIG") if os.environ.get(name)}
    return _UNIT.format(
        service="~/.config/systemd/user/playbook-sample.service",
        timer="~/.config/systemd/user/playbook-sample.timer",
        environment="\n".join(f"Environment={_quoted(f'{name}={value}')}" for name, value in known.items()),
        folder=str(folder).replace("%", "%%"),
        command=" ".join(_quoted(word).replace("$", "$$") for word in words),
        seconds=seconds,
    )


def _quoted(word: str) -> str:
    """`word` as systemd reads it."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return escaped if re.fullmatch(r"[\w./:=%@+,-]+", escaped) else f'"{escaped}"'


def _seconds(text: str) -> int:
    found = re.fullmatch(r"(\d+)([smh])", text)
    if not found or int(found[1]) == 0:
        raise UsageError(msg("{text} is not a time", text=text), msg("write it as 90s, 15m or 1h"))
    return int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]
