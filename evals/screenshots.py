"""Pictures of the web app for the documentation.

Comes in: the real assistant and Debian's chromium. Goes out: ``docs/screenshots/*.png``.
Run as ``python -m evals.screenshots``; needs ``apt-get install -y chromium fonts-noto-cjk``.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from assistant import wiring
from assistant.settings import load_settings
from assistant.web import server

CHROMIUM = "/usr/bin/chromium"
TARGET = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
WIDE, PHONE = (1280, 800), (390, 844)


def main() -> None:
    if not Path(CHROMIUM).exists():
        sys.exit(f"没有找到 {CHROMIUM}，请先安装：apt-get install -y chromium fonts-noto-cjk。")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = load_settings(port=port)
    office = wiring.Office(settings)
    app = server.build_app(office, office, settings, server.load_examples(settings.prompts), office)
    served = server.launch(app, settings)
    address = served.address
    TARGET.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        wide = _open(browser, address, WIDE)
        _shoot(wide, "first")
        _ask_example(wide)
        wide.locator("#answer-0 a.z-cite").first.click()
        _shoot(wide, "answer")
        wide.get_by_role("tab", name="判断与事实").click()
        _shoot(wide, "facts")
        dark = _open(browser, address, WIDE, dark=True)
        _ask_example(dark)
        _shoot(dark, "dark")
        phone = _open(browser, address, PHONE)
        _shoot(phone, "phone-first")
        _ask_example(phone)
        _shoot(phone, "phone-answer")
        phone.locator("#answer-0 a.z-cite").first.click()
        _shoot(phone, "phone-source")
        for page, name in (
            (_shelves(browser, address, WIDE), "knowledge"),
            (_shelves(browser, address, PHONE), "phone-knowledge"),
        ):
            _shoot(page, name)
        browser.close()
    served.close()


def _open(browser: Browser, address: str, size: tuple[int, int], *, dark: bool = False) -> Page:
    page = browser.new_page(
        viewport={"width": size[0], "height": size[1]},
        locale="zh-CN",
        color_scheme="dark" if dark else "light",
    )
    page.goto(address)
    page.wait_for_selector(".example")
    return page


def _shelves(browser: Browser, address: str, size: tuple[int, int]) -> Page:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, locale="zh-CN")
    page.goto(f"{address}/knowledge")
    page.wait_for_selector(".z-docs")
    page.get_by_role("tab", name="收录情况").click()
    page.wait_for_selector(".z-figures")
    page.evaluate("scrollTo(0, 0)")
    return page


def _ask_example(page: Page) -> None:
    page.locator(".example").first.click()
    page.wait_for_selector("#answer-0")


def _shoot(page: Page, name: str) -> None:
    page.wait_for_timeout(800)  # fonts and transitions
    page.screenshot(path=TARGET / f"{name}.png")


if __name__ == "__main__":
    main()
