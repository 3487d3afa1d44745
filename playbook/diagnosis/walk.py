"""Walks the guide's rows and decision trees over findings: from what failed to what may be its cause."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..guide import ids
from ..guide.catalog import is_object_name
from ..guide.codes import Code, family
from ..kubectl.failures import FailureKind, failure
from ..model import Ended, Evidence, Finding, Remedy, Run, StepResult, Verdict
from ..text import msg
from .rows import ROWS
from .trees import TREES, Branch, Row, Tree

MOST_PODS = 3
"""So many pods of one symptom are looked at; what is said of them is said of the others of the same workload."""

LONGEST_LINE = 500
LAST_LINES = 5000
LONGEST_TEXT = 500_000
"""The end of a log is read, however long it is: the guide's `logs --previous` has no bound of its own."""

_TREES = {tree.id: tree for tree in TREES}
_OF_PODS = (Code.POD_STATUS, Code.CRASH_LOOP, Code.POD_RESTARTS, Code.STABLE, Code.RESTART_LIMIT)
_OF_A_WORKLOAD = (Code.EVENTS_OBSERVER, Code.EVENTS_POSTGRES, Code.LOG_OBSERVER, Code.LOG_POSTGRES)
_WHOLE = (Code.PODS_PRESENT, *_OF_A_WORKLOAD)
"""Findings that are about all that their command printed, not about one line of it."""

_ABOUT: Mapping[str, str] = {
    Code.FILES_KEPT: "data", Code.TABLES_KEPT: "postgres", Code.EVENTS_OBSERVER: "observer", Code.LOG_OBSERVER: "observer",
    Code.EVENTS_POSTGRES: "postgres", Code.LOG_POSTGRES: "postgres",
}  # fmt: skip
"""The objects of findings whose code does not name one."""


