"""ssh-keygen, which makes and checks the signatures of a sign-off. It needs no network."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import NamedTemporaryFile

from ..errors import MissingTool, UsageError
from ..text import msg
from .environment import install

_PROGRAM = "ssh-keygen"


def sign(statement: bytes, key: Path, namespace: str) -> bytes:
    """The SSH signature of `statement` by `key`: a private key's file, or the public one's of a key that ssh-agent holds.

    ssh-keygen itself asks for a passphrase, at the terminal. Raises MissingTool, and UsageError when it does not sign.
    """
    if shutil.which(_PROGRAM) is None:
        raise MissingTool(
            msg("not installed, or not on PATH: {tools}", tools=_PROGRAM),
            msg("install it: {command}", command=install("openssh-client", dnf="openssh-clients")),
        )
    if not key.is_file():
        raise UsageError(
            msg("there is no key {file}", file=str(key)),
            msg("make one: {command}", command="ssh-keygen -t ed25519 -f ~/.ssh/id_ed25519"),
        )
    command = [_PROGRAM, "-Y", "sign", "-n", namespace, "-f", str(key)]
    done = subprocess.run(command, input=statement, stdout=subprocess.PIPE, env=_environment(), check=False)
    if done.returncode or not done.stdout:
        raise UsageError(
            msg("ssh-keygen did not sign with {file}: exit status {status}", file=str(key), status=done.returncode),
            msg("its own words are above; OpenSSH 8.1 or newer is needed (`ssh -V`)"),
        )
    return done.stdout


def check(arguments: list[str], statement: bytes, signature: bytes) -> tuple[int, str]:
    """Run one of ssh-keygen's checks of `signature`: its exit status and standard output. Raises OSError without it.

    Times in the file of signers are read as UTC, so that two people in two time zones get one answer.
    """
    with NamedTemporaryFile() as file:
        file.write(signature)
        file.flush()
        command = [_PROGRAM, *arguments, "-s", file.name]
        done = subprocess.run(command, input=statement, capture_output=True, env=_environment(), check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def _environment() -> dict[str, str]:
    return {**os.environ, "TZ": "UTC", "LC_ALL": "C"}
