"""The conversation behind the page: each act with good and bad input, on the real advisor and a real SQLite file."""

from __future__ import annotations

import base64
import io
import json
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import icalendar
import pytest
from docx import Document
from lxml import html as lxml_html

from assistant.conversation import Asks, Listener, make_listener
from assistant.errors import IndexUnavailable, KnowledgeError, QuestionError, RecordsError
from assistant.law.corpus import Corpus
from assistant.law.names import Names, load_names
from assistant.model import Advice, Citation, Instrument, Provision, Question
from assistant.records.conversations import Conversations
from assistant.records.feedback import FeedbackBox
from assistant.records.store import Store
from assistant.settings import Settings, load_settings
from assistant.veil import Veil
from assistant.web import exporting
from assistant.web.card import Wording, turn_html
from assistant.web.chat import STOPPED, Chat, Room
from assistant.web.chat_page import Tabs
from assistant.web.keeping import from_body, title_of, to_body
from assistant.web.registry import Registry
from assistant.web.sheet import citation, marked, sheet
from assistant.web.thread import (
    FAULT,
    Thread,
    Turn,
    answered,
    load_examples,
    moved,
    next_turn,
    read_days,
    reply,
)
from assistant.wiring import Parts
from tests.chatting import (
    CASE,
    DECIDED,
    ELSEWHERE,
    OPEN,
    OTHER,
    REPORT,
    RULE,
    Adding,
    Broken,
    Remembering,
    Slow,
)
from tests.injections import INJECTIONS, live, words

TODAY = date(2026, 3, 20)
NOW = datetime(2026, 3, 20, 4, tzinfo=UTC)
ME, YOU = "browser:me", "browser:you"
PRIVATE = (
    "我叫欧阳建国，是分管安全的副镇长，身份证330106198001012339，手机13812345678，工资卡6222021234567890128，"
    "住杭州市西湖区文三路391号3幢2单元501室。镇里的采石场长期违规开采，我知道后没有去查，后来塌方死了两个人，"
    "造成重大损失。我会被问责吗？"
)
SECRETS = ("欧阳建国", "330106198001012339", "13812345678", "6222021234567890128", "391号", "501室")
MARK = "磨盘沟独一无二"


@pytest.fixture(scope="module")
def advisor(parts: Parts) -> Remembering:
    return Remembering(parts.advisor)


@pytest.fixture(scope="module")
def listener(settings: Settings) -> Listener:
    return make_listener(settings)


@pytest.fixture(scope="module")
def names(settings: Settings) -> Names:
    return load_names(settings.knowledge)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(f"sqlite:///{tmp_path}/records.db")) as opened:
        yield opened


@pytest.fixture
def room(
    parts: Parts, advisor: Remembering, listener: Listener, settings: Settings, names: Names, store: Store
) -> Room:
    return Room(
        advisor=advisor,
        listener=listener,
        stock=parts.corpus,
        settings=settings,
        names=names,
        drafter=lambda: parts.drafter,
        replayer=lambda: replace(parts.replayer, ask=advisor.ask),
        kept=Conversations(store),
        box=FeedbackBox(store),
        today=lambda: TODAY,
        now=lambda: NOW,
    )


@pytest.fixture
def chat(room: Room) -> Chat:
    return Chat(room, ME)


@pytest.fixture
def wording(listener: Listener) -> Wording:
    return Wording(listener.labels, listener.vocabulary)


def say(chat: Chat, text: str, **more: Any) -> dict[str, Any]:
    """Say something that is answered."""
    shown = chat.act({"do": "say", "text": text, "follow": True, **more})
    assert "put" in shown, shown
    return shown


def card(shown: dict[str, Any]) -> str:
    """The HTML of the turn that was put last."""
    assert "put" in shown, shown
    return str(shown["put"][-1]["html"])


def label(shown: dict[str, Any]) -> str:
    found = re.search(r'<h2 class="z-label">([^<]*)</h2>', card(shown))
    assert found
    return found[1]


def kept_ids(room: Room, owner: str = ME) -> list[str]:
    assert room.kept
    return [h.id for h in room.kept.listed(owner)]


def content(shown: dict[str, Any]) -> bytes:
    return base64.b64decode(shown["save"]["content"])


def on_disk(folder: Path) -> bytes:
    """Every byte in the folder, with what JSON or UTF-16 would make of it left as it is."""
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def is_a_sentence(notice: str) -> bool:
    """One calm Chinese sentence, which does not speak of the program's insides."""
    return bool(re.fullmatch(r"[^\n]*[一-鿿][^\n]*[。；]?", notice)) and not re.search(
        r"Traceback|Error|Exception|None|\bat 0x|<class", notice
    )


# ---------------------------------------------------------------- acts that make no sense

STRANGE: tuple[Any, ...] = (
    None, True, -1, 99, 10**30, 1.5, float("nan"), "", "x", "\x00", "\ud800", "字" * 100_000, [], [[]], [None],
    ["unknown"] * 1000, {}, {"a": 1}, {"do": {"do": []}}, "2026-13-45", "🙂" * 500, "' OR 1=1 --",
)  # fmt: skip
FIELDS: dict[str, dict[str, Any]] = {
    "hello": {},
    "say": {"text": RULE, "follow": True, "day": "", "received": "", "happened": "", "turn": 1, "ask": "1"},
    "retry": {"turn": 0, "ask": "1"},
    "stop": {"ask": "7"},
    "stage": {"turn": 0},
    "set": {"turn": 0, "fact": "consequence", "values": ["无"]},
    "suppose": {"turn": 0, "fact": "consequence", "values": ["无"]},
    "dates": {"turn": 0, "received": "2026-03-05", "decided": {"x": "2026-03-06"}},
    "source": {"turn": 0, "id": "wenze-2019#7", "words": "问责"},
    "calendar": {"turn": 0},
    "drafts": {"turn": 0},
    "draft": {"turn": 0, "kind": "appeal"},
    "docx": {"text": "标题\n正文"},
    "receipt": {"turn": 0, "without": False},
    "new": {},
    "quiet": {"on": False},
    "list": {"words": "采石场"},
    "open": {"id": "x"},
    "rename": {"id": "x", "title": "名称"},
    "forget": {"id": "x", "all": False},
    "export": {"id": "", "format": "md"},
    "feedback": {"turn": 0, "right": True, "reason": "好", "clause": ""},
}


@pytest.mark.parametrize("deed", FIELDS)
def test_no_act_raises_whatever_its_fields_are(deed: str, room: Room) -> None:
    """What a page of another version, or a person with other tools, may send."""
    begun = Chat(room, ME)
    say(begun, CASE)
    for name in (*FIELDS[deed], "tab"):
        for value in STRANGE:
            chat = Chat(room, ME)
            chat.__dict__.update({k: v for k, v in begun.__dict__.items() if k != "_guard"})
            shown = chat.act({"do": deed, **FIELDS[deed], name: value})
            assert isinstance(shown, dict)
            json.dumps(shown)
            notice = shown.get("notice", "")
            assert notice != FAULT, (deed, name, str(value)[:40])
            assert not notice or is_a_sentence(notice), (deed, name, notice)
            for put in shown.get("put", ()):
                assert FAULT not in put["html"], (deed, name, str(value)[:40])


@pytest.mark.parametrize("deed", FIELDS)
def test_every_act_bears_to_be_sent_before_anything_was_said(deed: str, chat: Chat) -> None:
    for sent in ({"do": deed}, {"do": deed, **FIELDS[deed]}):
        shown = chat.act(sent)
        notice = shown.get("notice", "")
        assert notice != FAULT
        assert not notice or is_a_sentence(notice)


@pytest.mark.parametrize(
    "act", [{}, {"do": "__init__"}, {"do": "act"}, {"do": None}, {"do": ["say"]}, {"do": "_keep"}]
)
def test_what_is_no_act_is_told_to_reload(chat: Chat, act: dict[str, Any]) -> None:
    assert "刷新页面" in chat.act(act)["notice"]


