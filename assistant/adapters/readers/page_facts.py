"""What a web page says of itself: title, author, day, address. Nothing is guessed from the words of the text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from assistant.adapters.readers.charset import clean
from assistant.adapters.readers.properties import author_of, title_of
from assistant.model import Block

_TITLES = ("articletitle", "og:title", "dc.title", "title")
_AUTHORS = ("author", "article:author", "dc.creator", "editor")
_DAYS = (
    "pubdate", "publishdate", "publish_date", "article:published_time", "datepublished", "dc.date.issued", "dc.date",
    "date", "og:release_date",
)  # fmt: skip
_SITE = re.compile(r"\s*(?:[_|｜]|\s[-–—]\s|--|——)\s*[^_|｜]{1,30}$")
_DAY = re.compile(r"((?:19|20)\d\d)\s*[-年/.]\s*(\d{1,2})\s*[-月/.]\s*(\d{1,2})")
_SAID_DAY = re.compile(
    r"(?:(?:发布|发表|发文|刊发|公布|更新)?(?:日期|时间)|发布于|发表于)\s*[:：]?\s*"
    + _DAY.pattern
    + "|"
    + _DAY.pattern
    + r"日?\s*(?:\d{1,2}:\d\d(?::\d\d)?\s*)?(?:来源|字号|稿源|作者|$)"
)
_SAID_AUTHOR = re.compile(r"作者\s*[:：]\s*([^\s:：|｜，。；（）\d]{2,20})")
_NEAR = 12  # blocks of a page in which its day and author stand, before and after the text begins
_SHORT = 150


@dataclass(frozen=True)
class PageFacts:
    title: str
    author: str
    published: date | None
    source_url: str | None


def facts_of(root: Any, everything: Sequence[Block], main: Sequence[Block]) -> PageFacts:
    """From the head of the page, and from the lines around the beginning of its text."""
    said: dict[str, str] = {}
    for meta in root.iter("meta"):
        name = meta.get("name") or meta.get("property") or meta.get("itemprop")
        if name and meta.get("content"):
            said.setdefault(name.strip().lower(), clean(meta.get("content")).strip())
    heading = next((block.text for block in everything if block.kind == "heading" and block.level == 1), "")
    heading = heading if len(heading) <= _SHORT else ""
    tag = next(root.iter("title"), None)
    window = _SITE.sub("", clean("".join(tag.itertext())).strip()) if tag is not None else ""
    title = heading or _first(said, _TITLES) or window
    near = _near(everything, main)
    return PageFacts(
        title_of(title),
        author_of(_first(said, _AUTHORS)) or author_of(_match(_SAID_AUTHOR, near)),
        day_in(_first(said, _DAYS)) or _time(root) or _said_day(near),
        _address(root, said),
    )


def _first(said: dict[str, str], names: Sequence[str]) -> str:
    return next((said[name] for name in names if said.get(name)), "")


def _near(everything: Sequence[Block], main: Sequence[Block]) -> list[str]:
    first = next((at for at, block in enumerate(everything) if main and block == main[0]), 0)
    around = everything[max(0, first - _NEAR) : first + _NEAR]
    return [block.text for block in around if len(block.text) <= _SHORT]


def _match(pattern: re.Pattern[str], lines: Sequence[str]) -> str:
    return next((found[1] for line in lines if (found := pattern.search(line))), "")


def _said_day(lines: Sequence[str]) -> date | None:
    found = next((match for line in lines if (match := _SAID_DAY.search(line))), None)
    return _made([part for part in found.groups() if part]) if found else None


def day_in(written: str) -> date | None:
    """
    >>> day_in("2019-09-04 17:11"), day_in("2019年9月4日"), day_in("昨天"), day_in("2019-13-04")
    (datetime.date(2019, 9, 4), datetime.date(2019, 9, 4), None, None)
    """
    found = _DAY.search(written)
    return _made(list(found.groups())) if found else None


def _made(parts: list[str]) -> date | None:
    try:
        return date(*map(int, parts[:3]))
    except ValueError:
        return None


def _time(root: Any) -> date | None:
    return next((day for time in root.iter("time") if (day := day_in(time.get("datetime") or ""))), None)


def _address(root: Any, said: dict[str, str]) -> str | None:
    links = [
        link.get("href") or "" for link in root.iter("link") if (link.get("rel") or "").lower() == "canonical"
    ]
    for address in (*links, said.get("og:url", "")):
        if re.match(r"https?://[^\s<>\"']{4,500}$", address):
            return address
    return None
