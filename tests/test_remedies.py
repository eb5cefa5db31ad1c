"""Sentences of law and their sources: what a sentence says in numbers, its sources say too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import get_args

import pytest

from assistant.evaluation.sources import check_sources
from assistant.law.corpus import Corpus, load_corpus
from assistant.law.remedies import routes_with_deadlines
from assistant.law.tables import RemedyRow, load_periods, load_remedies
from assistant.model import Citation, Declined, Reply, Route
from assistant.prompts import Prompts
from assistant.settings import load_settings
from assistant.steps.answering import Sources, Writer
from assistant.steps.verification import needs_source, verify

DAY = date(2026, 3, 1)
RECEIVED = date(2026, 2, 20)


@pytest.fixture(scope="module")
def folder() -> Path:
    return load_settings().knowledge


@pytest.fixture(scope="module")
def corpus(folder: Path) -> Corpus:
    return load_corpus(folder)


@pytest.fixture(scope="module")
def remedies(folder: Path, corpus: Corpus) -> dict[str, RemedyRow]:
    return load_remedies(folder, corpus)


@pytest.fixture(scope="module")
def writer(folder: Path, corpus: Corpus) -> Writer:
    prompts = Prompts(load_settings().prompts)
    return Writer(prompts, prompts.wording("labels.yaml"), corpus, load_periods(folder, corpus))


def _wrong(answer: str, citations: Sequence[Citation], corpus: Corpus, day: date = DAY) -> list[str]:
    cited = [
        {"n": c.n, "id": c.id, "label": c.label, "text": c.text, "original": c.original} for c in citations
    ]
    uncited = [line for line in answer.partition("**来源**")[0].split("\n") if needs_source(line)]
    return [*check_sources({"answer": answer, "citations": cited}, corpus, day).wrong, *uncited]


def _routes(row: RemedyRow, corpus: Corpus, day: date = DAY) -> tuple[Route, ...]:
    def in_force(id: str) -> bool:
        return corpus.provision(id).instrument.in_force(day)

    return routes_with_deadlines([row], RECEIVED, in_force)


def test_every_line_of_a_route_has_sources_that_say_its_periods(
    remedies: dict[str, RemedyRow], writer: Writer, corpus: Corpus
) -> None:
    for row in remedies.values():
        routes = _routes(row, corpus)
        assert len(routes[0].steps) == len(row.steps), row.id
        answer, citations = writer.knowledge(Reply(), routes, (), (), DAY, ())
        assert _wrong(answer, citations, corpus) == [], row.id
        assert all(check.passed for check in verify(answer, citations, corpus)[1]), row.id


def test_a_line_cites_its_own_step_and_not_its_neighbour(
    remedies: dict[str, RemedyRow], writer: Writer, corpus: Corpus
) -> None:
    answer, citations = writer.knowledge(Reply(), _routes(remedies["RR23"], corpus), (), (), DAY, ())
    numbers = {c.id: f"[{c.n}]" for c in citations}
    lines = {line.split("：")[0].strip("- "): line for line in answer.split("\n") if line.startswith("  - ")}
    assert numbers["laodongzhengyi-2007#27"] in lines["劳动仲裁"]
    assert numbers["laodongzhengyi-2007#50"] in lines["起诉"]
    assert numbers["jiancha-2024#56"] not in lines["劳动仲裁"]


def test_a_line_without_the_source_of_its_period_is_found_out(
    remedies: dict[str, RemedyRow], writer: Writer, corpus: Corpus
) -> None:
    """The test of the test: the neighbour's provision does not say one year."""
    answer, citations = writer.knowledge(Reply(), _routes(remedies["RR15"], corpus), (), (), DAY, ())
    numbers = {c.id: f"[{c.n}]" for c in citations}
    swapped = answer.replace(numbers["laodongzhengyi-2007#27"], numbers["laodongzhengyi-2007#50"])
    assert _wrong(swapped, citations, corpus) == ["来源里没有：1年"]
    assert [c.name for c in verify(swapped, citations, corpus)[1] if not c.passed] == ["期限在来源里写着"]


def test_what_is_said_of_execution_stands_in_its_source(
    remedies: dict[str, RemedyRow], corpus: Corpus
) -> None:
    for row in remedies.values():
        if "不停止执行" in row.effect_on_execution and "条文没有写" not in row.effect_on_execution:
            said = "".join(corpus.provision(id).digest or "" for id in row.effect_basis)
            assert "不停止" in said or "继续执行" in said, row.id


def test_a_step_whose_basis_is_not_in_force_is_not_shown(
    remedies: dict[str, RemedyRow], corpus: Corpus
) -> None:
    day = date(2008, 5, 1)  # the statute of labour disputes began on this day, the rest came later
    assert [s.name for route in _routes(remedies["RR15"], corpus, day) for s in route.steps] == [
        "劳动仲裁",
        "起诉",
    ]
    assert _routes(remedies["RR14"], corpus, day) == ()


@pytest.mark.parametrize("day", [date(2021, 3, 1), date(2022, 6, 1), date(2024, 6, 1), date(2027, 1, 1)])
def test_on_an_earlier_day_no_period_is_said_that_the_rules_of_that_day_do_not_say(
    day: date, remedies: dict[str, RemedyRow], writer: Writer, corpus: Corpus
) -> None:
    for row in remedies.values():
        answer, citations = writer.knowledge(Reply(), _routes(row, corpus, day), (), (), day, ())
        assert _wrong(answer, citations, corpus, day) == [], row.id


def test_influence_periods_stand_in_their_sources(writer: Writer, corpus: Corpus) -> None:
    for row in writer.periods:
        sources = Sources(corpus, DAY, "待核")
        sentence = writer.period_sentence(row, sources)
        assert _wrong(sentence, sources.citations(), corpus) == [], (row.id, sentence)


@pytest.mark.parametrize("reason", get_args(Declined))
def test_what_a_refusal_says_of_the_law_stands_in_its_sources(
    reason: Declined, writer: Writer, corpus: Corpus
) -> None:
    answer, citations = writer.decline(reason, DAY, ())
    assert _wrong(answer, citations, corpus) == []
