"""Printed lines become paragraphs: page furniture is dropped, lines that a margin broke are joined again.

Comes in: the blocks of a document. Goes out: the same blocks, in which every ``line`` has become part of a whole
``paragraph``; nothing is added to the words but the blank between two Latin words.

A break says nothing when the next word would not have fitted on the line (it was *forced*), and ends a paragraph when
it would have. How much fits is learned from the document: from breaks inside sentences, which must have been forced,
separately for the first lines of paragraphs, which may be shorter by an indent that the text does not keep.

Known weakness: where a sentence ends exactly at the margin and no indent is kept, both readings are possible; the lines
that follow and the first words decide.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Literal

from assistant.documents.marks import Mark, read_mark
from assistant.law.text import fold
from assistant.model import Block

_PAGE_NUMBER = re.compile(
    r"[-—–─－·•~\s]*(?:第?\s*\d{1,4}\s*页?|[Pp]age\s*\d{1,4})(?:\s*[,，/／]?\s*(?:共|总|of)?\s*\d{1,4}\s*页?)?[-—–─－·•~\s]*"
)
_MARKED_PAGE_NUMBER = re.compile(
    r"\s*(?:[-—–─－·•~]+\s*\d{1,4}\s*[-—–─－·•~]+|第\s*\d{1,4}\s*页(?:\s*[,，/／]?\s*共\s*\d{1,4}\s*页)?|\d{1,4}\s*/\s*\d{1,4})\s*"
)
_EDGE_LINES = 3  # how far from the edge of a page headers and footers stand
_TITLE_END = re.compile("(?:条例|规定|办法|规则|准则|细则|章程|法|决定|意见)(?:（[^）]*）)?$")
_ENDS = re.compile("[。！？!?；;…](?:[”’」』）)》〉]*)$")
_ENDS_FULLY = re.compile("[。！？!?…](?:[”’」』）)》〉]*)$")
# words that begin a further sentence of a paragraph more often than a new one; all others begin a new one more often
_GOES_ON = re.compile(
    "但是?|具体|如果|没有|必要|接到|对于|有关|未经|其他|拒不|逾期|情节|严禁|需要|其中|同时|并|不得|直接|对直接|确有|由"
    "|上述|该|这些|此|未|不|否则|特殊|属于|应当|可以|必须|期满|情况|在此"
)
_DAY = re.compile(
    r"(?:\d{4}|[一二][〇零○一二三四五六七八九]{3})\s*年\s*[\d一二三四五六七八九十]{1,3}\s*月\s*[\d一二三四五六七八九十]{1,3}\s*日"
)
_ACT_ENDS = re.compile("(?:通过|批准|修订|修正|公布|发布|印发|施行)[）)]?$")
_NOT_AT_LINE_START = "，。、；：？！）》〉」』”’】〕％%,.;:?!)]}"
_NOT_AT_LINE_END = "（《〈「『“‘【〔([{"
_WIDEST_PRINTED = 120  # columns
_SHORT_TEXT = 30  # lines
_FEW = 20
_INDENT = 3  # columns of blanks that make an indent


def paragraphs_of(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Blocks without lines, without page numbers, running heads and empty ones.

    Blocks that are whole already keep their words; a line break inside one parts two paragraphs.
    """
    kept = _without_furniture(tuple(blocks))
    runs = [
        (is_line, list(group)) for is_line, group in groupby(kept, key=lambda block: block.kind == "line")
    ]
    printed = [_lines(run) for is_line, run in runs if is_line]
    margin = _Margin([lines for lines in printed if lines])
    remaining = iter(printed)
    done: list[Block] = []
    for is_line, run in runs:
        done += _joined(next(remaining), margin) if is_line else _parted(run)
    return tuple(done)


