"""Servers on 127.0.0.1 that answer as no API server should, and the kubeconfigs that lead to them."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Answer:
    """One answer: `delay_s` before it begins; with `cut` the connection ends after half of the body."""

    status: int
    body: bytes
    kind: str = "application/json"
    delay_s: float = 0.0
    cut: bool = False


Answers = Callable[[str], Answer]
"""Path (without its query) to answer."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is expected here."""


def _handler(answers: Answers) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            answer = answers(self.path.partition("?")[0])
            time.sleep(answer.delay_s)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body[: len(answer.body) // 2] if answer.cut else answer.body)
            self.wfile.flush()
            if answer.cut:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - as http.server wants them

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test's output is kubectl's."""

    return Handler


@contextmanager
def serving(answers: Answers, certificate: tuple[Path, Path] | None = None) -> Iterator[str]:
    """An HTTP server, or an HTTPS one with `certificate` (its file and its key); gives its URL."""
    server = _Server((HOST, 0), _handler(answers))
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        # The handshake belongs to the thread of the connection: a client that refuses it must not stop the others.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http{'s' if certificate else ''}://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def refusing() -> Iterator[str]:
    """A port that is closed, and stays so: bound, but nobody listens."""
    with socket.socket() as bound:
        bound.bind((HOST, 0))
        yield f"https://{HOST}:{bound.getsockname()[1]}"


@contextmanager
def hanging() -> Iterator[str]:
    """A port that takes every connection and never says a word."""
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        listening.listen(128)
        yield f"http://{HOST}:{listening.getsockname()[1]}"


def status(code: int, reason: str, message: str) -> Answer:
    """The error object of Kubernetes."""
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
            "reason": reason, "code": code}  # fmt: skip
    return _json(body, code)


def everything(answer: Answer) -> Answers:
    """The same answer to every question."""
    return lambda path: answer


def _json(body: object, code: int = 200) -> Answer:
    return Answer(code, json.dumps(body).encode())


_KINDS = {
    "": [("namespaces", "namespace", "Namespace", False), ("nodes", "node", "Node", False),
         ("pods", "pod", "Pod", True), ("services", "service", "Service", True),
         ("secrets", "secret", "Secret", True), ("configmaps", "configmap", "ConfigMap", True),
         ("persistentvolumeclaims", "persistentvolumeclaim", "PersistentVolumeClaim", True),
         ("events", "event", "Event", True)],
    "apps": [("deployments", "deployment", "Deployment", True), ("replicasets", "replicaset", "ReplicaSet", True)],
    "bitnami.com": [("sealedsecrets", "sealedsecret", "SealedSecret", True)],
}  # fmt: skip
_SHORT = {"services": ["svc"], "persistentvolumeclaims": ["pvc"], "configmaps": ["cm"], "pods": ["po"],
          "deployments": ["deploy"]}  # fmt: skip
_VERSION = {"": "v1", "apps": "v1", "bitnami.com": "v1alpha1"}


def api(objects: Answers) -> Answers:
    """The discovery of a small API server; what is asked of its objects goes to `objects`."""
    answers: dict[str, Answer] = {
        "/version": _json({"major": "1", "minor": "32", "gitVersion": "v1.32.4+k3s1"}),
        "/api": _json({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}),
        "/apis": _json({"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(g) for g in _KINDS if g]}),
    }
    for group, kinds in _KINDS.items():
        version = f"{group}/{_VERSION[group]}" if group else "v1"
        resources: list[dict[str, Any]] = [
            {"name": plural, "singularName": one, "namespaced": spaced, "kind": kind,
             "verbs": ["get", "list", "create", "delete", "watch"], "shortNames": _SHORT.get(plural, [])}
            for plural, one, kind, spaced in kinds
        ]  # fmt: skip
        answers[f"/apis/{version}" if group else "/api/v1"] = _json(
            {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}
        )
    return lambda path: answers.get(path) or objects(path)


def _group(name: str) -> dict[str, Any]:
    version = {"groupVersion": f"{name}/{_VERSION[name]}", "version": _VERSION[name]}
    return {"name": name, "versions": [version], "preferredVersion": version}


def forbidden(path: str) -> Answer:
    """RBAC's refusal of `path`, in the words of the API server."""
    parts = [part for part in path.split("/") if part]
    group = parts[1] if parts[0] == "apis" else ""
    rest = parts[3:] if parts[0] == "apis" else parts[2:]
    where = "at the cluster scope"
    if len(rest) > 2 and rest[0] == "namespaces":
        where = f'in the namespace "{rest[1]}"'
        rest = rest[2:]
    elif rest[:1] == ["namespaces"] and len(rest) == 2:
        where = f'in the namespace "{rest[1]}"'
    resource = f"{rest[0]}.{group}" if group else rest[0]
    name = f' "{rest[1]}"' if len(rest) > 1 else ""
    verb = "get" if name else "list"
    return status(403, "Forbidden", f'{resource}{name} is forbidden: User "observer" cannot {verb} resource '
                                    f'"{rest[0]}" in API group "{group}" {where}')  # fmt: skip


def table(columns: tuple[str, ...], *rows: tuple[object, ...], wide: tuple[str, ...] = ()) -> Answer:
    """What a server answers to `kubectl get`: a Table. Columns named in `wide` are shown with `-o wide` only."""
    definitions = [
        {"name": c, "type": "string", "format": "", "description": "", "priority": int(c in wide)} for c in columns
    ]
    cells = [{"cells": list(row), "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                                             "metadata": {"name": str(row[0])}}} for row in rows]  # fmt: skip
    return _json(
        {
            "kind": "Table",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": {},
            "columnDefinitions": definitions,
            "rows": cells,
        }
    )


# kubeconfigs


def kubeconfig(path: Path, server: str, *, ca: Path | None = None, context: str = "lab", program: str = "") -> Path:
    """A kubeconfig that leads to `server`; without `ca` the system's own certificates are trusted.

    `program` gets the credentials, if one is named.
    """
    user = f"exec: {{apiVersion: client.authentication.k8s.io/v1beta1, command: {program}, interactiveMode: Never}}"
    path.write_text(f"""apiVersion: v1
kind: Config
clusters:
- name: lab
  cluster:
    server: {server}
{f"    certificate-authority: {ca}" if ca else ""}
contexts:
- name: lab
  context: {{cluster: lab, user: lab, namespace: default}}
current-context: {context}
users:
- name: lab
  user: {{{user if program else "token: made-up"}}}
""")
    return path


# certificates

_CA_CONF = """[ca]
default_ca = here
[here]
database = {folder}/index
new_certs_dir = {folder}
serial = {folder}/serial
default_md = sha256
policy = any
x509_extensions = extensions
copy_extensions = none
[any]
commonName = supplied
[extensions]
subjectAltName = IP:127.0.0.1
"""


@dataclass(frozen=True)
class Certificates:
    """A CA, and two certificates of it for 127.0.0.1 (file and key): one that holds, one that has expired."""

    ca: Path
    good: tuple[Path, Path]
    expired: tuple[Path, Path]


def certificates(folder: Path) -> Certificates:
    """Made by openssl, for this test run only."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    (folder / "ca.conf").write_text(_CA_CONF.format(folder=folder))
    (folder / "index").touch()
    (folder / "serial").write_text("01\n")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=lab-ca")
    for name, begin, end in (
        ("good", "20200101000000Z", "20991231000000Z"),
        ("expired", "20200101000000Z", "20200201000000Z"),
    ):
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl("ca", "-batch", "-notext", "-config", "ca.conf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in", f"{name}.csr",
                "-out", f"{name}.pem", "-startdate", begin, "-enddate", end)  # fmt: skip
    return Certificates(
        folder / "ca.pem", (folder / "good.pem", folder / "good.key"), (folder / "expired.pem", folder / "expired.key")
    )
