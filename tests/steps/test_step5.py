"""Step 5 on recordings and on what they do not show."""

from __future__ import annotations

import pytest
from handmade import REFUSED, bad, forbidden, never_passes_cut_text, of, said, typed, verdicts
from support import runs_of

from playbook.guide import ids
from playbook.model import Runs
from playbook.steps.step5_services import judge

NAMES = ("observer", "postgres", "postgres-headless")
NORMAL = {
    "observer": ("ClusterIP", "10.43.10.1", "8000/TCP"),
    "postgres": ("ClusterIP", "10.43.10.2", "5432/TCP"),
    "postgres-headless": ("ClusterIP", "None", "5432/TCP"),
}


def services(**changed: tuple[str, str, str] | None) -> str:
    rows = [("NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE")]
    for name, normal in NORMAL.items():
        change = changed.get(name.replace("-", "_"), normal)
        if change:
            kind, address, ports = change
            rows.append((name, kind, address, "<none>", ports, "3d"))
    return "".join("".join(cell.ljust(34) for cell in row).rstrip() + "\n" for row in rows)


def judged(out: str = "", err: str = "", code: int | None = None) -> dict[str, str]:
    return bad(judge(Runs([said(ids.SERVICES, out, err, code)])))


def test_healthy():
    found = judge(runs_of("1.20/healthy"))
    assert verdicts(found) == {f"{code}/{name}": "pass" for code in ("SERVICE", "SERVICE-PORT") for name in NAMES}
    assert of(found, "SERVICE/postgres-headless").evidence.line == 4


def test_a_missing_service():
    found = judge(runs_of("1.20/service-missing"))
    assert bad(found) == {"SERVICE/postgres": "fail"}
    assert not [f for f in found if f.code == "SERVICE-PORT/postgres"]
    assert typed(of(found, "SERVICE/postgres")) == ["kubectl apply -k infra/k8s/overlays/production"]


def test_another_port():
    found = judge(runs_of("1.20/service-port"))
    assert bad(found) == {"SERVICE-PORT/observer": "fail"}
    port = of(found, "SERVICE-PORT/observer")
    assert (str(port.expected), str(port.actual)) == ("PORT(S) = 8000/TCP", "PORT(S) = 8080/TCP")
    assert "observer=8000, postgres=5432" in str(port.remedy[0])


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        (("ClusterIP", "10.43.10.1", "8000/TCP,9000/TCP"), {}),
        (("ClusterIP", "10.43.10.1", "9000/UDP,8000/TCP"), {}),
        (("ClusterIP", "fd00::1", "8000/TCP"), {}),
        (("NodePort", "10.43.10.1", "8000:30080/TCP"), {"SERVICE/observer": "fail"}),
        (("LoadBalancer", "10.43.10.1", "8000:30080/TCP"), {"SERVICE/observer": "fail"}),
        (("ExternalName", "<none>", "<none>"), {"SERVICE/observer": "fail", "SERVICE-PORT/observer": "fail"}),
        (("ClusterIP", "None", "8000/TCP"), {"SERVICE/observer": "fail"}),
        (("ClusterIP", "<none>", "8000/TCP"), {"SERVICE/observer": "fail"}),
        (("ClusterIP", "", "8000/TCP"), {"SERVICE/observer": "fail"}),
        (("ClusterIP", "10.43.10.1", "8000/UDP"), {"SERVICE-PORT/observer": "fail"}),
        (("ClusterIP", "10.43.10.1", "18000/TCP"), {"SERVICE-PORT/observer": "fail"}),
        (("ClusterIP", "10.43.10.1", "30080:8000/TCP"), {"SERVICE-PORT/observer": "fail"}),
        (("ClusterIP", "10.43.10.1", "http"), {"SERVICE-PORT/observer": "inconclusive"}),
        (("ClusterIP", "10.43.10.1", ""), {"SERVICE-PORT/observer": "inconclusive"}),
    ],
)
def test_type_address_and_ports(service: tuple[str, str, str], expected: dict[str, str]):
    assert judged(services(observer=service)) == expected


def test_the_headless_service_must_have_no_address():
    assert judged(services(postgres_headless=("ClusterIP", "10.43.10.3", "5432/TCP"))) == {
        "SERVICE/postgres-headless": "fail"
    }


def test_no_service_at_all():
    assert judged("", "No resources found in observer-prod namespace.\n", 0) == {
        f"SERVICE/{name}": "fail" for name in NAMES
    }


@pytest.mark.parametrize(
    ("out", "err"),
    [
        ("", ""),
        ("hello\n", ""),
        ("", forbidden("services")),
        ("", REFUSED),
        (services()[:-2], ""),
        (services().split("\n")[0] + "\n", ""),
    ],
)
def test_a_list_that_was_not_seen(out: str, err: str):
    assert judged(out, err) == {"SERVICE": "inconclusive", "SERVICE-PORT": "inconclusive"}


def test_crlf():
    assert judged(services().replace("\n", "\r\n")) == {}


def test_cut_text():
    never_passes_cut_text(judge, runs_of("1.20/healthy", ids.SERVICES), ids.SERVICES)
