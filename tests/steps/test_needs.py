"""What a new pod needs before one may be deleted, and that a restart is one only when it was seen to be one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from support import made
from verifying import DELETES, Verification, of, verification  # noqa: F401  # a fixture

from playbook.guide import ids
from playbook.guide.codes import Code, family
from playbook.model import Ended, Run, Runs, Session, Verdict
from playbook.refusals import Refusal
from playbook.refusals import refused as why_refused
from playbook.steps.needs import NEEDS, left_over_pods
from playbook.steps.restart import OBSERVER, POSTGRES

# Handmade, after kubectl 1.34 on a cordoned node and after a scheduler that met a taint (DESIGN: facts 19 and 27).
CORDONED = """NAME             STATUS                     ROLES           AGE   VERSION        INTERNAL-IP
oracle-obs-arm   Ready,SchedulingDisabled   control-plane   41s   v1.34.4+k3s1   10.99.0.2
"""
PENDING = """Name:             tmp-curl
Events:
  Type     Reason            Age   From               Message
  ----     ------            ----  ----               -------
  Warning  FailedScheduling  21s   default-scheduler  0/1 nodes are available: 1 node(s) had untolerated taint(s). no new claims to deallocate
"""
QUOTA = (
    'Error from server (Forbidden): pods "tmp-curl" is forbidden: exceeded quota: few, '
    "requested: pods=1, used: pods=3, limited: pods=3\n"
)
WEBHOOK = (
    "Error from server (InternalError): Internal error occurred: failed calling webhook "
    '"deny.acme.example": failed to call webhook: Post "https://gone.default.svc:443/?timeout=10s": '
    'service "gone" not found\n'
)
GHCR_ABSENT = 'Error from server (NotFound): secrets "ghcr-secret" not found\n'
CANCELLED = """You are about to delete the following 2 resource(s):
pod/observer-7cd9cf784-89kbs
pod/observer-7cd9cf784-qwkhz
Do you want to continue? (y/N): deletion is cancelled
"""


@pytest.fixture
def at(verification: Verification) -> Verification:
    """A new session."""
    return verification


def untouched(at: Verification, session: Session) -> str:
    """Nothing was deleted; what the refusal of Observer's delete names."""
    assert at.cluster.deletes == Counter()
    deletes = [Runs(session.result("8").runs).last(delete) for delete in DELETES]
    assert [run.ended for run in deletes] == [Ended.REFUSED] * 2
    why = why_refused(deletes[0])
    assert why and why.why is Refusal.NEED_UNMET
    told = of(session, "RESTART-OBSERVER")
    assert told.verdict is Verdict.SKIPPED
    assert why.detail in str(told.summary)
    return why.detail


def test_a_healthy_cluster_meets_all_needs(at: Verification) -> None:
    assert at.all().result("8").verdict is Verdict.PASS
    assert at.cluster.deletes == Counter(dict.fromkeys(DELETES, 1))


def test_each_need_is_of_codes_that_its_step_gives(at: Verification) -> None:
    session = at.all()
    for need in NEEDS:
        given = {code for found in session.result(need.step).findings for code in (found.code, family(found.code))}
        assert set(map(str, need.codes)) <= given, need.what
    assert {family(str(code)) for need in NEEDS for code in (*need.codes, *need.also)} <= {code.value for code in Code}


def test_a_cordoned_node(at: Verification) -> None:
    at.answer(ids.NODES, CORDONED)
    assert untouched(at, at.all()) == "NODE-READY/oracle-obs-arm=fail"


def test_a_node_that_none_of_the_pods_is_on_may_be_cordoned(at: Verification) -> None:
    other = CORDONED.replace("oracle-obs-arm", "other         ")
    ready = CORDONED.replace("Ready,SchedulingDisabled", "Ready                   ").splitlines(True)[1]
    at.answer(ids.NODES, other + ready)
    at.cluster.answers[ids.PODS] = with_nodes
    session = at.all()
    assert of(session, "NODE-READY/other").verdict is Verdict.FAIL
    assert at.cluster.deletes == Counter(dict.fromkeys(DELETES, 1))


def with_nodes(run: Run) -> Run:
    """6-1's list with the column NODE."""
    head, *rows = (line.ljust(90) for line in run.out.splitlines())
    lines = [f"{head}NODE", *(f"{row}oracle-obs-arm" for row in rows)]
    return replace(run, stdout=("\n".join(lines) + "\n").encode())


