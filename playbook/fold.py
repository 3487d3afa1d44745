"""The journal's events, folded into what they mean: one `Session` and what the next attempt has to know.

State is nowhere else. Whatever a crash left behind, the same events fold to the same state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from .criteria import family
from .errors import BadSession
from .journal import Event, Kind, moment
from .model import (
    Abort,
    Cause,
    Cluster,
    Evidence,
    Finding,
    Remedy,
    Run,
    Session,
    StepResult,
    Verdict,
    Waiver,
)
from .text import Message, msg, verbatim

STEP_IDS = tuple(str(number) for number in range(10))

RunKey = tuple[str, int]
Load = Callable[[str, int], Run]
"""Gives the run of a command key and ordinal, masked, from wherever the recording lies."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A command that changes the cluster, started by a program that did not live to see its end."""

    command: str
    ordinal: int
    at: datetime


# to and from JSON


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
    )


def _evidence_to_json(evidence: Evidence | None) -> list[Any] | None:
    return [evidence.command, evidence.line, evidence.ordinal, evidence.stream] if evidence else None


def _evidence_from_json(data: Sequence[Any] | None) -> Evidence | None:
    return Evidence(data[0], data[1], data[2], data[3]) if data else None


def _remedy_to_json(remedy: Remedy) -> dict[str, Any]:
    return {"command": remedy.command, **({"advice": remedy.advice.to_json()} if remedy.advice else {})}


def _remedy_from_json(data: Mapping[str, Any]) -> Remedy:
    return Remedy(data["command"], Message.from_json(data["advice"]) if "advice" in data else None)


# the fold


def not_run(step: str) -> StepResult:
    """The result of a step that no attempt has reached."""
    nothing = verbatim("-")
    return StepResult(step, (Finding(f"STEP/{step}", step, Verdict.NOT_RUN, msg("not run"), nothing, nothing),))


def fold(events: Sequence[Event], load: Load, digest: str = "") -> Session:
    """The session that `events` tell; `load` gives the runs they name. Raises BadSession when they tell of none."""
    if not events or events[0].kind is not Kind.OPEN:
        raise BadSession(msg("the journal does not begin with the opening of a session"))
    opened = events[0]
    session = Session(
        id=opened.data["session"],
        guide_version=opened.data["guide"],
        cluster=None,
        started_at=opened.at,
        ended_at=None,
        results=(),
        operator=opened.data.get("operator", ""),
        attempts=0,
        digest=digest,
    )
    counting: dict[str, StepResult] = {}
    history: list[StepResult] = []
    for event in events[1:]:
        data = event.data
        match event.kind:
            case Kind.ATTEMPT:
                session = replace(session, attempts=session.attempts + 1, ended_at=None)
            case Kind.IDENTITY:
                session = replace(session, cluster=Cluster(data["server"], tuple(data["nodes"]), data["namespace"]))
            case Kind.JUDGED:
                result = _result(data, load)
                history.append(result)
                counting[result.step] = result
                session = replace(session, waivers=_living(session.waivers, result))
                if session.abort and session.abort.step.split("-")[0] == result.step:
                    session = replace(session, abort=None)
            case Kind.ABORT:
                session = replace(session, abort=Abort(data["criterion"], data["step"]))
            case Kind.FORCE:
                for step in STEP_IDS[STEP_IDS.index(data["from"]) :]:
                    counting.pop(step, None)
                session = replace(session, waivers=tuple(w for w in session.waivers if w.step < data["from"]))
            case Kind.CAUSES:
                session = replace(
                    session,
                    causes=tuple(cause_from_json(cause) for cause in data["causes"]),
                    diagnosis=tuple(load(command, ordinal) for command, ordinal in data["runs"]),
                )
            case Kind.TOOLS:
                session = replace(session, tools=tuple((name, version) for name, version in data["tools"]))
            case Kind.WAIVE:
                waiver = Waiver(data["code"], data["step"], data["by"], data["reason"], event.at, data["evidence"])
                session = replace(session, waivers=(*session.waivers, waiver))
            case Kind.INTERRUPTED | Kind.END:
                session = replace(session, ended_at=event.at)
            case _:
                pass
    results = tuple(counting.get(step) or not_run(step) for step in STEP_IDS)
    return replace(session, results=results, history=tuple(history))


def _result(data: Mapping[str, Any], load: Load) -> StepResult:
    return StepResult(
        data["step"],
        tuple(finding_from_json(finding) for finding in data["findings"]),
        tuple(load(command, ordinal) for command, ordinal in data["runs"]),
        data["attempt"],
        moment(data["judged_at"]),
    )


def evidence_digest(finding: Finding) -> str:
    """What a waiver is bound to: the finding as it was judged. Another text, value or line is another finding."""
    import hashlib
    import json

    data = finding_to_json(finding)
    data.pop("evidence")  # the same answer seen again stays accepted; its ordinal changes with every attempt
    return hashlib.sha256(json.dumps(data, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _living(waivers: Iterable[Waiver], result: StepResult) -> tuple[Waiver, ...]:
    """The waivers that are left after a step was judged again: of its own, those whose finding came out as it was."""
    waivers = tuple(waivers)
    if not waivers:
        return ()
    digests = {(finding.code, evidence_digest(finding)) for finding in result.findings}
    return tuple(w for w in waivers if w.step != result.step or (w.code, w.evidence) in digests)


def begun(events: Iterable[Event]) -> tuple[Begun, ...]:
    """Commands that change the cluster of which the journal knows the start and not the end."""
    open_ones: dict[RunKey, Begun] = {}
    for event in events:
        key = (event.data.get("command", ""), event.data.get("ordinal", 0))
        if event.kind is Kind.BEGIN:
            open_ones[key] = Begun(key[0], key[1], event.at)
        elif event.kind is Kind.RUN:
            open_ones.pop(key, None)
    return tuple(open_ones.values())


def digests(events: Iterable[Event]) -> dict[RunKey, tuple[str, str]]:
    """SHA-256 of standard output and standard error of every run, as last written."""
    found: dict[RunKey, tuple[str, str]] = {}
    for event in events:
        if event.kind in (Kind.RUN, Kind.REMASK):
            found[event.data["command"], event.data["ordinal"]] = (event.data["out"], event.data["err"])
    return found


def waivable(session: Session) -> tuple[Finding, ...]:
    """The findings that count and that a waiver may accept.

    A pass need not be accepted and an abort criterion may not be, nor a step that was not reached because of one. A code
    that stands for several findings is left out: a waiver is for one.
    """
    from .criteria import met

    allowed = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.SKIPPED, Verdict.NOT_RUN)
    findings = [finding for result in session.results for finding in result.findings]
    codes = [finding.code for finding in findings]
    return tuple(
        finding
        for finding in findings
        if finding.verdict in allowed
        and not met((finding,))
        and not (session.abort and family(finding.code) == "STEP")
        and codes.count(finding.code) == 1
    )
