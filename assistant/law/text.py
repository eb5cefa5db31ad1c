"""How text and numbers are compared: the one pair of functions, ``normalise`` and ``numbers``.

Comes in: any text people or documents bring (full-width, traditional, broken into lines by a PDF).
Goes out: a form in which equal words are equal, with the way back to the words as they were written
(``aligned``, ``locate``), numbers as values, and sentences and clauses with their offsets.

Known weakness: a traditional character that only a phrase tells apart from a simplified one (回覆, 藉口)
stays as it is, because what a character becomes must not depend on what else stands in the text.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

# ---------------------------------------------------------------- one form for equal words

_WIDE = "\u2018-\uffef"  # Chinese characters and marks, which need no space around them; one range loads fast
_BLANK = r"\s\u200b-\u200f\u2060\ufeff\u00ad"
# the Chinese form is the common one for punctuation, so that patterns over Chinese text need only one form
_PUNCTUATION = {
    "(": "（", ")": "）", ";": "；", "?": "？", "!": "！", "，": "，", "：": ":", "｡": "。", "､": "、",
    "「": "“", "」": "”", "『": "‘", "』": "’", "｢": "“", "｣": "”", "﹑": "、", "﹐": "，",
    "﹔": "；", "﹕": ":", "﹖": "？", "﹗": "！", "﹙": "（", "﹚": "）", "‐": "-", "‑": "-", "−": "-",
    "＂": '"',
}  # fmt: skip


def _width_table() -> dict[int, str]:
    table = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    # letters that PDFs write with compatibility forms of the same character
    for code in (*range(0x2E80, 0x2FE0), *range(0xF900, 0xFB00)):
        folded = unicodedata.normalize("NFKC", chr(code))
        if len(folded) == 1 and folded != chr(code):
            table[code] = folded
    table |= {code: _PUNCTUATION[char] for code, char in table.items() if char in _PUNCTUATION}
    return table | {ord(char): folded for char, folded in _PUNCTUATION.items()}


_WIDTH = _width_table()
_LOOSE_MARK = re.compile(r"[,:](?!\d)|(?<!\d)[,:]")  # not the one inside 1,000 or 9:30
_MARKS = {",": "，", ":": "："}
_IDEOGRAPH = re.compile("[㐀-鿿]+")
_TRADITIONAL_IN_GB2312 = frozenset("乾於後徵麽馀锺麴")
_GAP = re.compile(f"(?:(?<=[{_WIDE}])|^)[{_BLANK}]+|[{_BLANK}]+(?=[{_WIDE}]|$)|[{_BLANK}]+")
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")


@lru_cache(maxsize=8192)
def _old_form(char: str) -> bool:
    """Whether a character may be a traditional one: GB 2312, the set of simplified ones, lacks it."""
    if char in _TRADITIONAL_IN_GB2312:
        return True
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return True
    return False


def _may_be_traditional(text: str) -> bool:
    run = "".join(_IDEOGRAPH.findall(text))
    if not _TRADITIONAL_IN_GB2312.isdisjoint(run):
        return True
    try:
        run.encode("gb2312")
    except UnicodeEncodeError:
        return True
    return False


def _simplify(text: str) -> str:
    if not _may_be_traditional(text):
        return text
    with warnings.catch_warnings():  # zhconv still asks for pkg_resources, which warns that it is old
        warnings.simplefilter("ignore")
        import zhconv  # late: its dictionary costs a quarter of a second
    converted = str(zhconv.convert(text, "zh-hans"))
    if len(converted) != len(text):  # the tables of zhconv map one character to one; offsets rest on it
        return text
    return "".join(
        new if new != old and _old_form(old) else old for old, new in zip(text, converted, strict=True)
    )


def fold(text: str) -> str:
    """The same text in simplified characters, half-width letters and digits, Chinese punctuation.

    The length never changes, so that an offset in the result is an offset in ``text``.

    >>> fold('依據《問責條例》第７條(三)項,處理')
    '依据《问责条例》第7条（三）项，处理'
    >>> fold('共1,000元，9：30')
    '共1,000元，9:30'
    """
    folded = _simplify(text).translate(_WIDTH)
    return _LOOSE_MARK.sub(lambda mark: _MARKS[mark[0]], folded)


def _gap_becomes(gap: str, left_or_right_wide: bool, keep_lines: bool) -> str:
    if keep_lines and ("\n" in gap or "\r" in gap):
        return "\n"
    if left_or_right_wide or not _INVISIBLE.sub("", gap):
        return ""
    return " "


def _gaps(text: str, keep_lines: bool) -> Iterator[tuple[int, int, str]]:
    for gap in _GAP.finditer(text):
        start, end = gap.span()
        if start == 0 or end == len(text):
            yield start, end, ""
            continue
        wide = bool(re.match(f"[{_WIDE}]", text[start - 1]) or re.match(f"[{_WIDE}]", text[end]))
        yield start, end, _gap_becomes(gap[0], wide, keep_lines)


@dataclass(frozen=True)
class Normalised:
    """A normalised text and, for each of its characters, the offset of that character in the original."""

    text: str
    offsets: tuple[int, ...]
    original: str

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where ``text[start:end]`` stands in the original.

        >>> aligned('第 七\\n条').span(1, 3)
        (2, 5)
        """
        if start >= end:
            at = self.offsets[start] if start < len(self.offsets) else len(self.original)
            return at, at
        return self.offsets[start], self.offsets[end - 1] + 1