def test_a_taint_shows_by_the_pod_of_7_2_alone(at: Verification) -> None:
    at.answer(ids.HEALTH_VIA_SERVICE, "", "error: timed out waiting for the condition\n", 1)
    at.answer("logs", "")
    described(at, PENDING)
    assert untouched(at, at.all()) == "NEW-POD=fail"


def described(at: Verification, text: str) -> None:
    def printed(run: Run) -> Run:
        return replace(run, stdout=text.encode()) if run.command.endswith(".tmp-curl") else run

    at.cluster.answers["describe-pod"] = printed


@pytest.mark.parametrize("said", [QUOTA, WEBHOOK], ids=["quota", "webhook"])
def test_a_pod_that_is_not_admitted(said: str, at: Verification) -> None:
    at.answer(ids.HEALTH_VIA_SERVICE, "", said)
    assert untouched(at, at.all()) == "NEW-POD=inconclusive"


def test_a_missing_pull_secret(at: Verification) -> None:
    at.answer(ids.GHCR_SECRET, "", GHCR_ABSENT)
    assert untouched(at, at.all()) == "GHCR-SECRET=fail"


def test_a_config_map_that_was_changed_after_the_pods_had_started(at: Verification) -> None:
    at.change(ids.CONFIG_KEYS, "OBSERVER_DATA_DIR\n", "")
    assert untouched(at, at.all()) == "CONFIG-KEYS=fail"


def test_a_pod_that_waits_for_its_image(at: Verification) -> None:
    def waiting(run: Run) -> Run:
        name = at.cluster.observers[0]
        row = next(line for line in run.out.splitlines() if line.startswith(name))
        return replace(
            run, stdout=run.out.replace(row, row.replace("1/1", "0/1").replace("Running", "ImagePullBackOff")).encode()
        )

    at.cluster.answers[ids.PODS] = waiting
    assert untouched(at, at.all()) == f"POD-STATUS/{at.cluster.observers[0]}=fail"


@pytest.mark.parametrize(
    ("command", "code"),
    [(ids.NAMESPACE, "NAMESPACE-ACTIVE"), (ids.CLAIMS, "PVC-BOUND/observer-db-pvc"), (ids.SERVICES, "SERVICE/postgres"),
     (ids.HEALTH_IN_POD, "HEALTH-POD"), (ids.DB_CONNECTION, "DB-CONNECTION"), (ids.NODES, "NODE-READY")],
)  # fmt: skip
def test_what_may_not_be_seen_is_not_met(command: str, code: str, at: Verification) -> None:
    at.answer(command, "", 'Error from server (Forbidden): x is forbidden: User "ops" cannot list resource "x"\n')
    assert f"{code}=inconclusive" in untouched(at, at.all())


def test_only_a_waiver_by_name_lets_it_through(at: Verification) -> None:
    at.answer(ids.GHCR_SECRET, "", GHCR_ABSENT)
    session = at.all()
    untouched(at, session)
    at.record.waive(of(session, "GHCR-SECRET"), "kim", "the image is on the node")
    at.all()
    assert at.cluster.deletes == Counter(dict.fromkeys(DELETES, 1))


def test_step_8_alone_looks_at_what_was_never_seen(at: Verification) -> None:
    at.answer(ids.NODES, CORDONED)
    assert untouched(at, at.all(only="8")) == "NODE-READY/oracle-obs-arm=fail"
    at.cluster.answers.clear()
    at.all(only="8")
    assert at.cluster.calls.index(ids.GHCR_SECRET) < at.cluster.calls.index(DELETES[0])
    assert at.cluster.deletes == Counter(dict.fromkeys(DELETES, 1))


def test_what_was_seen_some_minutes_ago_is_looked_at_again_right_before_the_delete(at: Verification) -> None:
    at.all(until="7")
    at.later(minutes=30)
    at.answer(ids.GHCR_SECRET, "", GHCR_ABSENT)
    session = at.all()
    assert untouched(at, session) == "GHCR-SECRET=fail"
    assert of(session, "GHCR-SECRET").verdict is Verdict.FAIL, "the step says so, too"


def test_what_is_old_is_not_looked_at_again_without_permission(at: Verification) -> None:
    at.all(until="7")
    at.later(minutes=30)
    session = at.all(allow=False)
    assert ids.GHCR_SECRET not in at.cluster.calls
    assert Runs(session.result("8").runs).last(DELETES[0]).note == Refusal.NOT_CONFIRMED.value


