"""Measures over scored rows, each with a bootstrap interval.

Comes in: a table of what came of each row (see ``outcomes.py``). Goes out: figures. Every measure is computed from
weights of rows, so that resampling rows is nothing but other weights, and two runs are compared on the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Row = Mapping[str, Any]

RESAMPLES = 1000
CELLS = 4_000_000  # of the matrix of weights; fewer resamples where there are many rows
SEED = 20260301
BINS = 10
SURE = 0.8


@dataclass(frozen=True)
class Table:
    """Scored rows by key. A column that a row lacks does not apply to it."""

    rows: Mapping[str, Row]

    def __len__(self) -> int:
        return len(self.rows)

    def numbers(self, name: str) -> Array:
        """A column of numbers, nan where it does not apply."""
        found = (row.get(name) for row in self.rows.values())
        return np.array([np.nan if value is None else float(value) for value in found], np.float64)

    def values(self, name: str) -> list[Any]:
        return [row.get(name) for row in self.rows.values()]

    def only(self, keys: Sequence[str]) -> Table:
        """These rows, in this order."""
        return Table({key: self.rows[key] for key in keys})


Compute = Callable[[Table, Array], Array]


@dataclass(frozen=True)
class Measure:
    """One figure. ``needs`` is the column that says to which rows it applies. ``main``: a drop of it fails a run."""

    key: str
    needs: str
    compute: Compute
    main: bool = False
    unit: str = "share"  # share | ms | count


@dataclass(frozen=True)
class Figure:
    """A value with the bounds of its 95 % interval, over ``rows`` rows."""

    value: float
    low: float
    high: float
    rows: int


def weights(rows: int) -> Array:
    """How often each row is drawn in each resample; always the same for the same number of rows."""
    resamples = max(200, min(RESAMPLES, CELLS // max(rows, 1)))
    drawn = np.random.default_rng(SEED).multinomial(rows, [1 / rows] * rows, size=resamples)
    return drawn.astype(np.float64)


def figure(measure: Measure, table: Table) -> Figure | None:
    """The figure of a measure; None where it applies to no row."""
    applies = [key for key, row in table.rows.items() if row.get(measure.needs) is not None]
    if not applies:
        return None
    table = table.only(applies)
    value = float(measure.compute(table, np.ones((1, len(table))))[0])
    if np.isnan(value):
        return None
    drawn = measure.compute(table, weights(len(table)))
    drawn = drawn[~np.isnan(drawn)]
    low, high = np.percentile(drawn, (2.5, 97.5)) if len(drawn) else (value, value)
    return Figure(round(value, 4), round(float(low), 4), round(float(high), 4), len(table))


def change(measure: Measure, new: Table, old: Table) -> Figure | None:
    """New less old on the rows that both have, with the interval of the difference."""
    both = [
        key
        for key, row in new.rows.items()
        if row.get(measure.needs) is not None and old.rows.get(key, {}).get(measure.needs) is not None
    ]
    if not both:
        return None
    first, second = new.only(both), old.only(both)

    def difference(drawn: Array) -> Array:
        return measure.compute(first, drawn) - measure.compute(second, drawn)

    value = float(difference(np.ones((1, len(both))))[0])
    drawn = difference(weights(len(both)))
    drawn = drawn[~np.isnan(drawn)]
    if np.isnan(value) or not len(drawn):
        return None
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Figure(round(value, 4), round(float(low), 4), round(float(high), 4), len(both))


# ------------------------------------------------------------------ kinds of measures


def mean(name: str) -> Compute:
    """The mean of a column."""

    def compute(table: Table, drawn: Array) -> Array:
        column = table.numbers(name)
        there = ~np.isnan(column)
        return _over(drawn[:, there] @ column[there], drawn[:, there].sum(axis=1))

    return compute


def ratio(part: str, whole: str) -> Compute:
    """The sum of one column over the sum of another."""

    def compute(table: Table, drawn: Array) -> Array:
        above, below = np.nan_to_num(table.numbers(part)), np.nan_to_num(table.numbers(whole))
        return _over(drawn @ above, drawn @ below)

    return compute


def quantile(name: str, share: float) -> Compute:
    """A quantile of a column."""

    def compute(table: Table, drawn: Array) -> Array:
        column = table.numbers(name)
        order = np.argsort(column)
        reached = np.cumsum(drawn[:, order], axis=1)
        place = (reached >= share * reached[:, -1:]).argmax(axis=1)
        found: Array = column[order][place]
        return found

    return compute


def precision(gold: str, given: str) -> Compute:
    """Of what was given, over all rows, how much is gold."""
    return lambda table, drawn: _precision_recall(table, gold, given, drawn)[0]


def recall(gold: str, given: str) -> Compute:
    """Of what is gold, over all rows, how much was given."""
    return lambda table, drawn: _precision_recall(table, gold, given, drawn)[1]


def f1(gold: str, given: str) -> Compute:
    """The harmonic mean of both."""

    def compute(table: Table, drawn: Array) -> Array:
        hits, made, wanted = _counts(table, gold, given)
        return _over(2 * (drawn @ hits), drawn @ (made + wanted))

    return compute


def macro_f1(gold: str, given: str) -> Compute:
    """F1 of each label of the gold, all labels counting the same."""

    def compute(table: Table, drawn: Array) -> Array:
        wanted, made = np.array(table.values(gold), object), np.array(table.values(given), object)
        of_label = []
        for label in sorted(set(wanted)):
            hit = ((wanted == label) & (made == label)).astype(np.float64)
            both = (wanted == label).astype(np.float64) + (made == label)
            seen = drawn @ (wanted == label).astype(np.float64) > 0
            of_label.append(np.where(seen, _over(2 * (drawn @ hit), drawn @ both), np.nan))
        with np.errstate(invalid="ignore"):
            found: Array = np.nanmean(np.array(of_label), axis=0)
        return found

    return compute


def calibration_error(confidence: str, right: str) -> Compute:
    """Expected calibration error: how far confidence is from accuracy, over equal bins (ECE)."""

    def compute(table: Table, drawn: Array) -> Array:
        said, true = table.numbers(confidence), table.numbers(right)
        place = np.minimum((said * BINS).astype(int), BINS - 1)
        gap = np.zeros(len(drawn))
        for number in range(BINS):
            inside = (place == number).astype(np.float64)
            gap += np.abs(drawn @ (inside * true) - drawn @ (inside * said))
        return _over(gap, drawn.sum(axis=1))

    return compute


def right_when_sure(confidence: str, right: str) -> Compute:
    """How often answers of a confidence of :data:`SURE` or more are right."""

    def compute(table: Table, drawn: Array) -> Array:
        sure = (table.numbers(confidence) >= SURE).astype(np.float64)
        return _over(drawn @ (sure * table.numbers(right)), drawn @ sure)

    return compute


def share_sure(confidence: str) -> Compute:
    """The share of answers with a confidence of :data:`SURE` or more."""

    def compute(table: Table, drawn: Array) -> Array:
        sure = (table.numbers(confidence) >= SURE).astype(np.float64)
        return _over(drawn @ sure, drawn.sum(axis=1))

    return compute


def _over(above: Array, below: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Array = np.where(below > 0, above / below, np.nan)
    return found


def _counts(table: Table, gold: str, given: str) -> tuple[Array, Array, Array]:
    pairs = [
        (set(g or ()), set(p or ())) for g, p in zip(table.values(gold), table.values(given), strict=True)
    ]
    return (
        np.array([len(g & p) for g, p in pairs], np.float64),
        np.array([len(p) for _, p in pairs], np.float64),
        np.array([len(g) for g, _ in pairs], np.float64),
    )


def _precision_recall(table: Table, gold: str, given: str, drawn: Array) -> tuple[Array, Array]:
    hits, made, wanted = _counts(table, gold, given)
    return _over(drawn @ hits, drawn @ made), _over(drawn @ hits, drawn @ wanted)


@dataclass(frozen=True)
class LabelScore:
    """How well one label is given: ``gold`` times it should be, ``given`` times it is, ``hits`` times both."""

    label: str
    gold: int
    given: int
    hits: int

    @property
    def precision(self) -> float | None:
        return self.hits / self.given if self.given else None

    @property
    def recall(self) -> float | None:
        return self.hits / self.gold if self.gold else None

    @property
    def f1(self) -> float:
        return 2 * self.hits / max(self.gold + self.given, 1)


def label_scores(table: Table, gold: str, given: str) -> tuple[LabelScore, ...]:
    """The score of each label of two columns that hold one label or a list of them; by label."""
    counts: dict[str, list[int]] = {}
    for wanted, made in zip(table.values(gold), table.values(given), strict=True):
        if wanted is None:
            continue
        right, read = _labels(wanted), _labels(made)
        for label in right | read:
            count = counts.setdefault(label, [0, 0, 0])
            for place, there in enumerate((label in right, label in read, label in right & read)):
                count[place] += there
    return tuple(LabelScore(label, *count) for label, count in sorted(counts.items()))


def _labels(value: Any) -> set[str]:
    return set(value or ()) if isinstance(value, (list, type(None))) else {str(value)}


# ------------------------------------------------------------------ all measures

CASES: tuple[Measure, ...] = (
    Measure("scope", "scope_right", mean("scope_right"), main=True),
    Measure("inout", "inout_right", mean("inout_right"), main=True),
    Measure("macro_f1", "scope_gold", macro_f1("scope_gold", "scope")),
    Measure("subject", "subject_right", mean("subject_right")),
    Measure("responsibility", "responsibility_right", mean("responsibility_right")),
    Measure("hit1", "hit1", mean("hit1")),
    Measure("hit3", "hit3", mean("hit3"), main=True),
    Measure("mrr", "reciprocal", mean("reciprocal")),
    Measure("items", "items_right", mean("items_right")),
    Measure("exemption_precision", "exemption_gold", precision("exemption_gold", "exemption"), main=True),
    Measure("exemption_recall", "exemption_gold", recall("exemption_gold", "exemption"), main=True),
    Measure("mitigation_precision", "mitigation_gold", precision("mitigation_gold", "mitigation")),
    Measure("mitigation_recall", "mitigation_gold", recall("mitigation_gold", "mitigation")),
    Measure("exemption_exact", "exemption_right", mean("exemption_right")),
    Measure("route", "route_right", mean("route_right"), main=True),
    Measure("deadline", "deadline_right", mean("deadline_right"), main=True),
    Measure("signals_precision", "signals_gold", precision("signals_gold", "signals")),
    Measure("signals_recall", "signals_gold", recall("signals_gold", "signals")),
    Measure("signals_f1", "signals_gold", f1("signals_gold", "signals"), main=True),
    Measure("asked_when_missing", "asked_when_missing", mean("asked_when_missing")),
    Measure("left_open", "left_open", mean("left_open")),
    Measure("ece", "confidence", calibration_error("confidence", "scope_right")),
    Measure("sure_right", "confidence", right_when_sure("confidence", "scope_right")),
    Measure("sure_share", "confidence", share_sure("confidence")),
    Measure("facts_precision", "facts_gold", precision("facts_gold", "facts")),
    Measure("facts_recall", "facts_gold", recall("facts_gold", "facts")),
    Measure("questions", "asked", mean("asked"), unit="count"),
)
QUIZ: tuple[Measure, ...] = (
    Measure("quiz", "right", mean("right"), main=True),
    Measure("quiz_basis", "basis_right", mean("basis_right")),
)
ABSTAIN: tuple[Measure, ...] = (
    Measure("abstain", "right", mean("right"), main=True),
    Measure("declined", "declined_right", mean("declined_right")),
    Measure("answered", "answered_right", mean("answered_right")),
    Measure("asked", "asked_right", mean("asked_right")),
)
SOURCES: tuple[Measure, ...] = (
    Measure("citations", "valid", mean("valid"), main=True),
    Measure("citations_exist", "cites", ratio("cites_right", "cites")),
    Measure("marks", "marks", ratio("marks_right", "marks")),
    Measure("supported", "said", ratio("said_right", "said")),
    Measure("law_cited", "law", ratio("law_cited", "law")),
)
TIME: tuple[Measure, ...] = (
    Measure("ms_median", "elapsed_ms", quantile("elapsed_ms", 0.5), unit="ms"),
    Measure("ms_p95", "elapsed_ms", quantile("elapsed_ms", 0.95), unit="ms"),
)
REWORDED: tuple[Measure, ...] = (Measure("same_verdict", "pairs", ratio("same", "pairs"), main=True),)
CONTRAST: tuple[Measure, ...] = (
    Measure("verdict_changes", "pairs", ratio("changed", "pairs"), main=True),
    Measure("both_right", "pairs", ratio("both_right", "pairs"), main=True),
)
CUTS = (1, 5, 10, 50)
SEARCH: tuple[Measure, ...] = (
    *(Measure(f"recall_{k}", f"recall_{k}", mean(f"recall_{k}"), main=k == 10) for k in CUTS),
    Measure("hit_10", "hit_10", mean("hit_10")),
    Measure("mrr_10", "reciprocal", mean("reciprocal"), main=True),
    Measure("ndcg_10", "ndcg_10", mean("ndcg_10")),
)
OF_PART: Mapping[str, tuple[Measure, ...]] = {
    "cases": (*CASES, *SOURCES, *TIME),
    "reworded": (*CASES, *SOURCES, *TIME),
    "contrast": (*CASES, *SOURCES, *TIME),
    "quiz": (*QUIZ, *SOURCES, *TIME),
    "abstain": (*ABSTAIN, *SOURCES, *TIME),
    "reworded pairs": REWORDED,
    "contrast pairs": CONTRAST,
    "questions": SEARCH,
    "stard": SEARCH,
}
"""Part of a run -> its measures."""
