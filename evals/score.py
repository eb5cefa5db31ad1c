"""Scores recorded answers against files with gold: ``python -m evals.score --cases F --quiz F --answers DIR``.

``DIR`` holds what ``zeming ask --batch`` wrote: ``cases.jsonl`` and ``quiz.jsonl``. Prints scope accuracy, clause
hit at 1 and 3, and quiz accuracy. Numbers are compared as numbers, so that "1" is not found inside "12".
"""

from __future__ import annotations

import argparse
import json
from datetime import date
from pathlib import Path
from typing import Any

from assistant.law.citations import resolve
from assistant.law.corpus import Corpus, load_corpus
from assistant.law.text import normalise, numbers
from assistant.settings import load_settings


def rows(path: Path) -> dict[str, dict[str, Any]]:
    """The rows of a JSONL file by id."""
    return {row["id"]: row for row in map(json.loads, path.read_text("utf-8").splitlines()) if row}


def mentions(answer: str, wanted: str) -> bool:
    """Whether an answer says something: the words are in it, and where there is a number, that number.

    >>> mentions("自收到之日起一个月内", "1个月"), mentions("12个月内", "2个月")
    (True, False)
    """
    said, words = normalise(answer), normalise(wanted)
    if not numbers(words):
        return words in said
    if not set(numbers(words)) <= set(numbers(said)):
        return False
    bare = "".join(c for c in words if not c.isdigit() and c not in "一二三四五六七八九十百两〇零半个")
    return bare in said


def hit(given: list[str], gold: set[str], k: int) -> bool:
    """Whether one of the first k clauses is a gold clause, or a part of one (gold may name a whole article)."""
    return any(g == w or g.startswith(w + ".") for g in given[:k] for w in gold)


def score_cases(gold: Path, answers: Path, corpus: Corpus, day: date) -> dict[str, Any]:
    expected, given = rows(gold), rows(answers)
    right, ranked, hit1, hit3, confusion = 0, 0, 0, 0, {}
    for id, row in expected.items():
        answer = given[id]
        right += answer["scope"] == row["scope"]
        pair = f"{row['scope']} → {answer['scope'] or answer['kind']}"
        confusion[pair] = confusion.get(pair, 0) + 1
        wanted = {r.provision_id for c in row["clauses"] if (r := resolve(c, corpus, day)).provision_id}
        if wanted:
            ranked += 1
            ids = [c["id"] for c in answer["clauses"]]
            hit1 += hit(ids, wanted, 1)
            hit3 += hit(ids, wanted, 3)
    return {
        "cases": len(expected),
        "scope_accuracy": round(right / len(expected), 3),
        "clause_rows": ranked,
        "clause@1": round(hit1 / max(ranked, 1), 3),
        "clause@3": round(hit3 / max(ranked, 1), 3),
        "confusion": dict(sorted(confusion.items(), key=lambda pair: -pair[1])),
    }


def score_quiz(gold: Path, answers: Path) -> dict[str, Any]:
    expected, given = rows(gold), rows(answers)
    wrong = []
    for id, row in expected.items():
        groups = row.get("must_mention_any") or [[m] for m in row["must_mention"]]
        if not all(any(mentions(given[id]["answer"], one) for one in group) for group in groups):
            wrong.append(id)
    return {
        "questions": len(expected),
        "accuracy": round(1 - len(wrong) / len(expected), 3),
        "kinds": {
            k: sum(a["kind"] == k for a in given.values()) for k in ("knowledge", "scenario", "out_of_domain")
        },
        "wrong": wrong,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path)
    parser.add_argument("--quiz", type=Path)
    parser.add_argument("--answers", type=Path, required=True)
    given = parser.parse_args()
    corpus = load_corpus(load_settings().knowledge)
    report = {}
    if given.cases:
        report["cases"] = score_cases(given.cases, given.answers / "cases.jsonl", corpus, date.today())
    if given.quiz:
        report["quiz"] = score_quiz(given.quiz, given.answers / "quiz.jsonl")
    print(json.dumps(report, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
