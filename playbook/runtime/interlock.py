"""The interlock of Step 8: what must be seen before a pod may be deleted.

The deletes are the only commands of the guide that can lose data. What is counted before must have been read, the data
must lie on a Bound PVC, something must be there to create the pod again, and the operator must have allowed it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..guide import ids
from ..guide.expected import DATA_DIRECTORY
from ..kubectl.pods import mounted_from
from ..model import Refusal, Run
from ..session.journal import Kind
from ..steps.restart import OBSERVER, Restart, counted, is_bound, pods_listed

if TYPE_CHECKING:
    from .execution import LiveExecution


def refusal(restart: Restart, before: Run, execution: LiveExecution) -> Refusal | None:
    """Why the delete may not be run, or None. Reads the cluster with commands of the guide only."""
    number = counted(restart, before)
    if number is None:
        return Refusal.COUNT_UNREAD
    if number == 0:
        return Refusal.COUNT_ZERO
    pods, claims, mounts, _ = execution.side_by_side((ids.PODS, ids.CLAIMS, ids.MOUNTS, ids.POD_SAMPLE))
    if not is_bound(claims, restart.claim):
        return Refusal.PVC_NOT_BOUND
    names = pods_listed(pods, restart)
    if not names:
        return Refusal.OWNER_ABSENT
    if restart is OBSERVER and not re.search(rf"\s{re.escape(DATA_DIRECTORY)}\s*$", mounts.out, re.M):
        return Refusal.DATA_NOT_MOUNTED
    for name in names:
        description = execution.run(ids.DESCRIBE_POD, name).out
        if not re.search(r"^Controlled By:\s+(?:ReplicaSet|StatefulSet)/\S", description, re.M):
            return Refusal.OWNER_ABSENT
        if not mounted_from(description, restart.directory, restart.claim):
            return Refusal.DATA_NOT_MOUNTED
    return None if _is_confirmed(execution) else Refusal.NOT_CONFIRMED


def _is_confirmed(execution: LiveExecution) -> bool:
    """Ask once; the answer and the cluster it was given for are journaled."""
    workplace = execution.workplace
    if workplace.confirmed is None:
        cluster = workplace.session.state.cluster
        with workplace.listener.prompting():
            workplace.confirmed = workplace.listener.confirm_restart(cluster)
        workplace.cancel.check()
        if workplace.confirmed:
            workplace.session.note(Kind.CONFIRM, cluster=str(cluster), step=execution.step)
    return workplace.confirmed
