"""The typed rows of a run as plain JSON values, beside the findings that were drawn from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum

from ..errors import PlaybookError
from ..model import Run
from ..steps.parsing import parse


def rows_of(run: Run) -> object:
    """What `run` printed as JSON values: a list of objects, one object, a value; None where there are no rows.

    None is given for a command that prints none, for a run that failed, and for an output that is not understood.
    """
    try:
        return plain(parse(run.command.partition(".")[0], run))
    except PlaybookError:
        return None


def plain(value: object) -> object:
    """A row as JSON has it: a member for each field and for each property, numbers as numbers.

    >>> from playbook.kubectl.cells import Port
    >>> plain((Port(8000, "TCP"),))
    [{'number': 8000, 'protocol': 'TCP', 'node_port': None}]
    """
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(part) for name, part in value._asdict().items()}
    if isinstance(value, tuple):
        return [plain(part) for part in value]
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    if is_dataclass(value):
        meant = [name for name, member in vars(type(value)).items() if isinstance(member, property)]
        return {name: plain(getattr(value, name)) for name in (*(field.name for field in fields(value)), *meant)}
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
