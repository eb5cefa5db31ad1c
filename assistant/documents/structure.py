"""A regulation as its articles: 编/章/节, 条, 款, 项, from whatever document it stands in.

Comes in: what a reader made of a file. Goes out: :class:`Regulation`, the same from PDF lines, DOCX paragraphs, HTML,
Markdown and plain text; every article, paragraph and item has the words of the document, character for character.

Which lines begin articles is decided for the whole document at once: of all lines that begin like one, the chain whose
numbers run on best. A cross-reference at the beginning of a line does not fit into the chain, and a list of articles
before the text makes a chain with no words in it.

Not covered: a document that holds two regulations gives the longer one; the other becomes an appendix or part of the
preamble. A normative document without 条 (一、（一）1.) is no regulation here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from assistant.documents.layout import paragraphs_of
from assistant.documents.marks import Mark, read_mark
from assistant.documents.particulars import is_signature, is_title, particulars_of, title_of
from assistant.law.text import fold
from assistant.model import ArticleText, Block, Item, Paragraph, RawDocument, Regulation

_LEAST_ARTICLES = 3
_MANY_ARTICLES = 10  # with as many in a row, other words may outweigh them: 总纲 of a charter, a long notice
_LEAST_SHARE, _LEAST_SHARE_OF_MANY = 0.5, 0.35  # of all words, that stand in articles
_MANY_PARAGRAPHS = 8  # after the last article; only an article about the regulation has more
_ABOUT = re.compile("解读|释义|答记者问|问答|理解与适用|起草说明|心得|评析|述评|综述|学习|辅导|比较|对照")
_NOTE_ON_ARTICLE = re.compile(
    r"\s*[【\[［](?:释义|解读|条文主旨|理解|立法理由|条文解读|要点)|\s*(?:释义|解读)[：:]|本条是关于"
)
_SENTENCE_END = re.compile("[。；：！？!?;:…](?:[”’」』）)》〉]*)$")
_SHORT = 40  # characters of a line that is a signature, a heading or the like


def read_regulation(raw: RawDocument) -> Regulation | None:
    """The regulation in a document, or None: an article that quotes 第七条 is none, nor is an interpretation."""
    blocks = [piece for block in paragraphs_of(raw.blocks) for piece in _unrolled(block)]
    marks = [None if block.kind == "table" else read_mark(block.text) for block in blocks]
    chain = _chain(blocks, marks)
    if not _is_regulation(raw, blocks, marks, chain):
        return None
    title, front = title_of(raw, _front(blocks, marks, chain[0]))
    articles, tail_at = _articles(blocks, marks, chain)
    closing, appendices = _tail(blocks, marks, tail_at)
    about = particulars_of(title, front, closing, articles)
    return Regulation(
        title=title,
        articles=articles,
        issuer=about.issuer,
        kind=about.kind,
        rank=about.rank,
        adopted=about.adopted,
        effective_from=about.effective_from,
        preamble=tuple(front),
        closing=closing,
        appendices=appendices,
    )


def split_article(number: str, text: str, section: str = "", page: int | None = None) -> ArticleText:
    """One article out of its words, a paragraph or item a line; ``number`` is written as in ids.

    What follows from a line 附件 or 附表 on is left out.

    >>> article = split_article("7", "有下列情形之一的，应当问责：\\n（一）甲；\\n（二）乙。\\n情节轻微的，可以免予。")
    >>> [(p.text, [i.number for i in p.items]) for p in article.paragraphs]
    [('有下列情形之一的，应当问责：', [1, 2]), ('情节轻微的，可以免予。', [])]
    """
    lines: list[_Words] = []
    for line in text.split("\n"):
        words = line.strip()
        mark = read_mark(words) if words else None
        if mark and mark.kind == "appendix" and lines:
            break
        if words:
            lines.append(_Words(words))
    return ArticleText(number, _paragraphs(lines), section, page)


# ------------------------------------------------------------------ what the blocks are

_INNER_ARTICLE = re.compile(
    r"(?:(?<=[。；：”）])|^)\s*"
    r"(第\s*[零〇○一二三四五六七八九十百千\d]{1,9}\s*条(?:之[一二三四五六七八九十]{1,3})?[ 　])"
)
_HEADING_AND_ARTICLE = re.compile(
    r"(\s*第\s*[一二三四五六七八九十百\d]{1,5}\s*[编章节][ 　]*[^ 　，。；：]{1,30}(?:[ 　][^ 　，。；：]{1,6})?)[ 　]+"
    r"(第[一二三四五六七八九十百千\d]{1,9}条[ 　])"
)


def _unrolled(block: Block) -> Iterator[Block]:
    """A paragraph into which several articles, or a heading and an article, have run, taken apart."""
    if block.kind == "table":
        yield from _untabled(block)
        return
    both = _HEADING_AND_ARTICLE.match(block.text)
    if both:
        yield replace(block, text=both[1].strip())
        block = replace(block, text=block.text[both.start(2) :])
    starts: list[int] = []
    last: int | None = None
    for found in _INNER_ARTICLE.finditer(block.text):
        mark = read_mark(found[1])
        number = int(mark.number.partition("-")[0]) if mark else 0
        if last is None or number in (last, last + 1):
            starts.append(found.start(1))
            last = number
    if len(starts) < 2:
        yield block
        return
    for start, end in zip([0, *starts[1:]], [*starts[1:], None], strict=True):
        yield replace(block, text=block.text[start:end].strip(), kind="paragraph")


def _untabled(block: Block) -> Iterator[Block]:
    """A table of one column with articles in it is a frame around the text."""
    rows = block.text.split("\n")
    framed = "\t" not in block.text and sum(_begins_article(row) for row in rows) >= _LEAST_ARTICLES
    if framed:
        yield from (Block(row.strip(), "paragraph", page=block.page) for row in rows if row.strip())
    else:
        yield block


def _begins_article(text: str) -> bool:
    mark = read_mark(text)
    return mark is not None and mark.kind == "article" and not mark.refers


# ------------------------------------------------------------------ the chain of articles

_NUMBERED_AFRESH = 3  # articles, after which 第一条 begins another text
_GAP = -1.0
_LARGEST_GAP = 30
_MOST_INSERTED = 20  # 第一百二十条之十九
_LINES_AHEAD = 30  # in which the next item has to come


@dataclass(frozen=True)
class _Candidate:
    at: int  # block
    key: tuple[int, int]  # 120-1 is (120, 1)
    weight: float


def _chain(blocks: Sequence[Block], marks: Sequence[Mark | None]) -> list[int]:
    """The blocks with which the articles begin; empty where there are none."""
    best: list[int] = []
    most = -1
    for segment in _segments(blocks, marks):
        chain = _best_run(segment)
        if len(chain) < len(best) / 2:
            continue
        words = sum(len(blocks[at].text) for at in range(chain[0], chain[-1] + 1)) if chain else 0
        if words > most:
            best, most = chain, words
    return best


def _segments(blocks: Sequence[Block], marks: Sequence[Mark | None]) -> Iterator[list[_Candidate]]:
    """Lines that begin like an article, parted where an appendix begins or the numbers begin afresh."""
    segment: list[_Candidate] = []
    for at, (block, mark) in enumerate(zip(blocks, marks, strict=True)):
        if mark is None:
            continue
        if mark.kind == "appendix" and segment:
            yield segment
            segment = []
        if mark.kind != "article":
            continue
        candidate = _candidate(at, block, mark)
        if candidate.key == (1, 0) and len(segment) >= _NUMBERED_AFRESH and candidate.weight >= 1:
            yield segment
            segment = []
        segment.append(candidate)
    yield segment


def _candidate(at: int, block: Block, mark: Mark) -> _Candidate:
    number, _, inserted = mark.number.partition("-")
    weight = 0.3 if mark.refers else 3.0 if mark.spaced or block.kind == "heading" else 2.0
    return _Candidate(at, (int(number), int(inserted or 0)), weight)


def _best_run(candidates: Sequence[_Candidate]) -> list[int]:
    """The candidates whose numbers grow, with the fewest gaps and the surest beginnings."""
    score: list[float] = []
    before: list[int | None] = []
    latest: dict[tuple[int, int], int] = {}  # the best run so far that ends with a number
    for index, candidate in enumerate(candidates):
        number, inserted = candidate.key
        back: int | None = None
        gain = 0.0
        previous = [
            key
            for key in ((number, inserted - 1), *((number - 1, n) for n in range(_MOST_INSERTED)))
            if key in latest
        ]
        if previous and (inserted == 0 or previous[0] == (number, inserted - 1)):
            key = max(previous, key=lambda key: score[latest[key]])
            back, gain = latest[key], score[latest[key]] + 1
        else:
            earlier = [
                latest[key]
                for back_number in range(max(0, number - _LARGEST_GAP), number)
                if (key := (back_number, 0)) in latest
            ]
            if earlier:
                end = max(earlier, key=lambda end: score[end])
                if score[end] + _GAP > 0:
                    back, gain = end, score[end] + _GAP
        score.append(candidate.weight + gain)
        before.append(back)
        held = latest.get(candidate.key)
        if held is None or score[held] <= score[index]:
            latest[candidate.key] = index
    if not score:
        return []
    run: list[int] = []
    at: int | None = max(range(len(score)), key=lambda index: (score[index], -index))
    while at is not None:
        run.append(candidates[at].at)
        at = before[at]
    return run[::-1]


def _is_regulation(
    raw: RawDocument, blocks: Sequence[Block], marks: Sequence[Mark | None], chain: Sequence[int]
) -> bool:
    numbers = [mark.number for at in chain if (mark := marks[at])]
    if len(chain) < _LEAST_ARTICLES or numbers[0] != "1":
        return False
    unsure = sum(1 for at in chain if (mark := marks[at]) and mark.refers)
    gaps = int(numbers[-1].partition("-")[0]) - len({number.partition("-")[0] for number in numbers})
    if unsure * 3 > len(chain) or gaps * 3 > len(chain):
        return False
    notes = sum(1 for block in blocks if _NOTE_ON_ARTICLE.match(block.text))
    if notes >= max(2, len(chain) // 5):
        return False
    tail = _tail_start(blocks, marks, chain)
    inside = sum(len(block.text) for block in blocks[chain[0] : tail])
    # what goes on and on after the last article is no part of it
    behind = [
        block
        for block, mark in zip(blocks[chain[-1] + 1 : tail], marks[chain[-1] + 1 : tail], strict=True)
        if mark is None
    ]
    beyond = sum(len(block.text) for block in behind) if len(behind) > _MANY_PARAGRAPHS else 0
    before = sum(len(block.text) for block in blocks[: chain[0]] if _SENTENCE_END.search(block.text))
    share = (inside - beyond) / max(1, inside + before)
    heads = (
        raw.title,
        *(block.text for block in blocks[: min(3, chain[0])] if len(block.text) <= _SHORT * 2),
    )
    about = any(_ABOUT.search(re.sub("《[^》]*》", "", head)) for head in heads)
    least = 0.8 if about else _LEAST_SHARE_OF_MANY if len(chain) >= _MANY_ARTICLES else _LEAST_SHARE
    return share >= least


# ------------------------------------------------------------------ before the articles


def _front(blocks: Sequence[Block], marks: Sequence[Mark | None], first: int) -> list[Block]:
    """What stands before the first article, without the table of contents and the headings of the text."""
    front: list[Block] = []
    contents = _contents(blocks, marks, first)
    for at in range(first):
        mark = marks[at]
        if at in contents or (mark and mark.kind in ("heading", "article", "contents", "appendix")):
            continue
        if mark is None and at and _is_bare(marks[at - 1], blocks[at - 1]):
            continue  # 总则 on a line of its own below 第一章
        front.append(blocks[at])
    return front


def _contents(blocks: Sequence[Block], marks: Sequence[Mark | None], first: int) -> range:
    """The lines of a table of contents: up to where its first entry comes again, or as long as they are entries."""
    start = next((at for at in range(first) if _is_contents(blocks[at], marks[at])), None)
    if start is None:
        return range(0)
    entry = _entry(blocks[start + 1].text) if start + 1 < first else ""
    again = [at for at in range(start + 2, first) if _entry(blocks[at].text) == entry]
    if entry and again:
        return range(start, again[0])
    end = start + 1
    while end < first and len(blocks[end].text) <= _SHORT and not _SENTENCE_END.search(blocks[end].text):
        end += 1
    return range(start, end)


def _is_contents(block: Block, mark: Mark | None) -> bool:
    if mark and mark.kind == "contents":
        return True
    return bool(re.match(r"\s*目\s*[录錄次]\s*第\s*一\s*[编編章]", block.text))


def _entry(text: str) -> str:
    return re.sub(r"[\s.…·．_—-]|\d+\s*$", "", fold(text))


# ------------------------------------------------------------------ the articles


@dataclass(frozen=True)
class _Words:
    """A paragraph or table of an article."""

    text: str
    table: bool = False


def _articles(
    blocks: Sequence[Block], marks: Sequence[Mark | None], chain: Sequence[int]
) -> tuple[tuple[ArticleText, ...], int]:
    """The articles, and the block after the last of them."""
    starts = set(chain)
    end = _tail_start(blocks, marks, chain)
    headings: list[tuple[int, str]] = []  # level, words
    articles: list[ArticleText] = []
    number, section, page = "", "", None
    words: list[_Words] = []
    at = 0
    while at < end:
        block, mark = blocks[at], marks[at]
        if at in starts and mark:
            if number:
                articles.append(ArticleText(number, _paragraphs(words), section, page))
            number, page, words = mark.number, block.page, []
            rest = block.text[mark.end :]
            titled = block.kind == "heading" and rest and not _SENTENCE_END.search(rest)
            if rest and not titled:
                words.append(_Words(rest))
            section = " > ".join([*(text for _, text in headings), *([rest] if titled else [])])
        elif (heading := _heading(blocks, marks, at, starts)) is not None:
            level, text, taken = heading
            headings = [(above, words_) for above, words_ in headings if above < level] + [(level, text)]
            at += taken
        elif number:
            words.append(_Words(block.text, block.kind == "table"))
        at += 1
    articles.append(ArticleText(number, _paragraphs(words), section, page))
    return tuple(articles), end


def _heading(
    blocks: Sequence[Block], marks: Sequence[Mark | None], at: int, starts: set[int]
) -> tuple[int, str, int] | None:
    """Level and words of a heading, and how many blocks after it belong to it."""
    block, mark = blocks[at], marks[at]
    following = blocks[at + 1] if at + 1 < len(blocks) else None
    if mark and mark.kind == "heading":
        label = "".join(block.text[: mark.end].split())
        title = _closed(re.sub(r"[.…·．]{2,}.*$", "", block.text[mark.end :]))
        taken = 0
        if following and _is_bare(mark, block) and marks[at + 1] is None and len(following.text) <= _SHORT:
            title, taken = _closed(following.text), 1
        return mark.level, f"{label} {title}".strip(), taken
    if block.kind == "table" or (mark and mark.kind == "article") or _SENTENCE_END.search(block.text):
        return None
    numbered = mark is not None and mark.style == "一、"
    before_article = at + 1 in starts or bool(
        following and marks[at + 1] and marks[at + 1].kind == "heading"  # type: ignore[union-attr]
    )
    if len(block.text) <= _SHORT and before_article and (block.kind == "heading" or numbered):
        return 3, _closed(block.text), 0
    return None


def _is_bare(mark: Mark | None, block: Block) -> bool:
    """第一章 with its words on the next line."""
    return mark is not None and mark.kind == "heading" and mark.number != "" and mark.end >= len(block.text)


def _closed(words: str) -> str:
    """Heading words without the blanks that spread them: 总　则 is 总则.

    >>> _closed("总　则"), _closed("WTO rules 的适用")
    ('总则', 'WTO rules的适用')
    """
    return re.sub(r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])", "", words.strip())


def _paragraphs(lines: Iterable[_Words]) -> tuple[Paragraph, ...]:
    """款 and 项 of an article. Further levels (1. ⑴) and tables stay inside what they belong to."""
    rows = [row for line in lines for row in _run_in(line)]
    done: list[_Open] = []
    for at, row in enumerate(rows):
        current = done[-1] if done else None
        mark = None if row.table else read_mark(row.text)
        listed = mark is not None and mark.kind in ("item", "point") and not mark.refers
        if row.table:
            if current is None:
                done.append(_Open(row.text))
            else:
                current.add(row.text)
        elif listed and mark and current and current.items:
            if mark.style == current.style and int(mark.number) > current.items[-1][0]:
                current.items.append((int(mark.number), [row.text]))
            elif mark.style == current.style and mark.number == "1" and mark.kind == "item":
                done.append(_Open("", mark.style, [(1, [row.text])]))
            else:
                current.add(row.text)
        elif listed and mark and mark.number == "1" and _may_list(mark, current):
            if current is None:
                done.append(current := _Open(""))
            current.style = mark.style
            current.items.append((1, [row.text]))
        elif current and current.items and _list_goes_on(rows[at + 1 : at + 1 + _LINES_AHEAD], current):
            current.add(row.text)
        else:
            done.append(_Open(row.text))
    return tuple(open_.closed() for open_ in done)


class _Open:
    """A paragraph to which items may still come."""

    def __init__(self, text: str, style: str = "", items: list[tuple[int, list[str]]] | None = None) -> None:
        self.text, self.style, self.items = [text], style, items or []

    def add(self, words: str) -> None:
        (self.items[-1][1] if self.items else self.text).append(words)

    def closed(self) -> Paragraph:
        items = tuple(Item(number, "\n".join(words)) for number, words in self.items)
        return Paragraph("\n".join(self.text), items)


def _may_list(mark: Mark, current: _Open | None) -> bool:
    """（一） begins a list anywhere; 1. or 一、 only where a colon announces it."""
    if mark.kind == "item":
        return True
    return current is not None and current.text[-1].rstrip().endswith(("：", ":"))


def _list_goes_on(rows: Sequence[_Words], current: _Open) -> bool:
    """Whether the next number of the list is still to come, so that a line without one belongs to an item."""
    wanted = current.items[-1][0] + 1
    for row in rows:
        mark = None if row.table else read_mark(row.text)
        if mark and mark.style == current.style and mark.kind in ("item", "point") and not mark.refers:
            return int(mark.number) == wanted
    return False


_FIRST_RUN_IN = re.compile(r"[：:]\s*(?=[（(]一[）)])")
_RUN_IN = re.compile(r"(?<=[；;。：:])\s*(?=[（(][一二三四五六七八九十]{1,3}[）)])")


def _run_in(line: _Words) -> Iterator[_Words]:
    """A paragraph with its items in one piece, taken apart where they clearly are a list.

    Clearly: announced by a colon, numbered from （一） on, each after a semicolon or a full stop, and no sentence after
    the last one that no item has.
    """
    start = None if line.table else _FIRST_RUN_IN.search(line.text)
    if not start:
        yield line
        return
    pieces = _RUN_IN.split(line.text[start.end() :])
    numbers = [mark.number if (mark := read_mark(piece)) and not mark.refers else "" for piece in pieces]
    in_turn = numbers == [str(n) for n in range(1, len(pieces) + 1)]
    sentences = [len(re.findall("。(?!$)", piece.strip())) for piece in pieces]
    if len(pieces) < 2 or not in_turn or sentences[-1] > max(sentences[:-1]):
        yield line
        return
    yield _Words(line.text[: start.end()].rstrip())
    yield from (_Words(piece.strip()) for piece in pieces)


# ------------------------------------------------------------------ after the articles


def _tail_start(blocks: Sequence[Block], marks: Sequence[Mark | None], chain: Sequence[int]) -> int:
    """Where the last article ends: at a signature, a date, an appendix or a table that follows it."""
    at = chain[-1] + 1
    while at < len(blocks):
        block, mark = blocks[at], marks[at]
        listed = mark is not None and mark.kind in ("item", "point")
        if block.kind in ("table", "heading") or (mark and mark.kind in ("appendix", "heading", "contents")):
            return at
        if is_signature(block.text) or not (listed or _SENTENCE_END.search(block.text)):
            return at
        if mark and mark.kind == "article" and mark.number == "1" and not mark.refers:
            return at
        at += 1
    return at


def _tail(
    blocks: Sequence[Block], marks: Sequence[Mark | None], start: int
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Signature and date lines, and the appendices with their headings."""
    closing: list[str] = []
    appendices: list[tuple[str, list[str]]] = []
    second = _second_regulation(blocks, marks, start)
    last: dict[str, int] = {}
    for at, mark in enumerate(marks):
        if mark and mark.kind == "appendix":
            last[mark.number] = last[""] = at
    for at in range(start, len(blocks)):
        block, mark = blocks[at], marks[at]
        begins = (
            mark is not None
            and mark.kind == "appendix"
            and not _is_list_of_appendices(blocks, marks, at, last)
        )
        if begins or at == second:
            appendices.append((block.text, []))
        elif block.kind == "table" and not appendices:
            appendices.append(("附表", [block.text]))
        elif appendices:
            heading, words = appendices[-1]
            bare = re.fullmatch(r"附\s*[件录表图]\s*[\d一二三四五六七八九十]*\s*[:：]?", fold(heading))
            titled = len(block.text) <= _SHORT and not _SENTENCE_END.search(block.text) and mark is None
            if bare and not words and titled and block.kind != "table":
                appendices[-1] = (f"{heading} {block.text}", words)
            else:
                words.append(block.text)
        else:
            closing.append(block.text)
    return tuple(closing), tuple((heading, "\n".join(words)) for heading, words in appendices)


