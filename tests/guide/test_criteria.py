"""The six abort criteria: each met, not met and not seen; a run stops there and goes on where it stopped."""

from __future__ import annotations

import re

import pytest
from support import guide, runs_of
from verifying import DELETES, Verification, verification  # noqa: F401  # a fixture

from playbook.guide.codes import family
from playbook.guide.criteria import CRITERIA, State, criterion, criterion_states, met, state
from playbook.model import Finding, Overall, Run, Verdict
from playbook.steps import STEPS
from playbook.text import msg, verbatim

NOT_FOUND = 'Error from server (NotFound): secrets "observer-secrets" not found\n'


def found(code: str, verdict: Verdict) -> Finding:
    """A finding."""
    return Finding(code, "1", verdict, msg("not run"), verbatim("-"), verbatim("-"))


def test_there_are_the_guides_six() -> None:
    assert [each.number for each in CRITERIA] == [1, 2, 3, 4, 5, 6]
    assert [each.resume_from for each in CRITERIA] == ["3", "2", "6", "8", "9", "4"]
    with pytest.raises(KeyError):
        criterion(7)


def test_they_stand_where_the_guide_has_them() -> None:
    path = guide()
    if path is None:
        pytest.skip("PLAYBOOK_GUIDE does not name the guide, and it does not lie beside the checkout")
    rows = re.findall(r"^\| ([1-6]) \| .* \| Step ([\d-]+) \|", path.read_text("utf-8"), re.M)
    assert rows == [(str(each.number), each.step) for each in CRITERIA]


@pytest.mark.parametrize("each", CRITERIA, ids=lambda each: str(each.number))
def test_each_is_met_not_met_or_not_seen(each) -> None:  # type: ignore[no-untyped-def]
    for code in each.met_by:
        bad = (found(f"{code}/x", Verdict.FAIL),)
        assert [one.number for one in met(bad)] == [each.number]
        assert state(each, bad) is State.MET
    seen = tuple(found(f"{code}/x", Verdict.PASS) for code in each.seen_by)
    assert met(seen) == ()
    assert state(each, seen) is State.NOT_MET
    assert state(each, ()) is State.UNSEEN
    for verdict in (Verdict.INCONCLUSIVE, Verdict.SKIPPED, Verdict.NOT_RUN, Verdict.PENDING):
        dark = (*seen[1:], found(f"{each.seen_by[0]}/x", verdict))
        assert met(dark) == (), "what was not seen aborts nothing"
        assert state(each, dark) is State.UNSEEN
        assert state(each, (*seen, *dark)) is State.UNSEEN, "one of several was not seen"


@pytest.mark.parametrize(
    ("scenario", "number"),
    [
        ("1.20/healthy", None),
        ("1.20/healthy-24h", None),
        ("1.20/secret-missing", 1),
        ("1.20/pvc-pending", 2),
        ("1.20/secret-key-missing", 3),
        ("1.34/healthy", None),
        ("1.34/healthy-24h", None),
        ("1.34/cordoned", None),
        ("1.34/evicted-left", None),
        ("1.34/init-waiting", None),
        ("1.34/lookalikes", None),
        ("1.34/secret-missing", 1),
        ("1.34/pvc-pending", 2),
        ("1.34/secret-key-missing", 3),
        ("1.34/exec-format", 3),
        ("1.34/oom", 3),
        ("1.34/postgres-permissions", 3),
        ("1.34/config-mismatch", 6),
    ],
)
def test_the_recordings_meet_what_they_were_made_for(scenario: str, number: int | None) -> None:
    runs = runs_of(scenario)
    for step in STEPS:
        criteria = met(step.judge(runs))
        if criteria:
            assert criteria[0].number == number
            return
    assert number is None


@pytest.mark.parametrize(
    ("number", "command", "old", "new", "judged"),
    [(1, "step3-3-observer-secrets", "", NOT_FOUND, "0123"), (2, "step2-pvc", "Bound ", "Pending", "012"),
     (6, "step4-path-contract", "OK: OBSERVER_DATA_DIR = /opt/", "MISMATCH: OBSERVER_DATA_DIR = /", "01234")],
)  # fmt: skip
def test_a_run_stops_at_a_criterion_and_goes_on_there_once_the_cause_is_gone(
    number: int, command: str, old: str, new: str, judged: str, verification: Verification,
) -> None:  # fmt: skip
    if old:
        verification.change(command, old, new)
    else:
        verification.answer(command, "", new)
    session = verification.all()
    assert (session.abort.criterion if session.abort else None) == number
    assert session.overall is Overall.ABORTED
    assert verification.steps_run() == judged
    states = {each.number: known for each, known in criterion_states(session)}
    assert states[number] is State.MET
    assert states[4] is states[5] is State.NOT_RUN
    assert not verification.cluster.deletes
    verification.cluster.answers.clear()
    session = verification.all()
    assert verification.steps_run() == "0" + "123456789"[int(judged[-1]) - 1 :]
    assert session.overall is Overall.PENDING
    assert verification.cluster.deletes.total() == len(DELETES)


def test_crash_loop_is_criterion_3_and_step_7_waits(verification: Verification) -> None:
    def looping(run: Run) -> Run:
        from dataclasses import replace

        return replace(run, stdout=run.out.replace("1/1      Running", "0/1      CrashLoopBackOff", 1).replace(
            "1/1     Running", "0/1     CrashLoopBackOff", 1).encode())  # fmt: skip

    verification.cluster.answers["step6-1-pods"] = looping
    session = verification.all()
    assert (session.abort.criterion if session.abort else None) == 3
    assert verification.steps_run() == "0123456"


def test_the_code_without_its_object() -> None:
    assert family("STABLE/postgres-0") == "STABLE"
    assert family("BASELINE") == "BASELINE"
