"""The codes of findings, each once. A finding is about one object by `CODE/name`, and by `CODE` where there is but one."""

from __future__ import annotations

from enum import Enum


class Code(str, Enum):
    """What the judges give findings about, in the guide's order."""

    API_REACHED = "API-REACHED"
    NODE_READY = "NODE-READY"
    K3S_VERSION = "K3S-VERSION"
    NAMESPACE_ACTIVE = "NAMESPACE-ACTIVE"
    PVC_BOUND = "PVC-BOUND"
    PVC_CAPACITY = "PVC-CAPACITY"
    PVC_CLASS = "PVC-CLASS"
    PVC_DIRECTORY = "PVC-DIRECTORY"
    SEALED_CONTROLLER = "SEALED-CONTROLLER"
    SEALED_SYNCED = "SEALED-SYNCED"
    SEALED_SECRET = "SEALED-SECRET"
    OBSERVER_SECRETS = "OBSERVER-SECRETS"
    SECRET_TYPE = "SECRET-TYPE"
    SECRET_DATA = "SECRET-DATA"
    SECRET_KEYS = "SECRET-KEYS"
    GHCR_SECRET = "GHCR-SECRET"
    CONFIG_YAML = "CONFIG-YAML"
    CONFIG_KEYS = "CONFIG-KEYS"
    CONFIG_PATH = "CONFIG-PATH"
    SERVICE = "SERVICE"
    SERVICE_PORT = "SERVICE-PORT"
    PODS_PRESENT = "PODS-PRESENT"
    POD_LEFTOVER = "POD-LEFTOVER"
    POD_STATUS = "POD-STATUS"
    POD_RESTARTS = "POD-RESTARTS"
    CRASH_LOOP = "CRASH-LOOP"
    EVENTS_OBSERVER = "EVENTS-OBSERVER"
    EVENTS_POSTGRES = "EVENTS-POSTGRES"
    LOG_OBSERVER = "LOG-OBSERVER"
    LOG_POSTGRES = "LOG-POSTGRES"
    ENV_CONFIG = "ENV-CONFIG"
    ENV_SECRET = "ENV-SECRET"
    ENV_POD_NAME = "ENV-POD-NAME"
    ENV_TZ = "ENV-TZ"
    MOUNT = "MOUNT"
    WRITE = "WRITE"
    HEALTH_POD = "HEALTH-POD"
    HEALTH_SERVICE = "HEALTH-SERVICE"
    NEW_POD = "NEW-POD"
    HEALTH_FORWARD = "HEALTH-FORWARD"
    DB_CONNECTION = "DB-CONNECTION"
    FILES_BEFORE = "FILES-BEFORE"
    RESTART_OBSERVER = "RESTART-OBSERVER"
    FILES_KEPT = "FILES-KEPT"
    TABLES_BEFORE = "TABLES-BEFORE"
    RESTART_POSTGRES = "RESTART-POSTGRES"
    TABLES_KEPT = "TABLES-KEPT"
    BASELINE = "BASELINE"
    STABLE = "STABLE"
    RESTART_LIMIT = "RESTART-LIMIT"
    RECENT_FILES = "RECENT-FILES"

    def __str__(self) -> str:
        return self.value


NOT_REACHED = "STEP"
"""The code of the one finding of a step that was not reached; no judge gives it."""


def family(code: str) -> str:
    """The code without the object it speaks of.

    >>> family("PVC-BOUND/observer-db-pvc")
    'PVC-BOUND'
    """
    return code.partition("/")[0]
