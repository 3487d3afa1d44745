"""Verdicts under fire: no output that was lost, cut, mixed up or garbled makes a bad state look good.

One output of one recording is changed at a time. A verdict is as good as its steps', so each step is asked by itself, those
behind an abort too. `PLAYBOOK_MUTATIONS=all` tries every mutation, else a part of them, always the same.
"""

from __future__ import annotations

import os
import random
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import pytest
from mutating import Folder, Mutation, carried_out, mutations
from support import FIXTURES, long_walk

import playbook.api as library
from playbook.model import Finding, Overall, Run, Runs, Verdict, worst
from playbook.steps import STEPS, Step

THOROUGH = os.environ.get("PLAYBOOK_MUTATIONS") == "all"
SETTLED = (Verdict.PASS, Verdict.WARN)
ONE_OF = 16
"""Without PLAYBOOK_MUTATIONS=all, one mutation of so many is tried of a faulty recording."""

COMPLETE = ("1.20/healthy-24h", "1.34/healthy-24h")
"""The states that are complete. Of these every loss is tried."""

ALL_KINDS = {"removed", "emptied", "silenced", "timeout", "status", "truncated", "half-line"}
ANSWERED = {"timeout", "status", "half-line"}
"""The answer itself was printed; how its command ended afterwards does not unsay it."""

STILL_GOOD: dict[str, tuple[set[str], str]] = {
    "step0-cluster-info": (ALL_KINDS, "the list of nodes shows as well that the API server answers"),
    "step2-storage-dir": ({"timeout", "status"}, "a directory that was listed is there, whatever failed beside it"),
    "step3-2-generated-secrets": (ALL_KINDS, "its label selects sealing keys: it decides nothing"),
    "summary": (
        {"timeout", "status", "truncated", "half-line"},
        "its list of Secrets is whole, the rest is not asked for",
    ),
    "step4-configmap": ({"truncated"}, "the other two commands of the step answer its questions"),
    "step6-3-logs-observer": ({"truncated", "half-line"}, "a log has no end; a cut line that states its level is read"),
    "step6-3-logs-postgres": ({"half-line"}, "the ready line is whole but for its line end"),
    "step6-5-mounts": ({"timeout", "status"}, "a mount that was shown is there, whatever failed beside it"),
    "step6-6-write-data": (ANSWERED, "written: a warn, because the test file may be left"),
    "step6-6-write-logs": (ANSWERED, "written: a warn, because the test file may be left"),
    "step7-1-health-in-pod": (ANSWERED, "the body was printed"),
    "step7-2-health-via-service": (ANSWERED, "the body was printed; what kubectl says of its end is known to be wrong"),
    "step7-3-port-forward": (ANSWERED, "it is ended by us once the answer came through it"),
    "step7-3-curl": (ANSWERED, "the body was printed"),
    "step7-3-stop-port-forward": (ALL_KINDS, "it ends what we end anyway"),
    "step7-4-db-connection": (ANSWERED, "the connection was made"),
    "step8-1-list-files": (ALL_KINDS, "the count decides"),
    "step8-3-list-files": (ALL_KINDS, "the count decides"),
    "step8-2-delete-observer": ({*ANSWERED, "truncated"}, "the wait shows that other pods took their place"),
    "step8-2-wait-observer": ({"truncated", "half-line"}, "a new pod that is Ready was seen"),
    "step8-4-count-tables-before": ({"truncated"}, "only the blank line at the end is gone"),
    "step8-4-delete-postgres": (ANSWERED, "the name was printed, and the wait shows the new pod"),
    "step8-4-wait-postgres": ({"half-line"}, "only the line end is gone"),
    "step8-4-count-tables-after": ({"truncated"}, "only the blank line at the end is gone"),
    "step9-3-recent-files": (ALL_KINDS, "the first sample's: the one after 24 hours decides"),
}
"""What a complete verification may lose and stay complete, and why that is right."""

BY_THE_LOG: dict[str, tuple[set[str], str]] = {
    "step7-2-health-via-service": (ALL_KINDS, "it waited out its 60 s; the log of tmp-curl has the answer"),
    "logs.tmp-curl": (ANSWERED, "the body was printed"),
}
"""The same where 7-2's answer is read in the log of tmp-curl, as in every recording of 1.34."""

SAME_TEXT = {
    ("WRITE", "swapped"): "both write tests print `OK` and nothing else",
    ("EVENTS", "swapped"): "the last 30 lines need not name the pod that they are about",
    ("EVENTS", "truncated"): "a list of events has no end: whole rows that are gone leave no trace",
    ("LOG", "truncated"): "a log has no end: whole lines that are gone leave no trace",
    ("LOG", "half-line"): "as above; the line that was cut states its level",
    ("LOG", "swapped"): "a log may hold any text",
    ("LOG", "garbled"): "a log may hold any text",
}
"""Findings that may turn from bad to good, because the text that is left is that of a good state."""


