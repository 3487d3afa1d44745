"""Checks a sign-off pack with python3 (3.6 or newer) alone: are its bytes what was made, and who has signed them?

    python3 verify.py [PACK.tar.gz | FOLDER] [--signers FILE]

This file is part of every pack and of the program, which checks packs by it. Without a pack it checks the folder that it
lies in. A pack can be forged with its verifier: take this file from where you trust it. It does not judge anything:
`playbook verify-pack` also judges the recording again. Signatures are checked by ssh-keygen, as `--signers FILE`
(OpenSSH's allowed_signers, its times in UTC) knows the keys.

Exit status: 0 it holds; 1 refused: it is not what was made; 2 wrong usage; 3 it holds, and --signers does not prove that two
persons signed it; 4 a signer rejected it.
"""

import base64
import hashlib
import io
import json
import re
import struct
import tarfile
import zlib
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Set, Tuple

LARGEST = 200000000  # bytes of a pack, packed and unpacked
NAMESPACE = "signoff@kubectl-playbook"
SCHEMA = "kubectl-playbook/sign-off/v1"
ROLES = ("operator", "reviewer")
DECISIONS = ("accept", "reject")
MANIFEST, EVIDENCE, JOURNAL, SUMS = "MANIFEST", "EVIDENCE", "journal.jsonl", "commands/SHA256SUMS"
REPORTS = ("report.md", "report.ko.md")
SIGNATURES = "signatures/"
SEAL = "# sha256 of the lines above: "
NAME = re.compile(
    r"MANIFEST|EVIDENCE|journal\.jsonl|runs\.json|report(?:\.ko)?\.md|verify\.py|commands/SHA256SUMS|"
    r"commands/(?:diagnose/)?[a-z0-9-]+\.sh|signatures/(?:operator|reviewer)\.(?:json|sig)|"
    r"(?:diagnose/)?[a-z0-9][A-Za-z0-9.-]*\.(?:out|err)"
)
"""What a file of a pack may be called, below the folder of its session."""

_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_HARMLESS = {"path", "mtime", "atime", "ctime"}  # extended headers that leave the content of a file alone
_BROKEN = (tarfile.TarError, ValueError, IndexError, OverflowError, EOFError, RecursionError)
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")
_KEYS = {
    "schema",
    "session",
    "role",
    "decision",
    "name",
    "reason",
    "signed_at",
    "verdict",
    "evidence",
    "reports",
    "waivers",
}

Members = Dict[str, bytes]
Event = Dict[str, Any]
KeyGen = Callable[[List[str], bytes, bytes], Tuple[int, str]]
"""Runs ssh-keygen with arguments, a statement as standard input and a file of a signature (`-s`): status and words."""


class Text:
    """A sentence apart from its language."""

    def __init__(self, template: str, values: Dict[str, Any]) -> None:
        self.template = template
        self.values = {key: clean(value) if isinstance(value, str) else value for key, value in values.items()}

    def __str__(self) -> str:
        return self.template.format(**self.values)


