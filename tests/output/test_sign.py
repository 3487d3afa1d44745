"""The sign-off: what is signed holds, and every kind of forged pack is refused or shown as unproven, by both verifiers alike."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pytest
from support import ROOT

from playbook.errors import UsageError
from playbook.output import pack, sign, verifier, verify_pack
from playbook.output.archive import PackRefused
from playbook.output.pack import Pack
from playbook.runtime import ssh_keygen

FIXTURE = ROOT / "tests" / "fixtures_packs" / "1.0.0" / "healthy.tar.gz"
OTHER = FIXTURE.with_name("secret-missing.tar.gz")
AT = datetime(2026, 11, 28, 3, 0, tzinfo=timezone.utc)
NAMES = {"operator": "Kim", "reviewer": "Lee"}


class Desk(NamedTuple):
    """A folder with the keys of two persons and the file of signers that knows them."""

    folder: Path
    verifier: Path

    def key(self, role: str) -> Path:
        file = self.folder / role
        if not file.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(file)], check=True)
        return file

    def line(self, role: str, options: str = "", who: str = "") -> str:
        return f"{who or NAMES[role].lower()}@example.com {options} {self.key(role).with_suffix('.pub').read_text('utf-8')}"

    def signers(self, *lines: str) -> Path:
        file = self.folder / "allowed_signers"
        file.write_text("".join(lines or (self.line("operator"), self.line("reviewer"))), "utf-8")
        return file

    def sign(
        self, made: Pack, role: str, *, key: str = "", decision: str = "accept", at: datetime = AT, of: str = ""
    ) -> Pack:
        statement = sign.Statement(role, decision, NAMES[role], "7-2 was seen by hand", at)
        result = verify_pack.verify(self.file(made))
        assert result.session
        return sign.signed(made, result.session, statement, self.key(key or role))

    def both(self, made: Pack) -> Pack:
        return self.sign(self.sign(made, "operator"), "reviewer")

    def file(self, made: Pack | bytes) -> Path:
        file = self.folder / "p.tar.gz"
        file.write_bytes(made if isinstance(made, bytes) else made.to_bytes())
        return file

    def answers(self, made: Pack | bytes, signers: Path | None = None) -> tuple[str, int]:
        """The first line and the exit status, the same by the program and by the file that a pack carries."""
        file = self.file(made)
        result = verify_pack.verify(file, signers)
        alone = subprocess.run(
            [sys.executable, "-I", str(self.verifier), str(file), *(["--signers", str(signers)] if signers else [])],
            capture_output=True, text=True, check=False, cwd=self.folder,
        )  # fmt: skip
        assert alone.stderr == ""
        status = result.status if result.pack is None else result.origin
        assert (alone.stdout.split("\n")[0], alone.returncode) == (str(result.first), status)
        assert all(f"  {line}" in alone.stdout.split("\n") for line in result.signatures)
        return "\n".join(map(str, (result.first, *result.signatures))), int(status)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "alone").mkdir()
    verify = tmp_path / "alone" / "verify.py"
    verify.write_bytes(pack.verifier_source())
    return Desk(tmp_path, verify)


@pytest.fixture(autouse=True)
def not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judging again takes seconds and has its own tests: here it is about bytes and signatures."""
    monkeypatch.setattr(verify_pack, "_JUDGEMENTS", ())


@pytest.fixture(scope="module")
def made() -> Pack:
    return pack.read(FIXTURE.read_bytes())


def test_two_persons_accept(desk: Desk, made: Pack) -> None:
    both = desk.both(made)
    first, status = desk.answers(both, desk.signers())
    assert first.startswith(
        "signed and accepted by operator kim@example.com and reviewer lee@example.com\noperator: accept"
    )
    assert status == 0
    assert {name: both.members[name] for name in made.members} == made.members
    assert desk.answers(both)[1] == 0
    assert desk.answers(both)[0].startswith("consistent; origin not proven\n")


