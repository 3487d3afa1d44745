"""What several versions of kubectl wrote on standard error, and what it is taken for. Needs no kubectl."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from playbook.kubectl.failures import FailureKind, failure
from playbook.model import Ended, Run, Runs, Verdict
from playbook.steps.step0_cluster import api_unreachable, judge
from playbook.steps.step3_secrets import judge as judge_secrets

SPAM = (
    'E1122 22:56:34.127653    1234 memcache.go:265] "Unhandled Error" err="couldn\'t get current server API group list: '
    'an error on the server (\\"boom\\") has prevented the request from succeeding"\n'
)


def ended(err: str, command: str = "step0-nodes") -> Run:
    return Run(command, 1, b"", err.encode(), 1, Ended.EXITED, datetime(2026, 11, 22, tzinfo=timezone.utc), 0.1)


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        ("The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?", FailureKind.CONNECTION_REFUSED),
        ("error: You must be logged in to the server (Unauthorized)", FailureKind.UNAUTHORIZED),
        ("error: You must be logged in to the server (the server has asked for the client to provide credentials)", FailureKind.UNAUTHORIZED),
        ("Error from server (Forbidden): unknown", FailureKind.FORBIDDEN),
        ("Error from server (NotFound): the server could not find the requested resource", FailureKind.SERVER),
        ('error: the server doesn\'t have a resource type "nodes"', FailureKind.SERVER),
        ('error: the server doesn\'t have a resource type "secret"', FailureKind.SERVER),
        ('error: the server doesn\'t have a resource type "sealedsecrets"', FailureKind.NOT_FOUND),
        ('Error from server (NotFound): secrets "observer-secrets" not found', FailureKind.NOT_FOUND),
        ('Error from server (InternalError): an error on the server ("boom") has prevented the request from succeeding', FailureKind.SERVER),
        ("Error from server (ServiceUnavailable): the server is currently unable to handle the request", FailureKind.SERVER),
        ("error: couldn't get version/kind; json parse error: unexpected end of JSON input", FailureKind.OTHER),
        ("unexpected end of JSON input", FailureKind.OTHER),
        ("unexpected error when reading response body. Please retry. Original error: unexpected EOF", FailureKind.UNREACHABLE),
        ("Unable to connect to the server: tls: first record does not look like a TLS handshake", FailureKind.UNREACHABLE),
        ("Unable to connect to the server: x509: certificate signed by unknown authority", FailureKind.CERTIFICATE),
        ("Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority", FailureKind.CERTIFICATE),
        ("Unable to connect to the server: dial tcp: lookup kubernetes.invalid on 10.0.0.2:53: no such host", FailureKind.UNREACHABLE),
        ('error: error loading config file "config": read config: is a directory', FailureKind.KUBECONFIG),
        ("Error in configuration: context was not found for specified context: nowhere", FailureKind.KUBECONFIG),
        ("error: unable to read certificate-authority no.pem for lab due to open no.pem: no such file or directory", FailureKind.KUBECONFIG),
        ("error: unable to read client-cert no.pem for lab due to open no.pem: no such file or directory", FailureKind.KUBECONFIG),
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", ["", SPAM * 5])
def test_a_line_is_taken_for_what_it_is(line: str, trouble: FailureKind, before: str) -> None:
    why = failure(ended(f"{before}{line}\n"))
    assert why is not None
    assert (why.kind, why.text, why.line) == (trouble, line, 1 + before.count("\n"))


def test_an_answer_that_breaks_off_is_unseen_not_the_guides_network_row() -> None:
    broken = "error: unexpected error when reading response body. Please retry. Original error: unexpected EOF\n"
    runs = Runs([ended(broken, "step0-cluster-info"), ended(broken)])
    reached = judge(runs)[0]
    assert (reached.code, reached.verdict) == ("API-REACHED", Verdict.INCONCLUSIVE)
    assert [remedy.command for remedy in reached.remedy] == ["systemctl status k3s"]
    assert api_unreachable(runs)


def test_a_server_that_names_no_kind_at_all_does_not_prove_that_there_are_no_sealed_secrets() -> None:
    said = 'error: the server doesn\'t have a resource type "{}"\n'
    sealed = ended(said.format("sealedsecrets"), "step3-2-sealedsecrets")
    secrets = ended(said.format("secrets"), "step3-2-generated-secrets")
    assert {f.verdict for f in judge_secrets(Runs([sealed])) if f.code.startswith("SEALED-SYNCED")} == {Verdict.FAIL}
    found = judge_secrets(Runs([sealed, secrets]))
    assert {f.verdict for f in found if f.code.startswith("SEALED-SYNCED")} == {Verdict.INCONCLUSIVE}
