"""Plain systems that the product is measured against, in the same run and on the same rows.

Comes in: exemplars of ``knowledge/exemplars``, the embedding model, the retriever. Goes out: records in the contract.
Each takes a verdict from the nearest exemplars instead of rules: by words (``bm25``), by meaning (``dense``), by both
(``hybrid``); ``template`` retrieves provisions for its clauses and takes the verdict of most of the near exemplars. To
a knowledge question each answers with the digests of the provisions that its search finds first.

A language model alone, and one with plain retrieval, belong into :func:`comparators` as two more entries of the same
protocol. There is none of them yet; the report says so. The product with a language model is in ``ways.py``.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from langchain_core.embeddings import Embeddings

from assistant.evaluation.records import Prediction
from assistant.evaluation.rows import GoldRow, GoldSet
from assistant.law.citations import resolve
from assistant.law.corpus import Corpus
from assistant.law.exemplars import Exemplar
from assistant.ports import Entry
from assistant.rendering import refusal
from assistant.steps.retrieval import Retriever, fuse
from assistant.steps.word_index import word_indexes

LISTED = "wenze-2019#7.1."
INSIDE = ("in", "in_but_exempt", "needs_more_facts")  # verdicts that come with a listed situation
NEAR = 20  # exemplars that a search looks at
VOTERS = 7  # near exemplars whose majority gives the verdict of ``template``
SHOWN = 3  # provisions in the answer to a knowledge question
WITHOUT_MODEL = "没有配置语言模型，“只用语言模型”和“语言模型加普通检索”两种对照没有运行。"
NOT_MADE = "“只用语言模型”和“语言模型加普通检索”两种对照程序里还没有，没有运行。"
WITHOUT_EXEMPLARS = "knowledge/exemplars 里没有例子，按最近例子作答的对照没有运行。"

Searches = tuple[str, ...]


class Comparator(Protocol):
    """A system of one name that answers a row with an object of the contract."""

    @property
    def name(self) -> str: ...

    def answer(self, row: GoldRow, day: date) -> dict[str, Any]: ...


class Nearness:
    """Search among exemplars by words and by meaning. Their vectors are kept in ``kept`` between runs."""

    def __init__(self, exemplars: Sequence[Exemplar], model: Embeddings, kept: Path, label: str) -> None:
        """``label`` names the model, so that vectors of another one are not taken for its own."""
        self.exemplars = {exemplar.id: exemplar for exemplar in exemplars}
        self._ids = list(self.exemplars)
        entries = [Entry(e.id, e.id, "provision", e.text) for e in exemplars]
        self._words = word_indexes(entries, {"words": ("provision",)})["words"]
        self._model = model
        self._vectors = _vectors([e.text for e in exemplars], model, kept, label)

    def rankings(self, text: str, searches: Searches) -> dict[str, list[str]]:
        """By search ("bm25", "dense"), the ids of the nearest exemplars."""
        found: dict[str, list[str]] = {}
        if "bm25" in searches:
            found["bm25"] = [id for _, id in zip(range(NEAR), self._words.search(text), strict=False)]
        if "dense" in searches:
            near = self._vectors @ np.asarray(self._model.embed_query(text), np.float32)
            found["dense"] = [self._ids[i] for i in np.argsort(-near, kind="stable")[:NEAR]]
        return found

    def nearest(self, text: str, searches: Searches) -> list[Exemplar]:
        """The nearest exemplars, the rankings of several searches fused."""
        return [self.exemplars[p.provision_id] for p in fuse(self.rankings(text, searches))]


def _vectors(texts: Sequence[str], model: Embeddings, kept: Path, label: str) -> npt.NDArray[np.float32]:
    digest = hashlib.sha256(json.dumps([label, *texts], ensure_ascii=False).encode()).hexdigest()[:16]
    file = kept / f"exemplars-{digest}.npy"
    try:
        loaded: npt.NDArray[np.float32] = np.load(file)
        return loaded
    except (OSError, ValueError):
        made = np.asarray(model.embed_documents(list(texts)), np.float32)
        kept.mkdir(parents=True, exist_ok=True)
        for old in kept.glob("exemplars-*.npy"):
            old.unlink(missing_ok=True)
        np.save(file, made)
        return made


@dataclass(frozen=True)
class Provisions:
    """Plain retrieval of provisions by some searches of the product's retriever, without anything on top."""

    retriever: Retriever
    corpus: Corpus
    searches: Searches

    def find(self, text: str, day: date, most: int, listed: bool = False) -> list[str]:
        """Ids of provisions in force, best first; with ``listed`` only the situations of the regulation."""

        def allowed(id: str) -> bool:
            return self.corpus.provision(id).instrument.in_force(day)

        among = [id for id in self.corpus.ids() if id.startswith(LISTED)] if listed else None
        found = self.retriever.rankings(text, max(most, 10), allowed, among).rankings
        used = {name: ids for name, ids in found.items() if name in self.searches}
        return [p.provision_id for p in fuse(used)][:most]

    def answer(self, text: str, day: date) -> tuple[str, list[dict[str, Any]]]:
        """The digests of what is found first, each with its mark."""
        lines, citations = [], []
        for n, id in enumerate(self.find(text, day, SHOWN), 1):
            provision = self.corpus.provision(id)
            words = provision.digest or provision.text or ""
            lines.append(f"{words.rstrip('。')}[{n}]。——{provision.label}")
            citations.append({"n": n, "id": id, "label": provision.label, "text": words, "in_force": True})
        return "\n\n".join(lines), citations


