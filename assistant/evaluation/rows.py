"""Files of rows with gold labels, one JSON object a line.

Comes in: paths. Goes out: :class:`GoldSet`. Raises ``InputFileError`` that names file, line and field. Only what a
kind of set cannot do without is demanded; every other key is used where it is present (see docs/evaluation.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from assistant.errors import InputFileError
from assistant.terminal import json_lines

SetKind = Literal["cases", "reworded", "contrast", "quiz", "abstain", "questions", "stard"]

SCOPES = (
    "in",
    "in_but_exempt",
    "out_direct_violation",
    "out_general_work",
    "out_subject",
    "needs_more_facts",
)
EXPECTED = ("answer", "ask", "decline")
ANSWERABLE = "answerable"  # the kind of a row that is to be answered, among those that are to be declined

_Check = tuple[str, Any]  # what the value must be, in words, and its type
_TEXT: _Check = ("文字", str)
_LIST: _Check = ("列表", list)
_MAYBE: _Check = ("文字或空", (str, type(None)))
_OBJECT: _Check = ("对象", dict)

_CASE: Mapping[str, _Check] = {
    "subject": _MAYBE,
    "responsibility": _MAYBE,
    "clauses": _LIST,
    "exemption": _LIST,
    "route": _MAYBE,
    "routes": _LIST,
    "misuse_signals": _LIST,
    "facts": _OBJECT,
    "received": _MAYBE,
    "date": _MAYBE,
    "deadline": ("日期、对象或空", (str, dict, type(None))),
}
_MAY: Mapping[str, Mapping[str, _Check]] = {
    "cases": _CASE,
    "reworded": _CASE,
    "contrast": _CASE,
    "quiz": {"must_mention": _LIST, "must_mention_any": _LIST, "basis": _LIST, "date": _MAYBE},
    "abstain": _CASE,
    "questions": {"basis": _LIST, "questions": _LIST, "file": _MAYBE, "no": _MAYBE},
    "stard": {"articles": _OBJECT},
}
_MUST: Mapping[str, tuple[str, ...]] = {
    "cases": ("scope",),
    "reworded": ("group",),
    "contrast": ("pair", "scope"),
    "quiz": (),
    "abstain": (),
    "questions": (),
    "stard": ("articles",),
}


@dataclass(frozen=True)
class GoldRow:
    """One row. ``gold`` is the whole object of the file."""

    id: str
    text: str
    gold: Mapping[str, Any]

    @property
    def received(self) -> date | None:
        """The day a decision was received, where the row gives one."""
        written = self.gold.get("received")
        return date.fromisoformat(written) if written else None

    @property
    def expected(self) -> str:
        """What is to be done with a row: it says so itself, or it is of a kind that is to be declined or not."""
        kind = "answer" if self.gold.get("kind") == ANSWERABLE else "decline"
        return str(self.gold.get("expected", kind))

    def day(self, otherwise: date) -> date:
        """The day for which the law is read."""
        written = self.gold.get("date")
        return date.fromisoformat(written) if written else otherwise


@dataclass(frozen=True)
class GoldSet:
    """The rows of one file. ``name`` tells it from the others, ``folder`` groups files that belong together."""

    name: str
    folder: str
    kind: SetKind
    rows: tuple[GoldRow, ...]


def read_sets(files: Mapping[SetKind, Sequence[Path]], limit: int | None = None) -> tuple[GoldSet, ...]:
    """All sets, each with a name of its own; ``limit`` keeps the first rows of each.

    Raises:
        InputFileError: a file that cannot be read, a row that is not as it should be, an id given twice.
    """
    sets: list[GoldSet] = []
    for kind, paths in files.items():
        for path in paths:
            rows = tuple(_questions(path) if kind == "questions" else _rows(path, kind))
            name = path.stem
            if any(other.name == name for other in sets):
                name = f"{path.resolve().parent.name}-{name}"
            if any(other.name == name for other in sets):
                raise InputFileError(f"{path.name} 与另一个文件同名，请改名后再试。")
            sets.append(GoldSet(name, path.resolve().parent.name, kind, rows[:limit]))
    return tuple(sets)


def json_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file with their line numbers, counted from 1; empty lines are passed over.

    Raises:
        InputFileError: the file cannot be read, or a line is no JSON object.
    """
    for number, row in json_lines(path):
        if not isinstance(row, dict):
            raise InputFileError(f"{path.name} 第{number}行不是 JSON 对象，请改正这一行。")
        yield number, row


