"""Where a wrong answer went wrong: the first step at which it parts from what the gold facts give.

Comes in: the gold row, the first answer, what the rules make of the gold facts. Goes out: :class:`Wrong`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.evaluation.outcomes import Columns, Judge
from assistant.evaluation.records import Prediction
from assistant.evaluation.rows import GoldRow, GoldSet

STEPS = ("kind", "subject", "nature", "situation", "exemption", "mitigation", "scope", "responsibility")
NO_FACTS, BY_RULES, AFTER_VERDICT = "no_facts", "rules", "after_verdict"


@dataclass(frozen=True)
class StepSeen:
    """One step in both chains: the row of its table that fired, with its reason."""

    step: str
    expected: str
    given: str
    differs: bool


@dataclass(frozen=True)
class FactSeen:
    """A fact that was read otherwise than gold has it. An empty value: not told, or not read."""

    name: str
    label: str
    gold: str
    read: str
    evidence: str


@dataclass(frozen=True)
class Wrong:
    """A row with what was expected and what was given, and where the two part."""

    set: str
    row: str
    text: str
    what: tuple[str, ...]  # which of scope, clauses, exemption, route, deadline, signals
    expected: Mapping[str, str]
    given: Mapping[str, str]
    step: str
    steps: tuple[StepSeen, ...]
    facts: tuple[FactSeen, ...]


def diagnose(
    gold: GoldSet,
    row: GoldRow,
    columns: Columns,
    first: Prediction,
    rules: Prediction | None,
    judge: Judge,
) -> Wrong | None:
    """What is wrong with a row; None where nothing is."""
    what = _what(columns)
    if not what:
        return None
    steps = _steps(first, rules) if rules else ()
    return Wrong(
        set=gold.name,
        row=row.id,
        text=row.text,
        what=what,
        expected=_expected(row),
        given=_given(first.answer),
        step=_step(row, first, rules, steps),
        steps=steps,
        facts=_facts(row, first.answer, judge) if row.gold.get("facts") else (),
    )


def _what(columns: Columns) -> tuple[str, ...]:
    found = [
        name
        for column, name in (
            ("scope_right", "scope"),
            ("hit3", "clauses"),
            ("exemption_right", "exemption"),
            ("route_right", "route"),
            ("deadline_right", "deadline"),
        )
        if columns.get(column) == 0
    ]
    if columns.get("signals_gold") is not None and columns["signals_gold"] != columns["signals"]:
        found.append("signals")
    return tuple(found)


def _expected(row: GoldRow) -> dict[str, str]:
    gold = row.gold
    lists = {
        "clauses": gold.get("clauses"),
        "exemption": gold.get("exemption"),
        "route": gold.get("routes") or [gold.get("route") or ""],
        "deadline": [f"{k} {v}" for k, v in gold["deadline"].items()]
        if isinstance(gold.get("deadline"), dict)
        else [gold.get("deadline") or ""],
        "signals": gold.get("misuse_signals"),
    }
    return {
        "scope": str(gold.get("scope") or ""),
        **{k: "、".join(map(str, v or ())) for k, v in lists.items()},
    }


def _given(answer: Mapping[str, Any]) -> dict[str, str]:
    met = [e for e in answer.get("exemptions") or () if e["status"] == "met"]
    lists: Mapping[str, list[str]] = {
        "clauses": [str(c.get("label") or c["id"]) for c in (answer.get("clauses") or ())[:3]],
        "exemption": [str(e.get("label") or e["id"]) for e in met],
        "route": sorted({str(r["id"]) for r in answer.get("routes") or ()}),
        "deadline": sorted(
            {f"{r['id']} {r['deadline']}" for r in answer.get("routes") or () if r.get("deadline")}
        ),
        "signals": [str(s) for s in answer.get("misuse_signals") or ()],
    }
    scope = f"{answer.get('scope') or answer.get('kind') or ''}（{answer.get('confidence') or 0:.2f}）"
    return {"scope": scope, **{name: "、".join(values) for name, values in lists.items()}}


def _steps(first: Prediction, rules: Prediction) -> tuple[StepSeen, ...]:
    seen = [
        StepSeen(
            step,
            _told(rules.trace.get(step)),
            _told(first.trace.get(step)),
            _row(rules.trace.get(step)) != _row(first.trace.get(step)),
        )
        for step in STEPS
        if step in rules.trace or step in first.trace
    ]
    return tuple(seen)


def _row(told: Mapping[str, Any] | None) -> tuple[Any, ...]:
    return (told.get("row"), told.get("status")) if told else ()


def _told(told: Mapping[str, Any] | None) -> str:
    return f"{told.get('status')}·{told.get('row') or '—'}·{told.get('reason')}" if told else "—"


def _step(row: GoldRow, first: Prediction, rules: Prediction | None, steps: Sequence[StepSeen]) -> str:
    if first.answer.get("kind") != "scenario":
        return "kind"
    if rules is None:
        return NO_FACTS
    if row.gold.get("scope") and rules.answer.get("scope") != row.gold["scope"]:
        return BY_RULES
    return next((seen.step for seen in steps if seen.differs), AFTER_VERDICT)


def _facts(row: GoldRow, answer: Mapping[str, Any], judge: Judge) -> tuple[FactSeen, ...]:
    wanted = {
        name: sorted(map(str, value)) if isinstance(value, list) else [str(value)]
        for name, value in row.gold["facts"].items()
    }
    read: dict[str, list[str]] = {}
    words: dict[str, list[str]] = {}
    for fact in judge.of_the_case(answer):
        read.setdefault(fact["name"], []).append(str(fact["value"]))
        words.setdefault(fact["name"], []).append(str(fact.get("evidence") or ""))
    found = []
    for name, kind in judge.vocabulary.facts.items():
        gold, given = wanted.get(name, []), sorted(read.get(name, []))
        if gold != given:
            found.append(
                FactSeen(
                    name,
                    kind.label,
                    "、".join(kind.show(v) for v in gold),
                    "、".join(kind.show(v) for v in given),
                    "／".join(dict.fromkeys(w for w in words.get(name, []) if w)),
                )
            )
    return tuple(found)
