"""A run as the journal tells of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ..clock import parse_moment, stamp
from ..model import Ended, Run


def digests_of(run: Run) -> tuple[str, str]:
    """SHA-256 of the two streams."""
    return hashlib.sha256(run.stdout).hexdigest(), hashlib.sha256(run.stderr).hexdigest()


def run_to_json(run: Run) -> dict[str, Any]:
    """A run as the journal tells of it: without its streams."""
    out, err = digests_of(run)
    return {
        "command": run.command,
        "ordinal": run.ordinal,
        "exit_code": run.exit_code,
        "ended": run.ended.value,
        "started_at": stamp(run.started_at),
        "seconds": round(run.duration_s, 6),
        "note": run.note,
        "out": out,
        "err": err,
    }


def run_from_json(data: Mapping[str, Any], out: bytes, err: bytes) -> Run:
    """The reverse of `run_to_json`, with the streams."""
    return Run(
        data["command"],
        data["ordinal"],
        out,
        err,
        data["exit_code"],
        Ended(data["ended"]),
        parse_moment(data["started_at"]),
        data["seconds"],
        data["note"],
    )
