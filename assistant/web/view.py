"""What the web page shows, as HTML made from plain values.

Comes in: text that people, documents or models wrote, and :class:`Advice`. Goes out: HTML in which only the
tags written here are live; everything else is escaped. No Gradio, no state, no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

from assistant.law.vocabulary import FactKind, Vocabulary
from assistant.model import Advice, Citation, Fact, Finding, Provision

_NOT_IN_URLS = frozenset(" \t\r\n<>\"'\\")
_FINDING_MARKS = {"yes": "是", "no": "否", "unknown": "待定"}
_AUTHORITIES = {"interpretation": "官方解读", "commentary": "评论文章"}
_FACT_SOURCES = {"lexicon": "读自原文", "learned": "读自原文", "confirmed": "本人确认", "model": "模型读出"}


class Provisions(Protocol):
    """The part of the corpus that the page needs."""

    def get(self, id: str, /) -> Provision | None: ...


def head(here: Literal["chat", "knowledge"] | None) -> str:
    """The name of the program, and the way to its pages where there are two; ``here`` is the one that is open."""
    title = "<h1>责明 <small>问责咨询</small></h1>"
    if here is None:
        return title
    pages = (("chat", "/", "问答"), ("knowledge", "/knowledge", "知识库"))
    links = "".join(
        f'<a href="{address}"{" aria-current=page" if name == here else ""}>{label}</a>'
        for name, address, label in pages
    )
    return f'<div class="z-head">{title}<nav aria-label="页面">{links}</nav></div>'


def plain(text: str) -> str:
    """Text as one block of HTML: nothing in it is a tag, a link or markdown.

    >>> plain("a<b\\n[x](http://c)")
    '<div class="z-said">a&lt;b<br>[x](http://c)</div>'
    """
    # One block without blank lines: the browser's markdown reader then leaves its inside alone.
    lines = escape(text.strip()).replace("\r", "").split("\n")
    return f'<div class="z-said">{"<br>".join(lines)}</div>'


def answer(markdown: str, turn: int, citations: Sequence[Citation], supposed: bool = False) -> str:
    """An answer as one block of HTML. Each ``[n]`` that has a source becomes a link to it.

    HTML, links, images and addresses in the markdown stay text. The numbered list of labels at the end of an
    answer is left out: the page shows the sources themselves. What is only ``supposed`` is marked as such.

    >>> answer("**属于** [9]", 0, [])
    '<div class="z-answer" id="answer-0"><p><strong>属于</strong> [9]</p></div>'
    """
    labels = {c.n: c.label for c in citations}
    kept = [line for line in markdown.split("\n") if not _lists_source(line, labels)]
    body = _reader(turn, labels).render("\n".join(kept))
    sources = ""
    if citations:
        sources = (
            f'<p class="z-more"><a class="z-cite" href="#source-{turn}-{citations[0].n}">'
            f"查看 {len(citations)} 条来源</a></p>"
        )
    inside = (body.strip() + sources).replace("\n", "&#10;")
    if supposed:
        mark = '<p class="z-marks"><span class="z-mark z-doubt">假设，不是您说的情况</span></p>'
        return f'<div class="z-answer z-supposed" id="answer-{turn}">{mark}{inside}</div>'
    return f'<div class="z-answer" id="answer-{turn}">{inside}</div>'


def _lists_source(line: str, labels: dict[int, str]) -> bool:
    number, dot, label = line.partition(". ")
    return bool(dot) and number.isdecimal() and label.startswith(labels.get(int(number), "\n"))


def _reader(turn: int, labels: dict[int, str]) -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True}).enable("table")
    reader.disable(["link", "image", "autolink", "reference", "html_inline", "html_block"])

    def cite(state: StateInline, silent: bool) -> bool:
        end = state.src.find("]", state.pos, state.pos + 6)
        number = state.src[state.pos + 1 : end] if state.src[state.pos] == "[" and end > 0 else ""
        if not number.isdecimal() or int(number) not in labels:
            return False
        if not silent:
            token = state.push("html_inline", "", 0)
            token.content = _cite(turn, int(number), labels[int(number)])
        state.pos = end + 1
        return True

    reader.inline.ruler.before("escape", "cite", cite)
    return reader


def _cite(turn: int, number: int, label: str) -> str:
    return f'<a class="z-cite" href="#source-{turn}-{number}" title="{escape(label)}">[{number}]</a>'


def sources(advice: Advice | None, turn: int, corpus: Provisions) -> str:
    """The sources of one answer, as cards; the n-th has the id ``source-<turn>-<n>``."""
    if advice is None:
        return '<div class="z-panel"><p class="z-quiet">答复的每一处出处会列在这里。</p></div>'
    head = f'<p class="z-quiet">第 {turn + 1} 问：{escape(_short(advice.question.text))}</p>'
    if not advice.citations:
        head += '<p class="z-quiet">这次答复没有引用条款。</p>'
    cards = "".join(_card(c, turn, corpus.get(c.id)) for c in advice.citations)
    return f'<div class="z-panel" data-turn="{turn}">{head}{cards}</div>'


def _card(citation: Citation, turn: int, provision: Provision | None) -> str:
    verbatim = citation.kind == "verbatim"
    marks = [
        '<span class="z-mark z-verbatim">原文</span>'
        if verbatim
        else '<span class="z-mark z-digest" title="用自己的话概括，不是条文原文">要旨</span>'
    ]
    if citation.authority != "rule":
        marks.insert(
            0, f'<span class="z-mark z-{citation.authority}">{_AUTHORITIES[citation.authority]}</span>'
        )
    if citation.confidence == "memory":
        marks.append('<span class="z-mark z-doubt" title="还没有与官方文本核对，使用前请查对">待核</span>')
    if not citation.in_force:
        marks.append('<span class="z-mark z-doubt">所选日期不适用</span>')
    begun = provision.instrument.effective_from if provision else None
    foot = [f"<span>自 {begun.isoformat()} 起施行</span>"] if begun else []
    link = safe_url(citation.source_url)
    if link:
        foot.append(
            f'<a href="{escape(link)}" target="_blank" rel="noopener noreferrer">官方来源'
            '<span class="z-hidden">（在新窗口打开）</span></a>'
        )
    tag, kind = ("blockquote", "z-text z-text-verbatim") if verbatim else ("p", "z-text")
    more = ""
    if not verbatim and provision and provision.text:
        more = (
            f"<details><summary>看原文</summary><blockquote>{_lines(provision.text)}</blockquote></details>"
        )
    return (
        f'<article class="z-card" id="source-{turn}-{citation.n}" tabindex="-1">'
        f"<h3><span class='z-n'>[{citation.n}]</span> {escape(citation.label)}</h3>"
        f'<p class="z-marks">{"".join(marks)}</p>'
        f'<{tag} class="{kind}">{_lines(citation.text)}</{tag}>{more}'
        f'<p class="z-foot">{"".join(foot)}'
        f'<a class="z-back" href="#answer-{turn}">回到答复</a></p></article>'
    )


def basis(advice: Advice | None, turn: int, vocabulary: Vocabulary) -> str:
    """The findings and the facts that one answer rests on."""
    if advice is None or (advice.determination is None and not advice.facts):
        return (
            '<div class="z-panel"><p class="z-quiet">说一个情况，这里会列出读到的事实和每一步认定。</p></div>'
        )
    findings = advice.determination.findings if advice.determination else ()
    cites = {c.id: _cite(turn, c.n, c.label) for c in advice.citations}
    steps = "".join(_finding(f, cites) for f in findings)
    facts = "".join(_fact(f, kind) for f in advice.facts if (kind := shown(f.name, vocabulary)))
    parts = []
    if steps:
        parts.append(f'<h3>每一步认定</h3><ol class="z-steps">{steps}</ol>')
    parts.append(
        f'<h3>读到的事实</h3><dl class="z-facts">{facts}</dl>'
        if facts
        else '<h3>读到的事实</h3><p class="z-quiet">没有读到能用的事实，没写到的一律当作不知道。</p>'
    )
    return f'<div class="z-panel">{"".join(parts)}</div>'


def _finding(finding: Finding, cites: dict[str, str]) -> str:
    cited = "".join(cites[p] for p in finding.provisions if p in cites)
    return (
        f'<li><span class="z-mark z-{finding.status}">{_FINDING_MARKS[finding.status]}</span>'
        f"<b>{escape(finding.title)}</b> {escape(finding.reason)}{cited}</li>"
    )


def shown(name: str, vocabulary: Vocabulary) -> FactKind | None:
    """The fact's kind, when it is about the case; facts about how the question is put are not for readers."""
    kind = vocabulary.facts.get(name)
    return kind if kind and kind.about != "question" else None


