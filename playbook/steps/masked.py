"""Findings and causes of what was printed, as they may be kept: their texts masked, and marked where the mask matters.

Judges get what was printed. A reader, a replay and the check of a pack have only the masked text. Where that is judged
otherwise, the live finding counts, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ..model import Cause, Finding, Remedy
from ..text import Message

Mask = Callable[[str], str]


def masked_finding(finding: Finding, mask: Mask, own: Mask | None = None) -> Finding:
    """`finding` with every text of it masked: what it quotes by `mask`, what the program and the guide say by `own`."""
    own = own or mask
    return replace(
        finding,
        code=own(finding.code),
        summary=_message(finding.summary, mask),
        expected=_message(finding.expected, own),
        actual=_message(finding.actual, mask),
        remedy=tuple(_remedy(remedy, own) for remedy in finding.remedy),
    )


def masked_cause(cause: Cause, mask: Mask, own: Mask | None = None) -> Cause:
    """`cause` with every text of it masked: the line by `mask`, what the program and the guide say by `own`."""
    own = own or mask
    return replace(
        cause,
        code=own(cause.code),
        title=_message(cause.title, own),
        branch=_message(cause.branch, own),
        line=mask(cause.line),
        remedy=tuple(_remedy(remedy, own) for remedy in cause.remedy),
        explains=tuple(map(own, cause.explains)),
    )


def judged_live(
    live: Sequence[Finding], kept: Sequence[Finding], mask: Mask, own: Mask | None = None
) -> tuple[Finding, ...]:
    """The findings of what was printed, masked; marked where `kept`, those of the masked text, differ.

    Where only the masked text leads to a finding, those of the same sub-step are marked, or all when it has none.
    """
    found = [finding if finding in kept else masked_finding(finding, mask, own) for finding in live]
    marked = [replace(finding, masked=finding not in kept) for finding in found]
    for extra in kept:
        if extra in found or any(finding.masked and finding.step == extra.step for finding in marked):
            continue
        there = any(finding.step == extra.step for finding in marked)
        marked = [replace(f, masked=True) if not there or f.step == extra.step else f for f in marked]
    return tuple(marked)


def caused_live(live: Iterable[Cause], kept: Sequence[Cause], mask: Mask, own: Mask | None = None) -> tuple[Cause, ...]:
    """The causes that what was printed shows, masked; all are marked when the masked text shows others."""
    found = tuple(cause if cause in kept else masked_cause(cause, mask, own) for cause in live)
    return found if found == tuple(kept) else tuple(replace(cause, masked=True) for cause in found)


def same_findings(told: Sequence[Finding], again: Sequence[Finding]) -> tuple[str, ...]:
    """The codes in which a judgement of the masked text differs from the one that was recorded, without a mark for it."""
    plain = [replace(finding, masked=False) for finding in told]
    if any(finding.masked for finding in told):
        marked = {finding.step for finding in told if finding.masked}
        everywhere = all(finding.masked for finding in told)
        lost = [finding.code for finding in told if not finding.masked and finding not in again]
        new = [f.code for f in again if f not in plain and not everywhere and f.step not in marked]
        return tuple(dict.fromkeys((*lost, *new)))
    if list(told) == list(again):
        return ()
    differing = [each for each in (*told, *again) if each not in told or each not in again]
    return tuple(dict.fromkeys(each.code for each in differing)) or ("?",)


def _message(message: Message, mask: Mask) -> Message:
    values = tuple((name, mask(value) if isinstance(value, str) else value) for name, value in message.values)
    return Message(message.template, values)


def _remedy(remedy: Remedy, mask: Mask) -> Remedy:
    advice = _message(remedy.advice, mask) if remedy.advice else None
    return replace(remedy, command=mask(remedy.command), advice=advice)
