"""Step 0 on recordings and on what they do not show."""

from __future__ import annotations

import pytest
from handmade import (
    REFUSED,
    UNAUTHORIZED,
    UNREACHABLE,
    bad,
    forbidden,
    never_passes_cut_text,
    of,
    said,
    typed,
    verdicts,
)
from support import runs_of

from playbook.guide import ids
from playbook.model import Ended, Runs
from playbook.steps.step0_cluster import api_unreachable, cluster_of, judge

RUNNING = "Kubernetes control plane is running at https://10.0.0.5:6443\n"
COLOURED = (
    "\x1b[0;32mKubernetes master\x1b[0m is running at \x1b[0;33mhttps://10.0.0.5:6443\x1b[0m\r\n"
    "\x1b[0;32mCoreDNS\x1b[0m is running at \x1b[0;33mhttps://10.0.0.5:6443/api/v1/x\x1b[0m\r\n"
)
NO_SERVER = "\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n"


def nodes(*rows: tuple[str, str, str]) -> str:
    lines = [("NAME", "STATUS", "ROLES", "AGE", "VERSION"), *((n, s, "<none>", "1d", v) for n, s, v in rows)]
    return "".join("".join(cell.ljust(30) for cell in line).rstrip() + "\n" for line in lines)


def seen(info: str = RUNNING, listed: str = "", info_err: str = "", nodes_err: str = "") -> Runs:
    return Runs((said(ids.CLUSTER_INFO, info, info_err), said(ids.NODES, listed, nodes_err)))


READY = nodes(("arm", "Ready", "v1.31.4+k3s1"))


def test_healthy():
    runs = runs_of("1.20/healthy")
    found = judge(runs)
    assert verdicts(found) == {
        "API-REACHED": "pass",
        "NODE-READY/oracle-obs-arm": "pass",
        "K3S-VERSION/oracle-obs-arm": "pass",
    }
    assert "is running at https://127.0.0.1:6443" in str(of(found, "API-REACHED").actual)
    assert str(cluster_of(runs)) == "https://127.0.0.1:6443 (oracle-obs-arm), namespace observer-prod"
    assert not api_unreachable(runs)
    assert of(found, "NODE-READY/oracle-obs-arm").evidence.line == 2


def test_a_node_that_is_not_ready():
    found = judge(runs_of("1.20/node-not-ready"))
    assert bad(found) == {"NODE-READY/oracle-obs-arm": "fail"}
    node = of(found, "NODE-READY/oracle-obs-arm")
    assert str(node.actual) == "STATUS = NotReady"
    assert typed(node) == ["kubectl describe node oracle-obs-arm"]


def test_an_api_server_that_is_down():
    runs = runs_of("1.20/api-down")
    found = judge(runs)
    assert verdicts(found) == {"API-REACHED": "fail", "NODE-READY": "inconclusive", "K3S-VERSION": "inconclusive"}
    reached = of(found, "API-REACHED")
    assert "was refused" in str(reached.actual)
    assert (reached.evidence.stream, reached.evidence.line) == ("stderr", 1)
    assert "/etc/rancher/k3s/k3s.yaml" in str(reached.remedy[0])
    assert typed(reached) == ["systemctl status k3s"]
    assert api_unreachable(runs)
    assert cluster_of(runs) is None


def test_colours_and_crlf_are_looked_past():
    runs = seen(COLOURED, READY.replace("\n", "\r\n"))
    assert bad(judge(runs)) == {}
    assert cluster_of(runs).server == "https://10.0.0.5:6443"
    assert cluster_of(runs).nodes == ("arm",)
    assert "\x1b" not in str(of(judge(runs), "API-REACHED").actual)


@pytest.mark.parametrize(
    "status", ["NotReady", "Ready,SchedulingDisabled", "NotReady,SchedulingDisabled", "Unknown", ""]
)
def test_only_plain_ready_is_ready(status: str):
    found = judge(seen(listed=nodes(("arm", "Ready", "v1.31.4+k3s1"), ("x86", status, "v1.31.4+k3s1"))))
    assert bad(found) == {"NODE-READY/x86": "fail"}
    assert typed(of(found, "NODE-READY/x86")) == ["kubectl describe node x86"]


