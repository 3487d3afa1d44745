"""The fold: the same events always tell the same session, and what is written of a finding is what is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from support import runs_of, states
from verifying import BEGAN, Verification, of, verification  # noqa: F401  # a fixture

from playbook.errors import BadSession
from playbook.model import Abort, Cause, Evidence, Overall, Remedy, Verdict
from playbook.session.as_json import cause_from_json, cause_to_json, finding_from_json, finding_to_json
from playbook.session.fold import STEP_IDS, evidence_digest, fold, unfinished_mutations
from playbook.session.journal import Journal, Kind
from playbook.session.session import in_memory
from playbook.session.waiving import waivable
from playbook.steps import STEPS
from playbook.text import msg, verbatim


@pytest.mark.parametrize("state", states())
def test_every_finding_of_every_recording_survives_the_journal(state: str) -> None:
    runs = runs_of(state)
    found = [finding for step in STEPS for finding in step.judge(runs)]
    assert found
    for finding in found:
        assert finding_from_json(json.loads(json.dumps(finding_to_json(finding)))) == finding


def test_a_cause_survives_the_journal() -> None:
    cause = Cause("SECRET-ABSENT", "3-3", msg("the Secret is missing"), verbatim("row 1"), "line", Evidence("a", 3, 2, "stderr"),
                  (Remedy("kubectl x"), Remedy("", msg("do it"))), ("A", "B/c"), matched=False)  # fmt: skip
    assert cause_from_json(json.loads(json.dumps(cause_to_json(cause)))) == cause
    assert cause_from_json(cause_to_json(Cause("X", "1", msg("t"), msg("b"), "", None, ()))).evidence is None


def test_a_journal_that_does_not_begin_with_an_opening_is_none(verification: Verification) -> None:
    verification.all()
    record = verification.record
    for events in ((), record.events[1:]):
        with pytest.raises(BadSession):
            fold(events, record.load)


def test_the_same_events_fold_to_the_same_session_at_every_length(verification: Verification) -> None:
    verification.all()
    record = verification.record
    events = record.events
    for length in range(1, len(events) + 1):
        session = fold(events[:length], record.load)
        assert session == fold(events[:length], record.load)
        assert tuple(result.step for result in session.results) == STEP_IDS
        judged = {event.data["step"] for event in events[:length] if event.kind is Kind.JUDGED}
        assert {r.step for r in session.results if r.verdict is not Verdict.NOT_RUN} == judged


def test_force_sets_aside_that_step_and_the_later_ones(verification: Verification) -> None:
    verification.all()
    record = verification.record
    record.note(Kind.FORCE, **{"from": "6"})
    session = record.state
    assert [r.verdict is Verdict.NOT_RUN for r in session.results] == [False] * 6 + [True] * 4
    assert len(session.history) == 10, "what was seen is not forgotten"


@pytest.fixture
def failed(verification: Verification) -> Verification:
    """A session with a finding of Step 5 that failed."""
    verification.change("step5-services", "8000", "8001")
    assert verification.all(allow=False).result("5").verdict is Verdict.FAIL
    return verification


def test_a_waiver_lives_as_long_as_its_finding_comes_out_the_same(failed: Verification) -> None:
    finding = of(failed.record.state, "SERVICE-PORT/observer")
    failed.record.waive(finding, "Kim", "known")
    session = failed.record.state
    assert session.standing(session.result("5")) is Verdict.WARN
    failed.later(hours=40)  # judged again, as it was
    assert failed.all(allow=False).waiver_for(of(failed.record.state, "SERVICE-PORT/observer"))
    failed.change("step5-services", "8000", "8002")
    session = failed.all(allow=False, start="5")
    assert not session.waivers
    assert session.result("5").verdict is Verdict.FAIL


def test_a_waived_step_is_kept(failed: Verification) -> None:
    failed.record.waive(of(failed.record.state, "SERVICE-PORT/observer"), "Kim", "known")
    failed.all(allow=False)
    assert "5" not in failed.steps_run()
    assert "5" in failed.operator.kept


def test_what_can_be_waived(failed: Verification) -> None:
    codes = {finding.code for finding in waivable(failed.record.state)}
    assert {"SERVICE-PORT/observer", "RESTART-OBSERVER"} <= codes
    assert "API-REACHED" not in codes, "a pass need not be"
    failed.answer(
        "step3-3-observer-secrets", "", 'Error from server (NotFound): secrets "observer-secrets" not found\n'
    )
    session = failed.all(allow=False, start="3")
    assert session.overall is Overall.ABORTED
    codes = {finding.code for finding in waivable(session)}
    assert "OBSERVER-SECRETS" not in codes, "an abort criterion may not be"
    assert not any(code.startswith("STEP/") for code in codes), "nor what it kept from being reached"


def test_the_digest_of_a_finding_does_not_depend_on_which_attempt_saw_it(failed: Verification) -> None:
    first = of(failed.record.state, "SERVICE-PORT/observer")
    again = of(failed.all(allow=False), "SERVICE-PORT/observer")
    assert first.evidence != again.evidence
    assert evidence_digest(first) == evidence_digest(again)


def test_an_abort_holds_until_its_step_is_judged_again(verification: Verification) -> None:
    verification.change("step2-pvc", "observer-db-pvc         Bound ", "observer-db-pvc         Lost  ")
    session = verification.all()
    assert session.abort == Abort(2, "2")
    assert verification.steps_run() == "012"
    verification.cluster.answers.clear()
    session = verification.all(allow=False)
    assert session.abort is None
    assert verification.steps_run() == "023456789", "the aborted step again, then what was not reached; Step 1 is kept"
    assert verification.operator.kept.keys() == {"1"}
    assert [r.verdict for r in session.history if r.step == "2"] == [Verdict.FAIL, Verdict.PASS]


def test_a_command_that_began_and_has_no_end_is_known() -> None:
    journal = Journal()

    def some() -> Iterator[tuple[str, int]]:
        yield from ((item.command, item.ordinal) for item in unfinished_mutations(journal.events))

    journal.append(Kind.BEGIN, BEGAN, {"command": "a", "ordinal": 1})
    journal.append(Kind.BEGIN, BEGAN, {"command": "b", "ordinal": 1})
    journal.append(Kind.RUN, BEGAN, {"command": "a", "ordinal": 1})
    assert list(some()) == [("b", 1)]
    journal.append(Kind.RUN, BEGAN, {"command": "b", "ordinal": 1})
    journal.append(Kind.BEGIN, BEGAN, {"command": "b", "ordinal": 2})
    assert list(some()) == [("b", 2)]


def test_a_new_attempt_is_not_ended_and_an_end_is(verification: Verification) -> None:
    record = in_memory("x")
    record.note(Kind.ATTEMPT)
    assert record.state.ended_at is None
    record.note(Kind.INTERRUPTED, signal=2)
    ended = record.state.ended_at
    assert ended
    assert ended - record.state.started_at < timedelta(minutes=1)
    record.note(Kind.ATTEMPT)
    assert record.state.ended_at is None
    assert record.state.attempts == 2
