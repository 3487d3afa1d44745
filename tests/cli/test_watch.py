"""`watch`: samples until the terminal closes, an end of its own, and a systemd unit that does the same."""

from __future__ import annotations

import configparser
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from stubbed import Stubbed
from support import ROOT

from playbook import api
from playbook.cli import partial
from playbook.errors import EXIT_OF, PlaybookError, SessionLocked
from playbook.model import Overall
from playbook.text import msg

PENDING = int(EXIT_OF[Overall.PENDING])


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("1h", 3600), ("1s", 1)])
def test_a_time(text: str, seconds: int) -> None:
    assert partial._seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "15", "0m", "1d", "-1s", "1.5h", "m", "15 m", "15m\n"])
def test_no_time_is_wrong_usage(text: str) -> None:
    with pytest.raises(PlaybookError) as refused:
        partial._seconds(text)
    assert int(refused.value.exit_code) == 2
    assert "15m" in str(refused.value.hint)


# when it ends


@pytest.fixture
def samples(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, list[float]]]:
    """Watch with samples that end so, one after the other; the exit status, and how long was waited between them."""

    def watched(*ends: int | PlaybookError, unread: bool = False) -> tuple[int, list[float]]:
        waits: list[float] = []
        left = list(ends)

        def sample(allow: bool, form: str, state_dir: str | None, **how: object) -> int:
            assert (allow, how) == (False, {"only": "9"}), "no restart, and nothing but a sample"
            end = left.pop(0)
            if isinstance(end, PlaybookError):
                raise end
            return end

        monkeypatch.setattr(partial, "carry_out", sample)
        monkeypatch.setattr(partial, "_may_be_read_later", lambda state_dir: unread)
        monkeypatch.setattr(partial.time, "sleep", waits.append)
        code = partial.watch_verb.callback("15m", False, None)  # type: ignore[misc]
        assert not left
        return code, waits

    return watched


@pytest.mark.parametrize("end", [Overall.COMPLETE, Overall.FAILED, Overall.ABORTED, Overall.INCOMPLETE])
def test_it_ends_when_step_9_is_judged(end: Overall, samples: Callable[..., tuple[int, list[float]]]) -> None:
    code, waits = samples(PENDING, PENDING, int(EXIT_OF[end]))
    assert code == int(EXIT_OF[end])
    assert len(waits) == 2
    assert all(890 < wait <= 900 for wait in waits)


def test_another_program_at_work_does_not_end_it(samples: Callable[..., tuple[int, list[float]]]) -> None:
    assert samples(PENDING, SessionLocked(msg("not run")), 0)[0] == 0


def test_other_refusals_end_it(samples: Callable[..., tuple[int, list[float]]]) -> None:
    with pytest.raises(PlaybookError):
        samples(PENDING, PlaybookError(msg("not run")))


def test_a_sample_that_could_not_be_read_does_not_end_it(samples: Callable[..., tuple[int, list[float]]]) -> None:
    with pytest.raises(IndexError):  # it goes on, to a third sample that this test does not have
        samples(PENDING, int(EXIT_OF[Overall.INCOMPLETE]), unread=True)


def test_whether_the_next_sample_may_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    from verifying import Verification

    run = Verification(monkeypatch)
    run.all()
    monkeypatch.setattr(api, "current_session", lambda state_dir: run.record.state)
    assert not partial._may_be_read_later(None), "pending"
    run.answer("step9-1-pod-restarts", "", "Unable to connect to the server: EOF\n")
    run.all(only="9")
    assert partial._may_be_read_later(None)
    run.cluster.answers.clear()
    run.replace_pods()
    run.all(only="9")
    assert not partial._may_be_read_later(None), "a replaced pod is a judgement: a new baseline is needed"


def test_ctrl_c_between_two_samples_ends_it_with_130(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "playbook", "watch", "--every", "1s"], env=stub.environ, cwd=tmp_path, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )  # fmt: skip
    try:
        assert process.stderr
        seen = 0
        for line in process.stderr:
            seen += line.startswith("the next sample follows in 1s")
            if seen == 2:
                break
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in err
    session = api.current_session(str(stub.state))
    assert session
    assert session.result("9").verdict.value == "pending"
    assert session.result("9").attempt == 2


# the unit


def unit(tmp_path: Path, *more: str, environ: dict[str, str] | None = None) -> str:
    """What `watch --print-unit` prints."""
    stub = Stubbed(tmp_path)
    done = subprocess.run([sys.executable, "-m", "playbook", "watch", *more, "--print-unit"], cwd=ROOT, text=True, check=True,
                          env={**stub.environ, **(environ or {})}, capture_output=True)  # fmt: skip
    assert not stub.state.exists()
    return done.stdout


def split(text: str, folder: Path) -> tuple[Path, Path]:
    """The service and the timer as files of their own."""
    found = re.split(r"^# ~/\.config/systemd/user/(\S+)\n", text, flags=re.M)
    assert found[0] == ""
    paths = []
    for name, content in zip(found[1::2], found[2::2], strict=True):
        (folder / name).write_text(content, "utf-8")
        paths.append(folder / name)
    assert [path.suffix for path in paths] == [".service", ".timer"]
    assert paths[0].stem == paths[1].stem
    return paths[0], paths[1]


def parsed(path: Path) -> configparser.RawConfigParser:
    """A unit file; Environment= may come twice."""
    parser = configparser.RawConfigParser(strict=False, comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path)
    return parser


def test_the_unit_takes_the_same_samples_at_the_same_place(tmp_path: Path) -> None:
    service, timer = split(unit(tmp_path, "--every", "90s"), tmp_path)
    content = parsed(service)
    assert content["Service"]["Type"] == "oneshot"
    assert content["Service"]["ExecStart"] == f"{sys.executable} -m playbook step 9 --state-dir {tmp_path / 'state'}"
    assert content["Service"]["WorkingDirectory"] == str(ROOT), "from a bare checkout nothing is installed"
    assert {"1", "3", "4", "5"} == set(content["Service"]["SuccessExitStatus"].split())
    assert "Environment=KUBECONFIG=/dev/null\n" in service.read_text("utf-8")
    assert "Environment=PATH=" in service.read_text("utf-8")
    assert parsed(timer)["Timer"]["OnUnitActiveSec"] == "90s"
    assert parsed(timer)["Install"]["WantedBy"] == "timers.target"


def test_a_relative_folder_is_made_absolute(tmp_path: Path) -> None:
    assert f"--state-dir {ROOT / 'kept'}\n" in unit(tmp_path, "--state-dir", "kept")


@pytest.mark.parametrize("odd", ["plain", 'a b%c$d"e\\f'])
def test_systemd_accepts_it(odd: str, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    service, timer = split(
        unit(tmp_path, "--state-dir", str(tmp_path / odd), environ={"KUBECONFIG": f"/{odd}"}), tmp_path
    )
    done = subprocess.run(["systemd-analyze", "--user", "verify", str(service), str(timer)], capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}, check=False)  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if "playbook-sample" in line]
    assert ours == [], done.stderr
    assert done.returncode == 0, done.stderr
