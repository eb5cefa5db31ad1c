"""Lets the product answer every row of the sets, and records what it said.

Comes in: the joined parts, the sets. Goes out: records. Three stages: the first answer; what the rules make of the
gold facts; the answer after a dialogue with a simulated asker. Nothing of a row is logged.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from assistant.advisor import Advisor
from assistant.conversation import Conversation, Listener
from assistant.errors import InputFileError, QuestionError
from assistant.evaluation.asker import Asker, Wordings, converse
from assistant.evaluation.records import Asked, Memory, Prediction, Stage
from assistant.evaluation.rows import GoldRow, GoldSet
from assistant.law.vocabulary import Vocabulary
from assistant.model import Advice, Determination, Fact, Question
from assistant.privacy import mask_private
from assistant.rendering import refusal, to_contract
from assistant.steps.determination import determine

PRODUCT = "zeming"

Advance = Callable[[int], object]


@dataclass(frozen=True)
class Run:
    """What a run of the product needs. Without ``listener`` and ``wordings`` there is no dialogue."""

    advisor: Advisor
    day: date
    listener: Listener | None = None
    wordings: Wordings | None = None


def predict(run: Run, sets: Sequence[GoldSet], advance: Advance) -> Iterator[Prediction | Memory]:
    """Records of all sets, the first answers before anything else, so that their memory can be told apart."""
    check_facts(sets, run.advisor.law.vocabulary)
    warm(run, sets)
    silent: dict[tuple[str, str], Prediction] = {}  # answers that ask nothing: there will be no dialogue
    for gold in sets:
        for row in gold.rows:
            made = first_answer(run, gold, row)
            if not made.answer["missing_facts"]:
                silent[gold.name, row.id] = made
            yield made
            advance(1)
    yield Memory(PRODUCT, _peak_mb())
    for gold in sets:
        for row in gold.rows:
            if not row.gold.get("facts"):
                continue
            yield by_rules(run.advisor, gold, row, row.day(run.day))
            if run.listener and run.wordings and gold.kind == "cases":
                same = silent.get((gold.name, row.id))
                if same:
                    yield replace(same, stage="after")
                else:
                    yield _after(run, run.listener, run.wordings, gold, row)
                advance(1)


def steps_of(sets: Sequence[GoldSet], dialogue: bool) -> int:
    """How often :func:`predict` moves its progress on."""
    with_facts = sum(
        bool(row.gold.get("facts")) for gold in sets if gold.kind == "cases" for row in gold.rows
    )
    return sum(len(gold.rows) for gold in sets) + (with_facts if dialogue else 0)


def gold_facts(facts: Mapping[str, Any]) -> tuple[Fact, ...]:
    """The gold facts of a row as the rules take them: known for sure."""
    return tuple(
        Fact(name, ("no", "yes")[one] if isinstance(one, bool) else str(one), "", "confirmed", 1.0)
        for name, value in facts.items()
        for one in (value if isinstance(value, list) else [value])
    )


def check_facts(sets: Sequence[GoldSet], vocabulary: Vocabulary) -> None:
    """Every gold fact must be one of the list.

    Raises:
        InputFileError: a fact or value that does not exist.
    """
    for gold in sets:
        for row in gold.rows:
            for fact in gold_facts(row.gold.get("facts") or {}):
                if fact.value not in vocabulary.values_of(fact.name):
                    raise InputFileError(
                        f"{gold.name} 的 {row.id} 这一行，facts 字段里没有“{fact.name}={fact.value}”"
                        "这个事实或取值，请改正。"
                    )


def by_rules(advisor: Advisor, gold: GoldSet, row: GoldRow, day: date) -> Prediction:
    """What the decision tables make of the gold facts: no text is read, nothing is searched."""
    facts = gold_facts(row.gold["facts"])
    made = determine(facts, advisor.law, day, row.received)
    question = Question(row.text, day, id=row.id, received=row.received)
    advice = Advice(question, "scenario", facts, made, (), (), (), "", 0)
    answer = {**to_contract(advice), "question": ""}
    return Prediction(PRODUCT, gold.name, row.id, answer, "rules", trace_of(made))


def trace_of(made: Determination | None) -> dict[str, dict[str, Any]]:
    """Step -> the row of its table that fired, and what it says."""
    found: dict[str, dict[str, Any]] = {}
    for finding in made.findings if made else ():
        told = {"row": finding.row, "status": finding.status, "reason": finding.reason}
        found.setdefault(finding.step, {**told, "facts": list(finding.facts)})
    return found


def _question(run: Run, row: GoldRow) -> Question:
    return Question(row.text, row.day(run.day), id=row.id, received=row.received)


def _ask(run: Run, row: GoldRow) -> Advice | str:
    """The advice, or the sentence that says why there is none."""
    try:
        return run.advisor.ask(_question(run, row))
    except QuestionError as error:
        return str(error)


def first_answer(run: Run, gold: GoldSet, row: GoldRow) -> Prediction:
    """What is said to a row at once; a sentence where it cannot be read."""
    advice = _ask(run, row)
    if isinstance(advice, str):
        return Prediction(PRODUCT, gold.name, row.id, _refused(row, advice))
    return _recorded(advice, gold, row, "first")


def _refused(row: GoldRow, sentence: str) -> dict[str, Any]:
    return refusal(row.id, mask_private(row.text)[0], sentence)


def _recorded(
    advice: Advice, gold: GoldSet, row: GoldRow, stage: Stage, asked: tuple[Asked, ...] = ()
) -> Prediction:
    return Prediction(
        PRODUCT, gold.name, row.id, to_contract(advice), stage, trace_of(advice.determination), asked
    )


def _after(run: Run, listener: Listener, wordings: Wordings, gold: GoldSet, row: GoldRow) -> Prediction:
    """The answer after at most three clarifying answers, said in a conversation as a person would say them."""
    talk = Conversation(run.advisor, listener)
    try:
        first = talk.say(row.text, row.day(run.day), row.received)
    except QuestionError as error:
        return Prediction(PRODUCT, gold.name, row.id, _refused(row, str(error)), "after")
    asker = Asker(row.id, row.gold["facts"], wordings, row.gold["scope"])
    advice, asked = converse(
        asker, first, lambda one: talk.say(one.answer, row.day(run.day), row.received), listener.vocabulary
    )
    return _recorded(advice, gold, row, "after", asked)


def warm(run: Run, sets: Sequence[GoldSet]) -> None:
    """The first answer of a process loads what later ones find ready."""
    for gold in sets[:1]:
        for row in gold.rows[:1]:
            _ask(run, row)


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
