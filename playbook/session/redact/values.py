"""Which values are secrets: all of the Secrets' data, and all of 6-4 that is not open by its name or by its form."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from ...guide.expected import CONFIG_KEYS, SECRET_KEYS

Named = tuple[str, bytes]
"""A variable and its value."""

SHORTEST = 6
"""Values with fewer characters are masked as whole words of free text at most: elsewhere they would blot out names."""

SHORTEST_WORD = 4
"""Values with fewer characters are masked in 6-4 only."""

CONFIG_SETTINGS = frozenset(key.encode() for key in CONFIG_KEYS)
OPEN_SETTINGS = CONFIG_SETTINGS | frozenset(
    b"POD_NAME TZ PATH HOME HOSTNAME POSTGRES_USER POSTGRES_DB DB_USER PGHOST PGPORT PGDATABASE PGUSER".split()
)
"""Variables of 6-4 whose values are shown: the ConfigMap's keys, what Step 6-4 asks for, and names without secrecy."""

ORDINARY = (
    frozenset(
        b"observer postgres observer-prod observer-secrets observer-config postgres-0 postgres-headless localhost "
        b"127.0.0.1 Asia/Seoul /opt/platform/runtime/observer /opt/platform/runtime/observer/data "
        b"/opt/platform/runtime/observer/logs /opt/platform/runtime/observer/config "
        b"/opt/platform/runtime/observer/universe Running Pending Active Opaque ClusterIP local-path "
        b"STATUS RESTARTS CAPACITY STORAGECLASS PORT(S) Warning Normal Events status true false none null "
        b"TRACE DEBUG INFO NOTICE WARN WARNING ERROR CRITICAL FATAL PANIC".split()
    )
    | OPEN_SETTINGS
    | frozenset(key.encode() for key in SECRET_KEYS)
)
"""Words that parsers and readers need. A secret that is one of them is masked in 6-4 only."""

_VARIABLE = re.compile(rb"(?P<name>[A-Z_][A-Z0-9_]*|[a-z_][a-z0-9_.-]*)=(?P<value>.*)", re.DOTALL)
_SECRET_NAME = re.compile(
    rb"PASS|PWD|SECRET|KEY|TOKEN|CREDENTIAL|KIS_HTS_ID|DSN|JWT|HOOK|ACCOUNT|AUTH|SALT|PRIVATE|SIGN", re.IGNORECASE
)
_OPEN_NAME = re.compile(
    rb"(?:OLD)?PWD|SHLVL|_|LANG|LC_\w+|TERM|GPG_KEY|PYTHON\w*|LD_LIBRARY_PATH|PG_(?:MAJOR|VERSION|SHA256)|PGDATA|GOSU_VERSION"
)
_OPEN_VALUE = re.compile(
    rb"(?i:true|false|yes|no|on|off|null|none|enabled|disabled|prod|production|staging|development)"
    rb"|\d{1,5}|v?\d+(?:\.\d+){1,3}|(?:/[A-Za-z0-9_.-]{1,40}){1,12}/?(?::[A-Za-z0-9_./:-]*)?"
    rb"|(?:https?|tcp|udp|postgres(?:ql)?|redis|amqp)://[A-Za-z0-9_.-]+(?::\d{1,5})?(?:/[A-Za-z_-]{0,30})?"
)
"""Values without secrecy whatever the variable: switches, ports, versions, paths, addresses without a user."""

_SERVICE_NAME = re.compile(
    rb"KUBERNETES_.+|.+_SERVICE_(?:HOST|PORT(?:_.+)?)|.+_PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:ADDR|PORT|PROTO))?)?"
)
_SERVICE_VALUE = re.compile(
    rb"(?:(?:tcp|udp|sctp)://)?(?:\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9a-f]*:[0-9a-f]*:[0-9a-f:]*\]?)(?::\d{1,5})?"
    rb"|\d{1,5}|tcp|udp|sctp"
)
_USERINFO = re.compile(rb"://(?P<user>[^\s:/@]*)(?::(?P<password>[^\s@]+))?@")
_KEYWORD_PASSWORD = re.compile(rb"(?:^|[\s;&?])(?:password|passwd|pwd|secret|token|sslpassword)=(?P<password>[^\s;&]+)")
_URL_PATH = re.compile(rb"^https?://[^\s/]+/(?P<path>\S{12,})$")
_NOT_SECRET_TYPES = ("helm.sh/release.v1",)
"""Secrets that hold no credential: what Helm keeps of a release, often a megabyte of it."""


