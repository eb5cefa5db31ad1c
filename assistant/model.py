"""The words of the project as frozen values. Nothing here reads files, the clock or the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

Status = Literal["yes", "no", "unknown"]
Kind = Literal["scenario", "knowledge", "out_of_domain"]
Declined = Literal["evade", "retaliate", "guarantee", "named_guilt", "report", "other_field", "injection"]
Scope = Literal[
    "in", "in_but_exempt", "out_direct_violation", "out_general_work", "out_subject", "needs_more_facts"
]
Confidence = Literal["verified", "memory"]
Authority = Literal["rule", "interpretation", "commentary"]
Unit = Literal["日", "月", "年"]  # 日 are calendar days
Start = Literal["decision_received", "decision_known", "review_received", "appeal_received", "none"]

INTERPRETATION_RANK, COMMENTARY_RANK = 6, 7


# ---------------------------------------------------------------- what the law says


@dataclass(frozen=True)
class Instrument:
    """One version of one instrument (法规). ``short_titles`` are the names people use, best first."""

    id: str
    title: str
    short_titles: tuple[str, ...]
    issuer: str
    kind: str  # 党内法规 | 法律 | 行政法规 | 监察法规 | 司法解释 | 规范性文件 | 部门规章 …
    rank: int  # 1 highest: 党章/宪法 1, 准则·条例/法律 2, 规定·办法·规则/行政法规 3, 规章 4, 规范性文件 5,
    # 官方解读 6, 评论文章 7
    effective_from: date | None  # None: not known
    effective_to: date | None  # last day in force; None: still in force
    replaced_by: str | None  # instrument id
    official_url: str | None
    article_count: int | None  # of the published text; None: not known, or not made of articles
    note: str = ""
    now: tuple[
        tuple[str, str], ...
    ] = ()  # of a superseded version: its article -> the provision that governs today
    transition: str | None = None  # the provision that says which version applies to what happened before
    caution: str = ""  # what readers must be told whenever it is cited
    only_if_named: bool = False  # searched only when a question names it: an old rule beside a newer one
    checked: date | None = None  # when it was last looked up whether it is still in force
    document: str | None = None  # the document it was read from; None for what the project ships
    adopted: str = ""  # when and by whom it was passed, issued or amended, as people are told
    begun: str = ""  # how its first day is told where that day is not certain
    extent: str = ""  # chapters and articles, where there is more to tell than article_count
    before: str = ""  # what stood before it, where that is not in stock
    author: str = ""  # of an article
    published: date | None = None

    @property
    def authority(self) -> Authority:
        """Rules decide; an interpretation explains them; commentary is one person's view and decides nothing."""
        if self.rank >= COMMENTARY_RANK:
            return "commentary"
        return "interpretation" if self.rank == INTERPRETATION_RANK else "rule"

    def in_force(self, day: date) -> bool:
        """Whether this version applies on ``day``. An unknown start counts as begun."""
        return (self.effective_from is None or self.effective_from <= day) and (
            self.effective_to is None or day <= self.effective_to
        )


@dataclass(frozen=True)
class Provision:
    """One provision (条款): an article, a paragraph or an item of it, or a note whose article is not known.

    ``id`` is ``instrument#article[.paragraph[.item]]``; ``第一百二十条之一`` is ``120-1``; a note whose
    article number is not known has a stable key beginning with ``n``: ``guifan-wenze#n03``.
    """

    id: str
    instrument: Instrument
    article: str | None  # "7", "120-1", or None when the number is not known
    paragraph: int | None
    item: int | None
    label: str  # 《中国共产党问责条例》第七条第（三）项
    topic: str
    digest: str  # 要旨, in our own words
    text: str | None  # 原文, verbatim, when it has been brought in
    keywords: tuple[str, ...]
    applies_to: tuple[str, ...]
    facts: Mapping[str, Any]
    cross_refs: tuple[str, ...]
    confidence: Confidence
    composed: bool = False  # an article put together from its paragraphs and items
    searched: bool = True  # False: found only by its number, as nothing is known of it but its words
    section: str = ""  # headings above it, "第三章 处分 > 第一节 种类" or those of an article
    page: int | None = None  # of the document it was read from, beginning with 1

    @property
    def source_url(self) -> str | None:
        return self.instrument.official_url


# ---------------------------------------------------------------- what a document says


