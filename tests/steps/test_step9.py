"""The 24-hour ledger: pending until its moment, and every way in which a pod can disappoint meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from verifying import Verification, of, verification  # noqa: F401  # a fixture

from playbook.model import Overall, Runs, Session, Verdict
from playbook.output.labels import overall_sentence
from playbook.steps.step9_stability import PERIOD, judge, judged_from, ledger, newest_unread

HEADER = "NAME                       STATUS    RESTARTS   STARTED\n"
UNREACHABLE = "Unable to connect to the server: net/http: TLS handshake timeout\n"


@pytest.fixture
def at(verification: Verification) -> Verification:
    """A session with a baseline."""
    assert verification.all().overall is Overall.PENDING
    return verification


def pod(at: Verification, place: int = 0) -> str:
    """A pod of the baseline."""
    return at.cluster.observers[place]


def test_pending_names_the_moment_from_which_it_can_be_judged(at: Verification) -> None:
    session = at.record.state
    baseline = ledger(Runs(session.result("9").runs))[0].at
    due = (baseline + timedelta(hours=24)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert judged_from(Runs(session.result("9").runs)) == baseline + PERIOD
    assert due in str(overall_sentence(session))
    for name in [*at.cluster.observers, "postgres-0"]:
        assert due in str(of(session, f"STABLE/{name}").summary)
        assert of(session, f"STABLE/{name}").verdict is Verdict.PENDING
    assert of(session, "BASELINE").verdict is Verdict.PASS
    assert of(session, "RECENT-FILES").verdict is Verdict.PENDING


def test_the_baseline_is_one_from_after_the_restart(at: Verification) -> None:
    assert [sample.name for sample in ledger(Runs(at.record.state.result("9").runs))[0].pods] == [
        *at.cluster.observers, "postgres-0",
    ]  # fmt: skip
    assert len(at.record.answers("step9-1-pod-restarts")) > len(at.record.state.result("9").runs) // 2


def test_later_samples_stay_pending_and_leave_the_moment_where_it_is(at: Verification) -> None:
    due = judged_from(Runs(at.record.state.result("9").runs))
    for hours in (1, 6, 16):
        at.later(hours=hours)
        session = at.all()
        assert session.overall is Overall.PENDING
        assert at.steps_run() == "09"
        assert judged_from(Runs(session.result("9").runs)) == due
    assert len(ledger(Runs(session.result("9").runs))) >= 4


def test_a_second_too_early_is_pending_and_24_hours_are_complete(at: Verification) -> None:
    due = judged_from(Runs(at.record.state.result("9").runs))
    assert due
    at.at = due - timedelta(seconds=1)
    assert at.all().overall is Overall.PENDING
    at.at = due
    session = at.all()
    assert session.overall is Overall.COMPLETE
    assert {finding.verdict for finding in session.result("9").findings} == {Verdict.PASS}


def looked_at(at: Verification) -> list[str]:
    """What the last attempt looked at besides the samples of Step 9, and Step 0."""
    return [call for call in at.cluster.calls if call.startswith(("describe-pod", "logs-previous", "pod-events"))]


def kept(at: Verification) -> list[str]:
    """What stands with the samples as evidence of Step 9."""
    return [run.command for run in at.record.state.result("9").runs if not run.command.startswith("step9-")]


def test_a_restart_is_looked_into_at_once_and_once(at: Verification) -> None:
    name = pod(at)
    looks = [f"describe-pod.{name}", f"logs-previous.{name}", "pod-events"]
    at.all()
    assert (looked_at(at), kept(at)) == ([], []), "nothing differs"
    for restarts in (1, 2):
        at.cluster.restarts[name] = restarts
        at.later(hours=1)
        at.all()
        assert looked_at(at) == looks
        at.later(hours=1)
        at.all()
        assert looked_at(at) == [], "it was looked into at the sample before"
        assert kept(at) == looks * restarts, "the earlier ones stay with the samples"


def test_a_status_that_changed_is_looked_into_without_a_log_that_there_is_not(at: Verification) -> None:
    name = pod(at)
    at.change("step9-1-pod-restarts", f"{name}   Running", f"{name}   Failed ")
    at.all()
    assert looked_at(at) == [f"describe-pod.{name}", "pod-events"]
    at.all()
    assert looked_at(at) == []
    at.cluster.answers.clear()
    at.all()
    assert looked_at(at) == [], "as in the baseline again"


def test_pods_that_were_replaced_are_looked_into(at: Verification) -> None:
    at.replace_pods()
    at.all(only="9")
    assert looked_at(at) == [*(f"describe-pod.{name}" for name in at.cluster.observers), "pod-events"]
    at.cluster.observers.pop()
    at.all(only="9")
    assert looked_at(at) == ["pod-events"], "of a pod that is gone only events are left"


def test_a_sample_that_could_not_be_read_differs_from_nothing(at: Verification) -> None:
    at.answer("step9-1-pod-restarts", "", UNREACHABLE)
    at.all()
    assert looked_at(at) == []


def test_what_was_looked_at_is_set_aside_with_its_samples(at: Verification) -> None:
    at.cluster.restarts[pod(at)] = 1
    at.all()
    assert kept(at)
    at.all(start="9")
    assert kept(at) == []


def test_without_new_files_24_hours_are_a_fail(at: Verification) -> None:
    at.answer("step9-3-recent-files", "0\n")
    at.later(hours=25)
    session = at.all()
    assert of(session, "RECENT-FILES").verdict is Verdict.FAIL
    assert session.overall is Overall.FAILED
    at.cluster.answers.clear()
    assert at.all().overall is Overall.COMPLETE, "a file was written since"


def test_new_files_that_cannot_be_counted_are_inconclusive(at: Verification) -> None:
    at.answer("step9-3-recent-files", "", UNREACHABLE)
    at.later(hours=25)
    session = at.all()
    assert of(session, "RECENT-FILES").verdict is Verdict.INCONCLUSIVE
    assert session.overall is Overall.INCOMPLETE


@pytest.mark.parametrize("rise", [1, 2])
def test_one_or_two_restarts_fail_at_once_and_abort_nothing(rise: int, at: Verification) -> None:
    at.cluster.restarts[pod(at)] += rise
    at.later(hours=2)
    session = at.all()
    found = of(session, f"STABLE/{pod(at)}")
    assert found.verdict is Verdict.FAIL
    assert str(found.summary) == f"RESTARTS rose by {rise}"
    assert session.overall is Overall.FAILED
    assert session.abort is None
    assert of(session, "STABLE/postgres-0").verdict is Verdict.PENDING
    at.later(hours=25)
    assert at.all().overall is Overall.FAILED


@pytest.mark.parametrize("rise", [3, 7])
def test_three_restarts_are_criterion_5_long_before_24_hours(rise: int, at: Verification) -> None:
    at.cluster.restarts["postgres-0"] += rise
    at.later(minutes=20)
    session = at.all()
    assert of(session, "RESTART-LIMIT/postgres-0").verdict is Verdict.FAIL
    assert (session.abort.criterion if session.abort else None) == 5
    assert session.overall is Overall.ABORTED


def test_restarts_add_up_over_samples(at: Verification) -> None:
    for expected in (Overall.FAILED, Overall.FAILED, Overall.ABORTED):
        at.cluster.restarts[pod(at)] += 1
        at.later(hours=1)
        assert at.all().overall is expected


def test_a_replaced_pod_is_inconclusive_and_a_new_baseline_heals(at: Verification) -> None:
    old = pod(at)
    at.replace_pods()
    at.later(hours=3)
    session = at.all()
    found = of(session, f"STABLE/{old}")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert str(found.actual) == "no such pod any more"
    assert found.remedy[0].command == "playbook all --from 9"
    at.later(hours=25)
    assert at.all().overall is Overall.INCOMPLETE, "time does not heal it"
    session = at.all(start="9")
    assert session.overall is Overall.PENDING
    at.later(hours=25)
    assert at.all().overall is Overall.COMPLETE


@pytest.mark.parametrize("what", ["started", "restarts"])
def test_a_pod_of_the_same_name_with_another_start_or_a_lower_count_was_replaced(what: str, at: Verification) -> None:
    at.cluster.restarts["postgres-0"] = 2
    at.all(start="9")
    if what == "started":
        at.cluster.started["postgres-0"] = "2026-11-23T05:00:00Z"
        at.cluster.restarts["postgres-0"] = 3
    else:
        at.cluster.restarts["postgres-0"] = 0
    at.later(hours=25)
    found = of(at.all(), "STABLE/postgres-0")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert str(found.summary) == "the pod was replaced"


def test_a_pod_that_failed_and_was_then_replaced_stays_failed(at: Verification) -> None:
    old = pod(at)
    at.cluster.restarts[old] += 2
    at.later(hours=1)
    at.all()
    at.replace_pods()
    at.later(hours=1)
    session = at.all()
    assert of(session, f"STABLE/{old}").verdict is Verdict.FAIL


def status_of(at: Verification, name: str, status: str) -> None:
    """The pod shows another STATUS."""
    running = "".join(
        f"{n:<27}{status if n == name else 'Running':<10}{0:<11}{at.cluster.started[n]}\n" for n in at.cluster._names()
    )
    at.answer("step9-1-pod-restarts", HEADER + running)


def test_a_changed_status_fails_and_stays_so(at: Verification) -> None:
    status_of(at, "postgres-0", "Failed")
    at.later(hours=1)
    session = at.all()
    assert of(session, "STABLE/postgres-0").verdict is Verdict.FAIL
    assert str(of(session, "STABLE/postgres-0").summary) == "STATUS changed"
    at.cluster.answers.clear()
    at.later(hours=25)
    assert at.all().overall is Overall.FAILED


def test_a_clock_that_moved_backwards_is_inconclusive(at: Verification) -> None:
    at.later(hours=-3)
    session = at.all()
    assert of(session, "STABLE").verdict is Verdict.INCONCLUSIVE
    assert "clock" in str(of(session, "STABLE").actual)
    at.later(hours=30)
    assert at.all().overall is Overall.INCOMPLETE
    at.all(start="9")
    at.later(hours=25)
    assert at.all().overall is Overall.COMPLETE


def test_a_clock_set_back_right_after_step_8_loses_no_baseline(verification: Verification) -> None:
    verification.all(until="8")
    verification.later(hours=-2)
    assert of(verification.all(), "BASELINE").verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("out", "err"), [("", UNREACHABLE), ("no table\n", ""), (HEADER + "postgres-0  Running  many  now\n", ""), ("", "")],
    ids=["unreachable", "no-table", "no-number", "nothing"],
)  # fmt: skip
def test_a_last_sample_that_cannot_be_read_is_inconclusive_and_the_next_one_heals(
    out: str, err: str, at: Verification
) -> None:
    at.later(hours=25)
    at.answer("step9-1-pod-restarts", out, err)
    session = at.all()
    assert of(session, "STABLE").verdict is Verdict.INCONCLUSIVE
    assert newest_unread(Runs(session.result("9").runs))
    assert session.overall is Overall.INCOMPLETE
    at.cluster.answers.clear()
    session = at.all()
    assert not newest_unread(Runs(session.result("9").runs))
    assert session.overall is Overall.COMPLETE


def test_an_unread_sample_hides_no_criterion_that_was_met(at: Verification) -> None:
    at.cluster.restarts["postgres-0"] += 3
    at.later(hours=1)
    assert at.all().overall is Overall.ABORTED
    at.answer("step9-1-pod-restarts", "", UNREACHABLE)
    session = at.all()
    assert of(session, "STABLE").verdict is Verdict.INCONCLUSIVE
    assert session.overall is Overall.ABORTED


def test_a_baseline_of_pods_that_still_start_gives_way_to_the_first_healthy_one(at: Verification) -> None:
    status_of(at, "postgres-0", "Pending")
    session = at.all(start="9")
    assert of(session, "BASELINE").verdict is Verdict.FAIL
    assert of(session, "BASELINE").remedy[0].command == "playbook all"
    at.cluster.answers.clear()
    at.later(hours=5)
    session = at.all()
    assert of(session, "BASELINE").verdict is Verdict.PASS
    assert session.overall is Overall.PENDING
    at.later(hours=20)
    assert at.all().overall is Overall.PENDING, "the 24 hours began with the healthy one"
    at.later(hours=5)
    assert at.all().overall is Overall.COMPLETE


def test_a_missing_replica_is_no_baseline(at: Verification) -> None:
    at.cluster.observers = at.cluster.observers[:1]
    assert of(at.all(start="9"), "BASELINE").verdict is Verdict.FAIL


def test_no_sample_at_all_is_inconclusive() -> None:
    (found,) = judge(Runs())
    assert (found.code, found.verdict) == ("BASELINE", Verdict.INCONCLUSIVE)
    assert judged_from(Runs()) is None
    assert newest_unread(Runs())


def test_an_abort_elsewhere_takes_no_sample_and_loses_none(at: Verification) -> None:
    at.later(hours=1)
    at.change("step2-pvc", "observer-db-pvc         Bound ", "observer-db-pvc         Lost  ")
    assert at.all().overall is Overall.ABORTED
    at.cluster.answers.clear()
    at.later(hours=24)
    session: Session = at.all(allow=False)
    assert session.result("9").verdict is Verdict.PASS


# pods that come, pods that are over, numbers that are not there


def listed(
    at: Verification, *more: tuple[str, str, str, str], instead: Mapping[str, tuple[str, str]] | None = None
) -> None:
    """9-1 shows the pods as they are (`instead`: other STATUS and RESTARTS), and `more`."""
    rows = [
        (name, *(instead or {}).get(name, ("Running", str(at.cluster.restarts[name]))), at.cluster.started[name])
        for name in at.cluster._names()
    ]
    at.answer("step9-1-pod-restarts", HEADER + "".join(f"{a:<27}{b:<10}{c:<11}{d}\n" for a, b, c, d in [*rows, *more]))


EXTRA = "observer-7cd9cf784-n2w8x"


@pytest.mark.parametrize("count", [1, 57])
def test_a_pod_that_appears_within_the_24_hours_counts_too(count: int, at: Verification) -> None:
    listed(at, (EXTRA, "Running", str(count), "2026-11-23T05:00:00Z"))
    at.later(hours=5)
    assert of(at.all(), f"STABLE/{EXTRA}").verdict is Verdict.FAIL
    at.cluster.answers.clear()  # and is gone again
    at.later(hours=20)
    session = at.all()
    assert str(of(session, f"STABLE/{EXTRA}").summary) == f"RESTARTS rose by {count}"
    assert session.overall is (Overall.ABORTED if count >= 3 else Overall.FAILED)


def test_an_extra_pod_that_runs_well_is_a_warning(at: Verification) -> None:
    listed(at, (EXTRA, "Running", "0", "2026-11-23T05:00:00Z"))
    at.later(hours=25)
    session = at.all()
    assert of(session, f"STABLE/{EXTRA}").verdict is Verdict.WARN
    assert session.result("9").verdict is Verdict.WARN


@pytest.mark.parametrize("status", ["Failed", "Pending", "Unknown"])
def test_an_extra_pod_that_does_not_run_is_not_stable(status: str, at: Verification) -> None:
    listed(at, (EXTRA, status, "0", "2026-11-22T05:00:00Z"))
    at.later(hours=25)
    assert of(at.all(), f"STABLE/{EXTRA}").verdict is Verdict.FAIL


def test_an_evicted_pod_of_the_baseline_is_not_stable(at: Verification) -> None:
    old = pod(at)
    listed(at, (EXTRA, "Running", "0", "2026-11-23T05:00:00Z"), instead={old: ("Failed", "0")})
    at.later(hours=25)
    session = at.all()
    assert of(session, f"STABLE/{old}").verdict is Verdict.FAIL
    assert session.overall is Overall.FAILED


def test_what_was_left_of_pods_before_the_baseline_is_none_of_it(at: Verification) -> None:
    gone = ("observer-7cd9cf784-gnf62", "Failed", "0", "2026-11-20T05:00:00Z")
    listed(at, gone)
    session = at.all(start="9")
    assert of(session, "BASELINE").verdict is Verdict.PASS
    assert not [f for f in session.result("9").findings if "gnf62" in f.code]
    at.later(hours=25)
    assert at.all().result("9").verdict is Verdict.PASS
    listed(at, gone, instead={pod(at, 1): ("Failed", "0")})
    assert of(at.all(start="9"), "BASELINE").verdict is Verdict.FAIL, "one running and two evicted are one"


@pytest.mark.parametrize("when", ["baseline", "later"])
def test_none_where_a_number_belongs_is_unseen(when: str, at: Verification) -> None:
    listed(at, instead={"postgres-0": ("Running", "<none>")})
    if when == "baseline":
        assert of(at.all(start="9"), "BASELINE").verdict is Verdict.INCONCLUSIVE
    at.later(hours=25)
    session = at.all()
    assert of(session, "STABLE/postgres-0").verdict is Verdict.INCONCLUSIVE
    assert session.overall is Overall.INCOMPLETE
    if when == "later":
        at.cluster.answers.clear()
        assert at.all().result("9").verdict is Verdict.PASS, "the number stands there again"


def test_the_files_are_counted_with_the_last_sample_or_not_at_all(at: Verification) -> None:
    at.later(hours=25)
    runs = Runs(at.all().result("9").runs)
    assert {f.verdict for f in judge(runs)} == {Verdict.PASS}
    assert runs[-1].command == "step9-3-recent-files"
    found = {f.code: f.verdict for f in judge(Runs(runs[:-1]))}  # it died before 9-3
    assert found["RECENT-FILES"] is Verdict.INCONCLUSIVE
    untold = Runs([*runs[:-2], replace(runs[-2], exit_code=None), runs[-1]])  # nobody knows how it ended
    assert {f.code: f.verdict for f in judge(untold)}["STABLE"] is Verdict.INCONCLUSIVE


def test_the_longest_time_without_a_look_is_named(at: Verification) -> None:
    for hours in (3, 17, 5):
        at.later(hours=hours)
        session = at.all()
    assert str(of(session, "STABLE/postgres-0").summary) == "stable; its samples are at most 17.0 h apart"


def test_pods_that_are_seconds_old_are_no_baseline_yet_and_no_failure(at: Verification) -> None:
    at.cluster.started["postgres-0"] = at.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    listed(at, instead={"postgres-0": ("Pending", "0")})
    assert of(at.all(start="9"), "BASELINE").verdict is Verdict.INCONCLUSIVE
    at.later(minutes=3)
    assert of(at.all(start="9"), "BASELINE").verdict is Verdict.FAIL


def test_a_pod_of_a_like_name_is_not_watched(at: Verification) -> None:
    listed(at, ("observer-backup-29", "Failed", "0", "2026-11-23T05:00:00Z"), ("postgres-1", "Running", "9", "x"))
    at.later(hours=25)
    assert {f.verdict for f in at.all().result("9").findings} == {Verdict.PASS}


# complete: the other steps were seen good when the 24 hours were over, or later


@pytest.mark.parametrize(
    ("command", "old", "new"),
    [("step1-namespace", "Active ", "Terminating "), ("step5-services", "postgres ", "postgrez "),
     ("step2-pvc", "observer-db-pvc         Bound ", "observer-db-pvc         Lost  ")],
)  # fmt: skip
def test_nothing_is_complete_on_a_cluster_that_died_meanwhile(
    command: str, old: str, new: str, at: Verification
) -> None:
    at.later(hours=25)
    at.change(command, old, new)
    assert at.all().overall in (Overall.FAILED, Overall.ABORTED)
    at.cluster.answers.clear()
    session = at.all()
    assert session.overall is Overall.COMPLETE, "and it is once that is fixed"


def test_after_24_hours_steps_0_to_7_are_carried_out_again_and_once_is_enough(at: Verification) -> None:
    at.later(hours=23)
    assert at.all().overall is Overall.PENDING and at.steps_run() == "09"
    at.later(hours=2)
    assert at.all().overall is Overall.COMPLETE and at.steps_run() == "012345679"
    at.later(hours=1)
    assert at.all().overall is Overall.COMPLETE and at.steps_run() == "09"


def test_one_step_alone_completes_nothing(at: Verification) -> None:
    at.later(hours=25)
    session = at.all(only="9")
    assert session.result("9").verdict is Verdict.PASS and session.overall is Overall.INCOMPLETE
    assert session.outdated == tuple("1234567")
    assert "24 hours of Step 9 are over" in str(overall_sentence(session))
    assert at.all().overall is Overall.COMPLETE


def test_an_attempt_that_began_before_its_moment_and_ended_after_it(at: Verification) -> None:
    due = judged_from(Runs(at.record.state.result("9").runs))
    assert due
    at.at = due - timedelta(milliseconds=5)
    session = at.all()
    assert session.overall is Overall.COMPLETE and session.outdated == ()
    assert all(result.judged_at and result.judged_at >= due for result in session.results if result.step in "1234567")


def test_a_new_baseline_asks_for_the_other_steps_after_its_own_24_hours(at: Verification) -> None:
    at.later(hours=20)
    at.all(start="9")
    at.later(hours=10)
    assert at.all().overall is Overall.PENDING
    at.later(hours=15)
    assert at.all().overall is Overall.COMPLETE
    due = at.record.state.result("9").due_from
    assert due and all(result.judged_at >= due for result in at.record.state.results if result.step in "1234567")
