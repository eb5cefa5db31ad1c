"""Reading by exemplars: the stock is sound, learning is repeatable, reading does what its rules say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import KnowledgeError
from assistant.law.corpus import Corpus
from assistant.law.exemplars import Exemplar, check_exemplars, load_exemplars, load_lessons, load_requests
from assistant.law.lexicon import load_lexicon
from assistant.law.ruleset import load_tables
from assistant.law.tables import load_remedies
from assistant.law.text import normalise
from assistant.model import Fact, Scope
from assistant.prompts import Prompts
from assistant.steps.determination import Law, scope_of
from assistant.steps.learned import UNTOLD, Model, gain_of, marks_of, read_learned, runs_of
from assistant.training import _families, ensure_model, learn, learn_requests
from assistant.understanding import Reader

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "knowledge"
DAY = date(2026, 12, 1)
LABELS = Prompts(ROOT / "prompts").wording("labels.yaml")


@pytest.fixture(scope="module")
def reader(corpus: Corpus) -> Reader:
    """A reader that has learned nothing yet."""
    from assistant.law.vocabulary import load_vocabulary

    vocabulary = load_vocabulary(FOLDER)
    remedies = load_remedies(FOLDER, corpus)
    tables = load_tables(FOLDER, vocabulary, corpus, tuple(remedies), tuple(LABELS["signals"]))
    law = Law(corpus, vocabulary, tables, remedies, LABELS["scope"])
    return Reader(law, load_lexicon(FOLDER, vocabulary))


@pytest.fixture(scope="module")
def exemplars(reader: Reader) -> tuple[Exemplar, ...]:
    return load_exemplars(FOLDER, reader.law.vocabulary)


def taught(reader: Reader, exemplars: tuple[Exemplar, ...]) -> Model:
    vocabulary = reader.law.vocabulary
    questions = [q for asked in reader.law.corpus.asked.values() for q in asked][:300]
    return learn(
        exemplars,
        vocabulary,
        load_lessons(FOLDER, vocabulary),
        lambda text: reader.found(text, {}),
        lambda sheet: reader.verdict(sheet, DAY),
        questions,
    )


@pytest.fixture(scope="module")
def model(reader: Reader, exemplars: tuple[Exemplar, ...]) -> Model:
    """Learned from every eighth exemplar: enough to see how it works."""
    return taught(reader, exemplars[::8])


# ------------------------------------------------------------------ the stock


def test_the_stock_is_sound_and_large(reader: Reader, exemplars: tuple[Exemplar, ...]) -> None:
    assert check_exemplars(FOLDER, reader.law.vocabulary) == []
    assert len(exemplars) > 4000
    assert len({e.hand for e in exemplars}) >= 12


def test_the_rules_give_every_exemplar_its_verdict(reader: Reader, exemplars: tuple[Exemplar, ...]) -> None:
    wrong = [
        e.id
        for e in exemplars
        if scope_of(
            [Fact(n, v, "", "confirmed", 1.0) for n, values in e.facts.items() for v in values],
            reader.law,
            DAY,
        )
        != e.scope
    ]
    assert len(wrong) <= len(exemplars) // 500, wrong


def test_nothing_that_is_scored_was_learned(exemplars: tuple[Exemplar, ...]) -> None:
    """No row of the sets shares a run of 20 characters with an exemplar."""
    length = 20
    runs: set[str] = set()
    for exemplar in exemplars:
        text = normalise(exemplar.text)
        runs.update(text[i : i + length] for i in range(len(text) - length + 1))
    for path in sorted((ROOT / "evals" / "sets").glob("*.jsonl")):
        for row in map(json.loads, path.read_text("utf-8").splitlines()):
            text = normalise(row.get("scenario") or row["question"])
            shared = [
                text[i : i + length] for i in range(len(text) - length + 1) if text[i : i + length] in runs
            ]
            assert not shared, (path.name, row["id"], shared[0])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"facts": {"nonsense": "yes"}}, "没有叫“nonsense”的情况事实"),
        ({"facts": {"consequence": "极大"}}, "事实“consequence”没有“极大”这个值"),
        ({"facts": {"stage": ["调查中", "已申诉"]}}, "只能有一个值"),
        ({"facts": {"in_domain": "yes"}}, "没有叫“in_domain”的情况事实"),
        ({"decisive": "没有的话"}, "decisive 要照抄"),
        ({"scope": "outside"}, "scope"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_wrong_row_is_named(
    tmp_path: Path, reader: Reader, row: Mapping[str, object], message: str
) -> None:
    (tmp_path / "exemplars").mkdir()
    good = {"id": "x1", "text": "我是局长，没去查。", "facts": {"subject": "党的领导干部"}, "scope": "in"}
    (tmp_path / "exemplars" / "x.jsonl").write_text(
        json.dumps(good, ensure_ascii=False)
        + "\n"
        + json.dumps(good | {"id": "x2", "text": "另一段。"} | row)
        + "\n",
        "utf-8",
    )
    problems = [str(problem) for problem in check_exemplars(tmp_path, reader.law.vocabulary)]
    assert any("x.jsonl" in p and "第2行" in p and message in p for p in problems), problems


def test_the_same_row_twice_is_named(tmp_path: Path, reader: Reader) -> None:
    (tmp_path / "exemplars").mkdir()
    row = json.dumps({"id": "x1", "text": "同一段。", "facts": {}, "scope": "needs_more_facts"})
    (tmp_path / "exemplars" / "x.jsonl").write_text(f"{row}\n{row}\n", "utf-8")
    messages = [str(problem) for problem in check_exemplars(tmp_path, reader.law.vocabulary)]
    assert any("编号" in m for m in messages)
    assert any("同样的情况" in m for m in messages)
    with pytest.raises(KnowledgeError):
        load_exemplars(tmp_path, reader.law.vocabulary)


# ------------------------------------------------------------------ learning


def test_learning_twice_gives_the_same(reader: Reader, exemplars: tuple[Exemplar, ...]) -> None:
    first, second = (taught(reader, exemplars[::24]) for _ in range(2))
    assert first.sheets == second.sheets
    assert np.array_equal(first.dual, second.dual)
    assert all(np.array_equal(first.heads[n].weights, second.heads[n].weights) for n in first.heads)


def test_the_model_is_kept_and_a_spoilt_file_is_made_again(tmp_path: Path, model: Model) -> None:
    made = []

    def learned() -> Model:
        made.append(1)
        return model

    ensure_model(tmp_path, "one", learned)
    again = ensure_model(tmp_path, "one", learned)
    assert len(made) == 1
    text, found = "我是镇长，汛前没有去看过堤。", ()
    assert np.allclose(again.scores(text, marks_of(found)), model.scores(text, marks_of(found)), atol=1e-5)
    assert again.sheets == model.sheets
    (tmp_path / "one.npz").write_bytes(b"spoilt")
    ensure_model(tmp_path, "one", learned)
    assert len(made) == 2
    ensure_model(tmp_path, "two", learned)
    assert sorted(path.name for path in tmp_path.glob("*.npz")) == ["two.npz"]


def test_likeness_is_the_product_that_the_library_gives(
    model: Model, exemplars: tuple[Exemplar, ...]
) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [e.text for e in exemplars[::8]]
    oracle = TfidfVectorizer(analyzer=lambda t: runs_of(t).elements(), sublinear_tf=True, min_df=2)
    stock = oracle.fit_transform(texts)
    story = "我分管城管，手下把摊主推倒骨折了，我当天不在。"
    own = model.likeness(story, set()) - model.likeness("＠", set())  # without what stories share
    assert np.allclose(own, (oracle.transform([story]) @ stock.T).toarray()[0], atol=1e-4)


def test_what_was_retold_is_one_family() -> None:
    def one(id: str, pair: str | None, hand: str) -> Exemplar:
        return Exemplar(id, id, {}, "in", hand, pair)

    rows = [
        one("a1", "p", "a"),
        one("a2", "p", "a"),
        one("b1", None, "b"),
        one("c1", "b1", "c"),
        one("c2", "a1", "c"),
    ]
    families = _families(rows).tolist()
    assert families[0] == families[1] == families[4]
    assert families[2] == families[3] != families[0]


# ------------------------------------------------------------------ reading

STORY = "我是分管安全的副镇长，采石场塌方压死两个人，之前三次检查我都没有去，隐患报告也压在抽屉里。"


def read(reader: Reader, model: Model, confirmed: Mapping[str, str]) -> dict[Scope, float]:
    found = reader.found(STORY, {})
    return dict(
        read_learned(model, STORY, found, confirmed, lambda sheet: reader.verdict(sheet, DAY)).verdicts
    )


def test_verdicts_are_shares_of_one(reader: Reader, model: Model) -> None:
    verdicts = read(reader, model, {})
    assert sum(verdicts.values()) == pytest.approx(1, abs=0.01)
    assert max(verdicts, key=lambda s: verdicts[s]) == "in"


def test_what_was_confirmed_rules_out_what_contradicts_it(reader: Reader, model: Model) -> None:
    for confirmed, wanted in (
        ({"subject": "普通党员干部"}, "out_subject"),
        ({"own_violation": "yes"}, "out_direct_violation"),
        ({"consequence": "无", "duty_failure": "yes", "disputed": "no"}, "out_general_work"),
    ):
        found = reader.found(STORY, {})
        reading = read_learned(model, STORY, found, confirmed, lambda sheet: reader.verdict(sheet, DAY))
        assert max(reading.verdicts, key=lambda s: reading.verdicts[s]) == wanted, confirmed
        for name, value in confirmed.items():
            assert set(reading.doubts[name]) == {value}


def test_what_nobody_knows_is_not_in_the_sheet(reader: Reader, model: Model) -> None:
    found = reader.found(STORY, {})
    reading = read_learned(
        model, STORY, found, {"consequence": "unknown"}, lambda sheet: reader.verdict(sheet, DAY)
    )
    assert set(reading.doubts["consequence"]) == {UNTOLD}


def test_an_answer_that_decides_is_worth_more() -> None:
    decides = {"yes": (0.5, {"in": 1.0}), "no": (0.5, {"out_subject": 1.0})}
    idle = {"yes": (0.5, {"in": 0.6, "out_subject": 0.4}), "no": (0.5, {"in": 0.6, "out_subject": 0.4})}
    assert gain_of(decides) == pytest.approx(0.5)  # type: ignore[arg-type]
    assert gain_of(idle) == pytest.approx(0)  # type: ignore[arg-type]


def test_every_fact_read_shows_words_of_the_story(reader: Reader, model: Model) -> None:
    able = Reader(reader.law, reader.lexicon, model)
    read = able.read(STORY, able.found(STORY, {}), {}, DAY)
    assert read.facts
    assert all(f.evidence and f.evidence in STORY for f in read.facts if f.source == "learned")
    assert all(0 < f.confidence <= 1 for f in read.facts)
    assert len(read.questions) <= 3


@pytest.mark.parametrize("text", ["问", "？" * 50, "1", "a" * 500, "领导" * 400])
def test_odd_texts_are_read_without_complaint(reader: Reader, model: Model, text: str) -> None:
    able = Reader(reader.law, reader.lexicon, model)
    able.read(text, able.found(text, {}), {}, DAY)
    able.kind(text)


# ------------------------------------------------------------------ requests that are declined


def test_requests_are_learned_alike_each_time_and_kept(
    reader: Reader, exemplars: tuple[Exemplar, ...], model: Model, tmp_path: Path
) -> None:
    vocabulary = reader.law.vocabulary
    requests, lessons = load_requests(FOLDER, vocabulary), load_lessons(FOLDER, vocabulary)
    stories = [e.text for e in exemplars[::8]]
    learned = learn_requests(requests[::2], stories, lessons, ["王.{0,2}局长"])
    again = learn_requests(requests[::2], stories, lessons, ["王.{0,2}局长"])
    assert learned
    assert again
    assert np.array_equal(learned.weights, again.weights)
    assert learned.kind("怎么把聊天记录删干净，让纪委恢复不了")[0] == "对付调查"
    assert learned.kind("王强局长贪不贪") == learned.kind("王志局长贪不贪")
    assert learned.kind(STORY)[0] == ""
    ensure_model(tmp_path, "state", lambda: replace(model, requests=learned))
    kept = ensure_model(tmp_path, "state", lambda: model).requests
    assert kept
    assert kept.kind("谁举报的我，帮我查出来") == learned.kind("谁举报的我，帮我查出来")


def test_nothing_is_learned_without_requests(reader: Reader) -> None:
    assert learn_requests((), ["讲一件事"], load_lessons(FOLDER, reader.law.vocabulary), ()) is None


def test_a_request_of_an_unknown_kind_is_told(reader: Reader, tmp_path: Path) -> None:
    row = json.dumps({"text": "帮我", "asks_for": "没有这种"}, ensure_ascii=False)
    (tmp_path / "abstain-exemplars.jsonl").write_text(f"{row}\n{row}\n", "utf-8")
    told = [str(problem) for problem in check_exemplars(tmp_path, reader.law.vocabulary)]
    assert sum("没有“没有这种”这个值" in one for one in told) == 2
    assert sum("已经有了" in one for one in told) == 1
