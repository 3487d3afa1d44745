"""Which evidence no longer counts: each row of the table in a session in which it holds, and in one in which it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from verifying import Verification, of, verification  # noqa: F401  # a fixture

from playbook.model import Overall, Run, Verdict
from playbook.runtime.staleness import AGE_LIMITS, RULES, rule

KEPT = "12345678"


@pytest.fixture
def seen(verification: Verification) -> Verification:
    """A session with Steps 0 to 8 passed and a baseline."""
    assert verification.all().overall is Overall.PENDING
    return verification


def test_the_table_has_the_rows_that_are_tested_here() -> None:
    assert [(row.code, "".join(row.steps)) for row in RULES] == [
        ("AGE", "12345678"), ("PVC-CHANGED", "268"), ("CONFIG-CHANGED", "467"), ("NEW-PODS", "67"), ("RESTARTED", "9"),
        ("DAY-OVER", "1234567"), ("OTHER-VERSION", "1234567"),
    ]  # fmt: skip
    with pytest.raises(KeyError):
        rule("NOTHING")


def test_nothing_is_stale_when_nothing_changed(seen: Verification) -> None:
    assert seen.stale() == {}
    seen.later(hours=1)
    seen.all()
    assert seen.stale() == {}
    assert seen.steps_run() == "09"
    assert "".join(seen.operator.kept) == KEPT
    assert "2026-11-23T01:00:0" in seen.operator.kept["3"]
    assert "(1 h ago)" in seen.operator.kept["3"]


@pytest.mark.parametrize("step", [*KEPT])
def test_a_step_counts_up_to_its_age_limit_and_not_longer(step: str, seen: Verification) -> None:
    judged = seen.record.state.result(step).judged_at
    assert judged
    aged, answers = rule("AGE"), seen.record.answers
    result = seen.record.state.result(step)
    assert not aged.holds(result, answers, judged + AGE_LIMITS[step])
    assert aged.holds(result, answers, judged + AGE_LIMITS[step] + timedelta(microseconds=1))


def test_after_36_hours_steps_1_to_7_are_run_again_and_step_8_is_not(seen: Verification) -> None:
    seen.later(hours=36, minutes=1)
    assert seen.stale() == dict.fromkeys("1234567", "AGE")
    seen.all(allow=False)
    assert seen.steps_run() == "012345679"
    assert seen.operator.kept.keys() == {"8"}
    assert seen.record.state.overall is Overall.COMPLETE


@pytest.mark.parametrize("step", ["0", "9"])
def test_steps_0_and_9_have_no_age(step: str, seen: Verification) -> None:
    seen.later(days=30)
    assert step not in seen.stale()


def test_a_changed_pvc_makes_steps_2_6_8_stale(seen: Verification) -> None:
    seen.change("step2-pvc", "pvc-3a6eb079", "pvc-99999999")
    session = seen.all(allow=False)
    assert seen.steps_run() == "02689"
    assert session.result("8").verdict is Verdict.SKIPPED, "it is not restarted without permission"
    assert seen.stale() == {}


def test_pvcs_that_are_gone_are_a_change(seen: Verification) -> None:
    seen.answer("step2-pvc", "", "No resources found in observer-prod namespace.\n", 0)
    session = seen.all()
    assert seen.steps_run() == "02", "criterion 2 stops it"
    assert session.abort
    assert session.abort.criterion == 2


def test_a_namespace_that_is_gone_is_a_change(seen: Verification) -> None:
    deletes = dict(seen.cluster.deletes)
    seen.answer("step2-pvc", "", 'Error from server (NotFound): namespaces "observer-prod" not found\n')
    seen.all()
    assert seen.steps_run().startswith("026")
    assert seen.cluster.deletes == deletes


def test_the_age_of_a_pvc_is_no_change_and_an_unread_answer_is_none(seen: Verification) -> None:
    seen.change("step2-pvc", "58m", "3h")
    seen.all()
    assert seen.stale() == {}
    seen.answer("step2-pvc", "", "Unable to connect to the server: net/http: TLS handshake timeout\n")
    seen.all()
    assert seen.steps_run() == "09"


def test_a_changed_configmap_makes_steps_4_6_7_stale(seen: Verification) -> None:
    seen.change("step4-configmap", "LOG_LEVEL: INFO", "LOG_LEVEL: DEBUG")
    seen.all()
    assert seen.steps_run() == "04679"
    assert seen.stale() == {}


def test_a_configmap_that_is_gone_is_a_change(seen: Verification) -> None:
    seen.answer("step4-configmap", "", 'Error from server (NotFound): configmaps "observer-config" not found\n')
    seen.all()
    assert seen.steps_run() == "04679"


def test_what_another_version_judged_is_looked_at_again_and_no_pod_is_deleted_anew(
    seen: Verification, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier version gave fewer findings: what this one goes by before a restart may not be among them."""
    deletes = dict(seen.cluster.deletes)
    monkeypatch.setattr("playbook.runtime.staleness.__version__", "99.0.0")
    assert seen.stale() == dict.fromkeys("1234567", "OTHER-VERSION")
    monkeypatch.setattr("playbook.runtime.engine.__version__", "99.0.0")
    seen.all()
    assert seen.steps_run() == "012345679"
    assert seen.cluster.deletes == deletes
    assert seen.stale() == {}


