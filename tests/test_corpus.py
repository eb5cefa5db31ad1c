"""The corpus and its loader, on an invented statute: what is read, put together, refused, and where."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from assistant.errors import KnowledgeError
from assistant.law.corpus import Corpus, check_knowledge, load_corpus
from assistant.law.schema import Strict, line_of, read_yaml
from assistant.law.tables import load_glossary, load_periods, load_remedies

OLD = """\
instrument:
  id: trial-2010
  title: 试验区问责办法
  short_titles: [试验办法]
  issuer: 试验区
  kind: 党内法规
  rank: 3
  effective_from: 2010-01-01
  effective_to: 2019-12-31
  replaced_by: trial-2020
  article_count: 5
provisions: []
"""

NEW = """\
instrument:
  id: trial-2020
  title: 试验区问责办法
  short_titles: [试验办法, 试验区办法]
  issuer: 试验区
  kind: 党内法规
  rank: 3
  effective_from: 2020-01-01
  article_count: 9
  note: 试验用
provisions:
  - id: "1"
    topic: 目的
    digest: 为了试验。
    confidence: verified
  - id: "2.1.1"
    topic: 情形一
    digest: 没有浇花的。
    keywords: [浇花]
    cross_refs: [trial-2020#3.2]
    confidence: verified
  - id: "2.1.2"
    topic: 情形二
    digest: 没有喂鱼的。
    confidence: verified
  - id: "3.1"
    topic: 方式
    digest: 口头提醒。
    keywords: [提醒]
    confidence: verified
  - id: "3.2"
    topic: 期限
    digest: 提醒的影响期为三日。
    keywords: [影响期, 提醒]
    confidence: memory
  - id: "4.2.1"
    topic: 申诉一
    digest: 向园长申诉。
    confidence: verified
  - id: "4.1"
    topic: 申辩
    digest: 可以申辩。
    confidence: verified
  - id: "5-1"
    topic: 插入的一条
    digest: 后来加上的。
    confidence: verified
  - id: n01
    topic: 不知道第几条
    digest: 内容知道，条号不知道。
    cross_refs: [trial-2010]
    confidence: memory
"""

GUIDE = """\
instrument:
  id: guide
  title: 试验解读
  short_titles: [解读]
  issuer: 试验报
  kind: 规范性文件
  rank: 5
  numbered: false
provisions:
  - id: n01
    topic: 怎么浇花
    digest: 早晚各一次。
    confidence: verified
  - id: n02
    label: 《浇花须知》：水温
    topic: 水温
    digest: 用温水。
    confidence: verified
"""

REMEDIES = """\
routes:
  - id: RR01
    name: 申诉
    who: 园丁
    decision: 提醒
    steps:
      - name: 申诉
        to: 园长
        start: decision_received
        within: {value: 3, unit: 日, from: 收到提醒之日}
        form: 书面
        basis: [trial-2020#4, trial-2020#3.2]
    effect_on_execution: 不停止执行
    court_review: 不能起诉
    legal_basis: [trial-2020#4]
    confidence: verified
"""

PERIODS = """\
periods:
  - id: IP01
    measure: 提醒
    category: 试验
    applies_to: [园丁]
    names: [口头提醒]
    period: {value: 3, unit: 日, from: 提醒之日}
    consequences: [三日内不得评优]
    expiry: 自动消失
    legal_basis: [trial-2020#3.2]
    confidence: memory
"""

GLOSSARY = """\
terms:
  - term: 浇花
    english: watering
    meaning: 给花水喝。
    provisions: [trial-2020#2]
"""

QUESTIONS = [
    {"id": "trial-2020#2.1.1", "questions": ["忘了浇花会怎样？"]},
    {"id": "trial-2020#3", "questions": ["怎么处理"]},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A knowledge folder in which nothing is wrong."""
    (tmp_path / "instruments").mkdir()
    (tmp_path / "questions").mkdir()
    files = {
        "instruments/trial-2010.yaml": OLD,
        "instruments/trial-2020.yaml": NEW,
        "instruments/guide.yaml": GUIDE,
        "remedies.yaml": REMEDIES,
        "periods.yaml": PERIODS,
        "glossary.yaml": GLOSSARY,
        "questions/trial-2020.jsonl": "".join(json.dumps(q, ensure_ascii=False) + "\n" for q in QUESTIONS),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def corpus(folder: Path) -> Corpus:
    return load_corpus(folder)


# ------------------------------------------------------------------ what is read


def test_a_folder_without_mistakes_has_none(folder: Path) -> None:
    assert check_knowledge(folder) == []


@pytest.mark.parametrize(
    ("id", "label", "composed"),
    [
        ("trial-2020#1", "《试验区问责办法》第一条", False),
        ("trial-2020#2", "《试验区问责办法》第二条", True),
        ("trial-2020#2.1", "《试验区问责办法》第二条第一款", True),
        ("trial-2020#2.1.1", "《试验区问责办法》第二条第（一）项", False),
        ("trial-2020#3", "《试验区问责办法》第三条", True),
        ("trial-2020#3.1", "《试验区问责办法》第三条第一款", False),
        ("trial-2020#4.2", "《试验区问责办法》第四条第二款", True),
        ("trial-2020#4.2.1", "《试验区问责办法》第四条第二款第（一）项", False),
        ("trial-2020#5-1", "《试验区问责办法》第五条之一", False),
        ("trial-2020#n01", "《试验区问责办法》（条号待核）：不知道第几条", False),
        ("guide#n01", "《试验解读》：怎么浇花", False),
        ("guide#n02", "《浇花须知》：水温", False),
    ],
)
def test_labels(corpus: Corpus, id: str, label: str, composed: bool) -> None:
    provision = corpus.provision(id)
    assert (provision.id, provision.label, provision.composed) == (id, label, composed)


def test_a_note_without_number_has_no_article(corpus: Corpus) -> None:
    note = corpus.provision("trial-2020#n01")
    assert (note.article, note.paragraph, note.item) == (None, None, None)


def test_an_article_is_composed_of_its_paragraphs(corpus: Corpus) -> None:
    article = corpus.provision("trial-2020#3")
    assert article.digest == "第一款　口头提醒。\n第二款　提醒的影响期为三日。"
    assert article.keywords == ("提醒", "影响期")
    assert article.confidence == "memory"  # one unchecked part is enough
    assert corpus.provision("trial-2020#2").digest == "（一）　没有浇花的。\n（二）　没有喂鱼的。"
    assert corpus.provision("trial-2020#2").confidence == "verified"
    assert "（一）　向园长申诉。" in corpus.provision("trial-2020#4").digest


@pytest.mark.parametrize(
    "id", ["trial-2020#9", "trial-2020#2.1.9", "trial-2020#2.2", "trial-2010#1", "nobody#1", ""]
)
def test_what_is_not_in_stock(corpus: Corpus, id: str) -> None:
    assert corpus.get(id) is None
    with pytest.raises(KnowledgeError, match="知识库里没有条款"):
        corpus.provision(id)


def test_provisions_come_in_document_order_and_by_day(corpus: Corpus) -> None:
    ids = [p.id for p in corpus.provisions()]
    assert ids[:4] == ["guide#n01", "guide#n02", "trial-2020#1", "trial-2020#2.1.1"]
    assert not any(p.composed for p in corpus.provisions())
    before = {p.instrument.id for p in corpus.provisions(date(2019, 12, 31))}
    assert before == {"guide"}
    assert {p.instrument.id for p in corpus.provisions(date(2020, 1, 1))} == {"guide", "trial-2020"}


@pytest.mark.parametrize(
    ("id", "children"),
    [
        ("guide", ["n01", "n02"]),
        ("trial-2020", ["1", "2", "3", "4", "5-1", "n01"]),
        ("trial-2020#2", ["2.1.1", "2.1.2"]),
        ("trial-2020#3", ["3.1", "3.2"]),
        ("trial-2020#4", ["4.2", "4.1"]),
        ("trial-2020#4.2", ["4.2.1"]),
        ("trial-2020#1", []),
    ],
)
def test_children(corpus: Corpus, id: str, children: list[str]) -> None:
    assert [p.id.partition("#")[2] for p in corpus.children(id)] == children


@pytest.mark.parametrize(
    ("id", "before", "after"),
    [
        ("trial-2020#1", None, "trial-2020#2"),
        ("trial-2020#3", "trial-2020#2", "trial-2020#4"),
        ("trial-2020#3.1", None, "trial-2020#3.2"),
        ("trial-2020#2.1.2", "trial-2020#2.1.1", None),
        ("trial-2020#4.2.1", None, None),
        ("trial-2020#n01", "trial-2020#5-1", None),
        ("trial-2020#99", None, None),
    ],
)
def test_neighbours(corpus: Corpus, id: str, before: str | None, after: str | None) -> None:
    assert tuple(p and p.id for p in corpus.neighbours(id)) == (before, after)


def test_questions_may_ask_for_composed_articles(corpus: Corpus) -> None:
    assert corpus.asked["trial-2020#3"] == ("怎么处理",)


def test_versions_of_a_title(corpus: Corpus) -> None:
    assert [i.id for i in corpus.versions("试验区问责办法")] == ["trial-2010", "trial-2020"]


def test_tables(folder: Path, corpus: Corpus) -> None:
    route = load_remedies(folder, corpus)["RR01"]
    step = route.steps[0]
    assert (step.within.value, step.within.unit, step.within.start) == (3, "日", "decision_received")
    assert step.confidence == "verified"  # that of the route
    assert load_periods(folder, corpus)[0].period_words == "3日（自提醒之日起）"
    assert load_glossary(folder, corpus)[0].english == "watering"


def test_line_of_an_entry(folder: Path) -> None:
    assert line_of(folder / "instruments/trial-2020.yaml", "3.1") == 26
    assert line_of(folder / "instruments/trial-2020.yaml", "8") == 1


# ------------------------------------------------------------------ what is refused, and where

INSTRUMENT = "instruments/trial-2020.yaml"
OLDER = "instruments/trial-2010.yaml"
ASKED = "questions/trial-2020.jsonl"
MISTAKES = [
    # (file, text, what stands there instead, line, words of the message)
    (INSTRUMENT, "  note: 试验用", "  remark: 试验用", 10, "不认识的键“remark”，可以写的键有：id、title"),
    (INSTRUMENT, "    keywords: [浇", "    keyword: [浇", 19, "键“keyword”，可以写的键有：id、label"),
    (INSTRUMENT, "  issuer: 试验区\n", "", 1, "缺少键“issuer”"),
    (INSTRUMENT, "    digest: 为了试验。\n", "", 12, "缺少键“digest”"),
    (INSTRUMENT, "    digest: 为了试验。", "    digest: '  '", 14, "“digest”是空的"),
    (INSTRUMENT, "effective_from: 2020-01-01", "effective_from: 2020年1月", 8, "日期“2020年1月”写法不对"),
    (INSTRUMENT, "effective_from: 2020-01-01", "effective_from: 2020-13-01", 8, "日期不存在"),
    (INSTRUMENT, "effective_from: 2020-01-01", "effective_from: 2019-06-01", 8, "与“trial-2010”同名"),
    (INSTRUMENT, "rank: 3", "rank: 9", 7, "超出范围"),
    (INSTRUMENT, "rank: 3", "rank: 高", 7, "整数"),
    (INSTRUMENT, 'id: "1"', "id: 1", 12, "类型不对"),
    (INSTRUMENT, 'id: "1"', 'id: "第一条"', 12, "编号“第一条”写法不对"),
    (INSTRUMENT, 'id: "1"', 'id: "3.1"', 26, "编号“3.1”在本文件里前面已经有了"),
    (INSTRUMENT, 'id: "1"', 'id: "19"', 12, "超过全文条数 9"),
    (INSTRUMENT, "[trial-2020#3.2]", "[trial-2020#8]", 20, "没有条款“trial-2020#8”"),
    (INSTRUMENT, "[trial-2020#3.2]", "[trial-2020:8]", 20, "编号“trial-2020:8”写法不对"),
    (INSTRUMENT, "confidence: verified", "confidence: sure", 15, "“confidence”的值“sure”不可用"),
    (INSTRUMENT, "    topic: 目的", "    topic: [目的", 14, "YAML 写法有误"),
    (INSTRUMENT, "    topic: 目的", "    topic: 目的\n    topic: 目标", 14, "键“topic”写了两次"),
    (INSTRUMENT, "id: trial-2020", "id: trial-2021", 2, "与文件名不同"),
    (OLDER, OLD, "- 一\n", 1, "文件的内容不对"),
    (OLDER, OLD, "", 1, "文件的内容不对"),
    (OLDER, "replaced_by: trial-2020", "replaced_by: trial-2030", 10, "“trial-2030”不在知识库里"),
    (OLDER, "effective_to: 2019-12-31", "effective_to: 2009-12-31", 9, "失效日期早于施行日期"),
    (OLDER, "[试验办法]", "[试验办法, 解读]", 4, "简称“解读”与“guide”的相同"),
    (ASKED, "trial-2020#3", "trial-2020#7", 2, "问法指向的条款“trial-2020#7”不在知识库里"),
    (ASKED, "trial-2020#3", "trial-2020#2.1.1", 2, "前面已经有了"),
    (ASKED, '"怎么处理"]', "", 2, "不是完整的 JSON"),
    (ASKED, '"怎么处理"', "", 2, "“questions”是空的"),
    ("remedies.yaml", "[trial-2020#4, ", "[trial-2020#7, ", 12, "没有条款“trial-2020#7”"),
    ("remedies.yaml", "legal_basis: [trial-2020#4]", "legal_basis: [trial-2020]", 15, "不能只写法规"),
    ("remedies.yaml", "decision_received", "收到决定", 9, "“start”的值“收到决定”不可用"),
    ("remedies.yaml", "value: 3, unit: 日, ", "", 9, "写了从哪件事起算，却没有期限的数"),
    ("remedies.yaml", "value: 3, unit: 日", "value: 5, unit: 日", 12, "期限“5日”在写的依据里找不到"),
    ("remedies.yaml", "value: 3, unit", "value: 3, units", 10, "不认识的键“units”"),
    ("remedies.yaml", "unit: 日, ", "", 10, "value 和 unit"),
    ("periods.yaml", "value: 3, unit: 日", "value: 3, unit: 月", 10, "期限“3个月”在写的依据里找不到"),
    ("periods.yaml", "trial-2020#3.2", "trial-2020#3.9", 10, "没有条款“trial-2020#3.9”"),
    ("periods.yaml", "unit: 日", "unit: 天", 7, "“unit”的值“天”不可用"),
    ("glossary.yaml", "trial-2020#2", "trial-2021#2", 5, "没有条款“trial-2021#2”"),
]  # fmt: skip


def test_keys_of_rows_in_a_mapping(folder: Path) -> None:
    class Leaf(Strict):
        size: int

    class Tree(Strict):
        leaves: dict[str, Leaf]

    (folder / "tree.yaml").write_text("leaves:\n  first: {size: 1}\n  second: {sise: 2}\n", encoding="utf-8")
    with pytest.raises(KnowledgeError) as raised:
        read_yaml(folder / "tree.yaml", Tree, folder)
    assert str(raised.value) == "tree.yaml 第3行：缺少键“size”，请补上。"
    (folder / "tree.yaml").write_text("leaves:\n  first: {size: 1, color: 3}\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"tree\.yaml 第2行：不认识的键“color”，可以写的键有：size。"):
        read_yaml(folder / "tree.yaml", Tree, folder)


@pytest.mark.parametrize(("file", "good", "bad", "line", "words"), MISTAKES)
def test_mistakes_are_named_with_file_and_line(
    folder: Path, file: str, good: str, bad: str, line: int, words: str
) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert good in text
    path.write_text(text.replace(good, bad, 1), encoding="utf-8")
    found = [(e.file, e.line, str(e)) for e in check_knowledge(folder)]
    assert any(f == file and n == line and words in message for f, n, message in found), found


def test_loading_stops_at_the_first_mistake(folder: Path) -> None:
    path = folder / INSTRUMENT
    path.write_text(NEW.replace("digest: 为了试验。", "digest: ''"), encoding="utf-8")
    with pytest.raises(KnowledgeError) as raised:
        load_corpus(folder)
    assert str(raised.value).startswith("instruments/trial-2020.yaml 第14行：“digest”是空的")


def test_all_mistakes_are_collected(folder: Path) -> None:
    (folder / INSTRUMENT).write_text(NEW.replace("digest: ", "digst: "), encoding="utf-8")
    (folder / "periods.yaml").unlink()
    found = check_knowledge(folder)
    assert sum("不认识的键“digst”" in str(e) for e in found) == 9
    assert any(e.file == "periods.yaml" and "读不到" in str(e) for e in found)


def test_a_folder_without_instruments(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="没有法规文件"):
        load_corpus(tmp_path)


def test_a_file_in_another_encoding(folder: Path) -> None:
    (folder / INSTRUMENT).write_bytes(NEW.encode("gb18030"))
    with pytest.raises(KnowledgeError, match="不是 UTF-8"):
        load_corpus(folder)
