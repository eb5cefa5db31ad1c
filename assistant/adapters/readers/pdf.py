"""PDF as printed lines, page by page, read with pypdf.

Comes in: the bytes of a PDF. Goes out: :class:`Block` values of kind "line". A line that stands a first-line
indent to the right of its page's margin begins with a full-width blank or two, as it would in a text file; the
page's running title comes first and its number last, whatever order the file has them in. Pages that are
pictures are named, for :mod:`assistant.adapters.readers.ocr`.

Known weakness: tables come as lines; a page of columns is read in the order in which the file draws it.
"""

from __future__ import annotations

import io
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from assistant.adapters.readers.charset import clean
from assistant.adapters.readers.glyphs import as_typed
from assistant.adapters.readers.properties import author_of, title_of
from assistant.adapters.readers.spacing import without_stray_spaces
from assistant.adapters.readers.values import Limits, Unreadable, numbers_listed
from assistant.model import Block, RawDocument

_LOCKED = "加了密码，打不开；请取消密码后再添加。"
_BROKEN = "PDF 已损坏，打不开；请重新下载或导出。"
_BOMB = "里面的内容展开后大得异常，疑似压缩炸弹，没有读取。"
_FEW = 8  # characters; a scanned page may carry a stamp or a page number as text
_EDGE = 3  # lines at either end of what a page draws
_MUCH_DRAWING = 3000  # bytes; a page without text that draws so much has its words drawn as shapes
_INDENT = "\u3000\u3000"


@dataclass(frozen=True)
class PrintedLine:
    """One line of a page. ``x`` and ``y`` grow to the right and upwards; ``size`` is that of its first letters."""

    text: str
    x: float
    y: float
    size: float


def read_pdf(content: bytes, limits: Limits) -> tuple[RawDocument, tuple[int, ...]]:
    """What a PDF says, and the pages on which it only has pictures.

    Raises:
        Unreadable: it is damaged, locked or too long.
    """
    import pypdf
    from pypdf.errors import LimitReachedError

    logging.disable(logging.CRITICAL)  # pypdf quotes what it cannot read
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        if not _unlocked(reader):
            raise Unreadable(_LOCKED)
        count = reader.get_num_pages()
        if count > limits.pages:
            raise Unreadable(f"有{count}页，超过{limits.pages}页的上限；请拆开后再添加。")
        pages = reader.pages
        raw = [_page(pages, number) for number in range(count)]
    except (Unreadable, MemoryError, RecursionError):
        raise
    except LimitReachedError:
        raise Unreadable(_BOMB) from None
    except Exception:  # on a damaged file pypdf raises whatever its code happens to run into
        raise Unreadable(_BROKEN) from None
    if not count:
        raise Unreadable("PDF 里一页也没有；请重新下载或导出。")
    failed = [number for number, page in enumerate(raw, 1) if page is None]
    if len(failed) == count:
        raise Unreadable(_BROKEN)
    scanned = tuple(number for number, page in enumerate(raw, 1) if page is not None and page.pictured)
    kept = [[] if page is None or page.pictured else page.lines for page in raw]
    blocks = [
        Block(line.text, "line", page=number)
        for number, lines in enumerate(_indented(kept), 1)
        for line in lines
    ]
    notices = (f"第{numbers_listed(failed)}页已损坏，没有读出。",) if failed else ()
    title, author = _about(reader)
    return RawDocument("", "pdf", tuple(blocks), title, author, notices=notices), scanned


def _unlocked(reader: Any) -> bool:
    """Whether the file can be read without a password; some are locked against changes only."""
    from pypdf.errors import DependencyError, PyPdfError

    try:
        return not reader.is_encrypted or bool(reader.decrypt(""))
    except (PyPdfError, DependencyError, NotImplementedError):
        return False


@dataclass(frozen=True)
class _Page:
    lines: list[PrintedLine]
    pictured: bool


