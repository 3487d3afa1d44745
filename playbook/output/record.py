"""Who ran a verification, with what, on which cluster, and what it changed there: rows for the report."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from ..guide import ids
from ..model import Provenance, Session
from ..text import Message, msg
from .escaping import code, text
from .labels import ended, moment

_CHANGES = {
    ids.WRITE_DATA: msg("a file .write_test was written to the data volume and removed"),
    ids.WRITE_LOGS: msg("a file .write_test was written to the log volume and removed"),
    ids.HEALTH_VIA_SERVICE: msg("the pod tmp-curl was created and removed"),
    ids.REMOVE_TMP_CURL: msg("the pod tmp-curl was removed"),
    ids.DELETE_OBSERVER: msg("the pods of observer were deleted"),
    ids.DELETE_POSTGRES: msg("the pod postgres-0 was deleted"),
    ids.CREATE_OBSERVER_SECRETS: msg("the Secret observer-secrets was created"),
    ids.CREATE_NAMESPACE: msg("the namespace observer-prod was created"),
    ids.APPLY_PRODUCTION: msg("the manifests of production were applied"),
}
"""What each command that changes the cluster is meant to change; its outcome says whether it did."""


def record_rows(session: Session) -> tuple[tuple[str, str], ...]:
    """What is known of people, tools and cluster; the cells are Markdown."""
    made = session.provenance or Provenance("", "")
    cluster = session.cluster
    rows: tuple[tuple[Message, str], ...] = (
        (msg("Session opened by"), text(session.operator)),
        (msg("Last attempt by"), text(made.operator)),
        (msg("Local time"), _local(session, made.zone)),
        (msg("Cluster UID (namespace kube-system)"), code(made.cluster_uid, cell=True)),
        (msg("Server version"), text(made.server)),
        (msg("Nodes"), text(", ".join(cluster.nodes)) if cluster else ""),
        (msg("API server"), code(cluster.server, cell=True) if cluster else ""),
        (msg("Context and user"), text(" / ".join(filter(None, (made.context, made.user))))),
        (msg("kubectl"), code(made.kubectl, cell=True)),
        (msg("SHA-256 of kubectl"), code(made.kubectl_sha256, cell=True)),
        (msg("Program version"), text(made.program)),
    )
    return tuple((str(name), value or "-") for name, value in rows)


def image_rows(session: Session) -> tuple[tuple[str, ...], ...]:
    """Pod, image and digest of each container; the cells are Markdown."""
    images = session.provenance.images if session.provenance else ()
    return tuple(tuple(code(cell, cell=True) for cell in row) for row in images)


def change_rows(session: Session) -> tuple[tuple[str, ...], ...]:
    """Every command that changed the cluster, when, and how it ended; the cells are Markdown."""
    return tuple(
        (moment(run.started_at), code(run.command, cell=True), str(_CHANGES.get(run.command, "")) or "-", ended(run))
        for run in session.changes
    )


def _local(session: Session, zone: str) -> str:
    """Beginning and end by the clock on the wall of the machine, with its zone."""
    if not zone:
        return ""
    away = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6])) * (-1 if zone[0] == "-" else 1)
    moments = (session.started_at, session.ended_at)
    return " - ".join(_in(at, timezone(away)) for at in moments if at)


def _in(at: datetime, zone: timezone) -> str:
    return at.astimezone(zone).isoformat(" ", "seconds")
