"""What a guide's row, branch or decision tree is made of.

A `Row` leads from a finding to what it means, or to a `Tree`: a diagnosis command whose output decides between
branches. `rows.py` has the rows, `pod_trees.py` and `trees.py` the trees, `walk.py` walks both, `consequences.py` says
what follows from what they name. Their order is the guide's, and the order in which causes are told.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..kubectl.failures import FailureKind
from ..model import Remedy
from ..text import Message


@dataclass(frozen=True, slots=True)
class Branch:
    """What one row or branch of the guide means.

    `{objects}`, `{target}` and `{node}` stand for the names met; in a remedy so does the name of any group of `pattern`.
    """

    id: str  # the cause's code, before any object
    place: str  # where the guide treats it
    guide: Message  # the row or branch, as the guide has it
    title: Message
    remedy: tuple[Remedy, ...]
    pattern: str = ""  # the deciding line of the output; empty for a row, which its finding decides
    whole: bool = False  # the pattern is about the whole output, not about one line
    then: tuple[str, ...] = ()  # the trees that the guide goes on with; this branch stands when they decide nothing
    seen: str = ""  # a finding that must have passed, else the branch is none
    per: str = ""  # `object`: one cause for each; `owner`: one for all pods of a workload; empty: one for all


@dataclass(frozen=True, slots=True)
class Tree:
    """A diagnosis and its branches. Output is read from its end: the last line that fits a branch decides."""

    id: str
    place: str
    symptom: Message
    looks: tuple[str, ...]  # commands in the order of trust; `step…` means what the session already has
    branches: tuple[Branch, ...]
    target: str = (
        "object"  # what a command is filled with: the finding's object, a pod of its workload, a node, or nothing
    )
    otherwise: tuple[str, ...] = ()  # trees to try when no branch matches
    remedy: tuple[Remedy, ...] = ()  # for a line of its output that no branch knows


@dataclass(frozen=True, slots=True)
class Row:
    """From a finding to its meaning, to a tree, or to both (then the tree looks for the reason behind the meaning)."""

    codes: str  # the findings it is about
    shows: str = ""  # what they must show
    means: Branch | None = None
    tree: str = ""
    kinds: tuple[FailureKind, ...] = ()  # or: why they could not be seen
    unseen: bool = False  # an inconclusive finding counts too
    also: bool = False  # the finding may hold a second meaning: rows further down are read too
