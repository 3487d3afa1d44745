"""The Markdown report: what the first screen says, what stays visible, and that nothing breaks out of its place."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import sessions

from playbook.model import Command, Evidence, Session, Verdict
from playbook.output import escaping, labels, markdown
from playbook.text import msg, speaking

COMMANDS = {
    "step3-3-observer-secrets": Command(
        "step3-3-observer-secrets", "3-3", "kubectl get secret observer-secrets\n", "0" * 64
    ),
    "step4-path-contract": Command(
        "step4-path-contract", "4", "kubectl get configmap | \\\n  python3 -c \"\nprint('```')\n\"\n", "0"
    ),
}


def rendered(session: Session, **more: str) -> str:
    return markdown.markdown_text(session, COMMANDS, titles=sessions.TITLES, **more)


def section(markdown: str, title: str) -> str:
    """The text under a heading, up to the next heading of its level or higher."""
    level = re.search(rf"^(#+) {re.escape(title)}", markdown, re.M)
    assert level, f"no heading {title!r}"
    rest = markdown[level.end() :]
    return re.split(rf"^#{{1,{len(level[1])}}} ", rest, maxsplit=1, flags=re.M)[0]


def outside_fences(markdown: str) -> str:
    """What a Markdown reader takes as Markdown, by CommonMark's rule for fences."""
    kept, fence = [], ""
    for line in markdown.split("\n"):
        bare = line.strip()
        if fence:
            if set(bare) == {"`"} and len(bare) >= len(fence):
                fence = ""
            continue
        opened = re.match(r"(`{3,})[^`]*$", bare)
        if opened:
            fence = opened[1]
            continue
        kept.append(line)
    assert not fence, "a fence was never closed"
    return "\n".join(kept)


@pytest.mark.parametrize("make", sessions.ALL)
def test_every_session_renders_to_the_same_bytes_twice(make):
    first = rendered(make())
    assert first == rendered(make())
    assert first.encode("utf-8").endswith(b"\n")


@pytest.mark.parametrize("make", sessions.ALL)
def test_all_parts_are_there_in_order(make):
    headings = re.findall(r"^## (.+)$", outside_fences(rendered(make())), re.M)
    wanted = [
        "Steps",
        "Abort criteria",
        "Stability ledger",
        "Details",
        "Where the guide and the cluster differ",
        "Flow",
    ]
    wanted.append("Sign-off")
    assert [h for h in headings if h in wanted] == wanted
    assert len(re.findall(r"^### Step \d:", outside_fences(rendered(make())), re.M)) == 10


@pytest.mark.parametrize("make", sessions.ALL)
def test_every_table_row_has_as_many_cells_as_its_head(make):
    tables = re.findall(r"(?:^\|.*\n)+", outside_fences(rendered(make())) + "\n", re.M)
    assert len(tables) >= 4
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1, table


def test_first_screen_says_who_what_when_and_verdict():
    top = rendered(sessions.complete()).split("## Steps")[0]
    assert "✅ **Complete: all ten steps are as the guide wants them.**" in top
    for value in (
        "`https://10.0.0.5:6443`",
        "oracle-obs-arm",
        "`observer-prod`",
        "| 1.0 ",
        "| kim ",
        "2026-11-22T14:03:05Z",
        "2026-11-23T15:03:05Z",
        "| 2 ",
        "c0ffee",
        "kubectl v1.32.4",
    ):
        assert value in top, value
    assert re.search(r"\| Sign-off +\| not signed yet: \[operator and reviewer\]\(#sign-off\)", top)
    assert re.sub(r"<details>.*?</details>", "", top, flags=re.S).count("\n") < 25, "more than a screen"


def test_a_passing_report_is_short_and_folds_what_passed():
    from playbook import render, replay, scenario

    assert len(render(replace(replay(scenario("healthy")), replayed=False)).splitlines()) <= 400
    report = render(replace(replay(scenario("healthy-24h")), replayed=False))
    assert len(report.splitlines()) <= 400
    assert "(#sign-off)" in report.split("## Steps")[0] and '<a id="sign-off"></a>' in report
    outside = re.sub(r"<details>.*?</details>", "", report, flags=re.S)
    assert "NODE-READY" not in outside and "NODE-READY" in report


def test_the_first_page_names_cause_remedy_and_what_was_changed():
    top = rendered(sessions.aborted()).split("## Steps")[0]
    assert "- **Root cause**: observer-secrets does not exist (`SECRET-ABSENT`, Step 3-3)" in top
    assert "  - Remedy: " in top
    assert re.search(r"\| Changed on the cluster +\| nothing", top)
    from playbook import render, replay, scenario

    healthy = render(replay(scenario("healthy"))).split("## Steps")[0]
    assert "pods deleted: observer-5dd97c6749-8bwxr, observer-5dd97c6749-b8mtk, 2026-11-25T01:06:44Z" in healthy
    assert "pod tmp-curl created" in healthy


