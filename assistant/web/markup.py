"""HTML made from the templates beside this file. Only their tags are live: every value is escaped on its way in.

Comes in: a template's name and plain values. Goes out: HTML. Text that people, documents or models wrote may be
passed as it is; what is HTML already (made here) is a :class:`markupsafe.Markup`.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jinja2
from markupsafe import Markup

_NOT_IN_URLS = frozenset(" \t\r\n<>\"'\\")
_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=jinja2.StrictUndefined,
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(name: str, /, **values: Any) -> Markup:
    """The template ``name``, filled in."""
    return Markup(_TEMPLATES.get_template(name).render(values))  # noqa: S704 - the template escapes


def lines(text: str) -> Markup:
    """Text with its line breaks.

    >>> lines("a<b\\nc")
    Markup('a&lt;b<br>c')
    """
    return Markup("<br>").join(text.strip().replace("\r", "").split("\n"))


def safe_url(url: str | None) -> str | None:
    """The address, when it is an ordinary web address; otherwise ``None``.

    >>> safe_url("https://www.12371.cn/a"), safe_url("javascript:alert(1)"), safe_url("https://[x")
    ('https://www.12371.cn/a', None, None)
    """
    address = (url or "").strip()
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    ordinary = parts.scheme in ("http", "https") and parts.netloc and not _NOT_IN_URLS & set(address)
    return address if ordinary else None


def clock_time(moment: datetime) -> str:
    """A moment as the clock on this machine's wall shows it."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


_TEMPLATES.filters["clock"] = clock_time
_TEMPLATES.filters["lines"] = lines
_TEMPLATES.filters["safe_url"] = safe_url
