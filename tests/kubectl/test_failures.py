"""The real kubectl against servers that answer as none should: verdict, time, cause, remedy and exit status."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from clients import LIMIT_S, Place
from loopback import api, everything, forbidden, kubeconfig, serving, status
from situations import AT_8080, BROKEN, RIGHTS, SITUATIONS, Situation, nobody_on_8080

from playbook import api as playbook_api
from playbook.errors import EXIT_OF
from playbook.guide.catalog import Catalog, load
from playbook.guide.own_commands import SECRET_VALUES
from playbook.kubectl.failures import failure, telling_line
from playbook.model import Command, Ended, Finding, Session, Verdict
from playbook.steps.reading import kubectl_failure

ROOT = Path(__file__).resolve().parent.parent.parent
LONG = bool(os.environ.get("PLAYBOOK_ALL_KUBECTLS"))
LONG_PART = "the long part: PLAYBOOK_ALL_KUBECTLS=1"
GRACE_S = 6.0
"""What ending a command and judging it may take beyond its time limit."""


class Brisk(Catalog):
    """The catalog, each command with a short time limit."""

    def command(self, id: str) -> Command:
        """The command, to be ended after `LIMIT_S`."""
        return replace(Catalog.command(self, id), timeout_s=LIMIT_S)


def brisk() -> Catalog:
    """The catalog with short time limits."""
    real = load()
    return Brisk(real.folder, real.digests, real.digest)


@pytest.fixture
def situation(request: pytest.FixtureRequest, place: Place):
    """One situation, set up in `place`."""
    it: Situation = request.param
    if it.rare and not LONG:
        pytest.skip(LONG_PART)
    if it.name in AT_8080 and not nobody_on_8080():
        pytest.skip("something answers on localhost:8080, where kubectl looks without a kubeconfig")
    certified = request.getfixturevalue("certified") if it.needs_certificates else None
    with it.opened(place.folder, certified):
        yield it


def run(*, until: str = "9") -> Session:
    """`playbook all` in this process, two commands at a time, without the decision trees."""
    return playbook_api.run(fresh=True, until=until, jobs=2, diagnose=False)


def findings(session: Session) -> list[Finding]:
    return [finding for result in session.results for finding in result.findings]


@pytest.mark.parametrize("situation", SITUATIONS, indirect=True, ids=lambda it: it.name.replace(" ", "-"))
def test_each_ends_in_its_verdict(situation: Situation, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    if situation.name == "a server that hangs":
        catalog = brisk()
        monkeypatch.setattr("playbook.runtime.start.load", lambda: catalog)
        monkeypatch.setattr("playbook.runtime.learning.SECRET_VALUES", replace(SECRET_VALUES, timeout_s=LIMIT_S))
    begun = time.monotonic()
    session = run(until="9" if situation.ends else "0")
    took = time.monotonic() - begun

    runs = session.result("0").runs
    assert [r.command for r in runs] == ["step0-cluster-info", "step0-nodes"]
    for seen in runs:
        why = failure(seen)
        assert why and why.kind in situation.troubles, (seen.command, telling_line(seen), why)
        assert seen.ended is Ended.TIMEOUT or situation.says in why.text
        assert seen.exit_code != 0
    assert took < max(r.duration_s for r in runs) + GRACE_S
    if situation.name == "a server that hangs":
        assert all(LIMIT_S <= r.duration_s < LIMIT_S + GRACE_S for r in runs)

    (reached,) = [f for f in session.result("0").findings if f.code == "API-REACHED"]
    if situation.reached:
        assert reached.verdict.value == situation.reached, reached
    others = [f for f in session.result("0").findings if f.code != "API-REACHED"]
    assert {f.verdict for f in others} == {Verdict.INCONCLUSIVE}
    advice = [f"{r.command} {r.advice or ''}" for r in reached.remedy]
    assert len(advice) == len(situation.remedy) or reached.verdict is Verdict.PASS
    for wanted, given in zip(situation.remedy, advice, strict=False):
        assert wanted in given, advice
    assert int(EXIT_OF[session.overall]) == situation.exit_code
    if situation.ends:
        assert not any(result.runs for result in session.results if result.step != "0")
    assert session.abort is None


@pytest.mark.parametrize("situation", [it for it in SITUATIONS if it.says], ids=lambda it: it.name.replace(" ", "-"))
def test_the_page_on_kubectl_says_what_it_is_taken_for(situation: Situation) -> None:
    page = (ROOT / "docs" / "kubectl.md").read_text("utf-8")
    rows = [row.split("|") for row in page.splitlines() if row.startswith("|") and situation.says in row]
    taken = {row[4].split(",")[0].strip() for row in rows if len(row) > 6}
    assert taken & {kind.value for kind in situation.troubles}, taken


def test_forbidden_everywhere_goes_on_and_names_each_right(place: Place) -> None:
    with serving(api(forbidden)) as url:
        kubeconfig(place.config, url)
        session = run(until="6")
    assert int(EXIT_OF[session.overall]) == 3
    assert session.abort is None
    for result in session.results[1:7]:
        assert result.runs, result.step
        assert result.verdict is Verdict.INCONCLUSIVE, result.findings
    for run_ in (r for result in session.results[:7] for r in result.runs if r.command != "step2-storage-dir"):
        why = kubectl_failure(run_)  # python3 behind the pipe has its own word to say
        assert why and why.verb and why.resource, (run_.command, run_.err)
    by_kubectl = [
        f for f in findings(session)
        if f.verdict is Verdict.INCONCLUSIVE and f.evidence and f.evidence.command != "step2-storage-dir"
    ]  # fmt: skip
    assert len(by_kubectl) > 20
    for finding in by_kubectl:
        said, typed = str(finding.actual), [r.command for r in finding.remedy]
        assert said.startswith("Forbidden: may not ") and len(said.split()) == 5, (finding.code, said)
        assert any(command.startswith(RIGHTS) for command in typed), (finding.code, typed)


@pytest.mark.skipif(not LONG, reason=LONG_PART)
@pytest.mark.parametrize(
    "answers",
    [everything(status(403, "Forbidden", "no")), everything(status(404, "NotFound", "no")), everything(status(500, "InternalError", "no")),
     everything(BROKEN), api(everything(status(500, "InternalError", "etcdserver: leader changed"))), api(everything(BROKEN))],
    ids=["403", "404", "500", "broken-json", "500-objects", "broken-json-objects"],
)  # fmt: skip
def test_nothing_is_called_broken_or_fine_that_was_not_seen(answers, place: Place) -> None:
    with serving(answers) as url:
        kubeconfig(place.config, url)
        session = run(until="6")
    odd = {f.code: (f.verdict.value, str(f.actual)) for f in findings(session) if f.step != "0"
           and f.verdict in (Verdict.PASS, Verdict.FAIL) and not f.code.startswith("PVC-DIRECTORY")}  # fmt: skip
    assert odd == {}
    assert session.abort is None
    assert int(EXIT_OF[session.overall]) == 3


@pytest.mark.parametrize(
    ("name", "code"),
    [("a closed port", 1), pytest.param("401", 3, marks=pytest.mark.skipif(not LONG, reason=LONG_PART))],
)
def test_the_exit_status_of_the_program(name: str, code: int, place: Place) -> None:
    (situation,) = [it for it in SITUATIONS if it.name == name]
    with situation.opened(place.folder, None):
        done = subprocess.run(
            [sys.executable, "-m", "playbook", "all", "-v"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == code, done.stderr
    assert situation.says in done.stdout
    if name == "401":  # the finding follows from a root, whose remedy is printed instead
        assert "CREDENTIALS-REFUSED" in done.stdout and "remedy" in done.stdout
    else:
        assert [words for words in situation.remedy if words not in done.stdout] == [], done.stdout
    assert "Traceback" not in done.stderr
