"""Step 8: no delete without a count that was read, a Bound PVC, a mount, an owner and a permission; and none twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from verifying import DELETES, Verification, of, verification  # noqa: F401  # a fixture

from playbook.kubectl.pods import mounted_from
from playbook.model import Ended, Overall, Run, Runs, Verdict, missing
from playbook.refusals import Refusal
from playbook.session.journal import Kind
from playbook.steps.question import refused_because
from playbook.steps.restart import OBSERVER, POSTGRES, Restart
from playbook.steps.step8_persistence import judge

RECOVER = "playbook all"
FORBIDDEN = 'Error from server (Forbidden): pods "x" is forbidden: User "ops" cannot create resource "pods/exec" in API group ""\n'
NOT_FOUND = 'Error from server (NotFound): pods "postgres-0" not found\n'
BOTH = [pytest.param(OBSERVER, id="observer"), pytest.param(POSTGRES, id="postgres")]


@pytest.fixture
def at(verification: Verification) -> Verification:
    """A new session."""
    return verification


def refused(at: Verification, restart: Restart) -> str:
    """Carry out everything; the note of the refused delete, of which the findings must tell, too."""
    session = at.all()
    assert at.cluster.deletes[restart.delete] == 0
    delete = Runs(session.result("8").runs).last(restart.delete)
    assert delete.ended is Ended.REFUSED
    told = of(session, restart.codes[1])
    assert told.verdict is Verdict.SKIPPED
    assert str(told.summary) == str(refused_because(delete)) != "not run"
    assert of(session, restart.codes[2]).verdict in (Verdict.SKIPPED, Verdict.INCONCLUSIVE)
    assert session.overall in (Overall.INCOMPLETE, Overall.FAILED)
    return delete.note


@pytest.mark.parametrize("restart", BOTH)
@pytest.mark.parametrize(
    ("out", "err", "code"),
    [("", FORBIDDEN, 1), ("", "", 0), ("three\n", "", 0), ("3\n4\n", "", 0), ("5\n", "", 1), ("-1\n", "", 0)],
    ids=["forbidden", "nothing", "no-number", "two-numbers", "failed", "negative"],
)  # fmt: skip
def test_no_delete_when_the_count_was_not_read(
    restart: Restart, out: str, err: str, code: int, at: Verification
) -> None:
    at.answer(restart.before, out, err, code)
    assert refused(at, restart) == Refusal.COUNT_UNREAD.value


@pytest.mark.parametrize(("restart", "zero"), [(OBSERVER, "0\n"), (POSTGRES, " count \n-------\n     0\n(1 row)\n\n")])
def test_no_delete_when_nothing_was_counted(restart: Restart, zero: str, at: Verification) -> None:
    at.answer(restart.before, zero)
    assert refused(at, restart) == Refusal.COUNT_ZERO.value


@pytest.mark.parametrize("restart", BOTH)
def test_no_delete_when_the_pvc_is_not_bound_any_more(restart: Restart, at: Verification) -> None:
    def lost(run: Run) -> Run:
        if restart.before not in at.cluster.calls:
            return run
        lines = [
            line.replace("Bound ", "Lost  ") if line.startswith(restart.claim) else line
            for line in run.out.splitlines(True)
        ]
        return replace(run, stdout="".join(lines).encode())

    at.cluster.answers["step2-pvc"] = lost
    assert refused(at, restart) == Refusal.PVC_NOT_BOUND.value


@pytest.mark.parametrize("restart", BOTH)
def test_no_delete_when_the_pvcs_cannot_be_read(restart: Restart, at: Verification) -> None:
    at.answer("step2-pvc", "", FORBIDDEN, once=lambda: restart.before in at.cluster.calls)
    assert refused(at, restart) == Refusal.PVC_NOT_BOUND.value


@pytest.mark.parametrize("restart", BOTH)
def test_no_delete_when_the_data_is_in_an_emptydir(restart: Restart, at: Verification) -> None:
    def ephemeral(run: Run) -> Run:
        if f"{restart.directory} from" not in run.out:
            return run
        text = (
            run.out.partition("    Type:")[0]
            + "    Type:       EmptyDir (a temporary directory)\n    Medium:\nEvents: <none>\n"
        )
        return replace(run, stdout=text.encode())

    at.cluster.answers["describe-pod"] = ephemeral
    assert refused(at, restart) == Refusal.DATA_NOT_MOUNTED.value


@pytest.mark.parametrize("restart", BOTH)
def test_no_delete_when_the_data_is_on_another_pvc(restart: Restart, at: Verification) -> None:
    def other(run: Run) -> Run:
        return replace(run, stdout=run.out.replace(f"ClaimName:  {restart.claim}", "ClaimName:  scratch").encode())

    at.cluster.answers["describe-pod"] = other
    assert refused(at, restart) == Refusal.DATA_NOT_MOUNTED.value


def test_no_delete_when_df_does_not_show_the_mount(at: Verification) -> None:
    def elsewhere(run: Run) -> Run:
        if OBSERVER.before not in at.cluster.calls:
            return run
        there = "/opt/platform/runtime/observer/data\n"
        assert there in run.out
        return replace(run, stdout=run.out.replace(there, there.replace("data", "data-old")).encode())

    at.cluster.answers["step6-5-mounts"] = elsewhere
    assert refused(at, OBSERVER) == Refusal.DATA_NOT_MOUNTED.value


@pytest.mark.parametrize("restart", BOTH)
def test_no_delete_when_nobody_would_create_the_pod_again(restart: Restart, at: Verification) -> None:
    owner = "ReplicaSet/observer-7cd9cf784" if restart is OBSERVER else "StatefulSet/postgres"

    def orphaned(run: Run) -> Run:
        return replace(run, stdout=run.out.replace(f"Controlled By:  {owner}\n", "").encode())

    at.cluster.answers["describe-pod"] = orphaned
    assert refused(at, restart) == Refusal.OWNER_ABSENT.value


@pytest.mark.parametrize("restart", BOTH)
def test_no_delete_when_the_pod_cannot_be_described(restart: Restart, at: Verification) -> None:
    def forbidden(run: Run) -> Run:
        mine = restart.pods.fullmatch(run.command.partition(".")[2])
        return replace(run, stdout=b"", stderr=FORBIDDEN.encode(), exit_code=1) if mine else run

    at.cluster.answers["describe-pod"] = forbidden
    assert refused(at, restart) == Refusal.OWNER_ABSENT.value


def test_no_delete_when_there_is_no_pod(at: Verification) -> None:
    at.cluster.observers = []
    assert refused(at, OBSERVER) == f"{Refusal.NEED_UNMET.value}: PODS-PRESENT=fail"


def test_no_delete_without_permission_and_one_question_only(at: Verification) -> None:
    session = at.all(allow=False)
    assert at.cluster.deletes == Counter()
    assert {run.note for run in session.result("8").runs if run.command in DELETES} == {Refusal.NOT_CONFIRMED.value}
    assert [of(session, code).verdict for code in (OBSERVER.codes[1], OBSERVER.codes[2])] == [Verdict.SKIPPED] * 2
    assert of(session, "RESTART-OBSERVER").remedy[0].command == "playbook all --allow-restart"
    assert at.operator.asked == ["https://127.0.0.1:6443 (oracle-obs-arm), namespace observer-prod"]
    assert [event for event in at.record.events if event.kind is Kind.CONFIRM] == []


def test_the_permission_is_journaled_with_its_cluster_before_the_delete_and_after_the_count(at: Verification) -> None:
    at.all()
    events = [(event.kind, event.data.get("command")) for event in at.record.events]
    told = next(event for event in at.record.events if event.kind is Kind.CONFIRM)
    assert told.data["cluster"] == "https://127.0.0.1:6443 (oracle-obs-arm), namespace observer-prod"
    order = [
        events.index((Kind.RUN, "step8-1-count-files")),
        events.index((Kind.CONFIRM, None)),
        events.index((Kind.BEGIN, DELETES[0])),
        events.index((Kind.RUN, DELETES[0])),
        events.index((Kind.RUN, "step8-3-count-files")),
        events.index((Kind.RUN, "step8-4-count-tables-before")),
        events.index((Kind.BEGIN, DELETES[1])),
    ]
    assert order == sorted(order)


# after the delete


def test_a_pod_of_the_same_name_is_never_no_loss(at: Verification) -> None:
    def same(run: Run) -> Run:
        delete = at.record.answers(DELETES[0])[-1]
        names = [line.split('"')[1] for line in delete.out.splitlines()]
        return replace(run, stdout="".join(f"pod/{name} condition met\n" for name in names).encode())

    at.cluster.answers["step8-2-wait-observer"] = same
    session = at.all()
    assert of(session, "RESTART-OBSERVER").verdict is Verdict.INCONCLUSIVE
    assert of(session, "FILES-KEPT").verdict is Verdict.INCONCLUSIVE
    assert of(session, "FILES-KEPT").remedy[0].command == "playbook all --from 8"
    session = at.all()
    assert at.cluster.deletes == Counter({DELETES[0]: 1}), (
        "not a second time, and postgres-0 not after what was not seen"
    )
    assert session.result("8").verdict is Verdict.INCONCLUSIVE
    at.cluster.answers.clear()
    session = at.all(start="8")
    assert at.cluster.deletes == Counter({DELETES[0]: 2, DELETES[1]: 1})
    assert session.result("8").verdict is Verdict.PASS


@pytest.mark.parametrize("restart", BOTH)
@pytest.mark.parametrize("ended", [Ended.EXITED, Ended.TIMEOUT], ids=["kubectl-gave-up", "we-gave-up"])
def test_a_wait_that_timed_out_is_taken_up_without_another_delete(
    restart: Restart, ended: Ended, at: Verification
) -> None:
    code = 1 if ended is Ended.EXITED else None
    at.answer(restart.wait, "", "error: timed out waiting for the condition on pods/x\n", code, ended=ended)
    session = at.all()
    assert of(session, restart.codes[1]).verdict is Verdict.INCONCLUSIVE
    assert of(session, restart.codes[2]).verdict is Verdict.INCONCLUSIVE, "the same count alone is not `kept`"
    assert [remedy.command for remedy in of(session, restart.codes[1]).remedy] == [RECOVER]
    assert session.overall is Overall.INCOMPLETE
    at.cluster.answers.clear()
    at.later(minutes=10)
    session = at.all(start=None)
    assert at.cluster.deletes == Counter(dict.fromkeys(DELETES, 1))
    assert session.result("8").verdict in (Verdict.PASS, Verdict.INCONCLUSIVE)
    assert (restart.before in at.cluster.calls) is False, "the count from before is taken up"


@pytest.mark.parametrize("restart", BOTH)
def test_an_unread_count_afterwards_is_inconclusive_and_counted_again(restart: Restart, at: Verification) -> None:
    at.answer(restart.after, "", FORBIDDEN)
    session = at.all()
    assert of(session, restart.codes[1]).verdict is Verdict.PASS
    assert of(session, restart.codes[2]).verdict is Verdict.INCONCLUSIVE
    assert [remedy.command for remedy in of(session, restart.codes[2]).remedy] == [RECOVER]
    at.cluster.answers.clear()
    session = at.all()
    assert session.result("8").verdict is Verdict.PASS
    assert at.cluster.deletes == Counter(dict.fromkeys(DELETES, 1))
    assert restart.before not in at.cluster.calls


_AT = 'psql: error: connection to server at "postgres" (10.43.10.2), port 5432 failed: '
_HINT = "\tIs the server running on that host and accepting TCP/IP connections?\n"
UNCONNECTED = {
    "starting": f"{_AT}FATAL:  the database system is starting up\n",
    "recovering": f"{_AT}FATAL:  the database system is not yet accepting connections\nDETAIL:  Consistent recovery state has not been yet reached.\n",
    "refused": f"{_AT}Connection refused\n{_HINT}",
    "no-route": f"{_AT}No route to host\n{_HINT}",
    "unreachable": f"{_AT}Host is unreachable\n{_HINT}",
    "no-route-12": 'psql: error: could not connect to server: No route to host\n\tIs the server running on host "postgres" (10.43.10.2) and accepting\n'
    "\tTCP/IP connections on port 5432?\n",
    "timeout": f"{_AT}timeout expired\n",
    "closed": f"{_AT}server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally\n"
    "\tbefore or while processing the request.\n",
    "no-name": 'psql: error: could not translate host name "postgres" to address: Name or service not known\n',
    "no-name-yet": 'psql: error: could not translate host name "postgres" to address: Temporary failure in name resolution\n',
}  # fmt: skip
"""Handmade after psql 15 in a pod and psql 12 in issue threads. There is no route while the Service still leads to the old pod."""


def psql_says(said: str) -> Callable[[Run], Run]:
    """psql that ends with an error, as kubectl exec shows it."""
    err = f"{said}command terminated with exit code 2\n".encode()
    return lambda run: replace(run, stdout=b"", stderr=err, exit_code=2)


def twice(says: Callable[[Run], Run]) -> Callable[[Run], Run]:
    """What is answered twice before the real answer."""
    left = iter([says] * 2)

    def answer(run: Run) -> Run:
        now = next(left, None)
        return now(run) if now else run

    return answer


@pytest.mark.parametrize("said", UNCONNECTED.values(), ids=UNCONNECTED)
def test_a_server_that_is_not_reached_yet_is_asked_again(said: str, at: Verification) -> None:
    at.cluster.answers[POSTGRES.after] = twice(psql_says(said))
    session = at.all()
    assert session.result("8").verdict is Verdict.PASS
    assert at.cluster.calls.count(POSTGRES.after) == 3


def test_a_server_that_refuses_the_user_is_not_asked_again(at: Verification) -> None:
    said = f'{_AT}FATAL:  password authentication failed for user "observer"\n'
    at.cluster.answers[POSTGRES.after] = psql_says(said)
    assert of(at.all(), "TABLES-KEPT").verdict is Verdict.INCONCLUSIVE
    assert at.cluster.calls.count(POSTGRES.after) == 1


def test_a_server_that_is_never_reached_is_told_by_the_reason(at: Verification) -> None:
    at.cluster.answers[POSTGRES.after] = psql_says(UNCONNECTED["no-route-12"])
    told = of(at.all(), "TABLES-KEPT")
    assert told.verdict is Verdict.INCONCLUSIVE
    assert str(told.actual) == "psql: error: could not connect to server: No route to host", "not the hint below it"
    assert at.cluster.calls.count(POSTGRES.after) > 10


def test_a_count_that_hangs_after_the_restart_is_asked_again_and_not_forever(at: Verification) -> None:
    """A connection that was begun while the Service led to the pod of before goes on trying there (seen with kube-proxy stopped)."""

    def hanging(run: Run) -> Run:
        return replace(run, stdout=b"", stderr=b"", exit_code=None, ended=Ended.TIMEOUT, duration_s=30.0)

    at.cluster.answers[POSTGRES.after] = hanging
    assert of(at.all(), "TABLES-KEPT").verdict is Verdict.INCONCLUSIVE
    assert at.cluster.calls.count(POSTGRES.after) == 2


@pytest.mark.parametrize(
    "said", [UNCONNECTED["no-name-yet"], 'error: unable to upgrade connection: container not found ("postgres")\n']
)
def test_what_is_not_there_before_the_restart_is_not_waited_for(said: str, at: Verification) -> None:
    at.cluster.answers[POSTGRES.before] = psql_says(said)
    assert refused(at, POSTGRES) == Refusal.COUNT_UNREAD.value
    assert at.cluster.calls.count(POSTGRES.before) == 1


def test_a_container_that_is_not_up_again_after_the_restart_is_asked_again(at: Verification) -> None:
    at.cluster.answers[OBSERVER.after] = twice(
        psql_says('error: unable to upgrade connection: container not found ("observer")\n')
    )
    assert at.all().result("8").verdict is Verdict.PASS
    assert at.cluster.calls.count(OBSERVER.after) == 3


def test_a_pod_that_is_not_there_yet_is_waited_for_again(at: Verification) -> None:
    def absent(run: Run) -> Run:
        return replace(run, stdout=b"", stderr=b"error: no matching resources found\n", exit_code=1)

    at.cluster.answers[OBSERVER.wait] = twice(absent)
    assert at.all().result("8").verdict is Verdict.PASS
    assert at.cluster.calls.count(OBSERVER.wait) == 3


def test_lost_files_are_criterion_4_and_postgres_is_left_alone(at: Verification) -> None:
    at.answer(OBSERVER.after, "0\n")
    session = at.all()
    assert of(session, "FILES-KEPT").verdict is Verdict.FAIL
    assert (session.abort.criterion if session.abort else None) == 4
    assert session.overall is Overall.ABORTED
    assert at.steps_run() == "012345678", "the guide stops here"
    assert at.cluster.deletes == Counter({DELETES[0]: 1}), "after a loss nothing more is deleted"
    assert Runs(session.result("8").runs).last(DELETES[1]).note == Refusal.DATA_LOST.value
    assert of(session, "RESTART-POSTGRES").verdict is Verdict.SKIPPED


def test_after_a_loss_the_next_delete_comes_only_after_a_new_count(at: Verification) -> None:
    at.answer(OBSERVER.after, "0\n")
    at.all()
    at.answer(OBSERVER.before, "", FORBIDDEN)
    session = at.all()
    assert at.cluster.deletes[DELETES[0]] == 1, "the count from before the loss is no permission"
    assert Runs(session.result("8").runs).last(DELETES[0]).note == Refusal.COUNT_UNREAD.value
    assert of(session, "FILES-KEPT").verdict is Verdict.FAIL, (
        "a loss is not forgotten because the next restart was refused"
    )
    assert session.overall is Overall.ABORTED
    at.cluster.answers.clear()
    assert at.all(allow=False).overall is Overall.ABORTED
    session = at.all()
    assert at.cluster.calls.index(OBSERVER.before) < at.cluster.calls.index(DELETES[0])
    assert session.result("8").verdict is Verdict.PASS
    assert session.abort is None


def test_lost_tables_are_criterion_4(at: Verification) -> None:
    at.answer(POSTGRES.after, " count \n-------\n     2\n(1 row)\n\n")
    session = at.all()
    assert of(session, "TABLES-KEPT").verdict is Verdict.FAIL
    assert str(of(session, "TABLES-KEPT").actual) == "3 before, 2 after; missing: ?"
    assert (session.abort.criterion if session.abort else None) == 4


def test_a_file_that_is_gone_is_a_loss_whatever_the_count_says(at: Verification) -> None:
    at.answer("step8-3-list-files", "/opt/platform/runtime/observer/data/ticks/other.jsonl\n")
    session = at.all()
    assert of(session, "FILES-KEPT").verdict is Verdict.FAIL
    assert "20261123.jsonl" in str(of(session, "FILES-KEPT").actual)


def test_more_files_than_before_are_kept(at: Verification) -> None:
    at.answer(OBSERVER.after, "2\n")
    ticks = "/opt/platform/runtime/observer/data/ticks"
    at.answer("step8-3-list-files", f"{ticks}/20261123.jsonl\n{ticks}/20261124.jsonl\n")
    assert of(at.all(), "FILES-KEPT").verdict is Verdict.PASS


def listed(names: Sequence[str]) -> str:
    """What the guide's list of files prints of these: ten at most."""
    return "".join(f"/opt/platform/runtime/observer/data/ticks/{name}.jsonl\n" for name in names[:10])


