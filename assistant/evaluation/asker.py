"""A simulated asker: answers clarifying questions truthfully from the gold facts, in varied wording.

Comes in: the gold facts of a row, the wordings of ``evals/asker.yaml``. Goes out: sentences. Which wording is used is
settled by the id of the row, so that a run can be repeated. What gold leaves out because it is implied (``implied`` in
the file) is answered truthfully too; what it is silent about, with 不清楚.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.errors import KnowledgeError
from assistant.evaluation.names import read_data
from assistant.evaluation.records import Asked
from assistant.evaluation.rows import SCOPES
from assistant.law.vocabulary import Vocabulary
from assistant.model import Advice, MissingFact

ANSWERS = 3  # a dialogue has no more of them
FILE = "asker.yaml"
_SCOPE = "scope"  # in a condition: the gold scope of the row


@dataclass(frozen=True)
class Implied:
    """A fact that follows where gold says nothing of it. ``when``: fact or ``scope`` -> the values that will do.

    ``said``: ways to say it here; the fact's own where there are none.
    """

    when: Mapping[str, Sequence[str]]
    then: Mapping[str, str]
    said: Sequence[str]

    def holds(self, facts: Mapping[str, Any]) -> bool:
        return all(set(values) & set(_listed(facts.get(name))) for name, values in self.when.items())


@dataclass(frozen=True)
class Wordings:
    """``said``: fact -> value -> ways to say it. ``silent``: ways to say that it is not known.

    ``implied``: what follows from other facts; of those that hold, the first counts.
    """

    said: Mapping[str, Mapping[str, Sequence[str]]]
    silent: Sequence[str]
    implied: Sequence[Implied] = ()


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
    implied = [_implied(row, said, vocabulary) for row in read.get("implied", [])]
    return Wordings(said, read["silent"], implied)


def _implied(row: Mapping[str, Any], said: Mapping[str, Any], vocabulary: Vocabulary) -> Implied:
    made = Implied(
        {name: _listed(values) for name, values in row["when"].items()}, row["then"], row.get("said", [])
    )
    for name, values in made.when.items():
        if lacking := set(values) - set(SCOPES if name == _SCOPE else vocabulary.values_of(name)):
            raise KnowledgeError(f"“{name}”没有 {'、'.join(map(str, lacking))} 这个取值。", f"evals/{FILE}")
    for name, value in made.then.items():
        if value not in said.get(name, {}):
            raise KnowledgeError(f"“{name}={value}”没有说法，不能用来回答。", f"evals/{FILE}")
    if made.said and len(made.then) > 1:
        raise KnowledgeError("said 只能配一个事实，请分开写。", f"evals/{FILE}")
    return made


def _listed(value: Any) -> Sequence[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


@dataclass(frozen=True)
class Asker:
    """Someone who knows the gold facts of one row and what they imply, with the gold scope, and nothing else."""

    row: str
    facts: Mapping[str, Any]
    wordings: Wordings
    scope: str = ""

    def answer(self, missing: MissingFact, label: str) -> Asked:
        """What the asker says to one question. ``label`` is the name of the fact in words."""
        fact, value = missing.fact, self.facts.get(missing.fact)
        said: Mapping[str, Sequence[str]] = self.wordings.said.get(fact, {})
        if value is None and (follows := self._follows(fact)):
            value = follows.then[fact]
            said = {value: follows.said} if follows.said else said
        if value is None:
            words = self._chosen(fact, self.wordings.silent).replace("{label}", label)
            return Asked(fact, missing.question, words, known=False)
        words = "".join(
            self._chosen(fact, said.get(str(one), [f"{label}：{one}。"])) for one in _listed(value)
        )
        return Asked(fact, missing.question, words, known=True)

    def _follows(self, fact: str) -> Implied | None:
        """The first implication that tells the fact."""
        told = {**self.facts, _SCOPE: self.scope or None}
        return next((i for i in self.wordings.implied if fact in i.then and i.holds(told)), None)

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
