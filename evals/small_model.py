"""A real small model beside the assistant, end to end: ``make small-model``, or ``python -m evals.small_model``.

Serves a model of 270 million parameters on this machine, asks our own cases (``knowledge/cases``, no scoring set)
without it and with it, and looks at every answer once more: whatever the model says, the reader must get the sound
answer. Writes ``build/small-model/report.md``; exit code 1 where an answer is unsound. Nothing leaves the machine.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from assistant.advisor import Advisor
from assistant.assisted import Helper
from assistant.errors import ModelError
from assistant.law.days import read_received_date
from assistant.model import Advice, Assistance, Determination, Question
from assistant.ports import ChatModel, Message, Reply
from assistant.prompts import Prompts, escape_markdown
from assistant.rendering import to_contract
from assistant.settings import Settings, load_settings
from assistant.steps.determination import determine
from assistant.steps.proposals import fact_request
from assistant.steps.timing import STEP as TIMING
from assistant.steps.verification import verify
from assistant.steps.wording import Words, checked, load_words, problems_of, sentences_of, wording_request
from assistant.wiring import Parts, build, helper_of

NAME = "gemma-3-270m"
OUT = Path("build/small-model")
READY_WITHIN = 120.0  # seconds
TIMEOUT = 30.0  # of the model, for one answer; it runs on one core
SLACK = 2.0  # seconds that a busy machine may add to an answer
RAW_TOKENS, RAW_WITHIN = 60, 300.0  # of its words without format, and the seconds that they may take
RULES = ("对问责决定不服多久内申诉？", "党内警告影响期多久")
WAYS = {"facts": "读情况", "wording": "写答复", "both": "两样都用"}
RAW = "混进原话"
_MARK = re.compile(r"\[(\d+)\]")
_CODE = re.compile(r"[<>]|https?:|www\.|\]\(|&\w+;", re.IGNORECASE)


# ---------------------------------------------------------------- what the model says, noted and said again


def _key(messages: Sequence[Message]) -> str:
    return "\0".join(m.text for m in messages)


@dataclass
class Noted:
    """A chat model whose replies are noted."""

    model: ChatModel
    said: dict[str, Reply | ModelError] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.model.name

    def connect(self) -> float:
        return self.model.connect()

    def complete(
        self,
        messages: Sequence[Message],
        schema: Mapping[str, Any] | None = None,
        most_tokens: int = 800,
        seconds: float | None = None,
    ) -> Reply:
        try:
            reply = self.model.complete(messages, schema, most_tokens, seconds)
        except ModelError as error:
            self.said[_key(messages)] = error
            raise
        self.said[_key(messages)] = reply
        return reply


@dataclass
class Again:
    """Says what was said before, and nothing else."""

    noted: Noted

    @property
    def name(self) -> str:
        return self.noted.name

    def connect(self) -> float:
        return 0.0

    def complete(self, messages: Sequence[Message], *_: Any) -> Reply:
        said = self.noted.said.get(_key(messages))
        if isinstance(said, Reply):
            return said
        raise said or ModelError("大模型没有在规定的时间内答完。", "late")


@dataclass
class Pair:
    """An advisor with a model, and one that takes the same facts and words nothing: what its templates say."""

    asked: Advisor
    template: Advisor
    noted: Noted

    @classmethod
    def of(cls, settings: Settings, parts: Parts) -> Pair:
        helper = helper_of(settings, parts.advisor.law)
        assert isinstance(helper, Helper)
        noted = Noted(helper.model)
        first = replace(helper, model=noted)
        again = replace(first, model=Again(noted), words=None, names=lambda: first.known_names)
        return cls(replace(parts.advisor, helper=first), replace(parts.advisor, helper=again), noted)


# ---------------------------------------------------------------- whether an answer is sound


def unsound(
    advice: Advice, template: Advice, plain: Advice, parts: Parts, words: Words, seconds: float
) -> list[str]:
    """What is wrong with an answer that a model helped with; empty where it is sound.

    Args:
        template: the answer from the same facts, in the words of the templates.
        plain: the answer without a model.
        seconds: how long the model may be waited for.
    """
    return [
        *_facts_wrong(advice, parts),
        *_verdict_wrong(advice, template, parts),
        *_words_wrong(advice, template, parts, words),
        *_shape_wrong(advice, plain, seconds),
    ]


def _facts_wrong(advice: Advice, parts: Parts) -> Iterator[str]:
    kinds = parts.advisor.law.vocabulary.facts
    for fact in advice.facts:
        if fact.source != "model":
            continue
        told = advice.question.text[fact.start : fact.start + len(fact.evidence)] if fact.start >= 0 else ""
        if not fact.evidence.strip() or told != fact.evidence:
            yield f"事实“{fact.name}”引的话不在原文里"
        if fact.name not in kinds or fact.value not in kinds[fact.name].values:
            yield f"不认得的事实或者取值：{fact.name}={fact.value}"
        elif kinds[fact.name].about == "question":
            yield f"关于提问本身的事实：{fact.name}"


def _settled(made: Determination) -> dict[str, Any]:
    """What the rules alone say."""
    return {
        "结论": (made.scope, made.variant),
        "对象": made.subject,
        "责任": made.responsibility,
        "条款": frozenset(c.id for c in made.clauses if not c.candidate),
        "措施": made.measures,
        "免责情形": made.exemptions,
        "途径和期限": made.routes,
        "滥用提示": frozenset(made.misuse_signals),
        "其他人": made.others,
        "理由": tuple(f for f in made.findings if f.step != TIMING),
    }


def _verdict_wrong(advice: Advice, template: Advice, parts: Parts) -> Iterator[str]:
    asked, law = advice.question, parts.advisor.law
    if (advice.determination is None) != (template.determination is None):
        yield "有没有结论与模板的不同"
    if advice.determination is None:
        return
    received = asked.received or read_received_date(asked.text, asked.day)
    shown = _settled(advice.determination)
    again = _settled(determine(advice.facts, law, asked.day, received, settled=asked.not_to_ask))
    yield from (f"{part}与规则由这些事实得出的不同" for part in shown if shown[part] != again[part])
    candidates = {c.id for c in advice.determination.clauses if c.candidate}
    listed = {id for row in law.tables["clauses"].rows for id in row.because}
    in_force = law.in_force(asked.day)
    yield from (
        f"候选条款{id}不在规则所列的里面" for id in candidates if id not in listed or not in_force(id)
    )


def _words_wrong(advice: Advice, template: Advice, parts: Parts, words: Words) -> Iterator[str]:
    corpus, day, given = parts.corpus, advice.question.day, {c.n: c for c in advice.citations}
    if advice.citations != template.citations:
        yield "来源与模板的不同"
    if unknown := {int(n) for n in _MARK.findall(advice.answer)} - given.keys():
        yield f"没有来源的标号：{sorted(unknown)}"
    before = {c.name for c in verify(template.answer, template.citations, corpus)[1] if not c.passed}
    shown, checks = verify(advice.answer, advice.citations, corpus)
    if shown != advice.answer:
        yield "有法律陈述没有来源"
    yield from (f"核验不过：{c.name}" for c in checks if not c.passed and c.name not in before)
    note = _note(advice.assisted, parts)
    said = [line for line in advice.answer.split("\n") if line.strip() and line != note]
    meant = [line for line in template.answer.split("\n") if line.strip()]
    if len(said) != len(meant):
        yield f"有{len(said)}行，模板有{len(meant)}行"
        return
    sentences = sentences_of(template.answer, template.determination)
    for line, own in zip(said, meant, strict=True):
        if line == own:
            continue
        sentence = max((s for s in sentences if s.words in own), key=lambda s: len(s.words), default=None)
        before_it, _, after_it = own.partition(sentence.words) if sentence else ("", "", "")
        if sentence is None or not (line.startswith(before_it) and line.endswith(after_it)):
            yield f"不该改的一行改了：{line}"
            continue
        written = line[len(before_it) : len(line) - len(after_it)]
        if _CODE.search(written):
            yield f"有网页代码或者链接：{line}"
        marks = "".join(f"[{n}]" for n in sentence.marks)
        story = template.determination is not None
        for problem in problems_of(written + marks, sentence, given, corpus, day, words, story=story):
            yield f"{problem.kind}（{problem.words}）：{line}"


def _note(given: Assistance | None, parts: Parts) -> str:
    """The line that says how many sentences are the model's."""
    if given is None:
        return ""
    said = parts.advisor.writer.labels["assisted"]["sentences"]
    words = said.format(model=given.model, kept=given.sentences_kept, count=given.sentences)
    return f"> {escape_markdown(words)}"


