"""The thread of a chat: what was said, what was answered, which answer is selected, and the fact sheets.

Comes in: text, days and corrections from the page. Goes out: the next :class:`Thread`. No Gradio, nothing
written down; an error becomes a sentence in the thread. What the words mean is the conversation's business.
"""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import yaml

from assistant.conversation import Asks, Conversation, Listener, Situation, Value
from assistant.errors import KnowledgeError, QuestionError, ZemingError
from assistant.law.days import read_days as conduct_days
from assistant.law.vocabulary import Vocabulary
from assistant.model import Advice, Question

_LOG = logging.getLogger("zeming.web")
_FAULT = "程序出了差错，这次没有答成，不是您的问题；可以换个说法再试，或者把出错时间告诉维护人员。"

_NOT_KEPT = "（这里写的是反映别人的问题，内容没有保存）"


@dataclass(frozen=True)
class Example:
    """An example question on the first screen: who would ask it, and the words."""

    role: str
    text: str


def load_examples(folder: Path) -> tuple[Example, ...]:
    """Read ``examples.yaml`` in the prompts folder.

    Raises:
        KnowledgeError: the file is missing or has another shape.
    """
    try:
        rows = yaml.safe_load((folder / "examples.yaml").read_text(encoding="utf-8"))["examples"]
        return tuple(Example(role=str(row["role"]), text=str(row["text"]).strip()) for row in rows)
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise KnowledgeError(
            "读不懂示例问题，请按 examples: 下每行一个 {role, text} 改正。", "prompts/examples.yaml"
        ) from error


@dataclass(frozen=True)
class Turn:
    """One exchange. ``said`` is what the person's bubble shows; without ``advice`` the reply is an error.

    ``question`` carries the words and the days as they were given. ``anew``: whatever was said before does not
    count. ``fact``: no words but one fact, chosen from a list. ``situation``: the one that it was about.
    """

    said: str
    question: Question
    advice: Advice | None = None
    error: str = ""
    anew: bool = False
    fact: tuple[str, Value] | None = None
    situation: int = -1


@dataclass(frozen=True)
class Thread:
    """Everything said since 新情况. ``selected`` is the turn whose sources are shown."""

    turns: tuple[Turn, ...] = ()
    selected: int = -1
    situations: tuple[Situation, ...] = ()
    current: int = -1

    def advice(self) -> Advice | None:
        return self.turns[self.selected].advice if 0 <= self.selected < len(self.turns) else None

    def latest(self) -> Turn | None:
        """The last turn that was answered."""
        return next((turn for turn in reversed(self.turns) if turn.advice), None)


def answered(advisor: Asks, listener: Listener, thread: Thread, turn: Turn) -> Thread:
    """The thread with the turn and its answer; a turn that cannot be answered leaves the sheets alone."""
    talk = Conversation(advisor, listener, thread.situations, thread.current)
    done = reply(talk, turn)
    return Thread((*thread.turns, done), len(thread.turns), talk.situations, talk.current)


def reply(talk: Conversation, turn: Turn) -> Turn:
    """The turn with its answer, or with one sentence saying why there is none. Never raises."""
    asked = turn.question
    try:
        if turn.fact:
            index = turn.situation if turn.situation >= 0 else None
            advice = talk.set(*turn.fact, asked.day, asked.received, asked.conduct, situation=index)
        else:
            advice = talk.say(asked.text, asked.day, asked.received, asked.conduct, anew=turn.anew)
        answered = replace(turn, advice=advice, situation=talk.current)
        return answered if advice.keep else _forgotten(answered, advice)
    except ZemingError as error:
        return replace(turn, error=str(error))
    except Exception as error:  # the last net: a person must never meet a traceback, nor the log their words
        place = traceback.extract_tb(error.__traceback__)[-1]
        _LOG.error("答复时出错：%s，%s:%s", type(error).__name__, Path(place.filename).name, place.lineno)
        return replace(turn, error=_FAULT)


def _forgotten(turn: Turn, advice: Advice) -> Turn:
    """The turn without the words: of what somebody reported the page keeps the answer only."""
    return replace(
        turn,
        said=_NOT_KEPT,
        question=replace(turn.question, text=""),
        advice=replace(advice, question=replace(advice.question, text=_NOT_KEPT), facts=()),
    )


@dataclass(frozen=True)
class Days:
    """The day for which the law is read, the day a decision was received, and when the matter happened."""

    law: date
    received: date | None = None
    conduct: tuple[date, date] | None = None


def read_days(law: str | None, received: str | None, today: date, happened: str | None = None) -> Days:
    """The days as the fields give them; an empty first field is today.

    Raises:
        QuestionError: something that is not a day, or a decision received in the future.
    """
    written = (happened or "").strip()
    when = conduct_days(written) if written else None
    if written and when is None:
        raise QuestionError(f"事情发生的时间“{written}”读不懂，请写成 2018、2018-05 或 2018-05-03。")
    arrived = read_day(received, "收到决定的日期")
    if arrived and arrived > today:
        raise QuestionError(f"收到决定的日期 {arrived.isoformat()} 还没有到，请改正或清空。")
    conduct = (when.first, when.last) if when else None
    return Days(read_day(law, "适用规定的日期") or today, arrived, conduct)


def read_day(value: str | None, name: str) -> date | None:
    """The day in a date field; None where it is empty.

    Raises:
        QuestionError: it is none; the message calls the field ``name``.
    """
    written = (value or "").strip()
    if not written:
        return None
    try:
        return date.fromisoformat(written[:10])
    except ValueError:
        raise QuestionError(f"{name}“{written}”不是一个日期，请写成 2026-03-05 这样。") from None


def next_turn(text: str, days: Days, follow_up: bool) -> Turn:
    """What the person wrote as the next turn; without ``follow_up`` it begins anew.

    Raises:
        QuestionError: nothing was written.
    """
    said = text.strip()
    if not said:
        raise QuestionError("请先写下情况或者问题，再点“发送”。")
    question = Question(said, days.law, received=days.received, conduct=days.conduct)
    return Turn(said, question, anew=not follow_up)


def corrected(turn: Turn, fact: str, value: Value, vocabulary: Vocabulary) -> Turn:
    """One fact of the situation that a turn was about, set by the person."""
    kind = vocabulary.facts[fact]
    values = (value,) if isinstance(value, str) else value
    words = "、".join("不清楚" if v == "unknown" else kind.show(v) for v in values)
    days = replace(turn.question, text="")
    return Turn(f"更正事实：{kind.label}＝{words}", days, fact=(fact, value), situation=turn.situation)