@pytest.mark.parametrize("turn", [-1, 1, 99, None, "0", True, [0], 0.0])
@pytest.mark.parametrize(
    "deed", ["set", "suppose", "dates", "calendar", "drafts", "draft", "retry", "feedback"]
)
def test_a_turn_that_is_not_there_is_named_so(chat: Chat, deed: str, turn: Any) -> None:
    say(chat, CASE)
    shown = chat.act({"do": deed, **FIELDS[deed], "turn": turn})
    assert "不在这里了" in shown["notice"]
    assert "put" not in shown


@pytest.mark.parametrize(
    ("fact", "values"),
    [
        ("consequence", ["没有这个值"]), ("consequence", []), ("consequence", "无"), ("consequence", [None]),
        ("consequence", None), ("没有这一项", ["yes"]), ("", ["unknown"]), ("consequence", [["无"]]),
        *(("consequence", [text]) for text in INJECTIONS),
    ],
)  # fmt: skip
@pytest.mark.parametrize("deed", ["set", "suppose"])
def test_only_values_of_the_fact_can_be_chosen(chat: Chat, deed: str, fact: str, values: Any) -> None:
    say(chat, CASE)
    shown = chat.act({"do": deed, "turn": 0, "fact": fact, "values": values})
    assert shown == {"notice": "请先选这一项应该是什么。"}


# ---------------------------------------------------------------- saying, trying again, stopping


def test_a_story_gets_a_verdict_and_is_kept(chat: Chat, room: Room) -> None:
    shown = say(chat, f"  {CASE}\n")
    assert label(shown) == "属于问责范围"
    assert shown["begun"] is True
    assert shown["focus"] == 0
    assert CASE in card(shown)
    assert len(kept_ids(room)) == 1
    assert "采石场" not in shown["history"].split("z-heading")[0]


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"text": ""}, "请先写下情况"),
        ({"text": "  \n "}, "请先写下情况"),
        ({"text": "……？！"}, "只看到标点"),
        ({"text": "问" + "责" * 7000}, "上限"),
        ({"text": CASE, "day": "昨天"}, "适用规定的日期“昨天”不是一个日期"),
        ({"text": CASE, "received": "2026-03-21"}, "还没有到"),
        ({"text": CASE, "happened": "某年"}, "读不懂"),
        ({"text": CASE, "turn": 4}, "不在这里了"),
    ],
)
def test_words_that_cannot_be_used_leave_nothing_behind(
    chat: Chat, room: Room, sent: dict[str, Any], sentence: str
) -> None:
    """The page puts the words back into the box; there is no turn that holds them."""
    shown = chat.act({"do": "say", "follow": True, **sent})
    assert sentence in shown["notice"]
    assert shown.keys() == {"notice"}
    assert kept_ids(room) == []
    assert 'id="turn-0"' in card(say(chat, CASE))


def test_the_stages_are_those_of_the_answer(room: Room, parts: Parts) -> None:
    heard: list[str] = []

    class Hearing:
        def ask(self, question: Question, on_stage: Any = None) -> Advice:
            def tell(stage: str) -> None:
                on_stage(stage)
                heard.append(chat.act({"do": "stage"})["stage"])

            return parts.advisor.ask(question, tell)

    chat = Chat(replace(room, advisor=Hearing()), "browser:1")
    assert chat.act({"do": "say", "text": CASE})["put"]
    assert heard == ["facts", "search", "judge", "verify"]


def test_a_failure_can_be_tried_again(room: Room, advisor: Remembering) -> None:
    class Failing:
        broken = True

        def ask(self, question: Question, on_stage: Any = None) -> Advice:
            if self.broken:
                raise IndexUnavailable("索引正在重建，请稍后再试。")
            return advisor.ask(question)

    failing = Failing()
    chat = Chat(replace(room, advisor=failing), ME)
    shown = say(chat, CASE)
    assert "索引正在重建" in card(shown)
    assert 'data-do="retry"' in card(shown)
    assert kept_ids(room) == []
    failing.broken = False
    again = chat.act({"do": "retry", "turn": 0})
    assert label(again) == "属于问责范围"
    assert len(kept_ids(room)) == 1
    assert "重试" in chat.act({"do": "retry", "turn": 0})["notice"]


