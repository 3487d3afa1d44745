"""Step 4 on recordings and on what they do not show."""

from __future__ import annotations

import pytest
from handmade import REFUSED, bad, forbidden, never_passes_cut_text, not_found, of, said, verdicts
from support import runs_of

from playbook.guide import ids
from playbook.guide.expected import CONFIG_KEYS, CONFIG_PATHS
from playbook.model import Run, Runs
from playbook.steps.step4_configmap import STEP, judge

TRACEBACK = 'Traceback (most recent call last):\n  File "<string>", line 3, in <module>\njson.decoder.JSONDecodeError: Expecting value\n'


def judged(*changed: Run) -> dict[str, str]:
    new = {run.command: run for run in changed}
    return bad(judge(Runs(new.get(run.command, run) for run in runs_of("1.20/healthy", *STEP.commands))))


def checks(**actual: str) -> str:
    lines = []
    for key, path in CONFIG_PATHS.items():
        value = actual.get(key, path)
        lines.append(f"{'OK' if value == path else 'MISMATCH'}: {key} = {value} (expected: {path})\n")
    return "".join(lines)


def test_healthy():
    found = judge(runs_of("1.20/healthy"))
    assert verdicts(found) == {"CONFIG-KEYS": "pass", **{f"CONFIG-PATH/{key}": "pass" for key in CONFIG_PATHS}}
    assert str(of(found, "CONFIG-KEYS").actual) == "all 15 are there"
    assert of(found, "CONFIG-PATH/OBSERVER_CONFIG_DIR").evidence.line == 3


def test_a_missing_key_is_named():
    found = judge(runs_of("1.20/config-key-missing"))
    assert bad(found) == {"CONFIG-KEYS": "fail"}
    assert str(of(found, "CONFIG-KEYS").actual) == "missing: LOG_LEVEL"


def test_a_mismatch_is_named():
    found = judge(runs_of("1.20/config-mismatch"))
    assert bad(found) == {"CONFIG-PATH/OBSERVER_DATA_DIR": "fail"}
    path = of(found, "CONFIG-PATH/OBSERVER_DATA_DIR")
    assert str(path.actual) == "OBSERVER_DATA_DIR = /data"
    assert path.evidence.line == 1
    assert "PHASE_0_VERIFICATION_REPORT.md" in str(path.remedy[0])


def test_a_path_that_the_map_does_not_have_is_a_mismatch():
    assert judged(said(ids.PATH_CONTRACT, checks(OBSERVER_LOG_DIR="MISSING"))) == {
        "CONFIG-PATH/OBSERVER_LOG_DIR": "fail"
    }


def test_no_map():
    gone = not_found("configmaps", "observer-config")
    runs = Runs(
        (
            said(ids.CONFIG_MAP, "", gone),
            said(ids.CONFIG_KEYS, "", gone + TRACEBACK),
            said(ids.PATH_CONTRACT, "", gone + TRACEBACK),
        )
    )
    assert verdicts(judge(runs)) == {"CONFIG-YAML": "fail", "CONFIG-KEYS": "fail", "CONFIG-PATH": "inconclusive"}
    assert str(of(judge(runs), "CONFIG-PATH").actual) == gone.strip()


@pytest.mark.parametrize("err", [forbidden("configmaps", "get"), REFUSED])
def test_a_map_that_was_not_seen(err: str):
    runs = Runs(
        (
            said(ids.CONFIG_MAP, "", err),
            said(ids.CONFIG_KEYS, "", err + TRACEBACK),
            said(ids.PATH_CONTRACT, "", err + TRACEBACK),
        )
    )
    assert verdicts(judge(runs)) == dict.fromkeys(("CONFIG-YAML", "CONFIG-KEYS", "CONFIG-PATH"), "inconclusive")
    assert len({str(found.actual) for found in judge(runs)}) == 1


def test_a_map_without_data_has_no_key():
    assert judged(said(ids.CONFIG_KEYS, "", "Traceback (most recent call last):\nKeyError: 'data'\n")) == {
        "CONFIG-KEYS": "fail"
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello\n",
        checks() + "hello\n",
        checks()[:-1],
        checks() + checks(),
        checks().replace("OK:", "MISMATCH:", 1),
        checks(OBSERVER_DATA_DIR="/data").replace("MISMATCH:", "OK:"),
        checks().replace("(expected: /opt/platform/runtime/observer/data)", "(expected: /data)"),
        checks() + "OK: OTHER_DIR = /x (expected: /x)\n",
    ],
)
def test_a_path_check_of_another_shape_is_unseen(text: str):
    assert judged(said(ids.PATH_CONTRACT, text)) == {"CONFIG-PATH": "inconclusive"}


def test_a_line_that_is_not_there_is_unseen():
    text = "".join(line + "\n" for line in checks().splitlines() if "SNAPSHOT" not in line)
    assert judged(said(ids.PATH_CONTRACT, text)) == {"CONFIG-PATH/OBSERVER_SNAPSHOT_DIR": "inconclusive"}


def test_crlf_and_extra_keys_are_fine():
    keys = "".join(f"{key}\r\n" for key in (*CONFIG_KEYS, "EXTRA"))
    assert judged(said(ids.CONFIG_KEYS, keys), said(ids.PATH_CONTRACT, checks().replace("\n", "\r\n"))) == {}


@pytest.mark.parametrize(("command", "code"), [(ids.CONFIG_MAP, "CONFIG-YAML"), (ids.CONFIG_KEYS, "CONFIG-KEYS")])
def test_silence_is_unseen(command: str, code: str):
    assert judged(said(command)) == {code: "inconclusive"}
    assert judged(said(command, "what is this?\n")) == {code: "inconclusive"}


@pytest.mark.parametrize("command", [ids.CONFIG_KEYS, ids.PATH_CONTRACT])
def test_cut_text(command: str):
    never_passes_cut_text(judge, runs_of("1.20/healthy", *STEP.commands), command)
