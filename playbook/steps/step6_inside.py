"""Guide Steps 6-3 to 6-6: what the containers log, and what an observer pod sees of settings, secrets and volumes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ..errors import UnreadableText
from ..guide import remedies
from ..guide.codes import Code
from ..guide.expected import CONFIG_KEYS, CONFIG_PATHS, MOUNTS, SECRET_KEYS, TIME_ZONE
from ..guide.remedy import advise
from ..kubectl.failures import Failure, failure
from ..kubectl.logs import (
    BAD_LEVELS,
    CRASH,
    TRACEBACK,
    free_lines,
    is_familiar,
    mentions_error,
    postgres_records,
    records,
)
from ..kubectl.settings import Variable
from ..kubectl.settings import environment as variables
from ..kubectl.storage import Mount
from ..kubectl.storage import mounts as mounted
from ..kubectl.tables import lines
from ..model import Finding, Run
from ..text import msg, verbatim
from .question import Question

POSTGRES_TAIL = 30
"""The lines of PostgreSQL's log that 6-3 asks for."""

READY_LINE = "database system is ready to accept connections"

_KUBELET = re.compile(
    r"unable to retrieve container logs for |failed to try resolving symlinks in path |"
    r"^(?:rpc error|Error from server|error): "
)
"""What kubectl or the kubelet says in the place of a log, on standard output."""

_EXCEPTION = re.compile(r"[\w.]+(?:Error|Exception|Exit|Interrupt)(?::|$)")
"""The last line of a Python traceback: what was raised."""


_OF_A_GONE_CONTAINER = re.compile(r"unable to retrieve container logs for \w+://[0-9a-f]{64}")
"""The kubelet's words for the log of a pod that is over; without a line end, so that the next log begins on the same line."""


def observer_log(run: Run, left_over: int = 0) -> Finding:
    """LOG-OBSERVER: no record of level ERROR or CRITICAL.

    A Python traceback is what an exception leaves that nobody logged: it fails too, though it states no level. A line
    that states no level but holds the word ERROR, or reads like the end of a traceback, cannot be told from a record of
    that level: inconclusive. The logs of pods that are `left_over` need not be there.
    """
    asked = Question(Code.LOG_OBSERVER, "6-3", msg("no record of level ERROR or CRITICAL"), run)
    gone = len(_OF_A_GONE_CONTAINER.findall(run.out))
    rows = tuple(records(_OF_A_GONE_CONTAINER.sub("", run.out) if gone <= left_over else run.out))
    own = [record for record in rows if not _KUBELET.search(record.text)]
    plain = [record for record in own if not record.level]
    bad = [record for record in own if record.level in BAD_LEVELS]
    if bad:
        levelled = [record for record in bad if record.level not in (TRACEBACK, CRASH)]
        crashed = [record for record in bad if record.level == CRASH]
        raised = (record for record in plain if record.line > bad[0].line and _EXCEPTION.match(record.text))
        first = (levelled or crashed or [next(raised, bad[0])])[0]
        summary = msg("{n} records of level ERROR or CRITICAL", n=len(levelled))
        if not levelled:
            summary = (
                msg("the program did not start, or was ended") if crashed else msg("an exception that nobody caught")
            )
        return asked.failed(summary, _short(first.text), first.line, remedies.READ_OBSERVERS_LOG)
    why = failure(run)
    if why or not rows or run.exit_code not in (0, None):
        return asked.unseen(why)
    if instead := next((record for record in rows if _KUBELET.search(record.text)), None):
        return asked.unseen(msg("the log could not be read"), line=instead.line)
    for record in plain:
        if mentions_error(record.text) or _EXCEPTION.match(record.text):
            return asked.unseen(msg("a line without a level tells of an error"), line=record.line)
    if cut := _cut(run, rows[-1].level):
        return asked.unseen(cut)
    if not any(record.level or is_familiar(record.text) for record in own):
        return asked.unseen(msg("no line states a level, and none is one of a service that is known"), line=own[0].line)
    return asked.passed(msg("no error in the log"), msg("{n} lines, none of them", n=len(rows)))


