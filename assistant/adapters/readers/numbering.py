"""The numbers that Word writes before paragraphs and keeps out of their text: 第一条, （一）, 1.

Comes in: the numbering part of a DOCX. Goes out: for each numbered paragraph, in order, the words of its number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from assistant.law.text import number_to_chinese

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_LEVELS = 9
_LARGEST = 99_999  # a higher start is no number of a provision, and Roman numerals have an end
_ENCLOSED = {"decimalEnclosedCircle": 0x2460, "decimalEnclosedCircleChinese": 0x2460, "decimalEnclosedParen": 0x2474,
             "decimalEnclosedFullstop": 0x2488}  # fmt: skip
_ROMAN = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
          (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))  # fmt: skip
_FORMAL = str.maketrans("零一二三四五六七八九十百千万", "零壹贰叁肆伍陆柒捌玖拾佰仟万")


@dataclass
class _Level:
    start: int = 1
    kind: str = "decimal"
    words: str = ""
    joined: bool = False  # nothing between number and text
    restarts_after: int | None = None  # level, from 1; 0 never; None after any higher one
    arabic: bool = False
    style: str = ""


@dataclass
class Numbering:
    """Counts through a document: ask for each numbered paragraph once, in order."""

    _abstract: dict[str, dict[int, _Level]] = field(default_factory=dict)
    _lists: dict[str, tuple[str, dict[int, _Level], dict[int, int]]] = field(default_factory=dict)
    _counts: dict[str, dict[int, int]] = field(default_factory=dict)
    _begun: set[tuple[str, int]] = field(default_factory=set)

    def level_of_style(self, list_id: str, style: str) -> int:
        """The level of a list that a style stands for; the first where none is named."""
        if list_id in self._lists:
            levels = self._abstract.get(self._lists[list_id][0], {})
            for number, level in levels.items():
                if level.style == style:
                    return number
        return 0

    def next(self, list_id: str, number: int) -> str:
        """The number of the next paragraph of a list on that level, with the blank that follows it; "" for bullets."""
        if list_id not in self._lists or not 0 <= number < _LEVELS:
            return ""
        abstract, overrides, starts = self._lists[list_id]
        levels = {**self._abstract.get(abstract, {}), **overrides}
        level = levels.get(number)
        if level is None:
            return ""
        counts = self._counts.setdefault(abstract, {})
        if number in starts and (list_id, number) not in self._begun:
            counts.pop(number, None)  # a list that says where it starts does not go on from another one
        self._begun.add((list_id, number))
        for higher in range(number):
            if higher in levels:
                counts.setdefault(higher, levels[higher].start)
        counts[number] = counts[number] + 1 if number in counts else starts.get(number, level.start)
        for lower in range(number + 1, _LEVELS):
            after = levels[lower].restarts_after if lower in levels else None
            if after is None or number < after:
                counts.pop(lower, None)
        if level.kind in ("bullet", "none") and "%" not in level.words:
            return ""
        return self._written(level, levels, counts)

    def _written(self, level: _Level, levels: Mapping[int, _Level], counts: Mapping[int, int]) -> str:
        def number(match: re.Match[str]) -> str:
            at = int(match[1]) - 1
            kind = levels[at].kind if at in levels else "decimal"
            return numeral(counts.get(at, 0), "decimal" if level.arabic and kind != "decimalZero" else kind)

        label = re.sub("%([1-9])", number, level.words)
        if not label:
            return ""
        if label[-1] in "、．。）)】〕，":
            return label
        if "\u3400" <= label[-1] <= "\u9fff":
            return label + "\u3000"  # 第一条 stands apart from its words, as where it was typed
        return label if level.joined else label + " "


def numeral(number: int, kind: str) -> str:
    """A number in one of Word's formats.

    >>> [numeral(12, kind) for kind in ("decimal", "chineseCountingThousand", "upperRoman", "lowerLetter")]
    ['12', '十二', 'XII', 'l']
    >>> [numeral(3, kind) for kind in ("ideographTraditional", "chineseLegalSimplified", "decimalEnclosedCircle")]
    ['丙', '叁', '③']
    """
    if not 0 <= number <= _LARGEST:
        return str(number)
    return _KINDS.get(kind, _KINDS["decimal"])(number)


def _cycle(letters: str) -> Callable[[int], str]:
    return lambda number: letters[(number - 1) % len(letters)] if number else ""


def _letters(number: int) -> str:
    return chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1) if 0 < number <= 260 else str(number)


def _roman(number: int) -> str:
    if not 0 < number < 4000:
        return str(number)
    written = ""
    for value, letters in _ROMAN:
        written += letters * (number // value)
        number %= value
    return written


def _enclosed(first: int) -> Callable[[int], str]:
    return lambda number: chr(first + number - 1) if 1 <= number <= 20 else str(number)


def _digits(number: int) -> str:
    return "".join("〇一二三四五六七八九"[int(digit)] for digit in str(number))


_KINDS: dict[str, Callable[[int], str]] = {
    "decimal": str,
    "decimalZero": lambda number: f"{number:02}",
    "decimalFullWidth": lambda number: str(number).translate({48 + n: 0xFF10 + n for n in range(10)}),
    "decimalFullWidth2": lambda number: str(number).translate({48 + n: 0xFF10 + n for n in range(10)}),
    "none": lambda number: "",
    "bullet": lambda number: "",
    **dict.fromkeys(
        ("chineseCounting", "chineseCountingThousand", "japaneseCounting", "taiwaneseCounting",
         "taiwaneseCountingThousand", "koreanDigital2"), number_to_chinese
    ),
    **dict.fromkeys(("ideographDigital", "japaneseDigitalTenThousand", "taiwaneseDigital"), _digits),
    "chineseLegalSimplified": lambda number: number_to_chinese(number).translate(_FORMAL),
    "ideographTraditional": _cycle("甲乙丙丁戊己庚辛壬癸"),
    "ideographZodiac": _cycle("子丑寅卯辰巳午未申酉戌亥"),
    "ideographEnclosedCircle": lambda number: chr(0x3280 + number - 1) if 1 <= number <= 10 else str(number),
    "lowerLetter": _letters,
    "upperLetter": lambda number: _letters(number).upper(),
    "lowerRoman": lambda number: _roman(number).lower(),
    "upperRoman": _roman,
    **{kind: _enclosed(first) for kind, first in _ENCLOSED.items()},
}  # fmt: skip


def numbering_of(root: Any | None) -> Numbering:
    """What the numbering part of a DOCX says; without one, nothing is numbered."""
    numbering = Numbering()
    if root is None:
        return numbering
    links: dict[str, str] = {}
    styled: dict[str, str] = {}
    for abstract in root.findall(f"{W}abstractNum"):
        name = abstract.get(f"{W}abstractNumId", "")
        numbering._abstract[name] = _levels(abstract)
        link, style = abstract.find(f"{W}numStyleLink"), abstract.find(f"{W}styleLink")
        if link is not None:
            links[name] = link.get(f"{W}val", "")
        if style is not None:
            styled[style.get(f"{W}val", "")] = name
    for instance in root.findall(f"{W}num"):
        reference = instance.find(f"{W}abstractNumId")
        name = reference.get(f"{W}val", "") if reference is not None else ""
        name = styled.get(links.get(name, ""), name)
        starts: dict[int, int] = {}
        overrides: dict[int, _Level] = {}
        for override in instance.findall(f"{W}lvlOverride"):
            number = integer(override.get(f"{W}ilvl"), 0)
            overrides.update(_levels(override))
            start = override.find(f"{W}startOverride")
            if start is not None:
                starts[number] = integer(start.get(f"{W}val"), 1)
        numbering._lists[instance.get(f"{W}numId", "")] = (name, overrides, starts)
    return numbering


def integer(written: str | None, otherwise: int) -> int:
    try:
        return int(written) if written is not None and len(written) < 9 else otherwise
    except ValueError:
        return otherwise


def _levels(parent: Any) -> dict[int, _Level]:
    levels: dict[int, _Level] = {}
    for element in parent.findall(f"{W}lvl"):
        said = {
            child.tag.removeprefix(W): child.get(f"{W}val") for child in element if isinstance(child.tag, str)
        }
        # formats of later versions stand in an alternative; its fallback is a plain format
        kinds = [kind.get(f"{W}val") for kind in element.iter(f"{W}numFmt")]
        restart = said.get("lvlRestart")
        levels[integer(element.get(f"{W}ilvl"), 0)] = _Level(
            start=integer(said.get("start"), 1 if "start" in said else 0),
            kind=next((kind for kind in reversed(kinds) if kind), "decimal"),
            words=said.get("lvlText") or "",
            joined=said.get("suff") == "nothing",
            restarts_after=None if restart is None else integer(restart, 0),
            arabic="isLgl" in said and said["isLgl"] not in ("0", "false"),
            style=said.get("pStyle") or "",
        )
    return levels
