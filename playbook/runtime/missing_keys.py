"""The keys that observer-secrets lacks (Step 3-4), added to the Secret that is there: `fix observer-secrets`.

The values go to kubectl over its standard input: they stand in no argument, no environment and no file. A key that is
there is never written: the keys are read again right before, and the server refuses the patch when the Secret was
changed since then, because the patch names the version that was read.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from ..errors import BadSession, UsageError
from ..guide.own_commands import ADD_KEYS, PRESENT_KEYS
from ..kubectl.failures import failure
from ..model import Run
from ..text import msg
from .emergency import Key, checked, to_hide, without_short
from .engine import Engine

_ADDED = b"secret/observer-secrets patched\n"
_MOST = 60_000  # bytes; a pipe holds 64 KiB


@dataclass(frozen=True, slots=True)
class Present:
    """What observer-secrets has: the names of its keys, and the version they were read at."""

    version: str
    keys: frozenset[str]


def present(engine: Engine) -> Present:
    """The keys that observer-secrets has now; raises BadSession when they cannot be read."""
    (run,) = engine.session.keep([engine.workplace.runner.run(PRESENT_KEYS)])
    engine.workplace.cancel.check()
    words = run.out.split()
    if run.exit_code == 0 and words and re.fullmatch(r"\d+", words[0]):
        return Present(words[0], frozenset(words[1:]))
    why = failure(run)
    raise BadSession(
        msg(
            "it could not be seen which keys observer-secrets has: {reason}",
            reason=why.text or why.kind.value if why else "?",
        ),
        msg("type {program} step 0"),
    )


def missing(wanted: Collection[Key], there: Present) -> tuple[Key, ...]:
    """Those of the guide's keys that are not there, in its order; raises UsageError when there is none."""
    # What POSTGRES_PASSWORD is, is not known here: an empty answer stands for nothing.
    lacking = tuple(replace(key, same_as="") for key in wanted if key.name not in there.keys)
    if not lacking:
        raise UsageError(
            msg("observer-secrets has all {count} keys of the guide: there is nothing to add", count=len(wanted)),
            msg("a key that is there is never overwritten; `{program} step 3` looks at the Secrets again"),
        )
    return lacking


def patch(lacking: Collection[Key], values: Mapping[str, str], there: Present) -> bytes:
    """The merge patch that adds the keys `lacking`: the guide's value, or the one of `values`.

    Raises UsageError for a missing, empty or unusable value. The result holds secrets.
    """
    data = {}
    for key in lacking:
        value = key.fixed or checked(key, values.get(key.name, ""))
        if not value:
            raise UsageError(msg("{key} must not be empty", key=key.name))
        data[key.name] = base64.b64encode(value.encode()).decode()
    made = json.dumps({"metadata": {"resourceVersion": there.version}, "data": data}).encode()
    if len(made) > _MOST:
        raise UsageError(msg("the values are too long"))
    return made


def add(engine: Engine, lacking: Collection[Key], values: Mapping[str, str]) -> Run:
    """Add the keys `lacking` with `values`, and record the command, which has no value in it.

    Raises UsageError when one of them has come to be meanwhile, BadSession when that cannot be seen.
    """
    engine.session.redactor.learn(*to_hide(values))
    there = present(engine)
    if came := [key.name for key in lacking if key.name in there.keys]:
        raise UsageError(
            msg("meanwhile observer-secrets was given {keys}: nothing was added", keys=", ".join(came)),
            msg("type this again: it asks for what is still missing"),
        )
    given = patch(lacking, values, there)
    engine.session.begin(ADD_KEYS)
    run = engine.workplace.runner.feed(ADD_KEYS, given)
    (kept,) = engine.session.keep([without_short(run, values, _ADDED)])
    engine.workplace.cancel.check()
    return kept
