"""PVCs, the directories of their volumes, and where these are mounted (Steps 2 and 6-5)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..errors import UnreadableText
from ..text import msg
from .cells import quantity
from .tables import lines, table, unreadable

# ls -la: type and rights, links, owner, group, size or device numbers, date (its words change with the locale), name.
_ENTRY = re.compile(
    r"([-bcdlpsD])[-rwxsStT]{9}[.+@]? +[0-9]+ +\S+ +\S+ +(?:[0-9]+|[0-9]+, *[0-9]+) +"
    r"(?:(?:\S+ +){1,2}?(?:[0-9]{1,2}:[0-9]{2}|[0-9]{4}) |[0-9]{4}-[0-9]{2}-[0-9]{2} +)(.+)$"
)
_TOTAL = re.compile(r"\S+ [0-9.,]+[A-Za-z]?$")
_COLUMNS = ("NAME", "STATUS", "VOLUME", "CAPACITY", "STORAGECLASS")
_DF = re.compile(r"(?:^|\s)(?P<use>\d+%|-)\s+(?P<path>/.*?)\s*$")
_DEVICE = re.compile(r"\S+\s*$")


@dataclass(frozen=True, slots=True)
class Claim:
    """One row of `kubectl get pvc`; volume and capacity are empty until it is Bound."""

    line: int
    name: str
    status: str
    volume: str
    capacity: str
    storage_class: str

    @property
    def size(self) -> Decimal | None:
        """CAPACITY in bytes, None until it has one; raises UnreadableText."""
        return quantity(self.capacity, self.line) if self.capacity or self.status == "Bound" else None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a directory; `kind` is the letter of its type: `d` for a directory."""

    line: int
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Mount:
    """One row of `df -h`; what it shows of size and use is rounded, and kept as it was printed."""

    line: int
    device: str
    size: str
    used: str
    available: str
    use_percent: int | None
    path: str


def claims(text: str, first_line: int = 1, required: Sequence[str] = _COLUMNS) -> tuple[Claim, ...]:
    """The PVCs; `required` are the columns without which the list is not understood.

    >>> claims('''NAME                STATUS   VOLUME     CAPACITY   ACCESS MODES   STORAGECLASS   AGE
    ... observer-logs-pvc   Bound    pvc-98f3   5Gi        RWO            local-path     39s
    ... ''')
    (Claim(line=2, name='observer-logs-pvc', status='Bound', volume='pvc-98f3', capacity='5Gi', storage_class='local-path'),)
    """
    rows = table(text, required, first_line)
    return tuple(Claim(row.line, *(row.get(column) for column in _COLUMNS)) for row in rows)


def entries(text: str) -> tuple[Entry, ...]:
    """What `ls -la` lists, a link by its own name.

    >>> entries('''total 12
    ... drwxrwxrwx 2 root root 40 Nov 25 01:05 pvc-327a_observer-prod_observer-universe-pvc
    ... lrwxrwxrwx 1 root root  9 Nov 25 01:05 old -> /mnt/old
    ... ''')[1]
    Entry(line=3, name='old', kind='l')
    """
    found = []
    for number, line in lines(text):
        entry = _ENTRY.match(line)
        if entry:
            found.append(Entry(number, entry[2].partition(" -> ")[0] if entry[1] == "l" else entry[2], entry[1]))
        elif number > 1 or not _TOTAL.match(line):
            raise unreadable(number, line)
    return tuple(found)


def mounts(text: str) -> Iterator[Mount]:
    """The rows of `df -h` that `grep` left; an older df puts a long device name on a line of its own.

    They come one by one: those above a line that is not understood are still what they are.

    >>> next(mounts("lab-data  200M  4.0K  200M   1% /opt/platform/runtime/observer/data\\n")).use_percent
    1
    """
    device = ""
    for number, line in lines(text):
        row = _DF.search(line)
        if row:
            *name, size, used, available = ("", "", "", *line[: row.start()].split())
            percent = None if row["use"] == "-" else int(row["use"][:-1])
            yield Mount(number, " ".join(name).strip() or device, size, used, available, percent, row["path"])
            device = ""
        elif line.strip() and not _DEVICE.fullmatch(line):
            raise UnreadableText(msg("line {line} is not a row of df", line=number), number)
        else:
            device = line.strip()
