"""Retrieval (检索): the provisions that a text is about.

Comes in: a text, and which provisions may be shown. Goes out: passages, best first, each with the searches that
found it. Two searches run over the same entries and their ranks are fused: by words (BM25 over pairs of
characters) and by meaning (the vector index). Without the vector index the words alone go on, and it is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import bm25s
import numpy as np

from assistant.errors import EmbeddingError, IndexUnavailable
from assistant.law.text import normalise
from assistant.model import Passage
from assistant.ports import Entry, VectorIndex

# Chosen on half of the lay questions by evals/bench_retrieval.py and confirmed on the other half.
WORDS_WEIGHT = 1.0
MEANING_WEIGHT = 1.0
RANK_OFFSET = 20  # of rank fusion: the larger, the less the first ranks stand out
DEPTH = 200  # as many of each search take part

Allowed = Callable[[str], bool]

_RUN = re.compile(r"[a-z]+|[0-9]+|[\u3400-\u9fff]+")


@dataclass(frozen=True)
class Retrieved:
    """What a search brought up. ``degraded`` is the reason why it went by words alone, "" when it did not.
    ``nearest`` is the cosine similarity of the nearest entry, 0 when there was no search by meaning."""

    passages: tuple[Passage, ...]
    degraded: str = ""
    nearest: float = 0.0


class Retriever:
    """Holds the entries and the index of their words; builds that index when made (a third of a second)."""

    def __init__(self, entries: Sequence[Entry], vectors: VectorIndex | None) -> None:
        self._entries = tuple(entries)
        self._vectors = vectors
        self._words = _word_index([entry.text for entry in entries])

    def search(self, text: str, k: int = 10, allowed: Allowed | None = None) -> Retrieved:
        """The ``k`` provisions that fit ``text`` best, of those that ``allowed`` says yes to (all, without it).

        A provision counts with the best rank of its entries in each search. ``why`` tells search, kind of entry
        and rank: "bm25:2" found the provision itself, "bm25-asked:1" one of the ways people ask for it.
        """
        searches = {"bm25": (WORDS_WEIGHT, self._by_words(text, allowed))}
        degraded, nearest = "", 0.0
        try:
            found_by_meaning, nearest = self._by_meaning(text, k, allowed)
            searches["dense"] = (MEANING_WEIGHT, found_by_meaning)
        except (IndexUnavailable, EmbeddingError) as error:
            degraded = str(error)
        scores: dict[str, float] = {}
        why: dict[str, list[str]] = {}
        for name, (weight, found) in searches.items():
            for rank, (provision_id, role) in enumerate(found.items(), start=1):
                scores[provision_id] = scores.get(provision_id, 0.0) + weight / (RANK_OFFSET + rank)
                kind = f"{name}-asked" if role == "asked" else name
                why.setdefault(provision_id, []).append(f"{kind}:{rank}")
        best = sorted(scores, key=lambda provision_id: (-scores[provision_id], provision_id))[:k]
        return Retrieved(tuple(Passage(id, scores[id], tuple(why[id])) for id in best), degraded, nearest)

    def _by_words(self, text: str, allowed: Allowed | None) -> dict[str, str]:
        known = [word for word in words(text) if word in self._words.vocab_dict]
        if not known:
            return {}
        scores = self._words.get_scores(known)
        order = np.argsort(-scores, kind="stable")[: np.count_nonzero(scores)]
        found = ((self._entries[i].provision_id, self._entries[i].role) for i in order)
        return _folded(found, allowed, DEPTH)

    def _by_meaning(self, text: str, k: int, allowed: Allowed | None) -> tuple[dict[str, str], float]:
        """What is near, and how near the nearest is. Looks deeper when too little of what is near is allowed.

        Raises:
            IndexUnavailable, EmbeddingError: there is no vector index to ask.
        """
        if self._vectors is None:
            raise IndexUnavailable("没有向量索引，这次只按字词检索。")
        depth = DEPTH
        while True:
            hits = self._vectors.search(normalise(text), depth)
            found = _folded(((hit.provision_id, hit.role) for hit in hits), allowed, DEPTH)
            if len(found) >= k or len(hits) < depth:
                return found, hits[0].score if hits else 0.0
            depth *= 8


def words(text: str) -> list[str]:
    """The words of a text for searching: pairs of neighbouring characters, numbers, Latin words.

    >>> words("收到处分决定之日起1个月内")
    ['收到', '到处', '处分', '分决', '决定', '定之', '之日', '日起', '1', '个月', '月内']
    """
    found: list[str] = []
    for run in _RUN.findall(normalise(text).lower()):
        if run.isascii() or len(run) == 1:
            found.append(run)
        else:
            found += map(str.__add__, run, run[1:])
    return found


def _word_index(texts: Iterable[str]) -> bm25s.BM25:
    vocabulary: dict[str, int] = {}
    ids = [[vocabulary.setdefault(word, len(vocabulary)) for word in words(text)] for text in texts]
    index = bm25s.BM25(k1=1.2, b=0.75)
    index.index((ids, vocabulary), show_progress=False)
    return index


def _folded(found: Iterable[tuple[str, str]], allowed: Allowed | None, most: int) -> dict[str, str]:
    """Provision -> role of its best entry, best provision first; those that are not allowed are left out."""
    folded: dict[str, str] = {}
    refused: set[str] = set()
    for provision_id, role in found:
        if provision_id in folded or provision_id in refused:
            continue
        if allowed and not allowed(provision_id):
            refused.add(provision_id)
            continue
        folded[provision_id] = role
        if len(folded) == most:
            break
    return folded
