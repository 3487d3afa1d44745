"""From symptom to cause: what lies behind the findings of a session, by the guide's rows and decision trees.

Only roots come out. What follows from a root is listed with it, because only the root's remedy is worth carrying out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ..guide.codes import Code, family
from ..guide.remedies import RENEW
from ..kubectl.failures import FailureKind, failure
from ..model import Cause, Finding, Remedy, Run, Session, StepResult, Verdict
from ..text import Message, msg, speaking
from .consequences import LINKS, Link
from .walk import MOST_PODS, Candidate, Walk, owner

__all__ = ["MOST_PODS", "diagnose", "owner"]


def diagnose(results: Sequence[StepResult], run: Callable[[str, str], Run]) -> tuple[Cause, ...]:
    """The roots of all that is wrong in `results`, in the guide's order, those that no branch covers last.

    `run(command, target)` carries out one read-only command of `commands/diagnose/`, or replays it; a replay that
    does not have it returns a run that ended as not recorded. A session with nothing wrong has no causes.
    """
    with speaking("en"):  # texts of findings are compared, so they are compared in one language
        walk = Walk(results, run)
        candidates = walk.candidates()
        return tuple(_as_it_is_now(cause, results) for cause in _roots(walk, candidates))


def _as_it_is_now(cause: Cause, results: Sequence[StepResult]) -> Cause:
    """An event outlives what it tells of: where Step 3 has seen the Secret, only the pods are left to be renewed."""
    seen = {finding.code: finding.verdict for result in results for finding in result.findings}
    secret = [seen.get(code) for code in (Code.OBSERVER_SECRETS, Code.SECRET_KEYS)]
    made_anew = any(remedy.command == RENEW for remedy in cause.remedy) and secret == [Verdict.PASS, Verdict.PASS]
    return replace(cause, remedy=tuple(r for r in cause.remedy if r.command in (RENEW, ""))) if made_anew else cause


def _follows(link: Link, cause: Candidate, finding: Finding, walk: Walk) -> bool:
    if not re.fullmatch(link.roots, cause.code) and not re.fullmatch(link.roots, cause.code.partition("/")[0]):
        return False
    if link.owner and link.owner != cause.owner:
        return False
    names = "|".join(re.escape(name) for name in cause.objects) or r"(?!)"
    if not re.fullmatch(link.codes.replace("{object}", names), finding.code):
        return False
    if (
        link.unseen
        and finding.verdict is Verdict.INCONCLUSIVE
        and walk.kinds[finding.code] is not FailureKind.FORBIDDEN
    ):
        return True
    if not link.shows:
        return not link.unseen
    return bool(re.search(link.shows.replace("{object}", names), walk.texts[finding.code], re.M))


def _roots(walk: Walk, candidates: list[Candidate]) -> tuple[Cause, ...]:
    """Leave out what follows from something else, and say of the rest what follows from it."""
    linked = {
        c.code: [f.code for f in walk.findings if any(_follows(link, c, f, walk) for link in LINKS)] for c in candidates
    }

    def covers(a: Candidate, b: Candidate) -> bool:
        return a is not b and set(b.own) <= set(linked[a.code])

    def is_root(b: Candidate) -> bool:
        return not any(covers(a, b) and not (covers(b, a) and b.order < a.order) for a in candidates)

    roots = [c for c in candidates if is_root(c)]
    explained: set[str] = {code for root in roots for code in root.own}
    causes: list[tuple[tuple[int, ...], Cause]] = []
    for root in roots:
        codes = list(root.own)
        reached, waiting = {root.code}, [root]
        while waiting:  # a consequence has consequences of its own
            parent = waiting.pop()
            codes += [code for code in linked[parent.code] if code not in codes and code not in explained]
            for child in candidates:
                if child not in roots and child.code not in reached and covers(parent, child):
                    reached.add(child.code)
                    waiting.append(child)
        explained.update(codes)
        causes.append((root.order, _cause(root, codes)))
    causes += _uncovered(walk, explained)
    return tuple(cause for _, cause in sorted(causes, key=lambda each: each[0]))


def _uncovered(walk: Walk, explained: set[str]) -> Iterable[tuple[tuple[int, ...], Cause]]:
    """One unmatched cause for each kind of failed finding that no row is about and nothing explains."""
    kinds: dict[str, list[Finding]] = {}
    for finding in walk.findings:
        if finding.verdict is Verdict.FAIL and finding.code not in explained and not walk.is_over(finding):
            kinds.setdefault(family(finding.code), []).append(finding)
    for index, (kind, findings) in enumerate(kinds.items()):
        first = findings[0]
        yield (0, 2, index), Cause(f"UNMATCHED/{kind}", first.step, msg("no branch of the guide matches"),
                                   first.summary,
                                   walk.deciding_line(first, ""), first.evidence, first.remedy,
                                   tuple(f.code for f in findings), matched=False)  # fmt: skip


def _cause(root: Candidate, codes: list[str]) -> Cause:
    names = ", ".join(root.objects) or root.owner
    remedy = tuple(_remedy(each, root, names) for each in root.branch.remedy)
    if root.unlooked:
        pods = Remedy("", msg("not looked at, same workload and symptom: {pods}", pods=", ".join(root.unlooked)))
        remedy = (*remedy, pods)
    return Cause(root.code, root.branch.place, _filled(root.branch.title, names), root.branch.guide, root.line,
                 root.evidence,
                 remedy, tuple(codes), root.matched)  # fmt: skip


def _remedy(remedy: Remedy, root: Candidate, names: str) -> Remedy:
    """The remedy with the names that are known in their places; what is not known keeps a placeholder."""
    known = {"target": root.target or "<pod>", "node": "<node>", **{k: v for k, v in root.named.items() if v}}
    command = re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], f"<{found[1]}>"), remedy.command)
    return replace(remedy, command=command, advice=_filled(remedy.advice, names) if remedy.advice else None)


def _filled(message: Message, names: str) -> Message:
    if "{objects}" not in message.template:
        return message
    return Message(message.template, (*message.values, ("objects", names)))


_UNANSWERED = frozenset(
    {
        FailureKind.FORBIDDEN,
        FailureKind.UNAUTHORIZED,
        FailureKind.CONNECTION_REFUSED,
        FailureKind.UNREACHABLE,
        FailureKind.KUBECONFIG,
        FailureKind.KUBECONFIG_UNREADABLE,
        FailureKind.KUBECONFIG_ABSENT,
        FailureKind.CREDENTIALS,
        FailureKind.CERTIFICATE,
        FailureKind.TIMEOUT,
        FailureKind.CUT,
        FailureKind.INTERRUPTED,
        FailureKind.NOT_RECORDED,
        FailureKind.TOOL_MISSING,
        FailureKind.NODE,
    }
)
"""Why a diagnosis command may have told nothing. That what it asks about is not there is an answer."""


def unanswered(session: Session) -> tuple[tuple[Run, str], ...]:
    """The diagnosis commands of a session that gave no answer, each with the reason."""
    found = ((run, failure(run)) for run in session.diagnosis)
    return tuple((run, why.text or why.kind.value) for run, why in found if why and why.kind in _UNANSWERED)
