"""Words in a story that are written for a program, not to tell what happened.

Comes in: ``knowledge/orders.yaml``. Goes out: :class:`Orders`. Raises ``KnowledgeError`` with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import field_validator

from assistant.law.schema import Strict, Text, read_yaml
from assistant.law.text import normalise, sentences

_FILE = "orders.yaml"


class _File(Strict):
    orders: list[Text]

    @field_validator("orders")
    @classmethod
    def _compiles(cls, rows: list[str]) -> list[str]:
        for row in rows:
            try:
                re.compile(row)
            except re.error as error:
                raise ValueError(f"正则写法有误：{row}（{error}）") from error
        return rows


@dataclass(frozen=True)
class Orders:
    """Finds such sentences."""

    patterns: Sequence[re.Pattern[str]] = ()

    def around(self, text: str, start: int, end: int) -> bool:
        """Whether a stretch of a text lies in a sentence, or reaches into one, that gives orders."""
        near = [normalise(s.text) for s in sentences(text) if s.start < end and start < s.end]
        return any(pattern.search(sentence) for sentence in near for pattern in self.patterns)


def load_orders(folder: Path) -> Orders:
    """Read ``orders.yaml`` in the knowledge folder.

    Raises:
        KnowledgeError: a key that is unknown or missing, or a regex that is none.
    """
    file = read_yaml(folder / _FILE, _File, folder)
    return Orders(tuple(re.compile(row, re.IGNORECASE) for row in file.orders))
