"""The sign-off: one role's statement about a pack, signed with an SSH key and added to it.

The statement names the evidence digest, the digests of the reports and of the waivers, role, decision, name, reason, moment
and verdict. The members that were there keep their bytes: the signatures of both roles stand beside the same evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ..clock import utc_text
from ..errors import UsageError
from ..model import Overall, Session
from ..runtime import ssh_keygen
from ..text import msg
from . import verifier
from .archive import refusing
from .pack import Pack


@dataclass(frozen=True, slots=True)
class Statement:
    """What one person says of a pack."""

    role: str  # operator or reviewer
    decision: str  # accept or reject
    name: str
    reason: str
    at: datetime


def require_sensible(statement: Statement, session: Session, pack: Pack) -> None:
    """Raises UsageError for a role that has signed already, and for a decision that needs a reason and has none."""
    if f"{verifier.SIGNATURES}{statement.role}.json" in pack.members:
        raise UsageError(
            msg("{role} has signed this pack already", role=statement.role),
            msg("make the pack again to sign it anew: `{program} report --pack FILE`"),
        )
    if not statement.name:
        raise UsageError(msg("a sign-off needs a name"), msg("give one: --name NAME"))
    if not statement.reason and (statement.decision == "reject" or session.overall is not Overall.COMPLETE):
        raise UsageError(
            msg("a rejection, and the acceptance of what is not complete, need a reason"),
            msg('give one: --reason "TEXT"'),
        )


def signed(pack: Pack, session: Session, statement: Statement, key: Path) -> Pack:
    """The pack with the signature of one role added.

    Raises UsageError when it cannot be signed so, MissingTool without ssh-keygen, PackRefused when both roles would have the
    same key.
    """
    require_sensible(statement, session, pack)
    with refusing():
        events = verifier.check_journal(dict(pack.members))
        said = verifier.canonical(
            {
                **verifier.covered(pack.session, dict(pack.members), events),
                "role": statement.role,
                "decision": statement.decision,
                "name": statement.name,
                "reason": statement.reason,
                "signed_at": utc_text(statement.at),
                "verdict": session.overall.value,
            }
        )
        signature = ssh_keygen.sign(said, key, verifier.NAMESPACE)
        place = f"{verifier.SIGNATURES}{statement.role}"
        both = replace(pack, members={**pack.members, f"{place}.json": said, f"{place}.sig": signature})
        verifier.check_signatures(both.session, dict(both.members), events, ssh_keygen.check)
    return both
