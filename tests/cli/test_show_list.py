"""`show` prints the guide and nothing else; `list` and `--help` name what there is."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT

from playbook.guide.catalog import DIAGNOSE_ORDER, EMERGENCY, GUIDE_ORDER


def playbook(*arguments: str, language: str = "C") -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "LC_ALL": language, "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, "-m", "playbook", *arguments], cwd=ROOT, env=environment, capture_output=True, check=False
    )


def files(*names: str) -> bytes:
    return b"".join((ROOT / "commands" / f"{name}.sh").read_bytes() for name in names)


@pytest.mark.parametrize("what, names", [
    ("3-4", ("step3-4-secret-keys", "step3-4-secret-keys-jq")),
    ("1", ("step1-namespace",)),
    ("7-3", ("step7-3-port-forward", "step7-3-curl", "step7-3-stop-port-forward")),
    ("9-2", ("step9-1-pod-restarts",)),
    ("step6-1-pods", ("step6-1-pods",)),
    ("summary", ("summary",)),
    ("describe-pod", ("diagnose/describe-pod",)),
])  # fmt: skip
def test_show_prints_the_bytes_and_nothing_else(what: str, names: tuple[str, ...]) -> None:
    ended = playbook("show", what)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, files(*names), b"")


@pytest.mark.parametrize("step", "0123456789")
def test_show_a_whole_step_in_the_order_of_the_guide(step: str) -> None:
    ended = playbook("show", step)
    assert ended.stdout == files(*(id for id in GUIDE_ORDER if id.startswith(f"step{step}") and id != EMERGENCY))
    assert (EMERGENCY in ended.stderr.decode()) == (step == "3")


def test_every_command_can_be_shown_and_is_what_its_digest_says() -> None:
    sums = (ROOT / "commands" / "SHA256SUMS").read_text().split("\n")
    digests = {name: digest for digest, name in (line.split("  ") for line in sums if line)}
    assert len(digests) == len(GUIDE_ORDER) + len(DIAGNOSE_ORDER)
    for id in ("step0-nodes", "step4-path-contract", "step8-4-wait-postgres"):
        assert hashlib.sha256(playbook("show", id).stdout).hexdigest() == digests[f"{id}.sh"]


def test_a_note_about_what_changes_the_cluster_goes_to_standard_error() -> None:
    ended = playbook("show", "step8-2-delete-observer")
    assert ended.stdout == files("step8-2-delete-observer")
    assert ended.stderr == b"note: step8-2-delete-observer changes the cluster\n"


def test_show_fills_a_placeholder() -> None:
    ended = playbook("show", "logs-previous", "observer-7cd9cf784-x")
    assert ended.stdout.strip() == b"kubectl logs observer-7cd9cf784-x -n observer-prod --previous"


@pytest.mark.parametrize("arguments, told", [
    (("3-9",), b"3-9"),
    (("no-such",), b"no-such"),
    (("../setup",), b"../setup"),
    (("describe-pod", "x; reboot"), b"x; reboot"),
    (("step0-nodes", "some-pod"), b"step0-nodes"),
])  # fmt: skip
def test_what_cannot_be_shown_is_named(arguments: tuple[str, ...], told: bytes) -> None:
    ended = playbook("show", *arguments)
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert told in ended.stderr and b"Traceback" not in ended.stderr


def test_show_piped_into_bash_is_the_guide(tmp_path: Path) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text('#!/bin/sh\nprintf "%s|" "$@"; echo\n')
    kubectl.chmod(0o755)
    shown = playbook("show", "6-1").stdout
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(["bash"], input=shown, env={**os.environ, "PATH": path}, capture_output=True, check=False)
    assert ended.stdout == b"get|pods|-n|observer-prod|-o|wide|\n"


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    line = f"'{sys.executable}' -m playbook list | head -n 1"
    ended = subprocess.run(
        ["bash", "-c", line], cwd=ROOT, env={**os.environ, "LC_ALL": "C"}, capture_output=True, check=False
    )
    assert (ended.stdout, ended.stderr) == (b"Step 0\n", b"")


def test_list_names_every_command_once_in_the_order_of_the_guide() -> None:
    lines = playbook("list").stdout.decode().splitlines()
    ids = [line.split()[0] for line in lines if line.startswith("  ")]
    assert ids == [*GUIDE_ORDER, *DIAGNOSE_ORDER]
    headings = [line for line in lines if not line.startswith("  ")]
    assert headings[0] == "Step 0" and headings[-2:] == ["Summary", "Diagnosis and remedies"]
    assert len(set(headings)) == len(headings)


def test_list_marks_what_changes_the_cluster() -> None:
    marked = {
        line.split()[0] for line in playbook("list").stdout.decode().splitlines() if "(changes the cluster)" in line
    }
    assert {"step8-2-delete-observer", "step8-4-delete-postgres", "step3-3-create-observer-secrets"} <= marked
    assert not any(id.startswith(("step0", "step1", "step2", "step5", "step9")) for id in marked)


def test_help_names_every_verb_with_a_sentence() -> None:
    from playbook.cli import _VERBS

    ended = playbook("--help")
    text = ended.stdout.decode()
    assert (ended.returncode, ended.stderr) == (0, b"")
    for verb, (_, sentence) in _VERBS.items():
        assert f"  {verb} " in text
        assert " ".join(sentence.split()) in " ".join(text.split())
    for word in ("Exit status", "PLAYBOOK_STATE_DIR", "KUBECONFIG", "--lang"):
        assert word in text


def test_each_verb_explains_itself() -> None:
    from playbook.cli import _VERBS

    for verb in _VERBS:
        ended = playbook(verb, "--help")
        assert ended.returncode == 0, (verb, ended.stderr.decode())
        assert ended.stdout.decode().startswith(f"Usage: {sys.executable} -m playbook {verb} ")


def test_an_unknown_verb_is_a_usage_error() -> None:
    ended = playbook("verify")
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert b"verify" in ended.stderr and b"Traceback" not in ended.stderr