def test_a_bug_is_one_calm_sentence_and_the_log_has_type_and_place_only(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    chat = Chat(replace(room, advisor=Broken()), ME)
    shown = say(chat, "张三的事，我是副镇长，会被问责吗")
    assert "程序出了差错" in card(shown)
    assert "ValueError" in caplog.text
    assert "chatting.py" in caplog.text
    assert "张三" not in caplog.text
    assert kept_ids(room) == []
    turn = reply(
        next_turn("张三", read_days("", "", TODAY), True), lambda: Broken().ask(Question("张三", TODAY))
    )
    assert turn.error == FAULT


def stopped(room: Room, advisor: Asks, text: str) -> tuple[Chat, dict[str, Any]]:
    """A chat whose answer is stopped while it is worked on, and what the page was told."""
    slow = Slow(advisor)
    chat = Chat(replace(room, advisor=slow), ME)
    slow.hold()
    shown: list[dict[str, Any]] = []
    asking = threading.Thread(target=lambda: shown.append(say(chat, text, ask="7")))
    asking.start()
    assert slow.begun.wait(30)
    assert chat.act({"do": "stage"}) == {"stage": "judge"}
    assert chat.act({"do": "stop", "ask": "7"}) == {}
    slow.release()
    asking.join(30)
    return chat, shown[0]


def test_a_stopped_answer_is_neither_shown_nor_kept_and_can_be_asked_again(
    room: Room, advisor: Remembering, tmp_path: Path
) -> None:
    chat, shown = stopped(room, advisor, CASE)
    assert STOPPED in card(shown)
    assert "z-verdict" not in card(shown)
    assert kept_ids(room) == []
    say(chat, RULE)
    assert "采石场" not in on_disk(tmp_path).decode("utf-8", "ignore")
    chat, shown = stopped(room, advisor, CASE)
    assert label(chat.act({"do": "retry", "turn": 0, "ask": "8"})) == "属于问责范围"


def test_a_stop_for_another_question_stops_nothing(chat: Chat) -> None:
    for ask in ("0", "1", "", None, 0, 1, "x" * 100):
        chat.act({"do": "stop", "ask": ask, "turn": 0})
    assert label(say(chat, CASE, ask="2")) == "属于问责范围"
    assert label(say(chat, OTHER, follow=False)) != ""


def test_a_stop_may_come_before_what_it_stops(chat: Chat) -> None:
    chat.act({"do": "stop", "ask": "5"})
    assert STOPPED in card(say(chat, CASE, ask="5"))


def test_too_many_questions_are_refused_and_stand_in_no_list(room: Room) -> None:
    def refuse(owner: str) -> None:
        raise QuestionError(f"问得太快了，{owner}。")

    chat = Chat(replace(room, pace=refuse), ME)
    assert chat.act({"do": "say", "text": CASE}) == {"notice": f"问得太快了，{ME}。"}
    assert chat.act({"do": "retry", "turn": 0})["notice"]


# ---------------------------------------------------------------- facts


def test_a_corrected_fact_moves_the_verdict_in_place(chat: Chat) -> None:
    first = say(chat, CASE)
    shown = chat.act({"do": "set", "turn": 0, "fact": "consequence", "values": ["无"]})
    assert [put["id"] for put in shown["put"]] == ["turn-0"]
    assert label(shown) != label(first)
    assert "您确认的" in card(shown)
    assert "已按您的改正更新：后果＝无。" in words(card(shown))
    back = chat.act({"do": "set", "turn": 0, "fact": "consequence", "values": ["严重"]})
    assert label(back) == label(first)


def test_not_known_is_a_value_of_every_fact(chat: Chat, listener: Listener, wording: Wording) -> None:
    say(chat, CASE)
    for name in [*listener.vocabulary.facts][::4]:
        shown = chat.act({"do": "set", "turn": 0, "fact": name, "values": ["unknown"]})
        assert "put" in shown, (name, shown)
    assert "不清楚" in words(card(shown))


def test_several_values_of_one_fact(chat: Chat, listener: Listener) -> None:
    say(chat, CASE)
    many = next(k for k in listener.vocabulary.facts.values() if k.kind == "many" and len(k.values) > 1)
    shown = chat.act({"do": "set", "turn": 0, "fact": many.name, "values": list(many.values[:2])})
    for value in many.values[:2]:
        assert many.show(value) in words(card(shown))


def test_the_questions_are_answered_with_the_buttons_that_are_shown(chat: Chat) -> None:
    made = card(say(chat, CASE))
    buttons = re.findall(
        r'class="z-reply" data-do="reply" data-turn="0" data-fact="(\w+)" data-value="(\w+)"', made
    )
    assert buttons
    fact, value = buttons[0]
    shown = chat.act({"do": "set", "turn": 0, "fact": fact, "values": [value]})
    assert f'data-fact="{fact}" data-value="{value}"' not in card(shown)
    assert label(shown) == "属于，但可免责"


def test_a_supposition_is_shown_beside_and_changes_nothing(chat: Chat) -> None:
    first = say(chat, CASE)
    shown = chat.act({"do": "suppose", "turn": 0, "fact": "dissent_recorded", "values": ["yes"]})
    rows = lxml_html.fromstring(shown["sheet"]).xpath("//tbody/tr")
    told = {row[0].text_content(): (row[1].text_content(), row[2].text_content()) for row in rows}
    assert told["结论"] == (label(first), "属于，但可免责")
    assert len(told) == 7
    assert "结论会改变" in shown["sheet"]
    assert live(shown["sheet"]) == []
    same = chat.act({"do": "suppose", "turn": 0, "fact": "consequence", "values": ["严重"]})
    assert "结论不变" in same["sheet"]
    assert "put" not in shown
    adopted = chat.act({"do": "set", "turn": 0, "fact": "dissent_recorded", "values": ["yes"]})
    assert label(adopted) == told["结论"][1]


def test_a_supposition_is_compared_with_the_matter_as_it_stands(chat: Chat) -> None:
    """Not with the answer that the button stood under: meanwhile more was said."""
    say(chat, CASE)
    assert label(say(chat, "说错了，没有死人，就擦破点皮")) == "一般工作问题，不是问责"
    shown = chat.act({"do": "suppose", "turn": 0, "fact": "consequence", "values": ["轻微"]})
    assert "结论不变" in shown["sheet"]


def test_what_is_no_matter_has_no_facts_to_set(chat: Chat) -> None:
    say(chat, RULE)
    for deed in ("set", "suppose"):
        assert (
            "没有可以改的事实"
            in chat.act({"do": deed, "turn": 0, "fact": "consequence", "values": ["无"]})["notice"]
        )
    assert "没有可以改的事实" in chat.act({"do": "dates", "turn": 0, "received": "2026-03-05"})["notice"]
    assert "不能据它写材料" in chat.act({"do": "drafts", "turn": 0})["notice"]


def test_only_the_newest_answer_about_a_matter_is_corrected(chat: Chat) -> None:
    say(chat, CASE)
    shown = say(chat, "补充一下，会上我明确反对过，纪要里写着")
    assert [put["id"] for put in shown["put"]] == ["turn-0", "turn-1"]
    older, newer = (put["html"] for put in shown["put"])
    assert "disabled" in older
    assert 'class="z-reply"' not in older
    assert 'data-do="add-fact"' in newer
    assert " disabled" not in newer.split("z-parts")[0]


def test_after_two_matters_were_joined_each_card_belongs_to_the_right_one(chat: Chat) -> None:
    say(chat, CASE)
    second = say(chat, OTHER)
    assert "看来说的是另一件事" in words(card(second))
    joined = say(chat, "还是刚才那件事")
    assert "已并在一起" in words(card(joined))
    assert [put["id"] for put in joined["put"]] == ["turn-0", "turn-1", "turn-2"]
    other = say(chat, OPEN, follow=False)
    assert [put["id"] for put in other["put"]] == ["turn-3"]
    moved_one = chat.act({"do": "set", "turn": 2, "fact": "consequence", "values": ["轻微"]})
    assert [put["id"] for put in moved_one["put"]] == ["turn-2"]
    assert "后果＝轻微" in words(card(moved_one))
    moved_other = chat.act({"do": "set", "turn": 3, "fact": "identity_kind", "values": ["unknown"]})
    assert "put" in moved_other
    assert "采石场" not in words(card(moved_other))


def test_each_of_two_matters_keeps_its_own_facts(chat: Chat) -> None:
    first = say(chat, CASE)
    say(chat, OTHER, follow=False)
    shown = chat.act({"do": "set", "turn": 0, "fact": "consequence", "values": ["无"]})
    assert label(shown) != label(first)
    other = chat.act({"do": "suppose", "turn": 1, "fact": "consequence", "values": ["unknown"]})
    assert "采石场" not in other["sheet"]


# ---------------------------------------------------------------- days


def test_the_day_a_decision_was_received_gives_deadlines_and_a_calendar(chat: Chat) -> None:
    first = say(chat, DECIDED)
    assert "z-left" not in card(first)
    assert "先填收到决定的日期" in chat.act({"do": "calendar", "turn": 0})["notice"]
    shown = chat.act({"do": "dates", "turn": 0, "received": "2026-03-05", "decided": {}})
    assert shown["stay"] is True
    assert 'datetime="2026-04-05"' in card(shown)
    assert "还有 16 天" in words(card(shown))
    made = chat.act({"do": "calendar", "turn": 0})["save"]
    assert made["name"].endswith(".ics")
    events = list(icalendar.Calendar.from_ical(base64.b64decode(made["content"])).walk("VEVENT"))
    days = {event.decoded("DTSTART") for event in events}
    assert date(2026, 4, 5) in {d.date() if isinstance(d, datetime) else d for d in days}
    assert "张" not in str(events)


def test_a_later_decision_is_counted_from_its_own_day(chat: Chat) -> None:
    story = "我是县应急局的科长，不是党员，矿山的隐患我没有去查，后来塌方死了两个人。监委给了我政务记过处分，我不服。"
    say(chat, story)
    shown = chat.act({"do": "dates", "turn": 0, "received": "2026-02-10", "decided": {}})
    ids = re.findall(r'name="decided" data-id="([^"]+)"', card(shown))
    assert ids
    sent = {"do": "dates", "turn": 0, "received": "2026-02-10", "decided": {ids[0]: "2026-03-16"}}
    later = chat.act(sent)
    assert 'value="2026-03-16"' in card(later)
    assert card(later).count("z-left") > card(shown).count("z-left")
    cleared = chat.act({**sent, "decided": {}})
    assert 'value="2026-03-16"' not in card(cleared)


@pytest.mark.parametrize(
    ("received", "decided", "sentence"),
    [
        ("昨天", {}, "收到决定的日期“昨天”不是一个日期"),
        ("2026-02-30", {}, "不是一个日期"),
        ("2026-03-21", {}, "还没有到"),
        ("9999-12-31", {}, "还没有到"),
    ],
)
def test_days_that_cannot_be_are_refused(
    chat: Chat, received: str, decided: dict[str, str], sentence: str
) -> None:
    say(chat, DECIDED)
    shown = chat.act({"do": "dates", "turn": 0, "received": received, "decided": decided})
    assert sentence in shown["notice"]
    assert "put" not in shown


def test_the_day_given_last_stands(chat: Chat) -> None:
    """A day given with the words, another one below the answer, then a corrected fact: the second one counts."""
    say(chat, DECIDED, received="2026-03-02")
    shown = chat.act({"do": "dates", "turn": 0, "received": "2026-03-05"})
    assert 'datetime="2026-04-05"' in card(shown)
    shown = chat.act({"do": "set", "turn": 0, "fact": "consequence", "values": ["严重"]})
    assert 'datetime="2026-04-05"' in card(shown)
    cleared = chat.act({"do": "dates", "turn": 0, "received": ""})
    assert "z-left" not in card(cleared)
    shown = chat.act({"do": "set", "turn": 0, "fact": "consequence", "values": ["unknown"]})
    assert "2026-03-02" not in card(shown)


def test_a_new_day_leaves_the_time_of_the_matter_alone(chat: Chat) -> None:
    say(chat, DECIDED, happened="2018-05")
    say(chat, "补充一下，会上我没有提过意见")
    before = words(card(chat.act({"do": "set", "turn": 1, "fact": "consequence", "values": ["严重"]})))
    assert "2018" in before
    after = words(card(chat.act({"do": "dates", "turn": 1, "received": "2026-03-05"})))
    assert "2018" in after


def test_a_day_that_the_words_tell_is_in_the_field(chat: Chat) -> None:
    shown = say(chat, DECIDED.replace("我不服", "3月5日收到决定，我不服"))
    assert 'name="received" value="2026-03-05"' in card(shown)
    assert 'datetime="2026-04-05"' in card(shown)


# ---------------------------------------------------------------- sources


def test_a_source_opens_with_what_it_says(chat: Chat, corpus: Corpus) -> None:
    made = card(say(chat, CASE))
    id = re.findall(r'class="z-cite" data-do="source" data-turn="0" data-id="([^"]+)"', made)[0]
    provision = corpus.provision(id)
    sentence = provision.digest or provision.text or ""
    shown = chat.act({"do": "source", "turn": 0, "id": id, "words": sentence})["sheet"]
    told = words(shown)
    assert provision.label in told
    assert "[1]" in told
    assert "要旨" in told or "原文" in told
    assert "<mark>" in shown
    assert "自 2019-09-01 起" in told
    assert "后一条" in told or "前一条" in told
    assert 'data-do="source" data-turn="0"' in shown
    assert live(shown) == []


@pytest.mark.parametrize(
    "id", ["", "没有这一条", "../../etc/passwd", "x" * 10_000, None, 7, ["wenze-2019#7"], {}]
)
def test_a_source_that_is_not_in_stock_is_told_so(chat: Chat, id: Any) -> None:
    shown = chat.act({"do": "source", "turn": 0, "id": id})
    assert "知识库里没有这一条" in shown["sheet"]


def test_every_source_of_every_kind_of_answer_opens(chat: Chat) -> None:
    for text in (CASE, DECIDED, RULE, OTHER, OPEN):
        shown = say(chat, text, follow=False)
        for id in set(re.findall(r'data-do="source" data-turn="\d+" data-id="([^"]+)"', card(shown))):
            told = chat.act({"do": "source", "turn": shown["focus"], "id": id, "words": words(card(shown))})[
                "sheet"
            ]
            assert "z-sheet-title" in told
            assert live(told) == []


# ---------------------------------------------------------------- drafts


def test_a_draft_is_written_edited_and_downloaded(chat: Chat) -> None:
    say(chat, DECIDED)
    chat.act({"do": "dates", "turn": 0, "received": "2026-03-05"})
    kinds = chat.act({"do": "drafts", "turn": 0})["sheet"]
    assert "适合这件事" in kinds
    assert live(kinds) == []
    drafted = chat.act({"do": "draft", "turn": 0, "kind": "appeal"})["sheet"]
    text = lxml_html.fromstring(drafted).xpath("//textarea")[0].text
    assert "副镇长" in text
    assert "【" in text
    assert "《中国共产党问责条例》" in text
    edited = text + "\n补充：当天我在县里开会。"
    made = chat.act({"do": "docx", "text": edited})["save"]
    assert made["name"].endswith(".docx")
    told = "\n".join(p.text for p in Document(io.BytesIO(base64.b64decode(made["content"]))).paragraphs)
    assert "补充：当天我在县里开会。" in told
    assert "副镇长" in told


@pytest.mark.parametrize("kind", ["", "没有这种", None, ["appeal"], "appeal\x00"])
def test_a_draft_of_another_kind_is_one_sentence(chat: Chat, kind: Any) -> None:
    say(chat, DECIDED)
    notice = chat.act({"do": "draft", "turn": 0, "kind": kind})["notice"]
    assert notice != FAULT
    assert is_a_sentence(notice)


@pytest.mark.parametrize("text", ["", " \n ", None, 7, "字" * 60_000])
def test_a_document_of_nothing_or_too_much_is_one_sentence(chat: Chat, text: Any) -> None:
    notice = chat.act({"do": "docx", "text": text})["notice"]
    assert notice != FAULT
    assert is_a_sentence(notice)


def test_a_document_holds_what_was_written_as_it_stands(chat: Chat) -> None:
    for text in INJECTIONS:
        made = chat.act({"do": "docx", "text": f"情况说明\n一、经过\n{text}结束"})["save"]
        assert re.fullmatch(r"[^/\\:*?\"<>|]+\.docx", made["name"])
        told = "\n".join(p.text for p in Document(io.BytesIO(base64.b64decode(made["content"]))).paragraphs)
        assert "结束" in told
    hostile = chat.act({"do": "docx", "text": "<b>../../a:b*?\n正文"})["save"]
    assert hostile["name"] == "b a b.docx"


# ---------------------------------------------------------------- what is kept


def test_a_conversation_goes_on_after_it_was_opened_again(room: Room) -> None:
    first = Chat(room, ME)
    say(first, DECIDED)
    say(first, RULE)
    (id,) = kept_ids(room)
    later = Chat(room, ME)
    opened = later.act({"do": "open", "id": id})
    assert [put["id"] for put in opened["put"]] == ["turn-0", "turn-1"]
    assert (opened["clear"], opened["begun"], opened["off"]) == (True, True, False)
    assert 'data-fact="consequence"' in opened["put"][0]["html"]
    moved_one = later.act({"do": "set", "turn": 0, "fact": "consequence", "values": ["无"]})
    assert "后果＝无" in words(card(moved_one))
    assert "put" in later.act({"do": "dates", "turn": 0, "received": "2026-03-05"})
    assert "sheet" in later.act({"do": "suppose", "turn": 0, "fact": "consequence", "values": ["严重"]})
    assert "sheet" in later.act({"do": "draft", "turn": 0, "kind": "appeal"})
    said = say(later, "补充一下，会上我明确反对过，纪要里写着")
    assert said["put"][-1]["id"] == "turn-2"
    assert kept_ids(room) == [id]
    again = Chat(room, ME).act({"do": "open", "id": id})
    assert len(again["put"]) == 3
    assert "您确认的" in again["put"][2]["html"]


def test_the_open_conversation_opened_once_more_keeps_its_real_words(room: Room) -> None:
    chat = Chat(room, ME)
    say(chat, PRIVATE)
    assert "欧阳建国" in card(chat.act({"do": "open", "id": kept_ids(room)[0]}))
    assert "欧阳建国" not in card(Chat(room, ME).act({"do": "open", "id": kept_ids(room)[0]}))


def test_the_list_is_searched_renamed_and_stays_narrowed(room: Room) -> None:
    chat = Chat(room, ME)
    say(chat, CASE)
    chat.act({"do": "new"})
    shown = say(chat, OTHER)
    assert shown["history"].count("<li") == 2
    found = chat.act({"do": "list", "words": "采石场 塌方"})["history"]
    assert found.count("<li") == 1
    assert "没有找到" in chat.act({"do": "list", "words": "没有这样的话"})["history"]
    chat.act({"do": "list", "words": "采石场"})
    (id,) = re.findall(
        r'data-do="open" data-id="(\w+)"', chat.act({"do": "list", "words": "采石场"})["history"]
    )
    renamed = chat.act({"do": "rename", "id": id, "title": "  我的\n事情 "})["history"]
    assert "我的 事情" in renamed
    assert renamed.count("<li") == 1
    assert "请写一个名称" in chat.act({"do": "rename", "id": id, "title": " "})["notice"]
    assert "不在了" in chat.act({"do": "rename", "id": "x", "title": "好"})["notice"]
    assert (
        "张三丰"
        not in chat.act({"do": "rename", "id": id, "title": "张三丰的事，电话13812345678"})["history"]
    )


def test_a_title_given_by_the_person_stays(chat: Chat, room: Room) -> None:
    say(chat, CASE)
    (id,) = kept_ids(room)
    chat.act({"do": "rename", "id": id, "title": "采石场的事"})
    assert "采石场的事" in say(chat, RULE)["history"]


def test_delete_deletes_every_byte(room: Room, tmp_path: Path) -> None:
    chat = Chat(room, ME)
    say(chat, CASE.replace("采石场", f"{MARK}采石场"))
    assert MARK.encode() in on_disk(tmp_path)
    (id,) = kept_ids(room)
    gone = chat.act({"do": "forget", "id": id})
    assert gone["clear"] is True
    assert gone["notice"] == "已经删除。"
    assert MARK.encode() not in on_disk(tmp_path)
    assert "不在了" in chat.act({"do": "open", "id": id})["notice"]
    assert "不在了" in chat.act({"do": "forget", "id": id})["notice"]
    say(chat, CASE.replace("采石场", f"{MARK}采石场"))
    chat.act({"do": "new"})
    say(chat, OTHER)
    assert len(kept_ids(room)) == 2
    chat.act({"do": "forget", "all": True})
    assert kept_ids(room) == []
    assert MARK.encode() not in on_disk(tmp_path)


def test_what_was_deleted_in_another_tab_stays_deleted(room: Room, tmp_path: Path) -> None:
    here, there = Chat(room, ME), Chat(room, ME)
    say(here, CASE.replace("采石场", f"{MARK}采石场"))
    (id,) = kept_ids(room)
    there.act({"do": "forget", "id": id})
    shown = here.act({"do": "set", "turn": 0, "fact": "consequence", "values": ["无"]})
    assert shown["off"] is True
    assert "已在别处删除" in shown["notice"]
    say(here, RULE)
    assert kept_ids(room) == []
    assert MARK.encode() not in on_disk(tmp_path)


def test_without_a_trace_nothing_is_kept_and_what_was_is_deleted(room: Room, tmp_path: Path) -> None:
    chat = Chat(room, ME)
    say(chat, CASE.replace("采石场", f"{MARK}采石场"))
    off = chat.act({"do": "quiet", "on": True})
    assert off["off"] is True
    assert MARK.encode() not in on_disk(tmp_path)
    say(chat, CASE.replace("采石场", f"{MARK}采石场"))
    chat.act({"do": "set", "turn": 0, "fact": "consequence", "values": ["无"]})
    chat.act({"do": "feedback", "turn": 0, "right": False, "reason": "不对"})
    assert kept_ids(room) == []
    assert MARK.encode() not in on_disk(tmp_path)
    assert room.box
    assert [f.scenario for f in room.box.listed()] == [""]
    chat.act({"do": "new"})
    say(chat, CASE)
    assert kept_ids(room) == []
    assert chat.act({"do": "quiet", "on": False})["off"] is False
    assert len(kept_ids(room)) == 1


def test_where_nothing_is_to_be_kept_nothing_is(
    room: Room, parts: Parts, tmp_path: Path, store: Store
) -> None:
    settings = parts.settings.model_copy(update={"keep_history": False})
    for told in (
        replace(room, settings=settings),
        replace(room, settings=settings, kept=None),
        replace(room, kept=None),
    ):
        chat = Chat(told, ME)
        assert chat.act({"do": "hello"})["off"] is True
        say(chat, CASE.replace("采石场", f"{MARK}采石场"))
        assert chat.act({"do": "quiet", "on": False})["off"] is True
        say(chat, RULE)
        assert "put" in chat.act({"do": "set", "turn": 0, "fact": "consequence", "values": ["无"]})
    assert MARK.encode() not in on_disk(tmp_path)


def test_private_things_are_in_no_byte_of_the_file_and_on_the_screen_as_they_are(
    room: Room, tmp_path: Path
) -> None:
    chat = Chat(room, ME)
    shown = say(chat, PRIVATE)
    assert all(secret in words(card(shown)) for secret in SECRETS)
    say(chat, "补充一下，欧阳建国当时打过13812345678这个电话，住的地方是文三路391号")
    chat.act({"do": "set", "turn": 1, "fact": "consequence", "values": ["轻微"]})
    chat.act({"do": "rename", "id": kept_ids(room)[0], "title": "欧阳建国的事13812345678"})
    chat.act(
        {
            "do": "feedback",
            "turn": 1,
            "right": False,
            "reason": "欧阳建国说不对",
            "clause": "欧阳建国认为是第七条",
        }
    )
    chat.act({"do": "quiet", "on": False})
    written = on_disk(tmp_path)
    assert "采石场".encode() in written
    for secret in SECRETS:
        assert secret.encode() not in written, secret
        assert secret.encode("utf-16-le") not in written, secret
        assert json.dumps(secret)[1:-1].encode() not in written or secret.isascii(), secret


@pytest.mark.parametrize("first", [(), (CASE,)])
def test_of_a_report_nothing_is_kept_but_the_answer_on_the_screen(
    room: Room, tmp_path: Path, first: tuple[str, ...]
) -> None:
    chat = Chat(room, ME)
    for text in first:
        say(chat, text)
    shown = say(chat, REPORT)
    assert "赵德柱" not in card(shown)
    assert "没有保存" in words(card(shown))
    assert "feedback" not in card(shown)
    index = len(first)
    assert (
        "不能收意见" in chat.act({"do": "feedback", "turn": index, "right": True, "reason": "好"})["notice"]
    )
    say(chat, RULE)
    chat.act({"do": "rename", "id": kept_ids(room)[0], "title": "名称"})
    assert "没有保存" not in chat.act({"do": "list"})["history"]
    written = on_disk(tmp_path)
    for word in ("赵德柱", "举报我们镇", "二十万"):
        assert word.encode() not in written
    assert len(Chat(room, ME).act({"do": "open", "id": kept_ids(room)[0]})["put"]) == len(first) + 1


def test_a_report_that_was_stopped_or_failed_is_not_kept_either(
    room: Room, advisor: Remembering, tmp_path: Path
) -> None:
    chat, _ = stopped(room, advisor, REPORT)
    shown = say(chat, RULE)
    assert "赵德柱" not in shown["history"]
    assert "赵德柱".encode() not in on_disk(tmp_path)


def test_two_owners_never_see_each_others(room: Room) -> None:
    mine, yours = Chat(room, ME), Chat(room, YOU)
    say(mine, CASE)
    (id,) = kept_ids(room)
    assert "还没有保存的对话" in yours.act({"do": "list", "words": ""})["history"]
    assert "没有找到" in yours.act({"do": "list", "words": "采石场"})["history"]
    for act in (
        {"do": "open"},
        {"do": "export", "format": "md"},
        {"do": "rename", "title": "我的"},
        {"do": "forget"},
    ):
        shown = yours.act({**act, "id": id})
        assert "不在了" in shown["notice"], act
        assert "采石场" not in json.dumps(shown, ensure_ascii=False)
    yours.act({"do": "forget", "all": True})
    assert kept_ids(room) == [id]
    assert "采石场" in mine.act({"do": "list", "words": ""})["history"]
    tabs = Tabs(room)
    assert tabs.of(ME, "1") is tabs.of(ME, "1")
    assert tabs.of(ME, "1") is not tabs.of(YOU, "1")
    assert tabs.of(ME, "1") is not tabs.of(ME, "2")


def test_conversations_go_when_their_time_is_over(room: Room, store: Store, tmp_path: Path) -> None:
    chat = Chat(room, "user:1")
    say(chat, CASE.replace("采石场", f"{MARK}采石场"))
    settings = load_settings(data=tmp_path, retention_days=30)
    for days, left in ((29, 1), (31, 0)):
        Registry(store, settings, clock=lambda days=days: NOW + timedelta(days=days)).sweep()
        assert len(kept_ids(room, "user:1")) == left
    assert MARK.encode() not in on_disk(tmp_path)
    assert "不在了" in Chat(room, "user:1").act({"do": "open", "id": "x"})["notice"]


def test_a_conversation_of_another_version_or_a_damaged_one_is_told_so(room: Room, store: Store) -> None:
    chat = Chat(room, ME)
    say(chat, CASE)
    (id,) = kept_ids(room)
    assert room.kept
    kept = room.kept.opened(ME, id)
    assert kept
    for body, sentence in (
        ("{", "损坏"),
        ("[]", "损坏"),
        ('{"version": 1, "thread": 7}', "损坏"),
        ('{"version": 99}', "别的版本"),
    ):
        room.kept.keep(ME, replace(kept, body=body))
        for act in ({"do": "open"}, {"do": "export", "format": "md"}):
            assert sentence in Chat(room, ME).act({**act, "id": id})["notice"]


# ---------------------------------------------------------------- taking along


@pytest.mark.parametrize("opened", [False, True])
def test_a_conversation_is_exported_and_read_back(room: Room, opened: bool) -> None:
    chat = Chat(room, ME)
    say(chat, CASE)
    say(chat, RULE)
    (id,) = kept_ids(room)
    if opened:
        chat = Chat(room, ME)
    made = {f: chat.act({"do": "export", "id": id, "format": f})["save"] for f in ("md", "docx", "json")}
    assert [made[f]["name"].rsplit(".", 1)[1] for f in made] == ["md", "docx", "json"]
    markdown = base64.b64decode(made["md"]["content"]).decode()
    assert "结论：属于问责范围" in markdown
    assert CASE in markdown.replace("\\", "")
    read = json.loads(base64.b64decode(made["json"]["content"]))
    assert [turn["said"] for turn in read["turns"]] == [CASE, RULE]
    assert read["turns"][0]["advice"]["scope"] == "in"
    assert "[1]" in markdown
    paragraphs = [p.text for p in Document(io.BytesIO(base64.b64decode(made["docx"]["content"]))).paragraphs]
    told = "\n".join(paragraphs)
    assert CASE in told
    assert "结论：属于问责范围" in told
    assert not re.search(r"\*\*|&lt;|\\", told)


def test_another_format_and_an_empty_conversation_are_one_sentence(chat: Chat) -> None:
    assert "还没有内容" in chat.act({"do": "export", "format": "md"})["notice"]
    say(chat, CASE)
    for format in ("pdf", "", None, ["md"], "md\x00"):
        assert "只能导出为" in chat.act({"do": "export", "format": format})["notice"]


def test_an_export_in_markdown_brings_no_live_parts_along(chat: Chat, room: Room) -> None:
    from markdown_it import MarkdownIt

    for text in INJECTIONS[::4]:
        chat.act({"do": "new"})
        say(chat, f"我是副镇长，群里没回消息被问责了{text}这算问责吗？", follow=False)
        chat.act({"do": "rename", "id": kept_ids(room)[0], "title": f"题{text}"})
        made = content(chat.act({"do": "export", "format": "md"})).decode()
        assert live(MarkdownIt("commonmark", {"html": True, "linkify": False}).render(made)) == [], text


# ---------------------------------------------------------------- opinions


def test_an_opinion_is_kept_masked_with_what_was_asked(room: Room) -> None:
    chat = Chat(room, ME)
    say(chat, PRIVATE)
    assert room.box
    shown = chat.act({"do": "feedback", "turn": 0, "right": True})
    assert "谢谢" in shown["notice"]
    assert shown["thanked"] == 0
    wrong = {"do": "feedback", "turn": 0, "right": False, "clause": "《中国共产党问责条例》第七条第（九）项"}
    chat.act({**wrong, "reason": "欧阳建国13812345678认为不对" + "字" * 5000})
    newer, older = room.box.listed()
    assert (older.right, newer.right) == (True, False)
    assert newer.clause == "《中国共产党问责条例》第七条第（九）项"
    assert len(newer.reason) <= 1100
    assert older.scope == "in"
    assert older.clauses
    assert "采石场" in older.scenario
    for secret in SECRETS:
        assert secret not in older.scenario + newer.scenario + newer.reason


@pytest.mark.parametrize("right", [None, "yes", 1, [], "false"])
def test_an_opinion_that_says_neither_is_none(chat: Chat, room: Room, right: Any) -> None:
    say(chat, CASE)
    assert is_a_sentence(chat.act({"do": "feedback", "turn": 0, "right": right})["notice"])
    assert room.box
    assert room.box.listed() == ()


def test_without_a_box_no_opinion_is_taken(room: Room) -> None:
    chat = Chat(replace(room, box=None), ME)
    assert "不准确" not in card(say(chat, CASE))
    assert "不能收意见" in chat.act({"do": "feedback", "turn": 0, "right": True})["notice"]


def test_the_page_is_told_which_facts_there_are(chat: Chat, listener: Listener) -> None:
    shown = chat.act({"do": "hello"})
    kinds = {kind["name"]: kind for kind in shown["kinds"]}
    assert "consequence" in kinds
    assert all(k.about != "question" for k in listener.vocabulary.facts.values() if k.name in kinds)
    for kind in kinds.values():
        assert kind["label"]
        assert all(shown_as for _, shown_as in kind["values"])


# ---------------------------------------------------------------- the card


TEMPLATES = ("scenario.md.j2", "knowledge.md.j2", "decline.md.j2", "cases.md.j2")


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_heading_of_the_answers_is_known_to_the_card(
    template: str, settings: Settings, listener: Listener
) -> None:
    source = (settings.prompts / template).read_text(encoding="utf-8")
    headings = re.findall(r"^\*\*([^*{}（]+)(?:（[^）]*）)?\*\*(?:（[^）]*）)?$", source, re.M)
    if "另见：" in source:
        headings.append("另见")
    unknown = [h for h in headings if h not in listener.labels["card"]["sections"]]
    assert unknown == []
    assert template != "scenario.md.j2" or len(headings) >= 12


ASKED = [CASE, DECIDED, OTHER, RULE, REPORT, ELSEWHERE, OPEN, "诫勉的影响期多长？", "对问责决定不服多久内申诉？",
         "我是村党支部书记，迎检时有一块宣传栏没来得及更新，镇里就说要问责我，这算问责的情形吗？",
         "我是县局的科员，没有职务。局长定的方案出了问题，最后只处分了我一个人，这样对吗？",
         "问责条例2016年的和2019年的有什么不同？", "你们给我写个保证，保证我不被处分"]  # fmt: skip


def plain(markdown: str) -> str:
    """An answer's line as people read it, without blanks."""
    text = re.sub(r"\*\*|\\(?=[\\`*_\[\]#|~!])|^\s*(?:- |> |\d+\. )", "", markdown)
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("text", ASKED)
def test_nothing_of_a_verified_answer_is_lost_in_its_card(
    text: str, advisor: Remembering, listener: Listener
) -> None:
    wording = Wording(listener.labels, listener.vocabulary)
    thread = answered(advisor, listener, Thread(), next_turn(text, read_days("", "", TODAY), True))
    turn = thread.turns[0]
    assert turn.advice
    told = re.sub(r"\s+", "", words(turn_html(turn, 0, wording)))
    asked = {
        plain(m.question)
        for m in (turn.advice.determination.missing_facts if turn.advice.determination else ())
    }
    sources = False
    for number, line in enumerate(turn.advice.answer.split("\n")):
        if re.match(r"\*\*来源\*\*", line):
            sources = True
            continue
        if sources and re.match(r"\d+\. ", line):
            assert plain(line).removesuffix("（待核）") in told, line
            continue
        said = plain(line)
        if number == 0 and line.startswith(("**结论：", "**初步看：")):
            said = said.split("。", 1)[1]
        heading = re.fullmatch(r"\*\*([^*（]+)(?:（[^）]*）)?\*\*(?:（[^）]*）)?|另见：", line)
        if heading and heading[1]:
            known = listener.labels["card"]["sections"][heading[1]]
            said = "" if known["key"] == "questions" else plain(known["title"])
        elif any(said.startswith(question) for question in asked):
            said = next(question for question in asked if said.startswith(question))
        assert said.removesuffix("：") in told, line
    for citation_ in turn.advice.citations:
        assert plain(citation_.label) in told


def test_an_older_answer_still_says_what_it_asked(advisor: Remembering, listener: Listener) -> None:
    thread = answered(advisor, listener, Thread(), next_turn(CASE, read_days("", "", TODAY), True))
    wording = Wording(listener.labels, listener.vocabulary)
    made = turn_html(thread.turns[0], 0, wording, newest=False)
    assert 'class="z-reply"' not in made
    advice = thread.turns[0].advice
    assert advice
    assert advice.determination
    for missing in advice.determination.missing_facts[:1]:
        assert missing.question in words(made)


def test_the_verdict_comes_first_and_says_how_sure_it_is(chat: Chat, listener: Listener) -> None:
    made = lxml_html.fromstring(card(say(chat, CASE)))
    article = made.xpath("//article")[0]
    assert article[0].tag == "header"
    assert "把握" in article[0].text_content()
    assert article[0].text_content().strip().startswith("属于问责范围")
    assert made.xpath("//article[contains(@class, 'z-tone-in')]")
    assert len(made.xpath("//li[contains(@class, 'z-step-')]")) >= 3
    assert made.xpath("//details[contains(@class, 'z-part')]/@open") == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (RULE, "规定怎么说"),
        (ELSEWHERE, "这个不能回答"),
        (OPEN, None),
        (OTHER, None),
        (DECIDED, "属于问责范围"),
    ],
)
def test_each_kind_of_answer_has_its_label(
    chat: Chat, listener: Listener, text: str, shown: str | None
) -> None:
    label_ = label(say(chat, text))
    known = {*listener.labels["card"]["scope"].values(), *listener.labels["card"]["kinds"].values()}
    assert label_ in known
    assert shown is None or label_ == shown


