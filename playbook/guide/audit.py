"""commands/ compared with the guide's document: what is identical, what differs, what one has and the other has not.

Pure: the document's text and a catalog go in, a report comes out. Nothing is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff
from enum import Enum

from ..errors import TamperedCommand
from ..text import Message
from .catalog import Catalog


class State(str, Enum):
    """How a command of the document stands in commands/."""

    IDENTICAL = "identical"
    DIFFERENT = "different"  # `id` is the nearest, `diff` says how they differ
    ABSENT = "absent"
    SHORTENED = "shortened"  # prose that names a command without all its words; in full elsewhere in the document


@dataclass(frozen=True, slots=True)
class Passage:
    """One command as the document has it."""

    line: int  # of the document, counted from 1
    last_line: int
    step: str  # the number in the heading above it; "" where it has none
    text: str  # with the line end that ends it


@dataclass(frozen=True, slots=True)
class Entry:
    """One command of the document and its counterpart in commands/."""

    passage: Passage
    state: State
    id: str | None = None
    diff: str = ""  # unified, from the document to commands/


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The document against commands/."""

    fenced: tuple[Entry, ...]  # its bash blocks, in its order
    mentioned: tuple[Entry, ...]  # commands in its tables, prose and decision trees
    extra: tuple[str, ...]  # ids that the document does not have
    tampered: tuple[tuple[str, Message], ...]  # ids whose file does not match SHA256SUMS, and what is wrong

    @property
    def clean(self) -> bool:
        """Whether document and commands/ have the same commands, byte for byte, and every digest holds."""
        entries = (*self.fenced, *self.mentioned)
        same = all(entry.state in (State.IDENTICAL, State.SHORTENED) for entry in entries)
        return same and bool(self.fenced) and not self.extra and not self.tampered


_FENCE = re.compile(r"\s*```(?P<language>\w*)\s*$")
_HEADING = re.compile(r"#{1,6}\s+(?:Step (?P<step>\d+(?:-\d+)?)\b)?")
_SHELLS = ("bash", "sh", "shell")
_TOOL = r"(?:kubectl|systemctl) "
_INLINE = re.compile(rf"(?<!`)`({_TOOL}[^`]+)`(?!`)")
_IN_TREE = re.compile(rf"^[\s\d.│├└─]*({_TOOL}.*?)\s*(?:→.*)?$")
_ALIKE = 0.6
"""How much two commands must have in common to be called one command that was changed."""


def audit(guide_text: str, catalog: Catalog) -> AuditReport:
    """Compare every command of the document `guide_text` with `catalog`'s folder, and the other way round."""
    fenced, mentioned = _passages(guide_text)
    steps, diagnosis = _contents(catalog, catalog.ids), _contents(catalog, catalog.diagnose_ids)
    fenced_entries, unused = _compared(fenced, steps)
    mentioned_entries, unmentioned = _compared(mentioned, diagnosis)
    mentioned_entries = _shortened(mentioned_entries, diagnosis)
    return AuditReport(fenced_entries, mentioned_entries, (*unused, *unmentioned), tuple(_tampered(catalog)))


def _contents(catalog: Catalog, ids: tuple[str, ...]) -> dict[str, str]:
    return {id: content for id in ids if (content := catalog.content(id)) is not None}


def _tampered(catalog: Catalog) -> Iterator[tuple[str, Message]]:
    for id in (*catalog.ids, *catalog.diagnose_ids):
        try:
            catalog.command(id)
        except TamperedCommand as error:
            yield id, error.message


def _compared(passages: list[Passage], contents: dict[str, str]) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """Each passage with its counterpart, and the ids that are nobody's."""
    unused = list(contents)
    found: dict[Passage, Entry] = {}
    for passage in passages:
        same = [id for id, text in contents.items() if text == passage.text]
        if same:  # the guide repeats some commands: each time takes the next file, the last one serves the rest
            id = next((id for id in same if id in unused), same[-1])
            found[passage] = Entry(passage, State.IDENTICAL, id)
            if id in unused:
                unused.remove(id)
    for passage in passages:
        if passage in found:
            continue
        nearest = max(unused, key=lambda id: _likeness(passage.text, contents[id]), default=None)
        if nearest is None or _likeness(passage.text, contents[nearest]) < _ALIKE:
            found[passage] = Entry(passage, State.ABSENT)
            continue
        unused.remove(nearest)
        found[passage] = Entry(passage, State.DIFFERENT, nearest, _diff(passage, nearest, contents[nearest]))
    return tuple(found[passage] for passage in passages), tuple(unused)


