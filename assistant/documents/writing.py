"""A document as text: Markdown, plain, or values for JSON.

Comes in: what the library keeps of a document. Goes out: text. Nothing is understood here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from assistant.law.addresses import write_address
from assistant.model import Document, Provision, Regulation

Format = Literal["md", "json", "txt"]


def written(
    document: Document, regulation: Regulation | None, passages: Sequence[Provision], form: Format
) -> str:
    """The whole document. ``passages`` are those of an article; a regulation is written from its articles."""
    if form == "json":
        return json.dumps(_plain(document, regulation, passages), ensure_ascii=False, indent=2)
    marks = ("# ", "## ") if form == "md" else ("", "")
    lines = [f"{marks[0]}{document.title}", ""]
    lines += _regulation(regulation, marks[1]) if regulation else _passages(passages, marks[1])
    return "\n".join(lines).rstrip() + "\n"


def _regulation(regulation: Regulation, heading: str) -> Iterator[str]:
    yield from (*regulation.preamble, "") if regulation.preamble else ()
    section = ""
    for article in regulation.articles:
        if article.section != section:
            section = article.section
            yield from (f"{heading}{section}", "")
        yield from (f"{write_address(article.number, None, None)}　{article.whole}", "")
    yield from regulation.closing
    for name, words in regulation.appendices:
        yield from ("", f"{heading}{name}", "", words)


def _passages(passages: Iterable[Provision], heading: str) -> Iterator[str]:
    section = ""
    for passage in passages:
        if passage.section != section:
            section = passage.section
            yield from (f"{heading}{section}", "")
        yield from (passage.text or "", "")


def _plain(
    document: Document, regulation: Regulation | None, provisions: Iterable[Provision]
) -> dict[str, Any]:
    return {
        "document": document_row(document),
        "articles": [
            {
                "number": a.number,
                "section": a.section,
                "paragraphs": [{"text": p.text, "items": [i.text for i in p.items]} for p in a.paragraphs],
            }
            for a in (regulation.articles if regulation else ())
        ],
        "passages": [{"id": p.id, "label": p.label, "text": p.text} for p in provisions],
    }


def document_row(document: Document) -> dict[str, Any]:
    """A document as plain values."""
    return {
        **vars(document),
        "added": document.added.isoformat(timespec="seconds"),
        "notices": list(document.notices),
    }
