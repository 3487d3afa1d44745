"""Step 6: all of it from recordings, 6-1 and 6-2 (pods, events) by hand; the rest by hand is `test_step6_inside`."""

from __future__ import annotations

import pytest
from handmade import REFUSED, bad, forbidden, of, said, typed, verdicts
from support import made, runs_of

from playbook.model import Ended, Finding, Run, Runs, Verdict, missing
from playbook.steps import step6_pods
from playbook.steps.step6_pods import STEP, crash_loops, judge

PODS, MOUNTS = "step6-1-pods", "step6-5-mounts"
EVENTS, PG_EVENTS = "step6-2-describe-observer", "step6-2-describe-postgres"
HEADER = "NAME                       READY   STATUS                     RESTARTS      AGE         IP       NODE   NOMINATED NODE   READINESS GATES\n"


def recorded(state: str) -> tuple[Finding, ...]:
    return judge(runs_of(state, *STEP.commands))


def pod(
    name: str = "observer-7cd9cf784-89kbs",
    ready: str = "1/1",
    status: str = "Running",
    restarts: str = "0",
    age: str = "3d",
) -> str:
    return f"{name:<26} {ready:<7} {status:<26} {restarts:<13} {age:<11} <none>   <none>   <none>   <none>\n"


OTHERS = pod("observer-7cd9cf784-zzzzz") + pod("postgres-0")


def pods(*rows: str) -> Run:
    return said(PODS, HEADER + "".join(rows))


def events(*rows: tuple[str, str, str, str], command: str = EVENTS) -> Run:
    text = (
        "Events:\n  Type     Reason            Age              From     Message\n"
        "  ----     ------            ----             ----     -------\n"
    )
    return said(
        command, text + "".join(f"  {kind:<8} {why:<17} {age:<17} kubelet  {what}\n" for kind, why, age, what in rows)
    )


def healthy(*instead: Run) -> tuple[Finding, ...]:
    """The healthy recording, with some runs replaced."""
    keys = {run.command for run in instead}
    return judge(Runs([*(run for run in runs_of("1.20/healthy", *STEP.commands) if run.command not in keys), *instead]))


# Recordings


@pytest.mark.parametrize(
    "state",
    [
        "1.20/healthy",
        "1.20/healthy-24h",
        "1.20/attach-race",
        "1.20/ghcr-missing",
        "1.20/service-missing",
        "1.20/service-port",
        "1.20/sealed-down",
    ],
)
def test_nothing_is_wrong_with_the_pods(state: str) -> None:
    assert bad(recorded(state)) == {}
    assert len(recorded(state)) == 17


def test_one_restarted_container_is_a_warn() -> None:
    assert bad(recorded("1.20/restarts")) == {"POD-RESTARTS/observer-7cd9cf784-2dchn": "warn"}


def test_a_crash_loop_is_seen_between_two_back_offs() -> None:
    found = recorded("1.20/secret-key-missing")
    for name in ("observer-7cd9cf784-xsqzh", "observer-7cd9cf784-zqmjz"):
        assert verdicts(found)[f"CRASH-LOOP/{name}"] == "fail"
        assert typed(of(found, f"CRASH-LOOP/{name}")) == [f"kubectl logs {name} -n observer-prod --previous"]
    assert str(of(found, "LOG-OBSERVER").actual) == "KeyError: 'KIS_APP_KEY'"
    assert verdicts(found)["ENV-SECRET"] == verdicts(found)["MOUNT"] == "inconclusive"


def test_the_guides_row_for_each_recorded_status() -> None:
    describe = "kubectl describe pod {} -n observer-prod"
    for state, name in (
        ("1.20/image-missing", "observer-b4c9f4d9f-6ntpg"),
        ("1.20/pvc-pending", "observer-7cd9cf784-6qhlt"),
        ("1.20/secret-missing", "observer-7cd9cf784-4pngz"),
    ):
        found = recorded(state)
        assert verdicts(found)[f"POD-STATUS/{name}"] == "fail"
        assert typed(of(found, f"POD-STATUS/{name}")) == [describe.format(name)]
        assert verdicts(found)["EVENTS-OBSERVER"] == "fail"
        assert not [code for code in verdicts(found) if code.startswith("CRASH-LOOP")]
    assert "Step 7" in str(of(recorded("1.20/not-ready"), "POD-STATUS/observer-776c97d774-8jzvx").remedy[0])


