"""Paragraphs put under their headings.

Comes in: paragraphs (``documents/paragraphs.py``). Goes out: sections in the order of the text. A heading without text
gives no section; a list of headings (a table of contents, the links of a page) is left out, but numbered points that
stand nowhere else stay as text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from assistant.documents.cleaning import key_of
from assistant.documents.headings import (
    PLAIN,
    QUESTION,
    Numbering,
    is_numbered,
    is_plain,
    is_question,
    label_of,
    numbering,
    ranks,
)
from assistant.documents.paragraphs import Paragraph
from assistant.law.text import fold

_PLAIN_RANK, _QUESTION_RANK = 35, 80
_LONGEST_QUESTION = 60
_CONTENTS = re.compile(r"^\W*(?:目\s*[录次]|本文目录|内容导航|Contents)\W*$", re.IGNORECASE)
_PAGE_OF_CONTENTS = re.compile(r"(?:[.·…]{3,}|\s{2,})\s*\d{1,3}$")
_WIKI = re.compile(r"^(?:展开\s*)?编辑本段\s*")


@dataclass(frozen=True)
class Section:
    """Headings from the highest down, and the paragraphs under them; a table is a paragraph of kind "table"."""

    path: tuple[str, ...]
    paragraphs: tuple[Paragraph, ...]

    @property
    def name(self) -> str:
        return " > ".join(self.path)


# ---------------------------------------------------------------- which paragraph is a heading


def _candidates(paragraphs: Sequence[Paragraph]) -> list[Numbering | None]:
    found: list[Numbering | None] = []
    for p in paragraphs:
        if p.kind == "table":
            found.append(None)
        elif p.kind == "heading":
            number = numbering(p.folded)
            if p.level:
                found.append(Numbering(f"H{p.level}", p.level, number.number if number else 0))
            else:
                found.append(number or Numbering(PLAIN, _PLAIN_RANK, 0))
        elif is_question(p.folded):
            found.append(Numbering(QUESTION, _QUESTION_RANK, 0))
        elif is_numbered(p.folded):
            found.append(numbering(p.folded))
        elif not label_of(p.folded) and is_plain(p.folded):
            found.append(Numbering(PLAIN, _PLAIN_RANK, 0))
        else:
            found.append(None)
    return found


def _with_text(paragraphs: Sequence[Paragraph], heads: list[Numbering | None]) -> list[Paragraph | None]:
    """The paragraphs without lists of headings; ``heads`` loses those that turn out to be text."""
    counted = Counter(key_of(p.folded) for p, head in zip(paragraphs, heads, strict=True) if head)
    kept: list[Paragraph | None] = list(paragraphs)
    at = 0
    while at < len(paragraphs):
        if heads[at] is None or heads[at].style == QUESTION:  # type: ignore[union-attr]
            at += 1
            continue
        start = at
        while at < len(paragraphs) and heads[at] is not None and heads[at].style != QUESTION:  # type: ignore[union-attr]
            at += 1
        real = _chain(heads, start, at) if at < len(paragraphs) else at
        contents = any(_CONTENTS.match(p.folded) for p in paragraphs[start:real])
        for place in range(start, real):
            head, text = heads[place], paragraphs[place].folded
            listed = contents or counted[key_of(text)] > 1 or bool(_PAGE_OF_CONTENTS.search(text))
            alone = paragraphs[place].kind == "heading" if at < len(paragraphs) else real - start < 3
            unnumbered = head is not None and not head.number
            if listed or (unnumbered and alone):  # a heading over nothing, or what a site leaves at the end
                kept[place] = None
            heads[place] = None
    return kept


def _chain(heads: list[Numbering | None], start: int, end: int) -> int:
    """Where those headings begin that stand over the text at ``end``, each under the one before it."""
    at = end - 1
    while at > start:
        above, here = heads[at - 1], heads[at]
        if above is None or here is None:
            break
        if above.style == PLAIN and here.number == 1:
            heads[at - 1] = above = replace(above, rank=min(above.rank, here.rank - 2))
        if above.rank >= here.rank:
            break
        at -= 1
    return at


def sections_of(paragraphs: Sequence[Paragraph], title: str = "") -> list[Section]:
    """The sections in the order of the text, tables where they are first spoken of. The title is no heading."""
    title_key = key_of(fold(title))
    paragraphs = [
        p for p in paragraphs if not (len(p.text) <= 2 * len(title) and key_of(p.folded) == title_key)
    ]
    paragraphs = _with_tables_placed(paragraphs)
    heads = _candidates(paragraphs)
    ranked = ranks([head for head in heads if head])
    heads = [replace(head, rank=ranked[head.style]) if head else None for head in heads]
    kept = _with_text(paragraphs, heads)
    found: list[Section] = []
    stack: list[tuple[int, str]] = []
    current: list[Paragraph] = []

    def close() -> None:
        if current:
            found.append(Section(tuple(label for _, label in stack), tuple(current)))
            current.clear()

    for paragraph, head in zip(kept, heads, strict=True):
        if paragraph is None:
            continue
        if head is None:
            label = label_of(paragraph.folded) if paragraph.kind == "text" else ""
            if label in ("摘要", "关键词"):
                close()
                found.append(_labelled(paragraph, label))
            elif label != "其他" or paragraph.folded.lstrip("【（[").startswith("编者按"):
                current.append(paragraph)
            continue
        close()
        while stack and stack[-1][0] >= head.rank:
            stack.pop()
        stack.append((head.rank, _heading_text(paragraph.text)))
        if head.style == QUESTION and len(paragraph.text) > _LONGEST_QUESTION:
            current.append(paragraph)
    close()
    return _abstract_joined(found)


def _heading_text(text: str) -> str:
    wiki = _WIKI.match(fold(text))
    text = text[wiki.end() :] if wiki else text
    if len(text) > _LONGEST_QUESTION:
        text = text[: _LONGEST_QUESTION - 10].rstrip("，,、；;：:") + "……"
    return text.strip().rstrip("：:。")


def _labelled(paragraph: Paragraph, label: str) -> Section:
    if label == "摘要":
        begin = re.match(r"[【\[]?(?:内容)?[^：:】\]]{2,8}[】\]：:]+\s*", paragraph.folded)
        if begin and begin.end() < len(paragraph.text):
            paragraph = paragraph.without([(0, begin.end())])
    return Section(("摘要",), (paragraph,))


def _abstract_joined(sections: Sequence[Section]) -> list[Section]:
    """Abstract and keywords as one section."""
    return [
        Section(path, tuple(paragraph for section in same for paragraph in section.paragraphs))
        for path, same in groupby(sections, key=lambda section: section.path)
    ]


def _with_tables_placed(paragraphs: Sequence[Paragraph]) -> list[Paragraph]:
    """A numbered table put behind the paragraph that first speaks of it, as a printer may set it anywhere."""
    spoken: dict[str, int] = {}
    for at, p in enumerate(paragraphs):
        if p.kind == "text":
            for number in re.findall(r"表\s*(\d{1,2})(?!\d)", p.text):
                spoken.setdefault(number, at)
    after: dict[int, list[Paragraph]] = {}
    moved: set[int] = set()
    for at, p in enumerate(paragraphs):
        number = re.match(r"表\s*(\d{1,2})(?!\d)", p.text) if p.kind == "table" else None
        if number and number[1] in spoken:
            after.setdefault(spoken[number[1]], []).append(p)
            moved.add(at)
    placed: list[Paragraph] = []
    for at, p in enumerate(paragraphs):
        if at not in moved:
            placed.append(p)
        placed += after.get(at, ())
    return placed
