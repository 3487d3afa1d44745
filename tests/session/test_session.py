"""One session on disk: begun, gone on with, begun again, held by one program at a time, of one cluster and one set of commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fake_cluster import FakeCluster
from starts import go_on
from stubbed import Stubbed
from support import ROOT
from verifying import CATALOG, Operator, Verification, verification  # noqa: F401  # a fixture

from playbook import api
from playbook.errors import BadSession, SessionLocked
from playbook.model import NAMESPACE, Cluster, Overall, Verdict
from playbook.session.journal import Kind
from playbook.session.session import OpenSession
from playbook.session.store import SessionStore, state_directory


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder with one session that was opened."""
    with SessionStore(tmp_path / "state") as sessions:
        sessions.create(CATALOG.digest).close()
    return tmp_path / "state"


def opened(state: Path, fresh: bool = False) -> tuple[OpenSession, Operator]:
    """The session that the library goes on with, or begins."""
    operator = Operator(False)
    with SessionStore(state) as sessions:
        record = api._open_session(sessions, CATALOG, fresh, operator)
        record.close()
    return record, operator


# one session


def test_the_open_record_is_gone_on_with(state: Path) -> None:
    first, operator = opened(state)
    second, _ = opened(state)
    assert first.state.id == second.state.id == SessionStore(state).current()
    assert operator.notices == [f"goes on with {first.state.id}"]


def test_fresh_begins_anew_and_keeps_the_old(state: Path) -> None:
    old = SessionStore(state).current() or ""
    before = (SessionStore(state).folder(old) / "journal.jsonl").read_bytes()
    record, _ = opened(state, fresh=True)
    assert record.state.id != old
    assert SessionStore(state).current() == record.state.id
    assert set(SessionStore(state).ids()) == {old, record.state.id}
    assert (SessionStore(state).folder(old) / "journal.jsonl").read_bytes() == before


def test_a_damaged_record_is_refused_and_fresh_is_the_way_out(state: Path) -> None:
    path = SessionStore(state).folder(SessionStore(state).current() or "") / "journal.jsonl"
    path.write_bytes(b"x" + path.read_bytes())
    with pytest.raises(BadSession, match="line 1 ") as refused:
        opened(state)
    assert "--fresh" in str(refused.value)
    opened(state, fresh=True)
    assert path.read_bytes().startswith(b"x"), "the damaged one is kept as it is"


@pytest.mark.parametrize("how", ["empty", "gone"])
def test_a_record_without_a_journal_is_refused(how: str, state: Path) -> None:
    path = SessionStore(state).folder(SessionStore(state).current() or "") / "journal.jsonl"
    path.write_bytes(b"") if how == "empty" else path.unlink()
    with pytest.raises(BadSession, match=r"is empty|is missing") as refused:
        opened(state)
    assert "--fresh" in str(refused.value)


def test_a_torn_last_line_is_told_and_dropped(state: Path) -> None:
    path = SessionStore(state).folder(SessionStore(state).current() or "") / "journal.jsonl"
    before = path.read_bytes()
    path.write_bytes(before + b'{"seq":2,"at":"2026')
    _, operator = opened(state)
    assert operator.notices[0] == "the journal ended in a torn line, as after a crash: 19 bytes were dropped"
    assert path.read_bytes() == before


