"""How 7-2 is carried out without its wait, and what becomes of its pod."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest
from support import made

from playbook.guide.catalog import load
from playbook.guide.own_commands import REMOVE_TMP_CURL
from playbook.model import Command, Ended, Run, missing
from playbook.refusals import Refused
from playbook.runtime import tmp_curl
from playbook.runtime.replay import ReplayExecution, ReplayRunner
from playbook.session.session import in_memory

SERVICE, PODS = "step7-2-health-via-service", "step6-1-pods"
LOGS, PREVIOUS, DESCRIBED = "logs.tmp-curl", "logs-previous.tmp-curl", "describe-pod.tmp-curl"
OK = '{"status": "ok", "uptime": 7142}'
GONE = 'Error from server (NotFound): pods "tmp-curl" not found\n'
BEING_DELETED = 'Error from server (AlreadyExists): object is being deleted: pods "tmp-curl" already exists\n'
EXISTS = 'Error from server (AlreadyExists): pods "tmp-curl" already exists\n'
QUOTA = (
    'Error from server (Forbidden): pods "tmp-curl" is forbidden: exceeded quota: full, requested: pods=1, used: pods=3, '
    "limited: pods=3\n"
)
WEBHOOK = (
    'Error from server (InternalError): Internal error occurred: failed calling webhook "down.example.com": failed to call '
    'webhook: Post "https://nothere.default.svc:443/?timeout=10s": service "nothere" not found\n'
)
WAITED = "error: timed out waiting for the condition\n"
PENDING = """Name:             tmp-curl
Status:           Pending
Events:
  Type     Reason     Age                From               Message
  ----     ------     ----               ----               -------
