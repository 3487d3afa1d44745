"""The command line: the only part of the program that prints or exits.

Each verb lives in a module of this package that is imported when the verb is used, so that `show` and `--help` start at once.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from importlib import import_module

import click

from ..errors import Exit, Interrupted, PlaybookError
from ..text import LANGUAGES, PROGRAM, language_from, msg, use_language, use_program
from ..version import __version__
from .i18n import HelpfulGroup, show_mistake
from .options import language_option, option
from .streams import fit_locale, notify, shows_korean

_VERBS = {
    "all": ("all", "Carry out the guide, Steps 0 to 9, and write the report."),
    "step": ("partial", "Carry out one step (3) or check one sub-step (3-4)."),
    "summary": ("partial", "Run the guide's one-line summary and show it."),
    "watch": ("partial", "Add samples to Step 9 until this terminal closes."),
    "status": ("inspect", "Show where the verification stands and what to type next."),
    "list": ("show", "List every step and command id."),
    "show": ("show", "Print the exact text of a command or step."),
    "sessions": ("sessions", "List the sessions there are, and which is current."),
    "audit": ("inspect", "Compare commands/ with the guide document."),
    "demo": ("offline", "Replay a recording that ships with the program."),
    "replay": ("offline", "Judge a recording, offline."),
    "diff": ("offline", "Show what changed between two sessions or recordings."),
    "report": ("signoff", "Render the report of a session or a recording."),
    "sign": ("signoff", "Sign a pack as operator or reviewer: accepted or rejected."),
    "verify-pack": ("signoff", "Check a pack made by `report --pack`, offline."),
    "waive": ("signoff", "Accept one finding as it is, by name and reason."),
    "diagnose": ("repair", "Walk the guide's decision trees for what failed."),
    "doctor": ("doctor", "Show whether this machine and this user have what a verification needs."),
    "fix": ("repair", "Create what the guide creates by hand."),
    "completion": ("show", "Print the completion script for a shell."),
}
"""Verb, the module it lives in, and what `--help` says of it."""


class Verbs(HelpfulGroup):
    """Finds a verb without importing the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs in the order of a verification."""
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb, its module imported now."""
        if cmd_name not in _VERBS:
            return None
        module = import_module(f".{_VERBS[cmd_name][0]}", __name__)
        found = getattr(module, cmd_name.replace("-", "_") + "_verb")
        return found if isinstance(found, click.Command) else None

    def line_of(self, verb: str) -> str:
        """The line of a verb in `--help`, without importing it."""
        return _VERBS[verb][1]


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="""
Exit status: 0 complete, 1 failed, 2 wrong usage or a refusal, 3 incomplete, 4 aborted by a criterion of the guide,
5 pending (all is well, the 24 hours are not over), 70 an error of the program itself, 130 interrupted.

Environment: KUBECONFIG (as kubectl reads it), PLAYBOOK_STATE_DIR, POSTGRES_USER and POSTGRES_DB (Step 8-4), NO_COLOR,
LC_ALL, LC_MESSAGES and LANG (English or Korean).

\b
First steps:
  playbook demo                  see a whole run without a cluster
  playbook all                   verify the cluster; nothing is restarted
  playbook all --allow-restart   the same with Step 8's restarts
  playbook show 3-4 | bash       one command of the guide, byte for byte""",
)
@language_option(help="Language of the program and its reports; else by LC_ALL, LC_MESSAGES, LANG.")
@option(
    "--state-dir",
    metavar="DIR",
    envvar="PLAYBOOK_STATE_DIR",
    help="Where sessions are kept; else $XDG_STATE_HOME/playbook or ~/.local/state/playbook.",
)
@click.version_option(__version__, prog_name="playbook")
@click.pass_context
def root(ctx: click.Context, state_dir: str | None) -> None:
    """Carry out the Phase 0 verification guide of Observer on a K3s cluster.

    The guide's kubectl commands are run byte for byte, in the guide's order; what they print is judged, recorded and
    rendered as a Markdown report that a second person can sign. Nothing is restarted unless you allow it.
    """
    ctx.obj = state_dir


def main() -> None:
    """The entry point of `playbook` and `python -m playbook`: runs a verb and exits."""
    # What is imported stays: looking through it for cycles again and again, and once more at the end, takes 70 ms.
    gc.set_threshold(50_000, 20, 20)
    atexit.register(gc.freeze)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # started without it
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115
    fit_locale()
    threading.stack_size(1 << 20)  # 8 MiB each by default: what counts where address space is limited
    use_language(language_from() if shows_korean() else LANGUAGES[0])
    sys.exit(_ended())


def _ended() -> int:
    """Run a verb; returns the exit status, whatever happens."""
    try:
        return _run_verb()
    except (KeyboardInterrupt, click.Abort):
        return int(Exit.INTERRUPTED)
    except Exception as error:
        from .crash import unforeseen  # noqa: PLC0415 - never needed, one hopes

        return unforeseen(error)


def _run_verb() -> int:
    try:
        program = os.environ.pop("PLAYBOOK_STARTED_AS", "") or started_as(sys.orig_argv[0], sys.argv[0])
        use_program(program)
        status = int(root.main(prog_name=program, standalone_mode=False) or 0)
        sys.stdout.flush()
        return status
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        show_mistake(error)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + 13
    except Interrupted as error:
        notify(f"playbook: {error.message}", f"  {msg('`{program} all` goes on from here')}")
        return 128 + error.signal
    except PlaybookError as error:
        notify(f"playbook: {error.message}", *([f"  {error.hint}"] if error.hint else []))
        return int(error.exit_code)


def started_as(python: str, script: str) -> str:
    """What a person types to start the program: of the interpreter as it was typed, and the script that it runs.

    >>> started_as("python3", "/usr/local/bin/playbook")
    'playbook'
    >>> started_as("python3", "playbook.pyz"), started_as("python3", "/srv/checkout/playbook/__main__.py")
    ('python3 playbook.pyz', 'python3 -m playbook')
    """
    if script.endswith(".pyz"):
        return f"{python} {script}"
    return PROGRAM if script.rpartition("/")[2].startswith(PROGRAM) else f"{python} -m {PROGRAM}"
