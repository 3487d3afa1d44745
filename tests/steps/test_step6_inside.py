"""Step 6-3 to 6-6: logs, environment, mounts and writes by hand."""

from __future__ import annotations

import pytest
from handmade import REFUSED, bad, of, said, typed, verdicts
from test_step6 import healthy

from playbook.guide.expected import CONFIG_KEYS, OBSERVER_ROOT, SECRET_KEYS
from playbook.model import Run

TTY = "Unable to use a TTY - input is not a terminal or the right kind of file\n"
ENV, MOUNTS = "step6-4-env", "step6-5-mounts"
LOG, PG_LOG = "step6-3-logs-observer", "step6-3-logs-postgres"

# logs


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("INFO started\nERROR no connection\n", "fail"),
        ('{"level": "CRITICAL", "message": "x"}\n', "fail"),
        ('{"level": "INFO", "message": "sync done", "errors": 0}\n', "pass"),
        ("INFO the last ERROR was yesterday", "pass"),
        ("WARNING slow\n", "pass"),
        ("something ended in ERROR\n", "inconclusive"),
        ("INFO started\nKeyError: 'KIS_APP_KEY'\n", "inconclusive"),
        ("INFO started\nunable to retrieve container logs for containerd://0d7a", "inconclusive"),
        ("ERROR x\nunable to retrieve container logs for containerd://0d7a", "fail"),
        ("INFO started\nER", "inconclusive"),  # cut before it could say what it was about to
        ("INFO started\n2026-11-22 12:00:00 CRI", "inconclusive"),
        ("INFO started\nINFO half a sen", "pass"),
        ("\n\n", "inconclusive"),
    ],
)
def test_observers_log(text: str, verdict: str) -> None:
    assert verdicts(healthy(said(LOG, text)))["LOG-OBSERVER"] == verdict


def test_the_first_error_is_the_evidence_and_comes_before_an_api_failure() -> None:
    found = of(healthy(said(LOG, "INFO a\nERROR b\nERROR c\n", REFUSED)), "LOG-OBSERVER")
    assert str(found.summary).startswith("2 records") and str(found.actual) == "ERROR b"
    assert found.evidence is not None and found.evidence.line == 2


AT = "2026-11-22 22:56:10.603 UTC [1] "
READY = f"{AT}LOG:  database system is ready to accept connections\n"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (READY, "pass"),
        (f'{READY}{AT}ERROR:  relation "x" does not exist\n', "pass"),
        (f'{READY}{AT}FATAL:  role "root" does not exist\n', "fail"),
        (f"{AT}PANIC:  could not write\n", "fail"),
        (f"{AT}LOG:  checkpoint complete\n" * 30, "warn"),
        (f"{AT}LOG:  checkpoint complete\n" * 29, "inconclusive"),
        ("words without a severity\n" * 30, "inconclusive"),
        (f"{READY}{AT}LOG:  received fast shutdown request\n{AT}LOG:  database system is shut down\n", "inconclusive"),
        (f"{READY}{AT}LOG:  database system is shut down\n{READY}", "pass"),
        (f"{AT}LOG:  statement: SELECT 'FATAL: x'\n{READY}", "pass"),
        (f"{READY}{AT}LOG:  server process (PID 71) was terminated by signal 9: Killed\n", "inconclusive"),
        (f"{READY}{AT}LOG:  server process (PID 71) was terminated by signal 9: Killed\n{READY}", "warn"),
        (f"{AT}LOG:  server process (PID 71) was terminated by signal 9: Killed\n" * 30, "inconclusive"),
        (
            f'{READY}{AT}LOG:  background worker "x" (PID 71) was terminated by signal 11: Segmentation fault\n',
            "inconclusive",
        ),
        (f"{READY}{AT}FATA", "inconclusive"),  # cut before it could say what it was about to
        ("unable to retrieve container logs for containerd://0d7a", "inconclusive"),
    ],
)
def test_postgres_log(text: str, verdict: str) -> None:
    assert verdicts(healthy(said(PG_LOG, text)))["LOG-POSTGRES"] == verdict


# 6-4 to 6-6 by hand


def environment(*leave_out: str, tz: str = "Asia/Seoul", pod_name: str = "observer-x") -> Run:
    settings = {**dict.fromkeys((*CONFIG_KEYS, *SECRET_KEYS), "********"), "TZ": tz, "POD_NAME": pod_name}
    return said(
        ENV, "".join(f"{name}={value}\n" for name, value in sorted(settings.items()) if name not in leave_out), TTY, 0
    )


def test_environment() -> None:
    assert bad(healthy(environment())) == {}
    assert bad(healthy(environment("LOG_LEVEL"))) == {"ENV-CONFIG": "fail"}
    found = healthy(environment("KIS_APP_KEY", "DB_PASSWORD"))
    assert (
        bad(found) == {"ENV-SECRET": "fail"}
        and str(of(found, "ENV-SECRET").actual) == "missing: DB_PASSWORD, KIS_APP_KEY"
    )
    assert bad(healthy(environment(tz="UTC"))) == bad(healthy(environment("TZ"))) == {"ENV-TZ": "fail"}
    assert bad(healthy(environment(pod_name=""))) == bad(healthy(environment("POD_NAME"))) == {"ENV-POD-NAME": "fail"}


