"""The rows of Step 0 that lead to no API server: the guide's two, and what the guide does not know of the way to it."""

from __future__ import annotations

from ..guide import remedies as fix
from ..kubectl.failures import FailureKind
from ..text import msg, verbatim
from .branches import Branch, Row

CONNECT = r"^Unable to connect to the server"
REFUSED = r"^The connection to the server \S+ was refused"

API_REFUSED = Branch(
    "API-REFUSED", "0", verbatim("The connection to the server was refused"),
    msg("the API server does not answer: the kubeconfig is wrong, or the cluster is down"),
    (fix.CHECK_KUBECONFIG, fix.K3S_STATUS),
)  # fmt: skip
API_UNREACHABLE = Branch(
    "API-UNREACHABLE", "0", verbatim("Unable to connect to the server"),
    msg("the way to the API server is cut: a network problem"),
    (fix.K3S_STATUS,),
)  # fmt: skip
UNREADABLE = Branch(
    "KUBECONFIG-UNREADABLE", "0", verbatim("open /etc/rancher/k3s/k3s.yaml: permission denied"),
    msg("this user may not read the kubeconfig; the API server was not even asked"), fix.FOR_AN_UNREADABLE_KUBECONFIG,
)  # fmt: skip
ABSENT = Branch(
    "KUBECONFIG-ABSENT", "0", verbatim("The connection to the server localhost:8080 was refused"),
    msg("kubectl has no kubeconfig; the API server was not even asked"), fix.WITHOUT_A_KUBECONFIG,
)  # fmt: skip
CLOCK_OFF = Branch(
    "CLOCK-OFF", "0", verbatim("x509: certificate is not yet valid"),
    msg("the clock here or on the server is wrong: the certificate is not valid yet"), (fix.CHECK_CLOCK, fix.SET_CLOCK),
)  # fmt: skip
EXPIRED = Branch(
    "CERTIFICATE-EXPIRED", "0", verbatim("x509: certificate has expired"),
    msg("a certificate of the cluster has expired, or the clock is wrong"),
    (fix.CHECK_CLOCK, fix.RENEW_CERTIFICATES, fix.COPY_KUBECONFIG),
)  # fmt: skip
UNKNOWN_AUTHORITY = Branch(
    "CERTIFICATE-UNKNOWN", "0", verbatim("x509: certificate signed by unknown authority"),
    msg("the API server's certificate is not the one that the kubeconfig knows"), (fix.CHECK_AUTHORITY, fix.COPY_KUBECONFIG),
)  # fmt: skip
CREDENTIALS = Branch(
    "CREDENTIALS-REFUSED", "0", verbatim("You must be logged in to the server"),
    msg("the API server does not accept the certificate or token of the kubeconfig: it is expired, or another cluster's"),
    (fix.COPY_KUBECONFIG, fix.RENEW_CERTIFICATES),
)  # fmt: skip
NO_CREDENTIALS = Branch(
    "CREDENTIALS-NOT-HAD", "0", verbatim("getting credentials: exec: executable … not found"),
    msg("the program that the kubeconfig names gives kubectl no credentials; the API server was not even asked"),
    fix.WITHOUT_CREDENTIALS,
)  # fmt: skip
DATASTORE_SLOW = Branch(
    "DATASTORE-SLOW", "0", verbatim("etcdserver: request timed out"),
    msg("the API server waits for its datastore: the disk of the server is too slow or full"),
    (fix.READ_K3S_LOG, fix.CHECK_DISK_SPEED, fix.DISK_SPACE),
)  # fmt: skip

_NOT_OF_A_LOG = r"(?!LOG-|EVENTS-).*"  # what an application says of its own connections is another matter
_BY_KUBECTL = r"^(?:Unable to connect to the server|[Ee]rror|E\d{4}).*"
_SLOW = (
    r"^Error from server.*(?:etcdserver: |database is locked|context deadline exceeded|request did not complete within|"
    r"apiserver not ready|the server was unable to return a response in the time allotted)"
)

ACCESS_ROWS: tuple[Row, ...] = (
    Row("API-REACHED", "", UNREADABLE, kinds=(FailureKind.KUBECONFIG_UNREADABLE,), unseen=True),
    Row("API-REACHED", "", ABSENT, kinds=(FailureKind.KUBECONFIG_ABSENT,), unseen=True),
    Row("API-REACHED", "", CREDENTIALS, kinds=(FailureKind.UNAUTHORIZED,), unseen=True),
    Row(_NOT_OF_A_LOG, "", NO_CREDENTIALS, kinds=(FailureKind.CREDENTIALS,), unseen=True),
    Row(_NOT_OF_A_LOG, rf"{_BY_KUBECTL}x509: .*is before ", CLOCK_OFF, unseen=True),
    Row(_NOT_OF_A_LOG, rf"{_BY_KUBECTL}x509: certificate has expired", EXPIRED, unseen=True),
    Row(_NOT_OF_A_LOG, rf"{_BY_KUBECTL}x509: ", UNKNOWN_AUTHORITY, unseen=True),
    Row(_NOT_OF_A_LOG, _SLOW, DATASTORE_SLOW, unseen=True),
    Row(_NOT_OF_A_LOG, REFUSED, API_REFUSED, unseen=True),
    Row("API-REACHED", "", API_REFUSED, kinds=(FailureKind.CONNECTION_REFUSED, FailureKind.KUBECONFIG), unseen=True),
    Row(_NOT_OF_A_LOG, CONNECT, API_UNREACHABLE, "K3S", unseen=True),
    Row("API-REACHED", "", API_UNREACHABLE, "K3S", kinds=(FailureKind.UNREACHABLE, FailureKind.TIMEOUT), unseen=True),
)
"""Read from the top: a finding is about the first row that it fits."""
