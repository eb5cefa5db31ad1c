"""The chat page as people use it: the real program on this machine, Debian's chromium, no network."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import icalendar
import pytest
import sqlalchemy as sa
from docx import Document
from playwright.sync_api import BrowserContext, Locator, Page, expect

from assistant.errors import SettingsError
from assistant.law.corpus import with_documents
from assistant.model import Advice, Citation, Instrument, Provision, Question, Shelf
from assistant.receipts import read_receipt
from assistant.records import tables
from assistant.records.conversations import Kept
from assistant.records.store import Store, open_store
from assistant.settings import load_settings
from assistant.web import server
from assistant.web.registry import Registry
from assistant.web.thread import load_examples
from assistant.wiring import Parts
from tests.browser import free_port
from tests.chatting import (
    CASE,
    DECIDED,
    DISSENT,
    OPEN,
    OTHER,
    REPORT,
    RULE,
    Remembering,
    Slow,
    helped_by,
    helpful,
)
from tests.injections import INJECTIONS
from tests.model_server import model_server, slow

expect.set_options(timeout=30_000)
LATELY = date.today() - timedelta(days=10)
MARK = "磨盘沟独一无二"
ALIEN = (
    "script, img, iframe, svg, math, style, link, object, embed, meta, base, template, video, audio, a[href]"
)
HOSTILE = "\n\n".join(INJECTIONS)


@dataclass
class Model:
    """The real advisor, to whose answers a model may add something, with a source of its own."""

    advisor: Remembering
    more: str = ""

    def ask(self, question: Question, on_stage: Any = None) -> Advice:
        advice = self.advisor.ask(question, on_stage)
        if not self.more:
            return advice
        cited = Citation(
            99, "hostile-2020#1", HOSTILE, "verbatim", HOSTILE, True, "javascript:window.hurt=1", "memory"
        )
        return replace(
            advice,
            answer=f"{advice.answer}\n\n**{INJECTIONS[0]}**\n{self.more}\n\n甲[99]",
            citations=(*advice.citations, cited),
            notices=(*advice.notices, self.more),
        )


@dataclass
class Site:
    """A running page and what is behind it."""

    address: str
    slow: Slow
    model: Model
    plain: Remembering
    registry: Registry
    store: Store
    data: Path

    def on_disk(self) -> bytes:
        return b"".join(file.read_bytes() for file in self.data.rglob("*") if file.is_file())


@pytest.fixture(scope="module")
def site(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data = tmp_path_factory.mktemp("site")
    settings = parts.settings.model_copy(
        update={"port": free_port(), "data": data, "questions_per_minute": 10_000}
    )
    instrument = Instrument(
        "hostile-2020", INJECTIONS[2], (), INJECTIONS[0], "规范性文件", 5, date(2020, 5, 1), None, None,
        "javascript:window.hurt=1", 1, caution=HOSTILE,
    )  # fmt: skip
    provision = Provision(
        "hostile-2020#1", instrument, "1", None, None, f"《{INJECTIONS[2]}》第一条", INJECTIONS[4], HOSTILE, HOSTILE,
        (), (), {}, (), "memory", section=INJECTIONS[0],
    )  # fmt: skip
    stock = with_documents(parts.corpus, Shelf(instruments=(instrument,), provisions=(provision,)))
    model = Model(Remembering(parts.advisor))
    slow = Slow(model)
    with closing(open_store(settings)) as store:
        examples = load_examples(settings.prompts)
        app = server.build_app(
            slow,
            stock,
            settings,
            examples,
            store=store,
            drafter=lambda: parts.drafter,
            replayer=lambda: parts.replayer,
        )
        served = server.launch(app, settings)
        yield Site(served.address, slow, model, model.advisor, app.state.registry, store, data)
        slow.release()
        served.close()


@pytest.fixture
def page(context: BrowserContext, site: Site) -> Iterator[Page]:
    """The page, ready; at the end nothing in it may have failed."""
    faults: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    site.model.more, site.model.advisor = "", site.plain
    site.slow.release()
    arrive(opened, site)
    yield opened
    assert faults == []


def arrive(page: Page, site: Site) -> None:
    page.goto(site.address)
    page.wait_for_selector(".z-app[data-ready]")


def ask(page: Page, text: str) -> Locator:
    """Ask and wait for the answer: its turn."""
    number = page.locator("#z-turns > section").count()
    page.fill("#z-text", text)
    page.click("#z-send")
    page.wait_for_selector(f"#turn-{number} .z-reply-card")
    return page.locator(f"#turn-{number}")


def verdict(turn: Locator) -> str:
    return turn.locator(".z-label").inner_text()


def unfold(turn: Locator) -> None:
    turn.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")


def focused(page: Page) -> Locator:
    return page.locator(":focus")


def tab_to(page: Page, selector: str, key: str = "Tab") -> Locator:
    """Go there by keyboard alone."""
    for _ in range(120):
        page.keyboard.press(key)
        if page.evaluate("selector => document.activeElement?.matches(selector) ?? false", selector):
            return focused(page)
    raise AssertionError(f"{selector} cannot be reached by keyboard")


def saved(page: Page, button: Locator) -> tuple[str, bytes]:
    """What is downloaded at a click: name and content."""
    with page.expect_download() as download:
        button.click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def is_text_only(page: Page) -> None:
    """Nothing of what was written came alive."""
    assert page.evaluate("window.hurt") is None
    for where in ("#z-turns", "#z-sheet", "#z-headings", "#z-box", "#z-notice"):
        assert page.locator(where).locator(ALIEN).count() == 0, where
        handlers = page.locator(where).evaluate_all(
            "all => all.flatMap(top => [...top.querySelectorAll('*')]).flatMap(one => [...one.attributes])"
            ".filter(a => a.name.startsWith('on') || a.name === 'style' || a.name === 'srcdoc').map(a => a.name)"
        )
        assert handlers == [], where


# ---------------------------------------------------------------- asking, sources


def test_a_question_gets_a_verdict_with_its_sources_and_nothing_leaves_the_machine(
    page: Page, context: BrowserContext, site: Site, requests: list[str]
) -> None:
    context.route(
        lambda url: not url.startswith((site.address, "data:", "blob:")), lambda route: route.abort()
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    assert page.locator("#z-welcome p").count() == 3
    assert page.locator(".z-example").count() == 6
    turn = ask(page, CASE)
    assert verdict(turn) == "属于问责范围"
    assert "把握" in turn.locator(".z-sure").inner_text()
    expect(page.locator("#z-welcome")).to_be_hidden()
    expect(page.locator("#z-said")).to_contain_text("属于问责范围")

    # by click: the provision, its words highlighted, its neighbours, a citation to copy, and back to the mark
    unfold(turn)
    mark = turn.locator(".z-part-clauses .z-cite").first
    mark.click()
    sheet = page.locator("#z-sheet")
    expect(sheet.locator("h2")).to_be_focused()
    title = sheet.locator("h2").inner_text()
    assert "《中国共产党问责条例》第七条" in title
    assert re.search(r"要旨|原文", sheet.inner_text())
    assert "自 2019-09-01 起" in sheet.inner_text()
    assert sheet.locator("a").get_attribute("href", timeout=5000).startswith("https://")  # type: ignore[union-attr]
    assert "noopener" in (sheet.locator("a").get_attribute("rel") or "")
    sheet.get_by_role("button", name="复制引用").click()
    expect(page.locator("#z-said")).to_have_text("已复制")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("《中国共产党问责条例》第七条")
    assert "2019年9月1日起施行" in copied
    sheet.get_by_role("button", name="后一条").click()
    expect(sheet.locator("h2")).not_to_have_text(title)
    sheet.get_by_role("button", name="前一条").click()
    expect(sheet.locator("h2")).to_have_text(title)
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(mark).to_be_focused()

    # by keyboard
    page.keyboard.press("Enter")
    expect(sheet.locator("h2")).to_be_focused()
    sheet.get_by_role("button", name="关闭").click()
    expect(mark).to_be_focused()
    marks = turn.locator(".z-part-why .z-cite")
    highlighted = 0
    for number in range(marks.count()):
        marks.nth(number).click()
        expect(sheet.locator("h2")).to_contain_text(marks.nth(number).inner_text())
        highlighted += sheet.locator("mark").count()
    assert highlighted > 0

    abroad = [url for url in requests if not url.startswith((site.address, "data:", "blob:"))]
    assert requests
    assert abroad == []
    assert page.evaluate("document.documentElement.lang") == "zh-CN"


def test_an_example_is_asked_with_one_click_and_a_new_situation_begins_anew(page: Page) -> None:
    page.locator(".z-example").nth(5).click()
    page.wait_for_selector("#turn-0 .z-verdict")
    assert verdict(page.locator("#turn-0")) == "规定怎么说"
    page.click("#z-new")
    expect(page.locator("#z-welcome")).to_be_visible()
    assert page.locator("#z-turns > section").count() == 0
    expect(page.locator("#z-text")).to_be_focused()
    assert verdict(ask(page, CASE)) == "属于问责范围"
    expect(page.locator("#z-follow-line")).to_be_visible()
    assert "看来说的是另一件事" in ask(page, OTHER).inner_text()
    joined = ask(page, "还是刚才那件事")
    assert "已并在一起" in joined.inner_text()
    assert page.locator("#turn-0 .z-chip:enabled").count() == page.locator("#turn-0 .z-chip-more").count()
    page.uncheck("#z-follow")
    assert "已并在一起" not in ask(page, OPEN).inner_text()


def test_who_asks_before_the_new_situation_is_there_is_answered_in_it(page: Page) -> None:
    ask(page, CASE)
    page.fill("#z-text", RULE)
    page.evaluate(
        "() => { document.querySelector('#z-new').click(); document.querySelector('#z-send').click(); }"
    )
    expect(page.locator("#turn-0 .z-label")).to_have_text("规定怎么说")
    assert page.locator("#z-turns > section").count() == 1
    expect(page.locator("#z-headings li")).to_have_count(2)


def test_the_verdict_stays_in_sight_while_a_long_answer_is_read(page: Page) -> None:
    turn = ask(page, CASE)
    unfold(turn)
    log, head = page.locator("#z-log"), turn.locator(".z-verdict")
    frame = log.bounding_box()
    height = turn.evaluate("one => one.scrollHeight")
    assert frame
    assert height > 2 * frame["height"]
    for part in (0.0, 0.3, 0.6, 0.9):
        turn.evaluate(
            "(one, y) => { one.closest('#z-log').scrollTop = one.offsetTop + y; }", height * part - 300
        )
        box = head.bounding_box()
        assert box
        assert box["y"] >= frame["y"] - 1, part
        assert box["y"] + box["height"] <= frame["y"] + frame["height"] + 1, part
        hit = page.evaluate(
            "([x, y]) => Boolean(document.elementFromPoint(x, y)?.closest('.z-verdict'))",
            [box["x"] + 20, box["y"] + box["height"] / 2],
        )
        assert hit, part


# ---------------------------------------------------------------- facts


def test_a_corrected_fact_moves_the_verdict_a_supposition_shows_it_and_a_button_answers(page: Page) -> None:
    turn = ask(page, CASE)
    chip = turn.locator(".z-chip[data-fact=consequence]")
    assert "死了两个" in chip.inner_text()
    box = page.locator("#z-box")

    # what if: side by side, then taken back
    chip.click()
    expect(box).to_be_visible()
    assert "死了两个" in box.inner_text()
    box.get_by_label("无", exact=True).check()
    box.get_by_role("button", name="只是假设").click()
    table = page.locator("#z-sheet table")
    expect(table).to_be_visible()
    now, then = table.locator("tbody tr").first.locator("td").all_inner_texts()
    assert now == "属于问责范围"
    assert then != now
    page.locator("#z-sheet").get_by_role("button", name="不改").click()
    assert verdict(turn) == now

    # ... and adopted
    chip.click()
    box.get_by_label("无", exact=True).check()
    box.get_by_role("button", name="只是假设").click()
    page.locator("#z-sheet").get_by_role("button", name="就按这个改").click()
    expect(turn.locator(".z-label")).to_have_text(then)
    assert "您确认的" in chip.inner_text()
    expect(page.locator("#z-sheet")).to_be_hidden()

    # corrected outright; a change of mind does nothing
    chip.click()
    box.get_by_label("严重", exact=True).check()
    box.get_by_role("button", name="取消").click()
    expect(box).to_be_hidden()
    assert verdict(turn) == then
    chip.click()
    box.get_by_label("严重", exact=True).check()
    box.get_by_role("button", name="改正").click()
    expect(turn.locator(".z-label")).to_have_text(now)
    assert page.evaluate("document.activeElement !== document.body")

    # a missing fact
    reply = turn.locator(".z-reply[data-fact=dissent_recorded][data-value=yes]")
    assert "免予问责" in reply.inner_text()
    reply.click()
    expect(turn.locator(".z-label")).to_have_text("属于，但可免责")
    assert turn.locator(".z-reply[data-fact=dissent_recorded]").count() == 0

    # one that was not read
    turn.locator(".z-chip-add").click()
    box.locator("select").select_option("party_member")
    box.get_by_role("button", name="下一步").click()
    expect(box).to_contain_text("应该是")
    box.get_by_label("是", exact=True).check()
    box.get_by_role("button", name="改正").click()
    expect(turn.locator(".z-chip[data-fact=party_member]")).to_contain_text("您确认的")
    assert page.locator("#z-turns > section").count() == 1


# ---------------------------------------------------------------- dates and drafts


def test_a_day_gives_deadlines_a_calendar_and_a_draft_that_can_be_edited(page: Page) -> None:
    turn = ask(page, DECIDED)
    turn.locator(".z-part-routes > summary").click()
    assert turn.locator(".z-left").count() == 0
    turn.locator("input[name=received]").fill(LATELY.isoformat())
    turn.get_by_role("button", name="算期限").click()
    expect(turn.locator(".z-left").first).to_contain_text("还有")
    assert turn.locator(".z-part-routes").get_attribute("open") is not None
    last = [
        date.fromisoformat(day)
        for day in turn.locator("time").evaluate_all("all => all.map(t => t.dateTime)")
    ]
    left = turn.locator(".z-left").first.inner_text()
    assert f"还有 {(last[0] - date.today()).days} 天" in left
    name, made = saved(page, turn.get_by_role("button", name="加到日历"))
    assert name.endswith(".ics")
    starts = [event.decoded("DTSTART") for event in icalendar.Calendar.from_ical(made).walk("VEVENT")]
    assert last[0] in {day.date() if isinstance(day, datetime) else day for day in starts}

    turn.get_by_role("button", name="写材料").click()
    sheet = page.locator("#z-sheet")
    sheet.locator(".z-fits").first.click()
    text = page.locator("#z-draft-text")
    expect(text).to_be_visible()
    assert "副镇长" in text.input_value()
    text.evaluate(
        "one => one.setRangeText('补充：当天我在县里开会。\\n', one.value.length, one.value.length)"
    )
    name, made = saved(page, sheet.get_by_role("button", name="下载 Word 文档"))
    assert name.endswith(".docx")
    told = "\n".join(paragraph.text for paragraph in Document(io.BytesIO(made)).paragraphs)
    for words in ("副镇长", "采石场", "补充：当天我在县里开会。", "《中国共产党问责条例》"):
        assert words in told, words
    sheet.get_by_role("button", name="换一种").click()
    expect(sheet.locator(".z-kind").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(turn.get_by_role("button", name="写材料")).to_be_focused()


# ---------------------------------------------------------------- opinions, history, traces


def test_an_opinion_reaches_the_administrator(page: Page, site: Site) -> None:
    turn = ask(page, CASE)
    turn.get_by_role("button", name="这个答复准确").click()
    expect(page.locator("#z-notice")).to_contain_text("谢谢")
    expect(turn.get_by_role("button", name="这个答复准确")).to_be_disabled()
    (right,) = site.registry.feedback.listed()
    assert right.right
    assert right.scope == "in"
    other = ask(page, RULE)
    box = page.locator("#z-box")
    other.get_by_role("button", name="不准确").click()
    box.get_by_role("button", name="取消").click()  # although nothing was filled in
    expect(box).to_be_hidden()
    other.get_by_role("button", name="不准确").click()
    box.get_by_label("哪里不对").fill("李建国说影响期写错了，电话13812345678")
    box.get_by_label("您认为应该适用哪一条").fill("《中国共产党问责条例》第八条")
    box.get_by_role("button", name="提交").click()
    expect(page.locator("#z-notice")).to_contain_text("谢谢")
    wrong = site.registry.feedback.listed()[0]
    assert not wrong.right
    assert "影响期写错了" in wrong.reason
    assert "13812345678" not in wrong.reason
    assert "李建国" not in wrong.reason
    assert wrong.clause == "《中国共产党问责条例》第八条"


def test_conversations_are_found_again_renamed_taken_along_and_deleted(page: Page, site: Site) -> None:
    ask(page, CASE.replace("采石场", f"{MARK}采石场"))
    page.click("#z-new")
    expect(page.locator("#z-turns > section")).to_have_count(0)
    ask(page, OTHER)
    arrive(page, site)
    headings = page.locator("#z-headings li")
    expect(headings).to_have_count(2)
    page.fill("#z-search", "采石场")
    page.press("#z-search", "Enter")
    expect(headings).to_have_count(1)
    headings.locator(".z-heading").click()
    turn = page.locator("#turn-0")
    expect(turn.locator(".z-label")).to_have_text("属于问责范围")
    turn.locator(".z-chip[data-fact=consequence]").click()
    page.locator("#z-box").get_by_label("无", exact=True).check()
    page.locator("#z-box").get_by_role("button", name="改正").click()
    expect(turn.locator(".z-label")).not_to_have_text("属于问责范围")
    expect(headings).to_have_count(1)  # still what was looked for

    def manage(what: str) -> Locator:
        headings.locator("summary").click()
        return headings.get_by_role("button", name=what, exact=True)

    manage("改名").click()
    title = page.get_by_label("对话名称")
    title.fill("采石场的事")
    title.press("Enter")
    expect(headings.locator(".z-heading")).to_contain_text("采石场的事")
    for what, ending in (("导出 Markdown", ".md"), ("导出 Word", ".docx"), ("导出 JSON", ".json")):
        name, made = saved(page, manage(what))
        assert name == f"采石场的事{ending}"
        if ending == ".json":
            assert MARK in json.loads(made)["turns"][0]["said"]
        elif ending == ".docx":
            assert any(MARK in p.text for p in Document(io.BytesIO(made)).paragraphs)
        else:
            assert MARK in made.decode()
        page.keyboard.press("Escape")
        page.locator("#z-log").click(position={"x": 3, "y": 3})
    assert MARK.encode() in site.on_disk()
    manage("删除").click()
    page.locator("#z-box").get_by_role("button", name="不删").click()
    expect(headings).to_have_count(1)
    page.locator("#z-log").click(position={"x": 3, "y": 3})
    manage("删除").click()
    page.locator("#z-box").get_by_role("button", name="删除", exact=True).click()
    expect(page.locator("#z-notice")).to_have_text("已经删除。")
    expect(page.locator("#z-turns > section")).to_have_count(0)
    assert MARK.encode() not in site.on_disk()
    page.fill("#z-search", "")
    page.press("#z-search", "Enter")
    expect(headings).to_have_count(1)
    page.get_by_role("button", name="全部删除").click()
    page.locator("#z-box").get_by_role("button", name="删除", exact=True).click()
    expect(page.locator("#z-headings")).to_contain_text("还没有保存的对话")


def test_without_a_trace_nothing_is_kept_and_the_browser_keeps_nothing_either(page: Page, site: Site) -> None:
    page.check("#z-quiet")
    ask(page, CASE.replace("采石场", f"{MARK}采石场"))
    ask(page, REPORT)
    assert "赵德柱" not in page.content()
    expect(page.locator("#z-headings")).to_contain_text("还没有保存的对话")
    assert MARK.encode() not in site.on_disk()
    page.uncheck("#z-quiet")
    expect(page.locator("#z-headings li")).to_have_count(1)
    assert MARK.encode() in site.on_disk()
    assert "赵德柱".encode() not in site.on_disk()
    page.check("#z-quiet")
    expect(page.locator("#z-headings li")).to_have_count(0)
    assert MARK.encode() not in site.on_disk()
    stored = page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, history.state])"
    )
    assert MARK not in stored
    assert "副镇长" not in stored
    assert page.evaluate("indexedDB.databases()") == []
    assert page.evaluate("caches.keys()") == []
    assert page.url.rstrip("/") == site.address
    assert all(MARK not in str(cookie) for cookie in page.context.cookies())


# ---------------------------------------------------------------- a language model, receipts


def test_a_models_part_is_seen_unfolded_and_proven_and_a_slow_one_can_be_stopped(
    page: Page, site: Site, parts: Parts
) -> None:
    with model_server(helpful) as model:
        site.model.advisor = Remembering(helped_by(parts, model.url))
        turn = ask(page, DISSENT)
        expect(turn.locator(".z-verdict")).to_contain_text("大模型协助")
        part = turn.locator(".z-part-assisted")
        expect(part.locator(".z-inside")).to_be_hidden()
        part.locator("summary").focus()
        page.keyboard.press("Enter")
        expect(part.locator(".z-inside")).to_contain_text("提出2项，采用1项")
        turn.get_by_role("button", name="答复凭据").click()
        page.get_by_label("不写原话").check()
        name, content = saved(page, page.get_by_role("button", name="下载"))
        assert name.startswith("答复凭据-")
        made = read_receipt(content.decode())
        assert made.question.text is None
        assert parts.replayer.replay(made).same
        expect(page.locator("#z-notice")).to_have_text("")
        model.answers = [slow("{}", 60)]
        site.model.advisor = Remembering(helped_by(parts, model.url))
        page.uncheck("#z-follow")
        page.fill("#z-text", CASE)
        page.press("#z-text", "Enter")
        expect(page.locator("#turn-1 .z-now")).to_have_text("请大模型帮着读……")
        page.click("#z-stop")
        expect(page.locator("#turn-1")).to_contain_text("已停止", timeout=10_000)


# ---------------------------------------------------------------- waiting, failing


def test_while_it_works_the_stage_is_shown_and_it_can_be_stopped_and_asked_again(
    page: Page, site: Site
) -> None:
    site.slow.hold()
    page.fill("#z-text", CASE)
    page.press("#z-text", "Enter")
    assert site.slow.begun.wait(30)
    stage = page.locator("#turn-0 .z-now")
    expect(stage).to_have_text(re.compile("^(理解情况|查找条款|判断|核对引用)……$"))
    assert page.locator(".z-verdict").count() == 0
    assert CASE in page.locator("#turn-0 .z-said").inner_text()
    expect(page.locator("#z-send")).to_be_hidden()
    page.click("#z-stop")
    expect(page.locator("#z-send")).to_be_visible()
    turn = page.locator("#turn-0")
    expect(turn).to_contain_text("已停止")  # at once, though it goes on behind
    site.slow.release()
    assert turn.locator(".z-verdict").count() == 0
    expect(page.locator("#z-headings")).to_contain_text("还没有保存的对话")
    turn.get_by_role("button", name="再试一次").click()
    expect(turn.locator(".z-label")).to_have_text("属于问责范围")
    expect(page.locator("#z-headings li")).to_have_count(1)
    assert page.locator("#z-turns > section").count() == 1


def test_what_cannot_be_used_gets_one_sentence_and_the_words_stay(
    page: Page, context: BrowserContext
) -> None:
    notice = page.locator("#z-notice")
    page.fill("#z-text", "  ")
    page.click("#z-send")
    expect(notice).to_contain_text("请先写下情况或者问题")
    for text, field, value, sentence in (
        (CASE, "happened", "某年", "读不懂"),
        (CASE, "received", (date.today() + timedelta(days=2)).isoformat(), "还没有到"),
        ("……？！", "", "", "只看到标点"),
        ("问" + "责" * 6500, "", "", "上限"),
    ):
        if field:
            page.locator("#z-days").evaluate("one => { one.open = true; }")
            page.fill(f"[name={field}]", value)
            page.keyboard.press("Escape")
            expect(page.locator("#z-days > summary")).to_be_focused()
        page.fill("#z-text", text)
        page.click("#z-send")
        expect(notice).to_contain_text(sentence)
        assert page.input_value("#z-text") == text
        assert page.locator("#z-turns > section").count() == 0
        expect(page.locator("#z-welcome")).to_be_visible()
        if field:
            page.locator("#z-days").evaluate("one => { one.open = true; }")
            page.fill(f"[name={field}]", "")
            page.locator("#z-log").click(position={"x": 3, "y": 3})
            expect(page.locator(f"[name={field}]")).to_be_hidden()
    context.set_offline(True)
    page.fill("#z-text", CASE)
    page.click("#z-send")
    expect(notice).to_contain_text("没有连上责明程序")
    assert page.input_value("#z-text") == CASE
    assert page.locator("#z-turns > section").count() == 0
    page.locator("#z-quiet").click()
    expect(page.locator("#z-quiet")).not_to_be_checked()
    context.set_offline(False)
    page.click("#z-send")
    page.wait_for_selector("#turn-0 .z-verdict")
    expect(notice).to_be_empty()
    assert "Traceback" not in page.content()


# ---------------------------------------------------------------- the look, by phone, by keyboard


def test_the_display_is_chosen_once_and_stays(page: Page, site: Site) -> None:
    def choose(*labels: str) -> None:
        page.locator("#z-look").evaluate("one => { one.open = true; }")
        for label in labels:
            page.locator("#z-look").get_by_text(label, exact=True).click()

    choose("特大", "深色", "繁體")
    expect(page.locator(".z-bar h1")).to_contain_text("問責")
    arrive(page, site)
    html = page.locator("html")
    expect(html).to_have_attribute("data-size", "larger")
    expect(html).to_have_class(re.compile(r"\bdark\b"))
    expect(html).to_have_attribute("lang", "zh-Hant")
    expect(page.locator(".z-bar h1")).to_contain_text("問責")
    turn = ask(page, CASE)
    expect(turn.locator(".z-label")).to_have_text("屬於問責範圍")
    page.locator("#z-look").evaluate("one => { one.open = true; }")
    page.locator("#z-look input[value=hans]").check()
    expect(turn.locator(".z-label")).to_have_text("属于问责范围")
    expect(page.locator(".z-bar h1")).to_contain_text("问责")
    assert CASE in turn.locator(".z-said").inner_text()
    assert sorted(page.evaluate("Object.keys(localStorage)")) == [
        "zeming-script",
        "zeming-size",
        "zeming-theme",
    ]


@pytest.mark.parametrize("width", [360, 390])
def test_on_a_phone_nothing_is_cut_off_and_sources_come_from_below(
    context: BrowserContext, site: Site, width: int
) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 740})
    arrive(page, site)

    def fits() -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for part in page.locator("#z-log, #z-sheet[open], #z-box[open]").all():
            assert part.evaluate("one => one.scrollWidth - one.clientWidth") <= 1

    fits()
    assert page.locator("#z-send").is_visible()
    turn = ask(page, DECIDED + "网址http://example.com/" + "a" * 120)
    unfold(turn)
    fits()
    turn.locator("input[name=received]").fill(LATELY.isoformat())
    turn.get_by_role("button", name="算期限").click()
    expect(turn.locator(".z-left").first).to_be_visible()
    unfold(turn)
    fits()
    turn.locator(".z-part-clauses .z-cite").first.click()
    sheet = page.locator("#z-sheet")
    expect(sheet.locator("h2")).to_be_focused()
    page.wait_for_timeout(400)
    box = sheet.bounding_box()
    assert box
    assert abs(box["y"] + box["height"] - 740) <= 2
    assert box["width"] >= width - 4
    assert box["y"] > 0
    fits()
    page.mouse.click(width / 2, box["y"] / 2)  # beside it
    expect(sheet).to_be_hidden()
    turn.locator(".z-chip").first.click()
    expect(page.locator("#z-box")).to_be_visible()
    fits()
    page.keyboard.press("Escape")
    expect(page.locator("#z-box")).to_be_hidden()
    page.click("#z-menu")
    expect(page.locator("#z-headings li")).to_have_count(1)
    fits()
    page.locator("#z-headings .z-heading").click()
    expect(page.locator("#turn-0 .z-label")).to_be_visible()


def test_a_whole_case_by_keyboard_alone(page: Page) -> None:
    page.keyboard.press("Tab")
    assert focused(page).inner_text() == "跳到输入框"
    page.keyboard.press("Enter")
    expect(page.locator("#z-text")).to_be_focused()
    page.keyboard.insert_text(CASE)
    page.keyboard.press("Enter")
    turn = page.locator("#turn-0")
    expect(turn.locator(".z-label")).to_have_text("属于问责范围")

    tab_to(page, ".z-chip[data-fact=consequence]", "Shift+Tab")  # what it understood
    page.keyboard.press("Enter")
    box = page.locator("#z-box")
    expect(box.locator("input:checked")).to_be_focused()
    page.keyboard.press("Escape")
    expect(turn.locator(".z-chip[data-fact=consequence]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(box.locator("input:checked")).to_be_focused()
    before = box.locator("input:checked").get_attribute("value")
    while box.locator("input:checked").get_attribute("value") != "无":
        page.keyboard.press("ArrowDown")
    assert before != "无"
    page.keyboard.press("Enter")
    expect(turn.locator(".z-label")).not_to_have_text("属于问责范围")

    tab_to(page, ".z-part-why > summary")  # why, and a source
    page.keyboard.press("Enter")
    mark = tab_to(page, ".z-part-why .z-cite")
    page.keyboard.press("Enter")
    expect(page.locator("#z-sheet h2")).to_be_focused()
    tab_to(page, "#z-sheet .z-neighbours button")
    page.keyboard.press("Enter")
    expect(page.locator("#z-sheet h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#z-sheet")).to_be_hidden()
    assert "z-cite" in (mark.get_attribute("class") or "")

    tab_to(page, ".z-part-routes > summary")  # the dates
    page.keyboard.press("Enter")
    tab_to(page, "#turn-0 input[name=received]")
    focused(page).fill(LATELY.isoformat())
    page.keyboard.press("Enter")
    expect(turn.locator(".z-left").first).to_be_visible()

    tab_to(page, "#turn-0 footer [data-do=drafts]")
    page.keyboard.press("Enter")
    tab_to(page, "#z-sheet .z-kind")
    page.keyboard.press("Enter")
    expect(page.locator("#z-draft-text")).to_be_visible()
    page.keyboard.press("Escape")
    tab_to(page, "#turn-0 footer [data-do=wrong]", "Shift+Tab")
    page.keyboard.press("Enter")
    page.keyboard.insert_text("说得不对")
    tab_to(page, "#z-box button[value=send]")
    page.keyboard.press("Enter")
    expect(page.locator("#z-notice")).to_contain_text("谢谢")
    tab_to(page, "#z-new", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#z-welcome")).to_be_visible()
    expect(page.locator("#z-text")).to_be_focused()


# ---------------------------------------------------------------- text stays text


def test_whatever_is_written_stays_text(page: Page, site: Site) -> None:
    # in what people say, and as the beginning of a title
    for number in range(0, len(INJECTIONS), 8):
        some = INJECTIONS[number : number + 8]
        page.evaluate("document.querySelector('#z-follow').checked = false")
        turn = ask(page, "\n".join((some[0], "我是副镇长，群里没回消息被问责了，这算问责吗？", *some)))
        shown = re.sub(r"\s+", "", turn.locator(".z-said").text_content() or "")
        for text in some:
            assert re.sub(r"[\s\x00]+", "", text) in shown.replace("\ufffd", ""), text
        is_text_only(page)
    # as titles
    with site.store.reading() as connection:
        newest = (
            sa.select(tables.conversations.c.owner).order_by(tables.conversations.c.updated.desc()).limit(1)
        )
        owner = connection.execute(newest).scalar_one()
    now = datetime.now(UTC)
    for number, text in enumerate(INJECTIONS):
        site.registry.conversations.keep(owner, Kept(f"{number:032x}", text, now, now, "{}"))
    page.press("#z-search", "Enter")
    expect(page.locator("#z-headings li")).to_have_count(len(INJECTIONS) + 1)
    is_text_only(page)
    page.locator("#z-headings summary").first.click()
    page.locator("#z-headings").get_by_role("button", name="改名").first.click()
    is_text_only(page)
    page.keyboard.press("Escape")
    # in an opinion and a draft
    turn = ask(page, DECIDED)
    turn.get_by_role("button", name="不准确").click()
    page.locator("#z-box").get_by_label("哪里不对").fill(HOSTILE[:900])
    page.locator("#z-box").get_by_role("button", name="提交").click()
    expect(page.locator("#z-notice")).to_contain_text("谢谢")
    turn.get_by_role("button", name="写材料").click()
    page.locator("#z-sheet .z-kind").first.click()
    page.fill("#z-draft-text", f"标题\n{HOSTILE}")
    _, made = saved(page, page.locator("#z-sheet").get_by_role("button", name="下载 Word 文档"))
    assert INJECTIONS[0] in "\n".join(paragraph.text for paragraph in Document(io.BytesIO(made)).paragraphs)
    is_text_only(page)
    page.keyboard.press("Escape")
    is_text_only(page)


def test_what_a_model_or_a_document_says_stays_text(page: Page, site: Site) -> None:
    site.model.more = HOSTILE
    turn = ask(page, CASE)
    unfold(turn)
    is_text_only(page)
    told = re.sub(r"\s+", "", turn.text_content() or "")
    for text in (INJECTIONS[0], INJECTIONS[2], "{{7*7}}", "${alert(1)}"):
        assert re.sub(r"\s+", "", text) in told
    turn.locator(".z-cite", has_text="[99]").first.click()
    sheet = page.locator("#z-sheet")
    expect(sheet.locator("h2")).to_contain_text(INJECTIONS[2])
    is_text_only(page)
    said = re.sub(r"\s+", "", sheet.text_content() or "")
    for text in INJECTIONS:
        assert re.sub(r"[\s\x00]+", "", text) in said.replace("\ufffd", ""), text
    turn.get_by_role("button", name="复制", exact=True).click()
    is_text_only(page)
    # and again when it was kept and opened
    arrive(page, site)
    page.locator("#z-headings .z-heading").first.click()
    page.wait_for_selector("#turn-0 .z-verdict")
    unfold(page.locator("#turn-0"))
    is_text_only(page)


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
