"""A verification for other programs: the JSON document `playbook/v1` and JUnit XML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from xml.etree import ElementTree

from .columns import clean
from .errors import EXIT_OF
from .model import NAMESPACE, Cause, Evidence, Finding, Remedy, Run, Session, StepResult, Verdict
from .text import Message

SCHEMA = "playbook/v1"
STEP_IDS = tuple("0123456789")

_ILLEGAL_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_json(session: Session, titles: Mapping[str, Message] | None = None) -> dict[str, Any]:
    """`session` as the contract for machines has it: all ten steps, in the guide's order. Keys are never renamed."""
    titles = _titles() if titles is None else titles
    return {
        "schema": SCHEMA,
        "session": session.id,
        "guide": {"version": session.guide_version},
        "cluster": {
            "server": session.cluster.server if session.cluster else None,
            "nodes": list(session.cluster.nodes) if session.cluster else [],
            "namespace": session.cluster.namespace if session.cluster else NAMESPACE,
        },
        "started_at": _moment(session.started_at),
        "ended_at": _moment(session.ended_at),
        "verdict": session.overall.value,
        "exit_code": int(EXIT_OF[session.overall]),
        "abort": {"criterion": session.abort.criterion, "step": session.abort.step} if session.abort else None,
        "steps": [_step(session, result, titles) for result in _all_ten(session)],
        "causes": [_cause(cause) for cause in session.causes],
    }


def json_text(session: Session, titles: Mapping[str, Message] | None = None) -> str:
    """The JSON document as text, ready to be printed; it ends with a newline."""
    text = json.dumps(to_json(session, titles), ensure_ascii=False, indent=2)
    return text.encode("utf-8", "backslashreplace").decode() + "\n"  # half a surrogate pair stays a JSON escape


def _titles() -> Mapping[str, Message]:
    from .present import step_titles

    return step_titles()


def _all_ten(session: Session) -> list[StepResult]:
    known = {result.step: result for result in session.results}
    return [known.get(step, StepResult(step, ())) for step in STEP_IDS]


def _ran(session: Session, result: StepResult) -> bool:
    return any(result.step == known.step for known in session.results)


def _step(session: Session, result: StepResult, titles: Mapping[str, Message]) -> dict[str, Any]:
    ran = _ran(session, result)
    return {
        "id": result.step,
        "title": str(titles[result.step]),
        "verdict": (result.verdict if ran else Verdict.NOT_RUN).value,
        "findings": [_finding(session, finding) for finding in result.findings],
        "runs": [_run(run) for run in result.runs],
        "standing": (session.standing(result) if ran else Verdict.NOT_RUN).value,
    }


def _finding(session: Session, finding: Finding) -> dict[str, Any]:
    waiver = session.waiver_for(finding)
    data: dict[str, Any] = {
        "code": finding.code,
        "step": finding.step,
        "verdict": finding.verdict.value,
        "summary": str(finding.summary),
        "expected": str(finding.expected),
        "actual": str(finding.actual),
        "evidence": _evidence(finding.evidence),
        "remedy": _remedy(finding.remedy),
    }
    if waiver and finding.verdict is not Verdict.PASS:
        data["waived"] = {"by": waiver.by, "reason": waiver.reason, "at": _moment(waiver.at)}
    return data


def _evidence(evidence: Evidence | None) -> dict[str, Any] | None:
    if evidence is None:
        return None
    return {"command": evidence.command, "line": evidence.line, "ordinal": evidence.ordinal, "stream": evidence.stream}


def _remedy(remedies: tuple[Remedy, ...]) -> list[str]:
    """Every command and every piece of advice, as one string each."""
    return [part for r in remedies for part in (clean(r.command), str(r.advice or "")) if part]


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.command,
        "exit_code": run.exit_code,
        "ended": run.ended.value,
        "started_at": _moment(run.started_at),
        "seconds": round(run.duration_s, 3),
        "ordinal": run.ordinal,
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "code": cause.code,
        "step": cause.step,
        "title": str(cause.title),
        "branch": str(cause.branch),
        "matched": cause.matched,
        "line": cause.line,
        "evidence": _evidence(cause.evidence),
        "remedy": _remedy(cause.remedy),
        "explains": list(cause.explains),
    }


def _moment(at: datetime | None) -> str | None:
    if at is None or at.timestamp() == 0:  # the start of a run that never was
        return None
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_junit(session: Session, titles: Mapping[str, Message] | None = None) -> str:
    """`session` as JUnit XML: a suite per step, a case per finding.

    fail is a failure, inconclusive an error; skipped, pending, not-run and whatever was waived are skipped, with the
    reason.
    """
    titles = _titles() if titles is None else titles
    suites = [_suite(session, result, titles) for result in _all_ten(session)]
    root = ElementTree.Element("testsuites", {"name": "playbook", **_counts(suites)})
    root.extend(suites)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _counts(suites: list[ElementTree.Element]) -> dict[str, str]:
    total = {name: str(sum(int(suite.attrib[name]) for suite in suites)) for name in ("tests", "failures", "errors")}
    return {**total, "time": f"{sum(float(suite.attrib['time']) for suite in suites):.3f}"}


def _suite(session: Session, result: StepResult, titles: Mapping[str, Message]) -> ElementTree.Element:
    cases = [_case(session, finding) for finding in result.findings] or [_empty_case(session, result)]
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
        ("verdict", session.overall.value),
    ]


def _case(session: Session, finding: Finding) -> ElementTree.Element:
    step = finding.step.split("-")[0]
    case = ElementTree.Element("testcase", {"name": _xml(finding.code), "classname": f"step{step}", "time": "0.000"})
    waiver = session.waiver_for(finding)
    summary = _xml(str(finding.summary))
    if finding.verdict is Verdict.PASS:
        return case
    if waiver:
        ElementTree.SubElement(case, "skipped", {"message": _xml(f"waived by {waiver.by}: {waiver.reason}")})
        tag = ""
    else:
        tag = {Verdict.FAIL: "failure", Verdict.INCONCLUSIVE: "error", Verdict.WARN: ""}.get(finding.verdict, "skipped")
    if tag == "skipped":
        ElementTree.SubElement(case, tag, {"message": f"{finding.verdict.value}: {summary}"})
    elif tag:
        ElementTree.SubElement(case, tag, {"message": summary, "type": finding.verdict.value}).text = _details(finding)
    else:
        ElementTree.SubElement(case, "system-out").text = f"{finding.verdict.value}: {summary}\n{_details(finding)}"
    return case


def _empty_case(session: Session, result: StepResult) -> ElementTree.Element:
    """The case of a step that has no finding: nothing was seen, which is never a pass."""
    case = ElementTree.Element("testcase", {"name": "STEP", "classname": f"step{result.step}", "time": "0.000"})
    if _ran(session, result):
        ElementTree.SubElement(case, "error", {"message": "no finding", "type": result.verdict.value})
    else:
        ElementTree.SubElement(case, "skipped", {"message": Verdict.NOT_RUN.value})
    return case


def _details(finding: Finding) -> str:
    from .present import where

    lines = [f"expected: {finding.expected}", f"actual: {finding.actual}", f"evidence: {where(finding.evidence)}"]
    lines += [f"remedy: {remedy}" for remedy in finding.remedy]
    return _xml("\n".join(lines))


def _xml(text: str) -> str:
    """`text` without the characters that XML 1.0 does not allow, terminal escapes with them."""
    return _ILLEGAL_IN_XML.sub("", clean(text))
