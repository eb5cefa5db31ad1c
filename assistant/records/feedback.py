"""What people said of answers, for the administrator to review and to evaluate with.

Comes in: :class:`Feedback`, its scenario already masked ("" where it may not be kept). Goes out: the same, and rows
for ``zeming eval --cases``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, get_args

import sqlalchemy as sa

from assistant.model import Scope
from assistant.records.store import Store, storable
from assistant.records.tables import feedback as table


@dataclass(frozen=True)
class Feedback:
    """One opinion. ``scope`` and ``clauses`` are what was answered, ``clause`` is what would be right."""

    given: datetime
    right: bool
    reason: str
    clause: str
    scenario: str
    scope: str | None
    clauses: tuple[str, ...]
    day: date
    id: int | None = None
    reviewed: bool = False
    note: str = ""


class FeedbackBox:
    """All opinions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, feedback: Feedback) -> int:
        """Keep an opinion; its number."""
        row = {
            "given": feedback.given,
            "day": feedback.day,
            "is_right": feedback.right,
            "reviewed": feedback.reviewed,
            "scope": feedback.scope,
            "clauses": [storable(clause) for clause in feedback.clauses],
            "reason": storable(feedback.reason),
            "clause": storable(feedback.clause),
            "note": storable(feedback.note),
            "scenario": storable(feedback.scenario),
        }
        with self._store.writing() as connection:
            made = connection.execute(table.insert().values(row).returning(table.c.id))
            return int(made.scalar_one())

    def listed(self, reviewed: bool | None = None, most: int = 500) -> tuple[Feedback, ...]:
        """The newest opinions, the newest first; those that were reviewed, or were not."""
        query = sa.select(table).order_by(table.c.given.desc(), table.c.id.desc()).limit(most)
        if reviewed is not None:
            query = query.where(table.c.reviewed == reviewed)
        with self._store.reading() as connection:
            return tuple(_feedback(row) for row in connection.execute(query).mappings())

    def review(self, id: int, note: str, reviewed: bool = True) -> bool:
        """Write down what the administrator thinks of it; False where there is no such opinion."""
        change = table.update().where(table.c.id == id).values(note=storable(note), reviewed=reviewed)
        with self._store.writing() as connection:
            return connection.execute(change).rowcount > 0

    def remove(self, id: int) -> bool:
        """Delete an opinion for good; False where there is no such one."""
        return self._store.erase(table.delete().where(table.c.id == id)) > 0

    def evaluation_rows(self) -> list[dict[str, Any]]:
        """What was reviewed, as rows of "cases", the oldest first.

        An answer that was right is its own gold. Of a wrong one the gold is the clause that was given, and the
        conclusion where the administrator's note names its label (``in``, ``out_general_work`` …). Opinions
        without a situation, or of which nothing is known to be right, make no row.
        """
        query = sa.select(table).where(table.c.reviewed, table.c.scenario != "").order_by(table.c.id)
        with self._store.reading() as connection:
            rows = [_row(_feedback(row)) for row in connection.execute(query).mappings()]
        return [row for row in rows if row["scope"] or row["clauses"]]


def _feedback(row: Any) -> Feedback:
    values = {**row, "right": row["is_right"], "clauses": tuple(row["clauses"])}
    del values["is_right"]
    return Feedback(**values)


def _row(feedback: Feedback) -> dict[str, Any]:
    labels = get_args(Scope)
    named = [word for word in re.findall(r"[a-z_]+", feedback.note) if word in labels]
    given = feedback.scope if feedback.right else None
    clauses = list(feedback.clauses) if feedback.right else []
    return {
        "id": f"feedback-{feedback.id}",
        "scenario": feedback.scenario,
        "scope": named[0] if named else given,
        "clauses": [feedback.clause.strip()] if feedback.clause.strip() else clauses,
        "date": feedback.day.isoformat(),
    }
