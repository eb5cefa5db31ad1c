"""Faults of data: each kind found, mended or left out, and nothing found where nothing is wrong."""

from __future__ import annotations

import pytest

from assistant.documents.soundness import RawArticle, examine, fault_sentence, id_of, mend

CLOSING = RawArticle("第三条", "本条例自公布之日起施行。")


def law(*articles: tuple[str, str]) -> list[RawArticle]:
    return [RawArticle(number, text, "第一章 总则") for number, text in articles]


def found(articles: list[RawArticle]) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    sound, faults = examine(articles)
    return {a.number: a.text for a in sound}, [(f.article, f.kind, f.treatment) for f in faults]


def test_a_sound_law_stays_as_it_is() -> None:
    articles = law(
        ("第一条", "为了试验，制定本条例。"),
        (
            "第二条",
            "有下列情形之一的，予以登记：\n（一）甲；\n（二）乙：\n1.丙；\n2.丁；\n（三）戊。\n前款所称登记，依照第三条办理。",
        ),
        ("第二条之一", "委员会由下列人员组成：\n主任，\n委员若干人。"),
        ("第三条", "本条例自2020年1月1日起施行。"),
    )
    sound, faults = examine(articles)
    assert list(sound) == articles
    assert faults == ()
    assert fault_sentence(faults) == ""


MENDED = [
    (
        "blanks",
        "甲、 乙\u3000的， 应当自 2020年\u20091月1日起登记。 ",
        "甲、乙的，应当自2020年1月1日起登记。",
    ),
    (
        "breaks",
        "有关部门应当按照职责，统筹\n采取措施。\n第二款。",
        "有关部门应当按照职责，统筹采取措施。\n第二款。",
    ),
    (
        "breaks",
        "有关部门应当按照各自的职责分工开展试验工作，\n保持联系。",
        "有关部门应当按照各自的职责分工开展试验工作，保持联系。",
    ),
    ("run_on", "下列情形：（一）甲；（二）乙。", "下列情形：\n（一）甲；\n（二）乙。"),
    ("quotes", '名称标明"试验"字样，称"甲""乙"。', "名称标明“试验”字样，称“甲”“乙”。"),
    ("heading", "第一条的话。\n第二编 分 则\n第一分编 通则", "第一条的话。"),
    ("heading", "第一条的话。\n附 则", "第一条的话。"),
]


@pytest.mark.parametrize(("kind", "given", "mended"), MENDED)
def test_what_is_mended_keeps_every_word(kind: str, given: str, mended: str) -> None:
    texts, faults = found([RawArticle("第一条", given), RawArticle("第二条", "第二条的话。"), CLOSING])
    assert texts["第一条"] == mended
    assert set(faults) == {("第一条", kind, "mended")}


def test_words_between_letters_keep_their_blank() -> None:
    assert mend(RawArticle("第一条", "依照 ISO 9001 标准。"))[0].text == "依照ISO 9001标准。"


LEFT_OUT = [
    ("empty", ""),
    ("empty", " \n\u3000"),
    ("markup", "登记<br/>后办理。"),
    ("markup", "登记&nbsp;后办理。"),
    ("markup", "登记\ufffd后办理。"),
    ("swallowed", "第一条的话。\n第二条　另一条的话。"),
    ("heading_inside", "第一条的话。\n第二章 登记\n还有话。"),
    ("unfinished", "有关部门应当依照职责"),
    ("items", "下列情形：\n（一）甲；\n（三）丙。"),
    ("items", "下列情形：\n（二）乙；\n（三）丙。"),
]


@pytest.mark.parametrize(("kind", "given"), LEFT_OUT)
def test_an_article_in_doubt_is_left_out(kind: str, given: str) -> None:
    texts, faults = found([RawArticle("第一条", given), RawArticle("第二条", "第二条的话。"), CLOSING])
    assert "第一条" not in texts
    assert "第二条" in texts
    assert ("第一条", kind, "left_out") in faults


def test_a_reference_at_the_start_of_a_line_is_no_other_article() -> None:
    text = "第一款。\n第七条规定的情形除外。\n第二章规定的程序，参照执行。"
    assert found([RawArticle("第一条", text), RawArticle("第二条", "第二条的话。"), CLOSING]) == (
        {"第一条": text, "第二条": "第二条的话。", "第三条": CLOSING.text},
        [],
    )


