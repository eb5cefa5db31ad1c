"""Names of files as people know them: made printable, and sorted into those to read and those to pass over."""

from __future__ import annotations

import os
import re

from assistant.errors import DocumentError

ARCHIVE_SUFFIXES = frozenset({".zip"})
WORD_SUFFIXES = frozenset({".docx", ".docm", ".dotx", ".dotm"})
HTML_SUFFIXES = frozenset({".html", ".htm", ".xhtml", ".shtml"})
MARKDOWN_SUFFIXES = frozenset({".md", ".markdown"})
TEXT_SUFFIXES = frozenset({".txt", ".text"})
# what cannot be read, but deserves a sentence of its own that says what to do
_ADVISED_SUFFIXES = frozenset({".doc", ".wps", ".rtf", ".ofd", ".odt", ".mht", ".mhtml"})
KNOWN_SUFFIXES = (
    frozenset({".pdf"})
    | ARCHIVE_SUFFIXES
    | WORD_SUFFIXES
    | HTML_SUFFIXES
    | MARKDOWN_SUFFIXES
    | TEXT_SUFFIXES
    | _ADVISED_SUFFIXES
)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
_LONGEST = 200
_EXAMPLES = 3


def suffix_of(name: str) -> str:
    """
    >>> suffix_of("包.zip/甲.DOCX"), suffix_of("说明"), suffix_of(".zshrc")
    ('.docx', '', '')
    """
    stem, dot, suffix = name.replace("\\", "/").rpartition("/")[2].rpartition(".")
    return f".{suffix.lower()}" if dot and stem else ""


def is_silent(name: str) -> bool:
    """What programs leave beside documents; nobody expects a word about it.

    >>> [is_silent(name) for name in (".DS_Store", "~$条例.docx", "__MACOSX", "Thumbs.db", "条例.docx")]
    [True, True, True, True, False]
    """
    return name.startswith((".", "~$")) or name.lower() in ("__macosx", "thumbs.db", "desktop.ini")


def printable(name: str) -> str:
    """A name that can be shown and stored: bytes of an old encoding decoded, nothing invisible, not too long.

    >>> printable("甲\\x07\\u202e.txt")
    '甲.txt'
    >>> printable("条例.txt".encode("gb18030").decode("utf-8", "surrogateescape"))
    '条例.txt'
    """
    if any("\ud800" <= char <= "\udfff" for char in name):
        raw = name.encode("utf-8", "surrogateescape" if os.name != "nt" else "replace")
        name = raw.decode("gb18030", "replace")
    name = _UNPRINTABLE.sub("", name)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 20]}…{name[-19:]}"


def skipped(where: str, names: list[str]) -> DocumentError:
    """One sentence for all files of a folder or archive whose kind is not read."""
    bare = [name.rpartition("/")[2] for name in names[:_EXAMPLES]]
    listed = "、".join(bare) + ("等" if len(names) > _EXAMPLES else "")
    return DocumentError(f"{where}：有{len(names)}个文件不是可以读取的格式，已跳过（{listed}）。")
