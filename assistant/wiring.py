"""Joins the real parts. The only importer of adapters.

Comes in: settings. Goes out: :class:`Parts`, ready to answer. Raises ``KnowledgeError``, ``SettingsError``,
``EmbeddingError``, ``IndexUnavailable``.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from assistant.adapters.search_process import SearchProcess
from assistant.advisor import Advisor
from assistant.errors import KnowledgeError
from assistant.indexing import Progress, digest_of, ensure_index, entries
from assistant.law.citations import resolve
from assistant.law.corpus import Corpus, check_knowledge, load_corpus
from assistant.law.hints import hints_of
from assistant.law.lexicon import Lexicon, check_lexicon, load_lexicon
from assistant.law.ruleset import load_tables
from assistant.law.tables import load_periods, load_remedies
from assistant.law.vocabulary import load_vocabulary
from assistant.prompts import Prompts
from assistant.settings import Settings
from assistant.steps.answering import Writer
from assistant.steps.determination import TABLES, Law
from assistant.steps.retrieval import Retriever


@dataclass(frozen=True)
class Parts:
    advisor: Advisor
    corpus: Corpus
    settings: Settings


def load_law(settings: Settings, labels: Mapping[str, Any]) -> Law:
    """Corpus, vocabulary, tables and remedies, checked against one another.

    Raises:
        KnowledgeError: the first mistake, or a table that is not there.
    """
    folder = settings.knowledge
    corpus = load_corpus(folder)
    vocabulary = load_vocabulary(folder)
    remedies = load_remedies(folder, corpus)
    tables = load_tables(folder, vocabulary, corpus, tuple(remedies), tuple(labels["signals"]))
    if missing := [name for name in TABLES if name not in tables]:
        raise KnowledgeError(f"缺少决策表：{'、'.join(missing)}，请恢复对应的文件。", "rules")
    return Law(corpus, vocabulary, tables, remedies, labels["scope"])


def build(settings: Settings, progress: Progress | None = None, ahead: SearchProcess | None = None) -> Parts:
    """Everything needed to answer; prepares the search index when it is missing or out of date.

    Args:
        ahead: a search process already started, for commands that answer once.
    """
    prompts = Prompts(settings.prompts)
    labels = prompts.wording("labels.yaml")
    law = load_law(settings, labels)
    writer = Writer(
        prompts=prompts,
        labels=labels,
        corpus=law.corpus,
        periods=load_periods(settings.knowledge, law.corpus),
    )
    advisor = Advisor(
        law=law,
        lexicon=_hinted(load_lexicon(settings.knowledge, law.vocabulary), settings.data / "hints.json"),
        retriever=_retriever(settings, law.corpus, progress, ahead),
        writer=writer,
        max_chars=settings.max_question_chars,
    )
    return Parts(advisor, law.corpus, settings)


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
    settings: Settings, corpus: Corpus, progress: Progress | None, ahead: SearchProcess | None
) -> Retriever:
    indexed = entries(corpus)
    if ahead and ahead.holds(digest_of(indexed)):
        return Retriever(indexed, ahead)
    from assistant.adapters.embeddings import fingerprint, make_embeddings
    from assistant.adapters.vector_store import VectorStore

    store = VectorStore(settings, make_embeddings(settings), fingerprint(settings))
    ensure_index(indexed, store, progress)
    return Retriever(indexed, store)


def check_all(settings: Settings) -> tuple[list[KnowledgeError], dict[str, int]]:
    """Every fault of the knowledge base, and how much of what it holds."""
    folder: Path = settings.knowledge
    problems = list(check_knowledge(folder))
    if problems:
        return problems, {}
    prompts = Prompts(settings.prompts)
    try:
        law = load_law(settings, prompts.wording("labels.yaml"))
        problems += check_lexicon(folder, law.vocabulary)
        periods = load_periods(folder, law.corpus)
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
        "决策表": len(law.tables),
    }
    return problems, counts


def show_provision(settings: Settings, reference: str, day: date) -> str:
    """One provision as readers see it in a terminal.

    Raises:
        KnowledgeError: nothing of that name; the message says which of the reasons it is.
    """
    corpus = load_corpus(settings.knowledge)
    found = resolve(reference, corpus, day)
    provision = corpus.get(found.provision_id) if found.provision_id else None
    if provision is None:
        raise KnowledgeError(
            found.notice or f"没有读懂“{reference}”，请写成“问责条例第七条第三项”或 wenze-2019#7.1.3。"
        )
    instrument = provision.instrument
    lines = [provision.label + ("（待核）" if provision.confidence == "memory" else "")]
    if found.notice:
        lines.append(f"注意：{found.notice}")
    lines.append(f"编号：{provision.id}")
    lines.append(f"主题：{provision.topic}")
    lines.append(f"要旨：{provision.digest}")
    if provision.text:
        lines.append(f"原文：{provision.text}")
    since = instrument.effective_from.isoformat() if instrument.effective_from else "施行日期待核"
    until = f"，至 {instrument.effective_to.isoformat()} 止" if instrument.effective_to else ""
    lines.append(
        f"效力：自 {since} 起{until}；{day.isoformat()} {'有效' if instrument.in_force(day) else '不适用'}"
    )
    if provision.source_url:
        lines.append(f"官方地址：{provision.source_url}")
    if provision.cross_refs:
        labels = [p.label for p in map(corpus.get, provision.cross_refs) if p]
        lines.append(f"相关：{'、'.join(labels)}")
    return "\n".join(lines)
