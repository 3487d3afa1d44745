"""A new pod that cannot come up: Step 8 says why, how to get back, and since when the service is down; postgres-0 stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

import pytest
from support import made
from verifying import DELETES, Verification, of, verification  # noqa: F401  # a fixture

from playbook.clock import utc_text
from playbook.guide import ids
from playbook.kubectl.startup import Obstacle, not_created, stuck
from playbook.model import Command, Run, Session, Verdict
from playbook.output.labels import outage_sentence
from playbook.output.markdown import markdown_text
from playbook.runtime import awaiting
from playbook.steps.restart import OBSERVER, POSTGRES

# Handmade, after the words of Kubernetes 1.20 and 1.34 (DESIGN: facts 19, 22 and 27).
EVENTS = """Name:             {pod}
Controlled By:  ReplicaSet/observer-7cd9cf784
Events:
  Type     Reason            Age                From               Message
  ----     ------            ----               ----               -------
{rows}"""
SCHEDULED = (
    "  Normal   Scheduled         20s                default-scheduler  Successfully assigned observer-prod/x to n\n"
)
STARTED = "  Normal   Started           19s                kubelet            Started container observer\n"
CORDONED = (
    "  Warning  FailedScheduling  21s                default-scheduler  0/1 nodes are available: "
    "1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/1 nodes are available\n"
)
TAINT_120 = (
    "  Warning  FailedScheduling  21s                default-scheduler  0/1 nodes are available: 1 node(s) had taint "
    "{dedicated: x}, that the pod didn't tolerate.\n"
)
TAINT_134 = CORDONED.replace("were unschedulable", "had untolerated taint(s)")
PULL = (
    "  Warning  Failed            5s (x2 over 20s)   kubelet            Failed to pull image "
    '"ghcr.io/acme/observer:v1": rpc error: code = Unknown desc = unexpected status: 403 Forbidden\n'
)
MOUNT = (
    "  Warning  FailedMount       5s (x5 over 20s)   kubelet            MountVolume.SetUp failed for volume "
    '"config" : configmap "gone" not found\n'
)
SYNC = (
    "  Warning  FailedMount       20s                kubelet            MountVolume.SetUp failed for volume "
    '"config" : failed to sync configmap cache: timed out waiting for the condition\n'
)
SECRET = (
    '  Warning  Failed            7s (x2 over 9s)    kubelet            Error: secret "observer-secrets" not found\n'
)
KEY = (
    "  Warning  Failed            7s (x2 over 9s)    kubelet            Error: couldn't find key OBSERVER_X in "
    "ConfigMap observer-prod/observer-config\n"
)
QUOTA = """LAST SEEN   TYPE      REASON         OBJECT                          MESSAGE
59m         Warning   FailedCreate   replicaset/observer-7cd9cf784   Error creating: pods "observer-a" is forbidden: exceeded quota: old
2s          Warning   FailedCreate   replicaset/observer-7cd9cf784   Error creating: pods "observer-b" is forbidden: exceeded quota: few, requested: pods=1, used: pods=3, limited: pods=3
"""
WEBHOOK = """LAST SEEN   TYPE      REASON         OBJECT                 MESSAGE
3s          Warning   FailedCreate   statefulset/postgres   create Pod postgres-0 in StatefulSet postgres failed error: Internal error occurred: failed calling webhook "deny.acme.example": no endpoints available
"""
TIMED_OUT = "error: timed out waiting for the condition on pods/x\n"


def described(*rows: str) -> Run:
    return made("describe-pod.observer-x", EVENTS.format(pod="observer-x", rows="".join(rows)))


@pytest.mark.parametrize(
    ("rows", "why"),
    [((CORDONED,), Obstacle.CORDONED), ((TAINT_120,), Obstacle.UNSCHEDULABLE), ((TAINT_134,), Obstacle.UNSCHEDULABLE),
     ((SCHEDULED, PULL), Obstacle.IMAGE), ((SCHEDULED, MOUNT), Obstacle.VOLUME), ((SCHEDULED, SECRET), Obstacle.SETTINGS),
     ((SCHEDULED, KEY), Obstacle.SETTINGS), ((SCHEDULED, SYNC), None), ((CORDONED, SCHEDULED), None), ((SCHEDULED,), None),
     ((SCHEDULED, PULL, STARTED), None), ((), None)],
)  # fmt: skip
def test_what_does_not_pass_by_itself(rows: tuple[str, ...], why: Obstacle | None) -> None:
    found = stuck(described(*rows) if rows else made("describe-pod.x", "Name: x\nEvents:          <none>\n"))
    assert (found.obstacle if found else None) is why


def test_events_of_those_that_make_pods() -> None:
    found = not_created(made(ids.NOT_CREATED, QUOTA), OBSERVER.owner)
    assert found and found.line == 3 and "exceeded quota: few" in found.text
    assert not_created(made(ids.NOT_CREATED, QUOTA), POSTGRES.owner) is None
    assert not_created(made(ids.NOT_CREATED, WEBHOOK), POSTGRES.owner)
    old = "\n".join(QUOTA.splitlines()[:2])
    assert not_created(made(ids.NOT_CREATED, old), OBSERVER.owner) is None, "of an earlier try"


@pytest.fixture
def at(verification: Verification) -> Verification:
    """A new record."""
    return verification


def pending(at: Verification, rows: str) -> None:
    """From Observer's delete on its new pods stay Pending, and their description has these events."""

    def listed(run: Run) -> Run:
        if OBSERVER.delete not in at.cluster.calls:
            return run
        lines = [
            line.replace("1/1", "0/1").replace("Running", "Pending") if line.startswith("observer-") else line
            for line in run.out.splitlines(True)
        ]
        return replace(run, stdout="".join(lines).encode())

    def describe(run: Run) -> Run:
        pod = run.command.partition(".")[2]
        new = OBSERVER.delete in at.cluster.calls and pod in at.cluster.observers
        return replace(run, stdout=EVENTS.format(pod=pod, rows=rows).encode()) if new else run

    at.answer(OBSERVER.wait, "", TIMED_OUT, 1)
    at.cluster.answers |= {ids.PODS: listed, ids.DESCRIBE_POD: describe}