@dataclass(frozen=True)
class Block:
    """A piece of a document as its reader found it, in reading order.

    ``line`` is one printed line (PDF, OCR, hard-wrapped text): whether the paragraph ends with it has to be worked
    out. ``paragraph`` and ``heading`` are whole. ``table`` holds rows as lines, cells parted by tabs.
    """

    text: str
    kind: Literal["line", "paragraph", "heading", "table"]
    level: int = 0  # of a heading, 1 highest; 0 where not known
    page: int | None = None  # 1-based; None where the format has no pages


@dataclass(frozen=True)
class RawDocument:
    """A file as text, before anything is understood. All of it is data from outside: never markup, never orders."""

    name: str  # as the person knows it; inside an archive "包.zip/甲.docx"
    format: Literal["pdf", "docx", "html", "markdown", "text"]
    blocks: tuple[Block, ...]
    title: str = ""  # what the file says of itself, where it does
    author: str = ""
    published: date | None = None
    source_url: str | None = None
    notices: tuple[str, ...] = ()  # what the person should know: "第3页是图片，没有读出文字"


@dataclass(frozen=True)
class Item:
    """（三） of a paragraph. ``text`` is verbatim, its number in front included."""

    number: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """款. ``text`` is its own words without those of its items."""

    text: str
    items: tuple[Item, ...] = ()

    @property
    def whole(self) -> str:
        return "\n".join((self.text, *(item.text for item in self.items)))


@dataclass(frozen=True)
class ArticleText:
    """条 with its words. ``number`` is written as in ids: "7", "120-1". The words 第七条 are not part of them."""

    number: str
    paragraphs: tuple[Paragraph, ...]
    section: str = ""  # "第二章 处分的种类 > 第一节 …"
    page: int | None = None

    @property
    def whole(self) -> str:
        return "\n".join(paragraph.whole for paragraph in self.paragraphs)


@dataclass(frozen=True)
class Regulation:
    """A regulation as it stands in one document (编/章/节/条/款/项), and what it says of itself."""

    title: str
    articles: tuple[ArticleText, ...]
    issuer: str = ""
    kind: str = ""  # as Instrument.kind
    rank: int | None = None
    adopted: date | None = None  # the last 通过、修订、修正、公布 or 印发 that it names
    effective_from: date | None = None
    preamble: tuple[str, ...] = ()  # what stands before the first article: 题注, 目录 left out
    closing: tuple[str, ...] = ()  # signature and date lines
    appendices: tuple[tuple[str, str], ...] = ()  # heading, words; tables as tab-separated lines


@dataclass(frozen=True)
class Excerpt:
    """A passage of an article or interpretation, of a length that can be found and cited."""

    text: str  # as written, traditional characters kept
    section: str = ""
    page: int | None = None


@dataclass(frozen=True)
class Essay:
    """An article or interpretation, cleaned and cut into passages."""

    title: str
    excerpts: tuple[Excerpt, ...]
    author: str = ""
    published: date | None = None
    source: str = ""  # newspaper, site or journal it names
    official: bool = False  # an interpretation by the body that issued or applies the rule


@dataclass(frozen=True)
class Document:
    """A document that was taken in. Its words are provisions of ``instrument_id``, one of the catalogue or its own.

    ``relation``: "same" is the text of an instrument of the catalogue, "other_version" another version of one,
    "new" an instrument or article of its own.
    """

    id: str
    name: str  # the file, as the person knows it
    origin: Literal["file", "site", "package"]
    kind: Literal["regulation", "interpretation", "commentary"]
    title: str
    instrument_id: str
    relation: Literal["same", "other_version", "new"]
    added: datetime
    size: int  # bytes
    articles: int  # 条; 0 for articles and interpretations
    passages: int  # what can be found and cited
    about: str = ""  # one sentence for the person: what it was taken for
    notices: tuple[str, ...] = ()
    source_url: str | None = None


@dataclass(frozen=True)
class Taken:
    """A document that was understood, ready to be kept."""

    document: Document
    words: str  # the fingerprint of what it says, by which another file with the same words is known
    provisions: tuple[Provision, ...]  # what can be found and cited beside the provisions in stock
    texts: Mapping[str, str]  # words by provision id, of an instrument of the catalogue
    instrument: Instrument | None = None  # its own, where it is none of the catalogue
    regulation: Regulation | None = None


