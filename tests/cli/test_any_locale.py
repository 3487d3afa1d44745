"""Any locale: every verb says what it has to say, in letters that the locale has, and fails for no letter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from stubbed import Stubbed

LOCALES = {
    "latin-1": {"PYTHONIOENCODING": "latin-1", "LANG": "de_DE.ISO-8859-1"},
    "euc-kr": {"PYTHONIOENCODING": "euc-kr", "LANG": "ko_KR.EUC-KR"},
    "cp949": {"PYTHONIOENCODING": "cp949:strict", "LC_ALL": "ko_KR.CP949"},
    "posix": {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "ascii": {"PYTHONIOENCODING": "ascii:strict", "LANG": "ko_KR.UTF-8"},
}
VERBS = (
    ("--help",), ("list",), ("show", "3-4"), ("demo", "secret-missing"), ("status",), ("report",),
    ("report", "--output", "json"), ("report", "--output", "junit"), ("report", "-o", "확인.md"),
    ("report", "--pack", "p.tar.gz"), ("summary",), ("replay", "없는 폴더"), ("diff", "가", "나"), ("없다",), ("step", "3-4"),
    ("waive", "없는/코드", "--by", "김", "--reason", "까닭"), ("verify-pack", "없는.tar.gz"), ("audit", "없는.md"),
)  # fmt: skip


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Stubbed:
    stub = Stubbed(tmp_path_factory.mktemp("가나다"), "1.20/secret-missing")
    assert stub.playbook("all", "--until", "3").returncode in (1, 3, 4)
    return stub


def said(stub: Stubbed, locale: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "playbook", *arguments], env={**stub.environ, **LOCALES[locale]}, cwd=stub.folder,
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("locale", LOCALES)
def test_no_verb_fails_for_a_letter(locale: str, stub: Stubbed) -> None:
    for arguments in VERBS:
        done = said(stub, locale, *arguments)
        told = done.stderr.decode("utf-8", "replace")
        assert "Traceback" not in told, arguments
        assert "UnicodeEncodeError" not in told, arguments
        assert done.returncode in range(6), (arguments, told)
        assert done.stdout or done.stderr, arguments


def test_korean_letters_reach_a_korean_locale(stub: Stubbed) -> None:
    assert "다음" in said(stub, "euc-kr", "status").stderr.decode("euc-kr")
    assert "다음" in said(stub, "cp949", "status").stderr.decode("cp949")


def test_a_locale_without_korean_letters_is_spoken_to_in_english(stub: Stubbed) -> None:
    assert said(stub, "ascii", "status").stderr.startswith(b"next: ")


def test_a_sign_that_the_locale_does_not_have_becomes_plain(stub: Stubbed) -> None:
    assert b"Secrets ...\n" in said(stub, "ascii", "demo", "secret-missing").stderr


def test_a_name_that_is_no_text_is_told_as_escapes(stub: Stubbed, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "playbook", "replay", b"\xff\xfe"], env={**stub.environ, **LOCALES["ascii"]},
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert b"\\udcff" in done.stderr
