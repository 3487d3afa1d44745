"""The first page's tables: which cluster, by whom, when, what was changed; folded: by what. Cells are Markdown."""

from __future__ import annotations

import re
from datetime import timedelta, timezone

from ..model import NAMESPACE, Provenance, Run, Session
from ..text import msg
from .changes import change, changing_runs, is_confirmed
from .escaping import code, text
from .labels import moment


def head_rows(session: Session) -> list[tuple[str, str]]:
    """What everybody asks first, in a table that leaves room for the steps on the first page: name and value of each row."""
    cluster, how = session.cluster, session.provenance
    unseen = str(msg("not seen"))
    changed = "<br>".join(map(_changed, changing_runs(session)))
    server = (code(cluster.server, cell=True) or "-") if cluster else unseen
    version = f", {text(how.server)}" if how and how.server else ""
    return [
        (str(msg("Cluster")), server + version),
        (str(msg("Nodes")), (text(", ".join(cluster.nodes)) or "-") if cluster else unseen),
        (str(msg("Namespace")), code(cluster.namespace if cluster else NAMESPACE, cell=True)),
        (str(msg("Run by")), text(", ".join(_people(session))) or "-"),
        (str(msg("Started")), moment(session.started_at)),
        (str(msg("Ended")), moment(session.ended_at)),
        *(((str(msg("Local time")), _local(session, how.zone)),) if how and how.zone else ()),
        (str(msg("Attempts")), str(session.attempts)),
        (str(msg("Changed on the cluster")), changed or str(msg("nothing"))),
        *(((str(msg("Tools")), _tools(how)),) if how and how.tools else ()),
    ]


def _changed(run: Run) -> str:
    return text(change(run)) if is_confirmed(run) else f"{msg('not confirmed')}: {text(change(run))}"


def more_rows(session: Session) -> list[tuple[str, str]]:
    """By what exactly the commands were run; what is not known is left out."""
    how = session.provenance
    uid = (str(msg("Cluster UID (namespace kube-system)")), code(how.cluster_uid, cell=True) if how else "")
    return [
        *((uid,) if uid[1] else ()),
        *(_how(how) if how else ()),
        (str(msg("Guide version")), text(session.guide_version)),
        (str(msg("Session")), code(session.id, cell=True)),
        (str(msg("Journal digest")), code(session.digest, cell=True) or "-"),
    ]


def _people(session: Session) -> tuple[str, ...]:
    """Who opened the session, and who made its last attempt when it was another."""
    last = session.provenance.operator if session.provenance else ""
    return tuple(dict.fromkeys(filter(None, (session.operator, last))))


def _local(session: Session, zone: str) -> str:
    """Beginning and end by the machine's own clock, with its zone (`+09:00`)."""
    found = re.fullmatch(r"([+-])(\d\d):(\d\d)", zone)
    if not found:
        return text(zone)
    away = timedelta(hours=int(found[2]), minutes=int(found[3])) * (-1 if found[1] == "-" else 1)
    moments = (at for at in (session.started_at, session.ended_at) if at)
    return " … ".join(at.astimezone(timezone(away)).isoformat(" ", "seconds") for at in moments)


def _tools(how: Provenance) -> str:
    return text(", ".join(f"{name} {version}" for name, version in how.tools))


def _how(how: Provenance) -> list[tuple[str, str]]:
    digest = f", SHA-256 {code(how.kubectl_sha256[:16], cell=True)}" if how.kubectl_sha256 else ""
    access = msg(
        "kubeconfig {path}, context {context}, user {user}",
        path=how.kubeconfig or "-",
        context=how.context or "-",
        user=how.user or "-",
    )
    switched_off = [name for name in how.noticed if name.endswith("kuberc")]
    rows = [
        (msg("Program"), text(f"playbook {how.program}, commands/ {how.commands[:16]}")),
        (
            msg("kubectl"),
            (code(how.kubectl, cell=True) + (" (K3s)" if how.k3s else "") + digest) if how.kubectl else "",
        ),
        (msg("Access"), text(access)),
        (
            msg("Images"),
            "<br>".join(f"{text(pod)}: {text(image)}, {text(digest)}" for pod, image, digest in how.images),
        ),
        (msg("Not handed on to the commands"), text(", ".join((*how.removed, *switched_off)))),
        (msg("Read by the tools"), text(", ".join(name for name in how.noticed if name not in switched_off))),
    ]
    return [(str(name), value) for name, value in rows if value]
