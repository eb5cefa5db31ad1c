"""Which version a text is: every rule with a case on each side, on an invented law."""

from __future__ import annotations

from datetime import date

import pytest

from assistant.documents.editions import Edition, Verdict, bare_title, best, judge
from assistant.model import Instrument


def day(written: str) -> date | None:
    return date.fromisoformat(written) if written else None


def law(
    id: str = "shiyan-2020", begun: str = "2021-01-01", ended: str = "", articles: int | None = None
) -> Instrument:
    return Instrument(
        id=id,
        title="中华人民共和国试验法",
        short_titles=("试验法",),
        issuer="某机关",
        kind="法律",
        rank=2,
        effective_from=day(begun),
        effective_to=day(ended),
        replaced_by=None,
        official_url=None,
        article_count=articles,
    )


def text(
    adopted: str, effective: str, articles: int = 30, amended_since: bool = False, closing: str = ""
) -> Edition:
    return Edition("中华人民共和国试验法", day(adopted), day(effective), articles, amended_since, closing)


CASES: list[tuple[str, Edition, Instrument, Verdict, str]] = [
    ("the dates agree", text("2020-06-20", "2021-01-01"), law(), "same", "2021-01-01起施行"),
    ("adopted on the first day", text("2021-01-01", "2021-01-01"), law(), "same", "同一版"),
    ("adopted a day later", text("2021-01-02", "2021-01-01"), law(), "other_version", "2021-01-02才通过"),
    (
        "the same day, but amended since",
        text("2020-06-20", "2021-01-01", amended_since=True),
        law(),
        "same",
        "请核对是否已有新文本",
    ),
    (
        "the first day of the law, as its last article says",
        text("2020-06-20", "1995-01-01", closing="本法自1995年1月1日起施行。"),
        law(),
        "explained",
        "最初施行的日期，与文末的施行条款一致",
    ),
    (
        "the first day in Chinese numerals",
        text("2020-06-20", "1995-01-01", closing="本法自一九九五年一月一日起施行。"),
        law(),
        "explained",
        "与文末的施行条款一致",
    ),
    (
        "an earlier day that the text does not name",
        text("2020-06-20", "1995-01-01", closing="本法自1995年13月1日起施行。"),
        law(),
        "explained",
        "最初施行的日期，2020-06-20修改后",
    ),
    (
        "the day of the amendment",
        text("2020-06-20", "2020-06-20"),
        law(),
        "explained",
        "把修改的日期2020-06-20",
    ),
    ("two days nobody explains", text("2020-06-20", "2020-09-01"), law(), "unproven", "请核对法规库的日期"),
    ("no day in force", text("2020-06-20", ""), law(), "unproven", "没有写施行日期"),
    ("no day of adoption", text("", "2021-01-01"), law(), "unproven", "没有写通过或修改的日期"),
    ("no day in the catalogue", text("2020-06-20", "2021-01-01"), law(begun=""), "unproven", "没有记这一版"),
    (
        "amended since, while the catalogue has what is in force",
        text("2020-06-20", "1995-01-01", amended_since=True),
        law(),
        "other_version",
        "此后又有修改",
    ),
    (
        "amended since, as the catalogue knows",
        text("2020-06-20", "1995-01-01", amended_since=True),
        law(ended="2024-12-31"),
        "explained",
        "最初施行",
    ),
    ("of the year before", text("2019-12-31", "1995-01-01"), law(), "other_version", "2019-12-31的文本"),
    ("of the year it came into force", text("2021-01-01", "1995-01-01"), law(), "explained", "最初施行"),
    ("as many articles", text("2020-06-20", "2021-01-01"), law(articles=30), "same", "同一版"),
    ("one article more", text("2020-06-20", "2021-01-01", 31), law(articles=30), "other_version", "它有31条"),
]


@pytest.mark.parametrize(
    ("edition", "version", "verdict", "why"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_dates_decide(edition: Edition, version: Instrument, verdict: Verdict, why: str) -> None:
    [judgement] = judge(edition, [version])
    assert judgement.verdict == verdict
    assert judgement.fits == (verdict in ("same", "explained"))
    assert why in judgement.sentence
    assert judgement.sentence.startswith("《中华人民共和国试验法》：")
    assert judgement.sentence.endswith("。")
    assert judgement.sentence.count("。") == 1


def test_a_text_belongs_to_one_version_only() -> None:
    undated = law("shiyan-2010", begun="", ended="2020-12-31")
    first = law("shiyan-2020", begun="2021-01-01", ended="2021-06-30")
    second = law("shiyan-2021", begun="2021-07-01")
    judged = judge(text("2020-06-20", "1995-01-01"), [undated, second, first])
    assert [j.verdict for j in judged] == ["other_version", "other_version", "explained"]
    assert "属于2021-01-01起施行的一版" in judged[0].sentence


def test_the_day_that_agrees_goes_before_the_first_that_fits() -> None:
    first = law("shiyan-2020", begun="2020-07-01", ended="2020-12-31")
    second = law("shiyan-2020-2", begun="2021-01-01")
    judged = judge(text("2020-06-20", "2021-01-01"), [first, second])
    assert [j.verdict for j in judged] == ["other_version", "same"]


def test_without_a_fitting_version_each_is_judged_alone() -> None:
    judged = judge(text("2025-01-01", "2025-01-01"), [law(begun=""), law()])
    assert [j.verdict for j in judged] == ["unproven", "other_version"]


def test_of_several_texts_the_best_then_the_latest() -> None:
    version = law()
    old, right, right_too = (
        text("2001-01-01", ""),
        text("2020-06-20", "2021-01-01"),
        text("2020-07-01", "2021-01-01"),
    )
    pairs = [(edition, judge(edition, [version])[0]) for edition in (old, right, right_too)]
    assert best(pairs)[0] is right_too
    assert best(pairs[:2])[0] is right
    assert best(pairs[:1])[0] is old


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("中华人民共和国试验法", "试验法"),
        (
            "全国人民代表大会常务委员会关于《中华人民共和国试验法》第三条的解释",
            "全国人大常委会关于试验法第三条的解释",
        ),
        ("中華人民共和國試驗法", "试验法"),
    ],
)
def test_titles_that_are_one(one: str, other: str) -> None:
    assert bare_title(one) == bare_title(other)


def test_titles_that_are_two() -> None:
    assert bare_title("试验法") != bare_title("试验法实施条例")
