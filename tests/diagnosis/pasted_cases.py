"""Outputs WRITTEN BY HAND after what people pasted into issues: registries, volumes, sandboxes, taints and states of containers.

The words are those of containerd, the kubelet, the scheduler, PostgreSQL and its image as they stand in public issues of
k3s, containerd, flannel, docker-library/postgres and sealed-secrets; names of pods and images are made up. None is a recording.
"""

from __future__ import annotations

import re

from diagnosing import NODE, Case, cut_off, pods, written
from support import made, runs_of

from playbook.model import Run

IMAGE = "ghcr.io/acme/observer:v1"
LOOP = "0/1 CrashLoopBackOff 4 (20s ago)"
_RESOLVE = f'failed to pull and unpack image "{IMAGE}": failed to resolve reference "{IMAGE}": '
_401 = "ghcr.io/acme/observer@sha256:9d401b0a4031c0a5f5e7a0b2c401e1d2f3a4b5c6d7e8f90123456789abcdef401"


def described(*events: str, state: str = "", head: str = "Status:           Pending\n") -> Run:
    """`describe pod` with these events (`type reason age from message`, two spaces between), oldest first."""
    rows = "".join(f"  {event}\n" for event in events)
    table = "\n  Type     Reason     Age    From     Message\n  ----     ------     ----   ----     -------\n"
    tail = f"Events:{table}{rows}" if events else "Events:          <none>\n"
    inside = (
        f"Containers:\n  observer:\n    Image:          {IMAGE}\n{state}    Ready:          False\n" if state else ""
    )
    return made(
        "describe-pod",
        f"Name:             observer-7cd9cf784-88mzn\nNamespace:        observer-prod\n{head}{inside}{tail}",
    )


def _pull(why: str, image: str = IMAGE) -> Run:
    return described(
        "Normal   Pulling    61s (x4 over 2m)  kubelet  Pulling image",
        f'Warning  Failed     61s (x4 over 2m)  kubelet  Failed to pull image "{image}": {why}',
        "Warning  Failed     61s (x4 over 2m)  kubelet  Error: ErrImagePull",
        "Normal   BackOff    47s (x6 over 2m)  kubelet  Back-off pulling image",
        "Warning  Failed     47s (x6 over 2m)  kubelet  Error: ImagePullBackOff",
    )


def _image(name: str, root: str, why: str, image: str = IMAGE) -> Case:
    return Case(f"image: {name}", (f"{root}/observer",), instead={"step6-1-pods": pods("0/1 ImagePullBackOff 0"), **cut_off()},
                says={"describe-pod": _pull(why, image)}, unmatched=root.startswith("UNMATCHED"))  # fmt: skip


def _crash(name: str, root: str, log: str = "", state: str = "", *events: str) -> Case:
    says = {"describe-pod": described(*events, state=state, head="Status:           Running\n")}
    if log:
        says["logs-previous"] = made("logs-previous", log)
    return Case(f"crash: {name}", (f"{root}/observer",), instead={"step6-1-pods": pods(LOOP), **cut_off()}, says=says,
                unmatched=root.startswith("UNMATCHED"))  # fmt: skip


def _postgres(name: str, root: str, log: str) -> Case:
    instead = {"step6-1-pods": pods(postgres=LOOP), "step8-4-count-tables-before": made(
        "step8-4-count-tables-before", stderr='error: unable to upgrade connection: container not found ("postgres")\n',
        exit_code=1)}  # fmt: skip
    return Case(
        f"postgres: {name}", (f"{root}/postgres",), instead=instead, says={"logs-previous": made("logs-previous", log)}
    )


def _pod(name: str, root: str, status: str, *events: str, node: str = "") -> Case:
    says = {"describe-pod": described(*events)}
    if node:
        says["describe-node"] = made("describe-node", node)
    instead = {"step6-1-pods": pods(status), **cut_off()}
    return Case(name, (f"{root}/observer",), instead=instead, says=says, unmatched=root.startswith("UNMATCHED"))


