"""Every fault that the diagnosis is tried on: the recorded states, and what the recordings do not have."""

from __future__ import annotations

import re

from access_cases import ACCESS
from diagnosing import OBSERVERS, Case, cut_off, pods, written
from pasted_cases import PASTED
from support import expected, made, runs_of, states

from playbook.guide.expected import OBSERVER_ROOT
from playbook.model import Ended, Run

POD = OBSERVERS[0]
LOOP = "0/1 CrashLoopBackOff 4 (20s ago)"


def _recorded(state: str) -> Case:
    """A recorded state with the roots that its expected file has."""
    roots = tuple(line.removeprefix("root ") for line in expected(state).splitlines() if line.startswith("root "))
    return Case(state, roots, state, unmatched=any(root.startswith("UNMATCHED") for root in roots))


RECORDED = (
    Case("healthy", ()),
    Case("healthy-24h", (), "1.20/healthy-24h"),
    Case("attach-race", (), "1.20/attach-race"),
    Case("api-down", ("API-REFUSED",), "1.20/api-down"),
    Case("node-not-ready", ("NODE-NOT-READY/oracle-obs-arm",), "1.20/node-not-ready"),
    Case("pvc-pending", ("PVC-WAITING",), "1.20/pvc-pending"),
    Case("sealed-down", ("SEALED-CONTROLLER-DOWN",), "1.20/sealed-down"),
    Case("sealedsecret-missing", ("SEALED-SECRET-ABSENT/obs-kis-secret",), "1.20/sealedsecret-missing"),
    Case("secret-missing", ("SECRET-ABSENT",), "1.20/secret-missing"),
    Case("secret-key-missing", ("SECRET-KEY-MISSING",), "1.20/secret-key-missing"),
    Case("ghcr-missing", ("GHCR-SECRET-ABSENT",), "1.20/ghcr-missing"),
    Case("config-key-missing", ("CONFIG-KEY-MISSING",), "1.20/config-key-missing"),
    Case("config-mismatch", ("CONFIG-MISMATCH",), "1.20/config-mismatch"),
    Case("service-missing", ("SERVICE-ABSENT/postgres",), "1.20/service-missing"),
    Case("service-port", ("SERVICE-PORT-WRONG/observer",), "1.20/service-port"),
    Case("image-missing", ("IMAGE-NOT-FOUND/observer",), "1.20/image-missing"),
    Case("not-ready", ("NOT-READY/observer",), "1.20/not-ready"),
    Case("read-only", ("WRITE-READ-ONLY/logs",), "1.20/read-only"),
    Case("one-replica", ("REPLICAS",), "1.20/one-replica"),
    Case("db-down", ("POSTGRES-ABSENT",), "1.20/db-down"),
    # that state has one observer pod only, which is a second thing to put right
    Case("ephemeral-data", ("EPHEMERAL/data", "REPLICAS"), "1.20/ephemeral-data"),
    Case("restarts", ("RESTARTED/observer",), "1.20/restarts"),
    *(_recorded(state) for state in states("1.34")),
)


def _edited(command: str, old: str, new: str, state: str = "1.20/healthy") -> Run:
    run = runs_of(state, command)[-1]
    assert old in run.out, f"{old!r} is not in {command} of {state}"
    return made(command, run.out.replace(old, new))


def _without(command: str, name: str) -> Run:
    run = runs_of("1.20/healthy", command)[-1]
    return made(command, "".join(line for line in run.out.splitlines(True) if not line.startswith(name)))


def _no_mount(name: str) -> Run:
    run = runs_of("1.20/healthy", "step6-5-mounts")[-1]
    return made(
        "step6-5-mounts", "".join(line for line in run.out.splitlines(True) if not line.rstrip().endswith(f"/{name}"))
    )


def _from(state: str, *commands: str) -> dict[str, Run]:
    return {command: runs_of(state, command)[-1] for command in commands}


def _crash(name: str, root: str, unmatched: bool = False) -> Case:
    return Case(name, (root,), instead={"step6-1-pods": pods(LOOP), **cut_off()}, says={"logs-previous": name},
                unmatched=unmatched)  # fmt: skip


def _pod(name: str, root: str, state: str, command: str, unmatched: bool = False) -> Case:
    return Case(
        name, (root,), instead={"step6-1-pods": pods(state), **cut_off()}, says={command: name}, unmatched=unmatched
    )


