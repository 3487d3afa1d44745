"""What the guide says to do about what is abnormal, each command and advice once: for judges, criteria and decision trees."""

from __future__ import annotations

from collections.abc import Sequence

from ..model import NAMESPACE, Remedy
from ..text import msg
from . import ids
from .expected import CONFIG_MAP, GHCR_SECRET, OBSERVER_SECRETS, SEALED_SECRETS, STORAGE_DIRECTORY, TMP_CURL
from .remedy import advise, do

# Commands

KUBECONFIG = "/etc/rancher/k3s/k3s.yaml"
_IN = f"-n {NAMESPACE}"
APPLY = "kubectl apply -k infra/k8s/overlays/production"
GET_SC = "kubectl get sc"
GET_PROVISIONER = "kubectl get pods -n kube-system -l app=local-path-provisioner"
GET_CONTROLLER = "kubectl get pods -n sealed-secrets"
GET_GHCR = f"kubectl get secret {GHCR_SECRET} {_IN}"
GET_PODS = f"kubectl get pods {_IN} -o wide"
GET_SERVICES = f"kubectl get svc {_IN}"
GET_CLAIMS = f"kubectl get pvc {_IN}"
KEYS_OF_SECRET = f"kubectl get secret {OBSERVER_SECRETS} {_IN} -o json | jq -r '.data | keys[]'"
RENEW = f"kubectl delete pod -l app=observer {_IN}"
LOG_OF_OBSERVER = f"kubectl logs -l app=observer {_IN} --tail=50"
LOG_OF_POSTGRES = f"kubectl logs -l app=postgres {_IN} --tail=30"
FIX = f"playbook fix {OBSERVER_SECRETS}"
SHOW_EMERGENCY = f"playbook show {ids.CREATE_OBSERVER_SECRETS}"
"""Prints the guide's emergency creation of observer-secrets."""
RUN_ALL = "playbook all"


def describe_pod(pod: str) -> str:
    """The guide's command for a pod that does not start."""
    return f"kubectl describe pod {pod} {_IN}"


def describe_claim(name: str) -> str:
    """The guide's command for a PVC that is not Bound."""
    return f"kubectl describe pvc {name} {_IN}"


def previous_log(pod: str) -> str:
    """The guide's command for a container that crashed."""
    return f"kubectl logs {pod} {_IN} --previous"


def remove_leftover(pod: str) -> Remedy:
    """How to be rid of a pod that is over and was replaced."""
    return do(
        f"kubectl delete pod {pod} {_IN}", msg("changes the cluster: removes what is left of a pod that was replaced")
    )


def describe_node(name: str) -> str:
    """The guide's command for a node that is not Ready."""
    return f"kubectl describe node {name}"


# Steps 0 to 2

CHECK_KUBECONFIG = advise(msg("check the kubeconfig path: {path}", path=KUBECONFIG))
K3S_STATUS = do("systemctl status k3s", msg("on the server, over SSH"))
CHECK_CREDENTIALS = advise(
    msg("the credentials in the kubeconfig are not accepted: check them, or take {path}", path=KUBECONFIG)
)
SHOW_CREDENTIAL_PROGRAM = do(
    "kubectl config view --minify -o jsonpath='{.users[*].user.exec.command}'",
    msg("which program the kubeconfig has for the credentials: it must be on PATH, and may want a login"),
)
CREATE_NAMESPACE = do(f"kubectl create namespace {NAMESPACE}")
CHECK_STORAGE_CLASS = do(GET_SC, msg("check the StorageClass"))
CHECK_PROVISIONER = do(GET_PROVISIONER, msg("the local-path provisioner of K3s must be running"))
ADD_CLAIM = (advise(msg("the resource is missing from {file}", file="kustomization.yaml")), do(APPLY))
LIST_STORAGE_AS_ROOT = do(f"sudo ls -la {STORAGE_DIRECTORY}", msg("on the server, over SSH"))


# Steps 3 to 5