def _shortened(entries: tuple[Entry, ...], contents: dict[str, str]) -> tuple[Entry, ...]:
    """A left-over is a shortened mention when all its words, in order, are in a command the document has in full."""
    whole = [entry.id for entry in entries if entry.state is State.IDENTICAL and entry.id]

    def known(entry: Entry) -> Entry:
        words = entry.passage.text.split()
        id = next((id for id in whole if _in_order(words, contents[id].split())), None)
        return Entry(entry.passage, State.SHORTENED, id) if id else entry

    return tuple(known(entry) if entry.state is State.ABSENT else entry for entry in entries)


def _in_order(words: list[str], among: list[str]) -> bool:
    rest = iter(among)
    return all(word in rest for word in words)


def _likeness(one: str, other: str) -> float:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= _ALIKE else 0.0


def _diff(passage: Passage, id: str, content: str) -> str:
    lines = unified_diff(
        passage.text.splitlines(keepends=True),
        content.splitlines(keepends=True),
        f"guide:{passage.line}",
        f"commands:{id}",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _passages(guide_text: str) -> tuple[list[Passage], list[Passage]]:
    """The commands of the document's bash blocks, and those that its prose and trees name."""
    fenced: list[Passage] = []
    mentioned: list[Passage] = []
    block: list[tuple[int, str]] = []
    language: str | None = None  # of the block that is open
    step = ""
    for number, line in enumerate(guide_text.split("\n"), 1):
        fence = _FENCE.match(line)
        if language is None and fence:
            language, block = fence["language"], []
        elif language is None:
            heading = _HEADING.match(line)
            if heading:
                step = heading["step"] or (step if line.startswith("###") else "")
            mentioned += (Passage(number, number, step, found[1].strip() + "\n") for found in _INLINE.finditer(line))
        elif not fence:
            block.append((number, line))
        else:
            fenced += _commands(block, step) if language in _SHELLS else ()
            mentioned += _in_tree(block, step) if not language else ()
            language = None
    if language in _SHELLS:
        fenced += _commands(block, step)
    return fenced, mentioned


def _in_tree(block: list[tuple[int, str]], step: str) -> Iterator[Passage]:
    for number, line in block:
        found = _IN_TREE.match(line)
        if found:
            yield Passage(number, number, step, found[1] + "\n")


def _commands(block: list[tuple[int, str]], step: str) -> Iterator[Passage]:
    """The commands of one bash block: blank lines and comments part them, open quotes and continuations join lines."""
    part: list[tuple[int, str]] = []
    for number, line in block:
        if not part and (not line.strip() or line.lstrip().startswith("#")):
            continue
        part.append((number, line))
        if not _goes_on("\n".join(line for _, line in part)):
            yield _passage(part, step)
            part = []
    if part:
        yield _passage(part, step)


def _passage(part: list[tuple[int, str]], step: str) -> Passage:
    return Passage(part[0][0], part[-1][0], step, "".join(f"{line}\n" for _, line in part))


def _goes_on(text: str) -> bool:
    """Whether bash would read another line to complete `text`.

    >>> _goes_on("echo 'a"), _goes_on('echo "a" &&'), _goes_on("echo a | \\\\"), _goes_on("sleep 1 &")
    (True, True, True, False)
    """
    quote = ""
    position = 0
    while position < len(text):
        char = text[position]
        if quote:
            if char == "\\" and quote == '"':
                position += 1
            elif char == quote:
                quote = ""
        elif char == "\\":
            if position + 1 >= len(text):
                return True
            position += 1
        elif char in "'\"":
            quote = char
        elif char == "#" and (position == 0 or text[position - 1].isspace()):
            end = text.find("\n", position)
            if end < 0:
                return False
            position = end
        position += 1
    return bool(quote) or text.rstrip().endswith(("&&", "|"))
