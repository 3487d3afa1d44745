"""The tables of newer API servers, printed by the real kubectl and read by the judges; and as text, for where there is none.

The server decides on the columns: RESTARTS has an age since 1.22, VOLUMEATTRIBUTESCLASS is there since 1.31 (with `-o wide`
after VOLUMEMODE in some releases).
"""

from __future__ import annotations

from datetime import datetime, timezone

from clients import Place
from loopback import Answer, api, forbidden, kubeconfig, serving, table

from playbook.api import run_command
from playbook.model import Ended, Run, Runs
from playbook.steps.step0_cluster import judge as judge_cluster
from playbook.steps.step2_pvc import judge as judge_claims
from playbook.steps.step5_services import judge as judge_services
from playbook.steps.step6_pods import judge as judge_pods

NOW = datetime(2026, 11, 22, tzinfo=timezone.utc)

PVCS = """\
NAME                    STATUS    VOLUME                                     CAPACITY   ACCESS MODES   STORAGECLASS   VOLUMEATTRIBUTESCLASS   AGE
observer-data-pvc       Bound     pvc-0f0dcb9e-7c3b-4c5e-9d6e-2f6f4f1b8a01   20Gi       RWO            local-path     <unset>                 3d4h
observer-db-pvc         Bound     pvc-1f0dcb9e-7c3b-4c5e-9d6e-2f6f4f1b8a02   10Gi       RWO            local-path     <unset>                 3d4h
observer-logs-pvc       Bound     pvc-2f0dcb9e-7c3b-4c5e-9d6e-2f6f4f1b8a03   5Gi        RWO            local-path     <unset>                 3d4h
observer-universe-pvc   Pending                                                                        local-path     <unset>                 3d4h
"""

PODS = """\
NAME                       READY   STATUS             RESTARTS        AGE    IP           NODE             NOMINATED NODE   READINESS GATES
observer-7cd9cf784-89kbs   1/1     Running            3 (2d3h ago)    3d4h   10.42.0.11   oracle-obs-arm   <none>           <none>
observer-7cd9cf784-qwkhz   0/1     CrashLoopBackOff   12 (4m8s ago)   3d4h   10.42.0.12   oracle-obs-arm   <none>           <none>
postgres-0                 1/1     Running            0               3d4h   10.42.0.13   oracle-obs-arm   <none>           <none>
"""

_PVC_COLUMNS = (
    "Name",
    "Status",
    "Volume",
    "Capacity",
    "Access Modes",
    "StorageClass",
    "VolumeAttributesClass",
    "Age",
    "VolumeMode",
)
_POD_COLUMNS = ("Name", "Ready", "Status", "Restarts", "Age", "IP", "Node", "Nominated Node", "Readiness Gates")
_NODE_COLUMNS = (
    "Name",
    "Status",
    "Roles",
    "Age",
    "Version",
    "Internal-IP",
    "External-IP",
    "OS-Image",
    "Kernel-Version",
    "Container-Runtime",
)
_SERVICE_COLUMNS = ("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector")


def _volume(name: str, size: str, number: int) -> tuple[str, ...]:
    return (
        name,
        "Bound",
        f"pvc-{number - 1}f0dcb9e-7c3b-4c5e-9d6e-2f6f4f1b8a0{number}",
        size,
        "RWO",
        "local-path",
        "<unset>",
        "3d4h",
        "Filesystem",
    )


def _pod(name: str, ready: str, status: str, restarts: str, ip: int) -> tuple[str, ...]:
    return (name, ready, status, restarts, "3d4h", f"10.42.0.{ip}", "oracle-obs-arm", "<none>", "<none>")


