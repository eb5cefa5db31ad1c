"""Masking with a way back: private things become placeholders before a text is kept or sent away.

Comes in: texts of one conversation. Goes out: the texts with 〔姓名1〕, 〔手机号1〕, 〔地址1〕 …, and the real words
again for the person's own screen. What stands for what is in memory only.

Hidden are names, numbers that identify a person, number plates, and of an address what leads to a door: the number
in the street, the building, the household. County, town and village stay, and so do road and estate without a number:
they tell where something happened, which an answer may need. Of 张书记 only 张 is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import TypeVar, cast

from assistant.law.names import OPAQUE, Names, plain
from assistant.law.naming import find_names, looks_ordinary, stands
from assistant.privacy import private_numbers

NAME, ADDRESS = "姓名", "地址"
_TOKEN = re.compile(r"〔[一-鿿]{1,12}[1-9]\d{0,8}〕")
_HAN = re.compile(r"[一-鿿]+$")
_DIGIT = re.compile(r"[0-9A-Za-z０-９]")
_PLATE = re.compile(
    r"(?<![一-鿿])?(?P<plate>[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·•・ .-]?"
    r"(?:[A-HJ-NP-Z0-9]{5,6}|[A-HJ-NP-Z0-9]{4}[挂学警港澳]))(?![A-Za-z0-9])"
)
_PASSPORT = re.compile(r"(?<![A-Za-z0-9])(?:[EGDSP]\d{8}|E[A-Z]\d{7})(?![A-Za-z0-9])")
_COMPANY = re.compile(r"(?<![A-Za-z0-9])[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}(?![A-Za-z0-9])")
_COMPANY_DIGITS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_LOOKS = 8  # how often a text is looked through again, for what stands beside what was just hidden
_ROAD_REACH = 8

Value = TypeVar("Value")


class Veil:
    """What was hidden in one conversation: lives in memory only, never stored.

    One value has one placeholder for the whole conversation. A text that has things like placeholders in it keeps
    them: what this veil has not given out stays as it is, there and back. A placeholder that it has given out is
    taken for what it stands for.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._placeholders: dict[tuple[str, str], str] = {}  # kind and value -> placeholder
        self._values: dict[str, str] = {}  # placeholder -> value
        self._counts: dict[str, int] = {}
        self._foreign: set[str] = set()  # written by somebody, never given out
        self._known: dict[str, str] = {}  # words as they stand in a text -> words to be kept
        self._lengths: dict[str, tuple[int, ...]] = {}  # by first character, longest first
        self._first: re.Pattern[str] | None = None
        self._ordinary: set[str] = set()  # names that are ordinary words as well

    def hide(self, text: str) -> str:
        """The text with all that is private replaced; what is new in it is remembered.

        >>> from assistant.settings import load_settings
        >>> from assistant.law.names import load_names
        >>> veil = Veil(load_names(load_settings().knowledge))
        >>> veil.hide('我叫张建国，电话13812345678，张书记找过我')
        '我叫〔姓名1〕，电话〔手机号1〕，〔姓名2〕书记找过我'
        >>> veil.show('〔姓名2〕书记和〔姓名1〕')
        '张书记和张建国'
        """
        self._foreign.update(t for t in _TOKEN.findall(text) if t not in self._values)
        for _ in range(_LOOKS):
            for kind, value, beside in self._find(text):
                self._remember(kind, value, *beside)
            kept = self._replaced(text)
            if kept == text:
                break
            text = kept
        return text

    def hide_known(self, text: str) -> str:
        """The text with what is known already replaced; nothing new is looked for."""
        return self._replaced(text)

    def show(self, text: str) -> str:
        """The real words again."""
        return _TOKEN.sub(lambda m: self._values.get(m[0], m[0]), text)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What was hidden so far (姓名, 手机号 …), in order, once each."""
        return tuple(self._counts)

    def _find(self, text: str) -> list[tuple[str, str, tuple[str, str]]]:
        """Kind, value, and the words before and behind that it is known by: 张 is hidden in 张书记 only."""
        bare = plain(_TOKEN.sub(lambda m: OPAQUE * len(m[0]), text))
        spans = [*_numbers(bare), *_addresses(bare, self._names)]
        found = [(kind, text[start:end], ("", "")) for kind, start, end in spans]
        chars = list(bare)
        for _, start, end in spans:
            chars[start:end] = OPAQUE * (end - start)
        bare = "".join(chars)
        known = [(start, end) for start, end, _ in self._places(text)]
        found += [
            (NAME, text[n.start : n.end], (text[n.first : n.start], text[n.end : n.last]))
            for n in find_names(bare, self._names, known)
            if OPAQUE not in bare[n.first : n.last] and text[n.first : n.last] not in self._known
        ]
        return found

    def _remember(self, kind: str, value: str, before: str, behind: str) -> None:
        placeholder = self._placeholders.get((kind, value), "")
        if not placeholder:
            number = self._counts.get(kind, 0) + 1
            while (placeholder := f"〔{kind}{number}〕") in self._foreign:
                number += 1
            self._counts[kind] = number
            self._placeholders[kind, value] = placeholder
            self._values[placeholder] = value
        words = before + value + behind
        if words not in self._known:
            self._known[words] = before + placeholder + behind
            lengths = {*self._lengths.get(words[0], ()), len(words)}
            self._first = None
            self._lengths[words[0]] = tuple(sorted(lengths, reverse=True))
            if kind == NAME and words == value and looks_ordinary(value, self._names):
                self._ordinary.add(value)

    def _places(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Where known words stand outside placeholders, the longest of those that begin at one place."""
        if not self._known:
            return
        end = 0
        for match in self._begins().finditer(text):
            start = match.start()
            if start < end or match[0][0] == "〔":
                end = max(end, match.end())
                continue
            for length in self._lengths[match[0]]:
                words = text[start : start + length]
                if words in self._known and self._may_be(text, start, start + len(words)):
                    yield start, start + length, words
                    end = start + length
                    break

    def _begins(self) -> re.Pattern[str]:
        """Placeholders, and the characters that known words begin with."""
        if self._first is None:
            self._first = re.compile(f"{_TOKEN.pattern}|[{re.escape(''.join(self._lengths))}]")
        return self._first

    def _may_be(self, text: str, start: int, end: int) -> bool:
        """Not the part of a longer number, and not 高峰期 because somebody is called 高峰."""
        if _DIGIT.match(text[start]) and start and _DIGIT.match(text[start - 1]):
            return False
        if _DIGIT.match(text[end - 1]) and end < len(text) and _DIGIT.match(text[end]):
            return False
        words = text[start:end]
        return words not in self._ordinary or stands(text, start, end, self._names)

    def _replaced(self, text: str) -> str:
        pieces: list[str] = []
        at = 0
        for start, end, words in self._places(text):
            pieces += text[at:start], self._known[words]
            at = end
        return "".join(pieces) + text[at:] if pieces else text


