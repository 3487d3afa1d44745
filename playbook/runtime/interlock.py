"""The interlock of Step 8: what must be seen before a pod may be deleted.

The deletes are the only commands of the guide that can lose data or take the service down. What is counted before must
have been read, all that a new pod needs must have been seen (`steps.needs`), the data must lie on a Bound PVC, something
must be there to create the pod again, and the operator must have allowed it.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ..guide import ids
from ..guide.expected import DATA_DIRECTORY
from ..kubectl.pods import mounted_from
from ..model import Run, Session
from ..refusals import Refusal, Refused
from ..session.journal import Kind
from ..steps.admission import Admission, admission
from ..steps.judging import step_by_number
from ..steps.needs import STEPS_NEEDED, left_over_pods, unmet
from ..steps.restart import OBSERVER, Restart, counted, is_bound, pods_listed
from ..text import msg
from .judging import judge, meets_criterion
from .plan import make_plan

if TYPE_CHECKING:
    from .execution import LiveExecution

FRESH = timedelta(minutes=5)
"""What was seen longer ago is looked at again right before a delete."""


def refusal(restart: Restart, before: Run, execution: LiveExecution) -> Refused | None:
    """Why the delete may not be run, or None. Reads the cluster with commands of the guide, as the steps do."""
    number = counted(restart, before)
    if number is None:
        return Refused(Refusal.COUNT_UNREAD)
    if number == 0:
        return Refused(Refusal.COUNT_ZERO)
    old = _seen_too_long_ago(execution)
    why = _by_table(execution, tuple(step for step in STEPS_NEEDED if step not in old))
    why = why or _by_cluster(restart, execution) or _by_admission(restart, execution)
    if why:
        return why
    if not _is_confirmed(execution):
        return Refused(Refusal.NOT_CONFIRMED)
    old = _seen_too_long_ago(execution)  # the question may have waited for its answer
    if not old:
        return None
    _look_again(execution, old)
    why = _by_table(execution, STEPS_NEEDED) or _by_cluster(restart, execution)
    return why or _by_admission(restart, execution)


def _by_table(execution: LiveExecution, steps: tuple[str, ...]) -> Refused | None:
    found = unmet(execution.workplace.session.state, steps)
    return Refused(Refusal.NEED_UNMET, ", ".join(str(each) for each in found)) if found else None


def _by_cluster(restart: Restart, execution: LiveExecution) -> Refused | None:
    """What is read again before each delete, however fresh the steps are."""
    pods, claims, mounts, _ = execution.side_by_side((ids.PODS, ids.CLAIMS, ids.MOUNTS, ids.POD_SAMPLE))
    if not is_bound(claims, restart.claim):
        return Refused(Refusal.PVC_NOT_BOUND)
    left_over = left_over_pods(pods)
    names = [name for name in pods_listed(pods, restart) if name not in left_over]
    if not names:
        return Refused(Refusal.OWNER_ABSENT)
    if restart is OBSERVER and not re.search(rf"\s{re.escape(DATA_DIRECTORY)}\s*$", mounts.out, re.M):
        return Refused(Refusal.DATA_NOT_MOUNTED)
    for name in names:
        description = execution.run(ids.DESCRIBE_POD, name).out
        if not re.search(r"^Controlled By:\s+(?:ReplicaSet|StatefulSet)/\S", description, re.M):
            return Refused(Refusal.OWNER_ABSENT)
        if not mounted_from(description, restart.directory, restart.claim):
            return Refused(Refusal.DATA_NOT_MOUNTED)
    return None


def _by_admission(restart: Restart, execution: LiveExecution) -> Refused | None:
    """Whether the API server says that it would not take the new pod; that it may not be asked, the finding says."""
    answer = admission(execution.run(restart.admission))
    return Refused(Refusal.NOT_ADMITTED) if answer.admission is Admission.REFUSED else None


def _seen_too_long_ago(execution: LiveExecution) -> tuple[str, ...]:
    """The steps of the table that were never carried out, or not in the last minutes; or by a clock that has jumped."""
    session = execution.workplace.session
    return looked_at_again(session.state, session.now())


def looked_at_again(state: Session | None, now: datetime) -> tuple[str, ...]:
    """The steps that would be looked at again if a pod were to be deleted now; none without a session."""
    if state is None:
        return ()
    judged = {step: state.result(step).judged_at for step in STEPS_NEEDED}
    return tuple(step for step, at in judged.items() if at is None or not timedelta(0) <= now - at <= FRESH)


def _look_again(execution: LiveExecution, steps: tuple[str, ...]) -> None:
    """Carry out `steps` again and judge them; what they show counts from now on."""
    workplace = execution.workplace
    workplace.listener.notice(msg("looks again before the restart at Steps {steps}", steps=", ".join(steps)))
    for number in steps:
        step, again = step_by_number(number), execution.of_step(number)
        step.carry_out(again)
        workplace.cancel.check()
        result = judge(step, again.runs, workplace.session, workplace.session.now())
        meets_criterion(result, workplace.session)


def _is_confirmed(execution: LiveExecution) -> bool:
    """Ask once; the answer and the cluster it was given for are journaled."""
    workplace = execution.workplace
    if workplace.confirmed is None:
        state = workplace.session.state
        cluster, plan = state.cluster, make_plan(state, workplace.catalog, "8")
        with workplace.listener.prompting():
            workplace.confirmed = workplace.listener.confirm_restart(cluster, plan)
        workplace.cancel.check()
        if workplace.confirmed:
            workplace.session.note(Kind.CONFIRM, cluster=str(cluster), step=execution.step)
    return workplace.confirmed