def aligned(text: str, keep_lines: bool = False) -> Normalised:
    """``normalise`` with the way back to the original."""
    folded = fold(text)
    pieces: list[str] = []
    offsets: list[int] = []
    at = 0
    for start, end, instead in _gaps(folded, keep_lines):
        pieces += folded[at:start], instead
        offsets.extend(range(at, start))
        offsets.extend(start for _ in instead)
        at = end
    pieces.append(folded[at:])
    offsets.extend(range(at, len(folded)))
    return Normalised("".join(pieces), tuple(offsets), text)


def normalise(text: str, keep_lines: bool = False) -> str:
    """The form in which two texts are compared: ``fold``, and no blanks or line breaks inside Chinese text.

    ``keep_lines`` keeps line breaks (one for each run), for callers to whom a line is a unit; without it the
    lines that a PDF broke are joined again. Applying it twice changes nothing.

    >>> normalise('第 七\\n 条 （三）　項')
    '第七条（三）项'
    >>> normalise('Zeming  is an assistant')
    'Zeming is an assistant'
    >>> normalise('领导说\\n  我没去', keep_lines=True)
    '领导说\\n我没去'
    """
    folded = fold(text)
    if not re.search(f"[{_BLANK}]", folded):
        return folded
    return aligned(text, keep_lines).text


def locate(quote: str, text: str) -> tuple[int, int] | None:
    """Where ``quote`` stands in ``text``, both compared in normalised form; offsets are those of ``text``.

    A number in the quote is matched as a whole: ``'第1'`` is not found in ``'第12条'``.

    >>> locate('第七條', '依 据 第 七 条')
    (4, 9)
    >>> locate('罚1', '罚12元') is None
    True
    """
    wanted = normalise(quote)
    if not wanted:
        return None
    there = aligned(text)
    before = r"(?<![\d.])" if wanted[0].isdigit() else ""
    after = r"(?!\d|\.\d)" if wanted[-1].isdigit() else ""
    found = re.search(before + re.escape(wanted) + after, there.text)
    return there.span(*found.span()) if found else None


def is_mostly_foreign(text: str) -> bool:
    """Whether fewer than a third of the letters are Chinese. A text without letters is not foreign.

    >>> is_mostly_foreign('What is the accountability regulation?'), is_mostly_foreign('在WPS里写的OK吗')
    (True, False)
    """
    letters = [char for char in text if char.isalpha()]
    han = sum(1 for char in letters if _IDEOGRAPH.match(char))
    return bool(letters) and han * 3 < len(letters)


