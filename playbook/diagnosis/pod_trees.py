"""The decision trees of pods that do not run: they crash, their image is not pulled, they wait, or are not ready."""

from __future__ import annotations

from ..guide import ids
from ..guide import remedies as fix
from ..guide.expected import SECRET_KEYS
from ..guide.remedy import advise, do
from ..text import msg, verbatim
from .branches import Branch, Tree

DESCRIBE_POD = fix.describe_pod("{target}")
PREVIOUS_LOG = fix.previous_log("{target}")
ITS_EVENTS = (do(DESCRIBE_POD, msg("its events say why")),)

CREATE = (
    do(fix.FIX, msg("asks for the values and runs the guide's emergency creation; nothing of them is shown or kept")),
    do(fix.SHOW_EMERGENCY, msg("or: prints that command, to be filled in by hand")),
    do(fix.RENEW, msg("once the Secret is there, restart the pods; the events of the old ones go with them")),
)

# The CrashLoopBackOff tree -------------------------------------------------------------------------------------------

_SECRET = "|".join(SECRET_KEYS)
UNRESOLVED = (
    r"name resolution|Name or service not known|Name resolution failed|gaierror|could not translate host name|"
    r"No address associated with hostname"
)
"""How a name that is not resolved is reported."""

DB_ERROR = (
    r"could not connect to server|connection to server at .+ failed|OperationalError|CannotConnectNow|InterfaceError|"
    r"could not translate host name|ConnectionRefusedError|ConnectionError: .*5432|password authentication failed|"
    r"\b[Dd](?:B|atabase) connection (?:error|failed|refused)|Connect call failed .*5432|no password supplied"
)
"""How PostgreSQL's clients say that they have no connection."""

DNS_DOWN = Branch(
    "DNS-DOWN", "7-4", msg("Name resolution failed, although Step 5 saw the Service"),
    msg("the name of the database is not resolved although its Service is there: the cluster's DNS does not answer"),
    (fix.GET_DNS, fix.LOG_OF_DNS, fix.CHECK_DB_HOST), UNRESOLVED, seen="SERVICE/postgres",
)  # fmt: skip

_DATA_REFUSED = (
    r"wrong ownership|invalid permissions|has group or world access|"
    r"(?:chown|chmod|initdb|mkdir|could not|directory|ownership|permissions).*(?:Operation not permitted|Permission denied)"
)
"""How PostgreSQL and its image refuse a data directory."""

CRASH_LOG = Tree(
    "CRASH-LOG", "6-1", verbatim("CrashLoopBackOff"), (ids.LOGS_PREVIOUS, "step6-3-logs-{owner}"),
    (
        Branch("CRASH-PERMISSION", "6-6", verbatim("CrashLoopBackOff → PermissionError"),
               msg("{objects} may not write where it has to: fsGroup or the volume mount is wrong"),
               (do(DESCRIBE_POD, msg("compare fsGroup and runAsUser with the owner of the PVC (Step 6-6)")),),
               rf"PermissionError|{_DATA_REFUSED}", per="owner"),
        Branch("CRASH-MODULE", "6-1", verbatim("CrashLoopBackOff → ModuleNotFoundError"),
               msg("the image of {objects} lacks a module: check the image tag"),
               (advise(msg("check the image tag in kustomization.yaml")), do(DESCRIBE_POD, msg("shows the image in use"))),
               r"ModuleNotFoundError", per="owner"),
        Branch("CRASH-KEY", "3-4", verbatim("CrashLoopBackOff → KeyError: 'KIS_APP_KEY'"),
               msg("observer-secrets gave {objects} no API key"),
               (do(fix.KEYS_OF_SECRET, msg("is the key missing? then:")), *fix.FILL_SECRET),
               r"KeyError: 'KIS_APP_KEY'", per="owner"),
        Branch("CRASH-SECRET-KEY", "3-4", msg("a key of observer-secrets is missing: the pod fails while it runs"),
               msg("observer-secrets gave {objects} a key too few"),
               (do(fix.KEYS_OF_SECRET, msg("is the key missing? then:")), *fix.FILL_SECRET),
               rf"KeyError: '(?:{_SECRET})'|You must specify (?:POSTGRES_PASSWORD|POSTGRES_USER)", per="owner"),
        Branch("CRASH-OTHER-CPU", "6-1", verbatim("CrashLoopBackOff → exec format error"),
               msg("the program of {objects} is built for another CPU"), (fix.SERVER_CPU, fix.OTHER_CPU_IMAGE),
               r"exec format error", per="owner"),
        Branch("CRASH-NO-SPACE", "6-5", verbatim("CrashLoopBackOff → No space left on device"),
               msg("the disk that {objects} writes to is full"), (fix.DISK_SPACE, fix.FREE_DISK),
               r"No space left on device", per="owner"),
        Branch("CRASH-DATA-VERSION", "8-4", verbatim("database files are incompatible with server"),
               msg("the data of {objects} was made by another version of PostgreSQL"), (fix.OLD_POSTGRES,),
               r"database files are incompatible with server|was initialized by PostgreSQL version", per="owner"),
        Branch("CRASH-DATA-DIRECTORY", "8-4", verbatim("initdb: directory exists but is not empty"),
               msg("{objects} finds a data directory that is not empty and not its own"), (fix.PGDATA,),
               r"lost\+found|exists but is not empty|is not a valid data directory", per="owner"),
        DNS_DOWN,
        Branch("CRASH-DB", "7-4", verbatim("CrashLoopBackOff → DB connection error"),
               msg("{objects} cannot reach the database: the Secret is not right, or postgres does not run"),
               (do(fix.KEYS_OF_SECRET, msg("Step 3: are the keys of the database there?")),
                do(fix.GET_PODS, msg("does postgres-0 run? (Step 7-4)"))),
               DB_ERROR, per="owner"),
    ),
)  # fmt: skip

