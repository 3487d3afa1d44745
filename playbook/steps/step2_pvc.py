"""Step 2: are the four PVCs Bound, as large as listed, of class local-path, and are their directories on the server?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from ..errors import UnreadableText
from ..guide.expected import PVCS, STORAGE_CLASS, STORAGE_DIRECTORY
from ..kubectl.failures import Failure, FailureKind, telling_line
from ..kubectl.tables import Row, lines, unreadable
from ..model import NAMESPACE, Ended, Finding, Remedy, Run, Runs, Verdict
from ..text import Message, msg, verbatim
from .base import Step
from .findings import advise, do, finding, seen_at, unseen
from .reading import NotSeen, all_unseen, kubectl_failure, read_rows

CLAIMS, DIRECTORY = "step2-pvc", "step2-storage-dir"

_BOUND = "STATUS = Bound"
_SC = do("kubectl get sc", msg("check the StorageClass"))
_PROVISIONER = do(
    "kubectl get pods -n kube-system -l app=local-path-provisioner",
    msg("the local-path provisioner of K3s must be running"),
)
_MISSING = (
    advise(msg("the resource is missing from {file}", file="kustomization.yaml")),
    do("kubectl apply -k infra/k8s/overlays/production"),
)

_UNITS = {unit: Decimal(1024) ** power for power, unit in enumerate(("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))} | {
    unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", 1)
}
_QUANTITY = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)(" + "|".join(sorted(_UNITS, key=len, reverse=True)) + r")$")

# ls -la: type and rights, links, owner, group, size or device numbers, date (its words change with the locale), name.
_ENTRY = re.compile(
    r"([-bcdlpsD])[-rwxsStT]{9}[.+@]? +[0-9]+ +\S+ +\S+ +(?:[0-9]+|[0-9]+, *[0-9]+) +"
    r"(?:(?:\S+ +){1,2}?(?:[0-9]{1,2}:[0-9]{2}|[0-9]{4}) |[0-9]{4}-[0-9]{2}-[0-9]{2} +)(.+)$"
)
_TOTAL = re.compile(r"\S+ [0-9.,]+[A-Za-z]?$")


def judge(runs: Runs) -> tuple[Finding, ...]:
    """PVC-BOUND, PVC-CAPACITY, PVC-CLASS and PVC-DIRECTORY of each claim, in the guide's order."""
    run = runs.last(CLAIMS)
    try:
        rows = read_rows(run, "NAME", "STATUS", "VOLUME", "CAPACITY", "STORAGECLASS")
    except NotSeen as why:
        return (
            *all_unseen(("PVC-BOUND",), "2", run, _BOUND, why),
            *all_unseen(("PVC-CAPACITY",), "2", run, ", ".join(PVCS.values()), why),
            *all_unseen(("PVC-CLASS",), "2", run, STORAGE_CLASS, why),
            *all_unseen(("PVC-DIRECTORY",), "2", run, STORAGE_DIRECTORY, why),
        )
    claims = {row["NAME"]: row for row in rows}
    found = [each for name in PVCS for each in _claim(name, claims.get(name), run)]
    bound = {name: claims[name]["VOLUME"] for name in PVCS if name in claims and claims[name]["STATUS"] == "Bound"}
    return (*found, *_directories(bound, runs.last(DIRECTORY)))


# the claims


def _claim(name: str, row: Row | None, run: Run) -> tuple[Finding, ...]:
    if row is None:
        summary = msg("PVC {name} does not exist", name=name)
        return (
            finding(
                f"PVC-BOUND/{name}", "2", Verdict.FAIL, summary, _BOUND, msg("not in the list"), run, remedy=_MISSING
            ),
        )
    status = row["STATUS"]
    found = [_bound(name, row, run)]
    # A claim without a volume has no capacity yet: that is what PVC-BOUND says.
    if status == "Bound" or row["CAPACITY"]:
        found.append(_capacity(name, row, run))
    found.append(_class(name, row, run))
    return tuple(found)


def _bound(name: str, row: Row, run: Run) -> Finding:
    code, said = f"PVC-BOUND/{name}", verbatim(f"STATUS = {row['STATUS']}")
    if row["STATUS"] == "Bound":
        return finding(code, "2", Verdict.PASS, msg("PVC {name} is Bound", name=name), _BOUND, said, run, row.line)
    remedy = (_describe(name), _SC, _PROVISIONER)
    return finding(
        code, "2", Verdict.FAIL, msg("PVC {name} is not Bound", name=name), _BOUND, said, run, row.line, remedy
    )


def _describe(name: str) -> Remedy:
    return do(f"kubectl describe pvc {name} -n {NAMESPACE}")


