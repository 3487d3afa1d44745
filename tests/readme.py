"""The examples of the README, as code to be run."""

from __future__ import annotations

import re

from support import ROOT

README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """The README's blocks in a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def on_the_cluster() -> str:
    """The first example with the lines that the README gives for a cluster in the place of those for a recording."""
    code, replaced = re.subn(r"# on a cluster: (.*)\n.*\n", r"\1\n", blocks("python")[0])
    assert replaced == 2 and "recorded_run" not in code
    return code
