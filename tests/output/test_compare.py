"""What `diff` says of two sessions or recordings."""

from __future__ import annotations

import sessions
from support import FIXTURES

from playbook import api
from playbook.model import Session
from playbook.output.compare import Change, compare


def of(state: str) -> Session:
    return api.replay(FIXTURES / state, diagnose=False)


def told(changes: tuple[Change, ...]) -> dict[str, tuple[str, str]]:
    return {str(each.what): (str(each.before), str(each.after)) for each in changes}


def test_same() -> None:
    for make in sessions.ALL:
        assert compare(make(), make()).text() == ""
    assert compare(of("1.20/healthy"), of("1.20/healthy")).text() == ""


def test_a_day_later() -> None:
    changes = compare(of("1.20/healthy"), of("1.20/healthy-24h"))
    assert told(changes.verdicts) == {"overall": ("Pending", "Complete"), "Step 9": ("pending", "pass")}
    assert set(told(changes.findings).values()) == {("pending", "pass")}
    assert not changes.pods


def test_a_fault_is_named_and_what_was_not_reached_is_not_repeated() -> None:
    changes = compare(of("1.20/healthy"), of("1.20/secret-missing"))
    assert told(changes.verdicts)["overall"] == ("Pending", "Aborted")
    assert told(changes.verdicts)["Step 4"] == ("pass", "not-run")
    assert set(told(changes.findings)) == {"OBSERVER-SECRETS", "SECRET-KEYS"}
    assert not changes.counts and not changes.pods


def test_replaced_pods_are_told_once() -> None:
    changes = compare(of("1.20/healthy"), of("1.20/restarts"))
    assert not [code for code, (_, after) in told(changes.findings).items() if after == "-" and "/observer-" in code]
    assert ("Running, 0 restarts", "-") in told(changes.pods).values()


def test_losses_are_counted() -> None:
    changes = compare(of("1.20/healthy"), of("1.20/ephemeral-data"))
    assert told(changes.counts) == {"JSONL files before the restart": ("1", "4")}
    assert told(changes.findings)["FILES-KEPT"][1].startswith("fail: ")


def test_waived_counts_as_a_change_of_the_step() -> None:
    waived = sessions.waived()
    from dataclasses import replace

    changes = compare(replace(waived, waivers=()), waived)
    assert told(changes.verdicts)["Step 5"] == ("fail", "fail (waived)")
    assert told(changes.verdicts)["overall"] == ("Failed", "Complete")


def test_text_is_plain_lines() -> None:
    text = compare(sessions.complete(), sessions.hostile()).text()
    assert "\x1b" not in text and "\x9b" not in text
    assert text.splitlines()[0] == "Verdicts"
