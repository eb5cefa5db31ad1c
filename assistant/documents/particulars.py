"""What a regulation says of itself: title, issuer, kind and rank, the day it was adopted and the day it begins.

Comes in: the lines before its first article and after its last, and the articles. Goes out: only what is written there;
what is not is empty or None, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath

from assistant.law.text import chinese_to_number, fold
from assistant.model import ArticleText, Block, RawDocument

_TITLE_WORDS = (
    "条例|规定|办法|规则|准则|细则|章程|党章|宪法|法典|(?<![方做办说用宪])法|解释|决定|决议|制度|规程|规范|方案|通则|公约|守则"
    "|指引|指南|标准"
)
_TRIAL = r"(?:[（(](?:试行|暂行|草案|修订草案|征求意见稿)[）)])?"
_TITLE = re.compile(rf"[^。；，！？:：]{{2,80}}?(?:{_TITLE_WORDS}){_TRIAL}$")
_YEAR_MARK = re.compile(
    r"\s*[（(〔\[]\s*(?:(?:\d{4}|[一二][〇零○一二三四五六七八九]{3})年?[^（）()]{0,12}(?:修订|修正|修改|版|制定|施行|发布|印发)?本?"
    r"|修订|修正|修订版|全文|最新版|现行有效)\s*[）)〕\]]\s*$"
)
_NOTE_BEHIND_TITLE = re.compile(
    r"^(.{4,60}?)\s*([（(](?:\d{4}|[一二][〇零○一二三四五六七八九]{3})年.*)$", re.DOTALL
)
_BOOK = re.compile("《([^《》]*(?:《[^《》]*》[^《》]*)*)》")
# a line that cannot be the whole title: the line before belongs to it
_ONLY_END = re.compile(
    rf"^(?:(?:暂行|若干|实施|工作|管理|监督|处分|问责)*(?:{_TITLE_WORDS}){_TRIAL}|[（(](?:试行|暂行)[）)])$"
)
_TITLE_START = re.compile("中国共产党|中华人民共和国|中共|关于|[^，。；：]{1,20}[省市县区州盟旗]")
_TITLE_GOES_ON = re.compile(
    "(?:[的和与及、之]|关于|实施|执行|贯彻|规范|加强|处理|中国共产党|中华人民共和国|工作|人员|干部)$|^关于"
)
_NOT_TITLE = re.compile(
    r"(?:令|号|日|文件|通知|印发|公布|发布|通过|修订|修正|》|办公厅|办公室|委员会|人民政府|公报|目录)$"
)

_DIGITS = "〇零○一二三四五六七八九"
_DATE = (
    rf"(\d{{4}}|[一二][{_DIGITS}]{{3}})\s*年\s*(\d{{1,2}}|[一二三四五六七八九十]{{1,2}})\s*月"
    r"\s*(\d{1,2}|[一二三四五六七八九十]{1,3})\s*日"
)
_DAY = re.compile(_DATE)
_NUMERIC_DAY = re.compile(r"(?<!\d)(\d{4})[-./](\d{1,2})[-./](\d{1,2})(?!\d)")
_LABELLED = re.compile(r"(发布|公布|印发|成文|通过|签发|发文|施行|实施|生效)(?:日期|时间)\s*[:：]\s*")
_PUBLISHED = re.compile("公布|发布|印发|颁布|签发|发文|成文")
_AMENDED = re.compile("修正|修改|修订")
_ADOPTED = re.compile("通过|批准|制定|审议")
_BEGINS = re.compile("起?(?:正式)?(?:施行|实施|执行|生效)")
_FROM_DAY = re.compile(rf"自\s*{_DATE}\s*起(?:正式|开始)?(?:施行|实施|执行|生效|试行)")
_FROM_ISSUE = re.compile(
    "自(?:本[^，。；自]{1,8})?(?:公布|发布|印发|颁布|通过|下发)之日起(?:正式)?(?:施行|实施|执行|生效|试行)"
)
_SENT_OUT = re.compile("现予?以?(?:公布|发布|印发)|印发给你们|关于印发|请(?:结合|认真)")
_SHORT = 40
_LABEL = 12  # characters in which 发布日期： ends
_FAR = 300  # characters into a line, further on nobody names the issuer


# ------------------------------------------------------------------ title


def title_of(raw: RawDocument, front: Sequence[Block]) -> tuple[str, list[str]]:
    """The title and the lines of ``front`` that are not part of it."""
    lines = [block.text.strip() for block in front]
    for at in range(len(lines) - 1, -1, -1):
        title, note = _as_title(lines[at])
        if not title:
            continue
        start = at
        while start > 0 and _belongs_above(lines[start - 1], "".join(lines[start:at]) + title):
            start -= 1
        title = _bare("".join(lines[start:at]) + title)
        return title, [*lines[:start], *([note] if note else []), *lines[at + 1 :]]
    for line in (*reversed(lines), raw.title):
        for book in _BOOK.findall(line):
            if _TITLE.search(_plain(book)):
                return _bare(book), lines
    heading = next((at for at, block in enumerate(front) if block.kind == "heading"), None)
    if heading is not None:
        return _bare(lines[heading]), lines[:heading] + lines[heading + 1 :]
    if raw.title:
        title, _ = _as_title(re.split(r"[-_|—]{1,2}", raw.title)[0].strip())
        return title or _bare(raw.title), lines
    stem = re.sub(r"[（(\[]?\d{4}[-年.]?\d{0,2}[-月.]?\d{0,2}日?[）)\]]?$", "", PurePath(raw.name).stem)
    return _bare(stem), lines


def _as_title(line: str) -> tuple[str, str]:
    """The title that a line is, and a note behind it; empty strings where it is none."""
    note = ""
    if behind := _NOTE_BEHIND_TITLE.match(line):
        line, note = behind[1].strip(), behind[2]
    elif mark := _YEAR_MARK.search(line):
        line, note = line[: mark.start()], mark[0].strip()
    bare = line.removeprefix("《").removesuffix("》") if line.startswith("《") else line
    plain = _plain(bare)
    if len(plain) <= 80 and (_TITLE.fullmatch(plain) or _ONLY_END.match(plain)):
        return bare.strip(), note
    return "", ""


def is_title(line: str) -> bool:
    """Whether a line is the title of a regulation.

    >>> [is_title(line) for line in ('某市试验细则（试行）', '某市试验局', '现印发《某市试验细则》')]
    [True, False, False]
    """
    return bool(_as_title(line)[0])


def _plain(words: str) -> str:
    return re.sub(r"\s", "", fold(words))


def _bare(title: str) -> str:
    """Without the blanks that spread it and without the marks around it."""
    title = re.sub(r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])", "", title.strip())
    if title.startswith("《") and title.endswith("》") and title.count("《") == 1:
        title = title[1:-1]
    return title


def _belongs_above(line: str, title: str) -> bool:
    """Whether ``line`` is the beginning of the title that goes on below it."""
    plain = _plain(line)
    if not plain or len(plain) > _SHORT or re.search("[。；，：:！？》]", plain):
        return False
    if _DAY.search(plain) or _NOT_TITLE.search(plain):
        return False
    if _ONLY_END.match(_plain(title)):
        return True
    whole = bool(_TITLE_START.match(_plain(title)))
    return (not whole and bool(_TITLE_START.match(plain))) or bool(_TITLE_GOES_ON.search(plain))


# ------------------------------------------------------------------ signature lines


def is_signature(line: str) -> bool:
    """Whether a line after the last article closes the document: a day, a signature, a note on circulation.

    >>> [is_signature(line) for line in ('2019年8月25日', '某市人民政府', '（此件公开发布）', '自公布之日起施行。')]
    [True, True, True, False]
    """
    plain = _plain(line)
    if _DAY.fullmatch(plain) or re.fullmatch(r"[（(](?:此件|共印|联系人|附件).*[）)]", plain):
        return True
    if re.match("(?:主题词|抄送|抄报|报送|印发|来源|责任编辑|编辑|作者|签发人?|联系人|联系电话)[：:]", plain):
        return True
    return len(plain) <= _SHORT and not re.search("[。；：，！？]$", plain) and not re.match("[（(]", plain)


# ------------------------------------------------------------------ days, issuer, kind


@dataclass(frozen=True)
class Particulars:
    issuer: str
    kind: str
    rank: int | None
    adopted: date | None
    effective_from: date | None


@dataclass(frozen=True)
class _Act:
    day: date
    words: str  # what was done on it
    published: bool
    amended: bool
    labelled: bool = False  # 发布时间：, which on a web page is the day of the page


def particulars_of(
    title: str, front: Sequence[str], closing: Sequence[str], articles: Sequence[ArticleText]
) -> Particulars:
    """What the lines around the articles, and the last articles, say."""
    about = [fold(line) for line in (*front, *closing)]
    acts = [act for line in about for act in _acts(line)]
    acts = [act for act in acts if not act.labelled] or acts
    signed = [day for line in about if (day := _day_alone(line))]
    if signed and (not acts or any(_SENT_OUT.search(line) for line in about)):
        acts.append(_Act(signed[-1], "", published=True, amended=False))
    issuer = _issuer(title, [fold(line) for line in front], [fold(line) for line in closing], acts)
    kind, rank = _kind(title, issuer, about)
    effective = _effective(acts, about, articles)
    stands = [act.day for act in acts if not (act.labelled and effective and act.day > effective)]
    return Particulars(issuer, kind, rank, max(stands, default=None), effective)


def _to_date(year: str, month: str, day: str) -> date | None:
    try:
        return date(*(chinese_to_number(part) for part in (year, month, day)))
    except ValueError:
        return None


def _day_alone(line: str) -> date | None:
    found = _DAY.fullmatch(_plain(line))
    return _to_date(*found.groups()) if found else None


def _acts(line: str) -> Iterator[_Act]:
    """The days of a line on which the text was adopted, changed or made public, each with the words up to the next."""
    for label in _LABELLED.finditer(line):
        found = _DAY.match(line, label.end()) or _NUMERIC_DAY.match(line, label.end())
        day = _to_date(*found.groups()) if found else None
        if day and not _BEGINS.fullmatch(label[1]):
            yield _Act(day, "", bool(_PUBLISHED.search(label[1])), amended=False, labelled=True)
    days = list(_DAY.finditer(line))
    for at, found in enumerate(days):
        end = days[at + 1].start() if at + 1 < len(days) else len(line)
        words = re.split("[。；]", line[found.end() : end])[0]
        done = re.sub("[《〈][^《》]*(?:《[^《》]*》[^《》]*)*[》〉]", "", words)
        day = _to_date(*found.groups())
        if (
            day is None
            or re.match(r"\s*起", words)
            or _LABELLED.search(line[max(0, found.start() - _LABEL) : found.start()])
        ):
            continue
        if _PUBLISHED.search(done) or _AMENDED.search(done) or _ADOPTED.search(done):
            yield _Act(day, words, bool(_PUBLISHED.search(done)), bool(_AMENDED.search(done)))


def _effective(acts: Sequence[_Act], about: Sequence[str], articles: Sequence[ArticleText]) -> date | None:
    """The first day in force, as far as the text tells.

    An amended text repeats the day on which its first version began; the day of the amendment stands elsewhere.
    """
    latest = max(acts, key=lambda act: act.day, default=None)
    lines = [fold(article.whole) for article in articles[:-4:-1]]
    for line in (*lines, *about):
        if found := _FROM_DAY.search(line):
            day = _to_date(*found.groups())
            return day if day and not (latest and latest.amended and day < latest.day) else None
    for line in about:
        for found in _DAY.finditer(line):
            if re.match(rf"\s*{_BEGINS.pattern}", line[found.end() :]):
                return _to_date(*found.groups())
        label = _LABELLED.search(line)
        if label and _BEGINS.fullmatch(label[1]):
            written = _DAY.match(line, label.end()) or _NUMERIC_DAY.match(line, label.end())
            if written:
                return _to_date(*written.groups())
    if latest and any(_FROM_ISSUE.search(line) for line in lines):
        first = not latest.amended or "修订" in latest.words
        published = [act.day for act in acts if act.published]
        return (max(published) if published else latest.day) if first else None
    return None


_CONGRESS = re.compile(r"第[^第届]{1,6}届(全国人民代表大会|[^第届，。]{2,20}?人民代表大会)(常务委员会)?")
_LOCAL_CONGRESS = re.compile(r"([^，。；\s\d日]{1,20}?[省市区州县])第[^第届]{1,6}届人民代表大会(常务委员会)?")
_COURT = re.compile("最高人民法院(?:、最高人民检察院)?|最高人民检察院")
_ORDER = re.compile(r"(?:中华人民共和国)?([^，。；\s\d日《》]{2,40}?)(?:主席)?令(?:第|\s|$|[（(〔\[])")
_WHO = re.compile(
    r"(?:日\s*|^)((?:中共|中央|国务院|中国共产党|[^，。；:：\d日《》]{2,40}?(?:委员会|政府|办公[厅室]|部|厅|局|法院|检察院|委|室))"
    r"[^，。；:：\d《》]{0,40}?)\s*(?:关于)?(?:审议批准|印发|发布|公布|颁布|制定|批准)"
)
_BODY = re.compile(
    "(?:中共中央|国务院|中央纪委|中央组织部|中共[^，。]{1,30}|[^，。：:]{2,40}(?:委员会|人民政府|办公厅|办公室|法院|检察院|部|厅|局|委))$"
)


def _issuer(title: str, front: Sequence[str], closing: Sequence[str], acts: Sequence[_Act]) -> str:
    for act in sorted(acts, key=lambda act: act.day, reverse=True):
        if local := _LOCAL_CONGRESS.search(act.words):
            return f"{local[1]}人民代表大会{local[2] or ''}"
        if congress := _CONGRESS.search(act.words):
            return f"{congress[1]}{congress[2] or ''}"
        if court := _COURT.match(act.words.strip()):
            return court[0]
        if who := _WHO.search(f"日{act.words[:_FAR]}"):
            return _body(who[1])
        if order := _ORDER.search(act.words.strip()):
            return _body(order[1])
    for line in front:
        order = _ORDER.match(line.strip())
        if order and "主席" not in line:
            return _body(order[1])
        who = _WHO.search(line.strip()[:_FAR]) if "通知" in line or "印发" in line else None
        if who:
            return _body(who[1])
    for lines in (front, closing):
        for at, line in enumerate(lines):
            if at and _day_alone(line) and _BODY.fullmatch(_plain(lines[at - 1])):
                signed = [lines[at - 1]]
                if at > 1 and _BODY.fullmatch(_plain(lines[at - 2])) and len(lines[at - 2]) <= _SHORT:
                    signed.insert(0, lines[at - 2])
                return _body("、".join(" ".join(part.split()) for part in signed))
    for line in front:  # a name on a line of its own, as at the head of an order or a notice
        if len(line) <= _SHORT and _BODY.fullmatch(_plain(line)) and _plain(line) != _plain(title):
            return _body(line)
    return ""


def _body(words: str) -> str:
    """The name of one body or several.

    >>> _body(" 中共中央办公厅 国务院办公厅"), _body("中共中央、国务院")
    ('中共中央办公厅、国务院办公厅', '中共中央、国务院')
    """
    words = re.sub(r"(?:关于|联合|近日|日前|已经|已由|经)+$", "", words.strip())
    return "、".join(part for part in re.split(r"[\s、]+", words) if part)


_PARTY = re.compile("中国共产党|中共|党委|党组|中央(?:纪委|组织部|办公厅)|纪律检查委员会|[省市县区]委|党中央")
_CENTRAL_PARTY = re.compile(
    "中共中央|中国共产党(?:全国代表大会|中央)|中央(?:纪委|组织部|宣传部|统战部)|党中央"
)
_PROVINCIAL_PARTY = re.compile(
    "中共[^、]{2,8}(?:省委|自治区委|自治区委员会|省委员会)|中共(?:北京|天津|上海|重庆)市委"
)
_PROVINCE = re.compile("(?:省|自治区|北京市|天津市|上海市|重庆市)")
_CITY = re.compile("[市州盟]")


def _kind(title: str, issuer: str, about: Sequence[str]) -> tuple[str, int | None]:
    """Kind and rank as the catalogue uses them; ("", None) where the text does not tell."""
    name = re.sub(r"[（(](?:试行|暂行)[）)]$", "", _plain(title))
    order = any(_ORDER.match(line.strip()) or re.search("令第", line) for line in about)
    if _PARTY.search(issuer) or (not issuer and re.match("中国共产党|中共", name)):
        return _party_kind(name, issuer)
    if re.search("宪法(?:修正案)?$", name) and "全国" in issuer + name + "全国":
        return ("宪法", 1) if re.fullmatch("(?:中华人民共和国)?宪法", name) else ("法律", 2)
    if "全国人民代表大会" in issuer or "全国人大" in issuer:
        return ("法律解释", 2) if name.endswith("解释") else ("法律", 2)
    if re.search("最高人民(?:法院|检察院)", issuer) or re.match("最高人民(?:法院|检察院)", name):
        return "司法解释", 4
    if "国家监察委员会" in issuer:
        return "监察法规", 3
    if issuer == "国务院" or issuer == "中华人民共和国国务院":
        regulates = re.search("条例|规定|办法|细则|规则|决定", name) and not name.endswith(("意见", "通知"))
        return ("行政法规", 3) if regulates else ("规范性文件", 5)
    if "人民代表大会" in issuer:
        return ("地方性法规", 4)
    if "政府" in issuer and "办公" not in issuer and order:
        return ("地方政府规章", 4)
    if (
        order
        and re.search("(?:部|委员会|总局|局|署|会|行)$", issuer.split("、")[0])
        and not _CITY.search(issuer)
    ):
        return ("部门规章", 4)
    if issuer:
        return "规范性文件", 5
    if re.fullmatch("中华人民共和国.*法", name):
        return "法律", 2
    return "", None


def _party_kind(name: str, issuer: str) -> tuple[str, int | None]:
    central = bool(_CENTRAL_PARTY.search(issuer)) or not issuer
    if re.search("(?:意见|通知|决定|方案|决议|纲要)$", name):
        return "规范性文件", 5
    if not central:
        return ("党内法规", 4) if _PROVINCIAL_PARTY.search(issuer) else ("规范性文件", 5)
    if name.endswith(("章程", "党章")):
        return "党内法规", 1
    if name.endswith(("准则", "条例")):
        return "党内法规", 2
    return "党内法规", 3