"""
TAINTED = "  Warning  FailedScheduling  21s   default-scheduler  0/1 nodes are available: 1 node(s) had untolerated taint(s).\n"
REMOVED = "remove-tmp-curl"


def said(command: str, out: str = "", err: str = "", ended: Ended = Ended.EXITED) -> Run:
    return made(command, out, err, (1 if err else 0) if ended is Ended.EXITED else None, ended=ended)


class FakeExecution:
    """Answers commands from lists and keeps what was asked for; `until` is asked as often as `patience` says."""

    def __init__(self, replies: dict[str, list[Run]], latest: Run | None = None, patience: int = 0) -> None:
        self.replies = {key: list(runs) for key, runs in replies.items()}
        self.patience, self._latest = patience, latest
        self.asked: list[str] = []
        self.paused: list[float] = []
        self.workplace = SimpleNamespace(session=SimpleNamespace(now=lambda: datetime.now(timezone.utc)))

    def run(self, command: str, target: str = "", until: Callable[[], bool] | None = None) -> Run:
        key = f"{command}.{target}" if target else command
        self.asked.append(key)
        for _ in range(self.patience if until else 0):
            if until and until():
                return said(key, ended=Ended.STOPPED_EARLY)
        waiting = self.replies.get(key, [])
        return waiting.pop(0) if waiting else missing(key)

    def refuse(self, command: str, why: Refused) -> Run:
        self.asked.append(f"refused {command} {why.note}")
        return replace(missing(command), ended=Ended.REFUSED, note=why.note)

    def latest(self, command: str) -> Run | None:
        return self._latest

    def pause(self, seconds: float) -> None:
        self.paused.append(seconds)

    def clean_up(self, command: Command) -> None:
        self.asked.append(command.key)


def carried_out(fake: FakeExecution) -> list[str]:
    tmp_curl.ask(fake)  # type: ignore[arg-type]
    return fake.asked


def pods(age_s: float, *rows: str) -> Run:
    text = "NAME   READY   STATUS   RESTARTS   AGE\n" + "".join(f"{row}\n" for row in rows)
    return replace(said(PODS, text), started_at=datetime.now(timezone.utc) - timedelta(seconds=age_s))


MINE = "tmp-curl   0/1   CrashLoopBackOff   3   2m"


def fresh() -> Run:
    """A list of pods as of now, whenever the test is run."""
    return pods(5, "postgres-0   1/1   Running   0   3d")


def test_an_answer_at_once_needs_no_log() -> None:
    assert carried_out(FakeExecution({SERVICE: [said(SERVICE, OK)]}, fresh())) == [SERVICE, REMOVED]


def test_the_log_ends_the_wait() -> None:
    logs = [said(LOGS, err=GONE), said(LOGS, OK), said(LOGS, OK)]
    assert carried_out(FakeExecution({LOGS: logs}, fresh(), patience=9)) == [SERVICE, LOGS, LOGS, REMOVED]


def test_without_an_answer_the_log_is_read_once_more_and_seldom_before() -> None:
    asked = carried_out(FakeExecution({SERVICE: [said(SERVICE, err=WAITED)]}, fresh(), patience=60))
    assert asked.count(LOGS) == 10 + 10 + 1 and asked.count(DESCRIBED) == 1 and REMOVED in asked


def test_a_pod_that_cannot_come_up_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr(tmp_curl.time, "monotonic", lambda: float(next(clock)))
    replies = {DESCRIBED: [said(DESCRIBED, PENDING), said(DESCRIBED, PENDING + TAINTED)]}
    asked = carried_out(FakeExecution(replies, fresh(), patience=200))
    assert asked.count(DESCRIBED) == 2 and asked[-1] == REMOVED
    assert asked.count(LOGS) >= 19, "not before 20 s is it called stuck"


@pytest.mark.parametrize("refused", [QUOTA, WEBHOOK])
def test_a_pod_that_was_not_admitted_is_not_removed(refused: str) -> None:
    assert carried_out(FakeExecution({SERVICE: [said(SERVICE, err=refused)]}, fresh())) == [SERVICE]


def test_the_pod_of_an_earlier_try_is_waited_for() -> None:
    tries = [said(SERVICE, err=BEING_DELETED), said(SERVICE, err=BEING_DELETED), said(SERVICE, OK)]
    fake = FakeExecution({SERVICE: tries}, pods(5, "tmp-curl   0/1   Terminating   3   2m"))
    asked = carried_out(fake)
    assert asked.count(SERVICE) == 3 and fake.paused == [3.0, 3.0] and asked.count(REMOVED) == 1 and LOGS not in asked


def test_waiting_for_it_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeExecution({SERVICE: [said(SERVICE, err=BEING_DELETED)] * 99}, fresh())
    monkeypatch.setattr(tmp_curl.time, "monotonic", lambda: sum(fake.paused))
    asked = carried_out(fake)
    assert asked.count(SERVICE) == 16 and REMOVED not in asked and LOGS not in asked


def test_somebody_elses_pod_is_left_alone() -> None:
    assert carried_out(FakeExecution({SERVICE: [said(SERVICE, err=EXISTS)]}, fresh())) == [SERVICE]
    assert carried_out(FakeExecution({}, pods(5, MINE))) == [f"refused {SERVICE} leftover-pod"]


def test_an_old_list_of_pods_is_asked_for_again() -> None:
    asked = carried_out(FakeExecution({PODS: [pods(0, MINE)]}, pods(120)))
    assert asked[:2] == [PODS, f"refused {SERVICE} leftover-pod"]
    asked = carried_out(FakeExecution({PODS: [pods(0)], SERVICE: [said(SERVICE, OK)]}))
    assert asked[0] == PODS and SERVICE in asked


def test_an_interrupted_7_2_asks_for_nothing_more_but_its_removal() -> None:
    asked = carried_out(FakeExecution({SERVICE: [said(SERVICE, ended=Ended.INTERRUPTED)]}, fresh()))
    assert LOGS not in asked and REMOVED in asked


# from a recording


def replayed(folder: Path, *runs: Run, latest: Run | None = None) -> list[str]:
    """The commands that a replay of these runs goes through, refused ones with the reason."""
    (folder / "diagnose").mkdir()
    listed = []
    seen: dict[str, int] = {}
    for run in runs:
        seen[run.command] = seen.get(run.command, 0) + 1
        name = run.command + (f".{seen[run.command]}" if seen[run.command] > 1 else "")
        (folder / f"{name}.out").write_bytes(run.stdout)
        (folder / f"{name}.err").write_bytes(run.stderr)
        listed.append(
            {"id": run.command, "exit_code": run.exit_code, "seconds": 1, "started_at": "2026-11-22T22:56:34Z"}
        )
    (folder / "runs.json").write_text(json.dumps(listed))
    session = in_memory("replayed")
    if latest:
        session.keep([replace(latest, ordinal=0)])
    execution = ReplayExecution(load(), ReplayRunner(folder), session)
    execution.health_via_service()
    return [f"refused {run.note}" if run.ended is Ended.REFUSED else run.command for run in execution.runs]


def test_a_recording_is_taken_as_it_is(tmp_path: Path) -> None:
    tries = [said(SERVICE, err=BEING_DELETED), said(SERVICE)]
    logs = [said(PREVIOUS, err=GONE), said(PREVIOUS, OK), said(PREVIOUS, "of a later attempt")]
    assert replayed(tmp_path, *tries, *logs, latest=pods(90_000, MINE)) == [SERVICE, SERVICE, PREVIOUS, PREVIOUS]


def test_a_recording_without_7_2_says_why_where_it_can(tmp_path: Path) -> None:
    assert replayed(tmp_path, latest=pods(90_000, MINE)) == ["refused leftover-pod"]


def test_a_recording_without_7_2_has_not_seen_it(tmp_path: Path) -> None:
    assert replayed(tmp_path) == [SERVICE]


def test_the_plain_log_is_read_before_the_previous_one(tmp_path: Path) -> None:
    runs = (said(SERVICE), said(LOGS, err=GONE), said(LOGS, OK), said(PREVIOUS, OK))
    assert replayed(tmp_path, *runs) == [SERVICE, LOGS, LOGS]


def test_without_an_answer_the_description_is_read(tmp_path: Path) -> None:
    assert replayed(tmp_path, said(SERVICE), said(DESCRIBED, PENDING + TAINTED)) == [SERVICE, DESCRIBED]


@pytest.mark.parametrize(
    ("said_of_it", "again"),
    [('pod "tmp-curl" deleted\n', False), ("Do you want to continue? (y/N): deletion is cancelled\n", True)],
)
def test_a_removal_that_kubectl_cancelled_is_done_again(said_of_it: str, again: bool) -> None:
    session, runner = in_memory("test"), FakeRunner()
    session.keep([said(SERVICE, OK), said(REMOVED, said_of_it)])
    tmp_curl.remove_left(session, runner)  # type: ignore[arg-type]
    assert runner.cleaned == ([REMOVED] if again else [])


@pytest.mark.parametrize(
    ("now", "forced", "calls", "code"),
    [
        ("echo 'pod \"tmp-curl\" deleted'", "exit 9", 1, 0),
        ("echo error: timed out waiting for the condition >&2; exit 1", "echo 'pod \"tmp-curl\" force deleted'", 2, 0),
        (f"echo {shlex.quote(GONE)} >&2; exit 1", f"echo {shlex.quote(GONE)} >&2; exit 1", 2, 1),
    ],
    ids=["goes", "an old kubelet keeps it", "is not there"],
)
def test_the_pod_is_let_go_of_where_the_kubelet_keeps_it(
    now: str, forced: str, calls: int, code: int, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f'#!/bin/sh\necho "$*" >>{log}\ncase "$*" in *--now*) {now};; *--force*) {forced};; esac\n')
    kubectl.chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", REMOVE_TMP_CURL.text], env=env, capture_output=True, check=False
    )
    assert len(log.read_text().splitlines()) == calls
    run = replace(said(REMOVED), stdout=ran.stdout, stderr=ran.stderr, exit_code=ran.returncode)
    assert run.exit_code == code
    session, runner = in_memory("test"), FakeRunner()
    session.keep([said(SERVICE, OK), run])
    tmp_curl.remove_left(session, runner)  # type: ignore[arg-type]
    assert runner.cleaned == [], "it is known to be gone"


class FakeRunner:
    """Keeps what it was to clean up."""

    def __init__(self) -> None:
        self.cleaned: list[str] = []

    def cleanup(self, command: Command) -> Run:
        self.cleaned.append(command.key)
        return said(command.key)
