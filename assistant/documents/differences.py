"""What changed from one version of a regulation to another, article by article.

Comes in: two regulations. Goes out: changes as values, which ``as_data`` makes JSON of and
``assistant.documents.changes`` puts into words. Articles are paired by their words: an article that only
got another number is not a new one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from assistant.documents.alignment import Pair, pair_texts
from assistant.documents.wording import word_edits
from assistant.law.text import CHINESE_NUMERAL, normalise
from assistant.model import ArticleText, Regulation

Part = Literal["title", "effective", "preamble", "heading", "article", "closing", "appendix"]
Kind = Literal["added", "removed", "changed", "renumbered", "moved"]

_ITEM_NUMBER = re.compile(rf"^\s*(?:[（(]\s*(?:{CHINESE_NUMERAL}+|\d+)\s*[)）]|\d+\s*[.．、])\s*")
_HEADING_NUMBER = re.compile(rf"^第{CHINESE_NUMERAL}+(?:分编|[编章节])")


@dataclass(frozen=True)
class Edit:
    """One difference inside an article, or inside a part that is not an article.

    ``added``, ``removed`` and ``replaced`` are words; ``after`` are the unchanged words in front of them, ``before``
    those behind, where there are none in front. ``unit_added`` and ``unit_removed`` are a whole paragraph or item,
    ``renumbered`` one that stands elsewhere in the article now; ``divided``: the words are the same, but cut into
    paragraphs and items otherwise. Places are written as (paragraph, item), 0 where there is no item, in the old and
    in the new article; None where the unit is not there.
    """

    kind: Literal["added", "removed", "replaced", "unit_added", "unit_removed", "renumbered", "divided"]
    old: str = ""
    new: str = ""
    after: str = ""
    before: str = ""
    old_place: tuple[int, int] | None = None
    new_place: tuple[int, int] | None = None


@dataclass(frozen=True)
class Change:
    """What became of one part. ``old`` and ``new`` name it: article numbers as in ids ("7", "120-1"), headings, or
    the heading of an appendix; "" where it is not there.

    ``changed`` has edits and may have another number too; ``renumbered`` are the same words under another number;
    ``moved`` stands under another heading (then the sections are given, as they are for what was changed and moved).
    ``old_words`` and ``new_words`` are the whole of what was removed or added, and of small parts that were changed.
    """

    part: Part
    kind: Kind
    old: str
    new: str
    edits: tuple[Edit, ...] = ()
    old_words: str = ""
    new_words: str = ""
    old_section: str = ""
    new_section: str = ""


def differences(old: Regulation, new: Regulation) -> tuple[Change, ...]:
    """All changes, in the order of the new text; empty when nothing but blanks, width and fonts differ.

    >>> from assistant.model import Paragraph
    >>> def law(*words):
    ...     texts = (ArticleText(str(n), (Paragraph(w),)) for n, w in enumerate(words, 1))
    ...     return Regulation("试验条例", tuple(texts))
    >>> [c] = differences(law("应当及时报告。"), law("应当立即报告。"))
    >>> c.kind, c.edits[0].old, c.edits[0].new
    ('changed', '及时', '立即')
    >>> [(c.kind, c.old, c.new) for c in differences(law("应当报告。"), law("总的要求如下。", "应当报告。"))]
    [('added', '', '1'), ('renumbered', '1', '2')]
    """
    pairs = pair_texts([a.whole for a in old.articles], [a.whole for a in new.articles])
    articles = [
        (None if i is None else old.articles[i], None if j is None else new.articles[j]) for i, j in pairs
    ]
    headings = _headings([(a.section, b.section) for a, b in articles if a and b], old, new)
    renamed = {(c.old, c.new) for c in headings}
    return (
        *_whole("title", old.title, new.title),
        *_effective(old, new),
        *_block("preamble", "题注", old.preamble, new.preamble),
        *headings,
        *(change for a, b in articles if (change := _article(a, b, renamed))),
        *_block("closing", "落款", old.closing, new.closing),
        *_appendices(old, new),
    )


def as_data(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """The same as plain values for JSON, empty fields left out."""
    return [_plain(change) for change in changes]


def _plain(change: Change) -> dict[str, Any]:
    data = {key: value for key, value in asdict(change).items() if value}
    if change.edits:
        data["edits"] = [{k: v for k, v in asdict(edit).items() if v} for edit in change.edits]
    return data


def same_words(one: str, other: str) -> bool:
    """Whether two texts differ in nothing but line breaks, blanks, width and traditional characters."""
    return normalise(one) == normalise(other)


# ---------------------------------------------------------------- articles


def _article(
    old: ArticleText | None, new: ArticleText | None, renamed: set[tuple[str, str]]
) -> Change | None:
    if old is None:
        assert new is not None  # noqa: S101 - pairs hold one of the two
        return Change("article", "added", "", new.number, new_words=new.whole, new_section=new.section)
    if new is None:
        return Change("article", "removed", old.number, "", old_words=old.whole, old_section=old.section)
    edits = _unit_edits(_units(old), _units(new))
    moved = _moved(old.section, new.section, renamed)
    sections = (old.section, new.section) if moved else ("", "")
    kind: Kind
    if edits:
        kind = "changed"
    elif moved:
        kind = "moved"
    elif old.number != new.number:
        kind = "renumbered"
    else:
        return None
    return Change(
        "article", kind, old.number, new.number, edits, old_section=sections[0], new_section=sections[1]
    )


@dataclass(frozen=True)
class _Unit:
    """A paragraph without its items, or an item without its number."""

    place: tuple[int, int]
    text: str


def _units(article: ArticleText) -> list[_Unit]:
    units = []
    for at, paragraph in enumerate(article.paragraphs, 1):
        if paragraph.text.strip():
            units.append(_Unit((at, 0), paragraph.text))
        units += (_Unit((at, item.number), _ITEM_NUMBER.sub("", item.text)) for item in paragraph.items)
    return units


def _unit_edits(old: Sequence[_Unit], new: Sequence[_Unit]) -> tuple[Edit, ...]:
    if len(old) != len(new) and same_words("".join(u.text for u in old), "".join(u.text for u in new)):
        return (Edit("divided"),)
    pairs = _same_place(pair_texts([unit.text for unit in old], [unit.text for unit in new]), old, new)
    edits: list[Edit] = []
    for i, j in pairs:
        a, b = None if i is None else old[i], None if j is None else new[j]
        if a is None and b is not None:
            edits.append(Edit("unit_added", new=b.text, new_place=b.place))
        elif b is None and a is not None:
            edits.append(Edit("unit_removed", old=a.text, old_place=a.place))
        elif a is not None and b is not None:
            if a.place != b.place:
                edits.append(Edit("renumbered", old_place=a.place, new_place=b.place))
            edits += _words(a.text, b.text, a.place, b.place)
    return tuple(edits)


def _same_place(pairs: Sequence[Pair], old: Sequence[_Unit], new: Sequence[_Unit]) -> list[Pair]:
    """Where one unit was left alone and another stands in its very place, the one was rewritten as the other."""
    removed = {old[i].place: i for i, j in pairs if i is not None and j is None}
    rewritten = {
        j: removed[new[j].place] for i, j in pairs if i is None and j is not None and new[j].place in removed
    }
    kept: list[Pair] = []
    for i, j in pairs:
        if i is None and j in rewritten:
            kept.append((rewritten[j], j))
        elif j is not None or i not in rewritten.values():
            kept.append((i, j))
    return kept


def _words(
    old: str, new: str, old_place: tuple[int, int] | None = None, new_place: tuple[int, int] | None = None
) -> list[Edit]:
    return [
        Edit(
            "replaced" if edit.old and edit.new else "added" if edit.new else "removed",
            edit.old,
            edit.new,
            edit.after,
            edit.before,
            old_place,
            new_place,
        )
        for edit in word_edits(old, new)
    ]


# ---------------------------------------------------------------- headings


def _levels(section: str) -> list[str]:
    """The headings above an article, the highest first, each without blanks at its ends."""
    return [level.strip() for level in section.split(">")] if section else []


def _bare(heading: str) -> str:
    """What a heading is called, without its number."""
    return _HEADING_NUMBER.sub("", normalise(heading))


def _headings(paired: Sequence[tuple[str, str]], old: Regulation, new: Regulation) -> list[Change]:
    """Headings that the articles below them kept while number or words changed."""
    before = {normalise(level) for article in old.articles for level in _levels(article.section)}
    after = {normalise(level) for article in new.articles for level in _levels(article.section)}
    changes: dict[tuple[str, str], Change] = {}
    for a, b in paired:
        one, other = _levels(a), _levels(b)
        if len(one) != len(other):
            continue
        for old_heading, new_heading in zip(one, other, strict=True):
            same_name = _bare(old_heading) == _bare(new_heading)
            replaced = normalise(old_heading) not in after and normalise(new_heading) not in before
            if not same_words(old_heading, new_heading) and (same_name or replaced):
                kind: Kind = "renumbered" if same_name else "changed"
                changes[old_heading, new_heading] = Change("heading", kind, old_heading, new_heading)
    return _one_each(list(changes.values()))


def _one_each(changes: list[Change]) -> list[Change]:
    """A heading that was taken for two others was divided, not renamed: its articles count as moved."""
    kept = []
    for change in changes:
        rivals = [c for c in changes if c.kind == "changed" and (c.old == change.old or c.new == change.new)]
        if change.kind == "renumbered" or len(rivals) == 1:
            kept.append(change)
    return kept


def _moved(old: str, new: str, renamed: set[tuple[str, str]]) -> bool:
    one, other = _levels(old), _levels(new)
    if not one or not other:  # a document whose headings were not seen moves nothing
        return False
    if len(one) != len(other):
        return _bare(one[0]) != _bare(other[0]) and (one[0], other[0]) not in renamed
    return any(_bare(a) != _bare(b) and (a, b) not in renamed for a, b in zip(one, other, strict=True))


# ---------------------------------------------------------------- what is not an article


def _whole(part: Part, old: str, new: str) -> list[Change]:
    if same_words(old, new):
        return []
    return [Change(part, "changed", old, new, old_words=old, new_words=new)]


def _effective(old: Regulation, new: Regulation) -> list[Change]:
    """A day that one of the two does not name is not a difference: pages leave it out as often as not."""
    if not old.effective_from or not new.effective_from:
        return []
    return _whole("effective", old.effective_from.isoformat(), new.effective_from.isoformat())


def _block(part: Part, name: str, old: Sequence[str], new: Sequence[str]) -> list[Change]:
    one, other = "\n".join(old), "\n".join(new)
    if same_words(one, other):
        return []
    kind: Kind = "changed" if one and other else "added" if other else "removed"
    edits = tuple(_words(one, other)) if kind == "changed" else ()
    return [Change(part, kind, name if one else "", name if other else "", edits, one, other)]


def _appendices(old: Regulation, new: Regulation) -> list[Change]:
    pairs = pair_texts(
        [f"{heading}\n{words}" for heading, words in old.appendices],
        [f"{heading}\n{words}" for heading, words in new.appendices],
    )
    changes: list[Change] = []
    for i, j in pairs:
        a = ("", "") if i is None else old.appendices[i]
        b = ("", "") if j is None else new.appendices[j]
        if i is None:
            changes.append(Change("appendix", "added", "", b[0], new_words=b[1]))
        elif j is None:
            changes.append(Change("appendix", "removed", a[0], "", old_words=a[1]))
        elif edits := tuple(_words(a[1], b[1])):
            changes.append(Change("appendix", "changed", a[0], b[0], edits))
        elif not same_words(a[0], b[0]):
            changes.append(Change("appendix", "renumbered", a[0], b[0]))
    return changes
