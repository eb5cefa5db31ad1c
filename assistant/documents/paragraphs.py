"""Lines put together to paragraphs: broken lines joined, a page that repeats itself read once.

Comes in: clean lines (``documents/cleaning.py``), tables already whole. Goes out: paragraphs that know on which page
each of their characters stands. Whether a document breaks its lines is told by its lines, not by its format.

Known weakness: where every line of a broken text is full, the end of a paragraph cannot be seen and two become one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

from assistant.documents.cleaning import Line, is_page_number, key_of, note_marks, running_key
from assistant.documents.headings import is_numbered, label_of
from assistant.documents.loose_tables import is_caption


@dataclass(frozen=True)
class Paragraph:
    """``folded`` is the text as patterns read it, character for character (``law/text.py``), or "" where none will.
    ``pages`` holds (offset, page) for the beginning and for each change of page inside.
    """

    text: str
    folded: str = ""
    kind: Literal["text", "heading", "table"] = "text"
    level: int = 0
    pages: tuple[tuple[int, int | None], ...] = ((0, None),)

    def page_at(self, offset: int) -> int | None:
        starts = [start for start, _ in self.pages]
        return self.pages[max(0, bisect_right(starts, offset) - 1)][1]

    def without(self, spans: Sequence[tuple[int, int]]) -> Paragraph:
        """The same without some of its characters."""
        if not spans:
            return self
        starts, ends = [0, *(end for _, end in spans)], [*(start for start, _ in spans), len(self.text)]
        left = [slice(start, end) for start, end in zip(starts, ends, strict=True)]
        pages = tuple(
            (start - sum(min(start, end) - begin for begin, end in spans if begin < start), page)
            for start, page in self.pages
        )
        text, folded = ("".join(whole[part] for part in left) for whole in (self.text, self.folded))
        return replace(self, text=text, folded=folded, pages=pages)


def is_broken(lines: Sequence[Line]) -> bool:
    """Whether the document breaks its lines: most of its text stands in lines that do not end a sentence."""
    prose = [line for line in lines if line.kind in ("line", "paragraph") and line.columns >= 20]
    whole = sum(len(line.text) for line in prose)
    if len(prose) < 4 or not whole or median(line.columns for line in prose) > 130:
        return False
    return sum(len(line.text) for line in prose if not line.finished) > 0.3 * whole


def paragraphs_of(lines: Sequence[Line]) -> list[Paragraph]:
    """The paragraphs of the document in its order, marks of notes taken out."""
    if is_broken(lines):
        whole = _joined(_without_running_lines(lines))
        whole = [p if p.kind == "table" else p.without(_gaps_of_print(p.text)) for p in whole]
    else:
        whole = [part for p in _mended(lines) for part in _loosened(p)]
    return [p if p.kind == "table" else p.without(note_marks(p.text)) for p in whole]


# ---------------------------------------------------------------- broken lines


def glue(left: str, right: str) -> str:
    """What stands between two lines when they are joined; "-" to be cut off is the caller's (``_join``).

    >>> glue('问责', '条例'), glue('the', 'rule'), glue('共1998', '年')
    ('', ' ', '')
    """
    if not left or not right:
        return ""
    latin = r"[A-Za-z\d,.;:!?)\"'%]"
    return " " if re.match(latin, left[-1]) and re.match(r"[A-Za-z\d(\"']", right[0]) else ""


def _join(lines: Sequence[Line], kind: Literal["text", "heading"] = "text") -> Paragraph:
    pieces: list[str] = []
    folded: list[str] = []
    pages: list[tuple[int, int | None]] = []
    length, last = 0, ""
    for line in lines:
        text = line.text
        if re.search("[A-Za-z]-$", last) and re.match("[a-z]", text):  # hyphenation
            pieces[-1], folded[-1] = pieces[-1][:-1], folded[-1][:-1]
            length -= 1
        elif last:
            between = glue(last, text)
            pieces.append(between)
            folded.append(between)
            length += len(between)
        if not pages or pages[-1][1] != line.page:
            pages.append((length, line.page))
        pieces.append(text)
        folded.append(line.folded)
        length += len(text)
        last = text
    return Paragraph("".join(pieces), "".join(folded), kind, lines[0].level, tuple(pages))


def _alone(line: Line) -> Paragraph:
    kind: Literal["text", "heading", "table"] = line.kind if line.kind in ("heading", "table") else "text"
    return Paragraph(line.text, line.folded, kind, line.level, ((0, line.page),))


def _without_running_lines(lines: Sequence[Line]) -> list[Line]:
    """Without page numbers and the running titles in the middle of sentences, in a text that lost its pages.

    A running title is narrower than the text and no part of a sentence: a text may repeat itself, too.
    """
    full = _full(lines)
    keys = [running_key(line) if line.columns < 0.85 * full else "" for line in lines]
    count = Counter(keys)
    kept: list[Line] = []
    for line, key in zip(lines, keys, strict=True):
        loose = line.kind in ("line", "paragraph")
        if loose and is_page_number(line.text):
            continue
        recurs = key and count[key] >= 3 and not is_numbered(line.folded)
        if recurs and loose and kept and not kept[-1].finished and kept[-1].columns >= 0.85 * full:
            continue
        kept.append(line)
    return kept


def _full(lines: Sequence[Line]) -> float:
    """How wide a full line is, in columns."""
    return median([line.columns for line in lines if not line.finished and line.columns >= 20] or [40])


def _joined(lines: Sequence[Line]) -> list[Paragraph]:
    full = _full(lines)
    shown = sum(line.indented for line in lines)
    indents = 0 < shown < 0.6 * len(lines)
    found: list[Paragraph] = []
    current: list[Line] = []
    widest = full

    def close() -> None:
        if current:
            found.append(_join(current))
            current.clear()

    for line in lines:
        if line.kind in ("heading", "table"):
            close()
            found.append(_alone(line))
            continue
        if current and _ends(current, line, widest, indents):
            close()
        if not current:
            widest = full
        current.append(line)
        widest = max(widest, line.columns) if len(current) > 1 else full
    close()
    return found


def _ends(current: Sequence[Line], line: Line, full: float, indents: bool) -> bool:
    """Whether the paragraph ended before ``line``."""
    last = current[-1]
    finished = last.finished
    columns = last.columns
    if (
        len(current) == 1 and not finished and is_numbered(last.folded)
    ):  # a heading; its own end may be on this line
        full_heading = columns >= 0.9 * full and line.columns <= 0.5 * full
        return not full_heading or line.finished
    if label_of(line.folded) or is_caption(line.folded):
        return True
    if label_of(current[0].folded) == "关键词":
        return not re.search("[；;，,、]$", last.text) and not re.search("[；;]", line.text)
    if is_numbered(line.folded) and (finished or columns < 0.75 * full):
        return True
    if indents and line.indented and (finished or columns < 0.75 * full):
        return True
    if finished:
        return columns < 0.88 * full
    return columns < 0.6 * full


_PRINTED_GAP = re.compile(r"(?<=[\u2e80-\uffef]) +(?=[\d（《“])|(?<=[\d）》”]) +(?=[\u2e80-\uffef])")


def _gaps_of_print(text: str) -> list[tuple[int, int]]:
    """Blanks that type-setting put between characters and digits, or between the letters of a spaced word."""
    spans = [gap.span() for gap in _PRINTED_GAP.finditer(text)]
    for run in re.finditer(
        r"(?<![\u3400-\u9fff])[\u3400-\u9fff](?: [\u3400-\u9fff]){2,}(?![\u3400-\u9fff])", text
    ):
        spans += [(run.start() + gap.start(), run.start() + gap.end()) for gap in re.finditer(" ", run[0])]
    return sorted(set(spans))


# ---------------------------------------------------------------- whole paragraphs


def _mended(lines: Sequence[Line]) -> list[Paragraph]:
    """Paragraphs as they stand; one that a page break cut in two is made one again."""
    found: list[Paragraph] = []
    current: list[Line] = []
    for line in lines:
        if line.kind not in ("heading", "table") and is_page_number(line.text):
            continue
        if current and not _goes_on(current[-1], line):
            found.append(_join(current))
            current = []
        if line.kind in ("heading", "table"):
            found.append(_alone(line))
        else:
            current.append(line)
    if current:
        found.append(_join(current))
    return found


def _goes_on(last: Line, line: Line) -> bool:
    if (
        line.kind in ("heading", "table")
        or is_numbered(line.folded)
        or label_of(line.folded)
        or is_caption(line.folded)
    ):
        return False
    return len(last.text) >= 40 and bool(re.search("[\u3400-\u9fff，、]$", last.text)) and line.finished


_LOST_BREAK = re.compile(r"(?:(?<=[。！？；：:])|(?<=[。！？][」”])) +(?=[\u3400-\u9fff（(《「“]|\d{4}年)")


def _loosened(paragraph: Paragraph) -> list[Paragraph]:
    """The paragraphs of one in which every line break became a blank, as scrapers leave them."""
    gaps = list(_LOST_BREAK.finditer(paragraph.text))
    ended = [gap for gap in gaps if paragraph.text[gap.start() - 1] not in "；：:"]
    if len(ended) < 2:  # after a colon one blank may well be a habit of writing
        gaps = ended
    if paragraph.kind != "text" or not gaps or len(paragraph.text) < 150:
        return [paragraph]
    parts: list[Paragraph] = []
    at = 0
    for end, after in [*(gap.span() for gap in gaps), (len(paragraph.text), 0)]:
        part = slice(at, end)
        pages = ((0, paragraph.page_at(at)),)
        parts.append(
            replace(paragraph, text=paragraph.text[part], folded=paragraph.folded[part], pages=pages)
        )
        at = after
    return parts


# ---------------------------------------------------------------- repeats

_SHORTEST = 20


def once(paragraphs: Sequence[Paragraph]) -> list[Paragraph]:
    """Every paragraph of text once; headings may recur.

    A page that was copied over and over is read in the order of its most complete copy. Copies may differ in
    quotes, blanks, or traditional and simplified characters; one that breaks off with … counts as its whole.
    """
    keys = [key_of(p.folded) if p.kind != "heading" else "" for p in paragraphs]
    cut_short = _abbreviated(paragraphs, keys)
    order = _order_of_copies(paragraphs, keys)
    seen: set[str] = set()
    kept: list[Paragraph] = []
    for at in order:
        key = keys[at]
        counts = len(key) >= _SHORTEST and not is_numbered(paragraphs[at].folded)
        if at in cut_short or (counts and key in seen):
            continue
        seen.add(key)
        kept.append(paragraphs[at])
    return kept


def _abbreviated(paragraphs: Sequence[Paragraph], keys: Sequence[str]) -> set[int]:
    broken_off = re.compile(r"(?:…|\.{3})\W*$")
    short = [
        at for at, p in enumerate(paragraphs) if len(keys[at]) >= _SHORTEST and broken_off.search(p.text)
    ]
    if not short or len(short) > 50:  # a style of writing, not teasers
        return set()
    return {at for at in short if any(len(key) > len(keys[at]) and key.startswith(keys[at]) for key in keys)}


def _order_of_copies(paragraphs: Sequence[Paragraph], keys: Sequence[str]) -> list[int]:
    everything = list(range(len(paragraphs)))
    count = Counter(key for key in keys if len(key) >= 2 * _SHORTEST)
    first = next((at for at, key in enumerate(keys) if count[key] > 1), None)
    if first is None:
        return everything
    starts = [at for at in everything[first:] if keys[at] == keys[first]]
    copies = [range(start, end) for start, end in zip(starts, [*starts[1:], len(paragraphs)], strict=True)]
    texts = [{keys[at] for at in copy if len(keys[at]) >= _SHORTEST} for copy in copies]
    best = max(range(len(copies)), key=lambda at: (len(texts[at]), -at))
    others = [held for at, held in enumerate(texts) if at != best]
    if sum(len(held & texts[best]) for held in others) < 0.6 * sum(map(len, others)):
        return everything  # something recurs, but these are not copies of one page
    order = [*everything[:first], *copies[best]]
    for number, copy in enumerate(copies):
        if number != best:
            order += (at for at in copy if len(keys[at]) >= _SHORTEST and keys[at] not in texts[best])
    return order
