"""Pictures of every page for the documentation, at the width of a desk and of a phone.

Comes in: the real assistant, made-up stories, a scripted language model, Debian's chromium. Goes out:
``docs/screenshots/*.png``; pictures that are no longer made are taken away. Conversations and accounts stand in a
folder that is thrown away afterwards.
Run as ``python -m evals.screenshots``; needs ``apt-get install -y chromium fonts-noto-cjk``.
"""

from __future__ import annotations

import secrets
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from fastapi import FastAPI
from playwright.sync_api import Browser, Page, sync_playwright

from assistant import wiring
from assistant.advisor import Advisor
from assistant.records.feedback import Feedback
from assistant.settings import Settings, load_settings
from assistant.web import server
from tests.chatting import DISSENT, helped_by, helpful
from tests.model_server import model_server

CHROMIUM = "/usr/bin/chromium"
TARGET = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
WIDE, PHONE = (1200, 760), (375, 720)
CASE = (
    "我是分管安全的副镇长，镇里的采石场长期违规开采，我知道后没有去查，也没有督促整改，后来塌方死了两个人，"
    "造成重大损失。上周收到问责决定，给了党内警告，我不服怎么办？"
)
_PEOPLE = (("周明", "trainer"), ("王小丽", "user"))


@dataclass
class Camera:
    """One window on one of the sites. ``prefix`` stands before the names of the pictures of a phone."""

    page: Page
    address: str
    prefix: str

    def open(self, path: str, until: str) -> None:
        self.page.goto(self.address + path)
        self.page.wait_for_selector(until)

    def shoot(self, name: str) -> None:
        self.page.wait_for_timeout(500)  # fonts and what is still being drawn
        self.page.screenshot(path=TARGET / f"{self.prefix}{name}.png")


def main() -> None:
    if not Path(CHROMIUM).exists():
        sys.exit(f"没有找到 {CHROMIUM}，请先安装：apt-get install -y chromium fonts-noto-cjk。")
    TARGET.mkdir(parents=True, exist_ok=True)
    begun = datetime.now(UTC).timestamp() - 2  # clocks of file systems are coarse
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        records = Path(folder)
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--lang=zh-CN"],
            env={"LANGUAGE": "zh_CN"},
        )
        office = wiring.Office(load_settings())
        with _site(office, _settings(records / "open.db")) as (_, address):
            for camera in _cameras(browser, address):
                _talk(camera)
                _knowledge(camera)
            for camera in _cameras(browser, address, dark=True):
                _ask(camera)
                camera.shoot("dark")
        with (
            model_server(helpful) as model,
            _site(office, _settings(records / "helped.db"), helped_by(office.parts(), model.url)) as (
                _,
                address,
            ),
        ):
            for camera in _cameras(browser, address):
                _helped(camera)
        with _site(office, _settings(records / "closed.db", accounts=True)) as (site, address):
            for camera in _cameras(browser, address):
                camera.open("/setup", "form")
                camera.shoot("setup")
            password = _people(site)
            for camera in _cameras(browser, address):
                _administration(camera, password)
        browser.close()
    for old in TARGET.glob("*.png"):
        if old.stat().st_mtime < begun:
            old.unlink()


def _settings(records: Path, accounts: bool = False) -> Settings:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return load_settings(port=port, accounts=accounts, records_url=f"sqlite:///{records}")


@contextmanager
def _site(
    office: wiring.Office, settings: Settings, advisor: Advisor | None = None
) -> Iterator[tuple[FastAPI, str]]:
    """All pages, opened; the program and its address. ``advisor`` answers in place of the office."""
    app = server.build_app(
        advisor or office, office, settings, server.load_examples(settings.prompts), office,
        drafter=lambda: office.parts(wait=False).drafter, replayer=office.replayer,
    )  # fmt: skip
    served = server.launch(app, settings)
    try:
        yield app, served.address
    finally:
        served.close()


def _cameras(browser: Browser, address: str, *, dark: bool = False) -> Iterator[Camera]:
    for (width, height), prefix in ((WIDE, ""), (PHONE, "phone-")):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            has_touch=bool(prefix),
            is_mobile=bool(prefix),
        )
        context.set_default_timeout(60_000)
        yield Camera(context.new_page(), address, prefix)
        context.close()


def _ask(camera: Camera, story: str = CASE) -> None:
    camera.open("/", "[data-ready]")
    camera.page.fill("#z-text", story)
    camera.page.click("#z-send")
    camera.page.wait_for_selector("#turn-0 .z-verdict")
    camera.page.evaluate("document.activeElement.blur()")


