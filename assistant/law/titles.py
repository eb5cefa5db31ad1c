"""Which instrument a name in a text means.

Comes in: a normalised text (``law/text.py``) and the instruments of the stock. Goes out: the places where an
instrument is named, with every version the name fits, and the marks that choose one (a year, 旧版, 现行).
Names that the stock does not hold are reported too, so that their articles are not taken for somebody else's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Literal

from assistant.law.text import chinese_to_number, normalise
from assistant.model import Instrument

Age = Literal["old", "new"]

_PREFIX = re.compile("^(?:中华人民共和国|中国共产党|中共)")
_TRIAL = re.compile("（(?:试行|暂行|修订|修正|修订版|[二〇一九零\\d]{4}年?(?:修订|修正|版)?)）$")
# words that end the name of a rule; what they end with alone ("该条例", 《条例》) points back to another name
KINDS = "条例|规定|办法|规则|准则|细则|章程|解释|意见|守则|法典|法"
_GENERIC = frozenset(
    (*KINDS.split("|"), "暂行规定", "暂行条例", "若干规定", "实施细则", "实施条例", "决定", "通知")
)


@dataclass(frozen=True)
class Mention:
    """One place where an instrument is named; ``start`` and ``end`` cover its marks too.

    ``instruments`` are all versions the name fits; empty with ``kind`` "unknown" (a name the stock does not
    hold) or "pointer" (该条例, 本法, 《条例》: ``written`` is what points, for the caller to resolve).
    A ``loose`` year stands before the name like a date (2021年问责条例) and counts only if a version has it.
    """

    start: int
    end: int
    written: str
    kind: Literal["known", "unknown", "pointer"]
    instruments: tuple[Instrument, ...] = ()
    year: int | None = None
    loose: bool = False
    age: Age | None = None
    bracketed: bool = False


@dataclass(frozen=True)
class Choice:
    """The version a mention means on a day: one instrument, or why there is none."""

    instrument: Instrument | None
    problem: Literal["", "no_such_version", "ambiguous"] = ""


@lru_cache(maxsize=1024)
def family(title: str) -> str:
    """What the versions of one title have in common: the title without （试行） and the like.

    >>> family('中国共产党组织处理规定（试行）')
    '中国共产党组织处理规定'
    """
    return _TRIAL.sub("", normalise(title))


def _forms(name: str) -> Iterator[str]:
    whole = normalise(name)
    if whole not in _GENERIC:
        yield whole
    for form in (_TRIAL.sub("", whole), _PREFIX.sub("", whole), _PREFIX.sub("", _TRIAL.sub("", whole))):
        if form not in _GENERIC:
            yield form
            if len(form) > 8:
                yield form.removeprefix("关于")


@lru_cache(maxsize=8)
def _names(instruments: tuple[Instrument, ...]) -> Mapping[str, tuple[Instrument, ...]]:
    """Every name -> the versions it fits. Versions of a title share names, but （试行） names its own."""
    families: dict[str, list[Instrument]] = {}
    for instrument in instruments:
        families.setdefault(family(instrument.title), []).append(instrument)
    owners: dict[str, list[Instrument]] = {}
    for versions in families.values():
        exact = {normalise(instrument.title) for instrument in versions}
        for name in {
            form for i in versions for given in (i.title, *i.short_titles) for form in _forms(given)
        }:
            for instrument in versions:
                own = normalise(instrument.title)
                if name not in exact or name == own or not _TRIAL.search(name):
                    owners.setdefault(name, []).append(instrument)
    return {name: tuple(fits) for name, fits in owners.items()}


@lru_cache(maxsize=8)
def _scanner(instruments: tuple[Instrument, ...]) -> re.Pattern[str]:
    names = sorted(_names(instruments), key=len, reverse=True)  # the longest name wins where several begin
    written = "|".join(map(re.escape, names)) if names else r"(?!)"
    return re.compile(f"{_BRACKETED}|(?P<name>{written})|{_POINTER}")


def instruments_named(name: str, instruments: Iterable[Instrument]) -> tuple[Instrument, ...]:
    """All versions that a title, full or short, with or without its prefix, fits; empty when none does."""
    return _names(tuple(instruments)).get(normalise(name), ())


# a longer title of another rule goes on here; 监察法规定 is a sentence ("监察法 provides"), 监察法规 is not
_GOES_ON = re.compile(
    "(?:(?:实施|执行|施行|适用)?(?:条例|细则|办法|规则|准则|解释|意见|方案|通知)|实施规定|若干规定|规(?!定)"
    "|修正案|草案|征求意见稿|学(?!习)|释义|解读(?!》))"
)
_BEGINS_BEFORE = re.compile("(?:[省市县区州盟]|行政|地方|军队|香港|澳门|教育|企业内部)$")
_BRACKETED = (
    r"《(?P<book>(?:[^《》]|《[^《》]*》)*)》|〈(?P<single>[^〈〉]*)〉|<{1,2}(?P<angle>[^<>]{2,60})>{1,2}"
    r"|“(?P<quoted>[^“”]{2,40})”(?=[的中]?第)"
)
_POINTER = rf"(?P<points>本|该|此|同|这个|这部|这一|上述|前述)(?P<kind>{KINDS})(?![规院制定官人庭])"

_DIGIT_YEAR = "[12]\\d{3}|[一二][〇零○一二三四五六七八九]{3}"
_ISSUED = "修订版|修正版|修订|修正|修改|公布|发布|印发|施行|实施|颁布|制定|通过|出台|版"
_YEAR_BEFORE = re.compile(
    rf"(?<!\d)(?P<year>{_DIGIT_YEAR})(?P<nian>年)?(?P<day>\d{{1,2}}月(?:\d{{1,2}}日)?)?起?(?P<issued>{_ISSUED})?"
    r"(?P<of>的)?$"
)
_AGE_BEFORE = re.compile(
    "(?:(?P<old>旧版?|老版?|(?<![草高平中])原先?|原来|修订前|修正前|修改前|以前|从前|已?废止|已?失效)"
    "|(?P<new>(?:(?:新近?|最新|最近)(?:修订|修正|修改)|(?<![重创更革全刷])新版?|最新版?|现行有效|现行|修订后|修正后|修改后))"
    ")的?$"
)  # fmt: skip
_NOTE_AFTER = re.compile(
    r"[（〔\[](?P<inside>[^（）〔〕\[\]]*(?:[〔\[（][^〕\]）]*[〕\]）][^（）〔〕\[\]]*)*)[）〕\]]"
)
_YEAR_AFTER = re.compile(rf"(?P<year>{_DIGIT_YEAR})年?(?:修订版|修正版|修订本|修正本|版本|版|修订|修正)")
_ALIAS = re.compile("^(?:以下|下文|下)?(?:统一)?(?:简称|称)(?:为|：)?[“《]?(?P<alias>[^”》]{2,20})[”》]?$")
_YEAR_IN_NOTE = re.compile(
    rf"^(?:.*?)(?P<year>{_DIGIT_YEAR})(?:年(?:\d{{1,2}}月)?(?:\d{{1,2}}日)?)?(?:起?(?:{_ISSUED}))?$"
)
_DOCUMENT_NUMBER = re.compile(r"[〔\[（(]\d{4}[〕\]）)]\d*号?|第?\d+号")


def _year(written: str) -> int:
    return chinese_to_number(written)


def _marks_before(text: str, mention: Mention) -> Mention:
    """Take in 2016年版 or 旧版 that stands right before a name."""
    if age := _AGE_BEFORE.search(text, max(0, mention.start - 12), mention.start):
        return replace(mention, start=age.start(), age="old" if age["old"] else "new")
    before = _YEAR_BEFORE.search(text, max(0, mention.start - 24), mention.start)
    if before and (before["nian"] or before["issued"]):
        loose = not before["issued"] and (not before["of"] or bool(before["day"]))
        return replace(mention, start=before.start(), year=_year(before["year"]), loose=loose)
    return mention


def _marks_after(text: str, mention: Mention) -> tuple[Mention, str | None]:
    """Take in （2016年修订）, 2016年版, （以下简称《条例》） after a name; an alias is given back."""
    alias = None
    if year := _YEAR_AFTER.match(text, mention.end):
        mention = replace(mention, end=year.end(), year=_year(year["year"]), loose=False)
    while note := _NOTE_AFTER.match(text, mention.end):
        inside = note["inside"]
        if named := _ALIAS.match(inside):
            alias = named["alias"]
        elif _DOCUMENT_NUMBER.search(inside) or re.fullmatch("试行|暂行|全文|节选|节录|摘录|修订稿", inside):
            pass
        elif re.fullmatch("旧|旧版|原|修订前|已废止|已失效|废止|失效", inside):
            mention = replace(mention, age="old")
        elif re.fullmatch("新|新版|现行|现行有效|修订后|新修订|最新|修订|修正", inside):
            mention = replace(mention, age="new")
        elif year := _YEAR_IN_NOTE.match(inside):
            mention = replace(mention, year=_year(year["year"]), loose=False)
        else:
            break
        mention = replace(mention, end=note.end())
    return mention, alias


def _from_brackets(inside: str, names: Mapping[str, tuple[Instrument, ...]]) -> Mention:
    """What a name in 《》 means; its place is filled in by the caller."""
    written = normalise(inside)
    if fits := names.get(written):
        return Mention(0, 0, written, "known", fits, bracketed=True)
    if year := re.match(rf"({_DIGIT_YEAR})年?(?:版|修订|修正)?的?(.+)", written):
        rest = _from_brackets(year[2], names)
        if rest.kind == "known":
            return replace(rest, written=written, year=_year(year[1]))
    if note := re.fullmatch(r"(.+?)（([^（）]+)）", written):
        rest = _from_brackets(note[1], names)
        within = _YEAR_IN_NOTE.match(note[2])
        if rest.kind == "known" and (within or re.fullmatch("试行|暂行|修订|修正|新|全文", note[2])):
            return replace(rest, written=written, year=_year(within["year"]) if within else None)
    if written in _GENERIC:
        return Mention(0, 0, written, "pointer", bracketed=True)
    return Mention(0, 0, written, "unknown", bracketed=True)


def find_mentions(text: str, instruments: Iterable[Instrument]) -> tuple[Mention, ...]:
    """The places of a normalised text where an instrument is named, in order and without overlaps.

    A name counts only at the ends of a title: 公务员法 is not found in 公务员法实施细则, and inside 《》 the
    whole has to fit. A name given by （以下简称《条例》） holds for the rest of the text.
    """
    stock = tuple(instruments)
    names, scanner = _names(stock), _scanner(stock)
    aliases: dict[str, Mention] = {}
    found: list[Mention] = []
    at = 0
    while match := scanner.search(text, at):
        at = match.end()
        mention = _read(text, match, names, aliases)
        if mention is None:
            continue
        if mention.kind != "pointer" or mention.bracketed:
            mention = _marks_before(text, mention)
            if found and mention.start < found[-1].end:
                mention = replace(mention, start=match.start())
        mention, alias = _marks_after(text, mention)
        if alias and mention.kind != "pointer":
            aliases[alias] = mention
        at = max(at, mention.end)
        found.append(mention)
    return tuple(found)


def _read(
    text: str,
    match: re.Match[str],
    names: Mapping[str, tuple[Instrument, ...]],
    aliases: Mapping[str, Mention],
) -> Mention | None:
    start, end = match.span()
    inside = match["book"] or match["single"] or match["angle"] or match["quoted"]
    if inside is not None:
        if known := aliases.get(normalise(inside)):
            written = inside if known.kind == "known" else known.written
            return replace(known, start=start, end=end, written=written, bracketed=True)
        mention = replace(_from_brackets(inside, names), start=start, end=end)
        sure = match["book"] is not None or mention.kind == "known"
        return mention if sure else None
    if match["name"]:
        if _GOES_ON.match(text, end) or _BEGINS_BEFORE.search(text, max(0, start - 4), start):
            return None
        return Mention(start, end, match["name"], "known", names[match["name"]])
    if match["kind"]:
        return Mention(start, end, match[0], "pointer")
    return None


def version_years(instrument: Instrument) -> tuple[int, ...]:
    """The years by which people call a version: the one in its id and the one it came into force.

    Both are needed: a revision passed in December comes into force in the next year.
    """
    named = re.search(r"-(\d{4})$", instrument.id)
    years = [int(named[1])] if named else []
    if instrument.effective_from and instrument.effective_from.year not in years:
        years.append(instrument.effective_from.year)
    return tuple(years)


def choose_version(mention: Mention, day: date) -> Choice:
    """The version that a mention means on ``day``; never a guess between two."""
    fits = mention.instruments
    if mention.year is not None:
        named = [i for i in fits if version_years(i)[:1] == (mention.year,)] or [
            i for i in fits if mention.year in version_years(i)
        ]
        if len(named) == 1:
            return Choice(named[0])
        if named:
            return Choice(None, "ambiguous")
        if not mention.loose:
            return Choice(None, "no_such_version")
    if mention.age == "old":
        ended = [i for i in fits if i.effective_to and i.effective_to < day]
        if len(ended) == 1:
            return Choice(ended[0])
        return Choice(None, "ambiguous" if ended else "no_such_version")
    in_force = [i for i in fits if i.in_force(day)]
    if len(in_force) == 1:
        return Choice(in_force[0])
    if len({family(i.title) for i in fits}) == 1 and (one := _preferred(in_force)):
        return Choice(one)
    if in_force or len({family(i.title) for i in fits}) > 1:
        return Choice(None, "ambiguous")
    return Choice(_nearest(fits, day))


def _preferred(in_force: list[Instrument]) -> Instrument | None:
    """Of one title, the version of the catalogue, which the rules rest on, before those that documents brought."""
    shipped = [i for i in in_force if i.document is None]
    if shipped or not in_force:
        return shipped[0] if len(shipped) == 1 else None
    return max(in_force, key=lambda i: i.effective_from or date.min)


def _nearest(versions: tuple[Instrument, ...], day: date) -> Instrument:
    """No version is in force: the one that ended last before the day, else the first to come."""
    ended = [i for i in versions if i.effective_to and i.effective_to < day]
    if ended:
        return max(ended, key=lambda i: i.effective_to or date.min)
    return min(versions, key=lambda i: i.effective_from or date.max)
