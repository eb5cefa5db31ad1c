"""The web page: conversation on the left, sources and facts of the selected answer on the right.

Comes in: the advisor, the corpus, settings, example questions. Goes out: a Gradio app. The thread lives
in memory; nothing a person writes is logged or written to disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from html import escape
from typing import Any, cast

import gradio as gr
from gradio import Blocks

from assistant.conversation import Asks, make_listener
from assistant.errors import QuestionError
from assistant.law.vocabulary import Vocabulary
from assistant.settings import Settings
from assistant.web import view
from assistant.web.thread import Example, Thread, Turn, answered, corrected, next_turn, read_days

_WELCOME = """<div class="z-welcome"><h2>您好，请说情况</h2>
<p>说说发生了什么，看算不算问责、依据哪条。</p>
<p>每句话都有出处，点 [1] 就能看到条款。</p>
<p>只在本机运行，不联网，不保存您写的内容。</p></div>"""


# Component -> new value; components that are not named stay as they are. Gradio reads the annotations of
# handlers to pass them events, so this name must be found in the module.
Changes = dict[Any, Any]


def messages(thread: Thread, vocabulary: Vocabulary) -> list[gr.ChatMessage]:
    """The thread as chat messages: message ``2k`` is what was said in turn k, ``2k+1`` the reply."""
    shown = []
    for index, turn in enumerate(thread.turns):
        shown.append(gr.ChatMessage(role="user", content=view.plain(turn.said)))
        if turn.advice:
            last = index == len(thread.turns) - 1
            shown.append(
                gr.ChatMessage(
                    role="assistant",
                    content=view.answer(
                        turn.advice.answer, index, turn.advice.citations, turn.advice.supposed
                    ),
                    options=cast(Any, view.options(turn.advice, vocabulary) if last else []),
                )
            )
        elif turn.error:
            shown.append(gr.ChatMessage(role="assistant", content=view.plain(turn.error)))
    return shown


# in the browser and not from here: an answer that comes late would overwrite what was typed meanwhile
_TODAY = "() => new Date(Date.now() - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 10)"


def build_app(
    advisor: Asks,
    corpus: view.Provisions,
    settings: Settings,
    examples: Sequence[Example],
    pages: bool = False,
) -> Blocks:
    """The page. ``corpus`` gives the days in force; the words of the sources come with the advice.

    ``pages``: there is another page to go to, see :mod:`assistant.web.knowledge_page`.
    """
    listener = make_listener(settings)
    vocabulary = listener.vocabulary
    choices = [(k.label, k.name) for k in vocabulary.facts.values() if view.shown(k.name, vocabulary)]
    with Blocks(title="责明", analytics_enabled=False, fill_height=True, delete_cache=(3600, 3600)) as app:
        thread = gr.State(Thread(), time_to_live=6 * 3600)
        with gr.Row(elem_id="z-top"):
            gr.HTML(view.head("chat" if pages else None), elem_id="z-title")
            anew = gr.Button("新情况", size="sm", elem_id="z-new", scale=0)
        with gr.Row(elem_id="z-main"):
            with gr.Column(scale=3, min_width=320, elem_id="z-left"):
                chat = gr.Chatbot(
                    elem_id="z-chat",
                    show_label=False,
                    label="对话",
                    container=False,
                    height="auto",
                    sanitize_html=True,
                    allow_tags=False,
                    latex_delimiters=[],
                    autoscroll=False,  # chat.js shows the beginning of an answer, not its end
                    buttons=[],
                    layout="bubble",
                    feedback_options=None,
                    group_consecutive_messages=False,
                    allow_file_downloads=False,
                    placeholder=_WELCOME,
                    examples=[{"text": e.text, "display_text": f"{e.role}：{e.text}"} for e in examples],
                )
                with gr.Row(elem_id="z-ask"):
                    said = gr.Textbox(
                        show_label=False,
                        label="情况或问题",
                        placeholder="什么事、谁负责、造成了什么后果、走到哪一步了……",
                        lines=2,
                        max_lines=8,
                        container=False,
                        elem_id="z-input",
                        scale=1,
                    )
                    go = gr.Button("发送", variant="primary", elem_id="z-send", scale=0, min_width=88)
                notice = gr.HTML("", elem_id="z-notice")
                follow_up = gr.Checkbox(
                    False, label="接着上面说（取消勾选就是另一件事）", visible=False, elem_id="z-follow"
                )
                with gr.Row(elem_id="z-days"):
                    day = gr.DateTime(
                        value=None,  # filled in by the browser at each visit; empty counts as today
                        include_time=False,
                        type="string",
                        label="按哪一天的规定",
                        elem_id="z-day",
                        min_width=140,
                    )
                    received = gr.DateTime(
                        include_time=False,
                        type="string",
                        label="收到决定的日期（可不填）",
                        elem_id="z-received",
                        min_width=140,
                    )
                    happened = gr.Textbox(
                        label="事情发生的时间（可不填）",
                        placeholder="如 2018 或 2018-05",
                        max_lines=1,
                        elem_id="z-happened",
                        min_width=140,
                    )
            with gr.Column(scale=2, min_width=300, elem_id="z-right"), gr.Tabs():
                with gr.Tab("来源"):
                    sources = gr.HTML(view.sources(None, 0, corpus), elem_id="z-sources")
                with gr.Tab("判断与事实"):
                    reasons = gr.HTML(view.basis(None, 0, vocabulary), elem_id="z-basis")
                    with gr.Group(visible=False, elem_id="z-correct") as form:
                        fact = gr.Dropdown(choices, value=None, label="更正一项事实", elem_id="z-fact")
                        one = gr.Radio([], label="应该是", visible=False)
                        several = gr.CheckboxGroup([], label="应该是（可多选）", visible=False)
                        again = gr.Button("按更正后的事实再判断", size="sm", elem_id="z-again")

        def panels(now: Thread) -> Changes:
            """The right-hand side, for the selected answer."""
            advice = now.advice()
            return {
                thread: now,
                sources: view.sources(advice, now.selected, corpus),
                reasons: view.basis(advice, now.selected, vocabulary),
                form: gr.Group(visible=bool(advice and advice.determination)),
            }

        def exchange(before: Thread, turn: Turn) -> Iterator[Changes]:
            """Show what was said at once, then the reply."""
            asked = replace(before, turns=(*before.turns, turn))
            yield {chat: messages(asked, vocabulary), said: "", notice: ""}
            now = answered(advisor, listener, before, turn)
            begun = bool(now.situations)
            yield {
                **panels(now),
                chat: messages(now, vocabulary),
                follow_up: gr.Checkbox(visible=begun, value=begun),
            }

        def send(
            text: str, before: Thread, law_day: str, arrived: str, when: str, continued: bool
        ) -> Iterator[Changes]:
            try:
                turn = next_turn(text, read_days(law_day, arrived, date.today(), when), continued)
            except QuestionError as error:
                yield {notice: notice_line(str(error))}
                return
            yield from exchange(before, turn)

        def answer_option(before: Thread, event: gr.SelectData) -> Iterator[Changes]:
            name, _, value = str(event.value).partition("=")
            turn = before.latest()
            if turn and value in vocabulary.values_of(name):
                yield from exchange(before, corrected(turn, name, value, vocabulary))

        def correct(
            before: Thread, name: str | None, single: str | None, many: list[str]
        ) -> Iterator[Changes]:
            several_of = bool(name) and vocabulary.facts[str(name)].kind == "many"
            value = (tuple(many) or None) if several_of else single
            if not before.advice() or not name or value is None:
                yield {notice: notice_line("请先选一项事实，再选它应该是什么。")}
                return
            yield from exchange(before, corrected(before.turns[before.selected], name, value, vocabulary))

        def choose_fact(name: str | None) -> Changes:
            if not name:
                return {one: gr.Radio(visible=False), several: gr.CheckboxGroup(visible=False)}
            kind = vocabulary.facts[name]
            values = [(kind.show(v), v) for v in kind.values]
            many = kind.kind == "many"
            return {
                one: gr.Radio(choices=[*values, ("不清楚", "unknown")], value=None, visible=not many),
                several: gr.CheckboxGroup(choices=values, value=[], visible=many),
            }

        def select(now: Thread, event: gr.SelectData) -> Changes:
            index = event.index[0] if isinstance(event.index, (list, tuple)) else event.index
            turn = int(index) // 2
            if turn == now.selected:  # redrawing would drop the reader's place
                return {thread: now}
            chosen = replace(now, selected=turn)
            return panels(chosen) if chosen.advice() else {thread: now}

        def pick_example(event: gr.SelectData) -> str:
            return str(event.value["text"])

        def start_over() -> Changes:
            days = {day: date.today().isoformat(), received: None, happened: ""}
            hidden = gr.Checkbox(visible=False, value=False)
            return {**panels(Thread()), **days, chat: [], follow_up: hidden, said: "", notice: ""}

        ask = [said, thread, day, received, happened, follow_up]
        right = [thread, sources, reasons, form]
        shown = [*right, chat, follow_up, said, notice]
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        gr.on([go.click, said.submit], send, ask, shown, **quiet)
        chat.example_select(pick_example, None, said, **quiet).then(send, ask, shown, **quiet)
        chat.option_select(answer_option, thread, shown, **quiet)
        chat.select(select, thread, right, **quiet)
        fact.change(choose_fact, fact, [one, several], **quiet)
        again.click(correct, [thread, fact, one, several], shown, **quiet)
        app.load(None, None, day, js=_TODAY)
        anew.click(start_over, None, [*shown, day, received, happened], **quiet)
    return cast(Blocks, app)


def notice_line(text: str) -> str:
    """One sentence below what it is about."""
    return f'<p role="status" class="z-notice">{escape(text)}</p>'


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
