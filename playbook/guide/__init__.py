"""What the guide's document says, as data: its commands, names and keys, abort criteria, and where it and a cluster part.

Reads `commands/`; runs, prints and writes nothing.
"""