START_CONTROLLER = advise(msg("bring the controller up: until then no SealedSecret becomes a Secret"))
CHECK_CONTROLLER = do(GET_CONTROLLER, msg("the controller must be Running (Step 3-1)"))
CREATE_SECRET = (
    do(SHOW_EMERGENCY, msg("fill in its placeholders and run what it shows, then verify again from Step 6")),
    advise(msg("no SealedSecret makes it: {names} are Secrets of their own", names=", ".join(SEALED_SECRETS))),
)
KEEP_SECRET = do(
    f"(umask 077; kubectl get secret {OBSERVER_SECRETS} {_IN} -o yaml > ~/{OBSERVER_SECRETS}-$(date +%Y%m%dT%H%M%S).yaml)",
    msg("keeps a copy first: it holds the values, only you may read it; remove it once all is well"),
)
ADD_SECRET_KEYS = do(FIX, msg("asks for the keys that are missing and adds only these; what is there stays as it is"))
RENEW_PODS = do(RENEW, msg("once the Secret has its keys, restart the pods; the service is down meanwhile"))
FILL_SECRET = (KEEP_SECRET, ADD_SECRET_KEYS, RENEW_PODS)
KEEP_TYPE = advise(
    msg("a type cannot be changed in place, and pods read the keys whatever it is: with every key there, leave it")
)
CREATE_GHCR_SECRET = advise(msg("create it: without it the image cannot be pulled (ImagePullBackOff)"))
REPORT = "PHASE_0_VERIFICATION_REPORT.md"
CHECK_PATHS = advise(msg("check the paths of the ConfigMap again, by the path contract table of {file}", file=REPORT))
ADD_KEYS = advise(msg("add what is missing to ConfigMap {name}", name=CONFIG_MAP))
REAPPLY_SERVICES = (
    advise(msg("check the Service resources in {file}, then apply them again", file="kustomization.yaml")),
    do(APPLY),
)
CHECK_BASE_PORTS = advise(msg("check the base YAML: {ports}", ports="observer=8000, postgres=5432"))


# Step 6

APPLY_REPLICAS = do(APPLY, msg("brings back what the manifests describe, replicas included"))
READ_OBSERVERS_LOG = do(LOG_OF_OBSERVER, msg("find the cause in the log"))
READ_POSTGRES_LOG = do(LOG_OF_POSTGRES, msg("find the cause in the log"))
DESCRIBE_OBSERVERS = do(describe_pod("-l app=observer"), msg("is the PVC mounted there, or an emptyDir?"))
OLD_EVENTS = advise(msg("an event stays for an hour, also when its cause is gone; it goes with its pod (Step 8-2)"))
LOOK_AGAIN = do(RUN_ALL, msg("in a minute or two, once the pod has had its time to start"))
RESTART_WITH_PATHS = do(
    RENEW, msg("changes the cluster: the pods take the ConfigMap's paths at their start only (Step 8-2 does the same)")
)
CHECK_DISK = advise(msg("make room on the server's disk: what the pod writes now is lost"))
CHECK_ENV = advise(msg("check env of the Deployment observer"))
CHECK_READINESS = advise(msg("the readinessProbe fails: check the /health endpoint (Step 7)"))


# Steps 7 to 9

CHECK_HEALTH = do(LOG_OF_OBSERVER, msg("find out why /health does not answer well (Step 6-3)"))
REMOVE_TMP_CURL = do(
    f"kubectl delete pod {TMP_CURL} {_IN}",
    msg("a pod {pod} is in the way: delete it if nobody needs it, then run Step 7 again", pod=TMP_CURL),
)
CHECK_SCHEDULING = do("kubectl get nodes -o wide", msg("is the node cordoned, tainted or full?"))
FREE_PORT = advise(msg("another program on this machine uses port 8000: stop it, then run Step 7 again"))
CHECK_VOLUMES = (
    advise(msg("suspect a PVC that is not mounted, or an emptyDir: check the volumes of the pod")),
    do(describe_pod("<pod>")),
)
ALLOW_RESTART = do(f"{RUN_ALL} --allow-restart", msg("in a moment when the service may restart"))
AFTER_FIRST_DATA = do(RUN_ALL, msg("once the service has written its first data"))


def way_back(obstacle: str, pod: str, nodes: Sequence[str]) -> tuple[Remedy, ...]:
    """What lets a pod start that was kept from it (`kubectl.startup.Obstacle`) after Step 8 deleted the one before it."""
    describe = (do(describe_pod(pod)),) if pod else ()
    match obstacle:
        case "cordoned":
            uncordon = msg("lets the node take pods again")
            return (CHECK_SCHEDULING, *(do(f"kubectl uncordon {node}", uncordon) for node in nodes))
        case "unschedulable":
            free = advise(
                msg("take the taint away that the pod does not tolerate, or free what the node is short of"),
                changes=True,
            )
            return (CHECK_SCHEDULING, *(do(describe_node(node)) for node in nodes), free)
        case "image":
            return (
                do(GET_GHCR, msg("is the pull Secret right (Step 3-5)? the kubelet then pulls again by itself")),
                *describe,
            )
        case "volume":
            return (do(GET_CLAIMS, msg("are the PVCs Bound, and their directories there (Step 2)?")), *describe)
        case "settings":
            return (
                advise(msg("create what is missing (Steps 3-3, 3-4 and 4): the pod then starts by itself")),
                *describe,
            )
        case _:
            return (
                do(
                    f"kubectl describe namespace {NAMESPACE}",
                    msg("is a quota full, a limit too low, or does a label enforce more than the pod keeps to?"),
                ),
                do(
                    "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations",
                    msg("does one call a webhook that does not answer? bring it up again"),
                ),
            )