def test_the_chips_name_the_words_they_came_from(chat: Chat) -> None:
    made = lxml_html.fromstring(card(say(chat, CASE)))
    chips = {
        chip.get("data-fact"): chip for chip in made.xpath("//button[contains(@class,'z-chip')][@data-fact]")
    }
    assert "死了两个" in chips["consequence"].get("data-words")
    assert json.loads(chips["consequence"].get("data-values")) == ["严重"]
    assert "严重" in chips["consequence"].text_content()


def an_advice(question: Question, *citations: Citation, answer: str = "好[1]") -> Advice:
    return Advice(question, "knowledge", (), None, (), citations, (), answer, 1)


def a_turn(advice: Advice) -> Turn:
    return Turn(advice.question.text, advice.question, advice)


@pytest.mark.parametrize(
    ("markdown", "links"),
    [
        ("甲[1]。", 1), ("甲[1][2]", 2), ("甲[3]", 0), ("[甲]乙", 0), ("\\[1]", 0), ("[1](http://evil.example)", 1),
        ("[①][-1][01x][][ 1]", 0), ("[99999999]", 0), ("`[1]`", 0),
    ],
)  # fmt: skip
def test_only_marks_with_a_source_are_links(markdown: str, links: int, wording: Wording) -> None:
    cited = [
        Citation(n, f"x-2020#{n}", f"《试行办法》第{n}条", "digest", "要点", True, None, "memory")
        for n in (1, 2)
    ]
    made = turn_html(a_turn(an_advice(Question("问", TODAY), *cited, answer=markdown)), 4, wording)
    assert made.count('class="z-cite"') == links
    assert live(made) == []


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_tag_or_address_of_a_text_is_live(text: str, wording: Wording) -> None:
    """As what was said, as a model's answer, heading, notice, label and words of a source, and as an error."""
    cited = Citation(1, f"x#{text}", text, "digest", text, True, text, "memory", authority="commentary")
    question = Question(text, TODAY)
    advice = Advice(
        question, "knowledge", (), None, (), (cited,), (), f"{text} [1]\n\n**{text}**\n- {text}\n\n| {text} |\n|---|\n",
        1, notices=(text,), understood=text,
    )  # fmt: skip
    made = turn_html(a_turn(advice), 0, wording)
    assert live(made) == []
    shown = re.sub(r"\s+", "", words(made))
    assert re.sub(r"\s+", "", text.replace("\x00", "").replace("\ufffd", "")) in shown.replace(
        "\ufffd", ""
    ).replace("\x00", "")
    failed = turn_html(Turn(text, question, error=text), 0, wording)
    assert live(failed) == []
    draft = lxml_html.fromstring(_draft_sheet(text))
    assert len(draft.xpath("//textarea")) == 1


