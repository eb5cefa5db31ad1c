"""How fast retrieval is, and how often it finds the provision: ``python -m evals.bench_retrieval``.

Comes in: the knowledge base and the settings. Goes out: figures on standard output, as JSON with ``--json``.

Recall is measured with lay questions that the index has not seen: of each provision one question is held
out, by a hash of its id, and asked. ``--tune`` looks for weights on one half and reports on the other. The
shipped weights were chosen on another split, so for them no half is unseen. "known" asks questions that are
indexed: it shows whether
a person who asks in those very words gets the provision first. ``exact_agrees`` is 0.8 for a harmless reason:
texts embedded in other company differ a little (see ``E5.encode``), and near neighbours change places; recall
with unrounded weights was the same within two percent.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from langchain_core.embeddings import Embeddings

from assistant.adapters.embeddings import fingerprint, make_embeddings
from assistant.adapters.vector_store import VectorStore
from assistant.indexing import ensure_index, entries
from assistant.law.corpus import load_corpus
from assistant.ports import GROUPS, Entry, Hit
from assistant.settings import load_settings
from assistant.steps.retrieval import RANK_OFFSET, WEIGHTS, Rankings, Retriever, fuse

CUTS = (1, 3, 10)
ALONE = ("bm25", "bm25+asked", "dense", "asked")

COLD = """
import resource, time
started = time.perf_counter()
from assistant.adapters.embeddings import fingerprint, make_embeddings
from assistant.settings import load_settings
settings = load_settings()
embeddings = make_embeddings(settings)
from assistant.adapters.vector_store import VectorStore
from assistant.indexing import digest_of, ensure_index, entries
from assistant.law.corpus import load_corpus
from assistant.steps.retrieval import Retriever
indexed = entries(load_corpus(settings.knowledge))
store = VectorStore(settings, embeddings, fingerprint(settings))
ensure_index(indexed, store)
kept = settings.data / "words" / digest_of(indexed)[:16]
found = Retriever(indexed, store, kept).search("群里没回消息被通报了，这算问责吗")
assert not found.degraded, found.degraded
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@dataclass(frozen=True)
class Asked:
    """A question with the provision it should find. ``half`` 0 is for tuning, 1 for reporting."""

    text: str
    provision_id: str
    half: int


class ExactIndex:
    """Dense search without approximation, over vectors in memory."""

    def __init__(self, indexed: Sequence[Entry], vectors: npt.NDArray[np.float32], model: Embeddings) -> None:
        self._entries, self._vectors, self._model = indexed, vectors, model

    def search(self, text: str, k: int, group: str = "rules", keys: Sequence[str] | None = None) -> list[Hit]:
        near = self._vectors @ np.array(self._model.embed_query(text), np.float32)
        best = np.argsort(-near, kind="stable")
        rows = itertools.islice(
            (
                (self._entries[i], float(near[i]))
                for i in best
                if GROUPS[self._entries[i].role] == group and (keys is None or self._entries[i].key in keys)
            ),
            k,
        )
        return [Hit(entry.key, entry.provision_id, entry.role, score) for entry, score in rows]


def held_out(indexed: Iterable[Entry]) -> tuple[list[Entry], list[Asked], list[Asked]]:
    """Entries that stay, one question of each provision that was taken out, one that stayed."""
    asked: dict[str, list[Entry]] = {}
    for entry in indexed:
        if entry.role == "asked":
            asked.setdefault(entry.provision_id, []).append(entry)
    out, known, gone = [], [], set()
    for id, rows in asked.items():
        number = int(hashlib.sha256(id.encode()).hexdigest(), 16)
        if len(rows) > 1:
            taken, stays = rows[number % len(rows)], rows[(number + 1) % len(rows)]
            gone.add(taken.key)
            half = number // 7 % 2
            out.append(Asked(taken.text, id, half))
            known.append(Asked(stays.text, id, half))
    return [entry for entry in indexed if entry.key not in gone], out, known


def recall(
    found: Sequence[Rankings], asked: Sequence[Asked], half: int, weights: Mapping[str, float], offset: int
) -> tuple[float, ...]:
    """R@1, R@3 and R@10 on one half."""
    ranks = []
    for rankings, question in zip(found, asked, strict=True):
        if question.half == half:
            used = {name: ids for name, ids in rankings.items() if weights.get(name)}
            ids = [passage.provision_id for passage in fuse(used, weights, offset)]
            ranks.append(
                ids.index(question.provision_id) + 1 if question.provision_id in ids else len(ids) + 99
            )
    return tuple(round(float(np.mean([rank <= cut for rank in ranks])), 3) for cut in CUTS)


