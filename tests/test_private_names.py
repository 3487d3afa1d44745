"""A private name is its module's own: no module of the program takes one of another, and no test takes one of a judge."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = sorted((ROOT / "playbook").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
CLOSED = ("playbook.kubectl", "playbook.guide", "playbook.steps", "playbook.diagnosis")
"""The packages of which tests, too, use public names only."""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def taken(tree: ast.Module, packages: tuple[str, ...]) -> Iterator[str]:
    """The private names that a module takes from modules of `packages`; an import with dots is one of the program."""
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith(packages)):
            modules.update(alias.asname or alias.name for alias in node.names)
            yield from (alias.name for alias in node.names if is_private(alias.name))
        elif isinstance(node, ast.Import):
            modules.update(each.asname for each in node.names if each.asname and each.name.startswith(packages))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield from (f"{node.value.id}.{name}" for name in (node.attr,) if is_private(name))


def test_a_private_name_is_found_in_each_form() -> None:
    text = "from .a import _b\nfrom playbook.steps import c\nimport playbook.guide.d as d\nc._e\nd._f\nc.g\nother._h\n"
    assert list(taken(ast.parse(text), CLOSED)) == ["_b", "c._e", "d._f"]


def takers(files: Iterable[Path], packages: tuple[str, ...]) -> dict[str, list[str]]:
    """The files that take private names, and which."""
    found = {file: list(taken(ast.parse(file.read_text("utf-8")), packages)) for file in files}
    assert len(found) > 100, "the files were found"
    return {file.relative_to(ROOT).as_posix(): names for file, names in found.items() if names}


def test_no_module_takes_a_private_name_of_another() -> None:
    assert takers(PROGRAM, ("playbook",)) == {}


def test_no_test_takes_a_private_name_of_these_packages() -> None:
    assert takers(TESTS, CLOSED) == {}