def _draft_sheet(text: str) -> str:
    from assistant.drafting import Draft
    from assistant.web.markup import render

    return render("draft.html.j2", draft=Draft("appeal", text, text, ()), index=0, notation=text)


# ---------------------------------------------------------------- the sheet of a provision


INVENTED = Instrument(
    "x-2020", "试行办法", (), "某会", "规范性文件", 5, date(2020, 5, 1), None, None, "javascript:alert(1)", 3
)


def provision(
    text: str | None = None, digest: str = "要点", confidence: Any = "memory", **more: Any
) -> Provision:
    made = Provision(
        "x-2020#1",
        INVENTED,
        "1",
        None,
        None,
        "《试行办法》第一条",
        "",
        digest,
        text,
        (),
        (),
        {},
        (),
        confidence,
    )
    return replace(made, **more)


class Shelf:
    """A stock of one provision."""

    def __init__(self, one: Provision) -> None:
        self.one = one

    def get(self, id: str, /) -> Provision | None:
        return self.one if id == self.one.id else None

    def neighbours(self, id: str, /) -> tuple[Provision | None, Provision | None]:
        return self.one, self.one

    def holder(self, id: str, /) -> Instrument | None:
        return self.one.instrument


def test_a_sheet_tells_digest_from_text_and_marks_doubt() -> None:
    digest = sheet(Shelf(provision()), "x-2020#1", TODAY)
    assert all(
        mark in words(digest)
        for mark in ("要旨", "不是条文原文", "待核", "自 2020-05-01 起", "原文还没有收进来")
    )
    assert "官方来源" not in words(digest).replace("请点官方来源核对", "")
    assert "<blockquote" not in digest
    older = replace(INVENTED, effective_to=date(2021, 1, 1), official_url="https://a.cn/b")
    text = sheet(Shelf(provision("原话", "", "verified", instrument=older)), "x-2020#1", TODAY)
    assert all(mark in text for mark in ("原文", "<blockquote", "不适用", 'rel="noopener noreferrer"'))
    assert "待核" not in text
    assert "要旨" not in words(text)


