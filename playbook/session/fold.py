"""The journal's events, folded into what they mean: one `Session` and what the next attempt has to know.

State is nowhere else. Whatever a crash left behind, the same events fold to the same state.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..clock import parse_moment
from ..errors import BadSession
from ..guide import ids
from ..guide.catalog import changes_cluster
from ..guide.codes import NOT_REACHED
from ..model import Abort, Cause, Cluster, Finding, Provenance, Run, Session, StepResult, Verdict, Waiver
from ..text import msg, verbatim
from .as_json import cause_from_json, finding_from_json, finding_to_json, provenance_from_json
from .hidden import Hidden
from .journal import Event, Kind

STEP_IDS = tuple(str(number) for number in range(10))

RunKey = tuple[str, int]
Load = Callable[[str, int], Run]
"""Gives the run of a command key and ordinal, masked, from wherever the recording lies."""


@dataclass(frozen=True, slots=True)
class UnfinishedMutation:
    """A command that changes the cluster, begun by a program that did not live to see its end."""

    command: str
    ordinal: int
    at: datetime


@dataclass(frozen=True, slots=True)
class _Judged:
    """A judgement without its runs: these are loaded when they are asked for, as they are masked then."""

    step: str
    findings: tuple[Finding, ...]
    runs: tuple[RunKey, ...]
    attempt: int
    at: datetime
    due_from: datetime | None
    program: str

    def result(self, load: Load) -> StepResult:
        runs = tuple(load(*key) for key in self.runs)
        return StepResult(self.step, self.findings, runs, self.attempt, self.at, self.due_from, self.program)


@dataclass(slots=True)
class Fold:
    """Takes the events of one session, one after the other, and tells the session as of the last one.

    `load` gives the runs that the events name.
    """

    load: Load
    _opened: Event | None = None
    _cluster: Cluster | None = None
    _ended_at: datetime | None = None
    _attempts: int = 0
    _program: str = ""
    _abort: Abort | None = None
    _provenance: Provenance | None = None
    _waivers: tuple[Waiver, ...] = ()
    _causes: tuple[Cause, ...] = ()
    _diagnosis: tuple[RunKey, ...] = ()
    _counting: dict[str, _Judged] = field(default_factory=dict)
    _history: list[_Judged] = field(default_factory=list)
    _hidden: Hidden = field(default_factory=Hidden)
    _changes: dict[RunKey, None] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        """Take the next event; raises BadSession when the first one opens no session."""
        data = event.data
        if self._opened is None and event.kind is not Kind.OPEN:
            raise BadSession(msg("the journal does not begin with the opening of a session"))
        match event.kind:
            case Kind.OPEN:
                self._opened = self._opened or event
            case Kind.ATTEMPT:
                self._attempts, self._ended_at = self._attempts + 1, None
                self._program = data.get("program", "")
            case Kind.IDENTITY:
                self._cluster = Cluster(data["server"], tuple(data["nodes"]), data["namespace"])
            case Kind.JUDGED:
                self._judge(data)
            case Kind.ABORT:
                self._abort = Abort(data["criterion"], data["step"])
            case Kind.FORCE:
                for step in STEP_IDS[STEP_IDS.index(data["from"]) :]:
                    self._counting.pop(step, None)
                self._waivers = tuple(waiver for waiver in self._waivers if waiver.step < data["from"])
            case Kind.CAUSES:
                self._causes = tuple(cause_from_json(cause) for cause in data["causes"])
                self._diagnosis = tuple((command, ordinal) for command, ordinal in data["runs"])
            case Kind.TOOLS:
                self._provenance = Provenance("", "", tools=tuple((name, version) for name, version in data["tools"]))
            case Kind.PROVENANCE:
                self._provenance = provenance_from_json(data)
            case Kind.WAIVE:
                waiver = Waiver(data["code"], data["step"], data["by"], data["reason"], event.at, data["evidence"])
                self._waivers = (*self._waivers, waiver)
            case Kind.INTERRUPTED | Kind.END:
                self._ended_at = event.at
            case Kind.BEGIN | Kind.RUN | Kind.REMASK:
                if event.kind is not Kind.BEGIN:
                    self._hidden.apply(data)
                changes = changes_cluster(data["command"].partition(".")[0]) or data["command"] == ids.REMOVE_TMP_CURL
                if changes and event.kind is not Kind.REMASK:
                    self._changes[data["command"], data["ordinal"]] = None
            case Kind.CONFIRM:
                pass  # told by the runs

    def state(self, digest: str = "") -> Session:
        """The session as of the last event; raises BadSession without any."""
        if self._opened is None:
            raise BadSession(msg("the journal does not begin with the opening of a session"))
        counting = {step: judged.result(self.load) for step, judged in self._counting.items()}
        return Session(
            id=self._opened.data["session"],
            guide_version=self._opened.data["guide"],
            cluster=self._cluster,
            started_at=self._opened.at,
            ended_at=self._ended_at,
            results=tuple(counting.get(step) or not_run(step) for step in STEP_IDS),
            history=tuple(judged.result(self.load) for judged in self._history),
            abort=self._abort,
            waivers=self._waivers,
            operator=self._opened.data.get("operator", ""),
            attempts=self._attempts,
            provenance=self._provenance,
            digest=digest,
            causes=self._causes,
            diagnosis=tuple(self.load(*key) for key in self._diagnosis),
            masked=self._hidden.masked(),
            withheld=self._hidden.withheld(),
            changes=tuple(self.load(*key) for key in self._changes),
        )

    def _judge(self, data: Mapping[str, Any]) -> None:
        judged = _Judged(
            data["step"],
            tuple(finding_from_json(finding) for finding in data["findings"]),
            tuple((command, ordinal) for command, ordinal in data["runs"]),
            data["attempt"],
            parse_moment(data["judged_at"]),
            parse_moment(data["due_from"]) if "due_from" in data else None,
            self._program,
        )
        self._history.append(judged)
        self._counting[judged.step] = judged
        self._waivers = _living(self._waivers, judged)
        if self._abort and self._abort.step.split("-")[0] == judged.step:
            self._abort = None


def fold(events: Iterable[Event], load: Load, digest: str = "") -> Session:
    """The session that `events` tell; `load` gives the runs they name. Raises BadSession when they tell of none."""
    return fold_of(events, load).state(digest)


def fold_of(events: Iterable[Event], load: Load) -> Fold:
    """A fold that has taken `events`."""
    folded = Fold(load)
    for event in events:
        folded.apply(event)
    return folded


def not_run(step: str) -> StepResult:
    """The result of a step that no attempt has reached."""
    nothing = verbatim("-")
    return StepResult(
        step, (Finding(f"{NOT_REACHED}/{step}", step, Verdict.NOT_RUN, msg("not run"), nothing, nothing),)
    )


def all_ten(session: Session) -> tuple[StepResult, ...]:
    """The results of all ten steps, in the guide's order, also where `session` has none."""
    known = {result.step: result for result in session.results}
    return tuple(known.get(step) or not_run(step) for step in STEP_IDS)


