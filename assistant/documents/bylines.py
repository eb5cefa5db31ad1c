"""What an article says of itself: title, author, date, source, and whether it is official.

Comes in: what the file says (``model.RawDocument``), and the lines of the document. Goes out: a ``Byline``, and the
lines that are text. Official is an interpretation that names itself one and names the body that gives it; what a
newspaper or a scholar writes is commentary, whoever is quoted in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from statistics import median

from assistant.documents.authority import is_official
from assistant.documents.cleaning import Line, is_finished, is_furniture, is_prose, key_of
from assistant.documents.headings import is_numbered, is_question, label_of
from assistant.documents.paragraphs import is_broken
from assistant.law.text import fold
from assistant.model import RawDocument


@dataclass(frozen=True)
class Byline:
    title: str
    author: str = ""
    published: date | None = None
    source: str = ""
    official: bool = False


# ---------------------------------------------------------------- dates and names

_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)(?:年|[-/.])\s?(\d{1,2})(?:月|[-/.])\s?(\d{1,2})(?!\d)日?")
_DATE_LINE = re.compile(r"\W*(?:发布|发表|更新|刊发)?(?:时间|日期)?[：\s]*\d{4}")
_SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任"
    "姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛"
    "伍韦申尤毕聂丛焦向柳邢路岳齐梅莫庄辛管祝左涂谷祁时舒耿牟卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景"
    "薄单包司柏宁柯阮桂闵解强柴华车冉房边净阴闫佘练骆付代麦褚娄窦戚岑鹿党宫费卿晏蔚冷巩寇燕楚尚农温诸晋"
)
_NOT_NAMES = frozenset(
    [
        "关键词",
        "关键字",
        "成果",
        "方法",
        "时间",
        "问题",
        "文章",
        "文件",
        "石油",
        "白皮书",
        "高度",
        "高层",
        "方案",
        "安全",
        "任务",
        "管理",
        "常见",
        "史料",
        "向导",
        "时评",
        "时政",
        "成效",
        "成绩",
        "项目",
    ]
)
_PERSON = r"[\u4e00-\u9fff](?:\s?[\u4e00-\u9fff·]){1,3}"
_PEOPLE = re.compile(rf"{_PERSON}(?:[、，,\s]+{_PERSON}){{0,5}}$")
_AUTHOR = re.compile(
    rf"^\W*(?:作者|撰文|撰稿|文字|文|(?:[\u4e00-\u9fff]{{2,6}}(?:报|社|网)|本报|本刊|通讯)?(?:记者|通讯员|评论员))\s*[：/|:\s]\s*"
    rf"(?P<names>{_PERSON}(?:[、，,\s]+{_PERSON}){{0,5}})\W*$"
)
_AUTHOR_OF = re.compile(
    rf"^[（(【\[]?作者(?:简介|单位)?[】\]：:]*\s*(?P<names>{_PERSON})(?=\s*(?:，|系|为|单位|（|,))"
)
_SOURCE = re.compile(
    r"(?:(?:文章|信息|稿件|新闻|内容)?(?:来源|稿源|出处)|转自|原载|摘自)\s*[：|:/]\s*(?P<name>[^\s|，。；（）]{2,30}(?:[、][^\s|，。；（）]{2,30})*)"
)
_JOURNAL = re.compile(
    r"^\W*(?:本文)?(?:原?载于?|原?刊于?|原文?(?:刊|发表|登载)于?|发表于|摘自|选自)?\s*"
    r"(?P<name>《[^》]{2,20}》)\s*(?:杂志)?\s*(?P<issue>\d{4}年第?\d{1,2}期)?\W*$"
)
_PLATFORM = re.compile('平台[“"](?P<name>[^”"]{2,12})[”"]用户')
_AFFILIATION = re.compile(
    r"（.{2,60}\d{6}）$|（(?:作者)?单位.*）$|（.{2,30}(?:大学|学院|研究[院所]|党校)[^。]{0,20}）$|\d?\.?.{2,30}，.{2,12}\d{6}$"
)
_RECEIVED = re.compile("收稿|修回|修改|截至|截止|施行|实施")
_SAYS_WHEN = ("html", "markdown", "text")  # in others it is the day on which somebody made the file
_NOBODY = re.compile(
    r"^(?:admin(?:istrator)?|users?|微软用户|用户|未知|匿名|author|owner|root|pc|dell|lenovo|hp|\d+)?$",
    re.IGNORECASE,
)


def _day(text: str) -> date | None:
    for found in _DATE.finditer(text):
        try:
            return date(*map(int, found.groups()))
        except ValueError:
            continue
    return None


def _is_person(text: str) -> bool:
    """
    >>> _is_person('蒋来用'), _is_person('引言'), _is_person('张三、李四五')
    (True, False, True)
    """
    folded = fold(text).strip()
    if len(folded) > 40 or not _PEOPLE.match(folded) or folded in _NOT_NAMES:
        return False
    spaced = re.fullmatch(r"(?:[\u4e00-\u9fff]\s){1,3}[\u4e00-\u9fff]", folded)
    names = [folded] if spaced else re.split(r"[、，,\s]+", folded)
    return all(
        name[0] in _SURNAMES or name[:2] in ("欧阳", "司马", "上官", "诸葛", "皇甫") for name in names if name
    )


def _named(text: str) -> str:
    """Names without the blanks of spaced printing."""
    return re.sub(r"(?<![\u4e00-\u9fff]{2}) (?![\u4e00-\u9fff]{2})", "", text.strip())


# ---------------------------------------------------------------- titles

_GENERIC = re.compile(
    r"Microsoft|Word|文档|未命名|无标题|untitled|幻灯片|PowerPoint|新建|\d+$|[0-9a-f_-]{8,}$", re.IGNORECASE
)


def title_of(text: str) -> str:
    """A title without what scraping left around it.

    >>> title_of("'問責,做\\\\\\\\'背鍋俠\\\\\\\\''"), title_of('某文_某网'), title_of('《试验条例》释义')
    ("問責,做'背鍋俠'", '某文', '《试验条例》释义')
    """
    text = text.replace("\\", "").strip().strip("#").strip()
    for _ in range(2):
        if len(text) > 2 and text[0] in "'\"“‘" and text[-1] in "'\"”’" and _is_wrapper(text):
            text = text[1:-1].strip()
    if re.match("['\"]", text) and text.count(text[0]) == 1:
        text = text[1:]
    parts = re.split(r"\s*[_|｜]\s*|\s+[-—–]{1,2}\s+", text)
    return parts[0].strip() if len(parts[0]) >= 2 else text


def _is_wrapper(text: str) -> bool:
    """Whether the marks at both ends belong together and not to quotations at the beginning and the end."""
    inner = text[1:-1]
    if text[0] in "'\"":
        return inner.count(text[0]) % 2 == 0
    return "”" not in inner and "’" not in inner


def read_byline(raw: RawDocument, lines: Sequence[Line]) -> tuple[Byline, list[Line]]:
    """Byline, and the lines without those it was read from; where nothing names the document, its file does."""
    places = _head(lines)
    title_at, title = _title(raw, lines, places)
    used = set(title_at)
    author, source, day = "", "", None
    for at, line in enumerate(lines):
        in_head = at in places
        folded = line.folded
        if line.kind == "table" or at in used or len(folded) > 200:
            continue
        platform = _PLATFORM.search(folded)
        if platform and not source:
            source = line.text[slice(*platform.span("name"))]
        if len(folded) > 80 or is_prose(line.text):
            continue
        found = _AUTHOR.match(folded) or _AUTHOR_OF.match(folded)
        if found and (in_head or at > len(lines) - 8 or _AUTHOR_OF.match(folded)):
            author = author or _named(line.text[slice(*found.span("names"))])
            used.add(at)
        named = _SOURCE.search(folded) or (_JOURNAL.match(folded) if at > len(lines) - 6 or in_head else None)
        if named and not is_finished(folded[:-1]):
            if not source:
                end = named.end("issue") if named.re is _JOURNAL and named["issue"] else named.end("name")
                source = line.text[named.start("name") : end].strip()
            used.add(at)
        if (in_head or (at > len(lines) - 6 and _DATE_LINE.match(folded))) and not is_finished(folded):
            dated = None if _RECEIVED.search(folded) or is_numbered(folded) else _day(folded)
            if dated:
                day = day or dated
                used.add(at)
                beside = _DATE.sub("", line.text).strip()
                author = author or (_named(beside) if in_head and _is_person(beside) else "")
    for at in places:
        if at in used or lines[at].kind == "heading":
            continue
        near = any(at - before in used for before in (1, 2)) or at < 3
        if not author and near and _is_person(lines[at].text):
            author = _named(lines[at].text)
            used.add(at)
        elif _is_affiliation(lines[at].folded):
            used.add(at)
    author = author or ("" if _NOBODY.match(raw.author.strip()) else raw.author.strip())
    rest = [line for at, line in enumerate(lines) if at not in used]
    opening = "".join(line.text for line in rest[:6])
    if day is None and raw.format in _SAYS_WHEN:
        day = raw.published
    byline = Byline(title, author, day, source, is_official(title, author, opening))
    return byline, rest


def _head(lines: Sequence[Line]) -> list[int]:
    """The places of the lines before the text begins."""
    head: list[int] = []
    for at, line in enumerate(lines[:12]):
        folded = line.folded
        if line.kind == "table" or is_prose(line.text) or is_question(folded):
            break
        if label_of(folded) in ("摘要", "关键词", "答"):
            break
        if is_numbered(folded) and at:
            break
        if is_finished(folded) and len(folded) > 30:
            break
        head.append(at)
    return head


def _title(raw: RawDocument, lines: Sequence[Line], head: Sequence[int]) -> tuple[tuple[int, ...], str]:
    """Places of the lines that make the title, and the title."""
    said = title_of(raw.title)
    heading = next((at for at in head if lines[at].kind == "heading" and lines[at].level <= 1), None)
    lead = next((at for at in head if _may_be_title(lines[at])), None) if heading is None else heading
    if lead is not None and heading is None and _runs_on(lines, lead):
        lead = None
    if lead is None:
        return (), said or PurePosixPath(raw.name).stem
    title = title_of(lines[lead].text)
    same = bool(said) and _holds(fold(title), fold(said))
    if said and not same and heading is None and not _is_generic(said):
        return (), said
    places = [lead]
    if lead + 1 in head and re.match("[—–-]{1,2}", lines[lead + 1].text):
        title += lines[lead + 1].text
        places.append(lead + 1)
    return tuple(places), title


def _runs_on(lines: Sequence[Line], at: int) -> bool:
    """Whether this is the first line of a paragraph, in a document that breaks its lines, and so no title."""
    if at + 1 >= len(lines) or not is_broken(lines):
        return False
    full = median(line.columns for line in lines if line.columns >= 20)
    return all(0.85 * full <= line.columns and not line.finished for line in lines[at : at + 2])


def _holds(one: str, other: str) -> bool:
    """Whether one of the two has all the words of the other in it."""
    one, other = key_of(one), key_of(other)
    return one in other or other in one


def _is_generic(title: str) -> bool:
    return bool(_GENERIC.match(title))


def _may_be_title(line: Line) -> bool:
    folded = line.folded
    return (
        4 <= len(folded) <= 80
        and folded[-1] not in "。；，、"
        and not is_numbered(folded)
        and not _is_person(folded)
        and not _is_affiliation(folded)
        and not is_furniture(folded)
        and not _SOURCE.search(folded)
        and _day(folded) is None
        and not re.match(r"\W*(?:首页|作者|来源|目录|编者按|\d+$)", folded)
    )


def _is_affiliation(folded: str) -> bool:
    return bool(_AFFILIATION.match(folded))


# ---------------------------------------------------------------- two columns


_ABSTRACT = re.compile(r"^\W*(?:内容)?(?:摘\s*要|提\s*要)\W")
_KEYWORDS = re.compile(r"^\W*关\s*键\s*词\W")


def with_front_first(lines: Sequence[Line]) -> list[Line]:
    """Title, author, abstract and keywords put first, where the columns of a page set them between two lines."""
    folded = [line.folded for line in lines]
    abstract = next((at for at, text in enumerate(folded) if _ABSTRACT.match(text)), None)
    if abstract is None:
        return list(lines)
    last = next(
        (at for at in range(abstract, min(abstract + 60, len(lines))) if _KEYWORDS.match(folded[at])), None
    )
    if last is None:
        return list(lines)
    full = median(line.columns for line in lines if line.columns >= 20)
    start = abstract
    while start > 0 and abstract - start < 8:
        above = folded[start - 1]
        in_column = 0.85 * full <= lines[start - 1].columns <= 1.1 * full
        is_named = (
            _is_affiliation(above) or _is_person(above) or (start < abstract and _is_person(folded[start]))
        )
        if (
            is_finished(above)
            or lines[start - 1].kind == "table"
            or is_numbered(above)
            or (in_column and not is_named)
        ):
            break
        start -= 1
    if not any(is_prose(line.text) or line.columns >= 0.85 * full for line in lines[:start]):
        return list(lines)  # it does stand first
    wide = max(line.columns for line in lines[abstract : last + 1])
    while last + 1 < len(lines) and (lines[last].columns >= 0.9 * wide or label_of(folded[last + 1])):
        last += 1
    end = last + 1
    return [*lines[start:end], *lines[:start], *lines[end:]]
