"""An earlier run to compare with: which rows were gained and lost, and whether quality dropped beyond noise.

Comes in: the tables of this run, the file of an earlier one. Goes out: :class:`Comparison`. Raises
``InputFileError`` for a file that is none. A main measure dropped beyond noise when the whole 95 % interval of its
paired difference, over the rows that both runs have and whose gold is the same, lies below zero.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import InputFileError
from assistant.evaluation.measures import OF_PART, Figure, Table, change
from assistant.evaluation.scoring import INDEXED, Key, product

SHOWN = {"scope_right": "scope", "hit3": "hit3", "right": "right", "valid": "citations"}
KEPT = frozenset(
    (
        *("scope_gold", "scope", "scope_right", "inout_right", "hit3", "exemption_gold", "exemption"),
        *("route_right", "deadline_right", "signals_gold", "signals", "right", "valid"),
        *("pairs", "same", "changed", "both_right", "recall_10", "reciprocal"),
    )
)
"""The columns that a baseline needs: those of the main measures. There are no words of a row in them."""


@dataclass(frozen=True)
class Change:
    """A measure in both runs."""

    key: Key
    measure: str
    main: bool
    difference: Figure

    @property
    def dropped(self) -> bool:
        """Whether it is worse beyond noise."""
        return self.difference.high < 0


@dataclass(frozen=True)
class Turned:
    """A row that was right in one run and wrong in the other."""

    key: Key
    row: str
    what: str
    gained: bool


@dataclass(frozen=True)
class Comparison:
    name: str
    changes: Sequence[Change]
    turned: Sequence[Turned]
    regold: int  # rows left out because their gold is another one now

    @property
    def dropped(self) -> list[Change]:
        return [change for change in self.changes if change.main and change.dropped]


def dump(tables: Mapping[Key, Table], columns: Collection[str] | None = None) -> list[dict[str, Any]]:
    """Tables as plain values, with some of the columns."""
    return [
        {
            "group": key.group,
            "part": key.part,
            "system": key.system,
            "stage": key.stage,
            "rows": {
                id: {name: value for name, value in row.items() if columns is None or name in columns}
                for id, row in table.rows.items()
            },
        }
        for key, table in tables.items()
    ]


def read_baseline(path: Path) -> dict[Key, Table]:
    """The tables of an earlier run: of its folder, its ``scores.json``, or a file written as a baseline.

    Raises:
        InputFileError: there is no such file, or it is something else.
    """
    file = path / "scores.json" if path.is_dir() else path
    try:
        loaded = json.loads(file.read_text("utf-8"))
        return {
            Key(t["group"], t["part"], t["system"], t["stage"]): Table(dict(t["rows"]))
            for t in loaded["tables"]
        }
    except OSError as error:
        raise InputFileError(f"读不了基线 {file}（{error.strerror}），请检查路径。") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputFileError(f"{file} 不是一次评测的结果（scores.json 或基线文件），请检查路径。") from error


def write_baseline(tables: Mapping[Key, Table], file: Path) -> None:
    """Keep what a later run needs to compare itself with this one: no words of a row.

    Raises:
        InputFileError: it cannot be written.
    """
    kept = dump(product(tables), KEPT)
    lines = []
    for table in kept:
        rows = ",\n".join(
            f"  {json.dumps(id, ensure_ascii=False)}: {json.dumps(row, ensure_ascii=False, separators=(',', ':'))}"
            for id, row in table.pop("rows").items()
        )
        head = json.dumps(table, ensure_ascii=False)[:-1]
        lines.append(f'{head}, "rows": {{\n{rows}\n}}}}')
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text('{"tables": [\n' + ",\n".join(lines) + "\n]}\n", "utf-8")
    except OSError as error:
        raise InputFileError(f"写不了基线文件 {file}（{error.strerror}），请换一个能写的位置。") from error


def compare_runs(name: str, new: Mapping[Key, Table], old: Mapping[Key, Table]) -> Comparison:
    """The product now and then."""
    changes: list[Change] = []
    turned: list[Turned] = []
    regold = 0
    for key, table in product(new).items():
        if key not in old:
            continue
        before = old[key]
        same = [
            id
            for id, row in table.rows.items()
            if id in before.rows and before.rows[id].get("scope_gold") == row.get("scope_gold")
        ]
        regold += sum(id in before.rows for id in table.rows) - len(same)
        now, then = table.only(same), before.only(same)
        for measure in OF_PART["questions" if key.part == INDEXED else key.part]:
            difference = change(measure, now, then)
            if difference:
                changes.append(Change(key, measure.key, measure.main, difference))
        for id in same:
            for column, what in SHOWN.items():
                is_now, was = now.rows[id].get(column), then.rows[id].get(column)
                if is_now is not None and was is not None and bool(is_now) != bool(was):
                    turned.append(Turned(key, id, what, bool(is_now)))
    return Comparison(name, changes, turned, regold)
