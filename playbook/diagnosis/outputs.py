"""Reading what a command printed for a diagnosis: what it has to say, which branch its lines reach, which line says most."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..guide import ids
from ..kubectl.events import telling_event, without_over
from ..kubectl.failures import FailureKind, failure
from ..kubectl.logs import BAD_LEVELS, free_lines, level
from ..kubectl.states import telling_state
from ..model import Ended, Evidence, Run
from .branches import Branch, Tree

LONGEST_LINE = 500
LAST_LINES = 5000
LONGEST_TEXT = 500_000
"""The end of a log is read, however long it is: the guide's `logs --previous` has no bound of its own."""

_LOGS = (ids.LOGS_OBSERVER, ids.LOGS_POSTGRES)
_DESCRIPTIONS = (ids.DESCRIBE_POD, ids.DESCRIBE_POD_FAILED, ids.DESCRIBE_OBSERVER, ids.DESCRIBE_POSTGRES)
_EXCEPTION = re.compile(
    r"^(?:[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit)\b(?::|$)|exec \S+: |.*: command not found$)"
)
"""How an exception's last line, or bash, begins: lines that state no level, but say why."""


def line_of(text: str, number: int) -> str:
    """Line `number` of a text, without the space around it, no longer than a cause may quote; empty where it has none."""
    lines = text.splitlines()
    return lines[number - 1].strip()[:LONGEST_LINE] if 0 < number <= len(lines) else ""


def evidence_at(run: Run, number: int, stream: str = "stdout") -> Evidence:
    """Where that line stands."""
    return Evidence(run.command, number, run.ordinal, stream)


def readable(run: Run) -> tuple[str, str]:
    """What a run has to say and on which stream; empty where it could not be done (say, no log is left).

    In the description of a pod, events that are over are left blank.
    """
    if run.ended is not Ended.EXITED:
        return "", ""
    why = failure(run)
    if why and why.kind is FailureKind.NO_RESOURCES and not run.out.strip():
        return run.err, "stderr"
    several = run.command in _LOGS  # kubectl fails when one of the pods has no log (left, say)
    if (why and not several) or not run.out.strip():
        return "", ""
    if all(line.startswith("unable to retrieve container logs") for line in run.out.splitlines() if line.strip()):
        return "", ""
    return (without_over(run.out) if run.command.partition(".")[0] in _DESCRIPTIONS else run.out), "stdout"


def matching(tree: Tree, text: str, about: str) -> Iterator[tuple[Branch, int, dict[str, str]]]:
    """The branches that `text` reaches, the line that decides, and the names that it holds.

    Lines are read from the end, because the last word counts.
    """
    name = re.escape(about)
    lines = text.splitlines()
    for number in range(len(lines), max(len(lines) - LAST_LINES, 0), -1):
        for branch in tree.branches:
            if branch.whole:
                continue
            if found := re.search(branch.pattern.replace("{object}", name), lines[number - 1]):
                yield branch, number, found.groupdict("")
    for branch in tree.branches:
        found = re.search(branch.pattern.replace("{object}", name), text[:LONGEST_TEXT], re.M) if branch.whole else None
        if found:
            yield branch, text.count("\n", 0, max(found.end() - 1, 0)) + 1, found.groupdict("")


def telling_line(description: Run | None, log: Run | None) -> tuple[str, Evidence] | None:
    """What says most about a pod that no branch knows: None when nothing does.

    The words of a container's state; the last line of its log that is an error; its Reason and Exit Code; the last
    Warning event that says why. Never the echo of another event, a row of a table or an ordinary line of a log.
    """
    text = readable(description)[0] if description else ""
    state, event, error = telling_state(text), telling_event(text), _last_error(log) if log else None
    if description and state and state.tells > 1:
        return str(state)[:LONGEST_LINE], evidence_at(description, state.line)
    if log and error:
        return error[1].strip()[:LONGEST_LINE], evidence_at(log, error[0])
    if description and event:
        return line_of(text, event.line), evidence_at(description, event.line)
    if description and state:
        return str(state), evidence_at(description, state.line)
    return None


def _last_error(log: Run) -> tuple[int, str] | None:
    lines = list(free_lines(readable(log)[0][-LONGEST_TEXT:]))
    cut = log.out.count("\n", 0, max(len(log.out) - LONGEST_TEXT, 0))
    bad = [(number + cut, line) for number, line in lines if _EXCEPTION.match(line) or level(line) in BAD_LEVELS]
    return bad[-1] if bad else None
