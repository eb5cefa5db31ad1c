"""The web chat as people use it: the real app on this machine, a real browser, no network."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from assistant.conversation import Conversation, make_listener
from assistant.errors import KnowledgeError, QuestionError, SettingsError
from assistant.model import Advice, Citation, Instrument, Provision, Question
from assistant.settings import Settings, load_settings
from assistant.web import server, view
from assistant.web.thread import Thread, Turn, answered, corrected, next_turn, read_days, reply
from assistant.wiring import Parts
from tests.browser import free_port

CASE = (
    "我是分管安全的副镇长，镇里的采石场长期违规开采，我知道后没有去查，也没有督促整改，"
    "后来塌方死了两个人，造成重大损失。我会被问责吗？"
)
TODAY = date(2026, 3, 20)

INJECTIONS = [
    "<script>window.hurt=1</script>",
    '<img src="x" onerror="window.hurt=1">',
    '<svg onload="window.hurt=1"></svg>',
    "[点我](javascript:window.hurt=1)",
    "[x](http://evil.example)",
    "![x](http://evil.example/a.png)",
    "http://evil.example/a <http://evil.example/b>",
    "&lt;script&gt;window.hurt=1&lt;/script&gt; &#60;b&#62;",
    "</div></div><iframe src='http://evil.example'></iframe>",
    '[1]: http://evil.example "x"',
    "`<b>` $$\\href{javascript:window.hurt=1}{x}$$",
]


# ---------------------------------------------------------------- the page in a browser


@pytest.fixture(scope="module")
def address(parts: Parts) -> Iterator[str]:
    settings = parts.settings.model_copy(update={"port": free_port()})
    app = server.build_app(parts.advisor, parts.corpus, settings, server.load_examples(settings.prompts))
    served = server.launch(app, settings)
    yield served.address
    served.close()


@pytest.fixture
def page(context: BrowserContext, address: str) -> Page:
    opened = context.new_page()
    opened.goto(address)
    opened.wait_for_selector(".example")
    opened.wait_for_function("document.querySelector('#z-day input')?.value")  # today, filled in on arrival
    return opened


def ask(page: Page, text: str) -> str:
    """Ask, wait for the reply, return its text."""
    before = page.locator(".message.bot").count()
    page.fill("#z-input textarea", text)
    page.click("#z-send")
    page.wait_for_function("n => document.querySelectorAll('.message.bot').length > n", arg=before)
    return page.locator(".message.bot").last.inner_text()


def test_a_question_gets_a_verdict_with_its_sources_and_nothing_leaves_the_machine(
    page: Page, requests: list[str], address: str
) -> None:
    assert "属于问责范围" in ask(page, CASE)
    card = page.locator(".z-card").first
    assert "《中国共产党问责条例》" in card.locator("h3").inner_text()
    assert card.locator(".z-mark").first.inner_text() in ("要旨", "原文")
    assert "自 2019-09-01 起施行" in card.inner_text()
    assert page.locator(".z-card").count() == int(
        page.inner_text("#answer-0 .z-more").removeprefix("查看 ").removesuffix(" 条来源")
    )
    for link in page.locator(".z-card a[target]").all():
        assert (link.get_attribute("href") or "").startswith(("https://", "http://"))
        assert "noopener" in (link.get_attribute("rel") or "")
    abroad = [url for url in requests if not url.startswith((address, "data:", "blob:"))]
    assert requests
    assert abroad == []
    assert page.evaluate("document.documentElement.lang") == "zh-CN"


def test_the_first_screen_says_what_it_is_and_offers_six_examples(page: Page) -> None:
    assert page.locator(".z-welcome p").count() == 3
    assert page.locator(".example").count() == 6
    page.locator(".example").nth(2).click()
    page.wait_for_selector("#answer-0")
    assert page.locator(".z-card").count() > 0
    page.click("#z-new")
    page.wait_for_selector(".example")
    assert page.locator(".message").count() == 0
    assert page.locator(".z-card").count() == 0


def test_a_mark_in_an_earlier_answer_leads_to_that_answers_source_by_keyboard(page: Page) -> None:
    ask(page, CASE)
    page.uncheck("#z-follow input")
    ask(page, "对问责决定不服多久内申诉？")
    page.wait_for_selector("#source-1-1")
    assert "第 2 问" in page.inner_text("#z-sources")
    page.locator("#answer-0 a.z-cite", has_text="[2]").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id === 'source-0-2'")
    assert "第 1 问" in page.inner_text("#z-sources")
    assert page.locator(".z-here").count() == 1
    page.locator("#answer-1").click(position={"x": 5, "y": 5})
    page.wait_for_selector("#source-1-1")
    assert page.locator("#source-0-2").count() == 0


def test_a_corrected_fact_moves_the_verdict(page: Page) -> None:
    assert "属于问责范围" in ask(page, CASE)
    page.get_by_role("tab", name="判断与事实").click()
    assert "死了两个" in page.locator("#z-basis").inner_text()
    page.locator("#z-fact input").click()
    page.get_by_role("option", name="后果", exact=True).click()
    page.get_by_label("无", exact=True).check()
    page.click("#z-again")
    page.wait_for_selector("#answer-1")
    assert "更正事实：后果＝无" in page.locator(".message.user").last.inner_text()
    first, second = page.inner_text("#answer-0"), page.inner_text("#answer-1")
    assert first.splitlines()[0] != second.splitlines()[0]
    assert "本人确认" in page.locator("#z-basis").inner_text()


def test_a_missing_fact_can_be_answered_with_one_click(page: Page) -> None:
    ask(page, CASE)
    option = page.locator("#z-chat .option").first
    label = option.inner_text().replace("：", "＝")
    option.click()
    page.wait_for_selector("#answer-1")
    assert label in page.locator(".message.user").last.inner_text()


def test_what_is_said_next_is_understood_and_shown(page: Page) -> None:
    assert "属于问责范围" in ask(page, CASE)
    supposed = ask(page, "如果当时会议记录写了我反对呢？")
    assert "结论会从“属于问责范围”变为" in supposed
    assert page.locator("#answer-1.z-supposed .z-mark").inner_text() == "假设，不是您说的情况"
    assert page.locator("#z-chat .option").count() == 0
    assert "已按您的改正更新：后果＝轻微。" in ask(page, "说错了，没死人，就擦破点皮")
    assert page.locator("#answer-2.z-supposed").count() == 0
    assert "6个月" in ask(page, "诫勉的影响期多长？")
    other = "我爱人是镇中学校长，食堂承包商送了她两万块，学生吃坏肚子住院了十几个，纪委在查她，会怎么处理？"
    noticed = ask(page, other)
    assert "看来说的是另一件事" in noticed
    assert "还是刚才那件事" in noticed
    assert "已并在一起" in ask(page, "还是刚才那件事")


@pytest.mark.parametrize("width", [360, 390])
def test_on_a_phone_the_sources_come_below_and_nothing_is_cut_off(
    context: BrowserContext, address: str, width: int
) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(address)
    page.wait_for_selector(".example")
    assert page.locator("#z-send").is_visible()
    ask(page, CASE)
    page.get_by_role("tab", name="判断与事实").click()
    page.get_by_role("tab", name="来源").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    left, right = page.locator("#z-left").bounding_box(), page.locator("#z-right").bounding_box()
    assert left
    assert right
    assert right["y"] >= left["y"] + left["height"]
    page.locator("#answer-0 a.z-cite").first.click()
    page.wait_for_function("document.activeElement.id.startsWith('source-0-')")


def test_what_people_write_is_text_and_nothing_else(page: Page) -> None:
    for injection in INJECTIONS:
        ask(page, f"我是副镇长，群里没回消息被问责了{injection}这算问责吗？")
        assert injection in page.locator(".message.user").last.inner_text()
    page.wait_for_timeout(300)
    assert page.evaluate("window.hurt") is None
    inside = "#z-chat .message, #z-sources, #z-basis"
    for tag in ("script", "img", "iframe", "svg", "[onerror]", "[onload]"):
        assert page.locator(inside).locator(tag).count() == 0, tag
    links = page.locator("#z-chat .message a").evaluate_all("a => a.map(x => x.getAttribute('href'))")
    assert all(href.startswith("#source-") for href in links)


@pytest.mark.parametrize(
    ("text", "field", "value", "sentence"),
    [
        ("  ", None, "", "请先写下情况或者问题"),
        (CASE, "#z-day", "2026-13-45", "不是一个日期"),
        (CASE, "#z-received", "2199-01-01", "还没有到"),
        (CASE, "#z-happened", "某年", "读不懂"),
    ],
)
def test_input_that_cannot_be_used_gets_one_sentence(
    page: Page, text: str, field: str | None, value: str, sentence: str
) -> None:
    if field:
        page.fill(f"{field} input", value)
        page.keyboard.press("Tab")
    page.fill("#z-input textarea", text)
    page.click("#z-send")
    page.wait_for_selector("#z-notice .z-notice")
    assert sentence in page.inner_text("#z-notice")
    assert page.locator(".message").count() == 0
    assert page.input_value("#z-input textarea") == text


def test_too_long_a_question_is_answered_with_the_sentence_of_the_error(page: Page, parts: Parts) -> None:
    reply_text = ask(page, "问" + "责" * parts.settings.max_question_chars)
    assert "上限" in reply_text
    assert "Traceback" not in page.content()


def test_case_text_is_neither_stored_nor_logged(
    page: Page, parts: Parts, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    marker = "独一无二的磨盘沟水库"
    with caplog.at_level(logging.DEBUG):
        ask(page, f"我是副镇长，{marker}漫坝死了两个人，我会被问责吗？")
    said = capfd.readouterr()
    assert marker not in caplog.text + said.out + said.err
    for file in parts.settings.data.rglob("*"):
        if file.is_file():
            assert marker.encode() not in file.read_bytes(), file.name
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert marker not in stored
    assert page.evaluate("indexedDB.databases()") == []
    assert marker not in page.url


# ---------------------------------------------------------------- the program


def test_a_taken_port_is_named_with_its_setting(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = subprocess.run(
            [str(Path(sys.executable).parent / "zeming"), "chat"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "ZEMING_PORT": str(port), "ZEMING_DATA": str(tmp_path)},
        )
    assert done.returncode != 0
    assert f"端口 {port} 已被占用" in done.stderr
    assert "ZEMING_PORT" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "example.test"])
def test_other_machines_are_not_served_without_accounts(host: str) -> None:
    with pytest.raises(SettingsError, match=r"ZEMING_ACCOUNTS=true；.*ZEMING_HOST"):
        server.check_address(load_settings(host=host, port=free_port()))


def test_with_accounts_other_machines_are_served() -> None:
    server.check_address(load_settings(host="0.0.0.0", port=free_port(), accounts=True))


@pytest.mark.parametrize("host", ["192.0.2.7", "no.such.name.invalid"])
def test_an_address_of_another_machine_is_named(host: str) -> None:
    with pytest.raises(SettingsError, match=f"没有 {host} 这个地址.*ZEMING_HOST"):
        server.check_address(load_settings(host=host, port=free_port(), accounts=True))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_served(host: str) -> None:
    server.check_address(load_settings(host=host, port=free_port()))


def test_the_examples_are_six_roles(settings: Settings) -> None:
    examples = server.load_examples(settings.prompts)
    assert len({e.role for e in examples}) == len({e.text for e in examples}) == 6


def test_unreadable_examples_are_named(tmp_path: Path) -> None:
    (tmp_path / "examples.yaml").write_text("examples: [{role: 甲}]", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"prompts/examples\.yaml"):
        server.load_examples(tmp_path)


# ---------------------------------------------------------------- thread and words


class Broken:
    """An advisor with a bug, whose message repeats the case."""

    def ask(self, question: Question) -> Advice:
        raise ValueError(question.text)


def test_a_bug_is_one_calm_sentence_and_the_log_has_type_and_place_only(
    caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    talk = Conversation(Broken(), make_listener(settings))
    turn = reply(talk, Turn("张三的事", Question("张三的事", TODAY)))
    assert turn.advice is None
    assert turn.error.startswith("程序出了差错")
    assert "ValueError" in caplog.text
    assert "test_web.py" in caplog.text
    assert "张三" not in caplog.text


def an_advice(question: Question, *citations: Citation, answer: str = "好[1]") -> Advice:
    return Advice(question, "knowledge", (), None, (), citations, (), answer, 1)


def test_a_follow_up_moves_the_sheet_and_a_new_matter_begins_another(
    parts: Parts, settings: Settings
) -> None:
    listener = make_listener(settings)
    days = read_days("2026-03-18", "2026-03-01", TODAY)

    def said(thread: Thread, text: str, follow_up: bool = True) -> Thread:
        return answered(parts.advisor, listener, thread, next_turn(text, days, follow_up))

    first = said(Thread(), f" {CASE} ")
    assert first.turns[0].said == CASE
    second = said(first, "说错了，没有死人，就擦破点皮")
    assert second.situations[0].confirmed == {"consequence": "轻微"}
    assert second.situations[0].received == date(2026, 3, 1)
    assert second.selected == 1
    assert second.advice()
    assert first.situations[0].confirmed == {}
    third = said(second, CASE, follow_up=False)
    assert len(third.situations) == 2
    assert third.situations[1].confirmed == {}
    fourth = answered(
        parts.advisor, listener, third, corrected(third.turns[0], "consequence", "严重", listener.vocabulary)
    )
    assert fourth.turns[-1].said == "更正事实：后果＝严重"
    assert fourth.situations[0].confirmed == {"consequence": "严重"}
    assert fourth.current == 0
    failed = said(fourth, "……")
    assert failed.turns[-1].error
    assert failed.situations == fourth.situations


@pytest.mark.parametrize(
    ("law", "received", "sentence"),
    [
        ("昨天", None, "适用规定的日期“昨天”不是一个日期"),
        ("2026-02-30", None, "不是一个日期"),
        (None, "2026-03-21", "还没有到"),
        (None, "03-05", "收到决定的日期“03-05”不是一个日期"),
    ],
)
def test_days_that_cannot_be_used(law: str | None, received: str | None, sentence: str) -> None:
    with pytest.raises(QuestionError, match=sentence):
        read_days(law, received, TODAY)


def test_days_on_each_side_of_today() -> None:
    assert read_days(None, "2026-03-20", TODAY).received == TODAY
    assert read_days("", None, TODAY).law == TODAY
    assert read_days("2027-01-01 00:00:00", None, TODAY).law == date(2027, 1, 1)


INVENTED = Instrument(
    "x-2020", "试行办法", (), "某会", "规范性文件", 5, date(2020, 5, 1), None, None, "javascript:alert(1)", 3
)


class Stock:
    def get(self, id: str) -> Provision | None:
        label = "《试行办法》第一条"
        return Provision(id, INVENTED, "1", None, None, label, "", "要点", None, (), (), {}, (), "memory")


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_tag_or_address_of_a_text_is_live(text: str) -> None:
    cited = Citation(1, "x-2020#1", text, "digest", text, True, text, "memory")
    advice = an_advice(Question(text, TODAY), cited, answer=f"{text} [1]")
    made = [
        view.plain(text),
        view.answer(advice.answer, 0, advice.citations),
        view.sources(advice, 0, Stock()),
    ]
    for html in made:
        assert "\n" not in html
        for tag in ("<script", "<img", "<svg", "<iframe", 'href="http', 'href="javascript', "<b>"):
            assert tag not in html


def test_a_card_tells_digest_from_text_and_marks_doubt() -> None:
    question = Question("问", TODAY)
    digest = Citation(1, "x-2020#1", "《试行办法》第一条", "digest", "要点", True, "javascript:x", "memory")
    text = Citation(
        2, "x-2020#2", "《试行办法》第二条", "verbatim", "原话", False, "https://a.cn/b", "verified"
    )
    html = view.sources(an_advice(question, digest, text), 0, Stock())
    first, second = html.split("<article")[1:]
    assert all(mark in first for mark in ("要旨", "待核", "自 2020-05-01 起施行"))
    assert "官方来源" not in first
    assert "<blockquote" not in first
    assert all(mark in second for mark in ("原文", "<blockquote", "所选日期不适用", 'rel="noopener'))
    assert "待核" not in second


@pytest.mark.parametrize(
    ("markdown", "links"),
    [("甲[1]。", 1), ("甲[1][2]", 2), ("甲[3]", 0), ("[甲]乙", 0), ("1. 《试行办法》第一条（待核）", 0)],
)
def test_only_marks_with_a_source_are_links(markdown: str, links: int) -> None:
    cited = [
        Citation(n, f"x-2020#{n}", "《试行办法》第一条", "digest", "要点", True, None, "memory")
        for n in (1, 2)
    ]
    body = view.answer(markdown, 4, cited).split('<p class="z-more">')[0]
    assert body.count('<a class="z-cite" href="#source-4-') == links
    assert "《试行办法》" not in body.replace('title="《试行办法》第一条"', "")
