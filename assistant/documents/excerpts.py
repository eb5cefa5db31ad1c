"""Sections cut into passages that can be found and cited.

Comes in: sections (``documents/sections.py``). Goes out: excerpts of some 150 to 450 characters, none
across two sections, cut where a paragraph ends or else a sentence. Every length and every cut has its
price; the cheapest division is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.documents.paragraphs import Paragraph
from assistant.documents.sections import Section
from assistant.law.text import has_words, sentences
from assistant.model import Excerpt

_SHORTEST = 16  # characters of a sentence that is looked at for itself
_MOST_UNITS = 100  # of a passage: a list of single words is long enough then


@dataclass(frozen=True)
class _Unit:
    """A sentence of a paragraph: ``paragraph`` is its place, ``hold`` how bad it is to cut behind it."""

    paragraph: int
    start: int
    end: int
    hold: float


def cut(text: str, section: str = "", page: int | None = None, size: int = 400) -> list[Excerpt]:
    """Passages of a text whose paragraphs are its lines; lines with tabs are rows of a table and stay together.

    ``size`` is the length to stay near; a passage is rarely longer than 1.125 times as much, and shorter than
    0.375 times only where there is no more text.

    >>> [len(excerpt.text) for excerpt in cut('他说要问责。' * 100, size=400)]
    [306, 294]
    """
    paragraphs: list[Paragraph] = []
    rows: list[str] = []
    for line in [*text.splitlines(), ""]:
        if "\t" in line:
            rows.append(line)
            continue
        if rows:
            paragraphs.append(Paragraph("\n".join(rows), "", "table", 0, ((0, page),)))
            rows = []
        if line.strip():
            paragraphs.append(Paragraph(line.strip(), "", "text", 0, ((0, page),)))
    return list(excerpts_of(Section((section,) if section else (), tuple(paragraphs)), size))


def excerpts_of(section: Section, size: int = 400) -> Iterator[Excerpt]:
    """The passages of one section; a table is a passage of its own."""
    run: list[Paragraph] = []
    for paragraph in [*section.paragraphs, None]:
        if paragraph is not None and paragraph.kind != "table":
            if has_words(paragraph.text):
                run.append(paragraph)
            continue
        if run:
            yield from _of_text(run, section.name, size)
            run = []
        if paragraph is not None:
            for text in _of_table(paragraph.text, 3 * size):
                yield Excerpt(text, section.name, paragraph.page_at(0))


def _of_table(text: str, most: int) -> Iterator[str]:
    """A table whole, or, if it is very long, by rows."""
    part: list[str] = []
    for row in text.split("\n"):
        if part and sum(len(each) + 1 for each in part) + len(row) > most:
            yield "\n".join(part)
            part = []
        part.append(row)
    yield "\n".join(part)


def _of_text(paragraphs: Sequence[Paragraph], section: str, size: int) -> Iterator[Excerpt]:
    units = [unit for at, p in enumerate(paragraphs) for unit in _units(p.text, at, size)]
    for first, last in _division(units, size):
        pieces = []
        for place in range(units[first].paragraph, units[last].paragraph + 1):
            text = paragraphs[place].text
            start = units[first].start if place == units[first].paragraph else 0
            end = units[last].end if place == units[last].paragraph else len(text)
            pieces.append(text[start:end].strip())
        page = paragraphs[units[first].paragraph].page_at(units[first].start)
        yield Excerpt("\n".join(pieces), section, page)


def _units(text: str, paragraph: int, size: int) -> Iterator[_Unit]:
    spans: list[tuple[int, int]] = []
    for span in sentences(text):
        if spans and spans[-1][1] - spans[-1][0] < _SHORTEST:  # 为什么？ stays with what follows
            spans[-1] = (spans[-1][0], span.end)
        else:
            spans.append((span.start, span.end))
    parts = [part for start, end in spans for part in _shortened(text, start, end, size)]
    for at, (start, end) in enumerate(parts):
        if at + 1 < len(parts):
            whole = text[end - 1] in "。！？!?" or text[end - 1] in "”’」』）)"
            yield _Unit(paragraph, start, end, 0.3 if whole else 0.7)
        else:  # what leads in to a list stays with it
            yield _Unit(paragraph, start, end, 1.0 if text[end - 1] in "：:" else 0.0)


def _shortened(text: str, start: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    """A sentence, or its parts at commas and blanks where it alone is longer than a passage."""
    most = size * 9 // 8
    while end - start > most:
        window = text[start : start + most]
        at = max(window.rfind(mark) for mark in "，,、：: ") + 1
        at = at if at > most // 3 else most
        yield start, start + at
        start += at
    if start < end:
        yield start, end


def _division(units: Sequence[_Unit], size: int) -> list[tuple[int, int]]:
    """The best way to cut: (first, last) unit of each passage. Every length and every cut has its price."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(units) + 1):
        price, chosen, length = float("inf"), end - 1, 0
        for start in range(end - 1, max(-1, end - 1 - _MOST_UNITS), -1):
            length += units[start].end - units[start].start
            if length > 2 * size and start < end - 1:
                break
            here = best[start][0] + _price(length, size) + (units[start - 1].hold if start else 0.0)
            if here < price:
                price, chosen = here, start
        best.append((price, chosen))
    found: list[tuple[int, int]] = []
    end = len(units)
    while end:
        start = best[end][1]
        found.append((start, end - 1))
        end = start
    return found[::-1]


def _price(length: int, size: int) -> float:
    wanted, most, least = 0.8 * size, 1.125 * size, 0.375 * size
    price = ((length - wanted) / wanted) ** 2
    if length > most:
        price += 2 + 4 * (length - most) / most
    return price + 0.8 if length < least else price