def test_a_rejection_is_on_the_first_line(desk: Desk, made: Pack) -> None:
    both = desk.sign(desk.sign(made, "operator"), "reviewer", decision="reject")
    first, status = desk.answers(both, desk.signers())
    assert (first.split("\n")[0], status) == (
        "signed and rejected by reviewer lee@example.com: 7-2 was seen by hand", 4,
    )  # fmt: skip
    first, status = desk.answers(both)
    assert (first.split("\n")[0], status) == ("consistent; origin not proven; rejected by reviewer Lee", 4)


def test_one_role_alone_is_not_two(desk: Desk, made: Pack) -> None:
    first, status = desk.answers(desk.sign(made, "operator"), desk.signers())
    assert first.startswith("consistent; signed and accepted by operator kim@example.com alone")
    assert status == 3


def test_what_cannot_be_signed(desk: Desk, made: Pack) -> None:
    once = desk.sign(made, "operator")
    with pytest.raises(UsageError, match="has signed this pack already"):
        desk.sign(once, "operator")
    with pytest.raises(PackRefused, match="two roles need two keys"):
        desk.sign(once, "reviewer", key="operator")
    session = verify_pack.verify(FIXTURE).session
    assert session
    with pytest.raises(UsageError, match="need a reason"):
        sign.signed(made, session, sign.Statement("operator", "reject", "Kim", "", AT), desk.key("operator"))
    with pytest.raises(UsageError, match="there is no key"):
        sign.signed(made, session, sign.Statement("operator", "reject", "Kim", "no", AT), desk.folder / "none")


# twelve kinds of forged packs


def changed(made: Pack, **members: bytes | None) -> Pack:
    """Other members under the same names; None takes one away. MANIFEST is made to fit, as a forger would."""
    kept = {name: data for name, data in {**made.members, **members}.items() if data is not None}
    head = made.members["MANIFEST"].splitlines(keepends=True)[:3]
    listed = [
        name for name in sorted(kept) if name not in ("MANIFEST", "EVIDENCE") and not name.startswith("signatures/")
    ]
    lines = [*head, *(f"{sha256(kept[name]).hexdigest()}  {name}\n".encode() for name in listed)]
    text = b"".join(lines)
    return replace(made, members={**kept, "MANIFEST": text + f"{verifier.SEAL}{sha256(text).hexdigest()}\n".encode()})


def rechained(made: Pack, change: Callable[[dict[str, object]], None]) -> bytes:
    """The journal with events changed, and its chain made anew."""
    digest, lines = "0" * 64, []
    for line in made.members["journal.jsonl"].splitlines():
        event = json.loads(line)
        change(event)
        event["prev"] = digest
        text = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        digest = sha256(text).hexdigest()
        lines.append(text + b"\n")
    return b"".join(lines)


def swapped(made: Pack) -> Pack:
    """A stream replaced by a healthier one, the journal chained anew around it."""
    name, old = "step5-services.out", made.members["step5-services.out"]
    new = old.replace(b"observer", b"obs3rver")
    digests = {sha256(old).hexdigest(): sha256(new).hexdigest()}

    def change(event: dict[str, object]) -> None:
        event.update({key: digests.get(str(event[key]), event[key]) for key in ("out", "err") if key in event})

    return changed(made, **{name: new, "journal.jsonl": rechained(made, change)})


