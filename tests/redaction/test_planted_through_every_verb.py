"""The planted values again, printed by a cluster in every stream that takes free text: no verb prints one, in any form."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
from itertools import cycle, islice
from pathlib import Path

import pytest
from stubbed import Stubbed
from support import FIXTURES
from test_bench_of_planted_values import KINDS, LONG, PLANTS, b64, needles
from verbs import LIVE, OF_A_RECORDING, OF_A_SESSION, Said, said

from playbook.session.redact.freetext import is_free

FORBIDDEN = 'Error from server (Forbidden): secrets is forbidden: User "x" cannot list resource\n'
BEFORE = (("step", "3-4"), ("step", "6-2"), ("summary",), ("all", "--until", "5"), ("status", "-v"))
"""Verbs that learn by themselves: before any `all`, and before Step 6-4."""

EACH = 7
"""So many plants go into one stream, the next ones into the next."""

READABLE = {"all readable": "es", "only 6-4": "e", "only the Secrets": "s", "forbidden": "", "then readable": ""}

SAMPLE = (("1.34/healthy", "then readable"), ("1.34/secret-key-missing", "only the Secrets"))
"""What the slow tests take: the first has in it what is forbidden, and what is learned later."""


def planted(folder: Path, state: str) -> tuple[Path, int]:
    """The recording of `state` with a part of the plants in each stream that takes free text, in turn; and how many that are."""
    made = folder / "recording"
    shutil.copytree(FIXTURES / state, made)
    streams = [
        path
        for path in sorted(made.rglob("*.*"))
        if path.suffix == ".err" or (path.suffix == ".out" and is_free(path.name.partition(".")[0]))
    ]
    turn = cycle(PLANTS)
    for number, path in enumerate(streams):
        lines = "".join(f"info {text} .\n" for _, _, text in islice(turn, EACH))
        with path.open("ab") as file:
            file.write((lines + (f"info {LONG}\n" if number % 30 == 0 else "")).encode("latin-1"))
    assert len(streams) * EACH > 2 * len(PLANTS)
    return made, len(streams) * EACH


def readable(made: Path, what: str) -> None:
    """Let the Secrets (`s`) and Step 6-4 (`e`) be read, or be refused."""
    values = {**KINDS, "LONG_TOKEN": LONG}
    listing = {"items": [{"type": "Opaque", "data": {name: b64(value) for name, value in values.items()}}]}
    (made / "secret-values.err").unlink(missing_ok=True)
    if "s" in what:
        (made / "secret-values.out").write_text(json.dumps(listing), "utf-8")
    else:
        (made / "secret-values.err").write_text(FORBIDDEN, "utf-8")
    env = made / "step6-4-env.out"
    healthy = (FIXTURES / "1.34/healthy" / env.name).read_text("utf-8")
    env.write_text(healthy + "".join(f"{n}={v}\n" for n, v in values.items()) if "e" in what else "", "utf-8")
    if "e" not in what:
        env.with_suffix(".err").write_text(FORBIDDEN, "utf-8")


def views(text: str) -> bytes:
    """A text as it was before it was escaped for a page, for JSON or for Markdown, one view after the other."""
    plain = html.unescape(text)
    joined = "\n".join(
        [text, plain, re.sub(r"\\([^\w\s])", r"\1", plain), plain.replace("\\n", "\n").replace('\\"', '"')]
    )
    return joined.replace("␀", "\x00").encode("utf-8", "surrogatepass")


def found_in(printed: Said) -> list[tuple[str, str, str]]:
    """Which plants stand in it."""
    data = views(printed.text)
    found = [(printed.name, kind, form) for kind, form, text in PLANTS if any(part in data for part in needles(text))]
    return found + [(printed.name, "?", part) for part in ("pl4nted", "PL4NTED") if part.encode() in data]


@pytest.mark.parametrize(
    ("state", "condition"),
    [*(("1.34/healthy", condition) for condition in READABLE), ("1.34/secret-key-missing", "only the Secrets")],
)
def test_none_is_printed(
    state: str, condition: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if (state, condition) not in SAMPLE and not os.environ.get("PLAYBOOK_THOROUGH"):
        pytest.skip("a minute each: make test-all has them")
    made, number = planted(tmp_path, state)
    readable(made, READABLE[condition])
    stubbed = Stubbed(tmp_path, str(made))
    verbs = (*BEFORE, *LIVE, *OF_A_SESSION)
    shown = list(said(verbs, stubbed, monkeypatch, capsys))
    if condition == "then readable":
        readable(made, "es")
        shown += said(verbs, stubbed, monkeypatch, capsys)
    if "e" in READABLE[condition]:
        shown += said(OF_A_RECORDING, stubbed, monkeypatch, capsys)
    shown.append(Said("r.html", 0, (tmp_path / "r.html").read_text("utf-8")))
    print(f"{state}, {condition}: {number} plants in streams, {len(shown)} outputs: {number * len(shown)} combinations")
    wrong = [each for printed in shown for each in found_in(printed)]
    assert wrong == [], wrong
    assert [printed for printed in shown if printed.status in (2, 70)] == []
    held = next(printed for printed in shown if printed.name == "verify-pack pack.tar.gz: out")
    assert held.status == 0, held.text
    assert any("*****" in printed.text for printed in shown) or "e" not in READABLE[condition]