class Refused(Exception):
    """The pack is not what was made; `text` names what is not."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


class Signature(NamedTuple):
    """One signature that is over this pack, and what is known of the one who made it."""

    role: str
    decision: str
    name: str
    reason: str
    signed_at: str
    verdict: str
    key: str  # SHA256:… as ssh-keygen -l prints it
    principal: str = ""  # who that is by the file of signers
    doubt: Optional[Text] = None  # why the origin is not proven


def msg(template: str, **values: Any) -> Text:
    """A sentence that the program can translate."""
    return Text(template, values)


def clean(text: str) -> str:
    """`text` on one line, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def sha256(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


# the archive


def unpack(data: bytes) -> Tuple[str, Members]:
    """The name of the folder in an archive, and its files, by name. Refuses all that is not a pack's archive."""
    too_large = Refused(msg("the file has more than {size} MB: it is not a pack", size=LARGEST // 1000000))
    if len(data) > LARGEST:
        raise too_large
    stream = zlib.decompressobj(wbits=31)  # one gzip member: GzipFile would read on into whatever follows it
    try:
        tar = stream.decompress(data, LARGEST)
        if stream.eof and not stream.unused_data:
            return _files(tar)
    except (zlib.error,) + _BROKEN:
        raise _damaged()
    raise too_large if len(tar) == LARGEST else _damaged()


def _damaged() -> Refused:
    return Refused(msg("the archive's own headers were changed, or it is not a pack"))


def _files(tar: bytes) -> Tuple[str, Members]:
    members: Members = {}
    folders = set()
    end = 0
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as archive:
        for info in archive:
            folder, _, name = info.name.partition("/")
            data = _content(tar, info)
            if not NAME.fullmatch(name) or not _FOLDER.fullmatch(folder) or ".." in info.name:
                raise Refused(msg("{name} does not belong into a pack", name=info.name[:200]))
            if name in members:
                raise Refused(msg("{name} is there twice", name=name))
            folders.add(folder)
            members[name] = data
            end = info.offset_data + info.size
    if len(folders) != 1 or tar[end:].strip(b"\0"):  # tarfile ends at the first header that it cannot read
        raise _damaged()
    return folders.pop(), members


def _content(tar: bytes, info: tarfile.TarInfo) -> bytes:
    """The bytes of one plain file, which every program that unpacks the archive finds under the same name."""
    if info.type != tarfile.REGTYPE:
        raise Refused(msg("{name} is not a plain file", name=info.name[:200]))
    in_header = tar[info.offset_data - 512 : info.offset_data - 412].partition(b"\0")[0]
    data = tar[info.offset_data : info.offset_data + info.size]
    renamed = in_header != info.name.encode("utf-8", "surrogateescape")[:100]
    if renamed or len(data) != info.size or set(info.pax_headers) - _HARMLESS:
        raise _damaged()
    return data


# the bytes


def check_manifest(session: str, members: Members) -> None:
    """Every member but the signatures is what MANIFEST says, and EVIDENCE is MANIFEST without the reports."""
    for name in (MANIFEST, JOURNAL):
        if name not in members:
            raise Refused(msg("{name} is missing", name=name))
    text, _, seal = members[MANIFEST].decode("utf-8", "replace").rpartition(SEAL)
    listed = digests("\n".join(text.split("\n")[3:]))
    if seal != sha256(text.encode()) + "\n" or not text.startswith("# session %s\n" % session) or not listed:
        raise Refused(msg("{name} was changed", name=MANIFEST))
    for name in sorted(listed):
        if name not in members:
            raise Refused(msg("{name} is missing", name=name))
        if sha256(members[name]) != listed[name]:
            raise Refused(msg("{name} was changed: it is not what MANIFEST says", name=name))
    for name in sorted(members):
        if name not in listed and name != MANIFEST and not name.startswith(SIGNATURES):
            raise Refused(msg("{name} is not in MANIFEST", name=name))
    if members.get(EVIDENCE, evidence_of(members[MANIFEST])) != evidence_of(members[MANIFEST]):
        raise Refused(msg("{name} is not what MANIFEST says without the reports", name=EVIDENCE))


def digests(sums: str) -> Dict[str, str]:
    """Name and SHA-256 of each line as `sha256sum` writes it; nothing for other text."""
    found = [re.fullmatch(r"([0-9a-f]{64})  (\S+)", line) for line in sums.splitlines()]
    return {line.group(2): line.group(1) for line in found if line} if all(found) else {}


def evidence_of(manifest: bytes) -> bytes:
    """MANIFEST without its last line and those of the reports: the file EVIDENCE, whose SHA-256 the reports show."""
    left_out = [name.encode() for name in REPORTS + (EVIDENCE,)]
    return b"".join(line for line in manifest.splitlines(True)[:-1] if line.split()[-1:][0] not in left_out)


def check_journal(members: Members) -> List[Event]:
    """The events of the journal, each line chained to the one before."""
    events: List[Event] = []
    previous = "0" * 64
    lines = members[JOURNAL].split(b"\n")
    for number, line in enumerate(lines[:-1], 1):
        try:
            event = json.loads(line.decode("utf-8", "surrogatepass"))
            again = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
            keys = list(event)
            whole = keys[:3] == ["seq", "at", "event"] and keys[-1] == "prev" and _AT.fullmatch(event["at"])
            holds = whole and again == line and event["seq"] == number and event["prev"] == previous
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
            holds = False
        if not holds:
            raise Refused(msg("{file}: line {line} is damaged or was changed afterwards", file=JOURNAL, line=number))
        events.append(event)
        previous = sha256(line)
    if not events:
        raise Refused(msg("{name} is empty", name=JOURNAL))
    if lines[-1]:
        raise Refused(msg("{name} ends in a torn line", name=JOURNAL))
    return events


def check_recording(session: str, members: Members, events: List[Event]) -> None:
    """The streams are those that the journal tells of, `runs.json` lists them, and the commands are those of its first line."""
    try:
        if events[0]["session"] != session:
            raise Refused(msg("the journal is of another session: {session}", session=str(events[0]["session"])))
        _check_streams(members, events)
        sums = members.get(SUMS, b"")
        if sha256(sums) != events[0]["digests"]:
            raise Refused(msg("{name} is not what the session was begun with", name=SUMS))
    except (LookupError, TypeError, ValueError, AttributeError):  # a chain that holds, around no session
        raise Refused(msg("{name} is not the journal of a session", name=JOURNAL))
    listed = {"commands/" + name: digest for name, digest in digests(sums.decode("utf-8", "replace")).items()}
    for name in sorted({name for name in members if name.endswith(".sh")} | set(listed)):
        if sha256(members.get(name, b"")) != listed.get(name):
            raise Refused(msg("{name} is not what SHA256SUMS says", name=name))


def _check_streams(members: Members, events: List[Event]) -> None:
    entries: Dict[Tuple[str, int], Dict[str, Any]] = {}
    streams: Dict[str, Set[str]] = {}
    for event in events:
        if event["event"] not in ("run", "remask"):
            continue
        key = (event["command"], event["ordinal"])
        stem = key[0] if key[1] == 1 else "%s.%d" % key
        folder = "" if key[0].startswith(("step", "summary")) else "diagnose/"
        for ending in ("out", "err"):  # more than one: it was masked again, and that may have been broken off
            streams.setdefault("%s%s.%s" % (folder, stem, ending), set()).add(event[ending])
        if event["event"] == "run":
            item = {"id": key[0], "exit_code": event["exit_code"], "seconds": event["seconds"]}
            item["started_at"] = event["started_at"].replace(".000000Z", "Z")
            item.update({"ended": event["ended"]} if event["ended"] != "exited" else {})
            item.update({"note": event["note"]} if event["note"] else {})
            entries[key] = item
    for name in sorted(streams):
        if name not in members:
            raise Refused(msg("{name} is missing", name=name))
        if sha256(members[name]) not in streams[name]:
            raise Refused(msg("{name} is not what the journal tells", name=name))
    for name in sorted(members):
        if name.endswith((".out", ".err")) and name not in streams:
            raise Refused(msg("{name} is not in the journal", name=name))
    index = ",\n".join(" " + json.dumps(item, ensure_ascii=False) for item in entries.values())
    if members.get("runs.json") != ("[\n%s\n]\n" % index).encode():
        raise Refused(msg("{name} is not what the journal tells", name="runs.json"))


# the signatures


def canonical(value: Any) -> bytes:
    """`value` as the one JSON text that is signed."""
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()


def covered(session: str, members: Members, events: List[Event]) -> Dict[str, Any]:
    """What a statement has to say of the pack that it is about."""
    waivers = [
        {key: event[key] for key in event if key not in ("seq", "prev")}
        for event in events
        if event["event"] == "waive"
    ]
    return {
        "schema": SCHEMA,
        "session": session,
        "evidence": sha256(evidence_of(members[MANIFEST])),
        "reports": {name: sha256(members[name]) for name in REPORTS if name in members},
        "waivers": sha256(canonical(waivers)),
    }


def check_signatures(
    session: str, members: Members, events: List[Event], keygen: KeyGen, signers: str = ""
) -> List[Signature]:
    """The signatures of a pack, none that is not over it. `signers`: the name of a file in OpenSSH's allowed_signers form."""
    found: List[Signature] = []
    for role in ROLES:
        names = [SIGNATURES + role + ending for ending in (".json", ".sig")]
        there = [name for name in names if name in members]
        if len(there) == 1:
            raise Refused(msg("{name} is missing", name=(set(names) - set(there)).pop()))
        if there:
            found.append(
                _signature(
                    role, members[names[0]], members[names[1]], covered(session, members, events), keygen, signers
                )
            )
    if len({each.key for each in found}) < len(found):
        raise Refused(msg("operator and reviewer signed with the same key: two roles need two keys"))
    if len(found) == 2 and found[0].principal and found[0].principal == found[1].principal:
        doubt = msg("{principal} signed both roles: two roles need two persons", principal=found[0].principal)
        found = [each._replace(doubt=each.doubt or doubt) for each in found]
    return found


def _signature(
    role: str, data: bytes, armored: bytes, about: Dict[str, Any], keygen: KeyGen, signers: str
) -> Signature:
    name = SIGNATURES + role
    try:
        said = json.loads(data.decode("utf-8"))
        words = [said[key] for key in ("role", "decision", "name", "reason", "signed_at", "verdict")]
        plain = canonical(said) == data and set(said) == _KEYS and all(isinstance(word, str) for word in words)
    except (ValueError, KeyError, TypeError, RecursionError):
        plain = False
    if not plain or said["decision"] not in DECISIONS or not re.fullmatch(r"[\dT:-]{19}Z", said["signed_at"]):
        raise Refused(msg("{name} is not a statement of this program", name=name + ".json"))
    if said["role"] != role:
        raise Refused(msg("{name} is signed as {role}", name=name + ".json", role=said["role"]))
    for key in ("schema", "session", "evidence", "waivers", "reports"):
        if said[key] != about[key]:
            raise Refused(msg("{name} is not about this pack (by its {what})", name=name + ".json", what=key))
    namespace, blob = _parts(armored, name + ".sig")
    if namespace != NAMESPACE:
        raise Refused(
            msg("{name} was made for another purpose: namespace {namespace}", name=name + ".sig", namespace=namespace)
        )
    key = "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    made = Signature(
        role, said["decision"], clean(said["name"]), clean(said["reason"]), said["signed_at"], said["verdict"], key
    )
    try:
        if keygen(["-Y", "check-novalidate", "-n", NAMESPACE], data, armored)[0] != 0:
            raise Refused(msg("{name} is not a signature of {statement}", name=name + ".sig", statement=name + ".json"))
        if not signers:
            return made._replace(doubt=msg("no file of signers was given"))
        return _known(made, data, armored, keygen, signers)
    except OSError as error:
        return made._replace(doubt=msg("ssh-keygen cannot be run: {reason}", reason=error.strerror or str(error)))


def _parts(armored: bytes, name: str) -> Tuple[str, bytes]:
    """The namespace and the public key in an SSH signature."""
    try:
        lines = armored.decode("ascii").split("\n")
        if lines[0] != "-----BEGIN SSH SIGNATURE-----" or lines[-2:] != ["-----END SSH SIGNATURE-----", ""]:
            raise ValueError
        raw = base64.b64decode("".join(lines[1:-2]), validate=True)
        if raw[:10] != b"SSHSIG\0\0\0\1":
            raise ValueError
        size = struct.unpack(">I", raw[10:14])[0]
        blob, rest = raw[14 : 14 + size], raw[14 + size :]
        kind = blob[4 : 4 + struct.unpack(">I", blob[:4])[0]]
        if b"-cert-" in kind:  # the same key under another name
            raise ValueError
        return rest[4 : 4 + struct.unpack(">I", rest[:4])[0]].decode("utf-8"), blob
    except (ValueError, IndexError, struct.error):
        raise Refused(msg("{name} is not an SSH signature by a plain key", name=name))


def _known(made: Signature, data: bytes, armored: bytes, keygen: KeyGen, signers: str) -> Signature:
    then = "verify-time=" + re.sub(r"[-:TZ]", "", made.signed_at)
    status, words = keygen(["-Y", "find-principals", "-f", signers, "-O", then], data, armored)
    if status:
        status, words = keygen(["-Y", "find-principals", "-f", signers], data, armored)
    principals = [line for line in words.split("\n") if line]
    if status or not principals:
        return made._replace(doubt=msg("the key is not in the file of signers, or was not valid: {key}", key=made.key))
    made = made._replace(principal=clean(principals[0]))
    verify = ["-Y", "verify", "-n", NAMESPACE, "-I", principals[0], "-f", signers]
    if keygen(verify, data, armored)[0] != 0:
        if keygen(verify + ["-O", then], data, armored)[0] == 0:
            doubt = msg(
                "the key is no longer valid, and when it signed is the signer's word alone: {time}", time=made.signed_at
            )
        else:
            doubt = msg("the file of signers does not let the key sign here: {key}", key=made.key)
        return made._replace(doubt=doubt)
    if keygen(verify + ["-O", then], data, armored)[0] != 0:
        return made._replace(doubt=msg("the key was not valid at the time of signing: {time}", time=made.signed_at))
    return made


def origin(found: List[Signature], signers: str) -> Tuple[Text, int]:
    """The first line of every check, and the exit status that it means."""
    rejected = [each for each in found if each.decision == "reject"]
    proven = [each for each in found if not each.doubt]
    if rejected and rejected[0] in proven:
        last = rejected[0]
        return msg(
            "signed and rejected by {role} {name}: {reason}", role=last.role, name=last.principal, reason=last.reason
        ), 4
    if rejected:
        return msg(
            "consistent; origin not proven; rejected by {role} {name}", role=rejected[0].role, name=rejected[0].name
        ), 4
    if not proven or len(proven) < len(found):
        return msg("consistent; origin not proven"), 3 if signers else 0
    if len(proven) == 1:
        return msg(
            "consistent; signed and accepted by {role} {name} alone", role=proven[0].role, name=proven[0].principal
        ), 3
    return msg(
        "signed and accepted by operator {operator} and reviewer {reviewer}",
        operator=proven[0].principal,
        reviewer=proven[1].principal,
    ), 0


def told(each: Signature) -> Text:
    """One line about a signature."""
    about = {
        "role": each.role,
        "who": each.principal or each.name,
        "time": each.signed_at,
        "verdict": each.verdict,
        "key": each.key,
    }
    if each.doubt:
        return msg(
            "{role}: {decision}, {who}, {time}, verdict {verdict}, {key}; not proven: {why}",
            decision=each.decision,
            why=str(each.doubt),
            **about,
        )
    return msg("{role}: {decision}, {who}, {time}, verdict {verdict}, {key}", decision=each.decision, **about)


def check(session: str, members: Members, keygen: KeyGen, signers: str = "") -> List[Signature]:
    """Every check of this file; the signatures. Refuses what is not what was made."""
    check_manifest(session, members)
    events = check_journal(members)
    check_recording(session, members, events)
    return check_signatures(session, members, events, keygen, signers)


# as a program of its own, in a pack


def _folder(path: str) -> Tuple[str, Members]:
    """A pack that was unpacked by other means."""
    import os

    members: Members = {}
    for place, _, names in os.walk(path):
        for name in names:
            file = os.path.join(place, name)
            inside = os.path.relpath(file, path).replace(os.sep, "/")
            if not NAME.fullmatch(inside) or os.path.islink(file) or not os.path.isfile(file):
                raise Refused(msg("{name} does not belong into a pack", name=inside))
            with open(file, "rb") as stream:
                members[inside] = stream.read(LARGEST)
    return os.path.basename(os.path.abspath(path)), members


def _keygen(arguments: List[str], statement: bytes, armored: bytes) -> Tuple[int, str]:
    import os
    import subprocess
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        file.write(armored)
        file.flush()
        command = ["ssh-keygen"] + arguments + ["-s", file.name]
        environ = dict(os.environ, TZ="UTC", LC_ALL="C")
        done = subprocess.run(command, input=statement, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ)
        return done.returncode, done.stdout.decode("utf-8", "replace")


def _main() -> int:
    import argparse
    import os
    import sys

    if hasattr(sys.stdout, "buffer"):  # a name in any script, on a terminal that may not have it
        sys.stdout = io.TextIOWrapper(sys.stdout.buffer, sys.stdout.encoding, "backslashreplace")

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", nargs="?", default=os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--signers", default="", metavar="FILE")
    given = parser.parse_args()
    try:
        if given.signers:
            open(given.signers, "rb").close()
        if os.path.isdir(given.pack):
            session, members = _folder(given.pack)
        else:
            with open(given.pack, "rb") as stream:
                session, members = unpack(stream.read(LARGEST + 1))
        found = check(session, members, _keygen, given.signers)
    except OSError as error:
        parser.error("cannot read %s: %s" % (error.filename, error.strerror))
    except Refused as refused:
        print("refused: %s" % refused.text)
        return 1
    first, status = origin(found, given.signers)
    print(first)
    for each in found:
        print("  %s" % told(each))
    print("evidence digest: %s" % sha256(evidence_of(members[MANIFEST])))
    print("the verdicts were not judged again: that is done by `playbook verify-pack`")
    return status


if __name__ == "__main__":
    import sys

    sys.exit(_main())
