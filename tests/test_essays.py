"""Articles and interpretations: each kind of mess on a small text of our own, and the five files of the seeds."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from assistant.adapters import readers
from assistant.documents.authority import is_official
from assistant.documents.essays import cut, read_essay
from assistant.law.text import fold
from assistant.model import Block, Essay, RawDocument
from tests.effort import grows_like_its_input

SEEDS = Path(__file__).parents[2] / "shared" / "seeds"

ONE = "试验田的看护责任要落到人头，谁承包谁负责，出了问题先查清经过再谈处理，不能一出事就拿看田的人开刀。"
TWO = "有的村把浇水次数写进责任书，少浇一次就通报一次，看田的人忙着拍照留痕，反而顾不上看庄稼长得好不好。"
THREE = "遇到旱情，先看水渠通不通、水泵好不好，再看人勤不勤；把天灾都算到人头上，下一年就没有人肯接这块田。"


def document(*texts: str, kind: Any = "paragraph", page: int | None = None, **about: Any) -> RawDocument:
    blocks = tuple(Block(line, kind, 0, page) for text in texts for line in text.split("\n"))
    return RawDocument(**{"name": "甲.txt", "format": "text", "blocks": blocks, **about})


def words(essay: Essay) -> str:
    return "\n".join(excerpt.text for excerpt in essay.excerpts)


def wrapped(text: str, columns: int = 20) -> list[str]:
    return [text[at : at + columns] for at in range(0, len(text), columns)]


# ---------------------------------------------------------------- lines


@pytest.mark.parametrize("kind", ["line", "paragraph"])
@pytest.mark.parametrize("between", [(), ("",)])
def test_lines_broken_inside_sentences_are_joined(kind: str, between: tuple[str, ...]) -> None:
    lines = []
    for text in ("看护责任怎样落实", "一、现状", ONE + TWO, "二、办法", THREE):
        for line in wrapped(text):
            lines += [line, *between]
    essay = read_essay(document(*lines, kind=kind))
    assert essay.title == "看护责任怎样落实"
    assert [(e.section, e.text) for e in essay.excerpts] == [("一、现状", ONE + TWO), ("二、办法", THREE)]


def test_english_is_joined_with_blanks_and_hyphenation_undone() -> None:
    lines = ["The steward of a field has to ac-", "count for what was planted, and no", "one may blame him for a",
             "drought that nobody could fore-", "see when the seeds were given out."]  # fmt: skip
    text = words(read_essay(document(*lines, kind="line")))
    assert "account for what" in text
    assert "foresee when" in text
    assert "no one may blame him for a drought" in text


def test_a_heading_broken_over_two_lines_is_one() -> None:
    lines = ["一、看护试验田的责任在承包人与村委", "之间怎样划分", *wrapped(ONE + TWO, 17)]
    essay = read_essay(document("试验田责任谈", *lines, kind="line"))
    assert {excerpt.section for excerpt in essay.excerpts} == {
        "一、看护试验田的责任在承包人与村委之间怎样划分"
    }


def test_a_paragraph_cut_by_a_page_break_is_whole_again() -> None:
    middle = ONE.index("先查清")
    essay = read_essay(
        document("看护责任", TWO, THREE + ONE[:middle], ONE[middle:], THREE.replace("旱", "涝"))
    )
    assert ONE in words(essay)


def test_a_paragraph_whose_breaks_became_blanks_is_opened_again() -> None:
    giant = f"{ONE}{TWO} （一）查清经过。 {THREE}{TWO} （二）分清责任。 {ONE}"
    essay = read_essay(document("看护责任", giant))
    assert [excerpt.section for excerpt in essay.excerpts] == ["", "（一）查清经过", "（二）分清责任"]


def test_spaces_that_printing_left_are_closed_and_others_stay() -> None:
    text = "到了 2019年 3月，村里定下 12 条规矩。" + ONE
    essay = read_essay(document("看 护 责 任", *wrapped(text + TWO + THREE, 20), kind="line"))
    assert "到了2019年3月，村里定下12条规矩。" in words(essay)
    kept = read_essay(document("看护责任", "画像 甲：不管不问 化小化了", ONE)).excerpts[0]
    assert kept.section == "画像 甲：不管不问 化小化了"


# ---------------------------------------------------------------- furniture


FURNITURE = [
    "相关推荐", "推荐中...", "責任編輯：某某", "上一篇：春耕安排", "下一篇：秋收安排", "分享到：微信 微博",
    "![](pic.png)", '"', "】", "特別聲明：以上內容為用戶上傳並發布，本平台僅提供信息存儲服務。",
    "Notice: this page was put up by a visitor.", "本网站使用cookie以提升体验，继续浏览即表示同意。",
    "扫码关注公众号", "阅读 1234", "点击查看原文", "转载请注明出处。", "广告", "版权所有 某某网",
    "首页 > 要闻 > 正文", "【打印本页】", "\ufffd\ufffd", "锟斤拷", "https://example.org/a.html",
]  # fmt: skip


@pytest.mark.parametrize("line", FURNITURE)
def test_site_furniture_is_dropped(line: str) -> None:
    essay = read_essay(document("看护责任", "一、现状", ONE, line, TWO, "二、办法", THREE))
    assert words(essay).replace("\n", "") == ONE + TWO + THREE


SENTENCES = [
    "分享收成的时候，谁多谁少要事先说清。",
    "关注天气变化，是看田人的本分。",
    "声明责任归属，不等于推卸责任。",
    "点击率不能当收成。" + ONE,
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_sentences_that_begin_like_furniture_stay(sentence: str) -> None:
    assert sentence in words(read_essay(document("看护责任", ONE, sentence, TWO)))


def test_what_recommendations_list_goes_with_their_heading() -> None:
    essay = read_essay(
        document("看护责任", ONE, TWO, "相关推荐", "春天怎样播种", "十个办法教你看田", "昨天 12:30")
    )
    assert words(essay) == f"{ONE}\n{TWO}"


def test_running_titles_and_page_numbers_are_dropped_and_pages_kept() -> None:
    blocks = []
    texts = (ONE + TWO, THREE + TWO, TWO + ONE, ONE + THREE)
    for page, text in enumerate(texts, 1):
        rows = [f"试验田 2019年第{page}期", *wrapped(text.replace("田", f"田{page}"), 22), f"· {page + 11} ·"]
        blocks += [Block(row, "line", 0, page) for row in rows]
    essay = read_essay(RawDocument("甲.pdf", "pdf", tuple(blocks)))
    text = words(essay)
    assert "年第" not in text
    assert "·" not in text
    pages = [excerpt.page for excerpt in essay.excerpts]
    assert pages[0] == 1
    assert pages == sorted(pages)  # type: ignore[type-var]
    for excerpt in essay.excerpts:  # the page is the one on which the passage begins
        assert f"田{excerpt.page}" in excerpt.text.split("。")[0].replace("\n", "") + excerpt.text[:120]


def test_figures_and_headings_at_the_edge_of_pages_stay() -> None:
    blocks = []
    for page in (1, 2, 3):
        rows = [
            "田野学刊",
            "一、现状",
            *wrapped(ONE.replace("田", f"田{page}"), 22),
            "表1 次数",
            "东村",
            "西村",
            "次数",
        ]
        rows += [str(7 * page), str(9 * page), "占比", "43.75", f"5{page}.25"]
        blocks += [Block(row, "line", 0, page) for row in rows]
    essay = read_essay(RawDocument("甲.pdf", "pdf", tuple(blocks)))
    assert {excerpt.section for excerpt in essay.excerpts} == {"一、现状"}
    assert "次数：东村 21；西村 27\n占比：东村 43.75；西村 53.25" in words(essay)


def test_a_file_made_later_is_not_published_later() -> None:
    essay = read_essay(document("看护责任", ONE, format="pdf", published=date(2026, 1, 1)))
    assert essay.published is None


def test_page_numbers_of_a_text_without_pages_are_dropped() -> None:
    rows = wrapped(ONE + TWO + THREE, 20)
    essay = read_essay(
        document("看护责任", *rows[:3], "- 2 -", *rows[3:5], "第 3 页 共 9 页", *rows[5:], kind="line")
    )
    assert words(essay).replace("\n", "") == ONE + TWO + THREE


# ---------------------------------------------------------------- notes and references


def test_marks_of_notes_go_and_counted_items_stay() -> None:
    text = f"看田人叫它“留痕”①。{ONE[:-1]}②，{TWO}[1]其后[2-3]收成：①浇水；②施肥；③除草。"
    essay = read_essay(document("看护责任", text, THREE))
    body = words(essay)
    assert "“留痕”。" in body
    assert "[" not in body
    assert "①浇水；②施肥；③除草。" in body
    assert body.count("①") == 1


def test_document_numbers_are_no_marks() -> None:
    assert "（试发〔2019〕5号）" in words(
        read_essay(document("看护责任", "依照通知（试发〔2019〕5号）办。" + ONE))
    )


def test_lists_of_references_and_footnotes_are_left_out() -> None:
    essay = read_essay(document(
        "看护责任", "一、现状", ONE, "①参见某某：《看田记》，某某出版社2001年版，第3页。", TWO,
        "参考文献：", "[1]某甲.看田的学问[J].田野,2001(3):1-9.", "[2]某乙：《水渠》，某某出版社2002年版。",
    ))  # fmt: skip
    assert words(essay) == f"{ONE}\n{TWO}"


# ---------------------------------------------------------------- tables


def test_rows_of_tables_keep_their_cells() -> None:
    blocks = (
        Block("看护责任", "heading", 1), Block(ONE, "paragraph"), Block("表1 浇水次数", "paragraph"),
        Block("村\t春\t夏\n东村\t12\t30\n西村\t7\t\n", "table"), Block(TWO, "paragraph"),
    )  # fmt: skip
    essay = read_essay(RawDocument("甲.docx", "docx", blocks))
    assert essay.excerpts[1].text == "表1 浇水次数\n村\t春\t夏\n东村\t12\t30\n西村\t7\t"


def test_a_table_that_only_places_text_is_text() -> None:
    essay = read_essay(RawDocument("甲.html", "html", (Block(f"{ONE}\n{TWO}", "table"),)))
    assert words(essay) == f"{ONE}\n{TWO}"


LOOSE = """表2 各村浇水次数对比|东村|西村的|南边|北村|合计|2014年1月—|2016年7月|次数|（次）|10|30|60|100
    |占比|（%）|10.00|30.00|60.00|2017年|次数（次）|5|15|30|50|资料来源：自行整理"""


def test_cells_on_lines_of_their_own_are_put_beside_their_names() -> None:
    rows = wrapped(ONE + "（见表2）" + TWO, 20)
    essay = read_essay(
        document(
            "看护责任",
            "一、现状",
            *rows,
            "二、办法",
            *wrapped(THREE * 2, 20),
            *re.split(r"\s*\|", LOOSE),
            kind="line",
        )
    )
    table = next(excerpt for excerpt in essay.excerpts if excerpt.text.startswith("表2"))
    assert table.section == "一、现状"  # where it is spoken of, not where the printer set it
    assert table.text.split("\n") == [
        "表2 各村浇水次数对比",
        "2014年1月—2016年7月",
        "次数（次）：东村 10；西村的南边 30；北村 60；合计 100",
        "占比（%）：东村 10.00；西村的南边 30.00；北村 60.00",
        "2017年",
        "次数（次）：东村 5；西村的南边 15；北村 30；合计 50",
        "资料来源：自行整理",
    ]


def test_a_short_column_that_fits_in_two_places_is_not_given_names() -> None:
    cells = [
        "表1 各村人数",
        "东村",
        "西村",
        "南村",
        "北村",
        "人数",
        "10",
        "10",
        "10",
        "10",
        "占比",
        "25",
        "25",
        "25",
    ]
    essay = read_essay(document("看护责任", *wrapped(ONE + TWO, 20), *cells, kind="line"))
    assert essay.excerpts[-1].text.endswith("人数：东村 10；西村 10；南村 10；北村 10\n占比：25\t25\t25")


# ---------------------------------------------------------------- repeats and lists of headings


def test_a_page_copied_over_and_over_is_read_once_in_its_order() -> None:
    trad = (
        "試驗田的看護責任要落到人頭，誰承包誰負責，出了問題先查清經過再談處理，不能一出事就拿看田的人開刀。"
    )
    copies = [
        ONE, "画像1：只看次数", trad, "画像1：只看次数", TWO, "画像2：只看收成",
        ONE, "画像1：只看次数", TWO.replace("，", " ，", 1), "画像2：只看收成", THREE,
    ]  # fmt: skip
    essay = read_essay(document("看护责任", *copies))
    assert [(excerpt.section, excerpt.text) for excerpt in essay.excerpts] == [
        ("", ONE), ("画像1：只看次数", TWO.replace("，", " ，", 1)), ("画像2：只看收成", THREE),
    ]  # fmt: skip


def test_a_broken_text_that_repeats_itself_loses_nothing() -> None:
    rows = ["一、现状", *wrapped(ONE, 20), "二、办法", *wrapped(TWO + THREE, 20)]
    essay = read_essay(document("看护责任", *rows * 4, kind="line"))
    assert words(essay).replace("\n", "") == ONE + TWO + THREE


def test_headings_that_recur_with_other_text_stay() -> None:
    essay = read_essay(document("看护责任", "一、东村", "（一）问题", ONE, "二、西村", "（一）问题", TWO))
    assert [excerpt.section for excerpt in essay.excerpts] == [
        "一、东村 > （一）问题",
        "二、西村 > （一）问题",
    ]


def test_a_paragraph_that_recurs_in_other_company_does_not_move_what_stands_around_it() -> None:
    four, five = ONE.replace("田", "林"), TWO.replace("水", "肥")
    essay = read_essay(document("看护责任", THREE, ONE, THREE, TWO, four, THREE, five))
    assert words(essay) == "\n".join((THREE, ONE, TWO, four, five))


def test_teasers_that_break_off_give_way_to_the_whole() -> None:
    assert words(read_essay(document("看护责任", ONE[:30] + "……", ONE, TWO))) == f"{ONE}\n{TWO}"


def test_contents_are_dropped_and_headings_kept() -> None:
    headings = ["一、现状", "（一）东村", "（二）西村", "二、办法"]
    essay = read_essay(
        document(
            "看护责任", "目录", *headings, "一、现状", "（一）东村", ONE, "（二）西村", TWO, "二、办法", THREE
        )
    )
    assert [excerpt.section for excerpt in essay.excerpts] == [
        "一、现状 > （一）东村",
        "一、现状 > （二）西村",
        "二、办法",
    ]
    assert words(essay).replace("\n", "") == ONE + TWO + THREE


def test_numbered_points_without_text_are_text() -> None:
    essay = read_essay(
        document("看护责任", ONE + "要点如下：", "1. 先看水渠", "2. 再看水泵", "3. 后看人手", TWO)
    )
    assert "1. 先看水渠\n2. 再看水泵" in words(essay)


def test_points_of_a_list_are_no_headings_to_be_dropped() -> None:
    essay = read_essay(document("看护责任", ONE, "先看水渠", "再看水泵", TWO, kind="paragraph"))
    assert "先看水渠" in "".join(excerpt.section + excerpt.text for excerpt in essay.excerpts)


def test_numbered_items_that_are_clauses_are_text() -> None:
    essay = read_essay(
        document("看护责任", ONE, "（一）先看水渠；", "（二）再看水泵；", "（三）后看人手。", TWO)
    )
    assert "（一）先看水渠；\n（二）再看水泵；" in words(essay)


def test_a_collection_of_numbered_pieces_keeps_them_apart() -> None:
    pieces = [text for n in (1, 2, 3) for text in (f"{n}. 怎样看第{n}块田", "一、看水", ONE.replace("田", f"{n}号田"),
                                                  "二、看人", TWO.replace("田", f"{n}号田"))]  # fmt: skip
    essay = read_essay(document("看田经验", *pieces))
    assert [excerpt.section for excerpt in essay.excerpts] == [
        f"{n}. 怎样看第{n}块田 > {part}" for n in (1, 2, 3) for part in ("一、看水", "二、看人")
    ]


def test_questions_are_the_sections_of_an_interview() -> None:
    essay = read_essay(
        document("负责人答问", "问：为什么要定规矩？", "答：" + ONE, "记者：规矩怎么落实？", "答：" + TWO)
    )
    assert [excerpt.section for excerpt in essay.excerpts] == ["问：为什么要定规矩？", "记者：规矩怎么落实？"]


def test_levels_of_headings_are_those_the_document_gives() -> None:
    blocks = (
        Block("看护责任", "heading", 1),
        Block("现状", "heading", 2),
        Block("东村", "heading", 3),
        Block(ONE, "paragraph"),
        Block("办法", "heading", 2),
        Block(TWO, "paragraph"),
    )
    essay = read_essay(RawDocument("甲.md", "markdown", blocks))
    assert (essay.title, [e.section for e in essay.excerpts]) == ("看护责任", ["现状 > 东村", "办法"])


# ---------------------------------------------------------------- bylines


def test_front_matter_between_two_columns_is_read_first() -> None:
    rows = wrapped(ONE + TWO + THREE, 20)
    front = [
        "看护责任的“走样”与纠正",
        "王小田",
        "（某某大学 农学院，某市 100000）",
        "摘 要：" + TWO.replace("村", "镇"),
        "关键词：看田；责任",
    ]
    essay = read_essay(document(*rows[:3], *front, *rows[3:], kind="line"))
    assert (essay.title, essay.author) == ("看护责任的“走样”与纠正", "王小田")
    assert essay.excerpts[0].section == "摘要"
    assert "".join(e.text for e in essay.excerpts[1:]).replace("\n", "") == ONE + TWO + THREE


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["看护责任", "——以东村为例", "王小田"], ("看护责任——以东村为例", "王小田", None, "")),
        (["看护责任", "作者：王小田 李大水"], ("看护责任", "王小田 李大水", None, "")),
        (["看护责任", "王小田 2020年3月4日"], ("看护责任", "王小田", date(2020, 3, 4), "")),
        (["看护责任", "2019-09-19 08:30 来源：田野报"], ("看护责任", "", date(2019, 9, 19), "田野报")),
        (["看护责任", "要聞 看田那些事 2019年9月19日"], ("看护责任", "", date(2019, 9, 19), "")),
        (["'看護責任,做\\'看田人\\''"], ("看護責任,做'看田人'", "", None, "")),
        (["91", "看护责任", "发布时间：2019-13-45"], ("看护责任", "", None, "")),
    ],
)
def test_title_author_date_and_source(lines: list[str], expected: tuple[Any, ...]) -> None:
    essay = read_essay(document(*lines, ONE, TWO))
    assert (essay.title, essay.author, essay.published, essay.source) == expected
    assert words(essay) == f"{ONE}\n{TWO}"


def test_source_at_the_end_and_what_the_file_says() -> None:
    about = {"title": "看护责任_田野网", "author": "Administrator", "published": date(2020, 1, 2)}
    essay = read_essay(document(ONE, TWO, "來源| 田野雜誌、看田參閱", '"', **about))
    assert (essay.title, essay.source, essay.author) == ("看护责任", "田野雜誌、看田參閱", "")
    assert essay.published == date(2020, 1, 2)


def test_a_document_without_title_is_called_as_its_file() -> None:
    assert read_essay(document(ONE, TWO, name="包.zip/看田_笔记.txt")).title == "看田_笔记"


@pytest.mark.parametrize(
    ("title", "author", "opening", "expected"),
    [
        ("中央组织部负责人就印发《试验条例》答记者问", "", "", True),
        ("某省纪委监委负责人就《试验办法》答记者问", "", "", True),
        ("《试验条例》答记者问", "", "近日，国务院办公厅有关负责同志就条例回答了记者提问。", True),
        ("《试验条例》释义", "全国人大常委会法制工作委员会", "", True),
        ("中央纪委国家监委关于《试验规定》的解释", "", "", True),
        ("一位教授答记者问", "", "某教授说", False),
        ("专家解读《试验条例》", "", "", False),
        ("《试验条例》解读", "王小田", "", False),
        ("中央纪委官媒谈看田", "", "", False),
        ("看护责任研究", "中央组织部", "", False),
        ("《试验条例》解读", "", "中央纪委国家监委网站讯", False),
    ],
)
def test_only_the_issuing_body_is_official(title: str, author: str, opening: str, expected: bool) -> None:
    assert is_official(title, author, opening) is expected


# ---------------------------------------------------------------- cutting


def test_passages_end_with_sentences_and_stay_near_their_size() -> None:
    text = "\n".join((ONE + TWO + THREE) * times for times in (1, 4, 2))
    excerpts = cut(text, "一、现状", 3)
    assert {(e.section, e.page) for e in excerpts} == {("一、现状", 3)}
    assert all(150 <= len(e.text) <= 450 for e in excerpts)
    assert all(e.text.endswith("。") for e in excerpts)
    assert "".join(e.text for e in excerpts).replace("\n", "") == text.replace("\n", "")


def test_a_lead_in_stays_with_its_list_and_a_table_is_whole() -> None:
    lead = ONE * 7 + "办法有三："
    excerpts = cut(f"{lead}\n一是看水。{TWO * 3}\n东村\t1\n西村\t2")
    assert any("办法有三：\n一是看水。" in e.text for e in excerpts)
    assert excerpts[-1].text == "东村\t1\n西村\t2"


def test_one_sentence_without_end_is_cut_all_the_same() -> None:
    excerpts = cut("看田" * 2000)
    assert all(len(e.text) <= 450 for e in excerpts)
    assert sum(len(e.text) for e in excerpts) == 4000


def test_nothing_gives_nothing() -> None:
    assert cut("") == []
    assert read_essay(document("", '"', "![](a.png)")).excerpts == ()


def test_reading_two_megabytes_costs_no_more_than_its_share() -> None:
    def raw_of(parts: int) -> RawDocument:
        lines = [
            line.replace("田", f"{n}号田")
            for n in range(parts)
            for line in (f"{n % 9 + 1}. 看第{n}块", *wrapped(ONE + TWO, 20))
        ]
        return document(*lines, kind="line")

    sizes = {parts: raw_of(parts) for parts in (700, 7000)}
    assert sum(len(block.text.encode()) for block in sizes[7000].blocks) > 1_500_000
    assert len(read_essay(sizes[7000]).excerpts) > 2000
    assert grows_like_its_input(lambda parts: read_essay(sizes[parts]), 700, 7000)


# ---------------------------------------------------------------- the five files of the seeds


def seed(number: str) -> Path:
    found = sorted(SEEDS.glob(f"{number}_*.txt")) if SEEDS.is_dir() else []
    if not found:
        pytest.skip(f"../shared/seeds/{number}_*.txt is not there")
    return found[0]


@cache
def essay_of(path: Path, way: str) -> Essay:
    if way == "reader":
        limits = readers.Limits()
        (source,) = readers.sources([path], limits)
        assert isinstance(source, readers.Source)
        return read_essay(readers.read(source, limits))
    lines = path.read_text(encoding="utf-8").split("\n")
    return read_essay(document(*lines, kind=way, name=path.name))


def bare(text: str) -> str:
    return re.sub(r"\s", "", text)


ALL = ["000", "001", "002", "003", "004"]
WAYS = ["line", "paragraph", "reader"]
EXPECTED = {  # passages at least and at most, headings in front of some passage, author, day
    "000": (40, 60, 17, "蒋来用", None),
    "001": (9, 15, 6, "", date(2019, 9, 19)),
    "002": (12, 20, 4, "张祖辽", None),
    "003": (60, 85, 40, "", None),
    "004": (12, 20, 4, "", None),
}
RESIDUE = re.compile(
    "相关推荐|推荐中|来源\\||特别声明|Notice|!\\[|编辑本段|网络名片|扩展阅读|展开$|目录$|\ufffd|[\ue000-\uf8ff\U000f0000-\U0010ffff]|[①-⑳]"
)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("number", ALL)
def test_seed_is_clean(number: str, way: str) -> None:
    path = seed(number)
    essay = essay_of(path, way)
    least, most, sections, author, day = EXPECTED[number]
    assert least <= len(essay.excerpts) <= most
    assert (essay.author, essay.published, essay.official) == (author, day, False)
    assert len({excerpt.section for excerpt in essay.excerpts if excerpt.section}) >= sections
    named = [bool(excerpt.section) for excerpt in essay.excerpts if excerpt.section != "摘要"]
    first = named.index(True)
    assert first <= 2  # what stands before the first heading
    assert all(named[first:])
    texts = [excerpt.text for excerpt in essay.excerpts]
    assert not any(RESIDUE.search(fold(text)) for text in texts)
    assert all(len(text) <= 460 for text in texts)
    paragraphs = [
        fold(bare(line))
        for text in texts
        for line in text.split("\n")
        if len(line) >= 25 and "；" not in line[:30]
    ]
    assert len(paragraphs) == len(set(paragraphs))
    for text in texts:
        if not text.startswith("表"):
            for line in text.split("\n")[:-1]:  # no break inside a sentence
                assert re.search("[。！？；：!?;:][”」』）)]*$", line) or fold(line).startswith("《"), line[
                    -30:
                ]


@pytest.mark.parametrize("number", ALL)
def test_seed_keeps_its_words(number: str) -> None:
    """Every passage is made of runs of the source, and no sentence of the source is lost."""
    path = seed(number)
    essay = essay_of(path, "reader")
    source = bare(path.read_text(encoding="utf-8"))
    plain = re.sub("[①-⑳\U000f0000-\U0010ffff]", "", source)
    for excerpt in essay.excerpts:
        if excerpt.text.startswith("表"):
            continue
        for line in excerpt.text.split("\n"):
            rest = bare(line)
            assert rest in plain or _runs(rest, plain) <= 2, line[:40]  # 2: the columns of a page lie between
    kept = fold(bare(words(essay)))
    sentences = {
        s for s in re.split("[。！？!?]", fold(re.sub("[①-⑳\U000f0000-\U0010ffff]", "", _body(path))))
        if len(s) >= 12 and not RESIDUE.search(s)
    }  # fmt: skip
    lost = [s for s in sentences if s not in kept]
    assert len(sentences) > 25
    assert len(lost) <= 0.03 * len(sentences), [s[:30] for s in lost]


def _runs(text: str, source: str) -> int:
    """Of how many runs of the source a text is made."""
    count = 0
    while text:
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if text[:middle] in source else (low, middle - 1)
        assert low, text[:20]
        text, count = text[low:], count + 1
    return count


def _body(path: Path) -> str:
    """The running text of a seed: its long lines; where lines are printed lines, those as wide as a column."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    if path.name.startswith("000"):
        full = [line for line in lines if 18 <= len(line) <= 26]
        whole = "\n".join(full)
        # only sentences within two neighbouring full lines: those around headings and tables are checked by eye
        return (
            "。".join(re.findall("[。；，]([^。；，\n]*\n?[^。；，\n]*)[。；，]", whole))
            .replace("\n", "")
            .replace(" ", "")
        )
    return "。".join(bare(line) for line in lines if len(line) >= 40)


