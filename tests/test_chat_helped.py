"""What the chat shows of a language model's part, receipts of its answers, and stopping while a model is slow.

The model is a real HTTP server on this machine that says what a test has it say.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import html as lxml_html
from typer.testing import CliRunner

from assistant.cli import app
from assistant.conversation import Listener, make_listener
from assistant.errors import QuestionError
from assistant.law.names import load_names
from assistant.model import Advice, Assistance, Question
from assistant.receipts import read_receipt, sha256
from assistant.records.conversations import Conversations, Kept
from assistant.records.store import Store
from assistant.web.card import Wording, turn_html
from assistant.web.chat import STOPPED, Chat, Room
from assistant.web.keeping import from_body
from assistant.web.leaving import MOST_LEFT, Bench, GivenUp
from assistant.web.thread import Turn
from assistant.wiring import Parts
from tests.chatting import CASE, DISSENT, REPORT, RULE, Remembering, helped_by, helpful
from tests.model_server import ModelServer, model_server, nobody, slow

DAY = date(2026, 3, 20)
NOW = datetime(2026, 3, 20, 4, tzinfo=UTC)
NAMED = (
    "我叫欧阳建国，是分管安全的副镇长，手机13812345678。镇里的采石场长期违规开采，我知道后没有去查，"
    "后来塌方死了两个人，造成重大损失。我会被问责吗？"
)


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server(helpful) as running:
        yield running


@pytest.fixture(scope="module")
def helped(parts: Parts, server: ModelServer) -> Advice:
    server.answers = [helpful]
    return helped_by(parts, server.url).ask(Question(DISSENT, DAY))


@pytest.fixture(scope="module")
def listener(parts: Parts) -> Listener:
    return make_listener(parts.settings)


@pytest.fixture
def room(parts: Parts, listener: Listener, server: ModelServer, tmp_path: Path) -> Iterator[Room]:
    """What conversations share, with a model that helps and forgets."""
    server.answers = [helpful]
    with closing(Store(f"sqlite:///{tmp_path}/records.db")) as store:
        yield Room(
            advisor=Remembering(helped_by(parts, server.url)),
            listener=listener,
            stock=parts.corpus,
            settings=parts.settings,
            names=load_names(parts.settings.knowledge),
            replayer=lambda: parts.replayer,
            kept=Conversations(store),
            today=lambda: DAY,
            now=lambda: NOW,
        )


def shown(advice: Advice, listener: Listener, **more: Any) -> str:
    wording = Wording(listener.labels, listener.vocabulary)
    return turn_html(Turn(advice.question.text, advice.question, advice), 0, wording, **more)


def words(html: str) -> str:
    return " ".join(str(lxml_html.fromstring(html).text_content()).split())


def section(html: str) -> str:
    """The words of the part about the model, without its title; "" where there is none."""
    found = lxml_html.fromstring(html).xpath('//details[contains(@class, "z-part-assisted")]')
    return " ".join(found[0].text_content().split()) if found else ""


def say(chat: Chat, text: str, **more: Any) -> dict[str, Any]:
    told = chat.act({"do": "say", "text": text, "follow": False, **more})
    assert "put" in told, told
    return told


def saved(told: dict[str, Any]) -> tuple[str, str]:
    """Name and words of the file."""
    assert "save" in told, told
    return told["save"]["name"], base64.b64decode(told["save"]["content"]).decode()


# ---------------------------------------------------------------- the card


def test_the_card_says_once_what_a_model_did_and_the_answer_goes_on_saying_it(
    helped: Advice, listener: Listener
) -> None:
    given = helped.assisted
    assert given
    assert given.helped
    assert 0 < given.sentences_kept < given.sentences
    assert "大模型（试验模型）帮着读" in helped.answer
    assert "由大模型（试验模型）帮着改顺" in helped.answer
    html = shown(helped, listener)
    assert "大模型协助" in words(html.partition("</header>")[0])
    part = section(html)
    wrote, held = given.sentences, given.sentences_kept
    for told in (
        "模型试验模型", "提出2项，采用1项", "集体决策、民主集中制", f"{given.seconds:.1f}秒",
        f"写了{wrote}句，{held}句意思不变才用，其余{wrote - held}句",
    ):  # fmt: skip
        assert told in part, told
    assert "没帮上的" not in part
    rest = words(html).replace(part, "")
    assert rest.count("大模型") == 1  # the mark
    assert "试验模型" not in rest
    assert html.count("试验模型") == 2  # in the part, and beside its title


def test_without_a_model_the_card_is_what_it_was(parts: Parts, listener: Listener, helped: Advice) -> None:
    html = shown(parts.advisor.ask(Question(DISSENT, DAY)), listener)
    assert "大模型" not in html
    assert "z-aid" not in html
    assert "z-part-assisted" not in html


def test_a_model_of_no_use_is_one_quiet_line_in_the_folded_part(parts: Parts, listener: Listener) -> None:
    advice = helped_by(parts, nobody()).ask(Question(DISSENT, DAY))
    assert advice.assisted
    assert advice.assisted.trouble
    html, plain = shown(advice, listener), shown(replace(advice, assisted=None), listener)
    part = section(html)
    assert part.startswith(
        "大模型没有用上 这次请大模型（试验模型）看过，没有可以用的，答复全部由本机作出。连不上"
    )
    assert words(html).replace(part, "").split() == words(plain).split()
    assert " open" not in html.partition("z-part-assisted")[2][:20]


@pytest.mark.parametrize(
    ("given", "told", "not_told"),
    [
        (Assistance("m", facts_proposed=3, facts_open=("consequence",)), "1项和本机读得不一样", "措辞"),
        (Assistance("m", facts_kept=1, facts_proposed=1, facts_stand=("没有了",)), "没有听它的：没有了", "不一致"),
        (Assistance("m", terms=("集体决策",), trouble=("太慢。", "坏了。")), "没帮上的太慢。坏了。", "读事实"),
        (Assistance("m", sentences=4, sentences_kept=4), "写了4句，核对下来意思都不变", "其余"),
        (Assistance("m", facts_proposed=2), "没有可以用的，答复全部由本机作出。", "秒"),
    ],
)  # fmt: skip
def test_what_was_checked_is_told_row_by_row(
    helped: Advice, listener: Listener, given: Assistance, told: str, not_told: str
) -> None:
    html = shown(replace(helped, assisted=given), listener)
    assert told in section(html)
    assert not_told not in section(html)
    assert ("z-aid" in html) == given.helped


def test_what_a_model_is_called_or_says_stays_text(helped: Advice, listener: Listener) -> None:
    bad = '<img src=x onerror="window.hurt=1">{model}'
    given = Assistance(bad, terms=(bad,), facts_open=(bad,), trouble=(bad,))
    html = shown(replace(helped, assisted=given), listener)
    assert "<img" not in html
    assert section(html).count("onerror") == 5


# ---------------------------------------------------------------- kept, opened again, taken along


def test_it_is_kept_with_a_conversation_and_told_when_that_is_opened(room: Room) -> None:
    chat = Chat(room, "browser:me")
    before = say(chat, DISSENT)["put"][0]["html"]
    assert room.kept
    (heading,) = room.kept.listed("browser:me")
    kept = room.kept.opened("browser:me", heading.id)
    assert kept
    turn = chat._thread.turns[0]
    (again,) = from_body(kept.body).turns
    assert turn.advice
    assert again.advice
    assert again.advice.assisted == turn.advice.assisted
    opened = Chat(room, "browser:me")
    assert section(opened.act({"do": "open", "id": heading.id})["put"][0]["html"]) == section(before)
    exported = json.loads(saved(opened.act({"do": "export", "id": "", "format": "json"}))[1])
    assert exported["turns"][0]["advice"]["assisted"]["model"] == "试验模型"
    assert "帮着改顺" in saved(opened.act({"do": "export", "id": "", "format": "md"}))[1]
    older = json.loads(kept.body)  # written before models helped
    for advice in (older["thread"]["turns"][0]["advice"], older["thread"]["situations"][0]["advice"]):
        del advice["assisted"]
    (plain,) = from_body(json.dumps(older)).turns
    assert plain.advice == replace(again.advice, assisted=None)


# ---------------------------------------------------------------- receipts


def test_a_receipt_from_the_page_is_made_again_by_the_command(
    room: Room, server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = Chat(room, "browser:me")
    assert 'data-do="receipt"' in say(chat, DISSENT)["put"][0]["html"]
    asked = len(server.asked)
    name, text = saved(chat.act({"do": "receipt", "turn": 0, "without": False}))
    assert len(server.asked) == asked  # nor is a model asked again
    assert re.fullmatch(r"答复凭据-20260320-\d{6}-[0-9a-f]{8}\.json", name)
    made = read_receipt(text)
    turn = chat._thread.turns[0]
    assert turn.advice
    assert turn.advice.assisted
    assert made.question.text == DISSENT
    assert made.answer == turn.advice.answer
    assert made.assisted == json.loads(json.dumps(asdict(turn.advice.assisted)))
    bare = read_receipt(saved(chat.act({"do": "receipt", "turn": 0, "without": True}))[1])
    assert bare.question.text is bare.answer is None
    assert bare.question.text_sha256 == sha256(DISSENT)
    (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.setenv("ZEMING_DATA", str(room.settings.data))
    done = CliRunner().invoke(app, ["replay", str(tmp_path / name)])
    assert done.exit_code == 0, done.output
    assert "重做的结果一样" in done.stdout


def test_an_opened_conversation_gives_receipts_of_what_was_kept(room: Room, parts: Parts) -> None:
    chat = Chat(replace(room, advisor=Remembering(parts.advisor)), "browser:me")
    say(chat, CASE)
    say(chat, NAMED)
    case, mine = (read_receipt(saved(chat.act({"do": "receipt", "turn": n}))[1]) for n in (0, 1))
    assert mine.question.text
    assert "欧阳建国" in mine.question.text  # on the open page the words are those that were told
    assert "13812345678" not in mine.question.text
    assert room.kept
    (heading,) = room.kept.listed("browser:me")
    opened = Chat(room, "browser:me")
    opened.act({"do": "open", "id": heading.id})
    later = read_receipt(saved(opened.act({"do": "receipt", "turn": 0}))[1])
    assert (later.determination, later.facts, later.checks) == (case.determination, case.facts, case.checks)
    assert parts.replayer.replay(later).same
    # words with hidden names may be read a little otherwise: then there is a sentence, and no receipt
    told = opened.act({"do": "receipt", "turn": 1})
    if "save" in told:
        assert "欧阳建国" not in saved(told)[1]
    else:
        assert "姓名等换成了代号" in told["notice"]


def test_what_cannot_be_proven_any_more_is_one_sentence(room: Room, parts: Parts) -> None:
    chat = Chat(replace(room, advisor=Remembering(parts.advisor)), "browser:me")
    say(chat, CASE)
    assert room.kept
    (heading,) = room.kept.listed("browser:me")
    kept = room.kept.opened("browser:me", heading.id)
    assert kept
    body = kept.body.replace("最终由有管理权限的党组织决定", "最终由党组织决定")  # the wording then
    room.kept.keep("browser:me", Kept(kept.id, kept.title, kept.created, kept.updated, body))
    opened = Chat(room, "browser:me")
    opened.act({"do": "open", "id": heading.id})
    told = opened.act({"do": "receipt", "turn": 0})
    assert told.keys() == {"notice"}
    assert re.fullmatch(
        r"这个答复现在重做会不一样（答复的文字）：[^。]*请再问一次，然后导出凭据。", told["notice"]
    )


def test_where_nothing_is_kept_there_is_no_receipt(room: Room, parts: Parts) -> None:
    chat = Chat(room, "browser:me")
    assert 'data-do="receipt"' not in say(chat, REPORT)["put"][0]["html"]
    assert chat.act({"do": "receipt", "turn": 0}) == {"notice": "这个答复没有凭据。"}
    none = Chat(replace(room, replayer=None), "browser:me")
    assert 'data-do="receipt"' not in say(none, RULE)["put"][0]["html"]
    assert none.act({"do": "receipt", "turn": 0}) == {"notice": "这个答复没有凭据。"}

    def refuse(owner: str) -> None:
        raise QuestionError("问得太快了，请等 3 秒再问。")

    hasty = Chat(room, "browser:me")
    say(hasty, RULE)
    hasty._room = replace(room, pace=refuse)
    assert "太快" in hasty.act({"do": "receipt", "turn": 0})["notice"]


# ---------------------------------------------------------------- waiting and stopping


def test_the_page_is_told_when_the_model_is_waited_for(parts: Parts, server: ModelServer) -> None:
    server.answers = [helpful]
    heard: list[str] = []
    helped_by(parts, server.url).ask(Question(DISSENT, DAY), heard.append)
    assert heard == ["facts", "search", "model", "judge", "model", "judge", "verify", "wording"]
    heard.clear()
    helped_by(parts, server.url).ask(Question(RULE, DAY), heard.append)
    assert heard == ["facts", "search", "model", "judge", "verify", "wording"]


def test_stopping_is_at_once_while_the_model_is_slow_and_the_next_question_is_answered(
    room: Room, parts: Parts, server: ModelServer
) -> None:
    server.answers = [slow("{}", 60)]
    chat = Chat(replace(room, advisor=helped_by(parts, server.url)), "browser:me")
    told: list[dict[str, Any]] = []
    asking = threading.Thread(target=lambda: told.append(say(chat, DISSENT, ask="1")))
    asking.start()
    until = time.monotonic() + 30
    while chat.act({"do": "stage"}) != {"stage": "model"}:
        assert time.monotonic() < until
        time.sleep(0.02)
    stopped = time.monotonic()
    chat.act({"do": "stop", "ask": "1"})
    asking.join(30)
    assert time.monotonic() - stopped < 5  # the model is given 20 seconds
    assert STOPPED in told[0]["put"][0]["html"]
    server.answers = [helpful]
    chat._room = replace(room, advisor=parts.advisor)
    assert "z-verdict" in say(chat, RULE, ask="2")["put"][-1]["html"]
    assert time.monotonic() - stopped < 15, "it waited for what was stopped"
    assert chat.act({"do": "stage"}) == {"stage": "verify"}


def test_what_is_given_up_is_left_and_little_of_it() -> None:
    bench, go = Bench(), threading.Event()
    ran: list[str] = []

    def work(name: str) -> str:
        ran.append(name)
        go.wait(30)
        return name

    def give_up(name: str) -> None:
        threading.Timer(0.05, bench.give_up, [name]).start()
        with pytest.raises(GivenUp):
            bench.do(name, lambda: work(name))

    for n in range(MOST_LEFT + 3):  # from the third on they wait until the first are done
        give_up(f"{n}")
    assert ran == [f"{n}" for n in range(MOST_LEFT + 1)]
    go.set()
    assert bench.do("", lambda: work("last")) == "last"
    bench.give_up("before")
    with pytest.raises(GivenUp):
        bench.do("before", lambda: work("before"))
    assert bench.do("before", lambda: "again") == "again"
    with pytest.raises(ZeroDivisionError):
        bench.do("x", lambda: 1 // 0)
    assert "before" not in ran
