"""The parsers: every line is read or named, nothing is guessed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import runs_of

from playbook.errors import UnreadableText
from playbook.kubectl.cells import age_seconds, ready, restarts
from playbook.kubectl.counts import count, psql_count
from playbook.kubectl.events import events
from playbook.kubectl.settings import keys as names
from playbook.kubectl.tables import lines, plain, sections, table

PVC = """\
NAME                    STATUS    VOLUME                                     CAPACITY   ACCESS MODES   STORAGECLASS   VOLUMEATTRIBUTESCLASS   AGE
observer-logs-pvc       Bound     pvc-98f38f12-7c1e-4b52-9a55-0d7a1f6edb22   5Gi        RWO            local-path     <unset>                 11m
observer-universe-pvc   Pending                                                                        local-path     <unset>                 8s
"""
PODS = """\
NAME                       READY   STATUS    RESTARTS      AGE
observer-7cd9cf784-2dchn   1/1     Running   3 (5m ago)    56s
postgres-0                 1/1     Running   0             56s
"""


def unreadable(parse, text: str) -> UnreadableText:
    with pytest.raises(UnreadableText) as caught:
        parse(text)
    return caught.value


def test_columns_that_newer_versions_add_and_cells_that_are_empty():
    bound, pending = table(PVC, ("NAME", "STATUS", "CAPACITY"))
    assert bound["ACCESS MODES"] == "RWO"
    assert bound["VOLUMEATTRIBUTESCLASS"] == "<unset>"
    assert (pending["VOLUME"], pending["CAPACITY"], pending["STORAGECLASS"], pending["AGE"]) == (
        "",
        "",
        "local-path",
        "8s",
    )
    assert pending.get("no such column") == ""


def test_a_cell_keeps_its_blanks():
    rows = table(PODS)
    assert [row["RESTARTS"] for row in rows] == ["3 (5m ago)", "0"]
    assert [row["AGE"] for row in rows] == ["56s", "56s"]


def test_lines_are_counted_where_the_text_stood():
    assert [row.line for row in table(PODS, first_line=15)] == [16, 17]
    assert [row.line for row in table("\n" + PODS.replace("\n", "\r\n"))] == [3, 4]


def test_crlf_reads_like_lf():
    assert [row.cells for row in table(PVC.replace("\n", "\r\n"))] == [row.cells for row in table(PVC)]


def test_a_list_that_widens_on_its_way_is_read_by_its_gaps():
    wide = "NAME   STATUS    AGE\na      Running   1d\na-much-longer-name   Running   2d\n"
    assert [row["STATUS"] for row in table(wide)] == ["Running", "Running"]
    assert table(wide)[1]["NAME"] == "a-much-longer-name"


def test_a_row_wider_by_one_whole_column_is_not_moved():
    head = "NAME      STATUS    AGE       NODE\na         Running   1d        n\n"
    row = table(head + "abcdefg             Pending   1d        n\n")[1]
    assert tuple(row.cells.values()) == ("abcdefg", "Pending", "1d", "n")


def test_a_wide_row_with_an_empty_cell_is_not_guessed():
    assert unreadable(table, "NAME   STATUS    AGE\na-much-longer-name             2d\n").line == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("\n \n", 1),
        ("Error: something else\n", 1),
        ("NAME   NAME\na      b\n", 1),
        ("NAME   STATUS\na      Running\nand then a sentence across the columns\n", 3),
        ("NAME   STATUS\n       Running\n", 2),
        ("  NAME   STATUS\nx a      Running\n", 2),
        ("NAME   STATUS\na      Running\nb      Runn", 3),
        ("NAME   STATUS\na        Running\n", 0),  # moved, but its gaps are plain
    ],
)
def test_text_that_is_no_such_table_is_named(text: str, line: int):
    if line:
        assert unreadable(table, text).line == line
    else:
        assert table(text)[0]["STATUS"] == "Running"


def test_a_required_column_that_is_not_there_is_named():
    with pytest.raises(UnreadableText, match=r"NAME +READY"):
        table(PODS, ("NAME", "NODE"))


_CELL = st.text(alphabet="abcXYZ019-./<>", min_size=0, max_size=12)


@given(st.lists(st.tuples(_CELL.filter(bool), _CELL, _CELL), max_size=8))
def test_what_kubectl_would_print_is_read_back(rows):
    head = ("NAME", "ACCESS MODES", "AGE")
    widths = [max(len(row[i]) for row in (head, *rows)) + 3 for i in range(3)]
    text = "".join(
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"
        for row in (head, *rows)
    )
    assert [tuple(row.cells.values()) for row in table(text)] == rows


@given(st.text(alphabet="NAMESTUab 1/\n\r\t:-", max_size=200))
def test_any_text_is_read_or_named(text: str):
    for parse in (table, sections, names, count, psql_count, events, lambda t: list(lines(t))):
        try:
            parse(text)
        except UnreadableText as error:
            assert error.line >= 1


def test_a_hundred_thousand_rows_take_linear_time():
    began = time.process_time()
    assert len(table("NAME   READY   STATUS\n" + "abc    1/1     Running\n" * 100_000)) == 100_000
    assert time.process_time() - began < 10


def test_sections_of_the_real_summary():
    parts = sections(runs_of("1.20/healthy", "summary").last("summary").out)
    assert list(parts) == ["PODS", "PVC", "SECRETS", "SERVICES", "EVENTS (latest 5)"]
    first, text = parts["PVC"]
    assert [row.line for row in table(text, ("NAME", "STATUS"), first)] == [first + 1, first + 2, first + 3, first + 4]
    assert parts["SECRETS"][1].startswith("default-token")


@pytest.mark.parametrize(("text", "line"), [("", 1), ("hello\n=== PODS ===\n", 1), ("=== A ===\n=== A ===\n", 2)])
def test_a_summary_of_another_shape_is_named(text: str, line: int):
    assert unreadable(sections, text).line == line


def test_small_cells():
    assert [restarts(cell) for cell in ("0", "12", "3 (5m ago)", "3 (2d3h ago)")] == [0, 12, 3, 3]
    assert ready("1/2") == (1, 2)
    assert [age_seconds(cell) for cell in ("0s", "3m50s", "1y2d", "<invalid>")] == [0, 230, 367 * 86400 - 0, None]
    assert plain("\x1b[0;32mx\x1b[0m y") == "x y"


@pytest.mark.parametrize(
    ("parse", "cell"),
    [(restarts, "<none>"), (restarts, "3 times"), (ready, "1"), (ready, "a/b"), (ready, "1/2/3"),
     (age_seconds, ""), (age_seconds, "soon"), (age_seconds, "5m3h"), (restarts, "9" * 5000), (count, "9" * 5000 + "\n")],
)  # fmt: skip
def test_a_cell_of_another_shape_is_named(parse, cell: str):
    unreadable(parse, cell)


def test_names_are_one_to_a_line():
    assert names("DB_HOST\r\nDB_NAME\r\n") == ((1, "DB_HOST"), (2, "DB_NAME"))
    assert unreadable(names, "DB_HOST\nTraceback (most recent call last):\n").line == 2
    assert unreadable(names, "DB_HOST\nDB_NA").line == 2
    assert unreadable(names, "").line == 1


def test_one_number():
    assert count("0\n") == (1, 0)
    assert count("\n  7 \r\n") == (2, 7)
    assert unreadable(count, "7\n8\n").line == 2
    assert unreadable(count, "find: no\n").line == 1
    assert unreadable(count, "").line == 1
    assert unreadable(count, "-1\n").line == 1


def test_psql_number():
    assert psql_count(runs_of("1.20/healthy").last("step8-4-count-tables-before").out) == (3, 3)
    assert psql_count(" count \r\n-------\r\n     3\r\n(1개 행)\r\n\r\n") == (3, 3)
    for text, line in ((" count \n-------\n     3\n", 4), (" sum \n-----\n 3\n(1 row)\n", 1), ("", 1)):
        assert unreadable(psql_count, text).line == line
    assert unreadable(psql_count, " count \n-------\n     3\n(1 row)\nmore\n").line == 5


DESCRIBED = """\
Tolerations:     node.kubernetes.io/not-ready:NoExecute op=Exists for 300s
Events:
  Type     Reason     Age                From               Message
  ----     ------     ----               ----               -------
  Normal   Scheduled  <unknown>          default-scheduler  Successfully assigned observer-prod/x
  Warning  Unhealthy  1s (x8 over 22s)   kubelet            Readiness probe failed: first line