def _talk(camera: Camera) -> None:
    """The chat, from the first screen to the history."""
    page = camera.page
    camera.open("/", "[data-ready]")
    camera.shoot("first")
    _ask(camera)
    camera.shoot("answer")
    page.locator("#turn-0 .z-part-why > summary").click()
    _to_top(page, "#turn-0 .z-part-why")
    camera.shoot("reasons")
    page.locator("#turn-0 .z-part-why .z-cite").first.click()
    page.wait_for_selector("#z-sheet[open] .z-provision")
    camera.shoot("source")
    page.keyboard.press("Escape")
    chip = page.locator('#turn-0 .z-chip[data-fact="severity"], #turn-0 .z-chip[data-fact]').first
    chip.click()
    page.wait_for_selector("#z-box[open]")
    camera.shoot("fact")
    page.locator("#z-box input").last.check()
    page.get_by_role("button", name="只是假设").click()
    page.wait_for_selector("#z-sheet[open] .z-compare")
    camera.shoot("what-if")
    page.keyboard.press("Escape")
    if not page.locator("#turn-0 .z-part-routes").evaluate("part => part.open"):
        page.locator("#turn-0 .z-part-routes > summary").click()
    page.fill("#received-0", (date.today() - timedelta(days=7)).isoformat())
    page.locator("#turn-0 .z-dates button").first.click()
    page.wait_for_selector("#turn-0 .z-left")
    _to_top(page, "#turn-0 .z-part-routes")
    camera.shoot("dates")
    page.locator("#turn-0 [data-do=drafts]").click()
    page.locator("#z-sheet .z-kind").first.click()
    page.wait_for_selector("#z-draft-text")
    camera.shoot("draft")
    page.keyboard.press("Escape")
    page.click("#z-new")
    page.locator(".z-example").nth(1).click()
    page.wait_for_selector("#turn-0 .z-verdict")
    if page.locator("#z-menu").is_visible():
        page.click("#z-menu")
    page.locator(".z-manage summary").first.click()
    camera.shoot("history")


def _helped(camera: Camera) -> None:
    """An answer that a language model helped with, and the receipt of it."""
    _ask(camera, DISSENT)
    camera.page.locator("#turn-0 .z-part-assisted > summary").click()
    _to_top(camera.page, "#turn-0 .z-part-assisted")
    camera.shoot("model")
    camera.page.locator("#turn-0 [data-do=receipt]").click()
    camera.page.wait_for_selector("#z-box[open]")
    camera.shoot("receipt")


def _to_top(page: Page, selector: str) -> None:
    page.locator(selector).evaluate(
        "part => { part.style.scrollMarginTop = '64px'; part.scrollIntoView({ block: 'start' }); }"
    )


def _knowledge(camera: Camera) -> None:
    page = camera.page
    camera.open("/knowledge", ".z-docs")
    page.get_by_role("tab", name="检索").click()
    page.get_by_label("要找的话").fill("不服问责决定 申诉")
    page.keyboard.press("Enter")
    page.wait_for_selector("#z-hits .z-card")
    if camera.prefix:
        page.locator("#z-right").scroll_into_view_if_needed()
        page.locator("#z-right").evaluate("part => part.scrollIntoView()")
    camera.shoot("knowledge")


def _people(site: FastAPI) -> str:
    """Made-up people with a password that is good for these pictures only, and what they said of answers."""
    password = secrets.token_urlsafe(12)
    registry = site.state.registry
    registry.accounts.create_first("林知远", password)
    for name, role in _PEOPLE:
        registry.accounts.create(name, password, role, by="林知远")
    clause = "cpc-accountability-2019#7"
    say: Callable[..., object] = registry.feedback.add
    say(
        Feedback(
            datetime.now(UTC),
            False,
            "没有死人，只是擦伤，不该说造成重大损失。",
            clause,
            "我是分管安全的副镇长，采石场长期违规开采，我没有去查，后来塌方有人受伤。我会被问责吗？",
            "in",
            (clause,),
            date.today(),
        )
    )
    say(
        Feedback(
            datetime.now(UTC),
            True,
            "说得对",
            "",
            "宣传栏没来得及更新，镇里要问责我。",
            "out_general_work",
            (),
            date.today(),
        )
    )
    return password


def _administration(camera: Camera, password: str) -> None:
    page = camera.page
    camera.open("/signin", "#name")
    camera.shoot("sign-in")
    page.fill("#name", "林知远")
    page.fill("#password", password)
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-ready]")
    camera.open("/admin/users", "main")
    camera.shoot("users")
    camera.open("/admin/feedback?state=all", "main")
    camera.shoot("feedback")


if __name__ == "__main__":
    main()
