"""Exemplar situations that reading is learned from, and what is learned.

Comes in: ``knowledge/exemplars/*.jsonl``, ``knowledge/abstain-exemplars.jsonl``, ``knowledge/learning.yaml``,
the vocabulary of facts. Goes out: frozen exemplars and requests in the order of the files, and
:class:`Lessons`. Raises ``KnowledgeError`` with file, line and what to do.
Each file is one hand: learning is always measured on hands it has not seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from assistant.errors import KnowledgeError
from assistant.law.schema import Strict, Text, read_yaml, try_jsonl
from assistant.law.vocabulary import Vocabulary
from assistant.model import Scope


@dataclass(frozen=True)
class Exemplar:
    """A situation as somebody tells it, with the facts that it tells; a fact not named is not told."""

    id: str
    text: str
    facts: Mapping[str, tuple[str, ...]]
    scope: Scope
    hand: str
    pair: str | None = None
    responsibility: str | None = None
    exemption: tuple[str, ...] = ()  # how its provisions are written
    misuse: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """What somebody asks for: the value of the fact ``asks_for``, "" for a question that is answered."""

    text: str
    asks_for: str


@dataclass(frozen=True)
class Lessons:
    """What is learned and how readings are used. See ``knowledge/learning.yaml``."""

    together: tuple[str, ...]
    patterns_only: tuple[str, ...]
    least_rows: int
    least_sure: float
    least_sure_of_many: float
    most_values: int
    least_sure_of_kind: float
    least_sure_of_idle: float
    least_sure_of_request: float
    only_with: Mapping[str, tuple[str, str]]  # fact -> the fact and its value without which it is not read


def _listed(data: Any) -> Any:
    if not isinstance(data, dict):
        return data
    lists = {name: value if isinstance(value, list) else [value] for name, value in data.items()}
    return {name: [str(value) for value in values] for name, values in lists.items()}


class _Row(Strict):
    id: Text
    text: Text
    facts: Annotated[dict[str, list[Text]], BeforeValidator(_listed)]
    scope: Scope
    responsibility: Text | None = None
    exemption: list[Text] = []
    misuse: list[Text] = []
    decisive: str = ""  # the words of the text that decide it
    voice: str = ""
    field: str = ""
    pair: Text | None = None  # rows of one pair differ in one decisive fact


class _RequestRow(Strict):
    text: Text
    asks_for: str


class _LessonFile(Strict):
    together: list[Text] = Field(min_length=1)
    patterns_only: list[Text] = []
    least_rows: int = Field(ge=2)
    least_sure: float = Field(gt=0, lt=1)
    least_sure_of_many: float = Field(gt=0, lt=1)
    most_values: int = Field(ge=1)
    least_sure_of_kind: float = Field(gt=0.5, lt=1)
    least_sure_of_idle: float = Field(gt=0, lt=1)
    least_sure_of_request: float = Field(gt=0, lt=1)
    only_with: dict[str, dict[str, str]] = {}


def load_lessons(folder: Path, vocabulary: Vocabulary) -> Lessons:
    """Read ``learning.yaml`` in the knowledge folder.

    Raises:
        KnowledgeError: a key that is unknown or missing, a name that is not a fact.
    """
    file = read_yaml(folder / "learning.yaml", _LessonFile, folder)
    for name in (*file.together, *file.patterns_only):
        kind = vocabulary.facts.get(name)
        if kind is None or kind.about == "question":
            raise KnowledgeError(f"没有叫“{name}”的情况事实，请照 facts.yaml 填写。", "learning.yaml")
        if name in file.together and kind.kind == "many":
            raise KnowledgeError(f"“{name}”可以有几个值，不能列在 together 里。", "learning.yaml")
    for name, other in file.only_with.items():
        (needed, value), *more = other.items() or [("", "")]
        kinds = vocabulary.facts.get(name), vocabulary.facts.get(needed)
        if more or kinds[0] is None or kinds[0].kind != "many" or kinds[1] is None:
            wanted = "左边写可以有几个值的事实，右边写一个事实和它的值"
            raise KnowledgeError(f"only_with 的“{name}”写错了，请{wanted}。", "learning.yaml")
        if value not in kinds[1].values or needed not in file.together:
            message = f"only_with 里“{needed}”要列在 together 里，值要是它的值，请改正。"
            raise KnowledgeError(message, "learning.yaml")
    return Lessons(
        tuple(file.together),
        tuple(file.patterns_only),
        file.least_rows,
        file.least_sure,
        file.least_sure_of_many,
        file.most_values,
        file.least_sure_of_kind,
        file.least_sure_of_idle,
        file.least_sure_of_request,
        {name: next(iter(other.items())) for name, other in file.only_with.items()},
    )


def load_exemplars(folder: Path, vocabulary: Vocabulary) -> tuple[Exemplar, ...]:
    """All exemplars in the order of the files; none where the folder has none.

    Raises:
        KnowledgeError: the first mistake.
    """
    exemplars, problems = _read(folder, vocabulary)
    if problems:
        raise problems[0]
    return exemplars


def load_requests(folder: Path, vocabulary: Vocabulary) -> tuple[Request, ...]:
    """Questions that are declined, and questions that only look like them, to tell them apart.

    Raises:
        KnowledgeError: the first mistake.
    """
    requests, problems = _requests(folder, vocabulary)
    if problems:
        raise problems[0]
    return requests


def check_exemplars(folder: Path, vocabulary: Vocabulary) -> list[KnowledgeError]:
    """Everything wrong with the exemplars."""
    return [*_read(folder, vocabulary)[1], *_requests(folder, vocabulary)[1]]


def exemplar_files(folder: Path) -> list[Path]:
    return sorted((folder / "exemplars").glob("*.jsonl"))


def request_file(folder: Path) -> Path:
    return folder / "abstain-exemplars.jsonl"


def _requests(folder: Path, vocabulary: Vocabulary) -> tuple[tuple[Request, ...], list[KnowledgeError]]:
    path = request_file(folder)
    problems: list[KnowledgeError] = []
    requests: dict[str, Request] = {}
    if not path.exists():
        return (), []
    for line, row in try_jsonl(path, _RequestRow, folder, problems):
        values = vocabulary.facts["asks_for"].values
        if row.asks_for and row.asks_for not in values:
            message = f"asks_for 没有“{row.asks_for}”这个值，可取的值：{'、'.join(values)}；照答的留空。"
            problems.append(KnowledgeError(message, path.name, line))
        if row.text in requests:
            problems.append(KnowledgeError("同样的提问前面已经有了，请删去一个。", path.name, line))
        requests[row.text] = Request(row.text, row.asks_for)
    return tuple(requests.values()), problems


def _read(folder: Path, vocabulary: Vocabulary) -> tuple[tuple[Exemplar, ...], list[KnowledgeError]]:
    problems: list[KnowledgeError] = []
    exemplars: list[Exemplar] = []
    ids: set[str] = set()
    texts: set[str] = set()
    for path in exemplar_files(folder):
        for line, row in try_jsonl(path, _Row, folder, problems):
            messages = list(_faults(row, vocabulary))
            if row.id in ids:
                messages.append("这个编号前面已经有了，请改名或删去一个。")
            if row.text in texts:
                messages.append("同样的情况前面已经有了，请删去一个。")
            problems.extend(
                KnowledgeError(f"情况“{row.id}”：{message}", f"exemplars/{path.name}", line)
                for message in messages
            )
            ids.add(row.id)
            texts.add(row.text)
            facts = {name: tuple(values) for name, values in row.facts.items()}
            exemplars.append(
                Exemplar(
                    row.id,
                    row.text,
                    facts,
                    row.scope,
                    path.stem,
                    row.pair,
                    row.responsibility,
                    tuple(row.exemption),
                    tuple(row.misuse),
                )
            )
    return tuple(exemplars), problems


def _faults(row: _Row, vocabulary: Vocabulary) -> Iterator[str]:
    for name, values in row.facts.items():
        kind = vocabulary.facts.get(name)
        if kind is None or kind.about == "question":
            yield f"没有叫“{name}”的情况事实，请照 facts.yaml 填写。"
            continue
        if wrong := [value for value in values if value not in kind.values]:
            yield f"事实“{name}”没有“{wrong[0]}”这个值，可取的值：{'、'.join(kind.values)}。"
        if kind.kind != "many" and len(values) != 1:
            yield f"事实“{name}”只能有一个值，请留下一个。"
    if row.decisive and row.decisive not in row.text:
        yield "decisive 要照抄 text 里的字，请改正。"