def numbered(first: int, last: int) -> list[str]:
    return [f"f{number}" for number in range(first, last + 1)]


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        # the list before was whole
        (numbered(1, 1), numbered(21, 32), "fail"),  # 1 → 12 others
        (numbered(1, 9), numbered(21, 30), "fail"),  # 9 → 10 others
        (numbered(1, 10), numbered(21, 30), "fail"),  # 10 → 10 others
        (numbered(1, 10), [*numbered(1, 9), "x"], "fail"),  # one of ten was exchanged
        (numbered(1, 10), [*numbered(21, 30), *numbered(1, 10)], "fail"),  # none of them is listed any more
        (numbered(1, 10), ["new", *numbered(1, 10)], "inconclusive"),  # the tenth stands behind the tenth line
        (numbered(1, 10), [*numbered(1, 8), "new", "x", "y"], "fail"),  # two are gone, one can stand behind the tenth line
        (numbered(1, 9), ["new", *numbered(1, 9)], "pass"),
        (numbered(1, 10), numbered(1, 15), "pass"),
        # both lists are pieces
        (numbered(1, 20), numbered(31, 50), "fail"),  # 20 → 20 with ten others
        (numbered(1, 20), ["new", *numbered(1, 20)], "pass"),  # 21: one was pushed out by the new one
        (numbered(1, 20), [*numbered(1, 7), "x", "y", "z", *numbered(11, 20)], "fail"),  # three exchanged, none came
        (numbered(1, 20), [*numbered(1, 9), "new", *numbered(10, 20)], "pass"),
        (numbered(1, 20), numbered(21, 60), "fail"),  # twice as many, and none of them known
        (numbered(1, 20), numbered(1, 20), "pass"),
    ],
)  # fmt: skip
def test_what_the_lists_prove(before: list[str], after: list[str], verdict: str, at: Verification) -> None:
    at.answer("step8-1-list-files", listed(before))
    at.answer(OBSERVER.before, f"{len(before)}\n")
    at.answer("step8-3-list-files", listed(after))
    at.answer(OBSERVER.after, f"{len(after)}\n")
    assert of(at.all(), "FILES-KEPT").verdict.value == verdict


