"""Step 5: are the three Services there, of type ClusterIP, and on their ports?"""

from __future__ import annotations

import re

from ..errors import UnreadableText
from ..guide.expected import SERVICES, ExpectedService
from ..kubectl.tables import Row, unreadable
from ..model import Finding, Run, Runs, Verdict
from ..text import msg, verbatim
from .base import Step
from .findings import advise, do, finding, unseen
from .reading import NotSeen, all_unseen, read_rows

COMMAND = "step5-services"

_PORT = re.compile(r"([0-9]{1,5})(?::[0-9]{1,5})?/(TCP|UDP|SCTP)$")
_REAPPLY = (
    advise(msg("check the Service resources in {file}, then apply them again", file="kustomization.yaml")),
    do("kubectl apply -k infra/k8s/overlays/production"),
)
_BASE = (advise(msg("check the base YAML: {ports}", ports="observer=8000, postgres=5432")),)


def judge(runs: Runs) -> tuple[Finding, ...]:
    """SERVICE and SERVICE-PORT of each Service, in the guide's order."""
    run = runs.last(COMMAND)
    try:
        rows = read_rows(run, "NAME", "TYPE", "CLUSTER-IP", "PORT(S)")
    except NotSeen as why:
        return (
            *all_unseen(("SERVICE",), "5", run, ", ".join(service.name for service in SERVICES), why),
            *all_unseen(("SERVICE-PORT",), "5", run, ", ".join(service.port for service in SERVICES), why),
        )
    there = {row["NAME"]: row for row in rows}
    return tuple(found for service in SERVICES for found in _service(service, there.get(service.name), run))


def _service(service: ExpectedService, row: Row | None, run: Run) -> tuple[Finding, ...]:
    code, name = f"SERVICE/{service.name}", service.name
    expected = verbatim(f"TYPE = {service.type}, CLUSTER-IP = {'None' if service.headless else '<ip>'}")
    if row is None:
        summary = msg("Service {name} does not exist", name=name)
        return (finding(code, "5", Verdict.FAIL, summary, expected, msg("not in the list"), run, remedy=_REAPPLY),)
    said = verbatim(f"TYPE = {row['TYPE']}, CLUSTER-IP = {row['CLUSTER-IP']}")
    headless = row["CLUSTER-IP"] == "None"
    has_ip = bool(row["CLUSTER-IP"]) and not headless and not row["CLUSTER-IP"].startswith("<")
    if row["TYPE"] == service.type and (headless if service.headless else has_ip):
        found = finding(
            code, "5", Verdict.PASS, msg("Service {name} is as listed", name=name), expected, said, run, row.line
        )
    else:
        summary = msg("Service {name} has another type or cluster IP than listed", name=name)
        found = finding(code, "5", Verdict.FAIL, summary, expected, said, run, row.line, _REAPPLY)
    return found, _port(service, row, run)


def _port(service: ExpectedService, row: Row, run: Run) -> Finding:
    code, name, shown = f"SERVICE-PORT/{service.name}", service.name, row["PORT(S)"]
    expected, said = verbatim(f"PORT(S) = {service.port}"), verbatim(f"PORT(S) = {shown}")
    try:
        offered = ports(shown, row.line)
    except UnreadableText as why:
        return unseen(code, "5", run, expected, why)
    if service.port in offered:
        return finding(
            code, "5", Verdict.PASS, msg("Service {name} has its port", name=name), expected, said, run, row.line
        )
    return finding(
        code,
        "5",
        Verdict.FAIL,
        msg("Service {name} does not have its port", name=name),
        expected,
        said,
        run,
        row.line,
        _BASE,
    )


def ports(cell: str, line: int = 0) -> tuple[str, ...]:
    """The ports of a PORT(S) cell, without node ports; raises UnreadableText.

    >>> ports("8000:30080/TCP,9000/UDP"), ports("<none>")
    (('8000/TCP', '9000/UDP'), ())
    """
    if cell == "<none>":
        return ()
    found = [_PORT.match(part) for part in cell.split(",")]
    if not all(found):
        raise unreadable(line, cell)
    return tuple(f"{port.group(1)}/{port.group(2)}" for port in found if port)


STEP = Step("5", msg("Services"), (COMMAND,), judge, prefetchable=True)
