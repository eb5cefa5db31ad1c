"""Markdown as headings, paragraphs and tables, read with markdown-it.

Comes in: text. Goes out: :class:`Block` values; what stands in front between two lines of ``---`` tells title,
author and day. Comments and pictures are left out. Unless the file was broken into lines of one width, every line
is a paragraph of its own: so Chinese texts are written, whatever the rules of Markdown say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from assistant.adapters.readers.hypertext import fragment_blocks
from assistant.adapters.readers.page_facts import day_in
from assistant.adapters.readers.plain import blocks_of, common_width, joined, lines_of, tidy
from assistant.adapters.readers.properties import author_of, title_of
from assistant.model import Block, RawDocument

if TYPE_CHECKING:
    from markdown_it.token import Token

_FRONT = re.compile(r"\A\s*---[ \t]*\n(.{0,20000}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


def read_markdown(text: str) -> RawDocument:
    """What a Markdown file says."""
    from markdown_it import MarkdownIt

    text = "\n".join(lines_of(text))
    about: dict[str, Any] = {}
    front = _FRONT.match(text)
    if front:
        about = _front_matter(front[1])
        text = text[front.end() :] if about else text
    tokens = MarkdownIt("commonmark").enable("table").parse(_COMMENT.sub("", text))
    blocks = _blocks(tokens, broken=common_width(text.split("\n")) > 0)
    title = title_of(about.get("title"))
    if not title:
        title = next(
            (title_of(block.text) for block in blocks if block.kind == "heading" and block.level == 1), ""
        )
    return RawDocument(
        "", "markdown", tuple(blocks), title, author_of(about.get("author")), _published(about)
    )


def _front_matter(text: str) -> dict[str, Any]:
    import yaml

    try:
        about = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    if not isinstance(about, dict):
        return {}
    return {str(key).lower(): value for key, value in about.items() if isinstance(value, str | int | date)}


def _published(about: dict[str, Any]) -> date | None:
    for name in ("date", "published", "pubdate", "日期", "发布日期"):
        value = about.get(name)
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        if isinstance(value, str) and (day := day_in(value)):
            return day
    return None


def _blocks(tokens: Sequence[Token], broken: bool) -> list[Block]:
    blocks: list[Block] = []
    level = 0
    label = ""
    rows: list[list[str]] = []
    in_table = False
    for token in tokens:
        match token.type:
            case "heading_open":
                level = int(token.tag[1])
            case "heading_close":
                level = 0
            case "list_item_open":
                label = f"{token.info}{token.markup} " if token.info else ""
            case "table_open":
                in_table, rows = True, []
            case "tr_open":
                rows.append([])
            case "table_close":
                in_table = False
                lines = ["\t".join(row).rstrip("\t") for row in rows]
                blocks.append(Block("\n".join(line for line in lines if line.strip()), "table"))
            case "inline":
                pieces = _words(token)
                if in_table:
                    rows[-1].append(" ".join(tidy(piece) for piece in pieces))
                elif level:
                    blocks.append(Block(tidy(" ".join(pieces)), "heading", level))
                else:
                    found = _paragraphs(pieces, broken)
                    if found and label:
                        found[0] = Block(label + found[0].text, "paragraph")
                        label = ""
                    blocks += found
            case "fence" | "code_block":
                blocks += blocks_of(token.content)
            case "html_block":
                blocks += fragment_blocks(token.content)
    return [block for block in blocks if block.text.strip()]


def _paragraphs(pieces: Sequence[str], broken: bool) -> list[Block]:
    if broken:
        whole = ""
        for piece in pieces:
            whole = joined(whole, piece)
        pieces = [whole]
    return [Block(tidy(piece), "paragraph") for piece in pieces if tidy(piece)]


def _words(inline: Token) -> list[str]:
    """The words of a paragraph, one piece for each of its lines."""
    pieces = [""]
    for token in inline.children or ():
        if token.type in ("softbreak", "hardbreak") or (
            token.type == "html_inline" and re.match(r"(?i)<br\b", token.content)
        ):
            pieces.append("")
        elif token.type in ("text", "code_inline"):
            pieces[-1] += token.content
    return pieces
