"""The keys of a Secret or ConfigMap, the guide's check of its paths, and a container's environment (Steps 3-4, 4, 6-4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import UnreadableText
from ..text import msg
from .tables import lines, unreadable

_CHECK = re.compile(r"(OK|MISMATCH): (\w+) = (.*) \(expected: (.*)\)$")


class Key(NamedTuple):
    """One key, and the line that it stood in."""

    line: int
    name: str


@dataclass(frozen=True, slots=True)
class PathCheck:
    """One line of the guide's path check."""

    line: int
    key: str
    actual: str  # MISSING when the ConfigMap has no such key
    same: bool


class Variable(NamedTuple):
    """One variable; of a value that spans several lines only the first is known."""

    line: int
    name: str
    value: str


def keys(text: str) -> tuple[Key, ...]:
    """A list of keys, one to a line (Steps 3-4 and 4).

    >>> keys("DB_HOST\\nDB_NAME\\n")
    (Key(line=1, name='DB_HOST'), Key(line=2, name='DB_NAME'))
    """
    found = []
    for number, line in lines(text):
        if not re.fullmatch(r"[-._A-Za-z0-9]+", line):
            raise unreadable(number, line)
        found.append(Key(number, line))
    if not found:
        raise unreadable(1, "")
    return tuple(found)


def config_map_keys(text: str) -> tuple[Key, ...]:
    """The keys below `data:` of one ConfigMap in YAML; raises UnreadableText when the text is none.

    >>> config_map_keys("apiVersion: v1\\ndata:\\n  DB_HOST: postgres\\nkind: ConfigMap\\n")
    (Key(line=3, name='DB_HOST'),)
    """
    found, inside = [], False
    rows = tuple(lines(text))
    for number, line in rows:
        if not line.startswith(" "):
            inside = line == "data:"
        elif inside and (key := re.match(r"  ([-._A-Za-z0-9]+):", line)):
            found.append(Key(number, key[1]))
    if "kind: ConfigMap" not in [line for _, line in rows]:
        raise unreadable(1, text.partition("\n")[0])
    return tuple(found)


def path_checks(text: str, contract: Mapping[str, str]) -> tuple[PathCheck, ...]:
    """The lines of the path check; each must be about a path of `contract`, once, and must agree with itself (Step 4).

    >>> path_checks("MISMATCH: OBSERVER_LOG_DIR = /tmp (expected: /logs)\\n", {"OBSERVER_LOG_DIR": "/logs"})
    (PathCheck(line=1, key='OBSERVER_LOG_DIR', actual='/tmp', same=False),)
    """
    found: dict[str, PathCheck] = {}
    for number, line in lines(text):
        check = _CHECK.match(line)
        status, key, actual, expected = check.groups() if check else ("", "", "", "")
        same = status == "OK"
        if contract.get(key) != expected or key in found or same != (actual == expected):
            raise unreadable(number, line)
        found[key] = PathCheck(number, key, actual, same)
    if not found:
        raise unreadable(1, "")
    return tuple(found.values())


def environment(text: str) -> tuple[Variable, ...]:
    """What `env | sort` prints, its secrets masked: a masked line is the rest of a value that spans several (Step 6-4).

    >>> environment("DB_PASSWORD=********\\n****\\nTZ=Asia/Seoul\\n")[1]
    Variable(line=3, name='TZ', value='Asia/Seoul')
    """
    found = []
    for number, line in lines(text):
        name, equals, value = line.partition("=")
        if equals and name and not name[0].isspace():
            found.append(Variable(number, name, value))
        elif line.strip(" \t*"):
            raise UnreadableText(msg("line {line} is not NAME=value", line=number), number)
    return tuple(found)
