"""Values of eight kinds are planted in every form and in every stream, and looked for in all that comes out of a session.

In memory, by the library: a whole attempt on a cluster that prints them, the session's folder, its pack, every report.
"""

from __future__ import annotations

import base64
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import pytest
from fake_cluster import FakeCluster
from starts import go_on

from playbook import api
from playbook.guide import ids
from playbook.guide.catalog import load
from playbook.model import Run, Session
from playbook.output import terminal
from playbook.output.pack import pack
from playbook.output.verify_pack import verify
from playbook.session.redact.freetext import is_free
from playbook.session.store import SessionStore

PEM = "\n".join(["-----BEGIN PRIVATE KEY-----", "MIIEvgIBADpl4ntedANBgkqhkiG9w0BAQEF", "AASCBKcwggSjAgEAAoIBAQCpl4nted77xyZ1",
                 "-----END PRIVATE KEY-----"])  # fmt: skip
KINDS = {
    "PGPASS": "pl4nted/pg+Pass=w0rd",
    "KIS_APP_KEY": "PSpl4ntedKey0123456789abcdXYZ",
    "DB_DSN": "postgresql://observer:pl4nted%2Fdsn%402@postgres:5432/observer",
    "JWT": "pl4ntedJwt.eyJzdWIiOiJvYnNlcnZlcjEifQ.c2lnbmF0dXJl0123",
    "SENTRY_DSN": "https://pl4nted0a1b2c3d4e5f@o12.ingest.sentry.io/77",
    "SLACK_WEBHOOK": "https://hooks.slack.com/services/T0PL4NTED/B0PL4NTED/pl4ntedHookXYZ9",
    "ACCOUNT_NO": "50123456-01",
    "TLS_KEY": PEM,
}
"""Made up. Eight kinds: a password with `/`, a key, two DSNs, a token, a webhook, an account number, a private key."""

LONG = "".join(f"pl4ntedLong{n:05d}x" for n in range(5000))
"""A value of more than 64 KiB."""


def core(value: str) -> str:
    """A value on one line."""
    return value.split("\n")[1] if "\n" in value else value


def b64(text: str | bytes) -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def wrapped(text: str, indent: str) -> str:
    encoded = b64(text)
    return f"\n{indent}".join(encoded[at : at + 20] for at in range(0, len(encoded), 20))


FORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda value: value,
    "base64": b64,
    "base64 of a line": lambda value: b64(value + "\n"),
    "base64 behind a user": lambda value: b64("user:" + value),
    "base64 twice": lambda value: b64(b64(value)),
    "base64 wrapped": lambda value: wrapped(value, ""),
    "base64 wrapped and indented": lambda value: wrapped(value, "    "),
    "base32": lambda value: base64.b32encode(value.encode()).decode(),
    "hex": lambda value: value.encode().hex(),
    "HEX": lambda value: value.encode().hex().upper(),
    "URL": lambda value: quote(value, safe=""),
    "JSON": lambda value: json.dumps(value)[1:-1],
    "JSON escapes": lambda value: "".join(f"\\u{ord(char):04x}" for char in value),
    "UTF-16": lambda value: value.encode("utf-16-le").decode("latin-1"),
    "split by a line end": lambda value: value[:5] + "\n" + value[5:],
    "beginning": lambda value: value[: max(10, len(value) * 2 // 3)],
    "end": lambda value: value[-max(10, len(value) * 2 // 3) :],
}
CUT_OPEN = {("beginning", "DB_DSN"), ("beginning", "SENTRY_DSN"), ("beginning", "SLACK_WEBHOOK"), ("beginning", "ACCOUNT_NO"),
            ("end", "DB_DSN"), ("end", "SENTRY_DSN"), ("end", "ACCOUNT_NO")}  # fmt: skip
"""Beginnings and ends that are addresses or numbers: `docs/security.md` says so. What they hold is looked for by itself."""

PLANTS = [
    (kind, form, FORMS[form](core(value)))
    for kind, value in KINDS.items()
    for form in FORMS
    if (form, kind) not in CUT_OPEN
]  # fmt: skip

CONDITIONS = ("all readable", "only 6-4", "only the Secrets", "unreadable, then readable", "forbidden")


@dataclass
class Cluster:
    """A cluster that prints every plant on every stream that takes free text."""

    condition: str
    streams: set[tuple[str, str]]
    attempt: int = 1

    def __call__(self, run: Run) -> Run:
        readable = {"all readable": "es", "only 6-4": "e", "only the Secrets": "s", "forbidden": ""}.get(
            self.condition, "es" if self.attempt > 1 else ""
        )
        forbidden = b'Error from server (Forbidden): pods is forbidden: User "x" cannot do that\n'
        if run.command == ids.SECRET_VALUES:
            if "s" not in readable:
                return replace(run, stdout=b"", stderr=forbidden, exit_code=1)
            data = {name: b64(value) for name, value in {**KINDS, "LONG_TOKEN": LONG}.items()}
            return replace(run, stdout=json.dumps({"items": [{"type": "Opaque", "data": data}]}).encode())
        planted = "".join(f"info {text} .\n" for _, _, text in PLANTS).encode("latin-1")
        if run.command == ids.ENV:
            if "e" not in readable:
                return replace(run, stdout=b"", stderr=forbidden, exit_code=1)
            values = {**KINDS, "LONG_TOKEN": LONG}
            return replace(run, stdout=run.stdout + "".join(f"{n}={v}\n" for n, v in values.items()).encode())
        self.streams.add((run.command, "err"))
        out = run.stdout
        if is_free(run.command):
            self.streams.add((run.command, "out"))
            out += planted + f"info {LONG}\n".encode()
        return replace(run, stdout=out, stderr=run.stderr + planted)


def needles(text: str) -> Iterator[bytes]:
    """What must not be found of a plant: the whole on one line, else each of its lines that is long enough to tell."""
    for line in text.split("\n"):
        if len(line.strip()) >= 10:
            yield line.strip().encode("latin-1")


def outputs(session: Session, folder: Path) -> Iterator[tuple[str, bytes]]:
    """All that leaves: files, pack, reports in each form and language, the terminal's texts."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.name, path.read_bytes()
    with tarfile.open(fileobj=io.BytesIO(pack(folder).to_bytes())) as members:
        for member in members:
            yield f"pack {member.name}", members.extractfile(member).read()  # type: ignore[union-attr]
    for form in ("markdown", "json", "junit"):
        for lang in ("en", "ko"):
            yield f"{form} {lang}", api.render(session, form, lang=lang).encode()  # type: ignore[arg-type]
    yield "status", terminal.status(session, colour=False).encode()
    for result in session.results:
        for finding in result.findings:
            yield f"problem {finding.code}", terminal.problem(session, finding, colour=False).encode()


def ran(condition: str, folder: Path) -> tuple[Session, set[tuple[str, str]]]:
    """One or two attempts under a condition."""
    streams: set[tuple[str, str]] = set()
    for attempt in (1, 2) if "then" in condition else (1,):
        cluster = FakeCluster()
        printing = Cluster(condition, streams, attempt)
        catalog = load()
        cluster.answers = dict.fromkeys((*catalog.ids, *catalog.diagnose_ids, ids.SECRET_VALUES, ids.LOGS), printing)
        session = go_on(folder, cluster)
    return session, streams


@pytest.mark.parametrize(
    "condition", [CONDITIONS[0], *(pytest.param(each, marks=pytest.mark.slow) for each in CONDITIONS[1:])]
)
def test_none_is_found_and_the_pack_verifies(condition: str, tmp_path: Path) -> None:
    session, streams = ran(condition, tmp_path)
    folder = SessionStore(tmp_path).folder(session.id)
    combinations = len(PLANTS) * len(streams)
    assert combinations >= 2000
    found = []
    for where, data in outputs(session, folder):
        for kind, form, text in PLANTS:
            found += [(where, kind, form) for needle in needles(text) if needle in data]
        found += [(where, "LONG_TOKEN", "plain")] if b"pl4ntedLong0" in data else []
    assert found == [], (combinations, len(found))
    file = tmp_path / "pack.tar.gz"
    file.write_bytes(pack(folder).to_bytes())
    assert [str(check.wrong) for check in verify(file).checks if check.wrong] == []
