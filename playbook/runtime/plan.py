"""What an attempt would change on this cluster, before it does: made of a session by plain functions, nothing is run here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum

from ..guide import ids
from ..guide.catalog import Catalog, changes_cluster
from ..guide.codes import Code, family
from ..guide.expected import PVCS, TMP_CURL
from ..guide.own_commands import REMOVE_TMP_CURL
from ..kubectl.pods import stays
from ..model import PASSING, Cluster, Command, Finding, Runs, Session, Verdict
from ..steps import STEPS
from ..steps.needs import NEEDS, STEPS_NEEDED, Need, Unmet, unmet
from ..steps.restart import OBSERVER, POSTGRES, RESTARTS, Restart, last_restart, pods_listed
from ..text import Message, msg


class Fate(str, Enum):
    """What becomes of a command that changes the cluster."""

    RUNS = "runs"
    ON_PERMISSION = "on-permission"  # of the operator, and when what is still to be seen is seen
    NOT_RUN = "not-run"


@dataclass(frozen=True, slots=True)
class Planned:
    """One command that changes the cluster, what it touches there, and whether it is run."""

    command: Command
    touches: tuple[Message, ...]
    fate: Fate
    why: Message | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Every command that changes the cluster, and what of the table of needs holds, is in the way, or is not seen yet."""

    cluster: Cluster | None
    commands: tuple[Planned, ...]
    holds: tuple[Need, ...]
    in_the_way: tuple[Unmet, ...]
    not_yet_seen: tuple[Unmet, ...]
    findings: tuple[Finding, ...]  # so far, those that are no pass


_BY_CHANGE = {Code.WRITE: (ids.WRITE_DATA, ids.WRITE_LOGS), Code.NEW_POD: (ids.HEALTH_VIA_SERVICE,)}
"""Findings that only a command gives which changes the cluster."""


def due_steps(known: Session | None, start: str | None = None, until: str = "9") -> tuple[str, ...]:
    """The steps that an attempt carries out: all of a new session, else those from `start` on, not passed, or stale."""

    def is_due(number: str, always: bool) -> bool:
        if known is None or always or (start is not None and number >= start):
            return True
        return known.standing(known.result(number)) not in PASSING or number in dict(known.stale)

    return tuple(step.id for step in STEPS if step.id <= until and is_due(step.id, step.always))


def make_plan(
    session: Session,
    catalog: Catalog,
    due: Collection[str] = tuple("0123456789"),
    *,
    again: Collection[str] = (),
    known: Session | None = None,
    reachable: bool = True,
) -> Plan:
    """The plan of an attempt at the steps `due`, by what `session` has seen.

    `again` are steps that passed and are carried out again right before a restart. `known` is the session that the attempt
    would go on with; `reachable` says whether the API server answered.
    """
    kept = () if known is None else tuple(step for step in STEPS_NEEDED if step not in (*due, *again))
    seen_before = (
        {Code.WRITE.value, Code.NEW_POD.value} - {family(each.code) for each in unmet(known, kept)} if known else set()
    )
    open_needs = tuple(
        each for each in unmet(session) if not (each.need.step in kept and family(each.code) in seen_before)
    )
    unseen = tuple(each for each in open_needs if _is_unseen(each, session))
    in_the_way = tuple(each for each in open_needs if each not in unseen)
    unmet_needs = {each.need for each in open_needs}
    planned: list[Planned] = []
    for id in catalog.ids:
        step = catalog.command(id).step.partition("-")[0]
        if not changes_cluster(id) or id == ids.CREATE_OBSERVER_SECRETS or step not in (*due, *again):
            continue
        fate, why = _stopped(session, step, reachable) or _fate(id, session, in_the_way, unseen, known)
        if step not in due and fate is Fate.RUNS:
            fate, why = Fate.ON_PERMISSION, msg("only to look again, right before a restart")
        planned.append(Planned(catalog.command(id), tuple(_touches(id, session, catalog)), fate, why))
        if id == ids.HEALTH_VIA_SERVICE and fate is not Fate.NOT_RUN:
            left = msg("if {pod} is left behind", pod=TMP_CURL)
            planned.append(Planned(REMOVE_TMP_CURL, (msg("pod {pod}", pod=TMP_CURL),), fate, left))
    quiet = (*PASSING, Verdict.NOT_RUN, Verdict.PENDING)
    unlooked = {code.value for code in _BY_CHANGE if _is_unlooked(code, session)}
    findings = [finding for result in session.results for finding in result.findings]
    return Plan(
        session.cluster,
        tuple(planned),
        tuple(need for need in NEEDS if need not in unmet_needs),
        in_the_way,
        unseen,
        tuple(each for each in findings if each.verdict not in quiet and family(each.code) not in unlooked),
    )


