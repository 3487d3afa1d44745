"""The guide's rows and decision trees, as data to be held beside the guide.

A `Row` leads from a finding to what it means, or to a `Tree`: a diagnosis command whose output decides between
branches.
`rows.py` has the rows, `walk.py` walks both, `consequences.py` says what follows from what they name. Their order is
the guide's, and the order in which causes are told.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..guide import ids
from ..guide import remedies as fix
from ..guide.expected import OBSERVER_ROOT, SECRET_KEYS
from ..guide.remedies import advise, do
from ..kubectl.failures import FailureKind
from ..model import Remedy
from ..text import Message, msg, verbatim


@dataclass(frozen=True, slots=True)
class Branch:
    """What one row or branch of the guide means. `{objects}` and `{target}` stand for the names met."""

    id: str  # the cause's code, before any object
    place: str  # where the guide treats it
    guide: Message  # the row or branch, as the guide has it
    title: Message
    remedy: tuple[Remedy, ...]
    pattern: str = ""  # the deciding line of the output; empty for a row, which its finding decides
    whole: bool = False  # the pattern is about the whole output, not about one line
    then: tuple[str, ...] = ()  # the trees that the guide goes on with; this branch stands when they decide nothing
    per: str = ""  # `object`: one cause for each; `owner`: one for all pods of a workload; empty: one for all


@dataclass(frozen=True, slots=True)
class Tree:
    """A diagnosis and its branches. Output is read from its end: the last line that fits a branch decides."""

    id: str
    place: str
    symptom: Message
    looks: tuple[str, ...]  # commands in the order of trust; `step…` means what the session already has
    branches: tuple[Branch, ...]
    target: str = "object"  # what a command is filled with: the finding's object, a pod of its workload, or nothing
    otherwise: tuple[str, ...] = ()  # trees to try when no branch matches


@dataclass(frozen=True, slots=True)
class Row:
    """From a finding to its meaning, to a tree, or to both (then the tree looks for the reason behind the meaning)."""

    codes: str  # the findings it is about
    shows: str = ""  # what they must show
    means: Branch | None = None
    tree: str = ""
    kinds: tuple[FailureKind, ...] = ()  # or: why they could not be seen
    unseen: bool = False  # an inconclusive finding counts too
    also: bool = False  # the finding may hold a second meaning: rows further down are read too


DESCRIBE_POD = fix.describe_pod("{target}")
PREVIOUS_LOG = fix.previous_log("{target}")

CREATE = (
    do(fix.FIX, msg("asks for the values and runs the guide's emergency creation; nothing of them is shown or kept")),
    do(fix.SHOW_EMERGENCY, msg("or: prints that command, to be filled in by hand")),
    do(
        fix.RENEW,
        msg("once the Secret is there: the pods begin anew with it, and the events of the old ones go with them"),
    ),
)
RECREATE = (do(fix.DELETE_SECRET, msg("the Secret must be made anew, and the old one is in the way")), *CREATE)

# The CrashLoopBackOff tree -------------------------------------------------------------------------------------------

_SECRET = "|".join(SECRET_KEYS)
DB_ERROR = (
    r"could not connect to server|connection to server at .+ failed|OperationalError|CannotConnectNow|InterfaceError|"
    r"could not translate host name|ConnectionRefusedError|ConnectionError: .*5432|password authentication failed|"
    r"\b[Dd](?:B|atabase) connection (?:error|failed|refused)|Connect call failed .*5432|no password supplied"
)
"""How PostgreSQL's clients say that they have no connection."""

CRASH = Tree(
    "CRASH", "6-1", verbatim("CrashLoopBackOff"), (ids.LOGS_PREVIOUS, "step6-3-logs-{owner}"),
    (
        Branch("CRASH-PERMISSION", "6-6", verbatim("CrashLoopBackOff → PermissionError"),
               msg("{objects} may not write where it has to: fsGroup or the volume mount is wrong"),
               (do(DESCRIBE_POD, msg("compare fsGroup and runAsUser with the owner of the PVC (Step 6-6)")),),
               r"PermissionError", per="owner"),
        Branch("CRASH-MODULE", "6-1", verbatim("CrashLoopBackOff → ModuleNotFoundError"),
               msg("the image of {objects} lacks a module: check the image tag"),
               (advise(msg("check the image tag in kustomization.yaml")), do(DESCRIBE_POD, msg("shows the image in use"))),
               r"ModuleNotFoundError", per="owner"),
        Branch("CRASH-KEY", "3-4", verbatim("CrashLoopBackOff → KeyError: 'KIS_APP_KEY'"),
               msg("observer-secrets gave {objects} no API key"),
               (do(fix.KEYS_OF_SECRET, msg("when the key is missing, make the Secret anew:")), *RECREATE),
               r"KeyError: 'KIS_APP_KEY'", per="owner"),
        Branch("CRASH-SECRET-KEY", "3-4", msg("a key of observer-secrets is missing: the pod fails while it runs"),
               msg("observer-secrets gave {objects} a key too few"),
               (do(fix.KEYS_OF_SECRET, msg("when the key is missing, make the Secret anew:")), *RECREATE),
               rf"KeyError: '(?:{_SECRET})'|You must specify (?:POSTGRES_PASSWORD|POSTGRES_USER)", per="owner"),
        Branch("CRASH-DB", "7-4", verbatim("CrashLoopBackOff → DB connection error"),
               msg("{objects} cannot reach the database: the Secret is not right, or postgres does not run"),
               (do(fix.KEYS_OF_SECRET, msg("Step 3: are the keys of the database there?")),
                do(fix.GET_PODS, msg("does postgres-0 run? (Step 7-4)"))),
               DB_ERROR, per="owner"),
    ),
)  # fmt: skip

