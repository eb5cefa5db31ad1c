"""Bytes as text: UTF-8, UTF-16 with its mark, or GB 18030, the encodings that Chinese offices use.

Big5 is known by what it becomes when it is read as GB 18030: characters that nobody has assigned.
"""

from __future__ import annotations

import codecs
import re

from assistant.adapters.readers.values import Unreadable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL = bytes({*range(32), 127} - {9, 10, 11, 12, 13, 26, 27})
_NEVER = re.compile("[\x00-\x08\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_SAMPLE = 2**20
_BAD_SHARE = 0.005
_CHINESE = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
}


def looks_binary(content: bytes) -> bool:
    """Whether bytes cannot be text in any encoding that is read: more than one control character in a hundred.

    >>> looks_binary(bytes(range(256))), looks_binary("第一条\\n".encode("gb18030"))
    (True, False)
    """
    if _mark(content):
        return False
    sample = content[:_SAMPLE]
    return len(sample) - len(sample.translate(None, _CONTROL)) > len(sample) / 100


def decode(content: bytes, declared: str = "") -> tuple[str, int]:
    """The text, and how many of its characters could not be made out (they stand as U+FFFD).

    ``declared`` is what the file says of itself; it is tried first and not believed.

    Raises:
        Unreadable: too many of them could not.
    """
    mark = _mark(content)
    if mark:
        length, encoding = mark
        text, bad = _lenient(content[length:], encoding)
        return _checked(text, bad)
    for encoding in _candidates(declared):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != "gb18030" or _is_plausible(text):
            return _checked(text, 0)
    return _checked(
        *min((_lenient(content, encoding) for encoding in ("utf-8", "gb18030")), key=lambda way: way[1])
    )


def clean(text: str) -> str:
    """Text without characters that no document means: control characters, half characters, stray marks."""
    return _NEVER.sub("", text)


def _mark(content: bytes) -> tuple[int, str] | None:
    return next(((len(mark), encoding) for mark, encoding in _MARKS if content.startswith(mark)), None)


def _candidates(declared: str) -> list[str]:
    declared = _CHINESE.get(declared.strip().lower(), declared.strip().lower())
    try:
        known = codecs.lookup(declared)
        usable = [known.name] if known._is_text_encoding and not known.name.startswith("utf-16") else []
    except LookupError:
        usable = []
    return [*usable, "utf-8", "gb18030", "big5hkscs"]


def _is_plausible(text: str) -> bool:
    foreign = [char for char in text if char > "\x7f"]
    return sum(1 for char in foreign if "\ue000" <= char <= "\uf8ff") <= len(foreign) / 50


def _lenient(content: bytes, encoding: str) -> tuple[str, int]:
    text = content.decode(encoding, "replace")
    return text, text.count("\ufffd")


def _checked(text: str, bad: int) -> tuple[str, int]:
    if bad > max(3, len(text) * _BAD_SHARE):
        raise Unreadable("认不出文字编码；请用 UTF-8 或 GB18030 编码另存后再添加。")
    return clean(text), bad
