"""One turn of a chat as HTML: what was said, and the answer as a card whose verdict stays in sight.

Comes in: a :class:`~assistant.web.thread.Turn` and the labels. Goes out: HTML made by ``templates/turn.html.j2``.
The words are those of the verified answer; here they are only cut into sections and made foldable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markupsafe import Markup

from assistant.assisted import told_of
from assistant.law.deadlines import Deadline
from assistant.law.vocabulary import FactKind, Vocabulary
from assistant.model import Advice, Assistance, Citation, Determination, Fact, MissingFact
from assistant.prompts import escape_markdown
from assistant.web.markup import render
from assistant.web.thread import Turn

_HEADING = re.compile(r"^\*\*([^*（]+)(?:（[^）]*）)?\*\*(?:（(?P<note>[^）]*)）)?$")
_VERDICT = re.compile(r"^\*\*(?:结论|初步看)：[^*]*\*\*(?:（[^）]*）)?。")
_BESIDE = "另见："
_SOURCES = "来源"
_MARKS = {"✓": "yes", "✗": "no", "?": "unknown"}
_STEP = re.compile(r"<li>([✓✗?]) ")
QUICK = 3  # questions asked at a time


@dataclass(frozen=True)
class Section:
    """A foldable part of an answer. ``hint`` is shown beside the title while it is folded."""

    key: str
    title: str
    html: Markup
    hint: str = ""
    note: str = ""
    open: bool = False


@dataclass(frozen=True)
class Chip:
    """A fact as the reader can correct it. ``words``: what it was read from; ``by``: who says so."""

    name: str
    label: str
    value: str
    words: str
    by: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """One answer to an open question, and what would follow."""

    value: str
    label: str
    outcome: str


@dataclass(frozen=True)
class Ask:
    """A question that may change the verdict; without ``choices`` the values are picked from a list."""

    fact: str
    text: str
    choices: tuple[Choice, ...]
    about: str = ""  # what 是 and 否 are said of


@dataclass(frozen=True)
class Wording:
    """What the card says: the labels of ``prompts/labels.yaml`` and the facts' names."""

    labels: Mapping[str, Any]
    vocabulary: Vocabulary

    def shown(self, name: str) -> FactKind | None:
        """The fact's kind, when it is about the case; facts about how the question is put are not for readers."""
        kind = self.vocabulary.facts.get(name)
        return kind if kind and kind.about != "question" else None

    def name_of(self, fact: str) -> str:
        """What a fact is called; one that is no longer known keeps its id."""
        kind = self.vocabulary.facts.get(fact)
        return kind.label if kind else fact

    def told_of(self, advice: Advice) -> frozenset[str]:
        """What the answer itself says of a language model; the card has a section for it."""
        given = advice.assisted
        return frozenset(told_of(given, self.labels["assisted"], self.name_of)) if given else frozenset()


def turn_html(
    turn: Turn,
    index: int,
    wording: Wording,
    deadlines: Sequence[Deadline] = (),
    received: date | None = None,
    newest: bool = True,
    can_keep: bool = True,
    can_prove: bool = False,
) -> str:
    """A turn with its answer, as one element with the id ``turn-<index>``.

    Args:
        deadlines: those of the answer's routes.
        received: the day a decision was received, where it is known.
        newest: the facts of an older answer to the same matter are shown, but corrected in the newest one only.
        can_keep: feedback can be given.
        can_prove: a receipt can be had.
    """
    advice = turn.advice
    values: dict[str, Any] = {"turn": turn, "index": index, "newest": newest, "can_keep": can_keep}
    values["can_prove"] = can_prove
    if advice is None:
        return render("turn.html.j2", advice=None, **values)
    made = advice.determination
    lead, sections, tail = _sections(turn, advice, index, wording, deadlines, received, newest)
    told, given = wording.told_of(advice), advice.assisted
    return render(
        "turn.html.j2",
        advice=advice,
        made=made,
        tone=_tone(advice),
        label=_label(advice, wording.labels),
        sure=_sureness(made, wording.labels),
        lead=lead,
        tail=tail,
        asks=asks(made, wording) if made and newest and not advice.supposed else (),
        open_first=bool(made and _is_open(made, wording.labels)),
        chips=chips(advice, wording) if made else (),
        sections=sections,
        notices=[notice for notice in advice.notices if notice not in told],
        aided=wording.labels["card"]["assisted"]["mark"] if given and given.helped else "",
        **values,
    )


