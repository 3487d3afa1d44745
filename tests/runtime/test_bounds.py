"""What is kept of a stream is bounded: more ends the command, is marked as cut, and nothing is concluded from it."""

from __future__ import annotations

import resource
import time
from dataclasses import replace

import pytest
from verifying import CATALOG

from playbook.kubectl.failures import FailureKind, failure
from playbook.model import Ended, Run, Runs, Verdict
from playbook.output.labels import ended
from playbook.runtime.live import LiveRunner
from playbook.runtime.processes import MOST_BYTES
from playbook.steps.judging import step_by_number

NODES = CATALOG.command("step0-nodes")


def carried_out(text: str) -> Run:
    runner = LiveRunner()
    try:
        return runner.run(replace(NODES, text=text, timeout_s=20.0))
    finally:
        runner.close()


@pytest.mark.parametrize("text", ["yes", "yes >&2", "yes | cat", "while :; do yes; done", "trap '' XFSZ; yes"])
def test_endless_output_ends_the_command(text: str) -> None:
    began = time.monotonic()
    run = carried_out(text)
    assert run.ended is Ended.CUT
    assert run.exit_code is None
    assert max(len(run.stdout), len(run.stderr)) == MOST_BYTES
    assert time.monotonic() - began < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1_000_000


def test_what_just_fits_is_whole() -> None:
    run = carried_out(f"head -c {MOST_BYTES} /dev/zero")
    assert (run.ended, run.exit_code, len(run.stdout)) == (Ended.EXITED, 0, MOST_BYTES)


def test_nothing_is_concluded_from_it() -> None:
    run = replace(carried_out("yes"), stdout=b"NAME STATUS\nn1 Ready\n", ordinal=1)
    why = failure(run)
    assert why
    assert why.kind is FailureKind.CUT
    findings = step_by_number("0").judge(Runs([run]))
    assert Verdict.PASS not in {
        each.verdict for each in findings if each.evidence and each.evidence.command == NODES.id
    }
    assert "32 MiB" in ended(run)
