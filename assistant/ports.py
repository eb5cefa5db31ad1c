"""What the steps need from outside, as protocols. Adapters implement them, wiring joins them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Entry:
    """One text of the index. Several entries may point to one provision (its digest, the ways people ask for it).

    ``key`` is unique and stable (``wenze-2019#20`` or ``wenze-2019#20?3``); ``role`` is "provision" or "asked".
    """

    key: str
    provision_id: str
    role: str
    text: str


@dataclass(frozen=True)
class Hit:
    entry_key: str
    provision_id: str
    role: str
    score: float  # cosine similarity


class VectorIndex(Protocol):
    """Dense search over the published index. The index gives ids; the corpus gives the words."""

    def search(self, text: str, k: int) -> Sequence[Hit]: ...
