"""A healthy cluster: the whole guide passes, nothing is left behind, no secret value is written or shown."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from readme import on_the_cluster

from .lab import ROOT, Cluster, Faults, Played, changed, journal, processes, until, verdicts

PENDING = 5
DONE = {**dict.fromkeys("012345678", "pass"), "9": "pending"}


@dataclass(frozen=True)
class Verified:
    """A finished `all --allow-restart`."""

    cluster: Cluster
    state: Path
    played: Played
    planned: list[str]


@pytest.fixture(scope="module")
def verified(
    may_restart: None, bare_cluster: Cluster, _faults: Faults | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Verified]:
    if _faults:
        _faults.heal()
        bare_cluster.forget_events()
    state = tmp_path_factory.mktemp("healthy") / "state"
    planned = bare_cluster.planned(state.with_name("plan"), permitted=True)
    yield Verified(bare_cluster, state, bare_cluster.play(state, "all", "--allow-restart"), planned)


@pytest.mark.short
def test_the_whole_guide_passes_and_waits_for_its_24_hours(verified: Verified) -> None:
    assert verified.played.code == PENDING, verified.played.text
    assert verdicts(verified.cluster.document(verified.state)) == DONE
    assert "Pending" in verified.played.out


def test_a_report_is_written_and_named(verified: Verified) -> None:
    (report,) = verified.state.glob("sessions/*/report.md")
    assert str(report) in verified.played.out
    assert report.stat().st_mode & 0o777 == 0o600
    text = report.read_text("utf-8")
    assert "## " in text
    assert "kubectl delete pod -l app=observer -n observer-prod" in text


@pytest.mark.short
def test_each_pod_was_replaced_once(verified: Verified) -> None:
    begun = [event["command"] for event in journal(verified.state) if event["event"] == "begin"]
    assert begun.count("step8-2-delete-observer") == begun.count("step8-4-delete-postgres") == 1


@pytest.mark.short
def test_what_was_changed_is_what_the_plan_said(verified: Verified) -> None:
    assert [command[:7] for command in verified.planned] == ["step6-6", "step6-6", "step7-2", "step8-2", "step8-4"]
    assert changed(verified.state) == verified.planned


@pytest.mark.short
def test_nothing_is_left_running(verified: Verified) -> None:
    assert processes(verified.played.mark) == []
    assert until(lambda: "tmp-curl" not in verified.cluster.pods(), 35, 1)


@pytest.mark.short
def test_no_secret_value_is_written_or_shown(verified: Verified) -> None:
    values = verified.cluster.secret_values()
    assert len(values) >= 5  # else there is nothing to be found
    files = {path: path.read_bytes() for path in verified.state.rglob("*") if path.is_file()}
    assert len(files) > 60
    for name, value in values.items():
        for form in (value, base64.b64encode(value.encode()).decode(), quote(value, safe="")):
            assert form not in verified.played.text, f"{name} was shown"
            assert [str(path) for path, data in files.items() if form.encode() in data] == [], f"{name} was written"


@pytest.mark.short
def test_a_second_run_keeps_what_was_seen(verified: Verified) -> None:
    again = verified.cluster.play(verified.state, "all")
    assert again.code == PENDING, again.text
    document = verified.cluster.document(verified.state)
    assert verdicts(document) == DONE
    assert again.out.count("kept: ") == 8, again.text
    attempts = [event["step"] for event in journal(verified.state) if event["event"] == "judged"]
    assert attempts == [*"0123456789", "0", "9"]


def test_the_document_for_machines(cluster: Cluster, tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    cluster.forget_events()
    seen = cluster.play(tmp_path / "state", "all", "--until", "6", "--output", "json")
    document = json.loads(seen.out)
    schema = json.loads((ROOT / "playbook" / "schema" / "playbook-v1.json").read_text("utf-8"))
    jsonschema.validate(document, schema)
    assert document["exit_code"] == seen.code == 3  # Steps 7 to 9 were not run
    assert verdicts(document) == {**dict.fromkeys("0123456", "pass"), **dict.fromkeys("789", "not-run")}
    assert document["cluster"]["server"].startswith("https://")


def test_one_sub_step(cluster: Cluster, tmp_path: Path) -> None:
    seen = cluster.play(tmp_path / "state", "step", "3-4")
    assert seen.code == 0, seen.text
    assert "SECRET-KEYS" in seen.out
    assert "KIS_APP_KEY" in seen.out
    assert journal(tmp_path / "state") == []  # a look, not a session


def test_7_2_alone_twice_in_a_row(cluster: Cluster, tmp_path: Path) -> None:
    """Its pod goes with it: where kubectl's own --rm deletes it, which does not wait, the pod may end a moment later."""
    for _ in range(2):
        seen = cluster.play(tmp_path / "state", "step", "7-2")
        assert seen.code == 0, seen.text
    assert until(lambda: "tmp-curl" not in cluster.pods(), 10, 0.2), cluster.pods()


def test_the_summary(cluster: Cluster, tmp_path: Path) -> None:
    seen = cluster.play(tmp_path / "state", "summary")
    assert seen.code == 0, seen.text
    for pod in cluster.pods():
        assert pod in seen.out
    assert "observer-universe-pvc" in seen.out


def test_no_cause_on_a_healthy_cluster(verified: Verified) -> None:
    seen = verified.cluster.play(verified.state, "diagnose")
    assert seen.code == 0, seen.text
    assert verified.cluster.document(verified.state)["causes"] == []


def test_the_report_in_korean(verified: Verified) -> None:
    english = verified.cluster.play(verified.state, "report")
    korean = verified.cluster.play(verified.state, "report", "--lang", "ko")
    assert (english.code, korean.code) == (0, 0), korean.text
    assert sum("가" <= letter <= "힣" for letter in korean.out) > 200
    for command in ("kubectl get pvc -n observer-prod", "kubectl get nodes -o wide"):
        assert command in english.out
        assert command in korean.out


ROWS = """
import json, playbook
run = playbook.run_command("step6-1-pods")
assert (run.command, run.exit_code) == ("step6-1-pods", 0), run
print(json.dumps({pod.name: pod.is_up for pod in playbook.rows(run)}))
"""


@pytest.mark.short
def test_the_library_gives_one_command_and_its_rows(cluster: Cluster, tmp_path: Path) -> None:
    rows = json.loads(cluster.python(tmp_path / "state", ROWS))
    assert rows == cluster.ready()
    assert "postgres-0" in rows
    assert not (tmp_path / "state").exists(), "one command alone keeps nothing"


def test_the_readmes_example_names_no_pod_of_a_healthy_cluster(cluster: Cluster, tmp_path: Path) -> None:
    assert cluster.python(tmp_path / "state", on_the_cluster()) == ""