def ended(reason: str, code: int, message: str = "") -> str:
    """The state of a container between two crashes."""
    words = f"      Message:      {message}\n" if message else ""
    return (f"    State:          Waiting\n      Reason:       CrashLoopBackOff\n    Last State:     Terminated\n"
            f"      Reason:       {reason}\n{words}      Exit Code:    {code}\n"
            "      Started:      Wed, 25 Nov 2026 01:12:36 +0000\n")  # fmt: skip


def _node(taints: str, disk: str = "False") -> str:
    return (
        f"Name:               {NODE}\nTaints:             {taints}\nUnschedulable:      false\nConditions:\n"
        f"  Type             Status  LastHeartbeatTime  LastTransitionTime  Reason  Message\n"
        f"  DiskPressure     {disk}   x  x  KubeletHasDiskPressure  kubelet\n  Ready            True    x  x  KubeletReady  ok\n"
    )


_TAINTED = ("Warning  FailedScheduling  12s  default-scheduler  0/1 nodes are available: 1 node(s) had untolerated taint(s). "
            "no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.")  # fmt: skip
_SANDBOX = ("Warning  FailedCreatePodSandBox  15s (x17 over 6m)  kubelet  Failed to create pod sandbox: rpc error: code = Unknown "
            "desc = failed to setup network for sandbox \"c981\": plugin type=\"flannel\" failed (add): loadFlannelSubnetEnv failed: "
            "open /run/flannel/subnet.env: no such file or directory")  # fmt: skip
_MOUNT = 'Warning  FailedMount  20s (x3 over 40s)  kubelet  MountVolume.SetUp failed for volume "data" : object not registered'
_BACK_OFF = "Warning  BackOff    2s (x9 over 2m)  kubelet  Back-off restarting failed container observer in pod observer-7cd9cf784-88mzn"
_UNSYNCED = re.sub(r"^(obs-kis-secret) +True ", r"\1   update failed   False", runs_of("1.34/healthy", "step3-2-sealedsecrets")[-1].out,
                   flags=re.M)  # fmt: skip
_LOST = runs_of("1.20/healthy", "step2-pvc")[-1].out.replace(
    "observer-universe-pvc   Bound", "observer-universe-pvc   Lost "
)
_NO_SERVICES = made("step5-services", exit_code=1, stderr=(
    'Error from server (Forbidden): services is forbidden: User "x" cannot list resource "services" in API group "" in the namespace '
    '"observer-prod"\n'))  # fmt: skip

