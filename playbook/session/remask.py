"""The journal masked again: what a later attempt learned stands in no finding, cause or reason that an earlier one noted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from .as_json import finding_from_json
from .fold import evidence_digest
from .journal import Event, Kind

_TEXTS = {Kind.JUDGED: "findings", Kind.CAUSES: "causes"}
_NOT_MASKED = frozenset({"verdict", "step", "evidence"})


def masked_events(events: Iterable[Event], mask: Callable[[str], str]) -> tuple[Event, ...]:
    """`events` with the texts of findings, causes and waivers masked, and the names that cluster and programs go by.

    A finding or cause that this changes is marked. A waiver stays bound to its finding.
    """
    digests: dict[str, str] = {}
    found = []
    for event in events:
        key = _TEXTS.get(event.kind)
        data = event.data
        if key:
            told = [_marked(each, mask) for each in data[key]]
            if key == "findings":
                for before, after in zip(data[key], told, strict=True):
                    if before is not after:
                        old, new = (evidence_digest(finding_from_json(each)) for each in (before, after))
                        digests[old] = new
            data = {**data, key: told}
        elif event.kind is Kind.WAIVE:
            data = {**data, "reason": mask(data["reason"]), "evidence": digests.get(data["evidence"], data["evidence"])}
        elif event.kind in (Kind.IDENTITY, Kind.PROVENANCE):
            data = masked_texts(data, mask)
        found.append(replace(event, data=data) if data != event.data else event)
    return tuple(found)


def _marked(told: dict[str, Any], mask: Callable[[str], str]) -> dict[str, Any]:
    masked = {key: value if key in _NOT_MASKED else masked_texts(value, mask) for key, value in told.items()}
    return told if masked == told else {**masked, "masked": True}


def masked_texts(value: Any, mask: Callable[[str], str]) -> Any:
    """A value as JSON has it, each text in it masked; the templates of messages are the program's own."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, (list, tuple)):
        return [masked_texts(each, mask) for each in value]
    if isinstance(value, dict):
        return {key: each if key == "template" else masked_texts(each, mask) for key, each in value.items()}
    return value
