"""The words that the readers share: what is to be read, how much of it at most, and why it cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from assistant.adapters.readers.names import suffix_of

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """What one document, or one archive, may cost at most."""

    file_bytes: int = 50 * MIB
    pages: int = 2000
    scanned_pages: int = 300  # that are recognised one by one, each within ``seconds``
    characters: int = 10_000_000
    blocks: int = 500_000
    archive_members: int = 2000  # of an archive, those of the archives inside it counted too
    archive_bytes: int = 500 * MIB  # of all members together, expanded
    archive_ratio: int = 200  # expanded to packed, of one member
    nesting: int = 3  # archives: the outermost is the first
    folder_depth: int = 12
    seconds: int = 180
    memory_bytes: int = 2048 * MIB


@dataclass(frozen=True)
class Source:
    """A file that was found, not yet read. ``name`` is as the person knows it: "包.zip/甲.docx"."""

    name: str
    content: bytes
    modified: date | None = None

    @property
    def suffix(self) -> str:
        """
        >>> Source("包.zip/甲.DOCX", b"").suffix, Source("说明", b"").suffix
        ('.docx', '')
        """
        return suffix_of(self.name)


class Unreadable(Exception):
    """Why a file cannot be read, for the person, without the name of the file: "加了密码，请取消密码后再添加。"."""


def megabytes(count: int) -> str:
    """
    >>> megabytes(50 * MIB)
    '50 MB'
    """
    return f"{count / MIB:.0f} MB" if count >= MIB else f"{count / 1024:.0f} KB"


def numbers_listed(numbers: Sequence[int]) -> str:
    """
    >>> numbers_listed([1, 2, 3, 7])
    '1–3、7'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number, number])
    return "、".join(str(first) if first == last else f"{first}–{last}" for first, last in runs)
