"""DOCX as paragraphs, headings and tables, in reading order; opened with python-docx, walked element by element.

Comes in: the bytes of a DOCX. Goes out: :class:`Block` values. Numbers that Word counts itself are written out.
Insertions that are tracked count as made, deletions as done; hidden text, fields' codes, comments, notes, headers,
footers, tables of contents, macros and everything that is only linked to are left out; text boxes follow the
paragraph that holds them.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assistant.adapters.readers.charset import clean
from assistant.adapters.readers.numbering import Numbering, W, integer, numbering_of
from assistant.adapters.readers.plain import tidy
from assistant.adapters.readers.properties import author_of, title_of
from assistant.adapters.readers.values import MIB, Limits, Unreadable
from assistant.model import Block, RawDocument

_BROKEN = "DOCX 文件不完整或已损坏，打不开；请用 Word 或 WPS 另存后再添加。"
_BOMB = "里面的内容展开后大得异常，疑似压缩炸弹，没有读取。"
_DOCTYPES = tuple("<!DOCTYPE".encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be"))
_WITH_MACROS_OR_TEMPLATES = (
    "application/vnd.ms-word.document.macroEnabled.main+xml",
    "application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",
)
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
# read as if they were not there; w:delText and w:instrText have names of their own and are never asked for
_GONE = frozenset(
    f"{W}{name}" for name in ("del", "moveFrom", "rt", "pPr", "rPr", "sdtPr", "tblPr", "sectPr", "comment")
) | {f"{_MC}Fallback"}
_OFF = ("0", "false", "off")
_HEADING_NAME = re.compile(r"(?i)^(?:heading|标题)\s*([1-9])")
_LONG_CELL = 200  # characters; a table with longer cells is used to lay a text out


@dataclass(frozen=True)
class _Style:
    name: str
    based_on: str
    level: int | None  # outline level, from 0
    list_id: str | None
    list_level: int | None
    hidden: bool


def read_docx(content: bytes, limits: Limits) -> RawDocument:
    """What a DOCX says.

    Raises:
        Unreadable: it is damaged, expands too far, or declares entities.
    """
    from docx.opc.exceptions import OpcError
    from lxml import etree

    _check_package(content, limits)
    try:
        document = _opened(content)
        body = document.element.body
        styles = _styles(document.styles.element)
        numbering = numbering_of(_numbering_root(document))
        blocks = tuple(_Walk(styles, numbering).blocks(body)) if body is not None else ()
        core = document.core_properties
        title, author = core.title, core.author  # the day it was made is seldom that of what it says
    except (OpcError, etree.LxmlError, KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile):
        raise Unreadable(_BROKEN) from None
    return RawDocument("", "docx", blocks, title_of(title), author_of(author))


def _check_package(content: bytes, limits: Limits) -> None:
    """Before any part is parsed: how large all of it is, and that no part brings declarations of its own."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            infos = package.infolist()
            if len({info.filename for info in infos}) != len(infos) or len(infos) > limits.archive_members:
                raise Unreadable(_BROKEN)
            total = 0
            for info in infos:
                total += info.file_size
                if info.file_size > max(MIB, limits.archive_ratio * info.compress_size):
                    raise Unreadable(_BOMB)
                if info.flag_bits & 1:
                    raise Unreadable("加了密码，打不开；请取消密码后再添加。")
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise Unreadable(_BROKEN)
            if total > limits.archive_bytes:
                raise Unreadable(_BOMB)
            for info in infos:
                if info.filename.lower().endswith((".xml", ".rels")):
                    part = package.read(info)
                    if any(mark in part for mark in _DOCTYPES):
                        raise Unreadable("DOCX 里带有外部实体声明，可能是恶意文件，没有读取。")
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, zlib.error):
        raise Unreadable(_BROKEN) from None