def test_a_masked_line_is_the_rest_of_a_value_and_a_strange_one_is_named() -> None:
    whole = environment().out
    assert bad(healthy(said(ENV, "*****\n" + whole))) == {}
    found = healthy(said(ENV, whole + "what is this\n"))
    assert set(bad(found).values()) == {"inconclusive"} and len(bad(found)) == 4
    assert set(bad(healthy(said(ENV, whole[:-6]))).values()) == {"inconclusive"}


def mounts(*names: str) -> str:
    return "".join(f"/dev/sda1        20G   1G   19G   5% {OBSERVER_ROOT}/{name}\n" for name in names)


def test_mounts() -> None:
    assert bad(healthy(said(MOUNTS, mounts("data", "logs", "universe", "config"), TTY, 0))) == {}
    none = {"MOUNT/data": "fail", "MOUNT/logs": "fail", "MOUNT/universe": "fail"}
    assert bad(healthy(said(MOUNTS, "", TTY, 1))) == none
    assert bad(healthy(said(MOUNTS, f"overlay 20G 1G 19G 5% {OBSERVER_ROOT}\n"))) == none
    assert bad(healthy(said(MOUNTS, mounts("data")[:-4], TTY, 0))) == {"MOUNT": "inconclusive"}
    wrapped = (
        mounts("logs", "universe")
        + f"/dev/mapper/vg0-observer-data\n                 20G   1G   19G   5% {OBSERVER_ROOT}/data\n"
    )
    assert bad(healthy(said(MOUNTS, wrapped, TTY, 0))) == {}
    failed = said(MOUNTS, mounts("data", "logs"), TTY + "error: lost connection to pod\n", 0)
    assert bad(healthy(failed)) == {"MOUNT/universe": "inconclusive"}
    assert bad(healthy(said(MOUNTS, "observer what is this\n"))) == {"MOUNT": "inconclusive"}


@pytest.mark.parametrize(
    ("out", "err", "code", "verdict", "cause"),
    [
        ("OK\r\n", "", 0, "pass", ""),
        ("", "touch: cannot touch '/x/.write_test': Permission denied\n", 1, "fail", "fsGroup"),
        ("", "touch: /x/.write_test: Read-only file system\n", 1, "fail", "no volume"),
        ("touch: /x/.write_test: Permission denied\r\n", "", 1, "fail", "fsGroup"),
        ("", "touch: cannot touch '/x': No space left on device\n", 1, "inconclusive", ""),
        ("", "error: open /etc/rancher/k3s/k3s.yaml: Permission denied\n", 1, "inconclusive", ""),
        ("NOT OK\n", "", 0, "inconclusive", ""),
        (
            "OK\n",
            "rm: cannot remove '/x/.write_test': Operation not permitted\ncommand terminated with exit code 1\n",
            1,
            "warn",
            "remove",
        ),
    ],
)
def test_write(out: str, err: str, code: int, verdict: str, cause: str) -> None:
    found = of(healthy(said("step6-6-write-data", out, TTY + err, code)), "WRITE/data")
    assert found.verdict.value == verdict
    assert cause in " ".join(map(str, found.remedy)) and bool(cause) == bool(found.remedy)


# more of the logs

CRASHES = [
    "exec /usr/bin/python3: exec format error",
    "exec /app/arm64: exec format error",  # recorded on 1.34
    "standard_init_linux.go:228: exec user process caused: exec format error",
    "exec /entrypoint.sh: no such file or directory",
    "/usr/bin/python3: can't open file '/app/observer.py': [Errno 13] Permission denied",
    "python: can't open file '/app/observer.py': [Errno 2] No such file or directory",
    "/usr/local/bin/python3: No module named observer",
    "Illegal instruction",
    "Illegal instruction (core dumped)",
    "/entrypoint.sh: line 3:     7 Segmentation fault      (core dumped) python3 observer.py",
    "Fatal Python error: Segmentation fault",
    "Killed",
    "/entrypoint.sh: line 3:     7 Killed                  python3 observer.py",
    "╭─────────────────── Traceback (most recent call last) ────────────────────╮",
    '  File "/app/observer.py", line 88 in poll',
    "sh: 1: observer: not found",
    "python3: error while loading shared libraries: libpq.so.5: cannot open shared object file",
    "terminate called after throwing an instance of 'std::bad_alloc'",
    "panic: runtime error: invalid memory address or nil pointer dereference",
]


