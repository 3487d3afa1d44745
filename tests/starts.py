"""One start of the program on a state folder and a cluster in memory, and ways in which it may die."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from fake_cluster import FakeCluster
from verifying import CATALOG

from playbook.model import Cluster, Session
from playbook.runtime.cancel import CancelToken
from playbook.runtime.engine import Engine
from playbook.runtime.execution import Workplace
from playbook.runtime.listener import Silent
from playbook.runtime.plan import Plan
from playbook.session.journal import Event, Journal, Kind
from playbook.session.session import OpenSession
from playbook.session.store import SessionStore


class Died(BaseException):
    """The process is gone: nothing of it runs after this."""


class Allowing(Silent):
    """A listener whose operator allows Step 8's restarts."""

    def confirm_restart(self, cluster: Cluster | None, plan: Plan) -> bool:
        return True


def go_on(
    state: Path, cluster: FakeCluster, at_event: Callable[[int, Journal, CancelToken], None] | None = None
) -> Session:
    """One start of the program on `state` and `cluster`; `at_event` is told of every journal line that was written."""
    cancel = CancelToken()
    cluster.revive()
    with SessionStore(state) as sessions:
        current = sessions.current()
        record: OpenSession = sessions.open(current)[0] if current else sessions.create(CATALOG.digest)
        if at_event:
            count, dead = 0, False
            append = record._journal.append

            def counted(kind: Kind, at: datetime, data: dict[str, object]) -> Event:
                nonlocal count, dead
                if dead:  # in another thread
                    raise Died
                event = append(kind, at, data)
                count += 1
                try:
                    at_event(count, record._journal, cancel)
                except Died:
                    dead = True
                    raise
                return event

            record._journal.append = counted  # type: ignore[method-assign]
        engine = Engine(Workplace(CATALOG, cluster, record, Allowing(), cancel, jobs=2))
        cancel.on_cancel(cluster.end_all)
        try:
            return engine.run()
        finally:
            record.close()
