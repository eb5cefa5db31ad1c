"""From facts to a determination: the eight steps, run over the decision tables.

Comes in: facts, the day for which the law is read, the day a decision was received. Goes out: a
:class:`~assistant.model.Determination`. Nothing here reads text; verdicts come from ``knowledge/rules`` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, cast

from assistant.law.corpus import Corpus
from assistant.law.remedies import only_steps, routes_with_deadlines
from assistant.law.rules import Outcome, Table, Values, run_table, values_of
from assistant.law.tables import RemedyRow
from assistant.law.vocabulary import Vocabulary
from assistant.model import (
    Clause,
    Determination,
    Exemption,
    Fact,
    Finding,
    MissingFact,
    MisuseSignal,
    Other,
    Route,
    Scope,
    Status,
)

STEPS = ("subject", "nature", "situation")
TABLES = (
    "abstain",
    "kind",
    *STEPS,
    "exemptions",
    "scope",
    "responsibility",
    "clauses",
    "measures",
    "misuse",
    "routes",
    "others",
)
QUESTIONS_AT_A_TIME = 3
CLAUSES = 3
GENERAL_SCORE = 0.01  # of a clause that applies whatever was done
CANDIDATE_SCORE = 0.3  # a clause that is only likely never outranks one from the facts
TENTATIVE_ROW = 0.6  # a verdict from a less certain row is asked about as if there were none


@dataclass(frozen=True)
class Law:
    """Everything a determination is made from, joined once at start."""

    corpus: Corpus
    vocabulary: Vocabulary
    tables: Mapping[str, Table]
    remedies: Mapping[str, RemedyRow]
    scope_labels: Mapping[str, str]

    def in_force(self, day: date) -> _InForce:
        return _InForce(self.corpus, day)


@dataclass(frozen=True)
class _InForce:
    corpus: Corpus
    day: date
    known: dict[str, bool] = field(default_factory=dict)  # one answer asks for the same ones very often

    def __call__(self, provision_id: str) -> bool:
        known = self.known.get(provision_id)
        if known is None:
            provision = self.corpus.get(provision_id)
            known = provision is not None and provision.instrument.in_force(self.day)
            self.known[provision_id] = known
        return known


@dataclass(frozen=True)
class _Runs:
    """Runs the tables of one determination. A what-if changes what few tables look at; the others are not run again."""

    law: Law
    in_force: _InForce
    seen: dict[tuple[Any, ...], tuple[Outcome, ...]] = field(default_factory=dict)

    def __call__(self, name: str, values: Values) -> tuple[Outcome, ...]:
        table = self.law.tables[name]
        key = (name, *map(values.get, table.names))
        if key not in self.seen:
            self.seen[key] = run_table(table, values, self.in_force)
        return self.seen[key]


@dataclass(frozen=True)
class _Chain:
    """The steps up to the verdict; what follows from the verdict is worked out once, not for every what-if."""

    values: Values
    findings: tuple[Finding, ...]
    exemptions: tuple[Outcome, ...]
    scope: Outcome | None

    @property
    def label(self) -> Scope:
        wanted = str(self.scope.row.then["scope"]) if self.scope else "needs_more_facts"
        return cast(Scope, wanted)


def determine(
    facts: Iterable[Fact],
    law: Law,
    day: date,
    received: date | None = None,
    likely: Mapping[Scope, float] | None = None,
    questions: tuple[MissingFact, ...] = (),
    ranked: Mapping[str, tuple[tuple[str, float], ...]] | None = None,
    settled: frozenset[str] = frozenset(),
) -> Determination:
    """Run all steps.

    Args:
        facts: what is known; a fact that is absent is unknown.
        law: the tables and the corpus they point to.
        day: the day for which the law is read.
        received: the day a decision was received; without it no deadline is computed.
        likely: how likely each verdict is to whoever read the facts; caps how sure the verdict is.
        questions: what he would ask; questions that follow from the facts alone are asked after them.
        ranked: for facts with several values, further values with how likely each is: their clauses come as
            candidates behind those of the facts.
        settled: facts that are not asked for any more.
    """
    facts = tuple(facts)
    in_force = law.in_force(day)
    runs = _Runs(law, in_force)
    chain = _chain(values_of(facts), runs)
    values = {**chain.values, "scope": frozenset({chain.label})}

    def run(name: str) -> tuple[Outcome, ...]:
        return runs(name, values)

    responsibility = run("responsibility")
    findings = list(chain.findings)
    if responsibility:
        findings.append(_finding(law.tables["responsibility"], responsibility[0]))
    routes = run("routes")
    misuse = run("misuse")
    return Determination(
        scope=chain.label,
        confidence=_confidence(chain, facts, law, likely or {}),
        subject=_one(chain.values, "subject"),
        responsibility=str(responsibility[0].row.then["responsibility"]) if responsibility else None,
        clauses=_with_candidates(
            _clauses(run("clauses"), facts, law.corpus), values, ranked or {}, law, in_force
        ),
        findings=tuple(findings),
        measures=tuple((outcome.row.reason, outcome.row.because) for outcome in run("measures")),
        exemptions=_exemptions(chain.exemptions, law.corpus),
        routes=_routes(routes, law, received, in_force),
        misuse_signals=_signals(misuse, facts),
        missing_facts=_first_of(questions, _questions(chain, runs, settled, bool(likely))),
        variant=str(chain.scope.row.then.get("label", "")) if chain.scope else "",
        others=_others(run("others")),
    )


def scope_of(facts: Iterable[Fact], law: Law, day: date) -> Scope:
    """The verdict alone, for what-if questions: a small part of the work of ``determine``."""
    return _chain(values_of(tuple(facts)), _Runs(law, law.in_force(day))).label


def routes_for(facts: Iterable[Fact], law: Law, day: date, received: date | None = None) -> tuple[Route, ...]:
    """The remedy routes that follow from the measure and the person alone, without a verdict."""
    in_force = law.in_force(day)
    return _routes(run_table(law.tables["routes"], values_of(facts), in_force), law, received, in_force)


# ------------------------------------------------------------------ the chain


def _chain(values: Values, runs: _Runs) -> _Chain:
    law, in_force = runs.law, runs.in_force
    known = dict(values)
    findings = []
    for step in STEPS:
        table = law.tables[step]
        outcomes = runs(step, known)
        finding = _finding(table, outcomes[0]) if outcomes else _open_finding(table, known, in_force)
        findings.append(finding)
        if finding.status != "unknown":
            known[f"step.{step}"] = frozenset({finding.status})
    exemptions = runs("exemptions", known)
    for group, title in (("exemption", "免责"), ("mitigation", "从轻")):
        finding = _group_finding(law.tables["exemptions"], exemptions, group, title, in_force)
        findings.append(finding)
        if finding.status != "unknown":
            known[f"step.{group}"] = frozenset({finding.status})
    scope = runs("scope", known)
    if scope:
        verdict = _finding(law.tables["scope"], scope[0])
        explained = next((f for f in findings if f.step == scope[0].row.then.get("explained_by")), None)
        if explained:  # the step that turned the verdict gives its reason and its provisions
            reason = f"{verdict.reason}：{explained.reason}"
            verdict = replace(verdict, reason=reason, provisions=explained.provisions)
        findings.append(verdict)
    return _Chain(known, tuple(findings), exemptions, scope[0] if scope else None)


def _finding(table: Table, outcome: Outcome) -> Finding:
    row = outcome.row
    return Finding(
        step=table.name,
        title=table.title,
        status=row.status,
        reason=row.reason,
        provisions=row.because,
        row=row.id,
        facts=outcome.used,
        missing=outcome.missing,
    )


def _open_finding(table: Table, values: Values, in_force: _InForce) -> Finding:
    """No row fired: what was looked at, and which facts would decide it."""
    rows = [row for row in table.rows if all(in_force(p) for p in row.because)]
    missing = dict.fromkeys(n for row in rows for n in row.names if n not in values)
    looked_at = tuple(dict.fromkeys(p for row in rows for p in row.because))[:1]
    reason = (
        f"所说的情况还不足以判断{table.title}"
        if rows
        else f"该日有效的规定里，知识库没有可用来判断{table.title}的条款"
    )
    return Finding(table.name, table.title, "unknown", reason, looked_at, missing=tuple(missing))


def _group_finding(
    table: Table, outcomes: tuple[Outcome, ...], group: str, title: str, in_force: _InForce
) -> Finding:
    """One finding for all rows of a group: met, possible, or looked for and not found."""
    by_status: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.row.then.get("group") == group:
            by_status.setdefault(str(outcome.row.then["status"]), []).append(outcome)
    status: Status = "no"
    chosen: list[Outcome] = []
    if by_status.get("met"):
        status, chosen = "yes", by_status["met"]
    elif by_status.get("possible"):
        status, chosen = "unknown", by_status["possible"]
    elif by_status.get("not_met"):
        chosen = by_status["not_met"]
    rows = [o.row for o in chosen] or [r for r in table.rows if r.then.get("group") == group]
    provisions = tuple(dict.fromkeys(p for row in rows for p in row.because if in_force(p)))
    if not provisions:
        return Finding(group, title, "unknown", f"该日有效的规定里，知识库没有可用来判断{title}的条款", ())
    return Finding(
        step=group,
        title=title,
        status=status,
        reason="；".join(row.reason for row in rows) if chosen else table.none_found[group],
        provisions=provisions,
        row=chosen[0].row.id if chosen else "",
        facts=tuple(dict.fromkeys(f for o in chosen for f in o.used)),
    )


# ------------------------------------------------------------------ what follows from the verdict


def _first_of(first: tuple[MissingFact, ...], then: tuple[MissingFact, ...]) -> tuple[MissingFact, ...]:
    """The first few questions of both, each fact once."""
    by_fact = {question.fact: question for question in (*then, *first)}
    order = dict.fromkeys(question.fact for question in (*first, *then))
    return tuple(by_fact[fact] for fact in order)[:QUESTIONS_AT_A_TIME]


def _confidence(chain: _Chain, facts: tuple[Fact, ...], law: Law, likely: Mapping[Scope, float]) -> float:
    """How sure: the least certain row, and how likely the verdict is.

    Where nobody said how likely it is, the least certain fact that it rests on.
    """
    if chain.scope is None:
        return 0.3
    certainty = chain.scope.row.certainty
    used = set(chain.scope.used)
    rows = {row.id: row for step in STEPS for row in law.tables[step].rows}
    for finding in chain.findings:
        if f"step.{finding.step}" in used:
            used.update(finding.facts)
            if finding.row in rows:
                certainty = min(certainty, rows[finding.row].certainty)
    if likely:
        return round(min(certainty, likely.get(chain.label, 0.0)), 2)
    best: dict[str, float] = {}
    for fact in facts:
        if fact.name in used:
            best[fact.name] = max(best.get(fact.name, 0.0), fact.confidence)
    return round(min([certainty, *best.values()]), 2)


def _one(values: Values, name: str) -> str | None:
    known = sorted(values.get(name, frozenset()))
    return known[0] if known else None


def _clauses(outcomes: tuple[Outcome, ...], facts: tuple[Fact, ...], corpus: Corpus) -> tuple[Clause, ...]:
    scores: dict[str, float] = {}
    for outcome in outcomes:
        score = float(outcome.row.then.get("score", 0.0))
        name, _, value = str(outcome.row.then.get("from_fact", "")).partition("=")
        score = max([score, *(f.confidence for f in facts if f.name == name and f.value == value)])
        for provision in outcome.row.because:
            scores[provision] = max(scores.get(provision, 0.0), score)
    ordered = sorted(scores.items(), key=lambda pair: -pair[1])
    return tuple(Clause(id, corpus.provision(id).label, round(score, 3)) for id, score in ordered)


def _with_candidates(
    clauses: tuple[Clause, ...],
    values: Values,
    ranked: Mapping[str, tuple[tuple[str, float], ...]],
    law: Law,
    in_force: _InForce,
) -> tuple[Clause, ...]:
    """Fill up to three with the clauses that further values of facts would give, in the order of the values.

    A clause that stands for whatever is not told more closely (its score is the least) comes after them.
    """
    scores: dict[str, float] = {}
    have = {clause.id for clause in clauses}
    for name, further in ranked.items():
        for value, share in further:
            outcomes = run_table(law.tables["clauses"], {**values, name: frozenset({value})}, in_force)
            for outcome in outcomes:
                if outcome.row.then.get("from_fact") == f"{name}={value}":
                    for provision in outcome.row.because:
                        if provision not in have:
                            scores.setdefault(provision, min([share, *scores.values()]))
    close = sum(clause.score > GENERAL_SCORE for clause in clauses)
    ordered = list(scores.items())[: max(CLAUSES - close, 0)]
    candidates = tuple(
        Clause(id, law.corpus.provision(id).label, round(CANDIDATE_SCORE * share, 3), candidate=True)
        for id, share in ordered
    )
    return (*clauses[:close], *candidates, *clauses[close:])


def _exemptions(outcomes: tuple[Outcome, ...], corpus: Corpus) -> tuple[Exemption, ...]:
    found = []
    for outcome in outcomes:
        then = outcome.row.then
        provision = corpus.provision(str(then["provision"]))
        found.append(
            Exemption(
                id=provision.id,
                label=provision.label,
                status=then["status"],
                reason=outcome.row.reason,
                effect=str(then["effect"]),
            )
        )
    order = {"met": 0, "possible": 1, "not_met": 2}
    return tuple(sorted(found, key=lambda e: order[e.status]))


def _routes(
    outcomes: tuple[Outcome, ...], law: Law, received: date | None, in_force: _InForce
) -> tuple[Route, ...]:
    steps: dict[str, list[str]] = {}  # the steps that concern this decision, by route
    for outcome in outcomes:
        row = law.remedies[str(outcome.row.then["route"])]
        steps.setdefault(row.id, []).extend(outcome.row.then.get("steps") or [s.name for s in row.steps])
    rows = [only_steps(law.remedies[id], wanted) for id, wanted in steps.items()]
    return routes_with_deadlines(rows, received, in_force)


def _signals(outcomes: tuple[Outcome, ...], facts: tuple[Fact, ...]) -> tuple[MisuseSignal, ...]:
    signals: dict[str, MisuseSignal] = {}
    for outcome in outcomes:
        name = str(outcome.row.then["signal"])
        words = next((f.evidence for f in facts if f.name in outcome.used and f.evidence), "")
        signals.setdefault(name, MisuseSignal(name, outcome.row.reason, outcome.row.because, words))
    return tuple(signals.values())


def _others(outcomes: tuple[Outcome, ...]) -> tuple[Other, ...]:
    """What may await the others of the story; the first row that speaks of somebody counts."""
    others: dict[str, Other] = {}
    for outcome in outcomes:
        who = str(outcome.row.then["who"])
        others.setdefault(who, Other(who, outcome.row.reason, outcome.row.because))
    return tuple(others.values())


# ------------------------------------------------------------------ only questions that matter


def _questions(chain: _Chain, runs: _Runs, settled: frozenset[str], weighed: bool) -> tuple[MissingFact, ...]:
    """Facts worth asking for: some answer would change the verdict, or the verdict waits for them.

    ``weighed``: whoever read the facts asks by himself for what is likely to matter. Then only an exemption is asked
    for besides, where the verdict is that the matter is in scope: nobody should miss one for not having told it.
    """
    law = runs.law
    waiting = _waited_for(chain, law)
    open_verdict = chain.label == "needs_more_facts" or (
        chain.scope is not None and chain.scope.row.certainty < TENTATIVE_ROW
    )
    wanted = []
    for kind in law.vocabulary.facts.values():
        if kind.ask is None or kind.name in chain.values or kind.name in settled:
            continue
        if kind.ask_only_if_open and not open_verdict:
            continue
        outcomes = {
            value: _chain({**_given(chain.values), kind.name: frozenset({value})}, runs).label
            for value in kind.values
        }
        changes = any(label != chain.label for label in outcomes.values())
        if weighed and not open_verdict:
            changes = chain.label == "in" and "in_but_exempt" in outcomes.values()
        if changes or (open_verdict and kind.name in waiting):
            wanted.append((kind.ask, kind, outcomes))
    wanted.sort(key=lambda entry: entry[0])
    return tuple(
        MissingFact(
            fact=kind.name,
            question=kind.question,
            outcomes=tuple((kind.show(value), law.scope_labels[label]) for value, label in outcomes.items()),
        )
        for _, kind, outcomes in wanted[:QUESTIONS_AT_A_TIME]
    )


def _waited_for(chain: _Chain, law: Law) -> set[str]:
    """Facts that alone would decide a row of a step that is still open."""
    names: set[str] = set()
    for finding in chain.findings:
        if finding.status == "unknown" and finding.step in STEPS:
            for row in law.tables[finding.step].rows:
                unknown = [name for name in row.names if name not in chain.values]
                if len(unknown) == 1:
                    names.update(unknown)
    return names


def _given(values: Values) -> dict[str, frozenset[str]]:
    """The facts without the findings made from them."""
    return {name: known for name, known in values.items() if not name.startswith("step.")}
