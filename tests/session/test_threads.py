"""The open session from eight threads at once: no event, number or run is lost, and readers see whole states."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

from playbook.guide.catalog import load
from playbook.model import Ended, Run
from playbook.session.journal import Kind, check
from playbook.session.session import OpenSession, read_session
from playbook.session.store import SessionStore

THREADS, TIMES = 8, 40
CATALOG = load()
COMMANDS = ("step1-namespace", "step2-pvc", "step5-services")
MUTATION = CATALOG.command("step6-6-write-data")


def a_run(command: str, text: str) -> Run:
    return Run(command, 0, text.encode(), b"", 0, Ended.EXITED, datetime.now(timezone.utc), 0.01)


def hammer(session: OpenSession, number: int, errors: list[BaseException]) -> None:
    """Write, begin mutations, and read everything that there is to read meanwhile."""
    try:
        for turn in range(TIMES):
            command = COMMANDS[turn % len(COMMANDS)]
            (kept,) = session.keep([a_run(command, f"{number}-{turn}")])
            assert session.load(command, kept.ordinal).out == f"{number}-{turn}"
            if turn % 10 == 0:
                session.begin(MUTATION)
                session.keep([a_run(MUTATION.key, "OK")])
            assert session.latest(command) is not None
            assert len(session.runs()) >= turn
            assert session.state.id
            assert len(session.answers(command)) >= 1
            assert session.runs_since_forced("1", COMMANDS)
    except BaseException as error:  # told by the test, not by the thread
        errors.append(error)


def test_eight_threads_write_and_read_one_session(tmp_path: Path) -> None:
    with SessionStore(tmp_path) as store:
        session = store.create(CATALOG.digest)
        errors: list[BaseException] = []
        threads = [threading.Thread(target=hammer, args=(session, number, errors)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        session.close()
    assert session.folder is not None
    events, digest = check((session.folder / "journal.jsonl").read_bytes(), "journal")
    assert digest == session.digest
    ordinals: dict[str, list[int]] = {}
    for event in events:
        if event.kind is Kind.RUN:
            ordinals.setdefault(event.data["command"], []).append(event.data["ordinal"])
    assert {command: len(numbers) for command, numbers in ordinals.items()} == Counter(
        {MUTATION.key: THREADS * TIMES // 10}
        | {command: THREADS * len(range(place, TIMES, len(COMMANDS))) for place, command in enumerate(COMMANDS)}
    )
    for command, numbers in ordinals.items():
        assert sorted(numbers) == list(range(1, len(numbers) + 1)), command
    begun = [event.data["ordinal"] for event in events if event.kind is Kind.BEGIN]
    assert sorted(begun) == sorted(ordinals[MUTATION.key]), (
        "each begun mutation has its run under the number it was given"
    )
    again = read_session(session.folder)
    assert again.runs() == session.runs()
