"""The read-only part of the guide with every kubectl found; the table of what each gave is printed at the end."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .lab import Cluster, first_in_path, verdicts

ROWS: list[tuple[str, str, str, str]] = []


@pytest.fixture(scope="module", autouse=True)
def table(request: pytest.FixtureRequest) -> Iterator[None]:
    """Print what was seen, also when output is captured."""
    yield
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and ROWS:
        reporter.write_line("")
        reporter.write_line(f"{'kubectl':<22}  {'version':<22}  {'Steps 0-6':<30}  seconds")
        for name, version, verdict, seconds in ROWS:
            reporter.write_line(f"{name:<22}  {version:<22}  {verdict:<30}  {seconds}")


def test_steps_0_to_6(kubectl_program: Path, cluster: Cluster, tmp_path: Path) -> None:
    cluster.forget_events()
    env = first_in_path(kubectl_program, tmp_path / "bin")
    seen = cluster.play(tmp_path / "state", "all", "--until", "7", env=env)
    document = cluster.document(tmp_path / "state")
    findings = [finding for step in document["steps"] for finding in step["findings"]]
    odd = {finding["code"]: finding["verdict"] for finding in findings if finding["verdict"] not in ("pass", "not-run")}
    seconds = sum(run["seconds"] for step in document["steps"] for run in step["runs"])
    said = ", ".join(f"{code} {verdict}" for code, verdict in odd.items()) or "pass"
    ROWS.append((kubectl_program.name, _version(env), said, f"{seconds:.1f}"))
    assert said == "pass", seen.text
    assert set(verdicts(document).values()) == {"pass", "not-run"}
    (described,) = (tmp_path / "state").glob("sessions/*/step6-2-describe-observer.out")
    if "\nEvents:" not in described.read_text("utf-8"):  # kubectl 1.37: each pod is then described by itself
        assert len([*(tmp_path / "state").glob("sessions/*/diagnose/describe-pod.observer-*.out")]) == 2
    assert seen.code == 3  # Steps 7 to 9 were not run


def _version(env: dict[str, str]) -> str:
    shown = subprocess.run(
        ["kubectl", "version", "--client", "-o", "json"],
        check=False, capture_output=True, text=True, env={**os.environ, **env},
    )  # fmt: skip
    _, _, after = shown.stdout.partition('"gitVersion": "')
    return after.partition('"')[0] if after else "?"
