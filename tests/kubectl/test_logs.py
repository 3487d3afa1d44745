"""Levels of log records: stated ones are read, words in messages are not."""

from __future__ import annotations

import time

import pytest

from playbook.kubectl.logs import BAD_LEVELS, free_lines, level, mentions_error, postgres_records, records

STATED = [
    ("INFO observer starting", "INFO"),
    ("ERROR:root:no connection", "ERROR"),
    ("ERROR:    uvicorn could not bind", "ERROR"),
    ("[ERROR] no connection", "ERROR"),
    ("2026-11-22 12:00:00,123 - observer.db - ERROR - no connection", "ERROR"),
    ("2026-11-22 12:00:00,123 observer.db CRITICAL no connection", "CRITICAL"),
    ("2026-11-22 12:00:00.123 | ERROR    | observer.db:connect:12 - no connection", "ERROR"),
    ("[2026-11-22 12:00:00 +0900] [1] [CRITICAL] WORKER TIMEOUT", "CRITICAL"),
    ("[2026-11-22 12:00:00,000: ERROR/MainProcess] task failed", "ERROR"),
    ("2026-11-22T12:00:00Z ERROR observer::db: no connection", "ERROR"),
    ("2026-11-22 12:00:00 [error    ] no connection", "ERROR"),
    ("2026/11/22 12:00:00 main.go:12: ERROR no connection", "ERROR"),
    ("Nov 22 22:22:22 host observer[1]: ERROR no connection", "ERROR"),
    ("E1122 22:06:57.875081   30287 portforward.go:424] no connection", "ERROR"),
    ("time=2026-11-22T12:00:00Z level=error msg=x", "ERROR"),
    ("\x1b[31mERROR\x1b[0m no connection", "ERROR"),
    ('{"level": "ERROR", "message": "x"}', "ERROR"),
    ('{"ts": 1, "levelname": "critical"}', "CRITICAL"),
    ('{"severity": "Error"}', "ERROR"),
    ('{"level": 40, "name": "observer"}', "ERROR"),
    ('{"text": "x", "record": {"level": {"name": "ERROR", "no": 40}}}', "ERROR"),
    ('2026-11-22T12:00:00Z {"level": "ERROR"}', "ERROR"),
    ('{"severity": "CRITICAL", "message": "cut in the mid', "CRITICAL"),
    ('  "level": "ERROR",', "ERROR"),
    ("2026-11-22 12:00:00 KST [12] observer FATAL no connection", "FATAL"),
    ("ERRO[0001] no connection", "ERROR"),
    ("FATA[2026-11-22T12:00:00+09:00] no connection", "FATAL"),
    ("PANI[0001] no connection", "PANIC"),
    ("SEVERE: no connection", "ERROR"),
    ("2026-11-22 12:00:00 EMERGENCY no connection", "CRITICAL"),
    ("Traceback (most recent call last):", "TRACEBACK"),
    ('  File "/app/observer.py", line 6, in <module>', "TRACEBACK"),
]

NOT_BAD = [
    'INFO 12 files, "errors": 0',
    "INFO the last ERROR was yesterday",
    "[INFO] ERROR rate 0",
    "WARNING ERROR rate is up",
    "2026-11-22 12:00:00 [info     ] got ERROR back",
    'time=10:00 level=info msg="level=error"',
    '{"level": "INFO", "message": "an ERROR was handled", "errors": 0}',
    '{"errors": 0}',
    'INFO received {"level": "ERROR"}',
    "DEBUG:asyncio:Using selector: EpollSelector",
    "12:00:00 ERROR_COUNT=0",
    "retries after ERROR: 0",
    '127.0.0.1 - - [22/Nov/2026] "GET /ERROR HTTP/1.1" 200',
    "health endpoint listening on 8000",
    "KeyError: 'KIS_APP_KEY'",
]


@pytest.mark.parametrize(("line", "expected"), STATED)
def test_a_stated_level_is_read(line: str, expected: str) -> None:
    assert level(line) == expected


@pytest.mark.parametrize("line", NOT_BAD)
def test_a_word_in_a_message_is_no_level(line: str) -> None:
    assert level(line) not in BAD_LEVELS


def test_the_word_in_a_line_without_a_level_is_noticed() -> None:
    assert level("retries after ERROR: 0") == "" and mentions_error("retries after ERROR: 0")
    assert not mentions_error("12:00:00 ERROR_COUNT=0") and not mentions_error("0 errors")


def test_lines_are_numbered_as_printed() -> None:
    assert [(r.line, r.level) for r in records("INFO a\r\n\r\n\x0b\nERROR b\u2028INFO c")] == [
        (1, "INFO"),
        (4, "ERROR"),
    ]
    assert list(free_lines("")) == []
    assert list(free_lines("a\n\nb\n")) == [(1, "a"), (2, ""), (3, "b")]


def test_postgres_severity_is_the_records_own() -> None:
    text = (
        "2026-11-22 22:56:10.603 UTC [1] LOG:  database system is ready to accept connections\n"
        '2026-11-22 22:56:11.000 UTC [31] observer@observer FATAL:  password authentication failed for user "observer"\n'
        "2026-11-22 22:56:12.000 UTC [32] LOG:  statement: SELECT 'FATAL: x'\n"
        "\tFATAL:  in the statement's next line\n"
        "PostgreSQL init process complete; ready for start up.\n"
    )
    assert [record.level for record in postgres_records(text)] == ["LOG", "FATAL", "LOG", "", ""]


@pytest.mark.parametrize(
    "hostile",
    [
        "{" * 50_000,
        '{"a":' * 50_000,
        "[" * 200_000,
        "x" * 500_000,
        "a " * 200_000,
        '"' * 200_000,
        "=" * 200_000,
        "1" * 500_000,
    ],
)
def test_a_hostile_line_costs_little(hostile: str) -> None:
    begin = time.perf_counter()
    assert level(hostile) == ""
    assert time.perf_counter() - begin < 1.0


@pytest.mark.parametrize(
    "line",
    [
        "exec /usr/bin/python3: exec format error",
        "standard_init_linux.go:219: exec user process caused: exec format error",
        "/usr/local/bin/python3: can't open file '/app/main.py': [Errno 13] Permission denied",
        "Illegal instruction (core dumped)",
        "Segmentation fault",
        "Fatal Python error: init_fs_encoding: failed to get the Python codec of the filesystem encoding",
        "Killed",
        "thread 'main' panicked at src/main.rs:12:5:",
        "thread '<unnamed>' (4711) panicked at src/lib.rs:3:9:",
        "goroutine 1 [running]:",
    ],
)
def test_a_program_that_ended_without_a_record_is_no_clean_log(line: str) -> None:
    assert level(line) in BAD_LEVELS
    assert level(f"INFO the last run ended in: {line}") == "INFO"
