"""Guide Steps 6-3 to 6-6: what the containers log, and what an observer pod sees of settings, secrets and volumes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ..errors import UnreadableText
from ..guide.expected import CONFIG_KEYS, MOUNTS, SECRET_KEYS, TIME_ZONE
from ..kubectl.failures import Failure, failure
from ..kubectl.logs import BAD_LEVELS, TRACEBACK, free_lines, mentions_error, postgres_records, records
from ..kubectl.tables import lines
from ..model import Finding, Run, Verdict
from ..text import msg, verbatim
from .findings import advise, do, finding, seen_at, unseen

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


def observer_log(run: Run) -> Finding:
    """LOG-OBSERVER: no record of level ERROR or CRITICAL.

    A Python traceback is what an exception leaves that nobody logged: it fails too, though it states no level. A line
    that states no level but holds the word ERROR, or reads like the end of a traceback, cannot be told from a record of
    that level: inconclusive.
    """
    code, wanted = "LOG-OBSERVER", msg("no record of level ERROR or CRITICAL")
    instead, unclear, raised, bad = 0, 0, None, []
    seen = tuple(records(run.out))
    for record in seen:
        if _KUBELET.search(record.text):
            instead = instead or record.line
        elif record.level in BAD_LEVELS:
            bad.append(record)
        elif bad and not raised and not record.level and _EXCEPTION.match(record.text):
            raised = record
        elif not record.level and (mentions_error(record.text) or _EXCEPTION.match(record.text)):
            unclear = unclear or record.line
    if bad:
        levelled = [record for record in bad if record.level != TRACEBACK]
        summary = (
            msg("{n} records of level ERROR or CRITICAL", n=len(levelled))
            if levelled
            else msg("an exception that nobody caught")
        )
        first = levelled[0] if levelled else raised or bad[0]
        remedy = do("kubectl logs -l app=observer -n observer-prod --tail=50", msg("find the cause in the log"))
        return finding(
            code, "6-3", Verdict.FAIL, summary, wanted, verbatim(_short(first.text)), run, first.line, (remedy,)
        )
    why = failure(run)
    if why or not seen or run.exit_code not in (0, None):
        return unseen(code, "6-3", run, wanted, why)
    if instead or unclear:
        said = msg("the log could not be read") if instead else msg("a line without a level tells of an error")
        return replace(unseen(code, "6-3", run, wanted, said), evidence=seen_at(run, instead or unclear))
    if cut := _cut(run, seen[-1].level):
        return unseen(code, "6-3", run, wanted, cut)
    return finding(
        code, "6-3", Verdict.PASS, msg("no error in the log"), wanted, msg("{n} lines, none of them", n=len(seen)), run
    )


def postgres_log(run: Run) -> Finding:
    """LOG-POSTGRES: the ready line, and neither FATAL nor PANIC.

    A server that has been up for long no longer shows the ready line in 30 lines: a warn. A ready line before a
    shutdown (the set-up server of a first start) is not counted.
    """
    code = "LOG-POSTGRES"
    remedy = (do("kubectl logs -l app=postgres -n observer-prod --tail=30", msg("find the cause in the log")),)
    seen = [record for record in postgres_records(run.out) if not _KUBELET.search(record.text)]
    bad = next((record for record in seen if record.level in ("FATAL", "PANIC")), None)
    if bad:
        return finding(
            code,
            "6-3",
            Verdict.FAIL,
            msg("FATAL or PANIC in the log"),
            READY_LINE,
            verbatim(_short(bad.text)),
            run,
            bad.line,
            remedy,
        )
    why = failure(run)
    if why or not seen or run.exit_code not in (0, None):
        return unseen(code, "6-3", run, READY_LINE, why)
    if cut := _cut(run, seen[-1].level):
        return unseen(code, "6-3", run, READY_LINE, cut)
    is_ready = None
    for record in seen:
        if READY_LINE in record.text and record.level in ("LOG", ""):
            is_ready = record
        elif "database system is shut down" in record.text or "fast shutdown request" in record.text:
            is_ready = None
    if is_ready:
        return finding(
            code,
            "6-3",
            Verdict.PASS,
            msg("ready to accept connections"),
            READY_LINE,
            verbatim(_short(is_ready.text)),
            run,
            is_ready.line,
        )
    stopped = any("shut down" in record.text or "shutdown" in record.text for record in seen)
    if len(seen) >= POSTGRES_TAIL and not stopped and any(record.level for record in seen):
        return finding(
            code,
            "6-3",
            Verdict.WARN,
            msg("the ready line is not among the last lines"),
            READY_LINE,
            msg("{n} lines, no FATAL or PANIC: the server has been up for long", n=len(seen)),
            run,
        )
    return unseen(
        code, "6-3", run, READY_LINE, msg("{n} lines without the ready line: it may be starting", n=len(seen))
    )


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
    asked = {
        "ENV-CONFIG": msg("the {n} keys of observer-config", n=len(CONFIG_KEYS)),
        "ENV-SECRET": msg("the {n} keys of observer-secrets", n=len(SECRET_KEYS)),
        "ENV-POD-NAME": verbatim("POD_NAME"),
        "ENV-TZ": verbatim(f"TZ={TIME_ZONE}"),
    }
    why: Failure | UnreadableText | None = failure(run)
    values: dict[str, str] = {}
    where: dict[str, int] = {}
    try:
        for number, line in lines(run.out):
            name, equals, value = line.partition("=")
            if equals and name and not name[0].isspace():
                values[name], where[name] = value, number
            elif line.strip(" \t*"):  # a masked line is the rest of a value that spans several
                raise UnreadableText(msg("line {line} is not NAME=value", line=number), number)
    except UnreadableText as error:
        why = why or error
    if why or not values or run.exit_code not in (0, None):
        yield from (unseen(code, "6-4", run, wanted, why) for code, wanted in asked.items())
        return
    for code, keys, step in (("ENV-CONFIG", CONFIG_KEYS, "4"), ("ENV-SECRET", SECRET_KEYS, "3-4")):
        gone = [key for key in keys if key not in values]
        if gone:
            remedy = advise(
                msg("complete the keys (Step {step}), then restart the pods: they read them at their start", step=step)
            )
            yield finding(
                code,
                "6-4",
                Verdict.FAIL,
                msg("missing in the pod's environment"),
                asked[code],
                msg("missing: {names}", names=", ".join(gone)),
                run,
                remedy=(remedy,),
            )
        else:
            yield finding(code, "6-4", Verdict.PASS, msg("all there"), asked[code], asked[code], run, where[keys[0]])
    for code, name, good in (
        ("ENV-POD-NAME", "POD_NAME", bool(values.get("POD_NAME"))),
        ("ENV-TZ", "TZ", values.get("TZ") == TIME_ZONE),
    ):
        actual = verbatim(f"{name}={values[name]}") if name in values else msg("missing: {names}", names=name)
        if good:
            yield finding(code, "6-4", Verdict.PASS, msg("all there"), asked[code], actual, run, where[name])
        else:
            remedy = advise(msg("check env of the Deployment observer"))
            yield finding(
                code,
                "6-4",
                Verdict.FAIL,
                msg("missing in the pod's environment") if name not in values else msg("not the expected value"),
                asked[code],
                actual,
                run,
                where.get(name),
                (remedy,),
            )


_DF = re.compile(r"(?:^|\s)(?:\d+%|-)\s+(?P<path>/.*?)\s*$")
_DEVICE = re.compile(r"\S+\s*$")


def mounts(run: Run) -> Iterator[Finding]:
    """MOUNT/…: each of the three volumes by its mount point, whatever device stands before it.

    A line that shows a mount counts even if something failed beside it; one that is absent does so only if nothing did.
    """
    why: Failure | UnreadableText | None = failure(run)
    at: dict[str, int] = {}
    try:
        for number, line in lines(run.out):
            row = _DF.search(line)
            if row:
                at[row["path"]] = number
            elif line.strip() and not _DEVICE.fullmatch(line):  # older df puts a long device name on a line of its own
                raise UnreadableText(msg("line {line} is not a row of df", line=number), number)
    except UnreadableText as error:
        why = why or error
    answered = not why and (run.exit_code == 1 or (run.exit_code == 0 and bool(at)))  # 1: grep found no line
    if not answered and not any(path in at for path in MOUNTS.values()):
        yield unseen("MOUNT", "6-5", run, msg("mounted: {names}", names=", ".join(MOUNTS.values())), why)
        return
    for name, path in MOUNTS.items():
        if path in at:
            yield finding(f"MOUNT/{name}", "6-5", Verdict.PASS, msg("mounted"), path, path, run, at[path])
        elif not answered:
            yield unseen(f"MOUNT/{name}", "6-5", run, path, why)
        else:
            remedy = do(
                "kubectl describe pod -l app=observer -n observer-prod",
                msg("is the PVC mounted there, or an emptyDir?"),
            )
            yield finding(
                f"MOUNT/{name}",
                "6-5",
                Verdict.FAIL,
                msg("not mounted"),
                path,
                msg("no volume at this path"),
                run,
                remedy=(remedy,),
            )


_CAUSES = (
    ("Permission denied", msg("fsGroup or runAsUser does not fit the owner of the PVC's files")),
    ("Read-only file system", msg("no volume is mounted at this path")),
)
"""The guide's two causes of a failed write, by what touch says."""