@pytest.mark.parametrize("text", INJECTIONS)
def test_the_words_of_a_document_are_text_on_its_sheet(text: str) -> None:
    hostile = replace(INVENTED, title=text, issuer=text, caution=text, replaced_by="x", official_url=text)
    one = provision(text, text, label=text, topic=text, section=text, instrument=hostile)
    made = sheet(Shelf(one), one.id, TODAY, text, text)
    assert live(made) == []
    assert re.sub(r"\s+", "", text.replace("\x00", "")) in re.sub(
        r"\s+", "", words(made).replace("\x00", "").replace("\ufffd", "")
    )


@pytest.mark.parametrize(
    ("text", "sentence", "made"),
    [
        ("领导干部应当履行职责", "所以说领导干部应当履行才对", "<mark>领导干部应当履行</mark>职责"),
        ("甲乙丙", "甲乙丙", "甲乙丙"),
        ("", "甲乙丙丁戊己庚", ""),
        ("甲乙丙丁戊己庚", "", "甲乙丙丁戊己庚"),
        ("<b>甲乙丙丁戊己庚</b>", "<b>甲乙丙丁戊己庚</b>", "<mark>&lt;b&gt;甲乙丙丁戊己庚&lt;/b&gt;</mark>"),
        ("一二三四五六七\n八九十", "一二三四五六七", "<mark>一二三四五六七</mark><br>八九十"),
    ],
)
def test_shared_words_are_marked(text: str, sentence: str, made: str) -> None:
    assert str(marked(text, sentence)) == made


