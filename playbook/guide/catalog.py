"""The guide's commands: reads `commands/`, checks digests, fills `<pod>` and `<name>`.

A file is read and checked when its command is asked for, not before.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from ..command import Command
from ..errors import TamperedCommand, UsageError
from ..resources import folder as data_folder
from ..text import msg
from . import ids

if TYPE_CHECKING:
    from importlib.abc import Traversable

SUMS = "SHA256SUMS"
PLACEHOLDERS = ("<pod>", "<name>")

GUIDE_ORDER = (
    ids.CLUSTER_INFO, ids.NODES, ids.NAMESPACE, ids.CLAIMS, ids.STORAGE_DIRECTORY, ids.SEALED_CONTROLLER,
    ids.SEALED_SECRETS, ids.GENERATED_SECRETS, ids.OBSERVER_SECRETS, ids.CREATE_OBSERVER_SECRETS, ids.SECRET_KEYS,
    ids.SECRET_KEYS_JQ, ids.GHCR_SECRET, ids.CONFIG_MAP, ids.CONFIG_KEYS, ids.PATH_CONTRACT, ids.SERVICES, ids.PODS,
    ids.DESCRIBE_OBSERVER, ids.DESCRIBE_POSTGRES, ids.LOGS_OBSERVER, ids.LOGS_POSTGRES, ids.ENV, ids.MOUNTS,
    ids.WRITE_DATA, ids.WRITE_LOGS, ids.HEALTH_IN_POD, ids.HEALTH_VIA_SERVICE, ids.PORT_FORWARD, ids.CURL,
    ids.STOP_PORT_FORWARD, ids.DB_CONNECTION, ids.LIST_FILES_BEFORE, ids.COUNT_FILES_BEFORE, ids.DELETE_OBSERVER,
    ids.WAIT_OBSERVER, ids.LIST_FILES_AFTER, ids.COUNT_FILES_AFTER, ids.COUNT_TABLES_BEFORE, ids.DELETE_POSTGRES,
    ids.WAIT_POSTGRES, ids.COUNT_TABLES_AFTER, ids.POD_SAMPLE, ids.RECENT_FILES, ids.SUMMARY,
)  # fmt: skip
"""The ids of the guide's fenced commands, in the order of the document."""

DIAGNOSE_ORDER = (
    ids.K3S_STATUS, ids.DESCRIBE_NODE, ids.CREATE_NAMESPACE, ids.DESCRIBE_CLAIM, ids.STORAGE_CLASSES,
    ids.APPLY_PRODUCTION, ids.PROVISIONER, ids.LOGS_PREVIOUS, ids.DESCRIBE_POD, ids.DESCRIBE_POD_FAILED,
)  # fmt: skip
"""The ids of what the guide's tables and decision trees name, in the order of the document."""

_TIMEOUT_S = 30.0
_TIMEOUTS_S = {
    ids.HEALTH_VIA_SERVICE: 90.0,
    ids.DELETE_OBSERVER: 120.0,
    ids.DELETE_POSTGRES: 120.0,
    ids.WAIT_OBSERVER: 330.0,
    ids.WAIT_POSTGRES: 330.0,
}

_MUTATES = frozenset({
    ids.CREATE_OBSERVER_SECRETS, ids.WRITE_DATA, ids.WRITE_LOGS, ids.HEALTH_VIA_SERVICE, ids.DELETE_OBSERVER,
    ids.DELETE_POSTGRES, ids.CREATE_NAMESPACE, ids.APPLY_PRODUCTION,
})  # fmt: skip

STEP_0 = (ids.CLUSTER_INFO, ids.NODES)
"""What every attempt begins with."""

PREFETCHED_STEPS = "123456"
"""The steps whose read-only commands may begin before it is their turn: none depends on what another step changes."""

EMERGENCY = ids.CREATE_OBSERVER_SECRETS
"""The guide's emergency creation: a remedy with places to be filled, never a part of carrying out its step."""

_SAME_AS = {"9-2": "9-1"}
"""Sub-steps in which the guide repeats the command of another."""

