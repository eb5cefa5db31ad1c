"""What one clause says: whether a value is said, denied, denied twice, or left open."""

from __future__ import annotations

import pytest

from assistant.law.clauses import asks, bare, in_clauses, is_unsure, said_back, value_in, wants_to_know
from assistant.law.phrases import Phrases, load_phrases
from assistant.law.vocabulary import load_vocabulary
from assistant.settings import Settings


@pytest.fixture(scope="module")
def phrases(settings: Settings) -> Phrases:
    return load_phrases(settings.knowledge, load_vocabulary(settings.knowledge))


@pytest.mark.parametrize(
    ("fact", "clause", "value"),
    [
        ("reform_trial", "这是试点", "yes"),
        ("reform_trial", "算不上探索", "no"),
        ("reform_trial", "没有试点这回事", "no"),
        ("reform_trial", "试点没我们的份", "no"),
        ("reform_trial", "怎么不是试点", "yes"),
        ("reform_trial", "哪来的试点", "no"),
        ("own_duty", "不能说不归我管", "yes"),
        ("own_duty", "怎么会归我管", "no"),
        ("duty_done", "没有一样没做", "yes"),
        ("clear_ban", "不禁止", "no"),
        ("clear_ban", "没有禁止", "no"),
        ("party_post", "书记不是我", "no"),
        ("party_post", "我们支书是我叔", None),  # said of somebody else
        ("party_post", "支书是我兼的", "yes"),
        ("post_level", "一把手是老李", None),
        ("post_level", "不是一把手", None),  # one of several is only ruled out
        ("duty_done", "没有记录", None),  # no sign that it was not done
        ("own_violation", "说我得了好处是冤枉", "no"),
    ],
)
def test_a_value_is_said_or_denied(phrases: Phrases, fact: str, clause: str, value: str | None) -> None:
    found = value_in(clause, phrases.facts[fact], True, phrases.marks)
    assert (found.value if found else None) == value


def test_yes_and_no_by_themselves(phrases: Phrases) -> None:
    marks = phrases.marks
    assert {bare(c, marks) for c in ("有的", "对头", "是嘞", "没错", "那当然")} == {"yes"}
    assert {bare(c, marks) for c in ("没", "木有", "没那回事", "恐怕不是", "莫得")} == {"no"}
    assert {bare(c, marks) for c in ("天晓得", "记不清了", "不造啊", "没人通知我")} == {"unknown"}
    assert is_unsure("说法不清楚", marks)
    assert not is_unsure("没有不清楚的地方", marks)


def test_words_of_the_question_said_back(phrases: Phrases) -> None:
    question = "有没有担任党组织书记、副书记或委员？"
    assert said_back("没有担任", question, phrases.marks) == "no"
    assert said_back("担任过", question, phrases.marks) == "yes"
    assert said_back("担任过村主任", question, phrases.marks) is None
    # 没检查 is no answer to a question for what was left undone
    assert said_back("没检查", "该做而没做的是哪件事（例如该检查没检查）？", phrases.marks) is None


def test_questions_in_return_and_rhetorical_ones(phrases: Phrases) -> None:
    marks = phrases.marks
    assert wants_to_know("怎么才叫违规", False, marks)
    assert wants_to_know("归我管", True, marks)
    assert not wants_to_know("怎么没提", True, marks)
    assert not asks("什么都没有", marks)
    assert not asks("谁敢反对", marks)


def test_clauses_end_at_marks_and_before_words_that_turn(phrases: Phrases) -> None:
    assert in_clauses("做了但是没记录。①有②没有", phrases) == [
        "做了", "但是没记录", "第1个", "有", "第2个", "没有",
    ]  # fmt: skip
