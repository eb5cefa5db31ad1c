"""Who signed in and who changed what; never what a case is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from assistant.records.store import Store, storable
from assistant.records.tables import audit as table

_LONGEST = 200


@dataclass(frozen=True)
class Event:
    """One line of the log. ``about`` is the name of a file or of an account."""

    at: datetime
    who: str
    what: str
    about: str


class Audit:
    """The log; it only grows."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock

    def note(self, who: str, what: str, about: str = "") -> None:
        """Write a line."""
        row = {"who": who, "what": what, "about": about}
        row = {name: storable(" ".join(value.split()))[:_LONGEST] for name, value in row.items()}
        with self._store.writing() as connection:
            connection.execute(table.insert().values(at=self._clock(), **row))

    def listed(self, most: int = 500) -> tuple[Event, ...]:
        """The newest lines, the newest first."""
        query = sa.select(table.c.at, table.c.who, table.c.what, table.c.about)
        with self._store.reading() as connection:
            return tuple(
                Event(*row) for row in connection.execute(query.order_by(table.c.id.desc()).limit(most))
            )
