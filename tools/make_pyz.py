"""Make `playbook.pyz`: the program, its data and the libraries it needs in one file that any Python 3.10 or newer runs.

    python tools/make_pyz.py playbook.pyz

What goes in is what the wheel has, so that the two cannot differ, and the libraries that `setup.cfg` names, without
their compiled parts: the file runs on every architecture. The same sources and libraries give the same bytes.
"""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = "3.10"
SOURCES = (
    "setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE",
    "playbook", "commands", "templates", "tests/fixtures",
)  # fmt: skip
"""What a wheel is made of."""

MAIN = """import os
import sys

if sys.version_info < (3, 10):
    sys.exit("playbook: Python 3.10 or newer is needed; this is " + sys.version.split()[0])

named = os.environ.get("PYTHONPATH")
try:
    given = {os.path.abspath(place) for place in named.split(os.pathsep)} if named else set()
except OSError:  # the working folder is gone
    given = set()
sys.path.sort(key=given.__contains__)  # PYTHONPATH comes last, after Python's own and the libraries

from playbook.cli import main

main()
"""
SHEBANG = b"#!/usr/bin/env python3\n"
LEFT_OUT = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "top_level.txt", "WHEEL"}
"""Of a library's metadata: what an installer writes for itself. Its name, version and licence stay."""


def main(target: Path) -> None:
    """Build in a folder of its own, so that nothing left over from another build comes along."""
    with tempfile.TemporaryDirectory() as scratch:
        source, app, libraries = (Path(scratch) / name for name in ("source", "app", "libraries"))
        for name in SOURCES:
            copy(ROOT / name, source / name)
        wheels = Path(scratch) / "wheels"
        pip("wheel", "--no-deps", "--wheel-dir", str(wheels), str(source))
        (wheel,) = wheels.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(app)
        # Wheels for the oldest Python: what a newer pip would choose for itself may not run there.
        pip("install", "--no-compile", "--only-binary", ":all:", "--python-version", OLDEST,
            "--target", str(libraries), *requirements())  # fmt: skip
        members = dict(sorted([*files(app, own=True), *files(libraries)]))
    write(target, members)
    names = sorted(name.split("/")[0] for name in members if name.endswith("/METADATA"))
    libraries_in = ", ".join(name.removesuffix(".dist-info") for name in names)
    print(f"{target}: {target.stat().st_size // 1024} kB, with {libraries_in}")


def copy(source: Path, target: Path) -> None:
    """A file or a folder, without caches."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    elif source.is_file():
        shutil.copyfile(source, target)


def pip(*arguments: str) -> None:
    """Run the pip of this Python, quietly; its error output is shown when it fails."""
    subprocess.run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments], check=True)


def requirements() -> list[str]:
    """The run-time dependencies, as `setup.cfg` names them, and what the HTML report needs: one file has it all."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    needed, html = config["options"]["install_requires"], config["options.extras_require"]["html"]
    return [*needed.split("\n")[1:], *html.split("\n")[1:]]


def files(folder: Path, own: bool = False) -> list[tuple[str, bytes]]:
    """What goes into the archive from `folder`: no compiled code, no scripts, no installer's notes."""
    found = []
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        metadata = name.parts[0].endswith(".dist-info")
        if not path.is_file() or path.suffix in (".so", ".pyc", ".pyd") or name.parts[0] in ("bin", "__pycache__"):
            continue
        if metadata and (own or name.name in LEFT_OUT):
            continue
        found.append((name.as_posix(), path.read_bytes()))
    return found


def write(target: Path, members: dict[str, bytes]) -> None:
    """The zip application: sorted, dated alike, executable."""
    with target.open("wb") as file:
        file.write(SHEBANG)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, content in {"__main__.py": MAIN.encode(), **members}.items():
                entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                entry.external_attr = 0o100644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, content)
    target.chmod(0o755)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tools/make_pyz.py FILE")
    main(Path(sys.argv[1]).resolve())
