"""The official sites, asked politely: one page at a time, with pauses, and nowhere but where the catalogue points.

Comes in: addresses and titles of instruments. Goes out: pages, and what the search of the Party-regulation library
found. Raises ``SyncError``, one sentence each; ``PageGone`` where the address holds nothing any more.

The search is asked with the parameters that it is known to take; of ``pageids``, ``sort``, ``mindate`` and
``searchfield`` only the names are known, and they are sent empty.
"""

from __future__ import annotations

import html
import json
import random
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit
from urllib.robotparser import RobotFileParser

from assistant import __version__
from assistant.adapters.download import Answer, Downloads, NoConnection, Temporary, Unreachable
from assistant.adapters.page_cache import PageCache
from assistant.errors import PageGone, SyncError
from assistant.ports import Found, Page

SEARCH_URL = "https://search.12371.cn/service/xuexipingtaisearch.php"
AGENT_NAME = "zeming"


@dataclass(frozen=True)
class Manners:
    """How a site is treated. Times are seconds."""

    pause: float = 1.5  # between the end of one request and the beginning of the next
    timeout: float = 20.0
    attempts: int = 3
    back_off: float = 2.0  # before the second attempt; doubled before each further one
    longest_wait: float = 60.0  # a site that wants to be left alone for longer is left alone
    most_bytes: int = 8 * 2**20
    redirects: int = 5
    search_pages: int = 3
    agent: str = (
        f"{AGENT_NAME}/{__version__} (+offline law assistant; one page at a time, on a person's request)"
    )


