"""Why a pod does not come up: what `describe pod`, `create` and the events of those that make pods say of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from ..errors import UnreadableText
from ..model import Run
from .cells import age_seconds
from .events import Event, events
from .failures import failure
from .logs import free_lines


class Obstacle(str, Enum):
    """What keeps a pod from starting and does not pass by itself."""

    CORDONED = "cordoned"
    UNSCHEDULABLE = "unschedulable"  # a taint, too few resources, no node that fits
    IMAGE = "image"
    VOLUME = "volume"
    SETTINGS = "settings"  # a Secret or ConfigMap, or a key of one
    NOT_ADMITTED = "not-admitted"  # a quota, an admission webhook: there is no pod at all


@dataclass(frozen=True, slots=True)
class Stuck:
    """Why a pod does not come up, and the line that says so."""

    obstacle: Obstacle
    line: int
    text: str


STARTED = re.compile(r"(?:Started|Created) container|Container (?:started|created)")
_SETTINGS = re.compile(r"Error: (?:secret|configmap) \"[^\"]+\" not found|Error: couldn't find key ")
_IMAGE = re.compile(
    r"Failed to pull image|Error: (?:ErrImagePull|ImagePullBackOff|ErrImageNeverPull|InvalidImageName)|"
    r"Failed to apply default image tag|Container image .* is not present with pull policy of Never"
)
_VOLUME = re.compile(r"MountVolume\.|Unable to attach or mount volumes|AttachVolume\.|Multi-Attach error")
_PASSING_VOLUME = re.compile(r"failed to sync (?:configmap|secret) cache|object \"[^\"]+\" not registered")
_CORDONED = re.compile(r"node\(s\) were unschedulable")
_NOT_ADMITTED = re.compile(
    r"^Error from server \((?!AlreadyExists|NotFound|Unauthorized)\w+\): .*(?:pods \"[^\"]+\"|webhook)|denied the request"
)
_NOT_CREATED = re.compile(r"Error creating: |create Pod \S+ in StatefulSet \S+ failed error: ")


def described_events(description: Run) -> tuple[Event, ...]:
    """The events of a described pod; none where they cannot be read."""
    if failure(description) or not description.out.strip():
        return ()
    try:
        return events(description.out)
    except UnreadableText:
        return ()


def startup_problem(description: Run) -> Event | None:
    """The event that says why a pod does not come up; None once it has started, or before anything went wrong."""
    seen = described_events(description)
    if any(STARTED.match(event.message) for event in seen):
        return None
    scheduled = any(event.reason == "Scheduled" for event in seen)
    for event in reversed(seen):
        if event.message.startswith("Failed to pull image") or (event.reason == "FailedScheduling" and not scheduled):
            return event
    return None


def stuck(description: Run) -> Stuck | None:
    """What keeps the described pod from starting, as far as it does not pass by itself.

    FailedScheduling speaks of a pod that no node has taken; an image that does not come, a volume, a Secret and a
    ConfigMap of one whose container has not started.
    """
    seen = described_events(description)
    if any(STARTED.match(event.message) for event in seen):
        return None
    scheduled = any(event.reason == "Scheduled" for event in seen)
    for event in reversed(seen):
        if found := _obstacle(event, scheduled):
            return Stuck(found, event.line, f"{event.reason}: {event.message}")
    return None


def _obstacle(event: Event, scheduled: bool) -> Obstacle | None:
    if event.reason == "FailedScheduling":
        cordoned = Obstacle.CORDONED if _CORDONED.search(event.message) else Obstacle.UNSCHEDULABLE
        return None if scheduled else cordoned
    if event.type == "Normal":
        return None
    if _SETTINGS.match(event.message):
        return Obstacle.SETTINGS
    if _IMAGE.match(event.message):
        return Obstacle.IMAGE
    if _VOLUME.match(event.message) and not _PASSING_VOLUME.search(event.message):
        return Obstacle.VOLUME
    return None


def not_admitted(run: Run) -> tuple[int, str] | None:
    """The line in which the API server says that it does not take a pod, and its number."""
    return next(((number, line) for number, line in free_lines(run.err) if _NOT_ADMITTED.search(line)), None)


RECENT_S = 60
"""An event that was seen longer ago speaks of an earlier try."""


def not_created(run: Run, owner: str) -> Stuck | None:
    """The newest event in which the ReplicaSet or StatefulSet `owner…` says that it may not make a pod; `get events` has it."""
    if failure(run):
        return None
    for number, line in reversed(tuple(free_lines(run.out))):
        last_seen, _, rest = line.strip().partition(" ")
        said = _NOT_CREATED.search(rest)
        try:
            age = age_seconds(last_seen, number) if said and f" {owner}" in rest else None
        except UnreadableText:
            continue
        if said and age is not None and age <= RECENT_S:
            return Stuck(Obstacle.NOT_ADMITTED, number, rest[said.start() :].strip())
    return None
