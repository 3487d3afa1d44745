"""The terminal's texts: columns line up, colours are ours only, every problem says what to do."""

from __future__ import annotations

import re
import sys
import types
from dataclasses import replace
from datetime import datetime, timezone

import pytest
import sessions
from support import replayed, states

from playbook.model import Ended, Evidence, Verdict
from playbook.output import columns, labels, terminal
from playbook.text import speaking


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("abc", 3),
        ("상태", 4),
        ("\x1b[1;31mfail\x1b[0m", 4),
        ("✅", 2),
        ("⚠️", 2),
        ("e\u0301", 1),
        ("ｆｕｌｌ", 8),
    ],
)
def test_width(text, expected):
    assert columns.width(text) == expected
    assert columns.width(columns.pad(text, 12)) == 12


def test_pad_never_cuts():
    assert columns.pad("abcdef", 3) == "abcdef"


@pytest.mark.parametrize(
    "escape",
    ["\x1b[2J", "\x1b[38;5;1m", "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\", "\x1bc", "\x9b31m", "\x1bPq\x1b\\"],
)
def test_terminal_escapes_are_taken_out(escape):
    assert columns.clean(f"a{escape}b\r\nc") == "ab\nc"


def test_an_unfinished_escape_hides_nothing():
    assert "FAIL" in columns.clean("\x1b]0;FAIL is here\nnext")
    assert columns.clean("\x1b\x1b[0m[31mx") == "␛[31mx"
    assert columns.clean("a\rb\x00\x7f\u202e") == "a␍b␀␡\\u202e"


@pytest.mark.parametrize("with_wcwidth", [False, True])
@pytest.mark.parametrize("colour", [False, True])
def test_tables_line_up_with_wide_characters(monkeypatch, colour, with_wcwidth):
    import tabulate

    wcwidth = types.SimpleNamespace(wcswidth=columns.width, wcwidth=columns.width) if with_wcwidth else None
    monkeypatch.setattr(tabulate, "wcwidth", wcwidth)
    drawn = terminal.steps_table(sessions.failed(), sessions.korean("시크릿"), colour=colour)
    rows = drawn.split("\n")[2:]
    assert len(rows) == 10
    starts = {columns.width(row[: re.search(r"(?:\d [a-z-]+)(?=  )", row).start()]) for row in rows}
    assert len(starts) == 1, drawn
    assert ("\x1b[" in drawn) is colour


def test_a_cell_that_looks_like_a_number_stays_as_it_is():
    assert "1e3" in columns.table(["a", "b"], [["1e3", "0010"]]) and "0010" in columns.table(["a"], [["0010"]])


def test_empty_cells_do_not_shift_the_others():
    drawn = columns.table(["a", "", "c"], [["1", "", "3"], ["", "2", ""]])
    assert drawn.split("\n")[2].split() == ["1", "3"] and drawn.split("\n")[3].split() == ["2"]


def test_step_lines_line_up_and_carry_verdict_and_time():
    session = sessions.failed()
    lines = sessions.step_lines(session, sessions.korean("시크릿"))
    assert re.fullmatch(r"Step 0  PVC 상태 확인  warn          0\.08 s", lines[0])
    at = {
        columns.width(line[: re.search(r"  (warn|pass|fail|inconclusive|skipped|not-run)", line).start()])
        for line in lines
    }
    assert len(at) == 1


def test_colour_is_a_choice():
    assert terminal.label(Verdict.FAIL) == "fail"
    assert terminal.label(Verdict.FAIL, True) == "\x1b[1;31mfail\x1b[0m"


def test_every_verdict_has_its_word_and_colour():
    assert {str(labels.VERDICTS[verdict]) for verdict in Verdict} == {verdict.value for verdict in Verdict}
    assert len({terminal.paint("x", verdict, True) for verdict in Verdict}) == len(Verdict)


def test_problems_say_expected_actual_evidence_remedy_and_next():
    said = terminal.problems(sessions.failed())
    block = next(block for block in said.split("\n\n") if "SERVICE/postgres" in block)
    assert block == (
        "fail  SERVICE/postgres  Step 5  the Service is missing\n"
        "  expected  ClusterIP, 5432/TCP\n"
        "  actual    no such Service\n"
        "  evidence  step5-services.2:2\n"
        "  remedy    kubectl apply -k infra/k8s/overlays/production\n"
        "  next      playbook step 5"
    )
    assert "next      playbook step 7-2" in said
    assert said.index("K3S-VERSION") < said.index("SERVICE/postgres") < said.index("HEALTH-SERVICE")
    assert said.endswith("not-run  Step 9")


def test_no_problem_no_words():
    assert terminal.problems(sessions.complete()) == ""


def test_a_waived_problem_stays_visible_as_waived():
    assert "waived    by lee: moved on | purpose" in terminal.problems(sessions.waived())


def test_hostile_text_cannot_reach_the_terminal():
    session = sessions.hostile()
    for said in (
        terminal.problems(session),
        terminal.status(session, sessions.TITLES),
        labels.overall_sentence(session),
    ):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", said)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (sessions.complete, "Complete: all ten steps are as the guide wants them."),
        (sessions.pending, "Pending: all is well so far; Step 9 can be judged from 2026-11-23T14:03:05Z on."),
        (
            sessions.aborted,
            "Aborted: abort criterion 1 is met at Step 3-3: the Secret observer-secrets does not exist.",
        ),
        (sessions.failed, "Failed: by the guide, what was seen is abnormal at Step 5."),
        (sessions.waived, "Complete: all ten steps are as the guide wants them. Waived: SERVICE-PORT/observer."),
    ],
)
def test_overall_sentence(make, words):
    assert labels.overall_sentence(make()) == words


