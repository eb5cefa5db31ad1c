"""A thread as it is kept: JSON in which private things are hidden, and back.

Comes in: a :class:`~assistant.web.thread.Thread` and the veil of its conversation. Goes out: text for the records.
What cites the law is kept as it was shown; the words of provisions are looked up again when it is opened.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from assistant.errors import RecordsError
from assistant.model import Advice
from assistant.veil import Veil, hidden
from assistant.web.thread import Thread, Turn

VERSION = 1
TITLE = 24  # characters
_THREAD: TypeAdapter[Thread] = TypeAdapter(Thread)
# what the law says; nothing of it is private
_PUBLIC = frozenset({"citations", "clauses", "exemptions", "routes", "measures", "missing_facts"})


def to_body(thread: Thread, veil: Veil) -> str:
    """The thread as JSON, private things hidden.

    Turns whose words are not kept stay away altogether, and so do those without an answer: whether they may be kept
    only the answer says.
    """
    kept = replace(
        thread,
        turns=tuple(_light(turn) for turn in _kept(thread)),
        situations=tuple(replace(s, advice=_lighter(s.advice)) for s in thread.situations),
    )
    for turn in kept.turns:
        veil.hide(turn.question.text)
    plain = _THREAD.dump_python(kept, mode="json")
    return json.dumps({"version": VERSION, "thread": hidden(plain, veil, _PUBLIC)}, ensure_ascii=False)


def from_body(body: str) -> Thread:
    """The thread that was kept.

    Raises:
        RecordsError: it was written by another version of the program, or is damaged.
    """
    try:
        read: dict[str, Any] = json.loads(body)
        if read["version"] != VERSION:
            raise RecordsError("这段对话是别的版本保存的，这里打不开；可以导出或者删除它。")
        return _THREAD.validate_python(read["thread"])
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise RecordsError("这段对话的记录已经损坏，打不开；可以删除它。") from error


def title_of(thread: Thread, veil: Veil) -> str:
    """The beginning of what was said first, private things hidden."""
    said = next((" ".join(turn.said.split()) for turn in _kept(thread)), "")
    shown = veil.hide(said)
    return shown if len(shown) <= TITLE else shown[: TITLE - 1] + "…"


def _kept(thread: Thread) -> tuple[Turn, ...]:
    return tuple(turn for turn in thread.turns if turn.advice and turn.advice.keep)


def _light(turn: Turn) -> Turn:
    return replace(turn, advice=turn.advice and _lighter(turn.advice))


def _lighter(advice: Advice) -> Advice:
    citations = tuple(replace(c, original=None) for c in advice.citations)
    return replace(advice, passages=(), checks=(), citations=citations)
