"""Step 2 on recordings and on what they do not show."""

from __future__ import annotations

import pytest
from handmade import REFUSED, bad, forbidden, never_passes_cut_text, of, said, typed, verdicts
from support import runs_of

from playbook.guide import ids
from playbook.model import Ended, Runs
from playbook.steps.step2_pvc import judge

SIZES = {
    "observer-db-pvc": "10Gi",
    "observer-data-pvc": "20Gi",
    "observer-logs-pvc": "5Gi",
    "observer-universe-pvc": "1Gi",
}
HEAD = ("NAME", "STATUS", "VOLUME", "CAPACITY", "ACCESS MODES", "STORAGECLASS", "VOLUMEATTRIBUTESCLASS", "AGE")


def claims(**changed: tuple[str, ...] | None) -> str:
    """The list with some claims' STATUS, CAPACITY and STORAGECLASS changed (by db, data, logs, universe), or left out."""
    rows = [HEAD]
    for name, size in SIZES.items():
        change = changed.get(name.split("-")[1], ("Bound", size, "local-path"))
        if change is not None:
            status, capacity, klass = change
            rows.append(
                (name, status, f"pvc-{name}" if status == "Bound" else "", capacity, "RWO", klass, "<unset>", "1d")
            )
    return "".join("".join(cell.ljust(30) for cell in row).rstrip() + "\n" for row in rows)


def listing(*names: str, kind: str = "d") -> str:
    rows = [f"{kind}rwxrwxrwx 2 root root   40 Nov 22 21:57 {name}\n" for name in names]
    return (
        "total 12\ndrwxr-xr-x 6 root root 4096 Nov 22 21:57 .\ndrwxr-xr-x 3 root root 4096 Nov 22  2025 ..\n"
        + "".join(rows)
    )


ALL = listing(*(f"pvc-{name}_observer-prod_{name}" for name in SIZES))


def looked(out: str | None = None, listed: str = ALL, err: str = "", code: int | None = None) -> Runs:
    return Runs((said(ids.CLAIMS, claims() if out is None else out), said(ids.STORAGE_DIRECTORY, listed, err, code)))


def test_healthy():
    found = judge(runs_of("1.20/healthy"))
    asked = ("BOUND", "CAPACITY", "CLASS", "DIRECTORY")
    assert verdicts(found) == {f"PVC-{what}/{name}": "pass" for what in asked for name in SIZES}
    assert of(found, "PVC-BOUND/observer-db-pvc").evidence.line == 3
    assert of(found, "PVC-DIRECTORY/observer-data-pvc").evidence.line == 5


def test_pending():
    found = judge(runs_of("1.20/pvc-pending"))
    assert bad(found) == {"PVC-BOUND/observer-universe-pvc": "fail"}
    bound = of(found, "PVC-BOUND/observer-universe-pvc")
    assert str(bound.actual) == "STATUS = Pending"
    assert typed(bound) == [
        "kubectl describe pvc observer-universe-pvc -n observer-prod",
        "kubectl get sc",
        "kubectl get pods -n kube-system -l app=local-path-provisioner",
    ]
    codes = {f.code for f in found if f.code.endswith("universe-pvc")}
    assert codes == {"PVC-BOUND/observer-universe-pvc", "PVC-CLASS/observer-universe-pvc"}


def test_a_newer_column_changes_nothing():
    assert bad(judge(looked())) == {}
    assert bad(judge(looked(claims().replace("\n", "\r\n")))) == {}


def test_missing_claims_fail_once_each():
    found = judge(looked(claims(logs=None)))
    assert {f.code: f.verdict.value for f in found if "logs" in f.code} == {"PVC-BOUND/observer-logs-pvc": "fail"}
    assert typed(of(found, "PVC-BOUND/observer-logs-pvc")) == ["kubectl apply -k infra/k8s/overlays/production"]
    none = judge(Runs([said(ids.CLAIMS, "", "No resources found in observer-prod namespace.\n", 0)]))
    assert verdicts(none) == {f"PVC-BOUND/{name}": "fail" for name in SIZES}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("Lost", "5Gi", "local-path"), {"PVC-BOUND/observer-logs-pvc": "fail"}),
        (("Bound", "5120Mi", "local-path"), {}),
        (("Bound", "6Gi", "local-path"), {"PVC-CAPACITY/observer-logs-pvc": "warn"}),
        (("Bound", "5G", "local-path"), {"PVC-CAPACITY/observer-logs-pvc": "fail"}),
        (("Bound", "1Gi", "local-path"), {"PVC-CAPACITY/observer-logs-pvc": "fail"}),
        (("Bound", "", "local-path"), {"PVC-CAPACITY/observer-logs-pvc": "inconclusive"}),
        (("Bound", "much", "local-path"), {"PVC-CAPACITY/observer-logs-pvc": "inconclusive"}),
        (("Bound", "5Gi", "longhorn"), {"PVC-CLASS/observer-logs-pvc": "fail"}),
        (("Bound", "5Gi", ""), {"PVC-CLASS/observer-logs-pvc": "fail"}),
    ],
)
def test_status_capacity_and_class(change: tuple[str, str, str], expected: dict[str, str]):
    assert bad(judge(looked(claims(logs=change)))) == expected