CRASH = Tree(
    "CRASH", "6-1", verbatim("CrashLoopBackOff"), (ids.DESCRIBE_POD,),
    (Branch("CRASH-OOM", "6-1", verbatim("CrashLoopBackOff → OOMKilled"),
            msg("{objects} was killed because it needs more memory than its limit"),
            (do(DESCRIBE_POD, msg("shows Last State, Exit Code and Limits")), fix.MEMORY_LIMIT),
            r"^\s+Reason:\s+OOMKilled\b", per="owner"),),
    otherwise=("CRASH-LOG", "CRASH-STATE"),
    remedy=(do(PREVIOUS_LOG, msg("find the cause of the crash in the log")), *ITS_EVENTS),
)  # fmt: skip
"""The description comes before the guide's log: what the kernel kills says nothing of it."""

CRASH_STATE = Tree(
    "CRASH-STATE", "6-1", verbatim("CrashLoopBackOff"), (ids.DESCRIBE_POD,),
    (
        Branch("CRASH-OTHER-CPU", "6-1", verbatim("CrashLoopBackOff → exec format error"),
               msg("the program of {objects} is built for another CPU"), (fix.SERVER_CPU, fix.OTHER_CPU_IMAGE),
               r"exec format error", per="owner"),
        Branch("CRASH-LIVENESS", "6-1", verbatim("CrashLoopBackOff → Liveness probe failed"),
               msg("the livenessProbe of {objects} fails, so the kubelet restarts it again and again"), (fix.LIVENESS,),
               r"Liveness probe (?:failed|errored): ", per="owner"),
        Branch("CRASH-KILLED", "6-1", verbatim("CrashLoopBackOff → Exit Code 137"),
               msg("{objects} was killed (Exit Code 137): mostly for lack of memory on the node"),
               (fix.KILLED, fix.MEMORY_LIMIT),
               r"^\s+Exit Code:\s+137$", per="owner"),
    ),
)  # fmt: skip

# The ImagePullBackOff tree -------------------------------------------------------------------------------------------

_PULL = r"(?:Failed to pull image|Back-off pulling image) \"[^\"]*\": .*?"
"""What follows the image's name, which may hold any word and number."""