def test_another_resource_version_of_the_configmap_is_no_change(seen: Verification) -> None:
    text = seen.record.answers("step4-configmap")[0].out
    version = next(line for line in text.splitlines() if "resourceVersion" in line)
    seen.change("step4-configmap", version, '  resourceVersion: "999999"')
    seen.all()
    assert seen.steps_run() == "09"


def test_the_restart_of_step_8_makes_only_an_earlier_baseline_stale(verification: Verification) -> None:
    verification.all(allow=False)
    assert verification.record.state.result("8").verdict is Verdict.SKIPPED
    assert verification.stale() == {}
    before = of(verification.record.state, "BASELINE").actual
    session = verification.all(until="8")
    assert session.result("8").verdict is Verdict.PASS
    assert verification.stale() == {"9": "RESTARTED"}
    verification.later(hours=1)
    session = verification.all()
    assert verification.stale() == {}
    assert verification.steps_run() == "09"
    assert str(of(session, "BASELINE").actual) != str(before), "the baseline is one from after the restart"


def test_other_pods_make_steps_6_and_7_stale(seen: Verification) -> None:
    seen.replace_pods()
    seen.all()
    assert seen.steps_run() == "0679"
    assert seen.stale() == {}


def test_a_pod_of_the_same_name_that_was_started_anew_makes_steps_6_and_7_stale(seen: Verification) -> None:
    seen.cluster.started["postgres-0"] = "2026-11-23T02:00:00Z"
    seen.all()
    assert seen.steps_run() == "0679"
    assert seen.stale() == {}


def test_pods_replaced_before_any_sample_was_taken_make_step_7_stale_too(verification: Verification) -> None:
    verification.all(until="7")
    assert not verification.record.answers("step9-1-pod-restarts")
    verification.replace_pods()
    verification.all(allow=False)
    assert verification.steps_run() == "06789"


def test_pods_replaced_after_step_8_make_steps_6_and_7_stale(seen: Verification) -> None:
    seen.later(hours=2)
    seen.all()
    assert seen.steps_run() == "09"
    seen.replace_pods()
    session = seen.all()
    assert seen.steps_run() == "0679"
    assert session.result("8").verdict is Verdict.PASS
    assert session.result("9").verdict is Verdict.INCONCLUSIVE


def test_a_delete_that_deleted_nothing_is_no_restart(verification: Verification) -> None:
    """Neither hides it new pods, nor does it take the baseline away."""
    verification.all(allow=False)
    due = of(verification.record.state, "BASELINE").actual
    for command in ("step8-2-delete-observer", "step8-4-delete-postgres"):
        verification.answer(command, "", 'Error from server (Forbidden): pods "x" is forbidden: User "ops" cannot delete '
                                         'resource "pods" in API group "" in the namespace "observer-prod"\n')  # fmt: skip
    observers, started = verification.cluster.observers, dict(verification.cluster.started)
    verification.all()
    verification.cluster.observers, verification.cluster.started = observers, started  # it was forbidden
    session = verification.all(allow=False)
    assert str(of(session, "BASELINE").actual) == str(due)


def test_a_wait_from_before_the_last_restart_tells_nothing_of_the_pods_after_it(seen: Verification) -> None:
    seen.answer("step8-2-wait-observer", "", "error: timed out waiting for the condition on pods/observer-1\n")
    session = seen.all(start="8")
    assert session.result("8").verdict is Verdict.INCONCLUSIVE
    assert seen.stale() == {}


def test_each_attempt_is_in_the_history(seen: Verification) -> None:
    seen.replace_pods()
    session = seen.all()
    assert [result.attempt for result in session.history if result.step == "6"] == [1, 2]
    assert session.result("6").attempt == 2


def test_a_list_that_cannot_be_read_makes_nothing_stale(seen: Verification) -> None:
    def garbled(run: Run) -> Run:
        return replace(run, stdout=b"no table at all\n")

    seen.cluster.answers["step9-1-pod-restarts"] = garbled
    seen.all()
    assert seen.steps_run() == "09"


def test_the_day_is_over_for_what_was_seen_before_it(seen: Verification) -> None:
    due = seen.record.state.result("9").due_from
    assert due
    seen.at = due - timedelta(seconds=2)
    assert "DAY-OVER" not in seen.stale().values()
    seen.at = due
    assert seen.stale() == dict.fromkeys("1234567", "DAY-OVER")
    seen.all()
    assert seen.stale() == {}


def test_a_left_over_pod_that_is_removed_makes_nothing_stale(seen: Verification) -> None:
    """It is what the finding about it advises."""

    def with_shell(run: Run) -> Run:
        row = "observer-7cd9cf784-gnf62   {}   9m\n".format(
            "Failed 0" if "RESTARTS   STARTED" in run.out else "0/1 Evicted 0"
        )
        head, *rows = (line.split() for line in (run.out + row).splitlines())
        text = "".join("".join(cell.ljust(30) for cell in line).rstrip() + "\n" for line in (head, *rows))
        return replace(run, stdout=text.encode())

    seen.cluster.answers["step6-1-pods"] = seen.cluster.answers["step9-1-pod-restarts"] = with_shell
    session = seen.all(only="6")
    assert [f.code for f in session.result("6").findings if f.code.startswith("POD-LEFTOVER")]
    seen.cluster.answers.clear()
    seen.later(hours=1)
    seen.all()
    assert seen.steps_run() == "09"
