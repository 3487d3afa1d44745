"""Whether a Secret or a ConfigMap has the keys that the guide lists (Steps 3-4 and 4)."""

from __future__ import annotations

from collections.abc import Sequence

from ..model import Finding, Remedy
from ..text import Message, msg
from .question import Question
from .reading import NotSeen, read_keys


def judge_keys(
    asked: Question, name: str, listed: Sequence[str], absent: Message, create: Sequence[Remedy], add: Sequence[Remedy]
) -> Finding:
    """Whether the run shows all keys `listed` of the object `name`: fails with `absent` and `create` where there is no such
    object, with `add` where it lacks keys."""
    try:
        there = {key.name for key in read_keys(asked.run)}
    except NotSeen as why:
        return asked.absent_or_unseen(why, absent, *create)
    total, missing = len(listed), [key for key in listed if key not in there]
    if missing:
        summary = msg("{name} lacks {count} of its {total} keys", count=len(missing), total=total, name=name)
        return asked.failed(summary, msg("missing: {names}", names=", ".join(missing)), None, *add)
    return asked.passed(msg("{name} has all its keys", name=name), msg("all {total} are there", total=total))
