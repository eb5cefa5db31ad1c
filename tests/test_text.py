"""Text and numbers: equal words become equal, and the way back leads to the original."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import pytest

from assistant.law.text import (
    aligned,
    chinese_to_number,
    clauses,
    fold,
    is_mostly_foreign,
    locate,
    normalise,
    number_to_chinese,
    numbers,
    quantities,
    sentences,
)

TEXTS = [
    "",
    " ",
    "\n\n",
    "依据《问责条例》第七条第（三）项，给予通报。",
    "依 据《 問責條例 》\n第 ７ 條第( 3 )項 , 給予\r\n通報 。",
    "WPS 办公 与  Excel 2019, v1.2",
    "零\u200b宽\ufeff字符 a\u200bb",
    "共1,000元；９：３０开会,9:30散会",
    "乾部 幹部 著作 乾隆 鎔基",
    "①②③ ㈠ ⑵ ½ ㎡ … —— 😀",
    "没有标点的一行\n又是一行",
]


@pytest.mark.parametrize("text", TEXTS)
def test_folding_keeps_the_length_and_normalising_twice_changes_nothing(text: str) -> None:
    assert len(fold(text)) == len(text)
    for keep_lines in (False, True):
        once = normalise(text, keep_lines)
        assert normalise(once, keep_lines) == once


@pytest.mark.parametrize("text", TEXTS)
def test_every_character_of_the_result_knows_where_it_was(text: str) -> None:
    for keep_lines in (False, True):
        there = aligned(text, keep_lines)
        assert len(there.text) == len(there.offsets)
        assert list(there.offsets) == sorted(there.offsets)
        folded = fold(text)
        for position, char in enumerate(there.text):
            assert char in (folded[there.offsets[position]], " ", "\n")
        for start in range(len(there.text)):
            begin, end = there.span(start, start + 1)
            assert 0 <= begin < end <= len(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("問責條例", "问责条例"),
        ("第１２條", "第12条"),
        ("第 七\n条", "第七条"),
        ("（三）", "(3)".replace("3", "三")),
        ("他说:“不”,走了", "他说：“不”，走了"),
        ("「不」", "“不”"),
        ("關於幹部後續處理", "关于干部后续处理"),
        ("⽂件", "文件"),  # the radicals that PDFs write for characters
        ("党\u200b纪", "党纪"),
        ("WPS  表格", "WPS表格"),
    ],
)
def test_equal_words_become_equal(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize("text", ["乾隆年间", "著作等身", "么女", "干部", "反复批复", "朱镕基", "𠮷野家"])
def test_simplified_text_stays_as_it_is(text: str) -> None:
    assert normalise(text) == text


def test_what_a_word_becomes_does_not_depend_on_the_rest() -> None:
    for word in ("回覆", "藉口", "沈重", "么女", "答覆意见"):
        assert normalise(word) in normalise(word + "，這是繁體的一句")


def test_lines_are_joined_or_kept() -> None:
    assert normalise("被问责的党\n员干部\n\n第二段") == "被问责的党员干部第二段"
    assert normalise("被问责的党\n员干部\n\n 第二段", keep_lines=True) == "被问责的党\n员干部\n第二段"


@pytest.mark.parametrize(
    ("quote", "text", "found"),
    [
        ("没有传达", "会上没有\n传达精神", "没有\n传达"),
        ("沒有傳達", "会上没有传达精神", "没有传达"),
        ("第(三)项", "按第（三）项处理", "第（三）项"),
        ("1个月", "11个月内", None),
        ("第1", "第12条", None),
        ("12", "３１２", None),
        ("12", "第１２条", "１２"),
        ("损失1", "损失1.5万元", None),
        ("没有", "", None),
        ("", "有", None),
        ("不在里面", "一句话", None),
    ],
)
def test_a_quote_is_located_in_the_original(quote: str, text: str, found: str | None) -> None:
    place = locate(quote, text)
    assert (text[slice(*place)] if place else None) == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("一句", ["一句"]),
        ("一句。两句？三句！", ["一句。", "两句？", "三句！"]),
        ("他说“走。”然后走了。", ["他说“走。”", "然后走了。"]),
        ("一行\n 两行\n\n三行", ["一行", "两行", "三行"]),
        ("真的？？！唉……好", ["真的？？！", "唉……", "好"]),
        ("甲；乙", ["甲；", "乙"]),
        ("3.5万元。", ["3.5万元。"]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    found = sentences(text)
    assert [span.text for span in found] == expected
    assert all(text[span.start : span.end] == span.text for span in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("我报告了，没人管。", ["我报告了", "没人管"]),
        ("我报告了,没人管;出事:死人", ["我报告了", "没人管", "出事", "死人"]),
        ("损失1,000元，9:30发现", ["损失1,000元", "9:30发现"]),
        ("第七、八条", ["第七、八条"]),
        ("一行\n两行", ["一行", "两行"]),
        ("，，。", []),
    ],
)
def test_clauses(text: str, expected: list[str]) -> None:
    found = clauses(text)
    assert [span.text for span in found] == expected
    assert all(text[span.start : span.end] == span.text for span in found)


def test_numerals_there_and_back() -> None:
    for number in (*range(0, 2100), 9999, 10000, 10001, 10010, 10100, 11000, 99999, 1000000, 12345678):
        assert chinese_to_number(number_to_chinese(number)) == number


def test_numerals_are_those_of_cn2an() -> None:
    cn2an = pytest.importorskip("cn2an")
    for number in (*range(0, 1300), *range(9990, 10120), 100000, 12345678):
        assert number_to_chinese(number) == cn2an.an2cn(number)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("第十二条", [("12", "条")]),
        ("第１２条", [("12", "条")]),
        ("1个月内", [("1", "个月")]),
        ("一个月内", [("1", "个月")]),
        ("30日内，三十天内", [("30", "日"), ("30", "日")]),
        ("半年", [("0.5", "年")]),
        ("一年半", [("1.5", "年")]),
        ("两年", [("2", "年")]),
        ("一个半月", [("1.5", "个月")]),
        ("三个半小时", [("3.5", "小时")]),
        ("十八个月", [("18", "个月")]),
        ("五个工作日", [("5", "工作日")]),
        ("2019年9月1日", [("2019", "年"), ("9", "月"), ("1", "日")]),
        ("二〇一九年", [("2019", "年")]),
        ("死亡三人以上十人以下", [("3", "人"), ("10", "人")]),
        ("损失1,200,000元", [("1200000", "元")]),
        ("损失120万元", [("1200000", "元")]),
        ("损失一百二十万元", [("1200000", "元")]),
        ("3.5亿", [("350000000", "")]),
        ("百分之五，5%", [("5", "%"), ("5", "%")]),
        ("第七、八条", [("7", ""), ("8", "条")]),
        ("三四个人", [("3", "个"), ("4", "个")]),
        ("四种形态", [("4", "种")]),
        ("一般、统一、万一、十分、一些、一起、一会儿、一时", []),
        ("千方百计", []),
        ("wenze-2019#7.1.3", []),
        ("没有数字", []),
    ],
)
def test_quantities(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(q.value, q.unit) for q in quantities(text)] == [
        (Decimal(value), unit) for value, unit in expected
    ]


def test_numbers_are_compared_as_numbers() -> None:
    assert numbers("十二") == numbers("１２") == numbers("12") == (Decimal(12),)
    assert set(numbers("1个月")).isdisjoint(numbers("12个月"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello world", True),
        ("这是中文", False),
        ("用WPS和Excel写报告的事", False),
        ("12，。", False),
        ("", False),
    ],
)
def test_foreign_text_is_told_apart(text: str, expected: bool) -> None:
    assert is_mostly_foreign(text) is expected


def test_the_dictionary_is_loaded_only_for_traditional_text() -> None:
    code = (
        "import sys; from assistant.law.text import normalise; normalise('第七条，３项'); "
        "assert 'zhconv' not in sys.modules; normalise('第七條'); assert 'zhconv' in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_long_texts_take_no_time() -> None:
    for text in ("一" * 6000, " " * 6000, "，" * 6000, "1," * 3000, "第" * 6000, "“" * 6000, "十年半" * 2000):
        normalise(text), sentences(text), clauses(text), quantities(text)
