"""Answers worded by a language model: what is shown, what is replaced, when everything stays as it was."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from assistant.errors import KnowledgeError
from assistant.law.corpus import Corpus
from assistant.model import Advice, Citation, Question
from assistant.prompts import Prompts
from assistant.settings import Settings
from assistant.steps.answering import Sources
from assistant.steps.wording import (
    LONGEST_REPLY,
    Problem,
    Sentence,
    Worded,
    Words,
    check_words,
    checked,
    load_words,
    problems_of,
    sentences_of,
    wording_request,
)
from tests.model_server import as_json

if TYPE_CHECKING:
    from assistant.wiring import Parts

DAY = date(2026, 9, 1)
HERE = Path(__file__).parent
BAD = yaml.safe_load((HERE / "wording-adversarial.yaml").read_text("utf-8"))
GOOD = yaml.safe_load((HERE / "wording-good.yaml").read_text("utf-8"))
STORIES = (
    "我是副乡长，乡党委会上定的临时救助金先拿去还工程欠款，我没有反对，后来困难户喝了农药，县里要问责我。",
    "我是村里的会计，没有职务，自己把补贴款拿去用了，领导说要按问责条例处理我。",
    "我是局长，县里要我顶着干，我在会上明确反对并且记录在案，后来项目烂尾损失很大。",
    "我们党组被通报问责，说监督不力，一件事已经追究三次了，还要求三天内报两个人。",
)
QUESTIONS = (
    "拒不执行组织的调动决定给什么处分",
    "留置要谁批准",
    "数个处分怎么合并",
    "党内警告影响期多久",
)


@pytest.fixture(scope="module")
def words(settings: Settings) -> Words:
    return load_words(settings.knowledge)


@pytest.fixture(scope="module")
def advices(parts: Parts) -> list[Advice]:
    return [parts.advisor.ask(Question(text, DAY)) for text in (*STORIES, *QUESTIONS)]


def given(key: str, corpus: Corpus) -> tuple[Sentence, dict[int, Citation]]:
    row = BAD["sentences"][key]
    sources = Sources(corpus, DAY, "待核")
    sources.mark(*row["cites"])
    cited = {c.n: c for c in sources.citations()}
    assert len(cited) == len(row["cites"])
    return Sentence(1, row["words"], tuple(cited), (0,)), cited


def problems(case: dict[str, Any], corpus: Corpus, words: Words) -> list[Problem]:
    sentence, cited = given(case["of"], corpus)
    story = case.get("story", True)
    return list(problems_of(case["wrote"], sentence, cited, corpus, DAY, words, story))


def share(rows: list[dict[str, Any]], corpus: Corpus, words: Words) -> float:
    wanted = [row for row in rows if row.get("expect") != "refused"]
    return sum(not problems(row, corpus, words) for row in wanted) / len(wanted)


# ---------------------------------------------------------------- single sentences


@pytest.mark.parametrize(
    "case", [*BAD["cases"], *BAD["blind"], *BAD["second"]], ids=lambda c: c["wrote"][:30]
)
def test_what_says_something_else_never_passes(case: dict[str, Any], corpus: Corpus, words: Words) -> None:
    assert problems(case, corpus, words), case["why"]


def test_every_kind_of_attack_is_tried() -> None:
    cases = [*BAD["cases"], *BAD["blind"], *BAD["second"]]
    kinds = {case["kind"] for case in cases}
    assert len(cases) >= 140
    assert kinds >= {
        "编造条款", "改数字", "改期限", "旧版本", "反转否定", "换应当可以", "换以上以下", "换或者并且", "放宽免责",
        "没给的标号", "结论反转", "夹带指令", "泄露提示词", "网页代码", "联系方式", "太长", "引文不符",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["编造条款", "网页代码", "联系方式", "泄露提示词", "结论反转", "没给的标号"])
def test_what_is_grave_condemns_the_whole_reply(kind: str, corpus: Corpus, words: Words) -> None:
    cases = [case for case in BAD["cases"] if case["kind"] == kind]
    grave = [any(p.grave for p in problems(case, corpus, words)) for case in cases]
    assert sum(grave) * 2 >= len(cases)


def test_most_good_rewordings_pass(corpus: Corpus, words: Words) -> None:
    """Measured when written: 83 % of those it was made with, then 23 % and 58 % of two sets seen for the first
    time; the first of them taught it more ways of saying the same."""
    assert len(GOOD["cases"]) >= 60
    assert share(GOOD["cases"], corpus, words) >= 0.8
    assert share(GOOD["blind"], corpus, words) >= 0.6
    assert share(GOOD["second"], corpus, words) >= 0.55


def test_an_article_out_of_force_is_grave(corpus: Corpus, words: Words) -> None:
    sentence, cited = given("subject", corpus)
    found = list(problems_of(sentence.words + "[1]", sentence, cited, corpus, date(2010, 1, 1), words, True))
    assert [(p.kind, p.grave) for p in found] == [("条款在该日无效", True)]


def mutations(text: str) -> Iterator[str]:
    """Small changes of a sentence, each of which changes what it says."""
    for at in range(len(text) + 1):
        yield text[:at] + "不" + text[at:]
    for at in range(0, len(text) + 1, 7):
        yield from (text[:at] + word + text[at:] for word in ("没有", "不得", "应当", "可以", "一般", "除外"))
    swaps = (
        "可以应当 应当可以 不得可以 必须可以 以上以下 以下以上 或者并且 从轻从重 减轻加重 严重重大 主要重要"
    )
    for pair in swaps.split():
        yield from replaced(text, re.escape(pair[:2]), pair[2:])
    yield from replaced(text, "不得|没有|不予|免予|[不没未无非免]", "")
    for number in ("1", "3", "12", "五", "十"):
        yield from (m for m in replaced(text, r"\d+|(?<=第)[一二三四五六七八九十]+", number) if m != text)
    parts = re.split("(?<=[，；。：、])", text)
    for at in range(len(parts) if len(parts) > 1 else 0):
        yield "".join(parts[:at] + parts[at + 1 :]).strip("，；。：、")


def replaced(text: str, pattern: str, instead: str) -> list[str]:
    return [text[: m.start()] + instead + text[m.end() :] for m in re.finditer(pattern, text)]


def test_no_small_change_of_meaning_passes(advices: list[Advice], corpus: Corpus, words: Words) -> None:
    tried, passed, seen = 0, [], set()
    for advice in advices:
        cited = {c.n: c for c in advice.citations}
        story = advice.determination is not None
        for sentence in sentences_of(advice.answer, advice.determination):
            if sentence.words in seen:
                continue
            seen.add(sentence.words)
            marks = "".join(f"[{n}]" for n in sentence.marks)
            for text in mutations(sentence.words):
                tried += 1
                found = problems_of(text + marks, sentence, cited, corpus, DAY, words, story)
                if next(found, None) is None:
                    passed.append((sentence.words, text))
    assert tried > 1500
    assert not passed


# ---------------------------------------------------------------- whole answers


def put(advice: Advice, reply: str, corpus: Corpus, words: Words) -> Worded:
    return checked(reply, advice.answer, advice.citations, advice.determination, corpus, DAY, words)


def reworded(advice: Advice, **instead: str) -> str:
    """A reply that joins every sentence on, except those given as ``n3="…"``."""
    lines = []
    for s in sentences_of(advice.answer, advice.determination):
        marks = "".join(f"[{n}]" for n in s.marks)
        lines.append(f"{s.n}. {instead.get(f'n{s.n}', '也就是说，' + s.words)}{marks}。")
    return "\n".join(lines)


def test_sentences_that_hold_are_shown_and_nothing_else_changes(
    advices: list[Advice], corpus: Corpus, words: Words
) -> None:
    for advice in advices:
        sentences = sentences_of(advice.answer, advice.determination)
        if not sentences:
            continue
        shown = put(advice, reworded(advice), corpus, words)
        assert (shown.kept, shown.fallen_back) == (len(sentences), "")
        assert shown.answer.replace("也就是说，", "") == advice.answer
        assert shown.answer != advice.answer


def test_only_reasons_measures_and_the_like_may_be_worded(advices: list[Advice]) -> None:
    for advice in advices:
        for s in sentences_of(advice.answer, advice.determination):
            for at in s.lines:
                line = advice.answer.split("\n")[at]
                assert not re.match(r"  |>|\d+\. |- \*\*对.*申诉", line)
                assert "最迟" not in line
                assert s.marks
    story = advices[0]
    assert story.determination
    texts = [s.words for s in sentences_of(story.answer, story.determination)]
    assert not any("→" in t or "《" in t or "告诉我收到" in t or "供参考" in t for t in texts)


def test_a_sentence_that_fails_is_replaced_by_its_own(
    advices: list[Advice], corpus: Corpus, words: Words
) -> None:
    advice = advices[0]
    first = sentences_of(advice.answer, advice.determination)[1]
    shown = put(advice, reworded(advice, n2=f"并不是这样，{first.words}"), corpus, words)
    assert [t.n for t in shown.replaced] == [2]
    assert shown.replaced[0].problems
    assert "并不是这样" not in shown.answer
    assert first.words in shown.answer
    assert shown.kept == shown.checked - 1


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "好的，我来改写。",
        "1.",
        "<think>1. 不属于问责</think>",
        '{"1": "不属于问责范围',
        '[1, 2, "a"]',
        "{" * 5000,
        "```json\n{}\n```",
        "1. 不属于问责范围[1]\n" * 50,
        "字" * (LONGEST_REPLY + 1),
        "\x00\x01 0. x\n999. y",
    ],
)
def test_nonsense_leaves_the_answer_as_it_was(
    reply: str, advices: list[Advice], corpus: Corpus, words: Words
) -> None:
    for advice in (advices[0], advices[4]):
        shown = put(advice, reply, corpus, words)
        assert shown.answer == advice.answer
        assert shown.fallen_back
        assert shown.kept == 0


def test_more_than_a_third_that_fails_is_too_much(
    advices: list[Advice], corpus: Corpus, words: Words
) -> None:
    advice = advices[0]
    lines = reworded(advice).split("\n")
    shown = put(advice, "\n".join(lines[: len(lines) // 2]), corpus, words)
    assert (shown.answer, shown.fallen_back) == (advice.answer, "不合的句子太多")
    shown = put(advice, "\n".join(lines[:-1]), corpus, words)  # a reply that was cut off
    assert shown.kept == len(lines) - 1


def test_one_grave_sentence_is_enough(advices: list[Advice], corpus: Corpus, words: Words) -> None:
    advice = advices[0]
    own = sentences_of(advice.answer, advice.determination)[1].words
    for grave in (
        f"{own}，详见 http://a.cn",
        f"{own}，按第九十九条",
        f"<b>{own}</b>",
        f"{own}，您不会被问责",
    ):
        shown = put(advice, reworded(advice, n2=grave), corpus, words)
        assert (shown.answer, shown.kept) == (advice.answer, 0)
        assert shown.fallen_back == "有一句写得不可信"


def test_json_thoughts_and_fences_are_read(advices: list[Advice], corpus: Corpus, words: Words) -> None:
    advice = advices[0]
    written = len(reworded(advice).split("\n"))
    for reply in (
        "```json\n" + as_json(reworded(advice).split("\n")) + "\n```",
        "<think>{先想一想}</think>" + as_json(reworded(advice).split("\n"))[:-2],  # cut off
        "<think>先想一想\n1. 乱写</think>\n好的：\n" + reworded(advice).replace(". ", "、"),
    ):
        assert put(advice, reply, corpus, words).kept == written


def test_a_number_written_twice_is_not_believed(advices: list[Advice], corpus: Corpus, words: Words) -> None:
    advice = advices[0]
    shown = put(advice, reworded(advice) + "\n2. 另一种说法[1]", corpus, words)
    assert [(t.n, t.problems[0].kind) for t in shown.replaced] == [(2, "没有写")]


def test_the_request_holds_rules_and_no_story(
    advices: list[Advice], settings: Settings, corpus: Corpus
) -> None:
    advice = advices[0]
    [message], _ = wording_request(
        advice.answer, advice.determination, advice.citations, Prompts(settings.prompts)
    )
    for s in sentences_of(advice.answer, advice.determination):
        assert f"{s.n}. {s.words}" in message.text
    assert "喝了农药" not in message.text
    assert message.text.count("<<<") == message.text.count(">>>") == 3
    assert wording_request("没有可以改写的", None, (), Prompts(settings.prompts))[0] == []


def test_checking_costs_little(advices: list[Advice], corpus: Corpus, words: Words) -> None:
    advice = advices[0]
    reply = reworded(advice)
    began = time.perf_counter()
    for _ in range(5):
        put(advice, reply, corpus, words)
    assert (time.perf_counter() - began) / 5 < 0.5  # some 10 ms; room for a busy machine


# ---------------------------------------------------------------- the table


def test_rows_that_let_a_negation_go_are_found(tmp_path: Path, settings: Settings) -> None:
    assert check_words(settings.knowledge) == []
    table = (settings.knowledge / "wording.yaml").read_text("utf-8")
    (tmp_path / "wording.yaml").write_text(table.replace("  - 不能\n", "  - 不能|能够\n"), "utf-8")
    assert "不能|能够" in str(check_words(tmp_path)[0])
    (tmp_path / "wording.yaml").write_text("operators: 1", "utf-8")
    assert isinstance(check_words(tmp_path)[0], KnowledgeError)


def test_no_words_that_mean_different_things_share_a_row(words: Words) -> None:
    """可以 and 应当 and the like never stand for each other."""
    apart = "应当 必须 可以 可能 不得 不能 不予 免予 有权 以上 以下 从轻 减轻 从重 加重 一般 严重 重大"
    apart += " 或者 并且 和 主要 重要 直接"
    forms = [words.form[word] for word in apart.split()]
    assert len(set(forms)) == len(forms)
