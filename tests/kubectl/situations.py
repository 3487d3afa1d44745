"""Every way in which an API server cannot be spoken to, and what is to be said of it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from loopback import Answer, Certificates, api, everything, forbidden, hanging, kubeconfig, refusing, serving, status

from playbook.kubectl.failures import FailureKind

KUBECONFIG_PATH = "check the kubeconfig path: /etc/rancher/k3s/k3s.yaml"
K3S = "systemctl status k3s"
RIGHTS = "kubectl auth can-i"
CREDENTIALS = "the credentials in the kubeconfig are not accepted"

UNAUTHORIZED = everything(status(401, "Unauthorized", "Unauthorized"))
BROKEN = Answer(200, b'{"kind": "APIVersions", "versi')
CUT = Answer(200, b'{"kind": "APIVersions", "apiVersion": "v1", "versions": ["v1"]}', cut=True)


@dataclass(frozen=True)
class Situation:
    """`opened(folder, certificates)` puts `config` into the folder and holds the server, if there is one."""

    name: str
    opened: Callable[[Path, Certificates | None], object]
    trouble: FailureKind | tuple[FailureKind, ...]
    says: str  # in the last line of standard error that says something, whatever the version
    reached: str  # API-REACHED
    exit_code: int
    remedy: tuple[str, ...] = ()
    ends: bool = True  # Step 0 ends the run
    needs_certificates: bool = False
    rare: bool = False  # much like another: shown with PLAYBOOK_ALL_KUBECTLS=1 only

    @property
    def troubles(self) -> tuple[FailureKind, ...]:
        """More than one where versions differ."""
        return self.trouble if isinstance(self.trouble, tuple) else (self.trouble,)


def _at(opening: Callable[[], object], scheme: str = "") -> Callable[[Path, Certificates | None], object]:
    @contextmanager
    def opened(folder: Path, certified: Certificates | None) -> Iterator[None]:
        with opening() as url:  # type: ignore[attr-defined]
            kubeconfig(folder / "config", url.replace("http:", scheme) if scheme else url)
            yield

    return opened


def _tls(which: str, trusted: bool) -> Callable[[Path, Certificates | None], object]:
    @contextmanager
    def opened(folder: Path, certified: Certificates | None) -> Iterator[None]:
        assert certified
        with serving(UNAUTHORIZED, getattr(certified, which)) as url:
            kubeconfig(folder / "config", url, ca=certified.ca if trusted else None)
            yield

    return opened


def _config(write: Callable[[Path], object]) -> Callable[[Path, Certificates | None], object]:
    def opened(folder: Path, certified: Certificates | None) -> object:
        write(folder / "config")
        return nullcontext()

    return opened


def nobody_on_8080() -> bool:
    """Without a kubeconfig kubectl asks localhost:8080; whether nobody answers there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", 8080)) != 0


REFUSED = (KUBECONFIG_PATH, K3S)
NO_KUBECONFIG = ("export KUBECONFIG=/etc/rancher/k3s/k3s.yaml", "~/.kube/config")
CERTIFICATE = ("timedatectl", "systemctl restart k3s", "the kubeconfig is another cluster's")
PROGRAM = ("kubectl config view --minify", "~/.kube/config")
AT_8080 = ("no kubeconfig", "a dangling link", "an empty kubeconfig")
"""Situations that lead to localhost:8080."""

