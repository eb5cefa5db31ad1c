"""The same rows without and with a language model: what it changed, and what it cost.

Comes in: the sets, a helper for each way; later the records. Goes out: predictions of systems of their own, and
:class:`Helped`. They are kept apart from the product's: what is scored and compared with a baseline is the product
without a model, whatever the settings name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from assistant.assisted import Helper
from assistant.evaluation.baseline import Comparison, compare_runs
from assistant.evaluation.measures import Figure, Table
from assistant.evaluation.outcomes import Judge
from assistant.evaluation.records import Prediction, Record
from assistant.evaluation.rows import GoldRow, GoldSet
from assistant.evaluation.scoring import CASES, Key, Scores, score
from assistant.evaluation.systems import PRODUCT, Advance, Run, first_answer, warm

WITHOUT = f"{PRODUCT}+none"
WAYS: Mapping[str, Literal["facts", "both"] | None] = {
    WITHOUT: None,
    f"{PRODUCT}+facts": "facts",
    f"{PRODUCT}+both": "both",
}
"""System -> what the model is used for; see ``settings.model_uses``."""
TOGETHER = {"reworded": "group", "contrast": "pair"}  # kind of set -> what its rows are compared by


# ------------------------------------------------------------------ asking


def chosen(gold: GoldSet, most: int | None) -> GoldSet:
    """At most so many rows, evenly over the set; what is compared with one another stays together."""
    if most is None or len(gold.rows) <= most:
        return gold
    key = TOGETHER.get(gold.kind)
    units: dict[str, list[GoldRow]] = {}
    for row in gold.rows:
        units.setdefault(str(row.gold[key]) if key else row.id, []).append(row)
    every = list(units.values())
    for count in range(min(most, len(every)), 0, -1):
        rows = [row for n in range(count) for row in every[n * len(every) // count]]
        if len(rows) <= most:
            return replace(gold, rows=tuple(rows))
    return replace(gold, rows=gold.rows[:most])


def answer_helped(
    run: Run, helpers: Mapping[str, Helper | None], sets: Sequence[GoldSet], advance: Advance
) -> Iterator[Prediction]:
    """The first answers with each of the helpers, and without; row by row, so that a busy machine is as busy for all.

    No reply is used twice, so that each answer has its true cost.
    """
    served = {
        system: replace(run, advisor=replace(run.advisor, helper=one)) for system, one in helpers.items()
    }
    for one in served.values():
        warm(one, sets)  # loads what talks to the model, and what hides names
    for gold in sets:
        for row in gold.rows:
            for system, one in served.items():
                if one.advisor.helper:
                    one.advisor.helper.forget()
                yield replace(first_answer(one, gold, row), system=system)
                advance(1)


def is_helped(record: Record) -> bool:
    """Whether a record is of one of the ways that are compared with one another."""
    return record.system in WAYS


# ------------------------------------------------------------------ what came of it


@dataclass(frozen=True)
class Cost:
    """What the answers of one way took, and what became of what the model wrote."""

    answers: int
    ms_median: float
    ms_p95: float
    waited: float  # share of the time that was waited for the model
    asked: int  # answers for which the model was asked
    helped: int  # of them, those that it had a hand in
    by_facts: int  # of those, by a fact that was kept or left open
    by_terms: int
    by_sentences: int
    useless: int  # those for which it was of no use at all: see reasons
    tokens_median: int  # of an answer for which it was asked
    tokens_p95: int
    tokens: int
    facts_proposed: int
    facts_kept: int
    facts_open: int
    sentences: int
    sentences_kept: int
    reasons: Mapping[str, int]  # why it was of no use, also for a part of an answer -> in how many answers

    @property
    def nothing(self) -> int:
        """Answers for which it wrote something, and nothing of it was taken."""
        return self.asked - self.helped - self.useless


@dataclass(frozen=True)
class Turn:
    """A row whose verdict or whose being right is another one with the model. ``was``, ``now``: labels."""

    part: str
    row: str
    wanted: str
    was: str
    now: str
    was_right: bool
    is_right: bool


@dataclass(frozen=True)
class Way:
    """One way to answer the rows. ``comparison``, ``turns``: against the product without a model; none for itself."""

    system: str
    cost: Cost
    right: int
    judged: int
    tables: Mapping[Key, Table]
    figures: Mapping[Key, Mapping[str, Figure]]
    comparison: Comparison | None = None
    turns: Sequence[Turn] = ()


@dataclass(frozen=True)
class Helped:
    """The ways beside one another, on the same rows; the first is the product without a model."""

    models: Sequence[str]
    rows: int
    ways: Sequence[Way]

    def as_values(self) -> dict[str, Any]:
        """Plain values; no words of any row."""
        return {
            "models": list(self.models),
            "rows": self.rows,
            "ways": [
                {
                    "system": way.system,
                    "right": way.right,
                    "judged": way.judged,
                    "cost": asdict(way.cost),
                    "figures": [
                        {**asdict(key), "measures": {name: asdict(one) for name, one in made.items()}}
                        for key, made in way.figures.items()
                    ],
                    "changes": [asdict(c) for c in way.comparison.changes] if way.comparison else [],
                    "turns": [asdict(turn) for turn in way.turns],
                }
                for way in self.ways
            ],
        }


def compare_ways(
    records: Sequence[Record], sets: Sequence[GoldSet], judge: Judge, taught: Callable[[str], bool]
) -> Helped | None:
    """All ways on those rows that each of them answered; None where no language model was asked.

    Args:
        taught: as for :func:`assistant.evaluation.scoring.score`.
    """
    made: dict[str, dict[tuple[str, str], Prediction]] = {}
    for record in records:
        if isinstance(record, Prediction) and record.stage == "first" and record.set:
            made.setdefault(record.system, {})[record.set, record.row] = record
    systems = [system for system in WAYS if system in made]
    if WITHOUT not in systems or len(systems) == 1:
        return None
    common = set.intersection(*(set(made[system]) for system in systems))
    some = [replace(g, rows=tuple(row for row in g.rows if (g.name, row.id) in common)) for g in sets]
    some = [gold for gold in some if gold.rows]
    keys = [(gold.name, row.id) for gold in some for row in gold.rows]
    if not keys:
        return None
    ways: list[Way] = []
    for system in systems:
        answers = [made[system][key] for key in keys]
        scores = score([replace(a, system=PRODUCT) for a in answers], some, judge, taught, lambda _: False)
        ways.append(_way(system, answers, scores, ways[0] if ways else None))
    helps = [_help(made[system][key]) for system in systems[1:] for key in keys]
    models = dict.fromkeys(str(given["model"]) for given in helps if given.get("model"))
    return Helped(tuple(models), len(keys), tuple(ways))


def _way(system: str, answers: Sequence[Prediction], scores: Scores, without: Way | None) -> Way:
    judged = [_right(key, row) for key, table in scores.tables.items() for row in table.rows.values()]
    way = Way(
        system=system,
        cost=cost_of(answers),
        right=sum(right or 0 for right in judged),
        judged=sum(right is not None for right in judged),
        tables=scores.tables,
        figures=scores.figures,
    )
    if without is None:
        return way
    return replace(
        way, comparison=compare_runs(without.system, way.tables, without.tables), turns=_turns(way, without)
    )


def cost_of(answers: Sequence[Prediction]) -> Cost:
    """What recorded answers took. What a record does not say counts as nothing."""
    times = [float(made.answer.get("elapsed_ms") or 0) for made in answers]
    helps = [given for made in answers if (given := _help(made))]
    tokens = [int(given.get("tokens") or 0) for given in helps]
    waited = sum(float(given.get("seconds") or 0) for given in helps)
    hands = [_hands(given) for given in helps]
    return Cost(
        answers=len(answers),
        ms_median=_quantile(times, 0.5),
        ms_p95=_quantile(times, 0.95),
        waited=min(1.0, round(1000 * waited / sum(times), 4)) if sum(times) else 0.0,
        asked=len(helps),
        helped=sum(any(hand) for hand in hands),
        by_facts=sum(hand[0] for hand in hands),
        by_terms=sum(hand[1] for hand in hands),
        by_sentences=sum(hand[2] for hand in hands),
        useless=sum(bool(g.get("trouble")) and not any(hand) for g, hand in zip(helps, hands, strict=True)),
        tokens_median=round(_quantile(tokens, 0.5)),
        tokens_p95=round(_quantile(tokens, 0.95)),
        tokens=sum(tokens),
        facts_proposed=_sum(helps, "facts", "proposed"),
        facts_kept=_sum(helps, "facts", "kept"),
        facts_open=sum(len(given.get("facts", {}).get("open", ())) for given in helps),
        sentences=_sum(helps, "sentences", "written"),
        sentences_kept=_sum(helps, "sentences", "kept"),
        reasons=dict(Counter(reason for given in helps for reason in given.get("trouble", ())).most_common()),
    )


def _help(made: Prediction) -> Mapping[str, Any]:
    """What the record says of the model; empty where it was not asked."""
    given: Mapping[str, Any] = made.answer.get("assisted") or {}
    return given


def _hands(given: Mapping[str, Any]) -> tuple[bool, bool, bool]:
    """Whether it helped by facts, terms, sentences; see :attr:`assistant.model.Assistance.helped`."""
    facts, sentences = given.get("facts", {}), given.get("sentences", {})
    return bool(facts.get("kept") or facts.get("open")), bool(given.get("terms")), bool(sentences.get("kept"))


def _sum(helps: Sequence[Mapping[str, Any]], part: str, name: str) -> int:
    return sum(int(given.get(part, {}).get(name) or 0) for given in helps)


def _quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that so many of them do not exceed; as the measures have it.

    >>> _quantile([3, 1, 2, 4], 0.5), _quantile([3, 1, 2, 4], 0.95), _quantile([], 0.5)
    (2, 4, 0.0)
    """
    if not values:
        return 0.0
    return sorted(values)[max(0, -int(-share * len(values) // 1) - 1)]


def _right(key: Key, row: Mapping[str, Any]) -> int | None:
    """Whether a row is right, in parts whose rows are; None elsewhere."""
    found: int | None = row.get("scope_right" if key.part in CASES else "right")
    return found


def _turns(way: Way, without: Way) -> tuple[Turn, ...]:
    """The rows that became another: those that became wrong first, then those that became right."""
    found = []
    for key, table in way.tables.items():
        for id, row in table.rows.items():
            before = without.tables[key].rows[id]
            was_right, is_right = _right(key, before), _right(key, row)
            was, now = _said(key, before), _said(key, row)
            if was_right is None or is_right is None or (was, was_right) == (now, is_right):
                continue
            wanted = str(row.get("scope_gold") or row.get("expected") or "")
            found.append(Turn(key.part, id, wanted, was, now, bool(was_right), bool(is_right)))
    return tuple(sorted(found, key=lambda t: (t.is_right, not t.was_right)))


def _said(key: Key, row: Mapping[str, Any]) -> str:
    """The label of what a row was answered; empty for knowledge questions, which have none."""
    return str(row.get("scope" if key.part in CASES else "given") or "")
