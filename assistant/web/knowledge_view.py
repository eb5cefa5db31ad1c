"""What the knowledge page shows, as HTML made from plain values.

Comes in: documents, provisions, outcomes: text that people and files wrote. Goes out: HTML in which only the tags
written here are live; everything else is escaped. No Gradio, no state, no clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

from assistant.importing import Outcome
from assistant.law.coverage import Coverage, Totals
from assistant.model import Authority, Document, Instrument, Provision
from assistant.web.markup import safe_url
from assistant.web.work import READING, Moment

ACCEPTED = (".pdf", ".docx", ".html", ".htm", ".md", ".txt", ".zip")
# of a folder these are sent too: they get a sentence that says what to do
_ADVISED = (".doc", ".docm", ".wps", ".rtf", ".ofd", ".markdown")
KINDS: Mapping[str, str] = {
    "auto": "自动判断",
    "regulation": "法规",
    "interpretation": "官方解读",
    "commentary": "评论文章",
}
RANKS: Mapping[int, str] = {
    1: "1 党章、宪法",
    2: "2 准则、条例；法律",
    3: "3 规定、办法、规则；行政法规",
    4: "4 规章",
    5: "5 规范性文件",
    6: "6 官方解读",
    7: "7 评论文章",
}
AUTHORITIES: Mapping[Authority, str] = {
    "rule": "规定",
    "interpretation": "官方解读",
    "commentary": "评论文章",
}
_STATES = {"in_force": "现行", "not_yet": "未施行", "superseded": "已失效"}
_LINES = 100  # of files that went well; of the others all are shown
_DOCUMENTS = 200


def form(max_mb: int) -> str:
    """The form for taking documents in; ``upload.js`` brings it to life."""
    kinds = "".join(
        f'<label><input type="radio" name="kind" value="{value}"{" checked" if value == "auto" else ""}>'
        f"<span>{name}</span></label>"
        for value, name in KINDS.items()
    )
    known = " ".join(suffix[1:] for suffix in (*ACCEPTED, *_ADVISED))
    return (
        f'<form class="z-take" data-max="{max_mb}" data-known="{known}" novalidate>'
        '<h2>添加文件</h2><div class="z-drop"><p class="z-drop-how">拖到这里，或者</p>'
        f'<p class="z-picks"><label class="z-pick">选文件<input type="file" multiple accept="{",".join(ACCEPTED)}">'
        '</label><label class="z-pick z-pick-folder">选文件夹<input type="file" webkitdirectory></label></p>'
        f'<p class="z-quiet">PDF、DOCX、HTML、MD、TXT、ZIP<br>每个不超过 {max_mb} MB，只存在本机</p></div>'
        '<ul class="z-picked" aria-label="待添加的文件" hidden></ul>'
        f'<fieldset class="z-kinds"><legend>是什么</legend>{kinds}</fieldset>'
        '<p class="z-take-go"><button type="submit">添加</button>'
        '<span class="z-said-status z-quiet" role="status"></span></p></form>'
    )


# ------------------------------------------------------------------ long work


def work(moment: Moment | None, done: str = "已添加") -> str:
    """How far long work is: a line for each file, then the stage. ``done`` says what became of a good one."""
    if moment is None:
        return '<div class="z-work" role="status"></div>'
    undone = bool(moment.error) and moment.stage == READING  # what was told before did not come to pass
    outcomes = [o for o in moment.outcomes if not (undone and o.status == "added")]
    good = [o for o in outcomes if o.status != "failed"]
    hidden = {id(o) for o in good[:-_LINES]}
    lines = "".join(_outcome(o, done) for o in outcomes if id(o) not in hidden)
    if hidden:
        lines = f'<li class="z-quiet">前面还有 {len(hidden)} 个文件，都没有问题。</li>{lines}'
    state = "z-failed" if moment.error else "z-ready" if moment.finished else "z-busy"
    return (
        f'<div class="z-work {state}" role="status"><p class="z-stage">{escape(_stage(moment, undone, done))}</p>'
        f"{f'<ul>{lines}</ul>' if lines else ''}</div>"
    )


def _stage(moment: Moment, undone: bool, done: str) -> str:
    if undone:
        return f"没有做成，知识库没有改动：{moment.error}"
    if moment.error:
        return f"文件已经收下，但索引没有建成：{moment.error}"
    if not moment.finished:
        if moment.stage == READING:
            return f"正在{moment.stage}……" + (f"已读完 {len(moment.outcomes)} 个" if moment.outcomes else "")
        return f"正在{moment.stage}……" + (f"{moment.done}/{moment.total}" if moment.total else "")
    names = {"added": done, "known": "已有", "failed": "没有成功"}
    counts = {name: sum(o.status == status for o in moment.outcomes) for status, name in names.items()}
    said = "，".join(f"{name} {count}" for name, count in counts.items() if count)
    return f"完成，共 {len(moment.outcomes)} 个文件：{said}。" if said else "没有找到可以读取的文件。"


def _outcome(outcome: Outcome, done: str) -> str:
    mark, kind = {
        "added": (done, "z-yes"),
        "known": ("已有", "z-known"),
        "failed": ("没有成功", "z-doubt"),
    }[outcome.status]
    named = outcome.name in outcome.sentence or not outcome.name
    name = "" if named else f"<b>{escape(outcome.name)}</b>　"
    notices = outcome.document.notices if outcome.document and outcome.status == "added" else ()
    notes = "".join(f'<span class="z-note">注意：{escape(notice)}</span>' for notice in notices)
    return f'<li><span class="z-mark {kind}">{mark}</span><span>{name}{escape(outcome.sentence)}{notes}</span></li>'


# ------------------------------------------------------------------ the documents


def documents(found: Sequence[Document], total: int, chosen: str) -> str:
    """The list of documents, each a button with its id; ``chosen`` is the one that is shown."""
    if not total:
        said = "还没有添加过文件。添加以后，问答会引用它们。"
        return f'<div class="z-docs"><p class="z-quiet">{said}</p></div>'
    count = f"共 {total} 份" + (f"，符合 {len(found)} 份" if len(found) != total else "")
    rows = "".join(_row(d, d.id == chosen) for d in found[:_DOCUMENTS])
    more = ""
    if len(found) > _DOCUMENTS:
        more = f'<p class="z-quiet">另有 {len(found) - _DOCUMENTS} 份没有列出，请在上面写几个字筛选。</p>'
    return f'<div class="z-docs"><p class="z-quiet" role="status">{count}</p><ul>{rows}</ul>{more}</div>'


def _row(document: Document, chosen: bool) -> str:
    foot = [_amount(document), f"{document.added:%Y-%m-%d} 添加", document.name]
    notes = "".join(f'<span class="z-note">注意：{escape(notice)}</span>' for notice in document.notices)
    current = ' aria-current="true"' if chosen else ""
    return (
        f'<li><button type="button" class="z-doc" data-pick="{escape(document.id)}"{current}>'
        f'<span class="z-doc-title"><span class="z-mark z-{document.kind}">{KINDS[document.kind]}</span>'
        f"《{escape(document.title)}》</span>"
        f'<span class="z-doc-foot">{"".join(f"<span>{escape(part)}</span>" for part in foot)}</span>{notes}'
        "</button></li>"
    )


def _amount(document: Document) -> str:
    return f"{document.articles} 条" if document.articles else f"{document.passages} 段"


@dataclass(frozen=True)
class Piece:
    """An article or passage of a document as it was read."""

    heading: str  # 第三条; 第4段，第2页
    text: str
    section: str = ""


def preview(
    document: Document | None, instrument: Instrument | None, pieces: Sequence[Piece], shown: int
) -> str:
    """What was read of a document: what it was taken for, what it says of itself, and its first pieces."""
    if document is None:
        return (
            '<div class="z-panel"><p class="z-quiet">在列表里选一份文件，这里会显示从它读到的内容。</p></div>'
        )
    notes = "".join(f'<p class="z-note">注意：{escape(notice)}</p>' for notice in document.notices)
    about = f"<p>{escape(document.about)}</p>" if document.about else ""
    rows = "".join(
        f"<dt>{name}</dt><dd>{value}</dd>" for name, value in _facts(document, instrument) if value
    )
    body, section = [], ""
    for piece in pieces[:shown]:
        if piece.section != section:
            section = piece.section
            body.append(
                f'<h4 class="z-section">{escape(section.replace(" > ", "　"))}</h4>' if section else ""
            )
        body.append(f'<p class="z-piece"><b>{escape(piece.heading)}</b>　{_lines(piece.text)}</p>')
    said = f"读到 {_amount(document)}" + (f"，先显示 {shown}" if len(pieces) > shown else "")
    return (
        f'<div class="z-panel z-preview" data-document="{escape(document.id)}">'
        f'<p class="z-marks"><span class="z-mark z-{document.kind}">{KINDS[document.kind]}</span></p>'
        f'<h3 class="z-preview-title" tabindex="-1">《{escape(document.title)}》</h3>{about}{notes}'
        f'<dl class="z-about">{rows}</dl><h3>{said}</h3><div class="z-pieces">{"".join(body)}</div></div>'
    )


def removal(document: Document) -> str:
    """What is asked before a document is taken out."""
    name = f"《{escape(document.title)}》（{escape(document.name)}）"
    return f'<p class="z-ask-sure">移除{name}？原件也会删除，答复不会再引用它。</p>'


def _facts(document: Document, instrument: Instrument | None) -> list[tuple[str, str]]:
    """What is known of a document, as HTML."""
    rows: list[tuple[str, str]] = []
    if instrument and instrument.authority == "rule":
        rows += [
            ("制定机关", escape(instrument.issuer) or "没有读到"),
            ("类别", escape(instrument.kind)),
            ("位阶", escape(RANKS.get(instrument.rank, str(instrument.rank)))),
            ("施行日期", _day(instrument.effective_from) or "没有读到"),
            ("失效日期", _day(instrument.effective_to)),
        ]
    elif instrument:
        rows += [
            ("作者", escape(instrument.author) or "没有读到"),
            ("发表日期", _day(instrument.published) or "没有读到"),
            ("来源", escape(instrument.issuer) if instrument.issuer != instrument.author else ""),
        ]
    link = safe_url(document.source_url)
    rows += [
        ("文件", escape(document.name)),
        ("添加", f"{document.added:%Y-%m-%d}"),
        (
            "网址",
            f'<a href="{escape(link)}" target="_blank" rel="noopener noreferrer">{escape(link)}</a>'
            if link
            else "",
        ),
    ]
    return rows


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


# ------------------------------------------------------------------ searching


def results(found: Sequence[Provision], query: str, day: date) -> str:
    """What a search found, as cards: what each is, whether it applies on ``day``, the words."""
    if not query:
        return '<div class="z-panel"><p class="z-quiet">在规定、解读和添加的文件里一起找，最相关的在前。</p></div>'
    if not found:
        return (
            '<div class="z-panel"><p class="z-quiet" role="status">没有找到相关的内容，请换个说法。</p></div>'
        )
    cards = "".join(_result(p, query, day) for p in found)
    return (
        f'<div class="z-panel"><p class="z-quiet" role="status">找到 {len(found)} 条，按 {day} 的规定。</p>'
        f"{cards}</div>"
    )


def _result(provision: Provision, query: str, day: date) -> str:
    instrument = provision.instrument
    authority = instrument.authority
    marks = [f'<span class="z-mark z-{authority}">{AUTHORITIES[authority]}</span>']
    foot = []
    if authority == "rule":
        marks.append(
            '<span class="z-mark">原文</span>'
            if provision.text
            else '<span class="z-mark" title="用自己的话概括，不是条文原文">要旨</span>'
        )
        marks.append(_force(instrument, day))
        if provision.confidence == "memory":
            marks.append('<span class="z-mark z-doubt" title="还没有与官方文本核对">待核</span>')
        if instrument.effective_from:
            foot.append(f"<span>自 {instrument.effective_from} 起施行</span>")
    else:
        foot += [f"<span>{escape(instrument.author)}</span>"] if instrument.author else []
        foot += [f"<span>{instrument.published} 发表</span>"] if instrument.published else []
    if instrument.document:
        foot.append(
            f'<button type="button" class="z-link" data-pick="{escape(instrument.document)}">看这份文件</button>'
        )
    words = provision.text or provision.digest
    tag = "blockquote" if provision.text else "p"
    return (
        f'<article class="z-card"><h3>{escape(provision.label)}</h3><p class="z-marks">{"".join(marks)}</p>'
        f'<{tag} class="z-text">{marked(words, query)}</{tag}><p class="z-foot">{"".join(foot)}</p></article>'
    )


def _force(instrument: Instrument, day: date) -> str:
    if instrument.in_force(day):
        return '<span class="z-mark z-yes">有效</span>'
    coming = instrument.effective_from and day < instrument.effective_from
    return f'<span class="z-mark z-doubt">{"尚未施行" if coming else "已失效"}</span>'


def marked(text: str, query: str) -> str:
    """The text, escaped, with the words of the query that stand in it marked, two characters or more.

    >>> marked("约谈<提醒>村干部", "提醒 谁去约谈村干")
    '<mark>约谈</mark>&lt;<mark>提醒</mark>&gt;<mark>村干</mark>部'
    """
    return "".join(
        f"<mark>{_lines(part)}</mark>" if number % 2 else _lines(part)
        for number, part in enumerate(_split(text, query))
    )


def _split(text: str, query: str) -> list[str]:
    words: set[str] = set()
    for term in re.split(r"[\W_]+", query[:100]):
        start = 0
        while start < len(term):
            end = start + 2
            if term[start:end] not in text or end > len(term):
                start += 1
                continue
            while end < len(term) and term[start : end + 1] in text:
                end += 1
            words.add(term[start:end])
            start = end
    if not words:
        return [text]
    longest_first = sorted(words, key=len, reverse=True)
    return re.split(f"({'|'.join(map(re.escape, longest_first))})", text)


# ------------------------------------------------------------------ the stock


def stock(found: Coverage, documents_held: int, notes: Sequence[str]) -> str:
    """How much there is, and how far it can be relied on."""
    every, now = found.totals(), found.totals("in_force")
    figures = (
        (str(every.instruments), f"部法规，现行 {now.instruments} 部"),
        (str(every.provisions), "条要旨"),
        (_percent(every.share_verified), "已与官方文本核实"),
        (_percent(every.share_with_text), "有原文"),
        (str(documents_held), "份添加的文件"),
    )
    tiles = "".join(f"<li><b>{escape(value)}</b><span>{escape(name)}</span></li>" for value, name in figures)
    rows = "".join(
        f"<li><span>《{escape(row.title)}》</span><small>{_STATES[row.state]}，{row.provisions} 条，"
        f"已核实 {row.verified}，有原文 {row.with_text}</small></li>"
        for row in found.rows
    )
    said = "".join(f"<li>{escape(note)}</li>" for note in notes)
    laws = f"<details><summary>国家法律原文的版本（{len(notes)}）</summary><ul>{said}</ul></details>"
    return (
        f'<div class="z-panel z-stock"><ul class="z-figures">{tiles}</ul>{_checked(now)}'
        f"<details><summary>逐部列出（{len(found.rows)}）</summary><ul>{rows}</ul></details>"
        f"{laws if notes else ''}</div>"
    )


def _checked(now: Totals) -> str:
    said = [f"现行的有 {now.unchecked} 部没有记录最近一次查证。"] if now.unchecked else []
    if now.oldest_check is not None:
        said.append(f"查证是否仍然有效，最久的一次在 {now.oldest_check} 天前。")
    return f'<p class="z-quiet">{"".join(said)}</p>' if said else ""


def _percent(share: float | None) -> str:
    return "未知" if share is None else f"{share:.0%}"


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")
