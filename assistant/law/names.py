"""What tells a person's name and a door's address: surnames, given names, posts, the words around them.

Comes in: ``knowledge/names.yaml``, and the stories and digests of the knowledge base as ordinary speech. Goes out:
:class:`Names`. Raises ``KnowledgeError`` with file and line.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from math import log
from operator import add
from pathlib import Path

from pydantic import Field
from zhconv.zhconv import getdict

from assistant.errors import KnowledgeError
from assistant.law.exemplars import exemplar_files
from assistant.law.schema import Strict, Text, read_yaml

_FILE = "names.yaml"
#: Where the words of the law are: none of them is ever to be taken for a name.
_LEGAL = (
    "instruments/*.yaml",
    "questions/*",
    "cases/*",
    "facts.yaml",
    "glossary.yaml",
    "history.yaml",
    "periods.yaml",
    "remedies.yaml",
)
#: Stands in a text for what is hidden already: nothing is known of it, it speaks neither for nor against a name.
OPAQUE = "\ue000"
_LETTERS = re.compile(r"[^一-鿿\ue000]")
_FLOOR = log(0.00003)  # what was never seen may still be a word that was never met
_PSEUDO = 8.0  # how many sightings the frequency of a character alone counts for, beside its neighbour's


class Speech:
    """How often characters follow one another in ordinary talk, counted once for each text."""

    def __init__(self, texts: Iterable[str]) -> None:
        pairs: Counter[str] = Counter()
        for text in texts:
            bare = f"，{_LETTERS.sub('，', text)}，"
            pairs.update(set(map(add, bare, bare[1:])))
        for pair in [pair for pair in pairs if OPAQUE in pair]:
            del pairs[pair]
        self.pairs = pairs
        self._first: Counter[str] = Counter()
        self._chars: Counter[str] = Counter()
        for pair, count in pairs.items():
            self._first[pair[0]] += count
            self._chars[pair[1]] += count
        self._logs: dict[str, float] = {}  # worked out so far
        self._total = sum(self._chars.values()) + 5000.0

    def alone(self, char: str) -> float:
        """How likely a character is, as a share."""
        return (self._chars[char] + 0.5) / self._total

    def after(self, before: str, char: str) -> float:
        """The logarithm of how likely ``char`` is after ``before``."""
        found = self._logs.get(before + char)
        if found is None:
            found = self._logs[before + char] = max(_FLOOR, log(self._share(before, char)))
        return found

    def _share(self, before: str, char: str) -> float:
        if before == OPAQUE:
            return self.alone(char)
        seen = self.pairs.get(before + char, 0) + _PSEUDO * self.alone(char)
        return seen / (self._first[before] + _PSEUDO)


@cache
def _table() -> dict[int, str]:
    wide = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F) if chr(code - 0xFEE0).isalnum()}
    return wide | {ord(a): b for a, b in getdict("zh-cn").items() if len(a) == len(b) == 1}


def plain(text: str) -> str:
    """Simplified characters, half-width letters and digits; the length stays, so that offsets hold."""
    return text.translate(_table())


@dataclass(frozen=True)
class Names:
    """All of it, ready to be used. ``surnames`` and ``given``: the logarithm of how likely a character is there."""

    surnames: Mapping[str, float]
    given: Mapping[str, float]
    doubtful: frozenset[str]
    never: frozenset[str]
    never_last: frozenset[str]
    words: frozenset[str]
    places: frozenset[str]
    speech: Speech
    surname: re.Pattern[str]
    with_post: re.Pattern[str]
    familiar: re.Pattern[str]
    told_surname: re.Pattern[str]
    not_before_posts: frozenset[str]
    before_certain: re.Pattern[str]
    before_sure: re.Pattern[str]
    before_likely: re.Pattern[str]
    after_sure: re.Pattern[str]
    after_likely: re.Pattern[str]
    places_after: re.Pattern[str]
    peoples: re.Pattern[str]
    nicknames: re.Pattern[str]
    addresses: tuple[re.Pattern[str], ...]
    road_starts: re.Pattern[str]
    not_roads: re.Pattern[str]


class _Surnames(Strict):
    frequent: Text
    usual: Text
    some: Text
    doubtful: Text


class _Given(Strict):
    frequent: Text
    usual: Text
    some: Text


class _Around(Strict):
    certain: list[Text] = []
    sure: list[Text] = Field(min_length=1)
    likely: list[Text] = Field(min_length=1)


class _Addresses(Strict):
    roads: Text
    not_roads: Text
    estates: Text
    starts: Text
    home: Text


class _File(Strict):
    surnames: _Surnames
    compound: Text
    given: _Given
    never: Text
    never_last: Text
    words: Text
    places: Text
    posts: list[Text] = Field(min_length=1)
    short_titles: list[Text] = Field(min_length=1)
    not_after_familiar: Text
    not_before_posts: Text
    before: _Around
    after: _Around
    places_after: Text
    syllables: Text
    peoples: Text
    nicknames: Text
    addresses: _Addresses


@lru_cache(maxsize=4)
def load_names(folder: Path) -> Names:
    """Read ``names.yaml`` in the knowledge folder; takes about half a second the first time.

    Raises:
        KnowledgeError: the first thing that is wrong.
    """
    file = read_yaml(folder / _FILE, _File, folder)
    try:
        return _names(file, folder)
    except re.error as error:
        raise KnowledgeError(f"有一处正则写法有误：{error}。", _FILE) from None


def check_names(folder: Path) -> list[KnowledgeError]:
    """What is wrong with the file."""
    try:
        load_names(folder)
    except KnowledgeError as error:
        return [error]
    return []


def _names(file: _File, folder: Path) -> Names:
    surnames: dict[str, float] = {}
    # frequent ones make up about half of all people, the usual ones a third; the later row wins
    for chars, share in (
        (file.surnames.some, 0.0004),
        (file.surnames.usual, 0.003),
        (file.surnames.frequent, 0.02),
        (file.surnames.doubtful, 0.00002),
    ):
        surnames |= dict.fromkeys("".join(chars.split()), log(share))
    surnames |= dict.fromkeys(file.compound.split(), log(0.0003))
    given: dict[str, float] = {}
    for chars, share in ((file.given.some, 0.0003), (file.given.usual, 0.0013), (file.given.frequent, 0.007)):
        given |= dict.fromkeys("".join(chars.split()), log(share))
    posts = "|".join(f"(?:{p})" for p in file.posts)
    titles = "|".join(f"(?:{p})" for p in (*file.posts, *file.short_titles))

    def joined(sources: Iterable[str]) -> str:
        return "|".join(f"(?:{s.replace('<称职>', f'(?:{posts})')})" for s in sources)

    one = "".join(s for s in surnames if len(s) == 1)
    common = "".join((file.surnames.frequent + file.surnames.usual).split())
    any_surname = f"(?:{'|'.join(file.compound.split())}|[{one}])"
    # 老李 and 李书记 in the stories are names themselves, so they are left out of ordinary speech
    told = re.compile(f"[老小][{common}](?!{file.not_after_familiar})|(?<![一-鿿])[{common}](?={posts})")
    syllables = "".join(file.syllables.split())
    peoples = "|".join(sorted(file.peoples.split(), key=len, reverse=True))
    return Names(
        surnames=surnames,
        given=given,
        doubtful=frozenset(file.surnames.doubtful),
        never=frozenset("".join(file.never.split())),
        never_last=frozenset(file.never_last),
        words=frozenset(file.words.split()),
        places=frozenset(file.places.split()),
        speech=Speech(told.sub(OPAQUE, plain(text)) for text in _ordinary(folder)),
        surname=re.compile(f"(?={any_surname})[{one}{''.join({c[0] for c in file.compound.split()})}]"),
        with_post=re.compile(f"(?P<name>{any_surname})(?P<post>{titles})"),
        familiar=re.compile(f"[老小](?P<name>[{one}])(?!{file.not_after_familiar})"),
        told_surname=re.compile(
            f"(?<![老百同贵])姓(?P<name>{any_surname})(?=的|[，。；、：！？]|$|(?:{posts}))"
        ),
        not_before_posts=frozenset(file.not_before_posts),
        before_certain=re.compile(f"(?:{joined(file.before.certain)})$"),
        before_sure=re.compile(f"(?:{joined(file.before.sure)})$"),
        before_likely=re.compile(f"(?:{joined(file.before.likely)})$"),
        after_sure=re.compile(joined(file.after.sure)),
        after_likely=re.compile(joined(file.after.likely)),
        places_after=re.compile(file.places_after),
        peoples=re.compile(
            f"[{syllables}]{{2,7}}(?:[·•・‧][{syllables}]{{2,7}})+|(?:{peoples})+(?:[·•・‧](?:{peoples})+)*"
        ),
        nicknames=re.compile(file.nicknames.strip().replace(" ", "|")),
        addresses=_address_patterns(file.addresses),
        road_starts=re.compile(file.addresses.starts),
        not_roads=re.compile(f"(?:{file.addresses.not_roads})$"),
    )


def _ordinary(folder: Path) -> Iterable[str]:
    """Texts in which hardly anybody is named: the stories that reading is learned from, and all that is told of law."""
    for path in exemplar_files(folder):
        for line in path.read_text("utf-8").splitlines():
            if line.strip():
                yield str(json.loads(line)["text"])
    for pattern in _LEGAL:
        for path in sorted(folder.glob(pattern)):
            yield from path.read_text("utf-8").splitlines()


def _address_patterns(row: _Addresses) -> tuple[re.Pattern[str], ...]:
    """The parts of an address that lead to a door; what stands under ``named`` has a proper name before it."""
    n = r"(?:[0-9]{1,4}(?:-[0-9]{1,3})?|[一二三四五六七八九十百零〇]{1,4}|[A-Za-z][0-9]{0,3}|[甲乙丙丁东西南北])"
    building = rf"{n}(?:号楼|栋|幢|座|楼)"
    within = rf"(?:第?{n}(?:单元|门|梯|层|楼))"
    room = rf"(?:{n}(?:室|号房|房|号|户)|[0-9]{{3,4}}|[东西南北中]户)"
    inside = rf"(?:{building}{within}{{0,2}}{room}?|{within}{{1,2}}{room}?)"
    number = rf"[甲乙丙丁]?{n}(?:弄|号(?!文|令|桥|线|通知|公告|召开|前|下午|上午|晚|凌晨|开始))(?:(?:附|之){n}号?)?"
    door = rf"{number}(?:{n}号)?(?:大?院)?(?:[一-鿿]{{1,6}}(?:{row.estates}))?{inside}?(?:{room})?"
    return tuple(
        map(
            re.compile,
            (
                rf"(?P<named>{row.roads})(?:{n}(?:巷|弄|里|条|街))?{door}",
                rf"(?P<named>{row.estates})[（(]?{building}(?:{within}{{1,2}}{room}?|{room})",
                rf"{building}(?:{within}{room}?|{n}(?:室|号房|户)|[0-9]{{3,4}}(?![0-9元万个米户年]))",
                rf"{within}[0-9]{{3,4}}(?:室|号|房|户)?",
                rf"第?{n}(?:村民小组|小组|组|社|队|屯)(?:第?{n}(?:号|户))",
                r"(?<![0-9])[0-9]{3,4}(?:室|号房)(?![内外间])",
                rf"{row.home}(?P<named>{row.estates})(?P<door>{inside})",
                rf"{row.home}(?P<door>{inside}|{number})",
            ),
        )
    )
