"""Each fault of the lab, put in and judged: the step, the criterion and the root that the table says, and a remedy printed."""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from .lab import Cluster, Faults, Played
from .table import FAULTS, Fault

ODD = ("fail", "warn")
RESTARTS = "restarts"
"""Seen twice, by one test: after a baseline and before one."""


def test_every_fault_is_in_the_table(faults: Faults) -> None:
    assert sorted(faults.names()) == sorted(fault.name for fault in FAULTS)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.name != RESTARTS], ids=lambda fault: fault.name)
def test_fault(fault: Fault, faults: Faults, bare_cluster: Cluster, tmp_path: Path) -> None:
    with faults.undone(fault.undo) if fault.undo else nullcontext():
        faults.put_in(fault.name)
        seen = bare_cluster.play(tmp_path / "state", "all", *(["--allow-restart"] if fault.restart else []))
        document = bare_cluster.document(tmp_path / "state")
    _holds(fault, seen, document)
    if fault.restart:
        ended = {run["id"]: run["ended"] for step in document["steps"] for run in step["runs"]}
        assert ended["step8-2-delete-observer"] == "refused"


def _holds(fault: Fault, seen: Played, document: dict[str, Any]) -> None:
    odd = [finding for step in document["steps"] for finding in step["findings"] if finding["verdict"] in ODD]
    at_fault = {_family(finding) for finding in odd if finding["step"].split("-")[0] == fault.step}
    steps = {step["id"]: step["verdict"] for step in document["steps"]}
    first = next(step for step, verdict in steps.items() if verdict not in ("pass", "skipped"))
    abort = document["abort"]
    row = {
        "step": first,
        "verdict": steps[fault.step],
        "findings": set(fault.findings) <= at_fault or at_fault,
        "overall": document["verdict"],
        "exit": seen.code,
        "criterion": abort and (abort["criterion"], abort["step"]),
        "root": document["causes"][0]["code"] if document["causes"] else None,
    }
    assert row == {
        "step": fault.step,
        "verdict": "fail" if fault.fails else "warn",
        "findings": True,
        "overall": fault.overall,
        "exit": fault.exit_code,
        "criterion": (fault.criterion, fault.abort_step) if fault.criterion else None,
        "root": fault.root,
    }, seen.text
    for line in document["causes"][0]["remedy"]:
        assert _spaceless(line) in _spaceless(seen.out), f"the remedy is not printed: {line}\n{seen.out}"
    assert document["causes"][0]["remedy"]


def test_two_causes_are_told_as_two(faults: Faults, bare_cluster: Cluster, tmp_path: Path) -> None:
    faults.put_in("ghcr-missing")
    faults.put_in("service-missing")
    seen = bare_cluster.play(tmp_path / "state", "all")
    causes = bare_cluster.document(tmp_path / "state")["causes"]
    assert [cause["code"] for cause in causes] == ["GHCR-SECRET-ABSENT", "SERVICE-ABSENT/postgres"]
    assert seen.code == 1
    assert "GHCR-SECRET-ABSENT" in seen.out
    assert "SERVICE-ABSENT/postgres" in seen.out


def test_three_restarts_after_the_baseline_and_before_one(
    faults: Faults, bare_cluster: Cluster, tmp_path: Path
) -> None:
    """After it criterion 5 is met at once; in a new record they are odd, and the cause is named."""
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


def _family(finding: dict[str, Any]) -> str:
    return str(finding["code"]).partition("/")[0]


def _spaceless(text: str) -> str:
    """Without white space: a terminal text may be wrapped."""
    return re.sub(r"\s+", "", text)
