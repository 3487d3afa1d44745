"""Each fault of the lab, put in and judged: the step, the criterion and the root that the table says, and a remedy printed."""

from __future__ import annotations

import re
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet
from readme import on_the_cluster

from playbook.guide.remedy import changes_something

from .lab import Cluster, Faults, Played, changed, until
from .table import FAULTS, Fault

RESTARTS = "restarts"
"""Seen twice, by one test: after a baseline and before one."""


def test_every_fault_is_in_the_table(faults: Faults) -> None:
    assert sorted(faults.names()) == sorted(fault.name for fault in FAULTS)


def _rows() -> list[ParameterSet]:
    """The table as parameters; a row that today's program does not meet is a strict expected failure."""
    marks = {
        fault.name: [pytest.mark.xfail(strict=True, reason=fault.wrong)] if fault.wrong else [] for fault in FAULTS
    }
    marks |= {fault.name: [*marks[fault.name], pytest.mark.short] for fault in FAULTS if fault.short}
    return [pytest.param(fault, id=fault.name, marks=marks[fault.name]) for fault in FAULTS if fault.name != RESTARTS]


@pytest.mark.parametrize("fault", _rows())
def test_fault(fault: Fault, faults: Faults, bare_cluster: Cluster, tmp_path: Path) -> None:
    if fault.name not in faults.names():
        pytest.skip(f"this cluster has no fault {fault.name}")
    if fault.name == "sealed-wrong-key" and not _has_sealing_key(bare_cluster):
        pytest.skip("the SealedSecrets controller of this cluster has no sealing key: it opens nothing")
    with faults.undone(fault.undo) if fault.undo else nullcontext():
        faults.put_in(fault.name)
        until(lambda: not _going(bare_cluster), 60, 0.5)
        before = _identities(bare_cluster)
        allowed = ["--allow-restart"] if fault.restart else []
        planned = (
            bare_cluster.planned(tmp_path / "plan", "--until", fault.until, permitted=fault.restart)
            if fault.short
            else None
        )
        seen = bare_cluster.play(tmp_path / "state", "all", "-v", "--until", fault.until, *allowed)
        document = bare_cluster.document(tmp_path / "state")
        _leaves_the_pods(bare_cluster, before, document)
    assert planned is None or changed(tmp_path / "state") == planned
    _holds(fault, seen, document)
    (following,) = re.findall(r"^next: (.*)$", seen.err, re.M)
    assert not changes_something(following), following


def _has_sealing_key(cluster: Cluster) -> bool:
    """Whether the controller is a real one, which makes a key for itself."""
    label = "sealedsecrets.bitnami.com/sealed-secrets-key"
    return bool(cluster.kubectl("get", "secrets", "-n", "sealed-secrets", "-l", label, "-o", "name").stdout.strip())


def _identities(cluster: Cluster) -> set[str]:
    """The pods of the namespace as they are now: one that was made anew is another one. Nothing where the API is down."""
    with suppress(AssertionError):
        return {pod["metadata"]["uid"] for pod in cluster.items("pods") if pod["metadata"]["name"] != "tmp-curl"}
    return set()


def _going(cluster: Cluster) -> bool:
    """Whether pods that the fault itself replaces are still there: they are nobody's to leave."""
    with suppress(AssertionError):
        return any("deletionTimestamp" in pod["metadata"] for pod in cluster.items("pods"))
    return False


def _leaves_the_pods(cluster: Cluster, before: set[str], document: dict[str, Any]) -> None:
    """Exactly the pods that were found, unless the table of needs allowed the restart; then new ones are ready."""
    ended = {run["id"]: run["ended"] for step in document["steps"] for run in step["runs"]}
    if ended.get("step8-2-delete-observer") == "exited":
        assert until(cluster.is_up, 60, 1.0), cluster.ready()
    else:
        assert before <= _identities(cluster), "a pod was deleted"


