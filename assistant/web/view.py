"""Small parts of the pages, as HTML made from plain values; everything that is not written here is escaped."""

from __future__ import annotations

from html import escape
from typing import Literal


def head(here: Literal["chat", "knowledge"] | None) -> str:
    """The name of the program, and the way to its pages where there are two; ``here`` is the one that is open."""
    title = "<h1>责明 <small>问责咨询</small></h1>"
    if here is None:
        return title
    pages = (("chat", "/", "问答"), ("knowledge", "/knowledge", "知识库"))
    links = "".join(
        f'<a href="{address}"{" aria-current=page" if name == here else ""}>{label}</a>'
        for name, address, label in pages
    )
    return f'<div class="z-head">{title}<nav aria-label="页面">{links}</nav></div>'


def notice_line(text: str) -> str:
    """One sentence below what it is about."""
    return f'<p role="status" class="z-notice">{escape(text)}</p>'
