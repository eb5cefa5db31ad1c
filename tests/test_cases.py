"""The typical situations: references hold, verdicts are those of the decision tables, mistakes are named."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import get_args

import pytest

from assistant.errors import KnowledgeError
from assistant.law.cases import Case, check_cases, load_cases
from assistant.law.corpus import Corpus
from assistant.law.ruleset import load_tables
from assistant.law.tables import load_remedies
from assistant.law.text import normalise
from assistant.law.vocabulary import load_vocabulary
from assistant.model import Determination, Fact, Provision, Scope
from assistant.prompts import Prompts
from assistant.steps.determination import Law, determine
from assistant.steps.verification import verify

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "knowledge"
DAY = date(2026, 3, 1)
LABELS = Prompts(ROOT / "prompts").wording("labels.yaml")
SIGNALS = tuple(LABELS["signals"])


@pytest.fixture(scope="module")
def law(corpus: Corpus) -> Law:
    vocabulary = load_vocabulary(FOLDER)
    remedies = load_remedies(FOLDER, corpus)
    tables = load_tables(FOLDER, vocabulary, corpus, tuple(remedies), SIGNALS)
    return Law(corpus, vocabulary, tables, remedies, LABELS["scope"])


@pytest.fixture(scope="module")
def cases(law: Law) -> tuple[Case, ...]:
    return load_cases(FOLDER, law.corpus, law.vocabulary, SIGNALS)


def decided(case: Case, law: Law) -> Determination:
    facts = [Fact(n, v, "", "confirmed", 1.0) for n, values in case.facts.items() for v in values]
    return determine(facts, law, DAY)


# ------------------------------------------------------------------ the cases themselves


def test_nothing_is_wrong(law: Law) -> None:
    assert [str(e) for e in check_cases(FOLDER, law.corpus, law.vocabulary, SIGNALS)] == []


def test_there_are_enough_and_of_every_kind(cases: tuple[Case, ...], law: Law) -> None:
    assert len(cases) >= 72
    assert {c.scope for c in cases} == set(get_args(Scope))
    assert {c.correct for c in cases} == {"right", "wrong", "corrected"}
    assert min(Counter(c.correct for c in cases).values()) >= 15
    assert {i for c in cases for i in c.facts.get("situation", ())} == {str(n) for n in range(1, 12)}
    assert {s for c in cases for s in c.signals} == set(SIGNALS)
    assert {c.subject for c in cases} >= set(law.vocabulary.values_of("subject"))


def test_the_grounds_and_the_routes_are_covered(cases: tuple[Case, ...], law: Law) -> None:
    made = [decided(case, law) for case in cases]
    met = {e.id for m in made for e in m.exemptions if e.status == "met"}
    refused = {e.id for m in made for e in m.exemptions if e.status == "not_met"}
    grounds = {f"wenze-2019#17.{n}" for n in ("1.1", "1.2", "1.3", "2")}
    assert grounds <= met
    assert grounds <= refused
    assert {f"wenze-2019#{n}" for n in ("18.1.1", "18.1.2", "19.1.1", "19.1.2")} <= met
    routes = {r.id for m in made for r in m.routes}
    assert routes >= {f"RR{n:02}" for n in (1, 2, 3, 4, 5, 8, 9, 11, 14, 20, 23, 25)}
    named = {p for c in cases for p in c.provisions}
    assert {"wenze-2019#20", "xinfang-2022#35", "xinfang-2022#36", "jiancha-2024#56"} <= named


def test_every_verdict_is_that_of_the_tables(cases: tuple[Case, ...], law: Law) -> None:
    wrong = [(c.id, c.title, c.scope, m.scope) for c in cases if (m := decided(c, law)).scope != c.scope]
    assert wrong == []


def test_responsibility_is_that_of_the_tables(cases: tuple[Case, ...], law: Law) -> None:
    for case in cases:
        assert decided(case, law).responsibility == case.responsibility, case.id


def test_signals_are_those_of_the_tables(cases: tuple[Case, ...], law: Law) -> None:
    for case in cases:
        assert {s.name for s in decided(case, law).misuse_signals} == set(case.signals), case.id


def test_a_case_names_what_its_verdict_rests_on(cases: tuple[Case, ...], law: Law) -> None:
    for case in cases:
        if case.scope in ("in", "in_but_exempt"):
            assert decided(case, law).clauses[0].id in case.provisions, case.id
        if case.scope == "in_but_exempt":
            grounds = {e.id for e in decided(case, law).exemptions if e.status == "met"}
            assert grounds & set(case.provisions), case.id
        if case.scope == "out_subject" and not any("申诉" in s for s in case.facts.get("stage", ())):
            related = {"wenze-2019#5", "wenze-2019#6.1", "wenze-2019#6.3"}
            assert related & set(case.provisions), case.id


def test_numbers_of_days_and_months_stand_in_the_provisions(cases: tuple[Case, ...], corpus: Corpus) -> None:
    """A period that a case teaches must be in the digest of a provision it names."""
    spoken = str.maketrans("一二三", "123")
    for case in cases:
        digests = " ".join(corpus.provision(p).digest for p in case.provisions).translate(spoken)
        for period in re.findall(r"\d+(?:个月|日|年)", f"{case.outcome}。{case.lesson}".translate(spoken)):
            assert period in digests.replace(" ", ""), (case.id, period)


def test_articles_that_a_case_names_in_words_are_among_its_provisions(
    cases: tuple[Case, ...], corpus: Corpus
) -> None:
    for case in cases:
        labels = " ".join(corpus.provision(p).label for p in case.provisions)
        for article in re.findall(r"第[一二三四五六七八九十百]+条", f"{case.outcome}{case.lesson}"):
            assert article in labels, (case.id, article)


def test_public_cases_say_where_and_typical_ones_are_called_so(cases: tuple[Case, ...]) -> None:
    public = [c for c in cases if c.origin == "public"]
    assert len(public) >= 15
    assert all(c.source for c in public)
    assert not any(c.source for c in cases if c.origin == "typical")


def test_no_case_is_copied_from_the_shared_texts(cases: tuple[Case, ...]) -> None:
    """No run of 16 characters of a case stands in a seed or an official text."""
    shared = ROOT.parent / "shared"
    texts = [*shared.glob("seeds/*.txt"), *shared.glob("official/**/*.md")]
    if not texts:
        pytest.skip("没有 ../shared，无法比对原文")
    verbatim = "\n".join(normalise(path.read_text("utf-8")) for path in texts)
    for case in cases:
        for words in (case.story, case.outcome, case.lesson, case.title):
            told = normalise(words)
            copied = [told[i : i + 16] for i in range(len(told) - 15) if told[i : i + 16] in verbatim]
            assert not copied, (case.id, copied[0])


def test_the_words_pass_verification_with_a_mark_only(cases: tuple[Case, ...], corpus: Corpus) -> None:
    """Sentences of law among them are taken out of an answer that forgets the marks."""
    line = next(f"- {c.outcome}" for c in cases if "处分" in c.outcome)
    assert verify(line, (), corpus)[0] == ""


# ------------------------------------------------------------------ mistakes


GOOD = """\
cases:
  - id: t01
    title: 试验情况
    story: 某局局长没有检查。后来出了大事。
    facts: {subject: 党的领导干部, duty_failure: yes, situation: 9, consequence: 严重}
    scope: in
    subject: 党的领导干部
    responsibility: null
    outcome: 应当问责
    correct: right
    provisions: [wenze-2019#7.1.9]
    signals: []
    lesson: 要检查。
    origin: typical
"""


def errors_of(text: str, tmp_path: Path, law: Law) -> list[str]:
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "01.yaml").write_text(text, "utf-8")
    return [str(e) for e in check_cases(tmp_path, law.corpus, law.vocabulary, SIGNALS)]


def test_a_good_file_is_read_with_flags_and_numbers_as_words(tmp_path: Path, law: Law) -> None:
    assert errors_of(GOOD, tmp_path, law) == []
    (case,) = load_cases(tmp_path, law.corpus, law.vocabulary, SIGNALS)
    assert case.facts == {
        "subject": ("党的领导干部",),
        "duty_failure": ("yes",),
        "situation": ("9",),
        "consequence": ("严重",),
    }


def test_a_folder_without_cases_has_none(tmp_path: Path, law: Law) -> None:
    assert load_cases(tmp_path, law.corpus, law.vocabulary, SIGNALS) == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("duty_failure: yes", "duty_fail: yes", 5, "没有叫“duty_fail”的情况事实"),
        ("duty_failure: yes", "in_domain: yes", 5, "没有叫“in_domain”的情况事实"),
        ("consequence: 严重", "consequence: 很大", 5, "可取的值：严重、轻微、无"),
        ("consequence: 严重", "consequence: [严重, 无]", 5, "只能有一个值"),
        ("subject: 党的领导干部\n", "subject: 国企领导\n", 7, "改成一致"),
        ("scope: in", "scope: inside", 6, "“scope”的值“inside”不可用"),
        ("#7.1.9", "#99", 11, "没有条款“wenze-2019#99”"),
        ("wenze-2019#7.1.9", "问责条例第七条", 11, "写法不对"),
        ("wenze-2019#7.1.9", "xinfang-2005#1", 11, "没有条款"),
        ("signals: []", "signals: [乱问责]", 12, "没有“乱问责”这个名称"),
        ("id: t01", "id: 第一", 2, "小写字母"),
        ("origin: typical", "origin: public", 14, "请在 source 里写出处"),
        ("origin: typical", "origin: typical\n    source: 某报", 15, "删去 source"),
        ("origin: typical", "origin: public\n    source: guifan-wenze#n99", 15, "请改正出处"),
        ("没有检查。后来出了大事。", "没有检查，后来出了大事。", 4, "二到五句"),
        ("outcome: 应当问责", "outcome: 应当问责。要快。", 9, "写成一句"),
        ("    lesson: 要检查。\n", "", 2, "缺少键“lesson”"),
        ("correct: right", "correct: right\n    extra: 1", 11, "不认识的键“extra”"),
        ("scope: in", "scope: in\n    scope: in", 7, "写了两次"),
        ("responsibility: null", "responsibility: 次要责任", 8, "不可用"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    old: str, new: str, line: int, said: str, tmp_path: Path, law: Law
) -> None:
    found = errors_of(GOOD.replace(old, new, 1), tmp_path, law)
    assert len(found) == 1, found
    assert said in found[0]
    assert f"cases/01.yaml 第{line}行" in found[0]


def test_names_are_given_once_and_responsibility_ends_where_the_scope_does(tmp_path: Path, law: Law) -> None:
    twice = GOOD + GOOD.removeprefix("cases:\n").replace("试验情况", "另一种")
    twice = twice.replace("scope: in", "scope: out_subject").replace(
        "responsibility: null", "responsibility: 主要领导责任", 1
    )
    found = errors_of(twice, tmp_path, law)
    assert ["responsibility 请写 null" in found[0], "前面已经有了" in found[1], len(found)] == [True, True, 2]


def test_a_provision_no_longer_in_force_needs_a_reason(tmp_path: Path, law: Law) -> None:
    class Ended:
        """The stock, its instruments ended a day ago."""

        def get(self, id: str) -> Provision | None:
            found = law.corpus.get(id)
            return found and replace(found, instrument=replace(found.instrument, effective_to=DAY))

    assert errors_of(GOOD, tmp_path, law) == []
    (problem,) = check_cases(tmp_path, Ended(), law.vocabulary, SIGNALS)
    assert "已经失效" in str(problem)
    (tmp_path / "cases" / "01.yaml").write_text(GOOD + "    note: 当时的规定\n", "utf-8")
    assert check_cases(tmp_path, Ended(), law.vocabulary, SIGNALS) == []


def test_loading_stops_at_the_first_mistake(tmp_path: Path, law: Law) -> None:
    errors_of(GOOD.replace("scope: in", "scope: inside"), tmp_path, law)
    with pytest.raises(KnowledgeError, match="第6行"):
        load_cases(tmp_path, law.corpus, law.vocabulary, SIGNALS)
