"""Which commands print free text: all but those whose columns, names or numbers a judge reads by their place."""

from __future__ import annotations

from ...guide import ids

COLUMNS = frozenset({
    ids.CLUSTER_INFO, ids.NODES, ids.NAMESPACE, ids.CLAIMS, ids.STORAGE_DIRECTORY, ids.SEALED_CONTROLLER,
    ids.SEALED_SECRETS, ids.GENERATED_SECRETS, ids.OBSERVER_SECRETS, ids.SECRET_KEYS, ids.SECRET_KEYS_JQ,
    ids.GHCR_SECRET, ids.CONFIG_KEYS, ids.SERVICES, ids.PODS, ids.ENV, ids.MOUNTS, ids.PORT_FORWARD,
    ids.LIST_FILES_BEFORE, ids.COUNT_FILES_BEFORE, ids.LIST_FILES_AFTER, ids.COUNT_FILES_AFTER,
    ids.COUNT_TABLES_BEFORE, ids.COUNT_TABLES_AFTER, ids.DELETE_OBSERVER, ids.DELETE_POSTGRES, ids.WAIT_OBSERVER,
    ids.WAIT_POSTGRES, ids.POD_SAMPLE, ids.RECENT_FILES, ids.STORAGE_CLASSES, ids.PROVISIONER, ids.REMOVE_TMP_CURL,
})  # fmt: skip
"""Tables, names and numbers: no log, description, event or setting among them."""


def is_free(command: str) -> bool:
    """Whether the command (a `Command.key`) prints free text.

    >>> is_free("step6-1-pods"), is_free("describe-pod.postgres-0"), is_free("step6-3-logs-observer")
    (False, True, True)
    """
    return command.partition(".")[0] not in COLUMNS
