"""Step 3 on recordings and on what they do not show."""

from __future__ import annotations

import pytest
from handmade import REFUSED, bad, forbidden, never_passes_cut_text, not_found, of, said, typed, verdicts
from support import runs_of

from playbook.guide import criteria, ids, remedies
from playbook.guide.expected import SEALED_SECRETS, SECRET_KEYS
from playbook.model import Ended, Run, Runs
from playbook.steps.step3_secrets import STEP, judge

EMERGENCY = "playbook show step3-3-create-observer-secrets"


def healthy(*changed: Run) -> Runs:
    """The healthy recording with some runs changed."""
    new = {run.command: run for run in changed}
    return Runs(new.get(run.command, run) for run in runs_of("1.20/healthy") if run.command in STEP.commands)


def judged(*changed: Run) -> dict[str, str]:
    return bad(judge(healthy(*changed)))


def test_healthy():
    found = judge(runs_of("1.20/healthy"))
    assert set(verdicts(found).values()) == {"pass"}
    assert [f.code for f in found] == [
        "SEALED-CONTROLLER",
        *(f"SEALED-SYNCED/{name}" for name in SEALED_SECRETS),
        *(f"SEALED-SECRET/{name}" for name in SEALED_SECRETS),
        "OBSERVER-SECRETS",
        "SECRET-KEYS",
        "GHCR-SECRET",
    ]
    assert {f.code.split("/")[0]: f.step for f in found} == {
        "SEALED-CONTROLLER": "3-1",
        "SEALED-SYNCED": "3-2",
        "SEALED-SECRET": "3-2",
        "OBSERVER-SECRETS": "3-3",
        "SECRET-KEYS": "3-4",
        "GHCR-SECRET": "3-5",
    }
    assert of(found, "SEALED-SECRET/obs-kis-secret").evidence.line == 18


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("1.20/secret-missing", {"OBSERVER-SECRETS": "fail", "SECRET-KEYS": "fail"}),
        ("1.20/secret-key-missing", {"SECRET-KEYS": "fail"}),
        ("1.20/ghcr-missing", {"GHCR-SECRET": "fail"}),
        ("1.20/sealed-down", {"SEALED-CONTROLLER": "fail"}),
        ("1.20/sealedsecret-missing", {"SEALED-SYNCED/obs-kis-secret": "fail", "SEALED-SECRET/obs-kis-secret": "fail"}),
    ],
)
def test_faults_of_the_recordings(state: str, expected: dict[str, str]):
    assert bad(judge(runs_of(state))) == expected


def test_an_api_server_that_is_down_shows_nothing():
    assert set(verdicts(judge(runs_of("1.20/api-down"))).values()) == {"inconclusive"}


# carrying it out


class FakeExecution:
    def __init__(self, jq: bool) -> None:
        self.jq, self.asked = jq, []

    def has_tool(self, name: str) -> bool:
        assert name == "jq"
        return self.jq

    def side_by_side(self, commands) -> tuple[Run, ...]:
        self.asked += commands
        return ()


@pytest.mark.parametrize(("jq", "left_out"), [(True, ids.SECRET_KEYS), (False, ids.SECRET_KEYS_JQ)])
def test_one_variant_of_3_4_is_run(jq: bool, left_out: str):
    execution = FakeExecution(jq)
    STEP.perform(STEP, execution)
    assert execution.asked == [command for command in STEP.commands if command != left_out]


def test_the_variant_that_was_run_is_judged():
    lacking = said(ids.SECRET_KEYS, "DB_USER\n")
    runs = Runs(run for run in healthy() if run.command not in (ids.SECRET_KEYS, ids.SECRET_KEYS_JQ))
    assert bad(judge(Runs((*runs, lacking)))) == {"SECRET-KEYS": "fail"}
    absent = said(ids.SECRET_KEYS_JQ, ended=Ended.NOT_RECORDED)
    assert bad(judge(Runs((*runs, absent, lacking)))) == {"SECRET-KEYS": "fail"}
    assert bad(judge(runs)) == {"SECRET-KEYS": "inconclusive"}