def _shape_wrong(advice: Advice, plain: Advice, seconds: float) -> Iterator[str]:
    contract, usual = to_contract(advice), to_contract(plain)
    if contract.keys() != usual.keys() or json.loads(json.dumps(contract)) != contract:
        yield "JSON 的样子变了"
    if advice.elapsed_ms > plain.elapsed_ms + 1000 * (seconds + SLACK):
        yield f"用了{advice.elapsed_ms / 1000:.1f}秒，太久"
    if (given := advice.assisted) and given.sentences_kept > given.sentences:
        yield "采用的句子比写的多"
    if any(f.source == "model" for f in advice.facts) and not (given and given.facts_kept):
        yield "有大模型的事实，却没有说明"


# ---------------------------------------------------------------- the server


@contextmanager
def served(weights: Path, log: Path) -> Iterator[str]:
    """The address of the small model, as long as it is wanted.

    Raises:
        RuntimeError: it did not begin in time.
    """
    weights.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as lines:
        server = subprocess.Popen(
            [sys.executable, "-m", "evals.small_server", str(weights), NAME],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=lines,
        )
        found: list[str] = []
        ready = threading.Event()

        def read() -> None:
            for line in server.stdout or ():
                lines.write(line)
                if line.startswith(b"READY "):
                    found.append(line.split()[1].decode())
                    ready.set()
            ready.set()

        threading.Thread(target=read, daemon=True).start()
        try:
            if not ready.wait(READY_WITHIN) or not found:
                raise RuntimeError(f"小模型没有起来，请看 {log}。没有装的话，请运行 make small-model。")
            yield f"{found[0]}/v1"
        finally:
            server.terminate()
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def raw_words(url: str, messages: Sequence[Message]) -> str:
    """What the model begins to say, without format or check; empty where that takes too long."""
    body = {
        "model": NAME,
        "messages": [{"role": m.role, "content": m.text} for m in messages],
        "max_tokens": RAW_TOKENS,
        "temperature": 0,
    }
    try:
        reply = httpx.post(f"{url}/chat/completions", json=body, timeout=RAW_WITHIN, trust_env=False).json()
    except httpx.TimeoutException:
        return ""
    return str(reply["choices"][0]["message"]["content"])


