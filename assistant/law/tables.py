"""Remedy routes, influence periods and the glossary.

Comes in: ``remedies.yaml``, ``periods.yaml`` and ``glossary.yaml`` of the knowledge folder. Goes out: frozen
rows. Raises ``KnowledgeError`` with file and line. Time limits stand in these tables and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from assistant.errors import KnowledgeError
from assistant.law import schema
from assistant.law.text import quantities
from assistant.model import Confidence, Excuse, Limit, Provision, Start


class Stock(Protocol):
    """What the references of the tables are checked against; ``law/corpus.py`` has it."""

    def get(self, id: str) -> Provision | None: ...


@dataclass(frozen=True)
class RemedyStep:
    """One station of a route: what to file, with whom, within which time, and when they have to decide.

    ``instead`` is another limit under which the same step may be taken (an appeal without a review first).
    ``basis`` are the provisions that say the step and its periods; ``counting`` those that say how its period is
    counted, and that it does not end on a holiday: empty where no such rule in stock applies to the step.
    """

    name: str
    to: str
    within: Limit
    instead: Limit | None
    decided_within: Limit | None
    form: str
    confidence: Confidence
    basis: tuple[str, ...]
    note: str = ""
    counting: tuple[str, ...] = ()
    excuse: Excuse | None = None


@dataclass(frozen=True)
class RemedyRow:
    id: str
    name: str
    who: str
    decision: str
    steps: tuple[RemedyStep, ...]
    effect_on_execution: str
    effect_basis: tuple[str, ...]  # empty: no provision says it
    may_aggravate: bool | None  # None: the rule is silent
    court_review: str
    legal_basis: tuple[str, ...]
    note: str
    confidence: Confidence
    partly_verified: bool


@dataclass(frozen=True)
class PeriodRow:
    """How long a measure weighs on a person, and how.

    ``parts`` are periods of their own inside one measure, with what each is for; ``rule`` says how the time
    is worked out where no number can be given.
    """

    id: str
    measure: str
    category: str
    applies_to: tuple[str, ...]
    names: tuple[str, ...]
    period: Limit
    parts: tuple[tuple[str, Limit], ...]
    rule: str
    consequences: tuple[str, ...]
    expiry: str
    legal_basis: tuple[str, ...]
    note: str
    confidence: Confidence
    partly_verified: bool

    @property
    def period_words(self) -> str:
        """The period as readers see it; empty where no rule fixes one."""
        said = "；".join(f"{what}{limit.amount}" for what, limit in self.parts)
        said = self.period.amount or said or self.rule
        start = self.period.counted_from
        if not said or not start or said == self.rule:
            return said
        return f"{said}（自{start}起）" if start.endswith("之日") else f"{said}（起算：{start}）"


@dataclass(frozen=True)
class Term:
    term: str
    english: str
    meaning: str
    provisions: tuple[str, ...]


def load_remedies(folder: Path, stock: Stock) -> dict[str, RemedyRow]:
    """The routes by id, in the order of the file.

    Raises:
        KnowledgeError: the first mistake in the file.
    """
    rows, problems = _read_remedies(folder, stock)
    if problems:
        raise problems[0]
    return rows


def load_periods(folder: Path, stock: Stock) -> tuple[PeriodRow, ...]:
    """The influence periods in the order of the file. Raises ``KnowledgeError`` for the first mistake."""
    rows, problems = _read_periods(folder, stock)
    if problems:
        raise problems[0]
    return rows


def load_glossary(folder: Path, stock: Stock) -> tuple[Term, ...]:
    """The terms in the order of the file. Raises ``KnowledgeError`` for the first mistake."""
    rows, problems = _read_glossary(folder, stock)
    if problems:
        raise problems[0]
    return rows


def check_tables(folder: Path, stock: Stock) -> list[KnowledgeError]:
    """Everything wrong with the three tables."""
    problems = [
        *_read_remedies(folder, stock)[1],
        *_read_periods(folder, stock)[1],
        *_read_glossary(folder, stock)[1],
    ]
    for name in ("remedies.yaml", "periods.yaml", "glossary.yaml"):
        problems.extend(schema.repeated_keys(folder / name, folder))
    return problems


# ------------------------------------------------------------------ reading and checking


def _read_remedies(folder: Path, stock: Stock) -> tuple[dict[str, RemedyRow], list[KnowledgeError]]:
    problems: list[KnowledgeError] = []
    path = folder / "remedies.yaml"
    file = schema.try_yaml(path, schema.RemedyFile, folder, problems)
    if file is None:
        return {}, problems
    at = _Place(path, folder, "routes", problems)
    at.once([row.id for row in file.routes], "id")
    for index, row in enumerate(file.routes):
        at.references((index, "legal_basis"), row.legal_basis, stock)
        at.references((index, "effect_basis"), row.effect_basis, stock)
        for number, step in enumerate(row.steps):
            at.references((index, "steps", number, "basis"), step.basis, stock)
            at.references((index, "steps", number, "counting"), step.counting, stock)
            if step.excuse:
                at.references((index, "steps", number, "excuse", "basis"), step.excuse.basis, stock)
                at.words_said(
                    (index, "steps", number, "excuse"), [step.excuse.words], step.excuse.basis, stock
                )
            limits = [step.within, step.instead, step.decided_within]
            at.said((index, "steps", number, "basis"), limits, step.basis, stock)
            for key in ("within", "instead", "decided_within"):
                at.limit((index, "steps", number, key), getattr(step, key))
            if step.start != "none" and step.within.value is None:
                message = "写了从哪件事起算，却没有期限的数，请补上 within 的 value，或者把 start 改成 none。"
                at.add((index, "steps", number, "start"), message)
    return {row.id: _route(row) for row in file.routes}, problems


def _read_periods(folder: Path, stock: Stock) -> tuple[tuple[PeriodRow, ...], list[KnowledgeError]]:
    problems: list[KnowledgeError] = []
    path = folder / "periods.yaml"
    file = schema.try_yaml(path, schema.PeriodFile, folder, problems)
    if file is None:
        return (), problems
    at = _Place(path, folder, "periods", problems)
    at.once([row.id for row in file.periods], "id")
    for index, row in enumerate(file.periods):
        at.references((index, "legal_basis"), row.legal_basis, stock)
        at.limit((index, "period"), row.period)
        parts = [schema.LimitRow(value=part.value, unit=part.unit) for part in row.periods]
        at.said((index, "legal_basis"), [row.period, *parts], row.legal_basis, stock)
    return tuple(map(_period, file.periods)), problems


def _read_glossary(folder: Path, stock: Stock) -> tuple[tuple[Term, ...], list[KnowledgeError]]:
    problems: list[KnowledgeError] = []
    path = folder / "glossary.yaml"
    file = schema.try_yaml(path, schema.GlossaryFile, folder, problems)
    if file is None:
        return (), problems
    at = _Place(path, folder, "terms", problems)
    at.once([row.term for row in file.terms], "term")
    for index, row in enumerate(file.terms):
        at.references((index, "provisions"), row.provisions, stock)
    terms = (Term(row.term, row.english, row.meaning, tuple(row.provisions)) for row in file.terms)
    return tuple(terms), problems


@dataclass(frozen=True)
class _Place:
    """Where in a table mistakes are reported."""

    path: Path
    folder: Path
    top: str
    problems: list[KnowledgeError]

    def add(self, loc: tuple[str | int, ...], message: str) -> None:
        self.problems.append(schema.problem_at(self.path, self.folder, (self.top, *loc), message))

    def once(self, values: list[str], key: str) -> None:
        for index, value in enumerate(values):
            if value in values[:index]:
                self.add((index, key), f"“{value}”前面已经有了，请改名或删去一个。")

    def references(self, loc: tuple[str | int, ...], references: list[str], stock: Stock) -> None:
        for number, reference in enumerate(references):
            if stock.get(reference) is None:
                message = f"知识库里没有条款“{reference}”，请改正或删去（要写到条，不能只写法规）。"
                self.add((*loc, number), message)

    def said(
        self, loc: tuple[str | int, ...], limits: list[schema.LimitRow | None], basis: list[str], stock: Stock
    ) -> None:
        """Every period of these limits stands in one of the provisions they rest on."""
        self.words_said(loc, [words for limit in limits if limit for words in _amounts(limit)], basis, stock)

    def words_said(
        self, loc: tuple[str | int, ...], sentences: list[str], basis: list[str], stock: Stock
    ) -> None:
        """Every period that these sentences name stands in one of the provisions."""
        found = [stock.get(id) for id in basis]
        said = said_periods("\n".join(p.digest or p.text or "" for p in found if p))
        for words in sentences:
            if not said_periods(words) <= said:
                self.add(loc, f"期限“{words}”在写的依据里找不到，请补上写有它的条款，或者改正期限。")

    def limit(self, loc: tuple[str | int, ...], limit: schema.LimitRow | None) -> None:
        if limit and (limit.value is None) != (limit.unit is None):
            self.add(loc, "期限的 value 和 unit 要么都写，要么都不写。")


@lru_cache(maxsize=4096)
def said_periods(text: str) -> frozenset[tuple[Decimal, str]]:
    """The periods that a text names, so that they can be compared: 一年 and 12个月 are the same.

    >>> sorted(said_periods("自收到之日起一个月内，最长一年")) == sorted(said_periods("1个月、12个月"))
    True
    """
    units = {"年": 12, "月": 1, "个月": 1, "日": 1, "个工作日": 1}
    return frozenset(
        (q.value * units[q.unit], "月" if q.unit in ("年", "月", "个月") else q.unit)
        for q in quantities(text)
        if q.unit in units
    )


def _amounts(limit: schema.LimitRow) -> list[str]:
    """Where a limit names periods: its number, from when it runs, how it may be extended."""
    return [words for words in (_limit(limit).amount, limit.from_, limit.extension) if words]


def _limit(row: schema.LimitRow, start: Start = "none") -> Limit:
    return Limit(row.value, row.unit, row.from_, row.start if row.start != "none" else start, row.extension)


def _route(row: schema.RemedyFileRow) -> RemedyRow:
    steps = tuple(
        RemedyStep(
            name=step.name,
            to=step.to,
            within=_limit(step.within, step.start),
            instead=_limit(step.instead) if step.instead else None,
            decided_within=_limit(step.decided_within) if step.decided_within else None,
            form=step.form,
            confidence=step.confidence or row.confidence,
            basis=tuple(step.basis),
            note=step.note,
            counting=tuple(step.counting),
            excuse=Excuse(step.excuse.words, tuple(step.excuse.basis)) if step.excuse else None,
        )
        for step in row.steps
    )
    return RemedyRow(
        id=row.id,
        name=row.name,
        who=row.who,
        decision=row.decision,
        steps=steps,
        effect_on_execution=row.effect_on_execution,
        effect_basis=tuple(row.effect_basis),
        may_aggravate=row.may_aggravate,
        court_review=row.court_review,
        legal_basis=tuple(row.legal_basis),
        note=row.note,
        confidence=row.confidence,
        partly_verified=row.partly_verified,
    )


def _period(row: schema.PeriodFileRow) -> PeriodRow:
    return PeriodRow(
        id=row.id,
        measure=row.measure,
        category=row.category,
        applies_to=tuple(row.applies_to),
        names=tuple(row.names),
        period=_limit(row.period),
        parts=tuple((part.what, Limit(part.value, part.unit, "")) for part in row.periods),
        rule=row.rule,
        consequences=tuple(row.consequences),
        expiry=row.expiry,
        legal_basis=tuple(row.legal_basis),
        note=row.note,
        confidence=row.confidence,
        partly_verified=row.partly_verified,
    )
