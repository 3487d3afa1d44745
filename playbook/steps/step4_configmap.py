"""Step 4: does the ConfigMap have its fifteen keys, and do its paths keep the contract with the volume mounts?"""

from __future__ import annotations

from ..guide import ids
from ..guide.codes import Code
from ..guide.expected import CONFIG_KEYS, CONFIG_MAP, CONFIG_PATHS
from ..guide.remedies import ADD_KEYS, CHECK_PATHS
from ..kubectl.settings import PathCheck, config_map_keys, path_checks
from ..model import Finding, Run, Runs
from ..text import msg
from .base import Step
from .keys import judge_keys
from .question import Question
from .reading import NotSeen, read

_ABSENT = msg("ConfigMap {name} does not exist", name=CONFIG_MAP)


def judge(runs: Runs) -> tuple[Finding, ...]:
    """CONFIG-YAML (only when the first command failed), CONFIG-KEYS, and CONFIG-PATH of each path."""
    keys = Question(Code.CONFIG_KEYS, "4", ", ".join(CONFIG_KEYS), runs.last(ids.CONFIG_KEYS))
    return (
        *_yaml(runs.last(ids.CONFIG_MAP)),
        judge_keys(keys, CONFIG_MAP, CONFIG_KEYS, _ABSENT, (ADD_KEYS,), (ADD_KEYS,)),
        *_paths(runs.last(ids.PATH_CONTRACT)),
    )


def _yaml(run: Run) -> tuple[Finding, ...]:
    """Nothing when it is a ConfigMap: the other two commands answer Step 4's questions."""
    try:
        read(run, config_map_keys)
    except NotSeen as why:
        return (Question(Code.CONFIG_YAML, "4", "kind: ConfigMap", run).absent_or_unseen(why, _ABSENT, ADD_KEYS),)
    return ()


def _paths(run: Run) -> tuple[Finding, ...]:
    try:
        checks = {check.key: check for check in read(run, lambda text: path_checks(text, CONFIG_PATHS))}
    except NotSeen as why:
        return (Question(Code.CONFIG_PATH, "4", ", ".join(CONFIG_PATHS), run).unseen(why),)
    return tuple(_path(key, checks.get(key), run) for key in CONFIG_PATHS)


def _path(key: str, check: PathCheck | None, run: Run) -> Finding:
    asked = Question(Code.CONFIG_PATH, "4", f"{key} = {CONFIG_PATHS[key]}", run, key)
    if check is None:
        return asked.unseen(msg("the path check has no line about {name}", name=key))
    seen = f"{key} = {check.actual}"
    if check.same:
        return asked.passed(msg("{name} is the path of its mount", name=key), seen, check.line)
    return asked.failed(msg("{name} is not the path of its mount", name=key), seen, check.line, CHECK_PATHS)


STEP = Step("4", msg("ConfigMap"), (ids.CONFIG_MAP, ids.CONFIG_KEYS, ids.PATH_CONTRACT), judge, prefetchable=True)