def postgres_log(run: Run) -> Finding:
    """LOG-POSTGRES: the ready line, and neither FATAL nor PANIC.

    A server that has been up for long no longer shows the ready line in 30 lines: a warn. A ready line before a
    shutdown (the set-up server of a first start) is not counted, nor one before a signal (the kernel's, out of memory)
    ended one of its processes: then the server starts anew, and a later ready line is a warn.
    """
    asked = Question(Code.LOG_POSTGRES, "6-3", READY_LINE, run)
    rows = [record for record in postgres_records(run.out) if not _KUBELET.search(record.text)]
    if bad := next((record for record in rows if record.level in ("FATAL", "PANIC")), None):
        summary = msg("FATAL or PANIC in the log")
        return asked.failed(summary, _short(bad.text), bad.line, remedies.READ_POSTGRES_LOG)
    why = failure(run)
    if why or not rows or run.exit_code not in (0, None):
        return asked.unseen(why)
    if cut := _cut(run, rows[-1].level):
        return asked.unseen(cut)
    is_ready = killed = None
    for record in rows:
        if READY_LINE in record.text and record.level in ("LOG", ""):
            is_ready = record
        elif record.level == "LOG" and _KILLED.search(record.text):
            is_ready, killed = None, record
        elif "database system is shut down" in record.text or "fast shutdown request" in record.text:
            is_ready = None
    if is_ready and killed:
        summary = msg("a process of the server was ended by a signal; the server started anew")
        return asked.warned(summary, _short(killed.text), killed.line, remedies.READ_POSTGRES_LOG)
    if is_ready:
        return asked.passed(msg("ready to accept connections"), _short(is_ready.text), is_ready.line)
    stopped = any("shut down" in record.text or "shutdown" in record.text for record in rows)
    if len(rows) >= POSTGRES_TAIL and not (stopped or killed) and any(record.level for record in rows):
        seen = msg("{n} lines, no FATAL or PANIC: the server has been up for long", n=len(rows))
        return asked.warned(msg("the ready line is not among the last lines"), seen)
    return asked.unseen(msg("{n} lines without the ready line: it may be starting", n=len(rows)))


_KILLED = re.compile(r"LOG:  [\w ]+(?: \"[^\"]*\")? \(PID \d+\) was terminated by (?:signal|exception)")


def _cut(run: Run, last_level: str) -> UnreadableText | None:
    """What is wrong with a log that ends in the middle of a line which does not state its level: it was about to."""
    if last_level or run.out.endswith("\n"):
        return None
    try:
        list(lines(run.out))
    except UnreadableText as error:
        return error
    return None


def environment(run: Run) -> Iterator[Finding]:
    """ENV-…: names only; the values of secrets were masked before they came here."""
    of_config = Question(Code.ENV_CONFIG, "6-4", msg("the {n} keys of observer-config", n=len(CONFIG_KEYS)), run)
    of_secret = Question(Code.ENV_SECRET, "6-4", msg("the {n} keys of observer-secrets", n=len(SECRET_KEYS)), run)
    pod_name = Question(Code.ENV_POD_NAME, "6-4", "POD_NAME", run)
    time_zone = Question(Code.ENV_TZ, "6-4", f"TZ={TIME_ZONE}", run)
    why: Failure | UnreadableText | None = failure(run)
    there: dict[str, Variable] = {}
    try:
        there = {variable.name: variable for variable in variables(run.out)}
    except UnreadableText as error:
        why = why or error
    if why or not there or run.exit_code not in (0, None):
        yield from (asked.unseen(why) for asked in (of_config, of_secret, pod_name, time_zone))
        return
    for asked, keys, step in ((of_config, CONFIG_KEYS, "4"), (of_secret, SECRET_KEYS, "3-4")):
        missing = [key for key in keys if key not in there]
        if missing:
            seen = msg("missing: {names}", names=", ".join(missing))
            advice = msg(
                "complete the keys (Step {step}), then restart the pods: they read them at their start", step=step
            )
            yield asked.failed(msg("missing in the pod's environment"), seen, None, advise(advice))
        elif empty := _empty(there, keys):
            seen = msg("without a value: {names}", names=", ".join(variable.name for variable in empty))
            found = asked.failed if asked is of_secret else asked.warned
            advice = msg("give it a value (Step {step}), then restart the pods: they read it at their start", step=step)
            yield found(msg("empty in the pod's environment"), seen, empty[0].line, advise(advice))
        elif asked is of_config and (other := _other_paths(there)):
            paths = ", ".join(f"{variable.name}={variable.value}" for variable in other)
            summary = msg(
                "the pod's paths are not those of the ConfigMap: it is older than the change, or overrides them"
            )
            yield asked.warned(summary, paths, other[0].line, remedies.RESTART_WITH_PATHS)
        else:
            yield asked.passed(msg("all there"), asked.expected, there[keys[0]].line)
    yield _variable(pod_name, "POD_NAME", there.get("POD_NAME"))
    yield _variable(time_zone, "TZ", there.get("TZ"), TIME_ZONE)