def test_missing_pods() -> None:
    assert verdicts(recorded("1.20/db-down"))["PODS-PRESENT"] == "fail"
    assert verdicts(recorded("1.20/db-down"))["EVENTS-POSTGRES"] == "inconclusive"
    found = recorded("1.20/one-replica")
    assert bad(found) == {"PODS-PRESENT": "fail", "EVENTS-OBSERVER": "fail", "LOG-OBSERVER": "inconclusive"}
    assert str(of(found, "PODS-PRESENT").actual) == "observer: 1, postgres-0: 1"


def test_an_unmounted_volume_and_a_read_only_one() -> None:
    assert verdicts(recorded("1.20/ephemeral-data"))["MOUNT/data"] == "fail"
    assert verdicts(recorded("1.20/ephemeral-data"))["MOUNT/logs"] == "pass"
    write = of(recorded("1.20/read-only"), "WRITE/logs")
    assert write.verdict.value == "fail" and "no volume" in str(write.remedy[0])
    assert write.evidence is not None and (write.evidence.stream, write.evidence.line) == ("stderr", 2)


@pytest.mark.parametrize("state", ["1.20/api-down", "1.20/node-not-ready"])
def test_what_cannot_be_reached_is_not_called_broken(state: str) -> None:
    found = verdicts(recorded(state))
    for code in ("LOG-OBSERVER", "LOG-POSTGRES", "ENV-CONFIG", "ENV-TZ", "MOUNT", "WRITE/data", "WRITE/logs"):
        assert found[code] == "inconclusive"


@pytest.mark.parametrize("command", STEP.commands)
@pytest.mark.parametrize("how", ["missing", "empty", "refused", "timeout", "status"])
def test_an_output_that_is_not_there_never_passes(command: str, how: str) -> None:
    run = {
        "missing": missing(command),
        "empty": said(command),
        "refused": said(command, err=REFUSED, code=0),
        "timeout": said(command, ended=Ended.TIMEOUT),
        "status": said(command, code=137),
    }[how]
    lost = {code for code, verdict in verdicts(healthy()).items()} - set(verdicts(healthy(run)))
    changed = bad(healthy(run))
    assert changed and "fail" not in changed.values()
    assert lost <= {code for code in verdicts(healthy()) if code.startswith(("POD-STATUS/", "MOUNT/"))}


# 6-1 by hand


@pytest.mark.parametrize("status", ["CrashLoopBackOff", "Init:CrashLoopBackOff"])
def test_crash_loop_by_status(status: str) -> None:
    assert (
        verdicts(healthy(pods(pod(ready="0/1", status=status, restarts="0"), OTHERS)))[
            "CRASH-LOOP/observer-7cd9cf784-89kbs"
        ]
        == "fail"
    )


@pytest.mark.parametrize(
    "status",
    ["Error", "Completed", "OOMKilled", "ExitCode:1", "Signal:9", "StartError", "RunContainerError", "Init:Error"],
)
def test_an_ended_container_loops_from_its_second_end_on(status: str) -> None:
    again = Runs([pods(pod(ready="0/1", status=status, restarts="1 (5s ago)"), OTHERS)])
    assert [f.code for f in crash_loops(again)] == ["CRASH-LOOP/observer-7cd9cf784-89kbs"]
    assert crash_loops(Runs([pods(pod(ready="0/1", status=status), OTHERS)])) == ()


BACK_OFF = ("Warning", "BackOff", "8s (x3 over 22s)", "Back-off restarting failed container")