@pytest.mark.parametrize("line", CRASHES)
@pytest.mark.parametrize("before", ["", "INFO observer starting\n"])
def test_a_crash_states_no_level_and_fails(line: str, before: str) -> None:
    """Handmade, but for the one that says where it was recorded, after what kernels, shells and interpreters print."""
    found = of(healthy(said(LOG, f"{before}{line}\n{line}\n")), "LOG-OBSERVER")
    assert found.verdict.value == "fail" and found.evidence is not None and found.evidence.line == (2 if before else 1)


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ('ts=2026-11-22T12:00:00Z level="error" msg="no connection"', "fail"),
        ("2026-11-22 12:00:00 | error | db | no connection", "fail"),
        ("2026-11-22 12:00:00 | info | db | level=error was seen", "pass"),
        ('{"severity_text": "ERROR", "body": "no connection"}', "fail"),
        ('{"level_name": "CRITICAL", "message": "x"}', "fail"),
        ('{"log": "{\\"level\\": \\"error\\", \\"msg\\": \\"x\\"}\\n", "stream": "stderr"}', "fail"),
        ('{"message": "{\\"level\\": \\"error\\"}"}', "fail"),
        ('{"log": "ERROR no connection\\n", "stream": "stderr"}', "fail"),
        ('{"level": "info", "message": "{\\"level\\": \\"error\\"}"}', "pass"),  # it tells of another's record
        ("[오류] DB 연결 실패", "fail"),
        ("2026-11-22 12:00:00 [치명적] 종료", "fail"),
        ("2026-11-22 12:00:00 오류: DB 연결 실패", "fail"),
        ('{"level": "오류", "message": "x"}', "fail"),
        ("2026-11-22 12:00:00 오류 DB 연결 실패", "inconclusive"),
        ("[정보] 오류 0건", "pass"),
        ('{"level":40,"time":1763812800000,"pid":1,"hostname":"observer-7cd9","msg":"slow"}', "pass"),
        ('{"level":30,"time":1763812800000,"pid":1,"hostname":"observer-7cd9","msg":"up"}', "pass"),
        ('{"level":50,"time":1763812800000,"pid":1,"hostname":"observer-7cd9","msg":"x"}', "fail"),
        ('{"level":60,"time":1763812800000,"msg":"x"}', "fail"),
        ('{"level": 40, "name": "observer"}', "fail"),  # on Python's scale
        # no level anywhere
        ("lost the connection to 10.0.0.5", "inconclusive"),
        ("abcdef\n012345", "inconclusive"),
        ('127.0.0.1 - - [22/Nov/2026 12:00:00] "GET /health HTTP/1.1" 200 -', "pass"),
        ("observer 1.4.2 started", "pass"),
        (" * Running on http://0.0.0.0:8000", "pass"),
        ("관측 시작", "pass"),
    ],
)
def test_the_levels_of_other_formats(line: str, verdict: str) -> None:
    assert verdicts(healthy(said(LOG, line + "\n")))["LOG-OBSERVER"] == verdict


# what the guide's commands show, and was not told


def test_an_empty_secret_in_the_environment_fails_and_an_empty_setting_is_a_warning() -> None:
    def emptied(name: str) -> Run:
        lines = environment().out.splitlines(keepends=True)
        return said(ENV, "".join(f"{name}=\n" if line.startswith(f"{name}=") else line for line in lines))

    found = healthy(emptied("KIS_APP_KEY"))
    assert bad(found) == {"ENV-SECRET": "fail"}
    assert str(of(found, "ENV-SECRET").actual) == "without a value: KIS_APP_KEY"
    assert bad(healthy(emptied("LOG_FORMAT"))) == {"ENV-CONFIG": "warn"}
    several = emptied("KIS_APP_KEY").out.replace("KIS_APP_KEY=\n", "KIS_APP_KEY=\n****\n")  # a value of two lines
    assert bad(healthy(said(ENV, several))) == {}


def test_a_pod_that_is_older_than_the_configmaps_paths_is_told() -> None:
    text = environment().out.replace("OBSERVER_DATA_DIR=********", "OBSERVER_DATA_DIR=/opt/old/data")
    found = healthy(said(ENV, text))
    assert bad(found) == {"ENV-CONFIG": "warn"}
    assert typed(of(found, "ENV-CONFIG")) == ["kubectl delete pod -l app=observer -n observer-prod"]
    assert "OBSERVER_DATA_DIR=/opt/old/data" in str(of(found, "ENV-CONFIG").actual)


def test_a_volume_in_memory_and_a_full_one_fail() -> None:
    def row(device: str, percent: str) -> str:
        return f"{device} 20G 20G 0 {percent} {OBSERVER_ROOT}/data\n"

    for device, percent, words in (("tmpfs", "1%", "goes with the pod"), ("/dev/sda1", "100%", "full")):
        found = healthy(said(MOUNTS, row(device, percent) + mounts("logs", "universe"), TTY, 0))
        assert bad(found) == {"MOUNT/data": "fail"}
        assert words in str(of(found, "MOUNT/data").summary)
    assert bad(healthy(said(MOUNTS, row("/dev/sda1", "99%") + mounts("logs", "universe"), TTY, 0))) == {}
