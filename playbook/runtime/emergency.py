"""The guide's emergency creation of observer-secrets (Step 3-3), with values: `fix` where there is none.

The filled text is handed to bash and to nobody else: it is not recorded, and what is shown is `masked`, which never had
a value in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import BadSession, UsageError
from ..guide import ids
from ..kubectl.failures import FailureKind, failure
from ..model import Run
from ..session.redact.values import SHORTEST
from ..text import Message, msg

if TYPE_CHECKING:
    from .engine import Engine

COMMAND = ids.CREATE_OBSERVER_SECRETS
"""The guide's command, which the catalog gives the text of."""

MASK = "********"
"""Stands for every value, whatever its length."""

SAME = "POSTGRES_PASSWORD"
"""The password that the others are, unless they are given one of their own."""

LOOK = ids.OBSERVER_SECRETS
_CREATED = b"secret/observer-secrets created\n"

_LITERAL = re.compile(r"--from-literal=(?P<key>[A-Z_]+)=(?:'<(?P<placeholder>\w+)>'|(?P<fixed>[\w.-]+))(?=\s)")


@dataclass(frozen=True, slots=True)
class Key:
    """One key of observer-secrets: fixed by the guide, or a placeholder to be asked for."""

    name: str
    fixed: str = ""  # the guide's value
    placeholder: str = ""  # `password`, `key`, `secret` or `id`; empty when the guide fixes the value
    same_as: str = ""  # an empty answer means the value of that key

    @property
    def hidden(self) -> bool:
        """Whether what is typed must not be seen: all that the guide leaves open becomes part of a Secret."""
        return bool(self.placeholder)


def keys(text: str) -> tuple[Key, ...]:
    """The keys of the guide's command, in its order; raises UsageError when `text` is not that command.

    >>> found = keys("kubectl create secret generic s --from-literal=PGPORT=5432 --from-literal=KIS_HTS_ID='<id>' -n x")
    >>> [(key.name, key.fixed, key.placeholder) for key in found]
    [('PGPORT', '5432', ''), ('KIS_HTS_ID', '', 'id')]
    """
    found = tuple(
        Key(each["key"], each["fixed"] or "", each["placeholder"] or "",
            SAME if each["placeholder"] == "password" and each["key"] != SAME else "")
        for each in _LITERAL.finditer(text)
    )  # fmt: skip
    if not found or len(found) != text.count("--from-literal="):
        raise UsageError(msg("{command} does not have the form that values can be filled into", command=COMMAND))
    return found


def prompts(text: str) -> tuple[Key, ...]:
    """The keys to ask for, in the guide's order."""
    return tuple(key for key in keys(text) if key.placeholder)


def question(key: Key) -> Message:
    """What to ask for `key`."""
    if key.same_as:
        return msg("{key} (empty: the same as {other})", key=key.name, other=key.same_as)
    return msg("value of {key}", key=key.name)


def checked(key: Key, value: str) -> str:
    """`value` as it was typed; raises UsageError, without the value in it, for one that cannot be used."""
    if not value and not key.same_as:
        raise UsageError(msg("{key} must not be empty", key=key.name))
    if any(character in value for character in "\n\r\0"):
        raise UsageError(msg("the value of {key} holds a line break or a NUL byte", key=key.name))
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise UsageError(msg("the value of {key} is not UTF-8 text", key=key.name))
    return value


def fill(text: str, values: Mapping[str, str]) -> str:
    """The guide's command with every placeholder replaced by its value, in single quotes as the guide has them.

    `values` has one entry for each of `prompts(text)`; an empty one takes over the value of its `same_as`. Raises
    UsageError for a missing, unknown or unusable value. The result holds secrets: it is for bash alone.

    >>> fill("kubectl create secret generic s --from-literal=KIS_HTS_ID='<id>' -n x", {"KIS_HTS_ID": "it's"})
    'kubectl create secret generic s --from-literal=KIS_HTS_ID=\\'it\\'"\\'"\\'s\\' -n x'
    """
    wanted = {key.name: key for key in prompts(text)}
    for name in values:
        if name not in wanted:
            raise UsageError(msg("the guide's command does not ask for {key}", key=name))
    for name in wanted:
        if name not in values:
            raise UsageError(msg("no value was given for {key}", key=name))
    given = {name: checked(key, values[name]) for name, key in wanted.items()}
    return _replaced(text, {name: _quoted(given[name] or given[key.same_as]) for name, key in wanted.items()})


def masked(text: str) -> str:
    """The guide's command as it may be shown once values are given: each placeholder behind the same mask."""
    return _replaced(text, {key.name: f"'{MASK}'" for key in prompts(text)})


def _replaced(text: str, quoted: Mapping[str, str]) -> str:
    def one(found: re.Match[str]) -> str:
        if not found["placeholder"]:
            return found[0]
        return f"--from-literal={found['key']}={quoted[found['key']]}"

    return _LITERAL.sub(one, text)


def _quoted(value: str) -> str:
    """`value` in single quotes for bash, in which only a single quote is special."""
    return "'" + value.replace("'", "'\"'\"'") + "'"


# on a cluster


def exists(engine: Engine) -> bool:
    """Step 0, to know the cluster, and a look at Step 3-3: whether observer-secrets is there.

    Raises BadSession when it cannot be seen.
    """
    engine.run(only="0")
    (run,) = engine.session.keep([engine.workplace.runner.run(engine.workplace.catalog.command(LOOK))])
    engine.workplace.cancel.check()
    why = failure(run)
    if why and why.kind is FailureKind.NOT_FOUND and "namespaces" not in why.text:
        return False
    if run.exit_code == 0 and "observer-secrets" in run.out:
        return True
    raise BadSession(
        msg(
            "it could not be seen whether observer-secrets exists: {reason}",
            reason=why.text or why.kind.value if why else "?",
        ),
        msg("type {program} step 0"),
    )


def create(engine: Engine, values: Mapping[str, str]) -> Run:
    """Run the guide's creation with `values` filled in, and record it under the guide's text.

    What bash is given is kept nowhere. All that is printed is masked before it is kept or returned.
    """
    workplace = engine.workplace
    command = workplace.catalog.command(COMMAND)
    filled = replace(command, text=fill(command.text, values))
    engine.session.redactor.learn(*to_hide(values))
    workplace.cancel.check()
    engine.session.begin(command)
    (kept,) = engine.session.keep([without_short(workplace.runner.run(filled), values, _CREATED)])
    workplace.cancel.check()
    return kept


def to_hide(values: Mapping[str, str]) -> tuple[bytes, ...]:
    """The values as the redactor learns them."""
    return tuple(sorted({value.encode() for value in values.values() if value}))


def without_short(run: Run, values: Mapping[str, str], expected: bytes) -> Run:
    """A value too short to be masked by itself hides the whole stream that may hold it, save the line expected."""
    short = [value.encode() for value in values.values() if 0 < len(value) < SHORTEST]

    def hidden(data: bytes) -> bytes:
        return b"********\n" if data != expected and any(value in data for value in short) else data

    return replace(run, stdout=hidden(run.stdout), stderr=hidden(run.stderr))
