"""The web page: conversation on the left, sources and facts of the selected answer on the right.

Comes in: the advisor, the corpus, settings, example questions. Goes out: a Gradio app. The thread lives
in memory; nothing a person writes is logged or written to disk.
"""

from __future__ import annotations

import os

# Gradio and its hub client read these when they are imported, which happens here only.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from html import escape
from pathlib import Path
from typing import Any, cast

import gradio as gr
import yaml
from gradio import Blocks

from assistant import web_view
from assistant.errors import KnowledgeError
from assistant.law.vocabulary import Vocabulary, load_vocabulary
from assistant.settings import Settings
from assistant.web_thread import Asks, Thread, Turn, corrected, next_turn, read_day, reply

_EMPTY = "请先写下情况或者问题，再点“发送”。"
_WELCOME = """<div class="z-welcome"><h2>您好，请说情况</h2>
<p>说说发生了什么，看它算不算问责、依据哪一条。</p>
<p>每句话都有出处，点 [1] 就能看到条款。</p>
<p>只在这台电脑上运行，不联网，不保存您写的内容。</p></div>"""


@dataclass(frozen=True)
class Example:
    """An example question on the first screen: who would ask it, and the words."""

    role: str
    text: str


def load_examples(folder: Path) -> tuple[Example, ...]:
    """Read ``examples.yaml`` in the prompts folder.

    Raises:
        KnowledgeError: the file is missing or has another shape.
    """
    try:
        rows = yaml.safe_load((folder / "examples.yaml").read_text(encoding="utf-8"))["examples"]
        return tuple(Example(role=str(row["role"]), text=str(row["text"]).strip()) for row in rows)
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise KnowledgeError(
            "读不懂示例问题，请按 examples: 下每行一个 {role, text} 改正。", "prompts/examples.yaml"
        ) from error


def messages(thread: Thread, vocabulary: Vocabulary) -> list[gr.ChatMessage]:
    """The thread as chat messages: message ``2k`` is what was said in turn k, ``2k+1`` the reply."""
    shown = []
    for index, turn in enumerate(thread.turns):
        shown.append(gr.ChatMessage(role="user", content=web_view.plain(turn.said)))
        if turn.advice:
            last = index == len(thread.turns) - 1
            shown.append(
                gr.ChatMessage(
                    role="assistant",
                    content=web_view.answer(turn.advice.answer, index, turn.advice.citations),
                    options=cast(Any, web_view.options(turn.advice, vocabulary) if last else []),
                )
            )
        elif turn.error:
            shown.append(gr.ChatMessage(role="assistant", content=web_view.plain(turn.error)))
    return shown


