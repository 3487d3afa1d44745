"""Make the fixtures from recordings of a cluster: the same folders with every secret value masked.

    python tests/make_fixtures.py RECORDINGS tests/fixtures/1.34

Each folder of RECORDINGS that has a runs.json becomes one of the same name. What is a secret is learned from the output
of Step 6-4 in `healthy` and in the folder itself. Where RECORDINGS has no `healthy-24h`, it is made of `healthy`.
"""

from __future__ import annotations

import json
import shutil
import sys
from datetime import datetime, timedelta
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playbook.guide.ids import ENV
from playbook.session.redact.redactor import Redactor

DAY_LATER = timedelta(hours=24, minutes=5)
SAMPLE = ("step9-1-pod-restarts", "step9-3-recent-files")
NODE = "oracle-obs-arm"
RENAMED = {f"describe-node.{ending}": f"describe-node.{NODE}.{ending}" for ending in ("out", "err")}
"""What the recordings call by the command alone although it was filled with a name."""


def convert(recording: Path, fixture: Path, healthy: Path) -> int:
    """Write `recording` masked into the new folder `fixture`; gives back how many files needed a mask."""
    redactor = Redactor()
    env = f"{ENV}.out"
    for folder in (healthy, recording):
        for output in (folder / env, *sorted(folder.glob(f"{ENV}.[0-9]*.out"))):
            if output.is_file():
                redactor.learn_from_env(output.read_bytes())
    changed = 0
    for source in sorted(path for path in recording.rglob("*") if path.is_file()):
        target = fixture / source.relative_to(recording).parent / RENAMED.get(source.name, source.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        content = source.read_bytes()
        is_env = source.name.startswith(ENV + ".") and source.suffix == ".out"
        masked = redactor.mask_env(content) if is_env else redactor.mask_bytes(content)
        changed += masked != content
        target.write_bytes(masked)
    return changed


def day_later(healthy: Path, fixture: Path) -> None:
    """Write `healthy` into the new folder `fixture` with a second sample of Step 9: the first one's, a day later."""
    shutil.copytree(healthy, fixture)
    runs = json.loads((fixture / "runs.json").read_bytes())
    for first in [run for run in runs if run["id"] in SAMPLE]:
        began = datetime.strptime(first["started_at"], "%Y-%m-%dT%H:%M:%S%z") + DAY_LATER
        runs.append({**first, "started_at": began.strftime("%Y-%m-%dT%H:%M:%S%z")})
        for ending in ("out", "err"):
            shutil.copyfile(fixture / f"{first['id']}.{ending}", fixture / f"{first['id']}.2.{ending}")
    (fixture / "runs.json").write_text(json.dumps(runs, indent=1) + "\n", "utf-8")


def main(recordings: Path, fixtures: Path) -> None:
    """Make a fixture of every recording, and `healthy-24h`."""
    for runs in sorted(recordings.glob("*/runs.json")):
        folder = runs.parent
        print(f"{folder.name}: {convert(folder, fixtures / folder.name, recordings / 'healthy')} files masked")
    if not (recordings / "healthy-24h").is_dir():
        day_later(fixtures / "healthy", fixtures / "healthy-24h")
        print("healthy-24h: made of healthy")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
