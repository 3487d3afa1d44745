"""The checks that ask kubectl: who it is, whether the API server answers, what this user may do there, whose clock is off."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime

from ..command import Command
from ..diagnosis import access_rows as access
from ..guide.own_commands import DATE_OF_SERVER, NEEDED_RIGHTS, SERVER_VERSION, may
from ..guide.remedies import CHECK_CLOCK, COPY_KUBECONFIG, READ_AS_ROOT, SET_CLOCK
from ..guide.remedy import advise
from ..kubectl.failures import Failure, FailureKind, failure
from ..model import Provenance, Remedy, Run
from ..runtime.provenance import provenance
from ..runtime.runner import Runner
from ..text import msg, verbatim
from .check import Check

SLOW_S = 2.0
"""Longer than this for the smallest of questions: the guide's commands will run into their limits."""

CLOCK_S = 10
"""By so much this clock and the server's may differ: ages and times of logs are compared by the minute."""

_BRANCHES = {
    FailureKind.KUBECONFIG_UNREADABLE: access.UNREADABLE,
    FailureKind.KUBECONFIG_ABSENT: access.ABSENT,
    FailureKind.UNAUTHORIZED: access.CREDENTIALS,
    FailureKind.CREDENTIALS: access.NO_CREDENTIALS,
    FailureKind.CONNECTION_REFUSED: access.API_REFUSED,
    FailureKind.KUBECONFIG: access.API_REFUSED,
    FailureKind.UNREACHABLE: access.API_UNREACHABLE,
    FailureKind.TIMEOUT: access.API_UNREACHABLE,
}
_VERSION = re.compile(r'"gitVersion": "([^"]+)"')
_DATE = re.compile(r"^date: (.+?)\r?$", re.I | re.M)


def who(runner: Runner, commands: str) -> tuple[Check, ...]:
    """The tools' versions, the context, K3s' wrapper and kuberc, by what the report says of them."""
    known = provenance(runner, commands, ask_server=False)
    return (_versions(known), _context(known), _k3s(known), _kuberc(known))


def _versions(known: Provenance) -> Check:
    return Check("tools", True, verbatim(", ".join(f"{name} {version}" for name, version in known.tools)))


def _context(known: Provenance) -> Check:
    if not known.context:
        return Check("context", None, msg("kubectl names none"))
    return Check("context", True, msg("{context}, user {user}", context=known.context, user=known.user or "-"))


def _k3s(known: Provenance) -> Check:
    words = msg("kubectl is K3s' own: {path}", path=known.kubectl) if known.k3s else msg("kubectl is not K3s' own")
    return Check("k3s", True, words)


def _kuberc(known: Provenance) -> Check:
    there = [name for name in known.noticed if "kuberc" in name]
    words = msg("{path} is switched off for the guide's commands", path=there[0]) if there else msg("there is none")
    return Check("kuberc", True, words)


def api(run: Run) -> Check:
    """Whether the API server answered `SERVER_VERSION`, and how fast."""
    version = _VERSION.search(run.out)
    if run.exit_code == 0 and version:
        seen = msg("{version} answers after {seconds} s", version=version[1], seconds=f"{run.duration_s:.1f}")
        if run.duration_s <= SLOW_S:
            return Check("api", True, seen)
        return Check("api", False, seen, access.DATASTORE_SLOW.remedy)
    why = failure(run)
    if why is None:
        return Check("api", False, msg("kubectl printed no version"), access.API_REFUSED.remedy)
    if why.kind is FailureKind.CERTIFICATE:
        branch = next((one for words, one in _CERTIFICATES if words in why.text), access.UNKNOWN_AUTHORITY)
    elif why.kind in _BRANCHES:
        branch = _BRANCHES[why.kind]
    else:
        return Check("api", False, verbatim(why.text), _by_words(why))
    return Check("api", False, branch.title, branch.remedy)


_CERTIFICATES = ((" is before ", access.CLOCK_OFF), ("certificate has expired", access.EXPIRED))


def _by_words(why: Failure) -> tuple[Remedy, ...]:
    return access.DATASTORE_SLOW.remedy if why.kind is FailureKind.SERVER else ()


def rights(runs: dict[str, Run]) -> tuple[Check, ...]:
    """What `kubectl auth can-i` answered for each right: one line when all is allowed, else one for those that lack."""
    lacking = [right for right, run in runs.items() if run.out.strip().splitlines()[-1:] == ["no"]]
    unseen = [
        right for right, run in runs.items() if right not in lacking and run.out.strip().splitlines()[-1:] != ["yes"]
    ]
    found = []
    if lacking:
        advice = advise(msg("cluster-admin, or admin of the namespace, has them; on the K3s server:"))
        words = msg("not allowed: {rights}", rights=", ".join(lacking))
        found.append(Check("rights", False, words, (advice, READ_AS_ROOT, COPY_KUBECONFIG)))
    if unseen:
        found.append(Check("rights", None, msg("could not be seen: {rights}", rights=", ".join(unseen))))
    return tuple(found) or (Check("rights", True, msg("all {n} that the guide needs", n=len(runs))),)


def clock(run: Run) -> Check:
    """How far this machine's clock is from that of the API server, by the header of its answer."""
    date = _DATE.search(run.out)
    if not date:
        return Check("clock", None, msg("the API server sent no date"))
    seconds = round((run.started_at - parsedate_to_datetime(date[1])).total_seconds())
    words = msg("{n} s from the API server's", n=abs(seconds))
    return Check("clock", abs(seconds) <= CLOCK_S, words, (CHECK_CLOCK, SET_CLOCK) if abs(seconds) > CLOCK_S else ())


def all_of_them(
    runner: Runner, commands: str, begins: Callable[[str], None], ends: Callable[[str], None]
) -> tuple[Check, ...]:
    """Every check of this module; rights and clock are asked only where the API server answers. `begins` and `ends` are told."""

    def carry(command: Command) -> Run:
        begins(command.key)
        try:
            return runner.run(command)
        finally:
            ends(command.key)

    with ThreadPoolExecutor(max(4, os.cpu_count() or 1)) as pool:
        known = pool.submit(who, runner, commands)
        answer = carry(SERVER_VERSION)
        reached = api(answer)
        if answer.exit_code != 0:
            away = msg("not asked: the API server does not answer")
            return (*known.result(), reached, Check("rights", None, away), Check("clock", None, away))
        date = pool.submit(carry, DATE_OF_SERVER)
        asked = {right: pool.submit(carry, may(right)) for right in NEEDED_RIGHTS}
        allowed = rights({right: run.result() for right, run in asked.items()})
        return (*known.result(), reached, *allowed, clock(date.result()))