def try_again(controller: str) -> Remedy:
    """What makes a ReplicaSet or StatefulSet create its pods at once; refused often, it waits for minutes."""
    return do(
        f"kubectl annotate {controller} {_IN} --overwrite tried-again=$(date +%s)",
        msg(
            "once there is room: makes the controller try at once; it waits longer after each refusal, up to 17 minutes"
        ),
    )


ONCE_SETTLED = do(RUN_ALL, msg("once these findings are settled, or each is accepted by its name with `waive`"))
ONCE_RESTARTED = do(RUN_ALL, msg("once the restart of Observer has ended well"))
WAIVE_NEW_POD = advise(
    msg("or accept it with `waive NEW-POD`, knowing that a node takes new pods: a delete frees the place of its pod")
)
CHECK_KUBERC = advise(msg("a default option of {file} asks before each deletion: take it out", file="~/.kube/kuberc"))
ONCE_READABLE = do(RUN_ALL, msg("once what is missing can be read"))
WAIT_AGAIN = do(RUN_ALL, msg("waits and counts again by the count from before; nothing is deleted a second time"))
COUNT_AGAIN = do(RUN_ALL, msg("counts again by the count from before; nothing is deleted a second time"))
RESTART_ANEW = do(f"{RUN_ALL} --from 8", msg("runs Step 8 again from its beginning, with new counts"))
ONCE_RUNNING = do(RUN_ALL, msg("once the pods are Running"))
NEW_BASELINE = do(f"{RUN_ALL} --from 9", msg("takes a new baseline"))
NEW_BASELINE_LATER = do(f"{RUN_ALL} --from 9", msg("takes a new baseline, once the reason is known"))
WHY_NOTHING_WRITTEN = (do(LOG_OF_OBSERVER), advise(msg("find out why Observer writes nothing")))


# What the guide does not know: a kubeconfig that cannot be used, certificates and the clock

READ_AS_ROOT = do(f"sudo -E {RUN_ALL}", msg("this once: only root may read {path}", path=KUBECONFIG))
COPY_KUBECONFIG = do(
    f'mkdir -p ~/.kube && sudo install -b -m 600 -o "$USER" {KUBECONFIG} ~/.kube/config'
    " && export KUBECONFIG=~/.kube/config",
    msg("for good: a copy that is your own; one that is there is kept as ~/.kube/config~"),
)
KUBECONFIG_MODE = advise(
    msg(
        "or start K3s with --write-kubeconfig-mode 640: it restarts, and who may read the file administers the cluster"
    ),
    changes=True,
)
EXPORT_KUBECONFIG = do(
    f"export KUBECONFIG={KUBECONFIG}", msg("on the K3s server: kubectl has no kubeconfig and asks localhost:8080")
)
RESTART_K3S = do(
    "sudo systemctl restart k3s", msg("on the server: the pods go on, the API server is away for some seconds")
)
RENEW_CERTIFICATES = do(
    "sudo systemctl restart k3s",
    msg(
        "on the server: K3s renews expired certificates when it starts; pods go on, the API server is away for seconds"
    ),
)
CHECK_CLOCK = do("timedatectl", msg("here and on the server: are the time and its synchronization right?"))
SET_CLOCK = do("sudo timedatectl set-ntp true", msg("where the clock is off: it is set by the network's time"))
CHECK_AUTHORITY = advise(
    msg("the kubeconfig is another cluster's, or older than this K3s: take {path}", path=KUBECONFIG)
)
READ_K3S_LOG = do(
    'sudo journalctl -u k3s --since -10min | grep -E "Slow SQL|took too long|database is locked"',
    msg("on the server: does the datastore answer slowly?"),
)
CHECK_DISK_SPEED = do("iostat -x 1 3", msg("on the server: is the disk of /var/lib/rancher busy all the time?"))

# The node

