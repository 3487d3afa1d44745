"""Step 2: are the four PVCs Bound, as large as listed, of class local-path, and are their directories on the server?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..errors import UnreadableText
from ..guide import ids, remedies
from ..guide.codes import Code
from ..guide.expected import PVCS, STORAGE_CLASS, STORAGE_DIRECTORY
from ..guide.remedies import describe_claim
from ..guide.remedy import do
from ..kubectl.cells import quantity
from ..kubectl.failures import Failure, FailureKind, telling_line
from ..kubectl.storage import Claim, Entry, claims, entries
from ..model import Ended, Finding, Run, Runs
from ..text import msg
from .base import Step
from .question import Question
from .reading import NotSeen, kubectl_failure, read_rows

_BOUND = "STATUS = Bound"


def judge(runs: Runs) -> tuple[Finding, ...]:
    """PVC-BOUND, PVC-CAPACITY, PVC-CLASS and PVC-DIRECTORY of each claim, in the guide's order."""
    run = runs.last(ids.CLAIMS)
    try:
        there = {claim.name: claim for claim in read_rows(run, claims)}
    except NotSeen as why:
        asked = {Code.PVC_BOUND: _BOUND, Code.PVC_CAPACITY: ", ".join(PVCS.values()), Code.PVC_CLASS: STORAGE_CLASS,
                 Code.PVC_DIRECTORY: STORAGE_DIRECTORY}  # fmt: skip
        return tuple(Question(code, "2", expected, run).unseen(why) for code, expected in asked.items())
    found = [each for name in PVCS for each in _claim(name, there.get(name), run)]
    bound = [there[name] for name in PVCS if name in there and there[name].status == "Bound"]
    return (*found, *(_directories(bound, runs.last(ids.STORAGE_DIRECTORY)) if bound else ()))


# the claims


def _claim(name: str, claim: Claim | None, run: Run) -> Iterator[Finding]:
    bound = Question(Code.PVC_BOUND, "2", _BOUND, run, name)
    if claim is None:
        summary = msg("PVC {name} does not exist", name=name)
        yield bound.failed(summary, msg("not in the list"), None, *remedies.ADD_CLAIM)
        return
    seen = f"STATUS = {claim.status}"
    if claim.status == "Bound":
        yield bound.passed(msg("PVC {name} is Bound", name=name), seen, claim.line)
    else:
        remedy = (do(describe_claim(name)), remedies.CHECK_STORAGE_CLASS, remedies.CHECK_PROVISIONER)
        yield bound.failed(msg("PVC {name} is not Bound", name=name), seen, claim.line, *remedy)
    yield from _capacity(name, claim, run)
    yield _class(name, claim, run)


def _capacity(name: str, claim: Claim, run: Run) -> Iterator[Finding]:
    """Nothing for a claim without a volume: that is what PVC-BOUND says."""
    asked = Question(Code.PVC_CAPACITY, "2", f"CAPACITY = {PVCS[name]}", run, name)
    least, seen = quantity(PVCS[name]), f"CAPACITY = {claim.capacity}"
    try:
        size = claim.size
    except UnreadableText as why:
        yield asked.unseen(why)
        return
    if size == least:
        yield asked.passed(msg("PVC {name} has the capacity listed", name=name), seen, claim.line)
    elif size and size > least:
        yield asked.warned(msg("PVC {name} is larger than listed", name=name), seen, claim.line)
    elif size is not None:
        summary = msg("PVC {name} is smaller than listed", name=name)
        yield asked.failed(summary, seen, claim.line, do(describe_claim(name)))


def _class(name: str, claim: Claim, run: Run) -> Finding:
    asked = Question(Code.PVC_CLASS, "2", f"STORAGECLASS = {STORAGE_CLASS}", run, name)
    seen = f"STORAGECLASS = {claim.storage_class}"
    if claim.storage_class == STORAGE_CLASS:
        return asked.passed(msg("PVC {name} has the class listed", name=name), seen, claim.line)
    summary = msg("PVC {name} has another class than listed", name=name)
    return asked.failed(summary, seen, claim.line, remedies.CHECK_STORAGE_CLASS, remedies.CHECK_PROVISIONER)


# the guide's extra: their directories on the server


def _directories(bound: list[Claim], run: Run) -> tuple[Finding, ...]:
    """PVC-DIRECTORY of each Bound claim, or one finding where the storage directory itself was not seen."""
    asked = Question(Code.PVC_DIRECTORY, "2", msg("a directory of the volume in {path}", path=STORAGE_DIRECTORY), run)
    if not run.out.strip():
        return (_no_listing(asked),)
    try:
        there = {entry.name: entry for entry in entries(run.out)}
    except UnreadableText as why:
        return (asked.unseen(why),)
    return tuple(_directory(claim, there, asked.of(claim.name)) for claim in bound)


def _no_listing(asked: Question) -> Finding:
    """Away from the server there is no such directory; on it, only root may read it."""
    number, line = telling_line(asked.run)
    if asked.run.ended is not Ended.EXITED or not line:
        return asked.unseen()
    if "No such file or directory" in line:
        return asked.warned(
            msg("not looked at: the storage directory is only on the server"), line, number, stream="stderr"
        )
    return asked.unseen(Failure(FailureKind.OTHER, line, number), remedies.LIST_STORAGE_AS_ROOT)


def _directory(claim: Claim, there: Mapping[str, Entry], asked: Question) -> Finding:
    """K3s names it by the volume, and newer ones add namespace and claim."""
    name, volume = claim.name, claim.volume
    if not volume:
        return asked.unseen(msg("the list of PVCs names no volume for it"))
    entry = next((entry for each, entry in there.items() if each == volume or each.startswith(f"{volume}_")), None)
    if entry and entry.kind == "d":
        return asked.passed(msg("PVC {name} has its directory", name=name), entry.name, entry.line)
    if entry:
        return asked.warned(msg("the place of PVC {name} is not a plain directory", name=name), entry.name, entry.line)
    why = kubectl_failure(asked.run)
    if why or asked.run.exit_code not in (0, None):  # something may not have been listed
        return asked.unseen(why)
    summary, seen = msg("PVC {name} has no directory", name=name), msg("no entry of {volume}", volume=volume)
    return asked.failed(summary, seen, None, do(describe_claim(name)), remedies.CHECK_PROVISIONER)


STEP = Step("2", msg("PVCs"), (ids.CLAIMS, ids.STORAGE_DIRECTORY), judge, prefetchable=True)
