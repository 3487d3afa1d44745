"""Where the files that are not Python lie: `commands/`, `templates/`, `locale/`, `schema/` and the demo's `scenarios/`.

A checkout keeps some of them beside the package, a wheel inside it, a zip application inside the archive.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.abc import Traversable

_HERE = Path(__file__).resolve().parent
_BESIDE = {"scenarios": "tests/fixtures/1.34"}
"""What a checkout calls by another name than the wheel does."""


def checkout_script() -> str:
    """`playbook.sh` as it is typed here, which brings its own libraries; empty where the program is no checkout."""
    script = _HERE.parent / "playbook.sh"
    if not script.is_file():
        return ""
    return "./playbook.sh" if Path.cwd() == script.parent else str(script)


def folder(name: str) -> Traversable:
    """The folder `name`, readable by `/`, `iterdir`, `read_bytes` and `is_file`; raises FileNotFoundError.

    A plain `Path` unless the program runs from a zip file.
    """
    for place in (_HERE / name, _HERE.parent / _BESIDE.get(name, name)):
        if place.is_dir():
            return place
    for archive in _HERE.parents:
        if archive.is_file():
            import zipfile  # noqa: PLC0415 - 4 ms, for the zip application only

            inside = zipfile.Path(archive, f"{_HERE.relative_to(archive).as_posix()}/{name}/")
            if inside.exists():
                return inside
    raise FileNotFoundError(f"{name}/ is neither in {_HERE} nor beside it: the installation is incomplete")
