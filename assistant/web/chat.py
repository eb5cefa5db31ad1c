"""A conversation as one browser tab has it: every act of the page is one call, answered with what to show.

Comes in: an act, {"do": name, …}, as ``static/chat.js`` sends it; none of it is trusted. Goes out: plain values for
the page: HTML by element, sentences, files. Never raises; an error is a sentence. No Gradio here.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Protocol
from uuid import uuid4

from assistant.conversation import Conversation, Listener, Situation, Value
from assistant.drafting import Drafter
from assistant.errors import QuestionError, ZemingError
from assistant.law.days import read_received_date
from assistant.law.deadlines import Deadline, calendar_file, deadlines
from assistant.law.names import Names
from assistant.model import Advice, Question
from assistant.records.conversations import Conversations, Kept
from assistant.records.feedback import Feedback, FeedbackBox
from assistant.replaying import Replayer, receipt_file
from assistant.settings import Settings
from assistant.veil import Veil
from assistant.web import exporting
from assistant.web.card import Wording, side_by_side, turn_html
from assistant.web.keeping import from_body, title_of, to_body
from assistant.web.leaving import Bench, GivenUp
from assistant.web.markup import render
from assistant.web.sheet import Stock, sheet
from assistant.web.thread import (
    FAULT,
    Days,
    Thread,
    Turn,
    answered,
    log_fault,
    moved,
    next_turn,
    read_day,
    read_days,
)

Act = Mapping[str, Any]
Shown = dict[str, Any]
STOPPED = "已停止，没有答复。"
_LONGEST_NOTE = 1000
_LONGEST_TITLE = 60
_LONGEST_DRAFT = 50_000
_MOST_VALUES = 50
_NO_MATTER = "这个答复不是对一件具体情况的判断，没有可以改的事实。"
_GONE = "这段对话已经不在这里了，请刷新页面；以前的可以从“对话记录”里打开。"


class Answers(Protocol):
    """Answers, and says which stage it has reached; see :meth:`assistant.advisor.Advisor.ask`."""

    def ask(self, question: Question, on_stage: Callable[[str], None] | None = None) -> Advice: ...


@dataclass(frozen=True)
class Room:
    """What all conversations share. Without ``kept`` nothing is written down, without ``box`` no feedback is taken.

    ``replayer`` asks no language model; without it there are no receipts.
    """

    advisor: Answers
    listener: Listener
    stock: Stock
    settings: Settings
    names: Names
    drafter: Callable[[], Drafter] | None = None
    replayer: Callable[[], Replayer] | None = None
    kept: Conversations | None = None
    box: FeedbackBox | None = None
    pace: Callable[[str], None] = lambda owner: None
    today: Callable[[], date] = date.today
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def wording(self) -> Wording:
        return Wording(self.listener.labels, self.listener.vocabulary)


@dataclass(frozen=True)
class _Staged:
    """Asks, and hears how far the answer is."""

    advisor: Answers
    tell: Callable[[str], None]

    def ask(self, question: Question) -> Advice:
        return self.advisor.ask(question, self.tell)


class Chat:
    """One tab's conversation. Acts may come while another one is being answered."""

    def __init__(self, room: Room, owner: str) -> None:
        self._room = room
        self._owner = owner
        self._guard = threading.Lock()
        self._stage = ""
        self._heard: object = None  # whose stages are told
        self._bench = Bench()
        self._words = ""  # what the list is narrowed to
        self._begin()

    def _begin(self) -> None:
        self._thread = Thread()
        self._veil = Veil(self._room.names)
        self._id = uuid4().hex
        self._title = ""
        self._created = self._room.now()
        self._is_kept = False
        self._off = not self._room.settings.keep_history or self._room.kept is None

    def act(self, act: Act) -> Shown:
        """Do what the page asks for, and say what it is to show."""
        deed = _DEEDS.get(_text(act, "do"))
        if deed is None:
            return {"notice": "页面和程序的版本对不上，请刷新页面后再试。"}
        if deed in _AT_ONCE:
            return self._safely(deed, act)
        if not self._guard.acquire(timeout=60):
            return {"notice": "上一步还没有做完，请稍等再试。"}
        try:
            return self._safely(deed, act)
        finally:
            self._guard.release()

    def _safely(self, deed: Callable[[Chat, Act], Shown], act: Act) -> Shown:
        try:
            return deed(self, act)
        except ZemingError as error:
            return {"notice": str(error)}
        except Exception as error:
            log_fault(error)
            return {"notice": FAULT}

    # ------------------------------------------------------------------ talking

    def say(self, act: Act) -> Shown:
        """The person said something."""
        turn = next_turn(_text(act, "text"), self._days(act), bool(act.get("follow")))
        if act.get("turn", len(self._thread.turns)) != len(self._thread.turns):
            raise QuestionError(_GONE)
        self._room.pace(self._owner)
        return self._answer(self._thread, turn, _text(act, "ask"))

    def retry(self, act: Act) -> Shown:
        """Ask again what was stopped or failed; only the last turn can be."""
        index = self._index(act)
        turn = self._thread.turns[index]
        if turn.advice or index != len(self._thread.turns) - 1:
            raise QuestionError("只能重试最后一次没有答成的提问。")
        self._room.pace(self._owner)
        before = replace(self._thread, turns=self._thread.turns[:index])
        return self._answer(before, replace(turn, error=""), _text(act, "ask"))

    def _answer(self, before: Thread, turn: Turn, ask: str) -> Shown:
        index = len(before.turns)
        staged = self._staged()
        try:
            after = self._bench.do(ask, lambda: answered(staged, self._room.listener, before, turn))
        except GivenUp:
            self._thread = replace(before, turns=(*before.turns, replace(turn, error=STOPPED)))
            return {"put": [self._turn(index)], "focus": index}
        self._thread = after
        other = [i for i in range(index) if before.newest(i) != after.newest(i)]
        shown = {"put": [self._turn(i) for i in (*other, index)], "focus": index}
        return {**shown, **self._keep(), "begun": bool(after.situations)}

    def stop(self, act: Act) -> Shown:
        """Give up the answer to one ``ask``, as say and retry were told its name: it is neither shown nor kept.

        It may come before what it stops.
        """
        self._bench.give_up(_text(act, "ask")[:_LONGEST_TITLE])
        return {}

    def stage(self, act: Act) -> Shown:
        """How far the answer is that is being worked on."""
        return {"stage": self._stage}

    def _staged(self) -> _Staged:
        mine = self._heard = object()
        self._stage = ""

        def tell(stage: str) -> None:
            if self._heard is mine:  # not of what was given up
                self._stage = stage

        return _Staged(self._room.advisor, tell)

    # ------------------------------------------------------------------ facts and days

    def set(self, act: Act) -> Shown:
        """One fact of a matter, as the person chose it."""
        fact, value = self._fact(act)
        return self._move(
            act, lambda talk, turn: talk.set(fact, value, **_days(turn), situation=turn.situation)
        )

    def dates(self, act: Act) -> Shown:
        """The days on which decisions were received."""
        index = self._index(act)
        turn = self._thread.turns[index]
        arrived = read_day(_text(act, "received"), "收到决定的日期")
        later = act.get("decided")
        given = later if isinstance(later, Mapping) else {}
        read = {
            d.id: read_day(_text(given, d.id), "收到决定的日期")
            for d in self._deadlines(turn)
            if d.id in given
        }
        decided = {id: day for id, day in read.items() if day}
        for day in (arrived, *decided.values()):
            if day and day > self._room.today():
                raise QuestionError(f"收到决定的日期 {day.isoformat()} 还没有到，请改正或清空。")
        told = self._sheet_of(turn)
        if told is None or not turn.advice or not turn.advice.determination:
            raise QuestionError(_NO_MATTER)
        # the day given here stands in place of the one that came with the words
        dated = replace(turn, decided=decided, question=replace(turn.question, received=arrived))
        self._thread = self._thread.with_turn(index, dated)
        if arrived == self._received(turn):
            return {"put": [self._turn(index)], "focus": index, "stay": True, **self._keep()}
        return self._move(
            act,
            lambda talk, turn: talk.redate(told.day, arrived, told.conduct, situation=turn.situation),
            stay=True,
        )

    def _move(self, act: Act, move: Callable[[Conversation, Turn], Advice], stay: bool = False) -> Shown:
        index = self._index(act)
        turn = self._thread.turns[index]
        if not turn.advice or not turn.advice.determination or turn.situation < 0:
            raise QuestionError(_NO_MATTER)
        after = moved(self._staged(), self._room.listener, self._thread, index, lambda talk: move(talk, turn))
        if error := after.turns[index].error:
            return {"notice": error}
        self._thread = after
        return {"put": [self._turn(index)], "focus": index, "stay": stay, **self._keep()}

    def suppose(self, act: Act) -> Shown:
        """How the verdict would change if one fact were another: both, side by side."""
        index, (fact, value) = self._index(act), self._fact(act)
        turn = self._thread.turns[index]
        told = self._sheet_of(turn)
        if told is None or not turn.advice or not turn.advice.determination:
            raise QuestionError(_NO_MATTER)
        talk = Conversation(
            self._staged(), self._room.listener, self._thread.situations, self._thread.current
        )
        supposed = talk.suppose(fact, value, turn.situation)
        return {
            "sheet": side_by_side(
                told.advice,
                supposed,
                index,
                fact,
                value if isinstance(value, tuple) else (value,),
                self._room.wording,
            )
        }

    def _fact(self, act: Act) -> tuple[str, Value]:
        name, given = _text(act, "fact"), act.get("values")
        kind = self._room.listener.vocabulary.facts.get(name)
        values = list(dict.fromkeys(str(v) for v in given[:_MOST_VALUES])) if isinstance(given, list) else []
        if kind is None or not values or any(v not in (*kind.values, "unknown") for v in values):
            raise QuestionError("请先选这一项应该是什么。")
        if "unknown" in values:
            return name, "unknown"
        return name, tuple(values) if kind.kind == "many" else values[0]

    # ------------------------------------------------------------------ sources, dates, drafts

    def source(self, act: Act) -> Shown:
        """A provision, as it stands behind an [n]."""
        index, day, number = act.get("turn"), self._room.today(), ""
        id, turns = _text(act, "id"), self._thread.turns
        asked = index if isinstance(index, int) and 0 <= index < len(turns) else None
        if asked is not None:
            advice = turns[asked].advice
            if advice:
                day = advice.question.day
                number = next((str(c.n) for c in advice.citations if c.id == id), "")
        words = _text(act, "words")[:_LONGEST_NOTE]
        return {"sheet": sheet(self._room.stock, id, day, words, number, asked)}

    def calendar(self, act: Act) -> Shown:
        """The deadlines of a matter as a calendar file."""
        found = self._deadlines(self._thread.turns[self._index(act)])
        if not any(d.last for d in found):
            raise QuestionError("还没有算出期限，请先填收到决定的日期。")
        words = self._room.listener.labels["deadlines"]
        made = calendar_file(found, self._room.now(), words, self._provision)
        return {"save": _file("申诉期限.ics", "text/calendar;charset=utf-8", made)}

    def _deadlines(self, turn: Turn) -> tuple[Deadline, ...]:
        advice = turn.advice
        if advice is None or advice.determination is None:
            return ()
        received = self._received(turn)
        words = self._room.listener.labels["deadlines"]
        routes = advice.determination.routes
        return deadlines(routes, received, self._room.today(), words, self._provision, turn.decided)

    def _sheet_of(self, turn: Turn) -> Situation | None:
        told = self._thread.situations
        return told[turn.situation] if 0 <= turn.situation < len(told) else None

    def _received(self, turn: Turn) -> date | None:
        """The day as it was given, or as the story tells it."""
        told = self._sheet_of(turn)
        asked = turn.advice.question if turn.advice else turn.question
        given = asked.received or (told.received if told else None)
        return given or read_received_date(asked.text, asked.day)

    def _provision(self, id: str) -> Any:
        return self._room.stock.get(id)

    def drafts(self, act: Act) -> Shown:
        """Which drafts there are for a matter."""
        turn = self._thread.turns[self._index(act)]
        advice = turn.advice
        if self._room.drafter is None:
            raise QuestionError("现在不能起草材料。")
        if advice is None or advice.determination is None or advice.supposed:
            raise QuestionError("这个答复不是对一件具体情况的判断，不能据它写材料。")
        html = render(
            "drafts.html.j2",
            kinds=self._room.drafter().kinds(advice, self._received(turn)),
            index=self._index(act),
        )
        return {"sheet": html}

    def draft(self, act: Act) -> Shown:
        """One draft, to be edited on the page."""
        index = self._index(act)
        turn = self._thread.turns[index]
        if self._room.drafter is None or turn.advice is None:
            raise QuestionError("现在不能起草材料。")
        told = self._sheet_of(turn)
        story = told.story if told else turn.question.text
        received = self._received(turn)
        drafter = self._room.drafter()
        made = drafter.draft(_text(act, "kind"), story, turn.advice, self._room.today(), received)
        return {"sheet": render("draft.html.j2", draft=made, index=index, notation=drafter.notation)}

    def docx(self, act: Act) -> Shown:
        """The draft as it was edited, as a document."""
        text = _text(act, "text")
        if len(text) > _LONGEST_DRAFT:
            raise QuestionError(f"材料超过{_LONGEST_DRAFT}字，请删短后再下载。")
        return {
            "save": _file(f"{exporting.file_name(text)}.docx", exporting.DOCX, exporting.draft_file(text))
        }

    def receipt(self, act: Act) -> Shown:
        """The receipt of an answer as a file; it is made again first, as only the same one can be proven."""
        advice = self._thread.turns[self._index(act)].advice
        if self._room.replayer is None or advice is None or not advice.keep:
            raise QuestionError("这个答复没有凭据。")
        self._room.pace(self._owner)
        now = self._room.now().astimezone()
        made = receipt_file(advice, self._room.replayer(), now, act.get("without") is True)
        return {"save": _file(*made)}

    # ------------------------------------------------------------------ what is kept

    def new(self, act: Act) -> Shown:
        """A new situation, in a conversation of its own."""
        off = self._off
        self._begin()
        self._off = off
        return {"clear": True, **self._listed()}

    def quiet(self, act: Act) -> Shown:
        """不留痕: from now on nothing is kept, and what was kept of this conversation is deleted."""
        if not self._room.kept:
            return {"off": True}
        self._off = bool(act.get("on")) or not self._room.settings.keep_history
        if self._off:
            self._room.kept.forget(self._owner, self._id)
            self._is_kept = False
            return {"off": True, **self._listed()}
        return {"off": False, **self._keep()}

    def _keep(self) -> Shown:
        kept = self._room.kept
        if self._off or kept is None or not any(t.advice and t.advice.keep for t in self._thread.turns):
            return {}
        if self._is_kept and kept.opened(self._owner, self._id) is None:
            # somewhere else it was deleted, and deleted it stays
            self._off, self._is_kept = True, False
            return {"off": True, "notice": "这段对话已在别处删除，接下来的不再保存。", **self._listed()}
        body = to_body(self._thread, self._veil)
        self._title = self._title or title_of(self._thread, self._veil)
        kept.keep(self._owner, Kept(self._id, self._title, self._created, self._room.now(), body))
        self._is_kept = True
        return self._listed()

    def list(self, act: Act) -> Shown:
        """The conversations kept, all or those with some words in them."""
        self._words = _text(act, "words")[:100]
        return self._listed()

    def _listed(self) -> Shown:
        kept, words = self._room.kept, self._words
        headings = kept.listed(self._owner, words) if kept else ()
        return {"history": render("history.html.j2", headings=headings, words=words, current=self._id)}

    def open(self, act: Act) -> Shown:
        """An earlier conversation, to read and go on with."""
        found = self._found(act)
        if found.id != self._id:  # the one that is open stays as it is: only here are the hidden words known
            thread = from_body(found.body)
            self._begin()
            self._thread, self._id, self._title, self._created = thread, found.id, found.title, found.created
        self._off, self._is_kept = False, True
        thread = self._thread
        shown = {"clear": True, "put": [self._turn(i) for i in range(len(thread.turns))], "off": False}
        return {**shown, **self._listed(), "begun": bool(thread.situations), "focus": len(thread.turns) - 1}

    def rename(self, act: Act) -> Shown:
        """Another title for a conversation."""
        title = " ".join(_text(act, "title").split())[:_LONGEST_TITLE]
        if not title:
            raise QuestionError("请写一个名称。")
        title = self._veil.hide(title)
        if self._room.kept and self._room.kept.rename(self._owner, _text(act, "id"), title):
            if act.get("id") == self._id:
                self._title = title
            return self._listed()
        raise QuestionError("这段对话已经不在了。")

    def forget(self, act: Act) -> Shown:
        """Delete a conversation, or all of them."""
        everything = act.get("all") is True
        if not self._room.kept:
            raise QuestionError("没有保存过对话。")
        if everything:
            self._room.kept.forget_all(self._owner)
        elif not self._room.kept.forget(self._owner, _text(act, "id")):
            raise QuestionError("这段对话已经不在了。")
        if everything or act.get("id") == self._id:
            return {**self.new(act), "notice": "已经删除。"}
        return {**self._listed(), "notice": "已经删除。"}

    def export(self, act: Act) -> Shown:
        """A conversation as a file: Markdown, Word or JSON."""
        if act.get("id") in (None, "", self._id):
            thread, title = self._thread, self._title
        else:
            found = self._found(act)
            thread, title = from_body(found.body), found.title
        name, kind, made = exporting.conversation_file(thread, title, _text(act, "format"), self._room.now())
        return {"save": _file(name, kind, made)}

    def _found(self, act: Act) -> Kept:
        found = self._room.kept.opened(self._owner, _text(act, "id")) if self._room.kept else None
        if found is None:
            raise QuestionError("这段对话已经不在了。")
        return found

    def feedback(self, act: Act) -> Shown:
        """Whether an answer was right; with what was asked, private things hidden, unless nothing is to be kept."""
        turn = self._thread.turns[self._index(act)]
        if self._room.box is None or turn.advice is None or not turn.advice.keep:
            raise QuestionError("现在不能收意见。")
        if not isinstance(act.get("right"), bool):
            raise QuestionError("请选“准确”或者“不准确”。")
        made = turn.advice.determination
        asked = turn.advice.question.text
        self._room.box.add(
            Feedback(
                given=self._room.now(),
                right=bool(act["right"]),
                reason=self._veil.hide(_text(act, "reason")[:_LONGEST_NOTE]),
                clause=self._veil.hide(_text(act, "clause")[:200]),
                scenario="" if self._off else self._veil.hide(asked + self._confirmed(turn.advice)),
                scope=made.scope if made else None,
                clauses=tuple(c.label for c in made.clauses if not c.candidate) if made else (),
                day=turn.advice.question.day,
            )
        )
        return {"notice": "谢谢，已经记下，管理员会看到。", "thanked": self._index(act)}

    def _confirmed(self, advice: Advice) -> str:
        """What the person confirmed beside the story, in words, as the verdict rests on it too."""
        kinds, said = self._room.listener.vocabulary.facts, []
        for name, value in advice.question.confirmed.items():
            values = (value,) if isinstance(value, str) else value
            shown = "、".join("不清楚" if v == "unknown" else kinds[name].show(v) for v in values)
            said.append(f"{kinds[name].label}：{shown}")
        return f"\n（本人确认：{'；'.join(said)}）" if said else ""

    # ------------------------------------------------------------------ parts

    def hello(self, act: Act) -> Shown:
        """What a page that has just opened needs: the facts that can be chosen, and what is kept."""
        kinds = [
            {
                "name": k.name,
                "label": k.label,
                "many": k.kind == "many",
                "meaning": k.meaning,
                "values": [[v, k.show(v)] for v in k.values],
            }
            for k in self._room.listener.vocabulary.facts.values()
            if self._room.wording.shown(k.name)
        ]
        return {"kinds": kinds, "off": self._off, "keeps": self._room.kept is not None, **self._listed()}

    def _turn(self, index: int) -> Shown:
        turn = self._thread.turns[index]
        html = turn_html(
            turn,
            index,
            self._room.wording,
            self._deadlines(turn),
            self._received(turn),
            newest=self._thread.newest(index),
            can_keep=self._room.box is not None and bool(turn.advice and turn.advice.keep),
            can_prove=self._room.replayer is not None and bool(turn.advice and turn.advice.keep),
        )
        return {"id": f"turn-{index}", "html": html}

    def _index(self, act: Act) -> int:
        index = act.get("turn")
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(self._thread.turns):
            raise QuestionError(_GONE)
        return index

    def _days(self, act: Act) -> Days:
        return read_days(
            _text(act, "day"), _text(act, "received"), self._room.today(), _text(act, "happened")
        )


def _days(turn: Turn) -> dict[str, Any]:
    asked = turn.question
    return {"day": asked.day, "received": asked.received, "conduct": asked.conduct}


def _text(act: Act, name: str) -> str:
    value = act.get(name)
    return value if isinstance(value, str) else ""


def _file(name: str, kind: str, content: bytes) -> dict[str, str]:
    return {"name": name, "kind": kind, "content": base64.b64encode(content).decode("ascii")}


_DEEDS: Mapping[str, Callable[[Chat, Act], Shown]] = {
    name: getattr(Chat, name)
    for name in (
        "hello", "say", "retry", "stop", "stage", "set", "suppose", "dates", "source", "calendar", "drafts",
        "draft", "docx", "receipt", "new", "quiet", "list", "open", "rename", "forget", "export", "feedback",
    )
}  # fmt: skip
_AT_ONCE = frozenset({Chat.stop, Chat.stage, Chat.source})
