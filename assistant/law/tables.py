"""Remedy routes, influence periods and the glossary.

Comes in: ``remedies.yaml``, ``periods.yaml`` and ``glossary.yaml`` in the knowledge folder. Goes out: frozen rows.
Raises ``KnowledgeError`` with file and line. Time limits stand here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import KnowledgeError
from assistant.law import schema
from assistant.law.schema import Start, Unit
from assistant.model import Confidence

Known = Callable[[str], bool]  # whether a provision or instrument of that id is in stock


@dataclass(frozen=True)
class Limit:
    """A time limit. ``value`` is None where the rule fixes no period; ``counted_from`` then says what applies.

    ``start`` names the event from which a program may count; "none" means that no date can be computed.
    """

    value: int | None
    unit: Unit | None  # 日 are calendar days
    counted_from: str
    start: Start = "none"
    extension: str = ""


@dataclass(frozen=True)
class RemedyStep:
    """One station of a route: what to file, with whom, within which time, and when they have to decide.

    ``instead`` is another limit under which the same step may be taken (an appeal without a review first).
    """

    name: str
    to: str
    within: Limit
    instead: Limit | None
    decided_within: Limit | None
    form: str
    confidence: Confidence
    note: str = ""


@dataclass(frozen=True)
class RemedyRow:
    id: str
    name: str
    who: str
    decision: str
    steps: tuple[RemedyStep, ...]
    effect_on_execution: str
    may_aggravate: bool | None  # None: the rule is silent
    court_review: str
    legal_basis: tuple[str, ...]
    note: str
    confidence: Confidence
    partly_verified: bool


@dataclass(frozen=True)
class PeriodRow:
    """How long a measure weighs on a person, and how. ``parts`` are (what, value, unit) where one measure has several
    periods."""

    id: str
    measure: str
    category: str
    applies_to: tuple[str, ...]
    period: Limit
    parts: tuple[tuple[str, int, Unit], ...]
    consequences: tuple[str, ...]
    expiry: str
    legal_basis: tuple[str, ...]
    note: str
    confidence: Confidence
    partly_verified: bool


@dataclass(frozen=True)
class Term:
    term: str
    english: str
    meaning: str
    provisions: tuple[str, ...]


def load_remedies(folder: Path) -> Mapping[str, RemedyRow]:
    """The routes by id, in the order of the file.

    Raises:
        KnowledgeError: the first mistake in the file.
    """
    file = schema.read_yaml(folder / "remedies.yaml", schema.RemedyFile, folder)
    return {row.id: _route(row) for row in file.routes}


def load_periods(folder: Path) -> tuple[PeriodRow, ...]:
    """The influence periods in the order of the file. Raises ``KnowledgeError``."""
    file = schema.read_yaml(folder / "periods.yaml", schema.PeriodFile, folder)
    return tuple(_period(row) for row in file.periods)


def load_glossary(folder: Path) -> tuple[Term, ...]:
    """The terms in the order of the file. Raises ``KnowledgeError``."""
    file = schema.read_yaml(folder / "glossary.yaml", schema.GlossaryFile, folder)
    return tuple(Term(row.term, row.english, row.meaning, tuple(row.provisions)) for row in file.terms)


def check_tables(folder: Path, known: Known) -> list[KnowledgeError]:
    """Everything wrong with the three tables, for a stock in which ``known`` tells what exists."""
    problems: list[KnowledgeError] = []
    remedies = folder / "remedies.yaml"
    routes = schema.try_yaml(remedies, schema.RemedyFile, folder, problems)
    if routes:
        at = _Place(remedies, folder, "routes", problems)
        at.ids_once([row.id for row in routes.routes])
        for index, row in enumerate(routes.routes):
            at.references_known(index, "legal_basis", row.legal_basis, known)
            for number, step in enumerate(row.steps):
                if step.start != "none" and step.within.value is None:
                    at.add(
                        (index, "steps", number, "start"), "写了起算的事，却没有期限的数，请补上 within 的 value。"
                    )
                limits = {
                    "within": step.within,
                    "instead": step.instead,
                    "decided_within": step.decided_within,
                }
                for key, limit in limits.items():
                    if limit and (limit.value is None) != (limit.unit is None):
                        at.add((index, "steps", number, key), "期限的 value 和 unit 要么都写，要么都不写。")
    periods = folder / "periods.yaml"
    spans = schema.try_yaml(periods, schema.PeriodFile, folder, problems)
    if spans:
        at = _Place(periods, folder, "periods", problems)
        at.ids_once([row.id for row in spans.periods])
        for index, span in enumerate(spans.periods):
            at.references_known(index, "legal_basis", span.legal_basis, known)
            if (span.period.value is None) != (span.period.unit is None):
                at.add((index, "period"), "期限的 value 和 unit 要么都写，要么都不写。")
    glossary = folder / "glossary.yaml"
    terms = schema.try_yaml(glossary, schema.GlossaryFile, folder, problems)
    if terms:
        at = _Place(glossary, folder, "terms", problems)
        at.ids_once([row.term for row in terms.terms], "term")
        for index, term in enumerate(terms.terms):
            at.references_known(index, "provisions", term.provisions, known)
    for path in (remedies, periods, glossary):
        problems.extend(schema.repeated_keys(path, folder))
    return problems


@dataclass(frozen=True)
class _Place:
    """Where in a table mistakes are reported."""

    path: Path
    folder: Path
    top: str
    problems: list[KnowledgeError]

    def add(self, loc: tuple[str | int, ...], message: str) -> None:
        self.problems.append(schema.problem_at(self.path, self.folder, (self.top, *loc), message))

    def ids_once(self, ids: list[str], key: str = "id") -> None:
        for index, id in enumerate(ids):
            if id in ids[:index]:
                self.add((index, key), f"“{id}”前面已经有了，请改名或删去一个。")

    def references_known(self, index: int, key: str, references: list[str], known: Known) -> None:
        for number, reference in enumerate(references):
            if not known(reference):
                self.add((index, key, number), f"知识库里没有条款“{reference}”，请改正或删去。")


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
            note=step.note,
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
        period=_limit(row.period),
        parts=tuple((part.what, part.value, part.unit) for part in row.periods),
        consequences=tuple(row.consequences),
        expiry=row.expiry,
        legal_basis=tuple(row.legal_basis),
        note=row.note,
        confidence=row.confidence,
        partly_verified=row.partly_verified,
    )
