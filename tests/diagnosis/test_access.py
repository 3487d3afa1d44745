"""What K3s' kubectl says on standard error, and what is to be typed where it reaches no API server."""

from __future__ import annotations

import pytest
from access_cases import ACCESS, EXPIRED, K3S_WARNS, NO_CONFIG_YAML, NO_KUBECONFIG, NOT_YET, UNREADABLE
from diagnosing import Case, examine
from support import made, runs_of

from playbook.api import judge
from playbook.kubectl.failures import FailureKind, failure
from playbook.model import Verdict

TALK = 'time="2026-11-25T10:18:22+09:00" level=warning msg="Unable to read /etc/rancher/k3s/k3s.yaml, please start server with"\n'


@pytest.mark.parametrize("talk", [K3S_WARNS, TALK])
def test_k3s_talks_while_all_is_well(talk: str) -> None:
    (nodes,) = runs_of("1.34/healthy", "step0-nodes")
    talked = made("step0-nodes", nodes.out, talk)
    assert failure(talked) is None
    info = made("step0-cluster-info", runs_of("1.34/healthy", "step0-cluster-info")[-1].out, talk)
    assert judge("0", [info, talked]).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (UNREADABLE, FailureKind.KUBECONFIG_UNREADABLE),
        (UNREADABLE + TALK, FailureKind.KUBECONFIG_UNREADABLE),
        (NO_CONFIG_YAML, FailureKind.KUBECONFIG_UNREADABLE),
        (NO_KUBECONFIG, FailureKind.KUBECONFIG_ABSENT),
        ("error: stat /home/ubuntu/.kube/config: no such file or directory\n", FailureKind.KUBECONFIG_ABSENT),
        (EXPIRED, FailureKind.CERTIFICATE),
        (NOT_YET, FailureKind.CERTIFICATE),
        ("Error from server (NotFound): secrets \"kubeconfig: permission\" not found\n", FailureKind.NOT_FOUND),
        ("cat: /data/x: Permission denied\ncommand terminated with exit code 1\n", FailureKind.OTHER),
    ],
)  # fmt: skip
def test_the_way_to_the_api_server_is_told_apart(said: str, kind: FailureKind) -> None:
    why = failure(made("step0-nodes", stderr=said, exit_code=1))
    assert why and why.kind is kind


def _of(name: str) -> list[str]:
    cause = examine(next(case for case in ACCESS if case.name == f"access: {name}")).causes[0]
    return [f"{remedy.command}{remedy.advice or ''}" for remedy in cause.remedy]


def test_a_kubeconfig_of_root_is_read_by_sudo_or_copied() -> None:
    as_root, copied, mode = _of("only root may read")
    assert as_root.startswith("sudo -E playbook all")
    assert "/etc/rancher/k3s/k3s.yaml ~/.kube/config" in copied and "KUBECONFIG=~/.kube/config" in copied
    assert '-o "$USER"' in copied and "--write-kubeconfig-mode" in mode


def test_no_kubeconfig_is_answered_by_an_export() -> None:
    assert _of("no kubeconfig")[0].startswith("export KUBECONFIG=/etc/rancher/k3s/k3s.yaml")


@pytest.mark.parametrize("name", ["expired", "not yet valid"])
def test_certificates_begin_at_the_clock(name: str) -> None:
    assert _of(name)[0].startswith("timedatectl")


@pytest.mark.parametrize("case", ACCESS, ids=lambda case: case.name)
def test_step_0_gives_the_same_remedy(case) -> None:
    found = examine(case)
    (reached,) = [f for f in found.results[0].findings if f.code == "API-REACHED"]
    assert reached.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE)
    if "datastore" not in case.name:
        assert reached.remedy
    assert found.causes[0].line.strip() in f"{case.instead['step0-nodes'].err}"


def test_what_an_application_says_of_certificates_is_no_matter_of_the_kubeconfig() -> None:
    log = "ERROR requests.exceptions.SSLError: x509: certificate has expired or is not yet valid\n"
    found = examine(Case("x", (), instead={"step6-3-logs-observer": made("step6-3-logs-observer", log)}))
    assert "CERTIFICATE-EXPIRED" not in found.codes