SITUATIONS = (
    Situation("a closed port", _at(refusing), FailureKind.CONNECTION_REFUSED, "was refused", "fail", 1, REFUSED),
    Situation("a server that hangs", _at(hanging), FailureKind.TIMEOUT, "", "inconclusive", 3, (K3S,)),
    Situation("401", _at(lambda: serving(UNAUTHORIZED)), FailureKind.UNAUTHORIZED, "You must be logged in to the server",
              "inconclusive", 3, (CREDENTIALS,)),
    Situation("403 for what there is", _at(lambda: serving(api(forbidden))), FailureKind.FORBIDDEN, "cannot list resource", "pass", 3, ends=False),
    Situation("403 for everything", _at(lambda: serving(everything(status(403, "Forbidden", "forbidden")))),
              (FailureKind.FORBIDDEN, FailureKind.SERVER), "", "", 3, ends=False, rare=True),
    Situation("404 for everything", _at(lambda: serving(everything(Answer(404, b"404 page not found\n", "text/plain")))),
              FailureKind.SERVER, "", "inconclusive", 3, ends=False),
    Situation("500", _at(lambda: serving(everything(Answer(500, b"boom", "text/plain")))), FailureKind.SERVER,
              'an error on the server ("boom")', "inconclusive", 3, ends=False),
    Situation("503", _at(lambda: serving(everything(Answer(503, b"not ready", "text/plain")))), FailureKind.SERVER,
              "(ServiceUnavailable)", "inconclusive", 3, ends=False, rare=True),
    Situation("broken JSON", _at(lambda: serving(everything(BROKEN))), FailureKind.OTHER, "unexpected end of JSON input",
              "inconclusive", 3, ends=False),
    Situation("broken JSON for what there is", _at(lambda: serving(api(everything(BROKEN)))), FailureKind.OTHER,
              "unexpected end of JSON input", "inconclusive", 3, ends=False, rare=True),
    Situation("closed in mid-body", _at(lambda: serving(everything(CUT))), FailureKind.UNREACHABLE, "unexpected EOF",
              "inconclusive", 3, (K3S,)),
    Situation("slow, then 403", _at(lambda: serving(_slow(api(forbidden)))), FailureKind.FORBIDDEN, "cannot list resource", "pass", 3, ends=False),
    Situation("TLS to a plain port", _at(lambda: serving(UNAUTHORIZED), "https:"), FailureKind.UNREACHABLE,
              "first record does not look like a TLS handshake", "fail", 1, (K3S,)),
    Situation("a certificate of an unknown CA", _tls("good", False), FailureKind.CERTIFICATE, "x509: certificate signed by unknown authority",
              "fail", 1, CERTIFICATE, needs_certificates=True),
    Situation("an expired certificate", _tls("expired", True), FailureKind.CERTIFICATE, "x509: certificate has expired", "fail", 1, CERTIFICATE,
              needs_certificates=True),
    Situation("a good certificate, then 401", _tls("good", True), FailureKind.UNAUTHORIZED, "You must be logged in", "inconclusive", 3,
              (CREDENTIALS,), needs_certificates=True, rare=True),
    Situation("an unknown host", _config(lambda path: kubeconfig(path, "https://kubernetes.invalid:6443")), FailureKind.UNREACHABLE,
              "Unable to connect to the server", "fail", 1, (K3S,)),
    Situation("no kubeconfig", _config(lambda path: None), FailureKind.KUBECONFIG_ABSENT, "localhost:8080 was refused", "fail", 1, NO_KUBECONFIG),
    # root reads every file: a dangling link and a folder stand for a kubeconfig that cannot be read
    Situation("a dangling link", _config(lambda path: path.symlink_to("nowhere")), FailureKind.KUBECONFIG_ABSENT,
              "localhost:8080 was refused", "fail", 1, NO_KUBECONFIG, rare=True),
    Situation("a folder for a kubeconfig", _config(lambda path: path.mkdir()), FailureKind.KUBECONFIG, "is a directory", "inconclusive", 3,
              (KUBECONFIG_PATH,)),
    Situation("a kubeconfig that is no YAML", _config(lambda path: path.write_text("clusters: [\n")), FailureKind.KUBECONFIG,
              "error loading config file", "inconclusive", 3, (KUBECONFIG_PATH,)),
    Situation("a kubeconfig of other words", _config(lambda path: path.write_text("hello\n")), FailureKind.KUBECONFIG,
              "error loading config file", "inconclusive", 3, (KUBECONFIG_PATH,), rare=True),
    Situation("an empty kubeconfig", _config(lambda path: path.touch()), FailureKind.KUBECONFIG_ABSENT, "localhost:8080 was refused", "fail", 1,
              NO_KUBECONFIG, rare=True),
    Situation("an unknown context", _config(lambda path: kubeconfig(path, "https://127.0.0.1:1", context="nowhere")), FailureKind.KUBECONFIG,
              "context was not found for specified context: nowhere", "inconclusive", 3, (KUBECONFIG_PATH,)),
    Situation("a program for the credentials that is not there", _config(lambda path: kubeconfig(path, "https://127.0.0.1:1", program="no-such")),
              FailureKind.CREDENTIALS, "getting credentials: exec: ", "inconclusive", 3, PROGRAM),
    Situation("a program for the credentials that fails", _config(lambda path: kubeconfig(path, "https://127.0.0.1:1", program="'false'")),
              FailureKind.CREDENTIALS, "getting credentials: exec: ", "inconclusive", 3, PROGRAM, rare=True),
    Situation("a CA file that is not there", _config(lambda path: kubeconfig(path, "https://127.0.0.1:1", ca=path.with_name("no.pem"))),
              FailureKind.KUBECONFIG, "unable to read certificate-authority", "inconclusive", 3, (KUBECONFIG_PATH,), rare=True),
)  # fmt: skip


def _slow(answers: Callable[[str], Answer]) -> Callable[[str], Answer]:
    return lambda path: replace(answers(path), delay_s=0.1)
