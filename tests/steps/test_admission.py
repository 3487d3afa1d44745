"""The server-side dry run of a new pod: what refuses a delete, what does not, and what is only said."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest
from stubbed import Stubbed
from support import made
from verifying import DELETES, Verification, of, verification  # noqa: F401  # a fixture

from playbook.guide.own_commands import ADMIT_OBSERVER, ADMIT_POSTGRES
from playbook.model import Runs, Verdict
from playbook.refusals import Refusal
from playbook.steps.admission import Admission, admission

# Handmade, after the words of Kubernetes 1.20 and 1.34.
FORBIDDEN = (
    'Error from server (Forbidden): error when creating "STDIN": pods "playbook-dry-run-observer" is forbidden: '
)
FULL = f"{FORBIDDEN}exceeded quota: few, requested: pods=1, used: pods=3, limited: pods=3\n"
FULL_CPU = f"{FORBIDDEN}exceeded quota: few, requested: limits.cpu=10m,pods=1, used: limits.cpu=1,pods=2, limited: limits.cpu=1000m,pods=2\n"
OVER = f"{FORBIDDEN}exceeded quota: few, requested: pods=1, used: pods=3, limited: pods=2\n"
RBAC = (
    'Error from server (Forbidden): error when creating "STDIN": pods is forbidden: User "ops" cannot create resource '
    '"pods" in API group "" in the namespace "observer-prod"\n'
)
WEBHOOK = (
    'Error from server (InternalError): error when creating "STDIN": Internal error occurred: failed calling webhook '
    '"deny.acme.example": failed to call webhook: Post "https://gone.default.svc:443/?timeout=10s": service "gone" not found\n'
)
SIDE_EFFECTS = 'Error from server (BadRequest): error when creating "STDIN": admission webhook "x.acme.example" does not support dry run\n'
DENIED = 'Error from server: error when creating "STDIN": admission webhook "x.acme.example" denied the request: no\n'


@pytest.mark.parametrize(
    ("out", "err", "answer"),
    [("pod/playbook-dry-run-observer\n", "", Admission.ADMITTED),
     ("pod/playbook-dry-run-observer\n", "Warning: would violate PodSecurity\n", Admission.ADMITTED),
     ("", FULL, Admission.ADMITTED), ("", FULL_CPU, Admission.ADMITTED), ("", OVER, Admission.REFUSED),
     ("", WEBHOOK, Admission.REFUSED), ("", DENIED, Admission.REFUSED), ("", RBAC, Admission.UNASKED),
     ("", SIDE_EFFECTS, Admission.UNASKED), ("", "", Admission.REFUSED),
     ("", "Traceback (most recent call last):\nStopIteration\n", Admission.REFUSED)],
    ids=["admitted", "warned", "full", "full-cpu", "over", "webhook", "denied", "may-not", "no-dry-run", "silence", "no-pod"],
)  # fmt: skip
def test_answers(out: str, err: str, answer: Admission) -> None:
    assert admission(made("admit-observer", out, err, 0 if out else 1)).admission is answer


@pytest.fixture
def at(verification: Verification) -> Verification:
    """A new session."""
    return verification


def test_a_refused_pod_refuses_the_delete_with_the_servers_reason(at: Verification) -> None:
    at.answer(ADMIT_OBSERVER.id, "", WEBHOOK)
    session = at.all()
    assert at.cluster.deletes == Counter()
    assert Runs(session.result("8").runs).last(DELETES[0]).note == Refusal.NOT_ADMITTED.value
    told = of(session, "RESTART-OBSERVER")
    assert told.verdict is Verdict.SKIPPED
    assert 'service "gone" not found' in str(told.actual)


def test_a_refused_database_pod_keeps_the_one_that_is_there(at: Verification) -> None:
    at.answer(ADMIT_POSTGRES.id, "", OVER)
    session = at.all()
    assert at.cluster.deletes == Counter({DELETES[0]: 1})
    assert "exceeded quota" in str(of(session, "RESTART-POSTGRES").actual)


def test_a_quota_that_is_just_full_refuses_nothing(at: Verification) -> None:
    at.answer(ADMIT_OBSERVER.id, "", FULL)
    assert of(at.all(), "RESTART-OBSERVER").verdict is Verdict.PASS


def test_who_may_not_ask_is_told_so(at: Verification) -> None:
    at.answer(ADMIT_OBSERVER.id, "", RBAC)
    told = of(at.all(), "RESTART-OBSERVER")
    assert told.verdict is Verdict.PASS
    assert str(told.summary) == "Observer was restarted; whether a new pod is admitted could not be asked before"


@pytest.mark.parametrize("command", [ADMIT_OBSERVER, ADMIT_POSTGRES])
def test_the_command_asks_for_another_pod_on_any_node_and_prints_a_name_alone(command, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    stub = Stubbed(tmp_path)
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command.text], env=stub.environ, capture_output=True, text=True, check=False
    )
    app = command.id.partition("-")[2]
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"pod/playbook-dry-run-{app}\n", "")