# 3-1


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ("sealed-secrets-controller-5746f67bd5-6fb5r   1/1     Running            0             48m\n", None),
        ("sealed-secrets-controller-5746f67bd5-6fb5r   1/1     Running            3 (5m ago)    48m\n", None),
        ("sealed-secrets-controller-5746f67bd5-6fb5r   0/1     Running            0             48m\n", "fail"),
        ("sealed-secrets-controller-5746f67bd5-6fb5r   0/0     Running            0             48m\n", "fail"),
        ("sealed-secrets-controller-5746f67bd5-6fb5r   1/1     Terminating        0             48m\n", "fail"),
        ("sealed-secrets-controller-5746f67bd5-6fb5r   0/1     CrashLoopBackOff   7             48m\n", "fail"),
        ("kubeseal-0                                   1/1     Running            0             48m\n", "inconclusive"),
        ("sealed-secrets-web-5746f67bd5-6fb5r          1/1     Running            0             48m\n", "inconclusive"),
        ("sealed-secrets-5746f67bd5-6fb5r              1/1     Running            0             48m\n", None),
        ("ops-sealed-secrets-5746f67bd5-6fb5r          1/1     Running            0             48m\n", None),
        (
            "sealed-secrets-web-5746f67bd5-6fb5r          1/1     Running            0             48m\n"
            "sealed-secrets-controller-5746f67bd5-6fb5r   0/1     Completed          0             48m\n",
            "fail",
        ),
        (
            "sealed-secrets-controller-5746f67bd5-n7xqb   0/1     Completed          0             48m\n"
            "sealed-secrets-controller-5746f67bd5-6fb5r   1/1     Running            0             9s\n",
            None,
        ),
        (
            "sealed-secrets-controller-5746f67bd5-n7xqb   0/1     Terminating        0             48m\n"
            "sealed-secrets-controller-5746f67bd5-6fb5r   1/1     Running            0             9s\n",
            None,
        ),
        (  # a new version that does not start beside the old one that still runs
            "sealed-secrets-controller-5746f67bd5-n7xqb   1/1     Running            0             48m\n"
            "sealed-secrets-controller-6c8d9f7b44-6fb5r   0/1     CrashLoopBackOff   7             12m\n",
            "warn",
        ),
        (
            "debug                                        1/1     Running            0             48m\n"
            "sealed-secrets-controller-5746f67bd5-6fb5r   0/1     Error              0             48m\n",
            "fail",
        ),
        ("sealed-secrets-controller-5746f67bd5-6fb5r   one     Running            0             48m\n", "inconclusive"),
        ("observer-7cd9cf784-bnvnl                     1/1     Running            0             48m\n", "inconclusive"),
    ],
)
def test_the_controller(rows: str, verdict: str | None):
    head = "NAME                                         READY   STATUS             RESTARTS      AGE\n"
    assert judged(said(ids.SEALED_CONTROLLER, head + rows)).get("SEALED-CONTROLLER") == verdict


def test_no_controller():
    none = said(ids.SEALED_CONTROLLER, "", "No resources found in sealed-secrets namespace.\n", 0)
    assert judged(none) == {"SEALED-CONTROLLER": "fail"}
    assert judged(said(ids.SEALED_CONTROLLER, "", forbidden("pods"))) == {"SEALED-CONTROLLER": "inconclusive"}
    assert judged(said(ids.SEALED_CONTROLLER)) == {"SEALED-CONTROLLER": "inconclusive"}


# 3-2


def sealed(synced: str, head: str = "SYNCED") -> Run:
    rows = [("NAME", "STATUS", head, "AGE"), *((name, "", synced, "3d") for name in SEALED_SECRETS)]
    return said(ids.SEALED_SECRETS, "".join("".join(cell.ljust(20) for cell in row).rstrip() + "\n" for row in rows))


@pytest.mark.parametrize(
    ("synced", "verdict"), [("True", None), ("False", "fail"), ("Unknown", "inconclusive"), ("", "inconclusive")]
)
def test_synced(synced: str, verdict: str | None):
    expected = {f"SEALED-SYNCED/{name}": verdict for name in SEALED_SECRETS} if verdict else {}
    assert judged(sealed(synced)) == expected


def test_a_list_without_the_synced_column_does_not_say():
    assert set(judged(sealed("True", head="READY")).values()) == {"inconclusive"}


def test_no_sealedsecrets_and_no_such_kind():
    everyone = {f"SEALED-SYNCED/{name}": "fail" for name in SEALED_SECRETS}
    assert judged(said(ids.SEALED_SECRETS, "", "No resources found in observer-prod namespace.\n", 0)) == everyone
    no_kind = 'error: the server doesn\'t have a resource type "sealedsecrets"\n'
    assert judged(said(ids.SEALED_SECRETS, "", no_kind)) == everyone
    spam = "E1122 22:56:34.1 1 memcache.go:265] couldn't get resource list for metrics.k8s.io/v1beta1\n"
    assert judged(said(ids.SEALED_SECRETS, "", spam + no_kind)) == {"SEALED-SYNCED": "inconclusive"}


