"""How much of the catalogue can be relied on: what is in force, verified, held word for word, and looked up lately.

Comes in: a corpus, the ids of provisions whose 原文 is held, and the day. Goes out: :class:`Coverage`, a row for each
instrument of the catalogue and the sums. Documents that a person added are not counted, nor are provisions without a
digest: they would only flatter the shares. A share of nothing is None, not zero.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal
from urllib.parse import urlsplit

from assistant.law.corpus import Corpus
from assistant.model import Instrument

State = Literal["in_force", "superseded", "not_yet"]


@dataclass(frozen=True)
class Row:
    """One instrument. ``address`` tells the page of the text from the front page of an official site."""

    id: str
    title: str
    state: State
    provisions: int
    verified: int
    with_text: int
    address: Literal["page", "site", "none"]
    days_since_check: int | None  # None: not on record


@dataclass(frozen=True)
class Totals:
    """Sums over some rows."""

    instruments: int
    provisions: int
    verified: int
    with_text: int
    without_address: int
    only_site: int
    unchecked: int  # no check on record
    oldest_check: int | None  # days

    @property
    def share_verified(self) -> float | None:
        return self.verified / self.provisions if self.provisions else None

    @property
    def share_with_text(self) -> float | None:
        return self.with_text / self.provisions if self.provisions else None


@dataclass(frozen=True)
class Coverage:
    """``rows`` in the order of the catalogue, what is in force first."""

    day: date
    rows: tuple[Row, ...]

    def totals(self, *states: State) -> Totals:
        """The sums of the rows in these states; of all rows where none is named."""
        rows = [row for row in self.rows if not states or row.state in states]
        days = [row.days_since_check for row in rows if row.days_since_check is not None]
        return Totals(
            instruments=len(rows),
            provisions=sum(row.provisions for row in rows),
            verified=sum(row.verified for row in rows),
            with_text=sum(row.with_text for row in rows),
            without_address=sum(row.address == "none" for row in rows),
            only_site=sum(row.address == "site" for row in rows),
            unchecked=len(rows) - len(days),
            oldest_check=max(days, default=None),
        )


def coverage(corpus: Corpus, with_text: Collection[str], today: date) -> Coverage:
    """Count the catalogue as it stands on ``today``."""
    held = frozenset(with_text)
    counts = {i.id: [0, 0, 0] for i in corpus.instruments.values() if i.document is None}
    for provision in corpus.provisions():
        if provision.digest and (count := counts.get(provision.instrument.id)):
            count[0] += 1
            count[1] += provision.confidence == "verified"
            count[2] += provision.id in held
    rows = [_row(corpus.instruments[id], count, today) for id, count in counts.items()]
    order: list[State] = ["in_force", "not_yet", "superseded"]
    return Coverage(today, tuple(sorted(rows, key=lambda row: order.index(row.state))))


def _row(instrument: Instrument, count: Iterable[int], today: date) -> Row:
    provisions, verified, with_text = count
    return Row(
        id=instrument.id,
        title=instrument.title,
        state=_state(instrument, today),
        provisions=provisions,
        verified=verified,
        with_text=with_text,
        address=_address(instrument.official_url),
        days_since_check=max(0, (today - instrument.checked).days) if instrument.checked else None,
    )


def _state(instrument: Instrument, today: date) -> State:
    if instrument.in_force(today):
        return "in_force"
    return "not_yet" if instrument.effective_from and today < instrument.effective_from else "superseded"


def _address(url: str | None) -> Literal["page", "site", "none"]:
    if not url:
        return "none"
    parts = urlsplit(url)
    return "page" if parts.path.strip("/") or parts.query else "site"


# ------------------------------------------------------------------ for people and programs


def plain(found: Coverage) -> dict[str, Any]:
    """The report as values that JSON can hold."""

    def sums(totals: Totals) -> dict[str, Any]:
        shares = {"share_verified": totals.share_verified, "share_with_text": totals.share_with_text}
        return asdict(totals) | {key: share and round(share, 4) for key, share in shares.items()}

    return {
        "day": found.day.isoformat(),
        "all": sums(found.totals()),
        "in_force": sums(found.totals("in_force")),
        "rows": [asdict(row) for row in found.rows],
    }


def lines(found: Coverage) -> tuple[str, ...]:
    """The report in a few Chinese lines."""
    every, now = found.totals(), found.totals("in_force")
    old, coming = found.totals("superseded").instruments, found.totals("not_yet").instruments
    verified, texts = _percent(every.share_verified), _percent(every.share_with_text)
    check = f"最久的一次在{now.oldest_check}天前" if now.oldest_check is not None else "没有一部有记录"
    return (
        f"法规 {every.instruments} 部：现行 {now.instruments}，已失效 {old}，尚未施行 {coming}。",
        f"条款 {every.provisions} 条：已核实 {verified}，有原文 {texts}。",
        f"现行的没有官方网址 {now.without_address} 部，只有网站首页 {now.only_site} 部。",
        f"最近一次查证是否仍然有效：{check}，未记录 {now.unchecked} 部。",
    )


def _percent(share: float | None) -> str:
    return "未知" if share is None else f"{share:.1%}"
