"""Joins the real parts. The only importer of adapters.

Comes in: settings. Goes out: :class:`Parts`, ready to answer. Raises ``KnowledgeError``, ``SettingsError``,
``EmbeddingError``, ``IndexUnavailable``.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant import holdings
from assistant.adapters.search_process import SearchProcess
from assistant.adapters.workers import Made, Workers
from assistant.advisor import Advisor
from assistant.assisted import Helper
from assistant.drafting import Drafter
from assistant.errors import KnowledgeError, ReceiptError
from assistant.indexing import Progress, digest_of, ensure_index, entries
from assistant.law.asking import check_asking, load_asking
from assistant.law.cases import Case, check_cases, load_cases
from assistant.law.citations import find_references
from assistant.law.corpus import Corpus, check_knowledge, load_corpus
from assistant.law.coverage import Coverage, coverage
from assistant.law.drafts import check_drafts
from assistant.law.exemplars import (
    check_exemplars,
    exemplar_files,
    load_exemplars,
    load_lessons,
    load_requests,
)
from assistant.law.hints import hints_of
from assistant.law.history import Chronicle, check_history, load_history
from assistant.law.lexicon import Lexicon, check_lexicon, load_lexicon
from assistant.law.names import check_names, load_names
from assistant.law.orders import load_orders
from assistant.law.phrases import check_phrases
from assistant.law.ruleset import load_tables
from assistant.law.tables import load_glossary, load_periods, load_remedies
from assistant.law.text import normalise
from assistant.law.vocabulary import load_vocabulary
from assistant.model import Advice, Fact, Instrument, Provision, Question, Scope
from assistant.ports import ChatModel
from assistant.prompts import Prompts
from assistant.settings import Settings
from assistant.steps.answering import Writer
from assistant.steps.determination import TABLES, Law
from assistant.steps.knowing import Knowing
from assistant.steps.learned import Model
from assistant.steps.proposals import fact_request, query_request
from assistant.steps.retrieval import Retriever
from assistant.steps.wording import check_words, load_words
from assistant.training import ensure_model, learn, state_of
from assistant.understanding import Reader

if TYPE_CHECKING:
    from assistant.receipts import Versions
    from assistant.replaying import Replayer

PRACTICE = 3  # every third case is read by a process that has nothing else to do yet


@dataclass(frozen=True)
class Parts:
    advisor: Advisor
    corpus: Corpus
    settings: Settings
    begun: float = field(default_factory=time.time)  # when they began to be made

    @cached_property
    def versions(self) -> Versions:
        """What answers are made from, for receipts; worked out when the first one is wanted.

        Raises:
            ReceiptError: a file was exchanged since: what the answers were made from is no longer there to be named.
        """
        from assistant.adapters.embeddings import fingerprint  # late: answers alone need none of this
        from assistant.receipts import newest_change, versions_of

        if newest_change(self.settings) > self.begun:
            raise ReceiptError(
                "知识库或者措辞的文件在启动以后改动过，请重新启动程序、再问一次，然后导出凭据。"
            )
        state = state_of(self.settings.knowledge)
        documents = holdings.library_of(self.settings).digests()
        return versions_of(self.settings, documents, state, fingerprint(self.settings))

    @cached_property
    def alone(self) -> Parts:
        """The same without a language model."""
        return replace(self, advisor=replace(self.advisor, helper=None)) if self.advisor.helper else self

    @cached_property
    def replayer(self) -> Replayer:
        """Makes answers again, without a language model: it may say something else each time."""
        from assistant.replaying import Replayer  # late, as above

        return Replayer(self.alone, Prompts(self.settings.prompts))

    @cached_property
    def drafter(self) -> Drafter:
        """Writes letters; joined when the first one is wanted."""
        return Drafter.of(Prompts(self.settings.prompts), self.advisor.law, self.settings.knowledge)

    def search(self, text: str, most: int, day: date) -> list[Provision]:
        """What a text is about, best first: what it names, then rules, then articles and interpretations."""
        in_force = self.advisor.law.in_force(day)
        named = [r.provision_id for r in find_references(text, self.corpus, day) if r.provision_id]
        found = self.advisor.retriever.search(text, most, in_force)
        beside = [p.provision_id for p in found.commentary[: max(1, most // 3)]]
        rules = dict.fromkeys([*named, *(p.provision_id for p in found.passages)])
        ids = [*list(rules)[: most - len(beside)], *beside]
        return [self.corpus.provision(id) for id in ids[:most]]


def load_law(settings: Settings, labels: Mapping[str, Any], corpus: Corpus) -> Law:
    """Vocabulary, tables and remedies, checked against one another and the corpus.

    Raises:
        KnowledgeError: the first mistake, or a table that is not there.
    """
    folder = settings.knowledge
    vocabulary = load_vocabulary(folder)
    remedies = load_remedies(folder, corpus)
    tables = load_tables(folder, vocabulary, corpus, tuple(remedies), tuple(labels["signals"]))
    if missing := [name for name in TABLES if name not in tables]:
        raise KnowledgeError(f"缺少决策表：{'、'.join(missing)}，请恢复对应的文件。", "rules")
    return Law(corpus, vocabulary, tables, remedies, labels["scope"])


def build(
    settings: Settings,
    progress: Progress | None = None,
    ahead: SearchProcess | None = None,
    answers: bool = True,
) -> Parts:
    """Everything needed to answer; prepares the search index when it is missing or out of date.

    Args:
        ahead: a search process already started, for commands that answer once.
        answers: False where others answer: the embedding model is then loaded when something needs it after all.
    """
    begun = time.time()
    prompts = Prompts(settings.prompts)
    labels = prompts.wording("labels.yaml")
    law = load_law(settings, labels, holdings.stock(settings))
    cases = load_cases(settings.knowledge, law.corpus, law.vocabulary, labels["signals"])
    writer = Writer(
        prompts=prompts,
        labels=labels,
        corpus=law.corpus,
        periods=load_periods(settings.knowledge, law.corpus),
    )
    lexicon = _hinted(load_lexicon(settings.knowledge, law.vocabulary), settings.data / "hints.json")
    model = _model(settings, law, lexicon, progress)
    advisor = Advisor(
        law=law,
        reader=Reader(
            law, lexicon, model, ask_again=labels["assisted"]["ask"], orders=load_orders(settings.knowledge)
        ),
        retriever=_retriever(settings, law.corpus, cases, progress, ahead, answers),
        cases=cases,
        writer=writer,
        knowing=Knowing(
            asking=load_asking(settings.knowledge),
            corpus=law.corpus,
            periods=writer.periods,
            terms=load_glossary(settings.knowledge, law.corpus),
            chronicle=Chronicle(law.corpus, load_history(settings.knowledge, law.corpus), labels["knowing"]),
            words=labels["knowing"],
        ),
        max_chars=settings.max_question_chars,
        helper=helper_of(settings, law),
    )
    return Parts(advisor, law.corpus, settings, begun)


def helper_of(settings: Settings, law: Law) -> Helper | None:
    """The language model of the office; None where the settings name none, and nothing is loaded for it then.

    Raises:
        SettingsError: its key cannot be read.
    """
    if not settings.model:
        return None
    from assistant.adapters.chat_model import make_chat_model

    model = make_chat_model(settings)
    if model is None:
        return None
    terms = load_glossary(settings.knowledge, law.corpus)
    known: dict[str, set[str]] = {}
    for words, ids in [
        *(((term.term,), term.provisions) for term in terms),
        *(((p.topic, *p.keywords), (p.id,)) for p in law.corpus.provisions()),
    ]:
        for word in words:
            known.setdefault(normalise(word), set()).update(ids)
    return Helper(
        model=model,
        prompts=Prompts(settings.prompts),
        vocabulary=law.vocabulary,
        names=partial(load_names, settings.knowledge),
        terms=known,
        tokens=settings.model_budget,
        seconds=settings.model_timeout,
        facts=settings.model_uses in ("facts", "both"),
        words=load_words(settings.knowledge) if settings.model_uses in ("wording", "both") else None,
    )


def _model(settings: Settings, law: Law, lexicon: Lexicon, progress: Progress | None) -> Model | None:
    """What was learned from the exemplars; None where there are none."""
    folder = settings.knowledge
    if not exemplar_files(folder):
        return None

    def learned() -> Model:
        exemplars = load_exemplars(folder, law.vocabulary)
        lessons = load_lessons(folder, law.vocabulary)
        reader = Reader(law, lexicon)

        def finds(text: str) -> tuple[Fact, ...]:
            return reader.found(text, {})

        def judges(sheet: Mapping[str, str]) -> Scope:
            return reader.verdict(sheet, date.today())

        shown = progress(len(exemplars), "正在学习怎样读情况") if progress else nullcontext(lambda _: None)
        with shown as advance:
            asked = [question for questions in law.corpus.asked.values() for question in questions]
            requests = load_requests(folder, law.vocabulary)
            masks = [regex for p in lexicon.patterns if p.fact == "names_official" for regex in p.any]
            return learn(exemplars, law.vocabulary, lessons, finds, judges, asked, advance, requests, masks)

    return ensure_model(settings.data / "model", state_of(folder), learned)


def _hinted(lexicon: Lexicon, kept: Path) -> Lexicon:
    """The lexicon with its hints, worked out once for each state of the lexicon and kept in a file.

    The file only saves time: when it cannot be read or written, the hints are worked out again.
    """
    regexes = lexicon.regexes()
    digest = hashlib.sha256("\n".join(regexes).encode()).hexdigest()
    try:
        found = json.loads(kept.read_text("utf-8"))
        if found["digest"] == digest:
            return replace(lexicon, hints=found["hints"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    hints = hints_of(regexes)
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        partial = kept.with_name(f"{kept.name}.{os.getpid()}")
        partial.write_text(json.dumps({"digest": digest, "hints": hints}, ensure_ascii=False), "utf-8")
        os.replace(partial, kept)
    return replace(lexicon, hints=hints)


def _retriever(
    settings: Settings,
    corpus: Corpus,
    cases: Sequence[Case],
    progress: Progress | None,
    ahead: SearchProcess | None,
    answers: bool,
) -> Retriever:
    indexed = entries(corpus, cases)
    digest = digest_of(indexed)
    kept = settings.data / "words" / digest[:16]
    if ahead and ahead.holds(digest):
        return Retriever(indexed, ahead, kept)
    from assistant.adapters.embeddings import fingerprint, make_embeddings
    from assistant.adapters.vector_store import VectorStore

    store = VectorStore(settings, make_embeddings(settings, answers), fingerprint(settings))
    ensure_index(indexed, store, progress)
    return Retriever(indexed, store, kept)


def check_all(settings: Settings) -> tuple[list[KnowledgeError], dict[str, int]]:
    """Every fault of the knowledge base, and how much of what it holds.

    The documents that a person brought are not part of it.
    """
    folder: Path = settings.knowledge
    problems = list(check_knowledge(folder))
    if problems:
        return problems, {}
    prompts = Prompts(settings.prompts)
    try:
        labels = prompts.wording("labels.yaml")
        signals = labels["signals"]
        law = load_law(settings, labels, load_corpus(folder))
        problems += check_lexicon(folder, law.vocabulary)
        problems += check_phrases(folder, law.vocabulary)
        problems += [*check_names(folder), *check_words(folder)]
        problems += check_cases(folder, law.corpus, law.vocabulary, signals)
        problems += check_exemplars(folder, law.vocabulary)
        problems += [*check_asking(folder), *check_history(folder, law.corpus)]
        problems += check_drafts(folder, law.corpus, law.remedies, law.vocabulary.facts, signals)
        load_lessons(folder, law.vocabulary)
        load_orders(folder)
        fact_request("", law.vocabulary, prompts)
        query_request("", prompts)
        if not problems:
            Drafter.of(prompts, law, folder)
        cases = load_cases(folder, law.corpus, law.vocabulary, signals) if not problems else ()
        periods = load_periods(folder, law.corpus)
        exemplars = load_exemplars(folder, law.vocabulary) if not problems else ()
        changes = load_history(folder, law.corpus) if not problems else ()
    except KnowledgeError as error:
        return [*problems, error], {}
    provisions = list(law.corpus.provisions())
    counts = {
        "法规": len(law.corpus.instruments),
        "条款": len(provisions),
        "其中待核": sum(1 for p in provisions if p.confidence == "memory"),
        "群众问法": sum(len(q) for q in law.corpus.asked.values()),
        "救济路径": len(law.remedies),
        "影响期": len(periods),
        "新旧变化": sum(len(change.parts) for change in changes),
        "决策表": len(law.tables),
        "案例": len(cases),
        "学习用的情况": len(exemplars),
    }
    return problems, counts


class Office:
    """The parts in use, for a program that stays open: made anew when the documents change, by whatever process.

    Answering is safe from several threads; while the parts are made anew, questions are answered from those before.
    """

    def __init__(self, settings: Settings, progress: Progress | None = None, answers: bool = True) -> None:
        """Arguments and errors as those of :func:`build`."""
        self.settings = settings
        self._answers = answers
        self._progress = progress
        self._library = holdings.library_of(settings)
        self._guard = threading.RLock()
        self._revision = self._library.revision()
        self._parts = build(settings, progress, answers=answers)
        self._revision = self._library.revision()  # building may bring the words of laws

    def parts(self, progress: Progress | None = None, wait: bool = True) -> Parts:
        """The parts as the documents stand now.

        Args:
            progress: shows the work, where there is any.
            wait: False for those before, while another thread makes them anew.
        """
        if self._library.revision() != self._revision and self._guard.acquire(blocking=wait):
            try:
                revision = self._library.revision()
                if revision != self._revision:
                    self._parts = build(self.settings, progress or self._progress, answers=self._answers)
                    self._revision = revision
            finally:
                self._guard.release()
        return self._parts

    def ask(
        self, question: Question, on_stage: Callable[[str], None] | None = None, alone: bool = False
    ) -> Advice:
        """See :meth:`assistant.advisor.Advisor.ask`. ``alone``: without a language model."""
        parts = self.parts(wait=False)
        try:
            return _advisor(parts, alone).ask(question, on_stage)
        except Exception:
            if self.parts() is parts:
                raise
        # the index was exchanged under the parts before
        return _advisor(self.parts(), alone).ask(question, on_stage)

    def replayer(self) -> Replayer:
        """Makes answers again from the documents as they stand now."""
        return self.parts().replayer

    def get(self, id: str) -> Provision | None:
        """The provision, as :meth:`assistant.law.corpus.Corpus.get` has it."""
        return self._parts.corpus.get(id)

    def neighbours(self, id: str) -> tuple[Provision | None, Provision | None]:
        """The provisions before and after, as :meth:`assistant.law.corpus.Corpus.neighbours` has them."""
        return self._parts.corpus.neighbours(id)

    def holder(self, id: str) -> Instrument | None:
        """The instrument, as :meth:`assistant.law.corpus.Corpus.holder` has it."""
        return self._parts.corpus.holder(id)


class Crew:
    """Answers several questions at once, each in one of a few processes with an office of its own.

    ``start`` lets them begin in the background; the first question waits for them. Before that, where there is to be
    one process only, or where none can be started, the given office answers. End it with ``close``.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self._workers: Workers | None = None

    def start(self) -> None:
        """Start the processes. Once the pages are open: they would take the cores from what opens them."""
        settings = self._office.settings
        if settings.workers > 1 and self._workers is None:
            self._workers = Workers(settings.workers, partial(_desk, settings))

    def ask(
        self, question: Question, on_stage: Callable[[str], None] | None = None, alone: bool = False
    ) -> Advice:
        """See :meth:`Office.ask`.

        Raises:
            WorkerFailed: a fault of the program; besides what the advisor raises.
        """
        if self._workers is None:
            return self._office.ask(question, on_stage, alone)
        advice: Advice = self._workers.ask(
            _Alone(question) if alone else question,
            on_stage or (lambda _: None),
            lambda: self._office.ask(question, on_stage, alone),
        )
        return advice

    def replayer(self) -> Replayer:
        """See :meth:`Office.replayer`; the answers are made in the processes."""
        return replace(self._office.replayer(), ask=partial(self.ask, alone=True))

    def close(self) -> None:
        if self._workers:
            self._workers.close()


