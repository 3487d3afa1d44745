"""The typed rows of any command of the guide, by its id: made by the parsers that the judges use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from ..errors import PlaybookError, UnreadableText, UsageError
from ..guide import ids
from ..guide.expected import CONFIG_PATHS
from ..kubectl.cluster import control_plane, namespaces, nodes
from ..kubectl.counts import count, files, psql_count
from ..kubectl.events import events
from ..kubectl.failures import Failure, FailureKind, failure
from ..kubectl.health import answers
from ..kubectl.logs import postgres_records, records
from ..kubectl.pods import deleted_pods, pod_samples, pods, ready_pods
from ..kubectl.secrets import sealed_secrets, secrets
from ..kubectl.services import services
from ..kubectl.settings import config_map_keys, environment, keys, path_checks
from ..kubectl.storage import claims, entries, mounts
from ..kubectl.summary import summary
from ..kubectl.tables import table
from ..model import Run
from ..text import msg, verbatim
from .reading import NotSeen, read, read_keys, read_rows

LISTS: Mapping[str, Callable[[str], tuple[object, ...]]] = {
    ids.NODES: nodes,
    ids.NAMESPACE: namespaces,
    ids.CLAIMS: claims,
    ids.SEALED_SECRETS: sealed_secrets,
    ids.SERVICES: services,
    ids.POD_SAMPLE: pod_samples,
    ids.STORAGE_CLASSES: partial(table, required=("NAME", "PROVISIONER")),
    **dict.fromkeys((ids.GENERATED_SECRETS, ids.OBSERVER_SECRETS, ids.GHCR_SECRET), secrets),
    **dict.fromkeys((ids.SEALED_CONTROLLER, ids.PODS, ids.PROVISIONER), pods),
}
"""Commands that print rows below a header, or that there are none."""

_KEYS = (ids.SECRET_KEYS, ids.SECRET_KEYS_JQ, ids.CONFIG_KEYS)
_ANSWERS = (ids.HEALTH_IN_POD, ids.HEALTH_VIA_SERVICE, ids.CURL)
_DESCRIPTIONS = (ids.DESCRIBE_OBSERVER, ids.DESCRIBE_POSTGRES, ids.DESCRIBE_NODE, ids.DESCRIBE_CLAIM, ids.DESCRIBE_POD)

TEXTS: Mapping[str, Callable[[str], object]] = {
    ids.CLUSTER_INFO: control_plane,
    ids.STORAGE_DIRECTORY: entries,
    ids.CONFIG_MAP: config_map_keys,
    ids.PATH_CONTRACT: partial(path_checks, contract=CONFIG_PATHS),
    ids.LOGS_POSTGRES: lambda text: tuple(postgres_records(text)),
    ids.ENV: environment,
    ids.MOUNTS: lambda text: tuple(mounts(text)),
    ids.SUMMARY: summary,
    **dict.fromkeys(_KEYS, keys),
    **dict.fromkeys(_ANSWERS, answers),
    **dict.fromkeys(_DESCRIPTIONS, events),
    **dict.fromkeys((ids.LOGS_OBSERVER, ids.LOGS_PREVIOUS), lambda text: tuple(records(text))),
    **dict.fromkeys((ids.LIST_FILES_BEFORE, ids.LIST_FILES_AFTER), files),
    **dict.fromkeys((ids.COUNT_FILES_BEFORE, ids.COUNT_FILES_AFTER, ids.RECENT_FILES), count),
    **dict.fromkeys((ids.COUNT_TABLES_BEFORE, ids.COUNT_TABLES_AFTER), psql_count),
    **dict.fromkeys((ids.DELETE_OBSERVER, ids.DELETE_POSTGRES), deleted_pods),
    **dict.fromkeys((ids.WAIT_OBSERVER, ids.WAIT_POSTGRES), ready_pods),
}
"""Commands that print something else that has a form."""

WITHOUT_PARSER: Mapping[str, str] = {
    **dict.fromkeys(
        (ids.CREATE_OBSERVER_SECRETS, ids.CREATE_NAMESPACE, ids.APPLY_PRODUCTION), "says only that it changed something"
    ),
    **dict.fromkeys((ids.WRITE_DATA, ids.WRITE_LOGS, ids.DB_CONNECTION), "prints one sentence when all is well"),
    ids.PORT_FORWARD: "prints its progress",
    ids.STOP_PORT_FORWARD: "prints nothing",
    ids.K3S_STATUS: "prints a page of systemd's, for people",
    ids.DESCRIBE_POD_FAILED: "prints lines that hold a word, without what they belong to",
}
"""The other commands, and why nothing of theirs is read as rows."""

_ORDINARY = {ids.MOUNTS: 1, ids.LIST_FILES_BEFORE: 141, ids.LIST_FILES_AFTER: 141}
"""Exit statuses that are no failure: grep found nothing, head had read enough."""


class FailedRun(PlaybookError):
    """A run that did not do what it was asked to; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(verbatim(failure.text or failure.kind.value))
        self.failure = failure


def parse(command_id: str, run: Run) -> object:
    """What `run` of a command printed, as typed rows (`kubectl/` has their classes), one value or a tuple.

    A list of nothing is an empty tuple. Raises UsageError for a command without a parser, FailedRun for a run that failed,
    and UnreadableText, which names the line, for an output that is not understood.
    """
    if command_id not in LISTS and command_id not in TEXTS:
        raise UsageError(msg("no parser reads what {command} prints", command=command_id))
    try:
        found = _parsed(command_id, run)
    except NotSeen as not_seen:
        if isinstance(not_seen.why, UnreadableText):
            raise not_seen.why from not_seen
        raise FailedRun(not_seen.why or Failure(FailureKind.OTHER, f"exit status {run.exit_code}")) from not_seen
    _read_every_cell(found)
    return found


def _parsed(command_id: str, run: Run) -> object:
    if command_id in LISTS:
        return read_rows(run, LISTS[command_id])
    if command_id in _KEYS:
        return read_keys(run)
    if command_id in _ANSWERS and (found := answers(run.out)):  # kubectl's own end says nothing of an answer
        return found
    ordinary = run.exit_code is not None and run.exit_code == _ORDINARY.get(command_id) and not failure(run)
    return read(replace(run, exit_code=0) if ordinary else run, TEXTS[command_id])


def _read_every_cell(found: object) -> None:
    """Raises UnreadableText for a cell that is not understood; by itself a row names it only when it is asked for."""
    for name, member in vars(type(found)).items():
        if isinstance(member, property):
            getattr(found, name)
    for each in found if isinstance(found, tuple) else ():
        _read_every_cell(each)