PASTED = (
    # registries
    _image("another CPU", "IMAGE-OTHER-CPU", f'no match for platform in manifest: not found: {_RESOLVE}no match for platform in manifest: not found'),
    _image("another CPU, older words", "IMAGE-OTHER-CPU", "no matching manifest for linux/arm64/v8 in the manifest list entries"),
    _image("rate limit, a digest with 401 and 403", "IMAGE-RATE-LIMIT",
           "unexpected status from HEAD request to https://ghcr.io/v2/acme/observer/manifests/sha256:9d401b: 429 Too Many Requests", _401),
    _image("rate limit of Docker Hub", "IMAGE-RATE-LIMIT", "toomanyrequests: You have reached your pull rate limit."),
    _image("no credentials sent", "IMAGE-UNAUTHORIZED", f"{_RESOLVE}failed to authorize: failed to fetch anonymous token: unexpected status "
           "from GET request to https://ghcr.io/token?scope=repository%3Aacme%2Fobserver%3Apull&service=ghcr.io: 403 Forbidden"),
    _image("credentials refused", "IMAGE-FORBIDDEN", f"{_RESOLVE}failed to authorize: failed to fetch oauth token: unexpected status from "
           "GET request to https://ghcr.io/token?scope=repository%3Aacme%2Fobserver%3Apull&service=ghcr.io: 403 Forbidden"),
    _image("no scope", "IMAGE-FORBIDDEN", f"{_RESOLVE}denied: permission_denied: read_package"),
    _image("no such host", "IMAGE-REGISTRY-NAME", f'{_RESOLVE}failed to do request: Head "https://ghcr.io/v2/acme/observer/manifests/v1": '
           "dial tcp: lookup ghcr.io on 127.0.0.53:53: no such host"),
    _image("x509", "IMAGE-CERTIFICATE", f'{_RESOLVE}failed to do request: Head "https://ghcr.io/v2/acme/observer/manifests/v1": tls: failed '
           "to verify certificate: x509: certificate signed by unknown authority"),
    _image("500, a digest with 401 and 403", "IMAGE-REGISTRY-DOWN",
           "unexpected status from HEAD request to https://ghcr.io/v2/acme/observer/manifests/x: 500 Internal Server Error", _401),
    _image("503", "IMAGE-REGISTRY-DOWN", f"{_RESOLVE}unexpected status code [manifests v1]: 503 Service Unavailable"),
    Case("image: no space", ("IMAGE-NO-SPACE/observer",), instead={"step6-1-pods": pods("0/1 ImagePullBackOff 0"), **cut_off()},
         says={"describe-pod-failed": "image-no-space"}),
    Case("image: no name", ("IMAGE-NAME-INVALID/observer",), instead={"step6-1-pods": pods("0/1 InvalidImageName 0"), **cut_off()},
         says={"describe-pod": described('Warning  InspectFailed  9s  kubelet  Failed to apply default image tag "ghcr.io/Acme/observer:": '
                                         "couldn't parse image name: invalid reference format")}),
    # containers
    _crash("killed for memory, the log is ordinary", "CRASH-OOM", "INFO observer starting\n", ended("OOMKilled", 137)),
    _crash("exit 137", "CRASH-KILLED", "INFO observer starting\n", ended("Error", 137), _BACK_OFF),
    _crash("liveness", "CRASH-LIVENESS", "INFO observer starting\n", ended("Error", 137),
           "Warning  Unhealthy  30s (x9 over 2m)  kubelet  Liveness probe failed: HTTP probe failed with statuscode: 500", _BACK_OFF),
    _crash("another CPU, only the state says so", "CRASH-OTHER-CPU", "", ended("StartError", 128, "failed to create containerd task: failed to "
           'create shim task: OCI runtime create failed: exec: "/app/observer": exec format error')),
    _crash("no such program", "UNMATCHED-POD", "", ended("StartError", 128, 'exec: "obsrever": executable file not found in $PATH'), _BACK_OFF),
    _crash("an exit code alone", "UNMATCHED-POD", "INFO observer starting\nINFO bye\n", ended("Error", 3), _BACK_OFF),
    _crash("a disk that is full", "CRASH-NO-SPACE", "OSError: [Errno 28] No space left on device: '/opt/platform/runtime/observer/data/x'\n"),
    # PostgreSQL's volume
    _postgres("wrong ownership", "CRASH-PERMISSION", '2026-11-25 01:11:47 UTC [1] FATAL:  data directory "/var/lib/postgresql/data/pgdata" has '
              "wrong ownership\n2026-11-25 01:11:47 UTC [1] HINT:  The server must be started by the user that owns the data directory.\n"),
    _postgres("not permitted", "CRASH-PERMISSION", "chmod: changing permissions of '/var/lib/postgresql/data/pgdata': Operation not permitted\n"
              'initdb: error: could not change permissions of directory "/var/lib/postgresql/data/pgdata": Operation not permitted\n'
              "fixing permissions on existing directory /var/lib/postgresql/data/pgdata ...\n"),
    _postgres("denied", "CRASH-PERMISSION", 'initdb: error: could not access directory "/var/lib/postgresql/data": Permission denied\n'),
    _postgres("another version", "CRASH-DATA-VERSION", "2026-11-25 01:11:47 UTC [1] FATAL:  database files are incompatible with server\n2026-11-25 "
              "01:11:47 UTC [1] DETAIL:  The data directory was initialized by PostgreSQL version 14, which is not compatible with this version 15.8.\n"),
    _postgres("lost+found", "CRASH-DATA-DIRECTORY", 'initdb: error: directory "/var/lib/postgresql/data" exists but is not empty\n'
              "initdb: detail: It contains a lost+found directory, perhaps due to it being a mount point.\n"
              "initdb: hint: Using a mount point directly as the data directory is not recommended.\n"),
    _postgres("disk full", "CRASH-NO-SPACE", '2026-11-25 01:11:47 UTC [1] FATAL:  could not write lock file "postmaster.pid": No space left on device\n'),
    # pods that wait
    _pod("taint: disk pressure", "PENDING-RESOURCES", "0/1 Pending 0", _TAINTED, node=_node("node.kubernetes.io/disk-pressure:NoSchedule", "True ")),
    _pod("taint: named by an older scheduler", "PENDING-RESOURCES", "0/1 Pending 0", "Warning  FailedScheduling  12s  default-scheduler  0/1 nodes "
         "are available: 1 node(s) had taint {node.kubernetes.io/memory-pressure: }, that the pod didn't tolerate."),
    _pod("taint: cordoned since", "PENDING-CORDONED", "0/1 Pending 0", _TAINTED, node=_node("node.kubernetes.io/unschedulable:NoSchedule")),
    _pod("taint: not ready", "PENDING-NODE", "0/1 Pending 0", _TAINTED, node=_node("node.kubernetes.io/not-ready:NoSchedule")),
    _pod("taint: an operator's", "PENDING-TAINT", "0/1 Pending 0", _TAINTED, node=_node("maintenance=true:NoSchedule")),
    _pod("taint: not described", "PENDING-TAINT", "0/1 Pending 0", _TAINTED),
    _pod("sandbox: flannel", "SANDBOX-NETWORK", "0/1 ContainerCreating 0", _SANDBOX),
    _pod("sandbox: runtime", "SANDBOX-FAILED", "0/1 ContainerCreating 0", "Warning  FailedCreatePodSandBox  9s  kubelet  Failed to create pod "
         "sandbox: rpc error: code = DeadlineExceeded desc = context deadline exceeded"),
    _pod("sandbox: its own image", "SANDBOX-FAILED", "0/1 ContainerCreating 0", "Warning  FailedCreatePodSandBox  9s  kubelet  Failed to create "
         "pod sandbox: rpc error: code = Unknown desc = failed to get sandbox image \"rancher/mirrored-pause:3.6\": failed to pull image "
         "\"rancher/mirrored-pause:3.6\": dial tcp: connect: network is unreachable"),
    _pod("a PVC of its own name", "PENDING-PVC", "0/1 Pending 0", "Warning  FailedScheduling  9s  default-scheduler  0/1 nodes are available: "
         "persistentvolumeclaim \"observer-extra-pvc\" not found. not found"),
    Case("mount: over, all is well", (), instead={"step6-2-describe-observer": made(
        "step6-2-describe-observer", described(_MOUNT, "Normal   Pulled     9s   kubelet  Container image already present on machine",
                                               "Normal   Started    9s   kubelet  Started container observer").out)}),
    _pod("mount: over, then the sandbox", "SANDBOX-FAILED", "0/1 ContainerCreating 0", _MOUNT,
         "Normal   Pulled     9s   kubelet  Container image already present on machine",
         "Warning  FailedCreatePodSandBox  4s  kubelet  Failed to create pod sandbox: rpc error: code = Unknown desc = shim died"),
    _pod("mount: over, nothing else", "UNMATCHED-POD", "0/1 ContainerCreating 0", _MOUNT,
         "Normal   Pulled     9s   kubelet  Container image already present on machine",
         "Normal   Started    9s   kubelet  Started container wait"),
    # Steps 2, 3 and 7
    Case("a lost PVC", ("PVC-LOST/observer-universe-pvc",), instead={"step2-pvc": made("step2-pvc", _LOST)}),
    Case("a SealedSecret with another STATUS", ("SEALED-UNSYNCED/obs-kis-secret",), "1.34/healthy",
         {"step3-2-sealedsecrets": made("step3-2-sealedsecrets", _UNSYNCED)}),
    Case("no name, Step 5 not seen", ("DB-NAME",), instead={
        "step7-4-db-connection": written("db-name", "step7-4-db-connection"), "step5-services": _NO_SERVICES}),
    Case("crash: no name, Step 5 not seen", ("CRASH-DB/observer",), says={"logs-previous": "crash-db-name"},
         instead={"step6-1-pods": pods(LOOP), "step5-services": _NO_SERVICES, **cut_off()}),
)  # fmt: skip
"""One case for each wording."""