def hidden(value: Value, veil: Veil, keep: Collection[str] = ()) -> Value:
    """The value with all strings in its dicts, lists and tuples hidden.

    Args:
        value: made of dicts, lists, tuples, strings and what else JSON knows.
        veil: hides, and remembers what it hid.
        keep: keys of dicts whose values stay as they are (ids, dates, labels). Keys are never changed.
    """

    def of(one: object) -> object:
        if isinstance(one, str):
            return veil.hide(one)
        if isinstance(one, dict):
            return {key: item if key in keep else of(item) for key, item in one.items()}
        if isinstance(one, list):
            return [of(item) for item in one]
        if isinstance(one, tuple):
            return tuple(of(item) for item in one)
        return one

    return cast(Value, of(value))


def _numbers(text: str) -> list[tuple[str, int, int]]:
    found = list(private_numbers(text))
    found += [("车牌号", *m.span("plate")) for m in _PLATE.finditer(text)]
    found += [("护照号", *m.span()) for m in _PASSPORT.finditer(text)]
    found += [("统一社会信用代码", *m.span()) for m in _COMPANY.finditer(text) if _is_company(m[0])]
    return _apart(found)


def _is_company(code: str) -> bool:
    """The check character of a unified social credit code."""
    total = sum(_COMPANY_DIGITS.index(char) * pow(3, at, 31) for at, char in enumerate(code[:17]))
    return _COMPANY_DIGITS[-total % 31] == code[17]


def _addresses(text: str, names: Names) -> list[tuple[str, int, int]]:
    found = []
    for pattern in names.addresses:
        for match in pattern.finditer(text):
            group = "door" if match.groupdict().get("door") else 0
            start, end = match.span(group)
            if match.groupdict().get("named"):
                own = _own_name(text, match.start("named"), match["named"], names)
                if own is None:
                    continue
                start = own
            found.append((ADDRESS, start, end))
    return _apart(found)


def _own_name(text: str, end: int, ending: str, names: Names) -> int | None:
    """Where the name of the road or the estate begins that ends there; None where there is none."""
    before = _HAN.search(text[max(0, end - _ROAD_REACH) : end])
    if not before or names.not_roads.search(before[0] + ending):
        return None
    cuts = [m.end() for m in names.road_starts.finditer(before[0]) if len(before[0]) - m.end() >= 2]
    return end - len(before[0]) + (cuts[-1] if cuts else 0)


def _apart(spans: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Of spans that overlap the first of the longest, in the order of the text."""
    kept: list[tuple[str, int, int]] = []
    for kind, start, end in sorted(spans, key=lambda s: (s[1], -s[2])):
        if kept and start < kept[-1][2]:
            if end > kept[-1][2]:
                kept[-1] = (kept[-1][0], kept[-1][1], end)
            continue
        kept.append((kind, start, end))
    return kept