@dataclass(frozen=True)
class NearestExemplar:
    """The verdict of the nearest exemplar; the clauses of the nearest ones, in their order."""

    name: str
    near: Nearness
    provisions: Provisions
    searches: Searches

    def answer(self, row: GoldRow, day: date) -> dict[str, Any]:
        found = self.near.nearest(row.text, self.searches)
        clauses = list(dict.fromkeys(id for exemplar in found for id in _situations(exemplar)))[:SHOWN]
        return _contract(row, found[0] if found else None, clauses, self.provisions, day)


@dataclass(frozen=True)
class RetrieveAndTemplate:
    """Retrieved provisions as clauses, the verdict of most near exemplars, a sentence from a template."""

    name: str
    near: Nearness
    provisions: Provisions
    searches: Searches

    def answer(self, row: GoldRow, day: date) -> dict[str, Any]:
        found = self.near.nearest(row.text, self.searches)[:VOTERS]
        votes = Counter(exemplar.scope for exemplar in found)
        scope = votes.most_common(1)[0][0] if votes else None
        like = next((exemplar for exemplar in found if exemplar.scope == scope), None)
        clauses = self.provisions.find(row.text, day, SHOWN, listed=scope in INSIDE)
        return _contract(row, like, clauses, self.provisions, day)


def _situations(exemplar: Exemplar) -> list[str]:
    """The provisions of the listed situations that an exemplar falls under."""
    if exemplar.scope not in INSIDE:
        return []
    return [f"{LISTED}{item}" for item in exemplar.facts.get("situation", ())]


def _contract(
    row: GoldRow, like: Exemplar | None, clauses: Sequence[str], provisions: Provisions, day: date
) -> dict[str, Any]:
    """The answer with the labels of the exemplar it is like, where there is any."""
    corpus = provisions.corpus
    labels = like.exemption if like else ()
    grounds = [r for label in labels if (r := resolve(label, corpus, day).provision_id)]
    answer, citations = provisions.answer(row.text, day)
    return {
        **{
            k: v for k, v in refusal(row.id, "", answer).items() if k not in ("facts", "confidence", "routes")
        },
        "kind": "scenario",
        "scope": like.scope if like else None,
        "subject": next(iter(like.facts.get("subject", ())), None) if like else None,
        "responsibility": like.responsibility if like else None,
        "clauses": [
            {"id": id, "label": corpus.provision(id).label, "score": round(1 / rank, 3)}
            for rank, id in enumerate(clauses, 1)
        ],
        "exemptions": [{"id": id, "label": corpus.provision(id).label, "status": "met"} for id in grounds],
        "misuse_signals": list(like.misuse) if like else [],
        "citations": citations,
    }


def comparators(near: Nearness, retriever: Retriever, corpus: Corpus) -> tuple[Comparator, ...]:
    """All plain systems.

    A language model alone and one with plain retrieval go here once the settings can name one.
    """

    def provisions(*searches: str) -> Provisions:
        return Provisions(retriever, corpus, searches)

    both = ("bm25", "dense")
    everything = provisions("bm25", "bm25+asked", "dense", "asked")
    return (
        NearestExemplar("bm25", near, provisions("bm25"), ("bm25",)),
        NearestExemplar("dense", near, provisions("dense"), ("dense",)),
        NearestExemplar("hybrid", near, provisions(*both), both),
        RetrieveAndTemplate("template", near, everything, both),
    )


def compare(
    systems: Sequence[Comparator], sets: Sequence[GoldSet], day: date, advance: Callable[[int], object]
) -> Iterator[Prediction]:
    """What each of the systems says to each row."""
    for system in systems:
        for gold in sets:
            for row in gold.rows:
                started = time.perf_counter()
                answer = system.answer(row, row.day(day))
                answer["elapsed_ms"] = round((time.perf_counter() - started) * 1000)
                if gold.kind == "quiz":
                    answer["kind"] = "knowledge"
                yield Prediction(system.name, gold.name, row.id, answer)
                advance(1)