IMAGE = Tree(
    "IMAGE", "6-1", verbatim("ImagePullBackOff"), (ids.DESCRIBE_POD_FAILED, ids.DESCRIBE_POD),
    (
        Branch("IMAGE-OTHER-CPU", "6-1", verbatim("ImagePullBackOff → no match for platform in manifest"),
               msg("the image of {objects} is built for another CPU than this node's"),
               (fix.SERVER_CPU, fix.OTHER_CPU_IMAGE),
               rf"{_PULL}(?:no match(?:ing manifest)? for |no image found in .* for arch|does not match the \w+ platform)",
               per="owner"),
        Branch("IMAGE-RATE-LIMIT", "6-1", verbatim("ImagePullBackOff → 429 Too Many Requests"),
               msg("the registry limits how often {objects} may pull"), (fix.RATE_LIMIT, do(fix.GET_GHCR)),
               rf"{_PULL}(?:429 Too Many|toomanyrequests|[Rr]ate limit)", per="owner"),
        Branch("IMAGE-UNAUTHORIZED", "3-5", verbatim("ImagePullBackOff → \"unauthorized\""),
               msg("the registry turns {objects} away: ghcr-secret is missing or has expired"), (do(fix.GET_GHCR),),
               rf"{_PULL}(?:unauthorized|\b401\b|anonymous token|authentication required|no basic auth|authorization failed)",
               per="owner"),
        Branch("IMAGE-FORBIDDEN", "3-5", verbatim("ImagePullBackOff → 403 Forbidden"),
               msg("the registry forbids {objects} this image"), (fix.TOKEN_SCOPE, do(fix.GET_GHCR)),
               rf"{_PULL}(?:403 Forbidden|denied)", per="owner"),
        Branch("IMAGE-NO-SPACE", "6-1", verbatim("ImagePullBackOff → No space left on device"),
               msg("the node's disk has no room for the image of {objects}"), (fix.DISK_SPACE, fix.FREE_DISK),
               rf"{_PULL}no space left on device", per="owner"),
        Branch("IMAGE-REGISTRY-NAME", "6-1", verbatim("ImagePullBackOff → no such host"),
               msg("the node cannot resolve the name of the image registry for {objects}"), (fix.NODE_DNS,),
               rf"{_PULL}(?:no such host|server misbehaving|name resolution|lookup .* on )", per="owner"),
        Branch("IMAGE-CERTIFICATE", "6-1", verbatim("ImagePullBackOff → x509"),
               msg("the node does not accept the certificate of the image registry for {objects}"),
               (fix.REGISTRY_CERTIFICATE, fix.CHECK_CLOCK),
               rf"{_PULL}(?:x509: |server gave HTTP response to HTTPS client)", per="owner"),
        Branch("IMAGE-TIMEOUT", "6-1", verbatim("ImagePullBackOff → \"timeout\""),
               msg("the node cannot reach the image registry for {objects}"),
               (advise(msg("check the node's network access to GHCR")),),
               rf"{_PULL}(?:i/o timeout|[Tt]imeout|deadline exceeded|dial tcp|connection reset|unexpected EOF)", per="owner"),
        Branch("IMAGE-REGISTRY-DOWN", "6-1", verbatim("ImagePullBackOff → 5xx"),
               msg("the image registry answers {objects} with an error of its own"), (fix.REGISTRY_DOWN, fix.ASK_THE_REGISTRY),
               rf"{_PULL}(?:: 5\d\d\b|[Ss]tatus(?: code)?:? 5\d\d\b)", per="owner"),
        Branch("IMAGE-NOT-FOUND", "6-1", verbatim("ImagePullBackOff → \"not found\""),
               msg("the image of {objects} does not exist in the registry: the tag is wrong"),
               (advise(msg("check the image tag in kustomization.yaml")), do(fix.APPLY, msg("once it is right"))),
               rf"{_PULL}(?:not found|manifest unknown|NotFound)", per="owner"),
        Branch("IMAGE-NAME-INVALID", "6-1", verbatim("InvalidImageName"),
               msg("the name of the image of {objects} is none"), fix.IMAGE_NAME,
               r"InvalidImageName|invalid reference format|couldn't parse image", per="owner"),
    ),
    remedy=(fix.ASK_THE_REGISTRY,),
)  # fmt: skip

# The other rows of Step 6-1 ------------------------------------------------------------------------------------------

SECRET_ABSENT = Branch(
    "SECRET-ABSENT", "3-3",
    msg("observer-secrets not found: it is made by hand, the SealedSecrets make Secrets of other names"),
    msg("the Secret observer-secrets does not exist; neither observer nor postgres can start without it"), CREATE,
    r"secret \"observer-secrets\" not found",
)  # fmt: skip

_SHORT = msg("Pending: the node has too few resources")
_SHORT_TITLE = msg("no node has the resources that {objects} asks for")

PENDING = Tree(
    "PENDING", "6-1", verbatim("STATUS = Pending"), (ids.DESCRIBE_POD,),
    (
        Branch("PENDING-PVC", "2", msg("Pending: a PVC is Pending"), msg("{objects} waits for a PVC"),
               (do(fix.GET_CLAIMS), do(fix.describe_claim("{name}"))),
               r"unbound immediate PersistentVolumeClaims|persistentvolumeclaims? \"(?P<name>[^\"]+)\"|didn't find available"
               r" persistent volumes|had volume node affinity conflict", per="owner"),
        Branch("PENDING-RESOURCES", "6-1", _SHORT, _SHORT_TITLE, (do(DESCRIBE_POD), fix.DESCRIBE_NODE),
               r"Insufficient (?:cpu|memory|ephemeral-storage|pods)|Too many pods|"
               r"node\.kubernetes\.io/(?:disk|memory|pid)-pressure(?!:NoExecute op=)", per="owner"),
        Branch("PENDING-TAINT", "6-1", msg("Pending: a taint that the pod does not tolerate"),
               msg("no node takes {objects}: it does not tolerate their taints"), (fix.DESCRIBE_NODE,),
               r"untolerated taint|had taints? |were unschedulable", then=("TAINTS",), per="owner"),
    ),
    remedy=ITS_EVENTS,
)  # fmt: skip

