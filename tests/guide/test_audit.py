"""The guide's document against commands/: on the guide where it is at hand, always on one made from commands/."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support import ROOT, guide

from playbook.guide import catalog
from playbook.guide.audit import AuditReport, State, audit

COMMANDS = ROOT / "commands"


def document(*, without: str = "", changed: tuple[str, str, str] = ("", "", ""), more: str = "") -> str:
    """A guide made of commands/: one block for each command, the diagnosis commands in a table and a tree."""
    commands = catalog.load()
    parts = ["# A guide\n\nProse with `kubectl` and `STATUS` in it.\n"]
    for id in commands.ids:
        if id == without:
            continue
        text = commands.command(id).text
        if id == changed[0]:
            text = text.replace(changed[1], changed[2])
        parts.append(f"### Step {commands.command(id).step or 'summary'}\n\n```bash\n# a comment\n{text}```\n")
    inline, tree = commands.diagnose_ids[:8], commands.diagnose_ids[8:]
    parts += [f"| symptom | `{commands.command(id).text.strip()}` |\n" for id in inline if id != without]
    parts.append("Then `kubectl logs --previous`, as above.\n")
    parts.append("```\n1. look\n" + "".join(
        f"   ├── \"x\" → y\n   │   └── {commands.command(id).text.strip()} → z\n" for id in tree if id != without
    ) + "```\n")  # fmt: skip
    return "\n".join(parts) + more


def of(report: AuditReport, state: State) -> list[str | None]:
    return [entry.id for entry in (*report.fenced, *report.mentioned) if entry.state is state]


def test_the_same_commands_on_both_sides_are_clean() -> None:
    report = audit(document(), catalog.load())
    assert [entry.id for entry in report.fenced] == list(catalog.GUIDE_ORDER)
    assert {entry.state for entry in report.fenced} == {State.IDENTICAL}
    assert of(report, State.SHORTENED) == ["logs-previous"]
    assert (report.extra, report.tampered, report.clean) == ((), (), True)


def test_a_changed_command_is_shown_with_its_diff_and_line() -> None:
    text = document(changed=("step4-path-contract", "'MISSING'", "None"))
    report = audit(text, catalog.load())
    [entry] = [entry for entry in report.fenced if entry.state is State.DIFFERENT]
    assert entry.id == "step4-path-contract"
    assert (entry.passage.step, entry.passage.last_line - entry.passage.line) == ("4", 14)
    assert text.split("\n")[entry.passage.line - 1].startswith("kubectl get configmap")
    assert "-    actual = data.get(k, None)\n+    actual = data.get(k, 'MISSING')\n" in entry.diff
    assert not report.clean


def test_one_byte_is_enough() -> None:
    report = audit(document(changed=("step1-namespace", "observer-prod", "observer-prod ")), catalog.load())
    assert of(report, State.DIFFERENT) == ["step1-namespace"]
    assert not report.clean


@pytest.mark.parametrize("id", ["step3-5-ghcr-secret", "summary", "describe-node", "describe-pod-failed"])
def test_what_the_document_has_not_is_extra(id: str) -> None:
    report = audit(document(without=id), catalog.load())
    assert (report.extra, report.clean) == ((id,), False)


def test_of_two_equal_commands_one_can_be_extra() -> None:
    report = audit(document(without="step8-3-count-files"), catalog.load())
    assert (report.extra, report.clean) == (("step8-3-count-files",), False)


def test_what_commands_has_not_is_absent() -> None:
    text = document(more="\n```bash\nrm -rf / --no-preserve-root\n```\n\nOr `systemctl restart everything --now`.\n")
    report = audit(text, catalog.load())
    absent = [entry.passage.text for entry in (*report.fenced, *report.mentioned) if entry.state is State.ABSENT]
    assert absent == ["rm -rf / --no-preserve-root\n", "systemctl restart everything --now\n"]
    assert not report.clean


def test_a_block_that_is_never_closed_is_read_to_the_end() -> None:
    report = audit(document(more="\n```bash\ntouch /tmp/left-open\n"), catalog.load())
    assert of(report, State.ABSENT) == [None]


def test_a_document_without_commands_is_not_clean() -> None:
    report = audit("# nothing\n", catalog.load())
    assert report.fenced == ()
    assert len(report.extra) == 55
    assert not report.clean


def test_a_changed_and_a_lost_file_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "commands"
    shutil.copytree(COMMANDS, folder)
    (folder / "step0-nodes.sh").write_text("kubectl get nodes -o json\n")
    (folder / "step1-namespace.sh").unlink()
    report = audit(document(), catalog.load(folder))
    assert [id for id, _ in report.tampered] == ["step0-nodes", "step1-namespace"]
    assert of(report, State.DIFFERENT) == ["step0-nodes"]
    assert [entry.passage.text for entry in report.fenced if entry.state is State.ABSENT] == [
        "kubectl get namespace observer-prod\n"
    ]


def test_the_guide_itself() -> None:
    path = guide()
    if path is None:
        pytest.skip("the guide's document is not here: set PLAYBOOK_GUIDE to its path")
    report = audit(path.read_text(encoding="utf-8"), catalog.load())
    assert [(entry.id, entry.state) for entry in report.fenced] == [(id, State.IDENTICAL) for id in catalog.GUIDE_ORDER]
    assert {entry.state for entry in report.mentioned} == {State.IDENTICAL, State.SHORTENED}
    assert {entry.id for entry in report.mentioned} == set(catalog.DIAGNOSE_ORDER)
    assert report.clean
    lines = {entry.id: (entry.passage.line, entry.passage.last_line) for entry in report.fenced}
    assert lines["step0-cluster-info"] == (51, 51)
    assert lines["step4-path-contract"] == (286, 300)
    assert lines["summary"] == (588, 597)