_SUM_LINE = re.compile(r"(?P<digest>[0-9a-f]{64}) [ *](?P<file>\S.*)")
_STEP = re.compile(r"step(\d+(?:-\d+)?)-(?!\d)")
_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class Catalog:
    """The commands of one `commands/` folder."""

    folder: Traversable
    digests: Mapping[str, str]  # file name below the folder -> digest, as SHA256SUMS has it
    digest: str  # of SHA256SUMS itself: one value that stands for all commands

    @property
    def ids(self) -> tuple[str, ...]:
        """Every command of the guide's steps and the summary, in the guide's order; what it has not comes last."""
        return GUIDE_ORDER + self._extra("", GUIDE_ORDER)

    @property
    def diagnose_ids(self) -> tuple[str, ...]:
        """Every command of the guide's tables and decision trees, in the guide's order."""
        return DIAGNOSE_ORDER + self._extra("diagnose/", DIAGNOSE_ORDER)

    def command(self, id: str) -> Command:
        """The command `id`, its digest checked now; placeholders are left as they are.

        Raises UsageError for an unknown id, TamperedCommand when the file does not match SHA256SUMS, is missing, or has
        no digest there.
        """
        file = self._file(id)
        path = self.folder / file
        expected = self.digests.get(file)
        if not path.is_file():
            raise TamperedCommand(msg("{file} is missing: the command is not run", file=str(path)), _REINSTALL)
        content = path.read_bytes()
        found = sha256(content).hexdigest()
        if expected is None:
            raise TamperedCommand(
                msg("{file} has no digest in {sums}: the command is not run", file=str(path), sums=SUMS), _REINSTALL
            )
        if found != expected:
            raise TamperedCommand(
                msg(
                    "{file} is not what {sums} says, the command is not run: expected {expected}, found {found}",
                    file=str(path), sums=SUMS, expected=expected, found=found,
                ),
                _REINSTALL,
            )  # fmt: skip
        return Command(
            id=id,
            step=step_of(id),
            text=content.decode("utf-8"),
            sha256=found,
            mutates=changes_cluster(id),
            timeout_s=_TIMEOUTS_S.get(id, _TIMEOUT_S),
        )

    def fill(self, id: str, target: str) -> Command:
        """The command `id` with its `<pod>` or `<name>` replaced by the Kubernetes name `target`.

        Raises UsageError when `target` is not such a name or the command has no placeholder; else as `command`.
        """
        from shlex import quote  # noqa: PLC0415 - 0.3 ms that `show` and `list` do without

        command = self.command(id)
        if not needs_target(command):
            raise UsageError(msg("{id} has no {pod} or {name} to fill", id=id, pod="<pod>", name="<name>"))
        if not is_object_name(target):
            raise UsageError(msg("{target} is not a valid Kubernetes name", target=repr(target)))
        text = command.text
        for placeholder in PLACEHOLDERS:
            text = text.replace(placeholder, quote(target))
        return replace(command, text=text, target=target)

    def of_step(self, step: str) -> tuple[Command, ...]:
        """The commands of a step (`3`) or sub-step (`3-4`), in the guide's order.

        Raises UsageError when the guide has none under that number; else as `command`.
        """
        wanted = _SAME_AS.get(step, step)
        found = [id for id in self.ids if _within(step_of(id), wanted)]
        if not found:
            raise UsageError(
                msg("the guide has no step {step} with commands", step=step),
                msg("see the steps and commands with: {program} list"),
            )
        return tuple(self.command(id) for id in found)

    def content(self, id: str) -> str | None:
        """What the file of `id` holds, unchecked: to be compared, never to be run. None when there is no file."""
        path = self.folder / self._file(id)
        return path.read_bytes().decode("utf-8", "backslashreplace") if path.is_file() else None

    def _file(self, id: str) -> str:
        """Where `id` lies below the folder."""
        if id in GUIDE_ORDER:
            return f"{id}.sh"
        if id in DIAGNOSE_ORDER:
            return f"diagnose/{id}.sh"
        # The id comes from outside: it may name what is listed or lies here, never a path.
        if id in self.ids:
            return f"{id}.sh"
        if id in self.diagnose_ids:
            return f"diagnose/{id}.sh"
        raise UsageError(msg("there is no command {id}", id=id), msg("see the steps and commands with: {program} list"))

    def _extra(self, below: str, known: tuple[str, ...]) -> tuple[str, ...]:
        """Ids that lie here or have a digest without being one of `known`, by name."""
        place = self.folder / below if below else self.folder
        files = {below + entry.name for entry in place.iterdir()} if place.is_dir() else set()
        names = {file[len(below) : -len(".sh")] for file in files | set(self.digests) if _is_script(file, below)}
        return tuple(sorted(names - set(known)))


