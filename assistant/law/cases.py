"""Typical situations: what happened, how it was or should be decided, and what it teaches.

Comes in: ``knowledge/cases/*.yaml``, the corpus, the vocabulary of facts, the names of the misuse signals. Goes out:
frozen cases in the order of the files. Raises ``KnowledgeError`` with file, line and what to do. Whether a case
agrees with the decision tables is a test, because rules and cases are written by different hands.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from assistant.errors import KnowledgeError
from assistant.law.schema import Reference, Strict, Text, flags, problem_at, repeated_keys, try_yaml
from assistant.law.tables import Stock
from assistant.law.vocabulary import Vocabulary
from assistant.model import Scope

Correct = Literal["right", "wrong", "corrected"]
Origin = Literal["public", "typical"]
Responsibility = Literal["全面领导责任", "主要领导责任", "重要领导责任", "直接责任"]

_ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_REFERENCE = re.compile(r"[a-z][a-z0-9-]*#[a-z0-9.-]+")
SENTENCES = range(2, 6)  # of a story: shorter says too little to compare, longer is not read


@dataclass(frozen=True)
class Case:
    """One situation. ``facts`` are what the decision tables would be given; a fact not named is not part of it.

    ``correct``: accountability was used rightly, wrongly, or wrongly and then put right. ``origin``: reported in
    public (``source`` says where), or put together from the provisions, which readers are always told.
    """

    id: str
    title: str
    story: str
    facts: Mapping[str, tuple[str, ...]]
    scope: Scope
    subject: str | None
    responsibility: str | None
    outcome: str  # one sentence
    correct: Correct
    provisions: tuple[str, ...]
    signals: tuple[str, ...]
    lesson: str
    origin: Origin
    source: str = ""
    note: str = ""


def _listed(data: Any) -> Any:
    """Facts as lists of words: YAML reads a bare ``yes`` as true and a bare ``9`` as a number."""
    if not isinstance(data, dict):
        return data
    lists = {name: value if isinstance(value, list) else [value] for name, value in flags(data).items()}
    return {name: [str(v) if isinstance(v, int) else v for v in values] for name, values in lists.items()}


class _CaseRow(Strict):
    id: Text
    title: Text
    story: Text
    facts: Annotated[dict[str, list[Text]], BeforeValidator(_listed)] = Field(min_length=1)
    scope: Scope
    subject: Text | None
    responsibility: Responsibility | None
    outcome: Text
    correct: Correct
    provisions: list[Reference] = Field(min_length=1)
    signals: list[Text]
    lesson: Text
    origin: Origin
    source: str = ""  # where it was reported: a note of the knowledge base, or the publication in words
    note: str = ""  # why a provision no longer in force is named


class _CaseFile(Strict):
    cases: list[_CaseRow] = Field(min_length=1)


def load_cases(
    folder: Path, stock: Stock, vocabulary: Vocabulary, signals: Collection[str]
) -> tuple[Case, ...]:
    """All cases in the order of the files; none where the folder has none.

    Args:
        folder: the knowledge folder.
        signals: the names of the misuse signals.

    Raises:
        KnowledgeError: the first mistake.
    """
    cases, problems = _read(folder, stock, vocabulary, signals)
    if problems:
        raise problems[0]
    return cases


def check_cases(
    folder: Path, stock: Stock, vocabulary: Vocabulary, signals: Collection[str]
) -> list[KnowledgeError]:
    """Everything wrong with the cases."""
    problems = _read(folder, stock, vocabulary, signals)[1]
    for path in _files(folder):
        problems.extend(repeated_keys(path, folder))
    return problems


# ------------------------------------------------------------------ reading and checking


def _files(folder: Path) -> list[Path]:
    return sorted((folder / "cases").glob("*.yaml"))


def _read(
    folder: Path, stock: Stock, vocabulary: Vocabulary, signals: Collection[str]
) -> tuple[tuple[Case, ...], list[KnowledgeError]]:
    problems: list[KnowledgeError] = []
    cases: list[Case] = []
    taken: dict[str, str] = {}
    for path in _files(folder):
        file = try_yaml(path, _CaseFile, folder, problems)
        for number, row in enumerate(file.cases if file else ()):
            found = [
                *_names(row, taken),
                *_facts(row, vocabulary),
                *_law(row, stock, signals),
                *_words(row, stock),
            ]
            for loc, message in found:
                text = f"情况“{row.id}”：{message}"
                problems.append(problem_at(path, folder, ("cases", number, *loc), text))
            taken.update({row.id: "编号", row.title: "标题"})
            cases.append(_case(row))
    return tuple(cases), problems


_Found = tuple[Sequence[str | int], str]


def _names(row: _CaseRow, taken: Mapping[str, str]) -> Iterator[_Found]:
    if not _ID.fullmatch(row.id):
        yield ("id",), "编号写成小写字母、数字和连字符，如 c01。"
    for key, value in (("id", row.id), ("title", row.title)):
        if value in taken:
            yield (key,), f"“{value}”前面已经有了，请改名或删去一个。"


def _facts(row: _CaseRow, vocabulary: Vocabulary) -> Iterator[_Found]:
    for name, values in row.facts.items():
        kind = vocabulary.facts.get(name)
        if kind is None or kind.about == "question":
            yield ("facts", name), f"没有叫“{name}”的情况事实，请照 facts.yaml 填写。"
            continue
        if wrong := [value for value in values if value not in kind.values]:
            allowed = "、".join(kind.values)
            yield ("facts", name), f"事实“{name}”没有“{wrong[0]}”这个值，可取的值：{allowed}。"
        if kind.kind != "many" and len(values) != 1:
            yield ("facts", name), f"事实“{name}”只能有一个值，请留下一个。"
    if [row.subject] != row.facts.get("subject", [None]):
        yield ("subject",), "subject 和 facts 里的 subject 不一样，请改成一致；没有就都不写（null）。"


def _law(row: _CaseRow, stock: Stock, signals: Collection[str]) -> Iterator[_Found]:
    for number, reference in enumerate(row.provisions):
        provision = stock.get(reference)
        if provision is None:
            message = f"知识库里没有条款“{reference}”，请改正或删去（要写到条，不能只写法规）。"
            yield ("provisions", number), message
        elif provision.instrument.effective_to and not row.note:
            message = f"条款“{reference}”已经失效，请换成现行的，或在 note 里写明为什么引用。"
            yield ("provisions", number), message
    for number, signal in enumerate(row.signals):
        if signal not in signals:
            yield ("signals", number), f"泛化信号没有“{signal}”这个名称，可用：{'、'.join(signals)}。"
    if row.responsibility and row.scope in ("out_general_work", "out_subject"):
        yield ("responsibility",), "不属问责的情况没有领导责任，responsibility 请写 null。"


def _words(row: _CaseRow, stock: Stock) -> Iterator[_Found]:
    if len(re.findall("[。！？]", row.story)) not in SENTENCES:
        yield ("story",), "经过请写成二到五句，每句以句号结尾。"
    if re.search("[。！？]", row.outcome):
        yield ("outcome",), "结果请写成一句，末尾不写句号。"
    if row.origin == "public" and not row.source:
        yield ("origin",), "写明公开报道的，请在 source 里写出处。"
    if row.origin == "typical" and row.source:
        yield ("source",), "据条款编写的没有报道出处，请删去 source，或把 origin 改成 public。"
    if _REFERENCE.fullmatch(row.source) and stock.get(row.source) is None:
        yield ("source",), f"知识库里没有“{row.source}”，请改正出处。"


def _case(row: _CaseRow) -> Case:
    return Case(
        id=row.id,
        title=row.title,
        story=row.story,
        facts={name: tuple(values) for name, values in row.facts.items()},
        scope=row.scope,
        subject=row.subject,
        responsibility=row.responsibility,
        outcome=row.outcome,
        correct=row.correct,
        provisions=tuple(row.provisions),
        signals=tuple(row.signals),
        lesson=row.lesson,
        origin=row.origin,
        source=row.source,
        note=row.note,
    )
