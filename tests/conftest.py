"""What every test gets: the checkout and these folders on the import path, English, no surprises from hypothesis."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for place in (HERE, HERE.parent):
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))

try:
    from hypothesis import HealthCheck, settings
except ImportError:  # the demo's environment runs without it
    pass
else:
    settings.register_profile(
        "playbook",
        deadline=None,
        derandomize=True,
        database=None,
        max_examples=100 if os.environ.get("PLAYBOOK_THOROUGH") else 8,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    settings.load_profile("playbook")


SLOW = {
    "cli/test_one_step.py",
    "cli/test_repair.py",
    "cli/test_signing.py",
    "cli/test_watch.py",
    "kubectl/test_failures.py",
    "cli/test_any_locale.py",
    "cli/test_completion.py",
    "cli/test_files.py",
    "cli/test_guesses.py",
    "cli/test_hostile_text.py",
    "cli/test_program.py",
    "cli/test_show_list.py",
    "cli/test_unforeseen.py",
    "output/test_hostile_packs.py",
    "output/test_pack.py",
    "output/test_record.py",
    "output/test_sign.py",
    "redaction/test_bench_of_planted_values.py",
    "redaction/test_planted_through_every_verb.py",
    "runtime/test_disk.py",
    "runtime/test_signals.py",
    "test_first_commands.py",
    "test_planted.py",
    "test_show_list_and_help_start_fast",
    "test_the_script_and_the_program_ask_the_cluster_the_same",
    "test_the_whole_guide_by_the_script",
    "test_what_a_new_pod_refuses_is_tried_again",
    "test_no_pod_is_deleted_after_a_command_that_failed",
    "test_a_live_session_in_korean_has_a_journal_without_a_language",
    "test_a_hundred_thousand_rows_take_linear_time",
    "test_no_value_of_6_4_survives_anywhere",
    "test_the_time_is_linear_for_hostile_text_too",
    "test_every_branch_is_reached_by_an_output",
    "test_the_unmasked_recording_gets_the_same_verdict",
    "test_a_bare_checkout_uses_its_own_files",
    "test_a_bare_checkout_runs",
    "test_the_command_line_changes_nothing_and_keeps_nothing",
    "test_enter_alone_restarts_nothing",
    "test_no_child_outlives_the_program",
    "test_time_limit_keeps_the_output_and_ends_grandchildren",
    "test_eight_threads_at_once",
    "test_eight_threads_write_and_read_one_session",
    "test_thirty_megabytes_cost_their_size_once",
    "test_endless_output_ends_the_command",
    "test_no_lost_or_garbled_output_makes_a_bad_state_good",
    "test_one_bad_step_is_never_complete_through_the_engine",
    "test_cut_text",
    "test_as_kubectl_prints_them",
    "test_the_command_line_says_so_and_ends_with_2",
    "test_a_newer_version_is_named_as_the_reason",
    "test_mistakes_are_told_in_korean",
    "test_which_language_is_spoken",
    "test_the_program_imports_nothing_from_the_working_folder",
    "test_a_changed_command_of_a_checkout_is_refused",
    "test_nothing_is_imported_that_newer_pythons_do_not_have",
    "test_verbs_that_look_import_no_more_than_they_need",
}
"""Files and tests that start processes or look at thousands of mutations: `make test` leaves them to `make test-slow`."""


if os.environ.get("PLAYBOOK_KILLS") == "all":
    SLOW.add("test_dying_at_any_event_loses_nothing")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow, so that `-m "not slow"` takes less than a minute."""
    for item in items:
        name = item.path.relative_to(HERE).as_posix() if item.path.is_relative_to(HERE) else ""
        if name in SLOW or getattr(item, "originalname", item.name) in SLOW:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True, scope="session")
def quick() -> Iterator[None]:
    """Nothing waits for the disk, and kubectl (50 MB) is hashed once, not in each attempt: no test can tell."""
    from playbook.runtime import provenance

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda descriptor: None)
        patch.setattr(provenance, "_digest", cache(provenance._digest))
        yield


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Each test begins and ends in English, whatever the one before it spoke."""
    from playbook.text import speaking

    with speaking("en"):
        yield
