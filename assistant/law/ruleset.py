"""Reads the decision tables and proves that every name in them exists.

Comes in: ``knowledge/rules/*.yaml``, the vocabulary, the corpus, the remedy table. Goes out: tables by name.
Raises ``KnowledgeError`` with file, line and what to do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field

from assistant.errors import KnowledgeError
from assistant.law.corpus import Corpus
from assistant.law.rules import Row, Table
from assistant.law.schema import Strict, flags, problem_at, read_yaml
from assistant.law.vocabulary import Vocabulary
from assistant.model import Declined, Kind, Scope

# what earlier tables leave for later ones to ask about
DERIVED: Mapping[str, tuple[str, ...]] = {
    "step.subject": ("yes", "no"),
    "step.nature": ("yes", "no"),
    "step.situation": ("yes", "no"),
    "step.exemption": ("yes", "no"),
    "step.mitigation": ("yes", "no"),
    "scope": get_args(Scope),
    "kind": get_args(Kind),
}


_Condition = Annotated[dict[str, Any], BeforeValidator(flags)]


class _RowModel(Strict):
    id: str = Field(min_length=1)
    when: _Condition
    unless: _Condition | None = None
    status: Annotated[Literal["yes", "no", "unknown"], BeforeValidator(flags)]
    reason: str = Field(min_length=1)
    because: list[str] = []
    then: _Condition = {}
    certainty: float = Field(1.0, gt=0, le=1)


class _TableModel(Strict):
    table: str
    title: str
    mode: Literal["first", "each"]
    none_found: dict[str, str] = {}
    rows: list[_RowModel] = Field(min_length=1)


def load_tables(
    folder: Path, vocabulary: Vocabulary, corpus: Corpus, routes: Collection[str], signals: Collection[str]
) -> dict[str, Table]:
    """All tables by name.

    Raises:
        KnowledgeError: an unknown key, fact, value, provision, route or signal; a row or table given twice.
    """
    tables: dict[str, Table] = {}
    for path in sorted((folder / "rules").glob("*.yaml")):
        model = read_yaml(path, _TableModel, folder)
        where = path.relative_to(folder).as_posix()
        if model.table in tables:
            raise KnowledgeError(f"表“{model.table}”已在别的文件里写过，请合并或改名。", where, 1)
        seen: set[str] = set()
        for number, row in enumerate(model.rows):
            problem = _problem(row, seen, vocabulary, corpus, routes, signals)
            if model.table == "others" and not row.then.get("who"):
                problem = "then 里没有 who，请写明说的是谁。"
            if problem:
                message = f"表“{model.table}”的行“{row.id}”：{problem}"
                raise problem_at(path, folder, ("rows", number, "id"), message)
            seen.add(row.id)
        tables[model.table] = Table(
            name=model.table,
            title=model.title,
            mode=model.mode,
            rows=tuple(
                Row(r.id, r.when, r.unless, r.status, r.reason, tuple(r.because), r.then, r.certainty)
                for r in model.rows
            ),
            none_found=model.none_found,
        )
    return tables


def _problem(
    row: _RowModel,
    seen: set[str],
    vocabulary: Vocabulary,
    corpus: Corpus,
    routes: Collection[str],
    signals: Collection[str],
) -> str:
    """What is wrong with a row, in one sentence; empty when nothing is."""
    if row.id in seen:
        return "编号重复，请改成不同的编号。"
    for condition in (row.when, row.unless):
        for name, value in _pairs(condition or {}):
            allowed = DERIVED.get(name) or vocabulary.values_of(name)
            if not allowed:
                return f"没有叫“{name}”的事实，请照 facts.yaml 填写。"
            if value is not None and value not in allowed:
                return f"事实“{name}”没有“{value}”这个值，可取的值：{'、'.join(allowed)}。"
    provision = row.then.get("provision")
    for reference in [*row.because, *([provision] if provision else [])]:
        if corpus.get(reference) is None:
            return f"知识库里没有条款“{reference}”，请核对编号。"
    if "route" in row.then and row.then["route"] not in routes:
        return f"remedies.yaml 里没有路径“{row.then['route']}”。"
    if "signal" in row.then and row.then["signal"] not in signals:
        return f"泛化信号没有“{row.then['signal']}”这个名称，可用：{'、'.join(signals)}。"
    if "scope" in row.then and row.then["scope"] not in DERIVED["scope"]:
        return f"结论没有“{row.then['scope']}”这个标签，可用：{'、'.join(DERIVED['scope'])}。"
    if "declined" in row.then and row.then["declined"] not in get_args(Declined):
        return f"没有“{row.then['declined']}”这种婉拒，可用：{'、'.join(get_args(Declined))}。"
    if "from_fact" in row.then:
        name, _, value = str(row.then["from_fact"]).partition("=")
        if value not in vocabulary.values_of(name):
            return f"from_fact 里的“{row.then['from_fact']}”不是 facts.yaml 里的事实和值。"
    return ""


def _pairs(condition: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Every (name, value) a condition speaks of; value is None where only the name counts."""
    for key, wanted in condition.items():
        if key in ("all", "any"):
            for part in wanted:
                yield from _pairs(part)
        elif key in ("not", "established"):
            yield from _pairs(wanted)
        elif key == "known":
            yield wanted, None
        else:
            for value in wanted if isinstance(wanted, list) else [wanted]:
                yield key, str(value)
