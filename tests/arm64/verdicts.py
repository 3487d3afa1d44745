"""Print the verdicts of a JSON document of `all`: of the whole, of each step, of each finding; a line each.

    python tests/arm64/verdicts.py DOCUMENT

Two runs on the same recording agree when these lines do. Times, names of sessions and texts are left out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def verdicts(document: dict) -> list[str]:
    """The lines, in the document's order."""
    lines = [f"{document['verdict']} {document['exit_code']}"]
    for step in document["steps"]:
        lines.append(f"Step {step['id']} {step['verdict']}")
        lines += [f"Step {found['step']} {found['code']} {found['verdict']}" for found in step["findings"]]
    return lines


if __name__ == "__main__":
    print(*verdicts(json.loads(Path(sys.argv[1]).read_text("utf-8"))), sep="\n")