class OfficialSite:
    """Holds the connections, what each host allows, and when it was last asked. Use it from one thread."""

    def __init__(
        self,
        hosts: Iterable[str],
        cache: Path,
        manners: Manners | None = None,
        *,
        search_url: str = SEARCH_URL,
        routes: Mapping[str, str] | None = None,
        certificates: Path | None = None,
    ) -> None:
        """
        Args:
            hosts: the hosts of the catalogue; the host of ``search_url`` is allowed as well, and no other.
            cache: a folder; it need not exist.
            routes, certificates: see :class:`assistant.adapters.download.Downloads`.

        Raises:
            SettingsError: a route or the file of certificates cannot be used.
        """
        self._manners = manners or Manners()
        self._search_url = search_url
        self._hosts = {host.lower() for host in (*hosts, urlsplit(search_url).hostname or "") if host}
        self._cache = PageCache(cache)
        most = self._manners.most_bytes
        self._line = Downloads(self._manners.agent, self._manners.timeout, most, routes or {}, certificates)
        self._robots: dict[str, RobotFileParser] = {}
        self._unreachable: dict[str, Unreachable] = {}
        self._last_asked = float("-inf")

    def __enter__(self) -> OfficialSite:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._line.close()

    # ------------------------------------------------------------ pages

    def fetch(self, url: str) -> Page:
        """The page at an address of the catalogue, redirects followed."""
        page, content_type = self._page(url)
        kind = content_type.partition(";")[0].strip().lower()
        if kind not in ("text/html", "application/xhtml+xml") and (
            kind or not page.content.lstrip().startswith(b"<")
        ):
            raise SyncError(f"{page.final_url} 不是网页（{kind[:40] or '没有说明类型'}），没有存入。")
        if not page.content.strip():
            raise SyncError(f"{page.final_url} 是空白页，没有存入。")
        return page

    def _page(self, url: str) -> tuple[Page, str]:
        at = self._checked(url)
        for _ in range(self._manners.redirects + 1):
            self._heed_robots(at)
            kept = self._cache.get(at)
            answer = self._ask(at, kept.conditions if kept else {})
            if answer.status in (301, 302, 303, 307, 308) and answer.headers.get("location"):
                at = self._redirected(at, answer.headers["location"])
                continue
            now = datetime.now(UTC)
            if answer.status == 304 and kept:
                charset = _charset(kept.content_type)
                return Page(url, at, 200, kept.body, charset, now, from_cache=True), kept.content_type
            _refuse(answer.status, at)
            said = answer.headers
            content_type = said.get("content-type", "")
            self._cache.put(
                at, said.get("etag", ""), said.get("last-modified", ""), content_type, answer.body
            )
            return Page(url, at, answer.status, answer.body, _charset(content_type), now), content_type
        raise SyncError(f"{url} 转来转去超过 {self._manners.redirects} 次，没有下载。")

    def _redirected(self, at: str, location: str) -> str:
        try:
            return self._checked(urljoin(at, location))
        except ValueError:
            raise SyncError(f"{at} 转到一个写坏的地址，没有下载。") from None
        except _NotAllowed as error:
            raise _NotAllowed(
                f"{at} 转到 {error.place}，不在法规目录的官方网站之内，没有下载。", error.place
            ) from None

    def _checked(self, url: str) -> str:
        """The address as it is asked for: by https, without fragment. An http address is asked by https as well.

        Raises:
            SyncError: it is not an address of an allowed host.
        """
        try:
            parts = urlsplit(url.strip())
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            raise SyncError(f"地址“{url[:100]}”写法不对，请检查目录里的官方地址。") from None
        if parts.scheme not in ("http", "https") or not host:
            raise SyncError(f"地址“{url[:100]}”不是网址，请检查目录里的官方地址。")
        usual = port is None or port == {"http": 80, "https": 443}[parts.scheme]
        if host not in self._hosts or not usual or parts.username is not None:
            raise _NotAllowed(
                f"{parts.netloc[:100]} 不在法规目录的官方网站之内，没有下载。", parts.netloc[:100]
            )
        return urlunsplit(("https", host, parts.path or "/", parts.query, ""))

    # ------------------------------------------------------------ manners

    def _ask(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Ask, and ask again after a while where that may help."""
        host = urlsplit(url).hostname or ""
        if host in self._unreachable:  # the next forty instruments need not wait for it again
            raise self._unreachable[host]
        for attempt in range(1, self._manners.attempts + 1):
            self._pause(host)
            try:
                return _usable(self._line.get(url, headers), url)
            except Temporary as error:
                wait = error.wait
                if wait is None:
                    wait = self._manners.back_off * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)  # noqa: S311
                elif wait > self._manners.longest_wait:
                    raise SyncError(f"{host} 要求过 {_minutes(wait)} 再来，请到时再同步。") from None
                if attempt == self._manners.attempts:
                    if isinstance(error, NoConnection):
                        self._unreachable[host] = Unreachable(str(error))
                    raise
                time.sleep(wait)
            except Unreachable as error:
                self._unreachable[host] = error
                raise
            finally:
                self._last_asked = time.monotonic()
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _pause(self, host: str) -> None:
        robots = self._robots.get(host)
        wanted = float(robots.crawl_delay(AGENT_NAME) or 0) if robots else 0.0
        pause = max(self._manners.pause, min(wanted, self._manners.longest_wait))
        rest = self._last_asked + pause - time.monotonic()
        if rest > 0:
            time.sleep(rest)

    def _heed_robots(self, url: str) -> None:
        host = urlsplit(url).hostname or ""
        if host not in self._robots:
            self._robots[host] = self._rules_of(host)
        if not self._robots[host].can_fetch(AGENT_NAME, url):
            raise SyncError(f"{host} 的 robots.txt 不让程序读取这一页，没有下载，请用浏览器保存网页后添加。")

    def _rules_of(self, host: str) -> RobotFileParser:
        """What ``robots.txt`` allows; where there is none, everything. One that only redirects is followed once or
        twice, to allowed hosts only."""
        rules = RobotFileParser()
        at = f"https://{host}/robots.txt"
        lines: list[str] = []
        for _ in range(3):
            answer = self._ask(at, {})
            if answer.status in (301, 302, 303, 307, 308) and answer.headers.get("location"):
                try:
                    at = self._redirected(at, answer.headers["location"])
                except SyncError:
                    break
                continue
            if answer.status == 200:
                lines = answer.body.decode("utf-8", "replace").splitlines()
            break
        rules.parse(lines)
        return rules

    # ------------------------------------------------------------ search

    def search(self, title: str) -> list[Found]:
        """What the Party-regulation library finds for a title, on allowed hosts, best first."""
        found: list[Found] = []
        read = 0
        for number in range(1, self._manners.search_pages + 1):
            asked = {
                "t": "xuexipingtai", "pageids": "", "sort": "", "mindate": "", "searchfield": "",
                "format": "jsonp", "q": title, "p": str(number),
            }  # fmt: skip
            page, content_type = self._page(f"{self._search_url}?{urlencode(asked)}")
            total, rows = read_search(page.content, _charset(content_type), self._search_url)
            read += len(rows)
            for row in rows:
                if row not in found and self._is_allowed(row.url):
                    found.append(row)
            if not rows or read >= total:
                break
        return found

    def _is_allowed(self, url: str) -> bool:
        try:
            self._checked(url)
        except SyncError:
            return False
        return True


class _NotAllowed(SyncError):
    def __init__(self, message: str, place: str) -> None:
        super().__init__(message)
        self.place = place


def _usable(answer: Answer, url: str) -> Answer:
    """The answer, unless the site says that it cannot answer just now."""
    host = urlsplit(url).hostname or ""
    if answer.status == 429:
        raise Temporary(f"{host} 说请求太多（429），请过一会儿再同步。", _retry_after(answer))
    if answer.status >= 500:
        raise Temporary(f"{host} 出了故障（{answer.status}），请稍后再试。", _retry_after(answer))
    return answer


def _retry_after(answer: Answer) -> float | None:
    said = answer.headers.get("retry-after", "").strip()
    if said.isdecimal():
        return float(said)
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _refuse(status: int, url: str) -> None:
    if status in (404, 410):
        raise PageGone(f"{url} 已经没有这一页（{status}）。")
    if status in (401, 403):
        raise SyncError(f"{url} 拒绝访问（{status}），请用浏览器打开，保存网页后添加。")
    if status != 200:
        raise SyncError(f"{url} 的回答用不了（{status}），没有下载。")


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} 分钟" if seconds >= 90 else f"{seconds:.0f} 秒"


def _charset(content_type: str) -> str | None:
    said = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", content_type, re.IGNORECASE)
    return said[1].lower() if said else None


# ------------------------------------------------------------------ what the search answers

_WRAPPED = re.compile(r"\s*(?:/\*\*/\s*)?callback_search\s*\(\s*(\{.*\})\s*\)\s*;?\s*", re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")


def read_search(body: bytes, charset: str | None, asked: str) -> tuple[int, list[Found]]:
    """How many there are in all, and those of this page.

    Raises:
        SyncError: it is not what the search is known to answer.

    >>> read_search(b'callback_search({"searchVO": {"totalcount": 0, "maxPageSize": 0, "listVO": []}})', None, "")
    (0, [])
    """
    try:
        wrapped = _WRAPPED.fullmatch(body.decode(charset or "utf-8-sig"))
        results: Any = json.loads(wrapped[1])["searchVO"] if wrapped else None
        total = int(results["totalcount"])
        rows = [_row(row, asked) for row in results["listVO"] or ()]
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
        # an unknown charset is a LookupError, words that are not in it and broken JSON are ValueErrors
        host = urlsplit(asked).hostname or "检索服务"
        raise SyncError(f"{host} 的检索结果格式变了，读不出来，请把法规网页保存后添加。") from None
    return total, rows


def _row(row: Mapping[str, Any], asked: str) -> Found:
    published = re.match(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})", str(row.get("pubtime") or ""))
    return Found(
        title=_plain(row["title"]),
        url=_absolute(_text(row["url"]).strip(), asked),
        published=date(*map(int, published.groups())) if published else None,
        brief=_plain(row.get("brief") or ""),
    )


def _absolute(url: str, asked: str) -> str:
    """An address as it is meant beside the one that was asked; "" where there is none."""
    try:
        return urljoin(asked, url) if url else ""
    except ValueError:
        return ""


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not words")
    return value


def _plain(value: object) -> str:
    """Words without <em> and other tags, and with &amp; read."""
    return re.sub(r"\s+", " ", html.unescape(_TAG.sub("", _text(value)))).strip()
