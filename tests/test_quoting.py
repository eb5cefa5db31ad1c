"""Which sentence of a text is quoted beside its digest, by an invented text."""

from __future__ import annotations

import pytest

from assistant.law.asking import pairs
from assistant.law.quoting import LONGEST, quote, weights

TEXT = (
    "水库管理员应当每日巡查堤坝。\n发现渗漏的，由水利局派潜水员查看，并通知下游村庄。\n"
    "有下列情形之一的，停止放水：\n（一）下游有人作业；\n（二）闸门锈死。"
)
TOLD = weights(["水库管理员巡查堤坝", "水库管理员发现渗漏", "水库管理员停止放水", "闸门检修"])


@pytest.mark.parametrize(
    ("question", "shown", "quoted"),
    [
        ("潜水员谁派", "发现渗漏的派人查看", "发现渗漏的，由水利局派潜水员查看，并通知下游村庄"),
        (
            "哪些情形停止放水，闸门锈死算吗",
            "有危险的停止放水",
            "有下列情形之一的，停止放水：（一）下游有人作业；（二）闸门锈死",
        ),
        ("巡查堤坝多久一次", "水库管理员应当每日巡查堤坝", ""),  # said already
        ("船闸收费标准", "水库管理员巡查", ""),  # the text does not say it
    ],
)
def test_the_sentence_that_is_quoted(question: str, shown: str, quoted: str) -> None:
    assert quote(TEXT, shown, pairs(question), TOLD, 2.0) == quoted


def test_a_number_asked_for_lowers_the_bar() -> None:
    text = "渗漏修复不超过九日。"
    assert quote(text, "渗漏要修复", pairs("渗漏修复几日"), TOLD, 2.5) == ""
    assert (
        quote(text, "渗漏要修复", pairs("渗漏修复几日"), TOLD, 2.5, lambda s: "九日" in s)
        == "渗漏修复不超过九日"
    )


def test_a_long_sentence_is_cut_to_the_part_that_tells() -> None:
    long = "一是" + "巡" * 90 + "，二是" + "查" * 60 + "，三是潜水员下水。"
    found = quote(long, "", pairs("潜水员"), {}, 0.5)
    assert found.endswith("三是潜水员下水")
    assert found.startswith("……")
    assert len(found) <= LONGEST + 4
