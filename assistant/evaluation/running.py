"""One run of the evaluation: predictions are recorded, then scored, then compared and reported.

Comes in: :class:`Plan`. Goes out: :class:`Outcome`, and in the folder ``predictions.jsonl``, ``scores.json``,
``report.md`` and ``report.html``. Raises ``InputFileError`` and what the parts of the product raise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from assistant import holdings
from assistant.adapters.embeddings import fingerprint, make_embeddings
from assistant.adapters.law_package import ABSENT, open_package
from assistant.assisted import Helper
from assistant.conversation import make_listener
from assistant.errors import InputFileError, KnowledgeError
from assistant.evaluation.asker import load_wordings
from assistant.evaluation.baseline import Comparison, compare_runs, dump, read_baseline, write_baseline
from assistant.evaluation.comparators import (
    NOT_MADE,
    WITHOUT_EXEMPLARS,
    WITHOUT_MODEL,
    Nearness,
    comparators,
    compare,
)
from assistant.evaluation.diagnosis import Wrong, diagnose
from assistant.evaluation.names import load_names
from assistant.evaluation.outcomes import Judge, uncounted
from assistant.evaluation.records import Prediction, Record, read_records, write_records
from assistant.evaluation.retrieval import candidates, search_provisions, search_statutes
from assistant.evaluation.rows import GoldSet, SetKind, read_sets
from assistant.evaluation.scoring import CASES, SEARCHES, Key, Scores, score
from assistant.evaluation.systems import PRODUCT, Run, predict, steps_of
from assistant.evaluation.ways import WAYS, Helped, answer_helped, chosen, compare_ways, is_helped
from assistant.indexing import Progress
from assistant.law.exemplars import load_exemplars
from assistant.law.text import normalise
from assistant.prompts import Prompts
from assistant.settings import Settings
from assistant.wiring import Parts, build, helper_of, load_law

PREDICTIONS = "predictions.jsonl"


@dataclass(frozen=True)
class Plan:
    """What to evaluate. ``predictions``: files of answers to score instead of asking the product."""

    files: Mapping[SetKind, Sequence[Path]]
    out: Path
    day: date
    predictions: Sequence[Path] = ()
    baseline: Path | None = None
    keep_baseline: Path | None = None
    comparators: bool = True
    dialogue: bool = True
    limit: int | None = None
    model: bool = True  # whether the language model of the settings, if any, answers too, beside the product
    model_limit: int | None = None  # rows of each set for it


@dataclass(frozen=True)
class Missed:
    """A knowledge question, or one that should have been declined, with a wrong answer."""

    set: str
    row: str
    text: str
    expected: str
    given: str


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    plan: Plan
    scores: Scores
    sets: Sequence[GoldSet]
    wrong: Sequence[Wrong]
    missed: Sequence[Missed]
    comparison: Comparison | None
    notes: Sequence[str]
    helped: Helped | None = None  # None where no language model was asked


def evaluate(plan: Plan, settings: Settings, progress: Progress | None = None) -> Outcome:
    """Record, score, compare. Writes ``predictions.jsonl`` and ``scores.json``; the report is another's work."""
    every = read_sets(plan.files)
    if not every:
        raise InputFileError("没有要评测的文件，请用 --cases、--quiz 等选项写明。")
    before = read_baseline(plan.baseline) if plan.baseline else None  # a wrong path is said before the work
    sets = [replace(gold, rows=gold.rows[: plan.limit]) for gold in every]
    _folder(plan.out)
    judge = _judge(settings, plan.day)
    notes = uncounted(sets, judge)
    recorded = plan.out / PREDICTIONS
    if plan.predictions:
        records = [record for file in plan.predictions for record in read_records(file)]
        write_records(records, recorded)
    else:
        parts = build(settings.model_copy(update={"model": "", "model_url": ""}), progress)
        write_records(_recorded(plan, parts, every, sets, settings, progress, notes), recorded)
        records = read_records(recorded)
    texts = {normalise(exemplar.text) for exemplar in load_exemplars(settings.knowledge, judge.vocabulary)}
    asked = {normalise(one) for questions in judge.corpus.asked.values() for one in questions}
    scores = score(
        [record for record in records if not is_helped(record)],
        sets,
        judge,
        texts.__contains__,
        lambda text: normalise(text) in asked,
    )
    helped = compare_ways(records, sets, judge, texts.__contains__)
    comparison = None
    if before is not None and plan.baseline:
        comparison = compare_runs(str(plan.baseline), scores.tables, before)
    if plan.keep_baseline:
        write_baseline(scores.tables, plan.keep_baseline)
    outcome = Outcome(
        plan=plan,
        scores=scores,
        sets=sets,
        wrong=_wrong(records, sets, scores, judge),
        missed=_missed(records, sets, scores),
        comparison=comparison,
        notes=(*notes, *scores.notes, NOT_MADE if settings.model or helped else WITHOUT_MODEL),
        helped=helped,
    )
    _write(plan.out / "scores.json", json.dumps(as_values(outcome), ensure_ascii=False, indent=1))
    return outcome


