"""Everybody can use the pages: axe-core on every state of them, letters, fingers, keyboard, paper.

The chat page and the knowledge page are the real ones; the pages of accounts have their own tests.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from assistant.web import server
from assistant.wiring import Office, Parts
from tests.browser import axe, free_port
from tests.chatting import DISSENT, helped_by, helpful
from tests.model_server import model_server

CASE = (
    "我是分管安全的副镇长，镇里的采石场长期违规开采，我知道后没有去查，也没有督促整改，后来塌方死了两个人，"
    "造成重大损失。10月28日收到问责决定，给了党内警告，我不服怎么办？"
)
PHONE, DESK = (375, 760), (1360, 860)
NOTICED = ("moderate", "serious", "critical")


@pytest.fixture(scope="module")
def address(parts: Parts) -> Iterator[str]:
    settings = parts.settings.model_copy(update={"port": free_port()})
    office = Office(settings)
    app = server.build_app(
        office,
        office,
        settings,
        server.load_examples(settings.prompts),
        office,
        drafter=lambda: office.parts(wait=False).drafter,
        replayer=office.replayer,
    )
    served = server.launch(app, settings)
    yield served.address
    served.close()


def visit(
    browser: Browser, address: str, size: tuple[int, int], letters: str = "normal", path: str = "/"
) -> Page:
    """A page in a browser of its own, with fingers where it is small."""
    width, height = size
    small = width < 700
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale="zh-CN", has_touch=small, is_mobile=small,
        reduced_motion="reduce",
    )  # fmt: skip
    context.set_default_timeout(60_000)
    context.add_init_script(f"localStorage.setItem('zeming-size', '{letters}')")
    page = context.new_page()
    page.goto(address + path)
    page.wait_for_selector("[data-ready]" if path == "/" else ".z-docs")
    return page


def ask(page: Page) -> None:
    page.fill("#z-text", CASE)
    page.click("#z-send")
    page.wait_for_selector("#turn-0 .z-verdict")


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('.z-part').forEach(part => { part.open = true; })")


def look(page: Page, state: str) -> list[str]:
    """What is wrong with the page as it stands, in light and dark."""
    wrong = []
    for theme in ("light", "dark"):
        page.evaluate("theme => window.zemingLook.choose('theme', theme)", theme)
        wrong += [f"{state}, {theme}: {line}" for line in axe(page, NOTICED)]
    overhang = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return wrong + ([f"{state}: {overhang} pixels too wide"] if overhang > 0 else [])


SIZES = pytest.mark.parametrize(
    ("size", "letters"),
    [(PHONE, "normal"), (PHONE, "larger"), (DESK, "normal")],
    ids=["phone", "large", "desk"],
)


@SIZES
def test_axe_finds_nothing_in_the_chat(
    browser: Browser, address: str, size: tuple[int, int], letters: str
) -> None:
    page = visit(browser, address, size, letters)
    wrong = look(page, "first screen")
    page.click("#z-look summary")
    wrong += look(page, "display menu")
    page.keyboard.press("Escape")
    ask(page)
    unfold(page)
    page.fill("#received-0", "2026-10-28")
    page.locator("#turn-0 .z-dates button").first.click()
    page.wait_for_selector("#turn-0 .z-left")
    unfold(page)
    wrong += look(page, "answer")
    page.locator("#turn-0 .z-part-why .z-cite").first.click()
    page.wait_for_selector("#z-sheet[open] .z-provision")
    wrong += look(page, "source")
    page.keyboard.press("Escape")
    page.locator("#turn-0 .z-chip[data-fact]").first.click()
    page.wait_for_selector("#z-box[open]")
    wrong += look(page, "fact")
    page.locator("#z-box input").last.check()
    page.get_by_role("button", name="只是假设").click()
    page.wait_for_selector("#z-sheet[open] .z-compare")
    wrong += look(page, "what-if")
    page.keyboard.press("Escape")
    page.locator("#turn-0 [data-do=drafts]").click()
    page.wait_for_selector("#z-sheet[open] .z-kind")
    wrong += look(page, "drafts")
    page.locator(".z-kind").first.click()
    page.wait_for_selector("#z-draft-text")
    wrong += look(page, "draft")
    page.keyboard.press("Escape")
    if page.locator("#z-menu").is_visible():
        page.click("#z-menu")
    page.locator(".z-manage summary").first.click()
    wrong += look(page, "history")
    page.context.close()
    assert wrong == []


def test_axe_finds_nothing_where_a_language_model_helped(browser: Browser, parts: Parts) -> None:
    settings = parts.settings.model_copy(update={"port": free_port()})
    with model_server(helpful) as model:
        app = server.build_app(
            helped_by(parts, model.url),
            parts.corpus,
            settings,
            server.load_examples(settings.prompts),
            replayer=lambda: parts.replayer,
        )
        served = server.launch(app, settings)
        page = visit(browser, served.address, PHONE)
        page.fill("#z-text", DISSENT)
        page.click("#z-send")
        page.locator("#turn-0 .z-part-assisted summary").click()
        wrong = look(page, "a model's part")
        page.locator("#turn-0 [data-do=receipt]").click()
        page.wait_for_selector("#z-box[open]")
        wrong += look(page, "receipt")
        page.context.close()
        served.close()
    assert wrong == []


@pytest.mark.parametrize(("size", "letters"), [(PHONE, "larger"), (DESK, "normal")], ids=["large", "desk"])
def test_axe_finds_nothing_in_the_knowledge_base(
    browser: Browser, address: str, size: tuple[int, int], letters: str
) -> None:
    page = visit(browser, address, size, letters, "/knowledge")
    wrong = look(page, "nothing added")
    page.get_by_label("也列出随程序附带的法律").check()
    page.wait_for_timeout(500)
    if page.locator(".z-doc").count():  # the package of laws is there
        page.locator(".z-doc").first.click()
        page.wait_for_selector(".z-preview")
        wrong += look(page, "document")
    page.get_by_role("tab", name="检索").click()
    page.get_by_label("要找的话").fill("申诉 期限")
    page.keyboard.press("Enter")
    page.wait_for_selector("#z-hits .z-card")
    wrong += look(page, "hits")
    page.get_by_role("tab", name="收录情况").click()
    page.wait_for_selector(".z-figures")
    wrong += look(page, "figures")
    page.context.close()
    assert wrong == []


def test_fingers_hit_what_they_aim_at(browser: Browser, address: str) -> None:
    page = visit(browser, address, (360, 700))
    ask(page)
    unfold(page)
    small = page.evaluate("""
      [...document.querySelectorAll("button:not(.z-cite), summary, a:not(.z-skip), label:has(input), input[type=date]")]
        .filter(e => e.checkVisibility({ checkVisibilityCSS: true }) && !e.closest(".z-hidden"))
        .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
        .filter(([, box]) => box.height < 28 || box.width < 24).map(([html]) => html)
    """)
    assert small == []
    # the marks stand in lines of text, which they must not push apart; they are hit also a little beside them
    missed = page.evaluate("""
      [...document.querySelectorAll("#turn-0 .z-cite")].filter(mark => {
        mark.scrollIntoView({ block: "center" });
        const { x, y, width, height } = mark.getBoundingClientRect();
        const hit = (dx, dy) => document.elementFromPoint(x + width / 2 + dx, y + height / 2 + dy) === mark;
        return !hit(0, -12) || !hit(0, 12) || !hit(-10, 0) || !hit(10, 0);
      }).length
    """)
    assert missed == 0
    assert page.evaluate("document.querySelector('#turn-0 .z-lead p').getBoundingClientRect().height") < 30
    page.context.close()


def test_the_keyboard_shows_where_it_is(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("[data-ready]")
    seen = []
    page.evaluate("document.activeElement.blur()")
    for _ in range(14):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate("""(() => {
              const here = document.activeElement, style = getComputedStyle(here);
              const shown = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
              return [here.id || here.textContent.trim(), shown];
            })()""")
        )
    names = [name for name, _ in seen]
    assert [name for name, shown in seen if not shown] == []
    assert names[:4] == ["跳到输入框", "问答", "知识库", "管理"]
    assert "z-log" in names


def test_twice_as_large_and_on_its_side_everything_is_reached(browser: Browser, address: str) -> None:
    page = visit(browser, address, (640, 360))  # 1280 by 720 at 200 %
    page.locator(".z-example").last.scroll_into_view_if_needed()
    ask(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    box = page.locator("#turn-0 .z-verdict").bounding_box()
    assert box
    assert 0 <= box["y"] < 360
    page.locator("#z-send").scroll_into_view_if_needed()
    page.context.close()


def test_on_paper_everything_is_unfolded_and_nothing_is_a_button(browser: Browser, address: str) -> None:
    page = visit(browser, address, DESK)
    ask(page)
    folded = page.locator(".z-part:not([open])").count()
    assert folded > 3
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator(".z-part:not([open])").count() == 0
    assert page.locator(".z-sources").is_visible()
    for gone in (".z-bar nav", "#z-form", "#z-history", "#turn-0 footer", "#z-welcome"):
        assert not page.locator(gone).first.is_visible(), gone
    height = "document.querySelector('#z-log').scrollHeight - document.querySelector('#z-log').clientHeight"
    assert page.evaluate(height) == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".z-part:not([open])").count() == folded
    page.context.close()


def test_the_pages_come_at_once_and_ask_for_nothing_elsewhere(browser: Browser, address: str) -> None:
    for path in ("/", "/knowledge"):
        paints, faults, asked = [], [], []

        def heard(message: ConsoleMessage, faults: list[str] = faults) -> None:
            if message.type in ("error", "warning"):
                faults.append(message.text)

        for _ in range(3):
            context = browser.new_context(locale="zh-CN")
            page = context.new_page()
            page.on("console", heard)
            page.on("pageerror", lambda error, faults=faults: faults.append(str(error)))
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.on(
                "response",
                lambda response, faults=faults: (
                    faults.append(response.url) if response.status >= 400 else None
                ),
            )
            page.goto(address + path)
            page.wait_for_selector("[data-ready]" if path == "/" else ".z-docs")
            paints.append(
                page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
            )
            context.close()
        assert faults == []
        assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
        assert statistics.median(paints) < 10_000  # under one second where nothing else is at work
