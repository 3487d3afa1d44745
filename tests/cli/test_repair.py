"""The verbs diagnose and fix; fix at a pseudo-terminal, its values searched for in all that is left behind."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from stubbed import Stubbed
from support import FIXTURES

PASSWORD, KEY, SECRET, ID = "Tr0ub4dor&3'x", "KEYkey-123456", "s3cr3t$(id)`x`", "hts-7731"
QUESTIONS = (
    ("POSTGRES_PASSWORD: ?$", PASSWORD), ("DB_PASSWORD.*: ?$", ""), ("PGPASSWORD.*: ?$", ""), ("KIS_APP_KEY: ?$", KEY),
    ("KIS_APP_SECRET: ?$", SECRET), ("KIS_HTS_ID: ?$", ID),
)  # fmt: skip
ANSWERS = tuple(
    (again, f"{value}\n".encode())
    for pattern, value in QUESTIONS
    for again in ((pattern, "once more, .*: ?$") if value else (pattern,))
)
NAMES = ("POSTGRES_PASSWORD", "DB_PASSWORD", "PGPASSWORD", "KIS_APP_KEY", "KIS_APP_SECRET", "KIS_HTS_ID")


def creations(stub: Stubbed) -> list[list[str]]:
    calls = [json.loads(line) for line in stub.log.read_text("utf-8").splitlines()]
    return [call for call in calls if "create" in call and "secret" in call]


def assert_nowhere(stub: Stubbed, shown: bytes) -> None:
    """No value in what was shown, nor in any file of the state folder, nor beside it."""
    kept = [path for path in stub.folder.rglob("*") if path.is_file() and path != stub.log]
    assert any(path.name == "journal.jsonl" for path in kept)
    for value in (PASSWORD, KEY, SECRET, ID, PASSWORD[:8], SECRET[:6]):
        assert value.encode() not in shown
        assert not [path for path in kept if value.encode() in path.read_bytes()]


def test_fix_creates_the_secret_and_goes_on(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path, "1.20/secret-missing")
    assert stub.playbook("all").returncode == 4
    status, shown = stub.at_terminal(
        ("fix", "observer-secrets"), (*ANSWERS, (r"\[y/N\]: ?$", b"y\n"), ("> $", b"no\n"))
    )
    assert status == 3, shown.decode(errors="replace")  # Step 8 was not allowed
    (call,) = creations(stub)
    given = dict(
        each.removeprefix("--from-literal=").split("=", 1) for each in call if each.startswith("--from-literal=")
    )
    assert [given[name] for name in NAMES] == [PASSWORD, PASSWORD, PASSWORD, KEY, SECRET, ID]
    assert given["PGHOST"] == "postgres"
    assert_nowhere(stub, shown)
    assert b"secret/observer-secrets created" in shown
    assert (stub.session / "step3-3-create-observer-secrets.out").read_bytes() == b"secret/observer-secrets created\n"
    told = json.loads(stub.playbook("report", "--output", "json").stdout)
    assert {each["id"]: each["verdict"] for each in told["steps"]}["6"] == "pass"
    made = stub.playbook("report", "--pack", "p.tar.gz")
    assert made.returncode == 0
    assert stub.playbook("verify-pack", "p.tar.gz").returncode == 0
    assert_nowhere(stub, shown)


@pytest.mark.parametrize("answers", [
    (*ANSWERS, (r"\[y/N\]: ?$", b"n\n")),
    (*ANSWERS, (r"\[y/N\]: ?$", b"\x03")),
    (*ANSWERS[:6], (r"KIS_APP_SECRET: ?$", b"\x03")),
    (*ANSWERS[:6], (r"KIS_APP_SECRET: ?$", b"\x04")),
], ids=["no", "ctrl-c-at-confirm", "ctrl-c-at-value", "end-of-file"])  # fmt: skip
def test_fix_that_is_broken_off_leaves_nothing(tmp_path: Path, answers: tuple[tuple[str, bytes], ...]) -> None:
    stub = Stubbed(tmp_path, "1.20/secret-missing")
    stub.playbook("all")
    status, shown = stub.at_terminal(("fix", "observer-secrets"), answers)
    assert status in (2, 130)
    assert not creations(stub)
    assert_nowhere(stub, shown)
    assert b"Traceback" not in shown
    assert stub.playbook("status").returncode == 0


def test_empty_value_is_asked_for_again(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path, "1.20/secret-missing")
    stub.playbook("all")
    first = ("POSTGRES_PASSWORD: ?$", b"\n")
    status, shown = stub.at_terminal(("fix", "observer-secrets"), (first, ("POSTGRES_PASSWORD: ?$", b"\x03")))
    assert status == 130
    assert b"must not be empty" in shown


def patches(stub: Stubbed) -> list[list[str]]:
    calls = [json.loads(line) for line in stub.log.read_text("utf-8").splitlines()]
    return [call for call in calls if "patch" in call]


def test_fix_adds_only_what_is_missing(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path, "1.20/secret-key-missing")
    assert stub.playbook("all").returncode == 4
    asked = [("KIS_APP_KEY: ?$", b"\n"), ("must not be empty[^$]*KIS_APP_KEY: ?$", f"{KEY}\n".encode()),
             ("once more, KIS_APP_KEY: ?$", b"another\n"), ("differ[^$]*KIS_APP_KEY: ?$", f"{KEY}\n".encode()),
             ("once more, KIS_APP_KEY: ?$", f"{KEY}\n".encode()), (r"\[y/N\]: ?$", b"y\n"), ("> $", b"no\n")]  # fmt: skip
    status, shown = stub.at_terminal(("fix", "observer-secrets"), asked)
    assert status == 3, shown.decode(errors="replace")
    assert b"umask 077" in shown and b"secret/observer-secrets patched" in shown
    (call,) = patches(stub)
    assert call == ["kubectl", "patch", "secret", "observer-secrets", "-n", "observer-prod", "--type=merge",
                    "--patch-file=/dev/stdin"]  # fmt: skip
    digests = json.loads((stub.folder / "cluster" / "patched.json").read_text("utf-8"))
    assert digests == {"KIS_APP_KEY": sha256(KEY.encode()).hexdigest()}
    assert not creations(stub) and KEY not in stub.log.read_text("utf-8")
    assert_nowhere(stub, shown)


def test_fix_that_is_broken_off_adds_nothing(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path, "1.20/secret-key-missing")
    asked = [
        ("KIS_APP_KEY: ?$", f"{KEY}\n".encode()),
        ("once more.*: ?$", f"{KEY}\n".encode()),
        (r"\[y/N\]: ?$", b"n\n"),
    ]
    status, shown = stub.at_terminal(("fix", "observer-secrets"), asked)
    assert status == 2 and not patches(stub)
    assert_nowhere(stub, shown)


def test_fix_where_the_secret_has_all_its_keys(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path, "1.20/healthy")
    status, shown = stub.at_terminal(("fix", "observer-secrets"), ())
    assert status == 2
    assert b"has all 13 keys of the guide" in shown
    calls = stub.log.read_text("utf-8")
    assert '"delete"' not in calls and '"create"' not in calls and '"patch"' not in calls


def test_fix_where_it_cannot_be_seen(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path, "1.20/api-down")
    status, shown = stub.at_terminal(("fix", "observer-secrets"), ())
    assert status != 0
    assert b"could not be seen" in shown
    assert not creations(stub)


def test_fix_needs_a_terminal(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path, "1.20/secret-missing")
    refused = stub.playbook("fix", "observer-secrets")
    assert refused.returncode == 2
    assert "ssh -t" in refused.stderr
    assert not stub.log.exists()


def test_a_value_too_short_to_mask_hides_the_stream() -> None:
    from support import made

    from playbook.runtime.emergency import without_short

    said = b"secret/observer-secrets created\n"
    kept = without_short(made("x", b"", b'error: bad value "abc"\n', 1), {"KIS_HTS_ID": "abc"}, said)
    assert b"abc" not in kept.stderr
    assert without_short(made("x", said), {"KIS_HTS_ID": "e"}, said).stdout == said


def test_diagnose_names_the_cause_and_changes_nothing(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path, "1.20/secret-key-missing")
    assert stub.playbook("all", "--no-diagnose").returncode == 4
    stub.log.unlink()
    told = stub.playbook("diagnose")
    assert told.returncode == 0, told.stderr
    assert "root cause" in told.stdout
    assert "KIS_APP_KEY" in told.stdout
    calls = [json.loads(line) for line in stub.log.read_text("utf-8").splitlines()]
    kubectl = [call[1:] for call in calls if call[0] == "kubectl"]
    assert {call[0] for call in kubectl} <= {"get", "describe", "logs", "cluster-info", "exec"}
    # 6-4 alone: it teaches what to mask
    assert all(call[-2:] == ["--", "env"] for call in kubectl if call[0] == "exec")


def test_diagnose_of_a_recording(tmp_path: Path) -> None:
    stub = Stubbed(tmp_path)
    told = stub.playbook("diagnose", "--recording", str(FIXTURES / "1.20/secret-missing"))
    assert told.returncode == 0
    assert "SECRET-ABSENT" in told.stdout
    assert not stub.log.exists() and not stub.state.exists()
    nothing = stub.playbook("diagnose", "--recording", str(FIXTURES / "1.20/healthy-24h"))
    assert (nothing.returncode, "nothing" in nothing.stdout) == (0, True)


def test_diagnose_without_a_session(tmp_path: Path) -> None:
    assert Stubbed(tmp_path).playbook("diagnose").returncode == 2
