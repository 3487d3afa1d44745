"""What the cluster tests speak to: the program, kubectl, the faults, and what is left of a run afterwards."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from playbook.guide.catalog import changes_cluster

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "observer-prod"
MARK = "PLAYBOOK_TEST_MARK"
"""In the environment of every process of one run, so that what is left of it can be found."""

LET_GO_S = 10.0
"""How long after the end of its grace a pod may stay that is not ready any more."""

DEAD_S = 1.0
"""The same for a pod whose containers have ended, while a script is at work that counts on its going within seconds."""

_PLANNED = re.compile(
    r"^  \d\S*  (?P<id>step\S+)  (?P<fate>is run with permission only|is run|is not run)(?::|$)", re.M
)
_SECRET = re.compile(r"PASSWORD|SECRET|KEY|TOKEN|^KIS_HTS_ID$")


@dataclass(frozen=True)
class Played:
    """One run of the program that has ended."""

    code: int
    out: str
    err: str
    mark: str

    @property
    def text(self) -> str:
        """All that a terminal would have shown."""
        return self.out + self.err


class Cluster:
    """The cluster that KUBECONFIG names; `enter` runs a command where it can be reached."""

    def __init__(self, enter: Path | None = None) -> None:
        self._enter = [str(enter)] if enter else []

    def command(self, *command: str, env: Mapping[str, str] = {}) -> list[str]:
        """A command line that runs `command` where the cluster can be reached, with `env` added there."""
        given = ["env", *(f"{name}={value}" for name, value in env.items())] if env else []
        return [*self._enter, *given, *command]

    def kubectl(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run kubectl with the tests' own rights."""
        done = subprocess.run(
            self.command("kubectl", *arguments),
            check=False, capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        """The objects of a `kubectl get`."""
        found = json.loads(self.kubectl("get", *arguments, "-n", NAMESPACE, "-o", "json").stdout)
        return list(found["items"]) if "items" in found else [found]

    def create(self, saved: Mapping[str, Any]) -> None:
        """Create an object."""
        subprocess.run(
            self.command("kubectl", "create", "-f", "-"),
            input=json.dumps(saved), text=True, check=True, capture_output=True, timeout=60,
        )  # fmt: skip

    def pods(self) -> tuple[str, ...]:
        """The names of the pods of the namespace, Terminating ones too."""
        return tuple(pod["metadata"]["name"] for pod in self.items("pods"))

    def ready(self) -> dict[str, bool]:
        """Each pod of the namespace, and whether all its containers are ready."""
        return {
            pod["metadata"]["name"]: all(
                each["ready"] for each in pod["status"].get("containerStatuses", [{"ready": False}])
            )
            for pod in self.items("pods")
        }

    def is_up(self) -> bool:
        """Whether two observer pods and postgres-0 are ready, and no other pod is there."""
        try:
            ready = self.ready()
        except (AssertionError, ValueError):
            return False
        return len(ready) == 3 and "postgres-0" in ready and all(ready.values())

    def clear_tmp_curl(self) -> None:
        """Delete the pod tmp-curl that 7-2 may have left, and wait until it is gone: a second try would meet it."""
        if "tmp-curl" in self.pods():
            self.kubectl("delete", "pod", "tmp-curl", "-n", NAMESPACE, "--force", "--grace-period=0", check=False)
            assert until(lambda: "tmp-curl" not in self.pods(), 60, 0.5), "the pod tmp-curl does not go away"

    def secret_values(self) -> dict[str, str]:
        """What must be seen nowhere: the Secret's values, by the names that stand for a secret."""
        data = self.items("secret", "observer-secrets")[0]["data"]
        return {name: base64.b64decode(value).decode() for name, value in data.items() if _SECRET.search(name)}

    def forget_events(self) -> None:
        """Delete the namespace's events: a restart of an earlier test leaves Warnings that Step 6-2 rightly shows."""
        self.kubectl("delete", "events", "--all", "-n", NAMESPACE)

    def environment(self, name: str) -> str:
        """A variable of the environment in which commands are run."""
        seen = subprocess.run(
            self.command("printenv", name), check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        return seen.stdout.strip()

    def start(self, state: Path, *arguments: str, env: Mapping[str, str] = {}) -> tuple[subprocess.Popen[str], str]:
        """The program, begun, and its mark."""
        mark = uuid.uuid4().hex
        given = {MARK: mark, "LC_ALL": "C.UTF-8", "PLAYBOOK_STATE_DIR": str(state), **env}
        state.parent.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(
            self.command(sys.executable, "-m", "playbook", *arguments, env=given),
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        return process, mark

    def play(self, state: Path, *arguments: str, env: Mapping[str, str] = {}, limit_s: float = 590) -> Played:
        """The program, from beginning to end."""
        process, mark = self.start(state, *arguments, env=env)
        out, err = process.communicate(timeout=limit_s)
        return Played(process.returncode, out, err, mark)

    def python(self, state: Path, code: str) -> str:
        """What `code` prints where the cluster can be reached; `state` is where the program would keep something."""
        done = subprocess.run(
            self.command(sys.executable, "-c", code, env={"PLAYBOOK_STATE_DIR": str(state), "LC_ALL": "C.UTF-8"}),
            check=False, capture_output=True, cwd=ROOT, stdin=subprocess.DEVNULL, text=True, timeout=300,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def planned(self, state: Path, *options: str, permitted: bool) -> list[str]:
        """The commands of the guide that `all --plan` says would change the cluster, in its order."""
        shown = self.play(state, "all", "--plan", *options)
        assert shown.code == 0, shown.text
        fates = ("is run", "is run with permission only")[: 1 + permitted]
        return [row["id"] for row in map(re.Match.groupdict, _PLANNED.finditer(shown.out)) if row["fate"] in fates]

    def document(self, state: Path) -> dict[str, Any]:
        """The session in `state` for machines."""
        shown = self.play(state, "report", "--output", "json")
        assert shown.err == ""
        return dict(json.loads(shown.out))


def faults_folder() -> Path | None:
    """The folder that PLAYBOOK_FAULTS names, if it names one."""
    named = os.environ.get("PLAYBOOK_FAULTS")
    return Path(named).resolve() if named else None


def reached() -> Cluster:
    """The cluster that the environment names: entered with the executable `in` of the faults' folder where there is one."""
    folder = faults_folder()
    return Cluster(folder / "in" if folder and (folder / "in").is_file() else None)


def restart_allowed() -> bool:
    """Whether the environment lets Step 8 delete the pods."""
    return bool(faults_folder()) or os.environ.get("PLAYBOOK_CLUSTER_RESTART") in ("1", "yes", "true")


class Faults:
    """Puts faults in, and heals. Knows whether there is anything to heal."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self._folder = folder
        self._cluster = cluster
        self._dirty = True  # nobody knows what was there before

    def names(self) -> tuple[str, ...]:
        """Every fault there is."""
        return tuple(self._script("break").stdout.split())

    def put_in(self, name: str) -> None:
        """Break it. Tried twice: what waits for pods may meet one that a slow kubelet has not let go yet."""
        for last in (False, True):
            self._dirty = True
            with swept(self._cluster, DEAD_S):
                done = self._script("break", name)
            if done.returncode == 0:
                return
            assert not last, done.stderr
            self.heal()

    def heal(self) -> None:
        """Back to the healthy state; nothing is done when it is."""
        if self._dirty:
            with swept(self._cluster, DEAD_S):
                done = self._script("heal")
            assert done.returncode == 0, done.stderr
            assert until(self._cluster.is_up, 120, 1), "the pods did not come up after heal"
            self._dirty = False

    @contextmanager
    def undone(self, objects: Sequence[str]) -> Iterator[None]:
        """Put `objects` (`NAMESPACE/KIND/NAME`) back afterwards as they were, for faults that touch nothing else."""
        kept = [
            (namespace, name, self._saved(namespace, name))
            for namespace, _, name in (o.partition("/") for o in objects)
        ]
        yield
        for namespace, name, saved in kept:
            if name.startswith(("deployment/", "statefulset/")):
                self._cluster.kubectl("scale", name, f"--replicas={saved['spec']['replicas']}", "-n", namespace)
                self._cluster.kubectl("rollout", "status", name, "-n", namespace, "--timeout=120s")
            else:
                self._cluster.kubectl("delete", name, "-n", namespace, "--ignore-not-found")
                self._cluster.create(saved)
        if objects:
            with swept(self._cluster, DEAD_S):
                assert until(self._cluster.is_up, 120, 1), "the pods did not come up again"
            self._cluster.forget_events()
            self._dirty = False

    def _saved(self, namespace: str, name: str) -> dict[str, Any]:
        saved = dict(json.loads(self._cluster.kubectl("get", name, "-n", namespace, "-o", "json").stdout))
        for field in ("resourceVersion", "uid", "creationTimestamp", "managedFields"):
            saved["metadata"].pop(field, None)
        return saved

    def _script(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self._folder / name), *arguments],
            check=False, capture_output=True, text=True, timeout=400, stdin=subprocess.DEVNULL,
        )  # fmt: skip


@contextmanager
def swept(cluster: Cluster, dead_s: float = LET_GO_S) -> Iterator[None]:
    """Meanwhile, pods whose grace is over and that are not ready any more are let go: once their containers have ended after
    `dead_s`, else after `LET_GO_S`.

    A kubelet as old as 1.20 keeps such a pod for up to a minute until it collects the dead container.
    """
    over = threading.Event()

    def sweep() -> None:
        while not over.wait(2):
            try:
                for pod in cluster.items("pods"):
                    containers = pod["status"].get("containerStatuses", [])
                    dead = all("terminated" in each["state"] for each in containers)
                    overdue_s = _seconds_since(pod["metadata"].get("deletionTimestamp"))
                    if not any(each["ready"] for each in containers) and overdue_s > (dead_s if dead else LET_GO_S):
                        cluster.kubectl(
                            "delete", "pod", pod["metadata"]["name"], "-n", NAMESPACE,
                            "--force", "--grace-period=0", "--wait=false", check=False,
                        )  # fmt: skip
            except (AssertionError, ValueError, KeyError):
                continue  # the cluster is down at this moment

    thread = threading.Thread(target=sweep, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(60)


def _seconds_since(moment: str | None) -> float:
    """How long ago a moment of the API was; negative for one to come, or for none."""
    if not moment:
        return -1.0
    then = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    return (datetime.now(timezone.utc) - then).total_seconds()


def kubectls() -> list[Path]:
    """Every kubectl to try: the one on PATH, those of other versions beside it, and those of PLAYBOOK_KUBECTLS."""
    default = shutil.which("kubectl")
    found = [Path(default)] if default else []
    if default:
        found += sorted(Path(default).resolve().parent.glob("kubectl.1.*"))
    found += [Path(name) for name in os.environ.get("PLAYBOOK_KUBECTLS", "").split(":") if name]
    return [path for path in found if os.access(path, os.X_OK)]


def first_in_path(program: Path, folder: Path) -> dict[str, str]:
    """An environment in which `program` is kubectl. A wrapper, because some programs look at their own name."""
    folder.mkdir(parents=True, exist_ok=True)
    wrapper = folder / "kubectl"
    wrapper.write_text(f'#!/bin/sh\nexec "{program.absolute()}" "$@"\n')
    wrapper.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def journal(state: Path) -> list[dict[str, Any]]:
    """The events of the only session in `state`, whole lines only; none before it has begun."""
    events: list[dict[str, Any]] = []
    for path in state.glob("sessions/*/journal.jsonl"):
        for line in path.read_bytes().split(b"\n")[:-1]:
            events.append(json.loads(line))
    return events


def changed(state: Path) -> list[str]:
    """The commands of the guide that changed the cluster, by the journal of the only session in `state`: each once."""
    begun = [event["command"] for event in journal(state) if event["event"] == "begin"]
    return list(dict.fromkeys(command for command in begun if changes_cluster(command)))


def processes(mark: str) -> list[str]:
    """The command lines of the living processes that carry a mark."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if f"{MARK}={mark}".encode() in (entry / "environ").read_bytes():
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip())
            except OSError:
                continue  # it has ended meanwhile
    return found


def until(condition: Callable[[], bool], limit_s: float, every_s: float = 0.02) -> bool:
    """Wait for `condition`; False when it did not come true in time."""
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(every_s)
    return True


def verdicts(document: Mapping[str, Any]) -> dict[str, str]:
    """The verdict of each step."""
    return {step["id"]: step["verdict"] for step in document["steps"]}