def test_a_running_pod_loops_when_a_young_back_off_event_says_so() -> None:
    rows = pods(pod(restarts="2 (9s ago)"), OTHERS)
    (found,) = crash_loops(Runs([rows, events(BACK_OFF)]))
    assert found.code == "CRASH-LOOP/observer-7cd9cf784-89kbs"
    assert found.evidence is not None and (found.evidence.command, found.evidence.line) == (EVENTS, 4)
    old = ("Warning", "BackOff", "11m (x3 over 12m)", "Back-off restarting failed container")
    image = ("Normal", "BackOff", "8s", 'Back-off pulling image "x"')
    other = (
        *BACK_OFF[:3],
        "Back-off restarting failed container observer in pod observer-7cd9cf784-zzzzz_observer-prod(0d7a)",
    )
    own = (
        *BACK_OFF[:3],
        "Back-off restarting failed container observer in pod observer-7cd9cf784-89kbs_observer-prod(0d7a)",
    )
    for event in (old, image, other):
        assert crash_loops(Runs([rows, events(event)])) == ()
    assert len(crash_loops(Runs([rows, events(own)]))) == 1
    assert crash_loops(Runs([rows, events(BACK_OFF, command=PG_EVENTS)])) == ()
    assert crash_loops(Runs([pods(pod(), OTHERS), events(BACK_OFF)])) == ()


def test_the_event_of_a_pod_that_the_events_name_is_not_anothers() -> None:
    named = (
        "Normal",
        "Started",
        "9s",
        "Successfully assigned observer-prod/observer-7cd9cf784-zzzzz to oracle-obs-arm",
    )
    assert crash_loops(Runs([pods(pod(restarts="1"), OTHERS), events(named, BACK_OFF)])) == ()


def test_postgres_loops_too() -> None:
    rows = pods(pod(), pod("observer-7cd9cf784-zzzzz"), pod("postgres-0", "0/1", "CrashLoopBackOff", "7 (2m ago)"))
    assert [f.code for f in crash_loops(Runs([rows]))] == ["CRASH-LOOP/postgres-0"]


def test_restarts_with_an_age_are_a_warn() -> None:
    found = healthy(pods(pod(restarts="3 (5m ago)"), OTHERS))
    assert bad(found) == {"POD-RESTARTS/observer-7cd9cf784-89kbs": "warn"}


def test_still_creating_is_not_stuck() -> None:
    for age, verdict in (("20s", "inconclusive"), ("<unknown>", "inconclusive"), ("89s", "inconclusive"),
                         ("90s", "fail"), ("2m3s", "fail")):  # fmt: skip
        found = healthy(pods(pod(ready="0/1", status="ContainerCreating", age=age), OTHERS))
        assert verdicts(found)["POD-STATUS/observer-7cd9cf784-89kbs"] == verdict
    assert typed(of(found, "POD-STATUS/observer-7cd9cf784-89kbs")) == [
        "kubectl describe pod observer-7cd9cf784-89kbs -n observer-prod"
    ]


@pytest.mark.parametrize(
    "status", ["NodeLost", "Unknown", "Init:0/1", "SchedulingGated", "Init:ErrImagePull", "SomethingNew"]
)
def test_an_unknown_status_is_abnormal_not_unreadable(status: str) -> None:
    found = of(healthy(pods(pod(ready="0/1", status=status), OTHERS)), "POD-STATUS/observer-7cd9cf784-89kbs")
    assert found.verdict.value == "fail" and status in str(found.actual) and typed(found)


def test_pods_that_the_guide_does_not_ask_about() -> None:
    extra = pod("tmp-curl", "0/1", "CrashLoopBackOff", "4") + pod("helm-install-x-abcde", "0/1", "Completed")
    gone = pod("observer-7cd9cf784-wld22", "0/1", "Terminating", "9")
    assert bad(healthy(pods(pod(), OTHERS, extra, gone))) == {}
    found = healthy(pods(pod(status="Terminating"), OTHERS))
    assert bad(found) == {"PODS-PRESENT": "fail"}
    assert bad(healthy(pods(pod(), pod("observer-7cd9cf784-thr22"), OTHERS))) == {"PODS-PRESENT": "warn"}


