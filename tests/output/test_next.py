"""`next:` is never a command that changes the cluster or the server, in whatever state they are."""

from __future__ import annotations

import pytest
from support import replayed, states

from playbook.guide.remedy import advise, changes_something, do, harmless_next
from playbook.output import terminal
from playbook.output.status import next_command
from playbook.text import msg


@pytest.mark.parametrize("state", states())
def test_no_next_changes_a_cluster(state: str) -> None:
    session = replayed(state)
    problems = terminal.problems(session)
    proposed = [line.split(None, 1)[1] for line in problems.splitlines() if line.startswith("  next ")]
    for command in (next_command(session), *proposed):
        assert not changes_something(command), command
        assert "<" not in command


@pytest.mark.parametrize(
    "command",
    [
        "kubectl delete secret observer-secrets -n observer-prod",
        "kubectl -n observer-prod patch secret observer-secrets",
        "kubectl --namespace=observer-prod scale deploy observer --replicas=1",
        "kubectl get nodes; kubectl uncordon a",
        "kubectl apply -k infra/k8s/overlays/production",
        "kubectl rollout restart deploy/observer",
        "sudo systemctl restart k3s",
        "sudo rm -rf /opt/observer",
        "playbook all --allow-restart",
    ],
)
def test_what_changes_a_cluster_is_known(command: str) -> None:
    assert changes_something(command)
    assert do(command).changes
    assert harmless_next([do(command), do("kubectl get pods")]) is None


@pytest.mark.parametrize(
    "command",
    [
        "kubectl get pods -n observer-prod",
        "kubectl describe pod create-me -n observer-prod",
        "kubectl logs -l app=observer -n observer-prod --tail=50",
        "systemctl status k3s",
        "playbook all",
    ],
)
def test_what_only_looks_may_be_next(command: str) -> None:
    assert not changes_something(command)
    assert harmless_next([advise(msg("Summary")), do(command)]) == command


def test_a_placeholder_is_never_next() -> None:
    assert (
        harmless_next([do("kubectl describe pod <pod> -n observer-prod"), do("kubectl get svc")]) == "kubectl get svc"
    )
