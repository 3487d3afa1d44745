"""`python -m playbook`, also where Python is too old or a library is missing: says which, and how to get it, with exit code 2."""

from __future__ import annotations

import sys
from importlib.util import find_spec

_LIBRARIES = ("sh", "click", "jinja2", "tabulate")


def _require_libraries() -> None:
    """Before anything is run: some are first needed when the guide is already under way, or over."""
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if not missing:
        return
    from .resources import checkout_script  # noqa: PLC0415 - Python is new enough for it, which `main` below has seen
    from .text import language_from, msg, use_language  # noqa: PLC0415

    use_language(language_from())
    names = " ".join(missing)
    script = checkout_script()
    if script:
        advice = msg("in a checkout: {command}", command=" ".join((script, *sys.argv[1:])))
    else:
        advice = msg("in a virtual environment: {command}", command=f"python3 -m pip install {names}")
    sys.stderr.write(f"playbook: {msg('missing in this Python: {names}', names=names)}\n  {advice}\n")
    sys.exit(2)


if __name__ == "__main__":
    if sys.version_info < (3, 10):  # noqa: UP036 - a checkout is started by any Python
        sys.exit("playbook: Python 3.10 or newer is needed; this is " + sys.version.split()[0])
    _require_libraries()
    from .cli import main  # after the libraries are known to be there

    main()
