"""What changed from an old version of a rule to the one in force.

Comes in: ``knowledge/history.yaml`` and the corpus. Goes out: :class:`Change` rows. Raises ``KnowledgeError`` with
file and line. Days in force and the number of articles stand with the instruments and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assistant.law.corpus import Corpus
from assistant.law.schema import InstrumentId, Reference, Strict, Text, problem_at, read_yaml
from assistant.model import Instrument

_FILE = "history.yaml"


@dataclass(frozen=True)
class Change:
    """What is new since ``old``, in our own words, and the provisions of ``new`` that show it."""

    old: Instrument
    new: Instrument
    changes: str
    provisions: tuple[str, ...]


class _Row(Strict):
    old: InstrumentId
    new: InstrumentId
    changes: Text
    provisions: list[Reference]


class _File(Strict):
    history: list[_Row]


def load_history(folder: Path, corpus: Corpus) -> tuple[Change, ...]:
    """The rows in the order of the file.

    Raises:
        KnowledgeError: the first mistake: an instrument or a provision that is not in stock.
    """
    path = folder / _FILE
    rows = []
    for index, row in enumerate(read_yaml(path, _File, folder).history):
        for name in ("old", "new"):
            if getattr(row, name) not in corpus.instruments:
                message = f"没有法规“{getattr(row, name)}”，请改正编号。"
                raise problem_at(path, folder, ("history", index, name), message)
        for number, id in enumerate(row.provisions):
            if corpus.get(id) is None:
                message = f"知识库里没有条款“{id}”，请改正或删去。"
                raise problem_at(path, folder, ("history", index, "provisions", number), message)
        old, new = corpus.instruments[row.old], corpus.instruments[row.new]
        rows.append(Change(old, new, row.changes, tuple(row.provisions)))
    return tuple(rows)