def chips(advice: Advice, wording: Wording) -> tuple[Chip, ...]:
    """The facts that were read, one chip for each; those that the verdict rests on come first."""
    grouped: dict[str, list[Fact]] = {}
    for fact in advice.facts:
        if wording.shown(fact.name):
            grouped.setdefault(fact.name, []).append(fact)
    findings = advice.determination.findings if advice.determination else ()
    decisive = [name for finding in findings for name in finding.facts]
    order = {name: place for place, name in enumerate(dict.fromkeys(decisive))}
    made = []
    for name in sorted(grouped, key=lambda n: order.get(n, len(order))):
        facts, kind = grouped[name], wording.vocabulary.facts[name]
        confirmed = any(f.source == "confirmed" for f in facts)
        words = dict.fromkeys(f.evidence for f in facts if f.evidence and f.source != "confirmed")
        made.append(
            Chip(
                name=name,
                label=kind.label,
                value="、".join(_value(kind, f.value) for f in facts),
                words="” “".join(words),
                by="confirmed" if confirmed else facts[0].source,
                values=tuple(f.value for f in facts),
            )
        )
    return tuple(made)


def asks(made: Determination, wording: Wording) -> tuple[Ask, ...]:
    """The open questions with what each answer would mean."""
    return tuple(_ask(m, wording) for m in made.missing_facts[:QUICK] if m.fact in wording.vocabulary.facts)


def _ask(missing: MissingFact, wording: Wording) -> Ask:
    kind = wording.vocabulary.facts[missing.fact]
    if kind.kind == "many":  # several values at once are picked from a list
        return Ask(missing.fact, missing.question, ())
    outcomes = dict(missing.outcomes)
    choices = [Choice(v, kind.show(v), outcomes.get(kind.show(v), "")) for v in kind.values]
    return Ask(missing.fact, missing.question, tuple(choices), kind.label if kind.kind == "flag" else "")


def _value(kind: FactKind, value: str) -> str:
    return "不清楚" if value == "unknown" else kind.show(value)


def _tone(advice: Advice) -> str:
    if advice.determination:
        return advice.determination.scope
    return "knowledge" if advice.kind == "knowledge" else "declined"


def _label(advice: Advice, labels: Mapping[str, Any]) -> str:
    made = advice.determination
    if made is None:
        return str(labels["card"]["kinds"][advice.kind])
    return str(labels["card"]["scope"].get(made.variant) or labels["card"]["scope"][made.scope])


def _sureness(made: Determination | None, labels: Mapping[str, Any]) -> str:
    if made is None or made.scope == "needs_more_facts":
        return ""
    return str(next(row["words"] for row in labels["sureness"] if made.confidence >= row["from"]))


def _is_open(made: Determination, labels: Mapping[str, Any]) -> bool:
    return made.scope == "needs_more_facts" or made.confidence < labels["tentative_below"]


# ---------------------------------------------------------------- the answer, cut into sections


def _sections(
    turn: Turn,
    advice: Advice,
    index: int,
    wording: Wording,
    deadlines: Sequence[Deadline],
    received: date | None,
    newest: bool,
) -> tuple[Markup, tuple[Section, ...], Markup]:
    """What stands first, the foldable sections, and what stands last (notices, whose word it is)."""
    labels = wording.labels
    titles: Mapping[str, Any] = labels["card"]["sections"]
    after: Sequence[str] = labels["card"]["after_routes"]
    reader = _reader(index, {c.n: c for c in advice.citations})
    lead, blocks, tail = _cut(advice, wording.told_of(advice))

    def html(text: Sequence[str]) -> Markup:
        rendered = reader.render("\n".join(text)).strip()
        return Markup(_STEP.sub(_step, rendered))  # noqa: S704 - the reader makes no tags of its own

    if lead and _VERDICT.match(lead[0]):
        lead[0] = _VERDICT.sub("", lead[0])
    made: list[Section] = []
    for title, note, body in blocks:
        known = titles.get(title, {})
        key, shown = known.get("key", "more"), known.get("title", title)
        if key == "sources" or (key == "questions" and newest and not advice.supposed):
            continue  # listed from the citations; asked with buttons
        if key == "routes":
            made.append(_routes(shown, turn, index, html(body), deadlines, received))
        else:
            hint = _hint(key, advice, body)
            made.append(Section(key, shown, html(body), hint, note, known.get("open", False)))
    made.sort(key=lambda section: section.key in after)
    if advice.citations:
        made.append(_sources(advice.citations, index, labels))
    if advice.assisted:
        made.append(_assisted(advice.assisted, wording))
    return html(lead), tuple(made), html(tail)


