"""What the verbs `diagnose` and `fix` need besides their logic: what stayed dark, and the one creation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from . import fix
from .errors import BadSession, UsageError
from .failures import Failure, Trouble, failure
from .model import Ended, Run, Session
from .redact import SHORTEST
from .text import msg

if TYPE_CHECKING:
    from .engine import Engine

LOOK = "step3-3-observer-secrets"
DELETE = "kubectl delete secret observer-secrets -n observer-prod"
"""What the guide's "created anew" comes down to. It is shown and never run."""

_CREATED = b"secret/observer-secrets created\n"
_DARK = frozenset({
    Trouble.FORBIDDEN, Trouble.UNAUTHORIZED, Trouble.CONNECTION_REFUSED, Trouble.UNREACHABLE, Trouble.KUBECONFIG,
    Trouble.TIMEOUT, Trouble.INTERRUPTED, Trouble.NOT_RECORDED, Trouble.TOOL_MISSING, Trouble.NODE,
})  # fmt: skip
"""Why a diagnosis command may have told nothing. That what it asks about is not there is an answer."""


def unseen(session: Session) -> tuple[tuple[Run, str], ...]:
    """The diagnosis commands of a session that gave no answer, each with the reason."""
    found = ((run, failure(run)) for run in session.diagnosis)
    return tuple((run, _said(why)) for run, why in found if why and why.trouble in _DARK)


def _said(why: Failure) -> str:
    return why.text or why.trouble.value


def require_missing(engine: Engine) -> None:
    """Step 0, to know the cluster, and a look at Step 3-3. Returns when observer-secrets is not there.

    Raises UsageError when it is there, for the guide's creation would fail, and BadSession when it cannot be seen.
    """
    engine.run(only="0")
    run = _recorded(engine, LOOK)
    why = failure(run)
    if why and why.trouble is Trouble.NOT_FOUND and "namespaces" not in why.text:
        return
    if run.exit_code == 0 and "observer-secrets" in run.out:
        raise UsageError(
            msg("observer-secrets exists: the guide's creation would fail"),
            msg(
                "where keys are missing (Step 3-4) the guide has it created anew: that is yours to decide; to do so, "
                "type {delete}, then this again",
                delete=f"`{DELETE}`",
            ),
        )
    raise BadSession(
        msg("it could not be seen whether observer-secrets exists: {reason}", reason=_said(why) if why else "?"),
        msg("type {command}", command="python -m playbook step 0"),
    )


def create(engine: Engine, values: Mapping[str, str]) -> Run:
    """Run the guide's creation with `values` filled in, and record it under the guide's text.

    What bash is given is kept nowhere. All that is printed is masked before it is kept or returned.
    """
    command = engine.catalog.command(fix.COMMAND)
    filled = replace(command, text=fix.fill(command.text, values))
    engine.record.redactor.learn(*to_hide(values))
    number = engine.record.next_ordinal(command.key)
    engine.interruption.check()
    engine.record.begin(command, number)
    run = engine.runner.run(filled, number)
    (kept,) = engine.record.keep([_without_short(run, values)])
    engine.interruption.check()
    return kept


def to_hide(values: Mapping[str, str]) -> tuple[bytes, ...]:
    """The values as the redactor learns them."""
    return tuple(sorted({value.encode() for value in values.values() if value}))


def _without_short(run: Run, values: Mapping[str, str]) -> Run:
    """A value too short to be masked by itself hides the whole stream that may hold it, save the line expected."""
    short = [value.encode() for value in values.values() if 0 < len(value) < SHORTEST]

    def hidden(data: bytes) -> bytes:
        return b"********\n" if data != _CREATED and any(value in data for value in short) else data

    return replace(run, stdout=hidden(run.stdout), stderr=hidden(run.stderr))


def _recorded(engine: Engine, name: str) -> Run:
    command = engine.catalog.command(name)
    run = engine.runner.run(command, engine.record.next_ordinal(command.key))
    (kept,) = engine.record.keep([run])
    if kept.ended is Ended.INTERRUPTED:
        engine.interruption.check()
    return kept
