"""No way to the API server, WRITTEN BY HAND after what people pasted into issues of k3s: none of it is a recording."""

from __future__ import annotations

from diagnosing import Case
from support import made, runs_of

K3S_YAML = "/etc/rancher/k3s/k3s.yaml"
K3S_WARNS = (f"WARN[0000] Unable to read {K3S_YAML}, please start server with --write-kubeconfig-mode or --write-kubeconfig-group to modify "
             "kube config permissions \n")  # fmt: skip
UNREADABLE = f'{K3S_WARNS}error: error loading config file "{K3S_YAML}": open {K3S_YAML}: permission denied\n'
NO_CONFIG_YAML = "FATA[0000] open /etc/rancher/k3s/config.yaml: permission denied \n"
NO_KUBECONFIG = "The connection to the server localhost:8080 was refused - did you specify the right host or port?\n"
_X509 = "Unable to connect to the server: tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time"
EXPIRED = f"{_X509} 2026-11-25T10:18:22+09:00 is after 2026-10-18T18:12:42Z\n"
NOT_YET = f"{_X509} 2026-11-25T10:18:22+09:00 is before 2026-11-25T15:31:09Z\n"
OLD_WORDS = "Unable to connect to the server: x509: certificate has expired or is not yet valid\n"
UNKNOWN = "Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority\n"
NOT_LOGGED_IN = (
    "error: You must be logged in to the server (the server has asked for the client to provide credentials)\n"
)
NO_PROGRAM = """Unable to connect to the server: getting credentials: exec: executable oci not found

It looks like you are trying to use a client-go credential plugin that is not installed.

To learn more about this feature, consult the documentation available at:
      https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""
SLOW = "Error from server: etcdserver: request timed out\n"
LOCKED = "Error from server (InternalError): rpc error: code = Unknown desc = database is locked\n"


def _everything(name: str, root: str, said: str) -> Case:
    """Every command says the same."""
    commands = {run.command for run in runs_of("1.20/api-down")}
    return Case(f"access: {name}", (root,), "1.20/api-down", {c: made(c, stderr=said, exit_code=1) for c in commands})


ACCESS = (
    _everything("only root may read", "KUBECONFIG-UNREADABLE", UNREADABLE),
    _everything("not even K3s' own settings", "KUBECONFIG-UNREADABLE", NO_CONFIG_YAML),
    _everything("no kubeconfig", "KUBECONFIG-ABSENT", NO_KUBECONFIG),
    _everything("expired", "CERTIFICATE-EXPIRED", EXPIRED),
    _everything("expired, older words", "CERTIFICATE-EXPIRED", OLD_WORDS),
    _everything("not yet valid", "CLOCK-OFF", NOT_YET),
    _everything("another authority", "CERTIFICATE-UNKNOWN", UNKNOWN),
    _everything("not logged in", "CREDENTIALS-REFUSED", NOT_LOGGED_IN),
    _everything("no program for the credentials", "CREDENTIALS-NOT-HAD", NO_PROGRAM),
    _everything("a slow datastore", "DATASTORE-SLOW", SLOW),
    _everything("a locked datastore", "DATASTORE-SLOW", LOCKED),
)
