"""kubectl's text to rows: pure parsers that know every line of what they read.

Each raises UnreadableText, which names the line, for text that it does not know: no row vanishes, nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..errors import UnreadableText
from ..text import msg

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_COLUMN = re.compile(r"\S+(?: \S+)*")
_TITLE = re.compile(r"=== (.+) ===$")
_NUMBER = r"[0-9]{1,18}"
_RESTARTS = re.compile(rf"({_NUMBER})(?: \(.+ ago\))?$")
_READY = re.compile(rf"({_NUMBER})/({_NUMBER})$")
_AGE = re.compile(r"(?=[0-9])" + "".join(rf"(?:({_NUMBER}){unit})?" for unit in "ydhms") + "$")
_EVENT_AGE = re.compile(r"(\S+)(?: \(x\d+ over \S+\))?$")
_NEXT_OBJECT = re.compile(r"Name: {2,}\S")
_UNITS = (365 * 86400, 86400, 3600, 60, 1)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: where it stood (counted from 1) and its cells by the header's names."""

    line: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def get(self, column: str) -> str:
        """The cell of a column that not every version of kubectl prints; "" when it is not there."""
        return self.cells.get(column, "")


@dataclass(frozen=True, slots=True)
class Event:
    """One event as `kubectl describe` prints it; `age_s` is None where kubectl does not know it."""

    line: int
    type: str
    reason: str
    age_s: int | None
    source: str
    message: str


def unreadable(line: int, text: str) -> UnreadableText:
    """The error for a line that no parser knows, to be raised."""
    if not text.strip():
        return UnreadableText(msg("nothing was printed where line {line} should be", line=line), line)
    return UnreadableText(msg("line {line} is not understood: {text}", line=line, text=text[:200]), line)


def plain(text: str) -> str:
    """`text` without terminal colours, which an older `kubectl cluster-info` prints into files too (Step 0).

    >>> plain("\\x1b[0;32mKubernetes control plane\\x1b[0m is running at \\x1b[0;33mhttps://10.0.0.5:6443\\x1b[0m")
    'Kubernetes control plane is running at https://10.0.0.5:6443'
    """
    return _ANSI.sub("", text)


def lines(text: str, first_line: int = 1) -> Iterator[tuple[int, str]]:
    """The lines of `text` with their numbers, without line ends; a terminal's CRLF reads like LF.

    Raises UnreadableText at a last line without its end: it was cut, and half a word must not be judged.

    >>> list(lines("one\\r\\ntwo\\n"))
    [(1, 'one'), (2, 'two')]
    """
    pieces = text.split("\n")
    last = pieces.pop()
    number = first_line - 1
    for number, piece in enumerate(pieces, first_line):
        yield number, piece.rstrip("\r")
    if last:
        raise UnreadableText(
            msg("the text ends in the middle of line {line}: {text}", line=number + 1, text=last[:200]), number + 1
        )


def table(text: str, required: Sequence[str] = ("NAME",), first_line: int = 1) -> tuple[Row, ...]:
    """The rows below a kubectl header, cut at the header's offsets; cells may hold spaces or be empty.

    Raises UnreadableText for blank text, a header without one of `required`, a row whose first required cell is empty,
    and a row that does not fit the columns. Columns that are not required are kept as they come.

    >>> rows = table('''NAME                STATUS   SYNCED   AGE
    ... obs-db-secret                True     88s
    ... obs-kis-secret               True     88s
    ... ''')
    >>> [(row.line, row["NAME"], row["STATUS"], row["SYNCED"]) for row in rows]
    [(2, 'obs-db-secret', '', 'True'), (3, 'obs-kis-secret', '', 'True')]
    """
    rows: list[Row] = []
    columns: list[tuple[str, int]] = []
    for number, line in lines(text, first_line):
        if not line.strip():
            continue
        if not columns:
            columns = _header(number, line, required)
            continue
        cells = _cells(line, [offset for _, offset in columns])
        if cells is None or any("  " in cell for cell in cells):  # no cell of kubectl's holds a gap: it is two of them
            # A list longer than one of kubectl's flushes may widen its columns on the way: then only the gaps tell.
            cells = re.split(r" {2,}", line.strip())
            if len(cells) != len(columns) or line[: columns[0][1]].strip():
                raise unreadable(number, line)
        row = Row(number, {name: cell for (name, _), cell in zip(columns, cells, strict=True)})
        if required and not row[required[0]]:
            raise unreadable(number, line)
        rows.append(row)
    if not columns:
        raise unreadable(first_line, "")
    return tuple(rows)


