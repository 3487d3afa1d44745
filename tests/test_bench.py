"""What `make bench` compares: the script has the guide's commands and nothing else of the cluster's, and both sides do the same."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest
from stubbed import Stubbed
from support import ROOT

import playbook
from benchmarks import live
from benchmarks.live import NotReady, Timed, compare, plan
from benchmarks.machine import Process, Snapshot, busy_s, description, others_at_work, snapshot
from benchmarks.script import Scope, commands_of, script
from playbook.guide.catalog import GUIDE_ORDER, load
from tests.cluster.lab import Cluster

CATALOG = load()
SCOPES = pytest.mark.parametrize("scope", Scope, ids=lambda scope: scope.value)
SECRETS = ["get", "secrets", "-n", "observer-prod", "-o", "json"]
CREATE, PYTHON, JQ = "step3-3-create-observer-secrets", "step3-4-secret-keys", "step3-4-secret-keys-jq"


def bytes_of(id: str) -> str:
    """The file of a command as it lies in the checkout."""
    return (ROOT / "commands" / f"{id}.sh").read_bytes().decode("utf-8")


def of_steps(first: str, last: str) -> list[str]:
    return [id for id in GUIDE_ORDER if id != "summary" and first <= id[len("step")] <= last and id != CREATE]


# the text


@pytest.mark.parametrize("jq", [True, False], ids=["jq", "python3"])
def test_each_scope_has_every_command_of_its_steps_in_the_order_of_the_guide(jq: bool) -> None:
    other = PYTHON if jq else JQ
    steps = [id for id in of_steps("0", "6") if id != other]
    assert list(commands_of(Scope.STEPS, jq)) == [*steps, "summary"]
    assert list(commands_of(Scope.STEP7, jq)) == of_steps("7", "7")
    assert list(commands_of(Scope.WHOLE, jq)) == [*steps, *of_steps("7", "9"), "summary"]
    assert (len(steps), len(commands_of(Scope.WHOLE, jq))) == (24, 43)


@SCOPES
@pytest.mark.parametrize("jq", [True, False], ids=["jq", "python3"])
def test_the_script_has_the_commands_byte_for_byte_and_none_besides(scope: Scope, jq: bool) -> None:
    rest = script(CATALOG, scope, jq)
    around = ""
    for id in commands_of(scope, jq):
        before, found, rest = rest.partition(bytes_of(id))
        assert found, f"{id} is not there, or not in the guide's order"
        assert not before or before.endswith("\n"), f"{id} does not begin a line"
        around += before
    around += rest
    assert not re.search(r"kubectl|curl|psql|\bls\b|seven_two", around), around
    for line in around.splitlines():
        if not line.startswith("#"):
            assert re.match(r"FOLDER=|: \"|stop\(\)|trap |began=|if$|then :|echo \"\$began|mkfifo |exec |while read|\[\[|"
                            r"limit=|until$|do \(\(SECONDS", line), line  # fmt: skip


def test_what_the_script_adds_is_only_where_something_is_to_be_waited_for() -> None:
    plain = "".join(bytes_of(id) for id in commands_of(Scope.STEPS, True))
    assert script(CATALOG, Scope.STEPS, True).endswith(plain)
    whole = script(CATALOG, Scope.WHOLE, True)
    assert whole.count("\nuntil\n") == 3  # two waits and the count of tables afterwards
    assert whole.count("EPOCHREALTIME") == 2
    assert whole.count("'Forwarding from'") == 2


# carried out, against the stub cluster


def carried_out(stub: Stubbed, scope: Scope, first_on_path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The script under bash in front of the stub cluster."""
    stub.folder.mkdir(exist_ok=True)
    pasted = stub.folder / "guide.sh"
    pasted.write_text(script(CATALOG, scope, True), "utf-8")
    env = stub.environ
    if first_on_path:
        env["PATH"] = f"{first_on_path}{os.pathsep}{env['PATH']}"
    return subprocess.run(["bash", str(pasted), str(stub.folder)], env=env, cwd=stub.folder, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)  # fmt: skip


