"""Roles kept apart: whose post it is, and who is asked about."""

from __future__ import annotations

import pytest

from assistant.law.lexicon import Lexicon, load_lexicon
from assistant.law.reading import read_story
from assistant.law.vocabulary import load_vocabulary
from assistant.settings import Settings


@pytest.fixture(scope="module")
def lexicon(settings: Settings) -> Lexicon:
    return load_lexicon(settings.knowledge, load_vocabulary(settings.knowledge))


@pytest.mark.parametrize(
    "text",
    [
        "我是王局长的司机，那天他喝了酒让我开车，现在要处理我。",
        "我是县长的秘书，材料是我起草的，我会被处分吗？",
        "我是镇长的爱人，他被免职了，我想问问怎么申诉。",
        "我是书记的老同学，也是书记的邻居，替他问问。",
    ],
)
def test_a_post_that_the_teller_belongs_to_is_not_his(text: str, lexicon: Lexicon) -> None:
    story = read_story(text, lexicon)
    held = {m.text for m in story.roles.get("self", ())}
    assert not {h for h in held if h.endswith(("局长", "县长", "镇长")) or h == "书记的"}, held


@pytest.mark.parametrize(
    ("text", "post"),
    [
        ("我当镇长的时候签过这个字，我要担责吗？", "镇长"),
        ("我是副局长，局长拍的板，现在要处理我。", "副局长"),
        ("我是镇长，手下的会计贪了钱，我会被问责吗？", "镇长"),
        ("我一个科员，局长让我办的，出了事处分我。", "科员"),
    ],
)
def test_a_post_that_the_teller_holds_is_his(text: str, post: str, lexicon: Lexicon) -> None:
    story = read_story(text, lexicon)
    assert story.asked_is == "self"
    assert {m.text for m in story.roles["self"]} == {post}


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("我们镇党委被通报了，镇长个人没事，党委会被怎么问责？", "organisation"),
        ("我爱人是校长，学校老师打了学生，我爱人要不要负责？", "other"),
        ("我是副乡长，乡长拍板的项目烂尾了，县纪委要问我的责。", "self"),
        ("村支书把低保给了他弟弟，镇里分管的副镇长没发现，副镇长要被问责吗？", "other"),
    ],
)
def test_the_one_asked_about_among_several(text: str, who: str, lexicon: Lexicon) -> None:
    assert read_story(text, lexicon).asked_is == who