def test_no_pods_at_all_and_no_right_to_see_them() -> None:
    none = healthy(said(PODS, err="No resources found in observer-prod namespace.\n", code=0))
    assert verdicts(none)["PODS-PRESENT"] == "fail"
    hidden = healthy(said(PODS, err=forbidden("pods")))
    assert verdicts(hidden)["PODS-PRESENT"] == verdicts(hidden)["POD-STATUS"] == "inconclusive"
    assert "may not list pods" in str(of(hidden, "PODS-PRESENT").actual)


def test_a_table_that_is_not_understood_is_named() -> None:
    for text in (HEADER + "observer-7cd9cf784-89kbs\n", "NAME   AGE\nobserver-x   3d\n", HEADER + pod()[:-20]):
        assert verdicts(healthy(said(PODS, text)))["PODS-PRESENT"] == "inconclusive"


def test_a_terminals_line_ends() -> None:
    runs = runs_of("1.20/healthy", *STEP.commands)
    crlf = Runs(
        said(run.command, run.out.replace("\n", "\r\n"), run.err) if run.command != MOUNTS else run for run in runs
    )
    assert bad(judge(Runs(said(run.command, run.out, "", 0) for run in crlf))) == {}


# 6-2 by hand


def test_events_without_a_warning_pass_and_say_what_they_cover() -> None:
    found = of(healthy(events(("Normal", "Pulled", "4s", "Container image present"))), "EVENTS-OBSERVER")
    assert found.verdict.value == "pass" and "last pod" in str(found.actual)
    assert verdicts(healthy(said(EVENTS, "QoS Class: Burstable\n")))["EVENTS-OBSERVER"] == "inconclusive"


def test_an_event_of_an_unknown_type_is_not_called_harmless() -> None:
    odd = of(healthy(events(("Normal", "Pulled", "4s", "there"), ("Wrning", "Failed", "2s", "x"))), "EVENTS-OBSERVER")
    assert odd.verdict.value == "inconclusive"
    assert odd.evidence is not None and odd.evidence.line == 5


def test_a_section_of_events_without_a_row_was_cut() -> None:
    headers = events(("Normal", "Pulled", "4s", "there")).out.splitlines(keepends=True)[:3]
    for end in (1, 2, 3):
        assert verdicts(healthy(said(EVENTS, "".join(headers[:end]))))["EVENTS-OBSERVER"] == "inconclusive"


SEVERAL = "Name:             observer-7cd9cf784-qwkhz\nQoS Class:       Burstable\nNode-Selectors:  <none>\n"
ONE = "Name:             {name}\nNode-Selectors:  <none>\nEvents:          {events}\n"


def _described_each(events: str) -> Finding:
    """6-2 as kubectl 1.37 prints it for two pods, and then each of them."""
    pods = runs_of("1.20/healthy", "step6-1-pods")
    names = [pod.name for pod in step6_pods.guide_pods(pods[0].out) if step6_pods.app_of(pod) == "observer"]
    described = [made(f"describe-pod.{name}", ONE.format(name=name, events=events)) for name in names]
    runs = Runs([*pods, made("step6-2-describe-observer", SEVERAL), *described])
    return next(f for f in step6_pods.judge(runs) if f.code == "EVENTS-OBSERVER")


def test_events_left_out_for_several_pods_are_read_pod_by_pod() -> None:
    found = _described_each("<none>")
    assert found.verdict is Verdict.PASS
    assert found.evidence is not None and found.evidence.command.startswith("describe-pod.observer-")
    warning = (
        "\n  Type     Reason     Age   From     Message\n  ----     ------     ----  ----     -------\n"
        "  Warning  Unhealthy  2s    kubelet  Readiness probe failed"
    )
    assert _described_each(warning).verdict is Verdict.FAIL


def test_without_events_of_any_pod_nothing_was_seen() -> None:
    runs = Runs([*runs_of("1.20/healthy", "step6-1-pods"), made("step6-2-describe-observer", SEVERAL)])
    found = next(f for f in step6_pods.judge(runs) if f.code == "EVENTS-OBSERVER")
    assert found.verdict is Verdict.INCONCLUSIVE


# what is left of pods that were replaced