def _cut(
    advice: Advice, told: Iterable[str]
) -> tuple[list[str], list[tuple[str, str, list[str]]], list[str]]:
    """The answer's lines: before the first heading, under each heading, and after the list of sources.

    What is shown beside the answer stays away: how it was understood, its notices, and what was ``told`` of the model.
    """
    beside = {f"> {advice.understood}", *(f"> {escape_markdown(n)}" for n in (*advice.notices, *told))}
    numbered = re.compile(r"\d+\. ")
    lead: list[str] = []
    blocks: list[tuple[str, str, list[str]]] = []
    tail: list[str] = []
    for line in advice.answer.split("\n"):
        heading = _HEADING.match(line)
        if line in beside:
            continue
        if heading or line == _BESIDE:
            blocks.append((heading[1] if heading else "另见", (heading and heading["note"]) or "", []))
        elif blocks and blocks[-1][0] == _SOURCES and line and not numbered.match(line):
            tail.append(line)
        else:
            (blocks[-1][2] if blocks else lead).append(line)
    while lead and not lead[0].strip():
        lead.pop(0)
    return lead, blocks, tail


def _step(match: re.Match[str]) -> str:
    status = _MARKS[match[1]]
    words = {"yes": "是", "no": "否", "unknown": "待定"}[status]
    return f'<li class="z-step z-step-{status}"><span class="z-tick" role="img" aria-label="{words}">{match[1]}</span>'


def _hint(key: str, advice: Advice, body: Sequence[str]) -> str:
    made = advice.determination
    if made is None:
        return ""
    count = sum(1 for line in body if line.startswith("- "))
    if key == "clauses" and made.clauses:
        more = f"等{count}条" if count > 1 else ""
        return made.clauses[0].label + more
    if key == "measures":
        return made.responsibility or ""
    if key == "exemptions":
        likely = sum(1 for e in made.exemptions if e.status != "not_met")
        return f"可能符合{likely}项" if likely else "没有看到符合的"
    if key == "signals":
        return "、".join(s.name for s in made.misuse_signals)
    return f"{count}件" if key == "cases" else ""


def _routes(
    title: str, turn: Turn, index: int, body: Markup, deadlines: Sequence[Deadline], received: date | None
) -> Section:
    citations = turn.advice.citations if turn.advice else ()
    known = {c.id: c for c in citations}
    rows = [
        {"deadline": d, "marks": Markup("").join(cite(index, known[id]) for id in d.basis if id in known)}
        for d in deadlines
        if d.last or d.askable  # the others have no day; the words below tell them
    ]
    coming = sorted(d.last for d in deadlines if d.last and not d.over)
    html = render(
        "routes.html.j2",
        index=index,
        body=body,
        rows=rows,
        dated=any(d.last for d in deadlines),
        received=received,
        decided=turn.decided,
    )
    return Section("routes", title, html, f"最迟 {coming[0].isoformat()}" if coming else "")


def _sources(citations: Iterable[Citation], index: int, labels: Mapping[str, Any]) -> Section:
    shown = list(citations)
    html = render("sources.html.j2", citations=shown, index=index, unverified=labels["unverified"])
    return Section("sources", "来源", html, f"{len(shown)}条")


