"""Step 3: is the SealedSecrets controller up, are its three Secrets there, and observer-secrets and ghcr-secret too?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import UnreadableText
from ..guide import ids, remedies
from ..guide.codes import Code
from ..guide.expected import GHCR_SECRET, GHCR_SECRET_TYPE, OBSERVER_SECRETS, SEALED_SECRETS, SECRET_KEYS
from ..kubectl.failures import FailureKind, failure
from ..kubectl.pods import Pod, left_over, of_deployment, pods
from ..kubectl.secrets import SealedSecret, SecretRow, sealed_secrets, secret_words, secrets
from ..kubectl.tables import only, sections
from ..model import Finding, Remedy, Run, Runs
from ..text import msg
from .base import Execution, Step
from .keys import judge_keys
from .question import Question
from .reading import NotSeen, kubectl_failure, read, read_rows


def not_needed(has_jq: bool) -> str:
    """The variant of 3-4 that is not run: jq's where there is no jq, else python3's."""
    return ids.SECRET_KEYS if has_jq else ids.SECRET_KEYS_JQ


def perform(step: Step, execution: Execution) -> None:
    """All commands but the variant of 3-4 that is not needed: jq's where jq is, else python3's."""
    other = not_needed(execution.has_tool("jq"))
    execution.side_by_side([command for command in step.commands if command != other])


def judge(runs: Runs) -> tuple[Finding, ...]:
    """Steps 3-1 to 3-5.

    The label in the second command of 3-2 selects sealing keys: an empty answer to it is ordinary and decides nothing.
    """
    return (
        _controller(runs.last(ids.SEALED_CONTROLLER)),
        *_sealed(runs.last(ids.SEALED_SECRETS), runs.last(ids.GENERATED_SECRETS)),
        *_generated(runs.last(ids.SUMMARY)),
        *_observer(runs.last(ids.OBSERVER_SECRETS)),
        _keys(runs),
        _ghcr(runs.last(ids.GHCR_SECRET)),
    )


# 3-1


def _is_controller(pod: str) -> bool:
    """Whether it is named as the project's manifest or its Helm chart names the controller; a web UI can be beside it."""
    deployment = "-".join(pod.split("-")[:-2])
    return of_deployment(pod, deployment) and bool(re.fullmatch(r"(?:.+-)?sealed-secrets(?:-controller)?", deployment))


def _controller(run: Run) -> Finding:
    asked = Question(Code.SEALED_CONTROLLER, "3-1", "STATUS = Running", run)
    try:
        rows = read_rows(run, lambda text: pods(text, required=("NAME", "READY", "STATUS")))
        mine = [pod for pod in rows if _is_controller(pod.name)]
        up = [pod for pod in mine if pod.is_up]
        others = [pod for pod in mine if not (pod.is_up or pod.status == "Terminating" or left_over(pod, mine, 1))]
    except (NotSeen, UnreadableText) as why:
        return asked.unseen(why)
    if up and others:
        summary = msg("one SealedSecrets controller is Running, another one is not")
        return asked.warned(summary, _shown(others[0]), others[0].line)
    if up:
        return asked.passed(msg("the SealedSecrets controller is Running"), _shown(up[0]), up[0].line)
    if rows and not mine:  # it may have another name; another namespace's pods must not pass for it
        return asked.unseen(msg("no pod of the list is the controller by its name: {pods}", pods=rows[0].name))
    summary = msg("the SealedSecrets controller is not Running")
    if not mine:
        return asked.failed(summary, msg("there is no pod"), None, remedies.START_CONTROLLER)
    return asked.failed(summary, _shown(mine[0]), mine[0].line, remedies.START_CONTROLLER)


def _shown(pod: Pod) -> str:
    return f"{pod.name}: READY {pod.ready_text}, STATUS {pod.status}"


# 3-2


def _sealed(run: Run, generated: Run) -> tuple[Finding, ...]:
    """SEALED-SYNCED of each SealedSecret."""
    asked = Question(Code.SEALED_SYNCED, "3-2", "SYNCED = True", run)
    why = kubectl_failure(run)
    # Without the kind there is no SealedSecret; but a server whose kinds could not be listed proves nothing.
    # kubectl 1.20 does not say that they could not: it then knows no `secrets` either.
    listed = "couldn't get" not in run.err and 'have a resource type "secrets"' not in generated.err
    no_kind = why is not None and why.kind is FailureKind.NOT_FOUND and listed
    try:
        rows: Sequence[SealedSecret] = () if no_kind else read_rows(run, sealed_secrets)
    except NotSeen as not_seen:
        return (asked.unseen(not_seen),)
    there = {row.name: row for row in rows}
    return tuple(_synced(name, there.get(name), asked.of(name)) for name in SEALED_SECRETS)


def _synced(name: str, row: SealedSecret | None, asked: Question) -> Finding:
    if row is None:
        summary = msg("SealedSecret {name} does not exist", name=name)
        return asked.failed(summary, msg("not in the list"), None, remedies.CHECK_CONTROLLER)
    if row.synced in ("", "Unknown", "<unknown>", "<none>"):
        return asked.unseen(msg("the list does not say whether {name} is synced", name=name))
    seen = f"SYNCED = {row.synced}, STATUS = {row.status}" if row.status else f"SYNCED = {row.synced}"
    if row.synced == "True":
        return asked.passed(msg("SealedSecret {name} is synced", name=name), seen, row.line)
    summary = msg("SealedSecret {name} is not synced", name=name)
    if "no key could decrypt" in row.status:
        return asked.failed(summary, seen, row.line, remedies.SEAL_ANEW, remedies.OLD_SEALING_KEY)
    return asked.failed(summary, seen, row.line, remedies.CHECK_CONTROLLER)


