"""From a story to one fact sheet: what the lexicon finds, what was learned, what the person confirmed.

Comes in: the text, the confirmed facts, what a language model proposes. Goes out: :class:`Understanding`. Raises
nothing.

How they are joined. What the person confirmed stands. A fact that was learned has the value that the learned
reading gives it, which has seen what the lexicon found; every other fact is the lexicon's. Each fact carries the
words it was read from: those of the lexicon where it found the same, else the clause that speaks most for it.

What a language model proposes is joined with that by the rule of :mod:`assistant.steps.proposals`. The sheet is then
read once more under what is settled between both, so that all its facts go together, and how likely each verdict is
lies between the two readings: a proposal is right :data:`~assistant.steps.proposals.SURE` of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date

from assistant.law.lexicon import Lexicon
from assistant.law.orders import Orders
from assistant.law.reading import Story, read_story
from assistant.model import Fact, MissingFact, Scope
from assistant.steps.determination import QUESTIONS_AT_A_TIME, Law, scope_of
from assistant.steps.facts import read_facts
from assistant.steps.learned import UNTOLD, Confirmed, Model, Reading, gain_of, read_learned
from assistant.steps.proposals import SURE, Disagreement, Joined, doubted, merged

MOST_VERDICTS = 50_000  # remembered, some ten megabytes
LEAST_WEIGHT = 2.0  # of words for a value, by what was learned: chosen on hands that were held out
LEAST_IN_STORY = 4.0  # the same of the whole story, for a value that nothing else was read of: held out too
LEAST_LIKELY = 0.05  # by the local reading alone, of a verdict that is reached on the word of a model
ORDERS = ("hidden_orders", "yes")
LEAST_GAIN = 0.01  # how much surer of the verdict an answer must make on average


@dataclass(frozen=True)
class Understanding:
    """``likely``: how likely each verdict is; ``ranked``: values that a fact may have beside those it has.

    Both are empty where nothing was learned. ``joined``: what became of the proposals of a language model.
    """

    facts: tuple[Fact, ...]
    likely: Mapping[Scope, float] = field(default_factory=dict)
    questions: tuple[MissingFact, ...] = ()
    ranked: Mapping[str, tuple[tuple[str, float], ...]] = field(default_factory=dict)
    joined: Joined = field(default_factory=Joined)


@dataclass(frozen=True)
class Reader:
    """Reads stories; holds nothing about any. ``model`` is None where there are no exemplars to learn from.

    ``ask_again`` asks for a fact that was read in two ways and has no question of its own: ``{label}`` is its name.
    ``orders``: words for a program, on which no proposal may rest.
    """

    law: Law
    lexicon: Lexicon
    model: Model | None = None
    verdicts: dict[tuple[date, tuple[tuple[str, str], ...]], Scope] = field(default_factory=dict)
    ask_again: str = "{label}"
    orders: Orders = field(default_factory=Orders)

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
        proposed: Sequence[Fact] = (),
    ) -> Understanding:
        """The fact sheet of a story, and what is worth asking.

        Args:
            found: what :meth:`found` gave.
            day: the day for which the rules are read.
            settled: facts that are not asked for any more.
            proposed: what a language model proposes.
        """
        local = self._read(text, found, found, confirmed, confirmed, day, settled)
        told = [f for f in proposed if not self.orders.around(text, f.start, f.start + len(f.evidence))]
        return self._joined(local, text, found, confirmed, day, settled, told) if told else local

    def _read(
        self,
        text: str,
        found: Sequence[Fact],
        given: Sequence[Fact],
        confirmed: Confirmed,
        told: Confirmed,
        day: date,
        settled: frozenset[str],
    ) -> Understanding:
        """Read under ``told``: facts whose values are ``given``, or unknown; what is ``confirmed`` is among them."""
        if self.model is None:
            return Understanding(tuple(given))
        words = [f for f in found if f.source == "lexicon"]
        reading = read_learned(self.model, text, words, told, lambda sheet: self.verdict(sheet, day))
        learned = {name.partition("=")[0] for name in self.model.heads}
        story = read_story(text, self.lexicon)
        facts = [f for f in given if f.name in told or f.name not in learned]
        for name, values in reading.facts.items():
            if name not in told:
                facts += [self._fact(self.model, story, found, name, value, sure) for value, sure in values]
        facts.sort(key=lambda fact: (fact.name, fact.start, -fact.confidence))
        questions = self._questions(reading, settled | told.keys())
        ranked = {name: values for name, values in reading.ranked.items() if name not in confirmed}
        return Understanding(tuple(facts), reading.verdicts, questions, ranked)

    def _joined(
        self,
        local: Understanding,
        text: str,
        found: Sequence[Fact],
        confirmed: Confirmed,
        day: date,
        settled: frozenset[str],
        proposed: Sequence[Fact],
    ) -> Understanding:
        """The local reading and the proposals of a language model, as one sheet."""
        vocabulary = self.law.vocabulary
        plain = [f for f in found if f.source == "lexicon"]
        joined = merged(local.facts, plain, proposed, confirmed.keys(), vocabulary, self._speaks(text))
        read = self._under(joined, local, text, found, confirmed, day, settled)
        if not local.likely:
            return read
        before = scope_of(local.facts, self.law, day)
        deciding = tuple(f for f in joined.taken if scope_of([*local.facts, f], self.law, day) != before)
        for facts in dict.fromkeys(filter(None, (deciding, joined.taken))):
            now = scope_of(read.facts, self.law, day)
            if now == before or local.likely.get(now, 0.0) >= LEAST_LIKELY:
                break
            fewer = doubted(joined, facts, vocabulary)
            read = self._under(fewer, local, text, found, confirmed, day, settled)
        return read

    def _under(
        self,
        joined: Joined,
        local: Understanding,
        text: str,
        found: Sequence[Fact],
        confirmed: Confirmed,
        day: date,
        settled: frozenset[str],
    ) -> Understanding:
        """The sheet read once more under what is settled between both readings."""
        vocabulary = self.law.vocabulary
        single = [f for f in (*joined.agreed, *joined.taken) if vocabulary.facts[f.name].kind != "many"]
        told = {**{f.name: f.value for f in single}, **dict.fromkeys(joined.open, "unknown"), **confirmed}
        given = [f for f in found if f.name in confirmed or f.name not in told]
        again = self._read(text, found, [*given, *single], confirmed, told, day, settled)
        facts = [f for f in again.facts if f.name not in joined.open]
        for fact in (*joined.agreed, *joined.taken):
            if vocabulary.facts[fact.name].kind == "many" and self._goes_with(fact.name, facts):
                facts = [f for f in facts if (f.name, f.value) != (fact.name, fact.value)] + [fact]
        facts.sort(key=lambda fact: (fact.name, fact.start, -fact.confidence))
        likely = {
            scope: round(SURE * again.likely.get(scope, 0.0) + (1 - SURE) * local.likely.get(scope, 0.0), 4)
            for scope in dict.fromkeys((*again.likely, *local.likely))
        }
        asked = [
            self._ask(d, facts, day) for d in joined.disagreements if not d.stands and d.name not in settled
        ]
        telling = [q for q in asked if len({outcome for _, outcome in q.outcomes}) > 1]
        questions = (*telling, *again.questions, *(q for q in asked if q not in telling))
        return Understanding(tuple(facts), likely, questions[:QUESTIONS_AT_A_TIME], again.ranked, joined)

    def _goes_with(self, name: str, facts: Sequence[Fact]) -> bool:
        """Whether the fact without which this one is not read is there."""
        wanted = self.model.only_with.get(name) if self.model else None
        return wanted is None or any((f.name, f.value) == wanted for f in facts)

    def _speaks(self, text: str) -> Callable[[Fact], bool]:
        """Whether the words of a proposal speak for it.

        The clauses that it quotes are looked at as a whole, so that 没有 is not left out: they must not be supposed,
        nor be orders to a program, nor say something else by the lexicon. They must weigh for the value by what was
        learned, and more than for any other, and the whole story must not speak against it: a clause alone is easily
        found for anything. Where nothing was learned of it, they must call it by its name.
        """
        story = read_story(text, self.lexicon)
        spans = [(story.text.span(clause.start, clause.end), clause) for clause in story.clauses]

        def speaks(fact: Fact) -> bool:
            end = fact.start + len(fact.evidence)
            quoted = [(span, c) for span, c in spans if span[0] < end and fact.start < span[1]]
            if not quoted or all(clause.supposed for _, clause in quoted):
                return False
            words = text[quoted[0][0][0] : quoted[-1][0][1]]
            found = self.found(words, {})
            if any((f.name, f.value) == ORDERS for f in found):
                return False
            kind = self.law.vocabulary.facts[fact.name]
            said = {f.value for f in found if f.name == fact.name}
            if said and kind.kind != "many":
                return fact.value in said and not self._denies(fact.name, fact.value, words)
            return fact.value in said or (
                self._weighs(fact.name, fact.value, words) and self._fits(fact.name, fact.value, text)
            )

        return speaks

    def _fits(self, name: str, value: str, text: str) -> bool:
        """Whether the whole story speaks for it, as far as that was learned."""
        if self.model is None or name not in self.model.heads:
            return True
        return self.model.effects(text, name).get(value, LEAST_IN_STORY) >= LEAST_IN_STORY

    def _denies(self, name: str, value: str, words: str) -> bool:
        """Whether by what was learned the words speak for another value, and clearly more than for this one."""
        if self.model is None or name not in self.model.heads:
            return False
        effects = self.model.effects(words, name)
        others = [effect for other, effect in effects.items() if other not in (value, UNTOLD)]
        return max(others, default=0.0) >= effects.get(value, 0.0) + LEAST_WEIGHT

    def _weighs(self, name: str, value: str, words: str) -> bool:
        kind = self.law.vocabulary.facts[name]
        head, told = (f"{name}={value}", "yes") if kind.kind == "many" else (name, value)
        known = self.model.heads.get(head) if self.model else None
        if self.model is None or known is None or told not in known.values:
            return value in words or any(
                part in words for part in kind.show(value).split("、") if len(part) > 1
            )
        effects = self.model.effects(words, head)
        others = [effect for other, effect in effects.items() if other not in (told, UNTOLD)]
        return effects.get(told, 0.0) >= LEAST_WEIGHT and effects[told] > max(others, default=0.0)

    def _ask(self, open: Disagreement, facts: Sequence[Fact], day: date) -> MissingFact:
        """The question for a fact that was read in two ways, with what each answer would mean."""
        kind = self.law.vocabulary.facts[open.name]
        outcomes = tuple(
            (
                kind.show(v),
                self.law.scope_labels[scope_of([*facts, replace(open.model, value=v)], self.law, day)],
            )
            for v in kind.values
        )
        return MissingFact(open.name, kind.question or self.ask_again.format(label=kind.label), outcomes)

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