# ---------------------------------------------------------------- the run


@dataclass
class Row:
    """What came of one way of using the model."""

    name: str
    answers: int = 0
    other: int = 0  # verdicts that are another than without the model
    proposed: int = 0
    kept: int = 0
    open: int = 0
    terms: int = 0
    sentences: int = 0
    sentences_kept: int = 0
    seconds: list[float] = field(default_factory=list)
    tokens: int = 0
    trouble: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def add(self, advice: Advice, plain: Advice, faults: Sequence[str]) -> None:
        self.answers += 1
        self.other += _scope(advice) != _scope(plain)
        self.seconds.append(advice.elapsed_ms / 1000)
        self.faults += [f"{advice.question.text[:20]}…：{fault}" for fault in faults]
        if given := advice.assisted:
            self.proposed += given.facts_proposed
            self.kept += given.facts_kept
            self.open += len(given.facts_open)
            self.terms += len(given.terms)
            self.sentences += given.sentences
            self.sentences_kept += given.sentences_kept
            self.tokens += given.tokens
            for sentence in given.trouble:
                self.trouble[sentence] = self.trouble.get(sentence, 0) + 1


def _scope(advice: Advice) -> str:
    return advice.determination.scope if advice.determination else advice.kind


HEAD = (
    "| 用法 | 答复 | 结论不同 | 事实：提出/采用/存疑 | 检索用词 | 句子：核对/采用 | 秒（中位） | token | 不可靠的 |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def _line(row: Row) -> str:
    return (
        f"| {row.name} | {row.answers} | {row.other} | {row.proposed}/{row.kept}/{row.open} | {row.terms} | "
        f"{row.sentences}/{row.sentences_kept} | {statistics.median(row.seconds or [0.0]):.1f} | {row.tokens} | "
        f"{len(row.faults)} |"
    )


def questions(parts: Parts, stories: int, day: date) -> list[Question]:
    """Stories spread over our own cases, and questions about the rules."""
    cases = parts.advisor.cases
    step = max(1, len(cases) // max(1, stories))
    chosen = [case.story for case in cases[::step]][:stories]
    return [Question(text, day) for text in (*chosen, *RULES)]


def mixed(advice: Advice, raw: str) -> str:
    """The sentences of an answer as they are, every fourth in words of the model."""
    said = [piece.strip() for piece in re.split(r"[\n。]", raw) if piece.strip()] or [raw]
    lines = []
    for sentence in sentences_of(advice.answer, advice.determination):
        own = sentence.words + "".join(f"[{n}]" for n in sentence.marks)
        lines.append(f"{sentence.n}. {said[sentence.n % len(said)] if sentence.n % 4 == 0 else own}")
    return "\n".join(lines)


def with_raw(plain: Advice, reply: str, parts: Parts, words: Words) -> Advice:
    """The answer where a model had written ``reply`` for its sentences."""
    told = checked(
        reply, plain.answer, plain.citations, plain.determination, parts.corpus, plain.question.day, words
    )
    given = Assistance(NAME, sentences=told.checked, sentences_kept=told.kept)
    return replace(plain, answer=told.answer, assisted=given)


def run(url: str, parts: Parts, stories: int, day: date, timeout: float) -> tuple[list[Row], list[str]]:
    """The rows of the table, and samples of what the model said."""
    words = load_words(parts.settings.knowledge)
    prompts = Prompts(parts.settings.prompts)
    asked = questions(parts, stories, day)
    parts.advisor.ask(asked[0])  # what is loaded first is not measured
    plain = [parts.advisor.ask(question) for question in asked]
    first = Row("不用大模型")
    for advice in plain:
        first.add(advice, advice, unsound(advice, advice, advice, parts, words, 0.0))
    facts, _ = fact_request(asked[0].text, parts.advisor.law.vocabulary, prompts)
    raw_words(url, facts)  # a server in use has read the long list of facts before
    rows, samples = [first], []
    for uses, name in WAYS.items():
        settings = load_settings(model=NAME, model_url=url, model_timeout=timeout, model_uses=uses)
        pair, row = Pair.of(settings, parts), Row(name)
        for question, without in zip(asked, plain, strict=True):
            advice = pair.asked.ask(question)
            template = pair.template.ask(question)
            faults = unsound(advice, template, without, parts, words, timeout)
            row.add(advice, without, faults)
            print(f"{name} {row.answers}/{len(asked)}：{advice.elapsed_ms / 1000:.1f} 秒", file=sys.stderr)
            if uses == "facts" and row.answers <= 3:
                said = [r.text if isinstance(r, Reply) else str(r) for r in pair.noted.said.values()][-2:]
                samples += [_sample("读情况", question.text, text, advice, without) for text in said]
        rows.append(row)
    row = Row(RAW)
    for n, without in enumerate(plain):
        messages, _ = wording_request(without.answer, without.determination, without.citations, prompts)
        if not messages:
            continue
        raw = raw_words(url, messages)
        print(f"{RAW} {n + 1}/{len(asked)}", file=sys.stderr)
        for reply in (raw, mixed(without, raw)):
            advice = with_raw(without, reply, parts, words)
            row.add(advice, without, unsound(advice, without, without, parts, words, 0.0))
        if n < 3:
            samples.append(_sample("写答复", without.question.text, raw, advice, without))
    return [*rows, row], samples


def _sample(task: str, asked: str, said: str, advice: Advice, plain: Advice) -> str:
    same = "与不用大模型的答复一字不差" if advice.answer == plain.answer else "与不用大模型的答复有不同"
    head = next((line for line in advice.answer.split("\n") if line.strip()), "")
    return (
        f"**{task}**：{asked[:60]}\n\n小模型说：\n\n```text\n{said[:400].replace('```', '')}\n```\n\n"
        f"读的人看到（{same}）：{head}"
    )


def report(rows: Sequence[Row], samples: Sequence[str], check: str, day: date) -> str:
    """Everything as markdown."""
    trouble: Counter[str] = Counter()
    for row in rows:
        trouble.update(row.trouble)
    faults = [f"- {row.name}：{fault}" for row in rows for fault in row.faults]
    parts = [
        f"# 真的小模型走一遍（{NAME}，{day.isoformat()}）",
        "模型很小，话多半没有意义；要看的是：不管它说什么，答复都可靠。",
        f"`zeming model check` 说：\n\n```text\n{check.strip()}\n```",
        "\n".join((HEAD, *map(_line, rows))),
        f"“{RAW}”：让它直接写，截下开头当作改写的回复，再混进照抄的句子里，各核对一遍。",
        "没帮上的原因：\n\n" + ("\n".join(f"- {s}（{n} 次）" for s, n in trouble.items()) or "没有"),
        "不可靠的答复：\n\n" + ("\n".join(faults) or "没有"),
        *samples,
    ]
    return "\n\n".join(parts) + "\n"


def model_check(url: str, timeout: float, data: Path) -> str:
    """What ``zeming model check`` prints."""
    import os

    environment = {
        **os.environ,
        "ZEMING_DATA": str(data),
        "ZEMING_MODEL": NAME,
        "ZEMING_MODEL_URL": url,
        "ZEMING_MODEL_TIMEOUT": f"{timeout:g}",
    }
    command = [sys.executable, "-c", "from assistant.start import main; main()", "model", "check"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout


def main() -> None:
    told = argparse.ArgumentParser(description="真的小模型走一遍：不管它说什么，答复都要可靠")
    told.add_argument("--stories", type=int, default=10, help="问几段情况（另问两个规定）")
    told.add_argument("--timeout", type=float, default=TIMEOUT, help="每次答复最多等小模型多少秒")
    told.add_argument("--date", type=date.fromisoformat, default=date.today(), help="按哪一天的规定")
    given = told.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    parts = build(load_settings(model="", model_url=""))
    with served(OUT / f"{NAME}.gguf", OUT / "server.log") as url:
        check = model_check(url, max(given.timeout, 60.0), parts.settings.data)
        print(check, flush=True)
        rows, samples = run(url, parts, given.stories, given.date, given.timeout)
    written = report(rows, samples, check, given.date)
    (OUT / "report.md").write_text(written, "utf-8")
    print(written)
    print(f"共用 {time.monotonic() - started:.0f} 秒，报告在 {OUT / 'report.md'}。", file=sys.stderr)
    if any(row.faults for row in rows):
        sys.exit("有不可靠的答复，请看报告。")


if __name__ == "__main__":
    main()
