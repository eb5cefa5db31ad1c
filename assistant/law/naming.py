"""Where persons are named in a text: full names, surnames before posts (张书记), and 老李, 小王.

Comes in: a text and :class:`assistant.law.names.Names`. Goes out: spans. Every place where a surname stands is weighed:
how likely its characters are as a name in that place, against how likely they are as ordinary words. 张某 and 李×× tell
nobody's name and are left.

Known weakness: a name without a surname (建国, 阿强) is found only where it is known from elsewhere; of a foreign name
only the common ones are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import log

from assistant.law.names import OPAQUE, Names

# tried out on tests/veil-developed.txt
_SURE, _LIKELY, _START, _ANYWHERE = log(0.5), log(0.1), log(0.06), log(0.001)
_BEFORE_POST, _FAMILIAR = log(0.06), log(0.004)
_USUAL = log(0.003)  # surnames that half of all the people share are at least as likely
_TWO, _THREE = log(0.25), log(0.75)
_ELSE, _NEVER = log(0.00003), log(0.00000001)
_PLACE, _WORD, _WORD_WITHIN, _LISTED = -7.0, -5.0, -4.0, 5.0
_HOPELESS = -9.0  # no words around make a name of that
_KNOWN = 2.0  # how much it says that somebody has this name
_CERTAIN = 4.0  # 名叫: whatever the word is
_REACH = 12  # how far back the words before a name are looked at
_HAN = re.compile(r"[一-鿿]")
_BETWEEN = re.compile(r"、|和|与|及|以及|，|跟|或|同|/|\s")
_ANONYMOUS = re.compile(r"[某×xX＊*○〇□]")


@dataclass(frozen=True)
class Named:
    """A name at ``start`` to ``end``, known again by the words from ``first`` to ``last``: 张 by 张书记, 潘 by 姓潘."""

    start: int
    end: int
    score: float
    first: int
    last: int


def find_names(text: str, names: Names, known: Iterable[tuple[int, int]] = ()) -> tuple[Named, ...]:
    """The names in a text in their order. ``known``: where names stand that are known already."""
    taken = tuple(known)
    found = [
        *_of_peoples(text, names),
        *_before_posts(text, names),
        *_familiar(text, names),
        *_told_surname(text, names),
        *_listed(text, _full(text, names), taken),
    ]
    return _best(n for n in found if n.score > 0)


def stands(text: str, start: int, end: int, names: Names) -> bool:
    """Whether the words there, which are somebody's name elsewhere, are a name here too (高峰 in 高峰说, 高峰期)."""
    prior = max(_SURE, _prior(text, start, names))
    return _weight(text, start, end, names, prior) > -_KNOWN


def looks_ordinary(name: str, names: Names) -> bool:
    """Whether a name may be an ordinary word as well."""
    return (
        name[:2] in names.words or name in names.words or (len(name) == 2 and names.speech.pairs[name] >= 3)
    )


def _best(found: Iterable[Named]) -> tuple[Named, ...]:
    """Of names that overlap, the likeliest."""
    kept: list[Named] = []
    ends: dict[int, int] = {}  # every position taken
    for one in sorted(found, key=lambda n: (-n.score, n.start)):
        if not any(at in ends for at in range(one.start, one.end)):
            kept.append(one)
            ends |= dict.fromkeys(range(one.start, one.end), 1)
    return tuple(sorted(kept, key=lambda n: n.start))


def _full(text: str, names: Names) -> list[Named]:
    """Every surname with one or two characters behind it, also where that is unlikely."""
    found = []
    for match in names.surname.finditer(text):
        start = match.start()
        for long in (2, 1) if text[start : start + 2] in names.surnames else (1,):
            prior: float | None = None
            for end in (start + long + 1, start + long + 2):
                if end > len(text) or not _HAN.match(text[end - 1]):
                    break
                inside = _inside(text, start, end, long, names)
                if inside < _HOPELESS:
                    continue
                if prior is None:
                    prior = _prior(text, start, names)
                score = inside + _around(text, start, end, names, prior)
                if score > -_LISTED:
                    found.append(Named(start, end, score, start, end))
            nick = names.nicknames.match(text, start + long)
            if nick and _weight(text, start, start + long, names, _START) > -4:
                found.append(Named(start, nick.end(), 9.0, start, nick.end()))
    return found


def _prior(text: str, start: int, names: Names) -> float:
    """How likely a name begins here, by the words before."""
    before = text[max(0, start - _REACH) : start]
    if names.before_sure.search(before):
        return _CERTAIN if names.before_certain.search(before) else _SURE
    if names.before_likely.search(before[-5:]):
        return _LIKELY
    return _ANYWHERE if before and _HAN.match(before[-1]) else _START


def _weight(text: str, start: int, end: int, names: Names, prior: float, post: bool = False) -> float:
    """The logarithm of how much likelier a name is here than ordinary words. ``post``: a post follows."""
    long = 2 if text[start : start + 2] in names.surnames and end - start > 2 - post else 1
    return _inside(text, start, end, long, names) + _around(text, start, end, names, prior, post)


