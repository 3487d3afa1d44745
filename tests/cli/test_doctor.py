"""`doctor`: each line is ok, or what to type. The answers of kubectl are handmade here, after the wording named at each."""

from __future__ import annotations

import json
import os
import socket
from datetime import datetime, timezone
from pathlib import Path

import pytest
from stubbed import Stubbed

from playbook.cli.doctor import lines
from playbook.doctor import cluster, machine
from playbook.doctor.check import Check, command_of
from playbook.guide.own_commands import NEEDED_RIGHTS
from playbook.guide.remedies import COPY_KUBECONFIG, EXPORT_KUBECONFIG, READ_AS_ROOT, RENEW_CERTIFICATES, SET_CLOCK
from playbook.model import Ended, Run
from playbook.text import use_program

AT = datetime(2026, 11, 25, 1, 0, 0, tzinfo=timezone.utc)


def ran(out: str = "", err: str = "", exit_code: int = 0, seconds: float = 0.1) -> Run:
    return Run("x", 1, out.encode(), err.encode(), exit_code, Ended.EXITED, AT, seconds)


def typed(check: Check) -> list[str]:
    return [one.command for one in check.remedy]


# the API server


def test_an_api_server_that_answers_is_ok_with_its_version_and_time() -> None:
    check = cluster.api(ran('{\n  "gitVersion": "v1.34.1+k3s1",\n}'))
    assert (check.ok, str(check.seen)) == (True, "v1.34.1+k3s1 answers after 0.1 s")


def test_a_slow_one_is_not() -> None:
    assert cluster.api(ran('"gitVersion": "v1.34.1+k3s1"', seconds=5.0)).ok is False


@pytest.mark.parametrize(
    ("words", "command"),
    [
        # kubectl 1.34 with the file of K3s, as an ordinary user
        ("error: error loading config file \"/etc/rancher/k3s/k3s.yaml\": open /etc/rancher/k3s/k3s.yaml: permission denied",
         READ_AS_ROOT.command),
        ("The connection to the server localhost:8080 was refused - did you specify the right host or port?",
         EXPORT_KUBECONFIG.command),
        ("error: You must be logged in to the server (Unauthorized)", COPY_KUBECONFIG.command),
        ("Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority",
         COPY_KUBECONFIG.command),
        ("Unable to connect to the server: tls: failed to verify certificate: x509: certificate has expired or is not yet "
         "valid: current time 2026-11-25T01:00:00Z is after 2026-11-24T00:00:00Z", RENEW_CERTIFICATES.command),
        ("Unable to connect to the server: tls: failed to verify certificate: x509: certificate has expired or is not yet "
         "valid: current time 2020-11-25T01:00:00Z is before 2026-11-24T00:00:00Z", SET_CLOCK.command),
        ("The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?",
         "systemctl status k3s"),
    ],
)  # fmt: skip
def test_each_way_not_to_reach_it_has_its_line(words: str, command: str) -> None:
    check = cluster.api(ran(err=f"{words}\n", exit_code=1))
    assert check.ok is False
    assert command in typed(check)


# rights and clock


def test_all_rights_are_one_line() -> None:
    (check,) = cluster.rights({right: ran("yes\n") for right in NEEDED_RIGHTS})
    assert check.ok is True


def test_rights_that_lack_are_named_and_those_not_answered_are_not_called_allowed() -> None:
    answers = {
        "get pods": ran("yes\n"),
        "delete pods": ran("no\n", exit_code=1),
        "get nodes": ran(err="error: x", exit_code=1),
    }
    lacking, unseen = cluster.rights(answers)
    assert (lacking.ok, str(lacking.seen)) == (False, "not allowed: delete pods")
    assert (unseen.ok, str(unseen.seen)) == (None, "could not be seen: get nodes")


@pytest.mark.parametrize(("second", "ok"), [("04", True), ("40", False)])
def test_the_clock_is_held_against_the_servers(second: str, ok: bool) -> None:
    header = f"HTTP/2 200 \r\ndate: Wed, 25 Nov 2026 01:00:{second} GMT\r\n"
    assert cluster.clock(ran(header)).ok is ok


def test_without_a_date_the_clock_was_not_seen() -> None:
    assert cluster.clock(ran("", exit_code=7)).ok is None


# this machine


def test_a_port_that_is_taken_is_freed_by_the_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        check = machine.port(number)
        assert (check.ok, typed(check)) == (False, [f"kill {os.getpid()}"])
    assert machine.port(number).ok is True


def test_a_kubeconfig_that_is_not_there(tmp_path: Path) -> None:
    check = machine.kubeconfig({"KUBECONFIG": f"{tmp_path}/none"})
    assert check.ok is False
    assert typed(check)[0] in ("unset KUBECONFIG", EXPORT_KUBECONFIG.command, COPY_KUBECONFIG.command)


def test_a_kubeconfig_that_this_user_may_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config"
    path.write_text("x", "utf-8")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may read everything
    check = machine.kubeconfig({"KUBECONFIG": str(path)})
    assert (check.ok, typed(check)) == (False, [f'sudo chown "$(id -u):$(id -g)" {path}'])


def test_a_state_folder_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    check = machine.state(str(tmp_path))
    assert (check.ok, typed(check)[0]) == (False, f'sudo chown -R "$(id -u):$(id -g)" {tmp_path}')


def test_too_little_room(tmp_path: Path) -> None:
    assert machine.disk(str(tmp_path / "new" / "state")).ok is True
    assert machine.disk(str(tmp_path), enough_mb=10**9).ok is False


# the verb


def test_the_remedy_names_the_program_as_it_was_started() -> None:
    use_program("./playbook.sh")
    try:
        assert command_of(READ_AS_ROOT) == "sudo -E ./playbook.sh all"
    finally:
        use_program("playbook")


def test_a_line_that_is_not_ok_has_what_to_type_below_it() -> None:
    shown = list(lines([Check("port", True, cluster.api(ran()).seen), machine.disk("/", enough_mb=10**9)]))
    assert shown[0].startswith("ok ")
    assert shown[1].startswith("not ok ")
    assert shown[-1].strip() == "df -h /"


def test_a_sentence_with_a_command_in_it_is_not_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("bash", "curl", "python3", "k3s"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    (line,) = (line for line in lines([machine.tools()]) if "K3s" in line)
    assert line.endswith(': sudo ln -s "$(command -v k3s)" /usr/local/bin/kubectl')


def test_doctor_changes_nothing_and_says_what_it_could_not_see(tmp_path: Path) -> None:
    stubbed = Stubbed(tmp_path)
    ended = stubbed.playbook("doctor", "--output", "json")
    checks = {check["id"]: check for check in json.loads(ended.stdout)["checks"]}
    assert ended.returncode == 3
    assert set(checks) >= {"tools", "kubeconfig", "api", "rights", "port", "state", "disk", "k3s", "kuberc", "clock"}
    assert checks["tools"]["ok"] is True
    assert not stubbed.state.exists()
