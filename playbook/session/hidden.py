"""What the journal tells of the masks: whose value stood where, and which streams were not kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..masking import Masked, Withheld
from .recording import stream_name


@dataclass(slots=True)
class Hidden:
    """Takes the events `run` and `remask`, one after the other."""

    _counts: dict[str, Counter[str]] = field(default_factory=dict)  # by run, then by variable
    _withheld: dict[str, dict[str, list[Any]]] = field(default_factory=dict)

    def apply(self, data: Mapping[str, Any]) -> None:
        """Take the next event's data. A stream that is masked again holds what was masked before as well."""
        run = stream_name(data["command"], data["ordinal"])
        if data.get("masked"):
            known = self._counts.setdefault(run, Counter())
            for name, times in data["masked"].items():
                known[name] = max(known[name], times)
        self._withheld.pop(run, None)
        if data.get("withheld"):
            self._withheld[run] = data["withheld"]

    def masked(self) -> tuple[Masked, ...]:
        """By variable, in the order of the names."""
        names = sorted({name for counts in self._counts.values() for name in counts})
        found = []
        for name in names:
            runs = {run: counts[name] for run, counts in self._counts.items() if counts[name]}
            found.append(Masked(name, sum(runs.values()), tuple(runs)))
        return tuple(found)

    def withheld(self) -> tuple[Withheld, ...]:
        """In the order of the runs."""
        return tuple(
            Withheld(run, stream, *kept) for run, streams in self._withheld.items() for stream, kept in streams.items()
        )
