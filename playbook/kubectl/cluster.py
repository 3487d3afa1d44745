"""The API server, its nodes and its namespaces (Steps 0 and 1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .tables import lines, plain, table, unreadable

_RUNNING = re.compile(r"Kubernetes (?:control plane|master) is running at (\S+)$")


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """Where the API server answers, and the line that says so."""

    line: int
    text: str
    address: str


@dataclass(frozen=True, slots=True)
class Node:
    """One row of `kubectl get nodes`; STATUS may hold more than one word, such as `Ready,SchedulingDisabled`."""

    line: int
    name: str
    status: str
    version: str


@dataclass(frozen=True, slots=True)
class Namespace:
    """One row of `kubectl get namespace`."""

    line: int
    name: str
    status: str


def control_plane(text: str) -> ControlPlane:
    """The first line of `kubectl cluster-info`, by its words: older clients say `master`, and print colours.

    >>> control_plane("Kubernetes control plane is running at https://127.0.0.1:6443\\n").address
    'https://127.0.0.1:6443'
    """
    for number, line in lines(plain(text)):
        if found := _RUNNING.match(line):
            return ControlPlane(number, line.strip(), found[1])
    raise unreadable(1, text.partition("\n")[0])


def nodes(text: str) -> tuple[Node, ...]:
    """The nodes.

    >>> nodes('''NAME             STATUS   ROLES           AGE   VERSION        INTERNAL-IP
    ... oracle-obs-arm   Ready    control-plane   41s   v1.34.4+k3s1   10.99.0.2
    ... ''')
    (Node(line=2, name='oracle-obs-arm', status='Ready', version='v1.34.4+k3s1'),)
    """
    rows = table(text, ("NAME", "STATUS", "VERSION"))
    return tuple(Node(row.line, row["NAME"], row["STATUS"], row["VERSION"]) for row in rows)


def namespaces(text: str) -> tuple[Namespace, ...]:
    """The namespaces.

    >>> namespaces('''NAME            STATUS   AGE
    ... observer-prod   Active   40s
    ... ''')
    (Namespace(line=2, name='observer-prod', status='Active'),)
    """
    return tuple(Namespace(row.line, row["NAME"], row["STATUS"]) for row in table(text, ("NAME", "STATUS")))
