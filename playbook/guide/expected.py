"""What the guide lists as the normal state, once: names, keys, sizes, ports and paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

OBSERVER_ROOT = "/opt/platform/runtime/observer"
DATA_DIRECTORY = f"{OBSERVER_ROOT}/data"
"""Where Observer writes its JSONL files: what Step 8 counts."""
TIME_ZONE = "Asia/Seoul"

STORAGE_CLASS = "local-path"
STORAGE_DIRECTORY = "/var/lib/rancher/k3s/storage/"

PVCS: Mapping[str, str] = {
    "observer-db-pvc": "10Gi",
    "observer-data-pvc": "20Gi",
    "observer-logs-pvc": "5Gi",
    "observer-universe-pvc": "1Gi",
}
"""Step 2: the four PVCs and their capacity."""

SEALED_SECRETS = ("obs-db-secret", "obs-kis-secret", "obs-kiwoom-secret")
"""Step 3-2: the SealedSecrets, and the Secrets of the same names that come of them."""

OBSERVER_SECRETS = "observer-secrets"
SECRET_KEYS = (
    "DB_PASSWORD", "DB_USER", "KIS_APP_KEY", "KIS_APP_SECRET", "KIS_HTS_ID", "PGDATABASE", "PGHOST", "PGPASSWORD",
    "PGPORT", "PGUSER", "POSTGRES_DB", "POSTGRES_PASSWORD", "POSTGRES_USER",
)  # fmt: skip
"""Step 3-4: the thirteen keys of observer-secrets."""

GHCR_SECRET = "ghcr-secret"
GHCR_SECRET_TYPE = "kubernetes.io/dockerconfigjson"

CONFIG_MAP = "observer-config"
CONFIG_KEYS = (
    "DB_HOST", "DB_NAME", "DB_PORT", "KIS_TOKEN_CACHE_DIR", "LOG_FORMAT", "LOG_LEVEL", "OBSERVER_CONFIG_DIR",
    "OBSERVER_DATA_DIR", "OBSERVER_LOG_DIR", "OBSERVER_MAINTENANCE_LOG_DIR", "OBSERVER_SNAPSHOT_DIR",
    "OBSERVER_STANDALONE", "OBSERVER_SYSTEM_LOG_DIR", "PYTHONUNBUFFERED", "SERVICE_PORT",
)  # fmt: skip
"""Step 4: the keys of observer-config. The guide's text says 14, its list has these 15; the list decides."""

CONFIG_PATHS: Mapping[str, str] = {
    "OBSERVER_DATA_DIR": f"{OBSERVER_ROOT}/data",
    "OBSERVER_LOG_DIR": f"{OBSERVER_ROOT}/logs",
    "OBSERVER_CONFIG_DIR": f"{OBSERVER_ROOT}/config",
    "OBSERVER_SNAPSHOT_DIR": f"{OBSERVER_ROOT}/universe",
}
"""Step 4: the path contract between ConfigMap and volume mounts."""


@dataclass(frozen=True, slots=True)
class ExpectedService:
    """One row of Step 5: a headless Service has no cluster IP."""

    name: str
    port: str
    headless: bool = False
    type: str = "ClusterIP"


SERVICES = (
    ExpectedService("observer", "8000/TCP"),
    ExpectedService("postgres", "5432/TCP"),
    ExpectedService("postgres-headless", "5432/TCP", headless=True),
)

OBSERVER_DEPLOYMENT = "observer"
OBSERVER_REPLICAS = 2
POSTGRES_POD = "postgres-0"
TMP_CURL = "tmp-curl"
"""The pod that Step 7-2 makes and removes."""

MOUNTS: Mapping[str, str] = {name: f"{OBSERVER_ROOT}/{name}" for name in ("data", "logs", "universe")}
"""Step 6-5: the three volumes of an observer pod."""
