"""A letter to an office as plain text that people edit: which line is the title, a heading, the signature.

Comes in: text. Goes out: lines with what each is, see :func:`from_text`. Raises ``DraftError`` for an empty or much too
long text; anything else is laid out as it was typed. The notation as users are told it stands in
``prompts/drafts/wording.yaml``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from assistant.errors import DraftError

LineKind = Literal[
    "title", "addressee", "heading", "subheading", "body", "attachments", "attachment", "salute", "signature"
]

HINT = "※"  # a line for the person who edits; no part of the document
LONGEST, MOST_LINES = 100_000, 3_000
BLANK = re.compile(r"【[^【】]*】")

_HEADING_LENGTH, _ADDRESSEE_LENGTH, _SIGNATURE_LENGTH = 40, 80, 60
_NUMERAL = "[一二三四五六七八九十]{1,3}"
_HEADING = re.compile(rf"{_NUMERAL}、.*[^。；，：:;,]")
_SUBHEADING = re.compile(rf"[（(]{_NUMERAL}[)）].*[^。；，：:;,]")
_ATTACHMENTS = re.compile(r"附件?[：:]|附件$")
_ATTACHMENT = re.compile(r"(?:\d{1,2}|[０-９]{1,2})[.．、)）]|[-·•]")
_SALUTE = re.compile(r"敬礼[!！。]?")
_DATE = re.compile(
    r"(?:\d{4}|[〇零○一二三四五六七八九]{4}|【.*】)\s*年.*月.*[日】]|【.*年.*月.*日?.*】|【.*日期.*】"
)
_SIGNED = re.compile(r"[一-鿿]{2,8}(?:[（(][^（）()]{1,12}[)）])?[：:].{0,40}|【.*(?:签名|盖章).*】")
_NOT_IN_XML = re.compile("[^\t\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Line:
    """One paragraph of the document. ``number`` is its line in the text, counted from 1."""

    kind: LineKind
    text: str
    number: int


def from_text(text: str) -> tuple[Line, ...]:
    """The lines of a document, each with what it is; hints and empty lines are left out.

    Characters that no document file can hold are dropped.

    Raises:
        DraftError: there is nothing in it, or too much.

    >>> text = '申诉书\\n※提示\\n某镇党委：\\n一、事实\\n经过。\\n申诉人：【签名】\\n2026年3月1日'
    >>> [(line.kind, line.text) for line in from_text(text)]  # doctest: +NORMALIZE_WHITESPACE
    [('title', '申诉书'), ('addressee', '某镇党委：'), ('heading', '一、事实'), ('body', '经过。'),
     ('signature', '申诉人：【签名】'), ('signature', '2026年3月1日')]
    """
    typed = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    _check_size(typed)
    shown = [(n, _cleaned(line)) for n, line in enumerate(typed, 1)]
    kept = [(n, line) for n, line in shown if line and not line.startswith(HINT)]
    if not kept:
        raise DraftError("文书是空的，请先写几句再下载；第一行是标题。")
    closing = _closing_from([line for _, line in kept])
    lines: list[Line] = []
    for place, (number, line) in enumerate(kept):
        before = lines[-1] if lines else None
        beside = before is not None and before.number == number - 1
        kind: LineKind = "signature" if place >= closing else _kind(place, line, before, beside)
        lines.append(Line(kind, line, number))
    return tuple(lines)


def _check_size(typed: list[str]) -> None:
    size = 0
    for number, line in enumerate(typed, 1):
        size += len(line)
        if size > LONGEST or number > MOST_LINES:
            limit = f"{LONGEST // 10_000}万字" if size > LONGEST else f"{MOST_LINES}行"
            raise DraftError(f"从第{number}行起超过了{limit}，一份文书放不下，请删去与这件事无关的内容。")


def _cleaned(line: str) -> str:
    return _NOT_IN_XML.sub("", line).strip(" \t　")


def _kind(place: int, line: str, before: Line | None, beside: bool) -> LineKind:
    if before is None:
        return "title"
    if place == 1 and line.endswith(("：", ":")) and len(line) <= _ADDRESSEE_LENGTH:
        return "addressee"
    if len(line) <= _HEADING_LENGTH:
        if _HEADING.fullmatch(line):
            return "heading"
        if _SUBHEADING.fullmatch(line):
            return "subheading"
    if _ATTACHMENTS.match(line):
        return "attachments"
    if before.kind in ("attachments", "attachment") and beside and _ATTACHMENT.match(line):
        return "attachment"
    return "salute" if _SALUTE.fullmatch(line) else "body"


def _closing_from(lines: list[str]) -> int:
    """Where the signature begins: the last line where it is a date, with the lines of names right above it."""
    at = len(lines)
    if at > 2 and _DATE.fullmatch(lines[-1]):
        at -= 1
    while at > 2 and len(lines[at - 1]) <= _SIGNATURE_LENGTH and _is_signed(lines[at - 1]):
        at -= 1
    return at


def _is_signed(line: str) -> bool:
    return bool(_SIGNED.fullmatch(line)) and not (
        _ATTACHMENTS.match(line) or line.endswith(("。", "：", ":"))
    )
