"""The lexicon: how facts are said, and how people are named, as checked and compiled data.

Comes in: ``knowledge/lexicon/*.yaml`` and the vocabulary. Goes out: :class:`Lexicon`. Raises
``KnowledgeError`` with file and line. A file is a list of patterns, or a mapping with any of ``macros``
(name -> regex), ``marks`` (name -> regex: words of grammar, for negation, condition, question …), ``people``
(kind of mention -> regexes), ``roles`` (posts, and what follows from holding one) and ``patterns``.

Inside a regex ``<名字>`` stands for the macro of that name, from whatever file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Literal, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.errors import KnowledgeError
from assistant.law.schema import flags
from assistant.law.vocabulary import Vocabulary

Scope = Literal["clause", "sentence", "text"]
Actor = Literal["any", "asked", "self", "superior", "subordinate", "organisation", "other"]
Taken = Literal["skip", "keep"]
Standing = Literal["superior", "subordinate", "any"]

#: What the reader of a text needs to know about grammar; every lexicon must define all of them.
MARKS = (
    "否定", "否定后", "后置否定", "假设", "假设后续", "未然", "疑问前", "规定", "宾语前", "多人前",
    "自称职务", "省称职务", "就是我", "自述后", "有个", "处理", "追问自己",
)  # fmt: skip
#: Kinds of mentions that are not posts, in the order in which they win over one another.
PEOPLE = ("kin", "we", "self", "pronoun", "superior", "subordinate", "organisation", "name", "other")

_MACRO = re.compile(r"(?<!\(\?P)<([\w一-鿿]+)>")


@dataclass(frozen=True)
class Pattern:
    """One way in which a fact is said.

    ``any``: one of these is found in a piece of the text (``scope``); ``unless``: none of these in the same
    piece; ``context``: each of these anywhere in the text. ``actor``: who does it there. ``value`` holds
    unless the words are negated, supposed or only asked, as the next three fields say.
    """

    fact: str
    value: str
    any: tuple[str, ...]
    unless: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    scope: Scope = "clause"
    actor: Actor = "any"
    negated: str = "skip"  # skip, keep, or the value that the negated words mean
    hypothetical: Taken = "skip"
    questioned: Taken = "skip"
    confidence: float = 0.9


@dataclass(frozen=True)
class Role:
    """A post: the nouns that name it, and the facts about whoever holds it. Earlier roles win ties."""

    name: str
    nouns: re.Pattern[str]
    facts: Mapping[str, str]
    standing: Standing = "any"
    context: tuple[re.Pattern[str], ...] = ()
    unless: tuple[re.Pattern[str], ...] = ()
    confidence: float = 0.9


@dataclass(frozen=True)
class Lexicon:
    patterns: tuple[Pattern, ...]
    roles: tuple[Role, ...]
    people: Mapping[str, re.Pattern[str]]
    marks: Mapping[str, re.Pattern[str]]
    hints: Mapping[str, list[str]] = field(
        default_factory=dict
    )  # see law/hints.py; without them all are tried

    def may_match(self, regex: str, hinted: frozenset[str]) -> bool:
        """False only when the regex cannot match anywhere in the text in which :meth:`hinted` found these."""
        hint = self.hints.get(regex)
        return hint is None or not hinted.isdisjoint(hint)

    def hinted(self, text: str) -> frozenset[str]:
        """The hints that stand in a text: looked for once, as many regexes share them."""
        return frozenset(filter(text.__contains__, self._strings))

    @cached_property
    def _strings(self) -> tuple[str, ...]:
        return tuple({string for strings in self.hints.values() for string in strings})

    def regexes(self) -> list[str]:
        """Every regex that decides whether a pattern is tried, each once."""
        return list(dict.fromkeys(r for p in self.patterns for r in (*p.any, *p.context)))


@cache
def compiled(regex: str) -> re.Pattern[str]:
    """The compiled form of a regex, made when a text first needs it: compiling all of them takes seconds."""
    return re.compile(regex)


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True, coerce_numbers_to_str=True)


class _PatternRow(_Row):
    fact: str
    value: str
    any_: list[str] = Field(alias="any", min_length=1)
    unless: list[str] = []
    context: list[str] = []
    scope: Scope = "clause"
    actor: Actor = "any"
    negated: str = "skip"
    hypothetical: Taken = "skip"
    questioned: Taken = "skip"
    confidence: float = Field(0.9, gt=0, le=1)


class _RoleRow(_Row):
    role: str
    nouns: list[str] = Field(min_length=1)
    facts: dict[str, str]
    standing: Standing = "any"
    context: list[str] = []
    unless: list[str] = []
    confidence: float = Field(0.9, gt=0, le=1)


class _File(_Row):
    macros: dict[str, str] = {}
    marks: dict[str, str] = {}
    people: dict[str, list[str]] = {}
    roles: list[_RoleRow] = []
    patterns: list[_PatternRow] = []


def load_lexicon(folder: Path, vocabulary: Vocabulary, check: bool = False) -> Lexicon:
    """Read every file of ``knowledge/lexicon``; ``check`` compiles every regex and looks for duplicates.

    Raises:
        KnowledgeError: the first thing that is wrong, with file, line and what to do.
    """
    files = {path: _read(path, folder) for path in sorted((folder / "lexicon").glob("*.yaml"))}
    reader = _Reader(folder, vocabulary, files)
    lexicon = reader.lexicon()
    if check:
        for error in reader.faults():
            raise error
    return lexicon


def check_lexicon(folder: Path, vocabulary: Vocabulary) -> list[KnowledgeError]:
    """Everything that is wrong with the lexicon; files that cannot be read at all come alone."""
    try:
        files = {path: _read(path, folder) for path in sorted((folder / "lexicon").glob("*.yaml"))}
        reader = _Reader(folder, vocabulary, files)
        found = list(reader.faults())
        if not found:
            reader.lexicon()
    except KnowledgeError as error:
        return [error]
    return found


class _Reader:
    """Turns the files into a lexicon, and finds their faults."""

    def __init__(self, folder: Path, vocabulary: Vocabulary, files: Mapping[Path, _File]) -> None:
        self.folder, self.vocabulary, self.files = folder, vocabulary, files
        self.macros: dict[str, str] = {}
        for path, file in files.items():
            for name, regex in file.macros.items():
                if name in self.macros:
                    raise self.fault(
                        path, ("macros", name), f"构件“{name}”在别的文件里已经有了，请改名或删去一个。"
                    )
                self.macros[name] = regex
        self._expanded: dict[str, str] = {}

    def fault(self, path: Path, key: tuple[str | int, ...], message: str) -> KnowledgeError:
        return KnowledgeError(message, _shown(path, self.folder), _line(path, key))

    def expand(self, regex: str, path: Path, key: tuple[str | int, ...], within: tuple[str, ...] = ()) -> str:
        def of(match: re.Match[str]) -> str:
            name = match[1]
            if name not in self.macros:
                raise self.fault(path, key, f"构件“<{name}>”没有定义，请在 macros 里补上或改正名字。")
            if name in within:
                raise self.fault(path, key, f"构件“<{name}>”绕回到自己，请改正。")
            if name not in self._expanded:
                inner = self.expand(self.macros[name], path, key, (*within, name))
                self._expanded[name] = f"(?:{inner})"
            return self._expanded[name]

        return _MACRO.sub(of, regex)

    def regexes(self, path: Path, key: tuple[str | int, ...], sources: list[str]) -> tuple[str, ...]:
        return tuple(self.expand(source, path, (*key, n), ()) for n, source in enumerate(sources))

    def joined(self, path: Path, key: tuple[str | int, ...], sources: list[str]) -> re.Pattern[str]:
        """One compiled alternation of several regexes; a regex that does not compile is an error here."""
        for n, source in enumerate(sources):
            self.compile(path, (*key, n), self.expand(source, path, (*key, n)))
        return re.compile("|".join(f"(?:{self.expand(s, path, key)})" for s in sources))

    def compile(self, path: Path, key: tuple[str | int, ...], regex: str) -> re.Pattern[str]:
        try:
            return re.compile(regex)
        except re.error as error:
            raise self.fault(path, key, f"正则写错了（{error.msg}），请改正：{_short(regex)}") from error

    def lexicon(self) -> Lexicon:
        patterns: list[Pattern] = []
        roles: list[Role] = []
        people: dict[str, re.Pattern[str]] = {}
        marks: dict[str, re.Pattern[str]] = {}
        for path, file in self.files.items():
            for name, source in file.marks.items():
                if name not in MARKS:
                    raise self.fault(
                        path, ("marks", name), f"没有“{name}”这个标记，可用的有：{'、'.join(MARKS)}。"
                    )
                expanded = self.expand(source, path, ("marks", name))
                marks[name] = self.compile(path, ("marks", name), expanded)
            for name, sources in file.people.items():
                if name not in PEOPLE:
                    raise self.fault(
                        path, ("people", name), f"没有“{name}”这类称呼，可用的有：{'、'.join(PEOPLE)}。"
                    )
                people[name] = self.joined(path, ("people", name), sources)
            roles += [self.role(path, ("roles", n), row) for n, row in enumerate(file.roles)]
            patterns += [self.pattern(path, n, row) for n, row in enumerate(file.patterns)]
        missing = [n for n in MARKS if n not in marks] + [n for n in PEOPLE if n not in people]
        if missing:
            raise KnowledgeError(
                f"词表缺少标记或称呼：{'、'.join(missing)}，请在 marks、people 里补上。", "lexicon"
            )
        return Lexicon(tuple(patterns), tuple(roles), {kind: people[kind] for kind in PEOPLE}, marks)

    def role(self, path: Path, key: tuple[str | int, ...], row: _RoleRow) -> Role:
        for fact, value in row.facts.items():
            self.check_value(path, (*key, "facts", fact), fact, value)
        return Role(
            name=row.role,
            nouns=self.joined(path, (*key, "nouns"), row.nouns),
            facts=row.facts,
            standing=row.standing,
            context=tuple(
                self.compile(path, key, r) for r in self.regexes(path, (*key, "context"), row.context)
            ),
            unless=tuple(
                self.compile(path, key, r) for r in self.regexes(path, (*key, "unless"), row.unless)
            ),
            confidence=row.confidence,
        )

    def pattern(self, path: Path, n: int, row: _PatternRow) -> Pattern:
        key: tuple[str | int, ...] = ("patterns", n)
        self.check_value(path, (*key, "value"), row.fact, row.value)
        if row.negated not in ("skip", "keep"):
            self.check_value(path, (*key, "negated"), row.fact, row.negated)
        return Pattern(
            fact=row.fact,
            value=row.value,
            any=self.regexes(path, (*key, "any"), row.any_),
            unless=self.regexes(path, (*key, "unless"), row.unless),
            context=self.regexes(path, (*key, "context"), row.context),
            scope=row.scope,
            actor=row.actor,
            negated=row.negated,
            hypothetical=row.hypothetical,
            questioned=row.questioned,
            confidence=row.confidence,
        )

    def check_value(self, path: Path, key: tuple[str | int, ...], fact: str, value: str) -> None:
        allowed = self.vocabulary.values_of(fact)
        if not allowed:
            raise self.fault(path, key, f"事实清单 facts.yaml 里没有“{fact}”，请改正名字或先补进清单。")
        if value not in allowed:
            raise self.fault(path, key, f"“{fact}”不能取“{value}”，可取的值：{'、'.join(allowed)}。")

    def faults(self) -> Iterator[KnowledgeError]:
        """Faults of single rows: unknown facts and values, broken regexes, duplicates inside one fact."""
        seen: dict[tuple[str, ...], tuple[Path, int]] = {}
        for path, file in self.files.items():
            for n, row in enumerate(file.patterns):
                try:
                    pattern = self.pattern(path, n, row)
                    for part in ("any", "unless", "context"):
                        for m, regex in enumerate(getattr(pattern, part)):
                            self.compile(path, ("patterns", n, part, m), regex)
                except KnowledgeError as error:
                    yield error
                    continue
                for m, regex in enumerate(pattern.any):
                    what = (pattern.fact, pattern.value, pattern.actor, regex, *pattern.context)
                    if what in seen:
                        other, where = seen[what]
                        first = f"{_shown(other, self.folder)} 第{_line(other, ('patterns', where))}行"
                        message = f"“{pattern.fact}”里这条正则与 {first} 的重复，请删去一条：{_short(regex)}"
                        yield self.fault(path, ("patterns", n, "any", m), message)
                    seen.setdefault(what, (path, n))


def _read(path: Path, folder: Path) -> _File:
    shown = _shown(path, folder)
    try:
        with path.open(encoding="utf-8") as stream:
            data = yaml.load(stream, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise KnowledgeError(f"YAML 写错了（{error.problem}），请改正。", shown, line) from error
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError("读不出来，请检查文件是否完好、是否为 UTF-8 编码。", shown, 1) from error
    if isinstance(data, list):
        data = {"patterns": data}
    try:
        return _File.model_validate(flags(data or {}))
    except ValidationError as error:
        first = error.errors()[0]
        key = tuple(first["loc"])
        name = key[-1] if key else ""
        what = {
            "extra_forbidden": f"没有“{name}”这个键，请删去或改正。",
            "missing": f"缺少“{name}”，请补上。",
        }.get(first["type"], f"“{name}”的值“{first.get('input')}”不可用（{first['msg']}），请改正。")
        raise KnowledgeError(what, shown, _line(path, key)) from error


def _shown(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _short(regex: str) -> str:
    return regex if len(regex) <= 60 else regex[:60] + "…"


def _line(path: Path, key: tuple[str | int, ...]) -> int:
    """The line of ``key``, from 1; the deepest part that exists counts. Read only for errors."""
    with path.open(encoding="utf-8") as stream:
        node = yaml.compose(stream, Loader=yaml.CSafeLoader)
    if isinstance(node, yaml.SequenceNode) and key[:1] == ("patterns",):
        key = key[1:]
    line = 0
    for part in key:
        if isinstance(node, yaml.MappingNode):
            pair = next((p for p in node.value if p[0].value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = cast(yaml.Node, node.value[part])
            line = node.start_mark.line
        else:
            break
    return line + 1
