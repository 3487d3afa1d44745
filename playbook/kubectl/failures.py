"""Why a command's output could not be read: kubectl's, bash's and our own ways of failing, told apart.

kubectl talks a lot on standard error while all is well. A run is classified by the last line that says something.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from ..model import Ended, Run


class FailureKind(str, Enum):
    """What went wrong, as far as the text tells."""

    FORBIDDEN = "forbidden"  # RBAC: `verb` and `resource` say what was asked for
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not-found"  # the object does not exist: `resource` names it
    NO_RESOURCES = "no-resources"  # a list came back empty
    CONNECTION_REFUSED = "connection-refused"  # the API server's port is closed
    UNREACHABLE = "unreachable"  # network, TLS or name resolution on the way to the API server
    KUBECONFIG = "kubeconfig"  # malformed, or it names what is not there
    KUBECONFIG_UNREADABLE = "kubeconfig-unreadable"  # the file is another user's: K3s' own is root's alone
    KUBECONFIG_ABSENT = "kubeconfig-absent"  # none at all: kubectl then asks localhost:8080
    CREDENTIALS = "credentials"  # the program that the kubeconfig names to get them is not there, or fails
    CERTIFICATE = "certificate"  # expired, not yet valid, or of an authority that the kubeconfig does not know
    SERVER = "server"  # the API server answered with an error of another kind
    NO_CONTAINER = "no-container"  # exec or logs: the container is not running
    NODE = "node"  # the API server could not reach the node's kubelet
    TOOL_MISSING = "tool-missing"
    TIMEOUT = "timeout"
    CUT = "cut"  # more was printed than is kept
    INTERRUPTED = "interrupted"
    NOT_RECORDED = "not-recorded"
    REFUSED = "refused"
    OTHER = "other"  # it failed, and `line` is all that is known


@dataclass(frozen=True, slots=True)
class Failure:
    """One classified failure: what, the line that says so (counted from 1 in standard error; 0: no line), the words of it."""

    kind: FailureKind
    text: str = ""
    line: int = 0
    verb: str = ""
    resource: str = ""


_SPAM = re.compile(
    r"memcache\.go:\d+\]|Unable to use a TTY|^Defaulted container|^Warning: |^warning: couldn't attach|"
    r"^If you don't see a command prompt|^All commands and output from this session|^W\d{4} |^I\d{4} |"
    r"^command terminated with exit code \d+$|^\s*$|"
    r"^(?:WARN|INFO|DEBU)\[\d+\] |^time=\"[^\"]*\" level=(?:warning|info|debug) |"  # K3s' kubectl is the k3s program
    r"^\t(?:Is the server running |TCP/IP connections |connections on |This probably means |before or while )|"
    r"^(?:DETAIL|HINT):  |"  # what psql adds to the line that has its reason
    r"^It looks like you are trying to use a client-go|^To learn more about this feature, |^ {6}https://kubernetes\.io/"
)

_KNOWN = {kind: re.compile(pattern) for kind, pattern in {
    FailureKind.FORBIDDEN:
        r"\(Forbidden\).*?(?:cannot (?P<verb>\w+) resource \"(?P<resource>[^\"]+)\"|$)|: forbidden: ",
    FailureKind.UNAUTHORIZED:
        r"(?i:\(Unauthorized\)|You must be logged in to the server|^error: .*unauthorized)",
    FailureKind.CREDENTIALS: r"getting credentials: ",
    FailureKind.KUBECONFIG_ABSENT:
        r"The connection to the server localhost:8080 was refused|no configuration has been provided|"
        r"stat [^:]*: no such file or directory$",
    FailureKind.CONNECTION_REFUSED: r"The connection to the server \S+ was refused",
    FailureKind.NODE:
        r"error dialing backend|Error from server: Get \"https://[^\"]+:10250/|:10250: (?:connect|i/o)|"
        r"proxy error from \S+ while dialing",
    FailureKind.NO_CONTAINER:
        r"container not found \(|is waiting to start: |does not have a host assigned|"
        r"cannot exec (?:into|in) a|completed pod|pod is not running\. Current status=",
    FailureKind.NOT_FOUND:
        r"\(NotFound\): (?P<resource>.+) not found$|"
        r"the server doesn't have a resource type \"(?P<type>sealedsecrets)\"",
    FailureKind.KUBECONFIG_UNREADABLE:
        r"(?:error loading config file|/etc/rancher/|kubeconfig|/\.kube/).*: permission denied",
    FailureKind.KUBECONFIG:
        r"error loading config file|[Ee]rror in configuration|invalid configuration|"
        r"unable to read (?:certificate-authority|client-cert|client-key) |"
        r"kubeconfig|context .* does not exist|no configuration has been provided|current-context",
    FailureKind.CERTIFICATE: r"x509: ",
    FailureKind.UNREACHABLE:
        r"Unable to connect to the server|no such host|no route to host|network is unreachable|i/o timeout|"
        r"TLS handshake|context deadline exceeded|Client\.Timeout|connection reset by peer|unexpected EOF|\bEOF$",
    FailureKind.NO_RESOURCES: r"^No resources found",
    FailureKind.TOOL_MISSING: r"(?:^|\s)(?P<resource>\S+): (?:command )?not found$",
    # A server that has no `nodes` or `secrets` is none: kubectl 1.20 says so when it was not told what there is.
    FailureKind.SERVER:
        r"^Error from server|^Error: |an error on the server|the server doesn't have a resource type",
}.items()}  # fmt: skip
"""Read from the top: a line is the first kind whose pattern it holds."""

_ENDS = 1000
"""How much of the beginning and the end of a very long line is looked at: what it says of itself stands there."""

_FAILING = re.compile(
    r"^(?:Error from server|error:|Error:|The connection to the server|Unable to connect|error |FATA\[\d+\] )"
)
"""Lines that mean failure even where a pipe has masked the exit status."""

_OWN = {
    Ended.TIMEOUT: FailureKind.TIMEOUT,
    Ended.CUT: FailureKind.CUT,
    Ended.INTERRUPTED: FailureKind.INTERRUPTED,
    Ended.NOT_RECORDED: FailureKind.NOT_RECORDED,
    Ended.NOT_FOUND: FailureKind.TOOL_MISSING,
    Ended.REFUSED: FailureKind.REFUSED,
}


def telling_line(run: Run) -> tuple[int, str]:
    """The last line of standard error that says something, counted from 1; `(0, "")` when there is none."""
    lines = run.err.splitlines()
    for number in range(len(lines), 0, -1):
        if not _SPAM.search(lines[number - 1]):
            return number, lines[number - 1]
    return 0, ""


def failure(run: Run) -> Failure | None:
    """Why `run` did not do what it was asked to, or None when nothing says so.

    A non-zero exit status is not enough by itself (`grep` without a match ends in 1, a pipe cut by `head` in 141): the caller
    knows which statuses are ordinary for its command. An error line is enough, whatever the status, because pipes mask it.
    """
    if run.ended in _OWN:
        return Failure(_OWN[run.ended], text=run.note or telling_line(run)[1])
    number, line = telling_line(run)
    if not line:
        return None
    ends = line if len(line) <= 2 * _ENDS else f"{line[:_ENDS]} {line[-_ENDS:]}"
    for kind, pattern in _KNOWN.items():
        found = pattern.search(ends)
        if not found:
            continue
        named = found.groupdict()
        resource = named.get("resource") or named.get("type") or ""
        return Failure(kind, line, number, named.get("verb") or "", resource)
    if run.exit_code not in (0, None) or _FAILING.search(line):
        return Failure(FailureKind.OTHER, line, number)
    return None