@dataclass(slots=True)
class Candidate:
    """Something that may be a cause, while it is not yet known what follows from what."""

    code: str
    branch: Branch
    order: tuple[int, ...]
    line: str
    evidence: Evidence | None
    matched: bool = True
    owner: str = ""
    target: str = ""  # what <pod> and <name> in its remedy are filled with
    objects: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    unlooked: list[str] = field(default_factory=list)
    remedy: tuple[Remedy, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What a tree came to: the branch, or None, and the line that decided or was the last to say something."""

    branch: Branch | None
    line: str
    evidence: Evidence | None
    text: str


def owner(pod: str) -> str:
    """The workload of a pod: `observer`, `postgres`, or the pod itself.

    >>> owner("observer-7cd9cf784-88mzn"), owner("postgres-0"), owner("tmp-curl")
    ('observer', 'postgres', 'tmp-curl')
    """
    return next((name for name in ("observer", "postgres") if pod == name or pod.startswith(f"{name}-")), pod)


class Walk:
    """One diagnosis: what the findings say, and what the diagnosis commands added to that."""

    def __init__(self, results: Sequence[StepResult], run: Callable[[str, str], Run]) -> None:
        self._run = run
        self._seen: dict[tuple[str, str], Run] = {}
        self._runs = [each for result in results for each in result.runs]
        self.findings = [f for result in results for f in result.findings if asks_for_a_cause(f)]
        self.kinds = {f.code: self._kind(f) for f in self.findings}
        self.texts = {f.code: self._text_of(f) for f in self.findings}

    # what a finding says

    def _evidence_run(self, finding: Finding) -> Run | None:
        at = finding.evidence
        return next((r for r in self._runs if at and r.command == at.command and r.ordinal == at.ordinal), None)

    def _kind(self, finding: Finding) -> FailureKind | None:
        run = self._evidence_run(finding)
        why = failure(run) if run else None
        return why.kind if why else None

    def _text_of(self, finding: Finding) -> str:
        """The raw text that a finding rests on: its line, what went to standard error, and what it gives as actual."""
        run, at = self._evidence_run(finding), finding.evidence
        parts: list[str] = []
        if run and at:
            if finding.code in _WHOLE:
                parts.append(run.out)
            elif at.line and at.stream == "stdout":
                parts.append(_line(run.out, at.line))
            parts.append(run.err)
        if not run or not failure(run):
            near = f"step{finding.step}-"
            parts += [r.err for r in self._runs if "-" in finding.step and r.command.startswith(near) and failure(r)]
        return "\n".join([*parts, finding.actual.english])

    def deciding_line(self, finding: Finding, pattern: str) -> str:
        """The line of the finding's text that `pattern` is about, else the one that it was seen at, else its words."""
        if pattern and not pattern.startswith((r"\A", "(?s)")):
            for line in self.texts[finding.code].splitlines():
                if re.search(pattern, line):
                    return line.strip()[:LONGEST_LINE]
        run, at = self._evidence_run(finding), finding.evidence
        if run and at and at.line:
            return _line(run.out if at.stream == "stdout" else run.err, at.line).strip()[:LONGEST_LINE]
        return finding.actual.english[:LONGEST_LINE]

    def of_a_leaving_pod(self, finding: Finding) -> bool:
        """Whether a finding is only about a pod that Step 6-1 shows Terminating: a moment, not an illness."""
        pods = self._look(ids.PODS, "")
        leaving = re.findall(r"^(\S+) .*\sTerminating\s", pods.out, re.M) if pods else []
        about = finding.code.partition("/")[2]
        if finding.code in _OF_A_WORKLOAD:
            about = _ABOUT[finding.code]
            return about in map(owner, leaving) and bool(
                re.search(r"Unhealthy|Killing|unable to retrieve", self.texts[finding.code])
            )
        return about in leaving

    # from findings to candidates

    def candidates(self) -> list[Candidate]:
        """Every row that applies, walked; pods first by the worst that is said of them."""
        found: dict[str, Candidate] = {}
        looked: dict[str, list[str]] = {}
        for index, row, findings, about in self._applying():
            if row.tree and family(findings[0].code) in _OF_PODS:
                pods = looked.setdefault(row.tree, [])
                if len(pods) >= MOST_PODS and self._like_sibling(findings, about, row, found):
                    continue
                pods.append(about)
            candidate = self._decide(index, row, findings, about)
            known = found.setdefault(candidate.code, candidate)
            known.own += [finding.code for finding in findings if finding.code not in known.own]
            if about and about not in known.objects and not (known.objects and about == candidate.owner):
                known.objects.append(about)
        return sorted(found.values(), key=lambda c: c.order)

    def _applying(self) -> Iterator[tuple[int, Row, list[Finding], str]]:
        """Each row that applies, in the guide's order, with the findings it is about and their object."""
        groups: dict[str, list[Finding]] = {}
        for finding in self.findings:
            name = finding.code.partition("/")[2] or _ABOUT.get(finding.code, "")
            key = f"pod/{name}" if family(finding.code) in _OF_PODS and name else finding.code
            groups.setdefault(key, []).append(finding)
        applying = []
        for findings in groups.values():
            about = findings[0].code.partition("/")[2] or _ABOUT.get(findings[0].code, "")
            for index, row in enumerate(ROWS):
                met = [f for f in findings if self._applies(row, f)]
                if met:
                    rest = [f for f in findings if f not in met and f.verdict is not Verdict.INCONCLUSIVE]
                    applying.append((index, row, met + rest, about))
                    if not row.also:
                        break
        yield from sorted(applying, key=lambda each: (each[0], each[1].tree != "" and owner(each[3]) != "postgres"))

    def _applies(self, row: Row, finding: Finding) -> bool:
        if not re.fullmatch(row.codes, finding.code) or (finding.verdict is Verdict.INCONCLUSIVE and not row.unseen):
            return False
        if row.kinds:
            return self.kinds[finding.code] in row.kinds
        return not row.shows or bool(re.search(row.shows, self.texts[finding.code], re.M))

    def _like_sibling(self, findings: list[Finding], pod: str, row: Row, found: dict[str, Candidate]) -> bool:
        """Count a pod that is not looked at to one of the same workload and symptom that was."""
        for candidate in found.values():
            siblings = [code for code in candidate.own if family(code) in (Code.POD_STATUS, Code.CRASH_LOOP)]
            if siblings and candidate.owner == owner(pod) and ROWS[candidate.order[-1]].tree == row.tree:
                candidate.unlooked.append(pod)
                candidate.own += [f.code for f in findings]
                for finding in findings:
                    self.texts[finding.code] += "\n" + self.texts[siblings[0]]
                return True
        return False

    def _decide(self, index: int, row: Row, findings: list[Finding], about: str) -> Candidate:
        first = findings[0]
        decision = self._walk(_TREES[row.tree], about, first) if row.tree else None
        if decision:
            for finding in findings:
                self.texts[finding.code] += "\n" + decision.text
        warned = int(all(f.verdict is Verdict.WARN for f in findings))
        if decision and decision.branch:
            branch, line, evidence = decision.branch, decision.line, decision.evidence
        elif row.means:
            branch, line, evidence = row.means, self.deciding_line(first, row.shows), first.evidence
        else:
            return self._undecided((warned, 1, index), row, first, about, decision)
        whose = owner(about) if branch.per == "owner" else about if branch.per == "object" else ""
        code = f"{branch.id}/{whose}" if whose else branch.id
        target = self._target(_TREES[row.tree], about, first) if row.tree else about
        return Candidate(code, branch, (warned, 0, index), line, evidence, owner=owner(about), target=target)

    def _undecided(
        self, order: tuple[int, ...], row: Row, first: Finding, about: str, decision: Decision | None
    ) -> Candidate:
        """A symptom of the guide for which none of its branches holds."""
        tree = _TREES[row.tree]
        pod = family(first.code) in _OF_PODS
        branch = Branch("UNMATCHED-POD" if pod else f"UNMATCHED-{tree.id}", first.step, tree.symptom,
                        msg("no branch of the guide matches"), first.remedy)  # fmt: skip
        line = decision.line if decision and decision.line else self.deciding_line(first, row.shows)
        evidence = decision.evidence if decision and decision.line else first.evidence
        whose = owner(about) if pod else about
        return Candidate(f"{branch.id}/{whose}" if whose else branch.id, branch, order, line, evidence, matched=False,
                         owner=owner(about), target=about, remedy=first.remedy)  # fmt: skip

    # walking a tree

    def _walk(self, tree: Tree, about: str, first: Finding) -> Decision:
        target = self._target(tree, about, first)
        text, last, evidence = "", "", None
        for look in tree.looks:
            run = self._look(look.format(owner=owner(target)), target)
            said, stream = _readable(run) if run else ("", "")
            if not run or not said:
                continue
            text = f"{text}\n{said[-LONGEST_TEXT:]}"
            for branch, number in _matching(tree, said, about):
                deciding = Decision(branch, _line(said, number).strip()[:LONGEST_LINE], _at(run, number, stream), text)
                return self._follow(branch.then, deciding, about, first) or deciding
            if not look.startswith("step") and not last:
                number = len(said.rstrip().splitlines())
                last, evidence = _line(said, number).strip()[:LONGEST_LINE], _at(run, number, stream)
        undecided = Decision(None, last, evidence, text)
        return self._follow(tree.otherwise, undecided, about, first) or undecided

    def _target(self, tree: Tree, about: str, first: Finding) -> str:
        if tree.target == "pod" or (tree.target and about in ("observer", "postgres")):
            return self._pod_of(first)
        return about if tree.target else ""

    def _follow(self, trees: tuple[str, ...], before: Decision, about: str, first: Finding) -> Decision | None:
        for name in trees:
            after = self._walk(_TREES[name], about, first)
            if after.branch:
                return Decision(after.branch, after.line, after.evidence, f"{before.text}\n{after.text}")
        return None

    def _look(self, command: str, target: str) -> Run | None:
        """A diagnosis command, at most once for each target; or the session's newest run of a step's command."""
        if command.startswith("step"):
            return next((r for r in reversed(self._runs) if r.command == command), None)
        if target and not is_object_name(target):
            return None  # garbled: there is no such object to ask about
        key = (command, target)
        if key not in self._seen:
            self._seen[key] = self._run(command, target)
        return self._seen[key]

    def _pod_of(self, finding: Finding) -> str:
        """A pod of the workload that the finding is about, as Step 6-1 listed it."""
        name = "postgres" if finding.code == Code.TABLES_KEPT else "observer"
        run = self._look(ids.PODS, "")
        rows = run.out.splitlines() if run else []
        return next((r.split()[0] for r in rows if r.startswith(f"{name}-") and " Terminating " not in r), "")


def asks_for_a_cause(finding: Finding) -> bool:
    """Whether a finding asks for a cause: it failed, or was tried and could not be seen. Restarts ask for one too."""
    if finding.verdict is Verdict.WARN:
        return family(finding.code) == Code.POD_RESTARTS
    return finding.verdict is Verdict.FAIL or (finding.verdict is Verdict.INCONCLUSIVE and finding.evidence is not None)


def _line(text: str, number: int) -> str:
    lines = text.splitlines()
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _at(run: Run, number: int, stream: str) -> Evidence:
    return Evidence(run.command, number, run.ordinal, stream)


def _readable(run: Run) -> tuple[str, str]:
    """What a run has to say and on which stream; empty where it could not be done (say, no log is left)."""
    if run.ended is not Ended.EXITED:
        return "", ""
    why = failure(run)
    if why and why.kind is FailureKind.NO_RESOURCES and not run.out.strip():
        return run.err, "stderr"
    several = run.command in (
        ids.LOGS_OBSERVER,
        ids.LOGS_POSTGRES,
    )  # kubectl fails when one of the pods has no log (left, say)
    if (why and not several) or not run.out.strip():
        return "", ""
    gone = all(line.startswith("unable to retrieve container logs") for line in run.out.splitlines() if line.strip())
    return ("", "") if gone else (run.out, "stdout")


def _matching(tree: Tree, text: str, about: str) -> Iterator[tuple[Branch, int]]:
    """The branches that `text` reaches, and the line that decides: read from the end, because the last word counts."""
    name = re.escape(about)
    lines = text.splitlines()
    for number in range(len(lines), max(len(lines) - LAST_LINES, 0), -1):
        for branch in tree.branches:
            if not branch.whole and re.search(branch.pattern.replace("{object}", name), lines[number - 1]):
                yield branch, number
    for branch in tree.branches:
        found = re.search(branch.pattern.replace("{object}", name), text[:LONGEST_TEXT], re.M) if branch.whole else None
        if found:
            yield branch, text.count("\n", 0, max(found.end() - 1, 0)) + 1
