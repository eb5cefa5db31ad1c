"""Facts in, determination out: ``tests/rules/*.yaml`` against the real tables."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from assistant.law.rules import names_in
from assistant.model import Fact
from assistant.steps.determination import determine
from assistant.wiring import Parts

DAY = date(2026, 3, 1)


def _text(value: Any) -> str:
    return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else str(value)


def _facts(given: dict[str, Any]) -> list[Fact]:
    return [
        Fact(name, _text(one), "", "confirmed", 1.0)
        for name, value in given.items()
        for one in (value if isinstance(value, list) else [value])
    ]


CASES = [
    case
    for path in sorted((Path(__file__).parent / "rules").glob("*.yaml"))
    for case in yaml.safe_load(path.read_text("utf-8"))
]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_facts_give_the_determination(case: dict[str, Any], parts: Parts) -> None:
    made = determine(_facts(case["facts"]), parts.advisor.law, DAY)
    if "scope" in case:
        assert made.scope == case["scope"], made.findings
    if "clauses" in case:
        assert [c.id for c in made.clauses][: len(case["clauses"])] == case["clauses"]
    if "responsibility" in case:
        assert made.responsibility == case["responsibility"]
    if "routes" in case:
        assert set(case["routes"]) <= {r.id for r in made.routes}
    if "no_routes" in case:
        assert not set(case["no_routes"]) & {r.id for r in made.routes}
    if "exact_routes" in case:
        assert {r.id for r in made.routes} == set(case["exact_routes"])
    if "steps" in case:
        steps = {r.id: [s.name for s in r.steps] for r in made.routes}
        assert {id: steps[id] for id in case["steps"]} == case["steps"]
    if "exemptions" in case:
        assert {e.id: e.status for e in made.exemptions} == case["exemptions"]
    if "signals" in case:
        assert {s.name for s in made.misuse_signals} == set(case["signals"])
    if "measures" in case:
        assert set(case["measures"]) <= {p for _, basis in made.measures for p in basis}
    if "asks" in case:
        assert set(case["asks"]) <= {m.fact for m in made.missing_facts}
    if "below" in case:
        assert made.confidence < case["below"]


def test_every_question_asked_could_change_the_verdict_or_is_waited_for(parts: Parts) -> None:
    for case in CASES:
        made = determine(_facts(case["facts"]), parts.advisor.law, DAY)
        assert len(made.missing_facts) <= 3
        for missing in made.missing_facts:
            labels = {label for _, label in missing.outcomes}
            own = parts.advisor.law.scope_labels[made.scope]
            assert labels - {own} or made.scope == "needs_more_facts", (case["name"], missing)


def test_every_fact_that_can_be_asked_for_stands_in_some_table(parts: Parts) -> None:
    law = parts.advisor.law
    used = {n for t in law.tables.values() for r in t.rows for n in (*names_in(r.when), *names_in(r.unless))}
    assert {k.name for k in law.vocabulary.facts.values() if k.ask is not None} <= used


def test_before_the_regulation_nothing_is_decided_by_it(parts: Parts) -> None:
    facts = _facts({"subject": "党的领导干部", "duty_failure": True, "consequence": "严重", "situation": "9"})
    made = determine(facts, parts.advisor.law, date(2018, 1, 1))
    assert made.scope == "needs_more_facts"
    cited = {p for f in made.findings for p in f.provisions} | {c.id for c in made.clauses}
    assert not any(id.startswith("wenze-2019") for id in cited)


def test_deadline_is_counted_from_the_day_of_receipt(parts: Parts) -> None:
    facts = _facts(
        {
            "subject": "党的领导干部",
            "duty_failure": True,
            "consequence": "严重",
            "situation": "9",
            "stage": "已作决定",
        }
    )
    made = determine(facts, parts.advisor.law, DAY, received=date(2026, 1, 31))
    deadlines = {s.deadline for r in made.routes if r.id == "RR01" for s in r.steps}
    assert date(2026, 2, 28) in deadlines


def test_dismissal_of_a_contract_worker_goes_to_arbitration_within_a_year(parts: Parts) -> None:
    facts = _facts({"subject": "其他", "identity_kind": "编外人员", "measure": "解除合同"})
    (route,) = determine(facts, parts.advisor.law, DAY, received=date(2026, 1, 31)).routes
    assert [(s.name, s.deadline) for s in route.steps] == [("劳动仲裁", date(2027, 1, 31)), ("起诉", None)]


def test_steps_that_a_rule_picks_are_steps_of_its_route(parts: Parts) -> None:
    law = parts.advisor.law
    for row in law.tables["routes"].rows:
        names = {step.name for step in law.remedies[row.then["route"]].steps}
        assert set(row.then.get("steps", ())) <= names, row.id
