"""Debian's chromium, quiet, a free port for the page that it opens, and axe-core, which says who cannot use it."""

from __future__ import annotations

import socket
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

_AXE = Path(__file__).parent.parent / ".venv" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def axe(page: Page, impacts: Collection[str] = ("serious", "critical")) -> list[str]:
    """What axe-core finds serious or critical on the page as it is shown now, a line for each place."""
    if not _AXE.exists():
        pytest.fail(f"没有找到 {_AXE}，请先运行 make {_AXE.relative_to(_AXE.parents[4])}。")
    if not page.evaluate("typeof window.axe === 'object'"):
        # evaluated rather than put in as a script, which the pages' own policy forbids
        page.evaluate(_AXE.read_text(encoding="utf-8") + ";undefined")
    found = page.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then(all => all.violations.map(v => "
        "({id: v.id, impact: v.impact, nodes: v.nodes.map(n => n.target.join(' ') + ' ' + n.failureSummary)})))"
    )
    return [
        f"{v['id']} ({v['impact']}): {' '.join(node.split())}"
        for v in found
        if v["impact"] in impacts
        for node in v["nodes"]
    ]


def ask(page: Page, text: str) -> str:
    """Ask on the chat page, wait for the answer, return its text."""
    number = page.locator("#z-turns > section").count()
    page.fill("#z-text", text)
    page.click("#z-send")
    page.wait_for_selector(f"#turn-{number} .z-reply-card")
    return page.locator(f"#turn-{number} .z-reply-card").inner_text()