def build_app(
    advisor: Asks, corpus: web_view.Provisions, settings: Settings, examples: Sequence[Example]
) -> Blocks:
    """The page. ``corpus`` gives the days in force; the words of the sources come with the advice."""
    vocabulary = load_vocabulary(settings.knowledge)
    choices = [(k.label, k.name) for k in vocabulary.facts.values() if web_view.shown(k.name, vocabulary)]

    def panels(thread: Thread) -> tuple[str, str]:
        advice = thread.advice()
        return web_view.sources(advice, thread.selected, corpus), web_view.basis(
            advice, thread.selected, vocabulary
        )

    def exchange(thread: Thread, turn: Turn) -> Iterator[tuple[Any, ...]]:
        """Show what was said at once, then the reply."""
        asked = Thread((*thread.turns, turn), thread.selected)
        yield asked, messages(asked, vocabulary), *panels(thread), "", gr.skip(), gr.skip()
        done = Thread((*thread.turns, reply(advisor, turn)), len(thread.turns))
        advice = done.advice()
        case = bool(advice and advice.determination)
        asks = bool(advice and advice.determination and advice.determination.missing_facts)
        checkbox = gr.Checkbox(visible=bool(done.latest()) and case, value=asks)
        yield done, messages(done, vocabulary), *panels(done), "", checkbox, gr.Group(visible=case)

    def refuse(thread: Thread, why: str) -> tuple[Any, ...]:
        return thread, gr.skip(), gr.skip(), gr.skip(), _notice(why), gr.skip(), gr.skip()

    def send(
        text: str, thread: Thread, day: str, received: str, follow_up: bool
    ) -> Iterator[tuple[Any, ...]]:
        if not text.strip():
            yield gr.skip(), *refuse(thread, _EMPTY)
            return
        try:
            law_day = read_day(day, "适用法律的日期") or date.today()
            arrived = read_day(received, "收到决定的日期")
            if arrived and arrived > date.today():
                raise ValueError(f"收到决定的日期 {arrived.isoformat()} 还没有到，请改正或清空。")
        except ValueError as error:
            yield gr.skip(), *refuse(thread, str(error))
            return
        for state in exchange(thread, next_turn(thread, text.strip(), law_day, arrived, follow_up)):
            yield "", *state

    def answer_option(thread: Thread, event: gr.SelectData) -> Iterator[tuple[Any, ...]]:
        fact, _, value = str(event.value).partition("=")
        turn = thread.latest()
        if turn and value in vocabulary.values_of(fact):
            yield from exchange(thread, corrected(turn, fact, value, vocabulary))

    def correct(
        thread: Thread, fact: str | None, one: str | None, several: list[str]
    ) -> Iterator[tuple[Any, ...]]:
        turn = thread.turns[thread.selected] if thread.advice() else None
        many = bool(fact) and vocabulary.facts[str(fact)].kind == "many"
        value = (tuple(several) or None) if many else one
        if turn is None or not fact or value is None:
            yield refuse(thread, "请先选一项事实，再选它应该是什么。")
            return
        yield from exchange(thread, corrected(turn, fact, value, vocabulary))

    def choose_fact(fact: str | None) -> tuple[Any, Any]:
        if not fact:
            return gr.Radio(visible=False), gr.CheckboxGroup(visible=False)
        kind = vocabulary.facts[fact]
        values = [(kind.show(v), v) for v in kind.values]
        many = kind.kind == "many"
        return (
            gr.Radio(choices=[*values, ("不清楚", "unknown")], value=None, visible=not many),
            gr.CheckboxGroup(choices=values, value=[], visible=many),
        )

    def select(thread: Thread, event: gr.SelectData) -> tuple[Any, ...]:
        index = event.index[0] if isinstance(event.index, (list, tuple)) else event.index
        turn = int(index) // 2
        if not (0 <= turn < len(thread.turns)) or not thread.turns[turn].advice:
            return thread, gr.skip(), gr.skip()
        if turn == thread.selected:  # redrawing would drop the reader's place
            return gr.skip(), gr.skip(), gr.skip()
        chosen = replace(thread, selected=turn)
        return chosen, *panels(chosen)

    def pick_example(event: gr.SelectData) -> str:
        return str(event.value["text"])

    def start_over() -> tuple[Any, ...]:
        empty = Thread()
        return (
            empty, [], *panels(empty), "", gr.Checkbox(visible=False, value=False), gr.Group(visible=False),
            "", date.today().isoformat(), None,
        )  # fmt: skip

    app: Blocks
    with Blocks(title="责明", analytics_enabled=False, fill_height=True, delete_cache=(3600, 3600)) as app:
        thread = gr.State(Thread(), time_to_live=6 * 3600)
        with gr.Row(elem_id="z-top"):
            gr.HTML("<h1>责明 <small>问责咨询</small></h1>", elem_id="z-title")
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
                    autoscroll=False,  # web.js shows the beginning of an answer, not its end
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
                follow_up = gr.Checkbox(False, label="接着上面的情况补充", visible=False, elem_id="z-follow")
                with gr.Row(elem_id="z-days"):
                    day = gr.DateTime(
                        value=cast(Any, lambda: date.today().isoformat()),  # read anew at each visit
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
            with gr.Column(scale=2, min_width=300, elem_id="z-right"), gr.Tabs():
                with gr.Tab("来源"):
                    sources = gr.HTML(web_view.sources(None, 0, corpus), elem_id="z-sources")
                with gr.Tab("判断与事实"):
                    reasons = gr.HTML(web_view.basis(None, 0, vocabulary), elem_id="z-basis")
                    with gr.Group(visible=False, elem_id="z-correct") as form:
                        fact = gr.Dropdown(choices, value=None, label="更正一项事实", elem_id="z-fact")
                        one = gr.Radio([], label="应该是", visible=False)
                        several = gr.CheckboxGroup([], label="应该是（可多选）", visible=False)
                        again = gr.Button("按更正后的事实再判断", size="sm", elem_id="z-again")

        state = [thread, chat, sources, reasons, notice, follow_up, form]
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        gr.on(
            [go.click, said.submit], send, [said, thread, day, received, follow_up], [said, *state], **quiet
        )
        chat.example_select(pick_example, None, said, **quiet).then(
            send, [said, thread, day, received, follow_up], [said, *state], **quiet
        )
        chat.option_select(answer_option, thread, state, **quiet)
        chat.select(select, thread, [thread, sources, reasons], **quiet)
        fact.change(choose_fact, fact, [one, several], **quiet)
        again.click(correct, [thread, fact, one, several], state, **quiet)
        anew.click(start_over, None, [*state, said, day, received], **quiet)
    return app


def _notice(text: str) -> str:
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
