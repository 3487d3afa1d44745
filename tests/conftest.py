"""What every test gets: the checkout and these folders on the import path, English, no surprises from hypothesis."""

from __future__ import annotations

import sys
from collections.abc import Iterator
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
        "playbook", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("playbook")


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Each test begins and ends in English, whatever the one before it spoke."""
    from playbook.text import speaking

    with speaking("en"):
        yield
