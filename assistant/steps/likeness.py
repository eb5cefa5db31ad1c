"""Which typical situations are like the one asked about, and where they part from it.

Comes in: the facts and the determination of a question, its words, the cases. Goes out: at most two
:class:`Likeness`, best first, none where nothing is really alike. Reads no files and writes no sentences; the
wording is in ``prompts/cases.md.j2``.

A case decided otherwise is shown only together with the facts that explain it: put in place of those of the question
they must give the verdict of the case. A near case that nobody can tell apart would mislead.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log, sqrt
from typing import Any

from assistant.law.cases import Case
from assistant.law.rules import Values, values_of
from assistant.law.text import normalise
from assistant.law.vocabulary import Vocabulary
from assistant.model import Determination, Fact, Scope

SHOWN = 2
TRIED = 6  # of the best; comparing one more closely costs some dozens of what-if verdicts
DIFFERENCES_TRIED = 8
DIFFERENCES_SHOWN = 3
# chosen on the project's own cases, each left out in turn and told by its story alone (see tests/test_likeness.py)
WEIGHTS = {"facts": 0.5, "clauses": 0.1, "signals": 0.15, "text": 0.25}
LEAST = 0.45
HINGE = 2.0  # a fact that the verdict rests on counts twice
ONE_SIDED = 0.5  # a fact told on one side only speaks less against a likeness than two that contradict
OTHER_VERDICT = 0.95
RARE = 2.0  # a fact told in less than one case out of seven
# likeness of words from "any two stories" (median) to "the same kind of event" (one pair in a hundred or fewer),
# measured between the stories of the project: by shared pairs of characters, by cosine of multilingual-e5
PAIRS, COSINE = (0.01, 0.10), (0.89, 0.95)

Judge = Callable[[Sequence[Fact]], Scope]


@dataclass(frozen=True)
class Difference:
    """One fact in which question and case part. An empty value: not said here, or no part of the case there."""

    name: str
    label: str
    here: str
    there: str
    decisive: bool  # with the value of the case the question would be decided otherwise


@dataclass(frozen=True)
class Likeness:
    case: Case
    score: float  # 0..1, comparable between questions
    alike: tuple[str, ...]  # "后果：严重"
    differs: tuple[Difference, ...]  # decisive ones first
    same_verdict: bool


def nearest_cases(
    facts: Sequence[Fact],
    determination: Determination,
    text: str,
    book: Casebook,
    vocabulary: Vocabulary,
    judge: Judge,
    similar: Mapping[str, float] | None = None,
) -> tuple[Likeness, ...]:
    """The cases most like a question, at most two.

    Args:
        facts: what the determination was made from.
        text: the words of the question.
        judge: the verdict for other facts on the same day; tells which difference matters.
        similar: case id to cosine between question and story, where an index of cases has been asked. Words count
            as alike as the cosine or the pairs of characters they share say, whichever is more.
    """
    here = _told(values_of(facts), vocabulary)
    if not here:
        return ()
    hinges = _hinges(determination)
    sure = {name: max(f.confidence for f in facts if f.name == name) for name in here}
    clause = _clause(determination)
    signals = {s.name for s in determination.misuse_signals}
    facts_alike = book.facts_alike(here, sure, hinges)
    words_alike = book.words_alike(text)
    scored = []
    for case in book.cases:
        near = similar.get(case.id, 0.0) if similar else 0.0
        parts = {
            "facts": facts_alike[case.id],
            "clauses": float(clause in case.provisions) if clause else None,
            "signals": _shared(signals, case.signals),
            "text": max(_scaled(words_alike[case.id], PAIRS), _scaled(near, COSINE)),
        }
        known = {name: part for name, part in parts.items() if part is not None}
        score = sum(WEIGHTS[name] * part for name, part in known.items()) / sum(
            map(WEIGHTS.__getitem__, known)
        )
        if case.scope != determination.scope:
            score *= OTHER_VERDICT
        if score >= LEAST:
            scored.append((score, case))
    scored.sort(key=lambda pair: -pair[0])

    def order(name: str) -> tuple[bool, float]:
        """Which difference is named first: what the verdict rests on, then what is rare."""
        return name not in hinges, -book.rarity(name)

    found: list[Likeness] = []
    for score, case in scored[:TRIED]:
        same = case.scope == determination.scope
        differs = _differences(facts, here, case, determination.scope, vocabulary, judge, order)
        if differs is not None:
            alike = _alike(here, case.facts, vocabulary)
            found.append(Likeness(case, round(score, 3), alike, differs, same))
        if len(found) == SHOWN:
            break
    return tuple(found)


def shown(likeness: Likeness, marks: str) -> dict[str, Any]:
    """What the template ``cases.md.j2`` needs for one case; ``marks`` are those of its provisions."""
    case = likeness.case
    return {
        "title": case.title,
        "origin": case.origin,
        "correct": case.correct,
        "source": "" if "#" in case.source else case.source,
        "outcome": case.outcome,
        "lesson": case.lesson.rstrip("。"),
        "differs": likeness.differs[:DIFFERENCES_SHOWN],
        "same_verdict": likeness.same_verdict,
        "marks": marks,
    }


# ------------------------------------------------------------------ how alike


def _told(values: Values, vocabulary: Vocabulary) -> dict[str, frozenset[str]]:
    """The facts about the matter, without those about how it was asked."""
    kinds = vocabulary.facts
    return {
        name: known for name, known in values.items() if name in kinds and kinds[name].about != "question"
    }


def _hinges(determination: Determination) -> frozenset[str]:
    return frozenset(name for finding in determination.findings for name in finding.facts)


def _clause(determination: Determination) -> str | None:
    """The clause that fits best; outside the scope only general rules are named, which tell nothing apart."""
    if determination.scope in ("out_general_work", "out_subject"):
        return None
    return next((clause.id for clause in determination.clauses if not clause.candidate), None)


def _shared(ours: Iterable[str], theirs: Iterable[str]) -> float | None:
    """How much of ours they have; ``None`` where we have none, which says nothing."""
    mine, others = set(ours), set(theirs)
    return len(mine & others) / len(mine) if mine else None


def _scaled(value: float, between: tuple[float, float]) -> float:
    least, most = between
    return min(max((value - least) / (most - least), 0.0), 1.0)


def _pairs(text: str) -> frozenset[str]:
    """Neighbouring characters of a text, marks left out.

    >>> sorted(_pairs("镇长，没到场"))
    ['到场', '没到', '镇长']
    """
    runs = re.findall(r"\w+", normalise(text).lower())
    return frozenset(run[i : i + 2] for run in runs for i in range(len(run) - 1))


class Casebook:
    """The cases, with what is counted over all of them once: how much a fact or a pair of characters tells.

    What most cases have in common tells little.
    """

    def __init__(self, cases: Sequence[Case]) -> None:
        self.cases = tuple(cases)
        self._named = Counter(name for case in cases for name in case.facts)
        self._valued = Counter(
            (name, value) for case in cases for name, values in case.facts.items() for value in values
        )
        self._facts = {
            case.id: [
                (name, frozenset(values), self._most((name, value) for value in values))
                for name, values in case.facts.items()
            ]
            for case in cases
        }
        self._pairs = {case.id: _pairs(f"{case.title}。{case.story}") for case in cases}
        self._told = Counter(pair for pairs in self._pairs.values() for pair in pairs)
        self._weights = {pair: self._log(count) for pair, count in self._told.items()}
        self._weighed = {id: sum(map(self._weights.__getitem__, pairs)) for id, pairs in self._pairs.items()}

    def rarity(self, name: str) -> float:
        """How few cases have a fact."""
        return self._log(self._named[name])

    def facts_alike(
        self, here: Mapping[str, frozenset[str]], sure: Mapping[str, float], hinges: frozenset[str]
    ) -> dict[str, float]:
        """For each case the share of what is known that both have, each fact counted by how much it tells."""
        tells = {name: self._most((name, value) for value in values) for name, values in here.items()}
        nowhere: frozenset[str] = frozenset()
        shares = {}
        for id, facts in self._facts.items():
            gained = total = 0.0
            both = set()
            for name, theirs, weight in facts:
                if name in hinges:
                    weight *= HINGE
                ours = here.get(name, nowhere)
                if not ours or not theirs:
                    total += weight * ONE_SIDED
                    continue
                both.add(name)
                weight = max(weight, tells[name] * (HINGE if name in hinges else 1.0))
                gained += weight * sure[name] * len(ours & theirs) / len(ours | theirs)
                total += weight
            for name, weight in tells.items():
                if name not in both:
                    total += weight * (HINGE if name in hinges else 1.0) * ONE_SIDED
            shares[id] = gained / total if total else 0.0
        return shares

    def words_alike(self, text: str) -> dict[str, float]:
        """For each case how far its words are those of a text, as a cosine of weighed pairs of characters."""
        asked = _pairs(text)
        rare = self._log(0)
        whole = sum(self._weights.get(pair, rare) for pair in asked)
        alike = {}
        for id, pairs in self._pairs.items():
            most = sqrt(whole * self._weighed[id])
            shared = sum(map(self._weights.__getitem__, asked & pairs))
            alike[id] = shared / most if most else 0.0
        return alike

    def _most(self, values: Iterable[tuple[str, str]]) -> float:
        return max((self._log(self._valued[value]) for value in values), default=0.0)

    def _log(self, count: int) -> float:
        return log((2 + len(self.cases)) / (1 + count))


# ------------------------------------------------------------------ where they part


def _alike(
    here: Mapping[str, frozenset[str]], there: Mapping[str, Sequence[str]], vocabulary: Vocabulary
) -> tuple[str, ...]:
    return tuple(
        f"{kind.label}：{_show(kind.name, here[kind.name] & set(there[kind.name]), vocabulary)}"
        for kind in vocabulary.facts.values()
        if kind.name in here and here[kind.name] & set(there.get(kind.name, ()))
    )


def _differences(
    facts: Sequence[Fact],
    here: Mapping[str, frozenset[str]],
    case: Case,
    verdict: Scope,
    vocabulary: Vocabulary,
    judge: Judge,
    order: Callable[[str], tuple[bool, float]],
) -> tuple[Difference, ...] | None:
    """What parts question and case; ``None`` where another verdict cannot be explained."""
    names = sorted(
        (n for n in {*here, *case.facts} if here.get(n, frozenset()) != frozenset(case.facts.get(n, ()))),
        key=lambda n: (n not in case.facts, n not in here, *order(n), n),
    )
    decisive: tuple[str, ...] = ()
    if case.scope != verdict:
        decisive = _explanation(facts, case, names[:DIFFERENCES_TRIED], judge)
        if not decisive:
            return None
    listed = [n for n in names if n not in decisive and _worth_naming(n, here, case, order)]
    return tuple(
        Difference(
            name=name,
            label=vocabulary.facts[name].label,
            here=_show(name, here.get(name, frozenset()), vocabulary),
            there=_show(name, case.facts.get(name, ()), vocabulary),
            decisive=name in decisive,
        )
        for name in (*decisive, *listed)
    )


def _worth_naming(
    name: str, here: Mapping[str, frozenset[str]], case: Case, order: Callable[[str], tuple[bool, float]]
) -> bool:
    """What contradicts, and what only the case has and few cases have; the rest is how fully a story was told."""
    if name in here and name in case.facts:
        return not here[name] & set(case.facts[name])
    return name in case.facts and case.facts[name] != ("no",) and -order(name)[1] >= RARE


def _explanation(facts: Sequence[Fact], case: Case, names: Sequence[str], judge: Judge) -> tuple[str, ...]:
    """One fact, or else two, with which the question would be decided as the case was.

    Two facts that the case merely lacks explain nothing: the case rests on something it has.
    """
    pairs = [pair for pair in combinations(names, 2) if any(name in case.facts for name in pair)]
    for taken in (*((name,) for name in names), *pairs):
        if judge(_with_those_of(case, taken, facts)) == case.scope:
            return taken
    return ()


def _with_those_of(case: Case, names: Sequence[str], facts: Sequence[Fact]) -> list[Fact]:
    """The facts of the question with these taken over from the case."""
    kept = [fact for fact in facts if fact.name not in names]
    return kept + [Fact(n, v, "", "confirmed", 1.0) for n in names for v in case.facts.get(n, ())]


def _show(name: str, values: Iterable[str], vocabulary: Vocabulary) -> str:
    kind = vocabulary.facts[name]
    given = set(values)
    return "、".join(kind.show(value) for value in kind.values if value in given)
