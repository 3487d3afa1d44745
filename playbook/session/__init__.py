"""One verification as it is kept: the journal, the recording, and what the two fold to.

The only package that writes evidence. Everything that is kept passes `redact` first.
"""