def test_the_incomplete_sentence_names_the_steps():
    said = labels.overall_sentence(sessions.empty())
    assert said.startswith("Incomplete") and "Step 0, Step 1," in said and "Step 9." in said


def test_abort_says_what_to_do_and_how_to_go_on():
    said = terminal.abort_text(sessions.aborted())
    assert said.startswith("Abort criterion 1 met at Step 3-3: ")
    assert "playbook show step3-3-create-observer-secrets" in said
    assert said.endswith("then `playbook all` goes on from Step 3")
    assert terminal.abort_text(sessions.failed()) == ""


def test_the_programs_own_commands_are_shown_as_they_have_to_be_typed(monkeypatch):
    """Others, and those of sessions that an earlier version kept, are shown as they are."""
    from playbook import text
    from playbook.model import Remedy

    session = sessions.aborted()
    own = replace(
        session.result("3").findings[0], remedy=(Remedy("playbook all --from 9"), Remedy("kubectl get playbook "))
    )
    before = terminal.problem(session, own), terminal.problems(session)
    monkeypatch.setattr(text, "_program", "python3 /srv/playbook.pyz")
    assert terminal.problem(session, own) == before[0].replace("playbook all", "python3 /srv/playbook.pyz all")
    assert terminal.problems(session) == before[1], "`python -m playbook show` was written down as it is"
    assert terminal.abort_text(session).endswith("then `python3 /srv/playbook.pyz all` goes on from Step 3")
    assert str(text.msg("type {program} all")) == "type python3 /srv/playbook.pyz all"
    assert text.msg("type {program} all").english == "type playbook all"


def test_causes_name_the_findings_that_follow():
    said = terminal.causes(sessions.aborted())
    assert said.startswith("root cause  SECRET-ABSENT  observer-secrets does not exist\n")
    assert "explains  POD-STATUS/postgres-0, HEALTH-POD" in said
    assert terminal.causes(sessions.complete()) == ""


def test_status_is_the_session_and_its_steps():
    said = terminal.status(sessions.pending(), sessions.TITLES)
    assert said.startswith("Session        20261122T140305Z-k3s\n")
    assert "https://10.0.0.5:6443 (oracle-obs-arm), namespace observer-prod" in said
    assert said.splitlines()[-1].startswith("9 ")


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("state", states("1.34"))
def test_status_is_no_wider_than_the_screen(state: str, lang: str) -> None:
    session = replayed(state)
    with speaking(lang):
        shown = f"{terminal.status(session)}\n{terminal.details(session)}".split("\n")
        wide = [line for line in shown if columns.width(line) > terminal.COLUMNS and " kubectl " not in line]
        assert [line for line in wide if len(line.split()) > 3] == []  # but for a path or a name longer than the line


@pytest.mark.parametrize("how", Ended)
def test_every_end_has_its_words(how):
    run = sessions.run("x", status=None, ended=how, note="count-unread" if how is Ended.REFUSED else "")
    assert labels.ended(run)


def test_moments_and_lengths():
    assert labels.moment(datetime(2026, 1, 2, 3, 4, 5, 999999, tzinfo=timezone.utc)) == "2026-01-02T03:04:05Z"
    assert labels.moment(None) == labels.moment(datetime.fromtimestamp(0, timezone.utc)) == "-"
    assert [labels.duration(s) for s in (0, 59.94, 59.96, 3600)] == ["0.00 s", "59.9 s", "1 min 0 s", "1 h 0 min"]


def test_where():
    assert labels.where(None) == "-"
    assert labels.where(Evidence("a", 3)) == "a:3"
    assert labels.where(Evidence("a", None, 2, "stderr")) == "a.2.err"


def test_nothing_is_printed(capsys):
    terminal.status(sessions.failed(), sessions.TITLES)
    terminal.problems(sessions.failed())
    assert capsys.readouterr() == ("", "")


def test_the_module_itself_loads_neither_tabulate_nor_jinja2():
    import subprocess

    code = "import sys, playbook.output.terminal, playbook.output.markdown, playbook.output.json, playbook.output.junit; print({'jinja2', 'tabulate'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("state", states())
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_end_fits_the_screen(state: str, lang: str) -> None:
    from playbook.output.columns import width
    from playbook.output.ending import COLUMNS, LINES, ending

    session = replayed(state)
    with speaking(lang):
        shown = ending(session).split("\n")
        assert len(shown) <= LINES
        wide = [line for line in shown if width(line) > COLUMNS and not line.startswith("    ")]
        assert wide == []  # a command is never broken: it is to be copied
        assert all(str(cause.title)[:20] in " ".join(shown) for cause in session.causes[:1])
