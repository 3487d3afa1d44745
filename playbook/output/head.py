"""The first page's table: which cluster, by whom, when, with what, and what was changed. Cells are Markdown."""

from __future__ import annotations

from ..model import NAMESPACE, Provenance, Session
from ..text import msg
from .changes import change, changing_runs
from .escaping import code, text
from .labels import moment


def head_rows(session: Session) -> list[tuple[str, str]]:
    """Name and value of each row; what is not known of the tools is left out."""
    cluster, how = session.cluster, session.provenance
    unseen = str(msg("not seen"))
    changed = "<br>".join(text(change(run)) for run in changing_runs(session))
    server = (code(cluster.server, cell=True) or "-") if cluster else unseen
    version = f", {text(how.server)}" if how and how.server else ""
    return [
        (str(msg("Cluster")), server + version),
        (str(msg("Nodes")), (text(", ".join(cluster.nodes)) or "-") if cluster else unseen),
        (str(msg("Namespace")), code(cluster.namespace if cluster else NAMESPACE, cell=True)),
        (str(msg("Run by")), text(session.operator) or "-"),
        (str(msg("Started")), moment(session.started_at)),
        (str(msg("Ended")), moment(session.ended_at)),
        (str(msg("Attempts")), str(session.attempts)),
        (str(msg("Changed on the cluster")), changed or str(msg("nothing"))),
        *(_how(how) if how else ()),
        (str(msg("Guide version")), text(session.guide_version)),
        (str(msg("Session")), code(session.id, cell=True)),
        (str(msg("Journal digest")), code(session.digest, cell=True) or "-"),
    ]


def _how(how: Provenance) -> list[tuple[str, str]]:
    """By what the commands were run."""
    tools = ", ".join(f"{name} {version}" for name, version in how.tools)
    digest = f", SHA-256 {code(how.kubectl_sha256[:16], cell=True)}" if how.kubectl_sha256 else ""
    access = msg(
        "kubeconfig {path}, context {context}, user {user}",
        path=how.kubeconfig or "-",
        context=how.context or "-",
        user=how.user or "-",
    )
    rows = [
        (msg("Program"), text(f"playbook {how.program}, commands/ {how.commands[:16]}")),
        (msg("Tools"), text(tools)),
        (
            msg("kubectl"),
            (code(how.kubectl, cell=True) + (" (K3s)" if how.k3s else "") + digest) if how.kubectl else "",
        ),
        (msg("Access"), text(access)),
        (msg("Not handed on to the commands"), text(", ".join(how.removed))),
        (msg("Read by the tools"), text(", ".join(how.noticed))),
    ]
    return [(str(name), value) for name, value in rows if value]
