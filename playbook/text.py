"""What a person reads, kept apart from the language it is read in.

A `Message` is an English sentence with named places and what fills them. It is turned into words only when it is shown,
so one recorded finding can be read in every language the program speaks.
"""

from __future__ import annotations

import gettext
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from string import Formatter
from typing import Any

LANGUAGES = ("en", "ko")
"""The languages that the program and its reports speak; the first is the one that the messages are written in."""

PROGRAM = "playbook"
"""What the program is called in the journal, in reports and in packs, however it was started."""

_FORMATTER = Formatter()
_language = LANGUAGES[0]
_program = PROGRAM
_catalogs: dict[str, gettext.NullTranslations] = {}


@dataclass(frozen=True, slots=True)
class Message:
    """An English template (`{name}` marks a place) and the values for its places.

    `{program}` needs no value: it is filled with what the program is called where the message is shown.
    """

    template: str
    values: tuple[tuple[str, str | int], ...] = ()

    def __str__(self) -> str:
        values = {"program": _program, **dict(self.values)}
        try:
            return translate(self.template).format(**values)
        except (LookupError, ValueError):  # a translation with other places than the English: no reason to fail
            return self.template.format(**values)

    @property
    def english(self) -> str:
        """The words that do not depend on the language in use: for what is searched or kept."""
        return self.template.format(**{"program": PROGRAM, **dict(self.values)})

    def to_json(self) -> dict[str, Any]:
        """The form in which a journal keeps it: language-free."""
        return {"template": self.template, **({"values": dict(self.values)} if self.values else {})}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Message:
        """The reverse of `to_json`; raises KeyError, TypeError, ValueError or AttributeError on another shape."""
        template, values = data["template"], data.get("values", {})
        names = {*values, "program"}
        for _, place, form, conversion in _FORMATTER.parse(template):
            if place is not None and (place not in names or form or conversion):
                raise ValueError(f"no place of a message: {place}")
        if not all(isinstance(name, str) and isinstance(value, (str, int)) for name, value in values.items()):
            raise TypeError("a value of a message is neither text nor a number")
        return cls(template, tuple(values.items()))


def msg(template: str, /, **values: str | int) -> Message:
    """A translatable message.

    >>> str(msg("{n} keys are missing: {names}", n=2, names="A, B"))
    '2 keys are missing: A, B'
    """
    return Message(template, tuple(values.items()))


def verbatim(text: str) -> Message:
    """Text that is the same in every language: what a command printed, a name, a number.

    >>> str(verbatim("STATUS = {Pending}"))
    'STATUS = {Pending}'
    """
    return Message("{text}", (("text", text),))


def translate(text: str) -> str:
    """`text` in the language in use; unchanged where the catalog does not have it (a test sees to it that it has)."""
    if _language == LANGUAGES[0] or not text or text == "{text}":
        return text
    return _catalog(_language).gettext(text)


def use_program(typed: str) -> None:
    """Call the program as it was started from now on, in what is said to the person who started it."""
    global _program  # noqa: PLW0603 - a setting of the whole process, as the language
    _program = typed


def as_typed(command: str) -> str:
    """A command for the person who started the program: one of the program's own as that person has to type it.

    >>> as_typed("playbook all"), as_typed("kubectl get pods")
    ('playbook all', 'kubectl get pods')
    """
    return re.sub(rf"^(sudo -E )?{PROGRAM} ", lambda found: f"{found[1] or ''}{_program} ", command)


def language() -> str:
    """The language in use: one of `LANGUAGES`."""
    return _language


def use_language(name: str) -> None:
    """Speak `name` from now on; raises ValueError when it is not one of `LANGUAGES`."""
    global _language  # noqa: PLW0603 - a setting of the whole process
    if name not in LANGUAGES:
        raise ValueError(f"no language {name!r}; there are {', '.join(LANGUAGES)}")
    _language = name


@contextmanager
def speaking(name: str) -> Iterator[None]:
    """Speak `name` inside the block only, as for a report in another language."""
    before = _language
    use_language(name)
    try:
        yield
    finally:
        use_language(before)


def language_from(environ: Mapping[str, str] = os.environ) -> str:
    """The language that the locale variables ask for: LC_ALL before LC_MESSAGES before LANG, English for all others.

    >>> language_from({"LANG": "ko_KR.UTF-8"}), language_from({"LC_ALL": "C", "LANG": "ko_KR.UTF-8"})
    ('ko', 'en')
    """
    value = next((environ[key] for key in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(key)), "")
    return "ko" if value.split(".")[0].split("_")[0].lower() == "ko" else LANGUAGES[0]


def _catalog(name: str) -> gettext.NullTranslations:
    if name not in _catalogs:
        from .resources import folder  # noqa: PLC0415 - pathlib is 3 ms: English does without

        # Opened here, because gettext finds files by itself but not in a zip application.
        with (folder("locale") / name / "LC_MESSAGES" / "playbook.mo").open("rb") as file:
            _catalogs[name] = gettext.GNUTranslations(file)
    return _catalogs[name]
