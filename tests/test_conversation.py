"""A conversation: the fact sheet moves with what is said, and with nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from assistant.conversation import Conversation, Listener, make_listener
from assistant.errors import QuestionError
from assistant.model import MissingFact, Question
from assistant.settings import Settings
from assistant.wiring import Parts

DAY = date(2026, 3, 20)
CASE = (
    "我是分管安全的副镇长，镇里的采石场长期违规开采，我知道后没有去查，也没有督促整改，"
    "后来塌方死了两个人，造成重大损失。我会被问责吗？"
)
OTHER = "我爱人是镇中学校长，食堂承包商送了她两万块，学生吃坏肚子住院了十几个，纪委在查她，会怎么处理？"


@pytest.fixture(scope="module")
def listener(settings: Settings) -> Listener:
    return make_listener(settings)


@pytest.fixture
def talk(parts: Parts, listener: Listener) -> Conversation:
    begun = Conversation(parts.advisor, listener)
    begun.say(CASE, DAY)
    return begun


def scope(talk: Conversation) -> str | None:
    assert talk.situation
    return talk.situation.scope


def test_a_correction_moves_the_verdict_and_says_so(talk: Conversation) -> None:
    assert scope(talk) == "in"
    advice = talk.say("说错了，没有死人，就擦破点皮", DAY)
    assert talk.situation
    assert talk.situation.confirmed["consequence"] == "轻微"
    assert scope(talk) == "out_general_work"
    assert advice.answer.startswith("> 已按您的改正更新：后果＝轻微。结论从“属于问责范围”变为")
    assert not advice.supposed


def test_an_answer_sets_the_fact_that_was_asked_for(talk: Conversation) -> None:
    advice = talk.say("会上我明确反对，纪要里写着", DAY)
    assert talk.situation
    assert talk.situation.confirmed["dissent_recorded"] == "yes"
    assert advice.determination
    assert advice.determination.scope == "in_but_exempt"
    assert any(f.name == "dissent_recorded" and f.source == "confirmed" for f in advice.facts)


def test_what_nobody_knows_is_not_asked_again(talk: Conversation) -> None:
    assert talk.situation
    made = talk.situation.advice.determination
    assert made
    asked = {m.fact for m in made.missing_facts}
    assert asked
    advice = talk.say("都不清楚", DAY)
    assert advice.determination
    assert not asked & {m.fact for m in advice.determination.missing_facts}
    assert "不清楚" in advice.understood


def test_not_knowing_leaves_what_the_story_tells(talk: Conversation) -> None:
    assert talk.situation
    asked = MissingFact("consequence", "造成了什么后果？", ())
    made = talk.situation.advice.determination
    assert made
    advice = replace(talk.situation.advice, determination=replace(made, missing_facts=(asked,)))
    talk.situations = (replace(talk.situation, advice=advice),)
    after = talk.say("后果这一条我不清楚", DAY)
    assert "consequence" not in talk.situation.confirmed
    assert talk.situation.not_asked == {"consequence"}
    assert ("consequence", "严重") in {(f.name, f.value) for f in after.facts}
    assert "先照前面讲的判断" in after.understood
    assert after.determination
    assert "consequence" not in {m.fact for m in after.determination.missing_facts}
    talk.say("不对，没有人员伤亡，也没有损失", DAY)  # it can still be said
    assert talk.situation.confirmed["consequence"] == "无"
    assert talk.situation.not_asked == frozenset()


def test_questions_that_are_settled_make_room_for_others(parts: Parts) -> None:
    first = parts.advisor.ask(Question(CASE, DAY)).determination
    assert first
    settled = frozenset(m.fact for m in first.missing_facts)
    second = parts.advisor.ask(Question(CASE, DAY, settled=settled)).determination
    assert second
    assert second.scope == first.scope
    assert not settled & {m.fact for m in second.missing_facts}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("如果当时会议记录写了我反对呢？", "结论会从“属于问责范围”变为"),
        ("要是我已经退休了呢", "结论不变，仍是“属于问责范围”"),
    ],
)
def test_a_supposition_leaves_the_sheet_alone(talk: Conversation, text: str, sentence: str) -> None:
    before = talk.situations
    advice = talk.say(text, DAY)
    assert advice.supposed
    assert advice.answer.startswith("> 假设：")
    assert sentence in advice.answer.splitlines()[0]
    assert talk.situations == before


def test_a_question_about_the_rules_in_between_leaves_the_sheet_alone(talk: Conversation) -> None:
    before = talk.situations
    advice = talk.say("诫勉的影响期多长？", DAY)
    assert advice.kind == "knowledge"
    assert "6个月" in advice.answer
    assert talk.situations == before


def test_more_of_the_story_is_added(talk: Conversation) -> None:
    talk.say("补充一点，县里要求停产的通知我也压着没发", DAY)
    assert talk.situation
    assert CASE in talk.situation.story
    assert "压着没发" in talk.situation.story
    assert len(talk.situations) == 1


def test_another_matter_gets_a_sheet_of_its_own_and_one_can_go_back(talk: Conversation) -> None:
    talk.say("不对，没死人，擦破点皮", DAY)
    advice = talk.say(OTHER, DAY)
    assert "另一件事" in advice.understood
    assert "还是刚才那件事" in advice.understood
    assert len(talk.situations) == 2
    assert talk.current == 1
    assert talk.situation
    assert talk.situation.confirmed == {}
    talk.say("还是刚才那件事", DAY)
    assert len(talk.situations) == 1
    assert talk.situation.confirmed["consequence"] == "轻微"
    assert "承包商" in talk.situation.story


def test_back_to_an_earlier_matter_that_was_talked_about(talk: Conversation) -> None:
    talk.say(OTHER, DAY)
    talk.say("不对，没有人住院", DAY)
    talk.say("回到前面那件事", DAY)
    assert len(talk.situations) == 2
    assert talk.current == 0
    assert talk.situation
    assert talk.situation.story == CASE


def test_the_day_of_receipt_said_in_an_answer_gives_the_last_day(talk: Conversation) -> None:
    talk.say("已经给了诫勉，3月5日收到的决定", DAY)
    assert talk.situation
    assert talk.situation.received == date(2026, 3, 5)
    made = talk.situation.advice.determination
    assert made
    assert date(2026, 4, 5) in {s.deadline for r in made.routes for s in r.steps}


def test_what_cannot_be_read_leaves_the_sheet_alone(talk: Conversation) -> None:
    before = talk.situations
    for text in ("", "……", "问" * 100_000):
        with pytest.raises(QuestionError):
            talk.say(text, DAY)
    assert talk.situations == before


def test_numbers_that_identify_a_person_do_not_enter_the_story(talk: Conversation) -> None:
    talk.say("补充一下，矿主电话是13812345678，那天他也在矿上", DAY)
    assert talk.situation
    assert "13812345678" not in talk.situation.story


def test_a_fact_chosen_from_a_list(talk: Conversation) -> None:
    advice = talk.set("consequence", "无", DAY)
    assert advice.understood.startswith("已按您的改正更新：后果＝无。")
    talk.say(OTHER, DAY)
    talk.set("own_duty", "unknown", DAY, situation=0)
    assert talk.current == 0
    assert talk.situation
    assert talk.situation.confirmed == {"consequence": "无", "own_duty": "unknown"}


@pytest.mark.parametrize("words", ["谢谢", "今天雨真大", "嗯哼哼"])
def test_what_answers_no_question_is_asked_again_and_changes_nothing(talk: Conversation, words: str) -> None:
    before = talk.situations
    advice = talk.say(words, DAY)
    assert advice.understood.startswith("没有看懂")
    assert advice.determination
    assert advice.determination.missing_facts
    assert talk.situations == before


@pytest.mark.parametrize("words", ["唔知喔", "俺也知不道", "勿晓得", "晓得个啥"])
def test_not_knowing_in_dialect(talk: Conversation, words: str) -> None:
    assert "不清楚" in talk.say(words, DAY).understood


def test_before_anything_was_told_every_text_is_a_question_by_itself(
    parts: Parts, listener: Listener
) -> None:
    talk = Conversation(parts.advisor, listener)
    assert talk.say("诫勉的影响期多长？", DAY).kind == "knowledge"
    assert talk.situations == ()
    assert talk.say(CASE, DAY).kind == "scenario"
    assert len(talk.situations) == 1