def test_times_have_no_fractions():
    assert ".123456" not in rendered(sessions.failed())


def test_the_flow_is_coloured_by_verdict_and_broken_where_it_stopped():
    flow = section(rendered(sessions.aborted()), "Flow")
    assert 's3["❌ Step 3: Secrets · fail"]:::fail' in flow
    assert 's2["✅ Step 2: PVCs · pass"]:::pass' in flow
    assert 's4["⬜ Step 4: ConfigMap · not-run"]:::notrun' in flow
    assert 's3 -.->|"stopped by criterion 1"| s4' in flow
    used = set(re.findall(r":::(\w+)", flow))
    assert used <= set(re.findall(r"classDef (\w+) ", flow))


def test_criteria_name_all_six_states():
    rows = [
        line
        for line in section(rendered(sessions.aborted()), "Abort criteria").splitlines()
        if re.match(r"\| \d", line)
    ]
    assert [row.split("|")[1].strip() for row in rows] == list("123456")
    assert "❌ met" in rows[0] and "step3-3-create-observer-secrets" in rows[0]
    assert "✅ not met" in rows[1]
    assert "⬜ not run" in rows[2]


def test_causes_come_root_first_with_what_they_explain_and_the_remedy():
    causes = section(rendered(sessions.aborted()), "Root causes")
    assert "1. **observer-secrets does not exist** (`SECRET-ABSENT`, Step 3-3)" in causes
    assert "`POD-STATUS/postgres-0`, `HEALTH-POD`" in causes
    assert "`step3-3-observer-secrets.err:1`" in causes
    assert "     ```bash\n     kubectl create secret generic x \\\n       --from-literal=A=b\n     ```" in causes
    assert "local-path" in causes
    assert "Root causes" not in rendered(sessions.complete())


def test_stability_ledger_is_a_table_and_a_plot():
    ledger = section(rendered(sessions.pending()), "Stability ledger")
    assert ledger.count("| `postgres-0`") == 3
    assert re.search(r"^postgres-0 +▁▁█  0 → 4$", ledger, re.M)
    assert re.search(r"^observer-7cd9cf784-w8d7n  ▁▃▃  0 → 1$", ledger, re.M)


def test_a_sample_that_cannot_be_read_is_counted():
    session = sessions.pending()
    nine = session.result("9")
    broken = replace(nine, runs=(*nine.runs, sessions.run("step9-1-pod-restarts", "what is this\n", ordinal=4)))
    ledger = section(rendered(replace(session, results=(*session.results[:9], broken))), "Stability ledger")
    assert "Samples that could not be read: 1." in ledger


def test_a_step_shows_command_output_status_findings_and_remedy():
    step = section(rendered(sessions.aborted()), "Step 3:")
    assert "```bash\nkubectl get secret observer-secrets\n```" in step
    assert "**`step3-3-observer-secrets`** - exit status 1, 0.08 s, 2026-11-22T14:03:05Z" in step
    assert (
        'On standard error:\n\n```text\nError from server (NotFound): secrets "observer-secrets" not found\n```' in step
    )
    assert "observer-secrets, Opaque" in step
    assert "- Remedy: create it, then verify again: `python -m playbook show" in step


def test_a_command_that_holds_a_fence_keeps_its_text():
    session = sessions.complete()
    four = session.result("4")
    failed = replace(four, findings=(replace(four.findings[0], verdict=Verdict.FAIL),))
    results = tuple(failed if result.step == "4" else result for result in session.results)
    step = section(rendered(replace(session, results=results)), "Step 4:")
    assert "````bash\nkubectl get configmap | \\\n  python3 -c \"\nprint('```')\n\"\n````" in step


def test_runs_that_did_not_end_by_themselves_say_so():
    markdown = rendered(sessions.failed())
    assert "**`step7-2-health-via-service`** - ended by the time limit, 1 min 30 s" in markdown
    assert "**`step8-2-delete-observer`** - not run: a restart of the pods needs --allow-restart" in markdown


def test_every_attempt_is_there_and_no_output_twice():
    step = section(rendered(sessions.failed()), "Step 5:")
    assert step.count("first time") == step.count("second time") == 1
    assert step.index("second time") < step.index("Attempt 1,") < step.index("first time")
    attempts = section(rendered(sessions.failed()), "All attempts")
    assert len(re.findall(r"\| 5 +\| [12] ", attempts)) == 2
    assert "All attempts" not in rendered(sessions.complete())


def test_stale_results_are_marked():
    assert "(stale: LATER-CHANGE)" in section(rendered(sessions.failed()), "Steps")


