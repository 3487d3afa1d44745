"""Pods: as lists and samples show them, and what `delete`, `wait` and `describe` say of them (Steps 3-1, 6, 8 and 9)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import UnreadableText
from ..model import Run
from ..text import msg
from .cells import age_seconds, ready, restarts
from .logs import free_lines
from .tables import table

_COLUMNS = ("NAME", "READY", "STATUS", "RESTARTS", "AGE")
_SAFE = "bcdfghjklmnpqrstvwxz2456789"
"""The characters that Kubernetes makes hashes and random names of: no vowels, so that they form no words."""

_OVER = re.compile(r"Evicted|Failed|Succeeded|Preempting|NodeAffinity|NodeShutdown|Shutdown|Terminated|Out[Oo]f\w+|"
                   r"UnexpectedAdmissionError")  # fmt: skip
"""STATUS of a pod that is over for good: nothing starts its containers again."""

_ENDED = re.compile(r"Error|Completed|OOMKilled|ExitCode:-?\d+|Signal:\d+|ContainerStatusUnknown|DeadlineExceeded")
"""STATUS of a pod whose container has ended: it is over, or between two starts."""


@dataclass(frozen=True, slots=True)
class Pod:
    """One row of `kubectl get pods`: cells as printed, and what they mean; that raises UnreadableText."""

    line: int
    name: str
    ready_text: str
    status: str
    restarts_text: str
    age_text: str

    @property
    def ready(self) -> tuple[int, int]:
        """How many of its containers are ready, and how many it has."""
        return ready(self.ready_text, self.line)

    @property
    def is_up(self) -> bool:
        """Whether it is Running with all its containers ready."""
        now, of = self.ready
        return self.status == "Running" and now == of > 0

    @property
    def restarts(self) -> int:
        """How often its containers were started again."""
        return restarts(self.restarts_text, self.line)

    @property
    def age_s(self) -> int | None:
        """Its age in seconds; None where kubectl cannot tell."""
        return age_seconds(self.age_text, self.line)


@dataclass(frozen=True, slots=True)
class PodSample:
    """One pod as Step 9-1 shows it."""

    line: int
    name: str
    status: str
    restarts: int | None  # None where the container has no status yet
    started: str  # as printed: an RFC 3339 time, or `<none>`

    def __str__(self) -> str:
        return f"{self.status}, RESTARTS {self.restarts_text}, STARTED {self.started}"

    @property
    def restarts_text(self) -> str:
        """RESTARTS as kubectl prints it."""
        return "<none>" if self.restarts is None else str(self.restarts)

    @property
    def is_over(self) -> bool:
        """Whether it is over for good: evicted, failed or completed."""
        return self.status in ("Failed", "Succeeded")


def pods(text: str, first_line: int = 1, required: Sequence[str] = _COLUMNS) -> tuple[Pod, ...]:
    """The pods of a list; `required` are the columns without which it is not understood.

    >>> pods('''NAME                        READY   STATUS    RESTARTS     AGE   IP
    ... observer-5dd97c6749-8bwxr   1/1     Running   3 (5m ago)   6s    10.42.0.9
    ... ''')[0].restarts
    3
    """
    return tuple(Pod(row.line, *(row.get(column) for column in _COLUMNS)) for row in table(text, required, first_line))


def of_deployment(pod: str, deployment: str) -> bool:
    """Whether a pod is one of this Deployment, by its name: its own, a hash and five characters.

    >>> of_deployment("observer-5dd97c6749-8bwxr", "observer"), of_deployment("observer-exporter-6576f85cb6-fl4dp", "observer")
    (True, False)
    >>> of_deployment("observer-backup-29", "observer"), of_deployment("observer-exporter-fl4dp", "observer")
    (False, False)
    """
    return bool(re.fullmatch(deployment_pods(deployment), pod))


def deployment_pods(deployment: str) -> str:
    """The pattern of the names of a Deployment's pods."""
    return rf"{re.escape(deployment)}-[{_SAFE}]{{5,10}}-[{_SAFE}]{{5}}"


def left_over(pod: Pod, pods: Sequence[Pod], wanted: int) -> bool:
    """Whether a pod of a Deployment is what was left of one: evicted, failed or completed, and replaced by others.

    `pods` are all of the Deployment's that are listed, `wanted` is how many it keeps. STATUS alone tells of an eviction
    on older kubelets; newer ones let it read `Error`, like a container between two starts. That one is a left-over only
    if it was never restarted and as many others as are wanted have taken its place. Pods of an older version that run on
    while a new one fails to start are no replacement for it.
    """
    if _OVER.fullmatch(pod.status):
        return True
    if not _ENDED.fullmatch(pod.status):
        return False
    try:
        again = pod.restarts and pod.status != "ContainerStatusUnknown"
        return not again and sum(_replaces(other, pod) for other in pods) >= wanted
    except UnreadableText:
        return False


