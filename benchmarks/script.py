"""The plain bash script that the program is compared with.

It holds the guide's commands byte for byte, in the guide's order. Around them stands only what a careful operator does
besides typing them: wait until the forward of 7-3 listens, and try again what a pod that has just been replaced refuses.
"""

from __future__ import annotations

from enum import Enum

from playbook.guide.catalog import EMERGENCY, GUIDE_ORDER, Catalog, step_of


class Scope(Enum):
    """Which part of the guide is compared."""

    STEPS = "steps"
    STEP7 = "step7"
    WHOLE = "whole"

    @property
    def steps(self) -> str:
        """The numbers of its steps, one digit each."""
        return {Scope.STEPS: "0123456", Scope.STEP7: "7", Scope.WHOLE: "0123456789"}[self]

    @property
    def title(self) -> str:
        """What the reader calls it."""
        return {Scope.STEPS: "Steps 0 to 6", Scope.STEP7: "Step 7", Scope.WHOLE: "the whole guide with restarts"}[self]


_HEAD = r"""# The argument is a folder for the times of 7-2 and the output of the forward.
FOLDER=$1
: "${POSTGRES_USER:=observer}" "${POSTGRES_DB:=observer}"
stop() { echo "stopped: exit status $1 in line $2" >&2; exit 1; }
trap 'stop $? $LINENO' ERR
trap 'kill $(jobs -p) 2>/dev/null || :' EXIT
"""
"""The script stops at the first command that fails: no pod is deleted after a count that could not be read."""

_COMMAND = "COMMAND\n"
"""Where the guide's bytes go in what stands around them."""

_TIMED = r"""began=$EPOCHREALTIME
if
COMMAND
then :; fi
echo "$began $EPOCHREALTIME" >"$FOLDER/seven-two"
"""
"""7-2 often ends with 1 although the service is healthy, so its exit status decides nothing."""

_LISTENING = r"""mkfifo "$FOLDER/forward"
exec 3<>"$FOLDER/forward" 4>&1 >&3
COMMAND
exec >&4
while read -r -t 30 -u 3 line; do [[ $line != 'Forwarding from'* ]] || break; done
[[ $line == 'Forwarding from'* ]] || stop 1 $LINENO
"""

_RETRIED = r"""limit=$((SECONDS + 60))
until
COMMAND
do ((SECONDS < limit)) || stop 1 $LINENO; sleep 1; done
"""

_AROUND = {
    "step7-2-health-via-service": _TIMED,
    "step7-3-port-forward": _LISTENING,
    "step8-2-wait-observer": _RETRIED,
    "step8-4-wait-postgres": _RETRIED,
    "step8-4-count-tables-after": _RETRIED,
}
"""The commands that have something around them."""


def commands_of(scope: Scope, jq: bool) -> tuple[str, ...]:
    """The ids of the commands that both sides carry out, in the guide's order.

    `jq`: whether jq is there, which decides the variant of Step 3-4, as the program does. The summary belongs to Step 3,
    which is judged by it; the guide has it last.

    >>> commands_of(Scope.STEP7, jq=True)[:2], commands_of(Scope.WHOLE, jq=True)[-1]
    (('step7-1-health-in-pod', 'step7-2-health-via-service'), 'summary')
    """
    left_out = {EMERGENCY, "step3-4-secret-keys" if jq else "step3-4-secret-keys-jq"}
    steps = {*scope.steps}
    return tuple(
        id
        for id in GUIDE_ORDER
        if id not in left_out and (step_of(id)[:1] in steps or (id == "summary" and "3" in steps))
    )


def script(catalog: Catalog, scope: Scope, jq: bool) -> str:
    """The script as text; it takes a scratch folder as its argument and exits 0 when every command did, 7-2 aside.

    It leaves in that folder `seven-two`, the two moments (seconds since 1970) between which 7-2 ran. Raises
    TamperedCommand when a file does not match its digest.
    """
    parts = (_AROUND.get(id, _COMMAND).replace(_COMMAND, catalog.command(id).text) for id in commands_of(scope, jq))
    return _HEAD + "".join(parts)
