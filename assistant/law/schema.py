"""Reading the files of ``knowledge/``: YAML and JSON lines into checked rows, mistakes into readable errors.

Comes in: a file and the pydantic model it has to fit. Goes out: the model, or ``KnowledgeError`` with file,
line and what to do. Lines are worked out only when there is something to report, by reading the file again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from assistant.errors import KnowledgeError
from assistant.model import Confidence, Start, Unit

INSTRUMENT_ID = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
ADDRESS = r"(?:n\d{2,}|[1-9]\d*(?:-[1-9]\d*)?(?:\.[1-9]\d*){0,2})"
REFERENCE = rf"{INSTRUMENT_ID}(?:#{ADDRESS})?"

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
InstrumentId = Annotated[str, StringConstraints(pattern=rf"^{INSTRUMENT_ID}$")]
Address = Annotated[str, StringConstraints(pattern=rf"^{ADDRESS}$")]
Reference = Annotated[str, StringConstraints(pattern=rf"^{REFERENCE}$")]


class Strict(BaseModel):
    """A row in which a key nobody knows is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# ------------------------------------------------------------------ instruments and their provisions


class InstrumentRow(Strict):
    id: InstrumentId
    title: Text
    short_titles: list[Text] = Field(min_length=1)
    issuer: Text
    kind: Text
    rank: int = Field(ge=1, le=5)
    adopted: str = ""  # when and by whom it was passed, issued or amended, as people are told
    begun: str = ""  # how its first day is told where that day is not certain
    extent: str = ""  # how many chapters and articles, where there is more to tell than article_count
    before: str = ""  # what stood before it, where that is not in stock
    effective_from: date | None = None
    effective_to: date | None = None
    replaced_by: InstrumentId | None = None
    official_url: Text | None = None
    article_count: int | None = Field(None, ge=1)
    numbered: bool = True  # false: not made of articles, so that a missing number is not worth a remark
    note: str = ""
    now: dict[str, Reference] = {}  # of a superseded version: its article -> the provision that governs today
    transition: Address | None = None  # the provision on what happened before this version was in force
    caution: str = ""  # said whenever it is cited
    only_if_named: bool = False  # searched only when a question names it: an old rule beside a newer one
    checked: date | None = None  # when it was last looked up whether this is still the version in force


class ProvisionRow(Strict):
    id: Address
    label: Text | None = None  # for a note that speaks of another document than its instrument
    topic: Text
    digest: Text
    keywords: list[Text] = []
    applies_to: list[Text] = []
    facts: dict[str, Any] = {}
    cross_refs: list[Reference] = []
    confidence: Confidence


class InstrumentFile(Strict):
    instrument: InstrumentRow
    provisions: list[ProvisionRow]


class QuestionRow(Strict):
    """How people ask for a provision."""

    id: Reference
    questions: list[Text] = Field(min_length=1)


# ------------------------------------------------------------------ tables


class LimitRow(Strict):
    """A time limit; without ``value`` the rule fixes none, and ``from`` says what applies."""

    value: int | None = Field(None, ge=1)
    unit: Unit | None = None
    from_: str = Field("", alias="from")
    extension: str = ""
    start: Start = "none"


class ExcuseRow(Strict):
    words: Text
    basis: list[Reference] = Field(min_length=1)


class RemedyStepRow(Strict):
    name: Text
    to: Text
    basis: list[Reference] = Field(min_length=1)  # what says this step and its periods
    start: Start
    within: LimitRow = LimitRow()
    instead: LimitRow | None = None
    decided_within: LimitRow | None = None
    form: str = ""
    confidence: Confidence | None = None  # None: that of the route
    note: str = ""
    counting: list[
        Reference
    ] = []  # what says how the period is counted, and that its end is moved off holidays
    excuse: ExcuseRow | None = None  # what the rules say of a period that was missed for good reasons


class RemedyFileRow(Strict):
    id: Annotated[str, StringConstraints(pattern=r"^RR\d{2}$")]
    name: Text
    who: Text
    decision: Text
    steps: list[RemedyStepRow] = Field(min_length=1)
    effect_on_execution: Text
    effect_basis: list[Reference] = []  # what says it; none where no provision does
    may_aggravate: bool | None = None
    court_review: Text
    legal_basis: list[Reference] = Field(min_length=1)
    note: str = ""
    confidence: Confidence
    partly_verified: bool = False


class RemedyFile(Strict):
    routes: list[RemedyFileRow]


