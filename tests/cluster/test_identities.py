"""Other identities than the administrator: what they may not see is inconclusive and says what was missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .lab import Cluster, Faults, Played, verdicts

INCOMPLETE = 3


@pytest.fixture
def as_identity(faults: Faults, bare_cluster: Cluster, tmp_path: Path) -> Any:
    """Plays the program with another kubeconfig of the folder that the faults' own environment names as LAB."""
    folder = bare_cluster.environment("LAB")

    def play(identity: str, *arguments: str) -> tuple[Played, dict[str, Any]]:
        config = Path(folder) / f"{identity}.kubeconfig"
        if not folder or not config.is_file():
            pytest.skip(f"there is no kubeconfig of {identity}")
        seen = bare_cluster.play(tmp_path / "state", *arguments, env={"KUBECONFIG": str(config)})
        return seen, bare_cluster.document(tmp_path / "state")

    return play


def test_a_namespace_admin_cannot_see_the_nodes(as_identity: Any, bare_cluster: Cluster) -> None:
    bare_cluster.forget_events()
    seen, document = as_identity("ns-admin", "all", "--until", "6")
    assert seen.code == INCOMPLETE, seen.text
    node = _finding(document, "NODE-READY")
    assert node["verdict"] == "inconclusive"
    said = f"{node['actual']} {' '.join(node['remedy'])}"
    assert "list" in said
    assert "nodes" in said
    steps = verdicts(document)
    assert [steps[step] for step in "2456"] == ["pass"] * 4, seen.text
    assert "fail" not in steps.values(), seen.text


def test_without_rights_nothing_is_called_good_or_bad(as_identity: Any) -> None:
    seen, document = as_identity("nobody", "all")
    assert seen.code == INCOMPLETE, seen.text
    assert document["abort"] is None
    findings = [finding for step in document["steps"] for finding in step["findings"]]
    verdict = {finding["code"]: finding["verdict"] for finding in findings}
    assert verdict.pop("API-REACHED") == "pass"  # "Forbidden" is an answer, too
    assert set(verdict.values()) <= {"inconclusive", "skipped", "not-run", "pending"}, verdict
    assert "Forbidden" in seen.text or "forbidden" in seen.text
    runs = {run["id"]: run["ended"] for step in document["steps"] for run in step["runs"]}
    assert "refused" in runs.values()
    assert {runs.get(name, "refused") for name in ("step8-2-delete-observer", "step8-4-delete-postgres")} == {"refused"}


def test_a_wrong_token_ends_the_run_at_step_0(as_identity: Any) -> None:
    seen, document = as_identity("bad", "all")
    assert seen.code == INCOMPLETE, seen.text
    steps = verdicts(document)
    assert steps["0"] == "inconclusive"
    assert {steps[step] for step in "123456789"} == {"not-run"}, seen.text
    assert "Unauthorized" in seen.text or "logged in" in seen.text


def _finding(document: dict[str, Any], family: str) -> dict[str, Any]:
    found = [f for step in document["steps"] for f in step["findings"] if f["code"].partition("/")[0] == family]
    assert found, family
    return dict(found[0])