def _parted(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        if block.kind == "table":
            yield block
        else:
            yield from (replace(block, text=part.strip()) for part in block.text.split("\n") if part.strip())


# ------------------------------------------------------------------ page furniture


def _without_furniture(lines: Sequence[Block]) -> list[Block]:
    """The blocks without lines that are page numbers or stand at the same edge of several pages."""
    pages: dict[int | None, list[int]] = {}
    for at, line in enumerate(lines):
        if line.kind == "line" and line.text.strip():
            pages.setdefault(line.page, []).append(at)
    running = _running(lines, [places for page, places in pages.items() if page is not None])
    dropped: set[int] = set()
    kept_title = False
    for page, places in pages.items():
        for edge in (places[:_EDGE_LINES], places[::-1][:_EDGE_LINES]):
            for at in edge:
                text = lines[at].text
                if page is not None and _PAGE_NUMBER.fullmatch(fold(text)):
                    dropped.add(at)
                elif page is not None and _running_form(text) in running:
                    # the title itself may run over the pages: its first appearance is the title
                    title = _TITLE_END.search(fold(text).strip()) and not kept_title
                    kept_title = kept_title or bool(title)
                    if not title:
                        dropped.add(at)
                elif at not in dropped and page is not None:
                    break  # what stands further in is text
    dropped |= {
        at
        for at, line in enumerate(lines)
        if line.kind == "line" and _MARKED_PAGE_NUMBER.fullmatch(fold(line.text))
    }
    return [line for at, line in enumerate(lines) if at not in dropped]


def _running_form(text: str) -> str:
    return re.sub(r"\d+|\s", "", fold(text))


def _running(lines: Sequence[Block], pages: Sequence[Sequence[int]]) -> frozenset[str]:
    """What stands near an edge of at least half of the pages, numbers aside."""
    seen: Counter[str] = Counter()
    for places in pages:
        edges = {*places[:_EDGE_LINES], *places[::-1][:_EDGE_LINES]}
        forms = {_running_form(lines[at].text) for at in edges if not read_mark(lines[at].text)}
        seen.update(form for form in forms if form and not _ENDS.search(form))
    least = max(2, (len(pages) + 1) // 2)
    return frozenset(form for form, times in seen.items() if times >= least)


# ------------------------------------------------------------------ joining


@dataclass(frozen=True)
class _Line:
    text: str  # without blanks at its ends
    indent: int  # columns
    width: int  # columns, without the indent
    mark: Mark | None
    page: int | None
    after_blank: bool  # an empty line stands before it


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WFA" else 1 for char in text)


def _lines(blocks: Sequence[Block]) -> list[_Line]:
    lines: list[_Line] = []
    blank = False
    for block in blocks:
        for raw in block.text.split("\n"):
            text = raw.strip()
            if not text:
                blank = True
                continue
            indent = _columns(raw[: len(raw) - len(raw.lstrip())])
            lines.append(_Line(text, indent, _columns(text), read_mark(text), block.page, blank))
            blank = False
    return lines


def _next_token(text: str) -> str:
    """What a line break must not part: a Latin word or number, a mark that may not begin or end a line."""
    word = re.match(r"[0-9A-Za-z][0-9A-Za-z.,%％/-]*", text)
    at = word.end() if word else 1
    while at < len(text) and text[at - 1] in _NOT_AT_LINE_END:
        at += 1
    while at < len(text) and text[at] in _NOT_AT_LINE_START:
        at += 1
    return text[:at]


Verdict = Literal["ends", "goes on", "open"]


def _joined(lines: Sequence[_Line], margin: _Margin) -> Iterator[Block]:
    ends = _ends(lines, margin)
    start = 0
    for at in range(len(lines)):
        if not ends[at]:
            continue
        pieces = [lines[start].text]
        for line in lines[start + 1 : at + 1]:
            pieces += _between(pieces[-1], line.text), line.text
        yield Block("".join(pieces), "paragraph", page=lines[start].page)
        start = at + 1


def _between(before: str, after: str) -> str:
    """A blank between two Latin words; nothing where a Chinese character or a number was broken off."""
    return " " if re.match("[A-Za-z,.;:]", before[-1:]) and re.match("[A-Za-z]", after) else ""


def _ends(lines: Sequence[_Line], fits: _Margin) -> list[bool]:
    """For each line whether a paragraph ends with it."""
    last = len(lines) - 1
    if not fits.wrapped:
        return [True] * len(lines)
    ends = [True] * len(lines)
    follows = ""  # the number of the article before
    begun: Mark | None = None  # how the paragraph begins
    first = True
    for at, line in enumerate(lines):
        if line.mark and line.mark.kind == "article" and first:
            follows = line.mark.number
        if at == last:
            break
        if first:
            begun = line.mark
        ends[at] = _is_end(lines, at, first, fits, follows, begun)
        first = ends[at]
    return ends


def _is_end(
    lines: Sequence[_Line], at: int, first: bool, fits: _Margin, follows: str, begun: Mark | None
) -> bool:
    line, after = lines[at], lines[at + 1]
    if after.after_blank and fits.blanks_count:
        return True
    if line.mark and line.mark.kind == "contents":
        return True
    if not fits.forced(line, after, first) or (_DAY.match(after.text) and _ACT_ENDS.search(line.text)):
        return True
    ended = bool(_ENDS.search(line.text))
    mark = after.mark
    if mark and not mark.refers:
        if mark.kind == "article":
            in_turn = mark.number.partition("-")[0] == str(int(follows.partition("-")[0] or 0) + 1)
            return ended or (in_turn and mark.spaced)
        if mark.kind == "heading":
            return ended or mark.spaced
        if mark.kind in ("appendix", "contents"):
            return True
        return ended or line.text.endswith(("：", ":"))
    if fits.indented:
        return after.indent >= _INDENT
    if line.mark and line.mark.kind == "heading":
        return False
    if not _ENDS_FULLY.search(line.text):
        return False
    return _ends_at_margin(lines, at, fits, item=begun is not None and begun.kind == "item")


def _ends_at_margin(lines: Sequence[_Line], at: int, fits: _Margin, item: bool) -> bool:
    """A sentence ends where the line does: a paragraph too, if the next line is shorter by an indent.

    An item seldom has a second sentence; an article has three times as many paragraphs as further sentences.
    """
    after = lines[at + 1]
    if at + 2 < len(lines):
        beyond = lines[at + 2]
        goes_on = not _ENDS.search(after.text) and not (beyond.mark and not beyond.mark.refers)
        if goes_on and fits.first_is_shorter:
            return not fits.fills(after, beyond)
    return item or not _GOES_ON.match(fold(after.text[:4]))


class _Margin:
    """How much fits on a line, learned from the breaks inside sentences."""

    def __init__(self, runs: Sequence[Sequence[_Line]]) -> None:
        lines = [line for run in runs for line in run]
        begins = [
            line.indent >= _INDENT for line in lines if line.mark and line.mark.kind in ("article", "item")
        ]
        rest = [line.indent < _INDENT for line in lines if not line.mark]
        self.indented = sum(begins) > 0.6 * len(begins) and sum(rest) > 0.2 * len(rest)
        widest = max(map(self._width, lines), default=0)
        samples: dict[bool, list[tuple[int, bool]]] = {True: [], False: []}
        blanks = 0
        inside = in_articles = plain = False  # inside: the line before went on into this one
        for line, after in (pair for run in runs for pair in pairwise(run)):
            goes_on = _surely_goes_on(line, after) and self._width(line) >= 0.6 * widest
            in_articles = in_articles or (line.mark is not None and line.mark.kind == "article")
            if goes_on:
                full = self._width(line) >= 0.8 * widest and widest <= _WIDEST_PRINTED
                plain = plain or (in_articles and full and not _DAY.match(after.text))
                hangs = line.text[-1] in _NOT_AT_LINE_START
                samples[not inside].append((self._needed(line, after), hangs))
                blanks += after.after_blank
            inside = goes_on
        count = len(samples[True]) + len(samples[False])
        # a short text may have a single sentence that runs over a break; a name and a day below it are none
        self.wrapped = (count >= 3 and count >= 0.08 * len(lines)) or (plain and len(lines) < _SHORT_TEXT)
        self.blanks_count = blanks < 0.3 * count
        sooner, later = _low(samples[True]), _low(samples[False])
        self._least = {True: sooner or later, False: later or sooner}
        self.first_is_shorter = not self.indented and 0 < sooner <= later - 2

    def _width(self, line: _Line) -> int:
        return line.width + (line.indent if self.indented else 0)

    def _needed(self, line: _Line, after: _Line) -> int:
        return self._width(line) + _columns(_next_token(after.text))

    def forced(self, line: _Line, after: _Line, first: bool) -> bool:
        """Whether the break between the two lines had to be there. Inside a sentence a near miss counts."""
        slack = 0 if _ENDS_FULLY.search(line.text) else self._least[first] // 8
        return self._needed(line, after) >= self._least[first] - slack

    def fills(self, line: _Line, after: _Line) -> bool:
        """Whether a line is as long as a later line of a paragraph has to be to break where it does."""
        return self._needed(line, after) >= self._least[False]


def _surely_goes_on(line: _Line, after: _Line) -> bool:
    """Whether a sentence runs over the break."""
    if _ENDS.search(line.text) or line.text.endswith(("：", ":", "）", ")")):
        return False
    if line.mark and line.mark.kind in ("heading", "contents", "appendix"):
        return False
    return after.mark is None or after.mark.refers


def _low(samples: Sequence[tuple[int, bool]]) -> int:
    """A low value that few samples stay under: among them may be a line of a title or a name.

    Where there are few, one whose last mark hangs over the margin would tell of too much room.
    """
    if len(samples) < _FEW:
        return min((needed - 2 * hangs for needed, hangs in samples), default=0)
    return sorted(needed for needed, _ in samples)[len(samples) // 20]
