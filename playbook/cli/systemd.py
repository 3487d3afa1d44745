"""A script that takes samples for Step 9 by a systemd user timer: the same program, kubectl, cluster and session as now."""

from __future__ import annotations

import getpass
import os
import re
import shlex
import sys
from pathlib import Path

from ..text import msg

_SCRIPT = """#!/bin/sh
{comment}
set -eu
main() {{
  units=${{XDG_CONFIG_HOME:-$HOME/.config}}/systemd/user
  export XDG_RUNTIME_DIR="${{XDG_RUNTIME_DIR:-/run/user/$(id -u)}}"  # su sets none
  mkdir -p "$units"
  cat >"$units/playbook-sample.service" <<'END-OF-UNIT'
{service}END-OF-UNIT
  cat >"$units/playbook-sample.timer" <<'END-OF-UNIT'
{timer}END-OF-UNIT
  loginctl enable-linger "$(id -un)" || {{ printf '%s\\n' {refused} >&2; exit 1; }}
  systemctl --user daemon-reload
  systemctl --user enable playbook-sample.timer
  systemctl --user restart playbook-sample.timer  # one that ran already takes the new times
  printf '%s\\n' {done}
}}
main </dev/null
"""

_SERVICE = """[Unit]
Description=A sample for Step 9 of the Phase 0 verification

[Service]
Type=oneshot
{environment}
WorkingDirectory={folder}
ExecStart={command}
# 1: failed, 3: incomplete, 4: aborted, 5: pending; all are recorded, and `playbook status` tells
SuccessExitStatus=1 3 4 5
"""

_TIMER = """[Unit]
Description=Samples for Step 9 of the Phase 0 verification

[Timer]
OnActiveSec=0
OnUnitActiveSec={seconds}s

[Install]
WantedBy=timers.target
"""


def script(state: Path, seconds: int) -> str:
    """A script that makes, enables and starts the timer: a sample every so many seconds, kept in `state`.

    It can be run again. Lingering is enabled first: without it the timer ends with the last SSH session of its user.
    """
    seen = "systemctl --user list-timers playbook-sample.timer"
    comment = (
        msg("This script takes a sample for Step 9 every {n} s by a systemd timer of the user who runs it.", n=seconds),
        msg(
            "It changes units of that user on this machine and lets them run without a login; the cluster it only reads."
        ),
        msg("To take it back: {command}", command="systemctl --user disable --now playbook-sample.timer"),
    )
    refused = msg(
        "lingering was refused; an administrator types: {command}",
        command=f"sudo loginctl enable-linger {getpass.getuser()}",
    )
    done = msg("the timer runs, after the end of this login, too; look at it: {command}", command=seen)
    return _SCRIPT.format(
        comment="\n".join(f"# {line}" for line in comment),
        service=_service(state),
        timer=_TIMER.format(seconds=seconds),
        refused=shlex.quote(str(refused)),
        done=shlex.quote(str(done)),
    )


def _service(state: Path) -> str:
    packed = sys.argv[0].endswith(".pyz")
    program = [str(Path(sys.argv[0]).resolve())] if packed else ["-m", "playbook"]
    folder = Path.home() if packed else Path(__file__).resolve().parents[2]
    words = [sys.executable, *program, "step", "9", "--state-dir", str(state)]
    known = {name: os.environ[name] for name in ("PATH", "KUBECONFIG") if os.environ.get(name)}
    return _SERVICE.format(
        environment="\n".join(f"Environment={_quoted(f'{name}={value}')}" for name, value in known.items()),
        folder=str(folder).replace("%", "%%"),
        command=" ".join(_quoted(word).replace("$", "$$") for word in words),
    )


def _quoted(word: str) -> str:
    """`word` as systemd reads it."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return escaped if re.fullmatch(r"[\w./:=%@+,-]+", escaped) else f'"{escaped}"'
