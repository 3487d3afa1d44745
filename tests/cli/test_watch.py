"""`watch`: samples while the terminal lives, an end of its own, and a systemd timer that does the same."""

from __future__ import annotations

import configparser
import getpass
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


# the timer


def printed(tmp_path: Path, *more: str, environ: dict[str, str] | None = None) -> str:
    """What `watch --print-unit` prints."""
    stub = Stubbed(tmp_path)
    done = subprocess.run([sys.executable, "-m", "playbook", "watch", *more, "--print-unit"], cwd=ROOT, text=True, check=True,
                          env={**stub.environ, **(environ or {})}, capture_output=True)  # fmt: skip
    assert not stub.state.exists()
    return done.stdout


_TOOL = """#!/bin/sh
cat >/dev/null  # a tool that reads its input must not take the rest of the script
echo "${0##*/} $*" >>"$HOME/calls"
[ "${0##*/}" != "$REFUSES" ]
"""


def run_script(text: str, home: Path, refuses: str = "") -> subprocess.CompletedProcess[str]:
    """The script piped into bash as a user with that home; systemctl and loginctl write down what they are asked."""
    tools = home / "tools"
    tools.mkdir(parents=True, exist_ok=True)
    for name in ("systemctl", "loginctl"):
        (tools / name).write_text(_TOOL, "utf-8")
        (tools / name).chmod(0o755)
    environ = {"PATH": f"{tools}:/usr/bin:/bin", "HOME": str(home), "REFUSES": refuses}
    return subprocess.run(["bash"], input=text, env=environ, capture_output=True, text=True, check=False)


def installed(text: str, home: Path) -> tuple[Path, Path]:
    """The service and the timer that the script writes."""
    done = run_script(text, home)
    assert done.returncode == 0, done.stderr
    folder = home / ".config/systemd/user"
    service, timer = folder / "playbook-sample.service", folder / "playbook-sample.timer"
    assert sorted(folder.iterdir()) == [service, timer]
    return service, timer


def test_the_script_makes_the_timer_and_lets_it_outlive_the_login(tmp_path: Path) -> None:
    text, home = printed(tmp_path), tmp_path / "home"
    installed(text, home)
    me = getpass.getuser()
    once = [f"loginctl enable-linger {me}", "systemctl --user daemon-reload", "systemctl --user enable playbook-sample.timer",
            "systemctl --user restart playbook-sample.timer"]  # fmt: skip
    assert (home / "calls").read_text("utf-8").splitlines() == once
    before = [path.read_text("utf-8") for path in installed(text, home)]
    assert [path.read_text("utf-8") for path in installed(text, home)] == before
    assert (home / "calls").read_text("utf-8").splitlines() == once * 3, "it can be run again"


def test_the_script_says_what_it_changes_and_how_to_take_it_back(tmp_path: Path) -> None:
    head = printed(tmp_path, "--every", "90s").partition("set -eu\n")[0]
    assert "every 90 s" in head
    assert "the cluster it only reads" in head
    assert "systemctl --user disable --now playbook-sample.timer" in head


@pytest.mark.parametrize(("tool", "told"), [("loginctl", "sudo loginctl enable-linger"), ("systemctl", "")])
def test_a_refusal_ends_the_script(tool: str, told: str, tmp_path: Path) -> None:
    done = run_script(printed(tmp_path), tmp_path / "home", refuses=tool)
    assert done.returncode == 1
    assert told in done.stderr
    assert "the timer runs" not in done.stdout
    assert (tmp_path / "home/calls").read_text("utf-8").splitlines()[-1].startswith(tool)


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_a_shell_can_read_the_script(shell: str, language: str, tmp_path: Path) -> None:
    text = printed(tmp_path, "--state-dir", str(tmp_path / "it's $HOME"), "--lang", language)
    done = subprocess.run([shell, "-n"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def parsed(path: Path) -> configparser.RawConfigParser:
    """A unit file; Environment= may come twice."""
    parser = configparser.RawConfigParser(strict=False, comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path)
    return parser


def test_the_timer_takes_the_same_samples_at_the_same_place(tmp_path: Path) -> None:
    service, timer = installed(printed(tmp_path, "--every", "90s"), tmp_path / "home")
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
    assert f"--state-dir {ROOT / 'kept'}\n" in printed(tmp_path, "--state-dir", "kept")


@pytest.mark.parametrize("odd", ["plain", 'a b%c$d"e\\f'])
def test_systemd_accepts_it(odd: str, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    text = printed(tmp_path, "--state-dir", str(tmp_path / odd), environ={"KUBECONFIG": f"/{odd}"})
    service, timer = installed(text, tmp_path / "home")
    done = subprocess.run(["systemd-analyze", "--user", "verify", str(service), str(timer)], capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}, check=False)  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if "playbook-sample" in line]
    assert ours == [], done.stderr
    assert done.returncode == 0, done.stderr