def test_a_complete_record_is_closed_and_the_next_one_begun(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = Verification(monkeypatch)
    with SessionStore(tmp_path) as sessions:
        run.record = sessions.create(CATALOG.digest)
        run.record.now = run.now
        run.all()
        assert run.record.state.overall is Overall.PENDING
        run.later(hours=25)
        assert run.all().overall is Overall.COMPLETE
        run.record.close()
    old = SessionStore(tmp_path).current() or ""
    told = Operator(False)
    found = api.run(state_dir=str(tmp_path), only="9", listener=told)
    assert (found.id, found.scope, found.overall) == (old, ("9",), Overall.COMPLETE)
    assert "no more samples" in told.notices[0]
    assert SessionStore(tmp_path).current() == old, "a timer that nobody stopped begins nothing"
    record, operator = opened(tmp_path)
    assert record.state.id != old
    assert operator.notices == [f"{old} is complete; a new session is begun"]
    assert set(SessionStore(tmp_path).ids()) == {old, record.state.id}


def test_an_id_that_is_no_session_is_refused(state: Path) -> None:
    for name in ("", ".", "..", "../..", "20200101T000000Z-0000", "a/b"):
        with pytest.raises(BadSession, match="there is no session"):
            SessionStore(state).folder(name)


def test_where_records_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/kim")
    assert state_directory("/a") == Path("/a")
    assert state_directory("~/a") == Path("/home/kim/a")
    assert state_directory(None, {"PLAYBOOK_STATE_DIR": "/b", "XDG_STATE_HOME": "/c"}) == Path("/b")
    assert state_directory(None, {"XDG_STATE_HOME": "/c"}) == Path("/c/playbook")
    assert state_directory(None, {}) == Path("/home/kim/.local/state/playbook")


# the lock


def test_a_second_program_is_told_who_and_since_when(state: Path) -> None:
    with SessionStore(state), pytest.raises(SessionLocked) as locked, SessionStore(state):
        pass
    said = str(locked.value)
    assert f"process {os.getpid()}, since 20" in said
    assert int(locked.value.exit_code) == 2
    with SessionStore(state):
        pass


def test_the_command_line_says_so_and_ends_with_2(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    with SessionStore(stub.state) as sessions:
        sessions.create(CATALOG.digest).close()
        for verb in (("all",), ("step", "3"), ("all", "--fresh")):
            done = stub.playbook(*verb)
            assert done.returncode == 2, done.stderr
            assert f"process {os.getpid()}, since 20" in done.stderr
            assert done.stdout == ""
        assert stub.playbook("status").returncode == 0, "looking needs no lock"
    assert not stub.log.exists(), "nothing was asked of the cluster"
    assert len(SessionStore(stub.state).ids()) == 1


def test_a_program_that_was_killed_holds_nothing(state: Path) -> None:
    code = "import sys,time; from pathlib import Path; from playbook.session.store import SessionStore\n" \
           "with SessionStore(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"  # fmt: skip
    holder = subprocess.Popen([sys.executable, "-c", code, str(state)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(SessionLocked, match=f"process {holder.pid},"), SessionStore(state):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with SessionStore(state):
        pass


# identity


def test_other_commands_are_refused_in_one_sentence_with_both_sides(tmp_path: Path) -> None:
    with SessionStore(tmp_path) as sessions:
        sessions.create("0123456789abcdef").close()
    with pytest.raises(BadSession) as refused:
        opened(tmp_path)
    assert "0123456789ab" in str(refused.value.message)
    assert CATALOG.digest[:12] in str(refused.value.message)
    assert "--fresh" in str(refused.value.hint)
    opened(tmp_path, fresh=True)


@pytest.mark.parametrize(
    ("command", "old", "new"),
    [("step0-cluster-info", "127.0.0.1", "192.0.2.7"), ("step0-nodes", "oracle-obs-arm", "oracle-obs-two")],
    ids=["server", "nodes"],
)
def test_another_cluster_is_refused_and_leaves_no_trace_in_what_counts(
    command: str, old: str, new: str, verification: Verification
) -> None:
    before = verification.all()
    verification.cluster.tmp_curl = True
    verification.change(command, old, new)
    with pytest.raises(BadSession) as refused:
        verification.all(start="6")
    said = str(refused.value.message)
    assert "https://127.0.0.1:6443 (oracle-obs-arm), namespace observer-prod" in said
    assert new in said
    assert set(verification.cluster.calls) <= {"secret-values", "step0-cluster-info", "step0-nodes"}, (
        "nothing else was run on it"
    )
    after = verification.record.state
    assert after.results == before.results, "neither was it judged, nor anything set aside by --from"
    assert after.cluster == before.cluster == Cluster("https://127.0.0.1:6443", ("oracle-obs-arm",), NAMESPACE)


def test_tmp_curl_is_not_taken_back_from_another_cluster(verification: Verification) -> None:
    """The program died while 7-2 ran; then somebody chose another KUBECONFIG."""
    verification.all(until="6")
    seven_two = CATALOG.command("step7-2-health-via-service")
    verification.record.begin(seven_two)
    verification.cluster.tmp_curl = True
    verification.change("step0-cluster-info", "127.0.0.1", "192.0.2.7")
    with pytest.raises(BadSession):
        verification.all()
    assert verification.cluster.tmp_curl
    verification.cluster.answers.clear()
    verification.all(until="6")
    assert not verification.cluster.tmp_curl, "on its own cluster it is"
    assert "remove-tmp-curl" in verification.cluster.calls
    verification.all(until="6")
    assert "remove-tmp-curl" not in verification.cluster.calls, "once"


def test_a_removal_that_failed_is_tried_again_by_the_next_program(
    verification: Verification, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    cleanup = verification.cluster.cleanup
    with monkeypatch.context() as unreachable:
        unreachable.setattr(verification.cluster, "cleanup", lambda command: replace(
            cleanup(command), stdout=b"", stderr=b"Unable to connect to the server: EOF\n", exit_code=1))  # fmt: skip
        verification.all(until="7")
    verification.all(until="7")
    assert verification.cluster.calls.count("remove-tmp-curl") == 1


def test_a_cluster_that_cannot_be_reached_is_not_another_one(verification: Verification) -> None:
    verification.all()
    for command in ("step0-cluster-info", "step0-nodes"):
        verification.answer(
            command,
            "",
            "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?\n",
        )
    session = verification.all()
    assert verification.steps_run() == "0"
    assert session.result("8").verdict is Verdict.PASS
    verification.cluster.answers.clear()
    assert verification.all().overall is Overall.PENDING


# what is kept


def test_from_runs_that_step_and_the_later_ones_again(verification: Verification) -> None:
    verification.all()
    session = verification.all(start="6", until="7")
    assert verification.steps_run() == "067"
    assert [session.result(step).verdict for step in "89"] == [Verdict.NOT_RUN] * 2
    assert verification.all(allow=False).result("8").verdict is Verdict.SKIPPED
    assert verification.steps_run() == "089"


def test_a_warning_is_kept_and_what_was_not_seen_is_run_again(verification: Verification) -> None:
    verification.answer("step5-services", "", "Unable to connect to the server: net/http: TLS handshake timeout\n")
    for name in verification.cluster.restarts:
        verification.cluster.restarts[name] = 1
    session = verification.all()
    assert (session.result("5").verdict, session.result("6").verdict) == (Verdict.INCONCLUSIVE, Verdict.WARN)
    verification.cluster.answers.clear()
    verification.all()
    assert verification.steps_run() == "0589"  # Step 8 was refused: a new pod needs the Service of Step 5
    assert "6" in verification.operator.kept


def test_every_line_and_stream_is_there_for_the_next_program(tmp_path: Path) -> None:
    session = go_on(tmp_path, FakeCluster())
    record, torn = SessionStore(tmp_path).open(session.id)
    record.close()
    assert torn == 0
    assert record.state == session
    kinds = [event.kind for event in record.events]
    assert kinds[0] is Kind.OPEN
    assert kinds[-1] is Kind.END