def _is_unlooked(code: Code, session: Session) -> bool:
    runs = Runs(run for result in session.results for run in result.runs)
    return not any(runs.all(command) for command in _BY_CHANGE[code])


def _is_unseen(each: Unmet, session: Session) -> bool:
    """Whether a need is open only because the command that shows it changes the cluster, or its step was not reached."""
    code = next((code for code in _BY_CHANGE if code.value == family(each.code)), None)
    if code:
        return _is_unlooked(code, session)
    return each.verdict is Verdict.NOT_RUN and session.result(each.need.step).judged_at is None


def _stopped(session: Session, step: str, reachable: bool) -> tuple[Fate, Message] | None:
    if not reachable:
        return Fate.NOT_RUN, msg("the API server does not answer")
    if session.abort and session.abort.step.partition("-")[0] < step:
        met = session.abort
        stops = msg(
            "abort criterion {criterion} at Step {step} stops before it", criterion=met.criterion, step=met.step
        )
        return Fate.NOT_RUN, stops
    return None


def _fate(
    id: str, session: Session, in_the_way: tuple[Unmet, ...], unseen: tuple[Unmet, ...], known: Session | None
) -> tuple[Fate, Message | None]:
    restart = next((restart for restart in RESTARTS if restart.delete == id), None)
    if restart is None:
        if id == ids.HEALTH_VIA_SERVICE and _somebodys_tmp_curl(session):
            return Fate.NOT_RUN, msg("a pod {pod} is there already", pod=TMP_CURL)
        return Fate.RUNS, None
    if known and last_restart(restart, Runs(known.result("8").runs)):
        return Fate.NOT_RUN, msg("this restart was begun already: it is only waited for and counted")
    if in_the_way:
        return Fate.NOT_RUN, msg("in its way: {findings}", findings=", ".join(map(str, in_the_way)))
    if restart is POSTGRES:
        return Fate.ON_PERMISSION, msg("only once the restart of Observer was seen to end well")
    if unseen:
        codes = ", ".join(dict.fromkeys(each.code for each in unseen))
        return Fate.ON_PERMISSION, msg("only once these are seen: {codes}, and the count before it", codes=codes)
    return Fate.ON_PERMISSION, None


def _somebodys_tmp_curl(session: Session) -> bool:
    return stays(Runs(session.result("6").runs).last(ids.PODS).out, TMP_CURL)


_FILE = re.compile(r"touch (/\S+)")
_CLAIM_OF = {ids.WRITE_DATA: "observer-data-pvc", ids.WRITE_LOGS: "observer-logs-pvc"}


def _touches(id: str, session: Session, catalog: Catalog) -> Iterator[Message]:
    listed = Runs(session.result("6").runs).last(ids.PODS)
    if id in _CLAIM_OF:
        some = " | ".join(pods_listed(listed, OBSERVER)) or "?"
        yield msg("pod {pod}", pod=some)
        yield msg("PVC {name}: a file is made in it and removed", name=_CLAIM_OF[id])
        if path := _FILE.search(catalog.command(id).text):
            yield msg("file {path}", path=path[1])
    elif id == ids.HEALTH_VIA_SERVICE:
        yield msg("pod {pod}: made, and removed", pod=TMP_CURL)
    for restart in RESTARTS:
        if restart.delete == id:
            for pod in pods_listed(listed, restart) or ("?",):
                yield msg("pod {pod}: deleted", pod=pod)
            for claim in _claims(restart):
                yield msg("PVC {name}: stays, the new pod mounts it", name=claim)


def _claims(restart: Restart) -> tuple[str, ...]:
    return (restart.claim,) if restart is POSTGRES else tuple(name for name in PVCS if name != POSTGRES.claim)