def _page(pages: Sequence[Any], number: int) -> _Page | None:
    """One page; None when it is damaged."""
    from pypdf.errors import LimitReachedError

    try:
        page = pages[number]
        lines = _lines(page)
    except (LimitReachedError, RecursionError):
        raise Unreadable(f"第{number + 1}页的内容大得异常，疑似有问题的文件，没有读取。") from None
    except MemoryError:
        raise
    except Exception:
        return None
    words = "".join(line.text for line in lines)
    legible = sum(
        1 for char in words if char.isprintable() and not "\ue000" <= char <= "\uf8ff" and char != "\ufffd"
    )
    readable = legible >= 0.7 * len(
        words
    )  # a font without a table of its letters gives signs that mean nothing
    bare = len("".join(words.split())) < _FEW or not readable
    return _Page(lines, bare and _draws(page))


def _lines(page: Any) -> list[PrintedLine]:
    """The lines as pypdf puts them together, each with the place where it begins."""
    lines: list[PrintedLine] = []
    pieces: list[str] = []
    place: tuple[float, float, float] | None = None

    def end_line() -> None:
        nonlocal place
        text = without_stray_spaces(as_typed(clean("".join(pieces))).strip())
        if text:
            lines.append(PrintedLine(text, *(place or (0.0, 0.0, 0.0))))
        pieces.clear()
        place = None

    def take(text: str, cm: Sequence[float], tm: Sequence[float], _font: Any, size: float) -> None:
        nonlocal place
        for at, piece in enumerate(text.split("\n")):
            if at:
                end_line()
            if piece.strip() and place is None:
                x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
                y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
                scale = abs(tm[0] * cm[0] + tm[1] * cm[2]) or 1.0
                lead = len(piece) - len(piece.lstrip())  # blanks that were typed stand before the words
                place = (x + lead * scale * size * 0.5, y, scale * size)
            pieces.append(piece)

    page.extract_text(visitor_text=take)
    end_line()
    return _edges_outside(lines)


def _edges_outside(lines: list[PrintedLine]) -> list[PrintedLine]:
    """The lines with the head of the page first and its foot last: programs draw both before or after the text."""
    ordered = list(lines)
    if len(ordered) > 2:
        highest = max(ordered, key=lambda line: line.y)
        if any(line is highest for line in ordered[-_EDGE:]):
            ordered.remove(highest)
            ordered.insert(0, highest)
        lowest = min(reversed(ordered), key=lambda line: line.y)
        if any(line is lowest for line in ordered[:_EDGE]):
            ordered.remove(lowest)
            ordered.append(lowest)
    return ordered


def _indented(pages: Sequence[list[PrintedLine]]) -> Iterable[list[PrintedLine]]:
    """The pages with first-line indents written as blanks. Left and right pages have margins of their own."""
    margins = [_margin(lines) for lines in pages]
    for number, lines in enumerate(pages):
        like = Counter(round(margin) for margin in margins[number % 2 :: 2] if margin is not None)
        usual = like.most_common(1)[0][0] if like else None
        own = margins[number]
        yield [_with_indent(line, own, usual) for line in lines]


def _margin(lines: Sequence[PrintedLine]) -> float | None:
    """Where most lines of a page begin that run on: the leftmost place at which several do."""
    places = Counter(round(line.x) for line in lines)
    shared = [place for place in places if places[place] + places[place - 1] + places[place + 1] >= 2]
    return min(shared) if shared else None


def _with_indent(line: PrintedLine, own: float | None, usual: float | None) -> PrintedLine:
    for margin in (own, usual):
        if margin is not None and line.size and 1.5 * line.size <= line.x - margin <= 2.7 * line.size:
            return replace(line, text=_INDENT + line.text)
    return line


def _draws(page: Any) -> bool:
    """Whether a page has a picture on it, or shapes that may be words."""
    try:
        if page.get("/Resources", {}).get("/XObject"):
            return True
        contents = page.get_contents()
        data = contents.get_data() if contents is not None else b""
        return b"BI" in data or len(data) > _MUCH_DRAWING
    except Exception:
        return False


def _about(reader: Any) -> tuple[str, str]:
    """Title and author. The day on which the file was made is left out: it is seldom that of what it says."""
    try:
        about = reader.metadata or {}
        return title_of(about.get("/Title")), author_of(about.get("/Author"))
    except Exception:
        return "", ""
