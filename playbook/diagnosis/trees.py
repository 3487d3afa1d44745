"""The decision trees of the node, the volumes and the API server; and all trees together."""

from __future__ import annotations

from ..guide import ids
from ..guide import remedies as fix
from ..guide.expected import OBSERVER_ROOT
from ..guide.remedy import do
from ..text import msg, verbatim
from .branches import Branch, Tree
from .pod_trees import DESCRIBE_POD, POD_TREES

# The PVC tree --------------------------------------------------------------------------------------------------------

PROVISIONER = Tree(
    "PROVISIONER", "2", verbatim("local-path"), (ids.PROVISIONER,),
    (Branch("PROVISIONER-DOWN", "2", msg("no local-path: K3s's local-path-provisioner does not work"),
            msg("the local-path-provisioner does not run, so {objects} gets no volume"), (do(fix.GET_PROVISIONER),),
            r"\A(?:No resources found|(?![\s\S]*^local-path-provisioner\S*\s+([1-9]\d*)/\1\s+Running\s)"
            r"[\s\S]*^local-path-provisioner\S*\s.*)", whole=True),),
    target="",
)  # fmt: skip

STORAGE_CLASS = Tree(
    "STORAGE-CLASS", "2", verbatim("StorageClass"), (ids.STORAGE_CLASSES,),
    (Branch("STORAGE-CLASS-ABSENT", "2", verbatim('"no persistent volumes available" → StorageClass → local-path'),
            msg("there is no StorageClass local-path, so {objects} gets no volume"), (do(fix.GET_SC), do(fix.GET_PROVISIONER)),
            r"\ANo resources found|\ANAME\s(?![\s\S]*^local-path\s)", whole=True),),
    target="",
)  # fmt: skip

PVC = Tree(
    "PVC", "2", verbatim("PVC Pending"), (ids.DESCRIBE_CLAIM,),
    (
        Branch("PVC-NO-VOLUME", "2", verbatim("PVC Pending → \"no persistent volumes available\""),
               msg("no volume is there for {objects}: check its StorageClass"),
               (do(fix.GET_SC, msg("is local-path there?")), do(fix.GET_PROVISIONER, msg("does it run?"))),
               r"no persistent volumes available|storageclass\.storage\.k8s\.io \"[^\"]+\" not found",
               then=("STORAGE-CLASS", "PROVISIONER")),
        Branch("PVC-WAITING", "2", verbatim("PVC Pending → \"waiting for a volume to be created\""),
               msg("the provisioner makes no volume for {objects}"),
               (fix.LOG_OF_PROVISIONER, do(fix.GET_PROVISIONER, msg("shows its pod"))),
               r"[Ww]aiting for a volume to be created", then=("PROVISIONER",)),
    ),
    otherwise=("STORAGE-CLASS", "PROVISIONER"),
)  # fmt: skip

# What lies behind Steps 0, 6-5, 6-6 and 8 ----------------------------------------------------------------------------

NODE = Tree(
    "NODE", "0", verbatim("STATUS = NotReady"), (ids.DESCRIBE_NODE,),
    (Branch("NODE-NOT-READY", "0", verbatim("STATUS = NotReady → Conditions"), msg("the node {objects} is not Ready"),
            (do(fix.describe_node("{target}"), msg("read its Conditions")),
             fix.K3S_STATUS),
            r"^\s+(?:(?:Memory|Disk|PID)Pressure\s+True|Ready\s+(?:False|Unknown))\s", per="object"),),
)  # fmt: skip

VOLUME = Tree(
    "VOLUME", "8-3", msg("files are missing after the restart"), (ids.DESCRIBE_POD, "step6-2-describe-{owner}"),
    (Branch("EPHEMERAL", "8-3", msg("files are missing: a PVC is not mounted, or an emptyDir is used"),
            msg("{objects} lies on an emptyDir: it dies with its pod"),
            (do(DESCRIBE_POD, msg("check how the PVCs are mounted")),
             do(fix.APPLY, msg("once the volume is its PVC again"))),
            rf"(?:^\s+(?:{OBSERVER_ROOT}/{{object}}|/var/lib/postgresql/data) from (\S+) \([\s\S]*^  \1:\n|"
            r"\A(?![\s\S]*^Volumes:)[\s\S]*?)"
            r"\s*Type:\s+EmptyDir", whole=True, per="object"),),
    target="pod",
)  # fmt: skip

READ_ONLY = Tree(
    "READ-ONLY", "6-6", verbatim("Read-only file system"), (ids.DESCRIBE_POD,),
    (Branch("WRITE-READ-ONLY", "6-6", verbatim("Read-only file system → (ro)"),
            msg("the volume of {objects} is mounted read-only"),
            (do(DESCRIBE_POD, msg("check how it is mounted")), do(fix.APPLY, msg("once it is right"))),
            rf"{OBSERVER_ROOT}/{{object}} from \S+ \(ro[,)]", per="object"),),
    target="pod",
)  # fmt: skip

K3S = Tree(
    "K3S", "0", verbatim("systemctl status k3s"), (ids.K3S_STATUS,),
    (Branch("API-UNREACHABLE", "0", verbatim("Unable to connect to the server → systemctl status k3s"),
            msg("K3s does not run on this server"), (fix.K3S_STATUS,),
            r"^\s*Active:\s+(?!active)"),),
    target="",
)  # fmt: skip

TREES = (K3S, NODE, PVC, STORAGE_CLASS, PROVISIONER, *POD_TREES, READ_ONLY, VOLUME)
