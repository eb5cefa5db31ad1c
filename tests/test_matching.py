"""Which version a regulation is, and its words by provision: invented versions, the catalogue, the official files."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from assistant.adapters.readers import Limits, Source, read
from assistant.documents.matching import identify, misfits, new_instrument, provisions_of, texts_of
from assistant.documents.structure import read_regulation, split_article
from assistant.law.corpus import Corpus
from assistant.model import Instrument, Provision, Regulation

OFFICIAL = Path(__file__).parents[2] / "shared" / "official"


def instrument(
    id: str, title: str, begins: str = "", ends: str = "", count: int | None = None, **more: str
) -> Instrument:
    return Instrument(
        id=id,
        title=title,
        short_titles=(title,),
        issuer=more.get("issuer", "某中央机关"),
        kind="党内法规",
        rank=2,
        effective_from=date.fromisoformat(begins) if begins else None,
        effective_to=date.fromisoformat(ends) if ends else None,
        replaced_by=more.get("replaced_by"),
        official_url=None,
        article_count=count,
    )


STOCK = {
    i.id: i
    for i in (
        instrument("shiyan-2016", "某机关试验条例", "2016-07-08", "2019-08-31", 3, replaced_by="shiyan-2019"),
        instrument("shiyan-2019", "某机关试验条例", "2019-09-01", count=4),
        instrument("jianyan-2005", "中华人民共和国检验法", ends="2019-05-31", replaced_by="jianyan-2018"),
        instrument("jianyan-2018", "中华人民共和国检验法", "2019-06-01", count=4),
        instrument("choucha", "抽查办法（试行）"),
    )
}


def regulation(title: str, count: int, adopted: str = "", begins: str = "", **more: str) -> Regulation:
    return Regulation(
        title=title,
        articles=tuple(split_article(str(n), f"试验的要求之{n}。") for n in range(1, count + 1)),
        adopted=date.fromisoformat(adopted) if adopted else None,
        effective_from=date.fromisoformat(begins) if begins else None,
        issuer=more.get("issuer", ""),
        preamble=tuple(filter(None, (more.get("note", ""),))),
    )


CASES = {  # regulation -> relation, instrument_id, of
    "current, by day and count": (
        regulation("某机关试验条例", 4, "2019-08-25", "2019-09-01"), ("same", "shiyan-2019", None)),
    "old, by day and count": (
        regulation("某机关试验条例", 3, "2016-07-08", "2016-07-08"), ("same", "shiyan-2016", None)),
    "by count alone": (regulation("某机关试验条例", 4), ("same", "shiyan-2019", None)),
    "by day alone": (
        regulation("中华人民共和国检验法", 4, begins="2019-06-01"), ("same", "jianyan-2018", None)),
    "without the prefix": (regulation("检验法", 4, "2018-12-29", "2019-06-01"), ("same", "jianyan-2018", None)),
    "in traditional characters and marks": (
        regulation("《某機關試驗條例》", 4, begins="2019-09-01"), ("same", "shiyan-2019", None)),
    "newer than all known": (
        regulation("某机关试验条例", 9, "2026-01-05", "2026-03-01"), ("other_version", None, "shiyan-2019")),
    "older than all known": (
        regulation("某机关试验条例", 7, "2003-01-05", "2003-03-01"), ("other_version", None, "shiyan-2016")),
    "same day, other number of articles": (
        regulation("某机关试验条例", 5, begins="2019-09-01"), ("other_version", None, "shiyan-2019")),
    "same count, other day": (
        regulation("某机关试验条例", 4, begins="2020-01-01"), ("other_version", None, "shiyan-2019")),
    "a year that no version has": (
        regulation("某机关试验条例", 4, note="（2023年修订）"), ("other_version", None, "shiyan-2019")),
    "nothing to tell by": (regulation("抽查办法", 6), ("other_version", None, "choucha")),
    "old version of which little is known": (
        regulation("中华人民共和国检验法", 7, "2017-09-01"), ("other_version", None, "jianyan-2005")),
    "unknown": (regulation("某机关检测条例", 4), ("new", None, None)),
    "local rule of the same name": (
        regulation("某机关试验条例", 4, begins="2019-09-01", issuer="某市人民政府"), ("new", None, None)),
    "rule for carrying it out": (regulation("某机关试验条例实施细则", 4), ("new", None, None)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_identify(case: str) -> None:
    given, expected = CASES[case]
    found = identify(given, STOCK)
    assert (found.relation, found.instrument_id, found.of) == expected
    assert found.sentence.endswith("。")
    assert f"共{len(given.articles)}条" in found.sentence


def test_the_sentence_of_an_old_version_says_what_governs_now() -> None:
    sentence = identify(regulation("某机关试验条例", 3, begins="2016-07-08"), STOCK).sentence
    assert "2019年8月31日为止" in sentence
    assert "2019年9月1日起施行" in sentence


def test_the_sentence_of_another_version_says_how_it_differs() -> None:
    sentence = identify(regulation("某机关试验条例", 9, "2026-01-05", "2026-03-01"), STOCK).sentence
    assert "2026年3月1日起施行" in sentence
    assert "目录里有4条" in sentence


# ------------------------------------------------------------------ words by provision

TEXT = Regulation(
    "试验条例",
    (
        split_article("1", "甲应当报告。"),
        split_article("2", "甲应当报告。\n乙应当回避：\n（一）亲属；\n（二）朋友。"),
        split_article("2-1", "下列情形：\n（一）子；\n（二）丑；\n（三）寅。"),
    ),
)


def test_texts_of() -> None:
    assert texts_of(TEXT, "x") == {
        "x#1": "甲应当报告。",
        "x#1.1": "甲应当报告。",
        "x#2": "甲应当报告。\n乙应当回避：\n（一）亲属；\n（二）朋友。",
        "x#2.1": "甲应当报告。",
        "x#2.2": "乙应当回避：\n（一）亲属；\n（二）朋友。",
        "x#2.2.1": "（一）亲属；",
        "x#2.2.2": "（二）朋友。",
        "x#2-1": "下列情形：\n（一）子；\n（二）丑；\n（三）寅。",
        "x#2-1.1": "下列情形：\n（一）子；\n（二）丑；\n（三）寅。",
        "x#2-1.1.1": "（一）子；",
        "x#2-1.1.2": "（二）丑；",
        "x#2-1.1.3": "（三）寅。",
    }


MISFITS = {  # article, paragraph, item -> a part of the sentence, or "" where it fits
    ("2", None, None): "",
    ("2", 2, 1): "",
    ("2-1", 1, 3): "",
    (None, None, None): "",
    ("2", 3, None): "这一条只有2款",
    ("2", 1, 1): "第一款没有分项，项在第二款",
    ("2-1", 1, 4): "第一款的项到（三）为止",
    ("9", None, None): "原文最后一条是第二条之一",
}


@pytest.mark.parametrize("address", MISFITS)
def test_misfits(address: tuple[str | None, int | None, int | None]) -> None:
    article, paragraph, item = address
    provision = replace(
        provisions_of(TEXT, STOCK["choucha"])[0],
        id="x#a",
        label="某条",
        article=article,
        paragraph=paragraph,
        item=item,
    )
    found = misfits(TEXT, [provision])
    expected = MISFITS[address]
    assert bool(found) == bool(expected)
    assert all(expected in sentence and "某条（x#a）" in sentence for sentence in found)


# ------------------------------------------------------------------ a new instrument


def long_regulation() -> Regulation:
    item = (
        "试验人员在试验的过程中没有按照规定记录数据，或者记录的数据与实际的情况不符，并且在事后没有及时改正的"
    )
    items = "\n".join(f"（{n}）{item * 2}；" for n in "一二三四五")
    return Regulation(
        "某市试验办法（试行）",
        (
            split_article("1", "为了试验，制定本办法。", "第一章 总则", 1),
            split_article(
                "2",
                f"有下列情形之一的，予以批评：\n{items}\n情节轻微的，可以免予批评。",
                "第二章 责任 > 第一节 情形",
                2,
            ),
            split_article("3", f"有下列情形之一的，停止试验：\n{items}", "第二章 责任 > 第一节 情形", 3),
        ),
        issuer="某市人民政府",
        kind="规范性文件",
        rank=5,
        adopted=date(2021, 6, 2),
        effective_from=date(2021, 7, 1),
    )


def test_new_instrument() -> None:
    made = new_instrument(long_regulation(), "doc-abc")
    assert (made.id, made.document, made.title) == ("doc-abc", "doc-abc", "某市试验办法（试行）")
    assert made.short_titles == ("某市试验办法",)
    assert (made.issuer, made.kind, made.rank, made.article_count) == ("某市人民政府", "规范性文件", 5, 3)
    assert made.in_force(date(2021, 7, 1))
    assert not made.in_force(date(2021, 6, 30))


def test_what_the_text_does_not_say_gets_the_lowest_rank() -> None:
    made = new_instrument(regulation("试验办法", 3), "doc-abc")
    assert (made.kind, made.rank, made.authority) == ("规范性文件", 5, "rule")


def test_provisions_of() -> None:
    given = long_regulation()
    made = provisions_of(given, new_instrument(given, "doc-abc"))
    assert [p.id.partition("#")[2] for p in made] == [
        "1", "2", "2.1", "2.1.1", "2.1.2", "2.1.3", "2.1.4", "2.1.5", "2.2",
        "3", "3.1.1", "3.1.2", "3.1.3", "3.1.4", "3.1.5",
    ]  # fmt: skip
    texts = texts_of(given, "doc-abc")
    assert all(p.text == texts[p.id] for p in made)
    assert all((p.digest, p.confidence, p.composed) == ("", "verified", False) for p in made)
    by_id = {p.id: p for p in made}
    assert by_id["doc-abc#1"].topic == "为了试验"
    assert by_id["doc-abc#2"].topic == "情形"
    assert by_id["doc-abc#2.1.3"].topic == "有下列情形之一的"
    assert by_id["doc-abc#2.1.3"].label == "《某市试验办法（试行）》第二条第（三）项"
    assert (by_id["doc-abc#2.2"].section, by_id["doc-abc#2.2"].page) == ("第二章 责任 > 第一节 情形", 2)


# ------------------------------------------------------------------ the catalogue and the official files

KNOWN = {
    "信访工作条例(2022-02-25)": "xinfang-2022",
    "公务员法(2018-12-29)": "gongwuyuan-2018",
    "公职人员政务处分法(2020-06-20)": "zhengwuchufen-2020",
    "国有企业管理人员处分条例(2024-05-21)": "guoqichufen-2024",
    "监察法(2018-03-20)": "jiancha-2018",
    "监察法(2024-12-25)": "jiancha-2024",
    "行政机关公务员处分条例(2007-04-22)": "xingzhengchufen-2007",
}


def official(name: str) -> Regulation:
    path = OFFICIAL / f"{name}.md"
    if not path.exists():
        pytest.skip("没有 ../shared/official，跳过官方文本的对应测试")
    found = read_regulation(read(Source(path.name, path.read_bytes()), Limits()))
    assert found is not None
    return found


@pytest.mark.parametrize("name", KNOWN)
def test_official_texts_are_recognised_and_fit_the_stock(name: str, corpus: Corpus) -> None:
    given = official(name)
    found = identify(given, corpus.instruments)
    assert (found.relation, found.instrument_id) == ("same", KNOWN[name])
    held: list[Provision] = [p for p in corpus.provisions() if p.instrument.id == found.instrument_id]
    assert misfits(given, held) == ()
    texts = texts_of(given, KNOWN[name])
    assert all(p.id in texts for p in held if p.article is not None)


@pytest.mark.parametrize("name", KNOWN)
def test_no_official_text_is_taken_for_a_version_that_differs(name: str, corpus: Corpus) -> None:
    """Without the version it is, it is taken for no other."""
    others = {id: i for id, i in corpus.instruments.items() if id != KNOWN[name]}
    assert identify(official(name), others).instrument_id is None