def write(name: str, run: Run) -> Finding:
    code, file = f"WRITE/{name}", f"{MOUNTS[name]}/.write_test"
    ok = next((number for number, line in free_lines(run.out) if line.strip() == "OK"), None)
    why = failure(run)
    if ok and not why and run.exit_code in (0, None):
        return finding(code, "6-6", Verdict.PASS, msg("writable"), "OK", "OK", run, ok)
    if ok:
        said = verbatim(why.text) if why and why.text else msg("ended with status {status}", status=str(run.exit_code))
        left = advise(msg("remove {file} from the observer pod", file=file))
        return finding(
            code,
            "6-6",
            Verdict.WARN,
            msg("writable, but the test file may be left behind"),
            "OK",
            said,
            run,
            ok,
            (left,),
        )
    for stream, text in (("stderr", run.err), ("stdout", run.out)):  # with a terminal both come on stdout
        for number, line in free_lines(text):
            cause = next((cause for words, cause in _CAUSES if words in line), None)
            if cause and re.match(r"(?:touch|sh|/bin/sh): ", line):
                bad = finding(
                    code, "6-6", Verdict.FAIL, msg("not writable"), "OK", verbatim(line), remedy=(advise(cause),)
                )
                return replace(bad, evidence=seen_at(run, number, stream))
    return unseen(code, "6-6", run, "OK", why)


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 200 else f"{text[:199]}…"
