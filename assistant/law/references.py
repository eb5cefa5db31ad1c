"""References and their check against the stock: is there such a provision, does its version apply on the day.

Comes in: an address (``law/addresses.py``) or an id, the version of the instrument, the stock, the day.
Goes out: :class:`Reference`, with one Chinese sentence where something is not as written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, Protocol

from assistant.law.addresses import Address, write_address
from assistant.law.titles import family, version_years
from assistant.model import Instrument, Provision

Status = Literal["exists", "no_such_provision", "unknown_instrument", "superseded", "unresolved"]


class Stock(Protocol):
    """What references are checked against; ``law/corpus.py`` has it."""

    @property
    def instruments(self) -> Mapping[str, Instrument]: ...

    def get(self, provision_id: str, /) -> Provision | None: ...

    def provisions(self, day: date | None = None) -> Iterator[Provision]: ...


@dataclass(frozen=True)
class Reference:
    """One reference. ``text`` is ``original[start:end]``; the parts of a range share the words of the range.

    ``status``: "exists", also for a whole instrument (``article`` and ``provision_id`` are None then);
    "superseded" when the version meant has ended on the day, ``replaced_by`` names what took its place;
    "no_such_provision" when the article cannot be (beyond the last one) or is not in the stock, the notice
    tells which, and ``provision_id`` is the article where only the paragraph or item is missing.
    ``notice`` is one sentence for the reader; with "exists" it is empty or says what is not quite as written.
    """

    text: str
    start: int
    end: int
    instrument_id: str | None
    title_written: str | None
    article: str | None
    paragraph: int | None
    item: int | None
    status: Status
    provision_id: str | None = None
    replaced_by: str | None = None
    now: str | None = None  # of a superseded provision: the one that governs instead, where that is known
    notice: str = ""


# ---------------------------------------------------------------- checking against the stock


def dated_title(instrument: Instrument, stock: Stock) -> str:
    """《title》, with its year where the stock holds several versions of the title."""
    siblings = [i for i in stock.instruments.values() if family(i.title) == family(instrument.title)]
    years = version_years(instrument)
    year = f"（{years[0]}年）" if len(siblings) > 1 and years else ""
    return f"《{instrument.title}》{year}"


def _chinese_date(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


@dataclass(frozen=True)
class _Lookup:
    """What the stock has of an address on any day; ``impossible``: the published text cannot have it."""

    provision_id: str | None
    notice: str = ""
    missing: bool = False
    impossible: bool = False


def _look_up(address: Address, instrument: Instrument, stock: Stock) -> _Lookup:
    name = dated_title(instrument, stock)
    article = write_address(address.article, None, None)
    whole = f"{instrument.id}#{address.article}"
    number = int(address.article.partition("-")[0])
    count = instrument.article_count
    if number < 1:
        return _Lookup(None, f"{name}没有{article}，请核对条号。", missing=True, impossible=True)
    if count is not None and number > count:
        notice = f"{name}共{count}条，没有{article}，请核对条号。"
        return _Lookup(None, notice, missing=True, impossible=True)
    if exact := _finest(address, whole, stock):
        fine = f"知识库收录到项，没有细分到目，请对照{name}{address.written}的原文。"
        return _Lookup(exact, fine if address.point else "")
    if stock.get(whole) is None:
        return _Lookup(None, f"知识库没有收录{name}{article}，不能确认其内容，请查对原文。", missing=True)
    parts = [
        p for p in stock.provisions() if p.instrument.id == instrument.id and p.article == address.article
    ]
    if address.item is None:
        listed = any(p.paragraph for p in parts) and all(p.paragraph != address.paragraph for p in parts)
    else:
        listed = any(p.item and address.paragraph in (None, p.paragraph) for p in parts)
    if listed:  # the stock tells the parts of the article apart, and this one is not among them
        notice = f"知识库收录了{name}{article}，但没有{address.written}，请查对原文。"
        return _Lookup(whole, notice, missing=True)
    part = "款" if address.item is None else "项"
    return _Lookup(whole, f"知识库收录到{name}{article}，没有单列该{part}。")


def _finest(address: Address, whole: str, stock: Stock) -> str | None:
    """The id of exactly the address, if in stock; an item without 款 may stand in any one paragraph."""
    paragraph, item = address.paragraph, address.item
    if paragraph is None and item is None:
        return whole if stock.get(whole) else None
    if item is None:
        wanted = f"{whole}.{paragraph}"
        return wanted if stock.get(wanted) else None
    if paragraph is not None or stock.get(f"{whole}.1.{item}"):
        wanted = f"{whole}.{paragraph or 1}.{item}"
        return wanted if stock.get(wanted) else None
    found = [p.id for p in stock.provisions() if p.id.startswith(whole + ".") and p.item == item]
    return found[0] if len(found) == 1 else None


def successor_of(instrument: Instrument, stock: Stock, day: date) -> Instrument | None:
    """What took the place of a version, and of what took its place, until one that had not ended on the day."""
    found: Instrument | None = instrument
    seen = set()
    while found and found.effective_to and found.effective_to < day and found.id not in seen:
        seen.add(found.id)
        found = stock.instruments.get(found.replaced_by or "")
    return found


def _governs(article: str | None, instrument: Instrument, stock: Stock, day: date) -> Provision | None:
    """The provision that holds today what the article of a superseded version held, where that is recorded."""
    id = dict(instrument.now).get(article or "")
    provision = stock.get(id) if id else None
    return provision if provision and provision.instrument.in_force(day) else None


def _out_of_force(instrument: Instrument, stock: Stock, day: date, article: str | None = None) -> str:
    """Why a version does not apply on the day; empty when it does."""
    name = dated_title(instrument, stock)
    if instrument.effective_to and instrument.effective_to < day:
        ended = f"{name}自{_chinese_date(instrument.effective_to)}后不再适用"
        if now := _governs(article, instrument, stock, day):
            return f"{ended}，原{write_address(article or '', None, None)}的内容现在看{now.label}。"
        successor = successor_of(instrument, stock, day)
        return f"{ended}，应查{dated_title(successor, stock)}。" if successor else f"{ended}，请查现行规定。"
    if instrument.effective_from and day < instrument.effective_from:
        since = _chinese_date(instrument.effective_from)
        return f"{name}自{since}起施行，{_chinese_date(day)}时还没有施行。"
    return ""


def check_address(
    address: Address | None,
    instrument: Instrument,
    title: str | None,
    stock: Stock,
    day: date,
    place: tuple[str, int, int],
) -> Reference:
    """The reference to a known version: does the provision exist, and does the version apply on the day."""
    found = _look_up(address, instrument, stock) if address else _Lookup(None)
    status: Status = "no_such_provision" if found.missing else "exists"
    notice, replaced_by, now = found.notice, None, None
    article = address.article if address else None
    out_of_force = _out_of_force(instrument, stock, day, article)
    if instrument.effective_to and instrument.effective_to < day:
        replaced_by = instrument.replaced_by
        now = _governs(article, instrument, stock, day)
        if not found.impossible:
            status, notice = "superseded", out_of_force
    elif not notice:
        notice = out_of_force
    text, start, end = place
    return Reference(
        text=text,
        start=start,
        end=end,
        instrument_id=instrument.id,
        title_written=title,
        article=address.article if address else None,
        paragraph=address.paragraph if address else None,
        item=address.item if address else None,
        status=status,
        provision_id=found.provision_id,
        replaced_by=replaced_by,
        now=now.id if now else None,
        notice=notice,
    )


def check_id(written: str, stock: Stock, day: date, place: tuple[str, int, int]) -> Reference:
    instrument_id, _, rest = written.partition("#")
    text, start, end = place
    instrument = stock.instruments.get(instrument_id)
    if instrument is None:
        notice = f"知识库没有编号为“{instrument_id}”的法规，无法核对。"
        return Reference(text, start, end, None, None, None, None, None, "unknown_instrument", notice=notice)
    if rest.startswith("n"):
        whole = check_address(None, instrument, None, stock, day, place)
        if stock.get(written):
            return replace(whole, provision_id=written)
        notice = f"知识库没有编号为“{written}”的条款。"
        return replace(whole, status="no_such_provision", notice=notice)
    article, *rest_numbers = rest.split(".")
    paragraph, item = (*(int(n) for n in rest_numbers), None, None)[:2]
    address = Address(article, paragraph, item, None, 0, 0)
    return check_address(address, instrument, None, stock, day, place)
