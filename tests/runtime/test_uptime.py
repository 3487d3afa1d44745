"""24 hours by a clock that was set meanwhile are none."""

from __future__ import annotations

from datetime import timedelta

import pytest
from verifying import BEGAN, Verification, verification  # noqa: F401  # a fixture

from playbook.model import Overall
from playbook.runtime.uptime import MOST, Uptime, clock_was_set, uptime
from playbook.session.journal import Event, Kind

HOUR = 3600.0


def test_a_day_by_a_clock_that_was_set_is_no_day(verification: Verification) -> None:
    assert verification.all().overall is Overall.PENDING
    verification.set_clock(hours=25)
    assert verification.all().overall is Overall.PENDING
    assert verification.operator.notices == [
        "this machine's clock was set by +1500 minutes since the last attempt: Step 9 begins anew"
    ]
    verification.later(hours=23)
    assert verification.all().overall is Overall.PENDING
    verification.later(hours=1, minutes=5)
    assert verification.all().overall is Overall.COMPLETE
    assert verification.operator.notices == []


def test_a_clock_that_was_set_back_begins_step_9_anew(verification: Verification) -> None:
    verification.all()
    verification.later(hours=5)
    verification.set_clock(hours=-3)
    session = verification.all()
    assert session.overall is Overall.PENDING
    due = session.result("9").due_from
    assert due and due > BEGAN + timedelta(hours=26), "a day from the new baseline on"


def test_a_day_that_passed_is_one(verification: Verification) -> None:
    verification.all()
    verification.later(hours=24, minutes=5)
    assert verification.all().overall is Overall.COMPLETE
    assert verification.operator.notices == []


def test_nothing_is_said_before_there_is_a_sample(verification: Verification) -> None:
    verification.all(until="6")
    verification.set_clock(days=3)
    verification.all(until="6")
    assert verification.operator.notices == []


@pytest.mark.parametrize(
    ("now_s", "boot", "up_s", "moved_s"),
    [
        (HOUR, "a", 1000 + HOUR, None),
        (HOUR + MOST.total_seconds() - 1, "a", 1000 + HOUR, None),
        (2 * HOUR, "a", 1000 + HOUR, HOUR),
        (HOUR, "a", 1000 + 2 * HOUR, -HOUR),
        (2 * HOUR, "b", 30.0, None),
    ],
    ids=["as the time passed", "corrected a little", "set forward", "set back", "started anew"],
)
def test_by_how_much(now_s: float, boot: str, up_s: float, moved_s: float | None) -> None:
    attempt = Event(1, BEGAN, Kind.ATTEMPT, {"boot": "a", "up_s": 1000.0})
    moved = clock_was_set([attempt], BEGAN + timedelta(seconds=now_s), Uptime(boot, up_s))
    assert moved == (None if moved_s is None else timedelta(seconds=moved_s))


def test_where_nothing_tells_nothing_is_said() -> None:
    assert clock_was_set([], BEGAN, Uptime("a", 1.0)) is None
    old = Event(1, BEGAN, Kind.ATTEMPT, {})
    assert clock_was_set([old], BEGAN + timedelta(days=1), Uptime("a", 1.0)) is None
    assert clock_was_set([old], BEGAN + timedelta(days=1), None) is None


def test_this_machine_tells_how_long_it_is_up() -> None:
    first, second = uptime(), uptime()
    assert first and second and first.boot == second.boot and 0 < first.up_s <= second.up_s
