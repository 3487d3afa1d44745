"""Columns, lines and titles: how kubectl's text becomes rows, whatever they are about.

Each parser of this package raises UnreadableText, which names the line, for text that it does not know: no row vanishes,
nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ..errors import UnreadableText
from ..text import msg

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_COLUMN = re.compile(r"\S+(?: \S+)*")
_TITLE = re.compile(r"=== (.+) ===$")


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
        cells = cells_at(line, [offset for _, offset in columns])
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


def cells_at(line: str, offsets: Sequence[int]) -> list[str] | None:
    """The cells of a line at `offsets`; None when text stands across a column's edge or not at its beginning."""
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


class Named(Protocol):
    """A typed row that says where it stood and what it is about."""

    @property
    def line(self) -> int: ...

    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


def only(rows: Sequence[N], name: str) -> N:
    """The one row of the object that was asked for by its name; raises UnreadableText for another, or more."""
    if len(rows) != 1 or rows[0].name != name:
        raise unreadable(rows[0].line if rows else 2, rows[0].name if rows else "")
    return rows[0]


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
