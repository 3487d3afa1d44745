"""Runs of the program against the stub cluster of `stub/cluster`, without a real one."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from support import ROOT


@dataclass(frozen=True, slots=True)
class Stubbed:
    """A folder of one test's own: the state of the program, the state of the cluster, and a log of what it was asked."""

    folder: Path
    scenario: str = "1.20/healthy"

    @property
    def state(self) -> Path:
        """What the program keeps."""
        return self.folder / "state"

    @property
    def session(self) -> Path:
        """The folder of the current session."""
        return self.state / "sessions" / (self.state / "current").read_text("utf-8").strip()

    @property
    def log(self) -> Path:
        """The calls to the cluster, outside of what the program keeps."""
        return self.folder / "calls"

    @property
    def environ(self) -> dict[str, str]:
        """The environment of the program: the stub first on PATH, no way to another cluster."""
        path = os.pathsep.join(
            (str(ROOT / "tests" / "stub" / "cluster"), str(Path(sys.executable).parent), os.environ["PATH"])
        )
        left_out = ("PLAYBOOK_", "STUB", "LC_", "LANG", "PYTHON")  # PYTHONUNBUFFERED hides what a buffer keeps
        kept = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
        return {**kept, "PATH": path, "KUBECONFIG": "/dev/null", "PYTHONPATH": str(ROOT), "TERM": "dumb",
                "PLAYBOOK_STATE_DIR": str(self.state), "STUB_SCENARIO": self.scenario, "STUB_LOG": str(self.log),
                "STUB_STATE": str(self.folder / "cluster")}  # fmt: skip

    def playbook(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`python -m playbook ARGUMENTS`, without a terminal."""
        return subprocess.run([sys.executable, "-m", "playbook", *arguments], env=self.environ, cwd=self.folder, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)  # fmt: skip

    def at_terminal(self, arguments: Sequence[str], answers: Sequence[tuple[str, bytes]]) -> tuple[int, bytes]:
        """The same at a pseudo-terminal: each answer is typed once its pattern is seen. Exit status, and all that was shown."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execve(sys.executable, [sys.executable, "-m", "playbook", *arguments], self.environ)
        shown, place, left = b"", 0, list(answers)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                data = os.read(terminal, 65536)
            except OSError:  # the other side is gone
                break
            if not data:
                break
            shown += data
            if left and re.search(left[0][0].encode(), shown[place:]):
                place = len(shown)
                time.sleep(0.1)  # getpass throws away what was typed before it turned the echo off
                os.write(terminal, left.pop(0)[1])
        else:
            os.kill(pid, 9)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(terminal)
        assert not left, f"never asked for {left[0][0]}: {shown.decode(errors='replace')}"
        return status, shown