def as_values(outcome: Outcome) -> dict[str, Any]:
    """The outcome as plain values: figures and columns by row, no words of any row."""
    comparison = outcome.comparison
    return {
        "day": outcome.plan.day.isoformat(),
        "sets": [
            {"name": s.name, "folder": s.folder, "kind": s.kind, "rows": len(s.rows)} for s in outcome.sets
        ],
        "notes": list(outcome.notes),
        "memory_mb": dict(outcome.scores.memory),
        "figures": [
            {**asdict(key), "measures": {name: asdict(one) for name, one in made.items()}}
            for key, made in outcome.scores.figures.items()
        ],
        "wrong": [{"set": w.set, "row": w.row, "what": list(w.what), "step": w.step} for w in outcome.wrong],
        "baseline": comparison
        and {
            "name": comparison.name,
            "changes": [{**asdict(c), "dropped": c.dropped} for c in comparison.changes],
            "turned": [asdict(t) for t in comparison.turned],
            "other_gold": comparison.regold,
        },
        "tables": dump(outcome.scores.tables),
        **({"model": outcome.helped.as_values()} if outcome.helped else {}),
    }


def write_text(file: Path, text: str) -> None:
    """Raises ``InputFileError`` where it cannot be written."""
    _write(file, text)


# ------------------------------------------------------------------ recording


def _recorded(
    plan: Plan,
    parts: Parts,
    every: Sequence[GoldSet],
    sets: Sequence[GoldSet],
    settings: Settings,
    progress: Progress | None,
    notes: list[str],
) -> Iterator[Record]:
    told = [gold for gold in sets if gold.kind not in SEARCHES]
    wordings = load_wordings(parts.advisor.law.vocabulary) if plan.dialogue else None
    listener = make_listener(settings) if plan.dialogue else None
    helpers: dict[str, Helper | None] = {}  # made before the work: a key that cannot be read is said at once
    if plan.model and settings.model and told:
        for system, use in WAYS.items():
            served = settings.model_copy(update={"model_uses": use})
            helpers[system] = helper_of(served, parts.advisor.law) if use else None
    if told:
        with _shown(progress, steps_of(told, plan.dialogue), "正在回答") as advance:
            yield from predict(Run(parts.advisor, plan.day, listener, wordings), told, advance)
    if helpers:
        some = [chosen(gold, plan.model_limit) for gold in told]
        total = len(helpers) * sum(len(gold.rows) for gold in some)
        with _shown(progress, total, "正在让大模型帮着回答") as advance:
            yield from answer_helped(Run(parts.advisor, plan.day), helpers, some, advance)
    if plan.comparators and told:
        yield from _compared(plan, parts, told, settings, progress, notes)
    for whole, gold in zip(every, sets, strict=True):
        if gold.kind == "questions":
            with _shown(progress, len(gold.rows), "正在检索") as advance:
                yield from search_provisions(parts.advisor, gold, plan.day, advance)
        elif gold.kind == "stard":
            package = open_package()
            if package is None:
                raise KnowledgeError(ABSENT)
            entries = candidates(package.file, whole.rows)
            with _shown(progress, len(gold.rows), "正在检索法律条文") as advance:
                yield from search_statutes(gold, entries, settings.data / "stard", advance, None)


