"""The commands that are not the guide's own: what each is for, and what it may lead to.

They stand beside the guide's, are recorded like them, and `docs/guide-notes.md` lists them. Only the log of tmp-curl has
a part in a verdict, and the finding says so.
"""

from __future__ import annotations

from ..command import Command
from . import ids
from .catalog import Catalog
from .expected import TMP_CURL

REMOVE_TMP_CURL = Command(
    ids.REMOVE_TMP_CURL,
    "7-2",
    f"kubectl delete pod {TMP_CURL} -n observer-prod --now --timeout=3s 2>/dev/null ||\n"
    f"  kubectl delete pod {TMP_CURL} -n observer-prod --force --grace-period=0\n",
    "",
    mutates=True,
    timeout_s=30.0,
)
"""Takes back the pod that 7-2 may leave behind, and waits until it is gone. Never leads to a verdict.

A kubelet as old as 1.20 keeps a deleted pod for up to 40 s after its container has ended; nothing of curl's is worth waiting
for, so the API server then lets go of it at once.
"""

LOG_TMP_CURL = Command(
    ids.LOGS, "7-2", f"kubectl logs {TMP_CURL} -n observer-prod\n", "", timeout_s=10.0, target=TMP_CURL
)
"""What curl printed in the pod of 7-2. The guide's `logs --previous` cannot show it for half a minute on Kubernetes 1.34."""

NOT_CREATED = Command(
    ids.NOT_CREATED,
    "8",
    "kubectl get events -n observer-prod --field-selector reason=FailedCreate --sort-by=.lastTimestamp\n",
    "",
    timeout_s=10.0,
)
"""Why no pod at all is made in place of a deleted one: a quota, an admission webhook. No command of the guide shows it."""

POD_EVENTS = Command(
    ids.POD_EVENTS,
    "9",
    "kubectl get events -n observer-prod --field-selector involvedObject.kind=Pod --sort-by=.lastTimestamp\n",
    "",
    timeout_s=10.0,
)
"""What became of pods that are gone or were restarted: events live for an hour. Kept as evidence; no verdict."""

_TEMPLATE = """\
kubectl get pod -l app={app} -n observer-prod -o json | python3 -c '
import json, sys
pod = next(each for each in json.load(sys.stdin)["items"] if each["status"]["phase"] == "Running")
spec, about = pod["spec"], pod["metadata"]
for name in ("nodeName", "priority", "preemptionPolicy", "ephemeralContainers"):
    spec.pop(name, None)
kept = {{name: about[name] for name in ("namespace", "labels", "annotations") if name in about}}
kept["name"] = "playbook-dry-run-{app}"
json.dump({{"apiVersion": "v1", "kind": "Pod", "metadata": kept, "spec": spec}}, sys.stdout)
' | kubectl create --dry-run=server -o name -f -
"""


def _admit(id: str, app: str) -> Command:
    """Whether the API server takes another pod like the present one: nothing is made, and no value of the pod is printed."""
    return Command(id, "8", _TEMPLATE.format(app=app), "", timeout_s=20.0)


ADMIT_OBSERVER = _admit(ids.ADMIT_OBSERVER, "observer")
ADMIT_POSTGRES = _admit(ids.ADMIT_POSTGRES, "postgres")
"""Quotas, admission webhooks and policies show in no command of the guide before a pod is made."""

VERSION = Command("kubectl-version", "", "kubectl version\n", "", timeout_s=10.0)
"""Which kubectl speaks to which API server: for the report."""

IMAGES_AND_UID = Command(
    "images-and-cluster-uid",
    "",
    'kubectl get pods,namespaces -n observer-prod -o jsonpath=\'{range .items[?(@.kind=="Pod")]}{.metadata.name}'
    '{range .status.containerStatuses[*]}{" "}{.image}{" "}{.imageID}{end}{"\\n"}{end}'
    '{range .items[?(@.kind=="Namespace")]}{.metadata.name}{" "}{.metadata.uid}{"\\n"}{end}\'\n',
    "",
    timeout_s=10.0,
)
"""Which images the pods run, and which cluster it is, for the report.

The guide's own commands show images only where something fails, and https://127.0.0.1:6443 is the address of every K3s server.
"""

