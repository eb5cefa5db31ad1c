"""Stories that the tests of the chat tell, and real advisors with something around them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from assistant.advisor import Advisor
from assistant.model import Advice, Question
from assistant.web.chat import Answers
from assistant.wiring import Parts, helper_of
from tests.model_server import Asked, as_json, sentences_in

CASE = (
    "我是分管安全的副镇长，镇里的采石场长期违规开采，我知道后没有去查，也没有督促整改，"
    "后来塌方死了两个人，造成重大损失。我会被问责吗？"
)
DECIDED = (
    "我是分管安全的副镇长，镇里的采石场长期违规开采，我知道后没有去查，后来塌方死了两个人，造成重大损失。"
    "镇党委对我作出问责决定，给了党内警告，我不服，怎么申诉？"
)
OTHER = "我爱人是镇中学校长，食堂承包商送了她两万块，学生吃坏肚子住院了十几个，纪委在查她，会怎么处理？"
RULE = "党的领导干部有哪几种问责方式，影响期各是多久？"
REPORT = "我要举报我们镇的镇长赵德柱收了老板二十万，材料应该交到哪里？"
ELSEWHERE = "今天的天气怎么样，适合去爬山吗？"
OPEN = "我是副镇长，群里没回消息，说要问责我，这算问责吗？"


@dataclass
class Remembering:
    """The real advisor; what was asked before is answered again without working it out a second time."""

    advisor: Answers
    known: dict[Any, Advice] = field(default_factory=dict)

    def ask(self, question: Question, on_stage: Callable[[str], None] | None = None) -> Advice:
        confirmed = str(sorted(question.confirmed.items()))
        key = (question.text, question.day, question.received, question.conduct, confirmed, question.settled)
        if key not in self.known:
            self.known[key] = self.advisor.ask(question, on_stage)
        return self.known[key]


@dataclass
class Slow:
    """Answers when it is told to go on; ``begun`` says that it was asked. Quick until ``wait`` is set."""

    advisor: Answers
    wait: bool = False
    begun: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)

    def ask(self, question: Question, on_stage: Callable[[str], None] | None = None) -> Advice:
        if self.wait:
            if on_stage:
                on_stage("judge")
            self.begun.set()
            self.go.wait(30)
        return self.advisor.ask(question, on_stage)

    def hold(self) -> None:
        """From now on wait."""
        self.begun.clear()
        self.go.clear()
        self.wait = True

    def release(self) -> None:
        self.wait = False
        self.go.set()


@dataclass
class Adding:
    """Answers as a model would that puts something of its own into the words of the answer."""

    advisor: Answers
    more: str = ""

    def ask(self, question: Question, on_stage: Callable[[str], None] | None = None) -> Advice:
        advice = self.advisor.ask(question, on_stage)
        if not self.more:
            return advice
        return replace(
            advice,
            answer=f"{advice.answer}\n\n**{self.more}**\n{self.more}\n\n- {self.more}",
            notices=(*advice.notices, self.more),
            understood=self.more,
            question=replace(advice.question, text=advice.question.text),
        )


class Broken:
    """An advisor with a bug, whose message repeats the case."""

    def ask(self, question: Question, on_stage: Callable[[str], None] | None = None) -> Advice:
        raise ValueError(question.text)


DISSENT = (
    "我是副县长，那天会上就我一个人拍桌子说这个项目搞不得，本子上白纸黑字写着呢。"
    "后来还是上了，亏得一塌糊涂，现在连我一起追。"
)


def helpful(asked: Asked) -> str:
    """What a good language model replies: a fact and an invented one, terms, each sentence but one in other words."""
    wanted = (asked.schema or {}).get("properties", {})
    if "facts" in wanted:
        told = [
            {"name": "dissent_recorded", "value": "是", "quote": "就我一个人拍桌子说这个项目搞不得"},
            {"name": "force_majeure", "value": "yes", "quote": "发生了地震"},
        ]
        return json.dumps({"facts": told}, ensure_ascii=False)
    if "terms" in wanted:
        return json.dumps({"terms": ["集体决策", "民主集中制"]}, ensure_ascii=False)
    lines = [line.replace(". ", ". 也就是说，", 1) for line in sentences_in(asked)]
    return as_json([lines[0].replace("，", "，大约", 1), *lines[1:]])


def helped_by(parts: Parts, url: str, name: str = "试验模型") -> Advisor:
    """The real advisor with a language model at an address."""
    served = parts.settings.model_copy(update={"model": name, "model_url": url})
    return replace(parts.advisor, helper=helper_of(served, parts.advisor.law))