second line
  Warning  BackOff    3m50s                                 Back-off restarting failed container
"""


def test_events_with_empty_sources_and_messages_of_many_lines():
    found = events(DESCRIBED)
    assert [(e.line, e.type, e.reason, e.age_s, e.source) for e in found] == [
        (5, "Normal", "Scheduled", None, "default-scheduler"),
        (6, "Warning", "Unhealthy", 1, "kubelet"),
        (8, "Warning", "BackOff", 230, ""),
    ]
    assert found[1].message == "Readiness probe failed: first line\nsecond line"


def test_events_whose_header_fell_off_the_tail():
    tail = "".join(
        f"  Warning  BackOff    {n}s (x3 over 5m)  kubelet            Back-off restarting\n" for n in range(30)
    )
    found = events(tail)
    assert len(found) == 30
    assert {(e.type, e.reason, e.source) for e in found} == {("Warning", "BackOff", "kubelet")}


def test_events_of_the_pod_before_are_kept():
    found = events(DESCRIBED + "\n\nName:         observer-y\nNamespace:    observer-prod\nEvents:          <none>\n")
    assert [e.reason for e in found] == ["Scheduled", "Unhealthy", "BackOff"]
    assert found[-1].message == "Back-off restarting failed container"


@pytest.mark.parametrize(
    "text",
    ["", "Volumes:\n  data:\n    Type: x\n", "Events:  <some>\n", "Events:\n  nothing like a header\n", DESCRIBED[:-8]],
)
def test_text_without_events_proves_nothing(text: str):
    unreadable(events, text)


HEAD = "Events:\n  Type     Reason   Age  From     Message\n  ----     ------   ---  ----     -------\n"
ROW = "  Normal   Pulled   4s   kubelet  there\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Events:\n", 1),
        (HEAD, 1),
        (HEAD + "\nName:         observer-y\nEvents:          <none>\n", 1),  # an empty section reads <none>
        (HEAD + ROW + "  Warning  BackOff  soon  kubelet  Back-off\n", 5),  # a row of another shape is no continuation
        (HEAD + ROW + "  WaMning  BackOff  4s(x2 oe 7s)  kubelet  Back-off\n", 5),
        (ROW + "  Warning  Back\n", 2),
    ],
)
def test_no_event_vanishes(text: str, line: int):
    assert unreadable(events, text).line == line


def test_an_event_of_an_unknown_type_is_kept():
    assert [e.type for e in events(HEAD + ROW + "  wArning  BackOff  4s   kubelet  Back-off\n")] == [
        "Normal",
        "wArning",
    ]


def test_events_of_the_recordings():
    assert events(runs_of("1.20/healthy").last("step6-2-describe-observer").out) == ()
    looping = events(runs_of("1.20/secret-key-missing").last("step6-2-describe-observer").out)
    assert [(e.line, e.type, e.reason) for e in looping][-1] == (30, "Warning", "BackOff")
