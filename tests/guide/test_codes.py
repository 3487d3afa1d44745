"""Codes of findings: each is one that a judge gives, and whatever names one names one of these."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import runs_of, states

from playbook import steps
from playbook.diagnosis.consequences import LINKS
from playbook.diagnosis.rows import ROWS
from playbook.guide.codes import NOT_REACHED, Code, family
from playbook.guide.criteria import CRITERIA
from playbook.model import Runs

OBJECTS = (
    "", "/observer-data-pvc", "/observer-x", "/postgres-0", "/oracle-obs-arm", "/observer", "/postgres", "/data",
    "/obs-db-secret", "/OBSERVER_DATA_DIR",
)  # fmt: skip


def named_by_judges() -> set[Code]:
    """Every `Code.X` in the modules of the steps."""
    trees = [ast.parse(file.read_text("utf-8")) for file in Path(steps.__file__).parent.glob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = (n.attr for n in nodes if isinstance(n, ast.Attribute) and ast.unparse(n.value) == "Code")
    return {Code[name] for name in names}


def test_each_code_is_a_judges() -> None:
    assert named_by_judges() == set(Code)
    assert NOT_REACHED not in set(Code)


def test_every_finding_has_a_code_of_the_list() -> None:
    found = set()
    for state in states():
        runs = runs_of(state)
        for judged in (runs, Runs()):
            found |= {family(each.code) for step in steps.STEPS for each in step.judge(judged)}
    assert found <= set(Code)
    never_recorded = {Code.SECRET_TYPE, Code.SECRET_DATA, Code.CONFIG_YAML, Code.RESTART_LIMIT}
    assert set(Code) - found <= never_recorded, "no recording shows these"


def test_a_code_reads_as_its_text() -> None:
    assert f"{Code.PVC_BOUND}/x" == "PVC-BOUND/x" and str(Code.PVC_BOUND) == "PVC-BOUND"
    assert {"PVC-BOUND"} & {Code.PVC_BOUND}


def test_criteria_name_codes() -> None:
    assert all(isinstance(code, Code) for each in CRITERIA for code in (*each.met_by, *each.seen_by))


# patterns


def plain(pattern: str) -> Iterator[str]:
    """The alternatives of a pattern, one by one; groups with a quantifier are read once and left out once."""
    group = re.search(r"\(\?:([^()]*)\)([*?]?)", pattern)
    if group is None:
        yield from pattern.split("|")
        return
    for each in (*group[1].split("|"), *([""] if group[2] else [])):
        yield from plain(pattern[: group.start()] + each + pattern[group.end() :])


def unknown(pattern: str) -> list[str]:
    """The alternatives of a pattern that no code has; what it rules out by `(?!…)` must be the beginning of one."""
    wrong = []
    if ruled_out := re.match(r"\(\?!([^()]*)\)", pattern):
        wrong += [each for each in ruled_out[1].split("|") if not any(code.startswith(each) for code in Code)]
        pattern = pattern[ruled_out.end() :]
    codes = [f"{code}{about}" for code in Code for about in OBJECTS]
    pattern = pattern.replace("(?:{object})", ".+").replace("{object}", ".+")
    return wrong + [each for each in plain(pattern) if not any(re.fullmatch(each, code) for code in codes)]


def test_a_code_that_no_judge_gives_is_found() -> None:
    assert unknown("PVC-BOUND/.+|PVC-GONE") == ["PVC-GONE"]
    assert unknown("SEALED-(?:SYNCED|OPENED)/.+") == ["SEALED-OPENED/.+"]
    assert unknown(r"(?!LOG-|NOISE-).*") == ["NOISE-"]
    assert unknown(r"ENV-\w+(?:-\w+)*|(?:MOUNT|WRITE)(?:/.+)?") == []


@pytest.mark.parametrize("pattern", sorted({each.codes for each in (*ROWS, *LINKS)}))
def test_rows_and_consequences_name_codes(pattern: str) -> None:
    assert unknown(pattern) == []
