"""Retrieval (检索): what a text is about, out of provisions, commentary and cases.

Comes in: a text, and which provisions may be shown. Goes out: passages, best first, each with the searches
that found it. Provisions are found by four searches fused by their ranks (:data:`WEIGHTS`): by words (BM25 over
pairs of characters) and by meaning (the vector index), each for what a provision says and for how people ask
for it. Commentary and cases are ranked apart, so that they and the rules do not push each other out. Without
the vector index the words alone go on, and the result says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from assistant.errors import EmbeddingError, IndexUnavailable
from assistant.law.text import normalise
from assistant.model import Passage
from assistant.ports import GROUPS, Entry, Hit, VectorIndex
from assistant.steps.word_index import word_indexes

# Chosen by hand among the best of a grid on held-out lay questions, with an eye on those that are indexed;
# evals/bench_retrieval.py measures them, and its --tune prefers more weight on how people ask.
WEIGHTS: Mapping[str, float] = {
    "bm25": 1.0,  # words of the provision
    "bm25+asked": 1.0,  # words of the provision and of the ways people ask for it
    "dense": 1.0,  # meaning of the provision
    "asked": 0.5,  # meaning of one way people ask for it
}
ABOUT = 100  # of words of the provisions that a story is judged by 0.67 are within, of other words 0.23
BESIDES: float = (
    0.4  # what the searches with another wording of the question count, beside those with its own
)
RANK_OFFSET = 5  # of rank fusion: the larger, the less the first ranks stand out
DEPTH = 300  # how far down a ranking is looked at, unless too little of that is allowed
BESIDE = 5  # passages of commentary, and cases, that come with the provisions

Allowed = Callable[[str], bool]
Rankings = dict[str, list[str]]  # name of the search -> ids, best first

WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "rules": {"bm25": ("provision",), "bm25+asked": ("provision", "asked")},
    "commentary": {"bm25": ("commentary",)},
    "cases": {"bm25": ("case",)},
}
"""Group -> its searches by words -> the roles of the entries that each looks at."""
MEANINGS: Mapping[str, Mapping[str, str]] = {
    "rules": {"dense": "provision", "asked": "asked"},
    "commentary": {"dense": "commentary"},
    "cases": {"dense": "case"},
}
"""Group -> its rankings by meaning -> the role of the entries in each."""


@dataclass(frozen=True)
class Retrieved:
    """What a search brought up. ``degraded`` is the reason why it went by words alone, "" when it did not.

    ``nearest`` is the cosine similarity of the nearest entry of the rules, 0 where there was no search by
    meaning. ``commentary`` is in the order of the fused searches, ``cases`` in that of their cosine similarity; both
    are scored by it, 0 without it.
    """

    passages: tuple[Passage, ...]
    degraded: str = ""
    nearest: float = 0.0
    commentary: tuple[Passage, ...] = ()
    cases: tuple[Passage, ...] = ()


@dataclass(frozen=True)
class Found:
    """The rankings that are to be fused, with the rest of :class:`Retrieved`. ``near``: id -> best cosine."""

    rankings: Rankings
    degraded: str = ""
    nearest: float = 0.0
    near: Mapping[str, float] = field(default_factory=dict)


class Retriever:
    """Holds the words of all entries, and the vector index."""

    def __init__(
        self, entries: Sequence[Entry], vectors: VectorIndex | None, kept: Path | None = None
    ) -> None:
        """``kept`` is a folder for the word indexes of just these entries; see :func:`word_indexes`.

        Without it the words are counted each time: a fifth of a second for some thousand short texts.
        """
        self._entries = entries
        self._vectors = vectors
        roles = {entry.role for entry in entries}
        self._groups = {GROUPS[role] for role in roles}
        # where nobody's questions are known, "bm25+asked" would be "bm25" once more, and words would count double
        searches = {
            f"{group}.{name}": held
            for group, names in WORDS.items()
            for name, held in names.items()
            if held[-1] in roles
        }
        self._by_words = word_indexes(entries, searches, kept)

    def search(
        self,
        text: str,
        k: int = 10,
        allowed: Allowed | None = None,
        among: Collection[str] | None = None,
        also: str = "",
    ) -> Retrieved:
        """The ``k`` provisions that fit ``text`` best, with what there is beside them.

        Args:
            allowed: says of a provision whether it may come up; asked about the best ones only.
            among: the only provisions to look at, where they are few and known; nothing comes beside them.
            also: the same in other words; what it finds counts less (:data:`BESIDES`), and is marked with ``+``.

        ``why`` of a passage names the searches that found it and its rank in each: "dense:2".
        """
        found = self.rankings(text, k, allowed, among)
        rankings, weights = found.rankings, dict(WEIGHTS)
        if also:
            beside = self.rankings(also, k, allowed, among).rankings
            rankings = rankings | {f"{name}+": ids for name, ids in beside.items()}
            weights |= {f"{name}+": BESIDES * weight for name, weight in WEIGHTS.items()}
        passages = fuse(rankings, weights)[:k]
        if among is not None:
            return Retrieved(passages, found.degraded, found.nearest)
        return Retrieved(
            passages,
            found.degraded,
            found.nearest,
            self._commentary(normalise(text)),
            self._nearest_cases(normalise(text)),
        )

    def about(self, text: str, allowed: Allowed | None = None) -> frozenset[str]:
        """The provisions that a text may be about at all: the first :data:`ABOUT` of each search."""
        found = self.rankings(text, ABOUT, allowed).rankings
        return frozenset(id for ids in found.values() for id in ids)

    def rankings(
        self, text: str, k: int, allowed: Allowed | None = None, among: Collection[str] | None = None
    ) -> Found:
        """What each search for provisions finds, before fusion."""
        return self._ranked("rules", normalise(text), k, allowed, among)

    def _commentary(self, text: str) -> tuple[Passage, ...]:
        found = self._ranked("commentary", text, BESIDE)
        return tuple(
            Passage(p.provision_id, found.near.get(p.provision_id, 0.0), p.why)
            for p in fuse(found.rankings)[:BESIDE]
        )

    def _nearest_cases(self, text: str) -> tuple[Passage, ...]:
        found = self._ranked("cases", text, BESIDE)
        fused = fuse(found.rankings)
        if not found.near:
            return tuple(Passage(case.provision_id, 0.0, case.why) for case in fused[:BESIDE])
        near = [
            Passage(case.provision_id, found.near[case.provision_id], case.why)
            for case in fused
            if case.provision_id in found.near
        ]
        return tuple(sorted(near, key=lambda case: -case.score)[:BESIDE])

    def _ranked(
        self,
        group: str,
        text: str,
        k: int,
        allowed: Allowed | None = None,
        among: Collection[str] | None = None,
    ) -> Found:
        if group not in self._groups:
            return Found({})
        by_words = {name: self._by_words.get(f"{group}.{name}") for name in WORDS[group]}
        found = {
            name: _first(index.search(text, among), k, allowed) for name, index in by_words.items() if index
        }
        try:
            hits, ids = self._by_meaning(group, text, k, allowed, among)
        except (IndexUnavailable, EmbeddingError) as error:
            return Found(found, str(error))
        near: dict[str, float] = {}
        for hit in hits:
            near.setdefault(hit.provision_id, hit.score)
        return Found(found | ids, nearest=hits[0].score if hits else 0.0, near=near)

    def _by_meaning(
        self, group: str, text: str, k: int, allowed: Allowed | None, among: Collection[str] | None
    ) -> tuple[Sequence[Hit], Rankings]:
        """What is near, and its rankings. Where too little of that is allowed, all that is allowed is asked for.

        Raises:
            IndexUnavailable, EmbeddingError: there is no vector index to ask.
        """
        if self._vectors is None:
            raise IndexUnavailable("没有向量索引，这次只按字词检索。")

        def ranked(hits: Sequence[Hit]) -> Rankings:
            return {
                name: _first((hit.provision_id for hit in hits if hit.role == role), k, allowed)
                for name, role in MEANINGS[group].items()
            }

        if among is not None:
            hits = self._near(self._vectors, text, among)
            return hits, ranked(hits)
        hits = self._vectors.search(text, DEPTH, group)
        rankings = ranked(hits)
        if len(hits) == DEPTH and allowed and len({id for ids in rankings.values() for id in ids}) < k:
            rankings = ranked(self._near(self._vectors, text, (id for id in self._rule_keys if allowed(id))))
        return hits, rankings

    def _near(self, vectors: VectorIndex, text: str, ids: Iterable[str]) -> Sequence[Hit]:
        """The nearest among the entries of some provisions."""
        keys = [key for id in ids for key in self._rule_keys.get(id, ())]
        return vectors.search(text, DEPTH, "rules", keys) if keys else ()

    @cached_property
    def _rule_keys(self) -> Mapping[str, Sequence[str]]:
        """The keys of the entries of each provision."""
        keys: dict[str, list[str]] = {}
        for entry in self._entries:
            if GROUPS[entry.role] == "rules":
                keys.setdefault(entry.provision_id, []).append(entry.key)
        return keys


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


def _first(ids: Iterable[str], k: int, allowed: Allowed | None) -> list[str]:
    """Each allowed id once, in order of first appearance; no more are looked at than needed for ``k`` of them.

    >>> _first(iter("abcb"), 2, lambda id: id != "a")
    ['b', 'c']
    """
    found: dict[str, None] = {}
    for looked, id in enumerate(ids):
        if looked >= DEPTH and len(found) >= k:
            break
        if id not in found and (allowed is None or allowed(id)):
            found[id] = None
    return list(found)
