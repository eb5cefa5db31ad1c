"""Decision tables and the small engine that runs them.

Comes in: tables of ``knowledge/rules/`` and facts. Goes out: for each table the rows that fired, with the facts
they rest on. Knows three truth values; an unknown fact never makes a condition true or false.

A table in mode ``first`` yields the first row that holds; in mode ``each`` every row that holds. A row holds when
its ``when`` is true and its ``unless`` is not established. A row counts only while every provision it rests on is
in force, so that an old day never gets a new rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from assistant.model import Fact, Status

Truth = bool | None
Values = Mapping[str, frozenset[str]]  # fact or "step.NAME" -> the values it is known to have


@dataclass(frozen=True)
class Row:
    """One row of a decision table. ``then`` holds what the table's reader makes of it."""

    id: str
    when: Any
    unless: Any
    status: Status
    reason: str
    because: tuple[str, ...]
    then: Mapping[str, Any] = field(default_factory=dict)
    certainty: float = 1.0


@dataclass(frozen=True)
class Table:
    name: str
    title: str
    mode: Literal["first", "each"]
    rows: tuple[Row, ...]
    none_found: Mapping[str, str] = field(default_factory=dict)  # group of rows -> what to say when none held


@dataclass(frozen=True)
class Outcome:
    """A row that fired: the names of the facts it rests on, and of those that keep an earlier row undecided."""

    row: Row
    used: tuple[str, ...]
    missing: tuple[str, ...]


def values_of(facts: Iterable[Fact]) -> dict[str, frozenset[str]]:
    """Facts as the engine reads them.

    >>> values_of([Fact("stage", "调查中", "在查", "lexicon", 0.9)])
    {'stage': frozenset({'调查中'})}
    """
    gathered: dict[str, set[str]] = {}
    for fact in facts:
        gathered.setdefault(fact.name, set()).add(fact.value)
    return {name: frozenset(values) for name, values in gathered.items()}


def holds(condition: Any, values: Values) -> Truth:
    """Whether a condition is true (True), false (False) or not known (None).

    >>> v = {"stage": frozenset({"调查中"})}
    >>> holds({"stage": "调查中"}, v), holds({"stage": "已作决定"}, v), holds({"quota": "yes"}, v)
    (True, False, None)
    >>> holds({"any": [{"quota": "yes"}, {"stage": "调查中"}]}, v)
    True
    >>> holds({"established": {"quota": "yes"}}, v)
    False
    """
    if condition is None:
        return True
    results = [_term(key, wanted, values) for key, wanted in condition.items()]
    return _all(results)


def _term(key: str, wanted: Any, values: Values) -> Truth:
    if key == "all":
        return _all([holds(part, values) for part in wanted])
    if key == "any":
        return _any([holds(part, values) for part in wanted])
    if key == "not":
        truth = holds(wanted, values)
        return None if truth is None else not truth
    if key == "established":
        return holds(wanted, values) is True
    if key == "known":
        return wanted in values
    known = values.get(key)
    if known is None:
        return None
    options = wanted if isinstance(wanted, list) else [wanted]
    return any(str(option) in known for option in options)


def _all(results: Sequence[Truth]) -> Truth:
    if any(result is False for result in results):
        return False
    return None if any(result is None for result in results) else True


def _any(results: Sequence[Truth]) -> Truth:
    if any(result is True for result in results):
        return True
    return None if any(result is None for result in results) else False


def names_in(condition: Any) -> tuple[str, ...]:
    """The facts and findings a condition speaks of, in order, each once.

    >>> names_in({"all": [{"a": "1"}, {"not": {"b": "2"}}], "known": "c"})
    ('a', 'b', 'c')
    """
    found: dict[str, None] = {}
    for key, wanted in (condition or {}).items():
        if key in ("all", "any"):
            for part in wanted:
                found.update(dict.fromkeys(names_in(part)))
        elif key in ("not", "established"):
            found.update(dict.fromkeys(names_in(wanted)))
        elif key == "known":
            found[wanted] = None
        else:
            found[key] = None
    return tuple(found)


def run_table(table: Table, values: Values, in_force: Callable[[str], bool]) -> tuple[Outcome, ...]:
    """The rows of a table that fire for these values.

    ``in_force`` tells whether a provision applies on the day asked about. In mode ``first`` the result has at most
    one outcome; its ``missing`` names the unknown facts of the rows above it that might have fired instead.
    """
    fired: list[Outcome] = []
    undecided: dict[str, None] = {}
    for row in table.rows:
        if not all(in_force(provision) for provision in row.because):
            continue
        if row.unless is not None and holds(row.unless, values) is True:
            continue
        truth = holds(row.when, values)
        if truth is None:
            undecided.update(dict.fromkeys(name for name in names_in(row.when) if name not in values))
        elif truth:
            used = tuple(name for name in names_in(row.when) if name in values)
            fired.append(Outcome(row, used, tuple(undecided)))
            if table.mode == "first":
                break
    return tuple(fired)