def test_marking_long_texts_is_quick() -> None:
    began = datetime.now(UTC)
    assert words(str(marked("职责" * 20_000, "职责" * 20_000))).count("职责") == 20_000
    assert datetime.now(UTC) - began < timedelta(seconds=10)


def test_a_citation_to_copy_says_what_it_is() -> None:
    assert citation(provision()) == "《试行办法》第一条（2020年5月1日起施行）（待核）：要旨（非原文）：要点"
    assert (
        citation(provision("原话", confidence="verified"))
        == "《试行办法》第一条（2020年5月1日起施行）：“原话”"
    )


# ---------------------------------------------------------------- keeping and exporting, by themselves


def test_a_thread_comes_back_from_what_was_kept(
    advisor: Remembering, listener: Listener, names: Names
) -> None:
    thread = Thread()
    for text, follow in (
        (DECIDED, True),
        ("如果当时会议记录写了我反对呢？", True),
        (RULE, True),
        (OTHER, False),
        (ELSEWHERE, False),
    ):
        days = read_days("", "2026-03-05" if text == DECIDED else "", TODAY, "2018-05")
        thread = answered(advisor, listener, thread, next_turn(text, days, follow))
    thread = moved(
        advisor, listener, thread, 0, lambda talk: talk.set("consequence", "轻微", TODAY, situation=0)
    )
    thread = thread.with_turn(0, replace(thread.turns[0], decided={"RR04/申诉": date(2026, 3, 6)}))
    body = to_body(thread, Veil(names))
    back = from_body(body)
    assert to_body(back, Veil(names)) == body
    assert [t.said for t in back.turns] == [t.said for t in thread.turns]
    assert [t.situation for t in back.turns] == [t.situation for t in thread.turns]
    assert back.turns[0].decided == thread.turns[0].decided
    assert [s.confirmed for s in back.situations] == [s.confirmed for s in thread.situations]
    assert [s.conduct for s in back.situations] == [s.conduct for s in thread.situations]
    assert back.current == thread.current
    wording = Wording(listener.labels, listener.vocabulary)
    for one, other in zip(thread.turns, back.turns, strict=True):
        assert one.advice
        assert other.advice
        assert one.advice.determination == other.advice.determination
        assert turn_html(one, 0, wording) == turn_html(other, 0, wording)


