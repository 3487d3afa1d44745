"""The verbs report, verify-pack and waive, and diff by session id, as they are typed."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest
from stubbed import Stubbed
from support import FIXTURES


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Stubbed:
    stub = Stubbed(tmp_path_factory.mktemp("signing"), "1.20/service-port")
    assert stub.playbook("all", "--until", "6").returncode == 1
    return stub


@pytest.fixture(scope="module")
def aborted(tmp_path_factory: pytest.TempPathFactory) -> Stubbed:
    stub = Stubbed(tmp_path_factory.mktemp("aborted"), "1.20/secret-missing")
    assert stub.playbook("all", "--no-diagnose").returncode == 4
    return stub


def test_report_to_standard_output_and_file(failed: Stubbed) -> None:
    shown = failed.playbook("report")
    assert shown.returncode == 0
    assert shown.stdout.startswith("# ")
    written = failed.playbook("report", "-o", "r.md")
    assert written.stdout == ""
    assert (failed.folder / "r.md").read_text("utf-8") == shown.stdout
    assert (failed.folder / "r.md").stat().st_mode & 0o777 == 0o600


def test_report_forms(failed: Stubbed) -> None:
    assert json.loads(failed.playbook("report", "--output", "json").stdout)["verdict"] == "failed"
    assert failed.playbook("report", "--output", "junit").stdout.startswith("<?xml")


def test_report_of_a_recording(tmp_path: Path) -> None:
    shown = Stubbed(tmp_path).playbook("report", "--recording", str(FIXTURES / "1.20/healthy-24h"))
    assert shown.returncode == 0
    assert "Complete" in shown.stdout
    assert not (tmp_path / "state").exists()


def test_report_without_a_session(tmp_path: Path) -> None:
    refused = Stubbed(tmp_path).playbook("report")
    assert refused.returncode == 2
    assert "playbook all" in refused.stderr


def test_pack_and_verify(failed: Stubbed) -> None:
    made = failed.playbook("report", "--pack", "p.tar.gz", "-o", "packed.md")
    assert made.returncode == 0, made.stderr
    checked = failed.playbook("verify-pack", "p.tar.gz")
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.startswith("consistent; origin not proven\n")
    evidence = next(line.split()[-1] for line in checked.stdout.splitlines() if line.startswith("evidence digest"))
    archive = next(line.split()[-1] for line in checked.stdout.splitlines() if line.startswith("archive digest"))
    assert archive == sha256((failed.folder / "p.tar.gz").read_bytes()).hexdigest()
    assert evidence in made.stdout and archive in made.stdout
    assert evidence in (failed.folder / "packed.md").read_text("utf-8")
    assert checked.stdout.count("holds: ") == 6
    data = gzip.decompress((failed.folder / "p.tar.gz").read_bytes())
    (failed.folder / "p.tar.gz").write_bytes(gzip.compress(data.replace(b"8080/TCP", b"8000/TCP", 1)))
    refused = failed.playbook("verify-pack", "p.tar.gz")
    assert refused.returncode == 1
    assert "was changed" in refused.stdout
    assert failed.playbook("verify-pack", "absent.tar.gz").returncode == 2


def test_sign_and_verify_with_signers(failed: Stubbed) -> None:
    lines = []
    for role in ("operator", "reviewer"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", role], cwd=failed.folder, check=True)
        lines.append(f"{role}@example.com {(failed.folder / role).with_suffix('.pub').read_text('utf-8')}")
    (failed.folder / "allowed_signers").write_text("".join(lines), "utf-8")
    assert failed.playbook("report", "--pack", "s.tar.gz").returncode == 0
    evidence = evidence_digest(failed)

    def sign(role: str, *more: str) -> subprocess.CompletedProcess[str]:
        return failed.playbook("sign", "s.tar.gz", "--as", role, "--key", role, *more)

    assert sign("operator").returncode == 2, "neither accepted nor rejected"
    assert "need a reason" in sign("operator", "--accept").stderr
    done = sign("operator", "--accept", "--reason", "the port was moved")
    assert done.returncode == 0, done.stderr
    assert "Failed" in done.stderr
    assert "has signed this pack already" in sign("operator", "--reject", "--reason", "no").stderr
    alone = failed.playbook("verify-pack", "s.tar.gz", "--signers", "allowed_signers")
    assert (alone.returncode, alone.stdout.split("\n")[0]) == (
        3, "consistent; signed and accepted by operator operator@example.com alone",
    )  # fmt: skip
    assert sign("reviewer", "--reject", "--reason", "not agreed", "--name", "Lee").returncode == 0
    both = failed.playbook("verify-pack", "s.tar.gz", "--signers", "allowed_signers")
    assert both.returncode == 4
    assert both.stdout.startswith("signed and rejected by reviewer reviewer@example.com: not agreed\n")
    assert evidence_digest(failed) == evidence
    assert failed.playbook("verify-pack", "s.tar.gz", "--signers", "absent").returncode == 2
    with tarfile.open(failed.folder / "s.tar.gz") as archive:
        archive.extractall(failed.folder / "unpacked", filter="data")
    (folder,) = (failed.folder / "unpacked").iterdir()
    told = subprocess.run(
        [sys.executable, folder / "verify.py", "--signers", failed.folder / "allowed_signers"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (told.returncode, told.stdout.split("\n")[0]) == (4, both.stdout.split("\n")[0]), told.stderr
    assert evidence == sha256((folder / "EVIDENCE").read_bytes()).hexdigest()


def evidence_digest(stub: Stubbed) -> str:
    told = stub.playbook("verify-pack", "s.tar.gz").stdout
    return next(line.split()[-1] for line in told.splitlines() if line.startswith("evidence digest"))


def test_waiver_of_a_failure_dies_with_its_evidence(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path, "1.20/service-port")
    stub.playbook("step", "5")
    made = stub.playbook("waive", "SERVICE-PORT/observer", "--by", "Kim", "--reason", "password: hunter22 on purpose")
    assert made.returncode == 0, made.stderr
    assert "hunter22" not in (stub.session / "journal.jsonl").read_text("utf-8")
    told = json.loads(stub.playbook("report", "--output", "json").stdout)
    assert "waive" in json.dumps(told)
    assert stub.playbook("step", "5").returncode in (0, 1, 3)
    assert len(waivers(stub)) == 1, "the same answer seen again stays accepted"
    cured = Stubbed(tmp_path, "1.20/healthy")
    cured.playbook("step", "5")
    cured.playbook("all", "--from", "5", "--until", "5")
    assert not waivers(cured)
    stub.playbook("all", "--from", "5", "--until", "5")
    assert not waivers(stub), "what was accepted before is another evidence"


def waivers(stub: Stubbed) -> tuple[object, ...]:
    from playbook.api import recorded_session

    return recorded_session(stub.session).waivers


@pytest.mark.parametrize("code", ["OBSERVER-SECRETS", "STEP/4", "API-REACHED", "NO-SUCH"])
def test_what_cannot_be_waived(aborted: Stubbed, code: str) -> None:
    refused = aborted.playbook("waive", code, "--by", "Kim", "--reason", "so")
    assert refused.returncode == 2
    assert "SECRET-KEYS" in refused.stderr
    assert not waivers(aborted)


@pytest.mark.parametrize(("by", "reason"), [("", "so"), ("Kim", " ")])
def test_waiver_needs_name_and_reason(failed: Stubbed, by: str, reason: str) -> None:
    assert failed.playbook("waive", "SERVICE-PORT/observer", "--by", by, "--reason", reason).returncode == 2


def test_waiver_of_a_step_that_was_not_run(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    stub.playbook("all", "--until", "1")
    assert stub.playbook("waive", "STEP/2", "--by", "Kim", "--reason", "seen by hand").returncode == 0
    assert len(waivers(stub)) == 1


def test_diff_by_id(failed: Stubbed) -> None:
    changed = failed.playbook("diff", str(FIXTURES / "1.20/healthy"), failed.session.name)
    assert changed.returncode == 1
    assert "SERVICE-PORT/observer" in changed.stdout
    assert failed.playbook("diff", failed.session.name, str(failed.session)).returncode == 0
    assert failed.playbook("diff", "nothing", "here").returncode == 2
