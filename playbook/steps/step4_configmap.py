"""Step 4: does the ConfigMap have its fifteen keys, and do its paths keep the contract with the volume mounts?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..guide.criteria import criterion
from ..guide.expected import CONFIG_KEYS, CONFIG_PATHS
from ..kubectl.failures import FailureKind
from ..kubectl.tables import lines, names, unreadable
from ..model import Finding, Run, Runs, Verdict
from ..text import msg, verbatim
from .base import Step
from .findings import advise, finding, unseen
from .reading import NotSeen, all_unseen, has_no_data, kubectl_failure, not_there, read

YAML, KEYS, PATHS = "step4-configmap", "step4-configmap-keys", "step4-path-contract"
NAME = "observer-config"

_CHECK = re.compile(r"(OK|MISMATCH): (\w+) = (.*) \(expected: (.*)\)$")
_NO_MAP = msg("ConfigMap {name} does not exist", name=NAME)
_ADD_KEYS = (advise(msg("add what is missing to ConfigMap {name}", name=NAME)),)


@dataclass(frozen=True, slots=True)
class PathCheck:
    """One line of the guide's path check."""

    line: int
    key: str
    actual: str  # MISSING when the ConfigMap has no such key
    same: bool


def judge(runs: Runs) -> tuple[Finding, ...]:
    """CONFIG-YAML (only when the first command failed), CONFIG-KEYS, and CONFIG-PATH of each path."""
    return (*_yaml(runs.last(YAML)), _keys(runs.last(KEYS)), *_paths(runs.last(PATHS)))


def _yaml(run: Run) -> tuple[Finding, ...]:
    expected = verbatim("kind: ConfigMap")
    why = kubectl_failure(run)
    if why and why.kind is FailureKind.NOT_FOUND:
        return (not_there("CONFIG-YAML", "4", run, why, _NO_MAP, expected, _ADD_KEYS),)
    try:
        read(run, _is_config_map)
    except NotSeen as not_seen:
        return all_unseen(("CONFIG-YAML",), "4", run, expected, not_seen)
    return ()


def _is_config_map(text: str) -> None:
    """Raises UnreadableText when the text is no ConfigMap; the other two commands answer Step 4's questions."""
    if "kind: ConfigMap" not in [line for _, line in lines(text)]:
        raise unreadable(1, text.partition("\n")[0])


def _keys(run: Run) -> Finding:
    expected = verbatim(", ".join(CONFIG_KEYS))
    why = kubectl_failure(run)
    if why and why.kind is FailureKind.NOT_FOUND:
        return not_there("CONFIG-KEYS", "4", run, why, _NO_MAP, expected, _ADD_KEYS)
    try:
        there = () if has_no_data(run) else read(run, names)
    except NotSeen as not_seen:
        return unseen("CONFIG-KEYS", "4", run, expected, not_seen.why)
    missing = [key for key in CONFIG_KEYS if key not in {name for _, name in there}]
    if missing:
        summary = msg("{name} lacks {count} of its {total} keys", count=len(missing), total=len(CONFIG_KEYS), name=NAME)
        said = msg("missing: {names}", names=", ".join(missing))
        return finding("CONFIG-KEYS", "4", Verdict.FAIL, summary, expected, said, run, remedy=_ADD_KEYS)
    said = msg("all {total} are there", total=len(CONFIG_KEYS))
    return finding("CONFIG-KEYS", "4", Verdict.PASS, msg("{name} has all its keys", name=NAME), expected, said, run)


def _paths(run: Run) -> tuple[Finding, ...]:
    try:
        checks = {check.key: check for check in read(run, _path_checks)}
    except NotSeen as not_seen:
        return all_unseen(("CONFIG-PATH",), "4", run, ", ".join(CONFIG_PATHS), not_seen)
    return tuple(_path(key, checks.get(key), run) for key in CONFIG_PATHS)


def _path_checks(text: str) -> tuple[PathCheck, ...]:
    """The lines of the path check; each must be about one of the four paths, once, and must agree with itself."""
    found: dict[str, PathCheck] = {}
    for number, line in lines(text):
        check = _CHECK.match(line)
        status, key, actual, expected = check.groups() if check else ("", "", "", "")
        same = status == "OK"
        if CONFIG_PATHS.get(key) != expected or key in found or same != (actual == expected):
            raise unreadable(number, line)
        found[key] = PathCheck(number, key, actual, same)
    if not found:
        raise unreadable(1, "")
    return tuple(found.values())


def _path(key: str, check: PathCheck | None, run: Run) -> Finding:
    code, expected = f"CONFIG-PATH/{key}", verbatim(f"{key} = {CONFIG_PATHS[key]}")
    if check is None:
        return unseen(code, "4", run, expected, msg("the path check has no line about {name}", name=key))
    said = verbatim(f"{key} = {check.actual}")
    if check.same:
        return finding(
            code, "4", Verdict.PASS, msg("{name} is the path of its mount", name=key), expected, said, run, check.line
        )
    return finding(
        code,
        "4",
        Verdict.FAIL,
        msg("{name} is not the path of its mount", name=key),
        expected,
        said,
        run,
        check.line,
        criterion(6).remedy,
    )


STEP = Step("4", msg("ConfigMap"), (YAML, KEYS, PATHS), judge, prefetchable=True)
