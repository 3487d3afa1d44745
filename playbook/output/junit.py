"""A verification for CI servers: JUnit XML, a suite per step, a case per finding."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timezone
from xml.etree import ElementTree

from ..model import NAMESPACE, Finding, Remedy, Session, StepResult, Verdict
from ..session.fold import all_ten
from ..text import Message, msg
from .columns import clean
from .labels import TITLES, where

_PROBLEMS = {Verdict.FAIL: "failure", Verdict.INCONCLUSIVE: "error"}
_ILLEGAL_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_text(session: Session, titles: Mapping[str, Message] = TITLES) -> str:
    """`session` as JUnit XML: a suite per step, a case per finding.

    fail is a failure, inconclusive an error; skipped, pending, not-run and whatever was waived are skipped, with the
    reason.
    """
    suites = [_suite(session, result, titles) for result in all_ten(session)]
    root = ElementTree.Element("testsuites", {"name": "playbook", **_counts(suites)})
    root.extend(suites)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _counts(suites: list[ElementTree.Element]) -> dict[str, str]:
    total = {name: str(sum(int(suite.attrib[name]) for suite in suites)) for name in ("tests", "failures", "errors")}
    return {**total, "time": f"{sum(float(suite.attrib['time']) for suite in suites):.3f}"}


def _suite(session: Session, result: StepResult, titles: Mapping[str, Message]) -> ElementTree.Element:
    cases = [_case(session, finding) for finding in result.findings] or [_empty_case(result)]
    began = min((run.started_at for run in result.runs if run.happened), default=session.started_at)
    suite = ElementTree.Element(
        "testsuite",
        {
            "name": _xml(f"Step {result.step}: {titles[result.step]}"),
            "tests": str(len(cases)),
            "failures": str(_with(cases, "failure")),
            "errors": str(_with(cases, "error")),
            "skipped": str(_with(cases, "skipped")),
            "time": f"{result.seconds:.3f}",
            "timestamp": began.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S"),  # the format has no zone
            "hostname": "localhost",
            "id": result.step,
            "package": "playbook",
        },
    )
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in _properties(session):
        ElementTree.SubElement(properties, "property", {"name": name, "value": _xml(value)})
    suite.extend(cases)
    return suite


def _with(cases: list[ElementTree.Element], tag: str) -> int:
    return sum(case.find(tag) is not None for case in cases)


def _properties(session: Session) -> list[tuple[str, str]]:
    return [
        ("session", session.id),
        ("guide.version", session.guide_version),
        ("cluster.server", session.cluster.server if session.cluster else ""),
        ("cluster.nodes", ", ".join(session.cluster.nodes) if session.cluster else ""),
        ("cluster.namespace", session.cluster.namespace if session.cluster else NAMESPACE),
        ("cluster.uid", session.provenance.cluster_uid if session.provenance else ""),
        ("verdict", session.overall.value),
        ("replayed", str(session.replayed).lower()),
    ]


def _case(session: Session, finding: Finding) -> ElementTree.Element:
    case = _testcase(finding.code, finding.step.split("-")[0])
    outcome = f"{finding.verdict.value}: {_xml(str(finding.summary))}"
    waiver = session.waiver_for(finding) if finding.verdict is not Verdict.PASS else None
    if waiver:
        ElementTree.SubElement(case, "skipped", {"message": _xml(f"waived by {waiver.by}: {waiver.reason}")})
    if waiver or finding.verdict is Verdict.WARN:
        ElementTree.SubElement(case, "system-out").text = f"{outcome}\n{_details(finding)}"
    elif finding.verdict in _PROBLEMS:
        about = {"message": _xml(str(finding.summary)), "type": finding.verdict.value}
        ElementTree.SubElement(case, _PROBLEMS[finding.verdict], about).text = _details(finding)
    elif finding.verdict is not Verdict.PASS:
        ElementTree.SubElement(case, "skipped", {"message": outcome})
    return case


def _empty_case(result: StepResult) -> ElementTree.Element:
    """The case of a step that has no finding: nothing was seen, which is never a pass."""
    case = _testcase("STEP", result.step)
    ElementTree.SubElement(case, "error", {"message": "no finding", "type": result.verdict.value})
    return case


def _testcase(name: str, step: str) -> ElementTree.Element:
    return ElementTree.Element("testcase", {"name": _xml(name), "classname": f"step{step}", "time": "0.000"})


def _details(finding: Finding) -> str:
    lines = [f"expected: {finding.expected}", f"actual: {finding.actual}", f"evidence: {where(finding.evidence)}"]
    lines += [f"remedy: {remedy}{_mark(remedy)}" for remedy in finding.remedy]
    return _xml("\n".join(lines))


def _mark(remedy: Remedy) -> str:
    return f" ({msg('changes the cluster')})" if remedy.changes else ""


def _xml(text: str) -> str:
    """`text` without the characters that XML 1.0 does not allow, terminal escapes with them."""
    return _ILLEGAL_IN_XML.sub("", clean(text))