TABLES = {
    "nodes": table(
        _NODE_COLUMNS,
        ("oracle-obs-arm", "Ready", "control-plane,etcd,master", "3d4h", "v1.34.1+k3s1", "10.0.0.5", "<none>", "Ubuntu 24.04.3 LTS",
         "6.8.0-1033-oracle", "containerd://2.1.4-k3s1"),
        wide=_NODE_COLUMNS[5:],
    ),
    "persistentvolumeclaims": table(
        _PVC_COLUMNS,
        _volume("observer-data-pvc", "20Gi", 1),
        _volume("observer-db-pvc", "10Gi", 2),
        _volume("observer-logs-pvc", "5Gi", 3),
        ("observer-universe-pvc", "Pending", "", "", "", "local-path", "<unset>", "3d4h", "Filesystem"),
        wide=("VolumeMode",),
    ),
    "pods": table(
        _POD_COLUMNS,
        _pod("observer-7cd9cf784-89kbs", "1/1", "Running", "3 (2d3h ago)", 11),
        _pod("observer-7cd9cf784-qwkhz", "0/1", "CrashLoopBackOff", "12 (4m8s ago)", 12),
        _pod("postgres-0", "1/1", "Running", "0", 13),
        wide=_POD_COLUMNS[5:],
    ),
    "services": table(
        _SERVICE_COLUMNS,
        ("observer", "ClusterIP", "10.43.7.21", "<none>", "8000/TCP", "3d4h", "app=observer"),
        ("postgres", "ClusterIP", "10.43.9.4", "<none>", "5432/TCP", "3d4h", "app=postgres"),
        ("postgres-headless", "ClusterIP", "None", "<none>", "5432/TCP", "3d4h", "app=postgres"),
        wide=("Selector",),
    ),
}  # fmt: skip


def newer_server(path: str) -> Answer:
    """The tables above; everything else is forbidden."""
    return TABLES.get(path.rpartition("/")[2]) or forbidden(path)


def _text(command: str, out: str) -> Runs:
    return Runs([Run(command, 1, out.encode(), b"", 0, Ended.EXITED, NOW, 0.1)])


def claims_of_1_31(runs: Runs) -> None:
    found = {f.code: f for f in judge_claims(runs) if not f.code.startswith("PVC-DIRECTORY")}
    pending = {"PVC-BOUND/observer-universe-pvc"}
    assert {code for code, f in found.items() if f.verdict.value == "fail"} == pending
    assert found["PVC-BOUND/observer-universe-pvc"].actual.values[0][1] == "STATUS = Pending"
    for name in ("data", "db", "logs"):
        for what in ("BOUND", "CAPACITY", "CLASS"):
            assert found[f"PVC-{what}/observer-{name}-pvc"].verdict.value == "pass"


def pods_of_1_22(runs: Runs) -> None:
    found = {f.code: f.verdict.value for f in judge_pods(runs) if f.step == "6-1"}
    assert found == {
        "PODS-PRESENT": "pass",
        "POD-STATUS/observer-7cd9cf784-89kbs": "pass",
        "POD-RESTARTS/observer-7cd9cf784-89kbs": "warn",
        "POD-STATUS/observer-7cd9cf784-qwkhz": "fail",
        "POD-RESTARTS/observer-7cd9cf784-qwkhz": "warn",
        "CRASH-LOOP/observer-7cd9cf784-qwkhz": "fail",
        "POD-STATUS/postgres-0": "pass",
    }


def test_claims_with_the_column_of_1_31() -> None:
    claims_of_1_31(_text("step2-pvc", PVCS))


def test_pods_with_the_age_of_1_22() -> None:
    pods_of_1_22(_text("step6-1-pods", PODS))


def test_as_kubectl_prints_them(place: Place) -> None:
    with serving(api(newer_server)) as url:
        kubeconfig(place.config, url)
        seen = {name: run_command(name) for name in ("step0-nodes", "step2-pvc", "step5-services", "step6-1-pods")}
    assert seen["step2-pvc"].out == PVCS
    assert seen["step6-1-pods"].out == PODS
    claims_of_1_31(Runs([seen["step2-pvc"]]))
    pods_of_1_22(Runs([seen["step6-1-pods"]]))
    nodes = {f.code: f.verdict.value for f in judge_cluster(Runs([seen["step0-nodes"]]))}
    assert nodes == {"API-REACHED": "pass", "NODE-READY/oracle-obs-arm": "pass", "K3S-VERSION/oracle-obs-arm": "pass"}
    services = {f.verdict.value for f in judge_services(Runs([seen["step5-services"]]))}
    assert services == {"pass"}
