"""The code of the report's templates is kept beside them, and never stands in the way of a report."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import jinja2
import pytest
from support import ROOT

from playbook.output.compiled import compiled

OPTIONS = {"trim_blocks": True}


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one template, where code may be kept."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "hello.md.j2").write_text("hello {{ name }}\n", "utf-8")
    return tmp_path


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the templates that were compiled."""
    seen: list[str] = []
    original: Callable[..., object] = jinja2.Environment.compile

    def compile_(self: jinja2.Environment, source: str, name: str, *rest: object) -> object:
        seen.append(name)
        return original(self, source, name, *rest)

    monkeypatch.setattr(jinja2.Environment, "compile", compile_)
    return seen


def rendered(templates: Path) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates), bytecode_cache=compiled(templates, OPTIONS), trim_blocks=True
    )
    return environment.get_template("hello.md.j2").render(name="kim")


def test_it_is_compiled_once(templates: Path, compilations: list[str]) -> None:
    assert [rendered(templates), rendered(templates)] == ["hello kim", "hello kim"]
    assert compilations == ["hello.md.j2"]
    assert [file.suffix for file in (templates / "__pycache__").iterdir()] == [".pyc"]


def test_a_changed_template_is_compiled_again(templates: Path, compilations: list[str]) -> None:
    rendered(templates)
    (templates / "hello.md.j2").write_text("bye {{ name }}\n", "utf-8")
    assert rendered(templates) == "bye kim"
    assert len(compilations) == 2


def test_other_options_are_other_code(templates: Path) -> None:
    one, other = compiled(templates, OPTIONS), compiled(templates, {"trim_blocks": False})
    assert isinstance(one, jinja2.FileSystemBytecodeCache) and isinstance(other, jinja2.FileSystemBytecodeCache)
    assert one.pattern != other.pattern


@pytest.mark.parametrize("left", [0, 7, 20, 40, 60, 100, 300])
def test_damaged_code_is_not_taken(templates: Path, left: int, compilations: list[str]) -> None:
    rendered(templates)
    (kept,) = (templates / "__pycache__").iterdir()
    kept.write_bytes(kept.read_bytes()[:left])
    assert rendered(templates) == "hello kim"
    assert len(compilations) == 2


def test_a_full_disk_keeps_no_code_and_spoils_no_report(templates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tempfile.NamedTemporaryFile", full)
    assert rendered(templates) == "hello kim"
    assert list((templates / "__pycache__").iterdir()) == []


def test_where_no_folder_can_be_made_there_is_none(templates: Path) -> None:
    (templates / "__pycache__").write_text("", "utf-8")
    assert compiled(templates, OPTIONS) is None
    assert rendered(templates) == "hello kim"


def test_where_python_is_to_write_no_code_none_is_written(templates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert rendered(templates) == "hello kim"
    assert not (templates / "__pycache__").exists()


def test_no_constant_is_filtered() -> None:
    """Jinja works out a filter of a constant when it compiles: in the language of that moment."""
    found = []
    for file in sorted((ROOT / "templates").glob("*.j2")):
        tree = jinja2.Environment().parse(file.read_text("utf-8"))
        found += [
            f"{file.name}:{each.lineno}"
            for each in tree.find_all(jinja2.nodes.Filter)
            if isinstance(each.node, jinja2.nodes.Const | jinja2.nodes.TemplateData)
        ]
    assert found == []
