"""The guide's rows: what a finding means by itself, or which decision tree it leads to. Their order is the guide's."""

from __future__ import annotations

from ..guide import remedies as fix
from ..guide.expected import OBSERVER_DEPLOYMENT
from ..guide.remedy import advise, do
from ..kubectl.pods import deployment_pods
from ..text import msg, verbatim
from .access_rows import ACCESS_ROWS
from .branches import Branch, Row
from .pod_trees import DESCRIBE_POD, DNS_DOWN, PREVIOUS_LOG, SECRET_ABSENT, UNRESOLVED
from .trees import NODE

RESTARTED = Branch(
    "RESTARTED", "9-2", msg("RESTARTS rose: read the log"), msg("{objects} has been restarted"),
    (do(PREVIOUS_LOG, msg("find out why the container crashes again and again")),), per="owner",
)  # fmt: skip

_GONE = r"\s(?:Terminating|Evicted|Failed|Error|Completed|ContainerStatusUnknown)\s"
_OBSERVER_POD = rf"[\s\S]*?^{deployment_pods(OBSERVER_DEPLOYMENT)}\s(?!.*{_GONE})"

ROWS: tuple[Row, ...] = (
    # Step 0
    *ACCESS_ROWS,
    Row("NODE-READY/.+", r"\bNotReady\b", NODE.branches[0], "NODE"),
    Row("NODE-READY/.+", r"\bSchedulingDisabled\b",
        Branch("NODE-CORDONED", "0", verbatim("STATUS = Ready,SchedulingDisabled"),
               msg("the node {objects} is cordoned: pods that run go on, no pod starts there"), (fix.UNCORDON, fix.DESCRIBE_NODE),
               per="object")),
    # Step 1
    Row("NAMESPACE-ACTIVE", r"not found",
        Branch("NAMESPACE-ABSENT", "1", verbatim("namespaces \"observer-prod\" not found"),
               msg("the namespace observer-prod does not exist"),
               (fix.CREATE_NAMESPACE,)), unseen=True),
    # Step 2
    Row("PVC-BOUND/.+", r"\sPending\s", tree="PVC"),
    Row("PVC-BOUND/.+", r"\sLost\s",
        Branch("PVC-LOST", "2", verbatim("STATUS = Lost"), msg("the volume of {objects} is gone"),
               (do(fix.describe_claim("{target}")), fix.RESTORE_VOLUME), per="object")),
    Row("PVC-BOUND/.+", r"(?s)\A(?!.*\s(?:Pending|Lost|Bound)\s)",
        Branch("PVC-ABSENT", "2", msg("a PVC is not there: the resource is missing from kustomization.yaml"),
               msg("{objects} does not exist"), (do(fix.APPLY),))),
    # Step 3
    Row("SEALED-CONTROLLER", "",
        Branch("SEALED-CONTROLLER-DOWN", "3-1", msg("the controller's pod is Running"),
               msg("the SealedSecret controller does not run"),
               (do(fix.GET_CONTROLLER, msg("find out why there is no Running controller pod")),))),
    Row("SEALED-SYNCED/.+", r"no key could decrypt secret",
        Branch("SEALED-WRONG-KEY", "3-2", verbatim("no key could decrypt secret"),
               msg("the controller cannot open {objects}: it was sealed for another key, or another name or namespace"),
               (fix.SEAL_ANEW, fix.OLD_SEALING_KEY), per="object")),
    Row("SEALED-SYNCED/.+", r"^obs-\S+\s+\S.*\sFalse\s",
        Branch("SEALED-UNSYNCED", "3-2", msg("the three SealedSecrets have made their Secrets"),
               msg("the controller makes no Secret of {objects}: its STATUS says why"),
               (fix.DESCRIBE_SEALED, fix.CONTROLLERS_LOG), per="object")),
    Row("SEALED-(?:SYNCED|SECRET)/.+", "",
        Branch("SEALED-SECRET-ABSENT", "3-2", msg("the three SealedSecrets have made their Secrets"),
               msg("{objects} is not there as SealedSecret and Secret"),
               (do(fix.APPLY, msg("once the resource is in kustomization.yaml")),), per="object")),
    Row("OBSERVER-SECRETS|SECRET-KEYS", r"observer-secrets\" not found", SECRET_ABSENT),
    Row("SECRET-KEYS", "",
        Branch("SECRET-KEY-MISSING", "3-4",
               msg("a key is missing: the pod fails while it runs"),
               msg("observer-secrets lacks a key"), fix.FILL_SECRET)),
    Row("GHCR-SECRET", "",
        Branch("GHCR-SECRET-ABSENT", "3-5", msg("without ghcr-secret the next pull ends in ImagePullBackOff"),
               msg("ghcr-secret is missing or of the wrong type; the next image pull fails"),
               (advise(msg("create ghcr-secret of the type kubernetes.io/dockerconfigjson")), do(fix.GET_GHCR)))),
    # Step 4
    Row("CONFIG-(?:YAML|KEYS|PATH)(?:/.+)?", r"observer-config\" not found",
        Branch("CONFIG-ABSENT", "4", msg("all keys of the guide's list are there"),
               msg("observer-config does not exist"),
               (do(fix.APPLY, msg("once the resource is in kustomization.yaml")),))),
    Row("CONFIG-KEYS", "",
        Branch("CONFIG-KEY-MISSING", "4", msg("all keys of the guide's list are there"),
               msg("observer-config lacks a key"),
               (do(fix.APPLY, msg("once the key is in the ConfigMap's manifest")),))),
    Row("CONFIG-PATH/.+", "",
        Branch("CONFIG-MISMATCH", "4", verbatim("MISMATCH"),
               msg("{objects} names another path than the one that is mounted"),
               (fix.CHECK_PATHS,))),
    # Step 5
    Row("SERVICE/.+", r"(?s)\A(?!.*\sClusterIP\s)(?!.*\s(?:NodePort|LoadBalancer|ExternalName)\s)",
        Branch("SERVICE-ABSENT", "5", msg("a Service is missing"), msg("the Service {objects} does not exist"),
               (do(fix.APPLY, msg("once the Service is in kustomization.yaml")),), per="object")),
    Row("SERVICE-PORT/.+", "",
        Branch("SERVICE-PORT-WRONG", "5", msg("the PORT does not match"),
               msg("the Service {objects} has another port than the guide's"),
               (advise(msg("check the base YAML: observer=8000, postgres=5432")), do(fix.APPLY, msg("once it is right"))),
               per="object")),
    # Step 6-1; what is wrong with postgres comes before what is wrong with observer, which needs it
    Row("PODS-PRESENT", r"\A(?![\s\S]*^postgres-0\s(?!.*\sTerminating\s))",
        Branch("POSTGRES-ABSENT", "7-4", msg("Connection refused: the postgres pod does not run"),
               msg("there is no pod postgres-0"),
               (do(fix.APPLY, msg("restores the replicas that the manifests ask for")),)), also=True),
    Row("(?:POD-STATUS|CRASH-LOOP|POD-RESTARTS|STABLE|RESTART-LIMIT)/.+",
        r"CrashLoopBackOff|\s(?:Init:)?(?:Error|OOMKilled|ExitCode:\d+|Signal:\d+|StartError|RunContainerError|ContainerCannotRun)\s",
        tree="CRASH"),
    Row("CRASH-LOOP/.+", "", tree="CRASH"),
    Row("POD-STATUS/.+", r"(?:ImagePullBackOff|ErrImagePull|ImageInspectError|InvalidImageName)", tree="IMAGE"),
    Row("POD-STATUS/.+", r"\sPending\s", tree="PENDING"),
    Row("POD-STATUS/.+", r"ContainerCreating|PodInitializing|Init:\d+/\d+", tree="CREATING"),
    Row("POD-STATUS/.+", r"CreateContainerConfigError", tree="CONFIG-ERROR"),
    Row("POD-STATUS/.+", r"\s0/\d+\s+Running\s", tree="READINESS"),
    Row("LOG-OBSERVER", r"PermissionError|ModuleNotFoundError|KeyError", tree="CRASH"),
    # Steps 6-5 and 6-6
    Row("MOUNT/.+", "",
        Branch("MOUNT-ABSENT", "6-5", verbatim("df -h | grep observer"), msg("no volume is mounted for {objects}"),
               (do(DESCRIBE_POD, msg("check how the PVCs are mounted")),), per="object"),
        "VOLUME"),
    Row("WRITE/.+", r"Permission denied",
        Branch("WRITE-DENIED", "6-6", verbatim("Permission denied"),
               msg("{objects} may not be written: fsGroup or runAsUser does not fit the owner of the PVC"),
               (advise(msg("compare fsGroup and runAsUser with the owner of the PVC's directory (Step 6-6)")),),
               per="object")),
    Row("WRITE/.+", r"Read-only file system",
        Branch("WRITE-READ-ONLY", "6-6", verbatim("Read-only file system"),
               msg("no writable volume is mounted for {objects}"),
               (do(DESCRIBE_POD, msg("check how the PVCs are mounted")),), per="object"),
        "READ-ONLY"),
    Row("PODS-PRESENT", rf"\A(?!{_OBSERVER_POD})",
        Branch("OBSERVER-ABSENT", "6-1", msg("two observer pods and postgres-0"), msg("there is no observer pod"),
               (do(fix.APPLY, msg("restores the replicas that the manifests ask for")),))),
    Row("PODS-PRESENT", rf"\A(?:(?!(?:{_OBSERVER_POD}){{2}})|(?=(?:{_OBSERVER_POD}){{3}}))",
        Branch("REPLICAS", "6-1", msg("two observer pods and postgres-0"), msg("observer does not have its two pods"),
               (do(fix.APPLY, msg("restores the replicas that the manifests ask for")),))),
    # Step 7-4
    Row("DB-CONNECTION", r"[Cc]onnection refused",
        Branch("DB-REFUSED", "7-4", verbatim("Connection refused"),
               msg("postgres refuses the connection: its pod does not run, or its Service is missing"),
               (do(fix.GET_PODS), do(fix.GET_SERVICES)))),
    Row("DB-CONNECTION", UNRESOLVED, DNS_DOWN),
    Row("DB-CONNECTION", UNRESOLVED,
        Branch("DB-NAME", "7-4", verbatim("Name resolution failed"),
               msg("the name of the database is not known: its Service is missing"),
               (do(fix.GET_SERVICES),))),
    # Step 8
    Row("(?:FILES|TABLES)-KEPT", "",
        Branch("DATA-LOST", "8-3", msg("files are missing: a PVC is not mounted, or an emptyDir is used"),
               msg("data was lost over the restart"),
               (do(DESCRIBE_POD, msg("check how the PVCs are mounted, and whether an emptyDir is used")),),
               per="object"),
        "VOLUME"),
    # Step 9-2
    Row("(?:RESTART-LIMIT|POD-RESTARTS)/.+", "", RESTARTED, "CRASH"),
    Row("STABLE/.+", r"\sRunning\s", RESTARTED, "CRASH"),
    Row("STABLE/.+", "",
        Branch("STATUS-CHANGED", "9-2", msg("STATUS changed: read describe and the events"),
               msg("{objects} did not stay Running"),
               (do(DESCRIBE_POD),), per="owner")),
)  # fmt: skip