def has_words(text: str) -> bool:
    """Whether there is anything to read: a letter, a Chinese character or a digit, not marks and emoji alone.

    >>> has_words('？？！…… 🙏'), has_words('问责'), has_words('12')
    (False, True, True)
    """
    return any(char.isalnum() for char in text)


# ---------------------------------------------------------------- sentences and clauses


@dataclass(frozen=True)
class Span:
    """A piece of a text with its place in it: ``text == whole[start:end]``."""

    text: str
    start: int
    end: int


# patterns of scattered Chinese marks are compiled on first use: each costs about a millisecond
_SENTENCE = r"""[^。！？；!?;\n…]*(?:[。！？；!?;…]+[”’」』"）)》]*|\n|$)"""
_CLAUSE = r"""[^，。；！？：!?;\n,:…]*(?:(?:(?<=\d)[,:](?=\d))[^，。；！？：!?;\n,:…]*)*"""
_EDGE = " \t\r\u3000"


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    piece = text[start:end].rstrip(_EDGE + "\n")
    bare = piece.lstrip(_EDGE + "\n")
    if bare:
        yield Span(bare, start + len(piece) - len(bare), start + len(piece))


def sentences(text: str) -> tuple[Span, ...]:
    """Sentences in the order of the text, end marks and closing quotes included; a line break ends one too.

    Works on original and on normalised text.

    >>> [span.text for span in sentences('他说：“没人管。”后来出事了！怎么办？')]
    ['他说：“没人管。”', '后来出事了！', '怎么办？']
    >>> sentences('一。 二')[1]
    Span(text='二', start=3, end=4)
    """
    return tuple(span for part in re.finditer(_SENTENCE, text) for span in _trimmed(text, *part.span()))


def clauses(text: str) -> tuple[Span, ...]:
    """Clauses, without their marks: split at ，。；！？： and line breaks, in either width.

    >>> [span.text for span in clauses('我汇报了，领导说：不用管；9:30出事，损失1,000元')]
    ['我汇报了', '领导说', '不用管', '9:30出事', '损失1,000元']
    """
    return tuple(span for part in re.finditer(_CLAUSE, text) for span in _trimmed(text, *part.span()))


# ---------------------------------------------------------------- numbers

_DIGITS = {"零": 0, "〇": 0, "○": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7,
           "八": 8, "九": 9}  # fmt: skip
_TENS = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10**4, "亿": 10**8}
_NAMES = "零一二三四五六七八九"
CHINESE_NUMERAL = "[零〇○一二两三四五六七八九十百千万亿廿卅]"


def number_to_chinese(number: int) -> str:
    """The way provisions are numbered, from 0 to 99,999,999.

    >>> [number_to_chinese(n) for n in (0, 10, 12, 20, 100, 103, 110, 120, 1005, 20019)]
    ['零', '十', '十二', '二十', '一百', '一百零三', '一百一十', '一百二十', '一千零五', '二万零一十九']
    >>> number_to_chinese(-1)
    Traceback (most recent call last):
    ValueError: -1 cannot be written as a numeral of provisions
    """
    if not 0 <= number < 10**8:
        raise ValueError(f"{number} cannot be written as a numeral of provisions")
    if number >= 10**4:
        high, low = divmod(number, 10**4)
        rest = "" if not low else ("零" if low < 1000 else "") + _below_myriad(low)
        return number_to_chinese(high) + "万" + rest
    return _below_myriad(number).removeprefix("一") if 10 <= number < 20 else _below_myriad(number)


def _below_myriad(number: int) -> str:
    if number == 0:
        return _NAMES[0]
    written, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            written += ("零" if gap else "") + _NAMES[digit] + name
            gap = False
        else:
            gap = bool(written)
        if not number:
            break
    return written


