"""Days that a story names: the one on which a decision was received, and those on which the matter happened.

Comes in: a text and today. Goes out: dates. Nothing here reads the clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from assistant.law.text import CHINESE_NUMERAL, chinese_to_number, clauses, normalise

_COUNT = rf"(?:\d+|{CHINESE_NUMERAL}+)"
_DAY = re.compile(
    rf"(?P<full>(?P<y>\d{{4}}|[二〇零一三四五六七八九]{{4}}|去年|前年|今年)年?的?)?(?P<m>{_COUNT})月(?:份的?)?(?P<d>{_COUNT})[日号]?"
    r"|(?P<iso>\d{4}[-/.]\d{1,2}[-/.]\d{1,2})"
    rf"|(?P<month>上个?月|上上个?月|本月|这个?月|当月)的?(?P<md>{_COUNT})[日号]"
    r"|(?P<near>大前天|前天|前日|昨[天日晚]|今[天日早晨]|昨儿|前儿|今儿)"
    rf"|(?P<ago>{_COUNT})(?P<unit>天|周|个?星期|个?礼拜)(?:之前|以前|前)"
    r"|(?P<week>上上|上|这|本)?个?(?:周|星期|礼拜)(?P<wd>[一二三四五六日天])"
    rf"|(?<![\d月])(?P<only>{_COUNT})号(?!楼|文|令|线|院|桌|机|厂|矿|山)"
)  # fmt: skip
_RECEIVED = re.compile(
    r"收到|接到|拿到|领到|签收|送达|送到|送来|宣布|宣读|告知|下发|下达|印发|下来|作出|做出|通知"
)
_DECISION = re.compile(
    r"决定|处分|问责|诫勉|通报|免职|停职|警告|记过|撤职|降职|通知书|处理|文书|红头|结论|复核|复审|申诉"
)
_NOT_YET = re.compile(
    r"(?:没|未|没有|尚未|等)(?:有)?(?:收到|接到|拿到|送达|下来|宣布)|如果|要是|假如|[要快将](?:下来|宣布|下达|送达|作出)"
)
_NEAR = {"今": 0, "昨": 1, "前": 2, "大": 3}
_WEEKDAYS = "一二三四五六日"


# a year by itself; not that of a version (2016年版、2016年问责条例) nor a length (三年前 is left out on purpose)
_YEAR = re.compile(
    r"(?<!\d)(?P<y>(?:(?:19|20)\d{2}|[二一][〇零九][〇零一二三四五六七八九]{2})(?=年)|去年|前年|今年)"
    r"年?(?![版修]|度?[^，。；]{0,12}(?:条例|规定|办法|准则|规则|法律|党章|监察法|公务员法|处分法))"
)
_BOOK = re.compile(r"《[^》]*》")
# how it was dealt with is not when it happened either
_HANDLED = re.compile(r"立案|调查|被查|举报|审查|问责|处分|诫勉|通报|巡[视察]|申诉|复核|复审|现在|目前")
# when somebody was born, took office or studied is not when the matter happened
_CAREER = re.compile(
    r"出生|入党|参加工作|毕业|入职|任职|担任|当选|上任|到任|调任|提任|考上|退休"
    r"|任.{0,6}(?:书记|镇长|局长|主任|县长|科长|所长|校长|院长)"
)


@dataclass(frozen=True)
class Days:
    """From the first to the last day on which something happened; whole years where only these are said."""

    first: date
    last: date

    @property
    def words(self) -> str:
        """2018年, 2018年至2019年, 2018年5月3日."""
        if self.first == self.last:
            return f"{self.first.year}年{self.first.month}月{self.first.day}日"
        years = f"{self.first.year}年"
        return years if self.first.year == self.last.year else f"{years}至{self.last.year}年"


def read_conduct_days(text: str, today: date) -> Days | None:
    """When the matter happened, as far as the text says; None when it names no year and no full date.

    Days of its investigation or of a decision, years of rules and stations of a career do not count.

    >>> day = date(2026, 3, 20)
    >>> read_conduct_days('2018年5月，镇里发生事故，2026年3月收到问责决定。', day).words
    '2018年'
    >>> read_conduct_days('2016年问责条例第六条怎么说？', day) is None
    True
    >>> read_conduct_days('我2015年任镇长，去年镇里出了事故。', day).words
    '2025年'
    """
    found: list[Days] = []
    for span in clauses(_BOOK.sub("", normalise(text, keep_lines=True))):
        part = span.text
        if _CAREER.search(part) or _HANDLED.search(part):
            continue
        exact = _day_in(part, today)
        if exact and "年" in part:
            found.append(Days(exact, exact))
            continue
        years = [_year_of(match["y"], today) for match in _YEAR.finditer(part)]
        found += [
            Days(date(year, 1, 1), min(date(year, 12, 31), today))
            for year in years
            if 1949 <= year <= today.year
        ]
    if not found:
        return None
    return Days(min(d.first for d in found), max(d.last for d in found))


def read_days(written: str) -> Days | None:
    """What a person fills in: 2018, 2018-05 or 2018-05-03; None for anything else.

    >>> read_days('2018').words, read_days('2018-05-03').words, read_days('某年')
    ('2018年', '2018年5月3日', None)
    """
    numbers = re.fullmatch(r"(\d{4})(?:[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?)?)?[年月]?", written.strip())
    if not numbers:
        return None
    year, month, day = (int(n) if n else None for n in numbers.groups())
    try:
        first = date(year or 0, month or 1, day or 1)
    except ValueError:
        return None
    if day:
        return Days(first, first)
    return Days(first, first + relativedelta(months=1 if month else 12, days=-1))


def _year_of(written: str, today: date) -> int:
    back = {"今年": 0, "去年": 1, "前年": 2}.get(written)
    return today.year - back if back is not None else chinese_to_number(written)


def read_received_date(text: str, today: date) -> date | None:
    """The day on which a decision was received or announced; of several the last one named.

    Days without a year are the most recent ones before ``today``. Vague days (上周, 月初, 刚刚) and days that
    have not come yet are not read.

    >>> day = date(2026, 3, 20)
    >>> read_received_date('3月5日收到处分决定，我不服。', day), read_received_date('昨天接到诫勉通知', day)
    (datetime.date(2026, 3, 5), datetime.date(2026, 3, 19))
    >>> read_received_date('3月5日出的事，处分决定还没收到。', day) is None
    True
    """
    whole = normalise(text, keep_lines=True)
    parts = [span.text for span in clauses(whole)]
    found: date | None = None
    for number, part in enumerate(parts):
        if not (_RECEIVED.search(part) and _DECISION.search(part)) or _NOT_YET.search(part):
            continue
        day = _day_in(part, today)
        if day is None and number and _is_only_day(parts[number - 1]):
            day = _day_in(parts[number - 1], today)
        found = day or found
    return found


def _is_only_day(part: str) -> bool:
    match = _DAY.search(part)
    return match is not None and match.end() == len(part) and match.start() <= 4


def _day_in(part: str, today: date) -> date | None:
    """The last day named in a clause, if it is exact and not after ``today``."""
    found = None
    for match in _DAY.finditer(part):
        try:
            day = _day_of(match, today)
        except (ValueError, OverflowError):  # 2月30日, 十三月: written so, but no day
            continue
        found = day if day <= today else found
    return found


def _day_of(match: re.Match[str], today: date) -> date:
    said = match.groupdict()
    if said["iso"]:
        return date(*map(int, re.split(r"[-/.]", said["iso"])))
    if said["m"]:
        month, day = chinese_to_number(said["m"]), chinese_to_number(said["d"])
        if said["y"]:
            years_back = {"今年": 0, "去年": 1, "前年": 2}.get(said["y"])
            year = chinese_to_number(said["y"]) if years_back is None else today.year - years_back
            return date(year, month, day)
        this_year = date(today.year, month, day)
        return this_year if this_year <= today else date(today.year - 1, month, day)
    if said["month"]:
        back = said["month"].count("上")
        return (today + relativedelta(months=-back, day=1)).replace(day=chinese_to_number(said["md"]))
    if said["near"]:
        return today - timedelta(days=_NEAR[said["near"][0]])
    if said["ago"]:
        days = chinese_to_number(said["ago"]) * (1 if said["unit"] == "天" else 7)
        return today - timedelta(days=days)
    if said["wd"]:
        weekday = 6 if said["wd"] == "天" else _WEEKDAYS.index(said["wd"])
        monday = today - timedelta(days=today.weekday())
        if said["week"] in ("上", "上上"):
            return monday + timedelta(days=weekday - 7 * len(said["week"]))
        this_week = monday + timedelta(days=weekday)
        return this_week if this_week <= today or said["week"] else this_week - timedelta(days=7)
    day_number = chinese_to_number(said["only"])
    this_month = today.replace(day=day_number)
    return (
        this_month
        if this_month <= today
        else (today + relativedelta(months=-1, day=1)).replace(day=day_number)
    )