def _empty(there: Mapping[str, Variable], keys: Sequence[str]) -> list[Variable]:
    """The variables of `keys` without a value, on one line or more."""
    lines_of = {variable.line for variable in there.values()}
    last = max(lines_of)
    return [
        found
        for found in map(there.__getitem__, keys)
        if not found.value.strip() and (found.line + 1 in lines_of or found.line == last)  # else it goes on below
    ]


def _other_paths(there: Mapping[str, Variable]) -> list[Variable]:
    """The paths in the pod's environment that are not the contract's, with which Step 4 compares the ConfigMap."""
    found = [(there[key], path) for key, path in CONFIG_PATHS.items()]
    return [variable for variable, path in found if variable.value != path and variable.value.strip("*")]


def _variable(asked: Question, name: str, found: Variable | None, value: str = "") -> Finding:
    """Whether the variable has `value`; without one, whether it has any."""
    if found is None:
        seen = msg("missing: {names}", names=name)
        return asked.failed(msg("missing in the pod's environment"), seen, None, remedies.CHECK_ENV)
    seen = verbatim(f"{name}={found.value}")
    if found.value == value if value else found.value:
        return asked.passed(msg("all there"), seen, found.line)
    return asked.failed(msg("not the expected value"), seen, found.line, remedies.CHECK_ENV)


def mounts(run: Run) -> Iterator[Finding]:
    """MOUNT/…: each of the three volumes by its mount point, whatever device stands before it.

    A line that shows a mount counts even if something failed beside it; one that is absent does so only if nothing did.
    """
    why: Failure | UnreadableText | None = failure(run)
    at: dict[str, Mount] = {}
    try:
        for row in mounted(run.out):
            at[row.path] = row
    except UnreadableText as error:
        why = why or error
    answered = not why and (run.exit_code == 1 or (run.exit_code == 0 and bool(at)))  # 1: grep found no line
    if not answered and not any(path in at for path in MOUNTS.values()):
        expected = msg("mounted: {names}", names=", ".join(MOUNTS.values()))
        yield Question(Code.MOUNT, "6-5", expected, run).unseen(why)
        return
    for name, path in MOUNTS.items():
        asked = Question(Code.MOUNT, "6-5", path, run, name)
        if path in at:
            yield _mounted(asked, at[path])
        elif not answered:
            yield asked.unseen(why)
        else:
            seen = msg("no volume at this path")
            yield asked.failed(msg("not mounted"), seen, None, remedies.DESCRIBE_OBSERVERS)


_IN_MEMORY = ("tmpfs", "ramfs", "shm", "overlay")
"""Devices of `df` that are no disk: memory, or the container's own layer."""


def _mounted(asked: Question, row: Mount) -> Finding:
    seen = f"{row.device} {row.size} {row.available} {row.path}"
    if row.device in _IN_MEMORY:
        return asked.failed(
            msg("mounted, but what is written goes with the pod"), seen, row.line, remedies.DESCRIBE_OBSERVERS
        )
    if row.use_percent is not None and row.use_percent >= 100:
        return asked.failed(msg("mounted, but full"), seen, row.line, remedies.CHECK_DISK)
    return asked.passed(msg("mounted"), row.path, row.line)


_CAUSES = (
    ("Permission denied", msg("fsGroup or runAsUser does not fit the owner of the PVC's files")),
    ("Read-only file system", msg("no volume is mounted at this path")),
)
"""The guide's two causes of a failed write, by what touch says."""


def write(name: str, run: Run) -> Finding:
    """WRITE/…: `OK`, and nothing failed."""
    asked, why = Question(Code.WRITE, "6-6", "OK", run, name), failure(run)
    ok = next((number for number, line in free_lines(run.out) if line.strip() == "OK"), None)
    if ok and not why and run.exit_code in (0, None):
        return asked.passed(msg("writable"), "OK", ok)
    if ok:
        seen = verbatim(why.text) if why and why.text else msg("ended with status {status}", status=str(run.exit_code))
        left = advise(msg("remove {file} from the observer pod", file=f"{MOUNTS[name]}/.write_test"))
        return asked.warned(msg("writable, but the test file may be left behind"), seen, ok, left)
    for stream, text in (("stderr", run.err), ("stdout", run.out)):  # with a terminal both come on stdout
        for number, line in free_lines(text):
            cause = next((cause for words, cause in _CAUSES if words in line), None)
            if cause and re.match(r"(?:touch|sh|/bin/sh): ", line):
                return asked.failed(msg("not writable"), line, number, advise(cause), stream=stream)
    return asked.unseen(why)


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 200 else f"{text[:199]}…"