def evidence_digest(finding: Finding) -> str:
    """What a waiver is bound to: the finding as it was judged. Another text, value or line is another finding."""
    data = finding_to_json(finding)
    data.pop("masked", None)
    data.pop("evidence")  # the same answer seen again stays accepted; its ordinal changes with every attempt
    return hashlib.sha256(json.dumps(data, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _living(waivers: tuple[Waiver, ...], judged: _Judged) -> tuple[Waiver, ...]:
    """The waivers that are left after a step was judged again: of its own, those whose finding came out as it was."""
    if not waivers:
        return ()
    digests = {(finding.code, evidence_digest(finding)) for finding in judged.findings}
    return tuple(w for w in waivers if w.step != judged.step or (w.code, w.evidence) in digests)


def unfinished_mutations(events: Iterable[Event]) -> tuple[UnfinishedMutation, ...]:
    """Commands that change the cluster of which the journal knows the start and not the end."""
    found: dict[RunKey, UnfinishedMutation] = {}
    for event in events:
        key = (event.data.get("command", ""), event.data.get("ordinal", 0))
        if event.kind is Kind.BEGIN:
            found[key] = UnfinishedMutation(key[0], key[1], event.at)
        elif event.kind is Kind.RUN:
            found.pop(key, None)
    return tuple(found.values())


def known_digests(events: Iterable[Event]) -> dict[RunKey, tuple[set[str], set[str]]]:
    """Every digest noted of each run's two streams: a program may die between noting a new mask and writing it."""
    found: dict[RunKey, tuple[set[str], set[str]]] = {}
    for event in events:
        if event.kind in (Kind.RUN, Kind.REMASK):
            out, err = found.setdefault((event.data["command"], event.data["ordinal"]), (set(), set()))
            out.add(event.data["out"])
            err.add(event.data["err"])
    return found
