"""From a path that a person names to what its documents say.

Comes in: files, folders and ZIP archives, none of them trusted. Goes out: :class:`~assistant.model.RawDocument`
values, or a :class:`~assistant.errors.DocumentError` with one sentence. Every file is read in a process of its
own, with little memory, little time and no network; see :mod:`assistant.adapters.readers.reading`.
"""

from assistant.adapters.readers.reading import read
from assistant.adapters.readers.sources import sources
from assistant.adapters.readers.values import Limits, Source

__all__ = ["Limits", "Source", "read", "sources"]