def test_seed_tables_keep_their_figures_in_order() -> None:
    path = seed("000")
    lines = [line.strip() for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    tables: list[list[str]] = []
    for line in lines:
        if re.match(r"表\d", line) or (line.startswith("资料来源") and tables):
            tables.append([])
        elif tables and re.fullmatch(r"[\d.]+", line):
            tables[-1].append(line)
    tables = [table for table in tables if len(table) > 5]
    assert len(tables) == 3
    essay = essay_of(path, "reader")
    for table in tables:
        in_order = re.compile(
            r"(?<![\d.])" + r"(?![\d.])[\s\S]*?(?<![\d.])".join(map(re.escape, table)) + r"(?![\d.])"
        )
        assert sum(bool(in_order.search(excerpt.text)) for excerpt in essay.excerpts) == 1
    shown = [excerpt for excerpt in essay.excerpts if excerpt.text.startswith("表")]
    assert [re.findall("[（(](.)[）)]", excerpt.section)[0] for excerpt in shown] == ["三", "四", "五"]
    for excerpt in shown:  # every column of counts has its rows named
        counts = [line for line in excerpt.text.split("\n") if line.startswith("人数（人）：")]
        assert len(counts) == 2
        assert all(
            re.fullmatch(
                r"人数（人）：(?:[^\d；]+ \d+；)+总数 \d+|人数（人）：问责总数 \d+(?:；[^\d；]+ \d+)+", c
            )
            for c in counts
        )


@pytest.mark.parametrize("number", ALL)
def test_seed_titles_are_their_own(number: str) -> None:
    path = seed(number)
    title = essay_of(path, "reader").title
    if number == "004":  # it has none
        assert title == path.stem
    else:
        source = bare(path.read_text(encoding="utf-8")).replace("\\", "")
        assert bare(title) in source
        assert 8 <= len(title) <= 60
        assert title[0] not in "'\""


def test_seed_pieces_are_in_their_own_sections() -> None:
    essay = essay_of(seed("003"), "reader")
    pieces = [re.match(r"(\d)\. ", excerpt.section) for excerpt in essay.excerpts]
    assert all(pieces)
    assert sorted({piece[1] for piece in pieces if piece}) == list("12345678")
    assert [piece[1] for piece in pieces if piece] == sorted(piece[1] for piece in pieces if piece)


def test_seed_that_repeats_itself_has_its_portraits_in_order() -> None:
    essay = essay_of(seed("001"), "reader")
    numbers = [re.match(r"畫像(\d)", excerpt.section) for excerpt in essay.excerpts]
    assert numbers[0] is None
    assert [found[1] for found in numbers if found] == sorted(found[1] for found in numbers if found)
    assert {found[1] for found in numbers if found} == set("123456")
    assert essay.source
