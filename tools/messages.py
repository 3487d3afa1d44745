"""The texts of the program and their translations: collects them from the code, keeps the catalogs in step.

    python tools/messages.py update     every text into playbook/locale/ko/LC_MESSAGES/playbook.po, translations kept
    python tools/messages.py compile    playbook.mo from playbook.po; the same bytes every time
    python tools/messages.py check      exit status 1 when a text has no translation or playbook.mo is an old one

A text is: the first argument of `msg("…")` and `translate("…")`; in `playbook/cli/` what `--help` shows (docstrings and
examples of verbs paragraph by paragraph, `help=`, the list of verbs); and `_("…")` in templates.
"""

from __future__ import annotations

import ast
import string
import sys
from collections.abc import Iterator
from pathlib import Path

import jinja2
import polib
from jinja2.ext import extract_from_ast

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playbook.cli.i18n import paragraphs  # noqa: E402 - of this checkout: a page of help is cut as the program cuts it

LOCALE = ROOT / "playbook" / "locale"
HEADER = {
    "Project-Id-Version": "kubectl-playbook",
    "Language": "ko",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
}
_LIST_OF_VERBS = "playbook/cli/__init__.py"
_OF_VARIABLES = ("playbook/text.py", "playbook/cli/i18n.py")
"""Here `translate` is also given what the other modules say; only its literals are texts."""
_BY_CLICK = {  # what click itself says in `--help`
    "Show this message and exit.": "playbook/cli/i18n.py",
    "Show the version and exit.": "playbook/cli/i18n.py",
}


def collected(root: Path = ROOT) -> dict[str, tuple[str, ...]]:
    """Every text of the program, in the order of the code, with the files that say it.

    Raises ValueError for a text that is not a literal: nobody could translate it.
    """
    found: dict[str, dict[str, None]] = {}
    for file in sorted((root / "playbook").rglob("*.py")):
        name = file.relative_to(root).as_posix()
        for text in _of_module(ast.parse(file.read_text("utf-8")), name):
            found.setdefault(text, {})[name] = None
    for file in sorted((root / "templates").rglob("*.j2")):
        for text in _of_template(file.read_text("utf-8")):
            found.setdefault(text, {})[file.relative_to(root).as_posix()] = None
    for text, name in _BY_CLICK.items():
        found.setdefault(text, {})[name] = None
    found.pop("", None)
    found.pop("{text}", None)  # `text.verbatim`
    return {text: tuple(files) for text, files in found.items()}


def _of_module(tree: ast.Module, name: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _of_call(node, name)
        elif isinstance(node, ast.FunctionDef) and name.startswith("playbook/cli/") and _is_verb(node):
            yield from paragraphs(ast.get_docstring(node) or "")
        elif isinstance(node, ast.Assign) and name == _LIST_OF_VERBS and ast.unparse(node.targets[0]) == "_VERBS":
            yield from (line for _, line in ast.literal_eval(node.value).values())


def _of_call(call: ast.Call, name: str) -> Iterator[str]:
    called = ast.unparse(call.func)
    passed_on = name in _OF_VARIABLES and call.args and not isinstance(call.args[0], ast.Constant)
    if called == "msg" or (called == "translate" and not passed_on):
        yield _literal(call.args[0], name)
    if not name.startswith("playbook/cli/"):
        return
    if called == "verb" and len(call.args) > 1:
        yield from paragraphs(_literal(call.args[1], name))
    for keyword in call.keywords:
        if keyword.arg == "epilog" and isinstance(keyword.value, ast.Constant):
            yield from paragraphs(_literal(keyword.value, name))
        elif keyword.arg == "help" and called.endswith("option"):
            yield _literal(keyword.value, name)


def _is_verb(function: ast.FunctionDef) -> bool:
    called = [ast.unparse(each.func) for each in function.decorator_list if isinstance(each, ast.Call)]
    return "verb" in called or "click.group" in called


def _literal(node: ast.expr, name: str) -> str:
    if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        raise ValueError(f"{name}:{node.lineno}: {ast.unparse(node)} is not a literal text")
    return node.value


def _of_template(source: str) -> Iterator[str]:
    # The names of filters and functions do not matter here: nothing is rendered.
    for _, _, text in extract_from_ast(jinja2.Environment(autoescape=True).parse(source), ("_",)):
        if not isinstance(text, str):
            raise ValueError(f"not a literal text in a template: {text}")
        yield text


def places(text: str) -> set[str]:
    """The names of the `{places}` of a template; raises ValueError when it is not one."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def source(language: str = "ko") -> Path:
    """The catalog that people edit."""
    return LOCALE / language / "LC_MESSAGES" / "playbook.po"


def updated(old: polib.POFile, texts: dict[str, tuple[str, ...]]) -> polib.POFile:
    """The catalog of `texts`: translations kept, texts that are gone left out, new ones empty."""
    new = polib.POFile(wrapwidth=110)
    new.metadata = HEADER
    known = {entry.msgid: entry for entry in old}
    for text, files in texts.items():
        entry = known.get(text)
        new.append(
            polib.POEntry(
                msgid=text,
                msgstr=entry.msgstr if entry else "",
                tcomment=entry.tcomment if entry else "",
                occurrences=[(file, "") for file in files],
            )
        )
    return new


def problems(catalog: polib.POFile, texts: dict[str, tuple[str, ...]]) -> list[str]:
    """What is wrong with a catalog: texts without translation, places that differ."""
    known = {entry.msgid: entry.msgstr for entry in catalog}
    wrong = []
    for text, files in texts.items():
        if not known.get(text):
            wrong.append(f"not translated: {text!r} ({', '.join(files)})")
        elif places(text) != places(known[text]):
            wrong.append(f"other places than the English text: {text!r}: {known[text]!r}")
    return wrong


def compiled(catalog: polib.POFile) -> bytes:
    """The catalog as gettext reads it."""
    return bytes(catalog.to_binary())


def main(arguments: list[str]) -> int:
    """`update`, `compile` or `check`."""
    file = source()
    machine = file.with_suffix(".mo")
    if arguments == ["update"]:
        texts = collected()
        catalog = updated(polib.pofile(str(file)) if file.exists() else polib.POFile(), texts)
        file.parent.mkdir(parents=True, exist_ok=True)
        catalog.save(str(file))
        empty = [entry for entry in catalog if not entry.msgstr]
        print(f"{file.relative_to(ROOT)}: {len(catalog)} texts, {len(empty)} without translation")
        return 0
    if arguments == ["compile"]:
        machine.write_bytes(compiled(polib.pofile(str(file))))
        return 0
    if arguments == ["check"]:
        catalog = polib.pofile(str(file))
        wrong = problems(catalog, collected())
        if not machine.is_file() or machine.read_bytes() != compiled(catalog):
            wrong.append(f"{machine.relative_to(ROOT)} is an old one: run `python tools/messages.py compile`")
        print("\n".join(wrong) or f"{len(catalog)} texts, all translated")
        return 1 if wrong else 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
