"""Samples for Step 9 by a systemd user timer: the same program, kubectl, cluster and session as here and now."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

_UNITS = """# ~/.config/systemd/user/playbook-sample.service
[Unit]
Description=A sample for Step 9 of the Phase 0 verification

[Service]
Type=oneshot
{environment}
WorkingDirectory={folder}
ExecStart={command}
# 1: failed, 3: incomplete, 4: aborted, 5: pending; all are recorded, and `playbook status` tells
SuccessExitStatus=1 3 4 5

# ~/.config/systemd/user/playbook-sample.timer
[Unit]
Description=Samples for Step 9 of the Phase 0 verification

[Timer]
OnActiveSec=0
OnUnitActiveSec={seconds}s

[Install]
WantedBy=timers.target
"""


def units(state: Path, seconds: int) -> str:
    """The user service and its timer, one after the other: a sample every so many seconds, kept in `state`."""
    packed = sys.argv[0].endswith(".pyz")
    program = [str(Path(sys.argv[0]).resolve())] if packed else ["-m", "playbook"]
    folder = Path.home() if packed else Path(__file__).resolve().parents[2]
    words = [sys.executable, *program, "step", "9", "--state-dir", str(state)]
    known = {name: os.environ[name] for name in ("PATH", "KUBECONFIG") if os.environ.get(name)}
    return _UNITS.format(
        environment="\n".join(f"Environment={_quoted(f'{name}={value}')}" for name, value in known.items()),
        folder=str(folder).replace("%", "%%"),
        command=" ".join(_quoted(word).replace("$", "$$") for word in words),
        seconds=seconds,
    )


def _quoted(word: str) -> str:
    """`word` as systemd reads it."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return escaped if re.fullmatch(r"[\w./:=%@+,-]+", escaped) else f'"{escaped}"'
