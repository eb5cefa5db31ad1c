"""The words of the project as frozen values. Nothing here reads files, the clock or the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

Status = Literal["yes", "no", "unknown"]
Kind = Literal["scenario", "knowledge", "out_of_domain"]
Scope = Literal[
    "in", "in_but_exempt", "out_direct_violation", "out_general_work", "out_subject", "needs_more_facts"
]
Confidence = Literal["verified", "memory"]


# ---------------------------------------------------------------- what the law says


@dataclass(frozen=True)
class Instrument:
    """One version of one instrument (法规). ``short_titles`` are the names people use, best first."""

    id: str
    title: str
    short_titles: tuple[str, ...]
    issuer: str
    kind: str  # 党内法规 | 法律 | 行政法规 | 监察法规 | 司法解释 | 规范性文件 | 部门规章 …
    rank: int  # 1 highest: 党章/宪法 1, 准则·条例/法律 2, 规定·办法·规则/行政法规 3, 规章 4, 规范性文件 5
    effective_from: date | None  # None: not known
    effective_to: date | None  # last day in force; None: still in force
    replaced_by: str | None  # instrument id
    official_url: str | None
    article_count: int | None  # of the published text; None: not known, or not made of articles
    note: str = ""
    caution: str = ""  # what readers must be told whenever it is cited
    only_if_named: bool = False  # searched only when a question names it: an old rule beside a newer one

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

    @property
    def source_url(self) -> str | None:
        return self.instrument.official_url


# ---------------------------------------------------------------- what was asked


@dataclass(frozen=True)
class Question:
    """What a person asked, and the day for which the law is read.

    ``received`` is the day a decision was received, where the person said so. ``confirmed`` are facts the
    person set or corrected (fact name -> value, or "unknown"); they outrank everything read from the text.
    """

    text: str
    day: date
    id: str | None = None
    received: date | None = None
    confirmed: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Fact:
    """One fact with the words of the question that support it. A fact nobody found is absent, not false.

    Facts that may hold several values at once (``many`` in ``knowledge/facts.yaml``) appear once per value.
    """

    name: str
    value: str
    evidence: str
    source: Literal["lexicon", "confirmed", "model"]
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
class RouteStep:
    """One station of a remedy route; ``deadline`` is the last day, known only when the start day is."""

    name: str
    to: str
    within: str  # "收到问责决定之日起1个月内", or what the rule says where no period is fixed
    deadline: date | None
    decided_within: str
    form: str
    confidence: Confidence


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
    note: str = ""


@dataclass(frozen=True)
class MisuseSignal:
    name: str  # one of the names of design.md
    reason: str
    provisions: tuple[str, ...]
    evidence: str


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


@dataclass(frozen=True)
class Check:
    """What verification compared, and whether it held."""

    name: str
    passed: bool
    detail: str


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
