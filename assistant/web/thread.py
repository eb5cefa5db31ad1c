"""The thread of a chat: what was said, what was answered, and the fact sheets.

Comes in: text, days and corrections from the page. Goes out: the next :class:`Thread`. No Gradio, nothing
written down; an error becomes a sentence in the thread. What the words mean is the conversation's business.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import yaml

from assistant.conversation import Asks, Conversation, Listener, Situation
from assistant.errors import KnowledgeError, QuestionError, ZemingError
from assistant.law.days import read_days as conduct_days
from assistant.model import Advice, Question

_LOG = logging.getLogger("zeming.web")
FAULT = "程序出了差错，这次没有答成，不是您的问题；可以换个说法再试，或者把出错时间告诉维护人员。"

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
    count. ``situation``: the one that it was about. ``decided``: for the steps of a remedy that come later, the day
    on which the decision before them was received (step name -> day).
    """

    said: str
    question: Question
    advice: Advice | None = None
    error: str = ""
    anew: bool = False
    situation: int = -1
    decided: Mapping[str, date] = field(default_factory=dict)


@dataclass(frozen=True)
class Thread:
    """Everything said since 新情况."""

    turns: tuple[Turn, ...] = ()
    situations: tuple[Situation, ...] = ()
    current: int = -1

    def newest(self, index: int) -> bool:
        """Whether no later turn was about the same matter."""
        about = self.turns[index].situation
        return not any(
            t.situation == about and t.advice and t.advice.determination for t in self.turns[index + 1 :]
        )

    def with_turn(self, index: int, turn: Turn) -> Thread:
        """The thread with another turn at a place, or one more at its end."""
        return replace(self, turns=(*self.turns[:index], turn, *self.turns[index + 1 :]))


def answered(advisor: Asks, listener: Listener, thread: Thread, turn: Turn) -> Thread:
    """The thread with the turn and its answer; a turn that cannot be answered leaves the sheets alone.

    Raises:
        QuestionError: what was written cannot be read as a question.
    """
    talk = Conversation(advisor, listener, thread.situations, thread.current)
    done = reply(turn, lambda: _said(talk, turn))
    turns = thread.turns
    if len(talk.situations) < len(thread.situations):  # one was joined to the one before it
        turns = tuple(
            replace(t, situation=t.situation - 1) if t.situation > talk.current else t for t in turns
        )
    return Thread((*turns, replace(done, situation=talk.current)), talk.situations, talk.current)


def moved(
    advisor: Asks, listener: Listener, thread: Thread, index: int, move: Callable[[Conversation], Advice]
) -> Thread:
    """The thread after a fact or a day of one turn's matter was set; that turn's answer follows at once.

    Raises:
        QuestionError: there is nothing to set it of.
    """
    talk = Conversation(advisor, listener, thread.situations, thread.current)
    done = reply(thread.turns[index], lambda: move(talk))
    if done.error:
        done = replace(thread.turns[index], error=done.error)
    return Thread(thread.with_turn(index, done).turns, talk.situations, talk.current)


def _said(talk: Conversation, turn: Turn) -> Advice:
    asked = turn.question
    return talk.say(asked.text, asked.day, asked.received, asked.conduct, anew=turn.anew)


def reply(turn: Turn, ask: Callable[[], Advice]) -> Turn:
    """The turn with its answer, or with one sentence saying why there is none.

    Raises:
        QuestionError: it lies in the words; trying again would not help, writing other ones does.
    """
    try:
        advice = ask()
        answered = replace(turn, advice=advice, error="")
        return answered if advice.keep else _forgotten(answered, advice)
    except QuestionError:
        raise
    except ZemingError as error:
        return replace(turn, error=str(error))
    except Exception as error:  # the last net: a person must never meet a traceback, nor the log their words
        log_fault(error)
        return replace(turn, error=FAULT)


def log_fault(error: Exception) -> None:
    """Type and place of a fault; never its message, which may hold what a person wrote."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    _LOG.error("答复时出错：%s，%s:%s", type(error).__name__, Path(place.filename).name, place.lineno)


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
