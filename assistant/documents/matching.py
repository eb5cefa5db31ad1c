"""Which known instrument a regulation is, and its words by provision.

Comes in: a :class:`Regulation` as it was read, and the instruments of the stock. Goes out: an :class:`Identity` with a
sentence for the person, 原文 by provision id, what the stock holds that the text does not have, and an instrument and
provisions of its own where it is a new one.

Words are attached only to the version they belong to: what contradicts (days, number of articles) rules a version out,
and without anything that speaks for it the answer is "other_version".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from assistant.law.corpus import label_of
from assistant.law.text import fold, number_to_chinese
from assistant.law.titles import family, instruments_named, version_years
from assistant.model import ArticleText, Instrument, Paragraph, Provision, Regulation

Relation = Literal["same", "other_version", "new"]

_LONG_ARTICLE = 400  # characters; a longer one with several parts is searched by its parts too
_LONG_TOPIC = 30
_LEAST_SUPPORT = 2
_ENACTMENT_TO_FORCE = timedelta(days=800)  # no rule of the stock waited longer
_LOCAL = re.compile("[省市县区州盟旗]")
_YEAR_MARK = re.compile(
    r"[（(〔\[]\s*(\d{4})\s*年?\d{0,2}月?\d{0,2}日?\s*(?:修订|修正|修改|版|制定|施行|印发|发布)?\s*[）)〕\]]"
)


@dataclass(frozen=True)
class Identity:
    """What a regulation was found to be.

    ``instrument_id`` is set only for "same". ``of`` names the known version of the same title for "other_version".
    """

    instrument_id: str | None
    relation: Relation
    sentence: str
    of: str | None = None


# ------------------------------------------------------------------ which version


def identify(regulation: Regulation, instruments: Mapping[str, Instrument]) -> Identity:
    """The instrument of the stock that ``regulation`` is a copy of, if it is one."""
    known = _of_that_title(regulation, instruments.values())
    if not known:
        return Identity(
            None, "new", f"目录里没有《{regulation.title}》，作为新的法规添加，{_described(regulation)}。"
        )
    judged = [(instrument, *_judge(regulation, instrument)) for instrument in known]
    fitting = sorted((j for j in judged if not j[2]), key=lambda j: -j[1])
    current = next((i for i in known if i.effective_to is None), known[-1])
    sure = (
        fitting and fitting[0][1] >= _LEAST_SUPPORT and (len(fitting) == 1 or fitting[1][1] < fitting[0][1])
    )
    if sure:
        return _same(regulation, fitting[0][0], instruments)
    if fitting:
        names = "、".join(_version(i) for i, _, _ in fitting)
        sentence = (
            f"看标题是《{current.title}》，但日期和条数不足以确定是哪个版本（目录里有{names}），"
            f"所以单独保存，不作为原文对应；{_described(regulation)}，请核对施行日期。"
        )
        return Identity(
            None, "other_version", sentence, fitting[0][0].id if len(fitting) == 1 else current.id
        )
    nearest = min(judged, key=lambda j: len(j[2]))
    sentence = (
        f"这是《{nearest[0].title}》的另一个版本：目录里是{_version(nearest[0])}，"
        f"这份{_described(regulation)}（{'；'.join(nearest[2])}），所以单独保存，不作为原文对应。"
    )
    return Identity(None, "other_version", sentence, nearest[0].id)


def _same(regulation: Regulation, instrument: Instrument, instruments: Mapping[str, Instrument]) -> Identity:
    sentence = (
        f"这是目录里的{_version(instrument, titled=True)}，{_described(regulation)}，条文作为原文对应到各条。"
    )
    if instrument.effective_to and instrument.replaced_by and instrument.replaced_by in instruments:
        after = instruments[instrument.replaced_by]
        sentence = (
            f"{sentence.removesuffix('。')}；这个版本到{_written(instrument.effective_to)}为止，"
            f"以后适用{_version(after, titled=True)}。"
        )
    return Identity(instrument.id, "same", sentence)


def _of_that_title(regulation: Regulation, instruments: Iterable[Instrument]) -> list[Instrument]:
    """All versions of its title, the oldest first. A local rule never is a national one of the same name."""
    title = family(fold(re.sub(r"\s", "", _YEAR_MARK.sub("", regulation.title))).strip("《》"))
    named = instruments_named(title, tuple(instruments))
    local = bool(_LOCAL.search(regulation.issuer)) and "人民代表大会" not in regulation.issuer[:8]
    known = [i for i in named if not local or _LOCAL.search(i.issuer)]
    return sorted(known, key=lambda i: (i.effective_from or date.min, i.effective_to or date.max))


def _judge(regulation: Regulation, instrument: Instrument) -> tuple[int, list[str]]:
    """How much speaks for a version, and what speaks against it, as parts of a sentence."""
    support = 0
    against: list[str] = []
    count = len(_numbers(regulation))
    if instrument.article_count:
        if instrument.article_count == count:
            support += 2
        else:
            against.append(f"目录里有{instrument.article_count}条")
    begins, ends = instrument.effective_from, instrument.effective_to
    own = regulation.effective_from
    if own and begins:
        if own == begins:
            support += 2
        else:
            against.append(f"目录里的自{_written(begins)}起施行")
    elif own and ends and own > ends:
        against.append(f"目录里的到{_written(ends)}为止")
    adopted = regulation.adopted
    if adopted:
        if begins and adopted > begins and not own:
            against.append(f"目录里的自{_written(begins)}起施行，早于这份的通过或印发日期")
        elif begins and begins - adopted > _ENACTMENT_TO_FORCE:
            against.append(f"目录里的自{_written(begins)}才施行")
        elif ends and adopted > ends:
            against.append(f"目录里的到{_written(ends)}为止")
        elif adopted.year in version_years(instrument):
            support += 1
    marked = next(
        (m for text in (regulation.title, *regulation.preamble) if (m := _YEAR_MARK.fullmatch(text))), None
    )
    if marked and version_years(instrument):
        if int(marked[1]) in version_years(instrument):
            support += 1
        else:
            against.append(f"这份写明是{marked[1]}年的版本")
    return support, against


def _numbers(regulation: Regulation) -> set[str]:
    """The numbers of articles as published: 第五条之一 counts as one of its own."""
    return {article.number for article in regulation.articles}


def _version(instrument: Instrument, titled: bool = False) -> str:
    """《监察法》2025年6月1日起施行的版本（78条）."""
    days = []
    if instrument.effective_from:
        days.append(f"{_written(instrument.effective_from)}起施行")
    if instrument.effective_to:
        days.append(f"{_written(instrument.effective_to)}失效")
    name = f"《{instrument.title}》" if titled else ""
    count = f"（{instrument.article_count}条）" if instrument.article_count else ""
    return f"{name}{'、'.join(days) + '的版本' if days else '日期未记的版本'}{count}"


def _described(regulation: Regulation) -> str:
    """共78条，2024年12月25日通过或印发，2025年6月1日起施行."""
    parts = [f"共{len(regulation.articles)}条"]
    if regulation.adopted:
        parts.append(f"{_written(regulation.adopted)}通过或印发")
    parts.append(
        f"{_written(regulation.effective_from)}起施行" if regulation.effective_from else "没有读到施行日期"
    )
    return "，".join(parts)


def _written(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


# ------------------------------------------------------------------ words by provision


def texts_of(regulation: Regulation, instrument_id: str) -> dict[str, str]:
    """原文 by provision id: articles (``x#7``), paragraphs (``x#7.1``) and items (``x#7.1.3``)."""
    texts: dict[str, str] = {}
    for article in regulation.articles:
        id = f"{instrument_id}#{article.number}"
        texts[id] = article.whole
        for number, paragraph in enumerate(article.paragraphs, start=1):
            texts[f"{id}.{number}"] = paragraph.whole
            texts |= {f"{id}.{number}.{item.number}": item.text for item in paragraph.items}
    return texts


def misfits(regulation: Regulation, provisions: Iterable[Provision]) -> tuple[str, ...]:
    """One sentence for each provision whose address the text does not have: a third paragraph of two."""
    articles = {article.number: article for article in regulation.articles}
    found: list[str] = []
    for provision in provisions:
        if provision.article is None:
            continue
        article = articles.get(provision.article)
        if article is None:
            last = regulation.articles[-1].number if regulation.articles else "0"
            found.append(
                f"{provision.label}（{provision.id}）在原文里没有这一条，原文最后一条是第{_numeral(last)}条。"
            )
        elif problem := _misfit(article, provision):
            found.append(f"{provision.label}（{provision.id}）与原文对不上：{problem}。")
    return tuple(found)


def _misfit(article: ArticleText, provision: Provision) -> str:
    number = provision.paragraph or (1 if provision.item is not None else None)
    if number is None:
        return ""
    if number > len(article.paragraphs):
        return f"这一条只有{len(article.paragraphs)}款"
    if provision.item is None:
        return ""
    items = [item.number for item in article.paragraphs[number - 1].items]
    if provision.item in items:
        return ""
    if items:
        return f"第{number_to_chinese(number)}款的项到（{number_to_chinese(items[-1])}）为止"
    elsewhere = [n for n, p in enumerate(article.paragraphs, start=1) if p.items]
    where = f"，项在第{'、'.join(map(number_to_chinese, elsewhere))}款" if elsewhere else ""
    return f"第{number_to_chinese(number)}款没有分项{where}"


def _numeral(article: str) -> str:
    number, _, inserted = article.partition("-")
    return number_to_chinese(int(number)) + (f"条之{number_to_chinese(int(inserted))}" if inserted else "")


# ------------------------------------------------------------------ an instrument of its own


def new_instrument(
    regulation: Regulation, document_id: str, official_url: str | None = None, note: str = ""
) -> Instrument:
    """An instrument for a regulation that the stock does not have; the document's id is its id.

    Where the text does not tell the kind, the lowest rank of a rule stands until a person corrects it.
    """
    return Instrument(
        id=document_id,
        title=regulation.title,
        short_titles=_short_titles(regulation.title),
        issuer=regulation.issuer,
        kind=regulation.kind or "规范性文件",
        rank=regulation.rank or 5,
        effective_from=regulation.effective_from,
        effective_to=None,
        replaced_by=None,
        official_url=official_url,
        article_count=len(regulation.articles),
        note=note,
        document=document_id,
        published=regulation.adopted,
    )


def _short_titles(title: str) -> tuple[str, ...]:
    short = re.sub("^(?:中华人民共和国|中国共产党)", "", re.sub("（[^）]*）$", "", title))
    return (short,) if len(short) > 4 else (title,)


def provisions_of(regulation: Regulation, instrument: Instrument) -> tuple[Provision, ...]:
    """The articles as provisions, and of long articles the paragraphs and items too, so that search finds the part."""
    return tuple(
        provision for article in regulation.articles for provision in _provisions(article, instrument)
    )


def _provisions(article: ArticleText, instrument: Instrument) -> Iterator[Provision]:
    topic = _topic(article)
    yield _provision(instrument, article, article.whole, topic)
    paragraphs = article.paragraphs
    parts = len(paragraphs) + sum(len(paragraph.items) for paragraph in paragraphs)
    if len(article.whole) <= _LONG_ARTICLE or parts < 2:
        return
    for number, paragraph in enumerate(paragraphs, start=1):
        if len(paragraphs) > 1:
            yield _provision(instrument, article, paragraph.whole, topic, number)
        if len(paragraphs) == 1 or len(paragraph.whole) > _LONG_ARTICLE:
            for item in paragraph.items:
                yield _provision(
                    instrument, article, item.text, _item_topic(paragraph, topic), number, item.number
                )


def _provision(
    instrument: Instrument,
    article: ArticleText,
    text: str,
    topic: str,
    paragraph: int | None = None,
    item: int | None = None,
) -> Provision:
    address = ".".join(str(part) for part in (article.number, paragraph, item) if part is not None)
    return Provision(
        id=f"{instrument.id}#{address}",
        instrument=instrument,
        article=article.number,
        paragraph=paragraph,
        item=item,
        label=label_of(instrument, article.number, paragraph, item),
        topic=topic,
        digest="",
        text=text,
        keywords=(),
        applies_to=(),
        facts={},
        cross_refs=(),
        confidence="verified",
        section=article.section,
        page=article.page,
    )


_HEADING_LABEL = re.compile("^第[^ ]{1,6}[编篇章节] ?|^[一二三四五六七八九十]+、")
_PLAIN_HEADINGS = frozenset(["总则", "附则", "分则", "罚则", "其他规定"])


def _topic(article: ArticleText) -> str:
    """The words of the heading above it, or those it begins with where the heading says nothing."""
    heading = _HEADING_LABEL.sub("", article.section.rpartition(" > ")[2])
    if named := re.match("[【\\[]([^】\\]]{2,20})[】\\]]", article.whole):
        return named[1]
    if heading and heading not in _PLAIN_HEADINGS:
        return heading[:_LONG_TOPIC]
    return _first_words(article.whole)


def _item_topic(paragraph: Paragraph, topic: str) -> str:
    return _first_words(paragraph.text) if paragraph.text else topic


def _first_words(text: str) -> str:
    words = re.split("[，。；：\n]", text.lstrip("　 "), maxsplit=1)[0]
    return words[:_LONG_TOPIC]
