"""The list of facts a verdict may rest on.

Comes in: ``knowledge/facts.yaml``. Goes out: :class:`Vocabulary`. Raises ``KnowledgeError``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import Field

from assistant.law.schema import Strict, read_yaml


@dataclass(frozen=True)
class FactKind:
    """One fact: what it means, which values it may take, how to ask for it.

    ``ask`` orders the questions (1 first); ``None`` means that people are never asked for it.
    A ``flag`` has the values ``yes`` and ``no``; a ``many`` fact may hold several values at once.
    """

    name: str
    label: str
    kind: Literal["choice", "many", "flag"]
    about: Literal["asked", "case", "question"]
    values: tuple[str, ...]
    value_labels: Mapping[str, str] = field(default_factory=dict)
    meaning: str = ""
    ask: int | None = None
    question: str = ""
    ask_only_if_open: bool = False
    reliability: Mapping[str, float] = field(default_factory=dict)  # value -> how often reading it is right

    def show(self, value: str) -> str:
        """The value as readers see it.

        >>> FactKind("x", "后果", "flag", "case", ("yes", "no")).show("no")
        '否'
        """
        if self.kind == "flag":
            return {"yes": "是", "no": "否"}.get(value, value)
        return self.value_labels.get(value, value)


class _FactRow(Strict):
    label: str = Field(min_length=1)
    kind: Literal["choice", "many", "flag"]
    about: Literal["asked", "case", "question"]
    values: list[str] = []
    value_labels: dict[str, str] = {}
    meaning: str = ""
    ask: int | None = None
    question: str = ""
    ask_only_if_open: bool = False  # asked only while there is no verdict yet
    reliability: dict[str, float] = {}


class _FactFile(Strict):
    facts: dict[str, _FactRow]


@dataclass(frozen=True)
class Vocabulary:
    facts: Mapping[str, FactKind]

    def values_of(self, name: str) -> tuple[str, ...]:
        """The values a fact may take; empty for a name that is not a fact."""
        kind = self.facts.get(name)
        return kind.values if kind else ()


def load_vocabulary(folder: Path) -> Vocabulary:
    """Read ``facts.yaml`` in the knowledge folder.

    Raises:
        KnowledgeError: a key that is unknown or missing, with file and line.
    """
    file = read_yaml(folder / "facts.yaml", _FactFile, folder)
    kinds = {}
    for name, row in file.facts.items():
        values = ("yes", "no") if row.kind == "flag" else tuple(row.values)
        kinds[name] = FactKind(
            name=name,
            label=row.label,
            kind=row.kind,
            about=row.about,
            values=values,
            value_labels=row.value_labels,
            meaning=row.meaning,
            ask=row.ask,
            question=row.question,
            ask_only_if_open=row.ask_only_if_open,
            reliability=row.reliability,
        )
    return Vocabulary(facts=kinds)