_PENDING_PVC = {"step2-pvc": runs_of("1.20/pvc-pending", "step2-pvc")[-1]}
_UNIVERSE = "observer-universe-pvc"
_DATA = f"{OBSERVER_ROOT}/data"
_EVENTS = ("Events:\n  Type     Reason     Age                From               Message\n"
           "  ----     ------     ----               ----               -------\n")  # fmt: skip
_BACK_OFF = made(
    "step6-2-describe-observer",
    f"{_EVENTS}  Warning  BackOff    9s (x3 over 24s)   kubelet            Back-off restarting failed container\n",
)
_UNHEALTHY = (
    f"{_EVENTS}  Warning  Unhealthy  9s (x3 over 24s)   kubelet            Readiness probe failed: connection refused\n"
)
_UNSYNCED = re.sub(r"(obs-kis-secret .*)True ", r"\g<1>False", runs_of("1.20/healthy", "step3-2-sealedsecrets")[-1].out)
_KEY_LOG = made("step6-3-logs-observer", written("crash-key", "logs-previous").stdout)
_NO_NAMESPACE = {
    "step1-namespace": written("namespace-absent", "step1-namespace"),
    **{command: made(command, stderr="No resources found in observer-prod namespace.\n")
       for command in ("step2-pvc", "step5-services", "step6-1-pods", "step6-2-describe-observer", "step6-3-logs-observer")},
    "step3-3-observer-secrets": made("step3-3-observer-secrets", exit_code=1,
                                     stderr='Error from server (NotFound): secrets "observer-secrets" not found\n'),
    "step3-5-ghcr-secret": made("step3-5-ghcr-secret", stderr='Error from server (NotFound): secrets "ghcr-secret" not found\n',
                                exit_code=1),
}  # fmt: skip
_LATER = runs_of("1.20/healthy-24h", "step9-1-pod-restarts")
_FIRST_POD = _LATER[0].out.splitlines()[1].split()[0]


def _second_sample(old: str, new: str) -> tuple[Run, ...]:
    from dataclasses import replace

    line = next(each for each in _LATER[1].out.splitlines() if each.startswith(_FIRST_POD))
    assert old in line
    changed = _LATER[1].out.replace(line, line.replace(old, new, 1))
    return (_LATER[0], replace(_LATER[1], stdout=changed.encode()))


def _no_baseline() -> tuple[Run, ...]:
    """Two samples, in both of which one of the pods is not Running."""
    line = next(each for each in _LATER[0].out.splitlines() if each.startswith(_FIRST_POD))
    text = _LATER[0].out.replace(line, line.replace("Running", "Unknown"))
    return tuple(made("step9-1-pod-restarts", text, ordinal=n) for n in (1, 2))