def _fact(fact: Fact, kind: FactKind) -> str:
    words = f"“{escape(_short(fact.evidence, 40))}”" if fact.evidence and fact.source != "confirmed" else ""
    return (
        f"<dt>{escape(kind.label)}：{escape(kind.show(fact.value))}</dt>"
        f'<dd class="z-quiet">{_FACT_SOURCES[fact.source]} {words}</dd>'
    )


def safe_url(url: str | None) -> str | None:
    """The address, when it is an ordinary web address; otherwise ``None``.

    >>> safe_url("https://www.12371.cn/a"), safe_url("javascript:alert(1)"), safe_url("https://[x")
    ('https://www.12371.cn/a', None, None)
    """
    address = (url or "").strip()
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    ordinary = parts.scheme in ("http", "https") and parts.netloc and not _NOT_IN_URLS & set(address)
    return address if ordinary else None


def options(advice: Advice, vocabulary: Vocabulary) -> list[dict[str, Any]]:
    """Quick replies for the facts still missing: what a button says, and ``fact=value``."""
    made = None if advice.supposed else advice.determination  # a supposition is not the sheet
    missing = made.missing_facts if made else ()
    buttons = []
    for fact in missing:
        kind = vocabulary.facts.get(fact.fact)
        if kind is None or kind.kind == "many":  # several values at once need the form
            continue
        for value in kind.values:
            buttons.append({"label": f"{kind.label}：{kind.show(value)}", "value": f"{fact.fact}={value}"})
    return buttons


def _lines(text: str) -> str:
    return escape(text.strip()).replace("\n", "<br>")


def _short(text: str, length: int = 24) -> str:
    one = " ".join(text.split())
    return one if len(one) <= length else one[: length - 1] + "…"
