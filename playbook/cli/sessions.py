"""The verb that lists the sessions of the state folder."""

from __future__ import annotations

from .. import api
from ..errors import PlaybookError
from ..output.columns import at_words
from ..output.labels import overall_sentence
from ..session.store import SessionStore, state_directory
from ..text import msg
from .options import lang_option, state_option, verb
from .streams import notify, say


@verb("sessions")
@state_option
@lang_option
def sessions_verb(state_dir: str | None) -> int:
    """List the sessions there are, oldest first: id, when it began (UTC), verdict. The current one is marked by *."""
    store = SessionStore(state_directory(state_dir))
    current = store.current()
    for name in store.ids():
        try:
            session = api.recorded_session(store.folder(name))
            verdict = str(overall_sentence(session))
        except PlaybookError as error:
            verdict = str(error.message)
        day, hour = name[:8], name[9:15]
        began = f"{day[:4]}-{day[4:6]}-{day[6:]} {hour[:2]}:{hour[2:4]}Z"
        say(f"{'*' if name == current else ' '} {name}  {began}")
        say(at_words(f"    {verdict}", "    "))
    if not store.ids():
        notify(msg("there is no session in {folder}", folder=str(store.directory)))
    return 0
