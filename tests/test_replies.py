"""What people say after an answer, in many wordings, against the real words.

``replies.yaml``: every row must be right. ``replies-developed.yaml`` and ``replies-unseen.yaml`` are by another
hand: only how many are right and how many wrong is held. The unseen half is measured only: nothing is tuned to it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from assistant.law.lexicon import load_lexicon
from assistant.law.phrases import check_phrases, load_phrases
from assistant.law.turns import unsupposed
from assistant.law.vocabulary import load_vocabulary
from assistant.model import Fact, MissingFact
from assistant.settings import Settings
from assistant.steps.facts import read_facts
from assistant.steps.replies import Reply, read_reply


def rows(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load((Path(__file__).parent / name).read_text("utf-8")))


ROWS = rows("replies.yaml")
STORY = "我是分管安全的副镇长，采石场塌方死了两个人，这家矿我一次也没有去查过。我会被问责吗？"


@pytest.fixture(scope="module")
def understand(settings: Settings) -> Callable[..., Reply]:
    vocabulary = load_vocabulary(settings.knowledge)
    lexicon = load_lexicon(settings.knowledge, vocabulary)
    phrases = load_phrases(settings.knowledge, vocabulary)

    def reply(text: str, asked: list[str], was: dict[str, str], before: str = "") -> Reply:
        questions = [MissingFact(name, vocabulary.facts[name].question, ()) for name in asked]
        sheet = [Fact(name, value, "", "lexicon", 0.9) for name, value in was.items()]
        read = read_facts(unsupposed(text, phrases), lexicon, vocabulary)
        return read_reply(text, questions, sheet, vocabulary, lexicon, phrases, read, before)

    return reply


@pytest.mark.parametrize("row", ROWS, ids=[row["s"] for row in ROWS])
def test_a_reply_is_understood(row: dict[str, Any], understand: Callable[..., Reply]) -> None:
    asked, was = row.get("a", []), row.get("w", {})
    reply = understand(row["s"], asked, was)
    told = {t.name: t.value for t in reply.facts}
    assert reply.kind == row.get("k", "answer"), told
    wanted = row.get("f", {})
    # what else it says plainly may be there; of what was asked and of what is known nothing else
    assert {n: v for n, v in told.items() if n in {*wanted, *asked, *was}} == wanted


@pytest.mark.parametrize(
    ("name", "least_right", "most_wrong"),
    [("replies-developed.yaml", 0.97, 0.01), ("replies-unseen.yaml", 0.88, 0.035)],
)
def test_replies_of_another_hand_are_seldom_misread(
    name: str, least_right: float, most_wrong: float, understand: Callable[..., Reply]
) -> None:
    right = wrong = count = 0
    misread = []
    for row in rows(name):
        reply = understand(row["s"], row["a"], {})
        sets = reply.kind in ("answer", "correction", "more")
        told = {t.name: t.value for t in reply.facts} if sets else {}
        for fact in row["a"]:
            count += 1
            value, wanted = told.get(fact), row.get("f", {}).get(fact)
            right += value == wanted
            if value is not None and value != wanted:  # what is not read at all is asked again
                wrong += 1
                misread.append((row["s"], fact, value))
    assert count >= 350
    assert right / count >= least_right
    assert wrong / count <= most_wrong, misread


def test_there_are_wordings_for_every_fact_that_can_be_asked(settings: Settings) -> None:
    vocabulary = load_vocabulary(settings.knowledge)
    phrases = load_phrases(settings.knowledge, vocabulary)
    askable = {k.name for k in vocabulary.facts.values() if k.ask is not None and k.kind == "choice"}
    assert askable <= set(phrases.facts)
    for name in askable:
        assert {way.value for way in phrases.facts[name].ways} == set(vocabulary.values_of(name))
    assert len(ROWS) >= 120


def test_a_whole_story_about_somebody_else_begins_another_situation(
    understand: Callable[..., Reply],
) -> None:
    other = "我爱人是镇中学校长，食堂承包商送了她两万块，学生吃坏肚子住院了十几个，纪委在查她，会怎么处理？"
    assert understand(other, [], {}, STORY).kind == "new_situation"
    more = "当时县里也派人来看过这个矿，说可以继续开，我是分管的副镇长，也没敢拦，现在纪委正在查。"
    assert understand(more, [], {}, STORY).kind in ("more", "answer")


def test_words_that_set_nothing_are_handed_back(understand: Callable[..., Reply]) -> None:
    reply = understand("归我管，那天矿主把大门锁了不让我进", ["own_duty"], {})
    assert {t.name: t.value for t in reply.facts}["own_duty"] == "yes"
    assert "大门锁了" in reply.rest


def test_mistakes_in_the_words_are_found(settings: Settings, tmp_path: Path) -> None:
    vocabulary = load_vocabulary(settings.knowledge)
    assert check_phrases(settings.knowledge, vocabulary) == []
    text = (settings.knowledge / "replies.yaml").read_text("utf-8")
    for old, new, sentence in [
        ("  own_duty:\n", "  own_dutty:\n", "没有“own_dutty”"),
        ("value: 轻微", "value: 轻", "不能取“轻”"),
        ("agree:\n", "agree:\n  - '(未闭合'\n", "正则写错了"),
        ("agree:\n", "agree:\n  - '甲?'\n", "什么都不写也算"),
        ("agree:\n", "agree:\n  - '<没有的>'\n", "没有定义"),
        ("plain: {}", "plain: {maybe: 党组织}", "没有“maybe”"),
    ]:
        (tmp_path / "replies.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
        found = check_phrases(tmp_path, vocabulary)
        assert any(sentence in str(error) and error.line for error in found), sentence
