"""What of a document is not the author's text: site furniture, page headers, reference lists, broken characters.

Comes in: the blocks of a document (``model.RawDocument``). Goes out: its lines, clean, with their kind and page;
the words that stay are as they were written. The patterns are read against folded text (``law/text.py``), so that
each is written once, in simplified characters.

Known weakness: furniture is recognised by the words sites commonly use; an advertisement in whole sentences stays.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from assistant.law.text import fold, has_words
from assistant.model import Block


@dataclass(frozen=True)
class Line:
    """A line, or a whole paragraph where the document does not break its lines; a table keeps its rows."""

    text: str
    kind: Literal["line", "paragraph", "heading", "table"]
    level: int = 0
    page: int | None = None
    indented: bool = False

    @cached_property
    def folded(self) -> str:
        return fold(self.text)

    @cached_property
    def columns(self) -> int:
        return width(self.text)

    @cached_property
    def finished(self) -> bool:
        return is_finished(self.text)


def width(text: str) -> int:
    """Columns in print: a Chinese character takes two.

    >>> width('第7条')
    5
    """
    return len(text) + len(_WIDE.findall(text))


_WIDE = re.compile("[\u2000-\uffff\U00020000-\U0003ffff]")
_ENDS = re.compile("[。！？!?；;…：:][”’」』\"'）)》】\\]]*$")
_LATIN_END = re.compile(r"[a-zA-Z\d)][.][\"')]*$")
_TRAILING_MARKS = re.compile(r"(?:[①-⑳㉑-㉟]|\[\d{1,3}\]|〔\d{1,2}〕|[¹²³⁰⁴-⁹]+)+$")


def is_finished(text: str) -> bool:
    """Whether the text ends as a sentence or an enumeration does, a footnote mark left aside.

    >>> is_finished('应当问责。”①'), is_finished('应当问'), is_finished('主要有：')
    (True, False, True)
    """
    bare = _TRAILING_MARKS.sub("", text[-60:].rstrip())
    return bool(_ENDS.search(bare) or _LATIN_END.search(bare))


def is_prose(text: str) -> bool:
    """Whether this is running text, not a title, a name or a cell: a few words at least, ended like a sentence."""
    return len(text) >= 40 and (is_finished(text) or len(text) >= 80)


_NO_LETTER = re.compile(r"[\W_]+")


def key_of(folded: str) -> str:
    """What two copies of a paragraph have in common: letters and digits without marks and blanks.

    >>> key_of(fold('問責“不力”，')) == key_of(fold("问责 '不力',"))
    True
    """
    return _NO_LETTER.sub("", folded).lower()


# ---------------------------------------------------------------- characters

_REMAINS = re.compile(
    r"!\[[^\]\n]{0,500}\]\([^)\n]{0,2000}\)"  # images of Markdown
    r"|</?(?:p|br|hr|div|span|strong|b|em|i|u|a|img|font|script|style|center|section|table|tbody|tr|td|th|ul|ol|li"
    r"|h[1-6])\b[^<>\n]*>"
    r"|[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad\ufffc\ufffd]"
    r"|[\ue000-\uf8ff\U000f0000-\U0010ffff]"  # letters of a font of its own: nobody can read them elsewhere
    r"|(?:锟斤拷)+|烫{3,}|屯{3,}|(?:â€[œ™˜“”¦\x9d]?)+|ï»¿",
    re.IGNORECASE,
)
_LINK = re.compile(r"\[([^\]\n]{0,500})\]\((?:https?:|/|#|mailto:|javascript:)[^)\n]{0,2000}\)")
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_BLANKS = re.compile(r"[ \xa0\u2000-\u200a\u202f\u3000]+|&nbsp;")
_BULLET = re.compile(r"^[•●◆◇■□▪▶►◎★☆▲△➤✦]+ ?(?=\S)")


def clean(text: str) -> str:
    """One line without what cannot be read and what belongs to markup; blanks become one space, tabs stay.

    >>> clean('　问责![](a.png)\\ufffd\\ue012[条例](https://example.org)&nbsp;**全文**')
    '问责条例 全文'
    """
    text = _REMAINS.sub("", text)
    text = _BOLD.sub(r"\1", _LINK.sub(r"\1", text))
    text = _BLANKS.sub(" ", text).strip(" ")
    return _BULLET.sub("", text)


def lines_of(blocks: Iterable[Block]) -> list[Line]:
    """The blocks line by line, empty ones and lone marks left out. Tables stay whole, rows parted by line breaks."""
    found: list[Line] = []
    for block in blocks:
        if block.kind == "table":
            rows = [re.sub(" ?\t ?", "\t", clean(row)) for row in block.text.splitlines()]
            rows = [row for row in rows if has_words(row)]
            if rows and _is_layout(rows):
                found += (
                    Line(cell, "paragraph", 0, block.page) for row in rows for cell in row.split("\t") if cell
                )
            elif rows:
                found.append(Line("\n".join(rows), "table", 0, block.page))
            continue
        for piece in block.text.splitlines():
            text = clean(piece.replace("\t", " "))
            if has_words(text) or "%" in text or "％" in text:  # （%） heads a column
                indented = bool(re.match("\u3000|  |\t", piece))
                found.append(Line(text, block.kind, block.level, block.page, indented))
    return found


def _is_layout(rows: Sequence[str]) -> bool:
    """Whether a table only places text on a page: one column, or cells as long as paragraphs."""
    cells = [cell for row in rows for cell in row.split("\t") if cell]
    return all("\t" not in row for row in rows) or sum(map(len, cells)) > 80 * len(cells)


# ---------------------------------------------------------------- pages

_PAGE_NUMBER = re.compile(
    r"^[-—–·•.\s]*\d{1,4}[-—–·•.\s]*$|^\W*第?\s*\d{1,4}\s*页(?:\W*[共/]\s*\d{1,4}\s*页?)?\W*$|^\d{1,4}\s*/\s*\d{1,4}$"
    r"|^Page\s*\d+(?:\s*of\s*\d+)?$",
    re.IGNORECASE,
)


def is_page_number(text: str) -> bool:
    return len(text) <= 20 and bool(_PAGE_NUMBER.match(text))


def without_page_edges(lines: Sequence[Line]) -> list[Line]:
    """Without what stands at the top or foot of page after page: running titles, page numbers."""
    by_page: dict[int, list[int]] = defaultdict(list)
    for at, line in enumerate(lines):
        if line.page is not None:
            by_page[line.page].append(at)
    if len(by_page) < 2:
        return list(lines)
    keys = {at: running_key(lines[at]) for places in by_page.values() for at in (*places[:3], *places[-3:])}
    seen: Counter[str] = Counter()
    for places in by_page.values():  # once for each page
        seen.update({keys[at] for at in (*places[:3], *places[-3:])})
    needed = 2 if len(by_page) <= 4 else 3
    running = {key for key, count in seen.items() if key and count >= needed}
    dropped: set[int] = set()
    for places in by_page.values():
        for inwards in (places[:3], places[:-4:-1]):
            for at in inwards:  # what stands behind the first line of text is text
                if keys[at] not in running and not (keys[at] != "#" and is_page_number(lines[at].text)):
                    break
                dropped.add(at)
    return [line for at, line in enumerate(lines) if at not in dropped]


def running_key(line: Line) -> str:
    """What a running title has in common from page to page, or "" for a line that cannot be one."""
    if line.kind in ("table", "heading") or len(line.text) > 60 or line.finished:
        return ""
    if re.search("[，。；]", line.folded) or _NEW_PART.match(line.folded):
        return ""
    key = re.sub(r"\d+", "#", "".join(line.folded.split()))
    return key if key == "#" or any(map(str.isalpha, key)) else ""  # 43.75 is a cell


# ---------------------------------------------------------------- site furniture

_TAIL = """相关(?:推荐|阅读|新闻|链接|文章|报道|专题|内容|资讯)|(?:推荐|延伸|扩展|拓展)阅读|猜你喜欢
    |热门(?:评论|文章|新闻|话题|推荐)|(?:为您|编辑|精彩|今日)推荐|(?:网友|最新|发表|我要|全部)评论|往期(?:回顾|精选|推荐)|大家都在(?:看|搜)"""
_SHORT = re.compile(
    rf"""^\W*(?:{_TAIL}
    |推荐(?:中|阅读|新闻|文章|视频)?\W*$|.{{0,30}}(?:扩展|延伸|拓展)阅读\W*$|.{{0,30}}(?:网[络路]|百科)名片\W*$
    |[上下]一[篇页条则个](?:\W|$)|返回(?:首页|顶部|目录|上页|列表)|回到?顶部
    |[您你]?(?:现在|当前)的?(?:所在)?(?:位置|栏目)|[您你](?:所在)?的位置|首页\s*[>›»|/·-]
    |(?:打印|关闭|收藏|纠错|字体|字号|大|中|小)(?:本页|本文|窗口|此页)?(?:[】\]：|\s]|$)
    |分享(?:到|至|给|本文|文章|按钮|[：|\s]|$)|微信(?:扫|号|公众|分享|搜)|扫一扫|扫描?(?:下方|上方|图中)?二维码|扫码|长按|识别二维码
    |关注(?:我们|公众号|微信|本号|官方)|(?:点赞|转发|收藏|评论|举报|投诉|阅读|浏览|点击|在看|赞|踩)(?:量|数|次数|人数)?[\s：（）|\d万+]*$
    |(?:责任编辑|责编|编辑|审核|校对|监制|编审|排版|主编|值班编委|美编|制图|终审|复审|初审|编校|统筹|策划)\s*[：|/丨]
    |版权(?:所有|归)|copyright|©|.{{0,15}}ICP备|.{{0,15}}公网安备
    |(?:登录|注册|登录\W*注册|搜索|首页|客户端|手机版|繁体版?|English|无障碍|网站地图|联系我们|关于我们|设为首页|加入收藏)\W*$
    |展开(?:全文|阅读全文|更多|剩余.*)?\W*$|(?:阅读|查看|显示|点击)(?:全文|原文|更多)|点击(?:查看|阅读|进入|下载|展开|上方|下方|蓝字|图片|播放)
    |(?:打开|下载).{{0,10}}(?:APP|客户端)|广告(?:\W|$)|赞助(?:商|内容)|(?:全文)?完\W*$|\d+条评论
    |图片来源|(?:图|摄影?|图文|制图)[：/|]|资料图|配图|.{{0,24}}\s(?:摄|供图|绘)\W*$|javascript|function\s*\(
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_NOTICE = re.compile(
    r"""^\W*(?:(?:特别|免责|版权|郑重|重要)声明|声明：|风险提示：|Notice\b|Disclaimer
    |The\ content\ above|All\ rights\ reserved
    |本文(?:仅代表|转自|转载|首发|来自|来源|章来源|版权|由.{2,20}(?:授权|投稿|整理)|系.{0,60}(?:课题|项目|基金|成果|原创|转载))
    |以上(?:内容|文章|图片|信息|观点)(?:仅|系|为|（|均|来自|由)|转载(?:请|须|需|自|于|时)|未经.{0,10}(?:授权|许可|允许|同意)
    |如(?:有|需|涉|果有)?.{0,6}(?:侵权|转载)|凡?本(?:网|站|平台|公众号|微信)(?:所有|转载|刊载|声明|注明|站|发布)
    |欢迎(?:关注|订阅|转发|投稿|扫码|在评论)|更多精彩|来自(?:微信)?公众号|(?:基金|资助)项目：|收稿日期：|中图分类号|文献标[识志]码
    |文章编号：|DOI\b|\[?(?:基金项目|收稿日期|中图分类号)|.{0,60}\bcookies?\b)""",
    re.VERBOSE | re.IGNORECASE,
)
_TAIL_START = re.compile(rf"^\W*(?:{_TAIL})", re.VERBOSE)
_ADDRESS = re.compile(r"^\W*(?:https?://|www\.)\S+\W*$")


def is_furniture(folded: str) -> bool:
    """Whether a line belongs to the site or the printer and not to the author. ``folded`` is folded text.

    >>> [is_furniture(text) for text in ('相关推荐', '责任编辑：某人', '分享经验，是为了少走弯路。')]
    [True, True, False]
    """
    if len(folded) <= 50 and (_SHORT.match(folded) or _ADDRESS.match(folded)) and not is_sentence(folded):
        return True
    return len(folded) <= 400 and bool(_NOTICE.match(folded))


def is_sentence(folded: str) -> bool:
    """Whether a short line says something: it has a clause mark inside and a full stop at its end."""
    return len(folded) >= 12 and folded[-1] in "。！" and any(mark in folded[:-1] for mark in "，；。")


def without_furniture(lines: Sequence[Line]) -> list[Line]:
    """The lines without site furniture; what a list of recommendations brings goes with its heading."""
    kept: list[Line] = []
    in_tail = False
    for line in lines:
        if line.kind == "table":
            kept.append(line)
            continue
        folded = line.folded
        if in_tail and (
            is_prose(line.text) or re.match("[一二三四五六七八九十]+、|（[一二三四五六七八九十]+）", folded)
        ):
            in_tail = False
        if len(folded) <= 50 and _TAIL_START.match(folded) and not is_sentence(folded):
            in_tail = True
        elif not in_tail and not is_furniture(folded):
            kept.append(line)
    return kept


# ---------------------------------------------------------------- references and notes

_REFERENCES = re.compile(
    r"^\W*(?:主要)?(?:参考(?:文献|资料|书目)|引用文献|注释?|注解|尾注|脚注|References?|Notes?)\W*$",
    re.IGNORECASE,
)
_ENTRY = re.compile(r"^(?:[①-⑳㉑-㉟]|\[\d{1,3}\]|〔\d{1,2}〕|【\d{1,2}】|注\d{1,2}[：.])")
_LISTED = re.compile(r"^(?:[①-⑳㉑-㉟]|\[\d{1,3}\]|〔\d{1,2}〕|（?\d{1,3}[.）、\s]|[A-Z][a-z]+,)")
_CITED = re.compile(
    r"参见|参阅|转引自|出版社|载《|[，：]《[^》]+》[，（]?.{0,12}(?:\d{4}年|第\d+期)|第\s*\d+(?:[-—~]\d+)?\s*页|年版"
    r"|\[[JMDNCRZ](?:/OL)?\]|https?://|\bVol\.|\bpp?\.|Press\b"
)
_NEW_PART = re.compile("^(?:第?[一二三四五六七八九十]+(?:、|部分|章)|（[一二三四五六七八九十]+）|附[件录])")


def without_references(lines: Sequence[Line]) -> list[Line]:
    """Without the list of references and without footnotes; both are told by how they cite."""
    kept: list[Line] = []
    in_list = in_note = False
    note_lines = 0
    for at, line in enumerate(lines):
        if line.kind == "table":
            in_note = False
            kept.append(line)
            continue
        folded = line.folded
        if in_list and (line.kind == "heading" or _NEW_PART.match(folded)) and not _REFERENCES.match(folded):
            in_list = False
        if not in_list and len(folded) <= 12 and _REFERENCES.match("".join(folded.split())):
            following = [after.folded for after in lines[at + 1 : at + 4]]
            in_list = not following or any(_LISTED.match(text) or _CITED.search(text) for text in following)
        elif not in_list and _ENTRY.match(folded):
            whole = "".join(after.folded for after in lines[at : at + 3] if after.kind == line.kind)
            in_note = bool(_CITED.search(folded if line.finished else whole[:160]))
            note_lines = 0
        elif in_note and note_lines > 5:
            in_note = False
        if in_list:
            continue
        if in_note:
            note_lines += 1
            if re.search(r"(?:[。.]|页|版|期)[”）\"]?$", folded) or line.kind != "line":
                in_note = False
            continue
        kept.append(line)
    return kept


_CIRCLED = "".join(map(chr, (*range(0x2460, 0x2474), *range(0x3251, 0x3260))))
_MARK = re.compile(
    r"[①-⑳㉑-㉟]|\[\d{1,3}(?:\s*[-,，、–~]\s*\d{1,3})*\]|〔\d{1,2}〕"
    r"|(?<=[\u3400-\u9fff”’」』）》。，；])(?:[¹²³⁰⁴-⁹]+|\^\d{1,3})"
)


def note_marks(text: str) -> list[tuple[int, int]]:
    """Where the marks of notes stand in a paragraph. ① that counts the items of an enumeration is none.

    >>> note_marks('异化的力量”①。其次[2-3]，要点：①宣传；②教育。')
    [(6, 7), (10, 15)]
    """
    marks = list(_MARK.finditer(text))
    counting: set[int] = set()
    for at, mark in enumerate(marks):
        before = _before(text, mark)
        opens = not before or before in "：:（("
        goes_on = before in "；;。，,、" and (
            at - 1 in counting or (mark[0] == "①" and _is_item(text, marks, at + 1))
        )
        if mark[0] in _CIRCLED and (opens or goes_on):
            counting.add(at)
    return [mark.span() for at, mark in enumerate(marks) if at not in counting]


def _is_item(text: str, marks: Sequence[re.Match[str]], at: int) -> bool:
    """Whether the mark is a ② that stands where an item may begin."""
    return at < len(marks) and marks[at][0] == "②" and _before(text, marks[at]) in "；;。，,、"


def _before(text: str, mark: re.Match[str]) -> str:
    """The character before a mark, or "" at the beginning."""
    return text[max(0, mark.start() - 4) : mark.start()].rstrip()[-1:]
