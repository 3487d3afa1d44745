"""Step 1 on recordings and on what they do not show."""

from __future__ import annotations

from dataclasses import replace

import pytest
from handmade import REFUSED, forbidden, never_passes_cut_text, not_found, said, typed
from support import runs_of

from playbook.guide import ids
from playbook.model import Ended, Runs, missing
from playbook.steps.step1_namespace import judge


def test_active():
    (found,) = judge(runs_of("1.20/healthy"))
    assert (found.code, found.step, found.verdict.value) == ("NAMESPACE-ACTIVE", "1", "pass")
    assert (str(found.actual), found.evidence.line) == ("STATUS = Active", 2)


def test_absent():
    (found,) = judge(Runs([said(ids.NAMESPACE, err=not_found("namespaces", "observer-prod"))]))
    assert found.verdict.value == "fail"
    assert typed(found) == ["kubectl create namespace observer-prod"]
    assert 'namespaces "observer-prod" not found' in str(found.actual)
    assert found.evidence.stream == "stderr"


@pytest.mark.parametrize(
    ("out", "err", "verdict"),
    [
        ("NAME            STATUS        AGE\nobserver-prod   Terminating   3d\n", "", "fail"),
        ("NAME            STATUS   AGE\r\nobserver-prod   Active   3d\r\n", "", "pass"),
        ("NAME            STATUS   AGE\nobserver-dev    Active   3d\n", "", "inconclusive"),
        ("NAME            STATUS   AGE\n", "", "inconclusive"),
        ("", "", "inconclusive"),
        ("", forbidden("namespaces", "get"), "inconclusive"),
        ("", REFUSED, "inconclusive"),
    ],
)
def test_the_rest(out: str, err: str, verdict: str):
    (found,) = judge(Runs([said(ids.NAMESPACE, out, err)]))
    assert found.verdict.value == verdict


def test_forbidden_names_verb_and_resource():
    (found,) = judge(Runs([said(ids.NAMESPACE, err=forbidden("namespaces", "get"))]))
    assert str(found.actual) == "Forbidden: may not get namespaces"


def test_a_status_without_a_word_is_not_a_pass():
    (found,) = judge(
        Runs([said(ids.NAMESPACE, "NAME            STATUS   AGE\nobserver-prod   Active   3d\n", code=137)])
    )
    assert found.verdict.value == "inconclusive"


def test_cut_text():
    never_passes_cut_text(judge, runs_of("1.20/healthy", ids.NAMESPACE), ids.NAMESPACE)


@pytest.mark.parametrize(
    ("note", "said"),
    [
        (
            "OSError: [Errno 7] Argument list too long: '/bin/bash'",
            "bash could not be started: OSError: [Errno 7] Argument list",
        ),
        (
            "[Errno 11] Resource temporarily unavailable",
            "bash could not be started: [Errno 11] Resource temporarily unavailable",
        ),
        ("bash", "bash is not installed or not on PATH"),  # as older sessions have it
    ],
)
def test_what_could_not_be_started_says_why(note: str, said: str) -> None:
    run = replace(missing("step1-namespace"), ended=Ended.NOT_FOUND, note=note)
    (finding,) = judge(Runs([run]))
    assert str(finding.actual).startswith(said)