def _capacity(name: str, row: Row, run: Run) -> Finding:
    code, listed, shown = f"PVC-CAPACITY/{name}", PVCS[name], row["CAPACITY"]
    expected, said = verbatim(f"CAPACITY = {listed}"), verbatim(f"CAPACITY = {shown}")
    size, least = _bytes(shown), _bytes(listed)
    if size is None or least is None:
        return unseen(code, "2", run, expected, unreadable(row.line, shown))
    if size == least:
        return finding(
            code, "2", Verdict.PASS, msg("PVC {name} has the capacity listed", name=name), expected, said, run, row.line
        )
    if size > least:
        return finding(
            code, "2", Verdict.WARN, msg("PVC {name} is larger than listed", name=name), expected, said, run, row.line
        )
    return finding(
        code,
        "2",
        Verdict.FAIL,
        msg("PVC {name} is smaller than listed", name=name),
        expected,
        said,
        run,
        row.line,
        (_describe(name),),
    )


def _bytes(quantity: str) -> Decimal | None:
    """A Kubernetes quantity as a number; None for one that is not understood.

    >>> _bytes("1Gi") == _bytes("1024Mi"), _bytes("much")
    (True, None)
    """
    found = _QUANTITY.match(quantity)
    return Decimal(found.group(1)) * _UNITS[found.group(2)] if found else None


def _class(name: str, row: Row, run: Run) -> Finding:
    code, shown = f"PVC-CLASS/{name}", row["STORAGECLASS"]
    expected, said = verbatim(f"STORAGECLASS = {STORAGE_CLASS}"), verbatim(f"STORAGECLASS = {shown}")
    if shown == STORAGE_CLASS:
        return finding(
            code, "2", Verdict.PASS, msg("PVC {name} has the class listed", name=name), expected, said, run, row.line
        )
    return finding(
        code,
        "2",
        Verdict.FAIL,
        msg("PVC {name} has another class than listed", name=name),
        expected,
        said,
        run,
        row.line,
        (_SC, _PROVISIONER),
    )


# the guide's extra: their directories on the server


def _directories(bound: Mapping[str, str], run: Run) -> tuple[Finding, ...]:
    """PVC-DIRECTORY of each Bound claim, or one finding where the storage directory itself was not seen."""
    if not bound:
        return ()
    expected = msg("a directory of the volume in {path}", path=STORAGE_DIRECTORY)
    why = kubectl_failure(run)
    if not run.out.strip():
        return (_no_listing(run, expected),)
    try:
        entries = _entries(run.out)
    except UnreadableText as unknown:
        return (unseen("PVC-DIRECTORY", "2", run, expected, unknown),)
    partial = why is not None or run.exit_code not in (0, None)
    return tuple(_directory(name, volume, entries, partial, expected, run) for name, volume in bound.items())


def _no_listing(run: Run, expected: Message) -> Finding:
    """Away from the server there is no such directory; on it, only root may read it."""
    number, said = telling_line(run)
    if run.ended is not Ended.EXITED or not said:
        return unseen("PVC-DIRECTORY", "2", run, expected)
    if "No such file or directory" in said:
        summary = msg("not looked at: the storage directory is only on the server")
        away = finding("PVC-DIRECTORY", "2", Verdict.WARN, summary, expected, said, run)
        return replace(away, evidence=seen_at(run, number, "stderr"))
    sudo = (do(f"sudo ls -la {STORAGE_DIRECTORY}", msg("on the server, over SSH")),)
    return unseen("PVC-DIRECTORY", "2", run, expected, Failure(FailureKind.OTHER, said, number), sudo)


def _entries(text: str) -> dict[str, tuple[int, str]]:
    """What `ls -la` lists: the line and the type letter of each name."""
    found = {}
    for number, line in lines(text):
        entry = _ENTRY.match(line)
        if entry:
            kind, name = entry.groups()
            found[name.partition(" -> ")[0] if kind == "l" else name] = (number, kind)
        elif number > 1 or not _TOTAL.match(line):
            raise unreadable(number, line)
    return found


def _directory(
    name: str, volume: str, entries: Mapping[str, tuple[int, str]], partial: bool, expected: Message, run: Run
) -> Finding:
    """K3s names it by the volume, and newer ones add namespace and claim."""
    code = f"PVC-DIRECTORY/{name}"
    if not volume:
        return unseen(code, "2", run, expected, msg("the list of PVCs names no volume for it"))
    there = [entry for entry in entries if entry == volume or entry.startswith(f"{volume}_")]
    if there:
        line, kind = entries[there[0]]
        verdict = Verdict.PASS if kind == "d" else Verdict.WARN
        summary = (
            msg("PVC {name} has its directory", name=name)
            if kind == "d"
            else msg("the place of PVC {name} is not a plain directory", name=name)
        )
        return finding(code, "2", verdict, summary, expected, there[0], run, line)
    if partial:
        return unseen(code, "2", run, expected, kubectl_failure(run))
    return finding(
        code,
        "2",
        Verdict.FAIL,
        msg("PVC {name} has no directory", name=name),
        expected,
        msg("no entry of {volume}", volume=volume),
        run,
        remedy=(_describe(name), _PROVISIONER),
    )


STEP = Step("2", msg("PVCs"), (CLAIMS, DIRECTORY), judge, prefetchable=True)
