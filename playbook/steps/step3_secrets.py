"""Step 3: is the SealedSecrets controller up, are its three Secrets there, and observer-secrets and ghcr-secret too?"""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import UnreadableText
from ..guide.expected import GHCR_SECRET, GHCR_SECRET_TYPE, OBSERVER_SECRETS, SEALED_SECRETS, SECRET_KEYS
from ..guide.remedies import SHOW_EMERGENCY
from ..kubectl.failures import FailureKind, failure
from ..kubectl.tables import Row, lines, names, ready, sections, table, unreadable
from ..model import Finding, Remedy, Run, Runs, Verdict
from ..text import Message, msg, verbatim
from .base import Execution, Step
from .findings import advise, do, finding, unseen
from .reading import NotSeen, all_unseen, has_no_data, kubectl_failure, not_there, read, read_rows

CONTROLLER = "step3-1-sealed-secrets-controller"
SEALED = "step3-2-sealedsecrets"
GENERATED = "step3-2-generated-secrets"
OBSERVER = "step3-3-observer-secrets"
KEYS, KEYS_JQ = "step3-4-secret-keys", "step3-4-secret-keys-jq"
GHCR = "step3-5-ghcr-secret"
SUMMARY = "summary"

_RUNNING = "STATUS = Running"
_SYNCED = "SYNCED = True"
_CHECK_CONTROLLER = do("kubectl get pods -n sealed-secrets", msg("the controller must be Running (Step 3-1)"))
_CREATE = (
    do(SHOW_EMERGENCY, msg("fill in its placeholders and run what it shows, then verify again from Step 6")),
    advise(msg("no SealedSecret makes it: {names} are Secrets of their own", names=", ".join(SEALED_SECRETS))),
)
_RECREATE = (
    do(SHOW_EMERGENCY, msg("create the Secret again with all its keys: without them the pods fail at run time")),
)
_GHCR_REMEDY = (advise(msg("create it: without it the image cannot be pulled (ImagePullBackOff)")),)


def perform(step: Step, execution: Execution) -> None:
    """All commands but the variant of 3-4 that is not needed: jq's where jq is, else python3's."""
    other = KEYS if execution.has_tool("jq") else KEYS_JQ
    execution.side_by_side([command for command in step.commands if command != other])


def judge(runs: Runs) -> tuple[Finding, ...]:
    """Steps 3-1 to 3-5.

    The label in the second command of 3-2 selects sealing keys: an empty answer to it is ordinary and decides nothing.
    """
    return (
        _controller(runs.last(CONTROLLER)),
        *_sealed(runs.last(SEALED), runs.last(GENERATED)),
        *_generated(runs.last(SUMMARY)),
        *_observer(runs.last(OBSERVER)),
        _keys(_keys_run(runs)),
        _ghcr(runs.last(GHCR)),
    )


# 3-1


def _controller(run: Run) -> Finding:
    try:
        rows = read_rows(run, "NAME", "READY", "STATUS")
        pods = [row for row in rows if "seal" in row["NAME"] or "controller" in row["NAME"]]
        up = [row for row in pods if _is_up(row)]
    except (NotSeen, UnreadableText) as why:
        return unseen("SEALED-CONTROLLER", "3-1", run, _RUNNING, why.why if isinstance(why, NotSeen) else why)
    if up:
        return finding(
            "SEALED-CONTROLLER",
            "3-1",
            Verdict.PASS,
            msg("the SealedSecrets controller is Running"),
            _RUNNING,
            _pod(up[0]),
            run,
            up[0].line,
        )
    if rows and not pods:  # it may have another name; another namespace's pods must not pass for it
        unknown = msg("no pod of the list is the controller by its name: {pods}", pods=rows[0]["NAME"])
        return unseen("SEALED-CONTROLLER", "3-1", run, _RUNNING, unknown)
    summary = msg("the SealedSecrets controller is not Running")
    remedy = (advise(msg("bring the controller up: until then no SealedSecret becomes a Secret")),)
    if not pods:
        return finding(
            "SEALED-CONTROLLER", "3-1", Verdict.FAIL, summary, _RUNNING, msg("there is no pod"), run, remedy=remedy
        )
    return finding(
        "SEALED-CONTROLLER", "3-1", Verdict.FAIL, summary, _RUNNING, _pod(pods[0]), run, pods[0].line, remedy
    )


def _is_up(row: Row) -> bool:
    now, of = ready(row["READY"], row.line)
    return row["STATUS"] == "Running" and now == of > 0


def _pod(row: Row) -> Message:
    return verbatim(f"{row['NAME']}: READY {row['READY']}, STATUS {row['STATUS']}")


