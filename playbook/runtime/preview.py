"""A look at the cluster for a plan: Steps 0 to 7 by their read-only commands, in a session that is forgotten afterwards."""

from __future__ import annotations

from ..guide import ids
from ..guide.catalog import read_only
from ..session.journal import Kind
from ..steps import STEPS
from .execution import LiveExecution, Workplace
from .judging import judge, meets_criterion

_WITH_CHANGES = "67"
"""Steps some of whose commands change the cluster: their others are run side by side."""

_PORT_FORWARD = (ids.PORT_FORWARD, ids.CURL, ids.STOP_PORT_FORWARD)
"""They take a port of this machine, and no need is shown by them."""


def look(workplace: Workplace) -> bool:
    """Carry out what changes nothing and judge it, up to an abort criterion; False where the API server does not answer."""
    session = workplace.session
    for step in STEPS:
        if step.id > "7":
            break
        workplace.cancel.check()
        workplace.listener.step_begins(step)
        execution = LiveExecution(step.id, workplace)
        if step.id in _WITH_CHANGES:
            execution.side_by_side([command for command in read_only(step.id) if command not in _PORT_FORWARD])
        else:
            step.carry_out(execution)
        workplace.cancel.check()
        seen = step.cluster_of(execution.runs) if step.cluster_of else None
        if seen:
            session.note(Kind.IDENTITY, server=seen.server, nodes=list(seen.nodes), namespace=seen.namespace)
        result = judge(step, execution.runs, session, session.now())
        if step.is_dead_end and step.is_dead_end(execution.runs):
            return False
        if meets_criterion(result, session):
            break
    return True
