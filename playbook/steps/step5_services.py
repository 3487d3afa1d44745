"""Step 5: are the three Services there, of type ClusterIP, and on their ports?"""

from __future__ import annotations

from ..errors import UnreadableText
from ..guide import ids
from ..guide.codes import Code
from ..guide.expected import SERVICES, ExpectedService
from ..guide.remedies import CHECK_BASE_PORTS, REAPPLY_SERVICES
from ..kubectl.services import Service, services
from ..model import Finding, Run, Runs
from ..text import msg
from .base import Step
from .question import Question
from .reading import NotSeen, read_rows


def judge(runs: Runs) -> tuple[Finding, ...]:
    """SERVICE and SERVICE-PORT of each Service, in the guide's order."""
    run = runs.last(ids.SERVICES)
    try:
        there = {service.name: service for service in read_rows(run, services)}
    except NotSeen as why:
        names, ports = (", ".join(each) for each in zip(*((s.name, s.port) for s in SERVICES), strict=True))
        asked = Question(Code.SERVICE, "5", names, run), Question(Code.SERVICE_PORT, "5", ports, run)
        return tuple(question.unseen(why) for question in asked)
    return tuple(found for listed in SERVICES for found in _service(listed, there.get(listed.name), run))


def _service(listed: ExpectedService, service: Service | None, run: Run) -> tuple[Finding, ...]:
    expected = f"TYPE = {listed.type}, CLUSTER-IP = {'None' if listed.headless else '<ip>'}"
    asked = Question(Code.SERVICE, "5", expected, run, listed.name)
    if service is None:
        summary = msg("Service {name} does not exist", name=listed.name)
        return (asked.failed(summary, msg("not in the list"), None, *REAPPLY_SERVICES),)
    seen = f"TYPE = {service.type}, CLUSTER-IP = {service.cluster_ip}"
    has_ip = bool(service.cluster_ip) and service.cluster_ip != "None" and not service.cluster_ip.startswith("<")
    if service.type == listed.type and (service.cluster_ip == "None" if listed.headless else has_ip):
        found = asked.passed(msg("Service {name} is as listed", name=listed.name), seen, service.line)
    else:
        summary = msg("Service {name} has another type or cluster IP than listed", name=listed.name)
        found = asked.failed(summary, seen, service.line, *REAPPLY_SERVICES)
    return found, _port(listed, service, run)


def _port(listed: ExpectedService, service: Service, run: Run) -> Finding:
    asked = Question(Code.SERVICE_PORT, "5", f"PORT(S) = {listed.port}", run, listed.name)
    seen = f"PORT(S) = {service.port_text}"
    try:
        offered = [str(port) for port in service.ports]
    except UnreadableText as why:
        return asked.unseen(why)
    if listed.port in offered:
        return asked.passed(msg("Service {name} has its port", name=listed.name), seen, service.line)
    summary = msg("Service {name} does not have its port", name=listed.name)
    return asked.failed(summary, seen, service.line, CHECK_BASE_PORTS)


STEP = Step("5", msg("Services"), (ids.SERVICES,), judge, prefetchable=True)
