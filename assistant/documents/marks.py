"""What the beginning of a line says it is: 第三章 总则, 第七条, （三）, 1., 附件, 目录.

Comes in: a line or a paragraph as it was written, in any width, traditional or simplified. Goes out: a :class:`Mark`
with the number and the place where the words begin. Whether the mark counts is for others to decide: a line that
goes on from the one before may begin with 第七条 as well (``refers`` says that it reads like a reference).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from assistant.law.text import chinese_to_number, fold

MarkKind = Literal["heading", "article", "item", "point", "appendix", "contents"]

_HAN = "[零〇○一二三四五六七八九十百千]"
_NUMERAL = rf"(?:{_HAN}(?:\s*{_HAN})*|\d{{1,4}})"
_ARTICLE = re.compile(
    rf"\s*第\s*({_NUMERAL})\s*条(?:\s*之\s*([一二三四五六七八九十]{{1,3}}|\d{{1,2}})(?![般切]))?"
)
# 第七条、第八条所列 and 第七条第二款 point at an article whatever stands between
_POINTS = re.compile(
    rf"\s*(?:[、，,至到和与及或~—－-]|以及|或者)*\s*第?\s*[（(]?{_NUMERAL}[）)]?\s*[条款项章目]"
)
# without a blank after 条 these words go on from it; with one they may begin an article
_GOES_ON = re.compile(
    "规定|的|之|所[列称述指规]|中(?:的|规定|所)|[以除]外|外[，、]|以[上下]|[，,是]|[和与及至或到]第?|、第|同时|予以|给予|处[理罚]"
)
_BETWEEN = re.compile(r"[：:、.．]?\s*")
_HEADING = re.compile(rf"\s*第\s*({_NUMERAL})\s*(编|分编|分篇|篇|章|节)")
_HEADING_GOES_ON = re.compile("[、的规所中和与及至到或第等]")
_LEVELS = {"编": 1, "篇": 1, "分编": 2, "分篇": 2, "章": 3, "节": 4}
_UNNUMBERED = re.compile(r"\s*(总\s*则|分\s*则|附\s*则|罚\s*则)\s*")
_LONGEST_HEADING = 50
_LEADERS = re.compile(r"[\s.…·．。—_-]*\d*\s*$")  # of a table of contents
_SENTENCE_MARK = re.compile("[。；：，;:!！？]")
_ITEM = re.compile(rf"\s*(?:[（〈<〔]\s*({_HAN}{{1,3}}|\d{{1,2}})\s*[）〉>〕]|([㈠-㈩]))")
_POINT = re.compile(
    rf"\s*(?:(\d{{1,2}})\s*[.．](?![\d%])|(\d{{1,2}})、|([⑴-⒇])|([①-⑳])|({_HAN}{{1,3}})、|([⒈-⒛]))"
)
_ITEM_GOES_ON = re.compile(r"[项款目]|[、至和与及或到~—-]\s*[（〈<第]")
_APPENDIX = re.compile(
    rf"\s*(附\s*件|附\s*录|附\s*表|附\s*图|附(?=\s*:|\s*：))\s*({_NUMERAL})?\s*(.*)", re.DOTALL
)
_CONTENTS = re.compile(r"\s*(?:目\s*录|目\s*次)\s*")
_HEAD = 32  # characters in which a mark ends


@dataclass(frozen=True)
class Mark:
    """How a line begins.

    ``number`` is written as in ids ("7", "120-1"; "" for an unnumbered heading). ``end`` is where the words begin.
    ``style`` tells lists apart: "（一）" is an item, the others are points. ``level`` is that of a heading: 编 1,
    分编 2, 章 3, 节 4.
    """

    kind: MarkKind
    number: str
    end: int
    style: str = ""
    level: int = 0
    spaced: bool = False  # a blank, a line end or a mark parts it from the words
    refers: bool = False


@lru_cache(maxsize=4096)
def read_mark(text: str) -> Mark | None:
    """The mark that ``text`` begins with.

    >>> read_mark('第一百二十条之一　国家机关').number, read_mark('第７条 为了').number
    ('120-1', '7')
    >>> read_mark('第七条、第八条所列行为').refers, read_mark('第七条中国公民').refers
    (True, False)
    >>> read_mark('第一章　总　则').kind, read_mark('第二章、第三章适用于下列人员') is None
    ('heading', True)
    >>> read_mark('㈢记过').number, read_mark('（三）项规定的').refers, read_mark('附则').kind
    ('3', True, 'heading')
    """
    head = fold(text[:_HEAD])
    first = head.lstrip()[:1]
    if first == "第":
        return _article(text, head) or _heading(text, head)
    if first in ("总", "分", "罚", "目", "附"):
        return _word(text, head)
    return _item(head) or _point(head)


def _number(written: str) -> int:
    return chinese_to_number(re.sub(r"\s", "", written))


def _article(text: str, head: str) -> Mark | None:
    found = _ARTICLE.match(head)
    if not found:
        return None
    number = str(_number(found[1])) + (f"-{_number(found[2])}" if found[2] else "")
    rest = head[found.end() :]
    between = _BETWEEN.match(rest)
    width = between.end() if between else 0
    spaced = width > 0 or not rest
    refers = bool(_POINTS.match(rest)) or (
        not (rest[:1].isspace() or not rest) and bool(_GOES_ON.match(rest))
    )
    return Mark("article", number, found.end() + width, spaced=spaced, refers=refers)


def _heading(text: str, head: str) -> Mark | None:
    found = _HEADING.match(head)
    if not found or len(text) > 4 * _LONGEST_HEADING:
        return None
    words = _LEADERS.sub("", text[found.end() :])
    if len(words) > _LONGEST_HEADING or _SENTENCE_MARK.search(words):
        return None
    rest = words.lstrip()
    end = found.end() + len(words) - len(rest)
    spaced = end > found.end() or not rest
    if not spaced and _HEADING_GOES_ON.match(rest):
        return None
    return Mark("heading", str(_number(found[1])), end, level=_LEVELS[found[2]], spaced=spaced)


def _word(text: str, head: str) -> Mark | None:
    if _CONTENTS.fullmatch(head):
        return Mark("contents", "", len(text))
    if _UNNUMBERED.fullmatch(head):
        return Mark("heading", "", len(text) - len(text.lstrip()), level=3, spaced=True)
    found = _APPENDIX.match(head)
    if found and len(text) <= _LONGEST_HEADING * 2 and (found[2] or not found[3] or found[3][0] in ":： 　"):
        return Mark("appendix", found[2] or "", found.start(3), spaced=True)
    if found and re.match("[：:]", found[3]):
        return Mark("appendix", found[2] or "", found.start(3), spaced=True)
    return None


def _item(head: str) -> Mark | None:
    found = _ITEM.match(head)
    if not found:
        return None
    written = found[1] or found[2]
    refers = bool(_ITEM_GOES_ON.match(head, found.end()))
    if written.isdigit():
        return Mark("point", str(int(written)), found.end(), style="(1)", refers=refers)
    return Mark("item", str(_number(written)), found.end(), style="（一）", refers=refers)


_POINT_STYLES = ("1.", "1、", "⑴", "①", "一、", "1.")


def _point(head: str) -> Mark | None:
    found = _POINT.match(head)
    if not found:
        return None
    style, written = next(
        (style, group) for style, group in zip(_POINT_STYLES, found.groups(), strict=True) if group
    )
    if written in _DOTTED:
        return Mark("point", str(_DOTTED.index(written) + 1), found.end(), style=style)
    return Mark("point", str(_number(written)), found.end(), style=style)


_DOTTED = "⒈⒉⒊⒋⒌⒍⒎⒏⒐⒑⒒⒓⒔⒕⒖⒗⒘⒙⒚⒛"
