"""Recorded predictions: what a system answered, kept so that scoring can be repeated without it.

One JSON object a line: ``{"system", "set", "row", "stage", "answer": the contract's object}``; also ``trace`` (the row
of each decision table that fired) and ``asked`` (the questions of a dialogue). A line ``{"system", "memory_mb"}``
says how much memory a system took; a line ``{"system", "set", "row", "found": [ids]}`` what a search brought up.
Lines of ``zeming ask --batch`` are read too: the bare object of the contract, of the system that the file is named
after.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from assistant.errors import InputFileError
from assistant.evaluation.rows import fault, json_objects

Stage = Literal["first", "after", "rules"]
STAGES: tuple[Stage, ...] = ("first", "after", "rules")


@dataclass(frozen=True)
class Asked:
    """One question of a dialogue, and what was answered."""

    fact: str
    question: str
    answer: str
    known: bool  # False: the gold facts are silent, so the answer was that it is not known


@dataclass(frozen=True)
class Prediction:
    """What a system said to one row.

    ``stage``: "first" is the first answer, "after" the one after the dialogue, "rules" what the rules make of the
    gold facts. ``trace``: step -> the row of its table that fired, with status and reason.
    """

    system: str
    set: str  # "" where the file does not say: the row is looked for by its id alone
    row: str
    answer: Mapping[str, Any]
    stage: Stage = "first"
    trace: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    asked: tuple[Asked, ...] = ()


@dataclass(frozen=True)
class Memory:
    """The largest memory of a system's process, in MB."""

    system: str
    memory_mb: float


@dataclass(frozen=True)
class Found:
    """What a search brought up for a question, best first."""

    system: str
    set: str
    row: str
    found: tuple[str, ...]


Record = Prediction | Memory | Found


def write_records(records: Iterable[Record], file: Path) -> None:
    """Write the file at once: what was there before stays until all is written.

    Raises:
        InputFileError: it cannot be written.
    """
    partial = file.with_name(file.name + ".partial")
    try:
        with partial.open("w", encoding="utf-8") as lines:
            for record in records:
                lines.write(json.dumps(asdict(record), ensure_ascii=False) + "\n")
        os.replace(partial, file)
    except OSError as error:
        raise InputFileError(f"写不了结果文件 {file}（{error.strerror}），请换一个能写的位置。") from error


def read_records(file: Path) -> list[Record]:
    """The records of a file.

    Raises:
        InputFileError: a line that is no record, with its number and field.
    """
    return list(_records(file))


def _records(file: Path) -> Iterator[Record]:
    for line, row in json_objects(file):
        if "memory_mb" in row:
            yield Memory(str(row.get("system", file.stem)), float(row["memory_mb"]))
            continue
        if "found" in row:
            if not isinstance(row["found"], list) or "row" not in row:
                raise fault(file, line, "found", "条款编号的列表")
            found = tuple(map(str, row["found"]))
            yield Found(str(row.get("system", file.stem)), str(row.get("set", "")), str(row["row"]), found)
            continue
        answer = row.get("answer")
        if isinstance(answer, str):  # a bare object of the contract
            row = {"system": file.stem, "row": row.get("id"), "answer": row}
        elif not isinstance(answer, dict):
            raise fault(file, line, "answer", "答复契约的对象")
        if not isinstance(row.get("row"), (str, int)):
            raise fault(file, line, "row（或 id）", "题目的编号")
        stage = row.get("stage", "first")
        if stage not in STAGES:
            raise fault(file, line, "stage", f"{'、'.join(STAGES)} 之一")
        _check_answer(row["answer"], file, line)
        try:
            asked = tuple(Asked(**one) for one in row.get("asked", ()))
        except TypeError as error:
            raise fault(file, line, "asked", "fact、question、answer、known 的列表") from error
        yield Prediction(
            system=str(row.get("system", file.stem)),
            set=str(row.get("set", "")),
            row=str(row["row"]),
            answer=row["answer"],
            stage=stage,
            trace=row.get("trace", {}),
            asked=asked,
        )


_PARTS: Mapping[
    str, tuple[str, ...]
] = {  # the lists of the contract that are scored, and what each entry needs
    "clauses": ("id",),
    "exemptions": ("id", "status"),
    "routes": ("id",),
    "citations": ("n", "id"),
    "facts": ("name", "value"),
}


def _check_answer(answer: Mapping[str, Any], file: Path, line: int) -> None:
    for name, needed in _PARTS.items():
        entries = answer.get(name) or []
        if not isinstance(entries, list) or any(
            not isinstance(entry, dict) or any(key not in entry for key in needed) for entry in entries
        ):
            raise fault(file, line, name, f"由含 {'、'.join(needed)} 的对象组成的列表")
