"""Malformed packs: each is refused in one sentence, by the program and by the verifier that a pack carries alike."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from support import ROOT

from playbook.output import pack, verifier, verify_pack
from playbook.output.pack import Pack

FIXTURE = ROOT / "tests" / "fixtures_packs" / "1.0.0" / "secret-missing.tar.gz"
MADE = pack.read(FIXTURE.read_bytes())
WHOLE = MADE.to_bytes()
TAR = gzip.decompress(WHOLE)
FOLDER = MADE.session


def packed(**members: bytes | None) -> bytes:
    """The pack with other members; MANIFEST is made to fit unless it is given."""
    kept = {name: data for name, data in {**MADE.members, **members}.items() if data is not None}
    if "MANIFEST" not in members:
        head = MADE.members["MANIFEST"].splitlines(keepends=True)[:3]
        listed = [name for name in sorted(kept) if name != "MANIFEST" and not name.startswith("signatures/")]
        text = b"".join([*head, *(f"{sha256(kept[name]).hexdigest()}  {name}\n".encode() for name in listed)])
        kept["MANIFEST"] = text + f"{verifier.SEAL}{sha256(text).hexdigest()}\n".encode()
    return Pack(FOLDER, kept, MADE.mtime).to_bytes()


def added(name: str, data: bytes = b"x", **more: object) -> bytes:
    """The pack and one entry more, at its beginning."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in more.items():
        setattr(info, key, value)
    return gzip.compress(info.tobuf(tarfile.PAX_FORMAT) + data + bytes(-len(data) % 512) + TAR, 1)


def journal(change: Callable[[list[dict[str, object]]], None]) -> bytes:
    """The pack with a journal of other events, chained and listed as it should be."""
    events = [json.loads(line) for line in MADE.members["journal.jsonl"].splitlines()]
    change(events)
    digest, lines = "0" * 64, []
    for event in events:
        text = json.dumps({**event, "prev": digest}, ensure_ascii=False, separators=(",", ":")).encode()
        digest = sha256(text).hexdigest()
        lines.append(text + b"\n")
    return packed(**{"journal.jsonl": b"".join(lines)})


def set_in(number: int, **values: object) -> bytes:
    return journal(lambda events: events[number].update(values))


def bz2() -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:bz2"):
        pass
    return data.getvalue()


