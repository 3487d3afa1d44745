"""Secrets are planted in every stream of a whole run; then every file, every terminal byte and every report is searched."""

from __future__ import annotations

import base64
import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from stubbed import Stubbed
from support import FIXTURES

PASSWORD, KEY, TOKEN = "pl4nted/pass+word=1", "pl4nted-Ap1-k3y&x", "pl4nted-t0ken-77"
VALUES = {"DB_PASSWORD": PASSWORD, "PGPASSWORD": PASSWORD, "POSTGRES_PASSWORD": PASSWORD, "KIS_APP_KEY": KEY,
          "KIS_APP_SECRET": TOKEN + "-s", "KIS_HTS_ID": TOKEN + "-h"}  # fmt: skip


def forms(value: str) -> Iterator[bytes]:
    """Every form in which a value could leave the program."""
    encoded = base64.b64encode(value.encode()).decode()
    for form in (value, encoded, encoded.rstrip("="), quote(value, safe=""), quote(value), json.dumps(value)[1:-1]):
        yield form.encode()
        yield form.encode()[:9] + b"\r\n" + form.encode()[9:]
    yield base64.b64encode(value.encode() + b"\n")


def plant(scenario: Path) -> None:
    """The healthy recording, with secrets in the environment, logs, errors, events, kubectl's own chatter and the ConfigMap."""
    shutil.copytree(FIXTURES / "1.20/healthy", scenario)
    env = scenario / "step6-4-env.out"
    lines = []
    for line in env.read_text("utf-8").splitlines():
        name = line.partition("=")[0]
        lines.append(f"{name}={VALUES[name]}" if name in VALUES else line)
    env.write_text("\n".join(lines) + "\n", "utf-8")

    def add(name: str, text: str) -> None:
        with (scenario / name).open("a", encoding="utf-8", newline="") as file:
            file.write(text)

    token = base64.b64encode(TOKEN.encode() + b"-s").decode()
    add("step0-nodes.err", f'I1122 09:00:00.1 1 loader.go:395] Config loaded from file:  /home/{PASSWORD}/config\n'
                           f'I1122 09:00:00.2 1 round_trippers.go:466] curl -H "Authorization: Bearer {TOKEN}-h" https://x\n')  # fmt: skip
    add("step1-namespace.err", f"I1122 09:00:00.1 1 x.go:1] token: {TOKEN}-h client-key-data: {token}\n")
    add("step6-3-logs-observer.out", f"INFO connecting to postgresql://observer:{quote(PASSWORD, safe='')}@postgres\n"
                                     f'{{"level": "INFO", "config": {json.dumps({"key": KEY})}}}\n'
                                     f"INFO wrapped {KEY[:7]}\r\nINFO {PASSWORD[:5]}\r\n{PASSWORD[5:]} end\n")  # fmt: skip
    add("step6-3-logs-postgres.out", f"2026-11-22 22:57:00.1 UTC [1] LOG:  connection with {PASSWORD}\n")
    add("step7-1-health-in-pod.err", f"warning: {quote(KEY, safe='')} and {base64.b64encode(KEY.encode()).decode()}\n")
    events = (scenario / "step6-2-describe-postgres.out").read_text("utf-8").replace(
        "Events:          <none>",
        "Events:\n  Type    Reason   Age  From     Message\n  ----    ------   ---- ----     -------\n"
        f"  Normal  Created  8s   kubelet  Created container with {PASSWORD}",
    )  # fmt: skip
    (scenario / "step6-2-describe-postgres.out").write_text(events, "utf-8")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stubbed, dict[str, bytes]]:
    """A whole run, and all that came out of it: by name, the terminal's bytes and every file."""
    folder = tmp_path_factory.mktemp("planted")
    plant(folder / "recording")
    stubbed = Stubbed(folder, str(folder / "recording"))
    found: dict[str, bytes] = {}
    for verb in (
        ("all", "--allow-restart"), ("status",), ("report",), ("report", "--output", "json"), ("report", "--lang", "ko"),
        ("report", "--output", "junit"), ("report", "--pack", "pack.tar.gz"), ("diagnose",), ("all", "--output", "json"),
    ):  # fmt: skip
        ended = stubbed.playbook(*verb)
        assert "Traceback" not in ended.stderr
        found[" ".join(verb)] = (ended.stdout + ended.stderr).encode()
    assert b"pending" in found["all --allow-restart"], found["all --allow-restart"].decode()
    with tarfile.open(folder / "pack.tar.gz") as pack:
        found |= {f"pack: {m.name}": pack.extractfile(m).read() for m in pack if m.isfile()}  # type: ignore[union-attr]
    found |= {str(path): path.read_bytes() for path in stubbed.state.rglob("*") if path.is_file()}
    return stubbed, found


@pytest.mark.parametrize("name", sorted(VALUES))
def test_no_planted_value_is_anywhere(name: str, ran: tuple[Stubbed, dict[str, bytes]]) -> None:
    _, found = ran
    assert len(found) > 200
    for form in forms(VALUES[name]):
        assert [where for where, data in found.items() if form in data] == [], form


def test_the_planted_streams_were_recorded_and_names_stay(ran: tuple[Stubbed, dict[str, bytes]]) -> None:
    stubbed, _ = ran
    session = stubbed.session
    assert b"DB_PASSWORD=********" in (session / "step6-4-env.out").read_bytes()
    assert b"Config loaded from file" in (session / "step0-nodes.err").read_bytes()
    assert b"connecting to postgresql://observer:***" in (session / "step6-3-logs-observer.out").read_bytes()
    assert b"Created container with ***" in (session / "step6-2-describe-postgres.out").read_bytes()
    log = (session / "step6-3-logs-observer.out").read_bytes()
    raw = (stubbed.folder / "recording" / "step6-3-logs-observer.out").read_bytes()
    widths = [[len(line) for line in text.splitlines()] for text in (log, raw)]
    assert widths[0] == widths[1], "columns have moved"
