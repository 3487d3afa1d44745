"""Tokens that are known by their shape, and passwords named in Korean. All values are made up."""

from __future__ import annotations

import pytest

from playbook.session.redact.patterns import self_declared

TOKENS = (
    "ghp_" + "a1B2" * 9, "github_pat_" + "11AAAA0" * 5, "AKIA" + "Q3EXAMPLE7NOTREAL", "xoxb-" + "123456789012-abcdefABCDEF",
    "비밀번호: 가짜-Pa55", "암호=not-Real-1",
)  # fmt: skip
URLS = (
    "https://api.telegram.org/bot123456:" + "AAE-fake" * 5,
    "https://hooks.slack.com/services/T0FAKE/B0FAKE/" + "x9" * 12,
)


@pytest.mark.parametrize("text", [*TOKENS, *URLS])
def test_a_token_is_found_wherever_it_stands(text: str) -> None:
    line = f'2026-11-25 ERROR cannot send "{text}" twice\n'.encode()
    (found,) = [line[start:end] for start, end in self_declared(line)]
    assert found and found in text.encode()
    assert len(found) >= 8


@pytest.mark.parametrize(
    "text", ["ghp_short", "AKIA", "xoxb-", "https://hooks.slack.com/", "the asian market", "비밀번호 변경 완료"]
)
def test_a_word_that_only_begins_like_one_stays(text: str) -> None:
    assert list(self_declared(text.encode())) == []
