"""Tables whose cells a PDF left on lines of their own: found, and written so that each figure can be read.

Comes in: clean lines (``documents/cleaning.py``). Goes out: the same lines, each such table made one line
of kind "table", its figures in the order of the source. A figure is put beside the name of its row only
where that is certain: as many figures as names, or fewer that are proportional to a full column at one
place and no other. Elsewhere the figures stand in a row without names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.documents.cleaning import Line, is_finished, is_prose

_CAPTION = re.compile(r"^(?:续?表|Table)\s*[\d一二三四五六七八九十]+(?:[-—.]\d+)?(?![\d年、，])")
_SOURCE = re.compile(r"^(?:资料|数据)?来源：|^注：|^说明：")
_FIGURE = re.compile(r"^[-+−]?\d[\d,，]*(?:\.\d+)?\s*[%％‰]?$|^[-—–/]+$")
_ROW = re.compile(r"\S(?:[ \t]+[-+]?\d[\d,]*(?:\.\d+)?[%％]?){2,}$")
_CELL_COLUMNS = 30


def is_caption(folded: str) -> bool:
    """
    >>> is_caption('表1 问责人数'), is_caption('表明问责')
    (True, False)
    """
    return len(folded) <= 60 and bool(_CAPTION.match(folded)) and not is_finished(folded)


def with_tables(lines: Sequence[Line]) -> list[Line]:
    """The lines with every loose table made one; a caption and a note of source stay with their table."""
    found: list[Line] = []
    at = refused = 0
    while at < len(lines):
        line = lines[at]
        if line.kind == "table":
            caption = found.pop() if found and is_caption(found[-1].folded) else None
            text = f"{caption.text}\n{line.text}" if caption else line.text
            found.append(Line(text, "table", 0, (caption or line).page))
            at += 1
            continue
        end, looked = _end_of_cells(lines, at) if at >= refused or is_caption(line.folded) else (0, refused)
        refused = max(refused, looked)  # lines that are no table are not looked at once for each of them
        if end:
            found.append(Line(_written(lines[at:end]), "table", 0, line.page))
            at = end
        else:
            found.append(line)
            at += 1
    return found


def _has_figures(folded: str) -> bool:
    return bool(_FIGURE.match(folded) or _ROW.search(folded))


def _end_of_cells(lines: Sequence[Line], start: int) -> tuple[int, int]:
    """Where the table that begins here ends, or 0, and how far was looked."""
    first = lines[start]
    captioned = is_caption(first.folded)
    if not captioned and not _has_figures(first.folded):
        return 0, start
    at = start + 1 if captioned else start
    figures = rows = 0
    while at < len(lines):
        line = lines[at]
        folded = line.folded
        if line.kind in ("table", "heading") or is_caption(folded) or _SOURCE.match(folded):
            break
        is_row = bool(_ROW.search(folded)) and not is_finished(folded)
        if not is_row and (line.columns > _CELL_COLUMNS or is_prose(line.text) or folded[-1] in "。；！？"):
            break
        figures += bool(_FIGURE.match(folded))
        rows += is_row
        at += 1
    looked = at
    cells = looked - start - captioned
    is_table = rows >= 2 or figures >= (4 if captioned else 6)
    if not is_table or figures + 2 * rows < cells * 0.4:
        return 0, looked
    while not captioned and at > start and not _has_figures(lines[at - 1].folded):
        at -= 1  # without a caption only figures prove that a line belongs to the table
    while at < len(lines) and _SOURCE.match(lines[at].folded) and len(lines[at].text) <= 60:
        at += 1
    return at, looked


# ---------------------------------------------------------------- writing


@dataclass(frozen=True)
class _Run:
    """Headings and the figures that follow them."""

    names: tuple[str, ...]
    figures: tuple[str, ...]


def _written(lines: Sequence[Line]) -> str:
    before = [line.text for line in lines[:1] if is_caption(line.folded)]
    notes = [line.text for line in lines[len(before) :] if _SOURCE.match(line.folded)]
    cells = [line.text for line in lines[len(before) : len(lines) - len(notes)]]
    if sum(bool(_ROW.search(cell)) for cell in cells) >= 2:
        body = [re.sub(" +", "\t", cell) if _ROW.search(cell) else cell for cell in cells]
    else:
        body = _columns(_runs(_joined(cells)))
    return "\n".join([*before, *body, *notes])


def _joined(cells: Sequence[str]) -> list[str]:
    """Cells that were broken into two lines made one again: 2014年1月— and 2016年7月, 人数 and （人）."""
    whole: list[str] = []
    for cell in cells:
        if (
            whole
            and not _FIGURE.match(cell)
            and not _FIGURE.match(whole[-1])
            and (
                re.search("[-—–~至及与和或的、（(/]$", whole[-1])
                or re.match("[（(）)、/]|以[上下内外]|年|月", cell)
            )
        ):
            whole[-1] += cell
        else:
            whole.append(cell)
    return whole


def _runs(cells: Sequence[str]) -> list[_Run]:
    runs: list[_Run] = []
    names: list[str] = []
    figures: list[str] = []
    for cell in cells:
        if _FIGURE.match(cell):
            figures.append(cell)
            continue
        if figures:
            runs.append(_Run(tuple(names), tuple(figures)))
            names, figures = [], []
        names.append(cell)
    return [*runs, _Run(tuple(names), tuple(figures))]


def _columns(runs: Sequence[_Run]) -> list[str]:
    """One line for each run of figures; the names of the rows beside them where they are certain."""
    length = max(len(run.figures) for run in runs)
    rows = _row_names(runs, length)
    lines: list[str] = []
    full: list[tuple[str, ...]] = []
    for at, run in enumerate(runs):
        names = run.names[len(rows) :] if at == 0 else run.names
        if not run.figures:
            lines.extend(names)
            continue
        lines.extend(names[:-1])
        head = f"{names[-1]}：" if names else ""
        start = _place(run.figures, length, full) if rows else None
        if start is None:
            lines.append(head + "\t".join(run.figures))
        else:
            here = rows[start : start + len(run.figures)]
            lines.append(
                head + "；".join(f"{row} {figure}" for row, figure in zip(here, run.figures, strict=True))
            )
        if len(run.figures) == length:
            full.append(run.figures)
    # where no row can be named, the names come first, as in the source
    return lines if rows else _unnamed(runs)


def _unnamed(runs: Sequence[_Run]) -> list[str]:
    lines: list[str] = []
    for run in runs:
        if run.names:
            lines.append("\t".join(run.names))
        if run.figures:
            lines.append("\t".join(run.figures))
    return lines


def _row_names(runs: Sequence[_Run], length: int) -> tuple[str, ...]:
    """The names that stand before the heading of the first column, if there are as many as a full column has.

    The table may as well run along its rows: then these are the headings of its columns. A name too many at the
    front is the heading of a group (2014年) where later columns have one too, and the corner of the table where
    they have none; that cannot be told apart from a name, so nothing is named.
    """
    counted = Counter(len(run.figures) for run in runs if run.figures)
    if length < 2 or len(runs) < 2 or counted[length] * 2 < len(runs):
        return ()
    over = len(runs[0].names) - length
    later = max((len(run.names) for run in runs[1:]), default=0)
    if over == 1 or (over == 2 and later == 2):
        return runs[0].names[:length]
    return ()


def _place(figures: Sequence[str], length: int, full: Sequence[tuple[str, ...]]) -> int | None:
    """At which row a run of figures begins; None where that is not certain."""
    if len(figures) == length:
        return 0
    if not full or len(figures) < 3:
        return None
    base = [_value(figure) for figure in full[-1]]
    shares = [_value(figure) for figure in figures]
    fits = [
        start
        for start in range(length - len(figures) + 1)
        if _proportional(base[start : start + len(figures)], shares)
    ]
    return fits[0] if len(fits) == 1 else None


def _value(figure: str) -> float:
    try:
        return float(re.sub("[,，%％‰\\s]", "", figure))
    except ValueError:
        return 0.0


def _proportional(counts: Sequence[float], shares: Sequence[float]) -> bool:
    """Whether the shares are shares of these counts, printed with one or two decimals."""
    whole = sum(counts)
    if not whole:
        return False
    ratio = sum(shares) / whole
    return all(
        abs(share - count * ratio) <= 0.06 + share * 0.002
        for count, share in zip(counts, shares, strict=True)
    )