RUN = next(number for number, line in enumerate(MADE.members["journal.jsonl"].splitlines()) if b'"event":"run"' in line)
DEEP = b'{"seq":1,"at":' + b"[" * 100_000
LINES = MADE.members["journal.jsonl"]
MALFORMED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "own headers"),
    "text": (lambda: b"not a pack\n" * 100, "own headers"),
    "another compression": (bz2, "own headers"),
    "not compressed": (lambda: TAR, "own headers"),
    "cut": (lambda: WHOLE[: len(WHOLE) // 2], "own headers"),
    "cut below the compression": (lambda: gzip.compress(TAR[: len(TAR) // 2]), "own headers"),
    "something behind": (lambda: WHOLE + b"x", "own headers"),
    "two in one": (lambda: WHOLE + WHOLE, "own headers"),
    "a bomb": (lambda: gzip.compress(bytes(210_000_000), 9), "more than 200 MB"),
    "an absolute name": (lambda: added("/etc/passwd"), "does not belong"),
    "a way up": (lambda: added(f"{FOLDER}/../x.out"), "does not belong"),
    "a way up for the folder": (lambda: added("../x.out"), "does not belong"),
    "a name with an escape": (lambda: added(f"{FOLDER}/\x1b]0;owned\x07.out"), "does not belong"),
    "a program": (lambda: added(f"{FOLDER}/json.py", b"import os"), "does not belong"),
    "a symlink": (lambda: added(f"{FOLDER}/a.out", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "not a plain file"),
    "a hard link": (lambda: added(f"{FOLDER}/a.out", b"", type=tarfile.LNKTYPE, linkname="x"), "not a plain file"),
    "a device": (lambda: added(f"{FOLDER}/a.out", b"", type=tarfile.CHRTYPE), "not a plain file"),
    "a fifo": (lambda: added(f"{FOLDER}/a.out", b"", type=tarfile.FIFOTYPE), "not a plain file"),
    "twice": (lambda: added(f"{FOLDER}/journal.jsonl"), "is there twice"),
    "two folders": (lambda: added("other/a.out"), "own headers"),
    "no MANIFEST": (lambda: packed(MANIFEST=None), "MANIFEST is missing"),
    "an empty MANIFEST": (lambda: packed(MANIFEST=b""), "MANIFEST was changed"),
    "a MANIFEST that is no text": (lambda: packed(MANIFEST=b"\xff\xfe" * 50), "MANIFEST was changed"),
    "a MANIFEST without a digest": (lambda: packed(MANIFEST=MADE.members["MANIFEST"].replace(b"  runs.json", b" ", 1)),
                                    "MANIFEST was changed"),
    "no journal": (lambda: packed(**{"journal.jsonl": None}), "journal.jsonl is missing"),
    "an empty journal": (lambda: packed(**{"journal.jsonl": b""}), "journal.jsonl is empty"),
    "a torn journal": (lambda: packed(**{"journal.jsonl": LINES + b'{"seq"'}), "torn line"),
    "a journal that is no UTF-8": (lambda: packed(**{"journal.jsonl": b"\xff\xfe\n"}), "line 1 is damaged"),
    "a journal of deep brackets": (lambda: packed(**{"journal.jsonl": DEEP + b"\n"}), "line 1 is damaged"),
    "a journal of a list": (lambda: packed(**{"journal.jsonl": b"[]\n"}), "line 1 is damaged"),
    "a journal of another session": (lambda: set_in(0, session="other"), "of another session"),
    "a journal of no session": (lambda: set_in(0, session=None), "of another session"),
    "a run with a list for a name": (lambda: set_in(RUN, command=[1]), "not the journal of a session"),
    "a run that leaves its folder": (lambda: set_in(RUN, command="../../etc/passwd"), "is missing"),
    "a run without digests": (lambda: journal(lambda events: events[RUN].pop("out")), "not the journal of a session"),
    "a run with another digest": (lambda: set_in(RUN, out="0" * 64), "not what the journal tells"),
    "a stream too few": (lambda: packed(**{"step0-nodes.out": None}), "step0-nodes.out is missing"),
    "a stream too many": (lambda: packed(**{"step9-x.out": b"all is well"}), "step9-x.out is not in the journal"),
    "no runs.json": (lambda: packed(**{"runs.json": None}), "runs.json is not what the journal tells"),
    "another runs.json": (lambda: packed(**{"runs.json": b"[]\n"}), "runs.json is not what the journal tells"),
    "no commands": (lambda: packed(**{"commands/SHA256SUMS": None}), "SHA256SUMS is not what the session"),
    "another command": (lambda: packed(**{"commands/summary.sh": b"true\n"}), "summary.sh is not what SHA256SUMS says"),
    "an EVIDENCE that is not": (lambda: packed(EVIDENCE=b"x"), "EVIDENCE is not what MANIFEST says"),
    "half a signature": (lambda: packed(**{"signatures/operator.sig": b"x"}), "operator.json is missing"),
    "a signature of brackets": (lambda: packed(**{"signatures/operator.sig": b"x", "signatures/operator.json": b"[" * 99_999}),
                                "not a statement"),
}  # fmt: skip


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alone")
    (folder / "verify.py").write_bytes(pack.verifier_source())
    return folder / "verify.py"


@pytest.mark.parametrize(("make", "told"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_packs_are_refused_in_one_sentence(
    make: Callable[[], bytes], told: str, alone: Path, tmp_path: Path
) -> None:
    file = tmp_path / "p.tar.gz"
    file.write_bytes(make())
    result = verify_pack.verify(file)
    assert result.status == 1
    first = str(result.first)
    assert first.startswith("refused: ") and told in first and first.isprintable()
    done = subprocess.run([sys.executable, "-I", str(alone), str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert first.startswith(done.stdout.rstrip("\n")), "the program may add that another version made it"


def test_a_folder_with_links_and_strangers_is_refused(alone: Path, tmp_path: Path) -> None:
    def told(folder: Path) -> tuple[str, int]:
        done = subprocess.run(
            [sys.executable, "-I", str(alone), str(folder)], capture_output=True, text=True, check=False
        )
        return done.stdout.split("\n")[0], done.returncode

    folder = tmp_path / FOLDER
    with tarfile.open(FIXTURE) as archive:
        archive.extractall(tmp_path, filter="data")
    assert told(folder) == ("consistent; origin not proven", 0)
    (folder / "step0-nodes.out").rename(tmp_path / "elsewhere")
    (folder / "step0-nodes.out").symlink_to(tmp_path / "elsewhere")
    assert told(folder) == ("refused: step0-nodes.out does not belong into a pack", 1)


def test_the_verifier_needs_python_3_6_only() -> None:
    """Its text has no syntax newer than Python 3.6, and it imports the library of Python alone."""
    import ast

    tree = ast.parse(pack.verifier_source().decode(), feature_version=(3, 6))
    found = {name.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    found |= {str(node.module).split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert found <= set(sys.stdlib_module_names)
