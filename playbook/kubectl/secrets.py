"""SealedSecrets and Secrets, without their values (Steps 3-2, 3-3 and 3-5)."""

from __future__ import annotations

from dataclasses import dataclass

from .tables import lines, table, unreadable


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """One row of `kubectl get sealedsecrets`; STATUS tells why it is not synced, SYNCED is `True`, `False` or empty."""

    line: int
    name: str
    status: str
    synced: str


@dataclass(frozen=True, slots=True)
class SecretRow:
    """One Secret of a list."""

    line: int
    name: str
    type: str
    data_text: str  # the DATA cell, as printed

    @property
    def data(self) -> int:
        """How many keys it has; raises UnreadableText."""
        if not self.data_text.isdecimal():
            raise unreadable(self.line, self.data_text)
        return int(self.data_text)


def sealed_secrets(text: str) -> tuple[SealedSecret, ...]:
    """The SealedSecrets.

    >>> sealed_secrets('''NAME            STATUS                                   SYNCED   AGE
    ... obs-db-secret   no key could decrypt secret (PASSWORD)   False    27s
    ... ''')
    (SealedSecret(line=2, name='obs-db-secret', status='no key could decrypt secret (PASSWORD)', synced='False'),)
    """
    rows = table(text, ("NAME",))
    return tuple(SealedSecret(row.line, row["NAME"], row.get("STATUS"), row.get("SYNCED")) for row in rows)


def secrets(text: str) -> tuple[SecretRow, ...]:
    """The Secrets of a list with a header.

    >>> secrets('''NAME               TYPE     DATA   AGE
    ... observer-secrets   Opaque   13     39s
    ... ''')[0].data
    13
    """
    rows = table(text, ("NAME", "TYPE", "DATA"))
    return tuple(SecretRow(row.line, row["NAME"], row["TYPE"], row["DATA"]) for row in rows)


def secret_words(text: str, first_line: int = 1) -> tuple[SecretRow, ...]:
    """The Secrets as the guide's summary lists them: name, type and number of keys, without a header.

    >>> secret_words("ghcr-secret kubernetes.io/dockerconfigjson 1\\n")
    (SecretRow(line=1, name='ghcr-secret', type='kubernetes.io/dockerconfigjson', data_text='1'),)
    """
    found = []
    for number, line in lines(text, first_line):
        words = line.split()
        if words and (len(words) != 3 or not words[2].isdecimal()):
            raise unreadable(number, line)
        if words:
            found.append(SecretRow(number, *words))
    return tuple(found)
