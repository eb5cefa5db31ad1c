"""The page of the knowledge base: take documents in, look at them, correct, remove and search them.

Comes in: the office, which holds the parts in use. Goes out: a second page of the web app. Work on the library is
done behind the page, so that the chat goes on; a file that cannot be used gets one sentence.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, get_args

import gradio as gr
from gradio import Blocks

from assistant import holdings
from assistant.documents.taking import Kind
from assistant.errors import DocumentError, QuestionError
from assistant.importing import Correction, Outcome
from assistant.law.addresses import write_address
from assistant.law.coverage import coverage
from assistant.model import Document, Instrument
from assistant.records.audit import Audit
from assistant.web import knowledge_view, uploads
from assistant.web.gate import Visitor, visitor_of
from assistant.web.knowledge_view import RANKS, Piece
from assistant.web.links import site_links
from assistant.web.markup import render
from assistant.web.thread import read_day
from assistant.web.view import notice_line
from assistant.web.work import Desk, Moment, sentence
from assistant.wiring import Office

_FIRST, _MORE = 12, 30  # pieces of a document that are shown at once
_FOUND = 20
_LONGEST_QUERY = 300
_MAY_NOT = "您的账号只能查阅知识库；要添加、改正或移除文件，请找管理员或培训员。"
_FOLDER = Path(__file__).parent
# A button with data-pick inside the element tells Python what it holds.
_PICK = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-pick]");
  if (!button) return;
  element.querySelectorAll("[aria-current]").forEach((other) => other.removeAttribute("aria-current"));
  if (button.classList.contains("z-doc")) button.setAttribute("aria-current", "true");
  trigger("select", { index: 0, value: button.dataset.pick });
});
"""
# Hands the words over as a file; nothing is written on the server.
_SAVE = """(file) => {
  if (!file) return;
  const { name, words } = JSON.parse(file);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([words], { type: "text/markdown;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}"""

# Component -> new value, as in chat_page. Gradio reads the annotations of handlers, so this name must be found here.
Changes = dict[Any, Any]