def fault(path: Path, line: int, field: str, wanted: str) -> InputFileError:
    """One sentence that names file, line and field."""
    return InputFileError(f"{path.name} 第{line}行的 {field} 字段应是{wanted}，请改正。")


def _rows(path: Path, kind: SetKind) -> Iterator[GoldRow]:
    seen: set[str] = set()
    for line, row in json_objects(path):
        id = row.get("id")
        if not isinstance(id, (str, int)) or not str(id):
            raise fault(path, line, "id", "不为空的文字")
        if str(id) in seen:
            raise InputFileError(f"{path.name} 第{line}行的 id “{id}”前面已经有了，请改成不同的。")
        seen.add(str(id))
        text = row.get("scenario", row.get("question", row.get("text")))
        if not isinstance(text, str) or not text.strip():
            raise fault(path, line, "scenario 或 question", "不为空的文字")
        _check(path, line, row, kind)
        yield GoldRow(str(id), text, row)


def _questions(path: Path) -> Iterator[GoldRow]:
    """Rows of ``{"question", "basis": [labels]}``, or of several questions with one address; one row a question."""
    seen: set[str] = set()
    for line, row in json_objects(path):
        _check(path, line, row, "questions")
        asked = row.get("questions") or [row.get("question")]
        if any(not isinstance(one, str) or not one.strip() for one in asked):
            raise fault(path, line, "question 或 questions", "不为空的文字")
        if row.get("file") and row.get("no"):
            place = [row["no"], row.get("para") or (1 if row.get("item") else None), row.get("item")]
            address = f"{row['file']}#" + ".".join(str(part) for part in place if part is not None)
            row = {**row, "basis": [address], "id": address}
        elif "#" in str(row.get("id")) and not row.get("basis"):
            row = {**row, "basis": [row["id"]]}
        if not row.get("basis"):
            raise fault(path, line, "basis（或 file、no）", "这个问题的依据")
        for number, one in enumerate(asked, 1):
            id = str(row.get("id", line)) + (f"?{number}" if len(asked) > 1 else "")
            if id in seen:
                id = f"{id}@{line}"
            seen.add(id)
            yield GoldRow(id, one, row)


def _check(path: Path, line: int, row: Mapping[str, Any], kind: SetKind) -> None:
    for field in _MUST[kind]:
        if field not in row:
            raise InputFileError(f"{path.name} 第{line}行没有 {field} 字段，请补上。")
    for field, (words, wanted) in _MAY[kind].items():
        if field in row and not isinstance(row[field], wanted):
            raise fault(path, line, field, words)
    if row.get("scope") is not None and row["scope"] not in SCOPES:
        raise fault(path, line, "scope", f"{'、'.join(SCOPES)} 之一")
    if kind == "abstain" and "expected" not in row and not isinstance(row.get("kind"), str):
        raise InputFileError(f"{path.name} 第{line}行没有 kind 或 expected 字段，请补上。")
    if kind == "abstain" and row.get("expected", EXPECTED[0]) not in EXPECTED:
        raise fault(path, line, "expected", f"{'、'.join(EXPECTED)} 之一")
    if kind == "quiz" and not (row.get("must_mention_any") or row.get("must_mention")):
        raise InputFileError(f"{path.name} 第{line}行没有 must_mention 或 must_mention_any 字段，请补上。")
    if any(not isinstance(group, list) for group in row.get("must_mention_any") or ()):
        raise fault(path, line, "must_mention_any", "由列表组成的列表")
    deadline = row.get("deadline")
    dates = list(deadline.values()) if isinstance(deadline, dict) else [deadline]
    for field, written in [("received", row.get("received")), ("date", row.get("date"))] + [
        ("deadline", one) for one in dates
    ]:
        if written is None:
            continue
        try:
            date.fromisoformat(written)
        except (TypeError, ValueError) as error:
            raise fault(path, line, field, "2026-03-01 这样的日期") from error