HANDMADE = (
    # Step 0 and 1
    Case("api-unreachable", ("API-UNREACHABLE",), "1.20/api-down",
         {c: made(c, stderr=written("api-unreachable", "step0-cluster-info").err, exit_code=1)
          for c in {run.command for run in runs_of("1.20/api-down")}}),
    Case("k3s-down", ("API-UNREACHABLE",), "1.20/api-down",
         {c: made(c, stderr=written("api-unreachable", "step0-cluster-info").err, exit_code=1)
          for c in {run.command for run in runs_of("1.20/api-down")}}, {"k3s-status": "k3s-down"}),
    Case("namespace-absent", ("NAMESPACE-ABSENT",), instead=_NO_NAMESPACE),
    Case("config-absent", ("CONFIG-ABSENT",), says={"describe-pod": "config-absent"}, instead={
        **{c: made(c, stderr='Error from server (NotFound): configmaps "observer-config" not found\n', exit_code=1)
           for c in ("step4-configmap", "step4-configmap-keys", "step4-path-contract")},
        "step6-1-pods": pods("0/1 CreateContainerConfigError 0"), **cut_off()}),
    Case("config-absent, Step 4 not seen", ("UNMATCHED-POD/observer",), says={"describe-pod": "config-absent"}, unmatched=True,
         instead={"step6-1-pods": pods("0/1 CreateContainerConfigError 0"), **cut_off()}),
    # PVC Pending
    Case("no storage class", ("STORAGE-CLASS-ABSENT",), instead=_PENDING_PVC,
         says={"describe-pvc": "pvc-no-volume", "get-sc": "storage-class-absent"}),
    Case("another storage class", ("STORAGE-CLASS-ABSENT",), instead=_PENDING_PVC,
         says={"describe-pvc": "pvc-no-volume", "get-sc": "storage-class-other"}),
    Case("no volume, provisioner down", ("PROVISIONER-DOWN",), instead=_PENDING_PVC,
         says={"describe-pvc": "pvc-no-volume", "get-sc": "storage-class", "get-provisioner": "provisioner-down"}),
    Case("no provisioner", ("PROVISIONER-DOWN",), instead=_PENDING_PVC,
         says={"describe-pvc": "pvc-no-volume", "get-sc": "storage-class", "get-provisioner": "provisioner-absent"}),
    Case("no volume", ("PVC-NO-VOLUME",), instead=_PENDING_PVC,
         says={"describe-pvc": "pvc-no-volume", "get-sc": "storage-class", "get-provisioner": "provisioner"}),
    Case("first consumer", (f"UNMATCHED-PVC/{_UNIVERSE}",), instead=_PENDING_PVC, unmatched=True,
         says={"describe-pvc": "pvc-first-consumer", "get-sc": "storage-class", "get-provisioner": "provisioner"}),
    Case("pvc-absent", ("PVC-ABSENT",), instead={"step2-pvc": _without("step2-pvc", "observer-data-pvc")}),
    Case("pvc-absent, pods wait", ("PVC-ABSENT",), says={"describe-pod": "pending-claim-absent"},
         instead={"step2-pvc": _without("step2-pvc", "observer-data-pvc"), "step6-1-pods": pods("0/1 Pending 0"),
                  **cut_off(f"Error from server (BadRequest): pod {POD} does not have a host assigned")}),
    # CrashLoopBackOff
    _crash("crash-permission", "CRASH-PERMISSION/observer"),
    _crash("crash-module", "CRASH-MODULE/observer"),
    _crash("crash-key", "CRASH-KEY/observer"),
    _crash("crash-secret-key", "CRASH-SECRET-KEY/observer"),
    _crash("crash-db", "CRASH-DB/observer"),
    _crash("crash-db-name", "DNS-DOWN"),
    _crash("crash-other", "UNMATCHED-POD/observer", unmatched=True),
    Case("log gone, 6-3 has it", ("CRASH-KEY/observer",), says={"logs-previous": "logs-gone"},
         instead={"step6-1-pods": pods(LOOP), "step6-3-logs-observer": _KEY_LOG, **cut_off()}),
    Case("log gone, 6-3 has it beside a pod that left", ("CRASH-KEY/observer",), says={"logs-previous": "logs-gone"},
         instead={"step6-1-pods": pods(LOOP), "step6-3-logs-observer": made(
             "step6-3-logs-observer", _KEY_LOG.out,
             'Error from server (BadRequest): container "observer" in pod "observer-7cd9cf784-gone1" is terminated\n', 1,
         ), **cut_off()}),
    Case("no previous container, 6-3 has it", ("CRASH-KEY/observer",),
         instead={"step6-1-pods": pods(LOOP), "step6-3-logs-observer": _KEY_LOG, **cut_off()}),
    Case("seen Running between two crashes", ("CRASH-KEY/observer",), says={"logs-previous": "crash-key"},
         instead={"step6-1-pods": pods("1/1 Running 3 (9s ago)"), "step6-2-describe-observer": _BACK_OFF}),
    Case("config key missing, crash", ("CONFIG-KEY-MISSING",), "1.20/config-key-missing",
         {"step6-1-pods": pods(LOOP), **cut_off()}, {"logs-previous": "crash-config-key"}),
    Case("postgres down, observer crashes for it", ("POSTGRES-ABSENT",), "1.20/db-down",
         {"step6-1-pods": pods(LOOP, None), **cut_off()}, {"logs-previous": "crash-db"}),
    Case("service missing, observer crashes for it", ("SERVICE-ABSENT/postgres",), "1.20/service-missing",
         {"step6-1-pods": pods(LOOP), **cut_off()}, {"logs-previous": "crash-db-name"}),
    # the other rows of 6-1
    _pod("image-unauthorized", "IMAGE-UNAUTHORIZED/observer", "0/1 ImagePullBackOff 0", "describe-pod-failed"),
    _pod("image-timeout", "IMAGE-TIMEOUT/observer", "0/1 ErrImagePull 0", "describe-pod-failed"),
    _pod("image-not-found", "IMAGE-NOT-FOUND/observer", "0/1 ImagePullBackOff 0", "describe-pod-failed"),
    _pod("image-other", "UNMATCHED-POD/observer", "0/1 ImagePullBackOff 0", "describe-pod-failed", unmatched=True),
    Case("ghcr-secret missing, pull refused", ("GHCR-SECRET-ABSENT",), "1.20/ghcr-missing",
         {"step6-1-pods": pods("0/1 ImagePullBackOff 0"), **cut_off()}, {"describe-pod-failed": "image-unauthorized"}),
    Case("ghcr-secret missing, tag wrong", ("GHCR-SECRET-ABSENT", "IMAGE-NOT-FOUND/observer"), "1.20/ghcr-missing",
         {"step6-1-pods": pods("0/1 ImagePullBackOff 0"), **cut_off()}, {"describe-pod-failed": "image-not-found"}),
    _pod("pending-pvc", "PENDING-PVC/observer", "0/1 Pending 0", "describe-pod"),
    _pod("pending-resources", "PENDING-RESOURCES/observer", "0/1 Pending 0", "describe-pod"),
    _pod("pending-other", "UNMATCHED-POD/observer", "0/1 Pending 0", "describe-pod", unmatched=True),
    _pod("creating-mount", "MOUNT-FAILED/observer", "0/1 ContainerCreating 0", "describe-pod"),
    # Steps 6-5 to 9
    Case("mount-absent", ("MOUNT-ABSENT/logs",), instead={"step6-5-mounts": _no_mount("logs")}),
    Case("write-denied", ("WRITE-DENIED/data",), instead={"step6-6-write-data": written("write-denied", "step6-6-write-data")}),
    Case("read-only, not described", ("WRITE-READ-ONLY/logs",), instead=_from("1.20/read-only", "step6-6-write-logs")),
    Case("db-refused", ("DB-REFUSED",), instead=_from("1.20/db-down", "step7-4-db-connection")),
    Case("db-name", ("DNS-DOWN",), instead={"step7-4-db-connection": written("db-name", "step7-4-db-connection")}),
    Case("data-lost", ("DATA-LOST/data",), instead={"step8-3-count-files": made("step8-3-count-files", "0\n")}),
    Case("restarted in 24 hours", ("RESTARTED/observer",), "1.20/healthy-24h",
         {"step9-1-pod-restarts": _second_sample(" 0 ", " 1 ")}),  # type: ignore[dict-item]
    Case("status changed in 24 hours", ("STATUS-CHANGED/observer",), "1.20/healthy-24h",
         {"step9-1-pod-restarts": _second_sample("Running", "Unknown")}),  # type: ignore[dict-item]
    # what follows from what
    Case("no baseline with a pod that is not Running", ("STATUS-CHANGED/observer",), follows=("BASELINE",),
         instead={"step9-1-pod-restarts": _no_baseline()}),  # type: ignore[dict-item]
    Case("controller down, a SealedSecret not synced", ("SEALED-CONTROLLER-DOWN",), "1.20/sealed-down", follows=("SEALED-SYNCED/obs-kis-secret",),
         instead={"step3-2-sealedsecrets": made("step3-2-sealedsecrets", _UNSYNCED)}),
    Case("controller down, a SealedSecret gone", ("SEALED-CONTROLLER-DOWN", "SEALED-SECRET-ABSENT/obs-kis-secret"), "1.20/sealed-down",
         _from("1.20/sealedsecret-missing", "step3-2-sealedsecrets", "summary")),
    Case("controller down, a Secret not made", ("SEALED-CONTROLLER-DOWN",), "1.20/sealed-down", follows=("SEALED-SECRET/obs-kis-secret",),
         instead={"step3-2-sealedsecrets": made("step3-2-sealedsecrets", _UNSYNCED), **_from("1.20/sealedsecret-missing", "summary")}),
    Case("config key missing, environment too", ("CONFIG-KEY-MISSING",), "1.20/config-key-missing", follows=("ENV-CONFIG",),
         instead={"step6-4-env": _without("step6-4-env", "LOG_LEVEL=")}),
    Case("config path missing", ("CONFIG-KEY-MISSING",), follows=("CONFIG-PATH/OBSERVER_DATA_DIR",), instead={
        "step4-configmap-keys": _without("step4-configmap-keys", "OBSERVER_DATA_DIR"),
        "step4-path-contract": _edited("step4-path-contract", f"OK: OBSERVER_DATA_DIR = {_DATA}", "MISMATCH: OBSERVER_DATA_DIR = MISSING")}),
    Case("port of postgres wrong", ("SERVICE-PORT-WRONG/postgres",), follows=("DB-CONNECTION",), instead={
        "step5-services": made("step5-services", re.sub(r"^(postgres .*)5432", r"\g<1>5433", runs_of("1.20/healthy", "step5-services")[-1].out,
                                                        flags=re.M)),
        **_from("1.20/db-down", "step7-4-db-connection")}),
    Case("restarts with events", ("RESTARTED/observer",), "1.20/restarts", follows=("EVENTS-OBSERVER",),
         instead={"step6-2-describe-observer": made("step6-2-describe-observer", _UNHEALTHY)}),
    Case("restarts of postgres with events", ("RESTARTED/postgres",), follows=("EVENTS-POSTGRES",),
         instead={"step6-1-pods": pods(postgres="1/1 Running 2 (3h ago)"),
                  "step6-2-describe-postgres": made("step6-2-describe-postgres", _UNHEALTHY)}),
    Case("postgres crashes, observer for it", ("UNMATCHED-POD/postgres",), unmatched=True,
         instead={"step6-1-pods": pods(LOOP, LOOP), **cut_off(), "step8-4-count-tables-before": made(
             "step8-4-count-tables-before", exit_code=1,
             stderr='error: unable to upgrade connection: container not found ("postgres")\n')},
         says={f"logs-previous.{POD}": "crash-db", f"logs-previous.{OBSERVERS[1]}": "crash-db", "logs-previous": "crash-other"},
         follows=(f"POD-STATUS/{POD}", f"CRASH-LOOP/{OBSERVERS[1]}", "TABLES-BEFORE", "ENV-SECRET")),
    Case("no observer pod", ("OBSERVER-ABSENT",), says={"describe-pvc": "pvc-first-consumer", "get-sc": "storage-class",
                                                        "get-provisioner": "provisioner"},
         instead={"step6-1-pods": pods(names=()), **_PENDING_PVC, **cut_off("error: timed out waiting for the condition")},
         follows=("PODS-PRESENT", f"PVC-BOUND/{_UNIVERSE}", "ENV-CONFIG", "HEALTH-POD")),
    Case("no mount, no writing", ("MOUNT-ABSENT/logs",), follows=("WRITE/logs",), instead={
        "step6-5-mounts": _no_mount("logs"), **_from("1.20/read-only", "step6-6-write-logs")}),
    Case("no mount, data lost", ("MOUNT-ABSENT/data",), follows=("FILES-KEPT",), instead={
        "step6-5-mounts": _no_mount("data"), "step8-3-count-files": made("step8-3-count-files", "0\n")}),
    Case("postgres refuses, the log says so", ("DB-REFUSED",), follows=("LOG-OBSERVER",), instead={
        **_from("1.20/db-down", "step7-4-db-connection"),
        "step6-3-logs-observer": made("step6-3-logs-observer", "INFO observer starting\nERROR database connection failed: Connection refused\n")}),
    Case("node down, exec hangs", ("NODE-NOT-READY/oracle-obs-arm",), "1.20/node-not-ready", follows=("ENV-SECRET", "ENV-CONFIG"),
         instead={"step6-4-env": made("step6-4-env", exit_code=None, ended=Ended.TIMEOUT)}),
    # two at once
    Case("pvc-pending and service-missing", ("PVC-WAITING", "SERVICE-ABSENT/postgres"), "1.20/pvc-pending",
         _from("1.20/service-missing", "step5-services")),
    Case("secret-missing and service-port", ("SECRET-ABSENT", "SERVICE-PORT-WRONG/observer"), "1.20/secret-missing",
         _from("1.20/service-port", "step5-services")),
    Case("sealed-down and secret-missing", ("SEALED-CONTROLLER-DOWN", "SECRET-ABSENT"), "1.20/secret-missing",
         _from("1.20/sealed-down", "step3-1-sealed-secrets-controller")),
    Case("config-mismatch and db-down", ("CONFIG-MISMATCH", "POSTGRES-ABSENT"), "1.20/db-down",
         _from("1.20/config-mismatch", "step4-path-contract")),
    # no row of the guide
    Case("no new files", ("UNMATCHED/RECENT-FILES",), "1.20/healthy-24h", unmatched=True, instead={
        "step9-3-recent-files": tuple(made("step9-3-recent-files", "0\n", ordinal=n) for n in (1, 2))}),  # type: ignore[dict-item]
    Case("pvc too small", ("UNMATCHED/PVC-CAPACITY",), unmatched=True,
         instead={"step2-pvc": _edited("step2-pvc", "20Gi", "2Gi ")}),
)  # fmt: skip

CASES = RECORDED + HANDMADE + PASTED + ACCESS
