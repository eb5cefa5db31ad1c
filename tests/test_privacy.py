"""What is taken out of a question, and what has to stay. All numbers are invented."""

from __future__ import annotations

import pytest

from assistant.privacy import mask_private

TAKEN_OUT = [
    ("我身份证11010519491231002X，请查", "我身份证〔身份证号〕，请查"),
    ("身份证号１１０１０５１９４９１２３１００２Ｘ", "身份证号〔身份证号〕"),
    ("身份证11010519491231002x。", "身份证〔身份证号〕。"),
    ("110105 19491231 002X", "〔身份证号〕"),
    ("老号码110105491231002", "老号码〔身份证号〕"),
    ("打错一位的110105194912310021", "打错一位的〔身份证号〕"),
    ("手机13812345678联系我", "手机〔手机号〕联系我"),
    ("手机１３８１２３４５６７８", "手机〔手机号〕"),
    ("+86 138 1234 5678", "〔手机号〕"),
    ("打138-1234-5678", "打〔手机号〕"),
    ("座机010-62345678", "座机〔固定电话〕"),
    ("座机(0571)87654321", "座机〔固定电话〕"),
    ("单位电话：0571 8765432", "单位电话：〔固定电话〕"),
    ("电话87654321", "电话〔固定电话〕"),
    ("电话：87654321。", "电话：〔固定电话〕。"),
    ("卡号6222021234567890128", "卡号〔银行卡号〕"),
    ("卡号4111111111111111", "卡号〔银行卡号〕"),
    ("卡号4111 1111 1111 1111。", "卡号〔银行卡号〕。"),
    ("邮箱zhang.san+x@example.com.cn。", "邮箱〔邮箱〕。"),
    ("邮箱ｚｈａｎｇ＠example.com", "邮箱〔邮箱〕"),
    ("13812345678和13987654321", "〔手机号〕和〔手机号〕"),
]

STAYS = [
    "2019年9月1日起施行",
    "中办发〔2018〕29号",
    "第7条第（3）项，第一百二十条之一",
    "损失1200000元，涉案12345678.50元",
    "wenze-2019#7.1.3",
    "合同编号20190901123456789",
    "共13812户",
    "流水6222021234567890129",  # fails the Luhn check
    "座机010-12345678",  # no local number begins with 1
    "2023-2024年度，10:30开会",
    "13812345678901",  # fourteen digits are no phone number
    "罚款138123456789元",
    "信访件编号110105199913320023",  # no calendar has the 32nd of a 13th month
    "",
    "没有号码",
]


@pytest.mark.parametrize(("text", "expected"), TAKEN_OUT)
def test_private_numbers_are_taken_out(text: str, expected: str) -> None:
    assert mask_private(text)[0] == expected


@pytest.mark.parametrize("text", STAYS)
def test_other_numbers_stay(text: str) -> None:
    assert mask_private(text) == (text, ())


def test_what_was_taken_out_is_named_without_its_value() -> None:
    text, masked = mask_private("我叫张三，手机13812345678，邮箱a@b.cn")
    assert text == "我叫张三，手机〔手机号〕，邮箱〔邮箱〕"
    assert [(m.kind, m.placeholder) for m in masked] == [("手机号", "〔手机号〕"), ("邮箱", "〔邮箱〕")]
    assert "138" not in repr(masked)


def test_masking_twice_changes_nothing() -> None:
    once = mask_private("手机13812345678，身份证11010519491231002X")[0]
    assert mask_private(once) == (once, ())
