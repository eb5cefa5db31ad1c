"""What changed in the words of a text: taken out, put in, replaced, in pieces that a person can read.

Comes in: two versions of one paragraph. Goes out: edits in the order of the text. Differences that are none (width of
letters and marks, traditional characters, blanks) are not reported.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from assistant.law.text import CHINESE_NUMERAL, Normalised, aligned

_MARKS = "，。；：、！？（）《》“”‘’…—\n"
_STOPS = "，。；：！？\n"
# numbers and words of letters are never cut in two
_TOKEN = re.compile(rf"[A-Za-z]+|\d+(?:\.\d+)?|第{CHINESE_NUMERAL}+|{CHINESE_NUMERAL}{{2,}}|.", re.DOTALL)
_CLAUSE = re.compile(f"[^{_STOPS}]*[{_STOPS}]|[^{_STOPS}]+")
_ANCHOR = 12  # characters shown in front of what was put in, at most
_WHOLE = 0.35  # of two clauses with less than this in common, one replaces the other


@dataclass(frozen=True)
class WordEdit:
    """``old`` was replaced by ``new``; one of them may be empty. ``after`` are the unchanged words before it, and
    ``before`` those behind it where there are none before."""

    old: str
    new: str
    after: str = ""
    before: str = ""


def word_edits(old: str, new: str) -> tuple[WordEdit, ...]:
    """The edits that make ``new`` of ``old``, quoted as they were written.

    >>> word_edits('应当在十日内报告。', '应当在十五日内书面报告。')
    (WordEdit(old='十', new='十五', after='应当在', before=''), WordEdit(old='', new='书面', after='日内', before=''))
    >>> word_edits('保守国家秘密、商业秘密。', '保守国家秘密、工作秘密、商业秘密。')
    (WordEdit(old='', new='、工作秘密', after='保守国家秘密', before=''),)
    >>> word_edits('可以(依規)问责', '可以（依规）问责')
    ()
    """
    one, other = aligned(old), aligned(new)
    edits = _edits(one.text, other.text)
    ends = [0, *(edit.i2 for edit in edits)]  # the words in front of an edit begin after the one before it
    return tuple(_quoted(edit, end, one, other) for edit, end in zip(edits, ends, strict=False))


@dataclass
class _Edit:
    """``old[i1:i2]`` became ``new[j1:j2]``, offsets of the normalised texts."""

    i1: int
    i2: int
    j1: int
    j2: int


def _edits(old: str, new: str) -> list[_Edit]:
    """Clauses are compared first, and words only inside those that changed: words that occur everywhere must not
    tie unrelated clauses together."""
    edits: list[_Edit] = []
    before, after = _CLAUSE.findall(old), _CLAUSE.findall(new)
    for i1, i2, j1, j2, a, b in _changed(before, after):
        edits += _inside(old, new, i1, i2, j1, j2, "".join(before[a]), "".join(after[b]))
    return [_settled(edit, old, new) for edit in edits]


def _changed(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int, int, slice, slice]]:
    """The pieces that differ: their offsets in both texts, and which tokens they are made of."""
    starts, news = _offsets(old), _offsets(new)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [
        (starts[i1], starts[i2], news[j1], news[j2], slice(i1, i2), slice(j1, j2))
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
    ]


def _offsets(tokens: Sequence[str]) -> list[int]:
    offsets = [0]
    for token in tokens:
        offsets.append(offsets[-1] + len(token))
    return offsets


def _inside(old: str, new: str, i1: int, i2: int, j1: int, j2: int, a: str, b: str) -> list[_Edit]:
    if not a or not b:
        return [_Edit(i1, i2, j1, j2)]
    pieces = _changed(_TOKEN.findall(a), _TOKEN.findall(b))
    edits = _joined([_Edit(i1 + p[0], i1 + p[1], j1 + p[2], j1 + p[3]) for p in pieces], old)
    kept = len(a) - sum(edit.i2 - edit.i1 for edit in edits)
    if kept < _WHOLE * min(len(a), len(b)):
        return [_Edit(i1, i2, j1, j2)]
    return edits


def _joined(edits: list[_Edit], old: str) -> list[_Edit]:
    """Edits with less between them than they change are one: 把“甲乙丙”改为“丁乙戊” reads better than two."""
    done = False
    while not done:
        done = True
        for at in range(len(edits) - 1):
            first, second = edits[at], edits[at + 1]
            between = second.i1 - first.i2
            if any(mark in _STOPS for mark in old[first.i2 : second.i1]):
                continue
            if between <= 1 or between < min(_size(first), _size(second)):
                edits[at : at + 2] = [_Edit(first.i1, second.i2, first.j1, second.j2)]
                done = False
                break
    return edits


def _size(edit: _Edit) -> int:
    return max(edit.i2 - edit.i1, edit.j2 - edit.j1)


def _settled(edit: _Edit, old: str, new: str) -> _Edit:
    """The same edit where it reads best: something put in or taken out begins or ends with a mark where it can, and a
    single character that was replaced stands in its word."""
    if edit.i1 == edit.i2:
        start, end = _slid(new, edit.j1, edit.j2)
        moved = start - edit.j1
        return _Edit(edit.i1 + moved, edit.i2 + moved, start, end)
    if edit.j1 == edit.j2:
        start, end = _slid(old, edit.i1, edit.i2)
        moved = start - edit.i1
        return _Edit(start, end, edit.j1 + moved, edit.j2 + moved)
    return _in_its_word(edit, old, new)


def _slid(text: str, start: int, end: int) -> tuple[int, int]:
    """Of all places where the piece can stand without changing the result, the one at the edges of clauses."""
    places = [(start, end)]
    while places[-1][0] > 0 and text[places[-1][0] - 1] == text[places[-1][1] - 1]:
        places.append((places[-1][0] - 1, places[-1][1] - 1))
    at = start, end
    while at[1] < len(text) and text[at[0]] == text[at[1]]:
        at = at[0] + 1, at[1] + 1
        places.append(at)

    def reads(place: tuple[int, int]) -> tuple[int, int]:
        first, last = place
        before = text[first - 1] if first else "\n"
        behind = text[last] if last < len(text) else "\n"
        opens = 3 if before in "。；\n" else 2 if text[first] in _MARKS or before in _MARKS else 0
        closes = 2 if behind in _MARKS or text[last - 1] in _MARKS else 0
        both = text[first] in _MARKS and text[last - 1] in _MARKS and last - first > 1
        return opens + closes - (2 if both else 0), -abs(first - start)

    return max(places, key=reads)


def _in_its_word(edit: _Edit, old: str, new: str) -> _Edit:
    i1, i2, j1, j2 = edit.i1, edit.i2, edit.j1, edit.j2
    while min(i2 - i1, j2 - j1) > 1 and old[i2 - 1] == new[j2 - 1] and old[i2 - 1] in _MARKS:
        i2, j2 = i2 - 1, j2 - 1
    for _ in range(2):
        if min(i2 - i1, j2 - j1) >= 2 or any(
            char.isdigit() or char in "第" for char in old[i1:i2] + new[j1:j2]
        ):
            break
        if re.fullmatch(CHINESE_NUMERAL + "+", old[i1:i2] + new[j1:j2]):
            break
        if i2 < len(old) and j2 < len(new) and old[i2] == new[j2] and old[i2] not in _MARKS:
            i2, j2 = i2 + 1, j2 + 1
        elif i1 and j1 and old[i1 - 1] == new[j1 - 1] and old[i1 - 1] not in _MARKS:
            i1, j1 = i1 - 1, j1 - 1
    return _Edit(i1, i2, j1, j2)


def _quoted(edit: _Edit, floor: int, old: Normalised, new: Normalised) -> WordEdit:
    removed = _original(old, edit.i1, edit.i2)
    added = _original(new, edit.j1, edit.j2)
    front = _anchor(old.text[max(floor, edit.i1 - _ANCHOR) : edit.i1])
    behind = "" if front else re.split(f"[{_STOPS}]", old.text[edit.i2 : edit.i2 + _ANCHOR])[0]
    return WordEdit(
        removed,
        added,
        _original(old, edit.i1 - len(front), edit.i1) if front else "",
        _original(old, edit.i2, edit.i2 + len(behind)) if behind else "",
    )


def _anchor(front: str) -> str:
    """The last words of ``front``: its last clause, or the last piece of a list where that is long enough."""
    front = re.split(f"[{_STOPS}](?=.)", front)[-1]
    piece = front.rpartition("、")[2]
    return piece if len(piece) >= 4 else front.lstrip("、")


def _original(text: Normalised, start: int, end: int) -> str:
    if start >= end:
        return ""
    first, last = text.span(start, end)
    return text.original[first:last]
