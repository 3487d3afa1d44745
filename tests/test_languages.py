"""Two languages: nothing without its translation, the same machine's words in both, columns that line up, no crash."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import sessions
from stubbed import Stubbed
from support import FIXTURES, ROOT, long_walk, replayed

from playbook import api, text
from playbook.model import Verdict
from playbook.output import columns, labels, terminal
from playbook.output.status import next_attempt
from playbook.text import LANGUAGES, Message, msg, speaking, verbatim

polib = pytest.importorskip("polib", reason="polib comes with the extra `test`")
sys.path.insert(0, str(ROOT / "tools"))
import messages  # noqa: E402

TEXTS = messages.collected()
CATALOG = polib.pofile(str(messages.source("ko")))
KOREAN = {entry.msgid: entry.msgstr for entry in CATALOG}
HANGUL = re.compile("[가-힣]")


PYTHON = Path(sys.executable)


def playbook(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PLAYBOOK_"))}
    kept["PATH"] = f"{PYTHON.parent}{os.pathsep}{kept['PATH']}"
    return subprocess.run(
        [PYTHON.name, "-m", "playbook", *arguments],  # as it is typed
        text=True,
        capture_output=True,
        check=False,
        timeout=120,
        env={**kept, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **environ},
    )


# the catalog


def test_the_tool_finds_texts_of_every_kind():
    for known in (
        "pass",  # msg
        "Root causes",  # a template
        "Write to FILE.",  # help= of an option
        "Print the exact text of a command or step.",  # the list of verbs
        "The bytes are the guide's, checked against their digest. Notes go to standard error.",  # a docstring's second paragraph
        "Commands",  # translate
    ):
        assert known in TEXTS, known
    assert any(known.startswith("\b\nExamples:\n  playbook show 3-4") for known in TEXTS)  # the examples of a verb
    assert any(known.startswith("Exit status:") for known in TEXTS)


def test_a_text_that_is_not_a_literal_is_refused(tmp_path):
    (tmp_path / "playbook").mkdir()
    (tmp_path / "playbook" / "x.py").write_text('msg(f"{n} pods")', "utf-8")
    with pytest.raises(ValueError, match="not a literal"):
        messages.collected(tmp_path)


def test_no_text_lacks_its_translation():
    assert messages.problems(CATALOG, TEXTS) == []


def test_the_check_sees_what_is_missing_and_what_differs():
    lacking = messages.updated(polib.POFile(), TEXTS)
    assert len(messages.problems(lacking, TEXTS)) == len(TEXTS)
    wrong = polib.POFile()
    wrong.append(polib.POEntry(msgid="{n} keys", msgstr="키 {m}개"))
    assert "other places" in messages.problems(wrong, {"{n} keys": ("x.py",)})[0]


def test_update_keeps_translations_and_leaves_out_what_is_gone():
    old = polib.POFile()
    old.append(polib.POEntry(msgid="kept", msgstr="유지"))
    old.append(polib.POEntry(msgid="gone", msgstr="사라짐"))
    new = messages.updated(old, {"kept": ("a.py",), "new": ("b.py",)})
    assert [(entry.msgid, entry.msgstr, entry.fuzzy) for entry in new] == [("kept", "유지", False), ("new", "", False)]


def test_the_compiled_catalog_is_that_of_the_edited_one():
    machine = messages.source("ko").with_suffix(".mo").read_bytes()
    assert machine == messages.compiled(CATALOG), "run: python tools/messages.py compile"
    assert machine == messages.compiled(polib.pofile(str(messages.source("ko"))))


def test_places_are_the_same():
    for english, korean in KOREAN.items():
        assert messages.places(english) == messages.places(korean), english
        filled = dict.fromkeys(messages.places(english), "7")
        assert Message(korean, tuple(filled.items())).english, english  # it can be filled: no stray brace
        assert english.startswith("\b\n") == korean.startswith("\b\n"), english


def test_what_is_typed_stays_as_it_is():
    """Commands, options, files and steps named in a text are the same in its translation."""
    typed = re.compile(
        r"`[^`]+`|(?<![\w-])--[a-z][a-z-]+|\b[A-Z_]{4,}\b|Step \d(?:-\d)?|kubectl (?:get|describe|logs|exec|wait|apply)|\w+\.(?:json|yaml)"
    )
    common = {"FILE", "RESTARTS", "OPTIONS", "COMMAND", "ARGS"}
    for english, korean in KOREAN.items():
        if english.startswith("\b\n"):  # examples: the lines say the same commands, the remarks are translated
            commands = re.findall(r"^  (\S.*?)(?:  |$)", english.replace("\b\nExamples", ""), re.M)
            assert [
                command
                for command in commands
                if command.startswith("playbook") and command.split(" --reason")[0] not in korean
            ] == []
            continue
        lost = {word for word in typed.findall(english) if word not in korean} - common
        assert lost <= {"TEXT", "NAME"}, (english, korean)


@pytest.mark.parametrize(
    "word",
    [
        "Pod(?:가|를|는|와|로)(?![가-힣])",  # the guide writes Pod이, Pod을, Pod은, Pod과, Pod으로
        "디렉터리",
        "종료 상태",
        "인터럽트",
        "다이제스트",
        "증거",
        "미완(?!료)",
        "십시오",
        r"\} (?:을|를|이|가|은|는|와|과|로|에)(?![가-힣])",  # a particle does not stand alone
    ],
)
def test_one_korean_word_for_one_thing(word: str) -> None:
    assert [text for text in KOREAN.values() if re.search(word, text)] == []


def test_the_terms_of_the_guide():
    with speaking("ko"):
        assert [str(labels.VERDICTS[verdict]) for verdict in Verdict] == [
            "정상",
            "주의",
            "비정상",
            "확인 불가",
            "건너뜀",
            "대기",
            "미실행",
        ]
        assert [str(word) for word in labels.OVERALLS.values()] == ["완료", "대기", "미완료", "실패", "중단"]
        titles = [str(title) for title in labels.TITLES.values()]
    assert titles[0] == "클러스터 연결" and titles[1] == "네임스페이스"
    assert titles[7:] == ["헬스체크", "데이터 영속성", "24시간 안정성"]


# a message


def test_a_broken_translation_falls_back_to_english(monkeypatch):
    class Broken:
        def gettext(self, template: str) -> str:
            return {"{n} keys": "키 {m}개", "{n} pods": "{n", "{n} files": "{0}"}.get(template, template)

    monkeypatch.setitem(text._catalogs, "ko", Broken())
    with speaking("ko"):
        assert [str(msg("{n} keys", n=2)), str(msg("{n} pods", n=2)), str(msg("{n} files", n=2))] == [
            "2 keys",
            "2 pods",
            "2 files",
        ]


def test_a_message_is_recorded_without_a_language():
    with speaking("ko"):
        data = msg("PVC {name} is Bound", name="x").to_json()
    assert data == {"template": "PVC {name} is Bound", "values": {"name": "x"}}
    assert str(Message.from_json(data)) == "PVC x is Bound"


def test_english_needs_no_catalog():
    code = (
        "import playbook.text as t; t._catalog = None\n"
        "from playbook import api\nfrom playbook.output import terminal\n"
        "print(terminal.steps_table(api.replay(api.scenario('healthy')))[:4])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "Step"


# what a person sees


def starts(lines: list[str], *cells: str) -> list[int]:
    """The terminal column where each cell begins in its line."""
    return [columns.width(line[: line.index(cell)]) for line, cell in zip(lines, cells, strict=True)]


@pytest.mark.parametrize("colour", [False, True])
def test_the_table_of_steps_lines_up_in_korean(colour):
    for make in sessions.ALL:
        session = make()
        with speaking("ko"):
            drawn = terminal.steps_table(session, colour=colour)
            titles = [str(title) for title in labels.TITLES.values()]
            words = [terminal.label(result.verdict, colour) for result in session.results]
            tallies = [labels.tally(result.findings) for result in session.results]
        header, rule, *rows = drawn.split("\n")
        assert HANGUL.search(header)
        bars = [found.start() for found in re.finditer("(?<!-)-", rule)]
        assert len(bars) == 5 and len(rows) == 10
        assert set(starts(rows, *titles)) == {bars[1]} == set(starts([header], "제목"))
        assert set(starts(rows, *words)) == {bars[2]} == set(starts([header], "판정"))
        assert {columns.width(row[: row.index(cell, row.index(word) + len(word))]) for row, word, cell in zip(rows, words, tallies, strict=True)
                } == {bars[3]}  # fmt: skip


def test_step_lines_line_up_in_korean():
    session = sessions.failed()
    with speaking("ko"):
        lines = sessions.step_lines(session, labels.TITLES)
        words = [terminal.label(result.verdict) for result in session.results]
        times = [labels.duration(result.seconds) for result in session.results]
    assert len(set(starts(lines, *words))) == 1
    after = [line[line.index(word) + len(word) :] for line, word in zip(lines, words, strict=True)]
    at = [columns.width(line[: line.rindex(time)]) for line, time in zip(lines, times, strict=True)]
    assert len(set(at)) == 1 and all(rest.startswith("  ") for rest in after)


def test_named_lines_line_up_in_korean():
    with speaking("ko"):
        for make in sessions.ALL:
            session = make()
            facts = terminal.status(session).split("\n\n")[0].split("\n")
            assert len({columns.width(re.match(r"\S+(?: \S+)*?  +", line)[0]) for line in facts}) == 1, facts
        block = terminal.problems(sessions.failed()).split("\n\n")[1].split("\n")[1:]
        assert len({columns.width(re.match(r"  \S+(?: \S+)*?  +", line)[0]) for line in block}) == 1, block


def test_markdown_tables_line_up_raw_in_korean():
    """As long as a cell is not wider than what columns are padded to."""
    with speaking("ko"):
        said = api.render(sessions.complete())
    table = said[said.index("## Step별 결과") :].split("\n\n")[1].split("\n")
    assert len(table) == 12 and len({columns.width(row) for row in table}) <= 2  # symbols of one and of two columns
    assert len({tuple(columns.width(cell) for cell in row.split("|")[1:3]) for row in table}) == 1


def test_help_breaks_korean_lines_at_the_edge_of_the_terminal():
    done = playbook("--lang", "ko", "all", "--help", COLUMNS="80")
    assert done.returncode == 0 and done.stdout.startswith(f"사용법: {PYTHON.name} -m playbook all [옵션]\n")
    filled = done.stdout.split("\n  예:")[0]
    assert max(columns.width(line) for line in filled.split("\n")) <= 80
    assert "[기본값: 9]" in filled and "\ue000" not in done.stdout and "이 도움말을 표시하고 끝냅니다." in filled


def test_the_first_page_in_korean():
    said = playbook("--help", "--lang", "ko").stdout
    assert all(f"{heading}:\n" in said for heading in ("옵션", "명령"))
    english = playbook("--help").stdout
    for verb in re.findall(r"^  ([a-z-]+)  ", english, re.M):
        assert re.search(rf"^  {verb} .*[가-힣]", said, re.M), verb


@pytest.mark.parametrize(
    ("arguments", "environ", "korean"),
    [
        (("--lang", "ko", "list"), {}, True),
        (("list", "--lang", "ko"), {}, True),
        (("list", "--lang=ko"), {"LC_ALL": "en_US.UTF-8"}, True),
        (("list",), {"LC_ALL": "ko_KR.UTF-8", "LANG": "C"}, True),
        (("list",), {"LANG": "ko_KR.UTF-8"}, True),
        (("list",), {"LC_MESSAGES": "ko_KR.UTF-8", "LANG": "de_DE.UTF-8"}, True),
        (("list",), {"LC_ALL": "C", "LANG": "ko_KR.UTF-8"}, False),
        (("list",), {"LC_ALL": "", "LANG": "C"}, False),
        (("--lang", "en", "list"), {"LANG": "ko_KR.UTF-8"}, False),
        (("list",), {}, False),
    ],
)
def test_which_language_is_spoken(arguments, environ, korean):
    done = playbook(*arguments, **environ)
    assert done.returncode == 0
    assert ("진단과 조치" in done.stdout) is korean and ("Diagnosis and remedies" in done.stdout) is not korean


def test_mistakes_are_told_in_korean():
    for arguments, words in (
        (("waive", "X"), "오류: 인자가 필요합니다: --by"),
        (("nonsense",), "오류: 그런 명령이 없습니다: nonsense"),
        (("show", "--nonsense"), "오류: 그런 옵션이 없습니다: --nonsense"),
        (("show", "nonsense"), "playbook: 그런 명령이 없습니다: nonsense"),
    ):
        done = playbook(*arguments, "--lang", "ko")
        assert done.returncode == 2 and words in done.stderr, done.stderr
    assert "No such command 'nonsense'" in playbook("nonsense").stderr


def test_korean_on_a_terminal_that_cannot_show_it_does_not_crash():
    done = playbook(
        "--lang",
        "ko",
        "list",
        PYTHONUTF8="0",
        PYTHONCOERCECLOCALE="0",
        LC_ALL="C",
        PYTHONIOENCODING="ascii:backslashreplace",
    )
    assert done.returncode == 0, done.stderr


# what a machine sees


def machine_words(value: object, key: str = "") -> object:
    """A document without the texts that people read."""
    if isinstance(value, dict):
        return {name: machine_words(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [machine_words(each, key) for each in value]
    return (
        ""
        if key in {"title", "summary", "expected", "actual", "remedy", "branch", "advice", "condition", "why"}
        else value
    )


@pytest.mark.parametrize("scenario", long_walk())
def test_json_says_the_same_in_both_languages(scenario):
    documents = {}
    for lang in LANGUAGES:
        with speaking(lang):  # judged and rendered in it: neither may depend on the language
            session = replayed(scenario) if lang == "en" else api.replay(FIXTURES / scenario)
            documents[lang] = json.loads(api.render(session, "json"))
    assert machine_words(documents["en"]) == machine_words(documents["ko"])
    assert HANGUL.search(json.dumps(documents["ko"], ensure_ascii=False)) and not HANGUL.search(
        json.dumps(documents["en"], ensure_ascii=False)
    )


@pytest.mark.parametrize("scenario", ["1.20/healthy-24h", "1.20/secret-missing", "1.20/pvc-pending"])
def test_the_report_in_korean_has_the_same_facts(scenario):
    session = api.replay(FIXTURES / scenario)
    reports = {lang: api.render(session, lang=lang) for lang in LANGUAGES}
    for pattern in (
        r"`[A-Z0-9]+(?:-[A-Z0-9]+)+(?:/[^`]+)?`",
        r"(?s)```(?:text|bash)\n.*?\n```",
        r":::[a-z]+",
        r"step\d[\w.-]*:\d+",
    ):
        found = {lang: re.findall(pattern, report) for lang, report in reports.items()}
        assert found["en"] and found["en"] == found["ko"]
    headings = [line for line in reports["ko"].split("\n") if line.startswith("## ")]
    assert all(HANGUL.search(heading) for heading in headings)
    assert len(headings) == reports["en"].count("\n## ")
    assert text.language() == "en"


def test_only_what_is_the_same_in_every_language_stays_english_in_the_report():
    """Sentences of the program in the Korean report are Korean: no English template is left in it."""
    by_postgres = {"ready to accept connections"}  # PostgreSQL's own log says so too
    long = [known for known in TEXTS if len(known.split()) > 3 and "{" not in known and known not in by_postgres]
    for scenario in ("1.20/healthy-24h", "1.20/secret-missing", "1.20/config-mismatch"):
        if not (FIXTURES / scenario).is_dir():
            continue
        said = api.render(api.replay(FIXTURES / scenario), lang="ko")
        assert [known for known in long if known in said] == []


def test_a_session_recorded_in_one_language_is_read_in_the_other():
    said = {}
    for lang in LANGUAGES:
        with speaking(lang):
            session = api.replay(FIXTURES / "1.20/secret-missing")
        said[lang] = (terminal.problems(session), terminal.causes(session), terminal.abort_text(session))
    assert said["en"] == said["ko"]


def test_a_live_session_in_korean_has_a_journal_without_a_language(tmp_path):
    live = Stubbed(tmp_path, "1.20/secret-missing")
    done = live.playbook("all", "--lang", "ko")
    assert done.returncode == 4 and "중단: Step 3-3" in done.stdout, done.stderr
    assert not HANGUL.search((live.session / "journal.jsonl").read_text("utf-8"))
    assert (live.session / "report.md").read_text("utf-8").startswith("# 클러스터 검증: observer-prod\n")
    assert not HANGUL.search(live.playbook("report").stdout) and not HANGUL.search(live.playbook("status").stdout)
    assert live.playbook("report", "--pack", "pack.tar.gz", "--lang", "ko").returncode == 0
    assert [live.playbook("verify-pack", "pack.tar.gz", "--lang", lang).returncode for lang in LANGUAGES] == [0, 0]


def test_korean_in_a_log_is_shown_in_both_languages():
    line = "2026-11-22 14:03:05 ERROR 데이터베이스 연결 실패: 시간 초과"
    session = sessions.failed()
    result = session.result("6")
    odd = sessions.finding("LOG-OBSERVER", "6-3", Verdict.FAIL, actual="")
    odd = replace(odd, actual=verbatim(line))
    changed = replace(result, findings=(odd,), runs=(sessions.run("step6-3-logs-observer", line + "\n"),))
    session = replace(session, results=tuple(changed if each.step == "6" else each for each in session.results))
    for lang in LANGUAGES:
        report = api.render(session, lang=lang)
        assert report.count(line) >= 2  # in the finding and in what was printed
        with speaking(lang):
            assert line in terminal.problems(session)


def test_what_comes_next_names_verdicts_in_korean():
    with speaking("ko"):
        said = next_attempt(replace(sessions.failed(), stale=()), sessions.BEGAN)
    assert "다시 실행 예정: 비정상" in said and not re.search(r"fail|inconclusive|skipped", said)


def test_the_catalogs_are_data_of_the_package():
    assert "locale/*/LC_MESSAGES/*" in (ROOT / "setup.cfg").read_text("utf-8")
    assert {path.name for path in Path(messages.LOCALE).iterdir() if path.is_dir()} == set(LANGUAGES) - {"en"}
