"""Each test gets one kubectl, and a place in which it runs and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

from clients import NO_KUBECTL, Place, chosen, version  # noqa: E402
from loopback import Certificates, certificates  # noqa: E402


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `client` runs once with each of the chosen."""
    if "client" in metafunc.fixturenames:
        cases = [pytest.param(path, id=f"{path.name}-{version(path)}") for path in chosen()]
        metafunc.parametrize("client", cases or [pytest.param(None, marks=pytest.mark.skip(reason=NO_KUBECTL))])


@pytest.fixture
def place(client: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A place of its own for each test: no operator's kubeconfig, no proxy, no shared discovery cache."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "kubectl").symlink_to(client)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KUBECACHEDIR", str(tmp_path / "home" / "cache"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("PLAYBOOK_STATE_DIR", str(tmp_path / "state"))
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    yield Place(client, tmp_path, tmp_path / "config")


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """The certificates of this test run; skips without openssl."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl on PATH: no certificates to be made")
    return certificates(tmp_path_factory.mktemp("certificates"))
