"""The end of a verification at the terminal: root causes, verdict and changes, in a screen of 80 columns and 24 lines.

What does not fit is counted, never dropped unsaid; `status -v` shows all of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..guide.criteria import criterion
from ..model import SEVERITY, Cause, Finding, Remedy, Session, Verdict
from ..steps.question import NOT_SEEN
from ..text import as_typed, msg
from .changes import change, changing_runs, is_confirmed
from .columns import COLUMNS, clean, one_line, shortened, wrapped
from .labels import VERDICTS, outage_sentence, overall_sentence
from .terminal import SETTLED, goes_on_from, paint

LINES = 18
"""The screen, less the two lines that the command line adds: where the report is, and what to type next."""


def ending(session: Session, *, colour: bool = False) -> str:
    """At most `LINES` lines, the root causes first and the verdict below them."""
    outage = outage_sentence(session)
    down = wrapped(outage, COLUMNS) if outage else []
    onwards = goes_on_from(criterion(session.abort.criterion)) if session.abort else []
    verdict = [*wrapped(overall_sentence(session), COLUMNS), *onwards, *_changed(session)]
    blocks = [*map(_cause, session.causes), *map(_findings, _alike(_unexplained(session)))]
    room = LINES - len(verdict) - len(down) - 2  # a line between, a line for what is left out
    shown: list[str] = []
    for place, block in enumerate(blocks):
        if len(shown) + len(block) > room:
            shown.append(str(msg("{n} more: `{program} status -v`", n=len(blocks) - place)))
            break
        shown += block
    return "\n".join([*_painted(down, colour), *_painted(shown, colour), *([""] if shown else []), *verdict])


def _unexplained(session: Session) -> list[Finding]:
    """What no root cause explains, the worst first."""
    explained = {code for cause in session.causes for code in cause.explains}
    findings = [finding for result in session.results for finding in result.findings]
    findings.sort(key=lambda finding: SEVERITY.index(finding.verdict))
    return [f for f in findings if f.verdict not in SETTLED and f.code not in explained and not session.waiver_for(f)]


def _cause(cause: Cause) -> list[str]:
    """One root: what it is, the line that shows it, the first two remedies, and how much follows from it."""
    head = wrapped(f"{msg('root cause')}: {one_line(cause.title)} ({one_line(cause.code)})", COLUMNS, "  ")
    seen = _at_most_two(f"  {msg('Seen')}: {one_line(cause.line)}") if cause.line else []
    remedies = [line for remedy in cause.remedy[:2] for line in _remedy_lines(remedy)]
    follow = len(cause.explains)
    more = [f"  {msg('{n} findings follow from it: `{program} status -v`', n=follow)}"] if follow > 1 else []
    return [*head, *seen, *remedies, *more]


def _at_most_two(text: str) -> list[str]:
    """`text` on one line or two; what does not fit is cut, and the cut is marked."""
    indent = " " * (len(text) - len(text.lstrip()))
    first, *rest = wrapped(text, COLUMNS, f"{indent}  ")
    return [first, *([shortened(f"{indent}  {' '.join(map(str.strip, rest))}", COLUMNS)] if rest else [])]


def _alike(findings: Iterable[Finding]) -> list[list[Finding]]:
    """What was skipped for want of the same thing, together: its remedy is said once. All else stands alone."""
    groups: list[list[Finding]] = []
    for finding in findings:
        skipped = finding.verdict is Verdict.SKIPPED and finding.remedy
        first = next((group for group in groups if skipped and group[0].remedy == finding.remedy), None)
        groups.append([finding]) if first is None else first.append(finding)
    return groups


def _findings(alike: list[Finding]) -> list[str]:
    """The first of them, with the codes of all."""
    finding, codes = alike[0], ", ".join(one_line(each.code) for each in alike)
    verdict, actual = VERDICTS[finding.verdict], one_line(finding.actual)
    remedy = _remedy_lines(finding.remedy[0]) if finding.remedy else []
    if finding.summary == NOT_SEEN:  # says no more than the verdict
        return [*_at_most_two(f"{verdict}: {actual} ({codes})"), *remedy]
    words = f"{verdict}: {one_line(finding.summary)} ({codes})"
    return [*wrapped(words, COLUMNS, "  ")[:3], shortened(f"  {msg('actual')}: {actual}", COLUMNS), *remedy]


def _remedy_lines(remedy: Remedy) -> list[str]:
    """What to do, wrapped; a command stands on a line of its own, whole, so that it can be copied."""
    mark = f" ({msg('changes the cluster')})" if remedy.changes else ""
    advice = wrapped(f"  {msg('remedy')}: {one_line(remedy.advice or '')}{mark}", COLUMNS, "    ")
    command = as_typed(clean(remedy.command)).strip().split("\n")
    if len(command) > 1:
        return [*advice, f"    {command[0]} …"]
    return [*advice, f"    {command[0]}"] if remedy.command else advice


def _changed(session: Session) -> list[str]:
    seen: list[str] = []
    unsure: list[str] = []
    for run in changing_runs(session):
        (seen if is_confirmed(run) else unsure).append(one_line(change(run)))
    told = [*_summed(seen), *(f"{msg('not confirmed')}: {words}" for words in _summed(unsure))]
    return wrapped(f"{msg('Changed on the cluster')}: {'; '.join(told)}", COLUMNS, "  ") if told else []


def _summed(changes: list[str]) -> list[str]:
    if len(changes) <= 2:
        return changes
    return [str(msg("{n} times, last: {change}", n=len(changes), change=changes[-1]))]


def _painted(lines: Iterable[str], colour: bool) -> list[str]:
    return [line if line.startswith(" ") else paint(line, Verdict.FAIL, colour) for line in lines]
