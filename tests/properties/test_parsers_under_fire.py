"""Parsers under fire: each returns what is there, or names the line that it does not know. Never anything else."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutating import mutations
from support import made, runs_of, states

from playbook.errors import UnreadableText
from playbook.guide import ids
from playbook.guide.expected import CONFIG_PATHS
from playbook.kubectl import cells, cluster, counts, events, health, logs, pods, secrets, services, storage, tables
from playbook.kubectl import settings as values
from playbook.kubectl.failures import failure
from playbook.model import Runs
from playbook.steps import step0_cluster as step0
from playbook.steps import step3_secrets as step3
from playbook.steps import step6_inside, step6_pods
from playbook.steps import step7_health as step7
from playbook.steps import step9_stability as step9

THOROUGH = os.environ.get("PLAYBOOK_MUTATIONS") == "all"
settings.register_profile("fire", settings.get_profile("playbook"), max_examples=500 if THOROUGH else 30)
FIRE = settings.get_profile("fire")

EVENTS_HEAD = "Events:\n  Type     Reason     Age   From     Message\n  ----     ------     ----  ----     -------\n"
PODS_HEAD = "NAME                         READY   STATUS    RESTARTS   AGE\n"
SAMPLES_HEAD = "NAME                         STATUS    RESTARTS   STARTED\n"

PARSERS: dict[str, Callable[[str], Any]] = {
    "lines": lambda text: list(tables.lines(text)),
    "table": lambda text: tables.table(text, ()),
    "rows": lambda text: tables.table(f"NAME   STATUS   AGE\n{text}"),
    "sections": tables.sections,
    "restarts": cells.restarts,
    "ready": cells.ready,
    "age": cells.age_seconds,
    "quantity": cells.quantity,
    "ports": cells.ports,
    "names": values.keys,
    "count": counts.count,
    "psql": counts.psql_count,
    "files": counts.files,
    "events": events.events,
    "event rows": lambda text: events.events(f"{EVENTS_HEAD}  Normal   Pulled     4s    kubelet  there\n{text}"),
    "plain": tables.plain,
    "records": lambda text: list(logs.records(text)),
    "postgres records": lambda text: list(logs.postgres_records(text)),
    "mentions": logs.mentions_error,
    "failure": lambda text: failure(made("step2-pvc", "", text, 1)),
    "control plane": cluster.control_plane,
    "nodes": cluster.nodes,
    "namespaces": cluster.namespaces,
    "claims": storage.claims,
    "entries": storage.entries,
    "df": lambda text: list(storage.mounts(text)),
    "sealed secrets": secrets.sealed_secrets,
    "secret rows": secrets.secrets,
    "secret words": secrets.secret_words,
    "services": services.services,
    "config map": values.config_map_keys,
    "paths": lambda text: values.path_checks(text, CONFIG_PATHS),
    "variables": values.environment,
    "pod rows": pods.pods,
    "samples": pods.pod_samples,
    "http": health.http_line,
    "raised": lambda text: health.raised(text, text, r"OSError|\w*Timeout\w*"),
    "cluster": lambda text: step0.cluster_of(Runs([made(ids.CLUSTER_INFO, text), made(ids.NODES, text)])),
    "secrets": lambda text: step3.listed_secrets(made(ids.SUMMARY, f"=== SECRETS ===\n{text}")),
    "pods": step6_pods.guide_pods,
    "observer's log": lambda text: step6_inside.observer_log(made(ids.LOGS_OBSERVER, text)),
    "PostgreSQL's log": lambda text: step6_inside.postgres_log(made(ids.LOGS_POSTGRES, text)),
    "environment": lambda text: list(step6_inside.environment(made(ids.ENV, text))),
    "mounts": lambda text: list(step6_inside.mounts(made(ids.MOUNTS, text))),
    "write": lambda text: step6_inside.write("data", made(ids.WRITE_DATA, text, text)),
    "answers": health.answers,
    "health": lambda text: step7.judge(
        Runs([made(each, text, text) for each in step7.STEP.commands if each != ids.STOP_PORT_FORWARD])
    ),
    "mounted from": lambda text: pods.mounted_from(text, "/data", "my-pvc"),
    "volume": lambda text: pods.mounted_from(f"  /data from d (rw)\nVolumes:\n  d:\n{text}", "/data", "my-pvc"),
    "deleted": pods.deleted_pods,
    "ready pods": pods.ready_pods,
    "ledger": lambda text: step9.ledger(Runs([made(ids.POD_SAMPLE, text), made(ids.RECENT_FILES, text)])),
}  # fmt: skip
TOTAL = {"plain", "records", "postgres records", "mentions", "failure", "cluster", "http", "raised", "observer's log", "PostgreSQL's log",
         "environment", "mounts", "write", "answers", "health", "mounted from", "volume", "deleted", "ready pods", "ledger"}  # fmt: skip
"""Those that have an answer for every text: it says what was not there."""


def parsed(name: str, text: str) -> Any:
    """What the parser makes of `text`, or the error by which it names a line of it."""
    try:
        return PARSERS[name](text)
    except UnreadableText as error:
        assert name not in TOTAL, f"{name}: {error}"
        assert 0 <= error.line <= text.count("\n") + 6, f"{name}: line {error.line}"
        assert str(error.message)
        return error


# generated tables

WORD = st.text(alphabet="abcXYZ019-./:<>(){}[]=,+%가나다준비완료", min_size=1, max_size=14)
CELL = st.lists(WORD, min_size=0, max_size=3).map(" ".join)
NAMES = (
    "NAME",
    "READY",
    "STATUS",
    "RESTARTS",
    "AGE",
    "ACCESS MODES",
    "NOMINATED NODE",
    "PORT(S)",
    "CLUSTER-IP",
    "이름",
)


@st.composite
def kubectl_tables(draw: st.DrawFn) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    head = ("NAME", *draw(st.permutations(NAMES[1:]))[: draw(st.integers(0, 6))])
    row = st.tuples(WORD, *(CELL for _ in head[1:]))
    return head, draw(st.lists(row, max_size=12))


def rendered(
    head: tuple[str, ...], rows: list[tuple[str, ...]], *, gap: int = 3, trailing: bool = False, end: str = "\n"
) -> str:
    """As kubectl prints it: columns as wide as their widest cell and three blanks, the last one as long as it is."""
    widths = [max(len(row[index]) for row in (head, *rows)) + gap for index in range(len(head))]
    text = ""
    for row in (head, *rows):
        line = "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        text += (line if trailing else line.rstrip()) + end
    return text


@given(kubectl_tables(), st.booleans(), st.sampled_from(["\n", "\r\n"]), st.sampled_from([2, 3, 5]))
@settings(FIRE)
def test_what_kubectl_prints_is_read_back_cell_by_cell(
    given_table: tuple[tuple[str, ...], list[tuple[str, ...]]], trailing: bool, end: str, gap: int
) -> None:
    head, rows = given_table
    read = tables.table(rendered(head, rows, gap=gap, trailing=trailing, end=end), head)
    assert [tuple(row[name] for name in head) for row in read] == rows
    assert [row.line for row in read] == list(range(2, len(rows) + 2))


@given(kubectl_tables(), kubectl_tables())
@settings(FIRE)
def test_rows_of_other_widths_are_read_right_or_named(
    one: tuple[tuple[str, ...], list[tuple[str, ...]]], other: tuple[tuple[str, ...], list[tuple[str, ...]]]
) -> None:
    """Below its header a list can go on with wider or narrower columns; only their gaps tell then."""
    head, rows = one
    more = [tuple(cell or "-" for cell in (*row, *(["x"] * len(head)))[: len(head)]) for row in other[1]]
    rows = [tuple(cell or "-" for cell in row) for row in rows]
    below = rendered(head, more).partition("\n")[2]
    try:
        read = tables.table(rendered(head, rows) + below, head)
    except UnreadableText as error:
        assert error.line > len(rows) + 1
    else:
        assert [tuple(row[name] for name in head) for row in read] == rows + more


@given(st.lists(st.tuples(st.sampled_from(["Normal", "Warning"]), st.from_regex(r"[A-Z][A-Za-z]{2,16}", fullmatch=True),
                          st.sampled_from(["4s", "3m50s", "2d3h", "<unknown>", "7s (x2 over 9s)"]),
                          st.sampled_from(["", "kubelet", "default-scheduler"]), CELL.filter(bool)), min_size=1, max_size=8),
       st.sampled_from(["\n", "\r\n"]), st.booleans())  # fmt: skip
@settings(FIRE)
def test_events_are_read_back(rows: list[tuple[str, ...]], end: str, header: bool) -> None:
    head = ("Type", "Reason", "Age", "From", "Message")
    widths = [max(len(row[index]) for row in (head, *rows)) + 2 for index in range(5)]
    body = [head, tuple("-" * len(name) for name in head), *rows]
    text = "".join(
        f"  {''.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()}{end}" for row in body
    )
    if header:
        text = f"Events:{end}{text}"
    found = events.events(text)
    assert [(event.type, event.reason, event.source, event.message) for event in found] == [
        (kind, reason, source, message) for kind, reason, _, source, message in rows
    ]


@given(
    st.lists(
        st.tuples(WORD, st.integers(0, 99) | st.just("<none>"), st.sampled_from(["Running", "Pending"])), max_size=8
    )
)
@settings(FIRE)
def test_the_ledger_keeps_every_pod(pods: list[tuple[str, Any, str]]) -> None:
    rows = [(name, status, str(restarts), "2026-11-22T22:56:34Z") for name, restarts, status in pods]
    text = rendered(("NAME", "STATUS", "RESTARTS", "STARTED"), rows)
    (sample,) = step9.ledger(Runs([made(ids.POD_SAMPLE, text), made(ids.RECENT_FILES, "7\n")]))
    assert [(pod.name, pod.restarts, pod.status) for pod in sample.pods] == [
        (name, None if restarts == "<none>" else restarts, status) for name, restarts, status in pods
    ]
    assert sample.recent_files == 7


@given(st.text(max_size=300) | st.text(alphabet='NAMEStuab019 /:=<>-\n\r\t가{}"[]%.()', max_size=300))
@settings(FIRE)
def test_any_text_is_read_or_named(text: str) -> None:
    for name in PARSERS:
        parsed(name, text)


# what was really printed

TEXTS = sorted({run.out for state in states() for run in runs_of(state) if run.out.strip()})


def test_real_output_loses_no_row() -> None:
    for text in TEXTS:
        filled = [number for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        got = parsed("table", text)
        if not isinstance(got, UnreadableText):
            assert [row.line for row in got] == filled[1:], text
        assert [record.line for record in parsed("records", text)] == filled, text
        got = parsed("events", text)
        if not isinstance(got, UnreadableText):
            assert len(got) == len(re.findall(r"^  (?:Normal|Warning) ", text, re.M)), text


def test_mutated_output_is_read_or_named() -> None:
    dice = random.Random(6)
    number = 0
    for text in dice.sample(TEXTS, len(TEXTS) if THOROUGH else 40):
        found = list(mutations(made("step2-pvc", text), [], False))
        for mutation in dice.sample(found, min(20 if THOROUGH else 3, len(found))):
            number += 1
            for name in PARSERS:
                got = parsed(name, mutation.run.out)
                if name == "table" and not isinstance(got, UnreadableText):
                    filled = [line for line in mutation.run.out.split("\n") if line.strip()]
                    assert len(got) == len(filled) - 1, mutation.how
    print(f"{number} texts, {number * len(PARSERS)} parses")
    assert number > 80


# time

UNITS = (" ", "a", "a ", "a  ", "- ", "1%", "{", '{"a":', "[", "(", '"', "=", ":", "/", "\t", "\r", "\n", "a\n", "    a\n", "9y", "=== ",
         "INFO ", "a.", 'pod "', "(Forbidden) ", "(NotFound): a ", "stat ", "context ", "drwxr-xr-x 1 ", "  Normal  ", "가", "1/TCP,", "1.")  # fmt: skip


@pytest.mark.parametrize("name", PARSERS)
def test_no_text_makes_it_hang(name: str) -> None:
    """Thousands of characters of anything are read at once: no pattern runs away."""
    size = 20_000 if THOROUGH else 6_000
    for unit in UNITS:
        text = (unit * (size // len(unit) + 1))[:size]
        for end in ("", "!\n") if THOROUGH else ("!\n",):
            began = time.process_time()
            parsed(name, text + end)
            assert time.process_time() - began < 1.5, (name, unit, end)


def _of_five(number: int) -> str:
    """The end of a pod's name, as Kubernetes makes it: five signs without vowels."""
    signs = "bcdfghjklmnpqrstvwxz2456789"
    return "".join(signs[number // len(signs) ** place % len(signs)] for place in range(5))


def many(kind: str, number: int) -> Callable[[], int]:
    """Reads a text of `number` rows; how many came out."""
    if kind == "pods":
        rows = (
            f"{'observer-5dd97c6749-' + _of_five(n):<28} 1/1     Running   0          {n % 60}m\n"
            for n in range(number)
        )
        text = PODS_HEAD + "".join(rows)
        return lambda: len(step6_pods.guide_pods(text))
    if kind == "samples":
        text = SAMPLES_HEAD + "".join(
            f"observer-{n:<19} Running   0          2026-11-22T22:56:34Z\n" for n in range(number)
        )
        return lambda: len(step9.ledger(Runs([made(ids.POD_SAMPLE, text)]))[0].pods)
    if kind == "events":
        text = EVENTS_HEAD + "  Warning  BackOff    4s    kubelet  Back-off restarting failed container\n" * number
        return lambda: len(events.events(text))
    text = "2026-11-22 22:56:34,123 observer.db INFO written 12 rows\n" * number
    return lambda: len(list(logs.records(text)))


@pytest.mark.parametrize("kind", ["pods", "samples", "events", "log"])
def test_a_hundred_thousand_rows_take_linear_time(kind: str) -> None:
    if not THOROUGH and kind != "pods":
        pytest.skip("the other lists are timed with PLAYBOOK_MUTATIONS=all")
    seconds = {}
    for number in (25_000, 50_000, 100_000):
        read, best = many(kind, number), float("inf")
        for _ in range(2 if THOROUGH and number < 100_000 else 1):
            began = time.process_time()
            assert read() == number
            best = min(best, time.process_time() - began)
        seconds[number] = best
    print(f"{kind}: " + ", ".join(f"{number} in {taken:.2f} s" for number, taken in seconds.items()))
    assert seconds[100_000] < 10 * seconds[25_000]