@dataclass(frozen=True)
class _Alone:
    """What is asked without a language model."""

    question: Question


def _advisor(parts: Parts, alone: bool) -> Advisor:
    return parts.alone.advisor if alone else parts.advisor


def _desk(settings: Settings) -> Made:
    """What one process of a crew answers with. While nobody asks it reads some cases: regexes compile at first use."""
    office = Office(settings)

    def practise() -> Iterator[None]:
        parts = office.parts()
        for case in parts.advisor.cases[::PRACTICE]:
            with suppress(Exception):  # nobody's question: nothing for a language model
                parts.alone.advisor.ask(Question(case.story, date.today()))
            yield
        if helper := parts.advisor.helper:
            with suppress(Exception):
                helper.known_names  # noqa: B018  read before the first question
            yield

    def answer(asked: Question | _Alone, tell: Callable[[str], None]) -> Advice:
        if isinstance(asked, _Alone):
            return office.ask(asked.question, alone=True)
        return office.ask(asked, tell)

    return answer, practise()


def coverage_of(settings: Settings, today: date) -> Coverage:
    """How much of the catalogue can be relied on, with the documents of this installation."""
    corpus = holdings.stock(settings)
    return coverage(corpus, {p.id for p in corpus.provisions() if p.text}, today)


def chat_model(settings: Settings) -> ChatModel | None:
    """The language model of the office; None where none is set up.

    Raises:
        SettingsError: the key cannot be read or used.
    """
    if not settings.model:
        return None
    from assistant.adapters.chat_model import make_chat_model

    return make_chat_model(settings)
