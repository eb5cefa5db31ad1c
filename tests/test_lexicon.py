"""The lexicon's loader: what it accepts, and what it says about mistakes, with file and line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assistant.errors import KnowledgeError
from assistant.law.lexicon import MARKS, PEOPLE, check_lexicon, compiled, load_lexicon
from assistant.law.vocabulary import FactKind, Vocabulary, load_vocabulary
from assistant.settings import load_settings

VOCABULARY = Vocabulary(
    {
        "duck": FactKind("duck", "鸭子", "flag", "case", ("yes", "no")),
        "size": FactKind("size", "大小", "choice", "case", ("大", "小")),
    }
)
BASE = "marks:\n" + "".join(f"  {m}: '甲乙丙'\n" for m in MARKS)
BASE += "people:\n" + "".join(f"  {p}: ['丁戊{n}']\n" for n, p in enumerate(PEOPLE))
GOOD = """
- fact: duck
  value: yes
  any: ['<鸟>叫', '呱呱']
"""


def folder_with(tmp_path: Path, **files: str) -> Path:
    lexicon = tmp_path / "lexicon"
    lexicon.mkdir(exist_ok=True)
    (lexicon / "00.yaml").write_text(BASE + "macros:\n  鸟: '(?:鸭|鹅)'\n", encoding="utf-8")
    for name, text in files.items():
        (lexicon / f"{name}.yaml").write_text(text.lstrip("\n"), encoding="utf-8")
    return tmp_path


def test_macros_are_expanded_and_a_bare_yes_is_a_flag(tmp_path: Path) -> None:
    lexicon = load_lexicon(folder_with(tmp_path, a=GOOD), VOCABULARY, check=True)
    (pattern,) = lexicon.patterns
    assert pattern.value == "yes"
    assert compiled(pattern.any[0]).search("鹅叫")


def test_files_may_hold_macros_and_patterns_together(tmp_path: Path) -> None:
    text = "macros: {虫: '(?:蜂)'}\npatterns:\n  - {fact: size, value: 小, any: ['<虫>']}\n"
    lexicon = load_lexicon(folder_with(tmp_path, a=text), VOCABULARY)
    assert [p.any for p in lexicon.patterns] == [("(?:(?:蜂))",)]


GOOSE = "- fact: goose\n  value: yes\n  any: ['a']\n"
DUCK = "- fact: duck\n  value: yes\n"
MISTAKES = [
    ("unknown key", DUCK + "  any: ['a']\n  wenn: x\n", 4, "没有“wenn”这个键"),
    ("missing key", DUCK, 1, "缺少“any”"),
    ("unknown fact", "- fact: goose\n  value: yes\n  any: ['a']\n", 2, "没有“goose”"),
    ("unknown value", "- fact: size\n  value: 中\n  any: ['a']\n", 2, "可取的值：大、小"),
    ("a flag that is neither", "- fact: duck\n  value: 也许\n  any: ['a']\n", 2, "可取的值：yes、no"),
    ("broken regex", DUCK + "  any:\n    - '好'\n    - '(坏'\n", 5, "正则写错了"),
    ("broken veto", DUCK + "  any: ['好']\n  unless: ['[']\n", 4, "正则写错了"),
    ("unknown macro", DUCK + "  any: ['<鱼>']\n", 3, "“<鱼>”没有定义"),
    ("negation", "- fact: size\n  value: 大\n  any: ['a']\n  negated: 巨\n", 4, "可取的值"),
    ("scope", DUCK + "  any: ['a']\n  scope: book\n", 4, "“scope”的值“book”不可用"),
    ("sure", DUCK + "  any: ['a']\n  confidence: 3\n", 4, "“confidence”的值“3”不可用"),
    ("not yaml", "- fact: [duck\n", 2, "YAML 写错了"),
    ("duplicate", GOOD + DUCK + "  any: ['好', '呱呱']\n", 6, "重复"),
    ("unknown mark", "marks: {怪: 'a'}\n", 1, "没有“怪”这个标记"),
    ("unknown kind of people", "people: {怪: ['a']}\n", 1, "没有“怪”这类称呼"),
    ("post, no facts", "roles:\n  - role: 长\n    nouns: ['长']\n", 2, "缺少“facts”"),
    ("post, no fact", "roles:\n  - role: 长\n    nouns: ['长']\n    facts: {goose: 大}\n", 4, "goose"),
    ("post, broken", "roles:\n  - role: 长\n    nouns: ['(']\n    facts: {size: 大}\n", 3, "正则"),
    ("macro twice", "macros: {鸟: 'x'}\n", 1, "已经有了"),
    ("loop", "macros: {甲: '<乙>', 乙: '<甲>'}\npatterns:\n- fact: duck\n  value: yes\n  any: ['<甲>']\n", 5,
     "绕回到自己"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "said"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_mistakes_name_file_and_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    folder = folder_with(tmp_path, b=text)
    with pytest.raises(KnowledgeError, match=re.escape(said)) as caught:
        load_lexicon(folder, VOCABULARY, check=True)
    assert (caught.value.file, caught.value.line) == ("lexicon/b.yaml", line)


def test_all_mistakes_are_collected(tmp_path: Path) -> None:
    text = "- fact: goose\n  value: yes\n  any: ['a']\n- fact: duck\n  value: yes\n  any: ['(']\n"
    found = check_lexicon(folder_with(tmp_path, b=text), VOCABULARY)
    assert [error.line for error in found] == [2, 6]


def test_a_lexicon_without_grammar_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "lexicon").mkdir()
    (tmp_path / "lexicon" / "a.yaml").write_text("- {fact: duck, value: yes, any: ['a']}\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match="缺少标记或称呼：否定"):
        load_lexicon(tmp_path, VOCABULARY)


def test_the_shipped_lexicon_has_no_mistakes() -> None:
    folder = load_settings().knowledge
    assert check_lexicon(folder, load_vocabulary(folder)) == []
