"""Judges see what was printed; what is kept is masked, and a finding that the mask would change says so."""

from __future__ import annotations

import base64
import hashlib
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from fake_cluster import FakeCluster
from starts import go_on
from verifying import Verification, verification  # noqa: F401  # a fixture

from playbook import api
from playbook.model import Run, Verdict
from playbook.output.pack import pack
from playbook.output.verify_pack import verify
from playbook.session.redact.freetext import is_free
from playbook.session.redact.redactor import Redactor
from playbook.session.store import SessionStore

LEVELS = [
    "2026-11-22 22:57:01,123 observer.kis_token: ERROR refresh failed",
    "observer.auth_token: CRITICAL cannot renew",
    "kis.app_secret: FATAL: unreadable",
    "db.password: PANIC cannot write",
    "[observer.api_key] token: ERROR 401",
    "access_token - ERROR - expired",
    '{"level": "ERROR", "token": "x"}',
    "level=error token=abc",
    "ERROR token: expired",
    "refresh_token: ERROR: HTTP 500",
]
"""Handmade, after the loggers of a Python service that are named after what they handle."""

VALUE = "pl4nted ERROR b00m"
"""A value that hides the level of the line it stands in."""


@pytest.mark.parametrize("line", LEVELS)
def test_the_level_behind_a_word_of_secrecy_keeps_its_verdict(line: str, verification: Verification) -> None:
    verification.answer("step6-3-logs-observer", f"INFO started\n{line}\n")
    found = [
        f for f in verification.all(until="6").result("6").findings if f.step == "6-3" and f.verdict is Verdict.FAIL
    ]
    assert found, line
    assert not any(finding.masked for finding in found), "the level stays readable"


def printing(run: Run) -> Run:
    """A log and an environment that hold VALUE."""
    if run.command == "step6-4-env":
        return replace(run, stdout=run.stdout + f"ODD_TOKEN={VALUE}\n".encode())
    return replace(run, stdout=b"INFO up\n2026-11-22 22:57:01 " + VALUE.encode() + b"\n")


def test_what_the_mask_would_change_is_judged_live_and_marked(tmp_path: Path) -> None:
    cluster = FakeCluster()
    cluster.answers = {"step6-3-logs-observer": printing, "step6-4-env": printing}
    session = go_on(tmp_path, cluster)
    found = [finding for finding in session.result("6").findings if finding.masked]
    assert {(finding.step, finding.verdict) for finding in found} == {("6-3", Verdict.FAIL)}
    assert not [f for result in session.results for f in result.findings if "b00m" in f.actual.english]
    folder = SessionStore(tmp_path).folder(session.id)
    again = api.replay(folder)
    assert again.result("6").findings == session.result("6").findings, "a replay takes over what it cannot see"
    file = tmp_path / "pack.tar.gz"
    file.write_bytes(pack(folder).to_bytes())
    checks = list(verify(file).checks)
    assert [str(check.wrong) for check in checks if check.wrong] == []
    assert any(check.note and "judged live" in str(check.note) for check in checks)
    with tarfile.open(file) as members:
        read = {member.name: members.extractfile(member).read() for member in members}  # type: ignore[union-attr]
    assert not [name for name, data in read.items() if b"b00m" in data]
    assert "judged live" in next(data for name, data in read.items() if name.endswith("/report.md")).decode()


def test_a_key_without_its_last_line_hides_nothing_else() -> None:
    text = "-----BEGIN PRIVATE KEY-----\nMIIEvgIBADANBgkqhkiG9w0BAQEFAASC\nERROR stopped\nNAME   READY\n"
    masked = Redactor().mask_text(text)
    assert "MIIEv" not in masked
    assert masked.endswith("\nERROR stopped\nNAME   READY\n")


# learned first, or not at all

PLANTED = "pl4nted/Pg+pass-1"


def secrets_of(value: str) -> str:
    """What `kubectl get secrets -o json` prints of one Secret."""
    data = {"PGPASS": base64.b64encode(value.encode()).decode()}
    return json.dumps({"items": [{"metadata": {"name": "observer-secrets"}, "type": "Opaque", "data": data}]})


