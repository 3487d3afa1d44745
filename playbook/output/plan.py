"""A plan as text: what an attempt would change, and what of a new pod's needs holds."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Finding
from ..runtime.plan import Fate, Plan, Planned
from ..text import Message, msg
from .columns import COLUMNS, clean, one_line, wrapped
from .labels import VERDICTS

_FATES = {
    Fate.RUNS: msg("is run"),
    Fate.ON_PERMISSION: msg("is run with permission only"),
    Fate.NOT_RUN: msg("is not run"),
}


def plan_text(plan: Plan) -> str:
    """The whole plan: cluster, commands in their order, the table of needs."""
    head = [str(msg("cluster: {cluster}", cluster=str(plan.cluster or "?")))]
    return "\n".join([*map(one_line, head), "", *commands(plan), "", *needs(plan)])


def commands(plan: Plan) -> Iterator[str]:
    """Each command that changes the cluster: whether it is run, its text, what it touches."""
    if not plan.commands:
        yield str(msg("nothing would be changed"))
        return
    yield str(msg("commands that change the cluster, in their order:"))
    for planned in plan.commands:
        yield from _command(planned)


def _command(planned: Planned) -> Iterator[str]:
    command = planned.command
    why = f": {one_line(planned.why)}" if planned.why else ""
    yield from wrapped(f"  {command.step}  {command.key}  {_FATES[planned.fate]}{why}", COLUMNS, "      ")
    for place, line in enumerate(command.text.rstrip("\n").split("\n")):
        yield f"      {' ' if place else '$'} {clean(line)}"
    for touched in planned.touches:
        yield from wrapped(f"      - {one_line(touched)}", COLUMNS, "        ")


def needs(plan: Plan) -> Iterator[str]:
    """What of the table of needs is in the way, is not seen yet, and holds."""
    yield str(msg("what a new pod needs:"))
    for each in plan.in_the_way:
        yield from _row(msg("in the way"), f"{one_line(each.need.what)} ({one_line(str(each))})")
    for each in plan.not_yet_seen:
        yield from _row(msg("not yet seen"), f"{one_line(each.need.what)} ({one_line(each.code)})")
    for need in plan.holds:
        yield from _row(msg("holds"), one_line(need.what))


def _row(state: Message, text: str) -> list[str]:
    return wrapped(f"  {state}: {text}", COLUMNS, "    ")


def findings_so_far(plan: Plan) -> Iterator[str]:
    """The findings that are no pass, one a line."""
    for finding in plan.findings:
        yield from _finding(finding)
    if not plan.findings:
        yield str(msg("nothing abnormal was seen so far"))


def _finding(finding: Finding) -> list[str]:
    words = f"  {VERDICTS[finding.verdict]}  {one_line(finding.code)}  {one_line(finding.summary)}"
    return wrapped(words, COLUMNS, "    ")