def test_another_kubernetes_is_odd_and_no_version_is_unseen():
    found = judge(
        seen(listed=nodes(("a", "Ready", "v1.31.4"), ("b", "Ready", "<unknown>"), ("c", "Ready", "v1.31.4+k3s1")))
    )
    assert bad(found) == {"K3S-VERSION/a": "warn", "K3S-VERSION/b": "inconclusive"}


def test_no_node_at_all_fails():
    assert bad(judge(seen(nodes_err="No resources found\n"))) == {"NODE-READY": "fail"}


def test_a_namespace_admin_who_may_not_list_nodes():
    runs = seen(nodes_err=forbidden("nodes", where='in API group "" at the cluster scope'))
    found = judge(runs)
    assert verdicts(found) == {"API-REACHED": "pass", "NODE-READY": "inconclusive", "K3S-VERSION": "inconclusive"}
    assert str(of(found, "NODE-READY").actual) == "Forbidden: may not list nodes"
    assert typed(of(found, "NODE-READY")) == ["kubectl auth can-i list nodes -n observer-prod"]
    assert not api_unreachable(runs)


@pytest.mark.parametrize(("listed", "nodes_err"), [(READY, ""), ("", forbidden("nodes"))])
def test_forbidden_is_an_answer(listed: str, nodes_err: str):
    runs = seen("", listed, NO_SERVER + forbidden("services"), nodes_err)
    assert verdicts(judge(runs))["API-REACHED"] == "pass"
    assert not api_unreachable(runs)


def test_the_nodes_alone_name_the_cluster():
    assert cluster_of(seen("", READY, forbidden("services"))).nodes == ("arm",)
    assert cluster_of(seen("", "", forbidden("services"), forbidden("nodes"))) is None


@pytest.mark.parametrize(
    ("err", "verdict", "first"),
    [
        (REFUSED, "fail", "check the kubeconfig path"),
        (
            "The connection to the server localhost:8080 was refused - did you specify the right host or port?\n",
            "fail",
            "export",
        ),
        (UNREACHABLE, "fail", "systemctl status k3s"),
        ("Unable to connect to the server: x509: certificate signed by unknown authority\n", "fail", "timedatectl"),
        (
            "E1122 22:56:34.1 1 memcache.go:265] couldn't get current server API group list: timeout\n" + UNREACHABLE,
            "fail",
            "sys",
        ),
        (UNAUTHORIZED, "inconclusive", "the credentials"),
        (
            'error: error loading config file "/etc/rancher/k3s/k3s.yaml": open: permission denied\n',
            "inconclusive",
            "sudo -E",
        ),
    ],
)
def test_no_answer_ends_the_run(err: str, verdict: str, first: str):
    runs = seen(NO_SERVER, "", err, err)
    found = judge(runs)
    assert verdicts(found)["API-REACHED"] == verdict
    assert str(of(found, "API-REACHED").remedy[0]).startswith(first)
    assert verdicts(found)["NODE-READY"] == "inconclusive"
    assert api_unreachable(runs)
    assert cluster_of(runs) is None


def test_a_time_limit_ends_the_run_but_a_recording_without_the_step_does_not():
    late = Runs((said(ids.CLUSTER_INFO, ended=Ended.TIMEOUT), said(ids.NODES, ended=Ended.TIMEOUT)))
    assert set(verdicts(judge(late)).values()) == {"inconclusive"}
    assert api_unreachable(late)
    assert set(verdicts(judge(Runs())).values()) == {"inconclusive"}
    assert not api_unreachable(Runs())


def test_one_command_that_answered_is_enough_to_go_on():
    for runs in (seen("", READY, REFUSED), seen(RUNNING, "", "", REFUSED)):
        assert verdicts(judge(runs))["API-REACHED"] == "pass"
        assert not api_unreachable(runs)


def test_text_that_is_unknown_or_empty_is_unseen():
    assert set(verdicts(judge(seen("hello\n", "hello\n"))).values()) == {"inconclusive"}
    assert set(verdicts(judge(seen("", ""))).values()) == {"inconclusive"}


@pytest.mark.parametrize("command", [ids.CLUSTER_INFO, ids.NODES])
def test_cut_text(command: str):
    never_passes_cut_text(judge, runs_of("1.20/healthy", command), command)
