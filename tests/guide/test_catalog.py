"""commands/ as the catalog reads it."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT

from playbook.errors import TamperedCommand, UsageError
from playbook.guide import catalog
from playbook.steps import STEPS

COMMANDS = ROOT / "commands"
LABEL = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(COMMANDS, tmp_path / "commands")
    return tmp_path / "commands"


def test_there_are_the_guide_s_45_commands_and_its_remedies() -> None:
    commands = catalog.load()
    assert len(commands.ids) == 45
    assert commands.ids == catalog.GUIDE_ORDER
    assert commands.diagnose_ids == catalog.DIAGNOSE_ORDER
    files = {path.name for path in COMMANDS.glob("*.sh")}
    assert files == {f"{id}.sh" for id in commands.ids}
    assert {path.name for path in COMMANDS.glob("diagnose/*")} == {f"{id}.sh" for id in commands.diagnose_ids}


def test_every_command_is_what_the_file_holds_and_its_digest_says() -> None:
    commands = catalog.load()
    for id in commands.ids:
        command = commands.command(id)
        content = (COMMANDS / f"{id}.sh").read_bytes()
        assert (command.text.encode(), command.sha256) == (content, sha256(content).hexdigest())
    assert commands.digest == sha256((COMMANDS / catalog.SUMS).read_bytes()).hexdigest()


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="no sha256sum on this machine")
def test_plain_sha256sum_accepts_the_sums() -> None:
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", catalog.SUMS], cwd=COMMANDS, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.count(": OK") == 55


def test_what_changes_the_cluster_says_so() -> None:
    commands = catalog.load()
    changing = {id for id in (*commands.ids, *commands.diagnose_ids) if commands.command(id).mutates}
    assert changing == {
        "step3-3-create-observer-secrets", "step6-6-write-data", "step6-6-write-logs", "step7-2-health-via-service",
        "step8-2-delete-observer", "step8-4-delete-postgres", "create-namespace", "apply-production",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("id", "seconds"),
    [("step0-nodes", 30), ("step7-2-health-via-service", 90), ("step8-2-delete-observer", 120),
     ("step8-4-wait-postgres", 330), ("describe-pod", 30)],
)  # fmt: skip
def test_time_limits(id: str, seconds: float) -> None:
    assert catalog.load().command(id).timeout_s == seconds


def test_steps_and_sub_steps() -> None:
    commands = catalog.load()
    assert [command.id for command in commands.of_step("3-4")] == ["step3-4-secret-keys", "step3-4-secret-keys-jq"]
    assert [command.step for command in commands.of_step("3")] == [
        "3-1", "3-2", "3-2", "3-3", "3-3", "3-4", "3-4", "3-5",
    ]  # fmt: skip
    assert commands.of_step("9-2") == commands.of_step("9-1") != ()
    assert sum(len(commands.of_step(str(step))) for step in range(10)) == 44
    assert commands.command("summary").step == ""


@pytest.mark.parametrize("step", ["10", "", "3-9", "s", "-"])
def test_an_unknown_step_is_a_usage_error(step: str) -> None:
    with pytest.raises(UsageError):
        catalog.load().of_step(step)


@pytest.mark.parametrize("id", ["", "step3-4", "../commands/summary", "diagnose/describe-pod", "SHA256SUMS"])
def test_an_unknown_command_is_a_usage_error(id: str) -> None:
    with pytest.raises(UsageError):
        catalog.load().command(id)


@pytest.mark.parametrize("id", ["step0-nodes", "describe-pod"])
def test_a_changed_file_is_refused_with_its_name_and_both_digests(folder: Path, id: str) -> None:
    path = next(folder.rglob(f"{id}.sh"))
    expected = sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(TamperedCommand) as refused:
        catalog.load(folder).command(id)
    for part in (path.name, expected, sha256(path.read_bytes()).hexdigest()):
        assert part in str(refused.value)
    catalog.load(folder).command("summary")  # the others are not touched by it


def test_a_digest_is_checked_when_the_command_is_asked_for(folder: Path) -> None:
    commands = catalog.load(folder)
    commands.command("step0-nodes")
    (folder / "step0-nodes.sh").write_bytes(b"rm -rf /\n")
    with pytest.raises(TamperedCommand):
        commands.command("step0-nodes")


def test_a_file_without_a_digest_and_a_digest_without_a_file_are_refused(folder: Path) -> None:
    (folder / "step0-new.sh").write_bytes(b"true\n")
    (folder / "summary.sh").unlink()
    commands = catalog.load(folder)
    assert commands.ids == (*catalog.GUIDE_ORDER, "step0-new")
    with pytest.raises(TamperedCommand, match=r"step0-new\.sh has no digest"):
        commands.command("step0-new")
    with pytest.raises(TamperedCommand, match=r"summary\.sh is missing"):
        commands.command("summary")


def test_a_digest_line_that_cannot_be_read_gives_no_digest(folder: Path) -> None:
    sums = folder / catalog.SUMS
    sums.write_text(sums.read_text().replace("  step0-nodes.sh", " step0-nodes.sh"))
    with pytest.raises(TamperedCommand):
        catalog.load(folder).command("step0-nodes")


def test_two_digests_for_one_file_are_refused(folder: Path) -> None:
    with (folder / catalog.SUMS).open("a") as sums:
        sums.write(f"{'0' * 64}  step0-nodes.sh\n")
    with pytest.raises(TamperedCommand):
        catalog.load(folder).command("step0-nodes")


def test_without_sums_nothing_is_loaded(folder: Path) -> None:
    (folder / catalog.SUMS).unlink()
    with pytest.raises(TamperedCommand, match="SHA256SUMS"):
        catalog.load(folder)


def test_commands_are_read_from_a_zip_file_too(tmp_path: Path) -> None:
    archive = tmp_path / "playbook.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for path in sorted(COMMANDS.rglob("*")):
            if path.is_file():
                out.write(path, f"commands/{path.relative_to(COMMANDS).as_posix()}")
    packed, plain = catalog.load(zipfile.Path(archive, "commands/")), catalog.load()
    assert packed.ids == plain.ids
    assert packed.diagnose_ids == plain.diagnose_ids
    assert [packed.command(id) for id in packed.ids] == [plain.command(id) for id in plain.ids]
    assert packed.fill("describe-pod", "postgres-0") == plain.fill("describe-pod", "postgres-0")


@given(st.lists(LABEL, min_size=1, max_size=4).map(".".join))
def test_a_kubernetes_name_is_filled_in(name: str) -> None:
    command = catalog.load().fill("describe-pvc", name)
    assert command.text == f"kubectl describe pvc {name} -n observer-prod\n"
    assert (command.target, command.key) == (name, f"describe-pvc.{name}")


@given(st.text(max_size=300).filter(lambda text: not set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")))
def test_anything_else_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        catalog.load().fill("describe-pod", name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "a..b", ".a", "a" * 254, "a\n", "A", "--all", "a b", "$(id)"])
def test_near_misses_are_refused(name: str) -> None:
    with pytest.raises(UsageError):
        catalog.load().fill("describe-pod", name)


def test_only_a_command_with_a_placeholder_is_filled() -> None:
    with pytest.raises(UsageError):
        catalog.load().fill("get-sc", "local-path")


def test_the_steps_that_are_prefetched_are_those_that_say_so() -> None:
    """`guide` names them for the start, which imports no step; each step says it for the engine."""
    assert tuple(step.id for step in STEPS if step.prefetchable) == tuple(catalog.PREFETCHED_STEPS)
