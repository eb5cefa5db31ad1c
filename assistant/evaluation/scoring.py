"""From recorded predictions to figures; can be repeated without the system that made them.

Comes in: records, the sets with their gold, the judge. Goes out: :class:`Scores`. A row that a system did not answer
counts as answered with nothing, if it answered any row of that set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assistant.errors import InputFileError
from assistant.evaluation.measures import OF_PART, Figure, Table, figure
from assistant.evaluation.outcomes import Columns, Judge, pairs_of, searched
from assistant.evaluation.records import Found, Memory, Prediction, Record
from assistant.evaluation.retrieval import statutes_of
from assistant.evaluation.rows import GoldRow, GoldSet
from assistant.evaluation.systems import PRODUCT
from assistant.law.text import normalise

NOTHING: Mapping[str, Any] = {"kind": "", "scope": None, "confidence": 0.0, "answer": ""}
CASES = ("cases", "reworded", "contrast")
SEARCHES = ("questions", "stard")
INDEXED = "questions indexed"  # questions that are in the index word for word


@dataclass(frozen=True, order=True)
class Key:
    """What a table is about: which files, which part of the run, whose answers, at which stage."""

    group: str
    part: str
    system: str
    stage: str


@dataclass(frozen=True)
class Scores:
    """``tables``: what came of each row. ``notes``: what readers of the figures must know."""

    tables: Mapping[Key, Table]
    figures: Mapping[Key, Mapping[str, Figure]]
    memory: Mapping[str, float]
    notes: Sequence[str] = field(default_factory=tuple)


def score(
    records: Iterable[Record],
    sets: Sequence[GoldSet],
    judge: Judge,
    taught: Callable[[str], bool],
    indexed: Callable[[str], bool],
) -> Scores:
    """Figures of all systems.

    Args:
        taught: whether a text is one that the product was trained on; such rows are left out and reported.
        indexed: whether a question is in the search index word for word; such questions are scored apart.

    Raises:
        InputFileError: a prediction for a row that is in none of the sets, or that is in several of them.
    """
    notes: list[str] = []
    sets = [_untaught(gold, taught, notes) for gold in sets]
    predictions, found, memory = _sorted(records, sets)
    rows: dict[Key, dict[str, Columns]] = {}
    for gold in sets:
        for (system, stage), answers in predictions.get(gold.name, {}).items():
            key = Key(gold.folder, gold.kind, system, stage)
            into = rows.setdefault(key, {})
            mitigation = gold.kind in CASES and judge.tells_mitigation(gold)
            due = [row for row in gold.rows if stage == "first" or row.gold.get("facts")]
            if missing := [row for row in due if row.id not in answers]:
                notes.append(f"{system} 没有回答 {gold.name} 的 {len(missing)} 条，按没有答出计")
            for row in due:
                made = answers.get(row.id) or Prediction(system, gold.name, row.id, NOTHING)
                columns = _columns(gold, row, made, judge)
                if not mitigation:
                    columns.pop("mitigation_gold", None)
                into[f"{gold.name}/{row.id}"] = columns
            if gold.kind in ("reworded", "contrast"):
                pairs = pairs_of(gold, answers)
                apart = Key(gold.folder, f"{gold.kind} pairs", system, stage)
                rows.setdefault(apart, {}).update({f"{gold.name}/{name}": c for name, c in pairs.items()})
        for system, ids in found.get(gold.name, {}).items():
            for row in gold.rows:
                if row.id not in ids:
                    continue
                wanted = _wanted(gold, row, judge)
                if wanted:
                    part = INDEXED if gold.kind == "questions" and indexed(row.text) else gold.kind
                    key = Key(gold.folder, part, system, "first")
                    rows.setdefault(key, {})[f"{gold.name}/{row.id}"] = searched(wanted, ids[row.id])
    tables = {key: Table(made) for key, made in sorted(rows.items()) if made}
    return Scores(tables, {key: figures(key, table) for key, table in tables.items()}, memory, tuple(notes))


def figures(key: Key, table: Table) -> dict[str, Figure]:
    """All measures of a part that apply."""
    part = "questions" if key.part == INDEXED else key.part
    made = {measure.key: figure(measure, table) for measure in OF_PART[part]}
    return {name: one for name, one in made.items() if one}


def _columns(gold: GoldSet, row: GoldRow, made: Prediction, judge: Judge) -> Columns:
    answer = made.answer
    if gold.kind == "quiz":
        columns = judge.quiz(row, answer)
    elif gold.kind == "abstain":
        columns = judge.abstain(row, answer)
    else:
        columns = judge.case(row, answer)
    if made.stage == "after":
        columns["asked"] = len(made.asked)
        columns.pop("asked_when_missing", None)  # what could be asked has been asked
    if made.stage == "rules":
        for name in ("elapsed_ms", "confidence", "facts", "facts_gold"):
            columns.pop(name, None)
    else:
        columns.pop("items_right", None)  # retrieved candidates fill up the clauses of an answer
        columns |= judge.sources(row, answer)
    return columns


def _wanted(gold: GoldSet, row: GoldRow, judge: Judge) -> set[str]:
    if gold.kind == "stard":
        return statutes_of(row)
    return set(judge.ids(row.gold["basis"], row.day(judge.day))[0])


def _untaught(gold: GoldSet, taught: Callable[[str], bool], notes: list[str]) -> GoldSet:
    if gold.kind in SEARCHES:
        return gold
    rows = tuple(row for row in gold.rows if not taught(normalise(row.text)))
    if left := len(gold.rows) - len(rows):
        notes.append(f"{gold.name} 有 {left} 条与训练例子逐字相同，没有计分")
    return GoldSet(gold.name, gold.folder, gold.kind, rows)


_Answers = dict[
    str, dict[tuple[str, str], dict[str, Prediction]]
]  # set -> system and stage -> row -> prediction
_Hits = dict[str, dict[str, dict[str, tuple[str, ...]]]]  # set -> system -> row -> ids


def _sorted(records: Iterable[Record], sets: Sequence[GoldSet]) -> tuple[_Answers, _Hits, dict[str, float]]:
    known = {gold.name for gold in sets}
    of_row: dict[str, list[str]] = {}
    for gold in sets:
        for row in gold.rows:
            of_row.setdefault(row.id, []).append(gold.name)
    answers: _Answers = {}
    hits: _Hits = {}
    memory: dict[str, float] = {}
    for record in records:
        if isinstance(record, Memory):
            memory[record.system] = record.memory_mb
            continue
        name = record.set or _only(record.row, of_row.get(record.row, []))
        if name not in known:
            continue  # a set that is not scored this time
        if isinstance(record, Found):
            hits.setdefault(name, {}).setdefault(record.system, {})[record.row] = record.found
        else:
            key = (record.system, record.stage)
            answers.setdefault(name, {}).setdefault(key, {})[record.row] = record
    return answers, hits, memory


def _only(row: str, names: Sequence[str]) -> str:
    if len(names) > 1:
        raise InputFileError(f"编号“{row}”在 {'、'.join(names)} 里都有，请在预测里用 set 字段写明是哪一个。")
    return names[0] if names else ""


def product(tables: Mapping[Key, Table]) -> dict[Key, Table]:
    """The tables of the product alone."""
    return {key: table for key, table in tables.items() if key.system == PRODUCT}