def shell(status: str, restarts: str = "0", age: str = "5d", name: str = "observer-7cd9cf784-gnf62") -> str:
    return pod(name, "0/1", status, restarts, age)


@pytest.mark.parametrize(
    ("status", "restarts"),
    [("Evicted", "0"), ("Error", "0"), ("Failed", "0"), ("Completed", "0"), ("ContainerStatusUnknown", "1"),
     ("OOMKilled", "0"), ("Signal:9", "0"), ("NodeShutdown", "0"), ("Terminated", "0"), ("OutOfmemory", "0"),
     ("UnexpectedAdmissionError", "0")],
)  # fmt: skip
def test_what_is_left_of_a_replaced_pod_is_a_warning_with_the_line_that_removes_it(status: str, restarts: str) -> None:
    found = healthy(pods(pod(), OTHERS, shell(status, restarts)))
    assert bad(found) == {"POD-LEFTOVER/observer-7cd9cf784-gnf62": "warn"}
    left = of(found, "POD-LEFTOVER/observer-7cd9cf784-gnf62")
    assert typed(left) == ["kubectl delete pod observer-7cd9cf784-gnf62 -n observer-prod"]
    assert "changes the cluster" in str(left.remedy[0].advice) and status in str(left.actual)
    assert str(of(found, "PODS-PRESENT").actual) == "observer: 2, postgres-0: 1"


def test_one_running_and_one_evicted_is_one() -> None:
    found = healthy(pods(pod(), shell("Evicted"), pod("postgres-0")))
    assert bad(found) == {"PODS-PRESENT": "fail", "POD-LEFTOVER/observer-7cd9cf784-gnf62": "warn"}
    assert str(of(found, "PODS-PRESENT").actual) == "observer: 1, postgres-0: 1"


def test_an_ended_pod_is_no_left_over_while_its_place_is_empty() -> None:
    """`Error` is also what a container reads between two starts."""
    name = "observer-7cd9cf784-gnf62"
    assert verdicts(healthy(pods(pod(), shell("Error"), pod("postgres-0"))))[f"POD-STATUS/{name}"] == "fail"
    again = healthy(pods(pod(), OTHERS, shell("Error", "2 (9s ago)")))
    assert verdicts(again)[f"CRASH-LOOP/{name}"] == "fail"
    # a new version fails at its first start while both pods of the old one run on
    new = healthy(pods(pod(), OTHERS, shell("Error", age="4s", name="observer-5b6cd9f89-gnf62")))
    assert verdicts(new)["POD-STATUS/observer-5b6cd9f89-gnf62"] == "fail"
    # of an old version, and long replaced
    old = healthy(pods(pod(age="1d"), pod("observer-7cd9cf784-zzzzz", age="1d"), pod("postgres-0"),
                       shell("Error", age="9d", name="observer-5b6cd9f89-gnf62")))  # fmt: skip
    assert bad(old) == {"POD-LEFTOVER/observer-5b6cd9f89-gnf62": "warn"}


def test_postgres_is_never_a_left_over() -> None:
    found = healthy(pods(pod(), pod("observer-7cd9cf784-zzzzz"), pod("postgres-0", "0/1", "Evicted")))
    assert verdicts(found)["POD-STATUS/postgres-0"] == "fail"


@pytest.mark.parametrize(
    "name",
    ["observer-exporter-6576f85cb6-fl4dp", "observer-exporter-fl4dp", "observer-backup-29", "observer-migrate-x7k2p",
     "observer-backup-29407680-x7k2p", "observer-0", "postgres-1", "postgres-exporter-6576f85cb6-fl4dp"],
)  # fmt: skip
@pytest.mark.parametrize("status", ["Running", "Completed", "CrashLoopBackOff"])
def test_a_pod_of_a_like_name_is_no_replica(name: str, status: str) -> None:
    row = f"{name:<40} {'1/1' if status == 'Running' else '0/1':<7} {status:<26} {'57 (2m ago)':<13} 3d\n"

    def listed(*names: str) -> Run:
        rows = "".join(f"{each:<40} {'1/1':<7} {'Running':<26} {'0':<13} 3d\n" for each in names)
        return said(PODS, f"{'NAME':<40} {'READY':<7} {'STATUS':<26} {'RESTARTS':<13} AGE\n{rows}{row}")

    two = ("observer-7cd9cf784-89kbs", "observer-7cd9cf784-zzzzz")
    assert bad(healthy(listed(*two, "postgres-0"))) == {}
    assert bad(healthy(listed(two[0], "postgres-0"))) == {"PODS-PRESENT": "fail"}