CLUSTER_UID = Command(
    "kube-system-uid",
    "",
    "kubectl get namespace kube-system -o jsonpath='{.metadata.name} {.metadata.uid}'\n",
    "",
    timeout_s=10.0,
)
"""Which cluster it is, for users who may look at a namespace but not list them."""

CONTEXT = Command(
    "kubectl-context",
    "",
    "kubectl config view --minify -o jsonpath='{.current-context} {.contexts[0].context.user}'\n",
    "",
    timeout_s=5.0,
)
"""The names of context and user, for the report; kubectl shows no credential here."""

SERVER_VERSION = Command("server-version", "", "kubectl get --raw /version\n", "", timeout_s=15.0)
"""The smallest of questions, which everybody may ask: whether the API server answers, and how fast (`doctor`)."""

DATE_OF_SERVER = Command(
    "server-date",
    "",
    "curl -sk --max-time 5 -o /dev/null -D - "
    "\"$(kubectl config view --minify -o jsonpath='{.clusters[0].cluster.server}')/version\"\n",
    "",
    timeout_s=10.0,
)
"""The time at the API server, from the header of its answer. No credential is sent, so its certificate does not matter."""

NEEDED_RIGHTS = (
    "get nodes", "get namespaces", "get persistentvolumeclaims", "get sealedsecrets.bitnami.com", "get secrets",
    "get configmaps", "get services", "list pods", "list events", "get pods --subresource=log",
    "create pods --subresource=exec", "create pods --subresource=portforward", "create pods",
    "create pods --subresource=attach", "delete pods",
)  # fmt: skip
"""What the guide's commands do in the namespace, as `kubectl auth can-i` is asked for it."""


def may(right: str) -> Command:
    """The question whether this user has one of `NEEDED_RIGHTS`; it prints yes or no (`doctor`).

    >>> may("create pods --subresource=exec").text
    'kubectl auth can-i create pods --subresource=exec -n observer-prod\\n'
    """
    name = right.replace(" --subresource=", "/").replace(" ", "-")
    return Command(f"can-i-{name}", "", f"kubectl auth can-i {right} -n observer-prod\n", "", timeout_s=10.0)


SECRET_VALUES = Command(ids.SECRET_VALUES, "", "kubectl get secrets -n observer-prod -o json\n", "", timeout_s=8.0)
"""The values that are to be masked, read into memory before anything is kept. Its output is kept nowhere; no verdict."""

PRESENT_KEYS = Command(
    ids.PRESENT_KEYS,
    "3-4",
    "kubectl get secret observer-secrets -n observer-prod -o go-template="
    "'{{.metadata.resourceVersion}}{{range $key, $value := .data}} {{$key}}{{end}}'\n",
    "",
    timeout_s=10.0,
)
"""Which keys observer-secrets has, and its version: what `fix` asks before it adds one. No value is printed; no verdict."""

ADD_KEYS = Command(
    ids.ADD_KEYS,
    "3-4",
    "kubectl patch secret observer-secrets -n observer-prod --type=merge --patch-file=/dev/stdin\n",
    "",
    mutates=True,
)
"""Adds to observer-secrets the keys that it lacks (`fix`). The patch, with the values, is its standard input; no verdict."""

_ALL = (
    REMOVE_TMP_CURL, LOG_TMP_CURL, ADMIT_OBSERVER, ADMIT_POSTGRES, NOT_CREATED, POD_EVENTS, SECRET_VALUES,
    PRESENT_KEYS, ADD_KEYS,
)  # fmt: skip
OWN_COMMANDS = {command.key: command for command in _ALL}
"""All of them, by the name under which their runs are recorded."""


def named(catalog: Catalog, command: str, target: str = "") -> Command:
    """A command of the catalog, filled with `target`, or one of these. Raises as the catalog does."""
    own = OWN_COMMANDS.get(f"{command}.{target}" if target else command)
    return own or (catalog.fill(command, target) if target else catalog.command(command))
