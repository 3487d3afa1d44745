"""Which evidence no longer counts, and why: one table of rules.

A step that passed is kept on a later attempt. It is run again when something it depends on has changed since, or when it
has become too old.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..clock import utc_text
from ..errors import UnreadableText
from ..guide import ids
from ..kubectl.failures import FailureKind, failure
from ..kubectl.pods import PodSample, pod_samples, ready_pods
from ..model import Run, Session, StepResult
from ..steps.restart import OBSERVER, RESTARTS, may_have_deleted
from ..steps.step6_pods import guide_pods, in_service
from ..steps.step9_stability import watched
from ..text import Message, msg
from ..version import __version__

Answers = Callable[[str], tuple[Run, ...]]
"""Gives every run of a command in this session, oldest first."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What makes which steps stale."""

    code: str
    steps: tuple[str, ...]
    why: Message
    holds: Callable[[StepResult, Answers, datetime], bool]  # of a step's counting result, at a moment


AGE_LIMITS = {**{step: timedelta(hours=36) for step in "1234567"}, "8": timedelta(days=7)}
"""How long a passed step counts. 36 hours: the 24 of Step 9 and a working day. Step 0 is seen at every start, Step 9 is a
ledger."""


def _too_old(result: StepResult, answers: Answers, at: datetime) -> bool:
    limit = AGE_LIMITS.get(result.step)
    return limit is not None and result.judged_at is not None and at - result.judged_at > limit


def _restarted(result: StepResult, answers: Answers, at: datetime) -> bool:
    """The pods of the baseline are gone: Step 8 restarted them after it."""
    baseline = next((run for run in result.runs if run.command == ids.POD_SAMPLE), None)
    restart = _last_restart(answers)
    return bool(baseline and restart and restart.started_at > baseline.started_at)


def _last_restart(answers: Answers) -> Run | None:
    deletes = [run for restart in RESTARTS for run in answers(restart.delete) if may_have_deleted(run)]
    return max(deletes, key=lambda run: run.started_at, default=None)


def _new_pods(result: StepResult, answers: Answers, at: datetime) -> bool:
    """Pods (name, STARTED) other than those the step saw, Step 8's own restart set aside."""
    if result.judged_at is None:
        return False
    restart = _last_restart(answers)
    after = restart.started_at if restart and restart.started_at > result.judged_at else None
    since = after or result.judged_at
    samples = [
        found for run in answers(ids.POD_SAMPLE) if run.started_at >= since and (found := _pods(run)) is not None
    ]
    if not samples:
        return False
    expected = _names_after_restart(answers) if after else _names_seen(answers, since)
    before = [
        found
        for run in answers(ids.POD_SAMPLE)
        if run.started_at < since and not after and not (restart and run.started_at < restart.started_at)
        and (found := _pods(run)) is not None
    ]  # fmt: skip
    if before and expected == {pod.name for pod in before[-1]}:  # a sample of what the step saw
        samples.insert(0, before[-1])
    first, last = samples[0], samples[-1]
    if {(pod.name, pod.started) for pod in first} != {(pod.name, pod.started) for pod in last}:
        return True
    return bool(expected) and expected != {pod.name for pod in last}


def _pods(run: Run) -> tuple[PodSample, ...] | None:
    if failure(run):
        return None
    try:
        return tuple(pod for pod in pod_samples(run.out) if watched(pod.name) and not pod.is_over)
    except UnreadableText:
        return None


def _names_seen(answers: Answers, at: datetime) -> set[str]:
    """The pods in the newest list (6-1) from before the moment `at`; empty when it cannot be read."""
    lists = [run for run in answers(ids.PODS) if run.started_at <= at and run.exit_code == 0]
    try:
        return {pod.name for pod in in_service(guide_pods(lists[-1].out))} if lists else set()
    except UnreadableText:
        return set()


def _names_after_restart(answers: Answers) -> set[str]:
    """The pods that Step 8 waited for after its last delete; empty when it did not see them Ready."""
    deletes = [run.started_at for run in answers(OBSERVER.delete) if may_have_deleted(run)]
    waits = [run for run in answers(OBSERVER.wait) if run.exit_code == 0 and deletes and run.started_at >= max(deletes)]
    return {*ready_pods(waits[-1].out), "postgres-0"} if waits else set()