# 3-2


def _sealed(run: Run, generated: Run) -> tuple[Finding, ...]:
    """SEALED-SYNCED of each SealedSecret."""
    why = kubectl_failure(run)
    # Without the kind there is no SealedSecret; but a server whose kinds could not be listed proves nothing.
    # kubectl 1.20 does not say that they could not: it then knows no `secrets` either.
    listed = "couldn't get" not in run.err and 'have a resource type "secrets"' not in generated.err
    no_kind = why is not None and why.kind is FailureKind.NOT_FOUND and listed
    try:
        rows = () if no_kind else read_rows(run, "NAME")
    except NotSeen as not_seen:
        return all_unseen(("SEALED-SYNCED",), "3-2", run, _SYNCED, not_seen)
    sealed = {row["NAME"]: row for row in rows}
    return tuple(_synced(name, sealed.get(name), run) for name in SEALED_SECRETS)


def _synced(name: str, row: Row | None, run: Run) -> Finding:
    code = f"SEALED-SYNCED/{name}"
    if row is None:
        summary = msg("SealedSecret {name} does not exist", name=name)
        return finding(
            code, "3-2", Verdict.FAIL, summary, _SYNCED, msg("not in the list"), run, remedy=(_CHECK_CONTROLLER,)
        )
    synced = row.get("SYNCED")
    if synced in ("", "Unknown", "<unknown>", "<none>"):
        return unseen(code, "3-2", run, _SYNCED, msg("the list does not say whether {name} is synced", name=name))
    said = verbatim(f"SYNCED = {synced}")
    if synced == "True":
        return finding(
            code, "3-2", Verdict.PASS, msg("SealedSecret {name} is synced", name=name), _SYNCED, said, run, row.line
        )
    return finding(
        code,
        "3-2",
        Verdict.FAIL,
        msg("SealedSecret {name} is not synced", name=name),
        _SYNCED,
        said,
        run,
        row.line,
        (_CHECK_CONTROLLER,),
    )


def _generated(run: Run) -> tuple[Finding, ...]:
    """SEALED-SECRET of each Secret that comes of a SealedSecret, by the list of Secrets in the guide's summary."""
    expected = msg("in the list of Secrets")
    why = failure(run)
    try:
        listed = _listed(run)
    except UnreadableText as unknown:
        return (
            unseen(
                "SEALED-SECRET",
                "3-2",
                run,
                expected,
                why if why and why.kind is not FailureKind.NO_RESOURCES else unknown,
            ),
        )
    if listed is None:
        return (unseen("SEALED-SECRET", "3-2", run, expected, why),)
    return tuple(_secret(name, listed.get(name), expected, run) for name in SEALED_SECRETS)


def _listed(run: Run) -> Mapping[str, int] | None:
    """The Secrets in the summary's list and their lines; None when the list may not be whole.

    The summary is a chain of five commands, and standard error speaks of all of them. The list is whole when the next
    part follows it and no complaint is about Secrets; an empty one only when kubectl also said that it found nothing.
    """
    first, text = sections(run.out).get("SECRETS", (0, ""))
    if not first:
        return None
    listed = {}
    for number, line in lines(text, first):
        words = line.split()
        if words and (len(words) != 3 or not words[2].isdecimal()):
            raise unreadable(number, line)
        if words:
            listed[words[0]] = number
    if set(SEALED_SECRETS) <= set(listed):
        return listed
    errors = [line for line in run.err.splitlines() if line.startswith(("Error", "error", "The connection", "Unable"))]
    cut = "=== SERVICES ===" not in run.out or any("secrets" in line or "Forbidden" not in line for line in errors)
    if cut or not (listed or "No resources found" in run.err):
        return None
    return listed


def _secret(name: str, line: int | None, expected: Message, run: Run) -> Finding:
    code = f"SEALED-SECRET/{name}"
    if line is None:
        summary = msg("Secret {name} does not exist", name=name)
        return finding(
            code, "3-2", Verdict.FAIL, summary, expected, msg("not in the list"), run, remedy=(_CHECK_CONTROLLER,)
        )
    return finding(code, "3-2", Verdict.PASS, msg("Secret {name} exists", name=name), expected, name, run, line)


# 3-3 and 3-5


