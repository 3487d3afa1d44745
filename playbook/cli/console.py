"""The terminal while the engine works: what goes on, results, the question before a restart, and signals."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import FrameType
from typing import Literal

from .. import api
from ..model import NAMESPACE, Cluster, Command, Run, Session, StepResult
from ..output import terminal
from ..output.columns import at_words, one_line, width
from ..output.ending import ending
from ..output.labels import TITLES, outage_sentence, overall_sentence
from ..output.plan import commands as planned_commands
from ..output.plan import findings_so_far, needs
from ..runtime.cancel import CancelToken
from ..runtime.plan import Plan
from ..steps import Step
from ..text import Message, msg
from .crash import watch_threads
from .progress import Progress
from .streams import is_colourful, notify, say

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
Form = Literal["text", "json", "junit"]
"""What `--output` chooses: for people, or for machines."""


class Console:
    """Tells a person what goes on while the engine works (a `listener.Listener`), and prints what came of it.

    As a context manager it hears signals: inside the block SIGINT, SIGTERM, SIGHUP and SIGQUIT set `cancel`. However often they
    come, the cleanup goes on.
    """

    def __init__(
        self,
        form: Form = "text",
        *,
        steps_are_results: bool = True,
        allow_restart: bool = False,
        verbose: bool = False,
        quiet: bool = False,
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        """`meanwhile` is done once, in the background, while the commands after Step 0 are waited for.

        With `quiet` nothing is said but the outcome, and nothing is asked.
        """
        self.cancel = CancelToken()
        self.colour = form == "text" and is_colourful(sys.stdout)
        self._form = form
        self.quiet = quiet
        self._steps_are_results = steps_are_results and form == "text" and not quiet
        self._allow_restart = allow_restart
        self._verbose = verbose
        self._meanwhile = meanwhile
        self._progress = Progress(io.StringIO() if quiet else sys.stderr)
        self._widest = max(width(str(title)) for title in TITLES.values())

    def __enter__(self) -> Console:
        watch_threads()
        self._handlers = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        first = self.cancel.signal is None
        self.cancel.cancel(number)
        if first and self.cancel.may_raise:
            raise KeyboardInterrupt

    # what the engine tells

    def step_begins(self, step: Step) -> None:
        """Announce it."""
        if step.id != "0" and self._meanwhile:
            threading.Thread(target=self._meanwhile, daemon=True).start()
            self._meanwhile = None
        self._progress.announce(terminal.step_head(step.id, step.title, self._widest))

    def command_begins(self, command: Command) -> None:
        """Start its time."""
        self._progress.begin(command.key)

    def command_ends(self, run: Run) -> None:
        """Stop its time."""
        self._progress.end(run.command)

    def step_ends(self, result: StepResult) -> None:
        """Say the verdict."""
        self._line(result, terminal.step_tail(result.verdict, result.seconds, colour=self.colour))
        if result.step == "0" and self._steps_are_results:
            for seen in dict.fromkeys(one_line(finding.actual) for finding in result.findings):
                self.notice(at_words(f"  {seen}", "    "))  # which cluster it is

    def step_kept(self, result: StepResult, why: Message) -> None:
        """Say why it was not run again."""
        self._line(result, f"{terminal.step_tail(result.verdict, 0.0, colour=self.colour)}  {msg('kept')}: {why}")

    def _line(self, result: StepResult, tail: str) -> None:
        line = f"{terminal.step_head(result.step, TITLES[result.step], self._widest)}  {tail}"
        if self._steps_are_results:
            self.result(line)
        else:
            self.notice(line)

    def prompting(self) -> AbstractContextManager[None]:
        """Nothing else writes while a person is asked."""
        return self._progress.paused()

    def confirm_restart(self, cluster: Cluster | None, plan: Plan) -> bool:
        """--allow-restart, or the namespace typed at a terminal."""
        if self._allow_restart:
            return True
        if self.quiet or not (sys.stdin.isatty() and sys.stderr.isatty()):
            return False
        self.notice(
            msg("Step 8 deletes the pods of Observer and postgres-0, one after the other, and waits for new ones.")
        )
        self.notice(msg("cluster: {cluster}", cluster=str(cluster) if cluster else "?"))
        self.notice(msg("findings so far:"))
        for line in (*findings_so_far(plan), *planned_commands(plan), *needs(plan)):
            self.notice(line)
        self.notice(msg("Type the namespace {namespace} to restart. Enter alone: no restart.", namespace=NAMESPACE))
        self.cancel.may_raise = True
        try:
            return input("> ").strip() == NAMESPACE
        except (EOFError, OSError, KeyboardInterrupt):
            return False
        finally:
            self.cancel.may_raise = False

    # what a verb says

    def notice(self, message: Message | str) -> None:
        """Talk: to standard error, unless it is to be quiet."""
        if self.quiet:
            return
        self._progress.rest()
        notify(message)

    def result(self, text: Message | str) -> None:
        """A result: to standard output. A reader that has gone away is an interruption."""
        self._progress.rest()
        try:
            say(text, colours=self.colour)
        except OSError:
            sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - kept open till the end of the program
            self.cancel.cancel(signal.SIGPIPE)

    def outcome(self, session: Session, people: Callable[[Session], str] | None = None) -> None:
        """What came of it, in the form that was chosen; `people` makes the text for people, else it is the summary."""
        if self._form == "text" and self.quiet:
            self.result("\n".join(filter(None, (outage_sentence(session), overall_sentence(session)))))
        elif self._form == "text":
            self.result((people or self._summary)(session))
        else:
            self.result(api.render(session, self._form).rstrip("\n"))

    def _summary(self, session: Session) -> str:
        """What a person needs at the end, on one screen; with -v every finding before it."""
        end = ending(session, colour=self.colour)
        details = terminal.details(session, colour=self.colour) if self._verbose else ""
        return "\n" + "\n\n".join(filter(None, (details, end)))
