"""Whether the articles of a law, as a data package holds them, are sound: found faults are mended, left out or said.

Comes in: articles as the package has them. Goes out: the articles that can be quoted, in order, and every fault
found. Mended is only what cannot change a word: a heading that hangs on the end of an article, blanks and line
breaks inside a sentence, straight quotation marks. An article whose words are in doubt is left out: better no text
than a wrong one.

Known weakness: a page break that fell between two sentences of one paragraph cannot be told from a new paragraph.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from assistant.law.text import CHINESE_NUMERAL, chinese_to_number, number_to_chinese

Treatment = Literal["mended", "left_out", "noted"]

_NUMBER = re.compile(rf"第({CHINESE_NUMERAL}+)条(?:之({CHINESE_NUMERAL}+))?")
_HEADING = re.compile(rf"第{CHINESE_NUMERAL}+(?:编|分编|章|节)[\s\u3000]+[^。；：，]+|[总分附][\s\u3000]*则")
_PART = re.compile(rf"第({CHINESE_NUMERAL}+)(编|分编)")
_ARTICLE = re.compile(rf"第{CHINESE_NUMERAL}+条(?:之{CHINESE_NUMERAL}+)?\s.*")
_RUN_ON = re.compile(rf"(?<=[：；])(?=（{CHINESE_NUMERAL}+）)")
_ITEM = re.compile(rf"（{CHINESE_NUMERAL}+）|\d+[.．、]|[（(]\d+[）)]")
_NUMBERED_ITEM = re.compile(rf"（({CHINESE_NUMERAL}+)）")
_MARKUP = re.compile(r"<\s*/?\s*[A-Za-z][^<>]*>|&(?:[A-Za-z]+|#\d+);|[\x00-\x08\x0b-\x1f\ufffd\ue000-\uf8ff]")
_BLANK = r"(?:[^\S\n]|[\u200b-\u200f\u2060\ufeff])+"
_WIDE = r"[\u2018-\u201d\u3001-\u30ff\u3400-\u9fff\uff01-\uffef]"
_GAP = re.compile(rf"(?<={_WIDE}){_BLANK}|{_BLANK}(?={_WIDE})|^{_BLANK}|{_BLANK}$", re.MULTILINE)
_END = "。；：！？…”’）》"
_APPENDIX = re.compile(
    r"附[\s\u3000]*(?:(?:件|录|表|图)[^。；，]{0,30}|[：:]?)|[^。；，]{2,30}表[一二三四五六七八九十]?(?:（[^。]*）)?"
)
_SHORT = 20  # a line that ends with a comma and is no longer is one of a list, not half a sentence


@dataclass(frozen=True)
class RawArticle:
    """``number`` as printed (第十七条之一); ``section`` is "第二章 … > 第一节 …"; paragraphs and items are lines."""

    number: str
    text: str
    section: str = ""


@dataclass(frozen=True)
class Fault:
    """Something wrong with the data, and what was done about it."""

    article: str  # as printed
    kind: str
    treatment: Treatment
    sentence: str


@lru_cache(maxsize=4096)
def id_of(number: str) -> str | None:
    """The number as ids write it; None for what is no article.

    >>> id_of('第十七条'), id_of('第一百二十条之一'), id_of('全文')
    ('17', '120-1', None)
    """
    found = _NUMBER.fullmatch(number.strip())
    if found is None:
        return None
    article, inserted = chinese_to_number(found[1]), found[2]
    return f"{article}-{chinese_to_number(inserted)}" if inserted else str(article)


def examine(articles: Sequence[RawArticle]) -> tuple[tuple[RawArticle, ...], tuple[Fault, ...]]:
    """The sound articles, mended where that changes no word, in the order of their numbers, and what was found."""
    faults: list[Fault] = []
    numbered: list[RawArticle] = []
    for article in articles:
        if id_of(article.number) is None:
            faults.append(_fault(article, "number", "left_out", "不是可以辨认的条号"))
        else:
            numbered.append(article)
    numbered, part = _told_once(numbered, faults), ""
    ordered = sorted(numbered, key=_position)
    for before, after in pairwise(numbered):
        if _position(after) < _position(before):
            faults.append(_fault(after, "order", "mended", f"排在{before.number}之后，已按条号排好"))
    doubtful = set(_before_gaps(ordered, faults))
    kept: list[RawArticle] = []
    for article in ordered:
        mended = _without_appendix(article, faults) if article is ordered[-1] else article
        mended, found = mend(mended)
        faults += found
        mended, below = _without_headings(mended, faults)
        if part:
            mended = replace(mended, section=" > ".join(filter(None, (part, mended.section))))
        part = _after(part, below)
        if article.number not in doubtful and not _in_doubt(mended, faults):
            kept.append(mended)
    return tuple(kept), tuple(faults)


def fault_sentence(faults: Sequence[Fault]) -> str:
    """What was found, in one sentence; "" where all is well.

    >>> fault_sentence([Fault("第三条", "quotes", "mended", ""), Fault("第九条", "empty", "left_out", "")])
    '数据包里第九条的文字不可靠，没有采用；另有1条的空格、断行、引号或标题已修整，文字不变。'
    """
    by: dict[Treatment, dict[str, None]] = {"mended": {}, "left_out": {}, "noted": {}}
    for fault in faults:
        by[fault.treatment][fault.article] = None
    missing = [fault.article for fault in faults if fault.kind == "missing"]
    mended = by["mended"].keys() - by["left_out"].keys()
    parts = [
        f"数据包里缺{_some(missing)}" if missing else "",
        f"数据包里{_some(list(by['left_out']))}的文字不可靠，没有采用" if by["left_out"] else "",
        f"另有{len(mended)}条的空格、断行、引号或标题已修整，文字不变" if mended else "",
    ]
    said = "；".join(filter(None, parts))
    return said.removeprefix("另") + "。" if said else ""


def _some(names: Sequence[str]) -> str:
    return "、".join(names[:5]) + (f"等{len(names)}条" if len(names) > 5 else "")


def _fault(article: RawArticle, kind: str, treatment: Treatment, what: str) -> Fault:
    done = {"mended": "", "left_out": "，没有采用", "noted": ""}[treatment]
    return Fault(article.number, kind, treatment, f"{article.number}{what}{done}。")


def _position(article: RawArticle) -> tuple[int, int]:
    number, _, inserted = (id_of(article.number) or "0").partition("-")
    return int(number), int(inserted or 0)


def _told_once(articles: list[RawArticle], faults: list[Fault]) -> list[RawArticle]:
    """Each number once: the same words twice count once, two wordings of one number not at all."""
    counts = Counter(map(_position, articles))
    wordings: dict[tuple[int, int], set[str]] = {}
    for article in articles:
        wordings.setdefault(_position(article), set()).add(article.text)
    kept: list[RawArticle] = []
    told: set[tuple[int, int]] = set()
    for article in articles:
        at = _position(article)
        if counts[at] > 1 and at not in told:
            if len(wordings[at]) > 1:
                faults.append(_fault(article, "duplicate", "left_out", "有几种不同的文字"))
            else:
                faults.append(_fault(article, "duplicate", "mended", "重复出现，只算一次"))
        if at not in told and len(wordings[at]) == 1:
            kept.append(article)
        told.add(at)
    return kept


def _before_gaps(articles: Sequence[RawArticle], faults: list[Fault]) -> Iterator[str]:
    """A published law skips no number: the words of a missing article may hang on the one before it."""
    left_out = {fault.article for fault in faults if fault.treatment == "left_out"}
    previous, before = 0, None
    for article in articles:
        number, _ = _position(article)
        missing = [f"第{number_to_chinese(n)}条" for n in range(previous + 1, number)]
        for name in missing:
            if name not in left_out:
                faults.append(Fault(name, "missing", "noted", f"缺{name}。"))
                if before and before.number not in left_out:
                    faults.append(_fault(before, "before_gap", "left_out", f"可能混入了所缺{name}的文字"))
                    left_out.add(before.number)
                    yield before.number
        previous, before = number, article


def mend(article: RawArticle) -> tuple[RawArticle, tuple[Fault, ...]]:
    """The article with its lines and marks put right; no word changes."""
    faults: list[Fault] = []
    given = article.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    # a heading or another article is known by its blank, so its line is left alone
    lines = [line.strip() if _stands_alone(line.strip()) else _GAP.sub("", line) for line in given]
    if gaps := sum(line != old for line, old in zip(lines, given, strict=True)):
        faults.append(_fault(article, "blanks", "mended", f"有{gaps}行夹着多余的空格，已去掉"))
    whole: list[str] = []
    broken = 0
    for line in filter(None, lines):
        if whole and _goes_on(whole[-1], line):
            whole[-1] += line
            broken += 1
        else:
            whole.append(line)
    if broken:
        faults.append(_fault(article, "breaks", "mended", f"有{broken}处句子被断成两段，已接上"))
    text, run_on = _RUN_ON.subn("\n", "\n".join(whole))
    if run_on:
        faults.append(_fault(article, "run_on", "mended", f"有{run_on}项没有另起一行，已分开"))
    if '"' in text:
        if all(line.count('"') % 2 == 0 for line in text.split("\n")):
            text = re.sub('"([^"\n]*)"', r"“\1”", text)
            faults.append(_fault(article, "quotes", "mended", "用的是直引号，已换成公布文本的弯引号"))
        else:
            faults.append(_fault(article, "quotes", "noted", "用的是直引号，而且不成对，照原样保留"))
    return replace(article, text=text), tuple(faults)


def _goes_on(line: str, following: str) -> bool:
    """Whether a sentence was cut between the two lines."""
    if line[-1] in _END or (line[-1] in "，、" and len(line) <= _SHORT):
        return False
    return not (_stands_alone(line) or _stands_alone(following) or _ITEM.match(following))


def _stands_alone(line: str) -> bool:
    return bool(_HEADING.fullmatch(line) or _ARTICLE.fullmatch(line))


def _without_appendix(article: RawArticle, faults: list[Fault]) -> RawArticle:
    """The last article without the tables and pictures that follow it."""
    lines = article.text.split("\n")
    at = next((n for n, line in enumerate(lines) if n and _APPENDIX.fullmatch(line.strip())), None)
    if at is None:
        return article
    faults.append(_fault(article, "appendix", "mended", f"末尾混入了附件“{lines[at].strip()}”，已移开"))
    return replace(article, text="\n".join(lines[:at]))


def _without_headings(article: RawArticle, faults: list[Fault]) -> tuple[RawArticle, tuple[str, ...]]:
    """The article without headings that hang on its end, and those headings: they belong to what follows."""
    lines = article.text.split("\n")
    below: list[str] = []
    while len(lines) > 1 and _HEADING.fullmatch(lines[-1]):
        below.insert(0, lines.pop())
    for heading in below:
        faults.append(_fault(article, "heading", "mended", f"末尾混入了标题“{heading}”，已移开"))
    return replace(article, text="\n".join(lines)), tuple(below)


def _after(part: str, below: Sequence[str]) -> str:
    """The 编 and 分编 that the following articles stand in."""
    levels = [level for level in part.split(" > ") if level]
    for heading in below:
        found = _PART.match(heading)
        if found:
            levels = [heading] if found[2] == "编" else [*levels[:1], heading]
        elif heading[0] in "总分附":
            levels = []
    return " > ".join(levels)


def _in_doubt(article: RawArticle, faults: list[Fault]) -> bool:
    what = ""
    if not article.text:
        kind, what = "empty", "没有文字"
    elif _MARKUP.search(article.text):
        kind, what = "markup", "残留网页代码或乱码"
    elif any(_ARTICLE.fullmatch(line) for line in article.text.split("\n")):
        kind, what = "swallowed", "里面混入了另一条"
    elif any(_HEADING.fullmatch(line) for line in article.text.split("\n")):
        kind, what = "heading_inside", "中间混入了标题"
    elif article.text[-1] not in _END:
        kind, what = "unfinished", "最后一句没有写完"
    elif not _items_follow(article.text):
        kind, what = "items", "各项的序号不连续"
    if what:
        faults.append(_fault(article, kind, "left_out", what))
    return bool(what)


def _items_follow(text: str) -> bool:
    """Whether every list of items begins with （一） and skips none."""
    last = 0
    for line in text.split("\n"):
        found = _NUMBERED_ITEM.match(line)
        number = chinese_to_number(found[1]) if found else 0
        if number > 1 and number != last + 1:
            return False
        last = number or last  # sub-items and a line between two items do not end a list
    return True
