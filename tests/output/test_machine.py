"""JSON by its contract and its published schema; JUnit XML as CI servers read it."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import sessions

from playbook.api import render, replay, scenario
from playbook.output.json import json_text, to_json
from playbook.output.junit import junit_text
from playbook.resources import folder

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed: the schema is not tested")

SCHEMA = json.loads((folder("schema") / "playbook-v1.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@pytest.mark.parametrize("make", sessions.ALL)
def test_every_session_is_valid_by_the_schema(make):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    VALIDATOR.validate(json.loads(json_text(make(), sessions.TITLES)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "playbook/v2"),
        (("verdict",), "passed"),
        (("exit_code",), 1),
        (("started_at",), "2026-11-22T14:03:05.123Z"),
        (("cluster", "namespace"), ""),
        (("steps", 0, "id"), "1"),
        (("steps", 3, "verdict"), "ok"),
        (("steps", 3, "findings", 0, "step"), "step 3"),
        (("steps", 3, "findings", 0, "code"), "lower case"),
        (("steps", 3, "findings", 0, "remedy"), "kubectl"),
        (("steps", 3, "findings", 0, "evidence"), {"command": "x"}),
        (("steps", 3, "runs", 0, "ended"), "died"),
        (("abort",), {"criterion": 7, "step": "3"}),
    ],
)
def test_the_schema_refuses_what_the_contract_does_not_allow(path, value):
    document = copy.deepcopy(to_json(sessions.complete(), sessions.TITLES))
    VALIDATOR.validate(document)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert not VALIDATOR.is_valid(document)


def test_the_schema_wants_ten_steps_and_every_key():
    document = to_json(sessions.complete(), sessions.TITLES)
    assert not VALIDATOR.is_valid({**document, "steps": document["steps"][:9]})
    for key in SCHEMA["required"]:
        assert not VALIDATOR.is_valid({name: value for name, value in document.items() if name != key}), key


def test_keys_and_their_order():
    document = to_json(sessions.aborted(), sessions.TITLES)
    assert list(document)[:10] == [
        "schema",
        "session",
        "guide",
        "cluster",
        "started_at",
        "ended_at",
        "verdict",
        "exit_code",
        "abort",
        "steps",
    ]
    assert document["schema"] == "playbook/v1" and document["guide"] == {"version": "1.0"}
    assert document["cluster"] == {
        "server": "https://10.0.0.5:6443",
        "nodes": ["oracle-obs-arm"],
        "namespace": "observer-prod",
        "uid": None,
        "version": None,
    }
    assert (document["started_at"], document["ended_at"]) == ("2026-11-22T14:03:05Z", "2026-11-23T15:03:05Z")
    assert (document["verdict"], document["exit_code"]) == ("aborted", 4)
    assert document["abort"] == {"criterion": 1, "step": "3-3"}
    step = document["steps"][3]
    assert list(step)[:5] == ["id", "title", "verdict", "findings", "runs"]
    finding = step["findings"][1]
    assert list(finding) == ["code", "step", "verdict", "summary", "expected", "actual", "evidence", "remedy"]
    assert finding["remedy"][0] == "python -m playbook show step3-3-create-observer-secrets"
    assert finding["evidence"] == {"command": "step3-3-observer-secrets", "line": 1, "ordinal": 1, "stream": "stderr"}
    assert step["runs"] == [
        {
            "id": "step3-3-observer-secrets",
            "exit_code": 1,
            "ended": "exited",
            "started_at": "2026-11-22T14:03:05Z",
            "seconds": 0.08,
            "ordinal": 1,
            "rows": None,
        }
    ]
    assert document["causes"][0]["explains"] == ["POD-STATUS/postgres-0", "HEALTH-POD"]


def test_what_was_judged_from_a_recording_says_so():
    for form in ("json", "junit"):
        live, judged = (render(replace(sessions.complete(), replayed=replayed), form) for replayed in (False, True))
        assert live != judged, form
    document = json.loads(render(replay(scenario("healthy-24h")), "json"))
    VALIDATOR.validate(document)
    assert document["replayed"] is True and document["cluster"]["uid"] is None
    document = json.loads(render(sessions.complete(), "json"))
    assert document["replayed"] is False


def test_the_cluster_is_named_by_what_does_not_depend_on_its_address():
    session = sessions.complete()
    uid = "12345678-1234-1234-1234-123456789abc"
    named = replace(session, provenance=replace(session.provenance, cluster_uid=uid, server="v1.34.1+k3s1"))
    cluster = to_json(named, sessions.TITLES)["cluster"]
    assert (cluster["uid"], cluster["version"]) == (uid, "v1.34.1+k3s1")


def test_it_says_by_what_the_commands_were_run_and_what_they_did_not_get():
    how = replace(
        sessions.complete().provenance,
        kubectl="/usr/local/bin/k3s",
        kubectl_sha256="ab" * 32,
        context="default",
        removed=("CURL_HOME",),
        noticed=("~/.curlrc",),
        images=(("postgres-0", "docker.io/library/postgres:15", "docker.io/library/postgres@sha256:ab12"),),
    )
    document = to_json(replace(sessions.complete(), provenance=how), sessions.TITLES)
    VALIDATOR.validate(json.loads(json.dumps(document)))
    told = document["run_by"]
    assert told["kubectl"] == {"path": "/usr/local/bin/k3s", "sha256": "ab" * 32}
    assert told["tools"]["bash"] == "5.2.15" and told["context"] == "default"
    assert (told["not_handed_on"], told["read_by_tools"]) == (["CURL_HOME"], ["~/.curlrc"])
    assert told["images"][0]["pod"] == "postgres-0"
    assert to_json(replace(sessions.complete(), provenance=None), sessions.TITLES)["run_by"] is None


@pytest.mark.parametrize(
    ("make", "verdict", "code"),
    [
        (sessions.complete, "complete", 0),
        (sessions.failed, "failed", 1),
        (sessions.empty, "incomplete", 3),
        (sessions.aborted, "aborted", 4),
        (sessions.pending, "pending", 5),
    ],
)
def test_verdict_and_exit_code_belong_together(make, verdict, code):
    document = to_json(make(), sessions.TITLES)
    assert (document["verdict"], document["exit_code"]) == (verdict, code)


def test_steps_that_no_result_speaks_of_are_not_run():
    session = replace(sessions.complete(), results=sessions.complete().results[:3])
    steps = to_json(session, sessions.TITLES)["steps"]
    assert [step["id"] for step in steps] == list("0123456789")
    assert [step["verdict"] for step in steps] == ["pass"] * 3 + ["not-run"] * 7


def test_a_step_that_saw_nothing_is_inconclusive():
    assert to_json(sessions.empty(), sessions.TITLES)["steps"][0]["verdict"] == "inconclusive"


def test_a_waived_finding_keeps_its_verdict_and_names_the_waiver():
    step = to_json(sessions.waived(), sessions.TITLES)["steps"][5]
    assert (step["verdict"], step["standing"]) == ("fail", "warn")
    assert step["findings"][0]["waived"] == {"by": "lee", "reason": "moved on | purpose", "at": "2026-11-22T16:03:05Z"}
    assert step["findings"][0]["verdict"] == "fail"


def test_a_run_that_never_was_has_no_moment():
    from playbook.model import missing

    result = replace(sessions.passed("1"), runs=(missing("step1-namespace"),))
    session = replace(sessions.empty(), results=(sessions.passed("0"), result, *sessions.empty().results[2:]))
    document = to_json(session, sessions.TITLES)
    assert document["steps"][1]["runs"][0]["started_at"] is None
    VALIDATOR.validate(document)


def test_json_text_is_one_document_that_any_stream_can_take():
    text = json_text(sessions.hostile(), sessions.TITLES)
    assert json.loads(text) == to_json(sessions.hostile(), sessions.TITLES)
    assert text.endswith("}\n") and "\x1b" not in text and "파드" in text
    odd = sessions.finding("A", "0", actual="half \ud800 pair")
    broken = replace(
        sessions.empty(), results=(replace(sessions.passed("0"), findings=(odd,)), *sessions.empty().results[1:])
    )
    assert json.loads(json_text(broken, sessions.TITLES).encode("utf-8"))


def junit(session):
    return ElementTree.fromstring(junit_text(session, sessions.TITLES))


@pytest.mark.parametrize("make", sessions.ALL)
def test_junit_has_the_shape_that_ci_servers_read(make):
    root = junit(make())
    assert root.tag == "testsuites" and len(root) == 10
    for suite in root:
        assert suite.tag == "testsuite"
        assert [child.tag for child in suite] == ["properties"] + ["testcase"] * (len(suite) - 1)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase")) > 0
        for counted, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[counted]) == len(suite.findall(f"testcase/{tag}"))
        assert float(suite.attrib["time"]) >= 0
        names = [(case.attrib["classname"], case.attrib["name"]) for case in suite.iter("testcase")]
        assert len(set(names)) == len(names)
        for case in suite.iter("testcase"):
            assert [c.tag for c in case] in (
                [],
                ["failure"],
                ["error"],
                ["skipped"],
                ["system-out"],
                ["skipped", "system-out"],
            )
            assert case.attrib["classname"] == f"step{suite.attrib['id']}"
    assert int(root.attrib["tests"]) == len(list(root.iter("testcase")))
    assert int(root.attrib["failures"]) == len(list(root.iter("failure")))
    assert int(root.attrib["errors"]) == len(list(root.iter("error")))


def outcome(session, name):
    case = next(case for case in junit(session).iter("testcase") if case.attrib["name"] == name)
    return case[0] if len(case) else None


def test_each_verdict_has_its_junit_outcome():
    failed = sessions.failed()
    service = outcome(failed, "SERVICE/postgres")
    assert (service.tag, service.attrib) == ("failure", {"message": "the Service is missing", "type": "fail"})
    assert (
        "expected: ClusterIP, 5432/TCP\nactual: no such Service\nevidence: step5-services.2:2\nremedy: kubectl apply"
        in service.text
    )
    assert outcome(failed, "HEALTH-SERVICE").tag == "error"
    assert outcome(failed, "RESTART-OBSERVER").tag == outcome(failed, "STEP").tag == "skipped"
    assert outcome(failed, "K3S-VERSION/oracle-obs-arm").tag == "system-out"
    assert outcome(failed, "NAMESPACE-ACTIVE") is None
    assert outcome(sessions.pending(), "RECENT-FILES").tag == "skipped"


def test_a_waived_finding_is_skipped_with_its_reason():
    assert outcome(sessions.waived(), "SERVICE-PORT/observer").attrib["message"] == "waived by lee: moved on | purpose"


def test_a_step_that_saw_nothing_is_an_error_not_a_pass():
    assert outcome(sessions.empty(), "STEP").tag == "error"


def test_properties_say_which_session_and_cluster():
    found = {p.attrib["name"]: p.attrib["value"] for p in junit(sessions.complete()).find("testsuite").iter("property")}
    assert found["session"] == "20261122T140305Z-k3s" and found["cluster.server"] == "https://10.0.0.5:6443"
    assert found["cluster.namespace"] == "observer-prod" and found["verdict"] == "complete"


def test_characters_that_xml_does_not_allow_are_gone():
    text = junit_text(sessions.hostile(), sessions.TITLES)
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", text)
    assert "파드가 준비되지 않음" in text
    odd = sessions.finding("A", "0", summary="\ufffe \ud800 \x00", actual="x")
    session = replace(
        sessions.empty(), results=(replace(sessions.passed("0"), findings=(odd,)), *sessions.empty().results[1:])
    )
    ElementTree.fromstring(junit_text(session, sessions.TITLES).encode("utf-8"))
