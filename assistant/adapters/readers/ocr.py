"""Pages that are pictures as lines, recognised with RapidOCR; part of the extra ``ocr``.

Comes in: the bytes of a PDF and the number of a page. Goes out: its lines from top to bottom. The models come with
the package; nothing is fetched. Known weakness: two columns side by side are read across.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from assistant.adapters.readers.charset import clean
from assistant.adapters.readers.spacing import without_stray_spaces
from assistant.adapters.readers.values import Unreadable
from assistant.model import Block

HOW_TO_INSTALL = "pip install 'zeming[ocr]'"
_LONGEST_SIDE = 2000  # pixels; an A4 page at 170 dots an inch
_SIDE_TO_FIND_LINES = 1280
_LEAST_SCORE = 0.5
_THREADS = 2


def is_installed() -> bool:
    return all(importlib.util.find_spec(name) for name in ("rapidocr", "pypdfium2"))


def recognise(content: bytes, page: int) -> tuple[Block, ...]:
    """The lines of a page, counted from 1.

    Raises:
        Unreadable: the page cannot be drawn.
    """
    found = _engine()(_picture(content, page))
    if found.boxes is None or not found.txts:
        return ()
    pieces = [
        _Piece(clean(text).strip(), *_frame(box))
        for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        if score >= _LEAST_SCORE and text.strip()
    ]
    return tuple(Block(text, "line", page=page) for text in _in_order(pieces))


@dataclass(frozen=True)
class _Piece:
    text: str
    left: float
    right: float
    top: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top


@lru_cache(maxsize=1)
def _engine() -> Any:
    from rapidocr import RapidOCR

    logging.disable(logging.CRITICAL)
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            # the lines of a page are found as well in a smaller picture, in half the time
            "Det.limit_type": "max",
            "Det.limit_side_len": _SIDE_TO_FIND_LINES,
            "EngineConfig.onnxruntime.intra_op_num_threads": _THREADS,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _picture(content: bytes, page: int) -> Any:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
        drawn = document[page - 1]
        scale = min(_LONGEST_SIDE / max(*drawn.get_size(), 1), 6.0)
        return drawn.render(scale=scale, draw_annots=False).to_numpy()
    except (pypdfium2.PdfiumError, ValueError, IndexError):
        raise Unreadable(f"第{page}页的图片打不开，没有读出文字。") from None


def _frame(box: Any) -> tuple[float, float, float, float]:
    xs, ys = [float(point[0]) for point in box], [float(point[1]) for point in box]
    return min(xs), max(xs), min(ys), max(ys)


def _in_order(pieces: Sequence[_Piece]) -> list[str]:
    """Pieces of one line joined, lines from top to bottom; first-line indents written as blanks.

    >>> _in_order([_Piece("乙", 50, 60, 1, 11), _Piece("甲", 0, 10, 0, 10), _Piece("丙", 0, 10, 20, 30)])
    ['甲乙', '丙']
    """
    lines: list[list[_Piece]] = []
    for piece in sorted(pieces, key=lambda piece: (piece.top + piece.bottom) / 2):
        middle = (piece.top + piece.bottom) / 2
        if lines and lines[-1][0].top <= middle <= lines[-1][0].bottom:
            lines[-1].append(piece)
        else:
            lines.append([piece])
    margin = min((piece.left for piece in pieces), default=0.0)
    written = []
    for line in lines:
        line.sort(key=lambda piece: piece.left)
        text = without_stray_spaces(" ".join(piece.text for piece in line))
        indent = line[0].left - margin
        indented = len(lines) > 2 and 1.2 * line[0].height <= indent <= 2.9 * line[0].height
        written.append(("\u3000\u3000" if indented else "") + text)
    return written