def _holds(fault: Fault, seen: Played, document: dict[str, Any]) -> None:
    (step,) = (step for step in document["steps"] if step["id"] == fault.step)
    there = {
        str(finding["code"]).partition("/")[0] for finding in step["findings"] if finding["verdict"] == fault.verdict
    }
    abort = document["abort"]
    row = {
        "step": next(step["id"] for step in document["steps"] if step["verdict"] not in ("pass", "skipped")),
        "verdict": step["verdict"],
        "findings": set(fault.findings) <= there or there,
        "overall": document["verdict"],
        "exit": seen.code,
        "criterion": abort and (abort["criterion"], abort["step"]),
        "root": document["causes"][0]["code"] if document["causes"] else "",
    }
    assert row == {
        "step": fault.step,
        "verdict": fault.verdict,
        "findings": True,
        "overall": fault.overall,
        "exit": fault.exit_code,
        "criterion": (fault.criterion, fault.abort_step) if fault.criterion else None,
        "root": fault.root,
    }, seen.text
    if fault.root:
        assert document["causes"][0]["remedy"]
        for line in document["causes"][0]["remedy"]:
            assert _spaceless(line) in _spaceless(seen.out), f"the remedy is not printed: {line}\n{seen.out}"


def test_two_causes_are_told_as_two(faults: Faults, bare_cluster: Cluster, tmp_path: Path) -> None:
    faults.put_in("ghcr-missing")
    faults.put_in("service-missing")
    seen = bare_cluster.play(tmp_path / "state", "all")
    causes = bare_cluster.document(tmp_path / "state")["causes"]
    assert [cause["code"] for cause in causes] == ["GHCR-SECRET-ABSENT", "SERVICE-ABSENT/postgres"]
    assert seen.code == 1
    assert "GHCR-SECRET-ABSENT" in seen.out
    assert "SERVICE-ABSENT/postgres" in seen.out


def test_the_readmes_example_says_why_a_pod_is_not_ready(faults: Faults, bare_cluster: Cluster, tmp_path: Path) -> None:
    if "image-missing" not in faults.names():
        pytest.skip("this cluster has no fault image-missing")
    faults.put_in("image-missing")
    seen: list[str] = []

    def says_why() -> bool:
        seen[:] = bare_cluster.python(tmp_path / "state", on_the_cluster()).splitlines()
        down = {name for name, ready in bare_cluster.ready().items() if not ready}
        return {line.split()[0] for line in seen} == down and any("pull" in line.lower() for line in seen)

    assert until(says_why, 90, 2), (seen, bare_cluster.ready())
    assert all(line.startswith("observer-") for line in seen)


def test_evicted_pods_of_the_provisioner_mislead_nobody(faults: Faults, bare_cluster: Cluster, tmp_path: Path) -> None:
    """A disk pressure that is over leaves them beside the provisioner that runs."""
    if "evicted-left" not in faults.names():
        pytest.skip("this cluster has no fault evicted-left")
    faults.put_in("evicted-left")
    faults.heal()
    shells = bare_cluster.kubectl("get", "pods", "-n", "kube-system", "-l", "app=local-path-provisioner").stdout
    if len(shells.splitlines()) <= 2:
        pytest.skip("the disk pressure evicted no provisioner that was left behind: " + shells.strip())
    faults.put_in("pvc-pending")
    seen = bare_cluster.play(tmp_path / "state", "all", "-v")
    assert [cause["code"] for cause in bare_cluster.document(tmp_path / "state")["causes"]] == ["PVC-WAITING"], (
        seen.text
    )


def test_three_restarts_after_the_baseline_and_before_one(
    faults: Faults, bare_cluster: Cluster, tmp_path: Path
) -> None:
    """After it criterion 5 is met at once; in a new session they are odd, and the cause is named."""
    bare_cluster.forget_events()
    assert bare_cluster.play(tmp_path / "state", "all").code == 3  # Step 8 is not allowed, all else is well
    baseline = bare_cluster.document(tmp_path / "state")
    assert [step["verdict"] for step in baseline["steps"]] == ["pass"] * 8 + ["skipped", "pending"]
    faults.put_in(RESTARTS)
    seen = bare_cluster.play(tmp_path / "state", "all")
    document = bare_cluster.document(tmp_path / "state")
    assert (seen.code, document["verdict"]) == (4, "aborted"), seen.text
    assert document["abort"]["criterion"] == 5
    assert "criterion 5" in seen.out
    (fault,) = (fault for fault in FAULTS if fault.name == RESTARTS)
    anew = bare_cluster.play(tmp_path / "new", "all")
    _holds(fault, anew, bare_cluster.document(tmp_path / "new"))


def _spaceless(text: str) -> str:
    """Without white space: a terminal text may be wrapped."""
    return re.sub(r"\s+", "", text)
