"""The pack: the same bytes each time, and no change of it goes unnamed."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import shutil
import subprocess
import tarfile
import tracemalloc
from dataclasses import replace
from hashlib import sha256
from itertools import takewhile
from pathlib import Path

import pytest
from stubbed import Stubbed
from support import FIXTURES, ROOT

from playbook import api
from playbook.errors import UsageError
from playbook.output import archive, pack, verifier, verify_pack
from playbook.output.archive import PackRefused
from playbook.output.pack import MANIFEST, Pack
from playbook.output.verify_pack import Part
from playbook.version import __version__


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Stubbed:
    """A session with a failure, a diagnosis and a waiver in it."""
    stub = Stubbed(tmp_path_factory.mktemp("pack"), "1.20/service-port")
    assert stub.playbook("all", "--until", "6").returncode == 1
    made = stub.playbook("waive", "SERVICE-PORT/observer", "--by", "Kim", "--reason", "on purpose")
    assert made.returncode == 0, made.stderr
    return stub


@pytest.fixture(scope="module")
def made(stub: Stubbed) -> Pack:
    return pack.pack(stub.session)


def wrong(data: bytes, tmp_path: Path) -> str:
    """What the check of `data` says is wrong; "" when all holds."""
    file = tmp_path / "p.tar.gz"
    file.write_bytes(data)
    return next((str(check.wrong) for check in verify_pack.verify(file).checks if check.wrong), "")


def rebuilt(made: Pack, **changes: bytes | None) -> bytes:
    """The pack with other members, its manifest and headers made to fit, as a forger would."""
    members = {name: data for name, data in made.members.items() if name != MANIFEST}
    for name, data in changes.items():
        if data is None:
            del members[name]
        else:
            members[name] = data
    session = api.replay(FIXTURES / "1.20/healthy", diagnose=False)
    object.__setattr__(session, "id", made.session)
    del members["EVIDENCE"]
    members["EVIDENCE"] = verifier.evidence_of(pack._manifest(session, members))
    members[MANIFEST] = pack._manifest(session, members)
    return Pack(made.session, members, made.mtime).to_bytes()


def test_same_session_same_bytes(stub: Stubbed, made: Pack, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(stub.session, moved)
    assert pack.pack(moved).to_bytes() == made.to_bytes()


def test_every_check_holds(made: Pack, tmp_path: Path) -> None:
    file = tmp_path / "p.tar.gz"
    file.write_bytes(made.to_bytes())
    result = verify_pack.verify(file)
    assert [check.wrong for check in result.checks] == [None] * 6
    assert (str(result.first), result.status) == ("consistent; origin not proven", 0)
    found, session = result.pack, result.session
    assert found == made and session
    assert [waiver.by for waiver in session.waivers] == ["Kim"]
    assert session.causes


def test_ordinary_tools_read_it(made: Pack, tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(made.to_bytes()), mode="r:gz") as archive:
        assert {(m.uid, m.gid, m.uname, m.gname, m.mode, m.mtime) for m in archive.getmembers()} == {
            (0, 0, "", "", 0o644, made.mtime)
        }
        for member in archive.getmembers():
            target = tmp_path / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            taken = archive.extractfile(member)
            assert taken
            target.write_bytes(taken.read())
    folder = tmp_path / made.session
    assert subprocess.run(["sha256sum", "-c", "--strict", "--quiet", MANIFEST], cwd=folder, check=False).returncode == 0
    assert api.replay(folder).overall is api.recorded_session(folder).overall


def test_report_shows_the_evidence_digest(made: Pack) -> None:
    assert sha256(made.members["EVIDENCE"]).hexdigest() == made.evidence
    assert made.evidence in made.members["report.md"].decode()


def test_random_single_byte_changes(made: Pack) -> None:
    """A change is refused, or it is one of the archive's headers alone: then every member is what it was."""
    data = made.to_bytes()
    rng = random.Random(4)
    for _ in range(int(os.environ.get("PACK_FLIPS", "100"))):
        at, change = rng.randrange(len(data)), rng.randrange(1, 256)
        assert refusal(data[:at] + bytes([data[at] ^ change]) + data[at + 1 :], made)


def test_random_single_byte_changes_below_the_compression(made: Pack) -> None:
    """The same in the tar archive, around which the gzip layer was made anew: nearly each of them changes a member."""
    tar = gzip.decompress(made.to_bytes())
    rng = random.Random(5)
    told = []
    for _ in range(int(os.environ.get("PACK_FLIPS", "100"))):
        at, change = rng.randrange(len(tar)), rng.randrange(1, 256)
        told.append(refusal(gzip.compress(tar[:at] + bytes([tar[at] ^ change]) + tar[at + 1 :], 1), made))
    assert all(told)
    assert sum("was changed" in each for each in told) > len(told) / 2