def chinese_to_number(numeral: str) -> int:
    """The value of a numeral: Chinese, Arabic or full-width, in brackets or a circle, or digit by digit.

    >>> [chinese_to_number(n) for n in ('十二', '１２', '12', '两', '一百零三', '廿一')]
    [12, 12, 12, 2, 103, 21]
    >>> [chinese_to_number(n) for n in ('二〇一九', '（三）', '㈢', '一百二', '三万五', '二万零一十九')]
    [2019, 3, 3, 120, 35000, 20019]
    >>> chinese_to_number('若干')
    Traceback (most recent call last):
    ValueError: not a number: 若干
    """
    bare = normalise(numeral).strip("（）").replace("廿", "二十").replace("卅", "三十")
    if re.fullmatch(r"[0-9]+", bare):
        return int(bare)
    if len(bare) == 1 and bare not in _DIGITS and bare not in _TENS:
        value = unicodedata.numeric(bare, None)
        if value is not None and value == int(value) and unicodedata.category(bare) == "No":
            return int(value)
    if not re.fullmatch(CHINESE_NUMERAL + "+", bare):
        raise ValueError(f"not a number: {numeral}")
    if len(bare) > 1 and all(char in _DIGITS for char in bare):
        return int("".join(str(_DIGITS[char]) for char in bare))
    total = section = digit = 0
    last_unit = 1
    zero = False
    for char in bare:
        if char in _DIGITS:
            digit, zero = _DIGITS[char], zero or _DIGITS[char] == 0
        elif char in _TENS:
            # 十二 leaves the 一 out
            section += (digit or 1) * _TENS[char]
            digit, last_unit, zero = 0, _TENS[char], False
        else:
            total = (total + section + digit) * _MYRIADS[char]
            section, digit, last_unit, zero = 0, 0, _MYRIADS[char], False
    if last_unit >= 100 and digit and not zero:  # 一百二 is 120, 一百零二 is 102
        digit *= last_unit // 10
    return total + section + digit


@dataclass(frozen=True)
class Quantity:
    """A number of a text, the measure that follows it ("" when none does), and its place in that text."""

    value: Decimal
    unit: str
    start: int
    end: int


_SAME_UNIT = {
    "天": "日", "名": "人", "位": "人", "元钱": "元", "块": "元", "块钱": "元", "星期": "周", "礼拜": "周",
    "个小时": "小时", "个工作日": "工作日", "月份": "月", "年度": "年", "个百分点": "百分点", "周岁": "岁",
    "人次": "次",
}  # fmt: skip
_PLAIN_UNITS = """个月 分钟 分 年 月 日 时 个 条 款 项 章 节 起 件 份 倍 成 种 级 届 期 户 家 亩 公里 米 吨 辆
    间 张 部 类 号 票 轮 批 处 座 台 所 栋 套 双 课 会 次 % ‰"""
_UNITS = sorted({*_SAME_UNIT, *_SAME_UNIT.values(), *_PLAIN_UNITS.split()}, key=len, reverse=True)
# 一会、一时、一起、一处、一部、一号、一批、一分、十分 and the like are words, not quantities
_NOT_UNIT_AFTER_ONE = {"会", "时", "起", "处", "部", "号", "分", "成", "级", "类", "种"}
_UNIT = "|".join(map(re.escape, _UNITS))
_NUMBER = rf"""(?P<percent>百分之|千分之)(?P<share>{CHINESE_NUMERAL}+|\d+(?:\.\d+)?)
    |(?P<half>半)(?P<half_unit>个月|个小时|小时|年|月|天|日)
    |(?<![\d.])(?<![a-z]-)(?P<arabic>\d{{1,3}}(?:,\d{{3}})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?)(?!\.?\d)
       (?P<scale>[多余来]?[十百千万亿]+)?(?P<arabic_unit>(?:{_UNIT})?)(?P<arabic_half>半)?
    |(?P<ordinal>第)?(?P<chinese>{CHINESE_NUMERAL}+(?:点[零〇一二三四五六七八九]+(?=[万亿倍成个年%]))?[万亿]*)
       (?P<chinese_unit>(?:个半(?=月|小时|年)|{_UNIT}|(?=[、至到]{CHINESE_NUMERAL}+(?:{_UNIT}))[、至到])?)(?P<chinese_half>半)?"""
_HALF = Decimal("0.5")