@lru_cache
def recording(state: str) -> tuple[Folder, dict[str, Runs]]:
    folder = Folder.of(FIXTURES / state)
    return folder, carried_out(folder)


def tried(state: str) -> Iterator[tuple[Step, Runs, int, Mutation]]:
    """Each mutation with its step, the runs as they were recorded and the place of the one that is changed."""
    _, carried = recording(state)
    every: Sequence[Run] = [run for runs in carried.values() for run in runs]
    for step in STEPS:
        runs = carried[step.id]
        for index, run in enumerate(runs):
            for mutation in mutations(run, every, THOROUGH):
                key = zlib.crc32(f"{state} {run.command} {run.ordinal} {mutation.how}".encode())
                if THOROUGH or (state in COMPLETE and mutation.lossy) or key % ONE_OF == 0:
                    yield step, runs, index, mutation


def judged(step: Step, runs: Runs, index: int, mutation: Mutation) -> tuple[Finding, ...]:
    return step.judge(Runs((*runs[:index], mutation.run, *runs[index + 1 :])))


def verdict(findings: Sequence[Finding]) -> Verdict:
    return worst(finding.verdict for finding in findings)


def shown(found: Finding, runs: Runs, mutation: Mutation) -> bool:
    """Whether a pass cites something that was printed; where it cites the run that was changed, the line must be in it."""
    if found.evidence is None or found.evidence.command != mutation.run.command:
        return found.evidence is not None
    if found.evidence.ordinal != mutation.run.ordinal:
        return True
    if not mutation.run.happened:
        return False
    lines = (mutation.run.out if found.evidence.stream == "stdout" else mutation.run.err).split("\n")
    line = found.evidence.line
    return line is None or (0 < line <= len(lines) and bool(lines[line - 1].strip()))


@pytest.mark.parametrize("state", long_walk())
def test_no_lost_or_garbled_output_makes_a_bad_state_good(state: str) -> None:
    number = 0
    _, carried = recording(state)
    whole = {step.id: step.judge(carried[step.id]) for step in STEPS}
    for step, runs, index, mutation in tried(state):
        number += 1
        findings = judged(step, runs, index, mutation)
        what = (step.id, runs[index].command, mutation.how)
        assert findings, what
        assert len({found.code for found in findings}) == len(findings), what
        before = {found.code: found.verdict for found in whole[step.id]}
        for found in findings:
            assert str(found.summary) and str(found.expected) and str(found.actual), (what, found.code)
            family = found.code.partition("/")[0].partition("-")[0]
            if found.verdict is Verdict.PASS:
                assert shown(found, runs, mutation), (what, found.code)
                if before.get(found.code) in (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.SKIPPED):
                    assert (family, mutation.kind) in SAME_TEXT, (what, found.code)
        if verdict(whole[step.id]) not in SETTLED and verdict(findings) in SETTLED:
            assert what == ("6", "step6-6-write-logs", "stdout of step6-6-write-data"), what  # SAME_TEXT
    print(f"{state}: {number} mutations")
    assert number > (300 if THOROUGH else 20)


@pytest.mark.parametrize("state", COMPLETE)
def test_a_complete_verification_does_not_stay_so_without_its_evidence(state: str) -> None:
    assert library.replay(FIXTURES / state).overall is Overall.COMPLETE
    still: dict[str, set[str]] = {}
    good = {**STILL_GOOD, **(BY_THE_LOG if state.startswith("1.34/") else {})}
    for step, runs, index, mutation in tried(state):
        if mutation.lossy and verdict(judged(step, runs, index, mutation)) in SETTLED:
            command = runs[index].command
            kinds, _ = good.get(command, (set(), ""))
            assert mutation.kind in kinds, (command, mutation.how)
            assert command != "step9-3-recent-files" or runs[index].ordinal == 1, mutation.how
            still.setdefault(command, set()).add(mutation.kind)
    assert set(still) <= set(good)
    if THOROUGH:
        assert set(good) == set(still), "an exception that is no longer needed"


@pytest.mark.parametrize("state", long_walk())
def test_one_bad_step_is_never_complete_through_the_engine(state: str) -> None:
    """Each failed step of a recording is made the only fault of an otherwise complete verification."""
    carried, bad = recording("1.20/healthy-24h")[1], recording(state)[1]
    failed = [step for step in STEPS if verdict(step.judge(bad[step.id])) is Verdict.FAIL]
    every = [run for runs in bad.values() for run in runs]
    for step in failed if THOROUGH else failed[:1]:
        folder = Folder.holding(run for each in STEPS for run in (bad if each is step else carried)[each.id])
        assert library.replay(folder, diagnose=False).overall in (Overall.FAILED, Overall.ABORTED)  # type: ignore[arg-type]
        found = [mutation for run in bad[step.id] for mutation in mutations(run, every, THOROUGH)]
        for mutation in random.Random(f"{state} {step.id}").sample(found, min(len(found), 40 if THOROUGH else 1)):
            if (state, mutation.how) == ("1.20/read-only", "stdout of step6-6-write-data"):
                continue  # SAME_TEXT
            session = library.replay(folder.with_run(mutation.run))  # type: ignore[arg-type]
            assert session.overall is not Overall.COMPLETE, (step.id, mutation.run.command, mutation.how)
            assert library.render(session, "json"), mutation.how