def _opened(content: bytes) -> Any:
    """The document of a package. python-docx by itself refuses those with macros, which are just not read here."""
    from docx.opc.part import PartFactory
    from docx.package import Package
    from docx.parts.document import DocumentPart

    for kind in _WITH_MACROS_OR_TEMPLATES:
        PartFactory.part_type_for[kind] = DocumentPart
    part = Package.open(io.BytesIO(content)).main_document_part
    if not isinstance(part, DocumentPart):
        raise Unreadable(_BROKEN)
    return part.document


def _numbering_root(document: Any) -> Any | None:
    """python-docx would make a numbering part where there is none."""
    for relation in document.part.rels.values():
        if relation.reltype.endswith("/numbering") and not relation.is_external:
            return relation.target_part.element
    return None


def _value(parent: Any, *path: str) -> str | None:
    """The value of a property; "" where it stands without one, None where it does not stand."""
    for name in path:
        parent = parent.find(f"{W}{name}") if parent is not None else None
    return None if parent is None else str(parent.get(f"{W}val", ""))


def _on(parent: Any, *path: str) -> bool:
    value = _value(parent, *path)
    return value is not None and value not in _OFF


def _styles(root: Any) -> dict[str, _Style]:
    styles = {}
    for style in root.findall(f"{W}style"):
        level = _value(style, "pPr", "outlineLvl")
        list_level = _value(style, "pPr", "numPr", "ilvl")
        styles[style.get(f"{W}styleId", "")] = _Style(
            name=_value(style, "name") or "",
            based_on=_value(style, "basedOn") or "",
            level=None if level is None else integer(level, 9),
            list_id=_value(style, "pPr", "numPr", "numId"),
            list_level=None if list_level is None else integer(list_level, 0),
            hidden=_on(style, "rPr", "vanish"),
        )
    return styles