@pytest.mark.parametrize("restart", BOTH)
def test_a_delete_that_was_forbidden_deleted_nothing(restart: Restart, at: Verification) -> None:
    at.answer(restart.delete, "", FORBIDDEN)
    session = at.all()
    assert of(session, restart.codes[1]).verdict is Verdict.INCONCLUSIVE
    assert of(session, restart.codes[2]).verdict is Verdict.INCONCLUSIVE
    assert restart.wait not in at.cluster.calls
    at.cluster.answers.clear()
    session = at.all()
    assert session.result("8").verdict is Verdict.PASS
    assert at.cluster.calls.index(restart.before) < at.cluster.calls.index(restart.delete)


def test_a_delete_that_found_no_pod_deleted_nothing(at: Verification) -> None:
    at.answer(OBSERVER.delete, "No resources found\n", "", 0)
    assert of(at.all(), "RESTART-OBSERVER").verdict is Verdict.INCONCLUSIVE


def test_step_8_that_passed_is_restarted_only_by_force(at: Verification) -> None:
    at.all()
    at.all()
    assert at.cluster.deletes == Counter(dict.fromkeys(DELETES, 1))
    at.all(start="6")
    assert at.cluster.deletes == Counter(dict.fromkeys(DELETES, 2))
    assert at.steps_run() == "06789"


@pytest.mark.parametrize("what", ["nothing", "counts"])
def test_without_runs_nothing_is_a_pass(what: str) -> None:
    made: Callable[[str], Run] = missing
    runs = (
        Runs() if what == "nothing" else Runs(made(name) for name in (OBSERVER.before, OBSERVER.after, OBSERVER.wait))
    )
    assert {found.verdict for found in judge(runs)} == {Verdict.INCONCLUSIVE}


MOUNTED = """    Mounts:
      /data from d (rw)
      /data/sub from e (rw)
Volumes:
  d:
    Type:       PersistentVolumeClaim (a reference)
    ClaimName:  mine
  e:
    Type:       EmptyDir (a temporary directory)
"""


@pytest.mark.parametrize(
    ("directory", "claim", "is_it"),
    [("/data", "mine", True), ("/data", "min", False), ("/data", "mine2", False), ("/data/sub", "mine", False),
     ("/dat", "mine", False), ("/sub", "mine", False)],
)  # fmt: skip
def test_the_volume_behind_a_mount(directory: str, claim: str, is_it: bool) -> None:
    assert mounted_from(MOUNTED, directory, claim) is is_it
    assert mounted_from(MOUNTED.replace("\n", "\r\n"), directory, claim) in (is_it, False)
