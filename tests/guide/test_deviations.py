"""The guide's deviations: told when they were met, and only then."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support import NEVER, made, runs_of, states

from playbook.guide import deviations
from playbook.model import Ended, Finding, Run, Session, StepResult, Verdict
from playbook.text import verbatim


def session(*runs: Run, findings: tuple[Finding, ...] = ()) -> Session:
    return Session("s", "1.0", None, NEVER, None, (StepResult("0", findings, runs),))


def met(*runs: Run, findings: tuple[Finding, ...] = ()) -> set[str]:
    return {deviation.id for deviation in deviations.deviations_met(session(*runs, findings=findings))}


def finding(code: str, verdict: Verdict) -> Finding:
    return Finding(code, "6-1", verdict, verbatim("x"), verbatim("x"), verbatim("x"))


def test_every_slip_has_its_own_id_and_a_way_to_be_met() -> None:
    ids = [deviation.id for deviation in deviations.DEVIATIONS]
    assert len(ids) == len(set(ids))
    assert all(deviation.met for deviation in deviations.DEVIATIONS)
    assert [deviation.step for deviation in deviations.DEVIATIONS] == sorted(
        deviation.step for deviation in deviations.DEVIATIONS
    )


def test_nothing_run_nothing_met() -> None:
    assert met() == set()
    assert (
        met(made("step6-4-env", ended=Ended.NOT_RECORDED), made("step8-2-delete-observer", ended=Ended.REFUSED))
        == set()
    )


@pytest.mark.parametrize("state", ["1.20/healthy", "1.34/healthy"])
def test_a_healthy_cluster_meets_the_slips_that_are_always_there(state: str) -> None:
    assert met(*runs_of(state)) >= {
        "LABEL-OF-SEALING-KEYS", "FIFTEEN-KEYS", "EVENTS-OF-THE-LAST-POD", "SECRETS-SHOWN", "NO-TERMINAL",
        "FORWARD-NOT-READY", "DELETE-UNCOUNTED", "UNSET-VARIABLES",
    }  # fmt: skip
    assert not met(*runs_of(state)) & {"CLUSTER-RIGHTS", "CRASH-LOOP-BETWEEN", "RESTARTS-WITH-AGE"}


@pytest.mark.parametrize("state", ["1.20/attach-race", "1.34/healthy"])
def test_a_race_of_7_2_is_told(state: str) -> None:
    assert "CURL-TOO-QUICK" in met(*runs_of(state))


def test_a_restart_of_today_is_told_with_its_age() -> None:
    assert "RESTARTS-WITH-AGE" in met(*runs_of("1.34/restarts"))


@pytest.mark.parametrize("state", states())
def test_a_hidden_failure_is_told_where_the_container_was_gone(state: str) -> None:
    gone = [run for run in runs_of(state, "step6-4-env") if not run.stdout and run.exit_code == 0]
    assert ("PIPE-HIDES-FAILURE" in met(*runs_of(state))) >= bool(gone)


@pytest.mark.parametrize(
    ("run", "id"),
    [
        (made("step0-nodes", "", 'Error from server (Forbidden): nodes is forbidden: User "x" cannot list resource '
              '"nodes" in API group "" at the cluster scope\n', 1), "CLUSTER-RIGHTS"),
        (made("step6-1-pods", "NAME   READY   STATUS    RESTARTS     AGE\nx      1/1     Running   3 (5m ago)   1d\n"),
         "RESTARTS-WITH-AGE"),
        (made("step8-1-list-files", "/opt/x.jsonl\n" * 10), "FIRST-TEN-FILES"),
        (made("step8-2-wait-observer", "", "error: no matching resources found\n", 1), "WAIT-TOO-EARLY"),
        (replace(made("step7-2-health-via-service"), ended=Ended.STOPPED_EARLY), "CURL-TOO-QUICK"),
    ],
)  # fmt: skip
def test_what_gives_a_slip_away(run: Run, id: str) -> None:
    assert id in met(run)


def test_a_server_that_was_reached_at_the_second_try() -> None:
    """After psql 15 in a pod, seconds after postgres-0 was replaced."""
    no_route = (
        'psql: error: connection to server at "postgres" (10.43.10.2), port 5432 failed: No route to host\n'
        "\tIs the server running on that host and accepting TCP/IP connections?\n"
    )
    first = made("step8-4-count-tables-after", "", no_route, 2)
    second = made("step8-4-count-tables-after", " count \n-------\n     3\n(1 row)\n\n")
    assert "READY-TOO-EARLY" in met(first, second)
    assert "READY-TOO-EARLY" not in met(second)


def test_a_loop_between_back_offs() -> None:
    looping = finding("CRASH-LOOP/observer-a", Verdict.FAIL)
    pods = "NAME         READY   STATUS   RESTARTS   AGE\nobserver-a   0/1     {}    9          1d\n"
    assert "CRASH-LOOP-BETWEEN" in met(made("step6-1-pods", pods.format("Error")), findings=(looping,))
    assert "CRASH-LOOP-BETWEEN" not in met(made("step6-1-pods", pods.format("CrashLoopBackOff")), findings=(looping,))


def test_warnings_of_the_judges_are_told() -> None:
    assert met(findings=(finding("LOG-POSTGRES", Verdict.WARN), finding("PVC-DIRECTORY", Verdict.WARN))) == {
        "READY-LINE-GONE", "DIRECTORY-ON-SERVER",
    }  # fmt: skip
    assert met(findings=(finding("LOG-POSTGRES", Verdict.PASS),)) == set()
