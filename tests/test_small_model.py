"""What looks at the answers that a small model helped with: it lets sound ones pass, and finds each unsound one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from assistant.allowance import estimate
from assistant.assisted import SHARE_OF_QUERY, TOKENS_OF_FACTS, TOKENS_OF_QUERY
from assistant.model import Advice, Assistance, Fact, Question
from assistant.ports import Message
from assistant.prompts import Prompts
from assistant.settings import Settings, load_settings
from assistant.steps.proposals import fact_request, query_request
from assistant.steps.wording import Words, load_words
from assistant.wiring import Parts
from evals.small_model import HEAD, Pair, Row, mixed, questions, report, run, unsound, with_raw
from tests.model_server import Asked, ModelServer, as_json, cut, fails, model_server, sentences_in

DAY = date(2026, 11, 22)
STORY = (
    "我是副县长，那天会上就我一个人拍桌子说这个项目搞不得，本子上白纸黑字写着呢。"
    "后来还是上了，亏得一塌糊涂，现在连我一起追。"
)
QUOTE = "就我一个人拍桌子说这个项目搞不得"
SECONDS = 30.0  # enough on a busy machine


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


@pytest.fixture(scope="module")
def words(settings: Settings) -> Words:
    return load_words(settings.knowledge)


@pytest.fixture(scope="module")
def plain(parts: Parts) -> Advice:
    return parts.advisor.ask(Question(STORY, DAY))


def lies(asked: Asked) -> str:
    """Facts that are half a quote and half made up, terms out of nowhere, sentences that turn the verdict."""
    properties = (asked.schema or {}).get("properties", {})
    if "facts" in properties:
        rows = [
            {"name": "dissent_recorded", "value": "是", "quote": QUOTE},
            {"name": "force_majeure", "value": "是", "quote": "洪水是不可抗力"},
        ]
        return json.dumps({"facts": rows}, ensure_ascii=False)
    if "terms" in properties:
        return '{"terms": ["第九十九条", "https://example.com", "集体决策"]}'
    return as_json(
        f"{line}，所以不予问责，详见https://example.com" if n == 3 else line
        for n, line in enumerate(sentences_in(asked))
    )


def small_lies(asked: Asked) -> str:
    """One sentence that is wrong but not grave, and one that is well said."""
    lines = sentences_in(asked)
    if not lines:
        return lies(asked)
    lines[0] = lines[0].replace(". ", ". 也就是说，", 1)
    lines[-1] = lines[-1].replace(". ", ". 另外还要多想一想，", 1)
    return as_json(lines)


@pytest.mark.parametrize("answer", [lies, small_lies, cut('{"facts": ['), fails(500)])
def test_whatever_the_model_says_the_answers_are_sound(
    parts: Parts, plain: Advice, words: Words, server: ModelServer, settings: Settings, answer: Any
) -> None:
    server.answers = [answer]
    served = settings.model_copy(update={"model": "m", "model_url": server.url, "model_timeout": SECONDS})
    pair = Pair.of(served, parts)
    advice = pair.asked.ask(plain.question)
    assert unsound(advice, pair.template.ask(plain.question), plain, parts, words, SECONDS) == []
    assert advice.assisted
    assert (advice.assisted.sentences_kept > 0) == (answer is small_lies)
    assert any(f.source == "model" for f in advice.facts) == callable(answer)


def test_the_whole_run_makes_a_report(parts: Parts, server: ModelServer) -> None:
    server.answers = [small_lies]
    rows, samples = run(server.url, parts, 1, DAY, SECONDS)
    assert [row.answers for row in rows[:4]] == [3] * 4
    assert rows[4].answers
    assert [row.faults for row in rows] == [[]] * 5
    assert rows[3].sentences_kept
    written = report(rows, samples, "✓ 连得上", DAY)
    assert HEAD in written
    assert "小模型说" in written
    rows[0].faults.append("坏的")
    assert "坏的" in report(rows, samples, "", DAY)


def fact(**given: Any) -> Callable[[Advice], Advice]:
    kinds: dict[str, Any] = {
        "name": "dissent_recorded",
        "value": "yes",
        "evidence": QUOTE,
        "source": "model",
        "confidence": 0.6,
        "start": STORY.find(QUOTE),
        **given,
    }
    return lambda a: replace(a, facts=(*a.facts, Fact(**kinds)))


def made(**given: Any) -> Callable[[Advice], Advice]:
    def change(advice: Advice) -> Advice:
        assert advice.determination
        return replace(advice, determination=replace(advice.determination, **given))

    return change


def said(change: Callable[[str], str]) -> Callable[[Advice], Advice]:
    return lambda a: replace(a, answer=change(a.answer))


def reason(change: Callable[[str], str]) -> Callable[[Advice], Advice]:
    """One of the sentences that may be worded, changed."""

    def changed(answer: str) -> str:
        words = "党的领导干部是问责条例列明的问责对象"
        assert words in answer
        return answer.replace(words, change(words))

    return said(changed)


UNSOUND: list[tuple[Callable[[Advice], Advice], str]] = [
    (made(scope="out_subject"), "结论"),
    (made(responsibility="直接责任"), "责任"),
    (made(measures=()), "措施"),
    (made(routes=()), "途径和期限"),
    (made(clauses=()), "条款"),
    (fact(), "结论"),  # a fact that the verdict does not heed
    (fact(evidence="他自己承认的", start=3), "不在原文里"),
    (fact(start=-1), "不在原文里"),
    (fact(value="也许"), "不认得"),
    (said(lambda text: text.replace("**来源**", "本案不予问责。\n\n**来源**")), "行"),
    (said(lambda text: f"{text}[99]"), "没有来源的标号"),
    (reason(lambda text: f"{text}，但本案不追究"), "："),
    (reason(lambda text: f"<b>{text}</b>"), "网页代码"),
    (reason(lambda text: f"{text}，见https://example.com"), "链接"),
    (reason(lambda text: text.replace("是", "不是")), "："),
    (lambda a: replace(a, elapsed_ms=a.elapsed_ms + 90_000), "太久"),
    (lambda a: replace(a, assisted=Assistance("m", sentences=1, sentences_kept=2)), "采用的句子"),
    (lambda a: replace(a, citations=a.citations[1:]), "来源"),
]


@pytest.mark.parametrize(("change", "found"), UNSOUND)
def test_what_is_unsound_is_found(
    parts: Parts, plain: Advice, words: Words, change: Callable[[Advice], Advice], found: str
) -> None:
    assert unsound(plain, plain, plain, parts, words, SECONDS) == []
    faults = unsound(change(plain), plain, plain, parts, words, SECONDS)
    assert any(found in fault for fault in faults), faults
    row = Row("试")
    row.add(plain, plain, faults)
    assert row.faults


def test_raw_words_of_a_model_between_good_ones(parts: Parts, plain: Advice, words: Words) -> None:
    raw = "1. 不予问责。\n2. 每句写一行，格式是“编号. 改写的句子”"
    for reply in (raw, mixed(plain, raw), mixed(plain, "今天天气好")):
        advice = with_raw(plain, reply, parts, words)
        assert unsound(advice, plain, plain, parts, words, 0.0) == []
    assert with_raw(plain, mixed(plain, "今天天气好"), parts, words).assisted


def test_questions_are_of_our_own_cases(parts: Parts) -> None:
    asked = [q.text for q in questions(parts, 10, DAY)]
    assert len(asked) == 12
    assert set(asked[:10]) <= {case.story for case in parts.advisor.cases}


def test_the_longest_story_fits_the_default_budget(parts: Parts) -> None:
    """With a reply of its full length, beside the other two requests; 6000 tokens were too few for 2000 signs."""
    settings = load_settings()
    prompts, vocabulary = Prompts(settings.prompts), parts.advisor.law.vocabulary
    story = "长" * settings.max_question_chars

    def told(request: tuple[Sequence[Message], Any]) -> int:
        return sum(8 + estimate(m.text) for m in request[0]) + estimate(json.dumps(request[1]))

    facts = told(fact_request(story, vocabulary, prompts)) + TOKENS_OF_FACTS
    terms = told(query_request(story, prompts)) + TOKENS_OF_QUERY
    assert facts <= (1 - SHARE_OF_QUERY) * settings.model_budget
    assert terms <= SHARE_OF_QUERY * settings.model_budget
    assert (
        settings.model_budget - facts - terms >= 2500
    )  # the longest wording request of our cases and its reply
