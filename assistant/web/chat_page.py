"""The chat page: one Gradio component that holds the page, and one function that every act of it calls.

Comes in: what conversations share, the example questions. Goes out: a Gradio app. What is said and shown is
:mod:`assistant.web.chat`'s business; what it looks like is in ``templates/shell.html.j2`` and ``static/``.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import gradio as gr
from gradio import Blocks

from assistant.web.chat import Chat, Room, Shown
from assistant.web.markup import render
from assistant.web.thread import Example

_STATIC = Path(__file__).parent / "static"
_BEGIN = """
const begin = () => window.zemingChat ? window.zemingChat(element, server) : setTimeout(begin, 15);
begin();
"""
# what Gradio's own template language would take for its marks
_NOT_IN_TEMPLATES = str.maketrans({"`": "&#96;", "$": "&#36;", "{": "&#123;", "}": "&#125;", "@": "&#64;"})
_MOST_TABS, _IDLE = 500, 6 * 3600  # seconds


class Tabs:
    """The conversations that are open in browsers, by owner and tab; those long left alone are let go."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._chats: OrderedDict[tuple[str, str], tuple[Chat, float]] = OrderedDict()
        self._guard = threading.Lock()

    def of(self, owner: str, tab: str) -> Chat:
        """The conversation of one tab; a new one for a tab that is not known."""
        now = time.monotonic()
        with self._guard:
            chat, _ = self._chats.pop((owner, tab), (None, 0.0))
            chat = chat or Chat(self._room, owner)
            self._chats[owner, tab] = chat, now
            while len(self._chats) > _MOST_TABS or next(iter(self._chats.values()))[1] < now - _IDLE:
                self._chats.popitem(last=False)
            return chat


def build_app(
    room: Room,
    examples: Sequence[Example],
    owner_of: Callable[[gr.Request], str],
    links: Callable[[gr.Request], str],
) -> Blocks:
    """The page.

    Args:
        owner_of: whose conversations a request may see.
        links: the ways to the other pages, as HTML.
    """
    tabs = Tabs(room)

    def act(what: dict[str, Any], request: gr.Request) -> Shown:
        if not isinstance(what, dict):
            return {"notice": "页面和程序的版本对不上，请刷新页面后再试。"}
        shown = tabs.of(owner_of(request), str(what.get("tab", ""))[:64]).act(what)
        return {**shown, "links": links(request)} if what.get("do") == "hello" else shown

    shell = render(
        "shell.html.j2",
        examples=examples,
        days=room.settings.retention_days,
        most=room.settings.max_question_chars * 2,
    )
    with Blocks(title="责明", analytics_enabled=False, fill_height=True) as app:
        gr.HTML(
            value=None,
            html_template=str(shell).translate(_NOT_IN_TEMPLATES),
            js_on_load=_BEGIN,
            apply_default_css=False,
            server_functions=[act],
            elem_id="z-page",
        )
    return cast(Blocks, app)


_INK = gr.themes.Color(
    "#f2f8f7", "#e6f0ef", "#cfe3e1", "#a9ccca", "#7cb0b0", "#3f8488",
    "#17595f", "#134b50", "#103e43", "#0d3337", "#09262a", name="ink",
)  # fmt: skip


def theme() -> gr.themes.Base:
    """Ink on paper, one accent; only fonts that the reader's machine already has."""
    chinese = ("PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC")
    return gr.themes.Base(
        primary_hue=_INK,
        secondary_hue=_INK,
        neutral_hue=gr.themes.colors.stone,
        radius_size=gr.themes.sizes.radius_sm,
        font=("system-ui", *chinese, "sans-serif"),
        font_mono=("ui-monospace", "Consolas", "monospace"),
    )
