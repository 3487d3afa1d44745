"""Findings, causes and provenance as the journal keeps them: to JSON and back, without a language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from ..model import Cause, Evidence, Finding, Provenance, Remedy, Verdict
from ..text import Message


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """A finding as the journal keeps it: without a language."""
    return {
        "code": finding.code,
        "step": finding.step,
        "verdict": finding.verdict.value,
        "summary": finding.summary.to_json(),
        "expected": finding.expected.to_json(),
        "actual": finding.actual.to_json(),
        "evidence": _evidence_to_json(finding.evidence),
        "remedy": [_remedy_to_json(remedy) for remedy in finding.remedy],
        **({"masked": True} if finding.masked else {}),
    }


def finding_from_json(data: Mapping[str, Any]) -> Finding:
    """The reverse of `finding_to_json`."""
    return Finding(
        data["code"],
        data["step"],
        Verdict(data["verdict"]),
        Message.from_json(data["summary"]),
        Message.from_json(data["expected"]),
        Message.from_json(data["actual"]),
        _evidence_from_json(data["evidence"]),
        tuple(_remedy_from_json(remedy) for remedy in data["remedy"]),
        data.get("masked", False),
    )


def cause_to_json(cause: Cause) -> dict[str, Any]:
    """A cause as the journal keeps it."""
    return {
        "code": cause.code,
        "step": cause.step,
        "title": cause.title.to_json(),
        "branch": cause.branch.to_json(),
        "line": cause.line,
        "evidence": _evidence_to_json(cause.evidence),
        "remedy": [_remedy_to_json(remedy) for remedy in cause.remedy],
        "explains": list(cause.explains),
        "matched": cause.matched,
        **({"masked": True} if cause.masked else {}),
    }


def cause_from_json(data: Mapping[str, Any]) -> Cause:
    """The reverse of `cause_to_json`."""
    return Cause(
        data["code"],
        data["step"],
        Message.from_json(data["title"]),
        Message.from_json(data["branch"]),
        data["line"],
        _evidence_from_json(data["evidence"]),
        tuple(_remedy_from_json(remedy) for remedy in data["remedy"]),
        tuple(data["explains"]),
        data["matched"],
        data.get("masked", False),
    )


def provenance_to_json(provenance: Provenance) -> dict[str, Any]:
    """What the commands were run by, as the journal keeps it."""
    return asdict(provenance)


def provenance_from_json(data: Mapping[str, Any]) -> Provenance:
    """The reverse of `provenance_to_json`."""
    tools = tuple((name, version) for name, version in data["tools"])
    images = tuple((pod, image, digest) for pod, image, digest in data.get("images", ()))
    lists = {"tools": tools, "removed": tuple(data["removed"]), "noticed": tuple(data["noticed"]), "images": images}
    known = {
        field.name: data[field.name] for field in fields(Provenance) if field.name in data
    }  # version 1.0 had fewer
    return Provenance(**known | lists)


def _evidence_to_json(evidence: Evidence | None) -> list[Any] | None:
    return [evidence.command, evidence.line, evidence.ordinal, evidence.stream] if evidence else None


def _evidence_from_json(data: Sequence[Any] | None) -> Evidence | None:
    return Evidence(data[0], data[1], data[2], data[3]) if data else None


def _remedy_to_json(remedy: Remedy) -> dict[str, Any]:
    return {
        "command": remedy.command,
        **({"advice": remedy.advice.to_json()} if remedy.advice else {}),
        **({"changes": True} if remedy.changes else {}),
    }


def _remedy_from_json(data: Mapping[str, Any]) -> Remedy:
    advice = Message.from_json(data["advice"]) if "advice" in data else None
    return Remedy(data["command"], advice, bool(data.get("changes")))
