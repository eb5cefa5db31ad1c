"""Two clocks: when it happened and when it is handled choose the version of a rule."""

from __future__ import annotations

from datetime import date

import pytest

from assistant.law.corpus import Corpus
from assistant.law.days import Days, read_conduct_days, read_days
from assistant.model import Question
from assistant.steps.timing import not_held, version_findings
from assistant.wiring import Parts

TODAY = date(2026, 11, 22)
WORDS = {
    "title": "版",
    "before": "{conduct}在{begun}前",
    "across": "{conduct}跨{begun}",
    "older": "有{year}：",
    "no_older": "没有旧版：",
    "no_rule": "没有衔接条款",
}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2018年，镇里出了事故，没有人管。", "2018年"),
        ("事情是二〇一八年的，现在才查。", "2018年"),
        ("2018年3月5日我签了字，后来出事了。", "2018年3月5日"),
        ("从2017年到2019年，补贴一直没有发。", "2017年至2019年"),
        ("2017年开始扣款。2019年还在扣。", "2017年至2019年"),
        ("2017年扣了款，2026年被立案。", "2017年"),
        ("去年镇里的项目烂尾了。", "2025年"),
        ("按2016年问责条例应该怎么办？", None),
        ("《关于2018年工作的意见》我没看到。", None),
        ("我2015年任镇长，一直很努力。", None),
        ("2026年3月5日收到处分决定，我不服。", None),
        ("事情过去三年了。", None),
        ("编号2018001的文件丢了。", None),
    ],
)
def test_when_it_happened_is_read_from_the_story(text: str, words: str | None) -> None:
    days = read_conduct_days(text, TODAY)
    assert (days.words if days else None) == words


def test_a_year_to_come_is_not_when_it_happened() -> None:
    assert read_conduct_days("2018年的事故现在要处理。", date(2017, 5, 1)) is None


@pytest.mark.parametrize("written", ["2018", "2018年", "2018-05", "2018年5月", "2018-05-03", "2018/5/3"])
def test_a_person_may_write_a_year_a_month_or_a_day(written: str) -> None:
    days = read_days(written)
    assert days
    assert days.first.year == 2018


@pytest.mark.parametrize("written", ["", "上个月", "2018-13", "2018-02-30", "18"])
def test_anything_else_is_no_day(written: str) -> None:
    assert read_days(written) is None


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (date(2018, 1, 1), date(2018, 12, 31), "2018年在2019-09-01前有2016年版："),
        (date(2019, 8, 31), date(2019, 8, 31), "2019年8月31日在2019-09-01前有2016年版："),
        (date(2019, 8, 1), date(2019, 9, 30), "2019年跨2019-09-01有2016年版："),
        (date(2015, 1, 1), date(2015, 12, 31), "2015年在2019-09-01前没有旧版："),
    ],
)
def test_conduct_before_the_rule_names_both_versions(
    corpus: Corpus, first: date, last: date, said: str
) -> None:
    (finding,) = version_findings(Days(first, last), TODAY, ["wenze-2019#7.1.9"], corpus, WORDS)
    assert finding.reason.startswith(said)
    assert finding.provisions == ("wenze-2019#27",)
    assert finding.reason.endswith(corpus.provision("wenze-2019#27").digest.rstrip("。"))


@pytest.mark.parametrize("first", [date(2019, 9, 1), date(2024, 1, 1)])
def test_conduct_under_the_rule_needs_no_word(corpus: Corpus, first: date) -> None:
    assert version_findings(Days(first, first), TODAY, ["wenze-2019#7.1.9"], corpus, WORDS) == ()


def test_nothing_is_said_where_nothing_is_known(corpus: Corpus) -> None:
    assert version_findings(None, TODAY, ["wenze-2019#7.1.9"], corpus, WORDS) == ()
    old = Days(date(1990, 1, 1), date(1990, 1, 1))
    assert version_findings(old, TODAY, ["xunshi-2024#1"], corpus, WORDS) == ()


def test_a_day_of_which_the_stock_holds_nothing(corpus: Corpus) -> None:
    assert not_held(["wenze-2019#7"], date(2018, 6, 1), corpus) == ("《中国共产党问责条例》（2016年版）",)
    assert not_held(["wenze-2019#7"], TODAY, corpus) == ()


def test_the_answer_shows_the_choice_with_its_source(parts: Parts) -> None:
    story = (
        "我是镇党委书记，2018年5月镇里发生重大安全事故，死了三人，因为长期没有开展安全检查，现在要问责我。"
    )
    advice = parts.advisor.ask(Question(story, TODAY))
    assert "**适用哪一版**" in advice.answer
    assert "2016年版" in advice.answer
    assert "wenze-2019#27" in {c.id for c in advice.citations}
    later = parts.advisor.ask(Question(story.replace("2018年", "2024年"), TODAY))
    assert "适用哪一版" not in later.answer
    said = parts.advisor.ask(
        Question(story.replace("2018年", ""), TODAY, conduct=(date(2018, 5, 1), date(2018, 5, 31)))
    )
    assert "**适用哪一版**" in said.answer


def test_a_day_before_the_rules_in_stock_is_said_plainly(parts: Parts) -> None:
    story = "我是镇党委书记，镇里发生重大安全事故，死了三人，长期没有开展安全检查，要问责我。"
    advice = parts.advisor.ask(Question(story, date(2018, 6, 1)))
    assert advice.determination
    assert advice.determination.scope == "needs_more_facts"
    assert any("《中国共产党问责条例》（2016年版）" in notice for notice in advice.notices)
    assert "。。" not in advice.answer
