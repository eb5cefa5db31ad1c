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
from functools import cached_property
from typing import Any, Literal

from assistant.model import Fact, Status

Truth = bool | None
Values = Mapping[str, frozenset[str]]  # fact or "step.NAME" -> the values it is known to have
Test = Callable[[Values], Truth]


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

    @cached_property
    def holds(self) -> Test:
        """Whether ``when`` holds for some values."""
        return _test(self.when)

    @cached_property
    def blocked(self) -> Test:
        """Whether ``unless`` holds."""
        return _test(self.unless) if self.unless is not None else lambda values: False

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The facts and findings that ``when`` speaks of."""
        return names_in(self.when)


@dataclass(frozen=True)
class Table:
    name: str
    title: str
    mode: Literal["first", "each"]
    rows: tuple[Row, ...]
    none_found: Mapping[str, str] = field(default_factory=dict)  # group of rows -> what to say when none held

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All that its conditions speak of: values that differ elsewhere only fire the same rows."""
        return tuple(dict.fromkeys(n for r in self.rows for n in (*r.names, *names_in(r.unless))))


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
    return _test(condition)(values)


def _test(condition: Any) -> Test:
    """A condition as a function: the tables are run some hundred times for one answer."""
    if condition is None:
        return lambda values: True
    return _all([_term(key, wanted) for key, wanted in condition.items()])


def _term(key: str, wanted: Any) -> Test:
    if key == "all":
        return _all([_test(part) for part in wanted])
    if key == "any":
        return _any([_test(part) for part in wanted])
    if key == "known":
        return lambda values: wanted in values
    if key in ("not", "established"):
        inner = _test(wanted)
        if key == "established":
            return lambda values: inner(values) is True
        return lambda values: None if (truth := inner(values)) is None else not truth
    options = frozenset(str(option) for option in (wanted if isinstance(wanted, list) else [wanted]))

    def has(values: Values) -> Truth:
        known = values.get(key)
        return None if known is None else not options.isdisjoint(known)

    return has


def _all(tests: Sequence[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]

    def every(values: Values) -> Truth:
        result: Truth = True
        for test in tests:
            truth = test(values)
            if truth is False:
                return False
            if truth is None:
                result = None
        return result

    return every


def _any(tests: Sequence[Test]) -> Test:
    def some(values: Values) -> Truth:
        result: Truth = False
        for test in tests:
            truth = test(values)
            if truth is True:
                return True
            if truth is None:
                result = None
        return result

    return some


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
    undecided: list[Row] = []
    for row in table.rows:
        truth = row.holds(values)
        if truth is False or row.blocked(values) is True or not all(map(in_force, row.because)):
            continue
        if truth is None:
            undecided.append(row)
            continue
        used = tuple(name for name in row.names if name in values)
        open_above = dict.fromkeys(name for row in undecided for name in row.names if name not in values)
        fired.append(Outcome(row, used, tuple(open_above)))
        if table.mode == "first":
            break
    return tuple(fired)