def _header(number: int, line: str, required: Sequence[str]) -> list[tuple[str, int]]:
    columns = [(found.group(), found.start()) for found in _COLUMN.finditer(line.rstrip())]
    names = [name for name, _ in columns]
    if len(set(names)) != len(names) or not set(required) <= set(names):
        raise unreadable(number, line)
    return columns


def _cells(line: str, offsets: Sequence[int]) -> list[str] | None:
    """The cells at `offsets`, or None when text stands across a column's edge or not at its beginning."""
    if line[: offsets[0]].strip():
        return None
    cells = []
    for index, offset in enumerate(offsets):
        end = offsets[index + 1] if index + 1 < len(offsets) else len(line)
        cell = line[offset:end]
        if cell[:1] == " " and cell.strip():
            return None
        # kubectl leaves three blanks between columns; fewer than two mean that the cell has run over its edge.
        if index + 1 < len(offsets) and line[end - 2 : end].strip():
            return None
        cells.append(cell.rstrip())
    return cells


def sections(text: str) -> dict[str, tuple[int, str]]:
    """The parts of the guide's one-line summary by their titles: the number of the first line below it, and the text.

    Raises UnreadableText for text above the first title and for a title that comes twice.

    >>> sections("=== PODS ===\\nNAME\\n\\n=== PVC ===\\nNAME\\n")
    {'PODS': (2, 'NAME\\n\\n'), 'PVC': (5, 'NAME\\n')}
    """
    parts: dict[str, tuple[int, str]] = {}
    title, first, kept = "", 1, list[str]()
    for number, line in enumerate(re.findall(r"[^\n]*\n|[^\n]+", text), 1):
        found = _TITLE.match(line.rstrip("\r\n"))
        if found:
            if title:
                parts[title] = (first, "".join(kept))
            title, first, kept = found.group(1), number + 1, []
            if title in parts:
                raise unreadable(number, line.rstrip())
        elif title:
            kept.append(line)
        elif line.strip():
            raise unreadable(number, line.rstrip())
    if not title:
        raise unreadable(1, "")
    parts[title] = (first, "".join(kept))
    return parts


def restarts(cell: str, line: int = 0) -> int:
    """A RESTARTS cell as a number; Kubernetes 1.22 and newer add how long ago the last one was.

    >>> restarts("0"), restarts("3 (5m ago)")
    (0, 3)
    """
    found = _RESTARTS.match(cell)
    if not found:
        raise unreadable(line, cell)
    return int(found.group(1))


def ready(cell: str, line: int = 0) -> tuple[int, int]:
    """A READY cell: containers that are ready, and all of them.

    >>> ready("0/1")
    (0, 1)
    """
    found = _READY.match(cell)
    if not found:
        raise unreadable(line, cell)
    return int(found.group(1)), int(found.group(2))


def age_seconds(cell: str, line: int = 0) -> int | None:
    """An AGE cell in seconds; None for `<unknown>` and `<invalid>`, which kubectl prints when it cannot tell.

    >>> age_seconds("3m50s"), age_seconds("58m"), age_seconds("2d3h"), age_seconds("<unknown>")
    (230, 3480, 183600, None)
    """
    if cell in ("<unknown>", "<invalid>"):
        return None
    found = _AGE.match(cell)
    if not found:
        raise unreadable(line, cell)
    return sum(int(value or 0) * unit for value, unit in zip(found.groups(), _UNITS, strict=True))


def names(text: str) -> tuple[tuple[int, str], ...]:
    """A list of keys, one to a line, with the lines' numbers (Steps 3-4 and 4).

    >>> names("DB_HOST\\nDB_NAME\\n")
    ((1, 'DB_HOST'), (2, 'DB_NAME'))
    """
    found = []
    for number, line in lines(text):
        if not re.fullmatch(r"[-._A-Za-z0-9]+", line):
            raise unreadable(number, line)
        found.append((number, line))
    if not found:
        raise unreadable(1, "")
    return tuple(found)


def count(text: str) -> tuple[int, int]:
    """The one number that `wc -l` printed, after the number of its line (Steps 8-1, 8-3, 9-3).

    >>> count("12\\r\\n")
    (1, 12)
    """
    found = [(number, line.strip()) for number, line in lines(text) if line.strip()]
    if not found:
        raise unreadable(1, "")
    for index, (number, line) in enumerate(found):
        if index or not re.fullmatch(_NUMBER, line):
            raise unreadable(number, line)
    return found[0][0], int(found[0][1])