# seconds old

REFUSED_BY_ALL = ("Warning", "FailedScheduling", "5s", "0/1 nodes are available: 1 node(s) had untolerated taint(s).")


@pytest.mark.parametrize("status", ["Pending", "Init:0/2", "PodInitializing", "ContainerCreating"])
def test_a_pod_that_is_seconds_old_has_its_time_to_start(status: str) -> None:
    name = "POD-STATUS/observer-7cd9cf784-89kbs"
    for age, verdict in (("5s", "inconclusive"), ("45s", "inconclusive"), ("2m3s", "fail"), ("90s", "fail")):
        found = healthy(pods(pod(ready="0/1", status=status, age=age), OTHERS))
        assert verdicts(found)[name] == verdict
        assert typed(of(found, name)) and not [code for code in verdicts(found) if code.startswith("CRASH-LOOP")]


def test_a_pod_that_the_scheduler_has_refused_gets_no_time() -> None:
    rows = pods(pod(ready="0/1", status="Pending", age="5s"), OTHERS)
    found = healthy(rows, events(REFUSED_BY_ALL))
    assert verdicts(found)["POD-STATUS/observer-7cd9cf784-89kbs"] == "fail"
    taken = ("Normal", "Scheduled", "1s", "Successfully assigned observer-prod/observer-7cd9cf784-89kbs to arm")
    found = healthy(rows, events(REFUSED_BY_ALL, taken))
    assert verdicts(found)["POD-STATUS/observer-7cd9cf784-89kbs"] == "inconclusive"


def test_a_pod_that_runs_and_is_not_ready_gets_no_time() -> None:
    found = healthy(pods(pod(ready="0/1", age="31s"), OTHERS))
    assert verdicts(found)["POD-STATUS/observer-7cd9cf784-89kbs"] == "fail"


# crash loops in today's words


def test_the_back_off_event_in_the_words_of_today() -> None:
    """As kubectl 1.31 and newer put the container in front (recorded on 1.34: `spec.containers{observer}: …`)."""
    said_today = (*BACK_OFF[:3], "spec.containers{observer}: Back-off restarting failed container observer in pod "
                  "observer-7cd9cf784-89kbs_observer-prod(0d7a)")  # fmt: skip
    (found,) = crash_loops(Runs([pods(pod(restarts="2 (9s ago)"), OTHERS), events(said_today)]))
    assert found.code == "CRASH-LOOP/observer-7cd9cf784-89kbs"


def test_the_loop_is_found_in_the_description_of_one_pod() -> None:
    """kubectl 1.37 leaves out the events where it describes several pods; Step 6 then describes each."""
    name = "observer-7cd9cf784-89kbs"
    rows, blind = pods(pod(restarts="4 (2m ago)"), OTHERS), made("step6-2-describe-observer", SEVERAL)
    by_event = made(f"describe-pod.{name}", events(BACK_OFF).out)
    assert [f.code for f in crash_loops(Runs([rows, blind, by_event]))] == [f"CRASH-LOOP/{name}"]
    waiting = "Containers:\n  observer:\n    State:          Waiting\n      Reason:       CrashLoopBackOff\n"
    by_state = made(f"describe-pod.{name}", waiting + "Events:          <none>\n")
    (found,) = crash_loops(Runs([rows, blind, by_state]))
    assert found.evidence is not None and (found.evidence.command, found.evidence.line) == (f"describe-pod.{name}", 4)
    assert crash_loops(Runs([rows, blind, made("describe-pod.observer-7cd9cf784-zzzzz", waiting)]))[0].code.endswith(
        "zzzzz"
    )
