"""`step N`: what is said of one step, and of nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from stubbed import Stubbed

ALLOW = "all --allow-restart"


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Stubbed:
    """A cluster, and a session that the tests below go on with, in their order."""
    return Stubbed(tmp_path_factory.mktemp("one-step"))


def report(stub: Stubbed) -> str:
    """The report of the session."""
    return (stub.session / "report.md").read_text("utf-8")


def test_step_9_of_a_fresh_session_says_nothing_of_the_others(stub: Stubbed) -> None:
    done = stub.playbook("step", "9")
    assert done.returncode == 5
    assert "all is well so far" not in done.stdout
    assert "Pending: Step 9 is well so far" in done.stdout
    last = done.stderr.rstrip().splitlines()[-1]
    assert last.startswith("next: ") and last.endswith(" all"), "the other steps need not wait"
    assert "**Incomplete" in report(stub), "the report is of the session"


def test_a_passing_step_proposes_no_next(stub: Stubbed) -> None:
    done = stub.playbook("step", "3")
    assert done.returncode == 0
    assert "As the guide wants it: Step 3.\n" in done.stdout
    assert "Complete" not in done.stdout
    assert "next: " not in done.stderr
    assert "**Incomplete" in report(stub), "the report is of the session"


def test_a_skipped_step_8_says_its_remedy_once(stub: Stubbed) -> None:
    done = stub.playbook("all")
    assert done.returncode == 3
    assert done.stdout.count(ALLOW) == 1
    assert "2 more" not in done.stdout


def test_a_sample_of_a_whole_session_names_the_moment(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    assert stub.playbook("all", "--allow-restart").returncode == 5
    done = stub.playbook("step", "9")
    assert done.returncode == 5
    last = done.stderr.rstrip().splitlines()[-1]
    assert last.startswith("next: ") and last.endswith(" on"), last


def test_quiet_leaves_the_verdict_and_nothing_else(stub: Stubbed) -> None:
    done = stub.playbook("step", "9", "-q")
    assert (done.returncode, done.stderr) == (5, "")
    assert done.stdout.startswith("Pending: Step 9 is well so far")
    assert len(done.stdout.splitlines()) == 1
    looked = stub.playbook("step", "3-4", "-q")
    assert (looked.returncode, looked.stdout, looked.stderr) == (0, "As the guide wants it: Step 3.\n", "")


def test_quiet_says_of_a_whole_run_what_is_missing(stub: Stubbed) -> None:
    done = stub.playbook("all", "-q")
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.startswith("Incomplete: ") and done.stdout.endswith("Step 8.\n")
    assert len(done.stdout.splitlines()) == 1


def test_a_dry_run_shows_the_commands_and_asks_no_cluster(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    done = stub.playbook("step", "6", "--dry-run")
    assert done.returncode == 0
    shown = done.stdout.splitlines()
    assert shown[:3] == ["Step 6  Pods", "  step6-1-pods", "      $ kubectl get pods -n observer-prod -o wide"]
    assert any(line.startswith("  step6-6-") and line.endswith("  (changes the cluster)") for line in shown)
    every = stub.playbook("all", "--dry-run", "--from", "7", "--until", "8").stdout
    assert [line for line in every.splitlines() if line.startswith("Step ")] == [
        "Step 7  Health check", "Step 8  Data persistence"]  # fmt: skip
    assert "  step8-2-delete-observer  (changes the cluster, is run with permission only)\n" in every
    assert not stub.state.exists()
    assert not stub.log.exists()


def test_a_dry_run_shows_the_one_variant_that_would_be_run(tmp_path: Path) -> None:
    shown = Stubbed(tmp_path).playbook("step", "3", "--dry-run").stdout
    assert len([line for line in shown.splitlines() if line.startswith("  step3-4-")]) == 1
    assert "create secret" not in shown, "the emergency creation is a remedy"


def test_a_dry_run_has_no_form_for_machines(tmp_path: Path) -> None:
    done = Stubbed(tmp_path).playbook("step", "3", "--dry-run", "--output", "json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "it has no other form than text" in done.stderr and "leave out --output" in done.stderr
