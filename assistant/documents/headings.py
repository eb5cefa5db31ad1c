"""Headings of articles: how they are numbered, what stands under which, and lists of them that have no text.

Comes in: paragraphs. Goes out: the path of headings above each paragraph. Numbering decides the level
(第一章, 一、（一）, 1. and (1)), not its order in the document. A collection of pieces numbered 1. to 8. each with its
own 一、 stands the other way round, which shows because 一、 begins anew under several of them.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from assistant.law.text import CHINESE_NUMERAL, chinese_to_number

QUESTION = "问"
PLAIN = "无号"
_LONGEST = 60

_NUMERAL = f"{CHINESE_NUMERAL}{{1,3}}"
# (name of the style, rank: 0 stands highest, what it looks like; the group is the number)
_STYLES = tuple(
    (name, rank, re.compile(pattern))
    for name, rank, pattern in (
        ("部分", 10, rf"第({_NUMERAL}|\d{{1,2}})(?:编|篇|部分|章)(?![的，。])"),
        ("节", 15, rf"第({_NUMERAL}|\d{{1,2}})节(?![的，。])"),
        ("百科", 20, r"(?:展开\s*)?编辑本段()"),
        (
            "画像",
            25,
            rf"(?:画像|案例|误区|问题|表现|建议|对策|要点|专题|之)({_NUMERAL}|\d{{1,2}})(?=[：:、.\s])",
        ),
        ("一、", 30, rf"({_NUMERAL})[、.](?!{CHINESE_NUMERAL}[、是者方])"),
        ("（一）", 40, rf"（({_NUMERAL})）(?![、项款至和目])"),
        ("1.", 50, r"(\d{1,2})[.](?![\d%])"),
        ("1、", 50, r"(\d{1,2})、(?!\d)"),
        ("（1）", 60, r"（(\d{1,2})）(?![、项款至和目])"),
        ("1）", 60, r"(\d{1,2})）"),
    )
)
_ASKED = re.compile("(?:问|记者问?|提问|主持人问?)(?:\\d{1,2})?：")
_LABEL = re.compile(
    r"""[【\[]?(?:(?P<abstract>内容(?:摘要|提要)|摘\s*要|提\s*要|Abstract)|(?P<keywords>关\s*键\s*词|Key\s?words?))\s*(?:[】\]]|[：:])
    |(?P<other>[【\[（]?(?:作者简介|作者单位|基金项目|收稿日期|中图分类号|文献标[识志]码|文章编号|编者按|作者)[】\]）]?：?)
    |(?P<answer>答(?:记者问)?：|(?:问|记者)：)""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Numbering:
    style: str
    rank: int
    number: int  # 0: not numbered


def numbering(folded: str) -> Numbering | None:
    """How a line is numbered, if it is; whether it is a heading is another question. All here read folded text.

    >>> numbering('（二）问责使用不均衡')
    Numbering(style='（一）', rank=40, number=2)
    >>> numbering('1.5亿元'), numbering('第一，要有担当')
    (None, None)
    """
    for style, rank, pattern in _STYLES:
        found = pattern.match(folded)
        if found:
            return Numbering(style, rank, chinese_to_number(found[1]) if found[1] else 0)
    return None


def is_numbered(folded: str) -> bool:
    """Whether the line looks like a numbered heading: a number and a few words that are not a clause of a sentence.

    >>> is_numbered('一、突出表现'), is_numbered('（三）做到有案必查，有贪必肃；'), is_numbered('1、細化任務分工。')
    (True, False, True)
    """
    if len(folded) > _LONGEST or numbering(folded) is None:
        return False
    inner = folded[:-1]
    if folded[-1] in "；，、" or any(mark in inner for mark in "。；"):
        return False
    return folded[-1] != "。" or len(folded) <= 32


def is_question(folded: str) -> bool:
    """Whether the paragraph is a question of an interview.

    >>> is_question('问：《办法》出台的背景是什么？')
    True
    """
    return bool(_ASKED.match(folded))


def is_plain(folded: str) -> bool:
    """Whether the line may be a heading without a number: short, and no sentence.

    >>> is_plain('有利于增强官员的责任心'), is_plain('会议指出，要抓落实。')
    (True, False)
    """
    if not 2 <= len(folded) <= 36 or folded[-1] in "。；，、：…！" or "。" in folded:
        return False
    if re.fullmatch("《[^》]*》", folded):  # the name of a rule alone is an answer or a link
        return False
    return sum(char.isalpha() for char in folded) >= 2


def label_of(folded: str) -> str:
    """The section that a paragraph names itself at its beginning ("摘要", "关键词"), or what kind of label it has.

    >>> label_of('摘 要：异化'), label_of('答：一是'), label_of('摘要写得好')
    ('摘要', '答', '')
    """
    found = _LABEL.match(folded)
    if not found:
        return ""
    if found["abstract"]:
        return "摘要"
    return "关键词" if found["keywords"] else "答" if found["answer"] else "其他"


def ranks(styles: list[Numbering]) -> dict[str, int]:
    """The rank of each style in this document.

    The one that counts from 1 to 3 or more without beginning anew, while others do begin anew under it, is highest.
    """
    ranked = {each.style: each.rank for each in styles}
    again = Counter(each.style for each in styles if each.number == 1)
    for style in ranked:
        counted = [each.number for each in styles if each.style == style and each.number]
        counts_on = len(counted) >= 3 and counted == list(range(1, len(counted) + 1))
        if counts_on and _begun_anew_under(style, styles, again):
            ranked[style] = 5
            break
    return ranked


def _begun_anew_under(style: str, styles: list[Numbering], again: Counter[str]) -> bool:
    """Whether a style that usually stands higher begins with 1 under two of the numbers of ``style``."""
    rank = next(each.rank for each in styles if each.style == style)
    higher = {each.style for each in styles if each.rank < rank and again[each.style] >= 2 and each.number}
    parts: dict[str, set[int]] = {name: set() for name in higher}
    number = 0
    for each in styles:
        if each.style == style:
            number = each.number
        elif each.style in higher and each.number == 1 and number:
            parts[each.style].add(number)
    return any(len(under) >= 2 for under in parts.values())