def test_a_missing_article_puts_the_one_before_it_in_doubt() -> None:
    articles = law(("第一条", "一。"), ("第二条", "二。"), ("第五条", "五。"), ("第六条", "六。"))
    texts, faults = found(articles)
    assert list(texts) == ["第一条", "第五条", "第六条"]
    assert faults == [
        ("第三条", "missing", "noted"),
        ("第二条", "before_gap", "left_out"),
        ("第四条", "missing", "noted"),
    ]
    sentence = fault_sentence(examine(articles)[1])
    assert sentence == "数据包里缺第三条、第四条；数据包里第二条的文字不可靠，没有采用。"


def test_the_first_article_missing() -> None:
    texts, faults = found(law(("第二条", "二。"), ("第三条", "三。")))
    assert list(texts) == ["第二条", "第三条"]
    assert faults == [("第一条", "missing", "noted")]


def test_a_number_twice() -> None:
    same = law(("第一条", "一。"), ("第一条", "一。"), ("第二条", "二。"))
    assert found(same) == ({"第一条": "一。", "第二条": "二。"}, [("第一条", "duplicate", "mended")])
    different = law(("第一条", "一。"), ("第一条", "另一种写法。"), ("第二条", "二。"))
    texts, faults = found(different)
    assert list(texts) == ["第二条"]
    assert faults == [("第一条", "duplicate", "left_out")]


def test_articles_out_of_order_are_put_in_order() -> None:
    texts, faults = found(
        law(("第二条", "二。"), ("第一条", "一。"), ("第二条之一", "二之一。"), ("第三条", "三。"))
    )
    assert list(texts) == ["第一条", "第二条", "第二条之一", "第三条"]
    assert faults == [("第一条", "order", "mended")]


def test_what_has_no_number_is_left_out() -> None:
    texts, faults = found([RawArticle("条目一", "一。"), RawArticle("第一条", "一。")])
    assert list(texts) == ["第一条"]
    assert faults == [("条目一", "number", "left_out")]


def test_headings_that_hang_on_an_article_stand_over_what_follows() -> None:
    sound, _ = examine(
        [
            RawArticle("第一条", "一。\n第二编 分则\n第一分编 通则", "第一章 总则"),
            RawArticle("第二条", "二。\n第二分编 登记", "第一章 一般规定"),
            RawArticle("第三条", "三。\n第三编 附则编", "第二章 登记"),
            RawArticle("第四条", "四。\n附 则", "第一章 别的"),
            RawArticle("第五条", "五。"),
        ]
    )
    assert [a.section for a in sound] == [
        "第一章 总则",
        "第二编 分则 > 第一分编 通则 > 第一章 一般规定",
        "第二编 分则 > 第二分编 登记 > 第二章 登记",
        "第三编 附则编 > 第一章 别的",
        "",
    ]


@pytest.mark.parametrize(
    "mark", ["附：", "附件", "附件一", "附表一：", "附件：试验图案", "试验税率表", "税率表一（综合适用）"]
)
def test_an_appendix_is_cut_off_the_last_article_only(mark: str) -> None:
    text = f"本条例自公布之日起施行。\n{mark}\n甲 | 乙"
    texts, faults = found([RawArticle("第一条", "一。"), RawArticle("第二条", text)])
    assert texts["第二条"] == "本条例自公布之日起施行。"
    assert faults == [("第二条", "appendix", "mended")]


def test_quotes_that_are_no_pair_stay_as_they_are() -> None:
    mended, faults = mend(RawArticle("第一条", '标明"试验字样。'))
    assert mended.text == '标明"试验字样。'
    assert [(f.kind, f.treatment) for f in faults] == [("quotes", "noted")]


@pytest.mark.parametrize(
    ("number", "id"),
    [
        ("第七条", "7"),
        ("第一百零三条", "103"),
        ("第十七条之二", "17-2"),
        ("第17条", None),
        ("全文", None),
        ("第条", None),
    ],
)
def test_numbers_as_ids_write_them(number: str, id: str | None) -> None:
    assert id_of(number) == id


def test_a_long_list_is_shortened() -> None:
    articles = law(*((f"第{n}条", "") for n in "一二三四五六七"))
    assert fault_sentence(examine(articles)[1]) == (
        "数据包里第一条、第二条、第三条、第四条、第五条等7条的文字不可靠，没有采用。"
    )