def _assisted(given: Assistance, wording: Wording) -> Section:
    """What a language model was asked for, and what of it was let in."""
    words = wording.labels["card"]["assisted"]
    if not given.helped:
        lead = words["no_use"].format(model=given.model, trouble="".join(given.trouble))
        html = render("assisted.html.j2", lead=lead, rows=())
        return Section("assisted", words["no_use_title"], html)
    names = {
        key: "、".join(map(wording.name_of, getattr(given, f"facts_{key}"))) for key in ("open", "stand")
    }
    rest = given.sentences - given.sentences_kept
    said: list[tuple[str, bool, dict[str, Any]]] = [
        ("model", True, {"model": given.model}),
        ("facts", given.facts_proposed > 0, {"proposed": given.facts_proposed, "kept": given.facts_kept}),
        ("open", bool(given.facts_open), {"count": len(given.facts_open), "names": names["open"]}),
        ("stand", bool(given.facts_stand), {"count": len(given.facts_stand), "names": names["stand"]}),
        ("terms", bool(given.terms), {"terms": "、".join(given.terms)}),
        (
            "sentences" if rest else "all_sentences",
            given.sentences > 0,
            {"count": given.sentences, "kept": given.sentences_kept, "rest": rest},
        ),
        ("seconds", True, {"seconds": f"{given.seconds:.1f}"}),
        ("trouble", bool(given.trouble), {"trouble": "".join(given.trouble)}),
    ]
    rows = [
        (words["rows"][key]["name"], words["rows"][key]["words"].format(**values))
        for key, wanted, values in said
        if wanted
    ]
    html = render("assisted.html.j2", lead=words["lead"], rows=rows)
    return Section("assisted", words["title"], html, given.model)


def cite(index: int, citation: Citation) -> Markup:
    """The mark ``[n]`` that opens its source."""
    return render("cite.html.j2", c=citation, index=index)


def _reader(index: int, citations: Mapping[int, Citation]) -> MarkdownIt:
    """Markdown of an answer: no HTML, links or images; each ``[n]`` that has a source opens it."""
    reader = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True}).enable("table")
    reader.disable(["link", "image", "autolink", "reference", "html_inline", "html_block"])

    def mark(state: StateInline, silent: bool) -> bool:
        end = state.src.find("]", state.pos, state.pos + 6)
        number = state.src[state.pos + 1 : end] if state.src[state.pos] == "[" and end > 0 else ""
        if not number.isdecimal() or int(number) not in citations:
            return False
        if not silent:
            state.push("html_inline", "", 0).content = str(cite(index, citations[int(number)]))
        state.pos = end + 1
        return True

    reader.inline.ruler.before("escape", "cite", mark)
    return reader


# ---------------------------------------------------------------- two verdicts side by side


@dataclass(frozen=True)
class Row:
    """One line of a comparison: what it is now, and what it would be."""

    name: str
    now: str
    then: str


def side_by_side(
    now: Advice, supposed: Advice, index: int, fact: str, values: Sequence[str], wording: Wording
) -> str:
    """How one change alters the verdict, as a table."""
    kind = wording.vocabulary.facts[fact]
    rows = [
        Row(name, one, other)
        for (name, one), (_, other) in zip(_told(now, wording), _told(supposed, wording), strict=True)
    ]
    return render(
        "suppose.html.j2",
        label=kind.label,
        value="、".join(_value(kind, v) for v in values),
        values=list(values),
        fact=fact,
        index=index,
        rows=rows,
        same=rows[0].now == rows[0].then,
    )


def _told(advice: Advice, wording: Wording) -> list[tuple[str, str]]:
    made = advice.determination
    if made is None:
        return [
            (name, "")
            for name in ("结论", "把握", "适用条款", "责任", "免责与从轻", "申辩、申诉", "泛化提示")
        ]
    status = wording.labels["exemption"]
    return [
        ("结论", _label(advice, wording.labels)),
        ("把握", _sureness(made, wording.labels) or "—"),
        ("适用条款", "\n".join(c.label for c in made.clauses if not c.candidate) or "—"),
        ("责任", made.responsibility or "—"),
        (
            "免责与从轻",
            "\n".join(
                f"{status[e.status]}{e.effect}：{e.label}" for e in made.exemptions if e.status != "not_met"
            )
            or "—",
        ),
        ("申辩、申诉", "\n".join(r.name for r in made.routes) or "—"),
        ("泛化提示", "、".join(s.name for s in made.misuse_signals) or "—"),
    ]
