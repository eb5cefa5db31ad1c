"""From a story to one fact sheet: what the lexicon finds, what was learned, what the person confirmed.

Comes in: the text and the confirmed facts. Goes out: :class:`Understanding`. Raises nothing.

How they are joined. What the person confirmed stands. A fact that was learned has the value that the learned
reading gives it, which has seen what the lexicon found; every other fact is the lexicon's. Each fact carries the
words it was read from: those of the lexicon where it found the same, else the clause that speaks most for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date

from assistant.law.lexicon import Lexicon
from assistant.law.reading import Story, read_story
from assistant.model import Fact, MissingFact, Scope
from assistant.steps.determination import QUESTIONS_AT_A_TIME, Law, scope_of
from assistant.steps.facts import read_facts
from assistant.steps.learned import Confirmed, Model, Reading, gain_of, read_learned

MOST_VERDICTS = 50_000  # remembered, some ten megabytes
LEAST_GAIN = 0.01  # how much surer of the verdict an answer must make on average


@dataclass(frozen=True)
class Understanding:
    """``likely``: how likely each verdict is; ``ranked``: values that a fact may have beside those it has.

    Both are empty where nothing was learned.
    """

    facts: tuple[Fact, ...]
    likely: Mapping[Scope, float] = field(default_factory=dict)
    questions: tuple[MissingFact, ...] = ()
    ranked: Mapping[str, tuple[tuple[str, float], ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Reader:
    """Reads stories; holds nothing about any. ``model`` is None where there are no exemplars to learn from."""

    law: Law
    lexicon: Lexicon
    model: Model | None = None
    verdicts: dict[tuple[date, tuple[tuple[str, str], ...]], Scope] = field(default_factory=dict)

    def found(self, text: str, confirmed: Confirmed) -> tuple[Fact, ...]:
        """What the words say by the lexicon, under what the person confirmed; ``unknown`` takes a fact away."""
        read = [f for f in read_facts(text, self.lexicon, self.law.vocabulary) if f.name not in confirmed]
        for name, value in confirmed.items():
            for one in (value,) if isinstance(value, str) else value:
                if one != "unknown":
                    read.append(Fact(name, one, "", "confirmed", 1.0))
        return tuple(read)

    def kind(self, text: str) -> tuple[Fact, ...]:
        """Whether the text reads as a story or as a question about rules, and what it asks for that is declined.

        Each only where that is clear.
        """
        if self.model is None:
            return ()
        facts = []
        if kind := self.model.kind(text):
            facts.append(Fact("reads_as", kind, "", "learned", self.model.least_sure_of_kind))
        if self.model.requests:
            asks_for, sure = self.model.requests.kind(text)
            if asks_for:
                facts.append(Fact("asks_for", asks_for, "", "learned", round(sure, 3)))
        return tuple(facts)

    def read(
        self,
        text: str,
        found: Sequence[Fact],
        confirmed: Confirmed,
        day: date,
        settled: frozenset[str] = frozenset(),
    ) -> Understanding:
        """The fact sheet of a story, and what is worth asking.

        Args:
            found: what :meth:`found` gave.
            day: the day for which the rules are read.
            settled: facts that are not asked for any more.
        """
        if self.model is None:
            return Understanding(tuple(found))
        words = [f for f in found if f.source == "lexicon"]
        reading = read_learned(self.model, text, words, confirmed, lambda sheet: self.verdict(sheet, day))
        learned = {name.partition("=")[0] for name in self.model.heads}
        story = read_story(text, self.lexicon)
        facts = [f for f in found if f.name in confirmed or f.name not in learned]
        for name, values in reading.facts.items():
            if name not in confirmed:
                facts += [self._fact(self.model, story, found, name, value, sure) for value, sure in values]
        facts.sort(key=lambda fact: (fact.name, fact.start, -fact.confidence))
        questions = self._questions(reading, settled | confirmed.keys())
        ranked = {name: values for name, values in reading.ranked.items() if name not in confirmed}
        return Understanding(tuple(facts), reading.verdicts, questions, ranked)

    def verdict(self, sheet: Mapping[str, str], day: date) -> Scope:
        """What the rules say of a set of facts; remembered, as the same sets come up for most stories."""
        key = (day, tuple(sorted(sheet.items())))
        if key not in self.verdicts:
            if len(self.verdicts) >= MOST_VERDICTS:
                self.verdicts.clear()
            facts = [Fact(name, value, "", "learned", 1.0) for name, value in sheet.items()]
            self.verdicts[key] = scope_of(facts, self.law, day)
        return self.verdicts[key]

    def _fact(
        self, model: Model, story: Story, found: Sequence[Fact], name: str, value: str, sure: float
    ) -> Fact:
        same = [f for f in found if f.name == name and f.value == value and f.evidence]
        if same:
            return replace(max(same, key=lambda f: f.confidence), source="learned", confidence=sure)
        several = self.law.vocabulary.facts[name].kind == "many"
        head, told = (f"{name}={value}", "yes") if several else (name, value)
        spans = [(c.start, c.end) for c in story.clauses]
        telling = model.telling(story.text.text, spans, head, told)
        if telling is None:
            return Fact(name, value, "", "learned", sure)
        first, last = story.text.span(*telling)
        return Fact(name, value, story.text.original[first:last], "learned", sure, first)

    def _questions(self, reading: Reading, settled: Set[str]) -> tuple[MissingFact, ...]:
        """Facts of which some likely answer would change the verdict, the most telling first."""
        wanted = []
        for name in reading.doubts:
            kind = self.law.vocabulary.facts[name]
            if kind.ask is None or name in settled:
                continue
            chances = reading.answers(name, kind.values)
            outcomes = {v: max(by, key=lambda s: by[s]) for v, (_, by) in chances.items() if by}
            gain = gain_of(chances)
            if gain >= LEAST_GAIN and len(set(outcomes.values())) > 1:
                shown = tuple(
                    (kind.show(v), self.law.scope_labels[outcomes[v]]) for v in kind.values if v in outcomes
                )
                wanted.append((-gain, MissingFact(name, kind.question, shown)))
        wanted.sort(key=lambda pair: pair[0])
        return tuple(question for _, question in wanted[:QUESTIONS_AT_A_TIME])
