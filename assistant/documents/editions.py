"""Whether the text of a law that somebody brings is the version that the catalogue means.

Comes in: what the bringer says of the text (:class:`Edition`) and the catalogue's versions of that title. Goes out:
one :class:`Judgement` for each version, with a Chinese sentence. Only dates and counts decide, no wording: published
collections give the day a law first came into force, or the day an amendment was passed, as the "effective date" of
an amended text, so a different date alone proves nothing, and neither does the same title.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from assistant.law.text import chinese_to_number, normalise
from assistant.law.titles import version_years
from assistant.model import Instrument

Verdict = Literal["same", "explained", "other_version", "unproven"]
# the better verdict first; only the first two mean that the text is the catalogue's
VERDICTS: tuple[Verdict, ...] = ("same", "explained", "other_version", "unproven")


@dataclass(frozen=True)
class Edition:
    """What a collection says of one text of a law."""

    title: str
    adopted: date | None  # passed, amended or published, as this text
    effective: date | None  # as the collection says, not as it need be
    articles: int  # 条
    amended_since: bool  # it says that this is not the latest text
    closing: str = ""  # the words of the last article, which say when the law came into force


@dataclass(frozen=True)
class Judgement:
    """``sentence`` says what was compared and why it was decided so."""

    instrument_id: str
    verdict: Verdict
    sentence: str

    @property
    def fits(self) -> bool:
        return self.verdict in ("same", "explained")


def bare_title(title: str) -> str:
    """The title without what collections write differently: the country's name, book marks, the full form of a body.

    >>> bare_title('全国人民代表大会常务委员会关于《中华人民共和国试验法》第三条的解释')
    '全国人大常委会关于试验法第三条的解释'
    """
    whole = re.sub("[《》〈〉]|中华人民共和国", "", normalise(title))
    return whole.replace("全国人民代表大会常务委员会", "全国人大常委会")


def judge(edition: Edition, versions: Iterable[Instrument]) -> tuple[Judgement, ...]:
    """A judgement for each of the catalogue's versions of one title; at most one of them fits."""
    given = tuple(versions)
    judged = [_judge(edition, version) for version in given]
    fitting = [(version, j) for version, j in zip(given, judged, strict=True) if j.fits]
    if not fitting:
        return tuple(judged)
    # of several the one whose date agrees, else the first that began after the text was adopted
    chosen, _ = min(
        fitting, key=lambda pair: (VERDICTS.index(pair[1].verdict), pair[0].effective_from or date.max)
    )
    return tuple(
        j if version is chosen or j.verdict == "other_version" else _belongs_to(edition, version, chosen)
        for version, j in zip(given, judged, strict=True)
    )


def _judge(edition: Edition, version: Instrument) -> Judgement:
    adopted, said, begun = edition.adopted, edition.effective, version.effective_from

    def answer(verdict: Verdict, reason: str) -> Judgement:
        outcome = {
            "same": "数据包的文本与法规库是同一版",
            "explained": "数据包的文本与法规库是同一版，日期不同有原因",
            "other_version": "数据包的文本不是法规库的这一版，没有采用",
            "unproven": "看不出数据包的文本是不是法规库的这一版，没有采用",
        }[verdict]
        return Judgement(version.id, verdict, f"《{version.title}》：{outcome}：{reason}。")

    if adopted is None:
        return answer("unproven", "数据包没有写通过或修改的日期")
    if begun is None:
        return answer("unproven", f"法规库没有记这一版的施行日期，数据包是{adopted}通过或修改的文本")
    if adopted > begun:
        return answer("other_version", f"它在{adopted}才通过或修改，法规库的这一版{begun}就已施行")
    if version.article_count and version.article_count != edition.articles:
        return answer("other_version", f"它有{edition.articles}条，法规库的这一版有{version.article_count}条")
    if said == begun:
        later = "；数据包注明此后又有修改，请核对是否已有新文本" if edition.amended_since else ""
        return answer("same", f"{adopted}通过或修改，{begun}起施行{later}")
    years = version_years(version)
    if edition.amended_since and version.effective_to is None:
        return answer(
            "other_version",
            f"它是{adopted}的文本，数据包注明此后又有修改，而法规库的是{begun}起施行的现行文本",
        )
    if adopted.year not in years:
        return answer("other_version", f"它是{adopted}的文本，法规库的是{begun}起施行的一版")
    if said is None:
        return answer("unproven", f"它是{adopted}的文本，数据包没有写施行日期")
    if said < adopted:
        own = "，与文末的施行条款一致" if said in _days(edition.closing) else ""
        reason = f"数据包写的{said}是这部法律最初施行的日期{own}，{adopted}修改后的文本{begun}起施行"
        return answer("explained", reason)
    if said == adopted:
        return answer("explained", f"数据包把修改的日期{adopted}写成了施行日期，这一版{begun}起施行")
    return answer("unproven", f"数据包写{said}起施行，法规库写{begun}起施行，请核对法规库的日期")


def _belongs_to(edition: Edition, version: Instrument, chosen: Instrument) -> Judgement:
    sentence = (
        f"《{version.title}》：数据包的文本不是法规库的这一版，没有采用："
        f"它是{edition.adopted}通过或修改的文本，属于{chosen.effective_from}起施行的一版。"
    )
    return Judgement(version.id, "other_version", sentence)


def _days(words: str) -> tuple[date, ...]:
    """The days that a text names, 1995年1月1日 or 一九九五年一月一日."""
    found: list[date] = []
    numeral = r"[0-9〇○零一二三四五六七八九十]"
    for parts in re.findall(rf"({numeral}{{4}})年({numeral}{{1,3}})月({numeral}{{1,3}})日", normalise(words)):
        try:
            found.append(date(*(chinese_to_number(part) for part in parts)))
        except ValueError:  # no such day
            continue
    return tuple(found)


def best(judgements: Sequence[tuple[Edition, Judgement]]) -> tuple[Edition, Judgement]:
    """Of several texts of one title the one to use or to speak of: the best verdict, then the latest text."""
    return min(
        judgements,
        key=lambda pair: (
            VERDICTS.index(pair[1].verdict),
            -(pair[0].adopted or date.min).toordinal(),
        ),
    )