# The PVC tree --------------------------------------------------------------------------------------------------------

PROVISIONER = Tree(
    "PROVISIONER", "2", verbatim("local-path"), (ids.PROVISIONER,),
    (Branch("PROVISIONER-DOWN", "2", msg("no local-path: K3s's local-path-provisioner does not work"),
            msg("the local-path-provisioner does not run, so {objects} gets no volume"), (do(fix.GET_PROVISIONER),),
            r"No resources found|^local-path-provisioner\S*\s+(?:0/\d+\s|\d+/\d+\s+(?!\s|Running\b))"),),
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
               (advise(msg("read the log of the local-path-provisioner")), do(fix.GET_PROVISIONER, msg("shows its pod"))),
               r"waiting for a volume to be created", then=("PROVISIONER",)),
    ),
    otherwise=("STORAGE-CLASS", "PROVISIONER"),
)  # fmt: skip

# The ImagePullBackOff tree -------------------------------------------------------------------------------------------

IMAGE = Tree(
    "IMAGE", "6-1", verbatim("ImagePullBackOff"), (ids.DESCRIBE_POD_FAILED, ids.DESCRIBE_POD),
    (
        Branch("IMAGE-UNAUTHORIZED", "3-5", verbatim("ImagePullBackOff → \"unauthorized\""),
               msg("the registry turns {objects} away: ghcr-secret is missing or has expired"), (do(fix.GET_GHCR),),
               r"Failed to pull image.*(?:unauthorized|401|denied|403 Forbidden)", per="owner"),
        Branch("IMAGE-TIMEOUT", "6-1", verbatim("ImagePullBackOff → \"timeout\""),
               msg("the node cannot reach the image registry for {objects}"),
               (advise(msg("check the node's network access to GHCR")),),
               r"Failed to pull image.*(?:i/o timeout|[Tt]imeout|deadline exceeded|dial tcp|no such host)",
               per="owner"),
        Branch("IMAGE-NOT-FOUND", "6-1", verbatim("ImagePullBackOff → \"not found\""),
               msg("the image of {objects} does not exist in the registry: the tag is wrong"),
               (advise(msg("check the image tag in kustomization.yaml")), do(fix.APPLY, msg("once it is right"))),
               r"Failed to pull image.*(?:not found|manifest unknown|NotFound)", per="owner"),
    ),
)  # fmt: skip

# The other rows of Step 6-1 ------------------------------------------------------------------------------------------

SECRET_ABSENT = Branch(
    "SECRET-ABSENT", "3-3",
    msg("observer-secrets not found: it is made by hand, the SealedSecrets make Secrets of other names"),
    msg("the Secret observer-secrets does not exist; neither observer nor postgres can start without it"), CREATE,
    r"secret \"observer-secrets\" not found",
)  # fmt: skip

PENDING = Tree(
    "PENDING", "6-1", verbatim("STATUS = Pending"), (ids.DESCRIBE_POD,),
    (
        Branch("PENDING-PVC", "2", msg("Pending: a PVC is Pending"), msg("{objects} waits for a PVC"),
               (do(fix.GET_CLAIMS), do(fix.describe_claim("<name>"))),
               r"unbound immediate PersistentVolumeClaims|persistentvolumeclaims? \"[^\"]+\"|didn't find available"
               r" persistent volumes|had volume node affinity conflict", per="owner"),
        Branch("PENDING-RESOURCES", "6-1", msg("Pending: the node has too few resources"),
               msg("no node has the resources that {objects} asks for"), (do(DESCRIBE_POD),),
               r"Insufficient (?:cpu|memory|ephemeral-storage|pods)|Too many pods", per="owner"),
    ),
)  # fmt: skip

CREATING = Tree(
    "CREATING", "6-1", verbatim("ContainerCreating"), (ids.DESCRIBE_POD,),
    (Branch("MOUNT-FAILED", "6-1", msg("ContainerCreating: a volume cannot be mounted"),
            msg("a volume of {objects} cannot be mounted"), (do(DESCRIBE_POD),),
            r"FailedMount|FailedAttachVolume|MountVolume\.\S+ failed|Unable to (?:attach or )?mount", per="owner"),),
)  # fmt: skip

CONFIG_ERROR = Tree(
    "CONFIG-ERROR", "3-3", verbatim("CreateContainerConfigError"), (ids.DESCRIBE_POD,), (SECRET_ABSENT,)
)

READINESS = Tree(
    "READINESS", "6-1", verbatim("READY = 0/1"), (ids.DESCRIBE_POD, "step6-2-describe-{owner}"),
    (Branch("NOT-READY", "6-1", msg("READY = 0/1: the readinessProbe fails"),
            msg("the readinessProbe of {objects} fails"),
            (do(DESCRIBE_POD, msg("what does the probe ask for, and does /health answer there? (Step 7)")),),
            r"Readiness probe (?:failed|errored)", per="owner"),),
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

TREES = (
    K3S,
    NODE,
    PVC,
    STORAGE_CLASS,
    PROVISIONER,
    CRASH,
    IMAGE,
    PENDING,
    CREATING,
    CONFIG_ERROR,
    READINESS,
    READ_ONLY,
    VOLUME,
)