class PartRow(Strict):
    what: Text
    value: int = Field(ge=1)
    unit: Unit


class PeriodFileRow(Strict):
    id: Annotated[str, StringConstraints(pattern=r"^IP\d{2}$")]
    measure: Text
    category: Text
    applies_to: list[Text] = Field(min_length=1)
    names: list[Text] = []  # what people call it; a question that says one of them asks for this row
    period: LimitRow = LimitRow()
    periods: list[PartRow] = []
    rule: str = ""  # how the time is worked out where no number can be given
    consequences: list[Text]
    expiry: Text
    legal_basis: list[Reference] = Field(min_length=1)
    note: str = ""
    confidence: Confidence
    partly_verified: bool = False


class PeriodFile(Strict):
    periods: list[PeriodFileRow]


class TermRow(Strict):
    term: Text
    english: Text
    meaning: Text
    provisions: list[Reference] = []


class GlossaryFile(Strict):
    terms: list[TermRow]


# ------------------------------------------------------------------ reading

Row = TypeVar("Row", bound=BaseModel)


def read_yaml(path: Path, model: type[Row], folder: Path) -> Row:
    """The file as ``model``; ``folder`` is the knowledge folder, from which messages name the file.

    Raises:
        KnowledgeError: the first thing wrong with the file.
    """
    problems: list[KnowledgeError] = []
    row = try_yaml(path, model, folder, problems)
    if row is None:
        raise problems[0]
    return row


def try_yaml(path: Path, model: type[Row], folder: Path, problems: list[KnowledgeError]) -> Row | None:
    """The file as ``model``, or ``None`` with everything that is wrong added to ``problems``."""
    name = _name(path, folder)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        problems.append(KnowledgeError("读不到这个文件，请确认文件在、可以读取。", name))
        return None
    except UnicodeDecodeError:
        problems.append(KnowledgeError("不是 UTF-8 编码的文本，请另存为 UTF-8。", name))
        return None
    try:
        data = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = (error.problem_mark.line + 1) if error.problem_mark else 0
        problems.append(
            KnowledgeError("YAML 写法有误，请检查这一行和上一行的缩进、冒号、引号和括号。", name, line)
        )
        return None
    except (yaml.YAMLError, ValueError):  # ValueError: a date such as 2019-13-01
        line = _line_of_bad_date(text)
        hint = "日期不存在，请写成 2019-09-01 这样的真实日期。" if line else "YAML 读不懂，请检查写法。"
        problems.append(KnowledgeError(hint, name, line))
        return None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        tree = _compose(text)
        for detail in error.errors():
            loc = detail["loc"]
            problems.append(KnowledgeError(_in_chinese(detail, model), name, _line(tree, loc)))
        return None


def try_jsonl(
    path: Path, model: type[Row], folder: Path, problems: list[KnowledgeError]
) -> Iterator[tuple[int, Row]]:
    """The rows of a JSON lines file with their line numbers; bad lines go to ``problems`` instead."""
    name = _name(path, folder)
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError):
        problems.append(KnowledgeError("读不到这个文件，请确认文件在、可以读取、是 UTF-8 编码。", name))
        return
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield number, model.model_validate(json.loads(line))
        except json.JSONDecodeError:
            message = "这一行不是完整的 JSON，请一行写一个对象。"
            problems.append(KnowledgeError(message, name, number))
        except ValidationError as error:
            problems.extend(
                KnowledgeError(_in_chinese(detail, model), name, number) for detail in error.errors()
            )


def problem_at(path: Path, folder: Path, loc: Sequence[str | int], message: str) -> KnowledgeError:
    """A mistake found after reading, with the line of the value at ``loc`` (keys and list positions)."""
    tree = _compose(path.read_text(encoding="utf-8"))
    return KnowledgeError(message, _name(path, folder), _line(tree, loc))


def line_of(path: Path, id: str) -> int:
    """The line of the entry whose ``id`` is this; 1 when there is none."""
    stack = [_compose(path.read_text(encoding="utf-8"))]
    while stack:
        node = stack.pop(0)
        if isinstance(node, yaml.SequenceNode):
            stack.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == "id" and value.value == id:
                    return int(key.start_mark.line) + 1
                stack.append(value)
    return 1


def repeated_keys(path: Path, folder: Path) -> Iterator[KnowledgeError]:
    """Keys written twice in one mapping: YAML would keep the last and lose the first without a word."""
    try:
        tree = _compose(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return  # reported when the file is read
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, yaml.SequenceNode):
            stack.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if key.value in seen:
                    line = key.start_mark.line + 1
                    yield KnowledgeError(f"键“{key.value}”写了两次，请留下一个。", _name(path, folder), line)
                seen.add(key.value)
                stack.append(value)