def refusal(data: bytes, made: Pack) -> str:
    """Why `data`, a pack with a change in it, is refused; "another archive" where its members are those of `made`."""
    try:
        found = pack.read(data)
    except PackRefused as refused:
        return str(refused.message)
    assert found == made
    assert found.to_bytes() != data
    return "another archive"


@pytest.mark.parametrize(
    "name", ["journal.jsonl", "runs.json", "report.md", MANIFEST, "step2-pvc.out", "commands/summary.sh"]
)
def test_changed_member_is_named(made: Pack, name: str) -> None:
    data, content = gzip.decompress(made.to_bytes()), made.members[name]
    at = data.index(content[:200], data.index(f"/{name}\0".encode())) + min(150, len(content) - 1)
    with pytest.raises(PackRefused) as refused:
        pack.read(gzip.compress(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]))
    assert str(refused.value.message).startswith(f"{name} was changed")


def test_headers_are_named(made: Pack) -> None:
    data = made.to_bytes()
    for at in (len(data) - 1, len(data) - 6):
        with pytest.raises(PackRefused, match="the archive's own headers"):
            pack.read(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


@pytest.mark.parametrize("at", [3, 4, 8, 9])
def test_another_archive_of_the_same_members_holds_and_says_so(made: Pack, at: int, tmp_path: Path) -> None:
    file = tmp_path / "p.tar.gz"
    data = made.to_bytes()
    file.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    checks = verify_pack.verify(file).checks
    assert [check.wrong for check in checks] == [None] * 6
    assert str(checks[0].note) == "the contents are unchanged, the archive is another"


def test_an_archive_made_by_ordinary_tar_is_another(made: Pack, tmp_path: Path) -> None:
    for name, content in made.members.items():
        (tmp_path / made.session / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / made.session / name).write_bytes(content)
    names = [f"{made.session}/{name}" for name in made.members]
    subprocess.run(["tar", "-czf", "p.tar.gz", *names], cwd=tmp_path, check=True)
    assert refusal((tmp_path / "p.tar.gz").read_bytes(), made) == "another archive"


@pytest.mark.parametrize("data", [b"", b"\x1f\x8b", b"not a pack", bytes(5000)])
def test_no_pack_at_all(data: bytes) -> None:
    with pytest.raises(PackRefused):
        pack.read(data)


@pytest.mark.parametrize("cut", [1, 8, 500, 20_000])
def test_cut_or_longer(made: Pack, cut: int) -> None:
    for data in (made.to_bytes()[:-cut], made.to_bytes() + bytes(cut)):
        with pytest.raises(PackRefused):
            pack.read(data)


@pytest.mark.parametrize(
    "more", [b"\0", b"x", gzip.compress(b""), gzip.compress(bytes(512))], ids=["a zero", "a byte", "nothing", "zeros"]
)
def test_what_follows_the_archive_is_refused(made: Pack, more: bytes) -> None:
    """Other bytes, or a second gzip member, which most programs unpack without a word."""
    with pytest.raises(PackRefused, match="own headers"):
        pack.read(made.to_bytes() + more)


def entry(name: str, data: bytes = b"x", **more: object) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in more.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % 512)


def extended(**records: str) -> bytes:
    """A PAX header for the file that follows."""
    lines = b"".join(_record(f"{key}={value}\n") for key, value in records.items())
    return entry("././@PaxHeader", lines, type=tarfile.XHDTYPE)


def _record(text: str) -> bytes:
    size = next(n for n in range(4, 1000) if n == len(f"{n} {text}"))
    return f"{size} {text}".encode()


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "s/../x.out", "../x.out", "s/evil.py", "s/a/b.out", "s/commands/x.py", "x.out"]
)
def test_names_that_do_not_belong(name: str) -> None:
    with pytest.raises(PackRefused, match="does not belong"):
        pack.read(gzip.compress(entry(name) + bytes(1024)))


