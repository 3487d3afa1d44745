"""The report's templates, compiled: kept in `__pycache__` beside them, as Python keeps its own modules.

To compile them takes a tenth of a second of a core, and a server of one node shares its cores with the program.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import jinja2

if TYPE_CHECKING:
    from importlib.abc import Traversable

    from jinja2.bccache import Bucket


class _BesideTemplates(jinja2.FileSystemBytecodeCache):
    """Takes what is there when it is of the same template and Python; what cannot be written is compiled again next time."""

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            super().load_bytecode(bucket)
        except Exception:  # it is unpickled: a damaged file can raise anything
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def compiled(templates: Traversable, options: Mapping[str, object]) -> jinja2.BytecodeCache | None:
    """Where the code of the templates in `templates` is kept, as the environment's `options` have it compiled.

    None where nothing may be kept: in a zip application, and where Python itself is to write no code
    (PYTHONDONTWRITEBYTECODE).
    """
    if sys.dont_write_bytecode or not isinstance(templates, Path):
        return None
    kept = templates / "__pycache__"
    with suppress(OSError):
        kept.mkdir(exist_ok=True)
    if not kept.is_dir():
        return None
    version = f"{sys.implementation.cache_tag}-{crc32(repr(sorted(options.items())).encode()):08x}"
    return _BesideTemplates(str(kept), f"%s.{version}.pyc")