class Shelf:
    """What the page asks of the office and its library. ``who`` makes a change; it is noted with the file's name."""

    def __init__(self, office: Office, audit: Audit) -> None:
        self._office, self._audit = office, audit
        self._settings = office.settings

    def documents(self, written: str, laws: bool) -> tuple[list[Document], int]:
        """The documents in which ``written`` stands, the latest first, and how many there are in all."""
        held = [d for d in self._all() if laws or d.origin != "package"]
        words = written.lower().split()
        found = [d for d in held if all(w in f"{d.title} {d.name} {d.id} {d.about}".lower() for w in words)]
        return sorted(found, key=lambda d: (d.origin == "package", -d.added.timestamp())), len(held)

    def _all(self) -> tuple[Document, ...]:
        return holdings.library_of(self._settings).documents()

    def document(self, id: str) -> Document | None:
        return next((d for d in self._all() if d.id == id), None)

    def instrument(self, document: Document) -> Instrument | None:
        """The instrument or article that a document is, or the one of the catalogue whose words it holds."""
        corpus = self._office.parts(wait=False).corpus
        return corpus.instruments.get(document.instrument_id) or corpus.works.get(document.instrument_id)

    def pieces(self, document: Document) -> tuple[Piece, ...]:
        """What was read of a document, in its order."""
        regulation = holdings.library_of(self._settings).regulation(document.id)
        if regulation:
            articles = [
                Piece(write_address(a.number, None, None), a.whole, a.section) for a in regulation.articles
            ]
            return (*articles, *(Piece(name, words, "附件") for name, words in regulation.appendices))
        passages = [
            p
            for p in self._office.parts(wait=False).corpus.provisions()
            if p.instrument.document == document.id
        ]
        return tuple(
            Piece(f"第{number}段" + (f"（第{p.page}页）" if p.page else ""), p.text or "", p.section)
            for number, p in enumerate(passages, start=1)
        )

    def search(self, query: str, day: date) -> str:
        found = self._office.parts(wait=False).search(query, _FOUND, day) if query else []
        return knowledge_view.results(found, query, day)

    def stock(self, day: date) -> str:
        corpus = self._office.parts(wait=False).corpus
        found = coverage(corpus, {p.id for p in corpus.provisions() if p.text}, day)
        own = [d for d in self._all() if d.origin != "package"]
        return knowledge_view.stock(found, len(own), holdings.law_notes(self._settings))

    # -------------------------------------------------------------- changing

    def take_in(self, sent: dict[str, Any], who: str) -> Iterator[Moment]:
        """Take in what was uploaded, then bring the index up to date."""
        said = sent.get("kind")
        kind: Kind = next((k for k in get_args(Kind) if k == said), "auto")

        def work(desk: Desk) -> None:
            settings = self._settings

            def told(outcome: Outcome) -> None:
                if outcome.status == "added":
                    self._audit.note(who, "知识库：添加", outcome.name)
                desk.told(outcome)

            with uploads.unpacked(sent, settings.data, settings.max_file_mb) as parcel:
                for outcome in parcel.missing:
                    desk.told(outcome)
                if parcel.paths:
                    holdings.add(settings, parcel.paths, kind, told)
            self._index(desk)

        return Desk().watch(work)

    def reread(self, who: str) -> Iterator[Moment]:
        """Understand all documents anew, then bring the index up to date."""

        def work(desk: Desk) -> None:
            self._audit.note(who, "知识库：重新整理")
            holdings.reread(self._settings, desk.told)
            self._index(desk)

        return Desk().watch(work)

    def remove(self, id: str, who: str) -> Document:
        """Take a document out; once this has returned, no answer cites it."""
        (gone,) = holdings.remove(self._settings, [id])
        self._audit.note(who, "知识库：移除", gone.name)
        self._office.parts()
        return gone

    def correct(self, id: str, correction: Correction, who: str) -> Document:
        document = holdings.edit(self._settings, id, correction)
        self._audit.note(who, "知识库：改正信息", document.name)
        self._office.parts()
        return document

    def exported(self, id: str) -> str:
        return holdings.exported(self._settings, id, "md")

    def _index(self, desk: Desk) -> None:
        desk.index()
        self._office.parts(desk.progress)


def read_correction(before: Instrument, said: dict[str, Any]) -> Correction:
    """What was changed in the form.

    Raises:
        QuestionError: a name that is empty, or a day that is none.
    """
    changes: dict[str, Any] = {}
    for name in ("title", "issuer", "kind", "author"):
        written = str(said[name] or "").strip()
        if written != getattr(before, name):
            changes[name] = written
    if "title" in changes and not changes["title"]:
        raise QuestionError("名称不能空着，请写上。")
    if said["rank"] is not None and int(said["rank"]) != before.rank:
        changes["rank"] = int(said["rank"])
    days = {"effective_from": "施行日期", "effective_to": "失效日期", "published": "发表日期"}
    cleared = set()
    for name, label in days.items():
        day = read_day(said[name], label)
        if day is None and getattr(before, name):
            cleared.add(name)
        elif day != getattr(before, name):
            changes[name] = day
    return Correction(**changes, cleared=frozenset(cleared))


