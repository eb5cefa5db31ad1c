"""Gets the official text of instruments of the catalogue, and says what has changed since last time.

Comes in: the catalogue, the official sites, the way pages are read, the library. Goes out: one :class:`SyncReport` for
each instrument. What is stored is complete and is the instrument that was asked for; older texts are kept. One
instrument that fails never stops the rest, and an interruption leaves whole what was stored before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from assistant.documents.changes import in_short
from assistant.documents.differences import Change, as_data, differences, same_words
from assistant.documents.matching import identify
from assistant.documents.structure import read_regulation
from assistant.errors import DocumentError, PageGone, SyncError, ZemingError
from assistant.law.addresses import write_address
from assistant.law.text import normalise
from assistant.model import Instrument, RawDocument, Regulation
from assistant.ports import Found, OfficialTexts, Page

Outcome = Literal["planned", "skipped", "first", "same", "changed", "refused", "failed"]

# the search is that of the Party-regulation library: it knows no laws
_IN_PARTY_LIBRARY = ("党内法规", "规范性文件")
_CANDIDATES = 3  # pages that the search found which are looked at
_BESIDE_THE_TEXT = (
    "preamble",
    "closing",
)  # parts in which pages differ without the regulation having changed


@dataclass(frozen=True)
class Stored:
    """A text that was stored: when it was fetched, and from where."""

    fetched: datetime
    url: str


class TextLibrary(Protocol):
    """Where the texts are kept. ``store`` adds all of a text or nothing, and never takes an older one away."""

    def latest(self, instrument_id: str) -> Regulation | None:
        """The text that counts now, wherever it came from; None where there is none."""
        ...

    def store(
        self, instrument_id: str, raw: bytes, regulation: Regulation, url: str, fetched: datetime
    ) -> None: ...

    def history(self, instrument_id: str) -> Sequence[Stored]:
        """Everything ever stored, in any order."""
        ...


@dataclass(frozen=True)
class SyncReport:
    """What became of one instrument.

    planned: a dry run would have asked · skipped: there is nothing to ask · first, same, changed: compared with the
    last text; ``first`` and ``changed`` were stored · refused: the page is not the complete text of this instrument ·
    failed: it could not be had.
    """

    instrument_id: str
    title: str
    outcome: Outcome
    message: str  # one Chinese sentence
    url: str | None = None  # where it was looked for
    found_at: str | None = None  # where it was found, after redirects or a search
    fetched: datetime | None = None
    last_fetched: datetime | None = None
    changes: tuple[Change, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "id": self.instrument_id,
            "title": self.title,
            "outcome": self.outcome,
            "message": self.message,
            "url": self.url,
            "found_at": self.found_at,
            "fetched": self.fetched and self.fetched.isoformat(),
            "last_fetched": self.last_fetched and self.last_fetched.isoformat(),
            "changes": as_data(self.changes),
        }


@dataclass(frozen=True)
class SyncParts:
    """What syncing works with. ``read_page`` raises ``DocumentError``."""

    site: OfficialTexts
    read_page: Callable[[Page], RawDocument]
    library: TextLibrary


def hosts_of(catalogue: Mapping[str, Instrument]) -> frozenset[str]:
    """The hosts that the catalogue points at: nothing else is ever asked."""
    hosts = (urlsplit(i.official_url or "").hostname for i in catalogue.values())
    return frozenset(host for host in hosts if host)


def sync(
    ids: Iterable[str],
    catalogue: Mapping[str, Instrument],
    parts: SyncParts,
    *,
    dry_run: bool = False,
    look_up: bool = False,
    told: Callable[[SyncReport], object] = lambda _report: None,
) -> list[SyncReport]:
    """Sync the instruments with these ids, or, where none is given, all of the catalogue that are in force.

    Args:
        dry_run: say what would be fetched, and ask nothing.
        look_up: search the Party-regulation library for instruments without an address of their own.
        told: called with each report as soon as there is one; an interruption loses none of those.
    """
    named = list(dict.fromkeys(ids))
    reports = []
    for id in named or catalogue:
        instrument = catalogue.get(id)
        if instrument is None:
            message = f"目录里没有编号“{id}”，请用 zeming kb list 查看编号。"
            report = SyncReport(id, "", "failed", message)
        else:
            report = _Sync(instrument, catalogue, parts, look_up).report(dry_run, by_name=bool(named))
        reports.append(report)
        told(report)
    return reports


@dataclass(frozen=True)
class _Sync:
    """One instrument being synced."""

    instrument: Instrument
    catalogue: Mapping[str, Instrument]
    parts: SyncParts
    look_up: bool

    def report(self, dry_run: bool, by_name: bool) -> SyncReport:
        try:
            if reason := self._nothing_to_ask(by_name):
                return self._said("skipped", reason)
            if dry_run:
                return self._planned()
            return self._synced()
        except _Refused as reason:
            return self._said("refused", str(reason))
        except ZemingError as error:
            return self._said("failed", str(error))

    def _said(self, outcome: Outcome, message: str, **more: Any) -> SyncReport:
        return SyncReport(
            self.instrument.id, self.instrument.title, outcome, message, self.instrument.official_url, **more
        )

    # ------------------------------------------------------------ what to ask

    def _nothing_to_ask(self, by_name: bool) -> str:
        instrument = self.instrument
        over = instrument.effective_to is not None or instrument.replaced_by is not None
        if over and not by_name:
            later = self.catalogue.get(instrument.replaced_by or "")
            instead = f"，现行的是《{later.title}》（{later.id}）" if later else ""
            return f"已不再施行{instead}，跳过；要取它的原文，请写明编号“{instrument.id}”。"
        if self._searched:
            return ""
        if not instrument.official_url:
            return "没有官方地址，跳过。"
        if not self._has_page:
            return "官方地址只到网站首页，没有直达正文的地址，跳过。"
        return ""

    @property
    def _has_page(self) -> bool:
        """Whether the address leads to a page, and not to the front door of a site."""
        parts = urlsplit(self.instrument.official_url or "")
        return parts.path.strip("/") != "" or parts.query != ""

    @property
    def _searched(self) -> bool:
        """Whether the address is to be found by a search."""
        return self.look_up and not self._has_page and self.instrument.kind in _IN_PARTY_LIBRARY

    def _planned(self) -> SyncReport:
        last = max((s.fetched for s in self.parts.library.history(self.instrument.id)), default=None)
        when = f"上次取得是 {last:%Y-%m-%d}" if last else "还没有取过"
        where = "用党内法规库的检索找到" if self._searched else f"从 {self.instrument.official_url} 取得"
        return self._said("planned", f"将{where}正文，{when}。", last_fetched=last)

    # ------------------------------------------------------------ asking

    def _synced(self) -> SyncReport:
        if self._searched:
            page, regulation = self._looked_up("")
            moved = f"（检索找到的地址是 {page.final_url}）"
        else:
            try:
                page = self.parts.site.fetch(self.instrument.official_url or "")
                moved = ""
            except PageGone as gone:
                if self.instrument.kind not in _IN_PARTY_LIBRARY:
                    raise
                page, regulation = self._looked_up(str(gone))
                moved = f"（原地址已经没有这一页，检索找到的新地址是 {page.final_url}，请更新目录）"
            else:
                regulation = self._checked(page)
        return self._compared(page, regulation, moved)

    def _looked_up(self, gone: str) -> tuple[Page, Regulation]:
        """The text at the first address of the search that holds it.

        Raises:
            SyncError: there is none, or a site cannot be reached.
        """
        candidates = _by_title(self.parts.site.search(self.instrument.title), self.instrument.title)
        for found in candidates[:_CANDIDATES]:
            try:
                page = self.parts.site.fetch(found.url)
                return page, self._checked(page)
            except (_Refused, PageGone, DocumentError):
                continue
        raise SyncError(
            f"{gone.rstrip('。')}{'，' if gone else ''}按标题检索也没有找到这部法规的正文，请核对官方地址。"
        )

    def _checked(self, page: Page) -> Regulation:
        """The regulation on the page, complete and the one that was asked for.

        Raises:
            _Refused: it is not.
            DocumentError: the page cannot be read.
        """
        regulation = read_regulation(self.parts.read_page(page))
        if regulation is None:
            raise _Refused(f"{page.final_url} 上没有认出法规条文，网页可能改版了，没有存入。")
        if lacking := missing_articles(regulation):
            raise _Refused(f"{page.final_url} 上的条文不全，缺{lacking}，没有存入。")
        identity = identify(regulation, self.catalogue)
        if identity.relation != "same" or identity.instrument_id != self.instrument.id:
            raise _Refused(
                f"{page.final_url} 上是{_described(regulation)}，"
                f"不能确定就是目录里的这个版本（{_described_in_catalogue(self.instrument)}），没有存入。"
            )
        return regulation

    def _compared(self, page: Page, regulation: Regulation, moved: str) -> SyncReport:
        library = self.parts.library
        last = library.latest(self.instrument.id)
        changes = differences(last, regulation) if last else ()
        if last and _cut_short(last, regulation):
            raise _Refused(
                f"{page.final_url} 上只有 {len(regulation.articles)} 条，后面的条文没有了"
                f"（上次有 {len(last.articles)} 条），可能没有显示全，没有存入。"
            )
        when: dict[str, Any] = {
            "found_at": page.final_url,
            "fetched": page.fetched_at,
            "last_fetched": max((s.fetched for s in library.history(self.instrument.id)), default=None),
            "changes": changes,
        }
        if last and all(change.part in _BESIDE_THE_TEXT for change in changes):
            return self._said("same", f"没有变化，共 {len(regulation.articles)} 条{moved}。", **when)
        library.store(self.instrument.id, page.content, regulation, page.final_url, page.fetched_at)
        if last is None:
            return self._said("first", f"首次取得，共 {len(regulation.articles)} 条{moved}。", **when)
        return self._said(
            "changed", f"有变化：{in_short(changes).rstrip('。')}{moved}，旧文本已保留。", **when
        )


class _Refused(ZemingError):
    """The page is not the complete text of the instrument."""


def _by_title(found: Sequence[Found], title: str) -> list[Found]:
    """Those that name the title, the plainest first: 《…》 alone before 中共中央印发《…》."""
    wanted = normalise(title)
    naming = [(f, normalise(f.title).strip("《》")) for f in found]
    return [f for f, _ in sorted(((f, t) for f, t in naming if wanted in t), key=lambda pair: len(pair[1]))]


def _described(regulation: Regulation) -> str:
    title = f"《{regulation.title}》" if regulation.title else "没有标题的法规"
    day = f"，{regulation.effective_from.isoformat()} 起施行" if regulation.effective_from else ""
    return f"{title}（共 {len(regulation.articles)} 条{day}）"


def _described_in_catalogue(instrument: Instrument) -> str:
    count = f"共 {instrument.article_count} 条" if instrument.article_count else "条数未记"
    day = f"{instrument.effective_from.isoformat()} 起施行" if instrument.effective_from else "施行日期未记"
    return f"{count}，{day}"


# ------------------------------------------------------------------ whether a text is complete


def missing_articles(regulation: Regulation) -> str:
    """The articles that are not there although later ones are; "" when none.

    >>> from assistant.model import ArticleText, Paragraph
    >>> def law(*numbers):
    ...     return Regulation("试验条例", tuple(ArticleText(n, (Paragraph("…"),)) for n in numbers))
    >>> missing_articles(law("1", "2", "2-1", "3")), missing_articles(law("2", "3", "6", "8"))
    ('', '第一条、第四条至第五条、第七条')
    """
    there = {int(article.number.partition("-")[0]) for article in regulation.articles}
    runs = _runs(number for number in range(1, max(there, default=0)) if number not in there)
    return "、".join(_article(a) if a == b else f"{_article(a)}至{_article(b)}" for a, b in runs)


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    first = last = 0
    for number in numbers:
        if first and number == last + 1:
            last = number
            continue
        if first:
            yield first, last
        first = last = number
    if first:
        yield first, last


def _article(number: int) -> str:
    return write_address(str(number), None, None)


def _cut_short(last: Regulation, now: Regulation) -> bool:
    """Whether the text is the last one without its end: no amendment removes the last articles and touches nothing
    else, where they say from which day the rest applies."""
    if not 0 < len(now.articles) < len(last.articles):
        return False
    return all(
        one.number == other.number and same_words(one.whole, other.whole)
        for one, other in zip(last.articles, now.articles, strict=False)
    )
