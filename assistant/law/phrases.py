"""How people carry on after an answer: the words by which they answer, correct, suppose, or begin anew.

Comes in: ``knowledge/replies.yaml`` and the vocabulary. Goes out: :class:`Phrases`. Raises ``KnowledgeError`` with
file and line. Regexes are written for the normalised clause; ``<名字>`` stands for the macro of that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pydantic import Field

from assistant.errors import KnowledgeError
from assistant.law.schema import Strict, problem_at, read_yaml
from assistant.law.vocabulary import Vocabulary

_FILE = "replies.yaml"
_MACRO = re.compile(r"(?<!\(\?P)<([一-鿿]+)>")


@dataclass(frozen=True)
class Way:
    """How one value is said. ``said`` counts whenever it is said, ``asked`` only as an answer to the question.

    ``also``: values of other facts that an answer in these words brings with it. ``one_way``: denied, it says
    nothing (有记录 speaks for 做了, 没有记录 does not speak against it).
    """

    value: str
    said: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    also: Mapping[str, str] = field(default_factory=dict)
    one_way: bool = False

    @cached_property
    def said_regexes(self) -> tuple[re.Pattern[str], ...]:
        return tuple(map(re.compile, self.said))

    @cached_property
    def asked_regexes(self) -> tuple[re.Pattern[str], ...]:
        return tuple(map(re.compile, self.asked))


@dataclass(frozen=True)
class Answers:
    """How people answer about one fact. Earlier ways win; ``plain``: what a bare yes or no means.

    ``personal``: what is said of somebody else (一把手是老李) is no answer.
    """

    ways: tuple[Way, ...]
    topic: re.Pattern[str] | None
    plain: Mapping[str, str]
    personal: bool = False


@dataclass(frozen=True)
class Phrases:
    """All of it, ready to be looked for in a clause."""

    facts: Mapping[str, Answers]
    marks: Mapping[str, re.Pattern[str]]
    ordinals: tuple[re.Pattern[str], ...]

    @cached_property
    def cut(self) -> re.Pattern[str]:
        """Where one clause ends: at a mark, and before a word that turns (但是、不过)."""
        return re.compile(rf"[，。；！？!?;,\s、]+|(?<=[一-鿿])(?={self.marks['turns'].pattern})")


class _WayRow(Strict):
    value: str
    said: list[str] = []
    asked: list[str] = []
    also: dict[str, str] = {}
    one_way: bool = False


class _FactRow(Strict):
    topic: list[str] = []
    plain: dict[str, str] | None = None
    personal: bool = False
    ways: list[_WayRow] = Field(min_length=1)


class _Marks(Strict):
    """Words by their use; what each is for stands beside it in the file."""

    agree: list[str] = Field(min_length=1)
    deny: list[str] = Field(min_length=1)
    unsure: list[str] = Field(min_length=1)
    nothing_unsure: list[str] = Field(min_length=1)
    hearsay: list[str] = Field(min_length=1)
    vague: list[str] = Field(min_length=1)
    last: list[str] = Field(min_length=1)
    first_two: list[str] = Field(min_length=1)
    last_two: list[str] = Field(min_length=1)
    every: list[str] = Field(min_length=1)
    rest: list[str] = Field(min_length=1)
    all_of_them: list[str] = Field(min_length=1)
    corrects: list[str] = Field(min_length=1)
    supposes: list[str] = Field(min_length=1)
    not_supposing: list[str] = Field(min_length=1)
    suppose_words: list[str] = Field(min_length=1)
    after_supposing: list[str] = Field(min_length=1)
    another: list[str] = Field(min_length=1)
    not_another: list[str] = Field(min_length=1)
    back: list[str] = Field(min_length=1)
    refers: list[str] = Field(min_length=1)
    numbered: list[str] = Field(min_length=1)
    turns: list[str] = Field(min_length=1)
    also: list[str] = Field(min_length=1)
    links: list[str] = Field(min_length=1)
    filler: list[str] = Field(min_length=1)
    denies: list[str] = Field(min_length=1)
    not_next: list[str] = Field(min_length=1)
    negates: list[str] = Field(min_length=1)
    denied_after: list[str] = Field(min_length=1)
    no_denial: list[str] = Field(min_length=1)
    reach_ends: list[str] = Field(min_length=1)
    somebody_else: list[str] = Field(min_length=1)
    lacks: list[str] = Field(min_length=1)
    has: list[str] = Field(min_length=1)
    colourless: list[str] = Field(min_length=1)
    open_question: list[str] = Field(min_length=1)
    yes_or_no: list[str] = Field(min_length=1)
    asking_words: list[str] = Field(min_length=1)
    alternatives: list[str] = Field(min_length=1)
    or_else: list[str] = Field(min_length=1)
    this: list[str] = Field(min_length=1)
    mention: list[str] = Field(min_length=1)
    asks: list[str] = Field(min_length=1)
    wants_to_know: list[str] = Field(min_length=1)
    asks_nothing: list[str] = Field(min_length=1)
    rhetorical: list[str] = Field(min_length=1)
    cites: list[str] = Field(min_length=1)
    supposedly: list[str] = Field(min_length=1)
    actually: list[str] = Field(min_length=1)


class _File(_Marks):
    macros: dict[str, str] = {}
    ordinals: list[str] = Field(min_length=3, max_length=3)
    facts: dict[str, _FactRow]


_MARKS = tuple(_Marks.model_fields)


def load_phrases(folder: Path, vocabulary: Vocabulary) -> Phrases:
    """Read ``replies.yaml`` in the knowledge folder.

    Raises:
        KnowledgeError: the first thing that is wrong.
    """
    file = read_yaml(folder / _FILE, _File, folder)
    for problem in _wrong_names(file, folder, vocabulary):
        raise problem

    def joined(sources: list[str]) -> re.Pattern[str]:
        return re.compile("|".join(f"(?:{_expanded(one, file.macros)})" for one in sources) or "(?!)")

    def all_of(sources: list[str]) -> tuple[str, ...]:
        return tuple(_expanded(one, file.macros) for one in sources)

    facts = {}
    for name, row in file.facts.items():
        bare = {"yes": "yes", "no": "no"} if vocabulary.facts[name].kind == "flag" else {}
        facts[name] = Answers(
            ways=tuple(
                Way(way.value, all_of(way.said), all_of(way.asked), way.also, way.one_way) for way in row.ways
            ),
            topic=joined(row.topic) if row.topic else None,
            plain=bare if row.plain is None else row.plain,
            personal=row.personal,
        )
    marks = {name: joined(getattr(file, name)) for name in _MARKS}
    return Phrases(facts, marks, tuple(joined([one]) for one in file.ordinals))


def check_phrases(folder: Path, vocabulary: Vocabulary) -> list[KnowledgeError]:
    """Everything that is wrong with the file; a file that cannot be read at all comes alone."""
    try:
        file = read_yaml(folder / _FILE, _File, folder)
    except KnowledgeError as error:
        return [error]
    return [*_wrong_names(file, folder, vocabulary), *_broken(file, folder)]


def _expanded(regex: str, macros: Mapping[str, str], within: tuple[str, ...] = ()) -> str:
    def of(match: re.Match[str]) -> str:
        name = match[1]
        if name not in macros or name in within:
            raise ValueError(f"构件“<{name}>”没有定义或者绕回到自己")
        return f"(?:{_expanded(macros[name], macros, (*within, name))})"

    return _MACRO.sub(of, regex)


def _wrong_names(file: _File, folder: Path, vocabulary: Vocabulary) -> Iterator[KnowledgeError]:
    """Facts and values that the list of facts does not have."""
    path = folder / _FILE
    for name, row in file.facts.items():
        key: tuple[str | int, ...] = ("facts", name)
        allowed = vocabulary.values_of(name)
        if not allowed:
            message = f"事实清单 facts.yaml 里没有“{name}”，请改正名字或先补进清单。"
            yield problem_at(path, folder, key, message)
            continue
        for value in [*(way.value for way in row.ways), *(row.plain or {}).values()]:
            if value not in allowed:
                message = f"“{name}”不能取“{value}”，可取的值：{'、'.join(allowed)}。"
                yield problem_at(path, folder, key, message)
        for also, value in ((a, v) for way in row.ways for a, v in way.also.items()):
            if value not in vocabulary.values_of(also):
                message = f"also 里的“{also}”没有，或者不能取“{value}”。"
                yield problem_at(path, folder, key, message)
        if wrong := [said for said in row.plain or {} if said not in ("yes", "no")]:
            message = f"plain 里只写 yes 和 no，没有“{'、'.join(wrong)}”。"
            yield problem_at(path, folder, (*key, "plain"), message)


def _broken(file: _File, folder: Path) -> Iterator[KnowledgeError]:
    """Regexes that do not compile, or that match where nothing is said."""
    for key, regex in _regexes(file):
        try:
            empty = re.compile(_expanded(regex, file.macros)).search("") is not None
            problem = "什么都不写也算" if empty else ""
        except (re.error, ValueError) as error:
            problem = str(error)
        if problem:
            message = f"正则写错了（{problem}），请改正：{regex[:60]}"
            yield problem_at(folder / _FILE, folder, key, message)


def _regexes(file: _File) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for name in _MARKS:
        for n, regex in enumerate(getattr(file, name)):
            yield (name, n), regex
    for n, regex in enumerate(file.ordinals):
        yield ("ordinals", n), regex
    for fact, row in file.facts.items():
        for n, way in enumerate(row.ways):
            for regex in (*way.said, *way.asked):
                yield ("facts", fact, "ways", n), regex
        for n, regex in enumerate(row.topic):
            yield ("facts", fact, "topic", n), regex