def _scaled(value: Decimal, scale: str | None) -> Decimal:
    for char in scale or "":
        value *= (_TENS | _MYRIADS).get(char, 1)
    return value


def _chinese_values(run: str, counted: bool, ordinal: bool, unit: str) -> tuple[Decimal, ...]:
    """What a run of Chinese numerals means: usually one number, none in 一般 or 万一, two in 三四个."""
    if "点" in run:
        whole, fraction = run.split("点")
        scale = fraction.lstrip("零〇一二三四五六七八九")
        digits = "".join(str(_DIGITS[char]) for char in fraction[: len(fraction) - len(scale)])
        return (_scaled(Decimal(f"{chinese_to_number(whole)}.{digits}"), scale),)
    if run[0] in "百千万亿" and not (ordinal or (len(run) == 1 and counted and run in "百千")):
        return ()
    if len(run) == 1:
        if ordinal or (counted and not (run in "一十" and unit in _NOT_UNIT_AFTER_ONE)):
            return (Decimal(chinese_to_number(run)),)
        return ()
    if all(char in _DIGITS for char in run):
        about = len(run) == 2 and (_DIGITS[run[1]] == _DIGITS[run[0]] + 1 or run == "三五")  # 三四个, 三五年
        year = unit == "年" and len(run) in (2, 4) and not about
        if year or any(char in "零〇○" for char in run) or (ordinal and len(run) > 2):
            return (Decimal(chinese_to_number(run)),)
        return tuple(Decimal(_DIGITS[char]) for char in run) if counted or ordinal else ()
    return (Decimal(chinese_to_number(run)),)


def quantities(text: str) -> tuple[Quantity, ...]:
    """Every number of ``text`` with its measure, in order; words such as 一般、统一、十分、万一 hold none.

    >>> [(str(q.value), q.unit) for q in quantities('第十二条：一年半内，罚款3.5万元，影响期半年，涉及12人')]
    [('12', '条'), ('1.5', '年'), ('35000.0', '元'), ('0.5', '年'), ('12', '人')]
    """
    folded = fold(text)
    found: list[Quantity] = []
    for match in re.finditer(_NUMBER, folded, re.VERBOSE):
        groups = match.groupdict()
        start, end = match.span()
        values: tuple[Decimal, ...]
        if groups["percent"]:
            share = groups["share"]
            value = (
                Decimal(share)
                if share[0].isdigit() and share.isascii()
                else Decimal(chinese_to_number(share))
            )
            values, unit = (value,), "%" if groups["percent"] == "百分之" else "‰"
        elif groups["half"]:
            values, unit = (_HALF,), groups["half_unit"]
        elif groups["arabic"]:
            value = _scaled(Decimal(groups["arabic"].replace(",", "")), groups["scale"])
            unit = groups["arabic_unit"]
            values = (value + _HALF if groups["arabic_half"] and unit == "年" else value,)
        else:
            unit = groups["chinese_unit"]
            values = _chinese_values(groups["chinese"], bool(unit), bool(groups["ordinal"]), unit)
            if unit == "个半":
                after = re.match("个?月|小时|年", folded[end:])
                unit = {"月": "个月"}.get(after[0], after[0]) if after else "个"
                values = tuple(value + _HALF for value in values)
            elif groups["chinese_half"] and unit == "年":
                values = tuple(value + _HALF for value in values)
        unit = "" if unit in ("、", "至", "到") else unit  # 七、八条: 七 is counted by the measure of 八
        found += (Quantity(value, _SAME_UNIT.get(unit, unit), start, end) for value in values)
    return tuple(found)


def numbers(text: str) -> tuple[Decimal, ...]:
    """The numbers of ``text`` as values, in order: 十二, １２ and 12 are one, and 1 is not in 12.

    >>> numbers('十二') == numbers('１２') == numbers('12')
    True
    >>> numbers('1') == numbers('12')
    False
    >>> [str(n) for n in numbers('一般情况下两次，二〇一九年，三四个人，1,000元')]
    ['2', '2019', '3', '4', '1000']
    """
    return tuple(quantity.value for quantity in quantities(text))