def test_links_twice_and_two_folders() -> None:
    for tar in (
        entry("s/a.out", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        entry("s/a.out", b"", type=tarfile.LNKTYPE, linkname="s/b.out"),
        entry("s/a.out") + entry("s/a.out"),
        entry("s/a.out") + entry("t/b.out"),
    ):
        with pytest.raises(PackRefused):
            pack.read(gzip.compress(tar + bytes(1024)))


PLAIN = entry("s/a.out")


HOSTILE = {
    "a device": (entry("s/a.out", b"", type=tarfile.CHRTYPE), "s/a.out is not a plain file"),
    "a fifo": (entry("s/a.out", b"", type=tarfile.FIFOTYPE), "s/a.out is not a plain file"),
    "a folder": (entry("s/a.out", b"", type=tarfile.DIRTYPE), "s/a.out is not a plain file"),
    "a file with holes": (entry("s/a.out", type=tarfile.GNUTYPE_SPARSE), "s/a.out is not a plain file"),
    "an unknown kind": (entry("s/a.out", type=b"Z"), "s/a.out is not a plain file"),
    "twice": (PLAIN + PLAIN, "a.out is there twice"),
    "twice, renamed": (PLAIN + extended(path="s/a.out") + entry("s/b.out"), "own headers"),
    "renamed": (extended(path="s/report.md") + PLAIN, "own headers"),
    "renamed to an absolute name": (extended(path="/etc/passwd") + PLAIN, "own headers"),
    "renamed for all": (entry("g", _record("path=s/b.out\n"), type=tarfile.XGLTYPE) + PLAIN, "own headers"),
    "renamed by GNU": (entry("l", b"s/b.out\0", type=tarfile.GNUTYPE_LONGNAME) + PLAIN, "own headers"),
    "another size": (extended(size="0") + PLAIN, "own headers"),
    "a negative size": (extended(size="-512") + PLAIN, "own headers"),
    "holes by header": (extended(**{"GNU.sparse.map": "0,1", "GNU.sparse.size": "9" * 12}) + PLAIN, "own headers"),
    "a long chain of headers": (extended(comment="x") * 3000 + PLAIN, "own headers"),
    "more than there is": (entry("s/a.out", bytes(5000))[:512], "own headers"),
    "something after the end": (PLAIN + bytes(1024) + entry("s/b.out"), "own headers"),
    "nonsense after a file": (PLAIN + b"x" * 512, "own headers"),
    "nothing at all": (b"", "own headers"),
    "a surrogate": (entry("s/a.out").replace(b"s/a.out", b"s/\xff.out"), "own headers"),
}  # fmt: skip


@pytest.mark.parametrize(("tar", "told"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_archives_are_refused_in_one_sentence(tar: bytes, told: str) -> None:
    with pytest.raises(PackRefused, match=told) as refused:
        pack.read(gzip.compress(tar + bytes(1024)))
    assert "\n" not in str(refused.value.message)


def test_a_header_with_a_negative_size_ends() -> None:
    """Some versions of tarfile go round and round over it."""
    header = bytearray(entry("s/a.out", b"")[:512])
    header[124:136] = b"\xff" * 10 + b"\xfe\x00"  # -512
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    with pytest.raises(PackRefused, match="own headers"):
        pack.read(gzip.compress(bytes(header) + PLAIN + bytes(1024)))


def test_a_compressed_archive_is_refused_and_never_swells(made: Pack) -> None:
    with pytest.raises(PackRefused, match="own headers"):
        pack.read(gzip.compress(bytes(50_000_000), mtime=0))


def test_a_bomb_is_unpacked_up_to_the_limit_only(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(entry("s/a.out", bytes(30_000_000)) + bytes(1024))
    monkeypatch.setattr(verifier, "LARGEST", 100_000)
    tracemalloc.start()
    try:
        with pytest.raises(PackRefused, match="more than"):
            pack.read(bomb)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


# a forger who makes the manifest fit


def test_forged_stream(made: Pack, tmp_path: Path) -> None:
    forged = made.members["step5-services.out"].replace(b"8080/TCP", b"8000/TCP")
    assert forged != made.members["step5-services.out"]
    assert "step5-services" in wrong(rebuilt(made, **{"step5-services.out": forged}), tmp_path)


def test_forged_report(made: Pack, tmp_path: Path) -> None:
    forged = made.members["report.md"].replace(b"Incomplete", b"Complete")
    assert forged != made.members["report.md"]
    assert wrong(rebuilt(made, **{"report.md": forged}), tmp_path) == "report.md is not what the session renders to"


def test_forged_command(made: Pack, tmp_path: Path) -> None:
    said = wrong(rebuilt(made, **{"commands/summary.sh": b"true\n"}), tmp_path)
    assert said == "commands/summary.sh is not what SHA256SUMS says"


def test_forged_index(made: Pack, tmp_path: Path) -> None:
    forged = made.members["runs.json"].replace(b'"exit_code": 0', b'"exit_code": 1', 1)
    assert wrong(rebuilt(made, **{"runs.json": forged}), tmp_path) == "runs.json is not what the journal tells"


def test_forged_judgement(stub: Stubbed, made: Pack, tmp_path: Path) -> None:
    """A journal whose chain was made anew around another verdict is found out by judging again."""
    lines, digest = [], "0" * 64
    for line in made.members["journal.jsonl"].splitlines():
        event = json.loads(line)
        if event["event"] == "judged":
            event["findings"] = [{**each, "verdict": "pass"} for each in event["findings"]]
        event["prev"] = digest
        text = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        digest = sha256(text).hexdigest()
        lines.append(text + b"\n")
    said = wrong(rebuilt(made, **{"journal.jsonl": b"".join(lines)}), tmp_path)
    assert said.startswith("Step 5, attempt 1: the runs are judged otherwise: SERVICE-PORT/observer")


def test_missing_stream(made: Pack, tmp_path: Path) -> None:
    assert wrong(rebuilt(made, **{"step2-pvc.out": None}), tmp_path) == "step2-pvc.out is missing"


def test_another_version_is_told(made: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_pack, "__version__", "99.0")
    said = wrong(rebuilt(made, **{"report.md": b"#\n"}), tmp_path)
    assert "made by version" in said and "99.0" in said


def test_long_names(made: Pack) -> None:
    name = f"diagnose/describe-node.{'n' * 120}.out"
    longer = Pack(made.session, {**made.members, name: b"x"}, made.mtime)
    assert archive.from_bytes(longer.to_bytes())[1][name] == b"x"


def test_what_has_no_journal(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        pack.pack(FIXTURES / "1.20/healthy")
    with pytest.raises(UsageError):
        verify_pack.verify(tmp_path / "absent")


# the judgement, which another version of the program may come to otherwise


def test_what_is_judged_otherwise_is_not_called_changed(
    made: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "p.tar.gz"
    file.write_bytes(made.to_bytes())
    monkeypatch.setattr(verify_pack, "rejudge", lambda session: replace(session, history=session.history[::-1]))
    monkeypatch.setattr(verify_pack, "__version__", "99.0")
    checks = verify_pack.verify(file).checks
    assert [check.part for check in checks] == [Part.BYTES] * 3 + [Part.JUDGEMENT] * 3
    assert [check.wrong is None for check in checks] == [True, True, True, False, True, True]
    assert "judged otherwise" in str(checks[3].wrong) and "99.0" in str(checks[3].wrong)


def test_a_journal_that_is_none(made: Pack, tmp_path: Path) -> None:
    event = {"seq": 1, "at": "2026-11-22T14:03:05.000000Z", "event": "judged", "prev": "0" * 64}
    for journal in ({**event, "event": "open"}, {**event, "event": "open", "session": []}, event):
        data = json.dumps(journal, separators=(",", ":")).encode() + b"\n"
        assert "journal" in wrong(rebuilt(made, **{"journal.jsonl": data}), tmp_path)


OLD = sorted((ROOT / "tests" / "fixtures_packs").rglob("*.tar.gz"))


OVERALL = {
    "1.0.0/healthy.tar.gz": "incomplete",
    "1.0.0/secret-missing.tar.gz": "aborted",
    "1.1.0/secret-missing.tar.gz": "aborted",
    "1.1.0/service-port.tar.gz": "incomplete",
}


def name_of(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"


def test_packs_of_earlier_versions_are_there() -> None:
    assert [name_of(file) for file in OLD] == list(OVERALL)


@pytest.mark.parametrize("file", OLD, ids=name_of)
def test_packs_of_earlier_versions_keep_their_bytes(file: Path) -> None:
    """Bytes, journal, streams and commands hold for ever; a later program may judge otherwise, and then says so."""
    result = verify_pack.verify(file)
    bytes_hold = list(takewhile(lambda check: check.part is Part.BYTES, result.checks))
    assert [check.wrong for check in bytes_hold] == [None] * 3
    assert [check.part for check in result.checks[3:]] == [Part.JUDGEMENT] * 3
    for check in result.checks[3:]:
        says = f"made by version {file.parent.name}" if file.parent.name != __version__ else ""
        assert check.wrong is None or says in str(check.wrong)
    assert result.status in (0, 3, 4)
    found, session = result.pack, result.session
    assert found and session
    assert found.made_by == file.parent.name
    assert found.evidence in found.members["report.md"].decode()
    assert session.overall.value == OVERALL[name_of(file)]


@pytest.mark.parametrize(("name", "first"), [
    ("secret-missing", "signed and rejected by reviewer lee@example.com: observer-secrets is missing"),
    ("service-port", "signed and accepted by operator kim@example.com and reviewer lee@example.com"),
])  # fmt: skip
def test_signatures_of_version_1_1_hold(name: str, first: str) -> None:
    folder = ROOT / "tests" / "fixtures_packs" / "1.1.0"
    result = verify_pack.verify(folder / f"{name}.tar.gz", folder / "allowed_signers")
    assert (str(result.first), len(result.signatures)) == (first, 2)
