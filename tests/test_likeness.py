"""Nearest cases: what is alike is found, what differs is named, and nothing misleading is shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from assistant.law.cases import Case, load_cases
from assistant.law.corpus import Corpus
from assistant.law.lexicon import Lexicon, load_lexicon
from assistant.law.ruleset import load_tables
from assistant.law.tables import load_remedies
from assistant.law.vocabulary import load_vocabulary
from assistant.model import Fact, Scope
from assistant.prompts import Prompts
from assistant.steps.answering import Sources
from assistant.steps.determination import Law, determine, scope_of
from assistant.steps.facts import read_facts
from assistant.steps.likeness import LEAST, SHOWN, Casebook, Likeness, nearest_cases, shown
from assistant.steps.verification import verify

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "knowledge"
DAY = date(2026, 3, 1)
PROMPTS = Prompts(ROOT / "prompts")
LABELS = PROMPTS.wording("labels.yaml")


@pytest.fixture(scope="module")
def law(corpus: Corpus) -> Law:
    vocabulary = load_vocabulary(FOLDER)
    remedies = load_remedies(FOLDER, corpus)
    tables = load_tables(FOLDER, vocabulary, corpus, tuple(remedies), tuple(LABELS["signals"]))
    return Law(corpus, vocabulary, tables, remedies, LABELS["scope"])


@pytest.fixture(scope="module")
def lexicon(law: Law) -> Lexicon:
    return load_lexicon(FOLDER, law.vocabulary)


@pytest.fixture(scope="module")
def cases(law: Law) -> tuple[Case, ...]:
    return load_cases(FOLDER, law.corpus, law.vocabulary, tuple(LABELS["signals"]))


def facts_of(given: dict[str, str]) -> list[Fact]:
    return [Fact(name, value, "", "confirmed", 1.0) for name, value in given.items()]


def told(case: Case) -> list[Fact]:
    return [Fact(n, v, "", "confirmed", 1.0) for n, values in case.facts.items() for v in values]


def find(
    facts: Sequence[Fact], text: str, cases: Sequence[Case], law: Law, similar: dict[str, float] | None = None
) -> tuple[Likeness, ...]:
    def judge(changed: Sequence[Fact]) -> Scope:
        return scope_of(changed, law, DAY)

    return nearest_cases(
        facts, determine(facts, law, DAY), text, Casebook(cases), law.vocabulary, judge, similar
    )


# ------------------------------------------------------------------ what is found


def test_a_case_is_nearest_to_itself(cases: tuple[Case, ...], law: Law) -> None:
    for case in cases:
        found = find(told(case), case.story, cases, law)
        assert found, case.id
        assert found[0].case.id == case.id
        assert found[0].differs == ()


def test_left_out_in_turn_each_is_matched_with_something_really_alike(
    cases: tuple[Case, ...], law: Law
) -> None:
    """By the facts as the file gives them: nearly all find a case, of the same verdict or with the reason why not."""
    matched = same = 0
    for case in cases:
        found = find(told(case), case.story, [c for c in cases if c is not case], law)
        assert len(found) <= SHOWN
        for likeness in found:
            assert likeness.score >= LEAST
            assert likeness.alike
            assert likeness.same_verdict == (likeness.case.scope == case.scope)
            assert likeness.same_verdict or any(d.decisive for d in likeness.differs)
        matched += bool(found)
        same += bool(found) and found[0].same_verdict
    assert matched >= 0.75 * len(cases)
    assert same >= 0.7 * matched


def test_left_out_in_turn_and_told_by_its_words_alone(
    cases: tuple[Case, ...], law: Law, lexicon: Lexicon
) -> None:
    """By the facts that the assistant reads from the story: fewer are shown, and those are mostly alike.

    Alike: the two sheets of facts, which the search has not seen, share at least two facts that tell something.
    """
    common = {
        ("subject", "党的领导干部"),
        ("stage", "已作决定"),
        ("stage", "调查中"),
        ("consequence", "严重"),
    }
    pairs = [
        (case, likeness.case)
        for case in cases
        for likeness in find(
            read_facts(case.story, lexicon, law.vocabulary),
            case.story,
            [c for c in cases if c is not case],
            law,
        )
    ]
    sheets = {c.id: {(n, v) for n, values in c.facts.items() for v in values} - common for c in cases}
    alike = [len(sheets[here.id] & sheets[there.id]) >= 2 for here, there in pairs]
    some = [bool(sheets[here.id] & sheets[there.id]) for here, there in pairs]
    assert len({here.id for here, _ in pairs}) >= 0.45 * len(cases)
    assert sum(some) >= 0.9 * len(pairs)
    assert sum(alike) >= 0.65 * len(pairs)


@pytest.mark.parametrize(
    ("id", "text"),
    [
        (
            "c45",
            "班子会上讨论这个项目时我明确反对，会议记录写得清楚，现在出了重大损失，副县长我也要被问责吗？",
        ),
        ("c03", "我们局长带着几个人用公款旅游，他自己也参加了，县里说要对他问责，这对吗？"),
        ("c10", "群体性事件发生后，跟这件事毫无关系的几个部门也被列入问责名单，我们局就在里面。"),
    ],
)
def test_questions_in_everyday_words(
    id: str, text: str, cases: tuple[Case, ...], law: Law, lexicon: Lexicon
) -> None:
    found = find(read_facts(text, lexicon, law.vocabulary), text, cases, law)
    assert id in [likeness.case.id for likeness in found]


def test_nothing_alike_nothing_shown(cases: tuple[Case, ...], law: Law) -> None:
    assert find([], "今天天气不错。", cases, law) == ()
    assert find(facts_of({"party_member": "yes"}), "我想学做菜，请推荐几道家常菜。", cases, law) == ()
    assert find(facts_of({"subject": "党的领导干部"}), "食堂的菜有点咸。", cases, law) == ()
    assert find(facts_of({"subject": "党的领导干部"}), "食堂的菜有点咸。", (), law) == ()


def test_facts_about_how_something_was_asked_count_for_nothing(cases: tuple[Case, ...], law: Law) -> None:
    assert find(facts_of({"length": "长", "narrates": "yes"}), "", cases, law) == ()


# ------------------------------------------------------------------ what differs


FLOOD = {
    "subject": "党的领导干部", "post_level": "主要负责人", "own_duty": "yes", "duty_failure": "yes",
    "force_majeure": "yes", "duty_done": "no", "situation": "9", "consequence": "严重",
}  # fmt: skip
STORY = "台风来了，镇里没有人值守也没有转移群众，山洪造成伤亡，镇长说是天灾。"


def test_a_case_decided_otherwise_comes_with_the_fact_that_explains_it(
    cases: tuple[Case, ...], law: Law
) -> None:
    facts = facts_of({**FLOOD, "duty_failure": "no", "duty_done": "yes"})
    found = {n.case.id: n for n in find(facts, STORY, [c for c in cases if c.id == "c48"], law)}
    assert determine(facts, law, DAY).scope == "in_but_exempt"
    likeness = found["c48"]
    assert not likeness.same_verdict
    decisive = [d for d in likeness.differs if d.decisive]
    assert decisive
    assert likeness.differs[: len(decisive)] == tuple(decisive)
    changed = [f for f in facts if f.name not in {d.name for d in decisive}]
    changed += [f for f in told(likeness.case) if f.name in {d.name for d in decisive}]
    assert scope_of(changed, law, DAY) == likeness.case.scope


def test_a_case_decided_otherwise_for_reasons_nobody_can_name_is_not_shown(law: Law) -> None:
    same_facts_other_verdict = Case(
        id="t01",
        title="自相矛盾的情况",
        story=STORY,
        facts={name: (value,) for name, value in FLOOD.items()},
        scope="out_subject",
        subject="党的领导干部",
        responsibility=None,
        outcome="写错了的结论",
        correct="wrong",
        provisions=("wenze-2019#5",),
        signals=(),
        lesson="不该显示。",
        origin="typical",
    )
    assert find(facts_of(FLOOD), STORY, [same_facts_other_verdict], law) == ()


def test_an_unknown_fact_is_said_to_be_unknown(cases: tuple[Case, ...], law: Law) -> None:
    facts = facts_of({name: value for name, value in FLOOD.items() if name != "consequence"})
    (likeness,) = find(facts, STORY, [c for c in cases if c.id == "c48"], law)
    first = likeness.differs[0]
    assert (first.label, first.here, first.there, first.decisive) == ("后果", "", "严重", True)


def test_what_both_have_is_listed_in_words(cases: tuple[Case, ...], law: Law) -> None:
    (likeness,) = find(facts_of(FLOOD), STORY, [c for c in cases if c.id == "c48"], law)
    assert "身份：党的领导干部" in likeness.alike
    assert "不可抗力或难以预见：是" in likeness.alike
    assert likeness.differs == ()


# ------------------------------------------------------------------ words and measures


def test_a_cosine_adds_what_shared_words_do_not_show(cases: tuple[Case, ...], law: Law) -> None:
    only = [c for c in cases if c.id == "c48"]
    other_words = "谁料得到呢"
    plain, far, near = (
        find(facts_of(FLOOD), other_words, only, law, similar)[0].score
        for similar in (None, {"c48": 0.85}, {"c48": 0.95})
    )
    assert plain == far
    assert near - far > 0.2  # about the share that words have in the score


def test_doubtful_facts_count_less(cases: tuple[Case, ...], law: Law) -> None:
    only = [c for c in cases if c.id == "c48"]
    sure = find(facts_of(FLOOD), STORY, only, law)[0].score
    doubtful = [Fact(n, v, "", "lexicon", 0.6) for n, v in FLOOD.items()]
    assert find(doubtful, STORY, only, law)[0].score < sure


def test_the_section_as_readers_see_it(cases: tuple[Case, ...], law: Law) -> None:
    facts = facts_of({**FLOOD, "duty_failure": "no", "duty_done": "yes"})
    found = find(facts, STORY, cases, law)
    assert len(found) == 2
    sources = Sources(law.corpus, DAY, "待核")
    section = PROMPTS.render(
        "cases.md.j2", cases=[shown(n, sources.mark(*n.case.provisions[:3])) for n in found]
    )
    assert section.startswith("**类似案例**\n- **")
    assert section.count("非真实案件") == 2
    assert "您这里" in section
    assert "改变结论" in section
    kept, checks = verify(section, sources.citations(), law.corpus)
    assert kept == section
    assert all(check.passed for check in checks), checks


def test_every_case_can_stand_in_an_answer(cases: tuple[Case, ...], law: Law) -> None:
    """With the marks of its provisions, no line of any case is taken out as law without a source."""
    for case in cases:
        sources = Sources(law.corpus, DAY, "待核")
        marks = sources.mark(*case.provisions[:3])
        section = PROMPTS.render("cases.md.j2", cases=[shown(Likeness(case, 1.0, (), (), True), marks)])
        assert verify(section, sources.citations(), law.corpus)[0] == section, case.id
        assert ("非真实案件" in section) == (case.origin == "typical")
