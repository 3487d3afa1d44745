"""Walks the guide's rows and decision trees over findings: from what failed to what may be its cause."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..errors import UnreadableText
from ..guide import ids
from ..guide.catalog import is_object_name
from ..guide.codes import Code, family
from ..kubectl.cluster import nodes
from ..kubectl.events import only_started_late, telling_event
from ..kubectl.failures import FailureKind, failure
from ..model import Evidence, Finding, Run, StepResult, Verdict
from ..text import msg
from .branches import Branch, Row, Tree
from .outputs import LONGEST_LINE, LONGEST_TEXT, evidence_at, line_of, matching, readable, telling_line
from .rows import ROWS
from .trees import TREES

MOST_PODS = 3
"""So many pods of one symptom are looked at; what is said of them is said of the others of the same workload."""

_LEAVING = re.compile(r"\s(?:Terminating|Completed|Error|Evicted|Failed|ContainerStatusUnknown)\s")

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
    named: dict[str, str] = field(default_factory=dict)  # what else in its remedy is filled, by name
    target: str = ""  # what <pod> and <name> in its remedy are filled with
    objects: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    unlooked: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a tree came to: the branch, or None, and the line that decided or was the last to say something."""

    branch: Branch | None
    line: str
    evidence: Evidence | None
    text: str
    named: dict[str, str] = field(default_factory=dict)


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
        self._passed = {f.code for result in results for f in result.findings if f.verdict is Verdict.PASS}
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
                parts.append(line_of(run.out, at.line))
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
            if family(finding.code) in (Code.EVENTS_OBSERVER, Code.EVENTS_POSTGRES) and (
                event := telling_event(run.out)
            ):
                return line_of(run.out, event.line)
            return line_of(run.out if at.stream == "stdout" else run.err, at.line)
        return finding.actual.english[:LONGEST_LINE]

    def is_over(self, finding: Finding) -> bool:
        """Whether a finding is a moment, not an illness.

        It is when it is only about a pod that Step 6-1 shows Terminating, or about a mount that failed before it worked.
        """
        if family(finding.code) in (Code.EVENTS_OBSERVER, Code.EVENTS_POSTGRES):
            run = self._evidence_run(finding)
            if run and only_started_late(run.out):
                return True
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
        if row.means and not self._holds(row.means):
            return False
        if row.kinds:
            return self.kinds[finding.code] in row.kinds
        return not row.shows or bool(re.search(row.shows, self.texts[finding.code], re.M))

    def _holds(self, branch: Branch) -> bool:
        """Whether what a branch takes for granted was seen."""
        return not branch.seen or branch.seen in self._passed

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
        named = {"node": self._node_of(about), **(decision.named if decision else {})}
        return Candidate(
            code, branch, (warned, 0, index), line, evidence, owner=owner(about), target=target, named=named
        )

    def _undecided(
        self, order: tuple[int, ...], row: Row, first: Finding, about: str, decision: Decision | None
    ) -> Candidate:
        """A symptom of the guide for which none of its branches holds."""
        tree = _TREES[row.tree]
        pod = family(first.code) in _OF_PODS
        telling = self._telling(self._target(tree, about, first)) if pod else None
        remedy = (tree.remedy if telling else ()) or first.remedy
        seen = first.actual.english[:LONGEST_LINE] if pod else self.deciding_line(first, row.shows)
        at_first = seen, first.evidence
        of_tree = (decision.line, decision.evidence) if decision and decision.line and not pod else at_first
        line, evidence = telling or of_tree
        branch = Branch("UNMATCHED-POD" if pod else f"UNMATCHED-{tree.id}", first.step, tree.symptom,
                        msg("no branch of the guide matches"), remedy)  # fmt: skip
        whose = owner(about) if pod else about
        return Candidate(f"{branch.id}/{whose}" if whose else branch.id, branch, order, line, evidence, matched=False,
                         owner=owner(about), target=about, named={"node": self._node_of(about)})  # fmt: skip

    def _telling(self, pod: str) -> tuple[str, Evidence] | None:
        """What says most about a pod, of what was looked at already."""
        whose = owner(pod)
        looked = [self._seen.get((command, pod)) for command in (ids.DESCRIBE_POD, ids.DESCRIBE_POD_FAILED)]
        described = next(
            (run for run in looked if run and readable(run)[0]), self._look(f"step6-2-describe-{whose}", "")
        )
        previous = self._seen.get((ids.LOGS_PREVIOUS, pod))
        log = previous if previous and readable(previous)[0] else self._look(f"step6-3-logs-{whose}", "")
        return telling_line(described, log)

    # walking a tree

    def _walk(self, tree: Tree, about: str, first: Finding) -> Decision:
        targets = self._nodes() if tree.target == "node" else [self._target(tree, about, first)]
        text, last, evidence = "", "", None
        for target in targets:
            for look in tree.looks:
                run = self._look(look.format(owner=owner(target)), target)
                said, stream = readable(run) if run else ("", "")
                if not run or not said:
                    continue
                text = f"{text}\n{said[-LONGEST_TEXT:]}"
                for branch, number, named in matching(tree, said, about):
                    if not self._holds(branch):
                        continue
                    names = {"node": target, **named} if tree.target == "node" else named
                    at = evidence_at(run, number, stream)
                    deciding = Decision(branch, line_of(said, number), at, text, names)
                    further = self._follow(branch.then, deciding, about, first)
                    return further if further.branch else deciding
                if not look.startswith("step") and not last:
                    number = len(said.rstrip().splitlines())
                    last, evidence = line_of(said, number), evidence_at(run, number, stream)
        return self._follow(tree.otherwise, Decision(None, last, evidence, text), about, first)

    def _target(self, tree: Tree, about: str, first: Finding) -> str:
        if tree.target == "pod" or (tree.target and about in ("observer", "postgres")):
            return self._pod_of(first)
        return about if tree.target == "object" else ""

    def _follow(self, trees: tuple[str, ...], before: Decision, about: str, first: Finding) -> Decision:
        """What the first of `trees` that decides came to; else `before` without a branch. All that was read is kept."""
        text = before.text
        for name in trees:
            after = self._walk(_TREES[name], about, first)
            text = f"{text}\n{after.text}"
            if after.branch:
                return replace(after, text=text)
        return replace(before, branch=None, text=text)

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
        """A pod of the workload that the finding is about, by the newest list: Step 8 replaces those of Step 6-1."""
        name = "postgres" if finding.code == Code.TABLES_KEPT else "observer"
        for command in (ids.POD_SAMPLE, ids.WAIT_POSTGRES if name == "postgres" else ids.WAIT_OBSERVER, ids.PODS):
            run = self._look(command, "")
            rows = run.out.replace("pod/", "").splitlines() if run else []
            alive = [r.split()[0] for r in rows if r.startswith(f"{name}-") and not _LEAVING.search(r)]
            if alive:
                return alive[0]
        return ""

    def _nodes(self) -> list[str]:
        """The nodes that Step 0 listed, those that are said to be the pods' first."""
        run = self._look(ids.NODES, "")
        try:
            return [node.name for node in nodes(run.out)][:MOST_PODS] if run else []
        except UnreadableText:
            return []

    def _node_of(self, about: str) -> str:
        """The node that a finding is about or that its pod is on; else the only one there is; else nothing."""
        names = self._nodes()
        run = self._look(ids.PODS, "")
        row = next((r.split() for r in run.out.splitlines() if r.startswith(f"{about} ")), []) if run and about else []
        mine = [name for name in names if name == about or name in row]
        return mine[0] if mine else names[0] if len(names) == 1 else ""


def asks_for_a_cause(finding: Finding) -> bool:
    """Whether a finding asks for a cause: it failed, or was tried and could not be seen. Restarts ask for one too."""
    if finding.verdict is Verdict.WARN:
        return family(finding.code) == Code.POD_RESTARTS
    return finding.verdict is Verdict.FAIL or (finding.verdict is Verdict.INCONCLUSIVE and finding.evidence is not None)
