"""Says what the cluster tests do before they do it, and gives each of them the cluster, the faults and a state folder.

KUBECONFIG                   names the cluster: one to play with
PLAYBOOK_CLUSTER_RESTART=1   lets Step 8 delete the pods
PLAYBOOK_FAULTS=FOLDER       a folder with the executables `break` (put in a fault; list them), `heal` and, where kubectl
                             must be run from elsewhere, `in` (runs a command there). Allows the restarts, too
PLAYBOOK_KUBECTLS=A:B        more kubectl programs to try
PLAYBOOK_CLUSTER=short       the short form: healthy with restarts, five faults, one interruption; else everything
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .lab import Cluster, Faults, faults_folder, kubectls, reached, restart_allowed


def _plan(folder: Path | None) -> list[str]:
    lines = [
        "In the namespace observer-prod these tests",
        "  create   the pod tmp-curl (Step 7-2); for a moment a file .write_test on the data and logs volumes (Step 6-6)",
        "  delete   that pod and those files",
    ]
    if restart_allowed():
        lines.append(
            "  delete   the observer pods and postgres-0 (Step 8), several times; their owners create new ones"
        )
    else:
        lines.append("  keep     the observer pods and postgres-0; PLAYBOOK_CLUSTER_RESTART=1 lets Step 8 restart them")
    if folder:
        lines.append(
            f"  break    the cluster with every fault of {folder}/break, one after the other, and heal it with heal"
        )
        lines.append("  delete   the namespace's events before a run that is to see none")
    else:
        lines.append("  break    nothing; PLAYBOOK_FAULTS=FOLDER names the faults to put in")
    return lines


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """The plan, before anything is collected or run, also with -q."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter:
        for line in _plan(faults_folder()):
            reporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    """The mark of what belongs to the short form."""
    config.addinivalue_line("markers", "short: belongs to the short form too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the short form does not have; pytest says how many that are."""
    form = os.environ.get("PLAYBOOK_CLUSTER", "full")
    if form not in ("full", "short"):
        raise pytest.UsageError(f"PLAYBOOK_CLUSTER={form}: it is full or short")
    if form == "short":
        config.hook.pytest_deselected(items=[item for item in items if not item.get_closest_marker("short")])
        items[:] = [item for item in items if item.get_closest_marker("short")]


@pytest.fixture(scope="session")
def bare_cluster() -> Cluster:
    """The cluster as it stands; without one the tests are skipped with the reason."""
    cluster = reached()
    for arguments in (
        ("version", "--request-timeout=10s"),
        ("get", "namespace", "observer-prod", "--request-timeout=10s"),
    ):
        seen = cluster.kubectl(*arguments, check=False)
        if seen.returncode:
            last = (seen.stderr.strip() or seen.stdout.strip() or f"exit status {seen.returncode}").splitlines()[-1]
            pytest.skip(f"no cluster with the namespace observer-prod: {last}")
    return cluster


@pytest.fixture(scope="session")
def _faults(bare_cluster: Cluster) -> Iterator[Faults | None]:
    folder = faults_folder()
    faults = Faults(folder, bare_cluster) if folder else None
    yield faults
    if faults:
        faults.heal()


@pytest.fixture
def faults(_faults: Faults | None) -> Iterator[Faults]:
    """Puts faults into a healthy cluster. What a test leaves broken is healed before the next one that needs it healthy."""
    if _faults is None:
        pytest.skip("PLAYBOOK_FAULTS names no folder with the executables break and heal")
    _faults.heal()
    yield _faults


@pytest.fixture
def cluster(bare_cluster: Cluster, _faults: Faults | None) -> Cluster:
    """The cluster, healthy: healed where that is possible, else as it stands."""
    if _faults:
        _faults.heal()
    return bare_cluster


@pytest.fixture(scope="session")
def may_restart() -> None:
    """Skips a test that needs Step 8's deletes where they are not allowed."""
    if not restart_allowed():
        pytest.skip("PLAYBOOK_CLUSTER_RESTART=1 is not set: no pod is deleted")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per kubectl found."""
    if "kubectl_program" in metafunc.fixturenames:
        found = kubectls()
        metafunc.parametrize("kubectl_program", found, ids=[path.name for path in found])
