"""What letters there are, which steps of a remedy each is for, and what may be said in them.

Comes in: ``knowledge/drafting.yaml``. Goes out: :class:`DraftRules`. Raises ``KnowledgeError`` with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from assistant.errors import KnowledgeError
from assistant.law.corpus import Corpus
from assistant.law.schema import Reference, Strict, Text, problem_at, read_yaml
from assistant.law.tables import RemedyRow
from assistant.model import Scope

When = Literal["before", "after", "any"]
_FILE = "drafting.yaml"


class KindRow(Strict):
    """Which steps of the routes a letter is for, and whether it is for before or after a decision."""

    steps: list[Text] = Field(min_length=1)
    when: When


class _Row(Strict):
    kinds: dict[str, KindRow]
    last_unless_said: dict[str, str]
    sure_from: float = Field(gt=0, le=1)
    procedure: dict[str, list[Reference]]
    correction: list[Reference]
    findings_in: list[Scope]
    only_if_called: list[Text]
    signals_left_out: list[Text]
    measures_left_out: list[Text]
    introductions: list[Text]
    deciders: list[Text]
    decider_step: Text
    decider_fits: dict[str, str]


@dataclass(frozen=True)
class DraftRules:
    """The file, ready to be used.

    ``last_unless_said``: routes that come last unless the story has such words. ``procedure``: facts about the
    procedure with the provisions they may rest on. ``correction``: provisions by which a wrong decision is set right.
    ``decider_fits``: what the name of a decider must have where the body of the step is of this kind.
    """

    kinds: Mapping[str, KindRow]
    last_unless_said: Mapping[str, re.Pattern[str]]
    sure_from: float
    procedure: Mapping[str, tuple[str, ...]]
    correction: tuple[str, ...]
    findings_in: frozenset[Scope]
    only_if_called: frozenset[str]
    signals_left_out: frozenset[str]
    measures_left_out: frozenset[str]
    introductions: tuple[re.Pattern[str], ...]
    deciders: tuple[re.Pattern[str], ...]
    decider_step: re.Pattern[str]
    decider_fits: Mapping[str, re.Pattern[str]]


def load_drafts(folder: Path) -> DraftRules:
    """The rules for letters.

    Raises:
        KnowledgeError: the file is missing or has a mistake.
    """
    row = read_yaml(folder / _FILE, _Row, folder)
    for problem in _bad_regexes(folder, row):
        raise problem
    return DraftRules(
        kinds=row.kinds,
        last_unless_said={id: re.compile(words) for id, words in row.last_unless_said.items()},
        sure_from=row.sure_from,
        procedure={fact: tuple(ids) for fact, ids in row.procedure.items()},
        correction=tuple(row.correction),
        findings_in=frozenset(row.findings_in),
        only_if_called=frozenset(row.only_if_called),
        signals_left_out=frozenset(row.signals_left_out),
        measures_left_out=frozenset(row.measures_left_out),
        introductions=tuple(map(re.compile, row.introductions)),
        deciders=tuple(map(re.compile, row.deciders)),
        decider_step=re.compile(row.decider_step),
        decider_fits={name: re.compile(words) for name, words in row.decider_fits.items()},
    )


def check_drafts(
    folder: Path,
    corpus: Corpus,
    remedies: Mapping[str, RemedyRow],
    facts: Collection[str],
    signals: Collection[str],
) -> Iterator[KnowledgeError]:
    """References of the file that lead nowhere: steps, routes, provisions, facts, signals."""
    row = read_yaml(folder / _FILE, _Row, folder)
    path = folder / _FILE
    steps = {step.name for remedy in remedies.values() for step in remedy.steps}
    for name, kind in row.kinds.items():
        for i, step in enumerate(kind.steps):
            if step not in steps:
                yield problem_at(
                    path, folder, ("kinds", name, "steps", i), f"救济途径里没有“{step}”这一步，请核对。"
                )
    for id in row.last_unless_said:
        if id not in remedies:
            yield problem_at(path, folder, ("last_unless_said", id), f"没有编号为 {id} 的救济途径。")
    for fact, ids in row.procedure.items():
        if fact not in facts:
            yield problem_at(path, folder, ("procedure", fact), f"事实清单里没有 {fact}。")
        for i, id in enumerate(ids):
            if corpus.get(id) is None:
                yield problem_at(path, folder, ("procedure", fact, i), f"知识库里没有条款 {id}。")
    for i, id in enumerate(row.correction):
        if corpus.get(id) is None:
            yield problem_at(path, folder, ("correction", i), f"知识库里没有条款 {id}。")
    for i, name in enumerate(row.signals_left_out):
        if name not in signals:
            yield problem_at(path, folder, ("signals_left_out", i), f"没有“{name}”这个泛化信号。")
    yield from _bad_regexes(folder, row)


def _bad_regexes(folder: Path, row: _Row) -> Iterator[KnowledgeError]:
    named: list[tuple[tuple[str | int, ...], str, bool]] = [
        (("last_unless_said", id), words, False) for id, words in row.last_unless_said.items()
    ]
    named += [(("introductions", i), words, True) for i, words in enumerate(row.introductions)]
    named += [(("deciders", i), words, True) for i, words in enumerate(row.deciders)]
    named += [(("decider_fits", name), words, False) for name, words in row.decider_fits.items()]
    named.append((("decider_step",), row.decider_step, False))
    for place, words, has_group in named:
        try:
            groups = re.compile(words).groupindex
        except re.error as error:
            yield problem_at(folder / _FILE, folder, place, f"正则写法有误（{error.msg}）。")
            continue
        if has_group and "words" not in groups:
            yield problem_at(folder / _FILE, folder, place, "正则里要有 (?P<words>…)。")
