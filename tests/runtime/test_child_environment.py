"""The same bytes mean the same: what could change the meaning of a command does not reach it, and is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from stubbed import Stubbed
from support import ROOT

from playbook.guide.catalog import load
from playbook.model import Command, Ended
from playbook.runtime.child_environment import child_environment
from playbook.runtime.live import LiveRunner

HOME = Path("/home/kim")
HOSTILE = {
    "BASH_ENV": "/tmp/evil",
    "ENV": "/tmp/evil",
    "BASH_FUNC_kubectl%%": "() { echo ours; }",
    "SHELLOPTS": "braceexpand:noglob",
    "BASHOPTS": "extdebug",
    "PYTHONPATH": "/tmp/evil",
    "PYTHONSTARTUP": "/tmp/evil.py",
    "PYTHONHOME": "/tmp/evil",
    "KUBECTL_EXTERNAL_DIFF": "x",
    "KUBERC": "/tmp/kuberc",
    "GREP_OPTIONS": "-v",
    "TIME_STYLE": "+",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_changes_a_command_is_taken_out_and_named(name: str) -> None:
    made = child_environment({name: HOSTILE[name], "HOME": "/home/kim"}, HOME)
    assert made.variables.get(name) != HOSTILE[name]
    assert made.removed == (name,)
    assert made.variables["HOME"] == "/home/kim"


def test_the_operators_own_settings_stay() -> None:
    own = {"KUBECONFIG": "/a:/b", "HTTPS_PROXY": "http://proxy:3128", "LANG": "ko_KR.UTF-8", "POSTGRES_USER": "x"}
    own["GOGC"] = "50"
    made = child_environment(own, HOME)
    assert {name: made.variables[name] for name in own} == own
    assert made.removed == ()


def test_kubectl_collects_its_garbage_less_often() -> None:
    assert child_environment({}, HOME).variables["GOGC"] == "400"


def test_a_proxy_is_not_asked_for_localhost() -> None:
    assert "localhost" in child_environment({"http_proxy": "http://p", "no_proxy": "x"}, HOME).variables["no_proxy"]
    assert "no_proxy" not in child_environment({}, HOME).variables


def test_a_kubeconfig_is_found_from_the_neutral_folder_too() -> None:
    assert child_environment({"KUBECONFIG": "k3s.yaml:/b:"}, HOME).variables["KUBECONFIG"] == "/home/kim/k3s.yaml:/b:"


def printed(runner: LiveRunner, text: str) -> str:
    run = runner.run(Command("x", "", text, "", timeout_s=10))
    assert run.ended is Ended.EXITED, run
    return run.out


def test_an_exported_function_is_not_kubectl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASH_FUNC_true%%", "() { echo shadowed; }")
    assert printed(LiveRunner(), "true; echo end") == "end\n"


def test_no_file_is_sourced_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "first").write_text("echo sourced\n")
    monkeypatch.setenv("BASH_ENV", str(tmp_path / "first"))
    assert printed(LiveRunner(), "echo end") == "end\n"


def test_a_json_module_of_the_working_folder_judges_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The guide's path check imports json; a file of that name in the operator's folder turned criterion 6 into a pass."""
    (tmp_path / "json.py").write_text("def loads(text):\n    return {'data': {}}\n")
    monkeypatch.chdir(tmp_path)
    check = load().command("step4-path-contract").text.partition("|")[2].lstrip(" \\\n")
    out = printed(LiveRunner(), 'echo \'{"data": {"OBSERVER_DATA_DIR": "/data"}}\' | ' + check)
    assert out.startswith("MISMATCH: OBSERVER_DATA_DIR = /data"), out


def test_a_folder_that_is_gone_keeps_nobody_from_running(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    try:
        assert printed(LiveRunner(), "pwd") == "/\n"
    finally:
        os.chdir(tmp_path)


@pytest.mark.parametrize("shadowed", ["json", "typing", "click", "sh", "dataclasses", "gettext"])
def test_the_program_imports_nothing_from_the_working_folder(shadowed: str, tmp_path: Path) -> None:
    stub = Stubbed(tmp_path / "stub")
    (tmp_path / f"{shadowed}.py").write_text('raise SystemExit("shadowed")\n')
    done = subprocess.run(
        [sys.executable, "-m", "playbook", "show", "step0-nodes"],
        cwd=tmp_path, env={**stub.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, load().command("step0-nodes").text), done.stderr


@pytest.mark.parametrize("shadowed", ["json", "click", "jinja2", "gettext"])
@pytest.mark.parametrize("named", ["{folder}", "."])
def test_what_pythonpath_names_comes_after_pythons_own_and_the_libraries(
    shadowed: str, named: str, tmp_path: Path
) -> None:
    """A json.py there made a session's own recording unreadable."""
    stub = Stubbed(tmp_path / "stub")
    (tmp_path / f"{shadowed}.py").write_text('raise SystemExit("shadowed")\n')
    done = subprocess.run(
        [sys.executable, "-m", "playbook", "report", "--recording", "healthy"],
        cwd=tmp_path, env={**stub.environ, "PYTHONPATH": f"{named.format(folder=tmp_path)}:{ROOT}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, "# Cluster verification: observer-prod" in done.stdout) == (0, True), done.stderr
