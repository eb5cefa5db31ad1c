"""Hints save time and never an answer: what matches always has its hint."""

from __future__ import annotations

import re

import pytest
import yaml

from assistant.law.hints import needed
from assistant.law.lexicon import load_lexicon
from assistant.law.text import normalise
from assistant.law.vocabulary import load_vocabulary
from assistant.settings import Settings


@pytest.mark.parametrize(
    ("regex", "strings"),
    [
        ("问责", {"问责"}),
        ("(?:压|拖)着不(?:办|查)", {"着不"}),
        ("(?:公款|经费).{0,6}(?:吃|喝)", {"公款", "经费"}),
        ("[压拖]下", {"下"}),
        ("[压拖]", {"压", "拖"}),
        ("(?:不)?追究", {"追究"}),
        ("(?:没有)+", {"没有"}),
        ("(?<!没)有", {"有"}),
        ("问责(?!条例)", {"问责"}),
        ("[0-9]+万|亿", {"万", "亿"}),
        ("[0-9]+|亿", None),
        ("(?:问责)?", None),
        (".{2,4}", None),
    ],
)
def test_what_a_regex_cannot_do_without(regex: str, strings: set[str] | None) -> None:
    assert needed(regex) == (frozenset(strings) if strings else None)


def test_no_pattern_of_the_lexicon_is_missed_for_its_hint(settings: Settings) -> None:
    lexicon = load_lexicon(settings.knowledge, load_vocabulary(settings.knowledge))
    told = yaml.safe_load((settings.knowledge.parent / "tests" / "stories.yaml").read_text("utf-8"))
    texts = [normalise(text) for story in told for text in story["texts"]]
    for regex in lexicon.regexes():
        hint = needed(regex)
        for text in texts:
            if hint and re.search(regex, text):
                assert any(string in text for string in hint), (regex, text)
