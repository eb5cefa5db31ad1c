"""What may await the others of a story: the table of the others over facts."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from assistant.model import Advice, Fact, Question
from assistant.steps.determination import determine
from assistant.wiring import Parts

DAY = date(2026, 3, 1)
LEADER = {"subject": "党的领导干部", "duty_failure": "yes", "consequence": "严重", "situation": "9"}


def who(parts: Parts, facts: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    given = [
        Fact(name, one, "", "confirmed", 1.0)
        for name, value in facts.items()
        for one in (value if isinstance(value, list) else [value])
    ]
    return {o.who: o.provisions for o in determine(given, parts.advisor.law, DAY).others}


@pytest.mark.parametrize(
    ("facts", "expected", "provision"),
    [
        ({**LEADER, "others_violated": "yes"}, "自己动手违纪违法的人", "zhengwuchufen-2020#2"),
        (
            {"subject": "党的领导干部", "own_violation": "yes"},
            "对其负有领导、监督职责的人",
            "wenze-2019#7.1.8",
        ),
        (
            {"subject": "普通党员干部", "own_violation": "yes", "leaders_untouched": "yes"},
            "负有领导、监督职责而没有被追究的人",
            "wenze-2019#6.3",
        ),
        (
            {"subject": "普通党员干部", "only_lower_punished": "yes"},
            "作决定、管这件事的上级",
            "wenze-2019#6.3",
        ),
        ({**LEADER, "order_from_above": "yes"}, "作出决定的上级", "wenze-2019#6.1"),
        (
            {**LEADER, "order_from_above": "yes", "objected_to_superior": "yes", "identity_kind": "公务员"},
            "作出决定的上级",
            "gongwuyuan-2018#60",
        ),
        (
            {**LEADER, "order_from_above": "yes", "order_plainly_illegal": "yes"},
            "一同照办的人",
            "wenze-2019#17.2",
        ),
        ({**LEADER, "dissent_recorded": "yes"}, "其他参与决策的班子成员", "wenze-2019#17.1.2"),
        ({**LEADER, "post_level": "参与决策的班子成员"}, "所在的党组织", "wenze-2019#6.1"),
        ({**LEADER, "post_level": "分管负责人"}, "单位的主要负责人", "wenze-2019#6.1"),
        ({**LEADER, "post_level": "主要负责人"}, "直接主管的班子成员", "wenze-2019#6.1"),
        ({**LEADER, "subject": "党组织"}, "负有责任的班子成员", "wenze-2019#6.2"),
        ({**LEADER, "subject": "普通党员干部"}, "主管、分管这件事的领导干部", "wenze-2019#5"),
        ({"subject": "党的领导干部", "own_duty": "no"}, "这件事的主管、分管领导", "wenze-2019#6.1"),
        ({"blame_without_power": "yes"}, "有权限的单位和领导", "wenze-2019#6.3"),
    ],
)
def test_what_may_await_the_others(
    parts: Parts, facts: dict[str, Any], expected: str, provision: str
) -> None:
    found = who(parts, facts)
    assert provision in found[expected], found


def test_of_nobody_else_nothing_is_said(parts: Parts) -> None:
    assert who(parts, {"subject": "党的领导干部", "duty_failure": "yes"}) == {}
    assert who(parts, {"subject": "普通党员干部", "ordinary_matter": "yes"}) == {}


def test_the_answer_has_a_short_section_on_the_others(parts: Parts) -> None:
    advice: Advice = parts.advisor.ask(
        Question("我是分管安全的副镇长，采石场塌方死了两个人，这家矿我一次也没有去查过。我会被问责吗？", DAY)
    )
    assert "**其他人**" in advice.answer
    assert "单位的主要负责人" in advice.answer
    assert all(check.passed for check in advice.checks), advice.checks