def _generated(run: Run) -> tuple[Finding, ...]:
    """SEALED-SECRET of each Secret that comes of a SealedSecret, by the list of Secrets in the guide's summary."""
    asked = Question(Code.SEALED_SECRET, "3-2", msg("in the list of Secrets"), run)
    why = failure(run)
    try:
        rows = listed_secrets(run)
    except UnreadableText as unknown:
        return (asked.unseen(why if why and why.kind is not FailureKind.NO_RESOURCES else unknown),)
    if rows is None:
        return (asked.unseen(why),)
    there = {row.name: row for row in rows}
    return tuple(_secret(name, there.get(name), asked.of(name)) for name in SEALED_SECRETS)


def listed_secrets(run: Run) -> tuple[SecretRow, ...] | None:
    """The Secrets in the summary's list; None when it may not be whole. Raises UnreadableText.

    The summary is a chain of five commands, and standard error speaks of all of them. The list is whole when the next
    part follows it and no complaint is about Secrets; an empty one only when kubectl also said that it found nothing.
    """
    first, text = sections(run.out).get("SECRETS", (0, ""))
    if not first:
        return None
    rows = secret_words(text, first)
    if set(SEALED_SECRETS) <= {row.name for row in rows}:
        return rows
    errors = [line for line in run.err.splitlines() if line.startswith(("Error", "error", "The connection", "Unable"))]
    cut = "=== SERVICES ===" not in run.out or any("secrets" in line or "Forbidden" not in line for line in errors)
    return None if cut or not (rows or "No resources found" in run.err) else rows


def _secret(name: str, row: SecretRow | None, asked: Question) -> Finding:
    if row is None:
        summary = msg("Secret {name} does not exist", name=name)
        return asked.failed(summary, msg("not in the list"), None, remedies.CHECK_CONTROLLER)
    return asked.passed(msg("Secret {name} exists", name=name), name, row.line)


# 3-3 to 3-5


def _observer(run: Run) -> tuple[Finding, ...]:
    """OBSERVER-SECRETS: that it exists, which abort criterion 1 asks.

    SECRET-TYPE only when its type is another, SECRET-DATA only when it holds nothing: no pod can start with that either, but
    it is there.
    """
    asked = Question(Code.OBSERVER_SECRETS, "3-3", "TYPE = Opaque", run)
    try:
        row = read(run, lambda text: only(secrets(text), OBSERVER_SECRETS))
    except NotSeen as why:
        summary = msg("Secret {name} does not exist: neither Observer nor PostgreSQL can start", name=OBSERVER_SECRETS)
        return (asked.absent_or_unseen(why, summary, *remedies.CREATE_SECRET),)
    seen = f"TYPE = {row.type}, DATA = {row.data_text}"
    there = asked.passed(msg("Secret {name} exists", name=row.name), seen, row.line)
    found = [there]
    if row.type != "Opaque":
        other = Question(Code.SECRET_TYPE, "3-3", "TYPE = Opaque", run)
        found.append(_other_type(other, row, seen, remedies.KEEP_SECRET, remedies.KEEP_TYPE))
    if row.data_text == "0":
        data = Question(Code.SECRET_DATA, "3-3", "DATA = 13+", run)
        empty = msg("Secret {name} is empty", name=row.name)
        found.append(data.failed(empty, seen, row.line, *remedies.FILL_SECRET))
    return tuple(found)


def _keys(runs: Runs) -> Finding:
    """By whichever variant of 3-4 was carried out; jq's where a recording has both."""
    with_jq = runs.last(ids.SECRET_KEYS_JQ)
    run = with_jq if with_jq.happened or not runs.all(ids.SECRET_KEYS) else runs.last(ids.SECRET_KEYS)
    asked = Question(Code.SECRET_KEYS, "3-4", ", ".join(SECRET_KEYS), run)
    absent = msg("Secret {name} has no keys: it does not exist", name=OBSERVER_SECRETS)
    return judge_keys(asked, OBSERVER_SECRETS, SECRET_KEYS, absent, remedies.CREATE_SECRET, remedies.FILL_SECRET)


def _ghcr(run: Run) -> Finding:
    asked = Question(Code.GHCR_SECRET, "3-5", f"TYPE = {GHCR_SECRET_TYPE}", run)
    try:
        row = read(run, lambda text: only(secrets(text), GHCR_SECRET))
    except NotSeen as why:
        summary = msg("Secret {name} does not exist", name=GHCR_SECRET)
        return asked.absent_or_unseen(why, summary, remedies.CREATE_GHCR_SECRET)
    seen = f"TYPE = {row.type}"
    if row.type != GHCR_SECRET_TYPE:
        return _other_type(asked, row, seen, remedies.CREATE_GHCR_SECRET)
    return asked.passed(msg("Secret {name} exists", name=row.name), seen, row.line)


def _other_type(asked: Question, row: SecretRow, seen: str, *remedy: Remedy) -> Finding:
    return asked.failed(msg("Secret {name} has another type", name=row.name), seen, row.line, *remedy)


COMMANDS = (
    ids.SEALED_CONTROLLER, ids.SEALED_SECRETS, ids.GENERATED_SECRETS, ids.OBSERVER_SECRETS, ids.SECRET_KEYS,
    ids.SECRET_KEYS_JQ, ids.GHCR_SECRET, ids.SUMMARY,
)  # fmt: skip
STEP = Step("3", msg("Secrets"), COMMANDS, judge, perform, prefetchable=True)
