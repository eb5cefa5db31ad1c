"""What one answer may spend on a language model: tokens and seconds. Made anew for every answer.

Comes in: a :class:`assistant.ports.ChatModel` and the two limits. Goes out: a chat model that keeps to them, and what
was spent. Raises what the model raises, and ``ModelError`` of kind ``budget`` or ``late`` once nothing is left.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from assistant.errors import ModelError
from assistant.ports import ChatModel, Message, Reply

_PER_SIGN, _PER_LETTER, _PER_MESSAGE = 0.75, 0.3, 8
"""Tokens for a Chinese sign, for a letter, around a message: what common tokenizers take, rather more than less."""
_LEAST = 16  # a reply shorter than this is not worth a call


def estimate(text: str) -> int:
    """About how many tokens a text is.

    >>> estimate("问责"), estimate("{}"), estimate("")
    (2, 1, 0)
    """
    letters = sum(c.isascii() for c in text)
    return -int(-(_PER_LETTER * letters + _PER_SIGN * (len(text) - letters)) // 1)


class Allowance:
    """A chat model with limits for one answer. Where the server does not count tokens, they are estimated."""

    def __init__(self, model: ChatModel, tokens: int, seconds: float) -> None:
        self._model = model
        self.tokens, self.seconds = tokens, seconds
        self.tokens_spent, self.seconds_spent = 0, 0.0

    @property
    def name(self) -> str:
        return self._model.name

    def connect(self) -> float:
        """See :meth:`assistant.ports.ChatModel.connect`."""
        return self._model.connect()

    def complete(
        self,
        messages: Sequence[Message],
        schema: Mapping[str, Any] | None = None,
        most_tokens: int = 800,
        seconds: float | None = None,
    ) -> Reply:
        """See :meth:`assistant.ports.ChatModel.complete`."""
        told = sum(_PER_MESSAGE + estimate(m.text) for m in messages)
        told += estimate(json.dumps(schema, ensure_ascii=False)) if schema else 0
        most_tokens = min(most_tokens, self.tokens - self.tokens_spent - told)
        if most_tokens < _LEAST:
            raise ModelError("这次答复可用的大模型 token 已经用完。", "budget")
        left = self.seconds - self.seconds_spent
        if left <= 0:
            raise ModelError("这次答复等大模型的时间已经用完。", "late")
        started = time.monotonic()
        written = most_tokens  # what a call that fails may have cost
        try:
            reply = self._model.complete(
                messages, schema, most_tokens, left if seconds is None else min(left, seconds)
            )
            written = estimate(reply.text)
        except ModelError as error:
            if error.kind in ("missing", "unreachable", "refused", "busy"):  # nothing was written
                told = written = 0
            raise
        finally:
            self.seconds_spent += time.monotonic() - started
            self.tokens_spent += told + written
        self.tokens_spent += max(0, reply.tokens - told - written)
        return reply
