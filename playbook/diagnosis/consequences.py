"""What follows from what, as data: the findings that a cause explains, by the objects named and the guide's flow."""

from __future__ import annotations

from dataclasses import dataclass

from ..guide.expected import CONFIG_KEYS, SECRET_KEYS
from .access_rows import CONNECT, REFUSED
from .pod_trees import DB_ERROR, UNRESOLVED


@dataclass(frozen=True, slots=True)
class Link:
    """Findings that follow from the causes `roots`; `{object}` stands for any name that the cause is about.

    They follow if they show `shows`, or if they could not be seen and `unseen` is set; with neither given, all of them.
    """

    roots: str
    codes: str
    shows: str = ""
    owner: str = ""  # only for a cause about pods of this workload
    unseen: bool = False


_SECRET = "|".join(SECRET_KEYS)
_CONFIG = "|".join(CONFIG_KEYS)
_EXEC = r"ENV-\w+(?:-\w+)*|(?:MOUNT|WRITE)(?:/.+)?|HEALTH-\w+|DB-CONNECTION|FILES-\w+|RESTART-OBSERVER|RECENT-FILES"
_PSQL = r"TABLES-\w+|RESTART-POSTGRES|(?:EVENTS|LOG)-POSTGRES"
_PODS = r"(?:POD-STATUS|CRASH-LOOP|POD-RESTARTS|STABLE|RESTART-LIMIT)/.+"
_NOT_UP = r"container not found|waiting to start|host assigned|pod is not running|completed pod|cannot exec"
_POD_CAUSES = r"(?:CRASH|IMAGE|PENDING|SANDBOX)-[\w-]+|MOUNT-FAILED|NOT-READY|UNMATCHED-POD"

