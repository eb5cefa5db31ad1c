"""What a document is taken for, and what becomes of it. Real readers of text, the real catalogue, a real library."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from assistant.adapters.library import Library
from assistant.adapters.readers import Limits, Source, read
from assistant.documents.taking import Kind, take
from assistant.errors import DocumentError
from assistant.importing import Correction, Outcome, add_documents, corrected, taken_again
from assistant.law.corpus import Corpus
from assistant.model import Document, RawDocument

RULE = """青禾县容错办法

2024年3月1日 青禾县人民政府印发

第一条 为了保护敢于做事的干部，制定本办法。

第二条 改革试点中的失误，没有谋取私利的，可以不作负面评价。

第三条 本办法自2024年4月1日起施行。
"""
NOTICE = """青禾县委组织部文件

青组发〔2025〕7号

关于做好干部容错备案工作的通知

各乡镇党委：

一、备案范围

改革试点中拟先行先试的事项，可以在实施前向县委组织部备案。

二、备案程序

备案材料应当在实施前十五日报送，写明依据、风险和应对办法。

青禾县委组织部
2025年2月1日
"""
ESSAY = """关于容错的几点思考

作者：某甲

容错不是无原则的宽容。谋取私利的，明知故犯的，造成重大损失又不补救的，都不在容错之列。敢试的人要有底气，滥用的人要受约束，这两句话要放在一起看，不能只说一半。

