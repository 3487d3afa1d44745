"""Step 0: is the API server reached, is every node Ready, and is it K3s?"""

from __future__ import annotations

import re
from shlex import quote

from ..errors import UnreadableText
from ..kubectl.failures import Failure, FailureKind, failure
from ..kubectl.tables import Row, lines, plain
from ..model import Cluster, Finding, Remedy, Run, Runs, Verdict
from ..text import msg, verbatim
from .base import Step
from .findings import advise, do, finding, unseen
from .reading import NotSeen, all_unseen, not_there, read_rows

INFO, NODES = "step0-cluster-info", "step0-nodes"

_RUNNING = re.compile(r"Kubernetes (?:control plane|master) is running at (\S+)$")
_REACHED = msg("the API server answers")
_READY = "STATUS = Ready"
_K3S = "VERSION = v…+k3s…"

_KUBECONFIG = advise(msg("check the kubeconfig path: {path}", path="/etc/rancher/k3s/k3s.yaml"))
_K3S_STATUS = do("systemctl status k3s", msg("on the server, over SSH"))
_ABNORMAL = {
    FailureKind.CONNECTION_REFUSED: (_KUBECONFIG, _K3S_STATUS),  # a wrong kubeconfig, or a cluster that is down
    FailureKind.UNREACHABLE: (_K3S_STATUS,),  # the network
}
"""The guide's rows for an API server that is not reached."""

_NO_ANSWER = {*_ABNORMAL, FailureKind.TIMEOUT, FailureKind.KUBECONFIG, FailureKind.UNAUTHORIZED}


def judge(runs: Runs) -> tuple[Finding, ...]:
    """API-REACHED, and for each node NODE-READY and K3S-VERSION."""
    return (_reached(runs), *_nodes(runs.last(NODES)))


def cluster_of(runs: Runs) -> Cluster | None:
    """Which cluster answered: its server by cluster-info, its nodes by name; None when neither is known."""
    server = _server(runs.last(INFO))
    try:
        nodes = tuple(row["NAME"] for row in _rows(runs.last(NODES)))
    except NotSeen:
        nodes = ()
    if server is None and not nodes:
        return None
    return Cluster(server[1] if server else "?", nodes)


def api_unreachable(runs: Runs) -> bool:
    """Whether no command of the step got an answer, so that the run ends here.

    Forbidden is an answer; a recording without the step says nothing either way.
    """
    if _answer(runs):
        return False
    troubles = {found.kind for run in (runs.last(INFO), runs.last(NODES)) if (found := failure(run))}
    return bool(troubles & _NO_ANSWER)


def _server(run: Run) -> tuple[int, str] | None:
    """The line and the address of `Kubernetes control plane is running at …`; None when it was not printed."""
    try:
        for number, line in lines(plain(run.out)):
            found = _RUNNING.match(line)
            if found:
                return number, found.group(1)
    except UnreadableText:
        pass  # cut in the middle: the line that counts was not complete
    return None


def _rows(run: Run) -> tuple[Row, ...]:
    return read_rows(run, "NAME", "STATUS", "VERSION")


def _answer(runs: Runs) -> Finding | None:
    """The finding that says how the API server answered, or None when it did not."""
    info, nodes = runs.last(INFO), runs.last(NODES)
    summary = msg("the API server was reached")
    server = _server(info)
    if server:
        return finding(
            "API-REACHED", "0", Verdict.PASS, summary, _REACHED, plain(_line(info, server[0])), info, server[0]
        )
    try:
        rows = _rows(nodes)
        return finding(
            "API-REACHED",
            "0",
            Verdict.PASS,
            summary,
            _REACHED,
            msg("it answered {command}", command=NODES),
            nodes,
            rows[0].line if rows else None,
        )
    except NotSeen:
        pass
    for run in (info, nodes):
        found = failure(run)
        if found and found.kind is FailureKind.FORBIDDEN:
            said = msg("it answered: Forbidden, which is an answer too")
            return finding("API-REACHED", "0", Verdict.PASS, summary, _REACHED, said, run)
    return None


def _line(run: Run, number: int) -> str:
    return run.out.split("\n")[number - 1].strip()


def _reached(runs: Runs) -> Finding:
    answer = _answer(runs)
    if answer:
        return answer
    info, nodes = runs.last(INFO), runs.last(NODES)
    for run in (info, nodes):
        found = failure(run)
        if found and found.kind in _ABNORMAL and _as_the_guide_has_it(found):
            return not_there(
                "API-REACHED", "0", run, found, msg("the API server was not reached"), _REACHED, _ABNORMAL[found.kind]
            )
    return unseen("API-REACHED", "0", info if info.happened else nodes, _REACHED)


def _as_the_guide_has_it(why: Failure) -> bool:
    """Whether it is a symptom of the guide's table; an answer that breaks off is not, it is only unseen."""
    return why.kind is not FailureKind.UNREACHABLE or "Unable to connect to the server" in why.text


def _nodes(run: Run) -> tuple[Finding, ...]:
    try:
        rows = _rows(run)
    except NotSeen as why:
        return (*all_unseen(("NODE-READY",), "0", run, _READY, why), *all_unseen(("K3S-VERSION",), "0", run, _K3S, why))
    if not rows:
        return (finding("NODE-READY", "0", Verdict.FAIL, msg("there is no node"), _READY, "No resources found", run),)
    return tuple(found for row in rows for found in (_ready(row, run), _version(row, run)))


def _ready(row: Row, run: Run) -> Finding:
    name, status = row["NAME"], row["STATUS"]
    code, said = f"NODE-READY/{name}", verbatim(f"STATUS = {status}")
    if status == "Ready":
        return finding(code, "0", Verdict.PASS, msg("node {name} is Ready", name=name), _READY, said, run, row.line)
    remedy: tuple[Remedy, ...] = (do(f"kubectl describe node {quote(name)}", msg("look at its Conditions")),)
    return finding(
        code, "0", Verdict.FAIL, msg("node {name} is not plainly Ready", name=name), _READY, said, run, row.line, remedy
    )


def _version(row: Row, run: Run) -> Finding:
    name, version = row["NAME"], row["VERSION"]
    code, said = f"K3S-VERSION/{name}", verbatim(f"VERSION = {version}")
    if not version or version.startswith("<"):
        return unseen(code, "0", run, _K3S, said)
    if "+k3s" in version:
        return finding(code, "0", Verdict.PASS, msg("node {name} runs K3s", name=name), _K3S, said, run, row.line)
    return finding(code, "0", Verdict.WARN, msg("node {name} does not run K3s", name=name), _K3S, said, run, row.line)


STEP = Step(
    "0",
    msg("Cluster connection"),
    (INFO, NODES),
    judge,
    always=True,
    cluster_of=cluster_of,
    is_dead_end=api_unreachable,
)
