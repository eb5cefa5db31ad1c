"""Plain text as blocks. Decides whether lines are paragraphs, or were broken at the width of a page.

Comes in: text. Goes out: :class:`Block` of kind "paragraph", or "line" where a line may end inside a sentence.
A line keeps the blanks it begins with: they often mark a new paragraph.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from assistant.model import Block

_LINE_END = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_SENTENCE_END = tuple("。！？；：…!?;:.”’」』）)》】")
_SPACE = re.compile("[ \t\u00a0\u2000-\u200a\u3000]+")
_WIDE_SPACE = re.compile("[\u2001\u2003\u3000]")
_WIDEST = 160  # columns, of a printed line; a Chinese character takes two
_NARROWEST = 24
_FULL = 0.88  # of the common width; a word or a mark that does not fit leaves some of it empty


def lines_of(text: str) -> list[str]:
    """
    >>> lines_of("一\\r\\n二\\x0c三")
    ['一', '二', '三']
    """
    return _LINE_END.split(text)


def width(line: str) -> int:
    """In columns of a screen.

    >>> width("第1条")
    5
    """
    return sum(2 if unicodedata.east_asian_width(char) in "WFA" else 1 for char in line)


def common_width(lines: Sequence[str]) -> int:
    """The width at which ``lines`` were broken, 0 where they were not.

    Broken lines are about equally long, and most of the full ones end inside a sentence.
    """
    written = [line.rstrip() for line in lines if line.strip()]
    widths = sorted(map(width, written))
    if len(widths) < 4:
        return 0
    widest = widths[int(len(widths) * 0.9)]
    if not _NARROWEST <= widest <= _WIDEST:
        return 0
    full = [line for line in written if _FULL * widest <= width(line) <= 1.12 * widest]
    longer = sum(1 for each in widths if each > 1.12 * widest)
    inside = sum(1 for line in full if not line.endswith(_SENTENCE_END))
    broken = (
        len(full) >= 3
        and len(full) >= 0.3 * len(written)
        and inside >= 0.6 * len(full)
        and longer <= 0.05 * len(written)
    )
    return widest if broken else 0


def joined(first: str, second: str) -> str:
    """Two pieces of one line: a space between them only where letters or digits meet.

    >>> joined("责任", "追究"), joined("the", "rule")
    ('责任追究', 'the rule')
    """
    first, second = first.rstrip(), second.lstrip()
    if first and second and first[-1].isascii() and second[0].isascii() and first[-1] != "-":
        return f"{first} {second}"
    return first + second


def blocks_of(text: str) -> list[Block]:
    """The paragraphs of a text, or its lines where it was broken into lines of one width."""
    lines = [line.rstrip() for line in lines_of(text)]
    common = common_width(lines)
    if not common:
        return [Block(tidy(line), "paragraph") for line in lines if line.strip()]
    chunks: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            chunks[-1].append(line)
        elif chunks[-1]:
            chunks.append([])
    chunks = [chunk for chunk in chunks if chunk]
    alone = sum(1 for chunk in chunks if len(chunk) == 1 and width(chunk[0]) >= _FULL * common)
    if alone > 0.3 * len(chunks):  # a blank line after every line tells nothing
        return [Block(line, "line") for chunk in chunks for line in chunk]
    blocks: list[Block] = []
    for chunk in chunks:
        whole = all(width(line) >= _FULL * common for line in chunk[:-1])
        if whole and not any(line[:1].isspace() for line in chunk[1:]):
            paragraph = ""
            for line in chunk:
                paragraph = joined(paragraph, line)
            blocks.append(Block(tidy(paragraph), "paragraph"))
        else:
            blocks += (Block(line, "line") for line in chunk)
    return blocks


def tidy(text: str) -> str:
    """A paragraph without blanks around it; runs of blanks inside become one, a full-width one where one was in it.

    >>> tidy("　　第一条　 为了  试验 ")
    '第一条　为了 试验'
    """
    return _SPACE.sub(lambda run: "\u3000" if _WIDE_SPACE.search(run[0]) else " ", text.strip())