def _compared(
    plan: Plan,
    parts: Parts,
    sets: Sequence[GoldSet],
    settings: Settings,
    progress: Progress | None,
    notes: list[str],
) -> Iterator[Record]:
    exemplars = load_exemplars(settings.knowledge, parts.advisor.law.vocabulary)
    if not exemplars:
        notes.append(WITHOUT_EXEMPLARS)
        return
    near = Nearness(exemplars, make_embeddings(settings), settings.data / "evaluation", fingerprint(settings))
    systems = comparators(near, parts.advisor.retriever, parts.corpus)
    compared = [gold for gold in sets if gold.kind in (*CASES, "quiz")]
    total = len(systems) * sum(len(gold.rows) for gold in compared)
    with _shown(progress, total, "正在运行对照") as advance:
        yield from compare(systems, compared, plan.day, advance)


def _shown(
    progress: Progress | None, total: int, label: str
) -> AbstractContextManager[Callable[[int], object]]:
    return progress(total, label) if progress else nullcontext(lambda _done: None)


def _judge(settings: Settings, day: date) -> Judge:
    labels = Prompts(settings.prompts).wording("labels.yaml")
    law = load_law(settings, labels, holdings.stock(settings))
    names = load_names(list(labels["signals"]), list(law.remedies))
    return Judge(law.corpus, law.vocabulary, law.tables["exemptions"], names, day)


# ------------------------------------------------------------------ wrong rows


def _wrong(
    records: Sequence[Record], sets: Sequence[GoldSet], scores: Scores, judge: Judge
) -> tuple[Wrong, ...]:
    """The wrong situations of the product's first answers, those with a wrong verdict first."""
    made = {(r.set, r.row, r.stage): r for r in records if isinstance(r, Prediction) and r.system == PRODUCT}
    found = []
    for gold in sets:
        if gold.kind not in CASES:
            continue
        table = scores.tables.get(Key(gold.folder, gold.kind, PRODUCT, "first"))
        for row in gold.rows:
            columns = table.rows.get(f"{gold.name}/{row.id}") if table else None
            first = made.get((gold.name, row.id, "first"))
            if columns is None or first is None:
                continue
            rules = made.get((gold.name, row.id, "rules"))
            if wrong := diagnose(gold, row, dict(columns), first, rules, judge):
                found.append(wrong)
    return tuple(sorted(found, key=lambda w: ("scope" not in w.what, "clauses" not in w.what)))


def _missed(records: Sequence[Record], sets: Sequence[GoldSet], scores: Scores) -> tuple[Missed, ...]:
    """The knowledge questions that the product got wrong, and what it should have declined, asked or answered."""
    made = {(r.set, r.row): r for r in records if isinstance(r, Prediction) and r.system == PRODUCT}
    found = []
    for gold in sets:
        table = scores.tables.get(Key(gold.folder, gold.kind, PRODUCT, "first"))
        if gold.kind not in ("quiz", "abstain") or table is None:
            continue
        for row in gold.rows:
            columns = table.rows.get(f"{gold.name}/{row.id}", {})
            if columns.get("right") == 0:
                wanted = str(row.gold.get("gold_answer") or columns.get("expected") or "")
                first = made.get((gold.name, row.id))
                given = str(first.answer.get("answer") or "") if first else ""
                found.append(Missed(gold.name, row.id, row.text, wanted, given))
    return tuple(found)


def _folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputFileError(f"建不了结果文件夹 {folder}（{error.strerror}），请换一个位置。") from error


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise InputFileError(f"写不了结果文件 {file}（{error.strerror}），请换一个能写的位置。") from error
