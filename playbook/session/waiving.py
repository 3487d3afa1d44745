"""Accepting a finding as it is: which may be waived, and the waiver itself."""

from __future__ import annotations

from ..errors import UsageError
from ..guide.codes import NOT_REACHED, family
from ..guide.criteria import met
from ..model import Finding, Session, Verdict
from ..text import msg
from .store import SessionStore, state_directory


def waive(code: str, by: str, reason: str, *, state_dir: str | None = None, session: str | None = None) -> Finding:
    """Accept the finding `code` of the current session, or of the one named, as it is; returns the finding.

    Raises UsageError when there is no such finding, when it may not be waived, and without a name or a reason.
    """
    by, reason = (text.encode("utf-8", "backslashreplace").decode().strip() for text in (by, reason))
    if not by or not reason:
        raise UsageError(msg("a waiver needs a name and a reason"), msg('give both: --by NAME --reason "TEXT"'))
    with SessionStore(state_directory(state_dir)) as store:
        opened, _ = store.open(session or store.require_current())
        try:
            known = opened.state
            allowed = {each.code: each for each in waivable(known)}
            if code not in allowed:
                there = any(each.code == code for result in known.results for each in result.findings)
                raise UsageError(
                    msg("{code} cannot be waived", code=code)
                    if there
                    else msg("there is no finding {code}", code=code),
                    msg("these can be waived: {codes}", codes=", ".join(allowed) or "-"),
                )
            opened.waive(allowed[code], by, reason)
            return allowed[code]
        finally:
            opened.close()


def waivable(session: Session) -> tuple[Finding, ...]:
    """The findings that count and that a waiver may accept.

    A pass need not be accepted and an abort criterion may not be, nor a step that was not reached because of one. A code
    that stands for several findings is left out: a waiver is for one.
    """
    allowed = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.SKIPPED, Verdict.NOT_RUN)
    findings = [finding for result in session.results for finding in result.findings]
    codes = [finding.code for finding in findings]
    return tuple(
        finding
        for finding in findings
        if finding.verdict in allowed
        and not met((finding,))
        and not (session.abort and family(finding.code) == NOT_REACHED)
        and codes.count(finding.code) == 1
    )