def psql_count(text: str) -> tuple[int, int]:
    """The number under psql's `count`, after the number of its line (Step 8-4).

    >>> psql_count(''' count
    ... -------
    ...      3
    ... (1 row)
    ...
    ... ''')
    (3, 3)
    """
    found = [(number, line.strip()) for number, line in lines(text) if line.strip()]
    # psql says "(1 row)" in the language of its container.
    shapes = (r"count", r"-+", _NUMBER, r"\(1\D.*\)")
    for index, (number, line) in enumerate(found):
        if index >= len(shapes) or not re.fullmatch(shapes[index], line):
            raise unreadable(number, line)
    if len(found) < len(shapes):
        raise unreadable(len(found) + 1, "")
    return found[2][0], int(found[2][1])


def events(text: str) -> tuple[Event, ...]:
    """The events at the end of `kubectl describe pod … | tail -30` (Step 6-2).

    Thirty lines may begin below the section's header: rows are then known by their shape. A line inside the section
    that is no row continues the message above it. Raises UnreadableText when nothing proves that the lines are events,
    for a section without a row (an empty one reads `<none>`: the rest was cut) and for a row of another shape.

    >>> events("Events:          <none>\\n")
    ()
    >>> [(e.line, e.type, e.reason, e.age_s) for e in events('''Events:
    ...   Type     Reason     Age              From               Message
    ...   ----     ------     ----             ----               -------
    ...   Normal   Scheduled  13s              default-scheduler  Successfully assigned
    ...   Warning  Failed     7s (x2 over 9s)  kubelet            Error: secret "observer-secrets" not found
    ... ''')]
    [(4, 'Normal', 'Scheduled', 13), (5, 'Warning', 'Failed', 7)]
    """
    found: list[Event] = []
    offsets: list[int] = []
    proven = inside = False
    awaited = 0  # the line of a header below which no row has come yet
    number, line = 1, ""
    for number, line in lines(text):
        if line.startswith("Events:"):
            rest = line.removeprefix("Events:").strip()
            if rest not in ("", "<none>"):
                raise unreadable(number, line)
            if awaited:
                break
            proven, inside, offsets = True, not rest, []
            awaited = 0 if rest else number
        elif _NEXT_OBJECT.match(line):
            inside = False
        elif inside and not offsets:
            if line.split() != ["Type", "Reason", "Age", "From", "Message"]:
                raise unreadable(number, line)
            offsets = [column.start() for column in re.finditer(r"\S+", line)]
        elif event := _event(number, line, offsets if inside else []):
            found.append(event)
            proven, inside, awaited = True, True, 0
            offsets = offsets or [0]
        elif _is_row(line, inside) or (awaited and line.strip(" -")):
            raise unreadable(number, line)
        elif inside and line.strip(" -"):
            found[-1] = _continued(found[-1], line)
    if awaited:
        raise unreadable(awaited, "Events:")
    if not proven:
        raise unreadable(number, line)
    return tuple(found)


def _event(number: int, line: str, offsets: Sequence[int]) -> Event | None:
    """The event on this line, or None when it has not the shape of one."""
    if not re.match(r"  \S", line):
        return None
    cells = _cells(line, offsets) if len(offsets) > 1 else None
    if cells is None:
        cells = re.split(r" {2,}", line.strip(), maxsplit=4)
        if len(cells) == 4:
            cells.insert(3, "")
    age = _EVENT_AGE.match(cells[2]) if len(cells) == 5 else None
    if not age or not (_AGE.match(age.group(1)) or age.group(1).startswith("<")):
        return None
    return Event(number, cells[0], cells[1], age_seconds(age.group(1), number), cells[3], cells[4])


def _is_row(line: str, inside: bool) -> bool:
    """Whether a line that is no event stands like one: then it is none of the message above it."""
    if re.match(r"  (?:Normal|Warning) {2,}\S", line):
        return True
    return inside and bool(re.match(r"  [^\s-]", line)) and len(re.split(r" {2,}", line.strip())) >= 4


def _continued(event: Event, line: str) -> Event:
    return Event(event.line, event.type, event.reason, event.age_s, event.source, f"{event.message}\n{line}")