def test_the_engine_says_what_the_judges_say() -> None:
    folder, carried = recording("1.20/healthy-24h")
    found = [
        (step, carried[step.id], index, mutation)
        for step, _, index, mutation in tried("1.20/healthy-24h")
        if step.id < "7"
    ]
    for step, runs, index, mutation in random.Random(0).sample(found, 200 if THOROUGH else 6):
        session = library.replay(folder.with_run(mutation.run), diagnose=False)  # type: ignore[arg-type]
        expected = verdict(judged(step, runs, index, mutation))
        assert session.result(step.id).verdict is expected, (runs[index].command, mutation.how)
        assert (session.overall is Overall.COMPLETE) == (expected in SETTLED), (runs[index].command, mutation.how)


OTHERS = "".join(f"/opt/platform/runtime/observer/data/x{number}.jsonl\n" for number in range(10))

FORGED: dict[str, tuple[str, Callable[[str], str]]] = {
    "a page that holds the answer": ("step7-1-health-in-pod", lambda out: re.sub(r"(\{.*\})", r"<p>\1</p>", out)),
    "a list that holds the answer": ("step7-3-curl", lambda out: f"[{out}]"),
    "an answer within an answer": ("step7-3-curl", lambda out: f'{{"of": {out}}}'),
    "other files in the list": ("step8-3-list-files", lambda out: OTHERS[: OTHERS.index("\n") + 1] * out.count("\n")),
    "no volume but memory": ("step6-5-mounts", lambda out: re.sub(r"(?m)^\S+", "tmpfs", out)),
    "a full volume": ("step6-5-mounts", lambda out: re.sub(r"\d+%", "100%", out)),
    "settings without values": ("step6-4-env", lambda out: re.sub(r"(?m)=.*$", "=", out)),
    "no level in the log": ("step6-3-logs-observer", lambda out: "lost\n" * out.count("\n")),
    "a crash in the log": ("step6-3-logs-observer", lambda out: out + "exec /app: exec format error\n"),
    "no pod but a like-named one": ("step6-1-pods", lambda out: out.replace("observer-", "observer-exporter-")),
    "restarts that are not known": (
        "step9-1-pod-restarts",
        lambda out: re.sub(r"(Running +)\d+( +)", r"\1<none>\2", out),
    ),
    "another pod with restarts": (
        "step9-1-pod-restarts",
        lambda out: out + re.sub(r"-\w{5}( +Running +)\d", r"-zzzzz\g<1>7", out.splitlines(keepends=True)[1]),
    ),
}
"""Outputs that look like health and are none."""


@pytest.mark.parametrize("what", FORGED)
@pytest.mark.parametrize("state", COMPLETE)
def test_what_only_looks_like_health_does_not_pass(state: str, what: str) -> None:
    command, forge = FORGED[what]
    carried = recording(state)[1]
    step = next(step for step in STEPS if command in step.commands)
    runs = carried[step.id]
    last = max(place for place, run in enumerate(runs) if run.command == command)
    forged = replace(runs[last], stdout=forge(runs[last].out).encode())
    assert forged.stdout != runs[last].stdout
    assert verdict(step.judge(Runs((*runs[:last], forged, *runs[last + 1 :])))) not in SETTLED


WRAPPER = (
    b"WARN[0000] Unable to read /etc/rancher/k3s/k3s.yaml, please start server with --write-kubeconfig-mode or "
    b"--write-kubeconfig-group to modify kube config permissions \n"
    b'time="2026-11-25T01:05:37Z" level=warning msg="Unable to read /etc/rancher/k3s/k3s.yaml"\n'
)
"""What the k3s program, which is kubectl on K3s, writes to standard error while all is well."""


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("state", [*COMPLETE, "1.34/secret-missing", "1.34/one-replica", "1.34/node-not-ready"])
def test_what_k3s_says_beside_the_answer_changes_no_verdict(state: str, place: str) -> None:
    for step in STEPS:
        runs = recording(state)[1][step.id]
        talking = Runs(
            replace(run, stderr=WRAPPER + run.stderr if place == "before" else run.stderr + WRAPPER)
            if run.happened and run.command != "step2-storage-dir"  # which is no kubectl
            else run
            for run in runs
        )
        whole = {found.code: found.verdict for found in step.judge(runs)}
        assert {found.code: found.verdict for found in step.judge(talking)} == whole, step.id
