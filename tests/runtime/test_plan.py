"""A plan changes nothing, and says what an attempt then does: on a healthy cluster and on faults."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from stubbed import Stubbed
from verifying import CATALOG, DELETES, Verification, verification  # noqa: F401  # a fixture

from playbook.guide import ids
from playbook.guide.catalog import changes_cluster
from playbook.model import Session
from playbook.output.plan import plan_text
from playbook.runtime.execution import Workplace
from playbook.runtime.plan import Fate, Plan, due_steps, make_plan
from playbook.runtime.preview import look
from playbook.session.journal import Kind
from playbook.session.session import in_memory

FORBIDDEN = 'Error from server (Forbidden): x is forbidden: User "ops" cannot list resource "x"\n'
CORDONED = """NAME             STATUS                     ROLES           AGE   VERSION        INTERNAL-IP
oracle-obs-arm   Ready,SchedulingDisabled   control-plane   41s   v1.34.4+k3s1   10.99.0.2
"""


@pytest.fixture
def at(verification: Verification) -> Verification:
    """A new session."""
    return verification


def planned(at: Verification, known: Session | None = None) -> Plan:
    """The plan of the next attempt."""
    at.cluster.revive()
    at.cluster.calls.clear()
    session = in_memory("-", at.now)
    reachable = look(Workplace(CATALOG, at.cluster, session))  # type: ignore[arg-type]
    assert [call for call in at.cluster.calls if changes_cluster(call)] == []
    return make_plan(session.state, CATALOG, due_steps(known), known=known, reachable=reachable)


def of_guide(plan: Plan, *fates: Fate) -> list[str]:
    return [each.command.id for each in plan.commands if each.fate in fates and changes_cluster(each.command.id)]


def changed(at: Verification) -> list[str]:
    """The commands of the guide that the journal says were begun."""
    return [event.data["command"] for event in at.record.events if event.kind is Kind.BEGIN]


FAULTS: dict[str, Callable[[Verification], None]] = {
    "healthy": lambda at: None,
    "cordoned": lambda at: at.answer(ids.NODES, CORDONED),
    "ghcr-missing": lambda at: at.answer(
        ids.GHCR_SECRET, "", 'Error from server (NotFound): secrets "ghcr-secret" not found\n'
    ),
    "secret-missing": lambda at: at.answer(
        ids.OBSERVER_SECRETS, "", 'Error from server (NotFound): secrets "observer-secrets" not found\n'
    ),
    "pvc-pending": lambda at: at.change(ids.CLAIMS, "Bound  ", "Pending"),
    "config-changed": lambda at: at.change(ids.CONFIG_KEYS, "OBSERVER_DATA_DIR\n", ""),
    "services-forbidden": lambda at: at.answer(ids.SERVICES, "", FORBIDDEN),
    "api-down": lambda at: (
        [
            at.answer(
                id, "", "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host?\n"
            )
            for id in (ids.CLUSTER_INFO, ids.NODES)
        ]
        and None
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_plan_is_what_is_done(fault: str, at: Verification) -> None:
    FAULTS[fault](at)
    plan = planned(at)
    at.all()
    assert of_guide(plan, Fate.RUNS, Fate.ON_PERMISSION) == changed(at)


def test_without_permission_the_rest_of_the_plan_is_done(at: Verification) -> None:
    plan = planned(at)
    at.all(allow=False)
    assert of_guide(plan, Fate.RUNS) == changed(at)
    assert of_guide(plan, Fate.ON_PERMISSION) == list(DELETES)


def test_it_names_pods_claims_and_files_of_this_cluster(at: Verification) -> None:
    text = plan_text(planned(at))
    for named in (
        *at.cluster.observers,
        "postgres-0",
        "tmp-curl",
        "observer-data-pvc",
        "observer-db-pvc",
        "/.write_test",
    ):
        assert named in text
    assert "kubectl delete pod -l app=observer -n observer-prod" in text
    assert "only once these are seen: WRITE/data, WRITE/logs, NEW-POD" in " ".join(text.split())
    assert "in the way" not in text


def test_it_names_what_is_in_the_way(at: Verification) -> None:
    at.answer(ids.NODES, CORDONED)
    plan = planned(at)
    assert "in its way: NODE-READY/oracle-obs-arm=fail" in " ".join(plan_text(plan).split())
    assert of_guide(plan, Fate.NOT_RUN) == list(DELETES)


def test_what_passed_is_not_planned_again(at: Verification) -> None:
    at.all(allow=False)
    plan = planned(at, at.record.state)
    assert of_guide(plan, *Fate) == list(DELETES)
    assert plan.not_yet_seen == ()
    begun = len(changed(at))
    at.all()
    assert of_guide(plan, Fate.ON_PERMISSION) == changed(at)[begun:]


def test_a_restart_that_was_begun_is_not_planned_again(at: Verification) -> None:
    at.answer("step8-2-wait-observer", "", "error: timed out waiting for the condition on pods/x\n", 1)
    at.all()
    at.cluster.answers.clear()
    plan = planned(at, at.record.state)
    assert of_guide(plan, Fate.NOT_RUN) == [DELETES[0]]
    assert of_guide(plan, Fate.ON_PERMISSION) == [DELETES[1]]


def test_the_question_shows_findings_and_plan(at: Verification) -> None:
    at.all()
    (plan,) = at.operator.plans
    assert of_guide(plan, *Fate) == list(DELETES)
    assert (plan.in_the_way, plan.not_yet_seen) == ((), ())
    assert len(plan.holds) > 10


def test_the_command_line_changes_nothing_and_keeps_nothing(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    ended = stub.playbook("all", "--plan", "--allow-restart")
    assert ended.returncode == 0, ended.stderr
    assert "kubectl delete pod postgres-0 -n observer-prod" in ended.stdout
    assert not stub.state.exists() or not (stub.state / "sessions").exists()
    verbs = {json.loads(line)[1] for line in stub.log.read_text().splitlines() if line.startswith('["kubectl"')}
    assert {"get", "exec"} <= verbs
    assert not verbs & {"delete", "run", "create", "apply", "port-forward"}
    assert ".write_test" not in stub.log.read_text()


def test_enter_alone_restarts_nothing(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    status, shown = stub.at_terminal(["all"], [("Enter alone: no restart", b"\n")])
    text = shown.decode()
    assert status == 3, text
    assert "commands that change the cluster" in text
    assert "kubectl delete pod postgres-0" in text
    assert '"delete", "pod", "postgres-0"' not in stub.log.read_text()