def calls(stub: Stubbed) -> list[list[str]]:
    return [json.loads(line) for line in stub.log.read_text("utf-8").splitlines()]


def wrapper(folder: Path, text: str) -> Path:
    """A folder with a kubectl that does `text` and then what the stub's kubectl does."""
    folder.mkdir()
    (folder / "kubectl").write_text(f'#!/bin/bash\n{text}\nexec {ROOT}/tests/stub/cluster/kubectl "$@"\n', "utf-8")
    (folder / "kubectl").chmod(0o755)
    return folder


def test_the_script_and_the_program_ask_the_cluster_the_same(tmp_path: Path) -> None:
    a, b = Stubbed(tmp_path / "a"), Stubbed(tmp_path / "b")
    b.folder.mkdir()
    assert carried_out(a, Scope.STEPS).returncode == 0
    assert b.playbook("all", "--until", "6", "--fresh").returncode == 3
    theirs = [
        call for call in calls(b) if call != ["kubectl", *SECRETS]
    ]  # the values to be masked: the script masks nothing
    assert sorted(calls(a)) == sorted(theirs)
    assert len(theirs) == len(calls(b)) - 1
    assert len([call for call in calls(a) if call[0] == "kubectl"]) == 28


def test_the_whole_guide_by_the_script(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    done = carried_out(stub, Scope.WHOLE)
    assert done.returncode == 0, done.stderr
    asked = [" ".join(call) for call in calls(stub)]
    order = ["kubectl run tmp-curl", "kubectl port-forward", "curl -sf http://localhost:8000",
             "kubectl delete pod -l app=observer", "kubectl wait --for=condition=Ready pod -l app=observer",
             "kubectl delete pod postgres-0", "kubectl wait --for=condition=Ready pod postgres-0",
             "kubectl exec -it postgres-0", "kubectl get events"]  # fmt: skip
    places = [max(place for place, call in enumerate(asked) if call.startswith(start)) for start in order]
    assert places == sorted(places)
    assert "psql -U observer -d observer" in asked[places[-2]]
    began, ended = map(float, (tmp_path / "seven-two").read_text().split())
    assert 0 < ended - began < 30


def test_the_curl_of_7_3_waits_until_the_forward_listens(tmp_path: Path) -> None:
    slow = wrapper(tmp_path / "bin", f"[[ $1 != port-forward ]] || {{ sleep 0.7; touch {tmp_path}/listens; }}")
    curl = tmp_path / "bin" / "curl"
    curl.write_text(f"#!/bin/sh\ntest -e {tmp_path}/listens && echo '{{}}'\n", "utf-8")
    curl.chmod(0o755)
    assert carried_out(Stubbed(tmp_path / "stub"), Scope.STEP7, tmp_path / "bin").returncode == 0
    assert slow == tmp_path / "bin"


def test_nothing_listens_any_more_after_the_script(tmp_path: Path) -> None:
    wrapper(tmp_path / "bin", f"[[ $1 != port-forward ]] || echo $$ >{tmp_path}/pid")
    assert carried_out(Stubbed(tmp_path / "stub"), Scope.STEP7, tmp_path / "bin").returncode == 0
    forward = Path("/proc") / (tmp_path / "pid").read_text().strip()
    end = time.monotonic() + 5
    while forward.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not forward.exists()


def test_what_a_new_pod_refuses_is_tried_again(tmp_path: Path) -> None:
    wrapper(
        tmp_path / "bin",
        f"[[ \"$1 $3\" != 'delete postgres-0' ]] || touch {tmp_path}/deleted\n"
        f'if [[ -e {tmp_path}/deleted && "$1 $3" = "exec postgres-0" && ! -e {tmp_path}/refused ]]; then\n'
        f"  touch {tmp_path}/refused; echo 'psql: error: connection refused' >&2; exit 2\nfi",
    )
    stub = Stubbed(tmp_path / "stub")
    done = carried_out(stub, Scope.WHOLE, tmp_path / "bin")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "refused").exists()
    assert "connection refused" in done.stderr