def _changed(command: str, essence: Callable[[str], str]) -> Callable[[StepResult, Answers, datetime], bool]:
    """Whether the newest answer to `command` differs in its essence from the newest that the step could have seen."""

    def holds(result: StepResult, answers: Answers, at: datetime) -> bool:
        readable = [run for run in answers(command) if _is_answer(run)]
        seen = [run for run in readable if result.judged_at is None or run.started_at <= result.judged_at]
        return bool(seen) and essence(readable[-1].out) != essence(seen[-1].out)

    return holds


def _is_answer(run: Run) -> bool:
    """Whether the cluster answered; that there is no such object is an answer, too."""
    why = failure(run)
    return why.kind in (FailureKind.NOT_FOUND, FailureKind.NO_RESOURCES) if why else run.exit_code == 0


def _claims(text: str) -> str:
    """What matters of `kubectl get pvc`: all but the AGE.

    >>> _claims("NAME   STATUS   AGE\\na      Bound    5m\\n")
    'NAME STATUS\\na Bound'
    """
    return "\n".join(" ".join(line.split()[:-1]) for line in text.splitlines())


def _settings(text: str) -> str:
    """What matters of the ConfigMap's YAML: the block under `data:`."""
    found = re.search(r"^data:\n((?:[ \t].*\n?|\n)*)", text, re.M)
    return found[1] if found else text


def _day_over(session: Session, result: StepResult, at: datetime) -> bool:
    """Step 9's 24 hours are over, and the step was last seen before that."""
    due = session.result("9").due_from
    return due is not None and result.judged_at is not None and result.judged_at < due <= at


def _asked_of_the_session(result: StepResult, answers: Answers, at: datetime) -> bool:
    """Never: that the 24 hours are over stands in Step 9's result, not in this one."""
    return False


def _other_version(result: StepResult, answers: Answers, at: datetime) -> bool:
    """Judged by another version of the program, which may have asked for less than this one goes by."""
    return result.judged_at is not None and result.program != __version__


DAY_OVER = Rule(
    "DAY-OVER",
    ("1", "2", "3", "4", "5", "6", "7"),
    msg("seen before the 24 hours of Step 9 were over"),
    _asked_of_the_session,
)

RULES = (
    Rule("AGE", ("1", "2", "3", "4", "5", "6", "7", "8"), msg("seen too long ago"), _too_old),
    Rule("PVC-CHANGED", ("2", "6", "8"), msg("the PVCs are not as they were then"), _changed(ids.CLAIMS, _claims)),
    Rule(
        "CONFIG-CHANGED",
        ("4", "6", "7"),
        msg("the ConfigMap is not as it was then"),
        _changed(ids.CONFIG_MAP, _settings),
    ),
    Rule("NEW-PODS", ("6", "7"), msg("there are other pods now than then"), _new_pods),
    Rule("RESTARTED", ("9",), msg("Step 8 restarted the pods after the baseline"), _restarted),
    DAY_OVER,
    Rule(
        "OTHER-VERSION",
        ("1", "2", "3", "4", "5", "6", "7"),
        msg("judged by another version of the program"),
        _other_version,
    ),
)
"""The whole table. A test tries each rule on a session in which it holds and on one in which it does not."""

REFRESH_COMMANDS = (ids.POD_SAMPLE, ids.CLAIMS, ids.CONFIG_MAP)
"""The commands by which a later attempt sees whether what it keeps still holds."""


def stale(session: Session, answers: Answers, at: datetime) -> tuple[tuple[str, Rule], ...]:
    """The steps whose counting result no longer holds at the moment `at`, each with the first rule that says so."""
    found = []
    for result in session.results:
        if result.judged_at is None:
            continue
        rule = next((r for r in RULES if result.step in r.steps and r.holds(result, answers, at)), None)
        if rule is None and result.step in DAY_OVER.steps and _day_over(session, result, at):
            rule = DAY_OVER
        if rule:
            found.append((result.step, rule))
    return tuple(found)


def rule(code: str) -> Rule:
    """The rule of that code; raises KeyError."""
    for candidate in RULES:
        if candidate.code == code:
            return candidate
    raise KeyError(code)


def kept_because(result: StepResult, at: datetime) -> Message:
    """Why a step that was not run again still counts."""
    if result.judged_at is None:
        return msg("still counts")
    hours = int((at - result.judged_at).total_seconds() // 3600)
    return msg("seen {at} ({hours} h ago), nothing changed since", at=utc_text(result.judged_at), hours=hours)