def _observer(run: Run) -> tuple[Finding, ...]:
    """OBSERVER-SECRETS: that it exists, which abort criterion 1 asks; SECRET-TYPE only when its type is another."""
    expected = verbatim("TYPE = Opaque")
    why = kubectl_failure(run)
    if why and why.kind is FailureKind.NOT_FOUND:
        summary = msg("Secret {name} does not exist: neither Observer nor PostgreSQL can start", name=OBSERVER_SECRETS)
        return (not_there("OBSERVER-SECRETS", "3-3", run, why, summary, expected, _CREATE),)
    try:
        row = read(run, lambda text: _one(text, OBSERVER_SECRETS))
    except NotSeen as not_seen:
        return all_unseen(("OBSERVER-SECRETS",), "3-3", run, expected, not_seen)
    said = verbatim(f"TYPE = {row['TYPE']}, DATA = {row['DATA']}")
    summary = msg("Secret {name} exists", name=OBSERVER_SECRETS)
    there = finding("OBSERVER-SECRETS", "3-3", Verdict.PASS, summary, expected, said, run, row.line)
    if row["TYPE"] == "Opaque":
        return (there,)
    return (there, _other_type("SECRET-TYPE", "3-3", OBSERVER_SECRETS, expected, said, run, row, _RECREATE))


def _ghcr(run: Run) -> Finding:
    expected = verbatim(f"TYPE = {GHCR_SECRET_TYPE}")
    why = kubectl_failure(run)
    if why and why.kind is FailureKind.NOT_FOUND:
        summary = msg("Secret {name} does not exist", name=GHCR_SECRET)
        return not_there("GHCR-SECRET", "3-5", run, why, summary, expected, _GHCR_REMEDY)
    try:
        row = read(run, lambda text: _one(text, GHCR_SECRET))
    except NotSeen as not_seen:
        return unseen("GHCR-SECRET", "3-5", run, expected, not_seen.why)
    said = verbatim(f"TYPE = {row['TYPE']}")
    if row["TYPE"] != GHCR_SECRET_TYPE:
        return _other_type("GHCR-SECRET", "3-5", GHCR_SECRET, expected, said, run, row, _GHCR_REMEDY)
    return finding(
        "GHCR-SECRET", "3-5", Verdict.PASS, msg("Secret {name} exists", name=GHCR_SECRET), expected, said, run, row.line
    )


def _other_type(
    code: str, step: str, name: str, expected: Message, said: Message, run: Run, row: Row, remedy: tuple[Remedy, ...]
) -> Finding:
    return finding(
        code,
        step,
        Verdict.FAIL,
        msg("Secret {name} has another type", name=name),
        expected,
        said,
        run,
        row.line,
        remedy,
    )


def _one(text: str, name: str) -> Row:
    """The one row of the Secret that was asked for."""
    rows = table(text, ("NAME", "TYPE", "DATA"))
    if len(rows) != 1 or rows[0]["NAME"] != name:
        raise unreadable(rows[0].line if rows else 2, rows[0]["NAME"] if rows else "")
    return rows[0]


# 3-4


def _keys_run(runs: Runs) -> Run:
    """Whichever variant of 3-4 was carried out; jq's where a recording has both."""
    with_jq = runs.last(KEYS_JQ)
    return with_jq if with_jq.happened or not runs.all(KEYS) else runs.last(KEYS)


def _keys(run: Run) -> Finding:
    expected = verbatim(", ".join(SECRET_KEYS))
    why = kubectl_failure(run)
    if why and why.kind is FailureKind.NOT_FOUND:
        summary = msg("Secret {name} has no keys: it does not exist", name=OBSERVER_SECRETS)
        return not_there("SECRET-KEYS", "3-4", run, why, summary, expected, _CREATE)
    try:
        there = () if has_no_data(run) else read(run, names)
    except NotSeen as not_seen:
        return unseen("SECRET-KEYS", "3-4", run, expected, not_seen.why)
    missing = [key for key in SECRET_KEYS if key not in {name for _, name in there}]
    if missing:
        summary = msg(
            "{name} lacks {count} of its {total} keys",
            count=len(missing),
            total=len(SECRET_KEYS),
            name=OBSERVER_SECRETS,
        )
        said = msg("missing: {names}", names=", ".join(missing))
        return finding("SECRET-KEYS", "3-4", Verdict.FAIL, summary, expected, said, run, remedy=_RECREATE)
    said = msg("all {total} are there", total=len(SECRET_KEYS))
    return finding(
        "SECRET-KEYS", "3-4", Verdict.PASS, msg("{name} has all its keys", name=OBSERVER_SECRETS), expected, said, run
    )


STEP = Step(
    "3",
    msg("Secrets"),
    (CONTROLLER, SEALED, GENERATED, OBSERVER, KEYS, KEYS_JQ, GHCR, SUMMARY),
    judge,
    perform,
    prefetchable=True,
)
