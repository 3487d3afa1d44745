"""Typed rows of any command, by its id: what each gives, and how each says that there is nothing to give."""

from __future__ import annotations

from decimal import Decimal

import pytest
from handmade import REFUSED, forbidden, said
from support import diagnosed, runs_of, states

from playbook.errors import UnreadableText, UsageError
from playbook.guide import ids
from playbook.guide.catalog import DIAGNOSE_ORDER, GUIDE_ORDER
from playbook.kubectl.failures import FailureKind
from playbook.model import Ended, missing
from playbook.steps.parsing import LISTS, TEXTS, WITHOUT_PARSER, FailedRun, parse

PARSED = {*LISTS, *TEXTS}


def test_every_command_has_a_parser_or_a_reason() -> None:
    assert PARSED | set(WITHOUT_PARSER) == {*GUIDE_ORDER, *DIAGNOSE_ORDER}
    assert not PARSED & set(WITHOUT_PARSER) and not set(LISTS) & set(TEXTS)
    assert all(WITHOUT_PARSER.values())


@pytest.mark.parametrize("state", states())
def test_each_recorded_output_is_read_or_says_why_not(state: str) -> None:
    """What was recorded is real: it is read, it is a failure that kubectl names, or it has not the form (no events, a log gone)."""
    for run in (*runs_of(state), *runs_of(state, *diagnosed(state))):
        command = run.command.partition(".")[0]
        if command not in PARSED:
            continue
        try:
            parse(command, run)
        except FailedRun as error:
            assert error.failure.text or error.failure.kind is FailureKind.OTHER
        except UnreadableText as error:
            blind = command in (ids.DESCRIBE_OBSERVER, ids.DESCRIBE_POSTGRES, *DIAGNOSE_ORDER)
            assert blind or not run.out.strip(), (run.command, str(error))


@pytest.mark.parametrize("state", ["1.20/healthy", "1.34/healthy"])
def test_a_healthy_cluster_is_read_as_a_whole(state: str) -> None:
    late = {ids.HEALTH_VIA_SERVICE} if state.startswith("1.34/") else set()  # there 7-2 lost its race
    read = {run.command: parse(run.command, run) for run in runs_of(state) if run.command in PARSED - late}
    assert set(read) == (PARSED & set(GUIDE_ORDER)) - late
    assert [pod.restarts for pod in read[ids.PODS]] == [0, 0, 0]
    assert {pod.ready for pod in read[ids.PODS]} == {(1, 1)}
    assert {claim.size for claim in read[ids.CLAIMS]} == {Decimal(n * 1024**3) for n in (1, 5, 10, 20)}
    assert [str(port) for row in read[ids.SERVICES] for port in row.ports] == ["8000/TCP", "5432/TCP", "5432/TCP"]
    assert [row.data for row in read[ids.OBSERVER_SECRETS]] == [13]
    assert read[ids.GENERATED_SECRETS] == ()
    assert len(read[ids.SECRET_KEYS]) == 13 and len(read[ids.CONFIG_KEYS]) == 15
    assert [key.name for key in read[ids.CONFIG_MAP]] == [key.name for key in read[ids.CONFIG_KEYS]]
    assert {row.use_percent for row in read[ids.MOUNTS]} <= set(range(101))
    assert read[ids.COUNT_TABLES_BEFORE].number == 3
    assert len(read[ids.SUMMARY].pods) == 3 and len(read[ids.SUMMARY].claims) == 4


def test_a_command_without_a_parser() -> None:
    for command in (*WITHOUT_PARSER, "step3-6-nothing"):
        with pytest.raises(UsageError, match=command):
            parse(command, said(command, "OK\n"))


@pytest.mark.parametrize(
    ("run", "kind"),
    [
        (said(ids.PODS, "", forbidden("pods")), FailureKind.FORBIDDEN),
        (said(ids.PODS, "", REFUSED), FailureKind.CONNECTION_REFUSED),
        (said(ids.CURL, "", "", 7), FailureKind.OTHER),
        (said(ids.LOGS_OBSERVER, "INFO a\n", ended=Ended.TIMEOUT), FailureKind.TIMEOUT),
        (missing(ids.SUMMARY), FailureKind.NOT_RECORDED),
    ],
)
def test_a_run_that_failed(run, kind) -> None:
    with pytest.raises(FailedRun) as caught:
        parse(run.command, run)
    assert caught.value.failure.kind is kind and str(caught.value)


PODS = "NAME         READY   STATUS    RESTARTS   AGE\npostgres-0   1/1     Running   {}          6s\n"


def test_a_line_or_a_cell_that_is_not_understood() -> None:
    assert parse(ids.PODS, said(ids.PODS, PODS.format(2)))[0].restarts == 2
    for command, text, line in (
        (ids.PODS, PODS.format("x"), 2),
        (ids.PODS, PODS.partition("\n")[0] + "\n", 2),
        (ids.SUMMARY, "=== PODS ===\n" + PODS.format("x"), 3),
        (ids.SERVICES, "NAME   TYPE        CLUSTER-IP   PORT(S)\na      ClusterIP   10.43.1.1    http\n", 2),
        (ids.ENV, "TZ=Asia/Seoul\nwhat is this\n", 2),
    ):
        with pytest.raises(UnreadableText) as caught:
            parse(command, said(command, text))
        assert caught.value.line == line


def test_exit_statuses_that_are_no_failure() -> None:
    assert parse(ids.MOUNTS, said(ids.MOUNTS, "", "", 1)) == ()
    assert parse(ids.LIST_FILES_BEFORE, said(ids.LIST_FILES_BEFORE, "/a.jsonl\n", "", 141)) == ("/a.jsonl",)
    late = said(ids.HEALTH_VIA_SERVICE, '{"status": "ok"}', "error: timed out waiting for the condition\n", 1)
    assert [answer.is_ok for answer in parse(ids.HEALTH_VIA_SERVICE, late)] == [True]
    assert parse(ids.CONFIG_KEYS, said(ids.CONFIG_KEYS, "", "KeyError: 'data'\n", 1)) == ()