@dataclass(frozen=True)
class Shelf:
    """What documents add to the stock: instruments and articles of their own, provisions, and the words of known ones.

    ``texts`` holds 原文 by provision id.
    """

    instruments: tuple[Instrument, ...] = ()
    provisions: tuple[Provision, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)


# ---------------------------------------------------------------- what was asked


@dataclass(frozen=True)
class Question:
    """What a person asked, and the day for which the law is read.

    ``received`` is the day a decision was received, where the person said so. ``confirmed`` are facts the
    person set or corrected (fact name -> value, or "unknown"); they outrank everything read from the text.
    ``settled`` are facts that are not asked for any more, whatever is known of them.
    """

    text: str
    day: date
    id: str | None = None
    received: date | None = None
    conduct: tuple[date, date] | None = (
        None  # first and last day on which it happened, where the person said so
    )
    confirmed: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()

    @property
    def not_to_ask(self) -> frozenset[str]:
        """What nobody knows, and what is settled."""
        return self.settled | {name for name, value in self.confirmed.items() if value == "unknown"}


@dataclass(frozen=True)
class Fact:
    """One fact with the words of the question that support it. A fact nobody found is absent, not false.

    Facts that may hold several values at once (``many`` in ``knowledge/facts.yaml``) appear once per value.
    """

    name: str
    value: str
    evidence: str
    source: Literal["lexicon", "learned", "confirmed", "model"]
    confidence: float  # 0..1
    start: int = -1  # offset of evidence in the question, -1 when it is not from the text


# ---------------------------------------------------------------- what was found


@dataclass(frozen=True)
class Passage:
    """A provision that retrieval brought up. ``score`` is comparable inside one search only; ``why`` names the
    searches that found it, e.g. ("dense:2", "bm25:1", "asked:1")."""

    provision_id: str
    score: float
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """One line of an answer to a question about the rules, and the provisions it rests on.

    ``head`` is set off before the words: yes or no, one side of a comparison. ``source`` is how the provision is
    cited after them, "" where the head says so. ``verbatim``: the words are quoted, not told.
    """

    words: str
    provisions: tuple[str, ...] = ()
    head: str = ""
    source: str = ""
    verbatim: bool = False


@dataclass(frozen=True)
class Reply:
    """The answer to a question about the rules: lines that answer it, a list, and what stands beside it.

    ``periods`` are rows of the table of influence periods (:class:`assistant.law.tables.PeriodRow`) that answer it.
    """

    first: tuple[Line, ...] = ()
    items: tuple[Line, ...] = ()
    more: tuple[Line, ...] = ()
    periods: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One step's outcome. ``row`` is the row of the decision table that fired."""

    step: str
    title: str  # Chinese name of the step
    status: Status
    reason: str
    provisions: tuple[str, ...]
    row: str = ""
    facts: tuple[str, ...] = ()  # names of the facts the row rests on
    missing: tuple[str, ...] = ()  # names of the facts that kept it from being decided


@dataclass(frozen=True)
class Clause:
    id: str
    label: str
    score: float
    candidate: bool = False  # brought up by retrieval, not by a rule


@dataclass(frozen=True)
class Exemption:
    id: str
    label: str
    status: Literal["met", "possible", "not_met"]
    reason: str
    effect: str  # 不予或免予问责 | 从轻或减轻 | 从重或加重 …


@dataclass(frozen=True)
class Limit:
    """A time limit. ``value`` is None where no rule fixes one; ``counted_from`` then says what applies.

    ``start`` names the event from which a program may count; "none" means that only the person knows the day.
    """

    value: int | None
    unit: Unit | None
    counted_from: str
    start: Start = "none"
    extension: str = ""

    @property
    def amount(self) -> str:
        """The number with its unit, as it is said; empty where there is none.

        >>> Limit(18, "月", "处分批准之日").amount, Limit(None, None, "随时").amount
        ('18个月', '')
        """
        if self.value is None:
            return ""
        return f"{self.value}个月" if self.unit == "月" else f"{self.value}{self.unit}"


@dataclass(frozen=True)
class Excuse:
    """What the rules say to somebody who missed a period for a reason that was not in his hands."""

    words: str
    basis: tuple[str, ...]  # provision ids