基层的同志说，出了错怕问责，不做事反而平安。要让人愿意做事，就得把容错的条件说清楚，把程序走完整，让申请的人知道找谁、什么时候能有答复。
"""
LIMITS = Limits()


def raw(text: str, name: str = "文件.txt") -> RawDocument:
    return read(Source(name, text.encode()), LIMITS)


def taken(text: str, corpus: Corpus, kind: Kind = "auto", name: str = "文件.txt") -> Document:
    return take(raw(text, name), text.encode(), corpus, kind).document


@pytest.mark.parametrize(
    ("text", "kind", "expected", "title"),
    [
        (RULE, "auto", "regulation", "青禾县容错办法"),
        (NOTICE, "auto", "regulation", "关于做好干部容错备案工作的通知"),
        (NOTICE, "regulation", "regulation", "关于做好干部容错备案工作的通知"),
        (ESSAY, "auto", "commentary", "关于容错的几点思考"),
        (ESSAY, "interpretation", "interpretation", "关于容错的几点思考"),
        (RULE, "commentary", "commentary", "青禾县容错办法"),
        (NOTICE, "commentary", "commentary", None),
    ],
)
def test_what_a_document_is_taken_for(
    corpus: Corpus, text: str, kind: Kind, expected: str, title: str | None
) -> None:
    document = taken(text, corpus, kind)
    assert document.kind == expected
    if title:
        assert document.title == title
        assert title in document.about or document.relation == "new"


def test_a_notice_is_a_rule_of_its_office_from_its_day(corpus: Corpus) -> None:
    made = take(raw(NOTICE), NOTICE.encode(), corpus)
    assert made.instrument
    assert (made.instrument.authority, made.instrument.rank, made.instrument.kind) == (
        "rule",
        5,
        "规范性文件",
    )
    assert "青禾县委组织部" in made.instrument.issuer
    assert made.instrument.effective_from == date(2025, 2, 1)
    assert not made.instrument.in_force(date(2025, 1, 31))
    deadline = next(p for p in made.provisions if "十五日" in (p.text or ""))
    assert "二、备案程序" in deadline.label
    assert "文件.txt" in deadline.label


def test_an_article_says_it_is_no_rule(corpus: Corpus) -> None:
    made = take(raw(ESSAY), ESSAY.encode(), corpus)
    assert made.instrument
    assert made.instrument.authority == "commentary"
    assert "不是规定" in made.instrument.caution
    assert made.instrument.author == "某甲"
    assert all(p.text and not p.digest for p in made.provisions)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [("一二三", "auto", "没有读到可用的文字"), (ESSAY, "regulation", "没有认出“第一条")],
)
def test_what_cannot_be_used_is_one_sentence(corpus: Corpus, text: str, kind: Kind, words: str) -> None:
    with pytest.raises(DocumentError, match=words) as told:
        taken(text, corpus, kind, name="我的.txt")
    assert "我的.txt" in str(told.value)
    assert told.value.name == "我的.txt"


def add(library: Library, corpus: Corpus, *files: tuple[str, str]) -> tuple[Outcome, ...]:
    sources = [Source(name, text.encode()) for name, text in files]
    return add_documents(sources, lambda s: read(Source(s.name, s.content), LIMITS), library, corpus)


def test_the_same_twice_in_one_call_and_in_the_next(tmp_path: Path, corpus: Corpus) -> None:
    library = Library(tmp_path)
    loose = RULE.replace("\n\n", "\n\n\n")
    first = add(library, corpus, ("甲.txt", RULE), ("乙.txt", RULE), ("丙.md", loose), ("丁.txt", ESSAY))
    assert [o.status for o in first] == ["added", "known", "known", "added"]
    assert "甲.txt" in first[1].sentence
    assert [o.status for o in add(library, corpus, ("戊.txt", loose))] == ["known"]
    assert len(library.documents()) == 2
    other = RULE.replace("青禾县", "白杨县")
    assert [o.status for o in add(library, corpus, ("己.txt", other))] == ["added"], "another county's rule"


def test_a_refused_source_and_a_bad_file_stop_nothing(tmp_path: Path, corpus: Corpus) -> None:
    library = Library(tmp_path)
    sources = [
        DocumentError("坏.exe 不能读。", "坏.exe"),
        Source("空.txt", b""),
        Source("甲.txt", RULE.encode()),
    ]
    told: list[Outcome] = []
    outcomes = add_documents(
        sources, lambda s: read(Source(s.name, s.content), LIMITS), library, corpus, told=told.append
    )
    assert [o.status for o in outcomes] == ["failed", "failed", "added"]
    assert tuple(told) == outcomes
    assert [o.name for o in outcomes] == ["坏.exe", "空.txt", "甲.txt"]


def test_what_a_person_corrected_outlives_rereading(tmp_path: Path, corpus: Corpus) -> None:
    library = Library(tmp_path)
    (outcome,) = add(library, corpus, ("甲.txt", RULE))
    assert outcome.document
    with library.changing() as change:
        held = change.instrument(outcome.document.id)
        assert held
        document, instrument = corrected(
            outcome.document, held, Correction(title="青禾县容错纠错办法", effective_from=date(2024, 5, 1))
        )
        change.edit(document, instrument)
    with library.changing() as change:
        again = taken_again(
            library.documents()[0],
            change,
            RULE.encode(),
            lambda content: read(Source("甲.txt", content), LIMITS),
            corpus,
        )
    assert again.status == "added"
    shelf = library.shelf(corpus.instruments, corpus.ids())
    assert [(i.title, i.effective_from) for i in shelf.instruments] == [
        ("青禾县容错纠错办法", date(2024, 5, 1))
    ]
    assert {p.label for p in shelf.provisions} == {f"《青禾县容错纠错办法》第{n}条" for n in "一二三"}
    assert library.documents()[0].title == "青禾县容错纠错办法"


@pytest.mark.parametrize(
    ("correction", "words"),
    [
        (Correction(rank=0), "位阶"),
        (Correction(rank=9), "位阶"),
        (Correction(effective_to=date(2020, 1, 1)), "早于施行日期"),
    ],
)
def test_a_correction_that_contradicts_itself_is_refused(
    corpus: Corpus, correction: Correction, words: str
) -> None:
    made = take(raw(RULE), RULE.encode(), corpus)
    assert made.instrument
    with pytest.raises(DocumentError, match=words):
        corrected(made.document, made.instrument, correction)


def test_commentary_can_be_corrected_into_an_interpretation(corpus: Corpus) -> None:
    made = take(raw(ESSAY), ESSAY.encode(), corpus)
    assert made.instrument
    document, instrument = corrected(made.document, made.instrument, Correction(rank=6, kind="官方解读"))
    assert (document.kind, instrument.authority) == ("interpretation", "interpretation")
    assert "官方解读" in instrument.caution