def test_step_8_fails_with_the_reason_and_the_way_back_and_postgres_stays(at: Verification) -> None:
    pending(at, CORDONED)
    session = at.all()
    told = of(session, "RESTART-OBSERVER")
    assert (told.verdict, str(told.summary)) == (Verdict.FAIL, "the new pod cannot be scheduled: its node is cordoned")
    assert "1 node(s) were unschedulable" in str(told.actual)
    assert told.evidence and told.evidence.command.startswith("describe-pod.observer-")
    assert at.cluster.deletes == Counter({DELETES[0]: 1})
    assert OBSERVER.after not in at.cluster.calls, "there is nothing to count in"


def test_the_first_line_says_since_when_the_service_is_down(at: Verification) -> None:
    pending(at, TAINT_134)
    session = at.all()
    at_utc = utc_text(deleted_at(session))
    assert outage_sentence(session) == (
        f"The service is down since {at_utc}: Step 8 deleted the pods of Observer and no new one has come up"
    )
    report = markdown_text(session, {}).splitlines()
    first = next(line for line in report if line.startswith(">"))
    assert "The service is down" in first


def deleted_at(session: Session) -> datetime:
    return next(run.started_at for run in session.result("8").runs if run.command == OBSERVER.delete)


def test_what_follows_from_it_is_told_so(at: Verification) -> None:
    pending(at, CORDONED)
    session = at.all()
    assert str(of(session, "FILES-KEPT").actual) == "not counted again: no new pod has come up"
    assert str(of(session, "RESTART-POSTGRES").remedy[-1].advice) == "once the restart of Observer has ended well"


def test_once_the_node_takes_pods_again_the_same_command_goes_on(at: Verification) -> None:
    pending(at, CORDONED)
    at.all()
    at.cluster.answers.clear()
    session = at.all()
    assert session.result("8").verdict is Verdict.PASS
    assert at.cluster.deletes == Counter(dict.fromkeys(DELETES, 1)), "nothing is deleted a second time"
    assert outage_sentence(session) == ""


def test_no_pod_at_all_is_made(at: Verification) -> None:
    def none(run: Run) -> Run:
        rows = [line for line in run.out.splitlines(True) if not line.startswith("observer-")]
        return replace(run, stdout="".join(rows).encode()) if OBSERVER.delete in at.cluster.calls else run

    at.answer(OBSERVER.wait, "", "error: no matching resources found\n", 1)
    at.answer(ids.NOT_CREATED, QUOTA)
    at.cluster.answers[ids.PODS] = none
    session = at.all()
    told = of(session, "RESTART-OBSERVER")
    assert told.verdict is Verdict.FAIL
    assert "exceeded quota: few" in str(told.actual)
    assert told.remedy[0].command == "kubectl describe namespace observer-prod"
    again = next(remedy for remedy in told.remedy if "annotate" in remedy.command)
    assert again.command.startswith("kubectl annotate replicaset -l app=observer -n observer-prod ")
    assert again.changes
    assert at.cluster.deletes == Counter({DELETES[0]: 1})


def test_a_slow_start_is_no_failure(at: Verification) -> None:
    pending(at, SCHEDULED)
    session = at.all()
    assert of(session, "RESTART-OBSERVER").verdict is Verdict.INCONCLUSIVE
    assert OBSERVER.after in at.cluster.calls


def test_the_wait_is_ended_while_it_still_waits(at: Verification, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awaiting, "STUCK_AFTER_S", 0.0)
    pending(at, CORDONED)
    run = at.cluster.run

    def waiting(
        command: Command, env: Mapping[str, str] = MappingProxyType({}), until: Callable[[], bool] | None = None
    ) -> Run:
        if command.id == OBSERVER.wait and until:
            asked = next(number for number in range(100) if until())
            assert asked < 2 * awaiting.LOOK_EVERY
        return run(command, env, until)

    monkeypatch.setattr(at.cluster, "run", waiting)
    assert of(at.all(), "RESTART-OBSERVER").verdict is Verdict.FAIL
    assert at.cluster.calls.count(OBSERVER.wait) == 1
