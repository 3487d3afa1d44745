"""The report tells who ran it, on which cluster, and what it changed there; a replay says that it is one."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sessions
from stubbed import Stubbed
from support import FIXTURES, made

from playbook import api
from playbook.guide import ids
from playbook.model import Ended, Provenance, Run
from playbook.output.changes import change, changing_runs, is_confirmed
from playbook.output.ending import ending
from playbook.output.head import head_rows, more_rows
from playbook.session.as_json import provenance_from_json, provenance_to_json

MADE = Provenance(
    "1.1.0", "0" * 64, operator="root@oracle (sudo: kim)", zone="+09:00", server="v1.34.4+k3s1",
    cluster_uid="12345678-1234-1234-1234-123456789abc",
    images=(("postgres-0", "docker.io/library/postgres:15", "docker.io/library/postgres@sha256:ab12"),),
)  # fmt: skip


def test_who_and_which_cluster() -> None:
    session = replace(sessions.complete(), provenance=MADE)
    rows = dict([*head_rows(session), *more_rows(session)])
    assert rows["Run by"].endswith("root@oracle (sudo: kim)")
    assert rows["Cluster UID (namespace kube-system)"] == "`12345678-1234-1234-1234-123456789abc`"
    assert rows["Local time"].count("+09:00") == 2
    assert rows["Images"] == "postgres-0: docker.io/library/postgres:15, docker.io/library/postgres@sha256:ab12"


def test_a_kuberc_is_not_read() -> None:
    """The commands are given KUBERC=off; curl and jq do read their own."""
    made = replace(MADE, removed=("BASH_ENV",), noticed=("~/.curlrc", "~/.kube/kuberc"))
    rows = dict(more_rows(replace(sessions.complete(), provenance=made)))
    assert rows["Not handed on to the commands"] == "BASH_ENV, ~/.kube/kuberc"
    assert rows["Read by the tools"] == "~/.curlrc"


def test_what_is_not_known_is_left_out() -> None:
    assert "Cluster UID (namespace kube-system)" not in dict(more_rows(sessions.empty()))


def test_provenance_of_version_1_0_is_read() -> None:
    data = provenance_to_json(MADE)
    assert provenance_from_json(data) == MADE
    old = {key: data[key] for key in data if key not in ("operator", "zone", "cluster_uid", "images")}
    assert provenance_from_json(old) == replace(MADE, operator="", zone="", cluster_uid="", images=())


def test_every_change_is_listed(tmp_path) -> None:
    stub = Stubbed(tmp_path)
    stub.playbook("all", "--allow-restart")
    session = api.recorded_session(stub.session)
    assert [run.command for run in session.changes] == [
        ids.WRITE_DATA, ids.WRITE_LOGS, ids.HEALTH_VIA_SERVICE, ids.DELETE_OBSERVER, ids.DELETE_POSTGRES,
    ]  # fmt: skip
    assert changing_runs(session) == session.changes
    assert "pods deleted: observer-" in str(change(session.changes[3]))
    report = api.render(session)
    assert "pods deleted: postgres-0" in report
    assert "Replay" not in report.split("\n")[0]


FORBIDDEN = 'Error from server (Forbidden): pods "x" is forbidden: User "viewer" cannot {} in API group "" in the namespace "observer-prod"\n'
UNASKED = "Unable to connect to the server: getting credentials: exec: executable oci not found\n"


@pytest.mark.parametrize(
    ("run", "confirmed"),
    [
        (made(ids.WRITE_DATA, "OK\n"), True),
        (made(ids.WRITE_DATA, "", FORBIDDEN.format('create resource "pods/exec"'), 1), False),
        (made(ids.WRITE_LOGS, "", "touch: cannot touch '/opt/x/.write_test': Read-only file system\n", 1), False),
        (made(ids.HEALTH_VIA_SERVICE, '{"status": "ok"}pod "tmp-curl" deleted\n'), True),
        (made(ids.HEALTH_VIA_SERVICE, "", "error: timed out waiting for the condition\n", 1), True),
        (made(ids.HEALTH_VIA_SERVICE, "", "", None, ended=Ended.STOPPED_EARLY), True),
        (made(ids.HEALTH_VIA_SERVICE, "", FORBIDDEN.format('create resource "pods"'), 1), False),
        (made(ids.HEALTH_VIA_SERVICE, "", 'Error from server (AlreadyExists): pods "tmp-curl" already exists\n', 1), False),
        (made(ids.HEALTH_VIA_SERVICE, "", UNASKED, 1), False),
        (made(ids.REMOVE_TMP_CURL, 'pod "tmp-curl" force deleted from observer-prod namespace\n'), True),
        (made(ids.REMOVE_TMP_CURL, "", 'Error from server (NotFound): pods "tmp-curl" not found\n', 1), False),
        (made(ids.DELETE_POSTGRES, 'pod "postgres-0" deleted\n'), True),
        (made(ids.DELETE_POSTGRES, "", FORBIDDEN.format('delete resource "pods"'), 1), False),
        (made(ids.DELETE_OBSERVER, "", "", None, ended=Ended.TIMEOUT), False),
    ],
)  # fmt: skip
def test_a_change_that_the_cluster_did_not_confirm_is_told_as_such(run: Run, confirmed: bool) -> None:
    session = replace(sessions.empty(), changes=(run,))
    assert is_confirmed(run) is confirmed
    assert ("not confirmed: " in dict(head_rows(session))["Changed on the cluster"]) is not confirmed
    (line,) = (line for line in ending(session).splitlines() if line.startswith("Changed on the cluster: "))
    assert line.startswith("Changed on the cluster: not confirmed: ") is not confirmed


def test_a_replay_is_marked_and_not_to_be_signed() -> None:
    report = api.render(api.replay(FIXTURES / "1.20/healthy-24h"))
    assert report.startswith("> **Replay of a recording: nothing was run, and it is not to be signed.**\n")
    assert "## Sign-off" not in report
