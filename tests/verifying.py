"""One session in memory, a cluster in memory, and a clock: attempts at a verification, as quick as thought."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from fake_cluster import FakeCluster

from playbook.guide.catalog import load
from playbook.model import Cluster, Ended, Finding, Run, Session, StepResult
from playbook.runtime.engine import Engine
from playbook.runtime.execution import Workplace
from playbook.runtime.listener import Silent
from playbook.runtime.plan import Plan
from playbook.runtime.staleness import stale
from playbook.runtime.uptime import Uptime
from playbook.session.journal import Kind
from playbook.session.session import OpenSession, in_memory
from playbook.text import Message

CATALOG = load()
BEGAN = datetime(2026, 11, 23, 1, 0, tzinfo=timezone.utc)
DELETES = ("step8-2-delete-observer", "step8-4-delete-postgres")


class Operator(Silent):
    """Allows the restarts of Step 8 or not, and keeps what it is told."""

    def __init__(self, allows: bool) -> None:
        self.allows = allows
        self.asked: list[str] = []
        self.kept: dict[str, str] = {}
        self.notices: list[str] = []
        self.plans: list[Plan] = []

    def confirm_restart(self, cluster: Cluster | None, plan: Plan) -> bool:
        self.asked.append(str(cluster))
        self.plans.append(plan)
        return self.allows

    def step_kept(self, result: StepResult, why: Message) -> None:
        self.kept[result.step] = str(why)

    def notice(self, message: Message) -> None:
        self.notices.append(str(message))


class Verification:
    """One session; `all` is one start of the program on it. Time stands still unless `later` moves it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = BEGAN
        self._set = timedelta()  # by how much the clock was set
        self.cluster = FakeCluster()
        self.cluster.clock = self.now
        monkeypatch.setattr("playbook.runtime.execution.LiveExecution.pause", lambda self, seconds: None)
        self.record: OpenSession = in_memory("test", self.now)
        self.operator = Operator(True)

    def now(self) -> datetime:
        """The moment; no two are the same."""
        self.at += timedelta(milliseconds=1)
        return self.at

    def later(self, **span: float) -> None:
        """Let time pass, or go back."""
        self.at += timedelta(**span)

    def set_clock(self, **span: float) -> None:
        """Let the machine's clock be set, while no time passes."""
        self.later(**span)
        self._set += timedelta(**span)

    def uptime(self) -> Uptime:
        """How long the machine has been up."""
        return Uptime("boot", (self.at - BEGAN - self._set).total_seconds() + 1000)

    def all(self, *, allow: bool = True, **how: str | None) -> Session:
        """Start the program once more."""
        self.cluster.revive()
        self.cluster.calls.clear()
        self.operator = Operator(allow)
        workplace = Workplace(CATALOG, self.cluster, self.record, self.operator, uptime=self.uptime)  # type: ignore[arg-type]
        return Engine(workplace, diagnosing=False).run(**how)  # type: ignore[arg-type]

    def stale(self) -> dict[str, str]:
        """Step and the code of the rule that made it stale."""
        return {step: rule.code for step, rule in stale(self.record.state, self.record.answers, self.now())}

    def steps_run(self) -> str:
        """The steps of which the last attempt judged anew, as one word: `019`."""
        events = self.record.events
        begun = max(place for place, event in enumerate(events) if event.kind is Kind.ATTEMPT)
        return "".join(event.data["step"] for event in events[begun:] if event.kind is Kind.JUDGED)

    def answer(self, command: str, out: str = "", err: str = "", code: int | None = None, *,
               ended: Ended = Ended.EXITED, once: Callable[[], bool] = lambda: True) -> None:  # fmt: skip
        """Have a command print this from now on, as long as `once` says so."""
        status = (1 if err else 0) if code is None and ended is Ended.EXITED else code

        def printed(run: Run) -> Run:
            if not once():
                return run
            return replace(run, stdout=out.encode(), stderr=err.encode(), exit_code=status, ended=ended)

        self.cluster.answers[command] = printed

    def change(self, command: str, old: str, new: str) -> None:
        """Have a command print `new` where it printed `old`."""

        def printed(run: Run) -> Run:
            assert old in run.out, run.out
            return replace(run, stdout=run.out.replace(old, new).encode())

        self.cluster.answers[command] = printed

    def replace_pods(self) -> None:
        """Somebody restarts the Deployment."""
        self.cluster.observers = self.cluster._new()


def of(session: Session, code: str) -> Finding:
    """The finding with that code among those that count; there must be one."""
    found = [finding for result in session.results for finding in result.findings if finding.code == code]
    assert len(found) == 1, [finding.code for result in session.results for finding in result.findings]
    return found[0]


@pytest.fixture
def verification(monkeypatch: pytest.MonkeyPatch) -> Verification:
    """A new session on a healthy cluster."""
    return Verification(monkeypatch)
