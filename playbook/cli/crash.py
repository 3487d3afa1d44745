"""What nobody foresaw: one sentence, and a masked file to hand in. A verdict's exit status is never taken for it."""

from __future__ import annotations

import errno
import os
import platform
import sys
import threading
import traceback
from collections.abc import Iterable
from datetime import datetime, timezone
from itertools import pairwise

from ..errors import Exit
from ..session.redact.redactor import Redactor
from ..session.store import state_directory
from ..text import Message, msg
from ..version import __version__
from .streams import notify

_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)
_NOT_WRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)


def unforeseen(error: BaseException) -> int:
    """Tell of an error that no module handled, and return the exit status: 2 or 3 where the machine is at fault, else 70."""
    if _is_exhausted(error):
        notify(
            f"playbook: {msg('the machine has no memory, file descriptors or processes left: {reason}', reason=_reason(error))}",
            f"  {msg('nothing recorded is lost: raise the limit (`ulimit -a` shows them), then the same command goes on')}",
        )
        return int(Exit.USAGE)
    if isinstance(error, OSError) and error.errno in _NOT_WRITTEN:
        file = str(error.filename or msg("the output"))
        if not error.filename:  # what its buffer holds would fail again at the end of the program
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        notify(f"playbook: {msg('cannot write {file}: {reason}', file=file, reason=_reason(error))}")
        return int(Exit.INCOMPLETE)
    if isinstance(error, OSError) and error.filename:
        notify(
            f"playbook: {msg('cannot use {file}: {reason}', file=_text(error.filename), reason=_reason(error))}",
            f"  {msg('see who owns it and what may be done with it: `ls -ld {file}`', file=_text(error.filename))}",
        )
        return int(Exit.USAGE)
    notify(
        f"playbook: {msg('something that nobody foresaw: {error}', error=type(error).__name__)}", f"  {_kept(error)}"
    )
    return int(Exit.UNFORESEEN)


def watch_threads() -> None:
    """What nobody foresaw in a thread is told in the same way; the program goes on without that thread."""

    def told(what: threading.ExceptHookArgs) -> None:
        if what.exc_value is not None and what.exc_type is not SystemExit:
            unforeseen(what.exc_value)

    threading.excepthook = told


def report_of(error: BaseException) -> str:
    """What the crash file holds: versions, and the traceback without values of variables, masked as a recording is.

    Of the message only what the patterns of secrets leave; of the command line only the verb.
    """
    lines = traceback.TracebackException.from_exception(error, capture_locals=False).format()
    verb = next((word for word in sys.argv[1:] if word.isalpha()), "-")
    head = f"playbook {__version__}, Python {platform.python_version()}, {platform.platform()}, verb {verb}\n\n"
    return Redactor().mask_text(head + "".join(lines))


def _kept(error: BaseException) -> Message:
    at = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    try:
        folder = state_directory(_chosen(sys.argv))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"crash-{at}-{os.getpid()}.txt"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(report_of(error).encode("utf-8", "backslashreplace"))
    except Exception as trouble:  # whatever it is: the first error is what has to be told
        return msg("no crash file could be written: {reason}", reason=_reason(trouble))
    return msg("nothing recorded is lost; hand in {file}: secrets in it are masked, read it first", file=str(path))


def _chosen(words: Iterable[str]) -> str | None:
    """The state folder that the command line names."""
    words = list(words)
    found = [value for name, value in pairwise(words) if name == "--state-dir"]
    found += [word.partition("=")[2] for word in words if word.startswith("--state-dir=")]
    return found[-1] if found else None


def _is_exhausted(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _EXHAUSTED
    unloaded = isinstance(error, ImportError) and ("failed to map" in str(error) or "allocate memory" in str(error))
    unstarted = isinstance(error, RuntimeError) and "new thread" in str(error)
    return isinstance(error, MemoryError) or unloaded or unstarted


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) if str(error) else type(error).__name__


def _text(name: object) -> str:
    return os.fsdecode(name) if isinstance(name, (str, bytes)) else str(name)