LINKS: tuple[Link, ...] = (
    Link(r"(?:API|KUBECONFIG|CERTIFICATE|CREDENTIALS)-\w+|CLOCK-OFF|DATASTORE-SLOW", r".*", rf"{REFUSED}|{CONNECT}", unseen=True),
    Link(r"NODE-NOT-READY", r".*", r"error dialing backend|:10250|NodeNotReady|Node is not ready|"
                                   r"NodeStatusUnknown|\bnode\(s\) (?:had|were)|\s(?:Terminating|Unknown|NodeLost)\s"),
    Link(r"NODE-NOT-READY", rf"{_EXEC}|{_PSQL}", unseen=True),
    Link(r"NODE-CORDONED", rf"{_PODS}|EVENTS-\w+|NEW-POD", r"node\.kubernetes\.io/unschedulable|were unschedulable"),
    Link(r"NAMESPACE-ABSENT", r"(?!API|NODE|K3S|SEALED-CONTROLLER).*"),
    Link(r"PVC-[\w-]+|PROVISIONER-DOWN|STORAGE-CLASS-ABSENT", _PODS,
         r"ClaimName:\s+(?:{object})$|\"(?:{object})\""),
    Link(r"CONFIG-ABSENT", rf"CONFIG-\w+(?:/.+)?|ENV-CONFIG|{_PODS}|EVENTS-\w+|LOG-\w+",
         r"observer-config\\?\" not found|CreateContainerConfigError"),
    Link(r"PVC-[\w-]+|PROVISIONER-DOWN|STORAGE-CLASS-ABSENT", rf"PVC-\w+/(?:{{object}})|EVENTS-\w+|{_EXEC}",
         r"\"(?:{object})\"|unbound immediate PersistentVolumeClaims|host assigned|^(?:{object})\s"),
    Link(r"SEALED-CONTROLLER-DOWN", r"SEALED-SYNCED/.+", r"\sFalse\b"),
    Link(r"SEALED-CONTROLLER-DOWN", r"SEALED-SECRET/.+"),  # unless its SealedSecret is gone: that is a root of its own
    Link(r"SEALED-(?:WRONG-KEY|UNSYNCED)", r"SEALED-(?:SYNCED|SECRET)/(?:{object})"),
    Link(r"SECRET-ABSENT", rf"{_PODS}|EVENTS-\w+|LOG-\w+",
         r"CreateContainerConfigError|observer-secrets\\?\" not found"),
    Link(r"SECRET-ABSENT|CONFIG-ABSENT", rf"{_EXEC}|{_PSQL}", rf"{_NOT_UP}"),
    Link(r"SECRET-KEY-MISSING", r"ENV-SECRET"),
    Link(r"SECRET-KEY-MISSING", rf"{_PODS}|LOG-\w+",
         rf"KeyError: '(?:{_SECRET})'|You must specify POSTGRES|no password supplied"),
    Link(r"GHCR-SECRET-ABSENT", rf"{_PODS}|EVENTS-\w+",
         r"ghcr-secret|Failed to pull image.*(?:unauthorized|denied|401|403)"),
    Link(r"CONFIG-KEY-MISSING", r"ENV-CONFIG"),
    Link(r"CONFIG-KEY-MISSING", r"CONFIG-PATH/.+", r"= MISSING"),
    Link(r"CONFIG-KEY-MISSING", rf"{_PODS}|LOG-\w+", rf"KeyError: '(?:{_CONFIG})'"),
    Link(r"SERVICE-(?:ABSENT|PORT-WRONG)/observer", r"HEALTH-(?:SERVICE|FORWARD)"),
    Link(r"SERVICE-ABSENT/postgres", rf"DB-CONNECTION|TABLES-\w+|LOG-OBSERVER|{_PODS}",
         r"name resolution|not known|gaierror|could not translate host name|Name resolution failed"),
    Link(r"SERVICE-PORT-WRONG/postgres", rf"DB-CONNECTION|TABLES-\w+|LOG-OBSERVER|{_PODS}",
         rf"{DB_ERROR}|refused|timed out"),
    Link(r"POSTGRES-ABSENT", rf"{_PSQL}|EVENTS-POSTGRES"),
    Link(r"POSTGRES-ABSENT", rf"DB-CONNECTION|LOG-OBSERVER|{_PODS}", rf"{DB_ERROR}|refused|timed out|postgres-0"),
    Link(_POD_CAUSES, r"EVENTS-OBSERVER|LOG-OBSERVER|HEALTH-\w+|BASELINE", owner="observer"),
    Link(r"RESTARTED|STATUS-CHANGED", r"EVENTS-OBSERVER", r"[Bb]ack-?[Oo]ff|Unhealthy|Killing", owner="observer"),
    Link(r"RESTARTED|STATUS-CHANGED", r"EVENTS-POSTGRES", r"[Bb]ack-?[Oo]ff|Unhealthy|Killing", owner="postgres"),
    Link(_POD_CAUSES, _EXEC, _NOT_UP, owner="observer", unseen=True),
    Link(_POD_CAUSES, rf"{_PSQL}|BASELINE", owner="postgres"),
    Link(r"DNS-DOWN", rf"DB-CONNECTION|LOG-OBSERVER|HEALTH-SERVICE|{_PODS}", UNRESOLVED),
    Link(_POD_CAUSES, rf"DB-CONNECTION|LOG-OBSERVER|{_PODS}", rf"{DB_ERROR}|refused|timed out|postgres-0",
         owner="postgres"),
    # a node that is short of disk or memory evicts the controller, too
    Link(r"PENDING-RESOURCES", r"SEALED-CONTROLLER", r"\s(?:Completed|Error|Evicted|ContainerStatusUnknown|Pending)\s"),
    Link(r"OBSERVER-ABSENT", r"PVC-BOUND/.+", r"waiting for first consumer"),
    Link(r"OBSERVER-ABSENT", rf"{_EXEC}|EVENTS-OBSERVER|LOG-OBSERVER"),
    Link(r"REPLICAS", r"EVENTS-OBSERVER|LOG-OBSERVER", r"Unhealthy|Killing|unable to retrieve container logs"),
     # of the pod that goes
    Link(r"(?:SECRET|CONFIG|OBSERVER|POSTGRES)-ABSENT|REPLICAS|NODE-(?:NOT-READY|CORDONED)|STATUS-CHANGED", r"BASELINE"),
    Link(r"MOUNT-ABSENT|EPHEMERAL", r"(?:MOUNT|WRITE)/(?:{object})"),
    Link(r"(?:MOUNT-ABSENT|EPHEMERAL)/data", r"FILES-\w+|RESTART-OBSERVER|RECENT-FILES"),
    Link(r"DB-\w+", r"TABLES-\w+|LOG-OBSERVER", DB_ERROR),
)  # fmt: skip
