"""The grammar of 条、款、项: how articles, paragraphs and items are written, singly, in lists and in ranges.

Comes in: a normalised text (``law/text.py``) and a place in it. Goes out: the addresses that are written
there. What they are addresses of is not known here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from assistant.law.text import CHINESE_NUMERAL, chinese_to_number, number_to_chinese


@dataclass(frozen=True)
class Address:
    """Article, paragraph, item as written, with its place in the normalised text."""

    article: str
    paragraph: int | None
    item: int | None
    point: int | None  # 目: read, but the stock does not go so far down
    start: int
    end: int

    @property
    def written(self) -> str:
        return write_address(self.article, self.paragraph, self.item)

    @property
    def level(self) -> int:
        return 4 if self.point else 3 if self.item is not None else 2 if self.paragraph is not None else 1


_NUMERAL = rf"(?:{CHINESE_NUMERAL}+|\d{{1,4}})"
_CIRCLED = "[①-⑳⑴-⒇㈠-㈩]"
ELEMENT = rf"(?:（{_NUMERAL}）|{_CIRCLED}|{_NUMERAL})"
_RANGE = "至|到|[-—–~～―]+"
_GROUP = re.compile(
    rf"(?P<di>第)?(?P<list>{ELEMENT}(?:(?:(?:[、和与及或]|以及|{_RANGE}|(?<=\d),(?=\d))第?)?{ELEMENT})*)"
    r"(?:(?P<unit>条|款(?!项目)|项|目(?![前标的录]))(?:之(?P<sub>[一二三四五六七八九十]{1,2}|\d{1,2})(?![款项条是]))?)"
)
_BARE_ITEM = re.compile(rf"(?P<list>（{_NUMERAL}）(?:(?:[、和与及或]|{_RANGE})?（{_NUMERAL}）)*)(?![款项条])")
_LEVELS = {"条": 1, "款": 2, "项": 3, "目": 4}
AFTER_TITLE = re.compile(
    "[”’」】]?(?:中所?规定的|所规定的|规定的|规定|中的|里的|里面的|当中的|中|里|的|之|，|：| )?"
    f"(?:第{_NUMERAL}章的?)?(?:第{_NUMERAL}节的?)?"
)
_INTO = re.compile("(?:的|之|中的|中|，|、| )?")
_AND = re.compile(rf"(?P<range>{_RANGE})|、|，|,|和|与|及其|及|或者?|以及|；| ")
# 第三条道路, 第二条线索: things that are counted by 条 too
COUNTED = re.compile(
    "道路|路径|路线|战线|防线|线索|建议|意见|措施|理由|消息|微信|短信|信息|评论|生产线|经验|原因|标准|渠道"
    "|红线|底线|禁令|要求|内容|生命|街|河|鱼|狗|腿|裤|船|龙"
)
_LONGEST_RANGE = 120


def _number(written: str) -> int | None:
    try:
        return chinese_to_number(written)
    except ValueError:
        return None


def _listed(match: re.Match[str]) -> list[tuple[int, int, int]] | None:
    """The numbers of 七、八 or （一）至（三） with their places; the parts of a range share its place.

    None where the words are no numbers. ``120-1``, an article and no range, comes back as 120 and -1.
    """
    at = match.start("list")
    numbers: list[tuple[int, int, int]] = []
    after_range = False
    for token in re.finditer(rf"(?P<element>{ELEMENT})|(?P<range>{_RANGE})", match["list"]):
        if token["range"]:
            after_range = True
            continue
        number = _number(token["element"])
        if number is None:
            return None
        start, end = at + token.start(), at + token.end()
        if after_range and numbers:
            first, range_start, _ = numbers.pop()
            if first > number:  # 120-1: an article, not a range
                return [(first, range_start, end), (-number, range_start, end)]
            if number - first > _LONGEST_RANGE:
                numbers += [(first, range_start, end), (number, range_start, end)]
            else:
                numbers += [(n, range_start, end) for n in range(first, number + 1)]
        else:
            numbers.append((number, start, end))
        after_range = False
    return numbers


def _addresses_of(group: re.Match[str], base: Address | None) -> list[Address] | None:
    """What one group (第七、八条; 第（一）（三）项) means below ``base``; None when it cannot stand here."""
    numbers = _listed(group)
    if not numbers:
        return None
    unit = group.groupdict().get("unit") or "项"
    sub = group.groupdict().get("sub")
    alone = len(numbers) == 1
    found: list[Address] = []
    if unit == "条":
        if len(numbers) == 2 and numbers[1][0] < 0:
            numbers, sub = numbers[:1], str(-numbers[1][0])
        for index, (number, start, end) in enumerate(numbers):
            last = index == len(numbers) - 1
            article = str(number) + (f"-{_number(sub)}" if sub and last else "")
            found.append(Address(article, None, None, None, start, end))
    elif base is None:
        return None
    else:
        for number, start, end in numbers:
            if unit == "款":
                found.append(Address(base.article, number, None, None, start, end))
            elif unit == "项":
                found.append(Address(base.article, base.paragraph, number, None, start, end))
            else:
                found.append(Address(base.article, base.paragraph, base.item, number, start, end))
    if alone:  # 第 and 条 belong to the words
        return [replace(found[0], start=group.start(), end=group.end())]
    head, tail = group.start(), group.end()
    found[0] = replace(found[0], start=head)
    return [
        replace(
            a,
            end=tail if a.end == found[-1].end else a.end,
            start=head if a.start == group.start("list") else a.start,
        )
        for a in found
    ]


def read_addresses(
    text: str, at: int, titled: bool, base: Address | None = None
) -> tuple[list[Address], int]:
    """The addresses written from ``at`` on, and where they end; ``base`` stands for an article named before.

    ``titled``: a title stands before, so that 7条3项 without 第 counts.
    """
    found: list[Address] = []
    colloquial = False
    end = at
    while True:
        last = found[-1] if found else base
        joined: re.Match[str] | None = None
        group: re.Match[str] | None = None
        if found or base:
            group = _group_at(text, end, last, colloquial)
            if group is None and found:
                if (into := _INTO.match(text, end)) and into.end() > end:
                    deeper = _group_at(text, into.end(), last, colloquial)
                    if deeper and _level(deeper) > found[-1].level:
                        group = deeper
                if group is None and (joined := _AND.match(text, end)):
                    group = _group_at(text, joined.end(), last, False)
        else:
            group = _GROUP.match(text, end)
            if group and (group["unit"] != "条" or not (group["di"] or titled)):
                group = None
            if group and not group["di"]:
                colloquial = True
                if COUNTED.match(text, group.end()):
                    group = None
        new = _addresses_of(group, last) if group else None
        if not group or not new:
            return found, end
        deeper_than_last = bool(found) and _level(group) > found[-1].level
        if found and deeper_than_last and not (joined and joined["range"]):
            start = found[-1].start
            shared = len(found) > 1 and found[-2].start == start
            new[0] = replace(new[0], start=new[0].start if shared else start)
            found.pop()
        elif joined and joined["range"] and found and new[0].level == found[-1].level:
            new = _between(found.pop(), new[0]) + new[1:]
        found += new
        end = group.end()


def _level(group: re.Match[str]) -> int:
    return _LEVELS[group.groupdict().get("unit") or "项"]


def _group_at(text: str, at: int, last: Address | None, colloquial: bool) -> re.Match[str] | None:
    """A group that goes on from ``last``: with 第 or brackets, or bare digits after a colloquial 7条."""
    group = _GROUP.match(text, at)
    if group:
        bare = (
            not group["di"] and not group["list"].startswith("（") and not re.match(_CIRCLED, group["list"])
        )
        if bare and not (colloquial or (group["list"].isascii() and text[at - 1 : at] in ("条", "款"))):
            return None
        if not group["di"] and group["unit"] == "条":
            return None
        return group
    if last and last.level < 3 and text[at - 1 : at] in ("条", "款"):
        return _BARE_ITEM.match(text, at)
    return None


def _between(first: Address, last: Address) -> list[Address]:
    """第五条至第七条 written out; where the numbers do not run on, only the two ends."""
    start, end = first.start, last.end
    ends = [replace(first, start=start, end=end), replace(last, start=start, end=end)]
    if first.level == 1:
        if not (first.article.isdigit() and last.article.isdigit()):
            return ends
        low, high = int(first.article), int(last.article)
        middle = [replace(ends[0], article=str(n)) for n in range(low, high + 1)]
    elif first.level == 2:
        low, high = first.paragraph or 0, last.paragraph or 0
        middle = [replace(ends[0], paragraph=n) for n in range(low, high + 1)]
    elif first.level == 3:
        low, high = first.item or 0, last.item or 0
        middle = [replace(ends[0], item=n) for n in range(low, high + 1)]
    else:
        return ends
    return middle if low < high <= low + _LONGEST_RANGE else ends


def write_address(article: str, paragraph: int | None, item: int | None) -> str:
    """第一百二十条之一第二款第（三）项."""
    number, _, sub = article.partition("-")
    words = f"第{number_to_chinese(int(number))}条"
    if sub:
        words += f"之{number_to_chinese(int(sub))}"
    if paragraph is not None:
        words += f"第{number_to_chinese(paragraph)}款"
    if item is not None:
        words += f"第（{number_to_chinese(item)}）项"
    return words