@pytest.mark.parametrize("err", [forbidden("persistentvolumeclaims"), REFUSED])
def test_a_list_that_was_not_seen(err: str):
    found = judge(Runs((said(ids.CLAIMS, "", err), said(ids.STORAGE_DIRECTORY, ALL))))
    assert verdicts(found) == dict.fromkeys(("PVC-BOUND", "PVC-CAPACITY", "PVC-CLASS", "PVC-DIRECTORY"), "inconclusive")


@pytest.mark.parametrize("out", ["", "hello\n", claims().split("\n")[0] + "\n", claims()[:-3]])
def test_text_that_is_unknown_or_cut(out: str):
    assert set(verdicts(judge(looked(out))).values()) == {"inconclusive"}


# the directories


def of_directories(runs: Runs) -> dict[str, str]:
    return {code: verdict for code, verdict in verdicts(judge(runs)).items() if code.startswith("PVC-DIRECTORY")}


def test_away_from_the_server_is_a_warning():
    err = "ls: cannot access '/var/lib/rancher/k3s/storage/': No such file or directory\n"
    runs = looked(listed="", err=err, code=2)
    assert of_directories(runs) == {"PVC-DIRECTORY": "warn"}
    found = of(judge(runs), "PVC-DIRECTORY")
    assert "only on the server" in str(found.summary)
    assert found.evidence.stream == "stderr"


@pytest.mark.parametrize(
    "err",
    [
        "ls: cannot open directory '/var/lib/rancher/k3s/storage/': Permission denied\n",
        "ls: '/var/lib/rancher/k3s/storage/'에 접근할 수 없음: 그런 파일이나 디렉터리가 없습니다\n",
    ],
)
def test_without_root_it_is_unseen_with_the_sudo_line(err: str):
    runs = looked(listed="", err=err, code=2)
    assert of_directories(runs) == {"PVC-DIRECTORY": "inconclusive"}
    assert typed(of(judge(runs), "PVC-DIRECTORY")) == ["sudo ls -la /var/lib/rancher/k3s/storage/"]


def test_a_bound_volume_without_a_directory_fails():
    runs = looked(listed=listing(*(f"pvc-{name}" for name in SIZES if "logs" not in name)))
    assert bad(judge(runs)) == {"PVC-DIRECTORY/observer-logs-pvc": "fail"}
    assert "kubectl describe pvc observer-logs-pvc -n observer-prod" in typed(
        of(judge(runs), "PVC-DIRECTORY/observer-logs-pvc")
    )


def test_a_longer_name_of_another_volume_is_not_it():
    names = [f"pvc-{name}" + ("x" if "logs" in name else "") for name in SIZES]
    assert bad(judge(looked(listed=listing(*names)))) == {"PVC-DIRECTORY/observer-logs-pvc": "fail"}


def test_what_is_no_directory_is_odd():
    names = [f"pvc-{name}_x" for name in SIZES]
    assert set(of_directories(looked(listed=listing(*names, kind="-"))).values()) == {"warn"}
    links = listing(*(f"{name} -> /mnt/{name}" for name in names), kind="l")
    assert set(of_directories(looked(listed=links)).values()) == {"warn"}


@pytest.mark.parametrize("date", ["Nov 22  2025", "11월 22 21:57", "22. Nov 21:57", "2026-11-22 21:57", "2026-11-22 "])
def test_dates_of_other_languages(date: str):
    assert bad(judge(looked(listed=ALL.replace("Nov 22 21:57", date).replace("total", "합계")))) == {}


def test_a_listing_with_an_error_proves_what_is_there_only():
    listed = listing(*(f"pvc-{name}" for name in SIZES if "logs" not in name))
    runs = looked(listed=listed, err="ls: cannot access 'x': Input/output error\n", code=1)
    assert bad(judge(runs)) == {"PVC-DIRECTORY/observer-logs-pvc": "inconclusive"}


@pytest.mark.parametrize("listed", ["", "hello\n", ALL + "hello there\n", ALL[:-4]])
def test_a_listing_that_is_unknown_or_cut(listed: str):
    assert of_directories(looked(listed=listed)) == {"PVC-DIRECTORY": "inconclusive"}


def test_a_listing_that_never_came():
    late = Runs((said(ids.CLAIMS, claims()), said(ids.STORAGE_DIRECTORY, ended=Ended.TIMEOUT)))
    assert of_directories(late) == {"PVC-DIRECTORY": "inconclusive"}
    assert of_directories(Runs([said(ids.CLAIMS, claims())])) == {"PVC-DIRECTORY": "inconclusive"}


@pytest.mark.parametrize("command", [ids.CLAIMS, ids.STORAGE_DIRECTORY])
def test_cut_text(command: str):
    never_passes_cut_text(judge, runs_of("1.20/healthy", ids.CLAIMS, ids.STORAGE_DIRECTORY), command)