def _inside(text: str, start: int, end: int, long: int, names: Names) -> float:
    """What the characters themselves say, after the one before them."""
    given = text[start + long : end]
    score = names.surnames.get(text[start : start + long], _NEVER)
    if given:
        score += _THREE if len(given) == 2 else _TWO
        if given[-1] in names.never_last:
            score += _WORD
    for char in given:
        score += _NEVER if char in names.never else names.given.get(char, _ELSE)
    before = _class(text, start - 1)
    for char in text[start:end]:
        score -= names.speech.after(before, char)
        before = char
    return score


def _around(text: str, start: int, end: int, names: Names, prior: float, post: bool = False) -> float:
    """What the words around say, and what is known of the word as a whole."""
    whole, right = text[start:end], _class(text, end)
    if _ANONYMOUS.search(text, start + 1, end + 1):
        return -99.0
    score = prior
    sure = post or names.after_sure.match(text, end) is not None
    if right != OPAQUE:
        score -= names.speech.after(text[end - 1], right)
        if sure:
            score += log(0.3 if post else 0.1)
        elif right == "，":
            score += log(0.25)
        elif names.after_likely.match(text, end):
            score += log(0.012)
        else:
            score += log(0.5 * names.speech.alone(right))
    if not sure and names.places_after.match(text, end):
        score += _PLACE
    if not sure and prior < _SURE and text[start] in names.doubtful:
        score += _WORD_WITHIN
    if whole in names.places or text[start : start + 3] in names.places:
        score += _PLACE if prior >= _SURE and whole in names.places else 2 * _PLACE
    elif whole in names.words:
        score += _WORD
    elif whole[:2] in names.words or whole[:2] in names.places:
        score += _WORD_WITHIN
    return score


def _class(text: str, at: int) -> str:
    """The character there; ， for all that is no Chinese character, and beyond the ends."""
    if not 0 <= at < len(text):
        return "，"
    char = text[at]
    return char if char == OPAQUE or _HAN.match(char) else "，"


def _before_posts(text: str, names: Names) -> list[Named]:
    """张书记, 李姐: the surname alone."""
    found = []
    for match in names.with_post.finditer(text):
        surname, start, end = match["name"], match.start(), match.end("name")
        if surname in names.not_before_posts or text[start - 1 : start + 1] in names.words:
            continue
        if text[start : start + 2] in names.words:
            continue
        short = len(match["post"]) == 1 and match["post"] in "局处科厅镇校所站队检导支"
        if short and names.surnames[surname] < _USUAL:
            continue
        score = _weight(text, start, end, names, max(_BEFORE_POST, _prior(text, start, names)), True)
        found.append(Named(start, end, score, start, match.end()))
    return found


def _told_surname(text: str, names: Names) -> list[Named]:
    """姓潘的, 局长姓夏: the surname alone."""
    return [
        Named(m.start("name"), m.end(), 9.0, m.start(), m.end()) for m in names.told_surname.finditer(text)
    ]


def _familiar(text: str, names: Names) -> list[Named]:
    """老李, 小王: all of it is the name."""
    found = []
    for match in names.familiar.finditer(text):
        start, end = match.span()
        if not names.words.isdisjoint((text[start + 1 : end + 1], text[start : end + 1], text[start:end])):
            continue
        ordinary = names.speech.after(_class(text, start - 1), text[start])
        score = _weight(text, start + 1, end, names, _FAMILIAR) - ordinary
        found.append(Named(start, end, score, start, end))
    return found


def _of_peoples(text: str, names: Names) -> list[Named]:
    return [Named(m.start(), m.end(), 20.0, m.start(), m.end()) for m in names.peoples.finditer(text)]


def _listed(text: str, found: list[Named], known: tuple[tuple[int, int], ...]) -> list[Named]:
    """Names beside a name, with 、 or 和 between, are likelier: the list is walked there and back."""
    found = sorted(found, key=lambda n: (n.start, -n.score))
    ends = {end for _, end in known} | {n.last for n in found if n.score > 0}
    starts = {start for start, _ in known} | {n.start for n in found if n.score > 0}
    scores = [n.score for n in found]
    for index, one in enumerate(found):
        gap = next((g for g in (1, 2) if one.start - g in ends), 0)
        if gap and _BETWEEN.fullmatch(text, one.start - gap, one.start):
            scores[index] += _LISTED
            if scores[index] > 0:
                ends.add(one.end)
                starts.add(one.start)
    for index in range(len(found) - 1, -1, -1):
        one = found[index]
        if scores[index] <= 0 and any(
            one.end + g in starts and _BETWEEN.fullmatch(text, one.end, one.end + g) for g in (1, 2)
        ):
            scores[index] += _LISTED
            if scores[index] > 0:
                starts.add(one.start)
    return [replace(n, score=s) for n, s in zip(found, scores, strict=True)]