def add_page(app: Blocks, office: Office, audit: Audit) -> None:
    """Put the page into the app, at ``/knowledge``. Who may not change the knowledge base does not see how to."""
    shelf, settings = Shelf(office, audit), office.settings
    at_once = not settings.accounts  # otherwise shown once it is known who has come
    uploads.sweep(settings.data)
    with app.route("知识库", "/knowledge", show_in_navbar=False):
        chosen = gr.State("", time_to_live=6 * 3600)
        shown = gr.State(_FIRST, time_to_live=6 * 3600)
        top = gr.HTML(
            _bar(None if settings.accounts else Visitor("", None)), apply_default_css=False, elem_id="z-top"
        )
        with gr.Row(elem_id="z-shelves"):
            with gr.Column(scale=2, min_width=320, elem_id="z-held"):
                taking = gr.HTML(
                    knowledge_view.form(settings.max_file_mb),
                    js_on_load=(_FOLDER / "static" / "upload.js").read_text(encoding="utf-8"),
                    apply_default_css=False,
                    elem_id="z-taking",
                    visible=at_once,
                )
                working = gr.HTML(knowledge_view.work(None), apply_default_css=False, elem_id="z-working")
                with gr.Row(elem_id="z-filter"):
                    written = gr.Textbox(
                        label="已添加的文件", placeholder="按名称筛选", max_lines=1, elem_id="z-written"
                    )
                    laws = gr.Checkbox(False, label="也列出随程序附带的法律", elem_id="z-laws")
                listed = gr.HTML("", js_on_load=_PICK, apply_default_css=False, elem_id="z-listed")
            with gr.Column(scale=3, min_width=300, elem_id="z-right"), gr.Tabs(selected="one") as tabs:
                with gr.Tab("预览", id="one"):
                    with gr.Row(visible=False, elem_id="z-deeds") as deeds:
                        fix = gr.Button("改正信息", size="sm", elem_id="z-fix", min_width=90)
                        export = gr.Button("导出", size="sm", elem_id="z-export", min_width=90)
                        drop = gr.Button("移除", size="sm", elem_id="z-remove", min_width=90)
                    said = gr.HTML("", apply_default_css=False, elem_id="z-told")
                    with gr.Group(visible=False, elem_id="z-sure") as sure:
                        asked = gr.HTML("", apply_default_css=False)
                        with gr.Row():
                            yes = gr.Button("确定移除", size="sm", elem_id="z-yes", min_width=90)
                            no = gr.Button("不移除", size="sm", elem_id="z-no", min_width=90)
                    with gr.Group(visible=False, elem_id="z-correct") as correcting:
                        title = gr.Textbox(label="名称", max_lines=2)
                        with gr.Row():
                            rank = gr.Dropdown([(name, n) for n, name in RANKS.items()], label="位阶")
                            kind = gr.Textbox(label="类别，如 规范性文件", max_lines=1)
                        issuer = gr.Textbox(label="制定机关", max_lines=2)
                        with gr.Row():
                            begin = _date_field("施行日期")
                            end = _date_field("失效日期")
                        with gr.Row():
                            author = gr.Textbox(label="作者", max_lines=1)
                            published = _date_field("发表日期")
                        with gr.Row():
                            keep = gr.Button("保存", size="sm", elem_id="z-keep", min_width=90)
                            leave = gr.Button("不改了", size="sm", elem_id="z-leave", min_width=90)
                    seen = gr.HTML(
                        knowledge_view.preview(None, None, (), 0),
                        js_on_load=(_FOLDER / "static" / "knowledge.js").read_text(encoding="utf-8"),
                        apply_default_css=False,
                        elem_id="z-seen",
                    )
                    more = gr.Button("显示更多", size="sm", visible=False, elem_id="z-more")
                    saved = gr.Textbox(visible=False)
                with gr.Tab("检索", id="two"):
                    with gr.Row(elem_id="z-ask"):
                        query = gr.Textbox(
                            label="要找的话",
                            show_label=False,
                            placeholder="要找的话，如 约谈 整改期限",
                            container=False,
                            max_lines=1,
                            elem_id="z-query",
                            scale=1,
                        )
                        look = gr.Button("检索", variant="primary", elem_id="z-find", scale=0, min_width=76)
                    hits = gr.HTML(
                        knowledge_view.results((), "", date.min),
                        js_on_load=_PICK,
                        apply_default_css=False,
                        elem_id="z-hits",
                    )
                with gr.Tab("收录情况", id="three") as figures:
                    held = gr.HTML("", apply_default_css=False, elem_id="z-stock")
                    anew = gr.Button("重新整理并重建索引", size="sm", elem_id="z-anew", visible=at_once)
                    anew_how = gr.HTML(
                        '<p class="z-quiet">程序或目录更新以后，用它把添加过的文件重新读一遍；改正过的信息会保留。</p>',
                        visible=at_once,
                    )
                    again = gr.HTML(
                        knowledge_view.work(None), apply_default_css=False, elem_id="z-again-work"
                    )

        fields = {
            "title": title, "issuer": issuer, "kind": kind, "rank": rank, "effective_from": begin,
            "effective_to": end, "author": author, "published": published,
        }  # fmt: skip

        def the_list(words: str, with_laws: bool, id: str) -> str:
            return knowledge_view.documents(*shelf.documents(words, with_laws), id)

        def the_preview(id: str, count: int, may: bool) -> Changes:
            """The document that is shown, and what this visitor can do with it."""
            document = shelf.document(id) if id else None
            if document is None:
                return {
                    **closed(), chosen: "", seen: knowledge_view.preview(None, None, (), 0),
                    more: gr.Button(visible=False), deeds: gr.Row(visible=False),
                }  # fmt: skip
            pieces, instrument = shelf.pieces(document), shelf.instrument(document)
            left = len(pieces) - count
            return {
                **closed(),
                chosen: id,
                shown: count,
                seen: knowledge_view.preview(document, instrument, pieces, count),
                more: gr.Button(f"显示更多（还有 {left}）", visible=left > 0),
                deeds: gr.Row(visible=True),
                fix: gr.Button(visible=may and bool(instrument and instrument.document == document.id)),
                drop: gr.Button(visible=may and document.origin != "package"),
            }

        def closed() -> Changes:
            return {said: "", sure: gr.Group(visible=False), correcting: gr.Group(visible=False)}

        def guarded(change: Callable[[], Changes]) -> Changes:
            """The changes, or the sentence that says why there are none."""
            try:
                return change()
            except Exception as error:
                return {said: notice_line(sentence(error))}

        def admitted(request: gr.Request) -> str:
            """The name of whoever changes something.

            Raises:
                DocumentError: this visitor may only read.
            """
            visitor = visitor_of(request)
            if not visitor.trains:
                raise DocumentError(_MAY_NOT)
            return visitor.name

        def relist(words: str, with_laws: bool, id: str) -> Changes:
            return guarded(lambda: {listed: the_list(words, with_laws, id)})

        def arrive(words: str, with_laws: bool, id: str, request: gr.Request) -> Changes:
            visitor = visitor_of(request)
            may = visitor.trains
            tools = {
                top: _bar(visitor),
                taking: gr.HTML(visible=may),
                anew: gr.Button(visible=may),
                anew_how: gr.HTML(visible=may),
            }
            return relist(words, with_laws, id) | ({} if at_once else tools)

        def count() -> Changes:
            return guarded(lambda: {held: shelf.stock(date.today())})

        def choose(event: gr.SelectData, request: gr.Request) -> Changes:
            may = visitor_of(request).trains
            return guarded(
                lambda: {**the_preview(str(event.value), _FIRST, may), tabs: gr.Tabs(selected="one")}
            )

        def show_more(id: str, count: int, request: gr.Request) -> Changes:
            return guarded(lambda: the_preview(id, count + _MORE, visitor_of(request).trains))

        def long_work(moments: Iterator[Moment], panel: Any, done: str, now: list[Any]) -> Iterator[Changes]:
            """Show how far the work is, and at its end what there is now."""
            words, with_laws, id = now
            for moment in moments:
                changes: Changes = {panel: knowledge_view.work(moment, done)}
                if moment.finished:
                    changes |= relist(words, with_laws, id)
                    changes |= guarded(lambda: the_preview(id, _FIRST, True)) if id else {}
                yield changes

        def take_in(
            words: str, with_laws: bool, id: str, event: gr.EventData, request: gr.Request
        ) -> Iterator[Changes]:
            sent = event._data if isinstance(event._data, dict) else {}
            try:
                moments = shelf.take_in(sent, admitted(request))
            except DocumentError as error:
                yield {said: notice_line(str(error))}
                return
            yield from long_work(moments, working, "已添加", [words, with_laws, id])

        def read_again(words: str, with_laws: bool, id: str, request: gr.Request) -> Iterator[Changes]:
            try:
                moments = shelf.reread(admitted(request))
            except DocumentError as error:
                yield {said: notice_line(str(error))}
                return
            yield from long_work(moments, again, "已整理", [words, with_laws, id])
            yield count()

        def ask_removal(id: str, request: gr.Request) -> Changes:
            document = shelf.document(id)
            if document is None or not visitor_of(request).trains:
                return the_preview("", _FIRST, False)
            return {**closed(), sure: gr.Group(visible=True), asked: knowledge_view.removal(document)}

        def remove(words: str, with_laws: bool, id: str, request: gr.Request) -> Changes:
            def change() -> Changes:
                gone = shelf.remove(id, admitted(request))
                return {
                    **the_preview("", _FIRST, True),
                    **relist(words, with_laws, ""),
                    said: notice_line(f"已移除“{gone.name}”，答复不会再引用它。"),
                }

            return guarded(change)

        def open_form(id: str, request: gr.Request) -> Changes:
            document = shelf.document(id)
            instrument = document and shelf.instrument(document)
            if not instrument or not visitor_of(request).trains:
                return the_preview("", _FIRST, False)
            values = {
                field: value.isoformat() if isinstance(value := getattr(instrument, name), date) else value
                for name, field in fields.items()
            }
            return {**closed(), **values, correcting: gr.Group(visible=True)}

        def correct(words: str, with_laws: bool, id: str, request: gr.Request, *entered: Any) -> Changes:
            def change() -> Changes:
                who = admitted(request)
                document = shelf.document(id)
                instrument = document and shelf.instrument(document)
                if not instrument:
                    raise DocumentError("这份文件已经不在知识库里，请刷新页面。")
                shelf.correct(id, read_correction(instrument, dict(zip(fields, entered, strict=True))), who)
                return {
                    **the_preview(id, _FIRST, True),
                    **relist(words, with_laws, id),
                    said: notice_line("已改正。"),
                }

            return guarded(change)

        def search(text: str) -> str:
            try:
                return shelf.search(" ".join(text.split())[:_LONGEST_QUERY], date.today())
            except Exception as error:
                return notice_line(sentence(error))

        def save(id: str) -> Changes:
            def change() -> Changes:
                document = shelf.document(id)
                name = f"{document.title if document else id}.md".replace("/", "_")
                return {saved: json.dumps({"name": name, "words": shelf.exported(id)}), said: ""}

            return {saved: "", **guarded(change)}

        now = [written, laws, chosen]
        view = [chosen, shown, seen, more, deeds, fix, drop, said, sure, correcting]
        everything = [*view, listed]
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        # several at once: the second to change the library is told so, instead of waiting without a word
        slow = quiet | {"concurrency_limit": 4}
        app.load(arrive, now, [listed, said, top, taking, anew, anew_how], **quiet)
        figures.select(count, None, [held, said], **quiet)
        gr.on([written.change, laws.change], relist, now, [listed, said], trigger_mode="always_last", **quiet)
        for clicked in (listed, hits):
            clicked.select(choose, None, [*view, tabs], **quiet)
        more.click(show_more, [chosen, shown], view, **quiet)
        taking.upload(take_in, now, [*everything, working], **slow)
        anew.click(read_again, now, [*everything, again, held], **slow)
        drop.click(ask_removal, chosen, [*view, asked], **quiet)
        no.click(closed, None, [said, sure, correcting], **quiet)
        yes.click(remove, now, everything, **slow)
        fix.click(open_form, chosen, [*view, *fields.values()], **quiet)
        leave.click(closed, None, [said, sure, correcting], **quiet)
        keep.click(correct, [*now, *fields.values()], everything, **slow)
        gr.on([look.click, query.submit], search, query, hits, **quiet)
        export.click(save, chosen, [saved, said], **quiet).then(None, saved, None, js=_SAVE, **quiet)


def _bar(visitor: Visitor | None) -> str:
    """The bar at the top; without a visitor there are no pages in it yet."""
    return render("bar.html.j2", links=site_links(visitor, "knowledge"))


def _date_field(label: str) -> Any:
    return gr.DateTime(include_time=False, type="string", label=label, min_width=140)