def test_the_label_of_the_guide_decides_nothing():
    for err in ("No resources found in observer-prod namespace.\n", forbidden("secrets"), ""):
        assert judged(said(ids.GENERATED_SECRETS, "", err)) == {}


def summary(secrets: str, after: str = "\n=== SERVICES ===\nNAME   TYPE\n", err: str = "", code: int = 0) -> Run:
    return said(ids.SUMMARY, f"=== PODS ===\nNAME\n\n=== PVC ===\nNAME\n\n=== SECRETS ===\n{secrets}{after}", err, code)


THREE = "".join(f"{name} Opaque 1\n" for name in SEALED_SECRETS)
TWO = THREE.split("\n", 1)[1]
GONE = {"SEALED-SECRET/obs-db-secret": "fail"}
UNSEEN = {"SEALED-SECRET": "inconclusive"}
NOTHING = "No resources found in observer-prod namespace.\n"


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (summary(THREE), {}),
        (summary(THREE, after="", err=forbidden("services"), code=1), {}),
        (summary(TWO), GONE),
        (summary(TWO, after="\n=== SERVICES ===\n", err=forbidden("services"), code=1), GONE),
        (summary(TWO, after="", err=forbidden("secrets"), code=1), UNSEEN),
        (summary("", err=forbidden("secrets")), UNSEEN),
        (summary("", err=REFUSED), UNSEEN),
        (summary(""), UNSEEN),
        (summary("", err=NOTHING), {f"SEALED-SECRET/{name}": "fail" for name in SEALED_SECRETS}),
        (summary("", err=forbidden("secrets") + NOTHING), UNSEEN),
        (summary(THREE + "a line of another shape\n"), UNSEEN),
        (said(ids.SUMMARY, "=== PODS ===\n", forbidden("pods")), UNSEEN),
        (said(ids.SUMMARY), UNSEEN),
        (summary(TWO, after="obs-db-sec"), UNSEEN),
    ],
)
def test_the_list_of_secrets_in_the_summary(run: Run, expected: dict[str, str]):
    assert judged(run) == expected


# 3-3 and 3-5


def secret(command: str, name: str, kind: str, data: str = "13") -> Run:
    rows = (("NAME", "TYPE", "DATA", "AGE"), (name, kind, data, "3d"))
    return said(command, "".join("".join(cell.ljust(36) for cell in row).rstrip() + "\n" for row in rows))


def test_no_observer_secrets():
    found = of(judge(runs_of("1.20/secret-missing")), "OBSERVER-SECRETS")
    assert str(found.actual) == 'Error from server (NotFound): secrets "observer-secrets" not found'
    assert typed(found) == [EMERGENCY]
    assert found.evidence.stream == "stderr"


def test_another_type_is_not_an_absent_secret():
    assert judged(secret(ids.OBSERVER_SECRETS, "observer-secrets", "kubernetes.io/basic-auth")) == {
        "SECRET-TYPE": "fail"
    }
    assert judged(secret(ids.OBSERVER_SECRETS, "observer-secrets", "Opaque", "40")) == {}
    assert judged(secret(ids.GHCR_SECRET, "ghcr-secret", "Opaque")) == {"GHCR-SECRET": "fail"}


@pytest.mark.parametrize(
    ("type", "data", "code"), [("kubernetes.io/basic-auth", "13", "SECRET-TYPE"), ("Opaque", "0", "SECRET-DATA")]
)
def test_no_remedy_creates_an_observer_secrets_that_is_there(type: str, data: str, code: str) -> None:
    """Creating it would fail, or first need its deletion: its values would be gone."""
    found = of(judge(healthy(secret(ids.OBSERVER_SECRETS, "observer-secrets", type, data))), code)
    assert found.remedy[0] == remedies.KEEP_SECRET
    assert EMERGENCY not in typed(found) and not [line for line in typed(found) if "delete secret" in line]
    assert (remedies.ADD_SECRET_KEYS in found.remedy) == (code == "SECRET-DATA")


