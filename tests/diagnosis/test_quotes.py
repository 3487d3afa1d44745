"""The line that a cause quotes, and the remedy beside it: what says most, filled with the names that are known."""

from __future__ import annotations

import pytest
from diagnosing import examine
from diagnosis_cases import CASES

QUOTED = {
    "image: 500, a digest with 401 and 403": "500 Internal Server Error",
    "image: rate limit, a digest with 401 and 403": "429 Too Many Requests",
    "image-other": 'Failed to pull image "ghcr.io/acme/observer:v1": rpc error: code = Canceled',
    "crash: killed for memory, the log is ordinary": "OOMKilled",
    "crash: no such program": 'Reason: StartError, Exit Code: 128, Message: exec: "obsrever": executable file not found in $PATH',
    "crash: an exit code alone": "Reason: Error, Exit Code: 3",
    "crash: liveness": "Liveness probe failed: HTTP probe failed with statuscode: 500",
    "mount: over, nothing else": "ContainerCreating, READY 0/1",
    "crash-other": "ValueError: unknown LOG_FORMAT xml",
    "pending-other": "didn't match Pod's node affinity/selector",
    "taint: an operator's": "maintenance=true:NoSchedule",
    "taint: disk pressure": "DiskPressure",
    "1.34/oom": "Reason:       OOMKilled",
    "1.34/sealed-wrong-key": "no key could decrypt secret (k)",
    "1.34/cordoned": "Ready,SchedulingDisabled",
    "1.34/postgres-permissions": 'data directory "/tmp/pgdata" has invalid permissions',
    "1.34/dns-down": "Temporary failure in name resolution",
    "a lost PVC": "Lost",
}
REMEDIES = {
    "1.34/cordoned": "kubectl uncordon oracle-obs-arm",
    "taint: an operator's": "kubectl taint nodes oracle-obs-arm maintenance=true:NoSchedule-",
    "taint: disk pressure": "kubectl describe node oracle-obs-arm",
    "a lost PVC": "kubectl describe pvc observer-universe-pvc -n observer-prod",
    "a SealedSecret with another STATUS": "kubectl describe sealedsecret obs-kis-secret -n observer-prod",
    "a PVC of its own name": "kubectl describe pvc observer-extra-pvc -n observer-prod",
    "sandbox: flannel": "sudo systemctl restart k3s",
    "1.34/dns-down": "kubectl get pods -n kube-system -l k8s-app=kube-dns",
}


@pytest.mark.parametrize("name", QUOTED)
def test_the_line_that_says_most_is_quoted(name: str) -> None:
    cause = examine(next(case for case in CASES if case.name == name)).causes[0]
    assert QUOTED[name] in cause.line
    assert cause.evidence and cause.evidence.line


@pytest.mark.parametrize("name", REMEDIES)
def test_a_remedy_names_its_object(name: str) -> None:
    cause = examine(next(case for case in CASES if case.name == name)).causes[0]
    assert REMEDIES[name] in [remedy.command for remedy in cause.remedy]


@pytest.mark.parametrize(
    "name", [case.name for case in CASES if case.name.startswith("image: ") and "credentials" not in case.name]
)
def test_only_a_registry_that_asks_for_credentials_is_a_matter_of_ghcr_secret(name: str) -> None:
    cause = examine(next(case for case in CASES if case.name == name)).causes[0]
    about = [remedy for remedy in cause.remedy if "ghcr-secret" in f"{remedy.command}{remedy.advice or ''}"]
    assert not about or any(word in name for word in ("rate limit", "scope"))


def test_what_follows_from_the_same_pod_is_listed_under_it() -> None:
    for name in ("1.34/oom", "1.34/image-rate-limit", "1.34/postgres-permissions", "1.34/exec-format"):
        (cause,) = examine(next(case for case in CASES if case.name == name)).causes
        families = {code.partition("/")[0] for code in cause.explains}
        assert {"POD-STATUS"} < families, name
        assert families & {"ENV-CONFIG", "TABLES-BEFORE", "LOG-OBSERVER", "LOG-POSTGRES", "EVENTS-OBSERVER"}, name
