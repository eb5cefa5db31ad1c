"""The evaluation harness on small sets made here, with invented answers whose figures can be worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import InputFileError, KnowledgeError
from assistant.evaluation import names
from assistant.evaluation.asker import Asker, Wordings, converse, load_wordings
from assistant.evaluation.baseline import compare_runs, read_baseline, write_baseline
from assistant.evaluation.diagnosis import diagnose
from assistant.evaluation.measures import CASES, OF_PART, Measure, Table, change, figure, mean
from assistant.evaluation.names import load_names
from assistant.evaluation.outcomes import Judge, conduct, mentions, pairs_of, searched, uncounted
from assistant.evaluation.records import Memory, Prediction, read_records, write_records
from assistant.evaluation.rows import GoldRow, GoldSet, read_sets
from assistant.evaluation.scoring import Key, Scores, score
from assistant.evaluation.sources import check_sources
from assistant.law.corpus import Corpus
from assistant.law.vocabulary import Vocabulary, load_vocabulary
from assistant.model import Advice, Determination, MissingFact, Question
from assistant.prompts import Prompts
from assistant.settings import Settings, load_settings
from assistant.wiring import load_law

DAY = date(2026, 3, 1)
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return load_vocabulary(load_settings().knowledge)


@pytest.fixture(scope="module")
def judge(corpus: Corpus, settings: Settings) -> Judge:
    labels = Prompts(settings.prompts).wording("labels.yaml")
    law = load_law(settings, labels, corpus)
    known = load_names(list(labels["signals"]), list(law.remedies))
    return Judge(corpus, law.vocabulary, law.tables["exemptions"], known, DAY)


def put(folder: Path, name: str, rows: Sequence[Mapping[str, Any]]) -> Path:
    file = folder / name
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return file


def case(id: str, scope: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "scenario": f"情况{id}。", "scope": scope, **more}


def answer(scope: str | None, confidence: float = 0.5, **more: Any) -> dict[str, Any]:
    return {"kind": "scenario", "scope": scope, "confidence": confidence, "answer": "", **more}


def scored(judge: Judge, sets: Sequence[GoldSet], records: Sequence[Prediction | Memory]) -> Scores:
    return score(records, sets, judge, lambda _: False, lambda _: False)


def only(scores: Scores, part: str, stage: str = "first", system: str = "zeming") -> Mapping[str, Any]:
    (key,) = (k for k in scores.figures if (k.part, k.stage, k.system) == (part, stage, system))
    return {name: one.value for name, one in scores.figures[key].items()}


# ------------------------------------------------------------------ rows


@pytest.mark.parametrize(
    ("kind", "line", "words"),
    [
        ("cases", "{", "rows.jsonl 第2行不是完整的 JSON"),
        ("cases", "[]", "第2行不是 JSON 对象"),
        ("cases", '{"id": "x", "scope": "in"}', "第2行的 scenario 或 question 字段"),
        ("cases", '{"id": "x", "scenario": "甲"}', "第2行没有 scope 字段"),
        ("cases", '{"id": "x", "scenario": "甲", "scope": "maybe"}', "第2行的 scope 字段"),
        ("cases", '{"id": "x", "scenario": "甲", "scope": "in", "clauses": "第七条"}', "第2行的 clauses 字段应是列表"),
        ("cases", '{"id": "x", "scenario": "甲", "scope": "in", "received": "昨天"}', "第2行的 received 字段"),
        ("cases", '{"id": "x", "scenario": "甲", "scope": "in", "deadline": {"RR01": 3}}', "第2行的 deadline 字段"),
        ("cases", '{"id": "one", "scenario": "甲", "scope": "in"}', "“one”前面已经有了"),
        ("quiz", '{"id": "x", "question": "甲"}', "第2行没有 must_mention"),
        ("quiz", '{"id": "x", "question": "甲", "must_mention_any": ["甲"]}', "第2行的 must_mention_any 字段"),
        ("contrast", '{"id": "x", "scenario": "甲", "scope": "in"}', "第2行没有 pair 字段"),
        ("abstain", '{"id": "x", "question": "甲"}', "第2行没有 kind 或 expected 字段"),
        ("questions", '{"question": "甲"}', "第2行的 basis"),
        ("stard", '{"id": 3, "question": "甲"}', "第2行没有 articles 字段"),
    ],
)  # fmt: skip
def test_a_broken_row_is_named_by_file_line_and_field(
    tmp_path: Path, kind: Any, line: str, words: str
) -> None:
    good = {
        "id": "one",
        "scenario": "甲",
        "scope": "in",
        "pair": "p",
        "must_mention": ["甲"],
        "kind": "evade",
    }
    good |= {"basis": ["问责条例第七条"], "articles": {}}
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({**good, "question": "甲"}, ensure_ascii=False) + "\n" + line, "utf-8")
    with pytest.raises(InputFileError) as caught:
        read_sets({kind: [file]})
    assert words in str(caught.value)


def test_sets_are_named_apart(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "strange").mkdir()
    files = [put(tmp_path / f, "cases.jsonl", [case("1", "in")]) for f in ("own", "strange")]
    sets = read_sets({"cases": files})
    assert [(s.name, s.folder) for s in sets] == [("cases", "own"), ("strange-cases", "strange")]
    with pytest.raises(InputFileError, match="同名"):
        read_sets({"cases": [*files, files[1]]})
    with pytest.raises(InputFileError, match="读不了文件"):
        read_sets({"cases": [tmp_path / "none.jsonl"]})


def test_several_questions_with_one_address_are_rows_of_their_own(tmp_path: Path) -> None:
    file = put(
        tmp_path,
        "q.jsonl",
        [
            {"file": "wenze-2019", "no": "7", "para": None, "item": 9, "questions": ["甲？", "乙？"]},
            {"question": "丙？", "basis": ["问责条例第二十条"]},
        ],
    )
    (gold,) = read_sets({"questions": [file]})
    assert [row.text for row in gold.rows] == ["甲？", "乙？", "丙？"]
    assert gold.rows[0].gold["basis"] == ["wenze-2019#7.1.9"]


# ------------------------------------------------------------------ figures


def test_figures_of_situations(judge: Judge, tmp_path: Path) -> None:
    seven, nine = "问责条例第七条第（七）项", "wenze-2019#7.1.9"
    told: dict[str, Any] = {"clauses": [seven], "exemption": [], "misuse_signals": ["领导批示即问责"]}
    ways = {"routes": ["RR01", "RR02"], "received": "2026-03-31", "deadline": {"RR01": "2026-04-30"}}
    trial_label = "问责条例第十七条第（一）项"
    rows = [
        case("a", "in", subject="党组织", route="申诉1个月", **told),
        case("b", "in_but_exempt", **{**told, "exemption": [trial_label], "misuse_signals": ["程序不规范"]}),
        case("c", "out_subject", subject=None, **ways),
        case("d", "needs_more_facts"),
    ]
    sets = read_sets({"cases": [put(tmp_path, "cases.jsonl", rows)]})
    trial = {"id": "wenze-2019#17.1.1", "status": "met"}
    given = {
        "a": answer("in", 0.9, subject="党组织", clauses=[{"id": nine}, {"id": "wenze-2019#7.1.7"}],
                    exemptions=[trial], misuse_signals=["批示即问责", "重复问责"], routes=[{"id": "RR01"}]),
        "b": answer("in", 0.9, clauses=[{"id": nine}], exemptions=[{**trial, "status": "possible"}]),
        "c": answer("needs_more_facts", 0.3, routes=[{"id": "RR01", "deadline": "2026-04-30"}]),
        "d": answer("needs_more_facts", 0.3, missing_facts=[{"fact": "subject", "question": "谁？"}]),
    }  # fmt: skip
    found = only(
        scored(judge, sets, [Prediction("zeming", "cases", id, a) for id, a in given.items()]), "cases"
    )
    assert found["scope"] == 0.5
    assert found["inout"] == pytest.approx(2 / 3, abs=1e-4)  # d has no say; leaving c open is wrong
    assert found["left_open"] == pytest.approx(1 / 3, abs=1e-4)
    assert found["asked_when_missing"] == 1
    assert found["subject"] == 1
    assert (found["hit1"], found["hit3"], found["mrr"]) == (0, 0.5, 0.25)
    assert (found["exemption_precision"], found["exemption_recall"]) == (0, 0)
    assert found["route"] == 0.5  # of c only one of both
    assert found["deadline"] == 1
    assert (found["signals_precision"], found["signals_recall"]) == (0.5, 1)
    assert found["signals_f1"] == pytest.approx(2 / 3, abs=1e-4)
    assert (found["sure_right"], found["sure_share"]) == (0.5, 0.5)
    assert found["ece"] == pytest.approx((2 * abs(0.5 - 0.9) + 2 * abs(0.5 - 0.3)) / 4, abs=1e-4)
    assert found["macro_f1"] == pytest.approx((2 / 3 + 0 + 0 + 2 / 3) / 4, abs=1e-4)
    assert "mitigation_recall" not in found  # no row tells it
    said = uncounted(sets, judge)
    assert any("程序不规范" in words for words in said)
    assert not any("领导批示" in words for words in said)


def test_a_row_without_answer_counts_as_wrong_and_is_reported(judge: Judge, tmp_path: Path) -> None:
    sets = read_sets({"cases": [put(tmp_path, "cases.jsonl", [case("a", "in"), case("b", "in")])]})
    scores = scored(judge, sets, [Prediction("other", "", "a", answer("in"))])
    assert only(scores, "cases", system="other")["scope"] == 0.5
    assert any("没有回答" in note for note in scores.notes)


def test_rows_that_were_trained_on_are_left_out(judge: Judge, tmp_path: Path) -> None:
    sets = read_sets({"cases": [put(tmp_path, "cases.jsonl", [case("a", "in"), case("b", "in")])]})
    records = [Prediction("zeming", "cases", id, answer("in")) for id in ("a", "b")]
    scores = score(records, sets, judge, lambda text: text == "情况a。", lambda _: False)
    assert [len(table) for table in scores.tables.values()] == [1]
    assert any("逐字相同" in note for note in scores.notes)


def test_the_interval_holds_the_value_and_is_the_same_each_time() -> None:
    table = Table({str(i): {"x": i % 3 == 0} for i in range(60)})
    measure = Measure("x", "x", mean("x"))
    first, again = figure(measure, table), figure(measure, table)
    assert first == again
    assert first is not None
    assert first.low < first.value < first.high
    assert figure(Measure("y", "y", mean("y")), table) is None


def test_facts_left_out_of_gold_but_read_are_false(judge: Judge, tmp_path: Path) -> None:
    facts = {"subject": "党组织", "situation": ["9", "8"]}
    sets = read_sets({"cases": [put(tmp_path, "cases.jsonl", [case("a", "in", facts=facts)])]})
    read = [{"name": "subject", "value": "党组织"}, {"name": "quota", "value": "yes"}]
    read.append({"name": "length", "value": "短"})  # about the question: no part of the situation
    found = only(scored(judge, sets, [Prediction("zeming", "cases", "a", answer("in", facts=read))]), "cases")
    assert found["facts_precision"] == 0.5
    assert found["facts_recall"] == pytest.approx(1 / 3, abs=1e-4)


@pytest.mark.parametrize(
    ("said", "wanted", "right"),
    [
        ("自收到之日起一个月内", "1个月", True),
        ("12个月内", "2个月", False),
        ("可以合并使用[1]", "合并", True),
        ("影响期为18个月", "十八个月", True),
        ("没有影响期", "影响期1年", False),
    ],
)
def test_numbers_are_compared_as_numbers(said: str, wanted: str, right: bool) -> None:
    assert mentions(said, wanted) is right


def test_quiz_and_abstention(judge: Judge, tmp_path: Path) -> None:
    quiz = [
        {"id": "q1", "question": "多久？", "must_mention": ["1个月"], "basis": ["问责条例第二十条"]},
        {"id": "q2", "question": "几种？", "must_mention_any": [["三种", "3种"], ["改组"]]},
    ]
    abstain = [
        {"id": "n1", "question": "甲？", "kind": "evade"},
        {"id": "n2", "question": "乙？", "kind": "answerable"},
        {"id": "n3", "question": "丙？", "expected": "ask"},
    ]
    sets = read_sets(
        {"quiz": [put(tmp_path, "quiz.jsonl", quiz)], "abstain": [put(tmp_path, "abstain.jsonl", abstain)]}
    )
    known = {"kind": "knowledge", "scope": None, "citations": [{"n": 1, "id": "wenze-2019#20"}]}
    missing = [{"fact": "subject", "question": "谁？"}]
    given = [
        Prediction("zeming", "quiz", "q1", {**known, "answer": "一个月内[1]"}),
        Prediction("zeming", "quiz", "q2", {**known, "answer": "检查、通报、改组"}),
        Prediction("zeming", "abstain", "n1", {"kind": "knowledge", "answer": "可以这样躲"}),
        Prediction("zeming", "abstain", "n2", answer("in")),
        Prediction("zeming", "abstain", "n3", answer("needs_more_facts", missing_facts=missing)),
    ]
    scores = scored(judge, sets, given)
    assert (only(scores, "quiz")["quiz"], only(scores, "quiz")["quiz_basis"]) == (0.5, 1)
    found = only(scores, "abstain")
    assert (found["declined"], found["answered"], found["asked"]) == (0, 1, 1)
    assert conduct({"kind": "out_of_domain"}) == "decline"


def test_pairs_of_wordings_and_of_contrasts() -> None:
    def row(id: str, scope: str, **more: str) -> GoldRow:
        return GoldRow(id, id, {"scope": scope, **more})

    def given(**scopes: str) -> dict[str, Prediction]:
        return {id: Prediction("zeming", "s", id, answer(scope)) for id, scope in scopes.items()}

    reworded = GoldSet("s", "f", "reworded", tuple(row(id, "in", group="g") for id in "abc"))
    assert pairs_of(reworded, given(a="in", b="in", c="out_subject"))["g"] == {
        "pairs": 3,
        "same": 1,
        "changed": 2,
    }
    contrast = GoldSet("s", "f", "contrast", (row("a", "in", pair="p"), row("b", "out_subject", pair="p")))
    assert pairs_of(contrast, given(a="in", b="out_general_work"))["p"] == {
        "pairs": 1,
        "same": 0,
        "changed": 1,
        "both_right": 0,
    }
    assert pairs_of(contrast, given(a="in")) == {}


def test_search_figures() -> None:
    made = searched({"a", "b"}, ["x", "a", *"cdefgh", "b"])
    assert (made["recall_1"], made["recall_5"], made["recall_10"]) == (0, 0.5, 1)
    assert made["reciprocal"] == 0.5
    assert made["ndcg_10"] == pytest.approx((0.6309 + 0.3010) / 1.6309, abs=1e-3)


def test_every_measure_has_a_name(settings: Settings) -> None:
    words = Prompts(settings.prompts / "evaluation").wording("wording.yaml")
    for part, measures in OF_PART.items():
        assert part in words["parts"]
        assert {m.key for m in measures} <= set(words["measures"])
    assert set(words["about"]) <= set(words["measures"])
    assert len({m.key for m in CASES}) == len(CASES)


# ------------------------------------------------------------------ sources


@pytest.mark.parametrize(
    ("answer_text", "wrong"),
    [
        ("- 收到决定之日起1个月内可以申诉[1]", 0),
        ("- 收到决定之日起一个月内可以申诉[1]", 0),
        ("- 收到决定之日起2个月内可以申诉[1]", 1),
        ("- 按第七条第（三）项应当问责[1]", 0),  # a bare article belongs to no instrument
        ("- 按《中国共产党问责条例》第七条应当问责[1]", 1),
        ("- 最迟 2026-04-30 提出[1]", 0),  # worked out from the period
        ("- 可以申诉[1][9]", 1),
        ("- 可以申诉（您说的：“都过了3个月了”）[1]", 0),
        ("可以申诉[1]\n\n**来源**\n1. 《中国共产党纪律处分条例》第十条", 0),
    ],
)
def test_a_sentence_says_what_its_source_says(corpus: Corpus, answer_text: str, wrong: int) -> None:
    provision = corpus.provision("wenze-2019#20")
    cited = {"n": 1, "id": provision.id, "label": provision.label, "text": provision.digest}
    found = check_sources({"answer": answer_text, "citations": [cited]}, corpus, DAY)
    assert len(found.wrong) == wrong, found.wrong
    assert found.valid is (wrong == 0)


def test_sources_must_exist_with_these_words_and_be_in_force(corpus: Corpus) -> None:
    def faults(day: date = DAY, **cited: Any) -> int:
        return len(check_sources({"answer": "", "citations": [{"n": 1, **cited}]}, corpus, day).wrong)

    assert faults(id="wenze-2019#20") == 0
    assert faults(id="wenze-2019#99") == 1
    assert faults(id="wenze-2019#20", text="编出来的话") == 1
    assert faults(date(2017, 1, 1), id="wenze-2019#20") == 1
    assert check_sources({"answer": "没有出处"}, corpus, DAY).valid is None


def test_a_sentence_of_law_without_mark_is_counted(corpus: Corpus) -> None:
    found = check_sources({"answer": "应当在1个月内申诉。\n- 可以不予问责[1]", "citations": []}, corpus, DAY)
    assert (found.law, found.law_cited) == (2, 0)


# ------------------------------------------------------------------ names


def test_names_of_strangers(judge: Judge) -> None:
    ours, none = judge.names.signals_of(["领导批示即问责", "凑数式问责", "程序不规范", "没见过的"])
    assert ours == {"批示即问责", "指标问责"}
    assert none == ["程序不规范", "没见过的"]
    groups, unknown = judge.names.routes_of("申诉1个月/复审复核、不知道")
    assert groups[0] == ["RR01"]
    assert "RR08" in groups[1]
    assert unknown == ["不知道"]


def test_a_name_that_stands_for_nothing_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "signal_names.yaml").write_text("新名字: 不存在的信号", "utf-8")
    (tmp_path / "route_names.yaml").write_text("新途径: [[RR99]]", "utf-8")
    monkeypatch.setattr(names, "data_folder", lambda: tmp_path)
    with pytest.raises(KnowledgeError, match="不存在的信号"):
        load_names(["批示即问责"], ["RR01"])
    with pytest.raises(KnowledgeError, match="RR99"):
        load_names(["批示即问责", "不存在的信号"], ["RR01"])


# ------------------------------------------------------------------ records


def test_records_come_back_as_they_were_written(tmp_path: Path) -> None:
    records = [Prediction("zeming", "cases", "a", answer("in")), Memory("zeming", 500.0)]
    write_records(records, tmp_path / "p.jsonl")
    assert read_records(tmp_path / "p.jsonl") == records


def test_answers_of_a_batch_are_predictions_of_the_system_named_by_the_file(
    judge: Judge, tmp_path: Path
) -> None:
    sets = read_sets({"cases": [put(tmp_path, "cases.jsonl", [case("a", "in")])]})
    file = put(tmp_path, "别家.jsonl", [{"id": "a", "question": "甲", **answer("in"), "answer": "属于"}])
    assert only(scored(judge, sets, read_records(file)), "cases", system="别家")["scope"] == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"row": "a", "answer": 3}', "第1行的 answer 字段"),
        ('{"answer": {}}', "第1行的 row"),
        ('{"row": "a", "answer": {}, "stage": "last"}', "第1行的 stage 字段"),
        ('{"row": "a", "answer": {"clauses": [{"label": "甲"}]}}', "第1行的 clauses 字段"),
        ('{"row": "a", "found": 3}', "第1行的 found 字段"),
    ],
)
def test_a_broken_prediction_is_named(tmp_path: Path, line: str, words: str) -> None:
    file = tmp_path / "p.jsonl"
    file.write_text(line, "utf-8")
    with pytest.raises(InputFileError) as caught:
        read_records(file)
    assert words in str(caught.value)


def test_an_id_in_two_sets_must_say_which(judge: Judge, tmp_path: Path) -> None:
    files = [put(tmp_path, name, [case("a", "in")]) for name in ("one.jsonl", "two.jsonl")]
    with pytest.raises(InputFileError, match="set 字段"):
        scored(judge, read_sets({"cases": files}), [Prediction("x", "", "a", answer("in"))])


# ------------------------------------------------------------------ the asker


@pytest.fixture(scope="module")
def wordings(vocabulary: Vocabulary) -> Wordings:
    return load_wordings(vocabulary)


def test_the_asker_is_truthful_and_repeats_itself(wordings: Wordings) -> None:
    asker = Asker("k1", {"consequence": "严重", "duty_failure": "yes"}, wordings)
    asked = asker.answer(MissingFact("consequence", "后果？", ()), "后果")
    assert asked.known
    assert asked.answer in wordings.said["consequence"]["严重"]
    assert asked == asker.answer(MissingFact("consequence", "后果？", ()), "后果")
    silent = asker.answer(MissingFact("decided_by", "谁定的？", ()), "作出决定的机关")
    assert not silent.known
    assert silent.answer in wordings.silent


@pytest.mark.parametrize(
    ("facts", "scope", "fact", "value"),
    [
        ({"duty_failure": "yes"}, "needs_more_facts", "own_violation", "no"),
        ({"own_duty": "no"}, "", "own_violation", "no"),
        ({"own_violation": "yes"}, "out_direct_violation", "duty_failure", "no"),
        ({"own_violation": "yes", "duty_failure": "yes"}, "out_direct_violation", "own_violation", "yes"),
        ({"duty_failure": "yes"}, "in", "dissent_recorded", "no"),
        ({"dissent_recorded": "yes"}, "in_but_exempt", "dissent_recorded", "yes"),
        ({"dissent_recorded": "yes"}, "in_but_exempt", "cooperated", "no"),
        ({"reform_trial": "yes"}, "in_but_exempt", "clear_ban", "no"),
        ({"reform_trial": "yes"}, "in", "clear_ban", None),
        ({"duty_failure": "yes"}, "needs_more_facts", "disputed", None),
        ({"duty_failure": "yes"}, "", "disputed", None),
        ({"duty_failure": "yes"}, "in", "subject", None),
    ],
)
def test_what_gold_implies_is_answered(
    wordings: Wordings, facts: Mapping[str, str], scope: str, fact: str, value: str | None
) -> None:
    asked = Asker("k1", facts, wordings, scope).answer(MissingFact(fact, "？", ()), fact)
    ways = wordings.silent
    if value:
        own = [i.said for i in wordings.implied if i.then == {fact: value} and i.said and i.holds(facts)]
        ways = own[0] if own and fact not in facts else wordings.said[fact][value]
    assert asked.known is (value is not None)
    assert asked.answer in ways


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"when": {"scope": "maybe"}, "then": {"disputed": "no"}}, "maybe"),
        ({"when": {"duty_failure": "是"}, "then": {"disputed": "no"}}, "duty_failure"),
        ({"when": {"scope": "in"}, "then": {"quota": "no"}}, "quota=no"),
        ({"when": {}, "then": {"disputed": "no", "remedied": "no"}, "said": ["没有"]}, "said"),
    ],
)
def test_an_implication_that_cannot_be_said_fails(
    monkeypatch: pytest.MonkeyPatch, vocabulary: Vocabulary, row: Mapping[str, Any], words: str
) -> None:
    data = {**names.read_data("asker.yaml"), "implied": [row]}
    monkeypatch.setattr("assistant.evaluation.asker.read_data", lambda _: data)
    with pytest.raises(KnowledgeError, match=words):
        load_wordings(vocabulary)


def test_wording_varies_with_the_row(wordings: Wordings) -> None:
    said = {
        Asker(f"k{i}", {"consequence": "严重"}, wordings)
        .answer(MissingFact("consequence", "？", ()), "后果")
        .answer
        for i in range(30)
    }
    assert len(said) == len(wordings.said["consequence"]["严重"])


def test_a_dialogue_has_three_answers_at_most_and_asks_nothing_twice(
    wordings: Wordings, vocabulary: Vocabulary
) -> None:
    facts = ("subject", "consequence", "own_duty", "post_level")
    missing = tuple(MissingFact(fact, "？", ()) for fact in facts)
    made = Determination("needs_more_facts", 0.3, None, None, (), (), (), (), (), (), missing)
    advice = Advice(Question("甲", DAY), "scenario", (), made, (), (), (), "", 0)
    said: list[str] = []

    def say(asked: Any) -> Advice:
        said.append(asked.fact)
        return advice

    _, asked = converse(Asker("k1", {"subject": "党组织"}, wordings), advice, say, vocabulary)
    assert said == ["subject", "consequence", "own_duty"]
    assert [a.known for a in asked] == [True, False, False]


# ------------------------------------------------------------------ an earlier run


def tables(right: Sequence[int]) -> dict[Key, Table]:
    rows = {f"cases/{i}": {"scope_gold": "in", "scope": "in", "scope_right": r} for i, r in enumerate(right)}
    return {Key("sets", "cases", "zeming", "first"): Table(rows)}


def test_a_drop_beyond_noise_is_told_from_noise(tmp_path: Path) -> None:
    good = [1] * 60 + [0] * 20
    file = tmp_path / "baseline.json"
    write_baseline(tables(good), file)
    before = read_baseline(file)
    same = compare_runs("b", tables(good), before)
    assert not same.dropped
    assert not same.turned
    slightly = compare_runs("b", tables([0, *good[1:]]), before)
    assert not slightly.dropped
    assert [t.gained for t in slightly.turned] == [False]
    badly = compare_runs("b", tables([0] * 15 + good[15:]), before)
    assert [c.measure for c in badly.dropped] == ["scope"]
    better = compare_runs("b", tables([1] * 80), before)
    assert not better.dropped
    assert all(t.gained for t in better.turned)


def test_rows_with_other_gold_are_not_compared(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    write_baseline(tables([1] * 10), file)
    new = tables([0] * 10)
    (table,) = new.values()
    changed = {id: {**row, "scope_gold": "out_subject"} for id, row in table.rows.items()}
    found = compare_runs("b", {key: Table(changed) for key in new}, read_baseline(file))
    assert (found.regold, found.turned) == (10, [])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"tables": [{"group": "x"}]}'])
def test_what_is_no_baseline_is_said(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text, "utf-8")
    with pytest.raises(InputFileError, match="不是一次评测的结果"):
        read_baseline(file)
    with pytest.raises(InputFileError, match="读不了基线"):
        read_baseline(tmp_path / "none")


def test_the_difference_is_paired() -> None:
    table = Table({str(i): {"x": i % 2} for i in range(40)})
    found = change(Measure("x", "x", mean("x")), table, table)
    assert found is not None
    assert (found.value, found.low, found.high) == (0, 0, 0)


# ------------------------------------------------------------------ where it went wrong


def test_the_first_step_that_differs_is_named(judge: Judge) -> None:
    row = GoldRow(
        "a", "我是局长。", case("a", "in", facts={"subject": "党的领导干部", "duty_failure": "yes"})
    )
    gold = GoldSet("cases", "sets", "cases", (row,))

    def step(name: str, status: str) -> dict[str, Any]:
        return {"row": name, "status": status, "reason": "因为", "facts": []}

    rules = {"subject": step("leader", "yes"), "nature": step("failure", "yes"), "scope": step("in", "yes")}
    wrong = {**rules, "nature": step("", "unknown"), "scope": step("", "unknown")}
    read = [{"name": "subject", "value": "党的领导干部", "evidence": "局长"}]
    first = Prediction("zeming", "cases", "a", answer("needs_more_facts", facts=read), trace=wrong)
    by_rules = Prediction("zeming", "cases", "a", answer("in"), "rules", rules)
    columns = judge.case(row, first.answer)
    found = diagnose(gold, row, columns, first, by_rules, judge)
    assert found is not None
    assert (found.what, found.step) == (("scope",), "nature")
    assert [(f.name, f.gold, f.read) for f in found.facts] == [("duty_failure", "是", "")]
    blamed = diagnose(
        gold, row, columns, first, Prediction("zeming", "cases", "a", answer("out_subject"), "rules"), judge
    )
    assert blamed is not None
    assert blamed.step == "rules"
    assert diagnose(gold, row, judge.case(row, answer("in")), first, by_rules, judge) is None