@pytest.mark.parametrize(
    ("command", "name", "code"),
    [(ids.OBSERVER_SECRETS, "observer-secrets", "OBSERVER-SECRETS"), (ids.GHCR_SECRET, "ghcr-secret", "GHCR-SECRET")],
)
def test_a_secret_that_was_not_seen(command: str, name: str, code: str):
    for run in (
        said(command),
        said(command, "", forbidden("secrets", "get")),
        said(command, "hello\n"),
        secret(command, "other", "Opaque"),
    ):
        assert judged(run) == {code: "inconclusive"}
    assert judged(said(command, "", not_found("secrets", name))) == {code: "fail"}
    assert judged(said(command, "", not_found("namespaces", "observer-prod"))) == {code: "fail"}


# 3-4

PYTHON_FAILED = 'Traceback (most recent call last):\n  File "<string>", line 1, in <module>\njson.decoder.JSONDecodeError: Expecting value\n'


@pytest.mark.parametrize("command", [ids.SECRET_KEYS, ids.SECRET_KEYS_JQ])
def test_missing_keys_are_named(command: str):
    keys = "".join(f"{key}\n" for key in SECRET_KEYS if key not in ("KIS_HTS_ID", "PGPORT")) + "EXTRA\n"
    runs = Runs(run for run in healthy() if run.command not in (ids.SECRET_KEYS, ids.SECRET_KEYS_JQ))
    found = of(judge(Runs((*runs, said(command, keys)))), "SECRET-KEYS")
    assert (found.verdict.value, str(found.actual)) == ("fail", "missing: KIS_HTS_ID, PGPORT")
    keep, add, renew = found.remedy
    assert keep.command.startswith("(umask 077; ") and not keep.changes
    assert add.command == "playbook fix observer-secrets"
    assert renew.changes and "secret" not in renew.command


@pytest.mark.parametrize(
    ("err", "verdict"),
    [
        (not_found("secrets", "observer-secrets"), "fail"),
        (not_found("secrets", "observer-secrets") + PYTHON_FAILED, "fail"),
        (forbidden("secrets", "get") + PYTHON_FAILED, "inconclusive"),
        (PYTHON_FAILED, "inconclusive"),
        ("Traceback (most recent call last):\nKeyError: 'data'\n", "fail"),
        ("jq: error (at <stdin>:9): null (null) has no keys\n", "fail"),
        ("bash: line 1: jq: command not found\n", "inconclusive"),
        ("", "inconclusive"),
    ],
)
@pytest.mark.parametrize("code", [0, 1])
def test_keys_behind_a_pipe(err: str, verdict: str, code: int):
    assert judged(said(ids.SECRET_KEYS_JQ, "", err, code)) == {"SECRET-KEYS": verdict}


def test_forbidden_is_seen_behind_the_traceback():
    found = of(
        judge(healthy(said(ids.SECRET_KEYS_JQ, "", forbidden("secrets", "get") + PYTHON_FAILED, 1))), "SECRET-KEYS"
    )
    assert str(found.actual) == "Forbidden: may not get secrets"


def test_extra_keys_and_crlf_are_fine():
    assert judged(said(ids.SECRET_KEYS_JQ, "".join(f"{key}\r\n" for key in (*SECRET_KEYS, "extra.key")))) == {}


@pytest.mark.parametrize(
    "command",
    [ids.SEALED_CONTROLLER, ids.SEALED_SECRETS, ids.OBSERVER_SECRETS, ids.SECRET_KEYS_JQ, ids.GHCR_SECRET, ids.SUMMARY],
)
def test_cut_text(command: str):
    never_passes_cut_text(judge, healthy(), command)


def test_the_status_of_a_sealedsecret_is_told_and_its_remedy_fits():
    found = {f.code: f for f in judge(runs_of("1.34/sealed-wrong-key"))}
    synced = found["SEALED-SYNCED/obs-kis-secret"]
    assert str(synced.actual) == "SYNCED = False, STATUS = no key could decrypt secret (k)"
    assert "kubeseal" in str(synced.remedy[0].advice) and all(remedy.changes for remedy in synced.remedy)


def test_an_empty_observer_secrets_is_told_and_is_not_criterion_1() -> None:
    text = "NAME               TYPE     DATA   AGE\nobserver-secrets   Opaque   {}      3d\n"
    found = judge(Runs([said(ids.OBSERVER_SECRETS, text.format(0))]))
    codes = {each.code: each.verdict.value for each in found}
    assert codes["OBSERVER-SECRETS"] == "pass" and codes["SECRET-DATA"] == "fail"
    assert not [each for each in criteria.met(found) if each.number == 1]
    assert "SECRET-DATA" not in {each.code for each in judge(Runs([said(ids.OBSERVER_SECRETS, text.format(13))]))}