UNCORDON = do(
    "kubectl uncordon {node}", msg("once whoever cordoned the node is done with it: pods may start there again")
)
DESCRIBE_NODE = do(describe_node("{node}"), msg("read its Taints, Conditions and Allocated resources"))
REMOVE_TAINT = do(
    "kubectl taint nodes {node} {taint}-",
    msg("somebody set this taint: ask why before it is removed; every pod may then be scheduled there"),
)
FREE_DISK = do(
    "sudo k3s crictl rmi --prune", msg("on a server with a full disk: removes images that no container uses")
)
DISK_SPACE = do("df -h", msg("on the server: which file system is full?"))
CHECK_NETWORK = do("ls -la /run/flannel/subnet.env", msg("on the server: flannel writes it when K3s has started"))
SERVER_CPU = do("uname -m", msg("on the server: aarch64 is ARM"))

# SealedSecrets

SEAL_ANEW = advise(
    msg("seal the Secret anew with the controller's present certificate (kubeseal --fetch-cert), commit and apply it"),
    changes=True,
)
OLD_SEALING_KEY = advise(
    msg(
        "or bring the old sealing key back from its backup into the namespace of the controller, and restart the controller"
    ),
    changes=True,
)
DESCRIBE_SEALED = do("kubectl describe sealedsecret {target} -n observer-prod", msg("its events say why"))
CONTROLLERS_LOG = do(
    "kubectl logs -n sealed-secrets -l name=sealed-secrets-controller", msg("the controller's log says why")
)

# DNS

GET_DNS = do("kubectl get pods -n kube-system -l k8s-app=kube-dns", msg("CoreDNS must be Running"))
LOG_OF_DNS = do("kubectl logs -n kube-system -l k8s-app=kube-dns --tail=50", msg("find the cause in the log"))
CHECK_DB_HOST = advise(msg("does DB_HOST of the ConfigMap name the Service postgres? (Step 4)"))

# Storage

LOG_OF_PROVISIONER = do(
    "kubectl logs -n kube-system -l app=local-path-provisioner --tail=50", msg("why does it make no volume?")
)
RESTORE_VOLUME = advise(
    msg(
        "its volume is gone, and the data with it: restore a backup into a new PVC; deleting this one gives up what is left"
    ),
    changes=True,
)

# Images and containers

ASK_THE_REGISTRY = do(describe_pod("{target}"), msg("its Failed event says what the registry or the node answered"))
OTHER_CPU_IMAGE = advise(
    msg("this server is ARM: take an image that is built for linux/arm64 (docker buildx build --platform linux/arm64)"),
    changes=True,
)
RATE_LIMIT = advise(
    msg(
        "the registry limits how often it is asked: wait, the kubelet tries again; or pull with credentials (ghcr-secret)"
    )
)
TOKEN_SCOPE = advise(
    msg(
        "the credentials may not read this image: the token of ghcr-secret needs read:packages and access to the package"
    )
)
NODE_DNS = do("getent hosts ghcr.io", msg("on the server: the node itself cannot resolve the registry's name"))
REGISTRY_CERTIFICATE = advise(
    msg("check the node's clock, a proxy on the way, and the CA in /etc/rancher/k3s/registries.yaml")
)
REGISTRY_DOWN = advise(msg("the registry itself failed: nothing here is wrong; the kubelet tries again by itself"))
IMAGE_NAME = (advise(msg("correct the image's name in kustomization.yaml")), do(APPLY, msg("once it is right")))
MEMORY_LIMIT = advise(
    msg("raise the memory limit in the manifest, or find out why it needs so much; applying it restarts the pods"),
    changes=True,
)
KILLED = do(
    describe_pod("{target}"), msg("read its events and limits: the node's kernel or the kubelet killed the container")
)
LIVENESS = do(describe_pod("{target}"), msg("what does the livenessProbe ask for, and is it given enough time?"))
OLD_POSTGRES = advise(
    msg(
        "take the image of the version that made the data, or upgrade the data by pg_upgrade after a backup; keep the PVC"
    ),
    changes=True,
)
PGDATA = advise(
    msg(
        "let PGDATA name a directory below the mount, /var/lib/postgresql/data/pgdata; do not empty the volume before a backup"
    ),
    changes=True,
)


FOR_AN_UNREADABLE_KUBECONFIG = (READ_AS_ROOT, COPY_KUBECONFIG, KUBECONFIG_MODE)
WITHOUT_A_KUBECONFIG = (EXPORT_KUBECONFIG, COPY_KUBECONFIG)
WITHOUT_CREDENTIALS = (SHOW_CREDENTIAL_PROGRAM, COPY_KUBECONFIG)
FOR_A_CERTIFICATE = (CHECK_CLOCK, RENEW_CERTIFICATES, CHECK_AUTHORITY)
