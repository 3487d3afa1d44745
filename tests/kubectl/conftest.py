"""Which kubectl there are, and a place in which one of them runs and leaves nothing behind."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

NO_KUBECTL = "no kubectl on PATH: real failures of a real kubectl cannot be shown"
LIMIT_S = 1.5
"""The time limit of each command where a server hangs."""


@lru_cache
def clients() -> tuple[Path, ...]:
    """Every kubectl: the default one, `kubectl.1.*` beside it and along PATH, those of PLAYBOOK_KUBECTLS, the PyPI wheel's."""
    default = shutil.which("kubectl")
    folders = [Path(place) for place in os.environ.get("PATH", "").split(os.pathsep) if place]
    found = [Path(default)] if default else []
    if default:
        folders.insert(0, Path(default).resolve().parent)
    for folder in folders:
        found += sorted(folder.glob("kubectl.1.*"))
    found += [Path(place) for place in os.environ.get("PLAYBOOK_KUBECTLS", "").split(os.pathsep) if place]
    found.append(Path(sys.executable).parent / "kubectl")
    once = {path.resolve(): path for path in reversed(found) if os.access(path, os.X_OK) and path.is_file()}
    return tuple(path for path in found if once.get(path.resolve()) is path)


@lru_cache
def version(client: Path) -> str:
    """What a kubectl says that it is: `v1.32.4-dispatcher`."""
    said = subprocess.run([client, "version", "--client"], capture_output=True, text=True, timeout=30, check=False)
    found = re.search(r'(?:Client Version: |GitVersion:")(v[^\s",]+)', said.stdout)
    return found[1] if found else "?"


def chosen() -> tuple[Path, ...]:
    """The default kubectl, or all of them where PLAYBOOK_ALL_KUBECTLS is set."""
    return clients() if os.environ.get("PLAYBOOK_ALL_KUBECTLS") else clients()[:1]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `client` runs once with each of the chosen."""
    if "client" in metafunc.fixturenames:
        cases = [pytest.param(path, id=f"{path.name}-{version(path)}") for path in chosen()]
        metafunc.parametrize("client", cases or [pytest.param(None, marks=pytest.mark.skip(reason=NO_KUBECTL))])


@dataclass(frozen=True)
class Place:
    """One kubectl, first on PATH as `kubectl`; its home, its cache and the sessions lie in `folder`."""

    client: Path
    folder: Path
    config: Path  # what KUBECONFIG names; a test puts something there

    def under(self, name: str) -> Place:
        """The same with another KUBECONFIG."""
        os.environ["KUBECONFIG"] = str(self.folder / name)
        return replace(self, config=self.folder / name)


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
def certified(tmp_path_factory: pytest.TempPathFactory):
    """The certificates of this test run; skips without openssl."""
    from loopback import certificates

    if not shutil.which("openssl"):
        pytest.skip("no openssl on PATH: no certificates to be made")
    return certificates(tmp_path_factory.mktemp("certificates"))
