"""A simulated asker: answers clarifying questions truthfully from the gold facts, in varied wording.

Comes in: the gold facts of a row, the wordings of ``evals/asker.yaml``. Goes out: sentences. Which wording is used is
settled by the id of the row, so that a run can be repeated. What gold is silent about is answered with 不清楚.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.errors import KnowledgeError
from assistant.evaluation.names import read_data
from assistant.evaluation.records import Asked
from assistant.law.vocabulary import Vocabulary
from assistant.model import Advice, MissingFact

ANSWERS = 3  # a dialogue has no more of them
FILE = "asker.yaml"


@dataclass(frozen=True)
class Wordings:
    """``said``: fact -> value -> ways to say it. ``silent``: ways to say that it is not known.

    ``related``: fact -> other facts with a value, which answer the question for it as well (是违规，还是没有管好).
    """

    said: Mapping[str, Mapping[str, Sequence[str]]]
    silent: Sequence[str]
    related: Mapping[str, Mapping[str, str]]


def load_wordings(vocabulary: Vocabulary) -> Wordings:
    """The wordings, checked against the list of facts; every fact that may be asked for must have some.

    Raises:
        KnowledgeError: a fact or value that does not exist, or has no wording.
    """
    read = read_data(FILE)
    said: dict[str, dict[str, list[str]]] = read.get("facts", {})
    for fact, values in said.items():
        for value in values:
            if value not in vocabulary.values_of(fact):
                raise KnowledgeError(f"没有“{fact}”这个事实，或者它没有“{value}”这个取值。", f"evals/{FILE}")
    for kind in vocabulary.facts.values():
        if kind.ask is not None and (lacking := set(kind.values) - set(said.get(kind.name, {}))):
            raise KnowledgeError(f"“{kind.name}”缺少 {'、'.join(sorted(lacking))} 的说法。", f"evals/{FILE}")
    if not read.get("silent"):
        raise KnowledgeError("缺少 silent（不清楚的说法）。", f"evals/{FILE}")
    related: dict[str, dict[str, str]] = read.get("related", {})
    for others in related.values():
        for fact, value in others.items():
            if value not in said.get(fact, {}):
                raise KnowledgeError(f"“{fact}={value}”没有说法，不能用来回答别的问题。", f"evals/{FILE}")
    return Wordings(said, read["silent"], related)


@dataclass(frozen=True)
class Asker:
    """Someone who knows the gold facts of one row and nothing else."""

    row: str
    facts: Mapping[str, Any]
    wordings: Wordings

    def answer(self, missing: MissingFact, label: str) -> Asked:
        """What the asker says to one question. ``label`` is the name of the fact in words."""
        fact, value = missing.fact, self.facts.get(missing.fact)
        if value is None:
            others = self.wordings.related.get(fact, {}).items()
            fact, value = next((o for o in others if self.facts.get(o[0]) == o[1]), (fact, None))
        if value is None:
            words = self._chosen(fact, self.wordings.silent).replace("{label}", label)
            return Asked(missing.fact, missing.question, words, known=False)
        values = value if isinstance(value, list) else [value]
        said = self.wordings.said.get(fact, {})
        words = "".join(self._chosen(fact, said.get(str(one), [f"{label}：{one}。"])) for one in values)
        return Asked(missing.fact, missing.question, words, known=True)

    def _chosen(self, fact: str, ways: Sequence[str]) -> str:
        digest = hashlib.sha256(f"{self.row}|{fact}".encode()).digest()
        return ways[int.from_bytes(digest[:4]) % len(ways)]


def converse(
    asker: Asker, first: Advice, say: Callable[[Asked], Advice], vocabulary: Vocabulary
) -> tuple[Advice, tuple[Asked, ...]]:
    """Answer the first open question, look at the new answer, and so on: at most :data:`ANSWERS` of them.

    Args:
        say: takes an answer and gives the advice that follows.
    """
    advice = first
    asked: list[Asked] = []
    while len(asked) < ANSWERS and advice.determination:
        known = {one.fact for one in asked}
        open_now = [m for m in advice.determination.missing_facts if m.fact not in known]
        if not open_now:
            break
        answered = asker.answer(open_now[0], vocabulary.facts[open_now[0].fact].label)
        asked.append(answered)
        advice = say(answered)
    return advice, tuple(asked)