def files_with(folder: Path, value: str) -> list[str]:
    """The files below `folder` that hold `value`."""
    return [path.name for path in folder.rglob("*") if path.is_file() and value.encode() in path.read_bytes()]


def test_the_values_are_learned_before_anything_is_kept_and_their_list_is_kept_nowhere(tmp_path: Path) -> None:
    cluster = FakeCluster()
    cluster.answers["secret-values"] = lambda run: replace(run, stdout=secrets_of(PLANTED).encode())
    cluster.answers["step6-3-logs-observer"] = lambda run: replace(run, stdout=f"ERROR login {PLANTED}\n".encode())
    cluster.answers["step6-4-env"] = lambda run: replace(run, stdout=b"", stderr=b"error: no pod\n", exit_code=1)
    session = go_on(tmp_path, cluster)
    folder = SessionStore(tmp_path).folder(session.id)
    assert files_with(tmp_path, PLANTED) == []
    assert (folder / "diagnose" / "secret-values.out").read_bytes() == b""
    assert b"ERROR login ***" in (folder / "step6-3-logs-observer.out").read_bytes()
    assert '"PGPASS":1' in (folder / "journal.jsonl").read_text("utf-8")


def test_without_anything_learned_free_text_is_not_kept(tmp_path: Path) -> None:
    forbidden = b'Error from server (Forbidden): secrets is forbidden: User "x" cannot list resource "secrets"\n'
    cluster = FakeCluster()
    cluster.answers["secret-values"] = lambda run: replace(run, stdout=b"", stderr=forbidden, exit_code=1)
    cluster.answers["step6-4-env"] = lambda run: replace(run, stdout=b"", stderr=forbidden, exit_code=1)
    log = f"INFO using {PLANTED}\nERROR login with {PLANTED}\n"
    cluster.answers["step6-3-logs-observer"] = lambda run: replace(run, stdout=log.encode())
    session = go_on(tmp_path, cluster)
    folder = SessionStore(tmp_path).folder(session.id)
    assert files_with(tmp_path, PLANTED) == []
    found = [finding for finding in session.result("6").findings if finding.step == "6-3"]
    assert Verdict.FAIL in {finding.verdict for finding in found}, "it was judged by what was printed"
    assert hashlib.sha256(log.encode()).hexdigest() in (folder / "journal.jsonl").read_text("utf-8")
    file = tmp_path / "pack.tar.gz"
    file.write_bytes(pack(folder).to_bytes())
    assert [str(check.wrong) for check in verify(file).checks if check.wrong] == []
    cluster.answers["secret-values"] = lambda run: replace(run, stdout=secrets_of(PLANTED).encode())
    go_on(tmp_path, cluster)
    file.write_bytes(pack(folder).to_bytes())
    assert [str(check.wrong) for check in verify(file).checks if check.wrong] == []
    assert files_with(tmp_path, PLANTED) == []


def test_what_a_later_attempt_learns_stands_in_no_finding_of_an_earlier_one(tmp_path: Path) -> None:
    value = "correct horse battery"
    forbidden = b'Error from server (Forbidden): secrets is forbidden: User "x" cannot list resource "secrets"\n'
    cluster = FakeCluster()
    refused = {
        name: lambda run: replace(run, stdout=b"", stderr=forbidden, exit_code=1)
        for name in ("secret-values", "step6-4-env")
    }
    log = {"step6-3-logs-observer": lambda run: replace(run, stdout=f"ERROR login with {value} failed\n".encode())}
    cluster.answers = {**refused, **log}
    session = go_on(tmp_path, cluster)
    folder = SessionStore(tmp_path).folder(session.id)
    assert files_with(tmp_path, value) == ["journal.jsonl"], "nobody could know: it looks like words"
    assert session.withheld
    cluster.answers = {"secret-values": lambda run: replace(run, stdout=secrets_of(value).encode()), **log}
    session = go_on(tmp_path, cluster)
    assert files_with(tmp_path, value) == []
    assert "step6-3-logs-observer.2" not in {each.run for each in session.withheld}, (
        "the second attempt keeps it, masked"
    )
    assert "PGPASS" in {each.name for each in session.masked}
    file = tmp_path / "pack.tar.gz"
    file.write_bytes(pack(folder).to_bytes())
    assert [str(check.wrong) for check in verify(file).checks if check.wrong] == []
    assert session.result("6").findings == SessionStore(tmp_path).open(session.id)[0].state.result("6").findings