_REINSTALL = msg("install the program again, or restore the file and {sums} from the release", sums=SUMS)


def load(folder: Traversable | None = None) -> Catalog:
    """The catalog of `folder`, else of the commands that the program came with; reads SHA256SUMS only.

    Raises TamperedCommand when there is no SHA256SUMS.
    """
    folder = data_folder("commands") if folder is None else folder
    sums = folder / SUMS
    if not sums.is_file():
        raise TamperedCommand(msg("{file} is missing: no command can be checked", file=str(sums)), _REINSTALL)
    content = sums.read_bytes()
    digests: dict[str, str] = {}
    for line in content.decode("utf-8", "backslashreplace").splitlines():
        found = _SUM_LINE.fullmatch(line)
        if found:  # a line of another form gives no digest: its command is then refused
            file, digest = found["file"], found["digest"]
            digests[file] = digest if digests.get(file, digest) == digest else "more than one digest"
    return Catalog(folder, digests, sha256(content).hexdigest())


def step_of(id: str) -> str:
    """The guide's number of the step that the command `id` belongs to; empty for a diagnosis command and the summary.

    >>> step_of("step3-4-secret-keys"), step_of("step0-nodes"), step_of("summary")
    ('3-4', '0', '')
    """
    found = _STEP.match(id)
    return found[1] if found else ""


def require_step(number: str) -> None:
    """Raises UsageError when the guide has no step of that number; sub-steps are not steps."""
    if "-" in number or not any(_within(step_of(id), number) for id in GUIDE_ORDER):
        raise UsageError(
            msg("there is no Step {step}", step=number), msg("see the steps and commands with: {program} list")
        )


def read_only(steps: Collection[str]) -> tuple[str, ...]:
    """The commands of these steps that change nothing and are sure to be carried out, in the guide's order.

    The summary, by which Step 3 is judged, takes longest and comes first. Left out is 3-4: its step takes one of two ways.

    >>> read_only("123")[:3], read_only("1")
    (('summary', 'step1-namespace', 'step2-pvc'), ('step1-namespace',))
    """
    sure = [
        id for id in GUIDE_ORDER if step_of(id)[:1] in {*steps} and step_of(id) != "3-4" and not changes_cluster(id)
    ]
    return (*((ids.SUMMARY,) if "3" in steps else ()), *sure)


def changes_cluster(id: str) -> bool:
    """Whether the command `id` changes something in the cluster.

    >>> changes_cluster("step8-2-delete-observer"), changes_cluster("step6-1-pods")
    (True, False)
    """
    return id in _MUTATES


def needs_target(command: Command) -> bool:
    """Whether `command` names an object by a placeholder that is still to be filled."""
    return any(placeholder in command.text for placeholder in PLACEHOLDERS)


def is_object_name(text: str) -> bool:
    """Whether `text` is a DNS subdomain by RFC 1123, as Kubernetes wants the names of pods, claims and nodes.

    >>> is_object_name("observer-7cd9cf784-qwkhz"), is_object_name("a; reboot"), is_object_name("-x")
    (True, False, False)
    """
    return len(text) <= 253 and _SUBDOMAIN.fullmatch(text) is not None


def _within(step: str, wanted: str) -> bool:
    return step != "" and (step == wanted or step.startswith(wanted + "-"))


def _is_script(file: str, below: str) -> bool:
    name = file[len(below) :] if file.startswith(below) else "/"
    return name.endswith(".sh") and "/" not in name
