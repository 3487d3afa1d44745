"""The guide's emergency creation of observer-secrets (Step 3-3), with values: what `fix observer-secrets` does.

Nothing here prints, asks, runs or writes. The filled text is handed to bash and to nobody else: it is not recorded, and
what is shown is `masked`, which never had a value in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import UsageError
from .text import Message, msg

COMMAND = "step3-3-create-observer-secrets"
"""The guide's command, which the catalog gives the text of."""

MASK = "********"
"""Stands for every value, whatever its length."""

SAME = "POSTGRES_PASSWORD"
"""The password that the others are, unless they are given one of their own."""

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
