"""A cluster in memory, for the engine: the healthy recording's answers, with pods that are deleted and made again.

It outlives the program that uses it, as a real one does: a test lets the program die, and starts another on the same cluster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from playbook.model import NOT_STARTED, Command, Ended, Run
from playbook.runtime.replay import ReplayRunner

FIXTURES = Path(__file__).parent / "fixtures"
DESCRIBED = """Name:             {name}
Controlled By:  {owner}
Containers:
  c:
    Mounts:
      {path} from data (rw)
Volumes:
  data:
    Type:       PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)
    ClaimName:  {claim}
Events:          <none>
"""


class FakeCluster:
    """A runner (`playbook.runtime.live.Runner`) and the cluster behind it."""

    def __init__(self, scenario: str = "1.20/healthy") -> None:
        self.recording = ReplayRunner(FIXTURES / scenario)
        self.observers = ["observer-7cd9cf784-89kbs", "observer-7cd9cf784-qwkhz"]
        self.started = dict.fromkeys([*self.observers, "postgres-0"], "2026-11-22T22:56:00Z")
        self.restarts = dict.fromkeys(self.started, 0)
        self.generation = 0
        self.tmp_curl = False
        self.deletes: Counter[str] = Counter()
        self.calls: list[str] = []
        self.down = False
        self.answers: dict[str, Callable[[Run], Run]] = {}
        self.clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc)

    # the runner

    def revive(self) -> FakeCluster:
        """Another program begins to use it."""
        self.down = False
        return self

    def run(self, command: Command, env: Mapping[str, str] = {}, until: Callable[[], bool] | None = None) -> Run:
        """Answer one command."""
        if self.down:
            return self._run(command.key, "", None, Ended.INTERRUPTED, NOT_STARTED)
        self.calls.append(command.key)
        run = self._answer(command)
        return self.answers.get(command.id, lambda same: same)(run)

    def port_forward(self, forward: Command, curl: Command, stop: Command) -> tuple[Run, Run, Run]:
        """Step 7-3."""
        if self.down:
            keys = (forward.key, curl.key, stop.key)
            return tuple(self._run(key, "", None, Ended.INTERRUPTED, NOT_STARTED) for key in keys)  # type: ignore[return-value]
        self.calls += [forward.key, curl.key, stop.key]
        return (
            self._run(forward.key, "Forwarding from 127.0.0.1:8000 -> 8000\nHandling connection for 8000\n", -15),
            self._run(curl.key, '{"status": "ok", "uptime": 1}'),
            self._run(stop.key, ""),
        )

    def cleanup(self, command: Command) -> Run:
        """The removal of tmp-curl."""
        self.calls.append(command.key)
        self.tmp_curl = False
        return self._run(command.key, 'pod "tmp-curl" deleted\n')

    def end_all(self) -> None:
        """Nothing more is started."""
        self.down = True

    # the cluster

    def _answer(self, command: Command) -> Run:
        key = command.id
        if key == "step7-2-health-via-service":
            self.tmp_curl = True
            return self._run(key, '{"status": "ok", "uptime": 1}', 0)  # killed before it says that it deleted its pod
        if command.key == "logs.tmp-curl":
            text = '{"status": "ok"}' if self.tmp_curl else ""
            return self._run(command.key, text)
        if key == "step8-2-delete-observer":
            self.deletes[key] += 1
            gone, self.observers = self.observers, self._new()
            return self._run(key, "".join(f'pod "{name}" deleted\n' for name in gone))
        if key == "step8-4-delete-postgres":
            self.deletes[key] += 1
            self.generation += 1
            self._start("postgres-0")
            return self._run(key, 'pod "postgres-0" deleted\n')
        if key == "step8-2-wait-observer":
            return self._run(key, "".join(f"pod/{name} condition met\n" for name in self.observers))
        if key == "step9-1-pod-restarts":
            return self._run(key, self._table("STATUS", "RESTARTS", "STARTED", rows=[
                (name, "Running", str(self.restarts[name]), self.started[name]) for name in self._names()]))  # fmt: skip
        if key == "step6-1-pods":
            return self._run(key, self._table("READY", "STATUS", "RESTARTS", "AGE", rows=[
                (name, "1/1", "Running", str(self.restarts[name]), "5m") for name in self._names()]))  # fmt: skip
        if key == "describe-pod":
            postgres = command.target == "postgres-0"
            return self._run(command.key, DESCRIBED.format(
                name=command.target, owner="StatefulSet/postgres" if postgres else "ReplicaSet/observer-7cd9cf784",
                path="/var/lib/postgresql/data" if postgres else "/opt/platform/runtime/observer/data",
                claim="observer-db-pvc" if postgres else "observer-data-pvc"))  # fmt: skip
        if key.startswith("admit-"):
            return self._run(key, "pod/playbook-dry-run\n")
        if key == "secret-values":
            return self._run(key, '{"apiVersion": "v1", "items": []}')
        if key.startswith("version-"):
            return self._run(key, "Client Version: v1.32.4\n")
        return replace(self.recording.read(command.key, 1), ordinal=0, started_at=self.clock(), duration_s=0.01)

    def _names(self) -> list[str]:
        return [*self.observers, "postgres-0"]

    def _new(self) -> list[str]:
        self.generation += 1
        tens, ones = divmod(self.generation, 10)
        number = "bcdfghjklm"[tens] + "bcdfghjklm"[ones]  # random names hold no vowels, and few digits
        names = [f"observer-7cd9cf784-{number}{tail}" for tail in ("xxx", "zzz")]
        for name in names:
            self._start(name)
        return names

    def _start(self, name: str) -> None:
        self.started[name] = f"2026-11-22T23:{self.generation:02d}:00Z"
        self.restarts[name] = 0

    def _table(self, *headers: str, rows: list[tuple[str, ...]]) -> str:
        cells = [("NAME", *headers), *rows]
        widths = [max(len(row[i]) for row in cells) + 3 for i in range(len(cells[0]))]
        return "".join(
            "".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() + "\n" for row in cells
        )

    def _run(self, key: str, out: str, code: int | None = 0, ended: Ended = Ended.EXITED, note: str = "") -> Run:
        return Run(key, 0, out.encode(), b"", code, ended, self.clock(), 0.01, note)
