"""Blanks that a PDF or a recogniser puts between Chinese characters although nobody typed them."""

from __future__ import annotations

import re

_HAN = "\u3400-\u9fff\u3007"
_MARK = "，。、；：？！“”‘’（）《》〈〉【】—…·"
_LABEL = re.compile(
    r"[\s\u3000]*(?:第[零〇一二三四五六七八九十百千\d]{1,9}[编章节条款项](?:之[一二三四五六七八九十])?|[一二三四五六七八九十]{1,3}、"
    r"|[（(][一二三四五六七八九十\d]{1,3}[)）])[ \t\u3000]*"
)
_BETWEEN = re.compile(f"(?<=[{_HAN}{_MARK}])[ \t\u00a0]+(?=[{_HAN}{_MARK}])")
_LETTER_SPACED = re.compile(
    f"[{_HAN}{_MARK}](?:[ \t\u00a0]+[{_HAN}{_MARK}])+"
)  # full-width blanks were typed
_RUNNING = 20  # characters; in a longer line a single blank between two of them is a slip of the layout


def without_stray_spaces(line: str) -> str:
    """A printed line without blanks inside running Chinese text; those after a number and in a list of names stay.

    >>> without_stray_spaces("第三条 应当及时采取措 施，防止危害扩大，并按照规定向上级报告")
    '第三条 应当及时采取措施，防止危害扩大，并按照规定向上级报告'
    >>> without_stray_spaces("第一章 总 则"), without_stray_spaces("目 录"), without_stray_spaces("张某某 李某")
    ('第一章 总则', '目录', '张某某 李某')
    """
    label = _LABEL.match(line)
    start = label.end() if label else 0
    head, rest = line[:start], line[start:]
    if _LETTER_SPACED.fullmatch(rest):
        return head + re.sub(r"\s+", "", rest)
    if sum(1 for char in rest if "\u3400" <= char <= "\u9fff") >= _RUNNING:
        return head + _BETWEEN.sub("", rest)
    return line