def test_what_was_waived_stays_visible():
    markdown = rendered(sessions.waived())
    assert "Waived: SERVICE-PORT/observer." in markdown.split("## Steps")[0]
    assert "❌ fail (waived)" in section(markdown, "Steps")
    assert "moved on \\| purpose" in section(markdown, "Waived findings")
    step = section(markdown, "Step 5:")
    assert "waived by lee at 2026-11-22T16:03:05Z: moved on | purpose" in step
    assert "8080/TCP" in step


def test_a_waiver_does_not_reach_back_to_earlier_attempts():
    session = sessions.waived()
    old = replace(session.result("5"), attempt=1)
    new = replace(session.result("5"), attempt=2)
    results = tuple(new if r.step == "5" else r for r in session.results)
    step = section(rendered(replace(session, results=results, history=(old, new))), "Step 5:")
    assert "❌ fail (waived)" in step.split("Attempt 1,")[0]
    assert "waived" not in step.split("Attempt 1,")[1]


def test_slips_that_were_met_are_told(monkeypatch):
    from playbook.guide import deviations

    told = deviations.Deviation("KEYS-15", "4", msg("the guide says 14 keys"), msg("the list of 15 decides"))
    monkeypatch.setattr(deviations, "deviations_met", lambda session: (told,))
    assert "- **Step 4** (`KEYS-15`): the guide says 14 keys - the list of 15 decides" in rendered(sessions.complete())


def test_sign_off_has_room_and_the_digests():
    block = section(rendered(sessions.complete(), pack_digest="abc123"), "Sign-off")
    assert "playbook sign" in block and "| Reviewer |" not in block
    assert "- Evidence digest (SHA-256 of the pack's file EVIDENCE): `abc123`" in block
    assert "- Journal digest: `c0ffee" in block
    alone = section(rendered(sessions.complete()), "Sign-off")
    assert re.search(r"\| Reviewer \| +\| +\| +\| +\|", alone)
    assert "no pack was made" in alone


def test_hostile_output_stays_in_its_place():
    markdown = rendered(sessions.hostile())
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", markdown), "a control character came through"
    outside = outside_fences(markdown)
    assert not re.search(r"<(?!/?(?:details|summary|code|a|br)\b|none)", outside), "HTML came through"
    assert outside.count("<details>") == outside.count("</details>") > 5
    assert "## forged" not in re.findall(r"^## .*$", outside, re.M)
    assert "파드가 준비되지 않음" in markdown
    assert "␀" in markdown and "\\u202egnp.exe" in markdown
    assert "[a](" not in outside


def test_long_output_is_cut_in_the_middle_and_says_how_much():
    step = section(rendered(sessions.hostile()), "Step 6:")
    assert "line 149 로그\n[... cut here: 4800 lines, " in step
    assert "line 4949 로그" not in step and "line 4950 로그" in step and "line 4999 로그" in step
    assert "\\xff\\xfe not UTF-8" in step
    assert len(step) < 40_000


@pytest.mark.parametrize("lines", [1, 199, 200, 201, 5000])
def test_excerpt_loses_nothing_it_does_not_name(lines):
    text = "".join(f"{n}\n" for n in range(lines))
    shown = escaping.excerpt(text)
    cut = re.search(r"cut here: (\d+) lines", shown)
    assert (cut is None) == (lines <= 200)
    assert len(shown.strip().split("\n")) - bool(cut) + int(cut[1] if cut else 0) == lines


def test_a_run_whose_command_is_unknown_is_still_shown():
    assert "second time" in markdown.markdown_text(sessions.failed(), {}, titles=sessions.TITLES)


def test_a_session_without_anything_is_not_called_good():
    markdown = rendered(sessions.empty())
    assert "❔ **Incomplete" in markdown and re.search(r"\| Cluster +\| not seen", markdown)
    assert "No finding: nothing was seen." in section(markdown, "Step 0:")


def test_evidence_of_a_second_run_names_it():
    assert labels.where(Evidence("step5-services", 2, 2)) == "step5-services.2:2"
    assert "`step5-services.2:2`" in rendered(sessions.failed())


def test_the_report_speaks_the_language_in_use(monkeypatch):
    from playbook import text

    class Upper:
        def gettext(self, message: str) -> str:
            return re.sub(r"(?<![{\w])[a-z]+(?![\w}])", lambda found: found[0].upper(), message)

    monkeypatch.setitem(text._catalogs, "ko", Upper())
    with speaking("ko"):
        markdown = rendered(sessions.failed())
    assert "EXIT STATUS 0" in markdown and "❌ FAIL" in markdown and "SERVICE/postgres" in markdown
    assert "fail:#" not in markdown and ":::fail" in markdown, "the classes of the diagram are not words"
    assert "EXIT STATUS" not in rendered(sessions.failed())
