"""The pack: the same bytes each time, and no change of it goes unnamed."""

from __future__ import annotations

import io
import os
import random
import shutil
import subprocess
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest
from stubbed import Stubbed
from support import FIXTURES

from playbook import api
from playbook.errors import UsageError
from playbook.output import pack, verify_pack
from playbook.output.pack import MANIFEST, Pack, PackRefused


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
    return next((str(check.wrong) for check in verify_pack.verify(file) if check.wrong), "")


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
    members[MANIFEST] = pack._manifest(session, members)
    return Pack(made.session, members, made.mtime).to_bytes()


def test_same_session_same_bytes(stub: Stubbed, made: Pack, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(stub.session, moved)
    assert pack.pack(moved).to_bytes() == made.to_bytes()


def test_every_check_holds(made: Pack, tmp_path: Path) -> None:
    file = tmp_path / "p.tar.gz"
    file.write_bytes(made.to_bytes())
    checks = list(verify_pack.verify(file))
    assert len(checks) == 6
    assert [check.wrong for check in checks] == [None] * 6
    found, session = verify_pack.session_of(file)
    assert found == made
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
    lines = made.members[MANIFEST].splitlines(keepends=True)[:-1]
    evidence = sha256(b"".join(line for line in lines if b"report." not in line)).hexdigest()
    assert evidence == made.evidence
    assert made.evidence in made.members["report.md"].decode()


def test_random_single_byte_changes(made: Pack) -> None:
    data = made.to_bytes()
    rng = random.Random(4)
    for _ in range(int(os.environ.get("PACK_FLIPS", "100"))):
        at, change = rng.randrange(len(data)), rng.randrange(1, 256)
        with pytest.raises(PackRefused) as refused:
            pack.read(data[:at] + bytes([data[at] ^ change]) + data[at + 1 :])
        assert str(refused.value.message)


@pytest.mark.parametrize(
    "name", ["journal.jsonl", "runs.json", "report.md", MANIFEST, "step2-pvc.out", "commands/summary.sh"]
)
def test_changed_member_is_named(made: Pack, name: str) -> None:
    data, content = made.to_bytes(), made.members[name]
    at = data.index(content[:200], data.index(f"/{name}\0".encode())) + min(150, len(content) - 1)
    with pytest.raises(PackRefused) as refused:
        pack.read(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    assert str(refused.value.message).startswith(f"{name} was changed")


def test_headers_are_named(made: Pack) -> None:
    data = made.to_bytes()
    for at in (3, 8, 9, 12, len(data) - 1, len(data) - 6):
        with pytest.raises(PackRefused, match="the archive's own headers"):
            pack.read(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


@pytest.mark.parametrize("data", [b"", b"\x1f\x8b", b"not a pack", bytes(5000)])
def test_no_pack_at_all(data: bytes) -> None:
    with pytest.raises(PackRefused):
        pack.read(data)


@pytest.mark.parametrize("cut", [1, 8, 500, 20_000])
def test_cut_or_longer(made: Pack, cut: int) -> None:
    for data in (made.to_bytes()[:-cut], made.to_bytes() + bytes(cut)):
        with pytest.raises(PackRefused):
            pack.read(data)


def entry(name: str, data: bytes = b"x", **more: object) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in more.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % 512)


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "s/../x.out", "../x.out", "s/evil.py", "s/a/b.out", "s/commands/x.py", "x.out"]
)
def test_names_that_do_not_belong(name: str) -> None:
    with pytest.raises(PackRefused, match="does not belong"):
        pack.read(pack._stored(entry(name) + bytes(1024)))


def test_links_twice_and_two_folders() -> None:
    for tar in (
        entry("s/a.out", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        entry("s/a.out", b"", type=tarfile.LNKTYPE, linkname="s/b.out"),
        entry("s/a.out") + entry("s/a.out"),
        entry("s/a.out") + entry("t/b.out"),
    ):
        with pytest.raises(PackRefused):
            pack.read(pack._stored(tar + bytes(1024)))


def test_a_compressed_archive_is_refused_and_never_swells(made: Pack) -> None:
    import gzip

    with pytest.raises(PackRefused, match="own headers"):
        pack.read(gzip.compress(bytes(50_000_000), mtime=0))


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
    import json

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
    tar, whole = pack._unstored(longer.to_bytes())
    assert whole
    assert pack._members(tar)[1][name] == b"x"


def test_what_has_no_journal(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        pack.pack(FIXTURES / "1.20/healthy")
    with pytest.raises(UsageError):
        list(verify_pack.verify(tmp_path / "absent"))