def tuned(
    found: Sequence[Rankings], asked: Sequence[Asked], known: Sequence[Rankings], same: Sequence[Asked]
) -> Any:
    """The weights and offset that serve the tuning half best, known questions counting half."""

    def worth(choice: tuple[Mapping[str, float], int]) -> float:
        return sum(recall(found, asked, 0, *choice)) + sum(recall(known, same, 0, *choice)) / 2

    grid = [
        ({"bm25": 1.0, "bm25+asked": words, "dense": dense, "asked": meaning}, offset)
        for words, dense, meaning in itertools.product((0.5, 1.0, 1.5), (0.75, 1.0, 1.5), (0.25, 0.5, 0.75))
        for offset in (5, 10, 20, 60)
    ]
    return max(grid, key=worth)


def measure(tune: bool) -> dict[str, Any]:
    settings = load_settings()
    indexed = entries(load_corpus(settings.knowledge))
    model = make_embeddings(settings)
    model.embed_query("热身")
    store = VectorStore(settings, model, fingerprint(settings))
    ensure_index(indexed, store)
    kept, out, known = held_out(indexed)
    figures: dict[str, Any] = {"entries": len(indexed), "questions": len(out)}

    provisions = [entry.text for entry in indexed if entry.role == "provision"]
    asked = [entry.text for entry in indexed if entry.role == "asked"]
    for name, texts in (("provisions", provisions[:300]), ("questions", asked[:600])):
        started = time.perf_counter()
        model.embed_documents(texts)
        figures[f"{name}_per_second"] = round(len(texts) / (time.perf_counter() - started), 1)

    started = time.perf_counter()
    whole = Retriever(indexed, store)
    figures["word_index_seconds"] = round(time.perf_counter() - started, 2)
    whole.search("热身")
    took: dict[str, list[float]] = {"embed": [], "search": []}
    for question in out[:200]:
        started = time.perf_counter()
        model.embed_query(question.text)
        took["embed"].append(time.perf_counter() - started)
        started = time.perf_counter()
        whole.search(question.text)
        took["search"].append(time.perf_counter() - started)
    for name, seconds in took.items():
        figures[f"{name}_ms"] = [round(float(np.percentile(seconds, q)) * 1000, 1) for q in (50, 95)]

    vectors = np.array(
        [v for start in range(0, len(kept), 512) for v in _embedded(model, kept[start : start + 512])]
    )
    exact = ExactIndex(kept, vectors.astype(np.float32), model)
    retriever = Retriever(kept, exact)
    found = [retriever.rankings(question.text, 10).rankings for question in out]
    found_known = [retriever.rankings(question.text, 10).rankings for question in known]
    figures["exact_agrees"] = _agreement(indexed, store, exact, kept, out[:200])
    choices: dict[str, tuple[Mapping[str, float], int]] = {name: ({name: 1.0}, RANK_OFFSET) for name in ALONE}
    choices["fused"] = (WEIGHTS, RANK_OFFSET)
    if tune:
        choices["tuned"] = tuned(found, out, found_known, known)
        figures["tuned_choice"] = choices["tuned"]
    figures["held_out"] = {name: recall(found, out, 1, *choice) for name, choice in choices.items()}
    figures["held_out_tuning_half"] = {
        name: recall(found, out, 0, *choice) for name, choice in choices.items()
    }
    figures["known"] = {name: recall(found_known, known, 1, *choice) for name, choice in choices.items()}
    figures["rss_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    cold = [
        subprocess.run([sys.executable, "-c", COLD], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    runs = [tuple(map(float, run.stdout.split())) for run in cold]
    figures["cold_search_seconds"], figures["cold_rss_mb"] = (
        round(min(column), 2) for column in zip(*runs, strict=True)
    )
    return figures


def _embedded(model: Embeddings, rows: Sequence[Entry]) -> list[list[float]]:
    return model.embed_documents([row.text for row in rows])


def _agreement(
    indexed: Sequence[Entry],
    store: VectorStore,
    exact: ExactIndex,
    kept: Sequence[Entry],
    asked: Sequence[Asked],
) -> float:
    """How much of the first ten of exact search Chroma has, over vectors made in other batches."""
    both = {entry.key for entry in kept}
    shares = []
    for question in asked:
        near = [hit.entry_key for hit in store.search(question.text, 12) if hit.entry_key in both][:10]
        true = [hit.entry_key for hit in exact.search(question.text, 10)]
        shares.append(len(set(near) & set(true)) / 10)
    return round(float(np.mean(shares)), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description="检索的速度与命中率")
    parser.add_argument("--json", action="store_true", help="只输出一个 JSON 对象")
    parser.add_argument("--tune", action="store_true", help="在调参的一半上找最好的权重")
    options = parser.parse_args()
    figures = measure(options.tune)
    if options.json:
        print(json.dumps(figures, ensure_ascii=False))
        return
    for name, value in figures.items():
        if isinstance(value, dict):
            print(f"{name}  (R@1, R@3, R@10)")
            for row, numbers in value.items():
                print(f"  {row:12} {numbers}")
        else:
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