def of_secrets(listing: bytes) -> tuple[Named, ...] | None:
    """The values in what `kubectl get secrets -o json` printed, decoded; None when that is not such a list.

    >>> of_secrets(b'{"items": [{"type": "Opaque", "data": {"DB_PASS": "aHVudGVyMg=="}}]}')
    (('DB_PASS', b'hunter2'),)
    """
    try:
        items = json.loads(listing)["items"]
        found: list[Named] = []
        for item in items:
            if item.get("type") in _NOT_SECRET_TYPES:
                continue
            for key, value in (item.get("data") or {}).items():
                plain = base64.b64decode(value)
                if key.encode() not in OPEN_SETTINGS:
                    found += parts(key, plain)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, binascii.Error):
        return None
    return tuple(found)


def of_env(stdout: bytes) -> tuple[tuple[Named, ...], frozenset[bytes]]:
    """The secrets in the output of Step 6-4, and the values of its open settings."""
    secret: list[Named] = []
    settings: set[bytes] = set()
    for line in stdout.split(b"\n"):
        name, value = variable(line.rstrip(b"\r"))
        if name and is_open(name, value):
            settings.add(value)
            secret += [each for each in parts(name.decode(), value) if each[1] != value]
        elif not name or (_SECRET_NAME.search(name) and not _OPEN_NAME.fullmatch(name)):
            secret += parts(name.decode() or "6-4", value)
        elif not (_OPEN_NAME.fullmatch(name) or _OPEN_VALUE.fullmatch(value)):
            secret += parts(name.decode(), value)
    return tuple(secret), frozenset(settings)


def parts(name: str, value: bytes) -> Iterator[Named]:
    """A value, and what stands in it that is a secret by itself: lines, a DSN's password, the fields of a JSON object."""
    yield name, value
    stripped = value.strip()
    if stripped != value:
        yield name, stripped
    if b"\n" in stripped:
        yield from ((name, line.strip()) for line in stripped.split(b"\n") if len(line.strip()) >= 16)
    for found in _USERINFO.finditer(value):
        for part in (found["password"], found["user"] if not found["password"] else None):
            if part:
                yield name, part
                yield name, unquote_to_bytes(part)
    for found in _KEYWORD_PASSWORD.finditer(value):
        yield name, found["password"].strip(b"'\"")
        yield name, unquote_to_bytes(found["password"])
    path = _URL_PATH.match(value)
    if path and _SECRET_NAME.search(name.encode()):
        yield name, path["path"]  # a webhook's address is its key
    if stripped[:1] == b"{":
        yield from _fields(name, stripped)


def _fields(name: str, text: bytes) -> Iterator[Named]:
    """The texts in a JSON object, as of a registry's login; names of users and hosts are not taken."""
    try:
        waiting = [("", json.loads(text))]
    except (ValueError, RecursionError):
        return
    while waiting:
        key, item = waiting.pop()
        if isinstance(item, dict):
            waiting += item.items()
        elif isinstance(item, list):
            waiting += ((key, each) for each in item)
        elif isinstance(item, str) and key not in ("username", "email", "type", "project_id", "auth_uri", "token_uri"):
            plain = item.encode("utf-8", "surrogatepass")
            yield name, plain
            if key == "auth":
                try:
                    login = base64.b64decode(plain)
                except (ValueError, binascii.Error):
                    continue
                yield name, login
                yield name, login.partition(b":")[2]
            elif b"\n" in plain:
                yield from ((name, line.strip()) for line in plain.split(b"\n") if len(line.strip()) >= 16)


def variable(line: bytes) -> tuple[bytes, bytes]:
    """Name and value of a line of 6-4; an empty name and the whole line when it is a piece of another value."""
    found = _VARIABLE.fullmatch(line)
    if not found:
        return b"", line
    name, value = found["name"], found["value"]
    padded = not value.strip(b"=") and b"_" not in name and len(line) % 4 == 0
    if padded and name not in OPEN_SETTINGS:
        return b"", line  # the padding at the end of base64, not a variable without a value
    return name, value


def is_open(name: bytes, value: bytes) -> bool:
    """Whether the variable of 6-4 is one whose value is shown."""
    if name in OPEN_SETTINGS:
        return True
    return bool(_SERVICE_NAME.fullmatch(name) and _SERVICE_VALUE.fullmatch(value))


def is_strong(value: bytes) -> bool:
    """Whether a value is looked for everywhere: long enough, and not a word that a table can hold for another reason.

    >>> is_strong(b"hunter-2-x"), is_strong(b"oracle"), is_strong(b"p4ss")
    (True, False, False)
    """
    text = value.decode("utf-8", "replace")
    return len(text) >= SHORTEST and not re.fullmatch(r"[A-Z]?[a-z]{1,12}|[A-Z]{1,12}", text)


def is_word(value: bytes) -> bool:
    """Whether a value that is not strong is masked where it stands as a whole word of free text."""
    text = value.decode("utf-8", "replace")
    return len(text) >= SHORTEST_WORD and not re.fullmatch(r"\d{1,5}|\s*|\*+", text)
