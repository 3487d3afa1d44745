"""A verification for other programs: the JSON document `playbook/v1`. Its form is `schema/playbook-v1.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..clock import NEVER, utc_text
from ..errors import EXIT_OF
from ..model import NAMESPACE, Cause, Evidence, Finding, Provenance, Remedy, Run, Session, StepResult, Verdict
from ..session.fold import all_ten
from ..text import Message
from .columns import UNSEEN, clean
from .labels import TITLES
from .rows import rows_of

SCHEMA = "playbook/v1"


def to_json(session: Session, titles: Mapping[str, Message] = TITLES) -> dict[str, Any]:
    """`session` as the contract for machines has it: all ten steps, in the guide's order. Keys are never renamed."""
    how = session.provenance
    return {
        "schema": SCHEMA,
        "session": session.id,
        "guide": {"version": session.guide_version},
        "cluster": {
            "server": session.cluster.server if session.cluster else None,
            "nodes": list(session.cluster.nodes) if session.cluster else [],
            "namespace": session.cluster.namespace if session.cluster else NAMESPACE,
            "uid": (how and how.cluster_uid) or None,
            "version": (how and how.server) or None,
        },
        "started_at": _moment(session.started_at),
        "ended_at": _moment(session.ended_at),
        "verdict": session.overall.value,
        "exit_code": int(EXIT_OF[session.overall]),
        "abort": {"criterion": session.abort.criterion, "step": session.abort.step} if session.abort else None,
        "steps": [_step(session, result, titles) for result in all_ten(session)],
        "causes": [_cause(cause) for cause in session.causes],
        "masked": [{"name": each.name, "times": each.times, "runs": list(each.runs)} for each in session.masked],
        "withheld": [
            {"run": each.run, "stream": each.stream, "bytes": each.size, "sha256": each.sha256}
            for each in session.withheld
        ],
        "replayed": session.replayed,
        "run_by": _run_by(how) if how else None,
    }


def _run_by(how: Provenance) -> dict[str, Any]:
    """Programs, names of the credentials, and what of the environment was not handed on: as the report tells it."""
    return {
        "program": how.program,
        "commands": how.commands,
        "kubectl": {"path": how.kubectl, "sha256": how.kubectl_sha256} if how.kubectl else None,
        "tools": dict(how.tools),
        "kubeconfig": how.kubeconfig,
        "context": how.context,
        "user": how.user,
        "operator": how.operator,
        "not_handed_on": list(how.removed),
        "read_by_tools": list(how.noticed),
        "images": [{"pod": pod, "image": image, "digest": digest} for pod, image, digest in how.images],
    }


def json_text(session: Session, titles: Mapping[str, Message] = TITLES) -> str:
    """The JSON document as text, ready to be printed; it ends with a newline."""
    text = json.dumps(to_json(session, titles), ensure_ascii=False, indent=2)
    return visible(text) + "\n"


def visible(text: str) -> str:
    """JSON in which every character that a terminal would obey or not show is an escape: the same values, safe to print.

    >>> print(visible('"\x9b2J \u202e"'))
    "\\u009b2J \\u202e"
    """
    return UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1] if found[0] != "\x7f" else "\\u007f", text)


def _step(session: Session, result: StepResult, titles: Mapping[str, Message]) -> dict[str, Any]:
    return {
        "id": result.step,
        "title": str(titles[result.step]),
        "verdict": result.verdict.value,
        "findings": [_finding(session, finding) for finding in result.findings],
        "runs": [_run(run) for run in result.runs],
        "standing": session.standing(result).value,
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
    if finding.masked:
        data["masked"] = True
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
        "rows": rows_of(run),
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
    return None if at is None or at == NEVER else utc_text(at)