def flags(data: Any) -> Any:
    """YAML reads a bare ``yes`` as true; where facts are named, flags are the words yes and no.

    >>> flags({"quota": True, "any": [{"own_duty": False}]})
    {'quota': 'yes', 'any': [{'own_duty': 'no'}]}
    """
    if isinstance(data, bool):
        return "yes" if data else "no"
    if isinstance(data, dict):
        return {key: flags(value) for key, value in data.items()}
    if isinstance(data, list):
        return [flags(value) for value in data]
    return data


# ------------------------------------------------------------------ lines and wording


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def _compose(text: str) -> yaml.Node | None:
    return yaml.compose(text, Loader=yaml.CSafeLoader)


def _line(tree: yaml.Node | None, loc: Sequence[str | int]) -> int:
    """The line where ``loc`` stands, or the last line on the way to it that exists."""
    node, line = tree, (tree.start_mark.line + 1 if tree else 1)
    for step in loc:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(step)), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            return line
    return line


def _line_of_bad_date(text: str) -> int:
    for number, line in enumerate(text.split("\n"), start=1):
        for found in re.findall(r"\b\d{4}-\d{1,2}-\d{1,2}\b", line):
            try:
                date.fromisoformat(found)
            except ValueError:
                return number
    return 0


def _in_chinese(detail: Any, model: type[BaseModel]) -> str:
    """What pydantic found, as a sentence that says what to do."""
    kind, loc, context = detail["type"], detail["loc"], detail.get("ctx", {})
    key = next((str(step) for step in reversed(loc) if isinstance(step, str)), "")
    given = str(detail.get("input"))
    given = given if len(given) <= 40 else given[:40] + "…"
    if not key:
        return "文件的内容不对，请照同一文件夹里别的文件写（最外层是键和值）。"
    if kind == "extra_forbidden":
        return f"不认识的键“{key}”，可以写的键有：{'、'.join(_keys_at(model, loc[:-1]))}。"
    if kind == "missing":
        return f"缺少键“{key}”，请补上。"
    if kind in ("string_too_short", "too_short"):
        return f"“{key}”是空的，请填写。"
    if kind == "literal_error":
        return f"“{key}”的值“{given}”不可用，请改成 {context['expected'].replace(' or ', ' 或 ')}。"
    if kind.startswith("date"):
        return f"“{key}”的日期“{given}”写法不对，请写成 2019-09-01 这样。"
    if kind == "string_pattern_mismatch":
        return f"“{key}”的编号“{given}”写法不对，{_FORMS.get(key, _FORMS['id'])}。"
    if kind in ("greater_than_equal", "less_than_equal"):
        return f"“{key}”的值“{given}”超出范围，请检查。"
    wanted = _WANTED.get(kind, "合适的值")
    return f"“{key}”的值“{given}”类型不对，请写成{wanted}。"


_REFERENCE_FORM = "请写成 wenze-2019 或 wenze-2019#7.1.3（条.款.项）"
_FORMS = {
    "id": "条款写成 7、7.1、7.1.3 或 120-1（之一），条号不明的写 n01，法规写成小写字母、数字和连字符",
    "cross_refs": _REFERENCE_FORM,
    "legal_basis": _REFERENCE_FORM,
    "provisions": _REFERENCE_FORM,
    "replaced_by": "请写成法规编号，如 wenze-2019",
}
_WANTED = {
    "string_type": "文字（数字和日期请加引号）",
    "int_type": "整数",
    "int_parsing": "整数",
    "bool_parsing": "true 或 false",
    "bool_type": "true 或 false",
    "list_type": "列表",
    "dict_type": "键和值",
    "model_type": "键和值",
    "model_attributes_type": "键和值",
}


def _keys_at(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys that may stand at ``loc``."""
    here = model
    for step in loc:
        fields = {field.alias or name: field for name, field in here.model_fields.items()}
        if step in fields:  # a position in a list, or a name in a mapping of rows, is no key of the row
            here = _row_type(fields[str(step)].annotation) or here
    return [field.alias or name for name, field in here.model_fields.items()]


def _row_type(annotation: Any) -> type[BaseModel] | None:
    """The row model inside ``list[Row]``, ``dict[str, Row]`` or ``Row | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_row_type, getattr(annotation, "__args__", ()))), None)
