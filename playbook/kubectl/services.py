"""Services and their ports (Step 5)."""

from __future__ import annotations

from dataclasses import dataclass

from .cells import Port, ports
from .tables import table


@dataclass(frozen=True, slots=True)
class Service:
    """One row of `kubectl get svc`; a headless Service has the CLUSTER-IP `None`."""

    line: int
    name: str
    type: str
    cluster_ip: str
    port_text: str  # the PORT(S) cell, as printed

    @property
    def ports(self) -> tuple[Port, ...]:
        """Its ports; raises UnreadableText."""
        return ports(self.port_text, self.line)


def services(text: str, first_line: int = 1) -> tuple[Service, ...]:
    """The Services.

    >>> services('''NAME       TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)    AGE
    ... observer   ClusterIP   10.43.10.1   <none>        8000/TCP   5s
    ... ''')[0].ports
    (Port(number=8000, protocol='TCP', node_port=None),)
    """
    rows = table(text, ("NAME", "TYPE", "CLUSTER-IP", "PORT(S)"), first_line)
    return tuple(Service(row.line, row["NAME"], row["TYPE"], row["CLUSTER-IP"], row["PORT(S)"]) for row in rows)