def test_ordinary_words_that_are_values_change_no_table_and_no_cluster(tmp_path: Path) -> None:
    words = ("oracle", "kubernetes", "platform", "database", "Bound", "p4ss")
    data = {f"PASS_{n}": base64.b64encode(word.encode()).decode() for n, word in enumerate(words)}
    listing = json.dumps({"items": [{"type": "Opaque", "data": data}]}).encode()
    cluster = FakeCluster()
    cluster.answers = {
        "secret-values": lambda run: replace(run, stdout=listing),
        "step6-3-logs-observer": lambda run: replace(run, stdout=b"INFO login as oracle with p4ss on oracle-obs-arm\n"),
    }
    first = go_on(tmp_path, cluster)
    folder = SessionStore(tmp_path).folder(first.id)
    log = (folder / "step6-3-logs-observer.out").read_bytes()
    assert log == b"INFO login as ****** with **** on oracle-obs-arm\n"
    for result in first.results:
        for run in result.runs:
            original = FakeCluster().recording.read(run.command, run.ordinal)
            if (
                not is_free(run.command)
                and original.happened
                and run.command.startswith(("step0", "step1", "step2", "step5"))
            ):
                assert run.stdout == original.stdout, run.command
    assert {f.code for result in first.results for f in result.findings if f.masked} <= {"LOG-POSTGRES"}, (
        "it quotes a word"
    )
    cluster.answers["secret-values"] = lambda run: replace(run, stdout=b"", stderr=b"error: timed out\n", exit_code=1)
    assert go_on(tmp_path, cluster).cluster == first.cluster, "no other cluster, whatever was masked"


def test_what_the_commands_were_run_by_is_masked_as_well(tmp_path: Path) -> None:
    value = "pl4nted.Pg-pass-1"
    image = f"postgres-0 reg.example/{value}:1 reg.example/{value}@sha256:ab12\n"
    cluster = FakeCluster()
    cluster.answers["secret-values"] = lambda run: replace(run, stdout=secrets_of(value).encode())
    cluster.answers["kubectl-context"] = lambda run: replace(run, stdout=f"lab {value}".encode(), exit_code=0)
    cluster.answers["images-and-cluster-uid"] = lambda run: replace(run, stdout=image.encode(), exit_code=0)
    session = go_on(tmp_path, cluster)
    mask = "*" * len(value)
    assert session.provenance and (session.provenance.context, session.provenance.user) == ("lab", mask)
    assert session.provenance.images == (("postgres-0", f"reg.example/{mask}:1", f"reg.example/{mask}@sha256:ab12"),)
    assert files_with(SessionStore(tmp_path).folder(session.id), value) == []


def test_what_a_later_attempt_learns_stands_in_no_name_that_an_earlier_one_noted(tmp_path: Path) -> None:
    cluster = FakeCluster()
    cluster.answers["kubectl-context"] = lambda run: replace(run, stdout=f"lab {PLANTED}".encode(), exit_code=0)
    session = go_on(tmp_path, cluster)
    assert session.provenance and session.provenance.user == PLANTED
    cluster.answers["secret-values"] = lambda run: replace(run, stdout=secrets_of(PLANTED).encode())
    session = go_on(tmp_path, cluster)
    assert session.provenance and session.provenance.user == "*" * len(PLANTED)
    assert files_with(SessionStore(tmp_path).folder(session.id), PLANTED) == []