@dataclass
class _Walk:
    styles: dict[str, _Style]
    numbering: Numbering
    carried: str = ""  # of a paragraph whose end was deleted: it goes on in the next one

    def blocks(self, parent: Any) -> Iterator[Block]:
        for element in self._flow(parent):
            if element.tag == f"{W}p":
                yield from self._paragraph(element)
            else:
                yield from self._table(element)

    def _flow(self, parent: Any) -> Iterator[Any]:
        """Paragraphs and tables in order, through content controls, insertions and custom markup."""
        waiting = [iter(parent)]
        while waiting:
            element = next(waiting[-1], None)
            if element is None:
                waiting.pop()
            elif element.tag in (f"{W}p", f"{W}tbl"):
                yield element
            elif element.tag not in _GONE:
                waiting.append(iter(element))

    def _chain(self, style: str) -> Iterator[_Style]:
        seen = set()
        while style in self.styles and style not in seen:
            seen.add(style)
            yield self.styles[style]
            style = self.styles[style].based_on

    def _paragraph(self, paragraph: Any) -> Iterator[Block]:
        properties = paragraph.find(f"{W}pPr")
        style = _value(properties, "pStyle") or ""
        chain = list(self._chain(style))
        if any(each.name.lower().startswith("toc ") for each in chain):
            return
        text, boxes = self._text(paragraph)
        if _on(properties, "rPr", "del") or _value(properties, "rPr", "del") is not None:
            self.carried += text
            text = ""
        elif self.carried:
            text, self.carried = self.carried + text, ""
        if text.strip():
            text = self._number(properties, style, chain) + text.lstrip()
            level = self._level(properties, chain)
            for at, line in enumerate(tidy(line) for line in text.split("\n")):
                if line and level and not at:
                    yield Block(line, "heading", level)
                elif line:
                    yield Block(line, "paragraph")
        for box in boxes:
            yield from self.blocks(box)

    def _level(self, properties: Any, chain: list[_Style]) -> int:
        own = _value(properties, "outlineLvl")
        levels = (
            [integer(own, 9)] if own is not None else [each.level for each in chain if each.level is not None]
        )
        if levels:
            return levels[0] + 1 if levels[0] < 9 else 0
        names = [match for each in chain if (match := _HEADING_NAME.match(each.name))]
        if names:
            return int(names[0][1])
        return 1 if any(each.name.lower() in ("title", "标题") for each in chain[:1]) else 0

    def _number(self, properties: Any, style: str, chain: list[_Style]) -> str:
        list_id, level = _value(properties, "numPr", "numId"), _value(properties, "numPr", "ilvl")
        if list_id is None:
            list_id = next((each.list_id for each in chain if each.list_id is not None), None)
        if not list_id or list_id == "0":
            return ""
        if level is not None:
            return self.numbering.next(list_id, integer(level, 0))
        said = next((each.list_level for each in chain if each.list_level is not None), None)
        return self.numbering.next(
            list_id, said if said is not None else self.numbering.level_of_style(list_id, style)
        )

    def _text(self, paragraph: Any) -> tuple[str, list[Any]]:
        """The words of a paragraph, and the text boxes that hang on it."""
        pieces: list[str] = []
        boxes: list[Any] = []
        waiting = [iter(paragraph)]
        while waiting:
            element = next(waiting[-1], None)
            if element is None:
                waiting.pop()
                continue
            tag = element.tag
            if tag in _GONE or not isinstance(tag, str):
                continue
            if tag == f"{W}txbxContent":
                boxes.append(element)
            elif tag in (f"{W}t", f"{_M}t"):
                pieces.append(clean(element.text or ""))
            elif tag == f"{W}tab" or tag == f"{W}ptab":
                pieces.append(" ")
            elif tag == f"{W}br":
                pieces.append("\n" if element.get(f"{W}type") in (None, "textWrapping") else "")
            elif tag == f"{W}cr":
                pieces.append("\n")
            elif tag == f"{W}noBreakHyphen":
                pieces.append("-")
            elif tag == f"{W}r" and self._hidden(element):
                continue
            else:
                waiting.append(iter(element))
        return "".join(pieces), boxes

    def _hidden(self, run: Any) -> bool:
        own = _value(run, "rPr", "vanish")
        if own is not None:
            return own not in _OFF
        return any(each.hidden for each in self._chain(_value(run, "rPr", "rStyle") or ""))

    def _table(self, table: Any) -> Iterator[Block]:
        """Rows as lines, cells parted by tabs. A table that only lays a text out gives its paragraphs."""
        rows: list[list[list[Block]]] = []
        nested = False
        for row in self._children(table, f"{W}tr"):
            if _value(row, "trPr", "del") is not None:
                continue
            cells: list[list[Block]] = [[] for _ in range(integer(_value(row, "trPr", "gridBefore"), 0) % 64)]
            for cell in self._children(row, f"{W}tc"):
                merged = _value(cell, "tcPr", "vMerge")
                continued = merged is not None and merged != "restart"
                cells.append([] if continued else list(self.blocks(cell)))
                nested = nested or cell.find(f"{W}tbl") is not None
                cells += [[] for _ in range(min(integer(_value(cell, "tcPr", "gridSpan"), 1), 64) - 1)]
            rows.append(cells)
        everything = [block for row in rows for cell in row for block in cell]
        long = any(
            len(cell) > 3 and sum(len(block.text) for block in cell) > _LONG_CELL
            for row in rows
            for cell in row
        )
        if nested or long or all(sum(1 for cell in row if cell) <= 1 for row in rows):
            yield from everything
            return
        lines = ["\t".join(_in_cell(cell) for cell in row).rstrip("\t") for row in rows]
        if any(lines):
            yield Block("\n".join(line for line in lines if line.strip()), "table")

    def _children(self, parent: Any, wanted: str) -> Iterator[Any]:
        """Rows or cells, also those inside content controls."""
        for element in parent:
            if element.tag == wanted:
                yield element
            elif element.tag in (f"{W}sdt", f"{W}sdtContent", f"{W}ins", f"{W}customXml", f"{W}moveTo"):
                yield from self._children(element, wanted)


def _in_cell(blocks: list[Block]) -> str:
    return " ".join(re.sub(r"[\t\n]+", " ", block.text) for block in blocks)