def test_what_has_no_answer_stays_away_from_what_is_kept(
    advisor: Remembering, listener: Listener, names: Names
) -> None:
    thread = answered(advisor, listener, Thread(), next_turn(REPORT, read_days("", "", TODAY), True))
    failed = Turn(f"{MARK}的事", Question(f"{MARK}的事", TODAY), error=STOPPED)
    thread = thread.with_turn(1, failed)
    assert title_of(thread, Veil(names)) == ""
    assert MARK not in to_body(thread, Veil(names))
    thread = answered(advisor, listener, thread, next_turn(RULE, read_days("", "", TODAY), True))
    assert title_of(thread, Veil(names)) == RULE[:23] + ("…" if len(RULE) > 24 else RULE[23:])
    assert [t.said for t in from_body(to_body(thread, Veil(names))).turns] == [RULE]


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", "7", '"x"', '{"version": 1}', '{"version": 1, "thread": []}']
)
def test_a_damaged_record_is_one_sentence(body: str) -> None:
    with pytest.raises(RecordsError, match="损坏"):
        from_body(body)


def test_a_title_is_one_short_line_without_private_things(names: Names) -> None:
    said = "我叫欧阳建国，\n电话13812345678，" + "很长的话" * 20
    advice = an_advice(Question(said, TODAY))
    title = title_of(Thread((Turn(said, advice.question, advice),)), Veil(names))
    assert len(title) <= 24
    assert "\n" not in title
    assert "欧阳" not in title
    assert "138" not in title


@pytest.mark.parametrize("text", INJECTIONS)
def test_files_made_of_any_words_can_be_read(text: str) -> None:
    question = Question(text, TODAY)
    cited = Citation(1, "x#1", text, "digest", text, True, None, "memory")
    advice = an_advice(question, cited, answer=f"{text}[1]")
    thread = Thread((Turn(text, question, advice), Turn(text, question, error=text)))
    for format in ("md", "docx", "json"):
        name, _, made = exporting.conversation_file(thread, text, format, NOW)
        assert re.fullmatch(r"[^/\\:*?\"<>|\x00-\x1f]+\." + format, name), name
        if format == "json":
            assert json.loads(made)["turns"][0]["said"] == text
        if format == "docx":
            assert Document(io.BytesIO(made)).paragraphs


def test_a_document_shows_escaped_words_as_they_were_written() -> None:
    from assistant.prompts import escape_markdown

    said = r"a*b_c[1]\[x] **粗** <b>&lt;"
    advice = an_advice(Question("问", TODAY), answer=escape_markdown(said))
    thread = Thread((Turn("问", advice.question, advice),))
    _, _, made = exporting.conversation_file(thread, "题", "docx", NOW)
    assert said in [p.text for p in Document(io.BytesIO(made)).paragraphs]


# ---------------------------------------------------------------- days and examples


@pytest.mark.parametrize(
    ("law", "received", "happened", "sentence"),
    [
        ("昨天", None, None, "适用规定的日期“昨天”不是一个日期"),
        ("2026-02-30", None, None, "不是一个日期"),
        (None, "2026-03-21", None, "还没有到"),
        (None, "03-05", None, "收到决定的日期“03-05”不是一个日期"),
        (None, None, "某年", "读不懂"),
    ],
)
def test_days_that_cannot_be_used(
    law: str | None, received: str | None, happened: str | None, sentence: str
) -> None:
    with pytest.raises(QuestionError, match=sentence):
        read_days(law, received, TODAY, happened)


def test_days_on_each_side_of_today() -> None:
    assert read_days(None, "2026-03-20", TODAY).received == TODAY
    assert read_days("", None, TODAY).law == TODAY
    assert read_days("2027-01-01 00:00:00", None, TODAY).law == date(2027, 1, 1)
    assert read_days("", "", TODAY, "2018").conduct == (date(2018, 1, 1), date(2018, 12, 31))


def test_a_follow_up_moves_the_sheet_and_a_new_matter_begins_another(
    advisor: Remembering, listener: Listener
) -> None:
    days = read_days("2026-03-18", "2026-03-01", TODAY)

    def said(thread: Thread, text: str, follow_up: bool = True) -> Thread:
        return answered(advisor, listener, thread, next_turn(text, days, follow_up))

    first = said(Thread(), f" {CASE} ")
    assert first.turns[0].said == CASE
    second = said(first, "说错了，没有死人，就擦破点皮")
    assert second.situations[0].confirmed == {"consequence": "轻微"}
    assert second.situations[0].received == date(2026, 3, 1)
    assert second.turns[1].situation == 0
    assert first.situations[0].confirmed == {}
    third = said(second, CASE, follow_up=False)
    assert len(third.situations) == 2
    assert third.situations[1].confirmed == {}
    assert not third.newest(0)
    assert third.newest(1)
    assert third.newest(2)
    fourth = moved(
        advisor, listener, third, 1, lambda talk: talk.set("consequence", "严重", TODAY, situation=0)
    )
    assert fourth.situations[0].confirmed == {"consequence": "严重"}
    assert fourth.current == 0
    assert len(fourth.turns) == 3
    with pytest.raises(QuestionError, match="标点"):
        said(fourth, "……")


def test_the_examples_are_six_roles_and_all_are_answered(settings: Settings, chat: Chat) -> None:
    examples = load_examples(settings.prompts)
    assert len({e.role for e in examples}) == len({e.text for e in examples}) == 6
    for example in examples:
        assert label(say(chat, example.text, follow=False)) != "这个不能回答"


def test_unreadable_examples_are_named(tmp_path: Path) -> None:
    (tmp_path / "examples.yaml").write_text("examples: [{role: 甲}]", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"prompts/examples\.yaml"):
        load_examples(tmp_path)


# ---------------------------------------------------------------- what is written becomes nothing else


def test_what_people_write_is_text_and_nothing_else(room: Room) -> None:
    chat = Chat(room, ME)
    for text in INJECTIONS[::3]:
        shown = chat.act(
            {"do": "say", "text": f"我是副镇长，群里没回消息被问责了{text}这算问责吗？", "follow": False}
        )
        assert live(card(shown)) == [], text
        assert live(shown["history"]) == [], text
    for text in INJECTIONS:
        shown = chat.act({"do": "rename", "id": kept_ids(room)[0], "title": text})
        assert live(shown["history"]) == [], text
        assert chat.act({"do": "feedback", "turn": 0, "right": False, "reason": text, "clause": text})[
            "notice"
        ].startswith("谢谢")
        assert live(chat.act({"do": "list", "words": text})["history"]) == []
        assert live(chat.act({"do": "source", "id": text, "words": text})["sheet"]) == []


@pytest.mark.parametrize("text", INJECTIONS[::5])
def test_what_a_model_writes_is_text_and_nothing_else(room: Room, text: str) -> None:
    adding = Adding(room.advisor, text)
    chat = Chat(replace(room, advisor=adding), ME)
    for said in (CASE, RULE):
        assert live(card(say(chat, said, follow=False))) == []
    again = Chat(room, ME).act({"do": "open", "id": kept_ids(room)[0]})
    assert all(live(put["html"]) == [] for put in again["put"])


def test_what_was_said_is_in_no_log(
    chat: Chat, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        say(chat, CASE.replace("采石场", f"{MARK}采石场"))
        chat.act({"do": "set", "turn": 0, "fact": "consequence", "values": ["无"]})
    told = capfd.readouterr()
    assert MARK not in caplog.text + told.out + told.err
