"""Questions about the rules: each style begins with what was asked, rests on the right provision, and is short."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from assistant.law.asking import Asking, load_asking
from assistant.model import Advice, Question
from assistant.settings import Settings, load_settings
from assistant.wiring import Parts, build

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def asking() -> Asking:
    return load_asking(load_settings().knowledge)


@pytest.fixture(scope="module")
def parts(settings: Settings) -> Parts:
    return build(settings)


def ask(parts: Parts, question: str) -> Advice:
    advice = parts.advisor.ask(Question(question, TODAY))
    assert advice.kind == "knowledge"
    assert all(check.passed for check in advice.checks), advice.checks
    return advice


def body(advice: Advice) -> str:
    """The answer without its sources and marks."""
    return re.sub(r"\[\d+\]|（待核）", "", advice.answer.partition("**来源**")[0])


def first(advice: Advice) -> str:
    """What the answer says before anything that stands beside it."""
    return body(advice).partition("另见：")[0].strip()


@pytest.mark.parametrize(
    ("question", "styles"),
    [
        ("留置和管护有哪些不同？", {"compare"}),
        ("以案促改规定在哪一条", {"article"}),
        ("停职检查最长几个月？", {"limit"}),
        ("民主生活会多久开一次？", {"often"}),
        ("每年几次述职", {"often", "count"}),
        ("国企管理人员的处分种类有哪些", {"list"}),
        ("巡视整改的第一责任人是谁", {"who"}),
        ("什么是参公人员", {"define"}),
        ("申诉会不会加重处理", {"whether"}),
        ("老版问责条例废止了没有", {"history"}),
        ("调查组要有几个人", {"count"}),
    ],
)
def test_the_style_of_a_question_is_read(asking: Asking, question: str, styles: set[str]) -> None:
    assert styles <= asking.read(question).styles


@pytest.mark.parametrize(
    ("question", "sides"),
    [
        ("请问停职检查与免职有什么区别？", ("停职检查", "免职")),
        ("记过跟记大过的处分期有何不同", ("记过的处分期", "记大过的处分期")),
        ("“复审”和“复核”是一回事吗", ("复审", "复核")),
        ("党委和纪委都有监督责任吗", ()),
    ],
)
def test_the_sides_of_a_comparison(asking: Asking, question: str, sides: tuple[str, ...]) -> None:
    assert asking.read(question).sides == sides


@pytest.mark.parametrize(
    ("question", "digest", "verdict"),
    [
        ("受处分期间能不能出境？", "受处分期间不得出境。", "不可以"),
        ("受处分期间可以申诉吗", "受处分期间可以申诉，不停止执行。", "可以"),
        ("复查期间停止执行吗", "复查期间不停止执行。", "不"),
        ("复查期间停不停止执行", "复查期间不停止执行。", "不"),
        ("劝诫是不是处分？", "劝诫不是处分。", "不是"),
        ("结论要不要写成书面", "结论应当写成书面。", "要"),
        ("结论要不要公开", "情节严重的，结论应当公开。", ""),  # under a condition nobody told
        (
            "受处分期间不能出境吗",
            "受处分期间不得出境。",
            "",
        ),  # turned round: no word is better than a wrong one
        ("退休的人可以申诉吗", "受处分期间可以申诉。", ""),  # somebody else
        ("可以出境吗", "出境须经批准，未经批准不得出境；探亲可以出境。", ""),  # says both
    ],
)
def test_yes_or_no_only_where_the_words_decide_it(
    asking: Asking, question: str, digest: str, verdict: str
) -> None:
    assert asking.verdict(asking.read(question), digest) == verdict


@pytest.mark.parametrize(
    ("question", "beginning"),
    [
        ("以案促改写在问责条例第几条？", "**《中国共产党问责条例》第十四条**"),
        ("政务处分法哪一条讲一事不重复处分", "**《中华人民共和国公职人员政务处分法》第十六条**"),
        ("行政机关的奖惩决定能申请行政复议吗", "**不可以**"),
        ("同时问责班子成员，是问责党组织时必须要做的吗", ""),
        ("函询是不是等于立案？", "**不是**"),
        ("什么是不可抗力？", "**不可抗力**"),
    ],
)
def test_the_answer_comes_first(parts: Parts, question: str, beginning: str) -> None:
    assert ask(parts, question).answer.startswith(beginning)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("问责条例第七条的情形都有哪些", ["党的领导弱化", "政治建设", "纪律建设", "其他失职失责"]),
        ("哪些情形可以免予问责", ["先行先试", "保留意见", "不可抗力"]),
        ("党委（党组）、纪委在问责里各管什么，问责由谁来做", ["党委（党组）", "纪委"]),
        ("通报影响期和诫勉影响期有多长", ["6个月"]),
        ("监察机关复核要多久作出决定", ["二个月"]),
        ("留党察看最长可以到几年", ["两年"]),
    ],
)
def test_the_whole_answer_is_in_the_first_part(parts: Parts, question: str, words: list[str]) -> None:
    said = first(ask(parts, question))
    assert all(word in said for word in words), said


def test_both_sides_of_a_comparison_stand_side_by_side(parts: Parts) -> None:
    lines = first(ask(parts, "诫勉同政务记过有什么区别？")).splitlines()
    assert [line.partition("**：")[0] for line in lines] == ["- **诫勉", "- **政务记过"]
    assert "12个月" in lines[1]


def test_history_says_what_is_in_force_and_what_changed(parts: Parts) -> None:
    said = first(ask(parts, "2016年的问责条例和2019年的相比改了什么"))
    assert all(words in said for words in ("2019年9月1日", "27条", "13条", "六种", "十一项"))


@pytest.mark.parametrize(
    ("question", "said", "basis"),
    [
        ("问责条例是什么时候开始施行的", ["2019年9月1日起施行"], "wenze-2019#27"),
        ("问责条例一共多少条", ["共27条", "共13条"], "wenze-2019#27"),
        ("监察法哪年通过、哪年修正的", ["2018年3月20日通过", "2024年12月25日修正"], "jiancha-2024#78"),
        ("党内监督条例是哪次会议通过的，有几章几条？", ["六中全会", "8章47条"], "jiandu-2016#47"),
        ("《信访工作条例》取代了哪部法规", ["代替《信访条例》"], "xinfang-2022#50"),
        ("优化营商环境条例是国务院令第几号", ["国务院令第722号"], ""),
        ("2016年的问责条例哪天印发", ["2016年7月8日印发", "2019年9月1日"], "wenze-2019#27"),
        ("考核工作条例代替的是什么", ["1998年", "暂行规定"], ""),
    ],
)
def test_an_instrument_tells_of_itself(parts: Parts, question: str, said: list[str], basis: str) -> None:
    advice = ask(parts, question)
    assert all(words in first(advice) for words in said), first(advice)
    assert advice.citations[0].id.startswith(basis)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("问责情形从几种增加到几种", ["六种", "十一项", "待核"]),
        ("能上能下规定里不适宜担任现职的情形由几种变成几种", ["十种", "十五种"]),
        ("滥用问责是哪一年写进纪律处分条例的", ["2023年", "第一百三十七条"]),
        ("强制到案是什么时候新增的", ["强制到案（第二十一条）"]),
    ],
)
def test_what_became_more_is_told_by_what_changed(parts: Parts, question: str, said: list[str]) -> None:
    answer = ask(parts, question).answer.partition("另见：")[0]
    assert all(words in answer for words in said), answer


@pytest.mark.parametrize(
    "question", ["问责条例有几条原则", "警告处分的影响期从什么时候开始算", "处分决定应当在多少日内宣布"]
)
def test_a_matter_is_not_taken_for_the_instrument(parts: Parts, question: str) -> None:
    assert not first(ask(parts, question)).startswith("现行的")


def test_a_day_that_is_not_certain_is_not_given_as_certain(parts: Parts) -> None:
    said = first(ask(parts, "食品安全责任制规定什么时候开始施行"))
    assert "具体日期待核" in said
    assert "2月28日" not in said


def test_an_old_rule_beside_newer_ones_is_not_called_the_one_in_force(parts: Parts) -> None:
    said = first(ask(parts, "2009年的问责暂行规定还有效吗"))
    assert said.startswith("《关于实行党政领导干部问责的暂行规定》2009年6月30日发布")
    assert "以问责条例为准" in said


@pytest.mark.parametrize(
    ("question", "provision", "words"),
    [
        ("监委限制出境由哪个机关执行？", "jiancha-2024#33", "由公安机关依法执行"),
        ("村委会候选人可以和应选名额一样多吗", "cunweihui-2025#18.1", "应当多于应选名额"),
    ],
)
def test_what_the_digest_leaves_out_is_quoted(
    parts: Parts, question: str, provision: str, words: str
) -> None:
    held = parts.corpus.provision(provision)
    if held.text is None:
        pytest.skip("没有装国家法律原文数据包")
    advice = ask(parts, question)
    quoted = re.search("原文：“(.*?)”", first(advice))
    assert quoted, first(advice)
    assert words in quoted[1]
    assert words not in held.digest
    assert all(part in held.text for part in quoted[1].split("……") if part)
    assert len(quoted[1]) <= 130


def test_what_the_digest_says_is_not_quoted_again(parts: Parts) -> None:
    for question in ("限制出境不再需要时应当及时解除吗", "公务员处分有几种", "政务处分有哪些种类"):
        assert "原文：“" not in first(ask(parts, question))


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("行政机关公务员弄虚作假、误导欺骗领导和公众的怎么处分", ["记过", "降级", "撤职", "开除"]),
        ("国企管理人员违反三重一大决策程序给什么处分", ["警告", "记大过", "降级或者撤职"]),
        ("党员收受礼品礼金给哪几档处分", ["严重警告", "撤销党内职务", "留党察看", "开除党籍"]),
    ],
)
def test_the_answer_names_what_may_follow(parts: Parts, question: str, said: list[str]) -> None:
    answer = first(ask(parts, question))
    assert all(words in answer for words in said), answer


def test_a_named_provision_answers_whatever_was_found(parts: Parts) -> None:
    advice = ask(parts, "问责条例第二十三条讲的是什么")
    assert advice.citations[0].id == "wenze-2019#23"


def test_answers_are_short(parts: Parts) -> None:
    for question in ("问责的方式有哪些？", "公务员处分有几种", "申诉期限多久", "哪些人是监察对象"):
        assert len(body(ask(parts, question))) <= 450


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("单位负责人打击报复举报人的，如何处分？", "knowledge"),
        ("党员领导干部搞形象工程给什么处分？", "knowledge"),
        ("问责条例 申诉期限", "knowledge"),
        ("文化站站长拿公款给自己买了台电视。", "scenario"),
        ("塘坝漏了半年镇长没管，冲了三户人家的地，他会被问责吗？", "scenario"),
    ],
)
def test_a_question_about_rules_is_told_from_a_story(parts: Parts, question: str, kind: str) -> None:
    assert parts.advisor.ask(Question(question, TODAY)).kind == kind


def test_every_style_and_change_is_loaded_from_data(tmp_path: Path, asking: Asking) -> None:
    assert all(asking.styles.values())
