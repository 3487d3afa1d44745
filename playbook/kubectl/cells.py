"""What stands in one cell of a kubectl table, as a value. Each raises UnreadableText, which names the line, for a cell of
another shape."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from .tables import unreadable

NUMBER = r"[0-9]{1,18}"
AGE = re.compile(r"(?=[0-9])" + "".join(rf"(?:({NUMBER}){unit})?" for unit in "ydhms") + "$")
_AGE_UNITS = (365 * 86400, 86400, 3600, 60, 1)
_RESTARTS = re.compile(rf"({NUMBER})(?: \(.+ ago\))?$")
_READY = re.compile(rf"({NUMBER})/({NUMBER})$")
_PORT = re.compile(r"([0-9]{1,5})(?::([0-9]{1,5}))?/(TCP|UDP|SCTP)$")
_QUANTITY_UNITS = {
    unit: Decimal(1024) ** power for power, unit in enumerate(("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))
} | {unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", 1)}
_QUANTITY = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)([KMGTPE]i|[kMGTPE]?)$")


def _matched(pattern: re.Pattern[str], cell: str, line: int) -> re.Match[str]:
    found = pattern.match(cell)
    if not found:
        raise unreadable(line, cell)
    return found


def restarts(cell: str, line: int = 0) -> int:
    """A RESTARTS cell as a number; Kubernetes 1.22 and newer add how long ago the last one was.

    >>> restarts("0"), restarts("3 (5m ago)")
    (0, 3)
    """
    return int(_matched(_RESTARTS, cell, line)[1])


def ready(cell: str, line: int = 0) -> tuple[int, int]:
    """A READY cell: containers that are ready, and all of them.

    >>> ready("0/1")
    (0, 1)
    """
    found = _matched(_READY, cell, line)
    return int(found[1]), int(found[2])


def age_seconds(cell: str, line: int = 0) -> int | None:
    """An AGE cell in seconds; None for `<unknown>` and `<invalid>`, which kubectl prints when it cannot tell.

    >>> age_seconds("3m50s"), age_seconds("58m"), age_seconds("2d3h"), age_seconds("<unknown>")
    (230, 3480, 183600, None)
    """
    if cell in ("<unknown>", "<invalid>"):
        return None
    found = _matched(AGE, cell, line)
    return sum(int(value or 0) * unit for value, unit in zip(found.groups(), _AGE_UNITS, strict=True))


def quantity(cell: str, line: int = 0) -> Decimal:
    """A Kubernetes quantity, such as a CAPACITY, as a number (of bytes).

    >>> quantity("10Gi"), quantity("1Gi") == quantity("1024Mi"), quantity("5G")
    (Decimal('10737418240'), True, Decimal('5000000000'))
    """
    found = _matched(_QUANTITY, cell, line)
    return Decimal(found[1]) * _QUANTITY_UNITS[found[2]]


@dataclass(frozen=True, slots=True)
class Port:
    """One port of a Service; `node_port` is the one that a NodePort Service opens on the nodes."""

    number: int
    protocol: str
    node_port: int | None = None

    def __str__(self) -> str:
        return f"{self.number}/{self.protocol}"


def ports(cell: str, line: int = 0) -> tuple[Port, ...]:
    """The ports of a PORT(S) cell.

    >>> [(str(port), port.node_port) for port in ports("8000:30080/TCP,9000/UDP")], ports("<none>")
    ([('8000/TCP', 30080), ('9000/UDP', None)], ())
    """
    if cell == "<none>":
        return ()
    found = [_matched(_PORT, part, line) for part in cell.split(",")]
    return tuple(Port(int(port[1]), port[3], int(port[2]) if port[2] else None) for port in found)