def _is_list_of_appendices(
    blocks: Sequence[Block], marks: Sequence[Mark | None], at: int, last: Mapping[str, int]
) -> bool:
    """附件：1.甲 2.乙 above the signature only names what comes later, if it comes at all.

    ``last`` has, for each number of an appendix, where it is named last; "" for any.
    """
    mark = marks[at]
    if mark is None or not blocks[at].text[mark.end :].strip(" 　：:"):
        return False
    if mark.number:
        return last[mark.number] > at
    if last[""] > at:
        return True
    return all(
        block.kind != "table" and (is_signature(block.text) or _is_entry(mark))
        for block, mark in zip(blocks[at + 1 :], marks[at + 1 :], strict=True)
    )


def _is_entry(mark: Mark | None) -> bool:
    return mark is not None and mark.kind == "point"


def _second_regulation(blocks: Sequence[Block], marks: Sequence[Mark | None], start: int) -> int | None:
    """The title of another regulation that follows without being called an appendix."""
    for at in range(start, len(blocks)):
        mark = marks[at]
        if mark and mark.kind == "appendix":
            return None
        if mark and mark.kind == "article" and mark.number == "1" and not mark.refers:
            titles = [back for back in range(start, at) if is_title(blocks[back].text)]
            return titles[-1] if titles else at
    return None