# left over pods

LEFT = """NAME                        READY   STATUS                   RESTARTS   AGE
observer-5dd97c6749-j7mf4   0/1     Error                    0          27s
observer-5dd97c6749-kzhz2   0/1     ContainerStatusUnknown   0          27s
observer-5dd97c6749-vfbgr   1/1     Running                  0          12s
observer-5dd97c6749-vskkf   {up}
postgres-0                  1/1     Running                  0          15s
"""


@pytest.mark.parametrize(
    ("up", "left"),
    [("1/1     Running                  0          12s", {"observer-5dd97c6749-j7mf4", "observer-5dd97c6749-kzhz2"}),
     ("0/1     Error                    0          12s", set())],
)  # fmt: skip
def test_pods_that_have_ended_are_left_over_beside_all_replicas_only(up: str, left: set[str]) -> None:
    assert left_over_pods(made(ids.PODS, LEFT.format(up=up))) == left


def test_left_over_pods_neither_refuse_nor_count_as_replicas(at: Verification) -> None:
    def shells(run: Run) -> Run:
        row = "observer-7cd9cf784-gnf62   0/1   Evicted   0   9m\n" if OBSERVER.delete not in at.cluster.calls else ""
        head, *rows = (line.split() for line in (run.out + row).splitlines())
        table = "".join("".join(cell.ljust(30) for cell in line).rstrip() + "\n" for line in (head, *rows))
        return replace(run, stdout=table.encode())

    at.cluster.answers[ids.PODS] = shells
    session = at.all()
    assert at.cluster.deletes == Counter(dict.fromkeys(DELETES, 1))
    assert of(session, "RESTART-OBSERVER").verdict is Verdict.PASS


# what counts as a restart


def test_a_database_pod_with_the_same_started_was_not_restarted(at: Verification) -> None:
    def old(run: Run) -> Run:
        now, then = at.cluster.started["postgres-0"], "2026-11-22T22:56:00Z"
        return replace(run, stdout=run.out.replace(now, then).encode())

    at.cluster.answers[ids.POD_SAMPLE] = old
    session = at.all()
    assert of(session, "RESTART-OBSERVER").verdict is Verdict.PASS
    assert of(session, "RESTART-POSTGRES").verdict is Verdict.INCONCLUSIVE
    assert of(session, "TABLES-KEPT").verdict is Verdict.INCONCLUSIVE


def test_observers_with_new_names_and_the_old_started_were_not_seen_to_be_new(at: Verification) -> None:
    at.answer(ids.POD_SAMPLE, "NAME   STATUS   RESTARTS   STARTED\n", once=lambda: OBSERVER.delete in at.cluster.calls)
    session = at.all()
    assert of(session, "RESTART-OBSERVER").verdict is Verdict.INCONCLUSIVE
    assert at.cluster.deletes == Counter({DELETES[0]: 1}), "postgres-0 stays"
    assert Runs(session.result("8").runs).last(DELETES[1]).note == Refusal.RESTART_UNSEEN.value


@pytest.mark.parametrize("what", ["wait", "count"])
def test_postgres_stays_unless_the_restart_before_it_was_seen_to_end_well(what: str, at: Verification) -> None:
    unseen: Callable[[], None] = {
        "wait": lambda: at.answer(OBSERVER.wait, "", "error: timed out waiting for the condition on pods/x\n", 1),
        "count": lambda: at.answer(OBSERVER.after, "", "error: unable to upgrade connection\n", 1),
    }[what]
    unseen()
    session = at.all()
    assert at.cluster.deletes == Counter({DELETES[0]: 1})
    told = of(session, "RESTART-POSTGRES")
    assert (told.verdict, str(told.summary)) == (
        Verdict.SKIPPED,
        "not run: the restart of Observer was not seen to end well",
    )


def test_a_cancelled_deletion_deleted_nothing(at: Verification) -> None:
    at.answer(OBSERVER.delete, CANCELLED, "", 0)
    session = at.all()
    told = of(session, "RESTART-OBSERVER")
    assert told.verdict is Verdict.INCONCLUSIVE
    assert "deletion is cancelled" in str(told.actual)
    assert OBSERVER.wait not in at.cluster.calls
    assert POSTGRES.delete not in at.cluster.calls