def _replaces(other: Pod, pod: Pod) -> bool:
    if _OVER.fullmatch(other.status) or _ENDED.fullmatch(other.status):
        return False
    if other.is_up and other.name.rpartition("-")[0] == pod.name.rpartition("-")[0]:
        return True
    return other.age_s is not None and pod.age_s is not None and other.age_s <= pod.age_s


def nodes_of(run: Run, name: re.Pattern[str]) -> tuple[str, ...]:
    """The nodes that the pods with such a name run on, by NODE in a wide list, sorted; empty where one is not known."""
    try:
        found = {row["NODE"] for row in table(run.out, ("NAME", "NODE")) if name.fullmatch(row["NAME"])}
    except UnreadableText:
        return ()
    return () if found & {"", "<none>"} else tuple(sorted(found))


def pod_samples(text: str) -> tuple[PodSample, ...]:
    """The rows of Step 9-1.

    >>> pod_samples('''NAME         STATUS    RESTARTS   STARTED
    ... postgres-0   Running   0          2026-11-25T01:06:48Z
    ... ''')
    (PodSample(line=2, name='postgres-0', status='Running', restarts=0, started='2026-11-25T01:06:48Z'),)
    """
    found = []
    for row in table(text, ("NAME", "STATUS", "RESTARTS", "STARTED")):
        cell = row["RESTARTS"]
        if not cell.isdigit() and cell != "<none>":
            raise UnreadableText(msg("RESTARTS is not a number: {cell}", cell=cell), row.line)
        count = int(cell) if cell.isdigit() else None
        found.append(PodSample(row.line, row["NAME"], row["STATUS"], count, row["STARTED"]))
    return tuple(found)


def stays(text: str, name: str) -> bool:
    """Whether a list of pods has `name`, and not on its way out; read line by line, so that no other row matters.

    >>> stays("tmp-curl   1/1   Running   0   2s", "tmp-curl"), stays("tmp-curl   1/1   Terminating   0   2s", "tmp-curl")
    (True, False)
    """
    rows = (line.split() for _, line in free_lines(text))
    return any(row[:1] == [name] and "Terminating" not in row for row in rows)


def deleted_pods(text: str) -> tuple[str, ...]:
    """The pods that `kubectl delete` says it deleted; newer clients add the namespace.

    >>> deleted_pods('pod "postgres-0" deleted from observer-prod namespace\\n'), deleted_pods("No resources found\\n")
    (('postgres-0',), ())
    """
    return tuple(re.findall(r'^pod "([^"]+)" (?:force )?deleted\b', text, re.M))


def deletion_cancelled(run: Run) -> bool:
    """Whether kubectl refused a deletion by itself, as it does with `--interactive` and nobody to answer; its status is 0."""
    return "deletion is cancelled" in run.out or "deletion is cancelled" in run.err


def ready_pods(text: str) -> tuple[str, ...]:
    """The pods of which `kubectl wait` says that they are Ready.

    >>> ready_pods("pod/observer-5dd97c6749-6r2b4 condition met\\n")
    ('observer-5dd97c6749-6r2b4',)
    """
    return tuple(re.findall(r"^pod/(\S+) condition met", text, re.M))


def mounted_from(description: str, directory: str, claim: str) -> bool:
    """Whether `kubectl describe pod` shows `directory` mounted from a volume that is the PVC `claim`.

    >>> mounted_from('''    Mounts:
    ...       /data from d (rw)
    ... Volumes:
    ...   d:
    ...     Type:       PersistentVolumeClaim (a reference to ...)
    ...     ClaimName:  my-pvc
    ... ''', "/data", "my-pvc")
    True
    """
    mount = re.search(rf"^[ \t]+{re.escape(directory)} from (\S+) \(", description, re.M)
    if not mount:
        return False
    volumes = description.partition("\nVolumes:")[2]
    volume = re.search(rf"^  {re.escape(mount[1])}:\n((?:    .*\n?)+)", volumes, re.M)
    return bool(volume and re.search(rf"^[ \t]+ClaimName:[ \t]+{re.escape(claim)}[ \t\r]*$", volume[1], re.M))
