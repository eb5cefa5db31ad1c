"""Small parts of the pages, as HTML made from plain values; everything that is not written here is escaped."""

from __future__ import annotations

from html import escape


def notice_line(text: str) -> str:
    """One sentence below what it is about."""
    return f'<p role="status" class="z-notice">{escape(text)}</p>'
