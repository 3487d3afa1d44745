"""Step 0: is the API server reached, is every node Ready, and is it K3s?"""

from __future__ import annotations

from shlex import quote

from ..errors import UnreadableText
from ..guide import ids
from ..guide.codes import Code
from ..guide.remedies import CHECK_KUBECONFIG, FOR_A_CERTIFICATE, K3S_STATUS, WITHOUT_A_KUBECONFIG, describe_node
from ..guide.remedy import do
from ..kubectl.cluster import ControlPlane, Node, control_plane, nodes
from ..kubectl.failures import Failure, FailureKind, failure
from ..model import Cluster, Finding, Run, Runs
from ..text import msg, verbatim
from .base import Step
from .question import Question
from .reading import NotSeen, read_rows

_ABNORMAL = {
    FailureKind.CONNECTION_REFUSED: (CHECK_KUBECONFIG, K3S_STATUS),  # a wrong kubeconfig, or a cluster that is down
    FailureKind.KUBECONFIG_ABSENT: WITHOUT_A_KUBECONFIG,
    FailureKind.UNREACHABLE: (K3S_STATUS,),  # the network
    FailureKind.CERTIFICATE: FOR_A_CERTIFICATE,
}
"""The guide's rows for an API server that is not reached."""

_NO_ANSWER = {
    *_ABNORMAL,
    FailureKind.TIMEOUT,
    FailureKind.KUBECONFIG,
    FailureKind.CREDENTIALS,
    FailureKind.KUBECONFIG_UNREADABLE,
    FailureKind.UNAUTHORIZED,
}


def judge(runs: Runs) -> tuple[Finding, ...]:
    """API-REACHED, and for each node NODE-READY and K3S-VERSION."""
    return (_answered(runs) or _not_answered(runs), *_nodes(runs.last(ids.NODES)))


def cluster_of(runs: Runs) -> Cluster | None:
    """Which cluster answered: its server by cluster-info, its nodes by name; None when neither is known."""
    server = _server(runs.last(ids.CLUSTER_INFO))
    try:
        names = tuple(node.name for node in read_rows(runs.last(ids.NODES), nodes))
    except NotSeen:
        names = ()
    return Cluster(server.address if server else "?", names) if server or names else None


def api_unreachable(runs: Runs) -> bool:
    """Whether no command of the step got an answer, so that the run ends here.

    Forbidden is an answer; a recording without the step says nothing either way.
    """
    kinds = {why.kind for run in _both(runs) if (why := failure(run))}
    return not _answered(runs) and bool(kinds & _NO_ANSWER)


def _both(runs: Runs) -> tuple[Run, Run]:
    return runs.last(ids.CLUSTER_INFO), runs.last(ids.NODES)


def _server(run: Run) -> ControlPlane | None:
    try:
        return control_plane(run.out)
    except UnreadableText:
        return None


def _asked(run: Run) -> Question:
    return Question(Code.API_REACHED, "0", msg("the API server answers"), run)


def _answered(runs: Runs) -> Finding | None:
    """The finding that says how the API server answered, or None when it did not."""
    info, listed = _both(runs)
    summary = msg("the API server was reached")
    if server := _server(info):
        return _asked(info).passed(summary, server.text, server.line)
    try:
        rows = read_rows(listed, nodes)
        line = rows[0].line if rows else None
        return _asked(listed).passed(summary, msg("it answered {command}", command=ids.NODES), line)
    except NotSeen:
        pass
    for run in (info, listed):
        if (why := failure(run)) and why.kind is FailureKind.FORBIDDEN:
            return _asked(run).passed(summary, msg("it answered: Forbidden, which is an answer too"))
    return None


def _not_answered(runs: Runs) -> Finding:
    info, listed = _both(runs)
    for run in (info, listed):
        why = failure(run)
        if why and why.kind in _ABNORMAL and _is_the_guides(why):
            return _asked(run).failed_by(why, msg("the API server was not reached"), *_ABNORMAL[why.kind])
    return _asked(info if info.happened else listed).unseen()


def _is_the_guides(why: Failure) -> bool:
    """Whether it is a symptom of the guide's table; an answer that breaks off is not, it is only unseen."""
    return any(words in why.text for words in ("was refused", "Unable to connect to the server"))


def _nodes(run: Run) -> tuple[Finding, ...]:
    ready = Question(Code.NODE_READY, "0", "STATUS = Ready", run)
    k3s = Question(Code.K3S_VERSION, "0", "VERSION = v…+k3s…", run)
    try:
        rows = read_rows(run, nodes)
    except NotSeen as why:
        return ready.unseen(why), k3s.unseen(why)
    if not rows:
        return (ready.failed(msg("there is no node"), "No resources found"),)
    return tuple(found for node in rows for found in (_ready(node, ready), _k3s(node, k3s)))


def _ready(node: Node, question: Question) -> Finding:
    asked, seen = question.of(node.name), f"STATUS = {node.status}"
    if node.status == "Ready":
        return asked.passed(msg("node {name} is Ready", name=node.name), seen, node.line)
    summary = msg("node {name} is not plainly Ready", name=node.name)
    remedy = do(describe_node(quote(node.name)), msg("look at its Conditions"))
    return asked.failed(summary, seen, node.line, remedy)


def _k3s(node: Node, question: Question) -> Finding:
    asked, seen = question.of(node.name), f"VERSION = {node.version}"
    if not node.version or node.version.startswith("<"):
        return asked.unseen(verbatim(seen))
    if "+k3s" in node.version:
        return asked.passed(msg("node {name} runs K3s", name=node.name), seen, node.line)
    return asked.warned(msg("node {name} does not run K3s", name=node.name), seen, node.line)


COMMANDS = (ids.CLUSTER_INFO, ids.NODES)
STEP = Step(
    "0", msg("Cluster connection"), COMMANDS, judge, always=True, cluster_of=cluster_of, is_dead_end=api_unreachable
)
