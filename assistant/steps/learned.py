"""From a story to facts, by what was learned from exemplars: how sure each fact is, and which facts go together.

Comes in: a :class:`Model`, the text, what the lexicon found in it, what the person confirmed. Goes out: a
:class:`Reading`. Nothing is decided here: the verdict of a set of facts is asked of the caller, who asks the rules.

How it reads. A story is its character runs of one to three, which are the words of the exemplars, and what the lexicon
found, which knows more words; kernel ridge regression over the exemplars gives each value of each fact a score. A
logistic regression on stories of hands unseen makes it a probability, together with whether the lexicon found that
value: it counts as much as it has proved reliable. Facts that decide the verdict are read together: only combinations
that occur among the exemplars (*sheets*) are considered. A sheet is as likely as its facts, and as the verdict that
the rules give it; the verdict counts the less, the less what the person confirmed was read as well. What he confirmed
rules out every sheet that says otherwise. All other facts are read one by one.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assistant.law.text import normalise
from assistant.model import Fact, Scope

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]

ITEM = "situation"  # read by itself, but the rules look at it for the verdict
MASKED = "〇"  # stands for a name
UNTOLD = "?"  # the value of a fact that a story does not tell
LONGEST_RUN = 3  # characters
# weights of what makes two stories alike; that of their characters is 1
PATTERNS = 0.2  # what the lexicon found
CONSTANT = 0.2  # what all stories share
CALM = 0.5  # facts are not independent, so that their logarithms summed would be too sure
LIKELIEST = 120  # sheets whose verdict is asked for
SILENT = 0.5  # what a sheet loses that says nothing of a fact that was confirmed
LEAST_ANSWER = 0.02  # an answer less likely than this is not thought of
NAMED = 0.9  # how sure a value is that a story calls by its name
LEAST = 1e-4  # of a probability whose logarithm is taken

Confirmed = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True)
class Head:
    """One question to a story: which of ``values`` a fact has. ``first`` is its first column of scores."""

    name: str
    values: tuple[str, ...]
    first: int
    weights: Floats  # (values, 2 * values), from scores and from what the lexicon found to odds
    bias: Floats

    def found(self, marks: Collection[str]) -> list[float]:
        """For each value, whether the lexicon found it."""
        name, _, value = self.name.partition("=")
        values = (value if told == "yes" else "" for told in self.values) if value else self.values
        return [float(f"{name}={told}" in marks) for told in values]

    def probabilities(self, scores: Floats, found: Sequence[Sequence[float]]) -> Floats:
        """How likely each value is.

        Args:
            scores: (stories, columns) of all heads.
            found: what :meth:`found` gave for each story.
        """
        own = scores[:, self.first : self.first + len(self.values)]
        odds = np.hstack([own, np.asarray(found, np.float32)]) @ self.weights.T + self.bias
        raised = np.exp(odds - odds.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)


@dataclass(frozen=True)
class Requests:
    """What was learned of questions that are declined. Columns: whether a text is one, then each of ``kinds``.

    ``masks`` are regexes of what is read as :data:`MASKED`: a name says nothing of what is asked.
    """

    terms: Mapping[str, int]
    rarity: Floats  # of each term
    weights: Floats  # (terms, columns)
    bias: Floats
    kinds: tuple[str, ...]
    masks: tuple[str, ...]
    least_sure: float

    def kind(self, text: str) -> tuple[str, float]:
        """The kind of request and how sure it is one; "" where that is not sure enough."""
        known = [(self.terms[r], n) for r, n in runs_of(masked(text, self.masks)).items() if r in self.terms]
        if not known:
            return "", 0.0
        numbers = [number for number, _ in known]
        shares = (1 + np.log([count for _, count in known])) * self.rarity[numbers]
        odds = self.bias + (shares / np.linalg.norm(shares)) @ self.weights[numbers]
        sure = 1 / (1 + math.exp(-float(odds[0])))
        return (self.kinds[int(odds[1:].argmax())], sure) if sure >= self.least_sure else ("", sure)


@dataclass(frozen=True)
class Model:
    """What was learned. Arrays over ``n`` exemplars; a term is a character run, a mark what the lexicon found."""

    terms: Mapping[str, int]
    rarity: Floats  # of each term
    starts: Integers  # where the postings of each term begin
    where: Integers  # postings: the exemplar
    weight: Floats  # postings: how much the term weighs there
    marks: Mapping[str, int]
    marks_mean: Floats
    marks_of: Floats  # (n, marks), of length one
    dual: Floats  # (n, columns)
    heads: Mapping[str, Head]  # of the facts, "FACT=VALUE" for each value of a fact that may have several
    verdicts: Head
    together: tuple[str, ...]
    sheets: tuple[tuple[str, ...], ...]  # combinations of values of ``together``
    only_with: Mapping[str, tuple[str, str]]  # fact -> the fact and its value without which it is not read
    story_weights: Floats  # of each term: how much it speaks for a story, not for a question about rules
    story_bias: float
    surety: float  # what turns the likelihood of a verdict into how often it is right
    least_sure: float
    least_sure_of_many: float
    most_values: int
    least_sure_of_kind: float
    least_sure_of_idle: float
    requests: Requests | None = None  # None where there were no exemplars of them

    def kind(self, text: str) -> str:
        """Whether a text tells a story ("情况") or asks about rules ("规定"); "" where it is not sure enough."""
        odds = self.story_bias + sum(
            self.story_weights[n] * share for n, share in self._weighed(runs_of(text))
        )
        sure = 1 / (1 + math.exp(-odds))
        if max(sure, 1 - sure) < self.least_sure_of_kind:
            return ""
        return "情况" if sure > 0.5 else "规定"

    def scores(self, text: str, marks: Collection[str]) -> Floats:
        """(1, columns) for a story in which the lexicon found ``marks``."""
        return self.likeness(text, marks)[None, :] @ self.dual

    def likeness(self, text: str, marks: Collection[str]) -> Floats:
        """How like each exemplar a story is (n)."""
        total = np.full(len(self.dual), CONSTANT, np.float32)
        weighed = list(self._weighed(runs_of(text)))
        if weighed:
            postings, lengths = self._postings([number for number, _ in weighed])
            shares = np.repeat(np.array([share for _, share in weighed], np.float32), lengths)
            np.add.at(total, self.where[postings], shares * self.weight[postings])
        unusual = -self.marks_mean
        unusual[[self.marks[mark] for mark in marks if mark in self.marks]] += 1
        length = float(np.linalg.norm(unusual))
        if length:
            total += np.float32(PATTERNS / length) * (self.marks_of @ unusual)
        return total

    def _postings(self, terms: Sequence[int]) -> tuple[Integers, Integers]:
        """The places of the postings of some terms one after another, and how many each term has."""
        starts = self.starts[terms]
        lengths = self.starts[np.add(terms, 1)] - starts
        before = np.cumsum(lengths) - lengths
        return np.arange(lengths.sum()) + np.repeat(starts - before, lengths), lengths

    def _weighed(self, runs: Counter[str]) -> Iterator[tuple[int, float]]:
        known = [(self.terms[run], count) for run, count in runs.items() if run in self.terms]
        if known:
            numbers = np.array([number for number, _ in known])
            shares = (1 + np.log([count for _, count in known])) * self.rarity[numbers]
            shares /= np.linalg.norm(shares)
            yield from zip(numbers.tolist(), shares.tolist(), strict=True)

    def telling(
        self, text: str, clauses: Sequence[tuple[int, int]], head: str, value: str
    ) -> tuple[int, int] | None:
        """The clause whose words speak most for a value, None where none does; the text is the normalised one."""
        chosen = self.heads[head]
        column = chosen.first + chosen.values.index(value)
        weights = self.dual[:, column]
        runs = [[run for run in runs_of(text[start:end]) if run in self.terms] for start, end in clauses]
        known = list({run: self.terms[run] for found in runs for run in found}.items())
        if not known:
            return None
        terms = [term for _, term in known]
        postings, lengths = self._postings(terms)
        shares = self.weight[postings] * weights[self.where[postings]]
        sums = np.add.reduceat(shares, np.cumsum(lengths) - lengths) * self.rarity[terms]
        effect = dict(zip((run for run, _ in known), sums.tolist(), strict=True))
        best, most = None, 0.0
        for clause, found in zip(clauses, runs, strict=True):
            total = sum(effect[run] for run in found)
            if total > most:
                best, most = clause, total
        return best

    def effects(self, words: str, head: str) -> dict[str, float]:
        """How much some words of a story speak for each value of a fact; empty where none of them is known."""
        chosen = self.heads[head]
        terms = [self.terms[run] for run in runs_of(words) if run in self.terms]
        if not terms:
            return {}
        postings, lengths = self._postings(terms)
        columns = slice(chosen.first, chosen.first + len(chosen.values))
        shares = self.weight[postings, None] * self.dual[self.where[postings], columns]
        sums = np.add.reduceat(shares, np.cumsum(lengths) - lengths) * self.rarity[terms][:, None]
        return dict(zip(chosen.values, sums.sum(axis=0).tolist(), strict=True))


@dataclass(frozen=True)
class Reading:
    """What a story most likely says. ``verdicts``: how likely each verdict is, over all sheets considered.

    ``doubts``: for each fact read together, how likely each of its values is, and each verdict with it.
    """

    facts: Mapping[str, tuple[tuple[str, float], ...]]  # fact -> its values, each with how sure it is
    verdicts: Mapping[Scope, float]
    doubts: Mapping[str, Mapping[str, Mapping[Scope, float]]]
    ranked: Mapping[str, tuple[tuple[str, float], ...]]  # of facts with several values, the likeliest few

    def answers(self, name: str, values: Sequence[str]) -> dict[str, tuple[float, Mapping[Scope, float]]]:
        """For each answer to a question, how likely it is and how likely each verdict would be after it.

        What a story does not tell counts as "no" of a flag; of other facts it is the answer of nobody.
        """
        sheets = {value: dict(by) for value, by in self.doubts[name].items()}
        untold = sheets.pop(UNTOLD, {})
        if "no" in values:
            for scope, share in untold.items():
                no = sheets.setdefault("no", {})
                no[scope] = no.get(scope, 0.0) + share
        mass = {value: sum(by.values()) for value, by in sheets.items()}
        whole = sum(mass.values()) or 1.0
        return {
            value: (mass[value] / whole, {scope: share / mass[value] for scope, share in by.items()})
            for value, by in sheets.items()
            if value in values and mass[value] / whole >= LEAST_ANSWER
        }


def gain_of(answers: Mapping[str, tuple[float, Mapping[Scope, float]]]) -> float:
    """How much surer of the verdict one is after the answer than before, on average."""
    before: dict[Scope, float] = {}
    for chance, by in answers.values():
        for scope, share in by.items():
            before[scope] = before.get(scope, 0.0) + chance * share
    after = sum(chance * max(by.values()) for chance, by in answers.values())
    return after - max(before.values(), default=0.0)


def runs_of(text: str) -> Counter[str]:
    """The character runs of a text and how often each occurs.

    >>> sorted(runs_of("没管").items())
    [('没', 1), ('没管', 1), ('管', 1)]
    """
    plain = normalise(text)
    return Counter(
        plain[at : at + size] for size in range(1, LONGEST_RUN + 1) for at in range(len(plain) - size + 1)
    )


def masked(text: str, masks: Sequence[str]) -> str:
    """A text in which whatever ``masks`` finds is the same sign.

    >>> masked("王强局长贪不贪", ["王.局长"])
    '〇贪不贪'
    """
    plain = normalise(text)
    for mask in masks:
        plain = re.sub(mask, MASKED, plain)
    return plain


def marks_of(found: Sequence[Fact]) -> set[str]:
    """What the lexicon found, as marks."""
    return {f"{fact.name}={fact.value}" for fact in found}


def read_learned(
    model: Model,
    text: str,
    found: Sequence[Fact],
    confirmed: Confirmed,
    judges: Callable[[Mapping[str, str]], Scope],
) -> Reading:
    """Read a story.

    Args:
        found: what the lexicon found.
        confirmed: what the person said of facts; "unknown" for what nobody knows.
        judges: what the rules say of a set of facts.
    """
    marks = marks_of(found)
    scores = model.scores(text, marks)
    read = {name: head.probabilities(scores, [head.found(marks)])[0] for name, head in model.heads.items()}
    ranked = _ranked(model, read, marks)
    items = [value for value, share in ranked.get(ITEM, ()) if share >= model.least_sure_of_many][:1]
    listed = {ITEM: items[0]} if items and ITEM not in confirmed else {}

    def verdict(sheet: Mapping[str, str]) -> Scope:
        return judges({**listed, **sheet})

    likely = _likelihood(model, read, confirmed)
    best = np.argsort(-likely, kind="stable")[:LIKELIEST]
    best = best[np.isfinite(likely[best])]
    sheets = [_with_confirmed(model, model.sheets[number], confirmed) for number in best]
    scopes = [verdict(sheet) for sheet in sheets]
    weights = likely[best].astype(float)
    own = model.verdicts.probabilities(scores, [model.verdicts.found(marks)])[0]
    chances = dict(zip(model.verdicts.values, own.tolist(), strict=True))
    trust = _agrees(model, read, confirmed)
    weights += trust * np.log([max(chances.get(scope, 0.0), LEAST) for scope in scopes])
    shares = np.exp(weights - weights.max())
    shares /= shares.sum()
    verdicts = _verdicts(scopes, shares, model.surety)
    first = max(verdicts, key=lambda scope: verdicts[scope])
    chosen = max((n for n, scope in enumerate(scopes) if scope == first), key=lambda n: shares[n])
    doubts = _doubts(model, sheets, scopes, shares)
    facts = {
        name: ((value, round(sum(doubts[name][value].values()), 3)),)
        for name, value in _without_idle(model, sheets[chosen], doubts, confirmed, verdict).items()
        if name not in confirmed
    }
    sure = {
        name: tuple((value, share) for value, share in values if share >= model.least_sure_of_many)
        for name, values in ranked.items()
    }
    several = {name: values for name, values in sure.items() if values}
    for name, (other, wanted) in model.only_with.items():
        told = confirmed.get(other, facts[other][0][0] if other in facts else UNTOLD)
        if told != wanted:
            several.pop(name, None)
            ranked.pop(name, None)
        elif named := _named(model, name, text, marks):
            shares = sorted((dict(several.get(name, ())) | named).items(), key=lambda pair: -pair[1])
            several[name] = tuple(shares[: model.most_values])
    return Reading(facts | _singly(model, read) | several, verdicts, doubts, ranked)


def _named(model: Model, name: str, text: str, marks: Collection[str]) -> dict[str, float]:
    """Values that a story calls by their names, as the lexicon agrees: exemplars describe rather than name."""
    values = (head.partition("=")[2] for head in model.heads if head.startswith(f"{name}="))
    return {value: NAMED for value in values if value in text and f"{name}={value}" in marks}


def _without_idle(
    model: Model,
    sheet: Mapping[str, str],
    doubts: Mapping[str, Mapping[str, Mapping[Scope, float]]],
    confirmed: Confirmed,
    verdict: Callable[[Mapping[str, str]], Scope],
) -> dict[str, str]:
    """The sheet without what is not sure and does not bear on its verdict; flags stay, as other tables use them."""
    kept = dict(sheet)
    wanted = verdict(sheet)
    shares = {name: sum(doubts[name][value].values()) for name, value in sheet.items()}
    for name in sorted(shares, key=lambda n: shares[n]):
        if name in confirmed or sheet[name] in ("yes", "no") or shares[name] >= model.least_sure_of_idle:
            continue
        less = {other: value for other, value in kept.items() if other != name}
        if verdict(less) == wanted:
            kept = less
    return kept


def _likelihood(model: Model, read: Mapping[str, Floats], confirmed: Confirmed) -> npt.NDArray[np.float64]:
    """The logarithm of how likely each sheet is, up to a constant; minus infinity where it is ruled out."""
    total = np.zeros(len(model.sheets))
    for at, name in enumerate(model.together):
        head = model.heads[name]
        place = {value: number for number, value in enumerate(head.values)}
        if name in confirmed:
            total += [_agreement(sheet[at], str(confirmed[name])) for sheet in model.sheets]
        else:
            logs = np.log(np.maximum(read[name], LEAST))
            total += CALM * logs[[place[sheet[at]] for sheet in model.sheets]]
    if not np.isfinite(total).any():  # nobody told such a story: take the facts as they are
        return _likelihood(model, read, {})
    return total


def _agrees(model: Model, read: Mapping[str, Floats], confirmed: Confirmed) -> float:
    """How far what was confirmed was read as well: who misread a fact has misread the verdict with it."""
    least = 1.0
    for name in model.together:
        value = str(confirmed.get(name, "unknown"))
        if value != "unknown":
            chances = dict(zip(model.heads[name].values, read[name].tolist(), strict=True))
            untold = chances.get(UNTOLD, 0.0) if value == "no" else 0.0
            least = min(least, chances.get(value, 0.0) + untold)
    return least


def _agreement(value: str, confirmed: str) -> float:
    """Whether a sheet can be true of somebody who said so: "no" and "unknown" are mostly left untold."""
    if confirmed == value:
        return 0.0
    if value == UNTOLD:
        return 0.0 if confirmed in ("no", "unknown") else -SILENT
    return -SILENT if (value, confirmed) == ("no", "unknown") else -np.inf


def _with_confirmed(model: Model, sheet: tuple[str, ...], confirmed: Confirmed) -> dict[str, str]:
    facts = {n: v for n, v in zip(model.together, sheet, strict=True) if v != UNTOLD}
    for name in model.together:
        if name in confirmed:
            value = str(confirmed[name])
            facts.pop(name, None)
            if value != "unknown":
                facts[name] = value
    return facts


def _verdicts(scopes: Sequence[Scope], shares: npt.NDArray[np.float64], surety: float) -> dict[Scope, float]:
    """How likely each verdict is; a power makes it as sure as it has proved right."""
    total: dict[Scope, float] = {}
    for scope, share in zip(scopes, shares.tolist(), strict=True):
        total[scope] = total.get(scope, 0.0) + share
    raised = {scope: share**surety for scope, share in total.items()}
    whole = sum(raised.values())
    return {scope: round(share / whole, 4) for scope, share in raised.items()}


def _doubts(
    model: Model,
    sheets: Sequence[Mapping[str, str]],
    scopes: Sequence[Scope],
    shares: npt.NDArray[np.float64],
) -> dict[str, dict[str, dict[Scope, float]]]:
    doubts: dict[str, dict[str, dict[Scope, float]]] = {name: {} for name in model.together}
    for sheet, scope, share in zip(sheets, scopes, shares.tolist(), strict=True):
        for name in model.together:
            by = doubts[name].setdefault(sheet.get(name, UNTOLD), {})
            by[scope] = by.get(scope, 0.0) + share
    return doubts


def _singly(model: Model, read: Mapping[str, Floats]) -> dict[str, tuple[tuple[str, float], ...]]:
    """The likeliest value of each fact that is read by itself, where it is told and likely enough."""
    facts: dict[str, tuple[tuple[str, float], ...]] = {}
    for name, chances in read.items():
        best = int(chances.argmax())
        told = model.heads[name].values[best]
        if "=" in name or name in model.together or told == UNTOLD or chances[best] < model.least_sure:
            continue
        facts[name] = ((told, round(float(chances[best]), 3)),)
    return facts


def _ranked(
    model: Model, read: Mapping[str, Floats], marks: Collection[str]
) -> dict[str, tuple[tuple[str, float], ...]]:
    """The likeliest values of each fact that may have several: first what is read, then what the lexicon found."""
    several: dict[str, list[tuple[str, float]]] = {}
    for name, chances in read.items():
        fact, _, value = name.partition("=")
        if value:
            several.setdefault(fact, []).append((value, round(float(chances[1]), 3)))

    def order(fact: str, value: str, share: float) -> tuple[bool, bool, float]:
        return share < model.least_sure_of_many, f"{fact}={value}" not in marks, -share

    return {
        fact: tuple(sorted(values, key=lambda pair: order(fact, *pair))[: model.most_values])
        for fact, values in several.items()
    }
