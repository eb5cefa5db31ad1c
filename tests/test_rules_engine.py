"""The engine of decision tables, on an invented table."""

from __future__ import annotations

import pytest

from assistant.law.rules import Row, Table, holds, names_in, run_table

V = {"wet": frozenset({"yes"}), "tools": frozenset({"spade", "rake"}), "step.dug": frozenset({"no"})}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({}, True),
        (None, True),
        ({"wet": "yes"}, True),
        ({"wet": "no"}, False),
        ({"cold": "yes"}, None),
        ({"tools": "rake"}, True),
        ({"tools": ["hoe", "spade"]}, True),
        ({"tools": "hoe"}, False),
        ({"wet": "yes", "cold": "yes"}, None),
        ({"wet": "no", "cold": "yes"}, False),
        ({"any": [{"cold": "yes"}, {"wet": "yes"}]}, True),
        ({"any": [{"cold": "yes"}, {"wet": "no"}]}, None),
        ({"any": [{"wet": "no"}, {"tools": "hoe"}]}, False),
        ({"all": [{"wet": "yes"}, {"step.dug": "no"}]}, True),
        ({"not": {"wet": "yes"}}, False),
        ({"not": {"cold": "yes"}}, None),
        ({"not": {"established": {"cold": "yes"}}}, True),
        ({"established": {"cold": "yes"}}, False),
        ({"known": "wet"}, True),
        ({"known": "cold"}, False),
    ],
)
def test_conditions_know_three_truth_values(condition: object, expected: bool | None) -> None:
    assert holds(condition, V) is expected


def _table(mode: str, *rows: Row) -> Table:
    return Table("t", "表", mode, rows)  # type: ignore[arg-type]


def _row(id: str, when: object, unless: object = None, because: tuple[str, ...] = ()) -> Row:
    return Row(id, when, unless, "yes", id, because)


def test_first_takes_the_first_row_that_holds_and_names_what_was_open_above_it() -> None:
    table = _table("first", _row("a", {"cold": "yes"}), _row("b", {"wet": "yes"}), _row("c", {}))
    (outcome,) = run_table(table, V, lambda _: True)
    assert (outcome.row.id, outcome.used, outcome.missing) == ("b", ("wet",), ("cold",))


def test_each_takes_every_row_that_holds() -> None:
    table = _table(
        "each", _row("a", {"wet": "yes"}), _row("b", {"cold": "yes"}), _row("c", {"tools": "rake"})
    )
    assert [o.row.id for o in run_table(table, V, lambda _: True)] == ["a", "c"]


def test_unless_blocks_only_when_established() -> None:
    blocked = _row("a", {"wet": "yes"}, unless={"tools": "rake"})
    open_ = _row("b", {"wet": "yes"}, unless={"cold": "yes"})
    assert [o.row.id for o in run_table(_table("each", blocked, open_), V, lambda _: True)] == ["b"]


def test_a_row_counts_only_while_its_provisions_are_in_force() -> None:
    table = _table("first", _row("new", {"wet": "yes"}, because=("new#1",)), _row("old", {"wet": "yes"}))
    (outcome,) = run_table(table, V, lambda provision: provision != "new#1")
    assert outcome.row.id == "old"


def test_names_of_nested_conditions() -> None:
    condition = {"any": [{"a": "1"}, {"not": {"b": "2"}}], "established": {"c": "3"}, "known": "d"}
    assert names_in(condition) == ("a", "b", "c", "d")