def test_no_pod_is_deleted_after_a_command_that_failed(tmp_path: Path) -> None:
    wrapper(tmp_path / "bin", "if [[ \"$1 $3\" = 'exec postgres-0' ]]; then echo refused >&2; exit 2; fi")
    stub = Stubbed(tmp_path / "stub")
    done = carried_out(stub, Scope.WHOLE, tmp_path / "bin")
    assert done.returncode == 1
    assert re.search(r"^stopped: exit status 2 in line \d+$", done.stderr, re.M), done.stderr
    deleted = [call[1:] for call in calls(stub) if call[1] == "delete"]
    assert deleted == [["delete", "pod", "-l", "app=observer", "-n", "observer-prod"]]


# the comparison itself, with runs that are made up


class Quiet(Cluster):
    """A cluster whose pods are Ready, that notes what is done to it."""

    def __init__(self, done: list[str]) -> None:
        super().__init__()
        self.done = done
        self.gone = ""  # a pod that is not Ready any more

    def ready(self) -> dict[str, bool]:
        return {name: name != self.gone for name in ("observer-1", "observer-2", "postgres-0")} | {"tmp-curl": True}

    def is_up(self) -> bool:
        return True

    def clear_tmp_curl(self) -> None:
        self.done.append("settle")
        self.gone = ""

    def forget_events(self) -> None:
        self.done.append("events")


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the comparison does, in order; a takes 4 s, b 1 s, nothing else of the machine is at work."""
    noted: list[str] = []
    one, other = Timed(4.0, 3.0, 2.5, 0, 0, ""), Timed(1.0, 2.0, 0.5, 0, 0, "")
    monkeypatch.setattr(live, "by_script", lambda *_: noted.append("a") or one)
    monkeypatch.setattr(live, "by_program", lambda *_: noted.append("b") or other)
    monkeypatch.setattr(live, "_idle", lambda: 0.25)
    return noted


def test_the_two_sides_alternate_each_from_a_settled_cluster(
    done: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(Quiet(done), Scope.STEP7, 2, None)
    assert done == ["settle", "a", "settle", "b", "settle", *["settle", "a", "settle", "b"] * 2]
    out = capsys.readouterr().out
    assert "Step 7: a 4.00 s (4.00 to 4.00), b 1.00 s (1.00 to 1.00), b/a 0.25 (0.25 to 0.25), 2 pairs" in out
    assert "7-2 alone: a 2.50 s (2.50 to 2.50), b 0.50 s (0.50 to 0.50); a without it 1.50 s (1.50 to 1.50)" in out
    assert "core-seconds: a 2.00 s (2.00 to 2.00), b 1.75 s (1.75 to 1.75)" in out
    assert "ready pods" not in out


def test_core_seconds_are_not_told_on_a_busy_machine(
    done: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_idle", lambda: 1.8)
    assert compare(Quiet(done), Scope.STEPS, 1, None)
    assert "core-seconds: cannot be told, 1.80 cores were at work when nothing was asked" in capsys.readouterr().out


def test_events_of_a_restart_are_forgotten_before_the_next_run(done: list[str]) -> None:
    assert compare(Quiet(done), Scope.WHOLE, 1, None)
    assert done[-6:] == ["settle", "events", "a", "settle", "events", "b"]


def test_other_work_is_named_and_is_no_success(
    done: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "by_program", lambda *_: Timed(1.0, 2.0, 0.5, 0, 0, "the program: Step 7 inconclusive"))
    assert not compare(Quiet(done), Scope.STEP7, 1, None)
    assert "NOT THE SAME WORK in 1 of 2 runs: the program: Step 7 inconclusive" in capsys.readouterr().out


def test_pods_that_are_not_ready_afterwards_are_told(
    done: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Quiet(done)

    def breaks(*_: object) -> Timed:
        cluster.gone = "observer-2"
        return Timed(1.0, 2.0, 0.5, 0, 0, "")

    monkeypatch.setattr(live, "by_program", breaks)
    compare(cluster, Scope.STEP7, 1, None)
    wanted = "pair 1: a 4.00 s (7-2 2.50 s); b 1.00 s (7-2 0.50 s), ready pods 3 before, 2 after\n"
    assert wanted in capsys.readouterr().out


def test_nothing_is_timed_on_a_cluster_that_is_not_ready(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Quiet(done)
    monkeypatch.setattr(cluster, "is_up", lambda: False)
    monkeypatch.setattr(live, "_READY_S", 0.1)
    with pytest.raises(NotReady, match="postgres-0, Ready"):
        compare(cluster, Scope.STEPS, 1, None)
    assert "a" not in done and "b" not in done


@pytest.mark.parametrize("scenario, wrong", [("healthy", ""), ("pvc-pending", "Step 2 fail, Step 3 not-run")])
def test_a_step_that_did_not_pass_is_other_work(scenario: str, wrong: str) -> None:
    document = json.loads(playbook.render(playbook.replay(playbook.scenario(scenario)), "json"))
    assert wrong in live._shortfall(Scope.WHOLE, document)
    assert bool(live._shortfall(Scope.WHOLE, document)) is bool(wrong)


# what is said of the machine and the cluster


def test_the_plan_names_what_is_deleted() -> None:
    assert "postgres-0" in plan([Scope.WHOLE]) and "events" in plan([Scope.WHOLE])
    assert "delete   the observer" not in plan([Scope.STEPS, Scope.STEP7])
    assert "tmp-curl" in plan([Scope.STEP7]) and "tmp-curl" not in plan([Scope.STEPS])


def at(moment: float, *processes: Process) -> Snapshot:
    return Snapshot(moment, (0.0, 0.0, 0.0), {process.pid: process for process in processes})


def test_others_at_work_are_named_busiest_first() -> None:
    before = at(100, Process(5, 1, 1, "etcd", 50), Process(6, 2, 1, "idle", 3), Process(7, 3, 1, "reused", 90))
    after = at(
        110,
        Process(5, 1, 1, "etcd", 52),
        Process(6, 2, 1, "idle", 3.5),
        Process(7, 99, 1, "compiler", 9),  # another process than before, under the same number
        Process(10, 20, 1, "ours", 8),
        Process(11, 21, 10, "our child", 8),
    )
    assert [(busy.name, round(busy.share, 2)) for busy in others_at_work(before, after, own=10)] == [
        ("compiler", 0.9), ("etcd", 0.2),
    ]  # fmt: skip


def test_the_time_of_a_child_from_before_is_not_its_parents() -> None:
    before = at(100, Process(5, 1, 1, "make", 1), Process(6, 2, 5, "sh", 2), Process(7, 3, 6, "compiler", 60))
    after = at(110, Process(5, 1, 1, "make", 1 + 2 + 60 + 4))
    assert [(busy.name, busy.share) for busy in others_at_work(before, after, own=10)] == [("make", 0.4)]


def test_a_snapshot_of_this_machine() -> None:
    before, busy = snapshot(), busy_s()
    assert before.processes[os.getpid()].parent == os.getppid()
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass
    after = snapshot()
    assert busy_s() - busy > 0.1
    assert os.getpid() in [busy.pid for busy in others_at_work(before, after, own=-1)]
    assert others_at_work(before, after, own=os.getpid(), above=-1) and os.getpid() not in [
        busy.pid for busy in others_at_work(before, after, own=os.getpid(), above=-1)
    ]
    assert re.search(r"\d+ cores \(.+\), .*Python 3\.", description())
