"""The library's middle: the guide's commands one by one, read from a recording, as typed rows; one finding rendered."""

from __future__ import annotations

import json

import pytest
from support import ROOT

import playbook
from playbook.guide.catalog import DIAGNOSE_ORDER, GUIDE_ORDER

BROKEN = ROOT / "tests" / "fixtures" / "1.34"


def test_every_name_of_the_library_is_there() -> None:
    assert all(getattr(playbook, name) is not None for name in playbook.__all__)
    assert playbook.__all__ == sorted(playbook.__all__)


def test_the_commands_are_the_guides_with_their_digests() -> None:
    sums = dict(reversed(line.split("  ")) for line in (ROOT / "commands" / "SHA256SUMS").read_text().splitlines())
    found = playbook.commands()
    assert [command.id for command in found] == [*GUIDE_ORDER, *DIAGNOSE_ORDER]
    assert {command.sha256 for command in found} == set(sums.values())
    assert [command.id for command in found if command.step == "3-4"] == [
        "step3-4-secret-keys",
        "step3-4-secret-keys-jq",
    ]


def test_a_recorded_run_gives_typed_rows() -> None:
    pods = playbook.rows(playbook.recorded_run(BROKEN / "secret-missing", "step6-1-pods"))
    assert isinstance(pods, tuple) and all(isinstance(pod, playbook.Pod) for pod in pods)
    assert [pod.name.rsplit("-", 2)[0] for pod in pods if not pod.is_up] == ["observer", "observer"]
    (node,) = playbook.rows(playbook.recorded_run(BROKEN / "healthy", "step0-nodes"))
    assert (node.name, node.status) == ("oracle-obs-arm", "Ready")


def test_a_run_that_failed_says_why() -> None:
    run = playbook.recorded_run(BROKEN / "secret-missing", "step3-3-observer-secrets")
    with pytest.raises(playbook.FailedRun, match='secrets "observer-secrets" not found'):
        playbook.rows(run)


def test_what_is_not_recorded_or_prints_no_rows_is_refused() -> None:
    with pytest.raises(playbook.PlaybookError, match="has no run 9 of step0-nodes"):
        playbook.recorded_run(BROKEN / "healthy", "step0-nodes", 9)
    with pytest.raises(playbook.PlaybookError, match="no parser reads"):
        playbook.rows(playbook.recorded_run(BROKEN / "healthy", "step7-4-db-connection"))


def test_one_finding_is_rendered_in_both_languages() -> None:
    session = playbook.replay(playbook.scenario("secret-missing"))
    (finding,) = [f for f in session.result("3").findings if f.code == "OBSERVER-SECRETS"]
    english, korean = playbook.render_finding(finding), playbook.render_finding(finding, lang="ko")
    assert english.startswith("❌ fail **") and "`OBSERVER-SECRETS`, Step 3-3" in english
    assert "- Expected: " in english and "- Remedy: " in english
    assert korean.splitlines()[0] != english.splitlines()[0]
    with pytest.raises(playbook.PlaybookError):
        playbook.render_finding(finding, lang="xx")


def test_the_json_document_carries_the_rows_beside_the_findings() -> None:
    document = json.loads(playbook.render(playbook.replay(playbook.scenario("healthy")), "json"))
    rows = {run["id"]: run["rows"] for step in document["steps"] for run in step["runs"]}
    assert [(row["name"], row["ready"], row["restarts"]) for row in rows["step6-1-pods"]][-1] == (
        "postgres-0",
        [1, 1],
        0,
    )
    assert rows["step8-1-count-files"]["number"] == 1
    assert rows["step7-4-db-connection"] is None
    assert rows["step5-services"][0]["ports"] == [{"number": 8000, "protocol": "TCP", "node_port": None}]