def waived(made: Pack) -> Pack:
    """The journal with a waiver more."""
    lines = made.members["journal.jsonl"].splitlines(keepends=True)
    waiver = {"seq": len(lines) + 1, "at": "2026-11-25T05:00:00.000000Z", "event": "waive", "code": "STEP/7", "step": "7",
              "by": "Kim", "reason": "so", "evidence": "0" * 64, "prev": sha256(lines[-1][:-1]).hexdigest()}  # fmt: skip
    more = json.dumps(waiver, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    return changed(made, **{"journal.jsonl": b"".join(lines) + more})


def statement(made: Pack, whose: str, **values: object) -> Pack:
    said = {**json.loads(made.members[f"signatures/{whose}.json"]), **values}
    return replace(made, members={**made.members, f"signatures/{whose}.json": verifier.canonical(said)})


def resigned(made: Pack, role: str, key: Path, namespace: str = verifier.NAMESPACE) -> Pack:
    signature = ssh_keygen.sign(made.members[f"signatures/{role}.json"], key, namespace)
    return replace(made, members={**made.members, f"signatures/{role}.sig": signature})


def signatures_of(made: Pack) -> dict[str, bytes]:
    return {name: data for name, data in made.members.items() if name.startswith("signatures/")}


def test_rechained(desk: Desk, made: Pack) -> None:
    def change(event: dict[str, object]) -> None:
        if event["event"] == "open":
            event["operator"] = "somebody@else"

    both = desk.both(made)
    first, status = desk.answers(changed(both, **{"journal.jsonl": rechained(both, change)}), desk.signers())
    assert status == 1 and "(by its evidence)" in first
    unsigned = changed(made, **{"journal.jsonl": rechained(made, change)})
    assert desk.answers(unsigned) == ("consistent; origin not proven", 0)
    assert desk.answers(unsigned, desk.signers()) == ("consistent; origin not proven", 3)


def test_swapped_streams(desk: Desk, made: Pack) -> None:
    first, status = desk.answers(swapped(desk.both(made)), desk.signers())
    assert status == 1 and "(by its evidence)" in first
    assert desk.answers(swapped(made), desk.signers()) == ("consistent; origin not proven", 3)


def test_same_key_twice(desk: Desk, made: Pack) -> None:
    forged = resigned(desk.both(made), "reviewer", desk.key("operator"))
    for signers in (None, desk.signers()):
        first, status = desk.answers(forged, signers)
        assert status == 1 and "two roles need two keys" in first


def test_two_keys_of_one_person(desk: Desk, made: Pack) -> None:
    one = desk.signers(desk.line("operator", who="kim"), desk.line("reviewer", who="kim"))
    first, status = desk.answers(desk.both(made), one)
    assert (
        status == 3
        and "kim@example.com signed both roles" in first
        and first.startswith("consistent; origin not proven")
    )


@pytest.mark.parametrize(("option", "why"), [
    ('valid-before="20261127"', "the key is not in the file of signers, or was not valid"),
    ('valid-after="21000101"', "the key is not in the file of signers, or was not valid"),
    ('namespaces="git"', "does not let the key sign here"),
])  # fmt: skip
def test_keys_that_may_not(desk: Desk, made: Pack, option: str, why: str) -> None:
    first, status = desk.answers(desk.both(made), desk.signers(desk.line("operator", option), desk.line("reviewer")))
    assert status == 3 and why in first and first.startswith("consistent; origin not proven")


def test_expired_signer(desk: Desk, made: Pack) -> None:
    """Valid at the time that the statement tells, and expired now: the time is the signer's word."""
    long_ago = datetime(2020, 1, 1, tzinfo=timezone.utc)
    both = desk.sign(desk.sign(made, "operator", at=long_ago), "reviewer")
    expired = desk.signers(desk.line("operator", 'valid-before="20210101"'), desk.line("reviewer"))
    first, status = desk.answers(both, expired)
    assert status == 3 and "the signer's word alone: 2020-01-01T00:00:00Z" in first
    before = desk.signers(desk.line("operator", 'valid-after="20210101"'), desk.line("reviewer"))
    first, status = desk.answers(both, before)
    assert status == 3 and "was not valid at the time of signing" in first


def test_other_namespace(desk: Desk, made: Pack) -> None:
    first, status = desk.answers(resigned(desk.both(made), "reviewer", desk.key("reviewer"), "git"), desk.signers())
    assert status == 1 and "was made for another purpose: namespace git" in first


def test_stripped_signatures(desk: Desk, made: Pack) -> None:
    both = desk.both(made)
    stripped = replace(both, members={k: v for k, v in both.members.items() if not k.startswith("signatures/reviewer")})
    assert desk.answers(stripped, desk.signers())[1] == 3
    assert desk.answers(made, desk.signers()) == ("consistent; origin not proven", 3)
    for ending in ("json", "sig"):
        half = {k: v for k, v in both.members.items() if k != f"signatures/reviewer.{ending}"}
        first, status = desk.answers(replace(both, members=half), desk.signers())
        assert status == 1 and f"signatures/reviewer.{ending} is missing" in first


def test_moved_waivers(desk: Desk, made: Pack) -> None:
    moved = waived(desk.both(made))
    first, status = desk.answers(moved, desk.signers())
    assert status == 1 and "(by its evidence)" in first
    kept = statement(statement(moved, "operator", evidence=moved.evidence), "reviewer", evidence=moved.evidence)
    first, status = desk.answers(kept, desk.signers())
    assert status == 1 and "(by its waivers)" in first


def test_statement_of_another_pack(desk: Desk, made: Pack) -> None:
    other = pack.read(OTHER.read_bytes())
    moved = replace(other, members={**other.members, **signatures_of(desk.both(made))})
    first, status = desk.answers(moved, desk.signers())
    assert status == 1 and "is not about this pack (by its session)" in first


@pytest.mark.parametrize("value", [{"decision": "accept"}, {"name": "Park"}, {"reason": ""}, {"verdict": "complete"},
                                   {"signed_at": "2026-11-28T04:00:00Z"}])  # fmt: skip
def test_changed_statement(desk: Desk, made: Pack, value: dict[str, object]) -> None:
    both = desk.sign(desk.sign(made, "operator"), "reviewer", decision="reject")
    first, status = desk.answers(statement(both, "reviewer", **value), desk.signers())
    assert status == 1 and "reviewer.sig is not a signature of signatures/reviewer.json" in first


def test_changed_report(desk: Desk, made: Pack) -> None:
    report = made.members["report.md"].replace(b"Incomplete", b"Complete")
    first, status = desk.answers(changed(desk.both(made), **{"report.md": report}), desk.signers())
    assert status == 1 and "(by its reports)" in first


def test_unknown_role(desk: Desk, made: Pack) -> None:
    both = desk.both(made)
    first, status = desk.answers(statement(both, "reviewer", role="boss"), desk.signers())
    assert status == 1 and "is signed as boss" in first
    exchanged = {**both.members, "signatures/operator.json": both.members["signatures/reviewer.json"]}
    assert desk.answers(replace(both, members=exchanged), desk.signers())[1] == 1
    boss = {**both.members, "signatures/boss.json": both.members["signatures/reviewer.json"]}
    first, status = desk.answers(replace(both, members=boss), desk.signers())
    assert status == 1 and "does not belong into a pack" in first


def test_key_that_nobody_knows(desk: Desk, made: Pack) -> None:
    first, status = desk.answers(desk.both(made), desk.signers(desk.line("operator")))
    assert status == 3 and "the key is not in the file of signers" in first


@pytest.mark.parametrize("value", [{"more": 1}, {"decision": "perhaps"}, {"signed_at": "now"}, {"name": 5}])
def test_statement_of_another_form(desk: Desk, made: Pack, value: dict[str, object]) -> None:
    both = resigned(statement(desk.both(made), "reviewer", **value), "reviewer", desk.key("reviewer"))
    first, status = desk.answers(both, desk.signers())
    assert status == 1 and "is not a statement of this program" in first


@pytest.mark.parametrize(
    "data", [b"", b"x", b"-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n", b"\xff"]
)
def test_signature_of_another_form(desk: Desk, made: Pack, data: bytes) -> None:
    both = desk.both(made)
    forged = replace(both, members={**both.members, "signatures/reviewer.sig": data})
    first, status = desk.answers(forged, desk.signers())
    assert status == 1 and "is not an SSH signature" in first


def test_without_ssh_keygen_nothing_is_proven(desk: Desk, made: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    both, signers = desk.both(made), desk.signers()
    monkeypatch.setenv("PATH", str(desk.folder))
    first, status = desk.answers(both, signers)
    assert status == 3 and first.startswith("consistent; origin not proven") and "ssh-keygen cannot be run" in first
