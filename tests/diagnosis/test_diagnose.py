"""From symptom to cause: every fault named by its root, first, and nothing named that was not seen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from diagnosing import OBSERVERS, Case, cut_off, diagnosed, examine, judged, pods
from diagnosis_cases import CASES, HANDMADE, LOOP, RECORDED
from pasted_cases import described
from support import made, runs_of, states
from test_recordings import wrong_today

from playbook.api import judge
from playbook.diagnosis.diagnose import MOST_PODS, diagnose
from playbook.guide import ids
from playbook.model import Ended, Run, Verdict, missing
from playbook.text import speaking


def named(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=wrong_today(case.name)) for case in CASES], ids=lambda case: case.name
)
def test_roots(case: Case) -> None:
    found = examine(case)
    assert found.codes == case.roots
    assert set(case.follows) <= {code for cause in found.causes[:1] for code in cause.explains}
    assert [cause.matched for cause in found.causes] == [not case.unmatched] * len(found.causes)


def test_every_recorded_state_has_its_root() -> None:
    assert {case.state for case in RECORDED} == set(states())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_cause_is_whole(case: Case) -> None:
    found = examine(case)
    judged_codes = {f.code: f for result in found.results for f in result.findings}
    told: list[str] = []
    for cause in found.causes:
        assert cause.line and cause.remedy and cause.explains
        assert set(cause.explains) <= set(judged_codes)
        assert all(judged_codes[code].verdict is not Verdict.PASS for code in cause.explains)
        assert "{" not in str(cause.title) and "{objects}" not in "".join(
            f"{r.command}{r.advice or ''}" for r in cause.remedy
        )
        assert not any("{target}" in r.command for r in cause.remedy)
        told += cause.explains
    assert len(told) - len(set(told)) <= 1  # PODS-PRESENT may have two causes at once
    failed = {code for code, f in judged_codes.items() if f.verdict is Verdict.FAIL}
    leaving = (
        {"EVENTS-OBSERVER", "LOG-OBSERVER"} if " Terminating " in _pods(case) or "over, all" in case.name else set()
    )
    assert failed - set(told) <= leaving


def _pods(case: Case) -> str:
    return (case.instead.get("step6-1-pods") or runs_of(case.state, "step6-1-pods")[-1]).out


def test_evidence_points_at_the_deciding_line() -> None:
    cause = examine(named("crash-permission")).causes[0]
    assert cause.evidence and cause.evidence.command == f"logs-previous.{OBSERVERS[0]}" and cause.evidence.line == 5
    assert cause.line.startswith("PermissionError: ")
    cause = examine(named("log gone, 6-3 has it")).causes[0]
    assert cause.evidence and cause.evidence.command == "step6-3-logs-observer"
    assert cause.line == "KeyError: 'KIS_APP_KEY'"
    cause = examine(named("no storage class")).causes[0]
    assert cause.evidence and (cause.evidence.command, cause.evidence.stream) == ("get-sc", "stderr")


def test_one_story_for_many_symptoms() -> None:
    cause = examine(named("secret-missing")).causes[0]
    assert cause.explains[0] == "OBSERVER-SECRETS"
    assert {"SECRET-KEYS", "EVENTS-OBSERVER", "LOG-OBSERVER", "HEALTH-POD", "DB-CONNECTION"} <= set(cause.explains)
    assert sum(code.startswith("POD-STATUS/observer-") for code in cause.explains) == 2
    assert cause.remedy[0].command == "playbook fix observer-secrets"
    cause = examine(named("secret-key-missing")).causes[0]
    assert cause.explains[0] == "SECRET-KEYS"
    assert any(code.startswith("CRASH-LOOP/") for code in cause.explains)
    assert cause.remedy[0].command.startswith("(umask 077; kubectl get secret observer-secrets ")
    assert [each.changes for each in cause.remedy] == [False, cause.remedy[1].changes, True]
    assert cause.remedy[1].command == "playbook fix observer-secrets"


def test_a_fault_of_postgres_is_not_told_twice() -> None:
    cause = examine(named("postgres down, observer crashes for it")).causes[0]
    assert any(code.startswith("POD-STATUS/observer-") for code in cause.explains)


def test_remedies_name_the_objects() -> None:
    commands = [r.command for r in examine(named("creating-mount")).causes[0].remedy]
    assert commands == [f"kubectl describe pod {OBSERVERS[0]} -n observer-prod"]
    commands = [r.command for r in examine(named("node-not-ready")).causes[0].remedy]
    assert commands[0] == "kubectl describe node oracle-obs-arm"


def test_no_more_pods_are_looked_at_than_bounded_and_the_rest_is_named() -> None:
    names = [f"observer-7cd9cf784-{n}" for n in ("bbbbb", "ccccc", "ddddd", "fffff", "ggggg")]
    case = Case(
        "many", (), instead={"step6-1-pods": pods(LOOP, names=names), **cut_off()}, says={"logs-previous": "crash-key"}
    )
    found = examine(case)
    assert sum(key.startswith("logs-previous.") for key in found.asked) == MOST_PODS
    cause = next(c for c in found.causes if c.code == "CRASH-KEY/observer")
    assert str(cause.remedy[-1].advice).endswith("observer-7cd9cf784-fffff, observer-7cd9cf784-ggggg")
    assert {f"POD-STATUS/{name}" for name in names} <= set(cause.explains)


def test_pods_not_looked_at_follow_the_root_of_those_that_were() -> None:
    names = [f"observer-7cd9cf784-{n}" for n in ("bbbbb", "ccccc", "ddddd", "fffff", "ggggg")]
    case = Case(
        "many", (), "1.20/secret-key-missing", {"step6-1-pods": pods(LOOP, names=names)}, {"logs-previous": "crash-key"}
    )
    found = examine(case)
    assert found.codes[0] == "SECRET-KEY-MISSING"
    assert not any(code.startswith("CRASH-KEY") for code in found.codes)


def test_two_pods_with_two_causes() -> None:
    says = {f"logs-previous.{OBSERVERS[0]}": "crash-module", f"logs-previous.{OBSERVERS[1]}": "crash-key"}
    found = examine(Case("two", (), instead={"step6-1-pods": pods(LOOP), **cut_off()}, says=says))
    assert set(found.codes) == {"CRASH-MODULE/observer", "CRASH-KEY/observer"}


def test_a_recording_without_the_diagnosis_says_no_branch() -> None:
    results = examine(Case("x", (), instead={"step6-1-pods": pods(LOOP), **cut_off()})).results
    causes = diagnose(results, lambda command, target: missing(f"{command}.{target}"))
    assert [c.code for c in causes] == ["UNMATCHED-POD/observer"] and not causes[0].matched
    assert "CrashLoopBackOff" in causes[0].line


def test_forbidden_and_timeouts_are_no_causes() -> None:
    forbidden = ('Error from server (Forbidden): persistentvolumeclaims is forbidden: User "x" cannot list resource '
                 '"persistentvolumeclaims" in API group "" in the namespace "observer-prod"\n')  # fmt: skip
    instead = {
        "step2-pvc": made("step2-pvc", stderr=forbidden, exit_code=1),
        "step5-services": made("step5-services", exit_code=None, ended=Ended.TIMEOUT),
    }
    found = examine(Case("x", (), instead=instead))
    assert any(f.verdict is Verdict.INCONCLUSIVE for f in found.results[2].findings)
    assert any(f.verdict is Verdict.INCONCLUSIVE for f in found.results[5].findings)
    assert found.causes == () and found.asked == ()


def test_a_silent_api_server_is_a_cause() -> None:
    runs = [
        replace(run, stdout=b"", stderr=b"", exit_code=None, ended=Ended.TIMEOUT) for run in runs_of("1.20/api-down")
    ]
    found = diagnosed(judged(runs))
    assert found.codes == ("API-UNREACHABLE",)


def test_the_api_server_goes_down_on_the_way() -> None:
    runs = [run for run in runs_of("1.20/healthy") if run.command != "step5-services"] + list(
        runs_of("1.20/api-down", "step5-services")
    )
    assert diagnosed(judged(runs)).codes == ("API-REFUSED",)


def test_one_step_alone_is_diagnosed_too() -> None:
    results = judged(runs_of("1.20/secret-missing"))
    causes = diagnosed(results[6:7], "1.20/secret-missing").causes
    assert [c.code for c in causes] == ["SECRET-ABSENT"]
    assert causes[0].line.endswith('Error: secret "observer-secrets" not found')


def test_the_language_does_not_matter() -> None:
    results = judged(runs_of("1.20/secret-missing"))
    english = diagnosed(results, "1.20/secret-missing").causes
    with speaking("ko"):
        assert diagnosed(results, "1.20/secret-missing").causes == english


def test_handmade_cases_differ_from_the_state_they_start_from() -> None:
    for case in HANDMADE:
        assert case.instead, case.name


def test_a_secret_that_was_made_anew_leaves_only_the_pods_to_be_renewed() -> None:
    """`secret-missing` after the fix: Step 3 is the healthy one's, the pods still show why they could not start."""

    def describe(command: str, target: str) -> Run:
        recorded = runs_of("1.20/secret-missing", f"{command}.{target}")
        return recorded[0] if recorded else missing(f"{command}.{target}")

    fixed = [judge(number, runs_of("1.20/healthy" if number == "3" else "1.20/secret-missing")) for number in "036"]
    root = diagnose(fixed, describe)[0]
    assert root.code == "SECRET-ABSENT"
    assert [remedy.command for remedy in root.remedy] == ["kubectl delete pod -l app=observer -n observer-prod"]
    before = [judge(number, runs_of("1.20/secret-missing")) for number in "036"]
    assert diagnose(before, describe)[0].remedy[0].command == "playbook fix observer-secrets"


def test_a_new_pod_that_a_cordoned_node_does_not_take_is_no_second_cause() -> None:
    """7-2's own pod waits for the node as any other would."""
    waiting = described(
        "Warning  FailedScheduling  9s  default-scheduler  0/1 nodes are available: 1 node(s) were unschedulable."
    )
    results = judged(runs_of("1.34/cordoned"))
    seen = (
        *results[7].runs,
        made(ids.HEALTH_VIA_SERVICE, exit_code=None, ended=Ended.STOPPED_EARLY),
        made(f"{ids.DESCRIBE_POD}.tmp-curl", waiting.out),
    )
    step7 = judge("7", seen)
    assert any(each.code == "NEW-POD" and each.verdict is Verdict.FAIL for each in step7.findings)
    found = diagnosed((*results[:7], step7, *results[8:]), "1.34/cordoned")
    assert found.codes == ("NODE-CORDONED/oracle-obs-arm",)
    assert "NEW-POD" in found.causes[0].explains
