"""Conversations that are kept: each belongs to one owner, and nobody else ever sees it.

Comes in: an owner (``user:3`` or ``browser:<hash>``) and what is to be kept, already masked. Goes out: headings, and
one conversation whole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from assistant.errors import RecordsError
from assistant.records.store import Store, storable
from assistant.records.tables import conversations as table

BROWSER = "browser:"  # owners that are no accounts begin with it
_MOST_WORDS, _LONGEST_WORD = 20, 100  # of a search


@dataclass(frozen=True)
class Heading:
    """A conversation in a list."""

    id: str
    title: str
    created: datetime
    updated: datetime


@dataclass(frozen=True)
class Kept:
    """A conversation; ``body`` is JSON in which characters stand as they are (no ``\\uXXXX``), to be searched."""

    id: str
    title: str
    created: datetime
    updated: datetime
    body: str


class Conversations:
    """The conversations of all owners."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, owner: str, kept: Kept) -> None:
        """Keep a conversation, in place of what was kept under its id.

        Raises:
            RecordsError: the id is another owner's.
        """
        insert = sqlite.insert if self._store.sqlite else postgresql.insert
        row = {
            "id": storable(kept.id),
            "owner": storable(owner),
            "title": storable(kept.title),
            "created": kept.created,
            "updated": kept.updated,
            "body": storable(kept.body),
        }
        statement = insert(table).values(row)
        statement = statement.on_conflict_do_update(
            index_elements=[table.c.id],
            set_={name: statement.excluded[name] for name in ("title", "created", "updated", "body")},
            where=table.c.owner == statement.excluded.owner,
        )
        with self._store.writing() as connection:
            if connection.execute(statement.returning(table.c.id)).first() is None:
                raise RecordsError("这个对话不是您的，没有保存；请另开一个新情况。")

    def listed(self, owner: str, words: str = "", most: int = 200) -> tuple[Heading, ...]:
        """The owner's conversations, the newest first; those that have each of the words in title or text."""
        query = (
            sa.select(table.c.id, table.c.title, table.c.created, table.c.updated)
            .where(table.c.owner == owner)
            .order_by(table.c.updated.desc(), table.c.id)
            .limit(most)
        )
        for word in storable(words).split()[:_MOST_WORDS]:
            query = query.where(_has(word[:_LONGEST_WORD]))
        with self._store.reading() as connection:
            return tuple(Heading(*row) for row in connection.execute(query))

    def opened(self, owner: str, id: str) -> Kept | None:
        """One conversation of the owner; None where there is no such one."""
        query = sa.select(table.c.id, table.c.title, table.c.created, table.c.updated, table.c.body)
        with self._store.reading() as connection:
            row = connection.execute(query.where(*_one(owner, id))).first()
        return Kept(*row) if row else None

    def rename(self, owner: str, id: str, title: str) -> bool:
        """Give a conversation another title; False where there is no such one.

        Raises:
            RecordsError: the title is empty.
        """
        title = " ".join(storable(title).split())
        if not title:
            raise RecordsError("标题不能为空，请写几个字。")
        with self._store.writing() as connection:
            renamed = connection.execute(table.update().where(*_one(owner, id)).values(title=title))
        return renamed.rowcount > 0

    def forget(self, owner: str, id: str) -> bool:
        """Delete a conversation for good; False where there is no such one."""
        return self._store.erase(table.delete().where(*_one(owner, id))) > 0

    def forget_all(self, owner: str) -> int:
        """Delete all conversations of an owner for good; how many there were."""
        return self._store.erase(table.delete().where(table.c.owner == owner))

    def sweep(self, before: datetime, browsers_before: datetime) -> int:
        """Delete what was last changed before a moment, of browsers before another; how many there were."""
        of_browsers = table.c.owner.startswith(BROWSER, autoescape=True) & (table.c.updated < browsers_before)
        return self._store.erase(table.delete().where((table.c.updated < before) | of_browsers))


def _one(owner: str, id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.owner == storable(owner), table.c.id == storable(id)


def _has(word: str) -> sa.ColumnElement[bool]:
    """The word is in the title, or in the text as JSON writes it, where quotes are escaped."""
    written = json.dumps(word, ensure_ascii=False)[1:-1]
    return table.c.title.icontains(word, autoescape=True) | table.c.body.icontains(written, autoescape=True)
