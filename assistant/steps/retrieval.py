"""Retrieval (检索): the provisions that a text is about.

Comes in: a text, and which provisions may be shown. Goes out: passages, best first, each with the searches
that found it. Four searches are fused by their ranks (:data:`WEIGHTS`): by words (BM25 over pairs of
characters) and by meaning (the vector index), each for what a provision says and for how people ask for it.
Without the vector index the words alone go on, and the result says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import bm25s  # type: ignore[import-untyped, unused-ignore]
import numpy as np

from assistant.errors import EmbeddingError, IndexUnavailable
from assistant.law.text import fold, normalise
from assistant.model import Passage
from assistant.ports import Entry, VectorIndex

# Chosen by hand among the best of a grid on held-out lay questions, with an eye on those that are indexed;
# evals/bench_retrieval.py measures them, and its --tune prefers more weight on how people ask.
WEIGHTS: Mapping[str, float] = {
    "bm25": 1.0,  # words of the provision
    "bm25+asked": 1.0,  # words of the provision and of the ways people ask for it
    "dense": 1.0,  # meaning of the provision
    "asked": 0.5,  # meaning of one way people ask for it
}
RANK_OFFSET = 5  # of rank fusion: the larger, the less the first ranks stand out
DEPTH = 300  # entries that the vector index is asked for

Allowed = Callable[[str], bool]
Rankings = dict[str, list[str]]  # name of the search -> provision ids, best first

_WORD = re.compile(r"(?=([\u3400-\u9fff]{2}|(?<![a-z])[a-z]+|(?<![0-9])[0-9]+))")  # overlapping


@dataclass(frozen=True)
class Retrieved:
    """What a search brought up. ``degraded`` is the reason why it went by words alone, "" when it did not.

    ``nearest`` is the cosine similarity of the nearest entry, 0 where there was no search by meaning.
    """

    passages: tuple[Passage, ...]
    degraded: str = ""
    nearest: float = 0.0


@dataclass(frozen=True)
class Found:
    """The rankings that are to be fused, with the rest of :class:`Retrieved`."""

    rankings: Rankings
    degraded: str = ""
    nearest: float = 0.0


class Retriever:
    """Holds the words of all entries, indexed when it is made (a fifth of a second), and the vector index."""

    def __init__(self, entries: Sequence[Entry], vectors: VectorIndex | None) -> None:
        self._vectors = vectors
        said: dict[str, list[str]] = {}
        told: dict[str, list[str]] = {}
        # one fold for all texts, as each call has its price
        texts = fold("\n".join(entry.text.replace("\n", " ") for entry in entries)).split("\n")
        for entry, text in zip(entries, texts[: len(entries)], strict=True):
            found = _words(text)
            told.setdefault(entry.provision_id, []).extend(found)
            if entry.role == "provision":
                said.setdefault(entry.provision_id, []).extend(found)
        self._by_words = {
            "bm25": _WordIndex(said, k1=0.9, b=0.4),
            "bm25+asked": _WordIndex(told, k1=1.2, b=0.75),
        }

    def search(self, text: str, k: int = 10, allowed: Allowed | None = None) -> Retrieved:
        """The ``k`` provisions that fit ``text`` best, of those that ``allowed`` says yes to.

        ``why`` of a passage names the searches that found it and its rank in each: "dense:2".
        """
        found = self.rankings(text, k, allowed)
        return Retrieved(fuse(found.rankings)[:k], found.degraded, found.nearest)

    def rankings(self, text: str, k: int, allowed: Allowed | None = None) -> Found:
        """What each search finds, before fusion."""
        text = normalise(text)
        found = {name: index.search(text, allowed) for name, index in self._by_words.items()}
        try:
            near, nearest = self._by_meaning(text, k, allowed)
        except (IndexUnavailable, EmbeddingError) as error:
            return Found(found, str(error))
        return Found(found | near, nearest=nearest)

    def _by_meaning(self, text: str, k: int, allowed: Allowed | None) -> tuple[Rankings, float]:
        """What is near, and how near the nearest is. Looks deeper where too little of it is allowed.

        Raises:
            IndexUnavailable, EmbeddingError: there is no vector index to ask.
        """
        if self._vectors is None:
            raise IndexUnavailable("没有向量索引，这次只按字词检索。")
        depth = DEPTH
        while True:
            hits = self._vectors.search(text, depth)
            found = {
                name: _distinct((hit.provision_id for hit in hits if hit.role == role), allowed)
                for name, role in (("dense", "provision"), ("asked", "asked"))
            }
            if len({id for ids in found.values() for id in ids}) >= k or len(hits) < depth:
                return found, hits[0].score if hits else 0.0
            depth *= 5


def fuse(
    found: Rankings, weights: Mapping[str, float] = WEIGHTS, rank_offset: int = RANK_OFFSET
) -> tuple[Passage, ...]:
    """Weighted reciprocal rank fusion: what several searches rank high comes first.

    >>> [p.provision_id for p in fuse({"bm25": ["a", "b"], "dense": ["b", "c"]})]
    ['b', 'a', 'c']
    """
    scores: dict[str, float] = {}
    why: dict[str, list[str]] = {}
    for name, ids in found.items():
        for rank, id in enumerate(ids, start=1):
            scores[id] = scores.get(id, 0.0) + weights[name] / (rank_offset + rank)
            why.setdefault(id, []).append(f"{name}:{rank}")
    best = sorted(scores, key=lambda id: (-scores[id], id))
    return tuple(Passage(id, scores[id], tuple(why[id])) for id in best)


class _WordIndex:
    """BM25 over one list of words for each provision."""

    def __init__(self, words: Mapping[str, Sequence[str]], k1: float, b: float) -> None:
        self._ids = tuple(words)
        vocabulary: dict[str, int] = {}
        numbered = [
            [vocabulary.setdefault(word, len(vocabulary)) for word in found] for found in words.values()
        ]
        self._index = bm25s.BM25(k1=k1, b=b)
        if vocabulary:
            self._index.index((numbered, vocabulary), show_progress=False)
        self._vocabulary = vocabulary

    def search(self, text: str, allowed: Allowed | None) -> list[str]:
        """Ids of the provisions that share a word with the text, best first."""
        known = [word for word in _words(fold(text)) if word in self._vocabulary]
        if not known:
            return []
        scores = self._index.get_scores(known)
        order = np.argsort(-scores, kind="stable")[: np.count_nonzero(scores > 0)]
        return _distinct((self._ids[i] for i in order), allowed)


def _words(text: str) -> list[str]:
    """The words of a folded text: pairs of neighbouring characters, numbers, Latin words.

    >>> _words("收到决定后1个月内交到12388")
    ['收到', '到决', '决定', '定后', '1', '个月', '月内', '内交', '交到', '12388']
    """
    return _WORD.findall(text.lower())


def _distinct(ids: Iterable[str], allowed: Allowed | None) -> list[str]:
    """Each id once, in order of first appearance, without those that are not allowed."""
    return [id for id in dict.fromkeys(ids) if allowed is None or allowed(id)]