TAINTS = Tree(
    "TAINTS", "6-1", msg("Pending: a taint that the pod does not tolerate"), (ids.DESCRIBE_NODE,),
    (
        Branch("PENDING-RESOURCES", "6-1", _SHORT, _SHORT_TITLE, (fix.DESCRIBE_NODE, fix.DISK_SPACE, fix.FREE_DISK),
               r"^(?:Taints:)?\s+node\.kubernetes\.io/(?:disk|memory|pid)-pressure:|^\s+(?:Memory|Disk|PID)Pressure\s+True\s",
               per="owner"),
        Branch("PENDING-CORDONED", "0", msg("Pending: the node is cordoned"),
               msg("no node takes {objects}: its node is cordoned"), (fix.UNCORDON,),
               r"^(?:Taints:)?\s+node\.kubernetes\.io/unschedulable:|^Unschedulable:\s+true", per="owner"),
        Branch("PENDING-NODE", "0", msg("Pending: the node is not Ready"),
               msg("no node takes {objects}: its node is not Ready"), (fix.DESCRIBE_NODE, fix.K3S_STATUS),
               r"^(?:Taints:)?\s+node\.kubernetes\.io/(?:not-ready|unreachable|network-unavailable):", per="owner"),
        Branch("PENDING-TAINT", "6-1", msg("Pending: a taint that the pod does not tolerate"),
               msg("no node takes {objects}: it does not tolerate a taint that somebody set"),
               (fix.DESCRIBE_NODE, fix.REMOVE_TAINT),
               r"^Taints:\s+(?P<taint>[\w./-]+(?:=[^:\s]*)?:(?:NoSchedule|NoExecute))", per="owner"),
    ),
    target="node",
)  # fmt: skip

CREATING = Tree(
    "CREATING", "6-1", verbatim("ContainerCreating"), (ids.DESCRIBE_POD,),
    (
        Branch("SANDBOX-NETWORK", "6-1", msg("ContainerCreating: the pod gets no network"),
               msg("{objects} gets no network: flannel has not started on the node"),
               (fix.K3S_STATUS, fix.CHECK_NETWORK, fix.RESTART_K3S),
               r"Failed to create pod sandbox.*subnet\.env", per="owner"),
        Branch("SANDBOX-FAILED", "6-1", msg("ContainerCreating: the pod's sandbox is not made"),
               msg("the container runtime makes no sandbox for {objects}"), (*ITS_EVENTS, fix.K3S_STATUS),
               r"FailedCreatePodSandBox", per="owner"),
        Branch("MOUNT-FAILED", "6-1", msg("ContainerCreating: a volume cannot be mounted"),
               msg("a volume of {objects} cannot be mounted"), (do(DESCRIBE_POD),),
               r"FailedMount|FailedAttachVolume|MountVolume\.\S+ failed|Unable to (?:attach or )?mount", per="owner"),
    ),
    remedy=ITS_EVENTS,
)  # fmt: skip

CONFIG_ERROR = Tree(
    "CONFIG-ERROR", "3-3", verbatim("CreateContainerConfigError"), (ids.DESCRIBE_POD,), (SECRET_ABSENT,),
    remedy=ITS_EVENTS,
)  # fmt: skip

READINESS = Tree(
    "READINESS", "6-1", verbatim("READY = 0/1"), (ids.DESCRIBE_POD, "step6-2-describe-{owner}"),
    (Branch("NOT-READY", "6-1", msg("READY = 0/1: the readinessProbe fails"),
            msg("the readinessProbe of {objects} fails"),
            (do(DESCRIBE_POD, msg("what does the probe ask for, and does /health answer there? (Step 7)")),),
            r"Readiness probe (?:failed|errored)", per="owner"),),
    remedy=ITS_EVENTS,
)  # fmt: skip

POD_TREES = (
    CRASH, CRASH_LOG, CRASH_STATE, IMAGE, PENDING, TAINTS, CREATING, CONFIG_ERROR, READINESS,
)  # fmt: skip
