"""A conversation: one fact sheet for each situation, moved by what the person says next.

Comes in: what was said, turn by turn, and the advisor. Goes out: an :class:`~assistant.model.Advice` for each,
which begins with how the words were taken. Raises ``QuestionError`` as the advisor does; the sheet then stays as
it was. Nothing is written down.

The words that set a fact set it on the sheet (``confirmed``); words that set none are added to the story. A
supposition and a question about the rules leave the sheet alone. 不清楚 about a fact that the story tells leaves it
as it was read: nobody said otherwise. It is only not asked for again (``not_asked``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol

from assistant.law.days import read_conduct_days, read_received_date
from assistant.law.lexicon import Lexicon, load_lexicon
from assistant.law.phrases import Phrases, load_phrases
from assistant.law.text import has_words
from assistant.law.turns import unsupposed
from assistant.law.vocabulary import Vocabulary, load_vocabulary
from assistant.model import Advice, Question
from assistant.privacy import mask_private
from assistant.prompts import Prompts
from assistant.settings import Settings
from assistant.steps.facts import read_facts
from assistant.steps.replies import Reply, Told, read_reply

Value = str | tuple[str, ...]
IDLE = 12  # characters; a shorter text that sets nothing and is about nothing gets the polite refusal
# what a question about the rules may take from the sheet: who is concerned, and by what
_ASKING = {"asks_rule", "asks_remedy", "asks_period", "asks_verdict"}
_REFUSED = {
    "asks_evasion",
    "asks_retaliation",
    "wants_to_report",
    "asks_guarantee",
    "asks_guilt_of_named",
    "hidden_orders",
}
_FOR_RULES = ("subject", "identity_kind", "party_member", "measure", "decided_by")


class Asks(Protocol):
    def ask(self, question: Question) -> Advice: ...


@dataclass(frozen=True)
class Listener:
    """What it takes to understand a reply, joined once."""

    vocabulary: Vocabulary
    lexicon: Lexicon
    phrases: Phrases
    labels: Mapping[str, Any]


def make_listener(settings: Settings) -> Listener:
    """Read the words of replies, the lexicon and the labels.

    Raises:
        KnowledgeError: a file that is missing or has a mistake.
    """
    vocabulary = load_vocabulary(settings.knowledge)
    return Listener(
        vocabulary,
        load_lexicon(settings.knowledge, vocabulary),
        load_phrases(settings.knowledge, vocabulary),
        Prompts(settings.prompts).wording("labels.yaml"),
    )


@dataclass(frozen=True)
class Situation:
    """One fact sheet: the story, what was confirmed, what is not asked again, and the last answer to it."""

    story: str
    day: date
    received: date | None
    conduct: tuple[date, date] | None
    confirmed: Mapping[str, Value]
    advice: Advice
    turns: int = 1
    not_asked: frozenset[str] = frozenset()

    @property
    def scope(self) -> str | None:
        return self.advice.determination.scope if self.advice.determination else None


@dataclass
class Conversation:
    """Keeps the situations of one conversation; ``current`` is the one being talked about, -1 for none."""

    advisor: Asks
    listener: Listener
    situations: tuple[Situation, ...] = ()
    current: int = -1

    @property
    def situation(self) -> Situation | None:
        return self.situations[self.current] if 0 <= self.current < len(self.situations) else None

    def say(
        self,
        text: str,
        day: date,
        received: date | None = None,
        conduct: tuple[date, date] | None = None,
        anew: bool = False,
    ) -> Advice:
        """Answer what was said.

        Args:
            text: the words.
            day: the day for which the law is read.
            received: the day a decision was received, where it is known.
            conduct: first and last day on which it happened.
            anew: whatever was said before does not count.

        Raises:
            QuestionError: empty, without words, or too long.
        """
        sheet = self.situation
        if sheet is None or anew:
            return self._begin(text, day, received, conduct)
        if not has_words(text):
            return self.advisor.ask(Question(text, day))
        said = mask_private(text)[0]
        sheet = replace(
            sheet,
            day=day,
            received=received or read_received_date(said, day) or sheet.received,
            conduct=conduct or sheet.conduct,
        )
        reply = self._understand(said, sheet)
        if reply.kind == "new_situation":
            return self._another(reply.rest or said, day, received, conduct)
        if reply.kind == "same_situation":
            return self._same(reply.rest, sheet)
        if reply.kind == "question":
            return self._question(said, sheet)
        if reply.kind == "what_if":
            return self._suppose(reply, sheet)
        if reply.kind == "more" and len(said.strip()) <= IDLE:
            alone = self.advisor.ask(Question(said, day))
            if alone.kind == "out_of_domain":
                return self._aside(alone, sheet)
        return self._update(reply, sheet)

    def set(
        self,
        fact: str,
        value: Value,
        day: date,
        received: date | None = None,
        conduct: tuple[date, date] | None = None,
        situation: int | None = None,
    ) -> Advice:
        """Set one fact as the person chose it from a list; of an earlier situation, where one is named.

        Raises:
            QuestionError: nothing was told yet, as the advisor does.
        """
        sheet = self._turn_to(situation)
        if sheet is None:
            return self.advisor.ask(Question("", day))
        sheet = replace(sheet, day=day, received=received or sheet.received, conduct=conduct or sheet.conduct)
        note = self._say("correction", _told(fact, value))
        return self._keep(replace(sheet, confirmed={**sheet.confirmed, fact: value}), note)

    def suppose(self, fact: str, value: Value, situation: int | None = None) -> Advice:
        """What would follow if one fact were another; every sheet stays as it is.

        Raises:
            QuestionError: nothing was told yet, as the advisor does.
        """
        index = self.current if situation is None else situation
        if not 0 <= index < len(self.situations):
            return self.advisor.ask(Question("", date.min))
        sheet = self.situations[index]
        advice = self._ask(replace(sheet, confirmed={**sheet.confirmed, fact: value}))
        return replace(_noted(advice, self._supposed(_told(fact, value), sheet, advice)), supposed=True)

    def redate(
        self,
        day: date,
        received: date | None,
        conduct: tuple[date, date] | None,
        situation: int | None = None,
    ) -> Advice:
        """The same matter, read for other days; None takes a day back that was given before.

        Raises:
            QuestionError: nothing was told yet, as the advisor does.
        """
        sheet = self._turn_to(situation)
        if sheet is None:
            return self.advisor.ask(Question("", day))
        return self._keep(replace(sheet, day=day, received=received, conduct=conduct), "")

    def _turn_to(self, situation: int | None) -> Situation | None:
        if situation is not None and 0 <= situation < len(self.situations):
            self.current = situation
        return self.situation

    def _aside(self, alone: Advice, sheet: Situation) -> Advice:
        """What is about nothing: while something is asked, it is an answer that could not be read."""
        made = sheet.advice.determination
        if made and made.missing_facts and not _refused(alone):
            return _noted(sheet.advice, self._words("unread"))
        return alone

    # ------------------------------------------------------------------ what was meant

    def _understand(self, said: str, sheet: Situation) -> Reply:
        listener = self.listener
        made = sheet.advice.determination
        read = read_facts(unsupposed(said, listener.phrases), listener.lexicon, listener.vocabulary)
        return read_reply(
            said,
            made.missing_facts if made else (),
            sheet.advice.facts,
            listener.vocabulary,
            listener.lexicon,
            listener.phrases,
            read,
            sheet.story,
        )

    def _begin(
        self,
        text: str,
        day: date,
        received: date | None,
        conduct: tuple[date, date] | None,
        note: str = "",
    ) -> Advice:
        advice = self.advisor.ask(Question(text, day, received=received, conduct=conduct))
        if advice.kind != "scenario":
            return advice
        begun = Situation(
            story=advice.question.text,
            day=day,
            received=received or read_received_date(advice.question.text, day),
            conduct=conduct,
            confirmed={},
            advice=advice,
        )
        self.situations = (*self.situations, begun)
        self.current = len(self.situations) - 1
        return _noted(advice, note)

    def _another(
        self, text: str, day: date, received: date | None, conduct: tuple[date, date] | None
    ) -> Advice:
        # the days in the fields belong to the matter before; those that the new words name are read from them
        before = self.situation
        kept = before.received if before else None
        days = (
            None if received == kept else received,
            None if before and conduct == before.conduct else conduct,
        )
        advice = self._begin(text, day, *days, note=self._words("new_situation"))
        return advice if advice.kind == "scenario" else _noted(advice, self._words("question"))

    def _same(self, rest: str, sheet: Situation) -> Advice:
        """Back to the situation before: what was taken for another one is joined to it, if it just began."""
        if self.current < 1:
            note = self._words("back")
            return self._keep(replace(sheet, story=_added(sheet.story, rest)), note)
        earlier = self.situations[self.current - 1]
        if sheet.turns > 1:
            self.current -= 1
            return self._keep(replace(earlier, story=_added(earlier.story, rest)), self._words("back"))
        joined = replace(earlier, story=_added(_added(earlier.story, sheet.story), rest))
        kept = self.situations, self.current
        self.situations = (*self.situations[: self.current], *self.situations[self.current + 1 :])
        self.current -= 1
        try:
            return self._keep(joined, self._words("same_situation"))
        except Exception:
            self.situations, self.current = kept
            raise

    def _question(self, said: str, sheet: Situation) -> Advice:
        known = {name: value for name, value in sheet.confirmed.items() if name in _FOR_RULES}
        for fact in sheet.advice.facts:
            if fact.name in _FOR_RULES and fact.name != "subject":
                known.setdefault(fact.name, fact.value)
        alone = self.advisor.ask(Question(said, sheet.day))
        asks = {f.name for f in alone.facts if f.value == "yes"}
        if alone.kind == "scenario" or not asks & (_ASKING | _REFUSED):
            return self._update(Reply("more", rest=said), sheet)  # it tells something after all
        if alone.kind == "out_of_domain":
            return self._aside(alone, sheet)
        if known and "asks_remedy" in asks:  # who is concerned decides which way is open
            question = Question(said, sheet.day, received=sheet.received, confirmed=known)
            fitted = self.advisor.ask(question)
            alone = fitted if fitted.kind == "knowledge" else alone
        return _noted(alone, self._words("question"))

    def _suppose(self, reply: Reply, sheet: Situation) -> Advice:
        """What would follow; the sheet stays as it is."""
        supposed = {**sheet.confirmed, **{t.name: t.value for t in reply.facts}}
        advice = self._ask(replace(sheet, confirmed=supposed))
        return replace(_noted(advice, self._supposed(reply.facts, sheet, advice)), supposed=True)

    def _supposed(self, told: Sequence[Told], sheet: Situation, advice: Advice) -> str:
        before, after = self._label(sheet.advice), self._label(advice)
        key = "would_stay" if before == after else "would_change"
        return self._say("what_if", told) + self._words(key, before=before, after=after)

    def _update(self, reply: Reply, sheet: Situation) -> Advice:
        told = {t.name: t.value for t in reply.facts}
        kept = _read_already(reply, sheet)
        if reply.kind == "correction" and not told:
            note = self._words("unclear_correction")
        elif told:
            note = self._say("correction" if reply.kind == "correction" else "answer", reply.facts, kept)
        else:
            note = self._words("more")
        story = _added(sheet.story, reply.rest)
        conduct = sheet.conduct
        if not conduct and reply.rest:
            days = read_conduct_days(reply.rest, sheet.day)
            conduct = (days.first, days.last) if days else None
        confirmed = {**sheet.confirmed, **{name: value for name, value in told.items() if name not in kept}}
        not_asked = (sheet.not_asked | kept).difference(confirmed)
        return self._keep(
            replace(sheet, story=story, conduct=conduct, confirmed=confirmed, not_asked=not_asked), note
        )

    # ------------------------------------------------------------------ the sheet

    def _ask(self, sheet: Situation) -> Advice:
        return self.advisor.ask(
            Question(
                sheet.story,
                sheet.day,
                received=sheet.received,
                conduct=sheet.conduct,
                confirmed=sheet.confirmed,
                settled=sheet.not_asked,
            )
        )

    def _keep(self, sheet: Situation, note: str) -> Advice:
        """Ask again with the sheet as it now is, and keep it."""
        before = self._label(sheet.advice)
        advice = self._ask(sheet)
        if advice.declined:  # what cannot be answered is not joined to the story
            return advice
        after = self._label(advice)
        if before and after:
            note += (
                self._words("unchanged", after=after)
                if before == after
                else self._words("changed", before=before, after=after)
            )
        kept = replace(sheet, advice=advice, turns=sheet.turns + 1)
        self.situations = tuple(kept if n == self.current else s for n, s in enumerate(self.situations))
        return _noted(advice, note)

    # ------------------------------------------------------------------ words

    def _label(self, advice: Advice) -> str:
        made = advice.determination
        if made is None:
            return ""
        labels = self.listener.labels
        return str(labels["scope_variants"].get(made.variant) or labels["scope"][made.scope])

    def _say(self, key: str, told: Sequence[Told], kept: Set[str] = frozenset()) -> str:
        words = self.listener.labels["dialogue"]
        shown: dict[str, list[str]] = {}
        for one in told:
            kind = self.listener.vocabulary.facts[one.name]
            if one.value == "unknown":
                value = words["unknown_but_told" if one.name in kept else "unknown"]
            else:
                value = kind.show(one.value)
            shown.setdefault(kind.label, []).append(value)
        facts = "；".join(words["fact"].format(label=k, value="、".join(v)) for k, v in shown.items())
        return self._words(key, facts=facts)

    def _words(self, key: str, **values: str) -> str:
        return str(self.listener.labels["dialogue"][key]).format(**values)


def _told(fact: str, value: Value) -> tuple[Told, ...]:
    return tuple(Told(fact, one, "") for one in ((value,) if isinstance(value, str) else value))


def _read_already(reply: Reply, sheet: Situation) -> frozenset[str]:
    """Facts that the person said not to know, although the story tells them."""
    if reply.kind != "answer":
        return frozenset()
    read = {fact.name for fact in sheet.advice.facts if fact.source != "confirmed"}
    return frozenset(t.name for t in reply.facts if t.value == "unknown" and t.name in read)


def _refused(alone: Advice) -> bool:
    """Whether the words ask for what is refused, as its phrases tell; not only that they are about nothing."""
    return bool({f.name for f in alone.facts if f.value == "yes"} & _REFUSED)


def _added(story: str, rest: str) -> str:
    return f"{story}\n{rest}" if rest.strip() else story


def _noted(advice: Advice, note: str) -> Advice:
    """The answer with how the words were taken in front."""
    if not note:
        return advice
    return replace(advice, understood=note, answer=f"> {note}\n\n{advice.answer}")