@dataclass(frozen=True)
class RouteStep:
    """One station of a remedy route; ``deadline`` is the last day, known only when the start day is."""

    name: str
    to: str
    within: str  # "收到问责决定之日起1个月内", or what the rule says where no period is fixed
    deadline: date | None
    decided_within: str
    form: str
    confidence: Confidence
    basis: tuple[str, ...]  # provision ids: what says the step and its periods
    limits: tuple[Limit, ...] = ()  # what ``within`` says; a second one is another way to take the same step
    counting: tuple[
        str, ...
    ] = ()  # provision ids that say how the period is counted and move its end off holidays
    excuse: Excuse | None = None


@dataclass(frozen=True)
class Route:
    id: str
    name: str
    who: str
    decision: str
    steps: tuple[RouteStep, ...]
    effect_on_execution: str
    legal_basis: tuple[str, ...]  # provision ids
    confidence: Confidence
    effect_basis: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class MisuseSignal:
    name: str  # one of the names of design.md
    reason: str
    provisions: tuple[str, ...]
    evidence: str


@dataclass(frozen=True)
class Other:
    """What may await somebody else of the same story."""

    who: str
    reason: str
    provisions: tuple[str, ...]


@dataclass(frozen=True)
class MissingFact:
    """A question worth asking: ``outcomes`` says what each answer would mean (value label -> verdict label)."""

    fact: str
    question: str
    outcomes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Determination:
    """All findings and what follows from them. Comes from rules over facts and from nothing else."""

    scope: Scope
    confidence: float
    subject: str | None
    responsibility: str | None
    clauses: tuple[Clause, ...]
    findings: tuple[Finding, ...]
    measures: tuple[tuple[str, tuple[str, ...]], ...]  # (sentence, provision ids)
    exemptions: tuple[Exemption, ...]
    routes: tuple[Route, ...]
    misuse_signals: tuple[MisuseSignal, ...]
    missing_facts: tuple[MissingFact, ...]
    variant: str = ""  # a closer wording of the scope label, e.g. "mitigated"
    others: tuple[Other, ...] = ()  # the verdict is for the person asked about; these are the rest


@dataclass(frozen=True)
class Citation:
    n: int
    id: str
    label: str
    kind: Literal["digest", "verbatim"]
    text: str
    in_force: bool
    source_url: str | None
    confidence: Confidence
    caution: str = ""
    original: str | None = None  # 原文, where it has been brought in and ``text`` is the digest
    authority: Authority = "rule"


@dataclass(frozen=True)
class Check:
    """What verification compared, and whether it held."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Assistance:
    """What a language model had a hand in, and what was checked. Of its words only what held is in the answer."""

    model: str  # as the settings name it
    prompts: tuple[tuple[str, str], ...] = ()  # file and version of each prompt that was used
    facts_proposed: int = 0
    facts_kept: int = 0  # quoted from the story, and taken or agreed with
    facts_open: tuple[
        str, ...
    ] = ()  # names of facts that are unknown: read in two ways, or too much hung on its word
    facts_stand: tuple[str, ...] = ()  # names of facts on which it was not heard, as the words are plain
    terms: tuple[str, ...] = ()  # that were searched with besides
    sentences: int = 0  # that it wrote
    sentences_kept: int = 0  # that held; the template's own stand for the others
    seconds: float = 0.0  # that were waited for it
    tokens: int = 0
    trouble: tuple[str, ...] = ()  # why it was of no use, one sentence for each task

    @property
    def helped(self) -> bool:
        """Whether the answer would be another without it, or surer of its facts."""
        return bool(self.facts_kept or self.facts_open or self.terms or self.sentences_kept)


@dataclass(frozen=True)
class Advice:
    """Everything together: shown, logged without case details, scored."""

    question: Question
    kind: Kind
    facts: tuple[Fact, ...]
    determination: Determination | None  # None unless kind is "scenario"
    passages: tuple[Passage, ...]
    citations: tuple[Citation, ...]
    checks: tuple[Check, ...]
    answer: str  # markdown with [n] marks
    elapsed_ms: int
    notices: tuple[str, ...] = ()  # e.g. a masked number, a superseded instrument that was quoted
    understood: str = ""  # how a reply was taken; the answer begins with it
    declined: Declined | None = None  # why there is no answer; only with kind "out_of_domain"
    keep: bool = True  # False: what was written is not kept beyond the answer (somebody reported)
    supposed: bool = False  # the answer to 如果……呢: the fact sheet was left as it was
    assisted: Assistance | None = None  # None where no language model was asked
