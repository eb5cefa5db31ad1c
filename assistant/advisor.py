"""The walk on one screen: question → facts → retrieval → determination → answer → verification.

Comes in: a :class:`~assistant.model.Question`. Goes out: an :class:`~assistant.model.Advice`. Raises
``QuestionError`` for text that cannot be read as a question.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, cached_property
from typing import Any

from assistant.assisted import Help, Helper, told_of
from assistant.errors import QuestionError
from assistant.law.asking import Asked
from assistant.law.cases import Case
from assistant.law.citations import Reference, find_references
from assistant.law.days import Days, read_conduct_days, read_received_date
from assistant.law.rules import run_table, values_of
from assistant.law.text import has_words, is_mostly_foreign
from assistant.model import (
    Advice,
    Assistance,
    Citation,
    Clause,
    Declined,
    Determination,
    Fact,
    Finding,
    Kind,
    Passage,
    Question,
)
from assistant.privacy import mask_private
from assistant.steps.answering import Writer
from assistant.steps.determination import CANDIDATE_SCORE, CLAUSES, Law, determine, routes_for, scope_of
from assistant.steps.knowing import Knowing
from assistant.steps.likeness import Casebook, nearest_cases, shown
from assistant.steps.retrieval import Retriever
from assistant.steps.timing import not_held, version_findings
from assistant.steps.verification import verify
from assistant.understanding import Reader

PASSAGES = 14  # for questions about the rules, whose words put them in order once more
# cosine to the nearest entry; questions about other things reach 0.893, lay questions in the field 0.90 to 0.98
NEAR = 0.905
COMMENTARY_NEAR = 0.91  # cosine from which a passage of an article is shown beside the rules
SHORT, LONG = 40, 90  # characters; what the table of kinds calls 短 and 长


@dataclass(frozen=True)
class Advisor:
    """All parts joined; holds nothing about any case."""

    law: Law
    reader: Reader
    retriever: Retriever
    writer: Writer
    knowing: Knowing
    cases: Sequence[Case]
    max_chars: int
    helper: Helper | None = None  # the language model of the office, where it has one

    @cached_property
    def _casebook(self) -> Casebook:
        return Casebook(self.cases)

    def ask(self, question: Question, on_stage: Callable[[str], None] | None = None) -> Advice:
        """Answer one question.

        Args:
            on_stage: is told of each stage as it begins: "facts", "search", "judge", "verify"; where a language model
                helps, "model" and "wording" as well, when it is waited for. A question that is declined does not go
                through all.

        Raises:
            QuestionError: empty, without words, or too long.
        """
        started = time.perf_counter()
        begin = on_stage or (lambda _: None)
        text, masked = mask_private(question.text)
        self._check(text)
        question = replace(question, text=text)
        notices = (
            [self._notice("masked", kinds="、".join(dict.fromkeys(m.kind for m in masked)))] if masked else []
        )
        if is_mostly_foreign(text):
            notices.append(self._notice("english"))
            return self._decline(question, (), notices, started, "other_field")
        begin("facts")
        references = find_references(text, self.law.corpus, question.day)
        notices += dict.fromkeys(r.notice for r in references if r.notice and r.status != "unresolved")
        facts = self._facts(question)
        if declined := self._declined(facts, references):
            return self._decline(question, facts, notices, started, declined)
        begin("search")
        found = self.retriever.search(text, PASSAGES, self._searchable(question.day, references))
        kind = self._kind(facts, references, found.nearest)
        if kind == "out_of_domain":
            return self._decline(question, facts, notices, started, "other_field")
        if any(f.name == "asks_guarantee" and f.value == "yes" for f in facts):
            notices.append(self._notice("no_promise"))
        if found.degraded:
            notices.append(self._notice("no_dense"))
        help = self.helper.begin(text) if self.helper else None
        if help:
            begin("model")
            help.start(facts=kind == "scenario")
            allowed = self._searchable(question.day, references)
            if terms := help.terms(lambda: self.retriever.about(text, allowed)):
                found = self.retriever.search(text, PASSAGES, allowed, also="，".join(terms))
        begin("judge")
        commentary = [p.provision_id for p in found.commentary if p.score >= COMMENTARY_NEAR]
        received = question.received or read_received_date(text, question.day)
        named, asked = self._named(references), self.knowing.read(text)
        about = None
        if kind == "knowledge" or self._may_ask(asked, facts):
            about = self.knowing.reply(asked, found.passages, named, self._sides(question.day), question.day)
        made: Determination | None = None
        if kind == "knowledge" and about:
            asks_remedy = any(f.name == "asks_remedy" and f.value == "yes" for f in facts)
            ways = asks_remedy and not named and bool(received or self.knowing.asks_way(asked))
            notices += self._helped(help)
            answer, citations = self.writer.knowledge(
                about,
                routes_for(facts, self.law, question.day, received) if ways else (),
                self._versions(question, named or [p.provision_id for p in found.passages[:1]]),
                commentary,
                question.day,
                notices,
            )
        else:
            facts, made = self._judged(question, facts, received, help, begin)
            notices += [*self._versions_not_held(question.day), *self._helped(help)]
            cases = self._cases(facts, made, text, found.cases, question.day)
            answer, citations = self.writer.scenario(
                made, facts, cases, commentary, question.day, notices, about
            )
        begin("verify")
        answer, checks = verify(answer, citations, self.law.corpus)
        if help:
            begin("wording")
            answer = self._worded(answer, made, citations, question.day, help)
        return Advice(
            question=question,
            kind=kind,
            facts=facts,
            determination=made,
            passages=found.passages,
            citations=citations,
            checks=checks,
            answer=answer,
            elapsed_ms=_since(started),
            notices=tuple(notices),
            assisted=help.report() if help else None,
        )

    # ------------------------------------------------------------------ parts of the walk

    def _check(self, text: str) -> None:
        if not text.strip():
            raise QuestionError("没有看到内容，请写下发生了什么，或者想问的规定。")
        if not has_words(text):
            raise QuestionError("只看到标点符号，请用几句话写下发生了什么，或者想问的规定。")
        if len(text) > self.max_chars:
            raise QuestionError(
                f"内容有{len(text)}字，超过一次{self.max_chars}字的上限，请只留与问责有关的经过后再问。"
            )

    def _facts(self, question: Question) -> tuple[Fact, ...]:
        """What the words say, under what the person confirmed."""
        size = len(question.text)
        length = "短" if size <= SHORT else "长" if size >= LONG else "中"
        found = self.reader.found(question.text, question.confirmed)
        return (*found, *self.reader.kind(question.text), Fact("length", length, "", "lexicon", 1.0))

    def _declined(self, facts: Sequence[Fact], references: Sequence[Reference]) -> Declined | None:
        """Why a question gets no answer, by the table of what is declined; None where it gets one."""
        values = values_of(facts)
        if any(r.status in ("exists", "superseded", "no_such_provision") for r in references):
            values["names_rule"] = frozenset({"yes"})
        outcomes = run_table(self.law.tables["abstain"], values, lambda _: True)
        reason: Declined | None = outcomes[0].row.then["declined"] if outcomes else None
        return reason

    def _kind(self, facts: Sequence[Fact], references: Sequence[Reference], nearest: float) -> Kind:
        """Which of the three kinds, by the table of kinds; naming a rule puts a question inside the field."""
        values = values_of(facts)
        if any(r.status in ("exists", "superseded", "no_such_provision") for r in references):
            values["in_domain"] = frozenset({"yes"})
        if nearest >= NEAR:
            values["near_knowledge"] = frozenset({"yes"})
        outcomes = run_table(self.law.tables["kind"], values, lambda _: True)
        kind: Kind = outcomes[0].row.then["kind"]
        return kind

    def _may_ask(self, asked: Asked, facts: Sequence[Fact]) -> bool:
        """Whether what is taken for a story may be meant as a question about the rules.

        Whether something falls under accountability is what the verdict says.
        """
        says = {(f.name, f.value) for f in facts}
        styles = asked.styles - {"whether"} if ("asks_verdict", "yes") in says else asked.styles
        return bool(styles) and ("reads_as", "情况") not in says

    def _searchable(self, day: date, references: Sequence[Reference]) -> Callable[[str], bool]:
        """Provisions in force; those of old rules beside newer ones only when the question names them."""
        in_force = self.law.in_force(day)
        named = {r.instrument_id for r in references}

        @cache  # several rankings of one question ask about the same ones
        def allowed(id: str) -> bool:
            instrument = self.law.corpus.provision(id).instrument
            return in_force(id) and (not instrument.only_if_named or instrument.id in named)

        return allowed

    def _named(self, references: Sequence[Reference]) -> tuple[str, ...]:
        """The provisions a question names; for one of a superseded version, what governs in its place."""
        found = [r.now or (r.provision_id if r.status == "exists" else None) for r in references]
        return tuple(dict.fromkeys(id for id in found if id))[:3]

    def _sides(self, day: date) -> Callable[[str], Sequence[Passage]]:
        """Finds provisions for one side of a comparison."""
        return lambda side: self.retriever.search(side, PASSAGES, self._searchable(day, ())).passages

    def _judged(
        self,
        question: Question,
        facts: tuple[Fact, ...],
        received: date | None,
        help: Help | None,
        begin: Callable[[str], None],
    ) -> tuple[tuple[Fact, ...], Determination]:
        """The facts of a story, and what the rules make of them."""
        settled = question.not_to_ask
        proposed: tuple[Fact, ...] = ()
        if help:
            begin("model")
            proposed = help.proposed().facts
            begin("judge")
        read = self.reader.read(question.text, facts, question.confirmed, question.day, settled, proposed)
        if help:
            help.settle(read.joined)
        made = determine(
            read.facts, self.law, question.day, received, read.likely, read.questions, read.ranked, settled
        )
        made = self._with_candidates(made, question.text, question.day)
        return read.facts, self._with_versions(made, question)

    def _with_candidates(self, made: Determination, text: str, day: date) -> Determination:
        """Fill up the clauses with listed situations that retrieval finds near, marked by a low score."""
        if len(made.clauses) >= CLAUSES or made.scope not in ("in", "in_but_exempt", "needs_more_facts"):
            return made
        listed = {
            provision
            for row in self.law.tables["clauses"].rows
            if str(row.then.get("from_fact", "")).startswith("situation=")
            for provision in row.because
        }
        in_force = self.law.in_force(day)
        have = {c.id for c in made.clauses}
        among = {id for id in listed - have if in_force(id)}
        found = self.retriever.search(text, 3, among=among).passages
        extra = [
            Clause(
                p.provision_id,
                self.law.corpus.provision(p.provision_id).label,
                CANDIDATE_SCORE / (i + 10),
                candidate=True,
            )
            for i, p in enumerate(found)
        ]
        return replace(made, clauses=(*made.clauses, *extra)[:CLAUSES])

    def _cases(
        self,
        facts: Sequence[Fact],
        made: Determination,
        text: str,
        near: Sequence[Passage],
        day: date,
    ) -> tuple[tuple[dict[str, Any], tuple[str, ...]], ...]:
        """The typical situations most like this one, each ready to be told, with its provisions."""
        similar = {p.provision_id: p.score for p in near if p.score}
        found = nearest_cases(
            facts,
            made,
            text,
            self._casebook,
            self.law.vocabulary,
            lambda changed: scope_of(changed, self.law, day),
            similar,
        )
        return tuple((shown(likeness, ""), likeness.case.provisions) for likeness in found)

    def _with_versions(self, made: Determination, question: Question) -> Determination:
        """Say which version applies where the matter happened before a rule that is relied on."""
        sure = [c.id for c in made.clauses if not c.candidate]
        basis = [id for f in made.findings for id in f.provisions if f.status == "yes"]
        return replace(made, findings=(*made.findings, *self._versions(question, [*sure, *basis])))

    def _versions(self, question: Question, relied_on: Sequence[str]) -> tuple[Finding, ...]:
        said = Days(*question.conduct) if question.conduct else read_conduct_days(question.text, question.day)
        words = self.writer.labels["timing"]
        return version_findings(said, question.day, relied_on, self.law.corpus, words)

    def _versions_not_held(self, day: date) -> list[str]:
        relied_on = {id for row in self.law.tables["situation"].rows for id in row.because}
        titles = not_held(relied_on, day, self.law.corpus)
        words = self.writer.labels["timing"]["not_held"]
        return [words.format(day=day.isoformat(), titles="、".join(titles))] if titles else []

    def _decline(
        self,
        question: Question,
        facts: tuple[Fact, ...],
        notices: Sequence[str],
        started: float,
        reason: Declined,
    ) -> Advice:
        """A short refusal that says what can be done instead. Of a report of wrongdoing nothing is kept."""
        answer, citations = self.writer.decline(reason, question.day, notices)
        answer, checks = verify(answer, citations, self.law.corpus)
        keep = reason != "report"
        return Advice(
            question=question,
            kind="out_of_domain",
            facts=facts if keep else (),
            determination=None,
            passages=(),
            citations=citations,
            checks=checks,
            answer=answer,
            elapsed_ms=_since(started),
            notices=tuple(notices),
            declined=reason,
            keep=keep,
        )

    def _worded(
        self,
        answer: str,
        made: Determination | None,
        citations: Sequence[Citation],
        day: date,
        help: Help,
    ) -> str:
        """The answer with those sentences of a language model that hold, and what is said of them."""
        worded = help.worded(answer, made, citations, self.law.corpus, day)
        given = help.report()
        if worded == answer or given is None:
            return answer
        return self.writer.with_notice(worded, self._told_of(given)[1])

    def _helped(self, help: Help | None) -> list[str]:
        """What a language model had a hand in, and what was checked."""
        given = help.report() if help else None
        said = self._told_of(given)[0] if given else ""
        return [said] if said else []

    def _told_of(self, given: Assistance) -> tuple[str, str]:
        facts = self.law.vocabulary.facts
        return told_of(given, self.writer.labels["assisted"], lambda name: facts[name].label)

    def _notice(self, key: str, **words: str) -> str:
        return str(self.writer.labels["notices"][key]).format(**words)


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
